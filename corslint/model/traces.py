"""What a trace is made of: what a page asks, each request with its answer and places, and how it ends."""

from __future__ import annotations

from typing import Literal

from corslint.model.exchange import Request, Response
from corslint.model.tri import Tri
from corslint.records import NamedTuple
from corslint.source import Span

Kind = Literal["fetch", "socket.io", "websocket"]
Transport = Literal["polling", "websocket"]

VERDICTS = {Tri.YES: "allowed", Tri.NO: "blocked", Tri.UNKNOWN: "unknown"}


class Step(NamedTuple):
    """One place that a request passed, and what happened there; no place where the path is empty."""

    span: Span
    text: str


NO_PAGE = ""
"""In place of an origin: which page runs a client is not known."""


class Question(NamedTuple):
    """What a page does: `url` is asked by a page of `origin`.

    `kind` says how: with `fetch`, with a Socket.IO client, or with a WebSocket. What follows `headers` is for Socket.IO
    clients alone: `polling_headers` go along with long polling only, `namespace` is the one that the client joins
    (None: not known), `tries_all` says whether it goes on with its next transport where one fails. `client` is the
    place of the client that does it, where the project has it.
    """

    origin: str
    url: str
    kind: Kind = "fetch"
    credentials: bool = False
    method: str = "GET"
    headers: tuple[tuple[str, str], ...] = ()
    polling_headers: tuple[tuple[str, str], ...] = ()
    transports: tuple[Transport, ...] = ("polling", "websocket")
    protocol: int = 4
    namespace: str | None = "/"
    tries_all: bool = False
    client: Span | None = None


class Hop(NamedTuple):
    """A party that a request comes to: one that passes it on (`proxy`), or the one that answers (`server`).

    `request` is as it arrives there, `response` as it leaves there, back to where the request came from.
    """

    kind: Literal["proxy", "server"]
    title: str
    span: Span
    request: Request
    response: Response


class Leg(NamedTuple):
    """One request, what comes back, and what it rests on.

    `hops` are the parties on the way, the one that the page reaches first; none where that is not known.
    """

    request: Request
    response: Response
    steps: tuple[Step, ...]
    sources: tuple[tuple[str, Span], ...]
    assumptions: tuple[Step, ...]
    by_socket: bool = False
    hops: tuple[Hop, ...] = ()


class Trace(NamedTuple):
    """How it ends: `allowed` is yes, no or unknown.

    `messages` are the browser's words, one of them where there are several; `event` is what a Socket.IO client tells
    the page, `transport` what its connection uses. `reason` says why nothing is known, where that is so. `places` are
    those beside the way of any request.
    """

    question: Question
    allowed: Tri
    legs: tuple[Leg, ...] = ()
    messages: tuple[str, ...] = ()
    event: str | None = None
    transport: str | None = None
    reason: str = ""
    places: tuple[Step, ...] = ()
    hint: Trace | None = None
    """Where nothing is known: how it ends if variables have the values that files of the project name."""

    @property
    def verdict(self) -> str:
        """`allowed`, `blocked` or `unknown`."""
        return VERDICTS[self.allowed]
