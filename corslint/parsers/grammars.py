"""The tree-sitter grammars, loaded when a file first needs one."""

from __future__ import annotations

import sys
from functools import lru_cache
from importlib.machinery import PathFinder
from importlib.util import module_from_spec
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tree_sitter import Language

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
