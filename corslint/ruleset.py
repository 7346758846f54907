"""Rules as they are compiled, and how they are chosen. `corslint/rulefiles.py` reads them, and says what they may say.

Most runs take them out of a snapshot: those need what is here, and nothing that checks YAML.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Iterator, Mapping
from fnmatch import fnmatchcase
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, TypeAlias, Union

from corslint.model.finding import SEVERITIES, Finding
from corslint.records import NamedTuple
from corslint.settings import near_name

if TYPE_CHECKING:
    from corslint.model.patterns import Pattern
    from corslint.model.symptom import Symptom

Scalar: TypeAlias = Union[str, int, float, bool]


class UnknownRuleError(ValueError):
    """A rule id in `select` or `ignore` that no loaded rule has. `rule` is that id."""

    def __init__(self, rule: str, message: str) -> None:
        super().__init__(message)
        self.rule = rule


class FieldRef(NamedTuple):
    """A field of a matched fact, or the fact itself where `field` is None.

    `type` is the field's `FieldSpec.type`. `pattern` is the table's entry if that stands for any name (`adds.*`).
    """

    name: str
    field: str | None
    type: str | tuple[str, ...] = "text"
    pattern: str | None = None

    def __str__(self) -> str:
        return self.name if self.field is None else f"{self.name}.{self.field}"


def category(type_: str | tuple[str, ...]) -> str:
    """The entry of `TYPES` for a `FieldSpec.type`."""
    return type_ if isinstance(type_, str) else "choice"


class Equal(NamedTuple):
    """The value is this literal."""

    value: Scalar


class Presence(NamedTuple):
    """The field is there (`wanted`), or is certainly not."""

    wanted: bool


class OneOf(NamedTuple):
    """The value is one of these literals."""

    values: tuple[Scalar, ...]


class Matches(NamedTuple):
    """The pattern is found in the text."""

    pattern: Pattern


class Not(NamedTuple):
    """The condition turned around."""

    condition: Condition


class AnyOf(NamedTuple):
    """At least one of the conditions."""

    conditions: tuple[Condition, ...]


class AllOf(NamedTuple):
    """Every one of the conditions."""

    conditions: tuple[Condition, ...]


class Compare(NamedTuple):
    """The value against an operand; `operator` is a key of `CONDITIONS`."""

    operator: str
    operand: Scalar | tuple[Scalar, ...] | FieldRef


Condition: TypeAlias = Union[Equal, Presence, OneOf, Matches, Not, AnyOf, AllOf, Compare]


class FieldTest(NamedTuple):
    """A condition on one field."""

    field: FieldRef
    condition: Condition

    def references(self) -> tuple[FieldRef, ...]:
        """The other fields that the condition compares with."""
        return tuple(_references(self.condition))


def _references(condition: Condition) -> list[FieldRef]:
    if isinstance(condition, Not):
        return _references(condition.condition)
    if isinstance(condition, AnyOf | AllOf):
        return [reference for part in condition.conditions for reference in _references(part)]
    if isinstance(condition, Compare) and isinstance(condition.operand, FieldRef):
        return [condition.operand]
    return []


class RelationUse(NamedTuple):
    """A relation to the fact of an earlier clause. `reversed`: that other fact is the relation's first argument."""

    relation: str
    other: str
    reversed: bool


class Clause(NamedTuple):
    """One clause of `match`. `expect` is `some`, `none` or `optional`. `name` is empty if the clause has none."""

    name: str
    fact: str
    where: tuple[FieldTest, ...]
    relations: tuple[RelationUse, ...]
    distinct: tuple[str, ...]
    expect: str


class Placeholder(NamedTuple):
    """A value in a text; `otherwise` is written where there is none. `source`: the source text at the field's place."""

    field: FieldRef
    source: bool
    otherwise: str | None


Template: TypeAlias = tuple[Union[str, Placeholder], ...]
"""A text with values in it: pieces in order."""


class RelatedSpec(NamedTuple):
    """A related place to show."""

    at: FieldRef
    message: Template


class FixSpec(NamedTuple):
    """How to mend a finding. Without `only_when` being a yes, or where it can't be planned, `otherwise` counts.

    `applicability` is one of `APPLICABILITY`. `plan` is the rule's mapping as written, for `corslint/fixes.py`;
    `texts` are the texts in it, compiled.
    """

    title: Template
    applicability: str
    plan: Mapping[str, Any]
    texts: Mapping[str, Template]
    only_when: tuple[FieldTest, ...]
    otherwise: FixSpec | None = None


def alternatives(fix: FixSpec | None) -> Iterator[FixSpec]:
    """A fix, and those that stand in for it."""
    while fix is not None:
        yield fix
        fix = fix.otherwise


class Case(NamedTuple):
    """One severity with everything that it says. `unknown`: it counts where an earlier `when` is unknown.

    `at` is the case's own primary place, None for the rule's.
    """

    when: tuple[FieldTest, ...]
    unknown: bool
    severity: str
    effect: str
    message: Template
    help: Template
    fix: FixSpec | None
    at: FieldRef | None = None


PRIMARY_MARKS, RELATED_MARKS = "⟦⟧", "⟪⟫"
"""What stands around the primary and the related places in the files of an example."""


class Example(NamedTuple):
    """A small project that the rule fires on, or (`clean`) stays silent on.

    `files` are texts with the primary places in `⟦...⟧` and, if the example is about them, the related ones in
    `⟪...⟫`; `unreadable` are files that cannot be read, and why. `fixed` are the files that the fix changes.
    `severity`, `effect`, `message` and `applicability`, if given, are what the findings must say. `settings` are keys
    of the settings file.
    """

    name: str
    files: Mapping[str, str]
    unreadable: Mapping[str, str]
    fixed: Mapping[str, str]
    clean: bool
    severity: str | None
    effect: str | None
    message: str | None
    applicability: str | None
    settings: Mapping[str, Any]


