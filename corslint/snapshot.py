"""Immutable records as JSON and back: how compiled rules and descriptors are kept.

Reading and checking 140 YAML files takes 0.1 s on every run, reading their snapshot a few milliseconds. A snapshot is
data, never code: its records name classes of this package, and only record classes are made.

Every distinct value is written once and has a number. `scalars` come first. The other values follow in `groups`: all
that have the same kind and size, or the same class and the same fields given (`shapes`), and that are made of values
before them. A group is written by columns, the numbers of what each of its values holds at one place, so that Python's
own loops make them; a group of one is written as its only row.

A tuple that is `Later` has a line of its own, which is read when somebody looks into it: most runs need a few of the
rules and libraries. The first line says where the others begin, so that nobody has to go through them.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from functools import lru_cache, partial
from importlib import import_module
from itertools import accumulate, repeat
from types import MappingProxyType
from typing import Any, ClassVar, cast

from corslint.later import Later
from corslint.model.tri import Tri
from corslint.records import NamedTuple
from corslint.regexes import REGEX, regex


class _Plain:
    """How JSON is read: as `json.loads` does it, whose package takes as long to load as a snapshot (measured)."""

    strict = True
    object_hook = object_pairs_hook = None
    parse_float, parse_int, parse_constant = float, int, float
    memo: ClassVar[dict[str, str]] = {}


_scan: Callable[[str, int], tuple[Any, int]] | None
try:
    from _json import make_scanner
except ImportError:  # pragma: no cover - another Python
    _scan = None
else:
    _scan = make_scanner(cast("Any", _Plain))


class SnapshotError(Exception):
    """A value that a snapshot cannot hold, or a text that is not a snapshot."""


# --- writing ---------------------------------------------------------------------------------------------------------


def write(value: object) -> bytes:
    """The snapshot of a value made of records, tuples, sets, mappings, lists, patterns, paths and scalars.

    Raises:
        SnapshotError: it holds something else.

    """
    import json

    writer = _Writer()
    root = writer.add(value)
    first = {**writer.finished(root), "lines": [len(line) for line in writer.lines]}
    return b"\n".join([json.dumps(first, separators=(",", ":")).encode("ascii"), *writer.lines])


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
        self.lines: list[bytes] = []

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
            if b"\n" in self.lines[-1]:
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
            written.append(
                [kind, shape, len(rows), rows[0] if len(rows) == 1 else list(map(list, zip(*rows, strict=True)))]
            )
        return {"scalars": self._scalars, "shapes": self._shapes, "groups": written, "root": numbers[root]}


def _is_default(value: object, name: str, made: Any) -> bool:
    """Whether a field holds its default. Those that hold anything are compared by no one: 1 equals True."""
    default = made._field_defaults.get(name, _Writer)
    return type(value) is type(default) and value == default and (not isinstance(value, Iterable) or not value)


# --- reading ---------------------------------------------------------------------------------------------------------


def read(data: bytes) -> Any:
    """The value of a snapshot, a text in ASCII. What comes later in it holds on to the data.

    Raises:
        SnapshotError: the data is not a snapshot of values that this version knows.

    """
    try:
        end = data.find(b"\n") if b"\n" in data else len(data)
        written = _loaded(str(data[:end], "ascii"))
        values: list[Any] = written["scalars"]
        shapes = [(_record(module, name), given) for module, name, given in written["shapes"]]
        begins = [*accumulate((length + 1 for length in written["lines"]), initial=end + 1)]
        for kind, shape, count, items in written["groups"]:
            if kind == "record":
                (made, defaults), given = shapes[shape]
                values += _records(made, defaults, given, values, items, count)
            elif kind == "later":
                numbers = items if count == 1 else items[0]
                values += [Later(load=partial(_line, data, begins, values[number])) for number in numbers]
            elif count == 1:
                values.append(_KINDS[kind][2](tuple([values[number] for number in items])))
            else:
                columns = [map(values.__getitem__, column) for column in items]
                values += map(_KINDS[kind][2], zip(*columns, strict=True) if columns else repeat((), count))
        return values[written["root"]]
    except (ValueError, LookupError, TypeError, AttributeError, ImportError) as error:
        raise SnapshotError(f"not a snapshot: {error}") from None


def _loaded(text: str) -> Any:
    """The value of a text in JSON; ValueError: it is none."""
    if _scan is not None:
        with suppress(StopIteration, SystemError):  # which is how it says that something is missing, or wrong
            value, end = _scan(text, 0)
            if end == len(text):
                return value
    from json import loads

    return loads(text)


def _line(data: bytes, begins: Sequence[int], number: int) -> Any:
    """The value of what comes later on the line of that number."""
    return read(data[begins[number] : begins[number + 1] - 1])


@lru_cache(maxsize=256)
def _record(module: str, name: str) -> tuple[type[tuple[Any, ...]], list[object]]:
    """A class of records, and what its fields hold that are not given."""
    if not module.startswith("corslint."):
        raise SnapshotError(f"not a snapshot: it holds a class of {module}")
    made: Any = getattr(sys.modules.get(module) or import_module(module), name)
    if not (isinstance(made, type) and issubclass(made, tuple)):
        raise SnapshotError(f"not a snapshot: {module}.{name} is no record")
    fields: tuple[str, ...] = made._fields  # type: ignore[attr-defined]
    defaults: Mapping[str, object] = made._field_defaults  # type: ignore[attr-defined]
    return made, [defaults.get(field) for field in fields]


def _records(
    made: type[tuple[Any, ...]],
    defaults: list[object],
    given: list[int],
    values: list[Any],
    items: list[Any],
    count: int,
) -> Iterable[Any]:
    """`count` records of a class, of which these fields are given."""
    if count == 1:  # most groups of rules
        row = defaults.copy()
        for place, number in zip(given, items, strict=True):
            row[place] = values[number]
        return (tuple.__new__(made, row),)
    filled: list[Iterable[Any]] = [repeat(value, count) for value in defaults]
    for place, column in zip(given, items, strict=True):
        filled[place] = map(values.__getitem__, column)
    return map(tuple.__new__, repeat(made), zip(*filled, strict=True))


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
