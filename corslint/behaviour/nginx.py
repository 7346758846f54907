"""nginx facts: effective routes, upstreams, and the CORS policies that nginx itself sends.

`facts` is the only entry. A field says `unknown` where an include outside the project, a template's logic or a variable
could change it: absence is claimed only over what was read completely.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from functools import cache

from corslint.behaviour import nginx_headers, nginx_policy
from corslint.behaviour.nginx_answers import STRANGER, Answers, origins_of, passes_upgrade
from corslint.behaviour.nginx_levels import (
    Choice,
    Inherited,
    Level,
    Unit,
    added_headers,
    choose,
    inherits_headers,
    nearest,
    pattern_of,
    units,
)
from corslint.behaviour.nginx_lines import HeaderLine as _Header
from corslint.behaviour.nginx_lines import cleared as _cleared
from corslint.behaviour.nginx_lines import head as _head
from corslint.behaviour.nginx_lines import header_lines as _headers
from corslint.behaviour.nginx_lines import may_be_cors as _may_be_cors
from corslint.behaviour.nginx_lines import own_replaced as _own_replaced
from corslint.behaviour.nginx_lines import part_of as _part
from corslint.behaviour.nginx_lines import replaced as _replaced
from corslint.behaviour.nginx_lines import title as _title
from corslint.behaviour.nginx_lines import tri_field as _tri_field
from corslint.behaviour.nginx_lines import unknown as _unknown
from corslint.behaviour.nginx_lines import written as _written
from corslint.behaviour.nginx_origins import (
    Scope,
    compile_condition,
    compile_value,
    guarded,
    possible_texts,
    variables,
)
from corslint.behaviour.nginx_redirects import redirects
from corslint.behaviour.nginx_routing import listens
from corslint.behaviour.nginx_sockets import (
    connection_fields,
    gaps,
    host_fields,
    names_of,
    path_fields,
    server_fields,
    timeout_fields,
)
from corslint.behaviour.nginx_tls import tls_hosts
from corslint.behaviour.nginx_variables import is_built_in
from corslint.behaviour.origins import ListedText
from corslint.behaviour.policy import entry_defect, part_fields, parts_of
from corslint.frameworks.catalog import SocketPaths
from corslint.model.cors_headers import LISTS, answers_cors
from corslint.model.cors_headers import nearest as nearest_header
from corslint.model.decisions import (
    All,
    Always,
    Answer,
    Atom,
    Decision,
    Echo,
    Fixed,
    Not,
    Nothing,
    Predicate,
    Raise,
    Refuse,
    Star,
    UnknownAnswer,
    UnknownPredicate,
    accepts,
    accepts_null,
    answers,
    any_subdomain,
    depends_on_origin,
    sends_several,
    to_stranger,
    witness,
)
from corslint.model.decisions import (
    Any as AnyOf,
)
from corslint.model.decisions import answer as answer_to
from corslint.model.facts import ABSENT, Fact, Field
from corslint.model.reading import Directive, NginxReading, Word
from corslint.model.semantics import OriginSemantics, means_yes
from corslint.model.tri import Tri, tri
from corslint.numbers import whole
from corslint.project.placement import Placement
from corslint.records import NamedTuple
from corslint.regexes import regex
from corslint.source import Span

_NGINX = Field("nginx", "written")

_ACAO = "access-control-allow-origin"
_ACAC = "access-control-allow-credentials"

_PASSES = frozenset(("fastcgi_pass", "grpc_pass", "memcached_pass", "proxy_pass", "scgi_pass", "uwsgi_pass"))
_DETOURS = frozenset(("if", "return", "rewrite", "try_files"))

_HEADER_INHERITANCE = (1, 29, 3)
"""Since this version nginx has `add_header_inherit` (its change log)."""

_STICKY = (1, 29, 6)
"""Since this version nginx, not only its commercial edition, has `sticky` (its change log)."""

_SINCE = {"add_header_inherit": _HEADER_INHERITANCE, "add_trailer_inherit": _HEADER_INHERITANCE}
"""Directives by the version that brings them, where that is not long ago."""

_HTTP_1_1_BY_DEFAULT = (1, 29, 7)
"""Since then nginx speaks HTTP/1.1 to upstreams unless told otherwise (its change log)."""


def facts(
    readings: Mapping[str, NginxReading],
    socket_paths: Sequence[str],
    nginx_version: str | None = None,
    well_known: SocketPaths = SocketPaths(),  # noqa: B008 (immutable)
    placement: Placement | None = None,
    clients: Iterable[Fact] = (),
    answered: Sequence[str] = (),
) -> list[Fact]:
    """The facts of all nginx files of a project.

    `socket_paths` are the request paths of the project's socket servers (`/socket.io/`), empty where it has none.
    `nginx_version` is the version in use, None where it is not known. `well_known` are segments of paths that speak
    for a socket by themselves. `placement` knows what lies where in containers, and the version of nginx there.
    `clients` are the requests and sockets of pages: those that nginx redirects are told of. `answered` is what the
    paths of requests have to begin with so that one of the project's socket servers answers them.
    """
    placement = placement or Placement(())
    found: list[Fact] = []
    routes: list[_Route] = []
    duplicates: list[Fact] = []
    asked: dict[str, Answers] = {}
    unknown: dict[str, frozenset[str]] = {}
    for unit in units(readings, placement):
        answers = asked[unit.path] = Answers(unit)
        names = {one.name.text for one in unit.statements}
        decided: _Decided = None if "set" in names else {}
        for level in _levels(unit.top):
            if _is_route(level):
                routes.append(_Route(unit, level))
            if _is_route(level) or level.kind == "if":
                duplicates.extend(_duplicates(unit, level, answers))
            found.extend(_policies(unit, level, decided))
            found.extend(_header_lines(level))
            found.extend(nginx_headers.level_facts(unit, level))
        for one in (each for each in unit.definitions if each.key == "upstream"):
            fact = _upstream(unit, one)
            fact.fields |= _known_by(nginx_version or placement.version(unit.path), "has_sticky", _STICKY, fact.span)
            found.append(fact)
        found.extend(_too_new(unit, nginx_version or placement.version(unit.path)))
        if unit.whole:
            missing = _undefined(unit, readings, names)
            unknown[unit.path] = frozenset(missing)
            found.extend(_refused(f'unknown "{name}" variable', place) for name, place in missing.items())
    carriers = _Carriers(routes, socket_paths, well_known)
    for route in routes:
        version = nginx_version or placement.version(route.unit.path)
        found.append(_route_fact(route, carriers, asked[route.unit.path], version))
        if carriers.of(route)[0] is not Tri.NO:
            undefined = unknown.get(route.unit.path, frozenset())
            found[-1].fields |= _socket_fields(route, carriers, asked[route.unit.path], undefined)
        if version is not None or "headers_drop_by" in found[-1].fields:
            found[-1].fields |= _known_by(version, "inherits_by_mode", _HEADER_INHERITANCE, found[-1].span)
        found[-1].fields |= nginx_policy.route_fields(route.unit, route.level, asked[route.unit.path])
    if answered:
        of_unit: dict[str, list[_Route]] = {}
        for route in routes:
            of_unit.setdefault(route.unit.path, []).append(route)
        for path, its_routes in of_unit.items():
            found.extend(gaps(_servers_of(its_routes), asked[path], answered))
    found.extend({duplicate.span: duplicate for duplicate in duplicates}.values())
    found.extend(tls_hosts([one.configuration for one in asked.values()] if clients else ()))
    found.extend(redirects([one.configuration for one in asked.values()] if clients else (), clients))
    return found


def _levels(top: Iterable[Level]) -> Iterator[Level]:
    for level in top:
        yield level
        yield from _levels(level.children)


class _Route(NamedTuple):
    unit: Unit
    level: Level


def _is_route(level: Level) -> bool:
    """A location, a server without locations, or a snippet that says anything about headers or passing on."""
    if level.kind == "location":
        return True
    if level.kind == "server" and level.directive is not None:
        return not level.locations
    if level.kind in ("server", "snippet") and not level.locations:
        return any(one.key in ("add_header", "proxy_set_header", "proxy_pass") for one in level.statements)
    return False


# --------------------------------------------------------------------------------------------------------------- fields


def _may_be_empty(word: Word, scope: Scope) -> Tri:
    """Whether a header's value can be empty for a request with an Origin, so that nginx leaves the line out."""
    if "$" not in word.text:
        return tri(word.text == "")
    names = variables(word.text)
    if not names:
        return Tri.YES if word.text == "" else Tri.NO
    if re.sub(r"\$(?:\{\w+\}|\w+)", "", word.text):
        return Tri.NO
    if len(names) == 1 and names[0] in ("http_origin", "host", "scheme", "server_name", "http_host", "request_method"):
        return Tri.NO
    texts = possible_texts(word, scope)
    if all(one.echo or one.text for one in texts):
        return Tri.NO
    return Tri.YES if any(one.text == "" for one in texts) else Tri.UNKNOWN


