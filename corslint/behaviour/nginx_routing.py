"""Which server and which location take a request (ngx_http_find_virtual_server, ngx_http_core_find_location)."""

from __future__ import annotations

import re
from collections.abc import Sequence

from corslint.behaviour.nginx_hostnames import Hostnames
from corslint.behaviour.nginx_levels import Level, pattern_of
from corslint.behaviour.nginx_request import State, UnknownError
from corslint.behaviour.nginx_values import Evaluator, bare_host, is_address
from corslint.model.patterns import Groups, pcre_groups
from corslint.model.reading import Directive
from corslint.model.tri import Tri
from corslint.records import NamedTuple

_PASSES = frozenset(("fastcgi_pass", "grpc_pass", "memcached_pass", "proxy_pass", "scgi_pass", "uwsgi_pass"))
"""Directives that hand a location's requests on."""


# -------------------------------------------------------------------------------------------------------------- servers


class Listen(NamedTuple):
    """What a server listens on. `address` is `*` for all."""

    address: str
    port: int
    default: bool


def _listen(line: Directive) -> Listen | None:
    text = line.arguments[0].text if line.arguments else ""
    default = any(word.text in ("default_server", "default") for word in line.arguments[1:])
    if text.startswith("unix:") or "$" in text or "{" in text:
        return None
    found = re.fullmatch(r"(?:(\[[^\]]*\]|[^:\[\]]*):)?(\d{1,5})", text)
    if found:
        return Listen(found[1] or "*", int(found[2]), default)
    if is_address(text) or re.fullmatch(r"[\w.*-]+", text):
        return Listen(text, 80, default)
    return None


def listens(server: Level) -> list[Listen] | None:
    """Where a server listens: port 80 where it does not say. None: that is not known."""
    lines = server.own("listen")
    if not lines:
        return [Listen("*", 80, False)] if server.complete else None
    found = [_listen(line) for line in lines]
    known = [one for one in found if one is not None]
    return known if len(known) == len(found) else None


class Candidates(NamedTuple):
    """The servers that listen in one place, in text order, and the one that takes what no name fits."""

    servers: tuple[Level, ...]
    default: Level


def candidates(servers: Sequence[Level], port: int | None, address: str | None = None) -> Candidates | None:
    """The servers behind a port; None: none is, or that is not known. Without a port: all, where they share one."""
    places = [(server, listens(server)) for server in servers]
    if any(found is None for _, found in places):
        return None
    wanted = port
    if wanted is None:
        ports = {one.port for _, found in places for one in found or ()}
        if len(ports) != 1:
            return None
        wanted = ports.pop()
    here = [(server, one) for server, found in places for one in found or () if one.port == wanted]
    addresses = {one.address for _, one in here}
    if len(addresses) > 1:
        if address is None:
            return None
        chosen = address if address in addresses else "*"
        here = [(server, one) for server, one in here if one.address == chosen]
    if not here:
        return None
    default = next((server for server, one in here if one.default), here[0][0])
    return Candidates(tuple(dict.fromkeys(server for server, _ in here)), default)


class Chosen(NamedTuple):
    """The server that takes a host, what its pattern's groups matched, and the default server of the same place.

    nginx reads the request line before it knows the host, with the default server's settings.
    """

    server: Level
    groups: Groups | None
    default: Level


def choose_server(group: Candidates, host: str) -> Chosen | None:
    """The server for a `Host` header: by whole name, wildcard, pattern in text order, or the default. None: unknown."""
    name = bare_host(host)
    names: Hostnames[Level] = Hostnames()
    patterns: list[tuple[str, Level]] = []
    sure = True
    for server in group.servers:
        sure = sure and server.complete
        for word in (word for line in server.own("server_name") for word in line.arguments):
            if word.text.startswith("~"):
                patterns.append((word.text[1:], server))
            elif "$" in word.text or "{" in word.text:
                sure = False
            else:
                names.add(word.text, server)
        if not server.own("server_name"):
            names.add("", server)
    found = names.find(name)
    if found is not None:
        return Chosen(found, None, group.default)
    for pattern, server in patterns:
        groups = pcre_groups(pattern, True, name)
        if isinstance(groups, Groups):
            return Chosen(server, groups, group.default)
        sure = sure and groups is Tri.NO
    return Chosen(group.default, None, group.default) if sure else None


# ------------------------------------------------------------------------------------------------------------ locations


class Location(NamedTuple):
    """The location that takes a path. `redirects`: nginx sends the client to the same path with a slash."""

    level: Level
    redirects: bool


def passes_on(location: Level) -> bool:
    """Whether what a level takes is handed on to another server."""
    return not _PASSES.isdisjoint(location.by_key)


def find_location(evaluator: Evaluator, state: State) -> Location:
    """The location for the request's path; the server itself where none fits."""
    level, result = _find(state.server, state.path(), evaluator, state)
    return Location(level, result == "redirect")


def _find(level: Level, path: str, evaluator: Evaluator, state: State) -> tuple[Level, str]:
    """The level and how it was found: `exact` (also by a pattern), `redirect`, `prefix`, or `none`."""
    if not level.complete:
        raise UnknownError
    found, result = _static(level, path)
    stops = False
    if result == "prefix":
        stops = pattern_of(found)[0] == "^~"
        found, inner = _find(found, path, evaluator, state)
        result = inner if inner in ("exact", "redirect") else "prefix"
    if result in ("exact", "redirect"):
        return found, result
    if not stops:
        for pattern, fold_case, location in level.table.patterns:
            if state.fork.holds(evaluator.search(pattern, fold_case, path)):
                return _find(location, path, evaluator, state)[0], "exact"
    return found, result


def _static(level: Level, path: str) -> tuple[Level, str]:
    """The location among those without a pattern (ngx_http_core_find_static_location)."""
    table = level.table
    if not table.sure:
        raise UnknownError  # a name that a template fills in
    if path in table.exact:
        return table.exact[path], "exact"
    best = table.longest(path)
    if best is not None and best[0] == path:
        return best[1], "prefix"
    slashed = path + "/"
    named = [by_name[slashed] for by_name in (table.exact, table.prefixes) if slashed in by_name]
    if _redirects(named):
        return named[0], "redirect"  # of an exact location and a prefix with the same name, the exact one's settings
    return (level, "none") if best is None else (best[1], "prefix")


def _redirects(named: Sequence[Level]) -> bool:
    """Whether one of the locations of a name with a slash at its end hands its requests on itself."""
    return any(passes_on(one) for one in named)


def named_location(server: Level, name: str) -> Level | None:
    """`location @name`."""
    return server.table.named.get(name)
