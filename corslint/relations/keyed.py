"""Joins by keys: who can be related to a fact, without a look at everybody.

Which keys a fact has, a relation says (`Relation.keys`), for each sort of answer that somebody waits for: the fewer
answers count, the more can be left out.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Hashable, Iterable, Sequence
from enum import Enum
from itertools import chain, islice, takewhile


class Wanted(Enum):
    """Which answers make a difference to whoever asks; what has no common key for it has another answer for sure."""

    YES = "only a yes"
    OPEN = "a yes, and that nobody can tell"
    UNSURE = "all but a no of high confidence"


Key = frozenset[Hashable] | None
"""The keys of one fact; None stands for any."""
NOBODY: frozenset[Hashable] = frozenset()


class Keyed:
    """The places of facts in a list, by the keys that they have."""

    __slots__ = ("_any", "_places")

    def __init__(self, keys: Iterable[Key]) -> None:
        self._places: dict[Hashable, list[int]] = {}
        self._any: list[int] = []
        for place, own in enumerate(keys):
            if own is None:
                self._any.append(place)
            else:
                for key in own:
                    self._places.setdefault(key, []).append(place)

    def having(self, keys: frozenset[Hashable]) -> list[Sequence[int]]:
        """Lists of the places of all that have one of these keys, or any, each list in order; some may stand in
        several."""
        found: list[Sequence[int]] = [self._places[key] for key in keys if key in self._places]
        return [*found, self._any] if self._any else found


class Begun:
    """The same for texts as keys: whoever has a text that begins with one that is asked for."""

    __slots__ = ("_any", "_texts")

    def __init__(self, keys: Iterable[Key]) -> None:
        self._texts: list[tuple[str, int]] = []
        self._any: list[int] = []
        for place, own in enumerate(keys):
            if own is None:
                self._any.append(place)
            else:
                self._texts += [(key, place) for key in own if isinstance(key, str)]
        self._texts.sort()

    def having(self, keys: frozenset[Hashable]) -> list[Sequence[int]]:
        """Lists of the places of all that have a text which begins with one of these, or any, each list in order."""
        found: list[Sequence[int]] = [self._beginning(key) for key in keys if isinstance(key, str)]
        return [*found, self._any] if self._any else found

    def _beginning(self, start: str) -> list[int]:
        first = bisect_left(self._texts, (start, -1))
        found = takewhile(lambda one: one[0].startswith(start), islice(self._texts, first, None))
        return sorted({place for _, place in found})


def in_order(lists: Sequence[Sequence[int]]) -> Sequence[int]:
    """The places of some lists, each once."""
    if len(lists) == 1:
        return lists[0]
    return sorted(set(chain.from_iterable(lists)))


def unless_both_known(known: bool, place: Hashable, *, second: bool = False) -> frozenset[Hashable]:
    """Keys that two facts at one place have in common where something is not known of one of them at least.

    `second`: they are those of a relation's second argument.
    """
    pairs = [(known, other) for other in (True, False) if not (known and other)]
    return frozenset((*(reversed(pair) if second else pair), place) for pair in pairs)
