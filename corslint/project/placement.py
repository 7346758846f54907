"""Where files of the project lie in a container, and which nginx runs there.

An `include` is resolved where nginx would look: below the folder of its main file, in the container that holds it. What
a container has there is known from Dockerfiles, compose files and the settings; nothing outside the project is read.
"""

from __future__ import annotations

import fnmatch
import posixpath
import re
from collections.abc import Callable, Iterable, Mapping

from corslint.model.reading import Container, DeploymentReading, Image, Mount, NginxReading
from corslint.records import NamedTuple
from corslint.regexes import regex
from corslint.source import Span

_PREFIX = "/etc/nginx"
_MAX_FILES = 20_000

_TEMPLATES = "/etc/nginx/templates/"
"""The official image renders what lies here into `conf.d` (its 20-envsubst-on-templates.sh)."""

_FOLDERS = frozenset((
    "/etc/nginx", "/etc/nginx/conf.d", "/etc/nginx/http.d", "/etc/nginx/sites-available", "/etc/nginx/sites-enabled",
    "/etc/nginx/snippets", "/etc/nginx/templates", "/etc/nginx/modules-enabled", "/etc/nginx/stream.d",
))  # fmt: skip
"""Folders that images of nginx bring along: a file that is copied there goes into them."""

_IMAGES = regex(
    r"(?:(?:[\w.-]+\.[\w.-]+/)?(?:docker/)?(?:library/)?nginx"
    r"|(?:[\w.-]+\.[\w.-]+/)?(?:nginx|bitnami|bitnamilegacy|linuxserver|chainguard)/nginx"
    r"|(?:[\w.-]+\.[\w.-]+/)?(?:nginx|nginxinc)/nginx-unprivileged"
    r"|(?:[\w.-]+\.[\w.-]+/)?openresty/openresty)"
)
"""Images whose tag is the version of nginx. An image of somebody's own, `acme/nginx:3.1`, has its own numbers."""

_TAG = regex(r"v?(1)\.(\d{1,3})(?:\.(\d{1,3}))?(?=$|[.-])(?:[.-][\w.-]*)?")

_SETTINGS = Span("", 0, 0)

_CHANGING = frozenset((29,))
"""Minor versions within which something changed that rules ask about (1.29.3, 1.29.6, 1.29.7)."""


def version_of(image: Image | None) -> str | None:
    """The nginx version of an image, as far as its tag says it; None where it does not, or where it moves.

    `1.27` is some 1.27.x; which one makes no difference to any rule, but within 1.29 it does.
    """
    if image is None or not _IMAGES.fullmatch(image.name):
        return None
    found = _TAG.fullmatch(image.tag)
    if found is None or (found[3] is None and int(found[2]) in _CHANGING):
        return None
    return ".".join(filter(None, found.groups()))


class _View(NamedTuple):
    """What one container holds of the project: path there -> path here, and the other way; folders that come whole."""

    files: Mapping[str, str]
    places: Mapping[str, tuple[str, ...]]
    folders: frozenset[str]
    version: str | None


