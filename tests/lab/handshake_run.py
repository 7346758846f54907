"""Plays the real clients of Socket.IO in Chromium against a server that answers exactly as generated cases say.

The server speaks as much Engine.IO 3 and 4 and Socket.IO as it takes to connect: whatever answers 200 on polling or 101
to an upgrade goes on with the handshake, any other answer has a text that means nothing.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import hashlib
import json
import re
import threading
from collections import defaultdict
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import parse_qs, urlsplit

from playwright import sync_api as playwright

from corslint.model.exchange import NO_ANSWER, RequestKind
from tests.lab.browser_cases import Answer
from tests.lab.chromium import Chromium, Message, Page
from tests.lab.handshake_cases import MAJORS, PAGE_HOSTS, Case

SID = "sid"
"""Of every session: a case has one client, and a path of its own."""


class Seen(NamedTuple):
    """A request as it reached the server, without what tells one turn of polling from the next."""

    kind: RequestKind
    method: str
    path: str
    origin: str | None
    asked_method: str | None = None
    asked_headers: tuple[str, ...] = ()


class Observation(NamedTuple):
    """What became of one client."""

    connected: bool
    transport: str | None
    """What it uses once it has settled."""
    errors: tuple[tuple[str, int | None], ...]
    """Message and `description` of each `connect_error`, and the reason of a `disconnect`."""
    upgrade_error: str | None
    messages: tuple[str, ...]
    """The console's lines about it, each once, without the ones that say that loading failed."""
    requests: frozenset[Seen]


# --- The server ------------------------------------------------------------------------------------------------------


class _Session:
    """The connection of one case, over whatever transport: packets wait here until they can be sent."""

    def __init__(self, protocol: int) -> None:
        self.protocol = protocol
        self.packets: list[str] = []
        self.probed = False
        self.changed = asyncio.Condition()
        self.socket: asyncio.StreamWriter | None = None

    def opening(self, upgrades: list[str]) -> list[str]:
        """The first packets. A server of protocol 3 connects the namespace unasked."""
        limits = {"pingInterval": 60_000, "pingTimeout": 60_000, "maxPayload": 1_000_000}
        first = "0" + json.dumps({"sid": SID, "upgrades": upgrades, **limits})
        return [first] if self.protocol == 4 else [first, "40"]

    def payload(self, packets: list[str]) -> bytes:
        if self.protocol == 4:
            return "\x1e".join(packets).encode()
        return "".join(f"{len(packet)}:{packet}" for packet in packets).encode()

    async def received(self, packet: str) -> None:
        """Packets other than these need no answer."""
        if packet == "40":
            await self.send('40{"sid":"socket"}')
        elif packet == "2probe":
            self.probed = True
            await self.send("")
        elif packet == "5":
            await self.send("")

    async def send(self, packet: str) -> None:
        """Send it as soon as there is a way; the empty text only looks whether there is one for what waits."""
        async with self.changed:
            self.packets += [packet] if packet else []
            if self.socket is not None:
                for one in self.packets:
                    self.socket.write(_frame(one))
                self.packets = []
            self.changed.notify_all()

    async def polled(self) -> list[str]:
        """What a turn of polling is answered with: it lasts until there is something, or for a while."""
        async with self.changed:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_TURN):
                    await self.changed.wait_for(lambda: self.packets or self.probed)
            packets, self.packets = self.packets, []
        return packets or ["6"]


_TURN = 0.5
"""Seconds after which a turn of polling ends with nothing, and after which what a POST brought is looked at: a client
whose page may not read the POST's answer has given up by then, so that no outcome depends on who is faster."""


