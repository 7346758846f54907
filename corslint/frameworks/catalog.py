"""Loads framework descriptors (`frameworks/*.yaml`). Their shape is documented in docs/descriptors.md.

A descriptor says which calls, settings and header writes of a library mean something, where each fact's fields come
from, and (under `policy:`) how the library answers a request's Origin.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from corslint.later import Later
from corslint.model.facts import FACT_KINDS
from corslint.model.responses import Responds, ResponsesError, read_responds
from corslint.model.semantics import MEANINGS, PolicySemantics, SemanticsError, policy_semantics
from corslint.model.tri import Tri
from corslint.model.versions import Release, all_within, fault
from corslint.project.link import Assumptions, EnvironmentRead
from corslint.project.scripts import ScriptLibrary, ScriptSource
from corslint.records import NamedTuple
from corslint.regexes import regex
from corslint.yamlfile import Checker, KeyPath, parse, without_examples

if TYPE_CHECKING:
    from pathlib import Path

READ_AS = (
    "value", "instance", "number", "seconds", "integer", "application", "list", "tri", "path", "rooted", "prefix",
    "keys", "names", "source", "dotted", "handler", "place", "socket",
)  # fmt: skip
ORDERS = ("outermost", "last-is-outermost", "list", "first-is-outermost", "innermost")
"""Where a layer stands among those of its application, from the outside in: before all that follow here, the last one
added before the others, as the list says, the first one added before the others, behind all of those."""
_LEAST_WORD = 3
_SOURCE_KEYS = frozenset(
    {
        "position",
        "keyword",
        "key",
        "receiver",
        "of_receiver",
        "call",
        "method",
        "callee",
        "beside",
        "handed_with",
        "delegated",
        "scope",
        "inside",
        "override",
        "only",
        "handler",
        "blind",
        "spells",
        "through",
        "unknown",
        "decorated",
        "setting",
        "config",
        "constant",
        "default",
        "absent",
        "as",
        "present",
        "truthy",
        "map",
        "by_version",
    }
)


class FieldSource(NamedTuple):
    """Where one field of a fact comes from; the first of the given places that holds something wins.

    `positions` and `keyword` are arguments of the call, `keys` dotted paths in its options object, `settings` names
    bound in a settings module, `config` a key written to a configuration object anywhere in the project (one that
    holds nothing counts as not written), `receiver` the object a method is called on, `call` the call itself,
    `method` the called method's name, `callee` the called API's without its module, `beside` the element at this
    position of the tuple or list that the call is an element of (one of no list: unknown), `handed_with` the argument
    at this position of the call that takes what this call returns, `delegated` whether the
    options were handed out by a function (`Delegate`), `constant` a fixed value. Where there is one fact per key of an
    option (`EmitSpec.for_each`), `scope` is that key, and `inside` a dotted path in what it holds (empty: that itself).
    `override` is the method of this name that a class (`ClassSpec`) has or inherits from another one of the project.
    `only`: what is found counts only where it is a call of one of these APIs, and so is each call in its first
    argument; `handler`: nor does anything count where the function that the call stands in or decorates, or one that it
    hands its parameters to, may look at one of these words (`blind`: functions that are known not to). `spells`:
    whether code has text that this matches: the argument at the position, the function or class that it is, or without
    a position what the call decorates or stands in, and functions that one hands its parameters to. `through`: whether
    what is found is a call of one of these APIs, or one in its first argument is. `unknown`: nothing that is looked at
    tells.
    `default` is what an option that is not given means; `absent` (a meaning) what a missing group of options means;
    `by_version` gives the default per range of major versions. `read_as` says how the value is read (`application`: an
    instance, or a text `module:name` that names one; `rooted`: a path that begins with a slash even if it is written
    without; `prefix`: the literal beginning of a pattern for paths; `integer`: a number that is written as one, not a
    text of digits; `keys`: the keys of an object, as a list; `names`: the same, where all of them can be read, as the
    field's value; `handler`: a function, a class or an instance; `dotted`: the same, by a dotted text; `place`: where
    it stands, as an instance). `decorated`: what the call decorates. `of_receiver`: positions and keyword are those of
    the call that made the receiver; `present`: only whether it is there; `mapping` translates texts (and `null`).
    """

    positions: tuple[int, ...] = ()
    keyword: str | None = None
    keys: tuple[str, ...] = ()
    settings: tuple[str, ...] = ()
    config: str | None = None
    receiver: bool = False
    of_receiver: bool = False
    call: bool = False
    method: bool = False
    callee: bool = False
    beside: int | None = None
    handed_with: int | None = None
    delegated: bool = False
    unknown: bool = False
    scope: bool = False
    inside: tuple[str, ...] = ()
    override: str | None = None
    only: frozenset[str] = frozenset()
    handler: tuple[str, ...] = ()
    blind: frozenset[str] = frozenset()
    spells: re.Pattern[str] | None = None
    through: frozenset[str] = frozenset()
    decorated: bool = False
    constant: object = None
    has_constant: bool = False
    default: object = None
    has_default: bool = False
    absent: object = None
    has_absent: bool = False
    read_as: str = "value"
    present: bool = False
    truthy: bool = False
    mapping: tuple[tuple[object, object], ...] = ()
    by_version: tuple[tuple[str, object], ...] = ()

    def default_for(self, releases: tuple[Release, ...]) -> tuple[bool, object]:
        """The default in these releases: whether it is certain, and what it is."""
        for versions, value in self.by_version:
            if all_within(releases, versions) is Tri.YES:
                return True, value
        return False, None


class OptionGroup(NamedTuple):
    """The option names that a library reads in one object (`path` is its dotted place, "" for the top).

    `legacy` and `misplaced` map a name that is not read here to the dotted path it belongs at (or to a sentence's
    subject); `meant` maps known slips to the right name. `strict`: every other name is reported, not only near ones.
    `consequence`: what the library does where such a name should have set the origin and nothing else does: words
    (`always`), or words for each meaning that the origin option can then have by default. `fails`: any
    other name makes the library fail, so that nothing else it was told counts.
    """

    path: str
    names: frozenset[str]
    legacy: Mapping[str, str]
    misplaced: Mapping[str, str]
    meant: Mapping[str, str]
    consequence: Mapping[str, str]
    strict: bool
    fails: bool


class EmitSpec(NamedTuple):
    """One fact that a call gives.

    `each`: one fact per positional argument from that position on (per element of those that are lists), or per element
    of the list given by that keyword or option, or of the setting of that name. `needs`: no fact where this field is
    given nowhere. `unless_imported`: nor where the file imports one of these modules. `order`: where a layer stands
    among the others of its application (one of `ORDERS`). `next`: the position of the parameter by which a handler
    passes the request on; None: it does not.
    """

    kind: str
    fields: Mapping[str, FieldSource]
    policy: PolicySemantics | None
    options: tuple[OptionGroup, ...]
    each: int | str | None
    for_each: str | None
    unless_absent: str | None
    needs: str | None
    order: str | None = None
    next: int | None = None
    unless_imported: frozenset[str] = frozenset()


class Delegate(NamedTuple):
    """A function in place of the options, called with each request, that hands them out.

    `callback`: the position of its parameter for that; `argument`: at which position of the callback's arguments they
    are; or it is asynchronous and returns them. `key`: it may also be this option, and then stands for all of them.
    `group`: it stands for the options under this one. `wrapped`: what is given may be a function that returns it.
    """

    callback: int
    argument: int
    key: str | None
    wrapped: bool
    group: str | None


class CallSpec(NamedTuple):
    """A call that means something.

    `when` limits it to calls whose argument at a position (or with a keyword) is one of the named APIs,
    and to calls of those themselves, or (`when_not`) to all others; `when_maker`: it is an argument of the call that
    made the receiver; `receivers`: to methods of what has one of these names; `least` and `most`: to
    calls with so many arguments. `options` are the positions at
    which an options object may stand, "keywords" (position -1) the keyword arguments; at the positions `after_number`
    only where the first argument is a whole number. `without`: only where no file of the same package calls one of
    these APIs, `beside`: only where one does; `path`: only in files whose path holds what it matches. `completes`: the
    call finishes
    what its receiver's constructor began (`new Server().attach(server, options)`). `lays`: its options
    are laid `over` or `under` those of the constructor, or stay `apart`: then only what `fills` takes counts.
    `completed`: what it finishes is an argument instead, by position and keyword (`ASGIApp(server, path)`). `late`: it
    reads the configuration when a request comes, so that what is written after the call counts, too. `delegate`: a
    function may stand for the options.
    """

    callee: tuple[str, ...]
    construct: bool | None
    when_position: int | None
    when_keyword: str | None
    when_names: frozenset[str]
    option_positions: tuple[int, ...]
    keywords: bool
    emits: tuple[EmitSpec, ...]
    completes: bool
    completed: tuple[int | None, str | None]
    lays: str
    fills: Mapping[str, FieldSource]
    late: bool
    delegate: Delegate | None = None
    receivers: frozenset[str] = frozenset()
    least: int = 0
    most: int | None = None
    when_not: bool = False
    when_maker: bool = False
    after_number: frozenset[int] = frozenset()
    without: frozenset[str] = frozenset()
    beside: frozenset[str] = frozenset()
    path: re.Pattern[str] | None = None


class FileSpec(NamedTuple):
    """What a file of a certain name exports, that a tool reads as its options.

    `names` matches the file's own name. `call` says what the options mean, as if they were the argument of a call.
    An exported function hands out the options; what is given to an exported call (`defineConfig({...})`) are options.
    """

    names: re.Pattern[str]
    call: CallSpec


class ClassSpec(NamedTuple):
    """A class of the project that is derived from one of these, perhaps by others of its classes; nothing extends it.

    In place of a call stands the class itself.
    """

    bases: frozenset[str]
    emits: tuple[EmitSpec, ...]


class SettingsSpec(NamedTuple):
    """Names bound in a settings module: any of `names` makes the facts.

    `development` matches file names. `requires`: lists (by setting) that have to hold an element that matches the
    pattern, where they can be read. `prefix`: settings with this beginning are the options whose names are checked,
    `beside`: where one of these names shows that it is such a module. `final`: not in modules that another one imports
    whole, and may change.
    """

    names: frozenset[str]
    development: re.Pattern[str] | None
    emits: tuple[EmitSpec, ...]
    requires: Mapping[str, re.Pattern[str]]
    prefix: str
    beside: frozenset[str]
    final: bool = False


class VarySpec(NamedTuple):
    """How names are added to the response header Vary without that header's being spelled.

    `methods` take the names on any receiver, `members` are members whose methods do, `calls` are APIs one of whose
    arguments holds names.
    """

    methods: frozenset[str] = frozenset()
    members: frozenset[str] = frozenset()
    calls: frozenset[str] = frozenset()


class HeaderSpec(NamedTuple):
    """How response headers are written by hand.

    `methods` take the name and the value (or an object) on any receiver, `functions` without one, perhaps behind what
    they are about (`setHeader(event, name, value)`); `containers` are members whose index is the
    header's name (`response.headers["X"] = v`; `*`: any object); `objects`: an object literal with such keys that is an
    argument or is returned.
    `appends` are the methods that add instead of replacing. Requests have headers, too: `holders` are the names of what
    a container has to be a member of, `responses` the APIs whose arguments are response headers, `requests` those whose
    methods write a request's; an object with one of the keys `beside` its headers is a response. Where one of the first
    two or the last is empty, anything will do. `request_methods` write a request's header on any receiver; `clients`
    are the APIs that send requests, with the headers in an object. `decorators` are APIs that take the name and the
    value of a header of every response of the function they decorate. `made`: APIs that make headers of either side;
    they are a response's where one of `responses` gets them. `request_members`, `request_calls` and `request_functions`
    recognise the request's own Origin header: the last are called with the request, and a name unless they give all.
    `vary`: what else writes Vary.
    """

    methods: frozenset[str]
    functions: frozenset[str]
    appends: frozenset[str]
    containers: frozenset[str]
    objects: bool
    holders: frozenset[str]
    responses: frozenset[str]
    requests: frozenset[str]
    beside: frozenset[str]
    request_members: frozenset[str]
    request_calls: frozenset[str]
    vary: VarySpec
    policy: PolicySemantics
    request_methods: frozenset[str] = frozenset()
    clients: frozenset[str] = frozenset()
    made: frozenset[str] = frozenset()
    request_functions: frozenset[str] = frozenset()
    decorators: frozenset[str] = frozenset()


class LayerSpec(NamedTuple):
    """What a layer is that an application is given: `kind` (`model/facts.py`), of the APIs `names` or calls of them.

    `preflight`: whether a preflight ends there. `when`: a setting, and what it is by default: the layer is of that kind
    only where it is true (or, with `unless`, false), and `neutral` otherwise. `apart`: literals as its first argument
    with which nothing is said of it, as without a literal. `wraps`: it is what its argument at this position is.
    """

    names: frozenset[str]
    kind: str
    preflight: Tri
    setting: str | None
    default: bool
    negated: bool
    apart: frozenset[object]
    wraps: int | None = None


class RefusalSpec(NamedTuple):
    """How a handler refuses a request that brings no credentials.

    `names`: calls that send a status, or raise an error that becomes one; it stands at `positions` or by `keyword`, or
    is always `status`. `members`: members that the status is assigned to. `returned`: a returned tuple or list whose
    element at this position is the status. `methods`: members of the request that hold its method. `secrets`: names, in
    lower case, of members, headers and variables that hold what only a request with credentials has. `verifies`: calls
    that end in an error, or in a refusal, where there are none.
    """

    names: frozenset[str]
    positions: tuple[int, ...]
    keyword: str | None
    status: int | None
    members: frozenset[str]
    returned: int | None
    methods: frozenset[str]
    secrets: frozenset[str]
    verifies: frozenset[str]


LAYER_KINDS = ("cors", "auth", "static", "redirect", "error-handler", "mount", "neutral", "unknown")
"""What a layer is. `neutral`: it neither answers a request nor writes a CORS header."""


class Descriptor(NamedTuple):
    """One library."""

    id: str
    title: str
    language: str
    ecosystem: str | None
    package: str | None
    versions: str | None
    calls: Sequence[CallSpec]
    settings: tuple[SettingsSpec, ...]
    headers: tuple[HeaderSpec, ...]
    files: tuple[FileSpec, ...]
    classes: tuple[ClassSpec, ...]
    pages: tuple[ScriptLibrary, ...]
    examples: tuple[Mapping[str, Any], ...]
    path: str
    words: tuple[bytes, ...] = ()
    tables: Mapping[str, Responds] = {}
    layers: tuple[LayerSpec, ...] = ()
    refusals: tuple[RefusalSpec, ...] = ()

    @property
    def alternatives(self) -> tuple[str | None, str]:
        """The same for the descriptors that speak of different versions of one package."""
        ranged = self.versions is not None and self.package is not None
        return (self.ecosystem, str(self.package)) if ranged else (None, self.id)

    def applies(self, releases: Iterable[Release]) -> Tri:
        """Whether the descriptor speaks of these releases; none: not known."""
        if self.versions is None:
            return Tri.YES
        return all_within(releases, self.versions)


class SocketPaths(NamedTuple):
    """Segments of request paths (`socket.io` in `/api/socket.io/`), lower case, that speak for a socket by themselves.

    `described` are those under which servers of described libraries answer, `polling` those of other libraries whose
    clients poll where no WebSocket opens, `websocket` other names that are common for paths of WebSockets. `scripts`
    are the clients' scripts that servers of described libraries hand out below their paths.
    """

    described: frozenset[str] = frozenset()
    polling: frozenset[str] = frozenset()
    websocket: frozenset[str] = frozenset()
    scripts: frozenset[str] = frozenset()


class Calls:
    """Calls by the name of what is called; those of a descriptor are read when one of its names is asked for."""

    def __init__(self, descriptors: Sequence[Descriptor], places: Mapping[str, tuple[tuple[int, int], ...]]) -> None:
        """`places`: by name, the positions of descriptors and of calls in them."""
        self._descriptors = descriptors
        self._places = places

    def get(self, name: str) -> list[tuple[Descriptor, CallSpec]]:
        """The calls of that name, each with its descriptor."""
        places = self._places.get(name, ())
        return [(self._descriptors[of], self._descriptors[of].calls[at]) for of, at in places]

    def __iter__(self) -> Iterator[str]:
        return iter(self._places)


class Catalog(NamedTuple):
    """All descriptors, indexed by the API they speak of.

    `named_calls` and `calls_on_any` say where the calls stand that have a name, or are methods of any receiver, as
    positions of descriptors and of calls in them.
    `last_names` are the last parts of all described names: a method of another name is none of them.
    `layers` are known layers by the API's name, `refusals` how handlers refuse requests, by language.
    `page_builders` are packages that serve pages from a server of their own; `own_origin` are the names of
    expressions that hold a page's own origin. `session_keepers` are packages that keep a client on one of several
    processes, `homepage_readers` those that build pages for the address in the manifest's `homepage`. `words` are, by
    language, lower-case texts of which one stands in every file that a descriptor makes facts of, where none of the
    words does that are looked for anyway. `neighbours` are the APIs whose use decides whether calls of others mean
    anything, `configured` the keys of configurations that fields are taken from, and `servers` the APIs that make HTTP
    servers.
    """

    descriptors: tuple[Descriptor, ...]
    named_calls: Mapping[str, tuple[tuple[int, int], ...]]
    calls_on_any: Mapping[str, tuple[tuple[int, int], ...]]
    assumptions: Assumptions
    last_names: frozenset[str]
    page_builders: frozenset[str] = frozenset()
    own_origin: frozenset[str] = frozenset()
    session_keepers: frozenset[str] = frozenset()
    homepage_readers: frozenset[str] = frozenset()
    words: Mapping[str, tuple[bytes, ...]] = MappingProxyType({})
    socket_paths: SocketPaths = SocketPaths()
    layers: Mapping[str, LayerSpec] = MappingProxyType({})
    refusals: Mapping[str, tuple[RefusalSpec, ...]] = MappingProxyType({})
    neighbours: frozenset[str] = frozenset()
    configured: frozenset[str] = frozenset()
    servers: frozenset[str] = frozenset()

    @property
    def calls(self) -> Calls:
        """The calls of functions, classes and known objects' methods, by their names."""
        return Calls(self.descriptors, self.named_calls)

    @property
    def any_receiver(self) -> Calls:
        """The calls of methods whatever they are called on, by the methods' names."""
        return Calls(self.descriptors, self.calls_on_any)

    def reads(self, name: str) -> bool:
        """Whether a file of that name (without its folder) holds options of a described tool."""
        return any(spec.names.fullmatch(name) for descriptor in self.descriptors for spec in descriptor.files)

    @property
    def packages(self) -> frozenset[str]:
        """The names of all packages and modules that descriptors speak of, as they are imported."""
        return _packages(tuple(self.named_calls))

    @property
    def scripts(self) -> tuple[ScriptLibrary, ...]:
        """The libraries that pages load by script tags."""
        return tuple(library for descriptor in self.descriptors for library in descriptor.pages)


