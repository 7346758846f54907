"""Findings: what is wrong, where, how sure we are, and how to mend it."""

from __future__ import annotations

from corslint.records import NamedTuple
from corslint.source import Span

SEVERITIES = ("error", "warning", "note")
"""From most to least severe."""

EFFECTS = ("broken", "exploitable", "degraded", "policy", "tool")
CONFIDENCES = ("high", "medium", "low")


class Place(NamedTuple):
    """A related place and what it has to do with the finding."""

    span: Span
    message: str


class Edit(NamedTuple):
    """Replace the bytes of `span` with `text`."""

    span: Span
    text: str


class Fix(NamedTuple):
    """Edits that mend a finding, possibly in several files.

    `applicability` is `safe`, `unsafe`, or `placeholder`: then the user has to fill something in, and it is never made.
    """

    title: str
    applicability: str
    edits: tuple[Edit, ...]


class Finding(NamedTuple):
    """One fault. The primary span is where the fix goes; every other place involved is related.

    `fenced`: it can be reached in development only, so it is never more than a note.
    """

    rule: str
    severity: str
    effect: str
    confidence: str
    message: str
    help: str
    primary: Span
    related: tuple[Place, ...] = ()
    fix: Fix | None = None
    fenced: bool = False
