# ruff: noqa: E501 - configurations on one line
"""Mistakes that people make in nginx, ranked by how often they came up and how much they hurt: which rule finds each.

Each row has the bad form, with the places that have to be found, and the good one, in which nothing may be found. Two of
the list are exempt: what they do depends on more than a configuration says (32: a loopback address inside of a
container; 34: a chain of `set` and `if` that leaves a case out).
"""

from __future__ import annotations

from typing import NamedTuple

import pytest

from corslint import lint
from corslint.model.finding import Finding
from corslint.settings import Settings
from tests.examples import findings_of, unmarked

_KNOWN = lint.knowledge()

MISTAKES = frozenset(range(1, 37))
EXEMPT = frozenset({32, 34})


class Row(NamedTuple):
    """One mistake: its number, the rule, both forms. `app` is the application behind, where it matters.

    `good_app` is what stands behind the good form, where that is another; `client` is code of a page.
    """

    number: int
    rule: str
    bad: str
    good: str
    app: str = ""
    severity: str = "error"
    good_app: str = ""
    client: str = ""


def server(*lines: str, before: str = "") -> str:
    """A server with these lines, and what stands in front of it."""
    return "\n".join([*([before] if before else []), "server {", "listen 80;", *lines, "}", ""])


def location(path: str, *lines: str, before: str = "", around: str = "") -> str:
    """A server with one location."""
    return server(*([around] if around else []), f"location {path} {{", *lines, "}", before=before)


PASS = "proxy_pass http://127.0.0.1:3000;"
ROOT = "root /srv;"
PAIR = "proxy_set_header Upgrade $http_upgrade;\nproxy_set_header Connection upgrade;"
VERSION = "proxy_http_version 1.1;"
ORIGIN = "add_header Access-Control-Allow-Origin https://app.example.com always;"
CREDENTIALS = "add_header Access-Control-Allow-Credentials true always;"
HEADERS = "add_header Access-Control-Allow-Headers Content-Type always;"
VARY = "add_header Vary Origin always;"
ALLOWED = "add_header Access-Control-Allow-Origin $allowed always;"
PREFLIGHT = "if ($request_method = OPTIONS) {\n%s\nreturn 204;\n}"
EXPRESS = "const app = require('express')();\n%s\napp.listen(3000);\n"
CORS = EXPRESS % "app.use(require('cors')({ origin: 'https://app.example.com' }));"
SOCKET = "const { Server } = require('socket.io');\nnew Server(%s);\n"
CLIENT = "import { io } from 'socket.io-client';\nexport const socket = io(%s);\n"
BY_ORIGIN = EXPRESS % (
    "app.use((req, res, next) => {\n%s"
    "  if (known.has(req.headers.origin)) res.setHeader('Access-Control-Allow-Origin', req.headers.origin);\n"
    "  next();\n});\nconst known = new Set(['https://a.example.com', 'https://b.example.com']);"
)


def marked(text: str, place: str) -> str:
    """The text with this place marked."""
    assert place in text
    return text.replace(place, f"⟦{place}⟧", 1)


def allowed(*rows: str) -> str:
    """A map of origins to what is sent."""
    return "\n".join(["map $http_origin $allowed {", 'default "";', *rows, "}"])


EXACT = allowed("https://app.example.com $http_origin;")

