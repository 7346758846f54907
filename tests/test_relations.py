"""Relations: three-valued tables, one per relation."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import pytest

from corslint.model.decisions import is_loopback
from corslint.model.facts import Fact, Field
from corslint.model.finding import Place
from corslint.model.tri import Tri
from corslint.relations import Related, World
from corslint.relations.table import RELATIONS, closest
from corslint.source import Span

ABSENT = Field(None, "absent")
UNKNOWN = Field(None, "unknown")
YES, NO, DUNNO = Tri.YES, Tri.NO, Tri.UNKNOWN


def at(start: int, path: str = "server.js") -> Span:
    return Span(path, start, start + 1)


def fact(kind: str, span: Span, /, **fields: object) -> Fact:
    named = {name.replace("__", "."): value for name, value in fields.items()}
    return Fact(kind, span, {n: v if isinstance(v, Field) else Field(v, "written", span) for n, v in named.items()})


def server(start: int = 0, path: str = "server.js", /, **fields: object) -> Fact:
    return fact("socket_server", at(start, path), instance=at(start, path), **fields)


def policy(start: int = 100, path: str = "server.js", /, **fields: object) -> Fact:
    return fact("cors_policy", at(start, path), **{"instance": at(start, path), "layer": "http", **fields})


def client(path: str = "client.js", /, **fields: object) -> Fact:
    return fact("socket_client", at(0, path), **fields)


def route(start: int = 0, path: str = "nginx.conf", /, **fields: object) -> Fact:
    given = {"proxied": "yes", "path": "/", "modifier": "", "upstream": "127.0.0.1", **fields}
    return fact("proxy_route", at(start, path), **given)


class Places:
    """Packages by folder; processes by the groups given, else by file; ports by the server's place."""

    def __init__(
        self,
        packages: Iterable[str] = (),
        processes: Iterable[Iterable[str]] = (),
        ports: Mapping[Span, Iterable[int]] | None = None,
    ) -> None:
        self._packages = sorted(packages, key=len, reverse=True)
        self._processes = {path: number for number, group in enumerate(processes) for path in group}
        self._ports = ports or {}

    def package_of(self, path: str) -> str:
        return next((package for package in self._packages if path.startswith(f"{package}/")), "")

    def process_of(self, path: str) -> object:
        return self._processes.get(path, path)

    def server_ports(self, server: Fact) -> frozenset[int] | None:
        ports = self._ports.get(server.span)
        return None if ports is None else frozenset(ports)


def ask(relation: str, first: Fact, second: Fact, others: Iterable[Fact] = (), places: Places | None = None) -> Related:
    return World([first, second, *others], places or Places()).ask(relation, first, second)


def answer(*arguments: object, **named: object) -> tuple[Tri, str]:
    related = ask(*arguments, **named)  # type: ignore[arg-type]
    return related.answer, related.confidence


# --- of -------------------------------------------------------------------------------------------------------------

MEDIUM = Field(at(0), "written", None, (), "medium")


@pytest.mark.parametrize(
    ("part", "whole", "expected"),
    [
        (policy(socket=at(0)), server(0), (YES, "high")),
        (policy(socket=at(1)), server(0), (NO, "high")),
        (policy(socket=MEDIUM), server(0), (YES, "medium")),
        (policy(socket=UNKNOWN), server(0), (DUNNO, "high")),
        (policy(socket=ABSENT), server(0), (NO, "high")),
        (policy(), server(0), (NO, "high")),
        (policy(socket=at(0)), fact("socket_server", at(0), instance=UNKNOWN), (DUNNO, "high")),
        (fact("origin_entry", at(5), policy=at(100)), policy(100), (YES, "high")),
        (fact("origin_entry", at(5), policy=at(101)), policy(100), (NO, "high")),
        (fact("policy_option", at(5), policy=at(0)), server(0), (YES, "high")),
        (fact("policy_option", at(5), policy=UNKNOWN), server(0), (DUNNO, "high")),
    ],
)
def test_of(part: Fact, whole: Fact, expected: tuple[Tri, str]) -> None:
    assert answer("of", part, whole) == expected


def process(**fields: object) -> Fact:
    return fact("process", at(0, "Procfile"), **fields)


CONTAINER = fact("service", at(0, "compose.yaml"), name="chat", folder="chat")


@pytest.mark.parametrize(
    ("running", "others", "expected"),
    [
        (process(file="server.js"), [], (YES, "high")),
        (process(file="main.js"), [], (YES, "high")),
        (process(file="mail.js"), [], (NO, "high")),
        (process(), [], (DUNNO, "high")),
        (process(port=3000), [], (YES, "medium")),
        (process(port=3000), [server(9, "other.js")], (DUNNO, "high")),
        (process(port=4000), [], (DUNNO, "high")),
        (process(by="compose", name="chat"), [CONTAINER], (NO, "high")),
        (process(by="compose", name="mail"), [CONTAINER], (DUNNO, "high")),
        (process(by="procfile", name="chat"), [CONTAINER], (DUNNO, "high")),
        (
            process(by="compose", name="chat"),
            [fact("service", at(0, "c.yaml"), name="chat", folder=".")],
            (YES, "medium"),
        ),
    ],
)
def test_runs(running: Fact, others: list[Fact], expected: tuple[Tri, str]) -> None:
    places = Places(processes=[["server.js", "main.js"]], ports={at(0): [3000]})
    assert answer("runs", running, server(0), others, places) == expected


