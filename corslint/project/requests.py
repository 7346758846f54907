"""What follows for the requests of pages from how they are written: whole addresses, the headers that go along, and
whether a page sends them or a program does."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping

from corslint.model.facts import Fact, Field
from corslint.model.reading import CodeReading
from corslint.model.urls import urlsplit
from corslint.model.values import (
    Call,
    Choice,
    Concat,
    EnvVar,
    Fallback,
    Function,
    Literal,
    Member,
    Parameter,
    Spread,
    Value,
)
from corslint.model.values import Mapping as MappingValue
from corslint.project.link import Linker
from corslint.project.packages import Packages
from corslint.records import NamedTuple
from corslint.regexes import regex
from corslint.source import Span

_DEFAULT_PORTS = {"http": 80, "https": 443}
_SOCKET_PORTS = {**_DEFAULT_PORTS, "ws": 80, "wss": 443}
_OF_ADDRESS = ("address", "host", "url_port", "same_origin")
_MAX_DEPTH = 8
_COMPONENTS = (".jsx", ".vue", ".svelte")
# CORS-safelisted and forbidden request headers (Fetch, 2.2.2): a page may send them unasked, or never.
_FREE_HEADERS = frozenset({
    "accept", "accept-charset", "accept-encoding", "accept-language", "connection", "content-language",
    "content-length", "cookie", "cookie2", "date", "dnt", "expect", "host", "keep-alive", "origin", "range", "referer",
    "set-cookie", "te", "trailer", "transfer-encoding", "upgrade", "via",
})  # fmt: skip
_FREE_PREFIXES = ("proxy-", "sec-", "access-control-")
_OPEN_HEADERS = frozenset({
    "cache-control", "content-language", "content-length", "content-type", "expires", "last-modified", "pragma",
    "set-cookie", "set-cookie2",
})  # fmt: skip
"""CORS-safelisted response headers, which pages may read, and those that no page ever can."""
_FREE_TYPES = frozenset({"application/x-www-form-urlencoded", "multipart/form-data", "text/plain"})
_SERVER_FACTS = ("http_app", "http_server", "listener")


class _Start(NamedTuple):
    """The beginning of a text as far as it is known."""

    text: str
    whole: bool
    confidence: str
    span: Span


class _Named(NamedTuple):
    """A header: its name as written, where that stands, and its value."""

    name: str
    span: Span
    value: Value


class Requests:
    """Completes `http_request` and `bare_socket` facts of one project; tells what headers its `socket_client`s send."""

    def __init__(
        self,
        linker: Linker,
        packages: Packages,
        readings: Mapping[str, CodeReading],
        page_builders: Collection[str],
        own_origin: Collection[str],
    ) -> None:
        """`page_builders` are packages that serve pages from a server of their own, `own_origin` names of expressions
        that hold a page's own origin."""
        self._linker = linker
        self._packages = packages
        self._readings = readings
        self._page_builders = page_builders
        self._own_origin = own_origin

    def complete(self, facts: Iterable[Fact]) -> None:
        """Fill the derived fields of all requests."""
        facts = list(facts)
        serving = {fact.span.path for fact in facts if fact.kind in _SERVER_FACTS}
        requests = [fact for fact in facts if fact.kind == "http_request"]
        bases = {fact.field("instance").value: fact for fact in requests if fact.field("base").value == "yes"}
        later = self._set_later()
        for fact in facts:
            if fact.kind == "socket_client":
                self._extra_headers(fact)
            elif fact.kind == "bare_socket":
                self._address(fact, None)
                self._side(fact, serving)
        reads = self._reads({fact.span.path for fact in requests})
        for fact in requests:
            self._note_reads(fact, reads.get(fact.span, ()))
            made = fact.field("instance").value
            base = bases.get(made) if isinstance(made, Span) else None
            self._address(fact, base)
            self._headers(fact, base, later.get(made, ()) if isinstance(made, Span) else ())
            self._side(fact, serving)
            if base is not None and base is not fact and fact.field("credentials").state == "absent":
                fact.fields["credentials"] = base.field("credentials")

    # --- addresses ---

    def _address(self, request: Fact, base: Fact | None) -> None:
        """`address`, `host`, `url_port` and `same_origin`: where the request goes, as far as it is written."""
        own = self._start(request.values.get("url"))
        under = self._start(base.values.get("url")) if base is not None and base is not request else None
        given = request.field("url")
        if request.field("below").state != "absent" and own is not None and "//" not in own.text:
            under = self._start(request.values.get("below"))
            if under is None:
                self._unknown_address(request, given.span)
                return
        if own is None or (base is not None and base is not request and under is None and base.field("url").value):
            self._unknown_address(request, given.span)
            return
        if under is None and base is not None and base is not request and base.field("url").state == "unknown":
            self._unknown_address(request, given.span)
            return
        start = own if under is None or "//" in own.text else _below(under, own)
        at = start.span
        try:
            parts = urlsplit(start.text)
            port = parts.port
        except ValueError:
            self._unknown_address(request, at)
            return
        if not parts.scheme and not parts.netloc:
            if request.kind == "bare_socket":
                return
            relative = bool(start.text) or start.whole
            request.fields["same_origin"] = Field("yes" if relative else None, "written" if relative else "unknown", at)
            if relative and start.whole:
                request.fields["path"] = Field(start.text, "written", at, (), start.confidence)
            return
        known = parts.scheme in (_SOCKET_PORTS if request.kind == "bare_socket" else _DEFAULT_PORTS)
        if not known or not parts.hostname or (not start.whole and not _ends_host(start.text)):
            self._unknown_address(request, at)
            return
        sure = start.confidence
        request.fields["address"] = Field(start.text, "written", at, (), sure)
        request.fields["host"] = Field(parts.hostname, "written", at, (), sure)
        if request.kind == "bare_socket":
            return
        request.fields["url_port"] = Field(port or _DEFAULT_PORTS[parts.scheme], "written", at, (), sure)
        request.fields["same_origin"] = Field(None, "unknown", at)

    @staticmethod
    def _unknown_address(request: Fact, at: Span | None) -> None:
        for name in ("address", "host") if request.kind == "bare_socket" else _OF_ADDRESS:
            request.fields[name] = Field(None, "unknown", at or request.span)

    def _start(self, value: Value | None, depth: int = 0) -> _Start | None:
        """The beginning of a text; None where nothing of it is known.

        Where an environment variable has a fallback, that counts: it is the address that the code was written for.
        """
        if value is None or depth > _MAX_DEPTH:
            return None
        found = self._linker.resolve(value)
        match found:
            case Literal(value=str(text)):
                return _Start(text, True, "high", found.span)
            case Concat(parts=parts) if parts:
                first = self._start(parts[0], depth + 1)
                if first is None:
                    return None
                for part in parts[1:]:
                    more = self._start(part, depth + 1) if first.whole else None
                    if more is None:
                        return first._replace(whole=False)
                    first = _Start(first.text + more.text, more.whole, _weaker(first, more), first.span)
                return first
            case Fallback(first=first_value, then=then) if self._is_setting(first_value):
                start = self._start(then, depth + 1)
                return start._replace(confidence="medium") if start is not None else None
            case Choice(yes=yes, no=no):
                ways = [self._start(yes, depth + 1), self._start(no, depth + 1)]
                known = [way for way in ways if way is not None]
                same = len(known) == 2 and known[0].text == known[1].text and known[0].whole == known[1].whole
                return known[0] if same else None
        return None

    def _is_setting(self, value: Value) -> bool:
        return isinstance(self._linker.resolve(value), EnvVar)

    # --- headers ---

    def _headers(self, request: Fact, base: Fact | None, later: Iterable[_Named]) -> None:
        """`sends`: the names, in lower case, of the headers that go along and that browsers ask leave for."""
        named = self._named(request.values.get("headers"))
        if base is not None and base is not request:
            named += self._named(base.values.get("headers"))
        named += later
        self._note_sent(request, [one for one in named if self._needs_leave(one)])

    @staticmethod
    def _note_sent(client: Fact, named: list[_Named]) -> None:
        names = tuple(dict.fromkeys(one.name.lower() for one in named))
        client.fields["sends"] = Field(names, "written", named[0].span if named else client.span)
        for one in reversed(named):
            client.fields[f"sends_at.{one.name.lower()}"] = Field(one.name, "written", one.span)

    def _named(self, value: Value | None, depth: int = 0) -> list[_Named]:
        """The headers in an object, or in what `new Headers()` makes of one."""
        found = self._linker.resolve(value) if value is not None else None
        if isinstance(found, Call) and self._linker.canonical(found.callee) == "global#Headers":
            given = self._named(found.arguments[0].value, depth + 1) if found.arguments and depth < _MAX_DEPTH else []
            return [*given, *self._set_on(found)]
        if not isinstance(found, MappingValue) or depth > _MAX_DEPTH:
            return []
        named: list[_Named] = []
        for item in found.items:
            if isinstance(item, Spread) or (item.key or "").lower() == "common":
                named += self._named(item.value, depth + 1)
            elif item.key is not None:
                named.append(_Named(item.key, item.key_span, item.value))
        return named

    def _set_on(self, headers: Call) -> Iterator[_Named]:
        """What is set on headers that are made by a call, later in the same file."""
        for call in self._methods_of(headers.span.path, "set", "append"):
            if isinstance(call.callee, Member) and len(call.arguments) == 2:
                name = self._linker.resolve(call.arguments[0].value)
                holder = self._linker.resolve(call.callee.base)
                if isinstance(name, Literal) and isinstance(holder, Call) and holder.span == headers.span:
                    yield _Named(str(name.value), name.span, call.arguments[1].value)

    def _methods_of(self, path: str, *names: str) -> Iterator[Call]:
        reading = self._readings.get(path)
        for site in self._linker.calls_named(reading, names) if reading is not None else ():
            if isinstance(site.call.callee, Member):
                yield site.call

    def _needs_leave(self, header: _Named) -> bool:
        """Whether browsers ask with a preflight before they send this header, as far as its value is written."""
        name = header.name.lower()
        if name in _FREE_HEADERS or name.startswith(_FREE_PREFIXES):
            return False
        if name != "content-type":
            return True
        value = self._linker.resolve(header.value)
        return isinstance(value, Literal) and str(value.value).partition(";")[0].strip().lower() not in _FREE_TYPES

    def _set_later(self) -> dict[Span, list[_Named]]:
        """The headers that interceptors put on every request of a client: by the call that made the client."""
        found: dict[Span, list[_Named]] = defaultdict(list)
        for reading in self._readings.values():
            for call in self._methods_of(reading.path, "use"):
                made = _intercepted(call.callee.base) if isinstance(call.callee, Member) and call.arguments else None
                client = self._linker.resolve(made) if made is not None else None
                handler = self._linker.resolve(call.arguments[0].value) if call.arguments else None
                if isinstance(client, Call) and isinstance(handler, Function):
                    found[client.span] += self._written_in(handler)
        return found

    def _written_in(self, handler: Function) -> Iterator[_Named]:
        reading = self._readings.get(handler.span.path)
        for write in reading.writes if reading is not None else ():
            target = write.target
            if not handler.span.covers(write.span) or not isinstance(target, Member):
                continue
            holder = target.base
            if isinstance(holder, Member) and holder.key == "common":
                holder = holder.base
            if isinstance(holder, Member) and holder.key == "headers" and self._is_first(holder.base, handler):
                yield _Named(target.key, target.key_span, write.value)

    def _is_first(self, value: Value, handler: Function) -> bool:
        found = self._linker.resolve(value)
        return isinstance(found, Parameter) and found.function == handler.span and found.position == 0

    def _extra_headers(self, client: Fact) -> None:
        """The headers of a socket's long polling; a browser's WebSockets carry none."""
        named = [one for name in ("headers", "polling_headers") for one in self._named(client.values.get(name))]
        self._note_sent(client, [one for one in named if self._needs_leave(one)])

    # --- what is read of responses ---

    def _reads(self, paths: Collection[str]) -> dict[Span, list[tuple[str, Span]]]:
        """The response headers that files which send requests read, by the call that sent the request."""
        found: dict[Span, list[tuple[str, Span]]] = defaultdict(list)
        for path, reading in self._readings.items():
            if path not in paths:
                continue
            for call in self._methods_of(reading.path, "get"):
                if isinstance(call.callee, Member) and len(call.arguments) == 1:
                    name = self._linker.resolve(call.arguments[0].value)
                    sent = self._request_of(call.callee.base)
                    if sent is not None and isinstance(name, Literal) and isinstance(name.value, str):
                        found[sent].append((name.value, name.span))
            for member in _members(reading):
                sent = self._request_of(member.base)
                if sent is not None:
                    found[sent].append((member.key, member.key_span))
        return found

    def _request_of(self, headers: Value) -> Span | None:
        """The call whose response these are the headers of."""
        found = headers if isinstance(headers, Member) else self._linker.resolve(headers)
        if not isinstance(found, Member) or found.key != "headers":
            return None
        response = self._linker.resolve(found.base)
        if isinstance(response, Parameter) and response.position == 0:
            response = self._handled(response)
        return response.span if isinstance(response, Call) else None

    def _handled(self, parameter: Parameter) -> Value:
        """The promise in whose `then` a function stands."""
        for call in self._methods_of(parameter.span.path, "then"):
            given = self._linker.resolve(call.arguments[0].value) if call.arguments else None
            if isinstance(given, Function) and given.span == parameter.function and isinstance(call.callee, Member):
                return self._linker.resolve(call.callee.base)
        return parameter

    @staticmethod
    def _note_reads(request: Fact, reads: Iterable[tuple[str, Span]]) -> None:
        hidden = [(name, at) for name, at in reads if name.lower() not in _OPEN_HEADERS]
        names = tuple(dict.fromkeys(name.lower() for name, _ in hidden))
        request.fields["reads"] = Field(names, "written", hidden[0][1] if hidden else request.span)
        for name, at in reversed(hidden):
            request.fields[f"reads_at.{name.lower()}"] = Field(name, "written", at)

    # --- pages and programs ---

    def _side(self, request: Fact, serving: Collection[str]) -> None:
        """`browser`: whether a page sends it. A package with a server of its own may render pages on the server."""
        path = request.span.path
        reading = self._readings.get(path)
        page = reading is not None and reading.page
        if path in serving:
            answer: str | None = "yes" if page else "no"
        else:
            answer = "yes" if page or self._built_page(path) or path.endswith(_COMPONENTS) else None
        state = "unknown" if answer is None else "written"
        request.fields["browser"] = Field(answer, state, request.span)  # type: ignore[arg-type]

    def _built_page(self, path: str) -> bool:
        return any(self._packages.version("npm", name, path) is not None for name in self._page_builders)


