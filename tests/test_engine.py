"""Rules times facts: conditions, clauses, severity, places, merging, yielding, fixes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import pytest

from corslint import engine, rulefiles, ruleset
from corslint.model.facts import Fact, Field
from corslint.model.finding import Edit, Finding, Fix, Place
from corslint.model.tri import Tri
from corslint.relations import Related, World
from corslint.source import SourceFile, Span

ABSENT = Field(None, "absent")
UNKNOWN = Field(None, "unknown")


class _Places:
    """Every folder is a package, and every file a process of its own."""

    def package_of(self, path: str) -> str:
        return path.rpartition("/")[0]

    def process_of(self, path: str) -> str:
        return path

    def server_ports(self, server: Fact) -> frozenset[int] | None:
        return None


def at(start: int, end: int | None = None, path: str = "a.js") -> Span:
    return Span(path, start, start + 1 if end is None else end)


def fact(kind: str, span: Span, /, **fields: object) -> Fact:
    """A fact; `__` in a field's name is a dot, and whatever is not a Field is a written value at the fact's place."""
    named = {name.replace("__", "."): value for name, value in fields.items()}
    return Fact(kind, span, {n: v if isinstance(v, Field) else Field(v, "written", span) for n, v in named.items()})


def _no_fix(_spec: Mapping[str, Any], _bindings: Mapping[str, Fact], _render: Callable[[str], str]) -> Fix | None:
    return None


HEAD = """\
id: {id}
severity: {severity}
effect: broken
"""
TAIL = """
examples:
  - {files: {a.js: ⟦x⟧}}
  - {files: {a.js: x}, clean: true}
"""


class Lint:
    """Loads rules from a folder of the test and runs them over hand-made facts."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def rule(self, body: str, name: str = "the-rule", severity: str = "error", examples: str = TAIL) -> None:
        text = HEAD.format(id=name, severity=severity) + body + examples
        (self._folder / f"{name}.yaml").write_text(text, encoding="utf-8")

    def __call__(
        self,
        facts: Iterable[Fact],
        plan: engine.PlanFix = _no_fix,
        sources: Mapping[str, bytes] | None = None,
        incomplete: Iterable[str] = (),
    ) -> list[Finding]:
        files = sources or {}
        world = World(facts, _Places(), lambda path: SourceFile(path, files[path]), (), frozenset(incomplete))
        return engine.run(rulefiles.load([self._folder]), world, plan)

    def one(self, facts: Iterable[Fact], **options: Any) -> Finding:
        (finding,) = self(facts, **options)
        return finding


@pytest.fixture
def lint(tmp_path: Path) -> Lint:
    return Lint(tmp_path)


YES, NO, DUNNO = Tri.YES, Tri.NO, Tri.UNKNOWN


