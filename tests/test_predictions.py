"""What corslint says of a policy is what the real library answered (fixtures/oracle).

Every recorded program is linted in memory, with a manifest that names the recorded versions. The environment of a case
is not told: a variable is unknown to the linter, as it is in a repository. Whatever is claimed has to agree with the
recording; "unknown" is allowed, but each library has a floor of claims, so that knowing nothing cannot pass.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from functools import cache
from http import HTTPStatus
from pathlib import Path
from typing import Any, NamedTuple
from unittest import mock

import pytest

from corslint import lint
from corslint.behaviour import policy
from corslint.extract import Policy
from corslint.model.decisions import (
    Answer,
    Decision,
    Echo,
    Fixed,
    Hang,
    Nothing,
    Own,
    Raise,
    Refuse,
    Star,
    UnknownAnswer,
    answer,
    possible_origin,
)
from corslint.model.facts import Fact
from corslint.settings import Settings
from tests.examples import context_of

ORACLE = Path(__file__).resolve().parent.parent / "fixtures" / "oracle"
WAITING = ("ws",)
"""Recordings of handshakes alone, with no policy of responses: tests/test_agreement.py compares those."""

NAMES = sorted({path.name.removesuffix(".cases.yaml") for path in ORACLE.glob("*.cases.yaml")} - set(WAITING))
BARE = "bare"
"""Cases whose name begins so are programs without the library."""

LIBRARIES = {
    "connect": "cors",
    "django-cors-headers-3": "django-cors-headers",
    "flask-cors-3": "flask-cors",
    "starlette-0.22": "starlette",
    "socket.io-3": "socket.io",
    "socket.io-4": "socket.io",
    "tornado": "raw-python",
}
"""The descriptor a recording is about, where it is not the recording's own name."""

BESIDES = {
    "cors": "raw-node",
    "flask-cors": "raw-python",
    "flask-cors-3": "raw-python",
    "starlette": "raw-python",
    "starlette-0.22": "raw-python",
}
"""Recordings also have programs that write the header by hand: the descriptor that counts without a library's call."""

ELSEWHERE = {
    ("cors", "callback-returns"): "the request hangs for ever",
    ("socket.io-2", "path-no-leading-slash"): "the path that is asked for is not the server's",
    ("aiohttp-cors", "route-not-added"): "the route that is asked for is not covered",
    ("flask-cors", "resources-prefix"): "the path that is asked for is no resource",
    ("flask-cors", "resources-other-path"): "the path that is asked for is no resource",
    ("restify-cors-middleware2", "no-options"): "the program stops, as it is given no options",
    ("robyn", "empty-list"): "nobody is let in; what refuses them has the headers all the same",
    ("sanic-cors", "resources-prefix"): "the path that is asked for is no resource",
    ("sanic-cors", "resources-other-path"): "the path that is asked for is no resource",
    ("django-cors-headers", "urls-regex-elsewhere"): "the path that is asked for is not covered",
    ("starlette", "methods-none"): "the program stops because of another option",
    ("starlette", "headers-none"): "every request ends in an error because of another option",
    **{
        ("blacksheep", case): "the method of the request is refused, whatever its origin"
        for case in ("star", "methods-post-alone", "methods-empty")
    },
    **{
        (name, case): why
        for name in ("socket.io-3", "socket.io-4")
        for case, why in {
            "path-no-leading-slash": "the path that is asked for is not the server's",
            "path-request-without-slash": "the path that is asked for is not the server's",
            "app-listen-instead-of-server": "another server listens",
            "express-app-instead-of-server": "the program stops because of what the socket server is given",
        }.items()
    },
}
"""Cases whose request does not get as far as the policy (a subject of other facts)."""

COMBINED = {
    ("cors", "middleware-then-route"): "two policies in a row: the second one replaces the header",
    ("aiohttp-cors", "route-beside-defaults"): "the route adds to the defaults",
    ("flask-cors", "init-app"): "one call makes the extension, another gives it its options",
    ("blacksheep", "policy-of-route"): "the route's own policy wins over the application's",
    ("hapi", "route-wins-over-server"): "the route's own policy wins over the server's",
    ("hapi", "route-switches-off"): "the route's own policy wins over the server's",
    ("flask-cors", "decorator-under-extension"): "the decorator wins over the extension",
    ("starlette", "added-twice"): "two middlewares, the outer one wins",
    ("socket.io-4", "engine-use-cors"): "the engine's own middleware adds the headers",
    ("python-socketio", "fastapi-mounted-list"): "the middleware around it adds a second header",
    ("python-socketio", "fastapi-mounted-default"): "the middleware around it adds a header",
}
"""Cases in which no policy answers alone; folding layers is for `behaviour/chain.py`."""

