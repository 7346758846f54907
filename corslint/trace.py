"""A browser's request, followed through the files of a project: `corslint trace`.

The browser model (`behaviour/browser.py`, `behaviour/handshake.py`) says which requests are made and what becomes of
their answers; the answers come from the project (`network.py`). Nothing is sent.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from http import HTTPStatus
from urllib.parse import urlsplit

from corslint import crossings
from corslint.behaviour import csp
from corslint.behaviour.addresses import origin_of, path_of
from corslint.behaviour.application import Reply
from corslint.behaviour.browser import Exchange, Outcome, PageRequest, fetch, normalised_method
from corslint.behaviour.console import NOT_KNOWN
from corslint.behaviour.handshake import Attempt, Client, Handshake, connect, opens
from corslint.frameworks.catalog import Catalog
from corslint.model.decisions import is_loopback
from corslint.model.exchange import Request, Response
from corslint.model.facts import Fact
from corslint.model.traces import NO_PAGE, Kind, Leg, Question, Step, Trace
from corslint.model.tri import Tri, tri
from corslint.network import Address, Network
from corslint.relations import World
from corslint.source import SourceFile, Span

EXIT_STATUS = {Tri.YES: 0, Tri.NO: 1, Tri.UNKNOWN: 3}

_ANSWERING = ("http_app", "http_server", "socket_server", "cors_policy")
_ORDINARY = "*"
_ANY_NAMESPACE = "/*"
_NO_NAMESPACE = "Invalid namespace"
_NAMESPACE_IS_ASKED = 4
"""Version of Engine.IO's protocol from which on the answer to a namespace is a `connect_error`."""


def worst(traces: Iterable[Trace]) -> int:
    """The exit status of several traces: blocked, then unknown, then allowed."""
    answers = {trace.allowed for trace in traces}
    return next((EXIT_STATUS[one] for one in (Tri.NO, Tri.UNKNOWN) if one in answers), 0)


