"""Traces (`corslint trace`): text and pictures for people, and JSON, to which fields may be added, never changed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from corslint.model.exchange import NO_ANSWER, Header, Request
from corslint.model.traces import Leg, Question, Step, Trace
from corslint.model.tri import Tri
from corslint.report import neutral, shown_path
from corslint.report._json import dumps
from corslint.source import SourceFile, Span

VERSION = 1
_SHOWN = 100
"""Columns of a source line that are shown."""
OF_CORS = ("access-control-", "vary", "location")
"""How names of headers begin that are shown, in lower case."""

Sources = Callable[[str], SourceFile]
Traced = tuple[Trace, Sources]


# --- text ------------------------------------------------------------------------------------------------------------


def render_text(traces: Sequence[Traced]) -> Iterator[str]:
    """Every trace: what is asked, step by step, and how it ends."""
    for number, (trace, sources) in enumerate(traces):
        yield ("\n" if number else "") + "".join(f"{line}\n" for line in _trace(trace, sources))


def _trace(trace: Trace, sources: Sources) -> Iterator[str]:
    yield neutral(title(trace.question))
    if trace.question.client is not None:
        yield f"  asked at {_place(trace.question.client, sources)}"
    yield from _steps(trace.places, sources)
    shown: list[Leg] = []
    for leg in trace.legs:
        yield ""
        yield neutral(request_line(leg.request, trace.question))
        same = any(
            (one.steps, one.sources, one.assumptions) == (leg.steps, leg.sources, leg.assumptions) for one in shown
        )
        yield from ["  goes the same way"] if same else _way(leg, sources)
        yield from _answer(leg)
        if not same:
            yield from _written(leg, sources)
        shown.append(leg)
    yield ""
    yield from _verdict(trace)


def title(question: Question) -> str:
    """What is asked, in a line."""
    words = {"fetch": "", "socket.io": "  (Socket.IO client)", "websocket": "  (WebSocket)"}[question.kind]
    method = f"  {question.method}" if question.kind == "fetch" and question.method != "GET" else ""
    cookies = "  with credentials" if question.credentials else ""
    return f"{question.origin or 'a page'} -> {question.url}{method}{words}{cookies}"


def _way(leg: Leg, sources: Sources) -> Iterator[str]:
    yield from _steps(leg.steps, sources)


def _steps(steps: Sequence[Step], sources: Sources) -> Iterator[str]:
    for step in steps:
        yield f"  {_place(step.span, sources)}: {neutral(step.text)}"
        yield f"    | {_line(step.span, sources)}"


def _answer(leg: Leg) -> Iterator[str]:
    status = leg.response.status
    then = ", and the connection is closed at once" if leg.response.broken == "closes" else ""
    yield f"  status {'is not known' if status is None else status if status != NO_ANSWER else 'never comes'}{then}"
    for line in leg.response.headers:
        if line.name.lower().startswith(OF_CORS) and line.sent is not Tri.NO:
            yield f"  {neutral(_header(line))}"


def _written(leg: Leg, sources: Sources) -> Iterator[str]:
    for name, span in dict.fromkeys(leg.sources):
        yield f"  {neutral(name)} is written at {_place(span, sources)}"
        yield f"    | {_line(span, sources)}"
    for step in leg.assumptions:
        where = f" ({_place(step.span, sources)})" if step.span.path else ""
        yield f"  assumed: {neutral(step.text)}{where}"


def request_line(request: Request, question: Question) -> str:
    """One request, in a line."""
    if request.kind == "preflight":
        asked = [f"may it be {request.asked_method}?"]
        asked += [f"with {', '.join(request.asked_headers)}?"] if request.asked_headers else []
        return f"preflight: OPTIONS {request.path}: {' '.join(asked)}"
    if request.kind == "upgrade":
        return f"WebSocket handshake: {request.method} {request.path}"
    same = request.server == question.origin
    return f"{request.method} {request.path}{' (same origin: nothing is checked)' if same else ''}"


def _header(line: Header) -> str:
    value = "a value that is not known" if line.value is None else line.value
    return f"{line.name}: {value}{'' if line.sent is Tri.YES else ' (perhaps)'}"


def _verdict(trace: Trace) -> Iterator[str]:
    if trace.allowed is Tri.YES:
        how = f"connects, by {trace.transport}" if trace.transport else "the page gets the answer"
        yield f"allowed: {how if trace.question.kind != 'socket.io' or trace.transport else 'connects'}"
        for message in trace.messages:
            yield f"  in the console all the same: {neutral(message)}"
        return
    if trace.allowed is Tri.NO:
        words = trace.messages or ("the request fails; about CORS the console says nothing",)
        yield f"blocked: {neutral(words[0])}"
        for message in words[1:]:
            yield f"  or: {neutral(message)}"
        if trace.event:
            yield f"  the client's `connect_error` says: {neutral(trace.event)}"
        return
    yield f"unknown: {neutral(trace.reason)}"
    if trace.hint is not None and trace.hint.allowed is not Tri.UNKNOWN:
        said = f": {trace.hint.messages[0]}" if trace.hint.messages else ""
        yield f"  with the variables that files of the project set it would be {trace.hint.verdict}{neutral(said)}"


def _place(span: Span, sources: Sources) -> str:
    if not span.path:
        return "nowhere"
    at = sources(span.path).position(span.start)
    return f"{shown_path(span.path)}:{at.line}:{at.column}"


def _line(span: Span, sources: Sources) -> str:
    if not span.path:
        return ""
    source = sources(span.path)
    text = source.text(source.line_span(source.position(span.start).line)).strip()
    return neutral(text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…")


# --- HTML ---


def render_html(traces: Sequence[Traced]) -> Iterator[str]:
    """Every trace drawn: who is on the way, which headers each adds or drops, and how it ends."""
    from corslint.report import _trace_page

    return _trace_page.render(traces)


# --- JSON ------------------------------------------------------------------------------------------------------------


def render_json(traces: Sequence[Traced]) -> str:
    """All traces as one document."""
    document = {"version": VERSION, "traces": [_object(trace, sources) for trace, sources in traces]}
    return dumps(document) + "\n"


def _object(trace: Trace, sources: Sources) -> dict[str, object]:
    question = trace.question
    return {
        "from": question.origin,
        "to": question.url,
        "kind": question.kind,
        "credentials": question.credentials,
        "method": question.method,
        "headers": [name for name, _ in question.headers],
        "client": None if question.client is None else _where(question.client, sources),
        "verdict": trace.verdict,
        "messages": list(trace.messages),
        "event": trace.event,
        "transport": trace.transport,
        "reason": trace.reason,
        "places": _all_steps(trace.places, sources),
        "hint": None if trace.hint is None else trace.hint.verdict,
        "requests": [_exchange(leg, sources) for leg in trace.legs],
    }


def _exchange(leg: Leg, sources: Sources) -> dict[str, object]:
    request, response = leg.request, leg.response
    return {
        "kind": request.kind,
        "method": request.method,
        "url": f"{request.server or ''}{request.path}",
        "asked_method": request.asked_method,
        "asked_headers": list(request.asked_headers),
        "status": response.status,
        "headers": [{"name": one.name, "value": one.value, "sent": one.sent.value} for one in response.headers],
        "complete": response.complete.value,
        "steps": _all_steps(leg.steps, sources),
        "sources": [{"name": name, **_where(span, sources)} for name, span in dict.fromkeys(leg.sources)],
        "assumptions": _all_steps(leg.assumptions, sources),
    }


def _all_steps(steps: Sequence[Step], sources: Sources) -> list[dict[str, object]]:
    return [{**_where(step.span, sources), "text": step.text} for step in steps]


def _where(span: Span, sources: Sources) -> dict[str, object]:
    if not span.path:
        return {"path": None, "line": None, "column": None}
    at = sources(span.path).position(span.start)
    return {"path": span.path, "line": at.line, "column": at.column}
