"""What a file of code says on its surface, without any value's being looked into: what its calls call, which variables
are changed, what is imported. It follows from the file alone, so that it is kept with its reading."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property
from typing import TypeAlias

from corslint.model.reading import CallSite, CodeReading, Write
from corslint.model.values import Function, Index, Member, Name, Reference, This, Value

Shape: TypeAlias = tuple[int | str, ...]
"""A scope that binds a name (-1: none does, it is a global), the name, and the keys that are asked of it. For `this`
the name is empty, and the scope that of its class."""

GLOBAL = -1
_MAX_ALIASES = 8

GROWERS = frozenset({"push", "unshift", "append", "add", "extend"})
CHANGERS = GROWERS | {
    "insert", "pop", "shift", "splice", "remove", "clear", "sort", "reverse", "fill", "update", "setdefault", "popitem",
    "delete", "discard",
}  # fmt: skip
"""Methods that change the object they are called on, in either language."""


class Surface:
    """The surface of one file.

    `shapes`: by what they call, the calls that have a shape, as places in `CodeReading.calls`; those of one shape call
    the same thing wherever they stand. `others`: all other calls, with the last name of what they call. `changes`: by
    scope and name, the writes and calls that change what a variable holds without binding it anew, in text order:
    twice the place of a call, or once more than twice the place of a write. `bound`: the modules that names are bound
    to something of, `further`: those that are exported, called or given away otherwise. `fields`: by scope of a class
    and name, the places of writes to a field of `this`. `bare`: the places of decorators that are no calls.
    """

    def __init__(
        self,
        shapes: dict[Shape, list[int]],
        others: list[tuple[int, str]],
        changes: dict[tuple[int, str], list[int]],
        bound: list[str],
        further: list[str],
        fields: dict[tuple[int, str], list[int]],
        bare: list[int],
    ) -> None:
        self.shapes = shapes
        self.others = others
        self.changes = changes
        self.bound = bound
        self.further = further
        self.fields = fields
        self.bare = bare

    @cached_property
    def names(self) -> dict[str, list[int]]:
        """The calls by the last name of what they call."""
        found: dict[str, list[int]] = {}
        for shape, places in self.shapes.items():
            found.setdefault(str(shape[-1]), []).extend(places)
        for place, name in self.others:
            found.setdefault(name, []).append(place)
        return found


def changed_at(reading: CodeReading, place: int) -> Write | CallSite:
    """What stands at a place in `Surface.changes`."""
    return reading.writes[place >> 1] if place & 1 else reading.calls[place >> 1]


def surface(reading: CodeReading) -> Surface:
    """The surface of a file."""
    changes = _changes(reading)
    shapes: dict[Shape, list[int]] = {}
    others: list[tuple[int, str]] = []
    for place, site in enumerate(reading.calls):
        callee = site.call.callee
        found = _shape(callee, reading, changes)
        if found is None:
            others.append((place, _last_name(callee)))
        else:
            shapes.setdefault(found, []).append(place)
    values = (each.value for scope in reading.scopes for every in scope.bindings.values() for each in every)
    bare = [place for place, each in enumerate(reading.decorations) if isinstance(each.decorator, Member)]
    fields = _fields(reading)
    return Surface(shapes, others, changes, _modules(values), _modules(_further(reading)), fields, bare)


def _fields(reading: CodeReading) -> dict[tuple[int, str], list[int]]:
    found: dict[tuple[int, str], list[int]] = {}
    for place, write in enumerate(reading.writes):
        target = write.target
        if isinstance(target, Member) and isinstance(target.base, This):
            found.setdefault((target.base.scope, target.key), []).append(place)
    return found


def _further(reading: CodeReading) -> list[Value]:
    values = [export.value for export in reading.exports]
    for site in reading.calls:
        values.append(site.call.callee)
        values += [argument.value for argument in site.call.arguments]
    return values


def _modules(values: Iterable[Value]) -> list[str]:
    return list(dict.fromkeys(value.module for value in values if type(value) is Reference))


def _last_name(callee: Value) -> str:
    """The name that is called; empty where what is called has none."""
    return callee.key if type(callee) is Member else callee.name if type(callee) is Name else ""


def _shape(callee: Value, reading: CodeReading, changed: dict[tuple[int, str], list[int]]) -> Shape | None:
    keys: list[str] = []
    while type(callee) is Member:
        keys.append(callee.key)
        callee = callee.base
    if type(callee) is Name:
        if not 0 <= callee.scope < len(reading.scopes):
            return None
        scope = binding_scope(reading, callee.scope, callee.name)
        if scope is None:
            return (GLOBAL, callee.name, *keys[::-1])
        bindings = reading.scopes[scope].bindings[callee.name]
        if len(bindings) != 1 or (scope, callee.name) in changed:
            return None  # what it holds depends on where that is asked
        value = bindings[0].value
        if type(value) is not Function and value.span.start <= callee.span.start < value.span.end:
            return None  # it stands in its own definition
        return (scope, callee.name, *keys[::-1])
    return (callee.scope, "", *keys[::-1]) if type(callee) is This else None


def binding_scope(reading: CodeReading, scope: int, name: str) -> int | None:
    """The scope that binds `name` as seen from `scope`, or None for a global. Class scopes are passed over."""
    start = scope
    scopes = reading.scopes
    for _ in scopes:
        if scope < 0:
            return None
        here = scopes[scope]
        if name in here.bindings and (here.kind != "class" or scope == start):
            return scope
        scope = here.parent
    return None


# --- changes ---------------------------------------------------------------------------------------------------------


def _changes(reading: CodeReading) -> dict[tuple[int, str], list[int]]:
    found: dict[tuple[int, str], list[int]] = {}
    for place, write in enumerate(reading.writes):
        target = write.target
        _note(found, reading, target.base if isinstance(target, Index) else _root(target), 2 * place + 1)
    for place, site in enumerate(reading.calls):
        callee = site.call.callee
        if isinstance(callee, Member) and callee.key in CHANGERS:
            _note(found, reading, callee.base, 2 * place)
        elif is_assign(callee) and site.call.arguments:
            _note(found, reading, site.call.arguments[0].value, 2 * place)
    for changes in found.values():
        changes.sort(key=lambda place: _start(changed_at(reading, place)))
    return found


def _note(found: dict[tuple[int, str], list[int]], reading: CodeReading, root: Value, place: int) -> None:
    """`const alias = options`: a change of the one is a change of the other."""
    for _ in range(_MAX_ALIASES):
        scope = binding_scope(reading, root.scope, root.name) if isinstance(root, Name) else None
        if scope is None or not isinstance(root, Name):
            return
        found.setdefault((scope, root.name), []).append(place)
        bindings = reading.scopes[scope].bindings[root.name]
        if len(bindings) != 1:
            return
        root = bindings[0].value


def is_assign(callee: Value) -> bool:
    """Whether this is `Object.assign`, which changes its first argument."""
    if not isinstance(callee, Member) or callee.key != "assign":
        return False
    return isinstance(callee.base, Name) and callee.base.name == "Object"


def _root(value: Value) -> Value:
    while isinstance(value, Member):
        value = value.base
    return value


def _start(made: Write | CallSite) -> int:
    return made.span.start if isinstance(made, Write) else made.call.span.start
