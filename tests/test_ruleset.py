"""Rules: what loads, what is refused (with file, line and the nearest name), and what is chosen."""

from __future__ import annotations

from pathlib import Path

import pytest

from corslint import rulefiles, ruleset
from corslint.model.finding import Finding
from corslint.rulefiles import RuleError
from corslint.ruleset import (
    AllOf,
    AnyOf,
    Compare,
    Equal,
    FieldRef,
    Matches,
    Not,
    OneOf,
    Placeholder,
    Presence,
    UnknownRuleError,
)
from corslint.source import Span

RULE = """\
id: two-owners
title: Two owners
severity: error
effect: broken
match:
  - name: route
    fact: proxy_route
    where:
      adds.access-control-allow-origin: present
      complete: "yes"
  - name: policy
    fact: cors_policy
    relation: {served_by: route}
    where: {layer: http}
report:
  at: route.adds.access-control-allow-origin
  message: "nginx repeats what {policy.framework} sends"
  related:
    - {at: policy.origin, message: "sent here: {policy.origin|text else nothing}"}
  help: Remove {{this}} line.
fix:
  title: Remove the line
  applicability: unsafe
  edits:
    - {delete: route.adds.access-control-allow-origin}
examples:
  - name: both
    files: {nginx.conf: "⟦add_header⟧"}
    fixed: {nginx.conf: ""}
  - clean: true
    files: {nginx.conf: ""}
"""


def _write(folder: Path, text: str, name: str = "two-owners") -> Path:
    path = folder / f"{name}.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def _rule(folder: Path, text: str) -> ruleset.Rule:
    _write(folder, text)
    return rulefiles.load([folder])["two-owners"]


def _swap(old: str, new: str) -> str:
    assert RULE.count(old) >= 1, old
    return RULE.replace(old, new, 1)


ALSO = """\
also:
  - match:
      - {name: server, fact: socket_server, where: {polling: "yes"}}
    severity: warning
    effect: degraded
    report: {at: server, message: m, help: h}
examples:
"""


def test_further_ways_to_a_fault(tmp_path: Path) -> None:
    rule = _rule(tmp_path, _swap("examples:\n", ALSO))
    own, other = rule.ways
    assert [clause.fact for clause in own.match] == ["proxy_route", "cors_policy"]
    assert [clause.fact for clause in other.match] == ["socket_server"]
    assert [(case.severity, case.effect) for case in rule.all_cases] == [("error", "broken"), ("warning", "degraded")]
    assert rule.severities == ("error", "warning")
    assert rule.kinds == (frozenset({"proxy_route", "cors_policy"}), frozenset({"socket_server"}))
    assert [one.id for one in rulefiles.load([tmp_path]).about({"socket_server"})] == ["two-owners"]
    assert rulefiles.load([tmp_path]).about({"proxy_route"}) == []


def test_a_mistake_in_a_further_way_is_named_with_its_line(tmp_path: Path) -> None:
    text = _swap("examples:\n", ALSO.replace("polling", "poling"))
    line = next(number for number, one in enumerate(text.splitlines(), 1) if "poling" in one)
    with pytest.raises(RuleError, match="no field 'poling'") as caught:
        _rule(tmp_path, text)
    assert caught.value.line == line


def test_a_rule_is_compiled(tmp_path: Path) -> None:
    rule = _rule(tmp_path, RULE)
    assert (rule.id, rule.title, rule.severities, rule.path) == (
        "two-owners",
        "Two owners",
        ("error",),
        str(tmp_path / "two-owners.yaml"),
    )
    route, policy = rule.match
    assert [(str(test.field), test.condition) for test in route.where] == [
        ("route.adds.access-control-allow-origin", Presence(True)),
        ("route.complete", Equal("yes")),
    ]
    assert route.where[0].field.pattern == "adds.*"
    assert [tuple(use) for use in policy.relations] == [("served_by", "route", False)]
    (case,) = rule.cases
    assert case.message == (
        "nginx repeats what ",
        Placeholder(FieldRef("policy", "framework"), False, None),
        " sends",
    )
    assert "".join(map(str, case.help)) == "Remove {this} line."
    (related,) = rule.related
    assert related.message[1] == Placeholder(FieldRef("policy", "origin"), True, "nothing")
    assert case.fix is not None
    assert case.fix.plan["edits"] == [{"delete": "route.adds.access-control-allow-origin"}]
    assert [example.clean for example in rule.examples] == [False, True]
    assert rule.examples[0].fixed == {"nginx.conf": ""}


