"""Which files: those asked for (LINT), and those read beside them only so that joins across files work (CONTEXT).

Strangers' trees are walked here. Nothing is executed, no link is followed out of the root, nothing is passed over
without being counted, and every error that the system reports becomes part of the answer.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, TypeAlias

from corslint import cache as cache_
from corslint.cache import Cache
from corslint.git import TRACKED, UNTRACKED, begin, git, has_few_files, has_many_files, is_in_work_tree
from corslint.parsers import (
    SNIFFED,
    Kind,
    is_found_by_content,
    kind_by_content,
    kind_of,
    kinds_as_written,
    kinds_of,
    written,
)
from corslint.paths import native, relative, spelled
from corslint.records import NamedTuple
from corslint.regexes import regex
from corslint.settings import UsageError

if TYPE_CHECKING:
    from pathspec import GitIgnoreSpec

SIZE_LIMIT = 1 << 20
"""Bytes. Larger source files are passed over: they are bundles and data, and took half the time of a run."""

NAMED_SIZE_LIMIT = 4 << 20
"""Bytes. The limit for a file that was named on the command line; a larger one is unreadable, not passed over."""

MANIFEST_SIZE_LIMIT = 32 << 20
"""Bytes. Lock files of large projects have tens of megabytes."""

PACKAGES = frozenset({"node_modules", "bower_components", "jspm_packages", ".yarn", ".venv", "site-packages", "vendor"})
_ENVIRONMENT = "virtual environment"
_IGNORED_FOLDERS = frozenset({".git", ".hg", ".svn", cache_.FOLDER})
_NO_CACHE = Cache()
_MANY = 1 << 30
"""Files: more than so few that to keep anything of them does not pay."""

_TEST_FOLDERS = frozenset({"test", "tests", "__tests__", "spec", "e2e", "cypress", "playwright"})
_OTHER_TEST_WORDS = tuple(word for word in sorted(_TEST_FOLDERS) if "test" not in word and "spec" not in word)
_TEST_NAME = regex(r"\.(?:[\w-]+-)?(?:test|spec)\.[^.]+$|^test_.*\.py$|_test\.py$|^conftest\.py$")

_MINIFIED_NAME = regex(r"[.-]min\.[cm]?js$")
_SNIFFED_KINDS = ("javascript", "typescript", "tsx")
_SNIFF_FROM = 4096

_DANGLING = "link to a file that does not exist"
_LOOPING = "link that leads back to itself"


class Context(NamedTuple):
    """One tree of files that belong together. Paths are relative to the working directory, with `/`.

    `lint`: what was asked for, readable or not. `files`: what can be read of it, and what is read beside it, sorted.
    `in_tests`: those of `files` that match the test-file patterns below `root` and were not named. `passed_over`: how
    many were not read, by reason; installed packages count once per folder. `unreadable`: path to reason.
    `settings_at`: the folder from which settings are looked for upwards. `as_found`: naming a file did not ask for
    more than to check it; it counts as if it were found in a folder. `cache`: what the last run knew of the files.
    """

    root: str
    lint: frozenset[str]
    files: tuple[str, ...]
    in_tests: frozenset[str]
    passed_over: Mapping[str, int]
    unreadable: Mapping[str, str]
    settings_at: str
    as_found: bool = False
    cache: Cache = _NO_CACHE

    def changed(self) -> Context:
        """The context, after its files were changed: nothing that was known of them counts."""
        return self._replace(cache=_NO_CACHE)


class _Listing(NamedTuple):
    """Candidate files of a folder, relative to it; directories that could not be read, with the reason.

    `statuses`: those of files, as far as they are known. `tracked`: the files that git keeps, with what names say.
    `said`: the answer of git in which these stand. `known`: what the last run made of that answer; then only files that
    may be read are among those tracked. `is_plain`: there is no other repository in it.
    """

    files: list[str]
    unreadable: dict[str, str]
    statuses: Mapping[str, os.stat_result] = {}
    tracked: Mapping[str, Kind | None] = {}
    said: bytes = b""
    known: cache_.Listing | None = None
    is_plain: bool = False


Remember: TypeAlias = Callable[[str, int], Cache]
"""Gives what is known of the files below a folder (an absolute path), of which there are so many."""


def _forget(_root: str, _files: int) -> Cache:
    return _NO_CACHE


def _nothing() -> None:
    pass


def contexts(
    paths: Sequence[str],
    cwd: str,
    *,
    as_found: bool = False,
    remember: Remember = _forget,
    meanwhile: Callable[[], None] = _nothing,
) -> list[Context]:
    """The contexts of the paths named by a user, folders first, each in the order in which they were named.

    A folder is a context of its own, unless it lies in another folder that was named. A file belongs to the folder
    named around it, or else to its repository. Raises `UsageError` for a path that does not exist.

    A file that is named is read whatever it is: one that git ignores, a test, a bundle. With `as_found` it is not: a
    program that names every file does not ask for that. `remember` gives what the last run knew. `meanwhile` is called
    where there are files and git looks for further ones: what is to be done anyway is best done then.
    """
    folders: list[str] = []
    files: list[str] = []
    cwd = spelled(cwd)
    for path in paths:
        if not path:  # an unset variable; taken for the working directory it would check what nobody meant
            raise UsageError("a path is empty")
        full = spelled(os.path.normpath(os.path.join(cwd, path)))
        if not os.path.lexists(full):
            raise UsageError(f"{path}: no such file or folder")
        (folders if os.path.isdir(full) else files).append(full)
    roots = _outermost(folders)
    whole: dict[str, set[str]] = {root: set() for root in roots}
    parts: dict[str, set[str]] = {}
    for path in (*folders, *files):
        around = next((root for root in roots if _inside(path, root)), None)
        if around is None:
            parts.setdefault(_repository(os.path.dirname(path), cwd), set()).add(path)
        elif path != around:
            whole[around].add(path)
    return [
        *(_context(root, names, True, cwd, as_found, remember, meanwhile) for root, names in whole.items()),
        *(_context(root, names, False, cwd, as_found, remember, meanwhile) for root, names in parts.items()),
    ]


def standing_in(path: str, data: bytes, cwd: str, *, as_found: bool = False, remember: Remember = _forget) -> Context:
    """The context of a file whose content is `data`, whatever is on the disk, and if nothing is: its repository."""
    cwd = spelled(cwd)
    full = spelled(os.path.normpath(os.path.join(cwd, path)))
    if os.path.isdir(full):
        raise UsageError(f"{path} is a folder: standard input stands in for a file")
    around = _context(_repository(os.path.dirname(full), cwd), {full}, False, cwd, as_found, remember)
    shown = _below(full, cwd)
    limit = MANIFEST_SIZE_LIMIT if kind_of(path) == "manifest" else NAMED_SIZE_LIMIT
    if kind_by_content(path, data[:SNIFFED]) is None:
        files = frozenset(around.files) - {shown}
        asked, passed_over, unreadable = frozenset[str](), {"unknown kind": 1}, dict[str, str]()
    else:
        files = frozenset((*around.files, shown))
        asked, passed_over = frozenset((shown,)), {}
        unreadable = {shown: _too_large(len(data), limit)} if len(data) > limit else {}
    is_in_tests = as_found and is_test(_below(full, os.path.normpath(os.path.join(cwd, around.root))))
    in_tests = around.in_tests - {shown} | (asked if is_in_tests else frozenset())
    return around._replace(
        lint=asked,
        files=tuple(sorted(files - unreadable.keys())),
        in_tests=in_tests,
        passed_over=passed_over,
        unreadable=unreadable,
    )


def without_excluded(context: Context, excludes: Callable[[str], bool], named: Iterable[str], cwd: str) -> Context:
    """The context without the files that `excludes` says are left out, but for those `named`, and those in them."""
    kept = [_below(spelled(os.path.normpath(os.path.join(cwd, path))), cwd) for path in named]

    def is_out(path: str) -> bool:
        return excludes(path) and not any(path == one or (_inside(path, one) and excludes(f"{one}/")) for one in kept)

    out = {path for path in (*context.files, *context.unreadable) if is_out(path)}
    if not out:
        return context
    passed_over = dict(context.passed_over)
    passed_over["excluded"] = len(out & context.lint)
    return context._replace(
        lint=context.lint - out,
        files=tuple(path for path in context.files if path not in out),
        in_tests=context.in_tests - out,
        unreadable={path: reason for path, reason in context.unreadable.items() if path not in out},
        passed_over={reason: count for reason, count in sorted(passed_over.items()) if count},
    )


def is_part(root: str) -> bool:
    """Whether a folder is a part of a larger git repository."""
    return not os.path.lexists(os.path.join(root, ".git")) and is_in_work_tree(root)


def read_file(path: str, limit: int = MANIFEST_SIZE_LIMIT) -> bytes:
    """The content of a regular file. Raises `OSError` when it cannot be read, is no file, or exceeds `limit` bytes.

    It never waits: a pipe or a device in a stranger's tree is not read.
    """
    handle = os.open(path, _READING)
    try:
        status = os.fstat(handle)
        if not stat.S_ISREG(status.st_mode):
            raise OSError(0, "not a regular file", path)
        size = status.st_size
        if size > limit:
            raise OSError(0, _too_large(size, limit), path)
        data = os.read(handle, size + 1)
        if len(data) == size:  # whole, as most are at once
            return data
        pieces = [data]
        left = limit - len(data)
        while left > 0 and (piece := os.read(handle, min(left, 1 << 20))):
            pieces.append(piece)
            left -= len(piece)
        return b"".join(pieces)[:limit]
    finally:
        os.close(handle)


_READING = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)


def is_test(path: str) -> bool:
    """Whether a path, relative to the root of its context, matches the test-file patterns."""
    if "test" not in path and "spec" not in path:
        for word in _OTHER_TEST_WORDS:
            if word in path:
                break
        else:
            return False
    *folders, name = path.split("/")
    return not _TEST_FOLDERS.isdisjoint(folders) or _TEST_NAME.search(name) is not None


def is_minified(data: bytes) -> bool:
    """Whether a script was written by a machine for machines: mostly very long lines that are dense with code."""
    long = [line for line in data.split(b"\n") if len(line) > 500]
    size = sum(map(len, long))
    if size * 2 < len(data) or not size:
        return False
    # A long line of data, an embedded image for one, has hardly any of these.
    return sum(line.count(mark) for line in long for mark in (b"(", b")", b"{", b"}", b";")) * 33 > size


def _context(
    root: str,
    named: set[str],
    whole: bool,
    cwd: str,
    as_found: bool,
    remember: Remember,
    meanwhile: Callable[[], None] = _nothing,
) -> Context:
    """`whole`: the root itself was named, so all of it is asked for; else only the files in `named` are."""
    passed_over: dict[str, int] = {}
    reasons: dict[str, str] = {}
    unreadable: dict[str, str] = {}
    found: dict[str, str] = {}
    """The files that are read, and their paths from the root."""
    real_root = os.path.realpath(root)
    folders = sorted(path for path in named if os.path.isdir(path))

    # Of a tree with many files the last run may know which of them are read: it is asked before they are looked at.
    early = remember(root, _MANY) if has_many_files(root) and not folders else _NO_CACHE
    listing = _list(root, meanwhile, early)
    for folder in folders:  # read even where git ignores it, or where it lies among packages
        prefix = _below(folder, root)
        if not any(name.startswith(f"{prefix}/") and not name.endswith("/") for name in listing.files):
            below = _list(folder)
            listing.files.extend(f"{prefix}/{name}" for name in below.files)
            listing.unreadable.update({f"{prefix}/{name}": reason for name, reason in below.unreadable.items()})
    unreadable.update(
        {os.path.normpath(os.path.join(root, name)): reason for name, reason in listing.unreadable.items()}
    )
    cache = remember(root, len(listing.files))
    if _brings(listing.said, root, cache):
        cache = _NO_CACHE

    kinds = _kinds(listing)
    packages = dict[str, str]()
    readable = _without_packages(listing, kinds, packages, [_below(folder, root) for folder in folders], early)
    for called in packages.values():
        _count(passed_over, called)
    shown_as = _shown_below(root, cwd)
    start, is_native = root if root.endswith(os.sep) else root + os.sep, os.sep == "/"
    readable = list(readable)
    sifter = _Sifter(real_root, kinds, _linked(start, readable), unreadable, cache, shown_as)
    known = listing.statuses.get
    for name in readable:
        path = start + (name if is_native else native(name))
        if path in named and not as_found:
            continue
        refused = sifter.refused(name, path, known(name))
        if refused is None:
            found[path] = name
        elif refused:
            _count(passed_over, refused)
            reasons[path] = refused
    if not whole:  # nobody asked about the neighbours
        passed_over = {}
        unreadable = {path: reason for path, reason in unreadable.items() if as_found and path in named}
    asked = set(found) if whole else named & found.keys()

    for path in named.difference(folders, asked, unreadable):
        if as_found:
            if not whole:
                _count(passed_over, reasons.get(path, "excluded" if kind_of(path) else "unknown kind"))
            continue
        if os.path.isfile(path) and (kind_of(path) is None or (is_found_by_content(path) and not _recognised(path))):
            _count(passed_over, "unknown kind")
            continue
        reason = _named_file_refused(path)
        if reason is None:
            found[path] = _below(path, root)
            asked.add(path)
        else:
            unreadable[path] = reason

    def in_tests(path: str, name: str) -> bool:
        if path in named and not as_found:
            return False
        base = next((folder for folder in reversed(folders) if _inside(path, folder)), None)
        return is_test(name if base is None else _below(path, base))

    shown = {path: shown_as(path, name) for path, name in found.items()}
    files = tuple(sorted(shown.values()))
    shown.update((path, _below(path, cwd)) for path in unreadable)
    tests = ((path, name) for path, name in found.items() if (in_tests(path, name) if named else is_test(name)))
    return Context(
        root=_below(root, cwd),
        lint=frozenset(
            shown.values() if len(asked) == len(found) else (shown[path] for path in asked.union(unreadable))
        ),
        files=files,
        in_tests=frozenset(shown[path] for path, _ in tests),
        passed_over=dict(sorted(passed_over.items())),
        unreadable={shown[path]: reason for path, reason in sorted(unreadable.items())},
        settings_at=_below(root if whole else os.path.commonpath([os.path.dirname(path) for path in named]), cwd),
        as_found=as_found,
        cache=cache,
    )


def _brings(said: bytes, root: str, cache: Cache) -> bool:
    """Whether a repository, of which git said that, brings a cache along: what stands in that is a stranger's word."""
    if cache.folder is None:
        return False
    *around, folder = _with_folders_above(_below(cache.folder, root))
    if b"\t%s/" % os.fsencode(folder) in said:
        return True
    return any(b"\t%s\0" % os.fsencode(one) in said for one in (*around, folder))  # or another one that it lies in


