"""What an application of the project answers to one request: its layers from the outside in, then its routes.

Each layer is asked in its turn (`layers.py` says which it is and where it stands, `response.py` what a library
answers, `handwritten.py` what a function of the project does). What is taken for granted is written down as an
assumption, what is not known makes the headers unknown that depend on it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cached_property

from corslint.behaviour.chain import inside_out
from corslint.behaviour.handwritten import Handwritten, functions_in
from corslint.behaviour.response import NAMES, Responder
from corslint.extract import LayerSite, Policy
from corslint.frameworks.catalog import RefusalSpec
from corslint.model.exchange import NO_ANSWER, Header, Request, RequestKind, Response
from corslint.model.facts import Fact
from corslint.model.reading import CodeReading
from corslint.model.traces import Hop, Step
from corslint.model.tri import Tri, tri
from corslint.model.values import Function, This, Value
from corslint.numbers import whole
from corslint.project.link import Linker
from corslint.records import NamedTuple
from corslint.regexes import regex
from corslint.source import Span

_MAX_MOUNTED = 8
_MAX_LAYERS = 60
"""Layers that apply to one request; of an application with more nothing is said."""
_REFUSED = 401
_ASSUMED_STATUS = 200
_BAD_REQUEST = 400
_FORBIDDEN = 403
_SWITCHED = 101
_NOT_FOUND = 404
_UNCAUGHT = 500
_MARK = 299
"""A status that no application answers with."""


class Reply(NamedTuple):
    """An answer, the places that it came through, in order, and where its CORS headers stand (name, place)."""

    response: Response
    steps: tuple[Step, ...] = ()
    sources: tuple[tuple[str, Span], ...] = ()
    assumptions: tuple[Step, ...] = ()
    by_socket: bool = False
    """Whether a socket server gave it."""
    hops: tuple[Hop, ...] = ()
    """The parties that it came through, the outermost first."""


class Running(NamedTuple):
    """Something that listens: a server object, an application that a command runs, or a socket server of its own.

    `instance` identifies it. `handler` is the application or function behind it, `sockets` the socket servers that see
    requests before that one does. `ports` is None where they are not known.
    """

    instance: Span
    span: Span
    handler: Span | None
    sockets: tuple[Fact, ...]
    ports: frozenset[int] | None
    framework: str
    language: str = ""


class Code(NamedTuple):
    """What has to be known of a project's code to answer for it."""

    facts: Sequence[Fact]
    policies: Sequence[Policy]
    """As they are before they are judged."""
    linker: Linker
    code: Callable[[str], CodeReading | None]
    sites: Mapping[Span, LayerSite]
    refusals: Mapping[str, tuple[RefusalSpec, ...]]


