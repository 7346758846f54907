"""Readings as bytes and back: what worker processes hand over, and what is kept for the next run.

An encoded reading is data, never code: only the record classes named here are made. Every distinct scalar is written
once, and so is every value that stands in several places. Values follow in groups, each of one class (or tuples of one
size) and made of values before it, written by columns of numbers: so Python's own loops make them, at a tenth of what
parsing costs.

Spans lie in the file that the reading is of, which is not written.
"""

from __future__ import annotations

import json
import sys
from array import array
from collections.abc import Iterable
from itertools import repeat
from typing import Any, cast

from corslint.model import reading as readings
from corslint.model import values
from corslint.model.reading import CodeReading, DeploymentReading, ManifestReading, NginxReading, Reading
from corslint.source import Span


class EncodingError(Exception):
    """A value that cannot be encoded, or bytes that are no encoded reading."""


_CLASSES: tuple[Any, ...] = (
    Span,
    *(
        one
        for module in (values, readings)
        for name, one in sorted(vars(module).items())
        if isinstance(one, type) and issubclass(one, tuple) and one.__module__ == module.__name__
        if hasattr(one, "_fields") and name == one.__name__
    ),
)
_TUPLE, _DICT = -1, -2
_CODES: dict[type, int] = {**{one: code for code, one in enumerate(_CLASSES)}, tuple: _TUPLE, dict: _DICT}
_SCALARS = (str, int, float, bool, type(None))
_READINGS = (CodeReading, NginxReading, ManifestReading, DeploymentReading)

_SHORT, _LONG = "H", "I"
_MOST = {_SHORT: 1 << 16, _LONG: 1 << 32}
_new = tuple.__new__


# --- writing ---------------------------------------------------------------------------------------------------------


def encode(reading: Reading) -> bytes:
    """A reading as bytes.

    Raises:
        EncodingError: it holds what readings do not hold, or is nested too deeply.

    """
    encoder = _Encoder(reading.path)
    try:
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
        self._groups: dict[tuple[int, int, int], tuple[list[int], list[list[int]]]] = {}

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
            if number >= 0 and levels[number] > level:
                level = levels[number]
        number = len(levels)
        levels.append(level + 1)
        group = self._groups.get((level, code, len(row)))
        if group is None:
            group = self._groups[level, code, len(row)] = ([], [])
        group[0].append(number)
        group[1].append(row)
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
        ordered = sorted(self._groups.items())
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
        groups = [[code, parts, len(rows)] for (_, code, parts), (_, rows) in ordered]
        texts, torn = _written(self._scalars)
        head = json.dumps([width, len(self._spans), groups, torn, texts], separators=(",", ":")).encode()
        return len(head).to_bytes(4, "little") + head + columns.tobytes()


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
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError, MemoryError, OverflowError) as error:
        raise EncodingError(f"no encoded reading: {error}") from None
    if not isinstance(found, _READINGS) or found.path != path:
        raise EncodingError("no encoded reading")
    return found


def _decoded(data: bytes, path: str) -> Any:
    length = int.from_bytes(data[:4], "little")
    width, spans, groups, torn, known = json.loads(data[4 : 4 + length])
    for place in torn:
        known[place] = "".join(map(chr, known[place]))
    columns = array(width if width in _MOST else _LONG)
    columns.frombytes(data[4 + length :])
    if sys.byteorder == "big":
        columns.byteswap()
    known += map(_new, repeat(Span), zip(repeat(path), columns[:spans], columns[spans : 2 * spans], strict=False))
    at = 2 * spans
    get = known.__getitem__
    for code, parts, count in groups:
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
