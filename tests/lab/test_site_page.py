"""The documentation site in a real browser: axe-core finds nothing serious on any kind of page."""

from __future__ import annotations

import functools
import sys
import threading
from collections.abc import Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from playwright import sync_api as playwright

from tests.lab.accessibility import WIDTHS, violations
from tests.lab.installation import ROOT

KINDS = {
    "start": "index.html",
    "tutorial": "tutorial.html",
    "tables": "settings.html",
    "rule": "rules/socketio-path-mismatch.html",
    "rules": "rules/index.html",
    "library": "libraries/cors.html",
}
"""A page of each kind."""

pytestmark = pytest.mark.xdist_group("site in a browser")  # it is built once


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of the site; from files its search could not be loaded."""
    folder: Path = tmp_path_factory.mktemp("site") / "site"
    sys.path.insert(0, str(ROOT / "scripts"))
    try:
        from documentation.site import build  # type: ignore[import-not-found,unused-ignore]

        build(folder)
    finally:
        sys.path.remove(str(ROOT / "scripts"))
    listening = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(_Quiet, directory=str(folder)))
    thread = threading.Thread(target=listening.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{listening.server_port}"
    listening.shutdown()
    thread.join()
    listening.server_close()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", WIDTHS)
def test_axe_finds_nothing_serious(
    browser: playwright.Browser, axe: str, site: str, kind: str, scheme: Any, width: str
) -> None:
    context = browser.new_context(viewport={"width": WIDTHS[width], "height": 900}, color_scheme=scheme)
    try:
        page = context.new_page()
        elsewhere: list[str] = []
        page.on("request", lambda request: elsewhere.append(request.url) if not request.url.startswith(site) else None)
        page.goto(f"{site}/{KINDS[kind]}")
        assert (
            page.evaluate("document.body.getAttribute('data-md-color-scheme')")
            == {
                "light": "default",
                "dark": "slate",
            }[scheme]
        )
        assert violations(page, axe) == []
        assert page.evaluate("document.documentElement.scrollWidth") <= WIDTHS[width]
        assert elsewhere == []
    finally:
        context.close()
