"""Carries out the experiments: `python -m tests.lab [RULE ...]`.

Without a rule all of it is done: every experiment, the browser model on generated answers against Chromium, the
emulator on drawn options against the libraries, and what traces foretell against Chromium; what came of it is written
to `docs/proof.md` and `docs/trace-proof.md`, failures too. What the broken sides said goes to `fixtures/console.json`,
also where only some experiments were asked for, and what is made of it to `docs/explain-proof.md`. Exit status 0: all
proven; 1: not all; 2: a usage error, or the lab lacks something; 130: interrupted.
"""

from __future__ import annotations

import argparse
import os
import queue
import secrets
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from tests.lab import explained, proof, recordings
from tests.lab.chromium import Chromium
from tests.lab.experiment import Experiment, load
from tests.lab.installation import ROOT, Tools, reason, tools
from tests.lab.processes import Program, check_interrupted, interrupt
from tests.lab.proof import Suite, word
from tests.lab.run import Verdict, needs, run

SUITE_LIMIT = 1800.0
"""Seconds for one of the comparisons."""
_WIDTH_OF_A_FILE = 140
"""Columns of the table where no terminal says how many there are."""

Job = Experiment | Suite
Result = Verdict | Suite


class Worker(threading.Thread):
    """Takes jobs until there are none. It has a browser of its own, started when an experiment asks for it."""

    def __init__(
        self, jobs: queue.SimpleQueue[Job | None], results: queue.SimpleQueue[Result | BaseException], tools: Tools
    ) -> None:
        super().__init__(name="lab worker")
        self._jobs = jobs
        self._results = results
        self._tools = tools
        self._chromium: Chromium | None = None
        self.browser_version: str | None = None

    def run(self) -> None:
        """Work; whatever goes wrong is a result too."""
        try:
            while (job := self._jobs.get()) is not None:
                check_interrupted()
                self._results.put(self._done(job))
        except BaseException as error:
            self._results.put(error)
        finally:
            if self._chromium is not None:
                self._chromium.close()

    def _done(self, job: Job) -> Result:
        return run(job, self._tools, self._browser) if isinstance(job, Experiment) else compared(job)

    def _browser(self) -> Chromium:
        if self._chromium is None:
            self._chromium = Chromium.start(self._tools.path("chromium"))
            self.browser_version = self._chromium.version
        return self._chromium


def suites(seed: int, *, write: bool = True) -> tuple[Suite, ...]:
    """The comparisons of a complete run; `write`: whether they may write their pages of the documentation."""
    return (
        Suite(BROWSER, "Verdict, console line and requests are those of Chromium on generated answers", seed),
        Suite(ORACLE, "Libraries answer drawn options as the emulator says", seed),
        Suite(FIXES, "Broken projects whose rules have a fix work after `check --fix --unsafe-fixes`", seed),
        Suite(TRACES, FORETOLD, seed, arguments=() if write else ("--no-write",)),
    )


FORETOLD = "Chromium does what `corslint trace` foretold, verdict and words (docs/trace-proof.md)"
BROWSER, ORACLE, FIXES, TRACES = "browser model", "emulator", "fixes", "traces"


def _command(suite: Suite, seed: str) -> list[str]:
    if suite.title == BROWSER:
        return [sys.executable, "-m", "pytest", "-n", "0", "tests/lab/test_browser_model.py"]
    if suite.title == FIXES:
        return [sys.executable, "-m", "tests.lab.mended"]
    if suite.title == TRACES:
        return [sys.executable, "-m", "tests.lab.trace_proof", *suite.arguments]
    return [sys.executable, "-m", "tests.lab.drawn", seed]


def compared(suite: Suite) -> Suite:
    """Carry out one comparison; the line that names the seed, or the last, is the result."""
    seed = str(suite.seed)
    with tempfile.TemporaryDirectory(prefix="corslint-lab-") as folder:
        # Also what it leaves when it is killed goes with the folder.
        env = {**os.environ, "CORSLINT_SEED": seed, "CORSLINT_LAB": "require", "TMPDIR": folder}
        program = Program.start(suite.title, _command(suite, seed), ROOT, env, Path(folder) / "log")
        try:
            program.wait_until(program.ended, "its end", SUITE_LIMIT)
        finally:
            program.stop()
        lines = [line.strip() for line in program.printed.splitlines() if line.strip()]
    proven = program.status == 0 and bool(lines)
    told = [line for line in lines if f"seed {seed}" in line] if proven else []
    observed = [*lines, *told][-1].replace(f"{ROOT}/", "") if lines else "nothing was printed"
    return replace(suite, observed=observed, proven=proven, printed="\n".join(lines[-40:]))


def main(arguments: Sequence[str] | None = None) -> int:
    """Carry out what is asked for. The exit status."""
    given = _arguments().parse_intermixed_args(arguments)
    if threading.current_thread() is threading.main_thread():
        # As by Ctrl-C: everything ends by handle, and its folders go.
        signal.signal(signal.SIGTERM, signal.getsignal(signal.SIGINT))
    experiments = load()
    unknown = sorted(set(given.rules) - {name for one in experiments for name in (one.rule, one.project)})
    if unknown:
        reasons = proof.unproven({one.rule for one in experiments})
        told = (f"{name} ({reasons[name].rstrip('.')})" if name in reasons else name for name in unknown)
        print(f"lab: no experiment for {', '.join(told)}", file=sys.stderr)
        return 2
    chosen = [one for one in experiments if not given.rules or {one.rule, one.project} & set(given.rules)]
    found = tools()
    missing = found.missing(*sorted({name for one in chosen for name in needs(one)}))
    if missing:
        print(f"lab: {reason(missing)}", file=sys.stderr)
        return 2
    return _run(chosen, found, given, complete=not given.rules)