@lru_cache(maxsize=4)
def _packages(names: tuple[str, ...]) -> frozenset[str]:
    """The packages of described names; the same ones for every project that a process looks at."""
    return frozenset(
        package.removeprefix("node:")
        for package, mark, _ in (name.partition("#") for name in names)
        if mark and package not in ("global", "?")
    )


_LAST_NAME = regex(r"[#/.]")


def load(folder: Path, *, examples: bool = True) -> Catalog:
    """Read and check every descriptor of a folder, with their `examples` or without.

    Raises:
        YamlError: a file is not valid; the error names file, line and the nearest valid name.

    """
    descriptors: list[Descriptor] = []
    environments: list[Mapping[str, Any]] = []
    for path in sorted(folder.glob("*.yaml")):
        data = path.read_bytes() if examples else without_examples(path.read_bytes())
        descriptor, environment = read(data, path)
        descriptors.append(descriptor)
        if environment is not None:
            environments.append(environment)
    return build(descriptors, environments)


def build(descriptors: Iterable[Descriptor], environments: Iterable[Mapping[str, Any]]) -> Catalog:
    """Index descriptors by the names they describe."""
    descriptors, environments = tuple(descriptors), tuple(environments)
    calls: dict[str, list[tuple[int, int]]] = {}
    any_receiver: dict[str, list[tuple[int, int]]] = {}
    for of, descriptor in enumerate(descriptors):
        for at, call in enumerate(descriptor.calls):
            for name in call.callee:
                if name.startswith("*/"):
                    any_receiver.setdefault(name[2:], []).append((of, at))
                else:
                    calls.setdefault(name, []).append((of, at))
    specs = [call for descriptor in descriptors for call in descriptor.calls]
    return Catalog(
        tuple(descriptor._replace(calls=Later(descriptor.calls)) for descriptor in descriptors),
        {name: tuple(found) for name, found in calls.items()},
        {name: tuple(found) for name, found in any_receiver.items()},
        _assumptions(environments),
        frozenset(_LAST_NAME.split(name)[-1] for name in (*calls, *any_receiver)),
        frozenset(name for part in environments for name in part.get("page_builders", ())),
        frozenset(name for part in environments for name in part.get("own_origin", ())),
        frozenset(name for part in environments for name in part.get("session_keepers", ())),
        frozenset(name for part in environments for name in part.get("homepage_readers", ())),
        {
            language: tuple(dict.fromkeys(word for one in found for word in one.words))
            for language, found in _by_language(descriptors).items()
        },
        SocketPaths(
            *(
                frozenset(name for part in environments for name in part.get("socket_paths", {}).get(group, ()))
                for group in SocketPaths._fields
            )
        ),
        {name: layer for descriptor in descriptors for layer in descriptor.layers for name in layer.names},
        {
            language: tuple(refusal for one in found for refusal in one.refusals)
            for language, found in _by_language(descriptors).items()
        },
        frozenset(name for call in specs for name in call.without | call.beside),
        frozenset(
            source.config
            for call in specs
            for emit in call.emits
            for source in emit.fields.values()
            if source.config is not None
        ),
        frozenset(
            name for call in specs if any(emit.kind == "http_server" for emit in call.emits) for name in call.callee
        ),
    )


