"""Readings + descriptors -> facts. What an API means stands in `frameworks/*.yaml`; no library is named here."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from collections.abc import Mapping as MappingOf
from functools import lru_cache, partial

from corslint.frameworks.catalog import (
    CallSpec,
    Catalog,
    ClassSpec,
    Delegate,
    Descriptor,
    EmitSpec,
    FieldSource,
    HeaderSpec,
    OptionGroup,
    SettingsSpec,
)
from corslint.model import kept
from corslint.model.cors_headers import ALLOW_CREDENTIALS, ALLOW_ORIGIN, LISTS, answers_cors, nearest
from corslint.model.facts import ABSENT, Fact, Field, State
from corslint.model.kept import may_spell
from corslint.model.reading import Binding, CallSite, CodeReading, Export, ManifestReading, Scope
from corslint.model.semantics import MEANINGS, PolicySemantics, means_yes
from corslint.model.tri import Tri, all_of, any_of, tri
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
    Spread,
    This,
    Undefined,
    Unknown,
    Value,
)
from corslint.model.versions import Release
from corslint.project.link import Depends, Linker, keyword_mapping
from corslint.project.packages import Packages, VersionInForce
from corslint.project.scripts import Loaded, Scripts
from corslint.records import NamedTuple
from corslint.regexes import regex
from corslint.source import Span

_MAX_VARY_DEPTH = 8
_MAX_WRAPPERS = 4
"""Through how many functions and calls the options in a file are looked for."""
_MAX_PARTS = 20_000
"""How many values of a file are looked through for the list that holds a call."""
_MAX_CHAIN = 32
MOST_POLICIES = 500
"""How many calls of one file that make CORS policies or socket servers are looked at: each costs some milliseconds, and
no program of people has a tenth of them."""
MOST_HEADERS = 1000
"""How many places of one file that write headers by hand are looked at: each is compared with all others."""
_MADE_OF_POLICIES = frozenset({"cors_policy", "socket_server"})
_VARY_HEADER = "vary"
_LAST_NAME = regex(r"[#/.]")
_WEB_ORIGIN = regex(r"(https?)://([a-z0-9.-]+|\[[0-9a-f:]+\])(:\d+)?")
_DEFAULT_PORTS = {"http": ":80", "https": ":443"}


class Policy(NamedTuple):
    """A cors_policy fact that is still to be judged: what the descriptor says, and the guards it stands behind.

    `broken`: it was given an option that makes the library fail. `handshake`: it is only asked what becomes of
    WebSocket handshakes, and that is told of this socket server. `spec`: how the request's Origin is read, for headers
    and for options that a function hands out with each request.
    """

    fact: Fact
    semantics: PolicySemantics
    guards: tuple[Guard, ...]
    header: bool
    spec: HeaderSpec | None
    broken: bool = False
    handshake: Fact | None = None


class Extracted(NamedTuple):
    """All facts of the code files, and the policies among them that `behaviour/policy.py` has to judge.

    `groups` are facts of one call under different possible versions; they are merged after judging. `sites` are the
    calls and decorators that make layers and routes, `described` all calls that some descriptor speaks of. `crowded`
    are the places from which on a file has more than `MOST_POLICIES`, which were not looked at.
    """

    facts: list[Fact]
    policies: list[Policy]
    groups: list[list[list[Fact]]]
    sites: dict[Span, LayerSite]
    described: frozenset[Span]
    crowded: tuple[Span, ...] = ()


class LayerSite(NamedTuple):
    """Where a layer or a route is applied, and by which parameter its handlers pass a request on."""

    site: CallSite
    next: int | None


class _Match(NamedTuple):
    """A descriptor's entry that speaks of a call. `loaded`: a script tag or an import from a URL named the API."""

    descriptor: Descriptor
    spec: CallSpec
    applies: Tri
    version: VersionInForce | None
    loaded: Loaded | None


class _Completion(NamedTuple):
    """A call that completes what another began, and the options it was given."""

    descriptor: Descriptor
    spec: CallSpec
    call: Call
    options: Value | None


def _other_version(one: Descriptor, other: Descriptor) -> bool:
    """Whether two descriptors speak of different versions of one package."""
    return one.id != other.id and one.alternatives == other.alternatives


class Seen:
    """What was found out of files of code and stays so whatever else is read, by their paths.

    `open_calls`: the calls that a descriptor may speak of, by their places; decorators that are none stand for
    themselves. With each stands what it depends on that none does, if that is known. `writers`: whether headers may be
    written there. `derived`: the classes that extend others.
    """

    def __init__(self) -> None:
        self.open_calls: dict[str, list[tuple[int | CallSite, Depends | None]]] = {}
        self.writers: dict[str, bool] = {}
        self.derived: dict[str, tuple[This, ...]] = {}


