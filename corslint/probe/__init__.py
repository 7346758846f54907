"""A running server, asked what a browser would ask it: `corslint probe`.

The browser model (`behaviour/browser.py`, `behaviour/handshake.py`) says which requests a page makes and what becomes
of the answers; here they are really made. A request that could change something is never sent: of a POST or a DELETE
only the preflight is. `Ask` is anything that answers requests: `client.py` for a server, a recording in tests.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable, Sequence
from typing import Literal
from urllib.parse import urlsplit

from corslint.behaviour.addresses import origin_of, path_of
from corslint.behaviour.browser import Credentials, Exchange, Outcome, PageRequest, fetch
from corslint.behaviour.handshake import Attempt, Client, Handshake, Transport, connect
from corslint.model.exchange import NO_ANSWER, Missing, Request, Response
from corslint.model.tri import Tri, all_of
from corslint.records import NamedTuple

Kind = Literal["request", "preflight", "socket.io", "websocket"]

SAFE_METHODS = frozenset({"GET", "HEAD"})
"""What may be asked of a server that others use: these change nothing (RFC 9110, section 9.2.1)."""

MOST_REQUESTS = 8
"""So many requests does one question take at most, redirects included."""

_HANDSHAKE_GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"  # RFC 6455, section 1.3
_KEY = base64.b64encode(b"corslint's probe").decode()
_NOT_ASKED = Response(complete=Tri.UNKNOWN)


class Sent(NamedTuple):
    """A request as it goes out. `url` is absolute; `headers` are all but those that every client adds."""

    method: str
    url: str
    headers: tuple[tuple[str, str], ...]
    body: bytes = b""


class Answer(NamedTuple):
    """What came back: the head, and the beginning of the body. `trouble` says why there is no answer."""

    response: Response
    body: bytes = b""
    trouble: str = ""


Ask = Callable[[Sent], Answer]


class Question(NamedTuple):
    """What a page of `origin` does with `url`; `headers` are set by its script, `cookie` is what its browser has."""

    url: str
    origin: str
    credentials: bool = False
    method: str = "GET"
    headers: tuple[tuple[str, str], ...] = ()
    cookie: str | None = None
    protocol: int = 4
    """Of Engine.IO, for a Socket.IO client: 3 for clients of version 2."""


class Finding(NamedTuple):
    """How one question ended.

    `allowed` is unknown where what was asked passes and the rest was not asked. `messages` are Chromium's words. `note`
    is ours: what was not asked, or why no answer came.
    """

    kind: Kind
    allowed: Tri
    exchanges: tuple[Exchange, ...]
    messages: tuple[str, ...] = ()
    note: str = ""

    @property
    def verdict(self) -> str:
        """`allowed`, `blocked` or `unknown`."""
        return {Tri.YES: "allowed", Tri.NO: "blocked", Tri.UNKNOWN: "unknown"}[self.allowed]


def request(question: Question, ask: Ask) -> Finding:
    """What `fetch` comes to: the preflight where one is needed, and the request itself where it changes nothing."""
    mode: Credentials = "include" if question.credentials else "same-origin"
    page = PageRequest(question.url, question.origin, mode, question.method, question.headers)
    asker = _Asker(question, ask)
    outcome = fetch(page, asker)
    withheld = f"{question.method} itself was not sent: it could change something" if asker.withheld else ""
    return Finding("request", outcome.allowed, asked(outcome), outcome.messages(), withheld or asker.trouble)


def preflight(question: Question, ask: Ask, method: str = "POST") -> Finding:
    """Whether a page may send JSON: the preflight for it, and no more. Allowed says that the preflight passes."""
    headers = (("Content-Type", "application/json"), *question.headers)
    found = request(question._replace(method=method, headers=headers), ask)
    # All that is not known is what was not sent.
    passed = Tri.YES if found.allowed is Tri.UNKNOWN else found.allowed
    return found._replace(kind="preflight", allowed=passed, note=found.note)


def handshake(question: Question, ask: Ask, transports: Sequence[Transport] = ("polling", "websocket")) -> Finding:
    """What a Socket.IO client comes to: one transport after the other is tried, and polling is upgraded."""
    parts = urlsplit(question.url)
    client = Client(
        f"{parts.scheme}://{parts.netloc}",
        question.origin,
        parts.path.strip("/") or "socket.io",
        tuple(transports),
        try_all_transports=transports[0] == "websocket",
        with_credentials=question.credentials,
        extra_headers=question.headers,
        protocol=question.protocol,
    )
    asker = _Asker(question, ask)
    found = connect(client, asker)
    exchanges = tuple(one for attempt in found.attempts for one in _exchanges(attempt))
    messages = tuple(text for attempt in found.attempts for text in attempt.messages())
    return Finding("socket.io", found.connected, exchanges, messages, asker.trouble or _about(found))


def websocket(question: Question, ask: Ask) -> Finding:
    """Whether a WebSocket opens: browsers take any server that answers the upgrade, whatever the page's origin is."""
    asker = _Asker(question, ask)
    wanted = Request("upgrade", "GET", path_of(question.url), question.origin, cookie=Tri.UNKNOWN, server=asker.server)
    response = asker(wanted)
    attempt = Attempt("websocket", Tri.YES, upgrade=Exchange(wanted, response), url=_as_socket(question.url))
    attempt = attempt._replace(passed=Tri.YES if response.status == 101 else Tri.NO)
    return Finding("websocket", attempt.passed, _exchanges(attempt), attempt.messages(), asker.trouble)


