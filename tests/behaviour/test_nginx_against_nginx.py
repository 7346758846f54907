"""The nginx model against a real nginx: which location takes a request, and which headers go which way.

Random configurations over inheritance (`add_header` with empty values, `proxy_set_header`, `proxy_hide_header`), nested
levels and location choice. Every location passes to an upstream of its own, whose name reaches the backend as Host, so
that the choice shows.
"""

from __future__ import annotations

import http.client
import json
import random
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from corslint.behaviour.nginx import facts
from corslint.behaviour.nginx_levels import MOST_TIMES_INCLUDED, Level, choose, units
from corslint.behaviour.nginx_origins import Scope, compile_value
from corslint.model.decisions import Answer, Echo, Fixed, Nothing, Star, answer
from corslint.model.facts import Fact
from corslint.parsers.nginx import read
from corslint.source import SourceFile
from tests.behaviour.nginx_lab import free_ports, running
from tests.lab.installation import require

SERVERS = 12
PATHS = [
    "/", "/a", "/a/", "/a/b", "/a/b/", "/a/b/c.js", "/b/x", "/socket.io/", "/socket.io/socket.io.js", "/a/12",
    "/A/B.JS", "/other",
]  # fmt: skip
PREFIXES = ["/", "/a", "/a/", "/a/b", "/a/b/", "/b/", "/socket.io/", "/socket.io", "/A/"]
REGEXES = ["^/a", "\\.js$", "/b/", '"^/a/\\\\d{1,2}$"', "io", "^/socket\\.io/", "."]
NAMES = ["X-A", "X-B", "Access-Control-Allow-Origin"]
VALUES = ["one", '"two words"', '""', "'*'"]


class _Backend(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        body = json.dumps([[name.lower(), value] for name, value in self.headers.items()]).encode()
        self.send_response(200)
        for name in ("X-Up-1", "X-Up-2", "X-Up-3"):
            self.send_header(name, "sent")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture(scope="module")
def backend() -> Iterator[int]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Backend)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server.server_address[1]
    server.shutdown()
    server.server_close()
    thread.join()


class _Writer:
    """Writes one random configuration that nginx accepts."""

    def __init__(self, seed: int, port: int, backend: int) -> None:
        self.dice = random.Random(seed)
        self.port = port
        self.backend = backend
        self.count = 0
        self.upstreams: list[str] = []

    def headers(self) -> list[str]:
        dice = self.dice
        lines = []
        if dice.random() < 0.45:
            lines += [f"add_header {dice.choice(NAMES)} {dice.choice(VALUES)};" for _ in range(dice.randrange(1, 3))]
        if dice.random() < 0.45:
            lines += [f"proxy_set_header {name} {dice.choice(VALUES)};" for name in dice.sample(NAMES, 2)]
        if dice.random() < 0.3:
            lines += [f"proxy_hide_header x-up-{dice.randrange(1, 4)};"]
        dice.shuffle(lines)
        return lines

    def location(self, parent: str | None, depth: int, used: set[str]) -> list[str]:
        """One location; `parent` is the prefix around it, None inside a regular expression."""
        dice = self.dice
        choices = ["~", "~*"] if parent is None else ["", "", "^~", "=", "~", "~*"]
        modifier = dice.choice(choices)
        if modifier.startswith("~"):
            pattern, inner = dice.choice(REGEXES), None
            key = modifier + pattern
        else:
            fitting = [
                prefix for prefix in (PATHS if modifier == "=" else PREFIXES) if prefix.startswith(parent or "/")
            ]
            pattern = inner = dice.choice(fitting)
            key = ("=" if modifier == "=" else "") + pattern
        if key in used:
            return []
        used.add(key)
        self.count += 1
        name = f"l{self.count}"
        self.upstreams.append(f"upstream {name} {{ server 127.0.0.1:{self.backend}; }}")
        lines = [*self.headers(), f"proxy_pass http://{name};"]
        dice.shuffle(lines)
        if depth < 2 and modifier != "=":
            below: set[str] = set()
            for _ in range(dice.randrange(3)):
                lines += self.location(inner, depth + 1, below)
        return [f"location {modifier} {pattern} {{", *lines, "}"]

    def write(self) -> str:
        servers: list[str] = []
        for number in range(SERVERS):
            used: set[str] = set()
            locations = [line for _ in range(self.dice.randrange(2, 6)) for line in self.location("/", 0, used)]
            lines = [f"listen 127.0.0.1:{self.port};", f"server_name s{number}.test;", *self.headers(), *locations]
            servers += ["server {", *lines, "}"]
        body = [*self.headers(), *self.upstreams, *servers]
        paths = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        temporary = [f"{name}_temp_path temp_{name};" for name in paths]
        head = ["daemon off;", "master_process off;", "pid nginx.pid;", "error_log error.log;", "events {}"]
        return "\n".join([*head, "http {", "access_log off;", *temporary, *body, "}", ""])


