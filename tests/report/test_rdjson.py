"""Reviewdog's format: places in bytes, and suggestions that are what the fix does."""

from __future__ import annotations

import json
from typing import Any

import jsonschema
import pytest

from corslint import fixes
from corslint.model.finding import Edit, Finding, Fix
from corslint.report import Merged, neutral
from corslint.source import SourceFile, Span
from tests.report.samples import FINDING, OTHER, SOURCE, hostile, report, written


def closed(needed: str = "", **properties: object) -> dict[str, object]:
    return {
        "type": "object",
        "required": needed.split(),
        "properties": properties,
        "additionalProperties": False,
    }


TEXT, NUMBER = {"type": "string"}, {"type": "integer", "minimum": 1}
POSITION = closed("line", line=NUMBER, column=NUMBER)
RANGE = closed("start", start=POSITION, end=POSITION)
LOCATION = closed("path", path=TEXT, range=RANGE)
CODE = closed("value", value=TEXT, url=TEXT)

# The messages of proto/rdf/reviewdog.proto, with only the fields that it has. The output was also checked with
# reviewdog's own JSON schema when this was written, and with the validator of @umbrelladocs/rdformat-validator.
SCHEMA = closed(
    "diagnostics",
    source=closed("name", name=TEXT, url=TEXT),
    severity={"enum": ["ERROR", "WARNING", "INFO"]},
    diagnostics={
        "type": "array",
        "items": closed(
            "message location",
            message={"type": "string", "minLength": 1},
            location=LOCATION,
            severity={"enum": ["ERROR", "WARNING", "INFO"]},
            code=CODE,
            related_locations={"type": "array", "items": closed("location", message=TEXT, location=LOCATION)},
            suggestions={"type": "array", "items": closed("range text", range=RANGE, text=TEXT)},
        ),
    },
)


def diagnostics(whole: Merged) -> list[dict[str, Any]]:
    output = json.loads(written("rdjson", whole))
    jsonschema.validate(output, SCHEMA)
    assert output["source"] == {"name": "corslint"}
    found: list[dict[str, Any]] = output["diagnostics"]
    return found


def replaced(data: bytes, suggestion: dict[str, Any]) -> bytes:
    """What a file becomes, read as reviewdog does: lines of bytes, columns from 1, the end exclusive."""
    lines = data.split(b"\n")

    def offset(position: dict[str, int]) -> int:
        return sum(len(line) + 1 for line in lines[: position["line"] - 1]) + position["column"] - 1

    start, end = offset(suggestion["range"]["start"]), offset(suggestion["range"]["end"])
    text: str = suggestion["text"]
    return data[:start] + text.encode() + data[end:]


def test_a_diagnostic() -> None:
    assert diagnostics(report(FINDING)) == [
        {
            "message": "`日本` is\\x0ano origin. write one",
            "location": {
                "path": "src/a.js",
                "range": {"start": {"line": 2, "column": 10}, "end": {"line": 2, "column": 16}},
            },
            "severity": "ERROR",
            "code": {"value": "a-rule"},
            "related_locations": [
                {
                    "message": "added here",
                    "location": {
                        "path": "b.conf",
                        "range": {"start": {"line": 3, "column": 1}, "end": {"line": 3, "column": 11}},
                    },
                }
            ],
        }
    ]


def test_a_place_beyond_the_end_is_the_end() -> None:
    source = SourceFile("a.js", b"a\nbc")
    one = FINDING._replace(primary=Span("a.js", 9, 12), related=())
    (diagnostic,) = diagnostics(report(one, sources=lambda path: source))
    end = {"line": 2, "column": 3}
    assert diagnostic["location"]["range"] == {"start": end, "end": end}


@pytest.mark.parametrize(("severity", "expected"), [("error", "ERROR"), ("warning", "WARNING"), ("note", "INFO")])
def test_severities(severity: str, expected: str) -> None:
    assert diagnostics(report(FINDING._replace(severity=severity)))[0]["severity"] == expected


def fixed(*edits: Edit, applicability: str = "safe") -> Finding:
    return FINDING._replace(fix=Fix("Mend it", applicability, edits))


X = SOURCE.data.index(b"x")


