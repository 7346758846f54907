"""The lab's libraries are pinned, whole and the ones that the oracle recorded; what is missing is said or refused."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.lab import installation
from tests.lab.installation import InstallationError, require, tools

ROOT = Path(__file__).resolve().parents[2]
ORACLE = ROOT / "fixtures" / "oracle"
CASES = sorted(path.name.removesuffix(".cases.yaml") for path in ORACLE.glob("*.cases.yaml"))
REQUIREMENTS = {"venv": "requirements.txt", "venv_old": "requirements-old.txt"}
_EXACT = re.compile(r"\d+\.\d+\.\d+")
_ALIASED = re.compile(rf"npm:(?P<package>@?[\w./-]+)@(?P<version>{_EXACT.pattern})")


def canonical(package: str) -> str:
    """The name as PyPI compares it."""
    return re.sub(r"[-_.]+", "-", package).lower()


def pinned(requirements: str) -> dict[str, str]:
    """Package and version of every line of such a file."""
    lines = (installation.PYTHON / requirements).read_text(encoding="utf-8").splitlines()
    found = {}
    for line in lines:
        if line and not line.startswith("#"):
            package, separator, version = line.partition("==")
            assert separator, line
            found[canonical(package)] = version
    return found


def npm_pinned() -> dict[str, tuple[str, str]]:
    """Of every `<package>-<major>`: the package that it is, and its exact version."""
    found = {}
    for alias, name in installation.aliases().items():
        wanted = installation.dependencies()[name]
        aliased = _ALIASED.fullmatch(wanted)
        found[alias] = (aliased["package"], aliased["version"]) if aliased else (name, wanted)
    return found


def lock() -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((installation.NPM / "package-lock.json").read_text(encoding="utf-8"))
    return loaded


def cases(name: str) -> dict[str, Any]:
    """That cases file with the fields of the one that it extends."""
    own: dict[str, Any] = yaml.safe_load((ORACLE / f"{name}.cases.yaml").read_text(encoding="utf-8"))
    return {**cases(own["extends"]), **own} if "extends" in own else own


# --- what is pinned --------------------------------------------------------------------------------------------------


def test_aliases_say_package_and_major() -> None:
    named = npm_pinned()
    assert {"express-4", "express-5", "@fastify/cors-11", "socket.io-client-2", "@nestjs/core-11"} <= set(named)
    for alias, (package, version) in named.items():
        assert _EXACT.fullmatch(version), alias
        assert alias == f"{package}-{version.partition('.')[0]}"


def test_the_lock_file_belongs_to_the_manifest() -> None:
    manifest = json.loads((installation.NPM / "package.json").read_text(encoding="utf-8"))
    assert lock()["packages"][""]["dependencies"] == manifest["dependencies"]
    assert list(manifest["dependencies"]) == sorted(manifest["dependencies"])


def test_the_lock_file_names_contents_and_no_address() -> None:
    packages = {path: entry for path, entry in lock()["packages"].items() if path}
    assert len(packages) > len(installation.dependencies())
    for path, entry in packages.items():
        assert path.startswith("node_modules/")
        assert "resolved" not in entry, path
        assert "link" not in entry, path
        assert entry["integrity"].startswith("sha512-"), path
        assert re.fullmatch(r"\d+\.\d+\.\d+[\w.+-]*", entry["version"]), path


def test_a_library_that_others_look_up_by_name_is_there_once() -> None:
    """Nest tells its own classes from others by identity, which two copies do not share."""
    packages = lock()["packages"]
    for name in ("@nestjs/common", "@nestjs/core", "@nestjs/websockets", "reflect-metadata", "rxjs", "hono"):
        assert [path for path in packages if path.endswith(f"node_modules/{name}")] == [f"node_modules/{name}"]


@pytest.mark.parametrize("requirements", REQUIREMENTS.values())
def test_every_python_package_is_pinned(requirements: str) -> None:
    lines = (installation.PYTHON / requirements).read_text(encoding="utf-8").splitlines()
    packages = [line for line in lines if not line.startswith("#")]
    assert packages == sorted(packages, key=lambda line: line.partition("==")[0].lower())
    assert [line for line in packages if not re.fullmatch(r"[\w.-]+==\d[\w.]*", line)] == []
    assert len(pinned(requirements)) == len(packages) >= 15


@pytest.mark.parametrize("name", CASES)
def test_the_lab_has_what_the_oracle_recorded(name: str) -> None:
    told = cases(name)
    wanted = {**told["packages"], **told.get("also", {})}
    assert wanted != {}
    if told["ecosystem"] == "npm":
        ours = npm_pinned()
        found = {
            package: ours.get(f"{package}-{version.partition('.')[0]}", (package, None))[1]
            for package, version in wanted.items()
        }
    else:
        old = told.get("venv") == "old"
        packages = pinned(REQUIREMENTS["venv_old" if old else "venv"])
        found = {package: packages.get(canonical(package)) for package in wanted}
    assert found == wanted


# --- what is installed -----------------------------------------------------------------------------------------------


def test_the_installed_npm_libraries_are_the_pinned_ones() -> None:
    folder = require("node_modules").path("node_modules")
    found = {}
    for alias in npm_pinned():
        manifest = json.loads((folder / alias / "package.json").read_text(encoding="utf-8"))
        found[alias] = (manifest["name"], manifest["version"])
    assert found == npm_pinned()


@pytest.mark.parametrize("environment", REQUIREMENTS)
def test_the_installed_python_libraries_are_the_pinned_ones(environment: str) -> None:
    """Whole: a package that came along without being pinned would be another one tomorrow."""
    python = require(environment).path(environment) / "bin" / "python"
    ask = "import importlib.metadata as m; [print(d.metadata['Name'], d.version) for d in m.distributions()]"
    said = subprocess.run([python, "-c", ask], capture_output=True, text=True, check=True, timeout=60).stdout
    found = {canonical(package): version for package, version in map(str.split, said.splitlines())}
    for tool in ("pip", "setuptools"):
        found.pop(tool, None)
    assert found == pinned(REQUIREMENTS[environment])


def test_what_is_up_to_date_is_left_alone() -> None:
    require()
    command = [sys.executable, "-m", "tests.lab.installation"]
    said = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True, timeout=60).stdout
    assert said == "lab: complete\n"


# --- what is missing -------------------------------------------------------------------------------------------------


@pytest.fixture
def empty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine without any of it. Gives the folder that its PATH names."""
    programs = tmp_path / "programs"
    programs.mkdir()
    (tmp_path / "lab").mkdir()
    monkeypatch.setenv("PATH", str(programs))
    monkeypatch.setattr(installation, "SYSTEM_FOLDERS", str(programs))
    monkeypatch.setattr(installation, "LAB", tmp_path / "lab")
    monkeypatch.delenv("CORSLINT_LAB", raising=False)
    return programs


