"""What a function of the project does with one request: the headers it writes, the status, whether the request ends.

A function is read, never run: each call and assignment in it stands behind tests, which are asked about the request at
hand. What a test asks beyond method, path and origin stays open, and so does what stands behind it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping

from corslint.behaviour.response import NAMES, Responder
from corslint.extract import Policy
from corslint.frameworks.catalog import RefusalSpec
from corslint.model.exchange import Header, Missing, Request, Response
from corslint.model.facts import Fact
from corslint.model.reading import CallSite, CodeReading, Write
from corslint.model.tri import Tri, all_of, any_of, tri
from corslint.model.values import (
    Call,
    Choice,
    Concat,
    Fallback,
    Function,
    Guard,
    Index,
    Literal,
    Member,
    Name,
    Null,
    Operation,
    Parameter,
    Reference,
    Sequence,
    Undefined,
    Value,
)
from corslint.project.link import Linker
from corslint.records import NamedTuple
from corslint.source import Span

_MAX_DEPTH = 16
_PATHS = frozenset({"path", "pathname", "url", "originalUrl", "full_path"})
"""Members that hold a request's path, with or without its query."""
_BEGINS = frozenset({"startsWith", "startswith"})
_REDIRECTS = frozenset({"redirect", "RedirectResponse", "HttpResponseRedirect"})
_SUCCESS = 200


class Effects(NamedTuple):
    """What a function does. `lines` are the CORS headers it writes; `ends`: no further layer sees the request.

    `status` is None where it sets none that is known; `sources` are the places of the lines, by header name.
    """

    lines: tuple[Header, ...]
    ends: Tri
    status: int | None
    sources: tuple[tuple[str, Span], ...]


