"""The pipeline on one screen: files -> readings -> facts -> effects -> relations -> findings."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from functools import cached_property, lru_cache, partial
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from corslint import (
    cache,
    compiled,
    engine,
    resources,
    risk,
    ruleset,
    sifting,
    suppression,
    triage,
)
from corslint.behaviour import policy, response
from corslint.behaviour.chain import Doubled
from corslint.behaviour.layers import Layers
from corslint.discovery import Context, is_part, read_file
from corslint.extract import Extracted, Extractor, LayerSite, Policy, Seen, merge_alternatives
from corslint.frameworks import catalog
from corslint.model import decisions
from corslint.model.facts import Fact, Field
from corslint.model.finding import Finding, Fix
from corslint.model.kept import whole
from corslint.model.reading import (
    CodeReading,
    Damage,
    DeploymentReading,
    ManifestReading,
    NginxReading,
    Reading,
)
from corslint.model.tri import Tri
from corslint.parsers import exports_all_of_others, hands_on, kind_of, language_of, parse
from corslint.project import served, sockets, topology
from corslint.project.link import Linker
from corslint.project.modules import Modules
from corslint.project.packages import Packages
from corslint.records import NamedTuple
from corslint.relations import World
from corslint.result import SUPPRESSED, UNSURE, Report, nothing, wanted
from corslint.settings import Settings
from corslint.source import SourceFile, Span

if TYPE_CHECKING:
    from corslint import mixed
    from corslint.model.diagram import Diagram
    from corslint.network import Network
    from corslint.project.placement import Placement
    from corslint.trace import Tracer

_T = TypeVar("_T")

_ROUNDS = 4

_ASKING = frozenset({"http_request", "socket_client", "bare_socket"})
_ASKED = _ASKING | {"http_route", "dev_server"}
"""Facts of these kinds ask a server for something, and of one of those there has to be one wherever a page and a server
can disagree. A file alone seldom has any: what joins them is loaded when there are."""

UNFINISHED = "unfinished rules"
"""Counted among what was passed over: rules that gave up in a project with too much of everything."""
_READ_FOR_FIXES = 3_000_000
"""Bytes. So much of a file is read again in one run to work out its fixes, each of which needs all of it; what is left
comes up again when those are made."""
_WEIGHS: Mapping[str | None, int] = {"javascript": 1, "python": 10}
"""How much longer than tree-sitter the parser takes for a byte by which fixes are checked: libcst, or that of nginx."""
_CROWDED = "it sets up CORS, sockets or headers more often than people do, and from here on that was not looked at"


class Watch(Protocol):
    """Hands on some things one by one, and may tell somebody how far the work is."""

    def __call__(self, items: Iterable[_T], doing: str, noun: str) -> Iterable[_T]:
        """The items. `doing` and `noun` say what is done with them: `reading`, `files`."""


def _unwatched(items: Iterable[_T], doing: str, noun: str) -> Iterable[_T]:  # noqa: ARG001
    return items


class Project:
    """The files of one context: read once, parsed on demand. `overlay` stands in for what is on the disk.

    `files`: those that may be read.
    """

    def __init__(
        self,
        context: Context,
        overlay: Mapping[str, bytes] | None = None,
        packages: Collection[str] = (),
        memory: cache.Memory | None = None,
    ) -> None:
        self.context = context
        self._memory = memory
        self._packages = packages
        self._plain: set[str] = set()
        self._leads_on: dict[str, bool] = {}
        self._may_export: dict[tuple[str, str], bool] = {}
        self._inert: set[str] = set()
        self._aside: dict[str, Reading] = {}
        self._choice = sifting.Choice({}, lambda _: False, suppression.MARK)
        self._overlay = overlay or {}
        self.files = frozenset(context.files)
        self._sources: dict[str, SourceFile] = {}
        self._spelled: dict[str, bool] = {}
        self.readings: dict[str, Reading | None] = {}
        self.unreadable: dict[str, str] = dict(context.unreadable)

    def source(self, path: str) -> SourceFile:
        """A file as it was when first read; empty where it could not be read."""
        known = self._sources.get(path)
        if known is None:
            known = self._sources[path] = SourceFile(path, self._content(path))
        return known

    def _data(self, path: str) -> bytes:
        """The content of a file that is looked at once: it is not kept."""
        known = self._sources.get(path)
        return known.data if known is not None else self._content(path)

    def _content(self, path: str) -> bytes:
        if path not in self.files and path not in self._overlay:
            return b""
        try:
            return self._read(path)
        except OSError as error:
            self.unreadable[path] = error.strerror or str(error)
            return b""

    def _read(self, path: str) -> bytes:
        data = self._overlay.get(path)
        return data if data is not None else read_file(path)

    def read_candidates(self, choice: sifting.Choice, watch: Watch, jobs: int | None) -> None:
        """Parse the files that can hold facts of their own. No more is kept of the others than that they cannot."""
        self._choice = choice
        fresh: list[str] = []
        read: list[str] = []
        for path in self.context.files:
            if kind_of(path) is not None:
                what = self.context.cache.what(path) if path not in self._overlay else None
                if what is None:
                    fresh.append(path)
                elif what == cache.PLAIN:
                    self._plain.add(path)
                elif what == cache.INERT:
                    self._inert.add(path)
                elif what == cache.READ:
                    read.append(path)
        jobs = jobs or risk.fitting(len(fresh) // sifting.WORTH_WORKERS)
        if jobs > 1 and len(fresh) > sifting.BATCH:
            keeps = self.context.cache.folder is not None
            self._take(sifting.by_workers(fresh, choice, self._read, jobs, keeps=keeps), watch, len(fresh))
        else:
            at = iter(watch(fresh, "reading", "files"))
            for batch in sifting.batches(fresh):
                self._sift(batch, at)
            for _ in at:  # to its end, so that the watch knows
                pass
        for path in read:
            self.reading(path)
        self.readings = dict(sorted(self.readings.items()))

    def _sift(self, batch: Sequence[str], at: Iterator[str]) -> None:
        contents = [(path, self._content(path)) for path in batch]
        worth = self._choice.worth(contents)
        for path, data in contents:
            next(at, None)
            if path in self.unreadable:
                self.readings[path] = None
            elif path in worth and self._choice.is_only_data(path, data):
                self._inert.add(path)
                self._note_alone(path, cache.INERT)
            elif path in worth:
                self._look_into(path, data)
            else:
                self._plain.add(path)
                self._note_alone(path, cache.PLAIN)

    def _look_into(self, path: str, data: bytes) -> None:
        """Parse a file that may say something alone."""
        self._sources.setdefault(path, SourceFile(path, data))
        found = self.reading(path)
        if found is not None and self._choice.what(path, found, data) == cache.INERT:
            self._put_aside(path)

    def _note_alone(self, path: str, what: str) -> None:
        """Keep for the next run that a file says nothing alone."""
        if path not in self._overlay:  # what the disk holds may be something else
            self.context.cache.note(path, what)

    def _take(self, found: Iterable[sifting.Sifted], watch: Watch, count: int) -> None:
        """Keep what workers found of files."""
        for _, one in zip(watch(range(count), "reading", "files"), found, strict=False):
            if one.trouble is not None:
                self.unreadable.setdefault(one.path, one.trouble)
                self.readings[one.path] = None
            elif one.what == sifting.WORTH:
                data = self._content(one.path)
                if one.path in self.unreadable:
                    self.readings[one.path] = None
                else:
                    self._look_into(one.path, data)
            elif one.encoded == b"":  # too deep to be handed over, which is no reason not to read it
                self.reading(one.path)
            else:
                if one.path not in self._overlay:
                    self.context.cache.note(one.path, one.what, one.digest, one.encoded)
                if one.what == cache.PLAIN:
                    self._plain.add(one.path)
                else:
                    made = sifting.decoded(one)
                    self.readings[one.path] = made
                    if one.what == cache.INERT:
                        self._put_aside(one.path)

    def _put_aside(self, path: str) -> None:
        """Keep a reading that says nothing alone: it counts once another file leads to it."""
        found = self.readings.pop(path)
        self._inert.add(path)
        if found is not None:
            self._aside[path] = found

    def may_export(self, path: str, name: str) -> bool:
        """Whether a JavaScript file that is imported may export a name: it stands there, or all that others export."""
        if self.readings.get(path) is not None or path not in self._plain:
            return True
        known = self._may_export.get((path, name))
        if known is None:
            data = self._data(path)
            known = name == "default" or name.encode() in data or exports_all_of_others(data)
            self._may_export[path, name] = known
        return known

    @cached_property
    def with_comments(self) -> list[str]:
        """The files that may hold comments that are meant for corslint."""
        without = (self._plain, self._inert, self.unreadable)  # what could not be read is not read again for these
        return [
            path
            for path in self.context.files
            if not any(path in each for each in without)
            and self._answered(path, cache.HAS_MARK, lambda path=path: suppression.MARK in self._data(path))  # type: ignore[misc]
        ]

    def leads_on(self, path: str) -> bool:
        """Whether a file that is imported has to be read to know what is called there.

        It need not be where it is not worth parsing and can hand on no API, since it names no package that has any.
        """
        if self.readings.get(path) is not None or path not in self._plain:
            return True
        known = self._leads_on.get(path)
        if known is None:
            known = self._leads_on[path] = self._answered(
                path, cache.HANDS_ON, lambda: hands_on(path, self._data(path), self._packages)
            )
        return known

    def _answered(self, path: str, question: int, work: Callable[[], bool]) -> bool:
        """The answer to a question about the content of a file, which the last run may have kept."""
        if path in self._overlay:
            return work()
        known = self.context.cache.answer(path, question)
        if known is None:
            known = work()
            self.context.cache.note_answer(path, question, known)
        return known

    def admit(self, paths: Iterable[str]) -> None:
        """Let the text of further files be asked for: of settings files, in which findings stand."""
        self.files |= frozenset(paths)

    def reading(self, path: str) -> Reading | None:
        """The reading of a file of the context, parsed when first asked for."""
        if path not in self.readings:
            self.readings[path] = None
            if path in self._aside:
                self.readings[path] = found = self._aside.pop(path)
                self._note(path, found)
            elif path in self.files:
                self.readings[path] = self._kept(path) or self._parsed(path)
        return self.readings[path]

    def _kept(self, path: str) -> Reading | None:
        """The reading that the last run kept of a file that has not changed since."""
        if path in self._overlay:
            return None
        return self.context.cache.reading(path, lambda: self.source(path).data)

    def _parsed(self, path: str) -> Reading | None:
        source = self.source(path)
        if path in self.unreadable:
            return None
        try:
            memory = self._memory
            found = _read(source) if memory is None else memory.reading(path, source.data, partial(_read_whole, source))
        except _UnreadError as error:
            self.unreadable[path] = str(error)
            return None
        except Exception as error:  # a parser that fails takes down that one file, and no other
            if os.environ.get("CORSLINT_DEBUG"):
                raise
            self.unreadable[path] = f"its parser failed ({type(error).__name__}); please report it"
            return None
        self._note(path, found)
        return found

    def _note(self, path: str, found: Reading | None) -> None:
        """Keep a reading for the next run; one that says nothing alone only if another file leads to it."""
        if path in self._overlay:
            return
        if found is None:
            self.context.cache.note(path, cache.NOTHING)
            return
        data = self.source(path).data
        what = cache.PLAIN if path in self._plain else self._choice.what(path, found, data)
        if what == cache.INERT and path not in self._inert:
            self.context.cache.note(path, what)
        else:
            self.context.cache.note_reading(path, what, data, found)

    def code(self, path: str) -> CodeReading | None:
        """The reading of a JavaScript, TypeScript or Python file, or of a page's scripts."""
        found = self.readings.get(path) or self.reading(path)
        return found if isinstance(found, CodeReading) else None

    def spells_header(self, path: str) -> bool:
        """Whether the bytes of a file may hold the name of a CORS header, or one that is nearly that."""
        known = self._spelled.get(path)
        if path in self._plain:
            return False
        if known is None:
            known = self._spelled[path] = self._answered(
                path, cache.SPELLS_HEADER, lambda: _spells_header(self.source(path).data.lower())
            )
        return known

    def spells(self, span: Span, word: str) -> bool:
        """Whether a word (in lower case) stands in that part of a file, in any case."""
        return word.encode() in self.source(span.path).data[span.start : span.end].lower()

    def text(self, span: Span) -> str:
        """The text of a part of a file."""
        return self.source(span.path).data[span.start : span.end].decode("utf-8", "replace")

    def code_readings(self) -> dict[str, CodeReading]:
        """All code parsed so far."""
        return {path: found for path, found in sorted(self.readings.items()) if isinstance(found, CodeReading)}


