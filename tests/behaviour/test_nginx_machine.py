"""What nginx answers to single requests, without an nginx: each case was seen on a real one (1.22.1, 1.31.5)."""

from __future__ import annotations

import pytest

from corslint.behaviour.nginx_levels import units
from corslint.behaviour.nginx_machine import Configuration, answer
from corslint.behaviour.nginx_request import (
    Answer,
    FileKind,
    Incoming,
    Surroundings,
    UpstreamRequest,
    incoming,
    read_target,
)
from corslint.model.exchange import NO_ANSWER, Header, Missing, Request, Response, response
from corslint.model.tri import Tri
from corslint.parsers.nginx import read
from corslint.source import SourceFile

ACAO = "Access-Control-Allow-Origin"
FILES: dict[str, FileKind] = {
    "/w": "directory",
    "/w/dir": "directory",
    "/w/note.txt": "file",
    "/w/dir/index.html": "file",
}


def configuration(text: str, **files: str) -> Configuration:
    """The configuration whose http level this is."""
    sources = {
        "nginx.conf": f"events {{}}\nhttp {{ {text} }}\n",
        **{f"{name}.conf": one for name, one in files.items()},
    }
    readings = {name: read(SourceFile(name, one.encode())) for name, one in sources.items()}
    assert all(reading.damage == () for reading in readings.values())
    (unit,) = [unit for unit in units(readings) if unit.path == "nginx.conf"]
    return Configuration(unit)


def around(status: int | None = 200, *headers: tuple[str, str], version: tuple[int, ...] = (1, 22, 1)) -> Surroundings:
    """An upstream that always answers the same; None: nobody knows what."""
    given = None if status is None else response(status, *headers)
    return Surroundings(lambda _: given, lambda path: FILES.get(path, "none"), version)


def asked(text: str, path: str = "/", where: Surroundings | None = None, **changes: object) -> Answer:
    """The answer of a server to a GET request, unless `changes` say otherwise."""
    request = Incoming(target=path, host="a.test", port=80, scheme="http", address="127.0.0.1")._replace(**changes)  # type: ignore[arg-type]
    servers = text if "server {" in text else f"server {{ root /w; {text} }}"
    return answer(configuration(servers), request, where or around())


def lines(found: Answer) -> list[tuple[str, str | None]]:
    assert all(line.sent is Tri.YES for line in found.response.headers)
    return [(line.name, line.value) for line in found.response.headers]


# --------------------------------------------------------------------------------------------------- servers and paths


@pytest.mark.parametrize(
    ("names", "host", "chosen"),
    [
        (("a.test", ".a.test"), "b.a.test", 0),  # the second is ignored as a whole: a.test is there already
        ((".a.test", "a.test"), "a.test", 0),
        (("x.test", ".a.test"), "b.a.test", 1),
        (("x.test", "*.a.test"), "a.test", 0),
        (("*.test", "*.a.test"), "b.A.test:80", 1),
        (("www.*", "www.a.*"), "www.a.test.", 1),
        (("~^b", "*.a.test"), "b.a.test", 1),
        (("x.test", "~^(b)"), "b.a.test", 1),
    ],
)
def test_server_names(names: tuple[str, str], host: str, chosen: int) -> None:
    first, second = (f"server {{ server_name {name}; return 20{number} x; }}" for number, name in enumerate(names))
    assert asked(first + second, host=host).response.status == 200 + chosen


@pytest.mark.parametrize(
    ("target", "path"),
    [
        ("/a/../b", "/b"), ("//a//b", "/a/b"), ("/a/./b/.", "/a/b/"), ("/%61%2Fb?x=%61", "/a/b"), ("/a/..", "/"),
        ("/..", None), ("/%zz", None), ("/%00", None),
    ],
)  # fmt: skip
def test_paths(target: str, path: str | None) -> None:
    found = read_target(target, True)
    assert (found.path if found else None) == path
    if path is None:
        assert asked("", target).response.status == 400


