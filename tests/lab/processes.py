"""Programs of the lab: started with the preload, awaited until they listen, ended by handle with all below them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

HERE = Path(__file__).resolve().parent
WARDEN = HERE / "warden.py"
NODE_PRELOAD = HERE / "preload" / "listen.cjs"
PYTHON_PRELOAD = HERE / "preload" / "python"

RUN = "CORSLINT_LAB_RUN"
"""Environment variable that marks everything which one run of the lab started, in `/proc/*/environ`."""
START_LIMIT = 30.0
"""Seconds until a program has to listen; a cold Django takes 3 on a busy machine."""
_END_LIMIT = 8.0
_STEP = 0.01


class LabError(Exception):
    """A part of the lab does not do its work; the message says which, and what it printed."""


_interruption = threading.Event()


def interrupt() -> None:
    """Make all threads of the lab stop at their next look: Ctrl-C reaches only the main one."""
    _interruption.set()


def check_interrupted() -> None:
    """Stop here if the run is to end.

    Raises:
        KeyboardInterrupt: it is.
    """
    if _interruption.is_set():
        raise KeyboardInterrupt


class Program:
    """A running program, below a warden. What it prints goes to a file."""

    def __init__(self, name: str, warden: subprocess.Popen[bytes], output: Path) -> None:
        self.name = name
        self._warden = warden
        self._output = output

    @classmethod
    def start(cls, name: str, command: Sequence[str], folder: Path, env: Mapping[str, str], output: Path) -> Program:
        """Start it; it need not be alive when this returns.

        The thread that calls this must outlive the program: its end counts as the parent's death.
        """
        with output.open("wb") as out:
            warden = subprocess.Popen(
                [sys.executable, "-I", "-S", str(WARDEN), str(os.getpid()), *command],
                cwd=folder,
                env=dict(env),
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                # Ctrl-C is for the lab, which ends its programs in order.
                start_new_session=True,
            )
        return cls(name, warden, output)

    def ended(self) -> bool:
        """Whether it has come to its end."""
        return self._warden.poll() is not None

    @property
    def status(self) -> int | None:
        """Its exit status, once it has ended."""
        return self._warden.poll()

    @property
    def printed(self) -> str:
        """The end of what it wrote to stdout and stderr."""
        return self._output.read_text(encoding="utf-8", errors="replace")[-3000:]

    def wait_until(self, ready: Callable[[], bool], what: str, limit: float = START_LIMIT) -> None:
        """Wait for something that the program does.

        Raises:
            LabError: it ended before, or did not do it in time.
        """
        deadline = time.monotonic() + limit
        while not ready():
            check_interrupted()
            if self.ended():
                raise LabError(
                    f"{self.name} ended ({self._warden.returncode}) before {what}; it printed:\n{self.printed}"
                )
            if time.monotonic() > deadline:
                raise LabError(f"{self.name}: not within {limit:.0f} s: {what}; it printed:\n{self.printed}")
            time.sleep(_STEP)

    def stop(self) -> None:
        """End it and everything below it."""
        if self._warden.poll() is None:
            self._warden.send_signal(signal.SIGTERM)
        try:
            self._warden.wait(_END_LIMIT)
        except subprocess.TimeoutExpired:
            # The program has asked the system to go with its warden.
            self._warden.kill()
            self._warden.wait()


class Ports:
    """Which real port stands for a written one. Programs tell it by a file each, named after the written port."""

    def __init__(self, folder: Path, hosts: Mapping[str, int]) -> None:
        self.folder = folder
        self.hosts = dict(hosts)
        folder.mkdir()

    def tell(self, written: int, real: int) -> None:
        """Note a port that the harness itself gave."""
        draft = self.folder / f"{written}.harness"
        draft.write_text(str(real), encoding="ascii")
        draft.rename(self.folder / str(written))

    def real(self, written: int) -> int | None:
        """The port of loopback that stands for a written one, once something listens there."""
        try:
            return int((self.folder / str(written)).read_text(encoding="ascii"))
        except FileNotFoundError:
            return None

    def known(self) -> dict[int, int]:
        """All of them: written to real."""
        names = [path.name for path in self.folder.iterdir() if path.name.isdigit()]
        return {int(name): real for name in names if (real := self.real(int(name))) is not None}


def environment(ports: Ports, home: Path, extra: Mapping[str, str]) -> dict[str, str]:
    """What a program of the project sees: little of this machine, the preloads, and what its part says."""
    return {
        "PATH": os.environ.get("PATH", os.defpath),
        "HOME": str(home),
        "TMPDIR": str(home),
        "LANG": "C.UTF-8",
        "NODE_OPTIONS": f'--require "{NODE_PRELOAD}"',
        "PYTHONPATH": str(PYTHON_PRELOAD),
        "PYTHONUNBUFFERED": "1",
        "PYTHONDONTWRITEBYTECODE": "1",
        "CORSLINT_LAB_PORTS": str(ports.folder),
        "CORSLINT_LAB_HOSTS": json.dumps(ports.hosts),
        RUN: os.environ.get(RUN, str(os.getpid())),
        **extra,
    }
