"""The hooks of `.pre-commit-hooks.yaml`, run by the real pre-commit and installed as users install them."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
import yaml

from tests.lab.installation import required

ROOT = Path(__file__).resolve().parent.parent
INSTALLED = (".pre-commit-hooks.yaml", "LICENSE", "README.md", "corslint", "pyproject.toml", "rules", "scripts")
"""What an installation needs."""

# One worker installs the hooks, and all of these tests run there.
pytestmark = pytest.mark.xdist_group("pre-commit")

SERVER = """\
import { createServer } from 'node:http';
import { Server } from 'socket.io';

const httpServer = createServer();
new Server(httpServer, {
  cors: { origin: 'https://www.example.com' },
});
httpServer.listen(3000);
"""
CLIENT = """\
import { io } from 'socket.io-client';

export const socket = io('https://live.example.com', {
  withCredentials: %s,
});
"""
PROJECT = {
    "server/index.js": SERVER,
    "server/package.json": '{"type": "module", "dependencies": {"socket.io": "^4.8.0"}}\n',
    "client/package.json": '{"dependencies": {"socket.io-client": "^4.8.0"}, "devDependencies": {"vite": "^8.3.0"}}\n',
    "client/socket.js": CLIENT % "false",
}
"""A server and a client that get on. With `withCredentials: true` in the client they do not."""

MISMATCH = "socketio-credentials-mismatch"
WILDCARD = "require('express')().use(require('cors')({ origin: '*', credentials: true }));\n"
SAFE = "require('express')().use(require('cors')({ origin: 'https://app.example.com', credentials: true }));\n"


def git(folder: Path, *arguments: str, check: bool = True, env: Mapping[str, str] | None = None) -> str:
    done = subprocess.run(
        ["git", "-c", "user.name=a", "-c", "user.email=a@example.com", *arguments],
        cwd=folder,
        env=env,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0 or not check, done.stdout + done.stderr
    return done.stdout + done.stderr


def environment(**more: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("GIT_", "CORSLINT_", "PYTHON"))}
    # git finds `pre-commit` for its hook where this Python's programs are.
    return {**kept, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{kept['PATH']}", "NO_COLOR": "1", **more}


@pytest.fixture(scope="module")
def hooks(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository with what users install, as it is in this checkout now."""
    folder = tmp_path_factory.mktemp("hooks")
    for name in INSTALLED:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(ROOT / name, folder / name)
    git(folder, "init", "--quiet")
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", "What is installed")
    return folder


Configured = Callable[[Path, str], dict[str, str]]


