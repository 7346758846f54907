"""Where pages come from: what settings declare, or the only server for development says; never anything else."""

from __future__ import annotations

import pytest

from corslint.model.facts import Fact, Field
from corslint.project.frontends import note_frontends
from corslint.source import Span

AT = Span("a.js", 0, 1)


def fact(kind: str, **fields: object) -> Fact:
    return Fact(kind, AT, {name.replace("__", "."): Field(value, "written", AT) for name, value in fields.items()})


def policy(takes: str | None = "either", language: str = "javascript", with_port: str = "no") -> Fact:
    return fact("cors_policy", origin__takes=takes, language=language, origin__with_port=with_port)


def told(facts: list[Fact], *declared: str) -> tuple[object, object, object]:
    note_frontends(facts, declared)
    names = ("frontend.origins", "frontend.origin", "frontend.source")
    return tuple(facts[0].field(name).value for name in names)  # type: ignore[return-value]


def vite(**fields: object) -> Fact:
    return fact("dev_server", **{"port": 5173, "host": "localhost", "https": "no", **fields})


ONE, TWO = "https://app.example.com", "http://localhost:5173"


@pytest.mark.parametrize(
    ("chosen", "declared", "source"),
    [
        (policy(), (ONE,), "'https://app.example.com'"),
        (policy(), (ONE, TWO), "['https://app.example.com', 'http://localhost:5173']"),
        (policy("list"), (ONE,), "['https://app.example.com']"),
        (policy("text"), (ONE,), "'https://app.example.com'"),
        (policy("text"), (ONE, TWO), None),
        (policy(None), (ONE,), None),
        (policy("list", with_port="yes"), (ONE, TWO), "['https://app.example.com:443', 'http://localhost:5173']"),
        (policy("list", with_port="yes"), ("http://[::1]",), "['http://[::1]:80']"),
        (policy(language="python"), (ONE,), '["https://app.example.com"]'),
        (policy("text", "python"), (ONE,), '"https://app.example.com"'),
        (policy("text", "nginx"), (ONE,), ONE),
        (policy("text", "nginx"), (ONE, TWO), None),
    ],
)
def test_how_a_policy_takes_them(chosen: Fact, declared: tuple[str, ...], source: str | None) -> None:
    assert told([chosen], *declared)[2] == source


@pytest.mark.parametrize(
    ("servers", "origin"),
    [
        ([vite()], "http://localhost:5173"),
        ([vite(port=80)], "http://localhost"),
        ([vite(host="127.0.0.1")], "http://127.0.0.1:5173"),
        ([vite(host="::1")], "http://[::1]:5173"),
        ([vite(host="0.0.0.0")], "http://localhost:5173"),
        ([vite(https="yes")], None),
        ([vite(port=None)], None),
        ([vite(), vite(port=3000)], None),
        ([], None),
    ],
)
def test_the_only_server_for_development(servers: list[Fact], origin: str | None) -> None:
    assert told([policy(), *servers])[1] == origin


def test_what_is_declared_comes_first() -> None:
    assert told([policy(), vite()], ONE)[:2] == ((ONE,), ONE)
