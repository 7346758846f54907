"""What an edit of a rule's fix may say."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

VERBS: dict[str, frozenset[str]] = {
    "delete": frozenset(),
    "replace": frozenset({"with", "code"}),
    "rename_key": frozenset({"to"}),
    "set_option": frozenset({"key", "value", "code", "argument"}),
    "insert_directive": frozenset({"text"}),
    "move": frozenset({"behind", "to"}),
    "delete_comment": frozenset(),
}
"""What an edit may do, and the keys that each verb takes beside the place.

`with` is the new text of a string literal or of an nginx word, and the new source text of any other expression; `value`
is data, spelled as a literal of the file's language, and so is a `with` that is no text. `code` is always source text.
`argument` is the position of the call argument that holds the options, where the place is a call. `move` takes a
statement `behind` that of another place, or as near to it as what it needs allows, or an item of a list `to: first`.
`delete_comment`
removes a comment to corslint, or the one rule of several in it that is the place.
"""

_NEEDED: dict[str, tuple[frozenset[str], ...]] = {
    "replace": (frozenset({"with", "code"}),),
    "rename_key": (frozenset({"to"}),),
    "set_option": (frozenset({"key"}), frozenset({"value", "code"})),
    "insert_directive": (frozenset({"text"}),),
    "move": (frozenset({"behind", "to"}),),
}
"""Of each of these sets of keys, exactly one key must be given."""

APPLICABILITY = ("safe", "unsafe", "placeholder")
"""`placeholder`: the new text has a part that nobody but the user knows, such as an origin. It is shown, never made."""


def edit_fault(edit: Mapping[str, Any]) -> str | None:
    """What is wrong with one entry of a rule's `edits`, None where nothing is."""
    verbs = [key for key in edit if key in VERBS]
    if len(verbs) != 1:
        return f"an edit needs exactly one of {', '.join(VERBS)}"
    verb = verbs[0]
    if not isinstance(edit[verb], str) or not edit[verb]:
        return f"`{verb}` needs a place, `name` or `name.field`"
    unknown = [key for key in edit if key != verb and key not in VERBS[verb]]
    if unknown:
        return f"`{verb}` takes no `{unknown[0]}`"
    for choice in _NEEDED.get(verb, ()):
        if len(choice & edit.keys()) != 1:
            return f"`{verb}` needs {' or '.join(f'`{key}`' for key in sorted(choice))}"
    if verb == "move" and edit.get("to", "first") != "first":
        return "`to` of `move` can only be `first`"
    for key in ("key", "to", "text", "code", "behind"):
        if key in edit and not (isinstance(edit[key], str) and edit[key]):
            return f"`{key}` must be text"
    argument = edit.get("argument", 0)
    if not isinstance(argument, int) or isinstance(argument, bool) or argument < 0:
        return "`argument` must be a position, counted from 0"
    return None