@pytest.mark.parametrize(
    "edits",
    [
        [Edit(Span("src/a.js", X, X + 1), "é")],
        [Edit(Span("src/a.js", X, X), "before ")],
        [Edit(Span("src/a.js", 0, 7), "")],
        [Edit(Span("src/a.js", 0, 0), "'use strict'\n"), Edit(Span("src/a.js", X, X + 1), "y")],
        [Edit(Span("src/a.js", len(SOURCE.data), len(SOURCE.data)), "// end\n"), Edit(Span("src/a.js", X, X + 1), "y")],
    ],
    ids=["replace", "insert", "delete", "two", "two, the later one first"],
)
def test_a_suggestion_is_what_the_fix_does(edits: list[Edit]) -> None:
    one = fixed(*edits)
    (diagnostic,) = diagnostics(report(one))
    (suggestion,) = diagnostic["suggestions"]
    assert replaced(SOURCE.data, suggestion) == fixes.apply([one], lambda _: SOURCE, unsafe=True).changed["src/a.js"]


def test_a_byte_order_mark_counts() -> None:
    source = SourceFile("a.js", b"\xef\xbb\xbfx = 1\r\n")
    one = fixed(Edit(Span("a.js", 3, 4), "y"))._replace(primary=Span("a.js", 3, 4), related=())
    (diagnostic,) = diagnostics(report(one, sources=lambda path: source))
    assert replaced(source.data, diagnostic["suggestions"][0]) == b"\xef\xbb\xbfy = 1\r\n"


@pytest.mark.parametrize(
    "edits",
    [
        [],
        [Edit(Span("b.conf", 2, 3), "x")],
        [Edit(Span("src/a.js", 0, 1), "x"), Edit(Span("b.conf", 2, 3), "x")],
        [Edit(Span("src/a.js", 0, 1), "\udcff")],
    ],
    ids=["nothing", "another file", "two files", "bytes"],
)
def test_what_is_no_suggestion(edits: list[Edit]) -> None:
    (diagnostic,) = diagnostics(report(fixed(*edits)))
    assert "suggestions" not in diagnostic
    assert "suggested" not in diagnostic["message"]


def test_no_suggestion_where_bytes_between_two_edits_are_no_text() -> None:
    source = SourceFile("a.js", b"a\xffb")
    one = fixed(Edit(Span("a.js", 0, 1), "x"), Edit(Span("a.js", 2, 3), "y"))
    (diagnostic,) = diagnostics(report(one._replace(primary=Span("a.js", 0, 1), related=()), sources=lambda _: source))
    assert "suggestions" not in diagnostic


def test_no_suggestion_over_half_a_file() -> None:
    source = SourceFile("a.js", b"x" * 5000)
    one = fixed(Edit(Span("a.js", 0, 1), "x"), Edit(Span("a.js", 4999, 5000), "y"))
    (diagnostic,) = diagnostics(report(one._replace(primary=Span("a.js", 0, 1), related=()), sources=lambda _: source))
    assert "suggestions" not in diagnostic


def test_an_unsafe_suggestion_says_so() -> None:
    edit = Edit(Span("src/a.js", X, X + 1), "y")
    messages = [
        diagnostics(report(fixed(edit, applicability=applicability)))[0]["message"]
        for applicability in ("safe", "unsafe")
    ]
    assert messages[1] == messages[0] + " (What is suggested may change who can read data.)"


def test_a_placeholder_is_no_suggestion() -> None:
    (diagnostic,) = diagnostics(report(fixed(Edit(Span("src/a.js", X, X + 1), "<y>"), applicability="placeholder")))
    assert "suggestions" not in diagnostic


def test_nothing_found() -> None:
    assert diagnostics(report()) == []


def test_hostile_files() -> None:
    whole = hostile()
    found = diagnostics(whole)
    assert [one["location"]["path"] for one in found] == [neutral(finding.primary.path) for finding in whole.findings]
    with_text = [finding.fix is not None and finding.fix.edits[0].text.isascii() for finding in whole.findings]
    assert [True for one, text in zip(found, with_text, strict=True) if text and "suggestions" not in one] == []
    assert OTHER.path not in {one["location"]["path"] for one in found}
