"""What was read of a project's files, kept for the next run: readings, which files hold nothing, and what was asked
about their contents.

Never facts or findings: rules and settings change, and what a file means depends on all others. One file holds what is
known of one tree of files, as this version of corslint reads it. It is written anew beside the old one and put in its
place at once, so that runs at the same time, and one that is killed, leave it whole. Whatever is wrong with it, the
files are read again: what it holds is data with a checksum, and never code.

A file counts as unchanged where its size, its times and its inode are. The times of one that was changed shortly before
it was read say nothing: it may have been changed again since, within what the system's clock can tell.
"""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Callable, Container, Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

from corslint.records import NamedTuple

if TYPE_CHECKING:
    from corslint.model.reading import Reading

try:
    from _blake2 import blake2b  # without `hashlib`, which loads OpenSSL
except ImportError:  # pragma: no cover
    from hashlib import blake2b

FOLDER = ".corslint_cache"
"""In the root of what is checked, unless another one is named."""

SIZE_LIMIT = 64 << 20
"""Bytes. More is not kept of one tree of files."""

_WORTH_ENCODING = 1 << 20
"""Bytes. To write down what is in a larger file takes longer than it saves."""

_FILES_KEPT = 16
"""So many trees and versions of corslint are remembered in one folder; the oldest are dropped."""

_UNSURE_NS = 2_000_000_000
"""A file that was changed less than so long before it was read may have been changed again unseen: some file systems
tell times in steps of two seconds."""

_MAGIC = b"corslint cache 3\n"
_CHECK = 16
_TAG = b"Signature: 8a477f597d28d172789f06886806bc55\n# A cache of corslint: https://bford.info/cachedir/\n"

PLAIN, INERT, READ, NOTHING, MINIFIED = "pirnm"
"""What is known of a file: none of the words stands in it; it was read, and alone says nothing; it was read; no parser
reads it; it was written by a machine."""

HANDS_ON, SPELLS_HEADER, HAS_MARK = 0, 1, 2
"""Questions about the content of a file alone: whether what it exports may be an API, whether the name of a CORS header
may stand in it, and whether a comment for corslint may."""

_ZERO = 48
"""The character that stands for no answers; the following ones are printable, too."""

_Stamp = tuple[int, int, int, int]


class _Entry(NamedTuple):
    """What is known of a file. `stamp`: None where it has to be compared by its content.

    `at`, `size`: where its encoded reading lies, -1 where there is none; `check` is the checksum of that, and `digest`
    that of the file's content. `answers` has two bits for each question: whether it was asked, and the answer.
    """

    stamp: _Stamp | None
    what: str
    digest: str = ""
    at: int = -1
    size: int = 0
    check: str = ""
    answers: int = 0


def digest(data: bytes) -> str:
    """Identifies a content."""
    return blake2b(data, digest_size=_CHECK).hexdigest()


class Place(NamedTuple):
    """Where a cache lies: a file `name` in folders below `base`, of which none may be a link.

    The last folder is that of a version of corslint, the one around it is there for caches only.
    """

    base: str
    folders: tuple[str, ...]
    name: str


