"""Traces as a page to look at: each request drawn from the page to what answers, with the headers that each party adds
or drops, then the answer and the places in the source; in the look of the report (`html.py`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from corslint.model.diagram import Connection, Diagram, Line, Node
from corslint.model.exchange import NO_ANSWER, Header, Request, Response
from corslint.model.traces import Hop, Leg, Question, Trace
from corslint.model.tri import Tri
from corslint.report import counted, listed, shown_path
from corslint.report._drawing import narrow, wide
from corslint.report._excerpt import Sources, place, way
from corslint.report._markup import Markup, breaking, element, joined, prose
from corslint.report._page import document
from corslint.report._placing import Placed
from corslint.report.trace import OF_CORS, Traced, request_line, title
from corslint.source import Span

_MOST = 200
"""Traces that are drawn; the list at the top has all."""
_MOST_LEGS = 20
"""Requests of one trace that are drawn."""
_NO_FINDINGS = Placed({}, {}, {}, ())
_VERDICTS = {"blocked": "error", "unknown": "warning", "allowed": "note"}
"""The severity in whose colours a verdict is shown, the worst first."""
_SIGNS = {"blocked": "✕", "unknown": "?", "allowed": "✓"}


def render(traces: Sequence[Traced]) -> Iterator[str]:
    """The page, in pieces."""
    note = "It read the project's files: nothing was started, and nothing was sent."
    return document(_page_title(traces), "trace", _main(traces), note)


def _page_title(traces: Sequence[Traced]) -> str:
    if len(traces) == 1:
        question = traces[0][0].question
        return f"{question.origin or 'A page'} → {question.url}"
    return "What pages ask"


def _main(traces: Sequence[Traced]) -> Iterator[str]:
    yield element("section", _summary(traces), class_="summary", aria_labelledby="summary-title") + "\n"
    for number, (trace, sources) in enumerate(traces[:_MOST], 1):
        yield _trace(trace, sources, number, alone=len(traces) == 1) + "\n"


# --- summary ---------------------------------------------------------------------------------------------------------


def _summary(traces: Sequence[Traced]) -> Iterator[Markup]:
    yield element("h2", _headline([trace for trace, _ in traces]), id="summary-title")
    if not traces:
        text = "No client in the project says what it talks to: ask with `--from` and `--to`."
        yield element("p", prose(text), class_="lead")
    elif len(traces) == 1:
        yield element("p", _question(traces[0][0].question), class_="lead")
        yield _verdict(traces[0][0])
    else:
        yield element("ol", [_entry(trace, at) for at, (trace, _) in enumerate(traces, 1)], class_="asked")
        if len(traces) > _MOST:
            yield element("p", f"The first {_MOST} are drawn; the format json has all.", class_="cut")


def _headline(traces: Sequence[Trace]) -> str:
    if not traces:
        return "Nothing is asked."
    if len(traces) == 1:
        return {
            "allowed": "The browser lets it through.",
            "blocked": "The browser blocks it.",
            "unknown": "How it ends is not known.",
        }[traces[0].verdict]
    counts = Counter(trace.verdict for trace in traces)
    said = [
        f"{counts[verdict]} {'is' if counts[verdict] == 1 else 'are'} {words}"
        for verdict, words in (("blocked", "blocked"), ("unknown", "not known"), ("allowed", "allowed"))
        if counts[verdict]
    ]
    return f"Of {counted(len(traces), 'request')} {listed(said)}."


def _entry(trace: Trace, number: int) -> Markup:
    text = _titled(trace.question)
    shown = element("a", breaking(text), href=f"#t{number}") if number <= _MOST else breaking(text)
    return element("li", _badge(trace.verdict), " ", element("code", shown))


def _titled(question: Question) -> str:
    return title(question).replace(" -> ", " → ", 1)


def _question(question: Question) -> str:
    how = {
        "fetch": f"asks for it with {question.method}",
        "socket.io": "connects to it with a Socket.IO client",
        "websocket": "opens a WebSocket to it",
    }[question.kind]
    cookies = ", with credentials" if question.credentials else ""
    headers = f", and sets {listed([name for name, _ in question.headers])}" if question.headers else ""
    return f"A page of {question.origin or 'an origin that is not known'} {how}{cookies}{headers}."


def _badge(verdict: str) -> Markup:
    sign = element("span", f"{_SIGNS[verdict]} ", aria_hidden="true")
    return element("span", sign, verdict, class_=f"badge {_VERDICTS[verdict]}")


# --- one trace -------------------------------------------------------------------------------------------------------


def _trace(trace: Trace, sources: Sources, number: int, *, alone: bool) -> Markup:
    question = trace.question
    parts: list[Markup | None] = []
    if alone:
        parts.append(element("h2", "The way there and back", id=f"q{number}"))
    else:
        parts.append(element("h2", element("code", breaking(_titled(question))), id=f"q{number}"))
        parts.append(_verdict(trace))
    if question.client is not None:
        parts.append(element("p", "Asked at ", _linked_place(question.client, sources), ".", class_="quiet"))
    if trace.places:
        parts.append(way([(step.span, step.text) for step in trace.places if step.span.path], sources))
    drawn: list[Leg] = []
    for at, leg in enumerate(trace.legs[:_MOST_LEGS], 1):
        parts.append(_leg(leg, question, sources, f"t{number}r{at}", drawn))
        drawn.append(leg)
    if len(trace.legs) > _MOST_LEGS:
        parts.append(element("p", f"and {len(trace.legs) - _MOST_LEGS} more requests", class_="cut"))
    return element("section", parts, class_="trace", id=f"t{number}", aria_labelledby=f"q{number}")


def _verdict(trace: Trace) -> Markup:
    """How it ends, in the browser's words where it has some."""
    inner: list[Markup | None] = [element("p", _badge(trace.verdict), " ", prose(_outcome(trace)))]
    for at, message in enumerate(trace.messages):
        lead = "The console says" if not at else "or" if trace.allowed is Tri.NO else "and"
        inner.append(element("p", f"{lead}: ", element("q", message, class_="said")))
    if trace.event:
        inner.append(element("p", prose(f"The client's `connect_error` says: {trace.event}")))
    hint = trace.hint
    if hint is not None and hint.allowed is not Tri.UNKNOWN:
        said = f": {hint.messages[0]}" if hint.messages else ""
        words = f"With the variables that files of the project set it would be {hint.verdict}{said}"
        inner.append(element("p", words, class_="quiet"))
    return element("div", inner, class_=f"verdict {_VERDICTS[trace.verdict]}")


