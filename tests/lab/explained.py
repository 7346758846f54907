"""Tries `corslint explain` on what the broken sides of the experiments said: docs/explain-proof.md.

    python -m tests.lab.explained [--update]

Needs no lab: what was said stands in `fixtures/console.json`. Each line is explained by itself, once with the findings
of the project that said it, and once as in an empty folder. The rule of the experiment is the true cause.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Sequence
from functools import cache
from typing import NamedTuple

from corslint import discovery, lint, tracing
from corslint.explain import explanation, messages
from corslint.explain.causes import Cause
from corslint.model.finding import Finding
from corslint.settings import Settings
from tests.lab import recordings
from tests.lab.experiment import Blocked, Experiment, Fails, NotConnected, Step, load
from tests.lab.installation import ROOT
from tests.lab.proof import cell

PAGE = ROOT / "docs" / "explain-proof.md"
_PROJECTS = ROOT / "fixtures" / "projects"
_FIRST = 3
_SHOWN = 400

_HEAD = """# What `corslint explain` makes of real messages

Made by `python -m tests.lab.explained --update` from `fixtures/console.json`; do not edit. The lines are what Chromium,
Socket.IO's clients and nginx said when the broken sides of the experiments ran ([proof.md](proof.md)), each explained
by itself. "With the project" is the place of the true cause, the experiment's rule, among the causes that are named
when `corslint explain` is given the broken project; "empty folder" is its place among all that are named where there is
nothing to look at.

In an empty folder the message is all there is, and many faults share one: `No 'Access-Control-Allow-Origin' header` is
what {sharing} rules lead to, and but for the names of hosts their lines are equal. No order can have all of them among
the first three. So there are two figures. **Recorded** counts each line for each rule that led to it, and asks for that
very rule. **Distinct** takes lines for one that are the same but for hosts, ports, paths and numbers. All faults of
such a line really produced it; it counts as named where, however it was written, one of them is named first, or is
among the first three. In an empty folder the first figure says how often a user finds their own fault among the first
three, the second whether what stands there can be true at all.

The last table holds lines that are only consequences of another one, such as `net::ERR_FAILED`, and say nothing about
the cause by themselves.