def test_the_default_server_decides_on_slashes() -> None:
    other = "server { server_name a.test; location = /a/b { return 201 x; } location / { return 202 x; } }"
    assert asked("server { merge_slashes off; }" + other, "/a//b").response.status == 202
    assert (
        asked(
            "server { server_name b.test; }" + other.replace("a.test;", "a.test; merge_slashes off;"), "/a//b"
        ).response.status
        == 201
    )


@pytest.mark.parametrize(
    ("path", "status"),
    [("/a", 301), ("/a/b.js", 201), ("/c/b.js", 202), ("/c", 404), ("/d/x", 203), ("/d/", 204), ("/e/f/g", 206)],
)
def test_locations(path: str, status: int) -> None:
    text = """
        location /a/ { proxy_pass http://u; location ~ js$ { return 201 x; } }
        location ~ js$ { return 202 x; }
        location ^~ /d/ { return 203 x; } location = /d/ { return 204; }
        location /e/ { location /e/f/ { return 205 x; } location ~ f { return 206 x; } }
        location ~ ^/e/zzz { return 200; }
    """
    assert asked(text, path).response.status == status


# ---------------------------------------------------------------------------------------------------- redirects, errors


def test_location_stays_where_an_error_page_takes_over() -> None:
    found = asked(
        "error_page 301 =404 /gone; location /a/ { proxy_pass http://u; } location /gone { return 200 x; }", "/a"
    )
    assert (found.response.status, lines(found)) == (404, [("Location", "http://a.test/a/")])


@pytest.mark.parametrize(
    ("page", "status"),
    [
        ("https://e.test/", 302),
        ("=200 https://e.test/", 302),
        ("=307 https://e.test/", 307),
        ("=204 /x", 204),
        ("= /x", 202),
    ],
)
def test_error_pages(page: str, status: int) -> None:
    found = asked(f"error_page 404 301 {page}; location /x {{ return 202 x; }} location / {{ return 404; }}")
    assert found.response.status == status


def test_port_in_redirects() -> None:
    text = "location / { return 301 /b; }"
    assert lines(asked(f"listen 81; {text}", port=81)) == [("Location", "http://a.test:81/b")]
    assert lines(asked(f"listen 81; port_in_redirect off; {text}", port=81)) == [("Location", "http://a.test/b")]
    assert lines(asked(f"absolute_redirect off; {text}")) == [("Location", "/b")]


def test_return_444_closes() -> None:
    assert asked("return 444;").response.status == NO_ANSWER


# ---------------------------------------------------------------------------------------------------------------- files


@pytest.mark.parametrize(
    ("text", "path", "method", "status"),
    [
        ("", "/note.txt", "GET", 200), ("", "/note.txt", "POST", 405), ("", "/note.txt", "OPTIONS", 405),
        ("", "/dir", "GET", 301), ("", "/dir/", "GET", 200), ("", "/none/", "GET", 404), ("", "/", "GET", 403),
        ("autoindex on;", "/", "GET", 200), ("autoindex on;", "/", "POST", 403),
        ("location /s/ { alias /w/; index none.html /note.txt; }", "/s/", "GET", 200),
        ("location /s/ { rewrite ^ /s/x break; alias /w/; }", "/s/", "GET", 500),
        ("try_files $uri/ =204;", "/x", "GET", 204),
        ("location / { try_files $uri @app; } location @app { return 202 x; }", "/x", "GET", 202),
        ("location / { try_files /dev/null @app; } location @app { return 202 x; }", "/x", "GET", 202),
        ("location / { internal; }", "/", "GET", 404),
    ],
)  # fmt: skip
def test_files(text: str, path: str, method: str, status: int) -> None:
    assert asked(text, path, method=method).response.status == status


# ------------------------------------------------------------------------------------------------------------ variables