@pytest.mark.parametrize(
    ("where", "value", "expected"),
    [
        # literals
        ("server.path: /a", "/a", YES),
        ("server.path: /a", "/b", NO),
        ("server.path: /a", ABSENT, NO),
        ("server.path: /a", UNKNOWN, DUNNO),
        ("server.path: /a", None, DUNNO),
        ("server.port: 1", 1, YES),
        ("server.port: 1", 1.0, YES),
        ("server.port: 1", True, NO),
        ('server.polling: "yes"', "yes", YES),
        ('server.polling: "yes"', True, YES),
        ('server.polling: "yes"', Tri.YES, YES),
        ('server.polling: "yes"', Tri.NO, NO),
        ('server.polling: "no"', False, YES),
        ('server.polling: "no"', Tri.UNKNOWN, DUNNO),
        ('server.polling: "no"', "unknown", DUNNO),
        # presence
        ("server.path: present", "/a", YES),
        ("server.path: present", Field("/a", "default"), YES),
        ("server.path: present", Field(None, "written"), YES),
        ("server.path: present", ABSENT, NO),
        ("server.path: present", UNKNOWN, DUNNO),
        ("server.path: absent", "/a", NO),
        ("server.path: absent", ABSENT, YES),
        ("server.path: absent", UNKNOWN, DUNNO),
        # lists of literals, logic
        ("server.path: {one_of: [/a, /b]}", "/b", YES),
        ("server.path: {one_of: [/a, /b]}", "/c", NO),
        ("server.path: {one_of: [/a, /b]}", UNKNOWN, DUNNO),
        ("server.path: {not: /a}", "/a", NO),
        ("server.path: {not: /a}", "/b", YES),
        ("server.path: {not: /a}", ABSENT, YES),
        ("server.path: {not: /a}", UNKNOWN, DUNNO),
        ("server.path: {any: [absent, /a]}", ABSENT, YES),
        ("server.path: {any: [absent, /a]}", "/a", YES),
        ("server.path: {any: [absent, /a]}", "/b", NO),
        ("server.path: {any: [absent, /a]}", UNKNOWN, DUNNO),
        ("server.path: {any: [{equals: client.path}, /a]}", "/a", YES),
        ("server.path: {any: [{equals: client.path}, /a]}", "/b", DUNNO),
        ("server.path: {all: [present, {not: /a}]}", "/b", YES),
        ("server.path: {all: [present, {not: /a}]}", "/a", NO),
        ("server.path: {all: [present, {not: /a}]}", UNKNOWN, DUNNO),
        ("server.path: {all: [{equals: client.path}, /a]}", "/b", NO),
        # texts
        ("server.path: {matches: '^/s'}", "/socket.io", YES),
        ("server.path: {matches: '^s'}", "/socket.io", NO),
        ("server.path: {matches: '^/s'}", ABSENT, NO),
        ("server.path: {matches: '^/s'}", "/" * 2000, DUNNO),
        ("server.path: {matches: '^/s'}", UNKNOWN, DUNNO),
        ("server.path: {prefix_of: /socket.io}", "/socket", YES),
        ("server.path: {prefix_of: /socket}", "/socket.io", NO),
        ("server.path: {starts_with: /socket}", "/socket.io", YES),
        ("server.path: {starts_with: /socket.io}", "/socket", NO),
        ("server.path: {starts_with: /socket.io}", UNKNOWN, DUNNO),
        # numbers and lists
        ("server.port: {at_least: 3}", 3, YES),
        ("server.port: {at_least: 3}", 2, NO),
        ("server.port: {at_most: 3}", 3, YES),
        ("server.port: {at_most: 3}", 4, NO),
        ("server.port: {at_most: 3}", ABSENT, NO),
        ("server.port: {at_most: 3}", UNKNOWN, DUNNO),
        ("server.transports: {count: 2}", ("a", "b"), YES),
        ("server.transports: {count: 2}", ("a",), NO),
        ("server.transports: {count: 2}", UNKNOWN, DUNNO),
        ("server.transports: {at_least: 2}", ["a", "b"], YES),
        ("server.transports: {at_most: 1}", ("a", "b"), NO),
        ("server.transports: {contains: a}", ("a", "b"), YES),
        ("server.transports: {contains: c}", ("a", "b"), NO),
        ("server.transports: {contains: c}", ABSENT, NO),
        ("server.transports: {contains: c}", UNKNOWN, DUNNO),
        ("server.transports: {lacks: c}", ("a", "b"), YES),
        ("server.transports: {lacks: a}", ("a", "b"), NO),
        ("server.transports: {lacks: a}", ABSENT, NO),
        ("server.transports: {disjoint: [c, d]}", ("a", "b"), YES),
        ("server.transports: {disjoint: [b, c]}", ("a", "b"), NO),
        ("server.transports: {disjoint: [b, c]}", UNKNOWN, DUNNO),
        # other fields; the client has url /u, protocol 4, transports (a, b), no path, and an unknown host
        ("server.path: {equals: client.url}", "/u", YES),
        ("server.path: {equals: client.url}", "/v", NO),
        ("server.path: {equals: client.url}", UNKNOWN, DUNNO),
        ("server.path: {equals: client.url}", ABSENT, DUNNO),
        ("server.path: {equals: client.path}", "/u", DUNNO),
        ("server.path: {equals: client.host}", "/u", DUNNO),
        ("server.path: {not: {equals: client.host}}", "/u", DUNNO),
        ("server.path: {prefix_of: client.url}", "/", YES),
        ("server.path: {starts_with: client.url}", "/u/v", YES),
        ("server.protocol: {contains: client.protocol}", (3, 4), YES),
        ("server.protocol: {lacks: client.protocol}", (3,), YES),
        ("server.protocol: {lacks: client.protocol}", (3, 4), NO),
        ("server.protocol: {lacks: client.protocol}", UNKNOWN, DUNNO),
        ("server.transports: {disjoint: client.transports}", ("c",), YES),
        ("server.transports: {disjoint: client.transports}", ("b",), NO),
        ("server.port: {at_least: client.protocol}", 4, YES),
        ("server.port: {at_least: client.protocol}", 3, NO),
        ("server.http_server: {same_as: client.instance}", at(90), YES),
        ("server.http_server: {same_as: client.instance}", at(91), NO),
        ("server.http_server: {same_as: client.instance}", ABSENT, DUNNO),
        ("server.http_server: {same_as: client.instance}", UNKNOWN, DUNNO),
    ],
)
def test_conditions(tmp_path: Path, where: str, value: object, expected: Tri) -> None:
    name, _, condition = where.removeprefix("server.").partition(": ")
    Lint(tmp_path).rule(
        f"""\
match:
  - {{name: client, fact: socket_client}}
  - {{name: server, fact: socket_server, where: {{{name}: {condition}}}}}
report: {{at: server, message: m, help: h}}"""
    )
    (test,) = rulefiles.load([tmp_path])["the-rule"].match[1].where
    client = fact("socket_client", at(90), url="/u", protocol=4, transports=("a", "b"), host=UNKNOWN, instance=at(90))
    server = fact("socket_server", at(80), **{name: value})
    assert engine.holds(test, {"client": client, "server": server}).answer is expected


