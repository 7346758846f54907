"""`path:line:col: error: message [rule-id]`: the shape of gcc's messages, which editors know. Frozen."""

from __future__ import annotations

from corslint.report import Reported, neutral


def render(report: Reported) -> str:
    """One line per finding."""
    lines = []
    for finding in report.findings:
        line, column = report.sources(finding.primary.path).position(finding.primary.start)
        place = f"{neutral(finding.primary.path)}:{line}:{column}"
        lines.append(f"{place}: {finding.severity}: {neutral(finding.message)} [{finding.rule}]\n")
    return "".join(lines)
