"""`corslint completion`: what it prints makes real shells complete commands, options, rules and files."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import corslint
from corslint import cli

Capture = pytest.CaptureFixture[str]


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """One where `corslint` is a program on the path."""
    folder = Path(corslint.__file__).parent.parent
    program = tmp_path / "bin" / "corslint"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nPYTHONPATH={shlex.quote(str(folder))} exec {sys.executable} -m corslint "$@"\n')
    program.chmod(0o755)
    return {**os.environ, "PATH": f"{program.parent}{os.pathsep}{os.environ['PATH']}"}


def completed(shell: str, line: str, environment: dict[str, str], folder: Path) -> list[str]:
    """What a shell offers at the end of a line."""
    words = line.split(" ")
    scripts = {
        "bash": f"COMP_WORDS=({shlex.join(words)}); COMP_CWORD={len(words) - 1}; COMP_LINE={shlex.quote(line)}\n"
        f"compopt() {{ :; }}; _corslint_completion corslint; printf '%s\\n' \"${{COMPREPLY[@]}}\"",
        "fish": f"complete --do-complete {shlex.quote(line)}",
    }
    start = {"bash": ["bash", "--noprofile", "--norc"], "fish": ["fish", "--no-config"]}[shell]
    script = "source <(corslint completion bash)\n" if shell == "bash" else "corslint completion fish | source\n"
    done = subprocess.run(
        [*start, "-c", script + scripts[shell]],
        cwd=folder, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.stderr == ""
    return [line.partition("\t")[0] for line in done.stdout.splitlines()]


SHELLS = [
    pytest.param(shell, marks=pytest.mark.skipif(shutil.which(shell) is None, reason=f"{shell} is not installed"))
    for shell in ("bash", "fish")
]


@pytest.mark.parametrize("shell", SHELLS)
def test_a_shell_completes(shell: str, environment: dict[str, str], tmp_path: Path) -> None:
    assert completed(shell, "corslint che", environment, tmp_path) == ["check"]
    assert completed(shell, "corslint check --max-w", environment, tmp_path) == ["--max-warnings"]
    assert completed(shell, "corslint check --links ", environment, tmp_path) == ["auto", "always", "never"]
    assert completed(shell, "corslint rule null-or", environment, tmp_path) == ["null-origin-allowed"]
    assert completed(shell, "corslint check --select null-origin-allowed,origin-h", environment, tmp_path) == [
        "null-origin-allowed,origin-header-overwritten"
    ]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_there_is_a_script_for_each_shell(shell: str, capsys: Capture) -> None:
    assert cli.run(["completion", shell]) == 0
    out = capsys.readouterr().out
    assert f"_CORSLINT_COMPLETE={shell}_complete" in out
    if shutil.which(shell) is not None:
        done = subprocess.run([shell, "-n"], input=out, capture_output=True, text=True, check=False)
        assert (done.returncode, done.stderr) == (0, "")


def test_another_shell_is_wrong_use(capsys: Capture) -> None:
    assert cli.run(["completion", "csh"]) == 2
    assert "'csh' is not one of" in capsys.readouterr().err
