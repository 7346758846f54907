"""A settings file, proposed from what a project is found to be: `corslint init`.

Every line rests on something in the project, and says where; what is not known is left out. What is proposed as an
expectation holds today, so that the file makes no finding by itself.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator

from corslint import lint
from corslint.discovery import Context
from corslint.model.decisions import is_loopback
from corslint.model.facts import Fact
from corslint.model.traces import NO_PAGE, Question, Trace
from corslint.model.tri import Tri
from corslint.regexes import regex
from corslint.report import neutral, shown_path
from corslint.settings import FILES, Settings, UsageError
from corslint.source import Span
from corslint.trace import Tracer

NAME = "corslint.toml"
_STRANGER = "https://stranger.example"
_ORIGIN = regex(r"https?://[A-Za-z0-9.-]+(?::\d+)?")
_MOST = 20
"""Origins, and expectations, that are proposed at most."""


def propose(context: Context, settings: Settings) -> str:
    """The text of a settings file for a context that has none."""
    catalog = lint.knowledge(settings.rules, examples=False).catalog
    understood = lint.understand(context, settings, None, catalog)
    facts = [fact for fact in understood.facts if fact.span.path not in context.in_tests]
    place = _Places(understood.project)
    frontends = _frontends(facts)
    tracer = lint.tracer(understood, settings._replace(frontends=tuple(frontends)), catalog)
    parts = ["# Proposed by `corslint init`. Every key is explained in docs/settings.md.\n", _origins(frontends, place)]
    version = lint.nginx_placement(understood.project, settings)
    versions = {version.version(fact.span.path) for fact in facts if fact.kind == "proxy_route"} - {None}
    if len(versions) == 1:
        parts.append(
            f"# The nginx that runs here, by the tag of its image.\nnginx-version = {_quoted(versions.pop())}\n"
        )
    parts += list(_expectations(tracer, place))
    return "\n".join(parts)


def write(folder: str, text: str) -> str:
    """Write the proposal into a folder that has no settings; returns the file's path.

    Raises:
        UsageError: there is a settings file, or it cannot be written.

    """
    for name in FILES:
        path = os.path.join(folder, name)
        if os.path.lexists(path) and (name != "pyproject.toml" or _has_settings(path)):
            raise UsageError(f"{os.path.normpath(path)} is there already: nothing was written")
    path = os.path.normpath(os.path.join(folder, NAME))
    try:
        with open(path, "x", encoding="utf-8") as file:
            file.write(text)
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror}") from None
    return path


def _has_settings(path: str) -> bool:
    try:
        with open(path, "rb") as file:
            return b"[tool.corslint" in file.read(1 << 20)
    except OSError:
        return True


class _Places:
    """Places in words: `server.js:5`."""

    def __init__(self, project: lint.Project) -> None:
        self._project = project

    def __call__(self, span: Span) -> str:
        return f"{shown_path(span.path)}:{self._project.source(span.path).position(span.start).line}"


def _frontends(facts: Iterable[Fact]) -> dict[str, Span]:
    """The origins that policies of the project let in, and where the first of them lists each; development servers
    where there are no others."""
    listed: dict[str, Span] = {}
    local: dict[str, Span] = {}
    for fact in facts:
        text = fact.field("text").value
        if fact.kind == "origin_entry" and isinstance(text, str) and _ORIGIN.fullmatch(text):
            if fact.field("defect").value == "none" and fact.field("layer").value != "dev-server":
                host = text.partition("://")[2].partition(":")[0]
                (local if is_loopback(host) else listed).setdefault(text, fact.span)
        port = fact.field("port").value
        if fact.kind == "dev_server" and isinstance(port, int):
            scheme = "https" if fact.field("https").value == "yes" else "http"
            local.setdefault(f"{scheme}://localhost:{port}", fact.span)
    return dict(list((listed or local).items())[:_MOST])


def _origins(frontends: dict[str, Span], place: _Places) -> str:
    if not frontends:
        return '# Origins of the pages that talk to this project; none was found.\n# frontends = ["https://app.example.com"]\n'
    lines = [f"    {_quoted(origin)},  # {place(span)}" for origin, span in frontends.items()]
    return "\n".join(["# Origins of the pages that talk to this project.", "frontends = [", *lines, "]", ""])


def _expectations(tracer: Tracer, place: _Places) -> Iterator[str]:
    """What holds today of the project's own clients: those that get through, and a stranger that does not."""
    proposed: _Proposed = {}
    asked = [question for question in tracer.questions() if question.origin != NO_PAGE][: _MOST * _MOST]
    traces = [tracer.trace(question) for question in asked]
    # Which of several pages runs a client nobody says: where one of them gets through, it is that one.
    through = {trace.question.client for trace in traces if trace.allowed is Tri.YES}
    for question, trace in zip(asked, traces, strict=True):
        if len(proposed) >= _MOST:
            break
        where = place(question.client) if question.client is not None else ""
        if trace.allowed is Tri.YES:
            _add(proposed, question, "allow", f"asked at {where}")
            stranger = question._replace(origin=_STRANGER)
            if tracer.trace(stranger).allowed is Tri.NO:
                _add(proposed, stranger, "block", "a page that nobody listed")
        elif trace.allowed is Tri.NO and question.client not in through:
            _add_comment(proposed, question, trace, where)
    if not proposed:
        yield (
            "# What browsers have to make of requests, checked on every run.\n"
            '# [[expect]]\n# from = "https://app.example.com"\n# to = "https://api.example.com/items"\n'
            '# verdict = "allow"\n'
        )
        return
    yield "# What browsers have to make of requests, checked on every run."
    yield from proposed.values()


_Proposed = dict[tuple[str, str, bool, str], str]


def _add(proposed: _Proposed, question: Question, verdict: str, why: str) -> None:
    lines = [f"[[expect]]  # {why}", f"from = {_quoted(question.origin)}", f"to = {_quoted(question.url)}"]
    lines += ["credentials = true"] if question.credentials else []
    lines += [f"method = {_quoted(question.method)}"] if question.method != "GET" else []
    lines += [f"headers = {json.dumps([name for name, _ in question.headers])}"] if question.headers else []
    key = (question.origin, question.url, question.credentials, question.method)
    proposed.setdefault(key, "\n".join([*lines, f"verdict = {_quoted(verdict)}", ""]))


def _add_comment(proposed: _Proposed, question: Question, trace: Trace, where: str) -> None:
    words = trace.messages[0] if trace.messages else trace.event or "the request fails"
    key = (question.origin, question.url, question.credentials, question.method)
    text = f"# {where}: a page of {question.origin} is blocked today: {words}\n"
    proposed.setdefault(key, neutral(text.rstrip("\n")) + "\n")


def _quoted(text: str | None) -> str:
    return json.dumps(text or "", ensure_ascii=False)