def test_a_field_named_by_its_pattern_speaks_for_all_others(lint: Lint) -> None:
    lint.rule("""\
match:
  - {name: route, fact: proxy_route, where: {adds.vary: absent}}
report: {at: route, message: m, help: h}""")
    assert lint([fact("proxy_route", at(0))])
    assert not lint([fact("proxy_route", at(0), **{"adds.*": UNKNOWN})])
    assert lint([fact("proxy_route", at(0), **{"adds.*": UNKNOWN, "adds.vary": ABSENT})])


PAIR = """\
match:
  - {name: server, fact: socket_server}
  - {name: policy, fact: cors_policy, relation: {of: server}, where: {layer: socket}}
report: {at: policy.origin, message: "m {policy.origin}", help: h}"""


def _server(start: int, **fields: object) -> Fact:
    return fact("socket_server", at(start, start + 9), instance=at(start, start + 9), **fields)


def _policy(start: int, server: object, **fields: object) -> Fact:
    fields = {"layer": "socket", "origin": "*", **fields}
    return fact("cors_policy", at(start), instance=at(start), socket=server, **fields)


def test_facts_are_joined(lint: Lint) -> None:
    lint.rule(PAIR)
    servers = [_server(0), _server(10), _server(20)]
    policies = [_policy(30, at(10, 19)), _policy(40, at(0, 9)), _policy(50, at(99)), _policy(60, UNKNOWN)]
    assert [finding.primary for finding in lint([*servers, *policies])] == [at(30), at(40)]


def test_a_big_join_does_not_ask_about_every_pair(lint: Lint, monkeypatch: pytest.MonkeyPatch) -> None:
    lint.rule(PAIR)
    asked = []
    ask = World.ask

    def counted(self: World, relation: str, first: Fact, second: Fact) -> Related:
        asked.append(relation)
        return ask(self, relation, first, second)

    monkeypatch.setattr(World, "ask", counted)
    count = 300
    servers = [_server(10 * number) for number in range(count)]
    policies = [_policy(10_000 + number, at(10 * number, 10 * number + 9)) for number in range(count)]
    assert len(lint([*servers, *policies])) == count
    assert len(asked) == count


def test_same_as_does_not_look_at_every_pair(lint: Lint, monkeypatch: pytest.MonkeyPatch) -> None:
    lint.rule("""\
match:
  - {name: http, fact: http_server}
  - {name: listener, fact: listener, where: {target: {same_as: http.instance}}}
report: {at: listener, message: m, help: h}""")
    judged = []
    holds = engine.holds

    def counted(test: ruleset.FieldTest, bindings: engine.Bindings) -> engine.Answer:
        judged.append(test)
        return holds(test, bindings)

    monkeypatch.setattr(engine, "holds", counted)
    count = 300
    servers = [fact("http_server", at(number), instance=at(number)) for number in range(count)]
    listeners = [fact("listener", at(1000 + number), target=at(number)) for number in range(count)]
    assert len(lint([*servers, *listeners])) == count
    assert len(judged) == count


