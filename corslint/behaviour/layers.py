"""The layers of an application, from the outside in: what each of them is, and which sees a request first.

Descriptors say how a framework orders what it is given, and what known layers are; a function of the project is read
for what it does with a preflight, which brings no credentials. Whatever stands behind a condition, in a loop or in
another function than the application itself has no known place.
"""

from __future__ import annotations

import sys
from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from collections.abc import Mapping as MappingOf

from corslint.behaviour.response import Responder
from corslint.extract import Extracted, LayerSite
from corslint.frameworks.catalog import ORDERS, Catalog, LayerSpec, RefusalSpec
from corslint.model.exchange import Request, Response
from corslint.model.facts import Fact, Field
from corslint.model.reading import CallSite, CodeReading
from corslint.model.tri import Tri, all_of, any_of, tri
from corslint.model.values import (
    Call,
    Choice,
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
    Sequence,
    This,
    Undefined,
    Value,
)
from corslint.project.link import Linker
from corslint.records import NamedTuple
from corslint.source import Span

LAYERS = ("middleware", "http_route")
_REFUSALS = (401, 403, 407)
_MAX_DEPTH = 16
_STRANGER = "https://stranger.example"
_MARK = 299
"""A status that no library answers a preflight with by itself."""


class _Home(NamedTuple):
    """Where an application is made: the function, and the tests that lead there."""

    path: str
    function: int
    guards: tuple[Guard, ...]


class _Places:
    """Spans, found by where they lie."""

    def __init__(self, spans: Iterable[Span]) -> None:
        self._spans = sorted(spans)
        furthest: list[tuple[str, int]] = []
        for span in self._spans:
            reaches = (span.path, span.end)
            furthest.append(max(furthest[-1], reaches) if furthest else reaches)
        self._furthest = furthest

    def from_within(self, outer: Span) -> list[Span]:
        """Those that begin inside of a span."""
        first, last = (bisect_left(self._spans, Span(outer.path, at, -1)) for at in (outer.start, outer.end))
        return self._spans[first:last]

    def around(self, inner: Span) -> bool:
        """Whether one of them covers a span."""
        last = bisect_right(self._spans, Span(inner.path, inner.start, sys.maxsize))
        return last > 0 and self._furthest[last - 1] >= (inner.path, inner.end)