class _UnreadError(Exception):
    """A file made the process fail that read it."""


def _read(source: SourceFile) -> Reading | None:
    """The reading of a file, which another process makes where it could do harm. Raises `_UnreadError`."""
    if risk.is_risky(source.path, source.data):
        from corslint import workers

        if workers.can_fork():
            apart = workers.read_apart(source.path, source.data)
            if isinstance(apart, workers.Failure):
                raise _UnreadError(apart.reason)
            return apart
    return parse(source)


def _read_whole(source: SourceFile) -> Reading | None:
    """The same with nothing left to be made of it: checks in several threads may have it."""
    found = _read(source)
    return whole(found) if isinstance(found, CodeReading) else found


def _spells_header(lowered: bytes) -> bool:
    return b"access-control" in lowered or b"control-allow-" in lowered


class Understood(NamedTuple):
    """The common model of one context.

    `policies` are as they were before they were judged, and `sites` the calls that make layers and routes: with these
    an application can be asked what it answers to a single request (`behaviour/application.py`).
    """

    facts: list[Fact]
    topology: topology.Topology
    project: Project
    linker: Linker
    policies: tuple[Policy, ...] = ()
    sites: Mapping[Span, LayerSite] = {}


class Knowledge(NamedTuple):
    """What corslint knows before it reads anything: the rules and the framework descriptors."""

    rules: ruleset.RuleSet
    catalog: catalog.Catalog