class Memory:
    """The readings of files as they were last seen, for a process that checks the same folders again and again."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[str, Reading | None]] = {}

    def reading(self, path: str, data: bytes, read: Callable[[], Reading | None]) -> Reading | None:
        """The reading of a file with this content: the one that is known of it, or what `read` makes."""
        content = digest(data)
        known = self._known.get(path)
        if known is None or known[0] != content:
            known = self._known[path] = content, read()
        return known[1]

    def forget_others(self, paths: Container[str]) -> None:
        """Let go of all files but these."""
        for path in [path for path in list(self._known) if path not in paths]:  # another thread may add some meanwhile
            self._known.pop(path, None)


class Cache:
    """What is known of the files of one tree, by their paths. Without a `place` it knows nothing and keeps nothing."""

    def __init__(self, place: Place | None = None, clock: Callable[[], int] = time.time_ns) -> None:
        self._place = place
        self._begun = clock()
        self._known: dict[str, _Entry] = {}
        self._stamps: dict[str, _Stamp] = {}
        self._new: dict[str, tuple[_Entry, bytes | None]] = {}
        self._handle: int | None = None
        self._body = 0
        if place is not None:
            self._load(place)

    @property
    def folder(self) -> str | None:
        """The folder that is only there for caches; None where nothing is kept."""
        return os.path.join(self._place.base, *self._place.folders[:-1]) if self._place is not None else None

    def close(self) -> None:
        """Let go of the file, and forget everything: what was looked at may change from now on."""
        self._known, self._stamps, self._new = {}, {}, {}
        self._place = None
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None

    # --- asking ---

    def look(self, path: str, status: os.stat_result) -> str | None:
        """What is known of a file with this status, which is remembered; None for nothing."""
        if self._place is None:
            return None
        stamp = (status.st_mtime_ns, status.st_ctime_ns, status.st_size, status.st_ino)
        entry = self._known.get(path)
        if entry is not None and entry.stamp == stamp:
            self._stamps[path] = entry.stamp  # the same object: there are thousands
            return entry.what
        self._stamps[path] = stamp
        return None

    def what(self, path: str) -> str | None:
        """What is known of a file that was looked at, and has not changed."""
        stamp = self._stamps.get(path)
        entry = self._known.get(path)
        return entry.what if entry is not None and stamp is not None and entry.stamp == stamp else None

    def answer(self, path: str, question: int) -> bool | None:
        """The answer to a question about a file that has not changed, if it was asked before."""
        entry = self._known.get(path) if self.what(path) is not None else None
        bits = entry.answers >> 2 * question & 3 if entry is not None else 0
        return bool(bits & 2) if bits else None

    def reading(self, path: str, data: Callable[[], bytes]) -> Reading | None:
        """The reading of a file that is kept; None where there is none. `data` gives the file's content."""
        entry = self._known.get(path)
        if entry is None or entry.at < 0 or self._handle is None:
            return None
        is_sure = self.what(path) is not None
        if not is_sure and digest(data()) != entry.digest:
            return None
        encoded = self._encoded(entry)
        if encoded is None:
            return None
        from corslint.model import encoding

        try:
            found = encoding.decode(encoded, path)
        except encoding.EncodingError:
            return None
        if not is_sure and path in self._stamps:
            self._new[path] = entry._replace(stamp=self._sure(self._stamps[path])), encoded
        return found

    def _encoded(self, entry: _Entry) -> bytes | None:
        if self._handle is None:
            return None
        try:
            data = os.pread(self._handle, entry.size, self._body + entry.at)
        except (OSError, OverflowError, ValueError):
            return None
        return data if digest(data) == entry.check else None

    # --- telling ---

    def note(self, path: str, what: str, content: str = "", encoded: bytes | None = None) -> None:
        """Remember what is known of a file, with the digest of its content and the encoded reading if there is one."""
        stamp = self._stamps.get(path)
        if self._place is None or stamp is None:
            return
        answers = self._entry(path)[0].answers
        if encoded is None:
            self._new[path] = _Entry(self._sure(stamp), what, answers=answers), b""
        else:
            entry = _Entry(self._sure(stamp), what, content, 0, len(encoded), digest(encoded), answers)
            self._new[path] = entry, encoded

    def note_reading(self, path: str, what: str, content: bytes, found: Reading) -> None:
        """Remember the reading of a file with this content."""
        if self._place is not None and path in self._stamps and len(content) <= _WORTH_ENCODING:
            from corslint.model import encoding

            with suppress(encoding.EncodingError):
                self.note(path, what, digest(content), encoding.encode(found))

    def note_answer(self, path: str, question: int, answer: bool) -> None:
        """Remember the answer to a question about a file of which something is known."""
        entry, encoded = self._entry(path)
        if entry.what:
            bits = 3 if answer else 1
            self._new[path] = (
                entry._replace(answers=entry.answers & ~(3 << 2 * question) | bits << 2 * question),
                encoded,
            )

    def _entry(self, path: str) -> tuple[_Entry, bytes | None]:
        """What is known of a file as it is now, with the encoded reading where that is new; nothing has no `what`."""
        if path in self._new:
            return self._new[path]
        return (self._known[path] if self.what(path) is not None else _Entry(None, "")), None

    def _sure(self, stamp: _Stamp) -> _Stamp | None:
        """The stamp, if the file's times are clearly older than the run."""
        return stamp if max(stamp[0], stamp[1]) + _UNSURE_NS < self._begun else None

    # --- on the disk ---

    def save(self) -> None:
        """Write what is known now, if it is more than before. That it cannot be written is no matter."""
        if self._place is None or (not self._new and len(self._known) <= 2 * len(self._stamps)):
            return
        entries, bodies, at = {}, [], 0
        for path in self._stamps:
            entry, encoded = self._new.get(path) or (self._known.get(path), None)
            if entry is None:
                continue
            if entry.at >= 0:
                data = encoded if encoded is not None else self._encoded(entry)
                if data is None or at + len(data) > SIZE_LIMIT:
                    continue
                entry = entry._replace(at=at)
                bodies.append(data)
                at += len(data)
            entries[path] = entry
        head = _head(entries)
        check = blake2b(head, digest_size=_CHECK).digest()
        with suppress(OSError):
            _write(self._place, [_MAGIC, check, len(head).to_bytes(4, "little"), head, *bodies])

    def _load(self, place: Place) -> None:
        try:
            with _folder(place) as folder:
                self._handle = os.open(place.name, os.O_RDONLY | _NO_LINK, dir_fd=folder)
                _touch(place.name, folder, self._handle)
            status = os.fstat(self._handle)
            if not stat.S_ISREG(status.st_mode) or status.st_size > 2 * SIZE_LIMIT:
                raise OSError(0, "no cache")
            start = os.read(self._handle, len(_MAGIC) + _CHECK + 4)
            size = int.from_bytes(start[-4:], "little")
            head = os.pread(self._handle, min(size, status.st_size), len(start))
            check = blake2b(head, digest_size=_CHECK).digest()
            if start[:-4] != _MAGIC + check:
                raise OSError(0, "no cache")
            self._known = _entries(head)
            self._body = len(start) + size
        except (OSError, ValueError, LookupError, TypeError, RecursionError, MemoryError):
            self._known = {}
            if self._handle is not None:
                os.close(self._handle)
                self._handle = None


