"""Rules times facts: which facts match which rules, and the findings that come of it.

The language is described in `corslint/rulefiles.py`. A rule speaks only where everything it asks for is a certain yes.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from itertools import chain
from typing import Any

from corslint.model.facts import Fact, Field
from corslint.model.finding import CONFIDENCES, SEVERITIES, Finding, Fix, Place
from corslint.model.patterns import matches
from corslint.model.tri import Tri, all_of, any_of, tri
from corslint.records import NamedTuple
from corslint.relations import ByValue, World, weakest
from corslint.relations.keyed import NOBODY, Begun, Key, Keyed, Wanted, in_order
from corslint.ruleset import (
    AllOf,
    AnyOf,
    Case,
    Clause,
    Compare,
    Condition,
    Equal,
    FieldRef,
    FieldTest,
    FixSpec,
    Matches,
    Not,
    OneOf,
    Placeholder,
    Presence,
    RelationUse,
    Rule,
    RuleSet,
    Template,
    Way,
    alternatives,
    category,
)
from corslint.source import Span

USED_HERE = "takes effect here"
FENCED = "It is reachable only in development, so it is a note."

_SHOWN_LIMIT = 200


Bindings = Mapping[str, Fact]
PlanFix = Callable[[Mapping[str, Any], Bindings, Callable[[str], str]], "Fix | None"]
"""Makes edits of a rule's `fix` mapping. Its last argument fills in a text; LookupError: a value in it is not there."""


class Answer(NamedTuple):
    """An answer, and how sure the reading behind it is."""

    answer: Tri
    confidence: str = "high"


MOST_TRIED = 1_000_000
"""How many facts a rule looks at for one of its first two clauses, and a tenth of it for each further one: thousands of
each kind, each compared with all others, are no program but a trap."""


class _Match(NamedTuple):
    """One way to give every clause of a rule a fact, judged."""

    rule: Rule
    bindings: Bindings
    case: Case
    severity: str
    confidence: str
    primary: Span
    related: tuple[Place, ...]
    fenced: bool
    demoted: bool
    subjects: frozenset[Hashable]


def run(
    ruleset: RuleSet,
    world: World,
    plan_fix: PlanFix,
    watch: Callable[[Iterable[Rule]], Iterable[Rule]] = lambda rules: rules,
    unfinished: set[str] | None = None,
) -> list[Finding]:
    """The findings of all rules in all files, ordered by path, place and rule.

    `plan_fix` turns a filled-in fix into edits, or says None where it cannot be made. `watch` hands on the rules one by
    one, and may tell somebody how far the work is. Rules that gave up before they had looked at everything are put into
    `unfinished`.
    """
    matches: dict[str, list[_Match]] = {}
    for rule in watch(ruleset.about(world.kinds)):
        matched: list[_Match] = []
        for way in rule.ways:
            found, ended = _matches(rule, way, world)
            matched += found
            if not ended and unfinished is not None:
                unfinished.add(rule.id)
        if matched:
            matches[rule.id] = matched
    subjects = {rule: frozenset(key for match in found for key in match.subjects) for rule, found in matches.items()}
    findings = []
    for found in matches.values():
        spoken = frozenset(key for other in found[0].rule.yields_to for key in subjects.get(other, ()))
        groups: dict[Span, list[_Match]] = {}
        for match in found:
            if not match.subjects & spoken:
                groups.setdefault(match.primary, []).append(match)
        findings += [_finding(group, world, plan_fix) for group in groups.values()]
    return sorted(findings, key=lambda finding: (finding.primary, finding.rule))


# --- conditions -----------------------------------------------------------------------------------------------------


def look(fact: Fact, ref: FieldRef) -> Field:
    """A field as conditions and texts see it: yes and no as texts, lists as tuples, and the state in order.

    Where the fact does not have it but has the field's pattern (`adds.*`), that says what holds for every other name.
    """
    name = ref.field or ""
    field = fact.fields.get(name)
    if field is None and ref.pattern is not None:
        field = fact.fields.get(ref.pattern)
    if field is None:
        return fact.field(name)
    if field.state in ("absent", "unknown"):
        return field
    kind, value = category(ref.type), field.value
    if kind == "tri":
        value = value.value if isinstance(value, Tri) else {True: "yes", False: "no"}.get(value, value)  # type: ignore[call-overload]
        if value not in ("yes", "no"):
            return field._replace(value=None, state="unknown")
        return field if value is field.value else field._replace(value=value)
    if kind == "list" and isinstance(value, list | set | frozenset):
        return field._replace(value=tuple(value))
    return field