def knowledge(folders: tuple[str, ...] = (), *, examples: bool = True) -> Knowledge:
    """The built-in rules and descriptors, and the rules in `folders`; those built in with their `examples` or without.

    Rules of a user's own are read again where they have changed since.

    Raises:
        YamlError: one of the files is not valid.

    """
    return _knowledge(folders, compiled.own_key(folders) if folders else "", examples)


@lru_cache(maxsize=8)
def _knowledge(folders: tuple[str, ...], _contents: str, examples: bool) -> Knowledge:
    if examples:
        from corslint import rulefiles
        from corslint.frameworks import descriptors

        rules = rulefiles.load([resources.rules_folder(), *folders])
        return Knowledge(rules, descriptors.load(resources.frameworks_folder()))
    return Knowledge(*compiled.load_with(folders))


def lint(
    context: Context,
    settings: Settings,
    overlay: Mapping[str, bytes] | None = None,
    known: Knowledge | None = None,
    *,
    with_fixes: bool = False,
    with_diagram: bool = False,
    watch: Watch = _unwatched,
    jobs: int | None = None,
    memory: cache.Memory | None = None,
) -> Report:
    """Check one context. `overlay` holds contents that stand in for what is on the disk.

    Fixes are worked out only `with_fixes`: that loads the syntax libraries that edit. The picture of the context is
    drawn only `with_diagram`. `watch` sees how far the work is.
    `jobs`: how many processes read files; None for as many as pay. `memory` keeps readings from one check to the next.
    """
    known = known or knowledge(settings.rules, examples=False)
    rules = known.rules
    sorter = triage.Triage(rules, settings)
    context = wanted(context, settings)
    if not context.lint and not settings.expect:
        return nothing(context)
    understood = understand(context, settings, overlay, known.catalog, watch, jobs, memory)
    project = understood.project
    if settings.expect:
        context = _with_settings(context, settings)
        understood.facts.extend(_expectations(understood, settings, known.catalog))
    world = World(understood.facts, understood.topology, project.source, context.in_tests)
    plan_fix = _planner(project) if with_fixes else _no_fix
    unfinished: set[str] = set()
    found = engine.run(rules, world, plan_fix, lambda each: watch(each, "checking", "rules"), unfinished)
    if unfinished:
        context = context._replace(passed_over={**context.passed_over, UNFINISHED: len(unfinished)})
    kept, suppressed = _not_suppressed(found, rules, understood, context, plan_fix)
    report = _reported(kept, sorter, context, project, suppressed)
    if with_fixes:
        report = report._replace(undecided=_undecided(understood.facts))
    return report._replace(diagrams=(diagram(understood, settings, known.catalog),)) if with_diagram else report


