"""Every experiment, as pytest runs it: the same verdicts as `python -m tests.lab`, and what holds of all of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache

import pytest

from tests.lab import proof
from tests.lab.chromium import Chromium
from tests.lab.experiment import SIDES, Experiment, load
from tests.lab.installation import require, tools
from tests.lab.run import EXPECTED, PROJECTS, RULES, needs, rule_file, run

EXPERIMENTS = load()
AT_LEAST = 20
"""Rules of the first slice that speak of run time and must have a proof."""


@pytest.fixture(scope="module")
def browser() -> Iterator[Callable[[], Chromium]]:
    """Starts the browser when it is first asked for; it ends with this module: a thread can have one."""
    running: list[Chromium] = []

    @cache
    def start() -> Chromium:
        running.append(Chromium.start(tools().path("chromium")))
        return running[0]

    yield start
    for one in running:
        one.close()


@pytest.mark.parametrize("experiment", EXPERIMENTS, ids=lambda experiment: experiment.project)
def test_it_is_proven(experiment: Experiment, browser: Callable[[], Chromium]) -> None:
    found = require(*needs(experiment))
    verdict = run(experiment, found, browser)
    if not verdict.proven:
        pytest.fail("\n".join(verdict.problems), pytrace=False)


def test_there_are_enough() -> None:
    assert len({experiment.rule for experiment in EXPERIMENTS}) >= AT_LEAST


@pytest.mark.parametrize("experiment", EXPERIMENTS, ids=lambda experiment: experiment.project)
def test_its_project_is_there(experiment: Experiment) -> None:
    project = PROJECTS / experiment.project
    assert {path.name for path in project.iterdir()} == {*SIDES, EXPECTED}
    assert experiment.steps


def test_rules_name_their_proof() -> None:
    named = {rule: proof for rule in _rules() if (proof := rule_file(rule).get("proof")) is not None}
    proofs: dict[str, set[str]] = {}
    for experiment in EXPERIMENTS:
        proofs.setdefault(experiment.rule, set()).add(experiment.project)
    assert {rule: name for rule, name in named.items() if name not in proofs.get(rule, set())} == {}
    assert proofs.keys() == named.keys()


def test_a_rule_without_a_proof_says_nothing_of_run_time() -> None:
    without = {rule for rule in _rules() if "proof" not in rule_file(rule)}
    assert {rule for rule in without if rule_file(rule)["effect"] != "tool"} == set()


def test_the_page_of_proofs_is_not_stale() -> None:
    page = proof.PAGE.read_text(encoding="utf-8")
    shown = {(experiment.rule, proof.cell(experiment.claim)) for experiment in EXPERIMENTS}
    rows = {(rule, claim): verdict for rule, claim, verdict in proof.rows(page)}
    assert rows.keys() == shown
    assert set(rows.values()) == {"proven"}
    assert "| FAILED |" not in page  # the models' rows too
    for rule in proof.unproven({experiment.rule for experiment in EXPERIMENTS}):
        assert f"| `{rule}` |" in page


def _rules() -> list[str]:
    return sorted(path.stem for path in RULES.glob("*.yaml"))
