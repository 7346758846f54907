"""Lock files to a `ManifestReading`: what package managers installed.

They have megabytes, and programs write them in one manner each. So the files that are not JSON are scanned as lines,
for what is wanted only: a YAML or TOML parser reads all of a file, hundreds of times as slowly. What was written in
another manner is not found and leaves the ranges of the manifests in force.

Spans of versions include their quotes, where they have some.
"""

from __future__ import annotations

import json
import posixpath
import re
from collections.abc import Callable, Iterator

from corslint.model.reading import Damage, ManifestReading, Requirement
from corslint.parsers.json_places import BrokenError, json_object, json_strings
from corslint.parsers.manifest import broken, pinned
from corslint.records import NamedTuple
from corslint.regexes import regex
from corslint.source import SourceFile, Span

_MOST_ENTRIES = 100_000
"""Entries of one file that are read. The largest lock files that we know of have some ten thousand."""

_CONFLICT = regex(rb"^<{7}(?: |\r?$)", re.MULTILINE)

# npm
_LOCK_ENTRY = regex(rb'"[^"\\]*"\s*:\s*\{\s*(?:"name"\s*:\s*"[^"\\]*"\s*,\s*)?"version"\s*:\s*"([^"\\]*)"')

# pnpm
_PNPM_DOCUMENT = regex(rb"^---[^\n]*$", re.MULTILINE)
_PNPM_VERSIONED = regex(rb"^(?:lockfileVersion|shrinkwrapVersion):", re.MULTILINE)
_PNPM_REST = regex(rb"^(?:packages|snapshots):", re.MULTILINE)
_PNPM_LINE = regex(
    rb"^(?P<indent> *)(?:'(?P<single>[^'\n]*)'|\"(?P<double>[^\"\\\n]*)\"|(?P<plain>[^\s'\"#&*!|>%@`{}\[\],][^\n]*?))"
    rb":(?=[ \t\r\n]|\Z)[ \t]*(?P<value>[^\n]*)",
    re.MULTILINE,
)
_PNPM_SECTIONS = {"dependencies": False, "optionalDependencies": False, "devDependencies": True}
# `4.7.2`, and behind it the peers it was built with: `4.7.2(bufferutil@4.0.8)`, `4.7.2_bufferutil@4.0.8`. Before it may
# stand the name of the package that an alias stands for: `/socket.io/2.5.0`, `/socket.io@2.5.0`, `socket.io@2.5.0`.
_PNPM_VERSION = regex(
    r"(?:/?(?:[\w.-]+\.[a-z]+/)?(?:@[^/@(\s]+/)?[^/@(\s]+[@/])??"
    r"(\d+\.\d+\.\d+(?:-[0-9A-Za-z.-]+)?)(?:\+[0-9A-Za-z.-]+)?(?=[(_]|\Z)"
)

# Yarn: version 1 writes `name@range, "name@other range":` and `version "1.2.3"`; later ones write YAML. A key of over
# 1024 characters stands behind a question mark.
_YARN_HEAD = regex(rb"^(?:# yarn lockfile v1\b|__metadata:)", re.MULTILINE)
_YARN_ENTRY = regex(
    rb"^(?:\? (?P<long>[^\n]+)\n:|(?P<key>[^\s#?][^\n]*):)[ \t]*\r?\n"
    rb"(?:  (?!version\b)[^\n]*\n)*+  version:?[ \t]+(?P<version>\"[^\"\n]*\"|[^\s\"]+)",
    re.MULTILINE,
)
_YARN_ALIAS = regex(r"npm:(?:@[^@/]+/)?[^@/]+@")
_YARN_FOLDER = regex(r"workspace:(?![*^~]?$)(?P<folder>[^*^~<>=|\s]+)")

# Poetry and uv
_TOML_TEXT = regex(
    rb'"""(?:[^"\\]|\\.|"(?!""))*+"{3,5}|\'\'\'(?:[^\']|\'(?!\'\'))*+\'{3,5}|"(?:[^"\\\n]|\\.)*+"|\'[^\'\n]*+\'|#[^\n]*',
    re.DOTALL,
)
_TOML_PACKAGE = regex(rb"^\[\[package\]\][ \t]*\r?\n(?P<body>(?:(?!\[)[^\n]*\n)*+(?:(?!\[)[^\n]+)?)", re.MULTILINE)
_TOML_FIELD = regex(
    rb"^(?P<key>name|version|category|groups|source)[ \t]*=[ \t]*(?P<value>\"[^\"\\\n]*\"|'[^'\n]*'|[^\n]*)",
    re.MULTILINE,
)
_POETRY_HEAD = regex(rb"^\[metadata\]", re.MULTILINE)
_UV_HEAD = regex(rb"^version[ \t]*=[ \t]*\d", re.MULTILINE)
_UV_FOLDER = regex(r"\b(?:editable|virtual|directory)\s*=\s*[\"'](?P<folder>[^\"'\n]*)[\"']")
_PYTHON_VERSION = regex(r"(?:={2,3})?\s*(v?\d[\w.+!-]*)")