def _undecided(facts: Sequence[Fact]) -> tuple[Span, ...]:
    """Policies of which nobody can tell whom they let in, but for those of sockets that refuse strangers before."""
    refusing = {
        fact.field("instance").value
        for fact in facts
        if fact.kind == "socket_server" and fact.field("upgrade.to_stranger").value == "refused"
    }
    return tuple(
        fact.span
        for fact in facts
        if fact.kind == "cors_policy"
        and (fact.field("socket").state != "written" or fact.field("socket").value not in refusing)
        and "unknown" in (fact.field("effect.to_stranger").state, fact.field("effect.credentials").state)
    )


def _expectations(understood: Understood, settings: Settings, descriptors: catalog.Catalog) -> list[Fact]:
    """What became of the requests that the settings speak of."""
    from corslint import expectations

    understood.project.admit(one.source for one in settings.expect)
    return list(expectations.facts(settings.expect, tracer(understood, settings, descriptors)))


def _with_settings(context: Context, settings: Settings) -> Context:
    """The context, in which the settings files count as asked for where all of it is."""
    if not context.lint.issuperset(context.files):
        return context
    return context._replace(lint=context.lint | {one.source for one in settings.expect})


def about_comments(rules: ruleset.RuleSet | None = None) -> frozenset[str]:
    """The rules, of the built-in ones if none are given, that speak about ignore comments."""
    kinds = (rules or knowledge(examples=False).rules).kinds
    return frozenset(rule for rule, ways in kinds.items() if any(suppression.FACT in needed for needed in ways))


