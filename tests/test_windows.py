"""Paths of Windows: the same findings, shown in the same way, with `/`, as on a system that has no other paths.

Each command runs twice, once with the paths of this system and once with those of Windows (`tests/as_on_windows.py`).
"""

from __future__ import annotations

import json
import ntpath
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import pytest

from corslint import paths
from corslint.parsers import containers, kind_of
from corslint.source import SourceFile

ROOT = Path(__file__).resolve().parent.parent
CHAT = ROOT / "fixtures" / "projects" / "chat"
WILDCARD = "require('express')().use(require('cors')({ origin: '*', credentials: true }));\n"
FORMATS = ("checkstyle", "concise", "github", "gitlab", "html", "json", "jsonl", "junit", "rdjson", "sarif", "text")

posix_only = pytest.mark.skipif(os.name == "nt", reason="this is Windows: nothing has to be imitated")


class Ran(NamedTuple):
    """How a run ended."""

    status: int
    printed: str
    complained: str


def run(module: str, arguments: Sequence[str], cwd: Path, drive_d: Path | None = None) -> Ran:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"}
    environment |= {"DRIVE_D": str(drive_d)} if drive_d is not None else {}
    command = [sys.executable, "-m", module, *arguments]
    done = subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, check=False, timeout=120)
    return Ran(done.returncode, done.stdout, done.stderr)


def on_windows(cwd: Path, *arguments: str, drive_d: Path | None = None) -> Ran:
    return run("tests.as_on_windows", arguments, cwd, drive_d)


def here(cwd: Path, *arguments: str) -> Ran:
    return run("corslint", arguments, cwd)


def git(folder: Path, *arguments: str) -> None:
    identity = ["-c", "user.name=t", "-c", "user.email=t@example.com", "-c", "init.defaultBranch=main"]
    subprocess.run(["git", *identity, *arguments], cwd=folder, check=True, capture_output=True)


@pytest.fixture
def chat(tmp_path: Path) -> Path:
    """A working directory with the broken chat application in `chat/`, a git repository."""
    shutil.copytree(CHAT / "bad", tmp_path / "chat")
    git(tmp_path / "chat", "init")
    git(tmp_path / "chat", "add", "-A")
    git(tmp_path / "chat", "commit", "-m", "all")
    return tmp_path


# --- whole runs ------------------------------------------------------------------------------------------------------


@posix_only
def test_every_format_says_the_same(chat: Path) -> None:
    reports = [
        (form, f"{system}.{form}", ["--output-format", form, "--output-file", f"{system}.{form}"])
        for system in ("here", "windows")
        for form in FORMATS
    ]
    for system, ran in (("here", here), ("windows", on_windows)):
        options = [word for _, name, words in reports if name.startswith(system) for word in words]
        assert ran(chat, "check", *options, "chat").status == 1
    for form in FORMATS:
        ours, theirs = ((chat / f"{system}.{form}").read_bytes() for system in ("here", "windows"))
        assert theirs == ours, form
        assert b"chat/server/" in theirs, form
        assert b"\\server" not in theirs, form


@posix_only
@pytest.mark.parametrize("command", [("check", "--diff"), ("facts",), ("trace",), ("init",)])
def test_every_command_says_the_same(chat: Path, command: tuple[str, ...]) -> None:
    ours = here(chat, *command, "chat")
    assert ours.status in (0, 1)
    assert ours.printed
    assert on_windows(chat, *command, "chat") == ours


@posix_only
@pytest.mark.parametrize("version_control", ["git", "no git"])
def test_a_path_may_be_written_in_any_way(chat: Path, version_control: str) -> None:
    if version_control == "no git":
        shutil.rmtree(chat / "chat" / ".git")
    folder = str(chat).replace("/", "\\")
    (chat / "chat" / "server" / "test").mkdir()
    (chat / "chat" / "server" / "test" / "open.test.js").write_text(WILDCARD, encoding="utf-8")
    test = here(chat, "check", "--output-format", "json", "chat/server/test/open.test.js")
    file = here(chat, "check", "--output-format", "json", "chat/server/src/app.js")
    below = here(chat, "check", "--output-format", "json", "chat/server")
    assert (test.status, file.status, below.status) == (1, 1, 1), "a test that is named is checked"
    for named, expected in (
        (r"chat\server\test\open.test.js", test),
        (r".\chat\client\..\server\src\app.js", file),
        (rf"c:{folder}\Chat/Server\SRC\App.js", file),
        (rf"C:{folder}\chat\server", below),
        (r"CHAT\SERVER\\", below),
    ):
        assert on_windows(chat, "check", "--output-format", "json", named) == expected, named