_ALONE = (Equal, OneOf, Presence, Matches)
"""Conditions that ask about one field alone."""


def holds(test: FieldTest, bindings: Bindings, doubtful: Collection[str] = ()) -> Answer:
    """Whether the condition holds for the facts bound so far; the confidence is the lowest of the fields involved.

    `doubtful` are optional facts of which nobody can tell whether they are there.
    """
    if test.field.name not in bindings and test.field.name in doubtful:
        return Answer(Tri.UNKNOWN)
    if test.field.field is None or test.field.name not in bindings:
        wanted = test.field.field is not None or not isinstance(test.condition, Presence) or test.condition.wanted
        return Answer(tri((test.field.name in bindings) is wanted))
    field = look(bindings[test.field.name], test.field)
    answer = _judge(test.condition, field, test.field, bindings)
    references = () if isinstance(test.condition, _ALONE) else test.references()
    if not references:
        return Answer(answer, field.confidence)
    others = [look(bindings[ref.name], ref) for ref in references]
    return Answer(answer, weakest([field.confidence, *(other.confidence for other in others)]))


def _judge(condition: Condition, field: Field, ref: FieldRef, bindings: Bindings) -> Tri:
    if isinstance(condition, Not):
        return ~_judge(condition.condition, field, ref, bindings)
    if isinstance(condition, AnyOf):
        return any_of(_judge(part, field, ref, bindings) for part in condition.conditions)
    if isinstance(condition, AllOf):
        return all_of(_judge(part, field, ref, bindings) for part in condition.conditions)
    if field.state == "unknown":
        return Tri.UNKNOWN
    if isinstance(condition, Presence):
        return tri((field.state != "absent") is condition.wanted)
    if isinstance(condition, Compare) and isinstance(condition.operand, FieldRef):
        other = look(bindings[condition.operand.name], condition.operand)
        if other.state in ("absent", "unknown") or other.value is None or field.state == "absent":
            return Tri.UNKNOWN
        operand: object = other.value
    elif field.state == "absent":
        return Tri.NO
    else:
        operand = condition.operand if isinstance(condition, Compare) else None
    if field.value is None:
        return Tri.UNKNOWN
    if isinstance(condition, Equal):
        return tri(_equal(field.value, condition.value))
    if isinstance(condition, OneOf):
        return tri(any(_equal(field.value, value) for value in condition.values))
    if isinstance(condition, Matches):
        return matches(condition.pattern, field.value) if isinstance(field.value, str) else Tri.NO
    return tri(_OPERATORS[condition.operator](field.value, operand))


def _equal(one: object, other: object) -> bool:
    """Equality that keeps `True` and `1` apart."""
    return isinstance(one, bool) is isinstance(other, bool) and one == other


def _holds_item(items: object, wanted: object) -> bool:
    return isinstance(items, tuple) and any(_equal(item, wanted) for item in items)


def _size(value: object) -> int | float | None:
    """The number that `at_least` and its kin look at: a list's length, or a number itself."""
    if isinstance(value, tuple):
        return len(value)
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None


def _ordered(one: object, other: object) -> bool:
    low, high = _size(one), _size(other)
    return low is not None and high is not None and low <= high


def _begins(text: object, start: object) -> bool:
    return isinstance(text, str) and isinstance(start, str) and text.startswith(start)


def _disjoint(one: object, other: object) -> bool:
    return isinstance(one, tuple) and isinstance(other, tuple) and not any(_holds_item(other, item) for item in one)