class Applications:
    """All that listens in one project, and what it answers."""

    def __init__(self, code: Code, status: int | None = None, environment: Mapping[str, str] | None = None) -> None:
        """`status`: what handlers answer with, in place of success; `environment`: variables that are set."""
        self._code = code
        self._status = status
        self._environment = environment
        self._of_kind: dict[str, list[Fact]] = {}
        for fact in code.facts:
            self._of_kind.setdefault(fact.kind, []).append(fact)
        self._handwritten = Handwritten(code.facts, code.policies, code.linker, code.code, code.refusals, environment)
        self._layers = self._by_app()
        self._routed: dict[tuple[Span, str, int], Tri] = {}
        self._handled = [span for fact in self._every_layer() for span in self._handler_spans(fact)]
        self.running = tuple(self._listening())

    def answer(self, running: Running, request: Request) -> Reply:
        """What something that listens answers to a request."""
        return _Asking(self, request).at(running)

    def development(self, instance: object, request: Request) -> Reply:
        """What a server for development answers itself."""
        return _Asking(self, request).development(instance)

    def routes(self, running: Running, path: str, kind: RequestKind = "actual") -> Tri:
        """Whether something that listens has a place for a path: a route, or a socket server."""
        only_upgrades = running.handler is None and all(
            one.field("kind").value == "websocket" for one in running.sockets
        )
        if running.sockets and only_upgrades and kind != "upgrade":
            return Tri.NO
        if any(_below(path, socket) is Tri.YES for socket in running.sockets):
            return Tri.YES
        if running.handler is None and running.sockets and running.instance not in self._layers:
            return Tri.NO
        return self._routes(running.handler or running.instance, path)

    def _routes(self, app: Span, path: str, depth: int = 0) -> Tri:
        key = (app, path, depth)
        if key not in self._routed:
            self._routed[key] = Tri.UNKNOWN  # until it is known: applications may mount each other
            self._routed[key] = self._has_route(app, path, depth)
        return self._routed[key]

    def _has_route(self, app: Span, path: str, depth: int) -> Tri:
        found = Tri.NO
        if depth > _MAX_MOUNTED or not any(
            isinstance(one.field("path").value, str) for one in self._layers.get(app, ())
        ):
            return Tri.UNKNOWN  # nothing is known of any route
        for layer in self._layers[app]:
            if layer.kind == "http_route":
                held = matches_path(layer, path, whole=True)
            elif layer.field("kind").value in ("mount", "unknown") and isinstance(layer.field("handler").value, Span):
                held = self._mounted(layer, path, depth)
            else:
                held = Tri.NO
            if held is Tri.YES:
                return Tri.YES
            found = Tri.UNKNOWN if held is Tri.UNKNOWN else found
        return found

    def _mounted(self, layer: Fact, path: str, depth: int) -> Tri:
        below = matches_path(layer, path, whole=False)
        inner = layer.field("handler").value
        assert isinstance(inner, Span)
        if below is Tri.NO:
            return below
        sockets = [one for one in self._of_kind.get("socket_server", ()) if one.field("http_server").value == inner]
        if sockets:
            return Tri.YES if any(_below(path, one) is Tri.YES for one in sockets) else Tri.NO
        if inner not in self._layers:
            return Tri.NO
        return self._routes(inner, _rest(layer, path), depth + 1)

    # --- what listens ---

    def _listening(self) -> Iterator[Running]:
        known = self._servers()
        ports = self._ports(known)
        for instance, found in ports.items():
            if self._stands_behind(instance):
                continue
            fact = known[instance]
            behind = fact.field("handler").value if fact.kind == "http_server" else fact.field("app").value
            if fact.kind == "http_app":
                behind = instance
            yield Running(
                instance,
                fact.span,
                behind if isinstance(behind, Span) else None,
                tuple(self._sockets_of(instance, fact, ports)),
                frozenset(found) if found else None,
                str(fact.field("framework").value or "an application"),
                str(fact.field("language").value or ""),
            )

    def _stands_behind(self, instance: Span) -> bool:
        """Whether another socket server of its port and path answers in its place, by options of its own."""
        return any(
            fact.field("why").value == "shared" and instance.covers(fact.span)
            for fact in self._of_kind.get("ignored_cors", ())
        )

    def _servers(self) -> dict[Span, Fact]:
        """All that could listen, by instance: also applications of which only layers or policies are known."""
        known: dict[Span, Fact] = {}
        for kind in ("socket_server", "http_app", "http_server"):
            for fact in self._of_kind.get(kind, ()):
                instance = fact.field("instance").value
                if isinstance(instance, Span):
                    known[instance] = fact
        others = [*self._every_layer(), *(policy.fact for policy in self._libraries())]
        for fact in others:
            app = fact.field("app").value
            if isinstance(app, Span) and app not in known:
                like = {name: fact.field(name) for name in ("framework", "language")}
                known[app] = Fact("http_app", app, {**like, "instance": fact.field("app")})
        return known

    def _ports(self, known: Mapping[Span, Fact]) -> dict[Span, set[int] | None]:
        """Where each of them listens; None where a command line or nothing at all says it."""
        ports: dict[Span, set[int] | None] = {}
        for listener in self._of_kind.get("listener", ()):
            target, number = listener.field("target").value, listener.field("port").value
            if isinstance(target, Span) and target in known:
                before = ports.setdefault(target, set())
                ports[target] = before | {number} if before is not None and isinstance(number, int) else None
        handled = {fact.field("handler").value for fact in (*self._every_layer(), *known.values())}
        handled |= {fact.field("app").value for fact in known.values() if fact.kind == "socket_server"}
        for instance, fact in known.items():
            number = fact.field("port").value
            if isinstance(number, int):
                ports[instance] = (ports.get(instance) or set()) | {number}
            elif instance in ports or instance in handled:
                continue
            elif fact.kind != "socket_server" or not (
                fact.field("http_server").value in known or fact.field("app").value
            ):
                ports[instance] = None
        for fact in known.values():  # a socket server's application, where nothing else starts it
            app = fact.field("app").value
            if fact.kind == "socket_server" and isinstance(app, Span) and app in known:
                if app not in ports and not any(self._leads(other, app, known) for other in ports):
                    ports[app] = None
        alone = [one for one, fact in known.items() if one in ports and fact.kind != "socket_server"]
        for instance in [one for one in ports if known[one].kind == "socket_server" and ports[one] is None]:
            beside = [one for one in alone if one.path == instance.path]
            if len(beside) == 1:  # it is put into the only server of its file, in a way that is not known
                del ports[instance]
        return ports

    def _leads(self, instance: Span, app: Span, known: Mapping[Span, Fact]) -> bool:
        """Whether a server hands requests on to an application."""
        behind = known[instance].field("handler").value
        mounted = {
            layer.field("handler").value
            for layer in self._every_layer()
            if layer.field("app").value in (instance, behind)
        }
        return instance == app or behind == app or app in mounted

    @cached_property
    def _http_servers(self) -> frozenset[object]:
        return frozenset(one.field("instance").value for one in self._of_kind.get("http_server", ()))

    def _sockets_of(self, instance: Span, fact: Fact, ports: Mapping[Span, object]) -> Iterator[Fact]:
        for socket in self._of_kind.get("socket_server", ()):
            attached, app, own = (socket.field(name).value for name in ("http_server", "app", "instance"))
            loose = (
                attached not in self._http_servers and app is None and own not in ports and fact.kind != "socket_server"
            )
            if (
                instance in (attached, own)
                or (attached is None and fact.kind == "http_app" and app == instance)
                or (loose and isinstance(own, Span) and own.path == instance.path)
            ):
                yield socket

    # --- layers ---

    def _every_layer(self) -> Iterator[Fact]:
        for kind in ("middleware", "http_route"):
            yield from self._of_kind.get(kind, ())

    def _by_app(self) -> dict[Span, list[Fact]]:
        """The layers and routes of each application that say anything, from the outside in; those without a known
        place come first."""
        found: dict[Span, list[Fact]] = {}
        for fact in self._every_layer():
            app = fact.field("app").value
            wraps = fact.field("registered").state == "absent" and isinstance(fact.field("handler").value, Span)
            says = fact.kind == "http_route" or fact.field("kind").value is not None or wraps
            if isinstance(app, Span) and says and fact.field("fence").value != "development":
                found.setdefault(app, []).append(fact)
        for layers in found.values():
            layers.sort(key=_outer_index)
        return found

    def _handler_spans(self, fact: Fact) -> Iterator[Span]:
        for value in self.handlers(fact):
            if isinstance(value, (Function, This)):
                yield value.span

    def handlers(self, fact: Fact) -> Iterator[Value]:
        """What a layer or route runs, resolved."""
        values = [fact.values["handler"]] if "handler" in fact.values else []
        site = self._code.sites.get(_registered(fact))
        if fact.kind == "http_route" and site is not None and site.next is not None:
            positional = [one.value for one in site.site.call.arguments if one.keyword is None]
            values = positional[-1:] or values
        for value in values:
            yield self._code.linker.resolve(value)

    def next_of(self, fact: Fact) -> int | None:
        """The parameter with which a layer's function hands a request on."""
        site = self._code.sites.get(_registered(fact))
        return site.next if site is not None else None

    def policy_of(self, layer: Fact) -> Policy | None:
        """The policy of a library that a layer is."""
        spans = {layer.field("handler").value, layer.field("registered").value}
        found = next((one for one in self._libraries() if one.fact.field("instance").value in spans), None)
        if found is not None or layer.field("kind").value != "cors" or isinstance(layer.field("handler").value, Span):
            return found
        # A layer that is named in a list, and configured beside it.
        beside = [
            one
            for one in self._libraries()
            if one.fact.field("app").value is None and one.fact.span.path == layer.span.path
        ]
        return beside[0] if len(beside) == 1 else None

    def _libraries(self) -> Iterator[Policy]:
        for policy in self._code.policies:
            if not policy.header and policy.handshake is None and policy.fact.field("layer").value == "http":
                yield policy

    def around(self, app: Span) -> list[Policy]:
        """The policies of libraries that belong to an application, but to no layer of it that is known, from the
        inside out."""
        layered = {id(found) for layer in self._layers.get(app, ()) if (found := self.policy_of(layer)) is not None}
        own = [
            one
            for one in self._libraries()
            if id(one) not in layered and app == (self._outer(one) or one.fact.field("app").value)
        ]
        plain = [one for one in own if one.fact.field("scope").state != "unknown"]
        return inside_out(plain, self._code.facts)

    def _outer(self, policy: Policy) -> Span | None:
        """The policy itself, where it is an application around another one."""
        own = policy.fact.field("instance").value
        return own if isinstance(own, Span) and own in self._layers else None

    def decorating(self, handler: Span) -> Policy | None:
        """The policy that decorates the function of a route."""
        for policy in self._libraries():
            at = policy.fact.field("instance").value
            if policy.fact.field("scope").state == "unknown" and isinstance(at, Span) and at.path == handler.path:
                if 0 < handler.start - at.end < 4 or handler.covers(at):
                    return policy
        return None

    def loose(self, path: str) -> bool:
        """Whether a file writes CORS headers in a place that is not known to be a layer or a route."""
        return any(
            policy.header
            and policy.fact.span.path == path
            and not any(span.covers(policy.fact.span) for span in self._handled)
            for policy in self._code.policies
        )

    def responder(self, policy: Policy) -> Responder:
        """What answers for a policy; where its version is open, the newest that is possible."""
        responds = policy.semantics.responds
        if responds is not None and responds.whole is not None:
            policy = policy._replace(semantics=policy.semantics._replace(responds=responds.newest()))
        return Responder(policy, self._code.linker, self._code.code, self._environment)

    def covers(self, policy: Policy) -> bool:
        """Whether an answer of the status that was asked for passes a policy: not each sees errors that nobody
        caught."""
        return self._status != _UNCAUGHT or policy.fact.field("covers_errors").value != "no"

    def socket_policies(self, server: Fact) -> list[Policy]:
        """The policies that a socket server's answers pass, from the inside out."""
        own = server.field("instance").value
        socket = [
            one
            for one in self._code.policies
            if one.handshake is None
            and one.fact.field("layer").value == "socket"
            and one.fact.field("socket").value == own
        ]
        others = [one for one in self._libraries() if one.fact.field("app").value == own]
        facts = [fact for fact in self._code.facts if fact.kind != "socket_server" or fact is server]
        return inside_out([*socket, *others], facts)

    def options_status(self, app: Span) -> int | None:
        """The status with which an application answers OPTIONS where a path has a route, but none for that."""
        for fact in self._of_kind.get("http_app", ()):
            number = fact.field("options_status").value
            if fact.field("instance").value == app and isinstance(number, int):
                return number
        return None

    def mounted_sockets(self, handler: object) -> list[Fact]:
        """The socket servers whose own application is mounted as this handler."""
        return [fact for fact in self._of_kind.get("socket_server", ()) if fact.field("http_server").value == handler]

    @property
    def layers(self) -> Mapping[Span, Sequence[Fact]]:
        """The layers and routes of each application, from the outside in."""
        return self._layers

    @property
    def handwritten(self) -> Handwritten:
        """What functions of the project do."""
        return self._handwritten

    @property
    def status(self) -> int | None:
        """The status that handlers are asked to answer with; None: success."""
        return self._status

    @property
    def code(self) -> Code:
        """What was read."""
        return self._code


