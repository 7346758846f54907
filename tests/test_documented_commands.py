"""Every command that the README and the guides name is carried out, and ends as it should.

Where: commands about the repository in a copy of it, all others in a copy of a small broken project that lies in a git
repository. Each block of a page is carried out from its top in a fresh copy; so is each command in the text of a page,
with something in place of words in capitals. What a block of the kind `console` shows is compared by
`tests/test_docs.py`, `tests/test_tutorial.py` and `tests/lab/test_probe.py`.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, NamedTuple

import click
import pytest
import yaml

from corslint import cli

ROOT = Path(__file__).resolve().parent.parent
PAGES = sorted([ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").glob("*.md")])
PROJECT = ROOT / "fixtures" / "projects" / "socketio-path-mismatch" / "bad"

_FENCE = re.compile(r"^ *```(\w*)\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)
_CODE = re.compile(r"`([^`\n]+)`")
_PROGRAM = re.compile(
    r"(?:corslint|make|npm|docker|pip|pbpaste|git) [\w\[\"'-]|(?:\.venv/bin/)?python (?:-m|scripts/) ?\w"
)
"""How a command begins."""
_OF_REPOSITORY = re.compile(r"make |npm |(?:\.venv/bin/)?python (?:scripts/|-m (?:tests|pytest|pip))|cp |cd ")
_CAPITALS = re.compile(r"\[?\b(?:[A-Z]{2,})\b(?:\.{3})?\]?|(?<==)[xy]\b")
_STANDS_FOR = {
    "FOLDER": ".",
    "FORMAT": "json",
    "ID": "socketio-path-mismatch",
    "NUMBER": "3",
    "RULE": "socketio-path-mismatch",
    "ORIGIN": "https://app.example.com",
    "REPORTS": "../reports",
    "REPOSITORIES": ".",
    "SHELL": "zsh",
    "NAME": "settings",
    "TEXT": "'xhr poll error'",
    "x": "an-example",
    "y": "an-example",
}

STATUS: Mapping[str, int] = {
    **dict.fromkeys(
        (
            "corslint check",
            "corslint check server/index.js",
            "corslint check [PATHS]",
            "corslint check --changed",
            "corslint check --since HEAD",
            "corslint check --stdin-filename server/index.js - < server/index.js",
            "corslint check --diff --unsafe-fixes",
            "corslint check --fix",
            "corslint check --no-cache",
            "corslint check --cache-dir .cache/corslint",
            "corslint check --statistics",
            "corslint fleet . --output ../report",
            "corslint fleet REPOSITORIES... --output REPORTS",
            "corslint check --output-format FORMAT",
            "corslint check --output-format html --output-file report.html",
            "corslint check --output-format sarif --output-file corslint.sarif --output-format github --output-file -",
            "corslint check --output-format gitlab --output-file gl-code-quality-report.json",
            "corslint check --output-format rdjson | reviewdog -f=rdjson -reporter=github-pr-review",
        ),
        1,
    ),
    "corslint check --output-format gitlab --output-file gl-code-quality-report.json --output-format text"
    " --output-file -": 1,
    "corslint trace --from ORIGIN --to URL [PATHS]": 3,
    "corslint trace": 3,
    "corslint trace --output-format html > trace.html": 3,
    "corslint probe URL --origin ORIGIN": 1,
    "python scripts/release.py agrees v1.2.3": 1,
}
"""What ends with another status than 0: there are findings, the outcome is not known, a page or a tag is refused."""

NOT_RUN: Mapping[str, str] = {
    "make test": "it would run this test",
    "make check": "it would run this test",
    "make mutants": "takes minutes",
    "make lab": "installs servers and a browser, and takes an hour; tests/lab/ has its tests",
    "make lab-install": "asks a registry; tests/lab/test_installation.py has its tests",
    "make nginx-differential": "asks a real nginx 20,000 times; tests/behaviour/test_nginx_differential.py takes some",
    **dict.fromkeys(
        (
            ".venv/bin/python scripts/mutants.py --only rules/weak-origin-check.yaml",
            ".venv/bin/python scripts/mutants.py --only rules/socketio-path-mismatch.yaml",
            ".venv/bin/python scripts/mutants.py --only corslint/frameworks/koa-cors.yaml",
        ),
        "takes a minute and more; tests/test_mutants.py breaks a small rule",
    ),
    "make bench": "takes half an hour; tests/test_benchmark.py measures small trees",
    "make lock": "asks a registry; tests/test_lock.py has its tests",
    "make audit": "asks a service for vulnerabilities; tests/test_audit.py has its tests",
    "make sbom": "asks a registry; tests/test_release.py has its tests",
    **dict.fromkeys(
        (
            "pip download --no-deps corslint==1.2.3",
            "sha256sum --check --ignore-missing SHA256SUMS",
            "gh attestation verify corslint-1.2.3-py3-none-any.whl --repo OWNER/corslint",
            "git clone --branch v1.2.3 https://github.com/OWNER/corslint && cd corslint",
            "pip install --require-hashes -r requirements/runtime.txt",
            "pip install --no-deps corslint==1.2.3",
        ),
        "is about a release that is published",
    ),
    "make fuzz": "takes a second and more for each parser, and an hour as it stands; tests/test_fuzz.py feeds them",
    "npm --prefix tests/lab/npm install --package-lock-only": "asks a registry",
    ".venv/bin/python scripts/record_oracle.py cors": "runs libraries of the lab; tests/test_oracle.py has its tests",
    ".venv/bin/python scripts/record_oracle.py --fresh 7 cors": "the same",
    ".venv/bin/python -m tests.lab RULE": "starts servers of the lab; tests/lab/test_experiments.py does it",
    ".venv/bin/python -m tests.lab.mended": "starts servers of the lab; tests/lab/test_mended.py does it",
    ".venv/bin/python -m tests.lab.trace_proof": "starts servers of the lab; tests/lab/test_trace.py does it",
    "docker build --tag corslint .": "needs a base image; tests/test_continuous_integration.py looks at what it copies",
    'docker run --rm --volume "$PWD:/project:ro" corslint check': "needs that image",
    "corslint check --watch": "never ends; tests/test_watching.py interrupts it",
}
"""Commands that are not carried out, and why. What make would do is asked for (`--dry-run`)."""

FIRST: Mapping[str, str] = {
    "corslint check --baseline corslint-baseline.json --prune-baseline": "corslint check"
    " --write-baseline corslint-baseline.json",
    "corslint rule websocket-only-client": """echo 'rules = ["./our-rules"]' > corslint.toml""",
    "corslint rule --test": """echo 'rules = ["./our-rules"]' > corslint.toml""",
}
"""What the page says before such a command."""

SHORTER: Mapping[str, str] = {"python -m tests.test_cache 300": "python -m tests.test_cache 3"}
"""The same with less to do."""

FEWER = {"CASES": "3", "PYTEST_ADDOPTS": "--collect-only -q -p no:cacheprovider"}
"""Long tests of a random kind take three cases, and pytest says what it would run."""


class Command(NamedTuple):
    """A line as it is written, and as it is carried out."""

    written: str
    line: str


class Steps(NamedTuple):
    """Commands that belong together, on a page or in one of its blocks."""

    name: str
    commands: tuple[Command, ...]

    @property
    def of_repository(self) -> bool:
        return any(_OF_REPOSITORY.match(one.written) for one in self.commands)


def steps() -> Iterator[Steps]:
    """All commands of all pages."""
    named: set[str] = set()
    for path in PAGES:
        text = path.read_text(encoding="utf-8")
        number = 0
        for language, block in _FENCE.findall(text):
            if language in ("sh", "yaml"):
                lines = block.splitlines() if language == "sh" else _runs(yaml.safe_load(block))
                found = tuple(Command(line, line) for line in map(_without_comment, lines) if line)
                if found:
                    number += 1
                    named.update(_normal(one.written) for one in found)
                    yield Steps(f"{path.name}-{number}", found)
        for code in _CODE.findall(_FENCE.sub("", text)):
            if _PROGRAM.match(code) and _normal(code) not in named:
                named.add(_normal(code))
                yield Steps(f"{path.name}-text-{len(named)}", (Command(code, _filled(code)),))


def _normal(code: str) -> str:
    return code.removeprefix(".venv/bin/")


def _without_comment(line: str) -> str:
    return re.sub(r"(?:^|\s+)# .*$", "", line).strip()


def _runs(part: Any) -> Iterator[str]:
    """What a workflow or a job carries out."""
    if isinstance(part, dict):
        for key, value in part.items():
            if key in ("run", "script"):
                yield from [value] if isinstance(value, str) else value
            else:
                yield from _runs(value)
    elif isinstance(part, list):
        for one in part:
            yield from _runs(one)


def _filled(code: str) -> str:
    """A command of a text with something in place of words in capitals; one that is only named gives its help."""
    words = code.split()
    known = cli.command.get_command(click.Context(cli.command), words[1]) if words[0] == "corslint" else None
    if len(words) == 2 and known is not None and any(one.required for one in known.params):
        return f"{code} --help"

    def value(found: re.Match[str]) -> str:
        word = found[0].strip("[].")
        if found[0].startswith("["):
            return ""  # it may be left out
        return word if code[found.end() : found.end() + 1] == "=" else _STANDS_FOR.get(word, word)

    return _CAPITALS.sub(value, code).strip()


STEPS = list(steps())
_ONE_COPY = pytest.mark.xdist_group("copy of the repository")

# --- where they are carried out --------------------------------------------------------------------------------------

_STUBS = {
    "corslint": 'exec "$PYTHON" -m corslint "$@"',
    "python": 'exec "$PYTHON" "$@"',
    "pip": 'exec "$PYTHON" -m pip "$@"',
    "pbpaste": "echo 'xhr poll error'",
    "reviewdog": "cat > reviewdog.json; test -s reviewdog.json",
}
"""Programs of other systems do here what is needed of them."""


_ASIDE = ("CORSLINT", "GITHUB", "PIP_", "PYTEST_", "NO_COLOR", "FORCE_COLOR", "CLICOLOR")


def _environment(programs: Path) -> dict[str, str]:
    """The variables that commands are given: plain output, and nothing is asked of a registry or written elsewhere."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(_ASIDE)}
    return {
        **kept,
        **FEWER,
        "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}",
        "PYTHON": sys.executable,
        "NO_COLOR": "1",
        "PIP_NO_INDEX": "1",
        "PIP_NO_DEPS": "1",
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        "PIP_NO_BUILD_ISOLATION": "0",  # pip reads it as the option's value: no isolation
        "PIP_TARGET": str(programs.parent / "installed"),
    }


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    programs = tmp_path_factory.mktemp("programs") / "bin"
    programs.mkdir()
    for name, script in _STUBS.items():
        path = programs / name
        path.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
        path.chmod(0o755)
    return _environment(programs)


