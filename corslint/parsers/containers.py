"""Dockerfiles and compose files: which image nginx comes from, and where files of the project lie in its container."""

from __future__ import annotations

import json
import posixpath
import re
from collections.abc import Iterator, Mapping
from typing import Any

from corslint.model.reading import Container, Damage, DeploymentReading, Image, Mount
from corslint.numbers import whole
from corslint.parsers import embedded
from corslint.records import NamedTuple
from corslint.regexes import regex
from corslint.source import SourceFile, Span

_MAX_BYTES = 1 << 20
_MAX_MOUNTS = 2000

_REGISTRIES = regex(r"(?:index\.)?docker\.io/|registry\.hub\.docker\.com/")
_INSTRUCTION = regex(
    rb"^[ \t]*(?P<name>FROM|ARG|ENV|COPY|ADD)[ \t]+(?P<rest>(?:[^\\\n]|\\[^\n]|\\\r?\n)*)", re.IGNORECASE | re.MULTILINE
)
_FLAG = regex(r"--[a-z]+(?:=\S+)?\s*")
_PUBLISHED = regex(r"(?:(?:\d{1,3}\.){3}\d{1,3}:|\[[^\]]*\]:)?(\d{1,5}):(\d{1,5})(?:/tcp)?")
_VARIABLE = regex(r"\$(?:\{(?P<braced>\w+)(?::?-(?P<fallback>[^${}]*))?\}|(?P<plain>\w+))")


def image(text: str, span: Span) -> Image | None:
    """An image's name and tag; None where a variable hides them. A digest is no tag."""
    name = text.partition("@")[0]
    if "$" in name or not name:
        return None
    name, colon, tag = name.rpartition(":")
    if not colon or "/" in tag:  # a colon before a slash is a port
        name, tag = text.partition("@")[0], ""
    name = _REGISTRIES.sub("", name, count=1).removeprefix("library/")
    return Image(name, tag, span)


# ----------------------------------------------------------------------------------------------------------- Dockerfile


def dockerfile(source: SourceFile) -> DeploymentReading:
    """Reads the last stage of a Dockerfile, and the nginx configurations that its heredocs write.

    Sources are taken relative to the Dockerfile's folder; a compose file may name another one.
    """
    parts = embedded.configurations(source)
    damage = tuple(one for part in parts for one in part.damage)
    container = _last_stage(source)
    return DeploymentReading(source.path, "dockerfile", parts, (container,) if container else (), damage)


def _last_stage(source: SourceFile) -> Container | None:
    data = source.data[:_MAX_BYTES]
    known: dict[str, str] = {}
    stages: dict[str, Image | None] = {}
    base: Image | None = None
    mounts: list[Mount] = []
    begun = False
    bodies = [(one.start, one.end) for one in embedded.heredocs(data)] if b"<<" in data else []
    for found in _INSTRUCTION.finditer(data):
        if any(start <= found.start() < end for start, end in bodies):
            continue
        span = Span(source.path, *found.span("rest"))
        rest = re.sub(r"\\\r?\n", " ", found["rest"].decode("utf-8", "replace")).strip()
        name = found["name"].upper()
        if name in (b"ARG", b"ENV"):
            key, equals, value = rest.partition("=") if "=" in rest else rest.partition(" ")
            if equals and (name == b"ENV" or key not in known):
                known[key.strip()] = value.strip().strip("\"'")
        elif name == b"FROM":
            words = _FLAG.sub("", rest).split()
            base = _base(_filled(words[0], known) if words else "", span, stages)
            if len(words) >= 3 and words[1].upper() == "AS":
                stages[words[2].lower()] = base
            mounts, begun = [], True
        elif "--from" not in rest and len(mounts) < _MAX_MOUNTS:
            mounts.extend(_copied(source.path, _FLAG.sub("", rest), span))
    return Container("", base, tuple(mounts)) if begun else None


def _base(name: str, span: Span, stages: Mapping[str, Image | None]) -> Image | None:
    return stages[name.lower()] if name.lower() in stages else image(name, span)


def _filled(text: str, known: Mapping[str, str]) -> str:
    """A text with the variables that have a value; the others stay."""

    def value(found: re.Match[str]) -> str:
        return known.get(found["braced"] or found["plain"]) or found["fallback"] or found.group()

    return _VARIABLE.sub(value, text)


def _copied(path: str, rest: str, span: Span) -> Iterator[Mount]:
    """What `COPY a b /target/` puts where. Only absolute targets: the working directory is not followed."""
    if rest.startswith("<<") or "$" in rest:
        return
    try:
        words = json.loads(rest) if rest.startswith("[") else rest.split()
    except (ValueError, RecursionError):
        return
    if not isinstance(words, list) or len(words) < 2 or not all(isinstance(word, str) for word in words):
        return
    *sources, target = words
    if not target.startswith("/"):
        return
    folder = posixpath.dirname(path)
    for one in sources:
        if "://" in one or any(mark in one for mark in "*?["):
            continue
        place = posixpath.normpath(posixpath.join(folder, one.lstrip("/") or "."))
        # A file goes into a folder, the content of a folder takes its place: only the project's files tell which it is.
        whole = posixpath.join(target, "") if len(sources) > 1 else target
        yield Mount(place, whole, span)


# -------------------------------------------------------------------------------------------------------------- compose


class _Node(NamedTuple):
    """A value of a YAML document, and where it stands."""

    value: Any
    span: Span