@pytest.mark.parametrize(
    ("old", "new", "line", "message"),
    [
        ("severity: error", "severty: error", 3, "unknown key 'severty' in the file (did you mean 'severity'?)"),
        ("effect: broken\n", "", 1, "the file lacks the key 'effect'"),
        ("severity: error", "severity: eror", 3, "'eror' is not a valid `severity` (did you mean 'error'?)"),
        ("effect: broken", "effect: broke", 4, "'broke' is not a valid `effect` (did you mean 'broken'?)"),
        ("id: two-owners", "id: Two_Owners", 1, "'Two_Owners' is not a rule id"),
        ("id: two-owners", "id: two-owner", 1, "name the file two-owner.yaml"),
        (
            "fact: proxy_route",
            "fact: proxy_rout",
            7,
            "there is no kind of fact 'proxy_rout' (did you mean 'proxy_route'?)",
        ),
        ("complete:", "complet:", 10, "a proxy_route has no field 'complet' (did you mean 'complete'?)"),
        ('complete: "yes"', "complete: yes", 10, "put it in quotes"),
        ('complete: "yes"', 'complete: "yess"', 10, "complete is never 'yess' (did you mean 'yes'?)"),
        ('complete: "yes"', "http_version: 1.1", 10, "`http_version` has to be a text"),
        ('complete: "yes"', 'upstream_port: "80"', 10, "upstream_port is a number, not '80'"),
        ('complete: "yes"', "complete: {matchs: y}", 10, "there is no condition 'matchs'"),
        ('complete: "yes"', "complete: {matches: y}", 10, "`matches` does not apply to a tri"),
        ('complete: "yes"', "path: {matches: '('}", 10, "not a regular expression"),
        ('complete: "yes"', "path: {matches: '(?=((a*)*)*)\\2'}", 10, "could take for ever"),
        ('complete: "yes"', "path: {one_of: []}", 10, "`one_of` needs at least one item"),
        ('complete: "yes"', "path: {not: {}}", 10, "a condition has exactly one key"),
        ('complete: "yes"', "path: {equals: other.path}", 10, "no fact is named 'other' here"),
        ('complete: "yes"', "path: {equals: route}", 10, "`equals` compares with a field"),
        (
            'complete: "yes"',
            "path: {equals: route.upstream_port}",
            10,
            "cannot compare path (a text) with route.upstream_port",
        ),
        ('complete: "yes"', "path: {equals: route.upstrem}", 10, "no field 'upstrem' (did you mean 'upstream'?)"),
        ('complete: "yes"', "adds.Vary: present", 10, "names of headers are in lower case here: write 'adds.vary'"),
        ('complete: "yes"', "adds.*: present", 10, "a proxy_route has no field 'adds.*'"),
        (
            "{served_by: route}",
            "{served_bye: route}",
            13,
            "unknown key 'served_bye' in `relation` (did you mean 'served_by'?)",
        ),
        ("{served_by: route}", "{served_by: rout}", 13, "no fact is named 'rout' here (did you mean 'route'?)"),
        ("{served_by: route}", "{served_by: policy}", 13, "no fact is named 'policy' here; known: route"),
        (
            "{served_by: route}",
            "{connects_to: route}",
            13,
            "`connects_to` relates socket_client or http_request and socket_server or cors_policy, not",
        ),
        ("{served_by: route}", "{served_by: route.path}", 13, "a relation holds between facts: write 'route' alone"),
        ("name: policy", "name: route", 11, "two clauses are named 'route'"),
        ("name: policy", "name: Policy", 11, "'Policy' is not a name"),
        ("  - name: policy\n    fact", "  - fact", 11, "the clause needs a `name`"),
        ("{layer: http}", "{layer: htp}", 14, "layer is never 'htp' (did you mean 'http'?)"),
        ("  at: route.adds.access-control-allow-origin", "  at: route.added", 16, "a proxy_route has no field 'added'"),
        ("{policy.framework}", "{policy.framewrk}", 17, "no field 'framewrk' (did you mean 'framework'?)"),
        ("{policy.framework}", "{polcy.framework}", 17, "no fact is named 'polcy' here (did you mean 'policy'?)"),
        ("{policy.framework}", "{policy.instance}", 17, "policy.instance has no text of its own"),
        ("{policy.framework}", "{policy}", 17, "policy has no text of its own"),
        ("{policy.framework}", "{policy.framework|html}", 17, "only `|text` may follow a field"),
        ("{policy.framework}", "{policy.framework", 17, "a single `{`"),
        ("{policy.framework}", "{ origin: ... }", 17, "double the braces"),
        ("at: policy.origin", "at: policy.orgin", 19, "no field 'orgin' (did you mean 'origin'?)"),
        ("  help: Remove {{this}} line.\n", "", 3, "`report` lacks `help`"),
        ("applicability: unsafe", "applicability: risky", 23, "'risky' is not a valid `applicability`"),
        ("{delete:", "{delet:", 25, "there is no verb 'delet' (did you mean 'delete'?)"),
        (
            "{delete: route.adds.access-control-allow-origin}",
            "{delete: route.added}",
            25,
            "a proxy_route has no field 'added'",
        ),
        (
            "{delete: route.adds.access-control-allow-origin}",
            "{replace: route.path}",
            25,
            "`replace` needs `code` or `with`",
        ),
        ("{delete: route.adds", "{with: x, delete: route.adds", 25, "unknown key 'with'"),
        (
            "{delete: route.adds.access-control-allow-origin}",
            '{replace: route.path, with: "{route.pat}"}',
            25,
            "no field 'pat' (did you mean 'path'?)",
        ),
        ('  - clean: true\n    files: {nginx.conf: ""}\n', "", 26, "a near miss is missing"),
        ('⟦add_header⟧"}', '"}\n    clean: true', 27, "so it cannot have `fixed`"),
        ("⟦add_header⟧", "add_header", 27, "put ⟦ and ⟧ around the primary place"),
        ("⟦add_header⟧", "⟦add_header", 28, "do not pair up"),
        ("⟦add_header⟧", "⟦a⟦b⟧⟧", 28, "do not pair up"),
        ("⟦add_header⟧", "⟪⟦add_header⟧", 28, "the marks ⟪ and ⟫ do not pair up"),
        ('    fixed: {nginx.conf: ""}\n', "", 26, "no example says what is `fixed`"),
        ("fixed: {nginx.conf", "fixed: {ngin.conf", 29, "`files` has no 'ngin.conf' (did you mean 'nginx.conf'?)"),
        ("files: {nginx.conf", "files: {../nginx.conf", 28, "not a plain relative path"),
        ("severity: error", "severity: []", 3, "`severity` needs at least one case"),
        (
            "severity: error",
            "yields_to: [nothing-here]\nseverity: error",
            3,
            "there is no rule 'nothing-here' to yield to",
        ),
        (
            "severity: error",
            "yields_to: [two-owners]\nseverity: error",
            3,
            "yield to each other: two-owners -> two-owners",
        ),
        ("severity: error", "title: &a x\nproof: *a", 4, "aliases are not allowed"),
        ("severity: error", "severity: [", 5, "not valid YAML"),
    ],
)
def test_a_mistake_is_named_with_its_place(tmp_path: Path, old: str, new: str, line: int, message: str) -> None:
    path = _write(tmp_path, _swap(old, new))
    with pytest.raises(RuleError) as raised:
        rulefiles.load([tmp_path])
    assert message in raised.value.message
    assert (raised.value.path, raised.value.line) == (str(path), line)
    assert str(raised.value) == f"{path}:{line}: {raised.value.message}"