def _by_language(descriptors: Iterable[Descriptor]) -> dict[str, list[Descriptor]]:
    found: dict[str, list[Descriptor]] = {}
    for descriptor in descriptors:
        found.setdefault(descriptor.language, []).append(descriptor)
    return found


def _assumptions(parts: Iterable[Mapping[str, Any]]) -> Assumptions:
    objects: set[str] = set()
    required: set[str] = set()
    reads: dict[str, EnvironmentRead] = {}
    production: dict[str, str | bool] = {}
    receivers: set[str] = set()
    records: set[str] = set()
    for part in parts:
        objects |= set(part.get("objects", ()))
        required |= set(part.get("required_objects", ()))
        receivers |= set(part.get("receivers", ()))
        records |= set(part.get("records", ()))
        production |= part.get("production", {})
        for read in part.get("reads", ()):
            names = [read["callee"]] if isinstance(read["callee"], str) else read["callee"]
            for name in names:
                reads[name] = EnvironmentRead(
                    read.get("name", 0),
                    read.get("fallback"),
                    read.get("fallback_keyword"),
                    bool(read.get("required")),
                    bool(read.get("splits")),
                    read.get("cast"),
                    frozenset(read.get("lists", ())),
                )
    return Assumptions(
        frozenset(objects), frozenset(required), reads, production, frozenset(receivers), frozenset(records)
    )


