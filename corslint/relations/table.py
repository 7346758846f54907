"""The relations themselves, each a function that answers yes, no or unknown. Loaded when one is first asked for."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from typing import cast

from corslint.later import Later
from corslint.model.decisions import is_loopback, site
from corslint.model.facts import Fact, Field
from corslint.model.finding import CONFIDENCES, Place
from corslint.model.patterns import Pattern, matches
from corslint.model.tri import Tri, all_of, any_of, tri
from corslint.model.urls import urlsplit
from corslint.records import NamedTuple
from corslint.regexes import regex
from corslint.relations import Keys, Related, Relation, World, weakest
from corslint.relations.keyed import NOBODY, Key, Wanted, unless_both_known
from corslint.relations.nearness import Nearest
from corslint.source import Span

NO = Related(Tri.NO)
UNKNOWN = Related(Tri.UNKNOWN)


# --- fields ---------------------------------------------------------------------------------------------------------


def _given(fact: Fact, name: str) -> Field | None:
    """The field if its value is known."""
    field = fact.fields.get(name)
    if field is None or field.value is None or field.state in ("absent", "unknown"):
        return None
    return field


def _open(fact: Fact, name: str) -> bool:
    """Whether the field is not known for sure: it cannot rule a partner out without lowering the confidence."""
    return _unsure(fact, name) or _sure(fact, name) != "high"


def _unsure(fact: Fact, name: str) -> bool:
    """Whether the field is there in a way that nobody can tell."""
    field = fact.fields.get(name)
    return field is not None and (field.state == "unknown" or (field.value is None and field.state != "absent"))


def _instance(fact: Fact, name: str) -> Span | None:
    field = _given(fact, name)
    return field.value if field is not None and isinstance(field.value, Span) else None


def _text(fact: Fact, name: str) -> str | None:
    field = _given(fact, name)
    return field.value if field is not None and isinstance(field.value, str) else None


def _number(fact: Fact, name: str) -> int | None:
    field = _given(fact, name)
    return (
        field.value
        if field is not None and isinstance(field.value, int) and not isinstance(field.value, bool)
        else None
    )


def _tri(fact: Fact, name: str) -> Tri | None:
    """A yes-or-no field; None where it is absent."""
    field = fact.fields.get(name)
    if field is None or field.state == "absent":
        return None
    value = field.value
    if isinstance(value, Tri):
        return value
    if field.state != "unknown" and value in (True, "yes"):
        return Tri.YES
    return Tri.NO if field.state != "unknown" and value in (False, "no") else Tri.UNKNOWN


def _sure(fact: Fact, *names: str) -> str:
    return weakest(field.confidence for name in names if (field := fact.fields.get(name)) is not None)


def _place(fact: Fact, name: str, message: str) -> tuple[Place, ...]:
    field = _given(fact, name)
    return (Place(field.span, message),) if field is not None and field.span is not None else ()


# --- nearness -------------------------------------------------------------------------------------------------------


def _inside(path: str, folder: str) -> bool:
    return not folder or path.startswith(f"{folder}/")


def closest(world: World, path: str, candidates: Sequence[Fact]) -> Fact | None:
    """The one candidate that belongs to a file, if that is clear (see `Nearest`)."""
    return Nearest(world.topology, candidates).to(path)


# --- groups ---------------------------------------------------------------------------------------------------------


def _instances_in(*names: str) -> Callable[[Fact], Iterable[Span]]:
    """The instances that a fact's fields name."""
    return lambda fact: {found for name in names if (found := _instance(fact, name)) is not None}


def _grouped(
    world: World, kind: str, name: str, keys: Callable[[Fact], Iterable[Hashable]]
) -> Mapping[Hashable, Sequence[Fact]]:
    """The facts of a kind by some keys, in order; worked out once for each `name`."""

    def found() -> dict[Hashable, list[Fact]]:
        groups: dict[Hashable, list[Fact]] = {}
        for fact in world.of_kind(kind):
            for key in keys(fact):
                groups.setdefault(key, []).append(fact)
        return groups

    return world.remember(("grouped", kind, name), found)


def _in_process_of(world: World, kind: str, fact: Fact) -> Sequence[Fact]:
    """The facts of a kind that run in the process of some fact."""
    process_of = world.topology.process_of
    groups = _grouped(world, kind, "process", lambda one: (process_of(one.span.path),))
    return groups.get(process_of(fact.span.path), ())


# --- of, listens, same_process --------------------------------------------------------------------------------------

_OWNER = {
    "cors_policy": "socket",
    "origin_entry": "policy",
    "origin_pattern": "policy",
    "insecure_origin": "policy",
    "sent_list": "policy",
    "policy_option": "policy",
}
"""The field of a part that names its whole."""


def of(_world: World, part: Fact, whole: Fact) -> Related:
    """A part belongs to this whole: an origin, list or option to its policy, a socket server's policy to the server."""
    role = _OWNER[part.kind]
    owner = part.parts.get(role)
    if owner is not None and owner.kind == whole.kind:
        return Related(Tri.YES, _sure(part, role)) if owner is whole else NO
    return _same(part, role, whole, "instance")


def listens(_world: World, listener: Fact, server: Fact) -> Related:
    """This call makes that server listen: it is called on the server itself (or on the server's http server)."""
    direct = _same(listener, "target", server, "instance")
    if server.kind != "socket_server" or direct.answer is Tri.YES:
        return direct
    return _either(direct, _same(listener, "target", server, "http_server"))


def same_process(world: World, first: Fact, second: Fact) -> Related:
    """Both stand in code that runs together: the same file, or files connected by imports."""
    if first.span.path == second.span.path:
        return Related(Tri.YES)
    topology = world.topology
    return Related(Tri.YES) if topology.process_of(first.span.path) == topology.process_of(second.span.path) else NO


def _same(first: Fact, field: str, second: Fact, other: str) -> Related:
    """Whether two fields name the same instance. A field that is absent names none."""
    if _unsure(first, field) or _unsure(second, other):
        return UNKNOWN
    mine, theirs = _instance(first, field), _instance(second, other)
    if mine is None or theirs is None or mine != theirs:
        return Related(Tri.NO, weakest((_sure(first, field), _sure(second, other))))
    return Related(Tri.YES, weakest((_sure(first, field), _sure(second, other))))


def _either(*answers: Related) -> Related:
    """Any of several ways to be related; the surest yes counts."""
    found = any_of(related.answer for related in answers)
    same = [related for related in answers if related.answer is found]
    if found is Tri.NO:
        return Related(Tri.NO, weakest(related.confidence for related in same))
    return min(same, key=lambda related: CONFIDENCES.index(related.confidence))


def _named_by(fact: Fact, name: str, value: Hashable | None, wanted: Wanted) -> Key:
    """The key of a field that has this value: the field rules out all others as far as it is known."""
    if _unsure(fact, name):
        return NOBODY if wanted is Wanted.YES else None
    if wanted is Wanted.UNSURE and _sure(fact, name) != "high":
        return None
    return NOBODY if value is None else frozenset({value})


def _instances(*names: str) -> Keys:
    def keys(_world: World, fact: Fact, wanted: Wanted) -> Key:
        found = NOBODY
        for name in names:
            own = _named_by(fact, name, _instance(fact, name), wanted)
            if own is None:
                return None
            found |= own
        return found

    return keys


def _part_keys(_world: World, part: Fact, wanted: Wanted) -> Key:
    role = _OWNER[part.kind]
    owner = part.parts.get(role)
    own = _named_by(part, role, _instance(part, role), wanted)
    return own if own is None or owner is None else own | {id(owner)}


def _whole_keys(_world: World, whole: Fact, wanted: Wanted) -> Key:
    own = _named_by(whole, "instance", _instance(whole, "instance"), wanted)
    return None if own is None else own | {id(whole)}


def _upstream_keys(_world: World, upstream: Fact, wanted: Wanted) -> Key:
    return _named_by(upstream, "name", _text(upstream, "name"), wanted)


