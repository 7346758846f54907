"""Records behave as `typing.NamedTuple` does, however many instances of a class there are."""

from __future__ import annotations

import copy
import pickle
from typing import NamedTuple as Standard

import pytest

from corslint.records import NamedTuple


class Standing(Standard):
    """A place."""

    path: str
    start: int = 0
    end: int = 0

    def width(self) -> int:
        """How long it is."""
        return self.end - self.start


class Place(NamedTuple):
    """A place."""

    path: str
    start: int = 0
    end: int = 0

    def width(self) -> int:
        """How long it is."""
        return self.end - self.start

    @property
    def empty(self) -> bool:
        """Whether there is nothing in it."""
        return self.width() == 0


class Wider(Place):
    """Derived from a finished class."""

    __slots__ = ()

    def width(self) -> int:
        """One more."""
        return super().width() + 1


def test_it_is_the_tuple_that_the_standard_one_is() -> None:
    ours, theirs = Place("a", 1, end=3), Standing("a", 1, end=3)
    assert tuple(ours) == tuple(theirs) == ("a", 1, 3)
    assert ours == ("a", 1, 3)
    assert hash(ours) == hash(theirs)
    assert repr(ours) == repr(theirs).replace("Standing", "Place")
    assert ours._asdict() == theirs._asdict()
    assert (Place._fields, Place._field_defaults) == (Standing._fields, Standing._field_defaults)
    assert (ours.width(), ours.empty, Place.__doc__) == (2, False, "A place.")
    assert ours._replace(end=9) == ("a", 1, 9)
    assert Place._make(["a", 1, 2]) == ("a", 1, 2)
    match ours:
        case Place(path, start, _):
            assert (path, start) == ("a", 1)


def test_instances_before_and_after_the_constructor_is_compiled_are_alike() -> None:
    class Late(NamedTuple):
        one: int
        two: int = 2

    made = [Late(number, 3) for number in range(50)]
    assert {type(each) for each in made} == {Late}
    assert made == [(number, 3) for number in range(50)]
    assert Late(1) == Late(one=1) == (1, 2)


def test_mistakes_are_errors_whether_or_not_the_constructor_is_compiled() -> None:
    for _ in range(50):
        for arguments in ((), ("a", 1, 2, 3)):
            with pytest.raises(TypeError):
                Place(*arguments)
        with pytest.raises(TypeError):
            Place("a", width=3)  # type: ignore[call-arg]
    with pytest.raises(ValueError, match="width"):
        Place("a")._replace(width=3)  # type: ignore[call-arg]
    with pytest.raises(TypeError, match="not 1"):
        Place._make(["a"])
    with pytest.raises(AttributeError):
        Place("a").start = 3  # type: ignore[misc]
    with pytest.raises(AttributeError):
        Place("a").other = 3  # type: ignore[attr-defined]


def test_a_field_without_default_behind_one_with_is_refused() -> None:
    with pytest.raises(TypeError, match="without a default"):

        class Wrong(NamedTuple):
            one: int = 1
            two: int  # type: ignore[misc]


def test_a_derived_class_makes_instances_of_its_own() -> None:
    made = Wider("a", 1, 3)
    assert (type(made), made.width(), made._replace(end=4).width()) == (Wider, 3, 4)
    assert type(Place("a")) is Place


def test_it_is_copied_and_pickled() -> None:
    place = Place("a", 1, 2)
    assert pickle.loads(pickle.dumps(place)) == copy.copy(place) == copy.deepcopy(place) == place
    assert type(pickle.loads(pickle.dumps(place))) is Place