# --- reading one file ---


def read(data: bytes, path: Path) -> tuple[Descriptor, Mapping[str, Any] | None]:
    """Check one descriptor file; also returns its `environment:` part."""
    check = Checker(str(path), data)
    raw = parse(data, str(path))
    check.keys(
        raw,
        (),
        (
            "id",
            "title",
            "language",
            "package",
            "versions",
            "words",
            "tables",
            "calls",
            "settings",
            "headers",
            "files",
            "classes",
            "environment",
            "pages",
            "layers",
            "refusals",
            "examples",
            "references",
            "notes",
        ),
        ("id", "title", "language"),
    )
    identifier = check.text(raw["id"], ("id",))
    if identifier != path.stem:
        raise check.fail(("id",), f"the id {identifier!r} has to be the file's name without its ending ({path.stem!r})")
    package = check.keys(raw.get("package", {}), ("package",), ("ecosystem", "name"))
    if package:
        check.one_of(package.get("ecosystem"), ("package", "ecosystem"), ("npm", "pypi"))
    versions = _versions(check, raw["versions"], ("versions",)) if "versions" in raw else None
    tables = _tables(check, raw.get("tables", {}))
    if tables:
        raw |= {
            key: _with_tables(check, raw[key], (key,), tables) for key in ("calls", "settings", "headers") if key in raw
        }
    descriptor = Descriptor(
        identifier,
        check.text(raw["title"], ("title",)),
        check.one_of(raw["language"], ("language",), ("javascript", "python")),
        package.get("ecosystem"),
        package.get("name"),
        versions,
        tuple(_call(check, part, ("calls", i)) for i, part in enumerate(check.items(raw.get("calls", []), ("calls",)))),
        tuple(
            _settings(check, part, ("settings", i))
            for i, part in enumerate(check.items(raw.get("settings", []), ("settings",)))
        ),
        tuple(
            _headers(check, part, ("headers", i))
            for i, part in enumerate(check.items(raw.get("headers", []), ("headers",)))
        ),
        tuple(_file(check, part, ("files", i)) for i, part in enumerate(check.items(raw.get("files", []), ("files",)))),
        tuple(
            _class(check, part, ("classes", i))
            for i, part in enumerate(check.items(raw.get("classes", []), ("classes",)))
        ),
        tuple(_page(check, part, ("pages", i)) for i, part in enumerate(check.items(raw.get("pages", []), ("pages",)))),
        tuple(raw.get("examples", ())),
        str(path),
        _words(check, raw["words"], ("words",)) if "words" in raw else (),
        tables,
        tuple(
            _layer(check, part, ("layers", i)) for i, part in enumerate(check.items(raw.get("layers", []), ("layers",)))
        ),
        tuple(
            _refusal(check, part, ("refusals", i))
            for i, part in enumerate(check.items(raw.get("refusals", []), ("refusals",)))
        ),
    )
    environment = raw.get("environment")
    if environment is not None:
        check.keys(
            environment,
            ("environment",),
            (
                "objects",
                "required_objects",
                "reads",
                "production",
                "receivers",
                "records",
                "page_builders",
                "session_keepers",
                "homepage_readers",
                "own_origin",
                "socket_paths",
            ),
        )
        paths = check.keys(
            environment.get("socket_paths", {}),
            ("environment", "socket_paths"),
            SocketPaths._fields,
        )
        for group, names in paths.items():
            at = ("environment", "socket_paths", group)
            for i, name in enumerate(check.items(names, at)):
                if not re.fullmatch(r"[a-z0-9_.-]+", check.text(name, (*at, i))):
                    raise check.fail((*at, i), f"{name!r} is no segment of a path, in lower case and without slashes")
        for i, part in enumerate(environment.get("reads", ())):
            check.keys(
                part,
                ("environment", "reads", i),
                ("callee", "name", "fallback", "fallback_keyword", "required", "splits", "cast", "lists"),
                ("callee",),
            )
    return descriptor, environment


