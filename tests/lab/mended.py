"""What fixes are worth: the bad side of an experiment, mended by `check --fix --unsafe-fixes`, has to work.

The copy is mended by the command itself, started, and asked what the experiment asks. Where a fix needs the origin of
the pages and nothing in the project says it, the fix is a placeholder; then `frontends` is declared, as its help says,
and the command runs again. Why a project stays as it is comes from the findings, not from a list.

    python -m tests.lab.mended [RULE ...]

A line for each experiment. Exit status 0: all that was mended works; 1: not; 2: the lab lacks something.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from corslint import lint, settings
from corslint.model.finding import Finding
from tests.examples import findings_of
from tests.lab.chromium import Chromium
from tests.lab.experiment import ClientFile, Connected, Experiment, Fetch, Page, Readable, Socket, load
from tests.lab.installation import ROOT, Tools, reason, tools
from tests.lab.observation import difference
from tests.lab.processes import LabError
from tests.lab.run import PROJECTS, Running, needs, rule_file

Outcome = Literal["works", "works with frontends", "in part", "withheld", "no fix", "no fault"]


@dataclass(frozen=True)
class Mended:
    """What came of the fixes for an experiment's bad side."""

    experiment: Experiment
    outcome: Outcome
    told: str
    """Why it is left as it is, or what was seen, in one line."""
    problems: tuple[str, ...] = ()
    seconds: float = 0.0

    @property
    def proven(self) -> bool:
        """Whether everything that was mended works, and all that has a fix was mended."""
        return not self.problems


def mend(experiment: Experiment, tools: Tools, browser: Callable[[], Chromium]) -> Mended:
    """Mend a copy of the bad side, start it, and take the experiment's steps."""
    begun = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="corslint-lab-") as home:
        folder = Path(home) / "project"
        shutil.copytree(PROJECTS / experiment.project / "bad", folder)
        try:
            result = _mended(experiment, folder, tools, browser)
        except LabError as error:
            result = Mended(experiment, "in part", "", (str(error),))
    return replace(result, seconds=time.monotonic() - begun)


def _mended(experiment: Experiment, folder: Path, tools: Tools, browser: Callable[[], Chromium]) -> Mended:
    before = _of_the_rule(experiment, folder)
    if rule_file(experiment.rule)["effect"] == "policy" and all(one.severity == "note" for one in before):
        return Mended(experiment, "no fault", "a choice that is legal, and the owner's to make")
    if not any(one.fix for one in before):
        return Mended(experiment, "no fix", _why(before))
    asked = ("--pedantic",) if experiment.pedantic else ()
    problems = _fix(folder, *asked)
    outcome: Outcome = "works"
    if any(one.fix and one.fix.applicability == "placeholder" for one in _findings(folder)):
        problems += _fix(folder, *asked, "--config", f"frontends = {json.dumps(frontends(experiment))}")
        outcome = "works with frontends"
    left = _of_the_rule(experiment, folder)
    made = ("safe", "unsafe")
    problems += [f"lint: not mended: {_told(one)}" for one in left if one.fix and one.fix.applicability in made]
    if len(left) == len(before):
        return Mended(experiment, "withheld", _why(left), tuple(problems))
    told = []
    with Running(experiment, "good", tools, browser, folder) as running:
        for step in running.experiment.steps:
            for name, expected, seen in running.observed(step, step.mended or step.good):
                told.append(seen.summary)
                if wrong := difference(expected, seen):
                    problems.append(f"{name}: {wrong}")
    if left:
        return Mended(experiment, "in part", f"left: {_why(left)}", tuple(problems))
    return Mended(experiment, outcome, " / ".join(dict.fromkeys(told)), tuple(problems))


def frontends(experiment: Experiment) -> list[str]:
    """The origins of the pages that have to get through, as a user would declare them."""
    pages = (step.probe for step in experiment.steps if isinstance(step.good, Connected | Readable))
    origins = (
        "://".join(urlsplit(page.url)[:2]) if isinstance(page, Page) else page.origin
        for page in pages
        if isinstance(page, Fetch | Socket | ClientFile | Page)
    )
    return [origin for origin in dict.fromkeys(origins) if origin != "null"]


def _fix(folder: Path, *options: str) -> list[str]:
    """Run the command in the folder; what went wrong."""
    command = [sys.executable, "-m", "corslint", "check", "--fix", "--unsafe-fixes", "--output-format", "concise"]
    ran = subprocess.run(
        [*command, *options, "."],
        cwd=folder,
        env={"PYTHONPATH": str(ROOT), "PATH": ""},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    if ran.returncode not in (0, 1):
        return [f"corslint check --fix: exit status {ran.returncode}: {ran.stderr.strip()}"]
    return [f"corslint check --fix: {line}" for line in ran.stderr.splitlines() if "not applied" in line]


def _of_the_rule(experiment: Experiment, folder: Path) -> list[Finding]:
    return [one for one in _findings(folder) if one.rule == experiment.rule]


def _findings(folder: Path) -> list[Finding]:
    """What is found in a folder where nothing is declared, with the fixes."""
    files = {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    return findings_of(files, settings.load(".", str(folder)), lint.knowledge(), with_fixes=True)


def _told(finding: Finding) -> str:
    return f"{finding.primary.path}: {finding.message}"


def _why(findings: Sequence[Finding]) -> str:
    """Why findings are left: what to do is said in their help."""
    return " / ".join(dict.fromkeys(f"by hand: {one.help}" for one in findings))


def main(arguments: Sequence[str] | None = None) -> int:
    """Mend and try what is asked for, or all. The exit status."""
    parser = argparse.ArgumentParser(prog="python -m tests.lab.mended", description="Try what fixes are worth.")
    parser.add_argument("rules", nargs="*", metavar="RULE", help="a rule, or the folder of its project; default all")
    wanted = set(parser.parse_args(arguments).rules)
    chosen = [one for one in load() if not wanted or {one.rule, one.project} & wanted]
    found = tools()
    missing = found.missing(*sorted({name for one in chosen for name in needs(one)}))
    if missing or not chosen:
        print(f"lab: {reason(missing) if missing else 'no such experiment'}", file=sys.stderr)
        return 2
    outcomes: Counter[str] = Counter()
    failed = 0
    with Chromium.start(found.path("chromium")) as browser:
        for experiment in chosen:
            mended = mend(experiment, found, lambda: browser)
            outcomes[mended.outcome] += 1
            failed += not mended.proven
            print(f"{experiment.project}: {'' if mended.proven else 'FAILED, '}{mended.outcome}: {mended.told}")
            print("".join(f"    {problem}\n" for problem in mended.problems), end="", flush=True)
    counts = ", ".join(f"{count} {outcome}" for outcome, count in outcomes.most_common())
    print(f"{len(chosen)} projects: {counts}; {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
