"""Decisions: evaluation in three-valued logic, and attackers' origins that get through."""

from __future__ import annotations

import time

import pytest

from corslint.model.decisions import (
    All,
    Always,
    Answer,
    Any,
    Atom,
    Case,
    Decision,
    Echo,
    Fixed,
    Not,
    Nothing,
    Operator,
    Part,
    Pattern,
    Predicate,
    Raise,
    Refuse,
    Star,
    UnknownAnswer,
    UnknownPredicate,
    accepts,
    accepts_null,
    answer,
    any_subdomain,
    depends_on_origin,
    holds,
    insecure,
    origin_parts,
    possible_origin,
    sends_several,
    site,
    to_stranger,
    witness,
)
from corslint.model.patterns import Dialect, Mode
from corslint.model.tri import Tri
from corslint.source import Span

AT = Span("f.js", 10, 20)
ELSEWHERE = Span("f.js", 30, 40)
UNREADABLE = UnknownPredicate("?", AT)


def atom(op: Operator, operand: str | Pattern, part: Part = "origin", *, fold: bool = False, span: Span = AT) -> Atom:
    return Atom(part, op, operand, fold, span)


def regex(source: str, mode: Mode = "search", dialect: Dialect = "ecmascript", flags: str = "") -> Atom:
    return atom("matches", Pattern(source, flags, dialect, mode))


def allow(*tests: Predicate) -> Decision:
    return Decision((*(Case(test, Echo(), AT) for test in tests), Case(Always(), Nothing(), AT)))


@pytest.mark.parametrize(
    ("test", "origin", "expected"),
    [
        (atom("equals", "https://a.example"), "https://a.example", Tri.YES),
        (atom("equals", "https://A.example"), "https://a.example", Tri.NO),
        (atom("equals", "https://A.example", fold=True), "https://a.example", Tri.YES),
        (atom("starts", "https://a"), "https://a.example", Tri.YES),
        (atom("ends", ".example"), "https://a.example", Tri.YES),
        (atom("ends", ".example"), "https://a.example:80", Tri.NO),
        (atom("contains", "a.ex"), "https://a.example", Tri.YES),
        (atom("inside", "https://a.example"), "https://a.exam", Tri.YES),
        (atom("inside", "https://a.exam"), "https://a.example", Tri.NO),
        (atom("present", ""), "https://a.example", Tri.YES),
        (atom("present", ""), "null", Tri.YES),
        (atom("present", ""), "", Tri.NO),
        (atom("present", ""), None, Tri.NO),
        (atom("equals", "a"), None, Tri.NO),
        (Always(), None, Tri.YES),
        (Not(atom("present", "")), None, Tri.YES),
        (atom("equals", "https", "scheme"), "https://a.example", Tri.YES),
        (atom("equals", "a.example", "hostname"), "https://a.example:8443", Tri.YES),
        (atom("equals", "a.example:8443", "host"), "https://a.example:8443", Tri.YES),
        (atom("equals", "a.example", "host"), "https://a.example:443", Tri.YES),
        (atom("equals", "8443", "port"), "https://a.example:8443", Tri.YES),
        (atom("present", "", "port"), "https://a.example", Tri.NO),
        (atom("equals", "https://a.example:443", "address"), "https://a.example", Tri.YES),
        (atom("equals", "http://a.example:80", "address"), "http://a.example", Tri.YES),
        (atom("equals", "a.example:443", "endpoint"), "https://a.example", Tri.YES),
        (atom("equals", "a.example:*", "any_port"), "https://a.example:99", Tri.YES),
        (atom("equals", "*:99", "any_host"), "https://a.example:99", Tri.YES),
        (atom("equals", "a.example", "hostname"), "null", Tri.UNKNOWN),
        (atom("equals", "a.example:443", "endpoint"), "null", Tri.NO),
        (regex("^https:"), "https://a.example", Tri.YES),
        (regex("("), "https://a.example", Tri.UNKNOWN),
        (atom("matches", Pattern("^HTTPS", "", "python", "match"), fold=True), "https://a.example", Tri.YES),
        (UNREADABLE, "https://a.example", Tri.UNKNOWN),
        (UnknownPredicate("a list", AT, True), "https://a.example", Tri.UNKNOWN),
        (UnknownPredicate("a list", AT, True), None, Tri.NO),
        (All((Always(), UNREADABLE)), "x", Tri.UNKNOWN),
        (All((UNREADABLE, Not(Always()))), "x", Tri.NO),
        (Any((UNREADABLE, Always())), "x", Tri.YES),
        (Any((UNREADABLE, Not(Always()))), "x", Tri.UNKNOWN),
        (Any(()), "x", Tri.NO),
        (Not(UNREADABLE), "x", Tri.UNKNOWN),
    ],
)
def test_holds(test: Predicate, origin: str | None, expected: Tri) -> None:
    assert holds(test, origin) is expected