def _outcome(trace: Trace) -> str:
    if trace.allowed is Tri.YES:
        if trace.question.kind == "socket.io":
            return f"The client connects, by {trace.transport}." if trace.transport else "The client connects."
        return f"It connects, by {trace.transport}." if trace.transport else "The page gets the answer."
    if trace.allowed is Tri.NO:
        return "" if trace.messages else "The request fails; about CORS the console says nothing."
    return f"{trace.reason[:1].upper()}{trace.reason[1:]}." if trace.reason else ""


# --- one request -----------------------------------------------------------------------------------------------------


def _leg(leg: Leg, question: Question, sources: Sources, name: str, before: Sequence[Leg]) -> Markup:
    same = any(_way_of(one) == _way_of(leg) for one in before)
    parts: list[Markup | None] = [element("h3", element("code", breaking(_heading(leg.request, question))))]
    if same:
        parts.append(element("p", "It goes the same way, and each party does the same.", class_="quiet"))
    else:
        picture = _picture(leg, question, sources)
        parts.append(
            element(
                "div",
                wide(picture, _NO_FINDINGS, {}, f"{name}w"),
                narrow(picture, _NO_FINDINGS, {}, f"{name}n"),
                class_="board",
            )
        )
        parts.append(_in_words(picture, name))
    parts.append(_answer(leg, sources))
    if not same and leg.steps:
        places = [(step.span, f"{at}. {step.text}") for at, step in enumerate(leg.steps, 1) if step.span.path]
        places += [(span, f"{header} is written here") for header, span in dict.fromkeys(leg.sources)]
        if places:
            heading = element("summary", "The places on the way, with their source")
            parts.append(element("details", heading, way(places, sources), open=True))
    return element("section", parts, class_="leg")


