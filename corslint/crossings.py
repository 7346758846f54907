"""What pages ask of servers, held against what the servers' policies list: methods and headers that are missing there.

A browser asks with a preflight before it sends a method or a header that is not on its own safe list, and compares the
answer's lists with what it is about to send: methods letter by letter, header names in any case (Fetch, CORS-preflight
fetch). Nothing is concluded from a list that is not known in full, and nothing where several policies may answer.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Hashable, Iterable, Iterator, Mapping

from corslint.model.decisions import is_loopback
from corslint.model.facts import Fact, Field
from corslint.model.tri import Tri, tri
from corslint.model.urls import urlsplit
from corslint.project import served
from corslint.records import NamedTuple
from corslint.regexes import regex
from corslint.relations import World
from corslint.relations.table import process_ports, reaches
from corslint.source import SourceFile, Span

_SAFE_METHODS = frozenset({"GET", "HEAD", "POST"})
"""CORS-safelisted methods: they pass whatever the answer to the preflight lists."""
_UNASKED_METHODS = _SAFE_METHODS | {"OPTIONS", "TRACE", "CONNECT"}
_READING = frozenset({"GET", "HEAD", "OPTIONS"})
_ANY_LIST = "*"


class _List(NamedTuple):
    """A list that a policy sends."""

    names: tuple[str, ...]
    at: Span
    written: bool
    confidence: str


class _Use(NamedTuple):
    """One use of something that is not in the list."""

    name: str
    at: Span
    by: str
    fact: Fact
    confidence: str


def unlisted(world: World, source: Callable[[str], SourceFile]) -> Iterator[Fact]:
    """A fact for each use of a method or a header that the policy in charge does not list."""
    policies = [one for one in world.of_kind("cors_policy") if one.field("layer").value in ("http", "socket")]
    if not policies:
        return
    by_hand = _lists_by_hand(world)
    asked = _requests_by_policy(world)
    for policy in policies:
        if policy.field("effect.sends_origin_header").value == "no":
            continue
        # Long polling sends nothing but GET and POST.
        methods = _list_of(policy, "methods", by_hand) if policy.field("layer").value == "http" else None
        if methods is not None and _ANY_LIST not in methods.names and not _anything(policy, "effect.any_method"):
            uses = [*_routes(world, policy, methods), *_methods(asked.get(id(policy), ()), methods)]
            yield from _facts(policy, "method", "methods", methods, uses, source)
        headers = _list_of(policy, "request_headers", by_hand)
        if headers is not None and not _anything(policy, "effect.any_request_header"):
            uses = list(_headers(asked.get(id(policy), ()), headers))
            yield from _facts(policy, "request-header", "request_headers", headers, uses, source)
        exposed = _list_of(policy, "exposed", by_hand)
        if exposed is not None:
            uses = list(_read(asked.get(id(policy), ()), exposed))
            yield from _facts(policy, "response-header", "exposed", exposed, uses, source)


def _anything(policy: Fact, name: str) -> bool:
    return policy.field(name).value == "yes"


def _list_of(policy: Fact, what: str, by_hand: Mapping[tuple[Span, str], list[Fact]]) -> _List | None:
    """A policy's list, None where it is not known in full."""
    field = policy.field(f"effect.{what}")
    if isinstance(field.value, tuple) and field.state in ("written", "default"):
        return _List(field.value, field.span or policy.span, field.state == "written", field.confidence)
    lists = by_hand.get((policy.span, what), ())
    if len(lists) != 1 or not isinstance(lists[0].field("names").value, tuple):
        return None
    names = lists[0].field("names")
    return _List(names.value, lists[0].span, True, names.confidence)  # type: ignore[arg-type]


_WHATS = {"methods": "methods", "request-headers": "request_headers", "response-headers": "exposed"}


def _lists_by_hand(world: World) -> dict[tuple[Span, str], list[Fact]]:
    found: dict[tuple[Span, str], list[Fact]] = defaultdict(list)
    for fact in world.of_kind("sent_list"):
        owner, what = fact.field("policy").value, fact.field("what").value
        if isinstance(owner, Span) and what in _WHATS and fact.field("by").value == "header":
            found[owner, _WHATS[str(what)]].append(fact)
    return found


