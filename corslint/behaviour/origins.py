"""Compiles what was written for an origin option into a Decision.

A text, a list, a regular expression, a callback's body or a guarded header write: all become ordered cases of a
predicate on the request's Origin and an answer. What a library makes of each is its `OriginSemantics`; nothing is known
here about any library. What can't be decided becomes an unknown predicate or answer.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from collections.abc import Mapping as MappingOf
from typing import Literal as OneOf
from typing import cast

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
    Hang,
    Not,
    Nothing,
    Operator,
    Own,
    Part,
    PathTest,
    Pattern,
    Predicate,
    Raise,
    Refuse,
    Star,
    UnknownAnswer,
    UnknownPredicate,
    holds,
)
from corslint.model.patterns import Dialect, Mode, valid
from corslint.model.reading import CallSite
from corslint.model.semantics import OriginSemantics
from corslint.model.tri import Tri, all_of
from corslint.model.urls import urlsplit
from corslint.model.values import (
    LOOP_ITEMS,
    Call,
    Choice,
    Concat,
    Entry,
    EnvVar,
    Fallback,
    Function,
    Guard,
    Index,
    Literal,
    Mapping,
    Member,
    Name,
    Null,
    Operation,
    Parameter,
    Reference,
    Regex,
    Sequence,
    Split,
    Spread,
    Undefined,
    Unknown,
    Value,
)
from corslint.records import NamedTuple
from corslint.regexes import regex
from corslint.source import Span

_MAX_DEPTH = 30
_MOST_PARTS = 1_000
"""Of a value that are looked at for the origin: it may hold another twice, and that one a third twice. In fifty
repositories the most were 51."""
_ABOUT_ORIGIN = regex(r"origin|header|cors|allow|trust|host|refer|white|permit|safe|valid", re.IGNORECASE)
"""Words in names that hint at a test of who asks."""

_STARS = {"wildcard": "star", "wildcard-echo": "echo", "raises": "raises", "unknown": "unknown"}
"""What a `*` among the elements of a list means, where it is not just another text."""

_KINDS: MappingOf[type, str] = {
    Literal: "literal",
    Concat: "literal",
    Sequence: "list",
    Split: "list",
    Function: "function",
}
"""How an option was given, where no meaning of its own decided; what else can be compared is a pattern."""

_LOOPBACK = Pattern(r"^https?://(?:(?:[^:]+\.)?localhost|127\.0\.0\.1|\[::1\])(?::\d+)?$", "", "ecmascript", "search")
"""Origins of pages of the same machine."""
_MAX_ITEMS = 2000
_MAX_HOPS = 40
_MAX_STEPS = 2000


class Site(NamedTuple):
    """A call inside a function; `own`: it stands in that function's own body, not in a function nested in it."""

    call: CallSite
    own: bool


class Scene(NamedTuple):
    """What is known beyond the value itself.

    `resolve` gives a value whose top is not a name; `test` whether a condition holds in production; `canonical` an
    API's name; `bound` the only thing that a name was bound to, not looked through; `calls_in` a function's calls.
    """

    resolve: Callable[[Value], Value]
    test: Callable[[Value], Tri]
    canonical: Callable[[Value], str | None]
    bound: Callable[[Name], Value | None]
    calls_in: Callable[[Function], Iterable[Site]]


class ListedText(NamedTuple):
    """A text that a policy compares with whole origins, or sends to everybody. `complete`: all of it is known."""

    text: str
    span: Span
    in_list: bool
    mode: str
    complete: bool


class Compiled(NamedTuple):
    """A decision and the texts it lists. `same_origin`: the server's own pages pass; who they are is not known here."""

    decision: Decision
    entries: tuple[ListedText, ...]
    same_origin: bool


class Frame(NamedTuple):
    """Where an expression stands: what is the request's Origin there, what parameters hold, and the variables of loops.

    `items`: the element whose turn it is, by where the loop's variable stands.
    """

    origins: frozenset[tuple[Span, int]] = frozenset()
    bindings: MappingOf[tuple[Span, int], Value] = {}
    request_origin: Callable[[Value], bool] | None = None
    depth: int = 0
    items: MappingOf[Span, Value] = {}


_NO_FRAME = Frame()


def compile_value(
    value: Value,
    semantics: OriginSemantics,
    refused: Answer,
    scene: Scene,
    is_request_origin: Callable[[Value], bool] | None = None,
) -> Compiled:
    """What an origin option decides. `refused` is what an origin that is not accepted gets.

    `is_request_origin` recognises the request's Origin where the option is made for each request.
    """
    compiler = _Compiler(semantics, refused, scene)
    cases = compiler.cases(value, Frame(request_origin=is_request_origin))
    return Compiled(Decision(_closed(cases)), tuple(compiler.entries), compiler.same_origin)


def compile_meaning(meaning: str, span: Span, refused: Answer) -> Compiled:
    """What a meaning (`star`, `echo`, `none`, ...) decides."""
    return Compiled(Decision(_meaning_cases(meaning, span, refused)), (), meaning == "same-origin")


def _meaning_cases(meaning: str, span: Span, refused: Answer) -> tuple[Case, ...]:
    if meaning == "loopback":
        local = Atom("origin", "matches", _LOOPBACK, False, span)
        return Case(local, Echo(), span, "pattern"), Case(Always(), refused, span, "pattern")
    return (Case(Always(), meaning_answer(meaning, refused), span, meaning),)


def compile_header(
    value: Value,
    guards: Iterable[Guard],
    semantics: OriginSemantics,
    scene: Scene,
    is_request_origin: Callable[[Value], bool],
) -> Compiled:
    """What a header written by hand decides for the requests that get there; `guards` are the tests on the way."""
    compiler = _Compiler(semantics, Nothing(), scene)
    frame = Frame(request_origin=is_request_origin)
    guards = tuple(guards)
    turns = compiler.turns([value, *(guard.test for guard in guards if not _after_loop(guard.test))], frame)
    if turns is not None:
        cases = compiler.in_turns(value, guards, turns)
    else:
        cases = compiler.cases(value, frame)
        tests = compiler.guarded(guards, frame, about_request=True)
        if tests:
            cases = (*_under(tests, cases), Case(Always(), Nothing(), value.span))
    return Compiled(Decision(_closed(cases)), tuple(compiler.entries), compiler.same_origin)


def meaning_answer(meaning: str, refused: Answer) -> Answer:
    """A meaning as an answer."""
    if meaning == "star":
        return Star()
    if meaning == "echo":
        return Echo()
    if meaning in ("none", "same-origin", "loopback"):
        return refused
    if meaning == "refuse":
        return Refuse(0)
    if meaning in ("raises", "fails"):
        return Raise()
    return Nothing() if meaning == "unchecked" else UnknownAnswer("the library's answer is not known")


def returned_for(function: Function, origin: str | None, semantics: OriginSemantics, scene: Scene) -> Value | None:
    """What a function that is called like the origin option's returns to this Origin; None where that can't be told."""
    compiler = _Compiler(semantics, Nothing(), scene)
    frame = compiler.inside(function, _NO_FRAME)
    for way in function.returns:
        held = all_of(holds(test, origin) for test in compiler.guarded(way.guards, frame))
        if held is not Tri.NO:
            return compiler.chosen(way.value, origin, frame) if held is Tri.YES else None
    return Undefined(function.span)


def without_environment(value: Value, scene: Scene) -> tuple[EnvVar | None, Value | None]:
    """The first environment variable that an origin comes from, and the value that counts when it is not set.

    The second part is None where there is no fallback. Looks through fallbacks, `X ? X : other`, cuts and lists.
    """
    return _without_environment(value, scene, 0, iter(range(_MAX_STEPS)))


def _without_environment(
    value: Value, scene: Scene, depth: int, steps: Iterator[int]
) -> tuple[EnvVar | None, Value | None]:
    value = scene.resolve(value)
    if depth > _MAX_DEPTH or next(steps, None) is None:
        return None, None
    if isinstance(value, EnvVar):
        return value, None
    if isinstance(value, Fallback):
        first, _ = _without_environment(value.first, scene, depth + 1, steps)
        if first is None:
            return None, None
        then = scene.resolve(value.then)
        further, instead = _without_environment(then, scene, depth + 1, steps)
        return first, then if further is None else instead
    if isinstance(value, Choice):
        tested = scene.resolve(value.test)
        found, _ = _without_environment(value.yes, scene, depth + 1, steps)
        if found is not None and isinstance(tested, EnvVar) and tested.name == found.name:
            further, instead = _without_environment(value.no, scene, depth + 1, steps)
            return found, scene.resolve(value.no) if further is None else instead
        return None, None
    if isinstance(value, Split):
        found, instead = _without_environment(value.value, scene, depth + 1, steps)
        if found is None or instead is None:
            return found, None
        return found, _split(instead, value)
    if isinstance(value, Sequence):
        for position, item in enumerate(value.items[:_MAX_ITEMS]):
            inner = item.value if isinstance(item, Spread) else item
            found, instead = _without_environment(inner, scene, depth + 1, steps)
            if found is None:
                continue
            if instead is None:
                return found, None
            put = Spread(instead, item.span) if isinstance(item, Spread) else instead
            items = (*value.items[:position], put, *value.items[position + 1 :])
            return found, Sequence(items, value.span)
    return None, None


def _split(value: Value, cut: Split) -> Value:
    """A literal cut at the separator. Each piece's place is its own, or the literal's where that can't be told."""
    if not isinstance(value, Literal) or not isinstance(value.value, str):
        return cut._replace(value=value)
    whole = value.span
    plain = whole.end - whole.start == len(value.value.encode()) + 2  # two quotes and no escapes
    pieces: list[Value] = []
    at = whole.start + 1
    for piece in value.value.split(cut.separator):
        text = piece.strip() if cut.trimmed else piece
        start = at + len(piece[: piece.find(text)].encode())
        span = Span(whole.path, start, start + len(text.encode())) if plain else whole
        pieces.append(Literal(text, span))
        at += len(piece.encode()) + len(cut.separator.encode())
    return Sequence(tuple(pieces), cut.span)


# --- Cases -------------------------------------------------------------------------------------------------------


def _closed(cases: tuple[Case, ...]) -> tuple[Case, ...]:
    """Without what follows an unconditional case; with an unknown end where there is none."""
    for position, case in enumerate(cases):
        if isinstance(case.predicate, Always):
            return cases[: position + 1]
    span = cases[-1].span if cases else Span("", 0, 0)
    return (*cases, Case(Always(), UnknownAnswer("not every way out was understood"), span))


def _says_nothing(cases: tuple[Case, ...]) -> bool:
    """Whether the answer is unknown for everybody. A test between two of these tells nothing, and choices of choices
    would make of them thousands of cases."""
    return len(cases) == 1 and isinstance(cases[0].predicate, Always) and isinstance(cases[0].answer, UnknownAnswer)


