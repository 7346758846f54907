"""Source files, byte spans, and the one place where lines and columns are made."""

from __future__ import annotations

from bisect import bisect_right
from functools import cached_property

from corslint.records import NamedTuple

_BOM = b"\xef\xbb\xbf"


class Span(NamedTuple):
    """A piece of a file: UTF-8 **byte** offsets, `end` exclusive. `path` is relative to the working directory."""

    path: str
    start: int
    end: int

    def covers(self, other: Span) -> bool:
        """Whether `other` lies wholly inside this span."""
        return self.path == other.path and self.start <= other.start and other.end <= self.end

    def before(self) -> Span:
        """The empty span at this span's start."""
        return Span(self.path, self.start, self.start)

    def after(self) -> Span:
        """The empty span at this span's end."""
        return Span(self.path, self.end, self.end)


class Position(NamedTuple):
    """1-based line and 1-based column; columns count code points, and a byte order mark counts for nothing."""

    line: int
    column: int


class SourceFile:
    """The bytes of one file, as they were when it was read."""

    def __init__(self, path: str, data: bytes) -> None:
        self.path = path
        self.data = data

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the content, in hexadecimal."""
        import hashlib  # loads OpenSSL, which a check does not need

        return hashlib.sha256(self.data).hexdigest()

    @cached_property
    def _line_starts(self) -> list[int]:
        starts = [0]
        find = self.data.find
        at = find(b"\n")
        while at != -1:
            starts.append(at + 1)
            at = find(b"\n", at + 1)
        return starts

    @property
    def line_count(self) -> int:
        """How many lines the file has; an empty file has one."""
        return len(self._line_starts)

    def position(self, offset: int) -> Position:
        """Where a byte offset lies; an offset beyond the end is the end."""
        offset = min(max(offset, 0), len(self.data))
        line = bisect_right(self._line_starts, offset)
        start = self._line_starts[line - 1]
        if line == 1 and self.data.startswith(_BOM):
            start = min(len(_BOM), offset)
        return Position(line, len(self.data[start:offset].decode("utf-8", "replace")) + 1)

    def line_span(self, line: int) -> Span:
        """The bytes of a 1-based line, without its line ending."""
        start = self._line_starts[line - 1]
        end = self._line_starts[line] - 1 if line < len(self._line_starts) else len(self.data)
        if end > start and self.data[end - 1 : end] == b"\r":
            end -= 1
        if line == 1 and self.data.startswith(_BOM):
            start = min(len(_BOM), end)
        return Span(self.path, start, end)

    def text(self, span: Span) -> str:
        """The text of a span; bytes that are not UTF-8 become U+FFFD."""
        return self.data[span.start : span.end].decode("utf-8", "replace")