# --- front ends -----------------------------------------------------------------------------------------------------


class _FrontEnd(NamedTuple):
    """The origin of pages that talk to a policy: where that is written, and what says so."""

    origin: str
    at: Span | None
    by: str
    client: Fact | None
    confidence: str


def turned_away(world: World, accepts: Callable[[Fact, str], Tri], declared: Iterable[str]) -> Iterator[Fact]:
    """A fact for each front end that is known and that a policy which it talks to does not let in."""
    declared = tuple(declared)
    for policy in world.of_kind("cors_policy"):
        if policy.field("layer").value not in ("http", "socket") or policy.span.path in world.in_tests:
            continue
        if policy.field("effect.sends_origin_header").value == "no":
            continue  # switched off, which is another fault, or none
        whole = policy.field("scope").state == "absent"
        pages = [_FrontEnd(origin, None, "settings", None, "high") for origin in declared if whole]
        for page in (*pages, *_developed(world, policy)):
            if accepts(policy, page.origin) is Tri.NO:
                yield _turned_away(world, policy, page)


def _developed(world: World, policy: Fact) -> Iterator[_FrontEnd]:
    """The pages of servers for development whose code asks this policy's server."""
    for server in world.of_kind("dev_server"):
        origin = _dev_origin(server)
        folder = world.topology.package_of(server.span.path)
        if origin is None or not world.visible(server, policy):
            continue
        if world.remember(("moved", id(server)), lambda server=server: moved(world, server)):  # type: ignore[misc]
            continue
        for kind in ("socket_client", "http_request"):
            for client in world.partners("connects_to", policy, kind, reverse=True):
                if world.topology.package_of(client.span.path) != folder or client.field("browser").value == "no":
                    continue
                if kind == "socket_client" and client.field("polling").value != "yes":
                    continue
                related = world.ask("connects_to", client, policy)
                if related.answer is Tri.YES and client.field("host").value is not None:
                    yield _FrontEnd(origin, server.field("port").span, "dev-server", client, related.confidence)
                    return


_MOVES = regex(rb"--port\b|\s-p\s|\bPORT=|--host\b|\bHTTPS=")


def moved(world: World, server: Fact) -> bool:
    """Whether the pages of a server for development may be reached elsewhere than it says: by how it is started, by
    variables, from outside of a container, or because its package has several with other ports."""
    folder = world.topology.package_of(server.span.path)
    manifest = f"{folder}/package.json" if folder else "package.json"
    started = world.sources(manifest).data if world.sources is not None else b""
    contained = any(
        isinstance(inside := service.field("folder").value, str)
        and (inside in ("", ".") or server.span.path.startswith(f"{inside}/"))
        for service in world.of_kind("service")
    )
    heeded = server.field("variables").value
    set_beside = isinstance(heeded, tuple) and any(
        fact.field("name").value in heeded and world.topology.package_of(fact.span.path) == folder
        for fact in world.of_kind("env_value")
    )
    others = any(
        one.field("port").value != server.field("port").value and world.topology.package_of(one.span.path) == folder
        for one in world.of_kind("dev_server")
    )
    return contained or set_beside or others or _MOVES.search(started) is not None


def _dev_origin(server: Fact) -> str | None:
    port, host, https = server.field("port"), server.field("host"), server.field("https")
    if not isinstance(port.value, int) or host.state == "unknown" or https.state == "unknown":
        return None
    scheme = "https" if https.value == "yes" else "http"
    name = host.value if isinstance(host.value, str) and host.value not in ("0.0.0.0", "::") else "localhost"
    return f"{scheme}://{name}:{port.value}"


