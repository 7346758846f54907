"""JSON objects of package managers, and where their strings stand: the standard reader knows nothing of positions.

Spans of strings include their quotes.
"""

from __future__ import annotations

import json
import re

from corslint.regexes import regex
from corslint.source import SourceFile

BOM = b"\xef\xbb\xbf"

_TOKEN = regex(rb'("(?:[^"\\]|\\.)*+")(\s*:)?|[{}\[\]]', re.DOTALL)


class BrokenError(Exception):
    """A file that its standard reader refuses: what it says, and the byte offset."""

    def __init__(self, message: str, offset: int) -> None:
        super().__init__(message)
        self.message = message
        self.offset = offset


def json_object(source: SourceFile) -> dict[str, object]:
    """The object that a JSON file holds. npm skips a byte order mark, and so do we."""
    data = source.data
    skipped = len(BOM) if data.startswith(BOM) else 0
    try:
        text = data[skipped:].decode("utf-8")
    except UnicodeDecodeError as error:
        raise BrokenError("the file is not UTF-8", skipped + error.start) from None
    try:
        found = json.loads(text)
    except json.JSONDecodeError as error:
        offset = skipped + len(text[: error.pos].encode())
        raise BrokenError(f"not valid JSON: {error.msg}", offset) from None
    except (ValueError, RecursionError):
        raise BrokenError("JSON that is nested too deeply, or holds a number that is too long", skipped) from None
    if not isinstance(found, dict):
        raise BrokenError("the file does not hold a JSON object", skipped)
    return found


def json_strings(data: bytes, levels: int) -> dict[tuple[str, ...], tuple[int, int]]:
    """Where the string values of (valid) JSON stand, by the keys that lead to them, at most `levels` keys long.

    Strings in arrays are left out. Of equal keys the last counts, as for the standard reader.
    """
    places: dict[tuple[str, ...], tuple[int, int]] = {}
    keys: list[str | None] = []  # one for each open object or array
    pending: str | None = None
    for found in _TOKEN.finditer(data):
        token = found[1]
        if token is None:
            sign = found[0]
            if sign in b"{[":
                keys.append(pending)
                pending = None
            elif keys:
                keys.pop()
                pending = None
        elif found[2] is not None:
            if len(keys) <= levels:
                pending = json.loads(token) if b"\\" in token else token[1:-1].decode("utf-8", "replace")
        elif pending is not None and len(keys) <= levels:
            path = (*keys[1:], pending)
            if None not in path:
                places[path] = found.span(1)  # type: ignore[index]
            pending = None
    return places
