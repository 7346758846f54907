"""nginx's levels: http, server, location, if; what each inherits, and which location takes a request.

Includes are resolved inside the project only. What could not be read makes a level incomplete: there, nobody can say
that a directive is missing. Inheritance follows nginx's merge functions (measured on 1.22.1 and 1.31.5, and compared
with a real nginx by the tests): `add_header`, `proxy_set_header` and `proxy_hide_header` are inherited only where a
level has none of its own.
"""

from __future__ import annotations

import fnmatch
import posixpath
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from corslint.model.patterns import Pattern, matches
from corslint.model.reading import Directive, NginxReading, Word
from corslint.model.tri import Tri
from corslint.project.placement import Placement
from corslint.records import NamedTuple
from corslint.source import Span

_INCLUDE_DEPTH = 20
MOST_TIMES_INCLUDED = 8
"""A level that includes one file more often is not known whole: nginx takes the file each time anew."""
_INCLUDE_COUNT = 2000

_HARMLESS = frozenset((
    "mime.types", "fastcgi_params", "fastcgi.conf", "uwsgi_params", "scgi_params", "koi-utf", "koi-win", "win-utf",
    "snakeoil.conf", "options-ssl-nginx.conf",
))  # fmt: skip
"""Files of nginx's own distribution (and certbot's) that set nothing which matters here. `proxy_params` is not one."""

_RELEVANT = frozenset((
    "add_header", "add_header_inherit", "error_page", "if", "include", "location", "more_clear_headers",
    "more_set_headers", "proxy_hide_header", "proxy_http_version", "proxy_pass", "proxy_set_header", "return",
    "rewrite", "server", "set", "try_files",
))  # fmt: skip
"""Directives that matter when a template may leave them out."""


class Assignment(NamedTuple):
    """A `set`: the `if` that it stands in, if any, and the value."""

    test: Directive | None
    value: Word


