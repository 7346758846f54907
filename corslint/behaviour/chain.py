"""Layers folded from the inside out: what an application answers when several of them write CORS headers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from corslint.behaviour.response import NAMES, Responder
from corslint.extract import Policy
from corslint.model.exchange import Request, Response, response
from corslint.model.facts import Fact, Field
from corslint.model.reading import CodeReading
from corslint.model.tri import Tri
from corslint.project.link import Linker
from corslint.source import Span

_ORIGIN = NAMES["acao"]
_STRANGER = "https://stranger.example"
_INSIDE = 1_000_000


def fold(layers: Iterable[Responder], request: Request, inner: Response) -> Response:
    """The answer to a request; `layers` from the inside out, `inner` what the application alone answers."""
    for layer in layers:
        inner = layer.respond(request, inner)
    return inner


def inside_out(policies: Iterable[Policy], facts: Iterable[Fact]) -> list[Policy]:
    """Policies of one program in the order in which an answer passes them.

    A socket server's own policy is the innermost, then what decorates a route, then the layers by their place. Where
    there is a socket server, that is asked, and an application's policies count only if it is mounted there.
    """
    facts, policies = list(facts), list(policies)
    servers = {fact.field("instance").value: fact for fact in facts if fact.kind == "socket_server"}
    if any(policy.fact.field("layer").value == "socket" for policy in policies):
        http = {server.field("http_server").value for server in servers.values()}
        around = {
            fact.field("app").value
            for fact in facts
            if fact.kind == "middleware" and fact.field("handler").value in http
        }
        policies = [
            policy
            for policy in policies
            if policy.fact.field("layer").value == "socket" or policy.fact.field("app").value in {*servers, *around}
        ]
    places: dict[object, int] = {}
    for fact in facts:
        index = fact.field("outer_index").value
        if fact.kind == "middleware" and isinstance(index, int):
            for name in ("handler", "registered"):
                places.setdefault(fact.field(name).value, index)

    def depth(policy: Policy) -> int:
        if policy.fact.field("layer").value == "socket":
            return 2 * _INSIDE
        if policy.fact.field("scope").state == "unknown":
            return _INSIDE
        return places.get(policy.fact.field("instance").value, 0)

    return sorted(policies, key=depth, reverse=True)


class Doubled:
    """Finds responses that get Access-Control-Allow-Origin twice. It has to be made before policies are judged."""

    def __init__(self, policies: Iterable[Policy], linker: Linker, code: Callable[[str], CodeReading | None]) -> None:
        policies = list(policies)
        self._linker, self._code = linker, code
        # As they are before they are judged, which turns options into what they mean.
        self._policies = {id(policy.fact): policy._replace(fact=_copy(policy.fact)) for policy in policies}
        self._by_hand = {id(policy.fact) for policy in policies if policy.header and not policy.guards}
        self._libraries = {id(policy.fact) for policy in policies if not policy.header}

    def facts(self, facts: list[Fact]) -> Iterator[Fact]:
        """One fact for each pair of places that both write the header to one response."""
        policies = [fact for fact in facts if fact.kind == "cors_policy" and id(fact) in self._policies]
        libraries = [fact for fact in policies if id(fact) in self._libraries]
        appended = [fact for fact in policies if id(fact) in self._by_hand and _appends(fact, facts)]
        layers = [fact for fact in facts if fact.kind in ("middleware", "http_route")] if appended else []
        mounted = _mounted_sockets(policies, facts)
        for library in libraries:
            sockets = mounted.get(library.field("app").value, ()) if library.field("layer").value == "http" else ()
            for other, outside in (*self._beside(library, appended, layers), *((one, False) for one in sockets)):
                first, second = self._responder(library), self._responder(other)
                pair = (first, second) if outside else (second, first)
                for origin in (*sorted(first.judge.exact_texts()), *sorted(second.judge.exact_texts()), _STRANGER):
                    answer = fold(pair, Request(origin=origin, server="https://server.example"), response(200))
                    lines = answer.lines(_ORIGIN)
                    if len(lines) > 1 and all(line.sent is Tri.YES and line.value for line in lines):
                        yield _doubled(library, other, origin)
                        break

    def _responder(self, policy: Fact) -> Responder:
        given = self._policies[id(policy)]
        if given.header:
            given = given._replace(semantics=given.semantics._replace(exists="appends"))
        return Responder(given, self._linker, self._code)

    def _beside(self, library: Fact, appended: Iterable[Fact], layers: Iterable[Fact]) -> Iterator[tuple[Fact, bool]]:
        """What is appended by hand to responses of a library's layer, and whether outside of it."""
        layers = list(layers)
        instance, app = library.field("instance").value, library.field("app").value
        decorating = library.field("scope").state == "unknown"
        own = [
            layer
            for layer in layers
            if layer.kind == "middleware"
            and instance in (layer.field("handler").value, layer.field("registered").value)
        ]
        decorated = {
            layer.field("app").value
            for layer in layers
            if decorating and layer.kind == "http_route" and _near(instance, layer.field("handler").value)
        }
        for written in appended:
            for layer in layers:
                handler = layer.field("handler").value
                if not isinstance(handler, Span) or not handler.covers(written.span):
                    continue
                if decorating:
                    after = layer.kind == "middleware" and layer.field("order").value == "first-is-outermost"
                    if layer.kind == "http_route" and _near(instance, handler):
                        yield written, False
                    elif after and isinstance(layer.field("app").value, Span) and layer.field("app").value in decorated:
                        yield written, True
                elif layer.field("app").value == app and len(own) == 1:
                    mine, theirs = own[0].field("outer_index").value, layer.field("outer_index").value
                    if not isinstance(mine, int) or not isinstance(theirs, int) or own[0].field("path").value:
                        continue
                    outside = theirs < mine
                    # What JavaScript's frameworks run first writes first, and is replaced by what is set later.
                    if not outside or layer.field("language").value == "python":
                        yield written, outside


