"""The built-in rules and descriptors, compiled once: reading and checking their YAML costs more than most runs.

A wheel brings what it was built with (`SHIPPED`), which counts as long as the YAML files are the same, byte for byte. A
checkout has none. In both, what was compiled or checked is kept in Python's own cache folder beside the package, under
the sizes and times of all files that it depends on, this package's code among them; where Python may not write byte
code, nothing is kept.
"""

from __future__ import annotations

import os
import sys
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from functools import lru_cache
from importlib.util import cache_from_source
from typing import Any

import click

from corslint import __version__, resources, snapshot
from corslint.frameworks.catalog import Catalog
from corslint.later import Later
from corslint.ruleset import Rule, RuleSet

SHIPPED = "knowledge.json"
"""In the package's folder: a line with the digest of the YAML files and a checksum, and the snapshot."""


OWN_KEPT = 16
"""So many sets of rules of users' own are remembered; the oldest are dropped."""


def load() -> tuple[RuleSet, Catalog]:
    """The built-in rules and descriptors, without their examples.

    Raises:
        YamlError: one of the files is not valid.

    """
    shipped = os.path.join(resources.PACKAGE, SHIPPED)
    kept = os.path.join(_cache_folder(), SHIPPED)
    state = _state()
    found = _read(kept, state)
    if found is None:
        found = _read(shipped, digest()) if os.path.exists(shipped) else None
        found = found or _built_in()
        if not sys.dont_write_bytecode:
            _keep(kept, _with_key(state, _snapshot(*found)))
    return found


def load_with(folders: Sequence[str]) -> tuple[RuleSet, Catalog]:
    """The same, and the rules in these folders of a user's own. They are compiled once for each of their contents.

    Raises:
        YamlError: one of the files is not valid, or two rules have one id.

    """
    rules, described = load()
    if not folders:
        return rules, described
    key = own_key(folders)
    name = f"own-{key[:16]}.json"
    found = _snapshot_in(os.path.join(_cache_folder(), name), f"{key} {_state()}")
    if found is not None:
        named, kinds = found
        order = sorted({*rules.rules, *named})
        joined = _Joined({one: named.get(one) for one in order}, rules.rules)
        return RuleSet(joined, {one: kinds[one] if one in kinds else rules.kinds[one] for one in order}), described
    from corslint import rulefiles

    whole = rulefiles.load(folders, known=rules)
    own = {one: rule for one, rule in whole.rules.items() if one not in rules.rules}
    if not sys.dont_write_bytecode:
        named = {one: Later([rule]) for one, rule in own.items()}
        text = snapshot.write((named, {one: whole.kinds[one] for one in own}))
        _keep(os.path.join(_cache_folder(), name), _with_key(f"{key} {_state()}", text))
        _drop_old_ones()
    return whole, described


def own_key(folders: Iterable[str]) -> str:
    """Identifies the contents of all rules in these folders; what cannot be read, or is no rule, says so elsewhere."""
    from corslint.cache import digest as short
    from corslint.rulefiles import MOST_BYTES

    parts: list[object] = []
    for folder in folders:
        try:
            names = sorted(name for name in os.listdir(folder) if name.endswith(".yaml"))
        except OSError as error:
            parts.append((folder, error.errno))
            continue
        for name in names:
            path = os.path.join(folder, name)
            try:
                with open(path, "rb") as stream:
                    parts.append((path, short(stream.read(MOST_BYTES + 1))))
            except OSError as error:
                parts.append((path, error.errno))
    return short(repr((os.getcwd(), parts)).encode())


def _cache_folder() -> str:
    """Python's own, beside the package."""
    return os.path.dirname(cache_from_source(os.path.join(resources.PACKAGE, SHIPPED), optimization=""))


def _drop_old_ones() -> None:
    with suppress(OSError):
        kept = [entry for entry in os.scandir(_cache_folder()) if entry.name.startswith("own-")]
        for entry in sorted(kept, key=lambda entry: entry.stat().st_mtime_ns)[:-OWN_KEPT]:
            os.unlink(entry.path)


def compiled() -> bytes:
    """What a wheel brings as `SHIPPED`."""
    return _with_key(digest(), _snapshot(*_built_in()))


def digest() -> str:
    """Identifies the contents of all built-in rules and descriptors, and the version that reads them."""
    from hashlib import sha256

    whole = sha256(__version__.encode())
    for path in sorted(os.path.join(folder, name) for folder, names in _yaml_files() for name in names):
        with open(path, "rb") as stream:
            data = stream.read()
        whole.update(f"{os.path.basename(path)} {len(data)} ".encode())
        whole.update(data)
    return whole.hexdigest()