class Level:
    """One configuration level. `statements` has what includes bring in; `children` are the levels directly inside.

    `kind` is `http`, `server`, `location`, `if`, `limit_except`, or `snippet` for a file whose place is not known.
    `directive` is the block, None for a level that no block was read for. `complete`: everything written on this level
    itself was read.
    `through`: for the place of a statement that another file brings in, the level's own `include` that does.
    """

    __slots__ = (
        "_blocks",
        "_ifs",
        "_index",
        "_last_ifs",
        "_locations",
        "_nearest",
        "_pattern",
        "_place",
        "_rewrites",
        "_script",
        "_sets",
        "_sets_inside",
        "_table",
        "body",
        "children",
        "complete",
        "directive",
        "kind",
        "parent",
        "span",
        "statements",
        "through",
    )

    def __init__(self, kind: str, parent: Level | None, span: Span, body: Span, directive: Directive | None) -> None:
        self.kind = kind
        self.parent = parent
        self.span = span
        self.body = body
        self.directive = directive
        self.statements: list[Directive] = []
        self.children: list[Level] = []
        self.complete = True
        self.through: dict[Span, Directive] = {}
        self._ifs: list[Level] | None = None
        self._index: dict[str, Directive | list[Directive]] | None = None
        self._blocks: frozenset[str] = frozenset()
        self._nearest: dict[str, Inherited] | None = None
        self._pattern: tuple[str, str, Word | None] | None = None
        self._place: Span | None = None
        self._locations: list[Level] | None = None
        self._rewrites: list[Directive] | None = None
        self._script: list[Directive] | None = None
        self._sets: dict[str, list[Assignment]] | None = None
        self._sets_inside: frozenset[str] | None = None
        self._last_ifs: dict[tuple[str, ...], Level] | None = None
        self._table: LocationTable | None = None

    @property
    def place(self) -> Span:
        """The place of its name and arguments; the first directive's where no block was read."""
        if self._place is None:
            directive = self.directive or (self.statements[0] if self.statements else None)
            if directive is None:
                return self.span
            last = directive.arguments[-1].span if directive.arguments else directive.name.span
            closing = 1 if self.kind == "if" else 0  # the parenthesis is no part of a word
            self._place = Span(directive.span.path, directive.name.span.start, last.end + closing)
        return self._place

    @property
    def by_key(self) -> Mapping[str, object]:
        """The names of the level's statements. Asked for only once the level is built."""
        return self._indexed() if self._index is None else self._index

    def _indexed(self) -> dict[str, Directive | list[Directive]]:
        """The statements by name. Most names stand only once on a level, and a list for each would be much."""
        index: dict[str, Directive | list[Directive]] = {}
        blocks = set()
        for one in self.statements:
            key = one.name.text
            before = index.get(key)
            if before is None:
                index[key] = one
            elif isinstance(before, list):
                before.append(one)
            else:
                index[key] = [before, one]
            if one.block is not None:
                blocks.add(key)
        self._index = index
        self._blocks = frozenset(blocks)
        return index

    def own(self, key: str) -> list[Directive]:
        """The level's own directives of that name (no blocks), those of its includes among them."""
        index = self._index
        if index is None:
            index = self._indexed()
        found = index.get(key)
        if found is None:
            return []
        every = found if isinstance(found, list) else [found]
        return [one for one in every if one.block is None] if key in self._blocks else every

    def inherited(self, key: str, work_out: Callable[[Level], Inherited]) -> Inherited:
        """What this level has of something, worked out when first asked for."""
        if self._nearest is None:
            self._nearest = {}
        found = self._nearest.get(key)
        if found is None:
            found = self._nearest[key] = work_out(self)
        return found

    @property
    def rewrites(self) -> list[Directive]:
        """The level's `set`s and `if`s, in the order in which nginx runs them."""
        if self._rewrites is None:
            self._rewrites = [one for one in self.statements if one.key in ("set", "if")]
        return self._rewrites

    @property
    def sets(self) -> Mapping[str, Sequence[Assignment]]:
        """What the level and its `if`s set variables to, by their names, in the order in which nginx runs it."""
        if self._sets is None:
            self._sets = {}
            blocks = {id(one.directive): one for one in self.ifs}
            for statement in self.rewrites:
                block = blocks.get(id(statement))
                for line in [statement] if block is None else block.own("set"):
                    if line.key == "set" and len(line.arguments) == 2:
                        name = line.arguments[0].text.removeprefix("$").removeprefix("{").removesuffix("}")
                        test = None if block is None else statement
                        self._sets.setdefault(name, []).append(Assignment(test, line.arguments[1]))
        return self._sets

    @property
    def sets_inside(self) -> frozenset[str]:
        """The variables that levels further in set, but for the level's own `if`s."""
        if self._sets_inside is None:
            inner = [one for one in self.children if one.kind != "if"]
            self._sets_inside = frozenset(name for one in inner for name in (*one.sets, *one.sets_inside))
        return self._sets_inside

    @property
    def last_ifs(self) -> Mapping[tuple[str, ...], Level]:
        """The last `if` directly inside with each test, by the words of that."""
        if self._last_ifs is None:
            ifs = self.ifs
            self._last_ifs = {tuple(word.text for word in one.directive.arguments): one for one in ifs if one.directive}
        return self._last_ifs

    @property
    def script(self) -> list[Directive]:
        """Everything that nginx runs in its rewrite phase, in text order, with the `set_*` of other modules."""
        if self._script is None:
            names = ("if", "set", "rewrite", "return", "break", "js_set", "js_var")
            self._script = [one for one in self.statements if one.key in names or one.key.startswith("set_")]
        return self._script

    @property
    def table(self) -> LocationTable:
        """The locations directly inside, made ready for the choice among them."""
        if self._table is None:
            self._table = LocationTable(self.locations)
        return self._table

    def outwards(self) -> Iterator[Level]:
        """This level and those around it."""
        level: Level | None = self
        while level is not None:
            yield level
            level = level.parent

    @property
    def locations(self) -> list[Level]:
        """The locations directly inside, in text order."""
        if self._locations is None:
            self._locations = [child for child in self.children if child.kind == "location"]
        return self._locations

    def child_of(self, directive: Directive) -> Level | None:
        """The level of a block that is one of this level's statements."""
        return next((child for child in self.children if child.directive is directive), None)

    @property
    def ifs(self) -> list[Level]:
        """The ifs directly inside, in text order."""
        if self._ifs is None:
            self._ifs = [child for child in self.children if child.kind == "if"]
        return self._ifs


