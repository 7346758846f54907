"""A browser, and axe-core."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright import sync_api as playwright

from tests.lab.chromium import FLAGS
from tests.lab.installation import require


@pytest.fixture(scope="module")
def browser() -> Iterator[playwright.Browser]:
    found = require("chromium", "node_modules")
    with playwright.sync_playwright() as driver:
        started = driver.chromium.launch(executable_path=found.path("chromium"), args=list(FLAGS))
        yield started
        started.close()


@pytest.fixture(scope="module")
def axe() -> str:
    found = require("chromium", "node_modules")
    return (found.path("node_modules") / "axe-core-4" / "axe.min.js").read_text(encoding="utf-8")