def test_answers_are_compared_by_what_they_are() -> None:
    answers: list[Answer] = [Star(), Echo(), Fixed("a"), Fixed("b"), Nothing(), Refuse(400), Refuse(403), Raise()]
    for i, one in enumerate(answers):
        for j, other in enumerate(answers):
            assert (one == other) is (i == j)


@pytest.mark.parametrize(
    ("cases", "expected"),
    [
        ([(Always(), Star())], "star"),
        ([(UNREADABLE, Echo()), (Always(), Nothing())], "unknown"),
        ([(UNREADABLE, Echo()), (Always(), Echo())], "echo"),
        ([(UNREADABLE, Echo()), (atom("starts", "https:"), Echo()), (Always(), Nothing())], "echo"),
        ([(atom("equals", "x"), Raise()), (UNREADABLE, Nothing()), (Always(), Nothing())], "nothing"),
        ([(Always(), UnknownAnswer("env"))], "unknown"),
    ],
)
def test_answer(cases: list[tuple[Predicate, Answer]], expected: str) -> None:
    decision = Decision(tuple(Case(test, given, AT) for test, given in cases))
    assert answer(decision, "https://a.example").kind == expected


@pytest.mark.parametrize(
    ("decision", "stranger", "null", "depends"),
    [
        (Decision((Case(Always(), Star(), AT),)), "star", Tri.YES, Tri.NO),
        (Decision((Case(Always(), Echo(), AT),)), "echo", Tri.YES, Tri.YES),
        (Decision((Case(Always(), Fixed("https://a.example"), AT),)), "fixed", Tri.NO, Tri.NO),
        (Decision((Case(Always(), Fixed("null"), AT),)), "fixed", Tri.YES, Tri.NO),
        (Decision((Case(Always(), Nothing(), AT),)), "nothing", Tri.NO, Tri.NO),
        (Decision((Case(Always(), Refuse(403), AT),)), "refused", Tri.NO, Tri.NO),
        (Decision((Case(Always(), Raise(), AT),)), "raises", Tri.NO, Tri.NO),
        (Decision((Case(Always(), UnknownAnswer("?"), AT),)), "unknown", Tri.UNKNOWN, Tri.UNKNOWN),
        (allow(atom("equals", "https://a.example")), "nothing", Tri.NO, Tri.YES),
        (allow(atom("equals", "null")), "nothing", Tri.YES, Tri.YES),
        (allow(regex("^https")), "echo", Tri.NO, Tri.YES),
        (allow(regex("^http://")), "echo", Tri.NO, Tri.YES),
        (allow(regex(r":\d+$")), "echo", Tri.NO, Tri.YES),
        (allow(UnknownPredicate("env list", AT, True)), "nothing", Tri.UNKNOWN, Tri.YES),
        (
            allow(Any((UnknownPredicate("env list", AT, True), Not(atom("present", ""))))),
            "nothing",
            Tri.UNKNOWN,
            Tri.YES,
        ),
        (allow(UNREADABLE), "unknown", Tri.UNKNOWN, Tri.YES),
        (Decision((Case(Not(atom("present", "")), Star(), AT), Case(Always(), Echo(), AT))), "echo", Tri.YES, Tri.YES),
    ],
)
def test_summary(decision: Decision, stranger: str, null: Tri, depends: Tri) -> None:
    assert to_stranger(decision).kind == stranger
    assert accepts_null(decision) is null
    assert depends_on_origin(decision) is depends


def test_accepts() -> None:
    assert accepts(Fixed("https://a.example"), "https://a.example") is Tri.YES
    assert accepts(Fixed("https://a.example"), "https://b.example") is Tri.NO
    assert accepts(Fixed("*"), "https://b.example") is Tri.YES
    assert accepts(UnknownAnswer("?"), "https://b.example") is Tri.UNKNOWN