def _all(parts: Iterable[Predicate]) -> Predicate:
    kept = tuple(part for part in parts if not isinstance(part, Always))
    if not kept:
        return Always()
    return kept[0] if len(kept) == 1 else All(kept)


def _under(tests: Iterable[Predicate], cases: Iterable[Case]) -> tuple[Case, ...]:
    """Cases that count only where further tests hold.

    Where those can't be decided, a case must not hold merely because an earlier one of its own was not certain to be
    reached: each says itself that none before it held.
    """
    tests = tuple(tests)
    if isinstance(_all(tests), Always):
        return tuple(cases)
    found: list[Case] = []
    earlier: list[Predicate] = []
    for case in cases:
        found.append(case._replace(predicate=_all((*tests, *earlier, case.predicate))))
        earlier.append(_not(case.predicate))
    return tuple(found)


def _any(parts: Iterable[Predicate]) -> Predicate:
    kept = tuple(parts)
    if any(isinstance(part, Always) for part in kept):
        return Always()
    return kept[0] if len(kept) == 1 else Any(kept)


def _taken_apart(guards: Iterable[Guard]) -> Iterator[Guard]:
    """`a && b` that holds is two guards, and so is `a || b` that does not."""
    for guard in guards:
        test = guard.test
        if guard.holds and isinstance(test, Operation) and test.operator == "and":
            yield from _taken_apart(Guard(part, True) for part in test.operands)
        elif not guard.holds and isinstance(test, Fallback) and test.on == "falsy":
            yield from _taken_apart((Guard(test.first, False), Guard(test.then, False)))
        else:
            yield guard


def _is_loop(test: Value) -> bool:
    """The test that stands for a loop: that it gets to some turn."""
    return isinstance(test, Unknown) and test.reason in LOOP_ITEMS


def _ends_in_own_property(callee: Value) -> bool:
    """`Object.prototype.hasOwnProperty.call`, `{}.hasOwnProperty.call`."""
    own = callee.base if isinstance(callee, Member) and callee.key == "call" else None
    return isinstance(own, Member) and own.key == "hasOwnProperty"


def _compares_to(count: int, operator: str, bound: int) -> bool:
    return {
        "==": count == bound,
        "<": count < bound,
        "<=": count <= bound,
        ">": count > bound,
        ">=": count >= bound,
    }[operator]


def _after_loop(test: Value) -> bool:
    """A test of what happened in a loop that is over: that some turn of it got where other tests hold."""
    return isinstance(test, Operation) and test.operator == "and" and any(map(_is_loop, _conjuncts(test)))


def _parts_of(value: Value) -> tuple[Value, ...]:
    match value:
        case Operation(operands=operands):
            return operands
        case Call(callee=callee, arguments=arguments):
            return (callee, *(argument.value for argument in arguments))
        case Member(base=base):
            return (base,)
        case Fallback(first=first, then=then):
            return (first, then)
        case Choice(test=test, yes=yes, no=no):
            return (test, yes, no)
    return ()


def _conjuncts(value: Operation) -> Iterator[Value]:
    for operand in value.operands:
        if isinstance(operand, Operation) and operand.operator == "and":
            yield from _conjuncts(operand)
        else:
            yield operand


def _not(part: Predicate) -> Predicate:
    return part.part if isinstance(part, Not) else Not(part)


_NEVER: Predicate = Any(())


def special(text: str, semantics: OriginSemantics) -> bool:
    """Whether a text is taken for a regular expression in the modes that go by its characters."""
    return not set(semantics.special).isdisjoint(text)


_Outcome = tuple[tuple[Guard, ...], Value, Callable[[Value, Frame], tuple[Case, ...]]]
"""A way out of a function: its tests, what stands there, and what reads that."""


def _in_text_order(outcomes: list[_Outcome]) -> list[_Outcome]:
    return sorted(outcomes, key=lambda outcome: outcome[1].span.start)