def read(source: SourceFile) -> ManifestReading:
    """Read a lock file by its name. Never raises; one that is of no use gives one Damage with its place."""
    return _READERS[source.path.rpartition("/")[2].lower()](source)


def _package_lock(source: SourceFile) -> ManifestReading:
    """Lock file versions 1, 2 and 3. Only what stands at the top of a `node_modules` is in force for a source file.

    `workspaces` are the folders that the lock file covers besides its own.
    https://docs.npmjs.com/cli/v11/configuring-npm/package-lock-json
    """
    kind = "package-lock.json"
    try:
        content = json_object(source)
    except BrokenError as error:
        return broken(source, kind, error.message, error.offset)
    packages = content.get("packages")
    entries: list[tuple[str, str, dict[str, object], tuple[str, ...]]] = []
    workspaces: list[str] = []
    if isinstance(packages, dict):
        for location, entry in packages.items():
            if not isinstance(entry, dict):
                continue
            folder, mark, name = location.rpartition("node_modules/")
            if not mark:
                if location:
                    workspaces.append(location)
            elif "node_modules/" not in folder:
                entries.append((name, folder.rstrip("/"), entry, ("packages", location, "version")))
    else:
        dependencies = content.get("dependencies")
        for name, entry in dependencies.items() if isinstance(dependencies, dict) else ():
            if isinstance(entry, dict):
                entries.append((name, "", entry, ("dependencies", name, "version")))
    places = _lock_places(source.data, [(entry, path) for _, _, entry, path in entries])
    found: list[Requirement] = []
    for name, folder, entry, path in entries:
        version = entry.get("version")
        place = places.get(path)
        if not isinstance(version, str) or place is None or entry.get("link") is True:
            continue
        development = entry.get("dev") is True
        found.append(Requirement("npm", name, version, pinned(version), development, Span(source.path, *place), folder))
    return ManifestReading(source.path, kind, tuple(found), tuple(workspaces), ())


def _lock_places(
    data: bytes, entries: list[tuple[dict[str, object], tuple[str, ...]]]
) -> dict[tuple[str, ...], tuple[int, int]]:
    """Where the versions of a lock file stand.

    Lock files are large and npm writes them in one manner: each entry is looked for behind the one before. The scanner
    that reads every token is some ten times as slow, and comes in where an entry is not found so.
    """
    places: dict[tuple[str, ...], tuple[int, int]] = {}
    at = 0
    for entry, path in entries:
        if not isinstance(entry.get("version"), str):
            continue
        found = None
        if path[0] == "packages":
            at = data.find(json.dumps(path[1], ensure_ascii=False).encode("utf-8", "replace"), at)
            found = _LOCK_ENTRY.match(data, at) if at >= 0 else None
        if found is None or found[1].decode("utf-8", "replace") != entry["version"]:
            return json_strings(data, 3)
        first, last = found.span(1)
        places[path] = (first - 1, last + 1)
        at = last
    return places


def _unfit(source: SourceFile, kind: str, head: re.Pattern[bytes], lacks: str) -> ManifestReading | None:
    """The reading of a file that is not what its name says, or that nobody has finished merging; None for a fit one."""
    data = source.data
    if not data.strip():
        return ManifestReading(source.path, kind, (), (), ())  # an empty yarn.lock marks the root of a project
    try:
        data.decode("utf-8")
    except UnicodeDecodeError as error:
        return broken(source, kind, "the file is not UTF-8", error.start)
    conflict = _CONFLICT.search(data)
    if conflict is not None:
        return broken(source, kind, "the file holds a merge conflict", conflict.start())
    if head.search(data) is None:
        return broken(source, kind, f"not a {kind}, or cut off: it has no {lacks}", 0)
    return None