def _turned_away(world: World, policy: Fact, page: _FrontEnd) -> Fact:
    instance = policy.field("instance").value
    own = [
        one for one in world.with_value("origin_entry", "policy", instance) if isinstance(one.field("text").value, str)
    ]
    slips = [(entry, slip) for entry in own if (slip := _slip(str(entry.field("text").value), page.origin))]
    at = policy.field("origin").span or policy.span
    nearest = slips[0][0].field("text") if slips else None
    loopback = any(is_loopback(urlsplit(str(entry.field("text").value)).hostname or "") for entry in own)
    copied = ("framework", "library", "language", "version", "major", "fence", "layer")
    place = nearest.span if nearest is not None else own[0].span if len(own) == 1 else at
    fields = {
        **{name: policy.fields[name] for name in copied if name in policy.fields},
        "origin": Field(page.origin, "written", page.at or at, (), page.confidence),
        "by": Field(page.by, "written", page.at or at),
        "slip": Field(slips[0][1] if slips else "none", "written", place),
        "nearest": Field(nearest.value if nearest else None, "written" if nearest else "absent", place),
        "client": Field("client", "written" if page.client else "absent", page.client.span if page.client else at),
        "loopback": Field("yes" if loopback else "no", "written", at),
        "siblings": Field(len(own), "written", at),
    }
    if page.by == "settings":
        fields["origin"] = fields["origin"]._replace(span=at)
    return Fact("turned_away", policy.span, fields)


_SAME_MACHINE = frozenset({"localhost", "127.0.0.1", "::1"})


def _slip(listed: str, origin: str) -> str | None:
    """What alone is different between an origin that is listed and one that asks: port, name of the machine, scheme."""
    try:
        one, two = urlsplit(listed), urlsplit(origin)
        ports = [part.port or _PORTS.get(part.scheme) for part in (one, two)]
    except ValueError:
        return None
    schemes, hosts = (one.scheme, two.scheme), (one.hostname, two.hostname)
    if hosts[0] == hosts[1] and schemes[0] == schemes[1] and ports[0] != ports[1]:
        return "port"
    if hosts[0] == hosts[1] and schemes[0] != schemes[1] and (one.port == two.port):
        return "scheme"
    same_machine = set(hosts) <= _SAME_MACHINE and hosts[0] != hosts[1]
    return "machine" if same_machine and schemes[0] == schemes[1] and ports[0] == ports[1] else None


_PORTS = {"http": 80, "https": 443}


# --- who asks --------------------------------------------------------------------------------------------------------


def _requests_by_policy(world: World) -> dict[int, list[tuple[Fact, str]]]:
    """The requests that reach exactly one policy, by that; with how sure that is."""
    found: dict[int, list[tuple[Fact, str]]] = defaultdict(list)
    for request in world.of_kind("http_request"):
        if request.field("browser").value == "no" or request.field("mode").value in ("no-cors", "same-origin"):
            continue
        path = urlsplit(str(request.field("address").value or "")).path
        met: list[tuple[Fact, str, Tri]] = []
        for policy in world.partners("connects_to", request, "cors_policy"):
            related = world.ask("connects_to", request, policy)
            if related.answer is Tri.YES:
                reach = reaches(world, policy, path)
                if reach is not Tri.NO:
                    met.append((policy, related.confidence, reach))
        if len(met) == 1 and met[0][2] is Tri.YES:
            found[id(met[0][0])].append((request, met[0][1]))
    for client in world.of_kind("socket_client"):
        polls = client.field("polling").value == "yes" and client.field("same_origin").value != "yes"
        for policy in world.partners("connects_to", client, "cors_policy") if polls else ():
            if policy.field("layer").value == "socket":
                related = world.ask("connects_to", client, policy)
                if related.answer is Tri.YES:
                    found[id(policy)].append((client, related.confidence))
    return found


def _routes(world: World, policy: Fact, methods: _List) -> Iterator[_Use]:
    """The routes behind a policy whose methods it does not list."""
    for route in world.partners("covers", policy, "http_route"):
        own = route.field("methods")
        if not isinstance(own.value, tuple):
            continue
        missing = [name for name in own.value if name not in _UNASKED_METHODS and name not in methods.names]
        if not missing:
            continue
        related = world.ask("covers", policy, route)
        if related.answer is Tri.YES and world.visible(route, policy):
            for name in missing:
                yield _Use(name, route.span, "route", route, related.confidence)


def _methods(asked: list[tuple[Fact, str]] | tuple[()], methods: _List) -> Iterator[_Use]:
    """The methods that requests have and that are not listed."""
    for request, sure in asked:
        method = request.field("method")
        if not isinstance(method.value, str) or method.value in _UNASKED_METHODS or method.value in methods.names:
            continue
        yield _Use(method.value, request.span, "request", request, sure)


