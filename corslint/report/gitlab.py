"""GitLab's Code Quality report: an array of issues, a subset of Code Climate's format.

https://docs.gitlab.com/ci/testing/code_quality/#code-quality-report-format
"""

from __future__ import annotations

from collections.abc import Iterator

from corslint.model.finding import Finding
from corslint.model.fingerprint import fingerprints
from corslint.report import PLAIN, Reported, Run, neutral
from corslint.report._json import dumps

_SEVERITIES = {"error": "major", "warning": "minor", "note": "info"}


def render(report: Reported, run: Run = PLAIN) -> Iterator[str]:
    """The array, one issue after the other."""
    names = fingerprints(report.findings, report.sources, run.name)
    before = "[\n"
    for finding, fingerprint in zip(report.findings, names, strict=True):
        yield before + dumps(_issue(finding, report, run, fingerprint))
        before = ",\n"
    yield "\n]\n" if report.findings else "[]\n"


def _issue(finding: Finding, report: Reported, run: Run, fingerprint: str) -> dict[str, object]:
    source = report.sources(finding.primary.path)
    begin, end = source.position(finding.primary.start).line, source.position(finding.primary.end).line
    exploitable = finding.effect == "exploitable"
    severity = "critical" if exploitable and finding.severity == "error" else _SEVERITIES[finding.severity]
    return {
        "type": "issue",
        "check_name": finding.rule,
        "description": neutral(finding.message),
        "categories": ["Security" if exploitable else "Bug Risk"],
        "severity": severity,
        "fingerprint": fingerprint,
        "location": {"path": neutral(run.name(finding.primary.path)), "lines": {"begin": begin, "end": end}},
    }