@pytest.mark.parametrize(
    ("lines_before", "value", "text"),
    [
        ("set $args x=1;", "$is_args$args-$arg_x", "?x=1-1"),
        ("", "$upstream_http_x$v", None),  # no upstream was asked
        ("set $v a; if ($uri ~ ^/(p)) { set $v $1; }", "$v", "p"),
        ("if ($uri ~ (p)) { set $v 1; } if ($uri ~ (none)) { set $v 2; }", "$v-$1", "1-"),
        ("", "$Host-$HTTP_X_Mode", "a.test-on"),
        ("", "$server_name", "~^a"),
        ("", "${scheme}s$request_uri", "https/path?q=2&x=3"),
        ("", "$cookie_c-$arg_x", "two-3"),
    ],
)
def test_variables(lines_before: str, value: str, text: str | None) -> None:
    server = f'server {{ server_name "~^a"; location / {{ {lines_before} add_header X "{value}"; return 200 x; }} }}'
    server += 'server { listen 1; set $v ""; }'
    headers = (Header("X-Mode", "on"), Header("Cookie", "b=1; c=two"))
    found = asked(server, "/path?q=2&x=3", headers=headers)
    assert lines(found) == ([] if text is None else [("X", text)])


@pytest.mark.parametrize(
    ("block", "source", "value"),
    [
        ("default d; HTTPS://A.test one;", "https://a.test", "one"),
        ("default d; ~^a one;", "A", "d"),
        ("default d; ~*^a one;", "A", "one"),
        ("~^https://(.+)$ got-$1;", "https://x", "got-x"),
        ("a b;", "x", ""),
        ('"" none; ~. some;', "", "none"),
        ("hostnames; .a.test one; default d;", "b.a.test.", "one"),
        ("*.a.test one; default d;", "b.a.test", "d"),
        ("volatile; default d;", "x", "d"),
    ],
)
def test_maps(block: str, source: str, value: str) -> None:
    text = f"map $http_x $m {{ {block} }} server {{ add_header M $m; return 200 x; }}"
    assert lines(asked(text, headers=(Header("X", source),))) == ([("M", value)] if value else [])


# ------------------------------------------------------------------------------------------------------------ upstreams


@pytest.mark.parametrize(
    ("location", "path", "sent"),
    [
        ("location /s/ { proxy_pass http://u; }", "/s/%61?x=1", "/s/%61?x=1"),
        ("location /s/ { proxy_pass http://u/; }", "/s/a?x=1", "/a?x=1"),
        ("location /s { proxy_pass http://u/; }", "/s/a", "//a"),
        ("location /s/ { proxy_pass http://u/b; }", "/s/a%20b", "/ba%20b"),
        ("location / { set $h u; proxy_pass http://$h/x; }", "/s?y=1", "/x"),
        ("location / { set $h u; proxy_pass http://$h; }", "/s?y=1", "/s?y=1"),
        ("location ~ ^/s/(.*) { proxy_pass http://u/$1; }", "/s/a?y=1", "/a"),
        ("location / { rewrite ^/s/(.*)$ /t/$1?z=1 break; proxy_pass http://u; }", "/s/a?y=1", "/t/a?z=1&y=1"),
        ("location / { try_files /none @a; } location @a { proxy_pass http://u; }", "/s/%61", "/s/%61"),
    ],
)
def test_the_path_that_reaches_the_upstream(location: str, path: str, sent: str) -> None:
    found = asked(f"upstream u {{ server 127.0.0.1:1; }} server {{ {location} }}", path)
    assert found.upstream is not None
    assert (found.upstream.target, found.upstream.path) == ("u", sent)


@pytest.mark.parametrize(
    ("target", "status"), [("127.0.0.1:80$m", 500), ("$host", 502), ("u", 200), ("127.0.0.1:1$uri", 200)]
)
def test_targets(target: str, status: int) -> None:
    text = f"upstream u {{ server 127.0.0.1:1; }} server {{ location / {{ set $m GET; proxy_pass http://{target}; }} }}"
    assert asked(text).response.status == status


def _to_upstream(text: str, version: tuple[int, ...] | None, *headers: Header) -> UpstreamRequest:
    where = Surroundings(lambda _: response(200), version=version)
    found = asked(f"location / {{ {text} proxy_pass http://127.0.0.1:81; }}", where=where, headers=headers)
    assert found.upstream is not None
    return found.upstream