class Tracer:
    """Follows requests through one project."""

    def __init__(
        self,
        world: World,
        network: Network,
        catalog: Catalog,
        sources: Callable[[str], SourceFile],
        frontends: Sequence[str] = (),
        hinted: Callable[[], Network] | None = None,
    ) -> None:
        """`frontends` are the origins of pages that run the project's clients; `hinted` gives the network as it is with
        the variables that files of the project name."""
        self.sources = sources
        self._world = world
        self._network = network
        self._catalog = catalog
        self._frontends = tuple(frontends)
        self._hinted = hinted

    def protocol_of(self, url: str) -> int:
        """The version of Engine.IO's protocol that a client of an address speaks: the server's own, or the newest."""
        path = urlsplit(url).path
        spoken = [
            fact.field("protocol").value
            for fact in self._world.of_kind("socket_server")
            if isinstance(fact.field("answers_under").value, str)
            and path.startswith(str(fact.field("answers_under").value))
        ]
        return 3 if spoken and all(one == (3,) for one in spoken) else 4

    def kind_of(self, url: str, method: str = "GET") -> Kind:
        """How a page asks for an address: a path of a socket is asked by its client, all others with `fetch`."""
        parts = urlsplit(url)
        if self._is_socket(parts.path) and method == "GET":
            return "socket.io"
        return "websocket" if parts.scheme in ("ws", "wss") else "fetch"

    def _is_socket(self, path: str) -> bool:
        for fact in self._world.facts:
            name = {"socket_server": "answers_under", "socket_client": "asks_for"}.get(fact.kind)
            under = fact.field(name).value if name else None
            speaks = fact.field("kind").value in ("socket.io", "engine.io", None)
            if isinstance(under, str) and speaks and (path.rstrip("/") + "/").startswith(under.rstrip("/") + "/"):
                return under != "/"
        segments = {part.lower() for part in path.split("/")}
        return bool(segments & {"socket.io", "engine.io"} & self._catalog.socket_paths.described)

    # --- one question ---

    def trace(self, question: Question) -> Trace:
        """Follow one request, or one handshake."""
        if question.origin == NO_PAGE:
            reason = "which page runs this client is not known: name its origin under `frontends` in the settings"
            return Trace(question, Tri.UNKNOWN, reason=reason)
        refused = _mixed_content(question) or self._page_refuses(question)
        if refused is not None:
            return refused
        found = self._followed(question)
        if found.allowed is not Tri.UNKNOWN or self._hinted is None:
            return found
        network, self._network = self._network, self._hinted()
        try:
            return found._replace(hint=self._followed(question))
        finally:
            self._network = network

    def _followed(self, question: Question) -> Trace:
        if question.kind == "fetch":
            return self._fetched(question)
        return self._connected(question) if question.kind == "socket.io" else self._opened(question)

    def _fetched(self, question: Question) -> Trace:
        asking = _Asking(self._network, question)
        asked = PageRequest(
            question.url,
            question.origin,
            "include" if question.credentials else "same-origin",
            question.method,
            question.headers,
        )
        outcome = fetch(asked, asking)
        doubled = asking.legs and asking.legs[-1].response.lines("Content-Length")
        if outcome.allowed is Tri.YES and doubled:
            reason = "a Content-Length is added to the response, which browsers refuse where it is not the right one"
            return Trace(question, Tri.UNKNOWN, tuple(asking.legs), reason=reason)
        return Trace(
            question,
            outcome.allowed,
            tuple(asking.legs),
            _words([outcome]),
            reason=_reason(outcome.allowed, asking.legs),
        )

    def _connected(self, question: Question) -> Trace:
        asking = _Asking(self._network, question)
        parts = urlsplit(question.url)
        client = Client(
            f"{parts.scheme}://{parts.netloc}",
            question.origin,
            parts.path or "/",
            question.transports,
            try_all_transports=question.tries_all,
            with_credentials=question.credentials,
            extra_headers=question.headers,
            polling_headers=question.polling_headers,
            protocol=question.protocol,
            trailing_slash=parts.path.endswith("/"),
        )
        found = connect(client, asking)
        first = asking.legs[0]
        if first.request.kind == "actual" and not first.by_socket and first.response.status == 200:
            if not found.attempts[0].outcomes or found.attempts[0].outcomes[0].allowed is not Tri.NO:
                return self._not_spoken(question, asking.legs)
        if found.connected is Tri.YES:
            joined, asking.legs[-1] = self._joined(question, asking.legs[-1])
            if not joined:
                event = _NO_NAMESPACE if question.protocol >= _NAMESPACE_IS_ASKED else None
                return Trace(question, Tri.NO, tuple(asking.legs), (), event)
        failed = next((one for one in found.attempts if one.passed is not Tri.YES), None)
        event = failed.event if failed is not None and found.connected is Tri.NO else None
        messages = tuple(word for attempt in found.attempts for word in attempt.messages())
        return Trace(
            question,
            found.connected,
            tuple(asking.legs),
            messages or _plain_failure(found),
            event,
            found.transport,
            _reason(found.connected, asking.legs),
        )

    def _joined(self, question: Question, leg: Leg) -> tuple[bool, Leg]:
        """Whether the server lets the client into its namespace, with what is said of that where it is not the main
        one. Nobody is turned away where it may have one that is not known."""
        name = question.namespace
        if name == "/":
            return True, leg
        passed = {step.span for step in leg.steps}
        server = next((one.span for one in self._world.of_kind("socket_server") if one.span in passed), None)
        at = server or (leg.steps[-1].span if leg.steps else question.client)
        if at is None:
            return True, leg
        had = [fact.field("name") for fact in self._world.of_kind("socket_namespace")]
        if any(one.state == "unknown" for one in had) or name is None or server is None:
            assumed = Step(at, f"the server has the namespace {name or 'that the client joins'}")
            return True, leg._replace(assumptions=(*leg.assumptions, assumed))
        if {name, _ANY_NAMESPACE} & {one.value for one in had}:
            return True, leg
        return False, leg._replace(steps=(*leg.steps, Step(at, f"the server has no namespace {name}")))

    def _page_refuses(self, question: Question) -> Trace | None:
        """How it ends where the page's own Content-Security-Policy blocks a connection: nothing is sent then."""
        client = self._client_of(question)
        for said in crossings.said_to(self._world, client) if client is not None else ():
            urls = _connections(question)
            answers = [self._lets_out(said, question.origin, url) for url in urls]
            said_at = Step(said.at, "the page's own Content-Security-Policy")
            if answers[0] is Tri.YES and Tri.NO not in answers:
                continue
            if answers[0] is Tri.YES:  # the socket polls, and its upgrade is blocked
                kept = tuple(one for one in question.transports if one != "websocket")
                found = self.trace(question._replace(transports=kept))
                words = _words_of_page(urls[1], said)
                return found._replace(question=question, messages=(*found.messages, words), places=(said_at,))
            if answers[0] is Tri.NO:
                event = _EVENTS[question.transports[0]] if question.kind == "socket.io" else None
                words = _words_of_page(urls[0], said)
                return Trace(question, Tri.NO, (), (words,), event, places=(said_at,))
            reason = "what the page's own Content-Security-Policy allows is not known"
            return Trace(question, Tri.UNKNOWN, reason=reason, places=(said_at,))
        return None

    def _client_of(self, question: Question) -> Fact | None:
        if question.client is None:
            return None
        kind = "http_request" if question.kind == "fetch" else "socket_client"
        return next((fact for fact in self._world.of_kind(kind) if fact.span == question.client), None)

    @staticmethod
    def _lets_out(said: crossings.Said, origin: str, url: str) -> Tri:
        if origin == "null":
            return csp.allows(said.sources, url, Tri.NO, None)
        page, asked = Address.of(origin), Address.of(url)
        own = tri((page.host, page.port) == (asked.host, asked.port))
        return csp.allows(said.sources, url, own, "https" if page.secure else "http")

    @staticmethod
    def _not_spoken(question: Question, legs: list[Leg]) -> Trace:
        """Polling got an answer that no socket server gave: the client takes it for a fault of the server."""
        first = legs[:1]
        if (
            any(not step.span.path for leg in first for step in leg.assumptions)
            or first[0].response.complete is not Tri.YES
        ):
            return Trace(question, Tri.UNKNOWN, tuple(first), reason="whether a socket server answers is not known")
        return Trace(question, Tri.NO, tuple(first), (), "server error")

    def _opened(self, question: Question) -> Trace:
        asking = _Asking(self._network, question)
        request = Request(
            "upgrade", "GET", path_of(question.url), question.origin, cookie=Tri.UNKNOWN, server=_http(question.url)
        )
        response = asking(request)
        passed = opens(response)
        attempt = Attempt("websocket", passed, upgrade=Exchange(request, response), url=question.url)
        return Trace(
            question,
            passed,
            tuple(asking.legs),
            attempt.messages() if passed is Tri.NO else (),
            transport="websocket" if passed is Tri.YES else None,
            reason=_reason(passed, asking.legs),
        )

    def elsewhere(self, question: Question) -> tuple[Span, ...]:
        """The parts of servers and proxies that a request and its answer do not come by; none where nothing in the
        project is known to answer it."""
        places = {step.span for leg in self._followed(question).legs for step in leg.steps if step.span.path}
        files, starts = {span.path for span in places}, {(span.path, span.start) for span in places}
        if not places:
            return ()
        routes = [
            route.field("block").span
            for route in self._world.of_kind("proxy_route")
            if (level := route.field("level").span) is not None and (level.path, level.start) not in starts
        ]
        servers = {fact.span.path for kind in _ANSWERING for fact in self._world.of_kind(kind)} - files
        whole = [Span(path, 0, len(self.sources(path).data)) for path in sorted(servers)]
        return (*(span for span in routes if span is not None), *whole)

    # --- all pairs ---

    def questions(self) -> list[Question]:
        """What the clients of the project ask, each for every page that is known to run it."""
        found: list[Question] = []
        for fact in self._world.of_kind("socket_client"):
            if fact.span.path not in self._world.in_tests:
                found += self._of_socket_client(fact)
        for fact in self._world.of_kind("http_request"):
            # Without CORS the page may ask whom it likes, and reads nothing.
            apart = fact.field("mode").value == "no-cors" or fact.field("browser").value == "no"
            if not apart and fact.span.path not in self._world.in_tests:
                found += self._of_request(fact)
        return list(dict.fromkeys(found))

    def _of_socket_client(self, client: Fact) -> Iterator[Question]:
        path = client.field("asks_for").value
        transports, namespace = client.field("transports").value, client.field("namespace").value
        if not isinstance(path, str):
            return
        url = client.field("url")
        if url.state == "unknown" or (client.field("same_origin").value == "no" and not isinstance(url.value, str)):
            return
        for origin, base in self._ends(client, url.value):
            yield Question(
                origin,
                f"{base}{path}",
                "socket.io",
                client.field("credentials").value == "yes",
                headers=_named(client, "headers"),
                polling_headers=_named(client, "polling_headers"),
                transports=transports if isinstance(transports, tuple) else ("polling", "websocket"),
                protocol=3 if client.field("protocol").value == 3 else 4,
                namespace=namespace if isinstance(namespace, str) else None,
                tries_all=client.field("tries_all").value == "yes",
                client=client.span,
            )

    def _of_request(self, request: Fact) -> Iterator[Question]:
        url, address, path = (request.field(name).value for name in ("url", "address", "path"))
        if not isinstance(url, str) or request.field("base").value == "yes":
            return
        whole = isinstance(address, str) and ("://" in url or address.endswith(url.lstrip("/")))
        if not whole and not isinstance(path, str):
            return
        method, headers = request.field("method").value, _named(request, "headers")
        for origin, base in self._ends(request, address if whole else None):
            yield Question(
                origin,
                str(address) if whole else f"{base}/{str(path).lstrip('/')}",
                "fetch",
                request.field("credentials").value == "yes",
                method if isinstance(method, str) else "GET",
                headers,
                client=request.span,
            )

    def _ends(self, client: Fact, url: object) -> Iterator[tuple[str, str]]:
        """Origins of pages that run a client, and the server's own for each: that of `url`, or else the page's."""
        target = None
        if isinstance(url, str) and urlsplit(url).hostname:
            parts = urlsplit(url)
            scheme = {"ws": "http", "wss": "https"}.get(parts.scheme, parts.scheme or "http")
            target = f"{scheme}://{parts.netloc}"
        pages = list(self._pages_of(client, own=target is None))
        for origin in pages:
            yield origin, target or origin
        if not pages:
            yield NO_PAGE, target or "the page's own origin"

    def _pages_of(self, client: Fact, *, own: bool) -> Iterator[str]:
        """The origins of pages that are known to run a client: what the settings name, else its development server.

        `own`: it talks to the origin that its page comes from, which is then one where something answers.
        """
        if self._frontends:
            yield from self._frontends
            return
        found = []
        package = self._world.topology.package_of(client.span.path)
        for server in self._world.of_kind("dev_server"):
            port = server.field("port").value
            beside = self._world.topology.package_of(server.span.path) == package
            if beside and isinstance(port, int) and not crossings.moved(self._world, server):
                scheme = "https" if server.field("https").value == "yes" else "http"
                found.append(f"{scheme}://localhost:{port}")
        yield from found or (self._network.origins(client.span.path) if own else ())