class LocationTable:
    """Locations by how they are chosen. `sure`: no name is a template's placeholder."""

    __slots__ = ("exact", "named", "patterns", "prefixes", "sure")

    def __init__(self, locations: Sequence[Level]) -> None:
        self.exact: dict[str, Level] = {}
        self.prefixes: dict[str, Level] = {}
        self.named: dict[str, Level] = {}
        self.patterns: list[tuple[str, bool, Level]] = []
        self.sure = True
        for location in locations:
            modifier, text, _ = pattern_of(location)
            if modifier in ("~", "~*"):
                self.patterns.append((text, modifier == "~*", location))
                continue
            by_name = {"=": self.exact, "@": self.named}.get(modifier, self.prefixes)
            by_name.setdefault(text, location)
            self.sure = self.sure and not ("$" in text or "{{" in text)

    def longest(self, path: str) -> tuple[str, Level] | None:
        """The longest prefix of a path that has a location."""
        for end in range(len(path), -1, -1):
            found = self.prefixes.get(path[:end])
            if found is not None:
                return path[:end], found
        return None


class Unit(NamedTuple):
    """One configuration: a file that no other includes, with everything it includes.

    `definitions` are the `map`, `geo`, `upstream` and similar blocks of its http level; `maps` are the maps by the
    variable they set (of two, nginx silently takes the last), `upstreams` the upstreams by name. `statements` are all
    directives, also those inside. `whole`: it has an `http` block and everything in it was read, so that what is not
    there is nowhere.
    """

    path: str
    top: tuple[Level, ...]
    definitions: tuple[Directive, ...]
    maps: Mapping[str, Directive]
    upstreams: Mapping[str, Directive]
    statements: tuple[Directive, ...]
    logic: tuple[Span, ...]
    whole: bool

    def cut(self, body: Span) -> bool:
        """Whether a template's logic stands inside this block, or begins or ends there."""
        return any(
            region.path == body.path and region.end > body.start and region.start < body.end and not region.covers(body)
            for region in self.logic
        )


# ------------------------------------------------------------------------------------------------------------- includes


class _Project:
    """The files of the project, and which of them an `include` means."""

    def __init__(self, readings: Mapping[str, NginxReading], placement: Placement) -> None:
        self.readings = readings
        self.placement = placement
        self.paths = sorted(readings)
        self._by_name: dict[str, list[str]] = {}
        for path in self.paths:
            self._by_name.setdefault(posixpath.basename(path), []).append(path)
        self._known: dict[tuple[str, str, str], tuple[str, ...] | None] = {}

    def resolve(self, pattern: str, including: str, main: str) -> tuple[str, ...] | None:
        """The files an include names, sorted as nginx does; None where that cannot be told."""
        key = (pattern, posixpath.dirname(including), main)
        if key not in self._known:
            placed = None if "$" in pattern or "{" in pattern else self.placement.resolve(pattern, main)
            self._known[key] = self._resolve(pattern, key[1], posixpath.dirname(main)) if placed is None else placed
        return self._known[key]

    def _resolve(self, pattern: str, including: str, main: str) -> tuple[str, ...] | None:
        if "$" in pattern or "{" in pattern or not pattern.strip("/"):
            return None
        if not pattern.startswith("/"):
            for base in dict.fromkeys((main, including)):
                found = self._matching(posixpath.normpath(posixpath.join(base, pattern)).split("/"), whole=True)
                if found:
                    return tuple(found)
        segments = [segment for segment in pattern.split("/") if segment not in ("", ".", "..")]
        for start in range(len(segments)):
            tail = segments[start:]
            if len(tail) == 1 and any(mark in tail[0] for mark in "*?["):
                return None
            found = self._matching(tail, whole=False)
            if found:
                return self._nearest(found, len(tail), including)
        return None

    def _matching(self, segments: list[str], *, whole: bool) -> list[str]:
        name = segments[-1]
        glob = any(mark in name for mark in "*?[")
        candidates = self.paths if glob else self._by_name.get(name, [])
        expressions = [re.compile(fnmatch.translate(segment)) for segment in segments]
        found = []
        for path in candidates:
            parts = path.split("/")
            if len(parts) < len(segments) or (whole and len(parts) != len(segments)):
                continue
            own = parts[-len(segments) :]
            if glob and own[-1].startswith(".") and not name.startswith("."):
                continue
            if all(expression.match(part) for expression, part in zip(expressions, own, strict=True)):
                found.append(path)
        return found

    @staticmethod
    def _nearest(found: list[str], length: int, including: str) -> tuple[str, ...] | None:
        """All of one folder: the only one, or the only one nearest to the including file."""
        groups: dict[tuple[str, ...], list[str]] = {}
        for path in found:
            groups.setdefault(tuple(path.split("/")[:-length]), []).append(path)
        if len(groups) == 1:
            return tuple(found)
        here = tuple(including.split("/")) if including else ()

        def shared(folder: tuple[str, ...]) -> int:
            count = 0
            for mine, theirs in zip(here, folder, strict=False):
                if mine != theirs:
                    break
                count += 1
            return count

        ranked = sorted(groups, key=shared, reverse=True)
        if shared(ranked[0]) == shared(ranked[1]):
            return None
        return tuple(groups[ranked[0]])


