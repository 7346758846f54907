"""What a browser makes of a server's answers: the Fetch standard's CORS check and CORS-preflight fetch.

`fetch` plays one request of a page against a server, which is any function from a `Request` to a `Response`: a
recording, a policy's emulation, a chain of layers. Headers that are not known make the outcome unknown where they
matter.

https://fetch.spec.whatwg.org/#cors-check, #cors-preflight-fetch-0, #http-redirect-fetch. Where Chromium departs from
the standard this follows Chromium 156, and says so; `tests/lab/test_browser_model.py` compares the two.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from itertools import product
from typing import Literal

from corslint.behaviour.addresses import has_password, is_url, origin_of, path_of, redirected, scheme_of
from corslint.behaviour.console import Browser, Fault, Initiator, Reason, wording
from corslint.model.exchange import NO_ANSWER, Missing, Request, Response
from corslint.model.tri import Tri, all_of, tri
from corslint.numbers import whole
from corslint.records import NamedTuple
from corslint.regexes import regex

Credentials = Literal["omit", "same-origin", "include"]
Respond = Callable[[Request], Response]

NULL_ORIGIN = "null"
REDIRECT_LIMIT = 20

_ALLOW_ORIGIN = "Access-Control-Allow-Origin"
_ALLOW_CREDENTIALS = "Access-Control-Allow-Credentials"
_ALLOW_METHODS = "Access-Control-Allow-Methods"
_ALLOW_HEADERS = "Access-Control-Allow-Headers"


class PageRequest(NamedTuple):
    """What a page's script asks for, with `fetch` or XMLHttpRequest."""

    url: str
    """Absolute, http or https, as the URL parser writes it."""
    origin: str
    """The page's: `https://app.example.com`, or `null` for a sandboxed frame or a `data:` page."""
    credentials: Credentials = "same-origin"
    """fetch's `credentials`; an XMLHttpRequest has `include` when `withCredentials` is set, else `same-origin`."""
    method: str = "GET"
    headers: tuple[tuple[str, str], ...] = ()
    """The script's own, as it sets them."""
    initiator: Initiator = "fetch"
    watches_upload: bool = False
    """An XMLHttpRequest with listeners on its `upload`: it is preflighted whatever else it is."""


class Exchange(NamedTuple):
    """One request that went to the server, and what came back."""

    request: Request
    response: Response


class Outcome(NamedTuple):
    """How it ended for the page's script, and every request that was made, in order."""

    allowed: Tri
    """Whether the script gets the response: unknown where a header or status that matters is not known."""
    exchanges: tuple[Exchange, ...]
    """After a response that passes perhaps: what follows if it does."""
    doubts: tuple[tuple[Check, ...], ...] = ()
    """For each response that did not pass, or may not have, the checks that speak against it."""

    def faults(self, browser: Browser = "chromium") -> tuple[Fault, ...]:
        """What this browser complains about. Several: one of them, and which one is not known.

        A browser names the first check that fails, and browsers check in different order. Chromium names one of several
        request headers that are not allowed, in the order of its hash table.
        """
        order = _ORDER[browser]
        found: list[Fault] = []
        for checks in self.doubts:
            for check in sorted(checks, key=lambda check: order.index(check.subject)):
                found.extend(check.faults)
                if check.passed is Tri.NO:
                    return tuple(dict.fromkeys(found))
        return tuple(dict.fromkeys(found))

    def messages(self, browser: Browser = "chromium") -> tuple[str, ...]:
        """The line in the console for each of `faults`."""
        words = (wording(fault, browser) for fault in self.faults(browser))
        return tuple(dict.fromkeys(word for word in words if word is not None))


# --- Requests ------------------------------------------------------------------------------------------------------