class _Compiler:
    """Compiles one option. Collects the texts that are compared with whole origins on the way."""

    def __init__(self, semantics: OriginSemantics, refused: Answer, scene: Scene) -> None:
        self.semantics = semantics
        self.refused = refused
        self.scene = scene
        self.entries: list[ListedText] = []
        self.same_origin = False
        self._seen: set[tuple[Span, str]] = set()
        self._steps = 0

    def too_long(self) -> bool:
        """Whether this value has taken too many steps: choices of choices and lists of themselves double each time."""
        self._steps += 1
        return self._steps > _MAX_STEPS

    # -- looking through names ------------------------------------------------------------------------------------

    def behind(self, value: Value, frame: Frame) -> Value:
        """The expression behind names that were bound once, and behind parameters that are known here."""
        for _ in range(_MAX_HOPS):
            further: Value | None = None
            if isinstance(value, Name):
                further = self.scene.bound(value)
            elif isinstance(value, Parameter):
                further = frame.bindings.get((value.function, value.position))
            elif isinstance(value, Concat) and len(value.parts) == 1:
                further = value.parts[0]
            elif isinstance(value, Index) and frame.items and (loop := self._loop_of(value, frame)) is not None:
                further = frame.items.get(loop)
            if further is None:
                return value
            value = further
        return value

    def resolved(self, value: Value, frame: Frame) -> Value:
        value = self.behind(value, frame)
        if isinstance(value, Parameter) and (value.function, value.position) in frame.origins:
            return value
        return self.scene.resolve(value)

    def _loop_of(self, value: Index, frame: Frame) -> Span | None:
        """Where the loop's variable stands whose turn an element is; None for an element that is chosen otherwise."""
        key = self.behind(value.key, frame)
        return key.span if isinstance(key, Unknown) and key.reason in LOOP_ITEMS else None

    def turns(self, values: Iterable[Value], frame: Frame) -> list[Frame] | None:
        """A frame for each turn of the loop whose variable the expressions look at; None outside of a loop.

        Of several loops inside each other nothing is known: there, too, the variables stay unknown elements.
        """
        loops: dict[Span, Value] = {}
        seen: set[tuple[type[Value], Span]] = set()
        for value in values:
            self._loops(value, frame, loops, seen, 0)
        if len(loops) != 1:
            return None
        ((place, items),) = loops.items()
        return [frame._replace(items={**frame.items, place: item}) for item in self.items(items, frame)]

    def _loops(
        self, value: Value, frame: Frame, found: dict[Span, Value], seen: set[tuple[type[Value], Span]], depth: int
    ) -> None:
        """Collects the loops whose variables an expression looks at: where each stands, and what it runs over."""
        if depth > _MAX_DEPTH or self.is_origin(value, frame):
            return
        value = self.behind(value, frame)
        if (type(value), value.span) in seen:  # each name may double what it stands for
            return
        seen.add((type(value), value.span))
        parts: Iterable[Value] = ()
        match value:
            case Index(base=base, key=key):
                place = self._loop_of(value, frame)
                if place is not None:
                    found[place] = base
                    return
                parts = (base, key)
            case Operation(operands=parts) | Concat(parts=parts):
                pass
            case Call(callee=callee, arguments=arguments):
                parts = (callee, *(argument.value for argument in arguments))
            case Member(base=base):
                parts = (base,)
            case Fallback(first=first, then=then):
                parts = (first, then)
            case Choice(test=test, yes=yes, no=no):
                parts = (test, yes, no)
        for part in parts:
            self._loops(part, frame, found, seen, depth + 1)

    def in_turns(self, value: Value, guards: tuple[Guard, ...], turns: list[Frame]) -> tuple[Case, ...]:
        """What a header decides that a loop writes: the last turn that gets there counts."""
        cases: list[Case] = []
        for turn in reversed(turns):
            tests = self.guarded([guard for guard in guards if not _is_loop(guard.test)], turn, about_request=True)
            if not tests:
                return self.unknown("written in every turn of a loop", value.span)
            cases += _under(tests, self.cases(value, turn))
        return (*cases, Case(Always(), Nothing(), value.span))

    def is_origin(self, value: Value, frame: Frame) -> bool:
        """Whether the expression is the request's Origin, as it is."""
        if frame.request_origin is not None and frame.request_origin(value):
            return True
        value = self.behind(value, frame)
        if isinstance(value, Parameter) and (value.function, value.position) in frame.origins:
            return True
        if frame.request_origin is None:
            return False
        if isinstance(value, (Parameter, Call)) and not frame.request_origin(value):
            # What its only caller hands to a function, and what one returns that does nothing else.
            value = self.scene.resolve(value)
        return frame.request_origin(value)

    def is_own_origin(self, value: Value, frame: Frame) -> bool:
        """Whether the expression is the server's own origin, as the request that a function is given has it."""
        return self._member_of_request(value, frame) in self.semantics.own_origin

    def _member_of_request(self, value: Value, frame: Frame) -> str | None:
        """The name of a member of what a function is given, or of the request in it (`ctx.request.path`)."""
        value = self.behind(value, frame)
        if not isinstance(value, Member):
            return None
        owner = self.behind(value.base, frame)
        if isinstance(owner, Member) and owner.key == "request":
            owner = self.behind(owner.base, frame)
        given = isinstance(owner, Parameter) and owner.position == self.semantics.origin_parameter
        return value.key if given else None

    # -- answers --------------------------------------------------------------------------------------------------

    def meaning(self, meaning: str, span: Span) -> tuple[Case, ...]:
        if meaning == "same-origin":
            self.same_origin = True
        return _meaning_cases(meaning, span, self.refused)

    def accept(self, predicate: Predicate, span: Span) -> tuple[Case, ...]:
        """Echo where it holds, the refusal elsewhere."""
        return Case(predicate, Echo(), span), Case(Always(), self.refused, span)

    def unknown(self, reason: str, span: Span) -> tuple[Case, ...]:
        return (Case(Always(), UnknownAnswer(reason), span),)

    def cases(self, value: Value, frame: Frame) -> tuple[Case, ...]:
        """What a value given as the origin decides."""
        if frame.depth > _MAX_DEPTH or self.too_long():
            return self.unknown("nested too deeply", value.span)
        if self.is_origin(value, frame):
            # Without the header it is like any other value that is not there.
            present = Atom("origin", "present", "", False, value.span)
            return (Case(present, Echo(), value.span), *self.meaning(self.semantics.unset, value.span))
        if self.is_own_origin(value, frame):
            return (Case(Always(), Own(), value.span),)
        deeper = frame._replace(depth=frame.depth + 1)
        value = self.behind(value, frame)
        if isinstance(value, Choice):
            return self.choice(value, deeper)
        if isinstance(value, Call) and (found_cases := self.found(value, deeper)) is not None:
            return (*found_cases, *self.meaning(self.semantics.unset, value.span))
        if isinstance(value, (Fallback, Call, Index)) and (test := self._boolean(value, deeper)) is not None:
            return self.truth(test, value.span)
        if isinstance(value, Fallback):
            return self.fallback(value, deeper)
        if self._is_request_read_with_default(value, deeper):
            call = cast(Call, value)
            return self._first_of(call.arguments[0].value, call.arguments[1].value, call.span, deeper)
        if isinstance(value, Operation):
            return self.operation(value, deeper)
        if isinstance(value, Member):
            counted = self.counted(value, deeper)
            if counted is not None and not isinstance(counted, int):
                return self.truth(counted, value.span)
        if isinstance(value, Call) and (given := self.given_by(value, deeper)) is not None:
            return given
        found = self.resolved(value, frame)
        if isinstance(found, (Choice, Fallback)):
            return self.choice(found, deeper) if isinstance(found, Choice) else self.fallback(found, deeper)
        return self.plain(found, deeper)

    def _boolean(self, value: Fallback | Call | Index, frame: Frame) -> Predicate | None:
        """The test that an expression is: `!origin || allowed.has(origin)`, `isAllowed(origin)`, `allowed[origin]`."""
        if isinstance(value, Index):
            return self.predicate(value, frame) if self.is_origin(value.key, frame) else None
        if isinstance(value, Call):
            return self.call(value, frame) if self._mentions_origin(value, frame) else None
        if value.on != "falsy" or self.part(value.first, frame) is not None:
            return None
        return self.predicate(value, frame) if self._mentions_origin(value.first, frame) else None

    def _is_request_read_with_default(self, value: Value, frame: Frame) -> bool:
        """`request.headers.get("Origin", "*")`: the reader is a request's, and the second argument stands in."""
        if not isinstance(value, Call) or len(value.arguments) != 2 or frame.request_origin is None:
            return False
        return frame.request_origin(value._replace(arguments=value.arguments[:1]))

    def _first_of(self, origin: Value, then: Value, span: Span, frame: Frame) -> tuple[Case, ...]:
        present = Atom("origin", "present", "", False, origin.span)
        return (Case(present, Echo(), span), *self.cases(then, frame))

    def choice(self, value: Choice, frame: Frame) -> tuple[Case, ...]:
        test = self.predicate(value.test, frame)
        yes, no = self.cases(value.yes, frame), self.cases(value.no, frame)
        return no if _says_nothing(yes) and _says_nothing(no) else (*_under((test,), yes), *no)

    def fallback(self, value: Fallback, frame: Frame) -> tuple[Case, ...]:
        first = self.behind(value.first, frame)
        if self.is_origin(value.first, frame):
            return self._first_of(first, value.then, value.span, frame)
        if isinstance(first, Call) and (found := self.found(first, frame)) is not None:
            return (*found, *self.cases(value.then, frame))
        # Entries of both sides are collected; which side counts is not known.
        self.cases(first, frame)
        then = self.cases(value.then, frame)
        if _says_nothing(then):
            return then
        test = UnknownPredicate("whether the first of two alternatives is there", value.span)
        reason = (
            "an environment variable"
            if isinstance(self.resolved(first, frame), EnvVar)
            else "a value that may be missing"
        )
        return (Case(test, UnknownAnswer(reason), first.span), *then)

    def found(self, call: Call, frame: Frame) -> tuple[Case, ...] | None:
        """`X.find(o => ...)`: the first element that passes the test, for the origins that one passes for."""
        callee = call.callee
        if not isinstance(callee, Member) or callee.key != "find" or not call.arguments:
            return None
        function = self.resolved(call.arguments[0].value, frame)
        if not isinstance(function, Function) or self.part(callee.base, frame) is not None:
            return None
        cases: list[Case] = []
        for item in self.items(callee.base, frame):
            inner = frame._replace(bindings={**frame.bindings, (function.span, 0): item}, depth=frame.depth + 1)
            cases += _under((self.result(function, inner),), self.cases(item, inner))
        return tuple(cases)

    def operation(self, value: Operation, frame: Frame) -> tuple[Case, ...]:
        if value.operator == "and" and value.operands:
            tests = [self.predicate(operand, frame) for operand in value.operands[:-1]]
            last = self.cases(value.operands[-1], frame)
            return (*_under(tests, last), *self.meaning(self.semantics.unset, value.span))
        return self.truth(self.predicate(value, frame), value.span)

    def truth(self, test: Predicate, span: Span) -> tuple[Case, ...]:
        """`true` where the test holds, `false` elsewhere, each as the library reads it."""
        yes, no = self.literal(Literal(True, span)), self.literal(Literal(False, span))
        return (*_under((test,), yes), *no)

    def plain(self, value: Value, frame: Frame) -> tuple[Case, ...]:
        """What a value decides that is neither a choice nor a test; each case says what kind of option that was."""
        found = self._plain(value, frame)
        kind = _KINDS.get(type(value), "pattern")
        return tuple(case if case.option else case._replace(option=kind) for case in found)

    def _plain(self, value: Value, frame: Frame) -> tuple[Case, ...]:
        match value:
            case Literal():
                return self.literal(value)
            case Null() | Undefined():
                pairs = self.semantics.meanings if isinstance(value, Null) else ()
                meaning = next((means for known, means in pairs if known is None), self.semantics.unset)
                return self.meaning(meaning, value.span)
            case Sequence() | Split():
                return self.listed(value, frame)
            case Function():
                return self.function(value, frame)
            case Concat():
                return self.concat(value)
            case EnvVar(name=name):
                return self.unknown(f"environment variable {name}", value.span)
            case Mapping():
                return self.object("Object", value.span)
            case Unknown(reason=reason):
                return self.unknown(reason, value.span)
        pattern = self._kept(value)
        if pattern is not None and self.semantics.regex == "otherwise":
            return self.other(f"/{pattern.source}/{pattern.flags}", value.span)
        if pattern is not None:
            # A compiled pattern has its own flags, whatever the library does to texts.
            return self.accept(Atom("origin", "matches", pattern, False, value.span), value.span)
        if isinstance(value, Call):
            made = self.scene.canonical(value.callee) if value.construct else None
            if made in ("global#Set", "global#Map", "global#WeakSet"):
                return self.object(made.removeprefix("global#"), value.span)
            test = self.call(value, frame)
            if test is not None and not isinstance(test, UnknownPredicate):
                return self.truth(test, value.span)
        return self.unknown("computed at run time", value.span)

    def literal(self, value: Literal) -> tuple[Case, ...]:
        given = value.value
        for known, meaning in self.semantics.meanings:
            if known == given and type(known) is type(given):
                return self.meaning(meaning, value.span)
        if not isinstance(given, str):
            if isinstance(given, bool) and self.semantics.function == "predicate":
                return (Case(Always(), Echo() if given else self.refused, value.span),)
            if not given:
                return self.meaning(self.semantics.unset, value.span)
            return self.other(str(given).lower() if isinstance(given, bool) else str(given), value.span)
        if self.semantics.separator is not None:
            parts = re.split("|".join(map(re.escape, self.semantics.separator)), given)
            return self.listed(
                Sequence(tuple(Literal(part.strip(), value.span) for part in parts), value.span), _NO_FRAME
            )
        mode = self.semantics.text
        if mode == "otherwise":
            return self.other(given, value.span)
        if mode == "letters":
            return self.letters(given, value.span)
        if mode == "fixed":
            self.note(given, value.span, False, mode)
            return (Case(Always(), Fixed(given), value.span),)
        return self.accept(self.text(given, value.span, mode, in_list=False), value.span)

    def other(self, text: str, span: Span) -> tuple[Case, ...]:
        """What any other truthy value means; `text` is what it becomes where a text is needed."""
        if self.semantics.otherwise != "text":
            return self.meaning(self.semantics.otherwise, span)
        self.note(text, span, False, "fixed")
        return (Case(Always(), Fixed(text), span),)

    def object(self, kind: str, span: Span) -> tuple[Case, ...]:
        """What an object means that is no list and no pattern."""
        if self.semantics.otherwise != "text":
            return self.meaning(self.semantics.otherwise, span)
        return (Case(Always(), Fixed(f"[object {kind}]"), span),)

    def concat(self, value: Concat) -> tuple[Case, ...]:
        parts = [self.scene.resolve(part) for part in value.parts]
        known = "".join(str(part.value) if isinstance(part, Literal) else "…" for part in parts)
        if all(isinstance(part, Literal) for part in parts):
            return self.literal(Literal(known, value.span))
        self.note(known, value.span, False, self.semantics.text, complete=False)
        if "://" in known and "*" not in known:
            # Whatever the missing part is, this is one text that names an origin: never a wildcard, never true.
            if self.semantics.text == "fixed":
                return (Case(Always(), Fixed(known), value.span),)
            if self.semantics.text == "exact":
                return self.accept(
                    UnknownPredicate("an origin that is put together at run time", value.span, True), value.span
                )
        return self.unknown("put together at run time", value.span)

    # -- texts and lists ------------------------------------------------------------------------------------------

    def note(self, text: str, span: Span, in_list: bool, mode: str, *, complete: bool = True) -> None:
        if (span, text) not in self._seen:
            self._seen.add((span, text))
            self.entries.append(ListedText(text, span, in_list, mode, complete))

    def text(self, text: str, span: Span, mode: str, *, in_list: bool) -> Predicate:
        """How one text is compared with the Origin."""
        fold = self.semantics.fold_case
        self.note(text, span, in_list, mode)
        if mode == "regex" or (mode == "prefix-regex-if-special" and special(text, self.semantics)):
            anchored = cast(Mode, "match" if mode != "regex" else self.semantics.regex_mode)
            return Atom("origin", "matches", Pattern(text, "", "python", anchored), fold, span)
        if mode in ("exact", "prefix-regex-if-special", "fixed"):
            return Atom("origin", "equals", text, fold, span)
        if mode == "substring":
            return Atom("origin", "inside", text, fold, span) if text else _NEVER
        if mode == "exact-port":
            return Always() if text == "*:*" else self.ported("equals", text, span)
        if mode == "substring-port":
            return Always() if "*:*" in text else self.ported("inside", text, span)
        if mode in ("glob", "wide-glob"):
            filler = ".*" if mode == "wide-glob" else "[^/]*"
            return Atom("origin", "matches", Pattern(_glob(text, filler), "", "python", "full"), fold, span)
        if mode == "exact-or-host":
            whole = Atom("origin", "equals", text, fold, span)
            pattern = Pattern(f"[a-z][a-z0-9+.-]*://{re.escape(text)}", "", "python", "full")
            return whole if "://" in text else Any((whole, Atom("origin", "matches", pattern, fold, span)))
        if mode == "first-glob":
            if "*" not in text:
                return Atom("origin", "equals", text, fold, span)
            source = "^" + text.replace(".", r"\.", 1).replace("*", ".*", 1) + "$"
            return Atom("origin", "matches", Pattern(source, "", "ecmascript", "search"), fold, span)
        if mode == "host-suffix":
            return self.host_suffix(text, span)
        if mode == "site":
            return self.site(text, span)
        return UnknownPredicate("this library's way to compare is not known", span)

    def ported(self, op: Operator, text: str, span: Span) -> Predicate:
        """The four forms, all with a port, under which the Origin is looked up."""
        forms: tuple[Part, ...] = ("address", "endpoint", "any_port", "any_host")
        return Any(tuple(Atom(part, op, text, self.semantics.fold_case, span) for part in forms))

    def site(self, text: str, span: Span) -> Predicate:
        """Scheme and network location as `urllib.parse.urlsplit` finds them; `null` has neither."""
        try:
            parts = urlsplit(text)
        except ValueError:
            return UnknownPredicate("not a URL", span)
        if not parts.scheme and not parts.netloc:
            return Atom("origin", "equals", "null", False, span)
        if not parts.scheme or not parts.netloc:
            return _NEVER
        return Atom("origin", "equals", f"{parts.scheme}://{parts.netloc}", False, span)

    def letters(self, text: str, span: Span) -> tuple[Case, ...]:
        """A text where a list is expected: each of its letters is an element."""
        if "*" in text and self.semantics.star_in_list != "literal":
            return self.meaning(self._star(len(text)), span)
        noted = len(self.entries)
        tests: list[Predicate] = []
        end: tuple[Case, ...] = (Case(Always(), self.refused, span),)
        for letter in dict.fromkeys(text):
            if self.semantics.items == "regex" and letter in "*+?\\([)":
                # No pattern: what no letter before it matched ends in an error.
                end = (Case(Always(), Raise(), span),)
                break
            tests.append(self.text(letter, span, self.semantics.items, in_list=True))
        del self.entries[noted:]
        return (Case(_any(tests), Echo(), span), *end)

    def _star(self, count: int) -> str:
        """What a star among so many elements means."""
        if self.semantics.star_in_list == "sole-echo":
            return "echo" if count == 1 else "raises"
        return _STARS[self.semantics.star_in_list]

    def _no_text(self, item: Value) -> bool:
        """Whether an element is certainly neither a text nor a pattern that counts."""
        if isinstance(item, Regex):
            return self.semantics.list_regex == "otherwise"
        if isinstance(item, Literal):
            return not isinstance(item.value, str)
        return isinstance(item, (Null, Undefined, Function, Mapping, Sequence))

    def host_suffix(self, text: str, span: Span) -> Predicate:
        """`*`, `host`, `.host` (it and everything below), or `scheme://host:port`."""
        if text == "*":
            return Always()
        if "://" in text:
            return Atom("address" if re.search(r":\d+$", text) else "origin", "equals", text, True, span)
        if text.startswith("."):
            return Any((Atom("hostname", "ends", text, True, span), Atom("hostname", "equals", text[1:], True, span)))
        return Atom("hostname", "equals", text, True, span)

    def listed(self, value: Sequence | Split, frame: Frame) -> tuple[Case, ...]:
        """A list given as the origin."""
        semantics = self.semantics
        if semantics.lists == "joined":
            return self.joined(value, frame)
        tests: list[Predicate] = []
        items = self.items(value, frame)
        for item in items:
            if isinstance(item, Literal) and item.value == "*" and semantics.star_in_list != "literal":
                return self.meaning(self._star(len(items)), item.span)
            if semantics.list_otherwise == "raises" and self._no_text(item):
                return self.meaning("raises", item.span)
            if (failing := self._fails(item)) is not None:
                tests.append(_NEVER)
                return (Case(_any(tests), Echo(), value.span, "list"), Case(Always(), Raise(), item.span, failing))
            tests.append(self.element(item, frame))
        if not tests:
            if semantics.empty_list == "unchecked" and isinstance(value, Sequence) and value.immutable:
                return self.accept(_NEVER, value.span)
            return tuple(case._replace(option="empty-list") for case in self.meaning(semantics.empty_list, value.span))
        if any(isinstance(test, Always) for test in tests):
            return self.meaning("echo", value.span)
        return self.accept(_any(tests), value.span)

    def _fails(self, item: Value) -> str | None:
        """How an element ends in an error when it is come to: as a `pattern`, or as another; None where it does not."""
        if self.semantics.list_unset != "fails":
            return None
        if isinstance(item, Literal) and isinstance(item.value, str):
            regular = self.semantics.items == "prefix-regex-if-special" and special(item.value, self.semantics)
            return "pattern" if regular and not valid(Pattern(item.value, "", "python", "match")) else None
        return "list" if isinstance(item, (Null, Undefined, Literal)) else None

    def joined(self, value: Sequence | Split, frame: Frame) -> tuple[Case, ...]:
        """A list that is sent as one text."""
        items = self.items(value, frame)
        if not items:
            found = self.meaning(self.semantics.empty_list, value.span)
            return tuple(case._replace(option="empty-list") for case in found)
        texts = [item.value for item in items if isinstance(item, Literal) and isinstance(item.value, str)]
        if len(texts) < len(items):
            return self.unknown("a list where one text belongs", value.span)
        whole = ", ".join(texts)
        # An element alone is what is sent, so its own place is the one to speak of.
        self.note(whole, items[0].span if len(items) == 1 else value.span, False, "fixed")
        return (Case(Always(), Fixed(whole), value.span),)

    def element(self, item: Value, frame: Frame) -> Predicate:
        """One element of a list given as the origin."""
        semantics = self.semantics
        # Where a `*` in the list opens everything, an element that can't be read could be that star.
        listed = semantics.star_in_list == "literal" and semantics.items in ("exact", "exact-port")
        if isinstance(item, Literal) and isinstance(item.value, str):
            return self.text(item.value, item.span, semantics.items, in_list=True)
        if isinstance(item, (Null, Undefined)) or (isinstance(item, Literal) and not item.value):
            return _NEVER
        if isinstance(item, Literal):
            return Always() if semantics.list_otherwise == "echo" else _NEVER
        pattern = self._kept(item)
        if pattern is not None and semantics.list_regex == "otherwise":
            return Always() if semantics.list_otherwise == "echo" else _NEVER
        if pattern is not None:
            return Atom("origin", "matches", pattern, False, item.span)
        if semantics.list_otherwise == "echo":
            if isinstance(item, Sequence) and frame.depth < _MAX_DEPTH:
                deeper = frame._replace(depth=frame.depth + 1)
                inside = [self.element(part, deeper) for part in self.items(item, deeper)]
                return _any(inside) if inside else _NEVER
            if isinstance(item, (Mapping, Function)):
                return Always()
        if isinstance(item, Fallback):
            self.element(self.resolved(item.then, frame), frame)
        if isinstance(item, Concat):
            parts = [self.scene.resolve(part) for part in item.parts]
            known = "".join(str(part.value) if isinstance(part, Literal) else "…" for part in parts)
            self.note(known, item.span, True, semantics.items, complete=False)
            return UnknownPredicate("an origin that is put together at run time", item.span, listed or "://" in known)
        text = isinstance(item, (EnvVar, Fallback, Split))
        return UnknownPredicate("an origin that could not be read", item.span, listed and text)

    def items(self, value: Value, frame: Frame, depth: int = 0) -> list[Value]:
        """The elements of a list, spreads laid flat. What could not be read stands in as one value."""
        value = self.resolved(value, frame)
        if depth > _MAX_DEPTH or self.too_long():
            return [Unknown("nested too deeply", value.span)]
        if isinstance(value, Sequence):
            found: list[Value] = []
            for item in value.items[:_MAX_ITEMS]:
                if isinstance(item, Spread):
                    found += self.items(item.value, frame, depth + 1)
                else:
                    item = self.resolved(item, frame)
                    found.append(item)
            if len(value.items) > _MAX_ITEMS:
                found.append(Unknown("a very long list", value.span))
            return found
        if isinstance(value, Call) and value.arguments:
            name = self.scene.canonical(value.callee)
            first = value.arguments[0].value
            if value.construct and name in ("global#Set", "global#Array"):
                return self.items(first, frame, depth + 1)
            if name in ("global#Object.keys", "global#Object.values") or (value.construct and name == "global#Map"):
                return self._half(first, name, frame, depth + 1) or [value]
        if isinstance(value, (Null, Undefined)):
            return []
        if isinstance(value, Split):
            inner = self.resolved(value.value, frame)
            if isinstance(inner, Fallback):
                # Known for the case that the first is missing: its texts are worth checking.
                pieces = _split(self.resolved(inner.then, frame), value)
                if isinstance(pieces, Sequence):
                    for piece in pieces.items:
                        self.element(piece, frame)
        return [value]

    def _half(self, value: Value, name: str, frame: Frame, depth: int) -> list[Value] | None:
        """The keys or values of an object, or the keys of a `Map`; None where not all of them are known."""
        held = self.resolved(value, frame)
        if name == "global#Map":
            pairs = [self.resolved(item, frame) for item in self.items(held, frame, depth)]
            known = all(isinstance(pair, Sequence) and pair.items for pair in pairs)
            return [self.resolved(cast(Sequence, pair).items[0], frame) for pair in pairs] if known else None
        if not isinstance(held, Mapping):
            return None
        found: list[Value] = []
        for entry in held.items:
            if not isinstance(entry, Entry) or entry.key is None:
                return None
            key = Literal(entry.key, entry.key_span)
            found.append(key if name == "global#Object.keys" else self.resolved(entry.value, frame))
        return found

    def _kept(self, value: Value) -> Pattern | None:
        """A regular expression that is the option or a part of it, and so the same object for every request."""
        pattern = self.pattern(value, self.semantics.regex_mode)
        return pattern._replace(stateful=self.semantics.stateful_regex) if pattern is not None else None

    def pattern(self, value: Value, mode: str) -> Pattern | None:
        """A regular expression, however it was made."""
        if isinstance(value, Regex):
            return Pattern(value.source, value.flags, cast(Dialect, value.dialect), cast(Mode, mode))
        if not isinstance(value, Call) or not value.arguments:
            return None
        name = self.scene.canonical(value.callee)
        first = self.scene.resolve(value.arguments[0].value)
        if name == "global#RegExp":
            flags = (
                self.scene.resolve(value.arguments[1].value) if len(value.arguments) > 1 else Literal("", value.span)
            )
            if not isinstance(flags, Literal):
                return None
            if isinstance(first, Regex):
                return Pattern(first.source, str(flags.value) or first.flags, "ecmascript", cast(Mode, mode))
            if isinstance(first, Literal) and isinstance(first.value, str):
                return Pattern(first.value, str(flags.value), "ecmascript", cast(Mode, mode))
        if name in ("re#compile", "regex#compile") and isinstance(first, Literal) and isinstance(first.value, str):
            letters = self._python_flags(value)
            return Pattern(first.value, letters, "python", cast(Mode, mode)) if letters is not None else None
        return None

    def _python_flags(self, call: Call) -> str | None:
        given = [a.value for a in call.arguments[1:] if a.keyword in (None, "flags")]
        if not given:
            return ""
        letters = ""
        names = self._flag_names(given[0], 0)
        if names is None:
            return None
        for name in names:
            known = {"IGNORECASE": "i", "I": "i", "MULTILINE": "m", "M": "m", "DOTALL": "s", "S": "s", "VERBOSE": "x",
                     "X": "x", "ASCII": "a", "A": "a", "UNICODE": "", "U": ""}.get(name)  # fmt: skip
            if known is None:
                return None
            letters += known
        return letters

    def _flag_names(self, value: Value, depth: int) -> list[str] | None:
        if isinstance(value, Operation) and depth < 8:
            parts = [self._flag_names(operand, depth + 1) for operand in value.operands]
            return None if any(part is None for part in parts) else [name for part in parts if part for name in part]
        name = self.scene.canonical(value)
        return [name.removeprefix("re#")] if name is not None and name.startswith("re#") else None

    # -- functions ------------------------------------------------------------------------------------------------

    def function(self, value: Function, frame: Frame) -> tuple[Case, ...]:
        """A function given as the origin."""
        semantics = self.semantics
        if semantics.function == "none":
            return self.meaning(semantics.otherwise, value.span)
        by_callback = semantics.function in ("callback", "callback-allows")
        if semantics.function == "either-allows":
            by_callback = len(value.parameters) > semantics.callback_parameter
        if by_callback and self._never_calls_back(value):
            return (Case(Always(), Hang(), value.span),)
        if semantics.origin_parameter >= len(value.parameters) and by_callback:
            return self.unknown("a function without the parameters that are expected", value.span)
        inner = self.inside(value, frame)
        if by_callback:
            return self.callback(value, inner)
        if value.asynchronous and semantics.promise == "text":
            return (Case(Always(), Fixed("[object Promise]"), value.span),)
        if value.asynchronous and semantics.promise == "ignored":
            return self.unknown("a promise", value.span)
        if value.asynchronous and semantics.promise != "awaited":
            return self.meaning(semantics.promise, value.span)
        if semantics.function in ("predicate", "either-allows"):
            return self.ways_out(value, inner, self.judged)
        # What is returned is sent as it is, whatever the library makes of the same thing given as the option.
        refused, self.refused = self.refused, Nothing()
        self.semantics = semantics._replace(
            meanings=(*(pair for pair in semantics.meanings if pair[0] == "*"), ("", "none")),
            unset="none",
            text="fixed",
            otherwise="text",
            lists="joined",
            regex="otherwise",
            separator=None,
        )
        try:
            found = self.ways_out(value, inner, self.returned)
            return tuple(case._replace(option="function") if case.option == "none" else case for case in found)
        finally:
            self.semantics, self.refused = semantics, refused

    def inside(self, function: Function, frame: Frame) -> Frame:
        """The body of a function that is called with the Origin, or with a request that has it."""
        semantics = self.semantics
        inner = frame._replace(depth=frame.depth + 1)
        if semantics.of_request:
            return inner._replace(request_origin=self._reads_of(function, inner))
        return inner._replace(origins=frame.origins | {(function.span, semantics.origin_parameter)})

    def chosen(self, value: Value, origin: str | None, frame: Frame) -> Value | None:
        """What an expression comes to for this Origin."""
        for _ in range(_MAX_DEPTH):
            value = self.resolved(value, frame)
            if not isinstance(value, (Choice, Operation)):
                return value
            held = holds(self.predicate(value.test if isinstance(value, Choice) else value, frame), origin)
            if held is Tri.UNKNOWN:
                return None
            if isinstance(value, Operation):
                return Literal(held is Tri.YES, value.span)
            value = value.yes if held is Tri.YES else value.no
        return None

    def _reads_of(self, function: Function, frame: Frame) -> Callable[[Value], bool]:
        """Recognises the Origin among the headers of the request that a function is given."""

        def from_request(value: Value) -> bool:
            for _ in range(_MAX_HOPS):
                value = self.behind(value, frame)
                if isinstance(value, Parameter):
                    return (value.function, value.position) == (function.span, self.semantics.origin_parameter)
                if not isinstance(value, Member):
                    return False
                value = value.base
            return False

        def reads(value: Value) -> bool:
            value = self.behind(value, frame)
            if self._member_of_request(value, frame) in self.semantics.request_origin:
                return True
            if isinstance(value, Call) and isinstance(value.callee, Member) and len(value.arguments) == 1:
                name = self.scene.resolve(value.arguments[0].value)
                named = isinstance(name, Literal) and str(name.value).lower() == "origin"
                return named and value.callee.key in ("get", "header") and from_request(value.callee.base)
            if isinstance(value, Member) and value.key.lower() == "origin":
                holder = self.behind(value.base, frame)
                return isinstance(holder, Member) and holder.key in ("headers", "header") and from_request(holder)
            return False

        return reads

    def ways_out(
        self, function: Function, frame: Frame, read: Callable[[Value, Frame], tuple[Case, ...]]
    ) -> tuple[Case, ...]:
        outcomes: list[_Outcome] = [(way.guards, way.value, read) for way in function.returns]
        outcomes = _in_text_order([*outcomes, *self._throws(function)])
        # Running off the end returns nothing.
        return (*self.ordered(outcomes, frame), Case(Always(), self.refused, function.span))

    def _throws(self, function: Function) -> list[_Outcome]:
        """The ways out by an exception, on which no library lets anybody in: it answers with an error, if at all."""

        def fails(value: Value, _frame: Frame) -> tuple[Case, ...]:
            return (Case(Always(), Raise(), value.span),)

        return [(way.guards, way.value, fails) for way in function.throws]

    def judged(self, value: Value, frame: Frame) -> tuple[Case, ...]:
        """A returned value that says whether the origin is accepted."""
        return self.accept(self.predicate(value, frame), value.span)

    def returned(self, value: Value, frame: Frame) -> tuple[Case, ...]:
        """A returned value that is the origin to send."""
        found = self.resolved(value, frame)
        if isinstance(found, (Null, Undefined)) or (isinstance(found, Literal) and not found.value):
            return (Case(Always(), self.refused, value.span),)
        if isinstance(found, Literal) and isinstance(found.value, str) and found.value != "*":
            self.note(found.value, found.span, False, "fixed")
            return (Case(Always(), Fixed(found.value), value.span),)
        return self.cases(value, frame)

    def callback(self, function: Function, frame: Frame) -> tuple[Case, ...]:
        """A function that answers by calling its callback."""
        position = self.semantics.callback_parameter
        outcomes: list[_Outcome] = []
        for site, own in self.scene.calls_in(function):
            target = self.behind(site.call.callee, frame)
            if not isinstance(target, Parameter) or (target.function, target.position) != (function.span, position):
                if self._passes_on(site.call, function, position, frame):
                    return self.unknown("the callback is handed on to another function", site.call.span)
                continue
            if not own:
                return self.unknown("the callback is called from a nested function", site.call.span)
            outcomes.append((site.guards, site.call, self.called_back))
        if not outcomes:
            if function.asynchronous and self.semantics.promise == "awaited":
                given: list[_Outcome] = [(way.guards, way.value, self.cases) for way in function.returns]
                return (*self.ordered(given, frame), *self.meaning(self.semantics.unset, function.span))
            return self.unknown("a function that does not call its callback", function.span)
        return _closed(self.ordered(_in_text_order([*outcomes, *self._throws(function)]), frame))

    def _never_calls_back(self, function: Function) -> bool:
        """Whether a function has no parameter for the callback, and returns nothing that could be waited for."""
        if len(function.parameters) > self.semantics.callback_parameter or "" in function.parameters:
            return False
        if self.semantics.promise == "ignored":
            return True
        plain = (Literal, Null, Undefined, Operation, Concat)
        return not function.asynchronous and all(isinstance(way.value, plain) for way in function.returns)

    def _passes_on(self, call: Call, function: Function, position: int, frame: Frame) -> bool:
        for argument in call.arguments:
            value = self.behind(argument.value, frame)
            if isinstance(value, Parameter) and (value.function, value.position) == (function.span, position):
                return True
        return False

    def called_back(self, call: Value, frame: Frame) -> tuple[Case, ...]:
        """What calling back with `(error, origin)` means."""
        assert isinstance(call, Call)
        positional = [argument.value for argument in call.arguments if argument.keyword is None]
        if any(isinstance(value, Spread) for value in positional):
            return self.unknown("called back with spread arguments", call.span)
        if self.semantics.function == "either-allows":
            refused = (Case(Always(), self.refused, call.span),)
            return self.judged(positional[0], frame) if positional else refused
        failed = self._is_error(positional[0], frame) if positional else Tri.NO
        on_error = {"refuse": Refuse(0), "unknown": UnknownAnswer("depends on the library's version")}
        refusal: tuple[Case, ...] = (
            Case(Always(), cast(Answer, on_error.get(self.semantics.error, self.refused)), call.span),
        )
        if failed is Tri.YES:
            return refusal
        if failed is Tri.NO and self.semantics.no_error == "null":
            first = self.resolved(positional[0], frame) if positional else None
            if not isinstance(first, Null):
                return (Case(Always(), Nothing(), call.span),)
        if self.semantics.function == "callback-allows":
            given = (
                self.judged(positional[1], frame) if len(positional) > 1 else (Case(Always(), self.refused, call.span),)
            )
        elif len(positional) > 1:
            given = self.cases(positional[1], frame)
        else:
            given = self.meaning(self.semantics.unset, call.span)
        if failed is Tri.NO:
            return given
        # `cb(allowed ? null : new Error(), allowed)`: the error is a choice of its own.
        test = self.predicate(positional[0], frame)
        return (Case(test, refusal[0].answer, call.span), *given)

    def _is_error(self, value: Value, frame: Frame) -> Tri:
        found = self.resolved(value, frame)
        if isinstance(found, (Null, Undefined)):
            return Tri.NO
        if isinstance(found, Literal):
            return Tri.YES if found.value else Tri.NO
        if isinstance(found, Mapping) or (isinstance(found, Call) and found.construct):
            return Tri.YES
        if isinstance(found, Call):
            name = self.scene.canonical(found.callee) or ""
            return Tri.YES if name.endswith("Error") else Tri.UNKNOWN
        return Tri.UNKNOWN

    def ordered(self, outcomes: Iterable[_Outcome], frame: Frame) -> tuple[Case, ...]:
        """Ways out in text order: each counts where its tests hold and none before it was taken."""
        cases: list[Case] = []
        decided: set[tuple[Span, bool]] = set()
        for guards, value, read in outcomes:
            # After `if (t) return a;` the test of what follows is `not t`, which the order of the cases says already.
            left = [guard for guard in guards if (guard.test.span, not guard.holds) not in decided]
            turns = self.turns([guard.test for guard in left if not _after_loop(guard.test)], frame)
            if turns is None and len(left) == 1:
                decided.add((left[0].test.span, left[0].holds))
            elif turns is not None:
                left = [guard for guard in left if not _is_loop(guard.test)]
            for turn in [frame] if turns is None else turns:
                tests = self.guarded(left, turn)
                if any(test == _NEVER for test in tests):
                    continue
                cases += _under(tests, read(value, turn))
                if not tests:
                    return tuple(cases)
        return tuple(cases)

    def guarded(self, guards: Iterable[Guard], frame: Frame, *, about_request: bool = False) -> list[Predicate]:
        tests: list[Predicate] = []
        for guard in _taken_apart(guards) if about_request else guards:
            if about_request and (self._about_request(guard.test, frame, 0) or self._apart(guard.test, frame, 0)):
                continue
            test = self.predicate(guard.test, frame)
            test = test if guard.holds else _not(test)
            if isinstance(test, Not) and isinstance(test.part, Always):
                test = _NEVER
            if test == Not(_NEVER):
                test = Always()
            if not isinstance(test, Always):
                tests.append(test)
        return tests

    def _apart(self, test: Value, frame: Frame, depth: int) -> bool:
        """A test that has nothing to do with who asks: the decision speaks of the requests that get past it.

        Wherever a whole object of the request is handed on, or a word hints at origins, it may have to do with that.
        """
        if depth > _MAX_DEPTH or self.is_origin(test, frame):
            return False
        if isinstance(test, Name) and _ABOUT_ORIGIN.search(test.name):
            return False
        value = self.behind(test, frame)
        match value:
            case Literal() | Null() | Undefined() | EnvVar() | Mapping():
                return True
            case Sequence(items=parts) | Operation(operands=parts) if not isinstance(value, Operation) or (
                value.operator != "other"
            ):
                return all(self._apart(part, frame, depth + 1) for part in parts)
            case Fallback(first=first, then=then):
                return self._apart(first, frame, depth + 1) and self._apart(then, frame, depth + 1)
            case Parameter(name=name) | Name(name=name):
                return bool(name) and _ABOUT_ORIGIN.search(name) is None
            case Member(base=base, key=key):
                return _ABOUT_ORIGIN.search(key) is None and self._apart(base, frame, depth + 1)
            case Reference(module=module, name=name):
                return _ABOUT_ORIGIN.search(f"{module} {name}") is None
            case Unknown(reason=reason):
                return reason in LOOP_ITEMS
            case Index(base=base):
                return self._loop_of(value, frame) is not None and self._apart(base, frame, depth + 1)
            case Call(callee=callee, arguments=arguments):
                handed_on = [self.behind(argument.value, frame) for argument in arguments]
                if any(isinstance(part, (Parameter, Function, Name)) for part in handed_on):
                    return False
                return all(self._apart(part, frame, depth + 1) for part in (callee, *handed_on))
        return False

    def _about_request(self, test: Value, frame: Frame, depth: int) -> bool:
        """A test of the request's method or path alone: the decision speaks of the requests that get past it."""
        if depth > _MAX_DEPTH or not isinstance(test, (Operation, Fallback, Call)):
            return False
        if isinstance(test, Fallback):
            return all(self._about_request(part, frame, depth + 1) for part in (test.first, test.then))
        if isinstance(test, Call):
            callee = test.callee
            starts = isinstance(callee, Member) and callee.key in (
                "startsWith",
                "startswith",
                "endsWith",
                "endswith",
                "includes",
            )
            return starts and isinstance(callee, Member) and self._request_word(callee.base, frame)
        if test.operator in ("not", "and"):
            return all(self._about_request(part, frame, depth + 1) for part in test.operands)
        if test.operator in ("==", "!=", "in", "not in") and len(test.operands) == 2:
            left, right = test.operands
            others = [part for part in (left, right) if not self._request_word(part, frame)]
            return len(others) == 1 and isinstance(self.resolved(others[0], frame), (Literal, Sequence))
        return False

    def _request_word(self, value: Value, frame: Frame) -> bool:
        value = self.behind(value, frame)
        if (
            isinstance(value, Call)
            and isinstance(value.callee, Member)
            and value.callee.key in ("upper", "toUpperCase", "lower", "toLowerCase")
        ):
            value = self.behind(value.callee.base, frame)
        return isinstance(value, Member) and value.key in ("method", "url", "path", "pathname", "originalUrl")

    # -- predicates -----------------------------------------------------------------------------------------------

    def predicate(self, value: Value, frame: Frame) -> Predicate:
        """When an expression is truthy."""
        if frame.depth > _MAX_DEPTH or self.too_long():
            return UnknownPredicate("nested too deeply", value.span)
        frame = frame._replace(depth=frame.depth + 1)
        if self.is_origin(value, frame) or self.part(value, frame) is not None:
            return Atom("origin", "present", "", False, value.span)
        value = self.behind(value, frame)
        if isinstance(value, Name) and isinstance(chosen := self.scene.resolve(value), Choice):
            value = chosen  # bound in several places: which one counts is a matter of tests, too
        match value:
            case Operation():
                return self.operator(value, frame)
            case Fallback(first=first, then=then, on="falsy"):
                return _any((self.predicate(first, frame), self.predicate(then, frame)))
            case Choice(test=test, yes=yes, no=no):
                held = self.predicate(test, frame)
                return _any((_all((held, self.predicate(yes, frame))), _all((_not(held), self.predicate(no, frame)))))
            case Call(construct=True):
                return Always()
            case Call():
                found = self.call(value, frame)
                if found is not None:
                    return found
            case Index(base=base, key=key):
                if self.is_origin(key, frame):
                    return self.key_of(base, frame, value_counts=True)
            case Member():
                counted = self.counted(value, frame)
                if isinstance(counted, int):
                    return Always() if counted else _NEVER
                if counted is not None:
                    return counted
        return self.known(value, frame)

    def known(self, value: Value, frame: Frame) -> Predicate:
        """A test that does not look at the origin: decided where the value is known."""
        if self._mentions_origin(value, frame):
            return UnknownPredicate("a test of the origin that is not understood", value.span)
        held = Tri.UNKNOWN if isinstance(value, Parameter) else self.scene.test(value)
        if held is Tri.UNKNOWN:
            return UnknownPredicate("a test that could not be evaluated", value.span)
        return Always() if held is Tri.YES else _NEVER

    def _mentions_origin(self, value: Value, frame: Frame) -> bool:
        """Whether the origin stands in a value; it may where there is too much of that to look at."""
        waiting, looked_at = [(value, 0)], 0
        while waiting:
            part, depth = waiting.pop()
            looked_at += 1
            if depth > _MAX_DEPTH or looked_at > _MOST_PARTS or self.is_origin(part, frame):
                return True
            part = self.behind(part, frame)
            if self._is_request_read_with_default(part, frame):
                return True
            waiting += ((inner, depth + 1) for inner in _parts_of(part))
        return False

    def operator(self, value: Operation, frame: Frame) -> Predicate:
        operands = value.operands
        match value.operator:
            case "not" if operands:
                return _not(self.predicate(operands[0], frame))
            case "and":
                return self._in_some_turn(value, frame) or _all(self.predicate(part, frame) for part in operands)
            case "in" | "not in" if len(operands) == 2:
                inside = self.contained(operands[0], operands[1], frame, value.span)
                if inside is not None:
                    return inside if value.operator == "in" else _not(inside)
            case "==" | "!=" if len(operands) == 2:
                same = self.equality(operands[0], operands[1], frame, value.span)
                if same is not None:
                    return same if value.operator == "==" else _not(same)
            case "<" | "<=" | ">" | ">=" if len(operands) == 2:
                order = self.order(value.operator, operands[0], operands[1], frame)
                if order is not None:
                    return order
        return self.known(value, frame)

    def _in_some_turn(self, value: Operation, frame: Frame) -> Predicate | None:
        """Tests of a loop's variable that hold together in some turn; None where it is not about a loop."""
        parts = list(_conjuncts(value))
        tests = [part for part in parts if not _is_loop(part)]
        turns = self.turns(tests, frame) if len(tests) < len(parts) else None
        if turns is None:
            return None
        return _any([_all([self.predicate(test, turn) for test in tests]) for turn in turns])

    def contained(self, left: Value, right: Value, frame: Frame, span: Span) -> Predicate | None:
        """`left in right`."""
        looked = self.part(left, frame)
        if looked is not None:
            return self.membership(right, looked, frame)
        inside = self.part(right, frame)
        piece = self.resolved(left, frame)
        if inside is not None and isinstance(piece, Literal):
            return Atom(inside.part, "contains", str(piece.value), inside.fold, span)
        return None

    def equality(self, left: Value, right: Value, frame: Frame, span: Span) -> Predicate | None:
        both = (self.resolved(left, frame), self.resolved(right, frame))
        if isinstance(both[0], Literal) and isinstance(both[1], Literal):
            return Always() if both[0].value == both[1].value else _NEVER
        for one, other in ((left, right), (right, left)):
            against = self.resolved(other, frame)
            looked = self.part(one, frame)
            if looked is not None:
                if isinstance(against, (Null, Undefined)):
                    return Not(Atom(looked.part, "present", "", False, span))
                if isinstance(against, Literal):
                    return self.equals(looked, str(against.value), against.span, span)
                if self.is_origin(one, frame) and self.part(other, frame) is None:
                    return UnknownPredicate("an origin that could not be read", span, True)
                return None
            word = _PATH_WORDS.get(self._member_of_request(one, frame) or "") if self.semantics.of_request else None
            if word is not None and isinstance(against, Literal) and isinstance(against.value, str):
                return PathTest(word, against.value, span)
            found = self._number_test(one, "==", against, frame)
            if found is not None:
                return found
            kind = self._typeof(one, frame)
            if kind is not None and isinstance(against, Literal):
                return kind(str(against.value))
            if isinstance(against, Literal) and isinstance(against.value, bool):
                test = self.predicate(one, frame)
                return test if against.value else _not(test)
        return None

    def equals(self, looked: _Looked, text: str, text_span: Span, span: Span) -> Predicate:
        if text == "" and looked.part in ("origin", "hostname", "host"):
            return Not(Atom("origin", "present", "", False, span))
        if looked.part == "origin":
            self.note(text, text_span, False, "exact")
        operand = text.removesuffix(":") if looked.part == "scheme" else text
        return Atom(looked.part, "equals", operand, looked.fold, text_span)

    def _typeof(self, value: Value, frame: Frame) -> Callable[[str], Predicate] | None:
        value = self.behind(value, frame)
        if not isinstance(value, Operation) or value.operator != "typeof" or not value.operands:
            return None
        if self.is_origin(value.operands[0], frame):
            present = Atom("origin", "present", "", False, value.span)
            kinds: dict[str, Predicate] = {"undefined": Not(present), "string": present}
            return lambda kind: kinds.get(kind, _NEVER)
        found = self.resolved(value.operands[0], frame)
        if isinstance(found, Literal):
            name = (
                "string" if isinstance(found.value, str) else "boolean" if isinstance(found.value, bool) else "number"
            )
        elif isinstance(found, (Regex, Sequence, Mapping)):
            name = "object"
        else:
            return None

        def is_kind(kind: str) -> Predicate:
            return Always() if kind == name else _NEVER

        return is_kind

    def order(self, operator: str, left: Value, right: Value, frame: Frame) -> Predicate | None:
        """`X.indexOf(origin) > -1` and its kin, either way round."""
        found = self._number_test(left, operator, self.resolved(right, frame), frame)
        if found is None:
            turned = {"<": ">", "<=": ">=", ">": "<", ">=": "<="}[operator]
            found = self._number_test(right, turned, self.resolved(left, frame), frame)
        return found

    def _number_test(self, value: Value, operator: str, bound: Value, frame: Frame) -> Predicate | None:
        """A position or a count, compared with a number."""
        found = self._index_test(value, operator, bound, frame)
        if found is not None or not isinstance(bound, Literal) or type(bound.value) is not int:
            return found
        counted = self.counted(value, frame)
        if isinstance(counted, int):
            return Always() if _compares_to(counted, operator, bound.value) else _NEVER
        if counted is None:
            return None
        # At least one is known to be counted, or none: the comparison has to come out alike for one and for many.
        without, one, many = (_compares_to(count, operator, bound.value) for count in (0, 1, _MAX_ITEMS))
        if one is not many:
            return None
        return (Always() if one else _NEVER) if one is without else (counted if one else _not(counted))

    def counted(self, value: Value, frame: Frame) -> int | Predicate | None:
        """How many elements a list has, or whether at least one passes the test that is counted; None: not known."""
        value = self.behind(value, frame)
        if isinstance(value, Member) and value.key in ("length", "size"):
            return self._count(value.base, frame)
        if not isinstance(value, Call) or len(value.arguments) != 1:
            return None
        argument = value.arguments[0].value
        if self.scene.canonical(value.callee) == "global#len":
            return self._count(argument, frame)
        if isinstance(value.callee, Member) and value.callee.key == "count":
            looked = self.part(argument, frame)
            return self.membership(value.callee.base, looked, frame) if looked is not None else None
        return None

    def _count(self, value: Value, frame: Frame) -> int | Predicate | None:
        value = self.behind(value, frame)
        if isinstance(value, Call) and isinstance(value.callee, Member) and value.callee.key == "filter":
            return self.some(value.callee.base, value.arguments[0].value, frame) if value.arguments else None
        listed = self.resolved(value, frame)
        if isinstance(listed, Literal) and isinstance(listed.value, str):
            return len(listed.value)
        items = self.items(value, frame)
        known = all(isinstance(item, (Literal, Regex, Mapping)) for item in items)
        return len(items) if known and (isinstance(listed, Sequence) or items != [listed]) else None

    def _index_test(self, value: Value, operator: str, bound: Value, frame: Frame) -> Predicate | None:
        value = self.behind(value, frame)
        if not isinstance(value, Call) or not isinstance(value.callee, Member) or not value.arguments:
            return None
        key = value.callee.key
        if key not in ("indexOf", "lastIndexOf", "findIndex", "find", "index", "search") or not isinstance(
            bound, Literal
        ):
            return None
        if not isinstance(bound.value, int) or isinstance(bound.value, bool):
            return None
        least = {"==": bound.value, ">=": bound.value, ">": bound.value + 1, "<": bound.value, "<=": bound.value + 1}[
            operator
        ]
        found = self._position_from(value, key, least if operator != "==" else bound.value, operator == "==", frame)
        if found is None:
            return None
        return _not(found) if operator in ("<", "<=") else found

    def _position_from(self, call: Call, key: str, least: int, exactly: bool, frame: Frame) -> Predicate | None:
        """When the position found is at least `least` (or exactly that)."""
        callee = cast(Member, call.callee)
        argument = call.arguments[0].value
        looked = self.part(callee.base, frame)
        if exactly and least == -1:
            found = self._position_from(call, key, 0, False, frame)
            return _not(found) if found is not None else None
        if looked is not None:
            operand = self.resolved(argument, frame)
            pattern = self.pattern(operand, "search")
            if key == "search" and pattern is not None and least <= 0 and not exactly:
                return Always() if least < 0 else Atom(looked.part, "matches", pattern, looked.fold, call.span)
            if not isinstance(operand, Literal) or key == "search":
                return None
            text = str(operand.value)
            if exactly:
                return Atom(looked.part, "starts", text, looked.fold, call.span) if least == 0 else None
            if least <= 0:
                return Always() if least < 0 else Atom(looked.part, "contains", text, looked.fold, call.span)
            if least == 1:
                contains = Atom(looked.part, "contains", text, looked.fold, call.span)
                return All((contains, Not(Atom(looked.part, "starts", text, looked.fold, call.span))))
            return None
        if key == "findIndex":
            return self.some(callee.base, argument, frame) if least == 0 and not exactly else None
        looked = self.part(argument, frame)
        if looked is None:
            return None
        container = self.resolved(callee.base, frame)
        if isinstance(container, Literal) and isinstance(container.value, str):
            inside = Atom(looked.part, "inside", container.value, looked.fold, container.span)
            return inside if least == 0 and not exactly else None
        if least < 0:
            return Always()
        return self.membership(callee.base, looked, frame, skip=least, only=exactly)

    # -- calls in tests -------------------------------------------------------------------------------------------

    def call(self, call: Call, frame: Frame) -> Predicate | None:
        """When a call's result is truthy; None where it is not about the origin or not understood."""
        callee = call.callee
        arguments = [argument.value for argument in call.arguments]
        if isinstance(callee, Member):
            found = self.method(callee, arguments, call.span, frame)
            if found is not None:
                return found
        name = self.scene.canonical(callee)
        if name in ("global#Boolean", "global#bool", "global#String", "global#str") and len(arguments) == 1:
            return self.predicate(arguments[0], frame)
        if name in ("re#match", "re#fullmatch", "re#search") and len(arguments) >= 2:
            return self.python_match(name.removeprefix("re#"), arguments, call, frame)
        if name in ("global#any", "global#all") and len(arguments) == 1:
            mapped = self.behind(arguments[0], frame)
            if (
                isinstance(mapped, Call)
                and isinstance(mapped.callee, Member)
                and mapped.callee.key == "map"
                and mapped.arguments
            ):
                return self.some(mapped.callee.base, mapped.arguments[0].value, frame, every=name == "global#all")
            return None
        if len(arguments) == 2 and self.is_origin(arguments[1], frame):
            if name in ("global#Object.hasOwn", "global#Reflect.has") or _ends_in_own_property(callee):
                return self.key_of(arguments[0], frame)
        counted = self.counted(call, frame)
        if counted is not None and not isinstance(counted, int):
            return counted
        target = self.resolved(callee, frame)
        if isinstance(target, Function) and not call.construct:
            return self.helper(target, call, frame)
        return None

    def method(self, callee: Member, arguments: list[Value], span: Span, frame: Frame) -> Predicate | None:
        key = callee.key
        if not arguments:
            return None
        if key in ("some", "every", "find", "any") and not self.part(callee.base, frame):
            argument = self.resolved(arguments[0], frame)
            if isinstance(argument, Function):
                return self.some(callee.base, argument, frame, every=key == "every")
        looked = self.part(callee.base, frame)
        if looked is not None:
            return self.on_origin(key, looked, arguments, span, frame)
        if key in ("startsWith", "startswith") and (looked := self._with_slash(callee.base, frame)) is not None:
            return self.starts_with_slash(looked, arguments[0], span, frame)
        about = self.part(arguments[0], frame)
        if about is None:
            return None
        base = self.resolved(callee.base, frame)
        if key in ("test", "exec", "match", "fullmatch", "search"):
            mode = {"match": "match", "fullmatch": "full"}.get(key, "search")
            pattern = self.pattern(base, mode)
            if pattern is not None and (pattern.dialect == "python") is (key in ("match", "fullmatch", "search")):
                return Atom(about.part, "matches", pattern, about.fold, base.span)
            return None
        if key in ("includes", "has", "contains", "get", "__contains__"):
            return self.membership(callee.base, about, frame)
        if key == "hasOwnProperty":
            return self.key_of(callee.base, frame)
        return None

    def _with_slash(self, value: Value, frame: Frame) -> _Looked | None:
        """The origin (or a part of it) with a slash put behind it."""
        value = self.behind(value, frame)
        if not isinstance(value, Concat) or len(value.parts) != 2:
            return None
        slash = self.resolved(value.parts[1], frame)
        return self.part(value.parts[0], frame) if isinstance(slash, Literal) and slash.value == "/" else None

    def starts_with_slash(self, looked: _Looked, operand: Value, span: Span, frame: Frame) -> Predicate | None:
        """`(origin + "/").startsWith(operand)`: with a slash at its end the operand has to be all of the origin."""
        operand = self.resolved(operand, frame)
        if not isinstance(operand, Literal) or not isinstance(operand.value, str):
            return None
        starts = Atom(looked.part, "starts", operand.value, looked.fold, span)
        whole, slash = operand.value[:-1], operand.value[-1:]
        return Any((Atom(looked.part, "equals", whole, looked.fold, operand.span), starts)) if slash == "/" else starts

    def on_origin(
        self, key: str, looked: _Looked, arguments: list[Value], span: Span, frame: Frame
    ) -> Predicate | None:
        """A method of the origin (or of a part of it); `span` is the call."""
        operand = self.resolved(arguments[0], frame)
        if key in ("match", "search"):
            pattern = self.pattern(operand, "search")
            # `search` returns a position, and 0 is falsy: only its comparison with a number is understood.
            return (
                Atom(looked.part, "matches", pattern, looked.fold, operand.span)
                if pattern is not None and key == "match"
                else None
            )
        op = _TEXT_METHODS.get(key)
        if op is None or len(arguments) != 1:
            return None
        options = operand.items if isinstance(operand, Sequence) else (operand,)
        found: list[Predicate] = []
        for option in options:
            option = self.resolved(option, frame)
            if isinstance(option, Literal) and isinstance(option.value, str):
                at = option.span if isinstance(operand, Sequence) else span
                found.append(Atom(looked.part, op, option.value, looked.fold, at))
            else:
                found.append(UnknownPredicate("compared with a text that could not be read", option.span))
        return _any(found)

    def python_match(self, how: str, arguments: list[Value], call: Call, frame: Frame) -> Predicate | None:
        about = self.part(arguments[1], frame)
        if about is None:
            return None
        mode = {"match": "match", "fullmatch": "full"}.get(how, "search")
        first = self.resolved(arguments[0], frame)
        pattern = self.pattern(first, mode)
        if pattern is None and isinstance(first, Literal) and isinstance(first.value, str):
            letters = self._python_flags(call._replace(arguments=call.arguments[1:]))
            pattern = Pattern(first.value, letters, "python", cast(Mode, mode)) if letters is not None else None
        return Atom(about.part, "matches", pattern, about.fold, first.span) if pattern is not None else None

    def some(self, base: Value, test: Value, frame: Frame, *, every: bool = False) -> Predicate | None:
        """`X.some(o => ...)`: the test with each element in turn."""
        function = self.resolved(test, frame)
        if not isinstance(function, Function) or not function.parameters:
            return None
        found: list[Predicate] = []
        for item in self.items(base, frame):
            inner = frame._replace(bindings={**frame.bindings, (function.span, 0): item}, depth=frame.depth + 1)
            if isinstance(item, (Literal, Regex)) or self.pattern(item, "search") is not None:
                found.append(self.result(function, inner))
            else:
                found.append(self._element_unknown(function, inner, item))
        return _all(found) if every else _any(found)

    def _element_unknown(self, function: Function, frame: Frame, item: Value) -> Predicate:
        """An element that could not be read: harmless to strangers where it is only compared whole."""
        test = self.result(function, frame)
        return UnknownPredicate(
            "compared with a list that could not be read", item.span, isinstance(test, UnknownPredicate) and test.listed
        )

    def helper(self, function: Function, call: Call, frame: Frame) -> Predicate | None:
        """When the result of a call of a function of the project is truthy."""
        inner = self.inlined(function, call, frame)
        return self.result(function, inner) if inner is not None else None

    def given_by(self, call: Call, frame: Frame) -> tuple[Case, ...] | None:
        """What a function of the project that looks at the request gives as the origin to send."""
        target = self.resolved(call.callee, frame) if frame.request_origin is not None else None
        if not isinstance(target, Function) or call.construct:
            return None
        inner = self.inlined(target, call, frame)
        return self.ways_out(target, inner, self.returned) if inner is not None else None

    def inlined(self, function: Function, call: Call, frame: Frame) -> Frame | None:
        """The body of a function with a call's arguments for its parameters; None where neither is about the origin."""
        asks = any(self._mentions_origin(argument.value, frame) for argument in call.arguments)
        if not asks and (
            frame.request_origin is None or not any(self._mentions_origin(way.value, frame) for way in function.returns)
        ):
            return None
        origins = set(frame.origins)
        bindings = dict(frame.bindings)
        positional = [argument for argument in call.arguments if argument.keyword is None]
        if any(isinstance(argument.value, Spread) for argument in positional):
            return None
        named = [(position, argument.value) for position, argument in enumerate(positional)]
        named += [
            (function.parameters.index(argument.keyword), argument.value)
            for argument in call.arguments
            if argument.keyword is not None and argument.keyword in function.parameters
        ]
        for position, value in named:
            if self.is_origin(value, frame):
                origins.add((function.span, position))
            else:
                bindings[function.span, position] = self.behind(value, frame)
        inner = frame._replace(origins=frozenset(origins), bindings=bindings, depth=frame.depth + 4)
        return inner if inner.depth <= _MAX_DEPTH else None

    def result(self, function: Function, frame: Frame) -> Predicate:
        """When a function's result is truthy."""
        outcomes = [(way.guards, way.value, self._verdict) for way in function.returns]
        cases = (*self.ordered(outcomes, frame), Case(Always(), Nothing(), function.span))
        accepted: list[Predicate] = []
        earlier: list[Predicate] = []
        for case in cases:
            if isinstance(case.answer, Echo):
                accepted.append(_all((*(_not(test) for test in earlier), case.predicate)))
            elif not isinstance(case.predicate, Always):
                earlier.append(case.predicate)
            if isinstance(case.predicate, Always):
                break
        return _any(accepted)

    def _verdict(self, value: Value, frame: Frame) -> tuple[Case, ...]:
        return Case(self.predicate(value, frame), Echo(), value.span), Case(Always(), Nothing(), value.span)

    def membership(
        self, container: Value, looked: _Looked, frame: Frame, *, skip: int = 0, only: bool = False
    ) -> Predicate:
        """Whether the origin is one of a list's elements, from position `skip` on (or at exactly that one)."""
        value = self.resolved(container, frame)
        if isinstance(value, Literal) and isinstance(value.value, str):
            return Atom(looked.part, "inside", value.value, looked.fold, value.span)
        if isinstance(value, Mapping):
            return self.key_of(value, frame)
        items = self.items(value, frame)
        if only:
            items = items[skip : skip + 1]
        elif skip > 0:
            items = items[skip:]
        found: list[Predicate] = []
        for item in items:
            if isinstance(item, Literal):
                text = str(item.value)
                if looked.part == "origin" and isinstance(item.value, str):
                    self.note(text, item.span, True, "exact")
                found.append(Atom(looked.part, "equals", text, looked.fold, item.span))
            elif isinstance(item, Fallback):
                then = self.resolved(item.then, frame)
                if isinstance(then, Literal) and isinstance(then.value, str) and looked.part == "origin":
                    self.note(then.value, then.span, True, "exact")
                found.append(UnknownPredicate("an origin from the environment", item.span, True))
            elif not isinstance(item, (Null, Undefined, Regex, Function, Mapping)):
                found.append(UnknownPredicate("a list that could not be read", item.span, True))
        return _any(found) if found else _NEVER

    def key_of(self, container: Value, frame: Frame, *, value_counts: bool = False) -> Predicate:
        """`origin in X` for an object: one of its keys; for `X[origin]` what stands there has to be truthy too."""
        value = self.resolved(container, frame)
        if not isinstance(value, Mapping):
            return UnknownPredicate("looked up in an object that could not be read", value.span, True)
        found: list[Predicate] = []
        for item in value.items:
            if isinstance(item, Entry) and item.key is not None:
                held = self.known(item.value, frame) if value_counts else Always()
                self.note(item.key, item.key_span, True, "exact")
                found.append(_all((Atom("origin", "equals", item.key, False, item.key_span), held)))
            else:
                found.append(UnknownPredicate("a key that could not be read", item.span, True))
        return _any(found) if found else _NEVER

    # -- parts of the origin --------------------------------------------------------------------------------------

    def part(self, value: Value, frame: Frame) -> _Looked | None:
        """Which part of the request's Origin an expression is; None where it is something else."""
        return self._part(value, frame, 0)

    def _part(self, value: Value, frame: Frame, depth: int) -> _Looked | None:
        if self.is_origin(value, frame):
            return _Looked("origin", False)
        value = self.behind(value, frame)
        if depth > 8:
            return None
        if isinstance(value, Fallback):
            return self._part(value.first, frame, depth + 1)
        if isinstance(value, Member):
            return self._part_of_url(value, frame, depth)
        if not isinstance(value, Call):
            return None
        if self._is_request_read_with_default(value, frame):
            return _Looked("origin", False)
        callee = value.callee
        if isinstance(callee, Member):
            base = self._part(callee.base, frame, depth + 1)
            if base is not None and callee.key in _FOLDING:
                return base._replace(fold=True)
            if base is not None and callee.key in _KEEPING and not value.arguments:
                return base
            if base is not None and callee.key in ("replace", "removeprefix") and base.part == "origin":
                return self._without_scheme(value, base)
        elif self.scene.canonical(callee) in ("global#String", "global#str") and len(value.arguments) == 1:
            return self._part(value.arguments[0].value, frame, depth + 1)
        return None

    def _without_scheme(self, call: Call, base: _Looked) -> _Looked | None:
        first = self.scene.resolve(call.arguments[0].value) if call.arguments else None
        second = self.scene.resolve(call.arguments[1].value) if len(call.arguments) > 1 else None
        if isinstance(first, Regex) and isinstance(second, Literal) and second.value == "" and first.source in _SCHEMES:
            return base._replace(part="host")
        return None

    def _part_of_url(self, value: Member, frame: Frame, depth: int) -> _Looked | None:
        base = self.behind(value.base, frame)
        if not isinstance(base, Call) or not base.arguments:
            return None
        name = self.scene.canonical(base.callee)
        if name not in _URL_READERS:
            return None
        looked = self._part(base.arguments[0].value, frame, depth + 1)
        part = _URL_PARTS.get(value.key)
        if looked is None or looked.part != "origin" or part is None:
            return None
        return _Looked(part, True)


