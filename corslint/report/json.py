"""JSON, version 1: fields may be added, never changed.

Lines and columns are 1-based, columns count code points; the end is the place after the last character. `fingerprint`
names the finding also when lines were added above it; paths count from the working directory in all but that.
"""

from __future__ import annotations

from collections.abc import Iterator

from corslint.model.finding import Finding
from corslint.model.fingerprint import fingerprints
from corslint.report import PLAIN, Reported, Run, severities
from corslint.report._json import dumps

VERSION = 1


def render(report: Reported, run: Run = PLAIN) -> Iterator[str]:
    """The whole report as one document."""
    counts = severities(report.findings)
    document = {
        "version": VERSION,
        "findings": list(objects(report, run)),
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
    yield dumps(document) + "\n"


def objects(report: Reported, run: Run) -> Iterator[dict[str, object]]:
    """The findings, each as the object that stands for it."""
    names = fingerprints(report.findings, report.sources, run.name)
    for finding, fingerprint in zip(report.findings, names, strict=True):
        yield {**_finding(finding, report), "fingerprint": fingerprint}


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
