"""Encoded readings of code, of which no more is made than what is asked for.

Much of what a file of code says is never looked at. So it is written in pieces: what its calls call, what each name is
bound to, each call with all that it is given, and so on. A piece is made at once when it is asked for: one value after
the other, each of values before it, in that piece or in others that it needs.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice, repeat
from typing import Any

from corslint.model import reading as readings
from corslint.model import values as values_
from corslint.model.reading import Binding, CodeReading, Scope
from corslint.model.surface import Shape, Surface
from corslint.model.values import Value
from corslint.source import Span

_new = tuple.__new__

_REST, _CALLEES, _FIRST = 0, 1, 2
"""The pieces of every reading: what is small, and what its calls call. Behind those comes one for each name that is
bound, for each call and each write; then those for all decorators and all exports."""


class Coded:
    """The classes that are made, and how tuples and dictionaries are marked among them.

    A record is written as the place of its class among these and its parts; a tuple or a dictionary as its mark, how
    many parts it has, and those: of a dictionary first all keys, then all values.
    """

    def __init__(self, classes: Sequence[Any]) -> None:
        self.classes = classes
        self.ends = [len(one._fields) + 1 for one in classes]
        self.tuples = len(classes)
        self.dicts = self.tuples + 1


CODED = Coded(
    (
        Span,
        *(
            one
            for module in (values_, readings)
            for name, one in sorted(vars(module).items())
            if isinstance(one, type) and issubclass(one, tuple) and one.__module__ == module.__name__
            if hasattr(one, "_fields") and name == one.__name__
        ),
    )
)


# --- writing ---------------------------------------------------------------------------------------------------------


def pieces(found: CodeReading, known: Surface) -> Iterator[Sequence[object]]:
    """What each piece of a reading is for."""
    scopes = tuple((scope.parent, scope.kind, scope.span, len(scope.bindings)) for scope in found.scopes)
    counts = len(found.calls), len(found.writes)
    yield [(found.path, found.language, found.damage, found.scripts, found.page, scopes, counts)]
    yield [found.calls[place].call.callee for place in _looked_at(known)]
    for scope in found.scopes:
        yield from ([bindings] for bindings in scope.bindings.values())
    yield from ([each] for each in (*found.calls, *found.writes))
    yield list(found.decorations)
    yield list(found.exports)


def _looked_at(known: Surface) -> list[int]:
    """The places of calls whose callees are written by themselves."""
    return [*(places[0] for places in known.shapes.values()), *(place for place, _ in known.others)]


def names(found: CodeReading) -> list[str]:
    """The names that the scopes bind, one scope after the other."""
    return [name for scope in found.scopes for name in scope.bindings]


def surface_numbers(surface: Surface, text: Callable[[str], int]) -> list[int]:
    """The surface of a file; `text` gives the number of a text."""
    found = [len(surface.shapes)]
    for (scope, *keys), places in surface.shapes.items():
        found += [1 + len(keys), int(scope) + 1, *(text(str(key)) for key in keys), len(places), *places]
    found.append(len(surface.others))
    for place, name in surface.others:
        found += [place, text(name)]
    for by_name in (surface.changes, surface.fields):
        found.append(len(by_name))
        for (scope, name), places in by_name.items():
            found += [scope, text(name), len(places), *places]
    for modules in (surface.bound, surface.further):
        found += [len(modules), *map(text, modules)]
    return [*found, len(surface.bare), *surface.bare]


# --- reading ---------------------------------------------------------------------------------------------------------


class _Pieces:
    """Where pieces begin among the cells, the spans and the other values, and which earlier ones each needs."""

    __slots__ = ("cells", "first_need", "needs", "others", "spans")

    def __init__(self, told: _Numbers, cells: int, spans: int) -> None:
        """`cells`, `spans`: how many there are."""
        self.cells, self.spans, self.others = told.some(), told.some(), told.some()
        self.first_need, self.needs = told.some(), told.some()
        starts = ((self.cells, cells), (self.spans, spans), (self.others, cells), (self.first_need, len(self.needs)))
        for column, most in starts:
            if len(column) != len(self.cells) or sorted(column) != column.tolist() or not 0 <= column[-1] <= most:
                raise ValueError("pieces that do not begin one behind the other")
        if self.cells[-1] != cells or self.spans[-1] != spans or self.first_need[-1] != len(self.needs):
            raise ValueError("pieces that do not end where all ends")


class _Values:
    """The values of a reading by their numbers: of texts and other scalars, then of spans, then of all others."""

    __slots__ = ("columns", "first", "is_made", "made", "path", "pieces", "roots", "scalars", "spans")

    def __init__(self, path: str, scalars: list[Any], spans: int, columns: array[int], pieces_: _Pieces) -> None:
        self.path = path
        self.scalars = scalars
        self.spans = spans
        self.columns = columns
        self.first = len(scalars)
        self.pieces = pieces_
        self.is_made = bytearray(len(pieces_.cells))
        self.made: list[Any] = [*scalars, *repeat(None, spans + pieces_.others[-1])]
        self.roots = array(columns.typecode)
        """The numbers of what the pieces are for that are for one thing."""

    def root(self, place: int) -> Any:
        """What a piece is for that is for one thing."""
        if not self.is_made[place]:
            self.make(place)
        return self.made[self.roots[place - _FIRST]]

    def make(self, place: int) -> None:
        """Make a piece, and those that it needs."""
        if self.is_made[place]:
            return
        starts, needs = self.pieces.first_need, self.pieces.needs
        wanted, missing = {place}, [place]
        while missing:
            one = missing.pop()
            further = [each for each in needs[starts[one] : starts[one + 1]] if not self.is_made[each]]
            missing += [each for each in further if each not in wanted]
            wanted.update(further)
        for one in sorted(wanted):
            self.is_made[one] = 1
            self._make(one)

    def _make(self, place: int) -> None:
        made, columns, pieces_, spans = self.made, self.columns, self.pieces, self.spans
        start, end = pieces_.spans[place], pieces_.spans[place + 1]
        if start != end:
            ends = columns[spans + start : spans + end]
            places = zip(repeat(self.path), columns[start:end], ends, strict=False)
            made[self.first + start : self.first + end] = map(_new, repeat(Span), places)
        at, stop = 2 * spans + pieces_.cells[place], 2 * spans + pieces_.cells[place + 1]
        number = self.first + spans + pieces_.others[place]
        get, classes, sizes, tuples = made.__getitem__, CODED.classes, CODED.ends, CODED.tuples
        while at < stop:
            code = columns[at]
            if code < tuples:
                end = at + sizes[code]
                made[number] = _new(classes[code], map(get, columns[at + 1 : end]))
            else:
                end = at + 2 + columns[at + 1]
                value = tuple(map(get, columns[at + 2 : end]))
                half = len(value) // 2
                made[number] = value if code == tuples else dict(zip(value[:half], value[half:], strict=True))
            number += 1
            at = end


class Part(Sequence[Any]):
    """A tuple of a reading whose elements are made when they are asked for."""

    __slots__ = ("_pieces", "_values")

    def __init__(self, values: _Values, pieces_: range) -> None:
        self._values = values
        self._pieces = pieces_

    def __len__(self) -> int:
        return len(self._pieces)

    def __getitem__(self, at: Any) -> Any:
        return tuple(self)[at] if isinstance(at, slice) else self._values.root(self._pieces[at])

    def __iter__(self) -> Iterator[Any]:
        return map(self._values.root, self._pieces)

    def __eq__(self, other: object) -> bool:
        return tuple(self) == (tuple(other) if isinstance(other, Part) else other)

    def __hash__(self) -> int:
        return hash(tuple(self))

    def __repr__(self) -> str:
        return repr(tuple(self))


class _Together(Part):
    """One that is made all at once."""

    __slots__ = ("_numbers", "_piece")

    def __init__(self, values: _Values, piece: int, numbers: array[int]) -> None:
        super().__init__(values, range(len(numbers)))
        self._piece = piece
        self._numbers = numbers

    def __getitem__(self, at: Any) -> Any:
        return tuple(self)[at]

    def __iter__(self) -> Iterator[Any]:
        self._values.make(self._piece)
        return map(self._values.made.__getitem__, self._numbers)


class Calls(Part):
    """The calls of a reading, with what else is kept of it."""

    __slots__ = ("_callees", "surface")

    def __init__(self, values: _Values, pieces_: range, callees: dict[int, int], surface: Surface) -> None:
        super().__init__(values, pieces_)
        self._callees = callees
        self.surface = surface

    def callee(self, place: int) -> Value:
        """What one of the calls calls, if possible without all that is given to it."""
        number = self._callees.get(place)
        if number is None:
            found: Value = self[place].call.callee
            return found
        if not self._values.is_made[_CALLEES]:
            self._values.make(_CALLEES)
        made: Value = self._values.made[number]
        return made

    @property
    def scalars(self) -> list[Any]:
        """All texts, numbers and the like in the reading: names, keys and what literals hold."""
        return self._values.scalars


class _Bindings(dict[str, Any]):
    """The bindings of a scope by their names. As long as they are not made, the places of their pieces stand there."""

    __slots__ = ("_values",)

    def __init__(self, values: _Values, places: Iterable[tuple[str, int]]) -> None:
        super().__init__(places)
        self._values = values

    def __getitem__(self, name: str) -> tuple[Binding, ...]:
        found = dict.__getitem__(self, name)
        if type(found) is int:
            found = self._values.root(found)
            dict.__setitem__(self, name, found)
        known: tuple[Binding, ...] = found
        return known

    def get(self, name: str, default: Any = None) -> Any:
        return self[name] if name in self else default  # noqa: SIM401 - which is this very method

    def _fill(self) -> None:
        for name in dict.__iter__(self):
            self[name]

    def values(self) -> Any:
        self._fill()
        return dict.values(self)

    def items(self) -> Any:
        self._fill()
        return dict.items(self)

    def __iter__(self) -> Iterator[str]:  # with this, `dict(bindings)` asks for each of them
        return dict.__iter__(self)

    def __eq__(self, other: object) -> bool:
        return dict(self.items()) == (dict(other.items()) if isinstance(other, _Bindings) else other)

    def __ne__(self, other: object) -> bool:
        return not self == other

    __hash__ = None

    def __repr__(self) -> str:
        return repr(dict(self.items()))


class _Numbers:
    """What is written behind the cells, from its beginning to its end."""

    def __init__(self, numbers: array[int]) -> None:
        self._numbers = numbers
        self._at = 0

    def one(self) -> int:
        self._at += 1
        return self._numbers[self._at - 1]

    def some(self) -> array[int]:
        start = self._at + 1
        self._at = start + self._numbers[start - 1]
        if self._at > len(self._numbers):
            raise ValueError("there are fewer numbers than are told")
        return self._numbers[start : self._at]

    def list(self) -> list[int]:
        return self.some().tolist()


def reading(path: str, head: list[Any], columns: array[int], scalars: list[Any]) -> CodeReading:
    """The reading of code that was written so."""
    _, spans, count, _, _ = head
    cells = len(columns) - count
    if not 0 <= 2 * spans <= cells:
        raise ValueError("there are more spans than there is room for")
    told = _Numbers(columns[cells:])
    values = _Values(path, scalars, spans, columns, _Pieces(told, cells - 2 * spans, spans))
    (rest,) = told.some()
    values.make(_REST)
    own, language, damage, scripts, page, scopes, (calls, writes) = values.made[rest]
    callees, values.roots, decorations, exports = (told.some() for _ in range(4))
    names_ = map(scalars.__getitem__, told.some())
    first = _FIRST
    bound = []
    for parent, kind, span, many in scopes:
        held = _Bindings(values, zip(islice(names_, many), range(first, first + many), strict=True)) if many else {}
        bound.append(_new(Scope, (parent, kind, span, held)))
        first += many
    last = first + calls + writes
    if len(values.roots) != last - _FIRST or len(values.is_made) != last + 3:
        raise ValueError("there are not as many pieces as there are things that they are for")
    known = _surface(told, scalars)
    alone = dict(zip(_looked_at(known), callees, strict=True))
    return CodeReading(
        own,
        language,
        tuple(bound),
        Calls(values, range(first, first + calls), alone, known),
        Part(values, range(first + calls, last)),
        _Together(values, last, decorations),
        _Together(values, last + 1, exports),
        damage,
        scripts,
        page,
    )


def _surface(told: _Numbers, scalars: list[Any]) -> Surface:
    text = scalars.__getitem__
    shapes: dict[Shape, list[int]] = {}
    for _ in range(told.one()):
        scope, *keys = told.list()
        shapes[scope - 1, *map(text, keys)] = told.list()
    others = [(told.one(), text(told.one())) for _ in range(told.one())]
    changes, fields = (
        {(told.one(), text(told.one())): told.list() for _ in range(told.one())} for _ in ("changes", "fields")
    )
    bound, further = ([*map(text, told.list())] for _ in ("bound", "further"))
    return Surface(shapes, others, changes, bound, further, fields, told.list())


# --- asking ----------------------------------------------------------------------------------------------------------


def surface_of(found: CodeReading) -> Surface | None:
    """The surface that is kept with a reading; None where it has to be worked out."""
    calls: object = found.calls
    return calls.surface if isinstance(calls, Calls) else None


def callee(found: CodeReading, place: int) -> Value:
    """What the call at a place in `CodeReading.calls` calls."""
    calls: object = found.calls
    return calls.callee(place) if isinstance(calls, Calls) else found.calls[place].call.callee


def may_spell(found: CodeReading, texts: Iterable[str]) -> bool:
    """Whether one of these texts may be a name, a key or a literal of the file: no, only where that is sure."""
    calls: object = found.calls
    return not isinstance(calls, Calls) or not frozenset(texts).isdisjoint(calls.scalars)


def whole(found: CodeReading) -> CodeReading:
    """The same with all of it made."""
    if surface_of(found) is None:
        return found
    scopes = tuple(scope._replace(bindings=dict(scope.bindings.items())) for scope in found.scopes)
    parts = {name: tuple(getattr(found, name)) for name in ("calls", "writes", "decorations", "exports")}
    return found._replace(scopes=scopes, **parts)  # type: ignore[arg-type]
