"""The problem matchers in editors/: Node runs their expressions over what corslint really writes."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from corslint import cli
from tests.lab.installation import require

ROOT = Path(__file__).parent.parent
RUNNER = Path(__file__).with_name("problem_matchers.mjs")
GITHUB = ROOT / "editors" / "github-problem-matcher.json"
VSCODE = ROOT / "editors" / "vscode-tasks.json"

Capture = pytest.CaptureFixture[str]

WILDCARD = "require('express')().use(require('cors')({ origin: '*', credentials: true }));\n"
ODD = (
    "a b/ü (1).js",
    "[id]/日本.js",
    "x:y.js",
    "C:/app/s.js",
    "a:1:2.js",
    "--> x.js",
    "back\\slash.js",
    "error[a-rule]: x.js",
    "::error::x.js",
)
"""Paths that have misled expressions."""


class Problem(NamedTuple):
    path: str
    line: str
    column: str
    severity: str
    rule: str
    message: str


def output_of(capsys: Capture, *arguments: str) -> str:
    capsys.readouterr()
    assert cli.run(["check", *arguments]) in (0, 1)
    return capsys.readouterr().out


def matched(consumer: str, output: str) -> dict[str, list[dict[str, str]]]:
    """The problems that each matcher finds: by owner for GitHub, by the task's position for VS Code."""
    node = require("node").node
    assert node is not None
    path = GITHUB if consumer == "github" else VSCODE
    done = subprocess.run(
        [node, RUNNER, consumer, path], input=output.encode(), capture_output=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stderr.decode()
    found = json.loads(done.stdout)
    assert isinstance(found, dict)
    return found


def problems(found: list[dict[str, str]]) -> list[Problem]:
    names = ("file", "line", "column", "severity", "code", "message")
    return [Problem(*(one[name] for name in names)) for one in found]


def expected(capsys: Capture, words: dict[str, str], *arguments: str) -> list[Problem]:
    """The findings as problems, from the JSON report; the severities in a consumer's words."""
    findings = json.loads(output_of(capsys, "--output-format", "json", *arguments))["findings"]
    return [
        Problem(
            one["path"],
            str(one["line"]),
            str(one["column"]),
            words[one["severity"]],
            one["rule"],
            one["message"],
        )
        for one in findings
    ]


IN_GITHUB = {"error": "error", "warning": "warning", "note": "notice"}
IN_VSCODE = {"error": "error", "warning": "warning", "note": "info"}


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A broken application: findings with places in several files, of every severity, and files of odd names."""
    for name in ("NO_COLOR", "FORCE_COLOR", "CLICOLOR_FORCE", "CORSLINT_OUTPUT_FORMAT"):
        monkeypatch.delenv(name, raising=False)
    shutil.copytree(ROOT / "fixtures" / "projects" / "chat" / "bad", tmp_path / "chat")
    for number, name in enumerate(ODD):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("\n" * number + WILDCARD)
    monkeypatch.chdir(tmp_path)
    return tmp_path


ARGUMENTS = ("--pedantic", "--", "chat", *ODD)


def test_the_project_has_what_the_matchers_are_tried_on(project: Path, capsys: Capture) -> None:
    findings = json.loads(output_of(capsys, "--output-format", "json", *ARGUMENTS))["findings"]
    assert {one["severity"] for one in findings} == {"error", "warning", "note"}
    assert {one["path"] for one in findings} >= set(ODD)
    assert max(len({place["path"] for place in one["related"]}) for one in findings) > 1


@pytest.mark.parametrize("colour", ["never", "always"])
@pytest.mark.parametrize(
    ("output_format", "owners"),
    [("concise", ("corslint", "corslint-note")), ("text", ("corslint-text", "corslint-text-note"))],
)
def test_github(project: Path, capsys: Capture, output_format: str, owners: tuple[str, str], colour: str) -> None:
    output = output_of(capsys, "--output-format", output_format, "--color", colour, *ARGUMENTS)
    found = matched("github", output)
    assert {owner for owner, some in found.items() if some} == set(owners)
    wanted = [as_written(one) for one in expected(capsys, IN_GITHUB, *ARGUMENTS)]
    loud, quiet = (problems(found[owner]) for owner in owners)
    assert loud == [one for one in wanted if one.severity != "notice"]
    assert quiet == [one for one in wanted if one.severity == "notice"]
    assert {one.severity for one in loud} == {"error", "warning"}


def as_written(problem: Problem) -> Problem:
    """How a problem with a path that could mislead is written; see `corslint.report.shown_path`."""
    path = problem.path.replace(": ", ":\\x20")
    return problem._replace(path=f"./{path}" if path.startswith("::") else path)


@pytest.mark.parametrize("colour", ["never", "always"])
@pytest.mark.parametrize(("task", "output_format"), [(0, "concise"), (1, "text")])
def test_vscode(project: Path, capsys: Capture, task: int, output_format: str, colour: str) -> None:
    document = json.loads(VSCODE.read_text(encoding="utf-8"))
    arguments = document["tasks"][task]["args"]
    assert arguments == ["check", "--output-format", output_format, "."]
    output = output_of(capsys, *arguments[1:-1], "--color", colour, *ARGUMENTS)
    found = matched("vscode", output)
    assert problems(found[str(task)]) == [as_written(one) for one in expected(capsys, IN_VSCODE, *ARGUMENTS)]
    assert found[str(1 - task)] == []


def test_every_place_is_found_where_it_is_on_the_disk(project: Path, capsys: Capture) -> None:
    """GitHub drops a file that does not exist; the escapes of odd paths are the only ones that do not."""
    found = matched("github", output_of(capsys, "--output-format", "concise", *ARGUMENTS))
    lost = {one.path for one in problems(found["corslint"]) if not Path(one.path).exists()}
    assert lost == {"error[a-rule]:\\x20x.js"}


FAKE = (
    "src/main.js:1:1: error: injected [a-rule]",
    " --> src/main.js:1:1",
    "error[a-rule]: injected",
)
"""Lines of output that a file has no business to write."""

HOSTILE = (f"{FAKE[0]}.js", f"a\n{FAKE[0]}\n.js", f"a\n{FAKE[1]}\n.js", f"{FAKE[2]}\n{FAKE[1]}\n.js")


@pytest.mark.parametrize("consumer", ["github", "vscode"])
@pytest.mark.parametrize("output_format", ["concise", "text"])
@pytest.mark.parametrize("name", HOSTILE, ids=range(len(HOSTILE)))
def test_a_file_cannot_pretend_to_be_another(
    project: Path, capsys: Capture, consumer: str, output_format: str, name: str
) -> None:
    path = Path("odd") / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(WILDCARD.replace("'*',", f"'*', /*\n{line}\n*/") for line in FAKE))
    assert expected(capsys, IN_GITHUB, "odd"), "there has to be a finding"
    output = output_of(capsys, "--output-format", output_format, "--pedantic", "odd")
    assert all(f"| {line}\n" in output for line in FAKE) or output_format == "concise"
    found = [one for some in matched(consumer, output).values() for one in some]
    assert [(one["code"], one["line"]) for one in found] == [
        ("wildcard-origin-with-credentials", line) for line in ("1", "4", "7")
    ]
    assert all(one["file"].startswith("odd/") for one in found)


def test_a_long_line_takes_no_time(project: Path) -> None:
    """The runner gives an expression a second, and removes a matcher that takes longer three times."""
    import time

    lines = ["1:1:" * 20_000, "a" * 100_000 + ":1:1: error: ", " " * 100_000, "error[" + "a-" * 50_000]
    began = time.monotonic()
    assert not any(matched("github", "\n".join(lines)).values())
    assert time.monotonic() - began < 3


def test_a_wrong_matcher_is_noticed(project: Path) -> None:
    """The runner of the tests refuses what GitHub refuses: it is no test that cannot fail."""
    node = require("node").node
    document: dict[str, Any] = json.loads(GITHUB.read_text(encoding="utf-8"))
    wrong = Path("wrong.json")
    for change in ({"message": None}, {"column": 9}):
        pattern = {**document["problemMatcher"][0]["pattern"][0], **change}
        wrong.write_text(json.dumps({"problemMatcher": [{"owner": "x", "pattern": [pattern]}]}))
        done = subprocess.run([str(node), RUNNER, "github", wrong], input=b"", capture_output=True, check=False)
        assert done.returncode == 1