@posix_only
def test_a_path_that_is_not_there_is_said_as_it_was_written(chat: Path) -> None:
    for named in (r"chat\nowhere", r"E:\chat"):
        said = f"corslint: error: {named}: no such file or folder\n"
        assert on_windows(chat, "check", named) == Ran(2, "", said)


@posix_only
def test_what_changed_since_a_commit(chat: Path) -> None:
    assert on_windows(chat, "check", "--since", "HEAD", "chat") == here(chat, "check", "--since", "HEAD", "chat")
    assert "no findings in 0 files" in on_windows(chat, "check", "--since", "HEAD", "chat").printed
    file = chat / "chat" / "server" / "src" / "app.js"
    file.write_bytes(file.read_bytes().replace(b"\n", b"\r\n") + b"// more\r\n")
    ours = here(chat, "check", "--output-format", "json", "--since", "HEAD", "chat")
    assert ours.status == 1
    assert on_windows(chat, "check", "--output-format", "json", "--since", "HEAD", "chat") == ours


@posix_only
def test_files_are_mended_alike(chat: Path) -> None:
    """Line ends of Windows stay, too."""
    for file in (*chat.rglob("*.js"), *chat.rglob("*.conf"), *chat.rglob("*.py")):
        file.write_bytes(file.read_bytes().replace(b"\n", b"\r\n"))
    shutil.copytree(chat / "chat", chat / "other" / "chat")
    options = ("check", "--fix", "--unsafe-fixes", "chat")
    ours = here(chat, *options)
    assert "fixed" in ours.printed + ours.complained
    assert on_windows(chat / "other", *options) == ours

    def content(folder: Path) -> dict[str, bytes]:
        files = (path for path in folder.rglob("*") if path.is_file() and ".git" not in path.parts)
        return {str(path.relative_to(folder)): path.read_bytes() for path in files}

    mended = content(chat / "other" / "chat")
    assert mended == content(chat / "chat")
    assert mended != content(CHAT / "bad")
    assert [
        name for name, data in mended.items() if name.endswith(".js") and data.count(b"\n") != data.count(b"\r\n")
    ] == []


@posix_only
def test_settings_count_for_the_same_files(chat: Path) -> None:
    (chat / "chat" / "corslint.toml").write_text(
        'exclude = ["client/**", "!client/src/config.js"]\nextend = "shared/base.toml"\nrules = ["shared/rules"]\n'
        '[per-file-ignores]\n"notifications/*.py" = ["wildcard-origin-with-credentials"]\n'
    )
    (chat / "chat" / "shared" / "rules").mkdir(parents=True)
    (chat / "chat" / "shared" / "base.toml").write_text('ignore = ["proxy-http-version"]\n')
    (chat / "chat" / "nginx" / "corslint.toml").write_text('exclude = ["snippets/"]\n')
    for options in (("--show-settings",), ("--show-files",)):
        ours = here(chat, "check", *options, "chat")
        assert ours.status in (0, 1)
        assert on_windows(chat, "check", *options, "chat") == ours
    inside = here(chat / "chat" / "nginx", "check", ".", "../server")
    assert inside.status == 1
    assert on_windows(chat / "chat" / "nginx", "check", ".", r"..\server") == inside


@posix_only
def test_a_baseline_is_the_same_file(chat: Path) -> None:
    assert here(chat, "check", "--write-baseline", "here.json", "chat").status == 0
    assert on_windows(chat, "check", "--write-baseline", r"chat\..\windows.json", "chat").status == 0
    ours, theirs = ((chat / name).read_bytes() for name in ("here.json", "windows.json"))
    assert theirs == ours
    assert b'"path": "chat/server/' in theirs
    assert on_windows(chat, "check", "--baseline", "here.json", "chat").status == 0