def _spread_keys(_world: World, served: Fact, wanted: Wanted) -> Key:
    if served.kind != "proxy_route":
        return None
    return _named_by(served, "upstream", _text(served, "upstream"), wanted)


def _process_keys(world: World, fact: Fact, _wanted: Wanted) -> Key:
    return frozenset({fact.span.path, ("process", world.topology.process_of(fact.span.path))})


# --- same_app -------------------------------------------------------------------------------------------------------


def same_app(world: World, part: Fact, server: Fact) -> Related:
    """A policy (or middleware, or application) and a socket server belong to the same application.

    Yes, high: the policy is the server's own, or its application is the one that the server (or the http server below
    it) was built from, or is mounted there. Yes, medium: both run in one process, which has at most one application and
    no other socket server. No: another process, or applications that are known and differ. Unknown: several.
    """
    layer = _text(part, "layer")
    if layer == "proxy":
        return NO
    if layer == "socket" or _given(part, "socket") is not None:
        own = _same(part, "socket", server, "instance")
        if own.answer is not Tri.UNKNOWN:
            return own
    app = _instance(part, "instance" if part.kind == "http_app" else "app")
    apps, confidence, evidence = _server_apps(world, server)
    if app is not None and apps:
        mounted = _mounted_in(world, app)
        sure = weakest((confidence, _sure(part, "app")))
        if mounted & apps or app == _instance(server, "http_server"):
            return Related(Tri.YES, sure, evidence)
        return Related(Tri.NO, sure)
    if same_process(world, part, server).answer is not Tri.YES:
        topology, here, there = world.topology, part.span.path, server.span.path
        return Related(Tri.NO, "medium" if topology.package_of(here) == topology.package_of(there) else "high")
    return Related(Tri.YES, "medium") if _alone_in_process(world, server) else UNKNOWN


def _app_part_keys(world: World, part: Fact, wanted: Wanted) -> Key:
    """What names the server or the application; where neither is known, the process, and with less confidence the
    package."""
    layer, socket = _text(part, "layer"), _given(part, "socket")
    if layer == "proxy":
        return NOBODY
    if socket is not None or (layer == "socket" and not _unsure(part, "socket")):
        return _named_by(part, "socket", _instance(part, "socket"), wanted)
    app = _instance(part, "instance" if part.kind == "http_app" else "app")
    if app is not None and wanted is Wanted.UNSURE and _sure(part, "app") != "high":
        return None
    own: frozenset[Hashable] = NOBODY
    if app is not None:
        own = frozenset({("is", app), *(("in", each) for each in _mounted_in(world, app))})
    return own | _run_keys(world, part, app is not None, wanted)


def _app_server_keys(world: World, server: Fact, wanted: Wanted) -> Key:
    own = _named_by(server, "instance", _instance(server, "instance"), wanted)
    if own is None or _unsure(server, "instance"):
        return None
    apps, confidence, _ = _server_apps(world, server)
    if apps and wanted is Wanted.UNSURE and confidence != "high":
        return None
    if apps:
        own |= {("is", _instance(server, "http_server")), *(("in", app) for app in apps)}
    if wanted is Wanted.YES and not _alone_in_process(world, server):
        return own
    return own | _run_keys(world, server, bool(apps), wanted, second=True)


def _run_keys(world: World, fact: Fact, known: bool, wanted: Wanted, *, second: bool = False) -> frozenset[Hashable]:
    """What facts of one application have in common where not both applications are known."""
    topology, path = world.topology, fact.span.path
    keys = unless_both_known(known, ("process", topology.process_of(path)), second=second)
    if wanted is Wanted.UNSURE:
        keys |= unless_both_known(known, ("package", topology.package_of(path)), second=second)
    return keys


def _alone_in_process(world: World, server: Fact) -> bool:
    """Whether the server's process has no other, and one application at most."""
    return all(_in_process(world, kind, server) <= 1 for kind in ("http_app", "socket_server"))


def _in_process(world: World, kind: str, server: Fact) -> int:
    """How many facts of a kind run in the server's process."""
    process_of = world.topology.process_of
    counts = world.remember(
        ("counts", kind, server.span.path in world.in_tests),
        lambda: Counter(process_of(fact.span.path) for fact in world.candidates(kind, server)),
    )
    return counts[process_of(server.span.path)]


def _server_apps(world: World, server: Fact) -> tuple[frozenset[Span], str, tuple[Place, ...]]:
    """The applications that a socket server shares its http server with; empty if not known."""
    app = _instance(server, "app")
    if app is not None:
        return frozenset({app}), _sure(server, "app"), ()
    http = _instance(server, "http_server")
    if http is None:
        return frozenset(), "high", ()
    if _tri(server, "attached_to_app") is Tri.YES:
        return frozenset({http}), _sure(server, "http_server"), ()
    found: set[Span] = set()
    sure = [_sure(server, "http_server")]
    evidence: tuple[Place, ...] = ()
    for fact in world.by_instance(http, "http_server"):
        handler = _instance(fact, "handler")
        if handler is not None:
            found.add(handler)
            sure.append(_sure(fact, "handler"))
            evidence = (Place(fact.span, "the http server that both share"),)
    return frozenset(found), weakest(sure), evidence


def _mounted_in(world: World, app: Span) -> frozenset[Span]:
    """The application itself and all that it is mounted in."""
    mounts = world.remember("mounts", lambda: _mounts(world))
    found = {app}
    todo = [app]
    while todo:
        for outer in mounts.get(todo.pop(), ()):
            if outer not in found:
                found.add(outer)
                todo.append(outer)
    return frozenset(found)


def _mounts(world: World) -> dict[Span, list[Span]]:
    """For each application that is mounted somewhere, the applications it is mounted in."""
    mounts: dict[Span, list[Span]] = {}
    for fact in world.of_kind("middleware"):
        inner, outer = _instance(fact, "handler"), _instance(fact, "app")
        if inner is not None and outer is not None:
            mounts.setdefault(inner, []).append(outer)
    return mounts


# --- runs -----------------------------------------------------------------------------------------------------------


def runs(world: World, process: Fact, server: Fact) -> Related:
    """This process runs the socket server: it starts a file that the server belongs to, or starts more of what it
    belongs to itself. Yes, medium: a container that is built from the server's folder, or one at the server's port,
    where the project has no other server. Unknown where neither file nor container is known.
    """
    if not world.visible(process, server):
        return NO
    process_of = world.topology.process_of
    file = process.span.path if _tri(process, "per_call") is Tri.YES else _text(process, "file")
    if file is not None:
        return Related(tri(process_of(file) == process_of(server.span.path)))
    named = [one for one in world.of_kind("service") if _text(one, "name") == _text(process, "name")]
    if named and _text(process, "by") == "compose":
        return _in_container(world, server, named, None) or _alone(world, process, server)
    port, ports = _number(process, "port"), world.topology.server_ports(server)
    return _alone(world, process, server) if port is not None and ports is not None and port in ports else UNKNOWN


def _alone(world: World, process: Fact, server: Fact) -> Related:
    """Whether all servers of the project run in one process, which then is what a process runs."""
    return Related(Tri.YES, "medium") if _only_process(world, server, process) else UNKNOWN


# --- outer_than -----------------------------------------------------------------------------------------------------

_ANY_PATH = regex(r"/?(\*|\(\.\*\)|\{\*\w+\}|\*\w+)?")
"""Patterns of the frameworks for paths that take every path."""
_MAX_MOUNTED = 8


