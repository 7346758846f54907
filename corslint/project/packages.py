"""Which version of a package is in force for a source file, by the manifests and lock files above it."""

from __future__ import annotations

import fnmatch
import posixpath
import re
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from functools import lru_cache
from typing import Literal as OneOf

from corslint.model.reading import ManifestReading, Requirement
from corslint.model.versions import Release, exactly, of_major
from corslint.numbers import whole
from corslint.records import NamedTuple
from corslint.regexes import regex
from corslint.source import Span

_HIGHEST_MAJOR = 30
_BEYOND = 99999
_LONGEST_RANGE = 200

_NPM_LOCKS = {"package-lock.json": "npm", "pnpm-lock.yaml": "pnpm", "yarn.lock": "yarn"}
"""Lock files, and the package managers that read them."""
_PYTHON_LOCKS = frozenset({"poetry.lock", "uv.lock", "Pipfile.lock"})

_NPM_ALIAS = regex(r"npm:(?:@[^@/]+/)?[^@/]+(?:@(.*))?\Z", re.DOTALL)
_NPM_GIT = regex(r"#semver:(.+)\Z", re.DOTALL)
_NPM_OPERATOR = regex(r"(?<![<>=~^])([<>=~^]+)\s+")
_NPM_PREFIX = regex(r"(?<![\w.-])[vV](?=\d)")
_NPM_RANGE = regex(r"[\d\s.<>=~^|*xX+\w-]+\Z")
_NPM_ONE_MAJOR = regex(r"[\^~]?(0|[1-9]\d{0,3})(?:\.(?:0|[1-9]\d{0,3})){0,2}\Z")
"""`^4.18.2`, `~1.2`, `3.1.4`: nearly all ranges that people write."""
_NPM_WORD = regex(r"(?!v\d)[a-z][\w.-]*\Z", re.IGNORECASE)

_VERSION = regex(r"\d+(?:\.\d+)*")
_POETRY_PART = regex(r"(\^|~(?!=))\s*(\d+(?:\.\d+)*)")


class VersionInForce(NamedTuple):
    """What applies to a package at one place.

    `exact`: the one version, where a lock file or a pin says it. `specifier`: the range as written, where a range is
    all there is or stands beside the lock file. `majors`: the major versions (0 to 30) that are possible; empty where
    that is not known, also for a range without an upper end. `span`: where that is written. `confidence`: `high` for
    a lock file or pin, `medium` for a range.
    """

    exact: str | None
    specifier: str | None
    majors: frozenset[int]
    span: Span
    confidence: OneOf["high", "medium"]

    @property
    def releases(self) -> tuple[Release, ...]:
        """What is possible, each as far as it is known; empty where nothing is."""
        if self.exact is not None and self.majors:
            return (exactly(self.exact),)
        return tuple(of_major(major, self.specifier) for major in sorted(self.majors))


class _Found(NamedTuple):
    requirement: Requirement
    manifest: ManifestReading


class _Lock(NamedTuple):
    """A lock file and its entries, by workspace folder and normal name."""

    kind: str
    entries: dict[tuple[str, str], list[Requirement]]


