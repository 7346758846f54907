"""What was recorded is explained: the true cause is named first. (Needs no lab.)"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.lab import explained, recordings
from tests.lab.experiment import Blocked, ClientFile, Experiment, Fails, Fetch, NotConnected, Page, Socket, load
from tests.lab.observation import Observation, SocketSeen

ENOUGH = 40
FIRST = 0.95


def test_the_true_cause_is_named_first() -> None:
    for some in (explained.telling(), explained.rows()):
        assert len({row.line for row in some}) >= ENOUGH
        assert explained.first_with_project(some) >= FIRST * len(some)


def test_distinct_lines_name_a_true_cause_early_in_an_empty_folder() -> None:
    groups = explained.distinct(explained.telling())
    assert len(groups) >= ENOUGH
    assert sum(one.first_with_project for one in groups) >= FIRST * len(groups)
    assert [one.line for one in groups if not one.early_in_empty_folder] == []


def test_the_same_line_has_other_hosts_ports_paths_and_numbers() -> None:
    said = "Access to fetch at '{}' from origin 'https://www.example.com' has been blocked: {}"
    same = [("http://localhost:4000/a", "status 400"), ("https://api.example.com/b/c?d=1", "status 502")]
    assert len({explained.masked(said.format(*words)) for words in same}) == 1
    assert explained.masked(said.format("http://a", "status")) != explained.masked(said.format("http://a", "value"))
    assert explained.masked('unexpected "a" in nginx/files/nginx.conf:18') == 'unexpected "a" in PATH:NUMBER'


def _row(rule: str, line: str, first: str, *three: str) -> explained.Row:
    return explained.Row(rule, line, 1, 1, 9, False, first, three)


def test_a_distinct_line_is_named_by_any_of_its_causes_however_it_is_written() -> None:
    one, other = _row("a", "at http://a:1", "b", "x", "y", "b"), _row("b", "at http://b:2", "a", "a")
    (group,) = explained.distinct((one, other))
    assert (group.causes, group.first_with_project, group.early_in_empty_folder) == (frozenset("ab"), True, True)
    (group,) = explained.distinct((one, other._replace(first_here="x", first_three=("x", "y"))))
    assert (group.first_with_project, group.early_in_empty_folder) == (False, False)


def test_every_telling_line_names_the_true_cause_in_an_empty_folder() -> None:
    assert [row for row in explained.rows() if row.in_empty_folder == 0] == []


def test_the_page_is_not_stale() -> None:
    """`python -m tests.lab.explained --update` writes it."""
    assert explained.PAGE.read_text(encoding="utf-8") == explained.render()


def _speaks(experiment: Experiment) -> bool:
    in_browser = any(
        isinstance(step.bad, Blocked | NotConnected) and isinstance(step.probe, Fetch | Socket | ClientFile | Page)
        for step in experiment.steps
    )
    return in_browser or any(isinstance(step.bad, Fails) for step in experiment.steps)


@pytest.mark.parametrize("experiment", load(), ids=lambda one: one.project)
def test_what_it_said_is_recorded(experiment: Experiment) -> None:
    """`python -m tests.lab RULE` records it."""
    recording = recordings.load().get(experiment.project)
    if _speaks(experiment):
        assert recording is not None
    if recording is not None:
        assert recording.rule == experiment.rule
        assert {said.step for said in recording.steps} <= {step.name for step in experiment.steps}


def test_what_is_chance_is_not_recorded() -> None:
    seen = Observation(
        "",
        console=("GET http://a/?EIO=4&t=P0q-x.1&sid=abc_D net::ERR_FAILED", " ", "twice", "twice"),
        sockets=(SocketSeen(False, "", ("connect_error: xhr poll error",)),),
    )
    assert recordings.said("a step", seen).lines == (
        "GET http://a/?EIO=4&t=AbCdEfG&sid=AbCdEfG net::ERR_FAILED",
        "twice",
        "connect_error: xhr poll error",
    )


def test_words_of_nginx_are_recorded_without_the_folder() -> None:
    seen = Observation("", accepted=False, body="nginx: [emerg] x in /tmp/corslint-lab-1a_b/nginx/site/nginx.conf:3\n")
    assert recordings.said("a step", seen).lines == ("nginx: [emerg] x in nginx/site/nginx.conf:3",)


def test_recordings_come_back_as_they_were(tmp_path: Path) -> None:
    file = tmp_path / "console.json"
    one = recordings.Recording("no-sticky-sessions", (recordings.Said("a step", ("line 1", "‘line’ 2")),))
    gone = recordings.Recording("x", (recordings.Said("a step", ("line",)),))
    recordings.keep({"no-sticky-sessions": one, "there-is-no-such-project": gone}, file)
    assert recordings.load(file) == {"no-sticky-sessions": one}
