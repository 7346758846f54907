"""The probes of the browser, and the harness's own pages: empty ones, and those that run a client of the project."""

from __future__ import annotations

import html
import json
import re
import subprocess
import textwrap
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

from playwright import sync_api as playwright

from tests.lab import chromium
from tests.lab.addresses import OWN, Address, Reply
from tests.lab.chromium import Chromium
from tests.lab.experiment import Blocked, BrowserProbe, ClientFile, Expectation, Fetch, NotConnected, Socket
from tests.lab.observation import Observation, SocketSeen
from tests.lab.packages import socketio_client_major
from tests.lab.processes import LabError

RECORDER = Path(__file__).resolve().parent / "preload" / "recorder.js"
LIMIT = 5.0
"""Seconds until a socket that has said nothing counts as not connected, and a client file must have done something."""
CONSOLE_LIMIT = 3.0
"""Seconds until a line of the console that is waited for must be there; it comes after the event it explains."""

_EMPTY = '<!doctype html><meta charset="utf-8"><link rel="icon" href="data:,"><title>lab</title>'
_TYPES = {".html": "text/html", ".css": "text/css", ".json": "application/json", ".svg": "image/svg+xml"}
_SCRIPT = "text/javascript"
_COMPILED = {".ts": "ts", ".tsx": "tsx", ".jsx": "jsx"}
_SUFFIXES = ("", ".js", ".mjs", ".ts", ".tsx", ".jsx", "/index.js", "/index.ts")
_CDN_BUNDLE = re.compile(r"socket\.io[^/]*\.js$")
_MAJOR_IN_PATH = re.compile(r"[@/]v?(\d+)(?=[./])")

# What a page of a socket.io-client bundle imports by name.
_MODULE = """{load}const io = window.io;
export {{ io, io as connect, io as default }};
export const Manager = io.Manager, Socket = io.Socket;
"""
_COMMONJS = """<script>
window.require = (name) => {
  if (name !== 'socket.io-client') throw new Error(`the lab has no ${name} for a page`);
  return Object.assign((...args) => window.io(...args), window.io, { io: window.io, default: window.io });
};
window.module = { exports: {} };
window.exports = window.module.exports;
</script>
"""
_FETCH = """async ([url, options]) => {
  try {
    const response = await fetch(url, options);
    return { status: response.status, body: await response.text() };
  } catch (error) {
    return { status: null, body: '', error: String(error) };
  }
}"""


@dataclass(frozen=True)
class Site:
    """The harness's pages of one side: see `addresses.Pages`."""

    project: Path
    node_modules: Path

    def __call__(self, at: Address, target: str) -> Reply | None:
        """The page at an address; None where there is none."""
        parts = urlsplit(target)
        if parts.path.startswith(OWN):
            return self._own(parts.path.removeprefix(OWN), parse_qs(parts.query))
        if _CDN_BUNDLE.search(parts.path) and (major := _MAJOR_IN_PATH.search(parts.path)):
            return _module(int(major[1]), load=True) if ".esm." in parts.path else self._bundle(int(major[1]))
        return None

    def _own(self, path: str, query: Mapping[str, list[str]]) -> Reply | None:
        name, _, rest = path.partition("/")
        if name == "project":
            return self._file(rest)
        if name == "client":
            return _page(_client_page(query["file"][0], int(query["major"][0])))
        if name == "sandbox":
            return _page(f'{_EMPTY}<iframe sandbox="allow-scripts" srcdoc="{html.escape(_EMPTY)}"></iframe>')
        if bundle := re.fullmatch(r"socket\.io-client-(\d+)\.(js|mjs)", name):
            return self._bundle(int(bundle[1])) if bundle[2] == "js" else _module(int(bundle[1]))
        return _page(_EMPTY) if name == "empty" else None

    def _bundle(self, major: int) -> Reply | None:
        file = self.node_modules / f"socket.io-client-{major}" / "dist" / "socket.io.js"
        return Reply(_SCRIPT, file.read_bytes()) if file.exists() else None

    def _file(self, path: str) -> Reply | None:
        """A file of the project. As with the usual bundlers an import may leave the suffix out."""
        for suffix in _SUFFIXES:
            file = (self.project / (path + suffix)).resolve()
            if file.is_file() and file.is_relative_to(self.project.resolve()):
                if file.suffix in _COMPILED:
                    return Reply(_SCRIPT, self._compiled(file))
                return Reply(_TYPES.get(file.suffix, _SCRIPT), file.read_bytes())
        return None

    def _compiled(self, file: Path) -> bytes:
        """TypeScript and JSX as the usual bundlers give it to a browser."""
        command = [str(self.node_modules / ".bin" / "esbuild"), f"--loader={_COMPILED[file.suffix]}"]
        return subprocess.run(command, input=file.read_bytes(), capture_output=True, timeout=30, check=True).stdout


def _page(text: str) -> Reply:
    return Reply("text/html; charset=utf-8", text.encode())


def _module(major: int, *, load: bool = False) -> Reply:
    line = f"import '{OWN}socket.io-client-{major}.js';\n" if load else ""
    return Reply(_SCRIPT, _MODULE.format(load=line).encode())


def _client_page(file: str, major: int) -> str:
    imports = json.dumps({"imports": {"socket.io-client": f"{OWN}socket.io-client-{major}.mjs"}})
    return (
        f'{_EMPTY}<script type="importmap">{imports}</script>'
        f'<script src="{OWN}socket.io-client-{major}.js"></script>{_COMMONJS}'
        f'<body><div id="root"></div><script type="module" src="{OWN}project/{quote(file)}"></script>'
    )