@pytest.mark.parametrize(
    ("cases", "line", "message"),
    [
        (["{is: error}", "{is: note}"], 4, "this case always counts"),
        (["{unknown: true, is: note}"], 3, "needs a case besides the `unknown` one"),
        (["{unknown: true, is: note}", "{is: error}"], 4, "nothing can be unknown"),
        (
            ["{when: {policy: {layer: http}}, is: note}", "{is: error}"],
            5,
            "an unknown `when` would make the finding worse",
        ),
        (
            ["{unknown: true, is: note}", "{unknown: true, is: note}", "{is: error}"],
            5,
            "there is already an `unknown` case",
        ),
        (["{when: {polcy: {layer: http}}, is: note}"], 4, "unknown key 'polcy' in `when` (did you mean 'policy'?)"),
        (["{when: {policy: {leyer: http}}, is: note}"], 4, "no field 'leyer' (did you mean 'layer'?)"),
        (["{when: {}, is: note}"], 4, "`when` needs at least one condition"),
        (["{unknown: false, is: note}", "{is: note}"], 4, "write `unknown: true`"),
        (["{is: notes}"], 4, "'notes' is not a valid `is` (did you mean 'note'?)"),
        (["{message: m}"], 4, "lacks the key 'is'"),
        (["{is: note, fix: {title: t}}"], 4, "`fix` lacks the key 'applicability'"),
        (
            ["{is: note, fix: {title: t, applicability: safe, edits: [{delete: policy}], otherwise: {title: t}}}"],
            4,
            "`otherwise` lacks the key 'applicability'",
        ),
        (
            ["{is: note, fix: {title: t, applicability: safe, edits: [{move: policy, behind: policy.orgin}]}}"],
            4,
            "no field 'orgin' (did you mean 'origin'?)",
        ),
        (
            ["{is: note, fix: {title: t, applicability: safe, edits: [{move: policy, to: last}]}}"],
            4,
            "`to` of `move` can only be `first`",
        ),
        (
            ["{is: note, fix: {title: t, applicability: safe, edits: [{move: policy}]}}"],
            4,
            "`move` needs `behind` or `to`",
        ),
    ],
)
def test_severity_cases_are_checked(tmp_path: Path, cases: list[str], line: int, message: str) -> None:
    _write(tmp_path, _swap("severity: error", "\n".join(["severity:", *(f"  - {case}" for case in cases)])))
    with pytest.raises(RuleError) as raised:
        rulefiles.load([tmp_path])
    assert message in raised.value.message
    assert raised.value.line == line


