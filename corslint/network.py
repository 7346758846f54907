"""Who answers at an address: the servers and proxies of a project, and the edges between them.

An edge is what rules ask of relations (`relations/`), put together for one request: the address decides where it
arrives, nginx's own routing where it is passed on, and the relation `behind` which server stands there. An edge is yes,
no or unknown, and says what it rests on; where several servers could be meant, the answer is what they agree on.
"""

from __future__ import annotations

import posixpath
from collections.abc import Collection, Iterator, Sequence
from urllib.parse import urlsplit

from corslint.behaviour.application import Applications, Reply, Running, either, nothing_known
from corslint.behaviour.nginx_levels import Level
from corslint.behaviour.nginx_machine import Configuration, answer
from corslint.behaviour.nginx_request import Answer, FileKind, Surroundings, UpstreamRequest, incoming
from corslint.behaviour.nginx_routing import listens
from corslint.behaviour.nginx_values import bare_host, first_name
from corslint.model.decisions import is_loopback
from corslint.model.exchange import NO_ANSWER, Header, Request, RequestKind, Response
from corslint.model.facts import Fact
from corslint.model.finding import Place
from corslint.model.traces import Hop, Step
from corslint.model.tri import Tri
from corslint.records import NamedTuple
from corslint.relations import World
from corslint.source import Span

_DEFAULT_PORTS = {"http": 80, "ws": 80, "https": 443, "wss": 443}
_MAX_HOPS = 6
_MAX_ANSWERS = 500
"""Answers that are worked out for one request, over all that may be what gives them."""
_BAD_REQUEST = 400


class Address(NamedTuple):
    """Scheme (`http` or `https`), host and port of a URL."""

    secure: bool
    host: str
    port: int

    @classmethod
    def of(cls, url: str) -> Address:
        """The address of a URL.

        Raises:
            ValueError: it names no host, or no possible port.

        """
        parts = urlsplit(url)
        if not parts.hostname:
            raise ValueError(f"{url!r} names no host")
        port = parts.port or _DEFAULT_PORTS.get(parts.scheme, 80)
        return cls(parts.scheme in ("https", "wss"), parts.hostname, port)


class Proxy(NamedTuple):
    """An nginx configuration, and the port at which it is asked."""

    configuration: Configuration
    port: int
    span: Span


class Edge(NamedTuple):
    """Whether requests for an address, or from a proxy, reach something of the project: yes or unknown.

    `evidence` are the places that say so, `reason` says it in words.
    """

    to: Running | Proxy | Fact
    exists: Tri
    confidence: str
    reason: str
    evidence: tuple[Place, ...] = ()


class Host(NamedTuple):
    """One nginx server: the place of its name, all of its block, and the names and ports under which it is asked."""

    place: Span
    extent: Span
    names: tuple[str, ...]
    ports: tuple[int, ...]


