# ruff: noqa: E501 - tables: one case, one line
"""nginx facts: routes, inheritance, includes, upstreams, policies, and variables that nothing defines."""

from __future__ import annotations

import textwrap
import time
from collections.abc import Sequence

import pytest

from corslint import resources
from corslint.behaviour.nginx import facts
from corslint.frameworks import descriptors
from corslint.frameworks.catalog import SocketPaths
from corslint.model.facts import Fact
from corslint.model.kinds import FACT_KINDS
from corslint.parsers.nginx import read
from corslint.source import SourceFile, Span

Files = dict[str, str]
WELL_KNOWN = descriptors.load(resources.frameworks_folder()).socket_paths


class Found:
    """The facts of some files, with the text that their places show."""

    def __init__(
        self,
        files: Files | str,
        paths: Sequence[str] = (),
        version: str | None = None,
        well_known: SocketPaths = WELL_KNOWN,
    ) -> None:
        given = {"nginx.conf": files} if isinstance(files, str) else files
        self.sources = {path: SourceFile(path, textwrap.dedent(text).encode()) for path, text in given.items()}
        readings = {path: read(source) for path, source in self.sources.items()}
        self.facts = facts(readings, list(paths), version, well_known)
        for fact in self.facts:
            for name in fact.fields:
                known = FACT_KINDS[fact.kind].fields
                assert name in known or f"{name.split('.', 1)[0]}.*" in known, f"{fact.kind} has no field {name}"

    def of(self, kind: str) -> list[Fact]:
        return [fact for fact in self.facts if fact.kind == kind]

    def one(self, kind: str = "proxy_route") -> Fact:
        (fact,) = self.of(kind)
        return fact

    def route(self, path: str) -> Fact:
        (fact,) = [fact for fact in self.of("proxy_route") if fact.field("path").value == path]
        return fact

    def shown(self, fact: Fact, name: str) -> str:
        span = fact.field(name).span
        assert isinstance(span, Span)
        return self.sources[span.path].text(span)


def value(fact: Fact, name: str) -> object:
    """The field's value, `?` where unknown, `-` where absent."""
    field = fact.field(name)
    return "?" if field.state == "unknown" else "-" if field.state == "absent" else field.value


UPGRADE = "proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection upgrade;"