def test_cases_say_their_own(tmp_path: Path) -> None:
    cases = """\
severity:
  - {when: {policy: {layer: http}}, is: warning, message: other, effect: degraded, fix: null}
  - {unknown: true, is: note, help: "{policy.layer}"}
  - {is: error}
"""
    rule = _rule(tmp_path, _swap("severity: error\n", cases))
    own, unknown, plain = rule.cases
    assert (own.severity, own.effect, own.message, own.fix) == ("warning", "degraded", ("other",), None)
    assert own.help == plain.help
    assert unknown.unknown
    assert unknown.fix == plain.fix
    assert plain.fix is not None
    assert rule.severities == ("error", "warning", "note")


@pytest.mark.parametrize(
    ("text", "condition"),
    [
        ('transports: {contains: "websocket"}', Compare("contains", "websocket")),
        ("transports: {disjoint: [a, b]}", Compare("disjoint", ("a", "b"))),
        ("transports: {disjoint: client.transports}", Compare("disjoint", FieldRef("client", "transports", "list"))),
        ("protocol: {lacks: client.protocol}", Compare("lacks", FieldRef("client", "protocol", "number"))),
        ("protocol: {lacks: a.b}", Compare("lacks", "a.b")),
        ("protocol: {count: 2}", Compare("count", 2)),
        ("port: {at_least: 1024}", Compare("at_least", 1024)),
        ("port: {at_most: client.url_port}", Compare("at_most", FieldRef("client", "url_port", "number"))),
        ("port: 3000", Equal(3000)),
        ("path: /socket.io", Equal("/socket.io")),
        ("path: {prefix_of: /socket.io}", Compare("prefix_of", "/socket.io")),
        ("path: {starts_with: client.path}", Compare("starts_with", FieldRef("client", "path", "text"))),
        ("path: absent", Presence(False)),
        ("path: {not: {any: [absent, {one_of: [/a, /b]}]}}", Not(AnyOf((Presence(False), OneOf(("/a", "/b")))))),
        ("path: {all: [present, {not: /a}]}", AllOf((Presence(True), Not(Equal("/a"))))),
        ("instance: {same_as: server.http_server}", Compare("same_as", FieldRef("server", "http_server", "instance"))),
        ("kind: websocket", Equal("websocket")),
    ],
)
def test_conditions_compile(tmp_path: Path, text: str, condition: object) -> None:
    rule = f"""\
id: two-owners
severity: note
effect: policy
match:
  - {{name: client, fact: socket_client}}
  - name: server
    fact: socket_server
    where: {{{text}}}
report: {{at: server, message: m, help: h}}
examples:
  - {{files: {{a.js: ⟦x⟧}}}}
  - {{files: {{a.js: x}}, clean: true}}
"""
    (test,) = _rule(tmp_path, rule).match[1].where
    assert test.condition == condition


