"""Runs one program and ends it, and everything that it started, together with the lab.

    python -I -S warden.py COMMAND...

The lab starts no program directly: a program may start others (workers, reloaders), and the lab may be killed. The
warden becomes the parent of all orphans below it, so none gets away, and it ends them when it is told to (SIGTERM) or
when its own parent is gone. Where the system is not Linux it ends the program's process group.

Runs by itself, without this package: start-up counts.
"""

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36
_LIMIT = 5.0
"""Seconds until it gives up on children that do not end."""


class _Told(BaseException):
    """SIGTERM or SIGINT came."""


def _prctl(option: int, value: int) -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(option, value, 0, 0, 0)


def _die_with_parent() -> None:
    _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def _told(*_: object) -> None:
    raise _Told


def _children() -> list[int]:
    try:
        return [int(pid) for pid in Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()]
    except OSError:
        return []


def _kill(pid: int, *, group: bool = False) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        (os.killpg if group else os.kill)(pid, signal.SIGKILL)


def _end(program: int) -> None:
    """Kill what is left below this process; each round meets the children of those that went before."""
    deadline = time.monotonic() + _LIMIT
    _kill(program, group=True)
    while time.monotonic() < deadline:
        for pid in _children():
            _kill(pid)
        try:
            os.waitpid(-1, 0)
        except ChildProcessError:
            return


def main(parent: int, command: list[str]) -> int:
    """Exit status of the program; 143 where it was ended."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _told)
    _prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    _prctl(_PR_SET_CHILD_SUBREAPER, 1)
    if os.getppid() != parent:
        return 143
    program = subprocess.Popen(command, stdin=subprocess.DEVNULL, process_group=0, preexec_fn=_die_with_parent)
    try:
        return program.wait()
    except _Told:
        return 143
    finally:
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, signal.SIG_IGN)
        _end(program.pid)


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), sys.argv[2:]))
