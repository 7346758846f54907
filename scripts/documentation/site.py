"""Lays the pages of the site down as Markdown, and has Zensical make HTML of them."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from corslint import lint, rulepages
from corslint.explain.messages import Messages, known
from corslint.explain.wordings import even
from corslint.model.finding import EFFECTS
from corslint.ruleset import Rule
from documentation import code, libraries
from documentation.libraries import Library, table

ROOT = Path(__file__).resolve().parent.parent.parent
DOCS = ROOT / "docs"
_HERE = Path(__file__).parent

_ROW = re.compile(r"(?<!\\) \| ")
_PROOF = ("Rule", "Claim", "Observed", "Verdict")
"""The columns of docs/proof.md."""
_DEMO = re.compile(r"(<!-- demo output -->\n)(.*?)(<!-- end of demo output -->\n)", re.DOTALL)
_USE = re.compile(r"^## Use\n(.*?)(?=^## How it works$)", re.MULTILINE | re.DOTALL)
_BROWSERS = {"chromium": "Chromium", "firefox": "Firefox", "safari": "Safari"}
_SOURCE_CODE = re.compile("<pre.*?</pre>", re.DOTALL)
_ELSEWHERE = frozenset({"Proven", "References", "Rules with an example of it"})
"""Sections of the pages of rules and libraries that nobody searches: they repeat docs/proof.md and other pages."""
_GAP = re.compile(r"\{\w+\}")

_NAVIGATION: tuple[tuple[str, tuple[str, ...]], ...] = (
    (
        "Start",
        ("index.md", "tutorial.md", "usage.md", "settings.md", "editors.md", "continuous-integration.md", "fleet.md"),
    ),
    ("Diagnose", ("explain.md", "trace.md", "probe.md")),
    ("Extend", ("rules.md", "descriptors.md", "reference.md", "formats.md", "contributing.md", "architecture.md")),
    ("Trust", ("releasing.md", "security.md")),
    ("Proof", ("proof.md", "explain-proof.md", "trace-proof.md", "speed.md", "benchmarks.md", "changelog.md")),
)
"""The pages that people write, by section, in the order in which they are read."""
_OPTIONAL = {"benchmarks.md"}
"""What `make bench` writes may be missing."""

_EFFECTS = {
    "broken": "It does not work",
    "exploitable": "Others can read what they should not",
    "degraded": "It works, but worse",
    "policy": "Worth knowing",
    "tool": "About corslint's own work",
}


class SiteError(Exception):
    """The site cannot be built, and why."""


def build(target: Path) -> None:
    """Write the whole site to a folder, in place of what is there.

    Raises:
        SiteError: Zensical found a dead link or anchor, or failed; or a page of docs/ is in no section.

    """
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        lay_down(work)
        command = [sys.executable, "-m", "zensical", "build", "--strict", "--config-file", str(work / "mkdocs.yml")]
        done = subprocess.run(command, cwd=work, capture_output=True, text=True, check=False)
        if done.returncode:
            raise SiteError(f"zensical build --strict:\n{done.stdout}{done.stderr}")
        index = work / "site" / "search.json"
        index.write_text(trimmed(index.read_text(encoding="utf-8")), encoding="utf-8")
        if target.exists():
            shutil.rmtree(target)
        shutil.copytree(work / "site", target)


def trimmed(index: str) -> str:
    """The index of the site's search without the generated pages' source code, and what stands on other pages, too.

    Zensical 0.0.73 has no setting for it: `data-search-exclude` of Material for MkDocs means nothing to it.
    """
    found: dict[str, Any] = json.loads(index)
    kept = []
    for item in found["items"]:
        if item["location"].startswith(("rules/", "libraries/")):
            if item["title"] in _ELSEWHERE:
                continue
            item = {**item, "text": _SOURCE_CODE.sub("", item["text"])}
        kept.append(item)
    return json.dumps({**found, "items": kept}, ensure_ascii=False, separators=(",", ":"))


def lay_down(work: Path) -> None:
    """Write the pages and the settings from which Zensical makes the site."""
    pages = work / "pages"
    (pages / "rules").mkdir(parents=True)
    (pages / "libraries").mkdir()
    for name, text in written_pages().items():
        (pages / name).write_text(text, encoding="utf-8")
    rules = list(lint.knowledge().rules.rules.values())
    described = libraries.read(ROOT / "corslint" / "frameworks")
    for name, text in rule_pages(rules).items():
        (pages / "rules" / f"{name}.md").write_text(text, encoding="utf-8")
    for library in described:
        text = libraries.page(library, code.shown, rules)
        (pages / "libraries" / f"{library.id}.md").write_text(text, encoding="utf-8")
    (pages / "rules" / "index.md").write_text(rules_index(rules), encoding="utf-8")
    (pages / "libraries" / "index.md").write_text(libraries_index(described), encoding="utf-8")
    shutil.copy(_HERE / "site.css", pages)
    settings: dict[str, Any] = yaml.safe_load((_HERE / "mkdocs.yml").read_text(encoding="utf-8"))
    settings["nav"] = navigation({path.name for path in pages.glob("*.md")}, rules, described)
    (work / "mkdocs.yml").write_text(yaml.safe_dump(settings, sort_keys=False), encoding="utf-8")


# --- pages that people wrote -----------------------------------------------------------------------------------------


def written_pages() -> dict[str, str]:
    """The pages of docs/, those of the repository's top, and the README's part on use; links lead inside the site."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    demo, use = _DEMO.search(readme), _USE.search(readme)
    if demo is None or use is None:
        raise SiteError("README.md: no demo output, or no section `## Use` before `## How it works`")
    pages = {path.name: path.read_text(encoding="utf-8") for path in sorted(DOCS.glob("*.md"))}
    pages["index.md"] = _DEMO.sub(lambda _: demo[2], pages["index.md"])
    pages["usage.md"] = f"# Command line\n{use[1]}"
    pages["contributing.md"] = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    pages["security.md"] = (ROOT / "SECURITY.md").read_text(encoding="utf-8")
    pages["changelog.md"] = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    return {name: _linked(text) for name, text in pages.items()}