def test_a_call_starts_more_of_the_program_that_it_stands_in() -> None:
    forked = fact("process", at(0, "main.js"), per_call="yes")
    places = Places(processes=[["server.js", "main.js"]])
    assert answer("runs", forked, server(0), (), places) == (YES, "high")
    assert answer("runs", forked, server(0, "other.js"), (), places) == (NO, "high")
    inside = server(0, "chat/server.js")
    assert answer("runs", process(by="compose", name="chat"), inside, [CONTAINER]) == (YES, "medium")


@pytest.mark.parametrize(
    ("page", "client", "expected"),
    [
        ("http://localhost:5173", "http://localhost:4000", YES),
        ("https://app.example.com", "wss://api.example.com", YES),
        ("http://app.example.com", "https://api.example.com", NO),
        ("http://127.0.0.1:5173", "http://localhost:4000", NO),
        ("https://one.github.io", "https://two.github.io", NO),
        ("app.example.com", "https://api.example.com", DUNNO),
        ("https://app.example.com", None, DUNNO),
        ("https://[app", "https://api.example.com", DUNNO),
    ],
)
def test_shares_site(page: str, client: str | None, expected: Tri) -> None:
    entry = fact("origin_entry", at(5), text=page)
    assert answer("shares_site", entry, fact("socket_client", at(6), url=client or UNKNOWN)) == (expected, "high")


def test_a_client_of_the_own_origin_shares_its_site() -> None:
    entry = fact("origin_entry", at(5), text="https://app.example.com")
    assert ask("shares_site", entry, fact("socket_client", at(6), same_origin="yes")).answer is YES


def test_of_believes_in_parts_before_instances() -> None:
    """One call can make two policies; an entry belongs to one of them."""
    one, two = policy(100), policy(100)
    entry = fact("origin_entry", at(5), policy=at(100))
    entry.parts["policy"] = one
    assert answer("of", entry, one) == (YES, "high")
    assert answer("of", entry, two) == (NO, "high")


# --- listens, same_process ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("target", "other", "expected"),
    [
        (at(7), fact("http_server", at(7), instance=at(7)), YES),
        (at(8), fact("http_server", at(7), instance=at(7)), NO),
        (UNKNOWN, fact("http_server", at(7), instance=at(7)), DUNNO),
        (ABSENT, fact("http_server", at(7), instance=at(7)), NO),
        (at(7), fact("http_app", at(7), instance=at(7)), YES),
        (at(7), server(7), YES),
        (at(3), server(7, http_server=at(3)), YES),
        (at(4), server(7, http_server=at(3)), NO),
        (at(4), server(7, http_server=UNKNOWN), DUNNO),
        (at(7), server(7, http_server=UNKNOWN), YES),
        (at(4), server(7), NO),
    ],
)
def test_listens(target: object, other: Fact, expected: Tri) -> None:
    assert answer("listens", fact("listener", at(50), target=target), other)[0] is expected


@pytest.mark.parametrize(
    ("one", "two", "expected"),
    [("a.js", "a.js", YES), ("a.js", "b.js", YES), ("a.js", "c.js", NO), ("c.js", "d.js", NO)],
)
def test_same_process(one: str, two: str, expected: Tri) -> None:
    places = Places(processes=[["a.js", "b.js"]])
    assert answer("same_process", policy(0, one), server(5, two), places=places) == (expected, "high")


# --- same_app -------------------------------------------------------------------------------------------------------

HTTP = fact("http_server", at(20), instance=at(20), handler=at(10))
LOOSE = fact("http_server", at(20), instance=at(20), handler=UNKNOWN)
APP = fact("http_app", at(10), instance=at(10))
SECOND_APP = fact("http_app", at(11), instance=at(11))
MOUNT = fact("middleware", at(12), app=at(10), handler=at(11))


@pytest.mark.parametrize(
    ("part", "socket", "others", "expected"),
    [
        # the socket server's own policy
        (policy(layer="socket", socket=at(0)), server(0), [], (YES, "high")),
        (policy(layer="socket", socket=at(1)), server(0), [server(1)], (NO, "high")),
        (policy(layer="socket", socket=UNKNOWN), server(0), [server(1)], (DUNNO, "high")),
        (policy(layer="proxy"), server(0), [], (NO, "high")),
        # the http server's handler is the policy's application
        (policy(app=at(10)), server(0, http_server=at(20)), [HTTP, APP, SECOND_APP, server(1)], (YES, "high")),
        (policy(app=at(11)), server(0, http_server=at(20)), [HTTP, APP, SECOND_APP], (NO, "high")),
        (
            policy(app=Field(at(10), "written", None, (), "medium")),
            server(0, http_server=at(20)),
            [HTTP, APP, SECOND_APP],
            (YES, "medium"),
        ),
        # mounted below it
        (policy(app=at(11)), server(0, http_server=at(20)), [HTTP, APP, SECOND_APP, MOUNT], (YES, "high")),
        # named by the socket server, or given in place of a server
        (policy(app=at(10)), server(0, app=at(10)), [SECOND_APP, server(1)], (YES, "high")),
        (policy(app=at(10)), server(0, app=at(11)), [], (NO, "high")),
        (policy(app=at(10)), server(0, http_server=at(10), attached_to_app="yes"), [APP, SECOND_APP], (YES, "high")),
        # the application itself, and its middleware
        (APP, server(0, http_server=at(20)), [HTTP, SECOND_APP], (YES, "high")),
        (fact("middleware", at(70), app=at(10)), server(0, http_server=at(20)), [HTTP, SECOND_APP], (YES, "high")),
        # nothing says it, but there is no other
        (policy(app=at(10)), server(0), [APP], (YES, "medium")),
        (policy(app=UNKNOWN), server(0, http_server=at(20)), [LOOSE], (YES, "medium")),
        (policy(app=UNKNOWN), server(0, http_server=UNKNOWN), [APP, SECOND_APP], (DUNNO, "high")),
        (policy(app=at(10)), server(0), [APP, server(1)], (DUNNO, "high")),
        (policy(app=at(10)), server(0, http_server=at(20)), [LOOSE, APP, SECOND_APP], (DUNNO, "high")),
        # other processes, other packages
        (policy(100, "more.js", app=at(10)), server(0), [APP], (YES, "medium")),
        (policy(100, "other.js"), server(0), [], (NO, "medium")),
        (policy(100, "pkg/other.js"), server(0), [], (NO, "high")),
        # an application elsewhere, or one in tests, is no rival
        (policy(app=UNKNOWN), server(0), [APP, fact("http_app", at(0, "other.js"), instance=at(0))], (YES, "medium")),
    ],
)
def test_same_app(part: Fact, socket: Fact, others: list[Fact], expected: tuple[Tri, str]) -> None:
    places = Places(["pkg"], [["server.js", "more.js"]])
    assert answer("same_app", part, socket, others, places) == expected