def outer_than(world: World, outer: Fact, inner: Fact) -> Related:
    """Of two layers or routes of one application the first sees a request before the second.

    Yes: both take requests in common, by path and method, and the first one's place is further out, also where the
    second belongs to a router that is mounted. No: they are in different applications, have no request in common, or
    stand the other way round. Unknown: one of them has no known place.
    """
    if outer is inner:
        return NO
    common = _meet(world, outer, inner)
    if common is Tri.NO:
        return NO
    first, second = _position(world, outer), _position(world, inner)
    if first is None or second is None:
        return UNKNOWN
    apps = [app for app, *_ in first if any(app == other for other, *_ in second)]
    if not apps:
        # A router that nobody mounts, as far as can be seen, may be part of anything that runs there.
        apart = same_process(world, outer, inner).answer is not Tri.YES
        return NO if apart or all(_whole(world, places[-1][0]) for places in (first, second)) else UNKNOWN
    (_, mine, sure), (_, theirs, also) = (
        next(place for place in places if place[0] == apps[0]) for places in (first, second)
    )
    confidence = weakest((sure, also))
    words = _text(outer, "order"), _text(inner, "order")
    if words[0] != words[1] and "outermost" in words:
        return Related(common) if words[0] == "outermost" else NO
    if mine is None or theirs is None:
        return UNKNOWN
    return Related(common, confidence) if mine < theirs else NO


def inner_than(world: World, inner: Fact, outer: Fact) -> Related:
    """The other way round than `outer_than`: a layer or route sees requests after that one, in the same application."""
    return outer_than(world, outer, inner)


def _outer_keys(world: World, layer: Fact, wanted: Wanted) -> Key:
    return _layer_keys(world, layer, wanted, second=False)


def _inner_keys(world: World, layer: Fact, wanted: Wanted) -> Key:
    return _layer_keys(world, layer, wanted, second=True)


def _layer_keys(world: World, layer: Fact, wanted: Wanted, *, second: bool) -> Key:
    """The applications that a layer stands in; a router that nobody mounts may be part of anything in its process."""
    places = _position(world, layer)
    if places is None:
        return NOBODY if wanted is Wanted.YES else None
    apps: frozenset[Hashable] = frozenset(app for app, *_ in places)
    if wanted is Wanted.YES:
        return apps
    process = ("process", world.topology.process_of(layer.span.path))
    return apps | unless_both_known(_whole(world, places[-1][0]), process, second=second)


def _whole(world: World, app: Span) -> bool:
    """Whether this is an application, not a router that was not seen to be mounted."""
    return bool(world.by_instance(app, "http_app"))


def _position(world: World, layer: Fact) -> list[tuple[Span, int | None, str]] | None:
    """Where a layer stands: in its own application, then in those that this is mounted in; None if not known."""
    return world.remember(("position", id(layer)), lambda: _position_of(world, layer))


def _position_of(world: World, layer: Fact) -> list[tuple[Span, int | None, str]] | None:
    places: list[tuple[Span, int | None, str]] = []
    fact: Fact | None = layer
    while fact is not None:
        app = _instance(fact, "app")
        if app is None or len(places) > _MAX_MOUNTED:
            return None
        places.append((app, _number(fact, "outer_index"), _sure(fact, "outer_index")))
        mounts = world.remember("mounting", lambda: _mounting(world)).get(app, ())
        if len(mounts) > 1:
            return None
        fact = mounts[0] if mounts else None
    return places


def _mounting(world: World) -> dict[Span, list[Fact]]:
    """The layers that mount an application, by that."""
    found: dict[Span, list[Fact]] = {}
    for fact in world.of_kind("middleware"):
        handler = _instance(fact, "handler")
        if handler is not None and _text(fact, "kind") == "mount":
            found.setdefault(handler, []).append(fact)
    return found


def _meet(world: World, one: Fact, other: Fact) -> Tri:
    """Whether two layers or routes take requests in common."""
    methods = [field.value for fact in (one, other) if (field := _given(fact, "methods")) is not None]
    if len(methods) == 2 and not set(cast("tuple[str, ...]", methods[0])) & set(cast("tuple[str, ...]", methods[1])):
        return Tri.NO
    paths = [_full_path(world, fact) for fact in (one, other)]
    if paths[0] == "" or paths[1] == "":
        return Tri.YES
    if paths[0] is None or paths[1] is None or any(re.search(r"[*(){}?+\[]", path) for path in paths if path):
        return Tri.UNKNOWN
    first, second = (path.rstrip("/") + "/" for path in paths if path is not None)
    return Tri.YES if first.startswith(second) or second.startswith(first) else Tri.NO


def _full_path(world: World, fact: Fact) -> str | None:
    """The path under which a layer is reached; empty: every path; None: not known."""
    return world.remember(("full path", id(fact)), lambda: _full_path_of(world, fact))


def _full_path_of(world: World, fact: Fact) -> str | None:
    path = ""
    for _ in range(_MAX_MOUNTED):
        if _unsure(fact, "path"):
            return None
        own = _text(fact, "path") or ""
        if not _ANY_PATH.fullmatch(own):
            path = "/" + own.strip("/") + path
        app = _instance(fact, "app")
        mounts = world.remember("mounting", lambda: _mounting(world)).get(app, ()) if app is not None else ()
        if len(mounts) != 1:
            return None if len(mounts) > 1 else path
        fact = mounts[0]
    return None


# --- connects_to ----------------------------------------------------------------------------------------------------

_DEFAULT_PORTS = {"http": 80, "ws": 80, "https": 443, "wss": 443}


class _Partner(NamedTuple):
    """What is known about the server of one client. `unknown` is None where it may be any that the client can see."""

    yes: frozenset[int]
    unknown: frozenset[int] | None
    confidence: str

    def may_be(self, server: Fact) -> bool:
        """Whether nobody can tell if it is this one."""
        return self.unknown is None or id(server) in self.unknown


_NO_IDS: frozenset[int] = frozenset()
_ANYBODY = _Partner(_NO_IDS, None, "high")
_NOWHERE = _Partner(_NO_IDS, _NO_IDS, "high")


class _Group:
    """Servers, or policies, that clients have to choose from."""

    __slots__ = ("facts", "ids", "nearest")

    def __init__(self, world: World, facts: Sequence[Fact]) -> None:
        self.facts = facts
        self.ids = frozenset(map(id, facts))
        self.nearest = Nearest(world.topology, facts)


class _AtPorts(NamedTuple):
    """Servers, or policies, that one side of the project can see: all of them, those at each port, and those whose
    ports are not known."""

    all: _Group
    by_port: Mapping[int, _Group]
    anywhere: _Group


def _at_ports(world: World, facts: Sequence[Fact], ports: Callable[[Fact], frozenset[int] | None]) -> _AtPorts:
    at: dict[int, list[Fact]] = {}
    anywhere: list[Fact] = []
    for fact in facts:
        known = ports(fact)
        if known is None:
            anywhere.append(fact)
        for port in known or ():
            at.setdefault(port, []).append(fact)
    by_port = {port: _Group(world, there) for port, there in at.items()}
    return _AtPorts(_Group(world, facts), by_port, _Group(world, anywhere))


_OTHER_PROTOCOLS = ("engine.io", "websocket")
"""What servers speak that clients of Socket.IO cannot talk to."""


def connects_to(world: World, client: Fact, server: Fact) -> Related:
    """A client connects to this server.

    Yes, high: its address is this machine and a port that only this server is known to listen on. Yes, medium: this is
    the only server of the workspace, or the only one near the client (its package, or the deepest folder that holds the
    client and a server). No: a port that is not the server's, a nearer server, another protocol. Unknown: a host of
    another domain than the pages that the project lets in. Paths are not compared: a wrong path is a fault of its own.
    A client connects to a policy where it connects to the socket server that the policy belongs to. A request of a page
    connects to the policy of the application that it is sent to, in the same way; one to the page's own origin meets
    none.
    """
    if client.kind == "http_request":
        return _asks_of(world, client, server)
    if server.kind == "cors_policy":
        socket = _instance(server, "socket")
        if socket is None:
            return UNKNOWN if _unsure(server, "socket") else NO
        owners = world.by_instance(socket, "socket_server")
        return world.ask("connects_to", client, owners[0]) if len(owners) == 1 else UNKNOWN
    if _text(server, "kind") in _OTHER_PROTOCOLS:
        return NO
    partner = world.remember(("partner", id(client)), lambda: _partner(world, client))
    sure = weakest((partner.confidence, _sure(client, "url", "host", "url_port", "same_origin")))
    if id(server) in partner.yes:
        return Related(Tri.YES, sure)
    if partner.may_be(server) or not world.visible(server, client):
        return UNKNOWN
    return Related(Tri.NO, sure)


