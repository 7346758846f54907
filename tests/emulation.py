"""What corslint says that a recorded program answers: the emulator beside the recordings under fixtures/oracle.

The emulator never reads a recording: a program's text goes through the whole pipeline, and its policies are asked. A
recording lends three things: the program, the environment it ran in, and what the application behind the library
answers alone (its case `bare`).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any
from unittest import mock

from corslint import lint
from corslint.behaviour import policy
from corslint.behaviour.chain import fold, inside_out
from corslint.behaviour.response import NAMES as HEADERS
from corslint.behaviour.response import Responder
from corslint.extract import Policy
from corslint.model.exchange import NO_ANSWER, Header, Missing, Request, Response
from corslint.model.facts import Fact
from corslint.model.tri import tri
from corslint.project.link import Linker
from corslint.settings import Settings
from tests.examples import context_of

ORACLE = Path(__file__).resolve().parent.parent / "fixtures" / "oracle"
OWN = "http://127.0.0.1:3000"
BARE = "bare"
FIELDS = ("status", *HEADERS)

LIBRARIES = {
    "flask-cors-3": "flask-cors",
    "django-cors-headers-3": "django-cors-headers",
    "socket.io-3": "socket.io",
    "socket.io-4": "socket.io",
    "starlette-0.22": "starlette",
}
"""The descriptor a recording is about, where it is not the recording's own name."""

COMPANIONS: dict[str, dict[str, str]] = {"python-socketio": {"starlette": "1.10.0"}}
"""Versions of other libraries that a recording was made with (tests/lab/python/requirements.txt)."""

ELSEWHERE: dict[tuple[str, str], str] = {
    ("aiohttp-cors", "no-defaults"): "nothing is configured, so there is no policy to speak of",
    (
        "aiohttp-cors",
        "route-beside-defaults",
    ): "two policies in one: a route adds to the defaults, per origin",
    ("aiohttp-cors", "route-not-added"): "the route that is asked for is not covered",
    ("django-cors-headers", "no-settings"): "nothing is configured, so there is no policy to speak of",
    ("django-cors-headers", "credentials-only"): "nothing is configured, so there is no policy to speak of",
    ("django-cors-headers", "misspelled"): "nothing is configured, so there is no policy to speak of",
    ("django-cors-headers-3", "no-settings"): "nothing is configured, so there is no policy to speak of",
    ("django-cors-headers-3", "credentials-only"): "nothing is configured, so there is no policy to speak of",
    ("django-cors-headers-3", "misspelled"): "nothing is configured, so there is no policy to speak of",
    ("python-socketio", "protocol-3"): "a client of another protocol is refused, whatever the policy",
    ("cors", "raw-node-header"): "headers written by hand, Vary among them",
    ("socket.io-2", "handle-preflight-function"): "preflights are answered with headers written by hand",
    ("socket.io-2", "handle-preflight-star"): "preflights are answered with headers written by hand",
    ("socket.io-2", "path-no-leading-slash"): "the request does not reach it, and nobody else listens",
    ("socket.io-3", "app-listen-instead-of-server"): "another server listens than the one that it is attached to",
    ("socket.io-4", "app-listen-instead-of-server"): "another server listens than the one that it is attached to",
}
"""Recorded cases that are not about the library alone, and why: other tests are for them."""

WAITING: dict[str, str] = {
    "blacksheep": "no descriptor yet",
    "hapi": "no descriptor yet",
    "restify-cors-middleware2": "no descriptor yet",
    "tornado": "headers written by hand, with no library: tests/test_predictions.py compares what is claimed of those",
}
"""Recordings without a descriptor of their own, and why."""

Recording = Mapping[str, Any]
Answer = dict[str, Any]


@cache
def recordings() -> dict[str, Recording]:
    """Every recording by its name."""
    found = [json.loads(path.read_text(encoding="utf-8")) for path in sorted(ORACLE.glob("*@*.json"))]
    return {one["name"]: one for one in found}


def program(recording: Recording, case: str) -> str:
    """The text of a case's program."""
    given = recording["cases"][case]
    if "code" in given:
        return str(given["code"])
    return str(recording["template"]).replace("⟦options⟧", given["options"].rstrip("\n"))


def files(recording: Recording, case: str) -> dict[str, bytes]:
    """The project that a case is: its program, the files beside it and a manifest with the versions."""
    given = recording["cases"][case]
    texts = {**recording.get("files", {}), **given.get("files", {})}
    texts[given.get("file", recording["file"])] = program(recording, case)
    if recording["ecosystem"] == "npm":
        texts["package.json"] = json.dumps({"dependencies": recording["versions"]})
    else:
        versions = {**COMPANIONS.get(recording["name"], {}), **recording["versions"]}
        pins = (f"{package}=={version}\n" for package, version in versions.items())
        texts["requirements.txt"] = "".join(pins)
    return {path: text.encode() for path, text in texts.items()}


