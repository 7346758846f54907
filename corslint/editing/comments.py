"""Edits of comments to corslint, in any syntax: they leave everything but comments as it was, or are not made."""

from __future__ import annotations

import re

from corslint.editing import Change, Order, apply_changes, line_end, line_start, next_line
from corslint.parsers import comments
from corslint.parsers.comments import Comment, Remarks
from corslint.records import NamedTuple
from corslint.source import SourceFile, Span
from corslint.suppression import Directive, directives

_MARKS = b" \t*!#/-"
_SPACE = b" \t"


def edit(source: SourceFile, order: Order) -> tuple[Change, ...] | None:
    """Removes the comment at the place of the order, or one rule of several that it names; None where that is none."""
    remarks = comments.read(source)
    directive = next((one for one in directives(source, remarks) if one.span.covers(order.span)), None)
    if directive is None:
        return None
    if len(directive.named) > 1 and order.span != directive.span:
        change = _without_name(directive, order.span)
    else:
        change = _without_directive(source.data, directive)
    return (change,) if is_harmless(source, remarks, change) else None


def is_harmless(source: SourceFile, remarks: Remarks, *changes: Change) -> bool:
    """Whether a file is the same but for its comments once these changes are made."""
    changed = SourceFile(source.path, apply_changes(source.data, changes))
    return comments.read(changed).code == remarks.code


def _without_name(directive: Directive, span: Span) -> Change:
    names = [named.span for named in directive.named]
    at = next((number for number, one in enumerate(names) if one.covers(span)), len(names) - 1)
    if at + 1 < len(names):
        return Change(names[at].start, names[at + 1].start, b"")
    return Change(names[at - 1].end, names[at].end, b"")


class _Rest(NamedTuple):
    """The piece of a comment that is one directive with its reason, and whether the comment says anything else."""

    start: int
    end: int
    alone: bool


def _piece(data: bytes, comment: Comment, directive: Directive) -> _Rest:
    text = comment.text
    line = max(text.start, data.rfind(b"\n", 0, directive.span.start) + 1)
    until = min(text.end, line_end(data, directive.span.start))
    kept = data[line : directive.span.start].rstrip(_MARKS)
    following = re.compile(rb"(?<![ \t])[ \t]+(?:#|//|--)[ \t]*(?=\w+:)").search(data, directive.span.end, until)
    end = following.start() if following is not None else until
    others = data[text.start : line] + kept + data[end : text.end]
    return _Rest(line + len(kept), end, not others.strip(_MARKS + b"\r\n"))


def _without_directive(data: bytes, directive: Directive) -> Change:
    piece = _piece(data, directive.comment, directive)
    if not piece.alone:
        return _within(data, directive.comment, piece)
    start, end = directive.comment.span.start, directive.comment.span.end
    begins, ends = line_start(data, start), line_end(data, end)
    if not data[begins:start].strip() and not data[end:ends].strip():
        if next_line(data, end) > ends or begins < 2:
            return Change(begins, next_line(data, end), b"")
        return Change(len(data[:begins].rstrip(b"\r\n")), ends, b"")  # the last line of a file without a final line end
    while start > begins and data[start - 1 : start] in (b" ", b"\t"):
        start -= 1
    if start == begins:  # it opens its line: what follows keeps its indentation
        start = directive.comment.span.start
        while data[end : end + 1] in (b" ", b"\t"):
            end += 1
        return Change(start, end, b"")
    apart = end == ends or data[end : end + 1] in (b" ", b"\t")
    return Change(start, end, b"" if apart else b" ")


def _within(data: bytes, comment: Comment, piece: _Rest) -> Change:
    """A directive among other text of a comment: its line of a block, or its part of a line."""
    begins, after = line_start(data, piece.start), next_line(data, piece.end)
    if comment.text.start < begins and after <= comment.text.end and not data[begins : piece.start].strip(_MARKS):
        return Change(begins, after, b"")
    return Change(piece.start, piece.end, b"")
