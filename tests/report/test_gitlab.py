"""GitLab's Code Quality report: the keys that GitLab needs, with values that it knows."""

from __future__ import annotations

import json
from typing import Any

import jsonschema
import pytest

from corslint.model.fingerprint import fingerprints
from corslint.report import Merged, Run, neutral
from tests.report.samples import FINDING, SOURCES, hostile, report, written

# https://docs.gitlab.com/ci/testing/code_quality/#code-quality-report-format; paths must not begin with `./`.
SCHEMA = {
    "type": "array",
    "items": {
        "type": "object",
        "required": ["description", "check_name", "fingerprint", "severity", "location"],
        "properties": {
            "description": {"type": "string", "minLength": 1},
            "check_name": {"type": "string", "pattern": "^[a-z0-9-]+$"},
            "fingerprint": {"type": "string", "pattern": "^[0-9a-f]{32}$"},
            "severity": {"enum": ["info", "minor", "major", "critical", "blocker"]},
            "type": {"const": "issue"},
            "categories": {"type": "array", "items": {"enum": ["Bug Risk", "Security"]}, "minItems": 1},
            "location": {
                "type": "object",
                "required": ["path", "lines"],
                "properties": {
                    "path": {"type": "string", "pattern": "^(?!\\./)"},
                    "lines": {
                        "type": "object",
                        "required": ["begin"],
                        "properties": {"begin": {"type": "integer", "minimum": 1}, "end": {"type": "integer"}},
                    },
                },
            },
        },
    },
}


def issues(whole: Merged, run: Run | None = None) -> list[dict[str, Any]]:
    output = json.loads(written("gitlab", whole, run or Run()))
    jsonschema.validate(output, SCHEMA)
    assert isinstance(output, list)
    return output


def test_an_issue() -> None:
    assert issues(report(FINDING), Run(name=lambda path: f"web/{path}")) == [
        {
            "type": "issue",
            "check_name": "a-rule",
            "description": "`日本` is\\x0ano origin",
            "categories": ["Bug Risk"],
            "severity": "major",
            "fingerprint": fingerprints([FINDING], SOURCES, lambda path: f"web/{path}")[0],
            "location": {"path": "web/src/a.js", "lines": {"begin": 2, "end": 2}},
        }
    ]


@pytest.mark.parametrize(
    ("severity", "effect", "expected"),
    [
        ("error", "exploitable", ("critical", "Security")),
        ("error", "broken", ("major", "Bug Risk")),
        ("warning", "exploitable", ("minor", "Security")),
        ("warning", "degraded", ("minor", "Bug Risk")),
        ("note", "exploitable", ("info", "Security")),
    ],
)
def test_severities(severity: str, effect: str, expected: tuple[str, str]) -> None:
    (issue,) = issues(report(FINDING._replace(severity=severity, effect=effect)))
    assert (issue["severity"], *issue["categories"]) == expected


def test_nothing_found_is_an_empty_array() -> None:
    assert written("gitlab", report()) == "[]\n"


def test_hostile_files() -> None:
    whole = hostile()
    found = issues(whole)
    assert [issue["description"] for issue in found] == [neutral(finding.message) for finding in whole.findings]
    assert len({issue["fingerprint"] for issue in found}) == len(whole.findings)
