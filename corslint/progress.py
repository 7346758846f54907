"""How far a long run is: a bar on standard error, on a terminal only, and gone before anything else is written."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TextIO, TypeVar

_T = TypeVar("_T")

PATIENCE = 0.5
"""Seconds. What is done by then needs no bar."""

_EVERY = 0.1
"""Seconds between two looks of the bar."""

_CELLS = 24
_ERASED = "\r\033[K"


def is_wanted(stream: TextIO | None, environment: Mapping[str, str] = os.environ) -> bool:
    """Whether somebody sits there: on a terminal that can erase a line, and not in continuous integration."""
    if stream is None or environment.get("CI", "") not in ("", "0", "false"):
        return False
    return environment.get("TERM") != "dumb" and stream.isatty()


class Progress:
    """The bar. `watch` shows how many of some things are done; `erase` has to come before anything else is written."""

    def __init__(self, stream: TextIO | None = None, clock: Callable[[], float] = time.monotonic) -> None:
        self._stream = sys.stderr if stream is None else stream
        self._clock = clock
        self._next = clock() + PATIENCE
        self._shown = False
        self._wanted = is_wanted(self._stream)

    def watch(self, items: Iterable[_T], doing: str, noun: str) -> Iterator[_T]:
        """The items, one by one. `doing` and `noun` say what is done with them: `reading`, `files`."""
        if not self._wanted:
            yield from items
            return
        every = list(items)
        for done, item in enumerate(every):
            self._show(f"{doing} [{_bar(done, len(every))}] {done}/{len(every)} {noun}")
            yield item
        self._show(doing, at_once=self._shown)

    def erase(self) -> None:
        """Take the bar away; `watch` may show it again."""
        if self._shown:
            self._shown = False
            self._write(_ERASED)

    def _show(self, text: str, *, at_once: bool = False) -> None:
        now = self._clock()
        if self._wanted and (at_once or now >= self._next):
            self._next = now + _EVERY
            self._shown = True
            self._write(f"{_ERASED}corslint: {text}")

    def _write(self, text: str) -> None:
        try:
            self._stream.write(text)
            self._stream.flush()
        except (OSError, ValueError):  # the terminal went away: there is nobody to tell
            self._wanted = self._shown = False


def _bar(done: int, whole: int) -> str:
    filled = _CELLS * done // whole
    return "#" * filled + " " * (_CELLS - filled)
