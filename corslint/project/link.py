"""Gives names their values: across scopes, files, members, writes, calls and parameters.

Nothing is executed. What can't be decided becomes `Unknown`, and a chain of more than eight files, or a cycle, is one
of those things. Tests are decided as they come out in production (`Assumptions`): a branch that only runs in
development is a fence, not a value.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from collections.abc import Sequence as SequenceOf
from functools import lru_cache
from typing import Any, TypeAlias

from corslint.model import kept
from corslint.model.reading import Binding, CallSite, CodeReading, Write
from corslint.model.surface import GROWERS, Surface, binding_scope, changed_at, is_assign, surface
from corslint.model.tri import Tri
from corslint.model.values import (
    Argument,
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
    Return,
    Sequence,
    Split,
    Spread,
    This,
    Undefined,
    Unknown,
    Value,
)
from corslint.project.modules import Modules
from corslint.records import NamedTuple
from corslint.source import Span

_MAX_HOPS = 60
_NOT_CUT = 1 << 30
"""More than any count of values that are being resolved."""
_MAX_FILES = 8
_MAX_TRAIL = 16
_MAX_DEPTH = 25
_MAX_STEPS = 2_000
"""So many values are looked behind to resolve one. What people write takes less than a tenth of it (measured).
Functions that call each other in circles reach it: nothing is kept of them while one of them is being resolved."""
_MAX_PARTS = 1_000
"""Of a value that is put together from others. One that holds two like itself doubles with every line."""
_MOST_ITEMS = 50_000
_LONGEST_TEXT = 1 << 16
"""Characters. A text that doubles at each of some lines would fill the memory; no origin or header is as long."""
_MOST_CHANGES = 100_000
"""So many changes of the object behind one name are gone through, over all of its uses. In fifty repositories the most
were 17,030."""
_MOST_BINDINGS = 500
"""A name that is bound more often in one scope is unknown: each of its uses would look through all of them. In fifty
repositories the most were 29."""
_TRIMMERS = frozenset({"trim", "strip"})


class EnvironmentRead(NamedTuple):
    """A call that reads an environment variable: positions of its name and fallback; `splits`: it returns a list.

    `cast` is the keyword of the function that the text is given to; `lists` are those that cut it at commas.
    """

    name: int
    fallback: int | None
    fallback_keyword: str | None
    required: bool
    splits: bool
    cast: str | None = None
    lists: frozenset[str] = frozenset()


class Assumptions(NamedTuple):
    """What a language says about its environment, from the descriptors.

    `environments` are objects whose members are environment variables (`process.env`); `required_environments` raise
    when one is missing. `reads` are calls that read one. `production` holds values of environment variables and
    names when the code runs in production; `receivers` are calls that return the object they are called on, `records`
    calls whose keyword arguments are looked up like the keys of an object.
    """

    environments: frozenset[str]
    required_environments: frozenset[str]
    reads: dict[str, EnvironmentRead]
    production: dict[str, str | bool]
    receivers: frozenset[str]
    records: frozenset[str] = frozenset()


Depends: TypeAlias = frozenset[Span | tuple[str, str]]
"""What an unsettled value depends on: which calls there are of these functions, and whether these files, which were not
read, export these names."""
_SETTLED: Depends = frozenset()
_UNSURE = "", ""
_UNSETTLED: Depends = frozenset({_UNSURE})
"""Of a value that may become something else by itself."""
_MOST_DEPENDS = 32


class Resolved(NamedTuple):
    """A value whose top is not a name, and the places it came through, nearest to the use first."""

    value: Value
    trail: tuple[Span, ...]


class _Calling(NamedTuple):
    """A call of a function, as a place in `CodeReading.calls`. `bound`: `self` is passed along unseen."""

    reading: CodeReading
    place: int
    bound: bool

    @property
    def site(self) -> CallSite:
        """The call itself, of which not everything may have been made yet."""
        return self.reading.calls[self.place]


class _Readings(dict[str, CodeReading | None]):
    """The readings that were asked for: names are looked up in them hundreds of thousands of times."""

    def __init__(self, read: Callable[[str], CodeReading | None]) -> None:
        super().__init__()
        self._read = read

    def __missing__(self, path: str) -> CodeReading | None:
        found = self._read(path)
        if found is not None:
            self[path] = found
        return found


class Linker:
    """Resolves symbolic values of a project.

    `read` gives the Reading of a code file (parsed on demand) or None. One linker serves one run: it remembers.
    What need not be parsed: `leads_on` says whether a file has to be for what is called there to be known, and
    `may_export` whether one of JavaScript may export a name.
    """

    def __init__(
        self,
        read: Callable[[str], CodeReading | None],
        modules: Modules,
        assumptions: Assumptions,
        leads_on: Callable[[str], bool] = lambda _: True,
        may_export: Callable[[str, str], bool] = lambda *_: True,
    ) -> None:
        self._read = _Readings(read).__getitem__
        self._leads_on = leads_on
        self._may_export = may_export
        self._modules = modules
        self._assumptions = assumptions
        self._last_of_environments = _endings(assumptions.environments | assumptions.required_environments)
        self._last_of_calls = _endings(frozenset(assumptions.reads).union(assumptions.receivers, _BUILT_IN, _COPIES))
        self._cache: dict[tuple[str, Span], tuple[Resolved, Depends]] = {}
        """What may become something else once more is known, and what that depends on."""
        self._settled: dict[tuple[str, Span], Resolved] = {}
        """What does not depend on which calls are known, nor on which files were read: it stays as it is."""
        self._same: dict[int, tuple[Value, Resolved]] = {}
        """The settled values once more, by identity: each is kept beside what it is, so that it stays its own."""
        self._names: dict[tuple[str, Span], str | None] = {}
        """The API names of settled values."""
        self._news: set[Span | tuple[str, str]] = set()
        """What is not as it was before callers were last looked for."""
        self.depends = _SETTLED
        """What the last canonical name that was asked for depends on."""
        self._not_exported: set[tuple[str, str]] = set()
        """What files do not export as long as they are not read."""
        self._depends = _SETTLED
        """What the value that is being resolved depends on beyond the files that were read."""
        self._open: dict[tuple[str, Span], int] = {}
        self._cut = _NOT_CUT
        self._steps = 0
        self._calls_of: dict[Span, list[_Calling]] = {}
        self._searched: set[str] = set()
        self._indexing = False
        self._everything: Callable[[], Iterable[CodeReading]] | None = None
        self._all_indexed = True
        self._left_out: list[tuple[str, CodeReading, int]] = []
        self._outside: dict[int, tuple[bool, Reference]] = {}
        """Whether references lead to no file of the project, by identity."""
        self._worth: dict[int, Value] = {}
        """What is called and known to be worth following, which it stays, by identity."""
        self._surfaces: dict[str, Surface] = {}
        self._gone_through: dict[tuple[str, int, str], int] = {}

    def look_for_callers(self, readings: Callable[[], Iterable[CodeReading]]) -> None:
        """From now on a parameter is what its only caller in these files passes; until then it is unknown.

        `readings` are asked for again where looking for callers leads to further files. Called once more, it takes in
        the files that came since.
        """
        asked = self._everything is not None and self._all_indexed
        self._everything = readings
        self._all_indexed = False
        self._news = {_UNSURE, *(on for on in self._not_exported if self._may_export(*on))}
        self._forget(self._news)
        if asked:  # who asked once asks again
            self._callers()

    def is_as_it_was(self, depends: Depends) -> bool:
        """Whether what depends on this is what it was before it was last looked for callers."""
        return depends.isdisjoint(self._news)

    def _forget(self, past: set[Span | tuple[str, str]]) -> None:
        """Let go of what depends on anything that is not as it was."""
        for key in [key for key, (_, depends) in self._cache.items() if not depends.isdisjoint(past)]:
            del self._cache[key]

    # --- resolving ---

    def resolve(self, value: Value) -> Value:
        """The value behind names, imports and members; its parts stay symbolic."""
        return self.resolved(value).value

    def resolved(self, value: Value) -> Resolved:
        """Like `resolve`, with the places the value came through."""
        kind = type(value)
        if kind in _ARE_THEMSELVES:
            return Resolved(value, ())
        same = self._same.get(id(value))
        if same is not None:
            return same[1]
        key = (_said(value), value.span)
        known = self._settled.get(key)
        if known is not None:
            self._same[id(value)] = value, known
            return known
        unsettled = self._cache.get(key) if self._all_indexed else self._cached(key)
        if unsettled is not None:
            self._depends = _joined(self._depends, unsettled[1])
            return unsettled[0]
        opened = self._open.get(key)
        if opened is not None or len(self._open) > _MAX_HOPS:
            self._cut = min(self._cut, opened or 0)  # the outermost that is in the way
            return Resolved(Unknown("defined by itself", value.span), ())
        self._steps = self._steps + 1 if self._open else 0
        if self._steps > _MAX_STEPS:  # kept, so that none of what led here is tried again
            self._depends |= _UNSETTLED  # by itself it may be known
            given_up = Resolved(Unknown("defined by too much", value.span), ())
            self._cache[key] = given_up, _UNSETTLED
            return given_up
        outside, self._cut = self._cut, _NOT_CUT
        before, self._depends = self._depends, _SETTLED
        self._open[key] = here = len(self._open)
        try:
            step = _STEPS.get(kind)
            result = step(self, value) if step is not None else Resolved(value, ())
        finally:
            del self._open[key]
        # What was cut short because an outer value is being resolved may be known when asked for by itself.
        depends = self._depends
        if self._cut >= here and not depends:
            self._settled[key] = result
            self._same[id(value)] = value, result
        elif self._cut >= here or not isinstance(result.value, Unknown) or self._steps > _MAX_STEPS:
            self._cache[key] = result, depends or _UNSETTLED
        if self._cut < here:
            depends |= _UNSETTLED
        self._depends = _joined(before, depends)
        self._cut = min(outside, _NOT_CUT if self._cut >= here else self._cut)
        return result

    def _cached(self, key: tuple[str, Span]) -> tuple[Resolved, Depends] | None:
        """What is known of an unsettled value; what depends on callers is looked at again where more may be known."""
        known = self._cache.get(key)
        if known is None or self._all_indexed or not any(type(on) is Span for on in known[1]):
            return known
        self._callers()
        return self._cache.get(key)

    def _choice(self, value: Choice) -> Resolved:
        decided = self.test(value.test)
        if decided is not Tri.UNKNOWN:
            return self.resolved(value.yes if decided is Tri.YES else value.no)
        return Resolved(value, ())

    def _decided(self, value: Operation) -> Resolved:
        decided = self.test(value)
        return Resolved(value if decided is Tri.UNKNOWN else Literal(decided is Tri.YES, value.span), ())

    def _follow(self, use: Value, target: Value | None) -> Resolved:
        """Resolve what a name stands for; None: it stands for itself (a package, a global)."""
        if target is None or target is use:
            return Resolved(use, ())
        if type(target) is type(use) and target.span == use.span:  # the same member, on a base that is now resolved
            return Resolved(target, ())
        further = self.resolved(target)
        through = further.trail
        if through and isinstance(target, Reference) and through[0] == target.span:
            through = through[1:]  # the import itself: its use says more
        trail = (use.span, *through) if use.span != further.value.span and not self._declares(use) else through
        if len(trail) > _MAX_FILES and len({span.path for span in trail}) > _MAX_FILES:
            return Resolved(Unknown("passed through too many files", use.span), ())
        return Resolved(further.value, trail[:_MAX_TRAIL])

    def _declares(self, use: Value) -> bool:
        """Whether a name stands where it is declared (`export const x = ...`), not where it is used."""
        if not isinstance(use, Name):
            return False
        reading = self._read(use.span.path)
        scope = binding_scope(reading, use.scope, use.name) if reading is not None else None
        if reading is None or scope is None:
            return False
        return any(binding.span == use.span for binding in reading.scopes[scope].bindings[use.name])

    # --- names ---

    def _name(self, name: Name) -> Value | None:
        reading = self._read(name.span.path)
        if reading is None or not 0 <= name.scope < len(reading.scopes):
            return None
        found = binding_scope(reading, name.scope, name.name)
        if found is None:
            return self._star_import(reading, name)
        bindings = reading.scopes[found].bindings[name.name]
        value = self._bound(bindings, name, reading, found)
        if value is None:
            return Unknown("assigned in more than one place", name.span)
        return self._with_changes(value, reading, found, name)

    def _star_import(self, reading: CodeReading, name: Name) -> Value | None:
        for binding in reading.scopes[0].bindings.get("*", ()):
            if isinstance(binding.value, Reference):
                module = self._modules.find(binding.value.module, reading.path, reading.language)
                if module is not None and self._exported(module, name.name) is not None:
                    return Reference(binding.value.module, name.name, name.span)
        return None

    def _function_scope(self, reading: CodeReading, scope: int) -> int:
        for _ in range(len(reading.scopes)):
            if scope <= 0 or reading.scopes[scope].kind == "function":
                return scope
            scope = reading.scopes[scope].parent
        return 0

    def _bound(self, bindings: SequenceOf[Binding], name: Name, reading: CodeReading, scope: int) -> Value | None:
        """What the name means at its use: the last certain binding before it, with conditional ones laid over it."""
        if len(bindings) == 1:
            return None if _defined_by(bindings[0].value, name) else bindings[0].value
        if len(bindings) > _MOST_BINDINGS:
            return None
        straight = self._function_scope(reading, name.scope) == self._function_scope(reading, scope)
        usable = [
            binding
            for binding in bindings
            if not isinstance(binding.value, (Null, Undefined))
            and not _defined_by(binding.value, name)
            and (not straight or binding.span.start <= name.span.start or isinstance(binding.value, Function))
        ]
        if not usable:
            usable = [b for b in bindings if not _defined_by(b.value, name)]
            if not usable:
                return None
        if len(usable) == 1:
            return usable[0].value
        if not straight and sum(1 for binding in usable if not binding.guards) > 1:
            return None
        # A test that they all stand behind is that of the block around, in which the use stands, too.
        shared = set.intersection(*({(guard.test.span, guard.holds) for guard in each.guards} for each in usable))
        value: Value | None = None
        for binding in usable:
            reached = self.holds(binding.guards)
            if reached is Tri.NO:
                continue
            if reached is Tri.YES:
                value = binding.value
            elif value is None:
                value = (
                    binding.value
                    if len(usable) == 1
                    else Choice(self._tests_of(binding, shared), binding.value, _unset(binding), binding.span)
                )
            else:
                value = Choice(self._tests_of(binding, shared), binding.value, value, binding.span)
        return _merge_complement(value)

    def _tests_of(self, binding: Binding, shared: set[tuple[Span, bool]]) -> Value:
        """All tests that lead to a binding, but those that are shared and those that hold for certain."""
        tests = [
            _as_test(guard)
            for guard in binding.guards
            if (guard.test.span, guard.holds) not in shared and self.holds((guard,)) is not Tri.YES
        ]
        if not tests:
            return _test_of(binding)
        return tests[0] if len(tests) == 1 else Operation("and", tuple(tests), tests[-1].span)

    # --- writes to members of a variable ---

    def surface(self, reading: CodeReading) -> Surface:
        """What a file says on its surface."""
        found = self._surfaces.get(reading.path)
        if found is None:
            found = self._surfaces[reading.path] = kept.surface_of(reading) or surface(reading)
        return found

    def _with_changes(self, value: Value, reading: CodeReading, scope: int, name: Name) -> Value:
        changed = self.surface(reading).changes.get((scope, name.name))
        if changed is None:
            return value
        target = self.resolve(value)
        if not isinstance(target, Mapping | Sequence):
            return value
        spent = self._gone_through[reading.path, scope, name.name] = len(changed) + self._gone_through.get(
            (reading.path, scope, name.name), 0
        )
        if spent > _MOST_CHANGES:
            return Unknown("changed too often", name.span)
        straight = self._function_scope(reading, name.scope) == self._function_scope(reading, scope)
        for change in (changed_at(reading, place) for place in changed):
            at = change.span if isinstance(change, Write) else change.call.span
            later = straight and at.start > name.span.start and self._in_same_function(reading, change, scope)
            if later or _encloses(at, name.span) or self.holds(change.guards) is Tri.NO:
                continue
            if isinstance(target, Mapping):
                target = self._changed_mapping(target, change)
            elif isinstance(target, Sequence):
                target = self._changed_sequence(target, change)
        return target

    def _in_same_function(self, reading: CodeReading, change: Write | CallSite, scope: int) -> bool:
        return self._function_scope(reading, change.scope) == self._function_scope(reading, scope)

    def _changed_mapping(self, mapping: Mapping, change: Write | CallSite) -> Value:
        certain = self.holds(change.guards) is Tri.YES
        if isinstance(change, CallSite):
            callee = change.call.callee
            added = change.call.arguments[1:] if is_assign(callee) else change.call.arguments
            if not is_assign(callee) and not (isinstance(callee, Member) and callee.key == "update"):
                return Unknown("changed by a method", change.call.span)
            spreads = (
                Spread(argument.value if certain else Unknown("under a condition", argument.span), argument.span)
                for argument in added
            )
            return Mapping((*mapping.items, *spreads), mapping.span)
        if isinstance(change.target, Index):
            return Mapping((*mapping.items, Entry(None, change.value, change.span, change.span)), mapping.span)
        path = _member_path(change.target)[1]
        if change.operation != "set":
            return self._written(mapping, path, change._replace(value=Unknown("added to", change.span)))
        if isinstance(change.value, Undefined) and change.value.span == change.span and len(path) == 1:
            return self._without(mapping, path[0], change, certain=certain)
        return self._written(mapping, path, change)

    @staticmethod
    def _without(mapping: Mapping, key: str, change: Write, *, certain: bool) -> Mapping:
        """A mapping after one key was deleted from it."""
        if not certain or any(isinstance(item, Spread) or item.key is None for item in mapping.items):
            gone = Entry(key, Unknown("deleted under a condition", change.span), change.span, change.span)
            return Mapping((*mapping.items, gone), mapping.span)
        return Mapping(
            tuple(item for item in mapping.items if isinstance(item, Spread) or item.key != key), mapping.span
        )

    def _changed_sequence(self, sequence: Sequence, change: Write | CallSite) -> Value:
        if isinstance(change, CallSite) and isinstance(change.call.callee, Member):
            if change.call.callee.key in GROWERS:
                return Sequence((*sequence.items, *self._grown(change)), sequence.span)
            return Unknown("changed by a method", change.call.span)
        at = change.span if isinstance(change, Write) else change.call.span
        return Unknown("changed in part", at)

    def _written(self, mapping: Mapping, path: tuple[str, ...], write: Write) -> Mapping:
        key, rest = path[0], path[1:]
        before = self.lookup(mapping, key)
        value = write.value
        if rest:
            inner = self.resolve(before) if before is not None else None
            if not isinstance(inner, Mapping):
                value = Unknown("written to in part", write.span)
            else:
                value = self._written(inner, rest, write)
        if self.holds(write.guards) is Tri.UNKNOWN and not rest:
            value = Choice(_test_of(write), value, before if before is not None else Undefined(write.span), write.span)
        key_span = write.target.key_span if isinstance(write.target, Member) else write.span
        return Mapping((*mapping.items, Entry(key, value, key_span, write.span)), mapping.span)

    def _grown(self, site: CallSite) -> Iterator[Value]:
        certain = self.holds(site.guards) is Tri.YES
        callee = site.call.callee
        spreads = isinstance(callee, Member) and callee.key in _EXTENDERS
        for argument in site.call.arguments:
            value = argument.value
            if not certain:
                yield Spread(Unknown("added under a condition", value.span), value.span)
            elif spreads and not isinstance(value, Spread):
                yield Spread(value, value.span)
            else:
                yield value

    # --- modules ---

    def module_file(self, reference: Reference) -> str | None:
        """The project's own file that a reference imports from, or None for a package from outside."""
        reading = self._read(reference.span.path)
        if reading is None:
            return None
        return self._modules.find(reference.module, reference.span.path, reading.language)

    def is_worth_following(self, callee: Value) -> bool:
        """Whether what is called may be an API, or a function of a file that is read.

        It is not where its name is imported from a file of the project that need not be read for that.
        """
        return self._unread_behind(callee) is None

    def _unread_behind(self, callee: Value) -> str | None:
        """The file that would have to be read to know what is called, and need not be read for that."""
        if id(callee) in self._worth:
            return None
        called = callee
        for _ in range(_MAX_HOPS):
            if type(callee) is Member:
                callee = callee.base
            elif type(callee) is Call:
                callee = callee.callee
            elif type(callee) is Name:
                bound = self._only_binding(callee)
                if bound is None:
                    break
                callee = bound
            elif type(callee) is Reference:
                path = self.module_file(callee)
                if path is None or self._leads_on(path) or self._python_submodule(callee) is not None:
                    break
                return path
            else:
                break
        self._worth[id(called)] = called
        return None

    def package_behind(self, callee: Value) -> str | None:
        """The package from outside that a name, or something asked of one, is imported from in the only place."""
        while type(callee) is Member:
            callee = callee.base
        if type(callee) is Name:
            callee = self._only_binding(callee) or callee
        if type(callee) is not Reference or not self._is_from_outside(callee):
            return None
        return None if self._modules.may_hold(callee.module) else callee.module

    def _is_from_outside(self, reference: Reference) -> bool:
        known = self._outside.get(id(reference))
        if known is None:
            outside = self.module_file(reference) is None and self._python_submodule(reference) is None
            known = self._outside[id(reference)] = outside, reference
        return known[0]

    def is_own_function(self, callee: Value) -> bool:
        """Whether a name is that of a function in the same file, which is no API."""
        return isinstance(callee, Name) and isinstance(self._only_binding(callee), Function)

    def is_global(self, callee: Value) -> bool:
        """Whether a name stands for nothing that its file or an import binds."""
        reading = self._read(callee.span.path) if isinstance(callee, Name) else None
        if reading is None or not isinstance(callee, Name) or not 0 <= callee.scope < len(reading.scopes):
            return False
        return binding_scope(reading, callee.scope, callee.name) is None and "*" not in reading.scopes[0].bindings

    def _only_binding(self, name: Name) -> Value | None:
        """What a name is bound to in the only place that does."""
        reading = self._read(name.span.path)
        if reading is None or not 0 <= name.scope < len(reading.scopes):
            return None
        scope = binding_scope(reading, name.scope, name.name)
        bindings = reading.scopes[scope].bindings[name.name] if scope is not None else ()
        return bindings[0].value if len(bindings) == 1 else None

    def _reference(self, reference: Reference) -> Value | None:
        path = self.module_file(reference)
        if path is None:
            return self._python_submodule(reference)
        if reference.name == "*":
            reading = self._read(path)
            whole = _export(reading, "=") if reading is not None else None
            return whole
        found = self._exported(path, reference.name)
        if found is None:
            return self._python_submodule(reference) or Unknown("not exported by the imported file", reference.span)
        return found

    def _python_submodule(self, reference: Reference) -> Value | None:
        """`from package import module`: the name is a file of its own."""
        reading = self._read(reference.span.path)
        if reading is None or reading.language != "python" or reference.name == "*":
            return None
        dot = "" if reference.module.endswith(".") else "."
        module = reference.module + dot + reference.name
        if self._modules.find(module, reference.span.path, "python") is None:
            return None
        return Reference(module, "*", reference.span)

    def _exported(self, path: str, name: str, depth: int = 0) -> Value | None:
        reading = self._read(path)
        if reading is None or depth > _MAX_FILES:
            return None
        if reading.language == "python":
            scope = reading.scopes[0] if reading.scopes else None
            bindings = scope.bindings.get(name) if scope is not None else None
            if bindings:
                end = scope.span.end if scope is not None else 0
                at = Span(path, end, end)
                return self._name(Name(name, 0, at))
            for binding in scope.bindings.get("*", ()) if scope is not None else ():
                if isinstance(binding.value, Reference):
                    module = self._modules.find(binding.value.module, path, "python")
                    found = self._exported(module, name, depth + 1) if module is not None else None
                    if found is not None:
                        return found
            return None
        direct = _export(reading, name)
        if direct is not None:
            return direct
        whole = _export(reading, "=")
        if whole is not None:
            if name == "default":
                return whole
            resolved = self.resolve(whole)
            found = self.lookup(resolved, name) if isinstance(resolved, (Mapping, Choice)) else None
            return found
        for export in reading.exports:
            if export.name == "*" and isinstance(export.value, Reference):
                module = self.module_file(export.value)
                if module is None:
                    continue
                if not self._may_export(module, name):
                    self._depends |= {(module, name)}  # it may once the file is read
                    self._not_exported.add((module, name))
                    continue
                found = self._exported(module, name, depth + 1)
                if found is not None:
                    return found
        if name == "default" and any(export.name not in ("*", "=") for export in reading.exports):
            return None
        return None

    # --- members ---

    def _member_of(self, member: Member) -> Value | None:
        base = self.resolve(member.base)
        key = member.key
        match base:
            case Mapping():
                found = self.lookup(base, key)
                return found if found is not None else self._method_or_missing(member)
            case Sequence():
                if key.isdigit() and int(key) < len(base.items):
                    if any(isinstance(item, Spread) for item in base.items[: int(key) + 1]):
                        return Unknown("behind a spread", member.span)
                    return base.items[int(key)]
            case Reference():
                return self._reference_member(base, member)
            case This():
                return self._field(base, key, member)
            case Call():
                made_from = self.resolve(base.callee)
                if isinstance(made_from, This):
                    return self._field(made_from, key, member)
                laid = self._laid_on(member)
                if laid is not None:
                    return laid
            case Choice():
                return Choice(base.test, member._replace(base=base.yes), member._replace(base=base.no), member.span)
            case Name() | Member():
                return self._variable(base, member) or (None if base is member.base else member._replace(base=base))
            case Unknown():
                return None if base is member.base else member._replace(base=base)
        return None if base is member.base else member._replace(base=base)

    def _laid_on(self, member: Member) -> Value | None:
        """What the only statement of a file lays on an object that a call made: `app.io = socketio(server)`."""
        name = member.base
        reading = self._read(name.span.path)
        if not isinstance(name, Name) or reading is None or not 0 <= name.scope < len(reading.scopes):
            return None
        scope = binding_scope(reading, name.scope, name.name)
        if scope is None:
            return None
        changed = self.surface(reading).changes.get((scope, name.name), ())
        spent = self._gone_through[reading.path, scope, name.name] = len(changed) + self._gone_through.get(
            (reading.path, scope, name.name), 0
        )
        if spent > _MOST_CHANGES:
            return None
        writes = [
            change
            for change in (changed_at(reading, place) for place in changed)
            if isinstance(change, Write) and isinstance(change.target, Member)
            if isinstance(change.target.base, Name) and change.target.key == member.key
        ]
        if len(writes) != 1 or _encloses(writes[0].span, member.span):
            return None
        return writes[0].value if self.holds(writes[0].guards) is Tri.YES else None

    @staticmethod
    def _method_or_missing(member: Member) -> Value | None:
        return Undefined(member.span) if member.key not in _OBJECT_METHODS else None

    def _reference_member(self, base: Reference, member: Member) -> Value | None:
        path = self.module_file(base)
        if path is not None and base.name == "*":
            return self._exported(path, member.key) or Unknown("not exported by the imported file", member.span)
        reading = self._read(base.span.path)
        variable = self._variable(base, member)
        if variable is not None:
            return variable
        if reading is not None and reading.language == "python":
            module = base.module if base.name == "*" else f"{base.module}.{base.name}"
            return Reference(module, member.key, member.span)
        if base.name in ("*", "default"):
            return Reference(base.module, member.key, member.span)
        return member._replace(base=base)

    def _variable(self, base: Value, member: Member) -> EnvVar | None:
        """The environment variable that a member of this object is, if the object is the environment."""
        name = self._name_ending(base, self._last_of_environments)
        if name is None or f"{name}/{member.key}" in self._assumptions.reads:
            return None
        if f"{name}#{member.key}" in self._assumptions.reads:
            return None
        if name in self._assumptions.environments:
            return EnvVar(member.key, False, member.span)
        if name in self._assumptions.required_environments and member.key not in _OBJECT_METHODS:
            return EnvVar(member.key, True, member.span)
        return None

    def _name_ending(self, value: Value, endings: frozenset[str]) -> str | None:
        """The API's name of a resolved value, if it may end with one of these: seldom does any."""
        kind = type(value)
        if kind is Member or kind is Name:
            last = value.key if isinstance(value, Member) else value.name if isinstance(value, Name) else ""
            if last not in endings and _PARTED.isdisjoint(last):
                return None
        elif kind is not Reference and (kind is not Call or _OF_CALL not in endings):
            return None
        return self.canonical_of_resolved(value)

    def _field(self, this: This, key: str, member: Member, depth: int = 0) -> Value | None:
        """A field or method of a class: what its body, its methods or a base class assign, if that is one thing."""
        reading = self._read(this.span.path)
        if reading is None or this.scope >= len(reading.scopes) or depth > _MAX_FILES:
            return None
        bindings = reading.scopes[this.scope].bindings
        candidates = [binding.value for binding in bindings.get(key, ())]
        written = self.surface(reading).fields.get((this.scope, key), ())
        candidates += [reading.writes[place].value for place in written]
        candidates = [value for value in candidates if not isinstance(value, (Null, Undefined))]
        bases = [self.resolve(binding.value) for binding in bindings.get("*", ())]
        if any(not isinstance(base, This) for base in bases):
            # A base class from outside may fill fields from anywhere (settings classes read the environment).
            if len(candidates) == 1 and isinstance(candidates[0], (Function, Call)):
                return candidates[0]
            return Unknown("a field of a class whose base is not known", member.span)
        if len(candidates) == 1:
            return candidates[0]
        if not candidates:
            for base in bases:
                found = self._field(base, key, member, depth + 1) if isinstance(base, This) else None
                if found is not None and not isinstance(found, Unknown):
                    return found
        return Unknown("assigned in more than one place" if candidates else "not assigned in its class", member.span)

    def record(self, value: Value) -> Value:
        """The value, resolved; the call of an API that only holds its keyword arguments is the object of these."""
        value = self.resolve(value)
        if isinstance(value, Call) and self._assumptions.records:
            if self.canonical(value.callee) in self._assumptions.records:
                return keyword_mapping(value.arguments, value.span)
        return value

    def lookup(self, value: Value, key: str) -> Value | None:
        """The value of `key` in an object; None when it is certainly not there; Unknown when that can't be told."""
        return self._looked_up(value, key, 0, {})

    def _looked_up(
        self, value: Value, key: str, depth: int, known: dict[int, tuple[Value, Value | None]]
    ) -> Value | None:
        """`known`: what was found in objects, which may be spread in more than one other. By identity, which is theirs
        as long as they are kept beside it."""
        value = self.record(value)
        if depth > _MAX_DEPTH:
            return Unknown("nested too deeply", value.span)
        if not isinstance(value, (Choice, Mapping)):
            return self._looked_up_in(value, key, depth, known)
        if id(value) not in known:
            known[id(value)] = value, self._looked_up_in(value, key, depth, known)
        return known[id(value)][1]

    def _looked_up_in(
        self, value: Value, key: str, depth: int, known: dict[int, tuple[Value, Value | None]]
    ) -> Value | None:
        if isinstance(value, Choice):
            yes = self._looked_up(value.yes, key, depth + 1, known)
            no = self._looked_up(value.no, key, depth + 1, known)
            if yes is None and no is None:
                return None
            if yes is None or no is None:
                return Unknown("given under a condition", value.span)
            return Choice(value.test, yes, no, value.span)
        if isinstance(value, (Literal, Null, Undefined)):
            return None
        if not isinstance(value, Mapping):
            return Unknown("in an object that could not be read", value.span)
        unsure: Value | None = None
        for item in reversed(value.items):
            if isinstance(item, Spread):
                inner = self.resolve(item.value)
                if isinstance(inner, (Null, Undefined)) or (isinstance(inner, Literal) and not inner.value):
                    continue
                found = self._looked_up(inner, key, depth + 1, known)
                if isinstance(found, Unknown):
                    return unsure or found
                if found is not None:
                    return unsure or found
            elif item.key is None:
                unsure = unsure or Unknown("beside a computed key", item.span)
            elif item.key == key:
                return unsure or item.value
        return unsure

    def entry(self, value: Value, key: str) -> Entry | None:
        """The last entry of an object that is written with this key, for its place; None if there is none."""
        return self._entry(value, key, {})

    def _entry(self, value: Value, key: str, without: dict[int, Value]) -> Entry | None:
        """`without`: the objects that were looked at and have none, by identity."""
        value = self.resolve(value)
        if not isinstance(value, Mapping) or id(value) in without or len(without) > _MOST_ITEMS:
            return None
        without[id(value)] = value
        for item in reversed(value.items):
            if isinstance(item, Spread):
                found = self._entry(item.value, key, without)
                if found is not None:
                    return found
            elif item.key == key:
                return item
        return None

    def _indexed(self, value: Index) -> Value:
        key = self.resolve(value.key)
        if isinstance(key, Literal) and not isinstance(key.value, bool):
            return self.resolve(Member(value.base, str(key.value), key.span, value.span))
        return Unknown("chosen at run time", value.span)

    # --- calls ---

    def _call(self, call: Call) -> Resolved:
        callee = self.resolve(call.callee)
        name = self._name_ending(callee, self._last_of_calls)
        if name is not None:
            read = self._assumptions.reads.get(name)
            if read is not None:
                return Resolved(self._environment_read(call, read), ())
            if name in self._assumptions.receivers and isinstance(callee, Member):
                return self.resolved(callee.base)
        if isinstance(callee, Function) and not call.construct:
            return self._returned(call, callee)
        evaluated = self._built_in(call, callee, name)
        if evaluated is not None:
            return (
                self.resolved(evaluated)
                if evaluated.span != call.span or type(evaluated) is not Call
                else Resolved(evaluated, ())
            )
        return Resolved(call, ())

    def _environment_read(self, call: Call, read: EnvironmentRead) -> Value:
        name = self.argument(call, read.name, None)
        name = self.resolve(name) if name is not None else None
        if not isinstance(name, Literal) or not isinstance(name.value, str):
            return Unknown("environment variable chosen at run time", call.span)
        fallback = self.argument(call, read.fallback, read.fallback_keyword)
        value: Value = EnvVar(name.value, read.required and fallback is None, call.span)
        given = self.resolve(fallback) if fallback is not None else None
        if fallback is not None and not isinstance(given, (Null, Undefined)):
            value = Fallback(value, fallback, "missing", call.span)
        cast = self.argument(call, None, read.cast) if read.cast is not None else None
        kind = self.canonical(cast) if cast is not None else None
        if read.splits or kind in read.lists:
            # A list as the fallback stays as it is: only texts are cut.
            return value if isinstance(given, Sequence) else Split(value, ",", True, call.span)
        if cast is None or kind == "global#str" or (given is not None and not isinstance(given, Literal)):
            return value
        textual = given is None or isinstance(given.value, str)
        return Unknown("cast at run time", call.span) if textual else value

    @staticmethod
    def argument(call: Call, position: int | None, keyword: str | None) -> Value | None:
        """An argument by position or keyword; None when it is not written there (or hidden behind a spread)."""
        if keyword is not None:
            for argument in call.arguments:
                if argument.keyword == keyword:
                    return argument.value
        if position is None:
            return None
        before = 0
        for argument in call.arguments:
            if argument.keyword is not None:
                continue
            if isinstance(argument.value, Spread):
                return None
            if before == position:
                return argument.value
            before += 1
        return None

    def _returned(self, call: Call, function: Function) -> Resolved:
        returns = [r for r in function.returns if self.holds(r.guards) is not Tri.NO]
        if len(returns) == 1 and not isinstance(returns[0].value, (Null, Undefined)):
            return self._follow(call, returns[0].value)
        either = _either(returns, call.span)
        if either is not None:
            return self._follow(call, either)
        return Resolved(
            Unknown("returned by a function in more than one way" if returns else "returns nothing", call.span), ()
        )

    def _built_in(self, call: Call, callee: Value, name: str | None) -> Value | None:
        """Calls of the languages' own that leave a value as it is, or cut, trim or join it."""
        if name in _COPIES:
            argument = self.argument(call, 0, None)
            return argument if argument is not None else None
        if name == "global#Object.assign":
            items = tuple(Spread(argument.value, argument.span) for argument in call.arguments)
            return Mapping(items, call.span)
        if name == "global#dict":
            return _keywords(call)
        if not isinstance(callee, Member):
            return None
        base = self.resolve(callee.base)
        if isinstance(base, (Call, Function)):
            return None
        if callee.key == "split" and isinstance(base, _TEXTS):
            separator = self.argument(call, 0, None)
            separator = self.resolve(separator) if separator is not None else None
            if isinstance(separator, Literal) and isinstance(separator.value, str) and separator.value:
                return Split(base, separator.value, False, call.span)
            return Unknown("split at run time", call.span)
        if callee.key in ("map", "filter") and isinstance(base, (Sequence, Split)):
            return self._mapped(call, callee.key, base)
        if callee.key in _TRIMMERS and isinstance(base, Literal) and isinstance(base.value, str) and not call.arguments:
            return Literal(base.value.strip(), base.span)
        if callee.key == "concat" and isinstance(base, Sequence):
            return Sequence((*base.items, *(Spread(a.value, a.span) for a in call.arguments)), call.span)
        return None

    def _mapped(self, call: Call, method: str, base: Sequence | Split) -> Value:
        function = self.argument(call, 0, None)
        function = self.resolve(function) if function is not None else None
        if method == "filter":
            keeps_all = isinstance(function, Name) and function.name == "Boolean"
            if keeps_all or (isinstance(function, Function) and self._is_identity(function)):
                return base
            return Unknown("filtered at run time", call.span)
        if self._trims(function):
            if isinstance(base, Split):
                # Its own place: what is known of the text that is cut and not trimmed stands under the other one.
                return base._replace(trimmed=True, span=call.span)
            trimmed = []
            for item in base.items:
                value = self.resolve(item)
                if not isinstance(value, Literal) or not isinstance(value.value, str):
                    return Unknown("trimmed at run time", call.span)
                trimmed.append(Literal(value.value.strip(), value.span))
            return Sequence(tuple(trimmed), base.span)
        if isinstance(function, Function) and self._is_identity(function):
            return base
        return Unknown("computed at run time", call.span)

    def _is_identity(self, function: Function) -> bool:
        if len(function.returns) != 1 or function.returns[0].guards:
            return False
        value = function.returns[0].value
        value = self._parameter_behind(value)
        return isinstance(value, Parameter) and value.function == function.span and value.position == 0

    def _parameter_behind(self, value: Value) -> Value:
        """The parameter that a bare name stands for, without looking for callers."""
        if isinstance(value, Name):
            reading = self._read(value.span.path)
            if reading is not None:
                scope = binding_scope(reading, value.scope, value.name)
                if scope is not None:
                    bindings = reading.scopes[scope].bindings[value.name]
                    if len(bindings) == 1:
                        return bindings[0].value
        return value

    def _trims(self, function: Value | None) -> bool:
        if isinstance(function, (Member, Reference, Name)):
            name = self.canonical_of_resolved(function)
            return name in ("global#str.strip", "global#String.prototype.trim")
        if not isinstance(function, Function) or len(function.returns) != 1:
            return False
        value = function.returns[0].value
        if not isinstance(value, Call) or not isinstance(value.callee, Member) or value.callee.key not in _TRIMMERS:
            return False
        base = self._parameter_behind(value.callee.base)
        return isinstance(base, Parameter) and base.function == function.span

    # --- parameters ---

    def _parameter(self, parameter: Parameter) -> Value | None:
        """A parameter is what its only caller passes; several callers, or none in the project, leave it unknown."""
        self._depends |= {parameter.function}
        if self._indexing:
            return None
        calls = self._callers().get(parameter.function, [])
        if len(calls) != 1 or not parameter.name:
            return None
        (only,) = calls
        position = parameter.position - 1 if only.bound else parameter.position
        return self.argument(only.site.call, position if position >= 0 else None, parameter.name)

    def calls_of(self, function: Span) -> list[CallSite]:
        """Where the function of this place is called; none are known while they are being looked for."""
        return [] if self._indexing else [calling.site for calling in self._callers().get(function, ())]

    def _callers(self) -> dict[Span, list[_Calling]]:
        """The calls of every function of the project."""
        if not self._all_indexed and self._everything is not None:
            self._indexing = self._all_indexed = True
            depends = self._depends
            known = {function: len(calls) for function, calls in self._calls_of.items()}
            cache, self._cache = self._cache, {}
            opened, self._open = self._open, {}
            cut, self._cut = self._cut, _NOT_CUT
            steps = self._steps
            try:
                self._index_left_out()
                for _ in range(_MAX_FILES):
                    added = [reading for reading in self._everything() if reading.path not in self._searched]
                    if not added:
                        break
                    for reading in added:
                        self._index(reading)
            finally:
                self._indexing = False
                self._cache, self._open, self._cut = cache, opened, cut
                self._steps, self._depends = steps, depends
            news = {on for on, calls in self._calls_of.items() if _is_news(known.get(on, 0), len(calls))}
            self._news |= news
            self._forget({*news})
        return self._calls_of

    def calls_named(self, reading: CodeReading, names: Iterable[str]) -> Iterator[CallSite]:
        """The calls of a file that call something by one of these names, in their order."""
        found = self.surface(reading).names
        for place in sorted(place for name in names for place in found.get(name, ())):
            yield reading.calls[place]

    def imported_files(self, reading: CodeReading) -> tuple[str, ...]:
        """The files of the project that names of a file are imported from."""
        return self._files_of(reading, self.surface(reading).bound)

    def used_files(self, reading: CodeReading) -> tuple[str, ...]:
        """The files of the project that a file imports anything from."""
        found = self.surface(reading)
        return self._files_of(reading, (*found.bound, *found.further))

    def _files_of(self, reading: CodeReading, modules: Iterable[str]) -> tuple[str, ...]:
        files = (self._modules.find(module, reading.path, reading.language) for module in modules)
        return tuple(path for path in files if path is not None)

    def _index(self, reading: CodeReading) -> None:
        """Note which functions a file calls, but for those of files that are not read."""
        self._searched.add(reading.path)
        called: list[tuple[int, Span, bool]] = []
        found = self.surface(reading)
        for places in (*found.shapes.values(), *([place] for place, _ in found.others)):
            callee = kept.callee(reading, places[0])
            own = self._only_binding(callee) if type(callee) is Name else None
            if type(own) is Function:  # what it is called for changes nothing about a function
                called += [(place, own.span, False) for place in places]
            elif self._may_be_own(callee):
                unread = self._unread_behind(callee)
                if unread is not None:
                    self._left_out += [(unread, reading, place) for place in places]
                else:
                    called += self._functions_called(reading, places)
        for place, function, bound in sorted(called):
            self._calls_of.setdefault(function, []).append(_Calling(reading, place, bound))

    def _functions_called(self, reading: CodeReading, places: SequenceOf[int]) -> Iterator[tuple[int, Span, bool]]:
        """The functions that calls of one thing call; what is not settled is asked for by each."""
        settled, found = False, None
        for place in places:
            if not settled:
                self._depends = _SETTLED
                found = self._function_called(reading, kept.callee(reading, place))
                settled = not self._depends
            if found is not None:
                yield (place, *found)

    def _function_called(self, reading: CodeReading, callee: Value) -> tuple[Span, bool] | None:
        target = self.resolve(callee)
        if not isinstance(target, Function):
            return None
        return target.span, isinstance(callee, Member) and self._is_method(target, reading)

    def _index_left_out(self) -> None:
        """Note the calls of functions in files that have been read since."""
        left_out, self._left_out = self._left_out, []
        for unread, reading, place in left_out:
            if not self._leads_on(unread):
                self._left_out.append((unread, reading, place))
                continue
            found = self._function_called(reading, kept.callee(reading, place))
            if found is not None:
                self._calls_of.setdefault(found[0], []).append(_Calling(reading, place, found[1]))

    def _may_be_own(self, callee: Value) -> bool:
        """Whether a function of the project may be called so: what a global, a package or a caller brings is none."""
        if not isinstance(callee, (Name, Member, Reference, Function)):
            return False
        while isinstance(callee, (Member, Call)):
            callee = callee.base if isinstance(callee, Member) else callee.callee
        if isinstance(callee, Name):
            reading = self._read(callee.span.path)
            if reading is None or not 0 <= callee.scope < len(reading.scopes):
                return False
            scope = binding_scope(reading, callee.scope, callee.name)
            if scope is None:
                return "*" in reading.scopes[0].bindings
            bindings = reading.scopes[scope].bindings[callee.name]
            bound = bindings[0].value if len(bindings) == 1 else None
            if isinstance(bound, Parameter):
                return False
            callee = bound if isinstance(bound, Reference) else callee
        return not isinstance(callee, Reference) or not self._is_from_outside(callee)

    def _is_method(self, function: Function, reading: CodeReading) -> bool:
        if reading.language != "python":
            return False
        home = self._read(function.span.path)
        if home is None or not 0 <= function.scope < len(home.scopes):
            return False
        parent = home.scopes[function.scope].parent
        return parent >= 0 and home.scopes[parent].kind == "class"

    # --- composed values ---

    def _fallback(self, value: Fallback) -> Resolved:
        first = self.resolved(value.first)
        match first.value:
            case Null() | Undefined():
                return self.resolved(value.then)
            case Literal():
                if value.on == "missing" or first.value.value:
                    return first
                return self.resolved(value.then)
            case Mapping() | Sequence() | Function() | Regex() | Call() | Concat():
                return first
            case EnvVar(name=name) if name in self._assumptions.production:
                return Resolved(Literal(self._assumptions.production[name], first.value.span), first.trail)
        then = self.resolved(value.then)
        either = Fallback(first.value, then.value, value.on, value.span)
        if _has_too_many_parts(either):
            return Resolved(Unknown("one of too many values", value.span), ())
        return Resolved(either, (*first.trail, *then.trail))

    def _concat(self, value: Concat) -> Value:
        parts = [self.resolve(part) for part in value.parts]
        if any(isinstance(part, Sequence) for part in parts):
            items = tuple(
                item
                for part in parts
                for item in (part.items if isinstance(part, Sequence) else (Spread(part, part.span),))
            )
            if len(items) > _MOST_ITEMS:
                return Unknown("a list too long to be put together", value.span)
            return Sequence(items, value.span)
        if all(isinstance(part, Literal) for part in parts):
            texts = [_text(part.value) for part in parts if isinstance(part, Literal)]
            if sum(map(len, texts)) > _LONGEST_TEXT:
                return Unknown("a text too long to be put together", value.span)
            return Literal("".join(texts), value.span)
        whole = Concat(tuple(parts), value.span)
        return Unknown("put together from too much", value.span) if _has_too_many_parts(whole) else whole

    def _split(self, value: Split) -> Resolved:
        inner = self.resolved(value.value)
        if not isinstance(inner.value, Literal) or not isinstance(inner.value.value, str):
            return Resolved(value._replace(value=inner.value), inner.trail)
        literal = inner.value
        pieces = inner.value.value.split(value.separator)
        items: list[Value] = []
        at = literal.span.start + (literal.span.end - literal.span.start - len(inner.value.value.encode())) // 2
        exact = literal.span.end - literal.span.start - len(inner.value.value.encode()) == 2
        for piece in pieces:
            length = len(piece.encode())
            text = piece.strip() if value.trimmed else piece
            lead = len(piece.encode()) - len(piece.lstrip().encode()) if value.trimmed else 0
            start = at + lead
            span = Span(literal.span.path, start, start + len(text.encode())) if exact else literal.span
            items.append(Literal(text, span))
            at += length + len(value.separator.encode())
        return Resolved(Sequence(tuple(items), value.span), inner.trail)

    # --- tests ---

    def holds(self, guards: Iterable[Guard]) -> Tri:
        """Whether a statement behind these tests runs in production."""
        result = Tri.YES
        for guard in guards:
            answer = self.test(guard.test)
            if not guard.holds:
                answer = ~answer
            if answer is Tri.NO:
                return Tri.NO
            if answer is Tri.UNKNOWN:
                result = Tri.UNKNOWN
        return result

    def test(self, value: Value, depth: int = 0) -> Tri:
        """Whether a condition holds in production."""
        if depth > _MAX_DEPTH:
            return Tri.UNKNOWN
        if isinstance(value, Operation):
            return self._operation(value, depth)
        if isinstance(value, (Name, Member, Reference)) and self.assumed(value) is not None:
            return Tri.YES if self.assumed(value) else Tri.NO
        resolved = value if isinstance(value, Fallback) else self.resolve(value)
        match resolved:
            case Literal(value=literal):
                return Tri.YES if literal else Tri.NO
            case Null() | Undefined():
                return Tri.NO
            case Mapping() | Sequence() | Regex() | Function():
                return Tri.YES
            case Fallback():
                first, then = self.test(resolved.first, depth + 1), self.test(resolved.then, depth + 1)
                if resolved.on == "falsy":
                    return (
                        first
                        if first is Tri.YES
                        else then
                        if first is Tri.NO
                        else (Tri.YES if then is Tri.YES else Tri.UNKNOWN)
                    )
                return first if first is then else Tri.UNKNOWN
            case EnvVar(name=name) if name in self._assumptions.production:
                return Tri.YES if self._assumptions.production[name] else Tri.NO
        return Tri.UNKNOWN  # an operation that could be decided is a literal by now

    def assumed(self, value: Value) -> str | bool | None:
        """What a name such as `DEBUG` or `import.meta.env.PROD` is in production, by its spelling."""
        if isinstance(value, Name):
            return self._assumptions.production.get(value.name)
        if isinstance(value, (Member, Reference)):
            key = value.key if isinstance(value, Member) else value.name
            if key in self._assumptions.production:
                return self._assumptions.production[key]
        return None

    def _production_text(self, value: Value) -> str | bool | int | float | None:
        assumed = self.assumed(value)
        if assumed is not None:
            return assumed
        resolved = self.resolve(value)
        if isinstance(resolved, Fallback):
            resolved = resolved.first
        if isinstance(resolved, EnvVar):
            return self._assumptions.production.get(resolved.name)
        if isinstance(resolved, Literal):
            return resolved.value
        return None

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
                left, right = self._production_text(operands[0]), self._production_text(operands[1])
                if left is None or right is None:
                    return Tri.UNKNOWN
                same = Tri.YES if left == right else Tri.NO
                return same if operation.operator == "==" else ~same
        return Tri.UNKNOWN

    # --- canonical names ---

    def canonical(self, value: Value) -> str | None:
        """The name of an API, independent of how it was imported.

        `pkg#Export` (CommonJS's module object and an ES default import are both `pkg#default`), `pkg#Export()/method`
        for a method of what a call returns, `global#name` for a global, `?/method` on an unknown object.
        """
        key = (_said(value), value.span)
        if key in self._names:
            return self._names[key]
        before, self._depends = self._depends, _SETTLED
        name = self.canonical_of_resolved(self.resolve(value))
        self.depends = self._depends
        if not self._depends and not self._open:
            self._names[key] = name
        self._depends = _joined(before, self._depends) if self._open else _SETTLED
        return name

    def is_settled(self, value: Value) -> bool:
        """Whether the canonical name of a value was asked for, and stays what it is whatever else is read."""
        return (_said(value), value.span) in self._names

    def canonical_of_resolved(self, value: Value, depth: int = 0) -> str | None:
        """Like `canonical`, for a value that is already resolved."""
        if depth > _MAX_DEPTH:
            return None
        match value:
            case Reference(module=module, name=name):
                reading = self._read(value.span.path)
                if reading is not None and reading.language != "python" and name in ("*", "default"):
                    return f"{module.removeprefix('node:')}#default"
                return f"{module.removeprefix('node:')}#{name}"
            case Name(name=name):
                return f"global#{name}"
            case Call(callee=callee):
                inner = self.canonical_of_resolved(self.resolve(callee), depth + 1)
                return f"{inner}()" if inner is not None else None
            case Member(base=base, key=key):
                inner = self.canonical_of_resolved(self.resolve(base), depth + 1)
                if inner is None:
                    return f"?/{key}"
                return f"{inner}/{key}" if inner.endswith("()") or inner.startswith("?") else f"{inner}.{key}"
        return None


