"""The tree-sitter grammars, loaded when a file first needs one."""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import Sequence
from functools import lru_cache
from importlib.machinery import PathFinder
from importlib.util import module_from_spec
from time import monotonic, thread_time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tree_sitter import Language, Range, Tree

_PARSE_SECONDS = 2.0
"""CPU time that reading may take in which parsing still begins or goes on: this, and this again for every megabyte.
Usual code takes 0.1 s a megabyte to parse and 0.5 s to read."""
_CHUNK = 1 << 16
_SMALL = 1 << 15
"""Bytes. The trees of the last few programs up to that size are kept: who fixes one has just read it."""
_recent: deque[tuple[bytes, Language, Tree]] = deque(maxlen=4)

_PACKAGES = {
    "javascript": ("tree_sitter_javascript", "language"),
    "typescript": ("tree_sitter_typescript", "language_typescript"),
    "tsx": ("tree_sitter_typescript", "language_tsx"),
    "python": ("tree_sitter_python", "language"),
}


@lru_cache(maxsize=len(_PACKAGES))
def grammar(dialect: str) -> Language:
    """The grammar of a dialect: `javascript`, `typescript`, `tsx` or `python`."""
    from tree_sitter import Language

    package, name = _PACKAGES[dialect]
    return Language(getattr(_binding(package), name)())


def deadline(data: bytes) -> float:
    """Until when, in CPU time of this thread, the parsing of a file may go on that begins to be read now."""
    return thread_time() + _PARSE_SECONDS * (1 + len(data) / 1_000_000)


def parsed(data: bytes, language: Language, until: float, ranges: Sequence[Range] | None = None) -> Tree | None:
    """The tree of one program, or None if it is not done in time. Others may be given the same.

    Such a tree does not know its text: `node.text` crashes (tree-sitter 0.26.1).
    """
    if ranges is not None or len(data) > _SMALL:
        return _parsed(data, language, until, ranges)
    for known, spoken, tree in tuple(_recent):
        if known == data and spoken == language:
            return tree
    made = _parsed(data, language, until, None)
    if made is not None:
        _recent.append((data, language, made))
    return made


def _parsed(data: bytes, language: Language, until: float, ranges: Sequence[Range] | None) -> Tree | None:
    """The tree of one program, parsed now.

    tree-sitter goes quadratic on some hostile input: 300 kB of `/*a/*a` take minutes. It only asks whether to go on
    when it reads through a callback.
    """
    from tree_sitter import Parser

    view = memoryview(data)
    earliest = monotonic() + until - thread_time()

    def is_late(_offset: int, _has_error: bool) -> bool:
        # tree-sitter asks often, and the time of a thread is slow to get; before this moment it cannot have passed.
        return monotonic() > earliest and thread_time() > until

    try:
        return Parser(language, included_ranges=ranges).parse(
            lambda offset, _: view[offset : offset + _CHUNK], progress_callback=is_late
        )
    except ValueError:
        return None


def _binding(package: str) -> Any:
    """The extension module of a grammar.

    Its package's own `__init__` (tree-sitter's template, 0.23 to 0.25) offers the same functions but imports
    `importlib.resources` for queries that are never used here: a tenth of the time that a small file takes in all.
    """
    if package not in sys.modules:
        found = PathFinder.find_spec(package)
        inside = PathFinder.find_spec(f"{package}._binding", found.submodule_search_locations) if found else None
        if inside is not None and inside.loader is not None:
            module = module_from_spec(inside)
            inside.loader.exec_module(module)
            sys.modules[inside.name] = module
            return module
    import importlib

    return importlib.import_module(package)
