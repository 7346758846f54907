"""Addresses of clients that nginx answers with a redirect where browsers follow none: facts of the kind `redirect`.

A preflight's answer has to have an ok status (Fetch, CORS-preflight fetch), a WebSocket's handshake is never
redirected (WebSockets, establish a WebSocket connection), and of a request to another origin each answer on the way has
to let the page in (Fetch, HTTP-redirect fetch). Which server and location answer, the model decides.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Literal, cast
from urllib.parse import urlsplit, urlunsplit

from corslint.behaviour.nginx_answers import WELL
from corslint.behaviour.nginx_levels import Level, Unit
from corslint.behaviour.nginx_lines import title, written
from corslint.behaviour.nginx_machine import Configuration, answer
from corslint.behaviour.nginx_request import Answer, Incoming
from corslint.behaviour.nginx_rewrite import REDIRECTS
from corslint.behaviour.nginx_routing import candidates
from corslint.model.cors_headers import ALLOW_ORIGIN
from corslint.model.exchange import Header, Missing
from corslint.model.facts import Fact, Field
from corslint.model.reading import Directive
from corslint.model.tri import Tri
from corslint.model.values import Literal as Text
from corslint.model.values import Mapping
from corslint.records import NamedTuple

_DEFAULT_PORTS = {"http": 80, "ws": 80, "https": 443, "wss": 443}
_SECURE = {"http": "https", "ws": "wss"}
_SIMPLE_METHODS = frozenset(("GET", "HEAD", "POST"))
_SIMPLE_HEADERS = frozenset(("accept", "accept-language", "content-language", "content-type", "range"))
"""Headers that a page may send without a preflight, as far as their names say (Fetch, CORS-safelisted header)."""
_SIMPLE_TYPES = frozenset(("application/x-www-form-urlencoded", "multipart/form-data", "text/plain"))

Asks = Literal["preflight", "handshake", "polling"]


class _Question(NamedTuple):
    """What a client asks first at an address."""

    asks: Asks
    url: str
    field: Field
    headers: tuple[Header, ...]


class _Redirected(NamedTuple):
    """A redirect, and what makes it: a directive, or the location whose path has a slash more."""

    status: int
    by: Directive | Level
    silent: bool
    """Whether the answer surely has no Access-Control-Allow-Origin."""


def redirects(configurations: Sequence[Configuration], clients: Iterable[Fact]) -> Iterator[Fact]:
    """A fact for each client whose first request is redirected by every configuration that its address names."""
    for client in clients if configurations else ():
        for question in _questions(client):
            asked = [_asked(one, question) for one in configurations if _names(one, question.url)]
            found = [one for one in asked if one is not None]
            if found and len(found) == len(asked) and (question.asks != "polling" or found[0].silent):
                yield _fact(question, found[0])


# ------------------------------------------------------------------------------------------------------------- clients


def _questions(client: Fact) -> Iterator[_Question]:
    address = client.fields.get("address") or client.field("url")
    if not isinstance(address.value, str) or not _is_whole(address.value):
        return
    origin = Header("Origin", None)
    if client.kind == "socket_client":
        path = client.field("asks_for").value
        if not isinstance(path, str) or not path.startswith("/"):
            return
        url = urlunsplit((*urlsplit(address.value)[:2], path, "EIO=4", ""))
        if client.field("websocket_only").value == "yes":
            upgrade = (origin, Header("Upgrade", "websocket"), Header("Connection", "Upgrade"))
            yield _Question("handshake", url, address, upgrade)
        elif client.field("polling").value == "yes" and urlsplit(url).scheme in ("http", "ws"):
            yield _Question("polling", url, address, (origin,))
    elif client.field("base").value != "yes" and _asks_first(client):
        method = client.field("method").value
        wanted = Header("Access-Control-Request-Method", method if isinstance(method, str) else None)
        yield _Question("preflight", address.value, address, (origin, wanted, Header("Authorization", None, Tri.NO)))


def _is_whole(address: str) -> bool:
    try:
        parts = urlsplit(address)
        return parts.scheme in _DEFAULT_PORTS and bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        return False


def _asks_first(request: Fact) -> bool:
    """Whether a request to another origin surely has a preflight: for its method, a header, or the type of its body."""
    mode = request.field("mode")
    if mode.state == "unknown" or mode.value not in (None, "cors"):
        return False
    method = request.field("method")
    if method.state in ("written", "default") and isinstance(method.value, str):
        if method.value.upper() not in _SIMPLE_METHODS:
            return True
    for name in ("sends", "headers"):
        names = request.field(name).value
        if isinstance(names, tuple) and any(str(one).lower() not in _SIMPLE_HEADERS for one in names):
            return True
    headers = request.values.get("headers")
    for item in headers.items if isinstance(headers, Mapping) else ():
        value = getattr(item, "value", None)
        if str(getattr(item, "key", "")).lower() == "content-type" and isinstance(value, Text):
            return str(value.value).partition(";")[0].strip().lower() not in _SIMPLE_TYPES
    return False


# --------------------------------------------------------------------------------------------------------------- nginx


def _names(configuration: Configuration, url: str) -> bool:
    """Whether the host of an address is the name of one of the servers, which then is this nginx's."""
    host = urlsplit(url).hostname
    lines = (line for server in configuration.servers for line in server.own("server_name"))
    return any(word.text.lower() == host for line in lines for word in line.arguments)