class TestInheritance:
    def test_own_add_header_loses_the_outer_ones(self) -> None:
        found = Found("""
            server {
              add_header Access-Control-Allow-Origin * always;
              add_header Vary Origin;
              location / { proxy_pass http://b; add_header X-A 1; add_header X-B 2; }
              location /kept { proxy_pass http://b; }
              location /again { proxy_pass http://b; add_header access-control-allow-origin *; add_header Vary ""; }
            }
            """)
        lost = found.route("/")
        assert value(lost, "dropped_headers.access-control-allow-origin") == "*"
        assert found.shown(lost, "dropped_headers.vary") == "add_header Vary Origin;"
        assert found.shown(lost, "headers_drop_by") == "add_header X-A 1;"
        assert value(lost, "adds.access-control-allow-origin") == "-"
        kept = found.route("/kept")
        assert (
            found.shown(kept, "adds.access-control-allow-origin") == "add_header Access-Control-Allow-Origin * always;"
        )
        assert value(kept, "adds_always.access-control-allow-origin") == "yes"
        assert (value(kept, "headers_drop_by"), value(kept, "dropped_headers.vary")) == ("-", "-")
        again = found.route("/again")
        assert value(again, "dropped_headers.access-control-allow-origin") == "-"
        assert value(again, "dropped_headers.vary") == "-", "an empty value cancels on purpose"
        assert (value(again, "adds.vary"), value(again, "adds_always.access-control-allow-origin")) == ("-", "no")

    @pytest.mark.parametrize(
        ("mode", "count", "dropped"), [("on", "-", "*"), ("merge", 1, "-"), ("off", "-", "-"), ("", "-", "*")]
    )
    def test_add_header_inherit(self, mode: str, count: object, dropped: str) -> None:
        line = f"add_header_inherit {mode};" if mode else ""
        found = Found(f"server {{ {line} add_header X-O *; location / {{ proxy_pass http://b; add_header X-A 1; }} }}")
        assert value(found.one(), "adds_count.x-o") == count
        assert value(found.one(), "dropped_headers.x-o") == dropped

    def test_merge_makes_duplicates(self) -> None:
        found = Found("""
            server {
              add_header Access-Control-Allow-Origin https://a.test;
              location / { add_header_inherit merge; add_header Access-Control-Allow-Origin *; proxy_pass http://b; }
            }
            """)
        route = found.one()
        assert value(route, "adds_count.access-control-allow-origin") == 2
        assert value(route, "adds.access-control-allow-origin") == "*"
        assert value(route, "adds_second.access-control-allow-origin") == "https://a.test"
        assert value(route, "adds_equal.access-control-allow-origin") == "no"

    @pytest.mark.parametrize(
        ("lines", "count", "equal"),
        [
            ("add_header X-O *; add_header x-o *;", 2, "yes"),
            ("add_header X-O *; add_header X-O '';", 1, "-"),
            ("add_header X-O *;", 1, "-"),
            ("add_header X-O $a; add_header X-O $b;", "?", "no"),  # each may be empty
            ("add_header X-O $http_origin; add_header X-O *;", 2, "no"),
            ("more_set_headers 'X-O: *'; add_header X-O *;", 2, "yes"),
        ],
    )
    def test_duplicates(self, lines: str, count: object, equal: str) -> None:
        route = Found(f"server {{ location / {{ {lines} proxy_pass http://b; }} }}").one()
        assert (value(route, "adds_count.x-o"), value(route, "adds_equal.x-o")) == (count, equal)

    def test_variables_that_are_never_empty_do_count(self) -> None:
        found = Found("""
            map $http_origin $a { default x; }
            server { location / { add_header X-O $a; add_header X-O b; proxy_pass http://b; } }
            """)
        assert value(found.one(), "adds_count.x-o") == 2

    @pytest.mark.parametrize(
        ("values", "second"),
        [
            (("$listed", "*"), "*"),
            (("$listed", "$listed"), "$listed"),
            (("$listed", "$other"), None),  # may exclude each other
            (("$listed", "$unread"), None),
            (("$unread", "*"), None),
            (("$never", "*"), None),
            (("$by_path", "*"), None),
        ],
    )
    def test_two_that_some_origins_get(self, values: tuple[str, str], second: str | None) -> None:
        lines = " ".join(f"add_header Access-Control-Allow-Origin {one};" for one in values)
        found = Found(f"""
            map $http_origin $listed {{ default ""; https://a.test $http_origin; }}
            map $http_origin $other {{ default ""; https://b.test $http_origin; }}
            map $http_origin $never {{ default ""; https://b.test ""; }}
            map $uri $by_path {{ default ""; /x "*"; }}
            server {{ location / {{ {lines} proxy_pass http://b; }} }}
            """)
        duplicates = [fact for fact in found.facts if fact.kind == "duplicate_header"]
        assert [value(fact, "second") for fact in duplicates] == ([second] if second else [])

    def test_server_and_location_is_no_duplicate(self) -> None:
        found = Found("server { add_header X-O *; location / { add_header X-O *; proxy_pass http://b; } }")
        assert value(found.one(), "adds_count.x-o") == 1

    def test_request_headers(self) -> None:
        found = Found(f"""
            http {{
              {UPGRADE}
              server {{
                location /inherits {{ proxy_pass http://b; }}
                location /loses {{ proxy_pass http://b; proxy_set_header Host $host; }}
                location /outer {{ proxy_set_header A b; location /outer/inner {{ proxy_pass http://b; }} }}
              }}
            }}
            """)
        inherits, loses, inner = (found.route(path) for path in ("/inherits", "/loses", "/outer/inner"))
        assert value(inherits, "request_headers.upgrade") == "$http_upgrade"
        assert value(inherits, "dropped_request_headers.upgrade") == "-"
        assert value(loses, "request_headers.upgrade") == "-"
        assert value(loses, "request_headers.host") == "$host"
        assert found.shown(loses, "dropped_request_headers.connection") == "proxy_set_header Connection upgrade;"
        assert found.shown(loses, "drops_by") == "proxy_set_header Host $host;"
        assert (value(inner, "request_headers.a"), value(inner, "request_headers.upgrade")) == ("b", "-")

    def test_a_loss_further_out_is_felt_further_in(self) -> None:
        found = Found(f"""
            http {{
              {UPGRADE}
              add_header Access-Control-Allow-Origin *;
              server {{
                proxy_set_header Host $host;
                add_header X-A b;
                location / {{ proxy_pass http://b; }}
              }}
            }}
            """)
        route = found.one()
        assert value(route, "dropped_request_headers.upgrade") == "$http_upgrade"
        assert found.shown(route, "drops_by") == "proxy_set_header Host $host;"
        assert value(route, "dropped_headers.access-control-allow-origin") == "*"
        assert found.shown(route, "headers_drop_by") == "add_header X-A b;"

    @pytest.mark.parametrize(
        ("lines", "connection"),
        [
            ('proxy_set_header Connection "";', ""),
            ('proxy_set_header Connection ""; proxy_set_header Connection upgrade;', "upgrade"),
            ('proxy_set_header Connection upgrade; proxy_set_header Connection "";', "upgrade"),
            ("proxy_set_header Connection upgrade; proxy_set_header Connection close;", "?"),
        ],
    )
    def test_an_empty_header_beside_another_is_not_sent(self, lines: str, connection: str) -> None:
        route = Found(f"server {{ location / {{ {lines} proxy_pass http://b; }} }}").one()
        assert value(route, "request_headers.connection") == connection

    def test_hidden_headers_are_inherited_as_a_list(self) -> None:
        found = Found("""
            server {
              proxy_hide_header Access-Control-Allow-Origin;
              location /a { proxy_pass http://b; }
              location /b { proxy_pass http://b; proxy_hide_header X-Powered-By; }
              location /c { proxy_pass http://b; proxy_hide_header A; more_set_headers "Access-Control-Allow-Origin: *"; }
              location /d { proxy_pass http://b; more_clear_headers "Access-Control-*"; }
            }
            """)
        name = "hides.access-control-allow-origin"
        assert value(found.route("/a"), name) == "Access-Control-Allow-Origin"
        assert value(found.route("/b"), name) == "-"
        assert value(found.route("/c"), "adds.access-control-allow-origin") == "*"
        assert found.shown(found.route("/c"), name) == 'more_set_headers "Access-Control-Allow-Origin: *";'
        assert value(found.route("/d"), "hides.access-control-allow-credentials") == "Access-Control-*".lower()

    @pytest.mark.parametrize(
        ("version", "lines", "spoken", "source"),
        [
            (None, "", "1.0", "default"),
            ("1.29.6", "", "1.0", "default"),
            ("1.29.7", "", "1.1", "default"),
            ("1.31", "", "1.1", "default"),  # any 1.31
            ("1.28", "", "1.0", "default"),
            (None, "proxy_http_version 1.1;", "1.1", "written"),
            ("1.31.0", "proxy_http_version 1.0;", "1.0", "written"),
        ],
    )
    def test_http_version(self, version: str | None, lines: str, spoken: str, source: str) -> None:
        route = Found(f"server {{ {lines} location / {{ proxy_pass http://b; }} }}", version=version).one()
        assert (value(route, "http_version"), value(route, "http_version_source")) == (spoken, source)

    def test_who_cancels_by_an_include(self) -> None:
        found = Found(
            {
                "nginx.conf": f"""
                    server {{
                      {UPGRADE} add_header X-O *;
                      location / {{ proxy_pass http://b; include a.conf; }}
                    }}
                    """,
                "a.conf": "include b.conf;",
                "b.conf": "proxy_set_header Host $host; add_header X-A 1;",
            }
        )
        route = found.one()
        assert found.shown(route, "drops_by") == "include a.conf;"
        assert found.shown(route, "drops_from") == "proxy_set_header Host $host;"
        assert found.shown(route, "headers_drop_by") == "include a.conf;"
        assert found.shown(route, "headers_drop_from") == "add_header X-A 1;"
        assert value(route, "drops_by") == "Host"

    def test_the_level_to_edit(self) -> None:
        found = Found("""
            http {
              server {
                proxy_set_header A a; add_header B b;
                location /outer { proxy_pass http://b; }
                location /own { proxy_pass http://b; proxy_set_header C c; add_header D d; }
              }
              server { location /none { proxy_pass http://b; } }
            }
            """)
        outer, own, none = (found.route(path) for path in ("/outer", "/own", "/none"))
        assert [value(route, "request_block_own") for route in (outer, own, none)] == ["no", "yes", "yes"]
        assert found.shown(outer, "request_block") == found.shown(outer, "response_block")
        assert found.shown(outer, "request_block").lstrip().startswith("proxy_set_header A a;")
        assert found.shown(own, "request_block") == found.shown(own, "response_block") == found.shown(own, "block")
        assert found.shown(none, "request_block") == found.shown(none, "block")
        assert value(none, "response_block") == "-"

    @pytest.mark.parametrize(
        ("outer", "own", "expected"),
        [
            ("", "", ("no", ("Upgrade", "Connection"), "-")),
            ("", "proxy_set_header Upgrade $http_upgrade;", ("no", ("Connection",), "-")),
            ("", "proxy_set_header Connection upgrade;", ("no", ("Upgrade",), "-")),
            ("", UPGRADE.replace("Connection upgrade", 'Connection ""'), ("no", ("Connection",), "-")),
            ("", UPGRADE.replace("Connection upgrade", "Connection Keep-Alive"), ("?", "-", "-")),
            ("", UPGRADE + 'proxy_set_header Connection "";', ("yes", "-", "-")),
            ("", UPGRADE + "proxy_set_header Connection close;", ("?", "-", "-")),
            (UPGRADE, "", ("yes", "-", "-")),
            (UPGRADE, "proxy_set_header A b;", ("no", ("Upgrade", "Connection"), "yes")),
            (UPGRADE, "proxy_set_header Upgrade $http_upgrade;", ("no", ("Connection",), "yes")),
            ("proxy_set_header Upgrade $http_upgrade;", "proxy_set_header A b;", ("no", ("Upgrade", "Connection"), "-")),
            (UPGRADE, "proxy_set_header A b; include missing.conf;", ("?", "-", "-")),
            ("", "if ($http_upgrade) { proxy_pass http://c; }", ("?", "-", "-")),
            ("", "if ($http_upgrade) { rewrite ^ /ws last; }", ("?", "-", "-")),
            ("", "error_page 418 = @ws; if ($http_upgrade) { return 418; }", ("?", "-", "-")),
            ("error_page 418 = @ws; if ($http_upgrade) { return 418; }", "", ("?", "-", "-")),
            ("", "try_files $uri @ws;", ("?", "-", "-")),
            ("", "rewrite ^/x /y last;", ("?", "-", "-")),
            ("", "rewrite ^/x /y break;", ("no", ("Upgrade", "Connection"), "-")),
            ("", "error_page 404 /404.html; if ($a) { return 403; }", ("no", ("Upgrade", "Connection"), "-")),
            ("if ($scheme = http) { return 301 https://$host; }", "", ("no", ("Upgrade", "Connection"), "-")),
        ],
    )  # fmt: skip
    def test_what_an_upgrade_needs(self, outer: str, own: str, expected: tuple[object, ...]) -> None:
        route = Found(f"http {{ server {{ {outer} location / {{ proxy_pass http://b; {own} }} }} }}").one()
        assert tuple(value(route, name) for name in ("passes_upgrade", "upgrade_lacks", "loses_upgrade")) == expected

    @pytest.mark.parametrize(
        ("lines", "expected"),
        [
            ("return 204;", 204),
            ("return 200 ok;", 200),
            ("return https://a.test;", 302),
            ("return $code text;", "-"),
            ("if ($a) { return 204; }", "-"),
            ("proxy_pass http://b;", "-"),
        ],
    )
    def test_status(self, lines: str, expected: object) -> None:
        assert value(Found(f"server {{ location / {{ {lines} }} }}").one(), "status") == expected

    def test_what_an_if_adds_is_not_known_to_be_there(self) -> None:
        route = Found("server { location / { root /x; add_header A 1; if ($a) { add_header X-O *; } } }").one()
        assert (value(route, "adds.x-o"), value(route, "adds.a")) == ("?", "1")

    @pytest.mark.parametrize(
        ("lines", "second", "own"),
        [
            ("{A} {B}", "B", "yes"),
            ("{A} include o.conf;", "A", "yes"),
            ("include o.conf; {A}", "A", "yes"),
            ("{A} {ALWAYS}", "A", "yes"),
            ("{ALWAYS} {A}", "A", "yes"),
            ("{A} more_set_headers 'Access-Control-Allow-Origin: *';", "A", "yes"),
        ],
    )
    def test_which_of_two_lines_is_one_too_many(self, lines: str, second: str, own: str) -> None:
        line = "add_header Access-Control-Allow-Origin"
        texts = {"A": f"{line} *;", "B": f"{line} https://b.test;", "ALWAYS": f"{line} * always;"}
        found = Found({"nginx.conf": f"server {{ location / {{ {lines.format(**texts)} }} }}", "o.conf": f"{line} *;"})
        duplicate = found.one("duplicate_header")
        assert (found.shown(duplicate, "second"), value(duplicate, "own")) == (texts[second], own)
        assert duplicate.field("second").span != duplicate.field("first").span
        assert duplicate.span.path == "nginx.conf"