# --------------------------------------------------------------------------------------------------------------- routes


def _route_fact(route: _Route, carriers: _Carriers, answers: Answers, version: str | None) -> Fact:
    level = route.level
    fields: dict[str, Field] = {"framework": _NGINX, "language": _NGINX}
    head = _head(level)
    fields["level"] = _written(_title(level), head)
    fields["block"] = _written(level.kind, level.body)
    if level.kind == "location":
        modifier, path, word = pattern_of(level)
        fields["path"] = _written(path, word.span if word else head)
        fields["modifier"] = _written(modifier, head)
    elif level.kind == "snippet":
        fields["path"] = _unknown(head)
    if (server := _server_of(level)) is not None:
        fields["host_block"] = _written(server.span, server.span)
        fields["names"] = _written(names_of(server), next(iter(server.own("server_name")), server).span)
        ports = listens(server)
        fields["ports"] = _unknown() if ports is None else _written(tuple(sorted({str(one.port) for one in ports})))
    fields |= _pass_fields(route)
    if (status := _status(level)) is not None:
        fields["status"] = status
    carries, evidence = carriers.of(route)
    yes, no = _written("yes", head), _written("no", head)
    shown = {Tri.YES: yes, Tri.NO: no}  # the same for several fields
    fields["complete"] = yes if _complete(level) else no
    fields["plain"] = yes if _plain(level) else no
    fields["answers_itself"] = shown.get(_answers_itself(level)) or _unknown(head)
    fields["carries_socket"] = shown.get(carries) or _unknown(head)
    if evidence in ("library", "path"):
        fields["carries_socket"] = fields["carries_socket"]._replace(confidence="medium")
    if evidence:
        fields["socket_evidence"] = _written(evidence, head)
    fields.update(_response_fields(route))
    if fields["proxied"].value != "no":
        fields.update(_request_fields(level))
        fields.update(_version_fields(level, version))
        fields.update(_upgrade_fields(level, head, answers if carries is not Tri.NO else None))
        if fields["passes_upgrade"].value == "no" and fields["http_version"].value != "1.1":
            fields["upgrade_version"] = _written("proxy_http_version 1.1;", head)
        server = _server_of(level)
        fields.update(server_fields(server) if server is not None else {})
    return Fact("proxy_route", head, fields)


def _socket_fields(route: _Route, carriers: _Carriers, answers: Answers, undefined: frozenset[str]) -> dict[str, Field]:
    """What is asked only about routes that carry a socket, or may."""
    level = route.level
    fields = {} if _diverts(level) else connection_fields(level, route.unit, undefined)
    fields |= {**timeout_fields(level, _head(level)), **host_fields(level)}
    if carriers.of(route)[1] in ("server", "library"):
        fields |= path_fields(level, answers, carriers.paths, carriers.libraries, carriers.scripts)
    return fields


def _server_of(level: Level) -> Level | None:
    return next((one for one in level.outwards() if one.kind == "server" and one.directive is not None), None)


def _complete(level: Level) -> bool:
    """Whether nothing unread can change the route or what it sends upstream."""
    for one in level.outwards():
        if not one.complete and (one is level or (one.kind == "server" and one.directive is not None)):
            return False
    return nearest(level, "proxy_set_header").sure


def _plain(level: Level) -> bool:
    for one in level.outwards():
        if one.kind == "http":
            break
        if one is not level and one.kind == "location":
            continue  # rewrites of locations around it are not run
        keys = one.by_key.keys()
        if keys & (_DETOURS if one is level else _DETOURS - {"try_files"}):
            return False
    pages = nearest(level, "error_page").directives
    return not any(_catches_client_errors(page) for page in pages)


def _catches_client_errors(page: Directive) -> bool:
    """`error_page 404 = @app` sends requests elsewhere; pages for 5xx alone are everywhere and change no route."""
    return any(re.fullmatch(r"[34]\d\d", word.text) for word in page.arguments[:-1])


def _proxied(level: Level) -> Tri:
    keys = level.by_key.keys()
    if "return" in keys:
        return Tri.NO
    if keys & _PASSES:
        return Tri.YES
    if not level.complete or any(child.by_key.keys() & _PASSES for child in level.ifs):
        return Tri.UNKNOWN
    return Tri.NO


def _answers_itself(level: Level) -> Tri:
    keys = level.by_key.keys()
    if "return" in keys:
        return Tri.YES
    proxied = _proxied(level)
    if proxied is not Tri.NO:
        return Tri.NO if proxied is Tri.YES else Tri.UNKNOWN
    handed_on = keys & {"rewrite", "if"} or not _plain(level)
    lua = any(key.startswith(("content_by_lua", "js_content", "perl", "rewrite_by_lua")) for key in keys)
    return Tri.UNKNOWN if handed_on or lua else Tri.YES


_TARGET = regex(r"(?P<scheme>https?)://(?P<host>unix:[^:]*|\[[^\]]*\]|[^/:?#$]*)(?::(?P<port>\d+))?(?P<rest>.*)")

_SAME_REQUEST = regex(r"\$request_uri|\$uri(?:\$is_args\$(?:args|query_string))?")


