"""git, asked about repositories of strangers: nothing that they configure is run, and nothing is fetched."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Protocol

from corslint.records import NamedTuple

_GIT = (
    "git",
    # A stranger's repository may configure a program to be run on every look at its index.
    *("-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null", "-c", "safe.bareRepository=explicit"),
)

TRACKED = ("ls-files", "--cached", "--stage", "-z")
"""Lists the files that git keeps."""

UNTRACKED = ("ls-files", "--others", "--exclude-standard", "-z")
"""Lists the files that it neither keeps nor ignores: it looks into every folder for them."""

_FEW = 1 << 16
"""Bytes of an index: some 600 files. To start git a second time takes longer than to look at so many."""

_PIPE = 1 << 20
"""Bytes. So much may git say before anybody listens, where the system lets it: the names of some 10,000 files."""


class Answer(NamedTuple):
    """What a run of git came to."""

    returncode: int
    stdout: bytes
    stderr: bytes


class Begun(Protocol):
    """A run of git that is still going on."""

    def answer(self) -> Answer:
        """What git says; waits until it has said all of it."""


_ahead: dict[tuple[str, tuple[str, ...]], Begun] = {}
"""Runs that were begun before anybody asked for them, by folder and arguments."""


def git(folder: str, *arguments: str) -> Answer | None:
    """What git answers in a folder; None where it cannot be run."""
    begun = begin(folder, *arguments)
    return begun.answer() if begun is not None else None


def begin(folder: str, *arguments: str) -> Begun | None:
    """Let git begin to answer; None where it cannot be run."""
    return _ahead.pop((folder, arguments), None) or _begun(folder, arguments)


def begin_ahead(arguments: Sequence[str]) -> None:
    """Let git begin to list the working directory where a command line is going to ask for that.

    It takes as long as Python to load what reads the command line. Whatever does not surely ask for it does not pay.
    """
    command, *others = arguments or ("",)
    if command != "check" or not _NEVER_AHEAD.isdisjoint(others):
        return
    # Whatever does not begin with a dash is a path or what an option is given, such as a format's name.
    if "." not in others and any(os.path.lexists(one) for one in others if not one.startswith("-")):
        return
    try:
        folder = os.getcwd()
    except OSError:  # it was removed, which whoever needs it says
        return
    if has_many_files(folder):
        for asked in (UNTRACKED, TRACKED):
            begun = _begun(folder, asked)
            if begun is not None:
                _ahead[folder, asked] = begun


_NEVER_AHEAD = frozenset(("-", "-h", "--help", "--watch", "--changed"))
"""With these a check ends before it lists files, lists them some time later, or asks something else first."""


def has_few_files(folder: str) -> bool:
    """Whether git surely keeps so few files in a folder that to ask it once is faster."""
    size = _index_size(folder)
    return size is not None and size < _FEW


def has_many_files(folder: str) -> bool:
    """Whether git surely keeps more files in a folder than that."""
    return (_index_size(folder) or 0) >= _FEW


def _index_size(folder: str) -> int | None:
    """Bytes; None in a folder of a work tree, or in a linked one."""
    try:
        return os.stat(os.path.join(folder, ".git", "index")).st_size
    except OSError:
        return None


def _begun(folder: str, arguments: Sequence[str]) -> Begun | None:
    # Inside a git hook these variables point at another index and work tree.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    # Nor may a missing object be fetched: how that is done is the repository's own choice, too.
    environment.update(GIT_ALLOW_PROTOCOL="none", GIT_NO_LAZY_FETCH="1", GIT_TERMINAL_PROMPT="0")
    environment.update(LC_ALL="C", GIT_OPTIONAL_LOCKS="0")
    try:
        spawned = _spawned((*_GIT, "-C", folder, *arguments), environment) if hasattr(os, "posix_spawnp") else None
        return spawned or _Process((*_GIT, *arguments), folder, environment)
    except OSError:
        return None  # git is not installed, or the folder cannot be entered


class _Process:
    def __init__(self, command: tuple[str, ...], folder: str, environment: Mapping[str, str]) -> None:
        import subprocess

        pipe, none = subprocess.PIPE, subprocess.DEVNULL
        self._process = subprocess.Popen(command, cwd=folder, env=environment, stdin=none, stdout=pipe, stderr=pipe)

    def answer(self) -> Answer:
        with self._process as process:
            said, complained = process.communicate()
        return Answer(process.returncode, said, complained)


class _Spawned:
    """Does without `subprocess`, which takes as long to load as git to begin."""

    def __init__(self, pid: int, said: int, complained: int) -> None:
        self._pid = pid
        self._pieces: dict[int, list[bytes]] = {said: [], complained: []}

    def answer(self) -> Answer:
        import select

        waiting = select.poll()
        for each in self._pieces:
            waiting.register(each, select.POLLIN)
        left = len(self._pieces)
        while left:
            for each, _ in waiting.poll():
                piece = os.read(each, _PIPE)
                self._pieces[each].append(piece)
                if not piece:
                    waiting.unregister(each)
                    os.close(each)
                    left -= 1
        status = os.waitstatus_to_exitcode(os.waitpid(self._pid, 0)[1])
        return Answer(status, *map(b"".join, self._pieces.values()))


def _spawned(command: tuple[str, ...], environment: Mapping[str, str]) -> _Spawned | None:
    """The program, started; None where one of this process's standard streams is closed, whose place a pipe takes."""
    import signal

    hear_of_ends()
    pipes: list[int] = []
    try:
        pipes += os.pipe()
        pipes += os.pipe()
        said, saying, complained, complaining = pipes
        if min(pipes) <= 2:
            return None
        pid = os.posix_spawnp(
            command[0],
            command,
            environment,
            file_actions=(
                (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
                (os.POSIX_SPAWN_DUP2, saying, 1),
                (os.POSIX_SPAWN_DUP2, complaining, 2),
            ),
            setsigdef=(signal.SIGPIPE, signal.SIGXFSZ),  # which Python ignores
        )
        pipes = [saying, complaining]
        _widen(said)
    finally:
        for each in pipes:
            os.close(each)
    return _Spawned(pid, said, complained)


def hear_of_ends() -> None:
    """Let this process hear how those end that it starts.

    Whoever ignores the signal that says so hands that on (exec(3p)), and then nobody can be waited for (wait(3p)).
    """
    import signal

    with suppress(ValueError):  # only the main thread may
        if signal.getsignal(signal.SIGCHLD) is signal.SIG_IGN:
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)


def _widen(pipe: int) -> None:
    """Let a program say more before anybody listens."""
    with suppress(ImportError, AttributeError, OSError):
        import fcntl

        fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, _PIPE)


def is_in_work_tree(folder: str) -> bool:
    """Whether a folder, or one above it, has a `.git`."""
    at = os.path.realpath(folder)
    while not os.path.lexists(os.path.join(at, ".git")):
        parent = os.path.dirname(at)
        if parent == at:
            return False
        at = parent
    return True
