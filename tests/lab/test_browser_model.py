"""The browser model against Chromium, on generated answers: verdict, console line and every request must be the same.

    CORSLINT_SEED=7 CORSLINT_CASES=3000 pytest tests/lab/test_browser_model.py

draws others. A case is the same in every run with its seed, apart from the port.
"""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from random import Random
from typing import Any, NamedTuple

import pytest

from corslint.behaviour import addresses, browser, console
from corslint.behaviour.browser import Outcome, fetch
from corslint.behaviour.console import Fault, Reason
from corslint.model.exchange import Header, Missing, Request, Response
from corslint.model.tri import Tri, tri
from tests.lab.browser_cases import Case, generate
from tests.lab.browser_run import Observation, Seen, observe, running
from tests.lab.chromium import Chromium
from tests.lab.installation import require

pytestmark = pytest.mark.xdist_group("browser model")  # one browser for all of them

SEED = int(os.environ.get("CORSLINT_SEED", "1"))
CASES = int(os.environ.get("CORSLINT_CASES", "1500"))

MESSAGES = (
    Reason.NO_ALLOW_ORIGIN,
    Reason.WILDCARD_WITH_CREDENTIALS,
    Reason.SEVERAL_ORIGINS,
    Reason.OTHER_ORIGIN,
    Reason.NO_ORIGIN_VALUE,
    Reason.NO_ALLOW_CREDENTIALS,
    Reason.PREFLIGHT_STATUS,
    Reason.PREFLIGHT_REDIRECTED,
    Reason.METHOD_NOT_ALLOWED,
    Reason.HEADER_NOT_ALLOWED,
    Reason.METHODS_UNREADABLE,
    Reason.HEADERS_UNREADABLE,
)
"""The twelve of the CORS family that Chromium was seen to write."""

WORDS = (
    "No 'Access-Control-Allow-Origin' header is present",
    "must not be the wildcard '*'",
    "contains multiple values",
    "that is not equal to the supplied origin",
    "contains the invalid value",
    "which must be 'true' when",
    "It does not have HTTP ok status",
    "Redirect is not allowed for a preflight request",
    "is not allowed by Access-Control-Allow-Methods in preflight",
    "is not allowed by Access-Control-Allow-Headers in preflight",
    "Cannot parse Access-Control-Allow-Methods",
    "Cannot parse Access-Control-Allow-Headers",
)
"""A part of each message, in the same order, to count what Chromium wrote without asking the model."""


class Played(NamedTuple):
    """What was asked and answered, and what Chromium made of it."""

    cases: tuple[Case, ...]
    observations: dict[int, Observation]


@pytest.fixture(scope="module")
def played() -> Iterator[Played]:
    path = require("chromium").path("chromium")
    with Chromium.start(path) as chromium, running() as server:
        cases = generate(SEED, CASES, server.port)
        yield Played(tuple(cases), observe(chromium, server, cases))


def recorded(case: Case) -> Callable[[Request], Response]:
    """The server of a case, as the model asks it."""

    def respond(request: Request) -> Response:
        stop = case.stops[int(request.path.split("?")[0].split("/")[2])]
        answer = stop.preflight if request.kind == "preflight" else stop.actual
        return Response(answer.status, tuple(Header(name, value) for name, value in answer.headers))

    return respond


def as_seen(outcome: Outcome) -> tuple[Seen, ...]:
    return tuple(
        Seen(sent.kind, sent.method, sent.path, sent.origin, sent.asked_method, sent.asked_headers)
        for sent, _ in outcome.exchanges
    )


def difference(case: Case, observed: Observation) -> str | None:
    """What the model says otherwise than Chromium did."""
    outcome = fetch(case.asked, recorded(case))
    expected = outcome.messages()
    if outcome.allowed is not tri(observed.allowed):
        return f"verdict: {outcome.allowed}, in Chromium {tri(observed.allowed)}"
    if len(observed.messages) != bool(expected) or not set(observed.messages) <= set(expected):
        return f"console: {expected}, in Chromium {observed.messages}"
    if as_seen(outcome) != observed.requests:
        return f"requests: {as_seen(outcome)}, from Chromium {observed.requests}"
    return None


def differences(played: Played) -> Iterator[tuple[Case, str]]:
    for case in played.cases:
        found = difference(case, played.observations[case.number])
        if found is not None:
            yield case, found


def test_chromium_agrees(played: Played, capsys: pytest.CaptureFixture[str]) -> None:
    found = list(differences(played))
    with capsys.disabled():
        print(f"\n{len(played.cases)} cases of seed {SEED} in Chromium, {len(found)} differences")
    assert [f"seed {SEED}, {case}: {text}" for case, text in found[:5]] == []
    assert len(played.cases) >= 300


