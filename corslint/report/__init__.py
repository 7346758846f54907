"""Reports: one module per output format, each with `render(report, ...) -> str`, and what they share."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple, Protocol

from corslint.model.finding import Finding
from corslint.source import SourceFile, Span

FORMATS = ("text", "concise", "json")


class Reported(Protocol):
    """What a report is made of; `corslint.lint.Report` is one."""

    @property
    def findings(self) -> tuple[Finding, ...]:
        """Findings to show, sorted by path, line, column and rule."""

    @property
    def files(self) -> int:
        """How many files were checked."""

    @property
    def hidden_notes(self) -> int:
        """How many notes are not shown."""

    @property
    def in_tests(self) -> int:
        """How many findings in test files are not shown."""

    @property
    def passed_over(self) -> Mapping[str, int]:
        """How many files or folders were not read, by reason."""

    @property
    def sources(self) -> Callable[[str], SourceFile]:
        """The files that findings point into; a file that could not be read is empty."""

    @property
    def left_out(self) -> Mapping[str, int]:
        """How many more findings there are, by the reason why they are not shown; a key of `LEFT_OUT`."""


class Merged(NamedTuple):
    """Several reports as one."""

    findings: tuple[Finding, ...]
    files: int
    hidden_notes: int
    in_tests: int
    passed_over: Mapping[str, int]
    sources: Callable[[str], SourceFile]
    left_out: Mapping[str, int] = {}


def merged(reports: Sequence[Reported]) -> Merged:
    """The reports of several contexts as one. What two of them found alike is shown once."""
    owners: dict[str, Callable[[str], SourceFile]] = {}
    findings: dict[tuple[str, Span], Finding] = {}
    passed_over: dict[str, int] = {}
    left_out: dict[str, int] = {}
    for report in reports:
        for finding in report.findings:
            findings.setdefault((finding.rule, finding.primary), finding)
            for span in (finding.primary, *(place.span for place in finding.related)):
                owners.setdefault(span.path, report.sources)
        for reason, count in report.passed_over.items():
            passed_over[reason] = passed_over.get(reason, 0) + count
        for reason, count in report.left_out.items():
            left_out[reason] = left_out.get(reason, 0) + count

    def sources(path: str) -> SourceFile:
        return owners[path](path)

    def order(finding: Finding) -> tuple[str, int, int, str]:
        at = sources(finding.primary.path).position(finding.primary.start)
        return finding.primary.path, at.line, at.column, finding.rule

    return Merged(
        tuple(sorted(findings.values(), key=order)),
        sum(report.files for report in reports),
        sum(report.hidden_notes for report in reports),
        sum(report.in_tests for report in reports),
        dict(sorted(passed_over.items())),
        sources,
        {reason: left_out[reason] for reason in LEFT_OUT if reason in left_out},
    )


def severities(findings: Iterable[Finding]) -> dict[str, int]:
    """How many findings there are of each severity, most severe first."""
    counts = {"error": 0, "warning": 0, "note": 0}
    for finding in findings:
        counts[finding.severity] += 1
    return counts


def closing_line(report: Reported) -> str:
    """`corslint: found 3 errors and 1 warning in 214 files`, and what the reader does not see above it."""
    counts = [counted(count, severity) for severity, count in severities(report.findings).items() if count]
    where = counted(report.files, "file")
    parts = [f"corslint: found {listed(counts)} in {where}" if counts else f"corslint: no findings in {where}"]
    fixes = [finding.fix.applicability for finding in report.findings if finding.fix is not None]
    safe = fixes.count("safe")
    if safe:
        parts.append(f"{safe} can be fixed with --fix")
    if len(fixes) > safe:
        parts.append(f"{len(fixes) - safe}{' more' if safe else ' can be fixed'} with --unsafe-fixes")
    if report.hidden_notes:
        parts.append(f"{counted(report.hidden_notes, 'note')} hidden (--pedantic shows them)")
    if report.in_tests:
        parts.append(f"{counted(report.in_tests, 'finding')} in tests (--include-tests shows them)")
    parts += [f"{count} {LEFT_OUT[reason]}" for reason, count in report.left_out.items()]
    if report.passed_over:
        parts.append("passed over " + ", ".join(_passed_over(*one) for one in report.passed_over.items()))
    return "; ".join(parts)


LEFT_OUT = {
    "suppressed": "suppressed by comments",
    "baseline": "in the baseline",
    "unsure": "not shown as less sure than min-confidence",
}
"""What follows the number of findings that are left out for a reason."""

_PASSED_OVER = {
    "excluded": ("excluded", "excluded"),
    "link out of the tree": ("link out of the tree", "links out of the tree"),
    "minified": ("minified", "minified"),
    "not a regular file": ("that is no regular file", "that are no regular files"),
    "too large": ("too large", "too large"),
    "unknown kind": ("of unknown kind", "of unknown kind"),
    "virtual environment": ("virtual environment", "virtual environments"),
}
"""What follows the number of files that were passed over for a reason: after 1, after more. The rest are folders."""


def _passed_over(reason: str, count: int) -> str:
    one, more = _PASSED_OVER.get(reason, (f"{reason} folder", f"{reason} folders"))
    return f"{count} {one if count == 1 else more}"


def counted(count: int, noun: str) -> str:
    """`1 file`, `2 files`."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def listed(items: list[str]) -> str:
    """`a`, `a and b`, `a, b and c`."""
    return " and ".join([", ".join(items[:-1]), items[-1]] if len(items) > 1 else items)


def neutral(text: str) -> str:
    """Text from a stranger's file, made safe for a terminal and for one line.

    Control characters, terminal escapes, invisible and direction-changing characters are written as escapes.
    """
    if text.isprintable():
        return text
    return "".join(map(_neutral_character, text))


def _neutral_character(character: str) -> str:
    if character.isprintable():
        return character
    number = ord(character)
    if 0xDC80 <= number <= 0xDCFF:  # a byte that is not UTF-8, kept by `surrogateescape`
        return f"\\x{number - 0xDC00:02x}"
    if character in _SPACES:
        return character
    if number < 0x100:
        return f"\\x{number:02x}"
    return f"\\u{number:04x}" if number < 0x10000 else f"\\U{number:08x}"


# The separators that are nothing but spaces (category Zs).
_SPACES = frozenset("\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000")