def _not_suppressed(
    found: list[Finding],
    rules: ruleset.RuleSet,
    understood: Understood,
    context: Context,
    plan_fix: engine.PlanFix,
) -> tuple[list[Finding], int]:
    """The findings that no comment takes back, and those about comments that take nothing back; how many are gone."""
    source = understood.project.source
    comments = suppression.Suppressions(understood.project.with_comments, source, about_comments(rules))
    kept = comments.left(found)
    suppressed = len(found) - len(kept)
    damaged = {fact.span.path for fact in understood.facts if fact.kind == "damage"}

    def uncertain(path: str, rule: str) -> bool:
        # A rule that joins facts may speak only where the whole repository is read.
        return path in damaged or (len(rules[rule].match) > 1 and is_part(context.root))

    for last in (False, True):
        facts = comments.facts(rules.rules, uncertain, last=last)
        if facts:
            about = engine.run(rules, World(facts, understood.topology, source, context.in_tests), plan_fix)
            left = about if last else comments.left(about)
            kept += left
            suppressed += len(about) - len(left)
    return kept, suppressed


def _no_fix(_spec: Mapping[str, Any], _bindings: Mapping[str, Fact], _render: Callable[[str], str]) -> None:
    """Stands in for the planner of fixes where none is wanted."""


def _planner(project: Project) -> engine.PlanFix:
    from corslint import fixes

    spent: dict[str, int] = {}

    def plan(spec: Mapping[str, Any], bindings: Mapping[str, Fact], render: Callable[[str], str]) -> Fix | None:
        paths = {fact.span.path for fact in bindings.values()}
        if any(spent.get(path, 0) > _READ_FOR_FIXES for path in paths):
            return None
        for path in paths:
            spent[path] = spent.get(path, 0) + _WEIGHS.get(language_of(path), 3) * len(project.source(path).data)
        return fixes.plan(spec, bindings, project.source, render)

    return plan


def understand(
    context: Context,
    settings: Settings,
    overlay: Mapping[str, bytes] | None = None,
    descriptors: catalog.Catalog | None = None,
    watch: Watch = _unwatched,
    jobs: int | None = None,
    memory: cache.Memory | None = None,
) -> Understood:
    """Read a context's files and say what they mean. `jobs`: by how many processes; None for as many as pay."""
    descriptors = descriptors or knowledge(settings.rules, examples=False).catalog
    context = wanted(context, settings)
    project = Project(context, overlay, descriptors.packages, memory)
    choice = sifting.Choice(descriptors.words, descriptors.reads, suppression.MARK)
    project.read_candidates(choice, watch, jobs)
    packages = Packages(found for found in project.readings.values() if isinstance(found, ManifestReading))
    modules = Modules(context.root, project.files)
    linker = Linker(project.code, modules, descriptors.assumptions, project.leads_on, project.may_export)
    extracted = _extract(project, descriptors, linker, packages)
    accepts = _acceptance(extracted, linker, project)
    layers = Layers(extracted, linker, descriptors, project.code_readings(), project.code)
    doubled = Doubled(extracted.policies, linker, project.code)
    facts = _judged(extracted, linker, project)
    facts += layers.complete(facts)
    served.note_folders(facts, linker, packages)
    facts += _page_policies(project)
    places = topology.Topology(project.code_readings(), linker, packages)
    topology.complete(facts)
    pages = [path for path, reading in project.code_readings().items() if reading.page]
    facts += list(doubled.facts(facts))
    sockets.Sockets(linker, packages, pages, descriptors.page_builders, descriptors.own_origin).complete(facts)
    if any(fact.kind in _ASKING for fact in facts):
        from corslint.project import requests

        requests.Requests(
            linker, packages, project.code_readings(), descriptors.page_builders, descriptors.own_origin
        ).complete(facts)
    for reading in list(project.readings.values()):
        facts += [*topology.services(reading), *topology.launches(reading)]
    facts += list(topology.started(facts, linker, project.code))
    facts += list(sockets.ignored_cors(facts))
    places.note_ports(facts)
    places.note_names(facts)
    places.note_twins(facts)
    well_known = descriptors.socket_paths
    sockets.note_proxies(facts, places.server_ports, well_known.described | well_known.polling, well_known.websocket)
    facts += _nginx_facts(project, facts, settings, descriptors.socket_paths)
    if any(fact.kind == "process" for fact in facts):
        from corslint.project import processes

        processes.note(facts, project.code_readings(), project.code, packages, descriptors.session_keepers)
    facts += _damage(project, extracted.crowded)
    world = World(facts, places, project.source, context.in_tests)
    if settings.frontends or not _ASKED.isdisjoint(world.kinds):
        _join(facts, world, project, accepts, descriptors, settings)
    for number, fact in enumerate(facts):
        fact.id = number
    _ = project.with_comments  # as long as the cache knows the answers
    context.cache.save()
    context.cache.close()
    return Understood(facts, places, project, linker, layers.unjudged, extracted.sites)


