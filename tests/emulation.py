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
from typing import Any, NamedTuple
from unittest import mock

from corslint import lint
from corslint.behaviour import policy
from corslint.behaviour.chain import fold, inside_out
from corslint.behaviour.response import NAMES as HEADERS
from corslint.behaviour.response import Responder
from corslint.extract import Policy
from corslint.model.exchange import NO_ANSWER, Header, Missing, Request, Response
from corslint.model.facts import Fact
from corslint.model.responses import Responds
from corslint.model.tri import tri
from corslint.model.versions import Release
from corslint.project.link import Linker
from corslint.settings import Settings
from tests.examples import context_of

ORACLE = Path(__file__).resolve().parent.parent / "fixtures" / "oracle"
OWN = "http://127.0.0.1:3000"
BARE = "bare"
FIELDS = ("status", *HEADERS)

LIBRARIES = {
    "connect": "cors",
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
    (
        "aiohttp-cors",
        "no-defaults",
    ): "no origin is configured, of which corslint makes no policy; preflights are refused",
    ("aiohttp-cors", "route-not-added"): "the route that is asked for is not covered",
    ("blacksheep", "policy-of-route"): "two policies in a row: the route's own one is all that counts",
    ("hapi", "route-wins-over-server"): "two policies: the route's own one is all that counts",
    ("hapi", "route-switches-off"): "two policies: the route's own one is all that counts",
    ("restify-cors-middleware2", "preflight-not-registered"): "half of the library is not used",
    ("restify-cors-middleware2", "actual-before-routing"): "it is run for what has no route, too: how it is put in",
    ("cors", "raw-node-header"): "headers written by hand, Vary among them",
    ("socket.io-2", "handle-preflight-function"): "preflights are answered with headers written by hand",
    ("socket.io-2", "handle-preflight-star"): "preflights are answered with headers written by hand",
    ("socket.io-3", "app-listen-instead-of-server"): "another server listens than the one that it is attached to",
    ("socket.io-4", "app-listen-instead-of-server"): "another server listens than the one that it is attached to",
}
"""Recorded cases that the emulator is not asked about, and why: each answers otherwise than one policy alone would.

What layers make of one another's answers is part of this (`behaviour/chain.py`).
"""

WAITING: dict[str, str] = {
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


class Layer(NamedTuple):
    """A policy of a program that was read. `table` is what the descriptor says, before versions are looked at."""

    policy: Policy
    linker: Linker
    code: policy.ReadCode
    environment: Mapping[str, str] | None
    table: Responds | None
    releases: tuple[Release, ...]

    def responder(self, table: Responds | None = None) -> Responder:
        """What answers for the policy; by another table if one is given."""
        given = self.policy
        if table is not None:
            given = given._replace(semantics=given.semantics._replace(responds=table.under(self.releases)))
        return Responder(given, self.linker, self.code, self.environment)


class Question(NamedTuple):
    """A recorded question: what the application behind the library answers to it, and what was answered."""

    row: Mapping[str, Any]
    request: Request
    inner: Response
    recorded: Answer


class Staged(NamedTuple):
    """A program that was read, and what it was asked. Its policies, from the inside out, can answer again and again."""

    layers: Sequence[Layer]
    questions: Sequence[Question]

    def disagreements(
        self, old: Responds | None = None, new: Responds | None = None
    ) -> Iterator[tuple[Mapping[str, Any], Answer, Answer]]:
        """What is answered otherwise than recorded: the row, what was recorded, what is claimed.

        Where a layer answers by the table `old`, `new` stands in for it.
        """
        responders = [layer.responder(new if layer.table is old else None) for layer in self.layers]
        for row, request, inner, recorded in self.questions:
            claimed = answer_of(fold(responders, request, inner))
            if not same(recorded, claimed):
                yield row, recorded, claimed

    def contradiction(self, old: Responds | None = None, new: Responds | None = None) -> str | None:
        """The first of them in words; None where all agrees."""
        found = next(self.disagreements(old, new), None)
        if found is None:
            return None
        row, recorded, claimed = found
        return f"{row['request']}: answered {recorded}, emulated {claimed}"


def layers(project: Mapping[str, bytes], environment: Mapping[str, str] | None, known: lint.Knowledge) -> list[Layer]:
    """The policies of a program, from the inside out."""
    found: list[tuple[Policy, Layer]] = []
    tables: list[tuple[Responds, Responds, tuple[Release, ...]]] = []
    judge, under = policy.judge, Responds.under

    def spy(given: Policy, linker: Linker, code: policy.ReadCode) -> list[Fact]:
        made = ((table, releases) for one, table, releases in tables if one is given.semantics.responds)
        fact = Fact(given.fact.kind, given.fact.span, dict(given.fact.fields), dict(given.fact.values))
        layer = Layer(given._replace(fact=fact), linker, code, environment, *next(made, (None, ())))
        found.append((given, layer))
        return judge(given, linker, code)

    def noted(table: Responds, releases: tuple[Release, ...]) -> Responds:
        result = under(table, releases)
        tables.append((result, table, releases))
        return result

    with mock.patch.object(policy, "judge", spy), mock.patch.object(Responds, "under", noted):
        understood = lint.understand(context_of(project), Settings(), project, known.catalog)
    by_policy = {id(given.fact): layer for given, layer in found}
    return [by_policy[id(given.fact)] for given in inside_out([given for given, _ in found], understood.facts)]


def stage(recording: Recording, case: str, known: lint.Knowledge) -> Staged:
    """A recorded case, its program read."""
    environment = recording["cases"][case].get("env", {})
    return Staged(layers(files(recording, case), environment, known), questions(recording, case))


def questions(recording: Recording, case: str) -> list[Question]:
    """What a recorded case was asked."""
    return [
        Question(
            row,
            request_of(row, recording),
            inner_answer(row, recording),
            {field: row["answer"][field] for field in FIELDS},
        )
        for row in recording["rows"]
        if row["case"] == case
    ]


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
        names=_sent_names(asked),
    )


def _sent_names(asked: Mapping[str, Any]) -> tuple[str, ...]:
    """The names of the header fields that the recording script sends with a question."""
    named = {"origin": "origin", "cookie": "cookie"}
    if asked["kind"] == "preflight":
        named |= {"method": "access-control-request-method", "headers": "access-control-request-headers"}
    given = [name for key, name in named.items() if asked.get(key) is not None]
    return ("accept-encoding", "connection", "host", *given)


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
    return stage(recording, case, known).disagreements()


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
    return stage(recordings()[name], case, known).contradiction()