def _client_keys(world: World, client: Fact, wanted: Wanted) -> Key:
    """Those that a client may connect to, by their identities. Whether it can see the others is for tests to say."""
    if client.kind != "http_request":
        partner = world.remember(("partner", id(client)), lambda: _partner(world, client))
        sure = _sure(client, "url", "host", "url_port", "same_origin")
    elif _tri(client, "same_origin") is Tri.YES:
        return NOBODY
    elif _text(client, "host") is None:
        return NOBODY if wanted is Wanted.YES else None
    else:
        partner = world.remember(("asked", id(client)), lambda: _asked(world, client))
        sure = _sure(client, "host", "url_port")
    if wanted is Wanted.YES:
        return partner.yes
    if partner.unknown is None or (wanted is Wanted.UNSURE and weakest((partner.confidence, sure)) != "high"):
        return None
    seen = client.span.path in world.in_tests
    return partner.yes | partner.unknown | (NOBODY if seen else {_IN_TESTS})


_IN_TESTS = "in tests"


def _connected_keys(world: World, server: Fact, wanted: Wanted) -> Key:
    """The identity, for a policy also that of its socket server."""
    own: frozenset[Hashable] = frozenset({id(server)})
    if server.span.path in world.in_tests:
        own |= {_IN_TESTS}
    if server.kind != "cors_policy":
        return own if _text(server, "kind") not in _OTHER_PROTOCOLS else NOBODY
    socket = _instance(server, "socket")
    owners = world.by_instance(socket, "socket_server") if socket is not None else ()
    open_ = _unsure(server, "socket") if socket is None else len(owners) != 1
    if open_ and wanted is not Wanted.YES:
        return None
    for owner in owners if len(owners) == 1 else ():
        more = _connected_keys(world, owner, wanted)
        own |= more or NOBODY
    return own


def _asks_of(world: World, request: Fact, policy: Fact) -> Related:
    """A page's request comes to this policy of an application."""
    same_origin = _tri(request, "same_origin")
    if policy.kind != "cors_policy" or _text(policy, "layer") != "http" or same_origin is Tri.YES:
        return NO
    if _text(request, "host") is None:
        return UNKNOWN
    partner = world.remember(("asked", id(request)), lambda: _asked(world, request))
    sure = weakest((partner.confidence, _sure(request, "host", "url_port")))
    if id(policy) in partner.yes:
        return Related(Tri.YES, sure)
    if partner.may_be(policy) or not world.visible(policy, request):
        return UNKNOWN
    return Related(Tri.NO, sure)


def _asked(world: World, request: Fact) -> _Partner:
    """The policies of the one application that a request is sent to, if that is clear."""
    group = _asked_policies(world, request)
    host, port = _text(request, "host"), _client_port(request)
    loopback = host is not None and is_loopback(host)
    if host is not None and not loopback and site(host) not in _own_sites(world, request):
        return _ANYBODY
    choice = group.all
    if loopback and port is not None:
        known = group.by_port.get(port)
        if known is not None and len(_processes(world, known.facts)) == 1:
            return _Partner(known.ids, _NO_IDS, "high")
        if known is None and port in _listened(world, request):
            return _NOWHERE
        choice = known or group.anywhere
        if not choice.facts:
            return _NOWHERE
    servers = _running(world, request)
    here = _processes(world, choice.facts) if len(servers) <= 1 else NOBODY
    if len(here) == 1 and servers.keys() <= here:
        return _Partner(choice.ids, _NO_IDS, "medium")
    chosen = _nearest_running(world, request, choice)
    if chosen is None:
        return _Partner(_NO_IDS, None if choice is group.all else choice.ids, "high")
    same = [one for one in _in_process_of(world, "cors_policy", chosen) if id(one) in choice.ids]
    return _Partner(frozenset(map(id, same)), _NO_IDS, "medium")


def _asked_policies(world: World, request: Fact) -> _AtPorts:
    """The policies of applications that a request can see."""

    def ports(policy: Fact) -> frozenset[int] | None:
        return process_ports(world, policy) if _instance(policy, "app") is None else _ports(world, policy)

    def found() -> _AtPorts:
        policies = [one for one in world.candidates("cors_policy", request) if _text(one, "layer") == "http"]
        return _at_ports(world, policies, ports)

    return world.remember(("asked policies", request.span.path in world.in_tests), found)


def _listened(world: World, request: Fact) -> frozenset[int]:
    """The ports that anything listens on which a request can see."""
    return world.remember(
        ("listened", request.span.path in world.in_tests),
        lambda: frozenset(number for one in world.candidates("listener", request) if (number := _number(one, "port"))),
    )


def _running(world: World, request: Fact) -> Mapping[Hashable, Fact]:
    """An application or a socket server of each process that a request can see."""
    process_of = world.topology.process_of
    return world.remember(
        ("running", request.span.path in world.in_tests),
        lambda: {
            process_of(one.span.path): one
            for kind in ("http_app", "socket_server")
            for one in world.candidates(kind, request)
        },
    )


def _nearest_running(world: World, request: Fact, choice: _Group) -> Fact | None:
    """The one process that belongs to a request, of those with an application, a socket server, or one of the policies:
    a fact in it."""
    servers, seen = _running(world, request), request.span.path in world.in_tests

    def nearest() -> Nearest:
        policies = {world.topology.process_of(one.span.path): one for one in choice.facts}
        # Most policies belong to an application: then no process comes with them, whichever they are.
        further = [one for process, one in policies.items() if process not in servers]
        running = list(servers.values())
        shared = world.remember(("nearest running", seen), lambda: Nearest(world.topology, running))
        return Nearest(world.topology, running + further) if further else shared

    return world.remember(("nearest running", seen, id(choice)), nearest).to(request.span.path)


def _processes(world: World, facts: Iterable[Fact]) -> frozenset[Hashable]:
    return frozenset(world.topology.process_of(fact.span.path) for fact in facts)


def _partner(world: World, client: Fact) -> _Partner:
    servers = _chatting(world, client)
    host, port = _text(client, "host"), _client_port(client)
    loopback = host is not None and is_loopback(host)
    choice = servers.all
    if loopback and port is not None:
        known = servers.by_port.get(port)
        if known is not None and len(known.facts) == 1:
            return _Partner(known.ids, _NO_IDS, "high")
        choice = known or servers.anywhere
        if not choice.facts:
            return _NOWHERE
    if host is not None and not loopback and site(host) not in _own_sites(world, client):
        return _ANYBODY
    chosen = choice.nearest.to(client.span.path)
    if chosen is not None:
        return _Partner(frozenset({id(chosen)}), _NO_IDS, "medium")
    return _Partner(_NO_IDS, None if choice is servers.all else choice.ids, "high")


def _chatting(world: World, client: Fact) -> _AtPorts:
    """The socket servers that a client can see, but for those of other protocols."""

    def found() -> _AtPorts:
        servers = [
            one for one in world.candidates("socket_server", client) if _text(one, "kind") not in _OTHER_PROTOCOLS
        ]
        return _at_ports(world, servers, world.topology.server_ports)

    return world.remember(("chatting", client.span.path in world.in_tests), found)


def _own_sites(world: World, client: Fact) -> frozenset[str]:
    """The registrable domains of the pages that this project's servers let in: a client of any other domain may talk to
    somebody else's server."""

    def found() -> frozenset[str]:
        texts = (_text(entry, "text") for entry in world.candidates("origin_entry", client))
        hosts = (urlsplit(text).hostname for text in texts if text is not None and _ORIGIN.match(text))
        return frozenset(site(host) for host in hosts if host)

    return world.remember(("own sites", client.span.path in world.in_tests), found)