def test_distinct(lint: Lint) -> None:
    lint.rule("""\
match:
  - {name: one, fact: socket_server}
  - {name: other, fact: socket_server, where: {http_server: {same_as: one.http_server}}, distinct: one}
report: {at: other, message: m, help: h}""")
    assert not lint([_server(0, http_server=at(70)), _server(10, http_server=at(71))])
    both = lint([_server(0, http_server=at(70)), _server(10, http_server=at(70))])
    assert [finding.primary for finding in both] == [at(0, 9), at(10, 19)]


NONE = """\
match:
  - {name: server, fact: socket_server}
  - {fact: cors_policy, expect: none, relation: {of: server}, where: {layer: socket}}
report: {at: server, message: m, help: h}"""


@pytest.mark.parametrize(
    ("policies", "fires"),
    [
        ([], True),
        ([_policy(20, at(0, 9))], False),
        ([_policy(20, at(0, 9), layer=UNKNOWN)], False),
        ([_policy(20, at(0, 9), layer="http")], True),
        ([_policy(20, UNKNOWN)], False),
        ([_policy(20, UNKNOWN, layer="http")], True),
        ([_policy(20, ABSENT)], True),
        ([_policy(20, at(50))], True),
        ([_policy(20, at(50)), _policy(30, UNKNOWN)], False),
    ],
)
def test_expect_none_is_yes_only_if_every_fact_certainly_fails(lint: Lint, policies: list[Fact], fires: bool) -> None:
    lint.rule(NONE)
    assert bool(lint([_server(0), *policies])) is fires


def test_expect_none_says_nothing_about_kinds_that_are_incomplete(lint: Lint) -> None:
    lint.rule(NONE)
    assert not lint([_server(0)], incomplete=["cors_policy"])
    assert lint([_server(0)], incomplete=["package"])


def test_expect_none_compares_with_earlier_facts(lint: Lint) -> None:
    lint.rule("""\
match:
  - {name: http, fact: http_server}
  - {fact: listener, expect: none, where: {target: {same_as: http.instance}}}
report: {at: http, message: m, help: h}""")
    server = fact("http_server", at(0), instance=at(0))
    assert lint([server, fact("listener", at(5), target=at(7))])
    assert not lint([server, fact("listener", at(5), target=at(0))])
    assert not lint([server, fact("listener", at(5), target=UNKNOWN)])
    # An absent target could not be compared: unknown.
    assert not lint([server, fact("listener", at(5))])


@pytest.mark.parametrize(
    ("server", "policy", "confidence"),
    [
        ({}, {}, "high"),
        ({"path": Field("/x", "written", None, (), "low")}, {}, "high"),  # no condition looks at it
        ({}, {"layer": Field("socket", "written", None, (), "medium")}, "medium"),
        ({}, {"origin": Field("*", "written", at(3), (), "low")}, "low"),  # the place that is shown
        ({}, {"socket": Field(at(0, 9), "written", None, (), "medium")}, "medium"),  # the relation
        (
            {},
            {
                "layer": Field("socket", "written", None, (), "low"),
                "socket": Field(at(0, 9), "written", None, (), "medium"),
            },
            "low",
        ),
    ],
)
def test_confidence_is_the_lowest_of_what_was_used(
    lint: Lint, server: dict[str, object], policy: dict[str, object], confidence: str
) -> None:
    lint.rule(PAIR)
    made = {"socket": at(0, 9), **policy}
    assert lint.one([_server(0, **server), _policy(30, made.pop("socket"), **made)]).confidence == confidence


@pytest.mark.parametrize(
    ("layer", "socket", "confidence"),
    [
        (Field("http", "written", None, (), "low"), Field(at(50), "written", None, (), "low"), "low"),
        (Field("http", "written", None, (), "low"), Field(at(50), "written", None, (), "medium"), "medium"),
        (Field("http", "written", None, (), "low"), Field(at(50)), "high"),  # one sure reason is enough
        (Field("socket"), Field(at(50), "written", None, (), "medium"), "medium"),
    ],
)
def test_confidence_where_nothing_may_be(lint: Lint, layer: Field, socket: Field, confidence: str) -> None:
    lint.rule(NONE)
    assert lint.one([_server(0), _policy(30, socket, layer=layer)]).confidence == confidence


CASES = """
  - {when: {server: {polling: "yes"}}, is: error, message: polls}
  - {when: {server: {websocket: "yes"}}, is: warning, help: "own help"}
"""
SINGLE = """\
match:
  - {name: server, fact: socket_server}
report: {at: server, message: m, help: h}"""


