"""What nginx does about CORS at a location: what a preflight meets there, and what the requests after it get.

The model (`nginx_answers.py`) is asked with a path that reaches the location and with an origin that it speaks of. What
comes of it are fields of the location's `proxy_route`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from corslint.behaviour.nginx_answers import STRANGER, WELL, Answers, origins_of
from corslint.behaviour.nginx_levels import Level, Unit, added_headers, choose, inherits_headers, nearest
from corslint.behaviour.nginx_lines import HeaderLine, head, header_lines, replaced, title, tri_field, unknown, written
from corslint.behaviour.nginx_origins import Scope, compile_condition, compile_value, guarded, variables
from corslint.behaviour.nginx_request import Answer, FileKind, Surroundings
from corslint.behaviour.nginx_variables import is_built_in
from corslint.model.cors_headers import ALLOW_CREDENTIALS, ALLOW_ORIGIN
from corslint.model.decisions import Always, Case, Decision, Nothing
from corslint.model.exchange import Missing, RequestKind, Response, response
from corslint.model.facts import Field
from corslint.model.reading import Directive
from corslint.model.tri import Tri, any_of, tri
from corslint.source import Span

_ALLOW_METHODS = "access-control-allow-methods"
_ALLOW_HEADERS = "access-control-allow-headers"
_REPEATED = (
    ALLOW_ORIGIN, ALLOW_CREDENTIALS, _ALLOW_METHODS, _ALLOW_HEADERS, "access-control-max-age", "vary",
)  # fmt: skip
"""Headers that an answer to a preflight should have where the answers after it have them."""

_PROPER = {
    ALLOW_ORIGIN: "Access-Control-Allow-Origin",
    ALLOW_CREDENTIALS: "Access-Control-Allow-Credentials",
    _ALLOW_METHODS: "Access-Control-Allow-Methods",
    _ALLOW_HEADERS: "Access-Control-Allow-Headers",
}
_METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
_SIMPLE_METHODS = frozenset(("GET", "HEAD", "POST", "OPTIONS"))
_ORIGINS = 4
"""Most origins that are tried to find one which is let in."""


def route_fields(unit: Unit, level: Level, answers: Answers) -> dict[str, Field]:
    """What a preflight meets at a location, and what the requests after it get, as fields of a `proxy_route`."""
    fields = _cache_fields(level)
    announced = _announced(level)
    if announced is not None:
        fields["announces"] = announced
    if not _worth_asking(level, announced is not None):
        return fields
    asked = _Asked(unit, level, answers)
    if asked.path is None:
        return fields | _fields_of_snippet(level)
    return fields | _preflight_fields(asked) | _method_fields(asked)


def _worth_asking(level: Level, announces: bool) -> bool:
    """Whether something on the way may treat a preflight otherwise than the requests after it."""
    server = next((one for one in level.outwards() if one.kind == "server"), None)
    if any(_may_end(child) for child in (*level.ifs, *(server.ifs if server else ()))):
        return True
    if announces or any(child.kind == "limit_except" for child in level.children):
        return True
    return any(nearest(level, key).directives for key in ("auth_basic", "auth_request"))


def _may_end(level: Level) -> bool:
    return "return" in level.by_key or "add_header" in level.by_key


class _Asked:
    """A location, with a path that reaches it, an origin that it lets in where it names one, and two answers."""

    def __init__(self, unit: Unit, level: Level, answers: Answers) -> None:
        self.level = level
        self.answers = answers
        self.lines = [line for line in _in_reach(level) if line.name == ALLOW_ORIGIN and line.text]
        self.path = answers.path(level)
        self.origin = STRANGER
        self.preflight: Answer | None = None
        self.actual: Answer | None = None
        if self.path is None:
            return
        origins = [one for one in origins_of(_decisions(unit, level, self.lines)) if one not in (None, "null")]
        for origin in origins[:_ORIGINS]:
            preflight, actual = self.ask("OPTIONS", origin), self.ask("GET", origin)
            if self.preflight is None or Tri.YES in (_allows(preflight), _allows(actual)):
                self.origin, self.preflight, self.actual = origin or STRANGER, preflight, actual
            if Tri.YES in (_allows(preflight), _allows(actual)):
                break

    def ask(self, method: str, origin: str | None = None, surroundings: Surroundings = WELL) -> Answer | None:
        """The answer to a preflight (`OPTIONS`) or to a request with this method."""
        assert self.path is not None
        if method == "OPTIONS":
            return self._send("preflight", "PUT", origin, surroundings)
        found = self._send("actual", method, origin, surroundings)
        if _allows(found) is not Tri.UNKNOWN:
            return found
        # Whether there is a file, nobody knows; what the location sends with one is what it was written for.
        there = self._send("actual", method, origin, surroundings._replace(files=self.file))
        return there if _allows(there) is Tri.YES else found

    def _send(self, kind: RequestKind, method: str, origin: str | None, surroundings: Surroundings) -> Answer | None:
        assert self.path is not None
        return self.answers.send(self.level, self.path, kind, method, origin or self.origin, surroundings)

    def file(self, path: str) -> FileKind | None:
        """The file that the path asks for is there; of others nothing is known."""
        return "file" if self.path and path.endswith(self.path) and not path.endswith("/") else None


def _in_reach(level: Level) -> list[HeaderLine]:
    """The lines that some request to a level may get: those in force, and those of its ifs."""
    lines = [*header_lines(added_headers(level).directives), *replaced(level)]
    for child in level.ifs:
        lines += header_lines(child.own("add_header"))
    return lines


def _decisions(unit: Unit, level: Level, lines: Iterable[HeaderLine]) -> Iterator[Decision]:
    """What the header's lines make of an origin, and what the conditions ask of it."""
    for line in lines:
        yield compile_value(line.value, Scope(unit, level), line.text)
    for child in level.ifs:
        if child.directive is not None:
            condition = compile_condition(child.directive.arguments, Scope(unit, level))
            place = child.directive.name.span
            yield guarded(Decision((Case(Always(), Nothing(), place),)), condition, place)


