"""Ranges of versions, as descriptors write them: `>=3`, `<3`, `>=2,<4`, `==3`, `>=3.4`."""

from __future__ import annotations

from collections.abc import Iterable

from corslint.model.tri import Tri, all_of
from corslint.numbers import whole
from corslint.records import NamedTuple
from corslint.regexes import regex

Number = tuple[int, ...]
"""A version's numbers without zeros at the end, so that `3` and `3.0` are the same."""


class Release(NamedTuple):
    """A version as far as it is known: `lowest` or later, and before `end`."""

    lowest: Number
    end: Number


_BEYOND = 1_000_000
NEWEST = Release((_BEYOND,), (_BEYOND, 0))
"""A version later than any that a range names."""

_COMPARATOR = regex(r"(>=|<|==)\s*(\d+(?:\.\d+)*)")
_NUMBER = regex(r"\d+(?:\.\d+)*")
_LOWEST = regex(r"\^?\s*(\d+(?:\.\d+){1,2})")


def number_of(version: str) -> Number:
    """The numbers at the beginning of a version; empty where there are none, and for version 0."""
    found = _NUMBER.match(version)
    numbers = [whole(each) for each in found[0].split(".")] if found is not None else []
    while numbers and numbers[-1] == 0:
        del numbers[-1]
    return tuple(numbers)


def exactly(version: str) -> Release:
    """One version."""
    number = number_of(version)
    return Release(number, (*number, 0))  # nothing lies between a number and that number with a zero behind it


def of_major(major: int, specifier: str | None = None) -> Release:
    """Any version of a major; a range as npm writes it (`^4.7.0`) says from which one on."""
    found = _LOWEST.fullmatch(specifier.strip()) if specifier is not None else None
    lowest = number_of(found[1]) if found is not None else ()
    return Release(lowest if lowest[:1] == (major,) else number_of(str(major)), (major + 1,))


def newest_before(end: Number) -> Release:
    """The newest version before another one."""
    *head, last = end or (1,)
    number = (*head, last - 1, _BEYOND) if last > 0 else tuple(head)
    return Release(number, (*number, 0))


def fault(text: str) -> str | None:
    """The part of a range that is none; None where all of it is valid."""
    for part in text.split(","):
        if _COMPARATOR.fullmatch(part.strip()) is None:
            return part.strip()
    return None


def within(release: Release, versions: str) -> Tri:
    """Whether a release lies in a (valid) range; unknown where that needs more of its number than is known."""
    return all_of(_holds(release, part.strip()) for part in versions.split(","))


def _holds(release: Release, comparator: str) -> Tri:
    found = _COMPARATOR.fullmatch(comparator)
    if found is None:
        return Tri.NO
    operator, bound = found[1], number_of(found[2])
    if operator == "==":
        after = (*bound[:-1], bound[-1] + 1) if bound else (1,)
        return all_of((_from(release, bound), ~_from(release, after)))
    return _from(release, bound) if operator == ">=" else ~_from(release, bound)


def _from(release: Release, bound: Number) -> Tri:
    """Whether a release is this version or a later one."""
    if release.lowest >= bound:
        return Tri.YES
    return Tri.NO if release.end <= bound else Tri.UNKNOWN


def all_within(releases: Iterable[Release], versions: str) -> Tri:
    """Whether all of the possible releases lie in a range, or none does; no releases: not known."""
    answers = {within(release, versions) for release in releases}
    return answers.pop() if len(answers) == 1 else Tri.UNKNOWN
