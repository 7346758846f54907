"""Results on the disk, one by one: a run that is killed goes on from them.

In the output folder, `repositories/` has each repository's reports, put in place as whole files, and `results.jsonl`
has a line for each of these, written after them: which result it is, and what it counts. A line that was cut off by the
end of a run counts for nothing.
"""

from __future__ import annotations

import errno
import json
import os
import stat
from collections.abc import Iterable
from contextlib import suppress

from corslint import outputs
from corslint.cache import digest
from corslint.fleet.checking import FORMATS, Count, Outcome
from corslint.records import NamedTuple
from corslint.regexes import regex
from corslint.settings import UsageError

REPORTS = "repositories"
"""The folder of the reports, in the output folder."""
_JOURNAL = "results.jsonl"
_LOCK = ".lock"
_VERSION = 1
_PLAIN = regex(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,99}")
_STRANGE = regex(r"[^A-Za-z0-9._-]+")
_STEM = regex(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,120}")
_TEMPORARY = regex(r".+\.[0-9]+\.tmp")


class Kept(NamedTuple):
    """A result that is on the disk: the `stem` of its files' names, their sizes, and what it counts."""

    stem: str
    identity: str
    sizes: tuple[int, ...]
    files: int
    counts: tuple[Count, ...]
    reaches: bool