def test_a_pattern_compiles(tmp_path: Path) -> None:
    rule = _rule(tmp_path, _swap('complete: "yes"', 'path: {matches: "^/(api|ws)/"}'))
    condition = rule.match[0].where[1].condition
    assert isinstance(condition, Matches)
    assert condition.pattern.source == "^/(api|ws)/"


def test_the_kinds_decide_which_way_a_relation_goes(tmp_path: Path) -> None:
    text = RULE.replace("{served_by: route}", "{}").replace("  - name: policy", "  - name: other", 1)
    text = text.replace("fact: cors_policy", "fact: cors_policy").replace("policy.", "other.")
    text = text.replace(
        "report:\n", "  - {name: again, fact: proxy_route, relation: {served_by: other}, distinct: route}\nreport:\n"
    )
    again = _rule(tmp_path, text).match[2]
    assert [tuple(use) for use in again.relations] == [("served_by", "other", True)]
    assert again.distinct == ("route",)


def test_a_clause_that_expects_none_cannot_be_shown(tmp_path: Path) -> None:
    _write(tmp_path, _swap("    where: {layer: http}", "    where: {layer: http}\n    expect: none"))
    with pytest.raises(RuleError, match="no fact is named 'policy' here"):
        rulefiles.load([tmp_path])


@pytest.mark.parametrize("expect", ["none", "optional"])
def test_the_first_clause_must_be_there(tmp_path: Path, expect: str) -> None:
    _write(tmp_path, _swap("    fact: proxy_route", f"    fact: proxy_route\n    expect: {expect}"))
    with pytest.raises(RuleError, match="the first clause is what the fault is about") as raised:
        rulefiles.load([tmp_path])
    assert raised.value.line == 8


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("  at: route.adds.access-control-allow-origin", "  at: policy.origin", "'policy' is optional"),
        ("{delete: route.adds.access-control-allow-origin}", "{delete: policy.origin}", "'policy' is optional"),
        (
            "report:\n",
            "  - {name: x, fact: proxy_route, relation: {served_by: policy}}\nreport:\n",
            "'policy' is optional",
        ),
        (
            "report:\n",
            "  - {name: x, fact: cors_policy, distinct: policy}\nreport:\n",
            "no earlier clause is named 'policy'",
        ),
        (
            "report:\n",
            "  - {name: x, fact: cors_policy, where: {origin: {equals: policy.origin}}}\nreport:\n",
            "'policy' is optional",
        ),
        ("severity: error", "severity: [{when: {route: present}, is: error}]", "has to be a mapping of fields"),
    ],
)
def test_nothing_may_depend_on_an_optional_fact(tmp_path: Path, old: str, new: str, message: str) -> None:
    text = _swap("    where: {layer: http}", "    where: {layer: http}\n    expect: optional")
    assert _rule(tmp_path, text).match[1].expect == "optional"
    _write(tmp_path, text.replace(old, new, 1))
    with pytest.raises(RuleError, match=message):
        rulefiles.load([tmp_path])


