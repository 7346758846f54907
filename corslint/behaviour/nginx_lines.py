"""The lines that add headers on one level of nginx, and what facts say of levels: shared by their producers."""

from __future__ import annotations

from collections.abc import Iterable

from corslint.behaviour.nginx_levels import Level, nearest
from corslint.model.facts import Field
from corslint.model.reading import Directive, Word
from corslint.model.tri import Tri
from corslint.records import NamedTuple
from corslint.source import Span

_new = tuple.__new__
"""Makes a named tuple in half the time: a large configuration has hundreds of thousands of fields."""


def written(value: object, span: Span | None = None) -> Field:
    """A field that stands in the source, or follows from what stands there."""
    return _new(Field, (value, "written", span, (), "high"))


def unknown(span: Span | None = None) -> Field:
    """A field that could not be determined."""
    return Field(None, "unknown", span)


def tri_field(answer: Tri, span: Span | None = None) -> Field:
    """A field that holds yes or no, or is unknown."""
    return unknown(span) if answer is Tri.UNKNOWN else written(answer.value, span)


def head(level: Level) -> Span:
    """The place of a level's name and arguments; the first directive's where no block was read."""
    return level.place


def title(level: Level) -> str:
    """A level as it is written: `location /api/`."""
    directive = level.directive
    return " ".join((directive.key, *(word.text for word in directive.arguments))) if directive else level.kind


class HeaderLine(NamedTuple):
    """One line that adds a header: its name in lower case, its value, where the value and the whole line stand."""

    name: str
    value: Word
    text: str
    always: bool
    line: Directive


def header_lines(lines: Iterable[Directive]) -> list[HeaderLine]:
    """Directives of the form `name value`: `add_header`, `proxy_set_header`."""
    found = []
    for line in lines:
        if len(line.arguments) >= 2:
            name, value = line.arguments[0], line.arguments[1]
            always = len(line.arguments) > 2 and line.arguments[2].text == "always"
            found.append(_new(HeaderLine, (name.text.lower(), value, value.text, always, line)))
    return found


def may_be_cors(lines: Iterable[Directive]) -> list[Directive]:
    """The lines that may be about a CORS header: `control` is in the name of each, and of most that are nearly one."""
    return [line for line in lines if line.arguments and "control" in line.arguments[0].text.lower()]


def replaced(level: Level) -> list[HeaderLine]:
    """`more_set_headers` lines in force: they add up over the levels, and an inner one wins over an outer one."""
    found: dict[str, HeaderLine] = {}
    if not nearest(level, "more_set_headers").directives:
        return []
    for one in reversed(list(level.outwards())):
        for line in one.own("more_set_headers"):
            if any(word.text.startswith("-") for word in line.arguments):
                continue  # only for some statuses or types
            for word in line.arguments:
                name, colon, text = word.text.partition(":")
                if colon:
                    found[name.strip().lower()] = HeaderLine(name.strip().lower(), word, text.strip(), True, line)
    return list(found.values())


def cleared(level: Level) -> dict[str, Directive]:
    """`more_clear_headers` in force, by the name (perhaps with a `*` at its end) in lower case."""
    found: dict[str, Directive] = {}
    if not nearest(level, "more_clear_headers").directives:
        return found
    for one in level.outwards():
        for line in one.own("more_clear_headers"):
            for word in line.arguments:
                if not word.text.startswith("-"):
                    found.setdefault(word.text.lower(), line)
    return found


def own_replaced(level: Level) -> list[HeaderLine]:
    """The level's own `more_set_headers` lines."""
    if not level.own("more_set_headers"):
        return []
    lines = set(level.own("more_set_headers"))
    return [header for header in replaced(level) if header.line in lines]


def part_of(word: Word, text: str) -> Span:
    """The place of a piece at the end of a word; the word's own where escapes make that unsure."""
    end = word.span.end - len(word.quote)
    start = end - len(text.encode())
    plain = word.span.end - word.span.start - 2 * len(word.quote) == len(word.text.encode())
    return Span(word.span.path, start, end) if plain and word.text.endswith(text) else word.span