_OPERATORS: Mapping[str, Callable[[object, object], bool]] = {
    "equals": _equal,
    "same_as": _equal,
    "count": lambda value, operand: isinstance(value, tuple) and len(value) == operand,
    "at_least": lambda value, operand: _ordered(operand, value),
    "at_most": _ordered,
    "contains": _holds_item,
    "lacks": lambda value, operand: isinstance(value, tuple) and not _holds_item(value, operand),
    "disjoint": _disjoint,
    "prefix_of": lambda value, operand: _begins(operand, value),
    "starts_with": _begins,
}


# --- matching -------------------------------------------------------------------------------------------------------


_Entry = tuple[Fact, tuple[Answer, ...]]
"""A fact that a clause may stand for, with the answers about it alone."""


class _Join(NamedTuple):
    """How a clause's facts are found by keys: what the bound facts have, and what one of the clause's own has.

    `beginnings`: the bound facts' keys are beginnings of the others.
    """

    bound: Callable[[Bindings, Wanted], Key]
    own: Callable[[Fact, Wanted], Key]
    beginnings: bool = False


class _Asked(NamedTuple):
    """What a clause of a way asks: `own` conditions concern its fact alone, `tests` others, too. `needed` are fields
    without which no case of the way could hold."""

    clause: Clause
    name: str
    own: tuple[FieldTest, ...]
    tests: tuple[FieldTest, ...]
    needed: tuple[FieldRef, ...]


_MOST_KNOWN = 10_000
_known: dict[int, tuple[tuple[Case, ...], tuple[Clause, ...], tuple[_Asked, ...]]] = {}
"""By the identity of a way's clauses, with its cases: what they ask is the same in every project, and to compare them
would take longer than to work it out."""


def _asked(way: Way) -> tuple[_Asked, ...]:
    cases, match, asked = _known.get(id(way.match), ((), (), ()))
    if match is way.match and cases is way.cases:
        return asked
    if len(_known) >= _MOST_KNOWN:
        _known.clear()
    asked = tuple(_asked_by(clause, way) for clause in way.match)
    _known[id(way.match)] = way.cases, way.match, asked
    return asked


def _asked_by(clause: Clause, way: Way) -> _Asked:
    name = clause.name or "\0"
    own = [test for test in clause.where if all(ref.name == clause.name for ref in test.references())]
    return _Asked(
        clause,
        name,
        tuple(_named(test, name) for test in own),
        tuple(_named(test, name) for test in clause.where if test not in own),
        tuple(_needed(way, clause.name)) if clause.expect == "some" else (),
    )


