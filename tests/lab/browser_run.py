"""Plays generated requests in Chromium against a server that answers exactly as they say, and tells what happened."""

from __future__ import annotations

import asyncio
import re
import threading
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

from playwright import sync_api as playwright

from corslint.model.exchange import RequestKind
from tests.lab.browser_cases import PAGE_HOSTS, Answer, Case
from tests.lab.chromium import Chromium, Page

_PAGE = b'<!doctype html><iframe sandbox="allow-scripts" src="/frame"></iframe>'
_EMPTY = b"<!doctype html>"


class Seen(NamedTuple):
    """A request as it reached the server."""

    kind: RequestKind
    method: str
    path: str
    origin: str | None
    asked_method: str | None
    asked_headers: tuple[str, ...]


class Observation(NamedTuple):
    """What became of one case in the browser."""

    allowed: bool
    """Whether the script got the response."""
    messages: tuple[str, ...]
    """The console's lines about it, without the one that says that loading failed."""
    requests: tuple[Seen, ...]


class Server:
    """Answers `/<case>/<stop>` as the cases say, any other path with a page."""

    def __init__(self) -> None:
        self.cases: dict[int, Case] = {}
        self.seen: dict[int, list[Seen]] = defaultdict(list)
        self.port = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while await self._one(reader, writer):
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            pass  # the browser has closed the connection, or the run is over
        finally:
            writer.close()

    async def _one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        line, *rest = head.split("\r\n")
        method, path, _ = line.split(" ")
        headers = {name.lower(): value for name, _, value in (text.partition(": ") for text in rest if text)}
        await reader.readexactly(int(headers.get("content-length", "0")))
        found = re.match(r"/(\d+)/(\d+)(?:$|\?)", path)
        if found is None:
            page = _PAGE if path == "/page" else _EMPTY
            _write(writer, Answer(200, (("Content-Type", "text/html"),)), method, page)
            return True
        asked_method = headers.get("access-control-request-method")
        preflight = method == "OPTIONS" and asked_method is not None
        names = headers.get("access-control-request-headers")
        self.seen[int(found[1])].append(
            Seen(
                "preflight" if preflight else "actual",
                method,
                path,
                headers.get("origin"),
                asked_method,
                tuple(names.split(",")) if names else (),
            )
        )
        stop = self.cases[int(found[1])].stops[int(found[2])]
        _write(writer, stop.preflight if preflight else stop.actual, method, b"answer")
        return True


def _write(writer: asyncio.StreamWriter, answer: Answer, method: str, body: bytes) -> None:
    bodiless = answer.status in (204, 205, 304)
    lines = [f"HTTP/1.1 {answer.status} Status", *(f"{name}: {value}" for name, value in answer.headers)]
    if not bodiless or answer.status == 205:
        lines.append(f"Content-Length: {0 if bodiless else len(body)}")
    writer.write("\r\n".join([*lines, "", ""]).encode("latin-1"))
    if not bodiless and method != "HEAD":
        writer.write(body)


@contextmanager
def running() -> Iterator[Server]:
    """A server on a free port of 127.0.0.1 and ::1, as long as the block lasts."""
    server = Server()
    loop = asyncio.new_event_loop()
    listening = threading.Event()
    stop = asyncio.Event()

    async def main() -> None:
        listener = await asyncio.start_server(server.serve, "127.0.0.1", 0)
        server.port = listener.sockets[0].getsockname()[1]
        listening.set()
        await stop.wait()
        listener.close()
        for task in asyncio.all_tasks() - {asyncio.current_task()}:
            task.cancel()

    thread = threading.Thread(target=lambda: loop.run_until_complete(main()))
    thread.start()
    try:
        assert listening.wait(10), "the server does not listen"
        yield server
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(10)
        loop.close()


# --- The browser's part --------------------------------------------------------------------------------------------

_SCRIPT = """async cases => Promise.all(cases.map(async asked => {
  const {url, initiator, method, headers, credentials, watches, body} = asked;
  if (initiator === 'fetch') {
    return fetch(url, {method, headers, credentials}).then(() => 'allowed', error => error.name + ': ' + error.message);
  }
  return new Promise(done => {
    const request = new XMLHttpRequest();
    request.open(method, url);
    request.withCredentials = credentials === 'include';
    for (const [name, value] of headers) request.setRequestHeader(name, value);
    if (watches) request.upload.addEventListener('progress', () => {});
    request.onload = () => done('allowed');
    request.onerror = () => done('XMLHttpRequest: error');
    request.send(body === null ? null : new Blob([body]));
  });
}))"""
_BLOCKED = ("TypeError: Failed to fetch", "XMLHttpRequest: error")
_END = "All requests have ended."
_OTHER_LINES = ("Failed to load resource: ", "Refused to set unsafe header ", _END)
"""Lines that say nothing about CORS: after each failure, and for each forbidden header of an XMLHttpRequest."""
_ADDRESS = re.compile(r"http://[^/']+/(\d+)/\d+")


def observe(chromium: Chromium, server: Server, cases: list[Case]) -> dict[int, Observation]:
    """Play all cases; each gets the console lines that name its URL.

    Raises:
        AssertionError: a script ended otherwise than by a response or a network error, or a line names no case.

    """
    server.cases = {case.number: case for case in cases}
    allowed: dict[int, bool] = {}
    messages: dict[int, list[str]] = defaultdict(list)
    for host in PAGE_HOSTS:
        with chromium.page() as page:
            page.goto(f"http://{host or 'localhost'}:{server.port}/page")
            of_page = [case for case in cases if case.page_host == host]
            frame = page.playwright.frames[1 if host is None else 0]
            allowed |= _play(frame, of_page)
            _settle(page, frame)
            for text in page.console:
                _sort(text, messages)
    return {
        case.number: Observation(
            allowed[case.number], tuple(messages[case.number]), tuple(server.seen.get(case.number, ()))
        )
        for case in cases
    }


def _play(frame: playwright.Frame, cases: list[Case]) -> dict[int, bool]:
    results: list[str] = frame.evaluate(_SCRIPT, [_for_script(case) for case in cases])
    assert set(results) <= {"allowed", *_BLOCKED}, set(results)
    return {case.number: result == "allowed" for case, result in zip(cases, results, strict=True)}


def _for_script(case: Case) -> dict[str, Any]:
    asked = case.asked
    return {
        "url": asked.url,
        "initiator": asked.initiator,
        "method": asked.method,
        "headers": [list(line) for line in asked.headers],
        "credentials": asked.credentials,
        "watches": asked.watches_upload,
        "body": case.body,
    }


def _settle(page: Page, frame: playwright.Frame) -> None:
    """Wait for a line that the frame writes after all others: its console keeps their order."""
    frame.evaluate("text => console.log(text)", _END)
    assert page.heard(_END), "the console is silent"


def _sort(text: str, messages: dict[int, list[str]]) -> None:
    if text.startswith(_OTHER_LINES):
        return
    found = _ADDRESS.search(text)
    assert found is not None, f"a line of the console that belongs to no case: {text}"
    messages[int(found[1])].append(text)