class Packages:
    """The packages that the manifests of one project name. Paths are those of the manifests."""

    def __init__(self, manifests: Iterable[ManifestReading]) -> None:
        self._manifests: dict[str, list[ManifestReading]] = defaultdict(list)
        self._named: dict[tuple[str, str, str], list[_Found]] = defaultdict(list)
        self._locks: dict[tuple[str, str], list[_Lock]] = defaultdict(list)
        self._versions: dict[tuple[str, str, str], VersionInForce | None] = {}
        self._roots: dict[str, str] = {}
        self._covering: dict[tuple[str, str], tuple[str, list[_Lock]]] = {}
        for manifest in sorted(manifests, key=lambda each: each.path):
            folder = _folder(manifest)
            self._manifests[folder].append(manifest)
            if manifest.kind in _NPM_LOCKS or manifest.kind in _PYTHON_LOCKS:
                self._note_lock(folder, manifest)
                continue
            for requirement in manifest.requirements:
                name = _normal(requirement.ecosystem, requirement.name)
                self._named[folder, requirement.ecosystem, name].append(_Found(requirement, manifest))

    def _note_lock(self, folder: str, manifest: ManifestReading) -> None:
        ecosystem = "npm" if manifest.kind in _NPM_LOCKS else "pypi"
        locks = self._locks[folder, ecosystem]
        if any(lock.kind == manifest.kind for lock in locks):
            return  # of two lock files in a folder npm reads npm-shrinkwrap.json, the first by name
        entries: dict[tuple[str, str], list[Requirement]] = defaultdict(list)
        for requirement in manifest.requirements:
            entries[requirement.folder, _normal(ecosystem, requirement.name)].append(requirement)
        locks.append(_Lock(manifest.kind, dict(entries)))

    @property
    def manifests(self) -> tuple[ManifestReading, ...]:
        """All manifests, by path."""
        return tuple(manifest for _, found in sorted(self._manifests.items()) for manifest in found)

    def names(self, wanted: Collection[str]) -> bool:
        """Whether any manifest, not only a lock file, names one of these packages."""
        normal = {(ecosystem, _normal(ecosystem, name)) for ecosystem in ("npm", "pypi") for name in wanted}
        return any((ecosystem, name) in normal for _, ecosystem, name in self._named)

    def root_of(self, path: str) -> str:
        """The folder of the nearest manifest at or above a file's folder; "" where there is none."""
        root = self._roots.get(path)
        if root is None:
            above = _upward(posixpath.dirname(path))
            root = self._roots[path] = next((folder for folder in above if folder in self._manifests), "")
        return root

    def version(self, ecosystem: str, name: str, path: str) -> VersionInForce | None:
        """What applies to the package `name` for the source file `path`; None where no manifest above it names it."""
        key = (posixpath.dirname(path), ecosystem, _normal(ecosystem, name))
        if key not in self._versions:
            self._versions[key] = self._version(*key)
        return self._versions[key]

    def _version(self, start: str, ecosystem: str, name: str) -> VersionInForce | None:
        for folder in _upward(start):
            if folder not in self._manifests:
                continue
            named = self._named.get((folder, ecosystem, name), [])
            locked = self._locked(folder, ecosystem, name, named[0].requirement.specifier if named else None)
            if locked or named:
                return (_of_python if ecosystem == "pypi" else _of_npm)(named, locked)
        return None

    def _locked(self, folder: str, ecosystem: str, name: str, asked: str | None) -> list[Requirement]:
        """What may be installed by the lock files that cover a folder."""
        covering = self._covering.get((folder, ecosystem))
        if covering is None:
            covering = self._covering[folder, ecosystem] = self._locks_over(folder, ecosystem)
        inner, locks = covering
        return [found for lock in locks for found in _entries(lock, inner, name, asked)]

    def _locks_over(self, folder: str, ecosystem: str) -> tuple[str, list[_Lock]]:
        """The nearest lock files that cover a folder, its own or those of its workspace; and its path from theirs."""
        for above in _upward(folder):
            locks = self._locks.get((above, ecosystem), [])
            if above != folder:
                locks = [lock for lock in locks if self._covers(above, lock, folder)]
            if locks:
                used = self._used(above)
                return _below(folder, above), [lock for lock in locks if _NPM_LOCKS.get(lock.kind) == used] or locks
        return "", []

    def _used(self, folder: str) -> str | None:
        """The package manager that a folder's package.json names: `"packageManager": "pnpm@9.1.0"` gives pnpm."""
        for manifest in self._manifests[folder]:
            for key, text in manifest.texts:
                if key == "packageManager":
                    return str(text.value).partition("@")[0]
        return None

    def _covers(self, root: str, lock: _Lock, folder: str) -> bool:
        """Whether a folder is a workspace of the project whose lock file stands in `root`."""
        python = lock.kind in _PYTHON_LOCKS
        patterns = [
            pattern
            for manifest in self._manifests[root]
            if (manifest.kind in _PYTHON_LOCKS) is python
            for pattern in manifest.workspaces
        ]
        inner = _below(folder, root)
        return any(_matches(pattern.removeprefix("./").rstrip("/"), inner) for pattern in patterns)


def _entries(lock: _Lock, folder: str, name: str, asked: str | None) -> list[Requirement]:
    """What a lock file says that a folder has, by folder or by the range that is asked for."""
    for inner in _upward(folder):
        found = lock.entries.get((inner, name), [])
        if any(each.ranges for each in found):
            wanted = [each for each in found if asked in each.ranges]
            # A range may be written in another way; then only a package of one version can be told.
            return wanted or (found[:1] if len({each.version for each in found}) == 1 else [])
        if found:
            return found
    return []


def _folder(manifest: ManifestReading) -> str:
    """The folder a manifest speaks for. `requirements/base.txt` speaks for the folder that holds `requirements`."""
    folder = posixpath.dirname(manifest.path)
    if manifest.kind == "requirements.txt" and posixpath.basename(folder) == "requirements":
        return posixpath.dirname(folder)
    return folder


def _upward(folder: str) -> Iterator[str]:
    """A folder and all above it; the last is ""."""
    while True:
        yield folder
        above = posixpath.dirname(folder)
        if above == folder:
            break
        folder = above
    if folder:
        yield ""