def _expected(route: Fact) -> tuple[dict[str, list[str]], dict[str, str], set[str]]:
    """Response headers with what is known of their values, request headers, and hidden upstream headers."""
    adds: dict[str, list[str]] = {}
    requests: dict[str, str] = {}
    hidden: set[str] = set()
    for name, field in route.fields.items():
        kind, _, header = name.partition(".")
        if kind == "adds":
            second = route.fields.get(f"adds_second.{header}")
            adds[header] = [str(field.value)] + ([str(second.value)] if second else [])
            count = route.fields[f"adds_count.{header}"].value
            assert isinstance(count, int)
            adds[header] += ["?"] * (count - len(adds[header]))
        elif kind == "request_headers" and field.value:
            requests[header] = str(field.value)
        elif kind == "hides":
            hidden.add(header)
    return adds, requests, hidden


def _server_levels(top: tuple[Level, ...]) -> list[Level]:
    return [level for http_level in top for level in http_level.children if level.kind == "server"]


@pytest.mark.parametrize("seed", range(5))
def test_random_configurations(seed: int, backend: int, tmp_path: Path) -> None:
    port = free_ports(1)[0]
    text = _Writer(seed, port, backend).write()
    reading = read(SourceFile("nginx.conf", text.encode()))
    assert reading.damage == ()
    found = facts({"nginx.conf": reading}, [])
    routes = {fact.fields["level"].span: fact for fact in found if fact.kind == "proxy_route"}
    by_pass = {str(fact.fields["upstream"].value): fact for fact in routes.values() if "upstream" in fact.fields}
    (unit,) = units({"nginx.conf": reading})
    servers = _server_levels(unit.top)
    assert len(servers) == SERVERS
    compared = 0
    with running(tmp_path, text, port):
        for number, server in enumerate(servers):
            for path in PATHS:
                connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
                connection.request("GET", path, headers={"Host": f"s{number}.test"})
                answer = connection.getresponse()
                body = answer.read()
                connection.close()
                if answer.status == 301:
                    continue  # `location /a/` and a request for `/a`: nginx adds the slash, which is not modelled here
                choice = choose(server, path)
                where = f"seed {seed}, server {number}, {path}"
                assert choice.sure, where
                if answer.status != 200:
                    assert choice.level is None, where
                    continue
                sent = dict(json.loads(body))
                assert choice.level is not None, where
                route = by_pass[sent["host"]]
                assert route.fields["level"].span == _head_of(choice.level), where
                _compare(route, answer, sent, where)
                compared += 1
    assert compared > 40, "too few requests reached a location: the generator lost its point"


def _head_of(level: Level) -> object:
    assert level.directive is not None
    name, arguments = level.directive.name, level.directive.arguments
    return name.span._replace(end=arguments[-1].span.end)