def _pass_fields(route: _Route) -> dict[str, Field]:
    level = route.level
    proxied = _proxied(level)
    fields = {"proxied": _tri_field(proxied, _head(level))}
    lines = [line for line in level.own("proxy_pass") if line.arguments]
    if not lines or proxied is not Tri.YES:
        if proxied is Tri.UNKNOWN:
            fields |= {name: _unknown() for name in ("pass", "upstream", "upstream_port", "upstream_path")}
        return fields
    word = lines[0].arguments[0]
    fields["pass"] = _written(word.text, word.span)
    text, span = _followed(word, Scope(route.unit, level))
    parts = _TARGET.fullmatch(text) if text is not None else None
    if parts is None or not parts["host"] or "{" in parts["host"]:
        fields |= {name: _unknown(word.span) for name in ("upstream", "upstream_port", "upstream_path")}
        return fields
    fields["upstream"] = _written(parts["host"], span)
    rest = parts["rest"].removeprefix(":") if parts["host"].startswith("unix:") else parts["rest"]
    if rest.startswith(":") or (rest.startswith("$") and not _SAME_REQUEST.fullmatch(rest)):
        fields["upstream_port"] = _unknown(span)  # `:$port`
        return fields | {"upstream_path": _unknown(span)}
    if "$" in word.text:
        # With a variable anywhere in it, nginx takes a URI for the whole request line (knowledge: nginx.md, F1).
        fields["upstream_path"] = ABSENT if not rest or _SAME_REQUEST.fullmatch(rest) else _unknown(word.span)
    elif rest:
        fields["upstream_path"] = _written(rest, word.span)
        fields["pass_bare"] = _written(word.text[: -len(rest)].removesuffix(":"), word.span)
    port = _port(parts["port"], parts["host"], route.unit)
    if port is not None:
        fields["upstream_port"] = _written(port, span)
    return fields


def _followed(word: Word, scope: Scope) -> tuple[str | None, Span]:
    """A word with the variables replaced that can be one text only."""
    text, span = word.text, word.span
    if "$" not in text:
        return text, span
    for name in dict.fromkeys(variables(text)):
        found = possible_texts(word._replace(text=f"${name}", quote=""), scope)
        if len(found) != 1 or found[0].text is None:
            if name in ("request_uri", "uri", "is_args", "args", "query_string"):
                continue
            return None, span
        for spelling in (f"${{{name}}}", f"${name}"):
            text = text.replace(spelling, found[0].text)
        span = found[0].span
    return text, span


def _port(written: str | None, host: str, unit: Unit) -> int | None:
    if written is not None:
        return whole(written)
    block = unit.upstreams.get(host)
    ports = set()
    for server in _servers(block) if block else ():
        found = re.search(r":(\d{1,5})$", server.arguments[0].text)
        ports.add(int(found[1]) if found else None)
    return ports.pop() if len(ports) == 1 else None


def _at_least(version: str | None, since: tuple[int, int, int]) -> Tri:
    """Whether a version (`1.28.0`, or `1.28` for any patch of it) is `since` or later."""
    if version is None:
        return Tri.UNKNOWN
    first, second, third = [*map(int, version.split(".")), 0, 0][:3]
    return tri((first, second, third) >= since)


def _known_by(version: str | None, name: str, since: tuple[int, int, int], place: Span) -> dict[str, Field]:
    """The version, and whether nginx has something since then."""
    fields = {name: _tri_field(_at_least(version, since), place)}
    return fields if version is None else {**fields, "nginx_version": _written(version, place)}


def _version_fields(level: Level, version: str | None) -> dict[str, Field]:
    found = nearest(level, "proxy_http_version")
    if found.directives and found.directives[-1].arguments:
        word = found.directives[-1].arguments[0]
        return {"http_version": _written(word.text, word.span), "http_version_source": _written("written", word.span)}
    if not found.sure:
        return {"http_version": _unknown(), "http_version_source": _unknown()}
    modern = _at_least(version, _HTTP_1_1_BY_DEFAULT) is Tri.YES
    confidence = "high" if version else "medium"
    span = _head(level)
    return {
        "http_version": Field("1.1" if modern else "1.0", "default", span, confidence=confidence),
        "http_version_source": Field("default", "default", span, confidence=confidence),
    }


def _request_fields(level: Level) -> dict[str, Field]:
    found = nearest(level, "proxy_set_header")
    fields: dict[str, Field] = {}
    by_name: dict[str, list[_Header]] = {}
    for header in _headers(found.directives):
        by_name.setdefault(header.name, []).append(header)
    for name, lines in by_name.items():
        # An empty one beside another is not sent (measured for Connection, in either order).
        spoken = [line for line in lines if line.text] or lines[:1]
        if len({line.text for line in spoken}) > 1:
            fields[f"request_headers.{name}"] = _unknown(spoken[0].line.span)
        else:
            fields[f"request_headers.{name}"] = _written(spoken[0].text, spoken[0].line.span)
    if not found.sure:
        for name in ("upgrade", "connection", "host", "origin"):
            fields.setdefault(f"request_headers.{name}", _unknown())
    # The level whose lines are in force: this one, or an outer one that has lost something itself.
    owner = found.level or level
    fields["request_block"] = _written(_title(owner), owner.body)
    fields["request_block_own"] = _written("yes" if owner is level else "no", owner.body)
    if owner.parent is not None and found.level is not None:
        outer = nearest(owner.parent, "proxy_set_header")
        lost = _lost(_headers(outer.directives), set(by_name), found.sure)
        if lost:
            fields |= {f"dropped_request_headers.{name}": field for name, field in lost.items()}
            fields |= _cancelling(owner, "proxy_set_header", "drops_by", "drops_from")
    return fields


def _cancelling(owner: Level, key: str, name: str, origin: str) -> dict[str, Field]:
    """The own line that cancels those of outer levels; where another file brings it in, the `include` on the level."""
    line = owner.own(key)[0]
    text = line.arguments[0].text if line.arguments else ""
    through = owner.through.get(line.span)
    if through is None:
        return {name: _written(text, line.span)}
    return {name: _written(text, through.span), origin: _written(text, line.span)}


_KEEPS_OPEN = frozenset({"close", "keep-alive"})
_PAIR = ("Upgrade", "Connection")


def _upgrade_fields(level: Level, span: Span, answers: Answers | None) -> dict[str, Field]:
    """Whether a WebSocket can open through here, and whether it could but for the own lines of some level.

    Where some requests are handled elsewhere, the model is asked what becomes of a handshake; `answers` is None for
    routes that carry no socket.
    """
    found = nearest(level, "proxy_set_header")
    if _diverts(level):
        handshake = None if answers is None else answers.ask(level, "upgrade", STRANGER)
        passes = passes_upgrade(handshake)
        sent = handshake.upstream if handshake is not None else None
        if passes is Tri.NO and (sent is None or sent.span not in [line.span for line in level.own("proxy_pass")]):
            passes = Tri.UNKNOWN  # what another level lacks is not this one's fault
        if passes is not Tri.NO:
            return {"passes_upgrade": _tri_field(passes, span)}
    passes, lacking = _passes_upgrade(found)
    fields = {"passes_upgrade": _tri_field(passes, span)}
    if passes is Tri.NO:
        fields["upgrade_lacks"] = _written(lacking, span)
        outer = found.level.parent if found.level is not None else None
        if outer is not None and _passes_upgrade(nearest(outer, "proxy_set_header"))[0] is Tri.YES:
            fields["loses_upgrade"] = _written("yes", span)
    return fields