_ARE_THEMSELVES = frozenset({Literal, Null, Undefined, Regex, EnvVar, Function, Mapping, Sequence, Unknown})
"""What nothing is looked for behind. (Every class is its own: a set knows that faster than `isinstance`.)"""
_STEPS: dict[type, Callable[[Linker, Any], Resolved]] = {
    Name: lambda linker, value: linker._follow(value, linker._name(value)),
    Reference: lambda linker, value: linker._follow(value, linker._reference(value)),
    Member: lambda linker, value: linker._follow(value, linker._member_of(value)),
    Parameter: lambda linker, value: linker._follow(value, linker._parameter(value)),
    Index: lambda linker, value: Resolved(linker._indexed(value), ()),
    Call: Linker._call,
    Choice: Linker._choice,
    Fallback: Linker._fallback,
    Concat: lambda linker, value: Resolved(linker._concat(value), ()),
    Split: Linker._split,
    Operation: Linker._decided,
}
"""How what is behind a value is found, by its class. What has none stands for itself."""
_EXTENDERS = frozenset({"extend"})
_OBJECT_METHODS = frozenset(
    {"get", "hasOwnProperty", "keys", "values", "items", "toString", "setdefault", "pop", "copy", "update"}
)
_COPIES = frozenset(
    {
        "global#Object.freeze",
        "global#Array.from",
        "global#list",
        "global#tuple",
        "global#set",
        "global#frozenset",
        "global#sorted",
    }
)
_BUILT_IN = frozenset({"global#Object.assign", "global#dict"})
_PARTED = frozenset("#/.")
"""What stands between the parts of an API's name."""
_OF_CALL = "()"
_TEXTS = (Literal, EnvVar, Fallback, Concat, Choice, Unknown)