@pytest.mark.parametrize(
    ("more", "polling", "websocket", "expected"),
    [
        ("  - {is: note}", "yes", "no", ("error", "polls", "h")),
        ("  - {is: note}", "no", "yes", ("warning", "m", "own help")),
        ("  - {is: note}", "no", "no", ("note", "m", "h")),
        # an unknown case is passed over where nothing is said about it
        ("  - {is: note}", None, "yes", ("warning", "m", "own help")),
        ("  - {is: note}", None, None, ("note", "m", "h")),
        ("", None, "no", None),
        ("", "no", "no", None),
        # and counts by itself where the rule says so, even if a later case is a yes
        ("  - {unknown: true, is: note, message: who knows}\n  - {is: error}", None, "yes", ("note", "who knows", "h")),
        ("  - {unknown: true, is: note, message: who knows}\n  - {is: error}", "yes", None, ("error", "polls", "h")),
        ("  - {unknown: true, is: note, message: who knows}\n  - {is: error}", "no", "no", ("error", "m", "h")),
    ],
)
def test_severity_cases(
    lint: Lint, more: str, polling: str | None, websocket: str | None, expected: tuple[str, str, str] | None
) -> None:
    lint.rule(SINGLE, severity=CASES + more)
    given = {
        name: UNKNOWN if value is None else value for name, value in (("polling", polling), ("websocket", websocket))
    }
    found = [(one.severity, one.message, one.help) for one in lint([_server(0, **given)])]
    assert found == ([] if expected is None else [expected])


def test_the_confidence_of_a_case_counts(lint: Lint) -> None:
    lint.rule(SINGLE, severity=CASES + "  - {is: note}")
    no = Field("no", "written", None, (), "medium")
    assert lint.one([_server(0, polling="yes", websocket=no)]).confidence == "high"
    assert lint.one([_server(0, polling="no", websocket=no)]).confidence == "medium"


OPTIONAL = """\
match:
  - {name: server, fact: socket_server}
  - name: policy
    fact: cors_policy
    expect: optional
    relation: {of: server}
    where: {layer: socket}
report:
  at: server
  message: "m {policy.origin} {policy.origin else -}"
  help: h
  related: [{at: policy, message: "here {policy.origin}"}]"""
OPTIONAL_CASES = """
  - {when: {policy: {credentials: true}}, is: error}
  - {when: {policy: present}, is: warning}
  - {when: {policy: absent}, is: note}
"""


@pytest.mark.parametrize(
    ("policies", "expected"),
    [
        ([], ("note", "m nothing -", [])),
        ([_policy(20, at(50))], ("note", "m nothing -", [])),
        ([_policy(20, at(0, 9))], ("warning", "m * *", ["here *"])),
        ([_policy(20, at(0, 9), credentials=True)], ("error", "m * *", ["here *"])),
        ([_policy(20, at(0, 9)), _policy(30, at(0, 9), credentials=True)], ("error", "m * *", ["here *", "here *"])),
        ([_policy(20, at(0, 9)), _policy(30, UNKNOWN, credentials=True)], ("warning", "m * *", ["here *"])),
        # what may be there decides nothing
        ([_policy(20, UNKNOWN)], None),
        # what is there in development only does not count
        ([_policy(20, at(0, 9), credentials=True, fence="development")], ("note", "m nothing -", [])),
    ],
)
def test_optional_facts(lint: Lint, policies: list[Fact], expected: tuple[str, str, list[str]] | None) -> None:
    lint.rule(OPTIONAL, severity=OPTIONAL_CASES)
    found = [
        (one.severity, one.message, [place.message for place in one.related]) for one in lint([_server(0), *policies])
    ]
    assert found == ([] if expected is None else [expected])


def test_optional_facts_in_doubt_are_unknown(lint: Lint) -> None:
    lint.rule(
        OPTIONAL, severity="\n  - {when: {policy: absent}, is: error}\n  - {unknown: true, is: warning}\n  - {is: note}"
    )
    assert lint.one([_server(0)]).severity == "error"
    assert lint.one([_server(0), _policy(20, UNKNOWN)]).severity == "warning"
    assert lint.one([_server(0)], incomplete=["cors_policy"]).severity == "warning"
    assert lint.one([_server(0), _policy(20, at(0, 9))]).severity == "note"