def _words(check: Checker, value: object, at: KeyPath) -> tuple[bytes, ...]:
    found = []
    for i, part in enumerate(check.items(value, at)):
        word = check.text(part, (*at, i))
        # Files are searched in lower case, byte by byte. Two letters stand in nearly every file.
        if not word.isascii() or word != word.lower() or len(word) < _LEAST_WORD:
            raise check.fail(
                (*at, i), f"{word!r} is no word to look for: at least {_LEAST_WORD} ASCII characters, in lower case"
            )
        found.append(word.encode("ascii"))
    return tuple(found)


def _names(check: Checker, value: object, at: KeyPath) -> tuple[str, ...]:
    if isinstance(value, str):
        return (value,)
    return tuple(check.text(part, (*at, i)) for i, part in enumerate(check.items(value, at)))


def _positions(check: Checker, value: object, at: KeyPath) -> tuple[int, ...]:
    found = tuple(value) if isinstance(value, list) else (value,)
    if not all(isinstance(part, int) and not isinstance(part, bool) for part in found):
        raise check.fail(at, "positions are numbers, counted from 0")
    return found


def _option_positions(check: Checker, value: object, at: KeyPath) -> tuple[tuple[int, ...], frozenset[int]]:
    """The positions of options, and those among them that only count behind a number."""
    if value == "keywords":
        return (), frozenset()
    listed = value if isinstance(value, list) else [value]
    behind = {
        i: check.keys(part, (*at, i), ("position", "after"), ("position", "after"))
        for i, part in enumerate(listed)
        if isinstance(part, dict)
    }
    for i, part in behind.items():
        check.one_of(part["after"], (*at, i, "after"), ("number",))
    positions = _positions(check, [behind[i]["position"] if i in behind else part for i, part in enumerate(listed)], at)
    return positions, frozenset(positions[i] for i in behind)