def _join(
    facts: list[Fact],
    world: World,
    project: Project,
    accepts: Callable[[Fact, str], Tri],
    descriptors: catalog.Catalog,
    settings: Settings,
) -> None:
    """Add what pages ask of servers and do not get."""
    from corslint import crossings, mixed, own_pages
    from corslint.project import frontends

    facts += list(crossings.unlisted(world, project.source))
    facts += list(crossings.turned_away(world, accepts, settings.frontends))
    facts += list(crossings.blocked(world, project.source, settings.frontends))
    facts += list(own_pages.turned_away(world, project.source, accepts))
    pages = partial(_secure_pages, project, world, descriptors, settings)
    facts += list(mixed.mixed_content(world, project.source, pages))
    frontends.note_frontends(facts, settings.frontends)


def tracer(
    understood: Understood,
    settings: Settings,
    descriptors: catalog.Catalog,
    status: int | None = None,
    environment: Mapping[str, str] | None = None,
) -> Tracer:
    """What follows requests through a context.

    `status`: what handlers answer with, in place of success; 500 is an error that nobody caught. `environment`: the
    variables that are set, and all others are not; None: nobody knows.
    """
    from corslint.behaviour.environment import Hints
    from corslint.trace import Tracer

    world = _world(understood)
    network = _networks(understood, world, settings, descriptors, status)
    hints = Hints()
    for fact in world.of_kind("env_value"):
        hints.setdefault(str(fact.field("name").value), str(fact.field("value").value))
    hinted = (lambda: network(hints)) if hints and environment is None else None
    return Tracer(world, network(environment), descriptors, understood.project.source, settings.frontends, hinted)


def diagram(understood: Understood, settings: Settings, descriptors: catalog.Catalog) -> Diagram:
    """The picture of a context."""
    from corslint.diagram import drawn

    world = _world(understood)
    network = _networks(understood, world, settings, descriptors)(None)
    return drawn(world, network, understood.project.context.root, settings.frontends)


def _world(understood: Understood) -> World:
    project = understood.project
    return World(understood.facts, understood.topology, project.source, project.context.in_tests)


def _networks(
    understood: Understood, world: World, settings: Settings, descriptors: catalog.Catalog, status: int | None = None
) -> Callable[[Mapping[str, str] | None], Network]:
    """Makes the network of a context, as it is where these environment variables are set; None: nobody knows."""
    from corslint.behaviour.application import Applications, Code
    from corslint.behaviour.nginx_levels import units
    from corslint.behaviour.nginx_machine import Configuration
    from corslint.network import Network

    project = understood.project
    code = Code(
        understood.facts, understood.policies, understood.linker, project.code, understood.sites, descriptors.refusals
    )
    placement = nginx_placement(project, settings)
    configurations = [
        Configuration(unit) for each in nginx_readings(project) if each for unit in units(each, placement)
    ]

    def network(variables: Mapping[str, str] | None) -> Network:
        applications = Applications(code, status, variables)
        return Network(world, applications, configurations, project.context.files, settings.nginx_version)

    return network


def facts(context: Context, settings: Settings) -> tuple[list[Fact], Callable[[str], SourceFile]]:
    """The common model of one context, and the files it speaks of."""
    understood = understand(context, settings)
    return understood.facts, understood.project.source


