"""`-` with `--stdin-filename`: a file as an editor holds it, in the midst of the project on the disk."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from pathlib import Path

import pytest

from corslint import cli, discovery
from tests.test_hooks import CLIENT, MISMATCH, PROJECT, WILDCARD

Capture = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A server and a client that get on, in a repository."""
    folder = tmp_path / "project"
    for name, text in PROJECT.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    subprocess.run(["git", "init", "--quiet"], cwd=folder, check=True)
    monkeypatch.chdir(folder)
    monkeypatch.delenv("CORSLINT_OUTPUT_FORMAT", raising=False)
    return folder


def check(monkeypatch: pytest.MonkeyPatch, text: str | bytes, *arguments: str) -> int:
    data = text if isinstance(text, bytes) else text.encode()
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data)))
    return cli.run(["check", *arguments, "-"])


def found(capsys: Capture) -> list[tuple[str, str, int]]:
    return [(one["rule"], one["path"], one["line"]) for one in json.loads(capsys.readouterr().out)["findings"]]


def test_what_is_given_counts_and_not_what_is_on_the_disk(monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    text = CLIENT % "true"
    status = check(monkeypatch, text, "--stdin-filename", "client/socket.js", "--output-format", "json")
    assert (status, found(capsys)) == (1, [(MISMATCH, "server/index.js", 6)])
    Path("client/socket.js").write_text(text)
    text = CLIENT % "false"
    assert check(monkeypatch, text, "--stdin-filename", "client/socket.js") == 0
    assert capsys.readouterr().out == "corslint: no findings in 1 file\n"


def test_the_source_is_shown_as_it_was_given(monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    Path("app.js").write_text("nothing of the kind\n")
    assert check(monkeypatch, f"// first\n{WILDCARD}", "--stdin-filename", "app.js", "--output-format", "concise") == 1
    assert capsys.readouterr().out.startswith("app.js:2:52: error: ")
    assert check(monkeypatch, f"// first\n{WILDCARD}", "--stdin-filename", "app.js") == 1
    assert "2 | require('express')" in capsys.readouterr().out


@pytest.mark.parametrize("name", ["new/folder/app.js", "app.py", "my app.js", "../elsewhere.js"])
def test_the_file_need_not_exist(name: str, monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    python = "import flask, flask_cors\nflask_cors.CORS(flask.Flask('x'), supports_credentials=True)\n"
    text = python if name.endswith(".py") else WILDCARD
    assert check(monkeypatch, text, "--stdin-filename", name, "--output-format", "json") == 1
    assert [path for _, path, _ in found(capsys)] == [name]


def test_a_name_that_says_nothing_is_told_by_the_content(monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    nginx = (
        "server {\n    listen 80;\n    add_header Access-Control-Allow-Origin https://a.example https://b.example;\n}\n"
    )
    assert check(monkeypatch, nginx, "--stdin-filename", "deploy/site", "--output-format", "json") == 1
    assert [path for _, path, _ in found(capsys)] == ["deploy/site"]
    assert check(monkeypatch, "Some words.\n", "--stdin-filename", "deploy/site") == 0
    assert capsys.readouterr().out == "corslint: no findings in 0 files; passed over 1 of unknown kind\n"


def test_settings_of_its_folder_count(monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    Path("server/corslint.toml").write_text('exclude = ["gen/"]\nignore = ["wildcard-origin-with-credentials"]\n')
    assert check(monkeypatch, WILDCARD, "--stdin-filename", "server/app.js") == 0
    assert check(monkeypatch, WILDCARD, "--stdin-filename", "app.js") == 1
    capsys.readouterr()
    reflected = WILDCARD.replace("'*'", "true")
    assert check(monkeypatch, reflected, "--stdin-filename", "server/gen/app.js") == 1
    assert check(monkeypatch, reflected, "--stdin-filename", "server/gen/app.js", "--force-exclude") == 0


def test_a_test_file_was_named(monkeypatch: pytest.MonkeyPatch) -> None:
    assert check(monkeypatch, WILDCARD, "--stdin-filename", "tests/app.js") == 1
    assert check(monkeypatch, WILDCARD, "--stdin-filename", "tests/app.js", "--force-exclude") == 0


def test_the_patch_is_one_of_what_was_given(monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    text = "server {\n    listen 80;\n    add_header Access-Control-Allow-Origin https://a.example/;\n}\n"
    Path("nginx.conf").write_text("# something else\n")
    assert check(monkeypatch, text, "--stdin-filename", "nginx.conf", "--diff", "--unsafe-fixes") == 1
    assert "-    add_header Access-Control-Allow-Origin https://a.example/;\n" in capsys.readouterr().out
    assert Path("nginx.conf").read_text() == "# something else\n"


def test_too_much_is_said(monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    monkeypatch.setattr(discovery, "NAMED_SIZE_LIMIT", 10)
    assert check(monkeypatch, WILDCARD, "--stdin-filename", "app.js", "--output-format", "json") == 1
    (one,) = json.loads(capsys.readouterr().out)["findings"]
    assert (one["effect"], one["path"]) == ("tool", "app.js")
    assert "too large" in one["message"]


def test_bytes_that_are_no_text(monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    assert check(monkeypatch, b"\xff\xfe" + WILDCARD.encode("utf-16-le"), "--stdin-filename", "app.js") == 1
    assert "UTF-16" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["-"], "`-` needs --stdin-filename FILE: the name says the language and the project"),
        (["-", "--stdin-filename", ""], "`-` needs --stdin-filename FILE: the name says the language and the project"),
        (
            ["server", "--stdin-filename", "a.js"],
            "--stdin-filename goes with the path `-`, which stands for standard input",
        ),
        (
            ["-", "server", "--stdin-filename", "a.js"],
            "`-` stands for standard input and goes alone (a file of that name is `./-`)",
        ),
        (
            ["-", "--stdin-filename", "a.js", "--fix"],
            "--fix does not go with standard input; --diff shows what it would change",
        ),
        (["-", "--stdin-filename", "a.js", "--changed"], "--changed does not go with standard input"),
        (["-", "--stdin-filename", "a.js", "--add-ignores"], "--add-ignores does not go with standard input"),
        (["-", "--stdin-filename", "server"], "server is a folder: standard input stands in for a file"),
    ],
)
def test_what_does_not_belong_together(
    arguments: list[str], message: str, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"")))
    assert cli.run(["check", *arguments]) == 2
    assert capsys.readouterr().err.splitlines()[-1] == f"corslint: error: {message}"


def test_a_closed_standard_input(monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    monkeypatch.setattr(sys, "stdin", None)
    assert cli.run(["check", "-", "--stdin-filename", "a.js"]) == 2
    assert capsys.readouterr().err == "corslint: error: standard input is closed\n"