TABLE = (
    Row(
        1, "missing-upgrade-headers",
        marked(location("/socket.io/", PASS, VERSION), "location /socket.io/"),
        location("/socket.io/", PASS, VERSION, PAIR),
        severity="warning",
    ),
    Row(
        2, "proxy-http-version",
        marked(location("/socket.io/", PASS, PAIR), "location /socket.io/"),
        location("/socket.io/", PASS, VERSION, PAIR),
        severity="warning",
    ),
    Row(3, "proxy-and-app-cors", location("/", PASS, f"⟦{ORIGIN}⟧"), location("/", PASS), app=CORS),
    Row(
        4, "lost-cors-headers",
        location("/files/", ROOT, "⟦add_header Strict-Transport-Security max-age=31536000 always;⟧", around=ORIGIN),
        location("/files/", ROOT, f"add_header Strict-Transport-Security max-age=31536000 always;\n{ORIGIN}", around=ORIGIN),
    ),
    Row(
        5, "cors-header-not-always",
        location("/", PASS, "add_header Access-Control-Allow-Origin ⟦https://app.example.com⟧;"),
        location("/", PASS, ORIGIN),
        severity="warning",
    ),
    Row(
        6, "wildcard-origin-with-credentials",
        location("/", PASS, "add_header Access-Control-Allow-Origin ⟦*⟧ always;", CREDENTIALS),
        location("/", PASS, ALLOWED, CREDENTIALS, VARY, before=EXACT),
    ),
    Row(
        7, "reflected-origin-with-credentials",
        location("/", PASS, "add_header Access-Control-Allow-Origin ⟦$http_origin⟧ always;", CREDENTIALS, VARY),
        location("/", PASS, ALLOWED, CREDENTIALS, VARY, before=EXACT),
    ),
    Row(
        8, "if-replaces-headers",
        location("/", PASS, f"if ($request_method = GET) {{\n{ORIGIN}\n}}", "⟦if ($arg_debug)⟧ {\nset $debug on;\n}"),
        location("/", PASS, ORIGIN, "if ($arg_debug) {\nset $debug on;\n}"),
    ),
    Row(
        9, "duplicate-add-header",
        location("/", PASS, ORIGIN, "⟦add_header access-control-allow-origin https://b.example.com always;⟧"),
        location("/", PASS, ALLOWED, VARY, before=allowed("https://app.example.com $http_origin;", "https://b.example.com $http_origin;")),
    ),
    Row(
        10, "origin-list-in-string",
        location("/", PASS, 'add_header Access-Control-Allow-Origin ⟦"https://a.example.com https://b.example.com"⟧ always;'),
        location("/", PASS, ALLOWED, VARY, before=allowed("https://a.example.com $http_origin;", "https://b.example.com $http_origin;")),
    ),
    Row(
        11, "preflight-needs-auth",
        location("/", "⟦auth_basic staff;⟧", "auth_basic_user_file users;", PASS, ORIGIN, HEADERS),
        location("/", "auth_basic staff;", "auth_basic_user_file users;", PASS, ORIGIN, HEADERS, PREFLIGHT % ""),
    ),
    Row(
        12, "preflight-not-handled",
        location("/files/", ROOT, ORIGIN, f"⟦{HEADERS}⟧"),
        location("/files/", ROOT, ORIGIN, HEADERS, PREFLIGHT % ""),
    ),
    Row(
        13, "lost-upgrade-headers",
        location("/socket.io/", PASS, "⟦proxy_set_header Host $host;⟧", around=f"{VERSION}\n{PAIR}"),
        location("/socket.io/", PASS, f"proxy_set_header Host $host;\n{PAIR}", around=f"{VERSION}\n{PAIR}"),
        severity="warning",
    ),
    Row(
        15, "broken-connection-header",
        "events {}\nhttp {\n"
        + location("/socket.io/", PASS, VERSION, "proxy_set_header Upgrade $http_upgrade;", "proxy_set_header Connection ⟦$connection_upgrade⟧;")
        + "}\n",
        "events {}\nhttp {\nmap $http_upgrade $connection_upgrade {\ndefault upgrade;\n'' close;\n}\n"
        + location("/socket.io/", PASS, VERSION, "proxy_set_header Upgrade $http_upgrade;", "proxy_set_header Connection $connection_upgrade;")
        + "}\n",
    ),
    Row(
        14, "broken-connection-header",
        location("/socket.io/", PASS, VERSION, "proxy_set_header Upgrade $http_upgrade;", 'proxy_set_header Connection ⟦""⟧;'),
        location("/socket.io/", PASS, VERSION, PAIR, 'proxy_set_header Connection "";'),
    ),
    Row(
        16, "socket-path-stripped",
        location("/socket.io/", "proxy_pass ⟦http://127.0.0.1:3000/⟧;", VERSION, PAIR),
        location("/socket.io/", PASS, VERSION, PAIR),
    ),
    Row(
        28, "socket-path-not-routed",
        marked(location("/chat/", PASS, VERSION, PAIR), "location /chat/"),
        location("/chat", PASS, VERSION, PAIR),
        app=SOCKET % "3000, { path: '/chat', addTrailingSlash: false }", client=CLIENT % "{ path: '/chat', addTrailingSlash: false }",
    ),
    Row(
        29, "socket-path-stolen",
        server("root /srv;", "⟦location /socket.io/⟧ {", PASS, VERSION, PAIR, "}", "location ~ \\.js$ {", "expires 1d;", "}"),
        server("root /srv;", "location ^~ /socket.io/ {", PASS, VERSION, PAIR, "}", "location ~ \\.js$ {", "expires 1d;", "}"),
        severity="warning",
    ),
    Row(
        30, "preflight-redirect",
        server("server_name api.example.com;", "return 301 https://$host$request_uri;"),
        server("server_name api.example.com;", "location / {", PASS, "}"),
        client="fetch(⟦'http://api.example.com/a'⟧, { method: 'PUT' });\n", severity="warning",
    ),
    Row(
        31, "short-websocket-timeout",
        location("/socket.io/", PASS, VERSION, PAIR, "proxy_read_timeout ⟦10s⟧;"),
        location("/socket.io/", PASS, VERSION, PAIR, "proxy_read_timeout 3600s;"),
        severity="warning",
    ),
    Row(
        33, "socket-path-not-routed",
        server("⟦location /⟧ {", ROOT, "try_files $uri /index.html;", "}", "location /api/ {", PASS, "}"),
        server("location / {", ROOT, "try_files $uri /index.html;", "}", "location /socket.io/ {", "try_files /dev/null @ws;", "}", "location @ws {", PASS, VERSION, PAIR, "}"),
        app=SOCKET % "3000", client=CLIENT % "",
    ),
    Row(
        17, "no-sticky-sessions",
        location("/socket.io/", "proxy_pass http://chat;", VERSION, PAIR, before="upstream ⟦chat⟧ {\nserver 10.0.0.1:3000;\nserver 10.0.0.2:3000;\n}"),
        location("/socket.io/", "proxy_pass http://chat;", VERSION, PAIR, before="upstream chat {\nip_hash;\nserver 10.0.0.1:3000;\nserver 10.0.0.2:3000;\n}"),
    ),
    Row(
        18, "weak-origin-check",
        location("/", PASS, ALLOWED, CREDENTIALS, VARY, before=allowed(r"⟦~^https://.*\.?example\.com⟧ $http_origin;")),
        location("/", PASS, ALLOWED, CREDENTIALS, VARY, before=allowed(r'"~^https://([a-z0-9-]+\.)?example\.com$" $http_origin;')),
    ),
    Row(
        19, "missing-vary-origin",
        location("/files/", ROOT, "add_header Access-Control-Allow-Origin ⟦$allowed⟧ always;", before=allowed("https://a.example.com $http_origin;", "https://b.example.com $http_origin;")),
        location("/files/", ROOT, ALLOWED, VARY, before=allowed("https://a.example.com $http_origin;", "https://b.example.com $http_origin;")),
        severity="warning",
    ),
    Row(
        20, "cached-cors-response",
        location("/", PASS, "⟦proxy_cache api;⟧", before="proxy_cache_path cache keys_zone=api:1m;"),
        location("/", PASS, "proxy_cache api;", before="proxy_cache_path cache keys_zone=api:1m;"),
        app=BY_ORIGIN % "", good_app=BY_ORIGIN % "res.vary('Origin');\n", severity="warning",
    ),
    Row(
        21, "preflight-without-headers",
        location("/", PASS, ORIGIN, HEADERS, marked(PREFLIGHT, "if ($request_method = OPTIONS)") % "add_header Access-Control-Max-Age 600;"),
        location("/", PASS, ORIGIN, HEADERS, PREFLIGHT % f"add_header Access-Control-Max-Age 600;\n{ORIGIN}\n{HEADERS}"),
    ),
    Row(
        22, "method-without-cors",
        location("/", PASS, PREFLIGHT % f'{ORIGIN}\n⟦add_header Access-Control-Allow-Methods "GET, PUT";⟧', f"if ($request_method = GET) {{\n{ORIGIN}\n}}"),
        location("/", PASS, PREFLIGHT % f'{ORIGIN}\nadd_header Access-Control-Allow-Methods "GET, PUT";', ORIGIN),
        severity="warning",
    ),
    Row(
        23, "malformed-origin",
        location("/", PASS, "add_header Access-Control-Allow-Origin ⟦https://app.example.com/⟧ always;"),
        location("/", PASS, "add_header Access-Control-Allow-Origin luna://com.example.tv always;"),
    ),
    Row(
        24, "misspelled-cors-header",
        location("/", PASS, ORIGIN, "add_header ⟦Access-Control-AllowMethods⟧ PUT always;"),
        location("/", PASS, ORIGIN, "add_header Access-Control-Allow-Methods PUT always;"),
    ),
    Row(
        25, "invalid-header-argument",
        location("/", PASS, 'add_header ⟦"Access-Control-Allow-Origin: *"⟧ always;'),
        location("/", PASS, "add_header Access-Control-Allow-Origin * always;"),
    ),
    Row(
        26, "wildcard-header-list-with-credentials",
        location("/", PASS, ORIGIN, CREDENTIALS, "add_header Access-Control-Allow-Headers ⟦*⟧ always;"),
        location("/", PASS, ORIGIN, CREDENTIALS, HEADERS),
    ),
    Row(
        27, "content-header-added",
        location("/files/", ROOT, "⟦add_header Content-Length 0;⟧"),
        location("/files/", ROOT, PREFLIGHT % f"{ORIGIN}\n{HEADERS}\nadd_header Content-Type text/plain;\nadd_header Content-Length 0;", ORIGIN),
    ),
    Row(
        35, "nginx-syntax",
        location(r"~ ^/v\d⟦{1,3}⟧/", ROOT),
        location(r'~ "^/v\d{1,3}/"', ROOT),
    ),
    Row(
        36, "cors-header-on-request",
        location("/", PASS, "proxy_set_header ⟦Access-Control-Allow-Origin⟧ *;"),
        location("/", PASS, "add_header Access-Control-Allow-Origin * always;"),
    ),
)  # fmt: skip


