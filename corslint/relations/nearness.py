"""Which of several facts belongs to a file: the one in its package, or the one in the deepest folder that has any."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol

from corslint.model.facts import Fact


class Packages(Protocol):
    """Where code belongs."""

    def package_of(self, path: str) -> str:
        """The folder of the nearest manifest at or above a file; empty if there is none."""
        ...


def folder_of(path: str) -> str:
    """The folder that a file stands in; empty for the topmost."""
    return path.rpartition("/")[0]


class Nearest:
    """Says of any file which one of some facts belongs to it, with one look at the facts for all files.

    It is the only one there is; or the only one in the file's own package; or the only one below the deepest folder
    that holds the file and any of the facts at all. None: nothing tells them apart.
    """

    __slots__ = ("_all", "_below", "_own", "_packages")

    def __init__(self, packages: Packages, facts: Sequence[Fact]) -> None:
        self._packages = packages
        self._all = facts
        self._own: dict[str, list[Fact]] | None = None
        self._below: dict[str, dict[str, list[Fact]]] = {}

    def to(self, path: str) -> Fact | None:
        """The one that belongs to a file, if that is clear."""
        if len(self._all) <= 1:
            return self._all[0] if self._all else None
        package = self._packages.package_of(path)
        own = self._by_package().get(package, ()) if package else ()
        if len(own) == 1:
            return own[0]
        below = self._by_folder(package if own else "", own or self._all)
        folder = folder_of(path)
        while folder and folder not in below:
            folder = folder_of(folder)
        found = below.get(folder, ())
        return found[0] if len(found) == 1 else None

    def _by_package(self) -> dict[str, list[Fact]]:
        if self._own is None:
            self._own = {}
            for fact in self._all:
                self._own.setdefault(self._packages.package_of(fact.span.path), []).append(fact)
        return self._own

    def _by_folder(self, package: str, facts: Sequence[Fact]) -> dict[str, list[Fact]]:
        """The facts below each folder; of several no more than two."""
        if package not in self._below:
            below: dict[str, list[Fact]] = {}
            for fact in facts:
                for folder in _around(fact.span.path):
                    found = below.setdefault(folder, [])
                    if len(found) < 2:
                        found.append(fact)
            self._below[package] = below
        return self._below[package]


def _around(path: str) -> Iterator[str]:
    """The folders that a file stands in, from the innermost to the topmost."""
    folder = folder_of(path)
    while folder:
        yield folder
        folder = folder_of(folder)
    yield ""