def _with_folders_above(folder: str) -> list[str]:
    parts = folder.split("/")
    return ["/".join(parts[: number + 1]) for number in range(len(parts))]


def _below(path: str, folder: str) -> str:
    """`path` relative to `folder`, with `/`. Both are absolute and in their normal form."""
    start = folder if folder.endswith(os.sep) else folder + os.sep
    below = path[len(start) :] if path.startswith(start) else ""
    return below.replace(os.sep, "/") if below else relative(path, folder)


def _shown_below(root: str, cwd: str) -> Callable[[str, str], str]:
    """What `_below(path, cwd)` is for many paths below `root`, which are given with their names from there."""
    if os.sep != "/" or not _inside(root, cwd):
        return lambda path, _: _below(path, cwd)
    start = "" if root == cwd else _below(root, cwd) + "/"
    return lambda _, name: start + name


def _count(counts: dict[str, int], reason: str) -> None:
    counts[reason] = counts.get(reason, 0) + 1


def _outermost(folders: Iterable[str]) -> list[str]:
    distinct = list(dict.fromkeys(folders))
    return [one for one in distinct if not any(other != one and _inside(one, other) for other in distinct)]


def _inside(path: str, folder: str) -> bool:
    return path == folder or path.startswith(folder if folder.endswith(os.sep) else folder + os.sep)


