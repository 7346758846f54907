"""Rules as pages: everything that the YAML says for people, once, and Markdown that holds code and no HTML."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from corslint import lint, rulefiles
from corslint.report import RuleAbout
from corslint.rulepages import about

RULE = """\
id: some-rule
title: A title with <b> and `<code>`
explanation: Why it *matters*.
severity:
  - when: {app: {framework: express}}
    is: error
    message: "first {app.framework} `<b>`"
    effect: exploitable
  - when: {app: {framework: koa}}
    is: warning
  - {is: warning}
effect: broken
match:
  - {name: app, fact: http_app}
report: {at: app, message: "second <{app.framework}>", help: "Do [this](x)."}
references: ["https://example.com/a", "https://example.com/b"]
examples:
  - files:
      server.mjs: |
        const s = ⟦⟪require⟫('express')()⟧; // ```
  - {clean: true, files: {a.js: ""}}
"""


def page(tmp_path: Path, text: str = RULE) -> RuleAbout:
    (tmp_path / "some-rule.yaml").write_text(text, encoding="utf-8")
    return about(rulefiles.load([tmp_path])["some-rule"])


def test_a_page(tmp_path: Path) -> None:
    assert page(tmp_path) == RuleAbout(
        "some-rule",
        "A title with <b> and `<code>`",
        "error",
        ("broken", "exploitable"),
        "Why it *matters*.\n\n"
        "error: first … `<b>`\nDo [this](x).\n\n"
        "warning: second <…>\nDo [this](x).\n\n"
        "https://example.com/a\nhttps://example.com/b\n",
        "# A title with \\<b> and `<code>`\n\n"
        "Why it \\*matters\\*.\n\n"
        "**error**: first … `<b>`\n\nDo \\[this](x).\n\n"
        "**warning**: second \\<…>\n\nDo \\[this](x).\n\n"
        "## Example\n\n"
        "`server.mjs`\n\n````js\nconst s = require('express')(); // ```\n````\n\n"
        "## References\n\n- <https://example.com/a>\n- <https://example.com/b>\n",
        ("https://example.com/a", "https://example.com/b"),
        "Why it *matters*.",
    )


def test_a_rule_without_title_explanation_and_references(tmp_path: Path) -> None:
    bare = re.sub(r"(?m)^(title|explanation|references): .*\n", "", RULE)
    made = page(tmp_path, bare)
    assert made.title == "first … `<b>`"
    assert made.text.startswith("first … `<b>`\n\nerror: first")
    assert made.markdown.startswith("# first … `<b>`\n\n**error**: first")
    assert "References" not in made.markdown
    assert made.references == ()


RULES = lint.knowledge().rules.rules


@pytest.mark.parametrize("name", RULES)
def test_the_page_of_every_rule(name: str) -> None:
    made = about(RULES[name])
    assert made.id == name
    for case in RULES[name].all_cases:
        assert f"{case.severity}: " in made.text
    prose = re.sub(r"(?ms)^(`{3,})\w*\n.*?^\1$|`[^`]*`|<https://[^>]*>", "", made.markdown)
    assert re.findall(r"(?<!\\)<", prose) == []
    assert re.findall("[⟦⟧⟪⟫]", made.markdown) == []
    assert len(re.findall("(?m)^```", made.markdown)) % 2 == 0
    cases = [one for one in made.text.split("\n\n") if re.match("(error|warning|note): ", one)]
    assert len(cases) == len(set(cases)) > 0
