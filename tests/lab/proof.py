"""`docs/proof.md`: what the lab found, with the versions of everything that took part."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from tests.lab.installation import ROOT, Tools
from tests.lab.run import RULES, Verdict, rule_file

PAGE = ROOT / "docs" / "proof.md"
COLUMNS = ("Rule", "Claim", "Observed", "Verdict")

_HEAD = """# What the lab proved

Made by `make lab`; do not edit. Each row is an experiment: a small project of `fixtures/projects` whose servers were
started as they stand there, once as it is broken and once as it is mended, and asked by plain HTTP and by a real
browser. "Proven" says that the broken one failed as claimed and `corslint check` found the fault in its place, and that
the mended one worked and linted clean. What the broken ones said, and which causes `corslint explain` names for it, is
the table of [explain-proof.md](explain-proof.md); [trace-proof.md](trace-proof.md) compares traces with the browser.
"""


@dataclass(frozen=True)
class Suite:
    """A comparison of a model with the real thing."""

    title: str
    claim: str
    seed: int
    """Of the generated cases."""
    observed: str = ""
    proven: bool = False
    printed: str = ""
    """All that it said, for whoever looks for the reason of a failure."""
    arguments: tuple[str, ...] = ()
    """What it is started with, beyond that."""


def unproven(proven: Set[str]) -> dict[str, str]:
    """The rules without an experiment, and why they have none; given those that have one."""
    rules = sorted(path.stem for path in RULES.glob("*.yaml"))
    return {rule: _why(rule) for rule in rules if rule not in proven}


def _why(rule: str) -> str:
    if rule_file(rule).get("effect") == "tool":
        return "It says what corslint could not read; that has no effect at run time."
    return "No experiment yet."


def render(verdicts: Iterable[Verdict], suites: Iterable[Suite], versions: Mapping[str, str]) -> str:
    """The page."""
    verdicts = list(verdicts)
    proofs = [(_code(one.experiment.rule), one.experiment.claim, one.observed, word(one.proven)) for one in verdicts]
    parts = [_HEAD, _table(COLUMNS, proofs)]
    without = unproven({one.experiment.rule for one in verdicts})
    if without:
        parts += [
            "## Rules without an experiment\n",
            _table(("Rule", "Why"), [(_code(rule), why) for rule, why in without.items()]),
        ]
    # Neither seed nor counts: a run that proves the same leaves the page as it is.
    suite_rows = [
        (suite.title, suite.claim, "no difference" if suite.proven else suite.observed, word(suite.proven))
        for suite in suites
    ]
    if suite_rows:
        parts += ["## Models against the real thing\n", _table(("Model", *COLUMNS[1:]), suite_rows)]
    parts += ["## Versions\n", _table(("What", "Version"), versions.items())]
    return "\n".join(parts)


def word(proven: bool) -> str:
    """The verdict."""
    return "proven" if proven else "FAILED"


def rows(page: str) -> list[tuple[str, str, str]]:
    """Rule, claim (as a cell) and verdict of the experiments on a page."""
    found = re.findall(r"^\| `([\w-]+)` \| (.+?) \| .* \| (proven|FAILED) \|$", page, re.MULTILINE)
    return [(rule, claim, verdict) for rule, claim, verdict in found]


def cell(text: str) -> str:
    """A text as a cell of a table: markup of its own stays text."""
    parts = re.split(r"(`[^`]*`)", " ".join(text.split()))
    # Between backquotes everything but the bar is text already.
    return "".join(re.sub(r"\|" if part.startswith("`") else r"[|<>*]", r"\\\g<0>", part) for part in parts)


def versions(tools: Tools, browser: str | None, verdicts: Iterable[Verdict]) -> dict[str, str]:
    """The versions of the programs and libraries that took part."""
    found = {}
    if tools.nginx:
        found["nginx"] = _said([str(tools.nginx), "-v"])
    if tools.node:
        found["Node.js"] = _said([str(tools.node), "--version"])
    if tools.venv:
        found["Python"] = _said([str(tools.venv / "bin" / "python"), "--version"])
    if browser:
        found["Chromium"] = browser
        found["Playwright"] = version("playwright")
    several: dict[str, set[str]] = {}
    for verdict in verdicts:
        for library, used in verdict.versions.items():
            several.setdefault(library.replace(":", " "), set()).add(used)
    return found | {name: ", ".join(sorted(several[name])) for name in sorted(several)}


def _said(command: list[str]) -> str:
    ran = subprocess.run(command, capture_output=True, text=True, timeout=30, check=True)
    return re.sub(r"^(nginx version: nginx/|v|Python )", "", (ran.stdout + ran.stderr).strip())


def _code(name: str) -> str:
    return f"`{name}`"


def _table(columns: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [columns, tuple("---" for _ in columns), *(tuple(cell(text) for text in row) for row in rows)]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def write(text: str, page: Path = PAGE) -> None:
    """Put the page into the documentation."""
    page.write_text(text, encoding="utf-8")
