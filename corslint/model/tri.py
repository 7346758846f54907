"""Three-valued truth. Unknown is an answer of its own: it never makes a finding."""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum


class Tri(Enum):
    """Yes, no, or not decidable from what was read (Kleene's strong logic)."""

    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"

    def __invert__(self) -> Tri:
        if self is Tri.UNKNOWN:
            return self
        return Tri.NO if self is Tri.YES else Tri.YES

    def __bool__(self) -> bool:
        raise TypeError("a three-valued answer is compared with `is`, never used as a condition")


def tri(value: bool | None) -> Tri:
    """`True`, `False` or `None` (not known) as a three-valued answer."""
    if value is None:
        return Tri.UNKNOWN
    return Tri.YES if value else Tri.NO


def all_of(answers: Iterable[Tri]) -> Tri:
    """Yes when every answer is yes (also for none at all); no as soon as one is no."""
    result = Tri.YES
    for answer in answers:
        if answer is Tri.NO:
            return Tri.NO
        if answer is Tri.UNKNOWN:
            result = Tri.UNKNOWN
    return result


def any_of(answers: Iterable[Tri]) -> Tri:
    """Yes as soon as one answer is yes; no when every answer is no (also for none at all)."""
    result = Tri.NO
    for answer in answers:
        if answer is Tri.YES:
            return Tri.YES
        if answer is Tri.UNKNOWN:
            result = Tri.UNKNOWN
    return result
