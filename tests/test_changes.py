"""`--changed` and `--since`: what differs from a commit, also where git would run what a repository configures."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

from corslint import changes, cli, discovery

Capture = pytest.CaptureFixture[str]

WILDCARD = "require('express')().use(require('cors')({ origin: '*', credentials: true }));\n"


def git(*arguments: str, cwd: Path | None = None) -> str:
    settings = ("user.name=a", "user.email=a@example.com", "init.defaultBranch=main", "protocol.file.allow=always")
    command = ["git", *(word for each in settings for word in ("-c", each)), *arguments]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    return subprocess.run(command, cwd=cwd, env=environment, check=True, capture_output=True, text=True).stdout.strip()


def write(**files: str) -> None:
    for name, text in files.items():
        path = Path(name.replace("__", "/") + ".js")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode())


def changed(revision: str = "HEAD", *paths: str) -> list[str]:
    found: list[str] = []
    for context in discovery.contexts(paths or (".",), os.getcwd(), as_found=True):
        part = changes.only_changed(context, revision, os.getcwd())
        assert set(part.files) == set(context.files), "the rest is read beside them"
        found += part.lint
    return sorted(found)


@pytest.fixture(autouse=True)
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "repository"
    folder.mkdir()
    monkeypatch.chdir(folder)
    git("init", "--quiet")
    write(same="1\n", edited="1\n", staged="1\n", server__same="1\n", server__edited="1\n", gone="1\n")
    git("add", "--all")
    git("commit", "--quiet", "--message", "a")
    return folder


def edit() -> None:
    write(edited="2\n", staged="2\n", server__edited="2\n", new="1\n")
    git("add", "staged.js")
    Path("gone.js").unlink()


def test_what_differs_from_the_last_commit() -> None:
    assert changed() == []
    edit()
    assert changed() == ["edited.js", "new.js", "server/edited.js", "staged.js"]


def test_a_file_that_was_only_touched_did_not_change() -> None:
    os.utime("same.js", (1, 1))
    write(edited="2\n")
    write(edited="1\n")
    assert changed() == []


def test_paths_say_where_to_look(monkeypatch: pytest.MonkeyPatch) -> None:
    edit()
    assert changed("HEAD", "server") == ["server/edited.js"]
    assert changed("HEAD", "server/edited.js", "same.js") == ["server/edited.js"]
    monkeypatch.chdir("server")
    assert changed() == ["edited.js"]


def test_a_branch_is_compared_with_where_it_left_the_other() -> None:
    git("switch", "--quiet", "--create", "topic")
    write(edited="2\n")
    git("commit", "--quiet", "--all", "--message", "b")
    write(staged="2\n")
    git("switch", "--quiet", "--create", "other", "main")
    write(same="2\n")
    git("add", "same.js")
    git("commit", "--quiet", "--message", "c", "same.js")
    git("switch", "--quiet", "topic")
    assert changed("other") == ["edited.js", "staged.js"], "same.js changed on the other branch only"
    assert changed("main") == ["edited.js", "staged.js"]
    assert changed("HEAD") == ["staged.js"]


def test_before_the_first_commit_everything_is_new(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "empty").mkdir()
    monkeypatch.chdir(tmp_path / "empty")
    git("init", "--quiet")
    write(a="1\n")
    assert changed() == ["a.js"]


def test_line_ends_that_git_converts_are_no_change() -> None:
    write(edited="1\r\n", staged="2\r\n")
    assert changed() == ["staged.js"]


def test_links_ignored_files_and_odd_names() -> None:
    write(**{"a b": "1\n", "ü": "1\n", "a\nb": "1\n"})
    Path(".gitignore").write_text("ignored.js\n")
    write(ignored="1\n")
    Path("link.js").symlink_to("same.js")
    assert changed() == ["a\nb.js", "a b.js", "ü.js"]
    git("add", "--all")
    git("commit", "--quiet", "--message", "b")
    assert changed() == []


def test_submodules_are_compared_with_the_commit_that_is_named(tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    git("init", "--quiet", cwd=other)
    (other / "a.js").write_text("1\n")
    (other / "b.js").write_text("1\n")
    git("add", "--all", cwd=other)
    git("commit", "--quiet", "--message", "a", cwd=other)
    git("submodule", "--quiet", "add", str(other), "inner")
    git("commit", "--quiet", "--message", "b")
    assert changed() == []
    Path("inner/b.js").write_text("2\n")
    assert changed() == ["inner/b.js"]
    git("commit", "--quiet", "--all", "--message", "c", cwd=Path("inner"))
    assert changed() == ["inner/b.js"], "the repository still names the commit before"


def test_nothing_that_a_repository_configures_is_run(tmp_path: Path) -> None:
    ran = tmp_path / "ran"
    program = tmp_path / "program"
    program.write_text(f"#!/bin/sh\ntouch '{ran}'\ncat\n")
    program.chmod(0o755)
    for name in ("filter.x.clean", "filter.x.process", "diff.x.textconv", "diff.external", "core.fsmonitor"):
        git("config", name, str(program))
    Path(".gitattributes").write_text("*.js filter=x diff=x\n")
    write(edited="2\n", same="1\n")
    os.utime("same.js", (1, 1))
    assert changed() == ["edited.js"]
    assert not ran.exists()


@pytest.mark.parametrize("revision", ["nothing", "--output=x", "-h", "HEAD~9", "@{-3}", "main:edited.js", "$(touch x)"])
def test_a_commit_that_does_not_exist(revision: str, capsys: Capture) -> None:
    assert cli.run(["check", "--since", revision]) == 2
    assert capsys.readouterr().err == (
        f"corslint: error: --since: git knows no commit {revision!r} (a shallow clone has only the last ones)\n"
    )
    assert sorted(os.listdir()) == [".git", "edited.js", "gone.js", "same.js", "server", "staged.js"]


def test_outside_of_a_repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path))
    Path("a.js").write_text("1\n")
    assert cli.run(["check", "--changed"]) == 2
    assert "what changed can only be told in a git repository" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--since", ""], "--since: its value is empty"),
        (["--changed", "--since", "HEAD"], "--changed is `--since HEAD`: only one of them can count"),
        (
            ["--changed", "--write-baseline", "x"],
            "--write-baseline writes all findings: it does not go with --changed or --since",
        ),
    ],
)
def test_what_does_not_belong_together(arguments: list[str], message: str, capsys: Capture) -> None:
    assert cli.run(["check", *arguments]) == 2
    assert capsys.readouterr().err.splitlines()[-1] == f"corslint: error: {message}"


def test_findings_have_a_place_in_what_changed(capsys: Capture) -> None:
    write(old=WILDCARD)
    git("add", "--all")
    git("commit", "--quiet", "--message", "b")
    write(new=WILDCARD, server__app="1\n", tests__app=WILDCARD)
    assert cli.run(["check", "--changed", "--output-format", "json"]) == 1
    document = json.loads(capsys.readouterr().out)
    assert [one["path"] for one in document["findings"]] == ["new.js"]
    assert (document["summary"]["files"], document["summary"]["in_tests"]) == (3, 1)
    git("add", "--all")
    git("commit", "--quiet", "--message", "c")
    assert cli.run(["check", "--changed"]) == 0
    assert capsys.readouterr().out == "corslint: no findings in 0 files\n"