_ORIGIN = regex(r"[a-z][a-z0-9+.-]*://[A-Za-z0-9.-]+(?::\d+)?/?\Z")


def _client_port(client: Fact) -> int | None:
    port = _number(client, "url_port")
    if port is not None or _unsure(client, "url_port"):
        return port
    return _DEFAULT_PORTS.get((_text(client, "url") or "").partition(":")[0].lower())


# --- covers ---------------------------------------------------------------------------------------------------------


def covers(world: World, policy: Fact, route: Fact) -> Related:
    """This policy of an application answers the preflights that pages send before they use that route.

    Yes: it stands in the route's application, or in one that the route's router is mounted in, for all paths and
    methods or for a path that the route's begins with, and no other policy stands there. No: it is another
    application's, or for another path. Unknown: several policies, CORS headers that are written by hand in the same
    process, or places that are not known.
    """
    if _text(policy, "layer") != "http":
        return NO
    home, app = _instance(policy, "app"), _instance(route, "app")
    if app is None or home is None:
        return UNKNOWN if same_process(world, policy, route).answer is Tri.YES else NO
    around = _mounted_in(world, app)
    if home not in around:
        return NO
    path = _full_path(world, route)
    reach = reaches(world, policy, path)
    if reach is not Tri.YES:
        return Related(reach)
    for other in _in_process_of(world, "cors_policy", route):
        if other is policy:
            continue
        apart = _instance(other, "app") is not None and _instance(other, "app") not in around
        if not apart and reaches(world, other, path) is not Tri.NO:
            return UNKNOWN
    return Related(Tri.YES, _sure(policy, "app"))


def _covering_keys(world: World, policy: Fact, wanted: Wanted) -> Key:
    """The policy's application; what is not in a known one may cover whatever runs in its process."""
    if _text(policy, "layer") != "http":
        return NOBODY
    home = _instance(policy, "app")
    return _covers_keys(world, policy, NOBODY if home is None else frozenset({home}), wanted)


def _covered_keys(world: World, route: Fact, wanted: Wanted) -> Key:
    app = _instance(route, "app")
    return _covers_keys(world, route, NOBODY if app is None else _mounted_in(world, app), wanted, second=True)


def _covers_keys(world: World, fact: Fact, apps: frozenset[Hashable], wanted: Wanted, *, second: bool = False) -> Key:
    if wanted is Wanted.YES:
        return apps
    process = ("process", world.topology.process_of(fact.span.path))
    return apps | unless_both_known(bool(apps), process, second=second)


def reaches(world: World, policy: Fact, path: str | None) -> Tri:
    """Whether preflights for that path come by where the policy stands."""
    if _text(policy, "layer") in ("socket", "proxy", "dev-server"):
        return Tri.NO
    if _unsure(policy, "scope"):
        return Tri.UNKNOWN
    scope = _text(policy, "scope")
    if scope is not None:
        return _begins(scope, path)
    instance = _instance(policy, "instance")
    if instance is None:
        return _reaches_by_hand(world, policy, path)
    handling = _grouped(world, "middleware", "policy", _instances_in("handler", "registered"))
    layers = [fact for fact in handling.get(instance, ()) if _text(fact, "kind") is not None]
    return any_of(_passes_by(world, layer, path) for layer in layers) if layers else Tri.YES


def _reaches_by_hand(world: World, policy: Fact, path: str | None) -> Tri:
    """The same for headers that are written by hand: in a layer, in a handler, or in a program without either."""
    layers = [fact for kind in ("middleware", "http_route") for fact in _in_process_of(world, kind, policy)]
    if not layers:
        return Tri.YES if any(process_ports(world, policy) or ()) else Tri.UNKNOWN
    around = [
        fact for fact in layers if (handler := _instance(fact, "handler")) is not None and handler.covers(policy.span)
    ]
    if not around or any(fact.kind == "http_route" for fact in around):
        return Tri.UNKNOWN
    return any_of(_passes_by(world, layer, path) for layer in around)


def _passes_by(world: World, layer: Fact, path: str | None) -> Tri:
    limited = _given(layer, "methods")
    if limited is not None and isinstance(limited.value, tuple) and "OPTIONS" not in limited.value:
        return Tri.NO
    own = _full_path(world, layer)
    return Tri.UNKNOWN if own is None else _begins(own, path)


_PLAIN_SCOPE = regex(r"(?P<start>/?[\w/.-]*?)/?(\.?\*)?\Z")


def _begins(scope: str, path: str | None) -> Tri:
    """Whether a path lies below a scope: a path, perhaps with a star behind it."""
    found = _PLAIN_SCOPE.match(scope)
    if found is None:
        return Tri.UNKNOWN
    start = found["start"].rstrip("/")
    if not start:
        return Tri.YES
    return Tri.UNKNOWN if path is None else tri(f"{path.rstrip('/')}/".startswith(f"{start}/"))


# --- served_by, serves ----------------------------------------------------------------------------------------------


def served_by(world: World, server: Fact, route: Fact) -> Related:
    """Requests reach this policy or socket server through that proxy route.

    Yes, high: the route passes to this machine and the port that the server is known to listen on. Yes, medium: to that
    port on another host (a container's name), or nothing is known of a port but this is the project's only server and
    all routes that take its path pass to one and the same place. No: the route passes nothing on, to another port, or
    does not take the server's path. Whether an `if` or a `rewrite` changes the route is for the rule to ask (`plain`).
    """
    if _text(server, "layer") == "proxy":
        return NO
    proxied = _tri(route, "proxied")
    if proxied is Tri.NO:
        return Related(Tri.NO, _sure(route, "proxied"))
    takes = _takes(world, server, route)
    if takes is Tri.NO:
        return NO
    there = _target_is(world, server, route, lambda: _by_exclusion(world, server, route))
    answer = all_of((there.answer, takes, Tri.YES if proxied is Tri.YES else Tri.UNKNOWN))
    return UNKNOWN if answer is Tri.UNKNOWN else Related(answer, there.confidence, there.evidence)


def behind(world: World, server: Fact, route: Fact) -> Related:
    """That proxy route passes requests on to the process of this fact, whatever their path.

    Yes, high: to this machine and the port that the server is known to listen on, or to the container that is built
    from its folder. Yes, medium: to that port on another host, or, where nothing is known of ports, to the only target
    of all routes, and this is the project's only server.
    """
    if _text(server, "layer") == "proxy":
        return NO
    proxied = _tri(route, "proxied")
    if proxied is not Tri.YES:
        return NO if proxied is Tri.NO else UNKNOWN
    return _target_is(world, server, route, lambda: _only_target(world, server, route))


def _target_is(world: World, server: Fact, route: Fact, otherwise: Callable[[], Related]) -> Related:
    """Whether the server runs where the route leads: by its socket, its container, its port, or by exclusion."""
    found = (
        _by_socket(world, server, route)
        or _by_service(world, server, route)
        or _by_published_port(world, server, route)
        or _by_port(world, server, route)
        or otherwise()
    )
    if found.answer is Tri.UNKNOWN:
        return UNKNOWN
    sure = weakest((found.confidence, _sure(route, "proxied", "upstream", "upstream_port")))
    evidence = _place(route, "pass", "the proxy passes requests on from here") if found.answer is Tri.YES else ()
    return Related(found.answer, sure, evidence)


def _hosts(world: World, route: Fact) -> tuple[object, ...]:
    """Where a route leads: the hosts of its upstream's servers, or the one that it names."""
    host = _text(route, "upstream")
    block = next(iter(_upstreams(world).get(host or "", ())), None)
    field = _given(block, "hosts") if block is not None else None
    return field.value if field is not None and isinstance(field.value, tuple) else (host,)