def found(text: str, app: str, client: str) -> list[Finding]:
    """What is found at warning and above."""
    files = {"nginx.conf": text.encode()}
    files |= {path: code.encode() for path, code in (("server.js", app), ("client.js", client)) if code}
    return [one for one in findings_of(files, Settings(), _KNOWN) if one.severity != "note"]


def test_every_mistake_has_its_rule() -> None:
    in_table = [row.number for row in TABLE]
    assert len(in_table) == len(set(in_table))
    assert set(in_table) | EXEMPT == MISTAKES
    assert not set(in_table) & EXEMPT


@pytest.mark.parametrize("row", TABLE, ids=lambda row: f"{row.number}-{row.rule}")
def test_the_bad_form_is_found_at_its_place(row: Row) -> None:
    data, places = unmarked("nginx.conf", row.bad)[:2]
    client, in_client = unmarked("client.js", row.client)[:2]
    places = [*in_client, *places]
    assert places
    findings = found(data.decode(), row.app, client.decode())
    assert [(one.rule, one.severity, one.primary) for one in findings] == [
        (row.rule, row.severity, place) for place in places
    ]


@pytest.mark.parametrize("row", TABLE, ids=lambda row: f"{row.number}-{row.rule}")
def test_the_good_form_is_silent(row: Row) -> None:
    client = unmarked("client.js", row.client)[0].decode()
    assert found(row.good, row.good_app or row.app, client) == []
