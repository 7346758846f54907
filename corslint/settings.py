"""Settings: `corslint.toml`, `.corslint.toml` or `[tool.corslint]` in `pyproject.toml`; each file has its nearest ones.

`KEYS` is the one table of what may stand there: the JSON Schema and the documentation are made of it.
"""

from __future__ import annotations

import os
import posixpath
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from corslint.paths import relative
from corslint.records import NamedTuple
from corslint.regexes import regex

if TYPE_CHECKING:
    from pathspec import GitIgnoreSpec

FAIL_ON = ("error", "warning", "note", "never")
"""Thresholds for exit status 1, from least to most eager but for `never`."""

LEVELS = ("error", "warning", "note")
"""Severities that a rule may be given."""

CONFIDENCES = ("high", "medium", "low")

FILES = ("corslint.toml", ".corslint.toml", "pyproject.toml")
"""Names of settings files. Of several in one folder the first that holds settings counts."""

_SIZE_LIMIT = 1 << 20
_COMMAND_LINE = "--config"
_MOST_STARS = 3
"""So many `*` may one part of a pattern have, between two slashes."""

_MOST_FOLDERS = 4
"""So many `**` may a pattern have."""


class UsageError(Exception):
    """Something the user asked for that cannot be done: exit status 2. The text names file and line where it can."""


class Pattern(NamedTuple):
    """A pattern in the manner of `.gitignore`, and the folder that it counts from."""

    folder: str
    text: str


VERDICTS = ("allow", "block")


class Expectation(NamedTuple):
    """What a browser has to make of a request: `url` asked by a page of `origin`; `verdict` is one of `VERDICTS`.

    It stands in the file `source`, at the bytes from `start` to `end`; an empty source is the command line.
    """

    origin: str
    url: str
    verdict: str
    credentials: bool = False
    method: str = "GET"
    headers: tuple[str, ...] = ()
    source: str = ""
    start: int = 0
    end: int = 0


class Settings(NamedTuple):
    """What a run was told. Paths are relative to the working directory, with `/`.

    `pedantic` shows notes; it is implied by `fail_on == "note"` and by selecting rules. An empty `select` means every
    rule; `extend_select` are further ones, whose notes are shown. Rules may be named by a pattern with `*`.
    `per_file_ignores` are rules that are silent in some files; `severity` gives rules another one. Findings less sure
    than `min_confidence` are not shown. What `exclude` matches is not read at all; a path that was named is, unless
    `force_exclude`. `nginx_version` is the nginx that will run the configuration, where that is known; `nginx_paths`
    says which folder of the project lies where for nginx (`/etc/nginx/` -> `deploy/nginx`). `markdown`: nginx fences in
    Markdown are read, too. `frontends` are origins of pages that talk to this project; `expect` says what
    browsers have to make of requests.

    `cache_dir` is the folder of the cache, below that of the settings file; empty for the usual one.

    `source` is the file these settings come from, empty for none; `extended` are those that it builds on, nearest
    first. `nested` are settings of folders that have their own.
    """

    select: tuple[str, ...] = ()
    extend_select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    per_file_ignores: tuple[tuple[Pattern, tuple[str, ...]], ...] = ()
    severity: tuple[tuple[str, str], ...] = ()
    min_confidence: str = "low"
    exclude: tuple[Pattern, ...] = ()
    force_exclude: bool = False
    rules: tuple[str, ...] = ()
    nginx_version: tuple[int, int, int] | None = None
    nginx_paths: tuple[tuple[str, str], ...] = ()
    markdown: bool = False
    frontends: tuple[str, ...] = ()
    expect: tuple[Expectation, ...] = ()
    include_tests: bool = False
    fail_on: str = "warning"
    pedantic: bool = False
    cache_dir: str = ""
    source: str = ""
    extended: tuple[str, ...] = ()
    nested: tuple[tuple[str, Settings], ...] = ()

    def implied(self) -> Settings:
        """These settings with what they imply spelled out."""
        return self._replace(pedantic=self.pedantic or self.fail_on == "note" or bool(self.select))

    def of(self, path: str) -> Settings:
        """The settings of a file: those of the nearest folder that has its own."""
        around = [one for one in self.nested if _is_below(path, one[0])]
        return max(around, key=lambda one: len(one[0]))[1] if around else self

    def excludes(self, path: str) -> bool:
        """Whether a file, or a folder around it, is left out.

        The settings of a folder speak about what lies in it, down to the next folder with settings of its own.
        """
        if not self.exclude and not self.nested:
            return False
        around = sorted((one for one in self.nested if _is_below(path, one[0])), key=lambda one: len(one[0]))
        scopes = [("", self), *around]
        for number, (_, scope) in enumerate(scopes):
            inside = scopes[number + 1][0] + "/" if number + 1 < len(scopes) else path
            if scope.exclude and any_matches(scope.exclude, inside):
                return True
        return False


