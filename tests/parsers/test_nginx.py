"""The nginx parser: exact spans, masks, recovery, nginx's own words, hostile input, and crossplane as the yardstick."""

from __future__ import annotations

import random
import time
from pathlib import Path
from typing import Any

import pytest

from corslint.model.reading import Directive, NginxReading
from corslint.parsers import nginx
from corslint.parsers.nginx import read
from corslint.parsers.nginx_content import is_nginx_throughout, is_something_else, looks_like_nginx
from corslint.source import SourceFile, Span

Tree = list[Any]


def reading(text: str | bytes) -> NginxReading:
    return read(SourceFile("site.conf", text.encode() if isinstance(text, str) else text))


def tree(directives: tuple[Directive, ...] | None) -> Tree:
    """Directives as nested lists: `[name, argument, ..., [children]]`."""
    shown: Tree = []
    for one in directives or ():
        entry: Tree = [one.key, *(word.text for word in one.arguments)]
        if one.block is not None:
            entry.append(tree(one.block))
        shown.append(entry)
    return shown


def complaints(text: str | bytes) -> list[tuple[str, str]]:
    """Damage as (the text it stands at, message)."""
    data = text.encode() if isinstance(text, str) else text
    return [(data[d.span.start : d.span.end].decode("utf-8", "replace"), d.message) for d in reading(data).damage]


def words(directives: tuple[Directive, ...]) -> list[tuple[str, str, int, int]]:
    found: list[tuple[str, str, int, int]] = []
    for one in directives:
        found.extend((word.text, word.quote, word.span.start, word.span.end) for word in (one.name, *one.arguments))
        found.extend(words(one.block or ()))
    return found


class TestSpans:
    def test_every_word_and_directive(self) -> None:
        text = "server {\n  add_header  X 'b c' always;\n  if ($a = \"b\") { return 1; }\n}\n"
        result = reading(text)
        assert [(t, q, text[s:e]) for t, q, s, e in words(result.directives)] == [
            ("server", "", "server"),
            ("add_header", "", "add_header"),
            ("X", "", "X"),
            ("b c", "'", "'b c'"),
            ("always", "", "always"),
            ("if", "", "if"),
            ("$a", "", "$a"),
            ("=", "", "="),
            ("b", '"', '"b"'),
            ("return", "", "return"),
            ("1", "", "1"),
        ]
        (server,) = result.directives
        add, condition = server.block or ()
        assert text[server.span.start : server.span.end] == text.strip()
        assert text[server.body.start : server.body.end] == text[8:-2]
        assert text[add.span.start : add.span.end] == "add_header  X 'b c' always;"
        assert (add.block, add.body.start, add.body.end) == (None, 0, 0)
        assert text[condition.span.start : condition.span.end] == 'if ($a = "b") { return 1; }'
        assert text[condition.body.start : condition.body.end] == " return 1; "

    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            (b"a\r\nb\r\n;", [b"a", b"b"]),
            (b"a 'x\r\ny';", [b"a", b"'x\r\ny'"]),
            ("a \u00e9\u20ac\U0001f600 b;".encode(), [b"a", "\u00e9\u20ac\U0001f600".encode(), b"b"]),
            (b"a caf\xe9 \x85\xa0 b;", [b"a", b"caf\xe9", b"\x85\xa0", b"b"]),
            (b"# caf\xe9 it's\na b; # \"c\nd e;", [b"a", b"b", b"d", b"e"]),
            (b"a b \\\n c;", [b"a", b"b", b"\\\n", b"c"]),
            (b"a \\;b\\ c;", [b"a", b"\\;b\\ c"]),
            (b"a\0b c;", [b"a\0b", b"c"]),
            (b"a \x1cb\x0b;", [b"a", b"\x1cb\x0b"]),
            (b"if (  $a  ){}", [b"if", b"$a"]),
            (b"if ($a ~ (b|c)) {}", [b"if", b"$a", b"~", b"(b|c)"]),
            (b"\xef\xbb\xbfa b;", [b"a", b"b"]),
            (b"a b;# no newline", [b"a", b"b"]),
            (b"a ${B} c${D}e ${F:-g h} i;", [b"a", b"${B}", b"c${D}e", b"${F:-g h}", b"i"]),
            (b"a http://${H}:${P}/;", [b"a", b"http://${H}:${P}/"]),
            (b"a {{ b['}'] }}/c {{d}};", [b"a", b"{{ b['}'] }}/c", b"{{d}}"]),
            (b"a <%= @b ? 'c;' : d %>:80;", [b"a", b"<%= @b ? 'c;' : d %>:80"]),
            (b"a b}c;", [b"a", b"b}c"]),
            (b"a x{2}y;", [b"a", b"x{2}y"]),
        ],
    )
    def test_bytes(self, text: bytes, expected: list[bytes]) -> None:
        assert [text[start:end] for _, _, start, end in words(reading(text).directives)] == expected

    def test_every_offset_of_a_random_file(self) -> None:
        for seed in range(30):
            text, expected = _random_file(random.Random(seed))
            found = [text[start:end] for _, _, start, end in words(reading(text).directives)]
            assert found == expected, seed