def test_request_headers() -> None:
    handshake = (Header("Upgrade", "websocket"), Header("Connection", "Upgrade"), Header("Origin", "https://a.test"))
    plain = _to_upstream("", (1, 22, 1), *handshake)
    assert (plain.version, plain.header("upgrade"), plain.header("connection")) == (
        "1.0",
        None,
        Header("Connection", "close"),
    )
    assert plain.header("host") == Header("Host", "127.0.0.1:81")
    new = _to_upstream("", (1, 29, 7), *handshake)
    assert (new.version, new.header("connection")) == ("1.1", None)
    unknown = _to_upstream("", None, *handshake)
    assert (unknown.version, unknown.header("connection")) == (None, Header("Connection", "close", Tri.UNKNOWN))
    passed = _to_upstream('proxy_set_header Upgrade $http_upgrade; proxy_set_header Origin "";', (1, 22, 1), *handshake)
    assert (passed.header("upgrade"), passed.header("origin")) == (Header("Upgrade", "websocket"), None)


def test_what_comes_back() -> None:
    reply = around(404, (ACAO, "*"), ("X-Up", "1"), ("Server", "s"))
    found = asked(
        f"location / {{ proxy_hide_header x-up; add_header {ACAO} a always; add_header B b;"
        " proxy_pass http://127.0.0.1:1; }",
        where=reply,
    )
    assert (found.response.status, lines(found), found.passed) == (404, [(ACAO, "*"), (ACAO, "a")], Tri.YES)


def test_more_headers_replace_and_clear() -> None:
    reply = around(200, (ACAO, "*"), ("X-Up", "1"))
    text = f'more_set_headers "{ACAO}: a"; more_set_headers -s 404 "X: y";'
    text += "location / { more_clear_headers X-U*; proxy_pass http://127.0.0.1:1; }"
    assert lines(asked(text, where=reply)) == [(ACAO, "a")]


# --------------------------------------------------------------------------------------------------------------- access


@pytest.mark.parametrize(
    ("text", "method", "status"),
    [
        ("deny all;", "GET", 403), ("allow 127.0.0.0/8; deny all;", "GET", 404), ("deny 10.0.0.1;", "GET", 404),
        ('auth_basic "r"; auth_basic_user_file f;', "GET", 401), ('auth_basic "r";', "GET", 404),
        ('deny all; satisfy any; auth_basic "r"; auth_basic_user_file f;', "GET", 401),
        ('allow all; satisfy any; auth_basic "r"; auth_basic_user_file f;', "GET", 404),
        ("deny all; if ($request_method = OPTIONS) { return 204; }", "OPTIONS", 204),
        ("limit_except GET { deny all; } if ($request_method = OPTIONS) { return 204; }", "OPTIONS", 403),
        ("limit_except GET { deny all; }", "HEAD", 404),
    ],
)  # fmt: skip
def test_access(text: str, method: str, status: int) -> None:
    assert asked(f"location / {{ {text} }}", "/none", method=method).response.status == status


@pytest.mark.parametrize(
    ("auth", "status"),
    [
        ("return 204;", 202), ("return 401;", 401), ("return 403;", 403), ("return 302 /x;", 500),
        ("return 444;", NO_ANSWER),
        ("if ($request_method = PUT) { return 204; } return 401;", 202),  # the variable is the main request's
        ("proxy_pass http://127.0.0.1:1;", 202),
    ],
)  # fmt: skip
def test_auth_request(auth: str, status: int) -> None:
    text = f"location = /auth {{ {auth} }} location / {{ auth_request /auth; try_files /none @ok; }}"
    text += "location @ok { return 202 x; }"
    assert asked(text, "/a", method="PUT").response.status == status


def test_a_refusal_is_kept_through_an_error_page() -> None:
    text = "error_page 500 /note.txt; location / { deny all; satisfy any; auth_request /auth; }"
    text += "location /auth { return 404; } location /note.txt { }"
    assert asked(text, "/a").response.status == 403


