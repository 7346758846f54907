"""Which files run together, and what the facts of one project say about each other.

Derived here, never in a rule: which application a socket server is attached to, which port it listens on, and which
files belong to one package or one process.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping

from corslint.model.facts import Fact, Field
from corslint.model.reading import CodeReading, DeploymentReading, Reading
from corslint.model.values import Call
from corslint.project.link import Linker
from corslint.project.packages import Packages
from corslint.source import Span


class Topology:
    """Packages and processes of one project (see `relations/table.py` for what is concluded from them)."""

    def __init__(self, readings: Mapping[str, CodeReading], linker: Linker, packages: Packages) -> None:
        self._packages = packages
        self._readings = readings
        self._linker = linker
        self._component = _components(readings, linker)
        self._ports: dict[Span, frozenset[int]] = {}

    def package_of(self, path: str) -> str:
        """The folder of the nearest manifest above a file, "" where there is none."""
        return self._packages.root_of(path)

    def process_of(self, path: str) -> object:
        """An id that files share when imports connect them; a file that nothing connects has its own."""
        return self._component.get(path, path)

    def server_ports(self, server: Fact) -> frozenset[int] | None:
        """The ports a server is known to listen on; None where that is not known."""
        instance = server.field("instance").value
        return self._ports.get(instance) if isinstance(instance, Span) else None

    def note_names(self, facts: Iterable[Fact]) -> None:
        """Where an application listens by itself: the name there of the http server that was built from it, if that
        carries a socket server and there is no other."""
        facts = list(facts)
        carrying = {fact.field("http_server").value for fact in facts if fact.kind == "socket_server"}
        built: dict[object, list[Span]] = defaultdict(list)
        for fact in facts:
            instance = fact.field("instance").value
            if fact.kind == "http_server" and isinstance(instance, Span) and instance in carrying:
                built[fact.field("handler").value].append(instance)
        for fact in facts:
            if fact.kind == "listener" and isinstance(fact.field("app").value, Span):
                servers = built.get(fact.field("app").value, ())
                name = self._name_at(fact.span, servers[0]) if len(servers) == 1 else None
                fact.fields["instead"] = Field(name, "absent" if name is None else "written", fact.span)

    def note_twins(self, facts: Iterable[Fact]) -> None:
        """Socket servers that share an http server and a path with one before them; none under a condition counts."""
        first: dict[tuple[object, ...], Fact] = {}
        for fact in sorted((fact for fact in facts if fact.kind == "socket_server"), key=lambda fact: fact.span):
            http, under, kind = (fact.field(name) for name in ("http_server", "answers_under", "kind"))
            if not isinstance(http.value, Span) or not isinstance(under.value, str) or self._conditional(fact.span):
                continue
            other = first.setdefault((http.value, under.value, kind.value, fact.field("library").value), fact)
            if other is not fact:
                fact.fields["twin"] = other.field("instance")._replace(span=other.span)

    def _conditional(self, call: Span) -> bool:
        """Whether a call is made under a condition, or may be made more or less than once."""
        reading = self._readings.get(call.path)
        sites = [site for site in reading.calls if site.call.span == call] if reading is not None else []
        return not sites or any(site.guards or site.loop for site in sites)

    def _name_at(self, call: Span, instance: Span) -> str | None:
        """A name that stands for an instance where a call is made."""
        reading = self._readings.get(call.path)
        site = next((site for site in reading.calls if site.call.span == call), None) if reading is not None else None
        if reading is None or site is None:
            return None
        seen: set[str] = set()
        scope = site.scope
        while scope >= 0:
            for name, bindings in reading.scopes[scope].bindings.items():
                if name not in seen and len(bindings) == 1:
                    # What is bound further down is not there yet.
                    value = self._linker.resolve(bindings[0].value)
                    if isinstance(value, Call) and value.span == instance and bindings[0].span.start < call.start:
                        return name
            seen |= set(reading.scopes[scope].bindings)
            scope = reading.scopes[scope].parent if scope > 0 else -1
        return None

    def note_ports(self, facts: Iterable[Fact]) -> None:
        """Read the ports of servers, and what runs socket servers, off their listeners."""
        facts = list(facts)
        listened: dict[Span, set[int]] = defaultdict(set)
        listeners: dict[Span, list[Fact]] = defaultdict(list)
        unsure: set[Span] = set()
        for fact in facts:
            if fact.kind == "listener":
                target, number = fact.field("target").value, fact.field("port").value
                if isinstance(target, Span):
                    listeners[target].append(fact)
                    if isinstance(number, int):
                        listened[target].add(number)
                    else:
                        unsure.add(target)
        handled: dict[object, set[object]] = defaultdict(set)
        for fact in facts:
            if fact.kind == "http_server":
                handled[fact.field("handler").value].add(fact.field("instance").value)
        for fact in facts:
            if fact.kind not in ("socket_server", "http_app", "http_server"):
                continue
            instance = fact.field("instance").value
            if not isinstance(instance, Span):
                continue
            own = {instance, fact.field("http_server").value, fact.field("app").value}
            own |= {server for handler in own if handler is not None for server in handled.get(handler, ())}
            found = {port for span in own if isinstance(span, Span) for port in listened.get(span, ())}
            runners = [listener for span in own if isinstance(span, Span) for listener in listeners.get(span, ())]
            if fact.kind == "socket_server" and len({runner.field("library").value for runner in runners}) == 1:
                first = min(runners, key=lambda runner: runner.span)
                fact.fields["runner"] = first.field("library")._replace(span=first.span)
            port = fact.field("port").value
            if isinstance(port, int):
                found.add(port)
            if found and not any(span in unsure for span in own):
                self._ports[instance] = frozenset(found)


def services(reading: Reading | None) -> Iterator[Fact]:
    """The containers of a compose file."""
    for one in reading.containers if isinstance(reading, DeploymentReading) else ():
        if one.name and one.span is not None:
            foreign = one.image is not None and not one.builds and not one.mounts
            folder = Field(None, "absent" if foreign else "unknown", one.span)
            if one.context:
                folder = Field(one.context, "written", one.span)
            fields = {"name": Field(one.name, "written", one.span), "folder": folder}
            if one.ports:
                published = tuple(f"{there}:{here}" for there, here in one.ports)
                fields["published"] = Field(published, "written", one.span)
            yield Fact("service", one.span, fields)


def launches(reading: Reading | None) -> Iterator[Fact]:
    """What a deployment file starts, the variables it sets, and the hosts it lets in."""
    if not isinstance(reading, DeploymentReading):
        return
    from corslint.parsers.launches import taken_apart

    folder = reading.path.rpartition("/")[0]
    for one in reading.launches:
        parts = taken_apart(one.command)
        own, replicas = parts.workers or 1, one.instances or 1
        counts = [number for number in (one.instances, parts.workers) if number is not None]
        workers = max(counts) if counts else None
        port = parts.port if parts.port is not None else one.port
        fields = {
            "name": Field(one.name, "written", one.span),
            "command": Field(one.command, "written", one.span),
            "folder": Field(folder, "written", one.span),
            "by": Field(reading.kind, "written", one.span),
        }
        given = {"entry": parts.entry, "workers": workers, "port": port, "labels": one.labels}
        given["replicated"] = "yes" if replicas > 1 >= own and reading.kind != "heroku" else None
        given["scales"] = "yes" if reading.kind == "heroku" else None
        fields |= {name: Field(value, "written", one.span) for name, value in given.items() if value is not None}
        yield Fact("process", one.span, fields)
    for variable in reading.variables:
        named = {"name": Field(variable.name, "written", variable.span)}
        yield Fact("env_value", variable.span, {**named, "value": Field(variable.value, "written", variable.span)})
    for way in reading.exposed:
        shown = {"host": way.host, "path": way.path, "service": way.service, "port": way.port}
        fields = {name: Field(value, "written", way.span) for name, value in shown.items() if value is not None}
        fields["affinity"] = Field("yes" if way.affinity else "no", "written", way.span)
        yield Fact("exposed_path", way.span, fields)
    for service in reading.services:
        told = {
            "name": service.name,
            "selector": service.selector,
            "outside": "yes" if service.outside else "no",
            "affinity": "yes" if service.affinity else "no",
        }
        yield Fact(
            "cluster_service",
            service.span,
            {name: Field(value, "written", service.span) for name, value in told.items()},
        )


def started(facts: Iterable[Fact], linker: Linker, code: Callable[[str], CodeReading | None]) -> Iterator[Fact]:
    """Where the applications listen that a command names (`uvicorn main:app --port 8000`)."""
    facts = list(facts)
    instances = {fact.field("instance").value for fact in facts if fact.kind in ("http_app", "http_server")}
    folders = {fact.field("name").value: fact.field("folder").value for fact in facts if fact.kind == "service"}
    for fact in facts:
        entry, port = fact.field("entry").value, fact.field("port").value
        if fact.kind != "process" or not isinstance(entry, str) or ":" not in entry or not isinstance(port, int):
            continue
        module, _, name = entry.partition(":")
        own = (fact.field("folder").value, folders.get(fact.field("name").value))
        for folder in dict.fromkeys(one for one in own if isinstance(one, str)):
            path = "/".join(filter(None, (folder, f"{module.replace('.', '/')}.py")))
            target = _bound(code(path), name.removesuffix("()"), linker)
            if target in instances:
                program = str(fact.field("command").value).split()[0].rpartition("/")[2]
                fields = {
                    "library": Field(program, "written", fact.span),
                    "target": Field(target, "written", fact.span),
                    "port": Field(port, "written", fact.span),
                }
                yield Fact("listener", fact.span, fields)
                break


def _bound(reading: CodeReading | None, name: str, linker: Linker) -> Span | None:
    """The call that a module's name stands for, where it is bound once."""
    bindings = reading.scopes[0].bindings.get(name, ()) if reading is not None else ()
    found = linker.resolve(bindings[0].value) if len(bindings) == 1 else None
    return found.span if isinstance(found, Call) else None