class TestWordsAsNginxSeesThem:
    @pytest.mark.parametrize(
        ("raw", "text"),
        [
            (r'"~^https://(www\\.)?a"', r"~^https://(www\.)?a"),
            (r"\.php$", r"\.php$"),
            (r'"a\"b\'c"', "a\"b'c"),
            (r"a\tb\rc\nd", "a\tb\rc\nd"),
            (r"\$http_upgrade", r"\$http_upgrade"),
            ("${DOLLAR}http_upgrade", "$http_upgrade"),
            ('"${DOLLAR}host"', "$host"),
            ("'#x'", "#x"),
            ('""', ""),
        ],
    )
    def test_text(self, raw: str, text: str) -> None:
        (directive,) = reading(f"a {raw};").directives
        assert [word.text for word in directive.arguments] == [text]


class TestTemplates:
    def test_docker_template_keeps_its_words_apart(self) -> None:
        result = reading("add_header Access-Control-Allow-Origin ${ORIGIN} always;")
        assert tree(result.directives) == [["add_header", "Access-Control-Allow-Origin", "${ORIGIN}", "always"]]
        assert (result.template, result.logic, result.damage) == (True, (), ())

    @pytest.mark.parametrize(
        ("text", "template"),
        [
            ("a $http_origin ${uri};", False),
            ("proxy_pass http://$FLASK_SERVER_ADDR;", True),
            ("set $MY_THING 1; a $MY_THING;", False),
            ("a {{ b }};", True),
            ('a \'{"b":{"c":1}}\';', False),
        ],
    )
    def test_is_one(self, text: str, template: bool) -> None:
        assert reading(text).template is template

    @pytest.mark.parametrize(
        ("text", "expected", "logic"),
        [
            ("{% if x %}\na b;\n{% endif %}\nc d;", [["a", "b"], ["c", "d"]], ["{% if x %}\na b;\n{% endif %}"]),
            ("{% set x = 1 %}\na b;", [["a", "b"]], []),
            ("{# a; { #}\nb c;", [["b", "c"]], []),
            ("server {\n  {{ listen(80) }}\n  a b;\n}", [["server", [["a", "b"]]]], ["{{ listen(80) }}"]),
            ("{{ if .X }}\na b;\n{{ else }}\nc d;\n{{ end }}", [["a", "b"], ["c", "d"]], None),
            ("{{range .X}}\n  {{$value}}{{- end}}\na b;", [["a", "b"]], ["{{range .X}}\n  {{$value}}{{- end}}"]),
            ("{{#each x}}a {{this}};{{/each}}", [["a", "{{this}}"]], None),
            ("<% @x.each do |y| -%>\na <%= y %>;\n<% end -%>\nb c;", [["a", "<%= y %>"], ["b", "c"]], None),
            ("<% if $x { -%>\na b;\n<% } -%>", [["a", "b"]], None),
            ("%{ if x }\na b;\n%{ endif }\n", [["a", "b"]], None),
            ("{% for x in y %}{% if z %}a b;{% endif %}{% endfor %}", [["a", "b"]], None),
            ("{% include 'x.j2' %}\na b;", [["a", "b"]], ["{% include 'x.j2' %}"]),
            ("{% if x %}\na b;", [["a", "b"]], None),
            ("location / {# why\n  a b;\n#}\n}", [["location", "/", [["a", "b"]]]], []),
        ],
    )
    def test_statements_are_masked(self, text: str, expected: Tree, logic: list[str] | None) -> None:
        result = reading(text)
        assert tree(result.directives) == expected
        assert result.damage == ()
        wanted = [text.strip()] if logic is None else logic
        if text.startswith("<% @x"):
            wanted = [text[: text.index("\nb c;")]]
        assert [text[span.start : span.end] for span in result.logic] == wanted

    @pytest.mark.parametrize(
        ("text", "expected", "logic"),
        [
            ("server {\n  ${EXTRA}\n  a b;\n}", [["server", [["a", "b"]]]], ["${EXTRA}"]),
            ("$EXTRA_CONFIG\na b;", [["a", "b"]], ["$EXTRA_CONFIG"]),
            ("a b; # one\n# two\n\n${EXTRA:-c d;} # three\ne f;", [["a", "b"], ["e", "f"]], ["${EXTRA:-c d;}"]),
            ("server_name\n  ${HOST}\n  b.test;", [["server_name", "${HOST}", "b.test"]], []),
            ("log_format x\n  $host\n;", [["log_format", "x", "$host"]], []),
        ],
    )
    def test_variables_that_hold_directives(self, text: str, expected: Tree, logic: list[str]) -> None:
        result = reading(text)
        assert (tree(result.directives), result.damage) == (expected, ())
        assert [text[span.start : span.end] for span in result.logic] == logic

    def test_only_one_branch_is_read_where_both_open_a_block(self) -> None:
        text = "{% if x %}\nserver {\n  a b;\n{% elif y %}\nserver {\n  c d;\n{% else %}\nserver {\n{% endif %}"
        text += "\n  e f;\n}\n"
        result = reading(text)
        assert (tree(result.directives), result.damage) == ([["server", [["a", "b"], ["e", "f"]]]], ())
        assert [text[span.start : span.end] for span in result.logic] == [text[: text.index("\n  e f;")]]

    @pytest.mark.parametrize(
        ("text", "whole", "said"),
        [
            ("{{ open() }}\n  a b;\n}\n", True, 'unexpected "}"'),
            ("server {\n  a {{ b }};\n", True, 'unexpected end of file, expecting "}"'),
            ("a {{ b }}", False, 'unexpected end of file, expecting ";" or "}"'),
            ("if {{ b }} { a c; }", False, 'invalid condition "{{ b }}"'),
            ("location ~ ^/a{2}/ { a <%= @b %>; }", False, 'unknown directive "2}/"'),
        ],
    )
    def test_a_template_is_never_said_to_be_refused(self, text: str, whole: bool, said: str) -> None:
        result = reading(text)
        message = f"without its placeholders this template is no nginx configuration ({said})"
        assert [(one.kind, one.whole, one.message) for one in result.damage] == [("template", whole, message)]
        assert bool(result.directives) is not whole
        assert result.logic == (() if whole else (Span("site.conf", 0, len(text)),))

    def test_variables_of_the_environment_are_no_excuse(self) -> None:
        (damage,) = reading("listen ${PORT}\nserver_name b;").damage
        assert (damage.kind, damage.message) == (
            "syntax",
            'invalid parameter "server_name" (missing ";" after "listen")',
        )