class _Candidates:
    """The facts that one clause of one rule may stand for, after the conditions that concern them alone.

    For a clause that expects none, facts that fail are kept if that is not highly sure: they lower the confidence.
    """

    def __init__(self, asked: _Asked, world: World, most: int) -> None:
        """`most`: how many facts are looked at."""
        self._world = world
        self._clause = asked.clause
        self._needed = asked.needed
        self._name = asked.name
        self._own, self._tests = asked.own, asked.tests
        self._keyed: dict[tuple[int, Wanted], Keyed | Begun] = {}
        self._most = most
        self._tried = 0

    @cached_property
    def _entries(self) -> list[_Entry]:
        """The facts that are left, with the answers about them; worked out when a binding first gets here."""
        own = self._own
        expect = self._clause.expect
        found: list[_Entry] = []
        for fact in self._likely(own):
            if expect == "optional" and _fenced(fact):
                continue
            answers: list[Answer] = []
            for test in own:
                if _misses(test, fact):
                    break
                answer = holds(test, {self._name: fact})
                if expect == "some" and answer.answer is not Tri.YES:
                    break
                if expect == "optional" and answer.answer is Tri.NO:
                    break
                answers.append(answer)
            else:
                if expect != "none" or not _surely_out(answers):
                    found.append((fact, tuple(answers)))
        return found

    @cached_property
    def _certain(self) -> list[_Entry]:
        """The facts for which all that concerns them alone is a yes."""
        if self._clause.expect == "some":
            return self._entries
        return [entry for entry in self._entries if all_of(answer.answer for answer in entry[1]) is Tri.YES]

    def _likely(self, own: Iterable[FieldTest]) -> Sequence[Fact]:
        """The facts that the condition leaves which the fewest can meet: most ask for a field that few facts have."""
        fewest = self._world.of_kind(self._clause.fact)
        for found in self._lists(own):
            if len(found) < len(fewest):
                fewest = found
            if not fewest:  # nothing is left, so nobody needs the others
                break
        return fewest

    def _lists(self, own: Iterable[FieldTest]) -> Iterator[Sequence[Fact]]:
        for ref in self._needed:
            yield self._having(ref).all
        for test in own:
            condition, ref = test.condition, test.field
            if ref.field is None:
                continue
            if isinstance(condition, Presence) and condition.wanted:
                yield self._having(ref).all
            elif isinstance(condition, Equal) and isinstance(condition.value, str):
                yield self._having(ref).facts_with((condition.value,))
            elif isinstance(condition, OneOf) and all(isinstance(one, str) for one in condition.values):
                yield self._having(ref).facts_with(condition.values)

    def _having(self, ref: FieldRef) -> ByValue:
        return self._world.with_field(self._clause.fact, ref.field or "", ref.pattern)

    @cached_property
    def _joins(self) -> list[_Join]:
        """The relations that have keys, and the conditions that compare a field with those of other facts."""
        found = [_by_relation(use, self._world) for use in self._clause.relations]
        found += [_by_value(test, self._name) for test in self._tests]
        return [join for join in found if join is not None]

    def _narrowed(self, bindings: Bindings, wanted: Wanted) -> Iterable[_Entry]:
        """The entries that have a key of the bound facts for some answer that is wanted: by the join that leaves the
        fewest."""
        entries = self._certain if wanted is Wanted.YES else self._entries
        fewest: list[Sequence[int]] | None = None
        left = len(entries)
        for number, join in enumerate(self._joins):
            if not left:
                return ()
            keys = join.bound(bindings, wanted)
            if keys is None:
                continue
            keyed = self._keyed.get((number, wanted))
            if keyed is None:
                index = Begun if join.beginnings else Keyed
                keyed = self._keyed[number, wanted] = index(join.own(fact, wanted) for fact, _ in entries)
            found = keyed.having(keys)
            size = sum(map(len, found))
            if size < left or fewest is None:
                fewest, left = found, size
        if fewest is None:
            return entries
        places = in_order(fewest) if wanted is Wanted.YES else chain.from_iterable(fewest)
        return map(entries.__getitem__, places)

    @property
    def gave_up(self) -> bool:
        """Whether not all facts were looked at."""
        return self._tried > self._most

    def certain(self, bindings: Bindings) -> Iterator[tuple[Fact, tuple[Answer, ...], tuple[Place, ...]]]:
        """Each fact for which all that the clause asks is a yes, in order."""
        for fact, answers, evidence in self._judged(bindings, Wanted.YES):
            if all_of(answer.answer for answer in answers) is Tri.YES:
                yield fact, answers, evidence

    def in_doubt(self, bindings: Bindings) -> bool:
        """Whether nobody can tell of some fact if all that the clause asks is a yes."""
        return any(
            all_of(answer.answer for answer in answers) is Tri.UNKNOWN
            for _, answers, _ in self._judged(bindings, Wanted.OPEN)
        )

    def possible(self, bindings: Bindings) -> Iterator[tuple[Answer, ...]]:
        """The answers to all that the clause asks, for each fact that is not out with high confidence."""
        return (answers for _, answers, _ in self._judged(bindings, Wanted.UNSURE))

    def _judged(
        self, bindings: Bindings, wanted: Wanted
    ) -> Iterator[tuple[Fact, tuple[Answer, ...], tuple[Place, ...]]]:
        """Each candidate with the answers to everything the clause asks; stops asking at the first sure no."""
        for fact, own in self._narrowed(bindings, wanted):
            self._tried += 1
            if self.gave_up:  # whatever is bound now does not count
                return
            if any(bindings[other] is fact for other in self._clause.distinct):
                continue
            answers = list(own)
            evidence: list[Place] = []
            for test in self._tests:
                if _surely_out(answers):
                    break
                answers.append(holds(test, {**bindings, self._name: fact}))
            for use in self._clause.relations:
                if _surely_out(answers):
                    break
                pair = (bindings[use.other], fact) if use.reversed else (fact, bindings[use.other])
                related = self._world.ask(use.relation, *pair)
                answers.append(Answer(related.answer, related.confidence))
                evidence += related.evidence
            yield fact, tuple(answers), tuple(evidence)


