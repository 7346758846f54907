"""Immutable records as JSON and back: how compiled rules and descriptors are kept.

Reading and checking 140 YAML files takes 0.1 s on every run, reading their snapshot a few milliseconds. A snapshot is
data, never code: its records name classes of this package, and only record classes are made.

Every distinct value is written once and has a number. `scalars` come first. The other values follow in `groups`: all
that have the same kind and size, or the same class and the same fields given (`shapes`), and that are made of values
before them. A group is written by columns, the numbers of what each of its values holds at one place, so that Python's
own loops make them.

A tuple that is `Later` has a line of its own, which is read when somebody looks into it: most runs need a few of the
rules and libraries.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from importlib import import_module
from itertools import repeat
from types import MappingProxyType
from typing import Any, cast

from corslint.later import Later
from corslint.model.tri import Tri
from corslint.records import NamedTuple
from corslint.regexes import REGEX, regex


class SnapshotError(Exception):
    """A value that a snapshot cannot hold, or a text that is not a snapshot."""


# --- writing ---------------------------------------------------------------------------------------------------------


def write(value: object) -> str:
    """The snapshot of a value made of records, tuples, sets, mappings, lists, patterns, paths and scalars.

    Raises:
        SnapshotError: it holds something else.

    """
    writer = _Writer()
    root = writer.add(value)
    return "\n".join([json.dumps(writer.finished(root), separators=(",", ":")), *writer.lines])


class _Part(NamedTuple):
    """A value that is made of others. `level`: how deep it is, so that parts come after what they are made of."""

    kind: str
    shape: int
    items: tuple[_Item, ...]
    level: int


_Item = tuple[bool, int]
"""Whether it is a scalar, and its place among the scalars or the parts."""


class _Writer:
    def __init__(self) -> None:
        self._scalars: list[object] = []
        self._parts: list[_Part] = []
        self._shapes: list[tuple[str, str, list[int]]] = []
        self._known: dict[object, int] = {}
        self._seen: dict[int, tuple[_Item, object]] = {}
        self.lines: list[str] = []

    def add(self, value: object) -> _Item:
        if value is None or type(value) in (str, int, float, bool):
            return True, self._once((type(value), value), self._scalars, value)
        if id(value) not in self._seen:
            self._seen[id(value)] = self._add_part(value), value  # kept alive, so that its id stays its own
        return self._seen[id(value)][0]

    def _add_part(self, value: object) -> _Item:
        kind, shape, inside = self._taken_apart(value)
        items = tuple(self.add(item) for item in inside)
        level = 1 + max((self._parts[place].level for scalar, place in items if not scalar), default=0)
        part = _Part(kind, shape, items, level)
        if kind in _CHANGEABLE:
            self._parts.append(part)
            return False, len(self._parts) - 1
        return False, self._once(part, self._parts, part)

    def _once(self, key: object, to: list[Any], value: object) -> int:
        if key not in self._known:
            self._known[key] = len(to)
            to.append(value)
        return self._known[key]

    def _taken_apart(self, value: object) -> tuple[str, int, list[Any]]:
        """The kind of a value, the number of its shape or its size, and the values in it."""
        if isinstance(value, tuple) and hasattr(value, "_fields"):
            return self._record(cast("Any", value))
        if isinstance(value, Later):
            self.lines.append(write(value.items()))
            if "\n" in self.lines[-1]:
                raise SnapshotError("a snapshot cannot hold what comes later in what comes later")
            return "later", 1, [len(self.lines) - 1]
        for kind, (type_, apart, _) in _KINDS.items():
            if isinstance(value, type_) and type(value) is not bool:
                items = apart(value)
                return kind, len(items), items
        raise SnapshotError(f"a snapshot cannot hold {type(value).__name__}: {value!r:.80}")

    def _record(self, value: Any) -> tuple[str, int, list[Any]]:
        made = type(value)
        given = [place for place, name in enumerate(made._fields) if not _is_default(value[place], name, made)]
        shape = (made.__module__, made.__qualname__, given)
        return "record", self._once((made, *given), self._shapes, shape), [value[place] for place in given]

    def finished(self, root: _Item) -> dict[str, object]:
        """All of it, the parts in groups."""
        groups: dict[tuple[int, str, int], list[int]] = {}
        for place, part in enumerate(self._parts):
            groups.setdefault((part.level, part.kind, part.shape), []).append(place)
        ordered = sorted(groups.items())
        numbers: dict[_Item, int] = {(True, place): place for place in range(len(self._scalars))}
        for _, places in ordered:
            for place in places:
                numbers[False, place] = len(numbers)
        written = []
        for (_, kind, shape), places in ordered:
            rows = [[numbers[item] for item in self._parts[place].items] for place in places]
            written.append([kind, shape, len(rows), list(map(list, zip(*rows, strict=True)))])
        return {"scalars": self._scalars, "shapes": self._shapes, "groups": written, "root": numbers[root]}


def _is_default(value: object, name: str, made: Any) -> bool:
    """Whether a field holds its default. Those that hold anything are compared by no one: 1 equals True."""
    default = made._field_defaults.get(name, _Writer)
    return type(value) is type(default) and value == default and (not isinstance(value, Iterable) or not value)


# --- reading ---------------------------------------------------------------------------------------------------------


def read(text: str) -> Any:
    """The value of a snapshot.

    Raises:
        SnapshotError: the text is not a snapshot of values that this version knows.

    """
    try:
        first, *lines = text.split("\n")
        written = json.loads(first)
        values: list[Any] = written["scalars"]
        makers = [_maker(*shape) for shape in written["shapes"]]
        for kind, shape, count, columns in written["groups"]:
            filled = [map(values.__getitem__, column) for column in columns]
            if kind == "record":
                values += makers[shape](filled, count)
            elif kind == "later":
                values += [Later(load=partial(read, lines[number])) for number in filled[0]]
            else:
                values += map(_KINDS[kind][2], zip(*filled, strict=True) if columns else repeat((), count))
        return values[written["root"]]
    except (ValueError, LookupError, TypeError, AttributeError, ImportError) as error:
        raise SnapshotError(f"not a snapshot: {error}") from None


def _maker(module: str, name: str, given: list[int]) -> Callable[[list[Iterable[Any]], int], Iterator[Any]]:
    """Makes `count` records of a class of columns of the fields given."""
    if not module.startswith("corslint."):
        raise SnapshotError(f"not a snapshot: it holds a class of {module}")
    made: Any = getattr(sys.modules.get(module) or import_module(module), name)
    if not (isinstance(made, type) and issubclass(made, tuple)):
        raise SnapshotError(f"not a snapshot: {module}.{name} is no record")
    fields: tuple[str, ...] = made._fields  # type: ignore[attr-defined]
    defaults: Mapping[str, object] = made._field_defaults  # type: ignore[attr-defined]
    whole: list[object] = [defaults.get(field) for field in fields]

    def make(columns: list[Iterable[Any]], count: int) -> Iterator[Any]:
        filled: list[Iterable[Any]] = [repeat(value, count) for value in whole]
        for place, column in zip(given, columns, strict=True):
            filled[place] = column
        return map(tuple.__new__, repeat(made), zip(*filled, strict=True))

    return make


def _flat(mapping: Mapping[Any, Any]) -> list[Any]:
    return [part for pair in mapping.items() for part in pair]


def _pairs(parts: tuple[Any, ...]) -> dict[Any, Any]:
    return dict(zip(parts[::2], parts[1::2], strict=True))


_CHANGEABLE = frozenset({"list", "dict", "proxy"})
"""Kinds of which two equal values stay two: one of them can be changed."""

_KINDS: dict[str, tuple[Any, Callable[[Any], list[Any]], Callable[[tuple[Any, ...]], Any]]] = {
    "tuple": (tuple, list, tuple),
    "list": (list, list, list),
    "frozenset": (frozenset, lambda items: sorted(items, key=repr), frozenset),
    "dict": (dict, _flat, _pairs),
    "proxy": (MappingProxyType, _flat, lambda parts: MappingProxyType(_pairs(parts))),
    "bytes": (bytes, lambda data: [data.decode("latin-1")], lambda parts: parts[0].encode("latin-1")),
    "tri": (Tri, lambda answer: [answer.name], lambda parts: Tri[parts[0]]),
    "pattern": (REGEX, lambda found: [found.pattern, found.flags], lambda parts: regex(*parts)),
}
"""By kind: the type, how a value is taken apart, and how it is made again."""
