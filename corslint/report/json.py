"""JSON, version 1: fields may be added, never changed.

Lines and columns are 1-based, columns count code points; the end is the place after the last character.
"""

from __future__ import annotations

import json

from corslint.model.finding import Finding
from corslint.report import Reported, severities

VERSION = 1


def render(report: Reported) -> str:
    """The whole report as one document."""
    counts = severities(report.findings)
    document = {
        "version": VERSION,
        "findings": [_finding(finding, report) for finding in report.findings],
        "summary": {
            "files": report.files,
            "errors": counts["error"],
            "warnings": counts["warning"],
            "notes": counts["note"],
            "hidden_notes": report.hidden_notes,
            "in_tests": report.in_tests,
            "passed_over": dict(report.passed_over),
            "left_out": dict(report.left_out),
        },
    }
    # A byte of a file name that is not UTF-8 is a lone surrogate, which JSON cannot carry.
    return json.dumps(document, indent=2, ensure_ascii=False).encode("utf-8", "replace").decode() + "\n"


def _finding(finding: Finding, report: Reported) -> dict[str, object]:
    source = report.sources(finding.primary.path)
    start, end = source.position(finding.primary.start), source.position(finding.primary.end)
    related = []
    for place in finding.related:
        at = report.sources(place.span.path).position(place.span.start)
        related.append({"path": place.span.path, "line": at.line, "column": at.column, "message": place.message})
    return {
        "rule": finding.rule,
        "severity": finding.severity,
        "effect": finding.effect,
        "confidence": finding.confidence,
        "message": finding.message,
        "help": finding.help,
        "path": finding.primary.path,
        "line": start.line,
        "column": start.column,
        "end_line": end.line,
        "end_column": end.column,
        "related": related,
    }