_NORMALISED_METHODS = frozenset({"DELETE", "GET", "HEAD", "OPTIONS", "POST", "PUT"})
_FORBIDDEN_METHODS = frozenset({"CONNECT", "TRACE", "TRACK"})
_SAFELISTED_METHODS = frozenset({"GET", "HEAD", "POST"})
_FORBIDDEN_HEADERS = frozenset({
    "accept-charset", "accept-encoding", "access-control-request-headers", "access-control-request-method",
    "connection", "content-length", "cookie", "cookie2", "date", "dnt", "expect", "host", "keep-alive", "origin",
    "referer", "set-cookie", "te", "trailer", "transfer-encoding", "upgrade", "via",
})  # fmt: skip
_METHOD_OVERRIDES = frozenset({"x-http-method", "x-http-method-override", "x-method-override"})
_OF_THE_BROWSER = frozenset({"user-agent"})
"""Not forbidden by the standard any more, but Chromium keeps its own value and asks nobody."""
_OF_THE_BODY = frozenset({"content-encoding", "content-language", "content-location", "content-type"})


def normalised_method(method: str) -> str:
    """The method as it is sent: six of them in upper case, any other as the script spells it.

    Raises:
        ValueError: no script may use it.

    """
    upper = method.upper()
    if upper in _FORBIDDEN_METHODS:
        raise ValueError(f"browsers refuse the method {method}")
    return upper if upper in _NORMALISED_METHODS else method


def author_headers(headers: Iterable[tuple[str, str]]) -> dict[str, str]:
    """The script's headers as they are sent: lower-case name to value, repeated ones joined, forbidden ones dropped."""
    found: dict[str, str] = {}
    for written, text in headers:
        name, value = written.lower(), text.strip(" \t\r\n")
        if not _is_forbidden(name, value):
            found[name] = f"{found[name]}, {value}" if name in found else value
    return found


def _is_forbidden(name: str, value: str) -> bool:
    if name in _METHOD_OVERRIDES:
        return any(word.strip(" \t").upper() in _FORBIDDEN_METHODS for word in value.split(","))
    return name in _FORBIDDEN_HEADERS or name.startswith(("proxy-", "sec-"))


def unsafe_headers(headers: dict[str, str]) -> tuple[str, ...]:
    """The names among these (lower case) that need a server's consent, sorted: `Access-Control-Request-Headers`.

    The standard's limit of 1024 bytes for all safelisted values together cannot be reached: each has at most 128.
    """
    return tuple(sorted(name for name, value in headers.items() if not is_safelisted(name, value)))


_UNSAFE_BYTE = regex(r'[\x00-\x08\x0a-\x1f"():<>?@\[\\\]{}\x7f]')
_LANGUAGES = regex(r"[0-9A-Za-z *,\-.;=]*")
_RANGE = regex(r"bytes=([0-9]+)-([0-9]*)")
_SIMPLE_TYPES = ("application/x-www-form-urlencoded", "multipart/form-data", "text/plain")
_SAFE_LENGTH = 128
_WHOLE, _DECIMAL = re.compile(r"[0-9]+"), re.compile(r"[0-9]+(\.[0-9]+)?")
_CLIENT_HINTS = {
    "device-memory": _DECIMAL,
    "downlink": _DECIMAL,
    "dpr": _DECIMAL,
    "ect": re.compile("slow-2g|2g|3g|4g"),
    "rtt": _WHOLE,
    "viewport-width": _WHOLE,
    "width": _WHOLE,
}
"""Chromium's addition to the standard's safelist, and what their values look like.

What becomes of them on redirects differs from redirect to redirect, and is not looked at here.
"""


def is_safelisted(name: str, value: str) -> bool:
    """Whether a request header needs no preflight: a CORS-safelisted request header. The name is in lower case."""
    if name in _OF_THE_BROWSER:
        return True
    if len(value.encode()) > _SAFE_LENGTH:
        return False
    if name == "accept":
        return _UNSAFE_BYTE.search(value) is None
    if name in ("accept-language", "content-language"):
        return _LANGUAGES.fullmatch(value) is not None
    if name == "content-type":
        return _UNSAFE_BYTE.search(value) is None and _mime_type(value) in _SIMPLE_TYPES
    if name == "range":
        return _is_simple_range(value)
    if name == "save-data":
        return value.lower() == "on"
    hint = _CLIENT_HINTS.get(name)
    return hint is not None and hint.fullmatch(value) is not None


def _mime_type(value: str) -> str:
    return value.partition(";")[0].strip(" \t").lower()


def _is_simple_range(value: str) -> bool:
    found = _RANGE.fullmatch(value)
    return found is not None and (not found[2] or whole(found[1]) <= whole(found[2]))