def _misses(test: FieldTest, fact: Fact | None) -> bool:
    """A quick no, with high confidence, to what most conditions ask: that a field has some value, or one of its own."""
    condition, ref = test.condition, test.field
    if fact is None:
        return False
    if isinstance(condition, Presence):
        return condition.wanted and ref.pattern is None and ref.field is not None and ref.field not in fact.fields
    if not isinstance(condition, (Equal, OneOf)) or ref.field is None:
        return False
    field = fact.fields.get(ref.field)
    if field is None:
        return ref.pattern is None
    value, wanted = field.value, (condition.value,) if isinstance(condition, Equal) else condition.values
    texts = isinstance(value, str) and all(isinstance(one, str) for one in wanted)
    return texts and value not in wanted and field.confidence == "high"


def _named(test: FieldTest, name: str) -> FieldTest:
    """The test of a clause without a name, under the name that stands for it."""
    return test if test.field.name else FieldTest(test.field._replace(name=name), test.condition)


# --- joins ---


def _by_relation(use: RelationUse, world: World) -> _Join | None:
    """The join by a relation's keys, if it has any."""
    keys = world.relation(use.relation).keys
    if keys is None:
        return None
    own, other = reversed(keys) if use.reversed else keys
    return _Join(
        lambda bindings, wanted: other(world, bindings[use.other], wanted),
        lambda fact, wanted: own(world, fact, wanted),
    )


def _by_value(test: FieldTest, name: str) -> _Join | None:
    """The join by a condition that a field of the clause's fact has one of some values, or begins with a text or is the
    beginning of one, which other facts give."""
    condition = test.condition
    if test.field.name != name or test.field.field is None or any(ref.name == name for ref in test.references()):
        return None
    if isinstance(condition, Compare) and condition.operator in ("starts_with", "prefix_of"):
        return _by_beginning(test.field, condition)
    if not _lists_values(condition):
        return None
    return _Join(
        lambda bindings, wanted: _keys_of_values(condition, bindings, wanted),
        lambda fact, wanted: _key_of(look(fact, test.field), wanted),
    )


_LONGEST = 500
"""Characters of a text whose beginnings are looked up one by one."""


def _by_beginning(ref: FieldRef, condition: Compare) -> _Join | None:
    """The join by a text that begins with another."""
    other, longer = condition.operand, condition.operator == "starts_with"
    if not isinstance(other, FieldRef):
        return None

    def bound(bindings: Bindings, wanted: Wanted) -> Key:
        found = _text_of(look(bindings[other.name], other), wanted)
        if found is None or longer:
            return found
        if any(len(text) > _LONGEST for text in found):
            return None
        return frozenset(text[:size] for text in found for size in range(len(text) + 1))

    return _Join(bound, lambda fact, wanted: _text_of(look(fact, ref), wanted), beginnings=longer)


def _text_of(field: Field, wanted: Wanted) -> frozenset[str] | None:
    """A field's text as its key. What is no text begins with none, and none begins with it."""
    if _key_of(field, wanted) is None:
        return None
    return frozenset({field.value}) if isinstance(field.value, str) else frozenset()


def _lists_values(condition: Condition) -> bool:
    """Whether the condition is met by some values and by no others."""
    if isinstance(condition, AnyOf):
        return all(map(_lists_values, condition.conditions))
    if isinstance(condition, Compare):
        return condition.operator in ("equals", "same_as")
    return isinstance(condition, (Equal, OneOf))


