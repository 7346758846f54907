"""The command `trace`: questions from the command line, or those of the project's clients, to a report and a status."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from urllib.parse import urlsplit

from corslint import lint
from corslint.discovery import Context
from corslint.model.traces import Question, Trace
from corslint.model.tri import Tri
from corslint.records import NamedTuple
from corslint.report import trace as report
from corslint.settings import Settings, UsageError
from corslint.source import Span
from corslint.trace import EXIT_STATUS, Tracer, question_of, worst


class Asked(NamedTuple):
    """What the command line asks. `origin` and `url` are both given or both None."""

    origin: str | None
    url: str | None
    credentials: bool = False
    method: str = "GET"
    headers: Sequence[str] = ()
    status: int | None = None
    env_file: str | None = None


def run(asked: Asked, contexts: Iterable[tuple[Context, Settings]], output_format: str) -> tuple[str, int]:
    """The report, and the exit status.

    Raises:
        UsageError: what is asked is no request that a page can make, or a file cannot be read.

    """
    environment = None if asked.env_file is None else _variables(asked.env_file)
    traced: list[report.Traced] = []
    for context, settings in contexts:
        tracer = tracer_of(context, settings, asked.status, environment)
        traced += [(_traced(tracer, question), tracer.sources) for question in _questions(asked, tracer)]
    if not traced:
        text = "no client in the project says what it talks to: ask with --from and --to\n"
        return (text if output_format == "text" else _written([], output_format)), EXIT_STATUS[Tri.UNKNOWN]
    found = [trace for trace, _ in traced]
    return _written(traced, output_format), worst(found)


def _written(traced: Sequence[report.Traced], output_format: str) -> str:
    if output_format == "json":
        return report.render_json(traced)
    return "".join(report.render_html(traced) if output_format == "html" else report.render_text(traced))


def tracer_of(
    context: Context, settings: Settings, status: int | None = None, environment: Mapping[str, str] | None = None
) -> Tracer:
    """Reads one context."""
    catalog = lint.knowledge(settings.rules, examples=False).catalog
    understood = lint.understand(context, settings, None, catalog)
    return lint.tracer(understood, settings, catalog, status, environment)


class Elsewhere:
    """Which parts of a project's servers have no part in what a message is about, by what it tells of the request."""

    def __init__(self, contexts: Iterable[tuple[Context, Settings]]) -> None:
        """The contexts are read again when this is first asked."""
        self._contexts = tuple(contexts)
        self._tracers: tuple[Tracer, ...] | None = None

    def __call__(self, clues: Mapping[str, str]) -> tuple[Span, ...]:
        """Parts of servers and of proxies; nothing where the message does not tell enough."""
        if self._tracers is None:
            self._tracers = tuple(tracer_of(context, settings) for context, settings in self._contexts)
        return tuple(span for tracer in self._tracers for span in _elsewhere(tracer, clues))


def _elsewhere(tracer: Tracer, clues: Mapping[str, str]) -> tuple[Span, ...]:
    url, parts = clues["url"].partition("?")[0], urlsplit(clues["url"])
    own = f"{'https' if parts.scheme in ('https', 'wss') else 'http'}://{parts.netloc}"
    try:
        question = question_of(tracer, clues.get("origin", own), url)
    except ValueError:
        return ()
    if clues.get("transport") == "websocket":
        question = question._replace(transports=("websocket",))
    return tracer.elsewhere(question)


def _questions(asked: Asked, tracer: Tracer) -> list[Question]:
    if asked.origin is None or asked.url is None:
        return tracer.questions()
    try:
        return [question_of(tracer, asked.origin, asked.url, asked.credentials, asked.method, asked.headers)]
    except ValueError as error:
        raise UsageError(str(error)) from None


def _traced(tracer: Tracer, question: Question) -> Trace:
    try:
        return tracer.trace(question)
    except ValueError as error:
        return Trace(question, Tri.UNKNOWN, reason=str(error))


def _variables(path: str) -> dict[str, str]:
    """The variables of a file of `NAME=VALUE` lines.

    Raises:
        UsageError: it cannot be read, or a line is none of these; the text names file and line.

    """
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            lines = file.read().splitlines()
    except OSError as error:
        raise UsageError(f"--env-file {path}: {error.strerror}") from None
    found = {}
    for number, line in enumerate(lines, 1):
        text = line.strip().removeprefix("export ").strip()
        if not text or text.startswith("#"):
            continue
        name, equals, value = text.partition("=")
        if not equals or not name.strip().replace("_", "a").isalnum():
            raise UsageError(f"{path}:{number}: this is not NAME=VALUE")
        found[name.strip()] = _unquoted(value.strip())
    return found


def _unquoted(text: str) -> str:
    for quote in ("'", '"'):
        if len(text) > 1 and text.startswith(quote) and text.endswith(quote):
            return text[1:-1]
    return text.partition(" #")[0].strip()
