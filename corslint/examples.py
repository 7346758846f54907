"""Runs the examples that rules carry, as tests: of the built-in rules, and of your own (`corslint rule --test`)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from corslint import lint, settings
from corslint.discovery import Context
from corslint.model.finding import Finding
from corslint.records import NamedTuple
from corslint.regexes import regex
from corslint.ruleset import PRIMARY_MARKS, RELATED_MARKS, Example, Rule
from corslint.settings import Settings
from corslint.source import Span
from corslint.yamlfile import line_of

_MARK = regex(f"[{PRIMARY_MARKS}{RELATED_MARKS}]")


def context_of(files: Mapping[str, object], unreadable: Mapping[str, str] | None = None) -> Context:
    """A context of files that exist in memory only."""
    names = frozenset(files)
    return Context(
        ".", names | frozenset(unreadable or ()), tuple(sorted(names)), frozenset(), {}, dict(unreadable or {}), "."
    )


def unmarked(path: str, text: str) -> tuple[bytes, list[Span], list[Span]]:
    """The text without its marks, and the primary and the related spans that they stood around, in order."""
    spans: dict[str, list[Span]] = {PRIMARY_MARKS: [], RELATED_MARKS: []}
    opened: dict[str, int] = {}
    out = b""
    last = 0
    for mark in _MARK.finditer(text):
        out += text[last : mark.start()].encode()
        last = mark.end()
        marks = PRIMARY_MARKS if mark.group() in PRIMARY_MARKS else RELATED_MARKS
        if mark.group() == marks[0]:
            opened[marks] = len(out)
        else:
            spans[marks].append(Span(path, opened[marks], len(out)))
    return out + text[last:].encode(), spans[PRIMARY_MARKS], spans[RELATED_MARKS]


def findings_of(
    files: Mapping[str, bytes],
    chosen: Settings,
    known: lint.Knowledge,
    unreadable: Mapping[str, str] | None = None,
    *,
    with_fixes: bool = False,
) -> list[Finding]:
    """Everything that corslint finds in these files."""
    report = lint.lint(
        context_of(files, unreadable), chosen._replace(pedantic=True), files, known, with_fixes=with_fixes
    )
    return list(report.findings)


SETTINGS = "corslint.toml"


def settings_of(example: Example) -> Settings:
    """An example's settings: those given with it, or a settings file among its files."""
    if SETTINGS in example.files:
        return settings.from_text(SETTINGS, unmarked(SETTINGS, example.files[SETTINGS])[0].decode())
    return settings.from_table(example.settings) if example.settings else Settings()


def trouble(rule: str, example: Example, known: lint.Knowledge) -> str | None:
    """What is wrong with an example of a rule; None where it holds.

    The rule's findings have to stand at exactly the marked places; where related places are marked, too, exactly those
    have to be shown with them. Other rules may speak too (they have examples of their own). The fix has to give exactly
    the `fixed` files, and the rule has to be silent on those.
    """
    files: dict[str, bytes] = {}
    expected: list[Span] = [Span(path, 0, 0) for path in example.unreadable]
    related: list[Span] = []
    for path, text in example.files.items():
        files[path], primary, others = unmarked(path, text)
        expected += primary
        related += others
    chosen = settings_of(example)
    wants_fixes = bool(example.fixed) or example.applicability is not None
    found = [f for f in findings_of(files, chosen, known, example.unreadable, with_fixes=wants_fixes) if f.rule == rule]
    places = sorted(f.primary for f in found)
    if places != sorted(expected):
        return f"found at {_shown(files, places)}, expected {_shown(files, sorted(expected))}"
    shown = sorted({place.span for finding in found for place in finding.related})
    if related and shown != sorted(set(related)):
        return f"related places {_shown(files, shown)}, expected {_shown(files, sorted(set(related)))}"
    for finding in found:
        if example.severity is not None and finding.severity != example.severity:
            return f"severity {finding.severity}, expected {example.severity}"
        if example.effect is not None and finding.effect != example.effect:
            return f"effect {finding.effect}, expected {example.effect}"
        applicability = finding.fix.applicability if finding.fix else "none"
        if example.applicability is not None and applicability != example.applicability:
            return f"applicability {applicability}, expected {example.applicability}"
        if example.message is not None and example.message not in (
            finding.message,
            finding.message + " " + finding.help,
        ):
            return f"message {finding.message!r}, expected {example.message!r}"
    if not example.fixed:
        return None
    return _fix_trouble(rule, example, files, found, chosen, known)


def _fix_trouble(
    rule: str,
    example: Example,
    files: Mapping[str, bytes],
    found: list[Finding],
    chosen: Settings,
    known: lint.Knowledge,
) -> str | None:
    from corslint import fixes
    from corslint.source import SourceFile

    if example.applicability == "placeholder":
        # It is never made by itself; what it would look like is shown here all the same.
        drafts = [f._replace(fix=f.fix._replace(applicability="safe")) for f in found if f.fix]
        drafted = {**files, **fixes.apply(drafts, lambda path: SourceFile(path, files[path]), unsafe=False).changed}
        wrong = [path for path, text in example.fixed.items() if drafted[path] != text.encode()]
        return f"the fix makes of {wrong[0]}:\n{drafted[wrong[0]].decode()}" if wrong else None
    result = fixes.fix_to_fixpoint(
        lambda changed: [
            f for f in findings_of({**files, **changed}, chosen, known, with_fixes=True) if f.rule == rule
        ],
        found,
        lambda path: SourceFile(path, files[path]),
        unsafe=True,
    )
    after = {**files, **result.changed}
    for path, text in example.fixed.items():
        if after[path] != text.encode():
            return f"the fix makes of {path}:\n{after[path].decode()}\n(refused: {result.refused})"
    if set(result.changed) - set(example.fixed):
        return f"the fix also changes {sorted(set(result.changed) - set(example.fixed))}"
    left = [f for f in findings_of(after, chosen, known) if f.rule == rule]
    return f"still found after the fix: {_shown(after, [f.primary for f in left])}" if left else None


def _shown(files: Mapping[str, bytes], spans: Sequence[Span]) -> str:
    texts = [files.get(span.path, b"")[span.start : span.end].decode("utf-8", "replace") for span in spans]
    return str([f"{span.path}:{span.start}-{span.end} {text}" for span, text in zip(spans, texts, strict=True)])


class Outcome(NamedTuple):
    """What became of one example of a rule; `trouble` is None where it holds. `place` is `path:line`."""

    rule: str
    name: str
    place: str
    trouble: str | None


def run(rules: Iterable[Rule], known: lint.Knowledge) -> Iterator[Outcome]:
    """Run all examples of these rules."""
    for rule in rules:
        for number, example in enumerate(rule.examples):
            found = trouble(rule.id, example, known)
            line = line_of(Path(rule.path).read_bytes(), ("examples", number)) if found is not None else 1
            yield Outcome(rule.id, example.name or f"example {number + 1}", f"{rule.path}:{line}", found)