SILENT = {
    ("aiohttp-cors", "no-defaults"): "nothing is configured, so there is nothing to speak of",
    ("django-cors-headers", "middleware-missing"): "the settings are not read",
    ("sanic-ext", "no-configuration"): "nothing is configured, so there is nothing to speak of",
    ("sanic-ext", "none"): "nothing is configured, so there is nothing to speak of",
    ("socket.io-2", "destructured-server"): "version 2 has no such export; the program stops",
    ("tornado", "nothing-but-methods"): "no header about origins is set",
}
"""Cases without a policy. The recordings have no header from anybody there."""

OLDER = {"django-cors-headers-3": "django-cors-headers", "flask-cors-3": "flask-cors", "starlette-0.22": "starlette"}
"""Recordings that take over the cases of a newer version."""

for exceptions in (ELSEWHERE, COMBINED, SILENT):
    exceptions |= {
        (older, case): why for (name, case), why in exceptions.items() for older in OLDER if OLDER[older] == name
    }
ELSEWHERE["starlette-0.22", "star-credentials-without-cookie"] = "what is claimed is what a request with cookies gets"
ELSEWHERE["starlette-0.22", "star-cookie"] = "without credentials a cookie makes no difference to a page"

FLOORS = {
    "blacksheep": 90,
    "bottle-cors-plugin": 90,
    "aiohttp-cors": 86,
    "connect": 91,
    "cors": 91,
    "django-cors-headers": 90,
    "django-cors-headers-3": 90,
    "fastify-cors": 90,
    "fastify-cors-6": 90,
    "elysia-cors": 85,
    "falcon": 86,
    "flask-cors": 90,
    "flask-cors-3": 90,
    "flask-socketio": 92,
    "h3-cors": 90,
    "h3-cors-1": 90,
    "hapi": 85,
    "hono-cors": 70,
    "koa-cors": 85,
    "koa-cors-3": 85,
    "koa-cors-4": 85,
    "koa2-cors": 85,
    "litestar": 90,
    "python-engineio": 91,
    "python-socketio": 91,
    "quart-cors": 90,
    "restify-cors-middleware2": 85,
    "robyn": 88,
    "sanic-cors": 90,
    "sanic-ext": 92,
    "socket.io-2": 92,
    "socket.io-3": 95,
    "socket.io-4": 95,
    "starlette": 89,
    "starlette-0.22": 89,
    "tornado": 92,
    "vite": 85,
}
"""Percent of the questions (what a stranger gets, credentials, `null`) to which corslint has an answer."""

STRANGER = "https://evil.example"
OWN = "http://127.0.0.1:3000"


class Prediction(NamedTuple):
    """The library's policy in a case and what it decides, and the origins that it lists."""

    fact: Fact
    decision: Decision
    same_origin: bool
    entries: tuple[Fact, ...]


@cache
def _recordings() -> dict[str, dict[str, Any]]:
    found = [json.loads(path.read_text(encoding="utf-8")) for path in ORACLE.glob("*@*.json")]
    return {one["name"]: one for one in found}


@cache
def recording(name: str) -> dict[str, Any]:
    """A recording, each case with its program and its answers."""
    found = _recordings()[name]
    answers: dict[str, list[dict[str, Any]]] = {}
    for row in found["rows"]:
        request = {**row["request"], "origin": row["request"]["origin"] or "none"}
        answers.setdefault(row["case"], []).append({**request, **row["answer"]})
    cases = [
        {
            "file": found["file"],
            "code": found.get("template", "").replace("⟦options⟧", case.get("options", "").rstrip("\n")),
            "raises": None,
            **case,
            "id": key,
            "answers": answers.get(key, []),
        }
        for key, case in found["cases"].items()
        if not key.startswith(BARE)
    ]
    return {**found, "cases": cases}


def _cases() -> Iterator[Any]:
    for name in NAMES:
        for case in recording(name)["cases"]:
            yield pytest.param(name, case, id=f"{name}-{case['id']}")


def _files(name: str, case: Mapping[str, Any]) -> dict[str, bytes]:
    whole = recording(name)
    texts = {**whole.get("files", {}), **case.get("files", {}), case["file"]: case["code"]}
    if whole["ecosystem"] == "npm":
        texts["package.json"] = json.dumps({"dependencies": whole["versions"]})
    else:
        texts["requirements.txt"] = "".join(f"{package}=={version}\n" for package, version in whole["versions"].items())
    return {path: text.encode() for path, text in texts.items()}