class _Asking:
    """Answers the browser, and keeps what was asked."""

    def __init__(self, network: Network, question: Question) -> None:
        self._network = network
        self._question = question
        self.legs: list[Leg] = []

    def _password(self, request: Request) -> Tri:
        """Whether `Authorization` comes along: never with a preflight, whatever the request after it does."""
        if request.kind == "preflight":
            return Tri.NO
        named = any(name.lower() == "authorization" for name, _ in self._question.headers)
        return Tri.YES if named else Tri.UNKNOWN if self._question.credentials else Tri.NO

    def __call__(self, request: Request) -> Response:
        reply: Reply = self._network.answer(request, self._password(request))
        told = (reply.steps, reply.sources, reply.assumptions, reply.by_socket, reply.hops)
        self.legs.append(Leg(request, reply.response, *told))
        return reply.response


def _named(client: Fact, field: str) -> tuple[tuple[str, str], ...]:
    """The headers that a client sets, with a value that is not simple."""
    names = client.field(field).value
    return tuple((name, _ORDINARY) for name in names) if isinstance(names, tuple) else ()


def _words(outcomes: Iterable[Outcome]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(word for outcome in outcomes for word in outcome.messages()))


def _plain_failure(found: Handshake) -> tuple[str, ...]:
    """The browser's words where a request of polling came through and was refused by the server itself."""
    if found.connected is not Tri.NO:
        return ()
    for attempt in found.attempts:
        for outcome in attempt.outcomes:
            status = outcome.exchanges[-1].response.status
            if status is not None and status >= 400:
                return (f"Failed to load resource: the server responded with a status of {status} ({_phrase(status)})",)
    return ()


