"""Which questions are asked, in which order: of the page's origin, then, if wanted, of attackers'."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from urllib.parse import urlsplit

from corslint.model.decisions import is_loopback
from corslint.model.tri import Tri
from corslint.probe import (
    SAFE_METHODS,
    Answer,
    Ask,
    Finding,
    Question,
    Sent,
    handshake,
    preflight,
    request,
    websocket,
)
from corslint.probe.attacks import Attack, attacks
from corslint.probe.report import Probed, Tried, reads_of

_Way = Callable[[Question, Ask], Finding]


def probe(question: Question, ask: Ask, *, socket: bool, ws: bool, attack: bool) -> Probed:
    """Ask a server: as a Socket.IO client does (`socket`), with a WebSocket (`ws`), else with `fetch`."""
    ways = [way for way, wanted in ((handshake, socket), (websocket, ws)) if wanted]
    findings = [_sendable(question, found) for found in [way(question, ask) for way in ways] or _fetched(question, ask)]
    tried = tuple(_tried(question, one, ways, ask) for one in attacks(question.origin)) if attack else ()
    return Probed(question, tuple(findings), tried)


def _fetched(question: Question, ask: Ask) -> list[Finding]:
    found = [request(question, ask)]
    # One that has to ask first anyway has shown what the server says to that.
    if question.method in SAFE_METHODS and not any(one.request.kind == "preflight" for one in found[0].exchanges):
        found.append(preflight(question, ask))
    return found


def _tried(question: Question, attack: Attack, ways: Sequence[_Way], ask: Ask) -> Tried:
    """What an attacker's page gets: a socket, an answer with the user's cookies, or one without.

    One request tells both of the latter: a server does not see what a browser will make of its answer.
    """
    asked = question._replace(origin=attack.origin, credentials=True)
    if ways:
        found = [_any_way_in(asked, ask) if way is handshake else way(asked, ask) for way in ways]
        findings = tuple(_sendable(asked, one) for one in found)
        return Tried(attack, reads_of(findings, credentials=True), findings)
    simple = asked._replace(method="GET", headers=())
    answers = _Remembered(ask)
    with_cookies = _sendable(simple, request(simple, answers))
    if with_cookies.allowed is not Tri.NO:
        return Tried(attack, reads_of((with_cookies,), credentials=True), (with_cookies,))
    without = _sendable(simple, request(simple._replace(credentials=False), answers))
    return Tried(attack, reads_of((without,), credentials=False), (with_cookies, without))


def _sendable(question: Question, found: Finding) -> Finding:
    """The finding, blocked where no browser sends any of it: Mixed Content, section 4.4, but for this machine."""
    url = urlsplit(question.url)
    if not question.origin.startswith("https://") or url.scheme != "http" or is_loopback(url.hostname or ""):
        return found
    note = "mixed content: a page that came over https may not ask http, so no browser sends this"
    return found._replace(allowed=Tri.NO, messages=(), note=note)


def _any_way_in(asked: Question, ask: Ask) -> Finding:
    """An attacker writes its own client. It begins with the transport that no browser holds against the origin."""
    return handshake(asked, ask, ("websocket", "polling"))


class _Remembered:
    """Asks once what is asked twice in the same words; a cookie makes other words."""

    def __init__(self, ask: Ask) -> None:
        self._ask = ask
        self._known: dict[Sent, Answer] = {}

    def __call__(self, sent: Sent) -> Answer:
        if sent not in self._known:
            self._known[sent] = self._ask(sent)
        return self._known[sent]
