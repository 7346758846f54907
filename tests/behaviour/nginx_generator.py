"""Random nginx configurations that nginx accepts, over everything that the model follows, and requests to them.

A feature is a word; each configuration says which ones occur in it (`Written.features`).
"""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import NamedTuple

from corslint.behaviour.nginx_request import Incoming
from corslint.model.exchange import Header

ORIGINS = (
    "https://a.test", "HTTPS://A.TEST", "http://a.test", "https://b.a.test", "https://a.test.evil.test", "null",
    "https://other.invalid",
)  # fmt: skip
PATHS = (
    "/", "/a", "/a/", "/a/b", "/a/b/", "/a/b/c.js", "/socket.io/", "/socket.io", "/socket.io/?EIO=4&transport=polling",
    "/note.txt", "/folder", "/folder/", "/empty/", "/empty", "/x/%61b", "/a/../b", "//a//b", "/a/with%20space/c", "/b",
    "/api/v1?x=1&y=two", "/old/path?x=keep", "/old/12/34", "/missing.txt", "/a/note.txt", "/A/B.JS", "/b/?x=0", "/c?x=",
    "/found/1234?y=1", "/a/./b/c", "/b/plus+sign/c?x=a+b",
)  # fmt: skip
PREFIXES = (
    "/",
    "/a",
    "/a/",
    "/a/b",
    "/a/b/",
    "/b",
    "/b/",
    "/socket.io/",
    "/socket.io",
    "/api/",
    "/old/",
    "/folder/",
    "/x/",
)
REGEXES = (
    "^/a",
    "\\.js$",
    "/b/",
    '"^/old/(\\\\d{1,3})"',
    "io",
    "^/socket\\.io/",
    "^/(a|b)/(.*)$",
    "\\.txt$",
    "^/(?<seg>\\w+)/",
)
REWRITES = (
    ("^/old/(.*)$", ("/new/$1", "/a/$1", "/note.txt", "/a/$1?from=old", "/b/?")),
    ("^/a/(\\w+)/?(.*)$", ("/b/$2", "/socket.io/?v=$1", "/$1/$2?", "/a/b/", "/folder/")),
    ("^", ("/b/plain", "/a/b/c.js?added=1", "/note.txt?")),
    ("\\.js$", ("/b/script", "/note.txt", "/old/js?x=2")),
    ("^/b/?(.*)$", ("/api/$1", "/api/$1?q=$http_x_mode&$args?", "/x/$uri")),
)  # fmt: skip
REDIRECTS = (
    "https://other.test/$1",
    "http://other.test$request_uri?",
    "https://$host/moved?y=1",
    "$scheme://r.test/$1?",
)
NAMES = (
    "Access-Control-Allow-Origin", "Access-Control-Allow-Credentials", "Access-Control-Allow-Methods",
    "Access-Control-Max-Age", "Vary", "X-A", "X-B", "access-control-allow-origin",
)  # fmt: skip
GIVEN = ("Access-Control-Allow-Origin", "Access-Control-Allow-Credentials", "Vary", "X-Up", "X-A", "X-Other")
STATUSES = (200, 200, 200, 201, 202, 204, 301, 304, 400, 401, 403, 404, 404, 500, 502, 503)
METHODS = ("GET", "GET", "GET", "GET", "GET", "GET", "GET", "OPTIONS", "OPTIONS", "POST", "HEAD", "PUT", "DELETE")
REALM_FILE = "users"


class Ask(NamedTuple):
    """One request, as sent and as the model gets it."""

    port: int
    method: str
    target: str
    headers: list[tuple[str, str]]

    def incoming(self) -> Incoming:
        host = next(value for name, value in self.headers if name == "Host")
        lines = tuple(Header(name, value) for name, value in self.headers if name != "Host")
        return Incoming(self.method, self.target, host, self.port, "http", lines, address="127.0.0.1")


class Written(NamedTuple):
    """One configuration: blocks for the http level, what occurs in it, and the requests to make."""

    port: int
    blocks: list[str]
    features: frozenset[str]
    requests: list[Ask]
    upstreams: dict[str, str]
    """Upstreams of several servers, with the method that shares the requests out."""
    files: dict[str, str]
    """Files that are included, by name."""