def _phrase(status: int) -> str:
    return HTTPStatus(status).phrase if status in set(HTTPStatus) else ""


def _reason(allowed: Tri, legs: Iterable[Leg]) -> str:
    """Why nothing can be said: the last thing that was not known."""
    if allowed is not Tri.UNKNOWN:
        return ""
    for leg in legs:
        if leg.response.complete is not Tri.YES or leg.response.status is None:
            nowhere = [one.text for one in leg.assumptions if not one.span.path]
            if nowhere:
                return nowhere[0]
            return f"what {leg.request.method} {leg.request.path} is answered with is not known"
    return "headers that decide are not known"


def _http(url: str) -> str:
    parts = urlsplit(url)
    scheme = {"ws": "http", "wss": "https"}.get(parts.scheme, parts.scheme)
    return f"{scheme}://{parts.netloc}"


_EVENTS = {"polling": "xhr poll error", "websocket": "websocket error"}


def _connections(question: Question) -> list[str]:
    """The addresses that a page connects to, the first one first: a socket begins with one of its transports."""
    if question.kind != "socket.io":
        return [question.url]
    parts = urlsplit(question.url)
    socket = {"http": "ws", "https": "wss"}.get(parts.scheme, parts.scheme)
    schemes = {"polling": parts.scheme, "websocket": socket}
    found = [
        f"{schemes[one]}://{parts.netloc}{parts.path}?EIO={question.protocol}&transport={one}"
        for one in question.transports
        if one in schemes
    ]
    return [*found[:1], *(f"{url}&sid=sid" for url in found[1:])]