def _way_of(leg: Leg) -> object:
    return leg.steps, leg.sources, leg.assumptions, tuple(hop.response.headers for hop in leg.hops)


def _heading(request: Request, question: Question) -> str:
    line = request_line(request, question)
    return f"{line[0].upper()}{line[1:]}"


def _answer(leg: Leg, sources: Sources) -> Markup:
    """The status, the headers that decide, where each is written, and what was taken for granted."""
    lines = [line for line in leg.response.headers if _decides(line) and line.sent is not Tri.NO]
    rows = []
    for name in dict.fromkeys(line.name.lower() for line in lines):
        same = [line for line in lines if line.name.lower() == name]
        spans = [span for header, span in dict.fromkeys(leg.sources) if header.lower() == name]
        rows.append(
            element(
                "tr",
                element("th", element("code", same[0].name), scope="row"),
                element("td", [element("code", _value(line)) for line in same]),
                element("td", [_linked_place(span, sources) for span in spans] or None),
            )
        )
    head = element("tr", [element("th", text, scope="col") for text in ("Header", "Value", "Written at")])
    table = element("table", element("thead", head), element("tbody", rows)) if rows else None
    assumed = [
        element("li", step.text, f" ({_where(step.span, sources)})" if step.span.path else None)
        for step in leg.assumptions
    ]
    taken = joined([element("p", "Taken for granted:"), element("ul", assumed)]) if assumed else None
    nothing = None if rows else element("p", "No header that CORS is about comes back.", class_="quiet")
    return element("div", element("h4", _status(leg.response)), table, nothing, taken, class_="answer")


def _status(response: Response) -> str:
    if response.status is None:
        return "It comes back with a status that is not known"
    if response.status == NO_ANSWER:
        return "No answer ever comes"
    closed = ", and the connection is closed at once" if response.broken == "closes" else ""
    return f"It comes back with status {response.status}{closed}"


def _value(line: Header) -> str:
    value = "a value that is not known" if line.value is None else line.value
    return f"{value}{'' if line.sent is Tri.YES else ' (perhaps)'}"


def _where(span: Span, sources: Sources) -> str:
    return place(sources(span.path), span)


def _linked_place(span: Span, sources: Sources) -> Markup:
    return element("code", breaking(_where(span, sources)), class_="at")


# --- picture ---------------------------------------------------------------------------------------------------------


def _picture(leg: Leg, question: Question, sources: Sources) -> Diagram:
    """The parties of one request: the page, what passes it on, what answers."""
    line = request_line(leg.request, question)
    page = Node("p0", "browser", question.origin or "A page", "", (), tuple(_received(leg.response)))
    nodes, ways = [page], []
    asked = leg.request
    for at, hop in enumerate(leg.hops):
        inner = leg.hops[at + 1] if at + 1 < len(leg.hops) else None
        passes_on = hop.kind == "proxy" or _is_lost(leg)
        nodes.append(_party(hop, inner, f"p{at + 1}", sources, passes_on=passes_on))
        ways.append(_sent(asked, hop.request, f"p{at}", f"p{at + 1}", first=at == 0))
        asked = hop.request
    if not leg.hops or _is_lost(leg):
        nodes.append(Node(f"p{len(nodes)}", "elsewhere", "Not known", "what answers here", (), (), None, False))
        ways.append(
            Connection(
                f"p{len(nodes) - 2}", f"p{len(nodes) - 1}", Tri.UNKNOWN, (), "the files do not say who answers", ()
            )
        )
    return Diagram(line, tuple(nodes), tuple(ways))