def any_matches(patterns: Iterable[Pattern], path: str) -> bool:
    """Whether one of the patterns matches a path, or a folder around it; later ones beginning with `!` take it back."""
    by_folder: dict[str, list[str]] = {}
    for pattern in patterns:
        by_folder.setdefault(pattern.folder, []).append(pattern.text)
    for folder, texts in by_folder.items():
        if _is_below(path, folder):
            below = path if folder == "." else posixpath.relpath(path, folder) + ("/" if path.endswith("/") else "")
            if _spec(tuple(texts)).match_file(below):
                return True
    return False


@lru_cache(maxsize=256)
def _spec(texts: tuple[str, ...]) -> GitIgnoreSpec:
    from pathspec import GitIgnoreSpec  # loads slowly, and few projects have patterns

    return GitIgnoreSpec.from_lines(texts)


def _is_below(path: str, folder: str) -> bool:
    """Whether a path, which may end in `/`, lies in a folder."""
    if folder == ".":
        return path != ".." and not path.startswith("../") and not os.path.isabs(path)
    if path.startswith(folder + "/"):
        return True
    return folder.endswith("..") and not posixpath.relpath(path, folder).startswith("..")


class Sources(NamedTuple):
    """Where settings are taken from.

    `file` stands in for all files that would be found; `lines` are settings written as TOML on the command line;
    `isolated`: no file is looked for.
    """

    file: str = ""
    lines: tuple[str, ...] = ()
    isolated: bool = False


def sources(config: Sequence[str], isolated: bool) -> Sources:
    """The sources that `--config` (a file, or `key = value`) and `--isolated` stand for. Raises `UsageError`."""
    lines = tuple(text for text in config if "=" in text and not os.path.isfile(text))
    files = [text for text in config if text not in lines]
    if len(files) > 1:
        raise UsageError(f"--config names two files, {files[0]} and {files[1]}: let one `extend` the other")
    if files and isolated:
        raise UsageError("--isolated and --config with a file exclude each other")
    if files and not os.path.isfile(files[0]):
        raise UsageError(f'--config: there is no file {files[0]!r}, and it is no setting like `fail-on = "error"`')
    return Sources(files[0] if files else "", lines, isolated)


# --- loading ---------------------------------------------------------------------------------------------------------


def load(folder: str, cwd: str, taken: Sources = Sources()) -> Settings:  # noqa: B008  (immutable)
    """The settings for `folder`: from the nearest settings file in it or above it, up to the top of its repository.

    Raises `UsageError` for a file that cannot be read, an unknown key, or a value of the wrong kind.
    """
    if taken.file:
        found = _read(os.path.join(cwd, taken.file), cwd, patterns_from=".")
    elif taken.isolated:
        found = None
    else:
        every = (_in_folder(at, cwd) for at in _upwards(folder, cwd))
        found = next((one for one in every if one is not None), None)
    return _with_lines(found or Settings(), taken.lines, cwd)


