"""The picture of a project: its pages, proxies and programs, what runs between them, and who adds which CORS header.

Drawn from the same facts, relations and network that rules and traces ask, so it knows no more and no less than they
do: a connection is yes or unknown, and where nobody can say who asks, a node for pages elsewhere stands in.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Iterator, Mapping, Sequence
from urllib.parse import urlsplit

from corslint.behaviour.application import Running
from corslint.model.decisions import is_loopback
from corslint.model.diagram import Connection, Diagram, Line, Node, NodeKind
from corslint.model.facts import Fact
from corslint.model.tri import Tri
from corslint.network import Address, Network, Proxy
from corslint.records import NamedTuple
from corslint.relations import World
from corslint.source import Span

_CORS = "access-control-"
_MOST_GUESSES = 4
"""Possible ends of one request that are drawn; where there are more, nothing is known."""

_MOST_WAITING = 6
"""What nobody is seen to ask, up to which pages elsewhere are drawn beside those of the project."""

Key = tuple[str, object]


def drawn(world: World, network: Network, root: str, frontends: Sequence[str] = ()) -> Diagram:
    """The picture of one context. `root` is its folder, `frontends` the origins of pages that talk to it."""
    return _Drawing(world, network, root, frontends).diagram()


class _Box(NamedTuple):
    """A node that is not numbered yet."""

    kind: NodeKind
    title: str
    subtitle: str
    files: frozenset[str]
    lines: tuple[Line, ...]
    extent: Span | None = None
    known: bool = True


class _Way:
    """A connection that requests are still added to."""

    def __init__(self) -> None:
        self.exists = Tri.UNKNOWN
        self.reason = ""
        self.carries: dict[str, None] = {}
        self.spans: dict[Span, None] = {}


class _Goal(NamedTuple):
    """Where a request may go."""

    key: Key
    exists: Tri
    reason: str


class _Drawing:
    def __init__(self, world: World, network: Network, root: str, frontends: Sequence[str]) -> None:
        self._world = world
        self._network = network
        self._root = root
        self._frontends = tuple(frontends)
        self._boxes: dict[Key, _Box] = {}
        self._ways: dict[tuple[Key, Key], _Way] = {}
        self._elsewhere: dict[str, Span] = {}
        self._hosts = {host.place.before(): host for host in network.hosts()}
        self._programs = network.programs()
        self._routes = [one for one in world.of_kind("proxy_route") if self._shown(one)]
        self._routes_of: dict[Span | None, list[Fact]] = {}
        for route in self._routes:
            self._routes_of.setdefault(_host_of(route), []).append(route)
        self._upstreams: dict[object, list[Fact]] = {}
        for upstream in self._of_kind("upstream"):
            self._upstreams.setdefault(upstream.field("name").value, []).append(upstream)

    def _shown(self, fact: Fact) -> bool:
        return fact.span.path not in self._world.in_tests

    def _of_kind(self, kind: str) -> list[Fact]:
        return [fact for fact in self._world.of_kind(kind) if self._shown(fact)]

    def diagram(self) -> Diagram:
        """All of it."""
        self._add_programs()
        self._add_hosts()
        self._add_development()
        self._add_pages()
        self._pass_on()
        self._add_elsewhere()
        self._add_strangers()
        order = {"browser": 0, "proxy": 1, "server": 2, "elsewhere": 3}
        keys = sorted(self._boxes, key=lambda key: (order[self._boxes[key].kind], not self._boxes[key].known))
        places = {key: number for number, key in enumerate(keys, 1)}
        nodes = tuple(_node(f"n{places[key]}", self._boxes[key]) for key in keys)
        ways = sorted(self._ways.items(), key=lambda one: (places[one[0][0]], places[one[0][1]]))
        connections = tuple(
            Connection(
                f"n{places[source]}",
                f"n{places[target]}",
                way.exists,
                tuple(way.carries),
                way.reason,
                tuple(sorted(way.spans)),
            )
            for (source, target), way in ways
        )
        return Diagram(self._root, nodes, connections)

    def _connect(self, source: Key, goal: _Goal, carries: Iterable[str], spans: Iterable[Span] = ()) -> None:
        if source == goal.key or goal.exists is Tri.NO or goal.key not in self._boxes:
            return
        way = self._ways.setdefault((source, goal.key), _Way())
        if not way.reason or (way.exists is not Tri.YES and goal.exists is Tri.YES):
            way.reason = goal.reason
        if goal.exists is Tri.YES:
            way.exists = Tri.YES
        way.carries.update(dict.fromkeys(carries))
        way.spans.update(dict.fromkeys(spans))

    # --- programs ---

    def _process(self, path: str) -> Key:
        return ("program", self._world.topology.process_of(path))

    def _add_programs(self) -> None:
        """What listens, and whatever else has a policy: one node for the files that run together."""
        files: dict[Key, set[str]] = {}
        for fact in self._world.facts:
            if self._shown(fact):
                files.setdefault(self._process(fact.span.path), set()).add(fact.span.path)
        firsts: dict[Key, Span] = {}
        ports: dict[Key, set[int]] = {}
        for running in self._programs:
            key = self._process(running.span.path)
            firsts.setdefault(key, running.span)
            ports.setdefault(key, set()).update(running.ports or ())
        for policy in self._of_kind("cors_policy"):
            if policy.field("layer").value in ("http", "socket"):
                firsts.setdefault(self._process(policy.span.path), policy.span)
        names = self._names({key: span.path for key, span in firsts.items()})
        for key in firsts:
            own = [fact for fact in self._world.facts if fact.span.path in files[key]]
            kinds = ("http_app", "socket_server", "http_server")
            made_of = [str(one.field("framework").value or "") for kind in kinds for one in own if one.kind == kind]
            words = [", ".join(list(dict.fromkeys(filter(None, made_of)))[:3]) or "a program"]
            numbers = sorted(ports.get(key, ()))
            if numbers:
                words.append(f"port{'s' if len(numbers) > 1 else ''}\u00a0{', '.join(map(str, numbers))}")
            lines = (*self._policies(own), *self._sockets(own), *self._http_routes(own))
            self._boxes[key] = _Box("server", names[key], " · ".join(words), frozenset(files[key]), lines)

    def _names(self, paths: dict[Key, str]) -> dict[Key, str]:
        """What programs are called: by their container, their package's folder, or else their file."""
        found: dict[Key, str] = {}
        taken: dict[str, int] = {}
        for key, path in paths.items():
            name = self._service_of(path) or self._folder_of(path)
            found[key] = name
            taken[name] = taken.get(name, 0) + 1
        return {key: self._relative(paths[key]) if not name or taken[name] > 1 else name for key, name in found.items()}

    def _service_of(self, path: str) -> str:
        """The name of the container that is built from the deepest folder around a file; empty where there is none."""
        around = []
        for fact in self._of_kind("service"):
            folder = fact.field("folder").value
            if isinstance(folder, str) and folder != self._root and path.startswith(f"{folder}/"):
                around.append((len(folder), str(fact.field("name").value)))
        return max(around, default=(0, ""))[1]

    def _folder_of(self, path: str) -> str:
        package = self._world.topology.package_of(path)
        inside = self._relative(package) if package and package != self._root else ""
        return inside if inside != "." else ""

    def _relative(self, path: str) -> str:
        return posixpath.relpath(path or ".", self._root or ".") if not posixpath.isabs(path) else path

    def _policies(self, facts: Sequence[Fact]) -> Iterator[Line]:
        listed: dict[object, list[str]] = {}
        for entry in facts:
            text = entry.field("text").value
            if entry.kind == "origin_entry" and isinstance(text, str):
                listed.setdefault(entry.field("policy").value, []).append(text)
        seen: set[tuple[str, str, str]] = set()
        for policy in facts:
            sends = policy.field("effect.sends_origin_header").value
            if policy.kind != "cors_policy" or policy.field("layer").value not in ("http", "socket") or sends == "no":
                continue
            own = str(policy.field("framework").value or "")
            scope = policy.field("scope").value
            where = f"{own} {scope}" if isinstance(scope, str) and scope not in ("", "/") else own
            at = policy.field("origin").span or policy.span
            lines = [("Access-Control-Allow-Origin", _origin(policy, listed), (at, policy.span))]
            if policy.field("effect.credentials").value == "yes":
                at = policy.field("credentials").span or policy.span
                lines.append(("Access-Control-Allow-Credentials", "true", (at, at)))
            for name, value, spans in lines:
                if (name, value, where) not in seen:
                    seen.add((name, value, where))
                    yield Line("adds", name, value, spans, where)

    @staticmethod
    def _sockets(facts: Iterable[Fact]) -> Iterator[Line]:
        for fact in facts:
            if fact.kind == "socket_server":
                under = fact.field("answers_under").value
                known = under if isinstance(under, str) else "a path that is not known"
                yield Line("takes", known, str(fact.field("framework").value or "a socket server"), (fact.span,))

    @staticmethod
    def _http_routes(facts: Iterable[Fact]) -> Iterator[Line]:
        seen: set[str] = set()
        for fact in facts:
            path, methods = fact.field("path").value, fact.field("methods").value
            if fact.kind == "http_route" and isinstance(path, str):
                asked = ", ".join(methods) if isinstance(methods, tuple) and methods else "any method"
                if (text := f"{asked} {path or '/'}") not in seen:
                    seen.add(text)
                    yield Line("takes", path or "/", asked, (fact.span,))

    # --- proxies ---

    def _add_hosts(self) -> None:
        """The nginx servers, but for those that only redirect."""
        for place, host in self._hosts.items():
            routes = self._routes_of.get(place, [])
            if routes and all(_redirects(route) for route in routes):
                continue
            lines = (*_added(routes), *_taken(routes))
            named = [name for name in host.names if name not in ("_", "")]
            ports = (
                f"port{'s' if len(host.ports) > 1 else ''}\u00a0{', '.join(map(str, host.ports))}" if host.ports else ""
            )
            title = named[0] if named else self._relative(host.place.path)
            more = f"and {len(named) - 1} more names" if len(named) > 2 else f"and {named[1]}" if len(named) > 1 else ""
            words = " · ".join(filter(None, ("nginx", ports, more)))
            files = {host.place.path, *(span.path for line in lines for span in line.spans)}
            self._boxes["host", place] = _Box("proxy", title, words, frozenset(files), lines, host.extent)

    def _add_development(self) -> None:
        """Servers for development. A program that passes requests on stays a program."""
        for server in self._of_kind("dev_server"):
            instance = server.field("instance").value
            mine = [one for one in self._of_kind("dev_proxy") if one.field("instance").value == instance]
            port, name = server.field("port").value, str(server.field("framework").value or "development server")
            lines = [
                Line("takes", _path_text(one), f"→ {one.field('target').value or 'not known'}", (one.span,))
                for one in mine
            ]
            given = server.field("cors.to_stranger").value
            if given in ("star", "echo"):
                at = server.field("cors.to_stranger").span or server.span
                lines.insert(0, Line("adds", "Access-Control-Allow-Origin", _STRANGER[given], (at,)))
            if not lines:
                continue  # it only hands out pages, and their origin names it
            words = "server for development" + (f" · port\u00a0{port}" if port is not None else "")
            files = frozenset({server.span.path, *(one.span.path for one in mine)})
            self._boxes["development", instance] = _Box("proxy", name, words, files, tuple(lines))

    def _pass_on(self) -> None:
        """From proxies to what stands behind them."""
        for route in self._routes:
            source: Key = ("host", _host_of(route))
            if source not in self._boxes or route.field("proxied").value != "yes":
                continue
            path = route.field("path").value
            carries = [path if isinstance(path, str) and path else str(route.field("level").value or "requests")]
            upstream = route.field("upstream").value
            blocks = self._upstreams.get(upstream, [])
            spans = [one.field("name").span or one.span for one in blocks]
            edges = self._network.behind(route, path if isinstance(path, str) else "/")
            goals = [_Goal(self._key(edge.to), edge.exists, edge.reason) for edge in edges]
            if not goals and isinstance(upstream, str) and not blocks:
                port = route.field("upstream_port").value
                goals = [self._outside(f"{upstream}:{port}" if port else upstream, route.field("pass").span)]
            elif not goals:
                continue
            for goal in goals[:_MOST_GUESSES]:
                self._connect(source, goal, carries, spans)
        for proxy in self._of_kind("dev_proxy"):
            own: Key = ("development", proxy.field("instance").value)
            source = own if own in self._boxes else self._process(proxy.span.path)
            target = proxy.field("target").value
            if source in self._boxes and isinstance(target, str):
                for goal in self._at(target, proxy):
                    self._connect(source, goal, [_path_text(proxy)])

    def _key(self, to: Running | Proxy | Fact) -> Key:
        if isinstance(to, Proxy):
            return ("host", to.span.before())
        if isinstance(to, Running):
            return self._process(to.span.path)
        return ("development", to.field("instance").value)

    # --- pages ---

    def _add_pages(self) -> None:
        """What asks, by package: pages, and programs that behave like one."""
        groups: dict[Key, list[Fact]] = {}
        for kind in ("socket_client", "http_request"):
            for fact in self._of_kind(kind):
                asks_as_page = fact.field("browser").value
                if kind == "http_request" and (asks_as_page == "no" or self._in_program(fact, asks_as_page)):
                    continue
                groups.setdefault(("page", self._world.topology.package_of(fact.span.path)), []).append(fact)
        for key, clients in groups.items():
            folder = str(key[1])
            first = min(fact.span.path for fact in clients)
            common = posixpath.commonpath([posixpath.dirname(fact.span.path) for fact in clients])
            inside = self._folder_of(first) or self._relative(common)
            alone = {fact.span.path for fact in clients}
            title = self._relative(first) if len(alone) == 1 and first.endswith(".html") else inside
            files = {one.span.path for one in self._world.facts if self._is_page(one, folder, alone)}
            lines = tuple(_asked(clients))
            origins = ", ".join(self._origins(folder)) or "origin not known"
            self._boxes[key] = _Box("browser", "pages" if title == "." else title, origins, frozenset(files), lines)
            for client in clients:
                for goal in self._goals(client):
                    self._connect(key, goal, [_label(client)])

    def _in_program(self, request: Fact, by_page: object) -> bool:
        """Whether a request of which nobody knows whether a page sends it stands among what listens."""
        return by_page != "yes" and self._process(request.span.path) in self._boxes

    def _is_page(self, fact: Fact, folder: str, clients: set[str]) -> bool:
        """Whether a file belongs to the pages of a package: it asks, or runs together with that, and no program."""
        path = fact.span.path
        process = self._process(path)
        if process in self._boxes:
            return path in clients
        if self._world.topology.package_of(path) != folder or not self._shown(fact):
            return False
        return path in clients or any(self._process(one) == process for one in clients)

    def _origins(self, package: str) -> tuple[str, ...]:
        """The origins of the pages of a package, as far as they are known."""
        if self._frontends:
            return self._frontends
        found = []
        for server in self._of_kind("dev_server"):
            port = server.field("port").value
            if self._world.topology.package_of(server.span.path) == package and isinstance(port, int):
                scheme = "https" if server.field("https").value == "yes" else "http"
                found.append(f"{scheme}://localhost:{port}")
        return tuple(found)

    def _goals(self, client: Fact) -> list[_Goal]:
        """Where a client's requests go."""
        url, host = client.field("url").value, client.field("host").value
        if isinstance(host, str) and host:
            address = url if isinstance(url, str) and "://" in url else f"http://{host}"
            return self._at(address, client)
        if client.field("same_origin").value == "yes":
            return self._at_own_origin(client)
        return self._related(client)

    def _at(self, url: str, client: Fact) -> list[_Goal]:
        """What answers at an address that is written."""
        try:
            address = Address.of(url)
        except ValueError:
            return []
        found = [
            _Goal(self._key(edge.to), edge.exists, edge.reason)
            for edge in self._network.receivers(address, urlsplit(url).path or "/")
            if isinstance(edge.to, Proxy) or edge.confidence == "high" or is_loopback(address.host)
        ]
        sure = [goal for goal in found if goal.exists is Tri.YES]
        if sure:
            return self._nearest(client, sure)
        related = [goal for goal in self._related(client) if goal.exists is Tri.YES]
        if related:
            return related
        if is_loopback(address.host):
            return found[:_MOST_GUESSES] if len(found) <= _MOST_GUESSES else []
        return [self._outside(urlsplit(url).netloc.rpartition("@")[2], client.field("url").span or client.span)]

    def _at_own_origin(self, client: Fact) -> list[_Goal]:
        """What answers where the page itself comes from."""
        package = self._world.topology.package_of(client.span.path)
        path = client.field("asks_for").value or client.field("url").value
        wanted = path if isinstance(path, str) and path.startswith("/") else "/"
        for server in self._of_kind("dev_server"):
            key: Key = ("development", server.field("instance").value)
            if self._world.topology.package_of(server.span.path) == package and key in self._boxes:
                return [_Goal(key, Tri.YES, "the server for development hands out the page")]
        related = self._related(client)
        if any(goal.exists is Tri.YES for goal in related):
            return related
        takers = {host: length for host in self._hosts if (length := self._takes(host, wanted)) >= 0}
        best = [host for host, length in takers.items() if length == max(takers.values())]
        if best and len(best) <= _MOST_GUESSES:
            exists = Tri.YES if len(self._hosts) == 1 else Tri.UNKNOWN
            goals = [_Goal(("host", host), exists, "it takes the path, at the page's own origin") for host in best]
            return self._nearest(client, goals)
        if not self._hosts and len(self._boxes_of("server")) == 1:
            return [_Goal(key, Tri.UNKNOWN, "it is the only program") for key in self._boxes_of("server")]
        return related

    def _nearest(self, client: Fact, goals: list[_Goal]) -> list[_Goal]:
        """Of several, the only one near the client; where nothing tells them apart, none of them is certain."""
        if len({goal.key for goal in goals}) < 2:
            return goals
        near = [(_common(client.span.path, self._boxes[goal.key]), goal) for goal in goals if goal.key in self._boxes]
        best = [goal for depth, goal in near if depth == max(depth for depth, _ in near)]
        if len({goal.key for goal in best}) == 1:
            return best
        if len(best) > _MOST_GUESSES:
            return []
        return [goal._replace(exists=Tri.UNKNOWN, reason="several answer at this address") for goal in best]

    def _takes(self, host: Span, path: str) -> int:
        """How long the location of an nginx server is that takes a path and passes it on; -1: none does."""
        starts = [
            route.field("path").value
            for route in self._routes_of.get(host, ())
            if route.field("proxied").value == "yes" and route.field("modifier").value in ("", "^~", "=", None)
        ]
        fitting = [len(start) for start in starts if isinstance(start, str) and path.startswith(start)]
        return max(fitting, default=-1)

    def _related(self, client: Fact) -> list[_Goal]:
        """What rules take for the other end of a client."""
        if client.kind == "socket_client":
            through = [
                _Goal(("host", _host_of(route)), Tri.YES, "it passes on what the client asks for")
                for route in self._routes
                if self._world.ask("goes_through", client, route).answer is Tri.YES
            ]
            if through and client.field("host").value is None:
                return through
            partners = self._of_kind("socket_server")
        elif client.kind == "http_request":
            partners = [one for one in self._of_kind("cors_policy") if one.field("layer").value == "http"]
        else:
            return []
        answers = [(one, self._world.ask("connects_to", client, one).answer) for one in partners]
        sure = [one for one, answer in answers if answer is Tri.YES]
        chosen = sure or [one for one, answer in answers if answer is Tri.UNKNOWN]
        keys = list(dict.fromkeys(self._process(one.span.path) for one in chosen))
        if not sure and len(keys) > _MOST_GUESSES:
            return []
        reason = "the client's address leads there" if sure else "where the client's address leads is not known"
        return [_Goal(key, Tri.YES if sure else Tri.UNKNOWN, reason) for key in keys]

    # --- what is not in the project ---

    def _outside(self, host: str, span: Span | None) -> _Goal:
        """A host that nothing in the project is known to answer for."""
        self._elsewhere.setdefault(host, span or Span("", 0, 0))
        key: Key = ("elsewhere", "")
        self._boxes.setdefault(key, _Box("elsewhere", "elsewhere", "", frozenset(), (), None, False))
        return _Goal(key, Tri.UNKNOWN, "nothing in the project is known to answer there")

    def _add_elsewhere(self) -> None:
        key: Key = ("elsewhere", "")
        if self._elsewhere:
            lines = tuple(Line("takes", host, "", (span,)) for host, span in sorted(self._elsewhere.items()))
            words = "hosts that are not in this project"
            self._boxes[key] = _Box("elsewhere", "Other hosts", words, frozenset(), lines, None, False)

    def _add_strangers(self) -> None:
        """Pages elsewhere, for what nothing in the project asks and no proxy stands before."""
        asked = {target for _, target in self._ways}
        pages = self._boxes_of("browser")
        waiting = [
            key
            for key, box in self._boxes.items()
            if box.kind in ("proxy", "server") and key not in asked and (key[0] != "development" or not pages)
        ]
        if not waiting or (len(waiting) > _MOST_WAITING and pages):
            return  # so many ways from nowhere would hide those that are known
        key: Key = ("page", None)
        origins = ", ".join(self._frontends)
        words = origins or "no page of this project is seen to ask"
        self._boxes[key] = _Box("browser", "Pages elsewhere", words, frozenset(), (), None, False)
        for target in waiting:
            self._connect(key, _Goal(target, Tri.UNKNOWN, "nothing in the project asks it"), ())

    def _boxes_of(self, kind: NodeKind) -> list[Key]:
        return [key for key, box in self._boxes.items() if box.kind == kind and box.known]


