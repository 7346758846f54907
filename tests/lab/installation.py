"""What the lab runs with: real libraries, nginx and Chromium. Finds them, and installs what is missing.

    python -m tests.lab.installation

The libraries go to `.lab/`, at the versions that `npm/package-lock.json` and `python/requirements*.txt` pin. nginx,
Chromium, Node.js and Neovim are the system's: as root on a machine with apt they are installed, otherwise the line to
run is printed. A part that is up to date is left alone, so that a second call costs nothing; a part whose installation
was interrupted has no stamp and is made anew.

`CORSLINT_LAB=require` in the environment: what is missing is an error (exit status 2), and tests that need it fail
where they would be skipped.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, fields
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LAB = ROOT / ".lab"
NPM = Path(__file__).resolve().parent / "npm"
PYTHON = Path(__file__).resolve().parent / "python"
STAMP = ".corslint-lab"
OLDEST_NODE = 20  # of the majors that the pinned fastify, h3 and @hono/node-server run on
SYSTEM_FOLDERS = "/usr/sbin:/usr/local/sbin:/usr/local/bin:/opt/homebrew/bin"
CHROMIUM_NAMES = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")
APT_PACKAGES = {"nginx": ("nginx",), "chromium": ("chromium",), "node": ("nodejs", "npm"), "neovim": ("neovim",)}
DESCRIPTIONS = {
    "nginx": "nginx",
    "chromium": "Chromium",
    "node": f"Node.js {OLDEST_NODE} or newer, with npm",
    "neovim": "Neovim",
    "node_modules": "the npm libraries of the lab",
    "venv": "the Python libraries of the lab",
    "venv_old": "the old majors of the Python libraries of the lab",
}


class InstallationError(Exception):
    """A part could not be installed; the message says which and why."""


@dataclass(frozen=True)
class Tools:
    """What this machine has; None is what it lacks. Libraries count only at the versions that are pinned now."""

    nginx: Path | None
    chromium: Path | None
    node: Path | None
    node_modules: Path | None
    venv: Path | None
    venv_old: Path | None
    neovim: Path | None

    def missing(self, *names: str) -> list[str]:
        """Those of the named tools, of all where none is named, that this machine lacks."""
        return [name for name in names or [field.name for field in fields(self)] if getattr(self, name) is None]

    def path(self, name: str) -> Path:
        """Where that tool is. Raises `InstallationError` where it is missing."""
        found = getattr(self, name)
        if not isinstance(found, Path):
            raise InstallationError(reason([name]))
        return found


def tools() -> Tools:
    """What this machine has."""
    node_modules, venv, venv_old = LAB / "node_modules", LAB / "venv", LAB / "venv-old"
    return Tools(
        nginx=program("nginx"),
        chromium=program(*CHROMIUM_NAMES),
        node=node(),
        node_modules=node_modules if npm_is_current(node_modules) else None,
        venv=venv if venv_is_current(venv, "requirements.txt") else None,
        venv_old=venv_old if venv_is_current(venv_old, "requirements-old.txt") else None,
        neovim=program("nvim"),
    )


def require(*names: str) -> Tools:
    """In a test: skip it with the reason unless the named tools (fields of `Tools`; none named: all) are there.

    With `CORSLINT_LAB=require` in the environment the test fails instead.
    """
    found = tools()
    missing = found.missing(*names)
    if missing and required():
        pytest.fail(reason(missing), pytrace=False)
    if missing:
        pytest.skip(reason(missing))
    return found


def required() -> bool:
    """Whether the environment says that nothing may be missing."""
    return os.environ.get("CORSLINT_LAB") == "require"


def reason(missing: list[str]) -> str:
    """What is missing and how to get it, in one line."""
    return f"missing: {', '.join(DESCRIPTIONS[name] for name in missing)} (`make lab-install` installs it)"


# --- what is there ---------------------------------------------------------------------------------------------------


def program(*names: str) -> Path | None:
    """The first of these programs that is installed. An ordinary user's PATH lacks the folders of servers."""
    found = (shutil.which(name) or shutil.which(name, path=SYSTEM_FOLDERS) for name in names)
    return next((Path(path) for path in found if path), None)


def node() -> Path | None:
    """Node.js, where it is new enough for the pinned libraries and npm stands beside it."""
    found = program("node")
    return found if found and program("npm") and node_major(found) >= OLDEST_NODE else None


@cache
def node_major(binary: Path) -> int:
    """The major version that this Node.js says it has; 0 where it does not run."""
    try:
        said = subprocess.run([binary, "--version"], capture_output=True, text=True, timeout=30, check=True).stdout
    except (OSError, subprocess.SubprocessError):
        return 0
    version = re.match(r"v(\d+)\.", said)
    return int(version[1]) if version else 0


def npm_is_current(folder: Path) -> bool:
    """Whether the npm libraries there are the pinned ones, none of them gone since."""
    return stamp_of(folder) == npm_stamp() and all((folder / name / "package.json").exists() for name in aliases())


def venv_is_current(folder: Path, requirements: str) -> bool:
    """Whether the virtual environment there runs and holds what is pinned."""
    return (folder / "bin" / "python").exists() and stamp_of(folder) == venv_stamp(folder, requirements)


def stamp_of(folder: Path) -> str | None:
    """What was installed there, if its installation came to its end."""
    try:
        return (folder / STAMP).read_text(encoding="utf-8")
    except OSError:
        return None


def npm_stamp() -> str:
    return digest((NPM / "package.json").read_bytes(), (NPM / "package-lock.json").read_bytes())


def venv_stamp(folder: Path, requirements: str) -> str:
    """An environment's programs name its folder: moved, it has to be made anew."""
    return digest((PYTHON / requirements).read_bytes(), str(folder).encode())


