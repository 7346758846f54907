"""Files and trees that nobody meant well by, through the whole program: it ends, it says so, it is never silent."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import Any

import pytest

from corslint import cli

Capture = pytest.CaptureFixture[str]

CORS = "const cors = require('cors');\nconst app = require('express')();\n"
BAD = f"{CORS}app.use(cors({{ origin: '*', credentials: true }}));\n"
BAD_PYTHON = (
    "from fastapi import FastAPI\nfrom fastapi.middleware.cors import CORSMiddleware\napp = FastAPI()\n"
    'app.add_middleware(CORSMiddleware, allow_origins=["*"], allow_credentials=True)\n'
)
BAD_NGINX = "server {\n  listen 80;\n  location /socket.io/ {\n    proxy_pass http://127.0.0.1:3000;\n  }\n}\n"
TWICE = "server {\nadd_header Access-Control-Allow-Origin *;\nadd_header Access-Control-Allow-Origin *;\n}\n"

ONE_OF_EACH = {
    "a.js": BAD,
    "b.ts": BAD,
    "c.tsx": BAD,
    "d.html": f"<script>{BAD}</script>",
    "e.vue": "",
    "g.svelte": f"<script>{BAD}</script>",
    "f.py": BAD_PYTHON,
}
ONE_OF_EACH |= {
    "nginx.conf": BAD_NGINX,
    "package.json": '{"dependencies": {"cors": "2.8.5"}}',
    "requirements.txt": "flask\n",
}
ONE_OF_EACH |= {"pyproject.toml": '[project]\nname = "x"\ndependencies = ["flask"]\n', "package-lock.json": "{}"}
ONE_OF_EACH |= {
    "pnpm-lock.yaml": "lockfileVersion: 5.4\ndependencies:\n  cors: 2.8.6\n",
    "yarn.lock": '# yarn lockfile v1\n\ncors@2.8.5:\n  version "2.8.5"\n',
    "poetry.lock": '[[package]]\nname = "flask"\nversion = "3.0.0"\n\n[metadata]\n',
    "uv.lock": 'version = 1\n\n[[package]]\nname = "flask"\nversion = "3.0.0"\n',
    "Pipfile.lock": '{"default": {"flask": {"version": "==3.0.0"}}}',
}


@pytest.fixture(autouse=True)
def in_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("CORSLINT_OUTPUT_FORMAT", raising=False)
    monkeypatch.delenv("CORSLINT_DEBUG", raising=False)


def put(name: str, content: str | bytes) -> None:
    path = Path(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)


def checked(capsys: Capture, *arguments: str) -> tuple[int, list[tuple[str, str, int, int]], dict[str, Any]]:
    """Exit status; rule, path, line and column of each finding; the summary."""
    status = cli.run(["check", "--output-format", "json", *arguments])
    out, err = capsys.readouterr()
    assert err.startswith(("corslint: found ", "corslint: no findings ")), err
    report = json.loads(out)
    return status, [(f["rule"], f["path"], f["line"], f["column"]) for f in report["findings"]], report["summary"]


def test_bytes_that_are_not_utf8(capsys: Capture) -> None:
    put("a.js", b"// caf\xe9 \xff\xfe\n" + BAD.encode() + b"const s = '\xed\xa0\x80';\n")
    put("f.py", b"# caf\xe9\n" + BAD_PYTHON.encode())
    put("nginx.conf", b"# caf\xe9\n" + BAD_NGINX.encode())
    _, found, _ = checked(capsys, ".")
    assert ("wildcard-origin-with-credentials", "a.js", 4, 24) in found
    assert ("reflected-origin-with-credentials", "f.py", 5, 50) in found
    assert {path for rule, path, _, _ in found if rule == "missing-upgrade-headers"} == {"nginx.conf"}


@pytest.mark.parametrize("name", ONE_OF_EACH)
def test_an_empty_file(capsys: Capture, name: str) -> None:
    put(name, b"")
    status, found, summary = checked(capsys, ".")
    assert [one for one in found if one[0] != "syntax-error"] == []  # nothing is no JSON
    assert (status, summary["files"]) == (1 if found else 0, 1)
    assert not found or name.endswith(".json") or name == "Pipfile.lock"


@pytest.mark.parametrize("name", [name for name in ONE_OF_EACH if not name.endswith((".json", ".txt", ".toml"))])
def test_a_file_in_utf16_is_reported_and_not_taken_for_clean(capsys: Capture, name: str) -> None:
    put(name, BAD.encode("utf-16"))
    status, found, _ = checked(capsys, ".")
    assert status == 1
    assert [(rule in ("syntax-error", "nginx-syntax"), path) for rule, path, _, _ in found] == [(True, name)]


@pytest.mark.parametrize("name", ONE_OF_EACH)
@pytest.mark.parametrize(
    "content",
    [
        b"\0" * 5000,
        bytes(range(256)) * 200,
        b"cors(" * 30_000,
        b"{" * 30_000 + b"cors",
        b"[" * 30_000 + b"socket",
        b"(" * 30_000 + b"socket" + b")" * 30_000,
        b"x.cors" + b".a" * 30_000,
        b"cors + " * 30_000,
        b"cors ? x : " * 10_000,
        b"\"'`/*<!--<script>socket",
        b"<script>" * 5_000 + b"cors",
        b"\r\n" * 10_000 + b"cors",
        b"a:" * 30_000 + b"cors",
        b"!cors," * 20_000,
        b"-" * 30_000 + b"cors",
        b"${cors`" * 10_000,
    ],
    ids=range(16),
)
def test_nothing_hangs_or_crashes(capsys: Capture, name: str, content: bytes) -> None:
    put(name, content)
    began = time.monotonic()
    _, _, summary = checked(capsys, name)
    assert summary["files"] == 1
    assert time.monotonic() - began < 20


def test_a_line_of_20_megabytes_is_passed_over_and_counted(capsys: Capture) -> None:
    put("line.js", b"cors(" + b"a" * (20 << 20) + b")")
    put("a.js", BAD)
    _, found, summary = checked(capsys, ".")
    assert ("wildcard-origin-with-credentials", "a.js", 3, 24) in found
    assert summary["passed_over"] == {"too large": 1}


def test_a_line_of_20_megabytes_that_was_named_is_reported(capsys: Capture) -> None:
    put("line.js", b"cors(" + b"a" * (20 << 20) + b")")
    status, found, _ = checked(capsys, "line.js")
    assert (status, found) == (1, [("unreadable-file", "line.js", 1, 1)])
    assert cli.run(["check", "line.js"]) == 1
    assert "too large (20.0 MB; the limit is 4 MB)" in capsys.readouterr().out


def test_a_finding_in_a_very_long_line_is_shown_in_a_short_one(capsys: Capture) -> None:
    put("a.js", f"{CORS}const s = '{'x' * 500_000}'; app.use(cors({{ origin: '*', credentials: true }}));")
    assert cli.run(["check", "a.js"]) == 1
    out = capsys.readouterr().out
    assert "…s({ origin: '*', credentials: true }));\n" in out
    assert max(map(len, out.splitlines())) < 300


def test_a_folder_that_cannot_be_read(capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    put("a.js", "")
    put("closed/b.js", BAD)
    scandir = os.scandir

    def refuse(path: str) -> Any:
        if str(path).rstrip("/").endswith("closed"):
            raise PermissionError(13, "Permission denied", path)
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refuse)
    assert checked(capsys, ".")[:2] == (1, [("unreadable-file", "closed", 1, 1)])
    assert checked(capsys, "closed")[:2] == (1, [("unreadable-file", "closed", 1, 1)])
    assert cli.run(["check", "closed"]) == 1
    assert "permission denied" in capsys.readouterr().out.lower()


def test_a_file_that_cannot_be_read(capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    put("a.js", BAD)
    put("closed.js", BAD)
    opened = os.open

    def refuse(path: Any, *arguments: Any, **keywords: Any) -> int:
        if str(path).endswith("closed.js"):
            raise PermissionError(13, "Permission denied", path)
        return opened(path, *arguments, **keywords)

    monkeypatch.setattr(os, "open", refuse)
    status, found, _ = checked(capsys, ".")
    assert status == 1
    assert {(rule, path) for rule, path, _, _ in found} == {
        ("unreadable-file", "closed.js"),
        ("wildcard-origin-with-credentials", "a.js"),
    }
    assert checked(capsys, "closed.js")[:2] == (1, [("unreadable-file", "closed.js", 1, 1)])


def test_links_that_lead_nowhere(capsys: Capture) -> None:
    Path("dangling.js").symlink_to("gone.js")
    Path("loop.js").symlink_to("loop.js")
    Path("one.js").symlink_to("two.js")
    Path("two.js").symlink_to("one.js")
    names = ["dangling.js", "loop.js", "one.js", "two.js"]
    expected = (1, [("unreadable-file", name, 1, 1) for name in names])
    assert checked(capsys, ".")[:2] == expected
    assert checked(capsys, *names)[:2] == expected


def test_a_folder_that_links_to_itself(capsys: Capture) -> None:
    put("app/a.js", BAD)
    Path("app/again").symlink_to(".")
    _, found, summary = checked(capsys, "app")
    assert {path for _, path, _, _ in found} == {"app/a.js"}
    assert summary["files"] == 1


def test_nothing_outside_the_tree_is_read(capsys: Capture) -> None:
    put("secret/a.js", BAD)
    put("app/package.json", "{}")
    Path("app/link.js").symlink_to("../secret/a.js")
    Path("app/folder").symlink_to("../secret")
    put("app/main.js", "require('../secret/a.js');\nrequire('./folder/a.js');\nrequire('./link.js'); // cors\n")
    put("app/nginx.conf", "http { include ../secret/*.conf; include /etc/passwd; include folder/*; }\n")
    _, found, summary = checked(capsys, "app")
    assert [one for one in found if "secret" in one[1] or "wildcard" in one[0]] == []
    assert summary["passed_over"] == {"link out of the tree": 1}


@pytest.mark.parametrize(
    "includes",
    [
        {"nginx.conf": "nginx.conf"},
        {"nginx.conf": "*.conf"},
        {"nginx.conf": "conf.d/one.conf", "conf.d/one.conf": "conf.d/two.conf", "conf.d/two.conf": "conf.d/one.conf"},
    ],
    ids=["itself", "itself by a pattern", "in a circle"],
)
def test_nginx_files_that_include_themselves(capsys: Capture, includes: dict[str, str]) -> None:
    for name, included in includes.items():
        put(name, f"include {included};\n" + (TWICE if len(includes) == 1 or "two" in name else ""))
    began = time.monotonic()
    status, found, _ = checked(capsys, ".")
    assert time.monotonic() - began < 5
    assert (status, found) == (1, [("duplicate-add-header", name, 4, 1)])


def test_files_that_import_each_other(capsys: Capture) -> None:
    put("a.js", "const { origin } = require('./b');\nexports.origin = origin;\n")
    put("b.js", f"{CORS}const {{ origin }} = require('./a');\nexports.origin = origin;\napp.use(cors({{ origin }}));\n")
    put("c.py", "from d import ORIGINS\n")
    put("d.py", "from c import ORIGINS\n" + BAD_PYTHON.replace('["*"]', "ORIGINS"))
    assert checked(capsys, ".")[:2] == (0, [])


def test_thousands_of_nested_levels(capsys: Capture) -> None:
    put("a.js", f"{CORS}const x = {'[' * 5_000}{']' * 5_000};\n{BAD.removeprefix(CORS)}")
    put("f.py", f"x = {'(' * 5_000}1{')' * 5_000}\n{BAD_PYTHON}")
    put("nginx.conf", f"{'location / {' * 5_000}{'}' * 5_000}\n{BAD_NGINX}")
    _, found, _ = checked(capsys, ".")
    assert {(rule, path) for rule, path, _, _ in found} >= {
        ("wildcard-origin-with-credentials", "a.js"),
        ("reflected-origin-with-credentials", "f.py"),
    }


def test_names_and_content_cannot_drive_the_terminal(capsys: Capture) -> None:
    put("\x1b]0;owned\x07\n.js", BAD.replace("'*'", "'*' /* \x1b[2J\x9b1m\u202e */"))
    for output_format in ("text", "concise"):
        assert cli.run(["check", "--output-format", output_format, "--color", "never", "."]) == 1
        out, err = capsys.readouterr()
        assert (out + err).replace("\n", "").isprintable()
        assert "\\x1b]0;owned\\x07\\x0a.js:3:" in out


@pytest.mark.parametrize("command", ["check", "facts"])
def test_a_path_that_does_not_exist(capsys: Capture, command: str) -> None:
    put("a.js", BAD)
    assert cli.run([command, "a.js", "gone"]) == 2
    assert capsys.readouterr() == ("", "corslint: error: gone: no such file or folder\n")


def test_a_rule_with_a_typo_names_file_line_and_nearest_field(capsys: Capture) -> None:
    put("corslint.toml", 'rules = ["our-rules"]\n')
    put(
        "our-rules/our-rule.yaml",
        "id: our-rule\nseverity: error\neffect: broken\nmatch:\n"
        "  - {name: policy, fact: cors_policy, where: {effect.credentals: 'yes'}}\n"
        "report:\n  at: policy\n  message: m\n  help: h\nexamples: []\n",
    )
    assert cli.run(["check", "."]) == 2
    said = "a cors_policy has no field 'effect.credentals' (did you mean 'effect.credentials'?)"
    assert capsys.readouterr() == ("", f"corslint: error: our-rules/our-rule.yaml:5: {said}\n")


def test_a_rule_full_of_aliases_is_refused(capsys: Capture) -> None:
    put("corslint.toml", 'rules = ["our-rules"]\n')
    bombs = "".join(
        f"{'abcdefghi'[n + 1]}: &{'abcdefghi'[n + 1]} [{', '.join(['*' + 'abcdefghi'[n]] * 9)}]\n" for n in range(8)
    )
    put("our-rules/our-rule.yaml", "a: &a [x]\n" + bombs)
    began = time.monotonic()
    assert cli.run(["check", "."]) == 2
    assert "our-rules/our-rule.yaml:" in capsys.readouterr().err
    assert time.monotonic() - began < 5


def test_one_broken_file_does_not_stop_the_others(capsys: Capture) -> None:
    put("broken.js", "const cors = require('cors';\nfoo(((\n")
    put("broken.py", "def f(:\n  cors(\n")
    put("nginx.conf", "server {\n  proxy_pass http://x\n")
    put("package.json", "{")
    put("good.js", BAD)
    _, found, _ = checked(capsys, "--pedantic", ".")
    assert ("wildcard-origin-with-credentials", "good.js", 3, 24) in found
    assert {path for rule, path, _, _ in found if rule in ("syntax-error", "nginx-syntax")} == {
        "broken.js",
        "broken.py",
        "nginx.conf",
        "package.json",
    }


DOUBLING = {
    "a list of itself": (
        "settings.py",
        """