class Network:
    """The servers and proxies of one project."""

    def __init__(
        self,
        world: World,
        applications: Applications,
        configurations: Sequence[Configuration],
        files: Collection[str] = (),
        version: tuple[int, ...] | None = None,
    ) -> None:
        self._world = world
        self._applications = applications
        self._configurations = configurations
        self._files = frozenset(files)
        self._folders = frozenset(folder for path in files for folder in _above(path))
        self._version = version
        self._hops = 0
        self._answers = 0
        self._password = Tri.UNKNOWN
        self._damaged = {fact.span.path for fact in world.of_kind("damage") if fact.field("language").value == "nginx"}

    # --- nodes ---

    def programs(self) -> list[Running]:
        """What listens, but for what only tests start."""
        return list(self._visible())

    def hosts(self) -> list[Host]:
        """The nginx servers, but for those in tests."""
        found: dict[Span, Host] = {}
        for configuration in self._configurations:
            for server in configuration.servers:
                if server.directive is None or server.place.path in self._world.in_tests:
                    continue
                names = tuple(word.text for line in server.own("server_name") for word in line.arguments)
                ports = tuple(dict.fromkeys(one.port for one in listens(server) or ()))
                found.setdefault(server.place, Host(server.place, server.span, names, ports))
        return list(found.values())

    # --- edges ---

    def receivers(self, address: Address, path: str, kind: RequestKind = "actual") -> list[Edge]:
        """What answers at an address: one edge that exists, or those of which one may."""
        found = [edge for edge in self._candidates(address) if edge.exists is not Tri.NO]
        return self._narrowed(found, path, kind)

    def origins(self, path: str) -> list[str]:
        """The origins that pages beside a file may have: the names of nginx servers, else the ports of its package."""
        named = []
        for configuration in self._configurations:
            for server in configuration.servers:
                name = first_name(server)
                secure = any("ssl" in [word.text for word in line.arguments] for line in server.own("listen"))
                for one in listens(server) or ():
                    if name and name != "_" and "*" not in name and not name.startswith(("~", ".")):
                        usual = one.port in (80, 443)
                        scheme = "https" if secure or one.port == 443 else "http"
                        named.append(f"{scheme}://{name}" + ("" if usual else f":{one.port}"))
        package = self._world.topology.package_of(path)
        local = [
            f"http://localhost:{port}"
            for running in self._visible()
            if self._world.topology.package_of(running.span.path) == package
            for port in sorted(running.ports or ())
        ]
        return list(dict.fromkeys(named or local))

    def behind(self, route: Fact, path: str, kind: RequestKind = "actual") -> list[Edge]:
        """The servers that a proxy's route passes requests on to, by the relation `behind`."""
        found: list[Edge] = []
        for running in self._visible():
            answers = [self._world.ask("behind", fact, route) for fact in self._facts_of(running)]
            best = next((one for one in answers if one.answer is Tri.YES), None)
            if best is not None:
                found.append(
                    Edge(running, Tri.YES, best.confidence, "the proxy passes requests on to it", best.evidence)
                )
            elif not answers or any(one.answer is Tri.UNKNOWN for one in answers):
                found.append(Edge(running, Tri.UNKNOWN, "medium", "the proxy may pass requests on to it"))
        if self._names_somebody_else(route):
            return []
        return self._narrowed(found, path, kind)

    def _names_somebody_else(self, route: Fact) -> bool:
        """Whether a route passes to a full domain name that no upstream block explains: somebody else's server."""
        host = route.field("upstream").value
        if not isinstance(host, str) or "." not in host or is_loopback(host):
            return False
        return all(fact.field("name").value != host for fact in self._world.of_kind("upstream"))

    def _narrowed(self, found: list[Edge], path: str, kind: RequestKind) -> list[Edge]:
        """The one edge that exists; or, of those that may, the only one, or the only one that knows the path."""
        certain = [edge for edge in found if edge.exists is Tri.YES]
        left = certain or found
        if len(left) > 1:
            left = [edge for edge in left if self._may_know(edge, path, kind)] or left
        if len(left) > 1:
            knowing = [
                edge
                for edge in left
                if isinstance(edge.to, Running) and self._applications.routes(edge.to, path, kind) is Tri.YES
            ]
            if len(knowing) == 1:
                reason = f"of all servers only this one has a route for {path}"
                return [knowing[0]._replace(exists=Tri.YES, confidence="medium", reason=reason)]
        if len(left) == 1 and left[0].exists is not Tri.YES:
            reason = "it is the only one in the project"
            if len(found) > 1:
                reason = f"all other servers have nothing for {path}"
            return [left[0]._replace(exists=Tri.YES, confidence="medium", reason=reason)]
        return left

    def _may_know(self, edge: Edge, path: str, kind: RequestKind) -> bool:
        return not isinstance(edge.to, Running) or self._applications.routes(edge.to, path, kind) is not Tri.NO

    def _candidates(self, address: Address) -> Iterator[Edge]:
        proxies = list(self._proxies(address))
        yield from proxies
        if any(edge.exists is Tri.YES for edge in proxies):
            return
        here = is_loopback(address.host)
        exposed = list(self._exposed(address))
        yield from exposed
        if exposed:
            return
        for dev in self._world.of_kind("dev_server"):
            if here and dev.field("port").value == address.port:
                place = Place(dev.field("port").span or dev.span, "the port of the development server")
                yield Edge(dev, Tri.YES, "high", "the development server listens there", (place,))
        for running in self._visible():
            if here and running.ports is not None:
                if address.port in running.ports:
                    place = Place(running.span, "listens on this port")
                    yield Edge(running, Tri.YES, "high", f"it listens on port {address.port}", (place,))
            else:
                yield Edge(running, Tri.UNKNOWN, "medium", "where it is reached is not known")

    def _exposed(self, address: Address) -> Iterator[Edge]:
        """The servers that a cluster hands this host to: by the service's name, which is their folder's, or port."""
        for way in self._world.of_kind("exposed_path"):
            if way.field("host").value != address.host:
                continue
            service, port = way.field("service").value, way.field("port").value
            named = [one for one in self._visible() if service in one.span.path.split("/")[:-1]]
            for running in named or [one for one in self._visible() if one.ports and port in one.ports]:
                place = Place(way.span, "the cluster lets this host in here")
                yield Edge(running, Tri.YES, "medium", f"the cluster hands the host to {service}", (place,))

    def _visible(self) -> Iterator[Running]:
        """What listens, but for what only tests start."""
        for running in self._applications.running:
            if running.span.path not in self._world.in_tests:
                yield running

    def _proxies(self, address: Address) -> Iterator[Edge]:
        named: list[Edge] = []
        others: list[Edge] = []
        for configuration in self._configurations:
            for server in configuration.servers:
                ports = [one.port for one in listens(server) or ()]
                if server.directive is None or not ports:
                    continue
                at = Proxy(configuration, address.port if address.port in ports else ports[0], server.place)
                named_here = _is_named(server, address.host)
                if named_here and (address.port in ports or not is_loopback(address.host)):
                    sure = "high" if address.port in ports else "medium"
                    place = Place(server.place, "this server's name")
                    named.append(Edge(at, Tri.YES, sure, "it has this name", (place,)))
                elif address.port in ports and (is_loopback(address.host) or not _names_hosts(server)):
                    place = Place(server.place, "listens on this port")
                    exists = Tri.YES if is_loopback(address.host) else Tri.UNKNOWN
                    others.append(Edge(at, exists, "medium", "it listens on this port", (place,)))
                elif not is_loopback(address.host) and not _names_hosts(server):
                    others.append(Edge(at, Tri.UNKNOWN, "medium", "nothing says under which name it is asked"))
        right = [edge for edge in named if isinstance(edge.to, Proxy) and edge.to.port == address.port]
        chosen = right or named or others
        # One configuration chooses among its servers by itself.
        seen: set[tuple[int, int]] = set()
        for edge in chosen:
            assert isinstance(edge.to, Proxy)
            key = (id(edge.to.configuration), edge.to.port)
            if key not in seen:
                seen.add(key)
                yield edge

    def _facts_of(self, running: Running) -> Iterator[Fact]:
        for kind in ("http_server", "http_app", "socket_server"):
            for fact in self._world.of_kind(kind):
                if fact.field("instance").value in (running.instance, running.handler):
                    yield fact
        yield from running.sockets

    # --- answers ---

    def answer(self, request: Request, password: Tri = Tri.UNKNOWN) -> Reply:
        """What comes back for a browser's request to `request.server`, and which places it came through.

        `password`: whether the request has an `Authorization`, which is then the right one.
        """
        assert request.server is not None
        self._password = password
        self._answers = 0
        return self._at(Address.of(request.server), request)

    def _at(self, address: Address, request: Request) -> Reply:
        path = request.path.partition("?")[0]
        return self._one_of(self.receivers(address, path, request.kind), request, f"{request.server}")

    def _one_of(self, edges: list[Edge], request: Request, where: str) -> Reply:
        self._answers += 1
        if not edges or self._hops > _MAX_HOPS or self._answers > _MAX_ANSWERS:
            return Reply(
                nothing_known(), (), (), (Step(_NOWHERE, f"nothing in the project is known to answer at {where}"),)
            )
        self._hops += 1
        try:
            replies = [self._reached(edge, request) for edge in edges]
        finally:
            self._hops -= 1
        # What sends a browser to the address that it asked would do so for ever: it stands there for another one.
        ahead = [number for number, reply in enumerate(replies) if not _circular(reply.response, request)]
        if ahead and len(ahead) < len(replies):
            edges, replies = [edges[number] for number in ahead], [replies[number] for number in ahead]
        if len(replies) == 1:
            return replies[0]
        merged: Response | None = replies[0].response
        for other in replies[1:]:
            merged = either(merged, other.response)
        steps = tuple(Step(_span_of(edge.to), f"may be what answers: {edge.reason}") for edge in edges)
        assert merged is not None
        sources = replies[0].sources if merged == replies[0].response else ()
        return Reply(merged, steps, sources, by_socket=all(reply.by_socket for reply in replies))

    def _reached(self, edge: Edge, request: Request) -> Reply:
        if isinstance(edge.to, Proxy):
            reply = self._by_nginx(edge.to, request)
            head, *rest = reply.steps or (Step(edge.to.span, ""),)
            reply = reply._replace(steps=(head._replace(text=f"{head.text}: {edge.reason}"), *rest))
            return _through("nginx", edge.to.span, request, reply)
        if isinstance(edge.to, Running):
            reply = self._applications.answer(edge.to, request)
            workers = self._workers(edge.to) if _of_session(request) else None
            if workers is not None:
                note = Step(workers.span, "which worker takes it is not known")
                reply = reply._replace(response=reply.response._replace(status=None), steps=(*reply.steps, note))
            what = "this application" if edge.to.handler is not None else "this server"
        else:
            reply = self._by_dev_server(edge.to, request)
            what = "the development server"
        reply = reply._replace(steps=(Step(_span_of(edge.to), f"{what} answers: {edge.reason}"), *reply.steps))
        return _through(what.partition(" ")[2], _span_of(edge.to), request, reply)

    # --- servers for development ---

    def _by_dev_server(self, server: Fact, request: Request) -> Reply:
        instance = server.field("instance").value
        path = request.path.partition("?")[0]
        for proxy in self._world.of_kind("dev_proxy"):
            if proxy.field("instance").value == instance and _takes(proxy, path):
                return self.forwarded(proxy, request)
        reply = self._applications.development(instance, request)
        return reply

    def forwarded(self, proxy: Fact, request: Request) -> Reply:
        """What comes back where a development server, or a program, passes a request on."""
        target = proxy.field("target").value
        here = Step(proxy.field("path").span or proxy.span, "passes the request on")
        if request.kind == "upgrade" and proxy.field("ws").value != "yes":
            return Reply(_not_passed_on(proxy), (here._replace(text="does not pass WebSockets on"),))
        if not isinstance(target, str) or proxy.field("rewrites").value != "no" or "://" not in target:
            return Reply(nothing_known(), (here,))
        try:
            address = Address.of(target)
        except ValueError:
            return Reply(nothing_known(), (here,))
        parts = urlsplit(target)
        changed = proxy.field("change_origin").value == "yes"
        passed = request._replace(server=f"http://{parts.netloc}" if changed else request.server)
        reply = self._at(address, passed)
        return reply._replace(steps=(here, *reply.steps))

    # --- nginx ---

    def _by_nginx(self, proxy: Proxy, request: Request) -> Reply:
        inner: list[Reply] = []

        def upstream(asked: UpstreamRequest) -> Response | None:
            reply = self._upstream(asked, request)
            inner.append(reply)
            return reply.response if reply.response.complete is Tri.YES or reply.response.headers else None

        if self._damaged & {one.span.path for one in proxy.configuration.unit.statements}:
            return Reply(nothing_known(), (Step(proxy.span, "nginx reads this file otherwise than it is written"),))
        surroundings = Surroundings(upstream, self._file, self._version)
        asked = incoming(request, proxy.port)
        asked = asked._replace(headers=(*asked.headers, Header("Authorization", None, self._password)))
        found = answer(proxy.configuration, asked, surroundings)
        steps, sources = _told(proxy.configuration, found)
        passed = inner[-1] if inner and found.passed is not Tri.NO else Reply(found.response)
        assumed = passed.assumptions
        if found.passed is Tri.NO and self._assumed_file(found):
            assumed = (*assumed, Step(_last(found), "the file is there"))
        by_socket = passed.by_socket and found.passed is not Tri.NO
        if found.passed is not Tri.NO:
            found = found._replace(response=found.response._replace(broken=passed.response.broken))
        steps, sources = (*steps, *passed.steps), (*sources, *passed.sources)
        return Reply(found.response, steps, sources, assumed, by_socket, passed.hops)

    @staticmethod
    def _assumed_file(found: Answer) -> bool:
        return found.response.status == 200 and bool(found.where)

    def _upstream(self, asked: UpstreamRequest, original: Request) -> Reply:
        inner = _inner_request(asked, original)
        if inner is None:
            return Reply(nothing_known())
        path = inner.path.partition("?")[0]
        host, _, port = (asked.target or "").rpartition(":")
        if is_loopback(host) and port.isdigit():
            edges = self.receivers(Address(False, host, int(port)), path, inner.kind)
            if any(edge.exists is Tri.YES for edge in edges):
                return self._passed(asked, inner, edges)
        route = self._route_at(asked.span)
        edges = self.behind(route, path, inner.kind) if route is not None else []
        return self._passed(asked, inner, edges)

    def _passed(self, asked: UpstreamRequest, request: Request, edges: list[Edge]) -> Reply:
        to = edges[0].to if edges else None
        reply = self._spread(asked, to, request, self._one_of(edges, request, asked.target or "the upstream"))
        # Node.js upgrades a request of HTTP/1.0 like any other; servers in Python differ.
        tolerant = isinstance(to, Running) and to.language == "javascript"
        if request.kind == "upgrade" and asked.version != "1.1" and not tolerant:
            note = Step(asked.span, "HTTP/1.0, which some servers do not upgrade")
            return reply._replace(response=reply.response._replace(status=None), steps=(*reply.steps, note))
        return reply

    def _spread(self, asked: UpstreamRequest, to: object, request: Request, reply: Reply) -> Reply:
        """The answer where several servers take turns: a session of long polling is known to one of them alone."""
        if not _of_session(request):
            return reply
        workers = self._workers(to)
        if workers is not None and workers.field("per_call").value == "yes":
            # nginx makes a connection for each request, and Node.js gives those to its workers in turn.
            note = Step(workers.span, "another worker is next, which does not know the session")
            response = reply.response._replace(status=_BAD_REQUEST)
            return reply._replace(response=response, steps=(*reply.steps, note))
        for upstream in self._world.of_kind("upstream"):
            several = upstream.field("name").value == asked.target and upstream.field("instances").value not in (0, 1)
            if several and upstream.field("sticky").value != "yes":
                sure = upstream.field("sticky").value == "no"
                note = Step(upstream.span, "another server is next, which does not know the session")
                response = reply.response._replace(status=_BAD_REQUEST if sure else None)
                return reply._replace(response=response, steps=(*reply.steps, note))
        return reply

    def _workers(self, to: object) -> Fact | None:
        """What starts several of a server, with nothing that keeps a client on one; None where nothing does."""
        servers = [one for one in self._facts_of(to) if one.kind == "socket_server"] if isinstance(to, Running) else []
        for process in self._world.of_kind("process") if servers else ():
            if process.field("several").value == "yes" and process.field("sticky").value == "no":
                if any(self._world.ask("runs", process, server).answer is Tri.YES for server in servers):
                    return process
        return None

    def _route_at(self, span: Span) -> Fact | None:
        for route in self._world.of_kind("proxy_route"):
            at = route.field("pass").span
            if at is not None and span.covers(at):
                return route
        return None

    def _file(self, path: str) -> FileKind | None:
        """What lies where nginx looks, as far as the project holds it: files are found by the end of their path.

        What a request names and no folder of the project speaks against is taken to be there.
        """
        parts = [part for part in path.split("/") if part]
        for number in range(len(parts)):
            tail = "/".join(parts[number:])
            if any(one == tail or one.endswith(f"/{tail}") for one in self._files):
                return "file"
            if any(one == tail or one.endswith(f"/{tail}") for one in self._folders):
                return "directory"
        folder = "/".join(parts[1:-1])
        beside = any(one == folder or one.endswith(f"/{folder}") for one in self._folders) if folder else False
        return "none" if beside else "file"


