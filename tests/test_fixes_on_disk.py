"""What `--fix` leaves on the disk: the very bytes around an edit, links, modes, and whole files whatever happens."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from corslint import cli, fixes
from corslint.source import SourceFile

ROOT = Path(__file__).resolve().parent.parent
KILLS = int(os.environ.get("CORSLINT_KILLS", "25"))
"""How often a run is killed; the more, the surer (300 take some minutes)."""
BOM = "\ufeff"

PROGRAMS = {
    "server.js": (
        "const cors = require('cors');\n// origins\nmodule.exports = cors({\n  origin: 'https://app.example.com/',\n});\n",
        "const cors = require('cors');\n// origins\nmodule.exports = cors({\n  origin: 'https://app.example.com',\n});\n",
    ),
    "app.py": (
        'from flask import Flask\nfrom flask_cors import CORS\n\napp = Flask(__name__)\nCORS(app, origins="https://app.example.com/")\n',
        'from flask import Flask\nfrom flask_cors import CORS\n\napp = Flask(__name__)\nCORS(app, origins="https://app.example.com")\n',
    ),
    "nginx.conf": (
        "server {\n    listen 80;\n    add_header Access-Control-Allow-Origin https://app.example.com/ always;\n}\n",
        "server {\n    listen 80;\n    add_header Access-Control-Allow-Origin https://app.example.com always;\n}\n",
    ),
}
BROKEN, MENDED = PROGRAMS["server.js"]


def mixed(text: str) -> str:
    return "".join(f"{line}{(chr(13) if number % 2 else '')}\n" for number, line in enumerate(text.splitlines()))


FORMS: dict[str, Callable[[str], str]] = {
    "line feeds": lambda text: text,
    "carriage returns": lambda text: text.replace("\n", "\r\n"),
    "both": mixed,
    "a byte order mark": lambda text: BOM + text,
    "no last line ending": lambda text: text.rstrip("\n"),
    "all of it": lambda text: BOM + mixed(text).rstrip("\r\n"),
}


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv("CORSLINT_OUTPUT_FORMAT", raising=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("name", [name for name, (_, after) in PROGRAMS.items() if after is not None])
def test_only_the_edit_changes(project: Path, name: str, form: str) -> None:
    before, after = (FORMS[form](text or "") for text in PROGRAMS[name])
    if name == "nginx.conf" and before.startswith(BOM):
        pytest.skip("nginx takes no byte order mark")
    (project / name).write_bytes(before.encode())
    assert cli.run(["check", "--fix", "--unsafe-fixes", "."]) == 0
    assert (project / name).read_bytes() == after.encode()


def test_a_directive_that_is_put_in_ends_as_its_neighbours_do(project: Path) -> None:
    text = "server {\r\n    location /socket.io/ {\r\n        proxy_pass http://127.0.0.1:3000;\r\n    }\r\n}\r\n"
    (project / "nginx.conf").write_bytes(text.encode())
    cli.run(["check", "--fix", "."])
    data = (project / "nginx.conf").read_bytes()
    assert b"proxy_set_header Upgrade $http_upgrade;\r\n" in data
    assert data.count(b"\n") == data.count(b"\r\n")


def test_a_link_stays_a_link(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (project / "real").mkdir()
    (project / "real/server.js").write_text(BROKEN)
    (project / "server.js").symlink_to("real/server.js")
    assert cli.run(["check", "--fix", "."]) == 0
    assert (project / "server.js").is_symlink()
    assert (project / "real/server.js").read_text() == MENDED
    assert "fixed 1 finding in 1 file" in capsys.readouterr().err


@pytest.mark.parametrize("mode", [0o640, 0o755, 0o600])
def test_the_mode_stays(project: Path, mode: int) -> None:
    (project / "server.js").write_text(BROKEN)
    (project / "server.js").chmod(mode)
    assert cli.run(["check", "--fix", "."]) == 0
    assert (project / "server.js").stat().st_mode & 0o777 == mode


def test_a_read_only_file_is_left_and_named(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("a.js", "b.js"):
        (project / name).write_text(BROKEN)
    (project / "b.js").chmod(0o444)
    assert cli.run(["check", "--fix", "."]) == 2
    assert capsys.readouterr().err == "corslint: error: nothing was fixed: b.js: it is read-only\n"
    assert [(project / name).read_text() for name in ("a.js", "b.js")] == [BROKEN, BROKEN]


def test_a_read_only_folder_is_named(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (project / "server.js").write_text(BROKEN)
    real = os.access
    monkeypatch.setattr(
        os, "access", lambda path, mode: mode != os.W_OK or (not os.path.isdir(path) and real(path, mode))
    )
    assert cli.run(["check", "--fix", "."]) == 2
    told = "nothing was fixed: server.js: its folder is read-only, and a file is replaced as a whole"
    assert capsys.readouterr().err == f"corslint: error: {told}\n"
    assert (project / "server.js").read_text() == BROKEN


def test_a_file_that_changed_meanwhile_is_left(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (project / "server.js").write_text(BROKEN)
    real = fixes.fix_to_fixpoint

    def edited_meanwhile(*arguments: Any, **options: Any) -> fixes.FixResult:
        result = real(*arguments, **options)
        (project / "server.js").write_text("// somebody else's work\n")
        return result

    monkeypatch.setattr(fixes, "fix_to_fixpoint", edited_meanwhile)
    assert cli.run(["check", "--fix", "."]) == 2
    assert capsys.readouterr().err == "corslint: error: nothing was fixed: server.js: it changed since it was read\n"
    assert (project / "server.js").read_text() == "// somebody else's work\n"


def test_one_file_under_two_names_is_not_given_two_contents(project: Path) -> None:
    (project / "a.js").write_bytes(b"old")
    (project / "b.js").symlink_to("a.js")
    originals = {name: SourceFile(name, b"old") for name in ("a.js", "b.js")}
    with pytest.raises(fixes.WriteRefusedError, match=r"b\.js: it is the same file as a\.js, which is fixed otherwise"):
        fixes.write({"a.js": b"one", "b.js": b"two"}, originals.__getitem__)
    fixes.write({"a.js": b"new", "b.js": b"new"}, originals.__getitem__)
    assert (project / "a.js").read_bytes() == b"new"


def test_a_placeholder_is_shown_and_never_made(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = "const cors = require('cors');\nmodule.exports = cors({ origin: true, credentials: true });\n"
    (project / "server.js").write_text(text)
    assert cli.run(["check", "--fix", "--unsafe-fixes", "."]) == 1
    assert (project / "server.js").read_text() == text
    out = capsys.readouterr().out
    assert (
        "= fix: List the origins of your pages: `[<origins of your pages>]` (by hand: fill in what stands in <>)" in out
    )
    assert out.endswith("corslint: found 1 error in 1 file\n")
    declared = 'frontends = ["https://app.example.com"]'
    assert cli.run(["check", "--fix", "--unsafe-fixes", "--config", declared, "."]) == 0
    assert (project / "server.js").read_text() == text.replace("true,", "'https://app.example.com',")


_OWN_RULE = """\
id: {name}
severity: warning
effect: degraded
match: [{{name: client, fact: socket_client, where: {{websocket_only: "{only}"}}}}]
report: {{at: client.transports, message: as it is, help: change it}}
{fix}
examples:
  - {{files: {{a.js: "⟦⟧"}}{fixed}}}
  - {{clean: true, files: {{a.js: ""}}}}
