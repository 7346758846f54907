"""How a Socket.IO client in a browser comes to a connection, or does not: polling first, then the upgrade.

The HTTP requests of the polling transport are the page's XMLHttpRequests and fall under CORS (`browser.fetch`). A
WebSocket does not: the browser sends the page's Origin and takes any server that answers 101, whatever its headers are.
Observed with the clients 2.5, 3.1 and 4.8 in Chromium 156; `tests/lab/test_handshake_model.py` compares the two.
"""

from __future__ import annotations

from typing import Literal
from urllib.parse import urlsplit

from corslint.behaviour.browser import Credentials, Exchange, Outcome, PageRequest, Respond, fetch
from corslint.behaviour.console import NOT_KNOWN, Browser
from corslint.model.exchange import NO_ANSWER, Request, Response
from corslint.model.tri import Tri, all_of, tri
from corslint.records import NamedTuple

Transport = Literal["polling", "websocket"]

LOST = "transport error"
"""In place of a `connect_error`: a client 2 is connected by the first answer already, and gets a `disconnect` with this
reason when the next one does not come through."""


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
    """Client 4.8 and later: where a transport fails the next one is tried. Otherwise the first one decides.

    Where the option `transports` is left out, client 4 has WebTransport as the third, of which nothing is known here.
    """
    with_credentials: bool = False
    """True by default in client 2."""
    extra_headers: tuple[tuple[str, str], ...] = ()
    """The option `extraHeaders`. They go along with polling only, and in a browser client 2 does not send them."""
    polling_headers: tuple[tuple[str, str], ...] = ()
    """`extraHeaders` of the option `transportOptions.polling`, which client 2 sends as well.

    Client 4 takes these where it has both (client 3 the others, which is not looked at here).
    """
    protocol: int = 4
    """Version of Engine.IO's protocol: 3 for client 2."""
    trailing_slash: bool = True
    """Whether a slash is put at the end of the path (`addTrailingSlash`)."""


class Attempt(NamedTuple):
    """One transport that was tried: the first connection, or the upgrade of one."""

    transport: Transport
    passed: Tri
    event: str | None = None
    """The message of `connect_error` that a failure leads to, or `LOST`; None where it may be one or another."""
    description: int | None = None
    """Its `description`: the status, or 0 where the browser keeps it."""
    outcomes: tuple[Outcome, ...] = ()
    """What became of the requests of polling."""
    upgrade: Exchange | None = None
    url: str = ""
    opened: Tri = Tri.NO
    """Of polling: whether the server's first answer came through. No other transport is tried after that."""
    lost: bool = False
    """Whether a packet never arrived: a browser follows a redirect of a POST with a GET, which carries none."""

    def messages(self, browser: Browser = "chromium") -> tuple[str, ...]:
        """The lines in the console about this attempt, one of them where there are several."""
        if self.upgrade is None:
            return tuple(text for outcome in self.outcomes for text in outcome.messages(browser))
        if self.passed is Tri.YES or self.upgrade.response.broken:
            return ()
        if browser == "firefox":
            return (f"Firefox can’t establish a connection to the server at {self.url}.",)
        if browser == "safari":
            return ()
        return (f"WebSocket connection to '{self.url}' failed: {_refusal(self.upgrade.response.status)}",)


def _refusal(status: int | None) -> str:
    """How Chromium words that an upgrade was not answered by 101."""
    if status == NO_ANSWER:
        return "Connection closed before receiving a handshake response"
    if status == 401:
        return "HTTP Authentication failed; no valid credentials available"
    return f"Error during WebSocket handshake: Unexpected response code: {NOT_KNOWN if status is None else status}"


class Handshake(NamedTuple):
    """The outcome of all attempts."""

    connected: Tri
    """And stays so."""
    transport: Transport | None
    """What the connection uses once it has settled; None where there is none, or where that is not known."""
    attempts: tuple[Attempt, ...]


def connect(client: Client, respond: Respond) -> Handshake:
    """Play a client's handshake against a server.

    Only heads of responses are looked at. A response with status 200 counts as the server's handshake, one that offers
    the upgrade: a page of HTML in its place ("server error") is not told from it.

    A client starts the upgrade as soon as polling has been opened, beside the requests that follow there. Where one of
    those fails the upgrade is given up whatever its answer is, and is no attempt here.
    """
    attempts: list[Attempt] = []
    for number, transport in enumerate(client.transports):
        attempt = _by_polling(client, respond) if transport == "polling" else _by_websocket(client, respond)
        attempts.append(attempt)
        # The client drops every transport that failed: it does not even upgrade to one.
        left = client.transports[number:]
        may_go_on = client.try_all_transports and len(left) > 1 and attempt.passed is Tri.NO
        if not may_go_on or attempt.opened is Tri.YES:
            return _settled(client, left, attempts, respond)
        if attempt.opened is Tri.UNKNOWN:
            return Handshake(Tri.UNKNOWN, None, tuple(attempts))
    return Handshake(Tri.NO, None, tuple(attempts))