class _Asking:
    """One request on its way through what listens."""

    def __init__(self, applications: Applications, request: Request) -> None:
        self._all = applications
        self._request = request
        self._steps: list[Step] = []
        self._sources: list[tuple[str, Span]] = []
        self._assumptions: list[Step] = []
        self._by_socket = False
        self._known: dict[tuple[Span, str, int, int, int], Response | None] = {}
        self._early: list[Response] = []
        self._inside = 0

    def at(self, running: Running) -> Reply:
        taking: list[Fact] = []
        for socket in running.sockets:
            held = _below(self._path, socket)
            if held is Tri.YES:
                taking.append(socket)
            elif held is Tri.UNKNOWN and not taking:
                return self._reply(nothing_known())
        if taking:
            twins = [one for one in taking if one.field("twin").value and running.language == "javascript"]
            return self._reply(self._twins([taking[0], *twins]) if twins else self._socket(taking[0]))
        if self._request.kind == "upgrade" and running.sockets and running.language == "javascript":
            return self._reply(Response(NO_ANSWER))  # Engine.IO ends upgrades that are not for it (`destroyUpgrade`)
        if self._request.kind == "upgrade" and running.sockets and running.handler is None:
            return self._reply(nothing_known())  # servers in Python differ in how they refuse it
        if running.handler is None:
            function = next(self._functions(running), None)
            if function is not None:
                return self._reply(self._function(function, running.span))
            if running.sockets:
                self._note(running.span, "the socket server has nothing under this path")
                return self._reply(Response(_NOT_FOUND))
            return self._reply(nothing_known())
        return self._reply(self._handler(running))

    def development(self, instance: object) -> Reply:
        answer = Response(self._all.status or _ASSUMED_STATUS)
        for policy in self._all.code.policies:
            layer, of = policy.fact.field("layer").value, policy.fact.field("instance").value
            if layer == "dev-server" and of == instance:
                answer = self._responded(policy, answer)
        return self._reply(answer)

    def _reply(self, response: Response) -> Reply:
        return Reply(response, tuple(self._steps), tuple(self._sources), tuple(self._assumptions), self._by_socket)

    def _functions(self, running: Running) -> Iterator[Function]:
        reading = self._all.code.code(running.instance.path)
        if reading is not None:
            yield from functions_in(reading, running.instance)

    def _handler(self, running: Running) -> Response:
        app = running.handler
        assert app is not None
        reading = self._all.code.code(app.path)
        if app in self._all.layers or self._all.around(app):
            return self._application(app, self._path)
        found = next((one for one in _functions_at(reading, app)), None)
        if found is not None:
            return self._function(found, running.span)
        return self._application(app, self._path)

    @property
    def _path(self) -> str:
        return self._request.path.partition("?")[0]

    def _note(self, span: Span, text: str) -> None:
        step = Step(span, text)
        if step not in self._steps:
            self._steps.append(step)

    def _assume(self, span: Span, text: str) -> None:
        step = Step(span, text)
        if step not in self._assumptions:
            self._assumptions.append(step)

    # --- a function that answers everything ---

    def _function(self, function: Function, span: Span) -> Response:
        effects = self._all.handwritten.effects(function, self._request, None)
        self._sources += effects.sources
        self._note(span, "answers by a function of its own")
        status = effects.status
        if status is None and not any(line.name == "Location" for line in effects.lines):
            status = self._all.status or _ASSUMED_STATUS
            self._assume(span, f"it answers with status {status}")
        return Response(status, effects.lines)

    # --- socket servers ---

    def _socket(self, server: Fact) -> Response:
        return self._engine(server, self._all.socket_policies(server))

    def _twins(self, servers: Sequence[Fact]) -> Response:
        """Several servers on one http server and path: one of them answers requests, and each takes every upgrade.

        The one that a session is unknown to refuses its upgrade. Where there is none, the second to open the WebSocket
        throws, which ends the program (ws, `handleUpgrade`).
        """
        if self._request.kind == "upgrade":
            for server in servers:
                self._note(server.span, f"{server.field('framework').value} takes the upgrade, and is not the only one")
            known = "sid=" in self._request.path
            return Response(_BAD_REQUEST) if known else Response(_SWITCHED, broken="closes")
        answered = [self._socket(server) for server in servers]
        found: Response | None = answered[0]
        for other in answered[1:]:
            found = either(found, other)
        assert found is not None
        return found

    def _engine(self, server: Fact, policies: Iterable[Policy]) -> Response:
        title, path = server.field("framework").value, server.field("answers_under").value
        self._note(server.span, f"{title} takes requests below {path}")
        self._by_socket = True
        if server.field("reads_referer").value == "yes" and self._request.origin is None:
            self._request = self._request._replace(origin=self._request.server)  # pages of its own origin send none
        policies = tuple(policies)
        answer = self._guarded(Response(engine_status(server, self._request)), policies)
        for policy in policies:
            answer = self._responded(policy, answer)
        return answer

    def _guarded(self, answer: Response, policies: Iterable[Policy]) -> Response:
        """The engine's answer where the application's own check of requests has its say (`allowRequest`).

        Engine.IO answers a request that it refuses with 403, and a WebSocket's handshake with 400. It asks for the
        first request of a session alone (`Server.verify`).
        """
        upgrade = self._request.kind == "upgrade"
        passes = answer.status in (_ASSUMED_STATUS, _SWITCHED) and self._request.kind != "preflight"
        if not passes or "sid=" in self._request.path:
            return answer
        for policy in policies:
            admitted = self._all.responder(policy).admits(self._request.origin)
            if admitted is not Tri.YES:
                self._note(policy.fact.field("gate").span or policy.fact.span, "the application's own check decides")
                refused = _BAD_REQUEST if upgrade else _FORBIDDEN
                return Response(refused if admitted is Tri.NO else None)
        return answer

    def _responded(self, policy: Policy, inner: Response) -> Response:
        """A library's answer around another one, with a note where it adds or changes headers."""
        if not self._all.covers(policy):
            self._note(
                policy.fact.span, f"{policy.fact.field('framework').value} does not see errors that nobody caught"
            )
            return inner
        responds = policy.semantics.responds
        if responds is not None and responds.whole is not None:
            self._assume(
                policy.fact.span, f"{policy.fact.field('framework').value} has the newest version that is possible"
            )
        answer = self._all.responder(policy).respond(self._request, inner)
        before, after = (_of_origin(one) for one in (inner, answer))
        place = policy.fact.field("origin").span or policy.fact.span
        if before != after:
            self._sources += [(name, place) for name in NAMES.values() if answer.lines(name) != inner.lines(name)]
        if answer.status != inner.status and answer.status is not None:
            self._note(policy.fact.span, f"{policy.fact.field('framework').value} answers with status {answer.status}")
        elif before != after:
            self._note(policy.fact.span, f"{policy.fact.field('framework').value} adds CORS headers")
        else:
            self._note(policy.fact.span, f"{policy.fact.field('framework').value} adds no CORS headers")
        return answer

    # --- applications ---

    def _application(self, app: Span, path: str, depth: int = 0) -> Response:
        found = self._layered(app, path, 0, depth)
        if found is None:
            found = self._nothing_there(app)
        if self._all.loose(app.path):
            found = found._replace(
                headers=(*found.headers, *(Header(name, None, Tri.UNKNOWN) for name in NAMES.values()))
            )
        for policy in self._all.around(app):
            found = self._responded(policy, found)
        return found

    def _nothing_there(self, app: Span) -> Response:
        layers = self._all.layers.get(app, ())
        if not any(layer.kind == "http_route" for layer in layers):
            preflight = self._request.kind == "preflight"
            status = self._all.options_status(app) if preflight else self._all.status or _ASSUMED_STATUS
            if not preflight:
                self._assume(app, f"there is an answer for {self._path}, with status {status}")
            return Response(status)
        self._note(app, f"the application has no route for {self._path}")
        return Response(_NOT_FOUND)

    def _layered(self, app: Span, path: str, index: int, depth: int, ended: Response | None = None) -> Response | None:
        """The answer of the layers from this one on; None where none of them answers.

        `ended`: what a function that runs before all of them has answered already; it passes them on its way out.
        """
        layers = self._all.layers.get(app, ())
        held = Tri.NO
        while index < len(layers):  # most of the layers of a large application are for other paths
            asked = ended is None or layers[index].kind != "http_route"
            held = self._applies(layers[index], path) if asked else Tri.NO
            if held is not Tri.NO:
                break
            index += 1
        if index >= len(layers) or depth > _MAX_MOUNTED:
            return ended if ended is not None else self._automatic(app, path)
        key = (app, path, index, depth, id(ended))
        if key not in self._known:
            if self._inside >= _MAX_LAYERS:
                return nothing_known()
            self._inside += 1
            self._known[key] = self._from(app, path, index, depth, ended, held)
            self._inside -= 1
        return self._known[key]

    def _from(self, app: Span, path: str, index: int, depth: int, ended: Response | None, held: Tri) -> Response | None:
        """The answer of one layer, which applies or may apply, and those behind it."""
        layer = self._all.layers[app][index]

        def rest() -> Response | None:
            return self._layered(app, path, index + 1, depth, ended)

        if layer.field("order").value == "outermost":
            early = self._layer(layer, path, depth, lambda: None)
            if early is None:
                return rest()
            self._early.append(early)  # kept, so that its id stays its own
            sure = held is Tri.YES and early.status is not None
            late = self._layered(app, path, index + 1, depth, early)
            return late if sure else either(late, rest())
        mine = self._layer(layer, path, depth, rest)
        return either(mine, rest()) if held is Tri.UNKNOWN else mine

    def _automatic(self, app: Span, path: str) -> Response | None:
        """What a framework answers to OPTIONS by itself where a route is there for other methods."""
        if self._request.method != "OPTIONS":
            return None
        routes = [layer for layer in self._all.layers.get(app, ()) if layer.kind == "http_route"]
        if any(matches_path(route, path, whole=True) is Tri.YES for route in routes):
            return Response(self._all.options_status(app))
        return None

    def _applies(self, layer: Fact, path: str) -> Tri:
        methods = layer.field("methods").value
        if isinstance(methods, tuple) and self._request.method not in methods:
            if not (self._request.method == "HEAD" and "GET" in methods):
                return Tri.NO
        whole = layer.kind == "http_route" or isinstance(methods, tuple)
        return matches_path(layer, path, whole=whole)

    def _layer(self, layer: Fact, path: str, depth: int, rest: Callable[[], Response | None]) -> Response | None:
        policy = self._all.policy_of(layer)
        if policy is not None:
            # What answers by itself asks nobody further in.
            alone = self._all.responder(policy).respond(self._request, Response(_MARK))
            if alone.status not in (None, _MARK):
                return self._responded(policy, Response(_MARK))
            inner = rest()
            return self._responded(policy, inner if inner is not None else self._missing(layer))
        if layer.kind == "http_route":
            return self._route(layer, rest)
        kind = layer.field("kind").value
        if self._request.kind == "preflight" and kind == "auth":
            return self._at_guard(layer, rest)
        handler = next(self._all.handlers(layer), None)
        inner_app = layer.field("handler").value
        if isinstance(inner_app, Span) and self._all.mounted_sockets(inner_app):
            return self._mounted_socket(inner_app, rest)
        if isinstance(inner_app, Span) and (kind == "mount" or inner_app in self._all.layers):
            return self._mount(layer, inner_app, path, depth, rest)
        if kind == "auth":
            self._assume(layer.span, "the request passes this check")
            return rest()
        if isinstance(handler, Function):
            return self._by_hand(layer, handler, rest)
        if kind in ("neutral", "error-handler", "static"):
            return rest()
        if kind == "redirect":
            return self._redirecting(layer, path, rest())
        if layer.field("writes_cors").value == "no":
            return rest()
        inner = rest()
        self._note(layer.span, "what this layer does is not known")
        return (inner or Response(None))._replace(complete=Tri.UNKNOWN)

    def _redirecting(self, layer: Fact, path: str, inner: Response | None) -> Response | None:
        """What is behind a layer that sends some requests to another address: to TLS, or to a path with a slash."""
        secure = (self._request.server or "").startswith("https:")
        answers = layer.field("answers_preflight").value
        stays = secure if answers == "yes" else path.endswith("/") or self._request.kind == "preflight"
        if stays and answers is not None:
            self._assume(layer.span, "the request is not redirected here")
            return inner
        return _unknown_status(inner)

    def _missing(self, layer: Fact) -> Response:
        app = layer.field("app").value
        return self._nothing_there(app) if isinstance(app, Span) else Response(_NOT_FOUND)

    def _at_guard(self, layer: Fact, rest: Callable[[], Response | None]) -> Response | None:
        answers = layer.field("answers_preflight").value
        refused = Response(_REFUSED)
        if answers == "yes":
            self._note(layer.span, "refuses the preflight, which never carries credentials")
            return refused
        inner = rest()
        if answers == "no" or inner is None:
            return inner if answers == "no" else refused._replace(status=None)
        return either(refused, inner)

    def _mounted_socket(self, handler: Span, rest: Callable[[], Response | None]) -> Response | None:
        for server in self._all.mounted_sockets(handler):
            held = _below(self._path, server)
            if held is Tri.YES:
                return self._socket_itself(server)
            if held is Tri.UNKNOWN:
                return nothing_known()
        return rest()

    def _socket_itself(self, server: Fact) -> Response:
        """A mounted socket server's own answer: what the applications around it add comes with their layers."""
        policies = self._all.socket_policies(server)
        return self._engine(server, [one for one in policies if one.fact.field("layer").value == "socket"])

    def _mount(
        self, layer: Fact, app: Span, path: str, depth: int, rest: Callable[[], Response | None]
    ) -> Response | None:
        inside = self._layered(app, _rest(layer, path), 0, depth + 1)
        if inside is None:
            return rest()
        self._note(layer.span, "hands the request on")
        for policy in self._all.around(app):
            inside = self._responded(policy, inside)
        return inside

    def _by_hand(self, layer: Fact, handler: Function, rest: Callable[[], Response | None]) -> Response | None:
        effects = self._all.handwritten.effects(handler, self._request, self._all.next_of(layer))
        if effects.lines:
            self._sources += effects.sources
            self._note(layer.span, "writes CORS headers by hand")
        ended = Response(effects.status if effects.status is not None else _ASSUMED_STATUS, effects.lines)
        if effects.ends is Tri.YES:
            self._note(layer.span, f"answers with status {ended.status}")
            return ended
        inner = rest()
        if inner is None and effects.lines and layer.field("order").value != "outermost":
            inner = self._missing(layer)
        passed = inner and _with_lines(inner, effects.lines, inner_wins=layer.field("language").value == "javascript")
        return passed if effects.ends is Tri.NO else either(ended, passed)

    def _route(self, layer: Fact, rest: Callable[[], Response | None]) -> Response | None:
        handler = next(self._all.handlers(layer), None)
        self._note(layer.span, "the route that answers")
        if layer.field("writes_cors").value == "no" and not isinstance(handler, Function):
            answer: Response | None = self._success(layer)
        elif isinstance(handler, Function):
            answer = self._route_function(layer, handler, rest)
        elif layer.field("writes_cors").value is None and not self._all.loose(layer.span.path):
            answer = self._success(layer)
        else:
            answer = nothing_known()
        return answer

    def _success(self, layer: Fact) -> Response:
        status = self._all.status or _ASSUMED_STATUS
        self._assume(layer.span, f"it answers with status {status}")
        return Response(status)

    def _route_function(self, layer: Fact, handler: Function, rest: Callable[[], Response | None]) -> Response | None:
        effects = self._all.handwritten.effects(handler, self._request, self._all.next_of(layer))
        self._sources += effects.sources
        if effects.status is None or self._all.status is not None:
            answer = self._success(layer)._replace(headers=effects.lines)
            if any(line.name == "Location" for line in effects.lines):
                answer = answer._replace(status=None)
        else:
            answer = Response(effects.status, effects.lines)
        policy = self._all.decorating(handler.span)
        if policy is not None:
            answer = self._responded(policy, answer)
        if layer.field("answers").value == "yes" or effects.ends is Tri.YES or self._all.next_of(layer) is None:
            return answer
        passed = rest()
        return answer if passed is None else either(answer, passed)