class Extractor:
    """Turns the code readings of one project into facts.

    `spells_header`: whether a file's own text may hold the name of a CORS header; where neither a file nor what it
    imports does, none is written there. `spells`: whether a word, in lower case, stands in a part of a file. `text`:
    the source text of such a part. `seen`: what one extractor notes for the next one, which does all of it once more
    when further files were read.
    """

    def __init__(
        self,
        linker: Linker,
        catalog: Catalog,
        packages: Packages,
        spells_header: Callable[[str], bool],
        spells: Callable[[Span, str], bool],
        text: Callable[[Span], str],
        seen: Seen | None = None,
    ) -> None:
        self._linker = linker
        seen = seen or Seen()
        self._open_calls, self._writers, self._derived = seen.open_calls, seen.writers, seen.derived
        self._spells = spells
        self._text = text
        self._spells_header = spells_header
        self._catalog = catalog
        self._calls, self._any_receiver = catalog.calls, catalog.any_receiver
        self._described_packages = _tops(catalog.packages)
        self._with_settings = [descriptor for descriptor in catalog.descriptors if descriptor.settings]
        self._tools = [descriptor for descriptor in catalog.descriptors if descriptor.files]
        self._packages = packages
        self._facts: list[Fact] = []
        self._policies: list[Policy] = []
        self._groups: list[list[list[Fact]]] = []
        self._completions: dict[Span, list[_Completion]] = {}
        self._sites: dict[Span, LayerSite] = {}
        self._scripts = Scripts((), (), packages)
        self._configured: dict[str, list[_Configured]] = {}
        self._called: dict[str, set[str]] = {}
        self._readings: dict[str, CodeReading] = {}
        self._development_only = False
        self._varying: dict[str, frozenset[str]] = {}
        self._whole_imports: frozenset[str] | None = None
        self._policies_of: dict[str, int] = {}
        self._crowded: dict[str, Span] = {}
        self._takers: dict[str, dict[Span, CallSite]] = {}

    def extract(self, readings: Iterable[CodeReading]) -> Extracted:
        """All facts of these files."""
        readings = list(readings)
        self._readings = {reading.path: reading for reading in readings}
        self._note_configuration(readings)
        self._scripts = Scripts(readings, self._catalog.scripts, self._packages)
        self._called = self._calls_of_others(readings)
        matched = [(reading, site, found) for reading in readings for site, found in self._described(reading)]
        for _, site, found in matched:
            for match in found:
                begun = self._begun(site.call, match.spec) if match.spec.completes else None
                if begun is not None:
                    completion = _Completion(
                        match.descriptor, match.spec, site.call, self._options(site.call, match.spec)
                    )
                    self._completions.setdefault(begun.span, []).append(completion)
        for reading, site, found in matched:
            emitting = [match for match in found if not match.spec.completes]
            emits = {emit.kind for match in emitting for emit in match.spec.emits}
            if emits.isdisjoint(_MADE_OF_POLICIES) or self._has_room(site.call.span):
                self._emit_call(reading, site, emitting)
        for reading in readings:
            self._files(reading)
            self._settings(reading)
            self._headers(reading)
        self._classes(readings)
        for manifest in self._packages.manifests:
            self._manifest(manifest)
        self._attach()
        described = frozenset(site.call.span for _, site, _ in matched)
        crowded = tuple(self._crowded.values())
        return Extracted(self._facts, self._policies, self._groups, self._sites, described, crowded)

    def _has_room(self, span: Span) -> bool:
        """Whether one more policy of a file is looked at."""
        count = self._policies_of[span.path] = self._policies_of.get(span.path, 0) + 1
        if count > MOST_POLICIES:
            self._crowded.setdefault(span.path, span)
        return count <= MOST_POLICIES

    def _bare_decorators(self, reading: CodeReading) -> Iterator[CallSite]:
        """Decorators without parentheses, as calls with what they decorate: that is what they are."""
        for each in (reading.decorations[place] for place in self._linker.surface(reading).bare):
            target = Argument(Name(each.target, each.scope, each.target_span), None, each.target_span)
            call = Call(each.decorator, (target,), False, each.decorator.span)
            yield CallSite(call, each.scope, each.guards, each.loop)

    # --- which descriptors speak of a call ---

    def _described(self, reading: CodeReading) -> Iterator[tuple[CallSite, list[_Match]]]:
        """The calls of a file that descriptors speak of, each with what they say."""
        calls = self._open_calls.get(reading.path)
        if calls is None:
            calls = [(place, None) for place in self._perhaps_described(reading)]
            calls += [(site, None) for site in self._bare_decorators(reading)]
        still_open = self._open_calls[reading.path] = []
        for each, depends in calls:
            if depends is not None and self._linker.is_as_it_was(depends):
                still_open.append((each, depends))
                continue
            callee = kept.callee(reading, each) if isinstance(each, int) else each.call.callee
            found = self._matching(reading, each, callee)
            if found:
                yield reading.calls[each] if isinstance(each, int) else each, found
            if found or not self._is_surely_silent(callee):
                still_open.append((each, None if found else self._silent_as_long_as(callee)))

    def _perhaps_described(self, reading: CodeReading) -> list[int]:
        """The calls of a file but for those whose callee, by itself, says that no descriptor speaks of them."""
        surface = self._linker.surface(reading)
        places: list[int] = []
        for found in (*surface.shapes.values(), *([place] for place, _ in surface.others)):
            if not self._is_silent_by_itself(kept.callee(reading, found[0])):
                places += found
        return sorted(places)

    def _is_silent_by_itself(self, callee: Value) -> bool:
        """Whether no descriptor speaks of what is called, whatever else is read and whatever it is given."""
        if self._is_silent_by_form(callee):
            return True
        if self._is_described_method(callee):
            return False
        package = self._linker.package_behind(callee)
        if package is not None and not self._is_described(package):
            return True
        if not self._linker.is_worth_following(callee):
            return False
        return not self._has_described_name(callee) and self._linker.is_settled(callee)

    def _is_silent_by_form(self, callee: Value) -> bool:
        """Whether what is called is a method that no API has, a function of the same file, or a plain global."""
        if isinstance(callee, Member):
            return callee.key not in self._catalog.last_names
        return self._is_plain_function(callee)

    def _is_described_method(self, callee: Value) -> bool:
        """Whether descriptors speak of the method that is called on whatever receiver."""
        return isinstance(callee, Member) and self._any_receiver.knows(callee.key)

    def _has_described_name(self, callee: Value) -> bool:
        """Whether what is called is known, as far as now is read, by a name that descriptors speak of."""
        name = self._linker.canonical(callee)
        return name is not None and (self._calls.knows(name) or self._scripts.may_name(name))

    def _is_described(self, package: str) -> bool:
        """Whether descriptors may speak of anything in a package, as it is imported; a URL may stand for any."""
        named = package.removeprefix("node:").partition(".")[0] in self._described_packages
        return named or package.startswith(("/", ".", "http:", "https:"))

    def _is_surely_silent(self, callee: Value) -> bool:
        """Whether no descriptor speaks of what is called, whatever else is read."""
        if self._is_silent_by_form(callee):
            return True
        if self._is_described_method(callee) or not self._linker.is_settled(callee):
            return False
        return not self._has_described_name(callee)

    def _silent_as_long_as(self, callee: Value) -> Depends | None:
        """What it depends on that no descriptor speaks of what is called; None where there may be more to it."""
        if self._is_described_method(callee) or not self._linker.is_worth_following(callee):
            return None
        if self._linker.is_settled(callee) or self._has_described_name(callee):
            return None
        return self._linker.depends

    def _calls_of_others(self, readings: Iterable[CodeReading]) -> dict[str, set[str]]:
        """The APIs whose use makes calls of others mean nothing, where they are called, by package."""
        wanted = self._catalog.neighbours
        last = {_LAST_NAME.split(name)[-1] for name in wanted}
        called: dict[str, set[str]] = {}
        for reading in readings if wanted else ():
            for site in self._linker.calls_named(reading, last):
                if (name := self._linker.canonical(site.call.callee)) in wanted:
                    called.setdefault(self._packages.root_of(reading.path), set()).add(name)
        return called

    def _matching(self, reading: CodeReading, each: int | CallSite, callee: Value) -> list[_Match]:
        """What descriptors say of a call, which is given by its place among the others if it is one of them."""
        candidates: list[tuple[Descriptor, CallSpec]] = []
        if self._is_silent_by_form(callee):
            return []
        if isinstance(callee, Member):
            candidates += self._any_receiver.get(callee.key)
        follow = self._linker.is_worth_following(callee) or self._hands_over(_call(reading, each))
        name = self._linker.canonical(callee) if follow else None
        loaded = self._scripts.api(name, reading.path, callee.span) if name is not None else None
        if loaded is not None:
            name = loaded.name
        if name is not None:
            candidates += self._calls.get(name)
        found: list[_Match] = []
        for descriptor, spec in candidates:
            if descriptor.language != reading.language or not self._fits(_call(reading, each), spec):
                continue
            called = self._called.get(self._packages.root_of(reading.path), set())
            if spec.without & called or (spec.beside and not spec.beside & called):
                continue
            if spec.path is not None and not spec.path.search(reading.path):
                continue
            version = loaded.version if loaded is not None else self._version(descriptor, reading.path)
            applies = descriptor.applies(version.releases if version is not None else ())
            if applies is not Tri.NO:
                found.append(_Match(descriptor, spec, applies, version, loaded))
        settled = {match.descriptor.alternatives for match in found if match.applies is Tri.YES}
        return [match for match in found if match.applies is Tri.YES or match.descriptor.alternatives not in settled]

    def _is_plain_function(self, callee: Value) -> bool:
        """Whether what is called is a function of the same file, or a global that no descriptor names."""
        if not isinstance(callee, Name):
            return False
        if self._linker.is_global(callee):
            return callee.name not in self._catalog.last_names and not self._scripts.may_bind(callee.name)
        return self._linker.is_own_function(callee)

    def _hands_over(self, call: Call) -> bool:
        """Whether a call is given what an API made: an application, a server. What is called does something to it."""
        for argument in call.arguments:
            value = argument.value
            if isinstance(value, (Name, Member)) and self._linker.is_worth_following(value):
                made = self._linker.resolve(value)
                if isinstance(made, Call) and self._linker.canonical(made.callee) in self._catalog.named_calls:
                    return True
        return False

    def _begun(self, call: Call, spec: CallSpec) -> Call | None:
        """The call that made what this call completes: its receiver, or one of its arguments."""
        if spec.completed != (None, None):
            value = self._linker.argument(call, *spec.completed)
        else:
            value = call.callee.base if isinstance(call.callee, Member) else None
        begun = self._linker.resolve(value) if value is not None else None
        return begun if isinstance(begun, Call) else None

    def _fits(self, call: Call, spec: CallSpec) -> bool:
        if spec.construct is not None and spec.construct is not call.construct:
            return False
        count = len(call.arguments)
        if count < spec.least or (spec.most is not None and count > spec.most):
            return False
        if spec.receivers and not _is_called_on(call.callee, spec.receivers):
            return False
        if spec.when_position is None and spec.when_keyword is None:
            return True
        if self._linker.canonical(call.callee) in spec.when_names:
            return not spec.when_not
        return self._is_given(call, spec) is not spec.when_not

    def _is_given(self, call: Call, spec: CallSpec) -> bool:
        """Whether an argument of the call, or of the one that made its receiver, is what `when` names."""
        given: Value | None = call
        if spec.when_maker:
            given = self._linker.resolve(call.callee.base) if isinstance(call.callee, Member) else None
        argument = (
            self._linker.argument(given, spec.when_position, spec.when_keyword) if isinstance(given, Call) else None
        )
        if argument is None:
            return False
        resolved = self._linker.resolve(argument)
        if isinstance(resolved, Literal):
            return str(resolved.value) in spec.when_names
        return self._linker.canonical_of_resolved(resolved) in spec.when_names

    def _version(self, descriptor: Descriptor, path: str) -> VersionInForce | None:
        if descriptor.ecosystem is None or descriptor.package is None:
            return None
        return self._packages.version(descriptor.ecosystem, descriptor.package, path)

    def _releases(self, descriptor: Descriptor, path: str, package: str) -> tuple[Release, ...]:
        """The possible releases of another package of the same registry."""
        if descriptor.ecosystem is None:
            return ()
        version = self._packages.version(descriptor.ecosystem, package, path)
        return version.releases if version is not None else ()

    # --- facts of a call ---

    def _emit_call(self, reading: CodeReading, site: CallSite, found: list[_Match]) -> None:
        by_package: dict[object, list[_Match]] = {}
        for match in found:
            by_package.setdefault(match.descriptor.alternatives, []).append(match)
        for matches in by_package.values():
            by_descriptor = [list(self._emit(reading, site, match)) for match in matches]
            if len({match.descriptor.id for match in matches}) > 1:
                self._groups.append(by_descriptor)
            else:
                for made in by_descriptor:
                    self._facts += made

    def _emit(self, reading: CodeReading, site: CallSite, match: _Match) -> Iterator[Fact]:
        call, spec = site.call, match.spec
        options = self._options(call, spec)
        handed_out = self._handed_out(options, spec.delegate) if spec.delegate is not None else None
        options = options if handed_out is None else handed_out
        completions = self._completions.get(call.span, ()) if spec.emits else ()
        overlays: dict[str, tuple[FieldSource, _Completion]] = {}
        for completion in completions:
            if _other_version(completion.descriptor, match.descriptor):
                continue
            later = completion.options
            if later is not None and completion.spec.lays != "apart":
                layers = [Spread(later, completion.call.span)]
                if options is not None:
                    layers.insert(0 if completion.spec.lays == "over" else 1, Spread(options, call.span))
                options = Mapping(tuple(layers), completion.call.span) if len(layers) > 1 else later
            overlays |= {name: (source, completion) for name, source in completion.spec.fills.items()}
        context = _Context(
            self,
            reading,
            site,
            match.descriptor,
            match.version,
            options,
            overlays,
            match.loaded,
            spec.late,
            handed_out is not None,
        )
        confidence = "high" if match.applies is Tri.YES else "medium"
        for emit in spec.emits:
            if emit.unless_absent is not None and context.option(emit.unless_absent) is None:
                continue
            if emit.unless_imported and not emit.unless_imported.isdisjoint(_imported(reading)):
                continue
            named: dict[Span, Fact] = {}
            for scoped, scope, written in self._scopes(context, emit):
                for argument in self._arguments(call, emit, options):
                    for fact in self._fact(scoped, emit, scope, argument, confidence):
                        if written is not None:
                            fact.values["scope"] = written
                        # Options above the scopes are options of each: what holds in one scope alone is not known.
                        known = named.setdefault(fact.span, fact) if fact.kind == "policy_option" else fact
                        if known is fact:
                            yield fact
                        for name in ("consequence", "meant_given"):
                            if known.field(name) != fact.field(name):
                                known.fields[name] = Field(None, "unknown", fact.span)

    def _option_of(self, options: Value | None, name: str) -> Value | None:
        found = self.at_path(options, name)
        return found[0] if len(found) == 1 else None

    def _arguments(self, call: Call, emit: EmitSpec, options: Value | None = None) -> Iterator[Argument | None]:
        """What there is a fact for: the call itself, or each of its arguments, or each element of one."""
        if emit.each is None:
            yield None
        elif isinstance(emit.each, int):
            positional = [argument for argument in call.arguments if argument.keyword is None]
            for argument in positional[emit.each :]:
                held = self._linker.resolve(argument.value)
                if isinstance(held, Sequence) and not any(isinstance(item, Spread) for item in held.items):
                    yield from (Argument(item, None, item.span) for item in held.items)
                else:
                    yield argument
        else:
            value = self._linker.argument(call, None, emit.each) or self._option_of(options, emit.each)
            listed = self._linker.resolve(value) if value is not None else None
            if isinstance(listed, Sequence):
                yield from (Argument(item, None, item.span) for item in listed.items)
            elif isinstance(listed, Call) and value is not None:
                yield Argument(value, None, value.span)

    def _scopes(self, context: _Context, emit: EmitSpec) -> Iterator[tuple[_Context, Field, Value | None]]:
        """The context itself, or (`for_each`) one context per key of an option that holds further options.

        The option may also be one key alone, or a list of them. With each context comes its scope, as a fact's field
        and as it is written.
        """
        source = emit.fields.get(emit.for_each) if emit.for_each is not None else None
        value = context.option(emit.for_each) if emit.for_each is not None else None
        if value is None and source is not None and source.config is not None:
            value = self.configured(source, context.site, context.late)
        resolved = self._linker.resolved(value) if value is not None else None
        if resolved is None or isinstance(resolved.value, (Null, Undefined)):
            yield context, ABSENT, None
            return
        if isinstance(resolved.value, Sequence):
            listed = [self._linker.resolve(item) for item in resolved.value.items]
            if listed and all(isinstance(item, Mapping) for item in listed):
                for each in listed:
                    yield context._replace(scope=(None, each)), ABSENT, None
                return
        if not isinstance(resolved.value, Mapping):
            yield context, _read(_SCOPE, resolved.value, resolved.trail, self._linker), resolved.value
            return
        for item in resolved.value.items:
            if isinstance(item, Entry):
                options = (
                    Mapping((Spread(context.options, item.span), Spread(item.value, item.span)), item.span)
                    if context.options is not None
                    else item.value
                )
                if item.key is None:
                    unnamed = item.computed or Unknown("a computed key", item.key_span)
                    inside = context._replace(options=options, scope=(unnamed, item.value))
                    yield inside, Field(None, "unknown", item.key_span), None
                    continue
                key = Literal(item.key, item.key_span)
                inside = context._replace(options=options, scope=(key, item.value))
                yield inside, _read(_SCOPE, key, (), self._linker), key

    def _options(self, call: Call, spec: CallSpec) -> Value | None:
        if spec.keywords:
            return keyword_mapping(call.arguments, call.span)
        unsure: Value | None = None
        for position in spec.option_positions:
            argument = self._linker.argument(call, position, None)
            if argument is not None and position in spec.after_number:
                numbered = self._is_number(self._linker.argument(call, 0, None))
                if numbered is Tri.NO:
                    continue
                if numbered is Tri.UNKNOWN:
                    return Unknown("options, if a number stands before them", argument.span)
            if argument is None:
                if any(isinstance(a.value, Spread) for a in call.arguments[: position + 1]):
                    unsure = Unknown("behind a spread argument", call.span)
                continue
            resolved = self._linker.resolve(argument)
            if isinstance(resolved, Mapping):
                return argument
            if self._nameless(resolved):
                continue  # it has none of the names that are looked up
            if isinstance(resolved, Function) and len(spec.option_positions) > 1:
                continue
            if self._made(resolved) and position == spec.option_positions[-1] != spec.option_positions[0]:
                continue  # a server, where options could stand as well
            if isinstance(resolved, Member) and len(spec.option_positions) > 1 and self._of_server(resolved):
                continue
            unsure = unsure or argument
        return unsure

    def _is_number(self, value: Value | None) -> Tri:
        """Whether a value is a whole number."""
        found = self._linker.resolve(value) if value is not None else None
        if isinstance(found, Literal):
            plain = found.value
            return tri(isinstance(plain, int | float) and not isinstance(plain, bool) and float(plain).is_integer())
        if isinstance(found, (Fallback, Choice)):
            both = (found.first, found.then) if isinstance(found, Fallback) else (found.yes, found.no)
            answers = {self._is_number(each) for each in both}
            return answers.pop() if len(answers) == 1 else Tri.UNKNOWN
        if isinstance(found, Call) and self._linker.canonical(found.callee) in _NUMBERS:
            return Tri.YES
        settled = (Null, Undefined, Mapping, Sequence, Regex, Function, EnvVar, Concat)
        return Tri.NO if found is None or isinstance(found, settled) else Tri.UNKNOWN

    def _handed_out(self, options: Value | None, delegate: Delegate) -> Value | None:
        """The options that a function hands out with each request; None where no function stands for them."""
        given = self._linker.resolve(options) if options is not None else None
        inside = ".".join(part for part in (delegate.group, delegate.key) if part) if delegate.key else None
        for path in (delegate.group, inside) if isinstance(given, Mapping) else ():
            held = self.at_path(given, path)[0] if path is not None else None
            found = self._linker.resolve(held) if held is not None else None
            if isinstance(found, Function):
                given = found
                break
        if isinstance(given, Function) and delegate.wrapped and len(given.returns) == 1:
            inner = self._linker.resolve(given.returns[0].value)
            given = inner if isinstance(inner, Function) else given
        if not isinstance(given, Function):
            return None
        handed = self._given_by(given, delegate)
        handed = self._laid_together(handed) if handed is not None else Unknown("handed out by a function", given.span)
        if options is None or delegate.group is None:
            return handed
        return Mapping(
            (Spread(options, options.span), Entry(delegate.group, handed, given.span, given.span)), options.span
        )

    def _laid_together(self, options: Value) -> Value:
        """One object for two of which a test chooses.

        An object that only switches one thing off (`{ origin: false }`) says nothing about what else there is.
        """
        chosen = self._linker.resolve(options)
        if not isinstance(chosen, Choice):
            return options
        yes, no = (self._plain_entries(self._laid_together(part)) for part in (chosen.yes, chosen.no))
        if not yes or not no:
            return options
        entries: list[Entry] = []
        for key in dict.fromkeys((*yes, *no)):
            one, other = yes.get(key), no.get(key)
            given = one or other
            assert given is not None
            if not (one and other) and self._only_off(no if one else yes):
                entries.append(given)
                continue
            missing = Undefined(chosen.span)
            value = self._either(chosen, one.value if one else missing, other.value if other else missing)
            entries.append(given._replace(value=value))
        return Mapping(tuple(entries), chosen.span)

    def _either(self, chosen: Choice, yes: Value, no: Value) -> Value:
        """The one value or the other; that value where they are the same."""
        first, second = self._linker.resolve(yes), self._linker.resolve(no)
        if isinstance(first, Literal) and isinstance(second, Literal):
            if (type(first.value), first.value) == (type(second.value), second.value):
                return yes
        return Choice(chosen.test, yes, no, chosen.span)

    def _plain_entries(self, value: Value) -> dict[str, Entry]:
        """The entries of an object by their keys; none where not all of them are known."""
        held = self._linker.resolve(value)
        items = held.items if isinstance(held, Mapping) else ()
        found = {item.key: item for item in items if isinstance(item, Entry) and item.key is not None}
        return found if len(found) == len(items) else {}

    def _only_off(self, entries: MappingOf[str, Entry]) -> bool:
        values = [self._linker.resolve(entry.value) for entry in entries.values()]
        return len(values) == 1 and isinstance(values[0], Literal) and values[0].value is False

    def _given_by(self, function: Function, delegate: Delegate) -> Value | None:
        """What a function hands out in the only way that it has; None where it has several, or none that is known."""
        if delegate.callback >= len(function.parameters):
            only = function.returns[0] if function.asynchronous and len(function.returns) == 1 else None
            return only.value if only is not None and not only.guards else None
        reading = self._readings.get(function.span.path)
        handed: list[CallSite] = []
        for site in reading.calls if reading is not None else ():
            if function.span.covers(site.call.span):
                called = self._linker.resolve(site.call.callee)
                passed = [self._linker.resolve(argument.value) for argument in site.call.arguments]
                if any(_is_parameter(value, function, delegate.callback) for value in passed):
                    return None
                if _is_parameter(called, function, delegate.callback):
                    handed.append(site)
        if len(handed) != 1 or handed[0].guards:
            return None
        error = self._linker.argument(handed[0].call, 0, None)
        failed = error is not None and not isinstance(self._linker.resolve(error), (Null, Undefined))
        return None if failed else self._linker.argument(handed[0].call, delegate.argument, None)

    def _of_server(self, member: Member) -> bool:
        """Whether this is a part of an http server, or of an application that is one: `app.server`."""
        owner: Value = member
        for _ in range(8):
            if not isinstance(owner, Member):
                break
            owner = self._linker.resolve(owner.base)
        name = self._linker.canonical(owner.callee) if isinstance(owner, Call) else None
        return name in self._catalog.servers

    def _made(self, value: Value, depth: int = 0) -> bool:
        """Whether a resolved value is what a call returns, whichever of its alternatives counts."""
        if isinstance(value, Choice) and depth < 8:
            return all(self._made(self._linker.resolve(part), depth + 1) for part in (value.yes, value.no))
        return isinstance(value, Call)

    def _nameless(self, value: Value, depth: int = 0) -> bool:
        """Whether a resolved value is no object with names, whichever of its alternatives counts."""
        if isinstance(value, Fallback) and depth < 8:
            return all(self._nameless(self._linker.resolve(part), depth + 1) for part in (value.first, value.then))
        return isinstance(value, (Null, Undefined, Literal, Sequence, Regex, EnvVar))

    def _fact(
        self, context: _Context, emit: EmitSpec, scope: Field, argument: Argument | None, confidence: str
    ) -> Iterator[Fact]:
        call = context.site.call
        fields = self._common(context, confidence)
        values: dict[str, Value] = {}
        configured: dict[str, FieldSource] = {}
        for name, own in emit.fields.items():
            if name == emit.for_each:
                continue
            source, using = own, call
            field, value = Field(None, "absent", call.span), None
            if name in context.overlays:
                source, completion = context.overlays[name]
                using = completion.call
                apart = context._replace(options=completion.options)
                field, value = (apart if completion.spec.lays == "apart" else context).field(source, using, argument)
            if field.state == "absent":
                # No call completes this one, or it says nothing about this field.
                source, using = own, call
                field, value = context.field(own, call, argument)
            fields[name] = field
            if value is not None:
                values[name] = value
                if source.config is not None and not context.given(source, using):
                    configured[name] = source
        if emit.needs is not None and emit.needs not in values:
            return
        if emit.order is not None:
            fields["order"] = Field(emit.order, "written", call.span)
            fields["registered"] = Field(call.span, "written", call.span)
            self._sites[call.span] = LayerSite(context.site, emit.next)
        if scope is not ABSENT and _may_have(emit.kind, "scope"):
            fields["scope"] = scope
        elif emit.policy is not None and self._decorates(context.reading, call):
            fields["scope"] = Field(None, "unknown", call.span)  # what it decorates
        if context.loaded is not None and _may_have(emit.kind, "browser"):
            fields["browser"] = Field("yes", "written", context.loaded.span)
        if emit.kind != "cors_policy":
            fields = {name: field for name, field in fields.items() if not name.startswith("given.")}
        span = argument.span if argument is not None else call.span
        if context.scope is not None and (emit.policy is None or isinstance(call.callee, Unknown)):
            span = context.scope[1].span
        fact = Fact(emit.kind, span, fields, values)
        if emit.policy is not None and fact.kind != "cors_policy":
            self._handshake(context, emit.policy, fact)
        elif emit.policy is not None:
            fields.setdefault("options", self._options_field(context))
            fields.update(_list_options(emit, call.span))
            if context.options is not None:
                portable = self._portable(context.options)
                fields["options.portable"] = Field("yes" if portable else "no", "written", fields["options"].span)
                spelled = self._spelled(context.options) if context.reading.language == "javascript" else None
                state: State = "absent" if spelled is None else "written"
                fields["options.source"] = Field(spelled, state, fields["options"].span)
            fields["configured"] = Field(
                "yes" if context.options is not None and not _is_empty(context.options) else "no", "written", call.span
            )
            if isinstance(context.options, Unknown):
                fields["configured"] = Field(None, "unknown", call.span)
            exact = self._carried(values["origin"], context.descriptor.language) if "origin" in values else None
            if exact is not None:
                listed = exact if exact.startswith("[") else f"[{exact}]"
                fields["origin.exact"] = fields["origin"]._replace(value=listed, state="written")
            semantics = emit.policy.under(
                context.version.releases if context.version is not None else (),
                partial(self._releases, context.descriptor, context.reading.path),
            )
            for name, source in configured.items():
                read = semantics.sources[name].configured if name in semantics.sources else None
                if read is not None:
                    semantics = semantics._replace(sources={**semantics.sources, name: read})
                # A configuration key that holds nothing counts as not written: the default applies.
                elif name in semantics.sources and isinstance(source.default, str) and source.default in MEANINGS:
                    changed = semantics.sources[name]._replace(unset=source.default)
                    semantics = semantics._replace(sources={**semantics.sources, name: changed})
            broken = any(group.fails and self._has_other_names(context, group) for group in emit.options)
            reads = self._reads_of_requests(context.descriptor.language) if context.delegated else None
            self._policies.append(Policy(fact, semantics, (), False, reads, broken))
        yield fact
        for group in emit.options:
            decided = self._origin_given(context, emit, fact), fact.field("origin").value
            yield from self._option_facts(context, group, fields, decided, _origin_paths(emit), self._is_written)

    def _reads_of_requests(self, language: str) -> HeaderSpec | None:
        """How code of a language reads the headers of a request."""
        own = [one for one in self._catalog.descriptors if one.language == language]
        return next((spec for one in own for spec in one.headers if spec.request_members), None)

    def _handshake(self, context: _Context, semantics: PolicySemantics, server: Fact) -> None:
        """What decides about handshakes at a socket server, as a policy that is no fact of its own."""
        moved = {name: server.fields.pop(name) for name in semantics.sources if name in server.fields}
        kept = {name: server.fields[name] for name in ("framework", "library", "language", "fence")}
        values = {name: server.values.pop(name) for name in semantics.sources if name in server.values}
        semantics = semantics.under(
            context.version.releases if context.version is not None else (),
            partial(self._releases, context.descriptor, context.reading.path),
        )
        decides = Fact("cors_policy", server.span, {**kept, **moved}, values)
        self._policies.append(Policy(decides, semantics, (), False, None, False, server))

    def _has_other_names(self, context: _Context, group: OptionGroup) -> bool:
        return any(
            entry.key is not None and entry.key not in group.names
            for value in self.at_path(context.options, group.path)
            if value is not None
            for entry in self._entries(value)
        )

    def _options_field(self, context: _Context) -> Field:
        value = self._linker.resolve(context.options) if context.options is not None else None
        if isinstance(value, Mapping):
            return Field("options", "written", value.span)
        return Field(None, "absent", context.site.call.span)

    def _portable(self, options: Value, depth: int = 0) -> bool:
        """Whether an options object is written with literals alone."""
        value = self._linker.resolve(options) if depth == 0 else options
        if isinstance(value, Sequence):
            return depth < 8 and all(self._portable(item, depth + 1) for item in value.items)
        if isinstance(value, Mapping):
            return depth < 8 and all(
                isinstance(item, Entry) and item.key is not None and self._portable(item.value, depth + 1)
                for item in value.items
            )
        return isinstance(value, (Literal, Null, Regex))

    def _spelled(self, value: Value, depth: int = 0) -> str | None:
        """JavaScript for a value, with what its names stand for; None where not all of it is known."""
        value = self._linker.resolve(value)
        if depth > 8:
            return None
        if isinstance(value, Literal):
            if not isinstance(value.value, str):
                return str(value.value).lower()
            return f"'{value.value}'" if re.fullmatch(r"[^'\\\x00-\x1f]*", value.value) else None
        if isinstance(value, Regex):
            return f"/{value.source}/{value.flags}"
        if isinstance(value, Sequence):
            items = [self._spelled(item, depth + 1) for item in value.items]
            return None if None in items else f"[{', '.join(item for item in items if item is not None)}]"
        if not isinstance(value, Mapping) or not all(
            isinstance(item, Entry) and item.key is not None and item.key.isidentifier() for item in value.items
        ):
            return None
        entries = [(item.key, self._spelled(item.value, depth + 1)) for item in value.items if isinstance(item, Entry)]
        if any(text is None for _, text in entries):
            return None
        return f"{{ {', '.join(f'{key}: {text}' for key, text in entries)} }}"

    def _common(self, context: _Context, confidence: str) -> dict[str, Field]:
        call = context.site.call
        fields = {
            "framework": Field(context.descriptor.title, "written", call.span),
            "library": Field(context.descriptor.id, "written", call.span),
            "language": Field(context.reading.language, "written", call.span),
        }
        version = context.version
        if version is not None:
            if version.exact is not None:
                fields["version"] = Field(version.exact, "written", version.span, (), version.confidence)
            if len(version.majors) == 1:
                fields["major"] = Field(next(iter(version.majors)), "written", version.span, (), version.confidence)
        fields.setdefault("major", Field(None, "unknown", call.span, (), confidence))
        fields["fence"] = Field(
            "development" if self._fenced(context.site.guards) else "none",
            "written",
            call.span,
        )
        return fields

    def _fenced(self, guards: Iterable[Guard]) -> bool:
        """Whether a statement behind these tests never runs in production."""
        return self._linker.holds(guards) is Tri.NO

    def taker(self, reading: CodeReading, call: Call) -> CallSite | None:
        """The first call in a file that is given what another call returns."""
        takers = self._takers.get(reading.path)
        if takers is None:
            takers = self._takers[reading.path] = {}
            for site in reading.calls:
                for argument in site.call.arguments:
                    value = self._linker.resolve(argument.value)
                    if isinstance(value, Call):
                        takers.setdefault(value.span, site)
        return takers.get(call.span)

    # --- options ---

    def at_path(self, options: Value | None, path: str) -> list[Value | None]:
        """What stands at a dotted path of an object, None where nothing does.

        A step `*` is every key, `name()` what the function under that key returns, and `[name=text]` the element of a
        list with that text, in any case, under that key.
        """
        found = [options]
        for step in path.split(".") if path else ():
            if step.endswith("()"):
                held = [self._linker.lookup(value, step[:-2]) if value is not None else None for value in found]
                found = [given for value in held for given in self._returned(value)]
            elif step.startswith("["):
                found = [self._element(value, step[1:-1]) if value is not None else None for value in found]
            elif step == "*":
                objects = [self._linker.record(value) for value in found if value is not None]
                found = [entry.value for value in objects for entry in self._entries(value)]
                found += [Unknown("keys that could not be read", value.span) for value in objects if not _whole(value)]
            else:
                found = [self._option(value, step) if value is not None else None for value in found]
        return found

    def _returned(self, value: Value | None) -> Iterator[Value | None]:
        """What a function may return; something else is itself."""
        resolved = self._linker.resolve(value) if value is not None else None
        if isinstance(resolved, Function):
            yield from (way.value for way in resolved.returns)
        else:
            yield value

    def _element(self, value: Value, wanted: str) -> Value | None:
        """The last element of a list whose key has a certain text (`key=text`)."""
        listed = self._linker.resolve(value)
        if not isinstance(listed, Sequence):
            return Unknown("no list that could be read", value.span)
        key, _, text = wanted.partition("=")
        found: Value | None = None
        for item in listed.items:
            held = self._linker.lookup(item, key)
            name = self._linker.resolve(held) if held is not None else None
            if isinstance(item, Spread) or (name is not None and not isinstance(name, Literal)):
                found = Unknown("an element that could not be read", item.span)
            elif isinstance(name, Literal) and str(name.value).lower() == text:
                found = item
        return found

    def _option(self, options: Value, name: str) -> Value | None:
        """An option by its name; a list has none."""
        return None if isinstance(self._linker.resolve(options), Sequence) else self._linker.lookup(options, name)

    def _option_facts(
        self,
        context: _Context,
        group: OptionGroup,
        common: MappingOf[str, Field],
        decided: tuple[Tri, object],
        deciding: frozenset[str],
        is_written: Callable[[Value | None, str], Tri],
    ) -> Iterator[Fact]:
        """The options of a group that are not read.

        `decided`: whether anything that is read says which origins are let in, and what holds where nothing does;
        `deciding`: the options that say so, by their dotted paths.
        `is_written`: whether an object has an option at a dotted path.
        """
        objects = [value for value in self.at_path(context.options, group.path) if value is not None]
        for beside, entry in ((value, entry) for value in objects for entry in self._entries(value)):
            if entry.key is None or entry.key in group.names:
                continue
            status, target = "unknown", None
            if entry.key in group.legacy:
                status, target = "legacy", group.legacy[entry.key]
            elif entry.key in group.misplaced:
                status, target = "misplaced", group.misplaced[entry.key]
            suggestion = group.meant.get(entry.key) or _closest(entry.key, group.names)
            if status == "unknown" and suggestion is None and not group.strict:
                continue
            kept = {
                name: common[name]
                for name in ("framework", "library", "language", "version", "major", "fence")
                if name in common
            }
            at, call = entry.key_span, context.site.call.span
            about = target or (f"{group.path}.{suggestion}" if group.path else suggestion)
            meant = Tri.NO
            if target is not None:
                meant = is_written(context.options, target)
            elif suggestion is not None:
                meant = is_written(beside, suggestion)
            decides = about in deciding
            carried = self._carried(entry.value, context.reading.language)
            kept |= {
                "policy": Field(call, "written", call),
                "name": Field(entry.key, "written", at, () if call.covers(at) else (call,)),
                "known": Field("no", "written", at),
                "status": Field(status, "written", at),
                "suggestion": Field(suggestion, "written", at) if suggestion is not None else Field(None, "absent", at),
                "target": Field(target, "written", at) if target is not None else Field(None, "absent", at),
                "consequence": self._consequence(group, decides, meant, decided, at),
                "meant_given": _answer(meant, at),
                "exact_origins": Field("yes" if self._exact_origins(entry.value) else "no", "written", entry.span),
                "options": self._options_field(context),
                "value": Field("value", "written", entry.value.span),
                "carried": Field(carried, "written" if carried is not None else "absent", entry.value.span),
                "decides_origin": Field(call, "written", call)
                if decides and meant is not Tri.YES
                else Field(None, "absent", at),
            }
            yield Fact("policy_option", at, kept, {"value": entry.value})

    def _consequence(
        self, group: OptionGroup, decides: bool, meant: Tri, decided: tuple[Tri, object], at: Span
    ) -> Field:
        """What the library does where an option that should have set the origin is not read.

        That is known only where nothing else sets it; then the default that counts says which words are true.
        """
        words = group.consequence.get("always")
        if not group.fails:
            given, default = decided
            either = any_of((meant, given)) if decides else Tri.YES
            if either is Tri.UNKNOWN:
                return Field(None, "unknown", at)
            words = None if either is Tri.YES else group.consequence.get(str(default), words)
        return Field(words, "written" if words is not None else "absent", at)

    def _origin_given(self, context: _Context, emit: EmitSpec, policy: Fact) -> Tri:
        """Whether anything that is read says which origins are let in."""
        answers = []
        for name in emit.policy.sources if emit.policy is not None else ():
            value = policy.values.get(name)
            if value is None:
                answers.append(Tri.UNKNOWN if policy.field(name).state == "unknown" else Tri.NO)
            elif isinstance(value, Unknown) and name in emit.fields and emit.fields[name].keys:
                answers.append(any_of(self._is_written(context.options, key) for key in emit.fields[name].keys))
            else:
                answers.append(Tri.YES)
        return any_of(answers)

    def _is_written(self, options: Value | None, path: str) -> Tri:
        """Whether an option is written at a dotted path, whatever its value is."""
        value, answer = options, Tri.NO
        for step in path.split("."):
            if value is None:
                return Tri.NO
            answer = tri(self._linker.entry(value, step) is not None)
            value = self._linker.lookup(value, step)
            if answer is Tri.NO and value is not None:
                answer = Tri.UNKNOWN if isinstance(value, Unknown) else Tri.YES
            if answer is Tri.UNKNOWN:
                return answer
        return answer

    def _entries(self, value: Value, depth: int = 0) -> Iterator[Entry]:
        resolved = self._linker.record(value)
        if isinstance(resolved, Mapping) and depth < 8:
            for item in resolved.items:
                if isinstance(item, Entry):
                    yield item
                else:
                    yield from self._entries(item.value, depth + 1)

    def _exact_origins(self, value: Value) -> bool:
        resolved = self._linker.resolve(value)
        items = resolved.items if isinstance(resolved, Sequence) else (resolved,)
        parts = [self._linker.resolve(item) for item in items]
        return bool(parts) and all(
            isinstance(p, Literal) and isinstance(p.value, str) and "://" in p.value and "*" not in p.value
            for p in parts
        )

    def _carried(self, value: Value, language: str) -> str | None:
        """Source text of the exact origins that a value lists, each as a browser sends it (no default port)."""
        resolved = self._linker.resolve(value)
        listed = isinstance(resolved, Sequence)
        origins: list[str] = []
        for item in resolved.items if isinstance(resolved, Sequence) else (resolved,):
            part = self._linker.resolve(item)
            text = part.value if isinstance(part, Literal) else None
            found = _WEB_ORIGIN.fullmatch(text) if isinstance(text, str) else None
            if found is None:
                return None
            scheme, host, port = found.groups()
            origins.append(f"{scheme}://{host}{port if port not in (None, _DEFAULT_PORTS[scheme]) else ''}")
        quote = '"' if language == "python" else "'"
        spelled = ", ".join(f"{quote}{origin}{quote}" for origin in origins)
        return (f"[{spelled}]" if listed else spelled) or None

    # --- configuration written elsewhere ---

    def _note_configuration(self, readings: Iterable[CodeReading]) -> None:
        """Keys of configuration objects that a descriptor asks for, wherever the project writes them."""
        wanted = self._catalog.configured
        if not wanted:
            return
        readings = list(readings)
        last = {name.rpartition(".")[2] for name in wanted}
        for reading in readings:
            if reading.language != "javascript" or not may_spell(reading, last):
                continue
            for write in reading.writes:
                name = _last_two(write.target)
                if name in wanted and not self._fenced(write.guards) and not self._of_an_instance(write.target):
                    self._note(name, write.value, write.span, _function_of(reading, write.scope))
        readings = [reading for reading in readings if reading.language == "python"]
        modules, classes = self._loaded(readings)
        for reading in readings:
            for write in reading.writes if may_spell(reading, wanted) else ():
                if isinstance(write.target, Member) and write.target.key in wanted and not self._fenced(write.guards):
                    self._note(write.target.key, write.value, write.span, _function_of(reading, write.scope))
            in_module = _module_name(reading.path) in modules
            for index, scope in enumerate(reading.scopes if classes else reading.scopes[:1]):
                # Names of a class or module are configuration only where somebody loads it as such.
                loaded = classes if scope.kind == "class" else in_module
                if loaded and (scope.kind == "class" or index == 0):
                    for name in wanted & set(scope.bindings):
                        for binding in scope.bindings[name]:
                            self._note(name, binding.value, binding.span, None)
            for site in self._linker.calls_named(reading, _FILLERS):
                if not isinstance(site.call.callee, Member) or self._fenced(site.guards):
                    continue
                for entry in self._entries(keyword_mapping(site.call.arguments, site.call.span)):
                    if entry.key in wanted:
                        self._note(entry.key, entry.value, site.call.span, _function_of(reading, site.scope))
                for argument in site.call.arguments:
                    for entry in self._entries(argument.value) if argument.keyword is None else ():
                        if entry.key in wanted:
                            self._note(entry.key, entry.value, site.call.span, _function_of(reading, site.scope))

    def _of_an_instance(self, target: Value) -> bool:
        """Whether `made.defaults.name` is written: what a call made has a configuration of its own."""
        holder = target.base if isinstance(target, Member) else None
        owner = holder.base if isinstance(holder, Member) else None
        return owner is not None and isinstance(self._linker.resolve(owner), Call)

    def _note(self, name: str, value: Value, span: Span, scope: int | None) -> None:
        self._configured.setdefault(name, []).append(_Configured(value, span, scope))

    def _loaded(self, readings: Iterable[CodeReading]) -> tuple[frozenset[str], bool]:
        """The modules that are loaded as configuration, by the last part of their names, and whether any class is."""
        modules: set[str] = set()
        classes = False
        for reading in readings:
            for site in self._linker.calls_named(reading, _LOADERS):
                if not isinstance(site.call.callee, Member):
                    continue
                classes = True
                for argument in site.call.arguments[:1]:
                    value = self._linker.resolve(argument.value)
                    if isinstance(value, Literal):
                        modules |= set(re.split(r"[./]", str(value.value)))
                    elif isinstance(value, Reference):
                        modules |= {value.module.rpartition(".")[2], value.name}
        return frozenset(modules), classes

    def configured(self, source: FieldSource, site: CallSite, late: bool) -> Value | None:
        """The value written to a configuration key; None when nobody writes it; Unknown when several do, or another
        package of the repository does, which this one may load or not.

        What the same function writes after the call that reads it comes too late, unless that call is a decorator,
        which reads when what it decorates runs, or the library reads `late`: when a request comes.
        """
        call = site.call.span
        reading = self._readings[call.path]
        found = [
            each
            for each in self._configured.get(source.config or "", [])
            if late
            or self._decorates(reading, site.call)
            or each.scope is None
            or each.span.path != call.path
            or each.span.start < call.start
            or each.scope != _function_of(reading, site.scope)
        ]
        if reading.language == "javascript":
            own = [
                each for each in found if self._packages.root_of(each.span.path) == self._packages.root_of(call.path)
            ]
            if found and not own:
                return Unknown("configured in another package", call)
            found = own
        if len(found) > 1:
            return Unknown("configured in more than one place", call)
        if not found or isinstance(self._linker.resolve(found[0].value), (Null, Undefined)):
            return None
        return found[0].value

    def setting(self, reading: CodeReading, name: str) -> Value | None:
        """The value that a settings module gives to a name in production; None where it gives none."""
        bindings = reading.scopes[0].bindings.get(name, ())
        if bindings and not self._development_only and self._fenced_bindings(bindings):
            return None
        if len(bindings) == 1:
            assumed = self._linker.assumed(bindings[0].value)
            if assumed is not None:
                return Literal(assumed, bindings[0].value.span)
        end = reading.scopes[0].span.end
        value = Name(name, 0, Span(reading.path, end, end))
        # Bound here, or in a module that this one imports whole.
        return None if isinstance(self._linker.resolve(value), Name) else value

    @staticmethod
    def _decorates(reading: CodeReading, call: Call) -> bool:
        return any(
            isinstance(each.decorator, Call) and each.decorator.span == call.span for each in reading.decorations
        )

    def _fenced_bindings(self, bindings: Iterable[Binding]) -> bool:
        return all(self._fenced(binding.guards) for binding in bindings)

    # --- classes of the project that extend a library's ---

    def _classes(self, readings: Iterable[CodeReading]) -> None:
        described = [(descriptor, spec) for descriptor in self._catalog.descriptors for spec in descriptor.classes]
        classes = [(reading, this) for reading in readings for this in self._derived_in(reading)]
        if not described or not classes:
            return
        extended = {base.span for _, this in classes for base in self._bases(this) if isinstance(base, This)}
        for reading, this in classes:
            for descriptor, spec in described:
                if descriptor.language != reading.language or this.span in extended:
                    continue
                version = self._version(descriptor, reading.path)
                applies = descriptor.applies(version.releases if version is not None else ())
                if applies is not Tri.NO and self._derives(this, spec):
                    self._class_facts(reading, this, descriptor, spec, version)

    def _derived_in(self, reading: CodeReading) -> tuple[This, ...]:
        """The classes of a file that extend others."""
        found = self._derived.get(reading.path)
        if found is None:
            found = self._derived[reading.path] = tuple(
                This(index, scope.span)
                for index, scope in enumerate(reading.scopes)
                if scope.kind == "class" and "*" in scope.bindings
            )
        return found

    def _class_facts(
        self, reading: CodeReading, this: This, descriptor: Descriptor, spec: ClassSpec, version: VersionInForce | None
    ) -> None:
        site = CallSite(Call(this, (), False, this.span), 0, ())
        context = _Context(self, reading, site, descriptor, version, None, {}, None)
        for emit in spec.emits:
            self._facts += self._fact(context, emit, ABSENT, None, "high")

    def _bases(self, this: This) -> list[Value]:
        """The classes that one extends, as they are written."""
        reading = self._readings.get(this.span.path)
        if reading is None or this.scope >= len(reading.scopes):
            return []
        return [self._linker.resolve(binding.value) for binding in reading.scopes[this.scope].bindings.get("*", ())]

    def _derives(self, this: This, spec: ClassSpec, depth: int = 0) -> bool:
        return depth < _MAX_VARY_DEPTH and any(
            self._derives(base, spec, depth + 1)
            if isinstance(base, This)
            else self._linker.canonical_of_resolved(base) in spec.bases
            for base in self._bases(this)
        )

    def override(self, this: This, name: str, depth: int = 0) -> Value | None:
        """The method that a class has or inherits from the project's own; None where it is the library's."""
        reading = self._readings.get(this.span.path)
        own = reading.scopes[this.scope].bindings.get(name, ()) if reading is not None else ()
        if own:
            return own[0].value if len(own) == 1 else Unknown("written more than once", own[0].span)
        others = self._bases(this)
        if depth < _MAX_VARY_DEPTH:
            for base in others:
                found = self.override(base, name, depth + 1) if isinstance(base, This) else None
                if found is not None:
                    return found
        # Beside the library's class another one may bring the method.
        strange = len([base for base in others if not isinstance(base, This)]) > 1
        return Unknown("of a class that is not known", this.span) if strange else None

    # --- functions that handle a request ---

    def looks_at(
        self, reading: CodeReading, site: CallSite, words: Iterable[str], blind: frozenset[str] = frozenset()
    ) -> bool:
        """Whether the function that a call stands in or decorates, or one that it calls, may look at one of these.

        `blind` are functions of libraries that are known not to.
        """
        words = tuple(words)
        pending = list(self._handlers(reading, site))
        seen: set[Span] = set()
        if not pending:
            return True
        while pending:
            function = pending.pop()
            if function.span in seen:
                continue
            seen.add(function.span)
            if len(seen) > _MAX_WRAPPERS or any(self._spells(function.span, word) for word in words):
                return True
            for other in self._handed_to(function, site.call):
                if isinstance(other, Function):
                    pending.append(other)
                elif self._linker.canonical_of_resolved(other) not in blind:
                    return True
        return False

    def spelled(self, reading: CodeReading, site: CallSite, given: Value | None, pattern: re.Pattern[str]) -> Field:
        """Whether code has text that matches: what is given to a call, else what the call decorates or stands in.

        Functions are followed into those that they hand their parameters to. What can't be followed says nothing.
        """
        spans: list[Span] = []
        pending: list[Value] = []
        if given is not None:
            spans.append(given.span)
            pending.append(self._linker.resolve(given))
        elif isinstance(site.call.callee, This):
            spans.append(site.call.callee.span)
        else:
            pending += self._decorated_by(reading, site.call) or self._handlers(reading, site)
        while pending and len(spans) <= _MAX_WRAPPERS:
            value = pending.pop()
            if isinstance(value, (Function, This)) and value.span not in spans:
                spans.append(value.span)
                pending += self._handed_to(value, site.call) if isinstance(value, Function) else self._bases(value)
        for span in spans:
            text = self._text(span)
            found = pattern.search(text)
            if found is not None:
                return Field("yes", "written", _line_within(span, text, found.start()))
        return Field("no", "written", site.call.span)

    def _decorated_by(self, reading: CodeReading, call: Call) -> list[Value]:
        """The functions and classes that a call decorates."""
        return [
            binding.value
            for each in reading.decorations
            if isinstance(each.decorator, Call) and each.decorator.span == call.span
            for binding in reading.scopes[each.scope].bindings.get(each.target, ())
            if binding.span == each.target_span
        ]

    def _handlers(self, reading: CodeReading, site: CallSite) -> Iterator[Function]:
        decorated = [
            self._linker.resolve(Name(each.target, each.scope, each.target_span))
            for each in reading.decorations
            if isinstance(each.decorator, Call) and each.decorator.span == site.call.span
        ]
        yield from (found for found in decorated if isinstance(found, Function))
        if not decorated:
            inside = _function_of(reading, site.scope)
            around = [one for one in _functions(reading) if one.scope == inside]
            around += [
                binding.value
                for scope in reading.scopes
                for bindings in scope.bindings.values()
                for binding in bindings
                if isinstance(binding.value, Function) and binding.value.scope == inside
            ]
            yield from around[:1]

    def _handed_to(self, function: Function, made: Call) -> Iterator[Value]:
        """What a function hands its own parameters to, but for methods of what that call made."""
        reading = self._readings.get(function.span.path)
        for site in reading.calls if reading is not None else ():
            if not function.span.covers(site.call.span):
                continue
            callee = site.call.callee
            owner = self._linker.resolve(callee.base) if isinstance(callee, Member) else None
            if isinstance(owner, Call) and owner.span == made.span:
                continue
            given = [self._linker.resolve(argument.value) for argument in site.call.arguments]
            if any(isinstance(value, Parameter) and value.function == function.span for value in given):
                yield self._linker.resolve(callee)

    # --- files that a tool reads as its options ---

    def _manifest(self, manifest: ManifestReading) -> None:
        """What a manifest says to a tool that it names itself, read like an object that is exported."""
        if manifest.texts:
            at = Span(manifest.path, manifest.texts[0][1].span.start, manifest.texts[-1][1].span.end)
            entries = tuple(Entry(key, text, text.span, text.span) for key, text in manifest.texts)
            export = Export("default", Mapping(entries, at))
            scope = Scope(-1, "module", at, {})
            self._files(CodeReading(manifest.path, "javascript", (scope,), (), (), (), (export,), ()), named=True)

    def _files(self, reading: CodeReading, *, named: bool = False) -> None:
        """`named`: only tools that a manifest names."""
        exported = [each.value for each in reading.exports if each.name in ("default", "=")]
        if reading.page or not exported:
            return
        name = reading.path.rpartition("/")[2]
        found: dict[object, list[tuple[Descriptor, CallSpec]]] = {}
        for descriptor in self._tools:
            if descriptor.language != reading.language:
                continue
            calls = [(descriptor, spec.call) for spec in descriptor.files if spec.names.fullmatch(name)]
            if calls and not (named and self._version(descriptor, reading.path) is None):
                found.setdefault(descriptor.package or descriptor.id, []).extend(calls)
        if not found:
            return
        for options in (given for value in exported for given in self._options_in(value)):
            if not self._has_room(options.span):
                return
            call = Call(
                Unknown("read by a tool", options.span), (Argument(options, None, options.span),), False, options.span
            )
            for candidates in found.values():
                matched = []
                for descriptor, called in candidates:
                    version = self._version(descriptor, reading.path)
                    applies = descriptor.applies(version.releases if version is not None else ())
                    if applies is not Tri.NO:
                        matched.append(_Match(descriptor, called, applies, version, None))
                sure = [match for match in matched if match.applies is Tri.YES]
                self._emit_call(reading, CallSite(call, 0, ()), sure or matched)

    def _options_in(self, value: Value, depth: int = 0) -> Iterator[Mapping]:
        """The objects of options in what a file exports: itself, what a function returns, or what a call is given."""
        resolved = self._linker.resolve(value)
        if isinstance(resolved, Mapping):
            yield resolved
        if depth >= _MAX_WRAPPERS:
            return
        if isinstance(resolved, Function):
            for way in resolved.returns:
                yield from self._options_in(way.value, depth + 1)
        elif isinstance(resolved, Call):
            for argument in resolved.arguments:
                yield from self._options_in(argument.value, depth + 1)
        elif isinstance(resolved, Choice):
            yield from self._options_in(resolved.yes, depth + 1)
            yield from self._options_in(resolved.no, depth + 1)

    # --- settings modules ---

    def _settings(self, reading: CodeReading) -> None:
        if reading.page or not reading.scopes:
            return
        bound = reading.scopes[0].bindings
        for descriptor in self._with_settings:
            if descriptor.language != reading.language:
                continue
            for spec in descriptor.settings:
                named = [name for name in spec.names if name in bound]
                if not named and "*" in bound and any(self.setting(reading, name) for name in spec.names):
                    # The rest stands in a module that this one imports whole.
                    named = [name for name in bound if spec.prefix and name.startswith(spec.prefix)]
                elif not named and self._switched_on(reading, spec):
                    # Nothing about origins is set, but the library is there and answers by its defaults.
                    named = [name for name in bound if spec.prefix and name.startswith(spec.prefix)]
                if spec.final and reading.path in self._imported_whole():
                    continue
                if named and self._required(reading, spec):
                    self._settings_facts(reading, descriptor, spec, named)
                if spec.beside & set(bound):
                    self._settings_options(reading, descriptor, spec)

    def _imported_whole(self) -> frozenset[str]:
        """The files that others import whole: `from .base import *`."""
        if self._whole_imports is None:
            stars = (
                binding.value
                for reading in self._readings.values()
                for binding in (reading.scopes[0].bindings.get("*", ()) if reading.scopes else ())
            )
            files = (self._linker.module_file(star) for star in stars if isinstance(star, Reference))
            self._whole_imports = frozenset(path for path in files if path is not None)
        return self._whole_imports

    def _required(self, reading: CodeReading, spec: SettingsSpec) -> bool:
        """Whether nothing says that the settings are not used: lists that lack what reads them."""
        for name, pattern in spec.requires.items():
            value = self.setting(reading, name)
            listed = self._linker.resolve(value) if value is not None else None
            if isinstance(listed, Sequence):
                items = [self._linker.resolve(item) for item in listed.items]
                if all(isinstance(item, Literal) and not pattern.search(str(item.value)) for item in items):
                    return False
        return True

    def _switched_on(self, reading: CodeReading, spec: SettingsSpec) -> bool:
        """Whether the module itself lists what reads the settings."""
        for name, pattern in spec.requires.items():
            value = self.setting(reading, name) if name in reading.scopes[0].bindings else None
            listed = self._linker.resolve(value) if value is not None else None
            items = [self._linker.resolve(item) for item in listed.items] if isinstance(listed, Sequence) else []
            if not any(isinstance(item, Literal) and pattern.search(str(item.value)) for item in items):
                return False
        return bool(spec.requires)

    def _settings_options(self, reading: CodeReading, descriptor: Descriptor, spec: SettingsSpec) -> None:
        """Settings that the library does not read."""
        given = Mapping(
            tuple(
                Entry(name, bindings[0].value, bindings[0].span, bindings[0].span)
                for name, bindings in reading.scopes[0].bindings.items()
                if spec.prefix and name.startswith(spec.prefix)
            ),
            reading.scopes[0].span,
        )

        def is_written(_settings: Value | None, name: str) -> Tri:
            return tri(self.setting(reading, name) is not None)

        for emit in spec.emits:
            named = {name for name in emit.policy.sources if name in emit.fields} if emit.policy is not None else set()
            sources = [setting for name in sorted(named) for setting in emit.fields[name].settings]
            decided = any_of(is_written(None, name) for name in sources), emit.fields["origin"].default
            for group in emit.options:
                for entry in given.items:
                    context = self._settings_context(reading, descriptor, entry.span)._replace(
                        options=Mapping((entry,), entry.span)
                    )
                    common = self._common(context, "high")
                    deciding = _origin_paths(emit)
                    self._facts += self._option_facts(context, group, common, decided, deciding, is_written)

    def _elements(self, reading: CodeReading, emit: EmitSpec) -> Iterator[Argument | None]:
        """What settings make a fact for: themselves, or each element of the list that one of them is."""
        if emit.each is None:
            yield None
            return
        value = self.setting(reading, str(emit.each))
        listed = self._linker.resolve(value) if value is not None else None
        if isinstance(listed, Sequence):
            yield from (Argument(item, None, item.span) for item in listed.items)

    def _settings_context(self, reading: CodeReading, descriptor: Descriptor, at: Span) -> _Context:
        site = CallSite(Call(Unknown("a settings module", at), (), False, at), 0, ())
        return _Context(self, reading, site, descriptor, self._version(descriptor, reading.path), None, {}, None)

    def _settings_facts(
        self, reading: CodeReading, descriptor: Descriptor, spec: SettingsSpec, named: list[str]
    ) -> None:
        bound = reading.scopes[0].bindings
        first = min((bound[name][0].span for name in named), key=lambda span: span.start)
        context = self._settings_context(reading, descriptor, first)
        plain = [emit._replace(options=()) for emit in spec.emits]
        # What is only set for development counts where nothing else is set: as development's.
        self._development_only = all(self._fenced_bindings(bound[name]) for name in named)
        made = [
            fact
            for emit in plain
            for argument in self._elements(reading, emit)
            for fact in self._fact(context, emit, ABSENT, argument, "high")
        ]
        stem = reading.path.rsplit("/", 1)[-1].rsplit(".", 1)[0]
        if self._development_only or (spec.development is not None and spec.development.search(stem)):
            for fact in made:
                fact.fields["fence"] = Field("development", "written", first)
        self._development_only = False
        self._facts += made

    # --- headers written by hand ---

    def _may_write(self, reading: CodeReading, spells: Callable[[str], bool]) -> bool:
        """Whether a file, or one that it imports a name from, spells what is looked for."""
        if spells(reading.path):
            return True
        return any(spells(path) for path in self._linker.imported_files(reading))

    def _headers(self, reading: CodeReading) -> None:
        if reading.path not in self._writers:
            self._writers[reading.path] = self._may_write(reading, self._spells_header)
        if not self._writers[reading.path]:
            return
        for descriptor in self._catalog.descriptors:
            if descriptor.language != reading.language:
                continue
            for spec in descriptor.headers:
                # What is written to an object stands in the object, too, once that is handed on: the first one counts.
                first: dict[Span, _HeaderWrite] = {}
                for write in (*self._header_writes(reading, spec), *self._request_writes(reading, spec)):
                    first.setdefault(write.span, write)
                writes = list(first.values())
                if len(writes) > MOST_HEADERS:
                    self._crowded.setdefault(reading.path, writes[MOST_HEADERS].span)
                    del writes[MOST_HEADERS:]
                if any(write.name != _VARY_HEADER for write in writes):
                    self._header_policies(reading, descriptor, spec, writes)

    def _header_writes(self, reading: CodeReading, spec: HeaderSpec) -> Iterator[_HeaderWrite]:
        sent = self._sent_back(reading, spec)
        for site in reading.calls:
            callee = site.call.callee
            decorated = self._decorated_scope(reading, site) if spec.decorators else None
            if decorated is not None and self._linker.canonical(callee) in spec.decorators:
                site = site._replace(scope=decorated, guards=())
            elif not _writes_header(callee, spec):
                continue
            about = callee.base if isinstance(callee, Member) and decorated is None else None
            if spec.requests and about is not None and _begins_with(self._linker.canonical(about), spec.requests):
                made = self._linker.resolve(about)
                if made.span not in sent:
                    continue
            positional = [argument for argument in site.call.arguments if argument.keyword is None]
            if about is None and len(positional) > 2:
                positional = positional[1:]
            name = self._linker.resolve(positional[0].value) if positional else None
            if isinstance(name, Literal) and isinstance(name.value, str) and len(positional) > 1:
                if _is_read(name.value):
                    operation = "append" if _called(callee) in spec.appends else "set"
                    yield _HeaderWrite(
                        name.value.lower(),
                        positional[1].value,
                        operation,
                        site.scope,
                        site.guards,
                        site.call.span,
                        name.span,
                    )
            operation = "append" if _called(callee) in spec.appends else "set"
            for argument in positional:
                for written in self._object_writes(argument.value, site.scope, site.guards):
                    yield written._replace(operation=operation, holder=None)
        for write in reading.writes:
            target = write.target
            if (
                isinstance(target, Member)
                and _is_read(target.key)
                and ("*" in spec.containers or _ends_in(target.base, spec.containers))
                and (not spec.holders or _ends_in_holder(target.base, spec.holders))
            ):
                operation = "append" if write.operation == "append" else "set"
                yield _HeaderWrite(
                    target.key.lower(), write.value, operation, write.scope, write.guards, write.span, target.key_span
                )
        yield from self._vary_writes(reading, spec)
        if spec.objects:
            yield from self._loose_objects(reading, spec)

    def _sent_back(self, reading: CodeReading, spec: HeaderSpec) -> set[Span]:
        """The calls that make headers for either side, where a response gets what they made."""
        return self._made_for(reading, spec, spec.responses)

    def _made_for(self, reading: CodeReading, spec: HeaderSpec, takers: Iterable[str]) -> set[Span]:
        """The calls that make headers for either side, where one of these APIs gets what they made."""
        found: set[Span] = set()
        for site in reading.calls if spec.made else ():
            if not _begins_with(self._linker.canonical(site.call.callee), takers):
                continue
            for argument in site.call.arguments:
                for item in self._entries(argument.value):
                    made = self._linker.resolve(item.value) if item.key in spec.containers else None
                    if isinstance(made, Call) and self._linker.canonical(made.callee) in spec.made:
                        found.add(made.span)
        return found

    @staticmethod
    def _decorated_scope(reading: CodeReading, site: CallSite) -> int | None:
        """The scope of the function that a call decorates."""
        for each in reading.decorations:
            if isinstance(each.decorator, Call) and each.decorator.span == site.call.span:
                for binding in reading.scopes[each.scope].bindings.get(each.target, ()):
                    if isinstance(binding.value, Function):
                        return binding.value.scope
        return None

    def _vary_writes(self, reading: CodeReading, spec: HeaderSpec) -> Iterator[_HeaderWrite]:
        """Calls that add names to Vary: `res.vary("Origin")`, `response.vary.add("Origin")`, `vary(res, "Origin")`."""
        for site in reading.calls:
            call = site.call
            callee = call.callee
            method = isinstance(callee, Member) and (
                callee.key in spec.vary.methods
                or (isinstance(callee.base, Member) and callee.base.key in spec.vary.members)
            )
            if method or (spec.vary.calls and self._linker.canonical(callee) in spec.vary.calls):
                names = Sequence(tuple(argument.value for argument in call.arguments), call.span)
                yield _HeaderWrite(_VARY_HEADER, names, "append", site.scope, site.guards, call.span, callee.span)

    def _object_writes(self, value: Value, scope: int, guards: tuple[Guard, ...]) -> Iterator[_HeaderWrite]:
        for item in self._entries(value):
            if item.key is not None and _is_read(item.key):
                yield _HeaderWrite(
                    item.key.lower(), item.value, "set", scope, guards, item.span, item.key_span, value.span, key=True
                )

    def _request_writes(self, reading: CodeReading, spec: HeaderSpec) -> Iterator[_HeaderWrite]:
        """Response headers that a client puts on its request."""
        given = self._made_for(reading, spec, spec.clients) if spec.clients else set()
        for site in reading.calls:
            callee = site.call.callee
            method = callee.key if isinstance(callee, Member) else None
            base = self._linker.canonical(callee.base) if isinstance(callee, Member) else None
            on_request = method in spec.methods and _begins_with(base, spec.clients)
            if isinstance(callee, Member) and method in spec.methods and given:
                on_request = on_request or self._linker.resolve(callee.base).span in given
            positional = [argument for argument in site.call.arguments if argument.keyword is None]
            if (method in spec.request_methods or on_request) and len(positional) > 1:
                name = self._linker.resolve(positional[0].value)
                if isinstance(name, Literal) and isinstance(name.value, str) and answers_cors(name.value):
                    yield _HeaderWrite(
                        name.value.lower(),
                        positional[1].value,
                        "set",
                        site.scope,
                        site.guards,
                        site.call.span,
                        name.span,
                        target="request",
                    )
            if spec.clients and _begins_with(self._linker.canonical(callee), spec.clients):
                for argument in positional:
                    yield from self._client_writes(argument.value, spec, site)
        for assigned in reading.writes:
            target = assigned.target
            if isinstance(target, Member) and answers_cors(target.key):
                if _begins_with(self._linker.canonical(target.base), spec.clients):
                    yield _HeaderWrite(
                        target.key.lower(),
                        assigned.value,
                        "set",
                        assigned.scope,
                        assigned.guards,
                        assigned.span,
                        target.key_span,
                        target="request",
                    )

    def _client_writes(self, value: Value, spec: HeaderSpec, site: CallSite) -> Iterator[_HeaderWrite]:
        """Headers in an object that a client is given, or under a key of one."""
        for written in (self._held, self._direct):
            for write in written(value, spec, site.scope, site.guards):
                if answers_cors(write.name):
                    yield write._replace(target="request")

    def _direct(self, value: Value, _spec: HeaderSpec, scope: int, guards: tuple[Guard, ...]) -> Iterator[_HeaderWrite]:
        yield from self._object_writes(value, scope, guards)

    def _loose_objects(self, reading: CodeReading, spec: HeaderSpec) -> Iterator[_HeaderWrite]:
        """Header objects by keyword, in another object or returned.

        `Response(body, headers={...})`, `{headers: {...}}`, `return body, 200, {...}`.
        """
        for function in _functions(reading):
            for way in function.returns:
                for value in way.value.items if isinstance(way.value, Sequence) else (way.value,):
                    if not spec.beside:
                        yield from self._object_writes(value, function.scope, way.guards)
                    if not spec.beside or self._is_response(value, spec):
                        yield from self._held(value, spec, function.scope, way.guards)
        for site in reading.calls:
            anything = not spec.responses or _begins_with(self._linker.canonical(site.call.callee), spec.responses)
            for argument in site.call.arguments:
                if argument.keyword is not None and argument.keyword in spec.containers:
                    if anything:
                        yield from self._object_writes(argument.value, site.scope, site.guards)
                elif isinstance(argument.value, Mapping) and (anything or self._is_response(argument.value, spec)):
                    yield from self._held(argument.value, spec, site.scope, site.guards)

    def _held(self, value: Value, spec: HeaderSpec, scope: int, guards: tuple[Guard, ...]) -> Iterator[_HeaderWrite]:
        """The headers in an object that has them under a key of their own."""
        resolved = self._linker.resolve(value)
        if isinstance(resolved, Mapping):
            for item in resolved.items:
                if isinstance(item, Entry) and item.key in spec.containers:
                    yield from self._object_writes(self._contents(item.value, spec), scope, guards)

    def _contents(self, value: Value, spec: HeaderSpec) -> Value:
        """What headers are made of: `new Headers({...})`."""
        made = self._linker.resolve(value)
        if isinstance(made, Call) and made.arguments and self._linker.canonical(made.callee) in spec.made:
            return made.arguments[0].value
        return value

    def _is_response(self, value: Value, spec: HeaderSpec) -> bool:
        """Whether an object says so by a key beside its headers."""
        resolved = self._linker.resolve(value)
        return isinstance(resolved, Mapping) and any(
            isinstance(item, Entry) and item.key in spec.beside for item in resolved.items
        )

    def _header_policies(
        self, reading: CodeReading, descriptor: Descriptor, spec: HeaderSpec, writes: list[_HeaderWrite]
    ) -> None:
        seen: set[Span] = set()
        for write in writes:
            if write.span in seen:
                continue
            seen.add(write.span)
            resolved = self._linker.resolved(write.value)
            text = resolved.value.value if isinstance(resolved.value, Literal) else None
            guards = (*self._tests_of_callers(reading, write.scope), *write.guards)
            site = CallSite(Call(Unknown("a header", write.span), (), False, write.span), write.scope, guards)
            context = _Context(self, reading, site, descriptor, None, None, {}, None)
            common = self._common(context, "high")
            shown = (
                Field(text, "written", resolved.value.span, resolved.trail)
                if text is not None
                else Field(None, "unknown", resolved.value.span, resolved.trail)
            )
            self._facts.append(
                Fact("header_write", write.span, {**common, **self._written(reading, write, writes, shown)})
            )
            if write.target == "request":
                continue
            self._facts += self._header_parts(reading, write, writes, common, resolved.value, shown)
            if write.name != ALLOW_ORIGIN or not self._has_room(write.span):
                continue
            fields = {
                **common,
                "layer": Field("http", "written", write.span),
                "instance": Field(write.span, "written", write.span),
                "credentials": self._header_credentials(reading, write, writes),
                "vary": self._header_vary(reading, spec, write, writes),
                "configured": Field("yes", "written", write.span),
            }
            fact = Fact("cors_policy", write.span, fields, {"origin": write.value})
            self._facts.append(fact)
            self._policies.append(Policy(fact, spec.policy, guards, True, spec))

    def _tests_of_callers(self, reading: CodeReading, scope: int, depth: int = 0) -> tuple[Guard, ...]:
        """What has to hold for the function around this to be called at all, as far as its calls are known."""
        function = _function_of(reading, scope)
        if function <= 0 or depth > _MAX_VARY_DEPTH:
            return ()
        sites = self._linker.calls_of(reading.scopes[function].span)
        if len(sites) == 1:
            (site,) = sites
            caller = self._readings.get(site.call.span.path)
            outer = self._tests_of_callers(caller, site.scope, depth + 1) if caller is not None else ()
            return (*outer, *site.guards)
        if not sites or not all(site.guards for site in sites):
            return ()
        first, *others = (_conjunction(site.guards, site.call.span) for site in sites)
        either = first
        for other in others:
            either = Fallback(either, other, "falsy", other.span)
        return (Guard(either, True),)

    def _written(
        self, reading: CodeReading, write: _HeaderWrite, writes: Iterable[_HeaderWrite], value: Field
    ) -> dict[str, Field]:
        """What a header_write has of its own."""
        meant = nearest(write.name)
        fields = {
            "name": Field(write.name, "written", write.name_span),
            "value": value,
            "operation": Field(write.operation, "written", write.span),
            "target": Field(write.target, "written", write.span),
            "known": _answer(tri(meant is None), write.name_span),
            "key": _answer(tri(write.key), write.name_span),
        }
        if meant is None:
            return fields
        fields["nearest_cors_name"] = Field(meant, "written", write.name_span)
        given = any_of(tri(other.name == meant.lower()) for other in self._near(reading, write, writes))
        return {**fields, "meant_given": _answer(given, write.name_span)}

    @staticmethod
    def _near(reading: CodeReading, write: _HeaderWrite, writes: Iterable[_HeaderWrite]) -> list[_HeaderWrite]:
        """What the same function writes to a message of the same sort."""
        function = _function_of(reading, write.scope)
        return [o for o in writes if o.target == write.target and _function_of(reading, o.scope) == function]

    def _header_parts(
        self,
        reading: CodeReading,
        write: _HeaderWrite,
        writes: list[_HeaderWrite],
        common: MappingOf[str, Field],
        value: Value,
        shown: Field,
    ) -> Iterator[Fact]:
        """A value that does not allow credentials though it is meant to, and a list of methods or headers."""
        if not isinstance(value, Literal) or value.value is None:
            return
        span = shown.span or write.span
        by = {"by": Field("header", "written", span)}
        if write.name == ALLOW_CREDENTIALS and means_yes(value.value) and not self._is_true(value, reading.language):
            raw = "boolean" if isinstance(value.value, bool) else "text" if isinstance(value.value, str) else "number"
            fields = {
                "text": shown._replace(value=str(value.value)),
                "raw_type": Field(raw, "written", span),
                "does": Field("sent", "written", span),
            }
            yield Fact("credentials_value", span, {**common, **fields, **by})
        if write.name not in LISTS:
            return
        policies = [other for other in self._near(reading, write, writes) if other.name == ALLOW_ORIGIN]
        names = tuple(name for part in str(value.value).split(",") if (name := part.strip()))
        for policy in policies:
            # Where not every answer with the one header has the other, nobody can say what they do together.
            if self._goes_along(write, policy) is not Tri.YES and self._goes_along(policy, write) is not Tri.YES:
                continue
            fields = {
                "policy": Field(policy.span, "written", policy.span),
                "header": Field(write.name, "written", write.name_span),
                "names": Field(names, "written", span, shown.trail),
                "what": Field(LISTS[write.name], "written", span),
                "star": _answer(tri("*" in names), span),
            }
            yield Fact("sent_list", span, {**common, **fields, **by})

    def _header_credentials(self, reading: CodeReading, write: _HeaderWrite, writes: list[_HeaderWrite]) -> Field:
        """Whether the same function sends Allow-Credentials; one written elsewhere in the file leaves it unknown."""
        function = _function_of(reading, write.scope)
        others = [other for other in writes if other.name == ALLOW_CREDENTIALS and other.target == "response"]
        near = [other for other in others if _function_of(reading, other.scope) == function]
        if not others:
            return Field(False, "default", write.span)
        if not near:
            return Field(None, "unknown", others[0].span)
        along = [(other, self._goes_along(write, other)) for other in near]
        sure = [other for other, answer in along if answer is Tri.YES]
        if not sure:
            if all(answer is Tri.NO for _, answer in along):
                return Field(False, "default", write.span)
            return Field(None, "unknown", near[0].span)
        values = [self._linker.resolve(other.value) for other in sure]
        spelled = {self._is_true(value, reading.language) for value in values if isinstance(value, Literal)}
        if len(spelled) == 1 and all(isinstance(value, Literal) for value in values):
            return Field(spelled.pop(), "written", sure[0].span)
        return Field(None, "unknown", sure[0].span)

    def _header_vary(
        self, reading: CodeReading, spec: HeaderSpec, write: _HeaderWrite, writes: list[_HeaderWrite]
    ) -> Field:
        """Whether Vary: Origin goes along; it may also be written elsewhere, or by a name that is not known."""
        function = _function_of(reading, write.scope)
        unsure: Span | None = None
        for other in writes:
            if other.name != _VARY_HEADER:
                continue
            near = _function_of(reading, other.scope) == function and other.holder == write.holder
            answer = all_of((self._names_origin(other.value), self._goes_along(write, other)))
            if near and answer is Tri.YES:
                return Field(True, "written", other.span)
            if answer is Tri.UNKNOWN or not near:
                unsure = unsure or (other.span if self._names_origin(other.value) is not Tri.NO else None)
        plain = isinstance(self._linker.resolve(write.value), Literal) and not write.guards
        if plain and unsure is None:
            unsure = write.span  # it is the same for all origins: nobody needs to know, and the project is large
        if unsure is None and (
            self._writes_others(reading, spec, function, write) or self._varied_elsewhere(reading, spec)
        ):
            unsure = write.span
        return Field(None, "unknown", unsure) if unsure is not None else Field(False, "default", write.span)

    def _names_origin(self, value: Value, depth: int = 0) -> Tri:
        """Whether `Origin` (or `*`) is among the names that a value for Vary lists."""
        found = self._linker.resolve(value)
        if depth > _MAX_VARY_DEPTH:
            return Tri.UNKNOWN
        match found:
            case Literal(value=text):
                names = {name.strip().lower() for name in str(text).split(",")}
                return tri(bool(names & {"origin", "*"}))
            case Null() | Undefined():
                return Tri.NO
            case Sequence(items=parts) | Concat(parts=parts):
                return any_of(self._names_origin(part, depth + 1) for part in parts)
            case Spread(value=inner):
                return self._names_origin(inner, depth + 1)
            case Choice(yes=one, no=other) | Fallback(first=one, then=other):
                answers = {self._names_origin(part, depth + 1) for part in (one, other)}
                return answers.pop() if len(answers) == 1 else Tri.UNKNOWN
        return Tri.UNKNOWN

    def _writes_others(self, reading: CodeReading, spec: HeaderSpec, function: int, write: _HeaderWrite) -> bool:
        """Whether the same function writes headers whose names are not known, so that Vary may be among them."""
        if write.holder is not None and not self._whole_object(write, reading):
            return True
        for site in reading.calls:
            callee = site.call.callee
            if not isinstance(callee, Member) or callee.key not in spec.methods:
                continue
            if _function_of(reading, site.scope) != function:
                continue
            given = [self._linker.resolve(argument.value) for argument in site.call.arguments]
            if not given or (isinstance(given[0], Literal) and isinstance(given[0].value, str)):
                continue
            plain = all(isinstance(value, (Literal, Null, Undefined)) or self._whole(value) for value in given)
            if not plain and (len(given) > 1 or _ends_in(callee.base, spec.containers | spec.holders)):
                return True
        return False

    def _whole_object(self, write: _HeaderWrite, reading: CodeReading) -> bool:
        """Whether all keys of the object are known that a header is written in."""
        values = [argument.value for site in reading.calls for argument in site.call.arguments]
        values += [way.value for function in _functions(reading) for way in function.returns]
        pending = [value for value in values if write.holder is not None and value.span.covers(write.holder)]
        for _ in range(_MAX_PARTS):
            if not pending:
                break
            value = pending.pop()
            if value.span == write.holder:
                return self._whole(self._linker.resolve(value))
            inner = value.items if isinstance(value, (Sequence, Mapping)) else ()
            pending += [item.value if isinstance(item, (Entry, Spread)) else item for item in inner]
        return False

    def _whole(self, value: Value, depth: int = 0) -> bool:
        """Whether all keys of a resolved object are known, also those that are spread into it."""
        return (
            isinstance(value, Mapping)
            and depth < _MAX_VARY_DEPTH
            and all(
                item.key is not None
                if isinstance(item, Entry)
                else self._whole(self._linker.resolve(item.value), depth + 1)
                for item in value.items
            )
        )

    def _spells_vary(self, path: str) -> bool:
        reading = self._readings.get(path)
        return reading is None or self._spells(reading.scopes[0].span, _VARY_HEADER)

    def _varied_elsewhere(self, reading: CodeReading, spec: HeaderSpec) -> bool:
        """Whether another file of the language may send Vary: Origin: for all responses, as far as is known."""
        if reading.language not in self._varying:
            self._varying[reading.language] = frozenset(
                path
                for path, other in self._readings.items()
                if other.language == reading.language
                and self._may_write(other, self._spells_vary)
                and any(
                    write.name == _VARY_HEADER and self._names_origin(write.value) is not Tri.NO
                    for write in self._header_writes(other, spec)
                )
            )
        return bool(self._varying[reading.language] - {reading.path})

    @staticmethod
    def _is_true(value: Literal, language: str) -> bool:
        """Fetch: the header counts only when it is exactly `true` (section 4.10, CORS check). That is how JavaScript
        spells its own `true`; Python's becomes `True`."""
        return value.value == "true" or (value.value is True and language == "javascript")

    def _goes_along(self, write: _HeaderWrite, other: _HeaderWrite) -> Tri:
        """Whether a response that gets the one header gets the other, too: no in branches that exclude each other."""
        mine = {(guard.test.span, guard.holds) for guard in write.guards}
        answer = Tri.YES
        for guard in other.guards:
            if (guard.test.span, guard.holds) in mine:
                continue
            if (guard.test.span, not guard.holds) in mine:
                return Tri.NO
            held = self._linker.holds((guard,))
            if held is Tri.NO:
                return Tri.NO
            if held is Tri.UNKNOWN:
                answer = Tri.UNKNOWN
        return answer

    # --- what belongs together ---

    def _attach(self) -> None:
        """Middleware says which application a policy belongs to."""
        everything = [*self._facts, *(fact for group in self._groups for made in group for fact in made)]
        applied: dict[Span, list[Fact]] = {}
        for fact in everything:
            if fact.kind == "middleware":
                handler = fact.field("handler").value
                if isinstance(handler, Span):
                    applied.setdefault(handler, []).append(fact)
        for fact in everything:
            if fact.kind not in _APPLIED or fact.field("app").state == "written":
                continue
            instance = fact.field("instance").value
            uses = applied.get(instance, []) if isinstance(instance, Span) else []
            apps = {use.field("app").value for use in uses if isinstance(use.field("app").value, Span)}
            if len(apps) == 1:
                fact.fields["app"] = next(use.field("app") for use in uses if isinstance(use.field("app").value, Span))
            if uses and all(use.field("fence").value == "development" for use in uses):
                fact.fields["fence"] = uses[0].field("fence")
        for fact in everything:
            if fact.kind == "session_cookie" and fact.field("trust_proxy").state == "absent":
                fact.fields["trust_proxy"] = _trusted(fact, everything)