class Handwritten:
    """Reads the functions of one project."""

    def __init__(
        self,
        facts: Iterable[Fact],
        policies: Iterable[Policy],
        linker: Linker,
        code: Callable[[str], CodeReading | None],
        refusals: Mapping[str, tuple[RefusalSpec, ...]],
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self._linker = linker
        self._code = code
        self._refusals = refusals
        self._environment = environment
        self._writes = [
            fact for fact in facts if fact.kind == "header_write" and fact.field("target").value == "response"
        ]
        self._policies = {policy.fact.span: policy for policy in policies if policy.header}

    def effects(self, handler: Function, request: Request, next_position: int | None) -> Effects:
        """What a function does with a request. `next_position`: its parameter that hands the request on; None where
        frameworks know by what it returns."""
        reading = self._code(handler.span.path)
        if reading is None:
            return Effects(_unknown_lines(), Tri.UNKNOWN, None, ())
        asked = Asked(self._linker, self._refusals.get(reading.language, ()), request)
        lines, sources = self._lines(reading, handler, asked, request)
        ends = self._ends(reading, handler, asked, next_position)
        status = self._status(reading, handler, asked)
        if self._may_redirect(reading, handler, asked):
            lines.append(Header("Location", None, Tri.UNKNOWN))
            status = None
        return Effects(tuple(lines), ends, status, tuple(sources))

    # --- headers ---

    def _lines(
        self, reading: CodeReading, handler: Function, asked: Asked, request: Request
    ) -> tuple[list[Header], list[tuple[str, Span]]]:
        lines: list[Header] = []
        sources: list[tuple[str, Span]] = []
        granted: dict[tuple[Guard, ...], Tri] = {}
        mine = [fact for fact in self._writes if handler.span.covers(fact.span)]
        for fact in sorted(mine, key=lambda fact: fact.span not in self._policies):
            policy = self._policies.get(fact.span)
            found = (
                self._by_policy(policy, asked, request, beside=fact.field("operation").value == "append")
                if policy is not None
                else self._plain(reading, fact, asked, request, granted)
            )
            for line in found:
                if line.name == NAMES["acao"] and policy is not None:
                    granted[policy.guards] = line.sent if line.value is not None else Tri.UNKNOWN
                lines.append(line)
                sources.append((line.name, fact.span))
            if policy is not None and not found:
                granted[policy.guards] = Tri.NO
        return lines, sources

    def _by_policy(self, policy: Policy, asked: Asked, request: Request, *, beside: bool) -> list[Header]:
        """An Access-Control-Allow-Origin: who gets it, its own tests say."""
        left: list[Guard] = []
        for guard in policy.guards:
            held = asked.holds([guard])
            if held is Tri.NO:
                return []
            if held is Tri.UNKNOWN:
                left.append(guard)
        given = policy._replace(guards=tuple(left))
        answer = Responder(given, self._linker, self._code, self._environment).respond(request, Response(_SUCCESS))
        value = answer.header(NAMES["acao"])
        if value is Missing.ABSENT:
            return []
        text = value if isinstance(value, str) else None
        return [Header(NAMES["acao"], text, Tri.YES if text is not None else Tri.UNKNOWN, beside)]

    def _plain(
        self,
        reading: CodeReading,
        fact: Fact,
        asked: Asked,
        request: Request,
        granted: Mapping[tuple[Guard, ...], Tri],
    ) -> list[Header]:
        name, value = str(fact.field("name").value), fact.field("value").value
        if not name.startswith("access-control-"):
            return []
        place = _place(reading, fact.span)
        sent = Tri.UNKNOWN
        if place is not None:
            answers = [asked.holds([guard]) for guard in place.guards]
            open_guards = tuple(
                guard for guard, answer in zip(place.guards, answers, strict=True) if answer is Tri.UNKNOWN
            )
            sent = all_of(answers)
            if sent is Tri.UNKNOWN:  # behind the very tests that decide about the origin
                same = [held for guards, held in granted.items() if set(open_guards) <= set(guards)]
                sent = same[0] if len(same) == 1 else sent
        if sent is Tri.NO:
            return []
        text = str(value).lower() if isinstance(value, bool) and reading.language == "javascript" else value
        written = str(text) if isinstance(text, (str, bool, int)) else self._asked_for(place, name, request)
        beside = fact.field("operation").value == "append"
        return [Header(name, written, sent, beside)]

    def _asked_for(self, place: CallSite | Write | None, name: str, request: Request) -> str | None:
        """What is sent back of a preflight's questions; None where something else is sent."""
        value = place.value if isinstance(place, Write) else None
        if isinstance(place, CallSite) and len(place.call.arguments) > 1:
            value = place.call.arguments[1].value
        if value is None:
            return None
        question = {"access-control-allow-headers": "headers", "access-control-allow-methods": "method"}.get(name)
        if question is None or not _mentions(self._linker, value, f"access-control-request-{question}"):
            return None
        return ",".join(request.asked_headers) if question == "headers" else request.asked_method

    # --- status and end ---

    def _status(self, reading: CodeReading, handler: Function, asked: Asked) -> int | None:
        """The status that is set for this request; None where none is, or where a test leaves it open."""
        specs = self._refusals.get(reading.language, ())
        found: list[tuple[int, Tri]] = []
        for site in reading.calls:
            if not handler.span.covers(site.call.span):
                continue
            callee = site.call.callee
            names = {self._linker.canonical(callee), f"*/{callee.key}" if isinstance(callee, Member) else None}
            positions = [
                position
                for spec in specs
                if names & spec.names or (isinstance(callee, Member) and callee.key == "writeHead")
                for position in spec.positions or (0,)
            ]
            for position in positions[:1]:
                given = self._linker.argument(site.call, position, None)
                status = self._linker.resolve(given) if given is not None else None
                if isinstance(status, Literal) and isinstance(status.value, int):
                    found.append((status.value, asked.holds(site.guards)))
        members = {member for spec in specs for member in spec.members} | {"status_code"}
        for write in reading.writes:
            if handler.span.covers(write.span) and isinstance(write.target, Member) and write.target.key in members:
                value = self._linker.resolve(write.value)
                if isinstance(value, Literal) and isinstance(value.value, int):
                    found.append((value.value, asked.holds(write.guards)))
        for way in handler.returns:
            items = way.value.items if isinstance(way.value, Sequence) else ()
            last = self._linker.resolve(items[1]) if len(items) > 1 else None
            if isinstance(last, Literal) and isinstance(last.value, int):
                found.append((last.value, asked.holds(way.guards)))
        certain = {status for status, held in found if held is Tri.YES}
        return certain.pop() if len(certain) == 1 else None

    def _may_redirect(self, reading: CodeReading, handler: Function, asked: Asked) -> bool:
        for site in reading.calls:
            callee = site.call.callee
            key = callee.key if isinstance(callee, Member) else callee.name if isinstance(callee, Name) else ""
            if key in _REDIRECTS and handler.span.covers(site.call.span) and asked.holds(site.guards) is not Tri.NO:
                return True
        return False

    def _ends(self, reading: CodeReading, handler: Function, asked: Asked, position: int | None) -> Tri:
        """Whether no further layer sees the request."""
        if position is None or len(handler.parameters) <= position:
            if position is not None:
                return Tri.YES
            return Tri.NO if handler.parameters else self._returns_an_answer(handler, asked)
        passed: list[Tri] = []
        for site in reading.calls:
            if not handler.span.covers(site.call.span):
                continue
            if self._is_parameter(site.call.callee, handler, position):
                passed.append(asked.holds(site.guards))
            elif any(self._is_parameter(argument.value, handler, position) for argument in site.call.arguments):
                passed.append(Tri.UNKNOWN if asked.holds(site.guards) is not Tri.NO else Tri.NO)
        return ~any_of(passed)

    def _returns_an_answer(self, handler: Function, asked: Asked) -> Tri:
        ways = [
            asked.holds(way.guards)
            for way in handler.returns
            if not isinstance(self._linker.resolve(way.value), (Null, Undefined))
        ]
        return any_of(ways)

    def _is_parameter(self, value: Value, handler: Function, position: int) -> bool:
        if not isinstance(value, Name):
            return False
        found = self._linker.resolve(value)
        return isinstance(found, Parameter) and (found.function, found.position) == (handler.span, position)


class Asked:
    """What tests come to for one request."""

    def __init__(self, linker: Linker, specs: Iterable[RefusalSpec], request: Request) -> None:
        self._linker = linker
        self._methods = frozenset(name for spec in specs for name in spec.methods)
        self._request = request
        self._path = request.path.partition("?")[0]

    def holds(self, guards: Iterable[Guard]) -> Tri:
        """Whether a place behind these tests is reached."""
        return all_of(self.test(guard.test) if guard.holds else ~self.test(guard.test) for guard in guards)

    def test(self, value: Value, depth: int = 0) -> Tri:
        """Whether a value is true for this request."""
        if depth > _MAX_DEPTH:
            return Tri.UNKNOWN
        match value:
            case Operation():
                return self._operation(value, depth)
            case Fallback(first=first, then=then):
                return any_of((self.test(first, depth + 1), self.test(then, depth + 1)))
            case Choice(test=test, yes=yes, no=no):
                held = self.test(test, depth + 1)
                if held is Tri.UNKNOWN:
                    return Tri.UNKNOWN
                return self.test(yes if held is Tri.YES else no, depth + 1)
            case Name():
                found = self._linker.resolve(value)
                return self._linker.test(value) if isinstance(found, Name) else self.test(found, depth + 1)
            case Call(callee=Member(base=base, key=key)) if key in _BEGINS and self._is_path(base):
                beginning = self._linker.resolve(value.arguments[0].value) if value.arguments else None
                if isinstance(beginning, Literal) and isinstance(beginning.value, str):
                    return tri(self._path.startswith(beginning.value))
                return Tri.UNKNOWN
        if self._is_origin(value):
            return tri(self._request.origin is not None)
        return self._linker.test(value)

    def _operation(self, operation: Operation, depth: int) -> Tri:
        operands = operation.operands
        match operation.operator:
            case "not" if operands:
                return ~self.test(operands[0], depth + 1)
            case "and":
                return all_of([self.test(operand, depth + 1) for operand in operands])
            case "==" | "!=" if len(operands) == 2:
                same = self._equal(operands[0], operands[1])
                return same if operation.operator == "==" else ~same
            case "in" | "not in" if len(operands) == 2:
                found = self._contained(operands[0], operands[1])
                return found if operation.operator == "in" else ~found
        return self._linker.test(operation)

    def _equal(self, left: Value, right: Value) -> Tri:
        for one, other in ((left, right), (right, left)):
            fixed = self._linker.resolve(other)
            texts = self._texts(one)
            if texts and isinstance(fixed, Literal):
                return tri(fixed.value in texts)
        return self._linker.test(Operation("==", (left, right), left.span))

    def _contained(self, item: Value, whole: Value) -> Tri:
        texts = self._texts(item)
        listed = self._linker.resolve(whole)
        items = [self._linker.resolve(one) for one in listed.items] if isinstance(listed, Sequence) else []
        if texts and items and all(isinstance(one, Literal) for one in items):
            return tri(any(isinstance(one, Literal) and one.value in texts for one in items))
        return Tri.UNKNOWN

    def _texts(self, value: Value) -> tuple[str, ...]:
        """What a value may be spelled as, where it is a part of the request; empty for anything else."""
        if self._is_method(value):
            return (self._request.method,)
        if self._is_path(value):
            return (self._path, self._request.path)
        if self._is_origin(value) and self._request.origin is not None:
            return (self._request.origin,)
        return ()

    def _is_method(self, value: Value) -> bool:
        return any(isinstance(one, Member) and one.key in self._methods for one in (value, self._linker.resolve(value)))

    def _is_path(self, value: Value) -> bool:
        return any(isinstance(one, Member) and one.key in _PATHS for one in (value, self._linker.resolve(value)))

    def _is_origin(self, value: Value) -> bool:
        """`req.headers.origin`, `req.headers['origin']`, `req.get('Origin')`, `request.headers.get("Origin")`."""
        for one in (value, self._linker.resolve(value)):
            if isinstance(one, Member) and one.key.lower() == "origin" and _is_headers(one.base):
                return True
            if isinstance(one, Call) and isinstance(one.callee, Member) and one.arguments:
                named = self._linker.resolve(one.arguments[0].value)
                spelled = str(named.value).lower() if isinstance(named, Literal) else None
                if one.callee.key in ("get", "header") and spelled == "origin":
                    return True
        return False


def _is_headers(value: Value) -> bool:
    return isinstance(value, (Member, Name)) and (value.key if isinstance(value, Member) else value.name) == "headers"


def _mentions(linker: Linker, value: Value, name: str, depth: int = 0) -> bool:
    """Whether a value is the request header of that name, perhaps with something in its place where it is missing."""
    if depth > _MAX_DEPTH:
        return False
    resolved = linker.resolve(value)
    for one in (value, resolved):
        match one:
            case Member(key=key) if key.lower() == name:
                return True
            case Index(key=key):
                named = linker.resolve(key)
                return isinstance(named, Literal) and str(named.value).lower() == name
            case Call(arguments=(first, *_)):
                named = linker.resolve(first.value)
                if isinstance(named, Literal) and str(named.value).lower() == name:
                    return True
            case Fallback(first=first):
                return _mentions(linker, first, name, depth + 1)
            case Reference() | Concat():
                return False
    return False


def _place(reading: CodeReading, span: Span) -> CallSite | Write | None:
    """The call or assignment that a place belongs to: the smallest around it."""
    around: list[CallSite | Write] = [site for site in reading.calls if site.call.span.covers(span)]
    around += [write for write in reading.writes if write.span.covers(span) or span.covers(write.span)]
    return min(around, key=_length, default=None)


def _length(place: CallSite | Write) -> int:
    span = place.call.span if isinstance(place, CallSite) else place.span
    return span.end - span.start


def _unknown_lines() -> tuple[Header, ...]:
    return tuple(Header(name, None, Tri.UNKNOWN) for name in NAMES.values())


def functions_in(reading: CodeReading, within: Span) -> Iterator[Function]:
    """The functions that are given to a call as they stand there."""
    for site in reading.calls:
        if site.call.span == within:
            for argument in site.call.arguments:
                if isinstance(argument.value, Function):
                    yield argument.value
