"""Which rules have to have a fix, safe or unsafe, and which may not. What is left out has its reason here.

Safe fixes change neither who may read data nor what is sent to whom it was sent before. Everything else is unsafe, and
where the new text needs something that nobody but the user knows, a placeholder.
"""

from __future__ import annotations

import pytest

from corslint import lint
from corslint.ruleset import Rule, alternatives

RULES = lint.knowledge(examples=False).rules.rules

SAFE = frozenset({
    "broken-connection-header", "content-header-added", "cors-header-not-always", "cors-header-on-request",
    "dev-proxy-without-ws", "duplicate-add-header", "express5-wildcard-route", "forwarded-headers-missing",
    "invalid-header-argument", "lost-cors-headers", "lost-upgrade-headers", "malformed-origin",
    "missing-upgrade-headers", "missing-vary-origin", "misspelled-cors-header", "mixed-content",
    "origin-list-in-string",
    "proxy-http-version", "samesite-none-without-secure", "short-websocket-timeout", "socket-path-stolen",
    "socket-path-stripped", "stateful-origin-regex", "unknown-cors-option", "unused-ignore", "wrong-listener",
})  # fmt: skip
UNSAFE = frozenset({
    "auth-before-cors", "cors-after-routes", "cors-only-on-preflight", "cors-set-twice", "credentials-not-boolean",
    "cross-site-cookie-dropped", "csp-blocks-connection", "express-only-cors", "insecure-origin-allowed",
    "method-not-allowed", "no-sticky-sessions", "null-origin-allowed", "open-dev-server", "origin-check-disabled",
    "origin-glob", "origin-mismatch", "origin-regex-in-string", "preflight-needs-auth", "preflight-not-handled",
    "preflight-without-headers", "proxy-and-app-cors", "reflected-origin-with-credentials",
    "request-header-not-allowed", "response-header-not-exposed", "same-origin-blocked", "secure-cookie-behind-proxy",
    "socketio-credentials-mismatch", "socketio-legacy-origins", "socketio-open-by-default",
    "socketio-path-as-namespace", "socketio-path-mismatch", "socketio-transport-mismatch", "socketio-without-cors",
    "stripped-cors-headers", "weak-origin-check", "websocket-origin-unchecked", "wildcard-env-fallback",
    "wildcard-header-list-with-credentials", "wildcard-in-origin-list", "wildcard-origin-with-credentials",
})  # fmt: skip
SOMETIMES_UNSAFE = {
    "content-header-added": "where the application sends another value, that one counts from then on",
    "mixed-content": "nobody knows whether the host answers with TLS, but where nginx serves it that way",
    "unknown-cors-option": "an option that counts at last may let in whom it did not before",
}
WITHOUT = {
    "any-subdomain-allowed": "a note: which hosts of a domain are trusted is its owner's choice",
    "cached-cors-response": "the application has to send `Vary`, or the cache needs another key",
    "cors-missing-on-errors": "the whole application has to be wrapped, or the handler has to know the origins",
    "expectation-failed": "what is right, the expectation or the policy, is for its owner to say",
    "gateway-cors-ignored": "which of the gateways' options is meant is not known",
    "if-replaces-headers": "what an `if` says has to be said otherwise, with a `map`",
    "method-without-cors": "the `if`s have to be taken apart",
    "nginx-syntax": "what was meant is not known",
    "no-cluster-adapter": "an adapter has to be chosen and installed, and what carries the messages has to run",
    "origin-header-overwritten": "somebody wanted the application to see that origin",
    "preflight-redirect": "the address that answers has to be asked, or the redirect to go: nobody knows which",
    "reflected-origin": "a note: legal",
    "socket-path-not-routed": "a whole location is missing",
    "socketio-attached-twice": "which of the two servers is meant is not known",
    "socketio-unknown-namespace": "the server lacks a namespace, or the client names the wrong one",
    "socketio-version-mismatch": "another major has to be installed",
    "swallowed-directive": "where the directive was meant to end is not known",
    "syntax-error": "what was meant is not known",
    "template-skipped": "nothing is wrong",
    "unreadable-file": "nothing is wrong with what is in it",
    "unset-origin-env": "the variable is set where the program runs, not in its source",
    "wildcard-origin": "a note: legal",
}


def applicabilities(rule: Rule) -> set[str]:
    return {fix.applicability for case in rule.all_cases for fix in alternatives(case.fix)}


def test_every_rule_stands_in_one_of_the_tables() -> None:
    assert SAFE | UNSAFE | WITHOUT.keys() == RULES.keys()
    assert len(SAFE) + len(UNSAFE) + len(WITHOUT) == len(RULES)
    assert SOMETIMES_UNSAFE.keys() <= SAFE


@pytest.mark.parametrize("name", sorted(SAFE))
def test_a_safe_fix(name: str) -> None:
    assert applicabilities(RULES[name]) == ({"safe", "unsafe"} if name in SOMETIMES_UNSAFE else {"safe"})


@pytest.mark.parametrize("name", sorted(UNSAFE))
def test_an_unsafe_fix(name: str) -> None:
    assert applicabilities(RULES[name]) - {"placeholder"} == {"unsafe"}


@pytest.mark.parametrize("name", sorted(WITHOUT))
def test_no_fix(name: str) -> None:
    assert applicabilities(RULES[name]) == set()


@pytest.mark.parametrize("name", sorted(RULES))
def test_no_fix_makes_up_an_origin(name: str) -> None:
    """An origin in a new text comes from the project, or stands as a placeholder in `<>`."""
    for case in RULES[name].all_cases:
        for fix in alternatives(case.fix):
            text = str(fix.plan["edits"])
            assert "://" not in text
            assert ("<" in text and ">" in text) == (fix.applicability == "placeholder")