def _allows(found: Answer | None) -> Tri:
    return Tri.UNKNOWN if found is None else _sends(found.response, ALLOW_ORIGIN)


def _sends(found: Response, name: str) -> Tri:
    """Whether a header is there, with whatever text."""
    if any(line.sent is Tri.YES for line in found.lines(name)):
        return Tri.YES
    return Tri.NO if found.header(name) is Missing.ABSENT else Tri.UNKNOWN


def _preflight_fields(asked: _Asked) -> dict[str, Field]:
    level, found = asked.level, asked.preflight
    place = head(level)
    fields = {"preflight.allows": tri_field(_allows(found), place)}
    if found is None:
        return fields | {"preflight.itself": unknown(place), "preflight.status": unknown(place)}
    refused = _refused_anyway(asked) if found.response.status is None else None
    found = refused or found
    status = found.response.status
    fields["preflight.itself"] = tri_field(~found.passed, place)
    fields["preflight.status"] = unknown(place) if status is None else written(status, place)
    ender = _ender(level, found)
    if ender is not None:
        fields["preflight.by"] = written(title(ender), head(ender))
        if ender.kind == "if" and ender.parent is not None and ender.parent.kind == "location":
            fields["preflight.block"] = written(title(ender), ender.body)
    if found.passed is Tri.NO and status is not None and 200 <= status < 300:
        fields |= _lacking_fields(asked, found, place if ender is None else head(ender))
    for child in level.children:
        block = child.directive
        if child.kind == "limit_except" and block is not None and block.name.span in found.where and block.arguments:
            fields["preflight.excepted"] = written(block.arguments[-1].text, block.arguments[-1].span)
    stopper = _stopper(asked, found)
    if stopper is not None:
        fields["preflight.stopped_by"] = written(stopper.key, stopper.span)
    return fields


def _fields_of_snippet(level: Level) -> dict[str, Field]:
    """The answer to preflights of a location whose server is not known: what its own `if` says is all that counts.

    Only where that `if` has lines of its own, so that nothing around it matters.
    """
    if next((one for one in level.outwards() if one.directive is not None and one.kind == "server"), None) is not None:
        return {}
    around = added_headers(level)
    allowed = [line for line in header_lines(level.own("add_header")) if line.name == ALLOW_ORIGIN and line.text]
    for branch in level.ifs:
        words = branch.directive.arguments if branch.directive is not None else ()
        texts = [word.text for word in words]
        status = next((line.arguments[0].text for line in branch.own("return") if line.arguments), "")
        own = header_lines(branch.own("add_header"))
        if (
            texts != ["$request_method", "=", "OPTIONS"]
            or status not in ("200", "204")
            or not branch.complete
            or not own
        ):
            continue
        if not allowed or inherits_headers(branch) != "on" or any(line.name == ALLOW_ORIGIN for line in own):
            continue
        if any(key.startswith("more_") for one in branch.outwards() for key in one.by_key):
            continue
        place = head(branch)
        fields = {
            "actual.allows": written("yes", head(level)),
            "preflight.itself": written("yes", place),
            "preflight.allows": written("no", place),
            "preflight.lacks": Field((_PROPER[ALLOW_ORIGIN],), "written", place),
            "preflight.by": written(title(branch), place),
            "preflight.block": written(title(branch), branch.body),
        }
        names = {line.name for line in own}
        for line in header_lines(around.directives):
            if line.name in _REPEATED and line.name not in names and line.text:
                fields.setdefault(f"preflight.repeat.{line.name}", written(line.text, line.line.span))
                names.add(line.name)
        fields["preflight.mendable"] = tri_field(tri(_ALLOW_METHODS in names or _ALLOW_HEADERS in names))
        return fields
    return {}