class TestLua:
    @pytest.mark.parametrize(
        "body",
        ["ngx.say('}')", "-- it's }\nx = {}", "local a = [[ } ]]", "local a = [=[ }]] ]=]", '--[[ } ]] x("\\"}")', ""],
    )
    def test_bodies_are_opaque(self, body: str) -> None:
        text = f"location / {{\n  content_by_lua_block {{\n{body}\n}}\n  a b;\n}}\nc d;"
        result = reading(text)
        inner = [["content_by_lua_block", []], ["a", "b"]]
        assert tree(result.directives) == [["location", "/", inner], ["c", "d"]]
        assert result.damage == ()
        (block, *_) = (result.directives[0].block or ())[:1]
        assert text[block.body.start : block.body.end] == f"\n{body}\n"

    def test_set_by_lua_block(self) -> None:
        assert tree(reading("set_by_lua_block $p { return '{' }\na b;").directives) == [
            ["set_by_lua_block", "$p", []],
            ["a", "b"],
        ]

    def test_quoted_name(self) -> None:
        assert tree(reading('"content_by_lua_block" { a = { 1, "x" } }').directives) == [["content_by_lua_block", []]]

    def test_not_closed(self) -> None:
        assert 'unexpected end of file, expecting "}" (this Lua block is never closed)' in [
            message for _, message in complaints("content_by_lua_block { x = '")
        ]

    def test_commented_out(self) -> None:
        assert tree(reading("# content_by_lua_block {\na b;").directives) == [["a", "b"]]


