"""Declared expectations (`[[expect]]` in the settings) against what a trace foretells, as facts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from corslint.model.facts import ABSENT, UNKNOWN, Fact, Field
from corslint.model.traces import Leg, Trace
from corslint.model.tri import Tri
from corslint.settings import Expectation
from corslint.source import Span
from corslint.trace import Tracer, question_of

_ALLOW_ORIGIN = "access-control-allow-origin"
_BEFORE_THE_REASON = "has been blocked by CORS policy: "
_WORDS = {Tri.YES: "allow", Tri.NO: "block"}


def facts(expectations: Iterable[Expectation], tracer: Tracer) -> Iterator[Fact]:
    """One fact for each expectation."""
    for one in expectations:
        place = Span(one.source, one.start, one.end)
        yield Fact("expectation", place, _fields(one, place, tracer))


def _fields(one: Expectation, place: Span, tracer: Tracer) -> dict[str, Field]:
    fields = {
        "from": Field(one.origin, "written", place),
        "to": Field(one.url, "written", place),
        "verdict": Field(one.verdict, "written", place),
        "method": Field(one.method, "written", place),
        "credentials": Field("yes" if one.credentials else "no", "written", place),
    }
    try:
        asked = question_of(tracer, one.origin, one.url, one.credentials, one.method, one.headers)
        trace = tracer.trace(asked)
    except ValueError:  # no page can ask that
        return {**fields, "holds": UNKNOWN}
    if trace.allowed is Tri.UNKNOWN:
        return {**fields, "foretold": UNKNOWN, "holds": UNKNOWN, "words": UNKNOWN}
    words = trace.messages[0].rpartition(_BEFORE_THE_REASON)[2] if trace.messages else trace.event
    foretold = _WORDS[trace.allowed]
    return {
        **fields,
        "foretold": Field(foretold, "written", place),
        "holds": Field("yes" if foretold == one.verdict else "no", "written", place),
        "words": Field(words, "written", place) if words else ABSENT,
        **_places(trace),
    }


def _places(trace: Trace) -> dict[str, Field]:
    """Where the answer that decides comes from: who gives it, and up to two lines that write the origin it is for."""
    if not trace.legs:
        return {}
    leg: Leg = trace.legs[-1]
    found: dict[str, Field] = {}
    written = [span for name, span in leg.sources if name.lower() == _ALLOW_ORIGIN]
    answering = [
        step.span for step in leg.steps if step.span.path and not any(step.span.covers(span) for span in written)
    ]
    if answering:
        found["answered"] = Field(trace.verdict, "written", answering[-1])
    for name, span in zip(("header", "second_header"), dict.fromkeys(written), strict=False):
        found[name] = Field("Access-Control-Allow-Origin", "written", span)
    return found