def load_tree(folder: str, root: str, paths: Iterable[str], cwd: str, taken: Sources = Sources()) -> Settings:  # noqa: B008
    """The settings for `folder`, with those of each folder around `paths`, below `root`, that has its own.

    What can only be said of a project as a whole (`WHOLE`) is gathered from all of them. Raises `UsageError`.
    """
    base = load(folder, cwd, taken)
    if taken.file or taken.isolated:
        return base
    nested: dict[str, Settings] = {}
    passed: set[str] = set()
    top = os.path.normpath(os.path.join(cwd, root))
    for start in sorted({path.rpartition("/")[0] for path in paths}):  # so that a folder is passed before those in it
        at = _absolute(start, cwd)
        while at not in passed:
            passed.add(at)
            own = _in_folder(at, cwd)
            if own is not None:
                nested[_shown(at, cwd)] = own
            if own is not None or at == top or at[: at.rfind(os.sep)] in passed or _is_top(at):
                break
            at = os.path.dirname(at)
    nested = {at: _with_lines(own, taken.lines, cwd) for at, own in sorted(nested.items()) if own.source != base.source}
    lies_in = posixpath.dirname(base.source) or "."
    if base.source and lies_in != root and _is_below(lies_in, root):
        nested[root] = load(root, cwd, taken)  # `folder` has settings that the rest has not
        nested[lies_in] = base
    return _gathered(base, nested, cwd)


def _upwards(folder: str, cwd: str) -> Iterator[str]:
    """The folder and those above it up to the top of its repository, as absolute paths."""
    at = os.path.normpath(os.path.join(cwd, folder))
    while True:
        yield at
        if _is_top(at):
            return
        at = os.path.dirname(at)


def _is_top(folder: str) -> bool:
    """Whether an absolute path is the top of a repository, or of everything."""
    return os.path.dirname(folder) == folder or os.path.lexists(f"{folder}/.git")


def _absolute(folder: str, cwd: str) -> str:
    """Where a folder lies that is shown like that; empty for the working directory."""
    if os.sep != "/" or cwd == "/" or folder.startswith((".", "/")):
        return os.path.normpath(os.path.join(cwd, folder))
    return f"{cwd}/{folder}" if folder else cwd


def _in_folder(folder: str, cwd: str) -> Settings | None:
    """The settings that lie in a folder."""
    for name in FILES:
        path = f"{folder}/{name}"
        # Nearly no folder has one, and `access` says so at a third of what an exception costs.
        if os.access(path, os.F_OK) and os.path.isfile(path):
            found = _read(os.path.normpath(path), cwd)
            if found is not None:
                return found
    return None


def _gathered(base: Settings, nested: Mapping[str, Settings], cwd: str) -> Settings:
    """The settings of a project whose folders have settings of their own."""
    every = [base, *(one for one in nested.values() if one.source != base.source)]
    one_of: dict[str, Settings] = {}
    for name in ("nginx_version", "nginx_paths"):
        for settings in every:
            if not getattr(settings, name):
                continue
            first = one_of.setdefault(name, settings)
            if getattr(first, name) != getattr(settings, name):
                key = name.replace("_", "-")
                places = [place(one, cwd, key) for one in (first, settings)]
                raise UsageError(
                    f"{places[1]}: `{key}` says otherwise than {places[0]}, but counts for a whole project"
                )
    return base._replace(
        rules=tuple(dict.fromkeys(rule for one in every for rule in one.rules)),
        frontends=tuple(dict.fromkeys(origin for one in every for origin in one.frontends)),
        expect=tuple(dict.fromkeys(expected for one in every for expected in one.expect)),
        nginx_version=one_of["nginx_version"].nginx_version if "nginx_version" in one_of else None,
        nginx_paths=one_of["nginx_paths"].nginx_paths if "nginx_paths" in one_of else (),
        nested=tuple(nested.items()),
    )


def _shown(path: str, cwd: str) -> str:
    """`path`, which is absolute and in its normal form, as it is shown."""
    start = cwd if cwd.endswith(os.sep) else cwd + os.sep
    if path.startswith(start) and ".." not in path and os.path.isabs(cwd):
        return os.path.normpath(path[len(start) :]).replace(os.sep, "/")
    return relative(path, cwd)