def test_same_app_shows_the_http_server() -> None:
    related = ask("same_app", policy(app=at(10)), server(0, http_server=at(20)), [HTTP])
    assert related.evidence == (Place(at(20), "the http server that both share"),)


def test_servers_in_tests_are_no_rivals() -> None:
    one, two, app = server(0), server(0, "test/server.js"), fact("http_app", at(0, "test/server.js"))
    mine = policy()
    places = Places(processes=[["server.js", "test/server.js"]])
    world = World([one, two, app, APP, mine], places, in_tests={"test/server.js"})
    assert world.ask("same_app", mine, one).answer is YES
    assert World([one, two, app, APP, mine], places).ask("same_app", mine, one).answer is DUNNO


# --- connects_to ----------------------------------------------------------------------------------------------------

LOCAL = {"url": "http://localhost:3000", "host": "localhost", "url_port": 3000}


@pytest.mark.parametrize(
    ("to", "ports", "others", "expected"),
    [
        # this machine and a port
        (LOCAL, {0: [3000]}, [], (YES, "high")),
        (LOCAL, {0: [3000], 9: [4000]}, [9], (YES, "high")),
        (LOCAL, {0: [4000]}, [], (NO, "high")),
        (LOCAL, {0: [4000], 9: [3000]}, [9], (NO, "high")),
        (LOCAL, {9: [3000]}, [9], (NO, "high")),
        (LOCAL, {9: [4000]}, [9], (YES, "medium")),
        (LOCAL, {}, [], (YES, "medium")),
        (LOCAL, {}, [9], (DUNNO, "high")),
        (LOCAL, {0: [3000], 9: [3000]}, [9], (DUNNO, "high")),
        ({**LOCAL, "url_port": UNKNOWN}, {0: [4000]}, [], (YES, "medium")),
        ({**LOCAL, "url_port": UNKNOWN}, {0: [4000], 9: [3000]}, [9], (DUNNO, "high")),
        ({"url": "https://localhost", "host": "localhost", "url_port": ABSENT}, {0: [443]}, [], (YES, "high")),
        ({"url": "http://localhost", "host": "localhost", "url_port": ABSENT}, {0: [443]}, [], (NO, "high")),
        ({**LOCAL, "host": Field("localhost", "written", None, (), "low")}, {0: [3000]}, [], (YES, "low")),
        # another machine, the page's own origin, or nobody knows
        ({"url": "https://chat.example.com", "host": "chat.example.com"}, {0: [3000]}, [], (DUNNO, "high")),
        ({"url": "https://chat.example.com", "host": "chat.example.com"}, {0: [3000]}, [9], (DUNNO, "high")),
        ({"same_origin": "yes"}, {}, [], (YES, "medium")),
        ({"same_origin": "yes"}, {}, [9], (DUNNO, "high")),
        ({"url": UNKNOWN, "host": UNKNOWN}, {}, [], (YES, "medium")),
        ({"url": UNKNOWN, "host": UNKNOWN}, {}, [9], (DUNNO, "high")),
    ],
)
def test_connects_to(
    to: dict[str, object], ports: dict[int, list[int]], others: list[int], expected: tuple[Tri, str]
) -> None:
    places = Places(ports={at(start): numbers for start, numbers in ports.items()})
    assert answer("connects_to", client(**to), server(0), [server(start) for start in others], places) == expected


@pytest.mark.parametrize(
    ("listed", "expected"),
    [
        ("https://www.example.com", YES),
        ("https://example.com/", YES),
        ("https://www.example.org", DUNNO),
        ("http://localhost:5173", DUNNO),
        ("*", DUNNO),
    ],
)
def test_a_host_of_the_pages_own_domain_is_the_projects(listed: str, expected: Tri) -> None:
    mine, only = client(url="https://chat.example.com", host="chat.example.com"), server(0)
    entry = fact("origin_entry", at(50), text=listed)
    assert World([mine, only, entry], Places()).ask("connects_to", mine, only).answer is expected


def test_a_client_connects_to_the_policy_of_its_server() -> None:
    one, mine = server(0, port=3000), client(host="localhost", url_port=3000)
    own, other = policy(10, layer="socket", socket=at(0)), policy(20)
    doubtful = policy(30, layer="socket", socket=UNKNOWN)
    stray = policy(40, layer="socket", socket=at(77))
    world = World([one, mine, own, other, doubtful, stray], Places(ports={at(0): [3000]}))
    assert world.ask("connects_to", mine, own) == Related(YES)
    assert world.ask("connects_to", mine, other) == Related(NO)
    assert world.ask("connects_to", mine, doubtful) == Related(DUNNO)
    assert world.ask("connects_to", mine, stray) == Related(DUNNO)