@dataclass(frozen=True)
class Tab:
    """A browser, and the way of one side's pages into it.

    All that a page reaches lies on loopback, behind the gateway. Chromium asks for no Local Network Access permission
    there, whatever the page's origin (seen with 156, pages of `http:` names too): it needs no flag.
    """

    browser: Chromium
    proxy_port: int
    site: Site

    def observe(self, probe: BrowserProbe, expected: Expectation) -> Observation:
        """Carry out one probe in a fresh context. What is expected says only which line of the console to wait for."""
        with self.browser.page(self.proxy_port) as page:
            try:
                return self._observed(page, probe, expected)
            except playwright.Error as error:
                raise LabError(f"the browser: {str(error).splitlines()[0]}") from error

    def _observed(self, page: chromium.Page, probe: BrowserProbe, expected: Expectation) -> Observation:
        page.playwright.add_init_script(path=RECORDER)
        if isinstance(probe, Fetch):
            return self._fetch(page, probe, expected)
        if isinstance(probe, Socket):
            self._socket(page, probe)
        elif isinstance(probe, ClientFile):
            self._client_file(page, probe)
        else:
            page.goto(probe.url)
        return _recorded(page, expected)

    def _fetch(self, page: chromium.Page, probe: Fetch, expected: Expectation) -> Observation:
        frame = _frame(page, probe.origin)
        options: dict[str, Any] = {"method": probe.method, "headers": dict(probe.headers)}
        options["credentials"] = "include" if probe.credentials else "same-origin"
        seen = frame.evaluate(_FETCH, [probe.url, options])
        if seen["status"] is None:
            _await_console(page, expected)
        console = _console(page)
        summary = f"readable ({seen['status']})" if seen["status"] is not None else _blocked(console, seen["error"])
        return Observation(summary=summary, status=seen["status"], body=seen["body"], console=console)

    def _socket(self, page: chromium.Page, probe: Socket) -> None:
        frame = _frame(page, probe.origin)
        origin = "http://localhost" if probe.origin == "null" else probe.origin
        frame.add_script_tag(url=f"{origin}{OWN}socket.io-client-{probe.client}.js")
        frame.evaluate("([url, options]) => { window.io(url, options); }", [probe.url, dict(probe.options)])

    def _client_file(self, page: chromium.Page, probe: ClientFile) -> None:
        file = self.site.project / probe.path
        if not file.is_file():
            raise LabError(f"the project has no {probe.path}")
        major = probe.client or socketio_client_major(self.site.project, file)
        page.goto(f"{probe.origin}{OWN}client?file={quote(probe.path)}&major={major}")


def _frame(page: chromium.Page, origin: str) -> playwright.Frame:
    """An empty document of that origin."""
    if origin != "null":
        page.goto(f"{origin}{OWN}empty")
        return page.playwright.main_frame
    page.goto(f"http://localhost{OWN}sandbox")
    return page.playwright.frames[1]


def _recorded(page: chromium.Page, expected: Expectation) -> Observation:
    """What the recorder noted once all of it has settled."""
    frame = page.playwright.frames[-1]
    try:
        frame.wait_for_function("() => window.__lab.settled()", timeout=LIMIT * 1000)
    except playwright.TimeoutError:
        pass  # hanging is an observation too
    except playwright.Error as error:
        raise LabError(f"the page went away: {error}") from error
    seen = frame.evaluate("() => window.__lab.seen()")
    sockets = tuple(SocketSeen(one["connected"], one["transport"], tuple(one["events"])) for one in seen["sockets"])
    requests = seen["requests"]
    if not all(socket.connected for socket in sockets) or any(one["status"] is None for one in requests):
        _await_console(page, expected)
    console = _console(page)
    status = requests[-1]["status"] if requests and all(one["status"] is not None for one in requests) else None
    body = "\n".join(one["body"] for one in requests)
    summary = _sockets(sockets, console) or (
        f"readable ({status})" if status is not None else _blocked(console, "nothing was asked for")
    )
    made = bool(sockets or requests)
    return Observation(summary=summary, status=status, body=body, console=console, sockets=sockets, made=made)


def _await_console(page: chromium.Page, expected: Expectation) -> None:
    if isinstance(expected, Blocked | NotConnected) and expected.console:
        page.heard(expected.console, CONSOLE_LIMIT)
    else:
        page.wait(0.1)


def _console(page: chromium.Page) -> tuple[str, ...]:
    return (*page.console, *(f"Uncaught {error}" for error in page.errors))


def _sockets(sockets: tuple[SocketSeen, ...], console: tuple[str, ...]) -> str:
    """Of the first that failed, or else of all."""
    for one in sockets:
        if not one.connected:
            event = _shortened(one.events[0]) if one.events else f"no event within {LIMIT:.0f} s"
            return f"not connected: {event}" + (f"; {_explained(console)}" if _explained(console) else "")
    return f"connected ({', '.join(sorted({one.transport for one in sockets}))})" if sockets else ""


def _shortened(event: str) -> str:
    """An event in one line; a response may be a whole page."""
    return textwrap.shorten(event, 120, placeholder=" ...")


def _blocked(console: tuple[str, ...], otherwise: str) -> str:
    return f"blocked: {_explained(console) or otherwise}"


_TAIL = re.compile(r" (?:Have the server send|The credentials mode of requests) .*")
"""Advice that Chromium adds to what is wrong."""


def _explained(console: tuple[str, ...]) -> str:
    """The line that says most: the browser's words on CORS or on WebSocket, without the addresses before them."""
    for line in console:
        if found := re.search(r"blocked by CORS policy: (.*)|WebSocket connection to '[^']*' failed: (.*)", line):
            return _TAIL.sub("", found[1] or found[2]).removesuffix(".")
    return console[0] if console else ""
