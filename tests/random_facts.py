"""Worlds of random facts: every field that relations look at is known, absent, not known, or not quite sure."""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence

from corslint.model.facts import Fact, Field
from corslint.relations import World
from corslint.source import Span

PATHS = (
    "main.js", "a/server.js", "a/web/page.js", "a/web/more.js", "b/server.js", "b/src/client.js", "tests/server.js",
    "tests/client.js",
)  # fmt: skip
INSTANCES = tuple(Span(path, 10 * number, 10 * number + 5) for number, path in enumerate(PATHS[:5]))
_INSTANCE_FIELDS = (
    "instance", "socket", "app", "handler", "http_server", "registered", "target", "policy", "host_block",
)  # fmt: skip
_VALUES: dict[str, Sequence[object]] = {
    **dict.fromkeys(_INSTANCE_FIELDS, INSTANCES),
    "layer": ("http", "http", "socket", "proxy"),
    "kind": ("mount", "cors", "socket.io", "websocket"),
    "host": ("localhost", "127.0.0.1", "api.example.com", "api.example.org"),
    "url": ("http://localhost:3000", "https://api.example.com", "wss://a.example.com/chat"),
    "text": ("https://app.example.com", "http://localhost:5173", "app.example.com"),
    **dict.fromkeys(("same_origin", "proxied", "carries_socket", "attached_to_app", "per_call"), ("yes", "no")),
    **dict.fromkeys(("url_port", "port", "upstream_port"), (3000, 4000)),
    "outer_index": (0, 1, 2),
    "order": ("first-is-outermost", "first-is-outermost", "outermost", "innermost"),
    "methods": (("GET",), ("GET", "POST"), ("OPTIONS",)),
    **dict.fromkeys(("path", "scope", "asks_for", "upstream_path"), ("/", "/socket.io/", "/api", "/api/*")),
    "modifier": ("", "=", "~"),
    **dict.fromkeys(("upstream", "name"), ("localhost", "backend", "chat")),
    "hosts": (("localhost",), ("chat", "unix:/run/chat.sock")),
    "names": (("localhost",), ("api.example.com",)),
    "ports": ((3000,), (80, 443)),
    "published": (("3000:80",), ("80:4000",)),
    "folder": ("a", "b", "."),
    "file": ("a/server.js", "b/server.js"),
    "by": ("compose", "procfile"),
}
_FIELDS = {
    "cors_policy": ("instance", "layer", "socket", "app", "scope"),
    "origin_entry": ("policy", "text"),
    "policy_option": ("policy",),
    "http_app": ("instance",),
    "http_server": ("instance", "handler"),
    "listener": ("target", "app", "port"),
    "middleware": ("app", "handler", "registered", "kind", "outer_index", "order", "path", "methods"),
    "http_route": ("app", "handler", "outer_index", "order", "path", "methods"),
    "socket_server": ("instance", "http_server", "app", "attached_to_app", "kind", "path"),
    "socket_client": ("url", "host", "url_port", "same_origin", "asks_for", "path"),
    "http_request": ("host", "url_port", "same_origin"),
    "proxy_route": (
        *("proxied", "path", "modifier", "upstream", "upstream_port", "upstream_path"),
        *("carries_socket", "host_block"),
    ),
    "upstream": ("name", "hosts"),
    "socket_gap": ("path", "names", "ports", "host_block"),
    "service": ("name", "folder", "published"),
    "process": ("name", "file", "by", "port", "per_call"),
    "session_cookie": ("app",),
}  # fmt: skip
KINDS = tuple(_FIELDS)


class Places:
    """Packages are some of the folders; files run together in groups; some servers' ports are known."""

    def __init__(self, chance: random.Random) -> None:
        self._packages = [folder for folder in ("a/web", "a", "b") if chance.random() < 0.5]
        self._processes = {path: chance.randrange(4) for path in PATHS}
        self._ports = {span: frozenset({chance.choice((3000, 4000))}) for span in INSTANCES if chance.random() < 0.6}

    def package_of(self, path: str) -> str:
        return next((folder for folder in self._packages if path.startswith(f"{folder}/")), "")

    def process_of(self, path: str) -> int:
        return self._processes[path]

    def server_ports(self, server: Fact) -> frozenset[int] | None:
        instance = server.field("instance").value
        return self._ports.get(instance) if isinstance(instance, Span) else None


def field(name: str, chance: random.Random, sure: float) -> Field:
    """A field: known with this probability, else anything that it may be."""
    value = chance.choice(_VALUES[name])
    if chance.random() < sure:
        return Field(value, "written", Span("main.js", 0, 1))
    return chance.choice((Field(None, "absent"), Field(None, "unknown"), Field(value, "default", None, (), "medium")))


def world(seed: int, kinds: Iterable[str] = KINDS, most: int = 4) -> World:
    """A world of facts of these kinds, up to `most` of each."""
    chance = random.Random(seed)
    sure = chance.choice((0.4, 0.7, 0.95))
    places = Places(chance)
    facts: list[Fact] = []
    for kind in kinds:
        for number in range(chance.randint(0, most)):
            path = chance.choice(PATHS)
            given = [name for name in _FIELDS[kind] if chance.random() < 0.8]
            at = Span(path, 100 * len(facts) + number, 100 * len(facts) + 50)
            facts.append(Fact(kind, at, {name: field(name, chance, sure) for name in given}))
    in_tests = [path for path in PATHS if path.startswith("tests/")] if chance.random() < 0.5 else []
    return World(facts, places, None, in_tests)