def asked(outcome: Outcome) -> tuple[Exchange, ...]:
    """The exchanges that took place."""
    return tuple(one for one in outcome.exchanges if one.response is not _NOT_ASKED)


def _exchanges(attempt: Attempt) -> tuple[Exchange, ...]:
    of_polling = tuple(one for outcome in attempt.outcomes for one in asked(outcome))
    upgrade = () if attempt.upgrade is None or attempt.upgrade.response is _NOT_ASKED else (attempt.upgrade,)
    return (*of_polling, *upgrade)


def _about(found: Handshake) -> str:
    """What a client is told, and what its connection uses."""
    if found.transport is not None:
        return f"connected by {found.transport}"
    event = next((attempt.event for attempt in found.attempts if attempt.event), None)
    return f"the client is told: {event}" if event else ""


def _as_socket(url: str) -> str:
    return "ws" + url.removeprefix("http") if url.startswith("http") else url


# --- requests as they go out -----------------------------------------------------------------------------------------


class _Asker:
    """Turns the browser model's requests into real ones, and counts them."""

    def __init__(self, question: Question, ask: Ask) -> None:
        self.server = origin_of(question.url)
        self.trouble = ""
        self.withheld = False
        self._question = question
        self._ask = ask
        self._count = 0
        self._session = ""

    def __call__(self, request: Request) -> Response:
        polls = "transport=polling" in request.path
        if request.kind == "actual" and request.method not in SAFE_METHODS and not polls:
            self.withheld = True
            return _NOT_ASKED
        if self._count >= MOST_REQUESTS:
            self.trouble = f"not followed further than {MOST_REQUESTS} requests"
            return _NOT_ASKED
        self._count += 1
        answer = self._ask(self._sent(request))
        self.trouble = answer.trouble or self.trouble
        if polls and not self._session:
            self._session = session_of(answer.body)
        if request.kind == "upgrade" and answer.response.status == 101 and not _is_accepted(answer.response):
            self.trouble = "the server's Sec-WebSocket-Accept does not fit: no browser takes that for a WebSocket"
            return answer.response._replace(status=NO_ANSWER)
        return answer.response

    def _sent(self, request: Request) -> Sent:
        path = request.path.replace("sid=sid", f"sid={self._session}") if self._session else request.path
        server = request.server or self.server
        headers = tuple(self._headers(request))
        # A client of protocol 4 asks for the namespace `/`: `4` is a message, `0` its wish to connect.
        body = b"40" if request.method == "POST" else b""
        return Sent(request.method, f"{server}{path}", headers, body)

    def _headers(self, request: Request) -> list[tuple[str, str]]:
        found = [] if request.origin is None else [("Origin", request.origin)]
        if request.kind == "preflight":
            found.append(("Access-Control-Request-Method", request.asked_method or "GET"))
            if request.asked_headers:
                found.append(("Access-Control-Request-Headers", ",".join(request.asked_headers)))
        if request.kind == "upgrade":
            found += [("Connection", "Upgrade"), ("Upgrade", "websocket")]
            found += [("Sec-WebSocket-Version", "13"), ("Sec-WebSocket-Key", _KEY)]
        if request.kind == "actual":
            found += self._question.headers
            if request.method == "POST":
                found.append(("Content-Type", "text/plain;charset=UTF-8"))
        own = request.server in (None, self.server)  # a cookie is for the server that was named
        if self._question.cookie is not None and request.cookie is not Tri.NO and own:
            found.append(("Cookie", self._question.cookie))
        return found


def session_of(body: bytes) -> str:
    """The session that Engine.IO's first packet opens: `0{"sid":...}`, in protocol 3 with its length before it."""
    begin, end = body.find(b"0{"), body.find(b"}")
    try:
        opened = json.loads(body[begin + 1 : end + 1])
        found = opened.get("sid", "") if isinstance(opened, dict) else ""
    except (ValueError, RecursionError):
        return ""
    # It becomes a part of the next URL.
    return found if isinstance(found, str) and found.replace("-", "").replace("_", "").isalnum() else ""


def _is_accepted(response: Response) -> bool:
    expected = base64.b64encode(hashlib.sha1(f"{_KEY}{_HANDSHAKE_GUID}".encode(), usedforsecurity=False).digest())
    found = response.header("Sec-WebSocket-Accept")
    return not isinstance(found, Missing) and found == expected.decode()


def worst(findings: Sequence[Finding]) -> Tri:
    """Whether all of it is allowed."""
    return all_of(finding.allowed for finding in findings)