def _head(entries: dict[str, _Entry]) -> bytes:
    """The entries by columns, of which most hold little."""
    stamps = [entry.stamp or (0, 0, 0, 0) for entry in entries.values()]
    kept = [[number, *entry[2:6]] for number, entry in enumerate(entries.values()) if entry.at >= 0]
    columns = [
        list(entries),
        "".join(entry.what for entry in entries.values()),
        "".join(chr(_ZERO + entry.answers) for entry in entries.values()),
        *map(list, zip(*stamps, strict=True)),
        kept,
    ]
    import json

    return json.dumps(columns, separators=(",", ":")).encode()


def _entries(head: bytes) -> dict[str, _Entry]:
    import json

    paths, whats, answers, *columns, kept = json.loads(head)
    new = tuple.__new__
    made: list[Any] = [
        new(_Entry, (stamp if stamp[0] else None, what, "", -1, 0, "", ord(answered) - _ZERO))
        for what, answered, stamp in zip(whats, answers, zip(*columns, strict=True), strict=True)
    ]
    for number, digest_, at, size, check in kept:
        made[number] = made[number]._replace(digest=digest_, at=at, size=size, check=check)
    return dict(zip(paths, made, strict=True))


# --- files of the cache ----------------------------------------------------------------------------------------------

_NO_LINK = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_NONBLOCK", 0)


def can_be_kept() -> bool:
    """Whether this platform can write below an open folder, so that no link leads what is written elsewhere."""
    return os.open in os.supports_dir_fd and hasattr(os, "O_NOFOLLOW")


@contextmanager
def _folder(place: Place, *, make: bool = False) -> Iterator[int]:
    """The innermost folder of a place, opened; with `make` it is made where it is not there."""
    at = os.open(place.base, os.O_RDONLY | os.O_DIRECTORY)
    try:
        for number, name in enumerate(place.folders):
            if make:
                with suppress(FileExistsError):
                    os.mkdir(name, dir_fd=at)
            inner = os.open(name, os.O_RDONLY | os.O_DIRECTORY | _NO_LINK, dir_fd=at)
            os.close(at)
            at = inner
            if make and number == len(place.folders) - 2:
                _mark(at)
        yield at
    finally:
        os.close(at)


def _mark(folder: int) -> None:
    """Say to git and to backups that the folder is a cache."""
    for name, text in ((".gitignore", b"# Made by corslint.\n*\n"), ("CACHEDIR.TAG", _TAG)):
        with suppress(FileExistsError):
            handle = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _NO_LINK, 0o644, dir_fd=folder)
            try:
                os.write(handle, text)
            finally:
                os.close(handle)


def _write(place: Place, parts: list[bytes]) -> None:
    """Write a file at once or not at all, and drop the oldest ones beside it."""
    with _folder(place, make=True) as folder:
        draft = f"{place.name}.{os.getpid()}.{time.time_ns()}.new"
        handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _NO_LINK, 0o644, dir_fd=folder)
        try:
            try:
                for part in parts:
                    left = memoryview(part)
                    while left:
                        left = left[os.write(handle, left) :]
            finally:
                os.close(handle)
            os.replace(draft, place.name, src_dir_fd=folder, dst_dir_fd=folder)
        except BaseException:
            with suppress(OSError):
                os.unlink(draft, dir_fd=folder)
            raise
        _drop_oldest(folder)


def _drop_oldest(folder: int) -> None:
    files = []
    for name in os.listdir(folder):
        with suppress(OSError):
            files.append((os.stat(name, dir_fd=folder, follow_symlinks=False).st_mtime, name))
    files.sort(reverse=True)
    now = time.time()
    for number, (changed, name) in enumerate(files):
        is_left_over = name.endswith(".new") and changed < now - 3600  # of a run that was killed
        if number >= _FILES_KEPT or is_left_over:
            with suppress(OSError):
                os.unlink(name, dir_fd=folder)


def _touch(name: str, folder: int, handle: int) -> None:
    """Say that a file of the cache is still in use, at most once a day."""
    now = time.time()
    if os.fstat(handle).st_mtime < now - 86_400:
        with suppress(OSError):
            os.utime(name, (now, now), dir_fd=folder, follow_symlinks=False)