def _extract(project: Project, descriptors: catalog.Catalog, linker: Linker, packages: Packages) -> Extracted:
    """Facts of all code. Files that only imports lead to are read on the way; they have facts of their own."""
    seen = Seen()
    for _ in range(2 * _ROUNDS):
        readings = project.code_readings()
        linker.look_for_callers(lambda: list(project.code_readings().values()))
        extracted = _extractor(project, descriptors, linker, packages, seen).extract(readings.values())
        if len(project.code_readings()) == len(readings):
            break
    return extracted


def _extractor(
    project: Project,
    descriptors: catalog.Catalog,
    linker: Linker,
    packages: Packages,
    seen: Seen,
) -> Extractor:
    return Extractor(linker, descriptors, packages, project.spells_header, project.spells, project.text, seen)


def _page_policies(project: Project) -> Iterator[Fact]:
    """The Content-Security-Policies that pages and nginx configurations of the project hold."""
    pages = [path for path in project.context.files if kind_of(path) == "html"]
    readings = [reading for reading in project.readings.values() if isinstance(reading, NginxReading)]
    if not pages and not readings:
        return
    from corslint.behaviour import csp

    for path in pages:
        if project.spells(Span(path, 0, len(project.source(path).data)), csp.HEADER):
            for text, span in csp.metas(project.source(path)):
                yield _page_policy(text, span, "page", "HTML")
    for reading in readings:
        for text, span in csp.lines(reading.directives):
            yield _page_policy(text, span, "proxy", "nginx")


def _secure_pages(
    project: Project, world: World, descriptors: catalog.Catalog, settings: Settings
) -> list[mixed.SecurePage]:
    """The pages that are known to come over https, and what canonical links say of others."""
    from corslint import mixed

    manifests = (found for found in project.readings.values() if isinstance(found, ManifestReading))
    pages = [*mixed.declared(settings.frontends), *mixed.homepages(manifests, descriptors.homepage_readers)]
    for path in project.context.files:
        if kind_of(path) == "html" and project.spells(Span(path, 0, len(project.source(path).data)), "canonical"):
            pages += mixed.canonical(project.source(path), world.topology.package_of(path))
    return [*pages, *mixed.served(world)]


def _page_policy(text: str, span: Span, by: str, title: str) -> Fact:
    told = {"framework": title, "language": title.lower(), "by": by, "value": text}
    told |= {"enabled": "yes", "report_only": "no"}
    return Fact("content_security_policy", span, {name: Field(value, "written", span) for name, value in told.items()})


def _acceptance(extracted: Extracted, linker: Linker, project: Project) -> Callable[[Fact, str], Tri]:
    """Whether a policy lets in pages of an origin, asked before or after it is judged."""
    unjudged = {
        id(one.fact): one._replace(
            fact=Fact(one.fact.kind, one.fact.span, dict(one.fact.fields), dict(one.fact.values))
        )
        for one in extracted.policies
    }

    def accepts(fact: Fact, origin: str) -> Tri:
        found = unjudged.get(id(fact))
        if found is None:
            return Tri.UNKNOWN
        decision, same_origin = policy.decided(found, linker, project.code)
        answer = decisions.accepts(decisions.answer(decision, origin), origin)
        return Tri.UNKNOWN if same_origin and answer is Tri.NO else answer

    return accepts


def _judged(extracted: Extracted, linker: Linker, project: Project) -> list[Fact]:
    facts = list(extracted.facts)
    owners = _owners(extracted)
    entries: dict[int, list[Fact]] = {}
    for found in extracted.policies:
        lists = response.note_lists(found, linker, project.code)
        if id(found.fact) in owners:
            response.tell_of_strangers(found, owners[id(found.fact)], linker, project.code)
        entries[id(found.fact)] = [*policy.judge(found, linker, project.code), *lists]
    for made in extracted.groups:
        facts += merge_alternatives(
            [[*one, *(entry for fact in one for entry in entries.pop(id(fact), []))] for one in made]
        )
    for more in entries.values():
        facts += more
    return facts


def _owners(extracted: Extracted) -> dict[int, Fact]:
    """The socket servers of the policies that belong to one, by the policies' identities."""
    found: dict[int, Fact] = {}
    for made in (extracted.facts, *(one for group in extracted.groups for one in group)):
        servers = {fact.field("instance").value: fact for fact in made if fact.kind == "socket_server"}
        for fact in made:
            owner = servers.get(fact.field("socket").value) if fact.kind == "cors_policy" else None
            if owner is not None:
                found[id(fact)] = owner
    return found