class TestIncludes:
    def test_evaluated_where_they_are_included_and_not_on_their_own(self) -> None:
        found = Found({
            "deploy/nginx.conf": "http { include /etc/nginx/conf.d/*.conf; }",
            "deploy/conf.d/b.conf": "server { include snippets/cors.conf; location / { proxy_pass http://b; } }",
            "deploy/conf.d/a.conf": "add_header X-A 1;",
            "deploy/snippets/cors.conf": "add_header Access-Control-Allow-Origin *;",
        })  # fmt: skip
        route = found.one()
        assert value(route, "adds.access-control-allow-origin") == "*"
        assert (value(route, "adds.x-a"), value(route, "complete")) == ("-", "yes")
        assert route.field("adds.access-control-allow-origin").span == Span("deploy/snippets/cors.conf", 0, 41)
        assert len(found.of("cors_policy")) == 1

    @pytest.mark.parametrize(
        ("include", "complete", "upgrade"),
        [
            ("mime.types", "yes", "-"),
            ("/etc/nginx/mime.types", "yes", "-"),
            ("fastcgi_params", "yes", "-"),
            ("proxy_params", "no", "?"),
            ("/config/nginx/proxy.conf", "no", "?"),
            ("conf.d/*.conf", "no", "?"),
            ("$dir/x.conf", "no", "?"),
            ("own.conf", "yes", "-"),
            ("/etc/nginx/snippets/own.conf", "yes", "-"),
        ],
    )
    def test_what_is_not_in_the_project(self, include: str, complete: str, upgrade: str) -> None:
        text = f"server {{ location / {{ include {include}; proxy_pass http://b; proxy_set_header Host $host; }} }}"
        route = Found({"site.conf": text, "own.conf": "add_header X-A b;"}).route("/")
        assert (value(route, "complete"), value(route, "request_headers.upgrade")) == (complete, upgrade)
        assert value(route, "request_headers.host") == "$host"

    def test_an_unknown_outer_level_does_not_matter_where_the_own_lines_count(self) -> None:
        found = Found("""
            http {
              include /etc/nginx/unknown.conf;
              server {
                location /own { proxy_pass http://b; proxy_set_header Host $host; add_header X-A b; }
                location /inherits { proxy_pass http://b; }
              }
            }
            """)
        own, inherits = found.route("/own"), found.route("/inherits")
        assert (value(own, "complete"), value(own, "request_headers.upgrade")) == ("yes", "-")
        assert value(own, "adds.access-control-allow-origin") == "-"
        assert (value(inherits, "complete"), value(inherits, "request_headers.upgrade")) == ("no", "?")
        assert (value(inherits, "adds.access-control-allow-origin"), value(inherits, "http_version")) == ("?", "?")

    def test_ambiguous_tails_are_not_guessed(self) -> None:
        files = {
            "one/x/proxy.conf": UPGRADE,
            "two/x/proxy.conf": "proxy_set_header A b;",
            "site.conf": "server { location / { include /etc/nginx/x/proxy.conf; proxy_pass http://b; } }",
        }
        assert value(Found(files).route("/"), "request_headers.upgrade") == "?"
        files["one/site.conf"] = files.pop("site.conf")
        assert value(Found(files).route("/"), "request_headers.upgrade") == "$http_upgrade", "the nearest one"

    @pytest.mark.parametrize(
        "files",
        [
            {"a.conf": "server { include a.conf; location / { proxy_pass http://b; } }"},
            {"a.conf": "server { include b.conf; }", "b.conf": "include a.conf; location / { proxy_pass http://b; }"},
            {"a.conf": "include *.conf;" * 20, "b.conf": "include *.conf;" * 20, "c.conf": "location / { }"},
        ],
    )
    def test_loops_end(self, files: Files) -> None:
        assert all(value(route, "complete") == "no" for route in Found(files).of("proxy_route"))

    @pytest.mark.parametrize(
        ("text", "complete"),
        [
            ("server { location / { proxy_pass http://b; {% if x %}\nproxy_set_header A b;\n{% endif %} } }", "no"),
            ("server { location / { proxy_pass http://b; {% if x %}\nclient_max_body_size 1m;\n{% endif %} } }", "yes"),
            ("server { location / { proxy_pass http://b;\n{{ extra }}\n } }", "no"),
            ("server {\n{% if x %}\nlisten 80;\n{% endif %}\nlocation / { proxy_pass http://b; } }", "yes"),
            ("{% if x %}\nserver { location / { proxy_pass http://b; } }\n{% endif %}", "no"),
            ("server { location / { proxy_pass http://{{ host }}; } }", "yes"),
        ],
    )
    def test_template_logic(self, text: str, complete: str) -> None:
        assert value(Found(text).route("/"), "complete") == complete

    def test_snippets_do_not_know_what_is_around_them(self) -> None:
        route = Found(
            "location /ws { proxy_pass http://b; }\nlocation /x { proxy_pass http://b; proxy_set_header A b; }"
        )
        assert value(route.route("/ws"), "request_headers.upgrade") == "?"
        assert value(route.route("/x"), "request_headers.upgrade") == "-"
        bare = Found("add_header Access-Control-Allow-Origin *;\nadd_header Access-Control-Allow-Origin *;").one()
        assert (value(bare, "adds_count.access-control-allow-origin"), value(bare, "complete")) == (2, "no")


