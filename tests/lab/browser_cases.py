"""Generated requests of pages, and the answers that a server gives to each: the material of `test_browser_model.py`.

Everything is drawn from one seed. A case starts from an answer that lets the page through and has any number of its
parts replaced by others, so that each check of a browser is reached often, alone and together with others.
"""

from __future__ import annotations

import string
from collections.abc import Callable
from random import Random
from typing import NamedTuple, get_args

from corslint.behaviour.browser import Credentials, PageRequest

PAGE_HOSTS = ("localhost", "127.0.0.1", "a.localhost", None)
"""Where a page stands; None: in a sandboxed frame, whose origin is `null`."""
SERVER_HOSTS = ("127.0.0.1", "localhost", "b.localhost")

Lines = tuple[tuple[str, str], ...]


class Answer(NamedTuple):
    """What the server sends: header lines in their order, exactly so."""

    status: int
    headers: Lines


class Stop(NamedTuple):
    """What one URL answers."""

    preflight: Answer
    actual: Answer


class Case(NamedTuple):
    """One request of one page, and the URLs that it leads to."""

    number: int
    page_host: str | None
    asked: PageRequest
    body: str | None
    stops: tuple[Stop, ...]


_A = "Access-Control-Allow-"

_METHODS = (
    *("GET", "GET", "GET", "HEAD", "POST", "PUT", "PUT", "PATCH", "PATCH", "DELETE", "OPTIONS"),
    *("get", "head", "pOsT", "put", "Put", "patch", "Patch", "delete", "options", "PURGE", "purge", "M-SEARCH"),
)
_LONG = "abcdefghijklmnop" * 8  # 128 bytes
_HEADERS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("Content-Type", (
        "application/json", "application/json; charset=utf-8", "text/plain", "Text/Plain;Charset=UTF-8", "text/html",
        "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", 'multipart/form-data; boundary="x"',
        "text/plain, text/plain", "text/plainx", "text/plain ; a=b", "text/plain x", "text/plain;", ";text/plain", "",
        "text/plain; a=" + _LONG[:114], "text/plain; a=" + _LONG[:115], "text/plain;a={b}", "text / plain",
    )),
    ("Accept", ("*/*", "text/html, */*;q=0.1", "a:b", "a(b", 'a"b', "a{b", "a@b", "a=b/c", "a\tb", _LONG, _LONG + "q")),
    ("accept-language", ("de", "de-DE, en;q=0.9", "de_DE", "a/b", "*", "a=b", "", "a'b", _LONG, _LONG + "q")),
    ("Content-Language", ("de", "de_DE", "a, b.c;d=e *-", "a:b", _LONG + "q")),
    ("Range", ("bytes=0-", "bytes=0-10", "bytes=5-3", "bytes=5-5", "bytes=-5", "Bytes=0-", "bytes=1-2, 4-5")),
    ("Authorization", ("Bearer x", "")),
    ("Authorization", ("Basic eDp5",)),
    ("authorization", ("Bearer y",)),
    ("content-type", ("application/json",)),
    ("X-Requested-With", ("XMLHttpRequest",)),
    ("x-csrf-token", ("1", "")),
    ("X_Odd.Name", ("1",)),
    ("If-None-Match", ("1",)),
    ("Cache-Control", ("no-cache",)),
    ("Save-Data", ("on", "ON", "off", "")),
    ("DPR", ("2", "1.5", "1.", "x", _LONG + "q")),
    ("ect", ("4g", "5g")),
    ("Viewport-Width", ("800", "800.5")),
    ("Cookie", ("forbidden=1",)),
    ("Sec-Anything", ("forbidden",)),
    ("Proxy-Anything", ("forbidden",)),
    ("DNT", ("1",)),
    ("X-HTTP-Method-Override", ("PUT", "TRACE", "put, track")),
)  # fmt: skip

CLIENT_HINTS = ("dpr", "ect", "viewport-width")
"""They are not sent through redirects: there Chromium keeps some and drops some, which the model leaves open."""

