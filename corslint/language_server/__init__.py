"""`corslint server`: findings in an editor, as code is typed (the Language Server Protocol, on pygls).

`workspace.py` checks folders with the unsaved contents of open files in them, `positions.py` counts as the protocol
does, and `server.py` speaks with the editor.
"""
