"""Settings: `corslint.toml`, `.corslint.toml` or `[tool.corslint]` in `pyproject.toml`, the nearest one counts."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any, NamedTuple

FAIL_ON = ("error", "warning", "note", "never")
"""Thresholds for exit status 1, from least to most eager but for `never`."""

_FILES = ("corslint.toml", ".corslint.toml", "pyproject.toml")
_SIZE_LIMIT = 1 << 20


class UsageError(Exception):
    """Something the user asked for that cannot be done: exit status 2. The text names file and line where it can."""


class Settings(NamedTuple):
    """What a run was told. Paths are relative to the working directory.

    `pedantic` shows notes; it is implied by `fail_on == "note"` and by selecting rules. An empty `select` means every
    rule. `nginx_version` is the nginx that will run the configuration, where that is known; `nginx_paths` says which
    folder of the project lies where for nginx (`/etc/nginx/` -> `deploy/nginx`). `markdown`: nginx fences in Markdown
    are read, too. `frontends` are origins of pages that talk to this project. `source` is the file these settings come
    from, empty for none.
    """

    select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    rules: tuple[str, ...] = ()
    nginx_version: tuple[int, int, int] | None = None
    nginx_paths: tuple[tuple[str, str], ...] = ()
    markdown: bool = False
    frontends: tuple[str, ...] = ()
    include_tests: bool = False
    fail_on: str = "warning"
    pedantic: bool = False
    source: str = ""

    def implied(self) -> Settings:
        """These settings with what they imply spelled out."""
        return self._replace(pedantic=self.pedantic or self.fail_on == "note" or bool(self.select))


def load(folder: str, cwd: str) -> Settings:
    """The settings for `folder`: from the nearest settings file in it or above it, up to the top of its repository.

    Raises `UsageError` for a file that cannot be read, an unknown key, or a value of the wrong kind.
    """
    at = os.path.normpath(os.path.join(cwd, folder))
    while True:
        for name in _FILES:
            path = os.path.join(at, name)
            if os.path.isfile(path):
                found = _read(path, os.path.relpath(path, cwd).replace(os.sep, "/"), cwd)
                if found is not None:
                    return found
        parent = os.path.dirname(at)
        if parent == at or os.path.lexists(os.path.join(at, ".git")):
            return Settings()
        at = parent


def _read(path: str, shown: str, cwd: str) -> Settings | None:
    """The settings in one file; None for a `pyproject.toml` that holds none."""
    import tomllib

    shared = os.path.basename(path) == "pyproject.toml"
    try:
        with open(path, "rb") as stream:
            data = stream.read(_SIZE_LIMIT + 1)
    except OSError as error:
        raise UsageError(f"{shown}: cannot be read: {error.strerror}") from None
    if shared and b"corslint" not in data:
        return None
    if len(data) > _SIZE_LIMIT:
        raise UsageError(f"{shown}: larger than {_SIZE_LIMIT >> 20} MB")
    try:
        text = data.decode("utf-8-sig")
        document = tomllib.loads(text)
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise UsageError(f"{shown}:{line}: not UTF-8") from None
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        if shared and b"tool.corslint" not in data:
            return None  # broken, but not ours to complain about
        where = re.search(r" \(at line (\d+), column (\d+)\)$", str(error))
        place, reason = (f":{where[1]}:{where[2]}", str(error)[: where.start()]) if where else ("", str(error))
        raise UsageError(f"{shown}{place}: not valid TOML: {reason}") from None
    prefix = ("tool", "corslint") if shared else ()
    table = _inside(document, prefix)
    if table is None:
        return None

    def wrong(key: str, text_: str) -> UsageError:
        line = _line_of(text, (*prefix, key) if key else prefix)
        return UsageError(f"{shown}:{line}: {text_}")

    if not isinstance(table, dict):
        raise wrong("", "`tool.corslint` must be a table")
    try:
        settings = from_table(table)
    except _WrongKeyError as error:
        raise wrong(error.key, str(error)) from None
    folder = os.path.dirname(path)
    folders = []
    for name in settings.rules:
        there = os.path.normpath(os.path.join(folder, name))
        if not os.path.isdir(there):
            raise wrong("rules", f"`rules` names a folder that does not exist: {name}")
        folders.append(os.path.relpath(there, cwd).replace(os.sep, "/"))
    placed = tuple(
        (target, os.path.relpath(os.path.join(folder, source), cwd).replace(os.sep, "/"))
        for target, source in settings.nginx_paths
    )
    return settings._replace(rules=tuple(folders), nginx_paths=placed, source=shown)


class _WrongKeyError(UsageError):
    def __init__(self, key: str, message: str) -> None:
        super().__init__(message)
        self.key = key


def from_table(table: Mapping[str, object]) -> Settings:
    """The settings that the keys of a settings file stand for; folders are kept as written. Raises `UsageError`."""
    read: dict[str, Any] = {}
    for key, value in table.items():
        if key not in _KEYS:
            raise _WrongKeyError(key, f"unknown setting `{key}`" + _suggestion(key, _KEYS, "setting"))
        try:
            read[key.replace("-", "_")] = _KEYS[key](value)
        except ValueError as error:
            raise _WrongKeyError(key, f"`{key}` {error}") from None
    return Settings(**read)


def place(settings: Settings, cwd: str, key: str) -> str:
    """Where the settings file that `settings` come from says `key`: `corslint.toml:3`."""
    prefix = ("tool", "corslint") if os.path.basename(settings.source) == "pyproject.toml" else ()
    try:
        with open(os.path.join(cwd, settings.source), "rb") as stream:
            text = stream.read(_SIZE_LIMIT).decode("utf-8-sig")
    except (OSError, UnicodeDecodeError):  # it changed since it was read
        return settings.source
    return f"{settings.source}:{_line_of(text, (*prefix, key))}"


def near_name(name: str, known: Iterable[str]) -> str | None:
    """The known name that a misspelled one was most likely meant to be."""
    import difflib

    near = difflib.get_close_matches(name.replace("_", "-").lower(), list(known), n=1, cutoff=0.6)
    return near[0] if near else None


def _suggestion(name: str, known: Collection[str], what: str) -> str:
    """`; did you mean ...?` for a misspelled name, or else what is known."""
    near = near_name(name, known)
    return f"; did you mean `{near}`?" if near else f"; known {what}s: {', '.join(known)}"


def _inside(document: Any, keys: tuple[str, ...]) -> Any:
    for key in keys:
        if not isinstance(document, dict) or key not in document:
            return None
        document = document[key]
    return document


def _line_of(text: str, keys: tuple[str, ...]) -> int:
    """The line where the statement begins that first defines `keys`. TOML parsers keep no places, so ask one again."""
    import tomllib

    lines = text.split("\n")
    before = 0
    for count in range(1, len(lines) + 1):
        try:
            document = tomllib.loads("\n".join(lines[:count]) + "\n")
        except tomllib.TOMLDecodeError:
            continue
        if _inside(document, keys) is not None:
            return before + 1
        before = count
    return 1


def _texts(value: object) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise ValueError("must be a list of strings")
    return tuple(value)


def _boolean(value: object) -> bool:
    if not isinstance(value, bool):
        raise ValueError("must be true or false")
    return value


def _threshold(value: object) -> str:
    if not isinstance(value, str) or value not in FAIL_ON:
        raise ValueError(f"must be one of {', '.join(FAIL_ON)}")
    return value


def _version(value: object) -> tuple[int, int, int]:
    parts = re.fullmatch(r"(\d{1,4})\.(\d{1,4})(?:\.(\d{1,4}))?", value) if isinstance(value, str) else None
    if parts is None:
        raise ValueError('must be a version in quotes, like "1.28.0"')
    return int(parts[1]), int(parts[2]), int(parts[3] or 0)


def _origins(value: object) -> tuple[str, ...]:
    texts = _texts(value)
    for text in texts:
        if not re.fullmatch(r"[a-z][a-z0-9+.-]*://[^\s/?#@]+", text):
            raise ValueError(f"must list origins, like `https://app.example.com`; this is none: {text}")
    return texts


def _places(value: object) -> tuple[tuple[str, str], ...]:
    if not isinstance(value, dict) or not all(isinstance(folder, str) for folder in value.values()):
        raise ValueError('must be a table, like { "/etc/nginx/" = "deploy/nginx" }')
    for target, folder in value.items():
        if not target.startswith("/") or os.path.isabs(folder) or not folder:
            raise ValueError(f"must map absolute paths to folders of the project; this does not: {target} = {folder}")
    return tuple(sorted(value.items()))


_KEYS: dict[str, Callable[[object], object]] = {
    "select": _texts,
    "ignore": _texts,
    "rules": _texts,
    "nginx-version": _version,
    "nginx-paths": _places,
    "markdown": _boolean,
    "frontends": _origins,
    "include-tests": _boolean,
    "fail-on": _threshold,
}
