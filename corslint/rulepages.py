"""Rules for people: what a rule's YAML says, as text and as Markdown."""

from __future__ import annotations

import re
from collections.abc import Iterator

from corslint.report import RuleAbout
from corslint.ruleset import PRIMARY_MARKS, RELATED_MARKS, Rule, Template, alternatives

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
    markdown = [f"# {_escaped(title)}", *([_escaped(explanation)] if explanation else [])]
    for severity, message, advice, fix in cases:
        mends = f" Fix: {fix}." if fix else ""
        text.append(f"{severity}: {message}\n{advice}{mends}")
        markdown.append(f"**{severity}**: {_escaped(message)}\n\n{_escaped(advice + mends)}")
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
        ending = path.rpartition(".")[2]
        yield f"`{path}`\n\n{fence}{_LANGUAGES.get(ending, ending)}\n{code}\n{fence}"


def _escaped(text: str) -> str:
    """Text as Markdown: code stays code, and nothing else becomes HTML."""
    pieces = re.split(r"(`[^`]*`)", text)
    return "".join(piece if at % 2 else re.sub(r"([<*_\[\\])", r"\\\1", piece) for at, piece in enumerate(pieces))