_NOWHERE = Span("", 0, 0)


def _through(title: str, span: Span, request: Request, reply: Reply) -> Reply:
    """A reply that has come back to one more party: the last of them answers, all others pass on."""
    hop = Hop("proxy" if reply.hops else "server", title, span, request, reply.response)
    return reply._replace(hops=(hop, *reply.hops))


def _of_session(request: Request) -> bool:
    """Whether a request belongs to a session of long polling that another one has opened."""
    return "sid=" in request.path and "transport=polling" in request.path


def _above(path: str) -> Iterator[str]:
    folder = posixpath.dirname(path)
    while folder:
        yield folder
        folder = posixpath.dirname(folder)


def _is_named(server: Level, host: str) -> bool:
    for line in server.own("server_name"):
        for word in line.arguments:
            text = word.text.lower()
            if text == host or (text.startswith("*.") and host.endswith(text[1:])):
                return True
            if text.startswith(".") and (host == text[1:] or host.endswith(text)):
                return True
    return False


def _names_hosts(server: Level) -> bool:
    """Whether a server says under which names it is asked."""
    names = [word.text for line in server.own("server_name") for word in line.arguments]
    return bool(names) and not any(name in ("_", "") or name.startswith("~") or "$" in name for name in names)


def _not_passed_on(proxy: Fact) -> Response:
    """What becomes of a handshake that a development server does not pass on: nobody answers it, and nobody ends the
    connection (seen with Vite 5 and 8, webpack-dev-server 4 and 5)."""
    return Response(NO_ANSWER, broken="waits") if proxy.field("ws").value == "no" else Response(None)