# --- One request through all redirects -----------------------------------------------------------------------------


class Check(NamedTuple):
    """One thing that a browser looks at in a response and that did not pass, or may not have."""

    subject: Subject
    passed: Tri
    """No or unknown."""
    faults: tuple[Fault, ...]
    """Several: one of them."""


Subject = Literal["redirect", "origin", "credentials", "status", "method list", "header list", "method", "headers"]

_UNANSWERED = Check("status", Tri.NO, ())
"""There is nothing to look at, and nothing about CORS in the console."""

_ORDER: dict[Browser, tuple[Subject, ...]] = {
    "chromium": ("redirect", "origin", "credentials", "status", "method list", "header list", "method", "headers"),
    "firefox": ("origin", "credentials", "redirect", "status", "method list", "method", "header list", "headers"),
    "safari": ("redirect", "status", "origin", "credentials", "method list", "header list", "method", "headers"),
}
"""Chromium's order is measured, the others' read in their sources (nsCORSListenerProxy.cpp,
CrossOriginAccessControl.cpp)."""


class _Hop(NamedTuple):
    """One URL on the way, and the request as the redirects before it left it."""

    asked: PageRequest
    url: str
    method: str
    headers: dict[str, str]
    first_url: str
    cors: bool
    """Another origin was asked, now or before: the response must pass the CORS check."""
    tainted: bool = False
    """Redirected from one foreign origin to another: the origin is sent and compared as `null`."""
    redirects: int = 0

    @property
    def origin(self) -> str:
        return NULL_ORIGIN if self.tainted else self.asked.origin

    @property
    def with_credentials(self) -> bool:
        return self.asked.credentials == "include"

    def fault(self, reason: Reason, **more: str | int | bool | None) -> Fault:
        before = self.first_url if self.redirects else None
        sent = NULL_ORIGIN if self.tainted else None
        fault = Fault(reason, self.url, self.asked.origin, sent, self.asked.initiator, redirected_from=before)
        return fault._replace(**more)  # type: ignore[arg-type]


def fetch(asked: PageRequest, respond: Respond) -> Outcome:
    """Play a page's request: preflight where one is needed, the request itself, and its redirects.

    Raises:
        ValueError: no script can make this request (a forbidden method, a URL without a host).

    """
    play = _Play(respond)
    hop: _Hop | None = _first_hop(asked)
    while hop is not None:
        hop = play.at(hop)
    return Outcome(play.allowed, tuple(play.exchanges), tuple(play.doubts))


def _first_hop(asked: PageRequest) -> _Hop:
    method = normalised_method(asked.method)
    foreign = origin_of(asked.url) != asked.origin
    return _Hop(asked, asked.url, method, author_headers(asked.headers), asked.url, cors=foreign)


class _Play:
    """The exchanges so far, and whether the script may still get a response."""

    def __init__(self, respond: Respond) -> None:
        self.respond = respond
        self.exchanges: list[Exchange] = []
        self.doubts: list[tuple[Check, ...]] = []
        self.allowed = Tri.YES

    def at(self, hop: _Hop) -> _Hop | None:
        """Make the requests at one URL; returns where it goes on, if it does."""
        preflight = _preflight_request(hop)
        if preflight is not None:
            self._judged(_preflight_checks(hop, preflight, self._ask(preflight)))
            if self.allowed is Tri.NO:
                return None
        response = self._ask(_actual_request(hop))
        if response.status == NO_ANSWER:
            self._judged([_UNANSWERED])
            return None
        if _leads_nowhere(hop.url, response):
            self._judged([Check("redirect", Tri.NO, (hop.fault(Reason.REDIRECT_REFUSED),))])
            return None
        self._judged(_cors_check(hop, response) if hop.cors else ())
        return self._after(hop, response) if self.allowed is not Tri.NO else None

    def _ask(self, request: Request) -> Response:
        response = self.respond(request)
        self.exchanges.append(Exchange(request, response))
        return response

    def _judged(self, found: Iterable[Check]) -> None:
        checks = tuple(found)
        if checks:
            self.doubts.append(checks)
            self.allowed = all_of((self.allowed, *(check.passed for check in checks)))

    def _after(self, hop: _Hop, response: Response) -> _Hop | None:
        """What follows a response that passed: it is the page's, or leads to another URL."""
        redirect = _is_redirect(response)
        if redirect is Tri.NO:
            return None
        location = response.header("Location")
        if redirect is Tri.UNKNOWN or isinstance(location, Missing):
            self.allowed = Tri.UNKNOWN
            return None
        url = redirected(hop.url, location)
        following = _redirected(hop, url, response.status)
        if isinstance(following, Fault):
            self._judged([Check("redirect", Tri.NO, (following,))])
            return None
        return following