def test_a_handshake_in_a_subrequest_closes() -> None:
    text = "location = /auth { proxy_pass http://127.0.0.1:1; } location / { auth_request /auth; }"
    assert asked(text, where=around(101)).response.status == NO_ANSWER


# -------------------------------------------------------------------------------------------------------------- unknown


@pytest.mark.parametrize(
    "text",
    [
        f"location / {{ access_by_lua_block {{ x() }} add_header {ACAO} *; }}",
        "location / { content_by_lua_block { x() } }",
        "location / { js_content main.js; }",
        "location / { some_module_directive on; return 200 x; }",
        "location / { include /somewhere/else.conf; return 200 x; }",
        "include /somewhere/else.conf; location / { return 200 x; }",
        "location / { stub_status; }",
    ],
)
def test_nothing_is_said_where_something_else_decides(text: str) -> None:
    found = asked(text)
    assert found.response.status is None
    assert found.response.header(ACAO) is Missing.UNKNOWN
    assert found.passed is Tri.UNKNOWN


def test_both_ways_where_a_condition_is_not_known() -> None:
    text = f"geo $g {{ default 1; }} server {{ add_header {ACAO} *; if ($g) {{ return 403; }}"
    text += "location / { return 200 x; } }"
    found = asked(text)
    assert found.response.status is None
    assert found.response.headers == (Header(ACAO, "*", Tri.UNKNOWN),)
    same = asked(text.replace("403", "204").replace("200 x", "204"))
    assert (same.response.status, lines(same)) == (204, [(ACAO, "*")])


def test_an_unknown_upstream() -> None:
    text = f"location / {{ add_header {ACAO} *; add_header X a always; proxy_pass http://127.0.0.1:1; }}"
    found = asked(text, where=around(None))
    assert (found.response.status, found.passed) == (None, Tri.YES)
    assert found.response.lines(ACAO) == (Header(ACAO, None, Tri.UNKNOWN), Header(ACAO, "*", Tri.UNKNOWN))
    assert found.response.lines("x") == (Header("X", "a"),)
    hidden = asked(
        text.replace("proxy_pass", f"proxy_hide_header {ACAO}; proxy_pass").replace("*;", "* always;"),
        where=around(None),
    )
    assert hidden.response.lines(ACAO) == (Header(ACAO, "*"),)


def test_unknown_files_and_addresses() -> None:
    nothing = Surroundings(lambda _: response(200))
    assert asked("", "/note.txt", nothing).response.status is None
    assert asked("", "/note.txt", nothing, method="OPTIONS").response.status == 405
    assert asked("location / { deny 10.0.0.1; return 200 x; }", address=None).response.status == 200
    assert asked("location / { deny 10.0.0.1; }", "/none", address=None).response.status is None
    assert asked("location / { deny all; }", address=None).response.status == 403


def test_a_browser_s_request() -> None:
    text = "map $http_origin $o { ~^https://a\\.test$ $http_origin; }"
    text += "server { add_header A $o always; if ($request_method = OPTIONS) { return 204; } }"
    request = Request("preflight", "OPTIONS", "/x", "https://a.test", "PUT", ("x-a",), server="https://api.test")
    found = answer(configuration(text), incoming(request, 80))
    assert (found.response.status, lines(found)) == (204, [("A", "https://a.test")])
    foreign = answer(configuration(text), incoming(request._replace(origin="https://b.test"), 80))
    assert (foreign.response.status, lines(foreign)) == (204, [])


def test_included_files_belong_to_their_level() -> None:
    found = answer(
        configuration(
            "server { location / { add_header B b; include part.conf; return 200 x; } }", part="add_header A a;"
        ),
        Incoming(port=80),
    )
    assert found.response == Response(200, (Header("B", "b"), Header("A", "a")))


def test_places() -> None:
    text = "server { location /a { if ($http_origin) { return 204; } } }"
    found = answer(configuration(text), Incoming(target="/a", port=80, headers=(Header("Origin", "x"),)))
    source = f"events {{}}\nhttp {{ {text} }}\n"
    assert [source[span.start : span.end] for span in found.where] == ["server", "location", "if", "return"]