class Layers:
    """Completes the layers among the facts of one project. It has to be made before policies are judged."""

    def __init__(
        self,
        extracted: Extracted,
        linker: Linker,
        catalog: Catalog,
        readings: MappingOf[str, CodeReading],
        code: Callable[[str], CodeReading | None],
    ) -> None:
        self._extracted = extracted
        self._linker = linker
        self._catalog = catalog
        self._readings = readings
        self._code = code
        self._calls: dict[str, dict[Span, CallSite]] = {}
        self._written = _Places(())
        self._loose = False
        self._policies: dict[Span, Responder] = {}
        self._calls_of: dict[str, tuple[list[int], list[CallSite]]] = {}
        # As they are before they are judged, which turns options into what they mean.
        self.unjudged = tuple(policy._replace(fact=_copy(policy.fact)) for policy in extracted.policies)

    def complete(self, facts: list[Fact]) -> list[Fact]:
        """Fill the fields of layers and routes; returns further layers: what an application is handed to."""
        layers = [fact for fact in facts if fact.kind in LAYERS and fact.field("registered").state == "written"]
        if not layers:
            return []
        self._note_policies(facts, layers)
        added = list(self._handed_over(layers))
        for fact in layers:
            self._methods(fact)
            self._describe(fact)
        self._mounts(layers)
        by_app: dict[Span, list[Fact]] = defaultdict(list)
        for fact in (*layers, *added):
            app = fact.field("app").value
            if isinstance(app, Span):
                by_app[app].append(fact)
        for app, own in by_app.items():
            self._order(app, own)
        return added

    # --- who writes CORS headers ---

    def _note_policies(self, facts: Iterable[Fact], layers: Iterable[Fact]) -> None:
        written_by_hand = [
            fact.span for fact in facts if fact.kind == "header_write" and fact.field("library").state == "written"
        ]
        self._written = _Places(written_by_hand)
        handled = _Places(span for fact in layers for span in self._handlers(fact))
        self._loose = any(not handled.around(written) for written in written_by_hand)
        for policy in self.unjudged:
            instance = policy.fact.field("instance").value
            if isinstance(instance, Span) and policy.fact.field("layer").value == "http" and not policy.header:
                self._policies[instance] = Responder(policy, self._linker, self._code)

    def _handlers(self, fact: Fact) -> list[Span]:
        """The functions and classes that a layer or a route runs, as far as they are known."""
        values = [fact.values["handler"]] if "handler" in fact.values else []
        found = self._extracted.sites.get(_registered(fact))
        if fact.kind == "http_route" and found is not None:
            values += [argument.value for argument in found.site.call.arguments if argument.keyword is None]
        resolved = [self._linker.resolve(value) for value in values]
        return [value.span for value in resolved if isinstance(value, (Function, This))]

    def _writes(self, handler: Value | None) -> Tri:
        """Whether a function or class writes CORS headers by hand."""
        if not isinstance(handler, (Function, This)):
            return Tri.UNKNOWN
        if any(handler.span.covers(written) for written in self._written.from_within(handler.span)):
            return Tri.YES
        return Tri.UNKNOWN if self._loose else Tri.NO

    # --- what a layer is ---

    @staticmethod
    def _methods(fact: Fact) -> None:
        """Request methods in upper case; the name of the call that says so, or a list."""
        field = fact.field("methods")
        named = (field.value,) if isinstance(field.value, str) else field.value
        if isinstance(named, tuple):
            if "all" in named:
                fact.fields["methods"] = Field(None, "absent", field.span)
            else:
                fact.fields["methods"] = field._replace(value=tuple(str(name).upper() for name in named))

    def _endpoint(self, fact: Fact, handler: Value | None, found: LayerSite | None) -> bool:
        """Whether this is not a layer in front of a route, but the route's own handler."""
        limited = fact.field("methods").value
        if found is None or not isinstance(limited, tuple) or "OPTIONS" in limited:
            return False
        last = next((argument for argument in reversed(found.site.call.arguments) if argument.keyword is None), None)
        if last is None or not last.span.covers(fact.span):
            return False
        return not isinstance(handler, Function) or self._ends(handler, found.next) is Tri.YES

    def _describe(self, fact: Fact) -> None:
        handler = self._linker.resolve(fact.values["handler"]) if "handler" in fact.values else None
        registered = _registered(fact)
        if fact.kind == "http_route":
            self._describe_route(fact, registered)
            return
        if fact.field("handler").state == "absent" or (
            isinstance(handler, (Literal, Sequence)) and fact.field("handler").state != "written"
        ):
            fact.fields.pop("methods", None)
            return  # the path in front of the handlers
        if self._endpoint(fact, handler, self._extracted.sites.get(registered)):
            return
        self._whole_path(fact, handler, registered)
        kind, preflight, writes = self._kind(fact, handler)
        responder = self._policies.get(registered)
        if responder is not None and preflight is Tri.UNKNOWN:
            kind, preflight, writes = "cors", self._ends_preflight(responder), Tri.YES
        limited = fact.field("methods").value
        if isinstance(limited, tuple) and "OPTIONS" not in limited:
            preflight = Tri.NO
        fact.fields["kind"] = Field(kind, "written", fact.span)
        fact.fields["answers_preflight"] = _field(preflight, fact.span)
        fact.fields["writes_cors"] = _field(writes, fact.span)

    def _kind(self, fact: Fact, handler: Value | None) -> tuple[str, Tri, Tri]:
        """What a layer is; whether it answers preflights; whether it writes CORS headers."""
        spec, call = self._known(handler)
        responder = self._policies.get(handler.span) if isinstance(handler, Call) else None
        if responder is not None:
            ends = self._ends_preflight(responder)
            # Where the version is open, so is the answer; what its library always does is not.
            return "cors", spec.preflight if spec is not None and ends is Tri.UNKNOWN else ends, Tri.YES
        if spec is not None:
            return self._by_spec(fact, spec, call)
        if isinstance(handler, (Function, This)):
            preflight, guarded = self._at_preflight(handler)
            if self._writes(handler) is Tri.YES:
                return "cors", Tri.UNKNOWN, Tri.YES
            if guarded:
                return "auth", preflight, self._writes(handler)
            if isinstance(handler, Function) and len(handler.parameters) == self._catches(fact):
                return "error-handler", Tri.NO, self._writes(handler)
            found = self._extracted.sites.get(_registered(fact))
            position = found.next if found is not None else None
            if position is not None and self._ends(handler, position) is Tri.YES:
                return "unknown", Tri.UNKNOWN, Tri.NO  # nothing is behind it
            return "unknown", Tri.UNKNOWN, self._writes(handler)
        return "unknown", Tri.UNKNOWN, Tri.UNKNOWN

    def _catches(self, fact: Fact) -> int:
        """How many parameters a handler of errors has: one more, in front of the others."""
        found = self._extracted.sites.get(_registered(fact))
        return found.next + 2 if found is not None and found.next else -1

    def _known(self, handler: Value | None, depth: int = 0) -> tuple[LayerSpec | None, Call | None]:
        if handler is None or not isinstance(handler, (Call, Reference, Member, Name)):
            return None, None
        name = self._linker.canonical_of_resolved(handler)
        spec = self._catalog.layers.get(name.removesuffix("()")) if name is not None else None
        call = handler if isinstance(handler, Call) else None
        if spec is not None and spec.wraps is not None and call is not None and depth < _MAX_DEPTH:
            inner = self._linker.argument(call, spec.wraps, None)
            return self._known(self._linker.resolve(inner) if inner is not None else None, depth + 1)
        return spec, call

    def _by_spec(self, fact: Fact, spec: LayerSpec, call: Call | None) -> tuple[str, Tri, Tri]:
        first = self._linker.argument(call, 0, None) if call is not None else None
        given = self._linker.resolve(first) if first is not None else None
        if spec.apart and (not isinstance(given, Literal) or given.value in spec.apart):
            return "unknown", Tri.UNKNOWN, Tri.NO
        writes = tri(spec.kind == "cors") if spec.kind != "unknown" else Tri.UNKNOWN
        if spec.setting is not None:
            fact.fields["setting"] = Field(spec.setting, "written", fact.span)
            on = self._setting(fact, spec)
            if on is Tri.UNKNOWN:
                return "unknown", Tri.UNKNOWN, writes
            if on is Tri.NO:
                return "neutral", Tri.NO, writes
        return spec.kind, spec.preflight, writes

    def _setting(self, fact: Fact, spec: LayerSpec) -> Tri:
        """Whether the setting that makes a layer answer is switched on, in the module that lists the layer."""
        reading = self._readings.get(_registered(fact).path)
        if reading is None or spec.setting is None:
            return Tri.UNKNOWN
        end = reading.scopes[0].span.end
        name = Name(spec.setting, 0, Span(reading.path, end, end))
        value = self._linker.resolve(name)
        found = tri(spec.default) if isinstance(value, Name) else self._linker.test(value)
        return ~found if spec.negated else found

    @staticmethod
    def _ends_preflight(responder: Responder) -> Tri:
        request = Request("preflight", "OPTIONS", "/", _STRANGER, "PUT", ("content-type",))
        status = responder.respond(request, Response(_MARK)).status
        return Tri.UNKNOWN if status is None else tri(status != _MARK)

    def _whole_path(self, fact: Fact, handler: Value | None, registered: Span) -> None:
        """The first argument is a path only where it is no handler."""
        found = self._extracted.sites.get(registered)
        if fact.field("path").state != "unknown" or found is None:
            return
        positional = [argument for argument in found.site.call.arguments if argument.keyword is None]
        first = self._linker.resolve(positional[0].value) if positional else None
        alone = len(positional) == 1 and isinstance(handler, (Call, Function, This, Reference, Name))
        if (
            alone
            or isinstance(first, (Function, This))
            or self._known(first)[0] is not None
            or (isinstance(first, Call) and first.span in self._policies)
        ):
            fact.fields["path"] = Field(None, "absent", fact.span)

    def _describe_route(self, fact: Fact, registered: Span) -> None:
        found = self._extracted.sites.get(registered)
        if found is None:
            return
        positional = [argument for argument in found.site.call.arguments if argument.keyword is None]
        decorated = fact.values.get("handler")
        last = decorated if found.next is None or not positional else positional[-1].value
        handler = self._linker.resolve(last) if last is not None else None
        fact.fields["answers"] = _field(self._ends(handler, found.next), fact.span)
        fact.fields["writes_cors"] = _field(self._writes(handler), fact.span)

    def _ends(self, handler: Value | None, position: int | None) -> Tri:
        """Whether a handler never passes a request on to what is behind it. `position`: its parameter for that."""
        if position is None:
            return Tri.YES
        if not isinstance(handler, Function):
            return Tri.UNKNOWN
        if len(handler.parameters) <= position:
            return Tri.YES
        for site in self._calls_in(handler.span):
            if handler.span.covers(site.call.span):
                if self._is_next(site.call.callee, handler, position) and not site.call.arguments:
                    return Tri.UNKNOWN
                if any(self._is_next(argument.value, handler, position) for argument in site.call.arguments):
                    return Tri.UNKNOWN
        return Tri.YES

    def _calls_in(self, span: Span) -> list[CallSite]:
        """The calls that begin inside of a span. A file may have thousands of handlers, and of calls."""
        if span.path not in self._calls_of:
            reading = self._code(span.path)
            calls = sorted(reading.calls if reading is not None else (), key=lambda site: site.call.span.start)
            self._calls_of[span.path] = [site.call.span.start for site in calls], calls
        starts, calls = self._calls_of[span.path]
        return calls[bisect_left(starts, span.start) : bisect_left(starts, span.end)]

    def _is_next(self, value: Value, handler: Function, position: int) -> bool:
        if not isinstance(value, Name):
            return False
        found = self._linker.resolve(value)
        return isinstance(found, Parameter) and (found.function, found.position) == (handler.span, position)

    # --- what a function does with a preflight ---

    def _at_preflight(self, handler: Function | This) -> tuple[Tri, bool]:
        """Whether a handler refuses a preflight, and whether it asks for credentials at all."""
        reading = self._code(handler.span.path)
        if reading is None:
            return Tri.UNKNOWN, False
        asked = _Asked(self._linker, self._catalog.refusals.get(reading.language, ()))
        sites = [site for site in reading.calls if handler.span.covers(site.call.span)]
        reached: list[Tri] = []
        refusing = False
        own = self._own_functions(reading, handler)
        for scope, guards in self._refusing(reading, handler, sites):
            refusing = True
            direct = _function_of(reading, scope) in own
            reached.append(asked.holds(guards) if direct else Tri.UNKNOWN)
        guarded = asked.met
        for site in sites:
            name = self._linker.canonical(site.call.callee) or ""
            key = f"*/{site.call.callee.key}" if isinstance(site.call.callee, Member) else name
            for spec in self._catalog.refusals.get(reading.language, ()):
                always = key in spec.verifies
                if (always or (name in spec.verifies and refusing)) and _function_of(reading, site.scope) in own:
                    reached.append(asked.holds(site.guards))
                    guarded = True
        return (any_of(reached), True) if guarded and reached else (Tri.UNKNOWN, False)

    def _own_functions(self, reading: CodeReading, handler: Function | This) -> set[int]:
        """The scopes of the functions that run with each request: the handler, what it returns, a class's methods."""
        if isinstance(handler, Function):
            own = {handler.scope}
            for way in handler.returns:
                made = self._linker.resolve(way.value)
                if isinstance(made, Function) and handler.span.covers(made.span):
                    own.add(made.scope)
            return own
        return {
            index
            for index, scope in enumerate(reading.scopes)
            if scope.kind == "function" and scope.parent == handler.scope
        }

    def _refusing(
        self, reading: CodeReading, handler: Function | This, sites: Iterable[CallSite]
    ) -> Iterator[tuple[int, tuple[Guard, ...]]]:
        """The places where a handler answers that it lets nobody in: their scopes, and the tests that lead there."""
        specs = self._catalog.refusals.get(reading.language, ())
        for site in sites:
            callee = site.call.callee
            name = self._linker.canonical(callee)
            key = f"*/{callee.key}" if isinstance(callee, Member) else None
            for spec in specs:
                if (name in spec.names or key in spec.names) and self._status(site.call, spec) in _REFUSALS:
                    yield site.scope, site.guards
        for write in reading.writes:
            if handler.span.covers(write.span) and isinstance(write.target, Member):
                value = self._linker.resolve(write.value)
                if isinstance(value, Literal) and value.value in _REFUSALS:
                    if any(write.target.key in spec.members for spec in specs):
                        yield write.scope, write.guards
        yield from self._refusing_returns(reading, handler, specs)

    def _refusing_returns(
        self, reading: CodeReading, handler: Function | This, specs: Iterable[RefusalSpec]
    ) -> Iterator[tuple[int, tuple[Guard, ...]]]:
        positions = {spec.returned for spec in specs if spec.returned is not None}
        functions = [
            binding.value
            for scope in reading.scopes
            for bindings in scope.bindings.values()
            for binding in bindings
            if isinstance(binding.value, Function) and handler.span.covers(binding.value.span)
        ]
        if isinstance(handler, Function) and all(one.span != handler.span for one in functions):
            functions.append(handler)
        for function in functions if positions else ():
            for way in function.returns:
                items = way.value.items if isinstance(way.value, Sequence) else ()
                for position in positions:
                    status = self._linker.resolve(items[position]) if position < len(items) else None
                    if isinstance(status, Literal) and status.value in _REFUSALS:
                        yield function.scope, way.guards

    def _status(self, call: Call, spec: RefusalSpec) -> object:
        if spec.status is not None:
            return spec.status
        for position in spec.positions or (None,):
            given = self._linker.argument(call, position, spec.keyword)
            value = self._linker.resolve(given) if given is not None else None
            if isinstance(value, Literal):
                return value.value
        return None

    # --- mounts ---

    def _mounts(self, layers: Iterable[Fact]) -> None:
        """A layer that is an application itself is a mount; it writes CORS headers where its own layers may."""
        inside: dict[Span, list[Fact]] = defaultdict(list)
        for fact in layers:
            app = fact.field("app").value
            if isinstance(app, Span) and fact.kind == "middleware":
                inside[app].append(fact)
        apps = {fact.field("app").value for fact in layers}
        for fact in layers:
            handler = fact.field("handler").value
            if fact.kind == "middleware" and handler in apps and isinstance(handler, Span):
                own = [one.field("writes_cors") for one in inside.get(handler, ()) if one.field("kind").value]
                clean = all(field.value == "no" for field in own)
                fact.fields["kind"] = Field("mount", "written", fact.span)
                fact.fields["answers_preflight"] = _field(Tri.UNKNOWN, fact.span)
                fact.fields["writes_cors"] = _field(Tri.NO if clean else Tri.UNKNOWN, fact.span)

    # --- what an application is handed to ---

    def _handed_over(self, layers: Iterable[Fact]) -> Iterator[Fact]:
        """Calls that take the application and of which nothing is known: they may give it further layers."""
        first: dict[Span, Fact] = {}
        for fact in layers:
            app = fact.field("app").value
            if isinstance(app, Span):
                first.setdefault(app, fact)
        for path in dict.fromkeys(app.path for app in first):
            reading = self._readings.get(path)
            for site in reading.calls if reading is not None else ():
                if site.call.span in self._extracted.described:
                    continue
                for value in _takes(site.call):
                    given = self._linker.resolve(value)
                    if isinstance(given, Call) and given.span in first:
                        yield self._unseen(first[given.span], given.span, site)

    def _unseen(self, like: Fact, app: Span, site: CallSite) -> Fact:
        at = site.call.span
        self._extracted.sites.setdefault(at, LayerSite(site, None))
        kept = ("framework", "library", "language", "version", "major", "order")
        return Fact(
            "middleware",
            at,
            {
                **{name: like.fields[name] for name in kept if name in like.fields},
                "fence": Field("none", "written", at),
                "app": Field(app, "written", at),
                "handler": Field(None, "unknown", at),
                "kind": Field("unknown", "written", at),
                "answers_preflight": Field(None, "unknown", at),
                "writes_cors": Field(None, "unknown", at),
                "registered": Field(at, "written", at),
            },
        )

    # --- order ---

    def _order(self, app: Span, layers: list[Fact]) -> None:
        """Number the layers of one application whose place is known."""
        home = self._home(app)
        placed: list[tuple[tuple[int, ...], Fact]] = []
        for number, fact in enumerate(layers):
            found = self._extracted.sites.get(_registered(fact))
            word = fact.field("order").value
            if home is None or found is None or fact.field("kind").state == fact.field("answers").state == "absent":
                continue
            if word in ("innermost", "list") or self._at_home(found.site, home):
                placed.append((_place(str(word), found.site, fact, number), fact))
            elif self._fenced(found.site):
                fact.fields["fence"] = Field("development", "written", fact.span)
        unsure = len(placed) < sum(1 for fact in layers if fact.field("kind").value or fact.kind == "http_route")
        index = -1
        before: tuple[int, ...] | None = None
        for place, fact in sorted(placed, key=lambda one: one[0]):
            index += place != before
            before = place
            fact.fields["outer_index"] = Field(
                index, "written", fact.span, (), "medium" if unsure and home is not None else "high"
            )
        for fact in layers:
            fact.fields.setdefault("outer_index", Field(None, "unknown", fact.span))

    def _home(self, app: Span) -> _Home | None:
        reading = self._readings.get(app.path)
        if reading is None:
            return None
        site = self._site(app)
        if site is None:
            return _Home(app.path, 0, ())
        return None if site.loop else _Home(app.path, _function_of(reading, site.scope), site.guards)

    def _site(self, span: Span) -> CallSite | None:
        known = self._calls.get(span.path)
        if known is None:
            reading = self._readings.get(span.path)
            calls = reading.calls if reading is not None else ()
            known = self._calls[span.path] = {site.call.span: site for site in calls}
        return known.get(span)

    def _at_home(self, site: CallSite, home: _Home) -> bool:
        reading = self._readings.get(site.call.span.path)
        if reading is None or site.call.span.path != home.path or site.loop:
            return False
        if _function_of(reading, site.scope) != home.function:
            return False
        further = [guard for guard in site.guards if guard not in home.guards]
        return self._linker.holds(further) is Tri.YES

    def _fenced(self, site: CallSite) -> bool:
        return self._linker.holds(site.guards) is Tri.NO