def predictions(name: str, case: Mapping[str, Any], known: lint.Knowledge) -> list[Prediction]:
    """What is said of the recorded library in a case."""
    decisions: dict[int, tuple[Decision, bool]] = {}
    judge = policy.judge

    def spy(given: Policy, *rest: Any) -> list[Fact]:
        decisions[id(given.fact)] = policy.decided(given, *rest)
        return judge(given, *rest)

    files = _files(name, case)
    with mock.patch.object(policy, "judge", spy):
        facts = lint.understand(context_of(files), Settings(), files, known.catalog).facts
    return [
        Prediction(
            fact,
            *decisions[id(fact)],
            tuple(
                entry
                for entry in facts
                if entry.kind == "origin_entry" and entry.field("policy").value == fact.field("instance").value
            ),
        )
        for fact in _policies(facts, LIBRARIES.get(name, name)) or _policies(facts, BESIDES.get(name))
    ]


def recorded_for(descriptor: str) -> list[tuple[str, dict[str, Any]]]:
    """The recorded cases (name of the recording, case) that say something about a descriptor."""
    return [
        (name, case)
        for name in NAMES
        if descriptor in (LIBRARIES.get(name, name), BESIDES.get(name))
        for case in recording(name)["cases"]
    ]


def contradiction(name: str, case: Mapping[str, Any], known: lint.Knowledge) -> str | None:
    """What is claimed about a case and was not answered so; None where everything claimed is right."""
    if (name, case["id"]) in COMBINED or (name, case["id"]) in ELSEWHERE:
        return None
    found = predictions(name, case, known)
    expected = 0 if (name, case["id"]) in SILENT else 1
    if len(found) != expected:
        return f"{len(found)} policies are found, not {expected}"
    if not found:
        answered = [given for given in case["answers"] if given["acao"] is not None]
        return f"nothing is said, but there is an answer: {_shown(answered[0])}" if answered else None
    return "\n".join(_disagreements(found[0], case)) or None


def _policies(facts: list[Fact], library: str | None) -> list[Fact]:
    return [fact for fact in facts if fact.kind == "cors_policy" and fact.field("library").value == library]


def _asked(case: Mapping[str, Any]) -> dict[str, list[dict[str, Any]]]:
    """The answers to plain requests, by origin (a case may ask more than once)."""
    found: dict[str, list[dict[str, Any]]] = {}
    for given in case["answers"]:
        if given["kind"] == "get" and given["origin"] != "none":
            found.setdefault(given["origin"], []).append(given)
    return found


def _agrees(predicted: Answer, origin: str, given: Mapping[str, Any]) -> bool:
    acao, status = given["acao"], given["status"]
    match predicted:
        case UnknownAnswer():
            return True
        case Star():
            return bool(acao == "*")
        case Echo():
            return bool(acao == origin)
        case Fixed(text=text):
            return bool(acao == text)
        case Own():
            return bool(acao == "self")
        case Hang():
            return acao is None and status is None
        case Refuse():
            # Some have headers on what they answer to those they refuse, too.
            return status is not None and status >= 400
        case Nothing():
            return acao is None and status is not None and status < 500
        case Raise():
            return acao is None and (status is None or status >= 500)
    raise AssertionError(predicted)


def _reads(origin: str, given: Mapping[str, Any]) -> bool:
    return given["status"] != HTTPStatus.FORBIDDEN and given["acao"] in ("*", origin)


def _shown(given: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} {given[name]}" for name in ("origin", "status", "acao", "acac", "vary"))


@pytest.mark.parametrize(("name", "case"), list(_cases()))
def test_what_is_claimed_is_what_was_answered(name: str, case: dict[str, Any]) -> None:
    wrong = contradiction(name, case, lint.knowledge())
    if wrong is not None:
        pytest.fail(f"{wrong}\n{case['code']}", pytrace=False)


