"""What the README and the guides say is so: paths and commands exist, examples hold, shown output is what comes out.

`python -m tests.test_docs --update` puts the present output into the README and the guides.
"""

from __future__ import annotations

import ast
import contextlib
import io
import json
import os
import re
import shlex
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
import yaml

from corslint import cli, lint, rulefiles, ruleset, settings
from corslint.commands import trace as trace_command
from corslint.frameworks import descriptors
from corslint.model import semantics
from corslint.model.edits import VERBS
from corslint.model.finding import EFFECTS
from corslint.model.kinds import FACT_KINDS
from corslint.relations.table import RELATIONS
from corslint.report import FORMATS
from tests.examples import trouble

ROOT = Path(__file__).resolve().parent.parent
README = ROOT / "README.md"
DEMO = "fixtures/projects/chat"
SHOWN = f"corslint check --select socketio-path-mismatch,proxy-and-app-cors {DEMO}/bad"
BEFORE, AFTER = "<!-- demo output -->\n", "<!-- end of demo output -->\n"
PAGES = sorted([README, ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md", *(ROOT / "docs").glob("*.md")])
GUIDES = [path for path in PAGES if path.name not in ("descriptors.md", "reference.md", "trace-proof.md")]

_BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_CODE = re.compile(r"`([^`\n]+)`")
_LINK = re.compile(r"\]\((?!https?:)([^)#]+)(#[^)]*)?\)")
_PATH = re.compile(r"(?<![\w./-])(?:corslint|rules|tests|fixtures|scripts|docs|\.ci)/[\w./<>*-]*")

_CONSOLE = re.compile(r"^```console\n\$ (corslint (?:[^\n\"]|\"[^\"]*\")*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
"""A command, over several lines where a text in quotation marks is, and what it writes."""
_PICKED = re.compile(r"(.*) \| jq '((?:\.\w+|\[\d+\])+)'$")

_FOUND = re.compile(r"(.*) \| grep -o '([^']+)'$")

_REASONS = re.compile(r"(?<=of the )\d+(?= reasons)")
_BAR = "\\|"  # as a table has to write it

page = pytest.mark.parametrize("page", PAGES, ids=lambda path: path.name)


def blocks(path: Path, *languages: str) -> list[str]:
    """The fenced blocks of a page in one of these languages."""
    return [text for language, text in _BLOCK.findall(path.read_text(encoding="utf-8")) if language in languages]


def inline(path: Path) -> list[str]:
    """What stands between backquotes outside fenced blocks."""
    return _CODE.findall(_BLOCK.sub("", path.read_text(encoding="utf-8")))


def commands() -> Iterator[tuple[str, list[str]]]:
    """Every command line of a shell block: the page's name and the words."""
    for path in PAGES:
        for block in blocks(path, "sh"):
            for line in block.splitlines():
                words = shlex.split(line, comments=True)
                if words:
                    yield path.name, words


def run(command: str) -> str:
    """What a corslint command writes, the closing line included."""
    out = io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(out):
        cli.run(shlex.split(command)[1:])
    return out.getvalue()


def out(command: str) -> str:
    """What a corslint command writes to standard output; with `| jq 'PATH'` or `| grep -o 'PATTERN'` behind it,
    the part that this picks."""
    picked = _PICKED.match(command)
    if picked:
        part = json.loads(out(picked[1]))
        for key, at in re.findall(r"\.(\w+)|\[(\d+)\]", picked[2]):
            part = part[key or int(at)]
        return json.dumps(part, indent=2, ensure_ascii=False) + "\n"
    found = _FOUND.match(command)
    if found:
        return "".join(f"{part}\n" for line in out(found[1]).splitlines() for part in re.findall(found[2], line))
    stream = io.StringIO()
    with contextlib.redirect_stdout(stream), contextlib.redirect_stderr(io.StringIO()):
        cli.run(shlex.split(command)[1:])
    return stream.getvalue()


@pytest.fixture(autouse=True)
def plain(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    for name in ("CORSLINT_OUTPUT_FORMAT", "FORCE_COLOR", "CLICOLOR_FORCE"):
        monkeypatch.delenv(name, raising=False)


# --- what is named exists --------------------------------------------------------------------------------------------


@page
def test_paths_exist(page: Path) -> None:
    named = {found.rstrip(".") for code in inline(page) for found in _PATH.findall(code)}
    missing = [name for name in sorted(named) if not list(ROOT.glob(re.sub(r"<\w+>", "*", name)))]
    assert missing == []


@page
def test_links_lead_somewhere(page: Path) -> None:
    for target, _ in _LINK.findall(_BLOCK.sub("", page.read_text(encoding="utf-8"))):
        assert (page.parent / target).exists(), target


def test_make_targets_exist() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    named = {words[1] for _, words in commands() if words[0] == "make"}
    named |= {code.split()[1] for path in PAGES for code in inline(path) if code.startswith("make ")}
    assert {"demo", "test"} <= named <= targets


def test_scripts_and_their_options_exist() -> None:
    seen = 0
    for path, words in commands():
        if not words[0].endswith("python") or words[1:3] in (["-m", "pip"], ["-m", "pytest"]):
            continue
        seen += 1
        name = words[2].replace(".", "/") + ".py" if words[1] == "-m" else words[1]
        source = (ROOT / name).read_text(encoding="utf-8")
        for word in words[2:]:
            assert not word.startswith("--") or f'"{word}"' in source, (path, words)
    assert seen >= 4


def test_tests_to_run_exist() -> None:
    for _, words in commands():
        if words[1:3] == ["-m", "pytest"]:
            assert all((ROOT / word).exists() for word in words[3:])


@pytest.mark.parametrize("path", GUIDES, ids=lambda path: path.name)
def test_rules_exist(path: Path) -> None:
    known = set(lint.knowledge().rules.rules)
    own = {match for block in blocks(path, "yaml") for match in re.findall(r"^id: (\S+)$", block, re.MULTILINE)}
    named = {code for code in inline(path) if re.fullmatch(r"[a-z]+(?:-[a-z]+)+", code)}
    hooks = {hook["id"] for hook in yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8"))}
    inputs = set(yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))["inputs"])
    known |= hooks | inputs
    assert named - known - own - set(settings.KEYS) <= {"ignore-file", "nginx-paths", "pre-commit", "unsafe-fixes"}


# --- the README ------------------------------------------------------------------------------------------------------


def demo_block() -> str:
    return f"```console\n$ {SHOWN}\n{run(SHOWN)}```\n"


def test_the_shown_output_is_what_comes_out() -> None:
    text = README.read_text(encoding="utf-8")
    assert text.partition(BEFORE)[2].partition(AFTER)[0] == demo_block()


def expected_findings() -> int:
    return len((ROOT / DEMO / "expected.txt").read_text(encoding="utf-8").splitlines())


def test_the_number_of_findings_is_right() -> None:
    assert _REASONS.findall(README.read_text(encoding="utf-8")) == [str(expected_findings())]


def test_all_commands_and_options_are_listed() -> None:
    text = README.read_text(encoding="utf-8")
    assert set(re.findall(r"^\| `corslint (\w+)", text, re.MULTILINE)) == set(
        cli.command.list_commands(click.Context(cli.command))
    )
    rows = "".join(re.findall(r"^\| `--.*$", text, re.MULTILINE))
    options = {name for option in cli.command.commands["check"].params for name in option.opts if name.startswith("--")}
    assert set(re.findall(r"--[a-z-]+", rows)) == options - {"--help"}
    assert f"`--output-format {_BAR.join(FORMATS)}`" in rows


def test_the_settings_are_valid() -> None:
    for path in PAGES:
        for block in blocks(path, "toml"):
            table = tomllib.loads(block)
            if "language-server" in table:
                continue  # of an editor
            chosen = settings.from_table({**table, "rules": []})
            ruleset.select(lint.knowledge().rules, chosen.select, chosen.ignore, False)


def test_the_settings_of_helix_name_what_there_is() -> None:
    """The keys are those of its book (book/src/languages.md and guides/adding_languages.md)."""
    (block,) = blocks(ROOT / "docs" / "editors.md", "toml")
    table = tomllib.loads(block)
    assert set(table) == {"language-server", "language"}
    assert table["language-server"] == {"corslint": {"command": "corslint", "args": ["server"]}}
    assert "server" in cli.command.list_commands(click.Context(cli.command))
    for language in table["language"]:
        assert set(language) == {"name", "language-servers"}
        assert "corslint" in language["language-servers"]


def test_the_ignore_comments_take_back_what_they_name(tmp_path: Path) -> None:
    (block,) = blocks(ROOT / "docs" / "settings.md", "js")
    begin = "const express = require('express');\nconst cors = require('cors');\nconst app = express();\n"
    rules = re.findall(r"corslint: ignore\[([a-z-]+)\]", block)
    assert len(rules) == 2
    shown = f"check --output-format json --select {','.join(rules)},unused-ignore {tmp_path}"
    (tmp_path / "server.js").write_text(begin + re.sub("// corslint.*", "", block), encoding="utf-8")
    assert [one["rule"] for one in json.loads(out(f"corslint {shown}"))["findings"]] == rules
    (tmp_path / "server.js").write_text(begin + block, encoding="utf-8")
    assert json.loads(out(f"corslint {shown}"))["findings"] == []


def test_the_formats_are_described() -> None:
    text = README.read_text(encoding="utf-8")
    assert "path:line:col: error: message [rule-id]" in text
    assert 'json` is `{"version": 1, "findings": [...], "summary": {...}}`' in text


# --- the formats -----------------------------------------------------------------------------------------------------

FORMATS_PAGE = ROOT / "docs" / "formats.md"
EXPLAIN_PAGE = ROOT / "docs" / "explain.md"
TRACE_PAGE = ROOT / "docs" / "trace.md"


def with_present_output(text: str) -> str:
    """A page with what its commands write today."""
    return _CONSOLE.sub(lambda shown: f"```console\n$ {shown[1]}\n{out(shown[1])}```", text)


def test_every_format_is_shown_as_it_comes_out() -> None:
    text = FORMATS_PAGE.read_text(encoding="utf-8")
    shown = dict(re.findall(r"^\$ corslint check --output-format (\w+) (.*)$", text, re.MULTILINE))
    assert set(shown) == set(FORMATS)
    assert with_present_output(text) == text


def test_explanations_are_shown_as_they_come_out() -> None:
    text = EXPLAIN_PAGE.read_text(encoding="utf-8")
    assert len(_CONSOLE.findall(text)) == 3
    assert with_present_output(text) == text


def test_traces_are_shown_as_they_come_out() -> None:
    text = TRACE_PAGE.read_text(encoding="utf-8")
    assert len(_CONSOLE.findall(text)) >= 3
    assert with_present_output(text) == text


def test_all_options_of_trace_are_listed() -> None:
    rows = "".join(re.findall(r"^\| `--.*$", TRACE_PAGE.read_text(encoding="utf-8"), re.MULTILINE))
    options = {name for option in trace_command.params for name in option.opts if name.startswith("--")}
    everywhere = {"--config", "--isolated", "--no-config", "--exclude", "--force-exclude", "--no-cache", "--cache-dir"}
    assert set(re.findall(r"--[a-z-]+", rows)) == options - everywhere


def test_every_format_has_a_section_and_is_in_the_table() -> None:
    text = FORMATS_PAGE.read_text(encoding="utf-8")
    assert set(FORMATS) <= set(re.findall(r"^## (\w+)$", text, re.MULTILINE))
    assert set(re.findall(r"\[`(\w+)`\]\(#\1\)", text)) == set(FORMATS)


# --- the guides ------------------------------------------------------------------------------------------------------


def test_the_example_rule_holds(tmp_path: Path) -> None:
    (written,) = blocks(ROOT / "docs" / "rules.md", "yaml")
    name = re.match(r"id: (\S+)", written)
    assert name is not None
    (tmp_path / f"{name[1]}.yaml").write_text(written, encoding="utf-8")
    known = lint.knowledge((str(tmp_path),))
    examples = known.rules.rules[name[1]].examples
    assert len(examples) == 2
    assert [trouble(name[1], example, known) for example in examples] == [None, None]


def test_effects_are_explained() -> None:
    assert set(EFFECTS) <= set(inline(ROOT / "docs" / "rules.md"))


def test_the_example_descriptor_loads() -> None:
    (written,) = blocks(ROOT / "docs" / "descriptors.md", "yaml")
    descriptor, _ = descriptors.read(written.encode(), Path("cors.yaml"))
    assert [emit.kind for call in descriptor.calls for emit in call.emits] == ["cors_policy"]


def descriptor_words() -> set[str]:
    """Every key that a descriptor may hold, and every word that stands for a meaning."""
    words = {*descriptors.READ_AS, *semantics.MEANINGS, *semantics.TEXT_MODES, *semantics.Row._fields}
    tree = ast.parse(Path(descriptors.__file__).read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "keys":
            for argument in node.args[2:]:
                constants = [part.value for part in ast.walk(argument) if isinstance(part, ast.Constant)]
                words |= {value for value in constants if isinstance(value, str)}
    for module, names in ((descriptors, ["_SOURCE_KEYS"]), (semantics, ["_ORIGIN_KEYS", "_POLICY_KEYS", "FUNCTIONS"])):
        for name in names:
            words |= set(getattr(module, name))
    return words


def test_every_word_of_a_descriptor_is_explained() -> None:
    explained = set(re.findall(r"[\w.-]+", " ".join(inline(ROOT / "docs" / "descriptors.md"))))
    assert "by_version" in descriptor_words()
    assert descriptor_words() - explained == set()


def test_everything_a_rule_may_say_is_in_the_reference() -> None:
    explained = set(re.findall(r"[\w.*-]+", " ".join(inline(ROOT / "docs" / "reference.md"))))
    explained |= set(re.findall(r"^### (\w+)$", (ROOT / "docs" / "reference.md").read_text("utf-8"), re.MULTILINE))
    fields = {name for kind in FACT_KINDS.values() for name in kind.fields}
    wanted = {*rulefiles.CONDITIONS, *rulefiles.RULE_KEYS, *rulefiles.EXPECT, *VERBS, *RELATIONS, *FACT_KINDS, *fields}
    assert wanted - explained == set()


def update() -> None:
    """Put the present output into the README and the pages that show some."""
    text = _REASONS.sub(str(expected_findings()), README.read_text(encoding="utf-8"))
    before, _, rest = text.partition(BEFORE)
    README.write_text(f"{before}{BEFORE}{demo_block()}{AFTER}{rest.partition(AFTER)[2]}", encoding="utf-8")
    for shown in (FORMATS_PAGE, EXPLAIN_PAGE, TRACE_PAGE):
        shown.write_text(with_present_output(shown.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    os.chdir(ROOT)
    if sys.argv[1:] != ["--update"]:
        sys.exit("python -m tests.test_docs --update: puts the present output into the README")
    update()