def _headers(asked: list[tuple[Fact, str]] | tuple[()], listed: _List) -> Iterator[_Use]:
    """The request headers that are not listed."""
    known = {name.lower() for name in listed.names}
    for client, sure in asked:
        by = "socket" if client.kind == "socket_client" else "request"
        for name in _texts(client, "sends"):
            # A wildcard is none for this header (Fetch), though Chromium and Firefox still take it for one.
            if name not in known and _ANY_LIST not in known:
                at = client.field(f"sends_at.{name}")
                yield _Use(str(at.value), at.span or client.span, by, client, sure)


def _read(asked: list[tuple[Fact, str]] | tuple[()], exposed: _List) -> Iterator[_Use]:
    """The response headers that pages read and that are not exposed."""
    known = {name.lower() for name in exposed.names}
    for request, sure in asked:
        for name in _texts(request, "reads"):
            if name not in known and _ANY_LIST not in known:
                at = request.field(f"reads_at.{name}")
                yield _Use(str(at.value), at.span or request.span, "request", request, sure)


def _texts(fact: Fact, name: str) -> tuple[str, ...]:
    found = fact.field(name).value
    return found if isinstance(found, tuple) else ()


# --- facts -----------------------------------------------------------------------------------------------------------


def _facts(
    policy: Fact, what: str, part: str, held: _List, uses: list[_Use], source: Callable[[str], SourceFile]
) -> Iterator[Fact]:
    names = tuple(dict.fromkeys(use.name for use in uses))
    option = policy.field(f"options.{part}")
    copied = ("framework", "library", "language", "version", "major", "fence")
    common = {name: policy.fields[name] for name in copied if name in policy.fields}
    instead = (
        with_further(source(held.at.path).text(held.at), names)
        if held.written
        else _new_list(held.names, names, policy)
    )
    for use in uses:
        other = next((name for name in held.names if name.lower() == use.name.lower()), None)
        fenced = use.fact.field("fence")
        fields = {
            **common,
            "what": Field(what, "written", held.at),
            "names": Field(names, "written", held.at),
            "missing": Field(use.name, "written", use.at, (), use.confidence),
            "by": Field(use.by, "written", use.at),
            "listed": Field(held.names, "written" if held.written else "default", held.at, (), held.confidence),
            "written": Field("yes" if held.written else "no", "written", held.at),
            "read_only": Field("yes" if set(held.names) <= _READING else "no", "written", held.at),
            "other_case": Field(other, "absent" if other is None else "written", held.at),
            "option": option,
            "options": policy.field("options"),
            "instead": Field(instead, "absent" if instead is None else "written", held.at),
        }
        if fenced.value == "development":
            fields["fence"] = fenced
        yield Fact("unlisted", policy.span, fields)


def with_further(text: str, names: tuple[str, ...]) -> str | None:
    """Source text of a list, in brackets or in one text, with further names; None where it is neither."""
    text = text.strip()
    if len(text) < 2:
        return None
    inner = text[1:-1].strip()
    if text[0] + text[-1] in ("[]", "()"):
        last = inner.rstrip(",").rstrip()[-1:]
        quote = last if last in ("'", '"') else None
        if quote is None:
            return None
        more = ", ".join(f"{quote}{name}{quote}" for name in names)
        return f"{text[0]}{inner.rstrip(',').rstrip()}, {more}{text[-1]}"
    if text[0] == text[-1] and text[0] in "'\"`":
        joint = ", " if ", " in inner or "," not in inner else ","
        return f"{text[0]}{joint.join((inner, *names))}{text[0]}"
    return None


def _new_list(held: tuple[str, ...], names: tuple[str, ...], policy: Fact) -> str:
    quote = "'" if policy.field("language").value == "javascript" else '"'
    return "[" + ", ".join(f"{quote}{name}{quote}" for name in (*held, *names)) + "]"


# --- Content-Security-Policy -----------------------------------------------------------------------------------------

_AS_SOCKET = {"http": "ws", "https": "wss", "ws": "ws", "wss": "wss"}
_AS_REQUEST = {"ws": "http", "wss": "https", "http": "http", "https": "https"}


