"""Which rule is named first, and why: symptoms of rules, of one's own too, and findings of the project."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from pathlib import Path

import pytest

from corslint import lint, rulefiles, ruleset
from corslint.explain import explanation
from corslint.model.finding import Finding, Place
from corslint.source import Span

RULES = lint.knowledge(examples=False).rules
MISSING = "No 'Access-Control-Allow-Origin' header is present on the requested resource."
SEVERAL = "The 'Access-Control-Allow-Origin' header contains multiple values '{}', but only one is allowed."
OTHER = "The 'Access-Control-Allow-Origin' header has a value '{}' that is not equal to the supplied origin."


def names(text: str, found: tuple[Finding, ...] = ()) -> list[str]:
    return [cause.rule.id for cause in explanation.explain(text, RULES, found).causes]


def finding(rule: str, severity: str = "error") -> Finding:
    return Finding(rule, severity, "broken", "high", "m", "h", Span("a.js", 0, 1))


def blocked(url: str, words: str = MISSING, page: str = "https://app.example.com", by: str = "XMLHttpRequest") -> str:
    return f"Access to {by} at '{url}' from origin '{page}' has been blocked by CORS policy: {words}"


SOCKET = "https://api.example.com/socket.io/?EIO=4&transport=polling&t=x"


@pytest.mark.parametrize(
    ("text", "first"),
    [
        (blocked(SOCKET), {"express-only-cors", "socketio-without-cors"}),
        (blocked(SOCKET.replace("EIO=4", "EIO=3").replace("/socket.io/", "/")), {"express-only-cors"}),
        ('{"code":1,"message":"Session ID unknown"}', {"no-sticky-sessions"}),
        ('{"code":2,"message":"Bad handshake method"}', {"socketio-without-cors"}),
        ('{"code":3,"message":"Bad request"}', {"missing-upgrade-headers"}),
        ('{"code":5,"message":"Unsupported protocol version"}', {"socketio-version-mismatch"}),
        ("https://a.example is not an accepted origin.", {"forwarded-headers-missing"}),
        ("WebSocket connection to 'ws://a/' failed: Invalid frame header", {"socketio-version-mismatch"}),
        ("failed: Error during WebSocket handshake: Unexpected response code: 400", {"missing-upgrade-headers"}),
        ("failed: Error during WebSocket handshake: Unexpected response code: 200", {"socket-path-not-routed"}),
        ("failed: Error during WebSocket handshake: Unexpected response code: 403", {"forwarded-headers-missing"}),
        ("(Reason: CORS preflight response did not succeed). Status code: 401.", {"preflight-needs-auth"}),
        ("(Reason: CORS preflight response did not succeed). Status code: 405.", {"preflight-not-handled"}),
        ("contains multiple values 'https://a.example, https://a.example', but only one is allowed", set()),
        (SEVERAL.format("https://a.example, https://b.example"), {"origin-list-in-string"}),
        ("The 'Access-Control-Allow-Origin' header contains the invalid value 'undefined'.", {"unset-origin-env"}),
        ("The 'Access-Control-Allow-Origin' header contains the invalid value '/x$/'.", {"origin-regex-in-string"}),
        (
            "The 'Access-Control-Allow-Origin' header has a value 'https://a.example/' that is not equal",
            set(),
        ),
        (OTHER.format("https://a.example/"), {"malformed-origin"}),
        (
            "Cannot use wildcard in Access-Control-Allow-Origin when credentials flag is true.",
            {"wildcard-origin-with-credentials"},
        ),
        ("disconnect: transport error (504)", {"short-websocket-timeout"}),
        ('nginx: [emerg] unknown "connection_upgrade" variable', {"broken-connection-header"}),
        ('nginx: [emerg] unexpected "}" in /etc/nginx/nginx.conf:9', {"nginx-syntax"}),
    ],
)  # fmt: skip
def test_what_the_message_tells_decides(text: str, first: set[str]) -> None:
    assert set(names(text)[:1]) <= first
    assert bool(names(text)) is bool(first)


def test_one_symptom_stands_for_all_browsers_wordings() -> None:
    chromium = "The 'Access-Control-Allow-Origin' header contains multiple values '{v}', but only one is allowed."
    firefox = "(Reason: Multiple CORS header ‘Access-Control-Allow-Origin’ not allowed)."
    safari = "Access-Control-Allow-Origin cannot contain more than one origin."
    assert set(names(firefox)) == set(names(safari)) >= set(names(chromium.replace("{v}", "x")))
    assert "proxy-and-app-cors" in names(firefox)


def test_findings_come_before_all_others() -> None:
    assert names(blocked(SOCKET), (finding("swallowed-directive"),))[0] == "swallowed-directive"


def test_an_error_is_likelier_than_a_note() -> None:
    found = (finding("cors-missing-on-errors", "note"), finding("cors-after-routes"))
    assert names(blocked("http://localhost:4000/x", by="fetch"), found)[:2] == [
        "cors-after-routes",
        "cors-missing-on-errors",
    ]


def test_findings_about_other_things_are_no_causes() -> None:
    assert "nginx-syntax" not in names(blocked(SOCKET), (finding("nginx-syntax"),))


def test_a_condition_that_does_not_hold_rules_out() -> None:
    assert "socketio-without-cors" not in names(blocked("https://api.example.com/items", by="fetch"))


def test_a_consequence_has_the_causes_of_what_it_follows_from() -> None:
    hidden = names("connect_error: xhr poll error; description 0")
    assert {"express-only-cors", "proxy-and-app-cors"} <= set(hidden)
    assert "missing-upgrade-headers" not in hidden
    shown = names("connect_error: xhr poll error; description 404")
    assert shown[0] == "socketio-path-mismatch"
    assert "express-only-cors" not in shown


OWN = """\
id: own-rule
title: A cache of our own
severity: warning
effect: broken
match: [{name: client, fact: socket_client}]
report: {at: client, message: m, help: h}
symptoms:
  - "our gateway says {v} to strangers"
  - {says: "Invalid namespace", weight: 9}