INSTALLED_APPS = ["corsheaders"]
CORS_ALLOWED_ORIGINS = [*CORS_ALLOWED_ORIGINS, *X]
CORS_ALLOWED_ORIGINS += CORS_ALLOWED_ORIGINS
""",
    ),
    "choices of choices": (
        "server.js",
        "const A0 = process.env.Q || 'https://a.example.com';\n"
        + "".join(f"const A{n} = c{n} ? A{n - 1} : A{n - 1} + 'x';\n" for n in range(1, 31))
        + "require('cors')({ origin: A30 });\n",
    ),
    "lists of lists": (
        "server.js",
        "const A0 = ['https://a.example.com'];\n"
        + "".join(f"const A{n} = [...A{n - 1}, ...A{n - 1}];\n" for n in range(1, 41))
        + "require('cors')({ origin: A40 });\n",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("name", "text"), DOUBLING.values(), ids=DOUBLING)
def test_values_that_double_at_every_step_are_bounded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], name: str, text: str
) -> None:
    (tmp_path / name).write_text(text)
    monkeypatch.chdir(tmp_path)
    started = time.monotonic()
    assert cli.run(["check", "--output-format", "concise", "."]) == 0
    assert capsys.readouterr().out == ""
    assert time.monotonic() - started < 30  # without a bound: for ever