class Said(NamedTuple):
    """What a page's policy says about connections, and where."""

    directive: str
    sources: tuple[str, ...]
    at: Span
    written: bool


def blocked(world: World, source: Callable[[str], SourceFile], declared: Iterable[str]) -> Iterator[Fact]:
    """A fact for each connection of a page that the page's own Content-Security-Policy blocks."""
    hosts = frozenset(host for origin in declared if (host := urlsplit(origin).hostname))
    policies = world.of_kind("content_security_policy")
    clients = [
        client
        for kind in ("http_request", "socket_client")
        for client in (world.of_kind(kind) if policies else ())
        if client.field("browser").value != "no" and client.field("base").value != "yes"
    ]
    for policy in policies:
        said = _in_force(policy)
        if said is None:
            continue
        for client in clients:
            sure = _shows(world, policy, client)
            if sure is None or not world.visible(client, policy):
                continue
            what = _blocks(said.sources, client, _own(world, policy, client, said.sources, hosts))
            if what is not None:
                yield _blocked(policy, said, client, what, sure, source)


def said_to(world: World, client: Fact) -> Iterator[Said]:
    """What the policies of the pages that a client runs in say about its connections."""
    for policy in world.of_kind("content_security_policy"):
        said = _in_force(policy)
        if said is not None and _shows(world, policy, client) is not None and world.visible(client, policy):
            yield said


def _in_force(policy: Fact) -> Said | None:
    """What a policy says that is certainly sent, and does more than report."""
    certain = policy.field("enabled").value == "yes" and policy.field("report_only").value == "no"
    return _said(policy) if certain else None


def _said(policy: Fact) -> Said | None:
    text = policy.field("value")
    if isinstance(text.value, str):
        from corslint.behaviour import csp

        found = csp.connections(text.value)
        return Said(*found, text.span or policy.span, True) if found is not None else None
    if text.state != "absent":
        return None
    for name, directive in (("connect", "connect-src"), ("default", "default-src")):
        field = policy.field(name)
        if field.state == "absent":
            continue
        if not isinstance(field.value, tuple):
            return None
        written = field.state == "written"
        return Said(directive, field.value, (field.span if written else None) or policy.span, written)
    return None


def _shows(world: World, policy: Fact, client: Fact) -> str | None:
    """How sure it is that the policy counts for the page that the client runs in; None where nothing says so."""
    by, here, there = policy.field("by").value, policy.span.path, client.span.path
    if here == there and by == "page":
        return "high"
    package = world.topology.package_of
    if by == "page":
        alone = client.field("browser").value == "yes" and not there.endswith((".html", ".htm"))
        alone = alone and package(here) == package(there) and _pages(world)[package(here)] == {here}
        return "medium" if alone else None
    if by == "proxy":
        return "medium" if _homes(world) == {package(there)} and client.field("browser").value == "yes" else None
    process = world.topology.process_of
    if process(there) == process(here):
        return None
    folders = (one.field("folder").value for one in _static(world)[process(here)])
    return "high" if any(isinstance(folder, str) and served.holds(folder, there) for folder in folders) else None


def _pages(world: World) -> Mapping[str, set[str]]:
    """The pages that have a policy of their own, by package."""

    def found() -> dict[str, set[str]]:
        pages: dict[str, set[str]] = defaultdict(set)
        for one in world.with_value("content_security_policy", "by", "page"):
            pages[world.topology.package_of(one.span.path)].add(one.span.path)
        return pages

    return world.remember("pages with a policy", found)


def _homes(world: World) -> frozenset[str]:
    """The packages of the code that runs in browsers."""
    return world.remember(
        "homes of clients",
        lambda: frozenset(
            world.topology.package_of(one.span.path)
            for kind in ("http_request", "socket_client")
            for one in world.with_value(kind, "browser", "yes")
            if one.span.path not in world.in_tests
        ),
    )


def _static(world: World) -> Mapping[Hashable, list[Fact]]:
    """The layers that hand out files, by process."""

    def found() -> dict[Hashable, list[Fact]]:
        layers: dict[Hashable, list[Fact]] = defaultdict(list)
        for one in world.with_value("middleware", "kind", "static"):
            layers[world.topology.process_of(one.span.path)].append(one)
        return layers

    return world.remember("static files", found)


