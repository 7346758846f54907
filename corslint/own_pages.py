"""Pages of a socket server's own origin that the server itself turns away.

Some servers compare the Origin of every request with their list, that of their own pages, too: the first request of
such a page has none, but browsers send it with the next one (a POST) and with every WebSocket's handshake. A page that
connects to its own origin has the origin that the server is reached at: nginx's names, or, where the server hands the
page out itself, the port that it listens on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from corslint.crossings import with_further
from corslint.model.decisions import is_loopback
from corslint.model.facts import Fact, Field
from corslint.model.tri import Tri
from corslint.model.urls import urlsplit
from corslint.records import NamedTuple
from corslint.relations import World
from corslint.relations.keyed import Wanted
from corslint.source import SourceFile, Span

_NAMES = ("localhost", "127.0.0.1")
_DEFAULT_PORTS = {"http": "80", "https": "443"}


class _Own(NamedTuple):
    """The server's own origins, the one to show first, and what says so."""

    origins: tuple[str, ...]
    by: str
    at: Span


def turned_away(
    world: World, source: Callable[[str], SourceFile], accepts: Callable[[Fact, str], Tri]
) -> Iterator[Fact]:
    """A fact for each list that leaves out the origin of the server's own pages."""
    for policy in world.of_kind("cors_policy"):
        if policy.field("layer").value != "socket" or policy.field("effect.to_stranger").value != "refused":
            continue
        servers = world.by_instance(instance, "socket_server") if (instance := _span(policy, "socket")) else ()
        if len(servers) != 1 or policy.span.path in world.in_tests:
            continue
        page = _page(world, servers[0])
        listed = _listed(world, policy)
        if page is None or not listed:
            continue
        own = _behind_nginx(world, servers[0]) or _by_itself(world, servers[0], page[0], listed)
        if own is not None and all(accepts(policy, origin) is Tri.NO for origin in own.origins):
            yield _fact(policy, own, page, listed, source)


def _span(fact: Fact, name: str) -> Span | None:
    value = fact.field(name).value
    return value if isinstance(value, Span) else None


def _page(world: World, server: Fact) -> tuple[Fact, str] | None:
    """A client that connects to its own origin, which is the server's, and how sure that is."""
    for client in world.partners("connects_to", server, "socket_client", reverse=True):
        if client.field("same_origin").value == "yes" and client.field("browser").value == "yes":
            related = world.ask("connects_to", client, server)
            if related.answer is Tri.YES and world.visible(client, server):
                return client, related.confidence
    return None


def _listed(world: World, policy: Fact) -> tuple[str, ...]:
    """The origins that the policy lists; nothing where one of them is not known."""
    own = world.with_value("origin_entry", "policy", policy.field("instance").value)
    texts = tuple(str(one.field("text").value) for one in own if isinstance(one.field("text").value, str))
    return texts if len(texts) == policy.field("origin.entries").value else ()


def _behind_nginx(world: World, server: Fact) -> _Own | None:
    """The names under which nginx lets pages reach the server, with TLS and without: that may end before nginx."""
    routes = world.partners("served_by", server, "proxy_route")
    routes = [one for one in routes if world.ask("served_by", server, one).answer is Tri.YES]
    origins: list[str] = []
    for route in routes:
        names, ports = route.field("names").value, route.field("ports").value
        plain = [name for name in names if _is_plain(str(name))] if isinstance(names, tuple) else []
        if not plain or len(plain) != len(names) or not isinstance(ports, tuple):  # type: ignore[arg-type]
            return None
        for scheme in ("https", "http") if route.field("tls").value == "no" else ("https",):
            for name in plain:
                origins.append(f"{scheme}://{name}")
                origins += [f"{scheme}://{name}:{port}" for port in ports if port not in _DEFAULT_PORTS.values()]
    return _Own(tuple(origins), "proxy", routes[0].field("names").span or routes[0].span) if origins else None


def _is_plain(name: str) -> bool:
    return "." in name and not any(mark in name for mark in "*~_$") and not name.endswith(".")


def _by_itself(world: World, server: Fact, page: Fact, listed: tuple[str, ...]) -> _Own | None:
    """The port that the server listens on, where it hands the page out itself and lets in other ports of this machine
    alone. Where something else listens at one of those, the pages may come from there."""
    ports = world.topology.server_ports(server)
    folder = server.span.path.rpartition("/")[0]
    beside = page.span.path.endswith((".html", ".htm")) and page.span.path.startswith(f"{folder}/" if folder else "")
    package = world.topology.package_of
    if not ports or not beside or package(page.span.path) != package(server.span.path):
        return None
    others = {_port(origin) for origin in listed}
    if not all(is_loopback(urlsplit(origin).hostname or "") for origin in listed) or others & _taken(world):
        return None
    says = [one for one in world.of_kind("listener") if one.field("port").value in ports]
    routes = world.partners("served_by", server, "proxy_route", Wanted.OPEN)
    if not says or any(world.ask("served_by", server, one).answer is not Tri.NO for one in routes):
        return None
    origins = tuple(f"http://{name}:{port}" for port in sorted(ports) for name in _NAMES)
    return _Own(origins, "listener", says[0].field("port").span or says[0].span)


def _port(origin: str) -> str:
    parts = urlsplit(origin)
    try:
        return str(parts.port or _DEFAULT_PORTS.get(parts.scheme, ""))
    except ValueError:  # no number, or too large a one
        return ""


def _taken(world: World) -> set[str]:
    """The ports of this machine at which something else may hand out the server's pages."""
    found: set[str] = set()
    for fact in world.facts:
        if fact.kind == "service":
            published = fact.field("published").value
            found |= {str(one).partition(":")[0] for one in published} if isinstance(published, tuple) else set()
        elif fact.kind == "proxy_route":
            ports = fact.field("ports").value
            found |= set(ports) if isinstance(ports, tuple) else set()
        elif fact.kind == "dev_server":
            found.add(str(fact.field("port").value))
    return found


def _fact(
    policy: Fact, own: _Own, page: tuple[Fact, str], listed: tuple[str, ...], source: Callable[[str], SourceFile]
) -> Fact:
    at = policy.field("origin").span or policy.span
    text, origin = source(at.path).text(at), own.origins[0]
    instead = f"[{text}, {text[:1]}{origin}{text[:1]}]" if text[:1] in ("'", '"') else with_further(text, (origin,))
    copied = ("framework", "library", "language", "version", "major", "fence")
    fields = {
        **{name: policy.fields[name] for name in copied if name in policy.fields},
        "origin": Field(origin, "written", at, policy.field("origin").trail, page[1]),
        "by": Field(own.by, "written", own.at),
        "at": Field(origin, "written", own.at),
        "page": Field("page", "written", page[0].span),
        "listed": Field(listed, "written", at),
        "instead": Field(instead, "absent" if instead is None else "written", at),
    }
    return Fact("own_page", policy.span, fields)
