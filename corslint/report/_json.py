"""JSON that any reader takes and that a terminal shows without being driven by it."""

from __future__ import annotations

import json
import re

from corslint.regexes import regex
from corslint.report import LOG_COMMAND

_UNSEEN = regex(r"[^\n -~]")


def dumps(value: object, *, indent: int | None = 2) -> str:
    """A value as JSON. Characters that are not printable are escaped; the value stays what it is.

    A byte of a file name that is not UTF-8 is a lone surrogate, which strict readers refuse: it becomes `?`.
    """
    separators = (",", ":") if indent is None else None
    text = json.dumps(value, indent=indent, ensure_ascii=False, separators=separators)
    return _UNSEEN.sub(_escaped, no_command(text.encode("utf-8", "replace").decode()))


def no_command(text: str) -> str:
    """JSON without what readers of logs obey wherever in a line it stands; the value stays what it is."""
    return LOG_COMMAND.sub(r"#\\u0023", text) if "##" in text else text


def _escaped(match: re.Match[str]) -> str:
    character = match[0]
    if character.isprintable():
        return character
    units = character.encode("utf-16-be")
    return "".join(f"\\u{units[at]:02x}{units[at + 1]:02x}" for at in range(0, len(units), 2))