def _mounted_sockets(policies: Iterable[Fact], facts: Iterable[Fact]) -> dict[object, list[Fact]]:
    """The policies of socket servers that are mounted in an application, by the application."""
    apps: dict[object, dict[object, None]] = {}
    servers: dict[object, object] = {}
    for fact in facts:
        if fact.kind == "socket_server":
            servers[fact.field("instance").value] = fact.field("http_server").value
        elif fact.kind == "middleware" and fact.field("app").value is not None:
            apps.setdefault(fact.field("handler").value, {})[fact.field("app").value] = None
    found: dict[object, list[Fact]] = {}
    for policy in policies:
        http = servers.get(policy.field("socket").value)
        if policy.field("layer").value == "socket" and isinstance(http, Span):
            for app in apps.get(http, ()):
                found.setdefault(app, []).append(policy)
    return found


def _near(call: object, handler: object) -> bool:
    """Whether a call decorates a function: it ends right in front of it."""
    return (
        isinstance(call, Span)
        and isinstance(handler, Span)
        and call.path == handler.path
        and 0 < handler.start - call.end < 4
    )


def _appends(policy: Fact, facts: Iterable[Fact]) -> bool:
    """Whether a header written by hand is added to what is there."""
    writes = [fact for fact in facts if fact.kind == "header_write" and fact.span == policy.span]
    return any(write.field("operation").value == "append" for write in writes)


def _copy(fact: Fact) -> Fact:
    return Fact(fact.kind, fact.span, dict(fact.fields), dict(fact.values))


def _doubled(library: Fact, other: Fact, origin: str) -> Fact:
    kept = ("framework", "library", "language", "version", "major", "fence")
    fields = {name: library.fields[name] for name in kept if name in library.fields}
    fields |= {
        "first": Field(library.field("framework").value, "written", library.span),
        "second": Field(other.field("framework").value, "written", other.span),
        "second_is": Field(
            "socket" if other.field("layer").value == "socket" else "written-by-hand", "written", other.span
        ),
        "origin": Field(origin, "written", library.span),
    }
    return Fact("doubled_header", other.span, fields)