@pytest.mark.parametrize(
    ("where", "servers", "packages", "chosen"),
    [
        ("web/client.js", ["api/server.js"], [], "api/server.js"),
        ("web/client.js", ["api/a.js", "api/b.js"], [], None),
        # its own package
        ("one/web/client.js", ["one/server.js", "two/server.js"], ["one", "two"], "one/server.js"),
        ("one/web/client.js", ["one/a.js", "one/b.js", "two/c.js"], ["one", "two"], None),
        ("one/web/client.js", ["one/web/a.js", "one/b.js", "two/c.js"], ["one", "two"], "one/web/a.js"),
        # the deepest folder that holds both
        ("demo/chat/web/client.js", ["demo/chat/api/a.js", "demo/game/b.js", "c.js"], [], "demo/chat/api/a.js"),
        ("demo/chat/client.js", ["demo/chat/a.js", "demo/chat/b.js", "demo/c.js"], [], None),
        ("demo/chat/client.js", ["demo/game/a.js", "demo/b.js", "c.js"], [], None),
        ("demo/chat/client.js", ["demolition/a.js", "demo/b.js"], [], "demo/b.js"),
        ("client.js", ["a/a.js", "b/b.js"], [], None),
        ("client.js", [], [], None),
    ],
)
def test_the_closest_server(where: str, servers: list[str], packages: list[str], chosen: str | None) -> None:
    facts = [server(0, path) for path in servers]
    world = World(facts, Places(packages))
    found = closest(world, where, world.of_kind("socket_server"))
    assert (found.span.path if found is not None else None) == chosen
    mine = client(where, url=UNKNOWN)
    for one in facts:
        expected = DUNNO if chosen is None else YES if one.span.path == chosen else NO
        assert World([mine, *facts], Places(packages)).ask("connects_to", mine, one).answer is expected


def test_a_socket_io_client_cannot_use_a_plain_websocket() -> None:
    plain, real, mine = server(0, kind="websocket"), server(9, kind="socket.io"), client()
    world = World([plain, real, mine], Places())
    assert world.ask("connects_to", mine, plain) == Related(NO)
    assert world.ask("connects_to", mine, real) == Related(YES, "medium")


def test_a_server_in_tests_is_unknown_to_a_client_outside() -> None:
    real, fake, mine, theirs = server(0), server(0, "test/a.js"), client(), client("test/c.js")
    world = World([real, fake, mine, theirs], Places(), in_tests={"test/a.js", "test/c.js"})
    assert world.ask("connects_to", mine, real).answer is YES
    assert world.ask("connects_to", mine, fake).answer is DUNNO
    assert world.ask("connects_to", theirs, fake).answer is YES


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("localhost", True),
        ("LocalHost.", True),
        ("127.0.0.1", True),
        ("127.1.2.3", True),
        ("[::1]", True),
        ("::1", True),
        ("app.localhost", True),
        ("0.0.0.0", True),
        ("10.0.0.1", False),
        ("localhost.example.com", False),
        ("backend", False),
    ],
)
def test_loopback(host: str, expected: bool) -> None:
    assert is_loopback(host) is expected


# --- served_by ------------------------------------------------------------------------------------------------------

SOCKET = {"carries_socket": "yes", "path": "/socket.io/"}


@pytest.mark.parametrize(
    ("fields", "ports", "expected"),
    [
        # ports decide
        ({**SOCKET, "upstream_port": 3000}, [3000], (YES, "high")),
        ({**SOCKET, "upstream_port": 3000, "upstream": "backend"}, [3000], (YES, "medium")),
        ({**SOCKET, "upstream_port": 4000}, [3000], (NO, "high")),
        ({**SOCKET, "upstream_port": 4000, "upstream": "backend"}, [3000], (NO, "medium")),
        # one of them is not known: the only server, the only route
        ({**SOCKET, "upstream_port": 3000}, None, (YES, "medium")),
        ({**SOCKET, "upstream_port": UNKNOWN}, [3000], (YES, "medium")),
        ({**SOCKET, "upstream": UNKNOWN}, [3000], (YES, "medium")),
        ({**SOCKET, "upstream": "api.example.com"}, None, (DUNNO, "high")),
        ({**SOCKET, "upstream": "api.example.com", "upstream_port": 3000}, [3000], (YES, "medium")),
        # it passes nothing on
        ({**SOCKET, "proxied": "no", "upstream_port": 3000}, [3000], (NO, "high")),
        ({**SOCKET, "proxied": UNKNOWN, "upstream_port": 3000}, [3000], (DUNNO, "high")),
        # paths
        ({**SOCKET, "carries_socket": "no", "upstream_port": 3000}, [3000], (NO, "high")),
        ({"path": "/api/", "upstream_port": 3000}, [3000], (NO, "high")),
        ({"path": "/", "upstream_port": 3000}, [3000], (YES, "high")),
        ({"path": "/socket.io", "upstream_port": 3000}, [3000], (YES, "high")),
        ({"path": "/socket.io/", "modifier": "=", "upstream_port": 3000}, [3000], (YES, "high")),
        ({"path": "/", "modifier": "=", "upstream_port": 3000}, [3000], (NO, "high")),
        ({"path": "/chat/", "upstream_path": "/", "upstream_port": 3000}, [3000], (YES, "high")),
        ({"path": "/socket.io/", "upstream_path": "/ws/", "upstream_port": 3000}, [3000], (NO, "high")),
        ({"path": "/socket.io/", "upstream_path": UNKNOWN, "upstream_port": 3000}, [3000], (DUNNO, "high")),
        ({"path": r"^/(api|socket\.io)/", "modifier": "~", "upstream_port": 3000}, [3000], (YES, "high")),
        ({"path": "^/SOCKET", "modifier": "~*", "upstream_port": 3000}, [3000], (YES, "high")),
        ({"path": "^/SOCKET", "modifier": "~", "upstream_port": 3000}, [3000], (NO, "high")),
        ({"path": "(((a*)*)*)*$", "modifier": "~", "upstream_port": 3000}, [3000], (YES, "high")),
        ({"path": "(", "modifier": "~", "upstream_port": 3000}, [3000], (DUNNO, "high")),
        ({"path": "@named", "modifier": "@", "upstream_port": 3000}, [3000], (DUNNO, "high")),
        ({"path": "@named", "modifier": "@", "upstream_port": 3000, "carries_socket": "yes"}, [3000], (YES, "high")),
    ],
)
def test_served_by(fields: dict[str, object], ports: list[int] | None, expected: tuple[Tri, str]) -> None:
    places = Places(ports={} if ports is None else {at(0): ports})
    assert answer("served_by", server(0, path="/socket.io"), route(**fields), places=places) == expected