def test_every_message_occurs(played: Played, capsys: pytest.CaptureFixture[str]) -> None:
    lines = [text for observation in played.observations.values() for text in observation.messages]
    counts = {word: sum(word in line for line in lines) for word in WORDS}
    with capsys.disabled():
        print(
            "\n" + "\n".join(f"{count:5} {number:2} {word}" for number, (word, count) in enumerate(counts.items(), 1))
        )
    assert {word: count for word, count in counts.items() if count < 10} == {}
    allowed = sum(observation.allowed for observation in played.observations.values())
    assert allowed >= 50


def test_words_and_reasons_are_the_same(played: Played) -> None:
    """The twelve parts of messages stand for the twelve reasons, so that the counts count what they say."""
    found: Counter[tuple[str, Reason]] = Counter()
    for case in played.cases:
        for fault in fetch(case.asked, recorded(case)).faults():
            text = console.wording(fault, "chromium") or ""
            found.update((word, fault.reason) for word in WORDS if word in text)
    assert set(found) == set(zip(WORDS, MESSAGES, strict=True))


def test_only_refused_request_headers_leave_a_choice(played: Played) -> None:
    """Where the model names several lines, they differ in the request header that Chromium's hash table has first."""
    for case in played.cases:
        faults = fetch(case.asked, recorded(case)).faults()
        if len(faults) > 1:
            assert {fault.reason for fault in faults} == {Reason.HEADER_NOT_ALLOWED}, case


# --- What is not known -----------------------------------------------------------------------------------------------


def veiled(case: Case, random: Random) -> Callable[[Request], Response]:
    """The same server with some of its answers not known, in each of the ways there are."""
    respond = recorded(case)
    hides = random.random() * 0.4

    def veil(header: Header) -> Header:
        if random.random() > hides:
            return header
        unknown = (
            header._replace(value=None),
            header._replace(sent=Tri.UNKNOWN),
            Header(header.name, None, Tri.UNKNOWN),
        )
        return random.choice(unknown)

    def answer(request: Request) -> Response:
        known = respond(request)
        lines = [veil(header) for header in known.headers]
        if random.random() < hides:
            phantom = Header(f"Access-Control-Allow-{random.choice(('Origin', 'Headers'))}", "x", Tri.UNKNOWN)
            lines.insert(random.randint(0, len(lines)), phantom)
        complete = Tri.UNKNOWN if random.random() < hides / 4 else Tri.YES
        status = None if random.random() < hides / 4 else known.status
        return Response(status, tuple(lines), complete)

    return answer


def is_possible(text: str, expected: Iterable[str]) -> bool:
    patterns = (re.escape(one).replace(re.escape(console.NOT_KNOWN), ".*") for one in expected)
    return any(re.fullmatch(pattern, text, re.DOTALL) for pattern in patterns)


def test_what_is_not_known_never_makes_the_model_wrong(played: Played) -> None:
    random = Random(SEED)
    verdicts: Counter[Tri] = Counter()
    for case in played.cases:
        observed = played.observations[case.number]
        for _ in range(4):
            outcome = fetch(case.asked, veiled(case, random))
            verdicts[outcome.allowed] += 1
            assert outcome.allowed in (Tri.UNKNOWN, tri(observed.allowed)), case
            if outcome.doubts and observed.messages and outcome.allowed is Tri.NO:
                assert is_possible(observed.messages[0], outcome.messages()), case
    assert min(verdicts[answer] for answer in Tri) >= len(played.cases) // 10, verdicts


# --- Faults planted in the model -------------------------------------------------------------------------------------

Change = Callable[[Any], Any]
"""From a function or constant of the model to one with a fault."""


def _credentials_of_any_case(original: Any) -> Any:
    return lambda hop, value, more: original(hop, value if isinstance(value, Missing) else value.lower(), more)


def _methods_of_any_case(original: Any) -> Any:
    return lambda hop, value: original(hop, value if isinstance(value, Missing) else f"{value},{value.upper()}")


def _any_star(original: Any) -> Any:
    return lambda hop, value, *rest: (Tri.YES, ()) if value == "*" else original(hop, value, *rest)


def _listed_star(original: Any) -> Any:
    """`*` in a list counts with credentials too."""
    return lambda hop, *rest: original(hop._replace(asked=hop.asked._replace(credentials="omit")), *rest)


def _slash_forgiven(original: Any) -> Any:
    return lambda hop, value, *rest: original(
        hop, value if isinstance(value, Missing) else value.removesuffix("/"), *rest
    )


