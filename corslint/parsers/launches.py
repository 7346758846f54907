"""What starts the programs of a project, and with which variables: Procfile, Dockerfile, compose, Kubernetes, `.env`.

A command is taken apart as a shell would, and never run. Numbers that a variable hides are not known.
"""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator, Mapping
from typing import Any

from corslint.model.reading import ClusterService, DeploymentReading, Exposed, Launch, Variable
from corslint.records import NamedTuple
from corslint.regexes import regex
from corslint.source import SourceFile, Span

_MAX_BYTES = 1 << 20
_MOST = 500
_PROCFILE_LINE = regex(rb"^(?P<name>[A-Za-z0-9_-]+):[ \t]*(?P<command>\S[^\r\n]*)", re.MULTILINE)
_VARIABLE_LINE = regex(
    rb"^[ \t]*(?:export[ \t]+)?(?P<name>[A-Za-z_][A-Za-z0-9_]*)[ \t]*=[ \t]*(?P<value>[^\r\n]*)", re.MULTILINE
)
_STARTS = regex(rb"^[ \t]*(?P<what>CMD|ENTRYPOINT)[ \t]+(?P<rest>(?:[^\\\n]|\\[^\n]|\\\r?\n)*)", re.MULTILINE)
_STAGE = regex(rb"^[ \t]*FROM[ \t]", re.MULTILINE | re.IGNORECASE)

_PORT_FLAGS = frozenset({"--port", "-p", "--http-port"})
_BIND_FLAGS = frozenset({"--bind", "-b", "--listen"})
_WORKER_FLAGS = frozenset({"--workers", "-w", "--processes", "-i", "--instances"})
_SCRIPT = regex(r"[\w./-]+\.(?:[cm]?[jt]s|py)")
_MODULE = regex(r"[A-Za-z_][\w.]*:[A-Za-z_]\w*(?:\(\))?")


class Command(NamedTuple):
    """What a command says: the script or `module:object` that it starts, its port, how many of it share the work."""

    entry: str | None
    port: int | None
    workers: int | None


def taken_apart(command: str) -> Command:
    """The parts of a command that matter."""
    try:
        words = shlex.split(command)
    except ValueError:
        words = command.split()
    entry: str | None = None
    port: int | None = None
    workers: int | None = None
    for number, word in enumerate(words):
        flag, equals, glued = word.partition("=")
        value = glued if equals else words[number + 1] if number + 1 < len(words) else ""
        if flag in _PORT_FLAGS or flag == "PORT":
            port = _number(value) if equals or flag != "PORT" else port
        elif flag in _BIND_FLAGS:
            port = _number(value.rpartition(":")[2])
        elif flag in _WORKER_FLAGS:
            workers = _number(value)
        elif entry is None and (_SCRIPT.fullmatch(word) or _MODULE.fullmatch(word)):
            entry = word
    return Command(entry, port, workers)


def _number(text: str) -> int | None:
    return int(text) if text.isdecimal() and len(text) < 6 else None


# --- files -----------------------------------------------------------------------------------------------------------


def procfile(source: SourceFile) -> DeploymentReading:
    """Reads `name: command` lines."""
    found = [
        Launch(one["name"].decode(), _text(one["command"]), None, Span(source.path, *one.span("command")))
        for one in _PROCFILE_LINE.finditer(source.data[:_MAX_BYTES])
    ]
    return DeploymentReading(source.path, "procfile", launches=tuple(found[:_MOST]))


def heroku(source: SourceFile) -> DeploymentReading:
    """Reads how many of each process of the Procfile an `app.json` asks for (`formation`)."""
    document = _Document(source)
    found: list[Launch] = []
    for root in document.roots() if len(source.data) <= _MAX_BYTES else ():  # JSON is YAML
        for name, node in _entries(document.at(root, "formation")).items():
            quantity = document.at(node, "quantity")
            number = _number(quantity.value) if getattr(quantity, "id", "") == "scalar" else None
            if number is not None:
                found.append(Launch(name, "", number, document.span(quantity)))
    return DeploymentReading(source.path, "heroku", launches=tuple(found[:_MOST]))