class _Builder:
    """Builds the levels of one unit."""

    def __init__(self, project: _Project, main: str) -> None:
        self.project = project
        self.main = main
        self.seen: set[str] = {main}
        self.count = 0
        self.times: dict[tuple[int, str], int] = {}
        self.definitions: list[Directive] = []
        self.every: list[Directive] = []
        self.unresolved = False
        self.damaged = bool(project.readings[main].damage)
        self.logic: list[Span] = list(project.readings[main].logic)

    def build(self) -> Unit:
        reading = self.project.readings[self.main]
        size = max((one.span.end for one in reading.directives), default=0)
        span = Span(self.main, 0, size)
        kind = {"http": "http", "server": "server", "main": "main"}.get(reading.context, "snippet")
        root = Level(kind, None, span, span, None)
        self._fill(root, reading.directives, (self.main,))
        if kind == "main":
            top = tuple(child for child in root.children if child.kind == "http")
            whole = bool(top) and not self.unresolved and not self.damaged
            return self._unit(top, whole)
        if kind != "http":
            # What includes this file, and what that sets, is not known.
            root.complete = False
        return self._unit((root,), False)

    def _unit(self, top: tuple[Level, ...], whole: bool) -> Unit:
        maps = {
            one.arguments[1].text.lstrip("$"): one
            for one in self.definitions
            if one.key == "map" and len(one.arguments) == 2
        }
        upstreams = {one.arguments[0].text: one for one in self.definitions if one.key == "upstream" and one.arguments}
        every, logic = tuple(self.every), tuple(self.logic)
        return Unit(self.main, top, tuple(self.definitions), maps, upstreams, every, logic, whole)

    def _fill(self, level: Level, directives: Iterable[Directive], trail: tuple[str, ...]) -> None:
        self._judge_template(level)
        self._take(level, directives, trail, None)

    def _take(
        self, level: Level, directives: Iterable[Directive], chain: tuple[str, ...], through: Directive | None
    ) -> None:
        """Puts directives on a level, and what they include; `through` is the level's own `include` they come by."""
        for directive in directives:
            if directive.name.text == "include" and directive.block is None:
                for path in self._included(level, directive, chain):
                    inner = self.project.readings[path].directives
                    self._take(level, inner, (*chain, path), through or directive)
                continue
            level.statements.append(directive)
            if through is not None:
                level.through[directive.span] = through
            self.every.append(directive)
            if directive.block is not None:
                self._block(level, directive, chain)

    def _included(self, level: Level, directive: Directive, chain: tuple[str, ...]) -> list[str]:
        if len(directive.arguments) != 1:
            return []
        pattern = directive.arguments[0].text
        found = self.project.resolve(pattern, directive.span.path, self.main)
        if found is None:
            if posixpath.basename(pattern) not in _HARMLESS:
                level.complete = False
                self.unresolved = True
            return []
        self.count += len(found)
        if len(chain) > _INCLUDE_DEPTH or self.count > _INCLUDE_COUNT or any(path in chain for path in found):
            level.complete = False
            self.unresolved = True
            return []
        news = []
        for path in found:
            times = self.times[id(level), path] = self.times.get((id(level), path), 0) + 1
            if times > MOST_TIMES_INCLUDED:
                level.complete = False
                self.unresolved = True
                continue
            news.append(path)
            self.seen.add(path)
            reading = self.project.readings[path]
            self.damaged = self.damaged or bool(reading.damage)
            if reading.logic:
                self.logic.extend(reading.logic)
                level.complete = False
                self.unresolved = True
        return news

    def _block(self, level: Level, directive: Directive, chain: tuple[str, ...]) -> None:
        key = directive.key
        kinds = {"main": ("http",), "http": ("server",), "snippet": ("server", "location", "if")}
        kinds |= {"server": ("location", "if"), "location": ("location", "if", "limit_except")}
        allowed = kinds.get(level.kind, ())
        if key in allowed:
            child = Level(key, level, directive.span, directive.body, directive)
            level.children.append(child)
            self._fill(child, directive.block or (), chain)
            return
        if key in ("map", "geo", "upstream", "split_clients"):
            self.definitions.append(directive)
        self.every.extend(_inside(directive.block or ()))

    def _judge_template(self, level: Level) -> None:
        """A region that a template may leave out makes the level incomplete that it stands on."""
        reading = self.project.readings.get(level.span.path)
        if reading is None or not reading.logic:
            return
        siblings = (level.directive.block or ()) if level.directive else reading.directives
        for region in reading.logic:
            if not (level.directive is None or level.body.covers(region)):
                continue
            if any(one.block is not None and one.body.covers(region) for one in siblings):
                continue
            inside = [one for one in siblings if region.covers(one.span)]
            if not inside or any(one.key in _RELEVANT for one in inside):
                level.complete = False
                self.unresolved = True