def _passes_upgrade(lines: Inherited) -> tuple[Tri, tuple[str, ...]]:
    """Whether these lines hand `Upgrade` and `Connection: upgrade` to the upstream, and which of the two they lack.

    A `Connection` of another kind is a fault of its own, and not known here to be one.
    """
    if not lines.sure:
        return Tri.UNKNOWN, ()
    values: dict[str, list[str]] = {}
    for header in _headers(lines.directives):
        if header.text:
            values.setdefault(header.name, []).append(header.text)
    lacking = tuple(name for name in _PAIR if name.lower() not in values)
    if lacking:
        return Tri.NO, lacking
    several = any(len(set(values[name.lower()])) > 1 for name in _PAIR)
    return (Tri.UNKNOWN if several or values["connection"][0].lower() in _KEEPS_OPEN else Tri.YES), ()


_SENDS_ELSEWHERE = _PASSES | {"rewrite"}


def _diverts(level: Level) -> bool:
    """Whether some requests to a location may be handled elsewhere, so that what it does itself is not the whole story.

    `if ($http_upgrade) { proxy_pass ...; }`, a `return 418` that an `error_page` sends on, a `try_files`, a `rewrite`
    that starts the search for a location again. An `if` that sets, adds or answers something diverts nothing.
    """
    if "try_files" in level.by_key or any(not _stays(one) for one in level.own("rewrite")):
        return True
    caught = {word.text for page in nearest(level, "error_page").directives for word in page.arguments[:-1]}
    for one in level.outwards():
        if one is not level and one.kind != "server":
            continue
        for child in one.ifs:
            if child.by_key.keys() & _SENDS_ELSEWHERE or not child.complete:
                return True
            if any(line.arguments and line.arguments[0].text in caught for line in child.own("return")):
                return True
    return False


def _stays(rewrite: Directive) -> bool:
    return len(rewrite.arguments) > 2 and rewrite.arguments[2].text == "break"


def _status(level: Level) -> Field | None:
    """The status that a `return` gives every request; 302 for a `return` with an address alone."""
    lines = [line for line in level.own("return") if line.arguments]
    if not lines:
        return None
    word = lines[0].arguments[0]
    if re.fullmatch(r"\d{3}", word.text):
        return _written(int(word.text), word.span)
    return _written(302, word.span) if len(lines[0].arguments) == 1 else None


def _duplicates(unit: Unit, level: Level, answers: Answers) -> Iterator[Fact]:
    """The CORS headers that one response gets more than once from a level."""
    added = added_headers(level)
    owner = added.level
    lines = [*_headers(_may_be_cors(added.directives)), *_replaced(level)]
    if len(lines) < 2:
        return
    scope = Scope(unit, level)
    for name in (_ACAO, _ACAC):
        mine = [line for line in lines if line.name == name and line.text]
        if owner is None or len(mine) < 2:
            continue
        mine = _sent_together(mine, scope)
        if len(mine) < 2:
            continue
        origins = origins_of(compile_value(line.value, scope, line.text) for line in mine)
        if answers.never_twice(level, name, origins):
            continue
        # The one too many: preferably a line of this level's own, which changes nothing for others when it goes, and
        # of these one without `always`, or else the last.
        own = [line for line in mine if owner.body.covers(line.line.span) and line.line.key == "add_header"]
        weaker = [line for line in own if not line.always] if any(line.always for line in mine) else []
        second = (weaker or own or mine)[-1]
        first = next(line for line in mine if line is not second)
        place = second.line.span
        fields = {
            "framework": _NGINX,
            "language": _NGINX,
            "name": _written(second.line.arguments[0].text.partition(":")[0].rstrip(), place),
            "first": _written(first.text, first.line.span),
            "second": _written(second.text, place),
            "equal": _written("yes" if len({line.text for line in mine}) == 1 else "no", place),
            "own": _written("yes" if second in own else "no", place),
        }
        yield Fact("duplicate_header", place, fields)


def _sent_together(lines: Sequence[_Header], scope: Scope) -> list[_Header]:
    """Lines that some request gets all of: those that every request gets, and those of one value that some get.

    Two values that depend on the request may exclude each other.
    """
    sometimes = [line for line in lines if not _certain(line, scope) and _for_some_origin(line, scope)]
    value = sometimes[0].text if sometimes else None
    return [line for line in lines if _certain(line, scope) or (line in sometimes and line.text == value)]


def _for_some_origin(line: _Header, scope: Scope) -> bool:
    """Whether all that the value can be is known, and is something for one origin at least."""
    decision = compile_value(line.value, scope)
    answers = [case.answer for case in decision.cases]
    known = not _asks_otherwise(decision) and not any(isinstance(answer, UnknownAnswer) for answer in answers)
    return known and any(not isinstance(answer, Nothing) for answer in answers)


def _certain(line: _Header, scope: Scope) -> bool:
    return line.line.key == "more_set_headers" or not _maybe_left_out(line, scope)


def _lost(outer: Sequence[_Header], kept: set[str], sure: bool) -> dict[str, Field]:
    """Headers of an outer level that an inner level's own lines cancel; `sure`: those lines are all known."""
    lost: dict[str, Field] = {}
    for header in outer:
        if header.name not in kept and header.text and header.name not in lost:
            span = header.line.span
            lost[header.name] = _written(header.text, span) if sure else _unknown(span)
    return lost


def _response_fields(route: _Route) -> dict[str, Field]:
    level = route.level
    scope = Scope(route.unit, level)
    added = added_headers(level)
    headers = _headers(added.directives)
    own_names = {header.name for header in headers}
    fields: dict[str, Field] = {}
    by_name: dict[str, list[_Header]] = {}
    for header in headers:
        if header.text:
            by_name.setdefault(header.name, []).append(header)
    replaced = {header.name: header for header in _replaced(level)}
    for header in replaced.values():
        if header.text:
            by_name.setdefault(header.name, []).append(header)
    for name, lines in by_name.items():
        first = lines[0]
        fields[f"adds.{name}"] = _written(first.text, first.line.span)
        fields[f"adds_always.{name}"] = _written("yes" if first.always else "no", first.line.span)
        count = [line for line in lines if _certain(line, scope)]
        fields[f"adds_count.{name}"] = (
            _written(len(lines), first.line.span) if len(count) == len(lines) or len(lines) == 1 else _unknown()
        )
        if len(lines) > 1:
            fields[f"adds_second.{name}"] = _written(lines[1].text, lines[1].line.span)
            equal = len({line.text for line in lines}) == 1
            fields[f"adds_equal.{name}"] = _written("yes" if equal else "no", lines[1].line.span)
    fields |= _hidden_fields(level, replaced)
    for child in level.ifs:  # what only some requests get
        for header in _headers(child.own("add_header")):
            if header.text:
                fields.setdefault(f"adds.{header.name}", _unknown(header.line.span))
    owner = added.level
    if owner is not None:
        fields["response_block"] = _written(_title(owner), owner.body)
    if owner is not None and owner.parent is not None and inherits_headers(owner) == "on":
        outer = added_headers(owner.parent)
        lost = _lost(_headers(outer.directives), own_names | set(replaced), added.sure)
        if lost:
            fields |= {f"dropped_headers.{name}": field for name, field in lost.items()}
            fields |= _cancelling(owner, "add_header", "headers_drop_by", "headers_drop_from")
    if not added.sure:
        for name in (_ACAO, _ACAC, "vary"):
            fields.setdefault(f"adds.{name}", _unknown())
            if f"adds_count.{name}" in fields and fields[f"adds_count.{name}"].value == 1:
                fields[f"adds_count.{name}"] = _unknown()
    return fields