class Placement:
    """Answers for one project. Paths are relative to the working directory."""

    def __init__(
        self,
        files: Iterable[str],
        deployments: Iterable[DeploymentReading] = (),
        readings: Mapping[str, NginxReading] | None = None,
        roots: Mapping[str, str] | None = None,
    ) -> None:
        self._files = sorted(files)
        self._known = frozenset(self._files)
        self._readings = readings or {}
        containers = _combined(sorted(deployments, key=lambda one: one.path), self._base)
        self._views = [self._view(one.mounts, version_of(one.image), one.builds) for one in containers]
        images = [one.image for one in containers if one.image and _IMAGES.fullmatch(one.image.name)]
        self._versions = {version_of(image) for image in images}
        if roots:
            mounts = tuple(Mount(folder, target, _SETTINGS) for target, folder in sorted(roots.items()))
            self._views.insert(0, self._view(mounts, None))

    def version(self, path: str) -> str | None:
        """The version of the nginx that reads a file: that of the containers which hold it, or of the only one.

        What a script writes goes to any machine: only for a file of its own the only image of the project counts.
        """
        found = {view.version for view in self._views if path in view.places}
        if found <= {None} and path in self._readings:
            found = self._versions
        return next(iter(found)) if len(found) == 1 else None

    def resolve(self, pattern: str, main: str) -> tuple[str, ...] | None:
        """The files that an `include` below a main file names, sorted as nginx does; None where that is not known."""
        answers: set[tuple[str, ...] | None] = set()
        holding = [view for view in self._views if main in view.places]
        for view in holding or self._views:
            places = view.places.get(main, ("",))
            answers.update(self._in(view, self._absolute(pattern, there, main)) for there in places)
        answers.discard(None)
        return answers.pop() if len(answers) == 1 else None

    def _absolute(self, pattern: str, there: str, main: str) -> str:
        """nginx takes names relative to the folder of the main file, wherever the including file lies."""
        reading = self._readings.get(main)
        own = there and reading is not None and reading.context == "main"
        return posixpath.normpath(posixpath.join(posixpath.dirname(there) if own else _PREFIX, pattern))

    def _in(self, view: _View, pattern: str) -> tuple[str, ...] | None:
        if not any(mark in pattern for mark in "*?["):
            found = view.files.get(pattern)
            return (found,) if found is not None and found in self._readings else None
        expression = re.compile(fnmatch.translate(pattern))
        depth = pattern.count("/")
        hidden = posixpath.basename(pattern).startswith(".")
        matching = [
            here
            for there, here in sorted(view.files.items())
            if there.count("/") == depth
            and expression.match(there)
            and (hidden or not posixpath.basename(there).startswith("."))
        ]
        if any(here not in self._readings for here in matching):
            return None  # something that corslint does not take for nginx
        folder = posixpath.dirname(pattern)
        whole = any(folder == one or folder.startswith(one.rstrip("/") + "/") for one in view.folders)
        return tuple(dict.fromkeys(matching)) if matching or whole else None

    def _view(self, mounts: tuple[Mount, ...], version: str | None, dockerfile: str = "") -> _View:
        files: dict[str, str] = {}
        folders: set[str] = set()
        for mount in mounts:
            if mount.source.startswith("..") and mount.source not in self._known and not self._below(mount.source):
                continue
            if mount.source in self._known:
                into = mount.target.endswith("/") or mount.target in _FOLDERS
                name = posixpath.join(mount.target, posixpath.basename(mount.source)) if into else mount.target
                files[posixpath.normpath(name)] = mount.source
                continue
            inside = self._below(mount.source)
            if inside:
                folders.add(posixpath.normpath(mount.target))
            for path in inside[: _MAX_FILES - len(files)]:
                below = path if mount.source == "." else path[len(mount.source) + 1 :]
                files[posixpath.normpath(posixpath.join(mount.target, below))] = path
        for there, here in list(files.items()):
            if there.startswith(_TEMPLATES) and there.endswith(".template"):
                files.setdefault("/etc/nginx/conf.d/" + there[len(_TEMPLATES) : -len(".template")], here)
        places: dict[str, tuple[str, ...]] = {dockerfile: ("",)} if dockerfile else {}
        for there, here in files.items():
            places[here] = (*places.get(here, ()), there)
        return _View(files, places, frozenset(folders), version)

    def _below(self, folder: str) -> list[str]:
        if folder == ".":
            return [path for path in self._files if not path.startswith("../")]
        return [path for path in self._files if path.startswith(f"{folder}/")]

    def _base(self, dockerfile: str, mounts: tuple[Mount, ...]) -> str:
        """The folder that a Dockerfile's sources are relative to: its own or one above, where most of them are."""
        folder = best = posixpath.dirname(dockerfile)
        most = -1
        while True:
            here = _rebased(mounts, dockerfile, folder)
            count = sum(mount.source in self._known or bool(self._below(mount.source)) for mount in here)
            if count > most:
                best, most = folder, count
            if not folder or folder.endswith(".."):
                return best
            folder = posixpath.dirname(folder)


def _rebased(mounts: tuple[Mount, ...], dockerfile: str, context: str) -> tuple[Mount, ...]:
    """Mounts of a Dockerfile, whose sources were taken relative to its own folder, as seen from a build context."""
    own = posixpath.dirname(dockerfile) or "."
    return tuple(
        mount._replace(source=posixpath.normpath(posixpath.join(context, posixpath.relpath(mount.source, own))))
        for mount in mounts
    )


def _combined(deployments: list[DeploymentReading], base: Callable[[str, tuple[Mount, ...]], str]) -> list[Container]:
    """The containers, each with all it holds: a service that is built has what its Dockerfile copies below its own."""
    built = {one.path: one.containers[0] for one in deployments if one.kind == "dockerfile" and one.containers}
    found: list[Container] = []
    used: set[str] = set()
    for service in (service for one in deployments if one.kind == "compose" for service in one.containers):
        below = built.get(service.builds)
        if below is None:
            found.append(service._replace(builds=""))
            continue
        used.add(service.builds)
        copies = _rebased(below.mounts, service.builds, service.context)
        found.append(service._replace(image=below.image, mounts=(*copies, *service.mounts)))
    for path, container in built.items():
        if path not in used:
            mounts = _rebased(container.mounts, path, base(path, container.mounts))
            found.append(container._replace(mounts=mounts, builds=path))
    return found