def _repository(folder: str, cwd: str) -> str:
    """The repository around a folder: its git top level, or the nearest project file upward, or the working directory.

    For a file outside both, its own folder; also where the working directory is a home or the root of the system,
    which hold much that has nothing to do with the file.
    """
    project = None
    at = folder
    while True:
        if os.path.lexists(os.path.join(at, ".git")):
            return at
        if project is None and any(
            os.path.isfile(os.path.join(at, name)) for name in ("corslint.toml", ".corslint.toml", "pyproject.toml")
        ):
            project = at
        parent = os.path.dirname(at)
        if parent == at:
            break
        at = parent
    if project is not None:
        return project
    too_wide = cwd in (os.path.expanduser("~"), os.path.dirname(cwd))
    return cwd if _inside(folder, cwd) and not too_wide else folder


# --- listing ---------------------------------------------------------------------------------------------------------


def _list(folder: str, meanwhile: Callable[[], None] = _nothing, cache: Cache = _NO_CACHE) -> _Listing:
    """All files below a folder that git does not ignore. Links to directories are not followed."""
    listing = _list_by_git(folder, meanwhile, cache)
    return listing if listing is not None else _walk(folder)


_COULD_NOT_OPEN = regex(r"^warning: could not open directory '(.*)': (.*)$", re.MULTILINE)