def _first_line_counts(original: Any) -> Any:
    return lambda response, name: original(response._replace(headers=response.lines(name)[:1]), name)


def _authorization_apart(original: Any) -> Any:
    def changed(hop: Any, names: tuple[str, ...], value: str | Missing) -> Any:
        fault = hop.fault(Reason.HEADER_NOT_ALLOWED, preflight=True, value="authorization")
        starred = value == "*" and "authorization" in names and not hop.with_credentials
        return (Tri.NO, (fault,)) if starred else original(hop, names, value)

    return changed


def _never_tainted(original: Any) -> Any:
    return lambda *given, **more: original(*given, **more)._replace(tainted=False)


def _always_a_tail(original: Any) -> Any:
    return lambda fault: original(fault._replace(initiator="fetch"))


def _without_password_check(original: Any) -> Any:
    return lambda url: False


def _never_from_elsewhere(original: Any) -> Any:
    return lambda fault: original(fault._replace(redirected_from=None))


PLANTED: tuple[tuple[str, Any, str, Change], ...] = (
    ("Allow-Credentials in any case", browser, "_credentials_faults", _credentials_of_any_case),
    ("methods in any case", browser, "_method_faults", _methods_of_any_case),
    ("* passes with credentials", browser, "_origin_faults", _any_star),
    ("* in Allow-Methods with credentials", browser, "_method_faults", _listed_star),
    ("* in Allow-Headers with credentials", browser, "_header_faults", _listed_star),
    ("* does not cover Authorization", browser, "_header_faults", _authorization_apart),
    ("a slash at the end is forgiven", browser, "_origin_faults", _slash_forgiven),
    ("the first of several lines counts", browser, "_values", _first_line_counts),
    ("safelisted values of 129 bytes", browser, "_SAFE_LENGTH", lambda length: length + 1),
    ("safelisted values of 127 bytes only", browser, "_SAFE_LENGTH", lambda length: length - 1),
    ("JSON is a simple type", browser, "_SIMPLE_TYPES", lambda types: (*types, "application/json")),
    ("any range is simple", browser, "_is_simple_range", lambda _: lambda value: True),
    ("OPTIONS is safelisted", browser, "_SAFELISTED_METHODS", lambda methods: methods | {"OPTIONS"}),
    ("PATCH is put in upper case", browser, "_NORMALISED_METHODS", lambda methods: methods | {"PATCH"}),
    ("names may hold spaces", browser, "_TOKEN", lambda _: re.compile(r"[^@]+")),
    ("308 does not redirect", browser, "_REDIRECTS", lambda statuses: statuses - {308}),
    ("redirects keep the page's origin", browser, "_followed", _never_tainted),
    ("passwords in redirects pass", browser, "has_password", _without_password_check),
    ("the status is checked first", browser, "_ORDER", lambda order: {"chromium": order["safari"]}),
    ("every text is a URL", browser, "is_url", lambda _: lambda text: Tri.YES),
    ("no text is a URL", browser, "is_url", lambda _: lambda text: Tri.NO),
    ("ports of any size", addresses, "_LARGEST_PORT", lambda _: 10**9),
    ("XMLHttpRequest has fetch's tail", console, "_chromium_tail", _always_a_tail),
    ("redirects are not mentioned", console, "_chromium", _never_from_elsewhere),
    ("no marker of preflights", console, "_ACCESS", lambda _: ""),
)


@pytest.mark.parametrize(("name", "module", "attribute", "change"), PLANTED, ids=[name for name, *_ in PLANTED])
def test_a_planted_fault_is_noticed(
    name: str, module: Any, attribute: str, change: Change, played: Played, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, attribute, change(getattr(module, attribute)))
    assert next(differences(played), None) is not None, f"nobody notices: {name}"


def test_the_comparison_itself() -> None:
    """The comparison itself: another verdict, another line and another request are each a difference."""
    case = generate(SEED, 1, 4000)[0]
    outcome = fetch(case.asked, recorded(case))
    right = Observation(outcome.allowed is Tri.YES, outcome.messages()[:1], as_seen(outcome))
    fault = Fault(Reason.PREFLIGHT_STATUS, case.asked.url, case.asked.origin)
    line = console.wording(fault, "chromium") or ""
    assert difference(case, right) is None
    assert "verdict" in str(difference(case, right._replace(allowed=not right.allowed)))
    assert "console" in str(difference(case, right._replace(messages=(line,))))
    assert "console" in str(difference(case, right._replace(messages=(*right.messages, line))))
    assert "requests" in str(difference(case, right._replace(requests=())))
