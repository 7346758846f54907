"""The page: whole, self-contained, inert whatever files hold, and of a size that a browser can show."""

from __future__ import annotations

import base64
import hashlib
import itertools
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from corslint import cli
from corslint.model.diagram import Connection, Diagram, Line, Node
from corslint.model.finding import Edit, Finding, Fix, Place
from corslint.model.tri import Tri
from corslint.report import RuleAbout, Run
from corslint.report._markup import Markup, element, joined, prose
from corslint.report._placing import Places, cut, placed
from corslint.source import SourceFile, Span
from tests.report import crowded
from tests.report.samples import FINDING, hostile, report, written

BLOCKS = frozenset({"article", "div", "dt", "dd", "figcaption", "label", "li", "p", "section", "summary", "ul", "text"})
VOID = frozenset({"meta", "input", "wbr", "br", "hr", "rect", "path", "line"})


class Document(HTMLParser):
    """The elements of a page; fails where tags are not closed in their order."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.texts: list[str] = []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        self.texts.append(" " if tag in BLOCKS else "")
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append(data)

    def all(self, tag: str, **attributes: str) -> list[dict[str, str | None]]:
        return [
            found
            for name, found in self.elements
            if name == tag and all(found.get(key.rstrip("_")) == value for key, value in attributes.items())
        ]

    @property
    def text(self) -> str:
        return " ".join("".join(self.texts).split())


A, B = Span("page.js", 0, 5), Span("site.conf", 0, 6)
DIAGRAM = Diagram(
    "shop",
    (
        Node("n1", "browser", "page", "https://a.example", ("page.js",), (Line("asks", "GET /x", "its own", (A,)),)),
        Node("n2", "proxy", "site", "nginx", ("site.conf",), (Line("adds", "Access-Control-Allow-Origin", "*", (B,)),)),
        Node("n3", "server", "api", "Express", ("api.js",), ()),
    ),
    (
        Connection("n1", "n2", Tri.YES, ("GET /x",), "it has this name", ()),
        Connection("n2", "n3", Tri.UNKNOWN, ("/",), "perhaps", (Span("site.conf", 20, 30),)),
    ),
)
FILES = {
    "page.js": SourceFile("page.js", b"fetch('/x');\n"),
    "site.conf": SourceFile("site.conf", b"header *;\nupstream x { server y; }\n" + b"# \n" * 9),
    "api.js": SourceFile("api.js", b"const api = 1;\n"),
    "lost.js": SourceFile("lost.js", b"1;\n"),
}


def finding(path: str, start: int, end: int, *related: Place, **changes: Any) -> Finding:
    made = Finding("a-rule", "error", "broken", "high", f"fault in {path}", "mend it", Span(path, start, end), related)
    return made._replace(**changes)


def about(rule: str) -> RuleAbout:
    return RuleAbout(rule, "A title", "error", ("broken",), "", "", ("https://docs.example/a",), "Because of `x`.")


def page(*findings: Finding, **changes: Any) -> Document:
    whole = report(*findings, sources=FILES.__getitem__, diagrams=(DIAGRAM,), **changes)
    return Document(written("html", whole, Run(about=about)))


# --- markup ----------------------------------------------------------------------------------------------------------


def test_what_is_no_markup_is_escaped() -> None:
    assert element("p", "<b>", Markup("<i></i>"), None, ["&", "\x1b"], title='"', hidden=True, class_=None) == (
        '<p title="&quot;" hidden>&lt;b&gt;<i></i>&amp;\\x1b</p>'
    )
    assert element("rect", x=1) == '<rect x="1"/>'
    assert element("meta", http_equiv="x") == '<meta http-equiv="x">'
    assert joined(["a", Markup("<br>")]) == "a<br>"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain", "plain"),
        ("use `<a>` here", "use <code>&lt;a&gt;</code> here"),
        ("an odd ` one", "an odd ` one"),
    ],
)
def test_code_in_sentences(text: str, shown: str) -> None:
    assert prose(text) == shown


# --- the page --------------------------------------------------------------------------------------------------------


def test_it_asks_for_nothing_and_lets_only_its_own_script_run() -> None:
    text = written("html", report(FINDING))
    document = Document(text)
    (policy,) = document.all("meta", **{"http-equiv": "Content-Security-Policy"})
    script = re.search(r"<script>(.*)</script>", text, re.DOTALL)
    style = re.search(r"<style>(.*)</style>", text, re.DOTALL)
    assert script is not None
    assert style is not None
    hashes = [base64.b64encode(hashlib.sha256(one[1].encode()).digest()).decode() for one in (script, style)]
    assert policy["content"] == (
        f"default-src 'none'; style-src 'sha256-{hashes[1]}'; script-src 'sha256-{hashes[0]}'; "
        "base-uri 'none'; form-action 'none'"
    )
    assert len(document.all("script")) == len(document.all("style")) == 1
    assert {tag for tag, _ in document.elements} & {"link", "img", "iframe", "object", "embed", "base", "form"} == set()
    names = {name for _, attributes in document.elements for name in attributes}
    assert [name for name in names if name.startswith("on") or name in ("style", "src", "srcset")] == []
    assert "url(" not in re.sub(r"url\(#[wn]\d+-(?:sure|maybe)\)", "", text)
    assert "@import" not in text


def test_it_has_landmarks_and_headings_in_order() -> None:
    document = page(finding("page.js", 0, 5))
    for landmark in ("header", "main", "footer"):
        assert len(document.all(landmark)) == 1
    levels = [int(tag[1]) for tag, _ in document.elements if re.fullmatch("h[1-6]", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in itertools.pairwise(levels))
    assert document.all("html")[0]["lang"] == "en"


def test_every_link_leads_somewhere_and_no_id_stands_twice() -> None:
    fixed = Fix("do it", "safe", (Edit(Span("page.js", 0, 5), "get"),))
    document = page(
        finding("page.js", 0, 5, Place(Span("api.js", 0, 3), "there"), fix=fixed),
        finding("api.js", 0, 5),
        finding("lost.js", 0, 1),
    )
    ids = [attributes["id"] for _, attributes in document.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    inside = [one["href"] or "" for one in document.all("a") if (one["href"] or "").startswith("#")]
    assert {link[1:] for link in inside} <= set(ids)
    outside = {one["href"] for one in document.all("a")} - set(inside)
    assert outside == {"https://docs.example/a"}
    assert all(one["rel"] == "noopener noreferrer" for one in document.all("a") if one["href"] in outside)


def test_without_findings_no_link_is_dead() -> None:
    for document in (page(), Document(written("html", report()))):
        ids = {attributes.get("id") for _, attributes in document.elements}
        assert {(one["href"] or "")[1:] for one in document.all("a")} <= ids


def test_the_summary_says_it_in_one_line() -> None:
    two = finding("page.js", 0, 5), finding("api.js", 0, 5, effect="exploitable")
    assert (
        "One fault that an attacker can use and one that breaks connections. 2 errors in 2 of 3 files."
        in page(*two).text
    )
    many = page(*(finding("page.js", at, at + 1) for at in range(13)))
    assert "13 faults that break connections. 13 errors in 1 of 3 files." in many.text
    weak = finding("page.js", 0, 5, effect="degraded", severity="warning")
    assert "Nothing is broken or open to attackers, but some of it could work better." in page(weak).text
    unread = finding("page.js", 0, 5, effect="tool")
    assert "What could be read is not broken or open to attackers." in page(unread).text
    assert "Nothing found. 3 files checked." in page().text


def test_what_is_left_out_is_said() -> None:
    changes = {
        "hidden_notes": 2,
        "in_tests": 1,
        "passed_over": {"minified": 3},
        "left_out": {"suppressed": 4, "baseline": 5},
    }
    assert (
        "Not shown: 4 suppressed by comments; 5 in the baseline; 2 notes hidden (--pedantic shows them); "
        "1 finding in tests (--include-tests shows them); passed over 3 minified."
    ) in page(**changes).text


def test_a_finding_has_all_that_is_known_of_it() -> None:
    fixed = Fix("Ask for `y`", "unsafe", (Edit(Span("page.js", 7, 9), "/y"),))
    text = page(finding("page.js", 7, 9, Place(Span("api.js", 6, 9), "this answers"), fix=fixed)).text
    for part in (
        "✕ error",
        "broken",
        "a-rule",
        "fault in page.js",
        "page.js:1:8",
        "What to do: mend it",
        "this answers",
        "api.js:1:7",
        "Fix: Ask for y",
        "removed: fetch('/x');",
        "added: fetch('/y');",
        "corslint check --fix --unsafe-fixes",
        "Because of x.",
        "corslint rule a-rule",
    ):
        assert part in text, part


def test_the_exact_characters_are_marked() -> None:
    text = written("html", report(FINDING))
    assert '<mark class="own">日本</mark>' in text
    assert '<mark class="other">add_header</mark>' in text


def test_a_place_of_several_lines_is_marked_on_each() -> None:
    source = SourceFile("a.js", b"x = {\n\ta: 1,\n  b: 2,\n}\n")
    one = FINDING._replace(primary=Span("a.js", 4, 23), related=())
    text = written("html", report(one, sources=lambda path: source))
    assert re.findall(r'<mark class="own">(.*?)</mark>', text) == ["{", "a: 1,", "b: 2,", "}"]


# --- the picture -----------------------------------------------------------------------------------------------------


def test_findings_stand_where_they_belong() -> None:
    found = [
        finding("page.js", 0, 5),
        finding("api.js", 0, 5),
        finding("page.js", 7, 9, Place(Span("site.conf", 0, 3), "")),
        finding("site.conf", 22, 25),
        finding("lost.js", 0, 1),
        finding("api.js", 0, 2, Place(Span("page.js", 0, 3), "")),
        finding("lost.js", 0, 1, Place(Span("api.js", 0, 3), "")),
    ]
    where = placed(DIAGRAM, enumerate(found, 1))
    assert where.on_lines == {("n1", 0): [1]}
    assert where.on_nodes == {"n3": [2, 7]}
    assert where.between == {("n1", "n2"): [3, 6], ("n2", "n3"): [4]}
    assert where.nowhere == [5]


def test_the_picture_links_to_findings_and_tells_unknown_ways_apart() -> None:
    document = page(finding("page.js", 0, 5), finding("lost.js", 0, 1))
    pills = document.all("a", class_="pill error")
    assert [one["href"] for one in pills] == ["#f2", "#f2"]  # once in each of the two layouts
    assert pills[0]["aria-label"] == "error 2: fault in page.js"
    assert len(document.all("path", class_="edge sure")) == len(document.all("path", class_="edge maybe")) == 2
    assert "perhaps sends / to api" in document.text
    assert "proxy site, nginx adds Access-Control-Allow-Origin: *" in document.text
    assert "Not in the picture: error 1" in document.text


@settings(max_examples=200, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.lists(st.tuples(st.integers(0, 1), st.integers(0, 12), st.integers(0, 6))), st.integers(0, 12), st.integers(0, 6)
)
def test_the_first_place_that_meets_a_span(places: list[tuple[int, int, int]], start: int, size: int) -> None:
    spans = [Span(f"{path}.js", begin, begin + length) for path, begin, length in places]
    wanted = Span("0.js", start, start + size)
    meeting = (
        number
        for number, one in enumerate(spans)
        if one.path == wanted.path and one.start < wanted.end and wanted.start < one.end
    )
    assert Places(enumerate(spans)).first(wanted) == next(meeting, None)


def test_of_too_many_nodes_those_with_findings_and_their_neighbours_are_drawn() -> None:
    nodes = tuple(Node(f"n{at}", "server", f"api {at}", "Express", (f"{at}.js",), ()) for at in range(9))
    ways = tuple(
        Connection(f"n{source}", f"n{target}", Tri.YES, (), "so", ())
        for source, target in ((4, 8), (4, 5), (7, 6), (0, 1))
    )
    many = Diagram(".", nodes, ways)
    found = placed(many, enumerate((finding("7.js", 0, 1), finding("8.js", 0, 1)), 1))

    def names(most: int) -> list[str]:
        return [node.id for node in cut(many, found, most).nodes]

    assert names(2) == ["n7", "n8"]
    assert names(3) == ["n6", "n7", "n8"]
    assert names(5) == ["n0", "n4", "n6", "n7", "n8"]
    assert cut(many, found, 4).connections == (ways[0], ways[2])
    assert cut(many, found, 9) is many


def test_a_picture_of_thousands_of_nodes_is_cut() -> None:
    nodes = tuple(Node(f"n{at}", "server", f"api {at}", "Express", (f"{at}.js",), ()) for at in range(3000))
    ways = tuple(Connection("n0", f"n{at}", Tri.YES, (), "so", ()) for at in range(1, 3000))
    found = [finding(f"{at}.js", 0, 1) for at in range(0, 3000, 2)]
    whole = report(*found, sources=lambda path: SourceFile(path, b"1;"), diagrams=(Diagram(".", nodes, ways),))
    document = Document(written("html", whole, Run(about=about)))
    assert "Of 3000 pages, proxies and programs 120 are drawn, those of findings first." in document.text
    assert len(document.all("li")) < 1000


def test_nothing_to_draw() -> None:
    whole = report(diagrams=(Diagram(".", (), ()),))
    assert "No page, proxy or program was found that could be drawn." in Document(written("html", whole)).text


# --- hostile, many and long ------------------------------------------------------------------------------------------


def test_nothing_that_files_hold_becomes_markup() -> None:
    evil = "</script><script>alert(1)</script><img src=x onerror=alert(2)>\x1b[31m\u202e'\"`"
    path = f"{evil}.js".replace("\x00", "")
    source = SourceFile(path, f"{evil}\n{evil}\n".encode())
    at = Span(path, 3, 9)
    fixed = Fix(evil, "safe", (Edit(at, evil),))
    one = Finding("a-rule", "error", "broken", "high", evil, evil, at, (Place(Span(path, 0, 4), evil),), fixed)
    lines = tuple(Line(kind, evil, evil, (at,), evil) for kind in ("asks", "takes", "adds", "drops"))
    drawn = Diagram(
        evil,
        (Node("n1", "browser", evil, evil, (path,), lines), Node("n2", "server", evil, evil, (), ())),
        (Connection("n1", "n2", Tri.UNKNOWN, (evil, evil + "2", evil + "3"), evil, ()),),
    )
    evil_rule = RuleAbout(
        "a-rule", evil, "error", (), evil, evil, (f"https://x.example/{evil}", "javascript:alert(3)"), evil
    )
    whole = report(
        one, sources=lambda name: source, diagrams=(drawn, drawn._replace(title="other")), left_out={"baseline": 1}
    )
    text = written("html", whole, Run(about=lambda rule: evil_rule))
    document = Document(text)
    assert len(document.all("script")) == 1
    assert document.all("img") == []
    assert "javascript:" not in {(one["href"] or "").partition("alert")[0] for one in document.all("a")}
    assert "\\u202e" in document.text
    assert "\\x1b[31m" in document.text


def test_the_same_run_writes_the_same_bytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(Path(__file__).parent.parent.parent)
    out = [tmp_path / "one.html", tmp_path / "two.html"]
    for file in out:
        assert cli.run(["check", "--output-format", "html", "-o", str(file), "fixtures/projects/chat/bad"]) == 1
    assert out[0].read_bytes() == out[1].read_bytes()


def test_a_long_line_does_not_make_a_long_page() -> None:
    data = b"x" * 1_000_000 + b"'*'" + b"y" * 1_000_000
    source = SourceFile("a.js", data)
    at = data.index(b"'")
    fixed = Fix("do it", "safe", (Edit(Span("a.js", at, at + 3), "'z'"),))
    one = FINDING._replace(primary=Span("a.js", at, at + 3), related=(), fix=fixed)
    text = written("html", report(one, sources=lambda path: source))
    assert len(text) < len(written("html", report())) + 8000
    assert '<mark class="own">&#x27;*&#x27;</mark>' in text
    assert "a.js:1:1000001" in re.sub("<wbr>", "", text)


def test_two_thousand_findings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert crowded.write(tmp_path, 20, 2000) == 2000
    assert cli.run(["check", "--no-config", "--output-format", "html", "-o", "out.html", "."]) == 1
    text = (tmp_path / "out.html").read_text(encoding="utf-8")
    assert len(text) < 4_000_000
    document = Document(text)
    assert len(document.all("article")) == 2000 + 1  # and the rule
    assert len(document.all("details")) == 300 + 1  # and the picture in words
    assert "Source and fixes are shown for the 300 gravest of 2000 findings." in document.text


def test_hostile_files_make_a_page() -> None:
    document = Document(written("html", hostile()))
    assert len([one for one in document.all("article") if (one.get("class") or "").startswith("finding")]) == len(
        hostile().findings
    )