def test_folders_add_up_and_ids_are_unique(tmp_path: Path) -> None:
    mine = tmp_path / "mine"
    mine.mkdir()
    _write(tmp_path, RULE)
    _write(mine, _swap("id: two-owners", "id: my-own\nyields_to: [two-owners]"), "my-own")
    assert list(rulefiles.load([tmp_path, str(mine)]).rules) == ["my-own", "two-owners"]
    path = _write(mine, RULE)
    with pytest.raises(RuleError, match="already defined in") as raised:
        rulefiles.load([tmp_path, mine])
    assert raised.value.path == str(path)


def test_rules_cannot_yield_in_a_circle(tmp_path: Path) -> None:
    for name, other in (("a-a", "b-b"), ("b-b", "c-c"), ("c-c", "a-a")):
        _write(tmp_path, _swap("id: two-owners", f"id: {name}\nyields_to: [{other}]"), name)
    with pytest.raises(RuleError, match=r"rules yield to each other: a-a -> b-b -> c-c -> a-a"):
        rulefiles.load([tmp_path])


def test_a_missing_folder_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(RuleError, match="cannot be read: No such file"):
        rulefiles.load([tmp_path / "none"])


def test_a_huge_rule_is_refused(tmp_path: Path) -> None:
    _write(tmp_path, RULE + "#" * 1_000_001)
    with pytest.raises(RuleError, match="more than 1000000 bytes"):
        rulefiles.load([tmp_path])


def test_files_that_cannot_be_read_may_be_part_of_an_example(tmp_path: Path) -> None:
    text = _swap('files: {nginx.conf: "⟦add_header⟧"}', "files: {nginx.conf: x, a.js: {unreadable: Permission denied}}")
    example = _rule(tmp_path, text).examples[0]
    assert (example.files, example.unreadable) == ({"nginx.conf": "x"}, {"a.js": "Permission denied"})


def _finding(rule: str, severity: str) -> Finding:
    return Finding(rule, severity, "broken", "high", "m", "h", Span("a.js", 0, 1))


@pytest.mark.parametrize(
    ("chosen", "ignored", "pedantic", "wanted", "shown"),
    [
        ([], [], False, ["a-a error", "a-a note", "b-b error"], ["a-a error", "b-b error"]),
        ([], [], True, ["a-a error", "a-a note", "b-b error"], ["a-a error", "a-a note", "b-b error"]),
        ([], ["a-a"], False, ["b-b error"], ["b-b error"]),
        (["a-a"], [], False, ["a-a error", "a-a note"], ["a-a error", "a-a note"]),
        (["a-a", "b-b"], ["b-b"], False, ["a-a error", "a-a note"], ["a-a error", "a-a note"]),
    ],
)
def test_select(
    tmp_path: Path, chosen: list[str], ignored: list[str], pedantic: bool, wanted: list[str], shown: list[str]
) -> None:
    for name in ("a-a", "b-b"):
        _write(tmp_path, _swap("id: two-owners", f"id: {name}"), name)
    selection = ruleset.select(rulefiles.load([tmp_path]), chosen, ignored, pedantic)
    findings = [_finding("a-a", "error"), _finding("a-a", "note"), _finding("b-b", "error")]
    assert [f"{one.rule} {one.severity}" for one in findings if selection.wants(one)] == wanted
    assert [f"{one.rule} {one.severity}" for one in findings if selection.shows(one)] == shown


@pytest.mark.parametrize(("chosen", "ignored"), [(["two-owner"], []), ([], ["two-owner"])])
def test_an_unknown_id_is_named_with_the_nearest(tmp_path: Path, chosen: list[str], ignored: list[str]) -> None:
    _write(tmp_path, RULE)
    with pytest.raises(
        UnknownRuleError, match=r"^there is no rule `two-owner`; did you mean `two-owners`\?$"
    ) as raised:
        ruleset.select(rulefiles.load([tmp_path]), chosen, ignored, False)
    assert raised.value.rule == "two-owner"


def test_an_unknown_id_without_a_near_one(tmp_path: Path) -> None:
    _write(tmp_path, RULE)
    with pytest.raises(UnknownRuleError, match=r"^there is no rule `zzz`; `corslint rule` lists them$"):
        rulefiles.load([tmp_path])["zzz"]
