"""How a Socket.IO client in a browser comes to a connection, or does not: polling first, then the upgrade.

The HTTP requests of the polling transport are the page's XMLHttpRequests and fall under CORS (`browser.fetch`). A
WebSocket does not: the browser sends the page's Origin and takes any server that answers 101, whatever its headers are.
Observed with the clients 2.5, 3.1 and 4.8 in Chromium 156.
"""

from __future__ import annotations

from typing import Literal, NamedTuple
from urllib.parse import urlsplit

from corslint.behaviour.browser import Credentials, Exchange, Outcome, PageRequest, Respond, fetch
from corslint.behaviour.console import NOT_KNOWN, Browser
from corslint.model.exchange import Request
from corslint.model.tri import Tri, all_of, tri

Transport = Literal["polling", "websocket"]


class Client(NamedTuple):
    """What a client was told, as far as the handshake depends on it. The defaults are those of clients 3 and 4."""

    url: str
    """Scheme, host and port of the server: `https://api.example.com`."""
    origin: str
    """The page's."""
    path: str
    transports: tuple[Transport, ...] = ("polling", "websocket")
    upgrade: bool = True
    try_all_transports: bool = False
    """Client 4.8 and later: where a transport fails the next one is tried. Otherwise the first one decides."""
    with_credentials: bool = False
    """True by default in client 2."""
    extra_headers: tuple[tuple[str, str], ...] = ()
    """They go along with polling only."""
    protocol: int = 4
    """Version of Engine.IO's protocol: 3 for client 2."""


class Attempt(NamedTuple):
    """One transport that was tried: the first connection, or the upgrade of one."""

    transport: Transport
    passed: Tri
    event: str | None = None
    """The message of `connect_error` that a failure leads to."""
    description: int | None = None
    """Its `description`: the status, or 0 where the browser keeps it."""
    outcomes: tuple[Outcome, ...] = ()
    """What became of the requests of polling."""
    upgrade: Exchange | None = None
    url: str = ""

    def messages(self, browser: Browser = "chromium") -> tuple[str, ...]:
        """The lines in the console about this attempt, one of them where there are several."""
        if self.upgrade is None:
            return tuple(text for outcome in self.outcomes for text in outcome.messages(browser))
        if self.passed is Tri.YES:
            return ()
        if browser == "firefox":
            return (f"Firefox can’t establish a connection to the server at {self.url}.",)
        if browser == "safari":
            return ()
        status = NOT_KNOWN if self.upgrade.response.status is None else self.upgrade.response.status
        words = f"Error during WebSocket handshake: Unexpected response code: {status}"
        return (f"WebSocket connection to '{self.url}' failed: {words}",)


class Handshake(NamedTuple):
    """The outcome of all attempts."""

    connected: Tri
    transport: Transport | None
    """What the connection uses once it has settled; None where there is none, or where that is not known."""
    attempts: tuple[Attempt, ...]


def connect(client: Client, respond: Respond) -> Handshake:
    """Play a client's handshake against a server.

    Only heads of responses are looked at. A response with status 200 counts as the server's handshake: a page of HTML
    in its place ("server error") is not told from it.
    """
    attempts: list[Attempt] = []
    for transport in client.transports:
        attempt = _by_polling(client, respond) if transport == "polling" else _by_websocket(client, respond)
        attempts.append(attempt)
        if attempt.passed is not Tri.NO or not client.try_all_transports:
            break
    if not attempts or attempts[-1].passed is not Tri.YES:
        return Handshake(attempts[-1].passed if attempts else Tri.NO, None, tuple(attempts))
    if attempts[-1].transport == "websocket" or not client.upgrade or "websocket" not in client.transports:
        return Handshake(Tri.YES, attempts[-1].transport, tuple(attempts))
    upgraded = _by_websocket(client, respond, upgrades=True)
    settled: dict[Tri, Transport | None] = {Tri.YES: "websocket", Tri.NO: "polling", Tri.UNKNOWN: None}
    return Handshake(Tri.YES, settled[upgraded.passed], (*attempts, upgraded))


def _by_polling(client: Client, respond: Respond) -> Attempt:
    """The first GET; from protocol 4 on the client asks for its namespace with a POST of its own."""
    steps = [("GET", "", "xhr poll error"), ("POST", "&sid=sid", "xhr post error")]
    outcomes: list[Outcome] = []
    passed = Tri.YES
    for method, more, event in steps if client.protocol >= 4 else steps[:1]:
        outcome = fetch(_polled(client, method, more), respond)
        outcomes.append(outcome)
        passed = all_of((passed, outcome.allowed, _is_status(outcome, 200)))
        if passed is Tri.NO:
            return Attempt("polling", passed, event, _description(outcome), tuple(outcomes))
    return Attempt("polling", passed, outcomes=tuple(outcomes))


def _polled(client: Client, method: str, more: str) -> PageRequest:
    headers = client.extra_headers if method == "GET" else (*client.extra_headers, ("Content-type", _BODY))
    credentials: Credentials = "include" if client.with_credentials else "same-origin"
    url = f"{_server(client)}{_query(client, 'polling')}{more}"
    return PageRequest(url, client.origin, credentials, method, headers, "xhr")


_BODY = "text/plain;charset=UTF-8"


def _server(client: Client, *, websocket: bool = False) -> str:
    parts = urlsplit(client.url)
    secure = parts.scheme in ("https", "wss")
    scheme = ("wss" if secure else "ws") if websocket else ("https" if secure else "http")
    return f"{scheme}://{parts.netloc}"


def _query(client: Client, transport: Transport) -> str:
    return f"/{client.path.strip('/')}/?EIO={client.protocol}&transport={transport}"


def _is_status(outcome: Outcome, wanted: int) -> Tri:
    status = outcome.exchanges[-1].response.status
    return tri(None if status is None else status == wanted)


def _description(outcome: Outcome) -> int | None:
    return {Tri.YES: outcome.exchanges[-1].response.status, Tri.NO: 0, Tri.UNKNOWN: None}[outcome.allowed]


def _by_websocket(client: Client, respond: Respond, *, upgrades: bool = False) -> Attempt:
    path = _query(client, "websocket") + ("&sid=sid" if upgrades else "")
    # Cookies go along whatever the page asks for, as far as SameSite lets them.
    request = Request("upgrade", "GET", path, client.origin, cookie=Tri.UNKNOWN, server=_server(client))
    response = respond(request)
    passed = tri(None if response.status is None else response.status == 101)
    event = "websocket error" if passed is Tri.NO and not upgrades else None
    url = f"{_server(client, websocket=True)}{path}"
    return Attempt("websocket", passed, event, upgrade=Exchange(request, response), url=url)
