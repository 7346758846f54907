"""JUnit's XML: every finding is a test, errors and warnings have failed, notes have passed with a remark.

Jenkins and GitLab refuse a report without tests, so a clean run is one test that passed. Valid against the schema of
Jenkins' xUnit plugin (`junit-10.xsd`), which is why lines stand in names and texts and not in attributes of their own.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby

from corslint.model.finding import Finding
from corslint.report import PLAIN, Reported, Run, counted, shown_path
from corslint.report._xml import DECLARATION, attributes, text


def render(report: Reported, _run: Run = PLAIN) -> Iterator[str]:
    """The document, one test suite per file that has findings."""
    failures = sum(map(_failed, report.findings))
    tests = len(report.findings) or 1
    yield f"{DECLARATION}<testsuites{attributes(name='corslint', tests=tests, failures=failures, errors=0)}>\n"
    for path, findings in groupby(report.findings, key=lambda finding: finding.primary.path):
        yield from _suite(path, list(findings), report)
    if not report.findings:
        yield f"  <testsuite{attributes(name='corslint', tests=1, failures=0, errors=0)}>\n"
        clean = f"no findings in {counted(report.files, 'file')}"
        yield f"    <testcase{attributes(name=clean, classname='corslint')}/>\n"
        yield "  </testsuite>\n"
    yield "</testsuites>\n"


def _failed(finding: Finding) -> bool:
    return finding.severity != "note"


def _suite(path: str, findings: list[Finding], report: Reported) -> Iterator[str]:
    failures = sum(map(_failed, findings))
    yield f"  <testsuite{attributes(name=path, tests=len(findings), failures=failures, errors=0)}>\n"
    for finding in findings:
        line, column = report.sources(path).position(finding.primary.start)
        yield f"    <testcase{attributes(name=f'{finding.rule} at {line}:{column}', classname=path)}>\n"
        told = text(*_told(finding, report))
        if _failed(finding):
            yield f"      <failure{attributes(type=finding.severity, message=finding.message)}>{told}</failure>\n"
        else:
            yield f"      <system-out>{told}</system-out>\n"
        yield "    </testcase>\n"
    yield "  </testsuite>\n"


def _told(finding: Finding, report: Reported) -> Iterator[str]:
    line, column = report.sources(finding.primary.path).position(finding.primary.start)
    yield f"{shown_path(finding.primary.path)}:{line}:{column}: {finding.severity}: {finding.message} [{finding.rule}]"
    for place in finding.related:
        line, column = report.sources(place.span.path).position(place.span.start)
        yield f"{shown_path(place.span.path)}:{line}:{column}: {place.message}"
    if finding.help:
        yield f"help: {finding.help}"
