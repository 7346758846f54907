"""The concise and JSON formats, and the closing line."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from corslint.model.facts import Fact, Field
from corslint.model.finding import Edit, Finding, Fix, Place
from corslint.model.fingerprint import fingerprints
from corslint.report import Merged, closing_line, concise, facts, merged
from corslint.report import json as json_report
from corslint.source import SourceFile, Span

SOURCE = SourceFile("src/a.js", "// é\nlet x = '日本';\n".encode())
OTHER = SourceFile("b.conf", b"\n\nadd_header A b;\n")
SOURCES = {SOURCE.path: SOURCE, OTHER.path: OTHER}.__getitem__


def report(*findings: Finding, **changes: object) -> Merged:
    return Merged(findings, 3, 0, 0, {}, SOURCES)._replace(**changes)  # type: ignore[arg-type]


def written(module: Any, whole: Merged) -> str:
    return "".join(module.render(whole))


AT = SOURCE.data.index("日".encode())
FINDING = Finding(
    "a-rule",
    "error",
    "broken",
    "medium",
    "`日本` is\nno origin",
    "write one",
    Span("src/a.js", AT, AT + 6),
    (Place(Span("b.conf", 2, 12), "added here"),),
)


def test_concise() -> None:
    assert written(concise, report(FINDING)) == "src/a.js:2:10: error: `日本` is\\x0ano origin [a-rule]\n"


def test_concise_is_what_problem_matchers_expect() -> None:
    line = written(concise, report(FINDING._replace(message="m: [x]"))).rstrip("\n")
    match = re.match(r"^(.+?):(\d+):(\d+): (error|warning|note): (.+) \[([a-z0-9-]+)\]$", line)
    assert match is not None
    assert match.groups() == ("src/a.js", "2", "10", "error", "m: [x]", "a-rule")


def test_json() -> None:
    whole = report(FINDING, hidden_notes=4, in_tests=5, passed_over={"minified": 2}, left_out={"suppressed": 1})
    assert json.loads(written(json_report, whole)) == {
        "version": 1,
        "findings": [
            {
                "rule": "a-rule",
                "severity": "error",
                "effect": "broken",
                "confidence": "medium",
                "message": "`日本` is\nno origin",
                "help": "write one",
                "path": "src/a.js",
                "line": 2,
                "column": 10,
                "end_line": 2,
                "end_column": 12,
                "related": [{"path": "b.conf", "line": 3, "column": 1, "message": "added here"}],
                "fingerprint": fingerprints([FINDING], SOURCES)[0],
            }
        ],
        "summary": {
            "files": 3,
            "errors": 1,
            "warnings": 0,
            "notes": 0,
            "hidden_notes": 4,
            "in_tests": 5,
            "passed_over": {"minified": 2},
            "left_out": {"suppressed": 1},
        },
    }


def test_json_of_a_file_name_that_is_not_utf8_is_utf8() -> None:
    source = SourceFile("a\udcff.js", b"x")
    one = FINDING._replace(primary=Span(source.path, 0, 1), related=())
    output = written(json_report, report(one, sources=lambda path: source))
    assert json.loads(output.encode())["findings"][0]["path"] == "a?.js"


def severe(*severities: str) -> list[Finding]:
    return [FINDING._replace(severity=severity) for severity in severities]


def fixable(applicability: str) -> Finding:
    return FINDING._replace(fix=Fix("Mend", applicability, ()))


@pytest.mark.parametrize(
    ("whole", "line"),
    [
        (report(), "no findings in 3 files"),
        (report(files=1), "no findings in 1 file"),
        (report(*severe("error", "error", "error", "warning"), files=214), "found 3 errors and 1 warning in 214 files"),
        (report(*severe("error", "warning", "note", "note")), "found 1 error, 1 warning and 2 notes in 3 files"),
        (report(*severe("note")), "found 1 note in 3 files"),
        (report(fixable("placeholder")), "found 1 error in 3 files"),
        (report(hidden_notes=1), "no findings in 3 files; 1 note hidden (--pedantic shows them)"),
        (report(in_tests=2), "no findings in 3 files; 2 findings in tests (--include-tests shows them)"),
        (
            report(passed_over={"minified": 2, "too large": 1}),
            "no findings in 3 files; passed over 2 minified, 1 too large",
        ),
        (
            report(passed_over={"minified": 1, "node_modules": 1, "unknown kind": 2}),
            "no findings in 3 files; passed over 1 minified, 1 node_modules folder, 2 of unknown kind",
        ),
        (
            report(passed_over={"link out of the tree": 2, "not a regular file": 2}),
            "no findings in 3 files; passed over 2 links out of the tree, 2 that are no regular files",
        ),
        (
            report(passed_over={"vendor": 3, "virtual environment": 1}),
            "no findings in 3 files; passed over 3 vendor folders, 1 virtual environment",
        ),
        (report(fixable("safe")), "found 1 error in 3 files; 1 can be fixed with --fix"),
        (report(fixable("unsafe")), "found 1 error in 3 files; 1 can be fixed with --unsafe-fixes"),
        (
            report(fixable("safe"), fixable("unsafe")),
            "found 2 errors in 3 files; 1 can be fixed with --fix; 1 more with --unsafe-fixes",
        ),
    ],
)
def test_closing_line(whole: Merged, line: str) -> None:
    assert closing_line(whole) == f"corslint: {line}"


def test_merged_sorts_adds_up_and_shows_once_what_two_contexts_found() -> None:
    at_b = FINDING._replace(rule="z-rule", primary=Span("b.conf", 2, 3), related=())
    first = report(FINDING, files=1, hidden_notes=1, passed_over={"minified": 1})
    second = report(at_b, FINDING, files=2, in_tests=1, passed_over={"minified": 2, "too large": 1})
    whole = merged([first, second])
    assert [(one.rule, one.primary.path) for one in whole.findings] == [("z-rule", "b.conf"), ("a-rule", "src/a.js")]
    assert whole[1:5] == (3, 1, 1, {"minified": 3, "too large": 1})
    assert whole.sources("b.conf") is OTHER


def test_merged_knows_the_files_that_only_a_fix_speaks_of() -> None:
    one = FINDING._replace(related=(), fix=Fix("Mend", "safe", (Edit(Span("b.conf", 0, 1), "x"),)))
    assert merged([report(one)]).sources("b.conf") is OTHER


def test_merged_sorts_by_place_in_the_file_not_by_text() -> None:
    source = SourceFile("a.js", b"\n" * 20)
    ones = [FINDING._replace(primary=Span("a.js", at, at), related=()) for at in (10, 2)]
    whole = merged([Merged(tuple(ones), 1, 0, 0, {}, lambda path: source)])
    assert [one.primary.start for one in whole.findings] == [2, 10]


def test_facts() -> None:
    server = Fact("http_server", Span("src/a.js", 6, 9), {})
    policy = Fact(
        "cors_policy",
        Span("b.conf", 2, 12),
        {
            "origin": Field("https://a.example", span=Span("src/a.js", AT, AT + 3)),
            "methods": Field(("GET", "POST"), "default", confidence="medium"),
            "scope": Field(None, "unknown"),
            "app": Field(Span("src/a.js", 6, 9)),
        },
    )
    policy.parts["server"] = server
    assert json.loads(facts.render([server, policy], SOURCES)) == {
        "version": 1,
        "facts": [
            {
                "id": 0,
                "kind": "cors_policy",
                "path": "b.conf",
                "line": 3,
                "column": 1,
                "end_line": 3,
                "end_column": 11,
                "fields": {
                    "app": {
                        "value": {"path": "src/a.js", "line": 2, "column": 1},
                        "state": "written",
                        "confidence": "high",
                    },
                    "methods": {"value": ["GET", "POST"], "state": "default", "confidence": "medium"},
                    "origin": {
                        "value": "https://a.example",
                        "state": "written",
                        "confidence": "high",
                        "path": "src/a.js",
                        "line": 2,
                        "column": 10,
                    },
                    "scope": {"value": None, "state": "unknown", "confidence": "high"},
                },
                "parts": {"server": 1},
            },
            {
                "id": 1,
                "kind": "http_server",
                "path": "src/a.js",
                "line": 2,
                "column": 1,
                "end_line": 2,
                "end_column": 4,
                "fields": {},
                "parts": {},
            },
        ],
    }


def test_facts_drive_no_terminal() -> None:
    evil = "\x1b[2J\x9b\u202e"
    fact = Fact("cors_policy", Span("src/a.js", 6, 9), {"origin": Field(evil)})
    output = facts.render([fact], SOURCES)
    assert all(character == "\n" or character.isprintable() for character in output)
    assert json.loads(output)["facts"][0]["fields"]["origin"]["value"] == evil