# --- lines -----------------------------------------------------------------------------------------------------------

_STRANGER = {"star": "*", "echo": "every origin, sent back"}


def _origin(policy: Fact, listed: Mapping[object, Sequence[str]]) -> str:
    """Whom a policy lets in, in few words."""
    answered = policy.field("effect.to_stranger")
    if answered.value in _STRANGER:
        return _STRANGER[str(answered.value)]
    origins = listed.get(policy.field("instance").value, ())
    if origins:
        return origins[0] + (f" and {len(origins) - 1} more" if len(origins) > 1 else "")
    origin, form = policy.field("origin").value, policy.field("origin.form").value
    if isinstance(origin, str) and form in ("literal", "list"):
        return origin
    return "not known" if answered.state == "unknown" else _FORMS.get(str(form), "not known")


_FORMS = {
    "list": "the origins of a list",
    "regex": "origins that fit a pattern",
    "function": "origins that a function lets in",
    "env": "from the environment",
}


def _header(name: str) -> str:
    return "-".join(word.capitalize() for word in name.split("-"))


def _added(routes: Iterable[Fact]) -> Iterator[Line]:
    """The CORS headers of nginx routes that are sent, hidden and lost; what several routes have in common once."""
    found: dict[tuple[str, str, str, Span], list[str]] = {}
    for route in routes:
        scope = str(route.field("path").value or "/")
        for name, field in route.fields.items():
            group, _, header = name.partition(".")
            if not header.startswith(_CORS) or field.span is None or field.state == "absent":
                continue
            value = field.value if isinstance(field.value, str) else "not known"
            if group in ("adds", "adds_second"):
                found.setdefault(("adds", _header(header), value, field.span), []).append(scope)
            elif group == "dropped_headers":
                found.setdefault(("drops", _header(header), "lost here", field.span), []).append(scope)
            elif group == "hides":
                found.setdefault(("drops", _header(header), "of what is behind", field.span), []).append(scope)
    for (kind, name, value, span), scopes in found.items():
        shown = ", ".join(scopes) if len(scopes) < 3 else f"{scopes[0]} and {len(scopes) - 1} more"
        yield Line("adds" if kind == "adds" else "drops", name, value, (span,), shown)


