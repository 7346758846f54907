"""What a proxy does to the sockets that pass through it: more fields of routes, and servers that route no socket.

Only routes that carry a socket are looked at closely. What a request's path becomes on its way is asked of the model.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence

from corslint.behaviour.nginx_answers import Answers
from corslint.behaviour.nginx_levels import Level, Unit, choose, nearest, pattern_of
from corslint.behaviour.nginx_origins import variables
from corslint.behaviour.nginx_request import Answer
from corslint.behaviour.nginx_rewrite import REDIRECTS
from corslint.behaviour.nginx_routing import listens
from corslint.model.facts import Fact, Field
from corslint.model.reading import Directive, Word
from corslint.model.tri import Tri
from corslint.numbers import whole
from corslint.regexes import regex
from corslint.source import Span

_DEFAULT_TIMEOUT = 60_000
"""nginx's own `proxy_read_timeout`, in milliseconds."""


def _written(value: object, span: Span | None) -> Field:
    return Field(value, "written", span)


# ------------------------------------------------------------------------------------------- `Upgrade` and `Connection`


def connection_fields(level: Level, unit: Unit, undefined: Collection[str]) -> dict[str, Field]:
    """What is wrong with the `Upgrade` and `Connection` that a route sends, although both are set.

    `undefined` are variables that nothing defines.
    """
    lines = nearest(level, "proxy_set_header").directives
    upgrades, connections = _values(lines, "upgrade"), _values(lines, "connection")
    for word in (*upgrades, *connections):
        if "\\$" in word.text:
            return _fault("escaped", word, word.text.replace("\\$", "$"))
        if any(name in undefined for name in variables(word.text)):
            return _fault("undefined", word, "upgrade" if word in connections else "$http_upgrade")
    sent = [word for word in connections if word.text]
    if not connections or not any(word.text for word in upgrades):
        return {}  # that they are missing is another fault
    if all(_never_upgrades(word, unit) for word in sent):
        return _fault("idle", (sent or connections)[0], "upgrade")
    fixed = [word for word in upgrades if word.text.lower() == "websocket"]
    if fixed and all(word.text.lower() == "upgrade" for word in sent):
        return _fault("always", fixed[0], "$http_upgrade")
    return {}


def _values(lines: Sequence[Directive], name: str) -> list[Word]:
    return [one.arguments[1] for one in lines if len(one.arguments) == 2 and one.arguments[0].text.lower() == name]


def _fault(kind: str, word: Word, instead: str) -> dict[str, Field]:
    return {
        "connection_fault": _written(kind, word.span),
        "connection_value": _written(word.text, word.span),
        "connection_instead": _written(instead, word.span),
    }


def _never_upgrades(word: Word, unit: Unit) -> bool:
    """Whether a value of `Connection` is known, and never says `upgrade`."""
    names = variables(word.text)
    if not names:
        return "upgrade" not in word.text.lower()
    values = _map_values(unit, names[0]) if word.text in (f"${names[0]}", f"${{{names[0]}}}") else None
    return values is not None and all("upgrade" not in value.lower() for value in values)


def _map_values(unit: Unit, variable: str) -> list[str] | None:
    """What a map's variable can be; None where that is not all written there."""
    block = unit.maps.get(variable)
    if block is None or unit.cut(block.body):
        return None
    entries = [one for one in block.block or () if one.key not in ("hostnames", "volatile")]
    values = [one.arguments[0].text for one in entries if len(one.arguments) == 1 and one.key != "include"]
    known = len(values) == len(entries) and not any(variables(value) for value in values)
    return [*values, ""] if known else None


def host_fields(level: Level) -> dict[str, Field]:
    """What a route sends as `Host`, where it is written in one line."""
    words = _values(nearest(level, "proxy_set_header").directives, "host")
    return {"host_value": _written(words[0].text, words[0].span)} if len(words) == 1 else {}


# -------------------------------------------------------------------------------------------------------------- timeout

_UNITS = {"ms": 1, "s": 1000, "m": 60_000, "h": 3_600_000, "d": 86_400_000, "w": 604_800_000, "": 1000}
_TIME = regex(r"(?:\d+(?:ms|[smhdw]) ?)*\d+(?:ms|[smhdw])?")


def milliseconds(text: str) -> int | None:
    """A time as nginx reads it (`90`, `1m 30s`, `500ms`); None where it is none."""
    if not _TIME.fullmatch(text):
        return None
    return sum(whole(number) * _UNITS[unit] for number, unit in re.findall(r"(\d+)(ms|[smhdw]|)", text))