_OTHER_ORIGINS = (
    "https://app.example.com", "http://localhost:1", "null", "NULL", "Null", "undefined", "true", "false", "None", "",
    "**", "*.example.com", "https://*.example.com", "http://*", "app.example.com", "localhost", "localhost:3000",
    "//localhost", "/", "http", "http:", "http://", "http:///", "http:localhost", "http:/localhost", "https:\\\\x",
    "http://localhost:", "http://localhost:*", "http://localhost:99999", "http://localhost:65536",
    "http://localhost:65535", "http://localhost:3000/", "http://localhost:3000/path?x#y", "http://u:p@host", "http://@",
    "http://[::1]", "http://[::1", "http://[zz]", "http://1.2.3.4.5", "http://256.1.1.1", "http://1.2.3", "http://0x7f.1",
    "http://a%20b", "http://a%zz", "http://a%00", "http://a%2f", "http://a<b", "http://a|b", "http://a^b", "http://a;b",
    "ws://a", "file:", "file:///x", "data:x", "about:blank", "a:", "1a:b", "a_b:c", ":", "capacitor://localhost",
    "exp://1:99999", "chrome-extension://", "chrome-extension://abc", "$http_origin", "${ORIGIN}", "%ORIGIN%",
    '"http://localhost"', "<http://localhost>", "https://a https://b", "https://a,https://b", "* ,", "*, *", ",",
    "*\t*", "http://a\tb", "a b",
)  # fmt: skip
_CREDENTIALS = (
    "True",
    "TRUE",
    "false",
    "",
    "1",
    "yes",
    "tru",
    "true,",
    "true, true",
    "true true",
    "truetrue",
    '"true"',
)
_METHOD_LISTS = (
    "*", "GET", "GET, POST", "get, post, put, patch", "", ",", "*, *", "PUTX", "UT", "GET,HEAD,PUT,PATCH,POST,DELETE",
    "PUT; PATCH", "PUT PATCH", "[PUT]", '"PUT"', "PUT, PAT CH", "PUT/PATCH", "GET, PUT, (x)", "@", "PUT,\tPATCH ,,",
    "=", "PUT: yes", "{PUT}",
)  # fmt: skip
_HEADER_LISTS = (
    "*", "Content-Type", "content-type, authorization, x-csrf-token", "", ",", "X-Other", "content_type",
    "Content Type", "Content-Type; Authorization",
    "[X-Requested-With]", '"Content-Type"', "a, b c", "a/b", "Content-Type, (x)", "a:b",
    "@", "X-Requested-With,\tcontent-type ,,", "=", "*, authorization", "<all>",
)  # fmt: skip
_NOISE = (
    ("Vary", "Origin"), ("Access-Control-Expose-Headers", "*"), ("Access-Control-Max-Age", "-1"), ("X-Powered-By", "x"),
    ("Access-Control-Max-Age", "soon"), ("Access-Control-Allow-Method", "PUT"), ("Access-Control-Allow-Orgin", "*"),
    ("Set-Cookie", "a=b"), ("Cache-Control", "no-store"), ("Timing-Allow-Origin", "*"), ("Location", ""),
)  # fmt: skip
_PREFLIGHT_STATUSES = (
    199 + 1,
    201,
    202,
    203,
    204,
    205,
    226,
    299,
    300,
    304,
    305,
    400,
    401,
    403,
    404,
    405,
    500,
    502,
    503,
)
_ACTUAL_STATUSES = (200, 201, 204, 205, 300, 304, 400, 401, 403, 404, 405, 413, 429, 500, 502, 503)
_REDIRECTS = (301, 302, 303, 307, 308)


def generate(seed: int, count: int, port: int) -> list[Case]:
    """That many cases, for a server that listens on this port under all the names."""
    return [_Maker(Random(f"{seed}/{number}"), number, port).case() for number in range(count)]


