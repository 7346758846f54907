"""Every broken project of an experiment works after `check --fix --unsafe-fixes`, or is left as it is for a reason."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache

import pytest

from tests.lab.chromium import Chromium
from tests.lab.experiment import ClientFile, Connected, Experiment, Fetch, Page, Readable, Step, load
from tests.lab.installation import require, tools
from tests.lab.mended import frontends, mend
from tests.lab.run import needs, rule_file

EXPERIMENTS = load()


@pytest.fixture(scope="module")
def browser() -> Iterator[Callable[[], Chromium]]:
    running: list[Chromium] = []

    @cache
    def start() -> Chromium:
        running.append(Chromium.start(tools().path("chromium")))
        return running[0]

    yield start
    for one in running:
        one.close()


@pytest.mark.parametrize("experiment", EXPERIMENTS, ids=lambda experiment: experiment.project)
def test_it_works_when_mended(experiment: Experiment, browser: Callable[[], Chromium]) -> None:
    found = require(*needs(experiment))
    mended = mend(experiment, found, browser)
    if not mended.proven:
        pytest.fail("\n".join(mended.problems), pytrace=False)
    if mended.outcome in ("no fix", "withheld", "in part"):
        assert "by hand: " in mended.told
    if "fix" not in rule_file(experiment.rule) and "fix" not in str(rule_file(experiment.rule)["severity"]):
        assert mended.outcome in ("no fix", "no fault")


def test_what_a_user_would_declare_are_the_pages_that_have_to_get_through() -> None:
    url = "http://api.example.com/"
    experiment = Experiment(
        "r",
        "p",
        "",
        (),
        (
            Step("a page", Fetch("https://a.example", url), good=Readable(200)),
            Step("the same page", ClientFile("https://a.example", "a.js"), good=Connected()),
            Step("a page of the project", Page("http://localhost:3000/chat"), good=Connected()),
            Step("a frame", Fetch("null", url), good=Readable()),
            Step("a page that does not get through", Fetch("https://b.example", url), bad=Readable()),
        ),
    )
    assert frontends(experiment) == ["https://a.example", "http://localhost:3000"]
