"""The comparison of drawn options can fail, and what it counts is what was asked."""

from __future__ import annotations

import copy
import subprocess
from typing import Any

import pytest

from corslint import lint
from tests import emulation
from tests.lab import drawn
from tests.lab.drawn import Compared, compare
from tests.lab.installation import require


@pytest.fixture
def recording() -> dict[str, Any]:
    """One case of a recording, beside the application alone."""
    whole = copy.deepcopy(dict(emulation.recordings()["koa-cors"]))
    case = next(case for case in whole["cases"] if case != emulation.BARE and "options" in whole["cases"][case])
    kept = {emulation.BARE, case}
    whole["cases"] = {name: given for name, given in whole["cases"].items() if name in kept}
    whole["rows"] = [row for row in whole["rows"] if row["case"] in kept]
    return whole


def test_equal_answers_agree(recording: dict[str, Any]) -> None:
    asked = sum(row["case"] != emulation.BARE for row in recording["rows"])
    assert asked >= 10
    assert compare(recording, lint.knowledge()) == Compared(asked, ())


def test_another_answer_is_a_difference(recording: dict[str, Any]) -> None:
    row = next(row for row in recording["rows"] if row["case"] != emulation.BARE)
    row["answer"]["acao"] = "https://nobody.example"
    (difference,) = compare(recording, lint.knowledge()).differences
    assert "answered {" in difference
    assert "'acao': 'https://nobody.example'" in difference
    assert "emulated {" in difference


def test_a_difference_fails_the_run(
    recording: dict[str, Any], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(drawn, "drawn", lambda seed, cases, names: {"koa-cors": recording})
    assert drawn.main(["7"]) == 0
    recording["rows"][-1]["answer"]["status"] = 299
    assert drawn.main(["7"]) == 1
    assert "koa-cors: 1 of" in capsys.readouterr().out
    monkeypatch.setattr(drawn, "drawn", lambda seed, cases, names: {})
    assert drawn.main(["7"]) == 1  # nothing was compared


def test_what_cannot_be_asked_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> dict[str, Any]:
        raise subprocess.CalledProcessError(2, "record_oracle")

    monkeypatch.setattr(drawn, "drawn", fail)
    assert drawn.main(["7"]) == 2


def test_options_are_drawn_and_the_library_is_asked(capsys: pytest.CaptureFixture[str]) -> None:
    require("node", "node_modules")
    assert drawn.main(["7", "koa-cors", "--cases", "2"]) == 0
    assert "answers of 1 libraries agree" in capsys.readouterr().out
