"""Workflow commands: GitHub Actions shows them as annotations on the lines of a pull request.

How the runner reads them: `src/Runner.Common/ActionCommand.cs` and `src/Runner.Worker/ActionCommandManager.cs` in
https://github.com/actions/runner. It drops the columns of a place that goes over several lines, and paths have to count
from the top of the repository.
"""

from __future__ import annotations

from collections.abc import Iterator

from corslint.model.finding import SEVERITIES, Finding
from corslint.report import PLAIN, Reported, Run, counted, neutral, severities, shown_path

_LEVELS = {"error": "error", "warning": "warning", "note": "notice"}
_DATA = str.maketrans({"%": "%25", "\r": "%0D", "\n": "%0A"})
_PROPERTY = str.maketrans({"%": "%25", "\r": "%0D", "\n": "%0A", ":": "%3A", ",": "%2C"})

_SHOWN = 10
"""How many annotations of each level GitHub shows for a step (docs/problem-matchers.md in actions/toolkit)."""


def render(report: Reported, run: Run = PLAIN) -> Iterator[str]:
    """One line per finding, the most severe first: GitHub shows the first ones only, and a line says so."""
    for finding in sorted(report.findings, key=lambda one: SEVERITIES.index(one.severity)):
        yield _command(finding, report, run)
    more = [counted(count, level) for level, count in severities(report.findings).items() if count > _SHOWN]
    if more:
        yield f"corslint: of {' and '.join(more)} GitHub shows {_SHOWN} each as annotations; all stand in this log\n"


def _command(finding: Finding, report: Reported, run: Run) -> str:
    source = report.sources(finding.primary.path)
    start, end = source.position(finding.primary.start), source.position(finding.primary.end)
    properties: dict[str, object] = {
        "title": f"corslint ({finding.rule})",
        "file": neutral(run.name(finding.primary.path)),
        "line": start.line,
        "endLine": end.line,
    }
    if start.line == end.line:
        properties |= {"col": start.column, "endColumn": end.column}
    written = ",".join(f"{key}={str(value).translate(_PROPERTY)}" for key, value in properties.items())
    told = "\n".join(_told(finding, report)).translate(_DATA)
    return f"::{_LEVELS[finding.severity]} {written}::{told}\n"


def _told(finding: Finding, report: Reported) -> Iterator[str]:
    """The message with what the log would lack: it shows no place."""
    yield neutral(finding.message)
    line, column = report.sources(finding.primary.path).position(finding.primary.start)
    yield f"  --> {shown_path(finding.primary.path)}:{line}:{column}"
    for place in finding.related:
        line, column = report.sources(place.span.path).position(place.span.start)
        yield f"  ::: {shown_path(place.span.path)}:{line}:{column}: {neutral(place.message)}"
    if finding.help:
        yield f"  help: {neutral(finding.help)}"