class _Maker:
    """Draws one case. Each case has a random generator of its own: it stays the same when others are added."""

    def __init__(self, random: Random, number: int, port: int) -> None:
        self.random = random
        self.number = number
        self.port = port

    def case(self) -> Case:
        random = self.random
        page_host = random.choice(PAGE_HOSTS)
        origin = "null" if page_host is None else f"http://{page_host}:{self.port}"
        xhr = random.random() < 0.4
        credentials: tuple[Credentials, ...] = get_args(Credentials)
        method = random.choice(_METHODS)
        can_have_body = method.upper() not in ("GET", "HEAD")
        asked = PageRequest(
            self.url(self.server_host(page_host), 0),
            origin,
            random.choice(("same-origin", "include", "include") if xhr else (*credentials, "include")),
            method,
            self.headers(),
            "xhr" if xhr else "fetch",
            watches_upload=xhr and can_have_body and random.random() < 0.2,
        )
        # An upload is only watched where there is one, so it comes with a body of no type.
        body = "x" if asked.watches_upload else None
        hints = any(name.lower() in CLIENT_HINTS for name, _ in asked.headers)
        count = 1 if hints else random.choices((1, 2, 3), (7, 2, 1))[0]
        stops = [self.stop(asked, number, redirects=number + 1 < count) for number in range(count)]
        return Case(self.number, page_host, asked, body, tuple(stops))

    def url(self, host: str, stop: int) -> str:
        return f"http://{host}:{self.port}/{self.number}/{stop}{self.random.choice(('', '', '?a=b', '?a=b,c%20d'))}"

    def server_host(self, page_host: str | None) -> str:
        """Mostly another origin than the page's."""
        others = [host for host in SERVER_HOSTS if host != page_host]
        return self.random.choice(others if self.random.random() < 0.95 else SERVER_HOSTS)

    def headers(self) -> Lines:
        random = self.random
        found = []
        for name, values in random.sample(_HEADERS, random.choice((0, 0, 1, 1, 1, 1, 2, 3))):
            times = 2 if random.random() < 0.05 else 1
            found += [(random.choice((name, name.lower(), name.upper())), random.choice(values)) for _ in range(times)]
        return tuple(found)

    # -- answers --

    def stop(self, asked: PageRequest, number: int, *, redirects: bool) -> Stop:
        random = self.random
        origin = "null" if number and random.random() < 0.8 else asked.origin
        preflight = self.answer(origin, asked, _PREFLIGHT_STATUSES, preflight=True)
        actual = self.answer(origin, asked, _ACTUAL_STATUSES, preflight=False)
        if random.random() < 0.06:
            place = random.choice(
                ("/elsewhere", "http://localhost/", "", "x", "#", "http://[x/", "about:blank", "data:,x", "ftp://x/")
            )
            preflight = self.redirecting(preflight, place)
        if redirects:
            place = self.url(random.choice(SERVER_HOSTS), number + 1)
            password = place.replace("http://", "http://user:pass@")
            odd = ("ftp://localhost/x", "about:blank", "data:,x", "app://x", "http://[x/", "")
            relative = "/" + place.split("/", 3)[3]
            others = (place, place, place, place, place, relative, f"{place}#part", password, random.choice(odd))
            actual = self.redirecting(actual, random.choice(others))
        return Stop(preflight, actual)

    def redirecting(self, answer: Answer, place: str) -> Answer:
        headers = [line for line in answer.headers if line[0] != "Location"]
        headers.insert(self.random.randint(0, len(headers)), ("Location", place))
        return Answer(self.random.choice(_REDIRECTS), tuple(headers))

    def answer(self, origin: str, asked: PageRequest, statuses: tuple[int, ...], *, preflight: bool) -> Answer:
        """One that passes, with some of its parts replaced."""
        random = self.random
        spoiled = random.choices((0, 1, 2, 3), (4, 6, 2, 1) if preflight else (5, 5, 1, 0))[0]
        weights = (4, 3, 5, 7, 3) if preflight else (8, 6, 1, 1, 2)
        parts = random.choices(("origin", "credentials", "methods", "headers", "status"), weights, k=spoiled)
        stars = random.random() < 0.45 and asked.credentials != "include"
        good_origin = "*" if stars else origin
        names = "*" if stars and random.random() < 0.5 else ", ".join(name for name, _ in asked.headers)
        method = asked.method.upper() if random.random() < 0.5 else asked.method
        methods = "*" if stars and random.random() < 0.5 else f"GET, {method}"
        lines = [
            *self.lines("Origin", "origin" in parts, good_origin, lambda: self.other_origin(origin, asked)),
            *self.lines("Credentials", "credentials" in parts, "true", lambda: random.choice(_CREDENTIALS)),
            *self.lines("Methods", "methods" in parts, methods, lambda: self.other_list(_METHOD_LISTS, "PUT")),
            *self.lines("Headers", "headers" in parts, names, lambda: self.other_list(_HEADER_LISTS, names)),
            *random.sample(_NOISE, random.choice((0, 0, 1, 2))),
        ]
        random.shuffle(lines)
        usual = (200, 204) if preflight else (200, 200, 404)
        return Answer(random.choice(statuses if "status" in parts else usual), tuple(lines))

    def lines(self, name: str, spoiled: bool, good: str, other: Callable[[], str]) -> list[tuple[str, str]]:
        """The lines of one header: the good one, or another text, or none, or several."""
        written = self.random.choice((_A + name, (_A + name).lower(), (_A + name).upper()))
        if not spoiled:
            return [(written, good)]
        choice = self.random.choices(("other", "absent", "twice", "both", "padded"), (10, 4, 1, 1, 1))[0]
        texts = {
            "other": (other(),),
            "absent": (),
            "twice": (good, good),
            "both": (good, other()),
            "padded": (f" \t{good} ",),
        }[choice]
        return [(written, text) for text in texts]

    def other_origin(self, origin: str, asked: PageRequest) -> str:
        random = self.random
        if asked.credentials == "include" and random.random() < 0.2:
            return "*"
        near = (
            *("*", "*", origin + "/", origin.upper(), origin.replace("http", "https"), origin[:-1], origin + "1"),
            *(f"{origin}, {origin}", f"{origin},", f"{origin} https://a.example", f"{origin}\thttp://b"),
        )
        draw = random.random()
        if draw < 0.35:
            return random.choice(near)
        return random.choice(_OTHER_ORIGINS) if draw < 0.85 else self.damaged(origin)

    def damaged(self, text: str) -> str:
        """With a few characters added, taken away or replaced."""
        random = self.random
        for _ in range(random.randint(1, 3)):
            at = random.randint(0, len(text))
            text = (
                text[:at]
                + random.choice(("", random.choice(string.printable[:95])))
                + text[at + random.randint(0, 1) :]
            )
        return text

    def other_list(self, lists: tuple[str, ...], good: str) -> str:
        draw = self.random.random()
        if draw < 0.25:
            return "*"
        if draw < 0.8:
            return self.random.choice(lists)
        return self.damaged(good) if draw < 0.9 else good.lower()
