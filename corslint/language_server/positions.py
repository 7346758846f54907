r"""Places as the Language Server Protocol counts them: 0-based lines, and characters in units that the two agreed on.

Section "Position" of the specification: a line ends with `\n`, `\r\n` or `\r`, and a character is a unit of UTF-16
unless client and server chose UTF-8 or UTF-32.
"""

from __future__ import annotations

from bisect import bisect_right
from functools import cached_property

from corslint.records import NamedTuple
from corslint.regexes import regex
from corslint.source import SourceFile, Span

ENCODINGS = {"utf-8": "utf-8", "utf-16": "utf-16-le", "utf-32": "utf-32-le"}
_UNIT = {"utf-8": 1, "utf-16": 2, "utf-32": 4}
"""Bytes of a unit."""
_BOM = b"\xef\xbb\xbf"
_LINE_END = regex(rb"\r\n|\n|\r")


class Point(NamedTuple):
    """A 0-based line, and units before the place in it."""

    line: int
    character: int


class Places:
    """The places of one file. An editor does not count a byte order mark."""

    def __init__(self, source: SourceFile, encoding: str = "utf-16") -> None:
        self._source = source
        self._encoding = encoding

    @cached_property
    def _starts(self) -> list[int]:
        first = len(_BOM) if self._source.data.startswith(_BOM) else 0
        return [first, *(found.end() for found in _LINE_END.finditer(self._source.data))]

    def point(self, offset: int) -> Point:
        """Where a byte offset lies."""
        offset = min(max(offset, self._starts[0]), len(self._source.data))
        line = bisect_right(self._starts, offset) - 1
        text = self._source.data[self._starts[line] : offset].decode("utf-8", "replace")
        return Point(line, len(text.encode(ENCODINGS[self._encoding])) // _UNIT[self._encoding])

    def offset(self, point: Point) -> int:
        """The byte offset of a place; one behind the end of its line is that end."""
        if point.line >= len(self._starts):
            return len(self._source.data)
        start = self._starts[point.line]
        end = self._starts[point.line + 1] if point.line + 1 < len(self._starts) else len(self._source.data)
        line = self._source.data[start:end].rstrip(b"\r\n")
        units = line.decode("utf-8", "replace").encode(ENCODINGS[self._encoding])
        before = units[: point.character * _UNIT[self._encoding]].decode(ENCODINGS[self._encoding], "ignore")
        return start + min(len(before.encode()), len(line))

    def span(self, span: Span) -> tuple[Point, Point]:
        """Begin and end of a piece of the file."""
        return self.point(span.start), self.point(span.end)