def digest(*contents: bytes) -> str:
    return hashlib.sha256(b"\0".join(contents)).hexdigest()


# --- names of npm packages -------------------------------------------------------------------------------------------


def dependencies() -> dict[str, str]:
    """The `dependencies` of `npm/package.json`."""
    found: dict[str, str] = json.loads((NPM / "package.json").read_text(encoding="utf-8"))["dependencies"]
    return found


def aliases() -> dict[str, str]:
    """Every `<package>-<major>` of the lab, and the name under which npm installs it.

    Mostly the two are the same. A package that others of the lab look up by its own name (NestJS's parts, hono) is
    installed once under that name, and the alias is a link to it: two copies would not know each other's classes.
    """
    found = {}
    for name, wanted in dependencies().items():
        found[name if wanted.startswith("npm:") else f"{name}-{wanted.partition('.')[0]}"] = name
    return found


# --- installation ----------------------------------------------------------------------------------------------------


def main() -> int:
    """Install what is missing. The exit status is 2 where something that has to be there is still missing."""
    LAB.mkdir(exist_ok=True)
    with alone():
        for install in (install_system, install_npm, install_pythons):
            try:
                install()
            except InstallationError as error:
                say(str(error))
    return conclude(tools().missing())


def conclude(missing: list[str]) -> int:
    """Say what is still missing; the exit status."""
    if not missing:
        say("complete")
        return 0
    say(f"still missing: {', '.join(DESCRIPTIONS[name] for name in missing)}")
    if required():
        print("lab: CORSLINT_LAB=require: all of it has to be there", file=sys.stderr)
        return 2
    say("what needs it is skipped")
    return 0


@contextmanager
def alone() -> Iterator[None]:
    """One installation at a time. The lock goes with the process, however that ends."""
    import fcntl  # not on Windows, where tests ask this module only what is missing

    with (LAB / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def install_system() -> None:
    """nginx, Chromium, Node.js and Neovim by apt, as root; otherwise say what to run."""
    missing = [name for name in tools().missing() if name in APT_PACKAGES]
    if not missing:
        return
    wanted = [package for name in missing for package in APT_PACKAGES[name]]
    command = ["apt-get", "install", "-y", "--no-install-recommends", *wanted]
    if shutil.which("apt-get") is None:
        raise InstallationError(f"install by hand: {', '.join(DESCRIPTIONS[name] for name in missing)}")
    if os.geteuid() != 0:
        raise InstallationError(f"run: sudo apt-get update && sudo {shlex.join(command)}")
    with step(f"apt: {' '.join(wanted)}"):
        environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        run(["apt-get", "update"], env=environment)
        run(command, env=environment)
    node_major.cache_clear()


def install_npm() -> None:
    """`npm ci` from the lock file, and the links of those that have no alias of their own."""
    folder = LAB / "node_modules"
    if npm_is_current(folder):
        return
    if node() is None:
        raise InstallationError("the npm libraries need Node.js")
    with step(f"npm: {len(aliases())} libraries"):
        for name in ("package.json", "package-lock.json"):
            shutil.copyfile(NPM / name, LAB / name)
        (folder / STAMP).unlink(missing_ok=True)
        run(["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"], cwd=LAB)
        link_aliases(folder)
        (folder / STAMP).write_text(npm_stamp(), encoding="utf-8")


def link_aliases(folder: Path) -> None:
    """Give every library that npm installed under its own name its alias too."""
    for alias, name in aliases().items():
        if alias != name:
            link = folder / alias
            link.unlink(missing_ok=True)
            link.symlink_to(Path(name).name)


def install_pythons() -> None:
    """Both virtual environments."""
    failed = [*attempt("venv", "requirements.txt"), *attempt("venv-old", "requirements-old.txt")]
    if failed:
        raise InstallationError("\n".join(failed))


def attempt(name: str, requirements: str) -> list[str]:
    """Make that environment anew unless it is up to date; what went wrong, if anything."""
    folder = LAB / name
    if venv_is_current(folder, requirements):
        return []
    try:
        with step(f"pip: {requirements}"):
            shutil.rmtree(folder, ignore_errors=True)
            run([sys.executable, "-m", "venv", str(folder)])
            pip = [str(folder / "bin" / "python"), "-m", "pip", "--disable-pip-version-check", "install", "--quiet"]
            run([*pip, "-r", str(PYTHON / requirements)])
            (folder / STAMP).write_text(venv_stamp(folder, requirements), encoding="utf-8")
    except InstallationError as error:
        return [str(error)]
    return []


def run(command: list[str], cwd: Path | None = None, env: dict[str, str] | None = None) -> None:
    """Run it. Raises `InstallationError` with the end of what it printed where it fails."""
    try:
        ran = subprocess.run(command, cwd=cwd, env=env, capture_output=True, text=True, check=False)
    except OSError as error:
        raise InstallationError(f"{shlex.join(command)}: {error}") from error
    if ran.returncode != 0:
        last = "\n".join((ran.stdout + ran.stderr).strip().splitlines()[-15:])
        raise InstallationError(f"{shlex.join(command)} failed ({ran.returncode}):\n{last}")


@contextmanager
def step(title: str, clock: Callable[[], float] = time.monotonic) -> Iterator[None]:
    """Say what begins, and how long it took."""
    say(f"{title} ...")
    begun = clock()
    yield
    say(f"{title}: {clock() - begun:.0f} s")


def say(line: str) -> None:
    print(f"lab: {line}", flush=True)


if __name__ == "__main__":
    # As an exception, so that the npm or pip that runs ends too, and does not go on beside the next installation.
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit("lab: interrupted; the next installation goes on from here")