@lru_cache(maxsize=8)
def _endings(names: frozenset[str]) -> frozenset[str]:
    """The last parts of names of APIs; `_OF_CALL` for what calls return."""
    plain = ((name, name.replace("#", ".").replace("/", ".")) for name in names)
    return frozenset(_OF_CALL if name.endswith(_OF_CALL) else parts.rpartition(".")[2] for name, parts in plain)


def _joined(one: Depends, other: Depends) -> Depends:
    """What a value depends on that depends on all of these. Of what depends on very much, that alone is kept."""
    if not one or not other:
        return one or other
    both = one | other
    return both if len(both) <= _MOST_DEPENDS else _UNSETTLED


def _is_news(before: int, now: int) -> bool:
    """Whether so many calls say something else of a parameter: it is known by the only one."""
    return min(before, 2) != min(now, 2)


def _text(value: str | bool | int | float) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def _has_too_many_parts(value: Value) -> bool:
    waiting, count = [value], 0
    while waiting:
        part = waiting.pop()
        count += 1
        if count > _MAX_PARTS:
            return True
        if isinstance(part, Fallback):
            waiting += (part.first, part.then)
        elif isinstance(part, Concat):
            waiting += part.parts
    return False


def _defined_by(value: Value, name: Name) -> bool:
    """Whether a name stands in its own definition; within a function, it is the function."""
    return not isinstance(value, Function) and _encloses(value.span, name.span)


