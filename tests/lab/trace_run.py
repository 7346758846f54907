"""Traces against the browser: what `corslint trace` foretells, and what Chromium then does."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple
from urllib.parse import urlsplit

from corslint import lint
from corslint.behaviour.console import NOT_KNOWN
from corslint.discovery import contexts
from corslint.model.traces import Question, Trace
from corslint.project.topology import Topology
from corslint.settings import Settings
from corslint.trace import Tracer
from tests.lab.chromium import Chromium
from tests.lab.experiment import Blocked, ClientFile, Expectation, Fetch, NotConnected, Page, Readable, Socket
from tests.lab.installation import ROOT, Tools
from tests.lab.observation import Observation
from tests.lab.run import Running
from tests.lab.trace_cases import Asked, Case

_DEFAULT_TRANSPORTS = ("polling", "websocket")
_OLD_CLIENT = 2
_WAITING = "timeout"
"""What a client says in the end of which nothing is heard as long as the harness listens: it waits for 20 seconds."""
_CHANCE = ((re.compile(r"(?<=transport=polling)&t=[\w.-]+"), ""), (re.compile(r"(?<=&sid=)[\w-]+"), "sid"))
"""The number with which the client keeps caches away, and the name of its session."""


class Compared(NamedTuple):
    """One step. `difference` is None where the browser did as foretold, or nothing was."""

    case: Case
    asked: Asked
    foretold: Trace
    observed: Observation
    difference: str | None


def compare(case: Case, tools: Tools, browser: Callable[[], Chromium]) -> list[Compared]:
    """Trace every step of a case, then take it in the browser."""
    foretold = [(asked, traced(case, asked)) for asked in case.asked]
    found: list[Compared] = []
    with Running(case.experiment, case.side, tools, browser, case.folder) as running:
        for asked, trace in foretold:
            observed = running.observe(asked.probe, _awaited(asked, trace))
            found.append(Compared(case, asked, trace, observed, difference(asked, trace, observed)))
    return found


def traced(case: Case, asked: Asked) -> Trace:
    """What `corslint trace` says of a step."""
    (context,) = contexts([str(case.folder.relative_to(ROOT))], str(ROOT))
    probe = asked.probe
    settings = Settings()
    if isinstance(probe, ClientFile):
        settings = settings._replace(frontends=(probe.origin,))
    elif isinstance(probe, Page):
        parts = urlsplit(probe.url)
        settings = settings._replace(frontends=(f"{parts.scheme}://{parts.netloc}",))
    catalog = lint.knowledge((), examples=False).catalog
    understood = lint.understand(context, settings, None, catalog)
    tracer = lint.tracer(understood, settings, catalog, asked.status, case.environment)
    traces = [tracer.trace(question) for question in _questions(tracer, probe)]
    if isinstance(probe, Page):
        # A page is its own server's, and so are the clients beside that one.
        traces = [one for one in traces if _is_beside(one, understood.topology)] or traces
    return next((one for one in traces if one.verdict != "allowed"), traces[-1])


def _is_beside(trace: Trace, topology: Topology) -> bool:
    """Whether the client stands in the package of a server that answers it."""
    client = trace.question.client
    servers = {topology.package_of(step.span.path) for leg in trace.legs for step in leg.steps if step.span.path}
    return client is not None and topology.package_of(client.path) in servers


def _questions(tracer: Tracer, probe: Fetch | Socket | ClientFile | Page) -> list[Question]:
    """What a page asks, in its order: of one that opens a socket only that, which is what is looked at."""
    if isinstance(probe, Fetch):
        headers = tuple(probe.headers.items())
        return [Question(probe.origin, probe.url, "fetch", probe.credentials, probe.method, headers)]
    if isinstance(probe, Socket):
        return [_of_socket(probe)]
    questions = tracer.questions()
    path = probe.path if isinstance(probe, ClientFile) else urlsplit(probe.url).path
    if isinstance(probe, ClientFile) or any(_is_in(one, path) for one in questions):
        questions = [one for one in questions if _is_in(one, path)]
    assert questions, "the project's client is not found"
    return [one for one in questions if one.kind == "socket.io"] or questions


def _is_in(question: Question, path: str) -> bool:
    return question.client is not None and question.client.path.endswith(path)


def _of_socket(probe: Socket) -> Question:
    options, parts = probe.options, urlsplit(probe.url)
    transports = options.get("transports", _DEFAULT_TRANSPORTS)
    assert isinstance(transports, list | tuple)
    return Question(
        probe.origin,
        f"{parts.scheme}://{parts.netloc}/{str(options.get('path', '/socket.io')).strip('/')}/",
        "socket.io",
        bool(options.get("withCredentials", probe.client == _OLD_CLIENT)),
        transports=tuple(transports),
        protocol=3 if probe.client == _OLD_CLIENT else 4,
        namespace=parts.path or "/",
        tries_all=bool(options.get("tryAllTransports")),
    )


def _awaited(asked: Asked, trace: Trace) -> Expectation:
    """Which line of the console to wait for."""
    said = trace.messages[0] if trace.messages and trace.verdict == "blocked" else None
    if said is None:
        return Readable()
    return Blocked(said) if isinstance(asked.probe, Fetch) else NotConnected(console=said)


def difference(asked: Asked, trace: Trace, observed: Observation) -> str | None:
    """What the browser did otherwise than foretold: verdict, message, transport or event."""
    if trace.verdict == "unknown":
        return None
    if observed.sockets:
        return _socket_difference(trace, observed)
    allowed = observed.status is not None
    if allowed != (trace.verdict == "allowed"):
        return f"foretold {trace.verdict}, observed {observed.summary}"
    return None if allowed else _unsaid(trace, observed)


def _socket_difference(trace: Trace, observed: Observation) -> str | None:
    seen = observed.sockets[0]
    if seen.connected != (trace.verdict == "allowed"):
        return f"foretold {trace.verdict}, observed {observed.summary}"
    if seen.connected:
        same = trace.transport in (None, seen.transport)
        return None if same else f"foretold {trace.transport}, observed {seen.transport}"
    heard = seen.events or (_WAITING,)
    if trace.event and not any(trace.event in event for event in heard):
        return f"foretold {trace.event!r}, observed {', '.join(seen.events)}"
    return _unsaid(trace, observed)


def _without_chance(line: str) -> str:
    for chance, text in _CHANCE:
        line = chance.sub(text, line)
    return line


def _unsaid(trace: Trace, observed: Observation) -> str | None:
    """A message that was foretold and not heard."""
    heard = [_without_chance(line) for line in observed.console]
    # Servers write the words beside a status in letters of their own: `Bad Request`, `BAD REQUEST`.
    wanted = [re.compile(".*".join(map(re.escape, words.split(NOT_KNOWN))), re.IGNORECASE) for words in trace.messages]
    if not wanted or any(words.search(line) for words in wanted for line in heard):
        return None
    return f"foretold {' | '.join(trace.messages)}; heard {' | '.join(observed.console) or 'nothing'}"
