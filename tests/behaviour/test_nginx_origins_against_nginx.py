"""What maps with host names make of an Origin, asked of a real nginx: the decision has to give every answer."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from corslint.behaviour.nginx_levels import units
from corslint.behaviour.nginx_origins import Scope, compile_value
from corslint.model.decisions import Decision, Echo, Fixed, Nothing, Star, answer
from corslint.model.reading import Word
from corslint.parsers.nginx import read
from corslint.source import SourceFile
from tests.behaviour.nginx_lab import PortTakenError, ask, free_ports, require_nginx, running

MAPS = 60
HOSTS = ("a.test", "b.a.test", "c.b.a.test", "a.test.example", "xa.test", "a.example", "localhost")
ORIGINS = (
    "null",
    *(f"{scheme}://{host}{port}" for scheme in ("https", "http") for host in HOSTS for port in ("", ":8443")),
)
KEYS = (
    "*.a.test", ".a.test", "*.b.a.test", ".b.a.test", "*.test", "https://a.*", "https://b.a.*", "a.*", "*.test:8443",
    "https://a.test", "HTTP://B.A.test", "*.A.TEST", "null", '""', "~^http:", "~*^HTTPS://x",
)  # fmt: skip


def maps(seed: int) -> list[str]:
    """Bodies of maps, most of them with `hostnames`."""
    drawn = random.Random(seed)
    found = []
    for _ in range(MAPS):
        keys = drawn.sample(KEYS, drawn.randint(1, 7))
        if {"*.a.test", "*.A.TEST"} <= set(keys) or {".a.test", "*.A.TEST"} <= set(keys):
            keys.remove("*.A.TEST")  # nginx refuses a name that is there already
        for wild in ("a.test", "b.a.test"):
            if {f".{wild}", f"*.{wild}"} <= set(keys):
                keys.remove(f"*.{wild}")
        lines = [
            f"{key} {drawn.choice(('$http_origin', f'v{number}', '*', '$http_origin'))};"
            for number, key in enumerate(keys)
        ]
        lines += drawn.sample(["default d;", "default $http_origin;", ""], 1)
        found.append(" ".join([*(["hostnames;"] if drawn.random() < 0.8 else []), *lines]))
    return found


def configuration(bodies: list[str], folder: Path, port: int) -> str:
    """A server that sends what each map says."""
    kept = "".join(
        f"{kind}_temp_path {folder}/{kind};\n" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    declared = "".join(f"map $http_origin $m{number} {{ {body} }}\n" for number, body in enumerate(bodies))
    places = "".join(
        f"location = /{number} {{ add_header X $m{number}; return 204; }}\n" for number in range(len(bodies))
    )
    start = f"worker_processes 1;\ndaemon off;\nmaster_process off;\npid {folder}/nginx.pid;\nevents {{}}\n"
    return f"{start}http {{\naccess_log off;\n{kept}{declared}server {{\nlisten 127.0.0.1:{port};\n{places}}}\n}}\n"


def decisions(text: str) -> list[Decision]:
    """What each map decides."""
    (unit,) = units({"nginx.conf": read(SourceFile("nginx.conf", text.encode()))})
    scope = Scope(unit, unit.top[0])
    return [compile_value(Word(f"$m{number}", "", "nginx.conf", 0, 0), scope) for number in range(MAPS)]


def decided(decision: Decision, origin: str | None) -> str | None:
    """What a decision gives an origin; None where nothing."""
    found = answer(decision, origin)
    assert isinstance(found, (Echo, Fixed, Nothing, Star)), found
    if isinstance(found, Nothing):
        return None
    return origin if isinstance(found, Echo) else found.text if isinstance(found, Fixed) else "*"


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_decisions_are_what_nginx_sends(seed: int, tmp_path: Path) -> None:
    require_nginx()
    bodies = maps(seed)
    for _ in range(3):
        (port,) = free_ports(1)
        text = configuration(bodies, tmp_path, port)
        try:
            with running(tmp_path, text, port):
                for number, (body, decision) in enumerate(zip(bodies, decisions(text), strict=True)):
                    for origin in (*ORIGINS, None):
                        lines = [("Host", "localhost"), *([] if origin is None else [("Origin", origin)])]
                        got = ask(port, "GET", f"/{number}", lines)
                        assert got.status == 204
                        sent = next((value for name, value in got.headers if name.lower() == "x"), None)
                        assert decided(decision, origin) == sent, (body, origin)
            return
        except PortTakenError:
            continue
    raise AssertionError("no port was free")