# --- paths -----------------------------------------------------------------------------------------------------------

_ANY = regex(r"/?(\*|\(\.\*\)|\{\*\w+\}|\*\w+|/?\*)?")
_PARAMETER = regex(r"/:\w+|\{\w+(?::(?:int|float|str|uuid))?\}|<(?:(?:int|float|string|uuid):)?\w+>")
_TAIL = regex(r"\{\w+:path\}|<path:\w+>")
_NUMBER = regex(r"\{\w+:int\}|<int:\w+>")
_SPECIAL = regex(r"[*(){}?+\[\]|^$<>]")


def matches_path(layer: Fact, path: str, *, whole: bool) -> Tri:
    """Whether a layer is for a path. `whole`: routes take whole paths, other layers all that lies below."""
    field = layer.field("path")
    if field.state == "unknown":
        return Tri.UNKNOWN
    text = field.value
    if not isinstance(text, str) or (_ANY.fullmatch(text) and not (whole and text in ("", "/"))):
        return Tri.YES
    pattern = _pattern(text)
    if pattern is None:
        return Tri.UNKNOWN
    trimmed = "/" + path.strip("/")
    end = r"\Z" if whole else r"(?:/|\Z)"
    return tri(re.match(pattern + end, trimmed, re.IGNORECASE) is not None)