class _Asked:
    """What tests come to for a preflight. `met`: one of them asked for what only a request with credentials has."""

    def __init__(self, linker: Linker, specs: Iterable[RefusalSpec]) -> None:
        specs = tuple(specs)
        self._linker = linker
        self._methods = frozenset(name for spec in specs for name in spec.methods)
        self._secrets = frozenset(name for spec in specs for name in spec.secrets)
        self.met = False

    def holds(self, guards: Iterable[Guard]) -> Tri:
        """Whether a place behind these tests is reached."""
        # Each of them is looked at: an earlier one may let preflights pass, a later one ask for credentials.
        answers = [(self.test(guard.test), guard.holds) for guard in guards]
        return all_of([answer if wanted else ~answer for answer, wanted in answers])

    def test(self, value: Value, depth: int = 0) -> Tri:
        """Whether a value is true for a preflight."""
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
            case Member() | Index() | Call() | Reference() if self._secret(value, depth):
                self.met = True
                return Tri.NO
        return self._linker.test(value)

    def _operation(self, operation: Operation, depth: int) -> Tri:
        operands = operation.operands
        match operation.operator:
            case "not" if operands:
                return ~self.test(operands[0], depth + 1)
            case "and":
                answers = [self.test(operand, depth + 1) for operand in operands]
                if Tri.NO in answers:
                    return Tri.NO
                return Tri.UNKNOWN if Tri.UNKNOWN in answers else Tri.YES
            case "==" | "!=" if len(operands) == 2:
                same = self._equal(operands[0], operands[1], depth)
                return same if operation.operator == "==" else ~same
            case "in" | "not in" if len(operands) == 2:
                found = self._contained(operands[0], operands[1])
                return found if operation.operator == "in" else ~found
        return self._linker.test(operation)

    def _equal(self, left: Value, right: Value, depth: int) -> Tri:
        for one, other in ((left, right), (right, left)):
            fixed = self._linker.resolve(other)
            if self._is_method(one):
                return tri(fixed.value == "OPTIONS") if isinstance(fixed, Literal) else Tri.UNKNOWN
            if isinstance(self._linker.resolve(one), (Member, Index, Call, Reference, Operation)) and self._secret(
                one, depth
            ):
                self.met = True
                return tri(isinstance(fixed, (Null, Undefined)))
        return self._linker.test(Operation("==", (left, right), left.span))

    def _contained(self, item: Value, whole: Value) -> Tri:
        fixed = self._linker.resolve(item)
        if isinstance(fixed, Literal) and str(fixed.value).lower() in self._secrets:
            self.met = True
            return Tri.NO
        if self._secret(whole, 0):
            self.met = True
            return Tri.NO
        if self._is_method(item):
            listed = self._linker.resolve(whole)
            items = [self._linker.resolve(one) for one in listed.items] if isinstance(listed, Sequence) else []
            if items and all(isinstance(one, Literal) for one in items):
                return tri(any(isinstance(one, Literal) and one.value == "OPTIONS" for one in items))
        return Tri.UNKNOWN

    def _is_method(self, value: Value) -> bool:
        return any(isinstance(one, Member) and one.key in self._methods for one in (value, self._linker.resolve(value)))

    def _secret(self, value: Value, depth: int) -> bool:
        """Whether a value is, or is made of, what only a request with credentials has."""
        if depth > _MAX_DEPTH:
            return False
        if isinstance(value, Name):
            found = self._linker.resolve(value)
            return not isinstance(found, Name) and self._secret(found, depth + 1)
        if isinstance(value, Member):
            return value.key.lower() in self._secrets or self._secret(value.base, depth + 1)
        if isinstance(value, Index):
            return self._secret(value.base, depth + 1)
        if isinstance(value, Operation) and value.operator == "and":
            return self._secret(value.operands[0], depth + 1)
        if isinstance(value, Call):
            first = value.arguments[0].value if value.arguments else None
            named = self._linker.resolve(first) if first is not None else None
            if isinstance(named, Literal) and str(named.value).lower() in self._secrets:
                return True
            return isinstance(value.callee, Member) and self._secret(value.callee, depth + 1)
        return isinstance(value, Reference) and value.name.lower() in self._secrets


