"""Sockets behind nginx: traps that have to stay silent, times, and upstreams that are containers."""

from __future__ import annotations

import pytest

from corslint import lint
from corslint.behaviour.nginx_sockets import milliseconds
from corslint.settings import Settings
from tests.examples import findings_of

_KNOWN = lint.knowledge()
_RULES = {
    "broken-connection-header", "forwarded-headers-missing", "lost-upgrade-headers", "missing-upgrade-headers",
    "no-sticky-sessions", "proxy-http-version", "short-websocket-timeout", "socket-path-not-routed",
    "socket-path-stolen", "socket-path-stripped",
}  # fmt: skip
_SERVER = b"const { Server } = require('socket.io');\nnew Server(3000);\n"
_CLIENT = b"import { io } from 'socket.io-client';\nexport const socket = io();\n"
_UPGRADES = """
    proxy_http_version 1.1;
    proxy_set_header Host $http_host;
    proxy_set_header Upgrade $http_upgrade;
    proxy_set_header Connection "upgrade";
"""


def said(files: dict[str, bytes]) -> list[str]:
    """The rules about sockets that speak, notes left out."""
    found = findings_of(files, Settings(), _KNOWN)
    return [one.rule for one in found if one.rule in _RULES and one.severity != "note"]


TRAPS = {
    "try_files that never finds a file": """
        server {
            location /socket.io/ { try_files /dev/null @ws; }
            location @ws { proxy_pass http://127.0.0.1:3000; UPGRADES }
        }""",
    "an absolute include that is not here": """
        server {
            include /etc/nginx/snippets/server.conf;
            location /socket.io/ { proxy_pass http://127.0.0.1:3000/; }
        }""",
    "an include in the location": """
        server {
            UPGRADES
            location /socket.io/ { include snippets/proxy.conf; proxy_pass http://127.0.0.1:3000; }
        }""",
    "an if that returns": """
        server {
            location /socket.io/ {
                if ($http_user_agent ~ bot) { return 403; }
                proxy_pass http://127.0.0.1:3000;
                UPGRADES
            }
        }""",
    "an if on the server that redirects": """
        server {
            if ($scheme = http) { return 301 https://$host$request_uri; }
            location /socket.io/ { proxy_pass http://127.0.0.1:3000; UPGRADES }
        }""",
    "server and location, each with all of it": """
        server {
            UPGRADES
            location /socket.io/ { proxy_pass http://127.0.0.1:3000; UPGRADES }
        }""",
    "an upgrade that an error page sends on": """
        server {
            location /socket.io/ {
                error_page 418 = @ws;
                if ($http_upgrade) { return 418; }
                proxy_pass http://127.0.0.1:3000;
            }
            location @ws { proxy_pass http://127.0.0.1:3000; UPGRADES }
        }""",
    "a port that a variable holds": """
        map $arg_room $backend { default 3000; vip 3001; }
        server {
            location /socket.io/ { proxy_pass http://127.0.0.1:$backend; UPGRADES }
        }""",
    "a target that a template fills in": """
        server {
            location /socket.io/ { proxy_pass ${BACKEND}; UPGRADES }
        }""",
}


@pytest.mark.parametrize("trap", TRAPS)
def test_traps(trap: str) -> None:
    text = TRAPS[trap].replace("UPGRADES", _UPGRADES)
    assert said({"nginx.conf": text.encode(), "server.js": _SERVER, "client.js": _CLIENT}) == []


@pytest.mark.parametrize(
    ("text", "time"),
    [
        ("90", 90_000),
        ("90s", 90_000),
        ("1m", 60_000),
        ("1m30s", 90_000),
        ("1m 30s", 90_000),
        ("500ms", 500),
        ("1h", 3_600_000),
        ("1d", 86_400_000),
        ("", None),
        ("s", None),
        ("1x", None),
        ("$t", None),
        ("1.5s", None),
    ],
)
def test_times(text: str, time: int | None) -> None:
    assert milliseconds(text) == time


_COMPOSE = b"""
services:
  proxy:
    image: nginx:1.28
    volumes: ["./nginx.conf:/etc/nginx/conf.d/default.conf"]
  chat:
    build: ./chat
  shop:
    build: ./shop
"""


def container(name: str) -> dict[str, bytes]:
    """A project of two containers that listen on the same port, and nginx in front of the named one."""
    nginx = f"server {{\n    location /socket.io/ {{\n        proxy_pass http://{name}:3000/;\n    }}\n}}\n"
    return {
        "compose.yaml": _COMPOSE,
        "chat/server.js": _SERVER,
        "shop/server.js": b"const { Server } = require('socket.io');\nnew Server(3000, { path: '/' });\n",
        "nginx.conf": nginx.encode(),
    }


