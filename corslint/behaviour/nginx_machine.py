"""A request's way through nginx's phases, and the answer: `answer`.

Written after nginx's sources (1.22.1 and 1.31.5) and compared with both binaries over random configurations
(`tests/behaviour/test_nginx_differential.py`, `make nginx-differential`). Names in comments are those of the sources.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache

from corslint.behaviour.nginx_content import Ends, Files, GoesTo, Next, Redirects, allowed, asks_password, denied
from corslint.behaviour.nginx_levels import Level, Unit, nearest
from corslint.behaviour.nginx_proxy import Proxy, passed_back, proxy_pass
from corslint.behaviour.nginx_request import (
    Answer,
    Fork,
    Incoming,
    State,
    Surroundings,
    UnknownError,
    UpstreamRequest,
    known,
    read_target,
    unique,
)
from corslint.behaviour.nginx_response import Lines, compression_varies, finished, maybe_all
from corslint.behaviour.nginx_rewrite import REDIRECTS, Script, handles
from corslint.behaviour.nginx_routing import Chosen, candidates, choose_server, find_location, named_location
from corslint.behaviour.nginx_values import Definitions, Evaluator, bare_host, definitions, first_name, setting
from corslint.model.exchange import NO_ANSWER, Header, Response
from corslint.model.reading import Directive
from corslint.model.tri import Tri
from corslint.numbers import whole
from corslint.parsers.nginx import is_directive
from corslint.records import NamedTuple
from corslint.regexes import regex
from corslint.source import Span

_STEPS = 40
_CLOSED = 444
"""nginx's status for closing the connection without an answer."""
_OPAQUE = regex(
    r"(?:access|rewrite|header_filter|content|server_rewrite|balancer)_by_lua\w*|js_(?:access|content|header_filter)|perl"
    r"|echo\w*|auth_jwt\w*|auth_oidc|dav_methods|stub_status|empty_gif|flv|mp4|hls|random_index|image_filter|xslt_\w+"
    r"|more_(?:set|clear)_input_headers|modsecurity\w*|passenger\w*|api|status_page|js_body_filter"
)
"""Directives that decide about an answer in ways that are not followed."""
_FOLLOWED = regex(r"more_(?:set|clear)_headers|add_(?:header|trailer)_inherit|set_\w+|js_set|js_var")


class Configuration:
    """One configuration, ready to answer requests."""

    def __init__(self, unit: Unit) -> None:
        self.unit = unit
        self.defined: Definitions = definitions(unit)
        self.https: tuple[Level, ...] = tuple(level for level in unit.top if level.kind == "http")
        self.servers = tuple(server for level in self.https for server in level.children if server.kind == "server")
        self.upstreams = frozenset(unit.upstreams)
        self.complete = all(level.complete for level in self.https)

    def server(self, request: Incoming) -> Chosen | None:
        """The server that takes a request; None where that is not known."""
        if not self.complete or request.host is None:
            return None
        group = candidates(self.servers, request.port)
        return None if group is None else choose_server(group, request.host)


def answer(
    configuration: Configuration,
    request: Incoming,
    surroundings: Surroundings = Surroundings(),  # noqa: B008 (immutable)
    server: Level | None = None,
) -> Answer:
    """What nginx answers to a request, by the named server or by the one that its port and host choose."""
    chosen = configuration.server(request) if server is None else Chosen(server, None, server)
    if chosen is None:
        return _nothing_known()
    runs: list[Answer | None] = []
    fork: Fork | None = Fork()
    while fork is not None:
        try:
            runs.append(_Machine(configuration, request, surroundings, chosen, fork).answer())
        except UnknownError:
            runs.append(None)
            break  # nothing that the others say could be said of all
        fork = fork.next()
    return _merged(runs)


def _nothing_known(where: tuple[Span, ...] = ()) -> Answer:
    return Answer(Response(None, maybe_all(), Tri.UNKNOWN), None, Tri.UNKNOWN, where)