def test_a_field_that_is_not_known_leaves_optional_facts_in_doubt(lint: Lint) -> None:
    lint.rule(
        """\
match:
  - {name: server, fact: socket_server}
  - {name: policy, fact: cors_policy, expect: optional, relation: {of: server}, where: {credentials: true}}
report: {at: server, message: m, help: h}""",
        severity="\n  - {when: {policy: absent}, is: error}\n  - {unknown: true, is: warning}\n  - {is: note}",
    )
    assert lint.one([_server(0), _policy(20, at(0, 9), credentials=UNKNOWN)]).severity == "warning"
    assert lint.one([_server(0), _policy(20, at(0, 9), credentials=False)]).severity == "error"
    assert lint.one([_server(0), _policy(20, at(50), credentials=UNKNOWN)]).severity == "error"
    fenced = _policy(20, at(0, 9), credentials=UNKNOWN, fence="development")
    assert lint.one([_server(0), fenced]).severity == "error"


def test_a_case_has_its_own_place_and_fix(lint: Lint) -> None:
    cases = """
  - when: {policy: present}
    is: error
    at: policy.origin
    fix: {title: t, applicability: safe, edits: [{delete: policy.origin}]}
  - {is: warning, at: policy.origin}
"""
    plans: list[object] = []

    def plan(spec: Mapping[str, Any], bindings: Mapping[str, Fact], _render: Callable[[str], str]) -> Fix | None:
        plans.append(bindings[spec["edits"][0]["delete"].split(".")[0]].kind)
        return None

    lint.rule(OPTIONAL, severity=cases, examples=FIXED)
    policy = _policy(20, at(0, 9))
    policy.fields["origin"] = Field("*", "written", at(30, 33))
    found = lint.one([_server(0), policy], plan=plan)
    assert (found.severity, found.primary, plans) == ("error", at(30, 33), ["cors_policy"])
    found = lint.one([_server(0)], plan=plan)
    assert (found.severity, found.primary, plans) == ("warning", at(0, 9), ["cors_policy"])


def test_a_development_fence_makes_a_note(lint: Lint) -> None:
    lint.rule(PAIR)
    plain = lint.one([_server(0), _policy(30, at(0, 9))])
    fenced = lint.one([_server(0, fence="development"), _policy(30, at(0, 9))])
    assert (plain.severity, plain.help) == ("error", "h")
    assert (fenced.severity, fenced.help) == ("note", "h It is reachable only in development, so it is a note.")
    for other in ("none", UNKNOWN):
        assert lint.one([_server(0, fence=other), _policy(30, at(0, 9))]).severity == "error"


def test_a_fence_changes_nothing_about_a_note(lint: Lint) -> None:
    lint.rule(SINGLE, severity="note")
    assert lint.one([_server(0, fence="development")]).help == "h"


def test_places(lint: Lint) -> None:
    lint.rule("""\
match:
  - {name: server, fact: socket_server}
  - {name: policy, fact: cors_policy, relation: {of: server}}
report:
  at: policy.origin
  message: m
  help: h
  related:
    - {at: server, message: the server}
    - {at: policy.credentials, message: "credentials {policy.credentials}"}
    - {at: policy.scope, message: not there}
    - {at: policy.origin, message: the same place}""")
    shared = at(5, 20, "config.js")
    policy = _policy(
        30,
        at(0, 9),
        origin=Field("*", "written", shared, (at(31, 32), at(7, 8, "index.js"), at(4, 30, "config.js"))),
        credentials=Field(True, "written", at(40, 44)),
        scope=ABSENT,
    )
    finding = lint.one([_server(0), policy])
    assert finding.primary == shared
    assert finding.related == (
        Place(at(0, 9), "the server"),
        Place(at(40, 44), "credentials true"),
        Place(at(31, 32), "takes effect here"),
        Place(at(7, 8, "index.js"), "takes effect here"),
        Place(at(30), "takes effect here"),
    )


def test_the_use_is_not_shown_where_it_holds_the_place(lint: Lint) -> None:
    lint.rule(SINGLE.replace("at: server", "at: server.path"))
    finding = lint.one([_server(0, path=Field("/x", "written", at(3, 5)))])
    assert (finding.primary, finding.related) == (at(3, 5), ())