def _list_by_git(folder: str, meanwhile: Callable[[], None], cache: Cache) -> _Listing | None:
    """git's own answer; None outside a work tree, without git, or where git refuses."""
    if not is_in_work_tree(folder):
        return None
    asked = _ask_once(folder) if has_few_files(folder) else _ask_twice(folder, meanwhile, cache)
    if asked is None:
        return None
    kept, submodules, others, statuses, complaints, said, known = asked
    if not kept and not others:
        ignored = git(folder, "check-ignore", "--quiet", ".")
        if ignored is not None and ignored.returncode == 0:
            return None  # the folder was named although git ignores it
    files: list[str] = []
    unreadable = {
        match[1].rstrip("/"): _reason(match[2]) for match in _COULD_NOT_OPEN.finditer(os.fsdecode(complaints))
    }
    if not submodules and not any(name[-1] == "/" for name in others):
        files += kept
        files += (name for name in others if name not in kept)
        return _Listing(files, unreadable, statuses, kept, said, known, is_plain=True)
    for name in dict.fromkeys((*kept, *others)):
        # A submodule, or a repository inside this one: git shows only its folder.
        if name[-1] == "/" or (name in submodules and os.path.lexists(os.path.join(folder, name, ".git"))):
            name = name.rstrip("/")
            path = os.path.join(folder, name)
            if os.path.islink(path) or not os.path.isdir(path):
                continue
            below = _list(path)
            files.extend(f"{name}/{inner}" for inner in below.files)
            unreadable.update({f"{name}/{inner}": reason for inner, reason in below.unreadable.items()})
        else:
            files.append(name)
    return _Listing(files, unreadable, statuses, kept, said)