class Modules(NamedTuple):
    """What the binary can do; the rest is left out."""

    headers_more: bool
    version: tuple[int, ...]

    @property
    def inherits_headers(self) -> bool:
        return self.version >= (1, 29, 3)

    @property
    def sticky(self) -> bool:
        return self.version >= (1, 29, 6)


class Generator:
    """Writes one configuration. `number` makes its names its own, `root` is the folder with the files."""

    def __init__(
        self, dice: random.Random, number: int, port: int, backends: list[int], root: str, can: Modules
    ) -> None:
        self.dice = dice
        self.number = number
        self.port = port
        self.backends = backends
        self.root = root
        self.can = can
        self.features: set[str] = set()
        self.left_out: set[str] = set()
        self.maps: list[str] = []
        self.blocks: list[str] = []
        self.upstreams: dict[str, str] = {}
        self.files: dict[str, str] = {}
        self.groups: list[str] = []
        self.hosts: list[str] = []
        self.named: list[str] = []
        self.locations = 0

    def mark(self, *features: str) -> None:
        self.features.update(features)

    def chance(self, probability: float) -> bool:
        return self.dice.random() < probability

    # -- values

    def value(self, *, empty: float = 0.08) -> str:
        """A header's value, quoted where it must be."""
        dice = self.dice
        if self.chance(empty):
            self.mark("value-empty")
            return '""'
        if self.chance(0.45):
            return dice.choice(("one", '"two words"', "*", "true", "https://a.test", "Origin"))
        kinds: list[tuple[str, str]] = [
            ("$http_origin", "variable-header"), ("$http_x_mode", "variable-header"), ("$cookie_c", "variable-cookie"),
            ("$arg_x", "variable-argument"), ("$args", "variable-args"), ("$uri", "variable-uri"),
            ("$request_uri", "variable-request-uri"), ("$host", "variable-host"),
            ("$scheme://$host", "variable-scheme"),
            ("$server_name", "variable-server-name"), ("$request_method", "variable-method"), ("$v0", "variable-set"),
            ("$v1", "variable-set"), ("$1", "variable-capture"), ("x$2-${v0}y", "variable-capture"),
            ("$seg", "variable-named-capture"), ("pre-${http_origin}", "variable-header"),
            ("$is_args$args", "variable-args"), ("$upstream_http_x_up", "variable-upstream"),
            ("$document_uri", "variable-uri"), ("$query_string", "variable-args"),
        ]  # fmt: skip
        kinds += [(name, "variable-map") for name in self.maps for _ in range(3)]
        text, feature = dice.choice(kinds)
        self.mark(feature)
        return text

    def make_map(self) -> None:
        """One `map` for this configuration."""
        dice = self.dice
        name = f"$m{self.number}_{len(self.maps)}"
        self.mark("map")
        source = dice.choice(
            ("$http_origin", "$http_origin", "$http_x_mode", "$uri", "$http_upgrade", "$request_method:$arg_x")
        )
        keys: dict[str, list[str]] = {
            "$http_origin": [
                "https://a.test", "HTTPS://b.a.test", '"null"', "null", '"~^https://(.+)\\\\.test$"',
                "~a\\.test", "~*^HTTPS:", "~evil", '""',
            ],
            "$http_x_mode": ["on", "Off", "~^o(.*)$", "~*N$", '""'],
            "$uri": ["/a", "/B", "~^/a/(?<seg>[^/]+)", "~\\.js$", "~*SOCKET"],
            "$http_upgrade": ["websocket", '""', "~*^web"],
            "$request_method:$arg_x": ["GET:1", "OPTIONS:", "~^(\\w+):0", "~^POST"],
        }  # fmt: skip
        entries = []
        if self.chance(0.15):
            source = "$host"
            self.mark("map-hostnames")
            entries.append("hostnames;")
            pool = [
                dice.choice((f"*.c{self.number}.test", f".c{self.number}.test")),
                f"www.c{self.number}.*",
                f"www.c{self.number}.test",
                "~^x",
            ]
        else:
            pool = keys[source]
        results = ["one", '""', "*", "$http_origin", "$1", "true", "upgrade", "close", "got-$arg_x"]
        for key in dice.sample(pool, dice.randrange(1, min(4, len(pool)) + 1)):
            if key in ("null", '"null"') and any(entry.startswith(("null ", '"null" ')) for entry in entries):
                continue
            if key.strip('"').startswith("~"):
                self.mark("map-regex-ci" if key.strip('"').startswith("~*") else "map-regex")
                if "(" in key:
                    self.mark("map-capture")
            else:
                self.mark("map-plain")
            entries.append(f"{key} {dice.choice(results)};")
        if self.chance(0.6):
            self.mark("map-default")
            entries.insert(dice.randrange(len(entries) + 1), f"default {dice.choice(results)};")
        if self.chance(0.12):
            self.mark("map-volatile")
            entries.insert(0, "volatile;")
        self.blocks.append(f"map {source} {name} {{ {' '.join(entries)} }}")
        self.maps.append(name)

    # -- headers

    def headers(self, place: str) -> list[str]:
        """Lines about headers, at random."""
        dice = self.dice
        lines = []
        if self.chance(0.4):
            for _ in range(dice.choice((1, 1, 2, 3))):
                always = self.chance(0.4)
                self.mark("add_header", f"add_header-in-{place}", *(["add_header-always"] if always else []))
                name = dice.choice(NAMES)
                if self.chance(0.06):
                    self.mark("add_header-special")
                    name = dice.choice(("Cache-Control", "Link", "X-Frame-Options"))
                lines.append(f"add_header {name} {self.value()}{' always' if always else ''};")
        if self.chance(0.12):
            self._inherit(lines)
        if place != "if" and self.chance(0.25):
            self._request_headers(lines)
        if place != "if" and self.chance(0.12):
            self.mark("proxy_hide_header")
            lines += [f"proxy_hide_header {name};" for name in dice.sample(GIVEN, dice.choice((1, 2)))]
        if place != "if" and self.chance(0.05):
            self.mark("proxy_pass_header")
            lines.append(f"proxy_pass_header {dice.choice(('X-Up', 'Server', 'Vary'))};")
        if self.chance(0.1):
            self._more(lines)
        dice.shuffle(lines)
        if lines and place != "http" and self.chance(0.15):
            self.mark("include")
            name = f"part-{self.number}-{len(self.files)}.conf"
            self.files[name] = "\n".join(lines) + "\n"
            return [f"include {dice.choice((name, name.replace('.conf', '.c*')))};"]
        return lines

    def _inherit(self, lines: list[str]) -> None:
        if not self.can.inherits_headers:
            self.left_out.add("add_header_inherit")
            return
        mode = self.dice.choice(("on", "off", "merge", "merge"))
        self.mark(f"add_header_inherit-{mode}")
        lines.append(f"add_header_inherit {mode};")

    def _request_headers(self, lines: list[str]) -> None:
        self.mark("proxy_set_header")
        dice = self.dice
        if self.chance(0.4):
            self.mark("proxy_set_header-upgrade")
            lines.append("proxy_set_header Upgrade $http_upgrade;")
            choices = ["upgrade", '"Upgrade"', "$http_connection", '""', *self.maps]
            lines.append(f"proxy_set_header Connection {dice.choice(choices)};")
        if self.chance(0.5):
            self.mark("proxy_set_header-host")
            lines.append(f"proxy_set_header Host {dice.choice(('$host', '$http_host', 'fixed.test', '$proxy_host'))};")
        if self.chance(0.3):
            self.mark("proxy_set_header-origin")
            lines.append(
                f"proxy_set_header Origin {dice.choice(('$http_origin', 'https://a.test', chr(34) * 2, '$scheme://$host'))};"
            )
        if self.chance(0.5):
            lines.append(f"proxy_set_header X-Req {self.value()};")
        if self.chance(0.2):
            lines.append("proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;")

    def _more(self, lines: list[str]) -> None:
        if not self.can.headers_more:
            self.left_out.add("headers-more")
            return
        dice = self.dice
        name = dice.choice(NAMES)
        if self.chance(0.35):
            self.mark("more_clear_headers")
            lines.append(f"more_clear_headers {dice.choice((name, chr(39) + 'Access-Control-*' + chr(39)))};")
            return
        self.mark("more_set_headers")
        status = dice.choice(("", "", "-s 404 ", '-s "200 204" '))
        if status:
            self.mark("more_set_headers-status")
        lines.append(f'more_set_headers {status}"{name}: {self.value().strip(chr(34))}";')

    # -- rewrite phase

    def condition(self) -> str:
        dice = self.dice
        kind = dice.choice(
            ("true", "equal", "equal", "not-equal", "regex", "regex", "not-regex", "file", "method", "method")
        )
        self.mark(f"if-{kind}")
        subject = dice.choice(("$http_origin", "$arg_x", "$http_x_mode", "$v0", "$cookie_c", "$uri", *self.maps))
        if kind == "true":
            return subject
        if kind == "method":
            return (
                f"$request_method {dice.choice(('=', '=', '!='))} {dice.choice(('OPTIONS', 'OPTIONS', 'GET', 'POST'))}"
            )
        if kind in ("equal", "not-equal"):
            operand = dice.choice(("https://a.test", '""', "1", "on", "one", "null", "$arg_x"))
            return f"{subject} {'=' if kind == 'equal' else '!='} {operand}"
        if kind == "file":
            operator = dice.choice(("-f", "!-f", "-d", "!-d", "-e", "!-e"))
            return f"{operator} {self.root}{dice.choice(('$uri', '/note.txt', '/folder'))}"
        operator = dice.choice(("~", "~*")) if kind == "regex" else dice.choice(("!~", "!~*"))
        pattern = dice.choice(("^https://(.*)$", "TEST", "o(n|f)", "^/(a)/(.*)", "^$", "^(?<seg>[a-z]+)", '"^.{2,9}$"'))
        return f"{subject} {operator} {pattern}"

    def set_line(self) -> str:
        self.mark("set")
        if self.chance(0.1):
            self.mark("set-args")
            return f"set $args {self.dice.choice(('x=1', 'y=$arg_x', chr(34) * 2))};"
        return f"set $v{self.dice.randrange(2)} {self.value(empty=0.15)};"

    def rewrite_line(self) -> str:
        dice = self.dice
        pattern, targets = dice.choice(REWRITES)
        if self.chance(0.25):
            flag = dice.choice(("", " redirect", " permanent"))
            target = dice.choice(REDIRECTS) if not flag or self.chance(0.5) else dice.choice(targets)
            self.mark("rewrite-permanent" if flag == " permanent" else "rewrite-redirect")
            return f"rewrite {pattern} {target}{flag};"
        flag = dice.choice(("last", "last", "break", "break", ""))
        self.mark(f"rewrite-{flag or 'plain'}")
        if "?" in (target := dice.choice(targets)):
            self.mark("rewrite-query")
        return f"rewrite {pattern} {target}{' ' + flag if flag else ''};"

    def return_line(self) -> str:
        dice = self.dice
        kind = dice.choice(("status", "status", "text", "text", "redirect", "close"))
        if kind == "close" and not self.chance(0.5):
            kind = "status"
        self.mark(f"return-{kind}")
        if kind == "close":
            return "return 444;"
        if kind == "redirect" and self.chance(0.3):
            self.mark("return-url")
            return f"return {dice.choice(('https://to.test$request_uri', '$scheme://$host/b'))};"
        if kind == "redirect":
            target = dice.choice(("https://to.test$request_uri", "/b/there", "$scheme://$host/b"))
            return f"return {dice.choice((301, 302, 307, 308))} {target};"
        if kind == "text":
            text = dice.choice(("text", "$uri", '"a b"'))
            return f"return {dice.choice((200, 200, 404, 403, 202, 500))} {text};"
        return f"return {dice.choice((204, 204, 200, 403, 404, 404, 500, 503, 418))};"

    def if_block(self, place: str) -> str:
        """An `if`; in a location it may hold headers and a `proxy_pass`."""
        dice = self.dice
        self.mark("if", f"if-in-{place}")
        lines = []
        if place == "location":
            lines += self.headers("if")
            if self.chance(0.12):
                self.mark("proxy_pass-in-if")
                lines.append(self.proxy_pass("if"))
        if self.chance(0.4):
            lines.append(self.set_line())
        if self.chance(0.1):
            self.mark("break")
            lines.append("break;")
        if self.chance(0.1):
            lines.append(self.rewrite_line())
        dice.shuffle(lines)
        if self.chance(0.3):
            lines.append(self.return_line())
        return f"if ({self.condition()}) {{ {' '.join(lines)} }}"

    def rewrites(self, place: str) -> list[str]:
        lines = []
        scale = 1.0 if place == "location" else 0.4
        if self.chance(0.35 * scale):
            lines.append(self.set_line())
        while self.chance(0.35 * scale):
            lines.append(self.if_block(place))
        if self.chance(0.18 * scale):
            lines.append(self.rewrite_line())
        if self.chance(0.05 * scale):
            self.mark("break")
            lines.append("break;")
        self.dice.shuffle(lines)
        return lines

    # -- upstreams

    def proxy_pass(self, modifier: str) -> str:
        """A `proxy_pass`; only locations with a plain prefix may give it a URI."""
        dice = self.dice
        target = f"127.0.0.1:{dice.choice(self.backends)}"
        if self.chance(0.45):
            if not self.groups or (self.chance(0.3) and len(self.groups) < 3):
                self._group()
            target = dice.choice(self.groups)
            self.mark("upstream")
        if self.chance(0.15):
            self.mark("proxy_pass-variable")
            host = dice.choice((f"$t{self.number}", target))
            if self.chance(0.15):
                self.mark("proxy_pass-without-resolver")
                return f"proxy_pass http://{dice.choice(('nowhere$v0.test', '$host', 'app.$host:81'))};"
            uris = ("$request_uri", "$uri$is_args$args", "/fixed?v=$v0", "/$1", "$v1")
            uri = dice.choice(uris) if "$" not in host or self.chance(0.6) else ""
            return f"proxy_pass http://{host}{uri};"
        if modifier in ("", "=", "^~") and self.chance(0.4):
            self.mark("proxy_pass-uri")
            return f"proxy_pass http://{target}{dice.choice(('/', '/base/', '/base', '/socket.io/', '/q?z=1'))};"
        self.mark("proxy_pass")
        return f"proxy_pass http://{target};"

    def _group(self) -> None:
        dice = self.dice
        name = f"u{self.number}_{len(self.groups)}"
        servers = [f"server 127.0.0.1:{port};" for port in self.backends]
        method = ""
        if self.chance(0.5):
            choices = [
                "ip_hash",
                "hash $remote_addr consistent",
                "hash $remote_addr",
                "least_conn",
                "random",
                "hash $arg_x",
                "hash $http_x_mode",
            ]
            if self.can.sticky:
                choices.append("sticky cookie route")
            else:
                self.left_out.add("sticky")
            method = dice.choice(choices)
            self.mark("upstream-several", f"upstream-{method.split()[0]}")
            self.upstreams[name] = method
        else:
            servers = [dice.choice(servers)]
        self.blocks.append(f"upstream {name} {{ {method + '; ' if method else ''}{' '.join(servers)} }}")
        self.groups.append(name)

    # -- locations

    def settings(self, place: str) -> list[str]:
        """Lines that a server or a location may have, apart from headers and rewrites."""
        dice = self.dice
        lines = []
        if self.chance(0.25):
            lines += self.error_pages()
        if self.chance(0.12):
            self.mark("proxy_intercept_errors")
            lines.append(f"proxy_intercept_errors {dice.choice(('on', 'on', 'off'))};")
        if self.chance(0.06):
            self.mark("recursive_error_pages")
            lines.append("recursive_error_pages on;")
        if self.chance(0.15):
            version = dice.choice(("1.1", "1.1", "1.0"))
            self.mark(f"proxy_http_version-{version}")
            lines.append(f"proxy_http_version {version};")
        if self.chance(0.06):
            self.mark("proxy_method")
            lines.append("proxy_method POST;")
        if self.chance(0.05):
            self.mark("proxy_pass_request_headers")
            lines.append(f"proxy_pass_request_headers {dice.choice(('on', 'off'))}; proxy_set_header X-Id $http_x_id;")
        lines += self.access(0.03 if place == "location" else 0.008)
        if self.chance(0.1 if place == "location" else 0.3):
            self.mark("index")
            names = dice.choice(("index.html", "none.html index.html", "start$arg_x.html", "none.html /note.txt"))
            lines.append(f"index {names};")
        if self.chance(0.05):
            self.mark("autoindex")
            lines.append("autoindex on;")
        return lines

    def access(self, likely: float) -> list[str]:
        dice = self.dice
        lines = []
        if self.chance(likely):
            self.mark("allow-deny")
            lines.append(dice.choice((
                "deny all;", "allow 127.0.0.1; deny all;", "deny 127.0.0.0/8;", "allow 10.0.0.0/8; deny all;",
                "deny 10.1.2.3;",
            )))  # fmt: skip
        if self.chance(likely):
            self.mark("auth_basic")
            lines.append(dice.choice((
                f'auth_basic "realm"; auth_basic_user_file {REALM_FILE};', "auth_basic off;", 'auth_basic "no file";',
            )))  # fmt: skip
        if self.chance(0.06):
            self.mark("satisfy-any")
            lines.append("satisfy any;")
        if self.chance(likely):
            self.mark("auth_request")
            lines.append(f"auth_request {dice.choice(('/auth', '/auth', '/auth/inner', '/b', 'off'))};")
            if self.chance(0.5):
                self.mark("auth_request_set")
                lines.append(
                    f"auth_request_set $v0 {dice.choice(('$upstream_http_x_up', 'set-$uri', '$http_origin'))};"
                )
        return lines

    def error_pages(self) -> list[str]:
        dice = self.dice
        lines = []
        for _ in range(dice.choice((1, 1, 2))):
            codes = " ".join(
                dice.sample(("404", "403", "405", "500 502 503", "401", "418", "301", "400"), dice.choice((1, 2, 3)))
            )
            change = dice.choice(("", "", " =", " =200", " =204", " =404"))
            if change:
                self.mark("error_page-keep" if change == " =" else "error_page-status")
            kind = dice.choice(("uri", "uri", "named", "url"))
            self.mark(f"error_page-{kind}")
            if kind == "named":
                self._want("@fallback")
            target = {
                "uri": dice.choice(("/error", "/b/error?code=1", "/note.txt", "/a/b", "/$arg_x/e")),
                "named": "@fallback",
                "url": dice.choice(("https://errors.test/page", "http://$host/e")),
            }[kind]
            lines.append(f"error_page {codes}{change} {target};")
        return lines

    def _want(self, name: str) -> None:
        if name not in self.named:
            self.named.append(name)

    def try_files(self) -> str:
        dice = self.dice
        self.mark("try_files")
        tests = dice.sample(
            ("$uri", "$uri/", "/note.txt", "/missing$uri", "/folder/", "/dev/null", "$uri.txt"), dice.choice((1, 2, 3))
        )
        last = dice.choice(
            ("@fallback", "@fallback", "=404", "=204", "/index.html", "/b/fallback?tried=$uri", "/a/b$is_args$args")
        )
        if last == "@fallback":
            self._want(last)
        self.mark(
            "try_files-status"
            if last.startswith("=")
            else "try_files-named"
            if last.startswith("@")
            else "try_files-uri"
        )
        return f"try_files {' '.join(tests)} {last};"

    def content(self, modifier: str, pattern: str) -> list[str]:
        """What produces the answer."""
        dice = self.dice
        kind = dice.choice(
            (
                "proxy",
                "proxy",
                "proxy",
                "proxy",
                "proxy",
                "proxy",
                "proxy",
                "return",
                "static",
                "static",
                "try",
                "try-proxy",
                "alias",
            )
        )
        if kind == "alias" and (modifier not in ("", "^~")):
            kind = "static"
        if kind == "proxy":
            return [self.proxy_pass(modifier)]
        if kind == "return":
            return [self.return_line()]
        if kind == "try":
            return [self.try_files()]
        if kind == "try-proxy":
            # nginx before 1.29 crashes where the file that is found has a shorter path than the location's.
            return [self.try_files(), self.proxy_pass(modifier if len(pattern) < 7 else "~")]
        if kind == "alias":
            self.mark("alias")
            return [f"alias {self.root}/;"]
        self.mark("static")
        if self.chance(0.3):
            self.mark("root")
            return [f"root {self.root}/{dice.choice(('', 'folder', 'a$arg_x'))};"]
        return []

    def limit_except(self, modifier: str) -> list[str]:
        if not self.chance(0.08):
            return []
        dice = self.dice
        self.mark("limit_except")
        inner = [
            dice.choice(
                (
                    "deny all;",
                    "allow 127.0.0.1; deny all;",
                    f'auth_basic "r"; auth_basic_user_file {REALM_FILE};',
                    "deny 10.0.0.1;",
                )
            )
        ]
        if self.chance(0.2):
            inner.append(self.proxy_pass("if"))
        return [f"limit_except {dice.choice(('GET', 'GET POST', 'OPTIONS', 'GET OPTIONS'))} {{ {' '.join(inner)} }}"]

    def location(self, parent: str | None, depth: int, used: set[str]) -> list[str]:
        """One location; `parent` is the prefix around it, None inside a pattern."""
        dice = self.dice
        modifier = dice.choice(("~", "~*") if parent is None else ("", "", "", "^~", "=", "~", "~*"))
        if modifier.startswith("~"):
            pattern, inner = dice.choice(REGEXES), None
            key = pattern
        else:
            plain = [
                path.partition("?")[0] for path in PATHS if "%" not in path and "//" not in path and "." not in path
            ]
            pool = [one for one in (plain if modifier == "=" else PREFIXES) if one.startswith(parent or "/")]
            pattern = dice.choice(pool or [parent or "/"])
            inner = pattern
            key = ("=" if modifier == "=" else "") + pattern
        if key in used:
            return []
        used.add(key)
        kinds = {"": "prefix", "^~": "no-regex", "=": "exact", "~": "regex", "~*": "regex-ci"}
        self.mark(f"location-{kinds[modifier]}")
        if depth:
            self.mark("location-nested")
        lines = [*self.headers("location"), *self.settings("location"), *self.limit_except(modifier)]
        if self.chance(0.03):
            self.mark("internal")
            lines.append("internal;")
        content = self.content(modifier, pattern)
        if content and "proxy_pass" in content[-1] and pattern.endswith("/") and not modifier.startswith("~"):
            self.mark("location-auto-redirect")
        dice.shuffle(lines)
        rewrites = self.rewrites("location")
        if content and content[0].startswith("return"):
            rewrites += content
        else:
            lines += content
        lines = self._interleaved(lines, rewrites)
        if depth < 2 and modifier != "=":
            below: set[str] = set()
            for _ in range(dice.choice((0, 0, 1, 2))):
                lines += self.location(inner, depth + 1, below)
        self.locations += 1
        if modifier and self.chance(0.1):
            self.mark("location-modifier-glued")
            return [
                f"location {modifier}{pattern.strip(chr(34))} {{"
                if "{" not in pattern
                else f"location {modifier} {pattern} {{",
                *lines,
                "}",
            ]
        return [f"location {modifier} {pattern} {{", *lines, "}"]

    def _interleaved(self, first: list[str], second: list[str]) -> list[str]:
        """Both lists mixed, each in its own order."""
        marks = [True] * len(first) + [False] * len(second)
        self.dice.shuffle(marks)
        one, two = iter(first), iter(second)
        return [next(one) if mark else next(two) for mark in marks]

    # -- servers

    def server(self, first: bool, several: bool) -> list[str]:
        dice = self.dice
        default = several and self.chance(0.4) and not any("default_server" in block for block in self.blocks)
        self.mark(*(["default_server"] if default else []))
        lines: list[str] = []
        if self.chance(0.1):
            self.mark("merge_slashes-off")
            lines.append("merge_slashes off;")
        if self.chance(0.15):
            self.mark("redirect-form")
            lines.append(
                dice.choice(("absolute_redirect off;", "port_in_redirect off;", "server_name_in_redirect on;"))
            )
        listen = f"listen 127.0.0.1:{self.port}{' default_server' if default else ''};"
        names = self._names(first)
        self.named = []
        used: set[str] = set()
        lines = [listen, *names, f"root {self.root};", *lines, *self.headers("server"), *self.settings("server")]
        if self.chance(0.08):
            lines.append(self.try_files())
            self.mark("try_files-in-server")
        lines = self._interleaved(
            lines, [f"set $t{self.number} 127.0.0.1:{self.backends[0]};", *self.rewrites("server")]
        )
        if self.chance(0.05):
            self.mark("return-in-server")
            lines.append(self.return_line())
        if self.chance(0.6):
            self.mark("location-prefix")
            used.add("/")
            inside = self._interleaved([*self.headers("location"), self.proxy_pass("")], self.rewrites("location"))
            lines += ["location / {", *inside, "}"]
        for _ in range(dice.randrange(2, 6)):
            lines += self.location("/", 0, used)
        if self.chance(0.4) and "/auth" not in used:
            choice = dice.choice(
                ("return 204;", "return 401;", self.proxy_pass("~"), "return 200 ok;", "return 302 /x;")
            )
            lines += ["location /auth {", *self.headers("location"), choice, "}"]
        for name in self.named[:]:
            self.mark("location-named")
            content = dice.choice((self.proxy_pass("@"), self.return_line(), "", self.proxy_pass("@")))
            lines += [f"location {name} {{", *self.headers("location"), *self.rewrites("location"), content, "}"]
        return ["server {", *lines, "}"]

    def _names(self, first: bool) -> list[str]:
        dice = self.dice
        base = f"c{self.number}.test"
        kinds: list[tuple[str, Callable[[], str]]] = [
            ("exact", lambda: f"www.{base}"), ("exact", lambda: base), ("wildcard", lambda: f"*.{base}"),
            ("dot", lambda: f".{base}"), ("tail", lambda: f"www.c{self.number}.*"),
            ("regex", lambda: f'"~^(?<seg>[a-z]{{1,5}})\\\\.c{self.number}\\\\.(.*)$"'),
        ]  # fmt: skip
        if not first and self.chance(0.1):
            return []
        names = []
        for kind, make in dice.sample(kinds, dice.choice((1, 1, 2))):
            self.mark(f"server_name-{kind}")
            names.append(make())
        return [f"server_name {' '.join(dict.fromkeys(names))};"]

    def write(self, count: int) -> Written:
        """The configuration and its requests."""
        while self.chance(0.6) and len(self.maps) < 4:
            self.make_map()
        several = self.chance(0.5)
        if several:
            self.mark("servers-several")
        for number in range(self.dice.choice((2, 3)) if several else 1):
            self.blocks.append("\n".join(self.server(number == 0, several)))
        requests = [self.request(number) for number in range(count)]
        return Written(self.port, self.blocks, frozenset(self.features), requests, self.upstreams, self.files)

    def request(self, number: int) -> Ask:
        dice = self.dice
        base = f"c{self.number}.test"
        host = dice.choice(
            (
                f"www.{base}",
                base,
                f"api.{base}",
                f"WWW.{base}:{self.port}",
                f"www.c{self.number}.org",
                f"a.b.{base}.",
                "unknown.test",
            )
        )
        headers = [("Host", host), ("X-Id", f"{self.number}-{number}")]
        if self.chance(0.7):
            headers.append(("Origin", dice.choice(ORIGINS)))
        method = dice.choice(METHODS)
        if method == "OPTIONS":
            headers.append(("Access-Control-Request-Method", "PUT"))
        if method in ("POST", "PUT"):
            headers.append(("Content-Length", "0"))
        if self.chance(0.4):
            headers.append(("X-Mode", dice.choice(("on", "OFF", "on off", "0"))))
        if self.chance(0.3):
            headers.append(("Cookie", dice.choice(("c=1", "a=2; c=three", "c=", "d=4"))))
        if self.chance(0.55):
            headers.append(("X-Ask", str(dice.choice(STATUSES))))
        if self.chance(0.6):
            given = [
                f"{name}={dice.choice(('up', '*', 'Origin', 'https://a.test'))}"
                for name in dice.sample(GIVEN, dice.choice((1, 2, 3)))
            ]
            headers.append(("X-Give", "|".join(given)))
        if method == "GET" and self.chance(0.2):
            headers += [("Connection", "Upgrade"), ("Upgrade", "websocket")]
        return Ask(self.port, method, dice.choice(PATHS), headers)