@pytest.mark.parametrize(
    ("others", "expected"),
    [
        ([], YES),
        # another target that may take the path
        ([route(9, upstream="other")], DUNNO),
        ([route(9, upstream="other", proxied="no")], YES),
        ([route(9, upstream="other", path="/api/")], YES),
        ([route(9, upstream="other", path="x", modifier="@")], DUNNO),
        # the same target
        ([route(9, upstream="backend", path="/socket.io/")], YES),
        ([route(9, upstream="backend", upstream_port=4000)], DUNNO),
        ([route(9, upstream=UNKNOWN)], DUNNO),
        # another server
        ([server(0, "other.js")], DUNNO),
        ([fact("http_app", at(0, "other.js"))], DUNNO),
        ([fact("http_app", at(30))], YES),
        ([fact("socket_client", at(0, "other.js"))], YES),
    ],
)
def test_served_by_without_a_port(others: list[Fact], expected: Tri) -> None:
    assert answer("served_by", server(0, path="/socket.io"), route(upstream="backend"), others)[0] is expected


def test_a_dotted_name_of_an_upstream_block_is_not_elsewhere() -> None:
    block = fact("upstream", at(50, "nginx.conf"), name="chat.backend")
    mine, passing = server(0), route(upstream="chat.backend")
    assert answer("served_by", mine, passing, [block])[0] is YES
    assert answer("served_by", mine, passing)[0] is DUNNO


@pytest.mark.parametrize(
    ("places", "nginx", "expected"),
    [
        (["a/server.js", "b/server.js"], "a/nginx.conf", [YES, NO]),
        (["a/server.js", "b/server.js"], "nginx.conf", [DUNNO, DUNNO]),
    ],
)
def test_two_servers_with_one_port(places: list[str], nginx: str, expected: list[Tri]) -> None:
    servers = [server(0, path) for path in places]
    passing = route(0, nginx, upstream_port=3000)
    ports = Places(ports={one.span: [3000] for one in servers})
    world = World([*servers, passing], ports)
    assert [world.ask("served_by", one, passing).answer for one in servers] == expected


CARRIES = {"carries_socket": "yes", "path": "/socket.io/"}


@pytest.mark.parametrize(
    ("fields", "others", "expected"),
    [
        # no server in the project: the route has to take the client's path, and there may be only one place to go
        (CARRIES, [], (YES, "medium")),
        ({**CARRIES, "path": "/ws/"}, [], (NO, "high")),
        ({"carries_socket": "no"}, [], (NO, "high")),
        ({"carries_socket": UNKNOWN, "path": "/"}, [], (DUNNO, "high")),
        (CARRIES, [route(9, upstream="other", **CARRIES)], (DUNNO, "high")),
        (CARRIES, [route(9, **CARRIES)], (YES, "medium")),
        (CARRIES, [route(9, upstream="other", carries_socket="no")], (YES, "medium")),
        # with a server, both steps count
        (CARRIES | {"upstream_port": 3000}, [server(0, path="/socket.io")], (YES, "medium")),
        (CARRIES | {"upstream_port": 4000}, [server(0, path="/socket.io")], (NO, "high")),
        (CARRIES, [server(0, "a.js"), server(0, "b.js")], (DUNNO, "high")),
    ],
)
def test_goes_through(fields: dict[str, object], others: list[Fact], expected: tuple[Tri, str]) -> None:
    places = Places(ports={at(0): [3000]})
    assert answer("goes_through", client(path="/socket.io"), route(**fields), others, places) == expected


def test_clients_in_tests_go_through_no_proxy() -> None:
    mine, passing = client("tests/a.test.js", path="/socket.io"), route(**CARRIES)
    world = World([mine, passing], Places(), in_tests={"tests/a.test.js"})
    assert world.ask("goes_through", mine, passing).answer is NO


LISTEN = fact("listener", at(40), target=at(20), port=3000)