class TestPass:
    @pytest.mark.parametrize(
        ("target", "expected"),
        [
            ("http://app:3000", ("app", 3000, "-")),
            ("http://app:3000/", ("app", 3000, "/")),
            ("http://app", ("app", "-", "-")),
            ("https://[::1]:8443/x", ("[::1]", 8443, "/x")),
            ("http://unix:/run/x.sock:/y", ("unix:/run/x.sock", "-", "/y")),
            ("http://unix:/run/x.sock", ("unix:/run/x.sock", "-", "-")),
            ("http://pool", ("pool", 4000, "-")),
            ("http://mixed", ("mixed", "-", "-")),
            ("$backend", ("web", 5000, "-")),
            ("http://$name:81", ("web", 81, "-")),
            ("http://$name$request_uri", ("web", "-", "-")),
            ("http://$name/x", ("web", "-", "?")),
            ("http://$host:81", ("?", "?", "?")),
            ("http://app:$port", ("?", "?", "?")),
            ("http://${HOST}:3000", ("?", "?", "?")),
            ("http://{{ host }}:3000", ("?", "?", "?")),
        ],
    )
    def test_target(self, target: str, expected: tuple[object, ...]) -> None:
        route = Found(f"""
            upstream pool {{ server a:4000; server b:4000; }}
            upstream mixed {{ server a:4000; server b:4001; }}
            server {{
              set $backend http://web:5000; set $name web;
              location / {{ proxy_pass "{target}"; }}
            }}
            """).route("/")
        assert tuple(value(route, name) for name in ("upstream", "upstream_port", "upstream_path")) == expected

    @pytest.mark.parametrize(
        ("lines", "proxied", "itself", "plain"),
        [
            ("proxy_pass http://b;", "yes", "no", "yes"),
            ("root /x;", "no", "yes", "yes"),
            ("return 204;", "no", "yes", "no"),
            ("return 204; proxy_pass http://b;", "no", "yes", "no"),
            ("proxy_pass http://b; if ($a) { return 204; }", "yes", "no", "no"),
            ("if ($a) { proxy_pass http://b; }", "?", "?", "no"),
            ("try_files $uri @app;", "no", "?", "no"),
            ("rewrite ^ /x last;", "no", "?", "no"),
            ("proxy_pass http://b; error_page 502 /50x.html;", "yes", "no", "yes"),
            ("proxy_pass http://b; error_page 404 = @app;", "yes", "no", "no"),
            ("include unknown.conf;", "?", "?", "yes"),
            ("uwsgi_pass b;", "yes", "no", "yes"),
            ("content_by_lua_block { x }", "no", "?", "yes"),
        ],
    )
    def test_what_becomes_of_a_request(self, lines: str, proxied: str, itself: str, plain: str) -> None:
        route = Found(f"server {{ location / {{ {lines} }} }}").route("/")
        names = ("proxied", "answers_itself", "plain")
        assert tuple(value(route, name) for name in names) == (proxied, itself, plain)

    def test_a_detour_of_the_server_is_on_the_way_of_all(self) -> None:
        found = Found("server { if ($host = x) { return 301 /; } location / { proxy_pass http://b; } }")
        assert value(found.route("/"), "plain") == "no"
        assert value(Found("server { try_files a b; location / { proxy_pass http://b; } }").one(), "plain") == "yes"

    def test_one_route_for_each_location_or_bare_server(self) -> None:
        found = Found("""
            server { listen 80; return 301 https://a.test$request_uri; }
            server { location = /a { location /never { } } location @b { } location ~*\\.js$ { } }
            """)
        heads = [
            (value(route, "level"), value(route, "modifier"), value(route, "path")) for route in found.of("proxy_route")
        ]
        assert heads == [
            ("server", "-", "-"),
            ("location = /a", "=", "/a"),
            ("location /never", "", "/never"),
            ("location @b", "@", "@b"),
            ("location ~*\\.js$", "~*", "\\.js$"),
        ]
        assert found.shown(found.route("/never"), "level") == "location /never"
        assert found.shown(found.route("/never"), "block") == " "