def _keys_of_values(condition: Condition, bindings: Bindings, wanted: Wanted) -> Key:
    """The keys of the values that meet a condition; None where any may do."""
    if isinstance(condition, AnyOf):
        parts = [_keys_of_values(part, bindings, wanted) for part in condition.conditions]
        known = [part for part in parts if part is not None]
        return NOBODY.union(*known) if len(known) == len(parts) else None
    if isinstance(condition, Compare) and isinstance(condition.operand, FieldRef):
        return _key_of(look(bindings[condition.operand.name], condition.operand), wanted)
    if isinstance(condition, OneOf):
        return frozenset(map(_value_key, condition.values))
    assert isinstance(condition, (Equal, Compare))
    return frozenset({_value_key(condition.value if isinstance(condition, Equal) else condition.operand)})


def _key_of(field: Field, wanted: Wanted) -> Key:
    """The key of a field's value. What is compared with a field that is absent or not known is open."""
    if field.state in ("absent", "unknown") or field.value is None:
        return NOBODY if wanted is Wanted.YES else None
    if wanted is Wanted.UNSURE and field.confidence != "high":
        return None
    try:
        return frozenset({_value_key(field.value)})
    except TypeError:  # a value without a hash
        return None


def _value_key(value: object) -> Hashable:
    """One key for values that are equal; `True` and `1` are not."""
    return isinstance(value, bool), value


def _surely_out(answers: Iterable[Answer]) -> bool:
    return any(answer.answer is Tri.NO and answer.confidence == "high" for answer in answers)


class _Bound(NamedTuple):
    """One way to bind clauses: the facts, the optional ones in doubt, the confidences, and the joining places."""

    bindings: Bindings
    doubtful: frozenset[str] = frozenset()
    confidences: tuple[str, ...] = ()
    evidence: tuple[Place, ...] = ()


def _bind(
    way: Way, candidates: Sequence[_Candidates], world: World, bindings: dict[str, Fact], at: int = 0
) -> Iterator[_Bound]:
    """Every way to bind the clauses from `at` on."""
    if at == len(way.match):
        yield _Bound(dict(bindings))
        return
    clause = way.match[at]
    incomplete = clause.fact in world.incomplete
    if clause.expect == "none":
        if incomplete:
            return
        sure = ["high"]
        for answers in candidates[at].possible(bindings):
            if all_of(answer.answer for answer in answers) is not Tri.NO:
                return
            # One reason is enough to rule a fact out, so the surest one counts.
            sure.append(min((a.confidence for a in answers if a.answer is Tri.NO), key=CONFIDENCES.index))
        for bound in _bind(way, candidates, world, bindings, at + 1):
            yield bound._replace(confidences=(weakest(sure), *bound.confidences))
        return
    found = False
    for fact, answers, evidence in candidates[at].certain(bindings):
        found = True
        bindings[clause.name] = fact
        sure_here = weakest(answer.confidence for answer in answers)
        for bound in _bind(way, candidates, world, bindings, at + 1):
            yield bound._replace(confidences=(sure_here, *bound.confidences), evidence=(*evidence, *bound.evidence))
        del bindings[clause.name]
    if clause.expect == "optional" and not found:
        doubt = incomplete or candidates[at].in_doubt(bindings)
        for bound in _bind(way, candidates, world, bindings, at + 1):
            yield bound._replace(doubtful=bound.doubtful | {clause.name}) if doubt else bound