def _trusted(cookie: Fact, facts: Iterable[Fact]) -> Field:
    """Whether the application that a cookie is set by believes its proxy; of several, if they all agree."""
    apps = [fact for fact in facts if fact.kind == "http_app"]
    own = [fact for fact in apps if fact.field("instance").value == cookie.field("app").value]
    answers = [fact.field("trust_proxy") for fact in own or apps]
    if len({(answer.value, answer.state == "unknown") for answer in answers}) != 1:
        return Field(None, "unknown", cookie.span)
    return answers[0] if own else answers[0]._replace(confidence="medium")


def _may_have(kind: str, field: str) -> bool:
    """Whether facts of a kind have that field. (Loaded late: few runs ask.)"""
    from corslint.model.kinds import FACT_KINDS

    return field in FACT_KINDS[kind].fields


class _Configured(NamedTuple):
    """A value written to a configuration key; `scope` is the function's it is written in, None for a class or file."""

    value: Value
    span: Span
    scope: int | None


class _HeaderWrite(NamedTuple):
    """One header written by hand. `holder`: the object that holds it, where that becomes a response by itself."""

    name: str
    value: Value
    operation: str
    scope: int
    guards: tuple[Guard, ...]
    span: Span
    name_span: Span
    holder: Span | None = None
    target: str = "response"
    key: bool = False