MISSING = 'invalid number of arguments in "{}" directive (missing ";")'


class TestRecovery:
    @pytest.mark.parametrize(
        ("text", "expected", "damage"),
        [
            (
                "location / {\n  proxy_pass http://b\n  proxy_set_header Upgrade $http_upgrade;\n}",
                [["location", "/", [["proxy_pass", "http://b"], ["proxy_set_header", "Upgrade", "$http_upgrade"]]]],
                [("http://b", MISSING.format("proxy_pass"))],
            ),
            (
                "server {\n  server_name a.test\n  location / { return 200; }\n}",
                [["server", [["server_name", "a.test"], ["location", "/", [["return", "200"]]]]]],
                [("a.test", 'directive "server_name" is not terminated by ";"')],
            ),
            (
                "proxy_pass http://b\nmore_set_headers 'A: b';\nadd_header_inherit on;",
                [["proxy_pass", "http://b"], ["more_set_headers", "A: b"], ["add_header_inherit", "on"]],
                [("http://b", MISSING.format("proxy_pass"))],
            ),
            (
                "add_header A b\nadd_header B c\nadd_header C d;",
                [["add_header", "A", "b"], ["add_header", "B", "c"], ["add_header", "C", "d"]],
                [("b", MISSING.format("add_header")), ("c", MISSING.format("add_header"))],
            ),
            (
                "add_header A b\nif ($x) { return 204; }",
                [["add_header", "A", "b"], ["if", "$x", [["return", "204"]]]],
                [("b", 'directive "add_header" is not terminated by ";"')],
            ),
            (
                "map $a $b {\n  default 0\n  x 1;\n}",
                [["map", "$a", "$b", [["default", "0"], ["x", "1"]]]],
                [("0", 'invalid number of the map parameters (missing ";")')],
            ),
            ("listen 443 ssl\n    http2;", [["listen", "443", "ssl", "http2"]], []),
            ("server_name a.test\n    b.test;", [["server_name", "a.test", "b.test"]], []),
            ("log_format x 'a'\n'b';", [["log_format", "x", "a", "b"]], []),
            ("map $a $b {\n  listen 1;\n  server 2;\n}", [["map", "$a", "$b", [["listen", "1"], ["server", "2"]]]], []),
            (
                "server { return 200 }\na b;",
                [["server", [["return", "200"]]], ["a", "b"]],
                [("200", 'unexpected "}" (missing ";")')],
            ),
            ("a b", [["a", "b"]], [("b", 'unexpected end of file, expecting ";" or "}" (missing ";")')]),
            ("a b;\n}\nc d;", [["a", "b"], ["c", "d"]], [("}", 'unexpected "}"')]),
            ("server {\n  a b;\n", [["server", [["a", "b"]]]], [("server", None)]),
            (
                "server {\n  location /a {\n    a b;\n\n  location /b {\n    c d;\n  }\n}\n",
                [["server", [["location", "/a", [["a", "b"]]], ["location", "/b", [["c", "d"]]]]]],
                [("location", None)],
            ),
            (
                "server {\nlocation / {\na b;\n}\nserver {\nc d;\n}\n",
                [["server", [["location", "/", [["a", "b"]]]]], ["server", [["c", "d"]]]],
                [("server", None)],
            ),
            (
                "http {\n  server {\n    location / {\n      a b;\n  }\n  server {\n    c d;\n  }\n}\n",
                [["http", [["server", [["location", "/", [["a", "b"]]]]], ["server", [["c", "d"]]]]]],
                [("location", None)],
            ),
            ("a;;", [["a"]], [(";", 'unexpected ";"')]),
            ("{ a b; } c d;", [["a", "b"], ["c", "d"]], [("{", 'unexpected "{"')]),
            (
                'add_header A "b;\nadd_header B "c";\nd e;',
                [["add_header", "A", '"b'], ["add_header", "B", "c"], ["d", "e"]],
                [('"b;', 'unexpected "c" further down (missing closing " on this line)')],
            ),
            (
                'a "b;\nc d;',
                [["a", '"b'], ["c", "d"]],
                [('"b;', 'unexpected end of file, expecting ";" or "}" (missing closing ")')],
            ),
            (
                'a "b"c;',
                [["a", "b", "c"]],
                [("c", 'unexpected "c" (text right behind a closing quote)')],
            ),
            (
                "location ~ ^/a{2}$ { a b; }",
                [["location", "~", "^/a{2}$", [["a", "b"]]]],
                [("{2}", 'unknown directive "2}$": nginx takes the brace of an unquoted {2} for the start of a block')],
            ),
            ('location ~ "^/a{2}$" { a b; } # c{2}', [["location", "~", "^/a{2}$", [["a", "b"]]]], []),
            (
                "if $a { b c; }",
                [["if", "$a", [["b", "c"]]]],
                [("$a", 'invalid condition "$a" (it must stand in parentheses)')],
            ),
        ],
    )
    def test_tree_and_words_of_nginx(self, text: str, expected: Tree, damage: list[tuple[str, str | None]]) -> None:
        assert tree(reading(text).directives) == expected
        assert [place for place, _ in complaints(text)] == [place for place, _ in damage]
        for (place, message), (_, wanted) in zip(complaints(text), damage, strict=True):
            unclosed = f'unexpected end of file, expecting "}}" (this "{place}" is never closed)'
            assert message == (unclosed if wanted is None else wanted)

    def test_byte_order_mark(self) -> None:
        assert complaints(b"\xef\xbb\xbfserver { a b; }") == [
            ("\ufeff", 'unknown directive "\\ufeffserver" (the file begins with a byte order mark)')
        ]
        assert tree(reading(b"\xef\xbb\xbfserver { a b; }").directives) == [["server", [["a", "b"]]]]

    @pytest.mark.parametrize(
        ("text", "refused"),
        [
            ("a " + "x" * 4095 + ";", False),
            ("a " + "x" * 4096 + ";", True),
            ('a "' + "x" * 4094 + '";', False),
            ('a "' + "x" * 4095 + '";', True),
            ("#" + "x" * 4000 + "\na b;", False),
            ("#" + "x" * 4100 + "\na b;", True),
        ],
    )
    def test_a_word_must_fit_the_buffer(self, text: str, refused: bool) -> None:
        """The bounds were measured with nginx 1.22.1 -t."""
        messages = [message for _, message in complaints(text)]
        assert [message.startswith("too long parameter") for message in messages] == ([True] if refused else [])