def _arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tests.lab", description="Prove the rules against real servers and a real browser."
    )
    parser.add_argument("rules", nargs="*", metavar="RULE", help="a rule, or the folder of its project; default all")
    parser.add_argument("--jobs", type=_count, default=2, metavar="COUNT", help="experiments at a time (default 2)")
    parser.add_argument("--seed", type=int, default=None, help="of the generated cases (default: drawn, and printed)")
    parser.add_argument(
        "--no-write", action="store_true", help="leave the pages of docs and fixtures/console.json as they are"
    )
    return parser


def _count(text: str) -> int:
    count = int(text)
    if count < 1:
        raise argparse.ArgumentTypeError(f"{count} is not 1 or more")
    return count


def _run(chosen: list[Experiment], found: Tools, given: argparse.Namespace, *, complete: bool) -> int:
    console = Console(width=None if sys.stdout.isatty() else _WIDTH_OF_A_FILE)
    seed = secrets.randbelow(1 << 20) if given.seed is None else given.seed
    jobs: list[Job] = [*(suites(seed, write=not given.no_write) if complete else ()), *chosen]
    begun = time.monotonic()
    try:
        results, browser = _work(jobs, found, given.jobs, console)
    except KeyboardInterrupt:
        print("lab: interrupted", file=sys.stderr)
        return 130
    verdicts = sorted(
        (one for one in results if isinstance(one, Verdict)),
        key=lambda one: (one.experiment.rule, one.experiment.project),
    )
    compared_ = [one for one in results if isinstance(one, Suite)]
    _print(console, verdicts, compared_)
    console.print(f"{sum(one.proven for one in results)} of {len(results)} proven in {time.monotonic() - begun:.0f} s")
    if complete:
        for rule, why in proof.unproven({one.experiment.rule for one in verdicts}).items():
            console.print(f"{rule}: {why}", highlight=False)
    if not given.no_write:
        proven = (one for one in verdicts if one.proven)
        recordings.keep({one.experiment.project: recordings.recording(one.experiment.rule, one.said) for one in proven})
    if complete and not given.no_write:
        explained.write()
        proof.write(proof.render(verdicts, compared_, proof.versions(found, browser, verdicts)))
    return 0 if all(one.proven for one in results) else 1


def _work(jobs: list[Job], found: Tools, count: int, console: Console) -> tuple[list[Result], str | None]:
    """The results of all jobs, and the browser's version if one was started.

    Raises:
        KeyboardInterrupt: the user wants it to end; everything has ended.
    """
    waiting: queue.SimpleQueue[Job | None] = queue.SimpleQueue()
    done: queue.SimpleQueue[Result | BaseException] = queue.SimpleQueue()
    workers = [Worker(waiting, done, found) for _ in range(min(count, len(jobs)))]
    for job in [*jobs, *(None for _ in workers)]:
        waiting.put(job)
    for worker in workers:
        worker.start()
    try:
        return _collected(done, len(jobs), console), next(
            (one.browser_version for one in workers if one.browser_version), None
        )
    except BaseException:
        interrupt()
        raise
    finally:
        for worker in workers:
            worker.join()


def _collected(done: queue.SimpleQueue[Result | BaseException], count: int, console: Console) -> list[Result]:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    results: list[Result] = []
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task("experiments", total=count)
        while len(results) < count:
            result = done.get()
            if isinstance(result, BaseException):
                raise result
            results.append(result)
            progress.update(task, advance=1)
            progress.console.print(_line(result), highlight=False)
    return results


def _line(result: Result) -> Text:
    """One finished job, and what was not as claimed."""
    name, problems = _named(result)
    line = Text.assemble((word(result.proven), "green" if result.proven else "bold red"), f"  {name}")
    return line.append("".join(f"\n    {problem}" for problem in problems))


def _named(result: Result) -> tuple[str, tuple[str, ...]]:
    if isinstance(result, Suite):
        return result.title, () if result.proven else (result.printed,)
    same = result.experiment.project == result.experiment.rule
    return (
        result.experiment.rule if same else f"{result.experiment.rule} ({result.experiment.project})",
        result.problems,
    )


def _print(console: Console, verdicts: list[Verdict], compared_: list[Suite]) -> None:
    table = Table(show_lines=True)
    for title, ratio in zip(proof.COLUMNS, (3, 5, 8, 1), strict=True):
        table.add_column(title, ratio=ratio, overflow="fold", min_width=8 if ratio == 1 else None)
    for one in verdicts:
        table.add_row(
            *(Text(text) for text in (one.experiment.rule, one.experiment.claim, one.observed)), _verdict(one.proven)
        )
    for suite in compared_:
        claim = f"{suite.claim} (seed {suite.seed})"
        table.add_row(*(Text(text) for text in (suite.title, claim, suite.observed)), _verdict(suite.proven))
    console.print(table)


def _verdict(proven: bool) -> Text:
    return Text(word(proven), "green" if proven else "bold red")


if __name__ == "__main__":
    sys.exit(main())
