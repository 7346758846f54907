"""What a probe found, as text and as JSON. What a server says goes out through `neutral` or as JSON's own escapes."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from corslint.behaviour.browser import Exchange
from corslint.model.exchange import NO_ANSWER
from corslint.model.tri import Tri
from corslint.probe import Finding, Question
from corslint.probe.attacks import Attack
from corslint.records import NamedTuple
from corslint.report import counted, neutral, shown_path
from corslint.report._json import no_command

if TYPE_CHECKING:
    from corslint.probe.foretold import Compared

_TITLES = {
    "request": "a script's request",
    "preflight": "the preflight of a script that sends JSON",
    "socket.io": "a Socket.IO client",
    "websocket": "a WebSocket",
}
_SHOWN = ("access-control-", "location", "upgrade", "vary")
"""How the names of headers begin that decide, or show what the answer depends on."""


class Tried(NamedTuple):
    """What came of an attacker's origin. `reads`: what it gets; empty for nothing."""

    attack: Attack
    reads: str
    findings: tuple[Finding, ...]

    @property
    def gets_in(self) -> bool:
        """Whether it gets what only the user may have."""
        return self.reads not in ("", PUBLIC)


PUBLIC = "what needs no cookies"
WITH_COOKIES = "with the user's cookies"
SOCKET = "a socket, with the user's cookies"


class Probed(NamedTuple):
    """All that a probe found; `compared` has what the files foretell of each finding, where files were given."""

    question: Question
    findings: tuple[Finding, ...]
    tried: tuple[Tried, ...] = ()
    compared: tuple[Compared, ...] = ()


def status(probed: Probed) -> int:
    """The exit status: 1 where an attacker gets in, and where the server is not as its files foretell.

    Without files: where the page does not get what it asks for.
    """
    if any(one.gets_in for one in probed.tried):
        return 1
    if probed.compared:
        return int(any(one.differences for one in probed.compared))
    return int(any(found.allowed is Tri.NO for found in probed.findings))


# --- text ------------------------------------------------------------------------------------------------------------


def text(probed: Probed) -> Iterator[str]:
    """For people: each request, the lines of its answer that count, and the verdict."""
    for number, found in enumerate(probed.findings):
        yield f"{_TITLES[found.kind]}: {found.verdict}\n"
        for exchange in found.exchanges:
            yield from (f"  {neutral(line)}\n" for line in _exchange(exchange))
        yield from (f"  {neutral(message)}\n" for message in found.messages)
        if found.note:
            yield f"  note: {neutral(found.note)}\n"
        if probed.compared:
            yield from (f"  {line}\n" for line in _beside(probed.compared[number]))
        yield "\n"
    for one in probed.tried:
        yield f"{one.attack.origin} ({one.attack.about}): gets {one.reads or 'nothing'}\n"
    if probed.tried:
        yield "\n"
    yield f"corslint: {_closing(probed)}\n"


def _beside(compared: Compared) -> Iterator[str]:
    """What the files say of it."""
    if compared.foretold == "unknown" and not compared.differences:
        yield (
            f"the files do not say how this ends: {neutral(compared.reason)}"
            if compared.reason
            else "the files do not say how this ends"
        )
        return
    if not compared.differences:
        yield f"as the files say: {compared.foretold}"
    for one in compared.differences:
        yield f"differs: {neutral(one.what)}: {neutral(one.server)}, by the files {neutral(one.files)}"
        if one.place:
            yield f"  --> {shown_path(one.place)}"


def _exchange(exchange: Exchange) -> Iterator[str]:
    request, response = exchange
    origin = "" if request.origin is None else f"  Origin: {request.origin}"
    yield f"> {request.method} {request.server or ''}{request.path}{origin}"
    if request.kind == "preflight":
        asked = ", ".join(request.asked_headers)
        yield f"  asks for {request.asked_method}" + (f" with {asked}" if asked else "")
    yield "< no answer" if response.status == NO_ANSWER else f"< {response.status}"
    yield from (f"< {line.name}: {line.value}" for line in response.headers if line.name.lower().startswith(_SHOWN))


def _closing(probed: Probed) -> str:
    question = probed.question
    blocked = [found for found in probed.findings if found.allowed is Tri.NO]
    way = " with credentials" if question.credentials else ""
    verdict = "blocks" if blocked else "allows"
    said = f"a browser {verdict} what {question.origin} asks of {question.url}{way}"
    if probed.compared:
        count = sum(len(one.differences) for one in probed.compared)
        said += f"; {counted(count, 'difference') if count else 'nothing differs'} from what the files say"
    entered = sum(one.gets_in for one in probed.tried)
    if probed.tried:
        said += f"; {entered} of {len(probed.tried)} attackers get in"
    return neutral(said)


# --- JSON ------------------------------------------------------------------------------------------------------------


def as_json(probed: Probed) -> str:
    """For programs; `version` changes only if a field is dropped or means something else."""
    question = probed.question
    document = {
        "version": 1,
        "url": question.url,
        "origin": question.origin,
        "credentials": question.credentials,
        "questions": [
            {**_finding(found), **(_compared_fields(probed.compared[number]) if probed.compared else {})}
            for number, found in enumerate(probed.findings)
        ],
        "attacks": [
            {
                "origin": one.attack.origin,
                "reads": one.reads or None,
                "gets_in": one.gets_in,
                "questions": [_finding(found) for found in one.findings],
            }
            for one in probed.tried
        ],
    }
    return no_command(json.dumps(document, indent=2)) + "\n"


def _finding(found: Finding) -> dict[str, Any]:
    return {
        "kind": found.kind,
        "verdict": found.verdict,
        "messages": list(found.messages),
        "note": found.note or None,
        "exchanges": [_exchange_fields(exchange) for exchange in found.exchanges],
    }


def _compared_fields(compared: Compared) -> dict[str, Any]:
    return {
        "foretold": compared.foretold,
        "reason": compared.reason or None,
        "differences": [{**one._asdict(), "place": one.place or None} for one in compared.differences],
    }


def _exchange_fields(exchange: Exchange) -> Mapping[str, Any]:
    request, response = exchange
    headers: dict[str, list[str]] = {}
    for line in response.headers:
        headers.setdefault(line.name.lower(), []).append(line.value or "")
    return {
        "kind": request.kind,
        "method": request.method,
        "url": f"{request.server or ''}{request.path}",
        "origin": request.origin,
        "asked_method": request.asked_method,
        "asked_headers": list(request.asked_headers),
        "status": response.status or None,
        "headers": headers,
    }


def reads_of(findings: Sequence[Finding], *, credentials: bool) -> str:
    """What an origin gets whose questions ended like this."""
    if any(found.kind in ("websocket", "socket.io") and found.allowed is Tri.YES for found in findings):
        return SOCKET
    if any(found.kind == "request" and found.allowed is Tri.YES for found in findings):
        return WITH_COOKIES if credentials else PUBLIC
    return ""