class _Asked(NamedTuple):
    """What git said.

    `kept` are the names in its index, with what they say, `submodules` those among them that are other repositories;
    `others` are further files, `statuses` those of the former, and `complaints` what it could not look into. `said`:
    the answer in which they stand; `known`: what the last run made of it.
    """

    kept: dict[str, Kind | None]
    submodules: frozenset[str]
    others: list[str]
    statuses: dict[str, os.stat_result]
    complaints: bytes
    said: bytes
    known: cache_.Listing | None = None


_OTHER = "? "
"""How git marks a file that it does not keep, where it is asked for marks; they are letters and a space."""


def _ask_once(folder: str) -> _Asked | None:
    answer = git(folder, "ls-files", "--cached", "--others", "--exclude-standard", "--stage", "-t", "-z")
    if answer is None or answer.returncode != 0:
        return None
    entries = os.fsdecode(answer.stdout).split("\0")
    kept, submodules = _in_index(entry[len(_OTHER) :] for entry in entries if not entry.startswith(_OTHER))
    others = [entry[len(_OTHER) :] for entry in entries if entry.startswith(_OTHER)]
    return _Asked(kept, submodules, others, _statuses(folder, kept), answer.stderr, answer.stdout)


def _ask_twice(folder: str, meanwhile: Callable[[], None], cache: Cache = _NO_CACHE) -> _Asked | None:
    # To look for files that git does not keep takes ten times as long as to list those that it keeps.
    begun = begin(folder, *UNTRACKED)
    tracked = git(folder, *TRACKED)
    said = tracked.stdout if tracked is not None else b""
    known = cache.listing(cache_.digest(said)) if cache is not _NO_CACHE and not _brings(said, folder, cache) else None
    kept, submodules = _in_index(os.fsdecode(said).split("\0")) if known is None else _as_known(known)
    statuses = _statuses(folder, kept)
    if statuses:
        meanwhile()
    answer = begun.answer() if begun is not None else None
    if tracked is None or answer is None or tracked.returncode != 0 or answer.returncode != 0:
        return None
    others = list(filter(None, os.fsdecode(answer.stdout).split("\0")))
    if known is not None and any(name[-1] == "/" or name.endswith(_ENVIRONMENT_MARK) for name in others):
        known = None  # they say something about those, too
        kept, submodules = _in_index(os.fsdecode(said).split("\0"))
    return _Asked(kept, submodules, others, statuses, answer.stderr, said, known)