def _pattern(text: str) -> str | None:
    """A regular expression for a path with parameters; None where it has more than that."""
    parts: list[str] = []
    at = 0
    text = "/" + text.strip("/")
    while at < len(text):
        for expression, becomes in ((_TAIL, ".+"), (_NUMBER, "[0-9]+"), (_PARAMETER, None)):
            found = expression.match(text, at)
            if found is not None:
                parts.append(becomes or ("/[^/]+" if found[0].startswith("/") else "[^/]+"))
                at = found.end()
                break
        else:
            if _SPECIAL.match(text, at):
                return None
            parts.append(re.escape(text[at]))
            at += 1
    joined = "".join(parts)
    return "" if joined == "/" else joined


def _rest(layer: Fact, path: str) -> str:
    """What is left of a path below a mount."""
    text = layer.field("path").value
    pattern = _pattern(text) if isinstance(text, str) else ""
    found = re.match(pattern or "", "/" + path.strip("/"), re.IGNORECASE)
    return "/" + path.strip("/")[found.end() - 1 if found and found.end() else 0 :].strip("/")


def _below(path: str, server: Fact) -> Tri:
    """Whether a request's path is a socket server's."""
    under = server.field("answers_under")
    if under.state == "unknown":
        return Tri.UNKNOWN
    return tri(path.startswith(under.value)) if isinstance(under.value, str) else Tri.NO