def _inside(directives: Sequence[Directive]) -> Iterator[Directive]:
    for one in directives:
        yield one
        if one.block is not None:
            yield from _inside(one.block)


def _includes(directives: Sequence[Directive]) -> list[Directive]:
    found: list[Directive] = []
    for one in directives:
        if one.block is not None:
            found += _includes(one.block)
        elif one.name.text == "include" and len(one.arguments) == 1:
            found.append(one)
    return found


def units(readings: Mapping[str, NginxReading], placement: Placement | None = None) -> list[Unit]:
    """The configurations of a project. A file that another one includes is read there and not on its own."""
    usable = {path: reading for path, reading in readings.items() if not any(one.whole for one in reading.damage)}
    project = _Project(usable, placement or Placement(()))
    included: set[str] = set()
    for path in project.paths:
        for one in _includes(usable[path].directives):
            included.update(set(_mains_for(project, one, path)) - {path})
    found: list[Unit] = []
    seen: set[str] = set()
    for rooted in (True, False):  # afterwards: files that only include each other
        for path in project.paths:
            if path in seen or (rooted and path in included):
                continue
            builder = _Builder(project, path)
            found.append(builder.build())
            seen |= builder.seen
    return found


def _mains_for(project: _Project, include: Directive, path: str) -> tuple[str, ...]:
    return project.resolve(include.arguments[0].text, path, path) or ()


# ---------------------------------------------------------------------------------------------------------- inheritance


class Inherited(NamedTuple):
    """Directives in force. `sure`: there are no others. `level` is where they stand, None where there are none."""

    directives: tuple[Directive, ...]
    sure: bool
    level: Level | None