def _address(client: Fact) -> str | None:
    name = "url" if client.kind == "socket_client" else "address"
    value = client.field(name).value
    return value if isinstance(value, str) and urlsplit(value).scheme in _AS_SOCKET else None


def _own(world: World, policy: Fact, client: Fact, sources: Iterable[str], hosts: Collection[str]) -> Tri:
    """Whether the client's host and port are those of its page."""
    parts = urlsplit(_address(client) or "")
    host, port = parts.hostname or "", client.field("url_port").value
    if not is_loopback(host):
        named = any(urlsplit(one if "//" in one else f"//{one}").hostname == host for one in sources if "." in one)
        if hosts:
            return tri(host in hosts)
        return Tri.NO if named else Tri.UNKNOWN
    package = world.topology.package_of
    for server in world.of_kind("dev_server"):
        if package(server.span.path) == package(client.span.path) and policy.field("by").value == "page":
            number = server.field("port").value
            return tri(number == port) if isinstance(number, int) else Tri.UNKNOWN
    ports = process_ports(world, policy) if policy.field("by").value in ("option", "header") else None
    return tri(port in ports) if ports is not None else Tri.UNKNOWN


def _blocks(sources: tuple[str, ...], client: Fact, own: Tri) -> str | None:
    """What the policy keeps a client from: its request, its socket, or only the WebSocket of a socket that polls."""
    address = _address(client)
    if address is None:
        return None
    parts = urlsplit(address)
    page = "http" if is_loopback(parts.hostname or "") else None

    def allowed(scheme: str) -> Tri:
        from corslint.behaviour import csp

        return csp.allows(sources, parts._replace(scheme=scheme).geturl(), own, page)

    if client.kind == "http_request":
        return "request" if allowed(parts.scheme) is Tri.NO else None
    socket, request = allowed(_AS_SOCKET[parts.scheme]), allowed(_AS_REQUEST[parts.scheme])
    if client.field("websocket_only").value == "yes":
        return "socket" if socket is Tri.NO else None
    if client.field("websocket_only").value != "no":
        return None
    if request is Tri.NO:
        return "socket"
    transports = client.field("transports").value
    upgrades = isinstance(transports, tuple) and "websocket" in transports
    return "upgrade" if socket is Tri.NO and request is Tri.YES and upgrades else None


def _blocked(policy: Fact, said: Said, client: Fact, what: str, sure: str, source: Callable[[str], SourceFile]) -> Fact:
    parts = urlsplit(_address(client) or "")
    sockets = what == "upgrade" or client.field("websocket_only").value == "yes"
    scheme = _AS_SOCKET[parts.scheme] if sockets else _AS_REQUEST[parts.scheme]
    origin = f"{scheme}://{parts.netloc}"
    copied = ("framework", "library", "language", "version", "major", "fence")
    text = policy.field("value").value
    instead: str | None = None
    if isinstance(text, str):
        written = source(said.at.path).text(said.at)
        quote = written[:1] if written[:1] in ("'", '"', "`") and written[:1] == written[-1:] else ""
        from corslint.behaviour import csp

        wide = csp.widened(text, origin)
        instead = f"{quote}{wide}{quote}" if wide is not None and quote not in ("", *wide) else None
    elif said.directive == "connect-src" and said.written:
        instead = with_further(source(said.at.path).text(said.at), (origin,))
    fields = {
        **{name: policy.fields[name] for name in copied if name in policy.fields},
        "by": policy.field("by"),
        "url": Field(_address(client), "written", client.field("url").span or client.span, (), sure),
        "origin": Field(origin, "written", client.span),
        "directive": Field(said.directive, "written", said.at),
        "sources": Field(said.sources, "written" if said.written else "default", said.at),
        "written": Field("yes" if said.written else "no", "written", said.at),
        "what": Field(what, "written", client.span),
        "instead": Field(instead, "absent" if instead is None else "written", said.at),
        "options": policy.field("options"),
    }
    return Fact("blocked_connection", policy.span, fields)
