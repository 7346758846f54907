"""Writes, or checks, requirements/: the version and the hashes of every package that `make` installs.

    python scripts/lock.py write      # asks PyPI, through uv: the newest versions that are old enough
    python scripts/lock.py check      # asks nobody; status 1 and what is wrong, if they do not fit pyproject.toml

One file counts for all systems and Pythons; what only some need has a marker. The files name neither an index nor a
folder: the files of a package are known by their hashes, wherever pip finds them.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterator, Mapping
from itertools import product
from pathlib import Path
from typing import Any, NamedTuple

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "requirements"

COOLDOWN = "7 days"
"""So old is a release before it is taken: hostile ones are mostly found and withdrawn within days."""

PYTHONS = ("3.11", "3.12", "3.13", "3.14")
SYSTEMS: Mapping[str, Mapping[str, str]] = {
    "Linux": {"sys_platform": "linux", "os_name": "posix", "platform_system": "Linux"},
    "macOS": {"sys_platform": "darwin", "os_name": "posix", "platform_system": "Darwin"},
    "Windows": {"sys_platform": "win32", "os_name": "nt", "platform_system": "Windows"},
}


class Lock(NamedTuple):
    """What one of the files is for, and how uv is told what it has to hold."""

    held: str
    wanted: tuple[str, ...]


LOCKS: Mapping[str, Lock] = {
    "development": Lock("Everything that `make check` needs.", ("pyproject.toml", "--all-extras", "--group", "build")),
    "documentation": Lock("What `make docs` needs.", ("pyproject.toml", "--extra", "docs")),
    "runtime": Lock("What corslint itself needs.", ("pyproject.toml",)),
    "build": Lock("What builds corslint.", ("--group", "build")),
}
"""By the names of the files. The first has every package; the others are parts of it."""

_HEADER = "# Written by `make lock` from pyproject.toml, not to be edited. {held}\n"
_PACKAGE = re.compile(
    r"^(?P<requirement>[a-z0-9-]+==[^#\\\n]+?)(?P<hashes>(?: \\\n    --hash=sha256:[0-9a-f]{64})+)\n", re.MULTILINE
)


# --- writing ---------------------------------------------------------------------------------------------------------


def write() -> int:
    """Write all the files anew, or none. The exit status is uv's."""
    found: dict[str, str] = {}
    with tempfile.TemporaryDirectory() as folder:
        for name, lock in LOCKS.items():
            file = Path(folder, f"{name}.txt")
            limits = ("--constraints", str(Path(folder, "development.txt"))) if found else ()
            done = subprocess.run(_command(lock, file, limits), cwd=ROOT, env=_environment(), check=False)
            if done.returncode:
                return done.returncode
            found[name] = _HEADER.format(held=lock.held) + file.read_text(encoding="utf-8")
    FOLDER.mkdir(exist_ok=True)
    for name, text in found.items():
        (FOLDER / f"{name}.txt").write_text(text, encoding="utf-8", newline="\n")
    return 0


def _command(lock: Lock, file: Path, limits: tuple[str, ...]) -> list[str]:
    uv = Path(sys.executable).with_name("uv")
    fixed = ("--universal", "--python-version", PYTHONS[0], "--generate-hashes", "--exclude-newer", COOLDOWN)
    bare = ("--no-header", "--no-annotate", "--quiet", "--no-config", "--no-sources")
    return [str(uv), "pip", "compile", *fixed, *bare, *limits, *lock.wanted, "--output-file", str(file)]


def _environment() -> dict[str, str]:
    """Without what makes uv ask another index than PyPI: the hashes have to be those of everybody's files."""
    return {name: value for name, value in os.environ.items() if not name.startswith("UV_")}


# --- checking --------------------------------------------------------------------------------------------------------


class Package(NamedTuple):
    """A locked package, and the hashes of its files."""

    requirement: Requirement
    hashes: frozenset[str]

    @property
    def name(self) -> str:
        """As indexes compare names."""
        return canonicalize_name(self.requirement.name)

    @property
    def version(self) -> str:
        """The one version."""
        (pin,) = self.requirement.specifier
        return pin.version


