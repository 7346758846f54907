"""The system's Chromium, driven through Playwright: one browser for a run, one fresh context for each probe.

No browser is downloaded: Playwright gets the path of an installed one. Nothing that is loaded leaves the machine by
itself: background traffic is switched off, and with `proxy_port` every name is asked of a SOCKS5 proxy on loopback.

Playwright's synchronous interface belongs to the thread that started it: a Chromium is used from one thread only, and
events such as console messages arrive while one of its calls is running.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple

from playwright import sync_api as playwright

FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
"""`knowledge/ground-truth.md`, section 3: what the recorded console messages were seen with."""

_STEP = 0.02
"""Seconds between two looks at the console while a message is waited for."""


class Message(NamedTuple):
    """One line of the console."""

    level: str
    """`error`, `warning`, `log` ..."""
    text: str
    url: str
    """Where the browser places it: for a failed load the address that was loaded."""


class Page:
    """A page in a context of its own: no cookies, no cache, an empty console."""

    def __init__(self, page: playwright.Page) -> None:
        self.playwright = page
        self.messages: list[Message] = []
        self.errors: list[str] = []
        """What was thrown and not caught."""
        page.on("console", self._heard)
        page.on("pageerror", lambda error: self.errors.append(str(error)))

    def _heard(self, message: playwright.ConsoleMessage) -> None:
        self.messages.append(Message(message.type, message.text, message.location.get("url", "")))

    @property
    def console(self) -> list[str]:
        """The texts of the console so far, of frames and workers too."""
        return [message.text for message in self.messages]

    def goto(self, url: str, timeout: float = 10) -> None:
        """Load a page and wait for its `load` event.

        Raises:
            playwright.sync_api.Error: nothing was loaded within `timeout` seconds.
        """
        self.playwright.goto(url, timeout=timeout * 1000)

    def evaluate(self, script: str, argument: Any = None) -> Any:
        """The value of an expression or the result of a function (awaited), with a JSON-like argument."""
        return self.playwright.evaluate(script, argument)

    def wait(self, seconds: float) -> None:
        """Let the page go on, and let its messages arrive."""
        self.playwright.wait_for_timeout(seconds * 1000)

    def heard(self, text: str, timeout: float = 5) -> bool:
        """Whether a line of the console contains this text, now or within `timeout` seconds."""
        deadline = time.monotonic() + timeout
        while not any(text in line for line in self.console):
            if time.monotonic() > deadline:
                return False
            self.wait(_STEP)
        return True


class Chromium:
    """A running browser. `close()` ends it and everything that it started; it is a context manager too."""

    def __init__(self, driver: playwright.Playwright, browser: playwright.Browser) -> None:
        self._driver = driver
        self._browser = browser

    @classmethod
    def start(cls, executable: Path | str) -> Chromium:
        """Start the browser that lies there.

        Raises:
            playwright.sync_api.Error: it does not start, or not within half a minute.
        """
        driver = playwright.sync_playwright().start()
        try:
            browser = driver.chromium.launch(
                executable_path=executable, headless=True, args=list(FLAGS), timeout=30_000, handle_sigint=False
            )
        except BaseException:
            driver.stop()
            raise
        return cls(driver, browser)

    @property
    def version(self) -> str:
        """Such as `156.0.8078.108`."""
        return self._browser.version

    @contextlib.contextmanager
    def page(self, proxy_port: int | None = None) -> Iterator[Page]:
        """A page in a fresh context, which ends with the block.

        With a port, every request, of loopback names too, goes through the SOCKS5 proxy that listens there, which also
        resolves the names. Certificates are not checked: the lab makes its own.
        """
        context = self._browser.new_context(ignore_https_errors=True, proxy=_proxy(proxy_port))
        try:
            yield Page(context.new_page())
        finally:
            context.close()

    def close(self) -> None:
        """End the browser and its driver."""
        try:
            self._browser.close()
        finally:
            self._driver.stop()

    def __enter__(self) -> Chromium:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _proxy(port: int | None) -> playwright.ProxySettings | None:
    # Chromium keeps loopback away from a proxy unless it is told not to.
    return None if port is None else {"server": f"socks5://127.0.0.1:{port}", "bypass": "<-loopback>"}
