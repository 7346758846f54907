"""Many small repositories in one go, beside a process for each of them, and on two processors beside one."""

from __future__ import annotations

import os
import shutil
import statistics
import sys
from collections.abc import Callable, Iterable
from pathlib import Path

from benchmark import trees
from benchmark.measure import Ratio, Tool, measured
from benchmark.page import Line, Memory, Part

REPOSITORIES = 10_000
ALONE = 200
"""So many of them are checked by a process each; the time is taken for all."""
SAMPLE = 2_000
"""So many are checked on one processor and on two."""
_PINNED = (
    "import os, sys; os.sched_setaffinity(0, set(map(int, sys.argv[1].split(','))));"
    "os.execvp(sys.argv[2], sys.argv[2:])"
)


def part(corslint: str, folder: Path, shrink: int, runs: int) -> Part:
    """What a fleet gains; `folder` is empty."""
    count, alone, sample = (max(size // shrink, 1) for size in (REPOSITORIES, ALONE, SAMPLE))
    places = trees.repositories(folder / "all", count)
    lists = {name: _listed(folder / f"{name}.txt", places[:size]) for name, size in (("all", count), ("some", sample))}
    out = folder / "out"
    processors = sorted(os.sched_getaffinity(0))

    def forget() -> None:
        shutil.rmtree(out, ignore_errors=True)
        out.mkdir()

    def fleet(name: str, before: Callable[[], object] = forget) -> Tool:
        return Tool(name, (corslint, "fleet", str(lists[name]), "--output", str(out)), folder, before)

    whole = fleet("all")
    again = fleet("all", lambda: None)
    each = Tool("a process each", _each(corslint, places[:alone], out, len(processors)), folder, forget)
    pairs = [(measured(each), measured(whole), measured(again)) for _ in range(1 + runs)][1:]
    lines = [
        Line(
            f"a process for each (measured with {alone}, taken for all)",
            f"`corslint fleet` with {count:,} repositories",
            _ratio(one.wall * count / alone / other.wall for one, other, _ in pairs),
            "wall",
            15,
            at_least=True,
        ),
        Line(
            "again, where nothing has changed",
            "the first run",
            _ratio(two.wall / one.wall for _, one, two in pairs),
            "wall",
        ),
    ]
    if len(processors) > 1:
        one, two = (_pinned(fleet("some"), processors[:number]) for number in (1, 2))
        halves = [(measured(one), measured(two)) for _ in range(1 + runs)][1:]
        lines.append(
            Line(
                f"one processor, {sample:,} repositories",
                "two processors",
                _ratio(first.wall / second.wall for first, second in halves),
                "wall",
                1.8,
                at_least=True,
            )
        )
    text = (
        f"{count:,} repositories with a server and ten modules each, no git checkouts; JSON and SARIF of each are "
        f"written. Processes of their own run {len(processors)} at a time, as many as `fleet` has workers. Other work "
        f"on the machine makes the second processor worth less: the load was {os.getloadavg()[1]:.1f}."
    )
    memory = [Memory("corslint fleet, the largest process", max(run.memory for _, run, _ in pairs), 160)]
    return Part("Many repositories", text, lines, memory)


def _listed(path: Path, places: Iterable[Path]) -> Path:
    path.write_text("".join(f"{place}\n" for place in places), encoding="utf-8")
    return path


def _each(corslint: str, places: Iterable[Path], out: Path, at_once: int) -> tuple[str, ...]:
    """A process for each repository, that writes the same reports."""
    names = _listed(out.parent / "names.txt", (Path(place.name) for place in places))
    check = (corslint, "check", "--no-cache", "--exit-zero")
    reports = (
        "--output-format",
        "json",
        "-o",
        f"{out}/{{}}.json",
        "--output-format",
        "sarif",
        "-o",
        f"{out}/{{}}.sarif",
    )
    folder = f"{out.parent / 'all'}/{{}}"
    return ("xargs", "--arg-file", str(names), "-P", str(at_once), "-I", "{}", *check, *reports, folder)


def _pinned(tool: Tool, processors: Iterable[int]) -> Tool:
    """The tool on these processors alone."""
    wanted = ",".join(map(str, processors))
    return tool._replace(name=wanted, command=(sys.executable, "-c", _PINNED, wanted, *tool.command))


def _ratio(values: Iterable[float]) -> Ratio:
    each = sorted(values)
    return Ratio(statistics.median(each), each[0], each[-1])
