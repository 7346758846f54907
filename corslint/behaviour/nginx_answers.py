"""What a level of a configuration answers to the requests that matter: questions to the model, for facts.

A level of a configuration is asked with a path that reaches it, and with the origins that it speaks of, a stranger's,
`null` and none. Where a question has no known answer, `None` says so.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from corslint.behaviour.nginx_levels import Level, Unit, pattern_of
from corslint.behaviour.nginx_machine import Configuration, answer
from corslint.behaviour.nginx_request import Answer, Surroundings, incoming
from corslint.behaviour.nginx_values import first_name
from corslint.model.decisions import All, Any, Atom, Decision, Not, Predicate
from corslint.model.exchange import Header, Request, RequestKind, response
from corslint.model.patterns import Pattern, samples
from corslint.model.tri import Tri
from corslint.records import NamedTuple

STRANGER = "https://stranger.invalid"
_ORIGINS = 12
"""Most listed origins that are tried."""
_QUESTIONS = 2000
"""Most questions about one configuration: one of ten thousand locations must not take minutes."""

WELL = Surroundings(lambda _: response(200), version=(1, 22, 1))
"""Upstreams that answer 200 and send no CORS headers themselves. The version makes no difference to what is asked."""


class Asked(NamedTuple):
    """A request to a level, and the answer."""

    kind: RequestKind
    origin: str | None
    answer: Answer


class Answers:
    """Answers of the levels of one configuration, which is prepared when the first is asked for."""

    def __init__(self, unit: Unit) -> None:
        self._unit = unit
        self._configuration: Configuration | None = None
        self._asked = 0

    @property
    def configuration(self) -> Configuration:
        """The configuration, ready to answer."""
        if self._configuration is None:
            self._configuration = Configuration(self._unit)
        return self._configuration

    def ask(
        self, level: Level, kind: RequestKind, origin: str | None, surroundings: Surroundings = WELL
    ) -> Answer | None:
        """The answer of a server or location to a request that reaches it; None where none is known to."""
        server = _server_of(level)
        self._asked += 1
        if server is None or self._asked > _QUESTIONS:
            return None
        place = level.directive.name.span if level.directive is not None else None
        for path in paths_to(level):
            method = {"preflight": "OPTIONS", "upgrade": "GET"}.get(kind, "GET")
            asked_method = "PUT" if kind == "preflight" else None
            request = incoming(Request(kind, method, path, origin, asked_method))
            found = answer(self.configuration, request, surroundings, server)
            if place in found.where:
                return found
        return None

    def path(self, level: Level) -> str | None:
        """A path with which a plain request reaches a level; None where none is known to."""
        server = _server_of(level)
        place = level.directive.name.span if level.directive is not None else None
        for path in sorted(paths_to(level), key=lambda path: path.endswith("/")) if server is not None else ():
            found = self.send(level, path, "actual", "GET", None)
            if found is not None and place in found.where:
                return path
        return None

    def send(
        self,
        level: Level,
        path: str,
        kind: RequestKind,
        method: str,
        origin: str | None,
        surroundings: Surroundings = WELL,
    ) -> Answer | None:
        """The answer of a level's server to one request, whichever location takes it; `method` is what a preflight
        asks for. None where there is no server, or too much was asked already."""
        server = _server_of(level)
        self._asked += 1
        if server is None or self._asked > _QUESTIONS:
            return None
        asked_method = method if kind == "preflight" else None
        own = "OPTIONS" if kind == "preflight" else method
        request = incoming(Request(kind, own, path, origin, asked_method, server=_address_of(server)))
        if kind == "preflight":  # it carries no password, whatever the request after it does (Fetch, 4.8)
            request = request._replace(headers=(*request.headers, Header("Authorization", None, Tri.NO)))
        return answer(self.configuration, request, surroundings, server)

    def at(self, server: Level, path: str) -> Answer | None:
        """The answer of a server to a plain request for a path; None where there were too many questions."""
        self._asked += 1
        if self._asked > _QUESTIONS:
            return None
        return answer(self.configuration, incoming(Request("actual", "GET", path)), WELL, server)

    def never_twice(self, level: Level, name: str, origins: Iterable[str | None]) -> bool:
        """Whether a header surely comes at most once from a level: to plain requests, and to preflights.

        An `if` counts where one of these requests passes through it.
        """
        around = level.parent if level.kind == "if" and level.parent is not None else level
        asked = list(self._all(around, origins))
        if not all(_at_most_once(one, name) for one in asked):
            return False
        place = level.directive.name.span if level.directive is not None else None
        return any(one is not None and place in one.answer.where for one in asked)

    def _all(self, level: Level, origins: Iterable[str | None]) -> Iterator[Asked | None]:
        for origin in origins:
            for kind in _KINDS:
                found = self.ask(level, kind, origin)
                yield None if found is None else Asked(kind, origin, found)


_KINDS: tuple[RequestKind, ...] = ("actual", "preflight")


def _server_of(level: Level) -> Level | None:
    return next((one for one in level.outwards() if one.kind == "server" and one.directive is not None), None)


def _address_of(server: Level) -> str:
    """An address under which browsers ask for a server: its name, with TLS where it listens so."""
    words = [word.text for line in server.own("listen") for word in line.arguments]
    secure = "ssl" in words or any(re.fullmatch(r"(?:.*:)?443", word) for word in words)
    name = first_name(server)
    plain = name is not None and re.fullmatch(r"[a-z0-9.-]+", name) is not None
    return f"{'https' if secure else 'http'}://{name if plain else 'localhost'}"


def paths_to(level: Level) -> list[str]:
    """Paths that may be the level's: its own name, something below it, what its pattern accepts."""
    if level.kind == "server":
        return ["/"]
    modifier, text, _ = pattern_of(level)
    if modifier == "@" or not text:
        return []
    if modifier in ("~", "~*"):
        found = samples(Pattern(text, "i" if modifier == "~*" else "", "pcre", "search"))
        return [path if path.startswith("/") else f"/{path}" for path in found[:4]]
    below = [] if modifier == "=" else [text.rstrip("/") + "/x"]
    return [text, *below]