def _linked(text: str) -> str:
    """Links to where pages lie in the site: all of them side by side."""
    text = re.sub(r"\]\(docs/", "](", text)
    text = text.replace("](../CONTRIBUTING.md", "](contributing.md").replace("](CONTRIBUTING.md", "](contributing.md")
    text = text.replace("](../SECURITY.md", "](security.md").replace("](SECURITY.md", "](security.md")
    return text.replace("](../README.md", "](usage.md").replace("](../CHANGELOG.md", "](changelog.md")


def navigation(written: set[str], rules: Sequence[Rule], described: Sequence[Library]) -> list[dict[str, Any]]:
    """The sections of the site with all pages."""
    placed = {name for _, names in _NAVIGATION for name in names}
    placed -= _OPTIONAL - written
    if written != placed:
        raise SiteError(f"pages in no section, or sections without their page: {sorted(written ^ placed)}")
    sections = [{title: [name for name in names if name in written]} for title, names in _NAVIGATION]
    by_effect = [
        {_EFFECTS[effect]: [{rule.id: f"rules/{rule.id}.md"} for rule in some]}
        for effect, some in _by_effect(rules).items()
    ]
    by_language = [
        {title: [{one.heading: f"libraries/{one.id}.md"} for one in described if one.language == language]}
        for language, title in (("javascript", "JavaScript"), ("python", "Python"))
    ]
    generated: list[dict[str, Any]] = [
        {"Rules": ["rules/index.md", *by_effect]},
        {"Libraries": ["libraries/index.md", *by_language]},
    ]
    return [*sections[:2], *generated, *sections[2:]]


# --- rules -----------------------------------------------------------------------------------------------------------


def rule_pages(rules: Sequence[Rule]) -> dict[str, str]:
    """The page of each rule, by id."""
    proofs = _proofs((DOCS / "proof.md").read_text(encoding="utf-8"))
    messages = known()
    ids = frozenset(rule.id for rule in rules)

    def worded(says: str) -> list[tuple[str, str]]:
        return list(_wordings(says, messages))

    return {
        rule.id: rulepages.page(rule, rulepages.Around(code.shown, worded, proofs.get(rule.id, ()), ids))
        for rule in rules
    }


def _proofs(page: str) -> Mapping[str, Sequence[rulepages.Proof]]:
    """The experiments of docs/proof.md, by rule."""
    found: dict[str, list[rulepages.Proof]] = defaultdict(list)
    for line in page.splitlines():
        columns = _ROW.split(line.strip("| "))
        if line.startswith("| `") and len(columns) == len(_PROOF):
            rule, claim, observed, _ = columns
            bad, _, good = observed.partition("; good: ")
            found[rule.strip("`")].append(rulepages.Proof(claim, bad.removeprefix("bad: "), good))
    return found


def _wordings(says: str, messages: Messages) -> Iterator[tuple[str, str]]:
    """What a symptom is in each browser's words; where it is no known message, as it stands."""
    text = even(says)
    for message in messages.messages:
        if any(True for way in message.ways for _ in way.wording.find(text)):
            for way in message.ways:
                browser = way.tells.get("browser", "")
                yield _BROWSERS.get(browser, message.speaker), _GAP.sub("…", way.wording.text)
            return
    yield "client or server", _GAP.sub("…", says)


def _by_effect(rules: Sequence[Rule]) -> dict[str, list[Rule]]:
    """Rules by the effect of their first case."""
    return {effect: some for effect in EFFECTS if (some := [rule for rule in rules if rule.cases[0].effect == effect])}


def rules_index(rules: Sequence[Rule]) -> str:
    """All rules in tables."""
    intro = (
        f"{len(rules)} rules. `corslint rule ID` says the same on the command line. "
        "[Writing a rule](../rules.md) says how to add one, [Settings](../settings.md) how to choose among them. "
        "In the examples, what is reported is marked in red, and what has to do with it in blue."
    )
    parts = ["# Rules", intro]
    for effect, some in _by_effect(rules).items():
        rows = [
            (
                f"[`{rule.id}`]({rule.id}.md)",
                rulepages.escaped(rule.title),
                ", ".join(rule.severities),
                ", ".join(rulepages.applicabilities(rule)) or "none",
            )
            for rule in some
        ]
        parts += [f"## {_EFFECTS[effect]}", table(("rule", "fault", "severity", "fix"), rows)]
    return "\n\n".join(parts) + "\n"


# --- libraries -------------------------------------------------------------------------------------------------------


def libraries_index(described: Sequence[Library]) -> str:
    """All libraries in tables."""
    intro = (
        f"{len(described)} descriptors say what calls and settings of libraries mean. "
        "[Framework descriptors](../descriptors.md) says how to write one. nginx is part of corslint itself."
    )
    parts = ["# Libraries", intro]
    for language, title in (("javascript", "JavaScript and TypeScript"), ("python", "Python")):
        rows = []
        for one in described:
            if one.language == language:
                package = one.written.get("package", {"name": ""})["name"]
                versions = f"`{one.versions}`" if one.versions else "all" if package else ""
                rows.append(
                    (f"[{rulepages.escaped(one.heading)}]({one.id}.md)", f"`{package}`" if package else "", versions)
                )
        parts += [f"## {title}", table(("library", "package", "versions"), rows)]
    return "\n\n".join(parts) + "\n"