class Results:
    """The results in an output folder. Only one run at a time may have them.

    Raises:
        UsageError: another run has them, or the folder cannot be used.

    """

    def __init__(self, folder: str, names: Iterable[str]) -> None:
        """`names` are those of all repositories of this run."""
        self._folder = folder
        self._stems = _stems(names)
        self._lock = -1
        self._journal = -1
        try:
            os.makedirs(os.path.join(folder, REPORTS), exist_ok=True)
            self._lock = _locked(os.path.join(folder, _LOCK), folder)
            self._tidy()
            self._known = self._read()
            self._write()
            self._journal = os.open(self._path(_JOURNAL), os.O_WRONLY | os.O_APPEND)
        except OSError as error:
            self.close()
            raise self._wrong(error) from None

    def __enter__(self) -> Results:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let other runs have the results."""
        for handle in (self._journal, self._lock):
            if handle >= 0:
                os.close(handle)
        self._journal = self._lock = -1

    def identity(self, name: str) -> str:
        """The identity of the result that a repository has; empty where there is none, or its reports are gone."""
        kept = self._known.get(name)
        return kept.identity if kept is not None and self._sizes(kept.stem) == kept.sizes else ""

    def __getitem__(self, name: str) -> Kept:
        return self._known[name]

    def keep(self, name: str, outcome: Outcome) -> None:
        """Put the result of a repository on the disk. Raises `UsageError` where that cannot be done."""
        if outcome.reports is None:  # the one that is there still holds
            return
        stem = self._stems[name]
        try:
            for format_ in FORMATS:
                _put(self._report(stem, format_), outcome.reports[format_])
            sizes = tuple(len(outcome.reports[format_]) for format_ in FORMATS)
            kept = Kept(stem, outcome.identity, sizes, outcome.files, outcome.counts, outcome.reaches)
            os.write(self._journal, _line(name, kept))
        except OSError as error:
            raise self._wrong(error) from None
        self._known[name] = kept

    def drop(self, name: str) -> None:
        """Forget the result of a repository that could not be checked: an old one says nothing of it."""
        self._known.pop(name, None)
        self._remove(self._stems[name])

    def finish(self) -> None:
        """Forget the results of repositories that are not of this run, and write down what is left as a whole."""
        for name in self._known.keys() - self._stems.keys():
            self._remove(self._known.pop(name).stem)
        try:
            self._write()
        except OSError as error:
            raise self._wrong(error) from None

    # --- on the disk ---

    def _path(self, name: str) -> str:
        return os.path.join(self._folder, name)

    def _report(self, stem: str, format_: str) -> str:
        return os.path.join(self._folder, REPORTS, f"{stem}.{format_}")

    def _remove(self, stem: str) -> None:
        for format_ in FORMATS:
            with suppress(OSError):
                os.unlink(self._report(stem, format_))

    def _sizes(self, stem: str) -> tuple[int, ...] | None:
        try:
            return tuple(os.stat(self._report(stem, format_)).st_size for format_ in FORMATS)
        except OSError:
            return None

    def _tidy(self) -> None:
        """Remove what a run that was killed had begun to write."""
        for folder in (self._folder, self._path(REPORTS)):
            for name in os.listdir(folder):
                if _TEMPORARY.fullmatch(name):
                    os.unlink(os.path.join(folder, name))

    def _read(self) -> dict[str, Kept]:
        """What stands in the journal; the last line of a name counts.

        Files that would be named otherwise now are removed, before those of another name are the same to a file
        system that takes `A` for `a`.
        """
        try:
            with open(self._path(_JOURNAL), "rb") as stream:
                lines = stream.read().split(b"\n")
        except FileNotFoundError:
            return {}
        found = {}
        for line in lines:
            with suppress(ValueError, LookupError, TypeError, RecursionError):
                name, kept = _read_line(line)
                found[name] = kept
        taken = {stem.lower(): stem for stem in self._stems.values()}
        for name, kept in list(found.items()):
            if self._stems.get(name, taken.get(kept.stem.lower(), kept.stem)) != kept.stem:
                self._remove(found.pop(name).stem)
        return found

    def _write(self) -> None:
        lines = (_line(name, kept) for name, kept in sorted(self._known.items()))
        outputs.replace(self._path(_JOURNAL), lines)

    def _wrong(self, error: OSError) -> UsageError:
        place = error.filename if isinstance(error.filename, str) else self._folder
        return UsageError(f"--output: {place} cannot be written: {error.strerror or error}")


def _put(path: str, data: bytes) -> None:
    """Let a file hold this, whole or not at all.

    One that holds it already stays: to replace a file takes as long as the disk (ext4, measured: 3 ms).
    """
    with suppress(OSError):
        status = os.lstat(path)
        if stat.S_ISREG(status.st_mode) and status.st_size == len(data):
            with open(path, "rb") as stream:
                if stream.read() == data:
                    return
    outputs.replace(path, [data])


def _line(name: str, kept: Kept) -> bytes:
    return json.dumps([_VERSION, name, *kept], separators=(",", ":")).encode() + b"\n"


def _read_line(line: bytes) -> tuple[str, Kept]:
    version, name, stem, identity, sizes, files, counts, reaches = json.loads(line)
    if version != _VERSION or not isinstance(name, str) or not _STEM.fullmatch(stem):
        raise ValueError
    made = tuple(Count(*one) for one in counts)
    return name, Kept(stem, str(identity), tuple(sizes), int(files), made, bool(reaches))


def _stems(names: Iterable[str]) -> dict[str, str]:
    """How the files of each repository are named: as it is, where that is a plain name that no other has.

    Also on file systems that take `A` for `a`.
    """
    stems: dict[str, str] = {}
    taken: set[str] = set()
    for name in sorted(names):
        stem = name
        if not _PLAIN.fullmatch(name) or name.lower() in taken:
            mark = digest(name.encode("utf-8", "surrogateescape"))[:12]
            stem = f"{_STRANGE.sub('-', name).strip('-.')[-80:] or 'repository'}-{mark}".lstrip("-.")
        taken.add(stem.lower())
        stems[name] = stem
    return stems


def _locked(path: str, folder: str) -> int:
    """A file that this process holds until it ends, however that is."""
    handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
    try:
        import fcntl
    except ImportError:  # pragma: no cover  (Windows has none; two runs at once are the user's care there)
        return handle
    try:
        fcntl.lockf(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(handle)
        if error.errno in (errno.EACCES, errno.EAGAIN):
            raise UsageError(f"--output: another run is writing to {folder}") from None
        raise
    return handle