@pytest.mark.parametrize(
    ("text", "context"),
    [
        ("events {}\nhttp {}", "main"),
        ("worker_processes 1;", "main"),
        ("upstream u { server a; }\nserver { listen 80; }", "http"),
        ("map $a $b { default 1; }", "http"),
        ("server 10.0.0.1:80;\nserver 10.0.0.2:80;", "upstream"),
        ("location / { }", "server"),
        ("listen 80;\nroot /x;", "server"),
        ("proxy_pass http://b;\nproxy_set_header Host $host;", "location"),
        ("add_header A b;", "unknown"),
        ("", "unknown"),
    ],
)
def test_context(text: str, context: str) -> None:
    assert reading(text).context == context


class TestSniffing:
    @pytest.mark.parametrize(
        "text",
        [
            "server {\n  listen 80;\n}\n",
            "location /socket.io/ {\n  proxy_pass http://b;\n}\n",
            "proxy_set_header Host $host;\n",
            "# comment\nadd_header Access-Control-Allow-Origin *;\n",
            "upstream a {\n  server 10.0.0.1:3000;\n}\n",
            "server{listen 80;location /{return 200;}}",
            "map $http_upgrade $connection_upgrade {\n  default upgrade;\n}\n",
            "server {\n  listen 80\n  location / {\n    root /x\n  }\n}\n",
            "\ufeffserver {\n  listen 80;\n}\n",
            "{% if x %}\nserver {\n  listen {{ port }};\n  server_name {{ host }};\n}\n{% endif %}",
            "include /etc/nginx/a.conf;\nssl_certificate /x;\n",
            "# all of it\n\ninclude h5bp/a.conf;\ninclude h5bp/*.conf;\n",
            'add_header Content-Security-Policy\n  "default-src *";\n',
            'if ($http_origin ~* "^https://a\\.test$") {\n  set $cors 1;\n}\n',
            "return 301 https://$host$uri;\n",
            "allow 10.0.0.0/8;\nallow fc00::/7;\ndeny all;\n",
            "load_module modules/ngx_http_perl_module.so;\n",
            "upstream a {\n\n  server 10.0.0.1:80   max_fails=3   fail_timeout=30s;\n}\n",
            "listen 127.0.0.1:80;\n",
            "geo $inside {\n  default 0;\n}\n",
            "charset_types\n    text/css\n    text/plain;\n",
            "{% if x %}\n  include conf.d/assets.conf;\n{% endif %}\n",
            "server { listen 80; }\n",
            "init_by_lua_block {\n  local x = 1\n}\n",
        ],
    )
    def test_nginx(self, text: str) -> None:
        assert looks_like_nginx(text.encode())

    @pytest.mark.parametrize(
        "text",
        [
            "",
            "akka {\n  http {\n    server {\n      idle-timeout = 60 s\n      listen = 80\n    }\n  }\n}\n",
            'include "/etc/bind/local";\n',
            'include "application"\nplay.http.secret.key = "x"\nhttp {\n  port = 80\n}\n',
            "videobridge {\n  http-servers {\n    public {\n      port = 9090\n    }\n  }\n}\n",
            'zone "example.com" {\n  type master;\n  file "x";\n};\n',
            "<VirtualHost *:80>\n  Header set Access-Control-Allow-Origin *\n</VirtualHost>\n",
            "[program:web]\ncommand=node server.js ; comment\n",
            "/var/log/nginx/*.log {\n  daily\n  rotate 14\n  postrotate\n    x\n  endscript\n}\n",
            "start on runlevel [2345]\nscript\n  if [ -f x ]; then\n    y;\n  fi\nend script\n",
            'VirtualHost "a.example"\n  modules_enabled = { "bosh"; "pubsub"; }\n',
            "\0" * 100 + "server { listen 80; }",
        ],
    )
    def test_something_else(self, text: str) -> None:
        assert not looks_like_nginx(text.encode())


