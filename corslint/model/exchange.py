"""One HTTP request as a browser makes it, and one response as far as it is known.

`behaviour/policy.py` says what a server answers, `behaviour/browser.py` what a browser makes of the answer.
"""

from __future__ import annotations

from enum import Enum
from typing import Literal

from corslint.model.tri import Tri, all_of
from corslint.records import NamedTuple

RequestKind = Literal["actual", "preflight", "upgrade"]
"""actual: what the page asked for; preflight: the browser's own OPTIONS before it; upgrade: a WebSocket handshake."""


NO_ANSWER = 0
"""In place of a status: no answer ever comes, or the connection is broken off."""


class Missing(Enum):
    """Why there is no text of a header: it is not sent, or what is sent is not known."""

    ABSENT = "absent"
    UNKNOWN = "unknown"


class Request(NamedTuple):
    """One request, with what servers base their CORS answer on."""

    kind: RequestKind = "actual"
    method: str = "GET"
    path: str = "/"
    """With the query, without scheme and host."""
    origin: str | None = None
    """The value of `Origin`; None: the header is not sent."""
    asked_method: str | None = None
    """A preflight's `Access-Control-Request-Method`."""
    asked_headers: tuple[str, ...] = ()
    """A preflight's `Access-Control-Request-Headers`, in its order: lower case, sorted."""
    cookie: Tri = Tri.NO
    """Whether cookies come along; unknown: they would if the browser has some."""
    server: str | None = None
    """Scheme, host and port that are asked (`https://api.example.com`); None where it makes no difference."""
    names: tuple[str, ...] | None = None
    """The names of all header fields that are sent, in lower case; None where they are not known."""
    turn: int = 1
    """How many times in a row this is asked now, counted from the start of the program."""


class Header(NamedTuple):
    """One line of a response's head."""

    name: str
    """In any case: names are compared without regard to it."""
    value: str | None
    """None: a line is there, its text is not known."""
    sent: Tri = Tri.YES
    """Unknown: the line may be there or not."""
    beside: bool = False
    """Whether it was appended: it stands beside what was written before it, and replaces nothing."""


class Response(NamedTuple):
    """A status and the header lines in their order."""

    status: int | None = None
    """None: not known; `NO_ANSWER`: there is none."""
    headers: tuple[Header, ...] = ()
    complete: Tri = Tri.YES
    """Whether the lines are all that there are; a header that is not listed is unknown otherwise."""
    broken: Literal["waits", "closes"] | None = None
    """What goes wrong with a WebSocket beyond its handshake: nobody answers it, and the connection stays open; or it
    is opened, and closed at once."""
    judged_by: frozenset[str] = frozenset()
    """The libraries that had their say already: some then keep silent when their turn comes again."""

    def lines(self, name: str) -> tuple[Header, ...]:
        """The lines of this name that are or may be sent."""
        wanted = name.lower()
        return tuple(line for line in self.headers if line.name.lower() == wanted and line.sent is not Tri.NO)

    def header(self, name: str) -> str | Missing:
        """The text of a header as a browser reads it: several lines are joined by a comma and a space."""
        lines = self.lines(name)
        if self.complete is not Tri.YES or all_of(line.sent for line in lines) is not Tri.YES:
            return Missing.UNKNOWN
        texts = [line.value.strip(" \t") for line in lines if line.value is not None]
        if len(texts) < len(lines):
            return Missing.UNKNOWN
        return ", ".join(texts) if texts else Missing.ABSENT


def response(status: int | None, *headers: tuple[str, str]) -> Response:
    """A response that is known from end to end."""
    return Response(status, tuple(Header(name, value) for name, value in headers))