def _made(
    source: SourceFile, kind: str, entries: Iterator[Requirement], workspaces: list[str] | None = None
) -> ManifestReading:
    """The reading of these entries; what are too many is said."""
    found: list[Requirement] = []
    damage: tuple[Damage, ...] = ()
    for entry in entries:
        if len(found) == _MOST_ENTRIES:
            message = f"more than {_MOST_ENTRIES} packages; those from here on were not read"
            damage = (Damage(entry.span, message),)
            break
        found.append(entry)
    return ManifestReading(source.path, kind, tuple(found), tuple(workspaces or ()), damage)


# pnpm


def _pnpm_lock(source: SourceFile) -> ManifestReading:
    """Lock file versions 5, 6 and 9: what each folder of the workspace (`importers`) has in its `node_modules`.

    Where there is one folder only, versions 5 and 6 have its sections at the top. What stands under `packages` and
    `snapshots`, nearly all of the file, is not in force for source files.
    https://github.com/pnpm/spec/tree/master/lockfile
    """
    kind = "pnpm-lock.yaml"
    unfit = _unfit(source, kind, _PNPM_VERSIONED, "`lockfileVersion`")
    if unfit is not None:
        return unfit
    workspaces: list[str] = []
    return _made(source, kind, _pnpm_entries(source, workspaces), workspaces)


def _pnpm_entries(source: SourceFile, workspaces: list[str]) -> Iterator[Requirement]:
    for path, value, start in _pnpm_values(source.data):
        folder = ""
        if path[0] == "importers" and len(path) > 1:
            folder = "" if path[1] == "." else posixpath.normpath(path[1])
            path = path[2:]
            if folder and folder not in workspaces[-1:]:
                workspaces.append(folder)
        # Version 5 writes `name: version`, later ones a `specifier` and a `version` under the name.
        if len(path) not in (2, 3) or path[0] not in _PNPM_SECTIONS or path[2:] not in ((), ("version",)):
            continue
        version = _PNPM_VERSION.match(value.strip("'\""))
        if version is not None:
            span = Span(source.path, start, start + len(value.encode()))
            yield Requirement("npm", path[1], value.strip("'\""), version[1], _PNPM_SECTIONS[path[0]], span, folder)


def _pnpm_values(data: bytes) -> Iterator[tuple[tuple[str, ...], str, int]]:
    """What stands in one line behind the keys that lead to it, and its offset; nothing of the packages themselves."""
    breaks = [found.start() for found in _PNPM_DOCUMENT.finditer(data)]
    for begin, stop in zip([0, *breaks], [*breaks, len(data)], strict=True):
        rest = _PNPM_REST.search(data, begin, stop)
        keys: list[tuple[int, str]] = []
        filled = False  # the innermost key has a value: what is indented more goes on with that
        for line in _PNPM_LINE.finditer(data, begin, rest.start() if rest is not None else stop):
            indent = len(line["indent"])
            if filled and keys and indent > keys[-1][0]:
                continue
            while keys and keys[-1][0] >= indent:
                keys.pop()
            key = next(part for part in (line["single"], line["double"], line["plain"]) if part is not None)
            keys.append((indent, key.decode()))
            value = line["value"].partition(b" #")[0].strip()
            filled = bool(value) and not value.startswith(b"#")
            if filled:
                yield tuple(key for _, key in keys), value.decode(), line.start("value")


# Yarn


def _yarn_lock(source: SourceFile) -> ManifestReading:
    """Yarn 1 and later: one entry for one or more ranges, wherever in the project they are asked for.

    https://classic.yarnpkg.com/lang/en/docs/yarn-lock/
    """
    kind = "yarn.lock"
    unfit = _unfit(source, kind, _YARN_HEAD, "head")
    if unfit is not None:
        return unfit
    workspaces: list[str] = []
    return _made(source, kind, _yarn_entries(source, workspaces), workspaces)


def _yarn_entries(source: SourceFile, workspaces: list[str]) -> Iterator[Requirement]:
    for entry in _YARN_ENTRY.finditer(source.data):
        key = (entry["long"] or entry["key"]).decode().strip().replace('"', "")
        ranges: list[str] = []
        name = ""
        for asked in key.split(", "):
            at = asked.find("@", 1)
            if at < 0:
                break
            name, wanted = asked[:at], asked[at + 1 :]
            if wanted.startswith("workspace:"):
                folder = _YARN_FOLDER.fullmatch(wanted)
                if folder is not None and folder["folder"] != ".":
                    workspaces.append(posixpath.normpath(folder["folder"]))
                continue
            ranges.append(wanted if _YARN_ALIAS.match(wanted) else wanted.removeprefix("npm:"))
        text = entry["version"].decode().strip('"')
        version = pinned(text)
        if ranges and version is not None:
            span = Span(source.path, *entry.span("version"))
            yield Requirement("npm", name, text, version, False, span, ranges=tuple(ranges))