class Way(NamedTuple):
    """One way to a fault: the facts that make it, how bad it is then, and where it is shown."""

    cases: tuple[Case, ...]
    match: tuple[Clause, ...]
    at: FieldRef
    related: tuple[RelatedSpec, ...]
    subjects: tuple[FieldRef, ...]


class Rule(NamedTuple):
    """A rule, checked and compiled. `path` is its file; `title` and `explanation` are for people (or empty).

    The first way to its fault stands in the rule itself, and `also` are all others.
    """

    id: str
    path: str
    title: str
    explanation: str
    cases: tuple[Case, ...]
    match: tuple[Clause, ...]
    at: FieldRef
    related: tuple[RelatedSpec, ...]
    subjects: tuple[FieldRef, ...]
    yields_to: tuple[str, ...]
    symptoms: tuple[Symptom, ...]
    proof: str | None
    references: tuple[str, ...]
    examples: tuple[Example, ...]
    also: tuple[Way, ...] = ()

    @property
    def ways(self) -> tuple[Way, ...]:
        """All ways to its fault."""
        return Way(self.cases, self.match, self.at, self.related, self.subjects), *self.also

    @property
    def all_cases(self) -> tuple[Case, ...]:
        """The cases of all ways."""
        return tuple(case for way in self.ways for case in way.cases)

    @property
    def severities(self) -> tuple[str, ...]:
        """The severities that its findings can have, most severe first."""
        given = {case.severity for case in self.all_cases}
        return tuple(severity for severity in SEVERITIES if severity in given)

    @property
    def kinds(self) -> tuple[frozenset[str], ...]:
        """For each way to its fault, the kinds of facts without which there is none."""
        return tuple(frozenset(one.fact for one in way.match if one.expect == "some") for way in self.ways)


class RuleSet:
    """All loaded rules, in the order of their ids. `kinds`: by id, for each way to a rule's fault, the kinds of facts
    that it cannot do without."""

    __slots__ = ("kinds", "rules")

    def __init__(
        self, rules: Mapping[str, Rule], kinds: Mapping[str, tuple[frozenset[str], ...]] | None = None
    ) -> None:
        """`kinds` are given where the rules, in their order, are made when they are first asked for."""
        if kinds is None:
            rules = {name: rules[name] for name in sorted(rules)}
            kinds = {name: rule.kinds for name, rule in rules.items()}
        self.rules: Mapping[str, Rule] = MappingProxyType(rules)
        self.kinds = kinds

    def about(self, kinds: Collection[str]) -> list[Rule]:
        """The rules that can speak where there are facts of these kinds and of no other."""
        return [self.rules[name] for name, ways in self.kinds.items() if any(one.issubset(kinds) for one in ways)]

    def __getitem__(self, rule: str) -> Rule:
        """The rule with this id; `UnknownRuleError` names the nearest, or says where to look."""
        found = self.rules.get(rule)
        if found is None:
            near = near_name(rule, self.rules)
            hint = f"did you mean `{near}`?" if near else "`corslint rule` lists them"
            raise UnknownRuleError(rule, f"there is no rule `{rule}`; {hint}")
        return found

    def named(self, names: Iterable[str]) -> frozenset[str]:
        """The ids that these names stand for; `*` in a name is any part of one. Raises `UnknownRuleError`."""
        found: set[str] = set()
        for name in names:
            if "*" not in name:
                found.add(self[name].id)
                continue
            matching = [rule for rule in self.rules if fnmatchcase(rule, name)]
            if not matching:
                raise UnknownRuleError(name, f"no rule's name matches `{name}`; `corslint rule` lists them")
            found.update(matching)
        return frozenset(found)

    def of(self, folders: Iterable[str]) -> list[Rule]:
        """The rules that were read from these folders."""
        wanted = {os.path.normpath(folder) for folder in folders}
        return [rule for rule in self if os.path.dirname(os.path.normpath(rule.path)) in wanted]

    def __iter__(self) -> Iterator[Rule]:
        return iter(self.rules.values())

    def __len__(self) -> int:
        return len(self.rules)


# --- choosing -------------------------------------------------------------------------------------------------------


class Selection(NamedTuple):
    """Which findings are wanted. `pedantic`: notes too; `notes` are rules whose notes are shown in any case."""

    rules: frozenset[str]
    pedantic: bool
    notes: frozenset[str] = frozenset()

    def wants(self, finding: Finding) -> bool:
        """Whether the finding's rule is selected."""
        return finding.rule in self.rules

    def shows(self, finding: Finding) -> bool:
        """Whether the finding is wanted and no hidden note."""
        return finding.rule in self.rules and (
            finding.severity != "note" or self.pedantic or finding.rule in self.notes
        )


def select(
    ruleset: RuleSet, select: Collection[str], ignore: Collection[str], pedantic: bool, extend: Collection[str] = ()
) -> Selection:
    """The choice that settings make: every rule if `select` is empty, and those in `extend`, less those in `ignore`.

    Selecting rules by id shows their notes, too. It is applied to findings after `yields_to`, so that leaving a rule
    out never brings back what yielded to it. Raises `UnknownRuleError`.
    """
    further = ruleset.named(extend)
    chosen = ruleset.named(select) if select else frozenset(ruleset.rules)
    return Selection((chosen | further) - ruleset.named(ignore), pedantic or bool(select), further)