def timeout_fields(level: Level, head: Span) -> dict[str, Field]:
    """How long nginx waits for the upstream's next bytes on this route."""
    found = nearest(level, "proxy_read_timeout")
    if not found.directives:
        if not found.sure:
            return {"read_timeout_ms": Field(None, "unknown", head)}
        return {
            "read_timeout_ms": Field(_DEFAULT_TIMEOUT, "default", head),
            "read_timeout": Field("60s", "default", head),
        }
    words = found.directives[-1].arguments
    time = milliseconds(words[0].text) if len(words) == 1 else None
    if time is None:
        return {"read_timeout_ms": Field(None, "unknown", head)}
    return {
        "read_timeout_ms": _written(time, words[0].span),
        "read_timeout": _written(words[0].text, words[0].span),
        "read_timeout_own": _written("yes" if found.level is level else "no", words[0].span),
    }


# --------------------------------------------------------------------------------------------------------------- server


def server_fields(server: Level) -> dict[str, Field]:
    """Where the server of a route is reached: whether over TLS, and on which ports."""
    head = server.span
    fields: dict[str, Field] = {}
    places = listens(server)
    if places is None or not server.complete:
        return {"tls": Field(None, "unknown", head), "usual_ports": Field(None, "unknown", head)}
    lines = server.own("listen")
    secure = [line for line in lines if any(word.text in ("ssl", "quic") for word in line.arguments[1:])]
    on = next((line for line in server.own("ssl") if [word.text for word in line.arguments] == ["on"]), None)
    tls = "yes" if len(secure) == len(lines) > 0 or on else "no" if not secure else "some"
    usual = all(place.port in (80, 443) for place in places)
    fields["tls"] = _written(tls, (secure[0] if secure else on or server).span)
    fields["usual_ports"] = _written("yes" if usual else "no", (lines[0] if lines else server).span)
    return fields


# ----------------------------------------------------------------------------------------------------------------- path


def path_fields(
    level: Level, answers: Answers, paths: Sequence[str], libraries: Collection[str], scripts: Collection[str]
) -> dict[str, Field]:
    """What becomes of the path of a socket's requests that this route takes.

    `paths` are those of the project's socket servers, each with its slash at the end; `libraries` are segments that
    stand for a library's path, `scripts` what such libraries serve below it.
    """
    server = next((one for one in level.outwards() if one.kind == "server" and one.directive is not None), None)
    if server is None:
        return {}
    for path in _taken(level, server, paths, libraries):
        fields = {"socket_path": _written(path, _place(level))}
        arriving = _plainly_arrives(level, server, path) or _arrives(level, server, path, answers)
        if arriving is not None:
            own = "/" + path.rstrip("/").rpartition("/")[2] + "/"
            fields["socket_arrives_as"] = _written(*arriving)
            fields["socket_lost"] = _written("no" if own in arriving[0] else "yes", arriving[1])
        for script in sorted(scripts):
            fields = _script_fields(level, server, answers, path + script) | fields
        return fields
    return {}


def _taken(level: Level, server: Level, paths: Sequence[str], libraries: Collection[str]) -> Iterator[str]:
    """Paths of sockets that the level takes: of the project's servers, and its own where that ends like one."""
    for path in paths:
        if choose(server, path) == (level, True):
            yield path
    modifier, text, _ = pattern_of(level)
    last = text.rstrip("/").rpartition("/")[2]
    known = {path.strip("/").rpartition("/")[2] for path in paths}
    if modifier in ("", "^~", "=") and last and (last in known if known else last in libraries):
        yield text.rstrip("/") + "/"


def _place(level: Level) -> Span:
    word = pattern_of(level)[2]
    return word.span if word is not None else level.span


_DECIDERS = frozenset(("rewrite", "if", "return", "error_page", "content_by_lua_block", "js_content", "perl"))
"""Directives that may send a request somewhere else."""

_TARGET = regex(r"https?://(?:unix:[^:$?#]+:?|(?!unix:)[^/$?#]+)(/[^$?#]*)?")
"""A target without a query: the group is its path. That of a Unix socket stands behind a second colon."""

_REWRITES = frozenset(("rewrite", "if", "set", "return", "try_files"))


def _plainly_arrives(level: Level, server: Level, path: str) -> tuple[str, Span] | None:
    """What the upstream gets where only `proxy_pass` can change a path; None where more may."""
    modifier, prefix, _ = pattern_of(level)
    lines = level.own("proxy_pass")
    if not lines or not lines[0].arguments or (level.by_key.keys() | server.by_key.keys()) & _REWRITES:
        return None
    word = lines[0].arguments[0]
    target = _TARGET.fullmatch(word.text)
    if target is None or (target[1] and (modifier not in ("", "^~", "=") or not path.startswith(prefix))):
        return None
    return (target[1] + path[len(prefix) :] if target[1] else path), word.span