def responders(recording: Recording, case: str, known: lint.Knowledge) -> list[Responder]:
    """What answers in a case: one for each policy of the program, from the inside out."""
    environment = recording["cases"][case].get("env", {})
    found: list[tuple[Policy, Responder]] = []
    judge = policy.judge

    def spy(given: Policy, linker: Linker, code: policy.ReadCode) -> list[Fact]:
        found.append((given, Responder(given, linker, code, environment)))
        return judge(given, linker, code)

    project = files(recording, case)
    with mock.patch.object(policy, "judge", spy):
        understood = lint.understand(context_of(project), Settings(), project, known.catalog)
    by_policy = {id(given.fact): one for given, one in found}
    return [by_policy[id(given.fact)] for given in inside_out([given for given, _ in found], understood.facts)]


def request_of(row: Mapping[str, Any], recording: Recording) -> Request:
    """A recorded request."""
    asked = row["request"]
    # White space around a header's value is no part of it (RFC 9110, section 5.5).
    origin = asked["origin"].strip() if asked["origin"] is not None else None
    return Request(
        kind="actual" if asked["kind"] == "get" else asked["kind"],
        method="OPTIONS" if asked["kind"] == "preflight" else "GET",
        path=asked.get("path", recording["path"]),
        origin=OWN if origin == "self" else origin,
        asked_method=asked.get("method"),
        asked_headers=tuple((asked.get("headers") or "").split(",")) if asked.get("headers") else (),
        cookie=tri("cookie" in asked),
        server=OWN,
        turn=asked.get("turn", 1),
    )


def response_of(answer: Answer) -> Response:
    """A recorded answer."""
    named = {**HEADERS, "allow": "Allow"}
    lines = (Header(named[field], answer[field]) for field in named if answer.get(field) is not None)
    return Response(answer["status"] or NO_ANSWER, tuple(lines))


def inner_answer(row: Mapping[str, Any], recording: Recording) -> Response:
    """What the application alone answers: as recorded for the same question, else for one of that kind."""
    without = recording["cases"][row["case"]].get("bare", BARE)
    bare = [one for one in recording["rows"] if one["case"] == without]
    same = [one for one in bare if one["request"] == row["request"]]
    of_kind = [one for one in bare if one["request"]["kind"] == row["request"]["kind"]]
    return response_of((same or of_kind)[0]["answer"])


def answer_of(response: Response) -> Answer:
    """An emulated answer in the form of a recorded one; what is not known is `?`."""
    found: Answer = {"status": "?" if response.status is None else response.status or None}
    for field, name in HEADERS.items():
        value = response.header(name)
        text = "?" if value is Missing.UNKNOWN else None if value is Missing.ABSENT else value
        found[field] = text.strip().replace(OWN, "self") if isinstance(text, str) else text
    return found


def emulated(row: Mapping[str, Any], recording: Recording, layers: Sequence[Responder]) -> Answer:
    """What the emulator says to a recorded question; `layers` from the inside out."""
    return answer_of(fold(layers, request_of(row, recording), inner_answer(row, recording)))


def same(recorded: Answer, claimed: Answer) -> bool:
    """Whether two answers are the same. The order of names is none of a list's meaning (RFC 9110, section 5.6.1).

    Some libraries keep them in sets, whose order differs from run to run.
    """
    return all(_pieces(recorded[field]) == _pieces(claimed[field]) for field in FIELDS)


def _pieces(value: object) -> object:
    if not isinstance(value, str):
        return value
    return sorted(value.replace(", ", ",").split(",")), ", " in value


def disagreements(
    recording: Recording, case: str, known: lint.Knowledge
) -> Iterator[tuple[Mapping[str, Any], Answer, Answer]]:
    """The rows of a case that the emulator answers otherwise: the row, what was recorded, what is claimed."""
    layers = responders(recording, case, known)
    for row in recording["rows"]:
        if row["case"] == case:
            recorded = {field: row["answer"][field] for field in FIELDS}
            claimed = emulated(row, recording, layers)
            if not same(recorded, claimed):
                yield row, recorded, claimed


def recorded_for(descriptor: str) -> list[tuple[str, str]]:
    """The recorded cases (name of the recording, id) that are about a descriptor's policies alone."""
    return [
        (name, case)
        for name, recording in recordings().items()
        if LIBRARIES.get(name, name) == descriptor and name not in WAITING
        for case in recording["cases"]
        if not case.startswith(BARE) and (name, case) not in ELSEWHERE
    ]


def contradiction(name: str, case: str, known: lint.Knowledge) -> str | None:
    """The first answer of a recorded case that is emulated otherwise; None where all agree."""
    found = next(disagreements(recordings()[name], case, known), None)
    if found is None:
        return None
    row, recorded, claimed = found
    return f"{row['request']}: answered {recorded}, emulated {claimed}"
