"""Ignore comments: findings that a comment in the source says are meant to be there.

    // corslint: ignore[wildcard-origin] public data       on the line of the finding, or alone on the line above
    # corslint: ignore-file[proxy-http-version] reason     anywhere in the file
    # corslint: disable[a-rule] ... # corslint: enable     from here to there

A comment always names rules. Where several say the same, the one nearest to the finding counts, and the others are
without effect: what is without effect becomes a fact, about which a rule speaks (`ignore_comment`).
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Collection, Iterable
from typing import TYPE_CHECKING

from corslint.model.facts import Fact, Field
from corslint.model.finding import Finding
from corslint.records import NamedTuple
from corslint.regexes import regex
from corslint.settings import near_name
from corslint.source import SourceFile, Span

if TYPE_CHECKING:
    from corslint.parsers.comments import Comment, Remarks

FACT = "ignore_comment"
MARK = b"corslint:"
VERBS = ("ignore", "ignore-file", "disable", "enable")

_DIRECTIVE = regex(rb"corslint:[ \t]*(?P<verb>[A-Za-z][\w-]*)(?P<list>[ \t]*\[(?P<ids>[^\]\r\n]*)(?P<closed>\])?)?")
_MARKS = b" \t*!#/"
_LONGEST_PREFIX = 200
_MOST_SUGGESTIONS = 100
"""Names in one file for which one that is nearly like them is looked for, which takes a millisecond each."""
_ID = regex(rb"[^\s,]+(?:[ \t]+[^\s,]+)*")


class Named(NamedTuple):
    """A rule that a comment names, and where."""

    rule: str
    span: Span


class Directive(NamedTuple):
    """What one comment says to corslint. `span` runs from `corslint:` to the closing bracket.

    `fault` is why it says nothing: `unknown-verb`, `no-rules`, `not-closed`.
    """

    verb: str
    named: tuple[Named, ...]
    span: Span
    comment: Comment
    fault: str = ""


def directives(source: SourceFile, remarks: Remarks) -> list[Directive]:
    """What the comments of a file say to corslint, in text order."""
    found = []
    for comment in remarks.comments:
        text = source.data[comment.text.start : comment.text.end]
        if MARK in text:
            begun = [one for one in _DIRECTIVE.finditer(text) if _begins(text, one.start())]
            found += [_directive(source, comment, one) for one in begun]
    return [one for one in found if one is not None]


def _begins(text: bytes, at: int) -> bool:
    """Whether a comment may begin at this place of another, as in `# noqa # corslint: ...`; prose is none."""
    line = max(text.rfind(b"\n", 0, at) + 1, at - _LONGEST_PREFIX)
    before = text[line:at]
    kept = before.rstrip(_MARKS)
    marks = before[len(kept) :]
    return not kept or b"#" in marks or b"//" in marks or kept.endswith(b"--")


def _directive(source: SourceFile, comment: Comment, found: re.Match[bytes]) -> Directive | None:
    begin = comment.text.start
    verb = found["verb"].decode("ascii")
    span = Span(source.path, begin + found.start(), begin + found.start() + len(found.group().rstrip()))
    if verb not in VERBS:
        meant = near_name(verb, VERBS)
        listed = found["list"] is not None
        return Directive(verb, (), span, comment, "unknown-verb") if meant or listed else None
    if found["list"] is None:
        return Directive(verb, (), span, comment, "" if verb == "enable" else "no-rules")
    if found["closed"] is None:
        return Directive(verb, (), span, comment, "not-closed")
    named = []
    for one in _ID.finditer(found["ids"]):
        place = begin + found.start("ids")
        at = Span(source.path, place + one.start(), place + one.end())
        named.append(Named(one.group().decode("utf-8", "replace"), at))
    fault = "" if named or verb == "enable" else "no-rules"
    return Directive(verb, tuple(named), span, comment, fault)


class _Range(NamedTuple):
    """What one name in one comment is about. `width` orders those that are about the same: the narrowest counts.

    Lines are 1-based and inclusive; `start` and `end` are byte offsets.
    """

    directive: Directive
    named: Named
    width: int
    lines: tuple[int, int] | None = None
    start: int = 0
    end: int = 0

    def covers(self, at: int, lines: tuple[int, int]) -> bool:
        """Whether it is about an offset, which lies on these lines."""
        if self.lines is not None:
            return self.lines[0] <= lines[1] and lines[0] <= self.lines[1]
        return self.start <= at < self.end


class Marked:
    """A file and what its comments say about findings."""

    def __init__(self, source: SourceFile) -> None:
        self._source = source
        from corslint.parsers import comments  # few projects have a comment that is meant for us

        self._remarks = comments.read(source)
        self._starts = _line_starts(source.data)
        self._code: dict[int, bool] = {}
        self._next: dict[int, int] = {}
        self._comment_starts = [comment.span.start for comment in self._remarks.comments]
        self._joined = _joined(self._remarks.joined, self._line)
        self.directives = directives(source, self._remarks)
        self._used: set[Span] = set()
        self.unopened: list[tuple[Directive, Named | None]] = []
        self._ranges: dict[str, list[_Range]] = {}
        self._covered: dict[Span, _Range] = {}
        for one in self._all_ranges():
            self._ranges.setdefault(one.named.rule, []).append(one)
            self._covered.setdefault(one.directive.span, one)

    def suppresses(self, finding: Finding) -> bool:
        """Whether a comment speaks about the finding; that comment has an effect then."""
        at = finding.primary.start
        line = self.lines(at)
        about = [one for one in self._ranges.get(finding.rule, ()) if one.covers(at, line)]
        if about:
            self._used.add(min(about, key=lambda one: one.width).named.span)
        return bool(about)

    def speaks(self, directive: Directive, at: int) -> bool:
        """Whether a comment would take back findings at an offset, if it named their rules."""
        one = self._covered.get(directive.span)
        return one is not None and one.covers(at, self.lines(at))

    def lines(self, at: int) -> tuple[int, int]:
        """The lines that count as the one where an offset lies: a text that runs over several is one line."""
        line = self._line(at)
        return next((one for one in self._joined if one[0] <= line <= one[1]), (line, line))

    def facts(
        self, known: Collection[str], wanted: Callable[[str], bool], certain: Callable[[str], bool]
    ) -> list[Fact]:
        """What is wrong with comments that name `wanted` rules. `known` are all rules.

        Whether a comment about a rule has an effect is only said where that is `certain`.
        """
        found: list[Fact] = []
        for directive in self.directives:
            useless = [
                named
                for named in directive.named
                if directive.verb != "enable"
                and wanted(named.rule)
                and named.rule in known
                and named.span not in self._used
                and certain(named.rule)
            ]
            if len(useless) == len(directive.named) > 0:
                names = ", ".join(named.rule for named in useless)
                found.append(self._fact(directive, "unused", directive.span, names))
            else:
                found += [self._fact(directive, "unused", named.span, named.rule) for named in useless]
        return found

    def faults(self, known: Collection[str]) -> list[Fact]:
        """What is wrong with comments whatever was found: nobody can tell what they mean."""
        found: list[Fact] = []
        near: dict[str, str | None] = {}
        for directive in self.directives:
            if directive.fault:
                meant = near_name(directive.verb, VERBS) if directive.fault == "unknown-verb" else None
                found.append(self._fact(directive, directive.fault, directive.span, "", meant))
            for named in directive.named:
                if named.rule not in known:
                    if named.rule not in near and len(near) < _MOST_SUGGESTIONS:
                        near[named.rule] = near_name(named.rule, known)
                    found.append(self._fact(directive, "unknown-rule", named.span, named.rule, near.get(named.rule)))
        for directive, opened in self.unopened:
            if opened is None:
                found.append(self._fact(directive, "unopened", directive.span, ""))
            elif opened.rule in known:
                found.append(self._fact(directive, "unopened", opened.span, opened.rule))
        return found

    def _fact(self, directive: Directive, problem: str, span: Span, rule: str, suggestion: str | None = None) -> Fact:
        fields = {
            "problem": Field(problem, "written", span),
            "verb": Field(directive.verb, "written", span),
            "rule": Field(rule, "written", span) if rule else Field(None, "absent", span),
            "suggestion": Field(suggestion, "written", span) if suggestion else Field(None, "absent", span),
            "covers": Field(self._covers(directive), "written", span),
        }
        return Fact(FACT, span, fields)

    def _covers(self, directive: Directive) -> str:
        one = self._covered.get(directive.span)
        if directive.verb == "ignore-file" or one is None:
            return "in this file"
        if one.lines is None:
            return f"between here and line {self._line(max(one.end - 1, one.start))}"
        first, last = one.lines
        return f"on line {last}" if self._stands_alone(directive.comment) else f"on line {first}"

    def _all_ranges(self) -> list[_Range]:
        ranges: list[_Range] = []
        opened: dict[str, tuple[Directive, Named]] = {}

        def close(rule: str, at: int) -> None:
            directive, named = opened.pop(rule)
            ranges.append(_Range(directive, named, at - directive.span.start + 2, None, directive.span.start, at))

        whole = len(self._source.data) + 1
        for directive in self.directives:
            if directive.fault:
                continue
            if directive.verb == "enable":
                if not directive.named and not opened:
                    self.unopened.append((directive, None))
                self.unopened += [(directive, named) for named in directive.named if named.rule not in opened]
                closed = {named.rule for named in directive.named} & opened.keys() if directive.named else set(opened)
                for rule in sorted(closed):
                    close(rule, directive.span.start)
                continue
            about = self._about(directive) if directive.verb == "ignore" else None
            for named in directive.named:
                if directive.verb == "ignore":
                    ranges.append(_Range(directive, named, 1, about))
                elif directive.verb == "ignore-file":
                    ranges.append(_Range(directive, named, whole + 2, None, 0, whole))
                else:
                    opened.setdefault(named.rule, (directive, named))
        for rule in list(opened):
            close(rule, whole)
        return ranges

    def _about(self, directive: Directive) -> tuple[int, int]:
        """The lines that an `ignore` speaks about: its own, and the next line of code where it stands alone."""
        comment = directive.comment.span
        first, last = self._line(comment.start), self._line(max(comment.start, comment.end - 1))
        if not self._stands_alone(directive.comment):
            return first, last
        return first, min(self._next_code(last + 1), len(self._starts))

    def _stands_alone(self, comment: Comment) -> bool:
        return not self._has_code(self._line(comment.span.start)) and not self._has_code(
            self._line(max(comment.span.start, comment.span.end - 1))
        )

    def _next_code(self, line: int) -> int:
        """The next line with code, from `line` on; comments between do not count, but an empty line does."""
        passed = []
        while line not in self._next and line <= len(self._starts):
            if self._has_code(line) or not self._text(line).strip():
                break
            passed.append(line)
            line += 1
        found = self._next.get(line, line)
        self._next.update(dict.fromkeys(passed, found))
        return found

    def _text(self, line: int) -> bytes:
        end = self._starts[line] if line < len(self._starts) else len(self._source.data)
        return self._source.data[self._starts[line - 1] : end]

    def _has_code(self, line: int) -> bool:
        """Whether anything but comments stands on a line."""
        known = self._code.get(line)
        if known is None:
            known = self._code[line] = self._holds_code(line)
        return known

    def _holds_code(self, line: int) -> bool:
        start = self._starts[line - 1]
        text = bytearray(self._text(line).removeprefix(b"\xef\xbb\xbf") if line == 1 else self._text(line))
        if line == 1:
            start += len(self._text(line)) - len(text)
        end = start + len(text)
        number = max(bisect_right(self._comment_starts, start) - 1, 0)
        for comment in self._remarks.comments[number : number + len(text) + 1]:
            if comment.span.start >= end:
                break
            if comment.span.end > start:
                low, high = max(comment.span.start, start) - start, min(comment.span.end, end) - start
                text[low:high] = b" " * (high - low)
        return bool(text.strip())

    def _line(self, at: int) -> int:
        return bisect_right(self._starts, at)


def _line_starts(data: bytes) -> list[int]:
    return [0, *(found.end() for found in re.finditer(rb"\n", data))]


def _joined(spans: Iterable[Span], line_of: Callable[[int], int]) -> list[tuple[int, int]]:
    """Groups of lines that count as one, in order."""
    groups: list[tuple[int, int]] = []
    for first, last in sorted((line_of(span.start), line_of(max(span.start, span.end))) for span in spans):
        if groups and first <= groups[-1][1]:
            groups[-1] = (groups[-1][0], max(last, groups[-1][1]))
        else:
            groups.append((first, last))
    return groups


class Suppressions:
    """The ignore comments of all files of a run."""

    def __init__(
        self, paths: Iterable[str], source: Callable[[str], SourceFile], about_comments: Collection[str]
    ) -> None:
        """`about_comments` are rules that speak about ignore comments: whether these count is decided last."""
        self._about_comments = frozenset(about_comments)
        self._files = {path: Marked(source(path)) for path in paths if MARK in source(path).data}

    def left(self, findings: Iterable[Finding]) -> list[Finding]:
        """The findings that no comment speaks about."""
        return [
            finding
            for finding in findings
            if finding.primary.path not in self._files or not self._files[finding.primary.path].suppresses(finding)
        ]

    def facts(self, known: Collection[str], uncertain: Callable[[str, str], bool], *, last: bool) -> list[Fact]:
        """What is wrong with the comments; `last`: with those about rules that speak about comments themselves.

        `uncertain` says of a path and a rule that nobody can tell whether it would speak there.
        """
        found: list[Fact] = []
        for path, marked in self._files.items():
            found += marked.facts(
                known,
                lambda rule: (rule in self._about_comments) is last,
                lambda rule, path=path: not uncertain(path, rule),  # type: ignore[misc]
            )
            if not last:
                found += marked.faults(known)
        return found