class _Looked(NamedTuple):
    part: Part
    fold: bool


_PATH_WORDS: dict[str, OneOf["path", "url"]] = {"path": "path", "url": "url"}
"""Members of a request that hold what it asks for."""

_TEXT_METHODS: dict[str, Operator] = {
    "startsWith": "starts",
    "startswith": "starts",
    "endsWith": "ends",
    "endswith": "ends",
    "includes": "contains",
    "__contains__": "contains",
}
_FOLDING = frozenset({"toLowerCase", "toLocaleLowerCase", "lower", "casefold"})
_KEEPING = frozenset({"trim", "strip", "toString"})
_SCHEMES = frozenset({r"^https?:\/\/", r"^(https?:)?\/\/", r"https?:\/\/", r"^https?://"})
_URL_READERS = frozenset(
    {
        "global#URL",
        "url#URL",
        "url#parse",
        "url#default.parse",
        "url#default.URL",
        "urllib.parse#urlparse",
        "urllib.parse#urlsplit",
    }
)
_URL_PARTS: dict[str, Part] = {
    "hostname": "hostname",
    "host": "host",
    "netloc": "host",
    "origin": "origin",
    "protocol": "scheme",
    "scheme": "scheme",
    "port": "port",
}


def _glob(text: str, filler: str) -> str:
    """A glob as a regular expression: the filler stands for each `*`."""
    return filler.join(re.escape(piece) for piece in text.split("*"))