def complete(facts: list[Fact]) -> None:
    """Fill the fields that follow from other facts: which application a socket server's http server was built from,
    whether it was given the application itself instead of a server, and whom a server for development lets in."""
    _note_cors(facts)
    apps = {fact.field("instance").value for fact in facts if fact.kind == "http_app"}
    handlers = {fact.field("instance").value: fact.field("handler") for fact in facts if fact.kind == "http_server"}
    mounts: dict[object, list[Fact]] = defaultdict(list)
    for fact in facts:
        if fact.kind == "middleware":
            mounts[fact.field("handler").value].append(fact)
    for fact in facts:
        if fact.kind != "socket_server":
            continue
        attached = fact.field("http_server")
        if isinstance(attached.value, Span):
            handler = handlers.get(attached.value)
            given_app = attached.value in apps and attached.value not in handlers
            fact.fields["attached_to_app"] = Field(
                "yes" if given_app else "no", "written", attached.span, attached.trail
            )
            if fact.field("app").state != "written":
                if attached.value in apps:
                    fact.fields["app"] = attached
                elif handler is not None and isinstance(handler.value, Span):
                    fact.fields["app"] = handler
            _mounted(fact, mounts.get(attached.value, []))
        elif attached.state == "unknown":
            fact.fields["attached_to_app"] = Field(None, "unknown", attached.span)
        else:
            fact.fields["attached_to_app"] = Field("no", "written", fact.span)