def _merged(runs: Sequence[Answer | None]) -> Answer:
    """What all runs have in common."""
    answers = [run for run in runs if run is not None]
    if len(answers) < len(runs):
        return _nothing_known()
    first = answers[0]
    if all(one == first for one in answers):
        return first
    statuses = {one.response.status for one in answers}
    complete = Tri.YES if all(one.response.complete is Tri.YES for one in answers) else Tri.UNKNOWN
    headers = _common([one.response.headers for one in answers])
    response = Response(statuses.pop() if len(statuses) == 1 else None, headers, complete)
    passed = {one.passed for one in answers}
    where = unique(span for one in answers for span in one.where)
    upstream = _common_upstream([one.upstream for one in answers])
    return Answer(response, upstream, passed.pop() if len(passed) == 1 else Tri.UNKNOWN, where)


def _common_upstream(requests: Sequence[UpstreamRequest | None]) -> UpstreamRequest | None:
    """What several requests to upstreams have in common; None where one run makes none."""
    known = [request for request in requests if request is not None]
    if len(known) < len(requests):
        return None
    first = known[0]
    return UpstreamRequest(
        first.target if all(one.target == first.target for one in known) else None,
        first.method if all(one.method == first.method for one in known) else None,
        first.path if all(one.path == first.path for one in known) else None,
        first.version if all(one.version == first.version for one in known) else None,
        _common([one.headers for one in known]),
        Tri.YES if all(one.complete is Tri.YES for one in known) else Tri.UNKNOWN,
        first.span,
    )


def _common(lists: Sequence[tuple[Header, ...]]) -> tuple[Header, ...]:
    """Where all lists have as many lines of a name, what these have in common; else each may be there or not."""
    names = dict.fromkeys(line.name.lower() for headers in lists for line in headers)
    found: list[Header] = []
    for name in names:
        variants = [tuple(line for line in headers if line.name.lower() == name) for headers in lists]
        if len({len(variant) for variant in variants}) == 1:
            found.extend(_common_line(lines) for lines in zip(*variants, strict=True))
        else:
            lines = dict.fromkeys(line._replace(sent=Tri.UNKNOWN) for variant in variants for line in variant)
            found.extend(lines)
    return tuple(found)


def _common_line(lines: Sequence[Header]) -> Header:
    first = lines[0]
    same = all(line.value == first.value for line in lines)
    sure = all(line.sent is first.sent for line in lines)
    return Header(first.name, first.value if same else None, first.sent if sure else Tri.UNKNOWN)


@cache
def _is_opaque(key: str) -> bool:
    return _OPAQUE.fullmatch(key) is not None


class _Done(NamedTuple):
    """The header is sent. Status None: not known; `headers` are those before nginx's own are added."""

    status: int | None
    headers: tuple[Header, ...] = ()
    complete: Tri = Tri.YES
    passed: bool = False