def _taken(routes: Iterable[Fact]) -> Iterator[Line]:
    """Where locations lead."""
    for route in routes:
        if route.field("proxied").value == "yes":
            target = route.field("pass").value or route.field("upstream").value
            level = str(route.field("level").value or route.field("path").value or "/")
            spans = (route.field("level").span or route.span, route.field("block").span or route.span)
            yield Line("takes", level.removeprefix("location ") or "/", f"→ {target or 'not known'}", spans)


def _host_of(route: Fact) -> Span | None:
    """Where the nginx server of a route begins."""
    block = route.field("host_block").value
    return block.before() if isinstance(block, Span) else None


def _redirects(route: Fact) -> bool:
    status = route.field("status").value
    return isinstance(status, int) and 300 <= status < 400


def _path_text(proxy: Fact) -> str:
    return str(proxy.field("path").value or proxy.field("pattern").value or "requests")


def _common(path: str, box: _Box) -> int:
    """How many folders a file has in common with what a box stands for."""
    folders = path.split("/")[:-1]
    return max((len(posixpath.commonprefix([folders, other.split("/")[:-1]])) for other in box.files), default=0)


def _asked(clients: Iterable[Fact]) -> Iterator[Line]:
    """What pages ask, by host; the same requests of several places once."""
    found: dict[str, dict[tuple[str, str], list[Span]]] = {}
    for client in clients:
        url = client.field("url").value
        own = client.field("same_origin").value == "yes"
        unknown = "its own origin" if own else "an address that is not known"
        note = url if isinstance(url, str) and "://" in url else unknown
        host = "/".join(note.split("/")[:3])
        found.setdefault(host, {}).setdefault((_label(client), note), []).append(client.span)
    for asked in found.values():
        for (text, note), spans in asked.items():
            yield Line("asks", text, note, tuple(spans))


def _label(client: Fact) -> str:
    """What a client asks for, in a few words."""
    if client.kind == "socket_client":
        path = client.field("asks_for").value
        library = str(client.field("framework").value or "socket").removesuffix(" client")
        return f"{library} {path}" if isinstance(path, str) else library
    method, url = client.field("method").value, client.field("url").value
    try:
        path = urlsplit(url).path if isinstance(url, str) else ""
    except ValueError:  # no address, whatever it is
        return method if isinstance(method, str) else "requests"
    return (
        f"{method if isinstance(method, str) else 'GET'} {path or '/'}" if path or isinstance(url, str) else "requests"
    )


def _node(number: str, box: _Box) -> Node:
    return Node(number, box.kind, box.title, box.subtitle, tuple(sorted(box.files)), box.lines, box.extent, box.known)