def compose(source: SourceFile) -> DeploymentReading:
    """Reads the services of a compose file: name, image, build, volumes and configs."""
    import yaml

    if len(source.data) > _MAX_BYTES:
        damage = (Damage(Span(source.path, 0, 0), "a compose file of over 1 MB: not read", whole=True),)
        return DeploymentReading(source.path, "compose", damage=damage)
    text = source.data.decode("utf-8", "replace")
    loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        root = yaml.compose(text, Loader=loader)
    except (yaml.YAMLError, RecursionError, ValueError):
        return DeploymentReading(source.path, "compose")  # not ours to complain about: no rule speaks of its syntax
    document = _Document(source.path, text)
    services = document.entries(document.entries(root).get("services"))
    configs = document.entries(document.entries(root).get("configs"))
    containers = [document.service(name, node, configs) for name, node in list(services.items())[:500]]
    return DeploymentReading(source.path, "compose", containers=tuple(containers))


class _Document:
    """The nodes of one compose file. Anchors are shared, not expanded, so that a few of them stay small."""

    def __init__(self, path: str, text: str) -> None:
        self.path = path
        self.folder = posixpath.dirname(path)
        # PyYAML counts characters, without a byte order mark.
        self.text = text.removeprefix("\ufeff")
        self.before = 3 if self.text is not text and self.text != text else 0
        self.plain = self.text.isascii()

    def span(self, node: Any) -> Span:
        start, end = node.start_mark.index, node.end_mark.index
        if not self.plain:
            start, end = len(self.text[:start].encode()), len(self.text[:end].encode())
        return Span(self.path, start + self.before, end + self.before)

    def entries(self, node: Any, depth: int = 4) -> dict[str, Any]:
        """The entries of a mapping by key, those it merges (`<<: *base`) included; empty for anything else."""
        if getattr(node, "id", "") != "mapping" or depth == 0:
            return {}
        found: dict[str, Any] = {}
        for key, value in node.value:
            if key.value == "<<":
                for one in value.value if value.id == "sequence" else [value]:
                    found = {**self.entries(one, depth - 1), **found}
        found.update(
            (key.value, value) for key, value in node.value if isinstance(key.value, str) and key.value != "<<"
        )
        return found

    def items(self, node: Any) -> list[Any]:
        return list(node.value)[:_MAX_MOUNTS] if getattr(node, "id", "") == "sequence" else []

    def text_of(self, node: Any) -> str:
        return node.value if getattr(node, "id", "") == "scalar" else ""

    def service(self, name: str, node: Any, configs: Mapping[str, Any]) -> Container:
        """One service. A variable with a fallback (`${TAG:-1.27}`) stands for it."""
        entries = self.entries(node)
        written = entries.get("image")
        found = image(_filled(self.text_of(written), {}), self.span(written)) if self.text_of(written) else None
        mounts = [mount for one in self.items(entries.get("volumes")) if (mount := self.volume(one)) is not None]
        for one in self.items(entries.get("configs")):
            mount = self.config(one, configs)
            if mount is not None:
                mounts.append(mount)
        ports = tuple(port for one in self.items(entries.get("ports")) if (port := self.port(one)) is not None)
        return Container(name, found, tuple(mounts), *self.builds(entries.get("build")), self.span(node), ports)

    def port(self, node: Any) -> tuple[int, int] | None:
        """A published port: the machine's and the container's; None where it is none of TCP, a range, or any."""
        entries = self.entries(node)
        if entries:
            words = [self.text_of(entries.get(key)) for key in ("published", "target")]
            text = ":".join(words) + ("/" + self.text_of(entries.get("protocol")) if "protocol" in entries else "")
        else:
            text = _filled(self.text_of(node), {})
        found = _PUBLISHED.fullmatch(text)
        return (whole(found[1]), whole(found[2])) if found else None

    def volume(self, node: Any) -> Mount | None:
        entries = self.entries(node)
        if entries:
            if self.text_of(entries.get("type")) not in ("bind", ""):
                return None
            source, target = self.text_of(entries.get("source")), self.text_of(entries.get("target"))
        else:
            source, _, rest = _filled(self.text_of(node), {}).partition(":")
            target = rest.partition(":")[0]
        return self.mount(source, target, node)

    def config(self, node: Any, configs: Mapping[str, Any]) -> Mount | None:
        entries = self.entries(node)
        name = self.text_of(entries.get("source")) if entries else self.text_of(node)
        file = self.text_of(self.entries(configs.get(name)).get("file"))
        target = self.text_of(entries.get("target")) if entries else f"/{name}"
        return self.mount(file if file.startswith(".") else f"./{file}", target, node) if file else None

    def mount(self, source: str, target: str, node: Any) -> Mount | None:
        """A bind mount of a file of the project: `./x` or `../x`; a name alone is a volume of Docker's own."""
        # Docker on Windows takes backslashes, too.
        source = source.replace("\\", "/") if source.startswith((".\\", "..\\")) else source
        if not source.startswith(".") or not target.startswith("/") or "$" in source + target:
            return None
        return Mount(posixpath.normpath(posixpath.join(self.folder, source)), target, self.span(node))

    def builds(self, node: Any) -> tuple[str, str]:
        """The Dockerfile and the context of a `build`; empty where there is none, or none in the project."""
        entries = self.entries(node)
        context = self.text_of(entries.get("context")) or "." if entries else self.text_of(node)
        if not context or "$" in context or "://" in context or context.startswith("/"):
            return "", ""
        folder = posixpath.normpath(posixpath.join(self.folder, context))
        file = self.text_of(entries.get("dockerfile")) or "Dockerfile"
        return posixpath.normpath(posixpath.join(folder, file)), folder