class TestSockets:
    @pytest.mark.parametrize(
        ("locations", "path", "expected"),
        [
            ("location / { proxy_pass http://b; }", "/", ("yes", "server")),
            ("location / { root /x; } location /socket.io/ { proxy_pass http://b; }", "/socket.io/", ("yes", "server")),
            ("location / { proxy_pass http://b; } location /socket.io/ { proxy_pass http://b; }", "/", ("no", "-")),
            ("location / { proxy_pass http://b; } location ~ ^/socket { proxy_pass http://c; }", "/", ("no", "-")),
            ("location ^~ /so { proxy_pass http://b; } location ~ ^/socket { proxy_pass http://c; }", "/so", ("yes", "server")),
            ("location / { proxy_pass http://b; } location = /socket.io { proxy_pass http://b; }", "/", ("?", "server")),
            ("location / { proxy_pass http://front; } location /api { proxy_pass http://back; }", "/", ("?", "server")),
            ("location / { proxy_pass http://b:1; } location /api { proxy_pass http://b:1/x; }", "/", ("yes", "server")),
            ("location / { try_files $uri @app; } location @app { proxy_pass http://b; }", "@app", ("?", "server")),
            ("location / { root /x; }", "/", ("no", "-")),
            ("location / { uwsgi_pass b; }", "/", ("?", "server")),
            ("location / { proxy_pass http://b; } location /api/socket.io/ { proxy_pass http://c; }", "/api/socket.io/", ("yes", "library")),
            ("location / { proxy_pass http://b; } location ~ ${X} { proxy_pass http://c; }", "/", ("?", "server")),
        ],
    )  # fmt: skip
    def test_the_location_that_takes_the_servers_path(
        self, locations: str, path: str, expected: tuple[str, str]
    ) -> None:
        route = Found(f"server {{ {locations} }}", ["/socket.io/"]).route(path)
        assert (value(route, "carries_socket"), value(route, "socket_evidence")) == expected

    @pytest.mark.parametrize(
        ("location", "expected"),
        [
            ("location / { proxy_pass http://b; }", ("no", "-")),
            ("location /socket.io/ { proxy_pass http://b; }", ("yes", "library")),
            ("location ~* ^/(api|ws)/ { proxy_pass http://b; }", ("yes", "path")),
            ("location ~ \\.io/socket\\.io { proxy_pass http://b; }", ("yes", "library")),
            ("location /api/hub { proxy_pass http://b; }", ("yes", "path")),
            ("location /news { proxy_pass http://b; }", ("no", "-")),
            ("location /github { proxy_pass http://b; }", ("no", "-")),
            ("location /ws { root /x; }", ("no", "-")),
            ("location /api/sockjs/ { proxy_pass http://b; }", ("yes", "library")),
            (f"location / {{ proxy_pass http://b; {UPGRADE} }}", ("yes", "header")),
            ('location / { proxy_pass http://b; proxy_set_header Upgrade ""; }', ("no", "-")),
        ],
    )
    def test_without_a_server_the_location_itself_must_say_so(self, location: str, expected: tuple[str, str]) -> None:
        route = Found(f"server {{ {location} }}").one()
        assert (value(route, "carries_socket"), value(route, "socket_evidence")) == expected

    @pytest.mark.parametrize(
        ("location", "confidence"),
        [
            ("location /socket.io/ { proxy_pass http://b; }", "medium"),
            ("location /ws/ { proxy_pass http://b; }", "medium"),
            (f"location / {{ proxy_pass http://b; {UPGRADE} }}", "high"),
        ],
    )
    def test_a_path_alone_is_a_hint(self, location: str, confidence: str) -> None:
        assert Found(f"server {{ {location} }}").one().field("carries_socket").confidence == confidence

    @pytest.mark.parametrize(
        ("paths", "expected"),
        [
            ([], {"/d": ("yes", "library"), "/p": ("yes", "library"), "/w": ("yes", "path"), "/o": ("no", "-")}),
            (["/o/"], {"/d": ("yes", "library"), "/p": ("no", "-"), "/w": ("no", "-"), "/o": ("yes", "server")}),
        ],
    )
    def test_which_paths_are_well_known_is_told(self, paths: list[str], expected: dict[str, tuple[str, str]]) -> None:
        known = SocketPaths(frozenset({"d"}), frozenset({"p"}), frozenset({"w"}))
        lines = "".join(f"location {path} {{ proxy_pass http://b; }}" for path in expected)
        found = Found(f"server {{ {lines} }}", paths, well_known=known)
        carries = {path: found.route(path) for path in expected}
        assert {
            path: (value(route, "carries_socket"), value(route, "socket_evidence")) for path, route in carries.items()
        } == expected
        assert value(Found(f"server {{ {lines} }}", well_known=SocketPaths()).route("/d"), "carries_socket") == "no"

    def test_another_server_that_does_it_properly_leaves_the_rest_unknown(self) -> None:
        found = Found(
            f"""
            server {{ server_name a.test; location / {{ proxy_pass http://web; }} }}
            server {{ server_name b.test; location /socket.io/ {{ proxy_pass http://sockets; {UPGRADE} }} }}
            """,
            ["/socket.io/"],
        )
        assert value(found.route("/"), "carries_socket") == "?"
        assert value(found.route("/socket.io/"), "carries_socket") == "yes"

    def test_http_and_https_server_with_one_backend(self) -> None:
        both = "location / { proxy_pass http://app:3000; }"
        found = Found(f"server {{ listen 80; {both} }} server {{ listen 443 ssl; {both} }}", ["/socket.io/"])
        assert [value(route, "carries_socket") for route in found.of("proxy_route")] == ["yes", "yes"]