def _call(check: Checker, raw: object, at: KeyPath) -> CallSpec:
    part = check.keys(
        raw,
        at,
        ("callee", "form", "when", "options", "emits", "completes", "lays", "fills", "late", "delegate"),
        ("callee",),
    )
    form = check.one_of(part.get("form", "any"), (*at, "form"), ("any", "construct", "call"))
    when = check.keys(
        part.get("when", {}),
        (*at, "when"),
        ("position", "keyword", "is", "is_not", "of_receiver", "receiver", "least", "most", "without", "with", "path"),
    )
    if "is" in when and "is_not" in when:
        raise check.fail((*at, "when"), "`is` and `is_not` exclude each other")
    asked = "is_not" if "is_not" in when else "is"
    completes = part.get("completes", False)
    completed = (
        check.keys(completes, (*at, "completes"), ("position", "keyword")) if completes not in (True, False) else {}
    )
    options = part.get("options", [])
    positions, after_number = _option_positions(check, options, (*at, "options"))
    fills = check.keys(part.get("fills", {}), (*at, "fills"), _all_fields())
    return CallSpec(
        _names(check, part["callee"], (*at, "callee")),
        None if form == "any" else form == "construct",
        when.get("position"),
        when.get("keyword"),
        frozenset(_names(check, when.get(asked, []), (*at, "when", asked))),
        positions,
        options == "keywords",
        _emits(check, part.get("emits", []), (*at, "emits")),
        bool(completes),
        (completed.get("position"), completed.get("keyword")),
        check.one_of(part.get("lays", "over"), (*at, "lays"), ("over", "under", "apart")),
        {name: _source(check, value, (*at, "fills", name)) for name, value in fills.items()},
        bool(part.get("late", False)),
        _delegate(check, part["delegate"], (*at, "delegate")) if "delegate" in part else None,
        frozenset(_names(check, when.get("receiver", []), (*at, "when", "receiver"))),
        int(when.get("least", 0)),
        int(when["most"]) if "most" in when else None,
        asked == "is_not",
        bool(when.get("of_receiver", False)),
        after_number,
        frozenset(_names(check, when.get("without", []), (*at, "when", "without"))),
        frozenset(_names(check, when.get("with", []), (*at, "when", "with"))),
        _pattern(check, when["path"], (*at, "when", "path")) if "path" in when else None,
    )


def _file(check: Checker, raw: object, at: KeyPath) -> FileSpec:
    part = check.keys(raw, at, ("names", "emits"), ("names", "emits"))
    names = _pattern(check, part["names"], (*at, "names"))
    return FileSpec(names, _call(check, {"callee": [], "options": 0, "emits": part["emits"]}, at))


def _class(check: Checker, raw: object, at: KeyPath) -> ClassSpec:
    part = check.keys(raw, at, ("base", "emits"), ("base", "emits"))
    return ClassSpec(
        frozenset(_names(check, part["base"], (*at, "base"))), _emits(check, part["emits"], (*at, "emits"))
    )


def _delegate(check: Checker, raw: object, at: KeyPath) -> Delegate:
    part = check.keys(raw, at, ("callback", "argument", "key", "wrapped", "group"), ("callback", "argument"))
    return Delegate(
        int(part["callback"]),
        int(part["argument"]),
        part.get("key"),
        bool(part.get("wrapped", False)),
        part.get("group"),
    )


def _all_fields() -> frozenset[str]:
    return frozenset(name for kind in FACT_KINDS.values() for name in kind.fields)


def _emits(check: Checker, raw: object, at: KeyPath) -> tuple[EmitSpec, ...]:
    return tuple(_emit(check, part, (*at, i)) for i, part in enumerate(check.items(raw, at)))