def _is_lost(leg: Leg) -> bool:
    """Whether the last party that is known passes the request on to nobody knows whom."""
    return leg.response.complete is not Tri.YES and leg.hops[-1].title == "nginx"


def _party(hop: Hop, inner: Hop | None, name: str, sources: Sources, *, passes_on: bool) -> Node:
    subtitle = _where(hop.span, sources) if hop.span.path else ""
    after = [line for line in hop.response.headers if line.sent is not Tri.NO]
    earlier = [line for line in inner.response.headers if line.sent is not Tri.NO] if inner is not None else []
    lines = [
        *(Line("adds", one.name, _value(one), ()) for one in _without(after, earlier) if _decides(one)),
        *(Line("drops", one.name, "of what comes back", ()) for one in _without(earlier, after) if _decides(one)),
    ]
    title_ = f"{hop.title[0].upper()}{hop.title[1:]}" if hop.title != "nginx" else hop.title
    if inner is None or hop.response.status != inner.response.status:
        lines.append(Line("takes", f"answers with {_short_status(hop.response)}", "", ()))
    return Node(name, "proxy" if passes_on else "server", title_, subtitle, (hop.span.path,), tuple(lines))


def _decides(line: Header) -> bool:
    return line.name.lower().startswith(OF_CORS)


def _without(lines: Sequence[Header], others: Sequence[Header]) -> Iterator[Header]:
    """The lines that are not among the others; of equal ones, so many more as there are."""
    left = Counter((one.name.lower(), one.value, one.sent) for one in others)
    for one in lines:
        key = one.name.lower(), one.value, one.sent
        if left[key] > 0:
            left[key] -= 1
        else:
            yield one


def _received(response: Response) -> Iterator[Line]:
    """What the page's browser gets in the end."""
    yield Line("takes", f"gets {_short_status(response)}", "", ())
    for line in response.headers:
        if _decides(line) and line.sent is not Tri.NO:
            yield Line("takes", f"{line.name.removeprefix('Access-Control-')}: {_value(line)}", "", ())


def _short_status(response: Response) -> str:
    if response.status is None:
        return "a status not known"
    return "nothing" if response.status == NO_ANSWER else f"status {response.status}"


def _sent(before: Request, after: Request, source: str, target: str, *, first: bool) -> Connection:
    """A request on its way from one party to the next, with what the one leaves out."""
    carried = [f"{after.method} {after.path}"]
    if not first and before.origin is not None and after.origin is None:
        carried.append("without Origin")
    if before.kind == "upgrade" and after.kind != "upgrade":
        carried.append("without Upgrade")
    return Connection(source, target, Tri.YES, tuple(carried), "the request", ())


def _in_words(picture: Diagram, name: str) -> Markup:
    """The picture for those who do not see it, and for whatever was too long."""
    titles = {node.id: node.title for node in picture.nodes}
    entries = []
    for node in picture.nodes:
        lines = [
            element(
                "li",
                f"{'' if line.kind == 'takes' else f'{line.kind} '}",
                element("code", line.text),
                f": {line.note}" if line.note else None,
            )
            for line in node.lines
        ]
        lines += [
            element(
                "li",
                "sends " if one.exists is Tri.YES else "perhaps sends it ",
                f"{', '.join(one.carries)} to ",
                element("strong", titles[one.target]),
            )
            for one in picture.connections
            if one.source == node.id
        ]
        where = f", {shown_path(node.subtitle)}" if node.subtitle else None
        entries.append(element("li", element("strong", node.title), where, element("ul", lines) if lines else None))
    return element(
        "details",
        element("summary", "The picture in words"),
        element("ul", entries),
        class_="words",
        id=f"{name}-words",
    )
