"""Rule files: what rules may say, and how they are loaded (`corslint/ruleset.py` is what becomes of them).

A rule is one YAML file, `rules/<id>.yaml`. Everything in it is checked when it is loaded: an error names the file,
the line and the nearest valid name. Nothing is looked up by a text at run time.

**Matching.** `match` is a list of clauses `{name, fact, where, relation, expect, distinct}`. A clause stands for one
fact of the kind `fact`. `where` maps fields of that kind to conditions. `relation: {served_by: route}` asks that the
relation holds between this fact and the one that an earlier clause named `route`; the kinds decide which of the two
is which. `distinct: other` asks that the two are not the same fact. A rule matches once for every way to give each
clause a fact. With `expect: none` a clause asks that there is no such fact: that holds only if every fact of the kind
certainly fails. With `expect: optional` a clause stands for a fact if there is one (what runs in development only does
not count), and the rule matches either way; only `when`, `related` places and texts may name it. `also` is a list of
further ways to the same fault, each `{match, severity, report}` with a `subjects` and a `fix` of its own, if any, and
with the rule's `effect` unless it has its own.

**Conditions.** Each answers yes, no or unknown; a clause holds only where everything in it is a certain yes.

| condition | yes where |
|---|---|
| a literal | the field equals it. Fields that hold yes or no take the texts `"yes"` and `"no"`, in quotes |
| `present`, `absent` | the field is there (written or by default); it is certainly not there |
| `one_of: [a, b]` | it equals one of them |
| `not: c`, `any: [c, ...]`, `all: [c, ...]` | as in Kleene's logic: `not` of an unknown is unknown |
| `matches: regex` | a Python regular expression is found in the text. Very long texts are unknown |
| `equals: name.field`, `same_as: name.field` | both hold the same value; both are the same instance |
| `count: n` | the list has so many items |
| `at_least: n`, `at_most: n` | the number, or the length of the list, is at least, at most n |
| `contains: x`, `lacks: x` | x is, is not, in the list |
| `disjoint: [x, y]` | the two lists have nothing in common |
| `prefix_of: x`, `starts_with: x` | the text is a beginning of x; x is a beginning of the text |

An unknown field makes every condition on it unknown. An absent field makes each of them a no, except `absent` (yes)
and whatever `not` turns around. Operands x and n (of `at_least` and `at_most`) are literals, or `name.field` for the
field of an earlier fact or of the same one. Where one side of a comparison of two fields is absent, there is nothing
to compare: unknown. A field such as `adds.*` that a fact has under that very name says what holds for every name not
listed.

**Severity** is `error`, `warning` or `note`, or a list of cases `{when: {name: {field: condition}}, is: error}`,
`{unknown: true, is: warning}`, `{is: note}`. The first case whose `when` is a yes counts, but where an earlier `when`
is unknown, the `unknown` case does. Without an `unknown` case, unknown ones are passed over; so that ignorance can
never make a finding worse, cases then have to go from most to least severe. Where no case counts there is no finding.
For an optional fact that is not there, every `when` is a no (unknown, where nobody can tell whether it is there);
`when: {name: present}` and `{name: absent}` ask just that.
A case may bring its own `at`, `effect`, `message`, `help` and `fix` (`fix: null`: none). Those of a case may speak of
optional facts: where that is not there, the rule's own `at` counts, and there is no fix. A development fence on any
matched fact makes the finding a note, and its help says so.

**Report.** `at` and the `related` places are `name.field` (the field's place, or the fact's where it has none of its
own) or `name`. Places that the value came through, and the use itself, are added as related ones by the engine. A
`related` entry whose field is absent is left out. In texts, `{name.field}` is the value, lists joined by commas;
`{name.field|text}` and `{name|text}` are the source text at that place (its first line); `{name.field else words}`
says what to write where the value is absent or unknown (else `nothing` or `unknown`). Braces are doubled: `{{`.

**One fault, one finding.** `yields_to: [ids]` silences a match where one of these rules matches the same subject. The
subjects of a match are the fact of its first clause, that fact's place, its primary place, and the places named by
`subjects: [name.field]`. It does not matter whether the other rule is selected, or itself silent in favour of a
third.

**Fixes.** `fix: {title, applicability, only_when, edits, otherwise}`; `only_when` is like `when`. Each edit is one
verb with its target and its keys, such as `{replace: entry.text, with: "{entry.corrected}"}` (see `corslint/fixes.py`).
Where a value that an edit needs is absent or unknown there is no fix, but for the one under `otherwise`.
`applicability` is `safe`, `unsafe` where it changes who may read data, or `placeholder` where the user has to fill in
what stands in `<>`: such a fix is shown and never made.

**Symptoms** are wordings of browsers, clients and servers behind which the fault may be; `corslint explain` reads them.
`{v}` in a text stands for any text. Where the text is one of `corslint/explain/messages.yaml`, it counts for every
browser's wording of it. `{says, where, weight}` says more: `where` maps clues (what such a message tells of the
request) to a text, a list of texts or `{matches: regex}`, and `weight` is how often the fault is behind the message
then, from 1 (hardly ever) to 9 (nearly always); 3 if it is not given.

**Examples** prove the rule: at least one that fires, with the exact primary places in `⟦...⟧`, and at least one near
miss (`clean: true`). `fixed` gives the files as they are after the fix, for at least one example if the rule has a
fix. `severity`, `effect`, `message` and `applicability` (of the fix; `none`: there is no fix) are what every finding of
the example has to say. Where related places are marked, in `⟪...⟫`, exactly these have to be shown beside the primary
ones; the two sorts of marks may nest.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from itertools import pairwise
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from corslint.model.edits import APPLICABILITY, VERBS, edit_fault
from corslint.model.finding import EFFECTS, SEVERITIES
from corslint.model.kinds import FACT_KINDS
from corslint.model.patterns import Pattern, matches
from corslint.model.symptom import CLUES, USUAL_WEIGHT, WEIGHTS, Symptom
from corslint.model.symptom import Condition as ClueCondition
from corslint.model.tri import Tri
from corslint.records import NamedTuple
from corslint.regexes import regex
from corslint.relations.table import RELATIONS
from corslint.ruleset import (
    PRIMARY_MARKS,
    RELATED_MARKS,
    AllOf,
    AnyOf,
    Case,
    Clause,
    Compare,
    Condition,
    Equal,
    Example,
    FieldRef,
    FieldTest,
    FixSpec,
    Matches,
    Not,
    OneOf,
    Placeholder,
    Presence,
    RelatedSpec,
    RelationUse,
    Rule,
    RuleSet,
    Scalar,
    Template,
    Way,
    alternatives,
    category,
)
from corslint.yamlfile import Checker, KeyPath, YamlError, nearest, parse, without_examples

if TYPE_CHECKING:
    from pathlib import Path

MOST_BYTES = 1_000_000
"""Of a rule file."""
_MAX_PATTERN = 500
_MAX_CLAUSES = 8
_MAX_NESTING = 8

_ID = regex(r"[a-z][a-z0-9]*(?:-[a-z0-9]+)*\Z")
_NAME = regex(r"[a-z][a-z0-9_]*\Z")
_REFERENCE = regex(r"[a-z][a-z0-9_]*(?:\.[^\s.]+)*\Z")


class RuleError(YamlError):
    """A rule that cannot be used: `path`, 1-based `line`, and `message` with the nearest valid name."""


# --- the language's tables ------------------------------------------------------------------------------------------


class ConditionSpec(NamedTuple):
    """Which types of field a condition takes, and what its operand is.

    `operand` is `condition`, `conditions`, `literals`, `regex`, `reference`, `number`, or one of those that also take
    `name.field`: `literal`, `list`, `text`, and `bound` (a number).
    """

    types: frozenset[str]
    operand: str
    doc: str


TYPES = ("text", "choice", "number", "boolean", "tri", "list", "instance")
"""Types of fields, as conditions see them: `choice` is a text out of a known few."""

_EVERY = frozenset(TYPES)
_SINGLE = frozenset({"text", "choice", "number", "boolean", "tri"})

CONDITIONS: Mapping[str, ConditionSpec] = {
    "one_of": ConditionSpec(_SINGLE, "literals", "equals one of these"),
    "not": ConditionSpec(_EVERY, "condition", "the condition does not hold"),
    "any": ConditionSpec(_EVERY, "conditions", "at least one condition holds"),
    "all": ConditionSpec(_EVERY, "conditions", "every condition holds"),
    "matches": ConditionSpec(frozenset({"text"}), "regex", "a Python regular expression is found in it"),
    "equals": ConditionSpec(_SINGLE, "reference", "equals the other field, `name.field`"),
    "same_as": ConditionSpec(
        frozenset({"instance"}), "reference", "is the same instance as the other field, `name.field`"
    ),
    "count": ConditionSpec(frozenset({"list"}), "number", "the list has exactly so many items"),
    "at_least": ConditionSpec(
        frozenset({"number", "list"}), "bound", "the number, or the list's length, is at least this"
    ),
    "at_most": ConditionSpec(
        frozenset({"number", "list"}), "bound", "the number, or the list's length, is at most this"
    ),
    "contains": ConditionSpec(frozenset({"list"}), "literal", "the list contains this"),
    "lacks": ConditionSpec(frozenset({"list"}), "literal", "the list does not contain this"),
    "disjoint": ConditionSpec(frozenset({"list"}), "list", "the list shares no item with this one"),
    "prefix_of": ConditionSpec(frozenset({"text"}), "text", "is a beginning of this"),
    "starts_with": ConditionSpec(frozenset({"text"}), "text", "begins with this"),
}


EXPECT = ("some", "none", "optional")
"""How many facts a clause expects."""

RULE_KEYS: Mapping[str, str] = {
    "id": "kebab-case id; also the file's name",
    "title": "one line for lists",
    "explanation": "what goes wrong and why, for `corslint rule`",
    "severity": "how bad it is, or cases",
    "effect": "what happens",
    "match": "the facts that make the fault",
    "report": "where it is shown, and what is said",
    "also": "further ways to the same fault",
    "subjects": "further places that the fault is about, for `yields_to` of other rules",
    "yields_to": "rules that speak in place of this one about the same subject",
    "symptoms": "how browsers and servers word it",
    "fix": "how to mend it",
    "proof": "the project under fixtures/projects that shows it",
    "references": "where the knowledge comes from",
    "examples": "small projects that it fires on, or must not",
}
WAY_KEYS = ("match", "severity", "report", "effect", "subjects", "fix")
"""Keys of an entry of `also`."""
REQUIRED_WAY_KEYS = ("match", "severity", "report")
REQUIRED_KEYS = ("id", "severity", "effect", "match", "report", "examples")


# --- loading --------------------------------------------------------------------------------------------------------


def load(folders: Sequence[str | Path], plain: Collection[str | Path] = (), known: Iterable[Rule] = ()) -> RuleSet:
    """Load every `*.yaml` of these folders (not of the folders below them), beside rules already `known`.

    Of the folders that are in `plain`, too, examples are neither read nor asked for. Raises `RuleError`.
    """
    from pathlib import Path

    bare = {Path(folder) for folder in plain}
    rules = {rule.id: rule for rule in known}
    for folder in map(Path, folders):
        try:
            files = sorted(path for path in folder.iterdir() if path.suffix == ".yaml")
        except OSError as error:
            raise RuleError(str(folder), 1, f"the folder of rules cannot be read: {error.strerror}") from None
        for file in files:
            rule = load_file(file, examples=folder not in bare)
            if rule.id in rules:
                raise RuleError(str(file), 1, f"the rule {rule.id!r} is already defined in {rules[rule.id].path}")
            rules[rule.id] = rule
    _check_yields(rules)
    return RuleSet(rules)


def load_file(path: Path, *, examples: bool = True) -> Rule:
    """Load one rule, with its `examples` or without. Raises `RuleError`.

    Ids in `yields_to` are not checked: that takes the other rules.
    """
    try:
        with path.open("rb") as stream:
            data = stream.read(MOST_BYTES + 1)
    except OSError as error:
        raise RuleError(str(path), 1, f"the rule cannot be read: {error.strerror}") from None
    if len(data) > MOST_BYTES:
        raise RuleError(str(path), 1, f"a rule of more than {MOST_BYTES} bytes is refused")
    return read(data, path, examples=examples)


def read(data: bytes, path: Path, *, examples: bool = True) -> Rule:
    """Check and compile the content of one rule file; nothing is read from the disk. Raises `RuleError`."""
    try:
        return _Compiler(str(path), path.stem, data if examples else without_examples(data), examples).rule()
    except YamlError as error:
        raise RuleError(error.path, error.line, error.message) from None


def _check_yields(rules: Mapping[str, Rule]) -> None:
    def fail(rule: Rule, message: str) -> RuleError:
        with open(rule.path, "rb") as stream:
            error = Checker(rule.path, stream.read()).fail(("yields_to",), message)
        return RuleError(error.path, error.line, error.message)

    for rule in rules.values():
        for other in rule.yields_to:
            if other not in rules:
                raise fail(rule, f"there is no rule {other!r} to yield to{nearest(other, rules)}")
    # Two rules that yield to each other would both be silent.
    done: set[str] = set()
    for start in rules:
        stack = [(start, iter(rules[start].yields_to))]
        path = [start]
        while stack:
            name, rest = stack[-1]
            following = next((candidate for candidate in rest if candidate not in done), None)
            if following is None:
                done.add(name)
                stack.pop()
                path.pop()
            elif following in path:
                circle = [*path[path.index(following) :], following]
                raise fail(rules[name], f"rules yield to each other: {' -> '.join(circle)}")
            else:
                path.append(following)
                stack.append((following, iter(rules[following].yields_to)))


class _Within(Checker):
    """Checks one part of a file: places are counted from there."""

    def __init__(self, whole: Checker, part: KeyPath) -> None:
        self._whole = whole
        self._part = part

    def fail(self, at: KeyPath, message: str) -> YamlError:
        """The error to raise for the place `at` of the part."""
        return self._whole.fail((*self._part, *at), message)


class _Compiler:
    """Turns the content of one rule file into a Rule."""

    def __init__(self, shown: str, stem: str, data: bytes, examples: bool) -> None:
        self._stem = stem
        self._wants_examples = examples
        self._check = Checker(shown, data)
        self._path = shown
        self._raw = parse(data, shown)
        self._kinds: dict[str, str] = {}
        self._optional: set[str] = set()

    def rule(self) -> Rule:
        check, raw = self._check, self._raw
        check.keys(raw, (), RULE_KEYS, REQUIRED_KEYS)
        rule = check.text(raw["id"], ("id",))
        if not _ID.match(rule):
            raise check.fail(("id",), f"{rule!r} is not a rule id: lower-case words joined by hyphens are expected")
        if rule != self._stem:
            raise check.fail(("id",), f"the id {rule!r} and the file's name differ; name the file {rule}.yaml")
        own = self._way()
        also = self._also()
        cases = [case for way in (own, *also) for case in way.cases]
        fixes = any(one.applicability != "placeholder" for case in cases for one in alternatives(case.fix))
        proof = raw.get("proof")
        return Rule(
            id=rule,
            path=self._path,
            title=self._words(raw, "title"),
            explanation=self._words(raw, "explanation"),
            cases=own.cases,
            match=own.match,
            at=own.at,
            related=own.related,
            subjects=own.subjects,
            yields_to=self._texts("yields_to"),
            symptoms=tuple(
                self._symptom(entry, ("symptoms", number))
                for number, entry in enumerate(self._list(raw.get("symptoms"), ("symptoms",)))
            ),
            proof=None if proof is None else check.text(proof, ("proof",)),
            references=self._texts("references"),
            examples=self._examples(fixes),
            also=also,
        )

    # -- ways

    def _way(self) -> Way:
        """The way to the fault that stands in what is compiled: a rule, or an entry of its `also`."""
        match = self._match()
        report = self._check.keys(self._raw["report"], ("report",), ("at", "message", "related", "help"), ("at",))
        at = self._place(report["at"], ("report", "at"), certain=True)
        related = tuple(
            self._related(entry, ("report", "related", number))
            for number, entry in enumerate(self._list(report.get("related"), ("report", "related")))
        )
        subjects = tuple(
            self._place(entry, ("subjects", number))
            for number, entry in enumerate(self._list(self._raw.get("subjects"), ("subjects",)))
        )
        return Way(self._cases(report), match, at, related, subjects)

    def _also(self) -> tuple[Way, ...]:
        check, raw = self._check, self._raw
        ways: list[Way] = []
        for number, entry in enumerate(self._list(raw.get("also"), ("also",))):
            at = ("also", number)
            self._raw = {"effect": raw["effect"], **check.keys(entry, at, WAY_KEYS, REQUIRED_WAY_KEYS)}
            self._check, self._kinds, self._optional = _Within(check, at), {}, set()
            ways.append(self._way())
        self._check, self._raw = check, raw
        return tuple(ways)

    # -- small pieces

    def _words(self, raw: Mapping[str, Any], key: str) -> str:
        return self._check.text(raw[key], (key,)) if key in raw else ""

    def _list(self, value: object, at: KeyPath) -> Sequence[Any]:
        return () if value is None else self._check.items(value, at)

    def _texts(self, key: str) -> tuple[str, ...]:
        return tuple(
            self._check.text(entry, (key, number))
            for number, entry in enumerate(self._list(self._raw.get(key), (key,)))
        )

    def _field(self, name: str, kind: str, field: str, at: KeyPath) -> FieldRef:
        fields = FACT_KINDS[kind].fields
        spec = fields.get(field)
        if spec is not None and not field.endswith(".*"):
            return FieldRef(name, field, spec.type)
        stem, dot, last = field.rpartition(".")
        pattern = f"{stem}.*"
        if dot and last and last != "*" and pattern in fields:
            if last != last.lower():
                raise self._check.fail(at, f"names of headers are in lower case here: write {field.lower()!r}")
            return FieldRef(name, field, fields[pattern].type, pattern)
        raise self._check.fail(at, f"a {kind} has no field {field!r}{nearest(field, fields)}")

    def _reference(self, text: str, at: KeyPath, certain: bool = False) -> FieldRef:
        """What `name` or `name.field` stands for. `certain`: an optional fact will not do."""
        name, dot, field = text.partition(".")
        if name not in self._kinds:
            known = ", ".join(self._kinds) or "none yet"
            raise self._check.fail(at, f"no fact is named {name!r} here{nearest(name, self._kinds)}; known: {known}")
        if certain and name in self._optional:
            raise self._check.fail(at, f"{name!r} is optional, so it cannot be needed here")
        if not dot:
            return FieldRef(name, None)
        return self._field(name, self._kinds[name], field, at)

    def _place(self, value: object, at: KeyPath, certain: bool = False) -> FieldRef:
        return self._reference(self._check.text(value, at), at, certain)

    def _related(self, value: object, at: KeyPath) -> RelatedSpec:
        entry = self._check.keys(value, at, ("at", "message"), ("at", "message"))
        return RelatedSpec(self._place(entry["at"], (*at, "at")), self._template(entry["message"], (*at, "message")))

    # -- match

    def _match(self) -> tuple[Clause, ...]:
        raw = self._check.items(self._raw["match"], ("match",))
        if not raw:
            raise self._check.fail(("match",), "`match` needs at least one clause")
        if len(raw) > _MAX_CLAUSES:
            raise self._check.fail(("match",), f"more than {_MAX_CLAUSES} clauses are refused")
        return tuple(self._clause(entry, ("match", number)) for number, entry in enumerate(raw))

    def _clause(self, value: object, at: KeyPath) -> Clause:
        check = self._check
        raw = check.keys(value, at, ("name", "fact", "where", "relation", "expect", "distinct"), ("fact",))
        fact = check.text(raw["fact"], (*at, "fact"))
        if fact not in FACT_KINDS:
            raise check.fail((*at, "fact"), f"there is no kind of fact {fact!r}{nearest(fact, FACT_KINDS)}")
        expect = check.one_of(raw["expect"], (*at, "expect"), EXPECT) if "expect" in raw else "some"
        if expect != "some" and at == ("match", 0):
            raise check.fail((*at, "expect"), "the first clause is what the fault is about: it has to be there")
        if "name" not in raw and expect != "none":
            raise check.fail(at, "the clause needs a `name`")
        name = check.text(raw["name"], (*at, "name")) if "name" in raw else ""
        if name and not _NAME.match(name):
            raise check.fail((*at, "name"), f"{name!r} is not a name: lower-case letters, digits and `_` are expected")
        if name in self._kinds:
            raise check.fail((*at, "name"), f"two clauses are named {name!r}")
        relations = self._relations(raw.get("relation"), fact, (*at, "relation"))
        distinct = self._distinct(raw.get("distinct"), (*at, "distinct"))
        if name:
            self._kinds[name] = fact
        where = self._where(raw.get("where", {}), name, fact, (*at, "where"))
        if expect == "none" and name:
            del self._kinds[name]
        if expect == "optional":
            self._optional.add(name)
        return Clause(name, fact, where, relations, distinct, expect)

    def _relations(self, value: object, fact: str, at: KeyPath) -> tuple[RelationUse, ...]:
        uses = []
        raw = {} if value is None else self._check.keys(value, at, RELATIONS)
        for key, other in raw.items():
            where = (*at, key)
            target = self._place(other, where, certain=True)
            if target.field is not None:
                raise self._check.fail(where, f"a relation holds between facts: write {target.name!r} alone")
            relation, kind = RELATIONS[key], self._kinds[target.name]
            if relation.takes(fact, kind):
                uses.append(RelationUse(key, target.name, False))
            elif relation.takes(kind, fact):
                uses.append(RelationUse(key, target.name, True))
            else:
                pairs = f"{' or '.join(relation.first)} and {' or '.join(relation.second)}"
                raise self._check.fail(where, f"`{key}` relates {pairs}, not {fact} and {kind}")
        return tuple(uses)

    def _distinct(self, value: object, at: KeyPath) -> tuple[str, ...]:
        if value is None:
            return ()
        names = tuple(self._check.text(name, at) for name in (value if isinstance(value, list) else [value]))
        for name in names:
            if name not in self._kinds or name in self._optional:
                raise self._check.fail(at, f"no earlier clause is named {name!r}{nearest(name, self._kinds)}")
        return names

    def _where(self, value: object, name: str, kind: str, at: KeyPath) -> tuple[FieldTest, ...]:
        if not isinstance(value, dict):
            raise self._check.fail(at, f"`{at[-1]}` has to be a mapping of fields to conditions")
        tests = []
        for key, condition in value.items():
            where = (*at, str(key))
            field = self._field(name, kind, self._check.text(key, where), where)
            tests.append(FieldTest(field, self._condition(condition, field, where)))
        return tuple(tests)

    def _when(self, value: object, at: KeyPath) -> tuple[FieldTest, ...]:
        raw = self._check.keys(value, at, self._kinds)
        if not raw:
            raise self._check.fail(at, f"`{at[-1]}` needs at least one condition")
        tests: list[FieldTest] = []
        for name, where in raw.items():
            if name in self._optional and where in ("present", "absent"):
                tests.append(FieldTest(FieldRef(name, None), Presence(where == "present")))
            else:
                tests += self._where(where, name, self._kinds[name], (*at, name))
        return tuple(tests)

    # -- conditions

    def _condition(self, value: object, field: FieldRef, at: KeyPath, depth: int = 0) -> Condition:
        check, kind = self._check, category(field.type)
        if depth > _MAX_NESTING:
            raise check.fail(at, f"conditions nested more than {_MAX_NESTING} deep are refused")
        if value == "present" or value == "absent":
            return Presence(value == "present")
        if not isinstance(value, dict):
            return Equal(self._literal(value, field, at))
        allowed = [name for name, spec in CONDITIONS.items() if kind in spec.types]
        if len(value) != 1:
            raise check.fail(at, "a condition has exactly one key; combine several with `all` or `any`")
        ((key, operand),) = value.items()
        where = (*at, str(key))
        if key not in allowed:
            reason = f"`{key}` does not apply to a {kind}" if key in CONDITIONS else f"there is no condition {key!r}"
            raise check.fail(
                where, f"{reason}{nearest(str(key), allowed)}; valid for {field.field}: {', '.join(allowed)}"
            )
        spec = CONDITIONS[key]
        if spec.operand == "condition":
            return Not(self._condition(operand, field, where, depth + 1))
        if spec.operand == "conditions":
            parts = tuple(
                self._condition(part, field, (*where, number), depth + 1)
                for number, part in enumerate(self._some(operand, where))
            )
            return AnyOf(parts) if key == "any" else AllOf(parts)
        if spec.operand == "literals":
            return OneOf(
                tuple(
                    self._literal(part, field, (*where, number))
                    for number, part in enumerate(self._some(operand, where))
                )
            )
        if spec.operand == "regex":
            return Matches(self._regex(check.text(operand, where), where))
        return Compare(key, self._operand(operand, spec.operand, field, where))

    def _some(self, value: object, at: KeyPath) -> Sequence[Any]:
        items = self._check.items(value, at)
        if not items:
            raise self._check.fail(at, f"`{at[-1]}` needs at least one item")
        return items

    def _operand(
        self, value: object, kind: str, field: FieldRef, at: KeyPath
    ) -> Scalar | tuple[Scalar, ...] | FieldRef:
        check = self._check
        if kind == "number" or (kind == "bound" and not isinstance(value, str)):
            if isinstance(value, bool) or not isinstance(value, int | float):
                raise check.fail(at, f"`{at[-1]}` needs a number")
            return value
        if kind == "list" and isinstance(value, list):
            return tuple(self._scalar(part, (*at, number)) for number, part in enumerate(self._some(value, at)))
        text = value if isinstance(value, str) else ""
        named = "." in text and text.partition(".")[0] in self._kinds
        if kind == "literal" and not named:
            return self._scalar(value, at)
        if kind == "text" and not named and (text.startswith("/") or "." not in text):
            return check.text(value, at)
        reference = self._reference(check.text(value, at), at, certain=True)
        if reference.field is None:
            raise check.fail(at, f"`{at[-1]}` compares with a field: write `{reference.name}.<field>`")
        mine, other = category(field.type), category(reference.type)
        texts = {"text", "choice"}
        fits = {
            "literal": other in _SINGLE,
            "list": other == "list",
            "bound": other == "number",
            "text": other in texts,
            "reference": mine == other or {mine, other} <= texts,
        }[kind]
        if not fits:
            raise check.fail(at, f"`{at[-1]}` cannot compare {field.field} (a {mine}) with {reference} (a {other})")
        return reference

    def _scalar(self, value: object, at: KeyPath) -> Scalar:
        if not isinstance(value, str | int | float | bool):
            raise self._check.fail(
                at, f"`{at[-1] if isinstance(at[-1], str) else at[-2]}` needs a text, a number or a boolean"
            )
        return value

    def _literal(self, value: object, field: FieldRef, at: KeyPath) -> Scalar:
        check, kind = self._check, category(field.type)
        if kind in ("list", "instance"):
            allowed = [name for name, spec in CONDITIONS.items() if kind in spec.types]
            raise check.fail(at, f"{field.field} is a {kind}: `present`, `absent`, {', '.join(allowed)} apply to it")
        if kind == "boolean":
            if not isinstance(value, bool):
                raise check.fail(at, f"{field.field} is true or false, not {value!r}")
            return value
        if kind == "number":
            if isinstance(value, bool) or not isinstance(value, int | float):
                raise check.fail(at, f"{field.field} is a number, not {value!r}")
            return value
        text = check.text(value, at)
        values = ("yes", "no") if kind == "tri" else field.type
        if not isinstance(values, str) and text not in values:
            raise check.fail(
                at, f"{field.field} is never {text!r}{nearest(text, values)}; it is one of {', '.join(values)}"
            )
        return text

    def _regex(self, text: str, at: KeyPath) -> Pattern:
        pattern = Pattern(text, "", "python", "search")
        try:
            re.compile(text)
        except (re.error, OverflowError, RecursionError) as error:
            raise self._check.fail(at, f"not a regular expression: {error}") from None
        if len(text) > _MAX_PATTERN or matches(pattern, "") is Tri.UNKNOWN:
            # Rules may come with a stranger's repository.
            raise self._check.fail(at, "this regular expression could take for ever, so it is refused")
        return pattern

    # -- symptoms

    def _symptom(self, value: object, at: KeyPath) -> Symptom:
        check = self._check
        if not isinstance(value, dict):
            return Symptom(self._wording(value, at))
        raw = check.keys(value, at, ("says", "where", "weight"), ("says",))
        where = check.keys(raw.get("where", {}), (*at, "where"), CLUES)
        weight = raw.get("weight", USUAL_WEIGHT)
        if isinstance(weight, bool) or weight not in WEIGHTS:
            raise check.fail((*at, "weight"), f"a weight is a number from {WEIGHTS[0]} to {WEIGHTS[-1]}")
        conditions = {name: self._clue(one, (*at, "where", name)) for name, one in where.items()}
        return Symptom(self._wording(raw["says"], (*at, "says")), MappingProxyType(conditions), weight)

    def _wording(self, value: object, at: KeyPath) -> str:
        text = self._check.text(value, at)
        if not re.sub(r"\{\w+\}", "", text).strip():
            raise self._check.fail(at, "a symptom needs words")
        return text

    def _clue(self, value: object, at: KeyPath) -> ClueCondition:
        check = self._check
        if isinstance(value, dict):
            raw = check.keys(value, at, ("matches",), ("matches",))
            return ClueCondition(pattern=self._regex(check.text(raw["matches"], (*at, "matches")), (*at, "matches")))
        texts = self._some(value, at) if isinstance(value, list) else [value]
        return ClueCondition(tuple(check.text(text, at) for text in texts))

    # -- texts

    def _template(self, value: object, at: KeyPath) -> Template:
        text = self._check.text(value, at)
        pieces: list[str | Placeholder] = []
        for piece in re.findall(r"\{\{|\}\}|\{[^{}]*\}|[{}]|[^{}]+", text):
            if piece in ("{{", "}}"):
                pieces.append(piece[0])
            elif piece in ("{", "}"):
                raise self._check.fail(at, f"a single `{piece}`: write `{piece}{piece}` for the character itself")
            elif piece[0] == "{":
                pieces.append(self._placeholder(piece[1:-1], at))
            else:
                pieces.append(piece)
        return tuple(pieces)

    def _placeholder(self, text: str, at: KeyPath) -> Placeholder:
        what, found, otherwise = text.partition(" else ")
        what, bar, mode = what.strip().partition("|")
        if bar and mode.strip() != "text":
            raise self._check.fail(at, f"{{{text}}}: only `|text` may follow a field")
        if not _REFERENCE.match(what.strip()):
            raise self._check.fail(
                at, f"{{{text}}} is not `{{name.field}}`: double the braces to have them in the text"
            )
        field = self._reference(what.strip(), at)
        if not bar and (field.field is None or category(field.type) == "instance"):
            raise self._check.fail(
                at, f"{{{text}}}: {field} has no text of its own; write {{{field}|text}} for its source"
            )
        return Placeholder(field, bool(bar), otherwise if found else None)

    # -- severity

    def _cases(self, report: Mapping[str, Any]) -> tuple[Case, ...]:
        check, raw = self._check, self._raw
        effect = check.one_of(raw["effect"], ("effect",), EFFECTS)
        message = self._template(report["message"], ("report", "message")) if "message" in report else None
        help_ = self._template(report["help"], ("report", "help")) if "help" in report else None
        fix = self._fix(raw["fix"], ("fix",)) if raw.get("fix") is not None else None
        severity = raw["severity"]
        entries = severity if isinstance(severity, list) else [{"is": severity}]
        cases: list[Case] = []
        for number, entry in enumerate(entries):
            at: KeyPath = ("severity", number) if isinstance(severity, list) else ("severity",)
            keys = ("when", "unknown", "is", "at", "effect", "message", "help", "fix")
            case = check.keys(entry, at, keys, ("is",))
            place = (*at, "is") if isinstance(severity, list) else at
            said = self._template(case["message"], (*at, "message")) if "message" in case else message
            advice = self._template(case["help"], (*at, "help")) if "help" in case else help_
            if said is None or advice is None:
                missing = "message" if said is None else "help"
                raise check.fail(at, f"`report` lacks `{missing}`, and not every case has its own")
            if "unknown" in case and (case["unknown"] is not True or "when" in case):
                raise check.fail((*at, "unknown"), "write `unknown: true`, without `when`")
            mend = fix
            if "fix" in case:
                mend = None if case["fix"] is None else self._fix(case["fix"], (*at, "fix"), certain=False)
            cases.append(
                Case(
                    when=self._when(case["when"], (*at, "when")) if "when" in case else (),
                    unknown="unknown" in case,
                    severity=check.one_of(case["is"], place, SEVERITIES),
                    effect=check.one_of(case["effect"], (*at, "effect"), EFFECTS) if "effect" in case else effect,
                    message=said,
                    help=advice,
                    fix=mend,
                    at=self._place(case["at"], (*at, "at")) if "at" in case else None,
                )
            )
        self._check_cases(cases)
        return tuple(cases)

    def _check_cases(self, cases: Sequence[Case]) -> None:
        fail = self._check.fail
        if not cases:
            raise fail(("severity",), "`severity` needs at least one case")
        unknowns = [number for number, case in enumerate(cases) if case.unknown]
        if len(unknowns) > 1:
            raise fail(("severity", unknowns[1]), "there is already an `unknown` case")
        tested = [(number, case) for number, case in enumerate(cases) if not case.unknown]
        if not tested:
            raise fail(("severity",), "`severity` needs a case besides the `unknown` one")
        for number, case in tested[:-1]:
            if not case.when:
                raise fail(("severity", number), "this case always counts: the ones after it never do")
        if unknowns:
            if not any(case.when for _, case in tested):
                raise fail(("severity", unknowns[0]), "nothing can be unknown: no case has a `when`")
            return
        for (_, case), (number, later) in pairwise(tested):
            if SEVERITIES.index(later.severity) < SEVERITIES.index(case.severity):
                raise fail(
                    ("severity", number),
                    f"{later.severity} after {case.severity}: an unknown `when` would make the finding worse; "
                    "order the cases from most to least severe, or add a case `unknown: true`",
                )

    # -- fixes

    def _fix(self, value: object, at: KeyPath, certain: bool = True) -> FixSpec:
        check = self._check
        if at.count("otherwise") > _MAX_NESTING:
            raise check.fail(at, f"fixes nested more than {_MAX_NESTING} deep are refused")
        known = ("title", "applicability", "edits", "only_when", "otherwise")
        raw = check.keys(value, at, known, ("title", "applicability", "edits"))
        title = self._template(raw["title"], (*at, "title"))
        texts = {raw["title"]: title}
        for number, entry in enumerate(self._some(raw["edits"], (*at, "edits"))):
            self._edit(entry, (*at, "edits", number), texts, certain)
        return FixSpec(
            title=title,
            applicability=check.one_of(raw["applicability"], (*at, "applicability"), APPLICABILITY),
            plan=MappingProxyType(dict(raw)),
            texts=MappingProxyType(texts),
            only_when=self._when(raw["only_when"], (*at, "only_when")) if "only_when" in raw else (),
            otherwise=self._fix(raw["otherwise"], (*at, "otherwise"), certain) if "otherwise" in raw else None,
        )

    def _edit(self, value: object, at: KeyPath, texts: dict[str, Template], certain: bool) -> None:
        check = self._check
        if not isinstance(value, dict):
            raise check.fail(at, "an edit has to be a mapping")
        verb = next((key for key in value if key in VERBS), None)
        if verb is None:
            strange = next(iter(value), "")
            raise check.fail(
                (*at, strange),
                f"there is no verb {strange!r}{nearest(str(strange), VERBS)}; the verbs are {', '.join(VERBS)}",
            )
        if sum(key in VERBS for key in value) == 1:
            check.keys(value, at, (verb, *sorted(VERBS[verb])))
        fault = edit_fault(value)
        if fault is not None:
            raise check.fail(at, fault)
        self._place(value[verb], (*at, verb), certain)
        for key, argument in value.items():
            if key == "behind":
                self._place(argument, (*at, key), certain)
            elif key != verb:
                self._edit_texts(argument, (*at, key), texts)

    def _edit_texts(self, value: object, at: KeyPath, texts: dict[str, Template], depth: int = 0) -> None:
        if depth > _MAX_NESTING:
            raise self._check.fail(at, f"values nested more than {_MAX_NESTING} deep are refused")
        if isinstance(value, str):
            texts[value] = self._template(value, at)
        elif isinstance(value, dict):
            for key, part in value.items():
                self._edit_texts(part, (*at, key), texts, depth + 1)
        elif isinstance(value, list):
            for number, part in enumerate(value):
                self._edit_texts(part, (*at, number), texts, depth + 1)

    # -- examples

    def _examples(self, fixes: bool) -> tuple[Example, ...]:
        check = self._check
        if not self._wants_examples:
            return ()
        examples = tuple(
            self._example(entry, ("examples", number))
            for number, entry in enumerate(check.items(self._raw["examples"], ("examples",)))
        )
        if all(example.clean for example in examples):
            raise check.fail(("examples",), "an example that fires is missing")
        if not any(example.clean for example in examples):
            raise check.fail(("examples",), "a near miss is missing: an example with `clean: true`")
        if fixes and not any(example.fixed for example in examples):
            raise check.fail(("examples",), "the rule has a fix, but no example says what is `fixed`")
        if not fixes and any(example.fixed for example in examples):
            raise check.fail(("examples",), "an example has `fixed`, but the rule has no fix")
        return examples

    def _example(self, value: object, at: KeyPath) -> Example:
        check = self._check
        keys = ("name", "files", "fixed", "clean", "severity", "effect", "message", "applicability", "settings")
        raw = check.keys(value, at, keys, ("files",))
        files, unreadable = self._files(raw["files"], (*at, "files"))
        fixed, strange = self._files(raw["fixed"], (*at, "fixed")) if "fixed" in raw else ({}, {})
        clean = raw.get("clean", False)
        if not isinstance(clean, bool):
            raise check.fail((*at, "clean"), "`clean` is true or false")
        if not files and not unreadable:
            raise check.fail((*at, "files"), "an example needs at least one file")
        if strange or not fixed.keys() <= files.keys():
            name = next(iter([*strange, *(fixed.keys() - files.keys())]))
            raise check.fail((*at, "fixed", name), f"`files` has no {name!r}{nearest(name, files)}")
        primary, related = (
            sum(text.count(marks[0]) for text in files.values()) for marks in (PRIMARY_MARKS, RELATED_MARKS)
        )
        for name, text in files.items():
            for marks in PRIMARY_MARKS, RELATED_MARKS:
                if "".join(re.findall(f"[{marks}]", text)).replace(marks, ""):
                    raise check.fail((*at, "files", name), f"the marks {marks[0]} and {marks[1]} do not pair up")
        expected = [key for key in ("fixed", "severity", "effect", "message", "applicability") if key in raw]
        if clean and (primary or related or expected):
            what = "marks" if primary or related else f"`{expected[0]}`"
            raise check.fail(at, f"an example that is clean has no finding, so it cannot have {what}")
        if not clean and not primary and not unreadable:
            raise check.fail(at, "put ⟦ and ⟧ around the primary place, or say `clean: true`")
        if raw.get("applicability") == "none" and fixed:
            raise check.fail((*at, "applicability"), "where there is no fix, nothing can be `fixed`")
        if raw.get("applicability", "none") not in ("none", "placeholder") and not fixed:
            raise check.fail((*at, "applicability"), "the applicability is that of the fix: say what is `fixed`")

        def word(key: str, allowed: tuple[str, ...]) -> str | None:
            return check.one_of(raw[key], (*at, key), allowed) if key in raw else None

        settings = raw.get("settings", {})
        if not isinstance(settings, dict):
            raise check.fail((*at, "settings"), "`settings` has to be a mapping")
        return Example(
            name=check.text(raw["name"], (*at, "name")) if "name" in raw else "",
            files=MappingProxyType(files),
            unreadable=MappingProxyType(unreadable),
            fixed=MappingProxyType(fixed),
            clean=clean,
            severity=word("severity", SEVERITIES),
            effect=word("effect", EFFECTS),
            message=check.text(raw["message"], (*at, "message")) if "message" in raw else None,
            applicability=word("applicability", (*APPLICABILITY, "none")),
            settings=MappingProxyType(settings),
        )

    def _files(self, value: object, at: KeyPath) -> tuple[dict[str, str], dict[str, str]]:
        check = self._check
        if not isinstance(value, dict):
            raise check.fail(at, f"`{at[-1]}` has to be a mapping of paths to texts")
        files: dict[str, str] = {}
        unreadable: dict[str, str] = {}
        for name, content in value.items():
            where = (*at, str(name))
            path = check.text(name, where)
            if path.startswith("/") or "\\" in path or any(part in ("", ".", "..") for part in path.split("/")):
                raise check.fail(where, f"{path!r} is not a plain relative path")
            if isinstance(content, dict):
                check.keys(content, where, ("unreadable",), ("unreadable",))
                unreadable[path] = check.text(content["unreadable"], (*where, "unreadable"))
            else:
                files[path] = check.text(content, where)
        return files, unreadable
