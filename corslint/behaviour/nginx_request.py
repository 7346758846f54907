"""What passes through the nginx model: a request, what nginx makes of its address, the upstream's request, the answer.

The model (`nginx_machine.py`) runs a request through nginx's phases. Where something is not known, such as a file's
existence or what a Lua block does, it runs both ways (`Fork`), and only what comes out of all of them is an answer.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Literal, TypeAlias

from corslint.behaviour.nginx_levels import Level
from corslint.model.exchange import Header, Request, Response
from corslint.model.tri import Tri
from corslint.records import NamedTuple
from corslint.regexes import regex
from corslint.source import Span


class Incoming(NamedTuple):
    """One request as it reaches nginx. `target` is what stands on the request line: the path and the query.

    `headers` are all but `Host`; where they are not `complete`, a header that is not listed may be sent or not.
    `port` is where it arrives; None: at whichever server is asked about. `address` is the client's. Where `host`,
    `scheme` or `address` is None, it is not known.
    """

    method: str = "GET"
    target: str = "/"
    host: str | None = "localhost"
    port: int | None = None
    scheme: Literal["http", "https"] | None = None
    headers: tuple[Header, ...] = ()
    complete: Tri = Tri.YES
    address: str | None = None


class UpstreamRequest(NamedTuple):
    """One request as it leaves nginx. What is None is not known; `complete`: no other headers can be there."""

    target: str | None
    """Where it goes, as `proxy_pass` says: the name of an upstream, or a host and a port."""
    method: str | None
    path: str | None
    """The request line's: path and query."""
    version: Literal["1.0", "1.1"] | None
    headers: tuple[Header, ...]
    complete: Tri
    span: Span

    def header(self, name: str) -> Header | None:
        """The first line of that name."""
        return next((one for one in self.headers if one.name.lower() == name.lower()), None)


class Answer(NamedTuple):
    """What nginx answers. `passed`: whether the answer comes from an upstream, `upstream` is then its request.

    `where` are the places that decided: the server, the locations, conditions that held, returns, rewrites, and the
    lines whose headers are sent.
    """

    response: Response
    upstream: UpstreamRequest | None
    passed: Tri
    where: tuple[Span, ...]


FileKind = Literal["file", "directory", "none"]
Upstream: TypeAlias = Callable[[UpstreamRequest], "Response | None"]


def nobody_knows(_: UpstreamRequest) -> Response | None:
    """The upstream whose answers are not known."""
    return None


def no_file_is_known(_: str) -> FileKind | None:
    """The file system of which nothing is known."""
    return None


class Surroundings(NamedTuple):
    """What is around a configuration: the upstreams, the files (by the path that nginx would open), nginx's version.

    Assumed without asking: no limit (`limit_req`, `limit_conn`, sizes, times) is exceeded, and an upstream whose
    answers are not known does answer.
    """

    upstream: Upstream = nobody_knows
    files: Callable[[str], FileKind | None] = no_file_is_known
    version: tuple[int, ...] | None = None


class UnknownError(Exception):
    """From here on nothing is known of this request."""


_BRANCHES = 6
"""Most undecided questions along one way through the configuration; more make everything unknown."""


class Fork:
    """Decides what is not known, differently in each run, so that all runs together cover all ways."""

    def __init__(self, decided: tuple[bool, ...] = ()) -> None:
        self.decided = list(decided)
        self._asked = 0

    def holds(self, answer: Tri) -> bool:
        """The answer; where it is unknown, this run's choice."""
        if answer is not Tri.UNKNOWN:
            return answer is Tri.YES
        if self._asked == len(self.decided):
            if self._asked == _BRANCHES:
                raise UnknownError
            self.decided.append(True)
        self._asked += 1
        return self.decided[self._asked - 1]

    def next(self) -> Fork | None:
        """The run after this one; None: all were made."""
        decided = list(self.decided)
        while decided and not decided[-1]:
            decided.pop()
        return Fork((*decided[:-1], False)) if decided else None


def incoming(request: Request, port: int | None = None) -> Incoming:
    """A browser's request, as it reaches nginx."""
    scheme, host = None, None
    if request.server is not None:
        scheme, _, host = request.server.partition("://")
    lines = [] if request.origin is None else [Header("Origin", request.origin)]
    if request.asked_method is not None:
        lines.append(Header("Access-Control-Request-Method", request.asked_method))
    if request.asked_headers:
        lines.append(Header("Access-Control-Request-Headers", ",".join(request.asked_headers)))
    if request.kind == "upgrade":
        lines += [Header("Upgrade", "websocket"), Header("Connection", "Upgrade")]
    if request.cookie is not Tri.NO:
        lines.append(Header("Cookie", None, request.cookie))
    secure: Literal["http", "https"] | None = None
    if scheme is not None:
        secure = "https" if scheme in ("https", "wss") else "http"
    return Incoming(
        method="OPTIONS" if request.kind == "preflight" else request.method,
        target=request.path,
        host=host,
        port=port,
        scheme=secure,
        headers=tuple(lines),
        complete=Tri.UNKNOWN,
    )


