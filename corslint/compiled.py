"""The built-in rules and descriptors, compiled once: reading and checking their YAML costs more than most runs.

A wheel brings what it was built with (`SHIPPED`), which counts as long as the YAML files are the same, byte for byte. A
checkout has none. In both, what was compiled or checked is kept in Python's own cache folder beside the package, under
the sizes and times of all files that it depends on, this package's code among them; where Python may not write byte
code, nothing is kept.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import suppress
from functools import lru_cache
from importlib.util import cache_from_source
from pathlib import Path

import click

from corslint import __version__, resources, ruleset, snapshot
from corslint.frameworks import catalog
from corslint.frameworks.catalog import Catalog
from corslint.ruleset import RuleSet

SHIPPED = "knowledge.json"
"""In the package's folder: a line with the digest of the YAML files, and the snapshot."""
_PACKAGE = Path(__file__).parent


def load() -> tuple[RuleSet, Catalog]:
    """The built-in rules and descriptors, without their examples.

    Raises:
        YamlError: one of the files is not valid.

    """
    kept = Path(cache_from_source(str(_PACKAGE / SHIPPED), optimization="")).with_name(SHIPPED)
    state = _state()
    found = _read(kept, state)
    if found is None:
        found = _read(_PACKAGE / SHIPPED, digest()) if (_PACKAGE / SHIPPED).exists() else None
        found = found or _built_in()
        if not sys.dont_write_bytecode:
            _keep(kept, f"{state}\n{_snapshot(*found)}")
    return found


def compiled() -> str:
    """What a wheel brings as `SHIPPED`."""
    return f"{digest()}\n{_snapshot(*_built_in())}"


def digest() -> str:
    """Identifies the contents of all built-in rules and descriptors, and the version that reads them."""
    from hashlib import sha256

    whole = sha256(__version__.encode())
    for path in sorted(_yaml_files()):
        data = Path(path).read_bytes()
        whole.update(f"{os.path.basename(path)} {len(data)} ".encode())
        whole.update(data)
    return whole.hexdigest()


def _built_in() -> tuple[RuleSet, Catalog]:
    rules = resources.rules_folder()
    return ruleset.load([rules], [rules]), catalog.load(resources.frameworks_folder(), examples=False)


def identity() -> str:
    """Identifies what decides how files are read: this package, Python, and the parsers that are installed."""
    from corslint.cache import digest as short

    installed = os.path.dirname(os.path.dirname(click.__file__))  # changes with every package that is installed there
    return short(repr((_state(), sys.version, installed, os.stat(installed).st_mtime_ns)).encode())


@lru_cache(maxsize=1)
def _state() -> str:
    """The names, sizes and times of all files that the compiled form depends on, and the Python that compiled it."""
    files = (*_yaml_files(), *(path for folder in _folders() for path in _files_in(folder, ".py")))
    stats = ((path, os.stat(path)) for path in sorted(files))
    return repr((__version__, [(path, stat.st_size, stat.st_mtime_ns) for path, stat in stats]))


def _yaml_files() -> Iterator[str]:
    for folder in (resources.rules_folder(), resources.frameworks_folder()):
        yield from _files_in(str(folder), ".yaml")


def _folders() -> Iterator[str]:
    yield str(_PACKAGE)
    with os.scandir(_PACKAGE) as entries:
        yield from (entry.path for entry in entries if entry.is_dir() and not entry.name.startswith("_"))


def _files_in(folder: str, suffix: str) -> Iterable[str]:
    return [os.path.join(folder, name) for name in os.listdir(folder) if name.endswith(suffix)]


def _snapshot(rules: RuleSet, described: Catalog) -> str:
    """The snapshot of both; of a rule's path only the name, the folder is another one after installation."""
    named = {name: rule._replace(path=os.path.basename(rule.path)) for name, rule in rules.rules.items()}
    return snapshot.write((named, described))


def _read(file: Path, key: str) -> tuple[RuleSet, Catalog] | None:
    """What a file holds if it was written under this key, and is whole."""
    try:
        written, _, text = file.read_text(encoding="utf-8").partition("\n")
        if written != key:
            return None
        named, described = snapshot.read(text)
    except (OSError, ValueError, snapshot.SnapshotError):
        return None
    folder = str(resources.rules_folder())
    return RuleSet(
        {name: rule._replace(path=os.path.join(folder, rule.path)) for name, rule in named.items()}
    ), described


def _keep(file: Path, text: str) -> None:
    """Write a file at once or not at all; that it cannot be written is no matter."""
    with suppress(OSError):
        file.parent.mkdir(exist_ok=True)
        draft = file.with_name(f"{file.name}.{os.getpid()}")
        try:
            draft.write_text(text, encoding="utf-8")
            draft.replace(file)
        finally:
            draft.unlink(missing_ok=True)