class _Context(NamedTuple):
    """What the fields of one call's facts are read from."""

    extractor: Extractor
    reading: CodeReading
    site: CallSite
    descriptor: Descriptor
    version: VersionInForce | None
    options: Value | None
    overlays: MappingOf[str, tuple[FieldSource, _Completion]]
    loaded: Loaded | None
    late: bool = False
    delegated: bool = False
    scope: tuple[Value | None, Value] | None = None
    """The key that the fact is for, where there is one per key of an option, and what that key holds."""

    def option(self, path: str) -> Value | None:
        """The value at a dotted path of the options: None where it is certainly not there.

        Where a step is `*`, for any key, all have to agree.
        """
        found = self.extractor.at_path(self.options, path)
        if not found or all(value is None for value in found):
            return None
        linker = self.extractor._linker
        plain = [linker.resolve(value) if value is not None else None for value in found]
        if len(found) == 1 or len({p.value if isinstance(p, Literal) else p for p in plain}) == 1:
            return found[0]
        return Unknown("not the same for every key", self.site.call.span)

    def group_missing(self, path: str) -> bool:
        """Whether the object that would hold the option is itself not there."""
        parent = path.rpartition(".")[0]
        return self.options is None or (bool(parent) and self.option(parent) is None)

    def field(self, source: FieldSource, call: Call, argument: Argument | None) -> tuple[Field, Value | None]:
        """One field, and its resolved value where the source is an expression."""
        linker = self.extractor._linker
        if source.handler and self.extractor.looks_at(self.reading, self.site, source.handler, source.blind):
            return Field(None, "unknown", call.span), None
        if source.has_constant:
            return Field(source.constant, "written", call.span), None
        if source.call:
            return Field(call.span, "written", call.span), None
        if source.callee:
            name = re.split(r"[#/.]", linker.canonical(call.callee) or "")[-1]
            return Field(dict(source.mapping).get(name, name), "written", call.span), None
        if source.decorated:
            return self._decorated(source, call)
        if source.delegated:
            return Field("yes" if self.delegated else "no", "written", call.span), None
        if source.unknown:
            return Field(None, "unknown", call.span), None
        if source.method:
            callee = call.callee
            if isinstance(callee, Member):
                return Field(dict(source.mapping).get(callee.key, callee.key), "written", callee.key_span), None
            return Field(None, "absent", call.span), None
        value = self._beside(source.beside, call) if source.beside is not None else self._value(source, call, argument)
        if source.spells is not None:
            return self.extractor.spelled(self.reading, self.site, value, source.spells), None
        if value is not None and source.through:
            return self._through(value, source.through), None
        if source.present and isinstance(value, Unknown):
            return Field(None, "unknown", value.span), None
        if value is not None and source.only and not self._made_by(value, source.only):
            value = None
        if source.present:
            return Field(
                "no" if value is None else "yes", "written", value.span if value is not None else call.span
            ), None
        if value is None:
            return self._missing(source, call), None
        if source.read_as == "source":
            return Field("given", "written", value.span), None
        if source.read_as == "dotted":
            value = _dotted(linker.resolve(value))
        resolved = linker.resolved(value)
        if source.read_as == "names":
            return self._names(resolved.value, resolved.trail), resolved.value
        if source.read_as == "keys":
            listed = self._keys(resolved.value)
            return Field(None, "unknown", listed.span, resolved.trail), listed
        # A setting is looked up from its module's end, which is no place that it came through.
        trail = tuple(span for span in resolved.trail if not source.settings or span != value.span)
        return _read(source, resolved.value, trail, linker), resolved.value

    def _made_by(self, value: Value, names: frozenset[str]) -> bool:
        """Whether a value is a call of one of these APIs, and so is each call in its first argument."""
        linker = self.extractor._linker
        for _ in range(_MAX_CHAIN):
            made = linker.resolve(value)
            if not isinstance(made, Call) or linker.canonical(made.callee) not in names:
                return False
            inner = linker.argument(made, 0, None)
            if inner is None or not isinstance(linker.resolve(inner), Call):
                return True
            value = inner
        return False

    def _through(self, value: Value, names: frozenset[str]) -> Field:
        """Whether a value is a call of one of these APIs, or one in its first argument is."""
        linker = self.extractor._linker
        found: Value | None = value
        for _ in range(_MAX_CHAIN):
            made = linker.resolve(found) if found is not None else None
            if not isinstance(made, Call):
                break
            if linker.canonical(made.callee) in names:
                return Field("yes", "written", made.span)
            found = linker.argument(made, 0, None)
        return Field("no", "written", value.span)

    def _decorated(self, source: FieldSource, call: Call) -> tuple[Field, Value | None]:
        """The function or class that a call decorates."""
        for each in self.reading.decorations:
            if each.decorator.span == call.span:
                for binding in self.reading.scopes[each.scope].bindings.get(each.target, ()):
                    if binding.span == each.target_span:
                        return _read(source, binding.value, (), self.extractor._linker), binding.value
                return Field(None, "unknown", call.span), None
        return Field(None, "absent", call.span), None

    def _beside(self, position: int, call: Call) -> Value:
        """What stands at that position of the tuple or list, in any argument of the file, that holds this call."""
        linker = self.extractor._linker
        pending = [argument.value for site in self.reading.calls for argument in site.call.arguments]
        for _ in range(_MAX_PARTS):
            if not pending:
                break
            value = pending.pop()
            if not isinstance(value, Sequence):
                continue
            for item in value.items:
                found = linker.resolve(item)
                if isinstance(found, (Call, This)) and found.span == call.span and position < len(value.items):
                    return value.items[position]
            pending += value.items
        return Unknown("what it is given to is not known", call.span)

    def _handed_with(self, position: int, call: Call) -> Value | None:
        """The argument at that position of the call that takes what this call returns, unless that is it."""
        taker = self.extractor.taker(self.reading, call)
        if taker is None or position >= len(taker.call.arguments):
            return None
        given = taker.call.arguments[position]
        value = self.extractor._linker.resolve(given.value)
        is_it = isinstance(value, Call) and value.span == call.span
        return given.value if not is_it and given.keyword is None else None

    def _names(self, value: Value, trail: tuple[Span, ...]) -> Field:
        """The keys of an object as a field's value."""
        keys = [entry.key for entry in self.extractor._entries(value)] if _whole(value) else [None]
        if any(key is None for key in keys):
            return Field(None, "unknown", value.span, trail)
        return Field(tuple(str(key) for key in keys), "written", value.span, trail)

    def _keys(self, value: Value) -> Value:
        """The keys of an object as a list; what is no object stays what it is, but for a list, which has none."""
        if isinstance(value, Sequence):
            return Unknown("a list where an object is expected", value.span)
        if not isinstance(value, Mapping):
            return value
        keys: list[Value] = [
            Literal(entry.key, entry.key_span)
            if entry.key is not None
            else entry.computed or Unknown("a computed key", entry.key_span)
            for entry in self.extractor._entries(value)
        ]
        if not _whole(value):
            keys.append(Unknown("keys that could not be read", value.span))
        return Sequence(tuple(keys), value.span)

    def _inside(self, value: Value, path: str) -> Value | None:
        """What stands at a dotted path of what a scope's key holds."""
        found = self.extractor.at_path(value, path)
        return found[0] if len(found) == 1 else None

    def given(self, source: FieldSource, call: Call) -> bool:
        """Whether the field is given at the call itself, and not by a configuration key."""
        return self._value(source._replace(config=None), call, None) is not None

    def _missing(self, source: FieldSource, call: Call) -> Field:
        if source.has_absent and all(self.group_missing(key) for key in source.keys):
            return Field(source.absent, "absent", call.span)
        if source.has_default:
            return Field(source.default, "default", self._lacking(source) or call.span)
        if source.by_version:
            version = self.version
            certain, value = source.default_for(version.releases if version is not None else ())
            if not certain or version is None:
                return Field(None, "unknown", call.span)
            return Field(value, "default", call.span, (), version.confidence)
        return Field(None, "absent", call.span)

    def _lacking(self, source: FieldSource) -> Span | None:
        """The place of the object that would hold an option, where it is one inside the options."""
        for key in source.keys:
            parent = self.option(key.rpartition(".")[0]) if "." in key else None
            found = self.extractor._linker.resolve(parent) if parent is not None else None
            if isinstance(found, Mapping):
                return found.span
        return None

    def _value(self, source: FieldSource, call: Call, argument: Argument | None) -> Value | None:
        linker = self.extractor._linker
        if source.receiver and isinstance(call.callee, Member):
            base = linker.resolve(call.callee.base)
            if not isinstance(base, Reference) or base.name != "*":  # a function of a module has no receiver
                return call.callee.base
        if argument is not None and not (
            source.positions or source.keyword or source.keys or source.settings or source.config
        ):
            return argument.value
        if source.of_receiver:
            maker = linker.resolve(call.callee.base) if isinstance(call.callee, Member) else None
            if not isinstance(maker, Call):
                return Unknown("made by a call that was not found", call.span)
            call = maker
        if source.override is not None and isinstance(call.callee, This):
            return self.extractor.override(call.callee, source.override)
        if source.keyword is not None:
            found = linker.argument(call, None, source.keyword)
            if found is not None:
                return found
        for key in source.keys:
            found = self.option(key)
            if found is not None:
                return found
        if self.scope is not None:
            if source.scope and self.scope[0] is not None:
                return self.scope[0]
            for path in source.inside:
                found = self._inside(self.scope[1], path)
                if found is not None:
                    return found
        for position in source.positions:
            found = linker.argument(call, position, None)
            if found is not None:
                return found
        if source.handed_with is not None:
            found = self._handed_with(source.handed_with, call)
            if found is not None:
                return found
        for setting in source.settings:
            found = self.extractor.setting(self.reading, setting)
            if found is not None:
                return found
        if source.config is not None:
            return self.extractor.configured(source, self.site._replace(call=call), self.late)
        return None