def _as_known(known: cache_.Listing) -> tuple[dict[str, Kind | None], frozenset[str]]:
    return kinds_as_written(known.names, known.kinds.lower()), frozenset()


_SUBMODULE = "160000 "


def _in_index(listed: Iterable[str]) -> tuple[dict[str, Kind | None], frozenset[str]]:
    """The names that git keeps in its index, with their kinds, and those among them that are other repositories."""
    entries = [entry for entry in listed if "\t" in entry]
    at = entries[0].index("\t") + 1 if entries else 0  # mode, hash and stage are as long in all of them
    names = kinds_of([entry[at:] for entry in entries])
    return names, frozenset(entry[at:] for entry in entries if entry.startswith(_SUBMODULE))


def _statuses(folder: str, kinds: Mapping[str, Kind | None]) -> dict[str, os.stat_result]:
    """The statuses of the files among these that may be read."""
    found = {}
    start, look = folder + "/", os.lstat
    for name, kind in kinds.items():
        if kind is not None:
            try:
                found[name] = look(start + name)
            except (OSError, ValueError):
                continue
    return found


def _walk(folder: str) -> _Listing:
    """The same without git: `.gitignore` files are honoured from `folder` downwards."""
    files: list[str] = []
    unreadable: dict[str, str] = {}
    pending: list[tuple[str, tuple[tuple[str, GitIgnoreSpec], ...]]] = [("", ())]
    while pending:
        prefix, specs = pending.pop()
        try:
            with os.scandir(os.path.join(folder, prefix)) as entries:
                inside = sorted((entry.name, entry.is_dir(follow_symlinks=False)) for entry in entries)
        except OSError as error:
            unreadable[prefix.rstrip("/") or "."] = _reason(error)
            continue
        if (".gitignore", False) in inside:
            try:
                text = read_file(os.path.join(folder, prefix, ".gitignore"), SIZE_LIMIT).decode("utf-8", "replace")
            except OSError as error:
                unreadable[f"{prefix}.gitignore"] = _reason(error)
            else:
                from pathspec import GitIgnoreSpec

                specs = (*specs, (prefix, GitIgnoreSpec.from_lines(text.splitlines())))
        for name, is_folder in inside:
            path = f"{prefix}{name}/" if is_folder else f"{prefix}{name}"
            if (is_folder and name in _IGNORED_FOLDERS) or _ignored(path, specs):
                continue
            if is_folder and name not in PACKAGES:
                pending.append((path, specs))
            else:
                files.append(path)  # a folder of packages is not entered, only counted
    return _Listing(files, unreadable)


def _ignored(name: str, specs: Iterable[tuple[str, GitIgnoreSpec]]) -> bool:
    """Whether `.gitignore` files say so; the innermost one that says anything decides."""
    answer = False
    for prefix, spec in specs:
        said = spec.check_file(name[len(prefix) :]).include
        if said is not None:
            answer = said
    return answer


# --- sifting ---------------------------------------------------------------------------------------------------------


def _kinds(listing: _Listing) -> Mapping[str, Kind | None]:
    """The files of a listing, and what their names say, once each."""
    others = [name for name in listing.files if name not in listing.tracked]
    if not others and len(listing.files) == len(listing.tracked):
        return listing.tracked
    kinds = {**listing.tracked, **kinds_of(others)}
    return {name: kinds[name] for name in listing.files}