# -------------------------------------------------------------------------------------------------------------- address


class Address(NamedTuple):
    """A request's target, as nginx reads it: the path decoded and put straight, the query as it is.

    `quoted`, `plus`: whether the path was written with `%` or `+`, which decides what is encoded again later on.
    """

    path: str
    query: str
    quoted: bool
    plus: bool


def read_target(target: str, merge_slashes: bool) -> Address | None:
    """The address behind a request line's target (ngx_http_parse_complex_uri); None: nginx answers 400."""
    target = target.partition("#")[0]
    raw, _, query = target.partition("?")
    if not raw.startswith("/"):
        return None
    if re.search(r"%(?![0-9A-Fa-f]{2})|%00", raw):
        return None
    path = re.sub("%([0-9A-Fa-f]{2})", lambda found: chr(int(found[1], 16)), raw)
    segments: list[str] = []
    parts = path.split("/")[1:]
    for number, segment in enumerate(parts):
        last = number == len(parts) - 1
        if segment == "" and merge_slashes and not last:
            continue
        if segment == ".":
            segments += [""] if last else []
        elif segment == "..":
            if not segments:
                return None
            segments.pop()
            segments += [""] if last else []
        else:
            segments.append(segment)
    if merge_slashes and len(segments) > 1 and segments[-1] == "" and segments[-2] == "":
        segments.pop()
    return Address("/" + "/".join(segments), query, "%" in raw, "+" in path)


_NOT_IN_URI = regex(r'[\x00-\x20"#%<>?\\^`{|}\x7f-\xff]')
_NOT_IN_ARGUMENTS = regex(r'[\x00-\x20"#%&+;<>?\\^`{|}\x7f-\xff]')


def _encoded(found: re.Match[str]) -> str:
    return f"%{ord(found[0]):02X}"


def escape_uri(text: str) -> str:
    """A decoded path, as nginx writes it into a request line."""
    return _NOT_IN_URI.sub(_encoded, text)


def escape_arguments(text: str) -> str:
    """A part of a decoded path, as nginx writes it into a query."""
    return _NOT_IN_ARGUMENTS.sub(_encoded, text)


def unescape_redirect(text: str) -> str:
    """A redirect's address with harmless characters decoded (ngx_unescape_uri with NGX_UNESCAPE_REDIRECT)."""

    def decoded(found: re.Match[str]) -> str:
        code = int(found[1], 16)
        return chr(code) if 0x25 < code < 0x7F else found[0]

    head, mark, tail = text.partition("?")
    return re.sub("%([0-9A-Fa-f]{2})", decoded, head) + mark + tail


# ---------------------------------------------------------------------------------------------------------------- state


class Value(NamedTuple):
    """A text, or what is known of one: None is not known, `empty` says whether it is empty."""

    text: str | None
    empty: Tri


def known(text: str) -> Value:
    """A value that is known."""
    return Value(text, Tri.NO if text else Tri.YES)


UNKNOWN = Value(None, Tri.UNKNOWN)
EMPTY = known("")


class State:
    """A request on its way through the phases; the names are those of ngx_http_request_t where it has them.

    `conf` is the level whose settings are in force, `handler` the level that put a content handler in place.
    """

    def __init__(self, request: Incoming, server: Level, address: Address, fork: Fork) -> None:
        self.request = request
        self.server = server
        self.conf = server
        self.fork = fork
        self.uri: str | None = address.path
        self.args: str | None = address.query
        self.quoted_uri = address.quoted
        self.plus_in_uri = address.plus
        self.method = request.method
        self.main = True
        self.outer: State = self
        """The request that this one is a subrequest of; itself where it is none."""
        self.internal = False
        self.valid_location = True
        self.valid_unparsed_uri = True
        self.uri_changed = False
        self.uri_changes = 11
        self.error_page = False
        self.err_status = 0
        self.access_code = 0
        self.handler: Level | None = None
        self.variables: dict[str, Value] = {}
        self.captures: tuple[str, ...] = ()
        self.location = ""
        self.proxy_host: Value = UNKNOWN
        self.upstream_response: Response | None = None
        self.upstream_request: UpstreamRequest | None = None
        self.where: list[Span] = []

    def path(self) -> str:
        """The path, which has to be known."""
        if self.uri is None:
            raise UnknownError
        return self.uri

    def subrequest(self, uri: str) -> State:
        """A request of nginx's own for another path; it shares the variables."""
        inner = State(self.request, self.server, Address(uri, "", False, False), self.fork)
        inner.method = "GET"
        inner.main = False
        inner.outer = self.outer
        inner.internal = True
        inner.valid_unparsed_uri = False
        inner.variables = self.variables
        return inner

    def note(self, span: Span | None) -> None:
        """Remembers a place that decides."""
        if span is not None:
            self.where.append(span)


def unique(spans: Iterable[Span]) -> tuple[Span, ...]:
    """The spans in order, each once."""
    return tuple(dict.fromkeys(spans))