# Python


class _Package(NamedTuple):
    """A `[[package]]` of a TOML lock file: the values of its keys as they are written, and where its version stands."""

    fields: dict[str, str]
    version: Span

    def text(self, key: str) -> str:
        value = self.fields.get(key, "")
        return value[1:-1] if value[:1] in ("'", '"') else ""


def _poetry_lock(source: SourceFile) -> ManifestReading:
    """https://python-poetry.org/docs/basic-usage/#installing-with-poetrylock; `metadata` is its last table."""
    kind = "poetry.lock"
    unfit = _unfit(source, kind, _POETRY_HEAD, "`[metadata]`")
    return unfit or _made(source, kind, _poetry_entries(source))


def _poetry_entries(source: SourceFile) -> Iterator[Requirement]:
    for package in _toml_packages(source):
        # Before Poetry 1.5 a category, since Poetry 2 the groups that want it.
        groups = package.fields.get("groups", "")
        development = package.text("category") == "dev" or ("[" in groups and '"main"' not in groups)
        yield from _python(package.text("name"), package.text("version"), development, package.version)


def _uv_lock(source: SourceFile) -> ManifestReading:
    """https://docs.astral.sh/uv/concepts/projects/layout/#the-lockfile; its members stand in it with their folders."""
    kind = "uv.lock"
    unfit = _unfit(source, kind, _UV_HEAD, "`version`")
    if unfit is not None:
        return unfit
    workspaces: list[str] = []
    return _made(source, kind, _uv_entries(source, workspaces), workspaces)


def _uv_entries(source: SourceFile, workspaces: list[str]) -> Iterator[Requirement]:
    for package in _toml_packages(source):
        folder = _UV_FOLDER.search(package.fields.get("source", ""))
        if folder is None:
            yield from _python(package.text("name"), package.text("version"), False, package.version)
        elif folder["folder"] != ".":
            workspaces.append(posixpath.normpath(folder["folder"]))


def _toml_packages(source: SourceFile) -> Iterator[_Package]:
    data = source.data
    if b'"""' in data or b"'''" in data:  # a text of several lines may look like tables
        data = _TOML_TEXT.sub(lambda text: b" " * len(text[0]) if text[0][:3] in (b'"""', b"'''") else text[0], data)
    for package in _TOML_PACKAGE.finditer(data):
        fields: dict[str, str] = {}
        version = Span(source.path, package.start(), package.start())
        for field in _TOML_FIELD.finditer(data, *package.span("body")):
            key = field["key"].decode()
            if key not in fields:
                fields[key] = field["value"].decode().strip()
                if key == "version":
                    version = Span(source.path, *field.span("value"))
        yield _Package(fields, version)


def _pipfile_lock(source: SourceFile) -> ManifestReading:
    """https://pipenv.pypa.io/en/latest/pipfile.html: `default` is installed in production, `develop` is not."""
    kind = "Pipfile.lock"
    try:
        content = json_object(source)
    except BrokenError as error:
        return broken(source, kind, error.message, error.offset)
    return _made(source, kind, _pipfile_entries(source, content))


def _pipfile_entries(source: SourceFile, content: dict[str, object]) -> Iterator[Requirement]:
    places = json_strings(source.data, 3)
    for section in ("default", "develop"):
        packages = content.get(section)
        for name, entry in packages.items() if isinstance(packages, dict) else ():
            version = entry.get("version") if isinstance(entry, dict) else None
            place = places.get((section, name, "version"))
            if isinstance(version, str) and place is not None:
                yield from _python(name, version, section == "develop", Span(source.path, *place))


def _python(name: str, version: str, development: bool, span: Span) -> Iterator[Requirement]:
    exact = _PYTHON_VERSION.fullmatch(version.strip())
    if name and exact is not None:
        yield Requirement("pypi", name, version, exact[1], development, span)


_READERS: dict[str, Callable[[SourceFile], ManifestReading]] = {
    "package-lock.json": _package_lock,
    "npm-shrinkwrap.json": _package_lock,
    "pnpm-lock.yaml": _pnpm_lock,
    "yarn.lock": _yarn_lock,
    "poetry.lock": _poetry_lock,
    "uv.lock": _uv_lock,
    "pipfile.lock": _pipfile_lock,
}
