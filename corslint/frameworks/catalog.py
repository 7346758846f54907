"""Framework descriptors, as `corslint/frameworks/descriptors.py` reads them. Their shape is in docs/descriptors.md.

A descriptor says which calls, settings and header writes of a library mean something, where each fact's fields come
from, and (under `policy:`) how the library answers a request's Origin.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from corslint.model.tri import Tri
from corslint.model.versions import Release, all_within
from corslint.records import NamedTuple
from corslint.regexes import regex

if TYPE_CHECKING:
    from corslint.model.semantics import PolicySemantics
    from corslint.project.link import Assumptions
    from corslint.project.scripts import ScriptLibrary

ORDERS = ("outermost", "last-is-outermost", "list", "first-is-outermost", "innermost")
"""Where a layer stands among those of its application, from the outside in: before all that follow here, the last one
added before the others, as the list says, the first one added before the others, behind all of those."""


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
    """What a layer is that an application is given: `kind` (`model/kinds.py`), of the APIs `names` or calls of them.

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
    words: tuple[bytes, ...] = ()
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

    def knows(self, name: str) -> bool:
        """Whether there are calls of that name."""
        return name in self._places

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

    @property
    def reads(self) -> Callable[[str], bool]:
        """Tells whether a file of some name (without its folder) holds options of a described tool."""
        names = [spec.names.pattern for descriptor in self.descriptors for spec in descriptor.files]
        found = regex("|".join(f"(?:{each})" for each in dict.fromkeys(names)) or r"(?!)")
        return lambda name: found.fullmatch(name) is not None

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