def nearest(level: Level, key: str) -> Inherited:
    """Directives of a kind that a level inherits only where it has none of its own."""
    own = level.own(key) if key in level.by_key else ()
    if own:
        return Inherited(tuple(own), level.complete, level)
    parent = level.parent
    if parent is None:
        return Inherited((), level.complete, None)
    found = parent._nearest.get(key) if parent._nearest is not None else None  # the same for all siblings
    if found is None:
        found = parent.inherited(key, lambda outer: nearest(outer, key))
    return found if level.complete or not found.sure else found._replace(sure=False)


def inherits_headers(level: Level) -> str:
    """`add_header_inherit` in force: `on`, `off` or `merge` (nginx 1.29.3 and later; the mode itself is inherited)."""
    found = nearest(level, "add_header_inherit").directives
    mode = found[-1].arguments[0].text if found and found[-1].arguments else "on"
    return mode if mode in ("off", "merge") else "on"


def added_headers(level: Level) -> Inherited:
    """The `add_header` lines in force on a level, in the order in which nginx sends them."""
    return level.inherited("add_header, by its mode", _added_headers)


def _added_headers(level: Level) -> Inherited:
    mode = inherits_headers(level)
    own = tuple(level.own("add_header"))
    if mode == "off":
        return Inherited(own, level.complete, level if own else None)
    if own and mode == "on":
        return Inherited(own, level.complete, level)
    if level.parent is None:
        return Inherited(own, level.complete, level if own else None)
    outer = added_headers(level.parent)
    if own:
        return Inherited(own + outer.directives, level.complete and outer.sure, level)
    return outer if level.complete or not outer.sure else outer._replace(sure=False)


# ------------------------------------------------------------------------------------------------------------ locations


def pattern_of(level: Level) -> tuple[str, str, Word | None]:
    """A location's modifier, its path or pattern, and the word that holds it."""
    if level._pattern is None:
        level._pattern = _pattern_of(level)
    return level._pattern


def _pattern_of(level: Level) -> tuple[str, str, Word | None]:
    words = level.directive.arguments if level.directive else ()
    if len(words) >= 2 and words[0].text in ("=", "^~", "~", "~*"):
        return words[0].text, words[1].text, words[1]
    if not words:
        return "", "", None
    text = words[0].text
    for modifier in ("=", "^~", "~*", "~"):  # nginx takes them glued to the path, too
        if text.startswith(modifier):
            return modifier, text[len(modifier) :], words[0]
    return ("@", text, words[0]) if text.startswith("@") else ("", text, words[0])


class Choice(NamedTuple):
    """The location that takes a path, None for the server itself. `sure`: every pattern on the way could be tried."""

    level: Level | None
    sure: bool


def choose(level: Level, path: str) -> Choice:
    """nginx's choice among the locations of a server (or location): exact, then the longest prefix, then regexes."""
    found, _, sure = _choose(level, path)
    return Choice(found, sure)


def _choose(level: Level, path: str) -> tuple[Level | None, bool, bool]:
    """The location, whether it is final (no regex of an outer level may take over), and whether that is sure."""
    best: Level | None = None
    length = -1
    stops = False
    regexes: list[tuple[Level, str, str]] = []
    sure = level.complete
    for location in level.locations:
        modifier, text, _ = pattern_of(location)
        if modifier == "=":
            if text == path:
                return location, True, True
            sure = sure and not ("$" in text or "{" in text)
        elif modifier in ("", "^~"):
            if path.startswith(text) and len(text) > length:
                best, length, stops = location, len(text), modifier == "^~"
            elif "$" in text or "{" in text:
                sure = False  # a template's placeholder
        elif modifier in ("~", "~*"):
            regexes.append((location, modifier, text))
    if best is not None:
        inner, final, inner_sure = _choose(best, path)
        sure = sure and inner_sure
        best = inner or best
        if final:
            return best, True, sure
    if not stops:
        for location, modifier, text in regexes:
            answer = matches(Pattern(text, "i" if modifier == "~*" else "", "pcre", "search"), path)
            if answer is Tri.UNKNOWN:
                sure = False
            elif answer is Tri.YES:
                inner, _, inner_sure = _choose(location, path)
                return inner or location, True, sure and inner_sure
    return best, False, sure
