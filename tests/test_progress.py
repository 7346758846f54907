"""The bar: on a terminal only, on long work only, and gone before anything else is written."""

from __future__ import annotations

import io
import os
import pty
import re
import select
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import pytest

import corslint
from corslint.progress import Progress, is_wanted


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


class Clock:
    """A time that goes on by a step with every look."""

    def __init__(self, step: float) -> None:
        self.now = 0.0
        self.step = step

    def __call__(self) -> float:
        self.now += self.step
        return self.now


@pytest.fixture(autouse=True)
def terminal(monkeypatch: pytest.MonkeyPatch) -> Terminal:
    monkeypatch.delenv("CI", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    return Terminal()


@pytest.mark.parametrize(
    ("stream", "environment", "expected"),
    [
        (Terminal(), {}, True),
        (io.StringIO(), {}, False),
        (None, {}, False),
        (Terminal(), {"CI": "true"}, False),
        (Terminal(), {"CI": "false"}, True),
        (Terminal(), {"TERM": "dumb"}, False),
    ],
)
def test_where_it_is_wanted(stream: io.StringIO | None, environment: Mapping[str, str], expected: bool) -> None:
    assert is_wanted(stream, environment) is expected


def test_long_work_has_a_bar(terminal: Terminal) -> None:
    bar = Progress(terminal, Clock(0.2))
    assert list(bar.watch("abcd", "reading", "files")) == ["a", "b", "c", "d"]
    assert terminal.getvalue() == (
        "\r\033[Kcorslint: reading [############            ] 2/4 files"
        "\r\033[Kcorslint: reading [##################      ] 3/4 files"
        "\r\033[Kcorslint: reading"
    )
    bar.erase()
    bar.erase()
    assert terminal.getvalue().endswith("reading\r\033[K")
    assert terminal.getvalue().count("\r\033[K") == 4


def test_short_work_has_none(terminal: Terminal) -> None:
    bar = Progress(terminal, Clock(0.01))
    assert list(bar.watch(range(40), "reading", "files")) == list(range(40))
    bar.erase()
    assert terminal.getvalue() == ""


def test_it_is_shown_ten_times_a_second_and_no_more(terminal: Terminal) -> None:
    bar = Progress(terminal, Clock(0.001))
    list(bar.watch(range(1500), "reading", "files"))
    assert terminal.getvalue().count("\r\033[K") == 11


def test_a_terminal_that_goes_away_stops_nothing(terminal: Terminal) -> None:
    bar = Progress(terminal, Clock(1))
    terminal.close()
    # A closed stream is no terminal: it is closed after the bar has begun.
    assert list(bar.watch("ab", "reading", "files")) == ["a", "b"]
    bar.erase()


def test_no_terminal_sees_none() -> None:
    stream = io.StringIO()
    bar = Progress(stream, Clock(1))
    assert list(bar.watch("ab", "reading", "files")) == ["a", "b"]
    bar.erase()
    assert stream.getvalue() == ""


# --- on a real terminal ----------------------------------------------------------------------------------------------

SLOW = """
import sys, time
from corslint import cli, parsers
read = parsers.parse
def parse(source):
    time.sleep({delay})
    return read(source)
import corslint.lint
corslint.lint.parse = parse
sys.exit(cli.run(["check", "."]))
"""


def on_a_terminal(folder: Path, delay: float, **environment: str) -> tuple[int, str, str]:
    """The exit status, standard output, and what a terminal at standard error gets."""
    ours, theirs = pty.openpty()
    kept = {name: value for name, value in os.environ.items() if name != "CI"}
    more = {"PYTHONPATH": str(Path(corslint.__file__).parent.parent), "TERM": "xterm", **environment}
    process = subprocess.Popen(
        [sys.executable, "-c", SLOW.format(delay=delay)],
        cwd=folder, env={**kept, **more}, stdout=subprocess.PIPE, stderr=theirs, text=True,
    )  # fmt: skip
    os.close(theirs)
    seen = b""
    end = time.monotonic() + 60
    while time.monotonic() < end:
        ready, _, _ = select.select([ours], [], [], 1)
        if ready:
            try:
                piece = os.read(ours, 4096)
            except OSError:  # Linux says so where the other side is closed
                break
            if not piece:
                break
            seen += piece
    out, _ = process.communicate(timeout=60)
    os.close(ours)
    return process.returncode, out, seen.decode()


@pytest.fixture
def project(tmp_path: Path) -> Path:
    for number in range(8):
        (tmp_path / f"{number}.js").write_text("require('cors');\n")
    return tmp_path


def test_a_terminal_shows_it_and_is_left_clean(project: Path) -> None:
    status, out, seen = on_a_terminal(project, 0.15)
    assert (status, out) == (0, "corslint: no findings in 8 files\n")
    assert re.search(r"corslint: reading \[#+ *\] [1-7]/8 files", seen)
    assert seen.endswith("\r\033[K")


def test_continuous_integration_does_not_see_it(project: Path) -> None:
    assert on_a_terminal(project, 0.15, CI="true") == (0, "corslint: no findings in 8 files\n", "")
