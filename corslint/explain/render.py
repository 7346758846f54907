"""An explanation as text for people, and as JSON for programs."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from corslint.explain.causes import Cause
from corslint.explain.explanation import Explanation, filled
from corslint.explain.pasted import Complaint
from corslint.explain.transcripts import Judged
from corslint.model.finding import Finding
from corslint.model.tri import Tri
from corslint.report import neutral, shown_path
from corslint.report._json import no_command
from corslint.rulepages import plain
from corslint.source import SourceFile

Sources = Callable[[str], SourceFile]

_MOST_SAID = 10
_MOST_CAUSES = 8
"""Causes without a finding that are shown; those with one are shown all."""
_MOST_PLACES = 5
_WIDEST = 400
_VERDICTS = {Tri.YES: "allowed", Tri.NO: "blocked", Tri.UNKNOWN: "unknown"}


def text(explained: Explanation, sources: Sources, *, files: int) -> Iterator[str]:
    """The lines for people. `files`: how many files of the project were looked at."""
    if explained.cut:
        yield "(Only the beginning of this text was looked at.)\n\n"
    for answer in explained.answers:
        yield from _answer(answer)
    shown = explained.complaints[:_MOST_SAID]
    lines: set[str] = set()
    for complaint in shown:
        yield from _complaint(complaint, again=complaint.text in lines)
        lines.add(complaint.text)
    if len(explained.complaints) > len(shown):
        yield f"(and {len(explained.complaints) - len(shown)} more messages)\n\n"
    if explained.complaints:
        yield from _causes(explained.causes, sources, files)
    if not any(cause.findings for cause in explained.causes):
        advice = dict.fromkeys(filled(one.message.next, one.clues) for one in shown if one.message.next)
        if advice:
            yield "\nWhat to look at next:\n"
            yield from (f"  {neutral(line)}\n" for line in advice)


def _answer(answer: Judged) -> Iterator[str]:
    one = answer.exchanged
    yield f"{neutral(_cut(f'{one.method} {one.url}'))}: {one.status or 'no status'}\n"
    yield f"  for a page without cookies: {_VERDICTS[answer.allowed]}\n"
    if answer.with_cookies is not None:
        words = f": {_reason(answer.says_with_cookies[0])}" if answer.says_with_cookies else ""
        yield f"  with cookies: {_VERDICTS[answer.with_cookies]}{neutral(_cut(words))}\n"
    if answer.note:
        yield f"  {neutral(answer.note)}\n"
    yield "\n"


def _reason(line: str) -> str:
    """The browser's words without the addresses before them."""
    return line.partition("blocked by CORS policy: ")[2] or line


def _complaint(complaint: Complaint, *, again: bool) -> Iterator[str]:
    if not again:
        yield f"{neutral(_cut(complaint.text))}\n"
    yield f"  {neutral(filled(complaint.message.means, complaint.clues))}\n\n"


def _causes(causes: Sequence[Cause], sources: Sources, files: int) -> Iterator[str]:
    here = [cause for cause in causes if cause.findings]
    elsewhere = [cause for cause in causes if not cause.findings][:_MOST_CAUSES]
    if here:
        yield "Found in this project, the likeliest cause first:\n"
        for cause in here:
            yield f"  {cause.rule.id}: {neutral(_title(cause))}\n"
            yield from (f"    {line}\n" for line in _places(cause.findings, sources))
    if elsewhere:
        if here:
            yield "\nOther causes of such a message, not found here:\n"
        elif files:
            yield "Possible causes, the likeliest first; corslint finds none of them here:\n"
        else:
            yield "Possible causes, the likeliest first:\n"
        yield from (f"  {cause.rule.id}: {neutral(_title(cause))}\n" for cause in elsewhere)
    left = len(causes) - len(here) - len(elsewhere)
    if left > 0:
        yield f"  (and {left} more; `--output-format json` has all)\n"
    if not causes:
        yield "No rule of corslint is about this.\n"


def _places(findings: Sequence[Finding], sources: Sources) -> Iterator[str]:
    for finding in findings[:_MOST_PLACES]:
        at = sources(finding.primary.path).position(finding.primary.start)
        place = f"{shown_path(finding.primary.path)}:{at.line}:{at.column}"
        yield f"{place}: {finding.severity}: {neutral(finding.message)}"
    if len(findings) > _MOST_PLACES:
        yield f"(and {len(findings) - _MOST_PLACES} more places)"


def _title(cause: Cause) -> str:
    return cause.rule.title or plain(cause.rule.cases[0].message)


def _cut(line: str) -> str:
    return line if len(line) <= _WIDEST else f"{line[:_WIDEST]}…"


def as_json(explained: Explanation, sources: Sources) -> str:
    """One object; fields may be added, never changed."""
    content = {
        "version": 1,
        "cut": explained.cut,
        "messages": [_message(one) for one in explained.complaints],
        "answers": [_judged(one) for one in explained.answers],
        "causes": [_cause(one, sources) for one in explained.causes],
    }
    return no_command(json.dumps(content, indent=2, ensure_ascii=True)) + "\n"


def _message(one: Complaint) -> dict[str, Any]:
    return {
        "id": one.message.id,
        "from": one.message.speaker,
        "text": _cut(one.text),
        "means": filled(one.message.means, one.clues),
        "next": filled(one.message.next, one.clues),
        "clues": dict(sorted(one.clues.items())),
    }


def _judged(one: Judged) -> dict[str, Any]:
    return {
        "method": one.exchanged.method,
        "url": one.exchanged.url,
        "status": one.exchanged.status,
        "verdict": _VERDICTS[one.allowed],
        "says": list(one.says),
        "verdict_with_cookies": _VERDICTS[one.allowed if one.with_cookies is None else one.with_cookies],
        "note": one.note,
    }


def _cause(one: Cause, sources: Sources) -> dict[str, Any]:
    return {
        "rule": one.rule.id,
        "title": _title(one),
        "weight": round(one.weight, 2),
        "findings": [_finding(finding, sources) for finding in one.findings],
    }


def _finding(finding: Finding, sources: Sources) -> dict[str, Any]:
    at = sources(finding.primary.path).position(finding.primary.start)
    return {
        "path": finding.primary.path,
        "line": at.line,
        "column": at.column,
        "severity": finding.severity,
        "confidence": finding.confidence,
        "message": finding.message,
        "help": finding.help,
    }
