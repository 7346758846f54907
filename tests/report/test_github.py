"""GitHub annotations, read back as GitHub's runner reads them."""

from __future__ import annotations

from typing import Any, NamedTuple

import pytest

from corslint.model.finding import Finding
from corslint.report import Merged, Run, neutral
from corslint.source import SourceFile, Span
from tests.report.samples import FINDING, hostile, report, written

KNOWN = {"error", "warning", "notice"}


class Command(NamedTuple):
    name: str
    properties: dict[str, str]
    data: str


def unescaped(text: str, *more: tuple[str, str]) -> str:
    for token, character in (("%0D", "\r"), ("%0A", "\n"), *more, ("%25", "%")):
        text = text.replace(token, character)
    return text


def parsed(line: str) -> Command | None:
    """A line as the runner takes it (`ActionCommand.TryParseV2`)."""
    line = line.lstrip()
    end = line.find("::", 2)
    if not line.startswith("::") or end < 0:
        return None
    name, _, rest = line[2:end].partition(" ")
    if name not in KNOWN:
        return None
    pairs = [pair.split("=", 1) for pair in rest.strip().split(",") if pair]
    properties = {pair[0]: unescaped(pair[1], ("%3A", ":"), ("%2C", ",")) for pair in pairs if len(pair) == 2}
    return Command(name, properties, unescaped(line[end + 2 :]))


def commands(whole: Merged, **run: Any) -> list[Command]:
    lines = written("github", whole, Run(**run)).splitlines()
    found = [parsed(line) for line in lines]
    assert [line for line, command in zip(lines, found, strict=True) if command is None] == []
    return [command for command in found if command]


def test_an_annotation() -> None:
    assert commands(report(FINDING)) == [
        Command(
            "error",
            {
                "title": "corslint (a-rule)",
                "file": "src/a.js",
                "line": "2",
                "endLine": "2",
                "col": "10",
                "endColumn": "12",
            },
            "`日本` is\\x0ano origin\n  --> src/a.js:2:10\n  ::: b.conf:3:1: added here\n  help: write one",
        )
    ]


def test_the_exact_line() -> None:
    one = FINDING._replace(message="100%: a, b", help="", related=())
    assert written("github", report(one)) == (
        "::error title=corslint (a-rule),file=src/a.js,line=2,endLine=2,col=10,endColumn=12"
        "::100%25: a, b%0A  --> src/a.js:2:10\n"
    )


@pytest.mark.parametrize(("severity", "level"), [("error", "error"), ("warning", "warning"), ("note", "notice")])
def test_levels(severity: str, level: str) -> None:
    assert [command.name for command in commands(report(FINDING._replace(severity=severity)))] == [level]


def test_paths_count_from_the_top_of_the_repository_but_people_read_theirs() -> None:
    (command,) = commands(report(FINDING), name=lambda path: f"web/{path}")
    assert command.properties["file"] == "web/src/a.js"
    assert "--> src/a.js:2:10\n" in command.data


def test_a_place_over_several_lines_has_no_columns_which_the_runner_would_drop() -> None:
    source = SourceFile("a.js", b"cors({\n  x,\n})\n")
    one = FINDING._replace(primary=Span("a.js", 0, 14), related=())
    (command,) = commands(report(one, sources=lambda path: source))
    assert {key: command.properties.get(key) for key in ("line", "endLine", "col", "endColumn")} == {
        "line": "1",
        "endLine": "3",
        "col": None,
        "endColumn": None,
    }


def test_what_stands_in_files_is_data_and_nothing_else() -> None:
    whole = hostile()
    found = commands(whole)
    assert len(found) == len(whole.findings)
    expected: list[Finding] = sorted(whole.findings, key=lambda one: ("error", "warning", "note").index(one.severity))
    for command, finding in zip(found, expected, strict=True):
        assert set(command.properties) == {"title", "file", "line", "endLine", "col", "endColumn"}
        assert command.properties["title"] == "corslint (a-rule)"
        assert command.properties["file"] == neutral(finding.primary.path)
        assert command.data.split("\n")[0] == neutral(finding.message)


def test_odd_but_harmless_paths_are_exact() -> None:
    name = "a, b: 100%25 [x]/é=::.js"
    source = SourceFile(name, b"x")
    one = FINDING._replace(primary=Span(name, 0, 1), related=())
    (command,) = commands(report(one, sources=lambda path: source))
    assert command.properties["file"] == name


def many(severity: str, count: int) -> list[Finding]:
    return [FINDING._replace(severity=severity, rule=f"r-{number}") for number in range(count)]


def test_the_most_severe_come_first_and_what_github_hides_is_said() -> None:
    lines = written("github", report(*many("note", 10), *many("warning", 12), *many("error", 11))).splitlines()
    assert [line.partition(" ")[0] for line in lines[:-1]] == ["::error"] * 11 + ["::warning"] * 12 + ["::notice"] * 10
    assert lines[-1] == (
        "corslint: of 11 errors and 12 warnings GitHub shows 10 each as annotations; all stand in this log"
    )


def test_nothing_found_is_nothing_said() -> None:
    assert written("github", report()) == ""
    assert len(written("github", report(*many("error", 10))).splitlines()) == 10
