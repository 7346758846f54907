"""Several processes of one server: which file each runs, whether there are several of it, and whether something keeps
a client on one of them.

All of it is read off what starts them (a command, PM2, `cluster.fork()`, replicas) and what stands before them in the
project. Where nothing in the project says what spreads the requests, nobody knows whether it is sticky.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

from corslint.model.facts import Fact, Field
from corslint.model.kept import may_spell
from corslint.model.reading import CodeReading
from corslint.model.tri import Tri, any_of
from corslint.model.values import Function, Member, Reference, Value
from corslint.project.packages import Packages
from corslint.source import Span

_PER_ELEMENT = frozenset({"forEach", "map", "from"})
"""Methods that call what they are given for each element."""


def note(
    facts: Sequence[Fact],
    readings: Mapping[str, CodeReading],
    code: Callable[[str], CodeReading | None],
    packages: Packages,
    keepers: Collection[str],
) -> None:
    """Fill `file`, `several` and `sticky` of every process. `keepers`: packages that keep clients on one process."""
    processes = [fact for fact in facts if fact.kind == "process"]
    if not processes:
        return
    kept = packages.names(keepers) or any(_imports(reading, keepers) for reading in readings.values())
    for fact in processes:
        file = _file(fact, processes, code)
        if file is not None:
            fact.fields["file"] = Field(file, "written", fact.span)
        fact.fields["several"] = _several(fact, readings)
        if kept:
            fact.fields["sticky"] = Field("yes", "written", fact.span)
        elif fact.field("sticky").state == "absent":
            fact.fields["sticky"] = _sticky(fact, facts)


def _imports(reading: CodeReading, names: Collection[str]) -> bool:
    if not may_spell(reading, names):
        return False
    bound = (one.value for scope in reading.scopes for found in scope.bindings.values() for one in found)
    called = (site.call.callee for site in reading.calls)
    return any(_module(value) in names for value in (*bound, *called))


def _module(value: Value) -> str | None:
    while isinstance(value, Member):
        value = value.base
    return value.module if isinstance(value, Reference) else None


# --- what runs -------------------------------------------------------------------------------------------------------


def _file(process: Fact, processes: Sequence[Fact], code: Callable[[str], CodeReading | None]) -> str | None:
    """The file of the project that a process starts: a script, or the module of `module:object`."""
    entry, folder = process.field("entry").value, process.field("folder").value
    if process.field("scales").value == "yes":
        named = [one for one in processes if one is not process and _same(one, process, "name", "folder")]
        return _file(named[0], (), code) if len(named) == 1 else None
    if not isinstance(entry, str):
        return None
    folders = [one for one in (folder, process.span.path.rpartition("/")[0]) if isinstance(one, str)]
    module, colon, _ = entry.partition(":")
    name = f"{module.replace('.', '/')}.py" if colon else entry.removeprefix("./")
    paths = dict.fromkeys("/".join(filter(None, (one, name))) for one in folders)
    return next((path for path in paths if code(path) is not None), None)


def _same(one: Fact, other: Fact, *names: str) -> bool:
    return all(one.field(name).value == other.field(name).value for name in names)


# --- how many --------------------------------------------------------------------------------------------------------


def _several(process: Fact, readings: Mapping[str, CodeReading]) -> Field:
    """Whether several processes share the requests: by their number, or because a call that starts one is repeated."""
    told, number = process.field("several"), process.field("workers")
    if process.field("shares").value == "no":
        return Field(None, "unknown", process.span)
    if process.field("per_call").value == "yes":
        reading = readings.get(process.span.path)
        repeated = reading is not None and _repeated(process.span, reading)
        return Field("yes" if repeated else None, "written" if repeated else "unknown", process.span)
    if told.value == "yes":
        if number.value is not None:  # it is not a number of processes, but says how to count them
            process.fields["workers"] = number._replace(value=None, state="unknown")
        return told
    if isinstance(number.value, int):
        return Field("yes" if number.value > 1 else "no", "written", number.span or process.span)
    return Field(None, "absent" if number.state == "absent" else "unknown", process.span)


def _repeated(call: Span, reading: CodeReading) -> bool:
    """Whether a call is made again and again: in a loop, or in what a method calls for each element of a list."""
    for site in reading.calls:
        if site.call.span == call and site.loop:
            return True
        callee = site.call.callee
        if isinstance(callee, Member) and callee.key in _PER_ELEMENT:
            if any(_covers(argument.value, call) for argument in site.call.arguments):
                return True
    return False


def _covers(value: Value, call: Span) -> bool:
    return isinstance(value, Function) and value.span.covers(call)


# --- what keeps a client on one --------------------------------------------------------------------------------------


def _sticky(process: Fact, facts: Sequence[Fact]) -> Field:
    """Whether a client stays on one of several: workers share a port, and what they accept nobody chooses."""
    found = Tri.NO
    if process.field("replicated").value == "yes":
        by_labels = process.field("labels").state != "absent"
        found = _of_services(process, facts) if by_labels else _of_container(process, facts)
    unsure = found is Tri.UNKNOWN
    return Field(None if unsure else found.value, "unknown" if unsure else "written", process.span)


def _of_container(process: Fact, facts: Iterable[Fact]) -> Tri:
    """Replicas of a container by its name: what nginx does that passes on to it, or what the published port does."""
    name = process.field("name").value
    answers: list[Tri] = []
    for fact in facts:
        hosts = fact.field("hosts").value
        if fact.kind == "upstream" and isinstance(hosts, tuple) and name in hosts:
            answers.append({"yes": Tri.YES, "no": Tri.NO}.get(str(fact.field("sticky").value), Tri.UNKNOWN))
        by_name = fact.kind == "proxy_route" and fact.field("upstream").value == name
        if by_name or (fact.kind == "service" and fact.field("name").value == name and fact.field("published").value):
            answers.append(Tri.NO)
    return any_of(answers) if answers else Tri.UNKNOWN


def _of_services(process: Fact, facts: Iterable[Fact]) -> Tri:
    """Replicas by their labels: what the services do that select them, and the ways in that lead to these."""
    labels = process.field("labels").value
    facts = list(facts)
    services = [one for one in facts if one.kind == "cluster_service" and _selects(one, labels)]
    names = {one.field("name").value for one in services}
    ways = [one for one in facts if one.kind == "exposed_path" and one.field("service").value in names]
    open_ = any(one.field("outside").value == "yes" for one in services)
    if not services or not (ways or open_):
        return Tri.UNKNOWN  # what leads there stands elsewhere
    return any_of(Tri.YES if one.field("affinity").value == "yes" else Tri.NO for one in (*services, *ways))


def _selects(service: Fact, labels: object) -> bool:
    selector = service.field("selector").value
    return isinstance(selector, tuple) and isinstance(labels, tuple) and bool(selector) and set(selector) <= set(labels)
