"""Fingerprints: names for findings that outlive the line they stand on.

A report that is compared with yesterday's, and a baseline, must know a finding again after lines were added above it,
the file was indented anew, or a formatter chose other quotes. A fingerprint is therefore made of the rule's id, the
file's path and what the finding's line says, never of a line number. Findings that agree in all of that are numbered
from the top of the file.

The message and the related places are not part of it: they name other files, which change on their own. Neither is the
column: a later corslint may point at another word of the line.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence

from corslint.model.finding import Finding
from corslint.source import SourceFile, Span

VERSION = 1
"""Goes up when the same finding gets another fingerprint."""

_LONGEST_LINE = 1000
"""Bytes. Of a longer line (a bundle, a data URL) only what is reported counts: the rest changes with every build."""

_MOST_LINES = 5
"""How many lines are looked at for one that says something, where a finding begins with a lone bracket."""

_QUOTES = str.maketrans({'"': "'", "`": "'"})


def fingerprints(
    findings: Sequence[Finding], sources: Callable[[str], SourceFile], name: Callable[[str], str] = str
) -> tuple[str, ...]:
    """The fingerprint of each finding, in the findings' order: 32 hexadecimal digits, all different.

    It does not depend on that order, nor on findings of other rules or files. `name` says how a path is written in it;
    where runs may start in different folders, it has to be one that counts from a fixed place, with `/`.
    Of findings with the same rule and the same primary span, the first given one has the lower number.
    """
    keys = [_key(finding, sources, name) for finding in findings]
    order = sorted(range(len(findings)), key=lambda at: (keys[at], findings[at].primary))
    made = [""] * len(findings)
    seen: dict[bytes, int] = {}
    for at in order:
        number = seen[keys[at]] = seen.get(keys[at], 0) + 1
        made[at] = hashlib.sha256(b"%s\0%d" % (keys[at], number)).hexdigest()[:32]
    return tuple(made)


def _key(finding: Finding, sources: Callable[[str], SourceFile], name: Callable[[str], str]) -> bytes:
    path = finding.primary.path
    parts = (finding.rule, name(path), _said(sources(path), finding.primary))
    return "\0".join(parts).encode("utf-8", "surrogatepass")


def _said(source: SourceFile, span: Span) -> str:
    """What the line of a place says, without its looks. Empty where the finding is about the file as a whole."""
    start, end = min(span.start, len(source.data)), min(span.end, len(source.data))
    if span.start == span.end == 0 or start == len(source.data):
        return ""
    first, last = source.position(start).line, source.position(max(start, end - 1)).line
    said = ""
    for line in range(first, min(last, first + _MOST_LINES - 1) + 1):
        whole = source.line_span(line)
        if whole.end - whole.start > _LONGEST_LINE:
            whole = Span(
                span.path, max(start, whole.start), min(end, whole.end, max(start, whole.start) + _LONGEST_LINE)
            )
        said += _normal(source.data[whole.start : whole.end].decode("utf-8", "surrogateescape"))
        if any(map(str.isalnum, said)):
            break
    return said


def _normal(line: str) -> str:
    """A line without what formatters change: space, the kind of quotes, what ends an item or a statement."""
    return "".join(line.split()).translate(_QUOTES).rstrip(",;")