def _actual_request(hop: _Hop) -> Request:
    foreign = origin_of(hop.url) != hop.asked.origin
    names_origin = hop.cors or hop.method not in ("GET", "HEAD")
    may_have_cookie = hop.with_credentials or (hop.asked.credentials == "same-origin" and not foreign)
    return Request(
        "actual",
        hop.method,
        path_of(hop.url),
        hop.origin if names_origin else None,
        cookie=Tri.UNKNOWN if may_have_cookie else Tri.NO,
        server=origin_of(hop.url),
    )


def _preflight_request(hop: _Hop) -> Request | None:
    """The request that asks for the server's consent; None where none is needed."""
    names = unsafe_headers(hop.headers)
    simple = hop.method in _SAFELISTED_METHODS and not names and not hop.asked.watches_upload
    if not hop.cors or simple:
        return None
    return Request("preflight", "OPTIONS", path_of(hop.url), hop.origin, hop.method, names, server=origin_of(hop.url))


# --- The CORS check ------------------------------------------------------------------------------------------------

_UNKNOWN_VALUE_LIMIT = 4


def _values(response: Response, name: str) -> tuple[tuple[str | Missing, int], ...]:
    """The texts that a header may have, each with its number of lines; one text where everything is known."""
    lines = response.lines(name)
    uncertain = sum(line.sent is Tri.UNKNOWN for line in lines)
    if response.complete is not Tri.YES or uncertain > _UNKNOWN_VALUE_LIMIT:
        return ((Missing.UNKNOWN, 1),)
    found = []
    for there in product(*((True,) if line.sent is Tri.YES else (True, False) for line in lines)):
        chosen = tuple(line._replace(sent=Tri.YES) for line, is_there in zip(lines, there, strict=True) if is_there)
        found.append((response._replace(headers=chosen).header(name), len(chosen)))
    return tuple(dict.fromkeys(found))


def _cors_check(hop: _Hop, response: Response, *, preflight: bool = False) -> Iterator[Check]:
    """The standard's CORS check: `Access-Control-Allow-Origin`, then, with credentials, `...-Credentials`."""
    more: dict[str, str | int | bool | None] = {"preflight": preflight, "status": response.status}
    found = [_origin_faults(hop, value, lines, more) for value, lines in _values(response, _ALLOW_ORIGIN)]
    yield from _check("origin", found)
    if hop.with_credentials:
        found = [_credentials_faults(hop, value, more) for value, _ in _values(response, _ALLOW_CREDENTIALS)]
        yield from _check("credentials", found)


_Faults = tuple[Tri, tuple[Fault, ...]]
"""Whether one possible text passes, and the faults it has or may have."""
_PASSES: _Faults = (Tri.YES, ())


def _check(subject: Subject, found: Iterable[_Faults]) -> Iterator[Check]:
    """Put together what the possible texts of a header lead to. Nothing where all of them pass."""
    alternatives = list(found)
    passed = {answer for answer, _ in alternatives}
    if passed != {Tri.YES}:
        faults = tuple(fault for _, some in alternatives for fault in some)
        yield Check(subject, Tri.NO if passed == {Tri.NO} else Tri.UNKNOWN, faults)