def environment(source: SourceFile) -> DeploymentReading:
    """Reads `NAME=value` lines; a value that refers to another variable is not known and left out."""
    found: list[Variable] = []
    for one in _VARIABLE_LINE.finditer(source.data[:_MAX_BYTES]):
        value = _unquoted(_text(one["value"]).strip())
        if "$" not in value and len(found) < _MOST:
            found.append(Variable(one["name"].decode(), value, Span(source.path, *one.span("value"))))
    return DeploymentReading(source.path, "environment", variables=tuple(found))


def _unquoted(text: str) -> str:
    for quote in ("'", '"'):
        if len(text) > 1 and text.startswith(quote) and text.endswith(quote):
            return text[1:-1]
    return text.partition(" #")[0].strip()


def of_dockerfile(source: SourceFile) -> tuple[Launch, ...]:
    """What the last stage of a Dockerfile starts: its last `CMD`, or `ENTRYPOINT` where there is none."""
    data = source.data[:_MAX_BYTES]
    begun = max((one.start() for one in _STAGE.finditer(data)), default=0)
    found: dict[bytes, Launch] = {}
    for one in _STARTS.finditer(data, begun):
        text = re.sub(r"\\\r?\n", " ", _text(one["rest"])).strip()
        try:
            words = json.loads(text) if text.startswith("[") else None
        except (ValueError, RecursionError):
            words = None
        command = shlex.join(map(str, words)) if isinstance(words, list) else text
        found[one["what"]] = Launch("", command, None, Span(source.path, *one.span("rest")))
    start = found.get(b"CMD") or found.get(b"ENTRYPOINT")
    return (start,) if start is not None else ()


def _text(data: bytes) -> str:
    return data.decode("utf-8", "replace")


# --- YAML ------------------------------------------------------------------------------------------------------------


class _Document:
    """The nodes of a YAML document, with their places. Anchors are shared, not expanded."""

    def __init__(self, source: SourceFile) -> None:
        self.path = source.path
        self.text = _text(source.data).removeprefix("\ufeff")
        self.before = 3 if source.data.startswith(b"\xef\xbb\xbf") else 0
        self.plain = self.text.isascii()

    def roots(self) -> Iterator[Any]:
        """The documents of the file; none where it is no YAML."""
        import yaml

        loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
        try:
            yield from list(yaml.compose_all(self.text, Loader=loader))[:_MOST]
        except (yaml.YAMLError, RecursionError, ValueError):
            return

    def span(self, node: Any) -> Span:
        start, end = node.start_mark.index, node.end_mark.index
        if not self.plain:
            start, end = len(self.text[:start].encode()), len(self.text[:end].encode())
        return Span(self.path, start + self.before, end + self.before)

    def at(self, node: Any, *keys: str) -> Any:
        """The value below some keys; None where there is none."""
        for key in keys:
            node = _entries(node).get(key)
        return node

    def text_at(self, node: Any, *keys: str) -> str:
        found = self.at(node, *keys)
        return found.value if getattr(found, "id", "") == "scalar" else ""


def _entries(node: Any) -> Mapping[str, Any]:
    if getattr(node, "id", "") != "mapping":
        return {}
    return {key.value: value for key, value in node.value if isinstance(key.value, str)}


def _items(node: Any) -> list[Any]:
    return list(node.value)[:_MOST] if getattr(node, "id", "") == "sequence" else []


def _command(node: Any) -> str:
    """A command as a text, or as a list of words."""
    if getattr(node, "id", "") == "scalar":
        return str(node.value)
    words = [item.value for item in _items(node) if getattr(item, "id", "") == "scalar"]
    return shlex.join(words) if words else ""


def of_compose(source: SourceFile) -> tuple[tuple[Launch, ...], tuple[Variable, ...]]:
    """What the services of a compose file start, how often, and the variables that they are given."""
    document = _Document(source)
    launches: list[Launch] = []
    variables: list[Variable] = []
    for root in document.roots():
        for name, node in list(_entries(document.at(root, "services")).items())[:_MOST]:
            command = _command(document.at(node, "command")) or _command(document.at(node, "entrypoint"))
            replicas = document.at(node, "deploy", "replicas") or document.at(node, "scale")
            count = _number(replicas.value) if getattr(replicas, "id", "") == "scalar" else None
            if command or count is not None:
                place = document.at(node, "command") or replicas or node
                launches.append(Launch(name, command, count, document.span(place)))
            variables += _variables(document, document.at(node, "environment"))
    return tuple(launches[:_MOST]), tuple(variables[:_MOST])


