"""Runs corslint with paths as Windows has them, on a system that has them otherwise.

    python -m tests.as_on_windows check C:\\project

The file system is this machine's, seen as drive C, and the folder that `DRIVE_D` in the environment names as drive D.
Names may be written with `\\` or `/` and in any case, and whatever tells a path says it with a drive and `\\`.
`os.path` is `ntpath`, `pathlib` makes Windows paths, git says the top of a repository as it does there. What Windows
lacks (processes that fork, alarms, folders as descriptors) is taken away.

This is no Windows: its consoles, line ends of standard streams, locks of open files and reserved names are not here.
"""

from __future__ import annotations

import builtins
import io
import ntpath
import os
import pathlib
import posixpath
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from typing import Any

DRIVES = {"D:": os.environ.get("DRIVE_D", ""), "C:": ""}
"""By their names, the folders that they are."""

_LACKS = {
    os: (
        *("fork", "pread", "mkfifo", "geteuid", "getuid", "chown", "sched_getaffinity", "waitstatus_to_exitcode"),
        *("O_NONBLOCK", "O_NOFOLLOW", "O_DIRECTORY", "O_CLOEXEC", "killpg", "setsid", "posix_spawn", "posix_spawnp"),
    ),
    signal: ("setitimer", "SIGALRM", "SIGPROF", "SIGKILL", "SIGPIPE", "ITIMER_REAL", "ITIMER_PROF"),
}
_TAKE_A_PATH = (
    *("open", "stat", "lstat", "listdir", "readlink", "mkdir", "rmdir", "unlink", "remove", "access", "chmod", "utime"),
    *("chdir", "truncate"),
)
_TAKE_TWO_PATHS = ("rename", "replace")
_lstat, _listdir, _getcwd, _realpath = os.lstat, os.listdir, os.getcwd, posixpath.realpath


def real(path: Any) -> Any:
    """What a path of Windows is on this machine; anything else as it is."""
    if isinstance(path, os.PathLike):
        path = os.fspath(path)
    if not isinstance(path, str):
        return path
    drive, rest = ntpath.splitdrive(path)
    if not drive:
        return _as_it_is_spelled(path.replace("\\", "/"))
    if drive.upper() not in DRIVES:
        raise FileNotFoundError(2, "No such file or directory", path)
    return _as_it_is_spelled(DRIVES[drive.upper()] + (rest.replace("\\", "/") or "/"))


def _as_it_is_spelled(path: str) -> str:
    """The path with the case of the names that are there, as far as they are."""
    try:
        _lstat(path)
    except OSError:
        pass
    else:
        return path
    folder, name = posixpath.split(path)
    if not name:
        return path
    folder = _as_it_is_spelled(folder) if folder not in ("", "/") else folder
    try:
        names = _listdir(folder or ".")
    except OSError:
        return path
    return posixpath.join(folder, next((one for one in names if one.lower() == name.lower()), name))


def shown(path: str) -> str:
    """An absolute path of this machine as Windows says it."""
    for drive, folder in DRIVES.items():
        if folder and (path == folder or path.startswith(f"{folder}/")):
            return drive + (path[len(folder) :] or "/").replace("/", "\\")
    return "C:" + path.replace("/", "\\")


class _Entry:
    """What `os.scandir` gives, of which the path is the folder's as it was named, and the name."""

    def __init__(self, entry: os.DirEntry[str], folder: str) -> None:
        self._entry = entry
        self.name = entry.name
        self.path = ntpath.join(folder, entry.name)

    def __fspath__(self) -> str:
        return self.path

    def __getattr__(self, name: str) -> Any:
        return getattr(self._entry, name)


class _Entries:
    def __init__(self, entries: Any, folder: str) -> None:
        self._entries, self._folder = entries, folder

    def __enter__(self) -> _Entries:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __iter__(self) -> Iterator[_Entry]:
        return (_Entry(entry, self._folder) for entry in self._entries)

    def __next__(self) -> _Entry:
        return _Entry(next(self._entries), self._folder)

    def close(self) -> None:
        """Let go of the folder."""
        self._entries.close()


_GIT = """#!/bin/sh
case " $* " in *" --show-toplevel "*) printf C: ;; esac
exec {git} "$@"
"""


def become_windows(git: str) -> None:
    """From here on, paths are those of Windows. `git` is the program to run for git."""
    for name in _TAKE_A_PATH:
        setattr(os, name, _with_paths(getattr(os, name), 1))
    for name in _TAKE_TWO_PATHS:
        setattr(os, name, _with_paths(getattr(os, name), 2))
    scandir = os.scandir
    popen: Any = subprocess.Popen.__init__

    def entries(path: str = ".") -> _Entries:
        return _Entries(scandir(real(path)), os.fspath(path))

    def started(self: Any, arguments: Any, *rest: Any, cwd: str | None = None, **more: Any) -> None:
        arguments = [git, *arguments[1:]] if arguments[0] == "git" else arguments
        popen(self, arguments, *rest, cwd=real(cwd), **more)

    opened = _with_paths(io.open, 1)
    changed: dict[Any, dict[str, Any]] = {
        os: {"scandir": entries, "getcwd": lambda: shown(_getcwd()), "supports_dir_fd": set[Any]()},
        builtins: {"open": opened},
        io: {"open": opened},
        ntpath: {"realpath": lambda path, **_: shown(_realpath(posixpath.join(_getcwd(), real(path))))},
        subprocess.Popen: {"__init__": started},
    }
    for owner, values in changed.items():
        for name, value in values.items():
            setattr(owner, name, value)
    for owner, names in _LACKS.items():
        for name in names:
            delattr(owner, name)
    os.path, os.sep, os.altsep, os.name = ntpath, "\\", "/", "nt"
    # pathlib asked for the system when it was imported: Python 3.11 and 3.12 refuse to make paths of another.
    if hasattr(pathlib, "_windows_flavour"):
        pathlib._windows_flavour.is_supported = True
    if "__new__" in vars(pathlib.WindowsPath):
        del pathlib.WindowsPath.__new__


def _with_paths(function: Callable[..., Any], count: int) -> Callable[..., Any]:
    def called(*arguments: Any, **more: Any) -> Any:
        return function(*map(real, arguments[:count]), *arguments[count:], **more)

    return called


def main(arguments: list[str]) -> None:
    """Run corslint's command line."""
    import click.testing  # noqa: F401  # all that looks at the system when it is imported
    import libcst
    import pathspec
    import yaml

    assert all((libcst, pathspec, yaml))
    program = shutil.which("git") or "git"
    handle, git = tempfile.mkstemp(suffix=".sh")
    with open(handle, "w", encoding="utf-8") as stream:
        stream.write(_GIT.format(git=program))
    os.chmod(git, stat.S_IRWXU)
    try:
        become_windows(git)
        from corslint.cli import main as corslint

        sys.argv = ["corslint", *arguments]
        corslint()
    finally:
        os.unlink(git)


if __name__ == "__main__":
    main(sys.argv[1:])