class TestSniffingWithoutAName:
    @pytest.mark.parametrize(
        "text",
        [
            "server {\n  listen 80;\n  server_name a.test;\n}\n",
            "fastcgi_param  QUERY_STRING       $query_string;\nfastcgi_param  REQUEST_METHOD     $request_method;\n",
            "#include /etc/nginx/other.conf;\nproxy_set_header Host $host;\n",
            "log_format x\n  'a'\n  'b';\nserver {\n  listen 80;\n  access_log /x x;\n}\n",
            "{{ header }}\nserver {\n  listen {{ port }};\n  server_name {{ name }};\n}\n",
        ],
    )
    def test_nginx(self, text: str) -> None:
        assert is_nginx_throughout(text.encode())

    @pytest.mark.parametrize(
        "text",
        [
            "return 404;\n",
            "if ($x) {\n  return 404;\n}\n",
            "#include <vector>\nnamespace a {\n  real_type x;\n  client_type y;\n}\n",
            "#ifndef A\n#define A\nreal_type x;\n#endif\n",
            "// a\nclient_type x;\n",
            "/* a\n */\nclient_type x;\n",
            "var x;\nserver_name a;\n",
            "<?php\nreal_x y;\n",
            "#!/usr/sbin/nginx -c\nserver {\n  listen 80;\n}\n",
            "Put\nthis\nthere:\nserver_name a;\n",
        ],
    )
    def test_something_else(self, text: str) -> None:
        assert not is_nginx_throughout(text.encode())


