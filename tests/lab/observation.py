"""What a probe saw, and whether that is what was expected."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from tests.lab.experiment import (
    Answered,
    Blocked,
    Connected,
    Expectation,
    Fails,
    NotConnected,
    Passes,
    Readable,
    Refused,
)


class SocketSeen(NamedTuple):
    """What became of one socket."""

    connected: bool
    transport: str
    """`polling` or `websocket` at the end; empty where it never connected."""
    events: tuple[str, ...]
    """Its errors, each with description and response as far as the client says them."""


@dataclass(frozen=True)
class Observation:
    """What one probe saw; only the fields of its kind are filled."""

    summary: str
    """In one line, for the table."""
    status: int | None = None
    """Of the answer; in a browser None too where the page may not read it."""
    headers: tuple[tuple[str, str], ...] = ()
    """Names in lower case, in the order of the answer."""
    body: str = ""
    console: tuple[str, ...] = ()
    sockets: tuple[SocketSeen, ...] = ()
    made: bool = True
    """Whether what was to be looked at came to be: a page that makes no socket shows nothing of one."""
    accepted: bool | None = None
    """Of a configuration test."""

    def header(self, name: str) -> str | None:
        """The value of a header, several lines joined; None where it is not sent."""
        values = [value for other, value in self.headers if other == name.lower()]
        return ", ".join(values) if values else None

    def words(self) -> Iterator[str]:
        """Everything in which a user could see a symptom."""
        yield from self.console
        yield self.body
        yield from (event for socket in self.sockets for event in socket.events)


def difference(expected: Expectation, seen: Observation) -> str | None:
    """What of the expectation is not so; None where all of it is."""
    wrong = list(_differences(expected, seen))
    if not wrong:
        return None
    text = f"expected {'; '.join(wrong)}; observed {seen.summary}"
    if seen.console and not isinstance(expected, Answered | Refused):
        text += "; console: " + " | ".join(seen.console)
    return text


def _differences(expected: Expectation, seen: Observation) -> Iterator[str]:
    match expected:
        case Answered():
            yield from _answered(expected, seen)
        case Refused(status):
            if seen.status != status:
                yield f"refused with {status}"
        case Readable(status, body):
            if seen.status is None:
                yield "the page reads the answer"
            elif status not in (None, seen.status):
                yield f"the page reads an answer {status}"
            if body is not None and body not in seen.body:
                yield f"a body with {body!r}"
        case Blocked(console):
            if not seen.made:
                yield "a socket, or a request"
            if seen.status is not None or any(socket.connected for socket in seen.sockets):
                yield "the browser blocks it"
            if not any(console in line for line in seen.console):
                yield f"console has {console!r}"
        case Connected(transport):
            if not (seen.sockets and all(socket.connected for socket in seen.sockets)):
                yield "the socket connects"
            elif transport is not None and any(socket.transport != transport for socket in seen.sockets):
                yield f"connected over {transport}"
        case NotConnected(event, console):
            if not seen.sockets or any(socket.connected for socket in seen.sockets):
                yield "a socket that does not connect"
            if event is not None and not any(event in said for socket in seen.sockets for said in socket.events):
                yield f"connect_error has {event!r}"
            if console is not None and not any(console in line for line in seen.console):
                yield f"console has {console!r}"
        case Passes():
            if seen.accepted is not True:
                yield "nginx accepts it"
        case Fails(says):
            if seen.accepted is not False or says not in seen.body:
                yield f"nginx refuses it and says {says!r}"


def _answered(expected: Answered, seen: Observation) -> Iterator[str]:
    if expected.status is not None and seen.status != expected.status:
        yield f"status {expected.status}"
    if seen.status is None:
        yield "an answer"
    wanted = {
        "access-control-allow-origin": expected.acao,
        "access-control-allow-credentials": expected.acac,
        "access-control-allow-methods": expected.acam,
        "access-control-allow-headers": expected.acah,
        **expected.headers,
    }
    for name, value in wanted.items():
        if value is not None and seen.header(name) != value:
            yield f"{name}: {value} (it is {seen.header(name)})"
    if expected.vary is not None and not _names(expected.vary) <= _names(seen.header("vary") or ""):
        yield f"vary: {expected.vary} (it is {seen.header('vary')})"
    for name in expected.absent:
        if (value := seen.header(name)) is not None:
            yield f"no {name} (it is {value})"
    if expected.body is not None and expected.body not in seen.body:
        yield f"a body with {expected.body!r} (it is {seen.body[:200]!r})"


def _names(value: str) -> set[str]:
    return {name.strip().lower() for name in value.split(",") if name.strip()}
