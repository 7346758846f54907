"""What `proxy_pass` sends to an upstream, and which of the upstream's header lines come back."""

from __future__ import annotations

import re
from typing import Literal

from corslint.behaviour.nginx_levels import Level, nearest, pattern_of
from corslint.behaviour.nginx_request import (
    State,
    Surroundings,
    UnknownError,
    UpstreamRequest,
    Value,
    escape_uri,
    known,
)
from corslint.behaviour.nginx_values import Evaluator, is_address, setting, uses_variables
from corslint.model.exchange import Header, Response
from corslint.model.reading import Directive
from corslint.model.tri import Tri
from corslint.numbers import whole
from corslint.records import NamedTuple
from corslint.regexes import regex

_TARGET = regex(
    r"(?P<scheme>https?)://(?P<host>unix:[^:]*:?|\[[^\]]*\]|[^/:?]*)(?::(?P<port>\d+))?(?P<uri>(?:[/?].*)?)",
    re.IGNORECASE,
)
_HTTP_1_1 = (1, 29, 7)
"""Since then nginx speaks HTTP/1.1 to upstreams unless told otherwise, and sends no `Connection` of its own."""

_OWN_HEADERS = ("Content-Length", "Transfer-Encoding", "TE", "Keep-Alive", "Expect", "Upgrade")
"""Headers of the client that are not passed on, besides `Host` and `Connection` (ngx_http_proxy_headers)."""

_NOT_PASSED_BACK = frozenset((
    "connection", "date", "keep-alive", "server", "status", "transfer-encoding", "x-accel-buffering",
    "x-accel-charset", "x-accel-expires", "x-accel-limit-rate", "x-accel-redirect", "x-pad",
))  # fmt: skip
_PASSABLE = _NOT_PASSED_BACK - {"connection", "keep-alive", "status", "transfer-encoding"}
"""Those that `proxy_pass_header` lets through."""


class Pass(NamedTuple):
    """The `proxy_pass` in force, and the level that it is written on."""

    line: Directive
    level: Level


def proxy_pass(conf: Level) -> Pass | None:
    """The `proxy_pass` of a level; only ifs and `limit_except` inherit it."""
    level: Level | None = conf
    while level is not None:
        own = level.own("proxy_pass")
        if own and own[0].arguments:
            return Pass(own[0], level)
        level = level.parent if level.kind in ("if", "limit_except") else None
    return None


