"""What stands in place of a test that lets an attacker in: attackers are refused, and whom it was for still passes."""

from __future__ import annotations

import pytest

from corslint.model.decisions import Always, Any, Atom, Case, Decision, Echo, Nothing, Operator, Part, witness
from corslint.model.narrowing import Narrowed, narrowed
from corslint.model.patterns import Pattern
from corslint.source import Span

AT = Span("a.js", 0, 5)


def decided(*tests: Atom) -> Decision:
    return Decision((Case(Any(tests), Echo(), AT), Case(Always(), Nothing(), AT)))


def text(part: Part, op: Operator, operand: str) -> Atom:
    return Atom(part, op, operand, False, AT)


def pattern(source: str, dialect: str = "ecmascript", mode: str = "search") -> Atom:
    return Atom("origin", "matches", Pattern(source, "", dialect, mode), False, AT)  # type: ignore[arg-type]


def narrow(test: Atom, language: str = "javascript", *others: Atom) -> Narrowed | None:
    decision = decided(test, *others)
    found = witness(decision)
    assert found is not None
    return narrowed(decision, found, language)


PATTERNS = [
    (r"^https:\/\/app\.example\.com", r"/^https:\/\/app\.example\.com$/"),
    (r"^https:\/\/app.example\.com$", r"/^https:\/\/app\.example\.com$/"),
    (r"example\.com$", r"/^https:\/\/(?:[a-z0-9-]+\.)*example\.com$/"),
    (r".example.com$", r"/^https:\/\/(?:[a-z0-9-]+\.)*example\.com$/"),
    (r"^https?:\/\/localhost", r"/^https?:\/\/localhost(?::\d+)?$/"),
    (r"^https:\/\/(a|b)\.example\.com", r"/^https:\/\/(a|b)\.example\.com$/"),
    (
        r"^https:\/\/a\.example\.com$|https:\/\/b\.example\.com",
        r"/^(?:https:\/\/a\.example\.com$|https:\/\/b\.example\.com)$/",
    ),
    (r"^https:\/\/[a-z-]+\.vercel\.app", None),
]


@pytest.mark.parametrize(("source", "better"), PATTERNS)
def test_patterns(source: str, better: str | None) -> None:
    assert narrow(pattern(source)) == (None if better is None else Narrowed(better))


def test_patterns_of_python_keep_how_they_are_applied() -> None:
    found = narrow(pattern(r"https://\w+\.example\.com", "python", "match"), "python")
    assert found == Narrowed(r'r"^https://\w+\.example\.com$"')


TEXTS = [
    ("javascript", text("origin", "ends", "example.com"), (r"/^https:\/\/(?:[a-z0-9-]+\.)*example\.com$/.test(", ")")),
    ("javascript", text("hostname", "ends", "example.com"), (r"/^(?:[a-z0-9-]+\.)*example\.com$/.test(", ")")),
    ("javascript", text("origin", "starts", "https://a.example.com"), ("(", " === 'https://a.example.com')")),
    ("javascript", text("origin", "starts", "http://localhost"), (r"/^http:\/\/localhost(?::\d+)?$/.test(", ")")),
    ("python", text("origin", "starts", "https://a.example.com"), ("(", ' == "https://a.example.com")')),
]


@pytest.mark.parametrize(("language", "test", "around"), TEXTS)
def test_texts(language: str, test: Atom, around: tuple[str, str]) -> None:
    assert narrow(test, language) == Narrowed("", around)


def test_a_dot_before_the_domain_is_enough_where_the_domain_itself_is_let_in_besides() -> None:
    apex = Atom("origin", "equals", "https://example.com", False, Span("a.js", 10, 20))
    found = narrow(text("origin", "ends", "example.com"), "python", apex)
    assert found == Narrowed("", ("", '.endswith(".example.com")'))


def test_a_text_that_is_searched_becomes_a_list() -> None:
    found = narrow(text("origin", "inside", "https://a.example.com, https://b.example.com"), "python")
    assert found == Narrowed('["https://a.example.com", "https://b.example.com"]')


UNPROVEN = [
    text("origin", "ends", ".github.io"),  # anybody has a name there
    text("origin", "ends", "example.com"),  # in Python nothing short lets in the domain and what is below it
    pattern(r"^https:\/\/[a-z-]+\.vercel\.app$"),
]


@pytest.mark.parametrize("test", UNPROVEN)
def test_what_cannot_be_proven_is_not_offered(test: Atom) -> None:
    assert narrow(test, "python") is None
