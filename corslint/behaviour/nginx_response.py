"""The header lines that nginx adds to a response, replaces or takes away: `add_header` and headers-more."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from corslint.behaviour.nginx_levels import Level, added_headers, nearest
from corslint.behaviour.nginx_request import State
from corslint.behaviour.nginx_values import Evaluator
from corslint.model.exchange import Header
from corslint.model.reading import Directive
from corslint.model.tri import Tri
from corslint.records import NamedTuple

_SAFE = frozenset((200, 201, 204, 206, 301, 302, 303, 304, 307, 308))
"""The statuses with which nginx sends an `add_header` without `always`."""

_REPLACED = frozenset(("etag", "last-modified"))
"""Headers of which `add_header` leaves one line only (ngx_http_set_headers)."""

SPOKEN_FOR = (
    "Access-Control-Allow-Origin", "Access-Control-Allow-Credentials", "Access-Control-Allow-Methods",
    "Access-Control-Allow-Headers", "Access-Control-Expose-Headers", "Access-Control-Max-Age", "Vary",
)  # fmt: skip
"""Headers about which an answer speaks even where others are not known: each is listed if it may be there."""


def maybe_all() -> tuple[Header, ...]:
    """The lines of a response of which nothing is known."""
    return tuple(Header(name, None, Tri.UNKNOWN) for name in SPOKEN_FOR)


class Lines(NamedTuple):
    """Header lines. `sure`: there are no others."""

    headers: tuple[Header, ...]
    sure: bool


def finished(evaluator: Evaluator, state: State, headers: Iterable[Header], status: int | None) -> Lines:
    """The response's lines after headers-more and `add_header`, which run in this order."""
    lines, sure = _more(evaluator, state, list(headers), status)
    added = added_headers(state.conf)
    for line in added.directives:
        _add(evaluator, state, lines, line, status)
    if not added.sure:
        lines += maybe_all()
    return Lines(tuple(lines), sure and added.sure)


def _add(evaluator: Evaluator, state: State, lines: list[Header], line: Directive, status: int | None) -> None:
    if len(line.arguments) < 2:
        return
    always = len(line.arguments) > 2 and line.arguments[2].text == "always"
    if not always and status is not None and status not in _SAFE:
        return
    name = line.arguments[0].text
    value = evaluator.word(line.arguments[1].text)
    sent = ~value.empty
    if not always and status is None and sent is Tri.YES:
        sent = Tri.UNKNOWN
    if name.lower() in _REPLACED and sent is not Tri.UNKNOWN:
        lines[:] = [one for one in lines if one.name.lower() != name.lower()]
    if sent is not Tri.NO:
        state.note(line.span)
        lines.append(_line(name, value.text, sent))


def _line(name: str, text: str | None, sent: Tri) -> Header:
    """A line as it is read: a colon in the name ends it, and the rest of it is part of the value."""
    before, colon, rest = name.partition(":")
    if not colon:
        return Header(name, text, sent)
    return Header(before, None if text is None else f"{rest}: {text}", sent)


# --------------------------------------------------------------------------------------------------------- headers-more


_MORE = ("more_set_headers", "more_clear_headers")


class _Command(NamedTuple):
    clears: bool
    appends: bool
    applies: Tri
    headers: tuple[str, ...]
    line: Directive


def _more(evaluator: Evaluator, state: State, lines: list[Header], status: int | None) -> tuple[list[Header], bool]:
    """`more_set_headers` and `more_clear_headers`, from the outermost level to the innermost."""
    levels = list(state.conf.outwards())
    sure = True
    if not any(key in level.by_key for level in levels for key in _MORE):
        return lines, sure
    for level in reversed(levels):
        sure = sure and level.complete
        if not any(key in level.by_key for key in _MORE):
            continue
        for command in _commands(level, status):
            if command.applies is Tri.NO:
                continue
            state.note(command.line.span)
            for header in command.headers:
                lines = _replaced(evaluator, lines, header, command)
    return lines, sure


def _commands(level: Level, status: int | None) -> Iterator[_Command]:
    for line in level.statements:
        if line.key not in _MORE:
            continue
        applies, appends = Tri.YES, False
        headers = []
        words = iter(line.arguments)
        for word in words:
            if word.text == "-a":
                appends = True
            elif word.text in ("-s", "-t"):
                operand = next(words, None)
                listed = set(re.findall(r"\d+", operand.text)) if operand else set()
                if word.text == "-t" or status is None:
                    applies = Tri.UNKNOWN if applies is Tri.YES else applies
                elif str(status) not in listed:
                    applies = Tri.NO
            else:
                headers.append(word.text)
        yield _Command(line.key == "more_clear_headers", appends, applies, tuple(headers), line)


def _replaced(evaluator: Evaluator, lines: list[Header], header: str, command: _Command) -> list[Header]:
    name, _, text = header.partition(":")
    name = name.strip()
    value = evaluator.word("" if command.clears else text.strip())
    prefix = name[:-1].lower() if name.endswith("*") and command.clears else None

    def concerned(one: Header) -> bool:
        return one.name.lower().startswith(prefix) if prefix is not None else one.name.lower() == name.lower()

    if command.applies is Tri.UNKNOWN or value.empty is Tri.UNKNOWN:
        found = [one._replace(sent=Tri.UNKNOWN) if concerned(one) else one for one in lines]
        return found if command.clears else [*found, Header(name, value.text, Tri.UNKNOWN)]
    if command.appends:
        return [*lines, Header(name, value.text)] if value.empty is Tri.NO else lines
    first = next((number for number, one in enumerate(lines) if concerned(one)), None)
    kept: list[Header] = []
    for number, one in enumerate(lines):
        if not concerned(one):
            kept.append(one)
        elif number == first and value.empty is Tri.NO:
            kept.append(Header(one.name, value.text))
    if first is None and value.empty is Tri.NO:
        kept.append(Header(name, value.text))
    return kept


def compression_varies(conf: Level) -> bool:
    """Whether nginx may send `Vary: Accept-Encoding` of its own."""
    on = nearest(conf, "gzip_vary").directives
    return bool(on) and bool(on[-1].arguments) and on[-1].arguments[0].text == "on"