def _maybe_left_out(header: _Header, scope: Scope) -> bool:
    return _may_be_empty(header.value, scope) is not Tri.NO


def _hidden_fields(level: Level, replaced: Mapping[str, _Header]) -> dict[str, Field]:
    fields: dict[str, Field] = {}
    hidden = nearest(level, "proxy_hide_header")
    for line in hidden.directives:
        if line.arguments:
            fields.setdefault(f"hides.{line.arguments[0].text.lower()}", _written(line.arguments[0].text, line.span))
    for header in replaced.values():  # it takes the place of the upstream's
        fields.setdefault(f"hides.{header.name}", _written(header.name, header.line.span))
    for pattern, line in _cleared(level).items():
        for name in (_ACAO, _ACAC) if pattern.endswith("*") else (pattern,):
            if name.startswith(pattern.rstrip("*")):
                fields.setdefault(f"hides.{name}", _written(pattern, line.span))
    if not hidden.sure or not all(one.complete for one in level.outwards()):
        for name in (_ACAO, _ACAC):
            fields.setdefault(f"hides.{name}", _unknown())
    return fields


# -------------------------------------------------------------------------------------------------------------- sockets


def _segments(text: str) -> set[str]:
    return {part.lower() for part in re.split(r"[^\w.-]+", text.replace("\\", "")) if part}


@cache
def _hint(wanted: frozenset[str]) -> re.Pattern[str]:
    return re.compile("|".join(map(re.escape, sorted(wanted))) or r"(?!)", re.IGNORECASE)


def _socket_like(level: Level, wanted: frozenset[str]) -> bool:
    modifier, path, _ = pattern_of(level)
    if level.kind != "location" or modifier == "@" or not _hint(wanted).search(path.replace("\\", "")):
        return False
    return bool(_segments(path) & wanted)


def _writes_upgrade(level: Level) -> bool:
    return _names(level.own("proxy_set_header"), "upgrade")


def _names(lines: Iterable[Directive], header: str) -> bool:
    """Whether one of these lines gives a header a value."""
    return any(
        len(line.arguments) > 1 and line.arguments[0].text.lower() == header and line.arguments[1].text
        for line in lines
    )


def _upgrades(level: Level) -> bool:
    """Whether an Upgrade header is sent from here, or may be."""
    found = nearest(level, "proxy_set_header")
    return not found.sure or _names(found.directives, "upgrade")


class _Carriers:
    """Which routes carry the project's sockets."""

    def __init__(self, routes: Sequence[_Route], socket_paths: Sequence[str], well_known: SocketPaths) -> None:
        self._answers: dict[int, tuple[Tri, str]] = {}
        known = {part for path in socket_paths for part in _segments(path)}
        self.paths = tuple(dict.fromkeys(socket_paths))
        self.scripts = well_known.scripts
        self.libraries = self._libraries = well_known.described | well_known.polling
        # Where the project's own servers are known, other common names of socket paths are not theirs.
        self._wanted = well_known.described | known if socket_paths else self._libraries | well_known.websocket
        servers = _servers_of(routes)
        for path in dict.fromkeys(socket_paths):
            self._follow(servers, path)
        for route in routes:
            answer, evidence = self._by_itself(route.level)
            if answer is not Tri.NO or id(route.level) not in self._answers:
                self._note(route.level, answer, evidence)
        self._careful_with_the_rest(routes)

    def of(self, route: _Route) -> tuple[Tri, str]:
        return self._answers[id(route.level)]

    def _note(self, level: Level, answer: Tri, evidence: str) -> None:
        before = self._answers.get(id(level), (Tri.NO, ""))
        if before[0] is not Tri.YES:
            self._answers[id(level)] = (answer, evidence)

    def _follow(self, servers: Sequence[Level], path: str) -> None:
        """Marks the locations that take one socket path."""
        chosen: list[tuple[Level, Choice]] = []
        for server in servers:
            choice = choose(server, path)
            if choice.level is not None:
                chosen.append((choice.level, choice))
        takers = [level for level, _ in chosen if not _catches_all(level)]
        others = [level for level, _ in chosen if _catches_all(level)]
        for level, choice in chosen:
            passed = _passes_http(level)
            if passed is Tri.NO:
                self._note_named(level)
                continue
            answer = passed if choice.sure else Tri.UNKNOWN
            if level in others and (takers or self._rivals(level, others)):
                answer = Tri.UNKNOWN
            self._note(level, answer, "server")

    @staticmethod
    def _rivals(level: Level, others: Sequence[Level]) -> bool:
        """Whether a location for everything may not be the socket's: others do it properly, or pass elsewhere."""
        targets = {_target(level)}
        for other in others:
            if other is level:
                continue
            if _passes_http(other) is Tri.NO:
                continue
            if _upgrades(other) and not _upgrades(level):
                return True
            targets.add(_target(other))
        server = next((one for one in level.outwards() if one.kind == "server"), None)
        for sibling in server.locations if server else ():
            if sibling is not level and sibling.own("proxy_pass"):
                if _upgrades(sibling) and not _upgrades(level):
                    return True
                targets.add(_target(sibling))
        return len(targets) > 1

    def _note_named(self, level: Level) -> None:
        """`try_files $uri @app`: the named location may get it."""
        server = next((one for one in level.outwards() if one.kind == "server"), None)
        names = {word.text for line in (*level.own("try_files"), *level.own("error_page")) for word in line.arguments}
        for location in server.locations if server else ():
            if pattern_of(location)[1] in names:
                self._note(location, Tri.UNKNOWN, "server")

    def _by_itself(self, level: Level) -> tuple[Tri, str]:
        passed = _passes_http(level)
        if passed is Tri.NO:
            return Tri.NO, ""
        if _socket_like(level, self._wanted):
            return passed, "library" if _socket_like(level, self._libraries) else "path"
        if _writes_upgrade(level):
            return passed, "header"
        return Tri.NO, ""

    def _careful_with_the_rest(self, routes: Sequence[_Route]) -> None:
        """A location for everything is not the socket's for sure where another one is made for it."""
        made_for_it = [route for route in routes if self.of(route)[1] in ("library", "path", "header")]
        if not made_for_it:
            return
        for route in routes:
            answer, evidence = self.of(route)
            if answer is Tri.YES and evidence == "server" and _catches_all(route.level):
                if not _upgrades(route.level):
                    self._answers[id(route.level)] = (Tri.UNKNOWN, evidence)