def _read(path: str, cwd: str, chain: tuple[str, ...] = (), patterns_from: str | None = None) -> Settings | None:
    """The settings in one file and those that it extends; None for a `pyproject.toml` that holds none.

    `chain` are the files that extend this one, outermost first. Patterns count from the outermost file's folder.
    """
    shown = _shown(path, cwd)
    document = _Document.read(path, shown)
    if document is None:
        return None
    around = patterns_from if patterns_from is not None else _shown(os.path.dirname(path), cwd)
    under = Settings()
    try:
        given = read_table(document.table)
        if "extend" in given:
            under = _extended(given["extend"], path, cwd, (*chain, os.path.realpath(path)), around)
    except _WrongKeyError as error:
        raise document.wrong(error.key, str(error)) from None
    folder = os.path.dirname(path)
    folders = []
    for name in given.get("rules", ()):
        there = os.path.normpath(os.path.join(folder, name))
        if not os.path.isdir(there):
            raise document.wrong("rules", f"`rules` names a folder that does not exist: {name}")
        folders.append(_shown(there, cwd))
    if "rules" in given:
        given["rules"] = tuple(folders)
    if "cache-dir" in given:
        there = os.path.normpath(os.path.join(folder, given["cache-dir"]))
        if not there.startswith(os.path.join(folder, "")):  # what a stranger's settings name is written to
            raise document.wrong("cache-dir", "`cache-dir` has to lie in the folder of the settings file")
        given["cache-dir"] = _shown(there, cwd)
    if "nginx-paths" in given:
        given["nginx-paths"] = tuple(
            (target, _shown(os.path.join(folder, source), cwd)) for target, source in given["nginx-paths"]
        )
    if "expect" in given:
        given["expect"] = document.placed(given["expect"])
    extended = (under.source, *under.extended) if under.source else ()
    return _over(under, given, around)._replace(source=shown, extended=extended)


def _extended(name: str, path: str, cwd: str, chain: tuple[str, ...], around: str) -> Settings:
    there = os.path.normpath(os.path.join(os.path.dirname(path), name))
    if os.path.realpath(there) in chain:
        start = chain.index(os.path.realpath(there))
        circle = " -> ".join(_shown(one, os.path.realpath(cwd)) for one in (*chain[start:], chain[start]))
        raise _WrongKeyError("extend", f"`extend` goes round in a circle: {circle}")
    if not os.path.isfile(there):
        raise _WrongKeyError("extend", f"`extend` names a file that does not exist: {name}")
    found = _read(there, cwd, chain, around)
    if found is None:
        raise _WrongKeyError("extend", f"`extend` names a file without `[tool.corslint]`: {name}")
    return found


def _over(under: Settings, given: Mapping[str, Any], folder: str) -> Settings:
    """The settings that a file's keys make of those it extends."""
    plain = {key.replace("-", "_"): value for key, value in given.items() if not KEYS[key].joined}
    made = under._replace(**plain)
    if "select" in given and "ignore" not in given:
        made = made._replace(ignore=())  # what is asked for by name beats what an extended file leaves out
    if "select" in given:
        made = made._replace(extend_select=())
    further = given.get("extend-select", ())
    if further:
        kept = made.ignore if "ignore" in given else tuple(name for name in made.ignore if name not in further)
        made = made._replace(ignore=kept, extend_select=(*made.extend_select, *further))
    excluded = [Pattern(folder, text) for text in given.get("exclude", ())]
    silent = [(Pattern(folder, text), rules) for text, rules in given.get("per-file-ignores", ())]
    silent_too = [(Pattern(folder, text), rules) for text, rules in given.get("extend-per-file-ignores", ())]
    return made._replace(
        ignore=(*made.ignore, *given.get("extend-ignore", ())),
        rules=tuple(dict.fromkeys((*under.rules, *given.get("rules", ())))),
        expect=(*under.expect, *given.get("expect", ())),
        severity=tuple({**dict(under.severity), **dict(given.get("severity", ()))}.items()),
        exclude=(
            *(excluded if "exclude" in given else under.exclude),
            *(Pattern(folder, text) for text in given.get("extend-exclude", ())),
        ),
        per_file_ignores=(*(silent if "per-file-ignores" in given else under.per_file_ignores), *silent_too),
    )