def check(project: Mapping[str, Any], texts: Mapping[str, str]) -> Iterator[str]:
    """What is wrong with the files, of which the contents are given by name, for what pyproject.toml holds."""
    locks: dict[str, tuple[Package, ...]] = {}
    for name in LOCKS:
        locks[name] = tuple(packages(texts.get(name, "")))
        if not (text := texts.get(name)):
            yield f"requirements/{name}.txt is missing"
        elif _left(text).strip():
            line = _left(text).strip().splitlines()[0]
            yield f"requirements/{name}.txt: `{line}` is no package at one version with hashes of its files"
    if not set(project["build-system"]["requires"]) <= set(project["dependency-groups"]["build"]):
        yield "pyproject.toml: the group `build` lacks something that `build-system` requires"
    for name, wanted in needed(project).items():
        yield from _not_locked(name, wanted, locks[name])
    everything = set(locks["development"])
    for name in LOCKS:
        for package in sorted(set(locks[name]) - everything, key=str):
            yield f"requirements/{name}.txt: {package.requirement} is otherwise in development.txt"


def packages(text: str) -> Iterator[Package]:
    """The packages of a file; what is none is passed over."""
    for found in _PACKAGE.finditer(text):
        try:
            requirement = Requirement(found["requirement"])
        except InvalidRequirement:
            continue
        if len(requirement.specifier) == 1:
            yield Package(requirement, frozenset(re.findall(r"[0-9a-f]{64}", found["hashes"])))


def needed(project: Mapping[str, Any]) -> dict[str, tuple[Requirement, ...]]:
    """What each of the files has to hold of what pyproject.toml names."""
    extras, own = project["project"]["optional-dependencies"], project["project"]["dependencies"]
    build = project["dependency-groups"]["build"]
    named = {
        "development": (*own, *(one for some in extras.values() for one in some), *build),
        "documentation": (*own, *extras["docs"]),
        "runtime": own,
        "build": build,
    }
    return {name: tuple(map(Requirement, some)) for name, some in named.items()}


def environments() -> Iterator[tuple[str, dict[str, str]]]:
    """The systems and Pythons for which the files count, and what markers ask about each."""
    for (system, facts), python in product(SYSTEMS.items(), PYTHONS):
        versions = {"python_version": python, "python_full_version": f"{python}.9"}
        cpython = {"implementation_name": "cpython", "platform_python_implementation": "CPython", "extra": ""}
        yield f"Python {python} on {system}", {**facts, **versions, **cpython}


def _left(text: str) -> str:
    """What of a file is neither a package nor a comment."""
    return re.sub(r"^#.*\n", "", _PACKAGE.sub("", text), flags=re.MULTILINE)


def _not_locked(name: str, wanted: tuple[Requirement, ...], locked: tuple[Package, ...]) -> Iterator[str]:
    for where, environment in environments():
        there = {one.name: one.version for one in locked if _counts(one.requirement, environment)}
        for requirement in wanted:
            version = there.get(canonicalize_name(requirement.name))
            if not _counts(requirement, environment):
                continue
            if version is None:
                yield f"requirements/{name}.txt: {requirement.name} is missing for {where}"
            elif not requirement.specifier.contains(version, prereleases=True):
                yield f"requirements/{name}.txt: {requirement.name} {version} is not in {requirement.specifier}"


def _counts(requirement: Requirement, environment: dict[str, str]) -> bool:
    return requirement.marker is None or requirement.marker.evaluate(environment)


def main(arguments: list[str]) -> int:
    """Write or check."""
    if arguments == ["write"]:
        return write()
    if arguments != ["check"]:
        print(__doc__, file=sys.stderr)
        return 2
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    texts = {file.stem: file.read_text(encoding="utf-8") for file in FOLDER.glob("*.txt")}
    wrong = list(dict.fromkeys(check(project, texts)))
    for line in wrong:
        print(line)
    if wrong:
        print("to mend it: make lock", file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