class _Machine:
    """One run of one request."""

    def __init__(
        self, configuration: Configuration, request: Incoming, surroundings: Surroundings, chosen: Chosen, fork: Fork
    ) -> None:
        self.configuration = configuration
        self.surroundings = surroundings
        self.request = request
        server = chosen.server
        merges = setting(chosen.default, "merge_slashes", "on") != "off"
        self.address = read_target(request.target, merges)
        address = self.address or read_target("/", merges)
        assert address is not None
        self.state = State(request, server, address, fork)
        self.evaluator = Evaluator(configuration.defined, configuration.unit, self.state)
        if chosen.groups is not None:
            self.state.captures = chosen.groups.numbered
            self.state.variables.update((name.lower(), known(text)) for name, text in chosen.groups.named)
        if server.directive is not None:
            self.state.note(server.directive.name.span)

    # -- the answer

    def answer(self) -> Answer:
        done = _Done(400) if self.address is None else self.run()
        state = self.state
        if done.status == NO_ANSWER:
            return Answer(Response(NO_ANSWER), state.upstream_request, Tri.NO, unique(state.where))
        self._refuse_opaque(state.conf)
        status = state.err_status or done.status
        headers = done.headers
        if not done.passed and state.location:  # it stays even where an error_page takes over
            headers = (*headers, Header("Location", self._absolute(state.location)))
        found: Lines = finished(self.evaluator, state, headers, status)
        complete = done.complete if found.sure else Tri.UNKNOWN
        lines = found.headers
        if compression_varies(state.conf):
            lines = (Header("Vary", "Accept-Encoding", Tri.UNKNOWN), *lines)
        response = Response(status, lines, complete)
        request = state.upstream_request if done.passed else None
        return Answer(response, request, Tri.YES if done.passed else Tri.NO, unique(state.where))

    def _absolute(self, location: str) -> str | None:
        """A redirect's address as nginx writes it: with scheme, host and port."""
        if not location.startswith("/"):
            return location
        conf, request = self.state.conf, self.request
        if setting(conf, "absolute_redirect", "on") == "off":
            return location
        shows_port = setting(conf, "port_in_redirect", "on")
        if request.scheme is None or request.port is None or shows_port is None:
            return None
        named = setting(conf, "server_name_in_redirect", "off") == "on"
        if not named and request.host is None:
            return None
        host = first_name(self.state.server) if named else bare_host(request.host or "")
        default = 443 if request.scheme == "https" else 80
        port = "" if request.port == default or shows_port == "off" else f":{request.port}"
        return None if host is None else f"{request.scheme}://{host}{port}{location}"

    # -- phases

    def run(self) -> _Done:
        """Runs the phases until a header is sent."""
        found: Next | _Done = self._from_server()
        for _ in range(_STEPS):
            if isinstance(found, _Done):
                return found
            if isinstance(found, Ends):
                found = self._finalize(found)
            elif isinstance(found, Redirects):
                found = self._redirect(found)
            else:
                found = self._named(found.name)
        raise UnknownError

    def _from_server(self) -> Next | _Done:
        """From the server's rewrite phase on."""
        state = self.state
        self._refuse_opaque(state.server)
        outcome = self._script(state.server)
        return outcome if outcome is not None else self._from_location()

    def _script(self, level: Level) -> Next | _Done | None:
        state = self.state
        outcome = Script(self.evaluator, state, self.surroundings).run(level)
        if outcome.status is None:
            return None
        if outcome.status == _CLOSED:
            return _Done(NO_ANSWER)
        return _Done(outcome.status) if outcome.sent else Ends(outcome.status)

    def _from_location(self) -> Next | _Done:
        """From the choice of a location on; again after each `rewrite ... last`."""
        state = self.state
        while True:
            state.handler, state.uri_changed = None, False
            state.conf = state.server
            found = find_location(self.evaluator, state)
            state.conf = found.level
            if found.level.directive is not None:
                state.note(found.level.directive.name.span)
            if not state.internal and self._is_internal(found.level):
                return Ends(404)
            self._enter(found.level)
            if found.redirects:
                self.state.location = self._slash(found.level)
                return Ends(301)
            rest = self._from_rewrite()
            if rest is not None:
                return rest

    def _slash(self, location: Level) -> str:
        assert location.directive is not None
        name = location.directive.arguments[-1].text.removeprefix("=").removeprefix("^~")
        return name + (f"?{self.state.args}" if self.state.args else "")

    def _is_internal(self, level: Level) -> bool:
        found = nearest(level, "internal")
        return bool(found.directives)

    def _enter(self, level: Level) -> None:
        """Puts a level's settings in force (ngx_http_update_location_config)."""
        state = self.state
        for child in level.children:
            if child.kind == "limit_except" and child.directive is not None and self._excepts(child.directive):
                state.note(child.directive.name.span)
                state.conf = child
                if handles(child) or proxy_pass(child) is not None:
                    state.handler = child
                return
        state.conf = level
        if handles(level):
            state.handler = level

    def _excepts(self, block: Directive) -> bool:
        """Whether `limit_except` is about the request's method: it is not among the listed ones."""
        listed = {word.text.upper() for word in block.arguments}
        if "GET" in listed:
            listed.add("HEAD")
        return self.state.method not in listed

    def _from_rewrite(self) -> Next | _Done | None:
        """From a location's rewrite phase on; None: the path changed, and a location has to be chosen again."""
        state = self.state
        if state.conf is not state.server:
            outcome = self._script(state.conf)
            if outcome is not None:
                return outcome
        if state.uri_changed:
            state.uri_changes -= 1
            return Ends(500) if state.uri_changes == 0 else None
        self._refuse_opaque(state.conf)
        if state.main:
            refused = self._access()
            if refused is not None:
                return refused
        files = Files(self.evaluator, state, self.surroundings)
        tried = files.try_files()
        if tried is not None:
            return tried
        return self._content(files)

    def _content(self, files: Files) -> Next | _Done:
        state = self.state
        if state.handler is None:
            return files.content()
        if not state.handler.own("proxy_pass") and handles(state.handler):
            state.note(state.handler.span)
            return _Done(None, maybe_all(), Tri.UNKNOWN, passed=True)
        return self._proxied()

    def _refuse_opaque(self, level: Level) -> None:
        """Gives up where directives decide that are not followed; unknown names count from the server inwards."""
        for one in level.outwards():
            for key in one.by_key:
                if _is_opaque(key):
                    raise UnknownError
                if one.kind != "http" and not is_directive(key) and not _FOLLOWED.fullmatch(key):
                    raise UnknownError

    # -- access

    def _access(self) -> Next | None:
        """allow/deny, then auth_basic, then auth_request: in this order whatever the text's."""
        conf = self.state.conf
        any_suffices = setting(conf, "satisfy", "all") == "any"
        checks: list[Callable[[], int | None]] = [self._check_address, self._check_password, self._check_request]
        state = self.state
        for check in checks:
            status = check()
            if status is None:
                continue
            if status == 200 and any_suffices:
                state.access_code = 0
                return None
            if status != 200:
                if not any_suffices or status not in (401, 403):
                    return Ends(status)
                state.access_code = state.access_code if state.access_code == 401 else status
        # A refusal is kept while other checks are tried, even if one of them ends in an error_page.
        refusal, state.access_code = state.access_code, 0
        return Ends(refusal) if refusal else None

    def _check_address(self) -> int | None:
        """None: it has nothing to say."""
        conf = self.state.conf
        ruled = any(key in level.by_key for level in conf.outwards() for key in ("allow", "deny"))
        answer = denied(conf, self.state, self.request.address)
        if not ruled and answer is Tri.NO:
            return None
        if self.state.fork.holds(answer):
            return 403
        return 200 if self._allowed() else None

    def _allowed(self) -> bool:
        """Whether an `allow` fits, and not just no `deny`; that matters for `satisfy any` alone."""
        return self.state.fork.holds(allowed(self.state.conf, self.request.address))

    def _check_password(self) -> int | None:
        answer = asks_password(self.state.conf, self.evaluator)
        if answer is Tri.NO:
            return None
        return 401 if self.state.fork.holds(answer) else 200

    def _check_request(self) -> int | None:
        found = nearest(self.state.conf, "auth_request")
        if not found.directives or not found.directives[-1].arguments:
            return None
        target = found.directives[-1].arguments[0].text
        if target == "off":
            return None
        self.state.note(found.directives[-1].span)
        inner, status = self._subrequest(target)
        if status is None:
            raise UnknownError
        for line in nearest(self.state.conf, "auth_request_set").directives:
            if len(line.arguments) == 2:
                value = inner.evaluator.word(line.arguments[1].text)
                self.state.variables[line.arguments[0].text.removeprefix("$").lower()] = value
        if status in (401, 403):
            return status
        if status in (101, NO_ANSWER):
            return _CLOSED  # with 101 the subrequest's upstream gets the connection, and the client no answer
        return 200 if 200 <= status < 300 else 500

    def _subrequest(self, target: str) -> tuple[_Machine, int | None]:
        inner = object.__new__(_Machine)
        inner.configuration, inner.surroundings, inner.request = self.configuration, self.surroundings, self.request
        inner.address = self.address
        inner.state = self.state.subrequest(target)
        inner.evaluator = Evaluator(self.configuration.defined, self.configuration.unit, inner.state)
        done = inner.run()
        self.state.where += inner.state.where
        return inner, inner.state.err_status or done.status

    # -- upstream

    def _proxied(self) -> Next | _Done:
        state = self.state
        found = proxy_pass(state.conf)
        if found is None:
            return Ends(500)  # an `if` that follows one with a proxy_pass of its own
        state.note(found.line.span)
        proxy = Proxy(self.evaluator, state, self.surroundings)
        request = proxy.request(found)
        if request is None:
            return Ends(500)
        if proxy.needs_resolver(request, found, self.configuration.upstreams):
            return Ends(502)
        state.upstream_request = request
        response = self.surroundings.upstream(request)
        state.upstream_response = response
        if response is None:
            return self._unknown_response()
        if response.status == NO_ANSWER:
            return Ends(502)
        if response.status is None:
            return self._unknown_response()
        if response.lines("X-Accel-Redirect"):
            raise UnknownError
        if self._intercepts(response.status):
            return Ends(response.status)
        headers = passed_back(state.conf, response)
        return _Done(response.status, headers, response.complete, passed=True)

    def _unknown_response(self) -> _Done:
        if self._error_pages() and setting(self.state.conf, "proxy_intercept_errors", "off") != "off":
            raise UnknownError
        lines = passed_back(self.state.conf, Response(None, maybe_all()))
        return _Done(None, lines, Tri.UNKNOWN, passed=True)

    def _intercepts(self, status: int) -> bool:
        found = setting(self.state.conf, "proxy_intercept_errors", "off")
        if status < 300 or found == "off":
            return False
        if found is None:
            raise UnknownError
        return any(str(status) in _statuses(page) for page in self._error_pages())

    # -- ends and redirects

    def _error_pages(self) -> tuple[Directive, ...]:
        found = nearest(self.state.conf, "error_page")
        if not found.sure and not found.directives:
            raise UnknownError
        return tuple(page for page in found.directives if len(page.arguments) > 1)

    def _finalize(self, end: Ends) -> Next | _Done:
        """Ends a request with a status; an error may go on to an `error_page` (ngx_http_special_response_handler)."""
        state, status = self.state, end.status
        if status == _CLOSED:
            return _Done(NO_ANSWER)
        if end.found:
            return _Done(status)
        if end.location:
            state.location = end.location
        if status < 300 and status not in (201, 204):
            return _Done(status)
        state.err_status = status
        pages = self._error_pages() if not state.error_page and state.uri_changes != 0 else ()
        if pages:
            state.error_page = setting(state.conf, "recursive_error_pages", "off") != "on"
            for page in pages:
                if str(status) in _statuses(page):
                    return self._send_page(page)
        if status in (494, 495, 496, 497):
            state.err_status = 400
        return _Done(state.err_status)

    def _send_page(self, page: Directive) -> Next | _Done:
        state = self.state
        state.note(page.span)
        overwrite = page.arguments[-2].text if page.arguments[-2].text.startswith("=") else ""
        if overwrite:
            state.err_status = whole(overwrite[1:])
        text = page.arguments[-1].text
        target = self.evaluator.text(text)
        if target is None:
            raise UnknownError
        if target.startswith("/"):
            if state.method != "HEAD":
                state.method = "GET"
            path, _, query = target.partition("?")
            return Redirects(path, query)
        if target.startswith("@"):
            return GoesTo(target)
        if overwrite[1:] not in {str(status) for status in REDIRECTS}:
            state.err_status = 302
        state.location = target
        return _Done(state.err_status)

    def _redirect(self, target: Redirects) -> Next | _Done:
        """ngx_http_internal_redirect: the server's rewrite phase runs again."""
        state = self.state
        state.uri_changes -= 1
        if state.uri_changes == 0:
            return Ends(500)
        state.uri, state.args = target.path, target.args
        state.conf = state.server
        state.internal = True
        state.valid_unparsed_uri = False
        state.valid_location = True
        return self._from_server()

    def _named(self, name: str) -> Next | _Done:
        state = self.state
        state.uri_changes -= 1
        if state.uri_changes == 0:
            return Ends(500)
        location = named_location(state.server, name)
        if location is None:
            if not state.server.complete:
                raise UnknownError
            return Ends(500)
        state.internal = True
        state.handler, state.uri_changed = None, False
        if location.directive is not None:
            state.note(location.directive.name.span)
        self._enter(location)
        return self._from_rewrite() or self._from_location()


def _statuses(page: Directive) -> set[str]:
    return {word.text for word in page.arguments[:-1] if not word.text.startswith("=")}