class Proxy:
    """One request's way to the upstream."""

    def __init__(self, evaluator: Evaluator, state: State, surroundings: Surroundings) -> None:
        self.evaluator = evaluator
        self.state = state
        self.version = surroundings.version

    def request(self, found: Pass) -> UpstreamRequest | None:
        """The upstream's request. None: nginx cannot send one, and answers 500 or, without a resolver, 502."""
        word = found.line.arguments[0]
        variable = uses_variables(word.text)
        target = self.evaluator.text(word.text)
        if target is None:
            self.state.proxy_host = Value(None, Tri.NO)
            return self._sent(found, None, None)
        parts = _TARGET.fullmatch(target)
        if parts is None or not parts["host"] or not 0 < whole(parts["port"] or "80") < 65536:
            return None
        uri = parts["uri"]
        if uri.startswith("?"):
            uri = "/" + uri
        self.state.proxy_host = known(_proxy_host(parts))
        port = parts["port"]
        where = parts["host"] + (f":{port}" if port else "")
        return self._sent(found, where, self._path(found, uri, variable))

    def needs_resolver(self, request: UpstreamRequest, found: Pass, upstreams: frozenset[str]) -> bool:
        """Whether the target is a name that only a resolver could find, and none is configured."""
        word = found.line.arguments[0]
        if request.target is None or not uses_variables(word.text):
            return False
        host = request.target.rpartition(":")[0] or request.target
        if is_address(host) or host in upstreams or request.target in upstreams or host.startswith("unix"):
            return False
        resolver = nearest(self.state.conf, "resolver")
        if not resolver.directives and not resolver.sure:
            raise UnknownError
        return not resolver.directives

    def _path(self, found: Pass, uri: str, variable: bool) -> str | None:
        """The request line's path and query (ngx_http_proxy_create_request)."""
        state = self.state
        if variable and uri:
            return uri
        if not uri and state.valid_unparsed_uri:
            return state.request.target.partition("#")[0]
        if state.uri is None or state.args is None:
            return None
        cut = 0
        if uri and state.valid_location:
            modifier, prefix, _ = pattern_of(found.level)
            cut = len(prefix) if found.level.kind == "location" and modifier in ("", "=", "^~") else 0
        rest = state.uri[cut:]
        if state.quoted_uri or state.internal:
            rest = escape_uri(rest)
        head = uri if state.valid_location else ""
        return head + rest + (f"?{state.args}" if state.args else "")

    def _sent(self, found: Pass, target: str | None, path: str | None) -> UpstreamRequest:
        conf = self.state.conf
        passes_headers = setting(conf, "proxy_pass_request_headers", "on")
        method = setting(conf, "proxy_method", self.state.method)
        headers, names, sure = self._own_headers()
        if passes_headers == "on":
            for one in self.state.request.headers:
                if one.name.lower() not in names:
                    headers.append(one if sure else one._replace(sent=Tri.UNKNOWN))
        complete = self.state.request.complete if sure and passes_headers is not None else Tri.UNKNOWN
        return UpstreamRequest(
            target,
            None if method is None else self.evaluator.text(method),
            path,
            self._http_version(),
            tuple(headers),
            complete,
            found.line.span,
        )

    def _http_version(self) -> Literal["1.0", "1.1"] | None:
        found = setting(self.state.conf, "proxy_http_version", "")
        if found in ("1.0", "1.1"):
            return "1.0" if found == "1.0" else "1.1"
        if found is None or found or self.version is None:
            return None
        return "1.1" if self.version >= _HTTP_1_1 else "1.0"

    def _own_headers(self) -> tuple[list[Header], set[str], bool]:
        """The lines that nginx writes itself, and the names of which it passes nothing on."""
        lines = nearest(self.state.conf, "proxy_set_header")
        found: list[Header] = []
        names: set[str] = set()
        for line in lines.directives:
            if len(line.arguments) != 2:
                continue
            name = line.arguments[0].text
            names.add(name.lower())
            value = self.evaluator.word(line.arguments[1].text)
            if value.empty is not Tri.YES:
                found.append(Header(name, value.text, ~value.empty))
        if not lines.sure:
            found = [one._replace(sent=Tri.UNKNOWN) for one in found]
        sent = Tri.YES if lines.sure else Tri.UNKNOWN
        if "host" not in names:
            found.insert(0, Header("Host", self.state.proxy_host.text, sent))
        if "connection" not in names:
            modern = None if self.version is None else self.version >= _HTTP_1_1
            if modern is not True:
                found.append(Header("Connection", "close", sent if modern is False else Tri.UNKNOWN))
        names |= {"host", "connection", *(name.lower() for name in _OWN_HEADERS)}
        return found, names, lines.sure


def _proxy_host(parts: re.Match[str]) -> str:
    if parts["host"].startswith("unix:"):
        return "localhost"
    default = "443" if parts["scheme"].lower() == "https" else "80"
    port = parts["port"]
    return parts["host"] if port in (None, default) else f"{parts['host']}:{port}"


def passed_back(conf: Level, response: Response) -> tuple[Header, ...]:
    """The upstream's header lines that reach the client."""
    hidden, passed = nearest(conf, "proxy_hide_header"), nearest(conf, "proxy_pass_header")
    names = {line.arguments[0].text.lower() for line in hidden.directives if line.arguments}
    shown = {line.arguments[0].text.lower() for line in passed.directives if line.arguments}
    dropped = (_NOT_PASSED_BACK | names) - (shown & (_PASSABLE | names))
    sure = hidden.sure and passed.sure
    kept = [one for one in response.headers if one.name.lower() not in dropped]
    if not sure:
        kept = [one._replace(sent=one.sent if one.sent is Tri.NO else Tri.UNKNOWN) for one in kept]
    return tuple(kept)
