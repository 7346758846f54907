"""Where requests of pages go, what headers they bring, and what is read of their responses."""

from __future__ import annotations

import pytest

from corslint import lint
from corslint.model.facts import Fact
from corslint.settings import Settings
from tests.examples import context_of


def _facts(kind: str, files: dict[str, str]) -> list[Fact]:
    given = {path: text.encode() for path, text in files.items()}
    return [fact for fact in lint.understand(context_of(given), Settings(), given).facts if fact.kind == kind]


def _request(code: str, file: str = "client.jsx") -> Fact:
    return next(fact for fact in _facts("http_request", {file: code}) if fact.field("base").value == "no")


@pytest.mark.parametrize(
    ("code", "address", "host", "port", "same_origin", "confidence"),
    [
        ("fetch('https://api.example.com/a')", "https://api.example.com/a", "api.example.com", 443, "unknown", "high"),
        ("fetch('http://localhost:4000/a')", "http://localhost:4000/a", "localhost", 4000, "unknown", "high"),
        ("fetch(`http://localhost:4000/a/${id}`)", "http://localhost:4000/a/", "localhost", 4000, "unknown", "high"),
        (
            "fetch(`https://api.example.com${path}`)",
            "https://api.example.com",
            "api.example.com",
            443,
            "unknown",
            "high",
        ),
        (
            "const b = 'http://localhost:4000'; fetch(b + '/a')",
            "http://localhost:4000/a",
            "localhost",
            4000,
            "unknown",
            "high",
        ),
        (
            "const b = process.env.API || 'http://localhost:4000'; fetch(`${b}/a`)",
            "http://localhost:4000/a",
            "localhost",
            4000,
            "unknown",
            "medium",
        ),
        ("fetch('/a')", None, None, None, "yes", "high"),
        ("fetch('a.json')", None, None, None, "yes", "high"),
        ("fetch(`/a/${id}`)", None, None, None, "yes", "high"),
        ("fetch(address)", None, None, None, "unknown", "high"),
        ("fetch(`https://api${part}.example.com/a`)", None, None, None, "unknown", "high"),
        ("fetch(`${process.env.API}/a`)", None, None, None, "unknown", "high"),
        ("fetch('http://localhost:port/a')", None, None, None, "unknown", "high"),
        ("fetch('data:text/plain,a')", None, None, None, "unknown", "high"),
        ("fetch(yes ? 'https://a.example.com/a' : 'https://b.example.com/a')", None, None, None, "unknown", "high"),
    ],
)
def test_addresses(
    code: str, address: str | None, host: str | None, port: int | None, same_origin: str, confidence: str
) -> None:
    request = _request(code)
    assert [request.field(name).value for name in ("address", "host", "url_port")] == [address, host, port]
    own = request.field("same_origin")
    assert (own.value or own.state) == same_origin
    assert request.field("host").confidence == confidence


@pytest.mark.parametrize(
    ("base", "url", "address"),
    [
        ("'http://localhost:4000'", "'/a'", "http://localhost:4000/a"),
        ("'http://localhost:4000/api/'", "'a'", "http://localhost:4000/api/a"),
        ("'http://localhost:4000'", "'https://other.example.com/a'", "https://other.example.com/a"),
        ("address", "'/a'", None),
        ("'http://localhost:4000'", "path", None),
    ],
)
def test_addresses_below_a_base(base: str, url: str, address: str | None) -> None:
    request = _request(f"import axios from 'axios'; const api = axios.create({{ baseURL: {base} }}); api.get({url});")
    assert request.field("address").value == address


@pytest.mark.parametrize(
    ("headers", "sends"),
    [
        ("{ Authorization: token, Accept: 'text/html', Cookie: 'a=b', 'Sec-GPC': '1' }", ("authorization",)),
        ("{ 'Content-Type': 'application/json' }", ("content-type",)),
        ("{ 'Content-Type': 'Text/Plain; charset=utf-8' }", ()),
        ("{ 'Content-Type': type }", ()),
        ("{ ...common, 'X-A': '1' }", ("x-a",)),
        ("{ ...{ 'X-B': '2' }, [name]: '1' }", ("x-b",)),
        ("new Headers({ 'X-C': '3' })", ("x-c",)),
        ("headers", ()),
    ],
)
def test_headers_that_need_leave(headers: str, sends: tuple[str, ...]) -> None:
    assert _request(f"fetch('/a', {{ headers: {headers} }})").field("sends").value == sends


def test_headers_of_an_interceptor() -> None:
    code = """
import axios from 'axios';
const api = axios.create({ headers: { common: { 'X-Base': '1' } } });
api.interceptors.request.use((config) => {
  config.headers['X-One'] = '1';
  config.headers.common.Authorization = token;
  other.headers['X-Two'] = '2';
  return config;
});
api.interceptors.response.use((answer) => { answer.headers['X-Three'] = '3'; return answer; });
api.get('/a', { headers: { 'X-Own': '1' } });
"""
    assert _request(code).field("sends").value == ("x-own", "x-base", "x-one", "authorization")


@pytest.mark.parametrize(
    ("code", "reads"),
    [
        ("const r = await fetch('/a'); show(r.headers.get('X-Total'), r.headers.get('Content-Type'));", ("x-total",)),
        ("fetch('/a').then((r) => show(r.headers.get('ETag')));", ("etag",)),
        ("fetch('/a').then(show); other.headers.get('ETag');", ()),
        ("const r = await fetch('/a'); for (const n of names) show(r.headers.get(n));", ()),
        ("import axios from 'axios'; const r = await axios.get('/a'); show(r.headers['x-total']);", ("x-total",)),
        ("import axios from 'axios'; const r = await axios.get('/a'); const { headers } = r;", ()),
    ],
)
def test_what_is_read_of_responses(code: str, reads: tuple[str, ...]) -> None:
    assert _request(code).field("reads").value == reads


@pytest.mark.parametrize(
    ("file", "package", "more", "side"),
    [
        ("client.jsx", "{}", "", "yes"),
        ("client.js", '{"devDependencies": {"vite": "8.0.0"}}', "", "yes"),
        ("client.js", "{}", "", None),
        ("server.js", '{"devDependencies": {"vite": "8.0.0"}}', "require('express')().listen(3000);", "no"),
        ("page.html", "{}", "", "yes"),
    ],
)
def test_pages_and_programs(file: str, package: str, more: str, side: str | None) -> None:
    code = f"fetch('/a'); {more}"
    text = f"<script>{code}</script>" if file.endswith(".html") else code
    (request,) = _facts("http_request", {file: text, "package.json": package})
    assert request.field("browser").value == side
