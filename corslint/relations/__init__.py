"""Relations between facts: same application, served by, connects to ... each answers yes, no or unknown.

A relation is a function of two facts and the world they stand in. It says how sure it is (`high`: both sides name each
other; `medium`: the partner was the only candidate) and shows the places that join the two. Rules name relations; which
kinds a relation takes is checked when a rule is loaded. Relations never guess: several candidates that nothing tells
apart are unknown.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Iterable, Mapping, Sequence
from typing import Protocol, TypeVar, cast

from corslint.model.facts import Fact
from corslint.model.finding import CONFIDENCES, Place
from corslint.model.tri import Tri
from corslint.records import NamedTuple
from corslint.relations.keyed import Key, Keyed, Wanted, in_order
from corslint.source import SourceFile, Span

T = TypeVar("T")


class Topology(Protocol):
    """Where code belongs, and where it runs."""

    def package_of(self, path: str) -> str:
        """The folder of the nearest manifest at or above a file; empty if there is none."""
        ...

    def process_of(self, path: str) -> Hashable:
        """Identifies the files that run together: those connected by imports."""
        ...

    def server_ports(self, server: Fact) -> frozenset[int] | None:
        """The ports that a socket server can be reached at; None if that is not known for certain."""
        ...


class ByValue:
    """The facts of one kind that have some field, ordered by place, and which of them may have what value."""

    def __init__(self, facts: Iterable[Fact], name: str, pattern: str | None) -> None:
        if pattern is None:
            self.all = [fact for fact in facts if name in fact.fields]
        else:
            self.all = [fact for fact in facts if name in fact.fields or pattern in fact.fields]
        self._names = name, pattern or name
        self._texts: dict[str | None, list[int]] | None = None

    def facts_with(self, values: Iterable[object]) -> list[Fact]:
        """Those whose field may be one of these texts: all but those that surely have another one."""
        if self._texts is None:
            self._texts = self._by_text()
        places = [place for value in (None, *values) for place in self._texts.get(value, ())]  # type: ignore[call-overload]
        return [self.all[place] for place in sorted(places)]

    def _by_text(self) -> dict[str | None, list[int]]:
        name, pattern = self._names
        found: dict[str | None, list[int]] = {}
        for place, fact in enumerate(self.all):
            field = fact.fields[name] if name in fact.fields else fact.fields[pattern]
            sure = isinstance(field.value, str) and field.confidence == "high"
            found.setdefault(field.value if sure else None, []).append(place)  # type: ignore[arg-type]
        return found


class World:
    """All facts of one context, with what is needed to relate them.

    `sources` gives the text of a file, for placeholders that show source text. `in_tests` are files that only support
    tests: their facts are never candidates for facts outside. `incomplete` are kinds of which some facts may be missing
    (a file could not be read): there, nobody can say that there is none.
    """

    def __init__(
        self,
        facts: Iterable[Fact],
        topology: Topology,
        sources: Callable[[str], SourceFile] | None = None,
        in_tests: Collection[str] = frozenset(),
        incomplete: Collection[str] = frozenset(),
    ) -> None:
        self.facts = tuple(sorted(facts, key=lambda fact: (fact.span, fact.kind)))
        self.topology = topology
        self.sources = sources
        self.in_tests = frozenset(in_tests)
        self.incomplete = frozenset(incomplete)
        self._kinds: dict[str, list[Fact]] = {}
        self._instances: dict[Span, list[Fact]] = {}
        for fact in self.facts:
            self._kinds.setdefault(fact.kind, []).append(fact)
            instance = fact.fields.get("instance")
            if instance is not None and isinstance(instance.value, Span):
                self._instances.setdefault(instance.value, []).append(fact)
        self._asked: dict[tuple[str, int, int], Related] = {}
        self._known: dict[Hashable, object] = {}
        self._relations: Mapping[str, Relation] | None = None

    @property
    def kinds(self) -> Collection[str]:
        """The kinds of which there are facts."""
        return self._kinds.keys()

    def of_kind(self, kind: str) -> Sequence[Fact]:
        """The facts of a kind, ordered by place."""
        return self._kinds.get(kind, ())

    def with_field(self, kind: str, name: str, pattern: str | None = None) -> ByValue:
        """The facts of a kind that have a field of that name, or one that stands for all names of its pattern."""
        return self.remember(("with field", kind, name), lambda: ByValue(self.of_kind(kind), name, pattern))

    def by_instance(self, instance: Span, kind: str) -> Sequence[Fact]:
        """The facts of a kind whose `instance` is this one."""
        return [fact for fact in self._instances.get(instance, ()) if fact.kind == kind]

    def with_value(self, kind: str, name: str, value: object) -> Sequence[Fact]:
        """The facts of a kind, ordered by place, whose field has this value; None for those without any."""

        def by_value() -> dict[object, list[Fact]]:
            found: dict[object, list[Fact]] = {}
            for fact in self.of_kind(kind):
                found.setdefault(fact.field(name).value, []).append(fact)
            return found

        return self.remember(("with value", kind, name), by_value).get(value, ())

    def candidates(self, kind: str, seen_from: Fact) -> Sequence[Fact]:
        """The facts of a kind that could be partners of `seen_from`: those in tests only if it stands there, too."""
        return [fact for fact in self.of_kind(kind) if self.visible(fact, seen_from)]

    def visible(self, fact: Fact, seen_from: Fact) -> bool:
        """Whether `fact` could be a partner of `seen_from` as far as tests go."""
        return fact.span.path not in self.in_tests or seen_from.span.path in self.in_tests

    def remember(self, key: Hashable, work_out: Callable[[], T]) -> T:
        """What relations have worked out about this world, by keys of their own: worked out when first asked for."""
        if key not in self._known:
            self._known[key] = work_out()
        return cast(T, self._known[key])

    def ask(self, relation: str, first: Fact, second: Fact) -> Related:
        """Whether a relation holds; every pair is worked out once."""
        key = (relation, id(first), id(second))
        answer = self._asked.get(key)
        if answer is None:
            answer = self._asked[key] = self.relation(relation).holds(self, first, second)
        return answer

    def partners(
        self, relation: str, fact: Fact, kind: str, wanted: Wanted = Wanted.YES, *, reverse: bool = False
    ) -> Sequence[Fact]:
        """The facts of a kind, ordered by place, that are worth asking whether they are related to `fact`.

        All others have an answer that nobody wants. `reverse`: `fact` is the relation's second argument.
        """
        facts, keys = self.of_kind(kind), self.relation(relation).keys
        if keys is None:
            return facts
        mine, theirs = reversed(keys) if reverse else keys
        own = mine(self, fact, wanted)
        if own is None:
            return facts
        keyed = self.remember(
            ("keyed", relation, kind, wanted, reverse), lambda: Keyed(theirs(self, one, wanted) for one in facts)
        )
        return [facts[place] for place in in_order(keyed.having(own))]

    def relation(self, name: str) -> Relation:
        """The relation of that name."""
        if self._relations is None:
            from corslint.relations.table import RELATIONS

            self._relations = RELATIONS
        return self._relations[name]


class Related(NamedTuple):
    """What a relation answers: how sure it is, and the places that join the two facts."""

    answer: Tri
    confidence: str = "high"
    evidence: tuple[Place, ...] = ()


Keys = Callable[[World, Fact, Wanted], Key]


class Relation(NamedTuple):
    """A relation. `first` and `second` are the kinds of its arguments.

    `keys`, if given, are two functions that make a fact's keys, for the first and the second argument. Two facts
    without a common key have another answer than the wanted ones: where only a yes is wanted, they may have none in
    common whenever there is no yes; where more is wanted, they need one for that, too. None stands for any key. It
    spares asking about every pair.
    """

    holds: Callable[[World, Fact, Fact], Related]
    first: Sequence[str]
    second: Sequence[str]
    keys: tuple[Keys, Keys] | None = None

    @property
    def doc(self) -> str:
        """What it means, in one paragraph."""
        return " ".join((self.holds.__doc__ or "").split("\n\n")[0].split())

    def takes(self, first: str, second: str) -> bool:
        """Whether it can be asked about facts of these kinds, in this order."""
        return first in self.first and second in self.second


def weakest(confidences: Iterable[str]) -> str:
    """The lowest of some confidences; `high` for none at all."""
    return max(confidences, key=CONFIDENCES.index, default="high")