def origins_of(decisions: Iterable[Decision]) -> tuple[str | None, ...]:
    """The origins that decisions speak of, a stranger's, `null`, and none."""
    found: dict[str | None, None] = {}
    for decision in decisions:
        for case in decision.cases:
            for text in _spoken_of(case.predicate):
                if len(found) < _ORIGINS:
                    found[text] = None
    return (*found, STRANGER, *(one for one in ("null", None) if one not in found))


def _spoken_of(predicate: Predicate) -> Iterator[str]:
    pending = [predicate]
    while pending:
        one = pending.pop()
        if isinstance(one, Not):
            pending.append(one.part)
        elif isinstance(one, (All, Any)):
            pending.extend(one.parts)
        elif isinstance(one, Atom) and one.operand:
            if isinstance(one.operand, str):
                yield one.operand
            else:
                yield from samples(one.operand)[:2]


def passes_upgrade(found: Answer | None) -> Tri:
    """Whether a WebSocket handshake reaches an upstream as one: with `Upgrade`, and `upgrade` in `Connection`."""
    if found is None or found.passed is not Tri.YES or found.upstream is None:
        return Tri.UNKNOWN
    request = found.upstream
    if request.complete is Tri.UNKNOWN and any(one.sent is Tri.UNKNOWN for one in request.headers):
        return Tri.UNKNOWN
    upgrade, connection = request.header("upgrade"), request.header("connection")
    if upgrade is None or connection is None:
        return Tri.NO
    if upgrade.value is None or connection.value is None or Tri.UNKNOWN in (upgrade.sent, connection.sent):
        return Tri.UNKNOWN
    holds = upgrade.value.lower() == "websocket" and "upgrade" in connection.value.lower()
    return Tri.YES if holds else Tri.NO


def _at_most_once(one: Asked | None, name: str) -> bool:
    if one is None or one.answer.response.status is None:
        return False
    lines = one.answer.response.lines(name)
    return len(lines) < 2 and all(line.sent is Tri.YES for line in lines)