def _matches(rule: Rule, way: Way, world: World) -> tuple[list[_Match], bool]:
    """All matches of one way to a rule's fault, and whether these are all."""
    if any(clause.expect == "some" and not world.of_kind(clause.fact) for clause in way.match):
        return [], True
    candidates = [
        _Candidates(asked, world, MOST_TRIED if at < 2 else MOST_TRIED // 10) for at, asked in enumerate(_asked(way))
    ]
    found: list[_Match] = []
    for bindings, doubtful, confidences, evidence in _bind(way, candidates, world, {}):
        if any(one.gave_up for one in candidates):
            return found, False
        judged = _case(way, bindings, doubtful)
        if judged is None:
            continue
        case, sure = judged
        at = case.at if case.at is not None and case.at.name in bindings else way.at
        primary, used = _spot(at, bindings)
        confidence = weakest((*confidences, sure, _confidence(at, bindings)))
        fenced = any(_fenced(fact) for fact in bindings.values())
        subject = bindings[way.match[0].name]
        subjects: set[Hashable] = {id(subject), subject.span, primary}
        for ref in way.subjects:
            subjects |= _subject(ref, bindings)
        found.append(
            _Match(
                rule=rule,
                bindings=bindings,
                case=case,
                severity="note" if fenced else case.severity,
                confidence=confidence,
                primary=primary,
                related=_related(way, bindings, primary, used, evidence, world),
                fenced=fenced,
                demoted=fenced and case.severity != "note",
                subjects=frozenset(subjects),
            )
        )
    return found, not any(one.gave_up for one in candidates)


def _needed(way: Way, name: str) -> set[FieldRef]:
    """The fields of a clause's fact that every case asks for, so that none holds where they are absent."""
    asked = [
        {test.field for test in case.when if test.field.name == name and _needs_field(test)}
        for case in way.cases
        if not case.unknown
    ]
    return set.intersection(*asked) if asked else set()


def _needs_field(test: FieldTest) -> bool:
    """Whether the condition is a sure no where its field is absent."""
    condition = test.condition
    if isinstance(condition, Presence):
        return condition.wanted and test.field.field is not None
    plain = isinstance(condition, Compare) and not isinstance(condition.operand, FieldRef)
    return test.field.field is not None and (plain or isinstance(condition, (Equal, OneOf, Matches)))


def _case(way: Way, bindings: Bindings, doubtful: Collection[str]) -> tuple[Case, str] | None:
    """The case that counts, with the confidence of the conditions that decided it."""
    sure = ["high"]
    unknown = next((case for case in way.cases if case.unknown), None)
    for case in way.cases:
        if case.unknown or any(_misses(test, bindings.get(test.field.name)) for test in case.when):
            continue
        answers = [holds(test, bindings, doubtful) for test in case.when]
        answer = all_of(one.answer for one in answers)
        if answer is Tri.UNKNOWN:
            if unknown is not None:
                return unknown, weakest(sure)
            continue
        if answer is Tri.YES:
            return case, weakest([*sure, *(one.confidence for one in answers)])
        sure.append(min((one.confidence for one in answers if one.answer is Tri.NO), key=CONFIDENCES.index))
    return None


def _fenced(fact: Fact) -> bool:
    field = fact.fields.get("fence")
    return field is not None and field.state != "unknown" and field.value == "development"


def _confidence(ref: FieldRef, bindings: Bindings) -> str:
    return "high" if ref.field is None else look(bindings[ref.name], ref).confidence


def _subject(ref: FieldRef, bindings: Bindings) -> set[Hashable]:
    fact = bindings.get(ref.name)
    if fact is None:
        return set()
    if ref.field is None:
        return {id(fact), fact.span}
    field = look(fact, ref)
    return {place for place in (field.value, field.span) if isinstance(place, Span)}


# --- places ---------------------------------------------------------------------------------------------------------


def _spot(ref: FieldRef, bindings: Bindings) -> tuple[Span, tuple[Span, ...]]:
    """The place of a field, and the places it is used at: where its value came through, and the fact."""
    fact = bindings[ref.name]
    if ref.field is None:
        return fact.span, ()
    field = look(fact, ref)
    if field.span is None:
        return fact.span, field.trail
    return field.span, (*field.trail, fact.span)


def _related(
    way: Way, bindings: Bindings, primary: Span, used: Iterable[Span], evidence: Iterable[Place], world: World
) -> tuple[Place, ...]:
    places: list[Place] = []
    uses = list(used)
    for spec in way.related:
        if spec.at.name not in bindings:
            continue
        if spec.at.field is not None:
            field = look(bindings[spec.at.name], spec.at)
            if field.state == "absent" or field.span is None:
                continue
        span, more = _spot(spec.at, bindings)
        uses += more
        place = Place(span, render(spec.message, bindings, world))
        if span != primary and place not in places:
            places.append(place)
    for span in uses:
        if not _shown(span, primary, places):
            places.append(Place(span, USED_HERE))
    for place in evidence:
        if not _shown(place.span, primary, places):
            places.append(place)
    return tuple(places)


def _shown(span: Span, primary: Span, places: Iterable[Place]) -> bool:
    """Whether the place is shown already, or something inside or around it."""
    return any(other.covers(span) or span.covers(other) for other in (primary, *(place.span for place in places)))


def _finding(group: Sequence[_Match], world: World, plan_fix: PlanFix) -> Finding:
    """One finding of all matches with one primary place: the gravest speaks, the places of all are shown."""
    ranked = sorted(group, key=lambda match: (SEVERITIES.index(match.severity), CONFIDENCES.index(match.confidence)))
    lead = ranked[0]
    places: list[Place] = []
    for match in ranked:
        for place in match.related:
            # Another subject's use of the same place, or the same place with other words, tells nothing new.
            if all(place.span != known.span for known in places):
                places.append(place)
    help_ = render(lead.case.help, lead.bindings, world)
    return Finding(
        rule=lead.rule.id,
        severity=lead.severity,
        effect=lead.case.effect,
        confidence=lead.confidence,
        message=render(lead.case.message, lead.bindings, world),
        help=f"{help_} {FENCED}".lstrip() if lead.demoted else help_,
        primary=lead.primary,
        related=tuple(places),
        fix=_fix(lead.case.fix, lead.bindings, world, plan_fix),
        fenced=lead.fenced,
    )


# --- texts and fixes ------------------------------------------------------------------------------------------------


def render(template: Template, bindings: Bindings, world: World) -> str:
    """A message: values are shortened, and what is not there is called `nothing` or `unknown`."""
    pieces = []
    for piece in template:
        if isinstance(piece, str):
            pieces.append(piece)
            continue
        text = _value(piece, bindings, world)
        if text is None:
            text = piece.otherwise
        if text is None:
            text = "nothing" if _is_absent(piece.field, bindings) else "unknown"
        pieces.append(text if len(text) <= _SHOWN_LIMIT else f"{text[: _SHOWN_LIMIT - 1]}…")
    return "".join(pieces)


def _is_absent(ref: FieldRef, bindings: Bindings) -> bool:
    fact = bindings.get(ref.name)
    return fact is None or (ref.field is not None and look(fact, ref).state == "absent")


def _fill(template: Template, bindings: Bindings, world: World) -> str:
    """A text for an edit: exact. Raises LookupError where a value is not there."""
    pieces = []
    for piece in template:
        if isinstance(piece, str):
            pieces.append(piece)
            continue
        text = _value(piece, bindings, world, whole=True)
        if text is None:
            text = piece.otherwise
        if text is None:
            raise LookupError(str(piece.field))
        pieces.append(text)
    return "".join(pieces)


def _value(piece: Placeholder, bindings: Bindings, world: World, whole: bool = False) -> str | None:
    """The text of a placeholder, None where there is none. Source text is cut after its first line unless `whole`."""
    fact, ref = bindings.get(piece.field.name), piece.field
    if fact is None:
        return None
    if piece.source:
        span: Span | None = fact.span
        if ref.field is not None:
            field = look(fact, ref)
            span = None if field.state == "absent" else field.span
        if span is None or world.sources is None:
            return None
        text = world.sources(span.path).text(span)
        if whole:
            return text
        first, _, rest = text.strip().partition("\n")
        return f"{first.rstrip()} …" if rest else first
    field = look(fact, ref)
    if field.state in ("absent", "unknown") or field.value is None:
        return None
    return _written(field.value)


def _written(value: object) -> str:
    if isinstance(value, tuple):
        return ", ".join(_written(item) for item in value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


def _fix(spec: FixSpec | None, bindings: Bindings, world: World, plan_fix: PlanFix) -> Fix | None:
    """The first of a fix and its stand-ins that can be made here."""
    for one in alternatives(spec):
        if all_of(holds(test, bindings).answer for test in one.only_when) is Tri.YES:
            fix = plan_fix(one.plan, bindings, _filler(one, bindings, world))
            if fix is not None:
                return fix
    return None


def _filler(spec: FixSpec, bindings: Bindings, world: World) -> Callable[[str], str]:
    return lambda text: _fill(spec.texts.get(text, (text,)), bindings, world)