class TestFilesAboutNginx:
    """Their name says nginx, and they are another program's."""

    @pytest.mark.parametrize(
        "text",
        [
            "[Definition]\nfailregex = ^<HOST> .*$\nignoreregex =\n",
            "[program:nginx]\ncommand=nginx -g 'daemon off;'\n",
            "/var/log/nginx/*.log {\n  daily\n  rotate 14\n}\n",
            "<VirtualHost *:80>\n  ProxyPass / http://a/\n</VirtualHost>\n",
            "nginx_http_include = /etc/kong/x.conf\nproxy_listen = 0.0.0.0:80\n",
            "check process nginx with pidfile /run/nginx.pid\n",
            "\0" * 100,
        ],
    )
    def test_something_else(self, text: str) -> None:
        assert is_something_else(text.encode())

    @pytest.mark.parametrize(
        "text",
        ["", "# nothing yet\n", "serverr {\n", "server {\n  listen [::]:80;\n}\n", "server {\n  listen 80;\n}\n[x]\n"],
    )
    def test_nginx(self, text: str) -> None:
        assert not is_something_else(text.encode())


class TestHostile:
    """Limits: 8 MB a file, 64 blocks deep, 20 complaints; time stays linear."""

    @pytest.mark.parametrize(
        "data",
        [
            pytest.param(b"a {" * 3000 + b"}" * 3000, id="deep"),
            pytest.param(b"a {" * 50_000, id="never closed"),
            pytest.param(b"}" * 100_000, id="closing only"),
            pytest.param(b"\0" * 100_000 + b"server {\0}", id="nul bytes"),
            pytest.param(b"add_header " + b"x " * 300_000 + b";", id="300,000 arguments"),
            pytest.param(b"add_header " + b"root\n" * 50_000 + b";", id="a name on every line"),
            pytest.param(b"a 'b;\n" * 50_001, id="odd quotes"),
            pytest.param(b"\"x 'y" * 50_000, id="mixed quotes"),
            pytest.param(b"content_by_lua_block {" + b"[==[ [=[ [[" * 20_000, id="Lua brackets"),
            pytest.param(b"{{" * 100_000, id="open templates"),
            pytest.param(b"{#" * 100_000, id="open comments"),
            pytest.param(b"<%=" * 50_000 + b"{%" * 50_000, id="open statements"),
            pytest.param(b"map_a " * 50_000, id="one long line"),
            pytest.param("server {".encode("utf-16") * 1000, id="UTF-16"),
            pytest.param(b"/a" * 32_000 + b" /b" * 10_000, id="paths"),
            pytest.param(b"return 200 " * 20_000, id="returns"),
            pytest.param(b"\n" * 50_000 + b"${A}\n" * 20_000, id="insertions"),
            pytest.param(b"#" * 50_000 + b"\n${A}" * 20_000, id="insertions behind a long line"),
            pytest.param(b"{% if x %}{% else %}" * 5_000 + b"}", id="branches"),
            pytest.param(b"allow " * 20_000 + b"listen 1" * 20_000, id="short lines"),
        ],
    )
    def test_ends_soon(self, data: bytes) -> None:
        begun = time.process_time()
        result = reading(data)
        looks_like_nginx(data)
        is_nginx_throughout(data)
        is_something_else(data)
        assert time.process_time() - begun < 10
        assert len(result.damage) <= nginx.MAX_DAMAGE
        repr(result)  # shallow enough for everything that recurses

    def test_a_20_mb_line(self) -> None:
        result = reading(b"x" * 20_000_000)
        assert [(damage.message, damage.whole) for damage in result.damage] == [("larger than 8 MB: not read", True)]

    def test_deeper_blocks_are_named_not_dropped_in_silence(self) -> None:
        result = reading("a {" * 100 + "}" * 100 + "\nb c;")
        assert [damage.message for damage in result.damage] == [
            "blocks nested more than 64 deep: the inner ones were not read"
        ]
        assert result.directives[-1].key == "b"