def _servers_of(routes: Sequence[_Route]) -> list[Level]:
    found: dict[int, Level] = {}
    for route in routes:
        outermost = [one for one in route.level.outwards() if one.kind in ("server", "snippet")]
        if outermost and outermost[-1].locations:
            found[id(outermost[-1])] = outermost[-1]
    return list(found.values())


def _catches_all(level: Level) -> bool:
    modifier, path, _ = pattern_of(level)
    if modifier in ("", "^~"):
        return path in ("", "/")
    return modifier in ("~", "~*") and re.fullmatch(r"\^?/?(?:\(?\.[*+]\)?)?\$?", path) is not None


def _passes_http(level: Level) -> Tri:
    """Whether requests go on over HTTP. The other protocols have ways of their own, so there it is unknown."""
    proxied = _proxied(level)
    return Tri.UNKNOWN if proxied is Tri.YES and not level.own("proxy_pass") else proxied


def _target(level: Level) -> str:
    lines = level.own("proxy_pass")
    text = lines[0].arguments[0].text if lines and lines[0].arguments else ""
    return re.sub(r"^(\w+://[^/]*).*", r"\1", text)


# ------------------------------------------------------------------------------------------------------------- policies


_Decided = dict[str, Decision] | None
"""What variables of maps decide, by name; None where a `set` could make that different from level to level."""


def _decision(header: _Header, scope: Scope, decided: _Decided) -> Decision:
    """What the value of a header decides, the same object for all levels that send the same variable of a map."""
    name = header.text[1:]
    if decided is None or not header.text.startswith("$") or name not in scope.unit.maps:
        return compile_value(header.value, scope, header.text)
    found = decided.get(name)
    if found is None:
        found = decided[name] = compile_value(header.value, scope, header.text)
    return found


def _policies(unit: Unit, level: Level, decided: _Decided) -> Iterator[Fact]:
    """One policy for a level that adds Access-Control-Allow-Origin itself, and the origins that it lists."""
    lines = _may_be_cors(level.own("add_header"))
    own = [header for header in _headers(lines) if header.name == _ACAO and header.text]
    own += [header for header in _own_replaced(level) if header.name == _ACAO and header.text]
    if not own:
        return
    scope = Scope(unit, level)
    header = own[0]
    span = header.value.span if header.text == header.value.text else _part(header.value, header.text)
    decisions = [_decision(one, scope, decided) for one in own]
    if level.kind == "if" and level.directive is not None:
        condition = compile_condition(level.directive.arguments, scope)
        if not isinstance(condition, UnknownPredicate) or _about_origin(level.directive, scope):
            decisions = [guarded(one, condition, level.directive.name.span) for one in decisions]
    decision = decisions[0]
    if len(own) > 1:
        decision = Decision(tuple(case._replace(answer=UnknownAnswer("two lines")) for case in decision.cases))
    fields: dict[str, Field] = {
        "framework": _NGINX,
        "language": _NGINX,
        "layer": _written("proxy"),
        "instance": _written(level.span, _head(level)),
        "configured": _written("yes"),
        "block": _written(level.kind, level.body),
        "origin": _written(header.text, span),
        "origin.form": _written("other" if "$" in header.text else "literal", span),
        "origin.takes": _written("text", span),
        "origin.with_port": _written("no", span),
    }
    around = level.parent if level.kind == "if" and level.parent is not None else level
    if around.kind == "location":
        fields["scope"] = _written(pattern_of(around)[1], _head(around))
    fields |= _effect_fields(level, decision, scope, span)
    policy = Fact("cors_policy", header.line.span, fields)
    yield policy
    if len(own) == 1:
        yield from parts_of(decision, part_fields(policy))
    yield from _sent_lists(level, policy)
    # What each line lists can be wrong by itself, whatever becomes of several lines.
    yield from {entry.span: entry for one in decisions for entry in _entries(one, policy)}.values()


def _sent_lists(level: Level, policy: Fact) -> Iterator[Fact]:
    """The lists of methods and headers that go along with a policy's origin."""
    for name, what in LISTS.items():
        lines, sure = _in_force(level, name)
        fields = policy.fields
        if len(lines) != 1 or "$" in lines[0].text or not sure:
            continue
        span = lines[0].value.span
        names = tuple(part for each in lines[0].text.split(",") if (part := each.strip()))
        effect = {"methods": "methods", "request-headers": "request_headers", "response-headers": "exposed"}[what]
        fields[f"effect.{effect}"] = Field(names, "written", span)
        own = {
            "header": _written(lines[0].name, span),
            "names": Field(names, "written", span),
            "what": _written(what, span),
            "star": _written("yes" if "*" in names else "no", span),
            "by": _written("header", span),
        }
        yield Fact("sent_list", span, {**part_fields(policy), **own})


_RESPONSE_LINES = ("add_header", "more_set_headers")


def _header_lines(level: Level) -> Iterator[Fact]:
    """The lines of one level that write a CORS header, or a name that is nearly one, and what is wrong with a value."""
    added = _may_be_cors(level.own("add_header"))
    written = [(header, "response") for header in (*_headers(added), *_own_replaced(level))]
    written += [(header, "request") for header in _headers(_may_be_cors(level.own("proxy_set_header")))]
    names = {(header.name, target) for header, target in written}
    for header, target in written:
        meant = nearest_header(header.name)
        if meant is None and not answers_cors(header.name):
            continue
        line = header.line
        name = line.arguments[0] if line.key != "more_set_headers" else header.value
        at = name.span if line.key != "more_set_headers" else _beginning(name, header.name)
        span = header.value.span if header.text == header.value.text else _part(header.value, header.text)
        common = {"framework": _NGINX, "language": _NGINX}
        fields = {
            **common,
            "name": _written(header.name, at),
            "value": _unknown(span) if "$" in header.text else _written(header.text, span),
            "operation": _written("append" if line.key == "add_header" else "set", line.span),
            "target": _written(target, line.span),
            "known": _tri_field(tri(meant is None), at),
            "key": _written("no", at),
        }
        if meant is not None:
            fields["nearest_cors_name"] = _written(meant, at)
            fields["meant_given"] = _tri_field(tri((meant.lower(), target) in names), at)
        yield Fact("header_write", line.span, fields)
        wrong = "$" not in header.text and header.text != "true" and means_yes(header.text)
        if header.name == _ACAC and target == "response" and wrong:
            more = {"text": _written(header.text, span), "raw_type": _written("text", span)}
            more |= {"by": _written("header", span), "does": _written("sent", span)}
            yield Fact("credentials_value", span, {**common, **more})


def _beginning(word: Word, name: str) -> Span:
    """The place of a header's name in a word `Name: value`."""
    start = word.span.start + len(word.quote)
    return Span(word.span.path, start, start + len(name.encode()))


