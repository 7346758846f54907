"""Runs commands in turn and compares them pair by pair: what a busy machine adds, it adds to both."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

_ENVIRONMENT = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
"""Installed programs are compiled once, and not at each start."""
_FINE = frozenset({0, 1})
"""Findings are no failure."""


class Run(NamedTuple):
    """One run: seconds on the clock, seconds of all processors, and the largest resident size of a process in MiB."""

    wall: float
    cpu: float
    memory: float


class Tool(NamedTuple):
    """A command. `before` puts things back as they have to be when it starts; it is not timed."""

    name: str
    command: Sequence[str]
    folder: Path | None = None
    before: Callable[[], object] = lambda: None
    """Called before each run."""


class Series(NamedTuple):
    """All runs of a tool."""

    runs: tuple[Run, ...]

    @property
    def wall(self) -> float:
        """The median of the seconds on the clock."""
        return statistics.median(run.wall for run in self.runs)

    @property
    def cpu(self) -> float:
        """The median of the processors' seconds."""
        return statistics.median(run.cpu for run in self.runs)

    @property
    def memory(self) -> float:
        """The largest resident size of any process of any run, in MiB."""
        return max(run.memory for run in self.runs)


class Ratio(NamedTuple):
    """How many times as long one takes as the other, pair by pair: the median, the least and the most."""

    median: float
    least: float
    most: float

    def __str__(self) -> str:
        return f"{self.median:.2f} ({self.least:.2f} to {self.most:.2f})"


def measured(tool: Tool) -> Run:
    """One run of a tool, to its end.

    Raises:
        RuntimeError: it failed. Findings are no failure.

    """
    tool.before()
    with tempfile.TemporaryFile() as output:
        begun = time.perf_counter()
        process = subprocess.Popen(
            tool.command, cwd=tool.folder, stdin=subprocess.DEVNULL, stdout=output, stderr=output, env=_ENVIRONMENT
        )
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.perf_counter() - begun
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode not in _FINE:
            output.seek(0)
            said = output.read().decode("utf-8", "replace")[-500:]
            raise RuntimeError(f"{tool.name} ended with {process.returncode}: {said}")
    per_mebibyte = 1 << 20 if sys.platform == "darwin" else 1 << 10
    return Run(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / per_mebibyte)


def interleaved(tools: Sequence[Tool], runs: int, warm_up: int = 1) -> dict[str, Series]:
    """The tools one after the other, so many times; the first `warm_up` rounds do not count."""
    found: dict[str, list[Run]] = {tool.name: [] for tool in tools}
    for number in range(warm_up + runs):
        for tool in tools:
            run = measured(tool)
            if number >= warm_up:
                found[tool.name].append(run)
    return {name: Series(tuple(each)) for name, each in found.items()}


def ratio(series: Mapping[str, Series], one: str, other: str, of: str = "wall") -> Ratio:
    """How `one` compares with the `other`; `of` is `wall` or `cpu`."""
    pairs = zip(series[one].runs, series[other].runs, strict=True)
    each = sorted(getattr(first, of) / getattr(second, of) for first, second in pairs)
    return Ratio(statistics.median(each), each[0], each[-1])
