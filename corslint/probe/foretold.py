"""What the files of a project foretell of the same questions (`corslint trace`), and where the server differs.

What the files leave unknown is no difference. Of an application's own answers the status is not compared: what a route
decides at run time is not foretold.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from urllib.parse import urlsplit, urlunsplit

from corslint.behaviour.browser import Exchange
from corslint.discovery import Context
from corslint.model.exchange import Missing
from corslint.model.traces import Kind, Leg, Trace
from corslint.model.traces import Question as Foretold
from corslint.model.tri import Tri
from corslint.probe import Finding, Question
from corslint.records import NamedTuple
from corslint.settings import Settings
from corslint.source import SourceFile
from corslint.trace import Tracer
from corslint.tracing import tracer_of

_COMPARED = (
    "Access-Control-Allow-Origin",
    "Access-Control-Allow-Credentials",
    "Access-Control-Allow-Methods",
    "Access-Control-Allow-Headers",
)
_LISTS = frozenset({"Access-Control-Allow-Methods", "Access-Control-Allow-Headers"})
_KINDS: dict[str, Kind] = {
    "request": "fetch",
    "preflight": "fetch",
    "socket.io": "socket.io",
    "websocket": "websocket",
}


class Difference(NamedTuple):
    """One thing that the server does otherwise than the files say. `place` is where they say it; empty: nowhere."""

    what: str
    files: str
    server: str
    place: str = ""


class Compared(NamedTuple):
    """What came of one question: `foretold` is the verdict of the files, `differences` what the server does instead."""

    foretold: str
    differences: tuple[Difference, ...]
    reason: str = ""


def compare(
    question: Question, findings: Sequence[Finding], contexts: Iterable[tuple[Context, Settings]]
) -> tuple[Compared, ...]:
    """The findings beside what the first of the projects foretells that knows who answers; one for each finding."""
    tracers = [tracer_of(context, settings) for context, settings in contexts]
    return tuple(_compared(question, found, tracers) for found in findings)


def _compared(question: Question, found: Finding, tracers: Sequence[Tracer]) -> Compared:
    reason = ""
    for tracer in tracers:
        try:
            trace = tracer.trace(_question(question, found))
        except ValueError as error:
            reason = str(error)
            continue
        # A page of https that asks http is blocked whoever answers.
        if trace.allowed is Tri.NO or any(leg.response.status is not None for leg in trace.legs):
            return Compared(_verdict(found, trace), tuple(_differences(found, trace, tracer)), trace.reason)
        reason = trace.reason or reason
    return Compared("unknown", (), reason or "the files do not say who answers there")


def _question(question: Question, found: Finding) -> Foretold:
    method, headers, url = question.method, question.headers, question.url
    if found.kind == "preflight":
        method, headers = "POST", (("Content-Type", "application/json"), *headers)
    if found.kind == "socket.io" and not urlsplit(url).path.strip("/"):
        url = urlunsplit(urlsplit(url)._replace(path="/socket.io/"))
    if found.kind == "websocket":
        url = url.replace("http", "ws", 1)
    kind = _KINDS[found.kind]
    return Foretold(question.origin, url, kind, question.credentials, method, headers, protocol=question.protocol)


def _verdict(found: Finding, trace: Trace) -> str:
    """The verdict over as much of it as was asked."""
    passed_preflight = any(leg.request.kind != "preflight" for leg in trace.legs)
    if found.kind == "preflight" and passed_preflight and trace.legs[0].request.kind == "preflight":
        unknown = trace.allowed is Tri.UNKNOWN and trace.legs[0].response.complete is not Tri.YES
        return "unknown" if unknown else "allowed"
    return trace.verdict


def _differences(found: Finding, trace: Trace, tracer: Tracer) -> Iterator[Difference]:
    foretold = _verdict(found, trace)
    if "unknown" not in (foretold, found.verdict) and foretold != found.verdict:
        yield Difference("verdict", foretold, found.verdict)
    for exchange, leg in zip(found.exchanges, trace.legs, strict=False):
        if (exchange.request.kind, exchange.request.method) != (leg.request.kind, leg.request.method):
            return
        yield from _in_answer(exchange, leg, tracer)


def _in_answer(exchange: Exchange, leg: Leg, tracer: Tracer) -> Iterator[Difference]:
    asked = f"{exchange.request.method} {exchange.request.path}"
    status, seen_status = leg.response.status, exchange.response.status
    if leg.request.kind != "actual" and status is not None and _class(status) != _class(seen_status):
        yield Difference(f"status of {asked}", str(status), str(seen_status))
    places = {name.lower(): span for name, span in leg.sources}
    for name in _COMPARED:
        said, seen = leg.response.header(name), exchange.response.header(name)
        if said is Missing.UNKNOWN or _same(name, said, seen):
            continue
        span = places.get(name.lower())
        place = "" if span is None else _place(tracer.sources(span.path), span.start)
        yield Difference(f"{name} of {asked}", _shown(said), _shown(seen), place)


def _class(status: int | None) -> int | None:
    return None if status is None else status // 100


def _same(name: str, said: str | Missing, seen: str | Missing) -> bool:
    if name in _LISTS and isinstance(said, str) and isinstance(seen, str):
        return _words(said) == _words(seen)
    return said == seen


def _words(value: str) -> set[str]:
    return {word.strip().lower() for word in value.split(",")} - {""}


def _shown(value: str | Missing) -> str:
    return "not sent" if isinstance(value, Missing) else value


def _place(source: SourceFile, offset: int) -> str:
    at = source.position(offset)
    return f"{source.path}:{at.line}:{at.column}"