def _entries(decision: Decision, policy: Fact) -> Iterator[Fact]:
    """The whole origins that a policy lists, in keys, conditions and values.

    Where a map gives an origin back for itself, the key alone counts. nginx compares plain keys without regard to case.
    """
    listed: dict[Span, tuple[ListedText, bool]] = {}
    keys: set[str] = set()
    for predicate in _predicates(decision):
        if isinstance(predicate, Atom) and predicate.op == "equals" and isinstance(predicate.operand, str):
            keys.add(predicate.operand.lower())
            entry = ListedText(predicate.operand, predicate.span, True, "exact", True)
            listed.setdefault(predicate.span, (entry, predicate.fold_case))
    for case in decision.cases:
        if isinstance(case.answer, Fixed) and case.answer.text.lower() not in keys:
            entry = ListedText(case.answer.text, case.span, len(decision.cases) > 1, "fixed", True)
            listed.setdefault(case.span, (entry, False))
    common = {name: policy.fields[name] for name in ("framework", "language", "layer")}
    for entry, fold_case in listed.values():
        defect, corrected = entry_defect(entry, OriginSemantics(fold_case=fold_case))
        fields = {
            **common,
            "policy": policy.fields["instance"],
            "text": _written(entry.text, entry.span),
            "defect": _written(defect, entry.span),
            "corrected": ABSENT if corrected is None else _written(corrected, entry.span),
            "in_list": _written("yes" if entry.in_list else "no", entry.span),
            "null": _written("yes" if entry.text == "null" else "no", entry.span),
        }
        yield Fact("origin_entry", entry.span, fields)


def _about_origin(condition: Directive, scope: Scope) -> bool:
    """Whether an `if` asks about the Origin, be it through a variable."""
    for word in condition.arguments:
        if "http_origin" in variables(word.text):
            return True
        for name in variables(word.text):
            texts = possible_texts(word._replace(text=f"${name}", quote=""), scope)
            if any(one.echo or not isinstance(one.predicate, Always) for one in texts):
                return True
    return False


def _effect_fields(level: Level, decision: Decision, scope: Scope, span: Span) -> dict[str, Field]:
    fields: dict[str, Field] = {}
    outcome = _kind(to_stranger(decision))
    fields["effect.to_stranger"] = _written(outcome, span) if outcome else _unknown(span)
    null = accepts_null(decision)
    fields["effect.accepts_null"] = _tri_field(null, span)
    depends = depends_on_origin(decision)
    if not any(isinstance(case.answer, Echo) for case in decision.cases) and _asks_otherwise(decision):
        depends = Tri.UNKNOWN  # the answers differ, but perhaps by the method alone
    fields["effect.depends_on_origin"] = _tri_field(depends, span)
    fields["effect.credentials"] = _credentials(level, scope, decision)
    fields["credentials"] = _credentials_option(fields["effect.credentials"])
    if outcome == "star" and fields["effect.credentials"].value == "yes":
        fields["effect.wildcard_pair"] = _written("sent", span)
    fields["effect.vary_origin"] = _varies(level)
    fields["effect.sends_several"] = _tri_field(sends_several(decision), span)
    fields["effect.raises"] = _written("no")
    sends = [case.answer for case in decision.cases]
    if any(isinstance(answer, (Star, Echo, Fixed)) for answer in sends):
        fields["effect.sends_origin_header"] = _written("yes", span)
    else:
        some = any(isinstance(answer, UnknownAnswer) for answer in sends)
        fields["effect.sends_origin_header"] = _unknown(span) if some else _written("no", span)
    if null is Tri.YES:
        case = answers(decision, "null")[0]
        if isinstance(case.answer, Fixed) and case.answer.text == "null":
            fields["null_entry"] = _written("null", case.span)
        elif isinstance(case.predicate, Atom):
            operand = case.predicate.operand
            shown = operand if isinstance(operand, str) else operand.source
            fields["null_entry"] = _written(shown, case.predicate.span)
    if (below := any_subdomain(decision)) is not None:
        fields["subdomain.origin"] = _written(below.origin, below.span)
        fields["subdomain.domain"] = _written(below.trusted, below.span)
    if (found := witness(decision)) is not None:
        fields["witness.origin"] = _written(found.origin, found.span)
        fields["witness.technique"] = _written(found.technique, found.span)
        fields["witness.test"] = _written(_shown_test(decision, found.span), found.span)
    return fields


def _predicates(decision: Decision) -> Iterator[Predicate]:
    pending = [case.predicate for case in reversed(decision.cases)]
    while pending:
        predicate = pending.pop()
        yield predicate
        if isinstance(predicate, Not):
            pending.append(predicate.part)
        elif isinstance(predicate, (All, AnyOf)):
            pending.extend(reversed(predicate.parts))


def _asks_otherwise(decision: Decision) -> bool:
    """Whether a test asks for something that is not the Origin, or could not be understood."""
    return any(isinstance(predicate, UnknownPredicate) for predicate in _predicates(decision))


def _shown_test(decision: Decision, span: Span) -> str:
    """The text of the test that stands at a place."""
    for predicate in _predicates(decision):
        if isinstance(predicate, Atom) and predicate.span == span:
            return predicate.operand if isinstance(predicate.operand, str) else predicate.operand.source
    return ""


def _kind(answer: Answer) -> str | None:
    if isinstance(answer, Fixed) and answer.text == "*":
        return "star"
    kinds = {Star: "star", Echo: "echo", Fixed: "fixed", Nothing: "nothing", Refuse: "refused", Raise: "raises"}
    return kinds.get(type(answer))


def _in_force(level: Level, name: str) -> tuple[list[_Header], bool]:
    added: Inherited = added_headers(level)
    lines = [*_headers(added.directives), *_replaced(level)]
    return [header for header in lines if header.name == name and header.text], added.sure


def _credentials(level: Level, scope: Scope, decision: Decision) -> Field:
    lines, sure = _in_force(level, _ACAC)
    if not lines:
        return _written("no", _head(level)) if sure else _unknown()
    line = lines[0]
    if line.text == "true":
        return _written("yes", line.line.span)
    if "$" not in line.text:
        return _written("no", line.line.span)
    # A variable that is `true` for some origins: what matters to rules is what those get that should not be let in.
    sent = compile_value(line.value, scope, line.text)
    given = {answer_to(sent, origin) for origin in _let_in(decision)}
    if given == {Fixed("true")}:
        return _written("yes", line.line.span)
    known = given and not any(isinstance(one, UnknownAnswer) or one == Fixed("true") for one in given)
    return _written("no", line.line.span) if known else _unknown(line.line.span)


def _let_in(decision: Decision) -> list[str]:
    """Origins that a policy lets in: a stranger's, an attacker's and `null` where it does, else those that it names."""
    attacker = witness(decision)
    doubtful = (STRANGER, "null", *([attacker.origin] if attacker is not None else []))
    found = [origin for origin in doubtful if accepts(answer_to(decision, origin), origin) is Tri.YES]
    named = [origin for origin in origins_of([decision]) if origin is not None]
    return found or [origin for origin in named if accepts(answer_to(decision, origin), origin) is Tri.YES]


def _credentials_option(effect: Field) -> Field:
    if effect.state == "unknown":
        return effect
    return effect._replace(value=effect.value == "yes")


def _varies(level: Level) -> Field:
    lines, sure = _in_force(level, "vary")
    for line in lines:
        if re.search(r"(?i)(?:^|[\s,])origin(?:$|[\s,])|\*", line.text):
            return _written("yes", line.line.span)
    passes_on = level.kind != "location" or _proxied(level) is not Tri.NO
    return _unknown() if passes_on or not sure else _written("no", _head(level))


