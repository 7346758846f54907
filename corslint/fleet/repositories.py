"""Which folders are the repositories of a fleet, and what each is called.

A list names one repository a line. A folder is one repository if something in it says so: `.git`, settings of corslint,
a package manifest, a compose file. Otherwise it is looked into: where something says so in one of its folders, each of
them is a repository; one that holds clones (`organisation/repository`), found by their `.git`, stands for these. Where
nothing says so it is one repository itself. Links are not followed, and folders whose names begin with a dot are passed
over: they belong to tools.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence

from corslint import report
from corslint.discovery import PACKAGES
from corslint.parsers import kind_of
from corslint.records import NamedTuple
from corslint.settings import FILES, UsageError

_DEPTH = 4
"""So many folders deep clones are looked for: `host/group/subgroup/repository`."""
_MOST_BYTES = 64 << 20
"""Of a list: a million paths."""
_MOST_WRONG = 10
"""Lines of a list that are named when they are wrong."""
_SIGNS = frozenset({".git", *FILES})
_SIGN_KINDS = frozenset({"manifest", "compose"})


class Repository(NamedTuple):
    """One repository: what it is called in reports, and its folder (absolute, without links)."""

    name: str
    path: str


def found(
    given: Sequence[str], cwd: str, without: str = "", say: Callable[[str], object] = lambda _: None
) -> list[Repository]:
    """The repositories that lists and folders stand for, each once, sorted by name.

    `without` is a folder (absolute) that is none, whatever it holds. `say` is told of a folder that is taken for one
    repository only because nothing tells of any. Names count from the list's folder, or from the
    folder that was given. Where two repositories would have the same name, each is named by its whole path.

    Raises:
        UsageError: nothing is there, a line of a list names no folder, or there is no repository at all.

    """
    left_out = os.path.realpath(without) if without else ""
    named: dict[str, str] = {}
    for one in given:
        for path, name in _of(one, cwd, say):
            real = os.path.realpath(path)
            if real != left_out:
                named.setdefault(real, report.neutral(name))
    if not named:
        raise UsageError(f"{report.listed(list(given))}: there is no repository")
    times = Counter(named.values())
    return sorted(Repository(name if times[name] == 1 else report.neutral(path), path) for path, name in named.items())


def _of(given: str, cwd: str, say: Callable[[str], object]) -> Iterable[tuple[str, str]]:
    """The repositories of an argument, each with its name."""
    if not given:  # an unset variable
        raise UsageError("a path is empty")
    path = os.path.normpath(os.path.join(cwd, given))
    if os.path.isdir(path):
        below = _below(path)
        if below == [path] and _is_unsaid(path):
            say(
                f"{report.shown_path(given)} counts as one repository: nothing in it or its folders tells of any; to"
                " check folders each alone, give each, or a file with one path a line"
            )
        return [(one, _name(one, path)) for one in below]
    if not os.path.lexists(path):
        raise UsageError(f"{given}: no such file or folder")
    return _listed(path, given)


def _name(path: str, base: str) -> str:
    """A path as it counts from a folder; the folder itself by its own name."""
    return os.path.basename(path) or path if path == base else os.path.relpath(path, base).replace(os.sep, "/")


# --- folders ---------------------------------------------------------------------------------------------------------


class _Seen(NamedTuple):
    """A folder: whether it has `.git`, whether anything says that it is a repository, and the folders in it."""

    has_git: bool
    says_so: bool
    inside: list[str]


def _below(folder: str) -> list[str]:
    """The repositories that a folder is, or holds."""
    seen = _look(folder)
    if seen.says_so:
        return [folder]
    groups = {one: _cloned(one, 1) for one in seen.inside}
    if not any(groups.values()) and not any(_look(one).says_so for one in seen.inside):
        return [folder]
    return [path for one, cloned in groups.items() for path in cloned or [one]]


def _is_unsaid(folder: str) -> bool:
    """Whether there are folders in one repository, and nothing says that it is one."""
    seen = _look(folder)
    return not seen.says_so and bool(seen.inside)


def _cloned(folder: str, depth: int) -> list[str]:
    """The repositories that a folder is or holds, if one of them has `.git`.

    Only that counts here: a folder `backend` with a manifest belongs to the folders beside it.
    """
    seen = _look(folder)
    if seen.says_so or depth == _DEPTH:
        return [folder] if seen.has_git else []
    groups = {one: _cloned(one, depth + 1) for one in seen.inside}
    if not any(groups.values()):
        return []
    return [path for one, cloned in groups.items() for path in cloned or [one]]


def _look(folder: str) -> _Seen:
    has_git = says_so = False
    inside = []
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                name = entry.name
                has_git = has_git or name == ".git"
                says_so = says_so or name in _SIGNS or kind_of(name) in _SIGN_KINDS
                if not name.startswith(".") and name not in PACKAGES and entry.is_dir(follow_symlinks=False):
                    inside.append(entry.path)
    except OSError:  # that it cannot be read is said when it is checked
        pass
    return _Seen(has_git, says_so, sorted(inside))


# --- lists -----------------------------------------------------------------------------------------------------------


def _listed(path: str, shown: str) -> list[tuple[str, str]]:
    base = os.path.dirname(path)
    named = []
    wrong = []
    for number, line in _lines(path, shown):
        try:
            folder = os.path.normpath(os.path.join(base, line))
            is_folder = os.path.isdir(folder)
        except ValueError:  # a null character
            is_folder = False
        if is_folder:
            named.append((folder, _name(folder, base)))
        else:
            wrong.append(f"{shown}:{number}: {line}: no such folder")
    if wrong:
        left = len(wrong) - _MOST_WRONG
        more = f"; and {report.counted(left, 'more line')}" if left > 0 else ""
        hint = " (paths count from the list's folder; `#` begins a comment)"
        raise UsageError("; ".join(wrong[:_MOST_WRONG]) + more + hint)
    if not named:
        raise UsageError(f"{shown}: the list names no repository: write one path a line")
    return named


def _lines(path: str, shown: str) -> Iterator[tuple[int, str]]:
    """The lines that name something, with their numbers."""
    try:
        with open(path, "rb") as stream:
            data = stream.read(_MOST_BYTES + 1)
    except OSError as error:
        raise UsageError(f"{shown}: {error.strerror or error}") from None
    if len(data) > _MOST_BYTES:
        raise UsageError(f"{shown}: too large for a list of repositories (the limit is {_MOST_BYTES >> 20} MB)")
    text = os.fsdecode(data.removeprefix(b"\xef\xbb\xbf"))
    for number, line in enumerate(text.split("\n"), 1):
        named = line.strip()
        if named and not named.startswith("#"):
            yield number, named