@pytest.mark.parametrize(
    ("origin", "expected"),
    [
        ("https://app.example.com", True),
        ("http://localhost:3000", True),
        ("http://127.0.0.1:8080", True),
        ("http://[::1]:3000", True),
        ("https://xn--mnchen-3ya.example", True),
        ("https://a_b.example.com", True),
        ("https://a!b`c{d}.example.com", True),
        ("https://a*b.example.com", False),
        ("https://a%2ab.example.com", False),
        ("https://a|b.example.com", False),
        ("http://localhost:3000.attacker.test", False),
        ("https://example.com:443", False),
        ("http://example.com:80", False),
        ("https://example.com:80", True),
        ("https://example.com:0", False),
        ("https://example.com:65536", False),
        ("https://example.com/", False),
        ("https://Example.com", False),
        ("https://example..com", False),
        ("https://.example.com", False),
        ("https://-a.example.com", False),
        ("https://1.2.3", False),
        ("https://attacker192.168.0.1", False),
        ("https://192.168.0.1.attacker.test", True),
        ("https://256.1.1.1", False),
        ("https://exa mple.com", False),
        ("ftp://example.com", False),
        ("example.com", False),
        ("null", False),
        ("", False),
    ],
)
def test_possible_origin(origin: str, expected: bool) -> None:
    assert possible_origin(origin) is expected


def test_origin_parts() -> None:
    assert origin_parts("https://A.example:8443") == ("https", "a.example", "8443")
    assert origin_parts("capacitor://localhost") == ("capacitor", "localhost", "")
    assert origin_parts("null") is None
    assert origin_parts("https://a.example/path") is None


