"""Whole numbers as strangers write them: Python refuses to read more than 4,300 digits, and takes `²` for a digit."""

from __future__ import annotations

_LONGEST = 18
_BEYOND = 10**_LONGEST


def whole(digits: str) -> int:
    """The number that these decimal digits stand for, or one beyond any that has a meaning where they are too many."""
    digits = digits.lstrip("0") or "0"
    return int(digits) if len(digits) <= _LONGEST else _BEYOND