def _words_of_page(url: str, said: crossings.Said) -> str:
    """How Chromium words that a page's own policy blocks a connection."""
    policy = " ".join((said.directive, *said.sources))
    fallback = " Note that 'connect-src' was not explicitly set, so 'default-src' is used as a fallback."
    return (
        f"Connecting to '{url}' violates the following Content Security Policy directive: \"{policy}\"."
        f"{fallback if said.directive == 'default-src' else ''} The action has been blocked."
    )


def _mixed_content(question: Question) -> Trace | None:
    """A page of https may not ask http or ws, but for this machine (Mixed Content, section 4.4)."""
    address = Address.of(question.url)
    if not question.origin.startswith("https://") or address.secure or is_loopback(address.host):
        return None
    before = f"Mixed Content: The page at '{NOT_KNOWN}' was loaded over HTTPS, but "
    socket = question.kind == "socket.io"
    if question.kind == "websocket" or (socket and question.transports[:1] == ("websocket",)):
        query = f"?EIO={question.protocol}&transport=websocket" if socket else ""
        url = question.url.replace("http://", "ws://", 1) + query
        words = (
            f"{before}attempted to connect to the insecure WebSocket endpoint '{url}'. "
            "This request has been blocked; this endpoint must be available over WSS."
        )
        return Trace(question, Tri.NO, (), (words,))  # the client gets an exception, and the page no event
    what = "XMLHttpRequest endpoint" if socket else "resource"
    query = f"?EIO={question.protocol}&transport=polling" if socket else ""
    words = (
        f"{before}requested an insecure {what} '{question.url}{query}'. "
        "This request has been blocked; the content must be served over HTTPS."
    )
    return Trace(question, Tri.NO, (), (words,), "xhr poll error" if socket else None)


def question_of(
    tracer: Tracer, origin: str, url: str, credentials: bool = False, method: str = "GET", headers: Sequence[str] = ()
) -> Question:
    """What a page of an origin asks for; `headers` as `NAME` or `NAME: VALUE`.

    Raises:
        ValueError: no page can ask that.

    """
    Address.of(url)
    if not url.startswith(("http://", "https://", "ws://", "wss://")):
        raise ValueError(f"{url!r} is no http, https, ws or wss address")
    method = normalised_method(method)
    kind = tracer.kind_of(url, method)
    protocol = tracer.protocol_of(url) if kind == "socket.io" else 4
    pairs = tuple(_header(text) for text in headers)
    return Question(page_origin(origin), url, kind, credentials, method, pairs, protocol=protocol)


_JSON = "application/json"
_VALUE = "1"


def _header(text: str) -> tuple[str, str]:
    """A header of the page. Where no value is given it is one that such a header usually has, and that is not simple.

    Raises:
        ValueError: it has no name.

    """
    name, _, value = text.partition(":")
    name = name.strip()
    if not name or any(character in name for character in ' \t"(),/;<=>?@[]{}'):
        raise ValueError(f"{text!r} is no header: write NAME or NAME: VALUE")
    usual = _JSON if name.lower() == "content-type" else _VALUE
    return name, value.strip() or usual


def page_origin(text: str) -> str:
    """The origin of a page: of a URL, or `null`.

    Raises:
        ValueError: it is neither.

    """
    if text == "null":
        return text
    if urlsplit(text).scheme not in ("http", "https"):
        raise ValueError(f"{text!r} is no http or https address")
    return origin_of(text)
