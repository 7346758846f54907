"""Pages of files in Chromium, and what axe-core says of them."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from playwright import sync_api as playwright

WIDTHS = {"desktop": 1280, "phone": 390}
GRAVE = ("serious", "critical")


@contextlib.contextmanager
def opened(browser: playwright.Browser, file: Path, **options: Any) -> Iterator[playwright.Page]:
    """The page of a file. It may ask for nothing else, and its console stays empty."""
    context = browser.new_context(viewport={"width": options.pop("width", 1280), "height": 900}, **options)
    page = context.new_page()
    said: list[str] = []
    asked: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("request", lambda request: asked.append(request.url))
    try:
        page.goto(file.as_uri())
        yield page
        assert said == []
        assert [url.partition("#")[0] for url in asked] == [file.as_uri()] * len(asked)
    finally:
        context.close()


def violations(page: playwright.Page, axe: str) -> list[str]:
    """What axe-core finds that is serious, and where."""
    page.evaluate(f"{axe}\n;undefined")
    found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    return [
        f"{one['id']}: {node['target']} {node['failureSummary']}"
        for one in found["violations"]
        if one["impact"] in GRAVE
        for node in one["nodes"][:5]
    ]
