"""Which faults may be behind a message: the rules that name it as their symptom, ranked.

Nothing here knows a rule or a message by its name. A rule's symptom that is one of the known messages counts for every
wording of that message; any other is looked for in the text as it stands.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType

from corslint.explain.messages import Message, Messages, Way
from corslint.explain.pasted import Complaint, complaints
from corslint.explain.wordings import Text, Wording, even
from corslint.model.finding import SEVERITIES, Finding
from corslint.model.patterns import Pattern
from corslint.model.symptom import Condition, Symptom
from corslint.model.tri import Tri
from corslint.records import NamedTuple
from corslint.regexes import regex
from corslint.ruleset import Rule, RuleSet
from corslint.source import Span

_NOT_SURE = 0.5
"""What a symptom counts whose conditions are not known to hold."""
_BESIDE = 0.25
"""What a message adds that says less than another one of the same text."""

_FOLLOWING = 0.5
"""What a message counts for the causes of the messages that it follows from."""

_CERTAINTY = {"error": 1.0, "warning": 0.7, "note": 0.4}
"""What a finding counts by its severity: an error breaks for certain, a warning under conditions, a note is legal."""

_MOST_REQUESTS = 5
"""Different requests that are followed through the project."""
_ELSEWHERE = 0.3
"""What a finding counts at a server that was not asked."""

Elsewhere = Callable[[Mapping[str, str]], tuple[Span, ...]]
"""By what a message tells of a request: the parts of the project's servers that have no part in its answer."""

_GAP = regex(r"\{\w+\}")
_STYLE = frozenset({"browser", "request"})
"""What a symptom's wording tells of the speaker, and not of the fault."""


class Cause(NamedTuple):
    """One fault that may be behind the messages, and where it is in the project."""

    rule: Rule
    weight: float
    findings: tuple[Finding, ...] = ()


class _Sign(NamedTuple):
    """A symptom of a rule; of a known message it asks what its own words say, too."""

    rule: Rule
    symptom: Symptom