def test_the_name_of_a_container_leads_to_its_folder() -> None:
    found = [one for one in findings_of(container("chat"), Settings(), _KNOWN) if one.rule == "socket-path-stripped"]
    assert [one.confidence for one in found] == ["high"]
    places = {place.span.path for place in found[0].related}
    assert "chat/server.js" in places
    assert "shop/server.js" not in places


def test_the_other_container_answers_under_what_is_left() -> None:
    assert "socket-path-stripped" not in said(container("shop"))


def test_an_upstream_of_a_container() -> None:
    files = container("chat")
    files["nginx.conf"] = b"upstream app {\n    server chat:3000;\n}\n" + files["nginx.conf"].replace(
        b"http://chat:3000/", b"http://app/"
    )
    assert "socket-path-stripped" in said(files)


def test_both_layers_of_one_container_send_cors() -> None:
    app = b"const express = require('express');\nconst cors = require('cors');\nconst app = express();\n"
    server = app + b"app.use(cors({ origin: 'https://www.example.com' }));\napp.listen(3000);\n"
    nginx = b"server {\n    location / {\n        proxy_pass http://shop:3000;\n"
    nginx += b"        add_header Access-Control-Allow-Origin https://www.example.com always;\n    }\n}\n"
    files = {"compose.yaml": _COMPOSE, "chat/server.js": app + b"app.listen(3000);\n", "shop/server.js": server}
    found = findings_of({**files, "nginx.conf": nginx}, Settings(), _KNOWN)
    places = {place.span.path for one in found if one.rule == "proxy-and-app-cors" for place in one.related}
    assert places == {"nginx.conf", "shop/server.js"}
    found = findings_of({**files, "nginx.conf": nginx.replace(b"shop", b"chat")}, Settings(), _KNOWN)
    assert not [one for one in found if one.rule == "proxy-and-app-cors"]


def test_the_container_is_built_from_the_whole_project() -> None:
    """Nothing tells then which folder it is; the port has to."""
    files = {**container("chat"), "compose.yaml": _COMPOSE.replace(b"./chat", b".")}
    assert "socket-path-stripped" not in said(files)


def passing(target: str, before: str = "") -> bytes:
    """A configuration that takes the socket's path away on the way to this target."""
    return f"{before}server {{\n    location /socket.io/ {{\n        proxy_pass http://{target};\n    }}\n}}\n".encode()


def listening(where: str) -> bytes:
    """A program with a socket that listens there."""
    made = "const http = require('http').createServer();\nnew (require('socket.io').Server)(http);\n"
    return f"{made}http.listen({where});\n".encode()


_BY_SOCKET = {"chat/server.js": listening("'/run/chat.sock'"), "shop/server.js": listening("'/run/shop.sock'")}


@pytest.mark.parametrize(
    ("config", "server"),
    [
        (passing("unix:/run/chat.sock:/"), "chat/server.js"),
        (passing("unix:/run/shop.sock:/"), "shop/server.js"),
        (passing("chat/", "upstream chat { server unix:/run/chat.sock; }\n"), "chat/server.js"),
        (passing("unix:/run/other.sock:/"), None),
    ],
)
def test_a_unix_socket_leads_to_what_listens_on_it(config: bytes, server: str | None) -> None:
    found = findings_of({**_BY_SOCKET, "nginx.conf": config}, Settings(), _KNOWN)
    places = [place.span.path for one in found if one.rule == "socket-path-stripped" for place in one.related]
    assert [path for path in places if path.endswith(".js")] == ([] if server is None else [server])


_PUBLISHED = b"""
services:
  chat:
    build: ./chat
    ports: ["8080:3000"]
  shop:
    build: ./shop
    ports: ["127.0.0.1:8081:3000/tcp"]
"""


@pytest.mark.parametrize(("port", "server"), [(8080, "chat/server.js"), (8081, "shop/server.js"), (8082, None)])
def test_a_published_port_leads_into_its_container(port: int, server: str | None) -> None:
    files = {"compose.yaml": _PUBLISHED, "chat/server.js": listening("3000"), "shop/server.js": listening("3000")}
    found = findings_of({**files, "nginx.conf": passing(f"127.0.0.1:{port}/")}, Settings(), _KNOWN)
    places = [place.span.path for one in found if one.rule == "socket-path-stripped" for place in one.related]
    assert [path for path in places if path.endswith(".js")] == ([] if server is None else [server])


def test_somebody_elses_image_is_not_our_server() -> None:
    files = {"server.js": listening("3000"), "nginx.conf": passing("chat:3000/")}
    assert "server.js" in places_of(files, "socket-path-stripped")
    files["compose.yaml"] = b"services:\n  chat:\n    image: acme/chat:3\n"
    assert "server.js" not in places_of(files, "socket-path-stripped")


def places_of(files: dict[str, bytes], rule: str) -> set[str]:
    """The files that the rule's findings name."""
    found = [one for one in findings_of(files, Settings(), _KNOWN) if one.rule == rule]
    return {place.span.path for one in found for place in one.related}
