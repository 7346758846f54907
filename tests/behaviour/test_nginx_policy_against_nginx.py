"""What is claimed of preflights, asked of a real nginx: every configuration that the rules' own examples bring.

The examples are small and deliberate; what they claim of statuses and headers has to be what nginx does with them.
"""

from __future__ import annotations

import http.client
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from corslint import lint
from corslint.behaviour.nginx import facts
from corslint.model.facts import Fact
from corslint.parsers.nginx import read
from corslint.source import SourceFile
from tests.behaviour.nginx_lab import PortTakenError, Seen, Upstreams, free_ports, require_nginx, running
from tests.examples import unmarked

RULES = (
    "preflight-without-headers", "preflight-needs-auth", "preflight-not-handled", "cors-only-on-preflight",
    "method-without-cors", "if-replaces-headers", "cors-header-not-always",
)  # fmt: skip
NOT_HERE = re.compile(r"more_\w+_headers|add_header_inherit|include /etc|fastcgi_pass|\$(?:flag|unread)\b|alias ")
"""What the binary lacks, or what nginx does not start with."""
ORIGIN = "https://app.example.com"
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
FIELDS = ("preflight.status", "preflight.itself", "preflight.allows", "actual.allows", "forgotten")


def configurations() -> Iterator[tuple[str, str]]:
    """Names and texts of the examples that are a whole server, the mended ones among them."""
    for rule in RULES:
        for example in lint.knowledge().rules.rules[rule].examples:
            for what, files in (("", example.files), (", fixed", example.fixed or {})):
                text = unmarked("nginx.conf", str(files.get("nginx.conf", "")))[0].decode()
                if "server {" in text and not NOT_HERE.search(text):
                    yield f"{rule}: {example.name}{what}", text


CONFIGURATIONS = dict(configurations())


@pytest.fixture(scope="module")
def upstreams() -> Iterator[Upstreams]:
    require_nginx()

    def reply(_: Seen) -> tuple[int, list[tuple[str, str]]]:
        return 200, []

    with Upstreams(reply, 2) as found:
        yield found


def asked(port: int, method: str, path: str, name: str) -> http.client.HTTPResponse:
    """The answer to one request of a page."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    headers = {"Origin": ORIGIN, "X-Id": name}
    if method == "OPTIONS":
        headers["Access-Control-Request-Method"] = "PUT"
    connection.request(method, path, headers=headers)
    answer = connection.getresponse()
    answer.read()
    connection.close()
    return answer


def allows(answer: http.client.HTTPResponse) -> bool:
    return bool(answer.getheader("Access-Control-Allow-Origin"))


def claims(route: Fact) -> dict[str, object]:
    """The fields of a route that are known."""
    return {name: route.field(name).value for name in FIELDS if route.field(name).state == "written"}


def measured(port: int, path: str, upstreams: Upstreams, names: dict[str, object]) -> dict[str, object]:
    """The same of the real one. A method counts as forgotten where its answer, which is no error, has no header."""
    upstreams.seen.clear()
    preflight = asked(port, "OPTIONS", path, "preflight")
    answers = {method: asked(port, method, path, method) for method in METHODS}
    bare = tuple(method for method, answer in answers.items() if answer.status < 400 and not allows(answer))
    told = preflight.getheader("Access-Control-Allow-Methods", "").replace(" ", "").split(",")
    found: dict[str, object] = {
        "preflight.status": preflight.status,
        "preflight.itself": "no" if "preflight" in upstreams.seen else "yes",
        "preflight.allows": "yes" if allows(preflight) else "no",
        "actual.allows": "yes" if any(allows(answer) for answer in answers.values()) else "no",
        "forgotten": tuple(method for method in bare if method in told or "*" in told),
    }
    return {name: value for name, value in found.items() if name in names}


def served(text: str, folder: Path, port: int, upstream: Upstreams) -> str:
    """The configuration, on a port, files and upstreams of ours."""
    text = text.replace("listen 80;", f"listen 127.0.0.1:{port};").replace("root /srv;", f"root {folder}/srv;")
    text = text.replace("127.0.0.1:3000", f"127.0.0.1:{upstream.ports[0]}")
    text = text.replace("127.0.0.1:4000", f"127.0.0.1:{upstream.ports[1]}")
    kept = "".join(
        f"{kind}_temp_path {folder}/{kind};\n" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    start = f"worker_processes 1;\ndaemon off;\nmaster_process off;\npid {folder}/nginx.pid;\nevents {{}}\n"
    return f"{start}http {{\naccess_log off;\n{kept}{text}}}\n"


def routes_of(text: str) -> list[Fact]:
    """The routes of which something is claimed."""
    reading = read(SourceFile("nginx.conf", text.encode()))
    return [one for one in facts({"nginx.conf": reading}, []) if one.kind == "proxy_route" and claims(one)]


def test_enough_is_claimed_and_not_always_the_same() -> None:
    claimed = [claims(route) for text in CONFIGURATIONS.values() for route in routes_of(text)]
    assert len(claimed) > 60
    values = {name: {one[name] for one in claimed if name in one} for name in FIELDS}
    assert values["preflight.status"] >= {200, 204, 401, 403, 405}
    assert values["preflight.itself"] == values["preflight.allows"] == values["actual.allows"] == {"yes", "no"}
    assert ("PUT",) in values["forgotten"]


@pytest.mark.parametrize("name", CONFIGURATIONS)
def test_nginx_does_what_is_claimed(name: str, tmp_path: Path, upstreams: Upstreams) -> None:
    text = CONFIGURATIONS[name]
    routes = routes_of(text)
    for route in routes:
        (tmp_path / "srv" / str(route.field("path").value or "").strip("/")).mkdir(parents=True, exist_ok=True)
        (tmp_path / "srv" / str(route.field("path").value or "").strip("/") / "x").write_text("x")
    for _ in range(3):
        (port,) = free_ports(1)
        try:
            with running(tmp_path, served(text, tmp_path, port, upstreams), port):
                for route in routes:
                    exact = route.field("modifier").value == "="
                    path = str(route.field("path").value or "/") + ("" if exact else "x")
                    claimed = claims(route)
                    assert measured(port, path, upstreams, claimed) == claimed, route
            return
        except PortTakenError:
            continue
    raise AssertionError("no port was free")