def _takes(call: Call) -> Iterator[Value]:
    """The names that a call takes, also inside an object, or calls a computed method of."""
    if isinstance(call.callee, Index):
        yield call.callee.base
    for argument in call.arguments:
        if isinstance(argument.value, Name):
            yield argument.value
        elif isinstance(argument.value, Mapping):
            yield from (item.value for item in argument.value.items if isinstance(item.value, Name))


def _copy(fact: Fact) -> Fact:
    return Fact(fact.kind, fact.span, dict(fact.fields), dict(fact.values))


def _registered(fact: Fact) -> Span:
    at = fact.field("registered").value
    return at if isinstance(at, Span) else fact.span


def _place(order: str, site: CallSite, fact: Fact, number: int) -> tuple[int, ...]:
    """Sorts layers from the outside in."""
    group = ORDERS.index(order)
    if order == "innermost":
        return (group,)
    if order == "list":
        return (group, number)
    at = site.call.span.end
    within = fact.span.start if fact.kind == "middleware" else site.call.span.end
    return (group, -at if order == "last-is-outermost" else at, within)


def _field(answer: Tri, at: Span) -> Field:
    return Field(None, "unknown", at) if answer is Tri.UNKNOWN else Field(answer.value, "written", at)


def _function_of(reading: CodeReading, scope: int) -> int:
    for _ in range(len(reading.scopes)):
        if scope <= 0 or reading.scopes[scope].kind == "function":
            return scope
        scope = reading.scopes[scope].parent
    return 0
