"""Readings as bytes and back: what worker processes hand over, and what is kept for the next run.

An encoded reading is data, never code: only the record classes named here are made. Every distinct scalar is written
once, and so is every value that stands in several places. Values follow in groups, each of one class (or tuples of one
size) and made of values before it, written by columns of numbers: so Python's own loops make them, at a tenth of what
parsing costs.

What is written of code is in another order (`model/kept.py`), in pieces that are made when they are asked for.

Spans lie in the file that the reading is of, which is not written.
"""

from __future__ import annotations

import json
import sys
from array import array
from bisect import bisect_right
from collections.abc import Iterable
from itertools import accumulate, chain, repeat
from typing import Any, cast

from corslint.model import kept
from corslint.model.kept import CODED
from corslint.model.reading import CodeReading, DeploymentReading, ManifestReading, NginxReading, Reading
from corslint.model.surface import Surface, surface
from corslint.source import Span


class EncodingError(Exception):
    """A value that cannot be encoded, or bytes that are no encoded reading."""


_CLASSES: tuple[Any, ...] = tuple(CODED.classes)
_TUPLE, _DICT = -1, -2
_CODES: dict[type, int] = {**{one: code for code, one in enumerate(_CLASSES)}, tuple: _TUPLE, dict: _DICT}
_SCALARS = (str, int, float, bool, type(None))
_READINGS = (CodeReading, NginxReading, ManifestReading, DeploymentReading)


_SHORT, _LONG = "H", "I"
_MOST = {_SHORT: 1 << 16, _LONG: 1 << 32}
_NOT_READ = (
    ValueError, LookupError, TypeError, AttributeError, RuntimeError, MemoryError, OverflowError, StopIteration,
)  # fmt: skip
_new = tuple.__new__


# --- writing ---------------------------------------------------------------------------------------------------------


def encode(reading: Reading) -> bytes:
    """A reading as bytes.

    Raises:
        EncodingError: it holds what readings do not hold, or is nested too deeply.

    """
    encoder = _Encoder(reading.path)
    try:
        if isinstance(reading, CodeReading):
            return encoder.in_pieces(kept.whole(reading))
        encoder.add(reading)
        return encoder.finished()
    except (RecursionError, OverflowError, ValueError, TypeError) as error:
        raise EncodingError(f"cannot be encoded: {error}") from None