def _circular(response: Response, request: Request) -> bool:
    """Whether an answer redirects to the very address that was asked."""
    redirects = response.status is not None and 300 < response.status < 400
    return redirects and response.header("Location") == f"{request.server}{request.path}"


def _takes(proxy: Fact, path: str) -> bool:
    paths = proxy.field("paths").value
    texts = paths if isinstance(paths, tuple) else (proxy.field("path").value,)
    return any(isinstance(text, str) and path.startswith(text) for text in texts)


def _span_of(to: Running | Proxy | Fact) -> Span:
    return to.span


def _last(found: Answer) -> Span:
    return found.where[-1]


def _inner_request(asked: UpstreamRequest, original: Request) -> Request | None:
    """The request as an upstream gets it; None where that is not known."""
    if asked.path is None or asked.method is None:
        return None

    def text(name: str) -> str | None:
        found = asked.header(name)
        return found.value if found is not None and found.sent is Tri.YES else None

    upgrades = (text("upgrade") or "").lower() == "websocket" and "upgrade" in (text("connection") or "").lower()
    kind: RequestKind = original.kind
    if upgrades or kind == "upgrade":
        kind = "upgrade" if upgrades else "actual"
    if kind == "preflight" and text("access-control-request-method") is None:
        kind = "actual"
    host = text("x-forwarded-host") or text("host")
    scheme = text("x-forwarded-proto") or "http"
    return original._replace(
        kind=kind,
        method=asked.method,
        path=asked.path,
        origin=text("origin"),
        server=f"{scheme}://{bare_host(host) if host.endswith(':80') else host}" if host else None,
    )