_ENVIRONMENT_MARK = "/pyvenv.cfg"


def _without_packages(
    listing: _Listing,
    kinds: Mapping[str, Kind | None],
    packages: dict[str, str],
    opened: Sequence[str],
    cache: Cache,
) -> Iterable[str]:
    """The files of some kind that are not part of an installed package. Folders of those are added to `packages`.

    `opened` are folders that were named: what lies around them does not count against what is in them. `cache`: where
    the next run looks for what was made of the listing.
    """
    known = listing.known
    marks = (name for name in kinds if name.endswith(_ENVIRONMENT_MARK)) if known is None else ()
    environments = {mark[: -len(_ENVIRONMENT_MARK)] for mark in marks}
    if known is not None:
        packages.update(zip(known.packages[::2], known.packages[1::2], strict=True))
        tracked = [name for name, letter in zip(known.names, known.kinds, strict=True) if letter.islower()]
    elif opened or environments or not listing.is_plain:
        return _outside_packages(kinds, packages, opened, environments)
    else:
        tracked = _outside_packages(listing.tracked, packages, (), environments)
        if listing.said and tracked and cache.folder is not None:
            cache.note_listing(_noted(listing, tracked, packages))
    if len(kinds) == len(listing.tracked):
        return tracked
    others = {name: kind for name, kind in kinds.items() if name not in listing.tracked}
    return [*tracked, *_outside_packages(others, packages, (), environments)]


def _noted(listing: _Listing, readable: Iterable[str], packages: Mapping[str, str]) -> cache_.Listing:
    """What the next run has to know where git says the same; in capitals the kinds of what lies in packages."""
    kinds = {name: kind for name, kind in listing.tracked.items() if kind is not None}
    outside = frozenset(readable)
    letters = zip(kinds, written(kinds.values()), strict=True)
    marked = "".join([letter if name in outside else letter.upper() for name, letter in letters])
    parts = [part for package in packages.items() for part in package]
    return cache_.Listing(cache_.digest(listing.said), list(kinds), marked, parts)


def _outside_packages(
    kinds: Mapping[str, Kind | None], packages: dict[str, str], opened: Sequence[str], environments: set[str]
) -> list[str]:
    together = "\0".join(kinds)
    words = [word for word in PACKAGES if word in together]
    suspects = kinds if environments else {name for word in words for name in kinds if word in name}
    found = []
    for name, kind in kinds.items():
        if name in suspects:
            folders = name.split("/")[:-1]
            around = max((len(one.split("/")) for one in opened if name.startswith(f"{one}/")), default=0)
            package = _package(folders, around, environments)
            if package is not None:
                packages.setdefault(*package)
                continue
        if kind is not None:
            found.append(name)
    return found


def _package(folders: Sequence[str], around: int, environments: set[str]) -> tuple[str, str] | None:
    """The outermost folder of packages below the first `around` folders, and what it is called."""
    for depth in range(around, len(folders)):
        folder = "/".join(folders[: depth + 1])
        if folders[depth] in PACKAGES:
            return folder, folders[depth]
        if folder in environments:
            return folder, _ENVIRONMENT
    return None


def _linked(start: str, names: Iterable[str]) -> tuple[str, ...]:
    """The folders of these files that are links, each with a `/` at its end; `start` is the folder of all of them.

    Who walks a tree comes to none. But git lists what stood in a folder before a link took its place.
    """
    folders: set[str] = set()
    for name in names:
        end = name.rfind("/")
        while end > 0 and (folder := name[:end]) not in folders:
            folders.add(folder)
            end = folder.rfind("/")
    return tuple(f"{folder}/" for folder in folders if os.path.islink(start + folder))