"""
_OWN_FIX = "fix: {title: t, applicability: safe, edits: [{replace: client.transports, with: [polling, websocket]}]}"


@pytest.mark.parametrize("select", [[], ["--select", "one"]])
def test_a_fix_may_not_bring_up_what_is_not_selected(
    project: Path, capsys: pytest.CaptureFixture[str], select: list[str]
) -> None:
    (project / "rules").mkdir()
    for name, only, fix, fixed in (("one", "yes", _OWN_FIX, ', fixed: {a.js: "x"}'), ("two", "no", "", "")):
        (project / f"rules/{name}.yaml").write_text(_OWN_RULE.format(name=name, only=only, fix=fix, fixed=fixed))
    (project / "corslint.toml").write_text('rules = ["./rules"]\nextend-ignore = ["*-*"]\n')
    text = "import { io } from 'socket.io-client';\nio('https://a.example', { transports: ['websocket'] });\n"
    (project / "client.js").write_text(text)
    cli.run(["check", "--fix", *select, "."])
    assert (project / "client.js").read_text() == text
    assert "fix for one not applied: the fix brings up two in client.js" in capsys.readouterr().err


# --- killed ----------------------------------------------------------------------------------------------------------

_WRITER = """
import sys
from corslint import fixes
from corslint.source import SourceFile
names, size = sys.argv[2:], int(sys.argv[1])
contents = [b"old " * size, b"new " * size]
print("ready", flush=True)
while True:
    fixes.write({name: contents[1] for name in names}, lambda name: SourceFile(name, contents[0]))
    contents.reverse()
"""
SIZE = 50_000


def killed(command: list[str], folder: Path, wait: Callable[[subprocess.Popen[bytes]], object]) -> None:
    process = subprocess.Popen(
        command,
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    wait(process)
    process.send_signal(signal.SIGKILL)
    process.communicate()


def whole(folder: Path, contents: Mapping[str, tuple[bytes, ...]]) -> None:
    for name, known in contents.items():
        assert (folder / name).read_bytes() in known, f"{name} is neither as it was nor mended"


def test_killed_while_it_writes_each_file_is_whole(tmp_path: Path) -> None:
    chance = random.Random(11)
    names = ["a.js", "b.js", "c.js"]
    old, new = b"old " * SIZE, b"new " * SIZE

    def at_work(process: subprocess.Popen[bytes]) -> None:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        time.sleep(chance.uniform(0, 0.05))

    for _ in range(KILLS):
        for name in names:
            (tmp_path / name).write_bytes(old)
        killed([sys.executable, "-c", _WRITER, str(SIZE), *names], tmp_path, at_work)
        whole(tmp_path, dict.fromkeys(names, (old, new)))
        left = [path for path in tmp_path.iterdir() if path.name not in names]
        assert all(path.name.startswith(".corslint-") and path.suffix == ".tmp" for path in left)
        for path in left:
            path.unlink()


def test_the_command_killed_at_any_moment_leaves_each_file_whole(tmp_path: Path) -> None:
    chance = random.Random(12)
    command = [sys.executable, "-m", "corslint", "check", "--fix", "--unsafe-fixes", "."]
    texts = {name: (before.encode(), after.encode()) for name, (before, after) in PROGRAMS.items() if after is not None}
    begun = time.monotonic()
    for name, (before, _) in texts.items():
        (tmp_path / name).write_bytes(before)
    killed(command, tmp_path, lambda process: process.wait())
    whole(tmp_path, {name: (after,) for name, (_, after) in texts.items()})
    needed = time.monotonic() - begun
    for _ in range(max(3, KILLS // 5)):
        for name, (before, _) in texts.items():
            (tmp_path / name).write_bytes(before)
        killed(command, tmp_path, lambda _process: time.sleep(chance.uniform(0.2, 1.0) * needed))
        whole(tmp_path, texts)