def _with_lines(settings: Settings, lines: Sequence[str], cwd: str) -> Settings:
    """The settings under those of the command line."""
    if not lines:
        return settings
    import tomllib

    for line in lines:
        try:
            given = read_table(tomllib.loads(line))
        except (ValueError, RecursionError) as error:
            raise UsageError(f"{_COMMAND_LINE} {line!r}: not valid TOML: {error}") from None
        except _WrongKeyError as error:
            raise UsageError(f"{_COMMAND_LINE} {line!r}: {error}") from None
        if "extend" in given:
            raise UsageError(f"{_COMMAND_LINE} {line!r}: name the file itself: --config FILE")
        for name in given.get("rules", ()):
            if not os.path.isdir(os.path.join(cwd, name)):
                raise UsageError(f"{_COMMAND_LINE} {line!r}: `rules` names a folder that does not exist: {name}")
        settings = _over(settings, given, ".")
    return settings


_EXPECT = regex(
    r"^[ \t]*(?P<head>\[\[[ \t]*(?:tool[ \t]*\.[ \t]*corslint[ \t]*\.[ \t]*)?expect[ \t]*\]\])", re.MULTILINE
)
"""The head of a table of `expect`."""


class _Document(NamedTuple):
    """A settings file: what stands in our table, and its text, which errors are placed in."""

    shown: str
    text: str
    prefix: tuple[str, ...]
    table: Mapping[str, object]
    marked: bool = False
    """Whether the file begins with a byte order mark, which the text lacks."""

    @classmethod
    def read(cls, path: str, shown: str) -> _Document | None:
        """The file, or None for a `pyproject.toml` that holds no settings. Raises `UsageError`."""
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
        except (ValueError, RecursionError) as error:
            if shared and b"tool.corslint" not in data:
                return None  # broken, but not ours to complain about
            where = re.search(r" \(at line (\d+), column (\d+)\)$", str(error))
            place, reason = (f":{where[1]}:{where[2]}", str(error)[: where.start()]) if where else ("", str(error))
            raise UsageError(f"{shown}{place}: not valid TOML: {reason}") from None
        prefix = ("tool", "corslint") if shared else ()
        table = _inside(document, prefix)
        if table is None:
            return None
        found = cls(shown, text, prefix, table, data.startswith(b"\xef\xbb\xbf"))
        if not isinstance(table, dict):
            raise found.wrong("", "`tool.corslint` must be a table")
        return found

    def placed(self, expectations: Sequence[Expectation]) -> tuple[Expectation, ...]:
        """The expectations with their places: the head of each table, or the line where the list begins."""
        heads = [found.span("head") for found in _EXPECT.finditer(self.text)]
        if len(heads) != len(expectations):
            lines = self.text.split("\n")
            number = self.line("expect") - 1
            start = sum(len(line) + 1 for line in lines[:number])
            heads = [(start, start + len(lines[number].rstrip()))] * len(expectations)
        before = 3 if self.marked else 0

        def offset(at: int) -> int:
            return before + len(self.text[:at].encode())

        return tuple(
            one._replace(source=self.shown, start=offset(start), end=offset(end))
            for one, (start, end) in zip(expectations, heads, strict=True)
        )

    def wrong(self, key: str, text: str) -> UsageError:
        """The error to raise about a key, with its place."""
        return UsageError(f"{self.shown}:{self.line(key)}: {text}")

    def line(self, key: str) -> int:
        """Where a key (`severity.a-rule` for one inside a table) stands."""
        return _line_of(self.text, (*self.prefix, *key.split(".", 1)) if key else self.prefix)


class _WrongKeyError(UsageError):
    def __init__(self, key: str, message: str) -> None:
        super().__init__(message)
        self.key = key


def from_text(path: str, text: str) -> Settings:
    """The settings that a file of that text stands for, with the places of what it expects. Raises `UsageError`."""
    import tomllib

    document = _Document(path, text, (), tomllib.loads(text))
    given = read_table(document.table)
    if "expect" in given:
        given["expect"] = document.placed(given["expect"])
    return _over(Settings(), given, ".")._replace(source=path)


def from_table(table: Mapping[str, object]) -> Settings:
    """The settings that the keys of a settings file stand for; folders are kept as written. Raises `UsageError`."""
    return _over(Settings(), read_table(table), ".")


def read_table(table: Mapping[str, object]) -> dict[str, Any]:
    """The values of a settings file, checked. Raises `UsageError`."""
    read: dict[str, Any] = {}
    for key, value in table.items():
        if key not in KEYS:
            raise _WrongKeyError(key, f"unknown setting `{key}`" + _suggestion(key, KEYS, "setting"))
        try:
            read[key] = KEYS[key].read(value)
        except ValueError as error:
            raise _WrongKeyError(key, f"`{key}` {error}") from None
    return read