@posix_only
def test_standard_input_stands_in_for_a_file(chat: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    said = []
    for module, name in (("corslint", "chat/server/new.js"), ("tests.as_on_windows", r"Chat\server\new.js")):
        command = [sys.executable, "-m", module, "check", "--output-format", "concise", "--stdin-filename", name, "-"]
        done = subprocess.run(
            command, cwd=chat, env=environment, input=WILDCARD, capture_output=True, text=True, check=False
        )
        said.append((done.returncode, done.stdout, done.stderr))
    assert said[0] == said[1]
    assert said[0][1].startswith("chat/server/new.js:1:")


# --- another drive ---------------------------------------------------------------------------------------------------


@posix_only
def test_a_project_on_another_drive(chat: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    drive = tmp_path_factory.mktemp("drive")
    (drive / "shop").mkdir()
    (drive / "shop" / "server.js").write_text(WILDCARD, encoding="utf-8")
    (drive / "shop" / "skipped.js").write_text(WILDCARD, encoding="utf-8")
    (drive / "shop" / "corslint.toml").write_text('exclude = ["skipped.js"]\n', encoding="utf-8")
    ran = on_windows(chat, "check", "--output-format", "concise", r"d:\Shop", drive_d=drive)
    assert ran.status == 1
    assert [line.split(" ")[0] for line in ran.printed.splitlines() if line.endswith("]")] == [
        "D:/shop/server.js:1:52:"
    ]
    sarif = on_windows(chat, "check", "--output-format", "sarif", r"D:\shop\server.js", drive_d=drive)
    (result,) = json.loads(sarif.printed)["runs"][0]["results"]
    place = result["locations"][0]["physicalLocation"]["artifactLocation"]
    assert place == {"uri": "file:///D:/shop/server.js"}
    written = on_windows(chat, "check", "--write-baseline", "known.json", r"D:\shop", drive_d=drive)
    assert written.status == 0
    assert [one["path"] for one in json.loads((chat / "known.json").read_text())["findings"]] == ["D:/shop/server.js"]
    assert on_windows(chat, "check", "--baseline", "known.json", r"D:\shop", drive_d=drive).status == 0


# --- single functions ------------------------------------------------------------------------------------------------


@pytest.fixture
def windows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "path", ntpath)
    monkeypatch.setattr(os, "sep", "\\")


@pytest.mark.usefixtures("windows")
@pytest.mark.parametrize(
    ("path", "folder", "expected"),
    [
        (r"C:\shop\src\app.js", r"C:\shop", "src/app.js"),
        (r"c:\Shop\src\app.js", r"C:\shop", "src/app.js"),
        (r"C:\other\app.js", r"C:\shop", "../other/app.js"),
        (r"D:\other\app.js", r"C:\shop", "D:/other/app.js"),
        (r"\\host\share\app.js", r"C:\shop", "//host/share/app.js"),
        (r"\\host\share\web\app.js", r"\\host\share", "web/app.js"),
        (r"C:\shop", r"C:\shop", "."),
    ],
)
def test_paths_are_seen_from_a_folder(path: str, folder: str, expected: str) -> None:
    assert paths.relative(path, folder) == expected


@pytest.mark.usefixtures("windows")
def test_a_path_of_git_is_written_as_the_system_does() -> None:
    assert paths.native("C:/shop/src/app.js") == r"C:\shop\src\app.js"


@pytest.mark.usefixtures("windows")
def test_names_have_the_case_of_the_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    there = {"C:\\": ["Shop"], r"C:\Shop": ["src", "App.js", "app.js"], "\\\\host\\share\\": ["Web"]}

    def listdir(folder: str) -> list[str]:
        if folder not in there:
            raise FileNotFoundError(2, "No such file or directory", folder)
        return there[folder]

    monkeypatch.setattr(os, "listdir", listdir)
    assert paths.spelled(r"c:\SHOP\SRC\new.js") == r"C:\Shop\src\new.js"
    assert paths.spelled(r"C:\shop\app.js") == r"C:\Shop\app.js", "as it is written, where two differ in case alone"
    assert paths.spelled(r"C:\nowhere\Else") == r"C:\nowhere\Else"
    assert paths.spelled("c:\\") == "C:\\"
    assert paths.spelled(r"\\host\share\WEB") == r"\\host\share\Web"


def test_where_case_counts_a_path_stays_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "listdir", lambda _: pytest.fail("nothing has to be looked up"))
    if os.name != "nt":
        assert paths.spelled("/Shop/SRC") == "/Shop/SRC"


@pytest.mark.parametrize(
    "name", ["package.json", "nginx.conf", "requirements.txt", "app.js", "docker-compose.yml", "Dockerfile", ".env"]
)
def test_the_kind_of_a_file_is_that_of_its_name(name: str) -> None:
    assert kind_of(f"C:\\shop\\{name}") == kind_of(f"shop/{name}") is not None


@pytest.mark.parametrize(
    ("volume", "expected"),
    [
        (r".\nginx\site.conf:/etc/nginx/nginx.conf:ro", [("deploy/nginx/site.conf", "/etc/nginx/nginx.conf")]),
        (r"..\nginx:/etc/nginx", [("nginx", "/etc/nginx")]),
        (r"C:\nginx:/etc/nginx", []),
        ("C:/nginx:/etc/nginx", []),
    ],
)
def test_volumes_of_compose_files_that_are_written_on_windows(volume: str, expected: list[tuple[str, str]]) -> None:
    text = f"services:\n  web:\n    image: nginx\n    volumes: ['{volume}']\n"
    found = containers.compose(SourceFile("deploy/compose.yml", text.encode()))
    (web,) = found.containers
    assert [(mount.source, mount.target) for mount in web.mounts] == expected