def _outer_index(fact: Fact) -> tuple[int, int]:
    index = fact.field("outer_index").value
    return (index if isinstance(index, int) else -1, fact.span.start)


def _registered(fact: Fact) -> Span:
    at = fact.field("registered").value
    return at if isinstance(at, Span) else fact.span


# --- the engine of a socket server -----------------------------------------------------------------------------------


def engine_status(server: Fact, request: Request) -> int | None:
    """The status of a socket server's engine to a request below its path, before any CORS layer; None: not known.

    Engine.IO refuses what it does not speak with 400: another protocol version, a transport that is switched off, a
    WebSocket's handshake without `Upgrade` (engine.io `Server.verify`, python-engineio `handle_request`).
    """
    if server.field("kind").value == "websocket":
        return 101 if request.kind == "upgrade" else None
    if request.method == "OPTIONS":
        return _BAD_REQUEST if server.field("language").value == "javascript" else _ASSUMED_STATUS
    query = dict(part.partition("=")[::2] for part in request.path.partition("?")[2].split("&"))
    spoken = server.field("protocol").value
    version = query.get("EIO", "")
    if isinstance(spoken, tuple) and version.isdecimal():
        if whole(version) not in spoken:
            return _BAD_REQUEST
    elif not isinstance(spoken, tuple):
        return None
    transport = query.get("transport", "")
    allowed = server.field(transport).value if transport in ("polling", "websocket") else None
    if allowed is None:
        return _BAD_REQUEST if not transport else None
    if allowed == "no":
        return _BAD_REQUEST
    if transport == "websocket":
        return 101 if request.kind == "upgrade" else _BAD_REQUEST
    return _ASSUMED_STATUS if request.kind == "actual" else _BAD_REQUEST


