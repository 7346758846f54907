"""The page that the benchmark writes: ratios with their spread, memory, and how cost grows."""

from __future__ import annotations

import os
import platform
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from benchmark.measure import Ratio, Series


class Line(NamedTuple):
    """One comparison: what ran, beside what, the ratio of times (`of`: `wall` or `cpu`), and the bound it has to keep.

    `at_least` turns the bound around: so many times as fast. None: there is no bound.
    """

    what: str
    beside: str
    ratio: Ratio
    of: str
    bound: float | None = None
    at_least: bool = False

    @property
    def holds(self) -> bool:
        """Whether the median keeps the bound."""
        if self.bound is None:
            return True
        return self.ratio.median >= self.bound if self.at_least else self.ratio.median <= self.bound


class Memory(NamedTuple):
    """The largest resident size of a process in MiB, and the bound."""

    what: str
    most: float
    bound: float | None = None

    @property
    def holds(self) -> bool:
        """Whether it keeps the bound."""
        return self.bound is None or self.most <= self.bound


class Growth(NamedTuple):
    """How long runs take that differ in one number: `of` what, and by that number the runs."""

    of: str
    series: Mapping[int, Series]


class Part(NamedTuple):
    """A section of the page."""

    title: str
    text: str
    lines: Sequence[Line] = ()
    memory: Sequence[Memory] = ()
    growth: Sequence[Growth] = ()

    @property
    def broken(self) -> list[str]:
        """The bounds that do not hold."""
        lines = [f"{line.what} beside {line.beside}: {line.ratio}" for line in self.lines if not line.holds]
        return lines + [f"{one.what}: {one.most:.0f} MiB" for one in self.memory if not one.holds]


def written(parts: Sequence[Part], missing: Sequence[str], runs: int) -> str:
    """The page in Markdown."""
    out = [
        "# Benchmarks",
        "",
        "Written by `make bench`, which makes its trees, runs everything in turn and compares run by run. A figure is",
        "the median of the ratios, in brackets the least and the most. Absolute times say more about a machine than",
        "about a program, so there are none. Memory is the largest resident size of any one process.",
        "",
        f"{runs} runs each on {os.cpu_count()} processors, {platform.system()}, Python {platform.python_version()}."
        + (f" Not installed, and so left out: {', '.join(missing)}." if missing else ""),
    ]
    for part in parts:
        out += ["", f"## {part.title}", "", part.text]
        if part.lines:
            out += ["", "| corslint | beside | times as long | bound |", "|---|---|---|---|", *map(_line, part.lines)]
        if part.memory:
            out += ["", "| peak memory | MiB | bound |", "|---|---|---|"]
            out += [f"| {one.what} | {one.most:.0f} | {_bound(one.bound, '')} |" for one in part.memory]
        for growth in part.growth:
            out += ["", *_growth(growth)]
    return "\n".join([*out, ""])


def _line(line: Line) -> str:
    of = " (processor time)" if line.of == "cpu" else ""
    bound = f"at least {line.bound:g}" if line.bound is not None and line.at_least else _bound(line.bound, "at most ")
    return f"| {line.what} | {line.beside}{of} | {line.ratio} | {bound} |"


def _bound(bound: float | None, words: str) -> str:
    return "" if bound is None else f"{words}{bound:g}"


def _growth(growth: Growth) -> list[str]:
    """Each size beside the smallest one: what is linear grows as fast as the number does."""
    first = min(growth.series)
    base = growth.series[first]
    rows = [f"| {growth.of} | times as many | times as long | MiB |", "|---|---|---|---|"]
    for number, series in sorted(growth.series.items()):
        rows.append(f"| {number:,} | {number / first:.1f} | {series.cpu / base.cpu:.1f} | {series.memory:.0f} |")
    return rows
