"""What `corslint trace` foretells, and what Chromium then does."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache

import pytest

from tests.lab import trace_proof
from tests.lab.chromium import Chromium
from tests.lab.experiment import load
from tests.lab.installation import require, tools
from tests.lab.run import needs
from tests.lab.trace_cases import BEYOND, STATUSES, Case, cases
from tests.lab.trace_run import compare

CASES = cases()


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


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_the_browser_does_as_foretold(case: Case, browser: Callable[[], Chromium]) -> None:
    found = compare(case, require(*needs(case.experiment)), browser)
    otherwise = [f"{one.asked.name}: {one.difference}" for one in found if one.difference is not None]
    if otherwise:
        pytest.fail("\n".join(otherwise), pytrace=False)


def test_there_are_enough() -> None:
    page = trace_proof.PAGE.read_text(encoding="utf-8")
    shown = trace_proof.shown(page)
    projects = {trace_proof.project_of(case): case for case in CASES}
    assert shown.keys() == projects.keys()
    assert len(shown) >= 60
    assert sum(case.has_nginx for case in projects.values()) >= 20
    assert sum(case.has_python for case in projects.values()) >= 15
    assert sum("unknown" in came for came in shown.values()) <= trace_proof.MOST_UNKNOWN
    assert not [project for project, came in shown.items() if "OTHERWISE" in came]


def test_what_is_left_out_is_there() -> None:
    steps = {(experiment.project, step.name) for experiment in load() for step in experiment.steps}
    assert {*BEYOND, *STATUSES} <= steps