Left out are steps in which the browser does what it should on both sides (a stranger is refused), and rules without a
symptom. Firefox's and Safari's wordings are known from [their sources](explain.md) and were not run here.
"""


class Row(NamedTuple):
    """One line that was said, and the place of the true cause; 0 where it is not named."""

    rule: str
    line: str
    with_project: int
    in_empty_folder: int
    causes: int
    """How many are named in an empty folder."""
    consequence: bool
    """It only follows from another message."""
    first_here: str = ""
    """The rule that is named first with the project."""
    first_three: tuple[str, ...] = ()
    """Those that are named first in an empty folder."""


class Distinct(NamedTuple):
    """Lines that are the same but for hosts, ports, paths and numbers."""

    line: str
    rows: tuple[Row, ...]

    @property
    def causes(self) -> frozenset[str]:
        """The rules whose faults really led to it."""
        return frozenset(row.rule for row in self.rows)

    @property
    def first_with_project(self) -> bool:
        """Whether one of them is named first in each project."""
        return all(row.first_here in self.causes for row in self.rows)

    @property
    def early_in_empty_folder(self) -> bool:
        """Whether one of them is among the first three in an empty folder, however the line is written."""
        return all(self.causes & set(row.first_three) for row in self.rows)


_CHANGING = (
    (re.compile(r"\b(?:https?|wss?)://[^\s'\"<>,]+"), "ADDRESS"),
    (re.compile(r"(?<![\w/])(?:[\w.-]*/)+[\w.-]*"), "PATH"),
    (re.compile(r"\d+"), "NUMBER"),
)


def masked(line: str) -> str:
    """A line without its hosts, ports, paths and numbers."""
    for changing, name in _CHANGING:
        line = changing.sub(name, line)
    return line


def distinct(some: Iterable[Row]) -> tuple[Distinct, ...]:
    """The different lines among these, by what they say."""
    found: dict[str, list[Row]] = {}
    for row in some:
        found.setdefault(masked(row.line), []).append(row)
    return tuple(Distinct(line, tuple(rows)) for line, rows in sorted(found.items()))


@cache
def rows() -> tuple[Row, ...]:
    """A row for each different line of each rule."""
    experiments = {one.project: one for one in load()}
    found: dict[tuple[str, str], Row] = {}
    for project, recording in recordings.load().items():
        experiment = experiments.get(project)
        if experiment is None or not lint.knowledge(examples=False).rules[experiment.rule].symptoms:
            continue
        lines = list(_lines(experiment, recording))
        if lines:
            (context,) = discovery.contexts((str(_PROJECTS / project / "bad"),), str(ROOT))
            findings = lint.lint(context, Settings()).live
            elsewhere = tracing.Elsewhere(((context, Settings()),))
            for line in lines:
                if (experiment.rule, line) not in found:
                    found[experiment.rule, line] = _row(experiment.rule, line, findings, elsewhere)
    return tuple(sorted(found.values(), key=lambda row: (row.consequence, row.rule, row.line)))


def _lines(experiment: Experiment, recording: recordings.Recording) -> Iterable[str]:
    steps = {step.name: step for step in experiment.steps}
    for said in recording.steps:
        if said.step in steps and _shows_the_fault(steps[said.step]):
            yield from said.lines


def _shows_the_fault(step: Step) -> bool:
    return isinstance(step.bad, Blocked | NotConnected | Fails) and step.bad != step.good


def _row(rule: str, line: str, findings: Sequence[Finding], elsewhere: tracing.Elsewhere) -> Row:
    rules = lint.knowledge(examples=False).rules
    here = explanation.explain(line, rules, findings, elsewhere=elsewhere)
    nowhere = explanation.explain(line, rules, ())
    return Row(
        rule,
        line,
        _place(rule, here.causes),
        _place(rule, nowhere.causes),
        len(nowhere.causes),
        all(one.message.follows for one in here.complaints),
        here.causes[0].rule.id if here.causes else "",
        tuple(cause.rule.id for cause in nowhere.causes[:_FIRST]),
    )


def _place(rule: str, causes: Sequence[Cause]) -> int:
    return next((number for number, cause in enumerate(causes, 1) if cause.rule.id == rule), 0)


def telling() -> tuple[Row, ...]:
    """The rows of lines that say something by themselves."""
    return tuple(row for row in rows() if not row.consequence)


def first_with_project(some: Iterable[Row]) -> int:
    """In how many the true cause is named first."""
    return sum(row.with_project == 1 for row in some)


def early_in_empty_folder(some: Iterable[Row]) -> int:
    """In how many the true cause is among the first three in an empty folder."""
    return sum(1 <= row.in_empty_folder <= _FIRST for row in some)


def render() -> str:
    """The page."""
    consequences = [row for row in rows() if row.consequence]
    parts = [_HEAD.format(sharing=_sharing()), _figures(telling(), consequences)]
    parts += ["## Lines that say why\n", _table(telling()), "## Lines that only follow\n", _table(consequences)]
    return "\n".join(parts)


def _sharing() -> int:
    """How many rules name the message that most rules name."""
    message = next(one for one in messages.known().messages if one.id == "allow-origin-missing")
    rules = lint.knowledge(examples=False).rules
    return len(explanation.explain(message.ways[0].wording.text, rules, ()).causes)


def _figures(said: Sequence[Row], consequences: Sequence[Row]) -> str:
    lines = [
        "| Lines | Counted | First with the project | Among the first three in an empty folder |",
        "|---|---|---|---|",
    ]
    for name, some in (("that say why", said), ("that only follow", consequences)):
        lines.append(
            f"| {name} | recorded | {first_with_project(some)} of {len(some)} | "
            f"{early_in_empty_folder(some)} of {len(some)} |"
        )
        groups = distinct(some)
        first = sum(one.first_with_project for one in groups)
        early = sum(one.early_in_empty_folder for one in groups)
        lines.append(f"| {name} | distinct | {first} of {len(groups)} | {early} of {len(groups)} |")
    return "\n".join(lines) + "\n\n" + _left(said)


def _left(said: Sequence[Row]) -> str:
    """The distinct lines for which none of the true causes is among the first three."""
    left = [one for one in distinct(said) if not one.early_in_empty_folder]
    if not left:
        return "No distinct line that says why is left without one of its true causes among the first three.\n"
    listed = "".join(f"- {cell(one.line)}: {', '.join(f'`{name}`' for name in sorted(one.causes))}\n" for one in left)
    return f"Distinct lines without a true cause among the first three:\n\n{listed}"


def _table(some: Iterable[Row]) -> str:
    lines = ["| True cause | Line | With the project | Empty folder |", "|---|---|---|---|"]
    for row in some:
        shown = row.line if len(row.line) <= _SHOWN else f"{row.line[:_SHOWN]}…"
        first, empty = row.with_project or "–", f"{row.in_empty_folder or '–'} of {row.causes}"
        lines.append(f"| `{row.rule}` | {cell(shown)} | {first} | {empty} |")
    return "\n".join(lines) + "\n"


def write() -> None:
    """Put the page into the documentation."""
    PAGE.write_text(render(), encoding="utf-8")


def main() -> int:
    """Print the figures, or write the page."""
    if sys.argv[1:] == ["--update"]:
        write()
    elif sys.argv[1:]:
        print(__doc__, file=sys.stderr)
        return 2
    print(_figures(telling(), [row for row in rows() if row.consequence]))
    return 0


if __name__ == "__main__":
    sys.exit(main())
