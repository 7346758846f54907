"""Rules for people: what a rule's YAML says, as text and as Markdown.

`about` is what reports and editors show; `page` is a rule's page of the documentation, with all that is known of it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence

from corslint.model.edits import APPLICABILITY
from corslint.records import NamedTuple
from corslint.report import RuleAbout
from corslint.ruleset import PRIMARY_MARKS, RELATED_MARKS, Case, Example, Rule, Template, alternatives

_UNMARKED = dict.fromkeys(map(ord, PRIMARY_MARKS + RELATED_MARKS))
_LANGUAGES = {"conf": "nginx", "cjs": "js", "mjs": "js", "mts": "ts", "cts": "ts", "py": "python", "yml": "yaml"}


def about(rule: Rule) -> RuleAbout:
    """All that a report may say about a rule."""
    # Cases may differ in their conditions alone.
    cases = list(
        dict.fromkeys(
            (
                case.severity,
                plain(case.message),
                plain(case.help),
                " / ".join(plain(fix.title) for fix in alternatives(case.fix)),
            )
            for case in rule.all_cases
        )
    )
    title = rule.title or cases[0][1]
    explanation = rule.explanation.strip()
    text = [explanation or title]
    markdown = [f"# {escaped(title)}", *([escaped(explanation)] if explanation else [])]
    for severity, message, advice, fix in cases:
        mends = f" Fix: {fix}." if fix else ""
        text.append(f"{severity}: {message}\n{advice}{mends}")
        markdown.append(f"**{severity}**: {escaped(message)}\n\n{escaped(advice + mends)}")
    markdown += _example(rule)
    if rule.references:
        text.append("\n".join(rule.references))
        markdown.append("\n".join(["## References", "", *(f"- <{reference}>" for reference in rule.references)]))
    return RuleAbout(
        rule.id,
        title,
        rule.severities[0],
        tuple(sorted({case.effect for case in rule.all_cases})),
        "\n\n".join(text) + "\n",
        "\n\n".join(markdown) + "\n",
        rule.references,
        explanation,
    )


class Proof(NamedTuple):
    """An experiment with a rule: what it claims, and what was seen of the faulty project and of the mended one."""

    claim: str
    bad: str
    good: str


class Around(NamedTuple):
    """What a rule's page is given from elsewhere.

    `code` shows a marked text of a file (`path`, text) as Markdown; `worded` gives the wordings of a symptom with who
    says each; `rules` are the ids of the rules that have a page beside this one.
    """

    code: Callable[[str, str], str]
    worded: Callable[[str], Sequence[tuple[str, str]]]
    proofs: Sequence[Proof] = ()
    rules: frozenset[str] = frozenset()


def page(rule: Rule, around: Around) -> str:
    """A rule's page of the documentation, as Markdown: what, why, how it shows, faulty, mended, proven, references."""
    summary = about(rule)
    parts = [f"# {escaped(summary.title)}", _labels(rule, summary)]
    if rule.explanation:
        parts.append(escaped(rule.explanation.strip()))
    parts += _symptoms(rule, around)
    parts += _faulty_and_sound(rule, around)
    parts += ["## What corslint says", *map(_says, dict.fromkeys(map(_wording, rule.all_cases)))]
    if rule.proof is not None:
        parts += _proven(rule.proof, around)
    if rule.yields_to:
        parts.append("## Where it is silent for another rule")
        parts.append("Where one of these sees the same fault, it speaks alone:")
        parts.append("\n".join(f"- {_link(name, around.rules)}" for name in rule.yields_to))
    if rule.references:
        parts += ["## References", "\n".join(f"- <{reference}>" for reference in rule.references)]
    return "\n\n".join(parts) + "\n"


def _labels(rule: Rule, summary: RuleAbout) -> str:
    labels = [f"`{rule.id}`", *(f"**{severity}**" for severity in rule.severities), *summary.effects]
    fixes = applicabilities(rule)
    labels.append(f"fix: {', '.join(fixes)}" if fixes else "no fix")
    return " · ".join(labels)


def applicabilities(rule: Rule) -> tuple[str, ...]:
    """How the rule's fixes may be applied, each once: `safe`, `unsafe`, `placeholder`."""
    given = {fix.applicability for case in rule.all_cases for fix in alternatives(case.fix)}
    return tuple(one for one in APPLICABILITY if one in given)


