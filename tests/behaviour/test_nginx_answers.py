"""Facts that are asked of the model: where a handshake goes, and which headers really come twice."""

from __future__ import annotations

import pytest

from corslint.behaviour import nginx_answers
from corslint.behaviour.nginx import facts
from corslint.behaviour.nginx_answers import Answers, paths_to
from corslint.behaviour.nginx_levels import Level, units
from corslint.model.exchange import Header, Missing
from corslint.parsers.nginx import read
from corslint.source import SourceFile

ACAO = "Access-Control-Allow-Origin"
PAIR = 'proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection "upgrade";'
BACK = "proxy_pass http://127.0.0.1:3000;"


def _facts(text: str, kind: str) -> list[dict[str, object]]:
    reading = read(SourceFile("nginx.conf", f"events {{}}\nhttp {{ {text} }}\n".encode()))
    assert reading.damage == ()
    found = [fact for fact in facts({"nginx.conf": reading}, ["/socket.io/"]) if fact.kind == kind]
    return [{name: (field.state, field.value) for name, field in fact.fields.items()} for fact in found]


def _level(text: str) -> tuple[Answers, Level]:
    reading = read(SourceFile("nginx.conf", f"events {{}}\nhttp {{ server {{ {text} }} }}\n".encode()))
    (unit,) = units({"nginx.conf": reading})
    (server,) = unit.top[0].children
    return Answers(unit), server.locations[0]


@pytest.mark.parametrize(
    ("lines", "passes"),
    [
        (f"{PAIR} rewrite ^/socket.io/(.*)$ /$1 break; {BACK}", ("written", "yes")),
        (f"{PAIR} if ($http_upgrade = websocket) {{ proxy_pass http://127.0.0.1:3001; }} {BACK}", ("written", "yes")),
        (f"{PAIR} if ($http_x_mode) {{ proxy_pass http://127.0.0.1:3001; }} {BACK}", ("written", "yes")),
        (f"{PAIR} try_files /dev/null @app; {BACK}", ("unknown", None)),
        (f"if ($http_upgrade = other) {{ proxy_pass http://127.0.0.1:3001; }} {BACK}", ("written", "no")),
        (f"if ($http_upgrade) {{ proxy_pass http://127.0.0.1:3001; }} {BACK}", ("unknown", None)),
        (f"{PAIR} if ($geo) {{ proxy_pass http://127.0.0.1:3001; }} {BACK}", ("written", "yes")),
        (f"rewrite ^ /elsewhere last; {BACK}", ("unknown", None)),
        (f"{PAIR} access_by_lua_block {{ x() }} try_files $uri @app; {BACK}", ("unknown", None)),
    ],
)
def test_where_a_handshake_goes(lines: str, passes: tuple[str, object]) -> None:
    named = "location @app { return 404; } location /elsewhere { return 404; }"
    text = f"geo $geo {{ default 1; }} server {{ location /socket.io/ {{ {lines} }} {named} }}"
    (route,) = [one for one in _facts(text, "proxy_route") if one["level"] == ("written", "location /socket.io/")]
    assert route["passes_upgrade"] == passes


TWICE = f"add_header {ACAO} *; add_header {ACAO} *;"


@pytest.mark.parametrize(
    ("location", "found"),
    [
        (f"{TWICE} {BACK}", 1),
        (f"{TWICE} return 204;", 1),
        (f"{TWICE} return 404;", 0),  # neither line is sent with an error
        (f"{TWICE} if ($request_method = OPTIONS) {{ return 404; }} {BACK}", 1),
        (f"{TWICE} if ($geo) {{ return 404; }} return 404;", 0),
        (f"if ($request_method = POST) {{ {TWICE} }} return 204;", 1),  # nobody asked with POST
        (f"{TWICE} if ($host = a.test) {{ return 204; }} return 404;", 1),  # not known to be another host
        (TWICE, 1),
    ],
)
def test_which_headers_come_twice(location: str, found: int) -> None:
    text = f"geo $geo {{ default 1; }} server {{ location /x {{ {location} }} }}"
    assert len(_facts(text, "duplicate_header")) == found


@pytest.mark.parametrize(
    ("location", "paths"),
    [
        ("location /a/ { }", ["/a/", "/a/x"]), ("location = /a { }", ["/a"]), ("location @a { }", []),
        ("location ~ ^/a/\\d+$ { }", ["/a/3000"]), ("location ~* \\.js$ { }", ["/.js"]),
    ],
)  # fmt: skip
def test_paths_that_reach_a_location(location: str, paths: list[str]) -> None:
    _, level = _level(location)
    assert paths_to(level) == paths


def test_a_location_that_no_path_is_known_for() -> None:
    answers, level = _level(
        "location /a { return 204; } location = /a { return 403; } location ^~ /a/x { return 403; }"
    )
    assert answers.ask(level, "actual", None) is None


def test_questions_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nginx_answers, "_QUESTIONS", 1)
    answers, level = _level("location /a { return 204; }")
    assert answers.ask(level, "actual", None) is not None
    assert answers.ask(level, "actual", None) is None


def test_an_answer() -> None:
    answers, level = _level(
        f"location /a {{ add_header {ACAO} $http_origin; if ($request_method = OPTIONS) {{ return 204; }} {BACK} }}"
    )
    found = answers.ask(level, "actual", "https://a.test")
    assert found is not None
    assert found.response.status == 200
    assert found.response.headers == (Header(ACAO, "https://a.test"),)
    preflight = answers.ask(level, "preflight", "https://a.test")
    assert preflight is not None
    assert (preflight.response.status, preflight.response.headers) == (204, found.response.headers)
    none = answers.ask(level, "actual", None)
    assert none is not None
    assert none.response.header(ACAO) is Missing.ABSENT