_METHODS = frozenset({"get", "has", "forEach", "entries", "keys", "values", "common"})


def _members(reading: CodeReading) -> Iterator[Member]:
    """Members of something called `headers`, wherever a value is kept, given or returned."""
    todo: list[object] = [
        binding.value for scope in reading.scopes for each in scope.bindings.values() for binding in each
    ]
    todo += [argument.value for site in reading.calls for argument in site.call.arguments]
    todo += [write.value for write in reading.writes]
    seen: set[Span] = set()
    while todo:
        value = todo.pop()
        if isinstance(value, tuple):
            if isinstance(value, Member):
                base = value.base
                if isinstance(base, Member) and base.key == "headers" and value.key not in _METHODS:
                    if value.span not in seen:
                        seen.add(value.span)
                        yield value
            todo += [part for part in value if isinstance(part, tuple) and not isinstance(part, Span)]


def _intercepted(value: Value) -> Value | None:
    """The client in `client.interceptors.request`."""
    if isinstance(value, Member) and value.key == "request" and isinstance(value.base, Member):
        return value.base.base if value.base.key == "interceptors" else None
    return None


def _below(base: _Start, own: _Start) -> _Start:
    """An address below a base, as clients join them: with one slash between."""
    if not base.whole:
        return base
    return _Start(f"{base.text.rstrip('/')}/{own.text.lstrip('/')}", own.whole, _weaker(base, own), base.span)


def _weaker(one: _Start, other: _Start) -> str:
    return "medium" if "medium" in (one.confidence, other.confidence) else "high"


_COMPLETE = regex(r"(?:https?|wss?)://([^/]+/|[^/]*(localhost|\.[a-z]{2,}|:\d{2,5})\Z)")


def _ends_host(text: str) -> bool:
    """Whether host and port of an address are complete, although what follows is not known."""
    return _COMPLETE.match(text) is not None