# --- answers ---------------------------------------------------------------------------------------------------------


def _functions_at(reading: CodeReading | None, span: Span) -> Iterator[Function]:
    for scope in reading.scopes if reading is not None else ():
        for bindings in scope.bindings.values():
            for binding in bindings:
                if isinstance(binding.value, Function) and binding.value.span == span:
                    yield binding.value
    for site in reading.calls if reading is not None else ():
        for argument in site.call.arguments:
            if isinstance(argument.value, Function) and argument.value.span == span:
                yield argument.value


def nothing_known() -> Response:
    """An answer of which nothing is known."""
    return Response(None, tuple(Header(name, None, Tri.UNKNOWN) for name in NAMES.values()), Tri.UNKNOWN)


def _unknown_status(response: Response | None) -> Response | None:
    return None if response is None else response._replace(status=None, complete=Tri.UNKNOWN)


def _of_origin(response: Response) -> tuple[Header, ...]:
    return tuple(line for name in NAMES.values() if name != "Vary" for line in response.lines(name))


def _with_lines(inner: Response, ours: tuple[Header, ...], *, inner_wins: bool) -> Response:
    """A layer's own lines around an answer. Where what is inside writes later, it replaces what was set before."""
    theirs = inner.headers
    if inner_wins:
        set_inside = {line.name.lower() for line in theirs if not line.beside and line.sent is Tri.YES}
        ours = tuple(line for line in ours if line.name.lower() not in set_inside)
    else:
        replaced = {line.name.lower() for line in ours if not line.beside and line.sent is Tri.YES}
        theirs = tuple(line for line in theirs if line.name.lower() not in replaced)
    return inner._replace(headers=(*theirs, *ours))


def either(one: Response | None, other: Response | None) -> Response | None:
    """What two possible answers agree on."""
    if one is None or other is None:
        return one if other is None else other
    if one == other:
        return one
    headers: list[Header] = []
    for name in dict.fromkeys(line.name.lower() for each in (one, other) for line in each.headers):
        mine, theirs = one.lines(name), other.lines(name)
        if mine == theirs:
            headers += mine
        else:
            headers.append(Header(name, None, Tri.UNKNOWN))
    complete = Tri.YES if one.complete is other.complete is Tri.YES else Tri.UNKNOWN
    return Response(one.status if one.status == other.status else None, tuple(headers), complete)