class Symptoms:
    """The symptoms of all rules, by the message that they are."""

    def __init__(self, rules: RuleSet, known: Messages) -> None:
        self._rules = rules
        self._messages = {message.id: message for message in known.messages}
        self._signs: dict[str, list[_Sign]] = {}
        self._own: dict[str, Message] = {}
        for rule in rules.rules.values():
            for symptom in rule.symptoms:
                self._add(rule, symptom, known)

    def _add(self, rule: Rule, symptom: Symptom, known: Messages) -> None:
        said = complaints(even(symptom.says), known)
        if said:
            # What stands in the gaps of its words is a condition, too: `... response code: 400` is about that status.
            where = {**_implied(said[0].clues, said[0].message.tells), **symptom.where}
            sign = _Sign(rule, symptom._replace(where=MappingProxyType(where)))
            self._signs.setdefault(said[0].message.id, []).append(sign)
            return
        message = self._own.setdefault(symptom.says, _own_message(rule, symptom))
        self._signs.setdefault(message.id, []).append(_Sign(rule, symptom))

    def said_by_rules(self, text: Text) -> tuple[Complaint, ...]:
        """Symptoms in the text that are none of the known messages."""
        found = []
        for message in self._own.values():
            place = next(message.ways[0].wording.find(text), None)
            if place is not None:
                shown = text.around(place.start, place.end)
                found.append(Complaint(message, place.gaps, place.start, place.end, shown))
        return tuple(found)

    def rank(
        self, said: Sequence[Complaint], found: Iterable[Finding], elsewhere: Elsewhere | None = None
    ) -> tuple[Cause, ...]:
        """The causes, best first: those with findings before the others, each by how often it is the cause.

        Findings at servers that have no part in what the messages are about count less.
        """
        weights = self._weights(said)
        findings: dict[str, list[Finding]] = {}
        for finding in found:
            if finding.rule in weights:
                findings.setdefault(finding.rule, []).append(finding)
        apart = _apart(said, elsewhere) if elsewhere is not None and sum(map(len, findings.values())) > 1 else ()

        def certainty(one: Finding) -> float:
            return _CERTAINTY[one.severity] * (_ELSEWHERE if _is_apart(one, apart) else 1.0)

        causes = []
        for rule, weight in weights.items():
            here = tuple(
                sorted(findings.get(rule, ()), key=lambda one: (-certainty(one), SEVERITIES.index(one.severity)))
            )
            causes.append(Cause(self._rules[rule], weight * (certainty(here[0]) if here else 1.0), here))
        return tuple(sorted(causes, key=lambda one: (not one.findings, -one.weight, one.rule.id)))

    def _weights(self, said: Sequence[Complaint]) -> dict[str, float]:
        """How much speaks for each rule that has one of the messages as its symptom.

        The message that says most counts whole, further ones a little: they are mostly consequences of the same fault.
        """
        weights: dict[str, list[float]] = {}
        for complaint in said:
            best: dict[str, float] = {}
            for message, share in self._behind(complaint):
                for sign in self._signs.get(message.id, ()):
                    fits = sign.symptom.fits({**message.tells, **complaint.clues})
                    if fits is not Tri.NO:
                        weight = share * sign.symptom.weight * (1.0 if fits is Tri.YES else _NOT_SURE)
                        best[sign.rule.id] = max(best.get(sign.rule.id, 0.0), weight)
            for rule, weight in best.items():
                weights.setdefault(rule, []).append(weight)
        return {rule: max(some) + _BESIDE * (sum(some) - max(some)) for rule, some in weights.items()}

    def _behind(self, complaint: Complaint) -> Iterator[tuple[Message, float]]:
        """The message itself, and those that it may be a consequence of; what says the contrary of it is left out."""
        seen = {complaint.message.id}
        waiting = [(complaint.message, 1.0)]
        while waiting:
            message, share = waiting.pop(0)
            yield message, share
            for name in message.follows:
                other = self._messages[name]
                agrees = all(complaint.clues.get(clue, text) == text for clue, text in other.tells.items())
                if name not in seen and agrees:
                    seen.add(name)
                    waiting.append((other, share * _FOLLOWING))


def _apart(said: Iterable[Complaint], elsewhere: Elsewhere) -> tuple[Span, ...]:
    """What has no part in any of the messages that tell what was asked; nothing where they tell of too much."""
    asked = {(one.clues["url"], one.clues.get("origin")): one.clues for one in said if "url" in one.clues}
    if not 0 < len(asked) <= _MOST_REQUESTS:
        return ()
    parts = [elsewhere(clues) for clues in asked.values()]
    return tuple(span for span in parts[0] if all(span in other for other in parts[1:]))


def _is_apart(finding: Finding, apart: Sequence[Span]) -> bool:
    places = (finding.primary, *(place.span for place in finding.related))
    return any(span.covers(finding.primary) for span in apart) and all(
        any(span.covers(place) for span in apart) for place in places
    )


def _own_message(rule: Rule, symptom: Symptom) -> Message:
    nothing: Mapping[str, str] = MappingProxyType({})
    way = Way(Wording(symptom.says), nothing)
    means = f"It is known as a sign of this fault: {rule.title or rule.id}."
    return Message(f"symptom: {symptom.says}", "server", means, "", (way,), nothing, (), companion=False, examples=())


def _implied(clues: Mapping[str, str], always: Mapping[str, str]) -> dict[str, Condition]:
    return {
        name: _condition(text)
        for name, text in clues.items()
        if name not in _STYLE and name not in always and not _GAP.fullmatch(text)
    }


def _condition(text: str) -> Condition:
    """A text that a clue has to be; gaps in it stand for any text."""
    if _GAP.search(text) is None:
        return Condition((text,))
    return Condition(pattern=Pattern(".*".join(map(re.escape, _GAP.split(text))), "", "python", "full"))
