"""Symptoms: how a fault is worded by browsers, clients and servers, and what such a message tells of the request.

A rule lists its symptoms; `corslint/explain` compares them with what a user pasted.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from corslint.model.patterns import Pattern, matches
from corslint.model.tri import Tri, all_of, tri
from corslint.records import NamedTuple

CLUES: Mapping[str, str] = MappingProxyType({
    "browser": "`chromium`, `firefox` or `safari`, by the wording",
    "request": "what made the request: `fetch`, `xhr` or `websocket`",
    "url": "what was asked for",
    "scheme": "of the URL",
    "host": "of the URL",
    "port": "of the URL, also where its scheme says it",
    "path": "of the URL, without the query",
    "loopback": "`yes` where the URL's host is this machine",
    "transport": "of Engine.IO, by the query: `polling` or `websocket`; `none` for every other request",
    "protocol": "of Engine.IO, by the query: `3` for clients of version 2, `4` for later ones",
    "session": "`yes` where the query names a session of Engine.IO, which is then not the first request",
    "origin": "the page's",
    "origin_scheme": "of the page",
    "origin_loopback": "`yes` where the page's host is this machine",
    "same_host": "`yes` where the page and the URL have the same host, whatever the ports",
    "redirected_from": "what the page asked for, before redirects",
    "preflight": "`yes` where it is about the answer to a preflight",
    "credentials": "`include` where the request asked for cookies",
    "value": "the value of the header that is complained of",
    "values": "`same` or `different`, where the value is several",
    "header": "the header that is complained of",
    "method": "the method of the request",
    "status": "the status of the answer",
    "error": "the network error that the browser names",
})  # fmt: skip
"""What a message may tell of the request, by name."""

WEIGHTS = range(1, 10)
USUAL_WEIGHT = 3


class Condition(NamedTuple):
    """What a clue has to be: one of `texts`, or a text in which `pattern` is found."""

    texts: tuple[str, ...] = ()
    pattern: Pattern | None = None

    def holds(self, clue: str | None) -> Tri:
        """Unknown where there is no such clue."""
        if clue is None:
            return Tri.UNKNOWN
        return matches(self.pattern, clue) if self.pattern is not None else tri(clue in self.texts)


class Symptom(NamedTuple):
    """One wording. `{name}` in it stands for any text.

    `weight` says how often the rule's fault is behind this message where all of `where` holds: 9 nearly always, 1
    hardly ever.
    """

    says: str
    where: Mapping[str, Condition] = MappingProxyType({})
    weight: int = USUAL_WEIGHT

    def fits(self, clues: Mapping[str, str]) -> Tri:
        """Whether the conditions hold for a message with these clues."""
        return all_of(condition.holds(clues.get(name)) for name, condition in self.where.items())
