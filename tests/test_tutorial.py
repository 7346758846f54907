"""docs/tutorial.md is carried out as it stands, in a copy of its project: every command writes what is shown, every
change applies, and at its end the project is as the page says.

`python -m tests.test_tutorial --update` puts the present output into it.
"""

from __future__ import annotations

import contextlib
import io
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from corslint import cli

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "tutorial.md"
PROJECT = ROOT / "fixtures" / "tutorial"

_STEP = re.compile(r"^```(console|diff|toml)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_COMMAND = re.compile(r"\$ (corslint (?:[^\n\"]|\"[^\"]*\")*)\n")
_QUIET = ("CORSLINT_OUTPUT_FORMAT", "FORCE_COLOR", "CLICOLOR_FORCE")


def carried_out(text: str, folder: Path) -> str:
    """The page with what its commands write today, one after the other, in this folder."""
    return _STEP.sub(lambda step: _step(step[1], step[2], step[0], folder), text)


def _step(kind: str, body: str, whole: str, folder: Path) -> str:
    if kind == "diff":
        subprocess.run(["git", "apply", "-"], cwd=folder, input=body.encode(), check=True)
        return whole
    if kind == "toml":
        (folder / "corslint.toml").write_text(body, encoding="utf-8")
        return whole
    command = _COMMAND.match(body)
    assert command is not None, body
    return f"```console\n$ {command[1]}\n{_run(command[1], folder)}```"


def _run(command: str, folder: Path) -> str:
    # As on a terminal: what is found, then the closing line.
    out, errors = io.StringIO(), io.StringIO()
    with contextlib.chdir(folder), contextlib.redirect_stdout(out), contextlib.redirect_stderr(errors):
        cli.run(shlex.split(command)[1:])
    written = out.getvalue()
    return written + ("" if written.endswith("\n") or not written else "\n") + errors.getvalue()


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in _QUIET:
        monkeypatch.delenv(name, raising=False)
    return Path(shutil.copytree(PROJECT, tmp_path / "notes"))


def test_every_command_writes_what_is_shown(project: Path) -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert len(_STEP.findall(text)) == 13
    assert carried_out(text, project) == text


def test_the_project_is_the_one_that_is_shown() -> None:
    (script,) = re.findall(r"^```js\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    assert script == (PROJECT / "web" / "main.js").read_text(encoding="utf-8")


def test_unsafe_fixes_do_the_same(project: Path) -> None:
    """What the page says of the step by hand."""
    _run("corslint check --fix --unsafe-fixes", project)
    proxy = (project / "nginx" / "api.conf").read_text(encoding="utf-8")
    assert "add_header" not in proxy
    assert "$http_upgrade" in proxy
    assert "no findings in 4 files" in _run("corslint check", project)


def test_its_numbers(project: Path) -> None:
    """Three faults, two of them with a safe fix."""
    assert re.search(r"found 2 errors and 1 warning", _run("corslint check", project))
    assert "2 can be fixed with --fix" in _run("corslint check --diff", project)


def update() -> None:
    for name in _QUIET:
        os.environ.pop(name, None)
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(shutil.copytree(PROJECT, Path(folder) / "notes"))
        PAGE.write_text(carried_out(PAGE.read_text(encoding="utf-8"), copy), encoding="utf-8")


if __name__ == "__main__":
    if sys.argv[1:] != ["--update"]:
        sys.exit("python -m tests.test_tutorial --update: puts the present output into docs/tutorial.md")
    update()