def _by_socket(world: World, server: Fact, route: Fact) -> Related | None:
    """What Unix sockets decide: None where the route leads to none, or the server is not known to listen on any."""
    wanted = {
        host.removeprefix("unix:") for host in _hosts(world, route) if isinstance(host, str) and host[:5] == "unix:"
    }
    listened = world.remember(("sockets", id(server)), lambda: _sockets(world, server)) if wanted else None
    return None if not listened else Related(Tri.YES) if wanted & listened else Related(Tri.NO)


def _sockets(world: World, server: Fact) -> frozenset[str]:
    """The Unix sockets that a policy or a socket server is known to listen on."""
    owner = _instance(server, "socket")
    if owner is not None:
        owners = world.by_instance(owner, "socket_server")
        return _sockets(world, owners[0]) if len(owners) == 1 else frozenset()
    app = _instance(server, "app")
    own = {found for name in ("instance", "http_server", "app") if (found := _instance(server, name)) is not None}
    own |= _server_apps(world, server)[0] if server.kind == "socket_server" else set()
    own |= _mounted_in(world, app) if app is not None else set()
    for http in world.of_kind("http_server"):
        instance = _instance(http, "instance")
        if instance is not None and _instance(http, "handler") in own:
            own.add(instance)
    listening = _grouped(world, "listener", "target or app", _instances_in("target", "app"))
    listeners = [one for instance in own for one in listening.get(instance, ())]
    return frozenset(path for one in listeners if (path := _text(one, "socket")) is not None)


def _by_service(world: World, server: Fact, route: Fact) -> Related | None:
    """What the names of containers decide: a route that leads to one leads to what is built from its folder."""
    hosts = _hosts(world, route)
    named = [one for one in world.of_kind("service") if _text(one, "name") in hosts and world.visible(one, route)]
    return _in_container(world, server, named, _number(route, "upstream_port")) if named else None


def _in_container(world: World, server: Fact, services: Sequence[Fact], port: int | None) -> Related | None:
    """Whether the server runs in one of these containers, at that port; None where that is not for them to say."""
    if all(one.field("folder").state == "absent" for one in services):
        return UNKNOWN  # an image of somebody else's, or one that is built elsewhere
    folders = {_text(one, "folder") for one in services}
    if None in folders or "." in folders:
        return None
    if not any(_inside(server.span.path, folder) for folder in folders if folder is not None):
        return Related(Tri.NO)
    ports = _ports(world, server)
    if port is not None and ports is not None:
        return Related(Tri.YES) if port in ports else UNKNOWN
    return Related(Tri.YES, "medium")


def _by_published_port(world: World, server: Fact, route: Fact) -> Related | None:
    """What published ports decide: a port of this machine that is a container's, unless the server listens on it."""
    port, host = _number(route, "upstream_port"), _text(route, "upstream")
    ports = _ports(world, server)
    hosts = [one for one in _hosts(world, route) if isinstance(one, str)]
    if port is None or host is None or not hosts or not all(map(is_loopback, hosts)) or (ports and port in ports):
        return None
    for one in world.of_kind("service"):
        for there, here in _mapped(one):
            if int(there) == port and world.visible(one, route):
                return _in_container(world, server, [one], int(here)) or _at_port(world, server, int(here))
    return None


def _at_port(world: World, server: Fact, port: int) -> Related | None:
    """Whether the server listens on a container's port, where nothing else tells what runs in that."""
    ports = _ports(world, server)
    return None if ports is None else Related(Tri.YES, "medium") if port in ports else Related(Tri.NO, "medium")


def _only_target(world: World, server: Fact, route: Fact) -> Related:
    """Without a port: the project's only process is where the only target of all routes leads."""
    if not _only_process(world, server, route) or _elsewhere(world, route):
        return UNKNOWN
    targets = world.remember(
        ("all targets", route.span.path in world.in_tests),
        lambda: {
            (_text(other, "upstream") or id(other), _number(other, "upstream_port"))
            for other in world.candidates("proxy_route", route)
            if _tri(other, "proxied") is not Tri.NO
        },
    )
    return Related(Tri.YES, "medium") if len(targets) == 1 else UNKNOWN


def _only_process(world: World, server: Fact, route: Fact) -> bool:
    """Whether all servers of the project run in one process."""
    process_of = world.topology.process_of
    processes = world.remember(
        ("processes", route.span.path in world.in_tests),
        lambda: {
            process_of(fact.span.path)
            for kind in ("socket_server", "http_server", "http_app", "listener")
            for fact in world.candidates(kind, route)
        },
    )
    return processes <= {process_of(server.span.path)}


def _served_keys(world: World, server: Fact, _wanted: Wanted) -> Key:
    """The ports that the server is reached at; a proxy's own policies are served by none."""
    return NOBODY if _text(server, "layer") == "proxy" else _ports(world, server)


def _route_keys(world: World, route: Fact, wanted: Wanted) -> Key:
    """The port that the route leads to, where nothing but ports can tell what is there."""
    if _tri(route, "proxied") is Tri.NO and (wanted is not Wanted.UNSURE or _sure(route, "proxied") == "high"):
        return NOBODY
    port, host = _number(route, "upstream_port"), _text(route, "upstream")
    unclear = port is None or _leads_elsewhere(world, route, port)
    if unclear or (wanted is not Wanted.YES and _tri(route, "proxied") is not Tri.YES):
        return None
    sure = host is not None and is_loopback(host) and _sure(route, "proxied", "upstream", "upstream_port") == "high"
    return frozenset({port}) if sure or wanted is not Wanted.UNSURE else None


def _leads_elsewhere(world: World, route: Fact, port: int) -> bool:
    """Whether sockets or containers may have a say in where a route leads."""
    hosts = _hosts(world, route)
    published = world.remember("published", lambda: _published(world))
    named = _grouped(world, "service", "name", lambda one: (_text(one, "name"),))
    return port in published or any(host in named or str(host)[:5] == "unix:" for host in hosts)


def _published(world: World) -> frozenset[int]:
    """The ports of this machine that are those of containers."""
    return frozenset(int(there) for one in world.of_kind("service") for there, _ in _mapped(one))


def _mapped(service: Fact) -> Iterator[tuple[str, str]]:
    """The ports of this machine that lead to a container, with the container's own."""
    field = _given(service, "published")
    for text in field.value if field is not None and isinstance(field.value, tuple) else ():
        there, _, here = str(text).partition(":")
        yield there, here


def _path_of(world: World, server: Fact) -> str | None:
    """The path that requests to it begin with; empty for any path; None if not known."""
    if server.kind == "cors_policy":
        socket = _instance(server, "socket")
        if socket is None:
            return None if _unsure(server, "scope") else _text(server, "scope") or ""
        owners = world.by_instance(socket, "socket_server")
        if len(owners) != 1:
            return None
        server = owners[0]
    return None if _unsure(server, "path") else _text(server, "path") or ""


def _takes(world: World, server: Fact, route: Fact) -> Tri:
    """Whether requests to the server's path can go through the route."""
    socket = server.kind != "cors_policy" or _instance(server, "socket") is not None
    carries = _tri(route, "carries_socket") if socket else None
    if carries is Tri.NO:
        return Tri.NO
    path, modifier, start = _path_of(world, server), _text(route, "modifier") or "", _text(route, "path")
    if modifier == "@":
        return Tri.YES if carries is Tri.YES else Tri.UNKNOWN
    if path is None or start is None or _unsure(route, "upstream_path"):
        return Tri.YES if carries is Tri.YES else Tri.UNKNOWN
    wanted = path.rstrip("/") + "/"
    if modifier.startswith("~"):
        found = matches(Pattern(start, "i" if modifier == "~*" else "", "pcre", "search"), wanted)
        # What a policy covers are many paths, of which a pattern may take some.
        return found if socket or found is Tri.YES else Tri.UNKNOWN
    replaced = _text(route, "upstream_path")
    arriving = start if replaced is None else replaced
    if modifier == "=":
        # One address only: a part of what the server answers, and all of it only where the server has just that one.
        return Tri.YES if arriving.startswith(wanted) or arriving == path else Tri.NO
    if arriving.startswith(wanted) or wanted.startswith(arriving):
        return Tri.YES
    return Tri.NO