_SAYS = {
    "server": "this nginx server takes the request",
    "location": "this location takes it",
    "if": "this condition holds",
    "return": "nginx answers here",
    "rewrite": "rewrites the path",
    "error_page": "answers in place of an error",
    "try_files": "looks for a file",
    "proxy_pass": "passes the request on",
    "auth_basic": "asks for a password",
    "limit_except": "limits the methods",
}


def _told(configuration: Configuration, found: Answer) -> tuple[tuple[Step, ...], tuple[tuple[str, Span], ...]]:
    """The places of an answer, in words; and the lines that add headers, by the header's name."""
    steps: list[Step] = []
    sources: list[tuple[str, Span]] = []
    known = {one.name.span: one for one in configuration.unit.statements} | {
        one.span: one for one in configuration.unit.statements
    }
    for span in found.where:
        directive = known.get(span)
        key = directive.key if directive is not None else ""
        if key in ("add_header", "more_set_headers") and directive is not None and directive.arguments:
            sources.append((directive.arguments[0].text, span))
            continue
        end = directive.arguments[-1].span.end if directive is not None and directive.arguments else span.end
        steps.append(Step(Span(span.path, span.start, end), _SAYS.get(key, "decides")))
    if found.upstream is not None and found.passed is not Tri.NO and found.upstream.span not in found.where:
        steps.append(Step(found.upstream.span, _SAYS["proxy_pass"]))
    return tuple(steps), tuple(sources)