def _emit(check: Checker, raw: object, at: KeyPath) -> EmitSpec:
    part = check.keys(
        raw,
        at,
        (
            "fact",
            "fields",
            "policy",
            "options",
            "each",
            "for_each",
            "unless_absent",
            "unless_imported",
            "needs",
            "order",
            "next",
        ),
        ("fact",),
    )
    kind = check.one_of(part["fact"], (*at, "fact"), tuple(FACT_KINDS))
    allowed = FACT_KINDS[kind].fields
    sources = set(part.get("policy", {}).get("sources", ())) if isinstance(part.get("policy"), dict) else set()
    scoped = [part["for_each"]] if "for_each" in part else []
    raw_fields = part.get("fields", {})
    others = [name for name in raw_fields if str(name).startswith("given.")] if isinstance(raw_fields, dict) else []
    fields = check.keys(raw_fields, (*at, "fields"), (*allowed, *sources, *scoped, "group", "gate", "vary", *others))
    return EmitSpec(
        kind,
        {name: _source(check, value, (*at, "fields", name)) for name, value in fields.items()},
        _policy(check, part["policy"], (*at, "policy")) if "policy" in part else None,
        tuple(
            _group(check, group, (*at, "options", i))
            for i, group in enumerate(check.items(part.get("options", []), (*at, "options")))
        ),
        part.get("each"),
        part.get("for_each"),
        part.get("unless_absent"),
        part.get("needs"),
        check.one_of(part["order"], (*at, "order"), ORDERS) if "order" in part else None,
        part.get("next"),
        frozenset(_names(check, part.get("unless_imported", []), (*at, "unless_imported"))),
    )


def _source(check: Checker, raw: object, at: KeyPath) -> FieldSource:
    if not isinstance(raw, dict):
        return FieldSource(constant=_frozen(raw), has_constant=True)
    part = check.keys(raw, at, _SOURCE_KEYS)
    mapping = tuple((pair[0], pair[1]) for pair in check.items(part.get("map", []), (*at, "map")))
    return FieldSource(
        positions=_positions(check, part["position"], (*at, "position")) if "position" in part else (),
        keyword=part.get("keyword"),
        keys=_names(check, part["key"], (*at, "key")) if "key" in part else (),
        settings=_names(check, part["setting"], (*at, "setting")) if "setting" in part else (),
        config=part.get("config"),
        receiver=bool(part.get("receiver", False)),
        of_receiver=bool(part.get("of_receiver", False)),
        call=bool(part.get("call", False)),
        method=bool(part.get("method", False)),
        callee=bool(part.get("callee", False)),
        beside=part.get("beside"),
        handed_with=part.get("handed_with"),
        delegated=bool(part.get("delegated", False)),
        unknown=bool(part.get("unknown", False)),
        scope=bool(part.get("scope", False)),
        inside=_names(check, part["inside"], (*at, "inside")) if "inside" in part else (),
        override=part.get("override"),
        only=frozenset(_names(check, part.get("only", []), (*at, "only"))),
        handler=_names(check, part.get("handler", []), (*at, "handler")),
        blind=frozenset(_names(check, part.get("blind", []), (*at, "blind"))),
        spells=_pattern(check, part["spells"], (*at, "spells")) if "spells" in part else None,
        through=frozenset(_names(check, part.get("through", []), (*at, "through"))),
        decorated=bool(part.get("decorated", False)),
        constant=_frozen(part.get("constant")),
        has_constant="constant" in part,
        default=_frozen(part.get("default")),
        has_default="default" in part,
        absent=part.get("absent"),
        has_absent="absent" in part,
        read_as=check.one_of(part.get("as", "value"), (*at, "as"), READ_AS),
        present=bool(part.get("present", False)),
        truthy=bool(part.get("truthy", False)),
        mapping=mapping,
        by_version=tuple(
            _version_default(check, pair, (*at, "by_version", i)) for i, pair in enumerate(part.get("by_version", []))
        ),
    )


def _pattern(check: Checker, raw: object, at: KeyPath) -> re.Pattern[str]:
    try:
        return re.compile(check.text(raw, at))
    except re.error as error:
        raise check.fail(at, f"not a regular expression: {error}") from None


def _version_default(check: Checker, raw: object, at: KeyPath) -> tuple[str, object]:
    pair = check.items(raw, at)
    if len(pair) != 2:
        raise check.fail(at, "a pair [range of major versions, default] is expected")
    return _versions(check, pair[0], at), _frozen(pair[1])


def _versions(check: Checker, raw: object, at: KeyPath) -> str:
    text = check.text(raw, at)
    wrong = fault(text)
    if wrong is not None:
        raise check.fail(at, f"{wrong!r} is not a range of major versions (>=N, <N or ==N)")
    return text


def _frozen(value: object) -> object:
    return tuple(value) if isinstance(value, list) else value


def _tables(check: Checker, raw: object) -> Mapping[str, Responds]:
    if not isinstance(raw, dict):
        raise check.fail(("tables",), "`tables` has to be a mapping")
    tables = {}
    for name, part in raw.items():
        try:
            tables[name] = read_responds(part)
        except ResponsesError as error:
            raise check.fail(("tables", name, *error.at), str(error)) from None
    return tables


def _with_tables(check: Checker, value: Any, at: KeyPath, tables: Mapping[str, Responds]) -> Any:
    """The same with each `responds: NAME` replaced by the table of that name."""
    if isinstance(value, list):
        return [_with_tables(check, part, (*at, index), tables) for index, part in enumerate(value)]
    if not isinstance(value, dict):
        return value
    filled = {key: _with_tables(check, part, (*at, key), tables) for key, part in value.items()}
    if isinstance(value.get("responds"), str):
        filled["responds"] = tables[check.one_of(value["responds"], (*at, "responds"), tuple(tables))]
    return filled


def _policy(check: Checker, raw: object, at: KeyPath) -> PolicySemantics:
    try:
        return policy_semantics(raw)
    except SemanticsError as error:
        raise check.fail((*at, *error.at), str(error)) from None