def _refused_anyway(asked: _Asked) -> Answer | None:
    """The answer to a preflight where there is a file, if nginx refuses it as well where there is none."""
    there = asked.ask("OPTIONS", None, WELL._replace(files=asked.file))
    absent = asked.ask("OPTIONS", None, WELL._replace(files=lambda _: "none"))
    for one in (there, absent):
        if one is None or one.passed is not Tri.NO or one.response.status is None or one.response.status < 400:
            return None
    return there


def _ender(level: Level, found: Answer) -> Level | None:
    """The level whose `return` gives this answer."""
    server = next((one for one in level.outwards() if one.kind == "server"), None)
    around = [server, *server.ifs] if server is not None else []
    for one in (*level.ifs, level, *around):
        if one is not None and any(line.name.span in found.where for line in one.own("return")):
            return one
    return None


def _lacking_fields(asked: _Asked, found: Answer, place: Span) -> dict[str, Field]:
    """What an answer to a preflight lacks of what browsers look for, where the answers after it have it."""
    lacks: tuple[str, ...] = ()
    after = asked.actual.response if asked.actual is not None else None
    sent = {name: _sends(found.response, name) for name in _PROPER}
    if sent[ALLOW_ORIGIN] is Tri.NO:
        lacks = (ALLOW_ORIGIN,)
    elif sent[ALLOW_CREDENTIALS] is Tri.NO and after is not None and after.header(ALLOW_CREDENTIALS) == "true":
        lacks = (ALLOW_CREDENTIALS,)
    elif sent[_ALLOW_METHODS] is sent[_ALLOW_HEADERS] is Tri.NO:
        lacks = (_ALLOW_METHODS, _ALLOW_HEADERS)
    elif Tri.UNKNOWN in sent.values():
        return {"preflight.lacks": unknown(place)}
    fields = {"preflight.lacks": Field(tuple(_PROPER[name] for name in lacks), "written", place)}
    for line in _in_reach(asked.level):
        if line.name not in _REPEATED or not line.text:
            continue
        if found.response.lines(line.name):
            if line.line.span in found.where:
                fields.setdefault(f"preflight.gives.{line.name}", written(line.text, line.line.span))
        elif line.name in (_ALLOW_METHODS, _ALLOW_HEADERS) or (asked.actual and line.line.span in asked.actual.where):
            fields.setdefault(f"preflight.repeat.{line.name}", written(line.text, line.line.span))
    there = {name.rpartition(".")[2] for name in fields}
    fields["preflight.mendable"] = tri_field(
        tri(ALLOW_ORIGIN in there and bool({_ALLOW_METHODS, _ALLOW_HEADERS} & there))
    )
    return fields


_REFUSES = response(401)


def _stopper(asked: _Asked, found: Answer) -> Directive | None:
    """The `auth_basic` or `auth_request` that answers a preflight, which never carries a password or a cookie.

    A password that an inner level asks for is none of the pages' for whom an outer one sets the header.
    """
    basic = _decider(asked.level, "auth_basic", found)
    if found.passed is Tri.NO and found.response.status == 401 and basic is not None:
        return basic if _meant_for_pages(asked.level, basic) else None
    subrequest = nearest(asked.level, "auth_request")
    line = subrequest.directives[-1] if subrequest.directives else None
    if line is None or line.span not in found.where or _sees_method(asked.level, line):
        return None
    refused = asked.ask("OPTIONS", None, Surroundings(lambda _: _REFUSES, version=WELL.version))
    if refused is None or refused.passed is not Tri.NO or refused.response.status not in (401, 403):
        return None
    return line if _meant_for_pages(asked.level, line) else None


def _meant_for_pages(level: Level, line: Directive) -> bool:
    """Whether the header is not set further out than a line that asks for a password."""
    owner = added_headers(level).level
    if owner is None or not any(one.name == ALLOW_ORIGIN for one in header_lines(owner.own("add_header"))):
        return True
    return all(line not in one.statements for one in level.outwards() if one is not owner and owner in one.outwards())


