"""`path:line:col: error: message [rule-id]`: the shape of gcc's messages, which editors know. Frozen."""

from __future__ import annotations

from collections.abc import Iterator

from corslint.report import PLAIN, Reported, Run, neutral, shown_path

FOR_PEOPLE = True


def render(report: Reported, _run: Run = PLAIN) -> Iterator[str]:
    """One line per finding."""
    for finding in report.findings:
        line, column = report.sources(finding.primary.path).position(finding.primary.start)
        place = f"{shown_path(finding.primary.path)}:{line}:{column}"
        yield f"{place}: {finding.severity}: {neutral(finding.message)} [{finding.rule}]\n"
