"""JSON that any reader takes and that a terminal shows without being driven by it."""

from __future__ import annotations

import json
import re
from json.encoder import encode_basestring as _string

from corslint.records import NamedTuple
from corslint.regexes import regex
from corslint.report import LOG_COMMAND

_UNSEEN = regex(r"[^\n -~]")
_STEP = "  "


class Written(NamedTuple):
    """A part of a document that is written already, as `written` does it."""

    text: str


def written(value: object) -> Written:
    """A part of a document that many of them have: `dumps` takes it as it is, which costs next to nothing."""
    return Written(_indented(value, "\n"))


def dumps(value: object, *, indent: bool = True) -> str:
    """A value as JSON. Characters that are not printable are escaped; the value stays what it is.

    A byte of a file name that is not UTF-8 is a lone surrogate, which strict readers refuse: it becomes `?`.
    """
    if indent:
        text = _indented(value, "\n")
    else:
        text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    if text.replace("\n", "").isprintable():
        return no_command(text)
    return _UNSEEN.sub(_escaped, no_command(text.encode("utf-8", "replace").decode()))


def _indented(value: object, line: str) -> str:
    """As `json.dumps(value, indent=2)` has it, in a third of its time; each `line` begins with the indentation so far.

    (The standard library writes with indentation in Python only, and leaves reference cycles behind for each document.)
    """
    if isinstance(value, str):
        return _string(value)
    if isinstance(value, Written):
        return value.text.replace("\n", line)  # texts in it have no line breaks: they are escaped
    if isinstance(value, dict):
        if not value:
            return "{}"
        inner = line + _STEP
        parts = [f"{_string(key)}: {_indented(one, inner)}" for key, one in value.items()]
        return f"{{{inner}{f',{inner}'.join(parts)}{line}}}"
    if isinstance(value, list | tuple):
        if not value:
            return "[]"
        inner = line + _STEP
        return f"[{inner}{f',{inner}'.join([_indented(one, inner) for one in value])}{line}]"
    return str(value) if type(value) is int else json.dumps(value)


def no_command(text: str) -> str:
    """JSON without what readers of logs obey wherever in a line it stands; the value stays what it is."""
    return LOG_COMMAND.sub(r"#\\u0023", text) if "##" in text else text


def _escaped(match: re.Match[str]) -> str:
    character = match[0]
    if character.isprintable():
        return character
    units = character.encode("utf-16-be")
    return "".join(f"\\u{units[at]:02x}{units[at + 1]:02x}" for at in range(0, len(units), 2))