# ------------------------------------------------------------------------------------------------------------ upstreams

_METHODS = frozenset((
    "ip_hash", "hash", "consistent_hash", "least_conn", "least_time", "random", "fair", "sticky",
    "sticky_cookie_insert", "jvm_route", "session_sticky", "balancer_by_lua_block", "balancer_by_lua_file",
))  # fmt: skip
_PINS = frozenset(("remote_addr", "binary_remote_addr"))
_SCATTERS = frozenset(("request_uri", "uri", "document_uri", "request_id", "msec", "connection", "request", "args"))


def _servers(block: Directive) -> list[Directive]:
    """The servers of an upstream that take requests: no `backup`, no `down`."""
    return [
        one
        for one in block.block or ()
        if one.key == "server"
        and one.arguments
        and not any(word.text in ("backup", "down") for word in one.arguments[1:])
    ]


def _upstream(unit: Unit, block: Directive) -> Fact:
    name = block.arguments[0] if block.arguments else block.name
    inside = block.block or ()
    complete = not any(one.key == "include" for one in inside) and not unit.cut(block.body)
    servers = _servers(block)
    methods = [one for one in inside if one.key in _METHODS]
    pinning = [one for one in methods if one.key in ("sticky", "sticky_cookie_insert", "jvm_route", "session_sticky")]
    method = (pinning or methods)[-1] if methods else None
    fields = {
        "framework": _NGINX,
        "language": _NGINX,
        "name": _written(name.text, name.span),
        "instances": _written(len(servers), servers[1].span if len(servers) > 1 else name.span)
        if complete
        else _unknown(name.span),
        "sticky": _tri_field(_sticky(method) if method or complete else Tri.UNKNOWN, method.span if method else None),
        "method": _written(_shown(method), method.span) if method else Field("round robin", "default", name.span),
        "block": _written(name.text, block.body),
        "hosts": _written(tuple(sorted({_host(one.arguments[0].text) for one in servers})), name.span),
        "backups": _written(sum(any(word.text == "backup" for word in one.arguments) for one in inside), name.span)
        if complete
        else _unknown(name.span),
        "complete": _written("yes" if complete else "no", name.span),
    }
    return Fact("upstream", Span(block.span.path, block.name.span.start, name.span.end), fields)


def _host(address: str) -> str:
    return address if address.startswith(("unix:", "[")) else address.partition(":")[0]


def _shown(method: Directive) -> str:
    return " ".join((method.key, *(word.text for word in method.arguments)))


def _sticky(method: Directive | None) -> Tri:
    """Whether a client always reaches the same server with this method (measured: nginx.md H1)."""
    if method is None:
        return Tri.NO
    if method.key in ("ip_hash", "sticky", "sticky_cookie_insert", "jvm_route", "session_sticky"):
        return Tri.YES
    if method.key in ("least_conn", "least_time", "random", "fair"):
        return Tri.NO
    if method.key.startswith("balancer_by_lua") or not method.arguments:
        return Tri.UNKNOWN
    names = variables(method.arguments[0].text)
    # The first request of a session has no `sid` yet, so `hash $arg_sid` sends the later ones elsewhere.
    if any(name in _SCATTERS or name.startswith("arg_") for name in names):
        return Tri.NO
    if all(name in _PINS or name.startswith("cookie_") for name in names):
        return Tri.YES
    return Tri.UNKNOWN


# ---------------------------------------------------------------------------------------------------- unknown variables

_EVALUATES = {
    "add_header": (1,), "alias": (0,), "if": (), "proxy_pass": (0,), "proxy_set_header": (1,), "return": (0, 1),
    "rewrite": (1,),
    "root": (0,), "set": (1,), "map": (0,), "proxy_cache_key": (0,), "proxy_redirect": (1,), "try_files": (0, 1, 2, 3),
}  # fmt: skip
"""Directives whose arguments nginx compiles, so that an unknown variable stops it: the positions of those arguments.
Those of an `if` depend on its operator."""

_DEFINES = {
    "set": (0,), "map": (1,), "geo": (-1,), "split_clients": (1,), "auth_request_set": (0,), "js_set": (0,),
    "js_var": (0,), "perl_set": (0,), "set_by_lua": (0,), "set_by_lua_block": (0,), "set_by_lua_file": (0,),
    "secure_link_md5": (), "userid_name": (), "keyval": (1,), "geoip2": (), "set_random": (2,), "set_md5": (0,),
    "set_escape_uri": (0,), "set_unescape_uri": (0,), "set_if_empty": (0,), "set_sha1": (0,),
    "set_formatted_gmt_time": (0,),
}  # fmt: skip
_FOREIGN = regex(r"load_module|lua_|\w*_by_lua|js_|perl|geoip|passenger|modsecurity|vhost_traffic|echo")
_CAPTURE = regex(r"\(\?P?<(\w+)>")


def _too_new(unit: Unit, version: str | None) -> Iterator[Fact]:
    """Directives that this nginx does not have yet: it does not start."""
    if version is None:
        return
    for one in unit.statements:
        since = _SINCE.get(one.key)
        if since is not None and _at_least(version, since) is Tri.NO:
            number = ".".join(map(str, since))
            detail = f'unknown directive "{one.key}" (nginx {version} is older than {number}, which brings it)'
            yield _refused(detail, one.name.span)


def _refused(detail: str, place: Span) -> Fact:
    """What nginx refuses although it is well-formed."""
    fields = {
        "language": _NGINX,
        "what": _written("nginx"),
        "detail": _written(detail, place),
        "whole": _written("no"),
    }
    return Fact("damage", place, fields)


def _undefined(unit: Unit, readings: Mapping[str, NginxReading], names: Collection[str]) -> dict[str, Span]:
    """Variables that nothing defines, each with its first use: nginx does not start. None where a module could bring
    them."""
    files = {one.name.path for one in unit.statements}
    if any(readings[path].template for path in files):
        return {}
    if any(_FOREIGN.match(key) for key in names):
        return {}
    defined: set[str] = set()
    patterns: set[str] = set()
    used: dict[str, Word] = {}  # by its text, which most words share with many others
    for one in unit.statements:
        key, arguments = one.name.text, one.arguments
        for position in _DEFINES.get(key, ()):
            if arguments and -len(arguments) <= position < len(arguments):
                defined.add(arguments[position].text.lstrip("$").strip("{}"))
        patterns.update([word.text for word in (one.name, *arguments) if "(?" in word.text])
        positions = _EVALUATES.get(key)
        if positions is None:
            continue
        words = [arguments[place] for place in positions if place < len(arguments)]
        if key == "if" and arguments:
            words = [arguments[0], *(arguments[2:] if _compares(one) else ())]
        for word in words:
            if "$" in word.text:
                used.setdefault(word.text, word)
    defined.update(name for text in patterns for name in _CAPTURE.findall(text))
    told: dict[str, Span] = {}
    for text, word in used.items():
        for name in variables(text):
            if name not in defined and name not in told and not is_built_in(name):
                told[name] = word.span
    return told


def _compares(condition: Directive) -> bool:
    return len(condition.arguments) == 3 and condition.arguments[1].text in ("=", "!=")
