"""The handshake model against the real clients 2, 3 and 4 in Chromium, on generated options and answers.

    CORSLINT_SEED=7 CORSLINT_HANDSHAKES=300 pytest tests/lab/test_handshake_model.py

draws others; fewer than 78 leave outcomes out. A case is the same in every run with its seed, apart from the port.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterator
from itertools import product
from random import Random
from typing import Any, NamedTuple

import pytest

from corslint.behaviour import handshake
from corslint.behaviour.handshake import Attempt, Client, Handshake, connect
from corslint.model.exchange import Header, Request, Response
from corslint.model.tri import Tri, tri
from tests.lab.chromium import Chromium
from tests.lab.handshake_cases import MAJORS, Case, generate
from tests.lab.handshake_run import CLOSED_EARLY, Observation, Seen, answer_to, observe, running
from tests.lab.installation import require

pytestmark = pytest.mark.xdist_group("handshake model")  # one browser for all of them

SEED = int(os.environ.get("CORSLINT_SEED", "1"))
CASES = int(os.environ.get("CORSLINT_HANDSHAKES", "78"))
UPGRADE_FAILED = "probe error: Error: websocket error"


class Played(NamedTuple):
    """What was asked and answered, and what became of it in Chromium."""

    cases: tuple[Case, ...]
    observations: dict[int, Observation]


@pytest.fixture(scope="module")
def played() -> Iterator[Played]:
    tools = require("chromium", "node_modules")
    with Chromium.start(tools.path("chromium")) as chromium, running(tools.path("node_modules")) as server:
        cases = generate(SEED, CASES, server.port)
        yield Played(tuple(cases), observe(chromium, server, cases))


def recorded(case: Case) -> Callable[[Request], Response]:
    """The server of a case, as the model asks it."""

    def respond(request: Request) -> Response:
        opened = "sid=" in request.path
        answer = answer_to(case, request.kind, request.method, request.asked_method, opened=opened)
        return Response(answer.status, tuple(Header(name, value) for name, value in answer.headers))

    return respond


def requests_of(attempt: Attempt) -> Iterator[Seen]:
    exchanges = [exchange for outcome in attempt.outcomes for exchange in outcome.exchanges]
    for sent, _ in (*exchanges, *((attempt.upgrade,) if attempt.upgrade is not None else ())):
        yield Seen(sent.kind, sent.method, sent.path, sent.origin, sent.asked_method, sent.asked_headers)


def breaks_off(found: Handshake) -> bool:
    """Whether polling fails after it was opened, while the upgrade has been started beside it."""
    last = found.attempts[-1]
    return last.opened is Tri.YES and last.passed is Tri.NO


def difference(case: Case, observed: Observation) -> str | None:
    """What the model says otherwise than the client and Chromium did."""
    found = connect(case.client, recorded(case))
    last = found.attempts[-1]
    if (found.connected, found.transport) != (tri(observed.connected), observed.transport):
        return f"verdict: {found.connected} {found.transport}, in Chromium {observed}"
    events = () if found.connected is Tri.YES else ((last.event, last.description),)
    if observed.errors != events:
        return f"event: {events}, in Chromium {observed.errors}"
    upgrade_failed = found.connected is Tri.YES and last.passed is Tri.NO
    if found.connected is Tri.YES and observed.upgrade_error != (UPGRADE_FAILED if upgrade_failed else None):
        return f"upgrade: failed {upgrade_failed}, in Chromium {observed.upgrade_error}"
    return _console_difference(found, observed.messages) or _request_difference(found, observed.requests)


def _console_difference(found: Handshake, lines: tuple[str, ...]) -> str | None:
    groups = [attempt.messages() for attempt in found.attempts if attempt.messages()]
    if breaks_off(found):
        lines = tuple(line for line in lines if not line.startswith("WebSocket connection"))
    unexpected = [line for line in lines if not any(line in group for group in groups)]
    missing = [group for group in groups if not set(group) & set(lines)]
    return f"console: not predicted {unexpected}, not written {missing}" if unexpected or missing else None


def _request_difference(found: Handshake, requests: frozenset[Seen]) -> str | None:
    expected = {request for attempt in found.attempts for request in requests_of(attempt)}
    unexpected = set() if breaks_off(found) else requests - expected
    if unexpected or not expected <= requests:
        return f"requests: not predicted {unexpected}, not made {expected - requests}"
    return None


def differences(played: Played) -> Iterator[tuple[Case, str]]:
    for case in played.cases:
        found = difference(case, played.observations[case.number])
        if found is not None:
            yield case, found


def test_the_clients_agree(played: Played, capsys: pytest.CaptureFixture[str]) -> None:
    found = list(differences(played))
    with capsys.disabled():
        print(f"\n{len(played.cases)} handshakes of seed {SEED} in Chromium, {len(found)} differences")
    assert [f"seed {SEED}, {case}: {text}" for case, text in found[:5]] == []


OUTCOMES = ("websocket", "polling", "xhr poll error", "xhr post error", "websocket error", "transport error")
"""What a client reports: the transport that it has settled on, or why there is none."""


def outcome(observed: Observation) -> str:
    return observed.transport or observed.errors[-1][0]


def test_every_outcome_occurs_for_every_client(played: Played, capsys: pytest.CaptureFixture[str]) -> None:
    counts = Counter((case.major, outcome(played.observations[case.number])) for case in played.cases)
    with capsys.disabled():
        for name in OUTCOMES:
            print(f"\n{name:16} " + " ".join(f"{counts[major, name]:4} (client {major})" for major in MAJORS), end="")
        print()
    # Client 2 does not POST to connect, and is connected before the others would notice that polling fails.
    never = {(2, "xhr post error"), (3, "transport error"), (4, "transport error")}
    wanted = {pair: 1 for pair in product(MAJORS, OUTCOMES) if pair not in never}
    wanted |= {(major, name): 2 for major in MAJORS for name in ("websocket", "polling", "xhr poll error")}
    assert {pair: counts[pair] for pair, least in wanted.items() if counts[pair] < least} == {}
    assert set(counts) <= set(wanted)
    connected = sum(observation.connected for observation in played.observations.values())
    assert connected >= 20
    assert len(played.cases) - connected >= 20


def test_every_kind_of_answer_occurs(played: Played) -> None:
    lines = "\n".join(line for observation in played.observations.values() for line in observation.messages)
    for code in (200, 400, 403, 404):
        assert f"Unexpected response code: {code}" in lines
    assert "Connection closed before receiving a handshake response" in lines
    assert "Response to preflight request doesn't pass access control check" in lines
    assert any(observation.upgrade_error == UPGRADE_FAILED for observation in played.observations.values())
    descriptions = {found for one in played.observations.values() for _, found in one.errors}
    assert {0, None} < descriptions, "no status that a page could read"


def test_an_upgrade_is_given_up_only_when_polling_fails(played: Played) -> None:
    """The line of the console that is not predicted comes where the model says that polling breaks off."""
    for case in played.cases:
        if any(CLOSED_EARLY in line for line in played.observations[case.number].messages):
            assert breaks_off(connect(case.client, recorded(case))), case


# --- What is not known -----------------------------------------------------------------------------------------------


def veiled(case: Case, random: Random) -> Callable[[Request], Response]:
    """The same server with some statuses, and whether some lines are sent, not known."""
    respond = recorded(case)
    hides = random.random() * 0.3

    def answer(request: Request) -> Response:
        known = respond(request)
        lines = tuple(line._replace(sent=Tri.UNKNOWN) if random.random() < hides else line for line in known.headers)
        return Response(None if random.random() < hides else known.status, lines)

    return answer


def test_what_is_not_known_never_makes_the_model_wrong(played: Played) -> None:
    random = Random(SEED)
    verdicts: Counter[Tri] = Counter()
    for case in played.cases:
        observed = played.observations[case.number]
        for _ in range(8):
            found = connect(case.client, veiled(case, random))
            verdicts[found.connected] += 1
            assert found.connected in (Tri.UNKNOWN, tri(observed.connected)), case
            assert found.transport in (None, observed.transport), case
            if found.connected is Tri.NO:
                assert found.attempts[-1].event in (None, observed.errors[-1][0]), case
                assert found.attempts[-1].description in (None, observed.errors[-1][1]), case
    assert min(verdicts[answer] for answer in Tri) >= len(played.cases), verdicts


# --- Faults planted in the model -------------------------------------------------------------------------------------

Change = Callable[[Any], Any]
"""From a function or constant of the model to one with a fault."""


def _websockets_obey_cors(original: Any) -> Any:
    def changed(client: Client, respond: Any, **more: Any) -> Attempt:
        found: Attempt = original(client, respond, **more)
        assert found.upgrade is not None
        allowed = found.upgrade.response.header("Access-Control-Allow-Origin") in ("*", client.origin)
        return found if allowed or found.passed is Tri.NO else found._replace(passed=Tri.NO, event="websocket error")

    return changed


def _for_client(**changes: Any) -> Change:
    """The function sees a client with these fields changed."""
    return lambda original: lambda client, *rest, **more: original(client._replace(**changes), *rest, **more)


def _failed_transports_stay(original: Any) -> Any:
    return lambda client, left, attempts, respond: original(client, client.transports, attempts, respond)


def _failed_upgrade_ends_it(original: Any) -> Any:
    def changed(*given: Any) -> Handshake:
        found: Handshake = original(*given)
        failed = found.connected is Tri.YES and found.attempts[-1].passed is Tri.NO
        return Handshake(Tri.NO, None, found.attempts) if failed else found

    return changed


def _never_opened(original: Any) -> Any:
    return lambda *given: original(*given)._replace(opened=Tri.NO)


def _any_status(original: Any) -> Any:
    return lambda found, wanted: Tri.YES


PLANTED: tuple[tuple[str, str, Change], ...] = (
    ("WebSockets obey CORS", "_by_websocket", _websockets_obey_cors),
    ("credentials stay at home", "_polled", _for_client(with_credentials=False)),
    ("extra headers stay at home", "_polled", _for_client(extra_headers=())),
    ("every client tries all transports", "connect", _for_client(try_all_transports=True)),
    ("no client tries all transports", "connect", _for_client(try_all_transports=False)),
    ("every client upgrades", "connect", _for_client(upgrade=True)),
    ("polling comes first whatever the order", "connect", lambda original: lambda client, respond: original(
        client._replace(transports=tuple(sorted(client.transports))), respond)),
    ("a transport that failed is upgraded to", "_settled", _failed_transports_stay),
    ("another transport is tried after polling was opened", "_by_polling", _never_opened),
    ("a failed upgrade ends the connection", "_settled", _failed_upgrade_ends_it),
    ("no POST", "_FOLLOWING", lambda steps: {3: steps[3], 4: steps[4][1:]}),
    ("no second turn of polling", "_FOLLOWING", lambda steps: {3: (), 4: steps[4][:1]}),
    ("client 2 has a POST too", "_FOLLOWING", lambda steps: {3: steps[4], 4: steps[4]}),
    ("any status will do", "_is_status", _any_status),
    ("the description is always a status", "_description", lambda _: lambda found: found.exchanges[-1].response.status),
    ("the description is always 0", "_description", lambda _: lambda found: 0),
    ("a closed connection has a code", "NO_ANSWER", lambda _: None),
    ("upgrades name no session", "_by_websocket", lambda original: lambda client, respond, upgrades=False: original(
        client, respond)),
)  # fmt: skip


@pytest.mark.parametrize(("name", "attribute", "change"), PLANTED, ids=[name for name, *_ in PLANTED])
def test_a_planted_fault_is_noticed(
    name: str, attribute: str, change: Change, played: Played, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = globals() if attribute == "connect" else vars(handshake)
    monkeypatch.setitem(target, attribute, change(target[attribute]))
    assert next(differences(played), None) is not None, f"nobody notices: {name}"


def test_the_comparison_itself() -> None:
    """Another verdict, event, line and request are each a difference."""
    case = next(case for case in generate(SEED, CASES, 4000) if connect(case.client, recorded(case)).attempts[0].event)
    found = connect(case.client, recorded(case))
    last = found.attempts[-1]
    requests = frozenset(request for attempt in found.attempts for request in requests_of(attempt))
    lines = tuple(line for attempt in found.attempts for line in attempt.messages()[:1])
    events = () if found.connected is Tri.YES else ((str(last.event), last.description),)
    right = Observation(found.connected is Tri.YES, found.transport, events, None, lines, requests)
    assert difference(case, right) is None
    assert "verdict" in str(difference(case, right._replace(connected=not right.connected)))
    assert "verdict" in str(difference(case, right._replace(transport="other")))
    assert "event" in str(difference(case, right._replace(errors=(("other", 1),))))
    assert "console" in str(difference(case, right._replace(messages=(*right.messages, "other"))))
    assert "requests" in str(difference(case, right._replace(requests=frozenset())))
