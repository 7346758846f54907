"""From a message to its cause: what a user pasted from a console, and the faults in a project that lead to it.

`pasted` finds the messages in a text and what they tell of the request; `transcripts` does that for what `curl -v`
printed, with the browser's own check. `causes` ranks the rules that name such a message as their symptom, those with a
finding in the project first. `render` writes it down. What messages there are stands in `messages.yaml`, and how often
a fault is behind one in the rule's `symptoms`: none of it is code.
"""
