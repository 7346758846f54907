"""The operators of the mutation run, how a run is judged, and that nothing in a rule or a descriptor escapes them."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import yaml

from corslint.model import responses
from corslint.model.semantics import SemanticsError, policy_semantics
from corslint.rulefiles import CONDITIONS, RULE_KEYS
from corslint.yamlfile import YamlError

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="module")
def mutants() -> Iterator[ModuleType]:
    spec = importlib.util.spec_from_file_location("mutants", ROOT / "scripts" / "mutants.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["mutants"] = module
    spec.loader.exec_module(module)
    yield module
    del sys.modules["mutants"]


def _told(mutants: ModuleType, changes: Any) -> list[str]:
    """The changes as `path: new`."""
    return [
        f"{mutants.Mutant('', 1, at, None, new).path}: {'dropped' if new is mutants.DROPPED else json.dumps(new)}"
        for at, new in changes
    ]


# --- rules ---

RULE = """\
id: two-owners
title: Two owners
severity:
  - {when: {policy: {effect.credentials: "yes"}}, is: error, fix: null}
  - {is: warning}
effect: broken
match:
  - name: route
    fact: proxy_route
    where:
      complete: "yes"
      adds.access-control-allow-origin: present
  - name: policy
    fact: cors_policy
    relation: {served_by: route}
    where: {layer: {one_of: [http, socket]}}
  - {fact: socket_client, expect: none, where: {websocket_only: "yes"}}
report:
  at: route.adds.access-control-allow-origin
  message: words
  related:
    - {at: policy, message: words}
  help: words
also:
  - match:
      - {name: server, fact: socket_server, where: {polling: "yes"}}
    severity: error
    report: {at: server, message: words, help: words}
subjects: [policy.origin]
yields_to: [another]
symptoms: [words]
fix:
  title: words
  applicability: unsafe
  edits:
    - {delete: route.adds.access-control-allow-origin}
    - {set_option: policy.origin, key: origin, value: [a, true], argument: 0}