def _arrives(level: Level, server: Level, path: str, answers: Answers) -> tuple[str, Span] | None:
    """What the model says that the upstream gets, and where that is decided; None where it is not known."""
    found = answers.at(server, path)
    line = None if found is None or found.passed is not Tri.YES else _changer(level, found)
    if found is None or line is None or found.upstream is None or found.upstream.path is None:
        return None
    return found.upstream.path, line


def _changer(level: Level, found: Answer) -> Span | None:
    """Where a path is changed: the target of `proxy_pass`, or the `rewrite` before it."""
    for line in level.own("rewrite"):
        if line.name.span in found.where or line.span in found.where:
            return line.span
    lines = level.own("proxy_pass")
    if lines and found.upstream is not None and found.upstream.span == lines[0].span:
        return lines[0].arguments[0].span
    return None


def _script_fields(level: Level, server: Level, answers: Answers, script: str) -> dict[str, Field]:
    """The location with a pattern that takes the client's script, which the socket server serves, and has no file."""
    choice = choose(server, script)
    taker = choice.level
    if not choice.sure or taker is None or taker is level or pattern_of(taker)[0] not in ("~", "~*"):
        return {}
    found = answers.at(server, script)
    if found is None or found.passed is not Tri.NO or (found.response.status or 404) != 404:
        return {}
    modifier, text, _ = pattern_of(level)
    ours = modifier == "" and text.strip("/") != ""
    head = taker.directive.arguments[-1].span if taker.directive and taker.directive.arguments else taker.span
    return {
        "script_path": _written(script, head),
        "script_taker": _written(pattern_of(taker)[1], head),
        "made_for_it": _written("yes" if ours else "no", _place(level)),
    }


# ----------------------------------------------------------------------------------------------------------------- gaps


def gaps(servers: Sequence[Level], answers: Answers, paths: Sequence[str]) -> Iterator[Fact]:
    """Servers that pass requests on, but none for a socket's path: one fact for each server and path."""
    for server in servers:
        if server.directive is None or not any(one.own("proxy_pass") for one in _locations(server)):
            continue
        for path in paths:
            found = answers.at(server, path)
            taker = choose(server, path).level
            below = _redirecting(server, path, found) if found is not None else None
            if found is None or (found.passed is not Tri.NO and not _serves_files(server, path)):
                continue
            place = (below or taker or server).place
            fields = {
                "framework": _written("nginx", place),
                "language": _written("nginx", place),
                "host_block": _written(server.span, server.span),
                "path": _written(path, place),
                "taker": _written(_title(taker), place) if taker is not None else Field(None, "absent", place),
                "names": _written(names_of(server), server.span),
                "ports": _written(tuple(one.port for one in listens(server) or ()), server.span),
            }
            if below is not None:
                fields["redirected_by"] = _written(_title(below), place)
            yield Fact("socket_gap", place, fields)


def _redirecting(server: Level, path: str, found: Answer) -> Level | None:
    """The location for the same path with a slash at its end, where nginx redirects requests without one to that."""
    if found.passed is not Tri.NO or found.response.status not in REDIRECTS:
        return None
    for one in _locations(server):
        wanted = pattern_of(one)[0] in ("", "^~") and pattern_of(one)[1] == f"{path}/"
        if wanted and one.directive is not None and one.directive.name.span in found.where:
            return one
    return None


def _serves_files(server: Level, path: str, around: Level | None = None) -> bool:
    """Whether a path surely ends at files of nginx's own: as it is, or as what `try_files` falls back to."""
    choice = choose(server, path)
    level = choice.level or server
    if level is around:
        return True  # the page that it falls back to is a file of the same location
    keys = level.by_key.keys() | server.by_key.keys()
    if not choice.sure or not level.complete or not server.complete or keys & _DECIDERS:
        return False
    if any(key.endswith("_pass") or "_by_lua" in key for key in level.by_key):
        return False
    lines = nearest(level, "try_files").directives
    fallback = lines[0].arguments[-1].text if lines and lines[0].arguments else "=404"
    if fallback.startswith("="):
        return True
    return around is None and fallback.startswith("/") and _serves_files(server, fallback, level)


def _locations(server: Level) -> Iterator[Level]:
    pending = list(server.locations)
    while pending:
        one = pending.pop()
        yield one
        pending += one.locations


def names_of(server: Level) -> tuple[str, ...]:
    """The names of a server, as written."""
    return tuple(word.text for line in server.own("server_name") for word in line.arguments)


def _title(level: Level) -> str:
    words = level.directive.arguments if level.directive is not None else ()
    return " ".join((level.kind, *(word.text for word in words)))