class TestUpstreams:
    @pytest.mark.parametrize(
        ("lines", "expected"),
        [("server a;", 0), ("server a; server b backup; server c down;", 1), ("include x.conf;", "?")],
    )
    def test_backups(self, lines: str, expected: object) -> None:
        assert value(Found(f"upstream b {{ {lines} }}").one("upstream"), "backups") == expected

    @pytest.mark.parametrize(
        ("lines", "instances", "sticky", "method"),
        [
            ("server a; server b;", 2, "no", "round robin"),
            ("server a; server b backup; server c down; server d weight=2;", 2, "no", "round robin"),
            ("ip_hash; server a; server b;", 2, "yes", "ip_hash"),
            ("hash $remote_addr consistent; server a;", 1, "yes", "hash $remote_addr consistent"),
            ("hash $binary_remote_addr; server a;", 1, "yes", "hash $binary_remote_addr"),
            ("hash $cookie_io; server a;", 1, "yes", "hash $cookie_io"),
            ("hash $arg_sid; server a;", 1, "no", "hash $arg_sid"),
            ("hash $request_uri; server a;", 1, "no", "hash $request_uri"),
            ("hash $remote_addr$request_uri; server a;", 1, "no", "hash $remote_addr$request_uri"),
            ("hash $http_x_forwarded_for; server a;", 1, "?", "hash $http_x_forwarded_for"),
            ("least_conn; server a;", 1, "no", "least_conn"),
            ("random two; server a;", 1, "no", "random two"),
            ("ip_hash; least_conn; server a;", 1, "no", "least_conn"),
            ("least_conn; ip_hash; server a;", 1, "yes", "ip_hash"),
            ("sticky cookie srv_id; least_conn; server a;", 1, "yes", "sticky cookie srv_id"),
            ("sticky_cookie_insert srv_id; server a;", 1, "yes", "sticky_cookie_insert srv_id"),
            ("balancer_by_lua_block { x() } server a;", 1, "?", "balancer_by_lua_block"),
            ("include servers.conf;", "?", "?", "round robin"),
            ("{% for x in y %}\nserver {{ x }};\n{% endfor %}", "?", "?", "round robin"),
        ],
    )
    def test_balancing(self, lines: str, instances: object, sticky: str, method: str) -> None:
        fact = Found(f"upstream u {{ {lines} }}").one("upstream")
        assert (value(fact, "instances"), value(fact, "sticky")) == (instances, sticky)
        assert fact.field("method").value == method
        assert value(fact, "name") == "u"

    def test_places(self) -> None:
        found = Found("http { upstream app { ip_hash; server a; } server { location / { proxy_pass http://app; } } }")
        fact = found.one("upstream")
        assert [found.shown(fact, name) for name in ("name", "method", "block")] == [
            "app",
            "ip_hash;",
            " ip_hash; server a; ",
        ]


def policy(text: str) -> Fact:
    return Found(text).one("cors_policy")


def _listed(found: Found) -> list[tuple[object, ...]]:
    names = ("text", "defect", "corrected", "in_list")
    entries = found.of("origin_entry")
    assert all(entry.field("policy").value == found.one("cors_policy").field("instance").value for entry in entries)
    return [tuple(value(entry, name) for name in names) for entry in entries]


def located(lines: str, maps: str = "") -> str:
    return f"{maps}\nserver {{ location /api {{ {lines} }} }}"


MAP = "map $http_origin $cors {{ {} }}"
ADD = "add_header Access-Control-Allow-Origin $cors;"