def _socket_path(value: Value, trail: tuple[Span, ...], linker: Linker) -> Field:
    """The path of a Unix socket that stands where a port may stand, too; the fallback of a variable counts for it."""
    if isinstance(value, Fallback) and isinstance(value.first, EnvVar):
        value = linker.resolve(value.then)
    if isinstance(value, Literal):
        path = isinstance(value.value, str) and value.value.startswith("/")
        return Field(value.value if path else None, "written" if path else "absent", value.span, trail)
    absent = isinstance(value, (Call, Function, Mapping, Null, Undefined))
    return Field(None, "absent" if absent else "unknown", value.span, trail)


def _read(source: FieldSource, value: Value, trail: tuple[Span, ...], linker: Linker) -> Field:
    """A resolved value as a plain field."""
    unknown = Field(None, "unknown", value.span, trail)
    if source.read_as == "application" and isinstance(value, Literal) and isinstance(value.value, str):
        module, _, name = value.value.partition(":")
        if not re.fullmatch(r"[\w.]+:\w+", value.value):
            return unknown
        value = linker.resolve(Reference(module, name, value.span))
        if not isinstance(value, Call):
            return unknown
    if source.read_as == "place":
        return Field(value.span, "written", value.span, trail)
    if source.read_as in ("handler", "dotted") and isinstance(value, This):
        return Field(value.span, "written", value.span, trail)
    if source.read_as in ("instance", "application", "handler", "dotted"):
        owner = value
        while isinstance(owner, Member):  # `io.engine` is a part of `io`
            owner = linker.resolve(owner.base)
        if isinstance(owner, (Call, Function)):
            return Field(owner.span, "written", value.span, trail)
        if isinstance(value, (Literal, Null, Undefined, Mapping)):
            return Field(None, "absent", value.span, trail)
        return unknown
    if source.read_as in ("number", "integer") and isinstance(value, Call) and value.arguments:
        if linker.canonical(value.callee) in _NUMBERS:
            value = linker.resolve(value.arguments[0].value)
    if source.read_as in ("number", "integer") and isinstance(value, (Call, Function, Mapping)):
        return Field(None, "absent", value.span, trail)
    if source.read_as == "socket":
        return _socket_path(value, trail, linker)
    if source.read_as == "list":
        if isinstance(value, Literal):
            return Field((value.value,), "written", value.span, trail)
        if not isinstance(value, Sequence):
            return unknown
        parts = [linker.resolve(item) for item in value.items]
        if not all(isinstance(part, Literal) for part in parts):
            return unknown
        return Field(tuple(part.value for part in parts if isinstance(part, Literal)), "written", value.span, trail)
    if isinstance(value, Null) and any(before is None for before, _ in source.mapping):
        return Field(dict(source.mapping)[None], "written", value.span, trail)
    if isinstance(value, (Null, Undefined)):
        return (
            Field(source.default, "default", value.span, trail)
            if source.has_default
            else Field(None, "absent", value.span, trail)
        )
    if isinstance(value, Fallback) and isinstance(value.first, EnvVar) and source.read_as == "number":
        value = linker.resolve(value.then)
    if source.truthy and (
        isinstance(value, (Function, Regex)) or (isinstance(value, (Mapping, Sequence)) and value.items)
    ):
        return Field("yes", "written", value.span, trail)
    if source.truthy and isinstance(value, Operation) and (answer := linker.test(value)) is not Tri.UNKNOWN:
        return Field(answer.value, "written", value.span, trail)
    if source.read_as == "tri" and isinstance(value, (Function, Regex, Mapping, Sequence)):
        return Field("no", "written", value.span, trail)
    if not isinstance(value, Literal):
        return unknown
    plain = value.value
    for before, after in source.mapping:
        if plain == before and type(plain) is type(before):
            return Field(after, "written", value.span, trail)
    if source.truthy:
        return Field("yes" if plain else "no", "written", value.span, trail)
    if source.read_as == "tri":
        return Field("yes" if plain is True else "no", "written", value.span, trail)
    if source.read_as == "integer":
        whole = isinstance(plain, int) and not isinstance(plain, bool)
        return Field(plain, "written", value.span, trail) if whole else Field(None, "absent", value.span, trail)
    if source.read_as == "seconds":
        if isinstance(plain, (str, bool)):
            return unknown
        return Field(round(plain * 1000), "written", value.span, trail)
    if source.read_as == "number":
        if isinstance(plain, bool):
            return unknown
        if isinstance(plain, str):
            return Field(int(plain), "written", value.span, trail) if plain.isdigit() and len(plain) < 9 else unknown
        return Field(plain, "written", value.span, trail)
    if source.read_as == "prefix":
        if not isinstance(plain, str):
            return unknown
        # What stands before the first special character, up to its last slash.
        plain = plain.removeprefix("^").removesuffix("$")
        literal = _SPECIAL.split(plain, maxsplit=1)[0]
        prefix = literal if literal == plain else literal[: literal.rfind("/") + 1]
        return Field(prefix.rstrip("/"), "written", value.span, trail)
    if source.read_as in ("path", "rooted"):
        if not isinstance(plain, str):
            return unknown
        rooted = source.read_as == "rooted" and not plain.startswith("/")
        return Field(_path(f"/{plain}" if rooted else plain), "written", value.span, trail)
    return Field(plain, "written", value.span, trail)