def _ports(world: World, server: Fact) -> frozenset[int] | None:
    """The ports that a policy or a socket server is reached at; None if not known."""
    if server.kind == "socket_server":
        return world.topology.server_ports(server)
    socket = _instance(server, "socket")
    if socket is not None:
        owners = world.by_instance(socket, "socket_server")
        return world.topology.server_ports(owners[0]) if len(owners) == 1 else None
    app = _instance(server, "instance" if server.kind in ("http_app", "http_server") else "app")
    return None if app is None else world.remember(("ports", app), lambda: _app_ports(world, app))


def process_ports(world: World, fact: Fact) -> frozenset[int] | None:
    """The ports that the process listens on that a fact belongs to; None where one of them is not known."""
    process = world.topology.process_of(fact.span.path)

    def found() -> frozenset[int] | None:
        own = _in_process_of(world, "listener", fact)
        ports = frozenset(port for one in own if (port := _number(one, "port")) is not None)
        return ports if own and len(ports) == len(own) else None

    return world.remember(("process ports", process), found)


def _app_ports(world: World, app: Span) -> frozenset[int] | None:
    """The ports of an application: of the listeners on it, on what it is mounted in, and on their http servers."""
    apps = _mounted_in(world, app)
    listening = _grouped(world, "listener", "target", _instances_in("target"))
    ports: set[int] = set()
    for target in apps | _built_from(world, apps):
        for listener in listening.get(target, ()):
            port = _number(listener, "port")
            if port is None:
                return None
            ports.add(port)
    return frozenset(ports) or None


def _built_from(world: World, apps: Iterable[Span]) -> frozenset[Span]:
    """The http servers that were built from one of these applications."""
    built = _grouped(world, "http_server", "handler", _instances_in("handler"))
    servers = (_instance(http, "instance") for app in apps for http in built.get(app, ()))
    return frozenset(instance for instance in servers if instance is not None)


def _by_port(world: World, server: Fact, route: Fact) -> Related | None:
    """What the ports decide; None where one of them is not known."""
    port, ports, host = _number(route, "upstream_port"), _ports(world, server), _text(route, "upstream")
    if port is None or ports is None:
        return None
    here = host is not None and is_loopback(host)
    if port not in ports:
        return Related(Tri.NO, "high" if here else "medium")
    same_port = world.remember(
        ("port", port, route.span.path in world.in_tests),
        lambda: [
            fact
            for fact in world.candidates("socket_server", route)
            if port in (world.topology.server_ports(fact) or ())
        ],
    )
    rivals = [fact for fact in same_port if same_process(world, fact, server).answer is not Tri.YES]
    if not rivals:
        return Related(Tri.YES, "high" if here else "medium")
    chosen = closest(world, route.span.path, [server, *rivals])
    if chosen is None:
        return UNKNOWN
    return Related(Tri.YES if chosen is server else Tri.NO, "medium")


def _by_exclusion(world: World, server: Fact, route: Fact) -> Related:
    """Without a port: the project's only server is where the only target of all routes that take its path leads."""
    tests = route.span.path in world.in_tests
    if not _only_process(world, server, route) or _elsewhere(world, route):
        return UNKNOWN
    socket = server.kind == "socket_server" or _instance(server, "socket") is not None
    targets = world.remember(
        ("targets", tests, socket, _path_of(world, server)),
        lambda: {
            (_text(other, "upstream") or id(other), _number(other, "upstream_port"))
            for other in world.candidates("proxy_route", route)
            if _tri(other, "proxied") is not Tri.NO and _takes(world, server, other) is not Tri.NO
        },
    )
    return Related(Tri.YES, "medium") if len(targets) == 1 else UNKNOWN


def _elsewhere(world: World, route: Fact) -> bool:
    """Whether the route passes to a full domain name: that may well be somebody else's server."""
    host = _text(route, "upstream")
    return host is not None and "." in host and not is_loopback(host) and host not in _upstreams(world)


def _upstreams(world: World) -> dict[str, list[Fact]]:
    """The upstream blocks by name."""

    def by_name() -> dict[str, list[Fact]]:
        found: dict[str, list[Fact]] = {}
        for upstream in world.of_kind("upstream"):
            name = _text(upstream, "name")
            if name is not None:
                found.setdefault(name, []).append(upstream)
        return found

    return world.remember("upstreams", by_name)


def serves(world: World, upstream: Fact, served: Fact) -> Related:
    """Requests of this client, or to this route or server, are spread over that upstream.

    For a route: it passes to the upstream by name; of several upstreams with the name, the one in the same file or the
    only one near counts. For a server: a route of the upstream serves it. For a client: it connects to such a server,
    or, where no server is in the project, the upstream is the only one that carries sockets.
    """
    if served.kind == "proxy_route":
        return _passes_to(world, served, upstream)
    routes = [(route, _passes_to(world, route, upstream)) for route in world.of_kind("proxy_route")]
    routes = [(route, related) for route, related in routes if related.answer is not Tri.NO]
    if served.kind == "socket_server":
        return _either(NO, *(_both(related, world.ask("served_by", served, route)) for route, related in routes))
    if world.candidates("socket_server", served):
        ways = (
            _both(world.ask("connects_to", served, server), world.ask("serves", upstream, server))
            for server in _possible(world, served)
        )
        return _either(NO, *ways)
    carrying = [route for route in world.of_kind("proxy_route") if _tri(route, "carries_socket") is not Tri.NO]
    mine = [
        route for route, related in routes if related.answer is Tri.YES and _tri(route, "carries_socket") is Tri.YES
    ]
    if mine and len({_text(route, "upstream") for route in carrying}) == 1:
        return Related(Tri.YES, "medium", _place(mine[0], "pass", "the proxy passes requests on from here"))
    return UNKNOWN if carrying else NO


def goes_through(world: World, client: Fact, route: Fact) -> Related:
    """Requests of this client go through that proxy route.

    Yes: the route serves the socket server that the client connects to. Yes, medium, where no such server is in the
    project: the route carries sockets and takes the client's path, and all such routes pass to one and the same place.
    Clients in tests do not go through the proxies of what is deployed.
    """
    if not world.visible(client, route):
        return NO
    if world.candidates("socket_server", client):
        ways = (
            _both(world.ask("connects_to", client, server), world.ask("served_by", server, route))
            for server in _possible(world, client)
        )
        return _either(NO, *ways)
    takes = _takes(world, client, route)
    if takes is Tri.NO:
        return Related(Tri.NO, _sure(route, "carries_socket"))
    targets = world.remember(
        ("socket targets", route.span.path in world.in_tests, _path_of(world, client)),
        lambda: {
            (_text(other, "upstream") or id(other), _number(other, "upstream_port"))
            for other in world.candidates("proxy_route", route)
            if _takes(world, client, other) is not Tri.NO and _tri(other, "proxied") is not Tri.NO
        },
    )
    sure = takes is Tri.YES and _tri(route, "carries_socket") is Tri.YES and len(targets) == 1
    return Related(Tri.YES, "medium") if sure else UNKNOWN


def _going_keys(world: World, client: Fact, wanted: Wanted) -> Key:
    """The socket servers that a client may connect to; where there are none, its requests may go anywhere."""
    if not world.candidates("socket_server", client):
        return None
    return _identities(world, world.partners("connects_to", client, "socket_server", wanted))


def _passing_keys(world: World, route: Fact, wanted: Wanted) -> Key:
    """The socket servers that a route may serve."""
    return _identities(world, world.partners("served_by", route, "socket_server", wanted, reverse=True))


def _identities(world: World, servers: Sequence[Fact]) -> Key:
    return None if len(servers) == len(world.of_kind("socket_server")) else frozenset(map(id, servers))