examples: []
"""

RULE_CHANGES = """\
severity[0]: dropped
severity[0].is: "warning"
severity[0].when: dropped
severity[0].when.policy.effect.credentials: "no"
severity[0].when.policy.effect.credentials: "no"
severity[0].fix: dropped
severity[1]: dropped
severity[1].is: "note"
effect: "exploitable"
match[0].where.complete: dropped
match[0].where.complete: "no"
match[0].where.complete: "no"
match[0].where.adds.access-control-allow-origin: dropped
match[0].where.adds.access-control-allow-origin: "absent"
match[1].where.layer: dropped
match[1].where.layer: {"not": {"one_of": ["http", "socket"]}}
match[1].where.layer.one_of[0]: dropped
match[1].where.layer.one_of[1]: dropped
match[1].relation.served_by: dropped
match[2]: dropped
match[2]: {"name": "the_one_wanted", "fact": "socket_client", "where": {"websocket_only": "yes"}}
match[2].where.websocket_only: dropped
match[2].where.websocket_only: "no"
match[2].where.websocket_only: "no"
report.at: "route"
report.related[0]: dropped
report.related[0].at: "route"
also[0]: dropped
also[0].match[0].where.polling: dropped
also[0].match[0].where.polling: "no"
also[0].match[0].where.polling: "no"
also[0].severity: "warning"
subjects[0]: dropped
yields_to[0]: dropped
fix.applicability: "placeholder"
fix.edits[0]: dropped
fix.edits[1]: dropped
fix.edits[1].key: "origin-x"
fix.edits[1].value[0]: dropped
fix.edits[1].value[1]: dropped
fix.edits[1].value[0]: "a-x"
fix.edits[1].value[1]: false
fix.edits[1].argument: 1
"""


def test_everything_in_a_rule_is_changed(mutants: ModuleType) -> None:
    assert _told(mutants, mutants.rule_changes(yaml.safe_load(RULE))) == RULE_CHANGES.splitlines()


def test_every_key_of_a_rule_has_an_operator(mutants: ModuleType) -> None:
    changed = {at[0] for at, _ in mutants.rule_changes(yaml.safe_load(RULE))}
    assert changed | mutants.UNTOUCHED_IN_RULES == set(RULE_KEYS)
    with pytest.raises(LookupError, match="'strange'"):
        list(mutants.rule_changes({**yaml.safe_load(RULE), "strange": 1}))


@pytest.mark.parametrize(
    ("condition", "kind", "changes"),
    [
        ("present", "text", []),
        ("yes", "tri", [': "no"']),
        ("socket", ("http", "socket", "proxy"), [': "proxy"']),
        ("proxy", ("http", "socket", "proxy"), [': "http"']),
        ("/x", "text", [': "/x-x"']),
        (True, "boolean", [": false"]),
        (3, "number", [": 4"]),
        ({"not": "http"}, ("http", "socket"), ['not: "socket"']),
        ({"not": {"at_least": 2}}, "number", ["not.at_least: 3", "not.at_least: 1"]),
        ({"one_of": ["http"]}, ("http", "socket"), ['one_of[0]: "socket"']),
        ({"count": 1}, "list", ["count: 2", "count: 0"]),
        ({"at_least": "other.count"}, "number", []),
        ({"contains": "PUT"}, "list", ['contains: "PUT-x"']),
        ({"lacks": "client.protocol"}, "list", []),
        ({"disjoint": ["a", "b"]}, "list", ["disjoint[0]: dropped", "disjoint[1]: dropped"]),
        ({"starts_with": "/x"}, "text", ['starts_with: "/x-x"']),
        ({"equals": "server.path"}, "text", []),
        ({"matches": "^a$"}, "text", ['matches: "a$"', 'matches: "^a"']),
        (
            {"any": ["absent", "a"]},
            "text",
            [
                ': {"all": ["absent", "a"]}',
                "any[0]: dropped",
                'any[0]: "present"',
                "any[1]: dropped",
                'any[1]: {"not": "a"}',
                'any[1]: "a-x"',
            ],
        ),
    ],
)
def test_conditions(mutants: ModuleType, condition: Any, kind: Any, changes: list[str]) -> None:
    assert _told(mutants, mutants.condition_changes(condition, kind)) == changes


def test_every_condition_has_an_operator(mutants: ModuleType) -> None:
    """Those that compare with another field alone can be dropped or turned around, nothing else."""
    operands = {
        "condition": "a",
        "conditions": ["a", "b"],
        "literals": ["a", "b"],
        "regex": "^a",
        "number": 1,
        "literal": "a",
        "list": ["a", "b"],
        "text": "a",
        "bound": 1,
    }
    for name, spec in CONDITIONS.items():
        if spec.operand != "reference":
            assert list(mutants.condition_changes({name: operands[spec.operand]}, "text")), name


@pytest.mark.parametrize(
    ("condition", "turned"),
    [
        ("present", "absent"),
        ("absent", "present"),
        ("yes", "no"),
        ("no", "yes"),
        (True, False),
        ("star", {"not": "star"}),
        ({"not": "star"}, "star"),
        ({"at_least": 2}, {"not": {"at_least": 2}}),
    ],
)
def test_negation(mutants: ModuleType, condition: Any, turned: Any) -> None:
    assert mutants.negated(condition) == turned


def test_optional_clauses_and_distinct(mutants: ModuleType) -> None:
    raw = yaml.safe_load(RULE)
    raw["severity"] = "error"
    raw["match"] = [
        raw["match"][0],
        {"name": "other", "fact": "proxy_route", "distinct": "route"},
        {"name": "client", "fact": "socket_client", "expect": "optional", "distinct": ["route", "other"]},
    ]
    told = [line for line in _told(mutants, mutants.rule_changes(raw)) if line.startswith(("match[1]", "match[2]"))]
    assert told == [
        "match[1].distinct: dropped",
        "match[2]: dropped",
        'match[2]: {"name": "client", "fact": "socket_client", "distinct": ["route", "other"]}',
        'match[2].expect: "none"',
        "match[2].distinct[0]: dropped",
        "match[2].distinct[1]: dropped",
    ]


# --- descriptors ---

DESCRIPTOR = """\
id: lib
title: Library
language: javascript
package: {ecosystem: npm, name: lib}
versions: ">=3,<5"
calls:
  - callee: [lib#default, lib#make]
    form: call
    options: [1, 0]
    emits:
      - fact: cors_policy
        fields:
          layer: http
          instance: {call: true}
          origin: {key: [cors.origin, origin], absent: none, default: star}
          old: {keyword: old, default: none}
          credentials: {position: 4, default: false, as: tri}
          major: {by_version: [[">=5", 4]]}
        policy:
          sources: [origin, old]
          origin: {meanings: [["*", star]], list: exact, fold_case: true, origin_parameter: 0}
          old: {unset: unknown}
          vary: [echo]
          sends:
            - {decision: star, credentials: true, acao: "*"}
        options:
          - names: [origin, credentials]
            meant: {origins: origin}
            consequence: words
            strict: true
environment:
  production: {DEBUG: false}
references: [words]
"""

DESCRIPTOR_CHANGES = """\
package.name: "lib-x"
versions: dropped
versions: ">=2,<5"
versions: ">=4,<5"
versions: ">=3,<4"
versions: ">=3,<6"
calls[0]: dropped
calls[0].callee[0]: dropped
calls[0].callee[1]: dropped
calls[0].form: "any"
calls[0].options[0]: dropped
calls[0].options[1]: dropped
calls[0].options[0]: 2
calls[0].options[1]: 1
calls[0].emits[0]: dropped
calls[0].emits[0].fields.layer: dropped
calls[0].emits[0].fields.layer: "socket"
calls[0].emits[0].fields.instance: dropped
calls[0].emits[0].fields.origin: dropped
calls[0].emits[0].fields.origin.key: dropped
calls[0].emits[0].fields.origin.key[0]: dropped
calls[0].emits[0].fields.origin.key[1]: dropped
calls[0].emits[0].fields.origin.absent: dropped
calls[0].emits[0].fields.origin.absent: "refuse"
calls[0].emits[0].fields.origin.default: dropped
calls[0].emits[0].fields.origin.default: "echo"
calls[0].emits[0].fields.old: dropped
calls[0].emits[0].fields.old.keyword: dropped
calls[0].emits[0].fields.old.default: dropped
calls[0].emits[0].fields.old.default: "refuse"
calls[0].emits[0].fields.credentials: dropped
calls[0].emits[0].fields.credentials.position: dropped
calls[0].emits[0].fields.credentials.position: 5
calls[0].emits[0].fields.credentials.default: dropped
calls[0].emits[0].fields.credentials.default: true
calls[0].emits[0].fields.credentials.as: dropped
calls[0].emits[0].fields.credentials.as: AS
calls[0].emits[0].fields.major: dropped
calls[0].emits[0].fields.major.by_version[0]: dropped
calls[0].emits[0].fields.major.by_version[0][0]: ">=4"
calls[0].emits[0].fields.major.by_version[0][0]: ">=6"
calls[0].emits[0].fields.major.by_version[0][1]: 5
calls[0].emits[0].policy: WITHOUT
calls[0].emits[0].policy: WITHOUT
calls[0].emits[0].policy.origin.meanings[0]: dropped
calls[0].emits[0].policy.origin.meanings[0][1]: "echo"
calls[0].emits[0].policy.origin.list: "substring"
calls[0].emits[0].policy.origin.fold_case: false
calls[0].emits[0].policy.origin.origin_parameter: 1
calls[0].emits[0].policy.old.unset: "star"
calls[0].emits[0].policy.vary[0]: dropped
calls[0].emits[0].policy.sends[0]: dropped
calls[0].emits[0].policy.sends[0].decision: dropped
calls[0].emits[0].policy.sends[0].credentials: dropped
calls[0].emits[0].policy.sends[0].acao: dropped
calls[0].emits[0].policy.sends[0].decision: "echo"
calls[0].emits[0].policy.sends[0].credentials: false
calls[0].emits[0].policy.sends[0].acao: "origin"
calls[0].emits[0].options[0]: dropped
calls[0].emits[0].options[0].names[0]: dropped
calls[0].emits[0].options[0].names[1]: dropped
calls[0].emits[0].options[0].meant.origins: dropped
calls[0].emits[0].options[0].meant.origins: "origin-x"
calls[0].emits[0].options[0].strict: false
environment.production.DEBUG: dropped
environment.production.DEBUG: true
"""


def test_everything_in_a_descriptor_is_changed(mutants: ModuleType) -> None:
    changes = list(mutants.descriptor_changes(yaml.safe_load(DESCRIPTOR)))
    told = []
    for (at, new), line in zip(changes, _told(mutants, changes), strict=True):
        if at[-1] == "policy" and isinstance(new, dict):
            assert new["sources"] in (["origin"], ["old"])
            assert ("origin" in new, "old" in new) == ("origin" in new["sources"], "old" in new["sources"])
            line = f"{line.partition(':')[0]}: WITHOUT"
        elif at[-1] == "as" and isinstance(new, str):
            assert new in mutants.WORDS["as"]
            line = f"{line.partition(':')[0]}: AS"
        told.append(line)
    assert told == DESCRIPTOR_CHANGES.splitlines()


def test_a_key_that_nobody_thought_of_is_changed_nevertheless(mutants: ModuleType) -> None:
    raw = {"id": "x", "calls": [{"callee": "a", "novelty": {"name": "word", "deep": [1]}}]}
    told = _told(mutants, mutants.descriptor_changes(raw))
    assert {"calls[0].novelty.name: dropped", 'calls[0].novelty.name: "word-x"', "calls[0].novelty.deep[0]: 2"} <= set(
        told
    )


TABLE = """\
conditions:
  plain: [{given: {transports: [[polling]]}}, {undefined: methods}]
preflight: {origin: true, asks_method: true}
passes: [{option: none}]
refuses: []
scope: pattern-if-special
each: {methods: allow_methods}
methods: {field: methods, default: [GET, PUT], join: ", ", star: asked, unset: none}
headers:
  - {version: "<4", field: headers, default: asked}
  - {field: headers}
status:
  - {kind: [actual, upgrade], given: {a: null, b: true}, is: given.status}
  - {kind: preflight, holds: plain, truthy: [a, b], is: 204}
acao: [{origin: false, is: null}]
acac: [{version: ">=2", credentials: true, is: "true"}]
vary: [{kind: upgrade, is: null}, {is: [Origin]}]
acam: [{is: listed}]
acah: [{is: "x-token"}]
drops_empty: true
"""

TABLE_CHANGES = """\
conditions.plain[0]: dropped
conditions.plain[0].given: dropped
conditions.plain[0].given.transports[0][0]: "polling-x"
conditions.plain[1]: dropped
conditions.plain[1].undefined: dropped
conditions.plain[1].undefined: "methods-x"
preflight.origin: dropped
preflight.origin: false
preflight.asks_method: dropped
preflight.asks_method: false
passes[0]: dropped
passes[0].option: dropped
passes[0].option: "refuse"
passes[0].option: OTHERS
refuses: dropped
scope: dropped
each.methods: dropped
each.methods: "allow_methods-x"
methods: dropped
methods.field: "methods-x"
methods.default: dropped
methods.default[0]: dropped
methods.default[1]: dropped
methods.join: dropped
methods.join: ","
methods.star: dropped
methods.star: "added"
methods.unset: dropped
methods.unset: "asked"
headers: dropped
headers[0]: dropped
headers[0].version: dropped
headers[0].version: "<3"
headers[0].version: "<5"
headers[0].field: "headers-x"
headers[0].default: dropped
headers[1]: dropped
headers[1].field: "headers-x"
status[0]: dropped
status[0].kind: dropped
status[0].kind[0]: dropped
status[0].kind[1]: dropped
status[0].kind: ["preflight"]
status[0].given.a: dropped
status[0].given.a: false
status[0].given.b: dropped
status[0].given.b: false
status[0].is: 299
status[1]: dropped
status[1].kind: dropped
status[1].kind: "upgrade"
status[1].kind: ["actual", "upgrade"]
status[1].holds: dropped
status[1]: {"kind": "preflight", "fails": "plain", "truthy": ["a", "b"], "is": 204}
status[1].truthy: dropped
status[1]: {"kind": "preflight", "holds": "plain", "falsy": ["a", "b"], "is": 204}
status[1].truthy[0]: dropped
status[1].truthy[1]: dropped
status[1].is: 205
acao[0]: dropped
acao[0].origin: dropped
acao[0].origin: true
acao[0].is: "*"
acac[0]: dropped
acac[0].version: dropped
acac[0].version: ">=1"
acac[0].version: ">=3"
acac[0].credentials: dropped
acac[0].credentials: false
acac[0].is: null
vary[0]: dropped
vary[0].kind: dropped
vary[0].kind: "actual"
vary[0].kind: ["actual", "preflight"]
vary[0].is: ["Origin"]
vary[1]: dropped
vary[1].is: null
acam[0]: dropped
acam[0].is: "asked"
acah[0]: dropped
acah[0].is: "x-token-x"
drops_empty: dropped
"""


def test_everything_in_a_table_of_answers_is_changed(mutants: ModuleType) -> None:
    table = yaml.safe_load(TABLE)
    told = _told(mutants, mutants.table_changes(table))
    options = json.dumps([word for word in responses.OPTIONS if word != "none"])
    assert [line.replace(options, "OTHERS") for line in told] == TABLE_CHANGES.splitlines()
    policy = {"calls": [{"emits": [{"policy": {"responds": table}}]}], "tables": {"answers": table}}
    for start in ("calls[0].emits[0].policy.responds.", "tables.answers."):
        found = _told(mutants, mutants.descriptor_changes(policy))
        assert [line.removeprefix(start) for line in found if line.startswith(start)] == told


def test_every_key_of_a_table_has_an_operator(mutants: ModuleType) -> None:
    changed = {at[0] for at, _ in mutants.table_changes(yaml.safe_load(TABLE))}
    assert changed == {*responses.TABLE_KEYS}
    with pytest.raises(LookupError, match="'strange'"):
        list(mutants.table_changes({"strange": 1}))


def test_a_table_named_in_a_policy_is_changed_where_it_stands(mutants: ModuleType) -> None:
    raw = {"calls": [{"emits": [{"policy": {"responds": "answers"}}]}], "tables": {"answers": {"acam": [{"is": "x"}]}}}
    told = _told(mutants, mutants.descriptor_changes(raw))
    assert [line for line in told if "answers" in line or "responds" in line] == [
        "tables.answers.acam[0]: dropped",
        'tables.answers.acam[0].is: "x-x"',
    ]


OF_AN_ORIGIN = (
    "unset", "otherwise", "empty_list", "string", "list", "star_in_list", "regex_mode", "error", "list_otherwise",
    "function",
)  # fmt: skip
OF_A_POLICY = ("credentials", "refused", "group_otherwise")
OF_A_ROW = ("decision", "kind", "acao")


@pytest.mark.parametrize("key", [*OF_AN_ORIGIN, *OF_A_POLICY, *OF_A_ROW])
def test_the_words_are_those_that_a_policy_takes(mutants: ModuleType, key: str) -> None:
    part: dict[str, Any] = {key: "no such word"}
    raw: dict[str, Any] = {"sources": ["origin"], "origin": part if key in OF_AN_ORIGIN else {}}
    raw |= part if key in OF_A_POLICY else {"sends": [part]} if key in OF_A_ROW else {}
    with pytest.raises(SemanticsError) as caught:
        policy_semantics(raw)
    assert str(caught.value).partition("; valid: ")[2] == ", ".join(mutants.WORDS[key])


def test_a_word_that_is_not_in_the_table_is_told(mutants: ModuleType) -> None:
    with pytest.raises(LookupError, match="'sideways'"):
        list(mutants.descriptor_changes({"calls": [{"form": "sideways"}]}))


@pytest.mark.parametrize(
    ("text", "neighbours"),
    [
        (">=3", [">=2", ">=4"]),
        ("<1", ["<0", "<2"]),
        ("==0", ["==1"]),
        (">=3, <5", [">=2, <5", ">=4, <5", ">=3, <4", ">=3, <6"]),
    ],
)
def test_ranges(mutants: ModuleType, text: str, neighbours: list[str]) -> None:
    assert list(mutants.ranges(text)) == neighbours


@pytest.mark.parametrize(
    ("text", "neighbours"),
    [
        ("a", []),
        ("^a$", ["a$", "^a"]),
        (r"a\$", []),
        ("a|b", ["b", "a"]),
        ("x(?:a|b)y", ["x(?:b)y", "x(?:a)y"]),
        ("(a|(b|c))", ["((b|c))", "(a)", "(a|(c))", "(a|(b))"]),
        (r"[|(]\|", []),
    ],
)
def test_patterns(mutants: ModuleType, text: str, neighbours: list[str]) -> None:
    assert list(mutants.patterns(text)) == neighbours


# --- mutants ---


def test_a_change_leaves_the_original_alone(mutants: ModuleType) -> None:
    raw = {"a": [{"b": 1}, 2]}
    assert mutants.applied(raw, (("a", 0, "b"), 5)) == {"a": [{"b": 5}, 2]}
    assert mutants.applied(raw, (("a", 0, "b"), mutants.DROPPED)) == {"a": [{}, 2]}
    assert mutants.applied(raw, (("a", 1), mutants.DROPPED)) == {"a": [{"b": 1}]}
    assert raw == {"a": [{"b": 1}, 2]}


def test_mutants_say_where_they_are_and_do_not_repeat(mutants: ModuleType) -> None:
    found = mutants.mutants_of("rules/two-owners.yaml", RULE.encode())
    assert str(found[0]).startswith("rules/two-owners.yaml:4 severity[0]: {")
    assert 'rules/two-owners.yaml:11 match[0].where.complete: "yes" -> dropped' in map(str, found)
    assert len(found) == len(set(RULE_CHANGES.splitlines()))
    wanted = next(mutant for mutant in found if mutant.path == "match[2]" and mutant.new is not mutants.DROPPED)
    assert wanted.change == '{"expect": "none"} -> {"name": "the_one_wanted"}'


def test_long_values_are_cut(mutants: ModuleType) -> None:
    told = str(mutants.Mutant("x.yaml", 3, ("names",), ["x" * 500], mutants.DROPPED))
    assert len(told) < 130
    assert told.endswith("…] -> dropped")


def test_there_are_mutants_of_every_file_always_in_the_same_order(mutants: ModuleType) -> None:
    names = mutants.files()
    assert {name.partition("/")[0] for name in names} == {"rules", "corslint"}
    total = 0
    for name in names:
        data = (ROOT / name).read_bytes()
        found = mutants.mutants_of(name, data)
        assert found, name
        assert found == mutants.mutants_of(name, data)
        total += len(found)
    assert total >= mutants.LEAST


# --- judging ---


@pytest.fixture(scope="module")
def bench(mutants: ModuleType) -> Any:
    return mutants.Bench()


TABLE_OF_CORS = ("calls", 0, "emits", 0, "policy", "responds")


def test_a_mutant_that_an_example_notices_is_killed(mutants: ModuleType, bench: Any) -> None:
    rule, descriptor = "rules/wildcard-origin-with-credentials.yaml", "corslint/frameworks/cors.yaml"
    named = "corslint/frameworks/falcon.yaml"  # its policies share a table that has a name
    killed, alive, unloadable = mutants.Verdict.KILLED, mutants.Verdict.ALIVE, mutants.Verdict.UNLOADABLE
    for file, at, new, verdict in (
        (rule, ("match", 0, "fact"), "origin_entry", unloadable),
        (rule, ("report", "at"), "policy", killed),
        (rule, ("title",), "words", alive),
        (descriptor, ("calls",), [], killed),
        (descriptor, (*TABLE_OF_CORS, "status", 2, "is"), 200, killed),
        (descriptor, (*TABLE_OF_CORS, "status", 2, "is"), 204, alive),
        (descriptor, (*TABLE_OF_CORS, "status", 2, "is"), "words", unloadable),
        (named, ("tables", "answers", "acah", 1, "is"), "asked", killed),
        (descriptor, ("notes",), "words", alive),
        (descriptor, ("calls",), "words", unloadable),
    ):
        assert bench.judge(mutants.Mutant(file, 1, at, None, new)) is verdict, (file, at)


def test_several_processes_say_the_same_as_one(mutants: ModuleType, bench: Any) -> None:
    rule = "rules/wildcard-origin.yaml"
    some = bench.mutants([rule])
    expected = mutants.outcome(some, list(mutants.judge_all(some, bench, 1)), (), bench.broken, 0)
    script = [sys.executable, str(ROOT / "scripts" / "mutants.py"), "--only", rule, "--jobs", "2"]
    done = subprocess.run(script, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.stdout.splitlines()[-1].partition(" alive")[0] == expected.lines[-1].partition(" alive")[0], done.stderr


def test_what_a_run_comes_to(mutants: ModuleType) -> None:
    one, two, three = (mutants.Mutant("rules/x.yaml", line, ("effect",), "a", f"b{line}") for line in (1, 2, 3))
    killed, alive, broken = mutants.Verdict.KILLED, mutants.Verdict.ALIVE, mutants.Verdict.UNLOADABLE
    entry = mutants.Accepted("rules/x.yaml", "effect", '"a" -> "b1"', "why", 7)
    many = [*[two] * 98, one]

    def told(which: Any, verdicts: Any, listed: Any = (), **more: Any) -> tuple[bool, list[str]]:
        result = mutants.outcome(which, verdicts, listed, **{"least": 0, **more})
        return result.good, list(result.lines[:-1])

    assert told([one, two], [killed, broken]) == (True, [])
    assert told(many, [killed] * 98 + [alive]) == (False, ['rules/x.yaml:1 effect: "a" -> "b1"'])
    assert told(many, [killed] * 98 + [alive], [entry]) == (True, [])
    assert told([one, two], [killed, killed], [entry]) == (
        False,
        ['scripts/mutants.yaml:7: rules/x.yaml effect: "a" -> "b1": no such mutant is alive; take it out'],
    )
    assert told([one, two], [alive, killed], [entry]) == (False, ["more than 2% are alive"])
    assert told([one, two, three], [killed, killed, broken], least=3) == (
        False,
        ["2 mutants load, at least 3 are expected: an operator or a file is missing"],
    )
    assert told([one], [killed], broken=["x, example 1: words"]) == (
        False,
        ["fails without any mutant: x, example 1: words"],
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("survivors: 1", "list.yaml:1: `survivors` has to be a list"),
        ("survivors:\n  - {file: a, path: b, change: c}", "list.yaml:2: `survivors` lacks the key 'reason'"),
        ("survivors:\n  - {file: a, path: b, change: c, reason: ' '}", "every part of an entry has to say something"),
        ("survivors:\n  - {file: a, path: b, change: c, reason: d, raeson: e}", "unknown key 'raeson'"),
    ],
)
def test_the_list_of_accepted_ones_is_checked(mutants: ModuleType, text: str, message: str) -> None:
    with pytest.raises(YamlError) as caught:
        mutants.accepted(text.encode(), "list.yaml")
    assert message in str(caught.value)


def test_the_list_of_accepted_ones_names_mutants_that_exist(mutants: ModuleType) -> None:
    for entry in mutants.accepted((ROOT / mutants.ACCEPTED).read_bytes()):
        found = mutants.mutants_of(entry.file, (ROOT / entry.file).read_bytes())
        assert any(entry.covers(mutant) for mutant in found), entry


def test_nothing_is_judged_by_checks_that_fail_anyway(
    mutants: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    class Broken:
        broken = ("two-owners, example 1: found at []",)

    monkeypatch.setattr(mutants, "Bench", Broken)
    assert mutants.main([]) == 1
    first, last = capsys.readouterr().out.splitlines()
    assert first == "fails without any mutant: two-owners, example 1: found at []"
    assert last.startswith("1 checks fail already")


def test_the_command_line(mutants: ModuleType, capsys: pytest.CaptureFixture[str]) -> None:
    assert mutants.main(["--only", "rules/none.yaml"]) == 2
    assert "rules/none.yaml" in capsys.readouterr().err
    assert mutants.main(["--list", "--only", str(ROOT / "rules" / "reflected-origin.yaml")]) == 0
    shown = capsys.readouterr().out.splitlines()
    assert shown
    assert all(line.startswith("rules/reflected-origin.yaml:") for line in shown)