WITNESSES: list[tuple[str, Atom, str, str]] = [
    # ground-truth.md section h
    ("ends with a name", atom("ends", "example.com"), "https://attackerexample.com", "prefix"),
    ("contains", atom("contains", "example.com"), "https://example.com.attacker.test", "suffix"),
    ("unanchored regex", regex(r"example\.com"), "https://example.com.attacker.test", "suffix"),
    ("starts with", atom("starts", "https://example.com"), "https://example.com.attacker.test", "suffix"),
    ("starts with localhost", atom("starts", "http://localhost"), "http://localhost.attacker.test", "suffix"),
    ("open localhost", regex(r"^https?:\/\/localhost"), "http://localhost.attacker.test", "suffix"),
    ("localhost anywhere", regex("localhost"), "https://localhost.attacker.test", "suffix"),
    ("unescaped dot", regex(r"^https:\/\/app.example.com$"), "https://appxexample.com", "dot"),
    ("open end", regex(r"^https:\/\/app\.example\.com"), "https://app.example.com.attacker.test", "suffix"),
    ("open start", regex(r"example\.com$"), "https://attackerexample.com", "prefix"),
    ("hostname", atom("ends", "example.com", "hostname"), "https://attackerexample.com", "prefix"),
    ("hostname contains", atom("contains", "example", "hostname"), "https://example.attacker.test", "suffix"),
    # nginx: `~* (example\.com)`, `~* example.com$`, map '~example\.com'
    ("nginx group", regex(r"(example\.com)", "search", "pcre", "i"), "https://example.com.attacker.test", "suffix"),
    ("nginx end", regex(r"example.com$", "search", "pcre", "i"), "https://attackerexample.com", "prefix"),
    # flask-cors and Django: re.match, the end is open
    ("re.match", regex(r"https://.*\.x\.org", "match", "python"), "https://app.x.org.attacker.test", "suffix"),
    ("re.match open start", regex(r".*example\.com$", "match", "python"), "https://attackerexample.com", "prefix"),
    # Starlette: fullmatch, but a dot or `.*` is still too wide
    ("fullmatch dot", regex(r"https://app.example.com", "full", "python"), "https://appxexample.com", "dot"),
    ("fullmatch star", regex(r"https://.*example\.com", "full", "python"), "https://attackerexample.com", "prefix"),
    ("fullmatch star dot", regex(r"https://.*.example.com", "full", "python"), "https://attackerexample.com", "prefix"),
    ("a dot before the name", regex(r".example.com$"), "https://attackerexample.com", "prefix"),
    # characters that browsers take in host names, and that tests of "a boundary" forget
    ("not a letter", regex(r"^https:\/\/example\.com(?![a-z0-9.-])"), "https://example.com_.attacker.test", "suffix"),
    ("not a word", regex(r"^https:\/\/example\.com($|[^\w.-])"), "https://example.com!.attacker.test", "suffix"),
    # substrings: Starlette's text, Socket.IO 2's text
    ("inside", atom("inside", "https://app.example.com"), "https://app.example.co", "substring"),
    ("inside endpoint", atom("inside", "https://app.example.com:443", "endpoint"), "https://e.com", "substring"),
    ("inside localhost", atom("inside", "http://localhost:3000"), "http://localhost:300", "substring"),
    # private addresses
    ("private network", atom("starts", "http://192.168."), "http://192.168.attacker.test", "suffix"),
    ("private regex", regex(r"^http:\/\/10\.\d+\.\d+\.\d+"), "http://10.3000.3000.3000.attacker.test", "suffix"),
    # names that anybody can get
    ("shared host", atom("ends", ".vercel.app"), "https://attacker.vercel.app", "subdomain"),
    ("shared host regex", regex(r"^https:\/\/.*\.netlify\.app$"), "https://attacker.netlify.app", "subdomain"),
    ("preview hosts", regex(r"^https:\/\/app-.*\.vercel\.app$"), "https://app-attacker.vercel.app", "subdomain"),
    ("any top level", atom("ends", ".com"), "https://attacker.com", "subdomain"),
    ("open top level", regex(r"^https:\/\/example\.[a-z]+$"), "https://example.test", "other"),
    ("country suffix", atom("ends", "example.co.uk"), "https://attackerexample.co.uk", "prefix"),
    ("optional part", regex(r"^https:\/\/(www.)?example\.com$"), "https://wwwxexample.com", "dot"),
    ("alternatives", regex(r"^https:\/\/(a\.example$|b\.example)"), "https://b.example.attacker.test", "suffix"),
    ("port kept", regex(r"^http:\/\/localhost.*:3000$"), "http://localhost.attacker.test:3000", "suffix"),
    ("cut at a dot", atom("starts", "https://app."), "https://app.attacker.test", "suffix"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("test", "origin", "technique"), [row[1:] for row in WITNESSES], ids=[row[0] for row in WITNESSES]
)
def test_witness(test: Atom, origin: str, technique: str) -> None:
    decision = allow(test)
    found = witness(decision)
    assert found is not None
    assert (found.origin, found.technique, found.span) == (origin, technique, AT)
    assert possible_origin(found.origin)
    assert answer(decision, found.origin) == Echo()


SAFE: list[tuple[str, Predicate]] = [
    ("exact", atom("equals", "https://example.com")),
    ("exact host", atom("equals", "example.com", "hostname")),
    ("subdomains", atom("ends", ".example.com")),
    ("subdomains of the host name", atom("ends", ".example.com", "hostname")),
    ("anchored", regex(r"^https:\/\/([a-z0-9-]+\.)?example\.com$")),
    ("anchored, repeated", regex(r"^https:\/\/([a-z0-9-]+\.)*example\.com$")),
    ("anchored end", regex(r"\.example\.com$")),
    ("ports of localhost", regex(r"^http:\/\/localhost:\d+$")),
    ("ports of localhost, optional", regex(r"^https?:\/\/(localhost|127\.0\.0\.1)(:\d+)?$")),
    ("a port follows", atom("starts", "http://localhost:")),
    ("a port that goes on", atom("starts", "https://example.com:3000")),
    ("a local name", atom("ends", "localhost:3000")),
    ("one label", atom("ends", "://intranet")),
    ("addresses", regex(r"^http:\/\/192\.168\.\d+\.\d+(:\d+)?$")),
    ("addresses, dots unescaped", regex(r"^http:\/\/192.168.\d+.\d+$")),
    ("a dot before the name that is one", regex(r"[.]example\.com$")),
    ("a boundary that knows its characters", regex(r"^https:\/\/example\.com(?::\d+)?$")),
    ("nobody sells such a name", regex(r"^https:\/\/app[!_]example\.com$")),
    ("the only dot is the last", regex(r"^https:\/\/example.com$")),
    ("a private name", regex(r"^http:\/\/host.docker.internal$")),
    ("a subdomain's prefix", atom("ends", "app.example.com")),
    ("fullmatch", regex(r"https://.*\.example\.com", "full", "python")),
    ("glob that matches nothing", regex(r"https://*.example.com", "match", "python")),
    ("catastrophe", regex("^(a+)+$")),
    ("invalid", regex("(")),
    ("unreadable", UNREADABLE),
    ("unreadable list", UnknownPredicate("a list", AT, True)),
    ("both ends", All((atom("starts", "https://"), atom("ends", ".example.com")))),
    ("nothing", Any(())),
]


@pytest.mark.parametrize("test", [row[1] for row in SAFE], ids=[row[0] for row in SAFE])
def test_no_witness(test: Predicate) -> None:
    assert witness(allow(test)) is None


BELOW: list[tuple[str, Predicate, str | None]] = [
    ("the end of the host name", atom("ends", ".example.com", "hostname"), "https://attacker.example.com"),
    ("the end of the text", atom("ends", ".example.com"), "https://attacker.example.com"),
    ("a pattern", regex(r"^https:\/\/([a-z0-9-]+\.)?example\.com$"), "https://attacker.example.com"),
    ("with a port", regex(r"^https:\/\/.+\.example\.com:8443$"), "https://attacker.a.example.com:8443"),
    ("below a country's second level", atom("ends", ".example.co.uk"), "https://attacker.example.co.uk"),
    ("two names", regex(r"^https:\/\/(app|admin)\.example\.com$"), None),
    ("names of one kind", regex(r"^https:\/\/app-[a-z]+\.example\.com$"), None),
    ("one name", atom("equals", "https://app.example.com"), None),
    ("names that anybody can get", atom("ends", ".github.io"), None),
    ("this machine", regex(r"^http:\/\/(.*\.)?localhost$"), None),
    ("a private network", atom("ends", ".corp", "hostname"), None),
    ("unreadable", UNREADABLE, None),
]


@pytest.mark.parametrize(("test", "origin"), [row[1:] for row in BELOW], ids=[row[0] for row in BELOW])
def test_any_subdomain(test: Predicate, origin: str | None) -> None:
    found = any_subdomain(allow(test))
    assert (found.origin if found else None) == origin
    assert found is None or (found.technique, site(found.origin.split("/")[2].split(":")[0])) == (
        "subdomain",
        found.trusted,
    )


@pytest.mark.parametrize("given", [Star(), Echo()])
def test_no_witness_where_strangers_pass(given: Answer) -> None:
    assert witness(Decision((Case(atom("ends", "example.com"), Echo(), AT), Case(Always(), given, AT)))) is None


def test_no_witness_where_the_stranger_is_unknown() -> None:
    assert witness(allow(UNREADABLE, atom("ends", "example.com"))) is None


def test_witness_names_the_test_that_lets_it_pass() -> None:
    strict = atom("equals", "https://example.com")
    weak = atom("ends", "example.org", span=ELSEWHERE)
    found = witness(allow(Any((strict, weak))))
    assert found is not None
    assert (found.span, found.test, found.trusted) == (ELSEWHERE, "example.org", "example.org")
    pattern = Atom("origin", "matches", Pattern("example.org$", "i", "ecmascript", "search"), False, ELSEWHERE)
    found = witness(allow(strict, pattern))
    assert found is not None
    assert (found.span, found.test) == (ELSEWHERE, "/example.org$/i")


def test_witness_through_a_refusal_of_the_others() -> None:
    weak = atom("ends", "example.org", span=ELSEWHERE)
    found = witness(Decision((Case(Not(weak), Refuse(403), AT), Case(Always(), Echo(), AT))))
    assert found is not None
    assert (found.origin, found.span) == ("https://attackerexample.org", ELSEWHERE)


def test_a_second_test_has_to_hold_as_well() -> None:
    found = witness(allow(All((atom("starts", "https://"), atom("contains", "example.com"), atom("ends", ".test")))))
    assert found is not None
    assert found.origin == "https://example.com.attacker.test"
    assert witness(allow(All((atom("contains", "example.com"), atom("ends", ".example.org"))))) is None


def test_trusted_sites_are_not_attackers() -> None:
    """`attackerexample.com` is no attacker where the policy trusts that very site."""
    assert witness(allow(Any((atom("ends", "example.com"), atom("equals", "https://attackerexample.com"))))) is not None
    only = regex(r"^https:\/\/(attacker)?example\.com$")
    assert witness(allow(only)) is None


def test_case_is_folded() -> None:
    found = witness(allow(atom("ends", "Example.COM", fold=True)))
    assert found is not None
    assert found.origin == "https://attackerexample.com"
    assert witness(allow(atom("ends", "Example.COM"))) is None


def test_many_entries_cost_little() -> None:
    entries = [atom("starts", f"https://app{number}.example.com:8443") for number in range(300)]
    catastrophes = [regex(f"^(({number}|a)+)+$") for number in range(20)]
    started = time.process_time()
    assert witness(allow(Any(tuple(entries)))) is None
    witness(allow(Any(tuple(catastrophes)), atom("ends", ".example.com")))
    assert time.process_time() - started < 5


# --- Origins without TLS, and how many can be sent ----------------------------------------------------------------


def _accepting(*tests: Predicate) -> Decision:
    return Decision((*(Case(test, Echo(), AT) for test in tests), Case(Always(), Nothing(), AT)))


def _listed(text: str, start: int) -> Atom:
    return Atom("origin", "equals", text, False, Span("a.js", start, start + len(text)))


def _matching(source: str) -> Atom:
    return Atom("origin", "matches", Pattern(source, "", "ecmascript", "search"), False, AT)


@pytest.mark.parametrize(
    ("tests", "found"),
    [
        ((_listed("https://a.test", 0), _listed("http://a.com", 50)), [("http://a.com", "listed", False, False, True)]),
        ((_listed("https://a.com", 0), _listed("http://a.com", 50)), [("http://a.com", "listed", False, True, True)]),
        (
            (_listed("https://a.com", 0), _listed("http://10.0.0.7", 50)),
            [("http://10.0.0.7", "listed", True, False, True)],
        ),
        ((_listed("http://a.com", 0),), [("http://a.com", "listed", False, False, False)]),
        ((_listed("https://a.com", 0), _listed("http://localhost:3000", 50)), []),
        ((_matching(r"^https?:\/\/a\.com$"),), [("http://a.com", "pattern", False, True, True)]),
        ((_matching(r"^https:\/\/a\.com$"),), []),
        ((_matching(r"^https?:\/\/localhost(:\d+)?$"),), []),
        ((Atom("hostname", "ends", ".a.com", False, AT),), [("http://app.a.com", "host", False, True, True)]),
        ((All((Atom("scheme", "equals", "https", False, AT), Atom("hostname", "ends", ".a.com", False, AT))),), []),
        ((Always(),), []),
        ((UnknownPredicate("a list", AT),), []),
    ],
)
def test_insecure(tests: tuple[Predicate, ...], found: list[tuple[str, str, bool, bool, bool]]) -> None:
    made = insecure(_accepting(*tests))
    assert [(one.origin, one.how, one.private, one.twin, one.beside_https) for one in made] == found


@pytest.mark.parametrize(
    ("decision", "expected"),
    [
        (_accepting(_listed("https://a.example.com", 0)), Tri.NO),
        (_accepting(_listed("https://a.example.com", 0), _listed("https://b.example.com", 50)), Tri.YES),
        (_accepting(Any((_listed("https://a.example.com", 0), _listed("https://b.example.com", 50)))), Tri.YES),
        (_accepting(All((_listed("https://a.example.com", 0), UnknownPredicate("a test", AT)))), Tri.NO),
        (_accepting(_matching("example")), Tri.YES),
        (_accepting(Always()), Tri.YES),
        (_accepting(UnknownPredicate("a test", AT)), Tri.UNKNOWN),
        (_accepting(UnknownPredicate("a list from the environment", AT, True)), Tri.YES),
        (Decision((Case(Always(), Fixed("https://a.example.com"), AT),)), Tri.NO),
        (Decision((Case(Always(), Star(), AT),)), Tri.NO),
        (Decision((Case(Always(), UnknownAnswer("?"), AT),)), Tri.UNKNOWN),
    ],
)
def test_sends_several(decision: Decision, expected: Tri) -> None:
    assert sends_several(decision) is expected