def _possible(world: World, client: Fact) -> Sequence[Fact]:
    """The socket servers that a client can see, but for those that it surely does not connect to."""
    servers = world.partners("connects_to", client, "socket_server", Wanted.UNSURE)
    return [server for server in servers if world.visible(server, client)]


def asks(world: World, client: Fact, gap: Fact) -> Related:
    """This client's requests come to that nginx server, at the path that it has no way for.

    Yes, high: its address names the server. Yes, medium: it connects to the page's own origin, and all the nginx
    servers that pass requests on are this one. No: another path. Clients in tests do not go through proxies.
    """
    if not world.visible(client, gap):
        return NO
    wanted, path = _text(client, "asks_for"), _text(gap, "path")
    if wanted is None or path is None:
        return UNKNOWN
    if wanted != path:
        return NO
    host, names, ports = _text(client, "host"), _given(gap, "names"), _given(gap, "ports")
    if host is not None:
        port = _client_port(client)
        listed = names is not None and isinstance(names.value, tuple) and host in names.value
        known = ports is not None and isinstance(ports.value, tuple) and port in ports.value
        return Related(Tri.YES) if listed and known else UNKNOWN
    if _tri(client, "same_origin") is not Tri.YES:
        return UNKNOWN
    servers = {_instance(route, "host_block") for route in world.candidates("proxy_route", gap) if _passes(route)}
    return Related(Tri.YES, "medium") if servers <= {_instance(gap, "host_block")} else UNKNOWN


def _asking_keys(_world: World, client: Fact, wanted: Wanted) -> Key:
    return _path_keys(client, "asks_for", wanted)


def _asked_keys(_world: World, gap: Fact, wanted: Wanted) -> Key:
    return _path_keys(gap, "path", wanted)


def _path_keys(fact: Fact, name: str, wanted: Wanted) -> Key:
    path = _text(fact, name)
    if path is None:
        return NOBODY if wanted is Wanted.YES else None
    return frozenset({path})


def _passes(route: Fact) -> bool:
    return _tri(route, "proxied") is not Tri.NO


def _passes_to(world: World, route: Fact, upstream: Fact) -> Related:
    if _unsure(route, "upstream") or _unsure(upstream, "name"):
        return UNKNOWN
    target, name = _text(route, "upstream"), _text(upstream, "name")
    sure = weakest((_sure(route, "upstream"), _sure(upstream, "name")))
    if target is None or target != name or _tri(route, "proxied") is Tri.NO:
        return Related(Tri.NO, sure)
    if _tri(route, "proxied") is Tri.UNKNOWN:
        return UNKNOWN
    evidence = _place(route, "pass", "the proxy passes requests on from here")
    if not world.visible(upstream, route):
        return UNKNOWN
    named = [fact for fact in _upstreams(world)[target] if world.visible(fact, route)]
    if len(named) <= 1:
        return Related(Tri.YES, sure, evidence)
    beside = [fact for fact in named if fact.span.path == route.span.path]
    chosen = beside[0] if len(beside) == 1 else closest(world, route.span.path, beside or named)
    if chosen is None:
        return UNKNOWN
    sure = weakest((sure, "high" if len(beside) == 1 else "medium"))
    return Related(Tri.YES, sure, evidence) if chosen is upstream else Related(Tri.NO, sure)


def _both(first: Related, second: Related) -> Related:
    answer = all_of((first.answer, second.answer))
    sides = [side for side in (first, second) if side.answer is answer]
    if answer is Tri.YES:
        evidence = first.evidence + tuple(place for place in second.evidence if place not in first.evidence)
        return Related(answer, weakest(side.confidence for side in sides), evidence)
    return min(sides, key=lambda side: CONFIDENCES.index(side.confidence))


# --- shares_site ----------------------------------------------------------------------------------------------------

_REQUESTS_AS = {"ws": "http", "wss": "https"}


def shares_site(_world: World, page: Fact, client: Fact) -> Related:
    """A page of this origin and the address that the client connects to belong to one site, so that cookies go along
    whatever their attribute SameSite says: the same scheme and the same registrable domain; ports make no difference.
    Yes and no only where both are written."""
    origin, url = _text(page, "text"), _text(client, "url")
    if _text(client, "same_origin") == "yes":
        return Related(Tri.YES)
    sites = [_site_of(text) for text in (origin, url) if text is not None]
    found = [known for known in sites if known is not None]
    if len(found) < 2:
        return UNKNOWN
    return Related(tri(found[0] == found[1]), weakest((_sure(page, "text"), _sure(client, "url"))))


def _page_keys(_world: World, page: Fact, wanted: Wanted) -> Key:
    return _site_keys(page, "text", wanted)


def _page_client_keys(_world: World, client: Fact, wanted: Wanted) -> Key:
    return None if _text(client, "same_origin") == "yes" else _site_keys(client, "url", wanted)


def _site_keys(fact: Fact, name: str, wanted: Wanted) -> Key:
    text = _text(fact, name)
    found = None if text is None else _site_of(text)
    if found is None or (wanted is Wanted.UNSURE and _sure(fact, name) != "high"):
        return NOBODY if wanted is Wanted.YES else None
    return frozenset({found})


def _site_of(address: str) -> tuple[str, str] | None:
    """Scheme and registrable domain of an address, as browsers compare them (schemeful same-site)."""
    try:
        parts = urlsplit(address)
        host = parts.hostname
    except ValueError:
        return None
    scheme = _REQUESTS_AS.get(parts.scheme.lower(), parts.scheme.lower())
    return (scheme, site(host)) if host and scheme in ("http", "https") else None


def _all_kinds() -> tuple[str, ...]:
    from corslint.model.kinds import FACT_KINDS

    return tuple(FACT_KINDS)


_ALL_KINDS: Later[str] = Later(load=_all_kinds)
"""Asked for only where rules are checked."""

RELATIONS: Mapping[str, Relation] = {
    "runs": Relation(runs, ("process",), ("socket_server",)),
    "same_app": Relation(
        same_app, ("cors_policy", "middleware", "http_app"), ("socket_server",), (_app_part_keys, _app_server_keys)
    ),
    "outer_than": Relation(
        outer_than, ("middleware", "http_route"), ("middleware", "http_route"), (_outer_keys, _inner_keys)
    ),
    "inner_than": Relation(
        inner_than, ("middleware", "http_route"), ("middleware", "http_route"), (_inner_keys, _outer_keys)
    ),
    "connects_to": Relation(
        connects_to,
        ("socket_client", "http_request"),
        ("socket_server", "cors_policy"),
        (_client_keys, _connected_keys),
    ),
    "covers": Relation(covers, ("cors_policy",), ("http_route",), (_covering_keys, _covered_keys)),
    "served_by": Relation(served_by, ("cors_policy", "socket_server"), ("proxy_route",), (_served_keys, _route_keys)),
    "behind": Relation(
        behind,
        ("cors_policy", "socket_server", "session_cookie", "http_app", "http_server"),
        ("proxy_route",),
        (_served_keys, _route_keys),
    ),
    "serves": Relation(
        serves, ("upstream",), ("proxy_route", "socket_server", "socket_client"), (_upstream_keys, _spread_keys)
    ),
    "asks": Relation(asks, ("socket_client",), ("socket_gap",), (_asking_keys, _asked_keys)),
    "goes_through": Relation(goes_through, ("socket_client",), ("proxy_route",), (_going_keys, _passing_keys)),
    "same_process": Relation(same_process, _ALL_KINDS, _ALL_KINDS, (_process_keys, _process_keys)),
    "of": Relation(of, tuple(_OWNER), ("cors_policy", "socket_server"), (_part_keys, _whole_keys)),
    "shares_site": Relation(shares_site, ("origin_entry",), ("socket_client",), (_page_keys, _page_client_keys)),
    "listens": Relation(
        listens,
        ("listener",),
        ("http_server", "http_app", "socket_server"),
        (_instances("target"), _instances("instance", "http_server")),
    ),
}
"""Every relation that a rule may name."""