def place(settings: Settings, cwd: str, key: str, name: str = "") -> str:
    """Where the settings say `key`: `corslint.toml:3`. With `name`, where `key` names that rule."""
    for source in (settings.source, *settings.extended):
        try:
            document = _Document.read(os.path.join(cwd, source), source)
        except UsageError:  # it changed since it was read
            continue
        if document is not None and key in document.table and (not name or _names(document.table[key], name)):
            within = document.table[key]
            inner = f"{key}.{name}" if isinstance(within, dict) and name in within else key
            return f"{source}:{document.line(inner)}"
    return settings.source


def _names(value: object, name: str) -> bool:
    if isinstance(value, dict):
        return name in value or any(_names(inner, name) for inner in value.values())
    return name in value if isinstance(value, list) else False


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
        except ValueError:
            continue
        if _inside(document, keys) is not None:
            return before + 1
        before = count
    return 1


# --- keys ------------------------------------------------------------------------------------------------------------


def _texts(value: object) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise ValueError("must be a list of strings")
    return tuple(value)


def _text(value: object) -> str:
    if not isinstance(value, str) or not value:
        raise ValueError("must be a string")
    return value


def _patterns(value: object) -> tuple[str, ...]:
    texts = _texts(value)
    for text in texts:
        _check_pattern(text)
    return texts


def _check_pattern(text: str) -> None:
    """A pattern may come from a stranger: one with many `*` takes for ever on a long name that it does not match."""
    if not text.strip():
        raise ValueError("holds an empty pattern")
    segments = text.split("/")
    if segments.count("**") > _MOST_FOLDERS or any(one.count("*") > _MOST_STARS for one in segments):
        raise ValueError(f"holds a pattern with too many `*`: {text}")


def _boolean(value: object) -> bool:
    if not isinstance(value, bool):
        raise ValueError("must be true or false")
    return value


def _one_of(words: tuple[str, ...]) -> Callable[[object], str]:
    def read(value: object) -> str:
        if not isinstance(value, str) or value not in words:
            raise ValueError(f"must be one of {', '.join(words)}")
        return value

    return read


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


_EXPECTED = ("from", "to", "credentials", "method", "headers", "verdict")


def _expectations(value: object) -> tuple[Expectation, ...]:
    if not isinstance(value, list) or not all(isinstance(one, dict) for one in value):
        raise ValueError("must be tables, like `[[expect]]` with `from`, `to` and `verdict` below it")
    return tuple(_expectation(one) for one in value)


def _expectation(table: Mapping[str, object]) -> Expectation:
    for key in table:
        if key not in _EXPECTED:
            raise ValueError(f"has an unknown key `{key}`" + _suggestion(key, _EXPECTED, "key"))
    for key in ("from", "to", "verdict"):
        if key not in table:
            raise ValueError(f"lacks `{key}`: each has `from`, `to` and `verdict`")
    origin, url, verdict = table["from"], table["to"], table["verdict"]
    if not isinstance(origin, str) or not re.fullmatch(r"null|https?://[^\s/?#@]+", origin):
        raise ValueError(
            f"needs as `from` the origin of a page, like `https://app.example.com`; this is none: {origin}"
        )
    if not isinstance(url, str) or not re.fullmatch(r"(?:https?|wss?)://[^\s/?#@]+(?:[/?]\S*)?", url):
        raise ValueError(f"needs as `to` an address, like `https://api.example.com/items`; this is none: {url}")
    if verdict not in VERDICTS:
        raise ValueError(f"needs as `verdict` one of {', '.join(VERDICTS)}")
    method = table.get("method", "GET")
    if not isinstance(method, str) or not re.fullmatch(r"[A-Za-z]+", method):
        raise ValueError("needs as `method` the name of one")
    try:
        credentials, headers = _boolean(table.get("credentials", False)), _texts(table.get("headers", []))
    except ValueError as error:
        raise ValueError(f"has a value that is not right: `credentials` or `headers` {error}") from None
    return Expectation(origin, url, str(verdict), credentials, method, headers)