def _dotted(value: Value) -> Value:
    """What a text such as `package.module.Name` names."""
    if isinstance(value, Literal) and isinstance(value.value, str) and "." in value.value:
        module, _, name = value.value.rpartition(".")
        return Reference(module, name, value.span)
    return value


def _is_parameter(value: Value, function: Function, position: int) -> bool:
    return isinstance(value, Parameter) and (value.function, value.position) == (function.span, position)


def _list_options(emit: EmitSpec, at: Span) -> Iterator[tuple[str, Field]]:
    """The names of the options that take the lists of a policy."""
    for part, what in (("methods", "methods"), ("headers", "request_headers"), ("exposed", "exposed")):
        source = emit.fields.get(f"given.{part}")
        if isinstance(source, FieldSource) and source.keys:
            yield f"options.{what}", Field(source.keys[0], "written", at)


def _origin_paths(emit: EmitSpec) -> frozenset[str]:
    """The options that say which origins a policy lets in, and the one that all of its options stand in."""
    if emit.policy is None:
        return frozenset()
    fields = (*emit.policy.sources, "group")
    return frozenset(
        path
        for name in fields
        if name in emit.fields
        for path in (*emit.fields[name].keys, *emit.fields[name].settings)
    )


def _line_within(span: Span, text: str, at: int) -> Span:
    """The line of a span's text at an offset, without what indents it; the span where it is a single line."""
    begin, end = text.rfind("\n", 0, at) + 1, text.find("\n", at)
    line = text[begin:] if end < 0 else text[begin:end]
    before = text[:begin] + line[: len(line) - len(line.lstrip())]
    if "\ufffd" in before + line:  # perhaps a byte that is no UTF-8: the offsets are not those of the file
        return span
    start = span.start + len(before.encode())
    return Span(span.path, start, start + len(line.strip().encode()))