def _settled(client: Client, left: tuple[Transport, ...], attempts: list[Attempt], respond: Respond) -> Handshake:
    """What follows the transport that decides, with those that the client may still use."""
    decisive = attempts[-1]
    if decisive.lost and client.upgrade and "websocket" in left:
        return Handshake(Tri.NO, None, (*attempts, _by_websocket(client, respond, upgrades=True)))
    if decisive.passed is not Tri.YES:
        return Handshake(decisive.passed, None, tuple(attempts))
    if decisive.transport == "websocket" or not client.upgrade or "websocket" not in left:
        return Handshake(Tri.YES, decisive.transport, tuple(attempts))
    upgraded = _by_websocket(client, respond, upgrades=True)
    transports: dict[Tri, Transport | None] = {Tri.YES: "websocket", Tri.NO: "polling", Tri.UNKNOWN: None}
    return Handshake(Tri.YES, transports[upgraded.passed], (*attempts, upgraded))


class _Step(NamedTuple):
    """One request of polling that has to pass."""

    method: str
    query: str
    event: str
    """What its failure leads to."""


_OPENING = _Step("GET", "", "xhr poll error")
_FOLLOWING: dict[int, tuple[_Step, ...]] = {
    # A server of protocol 3 connects the namespace with its first answer.
    3: (_Step("GET", "&sid=sid", LOST),),
    # From 4 on the client asks for its namespace; the answer comes with the next turn of polling.
    4: (_Step("POST", "&sid=sid", "xhr post error"), _Step("GET", "&sid=sid", "xhr poll error")),
}


def _by_polling(client: Client, respond: Respond) -> Attempt:
    """Up to the first turn of polling after the one that opens the connection: an upgrade waits for that one too."""
    outcomes: list[Outcome] = []
    opened = passed = Tri.YES
    for step in (_OPENING, *_FOLLOWING[max(3, min(client.protocol, 4))]):
        outcome = fetch(_polled(client, step), respond)
        outcomes.append(outcome)
        before, passed = passed, all_of((passed, outcome.allowed, _is_status(outcome, 200)))
        opened = passed if step is _OPENING else opened
        if passed is Tri.NO:
            attempt = Attempt("polling", passed, outcomes=tuple(outcomes), opened=opened)
            return _with_event(attempt, step, outcome) if before is Tri.YES else attempt
        if outcome.exchanges[-1].request.method not in (step.method, "OPTIONS"):
            # The client takes it for sent, the server waits for it, and nobody says anything.
            return Attempt("polling", Tri.NO, outcomes=tuple(outcomes), opened=opened, lost=True)
    return Attempt("polling", passed, outcomes=tuple(outcomes), opened=opened)


def _with_event(attempt: Attempt, step: _Step, outcome: Outcome) -> Attempt:
    """With what the page is told: it is not known where a step before this one may have failed too."""
    description = None if step.event == LOST else _description(outcome)
    return attempt._replace(event=step.event, description=description)


def _polled(client: Client, step: _Step) -> PageRequest:
    of_the_body = (("Content-type", _BODY),) if step.method == "POST" else ()
    headers = (*_headers(client), *of_the_body, ("Accept", "*/*"))
    credentials: Credentials = "include" if client.with_credentials else "same-origin"
    url = f"{_server(client)}{_query(client, 'polling')}{step.query}"
    return PageRequest(url, client.origin, credentials, step.method, headers, "xhr")


def _headers(client: Client) -> tuple[tuple[str, str], ...]:
    """The page's own."""
    return client.polling_headers or (client.extra_headers if client.protocol >= 4 else ())


_BODY = "text/plain;charset=UTF-8"


def _server(client: Client, *, websocket: bool = False) -> str:
    parts = urlsplit(client.url)
    secure = parts.scheme in ("https", "wss")
    scheme = ("wss" if secure else "ws") if websocket else ("https" if secure else "http")
    return f"{scheme}://{parts.netloc}"


def _query(client: Client, transport: Transport) -> str:
    path = f"/{client.path.strip('/')}".rstrip("/")
    slash = "/" if client.trailing_slash or not path else ""
    return f"{path}{slash}?EIO={client.protocol}&transport={transport}"


def _is_status(outcome: Outcome, wanted: int) -> Tri:
    status = outcome.exchanges[-1].response.status
    return tri(None if status is None else status == wanted)


def _description(outcome: Outcome) -> int | None:
    return {Tri.YES: outcome.exchanges[-1].response.status, Tri.NO: 0, Tri.UNKNOWN: None}[outcome.allowed]


def opens(response: Response) -> Tri:
    """Whether this answer to a handshake opens a WebSocket that stays open."""
    return tri(None if response.status is None else response.status == 101 and response.broken is None)


_BROKEN = {"waits": "timeout", "closes": "transport close"}
"""What the page is told of a WebSocket that is never answered (after 20 s, the client's own `timeout`), and of one that
is closed at once."""


def _by_websocket(client: Client, respond: Respond, *, upgrades: bool = False) -> Attempt:
    path = _query(client, "websocket") + ("&sid=sid" if upgrades else "")
    # Cookies go along whatever the page asks for, as far as SameSite lets them.
    request = Request("upgrade", "GET", path, client.origin, cookie=Tri.UNKNOWN, server=_server(client))
    response = respond(request)
    passed = opens(response)
    event = _BROKEN.get(response.broken or "", "websocket error") if passed is Tri.NO and not upgrades else None
    url = f"{_server(client, websocket=True)}{path}"
    return Attempt("websocket", passed, event, upgrade=Exchange(request, response), url=url)