def _variables(document: _Document, node: Any) -> Iterator[Variable]:
    for name, value in _entries(node).items():
        if getattr(value, "id", "") == "scalar" and "$" not in value.value:
            yield Variable(name, value.value, document.span(value))
    for item in _items(node):
        name, equals, text = str(getattr(item, "value", "")).partition("=")
        if equals and "$" not in text:
            yield Variable(name, text, document.span(item))


_KINDS = ("Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "Pod")


def kubernetes(source: SourceFile) -> DeploymentReading:
    """Reads what is deployed (with replicas, commands, ports and variables), and the hosts of each Ingress."""
    if len(source.data) > _MAX_BYTES:
        return DeploymentReading(source.path, "kubernetes")
    document = _Document(source)
    launches: list[Launch] = []
    variables: list[Variable] = []
    exposed: list[Exposed] = []
    services: list[ClusterService] = []
    for root in document.roots():
        kind, name = document.text_at(root, "kind"), document.text_at(root, "metadata", "name")
        if kind in _KINDS:
            template = document.at(root, "spec") if kind == "Pod" else document.at(root, "spec", "template", "spec")
            replicas = document.at(root, "spec", "replicas")
            count = _number(replicas.value) if getattr(replicas, "id", "") == "scalar" else None
            labelled = root if kind == "Pod" else document.at(root, "spec", "template")
            labels = _labels(document.at(labelled, "metadata", "labels"))
            for container in _items(document.at(template, "containers")):
                words = [_command(document.at(container, key)) for key in ("command", "args")]
                port = next(iter(_items(document.at(container, "ports"))), None)
                number = _number(document.text_at(port, "containerPort")) if port is not None else None
                place = replicas if replicas is not None else container
                command = " ".join(filter(None, words))
                launches.append(Launch(name, command, count, document.span(place), number, labels))
                for item in _items(document.at(container, "env")):
                    value = document.at(item, "value")
                    if getattr(value, "id", "") == "scalar":
                        variables.append(Variable(document.text_at(item, "name"), value.value, document.span(value)))
        elif kind == "Ingress":
            exposed += _exposed(document, root)
        elif kind == "Service":
            services.append(_service(document, root, name))
    return DeploymentReading(
        source.path,
        "kubernetes",
        launches=tuple(launches[:_MOST]),
        variables=tuple(variables[:_MOST]),
        services=tuple(services[:_MOST]),
        exposed=tuple(exposed[:_MOST]),
    )


def _labels(node: Any) -> tuple[str, ...]:
    found = _entries(node).items()
    return tuple(f"{key}={value.value}" for key, value in found if getattr(value, "id", "") == "scalar")


_OUTSIDE = frozenset({"LoadBalancer", "NodePort"})
_AFFINITY = regex(r"affinity|sticky|session|hash")
"""What the annotations of ingress controllers are called that keep a client on one pod."""


def _service(document: _Document, service: Any, name: str) -> ClusterService:
    return ClusterService(
        name,
        _labels(document.at(service, "spec", "selector")),
        document.text_at(service, "spec", "type") in _OUTSIDE,
        document.text_at(service, "spec", "sessionAffinity") == "ClientIP" or _has_affinity(document, service),
        document.span(service),
    )


def _has_affinity(document: _Document, root: Any) -> bool:
    notes = _entries(document.at(root, "metadata", "annotations")).items()
    return any(_AFFINITY.search(f"{key} {getattr(value, 'value', '')}".lower()) for key, value in notes)


def _exposed(document: _Document, ingress: Any) -> Iterator[Exposed]:
    affinity = _has_affinity(document, ingress)
    for rule in _items(document.at(ingress, "spec", "rules")):
        host = document.text_at(rule, "host")
        for path in _items(document.at(rule, "http", "paths")):
            service = document.text_at(path, "backend", "service", "name")
            port = _number(document.text_at(path, "backend", "service", "port", "number"))
            if host and service:
                beginning = document.text_at(path, "path") or "/"
                yield Exposed(host, beginning, service, port, document.span(path), affinity)