def _git(folder: Path, *words: str) -> None:
    identity = ("-c", "user.name=a", "-c", "user.email=a@example.com", "-c", "commit.gpgsign=false")
    subprocess.run(["git", *identity, *words], cwd=folder, check=True, capture_output=True)


def _commit(folder: Path) -> None:
    _git(folder, "init", "--quiet")
    _git(folder, "add", "--all")
    _git(folder, "commit", "--quiet", "--message", "a")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """The broken project with a change, the settings and the rule that the pages speak of, and a pasted console."""
    folder = tmp_path / "project"
    shutil.copytree(PROJECT, folder)
    _commit(folder)
    server = folder / "server" / "index.js"
    server.write_text(server.read_text(encoding="utf-8") + "// changed\n", encoding="utf-8")
    ((_, own_rule),) = [
        one for one in _FENCE.findall((ROOT / "docs" / "rules.md").read_text("utf-8")) if one[0] == "yaml"
    ]
    (folder / "our-rules").mkdir()
    (folder / "our-rules" / "websocket-only-client.yaml").write_text(own_rule, encoding="utf-8")
    (folder / "console.txt").write_text("xhr poll error\n", encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of this repository, with an environment in which everything is installed."""
    folder = tmp_path_factory.mktemp("copy") / "repository"
    left = shutil.ignore_patterns(".git", ".venv", ".lab", "site", "__pycache__", ".*_cache", "dist", "build")
    shutil.copytree(ROOT, folder, ignore=left, symlinks=True)
    _commit(folder)
    (folder / ".venv").mkdir()
    shutil.copy(Path(sys.prefix) / "pyvenv.cfg", folder / ".venv")
    for part in ("bin", "lib"):
        (folder / ".venv" / part).symlink_to(Path(sys.prefix) / part)
    _note_installed(folder)
    return folder


def _note_installed(repository: Path) -> None:
    """Say to `make` that everything is there: what was written or put back since would look newer."""
    for stamp in ("installed", "installed-dev", "installed-docs"):
        (repository / ".venv" / stamp).touch()


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """A server that answers without CORS headers."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        do_OPTIONS = do_GET  # noqa: N815 - the name that http.server asks for

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    listening = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=listening.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{listening.server_port}"
    listening.shutdown()
    thread.join()
    listening.server_close()


def _carried_out(line: str, folder: Path, environment: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["bash", "-o", "pipefail", "-c", line],
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.mark.parametrize(
    "each", [pytest.param(one, marks=_ONE_COPY if one.of_repository else (), id=one.name) for one in STEPS]
)
def test_commands_end_as_they_should(
    each: Steps, request: pytest.FixtureRequest, environment: dict[str, str], server: str
) -> None:
    folder: Path = request.getfixturevalue("repository" if each.of_repository else "project")
    try:
        for written, line in each.commands:
            if written in NOT_RUN:
                if not line.startswith("make "):
                    continue
                line = line.replace("make ", "make --dry-run ", 1)
            if line.startswith("cd "):
                folder = folder / line.removeprefix("cd ")
                continue
            first = _carried_out(FIRST.get(written, "true"), folder, environment)
            assert first.returncode == 0, first.stderr
            given = SHORTER.get(written, line).replace("URL", f"{server}/")
            done = _carried_out(given, folder, environment)
            said = f"{given}\n{done.stdout}{done.stderr}"
            assert done.returncode == STATUS.get(written, 0), said
            assert "Traceback" not in done.stderr, said
            assert "does not provide the extra" not in done.stderr, said
    finally:
        if each.of_repository:
            copy = request.getfixturevalue("repository")
            _git(copy, "reset", "--quiet", "--hard")
            _git(copy, "clean", "--quiet", "-d", "--force")
            _note_installed(copy)


# --- the lists -------------------------------------------------------------------------------------------------------


def test_what_is_said_of_single_commands_is_about_some() -> None:
    """No exemption and no status is left over from a command that is gone."""
    written = {command.written for each in STEPS for command in each.commands}
    assert set(NOT_RUN) - written == set()
    assert set(STATUS) - written == set()
    assert set(FIRST) - written == set()
    assert set(SHORTER) - written == set()
    assert set(NOT_RUN) & {*STATUS, *FIRST, *SHORTER} == set()


def test_all_blocks_with_commands_are_found() -> None:
    """No block hides commands under another name, and what is in capitals has been filled in."""
    commands = [command for each in STEPS for command in each.commands]
    assert len(commands) > 80
    for path in PAGES:
        for language, block in _FENCE.findall(path.read_text(encoding="utf-8")):
            if language not in ("sh", "yaml", "console"):
                assert not [line for line in block.splitlines() if _PROGRAM.match(line)], (path.name, block)
    for command in commands:
        assert command.written in NOT_RUN or not re.search(r"\b(?!URL\b)[A-Z]{2,}\b(?!=)", _unquoted(command.line)), (
            command
        )


def _unquoted(line: str) -> str:
    return re.sub(r"'[^']*'|\"[^\"]*\"|\bHEAD\b", "", line)


def test_what_consoles_show_is_compared() -> None:
    """By the tests of these pages."""
    pages = {path.name for path in PAGES if any(one == "console" for one, _ in _FENCE.findall(path.read_text("utf-8")))}
    assert pages == {"README.md", "explain.md", "formats.md", "probe.md", "trace.md", "tutorial.md"}