@pytest.fixture(scope="module")
def configured(hooks: Path, tmp_path_factory: pytest.TempPathFactory) -> Configured:
    """Makes a folder a repository that uses a hook; what comes back is the environment to run pre-commit in."""
    home = environment(PRE_COMMIT_HOME=str(tmp_path_factory.mktemp("pre-commit")))
    revision = git(hooks, "rev-parse", "HEAD").strip()

    def configure(folder: Path, hook: str) -> dict[str, str]:
        document = {"repos": [{"repo": str(hooks), "rev": revision, "hooks": [{"id": hook}]}]}
        folder.mkdir(exist_ok=True)
        (folder / ".pre-commit-config.yaml").write_text(yaml.safe_dump(document))
        git(folder, "init", "--quiet")
        return home

    first = tmp_path_factory.mktemp("first")
    configure(first, "corslint")
    done = subprocess.run(
        [sys.executable, "-m", "pre_commit", "install-hooks"],
        cwd=first,
        env=home,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0 and not required():
        pytest.skip(f"pre-commit cannot install corslint: {done.stdout.strip()[-300:]}")
    assert done.returncode == 0, done.stdout + done.stderr
    return configure


class Repository:
    """A repository that uses one of the hooks. `run` runs it by hand, `commit` as git does."""

    def __init__(self, folder: Path, env: dict[str, str]) -> None:
        self.folder = folder
        self.env = env
        self._pre_commit("install")

    def write(self, files: Mapping[str, str]) -> None:
        for name, text in files.items():
            path = self.folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")

    def stage(self, files: Mapping[str, str]) -> None:
        self.write(files)
        git(self.folder, "add", "--", *files)

    def run(self, *arguments: str) -> tuple[int, str]:
        done = self._pre_commit("run", *arguments)
        return done.returncode, done.stdout

    def commit(self) -> tuple[bool, str]:
        """Whether git makes a commit of what is staged, and what is shown."""
        before = git(self.folder, "rev-parse", "--verify", "--quiet", "HEAD", check=False)
        out = git(self.folder, "commit", "--message", "A change", check=False, env=self.env)
        return git(self.folder, "rev-parse", "--verify", "--quiet", "HEAD", check=False) != before, out

    def _pre_commit(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "pre_commit", *arguments]
        return subprocess.run(command, cwd=self.folder, env=self.env, capture_output=True, text=True, check=False)


@pytest.fixture
def changed(configured: Configured, tmp_path: Path) -> Repository:
    """A repository with the hook on changed files, and a project that is clean."""
    repository = Repository(tmp_path / "project", configured(tmp_path / "project", "corslint"))
    repository.stage({**PROJECT, ".gitignore": "dist/\n"})
    made, out = repository.commit()
    assert made, out
    return repository


@pytest.fixture
def whole(configured: Configured, tmp_path: Path) -> Repository:
    """The same with the hook on the whole project."""
    return Repository(tmp_path / "project", configured(tmp_path / "project", "corslint-project"))


def rules(out: str) -> list[str]:
    return re.findall(r"^\w+\[([\w-]+)\]: ", out, re.MULTILINE)


def test_a_finding_keeps_a_commit_from_being_made(changed: Repository) -> None:
    changed.stage({"api.js": WILDCARD})
    made, out = changed.commit()
    assert not made
    assert rules(out) == ["wildcard-origin-with-credentials"]
    assert " --> api.js:1:" in out
    changed.stage({"api.js": SAFE})
    made, out = changed.commit()
    assert made, out


def test_joins_hold_when_only_one_of_the_files_changed(changed: Repository) -> None:
    changed.stage({"client/socket.js": CLIENT % "true"})
    made, out = changed.commit()
    assert not made
    assert rules(out) == [MISMATCH]
    assert " --> server/index.js:6:9\n" in out
    assert " ::: client/socket.js:4:20\n" in out
    assert "corslint: found 1 error in 1 file\n" in out


def test_findings_in_files_that_did_not_change_do_not_hinder(changed: Repository) -> None:
    changed.stage({"old.js": WILDCARD})
    git(changed.folder, "commit", "--quiet", "--no-verify", "--message", "Without hooks")
    changed.stage({"new.js": SAFE})
    made, out = changed.commit()
    assert made, out
    assert changed.run("corslint", "--all-files")[0] == 1


def test_all_files(changed: Repository) -> None:
    assert changed.run("corslint", "--all-files")[0] == 0
    changed.write({"client/socket.js": CLIENT % "true"})
    status, out = changed.run("corslint", "--all-files")
    assert (status, rules(out)) == (1, [MISMATCH])
    assert "in 4 files" in out


@pytest.mark.parametrize("name", ["my server/über app.js", "-c.js", 'a\'b "c".js', "$(touch ran).js"])
def test_odd_names(changed: Repository, name: str) -> None:
    changed.stage({name: WILDCARD})
    made, out = changed.commit()
    assert not made
    assert rules(out) == ["wildcard-origin-with-credentials"]
    assert f" --> {name}:1:" in out
    assert not (changed.folder / "ran").exists()


def test_what_is_staged_counts(changed: Repository) -> None:
    changed.stage({"api.js": WILDCARD})
    changed.write({"api.js": SAFE})
    made, out = changed.commit()
    assert not made
    assert rules(out) == ["wildcard-origin-with-credentials"]
    assert (changed.folder / "api.js").read_text() == SAFE, "what is not staged is still there"
    changed.stage({"api.js": SAFE})
    changed.write({"api.js": WILDCARD, "client/socket.js": CLIENT % "true"})
    made, out = changed.commit()
    assert made, out
    assert (changed.folder / "api.js").read_text() == WILDCARD


REACHED = {
    **dict.fromkeys(("a.js", "a.cjs", "a.mjs", "a.jsx", "a.ts", "a.mts", "a.tsx", "bin/www"), "x();\n"),
    **dict.fromkeys(("a.html", "views/a.ejs", "a.hbs"), "<p>a</p>\n"),
    **dict.fromkeys(("a.vue", "a.svelte"), "<script>\nx()\n</script>\n"),
    "a.py": "x()\n",
    **dict.fromkeys(
        (
            "nginx.conf",
            "app.conf",
            "app.conf.template",
            "app.conf.j2",
            "a.nginx",
            "sites-enabled/a",
            "deploy/site",
            "a.j2",
        ),
        "server {\n    listen 80;\n    location / {\n        return 404;\n    }\n}\n",
    ),
    **dict.fromkeys(("compose.yml", "docker-compose.prod.yaml"), "services: {}\n"),
    "Dockerfile": "FROM scratch\n",
    "a.sh": "true\n",
    "package.json": "{}\n",
    "pyproject.toml": "",
    "requirements.txt": "flask\n",
    "requirements/dev.txt": "flask\n",
    "yarn.lock": "# yarn lockfile v1\n",
    "uv.lock": "version = 1\n",
}
"""A file of every kind that corslint reads."""

NOT_ASKED_FOR = {
    "README.md": "```nginx\nserver { add_header A b c d; }\n```\n",
    "a.css": "a {}\n",
    "LICENSE": "Do what you like.\n",
    "node_modules/a/index.js": WILDCARD,
    "a.min.js": WILDCARD,
}
"""What no run over the project looks at either: other kinds of files, packages, bundles."""


def test_every_kind_of_file_reaches_corslint_and_no_other(changed: Repository) -> None:
    changed.write({**REACHED, **NOT_ASKED_FOR})
    git(changed.folder, "add", "--all", "--force")
    status, out = changed.run("corslint", "--verbose")
    assert status == 0, out
    assert f"in {len(REACHED)} files" in out
    assert "passed over 1 excluded, 1 minified, 3 of unknown kind" in out


def test_tests_are_read_and_not_shown(changed: Repository) -> None:
    changed.stage({"tests/cors.test.js": WILDCARD})
    made, out = changed.commit()
    assert made, out


def test_settings_count(changed: Repository) -> None:
    changed.stage({"corslint.toml": 'exclude = ["legacy/"]\n', "legacy/a.js": WILDCARD})
    made, out = changed.commit()
    assert made, out


def test_the_whole_project_is_checked_whatever_changed(whole: Repository) -> None:
    whole.stage({**PROJECT, "notes.txt": "a\n"})
    made, out = whole.commit()
    assert made, out
    whole.stage({"client/socket.js": CLIENT % "true"})
    git(whole.folder, "commit", "--quiet", "--no-verify", "--message", "Without hooks")
    git(whole.folder, "rm", "--quiet", "notes.txt")
    made, out = whole.commit()
    assert not made
    assert rules(out) == [MISMATCH]
    assert "in 4 files" in out


def test_the_hooks_are_valid() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "pre_commit", "validate-manifest", ROOT / ".pre-commit-hooks.yaml"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout + done.stderr) == (0, "")
