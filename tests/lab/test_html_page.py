"""The HTML pages in a real browser: nothing runs but their own scripts, axe-core finds nothing, and keys are enough."""

from __future__ import annotations

import contextlib
import re
import shutil
from pathlib import Path
from typing import Any

import pytest
from playwright import sync_api as playwright

from corslint import cli
from corslint.fleet import page as fleet_page
from corslint.fleet import summary
from corslint.fleet.checking import Count
from corslint.fleet.results import Kept
from corslint.fleet.summary import Checked
from corslint.model.diagram import Connection, Diagram, Line, Node
from corslint.model.tri import Tri
from corslint.report import RuleAbout, Run
from tests.lab.accessibility import WIDTHS, opened, violations
from tests.lab.installation import ROOT
from tests.report import crowded
from tests.report.samples import NASTY, hostile, written

SCRIPTS = (
    "</script><script>document.title='ran'</script>",
    "<img src=x onerror=\"document.title='ran'\">",
    "\"'><svg onload=document.title='ran'>",
    "]]><script>document.title='ran'</script>",
    "javascript:document.title='ran'",
)


DEMO = int(re.findall(r"of the (\d+) reasons", (ROOT / "README.md").read_text(encoding="utf-8"))[0])
"""Findings of the demo project."""


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The report of the demo project."""
    out = tmp_path_factory.mktemp("demo") / "report.html"
    with contextlib.chdir(ROOT):
        assert cli.run(["check", "--output-format", "html", "-o", str(out), "fixtures/projects/chat/bad"]) == 1
    return out


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The report of a project with 200 findings in twelve services."""
    folder = tmp_path_factory.mktemp("many")
    assert crowded.write(folder) >= 200
    with contextlib.chdir(folder):
        assert cli.run(["check", "--no-config", "--output-format", "html", "-o", "report.html", "."]) == 1
    return folder / "report.html"


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page of a fleet in its second run: one repository was mended, one is new, and one cannot be checked."""
    folder = tmp_path_factory.mktemp("fleet")

    def lay_down(name: str, side: str, project: str = "") -> None:
        shutil.copytree(ROOT / "fixtures" / "projects" / (project or name) / side, folder / "all" / name)
        (folder / "all" / name / ".git").mkdir()

    for name in ("chat", "auth-before-cors", "socketio-path-mismatch", "credentials-not-boolean"):
        lay_down(name, "bad")
    command = ["fleet", str(folder / "all"), "--output", str(folder / "out"), "--pedantic"]
    assert cli.run(command) == 1
    shutil.rmtree(folder / "all" / "auth-before-cors")
    lay_down("auth-before-cors", "good")
    lay_down("new/malformed-origin", "bad", "malformed-origin")
    (folder / "all" / "wrong").mkdir()
    (folder / "all" / "wrong" / "corslint.toml").write_text("selekt = []\n", encoding="utf-8")
    assert cli.run(command) == 2
    return folder / "out" / "summary.html"


@pytest.mark.parametrize("name", ["demo", "many", "fleet"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", WIDTHS)
def test_axe_finds_nothing_serious(
    browser: playwright.Browser, axe: str, demo: Path, many: Path, fleet: Path, name: str, scheme: Any, width: str
) -> None:
    file = {"demo": demo, "many": many, "fleet": fleet}[name]
    with opened(browser, file, color_scheme=scheme, width=WIDTHS[width], bypass_csp=True) as page:
        assert violations(page, axe) == []
        assert page.evaluate("document.documentElement.scrollWidth") <= WIDTHS[width]


def test_axe_would_find_something(browser: playwright.Browser, axe: str, demo: Path) -> None:
    with opened(browser, demo, bypass_csp=True) as page:
        page.evaluate("document.querySelector('.lead').style.color = '#cccccc'")
        assert [one.partition(":")[0] for one in violations(page, axe)] == ["color-contrast"]


CONTRASTS = """() => {
  const probe = document.body.appendChild(document.createElement('i'));
  const canvas = document.createElement('canvas').getContext('2d', {willReadFrequently: true});
  const light = name => {
    probe.style.color = `var(${name})`;
    canvas.fillStyle = getComputedStyle(probe).color;
    canvas.fillRect(0, 0, 1, 1);
    const parts = [...canvas.getImageData(0, 0, 1, 1).data].slice(0, 3).map(part => part / 255)
      .map(part => part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4);
    return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2];
  };
  return PAIRS.map(([ink, ground, least]) => {
    const [low, high] = [light(ink), light(ground)].sort((a, b) => a - b);
    return [ink, ground, (high + 0.05) / (low + 0.05), least];
  }).filter(([, , ratio, least]) => ratio < least);
}"""
PAIRS = (
    *((ink, ground, 4.5) for ink in ("--ink", "--quiet", "--link") for ground in ("--paper", "--card", "--faint")),
    ("--on-error", "--error-fill", 4.5),
    ("--warning", "--warning-wash", 4.5),
    ("--note", "--card", 4.5),
    *(("--ink", f"--{wash}-wash", 4.5) for wash in ("error", "warning", "note", "other", "gone", "new")),
    ("--quiet", "--gone-wash", 4.5),
    ("--quiet", "--new-wash", 4.5),
    ("--error", "--paper", 4.5),
    ("--focus", "--paper", 3),
    ("--focus", "--card", 3),
    ("--error-fill", "--card", 3),
)
"""What axe-core does not look at: text in the picture, marks, focus rings (WCAG 2.2, 1.4.3 and 1.4.11)."""


FLEET_PAIRS = (
    ("--better", "--paper", 4.5),
    ("--better", "--new-wash", 4.5),
    ("--error", "--error-wash", 4.5),
    ("--warning", "--paper", 4.5),
    *((fill, "--paper", 3) for fill in ("--error-fill", "--note")),
)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_colours_of_a_fleet_are_told_apart(browser: playwright.Browser, fleet: Path, scheme: Any) -> None:
    with opened(browser, fleet, color_scheme=scheme, bypass_csp=True) as page:
        pairs = str([list(pair) for pair in FLEET_PAIRS])
        assert page.evaluate(CONTRASTS.replace("PAIRS", pairs)) == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_colours_are_told_apart(browser: playwright.Browser, demo: Path, scheme: Any) -> None:
    with opened(browser, demo, color_scheme=scheme, bypass_csp=True) as page:
        pairs = str([list(pair) for pair in PAIRS])
        assert page.evaluate(CONTRASTS.replace("PAIRS", pairs)) == []


def test_keys_lead_from_the_picture_to_a_finding(browser: playwright.Browser, demo: Path) -> None:
    with opened(browser, demo) as page:
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.textContent") == "Skip to the findings"
        for _ in range(40):
            page.keyboard.press("Tab")
            if page.evaluate("document.activeElement.classList.contains('pill')"):
                break
        label = page.evaluate("document.activeElement.getAttribute('aria-label')")
        number = label.split()[1].rstrip(":")
        page.keyboard.press("Enter")
        playwright.expect(page.locator(f"#f{number}")).to_be_focused()
        assert label.partition(": ")[2] == page.locator(f"#t{number}").text_content()
        assert page.evaluate(f"document.querySelector('#f{number} details').open")
        playwright.expect(page.locator(f"#t{number}")).to_be_in_viewport()


def test_a_link_leads_to_the_last_of_many(browser: playwright.Browser, many: Path) -> None:
    with opened(browser, many) as page:
        page.evaluate("location.hash = '#f204'")
        playwright.expect(page.locator("#f204")).to_be_focused()
        playwright.expect(page.locator("#t204")).to_be_in_viewport()


def shown(page: playwright.Page) -> int:
    return page.locator(".finding:visible").count()


def test_keys_filter_and_group(browser: playwright.Browser, demo: Path) -> None:
    with opened(browser, demo) as page:
        assert shown(page) == DEMO
        page.locator("#show-error").focus()
        page.keyboard.press("Space")
        others = page.locator(".finding:not(.error)").count()
        assert 0 < others < DEMO
        assert shown(page) == others
        assert page.locator("#shown").text_content() == f"{others} of {DEMO} shown"
        assert page.locator(".group:visible").count() == page.locator(".group:has(.finding:not(.error))").count()
        # A link to what is hidden shows it.
        page.evaluate("location.hash = '#f1'")
        playwright.expect(page.locator("#f1")).to_be_focused()
        assert shown(page) == DEMO
        page.locator("#rule").focus()
        page.keyboard.type("weak-origin")
        assert shown(page) == 1
        page.select_option("#rule", "")
        page.select_option("#by", "rule")
        assert page.locator(".group:visible > h3 > code").first.text_content() == "duplicate-add-header"
        page.select_option("#by", "file")
        assert shown(page) == DEMO
        page.locator("#words").fill("notify.conf")
        assert shown(page) == 1


def test_colours_are_switched_and_kept(browser: playwright.Browser, demo: Path) -> None:
    with opened(browser, demo, color_scheme="light") as page:
        light = page.evaluate("getComputedStyle(document.body).backgroundColor")
        page.locator("#colours").press("Enter")
        dark = page.evaluate("getComputedStyle(document.body).backgroundColor")
        assert light != dark
        # What a page stores reaches another process late (HTML standard, section 12.2.3, promises no locking), and a
        # page that is left may take it along: so the first stays open, and the second looks until the choice has come.
        later = page.context.new_page()
        later.goto(demo.as_uri())
        colours = later.locator("#colours")
        for _ in range(50):
            if colours.get_attribute("aria-pressed") == "true":
                break
            later.wait_for_timeout(100)
            later.reload()
        playwright.expect(colours).to_have_attribute("aria-pressed", "true")
        playwright.expect(later.locator("body")).to_have_css("background-color", dark)


def test_it_works_without_its_script(browser: playwright.Browser, demo: Path) -> None:
    with opened(browser, demo, java_script_enabled=False) as page:
        assert shown(page) == DEMO
        assert not page.locator("#rule").is_visible()
        page.locator("#show-error").uncheck()
        assert shown(page) == page.locator(".finding:not(.error)").count() > 0


def test_one_picture_is_shown_on_each_width(browser: playwright.Browser, demo: Path) -> None:
    for width, look, other in ((1280, "wide", "narrow"), (390, "narrow", "wide")):
        with opened(browser, demo, width=width) as page:
            assert page.locator(f"svg.map.{look}").first.is_visible()
            assert not page.locator(f"svg.map.{other}").first.is_visible()


def test_no_text_leaves_its_box(browser: playwright.Browser, many: Path) -> None:
    script = """() => [...document.querySelectorAll('svg.map .node')].flatMap(node => {
      const frame = node.querySelector('.frame').getBoundingClientRect();
      return [...node.querySelectorAll('text')].filter(text => {
        const box = text.getBoundingClientRect();
        return box.width > 0 && (box.right > frame.right + 1 || box.bottom > frame.bottom + 1);
      }).map(text => text.textContent);
    })"""
    for width in WIDTHS.values():
        with opened(browser, many, width=width) as page:
            assert page.evaluate(script) == []


def test_nothing_that_files_hold_runs(browser: playwright.Browser, tmp_path: Path) -> None:
    whole = hostile()
    lines = tuple(Line("adds", text, text, (whole.findings[0].primary,), text) for text in (*SCRIPTS, *NASTY))
    nodes = [Node(f"n{at}", "server", text, text, (), lines) for at, text in enumerate((*SCRIPTS, *NASTY))]
    ways = [Connection("n0", node.id, Tri.UNKNOWN, SCRIPTS, node.title, ()) for node in nodes[1:]]
    evil = "".join(SCRIPTS)
    findings = tuple(one._replace(message=f"{evil}{one.message}", help=f"{one.help}{evil}") for one in whole.findings)
    drawn = tuple(Diagram(text, tuple(nodes), tuple(ways)) for text in SCRIPTS[:2])
    about = RuleAbout("a-rule", evil, "error", (), "", "", (f"https://x.example/{evil}", SCRIPTS[-1]), evil)
    file = tmp_path / "hostile.html"
    text = written("html", whole._replace(findings=findings, diagrams=drawn), Run(about=lambda rule: about))
    file.write_text(text, encoding="utf-8")
    with opened(browser, file, bypass_csp=True) as page:  # also where nothing but the escaping stands in the way
        page.select_option("#by", "rule")
        assert page.title() != "ran"
        assert page.locator("script").count() == 1
        assert page.locator("img, iframe, [onload], [onerror]").count() == 0
        assert page.evaluate("[...document.links].every(link => /^(#|https:)/.test(link.getAttribute('href')))")
        body = page.locator("body").inner_text()
        assert "\\u202e" in body
        assert "\u202e" not in body
        assert "\x1b" not in body


# --- a fleet ---------------------------------------------------------------------------------------------------------


def named(page: playwright.Page) -> list[str]:
    """The repositories that are listed, in their order."""
    return page.locator("#list tbody tr:visible .name").all_text_contents()


def test_a_fleet_says_at_a_glance_what_it_comes_to(browser: playwright.Browser, fleet: Path) -> None:
    with opened(browser, fleet) as page:
        assert page.locator("h1").text_content() == "6 repositories"
        playwright.expect(page.locator(".verdict")).to_have_text("▼ Better than last time")
        for text in (".verdict", ".tally.error", ".trend", ".bars"):
            playwright.expect(page.locator(text).first).to_be_in_viewport()
        assert page.locator(".failures li").all_text_contents() == [
            "wrong: corslint.toml:1: unknown setting selekt; did you mean select?"
        ]
        assert "chat" in page.locator(".bars").nth(1).inner_text()


def test_keys_lead_from_a_rule_to_its_repositories(browser: playwright.Browser, fleet: Path) -> None:
    with opened(browser, fleet) as page:
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.textContent") == "Skip to the repositories"
        before = named(page)
        assert before[0] == "chat"
        page.locator("#rules a", has_text="credentials-not-boolean").press("Enter")
        playwright.expect(page.locator("#repositories")).to_be_focused()
        assert named(page) == ["credentials-not-boolean"]
        assert page.locator("#shown").text_content() == f"1 of {len(before)} shown"
        page.select_option("#rule", "")
        page.select_option("#change", "better")
        assert named(page) == ["auth-before-cors"]
        page.select_option("#change", "")
        page.select_option("#by", "name")
        assert named(page) == sorted(before)
        page.locator("#words").fill("NEW/")
        assert named(page) == ["new/malformed-origin"]


def test_a_link_leads_to_a_repository_that_filters_hide(browser: playwright.Browser, fleet: Path) -> None:
    with opened(browser, fleet) as page:
        for _ in range(2):  # the address is the same the second time
            page.locator("#rules a", has_text="credentials-not-boolean").press("Enter")
            assert named(page) == ["credentials-not-boolean"]
            page.locator(".bars a", has_text="chat").press("Enter")
            assert "chat" in named(page)
            playwright.expect(page.locator("#r1")).to_be_in_viewport()
            assert page.locator("#rule").input_value() == ""


def test_a_fleet_is_whole_without_its_script(browser: playwright.Browser, fleet: Path) -> None:
    with opened(browser, fleet, java_script_enabled=False) as page:
        assert len(named(page)) == 5
        assert not page.locator("#rule").is_visible()
        links = page.locator("#list .reports a").evaluate_all("all => all.map(one => one.getAttribute('href'))")
        assert len(links) == 10
        assert all((fleet.parent / link).is_file() for link in links)


def test_the_colours_of_a_fleet_are_switched(browser: playwright.Browser, fleet: Path) -> None:
    with opened(browser, fleet, color_scheme="light") as page:
        light = page.evaluate("getComputedStyle(document.body).backgroundColor")
        page.locator("#colours").press("Enter")
        assert page.evaluate("getComputedStyle(document.body).backgroundColor") != light


def test_nothing_that_names_of_a_fleet_hold_runs(browser: playwright.Browser, tmp_path: Path) -> None:
    texts = (*SCRIPTS, *NASTY)
    counts = tuple(Count(text, severity, "broken", 1) for text in texts for severity in ("error", "note"))
    kept = Kept("stem", "", (), 1, counts, reaches=True)
    checked = [
        *(Checked(text, "stem", kept) for text in texts),
        *(Checked(f"{text}!", "", None, text) for text in texts),
    ]
    first = summary.made(checked, SCRIPTS[0], None)
    made = summary.made(checked, SCRIPTS[1], {**first, "corslint": SCRIPTS[0], "date": SCRIPTS[1]})
    file = tmp_path / "hostile.html"
    titles = dict.fromkeys(texts, "".join(SCRIPTS))
    file.write_text("".join(fleet_page.render(made, titles)), encoding="utf-8")
    with opened(browser, file, bypass_csp=True) as page:  # also where nothing but the escaping stands in the way
        page.select_option("#by", "name")
        page.locator("#rules a").first.click()
        assert page.title() != "ran"
        assert page.locator("script").count() == 1
        assert page.locator("img, iframe, [onload], [onerror]").count() == 0
        assert page.evaluate("[...document.links].every(link => /^(#|repositories.)/.test(link.getAttribute('href')))")
        body = page.locator("body").inner_text()
        assert "\\u202e" in body
        assert "\u202e" not in body
        assert "\x1b" not in body
