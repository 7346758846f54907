"""Reports: one module per output format, and what they share.

A format is a module of this package, and its name is the module's: nothing else has to be told of it. It has

- `render(report, run)`, an iterable of pieces of text;
- `WANTS_FIXES = True`, if it shows what fixes would change (working them out takes time);
- `WANTS_DIAGRAM = True`, if it shows the project as a picture (so does that);
- `FOR_PEOPLE = True`, if it is written in the terminal's encoding. All others are UTF-8, for programs;
- `CLOSES = True`, if it ends with the closing line, which otherwise goes to standard error.

Modules that begin with `_` serve several formats. What a stranger's file says (paths, code, and so messages) goes out
through `neutral`, `shown_path` or an encoding that cannot be left (JSON, URIs).
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Protocol

from corslint.model.finding import Finding
from corslint.records import NamedTuple
from corslint.regexes import regex
from corslint.source import SourceFile, Span

if TYPE_CHECKING:
    from corslint.model.diagram import Diagram

_NO_FORMATS = frozenset({"facts", "trace"})
"""Modules beside the formats that write something else than findings."""


def _formats() -> tuple[str, ...]:
    names = {entry.partition(".")[0] for folder in __path__ for entry in os.listdir(folder) if ".py" in entry}
    return tuple(sorted(name for name in names - _NO_FORMATS if not name.startswith("_")))


FORMATS = _formats()
"""The names of all output formats."""


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

    @property
    def diagrams(self) -> tuple[Diagram, ...]:
        """The pictures of what was checked, where a format wants them."""


class RuleAbout(NamedTuple):
    """What a format may say about a rule, whatever the finding. `severity` is the most severe that it can have.

    `title` is a line, `text` and `markdown` are pages for people, `references` are URLs. `explanation` is what of the
    page says why.
    """

    id: str
    title: str
    severity: str
    effects: tuple[str, ...]
    text: str
    markdown: str
    references: tuple[str, ...] = ()
    explanation: str = ""


def _nothing_known(rule: str) -> RuleAbout:
    words = rule.replace("-", " ")
    return RuleAbout(rule, words, "warning", (), f"{words}\n", f"# {words}\n")


class Run(NamedTuple):
    """What a format may ask beside the findings.

    `colour` and `width` (in columns) are the terminal's. `name` is how services that look at the whole repository
    write a path: counted from its top. `about` tells of a rule that has a finding. `link` is the address of a file, for
    a terminal that shows links; None for one that does not.
    """

    colour: bool = False
    width: int = 120
    name: Callable[[str], str] = str
    about: Callable[[str], RuleAbout] = _nothing_known
    link: Callable[[str], str] | None = None


PLAIN = Run()
"""No terminal, no repository, and nothing known about rules."""


class Format(NamedTuple):
    """An output format; the package's docstring says what its parts mean."""

    render: Callable[[Reported, Run], Iterable[str]]
    wants_fixes: bool
    for_people: bool
    closes: bool
    wants_diagram: bool = False


def format_named(name: str) -> Format:
    """The format of that name, one of `FORMATS`. Its module is loaded now, and what it needs with it."""
    import importlib

    module = importlib.import_module(f"{__name__}.{name}")
    flags = (bool(getattr(module, flag, False)) for flag in ("WANTS_FIXES", "FOR_PEOPLE", "CLOSES", "WANTS_DIAGRAM"))
    return Format(module.render, *flags)


class Merged(NamedTuple):
    """Several reports as one."""

    findings: tuple[Finding, ...]
    files: int
    hidden_notes: int
    in_tests: int
    passed_over: Mapping[str, int]
    sources: Callable[[str], SourceFile]
    left_out: Mapping[str, int] = {}
    diagrams: tuple[Diagram, ...] = ()


def merged(reports: Sequence[Reported]) -> Merged:
    """The reports of several contexts as one. What two of them found alike is shown once."""
    owners: dict[str, Callable[[str], SourceFile]] = {}
    findings: dict[tuple[str, Span], Finding] = {}
    passed_over: dict[str, int] = {}
    left_out: dict[str, int] = {}
    for report in reports:
        for finding in report.findings:
            findings.setdefault((finding.rule, finding.primary), finding)
            places = [finding.primary, *(place.span for place in finding.related)]
            if finding.fix is not None:
                places += [edit.span for edit in finding.fix.edits]
            for span in places:
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
        tuple(one for report in reports for one in report.diagrams),
    )


def advice(finding: Finding) -> str:
    """What is wrong and what to do, as one line, for formats that have one place for both."""
    if not finding.help:
        return finding.message
    return f"{finding.message.rstrip('.')}. {finding.help}"


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
    safe, unsafe = fixes.count("safe"), fixes.count("unsafe")
    if safe:
        parts.append(f"{safe} can be fixed with --fix")
    if unsafe:
        parts.append(f"{unsafe}{' more' if safe else ' can be fixed'} with --unsafe-fixes")
    if report.hidden_notes:
        parts.append(f"{counted(report.hidden_notes, 'note')} hidden (--pedantic shows them)")
    if report.in_tests:
        parts.append(f"{counted(report.in_tests, 'finding')} in tests (--include-tests shows them)")
    parts += [f"{count} {LEFT_OUT[reason]}" for reason, count in report.left_out.items()]
    if report.passed_over:
        parts.append("passed over " + ", ".join(passed_over_words(*one) for one in report.passed_over.items()))
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
    "unfinished rules": ("rule that took too long", "rules that took too long"),
    "unknown kind": ("of unknown kind", "of unknown kind"),
    "virtual environment": ("virtual environment", "virtual environments"),
}
"""What follows the number of files that were passed over for a reason: after 1, after more. The rest are folders."""


def passed_over_words(reason: str, count: int) -> str:
    """`2 minified`, `1 node_modules folder`: how many files or folders were passed over, and why."""
    one, more = _PASSED_OVER.get(reason, (f"{reason} folder", f"{reason} folders"))
    return f"{count} {one if count == 1 else more}"


def counted(count: int, noun: str) -> str:
    """`1 file`, `2 files`."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def listed(items: list[str]) -> str:
    """`a`, `a and b`, `a, b and c`."""
    return " and ".join([", ".join(items[:-1]), items[-1]] if len(items) > 1 else items)


def neutral(text: str) -> str:
    """Text from a stranger's file, made safe for a terminal, for a log and for one line.

    Control characters, terminal escapes, invisible and direction-changing characters are written as escapes, and so is
    what continuous integration takes for a command wherever in a line it stands: `##[error]`, `##vso[...]`.
    """
    if not text.isprintable():
        text = "".join(map(_neutral_character, text))
    return LOG_COMMAND.sub(r"#\\x23", text) if "##" in text else text


LOG_COMMAND = regex(r"##(?=[\w-]*\[)")
"""How a command begins that readers of logs obey wherever in a line it stands; the second `#` is the one to escape."""


def shown_path(path: str) -> str:
    """A path as text that a line may begin with and that ends where it seems to.

    A path that begins with `::` would be a workflow command; one with a colon and a space in it could pretend to be
    another file's finding.
    """
    shown = neutral(path).replace(": ", ":\\x20")
    return f"./{shown}" if shown.lstrip().startswith("::") else shown


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