def _origin_faults(hop: _Hop, value: str | Missing, lines: int, more: dict[str, str | int | bool | None]) -> _Faults:
    if value is Missing.ABSENT:
        return Tri.NO, (hop.fault(Reason.NO_ALLOW_ORIGIN, **more),)
    if value is Missing.UNKNOWN:
        if lines > 1:
            # Whatever the texts are, the comma between them is no part of an origin.
            return Tri.NO, (hop.fault(Reason.SEVERAL_ORIGINS, lines=lines, **more),)
        return Tri.UNKNOWN, tuple(hop.fault(reason, **more) for reason in _possible_origin_reasons(hop))
    if value == hop.origin or (value == "*" and not hop.with_credentials):
        return _PASSES
    reasons = _origin_reasons(value)
    return Tri.NO, tuple(hop.fault(reason, value=value, lines=lines, **more) for reason in reasons)


def _possible_origin_reasons(hop: _Hop) -> tuple[Reason, ...]:
    wildcard = (Reason.WILDCARD_WITH_CREDENTIALS,) if hop.with_credentials else ()
    others = (Reason.NO_ALLOW_ORIGIN, Reason.SEVERAL_ORIGINS, Reason.OTHER_ORIGIN, Reason.NO_ORIGIN_VALUE)
    return (*wildcard, *others)


def _origin_reasons(text: str) -> tuple[Reason, ...]:
    """What is wrong with a value that is not the origin; two where Chromium's URL parser would have to decide."""
    if text == "*":
        return (Reason.WILDCARD_WITH_CREDENTIALS,)
    if " " in text or "," in text:
        return (Reason.SEVERAL_ORIGINS,)
    if text == NULL_ORIGIN:
        return (Reason.OTHER_ORIGIN,)
    valid = is_url(text)
    if valid is Tri.UNKNOWN:
        return Reason.OTHER_ORIGIN, Reason.NO_ORIGIN_VALUE
    return (Reason.OTHER_ORIGIN if valid is Tri.YES else Reason.NO_ORIGIN_VALUE,)


def _credentials_faults(hop: _Hop, value: str | Missing, more: dict[str, str | int | bool | None]) -> _Faults:
    text = {Missing.ABSENT: "", Missing.UNKNOWN: None}[value] if isinstance(value, Missing) else value
    if text == "true":
        return _PASSES
    return tri(None if text is None else False), (hop.fault(Reason.NO_ALLOW_CREDENTIALS, value=text, **more),)


# --- The preflight's answer ----------------------------------------------------------------------------------------