@pytest.mark.parametrize(
    ("part", "others", "fields", "expected"),
    [
        # a policy's port is that of its application's listeners
        (policy(app=at(10)), [fact("listener", at(40), target=at(10), port=3000)], {}, (YES, "high")),
        (policy(app=at(10)), [HTTP, LISTEN], {}, (YES, "high")),
        (policy(app=at(11)), [HTTP, LISTEN, MOUNT], {}, (YES, "high")),
        (policy(app=at(10)), [HTTP, LISTEN], {"upstream_port": 4000}, (NO, "high")),
        (policy(app=at(10)), [HTTP, fact("listener", at(40), target=at(20), port=UNKNOWN)], {}, (YES, "medium")),
        (policy(app=at(10)), [], {}, (YES, "medium")),
        # or that of its socket server
        (policy(layer="socket", socket=at(0)), [server(0)], {}, (YES, "high")),
        (policy(layer="socket", socket=at(0)), [server(0)], {"path": "/api/"}, (NO, "high")),
        (policy(layer="socket", socket=at(0)), [server(0)], {"carries_socket": "no"}, (NO, "high")),
        # a policy covers every path unless it says which
        (policy(app=at(10)), [HTTP, LISTEN], {"path": "/api/", "carries_socket": "no"}, (YES, "high")),
        (policy(app=at(10), scope="/api"), [HTTP, LISTEN], {"path": "/api/v1/"}, (YES, "high")),
        (policy(app=at(10), scope="/api"), [HTTP, LISTEN], {"path": "/static/"}, (NO, "high")),
        (policy(app=at(10), scope=UNKNOWN), [HTTP, LISTEN], {}, (DUNNO, "high")),
        (policy(app=at(10)), [HTTP, LISTEN], {"path": r"\.php$", "modifier": "~"}, (DUNNO, "high")),
        (policy(layer="proxy"), [], {}, (NO, "high")),
    ],
)
def test_policies_are_served_by_routes(
    part: Fact, others: list[Fact], fields: dict[str, object], expected: tuple[Tri, str]
) -> None:
    places = Places(ports={at(0): [3000]})
    others = [*others, *([] if any(one.kind == "socket_server" for one in others) else [APP])]
    for one in others:
        if one.kind == "socket_server":
            one.fields["path"] = Field("/socket.io")
    assert answer("served_by", part, route(**{"upstream_port": 3000, **fields}), others, places) == expected


def test_served_by_shows_where_the_proxy_passes_on() -> None:
    passing = route(**{"pass": Field("http://127.0.0.1:3000", "written", at(5, "nginx.conf"))}, upstream_port=3000)
    related = ask("served_by", server(0), passing, places=Places(ports={at(0): [3000]}))
    assert related.evidence == (Place(at(5, "nginx.conf"), "the proxy passes requests on from here"),)


# --- serves ---------------------------------------------------------------------------------------------------------


def upstream(name: object = "backend", start: int = 500, path: str = "nginx.conf") -> Fact:
    return fact("upstream", at(start, path), name=name)


@pytest.mark.parametrize(
    ("block", "passing", "others", "expected"),
    [
        (upstream(), route(upstream="backend"), [], (YES, "high")),
        (upstream(), route(upstream="other"), [], (NO, "high")),
        (upstream(), route(upstream="backend", proxied="no"), [], (NO, "high")),
        (upstream(), route(upstream="backend", proxied=UNKNOWN), [], (DUNNO, "high")),
        (upstream(), route(upstream=UNKNOWN), [], (DUNNO, "high")),
        (upstream(UNKNOWN), route(upstream="backend"), [], (DUNNO, "high")),
        # several of one name
        (upstream(), route(upstream="backend"), [upstream(path="other.conf")], (YES, "high")),
        (upstream(path="other.conf"), route(upstream="backend"), [upstream()], (NO, "high")),
        (
            upstream(path="a/up.conf"),
            route(0, "a/n.conf", upstream="backend"),
            [upstream(path="b.conf")],
            (YES, "medium"),
        ),
        (upstream(path="a.conf"), route(0, "n.conf", upstream="backend"), [upstream(path="b.conf")], (DUNNO, "high")),
    ],
)
def test_an_upstream_serves_routes(block: Fact, passing: Fact, others: list[Fact], expected: tuple[Tri, str]) -> None:
    assert answer("serves", block, passing, others) == expected


@pytest.mark.parametrize(
    ("others", "expected"),
    [
        ([route(upstream="backend", upstream_port=3000)], (YES, "medium")),
        ([route(upstream="backend", upstream_port=4000)], (NO, "medium")),
        ([route(upstream="other", upstream_port=3000)], (NO, "high")),
        ([route(upstream=UNKNOWN, upstream_port=3000)], (DUNNO, "high")),
        ([route(upstream="backend", path="/api/", upstream_port=3000)], (NO, "high")),
        ([], (NO, "high")),
        ([route(upstream="other"), route(9, upstream="backend", upstream_port=3000)], (YES, "medium")),
    ],
)
def test_an_upstream_serves_servers_and_their_clients(others: list[Fact], expected: tuple[Tri, str]) -> None:
    places = Places(ports={at(0): [3000]})
    mine, theirs, block = server(0, path="/socket.io"), client(), upstream()
    assert answer("serves", block, mine, [*others, theirs], places) == expected
    assert answer("serves", block, theirs, [*others, mine], places)[0] is expected[0]


@pytest.mark.parametrize(
    ("others", "expected"),
    [
        ([route(upstream="backend", carries_socket="yes")], (YES, "medium")),
        (
            [route(upstream="backend", carries_socket="yes"), route(9, upstream="b2", carries_socket="no")],
            (YES, "medium"),
        ),
        (
            [route(upstream="backend", carries_socket="yes"), route(9, upstream="b2", carries_socket="yes")],
            (DUNNO, "high"),
        ),
        ([route(upstream="backend", carries_socket=UNKNOWN)], (DUNNO, "high")),
        ([route(upstream="backend", carries_socket="no")], (NO, "high")),
        ([], (NO, "high")),
    ],
)
def test_an_upstream_serves_a_client_without_a_server(others: list[Fact], expected: tuple[Tri, str]) -> None:
    assert answer("serves", upstream(), client(), others) == expected


