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
_OWN_NUMBER = re.compile(r"(?<=transport=polling)&t=[\w.-]+")
"""With which the client keeps caches away."""


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
    return tracer.trace(_question(tracer, probe))


def _question(tracer: Tracer, probe: Fetch | Socket | ClientFile | Page) -> Question:
    if isinstance(probe, Fetch):
        headers = tuple(probe.headers.items())
        return Question(probe.origin, probe.url, "fetch", probe.credentials, probe.method, headers)
    if isinstance(probe, Socket):
        path = str(probe.options.get("path", "/socket.io")).strip("/")
        credentials = bool(probe.options.get("withCredentials", probe.client == _OLD_CLIENT))
        transports = probe.options.get("transports", _DEFAULT_TRANSPORTS)
        assert isinstance(transports, list | tuple)
        protocol = 3 if probe.client == _OLD_CLIENT else 4
        url = f"{probe.url.rstrip('/')}/{path}/"
        return Question(probe.origin, url, "socket.io", credentials, transports=tuple(transports), protocol=protocol)
    questions = tracer.questions()
    if isinstance(probe, ClientFile):
        questions = [one for one in questions if one.client is not None and one.client.path.endswith(probe.path)]
    assert questions, "the project's client is not found"
    return questions[0]


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
    if trace.event and not any(trace.event in event for event in seen.events):
        return f"foretold {trace.event!r}, observed {', '.join(seen.events)}"
    return _unsaid(trace, observed)


def _unsaid(trace: Trace, observed: Observation) -> str | None:
    """A message that was foretold and not heard."""
    heard = [_OWN_NUMBER.sub("", line) for line in observed.console]
    # A status has the server's own words behind it: Werkzeug says `BAD REQUEST`.
    patterns = (".*".join(map(re.escape, words.split(NOT_KNOWN))) for words in trace.messages)
    wanted = [re.compile(pattern, re.IGNORECASE) for pattern in patterns]
    if not wanted or any(words.search(line) for words in wanted for line in heard):
        return None
    return f"foretold {' | '.join(trace.messages)}; heard {' | '.join(observed.console) or 'nothing'}"