def test_a_field_without_a_place_is_at_the_fact(lint: Lint) -> None:
    lint.rule(SINGLE.replace("at: server", "at: server.path"))
    assert lint.one([_server(0, path=Field("/x", "default"))]).primary == at(0, 9)
    assert lint.one([_server(0)]).primary == at(0, 9)


def test_one_place_is_one_finding(lint: Lint) -> None:
    lint.rule(PAIR, severity="\n  - {when: {policy: {credentials: true}}, is: error}\n  - {is: warning}")
    shared = at(5, 20, "config.js")
    origin = Field("*", "written", shared, (at(1, 2, "config.js"),))
    policies = [
        _policy(30, at(0, 9), origin=origin),
        _policy(40, at(10, 19), origin=origin, credentials=True),
        _policy(50, at(10, 19), origin=origin),
    ]
    finding = lint.one([_server(0), _server(10), *policies])
    assert (finding.severity, finding.primary) == ("error", shared)
    assert finding.related == (
        Place(at(1, 2, "config.js"), "takes effect here"),
        Place(at(40), "takes effect here"),
        Place(at(30), "takes effect here"),
        Place(at(50), "takes effect here"),
    )


def test_texts(lint: Lint) -> None:
    lint.rule(
        SINGLE.replace(
            "message: m",
            'message: "{server.transports} {server.port} {server.polling} {server.path} {server.kind} '
            "{server.path else none} {server.kind else '?'} {server.version|text} {server|text} {{}}\"",
        )
    )
    source = b"x = io(\n  1)\n"
    server = fact(
        "socket_server",
        at(4, 12),
        transports=("a", "b"),
        port=80.0,
        polling=True,
        path=ABSENT,
        kind=UNKNOWN,
        version=Field("4", "written", at(0, 1)),
    )
    message = lint.one([server], sources={"a.js": source}).message
    assert message == "a, b 80 yes nothing unknown none '?' x io( … {}"


def test_long_values_are_cut(lint: Lint) -> None:
    lint.rule(SINGLE.replace("message: m", 'message: "{server.path}"'))
    message = lint.one([_server(0, path="/" * 500)]).message
    assert message == "/" * 199 + "…"


def _other(kind: str, place: str, more: str = "") -> str:
    return f"{more}match:\n  - {{name: x, fact: {kind}}}\nreport: {{at: {place}, message: m, help: h}}"


@pytest.mark.parametrize(
    ("facts", "place", "subjects", "silent"),
    [
        # the same fact of the first clause, shown elsewhere
        ([_server(0, path=Field("/x", "written", at(3)))], "x.path", "", True),
        # another fact at the same place
        ([_server(0), fact("listener", at(0, 9))], "x", "", True),
        # another fact whose primary place is the same
        ([_server(0), fact("listener", at(60), call=Field("x", "written", at(0, 9)))], "x.call", "", True),
        # another fact that names the subject
        ([_server(0), fact("listener", at(60), target=at(0, 9))], "x", "subjects: [x.target]\n", True),
        ([_server(0), fact("listener", at(60), target=at(0, 9))], "x", "", False),
        ([_server(0), fact("listener", at(60), target=at(10))], "x", "subjects: [x.target]\n", False),
        ([_server(0)], "x", "", False),
    ],
)
def test_yields_to(lint: Lint, facts: list[Fact], place: str, subjects: str, silent: bool) -> None:
    kind = "listener" if len(facts) == 2 or place != "x.path" else "socket_server"
    lint.rule(SINGLE.replace("match:", "yields_to: [other-one]\nmatch:", 1))
    lint.rule(_other(kind, place, subjects), name="other-one", severity="note")
    found = [finding.rule for finding in lint(facts)]
    assert ("the-rule" not in found) is silent


def test_yielding_is_passed_on(lint: Lint) -> None:
    """Where b is silent for c, a is silent, too: it is still the same fault."""
    for name, other in (("a-a", "b-b"), ("b-b", "c-c"), ("c-c", "")):
        lint.rule(SINGLE.replace("match:", f"yields_to: [{other}]\nmatch:", 1), name=name)
    assert [finding.rule for finding in lint([_server(0)])] == ["c-c"]


