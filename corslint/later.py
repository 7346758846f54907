"""Tuples that are made when somebody looks into them: most runs need a few of the rules and libraries."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TypeVar, overload

_T = TypeVar("_T")


class Later(Sequence[_T]):
    """A tuple of which nothing is made until somebody looks into it. Snapshots keep it on a line of its own."""

    __slots__ = ("_items", "_load")

    def __init__(self, items: Iterable[_T] = (), load: Callable[[], Iterable[_T]] | None = None) -> None:
        """`load` makes the items when they are first asked for; what it raises, looking into the tuple raises."""
        self._load = load
        self._items = None if load is not None else tuple(items)

    def items(self) -> tuple[_T, ...]:
        """The tuple itself."""
        if self._items is None:
            self._items = tuple(self._load()) if self._load is not None else ()
        return self._items

    @overload
    def __getitem__(self, at: int) -> _T: ...
    @overload
    def __getitem__(self, at: slice) -> tuple[_T, ...]: ...
    def __getitem__(self, at: int | slice) -> _T | tuple[_T, ...]:
        return self.items()[at]

    def __iter__(self) -> Iterator[_T]:
        return iter(self.items())

    def __len__(self) -> int:
        return len(self.items())

    def __eq__(self, other: object) -> bool:
        return isinstance(other, (tuple, Later)) and self.items() == tuple(other)

    def __hash__(self) -> int:
        return hash(self.items())

    def __repr__(self) -> str:
        return f"Later({self.items()!r})"