def _compare(route: Fact, answer: http.client.HTTPResponse, sent: dict[str, str], where: str) -> None:
    adds, requests, hidden = _expected(route)
    for name in (name.lower() for name in NAMES):
        values = answer.headers.get_all(name) or []
        wanted = adds.get(name, [])
        assert len(values) == len(wanted), f"{where}: {name} {values} {wanted}"
        assert all(want in ("?", value) for want, value in zip(wanted, values, strict=True)), where
        equal = route.fields.get(f"adds_equal.{name}")
        if equal is not None:
            assert (len(set(values)) == 1) == (equal.value == "yes"), where
        assert sent.get(name) == requests.get(name), f"{where}: {name} upstream"
    for name in ("x-up-1", "x-up-2", "x-up-3"):
        assert (answer.headers.get(name) is None) == (name in hidden), f"{where}: {name} hidden"


@pytest.mark.parametrize("times", [1, 3, MOST_TIMES_INCLUDED, MOST_TIMES_INCLUDED + 1])
def test_a_file_that_is_included_again_counts_again(times: int, backend: int, tmp_path: Path) -> None:
    port = free_ports(1)[0]
    includes = "\n".join(["include headers.conf;"] * times)
    levels = f"location / {{\n{includes}\nproxy_pass http://127.0.0.1:{backend};\n}}"
    text = f"events {{}}\nhttp {{\nserver {{\nlisten 127.0.0.1:{port};\n{levels}\n}}\n}}\n"
    files = {"nginx.conf": text, "headers.conf": "add_header X-A one;\n"}
    readings = {name: read(SourceFile(name, content.encode())) for name, content in files.items()}
    (route,) = (fact for fact in facts(readings, []) if fact.kind == "proxy_route")
    count = route.fields["adds_count.x-a"]

    (tmp_path / "headers.conf").write_text(files["headers.conf"])
    with running(tmp_path, f"daemon off;\nmaster_process off;\npid nginx.pid;\n{text}", port):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
        connection.request("GET", "/")
        sent = connection.getresponse().headers.get_all("X-A") or []
        connection.close()
    assert len(sent) == times
    whole = times <= MOST_TIMES_INCLUDED
    assert (count.value, route.fields["complete"].value) == (min(times, MOST_TIMES_INCLUDED), "yes" if whole else "no")


@pytest.mark.parametrize(
    ("http_level", "message"),
    [
        ("server { location ~ ^/a{2}$ { return 200; } }", None),
        ("server { return 200 }", 'unexpected "}"'),
        ('server { return 200 "a"b; }', 'unexpected "b"'),
        ("server { if $host { return 200; } }", 'invalid condition "$host"'),
        ("server { ; }", 'unexpected ";"'),
        ("server { { } }", 'unexpected "{"'),
        ("server { add_header A $none; }", 'unknown "none" variable'),
        (
            "server { location / { proxy_pass http://127.0.0.1\nproxy_set_header A b; } }",
            "invalid number of arguments in",
        ),
        ("}", 'unexpected "}"'),
    ],
)
def test_what_nginx_refuses_and_how_it_says_so(http_level: str, message: str | None, tmp_path: Path) -> None:
    text = f"pid nginx.pid;\nevents {{}}\nhttp {{\n{http_level}\n}}\n"
    (tmp_path / "nginx.conf").write_text(text, encoding="utf-8")
    command = [str(require("nginx").path("nginx")), "-t", "-p", str(tmp_path), "-c", "nginx.conf", "-e", "stderr"]
    said = subprocess.run(command, capture_output=True, text=True, check=False)
    assert said.returncode != 0
    reading = read(SourceFile("nginx.conf", text.encode()))
    ours = [damage.message for damage in reading.damage]
    ours += [str(fact.fields["detail"].value) for fact in facts({"nginx.conf": reading}, []) if fact.kind == "damage"]
    assert ours
    if message is not None:
        assert message in said.stderr
        assert any(message in one for one in ours)


