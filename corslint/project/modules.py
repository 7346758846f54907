"""Which file of the project an import means. Pure name arithmetic over the set of files that exist."""

from __future__ import annotations

import posixpath
from collections.abc import Collection, Mapping

_JAVASCRIPT_ENDINGS = (".js", ".ts", ".tsx", ".jsx", ".mjs", ".cjs", ".mts", ".cts", ".vue", ".svelte")
_SWAPPED = {".js": (".ts", ".tsx"), ".mjs": (".mts",), ".cjs": (".cts",), ".jsx": (".tsx",)}


class Modules:
    """Finds the file behind an import. `files` are paths relative to the working directory; `root` bounds the search.

    `packages` maps the names of packages that live in the project (npm workspaces) to their folders.
    """

    def __init__(self, root: str, files: Collection[str], packages: Mapping[str, str] | None = None) -> None:
        self._root = "" if root == "." else root
        self._files = files
        self._packages = packages or {}
        self._found: dict[tuple[str, str, bool], str | None] = {}
        self._folders: dict[str, str] = {}
        self._python_folders: frozenset[str] | None = None

    def find(self, module: str, importer: str, language: str) -> str | None:
        """The file that `module` means in the file `importer`, or None for a package from outside."""
        folder = self._folders.get(importer)
        if folder is None:
            folder = self._folders[importer] = posixpath.dirname(importer)
        key = module, folder, language == "python"
        if key not in self._found:
            self._found[key] = self._python(module, folder) if key[2] else self._javascript(module, folder)
        return self._found[key]

    def may_hold(self, package: str) -> bool:
        """Whether a module of a Python package may be a file of the project: a folder there has its name."""
        if self._python_folders is None:
            folders = {posixpath.dirname(path) for path in self._files if path.endswith(".py")}
            self._python_folders = frozenset(part for folder in folders for part in folder.split("/"))
        return package.partition(".")[0] in self._python_folders

    def _javascript(self, module: str, folder: str) -> str | None:
        if module.startswith("."):
            return self._javascript_file(posixpath.normpath(posixpath.join(folder, module)))
        if module.startswith(("@/", "~/", "src/")):
            return self._aliased(module.removeprefix("@/").removeprefix("~/"), folder)
        if module.startswith("$lib/") or module == "$lib":
            return self._aliased(module.removeprefix("$"), folder)
        if module in self._packages:
            return self._javascript_file(self._packages[module])
        return None

    def _aliased(self, rest: str, folder: str) -> str | None:
        """`@/x` and `~/x` mean `src/x` or `x` of the nearest folder above that has it (vite, Next.js, Vue CLI).

        So does `$lib` of SvelteKit mean `src/lib`: https://svelte.dev/docs/kit/$lib.
        """
        while True:
            for base in (posixpath.join(folder, "src"), folder):
                found = self._javascript_file(posixpath.normpath(posixpath.join(base, rest)))
                if found is not None:
                    return found
            if folder in ("", self._root):
                return None
            folder = posixpath.dirname(folder)

    def _javascript_file(self, path: str) -> str | None:
        if path in self._files:
            return path
        stem, ending = posixpath.splitext(path)
        for swapped in _SWAPPED.get(ending, ()):  # TypeScript imports name the compiled file
            if stem + swapped in self._files:
                return stem + swapped
        for candidate in _JAVASCRIPT_ENDINGS:
            if path + candidate in self._files:
                return path + candidate
        for candidate in _JAVASCRIPT_ENDINGS:
            index = posixpath.join(path, "index" + candidate)
            if index in self._files:
                return index
        return None

    def _python(self, module: str, folder: str) -> str | None:
        if module.startswith("."):
            rest = module.lstrip(".")
            for _ in range(len(module) - len(rest) - 1):
                folder = posixpath.dirname(folder)
            return self._python_file(posixpath.join(folder, *rest.split(".")) if rest else folder)
        parts = module.split(".")
        while True:
            found = self._python_file(posixpath.join(folder, *parts))
            if found is not None:
                return found
            if folder in ("", self._root):
                return None
            folder = posixpath.dirname(folder)

    def _python_file(self, path: str) -> str | None:
        path = posixpath.normpath(path)
        for candidate in (path + ".py", posixpath.join(path, "__init__.py")):
            if candidate in self._files:
                return candidate
        return None