def _asked(configuration: Configuration, question: _Question) -> _Redirected | None:
    """What redirects the question; None where nothing surely does."""
    parts = urlsplit(question.url)
    port = parts.port or _DEFAULT_PORTS[parts.scheme]
    secure = parts.scheme in ("https", "wss")
    before = secure and candidates(configuration.servers, port) is None
    if before:  # TLS ends in front of this nginx
        port = _DEFAULT_PORTS["http"]
    if candidates(configuration.servers, port) is None:
        return None
    request = Incoming(
        method="OPTIONS" if question.asks == "preflight" else "GET",
        target=(parts.path or "/") + (f"?{parts.query}" if parts.query else ""),
        host=parts.hostname,
        port=port,
        scheme="https" if secure and not before else "http",
        headers=question.headers,
        complete=Tri.UNKNOWN,
    )
    found = answer(configuration, request, WELL)
    status = found.response.status
    by = _decider(configuration.unit, found) if found.passed is Tri.NO and status in REDIRECTS else None
    if status is None or by is None or (before and isinstance(by, Directive)):  # the latter may ask what TLS ended
        return None
    return _Redirected(status, by, found.response.header(ALLOW_ORIGIN) is Missing.ABSENT)


def _decider(unit: Unit, found: Answer) -> Directive | Level | None:
    places = {place: number for number, place in enumerate(found.where)}
    lines: list[tuple[int, Directive]] = []
    for one in unit.statements:
        if one.key in ("return", "rewrite"):
            number = max(places.get(one.name.span, -1), places.get(one.span, -1))
            if number >= 0:
                lines.append((number, one))
    if lines:
        return max(lines, key=lambda one: one[0])[1]
    levels = [level for level in _locations(unit.top) if level.directive and level.directive.name.span in places]
    return max(levels, key=lambda level: places[level.directive.name.span]) if levels else None  # type: ignore[union-attr]


def _locations(levels: Iterable[Level]) -> Iterator[Level]:
    for level in levels:
        if level.kind == "location":
            yield level
        yield from _locations(level.children)


# ---------------------------------------------------------------------------------------------------------------- fact


def _fact(question: _Question, found: _Redirected) -> Fact:
    shown = question.field.value if question.asks == "preflight" else question.url.removesuffix("?EIO=4")
    asked = question.field.span
    if isinstance(found.by, Level):
        place, by, to = found.by.place, title(found.by), "slash"
    else:
        place = found.by.span
        by = " ".join(word.text for word in (found.by.name, *found.by.arguments))
        to = "https" if _secures(question.url, found.by) else "elsewhere"
    confidence = question.field.confidence
    fields = {
        "framework": written("nginx"),
        "language": written("nginx"),
        "url": Field(shown, "written", asked, question.field.trail, confidence),
        "asks": Field(question.asks, "written", asked, (), confidence),
        "status": written(found.status, place),
        "by": written(by, place),
        "to": written(to, place),
    }
    instead = _instead(cast("str", question.field.value), to, found.by)
    if instead is not None:
        fields["instead"] = written(instead, asked)
    return Fact("redirect", asked or place, fields)


def _secures(url: str, by: Directive) -> bool:
    return urlsplit(url).scheme in _SECURE and any(word.text.startswith("https://") for word in by.arguments)


def _instead(url: str, to: str, by: Directive | Level) -> str | None:
    """The address to ask for at once, where that is certain."""
    parts = urlsplit(url)
    if to == "slash":
        return urlunsplit(parts._replace(path=f"{parts.path}/"))
    target = by.arguments[-1].text if isinstance(by, Directive) and by.arguments else ""
    same = re.fullmatch(r"https://([^/]+)\$request_uri", target)
    if to == "https" and same is not None and same[1] in ("$host", "$server_name", parts.hostname):
        return urlunsplit(parts._replace(scheme=_SECURE[parts.scheme], netloc=parts.hostname or ""))
    return None
