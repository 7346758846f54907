"""Checkstyle's XML, which Jenkins, reviewdog and many others read."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby

from corslint.model.finding import Finding
from corslint.report import PLAIN, Reported, Run, advice
from corslint.report._xml import DECLARATION, attributes

_SEVERITIES = {"error": "error", "warning": "warning", "note": "info"}


def render(report: Reported, _run: Run = PLAIN) -> Iterator[str]:
    """The document, one file after the other."""
    yield f'{DECLARATION}<checkstyle version="4.3">\n'
    for path, findings in groupby(report.findings, key=lambda finding: finding.primary.path):
        yield f"  <file{attributes(name=path)}>\n"
        yield from (_error(finding, report) for finding in findings)
        yield "  </file>\n"
    yield "</checkstyle>\n"


def _error(finding: Finding, report: Reported) -> str:
    line, column = report.sources(finding.primary.path).position(finding.primary.start)
    written = attributes(
        line=line,
        column=column,
        severity=_SEVERITIES[finding.severity],
        message=advice(finding),
        source=f"corslint.{finding.rule}",
    )
    return f"    <error{written}/>\n"