def _nginx_facts(
    project: Project, facts: list[Fact], settings: Settings, well_known: catalog.SocketPaths
) -> list[Fact]:
    readings = nginx_readings(project)
    if not any(readings):
        return []
    from corslint.behaviour import nginx

    paths = sorted(
        {
            str(fact.field("path").value)
            for fact in facts
            if fact.kind == "socket_server" and isinstance(fact.field("path").value, str)
        }
    )
    answered = {fact.field("answers_under").value for fact in facts if fact.kind == "socket_server"}
    begins = sorted(path for path in answered if isinstance(path, str))
    version = ".".join(map(str, settings.nginx_version)) if settings.nginx_version else None
    placement = nginx_placement(project, settings)
    clients = [fact for fact in facts if fact.kind in ("http_request", "socket_client")]
    found: list[Fact] = []
    for each in readings:
        found += nginx.facts(
            each, [path.rstrip("/") + "/" for path in paths], version, well_known, placement, clients, begins
        )
    return found


def nginx_readings(project: Project) -> list[dict[str, NginxReading]]:
    """The nginx files of a project, then each configuration that a script or a text holds.

    Those are configurations of their own: nothing tells which others they will meet.
    """
    readings = {path: found for path, found in project.readings.items() if isinstance(found, NginxReading)}
    parts = [part for one in _deployments(project) for part in one.parts]
    return [readings, *({part.path: part} for part in parts)]


def nginx_placement(project: Project, settings: Settings) -> Placement:
    """Where the files of a project lie for nginx, and which nginx that is."""
    from corslint.project.placement import Placement

    readings = {path: found for path, found in project.readings.items() if isinstance(found, NginxReading)}
    return Placement(project.context.files, _deployments(project), readings, dict(settings.nginx_paths))


def _deployments(project: Project) -> list[DeploymentReading]:
    return [found for found in project.readings.values() if isinstance(found, DeploymentReading)]


def _damage(project: Project, crowded: Iterable[Span]) -> list[Fact]:
    found: list[Fact] = []
    for path, reason in sorted(project.unreadable.items()):
        found.append(_damage_fact(Damage(Span(path, 0, 0), reason, True), "unknown", "unreadable"))
    found += [
        _damage_fact(Damage(span, _CROWDED), language_of(span.path) or "unknown", "unreadable") for span in crowded
    ]
    for _, reading in sorted(project.readings.items()):
        if reading is None:
            continue
        language = (
            reading.language
            if isinstance(reading, CodeReading)
            else "nginx"
            if isinstance(reading, NginxReading | DeploymentReading)
            else "manifest"
        )
        for damage in reading.damage:
            what: str = damage.kind
            # A whole file is passed over for being too large or in another encoding, which is not nginx's word.
            if what == "syntax" and language == "nginx" and not damage.whole:
                what = "nginx"
            found.append(_damage_fact(damage, language, what))
    return found


def _damage_fact(damage: Damage, language: str, what: str) -> Fact:
    at = damage.span
    return Fact(
        "damage",
        at,
        {
            "language": Field(language, "written", at),
            "what": Field(what, "written", at),
            "detail": Field(damage.message, "written", at),
            "whole": Field("yes" if damage.whole else "no", "written", at),
        },
    )


def _reported(
    found: Iterable[Finding], sorter: triage.Triage, context: Context, project: Project, suppressed: int
) -> Report:
    """What is shown: findings with a place in a file that was asked for, selected, sure enough, and not in tests."""
    shown: list[Finding] = []
    live: list[Finding] = []
    hidden = in_tests = unsure = 0
    for finding in map(sorter.settled, found):
        places = {finding.primary.path, *(place.span.path for place in finding.related)}
        if not places & context.lint:
            continue
        live.append(finding)
        if finding.primary.path in context.in_tests and not sorter.shows_tests(finding):
            in_tests += 1
        elif not sorter.selects(finding):
            continue
        elif not sorter.is_sure_enough(finding):
            unsure += 1
        elif not sorter.shows(finding):
            hidden += 1
        else:
            shown.append(finding)

    def order(finding: Finding) -> tuple[str, int, int, str]:
        at = project.source(finding.primary.path).position(finding.primary.start)
        return finding.primary.path, at.line, at.column, finding.rule

    left_out = {reason: count for reason, count in ((SUPPRESSED, suppressed), (UNSURE, unsure)) if count}
    return Report(
        tuple(sorted(shown, key=order)),
        len(context.lint),
        hidden,
        in_tests,
        context.passed_over,
        project.source,
        left_out,
        tuple(live),
    )
