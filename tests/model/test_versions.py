"""Ranges of versions against versions that are known in full, in part, or not at all."""

from __future__ import annotations

import pytest

from corslint.model.tri import Tri
from corslint.model.versions import Release, all_within, exactly, fault, of_major, within

YES, NO, UNKNOWN = Tri.YES, Tri.NO, Tri.UNKNOWN

CASES: dict[str, tuple[Release, str, Tri]] = {
    "a major is in its own range": (of_major(3), ">=3", YES),
    "a major is before the next": (of_major(3), "<4", YES),
    "a zero changes nothing": (of_major(3), ">=3.0", YES),
    "a major is not before itself": (of_major(3), "<3", NO),
    "a part of a major can't be told": (of_major(3), ">=3.4", UNKNOWN),
    "nor can what is before that part": (of_major(3), "<3.4", UNKNOWN),
    "a later part can": (of_major(4), ">=3.4", YES),
    "an equal major": (of_major(3), "==3", YES),
    "an equal minor can't be told": (of_major(3), "==3.4", UNKNOWN),
    "a range as npm writes it begins there": (of_major(4, "^4.7.0"), ">=4.6", YES),
    "and goes on to the next major": (of_major(4, "^4.7.0"), ">=4.8", UNKNOWN),
    "and ends there": (of_major(4, "^4.7.0"), "<5", YES),
    "another way to write a range says less": (of_major(4, ">=4.7 <6"), ">=4.6", UNKNOWN),
    "a range of another major": (of_major(5, "^4.7.0 || ^5.1.0"), ">=5", YES),
    "a version from its own range on": (exactly("3.4.1"), ">=3.4.1", YES),
    "a version is not after itself": (exactly("3.4.1"), ">=3.4.2", NO),
    "a version is not before itself": (exactly("3.4.1"), "<3.4.1", NO),
    "a version is before the next": (exactly("3.4.1"), "<3.4.2", YES),
    "a version is of its minor": (exactly("3.4.1"), "==3.4", YES),
    "a version with zeros": (exactly("4.0.0"), ">=4", YES),
    "a version of a major that is 0": (exactly("0.7.2"), "<1", YES),
    "any version of a major that is 0": (of_major(0), "==0", YES),
    "all parts have to hold": (exactly("5.2.0"), ">=2,<5", NO),
    "between two": (exactly("3.9.12"), ">=2,<5", YES),
    "a letter behind the number": (exactly("5.0.0rc1"), ">=5", YES),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_within(case: tuple[Release, str, Tri]) -> None:
    release, versions, expected = case
    assert within(release, versions) is expected


def test_all_within() -> None:
    assert all_within([], ">=3") is UNKNOWN
    assert all_within([of_major(3), of_major(4)], ">=3") is YES
    assert all_within([of_major(3), of_major(4)], ">=4") is UNKNOWN
    assert all_within([of_major(3), of_major(4)], "<3") is NO


def test_fault() -> None:
    assert fault(">=3.4.1,<4") is None
    assert fault(">=3,~4") == "~4"
    assert fault("latest") == "latest"
