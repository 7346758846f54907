"""What a run over one context found, and the runs in which there is nothing to look at: these load nothing more."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from corslint.model.finding import SEVERITIES
from corslint.parsers import kind_of
from corslint.records import NamedTuple
from corslint.source import SourceFile, Span

if TYPE_CHECKING:
    from corslint.discovery import Context
    from corslint.model.diagram import Diagram
    from corslint.model.finding import Finding
    from corslint.settings import Settings

UNSURE, SUPPRESSED, KNOWN = "unsure", "suppressed", "baseline"
"""Why findings are left out: less sure than was asked for; a comment says so; they stand in the baseline."""


class Report(NamedTuple):
    """What a run over one context found. `findings` are those to show, sorted by path, line, column, rule.

    `left_out` says how many more were found and why they are not shown; `live` are all that no comment takes back.
    `undecided` are the policies of which cannot be told what they answer a stranger. `diagrams` is the picture of the
    context, where one was wanted.
    """

    findings: tuple[Finding, ...]
    files: int
    hidden_notes: int
    in_tests: int
    passed_over: Mapping[str, int]
    sources: Callable[[str], SourceFile]
    left_out: Mapping[str, int] = {}
    live: tuple[Finding, ...] = ()
    undecided: tuple[Span, ...] = ()
    diagrams: tuple[Diagram, ...] = ()


def nothing(context: Context) -> Report:
    """The report of a run that looks at no file."""
    return Report((), 0, 0, 0, context.passed_over, lambda path: SourceFile(path, b""))


def is_idle(context: Context, settings: Settings) -> bool:
    """Whether there is nothing to check: no file, no expectation, and no rule named whose name could be wrong."""
    for one in (settings, *(nested for _, nested in settings.nested)):
        if one.expect or one.rules or one.select or one.extend_select or one.ignore:
            return False
        if one.per_file_ignores or one.severity:
            return False
    return not wanted(context, settings).lint


def wanted(context: Context, settings: Settings) -> Context:
    """The context without the Markdown files, unless those are asked for: by the settings, or each by its name."""
    if settings.markdown and not settings.nested:
        return context
    unwanted = {
        path
        for path in (*context.files, *context.lint)
        if kind_of(path) == "markdown" and not settings.of(path).markdown
    }
    if not context.as_found and not context.lint.issuperset(context.files):  # a folder was not named, but files
        unwanted -= context.lint
    if not unwanted:
        return context
    files = tuple(path for path in context.files if path not in unwanted)
    unreadable = {path: reason for path, reason in context.unreadable.items() if path not in unwanted}
    return context._replace(files=files, lint=context.lint - unwanted, unreadable=unreadable)


def reaches(finding: Finding, threshold: str) -> bool:
    """Whether a finding is as severe as `fail-on` asks for."""
    return threshold != "never" and SEVERITIES.index(finding.severity) <= SEVERITIES.index(threshold)