def _group(check: Checker, raw: object, at: KeyPath) -> OptionGroup:
    part = check.keys(
        raw, at, ("path", "names", "legacy", "misplaced", "meant", "consequence", "strict", "fails"), ("names",)
    )
    return OptionGroup(
        part.get("path", ""),
        frozenset(_names(check, part["names"], (*at, "names"))),
        dict(part.get("legacy", {})),
        dict(part.get("misplaced", {})),
        dict(part.get("meant", {})),
        _consequence(check, part.get("consequence", {}), (*at, "consequence")),
        bool(part.get("strict", False)),
        bool(part.get("fails", False)),
    )


def _consequence(check: Checker, raw: object, at: KeyPath) -> Mapping[str, str]:
    if isinstance(raw, str):
        return {"always": raw}
    part = check.keys(raw, at, sorted(MEANINGS), ())
    return {meaning: check.text(words, (*at, meaning)) for meaning, words in part.items()}


def _settings(check: Checker, raw: object, at: KeyPath) -> SettingsSpec:
    part = check.keys(
        raw, at, ("names", "development", "emits", "requires", "prefix", "beside", "final"), ("names", "emits")
    )
    development = part.get("development")
    return SettingsSpec(
        frozenset(_names(check, part["names"], (*at, "names"))),
        re.compile(development) if development is not None else None,
        _emits(check, part["emits"], (*at, "emits")),
        {name: re.compile(pattern) for name, pattern in part.get("requires", {}).items()},
        part.get("prefix", ""),
        frozenset(_names(check, part.get("beside", []), (*at, "beside"))),
        bool(part.get("final", False)),
    )


def _layer(check: Checker, raw: object, at: KeyPath) -> LayerSpec:
    part = check.keys(raw, at, ("is", "kind", "preflight", "when", "unless", "default", "apart", "wraps"), ("is",))
    setting = part.get("when", part.get("unless"))
    return LayerSpec(
        frozenset(_names(check, part["is"], (*at, "is"))),
        check.one_of(part.get("kind", "unknown"), (*at, "kind"), LAYER_KINDS),
        Tri(check.one_of(part.get("preflight", "no"), (*at, "preflight"), ("yes", "no", "unknown"))),
        check.text(setting, at) if setting is not None else None,
        bool(part.get("default", False)),
        "unless" in part,
        frozenset(part.get("apart", ())),
        part.get("wraps"),
    )


def _refusal(check: Checker, raw: object, at: KeyPath) -> RefusalSpec:
    part = check.keys(
        raw,
        at,
        ("callee", "position", "keyword", "status", "members", "returned", "methods", "secrets", "verifies"),
    )
    return RefusalSpec(
        frozenset(_names(check, part.get("callee", []), (*at, "callee"))),
        _positions(check, part["position"], (*at, "position")) if "position" in part else (),
        part.get("keyword"),
        part.get("status"),
        frozenset(_names(check, part.get("members", []), (*at, "members"))),
        part.get("returned"),
        frozenset(_names(check, part.get("methods", []), (*at, "methods"))),
        frozenset(name.lower() for name in _names(check, part.get("secrets", []), (*at, "secrets"))),
        frozenset(_names(check, part.get("verifies", []), (*at, "verifies"))),
    )


def _page(check: Checker, raw: object, at: KeyPath) -> ScriptLibrary:
    part = check.keys(raw, at, ("global", "stands_for", "scripts"), ("global", "stands_for", "scripts"))
    sources = []
    for i, one in enumerate(check.items(part["scripts"], (*at, "scripts"))):
        inner = (*at, "scripts", i)
        source = check.keys(one, inner, ("url", "version_of"), ("url",))
        try:
            url = re.compile(check.text(source["url"], (*inner, "url")), re.IGNORECASE)
        except re.error as error:
            raise check.fail((*inner, "url"), f"not a regular expression: {error}") from None
        package = source.get("version_of")
        sources.append(
            ScriptSource(url, ("npm", check.text(package, (*inner, "version_of"))) if package is not None else None)
        )
    return ScriptLibrary(
        check.text(part["global"], (*at, "global")), check.text(part["stands_for"], (*at, "stands_for")), tuple(sources)
    )


def _headers(check: Checker, raw: object, at: KeyPath) -> HeaderSpec:
    part = check.keys(
        raw,
        at,
        (
            "methods",
            "functions",
            "appends",
            "containers",
            "objects",
            "holders",
            "responses",
            "requests",
            "request_methods",
            "clients",
            "made",
            "decorators",
            "beside",
            "request_members",
            "request_calls",
            "request_functions",
            "vary",
            "policy",
        ),
        ("methods", "policy"),
    )
    vary = check.keys(part.get("vary", {}), (*at, "vary"), VarySpec._fields)
    return HeaderSpec(
        frozenset(part["methods"]),
        frozenset(part.get("functions", ())),
        frozenset(part.get("appends", ())),
        frozenset(part.get("containers", ())),
        bool(part.get("objects", False)),
        frozenset(part.get("holders", ())),
        frozenset(part.get("responses", ())),
        frozenset(part.get("requests", ())),
        frozenset(part.get("beside", ())),
        frozenset(name.lower() for name in part.get("request_members", ())),
        frozenset(part.get("request_calls", ())),
        VarySpec(**{name: frozenset(names) for name, names in vary.items()}),
        _policy(check, part["policy"], (*at, "policy")),
        frozenset(part.get("request_methods", ())),
        frozenset(part.get("clients", ())),
        frozenset(part.get("made", ())),
        frozenset(part.get("request_functions", ())),
        frozenset(part.get("decorators", ())),
    )