class Server:
    """Answers `/<case>/` as the cases say; any other path is one of the harness's own pages."""

    def __init__(self, node_modules: Path) -> None:
        self.node_modules = node_modules
        self.cases: dict[int, Case] = {}
        self.seen: dict[int, set[Seen]] = defaultdict(set)
        self.sessions: dict[int, _Session] = {}
        self.later: set[asyncio.Task[None]] = set()
        self.port = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            while await self._one(reader, writer):
                await writer.drain()
        writer.close()

    async def _one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """Answer one request; whether another may follow on this connection."""
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        line, *rest = head.split("\r\n")
        method, path, _ = line.split(" ")
        headers = {name.lower(): value for name, _, value in (text.partition(": ") for text in rest if text)}
        body = (await reader.readexactly(int(headers.get("content-length", "0")))).decode()
        found = re.match(r"/(\d+)/", path)
        if found is None:
            _write(writer, Answer(200, (("Content-Type", _type(path)),)), method, self._own(path))
            return True
        return await self._of_case(self.cases[int(found[1])], method, path, headers, body, reader, writer)

    def _own(self, path: str) -> bytes:
        parts = urlsplit(path)
        major = parse_qs(parts.query).get("major", ["0"])[0]
        if parts.path == "/client.js":
            return (self.node_modules / f"socket.io-client-{int(major)}" / "dist" / "socket.io.js").read_bytes()
        load = f'<script src="/client.js?major={major}"></script>'
        frame = f'<iframe sandbox="allow-scripts" src="/frame?major={major}"></iframe>'
        return f"<!doctype html><meta charset=utf-8>{load}{frame if parts.path == '/page' else ''}".encode()

    async def _of_case(
        self,
        case: Case,
        method: str,
        path: str,
        headers: dict[str, str],
        body: str,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> bool:
        request = _seen(method, path, headers)
        self.seen[case.number].add(request)
        answer = answer_to(case, request.kind, method, request.asked_method, opened="sid=" in path)
        if answer.status == NO_ANSWER:
            return False
        session = self.sessions.setdefault(case.number, _Session(case.client.protocol))
        if request.kind == "upgrade" and answer.status == 101:
            await self._websocket(session, headers["sec-websocket-key"], "sid=" in path, answer, reader, writer)
            return False
        text = b"nothing that a client understands"
        if request.kind == "actual" and answer.status == 200:
            text = await self._polled(session, method, path, body)
        _write(writer, answer, method, text)
        return True

    async def _polled(self, session: _Session, method: str, path: str, body: str) -> bytes:
        """The text of an answer of polling."""
        if method == "POST":
            self.later.add(asyncio.create_task(_deferred(session, body)))
            return b"ok"
        return session.payload(await session.polled() if "sid=" in path else session.opening(["websocket"]))

    async def _websocket(
        self,
        session: _Session,
        key: str,
        upgrades: bool,
        answer: Answer,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> None:
        accept = base64.b64encode(hashlib.sha1(f"{key}{_GUID}".encode()).digest()).decode()
        upgrade = (("Upgrade", "websocket"), ("Connection", "Upgrade"), ("Sec-WebSocket-Accept", accept))
        _write(writer, answer._replace(headers=(*answer.headers, *upgrade)), "GET", b"")
        if not upgrades:
            for packet in session.opening([]):
                writer.write(_frame(packet))
            session.socket = writer
        while True:
            text = await _unframed(reader)
            if text is None:
                return
            if text == "2probe":
                writer.write(_frame("3probe"))
            if text == "5":
                session.socket = writer
            await session.received(text)


_GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


def answer_to(case: Case, kind: RequestKind, method: str, asked_method: str | None, *, opened: bool) -> Answer:
    """What the server of a case says to a request; opened: to one that names a session."""
    answers = case.answers
    if kind == "upgrade":
        return answers.upgrade
    if kind == "preflight":
        return answers.preflight_of_post if asked_method == "POST" else answers.preflight
    if method == "POST":
        return answers.post
    return answers.poll if opened else answers.get


async def _deferred(session: _Session, packet: str) -> None:
    await asyncio.sleep(_TURN)
    await session.received(packet)


def _seen(method: str, path: str, headers: dict[str, str]) -> Seen:
    asked_method = headers.get("access-control-request-method")
    names = headers.get("access-control-request-headers")
    kind: RequestKind = "actual"
    if headers.get("upgrade") == "websocket":
        kind = "upgrade"
    elif method == "OPTIONS" and asked_method is not None:
        kind = "preflight"
    asked_headers = tuple(names.split(",")) if names else ()
    return Seen(kind, method, without_turn(path), headers.get("origin"), asked_method, asked_headers)


def without_turn(text: str) -> str:
    """An address without the parameter that keeps caches away."""
    return re.sub(r"([?&])t=[^&' ]*&?", r"\1", text).replace("&'", "'").rstrip("&")


def _type(path: str) -> str:
    return "text/javascript" if path.startswith("/client.js") else "text/html"


def _write(writer: asyncio.StreamWriter, answer: Answer, method: str, body: bytes) -> None:
    bodiless = answer.status in (101, 204, 304)
    lines = [f"HTTP/1.1 {answer.status} Status", *(f"{name}: {value}" for name, value in answer.headers)]
    if not bodiless:
        lines.append(f"Content-Length: {len(body)}")
    writer.write("\r\n".join([*lines, "", ""]).encode("latin-1"))
    if not bodiless and method != "HEAD":
        writer.write(body)


def _frame(packet: str) -> bytes:
    """A text frame of a server."""
    data = packet.encode()
    size = bytes([len(data)]) if len(data) < 126 else b"\x7e" + len(data).to_bytes(2, "big")
    return b"\x81" + size + data


async def _unframed(reader: asyncio.StreamReader) -> str | None:
    """The text of a client's next frame; None: it closes the connection."""
    first, size = await reader.readexactly(2)
    length = size & 0x7F
    if length == 126:
        length = int.from_bytes(await reader.readexactly(2), "big")
    mask = await reader.readexactly(4)
    data = await reader.readexactly(length)
    if first & 0x0F != 1:
        return None
    return bytes(byte ^ mask[number % 4] for number, byte in enumerate(data)).decode()


@contextmanager
def running(node_modules: Path) -> Iterator[Server]:
    """A server on a free port of 127.0.0.1, as long as the block lasts."""
    server = Server(node_modules)
    loop = asyncio.new_event_loop()
    listening = threading.Event()
    stop = asyncio.Event()

    async def main() -> None:
        listener = await asyncio.start_server(server.serve, "127.0.0.1", 0)
        server.port = listener.sockets[0].getsockname()[1]
        listening.set()
        await stop.wait()
        listener.close()
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    thread = threading.Thread(target=lambda: loop.run_until_complete(main()))
    thread.start()
    try:
        assert listening.wait(10), "the server does not listen"
        yield server
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(10)
        loop.close()


# --- The browser's part ----------------------------------------------------------------------------------------------

_SCRIPT = """cases => {
  const play = ({url, options}) => new Promise(done => {
    const socket = io(url, {...options, reconnection: false, forceNew: true});
    const {engine} = socket.io;
    const seen = {connected: false, errors: [], upgradeError: null};
    // Some time later, so that what should not happen is seen too.
    const end = () => setTimeout(() => done({...seen, transport: seen.connected ? engine.transport.name : null}), 1200);
    setTimeout(end, 30000);
    socket.on('connect', () => {
      seen.connected = true;
      const offered = options.upgrade === false ? [] : engine._upgrades || engine.upgrades;
      if (offered.length === 0 || engine.transport.name === 'websocket' || seen.upgradeError !== null) end();
    });
    socket.on('connect_error', ({message, description}) => {
      seen.errors.push([message, typeof description === 'number' ? description : null]);
      end();
    });
    socket.on('disconnect', reason => {
      if (!seen.connected) return;
      seen.connected = false;
      seen.errors.push([reason, null]);
      end();
    });
    engine.on('upgrade', () => { if (seen.connected) end(); });
    engine.on('upgradeError', ({message}) => {
      seen.upgradeError = message;
      if (seen.connected) end();
    });
  });
  window.ended = Promise.all(cases.map(play));
}"""
_END = "All clients have settled."
_AFTER = 0.3
"""Seconds for lines that another process of the browser writes."""
_OTHER_LINES = ("Failed to load resource: ", _END)
CLOSED_EARLY = "WebSocket is closed before the connection is established."
"""What becomes of an upgrade that is under way when polling fails. Not predicted: it depends on who is faster."""
_ADDRESS = re.compile(r"(?:http|ws)://[^/']+/(\d+)/")


def observe(chromium: Chromium, server: Server, cases: list[Case]) -> dict[int, Observation]:
    """Play all cases, each client's and origin's in a page of their own, the pages side by side.

    Raises:
        AssertionError: a line of the console belongs to no case.

    """
    server.cases = {case.number: case for case in cases}
    results: dict[int, dict[str, Any]] = {}
    messages: dict[int, list[str]] = defaultdict(list)
    with ExitStack() as stack:
        started = []
        for major in MAJORS:
            for host in PAGE_HOSTS:
                page = stack.enter_context(chromium.page())
                page.goto(f"http://{host or 'localhost'}:{server.port}/page?major={major}")
                frame = page.playwright.frames[1 if host is None else 0]
                chosen = [case for case in cases if (case.major, case.page_host) == (major, host)]
                frame.evaluate(_SCRIPT, [_for_script(case) for case in chosen])
                started.append((page, frame, chosen))
        for page, frame, chosen in started:
            ended = frame.evaluate("() => window.ended")
            results |= {case.number: result for case, result in zip(chosen, ended, strict=True)}
            _settle(page, frame)
            for message in page.messages:
                _sort(message, messages)
    return {
        case.number: _observation(
            results[case.number], messages[case.number], frozenset(server.seen.get(case.number, ()))
        )
        for case in cases
    }


def _observation(result: dict[str, Any], messages: list[str], requests: frozenset[Seen]) -> Observation:
    errors = tuple((message, description) for message, description in result["errors"])
    lines = tuple(dict.fromkeys(messages))
    return Observation(result["connected"], result["transport"], errors, result["upgradeError"], lines, requests)


def _for_script(case: Case) -> dict[str, Any]:
    """The client's options. The transports are left out now and then where they are the default."""
    client = case.client
    options: dict[str, Any] = {"path": client.path, "withCredentials": client.with_credentials}
    if client.polling_headers:
        options["transportOptions"] = {"polling": {"extraHeaders": dict(client.polling_headers)}}
    if client.extra_headers:
        options["extraHeaders"] = dict(client.extra_headers)
    # With client 4 the default has WebTransport in the third place, which the model leaves out.
    if client.transports != ("polling", "websocket") or client.try_all_transports or case.number % 2:
        options["transports"] = list(client.transports)
    if not client.upgrade:
        options["upgrade"] = False
    if client.try_all_transports:
        options["tryAllTransports"] = True
    return {"url": client.url, "options": options}


def _settle(page: Page, frame: playwright.Frame) -> None:
    """Wait for a line that the frame writes after all others: its console keeps their order."""
    page.wait(_AFTER)
    frame.evaluate("text => console.log(text)", _END)
    assert page.heard(_END), "the console is silent"


def _sort(message: Message, messages: dict[int, list[str]]) -> None:
    if message.text.startswith(_OTHER_LINES):
        return
    found = _ADDRESS.search(message.text)
    assert found is not None, f"a line of the console that belongs to no case: {message.text}"
    messages[int(found[1])].append(without_turn(message.text))
