"""Wordings with gaps, searched for in a long text in little time.

A wording is cut at its gaps, and the pieces are looked for one after the other. Nothing is repeated or tried again, so
the time grows with the text's length alone, whatever the text is.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from types import MappingProxyType

from corslint.records import NamedTuple
from corslint.regexes import regex

LONGEST_TEXT = 1 << 20
"""Characters of a pasted text that are looked at."""
_MOST = 200
"""Places of one wording that are looked at: more of the same tells nothing new."""

_LONGEST_SHOWN = 400

_LENGTHS = {"url": 4096, "redirected_from": 4096, "value": 2048}
_LENGTH = 256
"""Characters that a gap may stand for."""
_WORDS = frozenset({"error", "header", "method", "origin", "redirected_from", "status", "url"})
"""Gaps that hold one word, without blanks."""
_NUMBERS = frozenset({"status"})

_GAP = regex(r"\{([a-z_]+)\}")
_SEQUENCE = regex(r"\x1b\[[0-9;?]{0,20}[A-Za-z]")
_QUOTES = {**dict.fromkeys(map(ord, "‘’‛`´′"), "'"), **dict.fromkeys(map(ord, "“”„‟«»″"), '"')}
_LOWER = {code: code + 32 for code in range(ord("A"), ord("Z") + 1)}
_BLANKS = regex(r"[\s\x00-\x1f\x7f-\xa0\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff]+")
_JSON = (re.compile('": '), '":'), (re.compile(', "'), ',"')


class Text(NamedTuple):
    """A text made even: one blank for every gap, one shape of quotation marks, no terminal sequences."""

    shown: str
    lower: str
    breaks: tuple[int, ...]
    """Where lines began in it, in order; they are blanks in `shown`."""
    cut: bool = False
    """Whether there was more than is looked at."""

    def around(self, start: int, end: int) -> str:
        """The whole lines with this part of the text; only the part itself where that is long."""
        first, last = self.line(start)[0], self.line(max(start, end - 1))[1]
        return self.shown[first:last] if last - first <= _LONGEST_SHOWN else self.shown[start:end]

    def line(self, at: int) -> tuple[int, int]:
        """Where the line with this place begins and ends."""
        from bisect import bisect_right

        number = bisect_right(self.breaks, at)
        start = self.breaks[number - 1] + 1 if number else 0
        return start, self.breaks[number] if number < len(self.breaks) else len(self.shown)


def even(text: str) -> Text:
    """Make a text even."""
    cut = len(text) > LONGEST_TEXT
    pieces: list[str] = []
    breaks: list[int] = []
    length = 0
    for number, line in enumerate(re.split(r"\r\n|\r|\n", text[:LONGEST_TEXT])):
        flat = _even_line(line)
        if number:
            breaks.append(length)
            length += 1
        pieces.append(flat)
        length += len(flat)
    shown = " ".join(pieces)
    return Text(shown, shown.translate(_LOWER), tuple(breaks), cut)


def _even_line(line: str) -> str:
    flat = _BLANKS.sub(" ", _SEQUENCE.sub("", line)).translate(_QUOTES).strip()
    for pattern, text in _JSON:
        flat = pattern.sub(text, flat)
    return flat


class Found(NamedTuple):
    """One place where a wording stands, and what stands in its gaps."""

    start: int
    end: int
    gaps: Mapping[str, str]


class Wording:
    """A text with gaps: `Method {method} is not allowed`."""

    __slots__ = ("_names", "_pieces", "alone", "text")

    def __init__(self, text: str, *, alone: bool = False) -> None:
        parts = _GAP.split(text)
        self.text = text
        self.alone = alone
        self._pieces = [_even_line(part).translate(_LOWER) if part.strip() else part for part in parts[::2]]
        # A blank beside a gap counts: without it a gap could begin inside of a word.
        for number, part in enumerate(parts[::2]):
            if part.strip() and number < len(parts[::2]) - 1 and part.endswith(" "):
                self._pieces[number] += " "
            if part.strip() and number and part.startswith(" "):
                self._pieces[number] = " " + self._pieces[number]
        self._names = parts[1::2]
        if not any(piece.strip() for piece in self._pieces):
            raise ValueError(f"a wording needs words: {text!r}")

    def find(self, text: Text) -> Iterator[Found]:
        """The places where it stands, from first to last."""
        first = 0 if self._pieces[0] else 1
        last = min(text.lower.rfind(piece) for piece in self._pieces if piece)  # after that one of them is missing
        at = seen = 0
        while seen < _MOST and at <= last and (start := text.lower.find(self._pieces[first], at)) != -1:
            at = start + 1
            found = self._at(text, start, first)
            if found is not None and (not self.alone or _stands_alone(text, found)):
                seen += 1
                yield found
                at = max(at, found.end)

    def _at(self, text: Text, start: int, first: int) -> Found | None:
        gaps: dict[str, str] = {}
        end = start + len(self._pieces[first])
        if first:
            before = text.shown.rfind(" ", max(0, start - _LENGTH), start) + 1
            token = text.shown[before:start].strip("'\"([{<")
            if not token:
                return None
            gaps[self._names[0]] = token
            start = before
        for name, piece in zip(self._names[first:], self._pieces[first + 1 :], strict=True):
            limit = end + _LENGTHS.get(name, _LENGTH)
            if piece:
                stop = text.lower.find(piece, end, limit + len(piece))
                held, after = text.shown[end:stop], stop + len(piece)
            else:
                held = _rest(text, end, limit, words=name not in _WORDS)
                stop = after = end + len(held)
            if stop == -1 or not _may_hold(name, held):
                return None
            gaps[name] = held
            end = after
        gaps.pop("_", None)
        return Found(start, end, MappingProxyType(gaps))


def _rest(text: Text, start: int, limit: int, *, words: bool) -> str:
    """What a gap at the end of a wording holds: a word, or all up to the line's end."""
    held = text.shown[start : min(limit, text.line(start)[1])]
    if not words:
        held = re.split(r"[\s'\"<>(]", held, maxsplit=1)[0]
    return held.rstrip(" .,;:)]'\"")


def _may_hold(name: str, held: str) -> bool:
    if name in _NUMBERS:
        return held.isascii() and held.isdigit() and len(held) <= 3
    return name not in _WORDS or (bool(held) and " " not in held)


_NAMES = frozenset({
    "connect", "connect_error", "connection_error", "disconnect", "disconnected", "err", "error", "event", "failed",
    "message", "reason",
})  # fmt: skip
_AFTER = tuple(";,.)'\"}]")


def _stands_alone(text: Text, found: Found) -> bool:
    """Whether nothing else stands in its line, but a name such as `connect_error:` before it."""
    start, end = text.line(found.start)
    before = text.lower[max(start, found.start - 80) : found.start].rstrip(" '\":=(>[{")
    after = text.lower[found.end : min(end, found.end + 40)].strip()
    named = not before or re.split(r"[^a-z_]", before)[-1] in _NAMES
    return named and (not after or after.startswith(_AFTER) or after.startswith("at "))