def _decider(level: Level, key: str, found: Answer) -> Directive | None:
    """The directive of that name that decided an answer: on the level, around it, or in its `limit_except`."""
    for one in (*(child for child in level.children if child.kind == "limit_except"), *level.outwards()):
        for line in one.own(key):
            if line.span in found.where:
                return line
    return None


def _sees_method(level: Level, line: Directive) -> bool:
    """Whether the subrequest's upstream may learn the method, so that it may let preflights pass."""
    server = next((one for one in level.outwards() if one.kind == "server"), None)
    target = choose(server, line.arguments[0].text).level if server is not None and line.arguments else None
    if target is None:
        return True
    sent = nearest(target, "proxy_set_header")
    return not sent.sure or any("$request" in word.text for one in sent.directives for word in one.arguments)


def _announced(level: Level) -> Field | None:
    """The methods and headers that a level's own lines announce and that are asked for with a preflight.

    What a server announces for all of its locations says little about one of them, unless it has no other.
    """
    added = added_headers(level)
    owner = added.level
    if owner is not level and (owner is None or owner is not level.parent or len(owner.locations) > 1):
        return None
    names: list[str] = []
    place: Span | None = None
    for line in header_lines(added.directives):
        if line.name not in (_ALLOW_METHODS, _ALLOW_HEADERS) or "$" in line.text:
            continue
        listed = [part for each in line.text.split(",") if (part := each.strip())]
        if line.name == _ALLOW_METHODS:
            listed = [part for part in listed if part not in _SIMPLE_METHODS]
        if listed:
            place = place or line.line.span
            names += listed
    return Field(tuple(names), "written", place) if names else None


def _method_fields(asked: _Asked) -> dict[str, Field]:
    """Which methods get the header, and which of those that a preflight is told of do not."""
    place = head(asked.level)
    sent = {method: asked.actual if method == "GET" else asked.ask(method) for method in _METHODS}
    found = {method: _bare(answer) for method, answer in sent.items()}
    bare = [method for method, answer in found.items() if answer is Tri.YES]
    allows = any_of(_allows(answer) for answer in sent.values())
    if allows is Tri.NO and found["GET"] is not Tri.YES:
        allows = Tri.UNKNOWN  # an error, whose cause is another
    fields = {"actual.allows": tri_field(allows, place)}
    line = _line_of(asked.level, asked.preflight, _ALLOW_METHODS)
    if line is None or "$" in line.text:
        return fields
    told = {part.strip() for part in line.text.split(",")}
    forgotten = tuple(method for method in bare if method in told or "*" in told)
    if forgotten:
        fields["forgotten"] = Field(forgotten, "written", line.line.span)
    for child in asked.level.ifs:
        lines = {one.span for one in child.own("add_header")}
        if any(answer is not None and lines & set(answer.where) for answer in sent.values()):
            fields["given_by"] = written(title(child), head(child))
            break
    return fields


def _bare(found: Answer | None) -> Tri:
    """Whether an answer lacks the header although it is no error; unknown for errors, whose cause is another."""
    if found is None:
        return Tri.UNKNOWN
    allows = _sends(found.response, ALLOW_ORIGIN)
    status = found.response.status
    if allows is Tri.NO and status is not None and status >= 400:
        return Tri.UNKNOWN
    return ~allows


def _line_of(level: Level, found: Answer | None, name: str) -> HeaderLine | None:
    """The line that gave an answer a header."""
    for line in _in_reach(level):
        if found is not None and line.name == name and line.line.span in found.where:
            return line
    return None


def _cache_fields(level: Level) -> dict[str, Field]:
    """Whether nginx keeps answers of the upstream, and whether it tells origins apart then."""
    found = nearest(level, "proxy_cache")
    line = found.directives[-1] if found.directives else None
    if line is None or not line.arguments or line.arguments[0].text == "off" or not found.sure:
        return {}
    keys = [nearest(level, key) for key in ("proxy_cache_key", "proxy_cache_bypass", "proxy_no_cache")]
    names = [name for key in keys for one in key.directives for word in one.arguments for name in variables(word.text)]
    by_origin = tri("http_origin" in names)
    if by_origin is Tri.NO and not all(key.sure for key in keys):
        by_origin = Tri.UNKNOWN
    if by_origin is Tri.NO and not all(is_built_in(name) for name in names):
        by_origin = Tri.UNKNOWN  # a `map` or a `set` may look at the origin
    ignored = nearest(level, "proxy_ignore_headers").directives
    ignores = any(word.text.lower() == "vary" for one in ignored for word in one.arguments)
    return {
        "caches": written(line.arguments[0].text, line.span),
        "cache_by_origin": tri_field(by_origin, line.span),
        "cache_ignores_vary": written("yes" if ignores else "no", line.span),
    }