def executable(path: Path, text: str = "#!/bin/sh\n") -> Path:
    path.write_text(text, encoding="utf-8")
    path.chmod(0o755)
    return path


def test_what_is_missing_skips_with_the_reason(empty: Path) -> None:
    with pytest.raises(pytest.skip.Exception, match=r"^missing: nginx, Chromium \(`make lab-install` installs it\)$"):
        require("nginx", "chromium")


def test_what_is_missing_fails_where_it_is_required(empty: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CORSLINT_LAB", "require")
    with pytest.raises(pytest.fail.Exception, match=r"^missing: the npm libraries of the lab \(`make lab-install`"):
        require("node_modules")


def test_only_what_is_named_is_required(empty: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CORSLINT_LAB", "require")
    nginx = executable(empty / "nginx")
    assert require("nginx").path("nginx") == nginx
    assert tools().missing() == ["chromium", "node", "node_modules", "venv", "venv_old", "neovim"]
    with pytest.raises(InstallationError, match="missing: Chromium"):
        tools().path("chromium")


@pytest.mark.parametrize(
    ("said", "with_npm", "there"),
    [("v20.20.2", True, True), ("v24.1.0", True, True), ("v18.20.4", True, False), ("v22.0.0", False, False),
     ("", True, False)],
)  # fmt: skip
def test_node_has_to_be_new_enough(said: str, with_npm: bool, there: bool, empty: Path) -> None:
    node = executable(empty / "node", f"#!/bin/sh\necho {said}\n")
    if with_npm:
        executable(empty / "npm")
    assert tools().node == (node if there else None)


# --- installation ----------------------------------------------------------------------------------------------------


class Commands:
    """Stands in for `installation.run`: keeps what was asked for, and does what npm and pip would leave behind."""

    def __init__(self, lab: Path) -> None:
        self.lab = lab
        self.ran: list[str] = []
        self.broken = False

    def __call__(self, command: list[str], cwd: Path | None = None, env: dict[str, str] | None = None) -> None:
        self.ran.append(" ".join(command[:2] if command[0] in ("npm", "apt-get") else command[1:3]))
        if command[0] == "npm":
            for name in installation.dependencies():
                package = self.lab / "node_modules" / name
                package.mkdir(parents=True, exist_ok=True)
                (package / "package.json").touch()
        elif command[1:3] == ["-m", "venv"]:
            (Path(command[3]) / "bin").mkdir(parents=True)
            executable(Path(command[3]) / "bin" / "python")
        if env is not None:
            assert env["DEBIAN_FRONTEND"] == "noninteractive"
        if self.broken:
            raise InstallationError("interrupted")


@pytest.fixture
def commands(empty: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Commands:
    """The empty machine with a Node.js, and no command that really runs."""
    executable(empty / "node", "#!/bin/sh\necho v22.0.0\n")
    executable(empty / "npm")
    stand_in = Commands(tmp_path / "lab")
    monkeypatch.setattr(installation, "run", stand_in)
    return stand_in


def test_libraries_are_installed_once(commands: Commands) -> None:
    for _ in range(2):
        installation.install_npm()
        installation.install_pythons()
    assert commands.ran == ["npm ci", *(["-m venv", "-m pip"] * 2)]
    assert tools().missing("node_modules", "venv", "venv_old") == []
    link = commands.lab / "node_modules" / "@nestjs" / "core-11"
    assert link.readlink() == Path("core")


def test_an_interrupted_installation_is_made_anew(commands: Commands) -> None:
    commands.broken = True
    for install in (installation.install_npm, installation.install_pythons):
        with pytest.raises(InstallationError, match="interrupted"):
            install()
    assert (commands.lab / "node_modules" / "express-4").exists()
    assert tools().missing("node_modules", "venv", "venv_old") == ["node_modules", "venv", "venv_old"]
    commands.broken = False
    installation.install_npm()
    installation.install_pythons()
    assert tools().missing("node_modules", "venv", "venv_old") == []


@pytest.mark.parametrize("broken", ["gone package", "other pins", "gone python", "moved"])
def test_what_changed_since_is_noticed(broken: str, commands: Commands, monkeypatch: pytest.MonkeyPatch) -> None:
    installation.install_npm()
    installation.install_pythons()
    assert tools().missing("node_modules", "venv", "venv_old") == []
    if broken == "gone package":
        (commands.lab / "node_modules" / "cors-2" / "package.json").unlink()
        wanted = ["node_modules"]
    elif broken == "other pins":
        monkeypatch.setattr(installation, "digest", lambda *contents: "another")
        wanted = ["node_modules", "venv", "venv_old"]
    elif broken == "gone python":
        (commands.lab / "venv" / "bin" / "python").unlink()
        wanted = ["venv"]
    else:
        moved = commands.lab.rename(commands.lab.with_name("moved"))
        monkeypatch.setattr(installation, "LAB", moved)
        wanted = ["venv", "venv_old"]
    assert tools().missing("node_modules", "venv", "venv_old") == wanted


def test_apt_installs_as_root(commands: Commands, empty: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    executable(empty / "apt-get")
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    installation.install_system()
    assert commands.ran == ["apt-get update", "apt-get install"]


def test_anyone_else_is_told_the_line(commands: Commands, empty: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    executable(empty / "apt-get")
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    line = "sudo apt-get update && sudo apt-get install -y --no-install-recommends nginx chromium neovim"
    with pytest.raises(InstallationError, match=f"^run: {line}$"):
        installation.install_system()
    (empty / "apt-get").unlink()
    with pytest.raises(InstallationError, match=r"^install by hand: nginx, Chromium, Neovim$"):
        installation.install_system()
    assert commands.ran == []


@pytest.mark.parametrize(("required", "status"), [("", 0), ("require", 2)])
def test_the_exit_status_says_whether_something_required_is_missing(
    required: str, status: int, commands: Commands, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CORSLINT_LAB", required)
    commands.broken = True
    assert installation.main() == status
    said = capfd.readouterr()
    assert "lab: install by hand: nginx, Chromium, Neovim\n" in said.out
    assert "lab: still missing: nginx, Chromium, the npm libraries of the lab, the Python libraries" in said.out
    assert ("CORSLINT_LAB=require" in said.err) == (status == 2)


def test_a_command_that_fails_is_shown_with_its_last_words(tmp_path: Path) -> None:
    program = executable(tmp_path / "npm", "#!/bin/sh\necho no such package >&2\nexit 3\n")
    with pytest.raises(InstallationError, match=r"ci failed \(3\):\nno such package$"):
        installation.run([str(program), "ci"])
    with pytest.raises(InstallationError, match="No such file"):
        installation.run([str(tmp_path / "none")])


# --- who calls it ----------------------------------------------------------------------------------------------------


def recipe(target: str) -> str:
    """What the Makefile has under that target, its line included."""
    text = (ROOT / "Makefile").read_text(encoding="utf-8")
    found = re.search(rf"^{target}:.*\n(?:\t.*\n)*", text, re.MULTILINE)
    assert found is not None
    return found[0]


def test_the_makefile_installs_and_runs_the_lab() -> None:
    assert recipe("lab-install").endswith("$(BIN)/python -m tests.lab.installation\n")
    assert recipe("lab") == "lab: lab-install\n\t$(BIN)/python -m tests.lab\n"
    assert " .lab " in recipe("clean")
    assert "lab" not in recipe("test") + recipe("check")


def test_continuous_integration_requires_all_of_it() -> None:
    script = (ROOT / ".ci" / "run").read_text(encoding="utf-8").splitlines()
    assert script[-3:] == ["export CORSLINT_LAB=require", "make lab-install", "exec make test"]


def test_a_skip_is_printed_with_its_reason(tmp_path: Path) -> None:
    (tmp_path / "test_it.py").write_text(
        "from tests.lab import installation\n"
        "def test_it(monkeypatch):\n"
        "    monkeypatch.setattr(installation, 'tools', lambda: installation.Tools(*[None] * 7))\n"
        "    installation.require('nginx')\n",
        encoding="utf-8",
    )
    env = {name: value for name, value in os.environ.items() if name != "CORSLINT_LAB"}
    command = [sys.executable, "-m", "pytest", "-c", str(ROOT / "pyproject.toml"), "--rootdir", str(ROOT)]
    ran = subprocess.run(
        [*command, "-p", "no:cacheprovider", str(tmp_path / "test_it.py")],
        cwd=ROOT,
        env={**env, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout
    assert "1 skipped" in ran.stdout
    assert "nginx" in ran.stdout.partition("SKIPPED")[2]
    assert "make lab-install" in ran.stdout