class _Encoder:
    """Numbers all values of a reading: scalars from -1 downwards, all others from 0 upwards."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._scalars: list[object] = []
        self._scalar_numbers: dict[object, int] = {}
        self._numbers: dict[int, int] = {}
        self._levels: list[int] = []
        """How deep each value is, by its number: what a value is made of comes before it."""
        self._spans: list[int] = []
        self._starts: list[int] = []
        self._ends: list[int] = []
        self._begin = 0
        """The first number of the piece that is being written, which needs these values of others."""
        self._needs: set[int] = set()
        self._rows: list[tuple[int, int, list[int]]] = []
        """The numbers, codes and parts of values that are neither scalars nor spans."""

    def add(self, value: Any) -> int:
        """The number of a value that has none yet."""
        kind = type(value)
        code = _CODES.get(kind)
        if code is None:
            number = self._scalar(kind, value)
        elif kind is Span and value[0] == self._path:
            number = len(self._levels)
            self._levels.append(0)
            self._spans.append(number)
            self._starts.append(value[1])
            self._ends.append(value[2])
        else:
            number = self._made_of(code, value if code != _DICT else [*value, *value.values()])
        self._numbers[id(value)] = number  # the reading keeps all its values alive, so ids stay their own
        return number

    def _made_of(self, code: int, parts: Iterable[Any]) -> int:
        levels, numbers = self._levels, self._numbers
        row, level = [], 0
        for part in parts:
            number = numbers.get(id(part))
            if number is None:
                number = self.add(part)
            row.append(number)
            if 0 <= number < self._begin:
                self._needs.add(number)
            if number >= 0 and levels[number] > level:
                level = levels[number]
        number = len(levels)
        levels.append(level + 1)
        self._rows.append((number, code, row))
        return number

    def _scalar(self, kind: type, value: Any) -> int:
        if kind not in _SCALARS:
            raise EncodingError(f"cannot be encoded: {kind.__name__}")
        key = (kind, value if kind is not float else repr(value))  # 0.0 equals -0.0, and 1 equals True
        number = self._scalar_numbers.get(key)
        if number is None:
            self._scalars.append(value)
            number = self._scalar_numbers[key] = -len(self._scalars)
        return number

    def finished(self) -> bytes:
        """All of it: the length of the head, the head, and the columns."""
        groups: dict[tuple[int, int, int], tuple[list[int], list[list[int]]]] = {}
        for number, code, row in self._rows:
            group = groups.setdefault((self._levels[number] - 1, code, len(row)), ([], []))
            group[0].append(number)
            group[1].append(row)
        ordered = sorted(groups.items())
        placed = len(self._scalars)
        places = [0] * (len(self._levels) + placed)
        for numbers in (self._spans, *(numbers for _, (numbers, _) in ordered)):
            for number in numbers:
                places[number] = placed
                placed += 1
        places[len(self._levels) :] = range(len(self._scalars) - 1, -1, -1)  # found by negative numbers
        size = max(placed, max(self._ends, default=0) + 1, max(self._starts, default=0) + 1)
        width = next(width for width, most in _MOST.items() if size <= most)
        columns = array(width, self._starts)
        columns.extend(self._ends)
        place = places.__getitem__
        for _, (_, rows) in ordered:
            for column in zip(*rows, strict=True):
                columns.extend(map(place, column))
        if sys.byteorder == "big":
            columns.byteswap()
        told = [[code, parts, len(rows)] for (_, code, parts), (_, rows) in ordered]
        texts, torn = _written(self._scalars)
        return _joined([width, len(self._spans), told, torn, texts], columns)

    def in_pieces(self, reading: CodeReading) -> bytes:
        """A reading of code, and its surface."""
        known = surface(reading)
        begins: list[int] = []
        starts: list[tuple[int, int]] = []
        needs: list[list[int]] = []
        wanted: list[list[int]] = []
        every = list(kept.pieces(reading, known))  # all of it, so that ids stay their own
        for values_ in every:
            self._begin, self._needs = len(self._levels), set()
            begins.append(self._begin)
            starts.append((len(self._spans), len(self._rows)))
            wanted.append([self._number(value) for value in values_])
            needed = {number for number in (*self._needs, *wanted[-1]) if 0 <= number < self._begin}
            needs.append(sorted({bisect_right(begins, number) - 1 for number in needed}))
        starts.append((len(self._spans), len(self._rows)))
        return self._written(reading, known, starts, needs, wanted)

    def _number(self, value: Any) -> int:
        number = self._numbers.get(id(value))
        return self.add(value) if number is None else number

    def _written(
        self,
        reading: CodeReading,
        known: Surface,
        starts: list[tuple[int, int]],
        needs: list[list[int]],
        wanted: list[list[int]],
    ) -> bytes:
        """`starts`: how many spans and other values stand before each piece and behind the last; `needs`: which others
        each needs; `wanted`: what each is for."""

        def text(one: str) -> int:
            return -1 - self._scalar(str, one)

        surfaces = kept.surface_numbers(known, text)
        names = [*map(text, kept.names(reading))]
        places = self._places()
        cells: list[int] = []
        before = [0]
        for _, code, row in self._rows:
            cells += [code] if code >= 0 else [CODED.tuples if code == _TUPLE else CODED.dicts, len(row)]
            cells += map(places.__getitem__, row)
            before.append(len(cells))
        rest, callees, *single, decorations, exports = ([places[one] for one in each] for each in wanted)
        told: list[int] = []
        for numbers in (
            [before[row] for _, row in starts],
            [span for span, _ in starts],
            [row for _, row in starts],
            [0, *accumulate(map(len, needs))],
            [*chain.from_iterable(needs)],
            rest,
            callees,
            [*chain.from_iterable(single)],
            decorations,
            exports,
            names,
        ):
            told += [len(numbers), *numbers]
        every = [*self._starts, *self._ends, *cells, *told, *surfaces]
        width = next(width for width, most in _MOST.items() if max(every) < most)
        columns = array(width, every)
        if sys.byteorder == "big":
            columns.byteswap()
        texts, torn = _written(self._scalars)
        return _joined([width, len(self._spans), len(told) + len(surfaces), torn, texts], columns)

    def _places(self) -> list[int]:
        """The final numbers: of scalars, which are found by negative ones, then of spans, then of all others."""
        placed = len(self._scalars)
        places = [0] * (len(self._levels) + placed)
        places[len(self._levels) :] = range(placed - 1, -1, -1)
        for number in (*self._spans, *(number for number, _, _ in self._rows)):
            places[number] = placed
            placed += 1
        return places


def _joined(head: list[object], columns: array[int]) -> bytes:
    text = json.dumps(head, separators=(",", ":")).encode()
    return len(text).to_bytes(4, "little") + text + columns.tobytes()


def _written(scalars: list[object]) -> tuple[list[object], list[int]]:
    """The scalars as JSON has them, and the places of texts with halves of surrogate pairs: those would be joined."""
    torn = []
    for place, one in enumerate(scalars):
        if isinstance(one, str) and not one.isascii():
            try:
                one.encode()
            except UnicodeEncodeError:
                torn.append(place)
    if not torn:
        return scalars, torn
    return [[*map(ord, cast("str", one))] if place in torn else one for place, one in enumerate(scalars)], torn


# --- reading ---------------------------------------------------------------------------------------------------------


def decode(data: bytes, path: str) -> Reading:
    """The reading of the file `path` that these bytes stand for.

    Raises:
        EncodingError: they are none.

    """
    try:
        found = _decoded(data, path)
    except _NOT_READ as error:
        raise EncodingError(f"no encoded reading: {error}") from None
    if not isinstance(found, _READINGS) or found.path != path:
        raise EncodingError("no encoded reading")
    return found


def _decoded(data: bytes, path: str) -> Any:
    length = int.from_bytes(data[:4], "little")
    head = json.loads(data[4 : 4 + length])
    width, spans, told, torn, known = head
    for place in torn:
        known[place] = "".join(map(chr, known[place]))
    columns = array(width if width in _MOST else _LONG)
    columns.frombytes(data[4 + length :])
    if sys.byteorder == "big":
        columns.byteswap()
    if isinstance(told, int):
        return kept.reading(path, head, columns, known)
    known += map(_new, repeat(Span), zip(repeat(path), columns[:spans], columns[spans : 2 * spans], strict=False))
    at = 2 * spans
    get = known.__getitem__
    for code, parts, count in told:
        if not 0 <= count <= len(data) or code < _DICT or at + parts * count > len(columns):
            raise ValueError("a group is larger than all of it")
        filled = [map(get, columns[start : start + count]) for start in range(at, at + parts * count, count)]
        at += parts * count
        rows: Iterable[tuple[Any, ...]] = zip(*filled, strict=True) if parts else repeat((), count)
        if code == _TUPLE:
            known += rows
        elif code == _DICT:
            known += map(_paired, rows)
        else:
            made = _CLASSES[code]
            if len(made._fields) != parts:
                raise ValueError(f"{made.__name__} has another number of fields")
            known += map(_new, repeat(made), rows)
    return known[-1]


def _paired(row: tuple[Any, ...]) -> dict[Any, Any]:
    half = len(row) // 2
    return dict(zip(row[:half], row[half:], strict=True))