ORIGINS = [
    "https://a.test", "HTTPS://A.TEST", "http://a.test", "https://a.test.evil.test", "https://b.a.test", "https://xa.test",
    "null", "https://other.invalid", None,
]  # fmt: skip
KEYS = [
    "https://a.test", '"null"', '"~^https://a\\\\.test$"', "~a.test", "~*^HTTPS://", '"~^https?://([a-z]+\\\\.)?a\\\\.test"',
    "~evil", '""',
]  # fmt: skip
CONDITIONS = [
    "$http_origin", "$http_origin = https://a.test", "$http_origin != https://a.test", '$http_origin ~ "a\\\\.test$"',
    "$http_origin ~* ^HTTPS", "$http_origin !~ evil", '$http_origin = ""', "$ok", "$ok = 1", "$ok != 1",
]  # fmt: skip
ANSWERS = ["*", "$http_origin", '""', "https://a.test", "$mapped"]


def _origin_policies(dice: random.Random, count: int) -> tuple[list[str], list[str]]:
    """Maps, and locations that answer by themselves with one Access-Control-Allow-Origin each."""
    maps: list[str] = []
    locations: list[str] = []
    for number in range(count):
        mapped, ok, value = f"$mapped{number}", f"$ok{number}", f"$value{number}"
        for name, outcomes in ((mapped, ["*", "$http_origin", '""', "https://a.test"]), (ok, ["1", "0", '""'])):
            entries = [f"{key} {dice.choice(outcomes)};" for key in dice.sample(KEYS, dice.randrange(1, 5))]
            if dice.random() < 0.5:
                entries.insert(dice.randrange(len(entries)), f"default {dice.choice(outcomes)};")
            maps.append(f"map $http_origin {name} {{ {' '.join(entries)} }}")
        lines = [f"set {value} {dice.choice(ANSWERS)};"]
        for _ in range(dice.randrange(4)):
            assign = f"set {value} {dice.choice(ANSWERS)};"
            lines.append(f"if ({dice.choice(CONDITIONS)}) {{ {assign} }}" if dice.random() < 0.8 else assign)
        header = f"add_header Access-Control-Allow-Origin {value};"
        body = " ".join([*lines, header]).replace("$mapped ", mapped + " ").replace("$mapped;", mapped + ";")
        body = body.replace("$ok)", ok + ")").replace("$ok ", ok + " ")
        locations.append(f'location /p{number} {{ {body} return 200 "x"; }}')
    return maps, locations


@pytest.mark.parametrize("seed", range(3))
def test_random_origin_policies(seed: int, tmp_path: Path) -> None:
    port = free_ports(1)[0]
    maps, locations = _origin_policies(random.Random(seed), 40)
    paths = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    text = "\n".join([
        "daemon off; master_process off; pid nginx.pid; error_log error.log;", "events {}", "http {", "access_log off;",
        "log_subrequest off;", *(f"{name}_temp_path temp_{name};" for name in paths), *maps,
        f"server {{ listen 127.0.0.1:{port};", *locations, "}", "}", "",
    ])  # fmt: skip
    reading = read(SourceFile("nginx.conf", text.encode()))
    assert reading.damage == ()
    (unit,) = units({"nginx.conf": reading})
    (server,) = _server_levels(unit.top)
    echoed = 0
    with running(tmp_path, text, port):
        for number, level in enumerate(server.locations):
            (line,) = level.own("add_header")
            decision = compile_value(line.arguments[1], Scope(unit, level))
            for origin in ORIGINS:
                connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
                connection.request("GET", f"/p{number}", headers={"Origin": origin} if origin is not None else {})
                got = connection.getresponse().headers.get("Access-Control-Allow-Origin")
                connection.close()
                given = answer(decision, origin)
                where = f"seed {seed}, {origin}: {locations[number]}\n{maps[2 * number]}\n{maps[2 * number + 1]}"
                assert _sent(given, origin) == got, where
                echoed += got is not None
    assert echoed > 50


def _sent(given: Answer, origin: str | None) -> str | None:
    if isinstance(given, Star):
        return "*"
    if isinstance(given, Echo):
        return origin
    if isinstance(given, Fixed):
        return given.text
    assert isinstance(given, Nothing), f"{given} where every test is on the Origin"
    return None