def _note_cors(facts: Iterable[Fact]) -> None:
    """What a server for development sends to strangers, as its policy says it; of several the last that is known."""
    policies: dict[object, list[Fact]] = defaultdict(list)
    for fact in facts:
        if fact.kind == "cors_policy" and fact.field("layer").value == "dev-server":
            policies[fact.field("instance").value].append(fact)
    for fact in facts:
        for policy in policies.get(fact.field("instance").value, ()) if fact.kind == "dev_server" else ():
            origin, credentials = policy.field("effect.to_stranger"), policy.field("effect.credentials")
            fact.fields["cors.to_stranger"] = origin._replace(span=policy.field("origin").span or policy.span)
            fact.fields["cors.credentials"] = credentials


def _mounted(server: Fact, mounts: list[Fact]) -> None:
    """What it means for a socket server that its http server is mounted in an application."""
    if not mounts:
        return
    if server.field("app").state != "written" and len(mounts) == 1:
        server.fields["app"] = mounts[0].field("app")
    path, below = server.field("path"), mounts[0].field("path")
    if below.state == "absent" or (below.value in ("", "/") and len(mounts) == 1):
        return
    if isinstance(path.value, str) and isinstance(below.value, str) and len(mounts) == 1:
        if path.value == "/":
            server.fields["path"] = below
            return
        if f"{path.value}/".startswith(f"{below.value}/"):
            return
    # Whether the path below the mount or the whole one is compared depends on the framework's version.
    server.fields["path"] = Field(None, "unknown", path.span)


def _components(readings: Mapping[str, CodeReading], linker: Linker) -> dict[str, object]:
    parent = {path: path for path in readings}

    def root(path: str) -> str:
        while parent[path] != path:
            parent[path] = parent[parent[path]]
            path = parent[path]
        return path

    for path, reading in readings.items():
        for target in linker.used_files(reading):
            if target in parent:
                parent[root(path)] = root(target)
    return {path: root(path) for path in readings}