_TOKEN = regex(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_REDIRECTS = frozenset({301, 302, 303, 307, 308})


def _preflight_checks(hop: _Hop, preflight: Request, response: Response) -> Iterator[Check]:
    if response.status == NO_ANSWER:
        yield _UNANSWERED
        return
    redirect = _is_redirect(response)
    if _leads_nowhere(hop.url, response):
        yield Check("redirect", Tri.NO, (hop.fault(Reason.REDIRECT_REFUSED, preflight=True),))
    elif redirect is not Tri.NO:
        fault = hop.fault(Reason.PREFLIGHT_REDIRECTED, preflight=True, status=response.status)
        yield Check("redirect", ~redirect, (fault,))
    yield from _cors_check(hop, response, preflight=True)
    if response.status is None or not 200 <= response.status <= 299:
        fault = hop.fault(Reason.PREFLIGHT_STATUS, preflight=True, status=response.status)
        yield Check("status", tri(None if response.status is None else False), (fault,))
    yield from _list_checks(hop, response, "method list", _ALLOW_METHODS, Reason.METHODS_UNREADABLE)
    yield from _list_checks(hop, response, "header list", _ALLOW_HEADERS, Reason.HEADERS_UNREADABLE)
    yield from _check("method", [_method_faults(hop, value) for value, _ in _values(response, _ALLOW_METHODS)])
    names = preflight.asked_headers
    yield from _check("headers", [_header_faults(hop, names, value) for value, _ in _values(response, _ALLOW_HEADERS)])


def _is_redirect(response: Response) -> Tri:
    """Whether the browser would go to another place; without a `Location` that says where, it stays."""
    if response.status is not None and response.status not in _REDIRECTS:
        return Tri.NO
    places = {value if isinstance(value, Missing) else bool(value) for value, _ in _values(response, "Location")}
    if places <= {False, Missing.ABSENT}:
        return Tri.NO
    return tri(True if places == {True} and response.status is not None else None)


def _leads_nowhere(url: str, response: Response) -> bool:
    """Whether a redirect's `Location` is no URL: that ends the request before anybody looks at CORS."""
    location = response.header("Location")
    certain = _is_redirect(response) is Tri.YES and not isinstance(location, Missing)
    return certain and redirected(url, str(location)) is None


def _words(value: str) -> list[str]:
    """The elements of a comma list; empty ones do not count."""
    return [word for word in (part.strip(" \t") for part in value.split(",")) if word]


def _list_checks(hop: _Hop, response: Response, subject: Subject, name: str, reason: Reason) -> Iterator[Check]:
    found: list[_Faults] = []
    for value, _ in _values(response, name):
        if value is Missing.UNKNOWN:
            found.append((Tri.UNKNOWN, (hop.fault(reason, preflight=True),)))
            continue
        words = [] if isinstance(value, Missing) else _words(value)
        wrong = next((word for word in words if _TOKEN.fullmatch(word) is None), None)
        if wrong is None:
            found.append(_PASSES)
        else:
            found.append((Tri.NO, (hop.fault(reason, preflight=True, value=wrong, header=str(value)),)))
    yield from _check(subject, found)


def _method_faults(hop: _Hop, value: str | Missing) -> _Faults:
    """Methods are compared letter by letter; the safelisted ones need not be listed."""
    fault = hop.fault(Reason.METHOD_NOT_ALLOWED, preflight=True, value=hop.method)
    if hop.method in _SAFELISTED_METHODS:
        return _PASSES
    if value is Missing.UNKNOWN:
        return Tri.UNKNOWN, (fault,)
    listed = [] if isinstance(value, Missing) else _words(value)
    if hop.method in listed or ("*" in listed and not hop.with_credentials):
        return _PASSES
    return Tri.NO, (fault,)


def _header_faults(hop: _Hop, names: tuple[str, ...], value: str | Missing) -> _Faults:
    """Names are compared without regard to case.

    The standard wants `Authorization` listed by name; Chromium 156 and Firefox 153 let `*` cover it.
    """
    if not names:
        return _PASSES
    listed = set() if isinstance(value, Missing) else {word.lower() for word in _words(value)}
    refused = () if "*" in listed and not hop.with_credentials else tuple(n for n in names if n not in listed)
    faults = tuple(hop.fault(Reason.HEADER_NOT_ALLOWED, preflight=True, value=name) for name in refused)
    if value is Missing.UNKNOWN:
        return Tri.UNKNOWN, faults
    return (Tri.NO, faults) if faults else _PASSES


# --- Redirects -----------------------------------------------------------------------------------------------------


def _redirected(hop: _Hop, url: str | None, status: int | None) -> _Hop | Fault:
    """The request as a redirect changes it, or why it is not followed."""
    if hop.redirects >= REDIRECT_LIMIT:
        return hop.fault(Reason.TOO_MANY_REDIRECTS)
    if url is None:
        return hop.fault(Reason.REDIRECT_REFUSED)
    web = scheme_of(url) in ("http", "https")
    foreign = not web or origin_of(url) != hop.asked.origin
    if has_password(url):
        # The standard lets it pass within one origin; Chromium, without a word, does not.
        return hop.fault(Reason.REDIRECT_WITH_PASSWORD if hop.cors or foreign else Reason.REDIRECT_REFUSED)
    if not web:
        return hop.fault(Reason.REDIRECT_SCHEME)._replace(url=url, redirected_from=hop.first_url)
    return _followed(hop, url, status, foreign=foreign)


def _followed(hop: _Hop, url: str, status: int | None, *, foreign: bool) -> _Hop:
    headers, method = dict(hop.headers), hop.method
    if (status in (301, 302) and method == "POST") or (status == 303 and method not in ("GET", "HEAD")):
        method = "GET"
        headers = {name: value for name, value in headers.items() if name not in _OF_THE_BODY}
    left = origin_of(hop.url)
    leaves = origin_of(url) != left
    if leaves:
        headers.pop("authorization", None)
    tainted = hop.tainted or (leaves and left != hop.asked.origin)
    following = hop._replace(url=url, method=method, headers=headers, cors=hop.cors or foreign, tainted=tainted)
    return following._replace(redirects=hop.redirects + 1)