def _below(folder: str, root: str) -> str:
    """A folder's path from a folder above it."""
    return folder[len(root) + 1 :] if root else folder


def _matches(pattern: str, folder: str) -> bool:
    """Whether a workspace pattern means a folder: `*` stays within one name, `**` spans several."""
    if pattern.startswith("!"):
        return False
    return _match_parts(tuple(pattern.split("/")), tuple(folder.split("/")))


@lru_cache(maxsize=4096)
def _match_parts(pattern: tuple[str, ...], parts: tuple[str, ...]) -> bool:
    # One row per pattern part, so that a row of `**` costs no more than its length.
    row = [True, *[False] * len(parts)]
    for part in pattern:
        if part == "**":
            reached = False
            following = []
            for here in row:
                reached = reached or here
                following.append(reached)
        else:
            following = [False]
            following += [row[i] and fnmatch.fnmatchcase(parts[i], part) for i in range(len(parts))]
        row = following
    return row[-1]


def _normal(ecosystem: str, name: str) -> str:
    """The name that stands for all spellings: https://peps.python.org/pep-0503/#normalized-names."""
    return re.sub(r"[-_.]+", "-", name).lower() if ecosystem == "pypi" else name


def _of_npm(named: Sequence[_Found], locked: Sequence[Requirement]) -> VersionInForce:
    asked = named[0].requirement if named else None
    exact = {each.version: each for each in locked if each.version is not None}
    if exact:
        return _of_locks(
            list(exact.values()),
            asked.specifier if asked is not None else None,
            npm_majors(asked.specifier) if asked is not None else frozenset(),
            asked.span if asked is not None else None,
        )
    requirement = asked if asked is not None else locked[0]
    if requirement.version is not None:
        majors = _majors([requirement])
        return VersionInForce(requirement.version, requirement.specifier, majors, requirement.span, "high")
    return VersionInForce(None, requirement.specifier, npm_majors(requirement.specifier), requirement.span, "medium")


def _of_locks(
    exact: Sequence[Requirement], specifier: str | None, wanted: frozenset[int], asked: Span | None
) -> VersionInForce:
    """What is installed, by lock files. `wanted` are the majors of the range beside them, where those are known."""
    majors = _majors(exact)
    stale = bool(wanted) and not majors <= wanted
    if len(exact) == 1 and not stale:
        return VersionInForce(exact[0].version, specifier, majors, exact[0].span, "high")
    # Of several versions any may be in force. A lock file that is older than the range, or the reverse: either may be.
    possible = (wanted | majors) if stale else majors
    return VersionInForce(None, specifier, possible, asked if stale and asked is not None else exact[0].span, "medium")


def _of_python(named: Sequence[_Found], locked: Sequence[Requirement]) -> VersionInForce:
    """Several files of a folder may name a package: what is installed in production counts, and of that the pins.

    A lock file counts more than a range, and no more than a pin: nobody knows which of them is installed from.
    """
    requirements = _productive([found.requirement for found in named])
    pinned = [each for each in requirements if each.version is not None]
    if locked:
        exact = {each.version: each for each in (*_productive(locked), *pinned)}
        ranges = [majors for each in requirements if each.version is None and (majors := pip_majors(each.specifier))]
        asked = requirements[0] if requirements else None
        return _of_locks(
            list(exact.values()),
            asked.specifier or None if asked is not None else None,
            frozenset.intersection(*ranges) if ranges else frozenset(),
            asked.span if asked is not None else None,
        )
    if pinned:
        first = pinned[0]
        if len({each.version for each in pinned}) == 1:
            return VersionInForce(first.version, first.specifier, _majors(pinned), first.span, "high")
        return VersionInForce(None, first.specifier, _majors(pinned), first.span, "medium")
    known = [(each, majors) for each in requirements if (majors := pip_majors(each.specifier))]
    if not known:
        first = requirements[0]
        return VersionInForce(None, first.specifier or None, frozenset(), first.span, "medium")
    # All of the ranges hold; where they contradict each other nobody knows which of them is true.
    common = frozenset.intersection(*(majors for _, majors in known))
    first = min(known, key=lambda each: len(each[1]))[0]
    return VersionInForce(None, first.specifier, common, first.span, "medium")


def _productive(requirements: Sequence[Requirement]) -> list[Requirement]:
    """Those that are installed in production; all of them where none is."""
    return [each for each in requirements if not each.development] or list(requirements)


def _majors(requirements: Iterable[Requirement]) -> frozenset[int]:
    return frozenset(major for each in requirements if (major := _major(each.version or "")) is not None)


