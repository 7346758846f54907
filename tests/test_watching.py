"""`check --watch`: a run after every change, errors that can be mended meanwhile, and an end by Ctrl-C."""

from __future__ import annotations

import os
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from corslint import cli

BROKEN = "require('express')().use(require('cors')({ origin: '*', credentials: true }));\n"
RULE = "[wildcard-origin-with-credentials]"
WAITING = "corslint: waiting for changes"
PATIENCE = 60


class Watching:
    """A command that goes on, and the lines that it writes."""

    def __init__(self, folder: Path, *arguments: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "corslint", "check", "--watch", "--output-format", "concise", *arguments],
            cwd=folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
        )
        self._lines: queue.Queue[str] = queue.Queue()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._lines.put(line)

    def run(self) -> str:
        """What it wrote until it waited again."""
        said = ""
        while WAITING not in said:
            said += self._lines.get(timeout=PATIENCE)
        return said

    def end(self) -> int:
        """Interrupt it, and say with which status it ended."""
        self._process.send_signal(signal.SIGINT)
        return self._process.wait(PATIENCE)

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()
        self._reader.join(PATIENCE)
        if self._process.stdout is not None:
            self._process.stdout.close()


@pytest.fixture
def started(tmp_path: Path) -> Iterator[list[Watching]]:
    """What is running; it is ended whatever happens."""
    (tmp_path / ".git").mkdir()
    (tmp_path / "server.js").write_text(BROKEN)
    running: list[Watching] = []
    yield running
    for one in running:
        one.kill()


def _start(running: list[Watching], folder: Path, *arguments: str) -> Watching:
    running.append(Watching(folder, *arguments))
    return running[-1]


def test_every_change_is_checked_until_it_is_interrupted(tmp_path: Path, started: list[Watching]) -> None:
    watching = _start(started, tmp_path)
    assert RULE in watching.run()
    (tmp_path / "server.js").write_text("// nothing\n")
    assert RULE not in watching.run()
    (tmp_path / "more").mkdir()
    (tmp_path / "more" / "server.js").write_text(BROKEN)
    said = watching.run()
    while RULE not in said:  # the folder alone was seen
        said = watching.run()
    assert f"more{os.sep}server.js" in said or "more/server.js" in said
    assert watching.end() == 1


def test_wrong_settings_are_said_and_can_be_mended(tmp_path: Path, started: list[Watching]) -> None:
    settings = tmp_path / "corslint.toml"
    settings.write_text("ignore = 3\n")
    watching = _start(started, tmp_path, ".")
    assert "corslint.toml" in watching.run()
    settings.write_text('ignore = ["wildcard-origin-with-credentials"]\n')
    said = watching.run()
    while "corslint.toml" in said:  # half written
        said = watching.run()
    assert RULE not in said
    assert watching.end() == 0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--fix"], "--fix does not go with --watch"),
        (["--write-baseline", "b.json"], "--write-baseline does not go with --watch"),
        (["-"], "standard input does not go with --watch"),
        (["nowhere"], "nowhere: no such file or folder"),
    ],
)
def test_what_does_not_go_with_it(
    arguments: list[str], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert cli.run(["check", "--watch", *arguments]) == 2
    assert said in capsys.readouterr().err


def test_without_watchfiles_it_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(sys.modules, "watchfiles", None)
    assert cli.run(["check", "--watch"]) == 2
    assert "pip install 'corslint[watch]'" in capsys.readouterr().err