class TestPolicies:
    @pytest.mark.parametrize(
        ("text", "stranger", "null", "depends"),
        [
            (located("add_header Access-Control-Allow-Origin *;"), "star", "yes", "no"),
            (located("add_header Access-Control-Allow-Origin https://a.test;"), "fixed", "no", "no"),
            (located("add_header Access-Control-Allow-Origin null;"), "fixed", "yes", "no"),
            (located("add_header Access-Control-Allow-Origin $http_origin always;"), "echo", "yes", "yes"),
            (located("add_header Access-Control-Allow-Origin ${http_origin};"), "echo", "yes", "yes"),
            (located("add_header Access-Control-Allow-Origin ${ORIGIN} always;"), "?", "?", "?"),
            (located('add_header Access-Control-Allow-Origin "{{ origin }}";'), "?", "?", "?"),
            (located("add_header Access-Control-Allow-Origin $scheme://$host;"), "?", "?", "?"),
            (located("more_set_headers 'Access-Control-Allow-Origin: $http_origin';"), "echo", "yes", "yes"),
            (located(ADD, MAP.format("https://a.test $http_origin;")), "nothing", "no", "yes"),
            (located(ADD, MAP.format("default *;")), "star", "yes", "no"),
            (located(ADD, MAP.format("default $http_origin;")), "echo", "yes", "yes"),
            (located(ADD, MAP.format("'~.' $http_origin;")), "echo", "yes", "yes"),
            (located(ADD, MAP.format("null null; https://a.test https://a.test;")), "nothing", "yes", "yes"),
            (located(ADD, MAP.format("hostnames; *.a.test $http_origin;")), "nothing", "no", "yes"),
            (located(ADD, MAP.format("hostnames; *.a.test $http_origin; default *;")), "star", "yes", "yes"),
            (located(ADD, MAP.format("*.a.test $http_origin;")), "nothing", "no", "yes"),
            (located(ADD, MAP.format("https://a.test *; hostnames;")), "?", "?", "?"),
            (located(ADD, MAP.format("include origins.map;")), "?", "?", "?"),
            (located(ADD, "map $host $cors { default *; }"), "?", "?", "?"),
            (located(ADD, MAP.format("default *;") + MAP.format("https://a.test $http_origin;")), "nothing", "no", "yes"),
            (
                located(
                    "add_header Access-Control-Allow-Origin $value;",
                    "map $http_origin $ok { default 0; https://a.test 1; } map $ok $value { 1 $http_origin; }",
                ),
                "nothing", "no", "yes",
            ),
            (located("set $cors *; " + ADD), "star", "yes", "no"),
            (located('set $cors ""; if ($http_origin = https://a.test) { set $cors $http_origin; } ' + ADD), "nothing", "no", "yes"),
            (located('if ($http_origin) { set $cors $http_origin; } ' + ADD), "echo", "yes", "yes"),
            (located('if ($request_method = GET) { set $cors *; } ' + ADD), "?", "?", "?"),
            (located('set $cors "${cors}x"; ' + ADD), "?", "?", "?"),
            (located('set $cors *; set $cors https://a.test; ' + ADD), "fixed", "no", "no"),
            (
                located('if ($ok = 1) { set $cors $http_origin; } ' + ADD, "map $http_origin $ok { ~^https://a\\.test$ 1; }"),
                "nothing", "no", "yes",
            ),
            (located('set $ok 0; if ($http_origin !~ evil) { set $ok 1; } if ($ok) { set $cors $http_origin; } ' + ADD), "echo", "yes", "yes"),
            (f"server {{ set $cors *; location / {{ {ADD} }} }}", "star", "yes", "no"),
            (f"server {{ {ADD} location / {{ set $cors *; }} }}", "?", "?", "?"),
            ("location / { add_header Access-Control-Allow-Origin *; add_header Access-Control-Allow-Origin b; }", "?", "?", "?"),
        ],
    )  # fmt: skip
    def test_what_a_stranger_gets(self, text: str, stranger: str, null: str, depends: str) -> None:
        fact = policy(text)
        names = ("effect.to_stranger", "effect.accepts_null", "effect.depends_on_origin")
        assert tuple(value(fact, name) for name in names) == (stranger, null, depends)

    def test_an_if_guards_what_it_adds(self) -> None:
        line = "add_header Access-Control-Allow-Origin $http_origin;"
        guarded = policy(located(f'if ($http_origin ~* "^https://a\\.test$") {{ {line} }}'))
        assert (value(guarded, "effect.to_stranger"), value(guarded, "witness.origin")) == ("nothing", "-")
        assert (value(guarded, "scope"), value(guarded, "layer")) == ("/api", "proxy")
        other = policy(located(f"if ($request_method = OPTIONS) {{ {line} }}"))
        assert value(other, "effect.to_stranger") == "echo"

    @pytest.mark.parametrize(
        ("pattern", "technique"),
        [
            ("~^https://a\\.example\\.com", "suffix"),
            ("~example\\.com$", "prefix"),
            ('"~^https://a.example\\.com$"', "dot"),
            ("~*^https://([a-z]+\\.)?example\\.com$", None),
            ("https://example.com", None),
        ],
    )
    def test_witness(self, pattern: str, technique: str | None) -> None:
        found = Found(located(ADD, MAP.format(f"{pattern} $http_origin;")))
        fact = found.one("cors_policy")
        assert value(fact, "witness.technique") == (technique or "-")
        if technique is not None:
            assert found.shown(fact, "witness.test") == pattern

    @pytest.mark.parametrize(
        ("lines", "credentials", "vary"),
        [
            ("add_header Access-Control-Allow-Credentials true; add_header Vary Origin;", "yes", "yes"),
            ("add_header Vary 'Accept-Encoding, origin';", "no", "yes"),
            ("add_header Access-Control-Allow-Credentials false;", "no", "no"),
            ("add_header Access-Control-Allow-Credentials $x;", "?", "no"),
            ("proxy_pass http://b;", "no", "?"),
            ("include cors.conf;", "?", "?"),
        ],
    )
    def test_credentials_and_vary(self, lines: str, credentials: str, vary: str) -> None:
        fact = policy(located(f"add_header Access-Control-Allow-Origin *; {lines}"))
        assert (value(fact, "effect.credentials"), value(fact, "effect.vary_origin")) == (credentials, vary)

    def test_outer_lines_do_not_count_for_an_inner_policy(self) -> None:
        found = Found("""
            server {
              add_header Access-Control-Allow-Credentials true;
              location / { add_header Access-Control-Allow-Origin *; }
            }
            """)
        assert value(found.one("cors_policy"), "effect.credentials") == "no"

    def test_places(self) -> None:
        found = Found(located("more_set_headers 'Access-Control-Allow-Origin: null';"))
        fact = found.one("cors_policy")
        assert found.shown(fact, "origin") == "null"
        instance = fact.field("instance").value
        assert isinstance(instance, Span)
        assert found.sources["nginx.conf"].text(instance).startswith("location /api { more_set_headers")

    @pytest.mark.parametrize(
        ("lines", "expected"),
        [
            (
                MAP.format("https://a.test/ $http_origin; https://B.test https://b.test; ~x $http_origin; https://c.test d.test;"),
                [
                    ("https://a.test/", "trailing-slash", "https://a.test", "yes"),
                    ("https://B.test", "none", "-", "yes"),  # keys are compared without regard to case
                    ("https://c.test", "none", "-", "yes"),
                    ("d.test", "no-scheme", "-", "yes"),
                ],
            ),
            ("", []),
        ],
    )  # fmt: skip
    def test_entries_of_a_map(self, lines: str, expected: list[tuple[object, ...]]) -> None:
        assert _listed(Found(located(ADD, lines))) == expected

    def test_other_entries(self) -> None:
        assert _listed(Found(located("add_header Access-Control-Allow-Origin 'https://a.test, https://b.test';"))) == [
            ("https://a.test, https://b.test", "list", "-", "no")
        ]
        assert _listed(Found(located("add_header Access-Control-Allow-Origin $http_origin;"))) == []
        assert _listed(Found(located('if ($http_origin = "https://A.test") { set $cors $http_origin; } ' + ADD))) == [
            ("https://A.test", "upper-case", "https://a.test", "yes")
        ]

    def test_null_entry(self) -> None:
        found = Found(located(ADD, MAP.format("https://a.test $http_origin; 'null' $http_origin;")))
        assert found.shown(found.one("cors_policy"), "null_entry") == "'null'"
        assert value(policy(located("add_header Access-Control-Allow-Origin *;")), "null_entry") == "-"