def _wording(case: Case) -> tuple[str, str, str, str, tuple[tuple[str, str], ...]]:
    fixes = tuple((fix.applicability, plain(fix.title)) for fix in alternatives(case.fix))
    return case.severity, case.effect, plain(case.message), plain(case.help), fixes


def _says(wording: tuple[str, str, str, str, tuple[tuple[str, str], ...]]) -> str:
    severity, effect, message, advice, fixes = wording
    lines = [f"**{severity}** ({effect}): {escaped(message)}", f"{escaped(advice)}"]
    lines += [f"Fix ({applicability}): {escaped(title)}" for applicability, title in fixes]
    return "\n".join([f"- {lines[0]}", *(f"\n    {line}" for line in lines[1:])])


def _symptoms(rule: Rule, around: Around) -> Iterator[str]:
    wordings = dict.fromkeys(one for symptom in rule.symptoms for one in around.worded(symptom.says))
    if not wordings:
        return
    yield "## How it shows"
    yield "`…` stands for what differs. [`corslint explain`](../explain.md) takes such a message and names its causes."
    yield "| said by | words |\n|---|---|\n" + "\n".join(
        f"| {speaker} | {cell(words)} |" for speaker, words in wordings
    )


def _faulty_and_sound(rule: Rule, around: Around) -> Iterator[str]:
    fires = next((one for one in rule.examples if one.fixed), None)
    fires = fires or next((one for one in rule.examples if not one.clean), None)
    if fires is None:
        return
    yield "## Faulty"
    yield from _files(fires, dict(fires.files), around)
    if fires.fixed:
        yield "## Mended"
        yield "After the fix:"
        yield from _files(fires, dict(fires.fixed), around, named=False)
    near = next((one for one in rule.examples if one.clean), None)
    if near is not None:
        yield "## Not reported"
        yield from _files(near, dict(near.files), around)


def _files(example: Example, files: dict[str, str], around: Around, *, named: bool = True) -> Iterator[str]:
    if named and example.name:
        yield f"*{escaped(example.name)}*"
    if named and example.settings:
        yield f"With these settings: `{dict(example.settings)}`"
    for path, marked in files.items():
        yield around.code(path, marked)


def _proven(project: str, around: Around) -> Iterator[str]:
    yield "## Proven"
    yield (
        f"On real servers and in a real browser, with the project `fixtures/projects/{project}` "
        "([all experiments](../proof.md)):"
    )
    for proof in around.proofs:
        # The texts are Markdown already.
        yield f"- {proof.claim}\n\n    faulty: {proof.bad}\n\n    mended: {proof.good}"


def _link(name: str, known: frozenset[str]) -> str:
    return f"[`{name}`]({name}.md)" if name in known else f"`{name}`"


def cell(text: str) -> str:
    """Text as code in a cell of a table; several lines become one."""
    ticks = "``" if "`" in text else "`"
    pad = " " if "`" in text else ""
    return f"{ticks}{pad}{' '.join(text.split()).replace('|', chr(92) + '|')}{pad}{ticks}"


def plain(template: Template) -> str:
    """A text with an ellipsis for each value that a finding puts in."""
    return "".join(piece if isinstance(piece, str) else "…" for piece in template).strip()


def _example(rule: Rule) -> Iterator[str]:
    """The first example that fires."""
    fires = next((example for example in rule.examples if not example.clean), None)
    if fires is None:
        return
    yield "## Example"
    for path, marked in fires.files.items():
        code = marked.translate(_UNMARKED).rstrip()
        fence = "`" * max(3, *(len(run) + 1 for run in re.findall("`+", code) or [""]))
        yield f"`{path}`\n\n{fence}{language(path)}\n{code}\n{fence}"


def language(path: str) -> str:
    """The name of a file's language, as Markdown knows it."""
    ending = path.rpartition(".")[2]
    return _LANGUAGES.get(ending, ending)


def escaped(text: str) -> str:
    """Text as Markdown: code stays code, and nothing else becomes HTML."""
    pieces = re.split(r"(`[^`]*`)", text)
    return "".join(piece if at % 2 else re.sub(r"([<*_\[\\])", r"\\\1", piece) for at, piece in enumerate(pieces))
