"""Ranges of major versions, as descriptors write them: `>=3`, `<3`, `>=2,<4`, `==3`."""

from __future__ import annotations

import re
from collections.abc import Iterable

from corslint.model.tri import Tri

_COMPARATOR = re.compile(r"(>=|<|==)\s*(\d+)")


def fault(text: str) -> str | None:
    """The part of a range that is none; None where all of it is valid."""
    for part in text.split(","):
        if _COMPARATOR.fullmatch(part.strip()) is None:
            return part.strip()
    return None


def within(major: int, versions: str) -> bool:
    """Whether a major version lies in a (valid) range."""
    for part in versions.split(","):
        found = _COMPARATOR.fullmatch(part.strip())
        if found is None:
            return False
        bound = int(found[2])
        if (
            (found[1] == ">=" and major < bound)
            or (found[1] == "<" and major >= bound)
            or (found[1] == "==" and major != bound)
        ):
            return False
    return True


def all_within(majors: Iterable[int], versions: str) -> Tri:
    """Whether all of the possible major versions lie in a range, or none does; no majors: not known."""
    answers = {within(major, versions) for major in majors}
    if answers == {True}:
        return Tri.YES
    return Tri.NO if answers == {False} else Tri.UNKNOWN