def _answer(answer: Tri, at: Span) -> Field:
    return Field(None, "unknown", at) if answer is Tri.UNKNOWN else Field(answer.value, "written", at)


@lru_cache(maxsize=8)
def _tops(packages: frozenset[str]) -> frozenset[str]:
    """The packages that these are or lie in."""
    return frozenset(name.partition(".")[0] for name in packages)


def _call(reading: CodeReading, each: int | CallSite) -> Call:
    return (reading.calls[each] if isinstance(each, int) else each).call


def _about_cors(name: str) -> bool:
    """Whether a header is one by which a server answers a browser's question, or was meant to be."""
    return answers_cors(name) or nearest(name) is not None


_APPLIED = frozenset({"cors_policy", "session_cookie", "dev_proxy"})
"""Kinds of facts that belong to the application that they are applied to as middleware."""
_SCOPE = FieldSource(read_as="prefix")
_SPECIAL = regex(r"[*\\\]?$^\[()+.|{]")
_NUMBERS = frozenset({"global#int", "global#Number", "global#parseInt"})


def _path(text: str) -> str:
    return text.rstrip("/") or "/"


def _closest(name: str, names: Iterable[str]) -> str | None:
    by_shape = {_shape(known): known for known in names}
    if _shape(name) in by_shape:
        return by_shape[_shape(name)]
    import difflib

    close = difflib.get_close_matches(_shape(name), list(by_shape), 1, 0.75)
    return by_shape[close[0]] if close else None