# ------------------------------------------------------------------------------------------------ against crossplane


def _random_file(dice: random.Random) -> tuple[str, list[str]]:
    """A well-formed file and its words (with quotes), in ASCII."""
    out: list[str] = []
    expected: list[str] = []

    def blank() -> str:
        return dice.choice([" ", "  ", "\t", "\n", "\n  ", " # it's \"a; {\n"])

    def word() -> str:
        return dice.choice(
            [
                "a",
                "$b",
                "'c d'",
                '"e;f"',
                "~^https?://x\\.y$",
                "'{'",
                "g=h",
                '"i # j"',
                "*.k",
                "'l\"m'",
                "#n"[1:],
                "$o:p",
            ]
        )

    def statements(depth: int) -> None:
        for _ in range(dice.randrange(1, 5)):
            name = f"x{dice.randrange(100)}"  # unknown to the tables, so that crossplane judges nothing
            parts = [name, *(word() for _ in range(dice.randrange(4)))]
            expected.extend(parts)
            for part in parts:
                out.extend((part, blank()))
            if depth < 4 and dice.random() < 0.3:
                out.extend(("{", blank()))
                statements(depth + 1)
                out.extend(("}", blank()))
            else:
                out.extend((";", blank()))

    statements(0)
    return "".join(out), expected


def _crossplane_tree(path: Path) -> Tree:
    import crossplane

    payload = crossplane.parse(str(path), single=True, check_ctx=False, check_args=False, comments=False)
    assert payload["status"] == "ok", payload["errors"]

    def shown(statements: list[dict[str, Any]]) -> Tree:
        return [
            [one["directive"], *one["args"], *([shown(one["block"])] if "block" in one else [])]
            for one in statements
            if one["directive"] != "#"
        ]

    return shown(payload["config"][0]["parsed"])


@pytest.mark.parametrize("seed", range(60))
def test_same_tree_as_crossplane_on_well_formed_files(seed: int, tmp_path: Path) -> None:
    text, _ = _random_file(random.Random(seed))
    path = tmp_path / "nginx.conf"
    path.write_text(text, encoding="utf-8")
    result = reading(text)
    assert result.damage == ()
    assert tree(result.directives) == _crossplane_tree(path)


def test_same_tree_as_crossplane_on_a_real_one(tmp_path: Path) -> None:
    text = """
events { worker_connections 1024; }
http {
    log_format main '$remote_addr - $remote_user [$time_local] "$request" '
                    '$status $body_bytes_sent "$http_referer"';
    map $http_upgrade $connection_upgrade { default upgrade; '' close; }
    upstream app { ip_hash; server 10.0.0.1:3000; server 10.0.0.2:3000 backup; }
    server {
        listen 443 ssl
            default_server;
        server_name a.test b.test;
        if ($request_method = "OPTIONS") { return 204; }
        location ~* "^/a{2}/(.*)$" { rewrite ^ /x/$1 last; }
        location /socket.io/ {
            proxy_pass http://app;
            proxy_set_header Upgrade $http_upgrade; # comment
            proxy_set_header Connection $connection_upgrade;
        }
    }
}
"""
    path = tmp_path / "nginx.conf"
    path.write_text(text, encoding="utf-8")
    assert tree(reading(text).directives) == _crossplane_tree(path)
