"""Which files another process reads, and how many read at once (`corslint/workers.py`). Few runs have such files."""

from __future__ import annotations

import os

from corslint.parsers import kind_of
from corslint.regexes import regex

_LARGE = 200_000
"""Bytes. A usual file of this size takes longer to read than a process to begin (measured: a hundred times)."""

_DEEP = 500
"""Brackets in one another. Files that people or bundlers write have some dozens."""

_READ_BY_C = frozenset(("javascript", "typescript", "tsx", "html", "component", "python", "compose", "kubernetes"))
_OPENING = (b"(", b"[", b"{")
_BRACKET = regex(rb"[(\[{]+|[)\]}]+")


def fitting(most: int) -> int:
    """How many processes to use where no more than `most` have enough to do: at most one for each processor."""
    return max(1, min(most, len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1))


def is_risky(path: str, data: bytes) -> bool:
    """Whether a file is so large, or nested so deeply, that it is better read by another process than by this one.

    Only what is read by a parser in C, which could crash or not come back: what is written in Python raises.
    """
    if kind_of(path) not in _READ_BY_C:
        return False
    if len(data) > _LARGE:
        return True
    if sum(map(data.count, _OPENING)) <= _DEEP:
        return False
    depth = 0
    for bracket in _BRACKET.finditer(data):
        size = bracket.end() - bracket.start()
        depth = depth + size if data[bracket.start()] in b"([{" else max(depth - size, 0)
        if depth > _DEEP:
            return True
    return False