examples:
  - {files: {a.js: "⟦x⟧"}}
  - {clean: true, files: {a.js: "x"}}
"""


def own(text: str) -> ruleset.RuleSet:
    return ruleset.RuleSet({"own-rule": rulefiles.read(text.encode(), Path("own-rule.yaml"))})


@pytest.mark.parametrize("text", ["Our gateway says NO WAY to strangers!", "connect_error: Invalid namespace"])
def test_rules_of_ones_own_have_symptoms_too(text: str) -> None:
    explained = explanation.explain(text, own(OWN), ())
    assert [cause.rule.id for cause in explained.causes] == ["own-rule"]
    assert len(explained.complaints) == 1


@pytest.mark.parametrize(
    ("symptom", "complaint"),
    [
        ("{says: x, weight: 10}", "a weight is a number from 1 to 9"),
        ("{says: x, weight: true}", "a weight is a number from 1 to 9"),
        ("{says: x, where: {prot: https}}", "unknown key 'prot' in `where` (did you mean 'port'?)"),
        ("{says: x, where: {port: 80}}", "`port` has to be a text"),
        ("{says: x, where: {port: []}}", "`port` needs at least one item"),
        ("{says: x, where: {port: {matches: '('}}}", "not a regular expression"),
        ("{says: x, where: {port: {matches: '(a)\\1'}}}", "could take for ever"),
        ("{weight: 3}", "`symptoms` lacks the key 'says'"),
        ('" "', "a symptom needs words"),
    ],
)
def test_mistakes_in_symptoms_are_named(symptom: str, complaint: str) -> None:
    with pytest.raises(rulefiles.RuleError) as error:
        own(OWN.replace('{says: "Invalid namespace", weight: 9}', symptom))
    assert complaint in error.value.message


def test_a_symptom_of_gaps_alone_is_refused() -> None:
    with pytest.raises(rulefiles.RuleError, match="a symptom needs words"):
        own(textwrap.dedent(OWN).replace("our gateway says {v} to strangers", "{v}"))


def at_places(rule: str, *places: Span, severity: str = "error") -> Finding:
    related = tuple(Place(span, "m") for span in places[1:])
    return finding(rule, severity)._replace(primary=places[0], related=related)


HERE, THERE = Span("a.js", 0, 1), Span("b.js", 4, 5)


def ranked(said: str, *found: Finding) -> list[str]:
    """With a project in which nothing of `b.js` has a part in the answer."""
    explained = explanation.explain(said, RULES, found, elsewhere=lambda clues: (Span("b.js", 0, 9),))
    return [cause.rule.id for cause in explained.causes if cause.findings]


def test_what_stands_at_a_server_that_was_not_asked_counts_less() -> None:
    first, second = "socketio-without-cors", "wrong-listener"
    said = blocked(SOCKET)
    assert ranked(said, at_places(first, HERE), at_places(second, HERE)) == [first, second]
    assert ranked(said, at_places(first, THERE), at_places(second, HERE)) == [second, first]
    assert ranked(said, at_places(first, THERE), at_places(second, THERE)) == [first, second]
    # One place here is enough: a fault may lie between two servers.
    assert ranked(said, at_places(first, THERE, HERE), at_places(second, HERE)) == [first, second]


def test_the_finding_at_the_server_that_was_asked_stands_first() -> None:
    one, other = at_places("wrong-listener", THERE), at_places("wrong-listener", HERE, severity="warning")
    explained = explanation.explain(blocked(SOCKET), RULES, (one, other), elsewhere=lambda clues: (Span("b.js", 0, 9),))
    assert [cause.findings for cause in explained.causes if cause.findings] == [(other, one)]


def test_the_project_is_only_asked_about_where_that_can_matter() -> None:
    asked: list[str] = []

    def elsewhere(clues: Mapping[str, str]) -> tuple[Span, ...]:
        asked.append(clues["url"])
        return ()

    two = (finding("socketio-without-cors"), finding("wrong-listener"))
    explanation.explain(blocked(SOCKET), RULES, two[:1], elsewhere=elsewhere)
    explanation.explain(MISSING, RULES, two, elsewhere=elsewhere)
    many = "\n".join(blocked(f"https://{number}.example.com/socket.io/?transport=polling") for number in range(6))
    explanation.explain(many, RULES, two, elsewhere=elsewhere)
    assert asked == []
    explanation.explain(blocked(SOCKET), RULES, two, elsewhere=elsewhere)
    assert asked == [SOCKET]


@pytest.mark.parametrize(
    ("port", "first"),
    [("3000", "express-only-cors"), ("8000", "socketio-without-cors"), ("5000", "socketio-without-cors")],
)
def test_ports_of_servers_in_python_speak_against_libraries_of_node(port: str, first: str) -> None:
    found = names(
        blocked(f"http://localhost:{port}/socket.io/?EIO=4&transport=polling", page="https://app.example.com")
    )
    assert found[0] == first


def test_files_speak_for_a_proxy() -> None:
    found = names(blocked("https://api.example.com/tiles/harbour.json", by="fetch"))
    assert found.index("lost-cors-headers") < found.index("cors-missing-on-errors")
    found = names(blocked("https://api.example.com/tiles/harbour", by="fetch"))
    assert found.index("cors-missing-on-errors") < found.index("cors-only-on-preflight")