class TestUnknownVariables:
    @pytest.mark.parametrize(
        ("inside", "names"),
        [
            ("server { location / { proxy_set_header Connection $connection_upgrade; } }", ["connection_upgrade"]),
            ("map $http_upgrade $connection_upgrade { default upgrade; } server { add_header A $connection_upgrade; }", []),
            ("server { add_header A $connection_upgrade; } map $http_upgrade $connection_upgrade { default upgrade; }", []),
            ("server { set $a 1; location / { add_header A $a; } }", []),
            ("server { location ~ ^/(?<part>.*)$ { add_header A $part; } }", []),
            ("server { server_name ~^(?P<sub>.+)\\.test$; add_header A $sub; }", []),
            ("server { if ($nope) { return 204; } }", ["nope"]),
            ("server { if ($host ~ ^$x) { return 204; } }", []),
            ("server { rewrite ^/$y /$1; add_header A $arg_a$cookie_b$http_c$sent_http_d$upstream_http_e; }", []),
            ("server { add_header A $host$request_id$ssl_cipher$proxy_add_x_forwarded_for; }", []),
            ("server { auth_request_set $u $upstream_http_x; add_header A $u; }", []),
            ("geo $zone { default 1; } geo $remote_addr $z2 { default 1; } server { add_header A $zone$z2; }", []),
            ("split_clients $remote_addr $variant { * a; } server { add_header A $variant; }", []),
            ("include unknown.conf; server { add_header A $nope; }", []),
            ("server { js_set $a x.y; add_header A $nope; }", []),
            ("server { add_header A $NOPE_VAR; }", []),  # a template's
            ("server { add_header A $nope; add_header B $nope; }", ["nope"]),
        ],
    )  # fmt: skip
    def test_only_in_a_complete_tree(self, inside: str, names: list[str]) -> None:
        found = Found(f"events {{ }}\nhttp {{ include mime.types; {inside} }}")
        assert [value(fact, "detail") for fact in found.of("damage")] == [
            f'unknown "{name}" variable' for name in names
        ]
        assert Found(inside).of("damage") == [], "a part of a configuration proves nothing"

    def test_place(self) -> None:
        found = Found('events {} http { server { add_header A "x $nope"; } }')
        (fact,) = found.of("damage")
        assert (found.shown(fact, "detail"), value(fact, "what"), value(fact, "whole")) == ('"x $nope"', "nginx", "no")


class TestHostile:
    """Variables that chase each other and thousands of levels: bounded in steps, and linear in the number of levels."""

    @pytest.mark.parametrize(
        "text",
        [
            "server { set $a $b; set $b $a; add_header Access-Control-Allow-Origin $a; }",
            "server { " + "if ($http_origin ~ a) { set $a $b; set $b $a; }" * 300 + ADD.replace("$cors", "$a") + " }",
            "".join(f"map $c{number} $c{number + 1} {{ a b; b c; }}" for number in range(300))
            + "server { add_header Access-Control-Allow-Origin $c300; }",
            MAP.format("".join(f"https://a{number}.test $http_origin;" for number in range(2000)))
            + f"server {{ {ADD} }}",
            "server { "
            + "".join(f"location /{number} {{ {ADD} proxy_pass http://b; }}" for number in range(1500))
            + "}",
            "server { " + "location / { " * 60 + "}" * 61,
            "server { " + "if ($a) { location / { " * 20 + "} }" * 20 + "}",
        ],
        ids=["mutual", "many sets", "chain", "long map", "many locations", "deep", "ifs and locations"],
    )
    def test_ends_soon(self, text: str) -> None:
        begun = time.process_time()
        Found(text, ["/socket.io/"])
        assert time.process_time() - begun < 8
