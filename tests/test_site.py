"""The documentation site: it builds without a warning, every rule and library has its page, no link is dead, and
nothing is asked of another server."""

from __future__ import annotations

import html
import json
import re
import sys
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from types import ModuleType
from urllib.parse import unquote, urlsplit

import pytest

from corslint import lint, rulefiles, rulepages, ruleset
from corslint.model import semantics
from corslint.model.kinds import FACT_KINDS

ROOT = Path(__file__).resolve().parent.parent
RULES = lint.knowledge().rules.rules
DESCRIPTORS = sorted(path.stem for path in (ROOT / "corslint" / "frameworks").glob("*.yaml"))

pytestmark = pytest.mark.xdist_group("site")  # it is built once


@pytest.fixture(scope="module")
def documentation() -> Iterator[ModuleType]:
    """`scripts/documentation/site.py`."""
    sys.path.insert(0, str(ROOT / "scripts"))
    try:
        import documentation.site as module

        yield module
    finally:
        sys.path.remove(str(ROOT / "scripts"))


@pytest.fixture(scope="module")
def site(documentation: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site, built as `make docs` does it: strict, so that Zensical's own checks are passed."""
    target = tmp_path_factory.mktemp("site") / "site"
    documentation.build(target)
    return target


class Page(HTMLParser):
    """What a page refers to, and what can be referred to in it."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.loaded: list[str] = []
        self.ids: set[str] = set()
        self.words: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if "id" in given:
            self.ids.add(given["id"])
        if tag == "a" and "href" in given:
            self.links.append(given["href"])
        elif tag == "link" and given.get("rel") not in ("canonical", "next", "prev"):
            self.loaded.append(given["href"])
        self.loaded += [given[name] for name in ("src", "srcset", "poster", "data") if name in given]

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())


@pytest.fixture(scope="module")
def pages(site: Path) -> dict[str, Page]:
    """All pages, by their path in the site."""
    found = {path.relative_to(site).as_posix(): Page(path.read_text(encoding="utf-8")) for path in site.rglob("*.html")}
    assert len(found) > len(RULES) + len(DESCRIPTORS)
    return found


def test_every_rule_has_its_page(pages: dict[str, Page]) -> None:
    assert {name for name in pages if name.startswith("rules/")} == {
        "rules/index.html",
        *(f"rules/{name}.html" for name in RULES),
    }
    for name, rule in RULES.items():
        text = pages[f"rules/{name}.html"].text
        assert name in text
        assert all(severity in text for severity in rule.severities), name
        assert set(rule.references) <= set(pages[f"rules/{name}.html"].links), name
        assert f"{name}.html" in pages["rules/index.html"].links


def test_every_library_has_its_page(pages: dict[str, Page]) -> None:
    assert {name for name in pages if name.startswith("libraries/")} == {
        "libraries/index.html",
        *(f"libraries/{name}.html" for name in DESCRIPTORS),
    }
    assert {f"{name}.html" for name in DESCRIPTORS} <= set(pages["libraries/index.html"].links)


def test_every_guide_has_its_page(pages: dict[str, Page]) -> None:
    guides = {f"{path.stem}.html" for path in (ROOT / "docs").glob("*.md")}
    assert guides | {"usage.html", "contributing.html", "changelog.html", "security.html", "404.html"} == {
        name for name in pages if "/" not in name
    }


def test_no_link_is_dead(site: Path, pages: dict[str, Page]) -> None:
    dead = []
    for name, page in pages.items():
        for link in {*page.links, *page.loaded}:
            parts = urlsplit(link)
            if parts.scheme or parts.netloc or name == "404.html":  # that one's links begin at the site's address
                continue
            target = (site / name).parent / unquote(parts.path) if parts.path else site / name
            if not target.exists():
                dead.append((name, link))
                continue
            other = pages.get(target.resolve().relative_to(site.resolve()).as_posix())
            fragment = "" if parts.fragment.startswith("__") else unquote(parts.fragment)
            if fragment and other is not None and fragment not in other.ids:
                dead.append((name, link))
    assert dead == []


def test_the_search_holds_words_and_no_source(site: Path) -> None:
    text = (site / "search.json").read_text(encoding="utf-8")
    items = json.loads(text)["items"]
    generated = [one for one in items if one["location"].startswith(("rules/", "libraries/"))]
    assert not [one["location"] for one in generated if "<pre" in one["text"]]
    found = " ".join(f"{one['title']} {one['text']}" for one in generated)
    assert [
        name for name, rule in RULES.items() if html.escape(rule.title.split("`")[0], quote=False) not in found
    ] == []
    assert {f"rules/{name}.html" for name in RULES} <= {one["location"] for one in generated}
    assert any("<pre" in one["text"] for one in items)  # guides are searched whole
    assert len(text.encode()) < 1_250_000


def test_nothing_is_asked_of_another_server(site: Path, pages: dict[str, Page]) -> None:
    for name, page in pages.items():
        elsewhere = [address for address in page.loaded if urlsplit(address).netloc]
        assert elsewhere == [], name
    for sheet in site.rglob("*.css"):
        text = sheet.read_text(encoding="utf-8")
        assert re.findall(r"(?:url\(|@import\s+)[\"']?(?:https?:)?//", text) == [], sheet.name
    assert not list(site.rglob("*.woff*"))


def test_marked_places_are_marked(pages: dict[str, Page], site: Path) -> None:
    text = (site / "rules" / "socketio-path-mismatch.html").read_text(encoding="utf-8")
    assert '<mark class="primary">' in text
    assert '<mark class="related">' in text
    for name in RULES:
        assert not re.search("[⟦⟧⟪⟫]", pages[f"rules/{name}.html"].text), name
    for name in DESCRIPTORS:
        assert not re.search("[⟦⟧⟪⟫]", pages[f"libraries/{name}.html"].text), name


def test_code_is_shown_as_it_stands(documentation: ModuleType) -> None:
    """Whatever the highlighter does, no character of an example is lost."""
    shown = documentation.code.shown
    for rule in RULES.values():
        for example in rule.examples:
            for path, marked in example.files.items():
                (code,) = re.findall(r"<pre><code>(.*)\n</code></pre>", shown(path, marked), re.DOTALL)
                plain = html.unescape(re.sub(r"</?(?:span|mark)[^>]*>", "", code)).replace("\u200b", "")
                assert plain == re.sub("[⟦⟧⟪⟫\u200b]", "", marked.rstrip()), (rule.id, path)
                assert code.count('<mark class="primary">') == marked.count(ruleset.PRIMARY_MARKS[0])
                assert code.count("</mark>") == code.count("<mark ")


def test_what_the_lab_saw_is_on_the_page(documentation: ModuleType, pages: dict[str, Page]) -> None:
    proofs = documentation._proofs((ROOT / "docs" / "proof.md").read_text(encoding="utf-8"))
    assert set(proofs) == {name for name, rule in RULES.items() if rule.proof}
    for name, some in proofs.items():
        assert all(one.bad and one.good and one.claim for one in some), name
        assert "Proven" in pages[f"rules/{name}.html"].text
    assert "Proven" not in pages["rules/syntax-error.html"].text


def test_symptoms_are_in_each_browsers_words(pages: dict[str, Page]) -> None:
    text = pages["rules/socketio-path-mismatch.html"].text
    assert "Chromium No 'Access-Control-Allow-Origin' header is present on the requested resource" in text
    assert "Firefox CORS header 'Access-Control-Allow-Origin' missing" in text
    assert "Safari Origin … is not allowed by Access-Control-Allow-Origin" in text
    for name, rule in RULES.items():
        assert ("How it shows" in pages[f"rules/{name}.html"].text) == bool(rule.symptoms), name


def test_every_meaning_has_words(documentation: ModuleType) -> None:
    assert set(documentation.libraries.MEANS) == set(semantics.MEANINGS)
    sent = FACT_KINDS["cors_policy"].fields["effect.to_stranger"].type
    assert set(documentation.libraries.SENT) == {*sent, "unknown"}


def test_a_librarys_page_says_what_is_sent(pages: dict[str, Page]) -> None:
    text = pages["libraries/koa-cors.html"].text
    assert "cors({ origin: '*' }) * no 5.0.0" in text
    assert "cors({ origin: '*', credentials: true }) its own origin yes 5.0.0" in text
    assert "credentials cors_policy credentials false" in text
    assert "origin cors_policy origin * is sent" in text
    assert "options in argument 1 (after a number) or 0" in pages["libraries/nestjs.html"].text
    assert "allowedOrigins (it is origin )" in text


def test_the_front_page_shows_the_demo(pages: dict[str, Page]) -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    (shown,) = re.findall(r"<!-- demo output -->\n```console\n(.*?)```", readme, re.DOTALL)
    assert " ".join(shown.split()) in pages["index.html"].text


def test_a_dead_link_is_an_error(documentation: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def lay_down(work: Path) -> None:
        (work / "pages").mkdir()
        (work / "pages" / "index.md").write_text("# A\n\n[b](index.md#nowhere)\n", encoding="utf-8")
        (work / "mkdocs.yml").write_text("site_name: a\ndocs_dir: pages\n", encoding="utf-8")

    monkeypatch.setattr(documentation, "lay_down", lay_down)
    with pytest.raises(documentation.SiteError, match="anchor does not exist"):
        documentation.build(tmp_path / "site")
    assert not (tmp_path / "site").exists()


def test_a_page_in_no_section_is_an_error(documentation: ModuleType) -> None:
    with pytest.raises(documentation.SiteError, match=r"\['new\.md'\]"):
        documentation.navigation({*documentation.written_pages(), "new.md"}, [], [])


def test_a_page_of_a_rule_alone(tmp_path: Path) -> None:
    """What a page has where its rule says as little as a rule may."""
    (tmp_path / "some-rule.yaml").write_text(
        "id: some-rule\nseverity: note\neffect: policy\nmatch: [{name: app, fact: http_app}]\n"
        'report: {at: app, message: "first <b>", help: Then.}\n'
        "examples:\n  - {files: {a.js: \"⟦require('express')()⟧\"}}\n  - {clean: true, files: {b.js: ''}}\n",
        encoding="utf-8",
    )
    around = rulepages.Around(lambda path, text: f"({path}: {text})", lambda says: [("Firefox", says)])
    assert rulepages.page(rulefiles.load([tmp_path])["some-rule"], around) == (
        "# first \\<b>\n\n`some-rule` · **note** · policy · no fix\n\n"
        "## Faulty\n\n(a.js: ⟦require('express')()⟧)\n\n"
        "## Not reported\n\n(b.js: )\n\n"
        "## What corslint says\n\n- **note** (policy): first \\<b>\n\n    Then.\n"
    )