def _places(value: object) -> tuple[tuple[str, str], ...]:
    if not isinstance(value, dict) or not all(isinstance(folder, str) for folder in value.values()):
        raise ValueError('must be a table, like { "/etc/nginx/" = "deploy/nginx" }')
    for target, folder in value.items():
        if not target.startswith("/") or os.path.isabs(folder) or not folder:
            raise ValueError(f"must map absolute paths to folders of the project; this does not: {target} = {folder}")
    return tuple(sorted(value.items()))


def _rules_by_pattern(value: object) -> tuple[tuple[str, tuple[str, ...]], ...]:
    if not isinstance(value, dict):
        raise ValueError('must be a table, like { "legacy/**" = ["wildcard-origin"] }')
    for pattern in value:
        _check_pattern(pattern)
    try:
        return tuple((pattern, _texts(rules)) for pattern, rules in value.items())
    except ValueError:
        raise ValueError('must give each pattern a list of rules, like { "legacy/**" = ["wildcard-origin"] }') from None


def _severities(value: object) -> tuple[tuple[str, str], ...]:
    if not isinstance(value, dict):
        raise ValueError('must be a table, like { "wildcard-origin" = "error" }')
    for rule, level in value.items():
        if level not in LEVELS:
            raise _WrongKeyError(
                f"severity.{rule}",
                f"`severity` of `{rule}` must be one of {', '.join(LEVELS)}; `ignore` leaves a rule out",
            )
    return tuple(value.items())


class Key(NamedTuple):
    """A key of a settings file: how its value is read, what kind of value that is, and what it says.

    `joined`: it is not simply put in the place of what an extended file says.
    """

    read: Callable[[object], object]
    kind: str
    doc: str
    joined: bool = False


KEYS: dict[str, Key] = {
    "extend": Key(_text, "text", "another settings file that these build on; relative to this one", joined=True),
    "select": Key(_texts, "rules", "only these rules; `*` stands for any part of a name"),
    "extend-select": Key(
        _texts, "rules", "these rules too, also where an extended file ignores them; their notes are shown", joined=True
    ),
    "ignore": Key(_texts, "rules", "all but these rules"),
    "extend-ignore": Key(_texts, "rules", "without these rules, beside those an extended file ignores", joined=True),
    "per-file-ignores": Key(
        _rules_by_pattern,
        "rules by pattern",
        "rules that say nothing in files that match a pattern; the files are read all the same",
        joined=True,
    ),
    "extend-per-file-ignores": Key(
        _rules_by_pattern, "rules by pattern", "the same, beside what an extended file says", joined=True
    ),
    "severity": Key(_severities, "severities", "another severity for a rule", joined=True),
    "min-confidence": Key(_one_of(CONFIDENCES), "confidence", "findings that are less sure are not shown"),
    "exclude": Key(
        _patterns, "patterns", "files and folders that are not read at all, in the manner of `.gitignore`", joined=True
    ),
    "extend-exclude": Key(_patterns, "patterns", "the same, beside what an extended file says", joined=True),
    "force-exclude": Key(
        _boolean, "boolean", "files that are named on the command line count like those found in a folder"
    ),
    "rules": Key(_texts, "texts", "folders with rules of your own (`*.yaml`); relative to this file", joined=True),
    "nginx-version": Key(_version, "version", "the nginx that will run the configuration; some defaults depend on it"),
    "nginx-paths": Key(_places, "places", "which folder of the project lies where for nginx"),
    "markdown": Key(_boolean, "boolean", "nginx configurations in Markdown files are read, too"),
    "frontends": Key(_origins, "origins", "origins of pages that talk to this project"),
    "expect": Key(
        _expectations, "expectations", "what browsers have to make of requests; checked on every run", joined=True
    ),
    "include-tests": Key(_boolean, "boolean", "findings in test files are shown"),
    "fail-on": Key(_one_of(FAIL_ON), "threshold", "the least severity that makes the exit status 1"),
    "pedantic": Key(_boolean, "boolean", "notes are shown"),
    "cache-dir": Key(_text, "text", "where readings of files are kept for the next run; in the folder of this file"),
}