def _encloses(outer: Span, inner: Span) -> bool:
    return outer.path == inner.path and outer.start <= inner.start < outer.end and inner.end <= outer.end


def _member_path(value: Value) -> tuple[Value, tuple[str, ...]]:
    path: list[str] = []
    while isinstance(value, Member):
        path.append(value.key)
        value = value.base
    return value, tuple(reversed(path))


def _said(value: Value) -> str:
    """What tells values at one place apart: a settings module's names are all looked up from its end."""
    kind = type(value)
    said = _SAID.get(kind)
    return said(value) if said is not None else kind.__name__


_SAID: dict[type, Callable[[Any], str]] = {
    Member: lambda value: f"Member {value.key}",
    Name: lambda value: f"Name {value.name}",
    Parameter: lambda value: f"Parameter {value.name}",
    Reference: lambda value: f"Reference {value.module} {value.name}",
    # Each option of two objects of which a test chooses is such a choice itself.
    Choice: lambda value: f"Choice {value.yes.span} {value.no.span}",
}


def _test_of(item: Binding | Write) -> Value:
    """The innermost test that leads to a binding or write, the way round that makes it hold."""
    return _as_test(item.guards[-1])


def _as_test(guard: Guard) -> Value:
    return guard.test if guard.holds else Operation("not", (guard.test,), guard.test.span)