def test_one_subject_yields_and_the_other_speaks(lint: Lint) -> None:
    lint.rule(SINGLE.replace("match:", "yields_to: [other-one]\nmatch:", 1))
    lint.rule(SINGLE.replace("fact: socket_server", "fact: socket_server, where: {port: 80}"), name="other-one")
    found = lint([_server(0, port=80), _server(10, port=81)])
    assert [(finding.rule, finding.primary) for finding in found] == [("other-one", at(0, 9)), ("the-rule", at(10, 19))]


FIX = """
fix:
  title: "Write {server.path}"
  applicability: unsafe
  only_when: {server: {polling: "yes"}}
  edits:
    - {replace: server.path, with: "{server.url else /}{server.path}"}
"""
FIXED = """
examples:
  - {files: {a.js: ⟦x⟧}, fixed: {a.js: y}}
  - {files: {a.js: x}, clean: true}
"""


@pytest.mark.parametrize(
    ("server", "asked"),
    [
        ({"polling": "yes", "path": "/x"}, ("Write /x", "//x")),
        ({"polling": "yes", "path": ABSENT}, "no text"),
        ({"polling": "yes", "path": UNKNOWN}, "no text"),
        ({"polling": "no", "path": "/x"}, None),
        ({"polling": UNKNOWN, "path": "/x"}, None),
    ],
)
def test_fixes(lint: Lint, server: dict[str, object], asked: object) -> None:
    lint.rule(SINGLE + FIX.replace("server.url", "server.version"), examples=FIXED)
    calls: list[object] = []

    def plan(spec: Mapping[str, Any], bindings: Mapping[str, Fact], render: Callable[[str], str]) -> Fix | None:
        assert spec["edits"][0]["replace"] == "server.path"
        assert bindings["server"].kind == "socket_server"
        assert render("") == ""
        try:
            texts = render(spec["title"]), render(spec["edits"][0]["with"])
        except LookupError:
            calls.append("no text")
            return None
        calls.append(texts)
        return Fix(texts[0], spec["applicability"], (Edit(at(0), texts[1]),))

    finding = lint.one([_server(0, **server)], plan=plan)
    assert calls == ([] if asked is None else [asked])
    expected = Fix("Write /x", "unsafe", (Edit(at(0), "//x"),)) if isinstance(asked, tuple) else None
    assert finding.fix == expected


OTHERWISE = """
fix:
  title: first
  applicability: unsafe
  only_when: {server: {polling: "yes"}}
  edits: [{replace: server.path, with: "{server.version}"}]
  otherwise:
    title: second
    applicability: unsafe
    only_when: {server: {websocket: "yes"}}
    edits: [{replace: server.path, with: x}]
    otherwise:
      title: third
      applicability: placeholder
      edits: [{replace: server.path, with: <path>}]
"""


@pytest.mark.parametrize(
    ("server", "chosen"),
    [
        ({"polling": "yes", "version": "1", "websocket": "yes"}, ("first", "unsafe")),
        ({"polling": "no", "version": "1", "websocket": "yes"}, ("second", "unsafe")),
        ({"polling": "yes", "version": UNKNOWN, "websocket": "yes"}, ("second", "unsafe")),
        ({"polling": UNKNOWN, "version": "1", "websocket": "no"}, ("third", "placeholder")),
    ],
)
def test_what_stands_in_for_a_fix(lint: Lint, server: dict[str, object], chosen: tuple[str, str]) -> None:
    lint.rule(SINGLE + OTHERWISE, examples=FIXED)

    def plan(spec: Mapping[str, Any], bindings: Mapping[str, Fact], render: Callable[[str], str]) -> Fix | None:
        try:
            return Fix(render(spec["title"]), spec["applicability"], (Edit(at(0), render(spec["edits"][0]["with"])),))
        except LookupError:
            return None

    fix = lint.one([_server(0, path="/x", **server)], plan=plan).fix
    assert fix is not None
    assert (fix.title, fix.applicability) == chosen


def test_findings_are_ordered(lint: Lint) -> None:
    lint.rule(SINGLE, name="b-b")
    lint.rule(SINGLE, name="a-a")
    facts = [fact("socket_server", at(5, path="b.js")), fact("socket_server", at(9)), fact("socket_server", at(1))]
    assert [(one.primary.path, one.primary.start, one.rule) for one in lint(facts)] == [
        ("a.js", 1, "a-a"),
        ("a.js", 1, "b-b"),
        ("a.js", 9, "a-a"),
        ("a.js", 9, "b-b"),
        ("b.js", 5, "a-a"),
        ("b.js", 5, "b-b"),
    ]
