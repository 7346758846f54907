"""Reviewdog's diagnostic format. Columns count UTF-8 bytes, ends are exclusive.

https://github.com/reviewdog/reviewdog/tree/master/proto/rdf
"""

from __future__ import annotations

from collections.abc import Iterator

from corslint.model.finding import Finding, Fix
from corslint.report import PLAIN, Reported, Run, advice, neutral
from corslint.report._json import dumps
from corslint.source import SourceFile, Span

WANTS_FIXES = True

_SEVERITIES = {"error": "ERROR", "warning": "WARNING", "note": "INFO"}

_UNSAFE = " (What is suggested may change who can read data.)"

_WIDEST_SUGGESTION = 4000
"""Bytes. A suggestion is one piece of a file; edits farther apart than this are not made into one."""


def render(report: Reported, _run: Run = PLAIN) -> Iterator[str]:
    """The whole report as one document."""
    document = {
        "source": {"name": "corslint"},
        "diagnostics": [_diagnostic(finding, report) for finding in report.findings],
    }
    yield dumps(document) + "\n"


def _diagnostic(finding: Finding, report: Reported) -> dict[str, object]:
    whole = finding.fix is not None and finding.fix.applicability != "placeholder"
    suggestion = finding.fix and whole and _suggestion(finding.primary.path, finding.fix, report)
    unsafe = suggestion and finding.fix and finding.fix.applicability == "unsafe"
    made: dict[str, object] = {
        "message": neutral(advice(finding)) + (_UNSAFE if unsafe else ""),
        "location": _location(finding.primary, report),
        "severity": _SEVERITIES[finding.severity],
        "code": {"value": finding.rule},
    }
    if finding.related:
        made["related_locations"] = [
            {"message": neutral(place.message), "location": _location(place.span, report)} for place in finding.related
        ]
    if suggestion:
        made["suggestions"] = [suggestion]
    return made


def _location(span: Span, report: Reported) -> dict[str, object]:
    return {"path": neutral(span.path), "range": _range(report.sources(span.path), span.start, span.end)}


def _range(source: SourceFile, start: int, end: int) -> dict[str, object]:
    return {"start": _position(source, start), "end": _position(source, end)}


def _position(source: SourceFile, offset: int) -> dict[str, int]:
    offset = min(offset, len(source.data))
    line_start = source.data.rfind(b"\n", 0, offset) + 1
    return {"line": source.position(offset).line, "column": offset - line_start + 1}


def _suggestion(path: str, fix: Fix, report: Reported) -> dict[str, object] | None:
    """The fix as one piece of the file to put in place of another; None where it does not fit into that.

    Several suggestions would be taken for alternatives, and none can speak of another file.
    """
    edits = sorted(fix.edits, key=lambda edit: edit.span)
    if not edits or any(edit.span.path != path for edit in edits):
        return None
    source = report.sources(path)
    start, end = edits[0].span.start, max(edit.span.end for edit in edits)
    if end - start > _WIDEST_SUGGESTION:
        return None
    new, at = b"", start
    try:
        for edit in edits:
            new += source.data[at : edit.span.start] + edit.text.encode()
            at = edit.span.end
        return {"range": _range(source, start, end), "text": new.decode()}
    except UnicodeError:  # JSON cannot hold the bytes that would have to stand there
        return None