def _major(version: str) -> int | None:
    """The major version of a version, after an epoch."""
    found = re.match(r"\s*v?(?:\d+!)?(\d{1,9})(?![\d!])", version)
    return int(found[1]) if found is not None else None


@lru_cache(maxsize=4096)
def npm_majors(specifier: str) -> frozenset[int]:
    """The major versions an npm range admits; empty where that is not known (`latest`, `>=2`, `*`, a git URL)."""
    text = specifier.strip().removeprefix("workspace:").strip()
    alias = _NPM_ALIAS.match(text)
    if alias is not None:
        text = (alias[1] or "").strip()
    git = _NPM_GIT.search(text)
    if git is not None:
        text = git[1].strip()
    if not text or len(text) > _LONGEST_RANGE or _NPM_WORD.match(text) or not _NPM_RANGE.match(text):
        return frozenset()
    alone = _NPM_ONE_MAJOR.match(text)
    if alone is not None:
        return frozenset({int(alone[1])} if int(alone[1]) <= _HIGHEST_MAJOR else ())
    import semantic_version  # loads slowly

    # Spellings that npm reads and NpmSpec refuses: white space behind an operator, `~>4.1`, `v4.1.2`.
    text = _NPM_OPERATOR.sub(r"\1", text).replace("~>", "~")
    text = _NPM_PREFIX.sub("", text)
    text = " || ".join(" ".join(part.split()) for part in text.split("||"))
    try:
        spec = semantic_version.NpmSpec(text)
    except ValueError:
        return frozenset()

    def admits(*numbers: int) -> bool:
        return bool(spec.match(semantic_version.Version("{}.{}.{}".format(*numbers))))

    return _admitted(text, admits)


@lru_cache(maxsize=4096)
def pip_majors(specifier: str) -> frozenset[int]:
    """The major versions that a Python range admits, PEP 440 or Poetry; empty where that is not known."""
    found: set[int] = set()
    if len(specifier) > _LONGEST_RANGE or specifier.startswith("@"):
        return frozenset()
    for alternative in specifier.split("||"):
        majors = _pip_set_majors(alternative)
        if not majors:
            return frozenset()
        found |= majors
    return frozenset(found)


def _pip_set_majors(specifier: str) -> frozenset[int]:
    from packaging.specifiers import InvalidSpecifier, SpecifierSet
    from packaging.version import Version

    parts = [part.strip() for part in specifier.split(",")]
    try:
        spec = SpecifierSet(",".join(_pep_440(part) for part in parts if part not in ("", "*")))
    except InvalidSpecifier:
        return frozenset()

    def admits(*numbers: int) -> bool:
        return spec.contains(Version(".".join(map(str, numbers))), prereleases=True)

    return _admitted(specifier, admits)


def _pep_440(part: str) -> str:
    """One condition in Poetry's spelling (`^1.2`, `~1.2`, `1.2`, `1.*`) as PEP 440 spells it.

    https://python-poetry.org/docs/dependency-specification/
    """
    found = _POETRY_PART.fullmatch(part)
    if found is None:
        return f"=={part}" if part[:1].isdigit() else part
    sign, version = found.groups()
    numbers = [whole(number) for number in version.split(".")]
    if sign == "~":
        at = min(1, len(numbers) - 1)
    else:
        # A caret holds the first number that is not zero, or the last one written.
        at = next((position for position, number in enumerate(numbers) if number), len(numbers) - 1)
    above = [*numbers[:at], numbers[at] + 1]
    return f">={version},<{'.'.join(map(str, above))}"


def _admitted(text: str, admits: Callable[..., bool]) -> frozenset[int]:
    """The majors from 0 to 30 of which the range admits a version; empty for a range that is open upward.

    A range changes its answer only at the versions it names, so those, their neighbours and the ends of each major
    are tried.
    """
    if admits(_BEYOND, 0, 0):
        return frozenset()
    tries: set[tuple[int, int, int]] = set()
    for named in _VERSION.findall(text):
        numbers = [min(int(number[:9]), _BEYOND) for number in named.split(".")[:3]]
        major, minor, patch = (*numbers, 0, 0)[:3]
        tries |= {(major, minor, patch), (major, minor, patch + 1), (major, minor, _BEYOND), (major, minor + 1, 0)}
        tries |= {(major, minor, max(patch - 1, 0)), (major, max(minor - 1, 0), _BEYOND)}
    for major in range(_HIGHEST_MAJOR + 1):
        tries |= {(major, 0, 0), (major, _BEYOND, _BEYOND)}
    return frozenset(numbers[0] for numbers in tries if numbers[0] <= _HIGHEST_MAJOR and admits(*numbers))