def _disagreements(prediction: Prediction, case: Mapping[str, Any]) -> Iterator[str]:
    fact = prediction.fact

    def claim(name: str) -> object:
        return fact.field(f"effect.{name}").value

    if case["raises"]:
        # The program never answers. (A variable that is not set stops some; what it is, the linter is not told.)
        if claim("to_stranger") in ("star", "echo", "fixed") or claim("accepts_null") == "yes":
            yield f"it stops ({case['raises']}), but a stranger is said to get {claim('to_stranger')!r}"
        return
    asked = _asked(case)
    for origin, answers in asked.items():
        if origin == "self" and prediction.same_origin:
            continue
        predicted = answer(prediction.decision, OWN if origin == "self" else origin)
        if not any(_agrees(predicted, origin, one) for one in answers):
            yield f"{origin}: {predicted} is claimed, recorded was {_shown(answers[0])}"
    kinds: dict[object, Answer] = {
        "star": Star(),
        "echo": Echo(),
        "refused": Refuse(0),
        "nothing": Nothing(),
        "raises": Raise(),
    }
    stranger = kinds.get(claim("to_stranger"))
    if stranger is not None and not any(_agrees(stranger, STRANGER, given) for given in asked[STRANGER]):
        yield f"a stranger gets {_shown(asked[STRANGER][0])}, not {claim('to_stranger')!r}"
    everybody = claim("to_stranger") == "fixed" and claim("depends_on_origin") != "yes"
    if everybody and len({given["acao"] for one in asked.values() for given in one} - {None}) > 1:
        yield "the same text for everybody is claimed, but answers differ"
    null = {"yes": True, "no": False}.get(str(claim("accepts_null")))
    if null is not None and all(_reads("null", given) != null for given in asked["null"]):
        yield f"`null` gets {_shown(asked['null'][0])}, but accepts_null is {null}"
    granted = [(origin, given) for origin, one in asked.items() for given in one if given["acao"] is not None]
    yield from _credentials(claim("credentials"), granted)
    if claim("sends_origin_header") == "no" and granted:
        yield f"a header is sent: {_shown(granted[0][1])}"
    if claim("depends_on_origin") == "no" and len({given["acao"] for one in asked.values() for given in one}) > 1:
        yield "answers depend on the origin"
    if claim("raises") == "yes" and any(given["status"] not in (None, 500) for one in asked.values() for given in one):
        yield "raising is claimed, but it answers"
    echoed = [given for origin, given in granted if given["acao"] == origin]
    for given in echoed:
        # A star says that it depends on more than headers, so that nothing is kept (RFC 9110, section 12.5.5).
        vary = given["vary"] == "*" or "origin" in (given["vary"] or "").lower()
        if claim("depends_on_origin") == "yes" and claim("vary_origin") == ("no" if vary else "yes"):
            yield f"Vary: {given['vary']}, but vary_origin is {claim('vary_origin')}"
            break
    yield from _listed(prediction, asked)


def _credentials(claimed: object, granted: list[tuple[str, dict[str, Any]]]) -> Iterator[str]:
    for origin, given in granted:
        if claimed in ("yes", "no") and (given["acac"] == "true") is (claimed == "no"):
            yield f"credentials {claimed!r} is claimed, {origin} gets {given['acac']}"
            break


def _listed(prediction: Prediction, asked: Mapping[str, list[dict[str, Any]]]) -> Iterator[str]:
    """An entry without a defect lets its origin in; one with a defect lets in nobody by itself."""
    open_to_all = prediction.fact.field("effect.to_stranger").value in ("star", "echo", None)
    if prediction.fact.field("effect.raises").value == "yes":
        return  # a text can be right and of no use: nobody gets anything
    for entry in prediction.entries:
        text, defect = entry.field("text").value, entry.field("defect").value
        if isinstance(answer(prediction.decision, str(text)), Fixed):
            continue  # a function that lists it may send something else, which is compared above
        for given in asked.get(str(text), ()) if text != "null" else ():
            if defect == "none" and not _reads(str(text), given):
                yield f"{text!r} is listed, but it gets {_shown(given)}"
    if open_to_all or not prediction.entries:
        return
    if all(entry.field("defect").value not in ("none", None) for entry in prediction.entries):
        for origin, one in asked.items():
            for given in one:
                if possible_origin(origin) and _reads(origin, given):
                    yield f"every entry has a defect, but {origin} passes"


@pytest.mark.parametrize("name", NAMES)
def test_enough_is_claimed(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    known: Counter[str] = Counter()
    total = 0
    dark: list[str] = []
    for case in recording(name)["cases"]:
        if (name, case["id"]) in COMBINED or (name, case["id"]) in SILENT:
            continue
        found = predictions(name, case, lint.knowledge())
        total += 1
        for field in ("to_stranger", "credentials", "accepts_null"):
            told = all(prediction.fact.field(f"effect.{field}").state != "unknown" for prediction in found)
            known[field] += told
            if field == "to_stranger" and not told:
                dark.append(case["id"])
    with capsys.disabled():
        shares = ", ".join(f"{field} {count}/{total}" for field, count in sorted(known.items()))
        print(f"\n{name}: {shares}; unknown to strangers: {', '.join(dark) or 'none'}")
    assert 100 * known.total() / (3 * total) >= FLOORS[name]


def test_every_exception_is_a_case() -> None:
    cases = {(name, case["id"]) for name in NAMES for case in recording(name)["cases"]}
    assert {*COMBINED, *SILENT, *ELSEWHERE} <= cases
    assert set(FLOORS) == set(NAMES)