def _built_in() -> tuple[RuleSet, Catalog]:
    from corslint import rulefiles
    from corslint.frameworks import descriptors

    rules = resources.rules_folder()
    return rulefiles.load([rules], [rules]), descriptors.load(resources.frameworks_folder(), examples=False)


def identity() -> str:
    """Identifies what decides how files are read: this package, Python, and the parsers that are installed."""
    from corslint.cache import digest as short

    installed = os.path.dirname(os.path.dirname(click.__file__))  # changes with every package that is installed there
    return short(repr((_state(), sys.version, installed, os.stat(installed).st_mtime_ns)).encode())


@lru_cache(maxsize=1)
def _state() -> str:
    """The names, sizes and times of all files that the compiled form depends on, and the Python that compiled it."""
    found = []
    for folder, names in (*_yaml_files(), *_code_files()):
        within = os.path.basename(folder)
        for name in names:
            stat = os.stat(f"{folder}{os.sep}{name}")
            found.append((within, name, stat.st_size, stat.st_mtime_ns))
    return repr((__version__, sorted(found)))


def _yaml_files() -> Iterator[tuple[str, list[str]]]:
    """The folders of rules and descriptors, each with the names of its files."""
    for folder in (resources.RULES, resources.FRAMEWORKS):
        yield folder, [name for name in os.listdir(folder) if name.endswith(".yaml")]


def _code_files() -> Iterator[tuple[str, list[str]]]:
    """The same of this package's code."""
    with os.scandir(resources.PACKAGE) as entries:
        below = [entry.path for entry in entries if entry.is_dir() and not entry.name.startswith("_")]
    for folder in (resources.PACKAGE, *below):
        yield folder, [name for name in os.listdir(folder) if name.endswith(".py")]


def _snapshot(rules: RuleSet, described: Catalog) -> bytes:
    """The snapshot of both; of a rule's path only the name, the folder is another one after installation."""
    named = {name: Later([rule._replace(path=os.path.basename(rule.path))]) for name, rule in rules.rules.items()}
    return snapshot.write((named, dict(rules.kinds), described))


class _Rules(Mapping[str, Rule]):
    """Rules by their ids, made when they are first asked for."""

    def __init__(self, named: Mapping[str, Later[Rule]]) -> None:
        self._named = named
        self._made: dict[str, Rule] = {}

    def __getitem__(self, name: str) -> Rule:
        if name not in self._made:
            (rule,) = self._named[name]
            self._made[name] = rule._replace(path=os.path.join(resources.RULES, rule.path))
        return self._made[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._named)

    def __len__(self) -> int:
        return len(self._named)

    def __contains__(self, name: object) -> bool:
        return name in self._named


class _Joined(Mapping[str, Rule]):
    """Rules of a user's own by their ids, made when they are first asked for, among those that are built in (None)."""

    def __init__(self, own: Mapping[str, Later[Rule] | None], built_in: Mapping[str, Rule]) -> None:
        self._own = own
        self._built_in = built_in

    def __getitem__(self, name: str) -> Rule:
        found = self._own[name]
        return self._built_in[name] if found is None else found[0]

    def __iter__(self) -> Iterator[str]:
        return iter(self._own)

    def __len__(self) -> int:
        return len(self._own)


def _with_key(key: str, data: bytes) -> bytes:
    """A file's content: under which key it is kept, and a checksum, since most of it is not looked at."""
    return f"{key} {zlib.crc32(data)}\n".encode() + data


def _read(path: str, key: str) -> tuple[RuleSet, Catalog] | None:
    """The rules and descriptors of a file if it was written under this key, and is whole."""
    found = _snapshot_in(path, key)
    if found is None:
        return None
    named, kinds, described = found
    return RuleSet(_Rules(named), kinds), described


def _snapshot_in(path: str, key: str) -> Any:
    """What a file holds if it was written under this key, and is whole; else None."""
    try:
        with open(path, "rb") as stream:
            head = stream.readline()
            data = stream.read()
        return snapshot.read(data) if head == f"{key} {zlib.crc32(data)}\n".encode() else None
    except (OSError, ValueError, snapshot.SnapshotError):
        return None


def _keep(path: str, data: bytes) -> None:
    """Write a file at once or not at all; that it cannot be written is no matter."""
    with suppress(OSError):
        os.makedirs(os.path.dirname(path), exist_ok=True)
        draft = f"{path}.{os.getpid()}"
        try:
            with open(draft, "wb") as stream:
                stream.write(data)
            os.replace(draft, path)
        finally:
            with suppress(FileNotFoundError):
                os.unlink(draft)
