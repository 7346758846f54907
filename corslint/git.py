"""git, asked about repositories of strangers: nothing that they configure is run, and nothing is fetched."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import subprocess

_GIT = (
    "git",
    # A stranger's repository may configure a program to be run on every look at its index.
    *("-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null", "-c", "safe.bareRepository=explicit"),
)


def git(folder: str, *arguments: str) -> subprocess.CompletedProcess[bytes] | None:
    """What git answers in a folder; None where it cannot be run."""
    begun = begin(folder, *arguments)
    return begun.answer() if begun is not None else None


class Begun:
    """A run of git that is still going on."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process

    def answer(self) -> subprocess.CompletedProcess[bytes]:
        """What git says; waits until it has said all of it."""
        import subprocess

        with self._process as process:
            said, complained = process.communicate()
        return subprocess.CompletedProcess(process.args, process.returncode, said, complained)


def begin(folder: str, *arguments: str) -> Begun | None:
    """Let git begin to answer; None where it cannot be run."""
    # Inside a git hook these variables point at another index and work tree.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    # Nor may a missing object be fetched: how that is done is the repository's own choice, too.
    environment.update(GIT_ALLOW_PROTOCOL="none", GIT_NO_LAZY_FETCH="1", GIT_TERMINAL_PROMPT="0")
    environment.update(LC_ALL="C", GIT_OPTIONAL_LOCKS="0")
    import subprocess  # only where there is a repository

    try:
        return Begun(
            subprocess.Popen(
                [*_GIT, *arguments],
                cwd=folder,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
            )
        )
    except OSError:
        return None  # git is not installed, or the folder cannot be entered


def is_in_work_tree(folder: str) -> bool:
    """Whether a folder, or one above it, has a `.git`."""
    at = os.path.realpath(folder)
    while not os.path.lexists(os.path.join(at, ".git")):
        parent = os.path.dirname(at)
        if parent == at:
            return False
        at = parent
    return True