def _shape(name: str) -> str:
    return name.replace("_", "").replace("-", "").lower()


def _is_read(name: str) -> bool:
    """Whether a response header of this name says who may read the response, or what it depends on."""
    lower = name.lower()
    return lower == _VARY_HEADER or _about_cors(lower)


def _whole(value: Value) -> bool:
    """Whether all keys of an object are written where it is made."""
    return isinstance(value, Mapping) and all(isinstance(item, Entry) for item in value.items)


def _is_empty(options: Value) -> bool:
    return isinstance(options, Mapping) and not options.items


def _functions(reading: CodeReading) -> Iterator[Function]:
    """The functions that have a name or are exported."""
    for scope in reading.scopes:
        for bindings in scope.bindings.values():
            for binding in bindings:
                if isinstance(binding.value, Function):
                    yield binding.value
    for export in reading.exports:
        if isinstance(export.value, Function):
            yield export.value


def _begins_with(name: str | None, known: Iterable[str]) -> bool:
    """Whether an API is one of these, or a part or method of one (of a package: any of its exports)."""
    return name is not None and any(name == one or (name.startswith(one) and name[len(one)] in "#./(") for one in known)


def _last_two(target: Value) -> str:
    """The last two names of a member: `defaults.timeout` of `client.defaults.timeout`."""
    if not isinstance(target, Member) or not isinstance(target.base, (Member, Name)):
        return ""
    return f"{target.base.key if isinstance(target.base, Member) else target.base.name}.{target.key}"


def _ends_in_holder(value: Value, holders: frozenset[str]) -> bool:
    return isinstance(value, Member) and _ends_in(value.base, holders)


def _called(callee: Value) -> str:
    """The name that is called."""
    return callee.key if isinstance(callee, Member) else callee.name if isinstance(callee, Name) else ""


def _writes_header(callee: Value, spec: HeaderSpec) -> bool:
    return _called(callee) in (spec.methods if isinstance(callee, Member) else spec.functions)


def _is_called_on(callee: Value, names: frozenset[str]) -> bool:
    """Whether a method is called on something of one of these names, or on what its methods return."""
    base = callee.base if isinstance(callee, Member) else None
    for _ in range(_MAX_CHAIN):
        if not isinstance(base, Call) or not isinstance(base.callee, Member):
            break
        base = base.callee.base
    return base is not None and _ends_in(base, names)


def _ends_in(value: Value, names: frozenset[str]) -> bool:
    return (isinstance(value, Member) and value.key in names) or (isinstance(value, Name) and value.name in names)


_LOADERS = frozenset({"from_object", "from_pyfile", "from_envvar"})
_FILLERS = frozenset({"update", "from_mapping"})


def _module_name(path: str) -> str:
    """The last part of the name that a file is imported by."""
    folder, _, name = path.rpartition("/")
    stem = name.rpartition(".")[0]
    return folder.rpartition("/")[2] if stem == "__init__" else stem


def _conjunction(guards: tuple[Guard, ...], span: Span) -> Value:
    tests = (guard.test if guard.holds else Operation("not", (guard.test,), span) for guard in guards)
    return Operation("and", tuple(tests), span)


def _function_of(reading: CodeReading, scope: int) -> int:
    for _ in range(len(reading.scopes)):
        if scope <= 0 or reading.scopes[scope].kind == "function":
            return scope
        scope = reading.scopes[scope].parent
    return 0


def merge_alternatives(alternatives: list[list[Fact]]) -> list[Fact]:
    """One set of facts for a call whose library version is not known: what differs between versions is unknown.

    A fact that not every version gives is left out.
    """
    merged: list[Fact] = []
    for fact in alternatives[0]:
        twins = [next((other for other in made if _twin(fact, other)), None) for made in alternatives[1:]]
        if any(twin is None for twin in twins):
            continue
        fields = dict(fact.fields)
        for name in {name for other in (fact, *twins) if other is not None for name in other.fields}:
            found = [other.fields.get(name, ABSENT) for other in (fact, *twins) if other is not None]
            if len({(field.state, repr(field.value)) for field in found}) > 1:
                fields[name] = Field(None, "unknown", found[0].span)
            else:
                fields[name] = (
                    found[0]._replace(confidence="medium")
                    if found[0].confidence == "high" and name.startswith("effect.")
                    else found[0]
                )
        one = Fact(fact.kind, fact.span, fields, fact.values)
        merged.append(one)
    return merged


def _imported(reading: CodeReading) -> set[str]:
    """The modules that a file imports, by the names that it uses."""
    return {
        binding.value.module
        for scope in reading.scopes
        for bindings in scope.bindings.values()
        for binding in bindings
        if isinstance(binding.value, Reference)
    }


def _twin(fact: Fact, other: Fact) -> bool:
    return fact.kind == other.kind and fact.span == other.span and fact.field("name").value == other.field("name").value