class _Sifter:
    """Tells which files below a root are read. What the system refuses goes into `unreadable`."""

    def __init__(
        self,
        real_root: str,
        kinds: Mapping[str, Kind | None],
        linked: tuple[str, ...],
        unreadable: dict[str, str],
        cache: Cache,
        shown: Callable[[str, str], str],
    ) -> None:
        self._real_root = real_root
        self._kinds = kinds
        self._linked = linked
        self._unreadable = unreadable
        self._cache = cache
        self._shown = shown

    def refused(self, name: str, path: str, status: os.stat_result | None) -> str | None:
        """Why a file is not read: None for no reason, empty for none worth counting."""
        if name.startswith(self._linked):
            return ""  # in git's index, but not in the work tree: git does not look behind a link, either
        kind = self._kinds[name]
        if kind == "nginx":
            kind = kind_of(path)  # folders above the root say more
            if is_found_by_content(path) and not (
                _inside(os.path.realpath(path), self._real_root) and _recognised(path)
            ):
                return ""
        try:
            status = status or os.lstat(path)
            if stat.S_ISLNK(status.st_mode):
                status = os.stat(path)
                refused = self._link_refused(path, status)
                if refused is not None:
                    return refused
        except FileNotFoundError:
            if not os.path.islink(path):
                return ""  # in git's index, but deleted from the work tree
            self._unreadable[path] = _DANGLING
            return ""
        except OSError as error:
            self._unreadable[path] = _reason(error)
            return ""
        if not stat.S_ISREG(status.st_mode):
            return "" if stat.S_ISDIR(status.st_mode) else "not a regular file"
        size = status.st_size
        if size > SIZE_LIMIT and (kind != "manifest" or size > MANIFEST_SIZE_LIMIT):
            return "too large"
        shown = self._shown(path, name)
        remembered = self._cache.look(shown, status)
        if kind not in _SNIFFED_KINDS:
            return None
        if remembered == cache_.MINIFIED or ("min." in (lower := name.lower()) and _MINIFIED_NAME.search(lower)):
            return "minified"
        if size < _SNIFF_FROM or remembered is not None:
            return None
        try:
            if not (_has_long_line(path, size) and is_minified(read_file(path))):
                return None
        except OSError as error:
            self._unreadable[path] = _reason(error)
            return ""
        self._cache.note(shown, cache_.MINIFIED)
        return "minified"

    @cached_property
    def _known(self) -> frozenset[str]:
        """The files that are read for their names."""
        return frozenset(
            name for name, kind in self._kinds.items() if kind is not None and not is_found_by_content(name)
        )

    def _link_refused(self, path: str, status: os.stat_result) -> str | None:
        """Why a link is not read; `status` is that of what it leads to."""
        target = os.path.realpath(path)
        if not _inside(target, self._real_root):
            return "link out of the tree"
        name = relative(target, self._real_root)
        if stat.S_ISDIR(status.st_mode) or name in self._known or (is_found_by_content(name) and _recognised(target)):
            return ""  # read under its own name
        return None


def _recognised(path: str) -> bool:
    """Whether a file whose name says nothing is one that corslint reads, as far as it can be opened."""
    try:
        handle = os.open(path, _READING)
    except OSError:
        return False
    try:
        return kind_by_content(path, os.read(handle, SNIFFED)) is not None
    except OSError:
        return False
    finally:
        os.close(handle)


def _has_long_line(path: str, size: int) -> bool:
    """Whether 4 KB in the middle of a file hold so few line ends that it is worth reading whole."""
    handle = os.open(path, _READING)
    try:
        os.lseek(handle, max(0, size // 2 - _SNIFF_FROM // 2), os.SEEK_SET)
        return os.read(handle, _SNIFF_FROM).count(b"\n") < 12
    finally:
        os.close(handle)


def _named_file_refused(path: str) -> str | None:
    """Why a file that was named cannot be read."""
    try:
        status = os.stat(path)
    except FileNotFoundError:
        return _DANGLING
    except OSError as error:
        return _reason(error)
    if not stat.S_ISREG(status.st_mode):
        return "not a regular file"
    limit = MANIFEST_SIZE_LIMIT if kind_of(path) == "manifest" else NAMED_SIZE_LIMIT
    return _too_large(status.st_size, limit) if status.st_size > limit else None


def _too_large(size: int, limit: int) -> str:
    return f"too large ({size / (1 << 20):.1f} MB; the limit is {limit >> 20} MB)"


def _reason(error: OSError | str) -> str:
    """What the system said, in a few words."""
    text = error if isinstance(error, str) else (error.strerror or str(error))
    return _LOOPING if text == "Too many levels of symbolic links" else text[:1].lower() + text[1:]
