"""Drawn traces in a real browser: nothing serious for axe-core, nothing wider than the page, one picture a width."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any

import pytest
from playwright import sync_api as playwright

from corslint import cli
from tests.lab.accessibility import WIDTHS, opened, violations
from tests.lab.installation import ROOT

BLOCKED = ("--method", "PUT", "--header", "content-type", "--credentials", "--from", "https://shop.example.com", "--to")
QUESTIONS = {
    "one": (1, *BLOCKED, "https://api.example.com/api/items", "fixtures/projects/proxy-and-app-cors/bad"),
    "all": (1, "fixtures/projects/chat/bad"),
    "unknown": (
        3,
        "--from",
        "https://chat.example.com",
        "--to",
        "https://api.example.com/api/x",
        "fixtures/projects/chat/bad",
    ),
}


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The page of each question."""
    folder = tmp_path_factory.mktemp("traces")
    found = {}
    for name, (status, *arguments) in QUESTIONS.items():
        found[name] = folder / f"{name}.html"
        with (
            found[name].open("w", encoding="utf-8") as out,
            contextlib.chdir(ROOT),
            contextlib.redirect_stdout(out),
        ):
            assert cli.run(["trace", "--output-format", "html", *map(str, arguments)]) == status
    return found


@pytest.mark.parametrize("name", QUESTIONS)
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", WIDTHS)
def test_axe_finds_nothing_serious(
    browser: playwright.Browser, axe: str, drawn: dict[str, Path], name: str, scheme: Any, width: str
) -> None:
    with opened(browser, drawn[name], color_scheme=scheme, width=WIDTHS[width], bypass_csp=True) as page:
        assert violations(page, axe) == []
        assert page.evaluate("document.documentElement.scrollWidth") <= WIDTHS[width]


def test_one_picture_is_shown_on_each_width(browser: playwright.Browser, drawn: dict[str, Path]) -> None:
    for width, look, other in ((1280, "wide", "narrow"), (390, "narrow", "wide")):
        with opened(browser, drawn["one"], width=width) as page:
            assert page.locator(f"svg.map.{look}").first.is_visible()
            assert not page.locator(f"svg.map.{other}").first.is_visible()


def test_colours_are_switched(browser: playwright.Browser, drawn: dict[str, Path]) -> None:
    with opened(browser, drawn["one"], color_scheme="light") as page:
        light = page.evaluate("getComputedStyle(document.body).backgroundColor")
        page.locator("#colours").press("Enter")
        assert page.evaluate("getComputedStyle(document.body).backgroundColor") != light


def test_it_is_whole_without_its_script(browser: playwright.Browser, drawn: dict[str, Path]) -> None:
    with opened(browser, drawn["one"], java_script_enabled=False) as page:
        assert page.locator("svg.map.wide").first.is_visible()
        assert page.locator(".verdict .badge").text_content() == "✕ blocked"