# --- the world and the table ----------------------------------------------------------------------------------------


def test_a_pair_is_worked_out_once(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []
    real = RELATIONS["connects_to"]

    def counted(world: World, one: Fact, two: Fact) -> Related:
        asked.append(one)
        return real.holds(world, one, two)

    monkeypatch.setitem(RELATIONS, "connects_to", real._replace(holds=counted))
    mine, other = client(), server()
    world = World([mine, other], Places())
    assert world.ask("connects_to", mine, other) is world.ask("connects_to", mine, other)
    assert asked == [mine]


def test_the_world_finds_facts() -> None:
    first, second, plain = server(0), server(9), fact("listener", at(3))
    world = World([second, plain, first], Places())
    assert world.of_kind("socket_server") == [first, second]
    assert world.of_kind("package") == ()
    assert world.by_instance(at(9), "socket_server") == [second]
    assert world.by_instance(at(9), "http_server") == []
    assert world.by_instance(at(3), "listener") == []


@pytest.mark.parametrize("name", RELATIONS)
def test_every_relation_is_documented(name: str) -> None:
    relation = RELATIONS[name]
    assert relation.doc.endswith(".")
    assert relation.first
    assert relation.second


# --- outer_than, inner_than -----------------------------------------------------------------------------------------

MAIN, ADMIN, ROUTER = at(1), at(2), at(3)


def layer(start: int, app: Span | Field, index: int | Field, /, kind: str = "middleware", **fields: object) -> Fact:
    return fact(kind, at(start), app=app, outer_index=index, **{"order": "first-is-outermost", **fields})


def app_of(span: Span) -> Fact:
    return fact("http_app", span, instance=span)


FIRST_LAYER = layer(10, MAIN, 0)


def mount(index: int, **fields: object) -> Fact:
    return fact(
        "middleware", at(20 + index), app=MAIN, outer_index=index, handler=ROUTER, kind="mount",
        order="first-is-outermost", **fields,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("outer", "inner", "others", "expected"),
    [
        pytest.param(FIRST_LAYER, layer(12, MAIN, 1), (), YES, id="in the order of one application"),
        pytest.param(layer(12, MAIN, 1), FIRST_LAYER, (), NO, id="the other way round"),
        pytest.param(FIRST_LAYER, FIRST_LAYER, (), NO, id="itself"),
        pytest.param(FIRST_LAYER, layer(12, MAIN, UNKNOWN), (), DUNNO, id="a place that is not known"),
        pytest.param(FIRST_LAYER, layer(12, UNKNOWN, 1), (), DUNNO, id="an application that is not known"),
        pytest.param(FIRST_LAYER, layer(12, ADMIN, 1), (app_of(MAIN), app_of(ADMIN)), NO, id="two applications"),
        pytest.param(FIRST_LAYER, layer(12, ROUTER, 0), (app_of(MAIN),), DUNNO, id="a router that nobody mounts"),
        pytest.param(FIRST_LAYER, layer(12, ROUTER, 0), (mount(1),), YES, id="a router that is mounted further in"),
        pytest.param(FIRST_LAYER, layer(12, ROUTER, 0), (mount(1), mount(2)), DUNNO, id="mounted twice"),
        pytest.param(layer(12, MAIN, 5), layer(13, ROUTER, 0), (mount(1),), NO, id="a router that is mounted before"),
        pytest.param(layer(12, MAIN, 0, path="/a"), layer(13, MAIN, 1, path="/a/b"), (), YES, id="a path inside"),
        pytest.param(layer(12, MAIN, 0, path="/a"), layer(13, MAIN, 1, path="/ab"), (), NO, id="another path"),
        pytest.param(layer(12, MAIN, 0, path="*"), layer(13, MAIN, 1, path="/ab"), (), YES, id="any path"),
        pytest.param(layer(12, MAIN, 0, path="/:a"), layer(13, MAIN, 1, path="/b*"), (), DUNNO, id="a pattern"),
        pytest.param(layer(12, MAIN, 0, path=UNKNOWN), layer(13, MAIN, 1, path="/b"), (), DUNNO, id="unknown"),
        pytest.param(
            layer(12, MAIN, 0, path="/a/b"), layer(13, ROUTER, 0, path="/b"), (mount(1, path="/a"),), YES,
            id="a path below that of its mount",
        ),
        pytest.param(
            layer(12, MAIN, 0, methods=("GET",)), layer(13, MAIN, 1, methods=("PUT",)), (), NO, id="no method in common"
        ),
        pytest.param(
            layer(12, MAIN, UNKNOWN, order="outermost"), layer(13, MAIN, UNKNOWN), (), YES, id="before all others"
        ),
        pytest.param(layer(12, MAIN, 0), layer(13, MAIN, 1, order="outermost"), (), NO, id="behind those"),
    ],
)  # fmt: skip
def test_outer_than(outer: Fact, inner: Fact, others: tuple[Fact, ...], expected: Tri) -> None:
    assert ask("outer_than", outer, inner, others).answer is expected
    assert ask("inner_than", inner, outer, others).answer is expected


# --- requests of pages ----------------------------------------------------------------------------------------------


def request(path: str = "web/client.js", /, **fields: object) -> Fact:
    return fact("http_request", at(0, path), **{"host": "localhost", "url_port": 4000, **fields})


def app(start: int, path: str = "server.js") -> Fact:
    return fact("http_app", at(start, path), instance=at(start, path))


def listener(start: int, port: object, path: str = "server.js") -> Fact:
    return fact("listener", at(start + 50, path), target=at(start, path), port=port)


APP, OTHER = app(0), app(0, "other.js")
GUARD = policy(100, app=at(0))
ELSEWHERE = policy(100, "other.js", app=at(0, "other.js"))


@pytest.mark.parametrize(
    ("client", "others", "expected"),
    [
        (request(), [APP, listener(0, 4000)], (YES, "high")),
        (request(url_port=5000), [APP, listener(0, 4000)], (NO, "high")),
        (request(), [APP], (YES, "medium")),
        (request(), [APP, OTHER, ELSEWHERE, listener(0, 4000), listener(0, 5000, "other.js")], (YES, "high")),
        (request(), [APP, OTHER, ELSEWHERE], (DUNNO, "high")),
        (request(), [APP, OTHER, listener(0, 4000, "other.js")], (NO, "high")),
        (request(host="api.example.com"), [APP, listener(0, 4000)], (DUNNO, "high")),
        (request(host=UNKNOWN), [APP, listener(0, 4000)], (DUNNO, "high")),
        (request(same_origin="yes"), [APP, listener(0, 4000)], (NO, "high")),
        (
            request(host="api.example.com"),
            [APP, fact("origin_entry", at(7), text="https://app.example.com")],
            (YES, "medium"),
        ),
    ],
)
def test_requests_connect_to_policies(client: Fact, others: list[Fact], expected: tuple[Tri, str]) -> None:
    assert answer("connects_to", client, GUARD, others) == expected


def test_requests_connect_to_no_socket_and_no_proxy() -> None:
    assert ask("connects_to", request(), server(5)).answer is NO
    assert ask("connects_to", request(), policy(200, layer="proxy")).answer is NO


def test_a_policy_that_is_written_by_hand_is_reached_at_the_ports_of_its_process() -> None:
    bare = policy(100, instance=ABSENT)
    assert answer("connects_to", request(), bare, [APP, listener(0, 4000)]) == (YES, "high")
    assert answer("connects_to", request(), bare, [APP, listener(0, 5000)]) == (NO, "high")
    assert answer("connects_to", request(), bare, [APP, listener(0, UNKNOWN)]) == (YES, "medium")


# --- covers ---------------------------------------------------------------------------------------------------------


def web_route(start: int = 300, path: str = "server.js", /, **fields: object) -> Fact:
    given = {"app": at(0, path), "path": "/api/items", **fields}
    return fact("http_route", at(start, path), **given)


def cors_layer(start: int, **fields: object) -> Fact:
    return fact("middleware", at(start), **{"app": at(0), "kind": "cors", "handler": at(100), **fields})


MOUNTED = fact("middleware", at(400), app=at(0), handler=at(9), kind="mount", path="/api")


@pytest.mark.parametrize(
    ("guard", "route", "others", "expected"),
    [
        (GUARD, web_route(), [cors_layer(200)], YES),
        (GUARD, web_route(), [], YES),
        (GUARD, web_route(), [cors_layer(200, path="/api")], YES),
        (GUARD, web_route(), [cors_layer(200, path="/widgets")], NO),
        (GUARD, web_route(), [cors_layer(200, path="/:any")], DUNNO),
        (GUARD, web_route(), [cors_layer(200, path=UNKNOWN)], DUNNO),
        (GUARD, web_route(), [cors_layer(200, methods=("GET",))], NO),
        (GUARD, web_route(), [cors_layer(200, methods=("OPTIONS",))], YES),
        (GUARD, web_route(app=at(9), path="/items"), [MOUNTED, cors_layer(200, path="/api")], YES),
        (GUARD, web_route(app=at(9), path="/items"), [cors_layer(200)], NO),
        (GUARD, web_route(app=UNKNOWN), [], DUNNO),
        (GUARD, web_route(300, "far.js", app=UNKNOWN), [], NO),
        (policy(100, app=at(0), layer="socket"), web_route(), [], NO),
        (policy(100, app=at(0), scope="/api/*"), web_route(), [], YES),
        (policy(100, app=at(0), scope="/widgets/*"), web_route(), [], NO),
        (policy(100, app=at(0), scope="^/a.*b$"), web_route(), [], DUNNO),
        (policy(100, app=at(0), scope=UNKNOWN), web_route(), [], DUNNO),
        (GUARD, web_route(), [policy(500, app=at(0))], DUNNO),
        (GUARD, web_route(), [policy(500, app=at(0), scope="/widgets/*")], YES),
        (GUARD, web_route(), [policy(500, app=at(77))], YES),
        (GUARD, web_route(), [policy(500, instance=ABSENT), listener(0, 4000)], DUNNO),
    ],
)
def test_covers(guard: Fact, route: Fact, others: list[Fact], expected: Tri) -> None:
    assert ask("covers", guard, route, [APP, *others]).answer is expected


@pytest.mark.parametrize(
    ("around", "expected"),
    [
        (fact("middleware", at(400), app=at(0), handler=Span("server.js", 90, 200), kind="cors"), YES),
        (fact("middleware", at(400), app=at(0), handler=Span("server.js", 90, 200), path="/widgets"), NO),
        (fact("http_route", at(400), app=at(0), handler=Span("server.js", 90, 200)), DUNNO),
        (fact("middleware", at(400), app=at(0), handler=at(7)), DUNNO),
    ],
)
def test_headers_by_hand_cover_what_their_layer_sees(around: Fact, expected: Tri) -> None:
    bare = policy(100, instance=ABSENT, app=at(0))
    assert ask("covers", bare, web_route(), [APP, around]).answer is expected