def _unset(binding: Binding) -> Value:
    return Undefined(binding.span)


def _merge_complement(value: Value | None) -> Value | None:
    """`if (t) x = a; else x = b;` leaves no third case: drop an `undefined` that no branch can reach."""
    if isinstance(value, Choice) and isinstance(value.no, Choice) and isinstance(value.no.no, Undefined):
        outer, inner = value.test, value.no.test
        if (
            isinstance(outer, Operation)
            and outer.operator == "not"
            and outer.operands
            and outer.operands[0].span == inner.span
        ):
            return Choice(inner, value.no.yes, value.yes, value.span)
    return value


def _export(reading: CodeReading | None, name: str) -> Value | None:
    found: Value | None = None
    for export in reading.exports if reading is not None else ():
        if export.name == name:
            found = export.value
    return found


def _either(returns: list[Return], span: Span) -> Choice | None:
    """What a function returns that has two ways out, with one test between them: `if (t) return a; return b;`."""
    if len(returns) != 2 or len(returns[0].guards) != 1:
        return None
    (guard,), (one, other) = returns[0].guards, (way.value for way in returns)
    if any(test.test.span != guard.test.span or test.holds is guard.holds for test in returns[1].guards):
        return None
    return Choice(guard.test, one, other, span) if guard.holds else Choice(guard.test, other, one, span)


def _keywords(call: Call) -> Mapping:
    return keyword_mapping(call.arguments, call.span)


def keyword_mapping(arguments: Iterable[Argument], span: Span) -> Mapping:
    """The keyword arguments of a call, seen as one object; `**value` stays a spread."""
    items: list[Entry | Spread] = []
    for argument in arguments:
        if argument.keyword is not None:
            key_span = Span(
                argument.span.path, argument.span.start, argument.span.start + len(argument.keyword.encode())
            )
            items.append(Entry(argument.keyword, argument.value, key_span, argument.span))
        elif isinstance(argument.value, Spread) and argument.keyword is None:
            items.append(Spread(argument.value.value, argument.span))
    return Mapping(tuple(items), span)
