"""`corslint explain`: what comes out, streams, exit status, and texts that mean no good."""

from __future__ import annotations

import io
import json
import shutil
import sys
import time
from pathlib import Path

import pytest

from corslint import cli
from corslint.explain.wordings import LONGEST_TEXT

ROOT = Path(__file__).resolve().parents[2]
POLLED = "https://api.example.com/socket.io/?EIO=4&transport=polling&t=x1"
MISSING = (
    f"Access to XMLHttpRequest at '{POLLED}' from origin 'https://app.example.com' has been blocked by CORS policy: No "
    "'Access-Control-Allow-Origin' header is present on the requested resource."
)
CURL = f"curl -v -H 'Origin: https://app.example.com' '{POLLED}'"


@pytest.fixture(autouse=True)
def _empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    shutil.copytree(ROOT / "fixtures" / "projects" / "socketio-without-cors" / "bad", folder)
    return folder


def explain(*words: str) -> int:
    return cli.run(["explain", *words])


def test_a_finding_of_the_project_comes_first(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert explain(MISSING.replace("https://a", "http://a"), str(project)) == 0
    lines = capsys.readouterr().out.splitlines()
    at = lines.index("Found in this project, the likeliest cause first:")
    assert lines[at + 1] == "  socketio-without-cors: Socket.IO without CORS, and a client on another origin"
    assert lines[at + 2].startswith("    project/server/index.js:8:12: error: Socket.IO has no `cors` option")
    assert "What to look at next:" not in lines


def test_the_working_directory_is_looked_at_by_default(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(project)
    assert explain(MISSING) == 0
    assert "\n    server/index.js:8:12: error: " in capsys.readouterr().out


def test_in_an_empty_folder_it_ranks_and_says_what_to_look_at(capsys: pytest.CaptureFixture[str]) -> None:
    assert explain(MISSING) == 0
    out = capsys.readouterr().out
    assert "\nPossible causes, the likeliest first:\n  express-only-cors: " in out
    assert "\nWhat to look at next:\n  It is often no CORS fault at all: " in out
    assert f"`{CURL}`" in out


def test_an_explanation_as_json(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert explain("--output-format", "json", MISSING, str(project)) == 0
    content = json.loads(capsys.readouterr().out)
    assert list(content) == ["version", "cut", "messages", "answers", "causes"]
    (message,) = content["messages"]
    assert message["id"] == "allow-origin-missing"
    assert message["clues"]["transport"] == "polling"
    first = content["causes"][0]
    assert (first["rule"], first["findings"][0]["path"]) == ("socketio-without-cors", "project/server/index.js")
    assert content["causes"][1]["findings"] == []


def stdin(monkeypatch: pytest.MonkeyPatch, data: bytes) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data), encoding="ascii"))


def test_standard_input(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    stdin(monkeypatch, f"socket.js:1 {MISSING}\r\nconnect_error: ‘x’ \xff".encode("latin-1", "replace"))
    assert explain("-") == 0
    assert "express-only-cors" in capsys.readouterr().out


def test_a_transcript_that_passes(capsys: pytest.CaptureFixture[str]) -> None:
    transcript = (
        "> GET /x HTTP/1.1\n> Host: localhost:4000\n> Origin: http://localhost:5173\n>\n< HTTP/1.1 200 OK\n"
        "< Access-Control-Allow-Origin: *\n<\n"
    )
    assert explain(transcript) == 0
    assert capsys.readouterr().out == (
        "GET http://localhost:4000/x: 200\n"
        "  for a page without cookies: allowed\n"
        "  with cookies: blocked: The value of the 'Access-Control-Allow-Origin' header in the response must not be "
        "the wildcard '*' when the request's credentials mode is 'include'.\n\n"
    )


def test_a_transcript_that_does_not_pass_has_causes(capsys: pytest.CaptureFixture[str]) -> None:
    transcript = "> OPTIONS /x HTTP/1.1\n> Host: a.example\n> Origin: https://b.example\n"
    transcript += "> Access-Control-Request-Method: PUT\n>\n< HTTP/1.1 401 Unauthorized\n<\n"
    assert explain(transcript) == 0
    out = capsys.readouterr().out
    assert out.startswith("OPTIONS http://a.example/x: 401\n  for a page without cookies: blocked\n")
    assert "\n  auth-before-cors: " in out


@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        (("hello",), 3, "corslint: nothing in this text is known"),
        ((" \n",), 2, "there is no text to explain"),
        ((), 2, "Missing argument 'TEXT'"),
        ((MISSING, "nowhere"), 2, "nowhere"),
        ((MISSING, "--output-format", "xml"), 2, "'xml' is not one of"),
    ],
)
def test_exit_status(words: tuple[str, ...], status: int, said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert explain(*words) == status
    captured = capsys.readouterr()
    assert said in captured.err
    assert captured.out == ""


def test_findings_in_tests_are_no_causes(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (project / "server").rename(project / "tests")
    assert explain(MISSING, str(project)) == 0
    assert "Found in this project" not in capsys.readouterr().out


def test_what_settings_silence_may_be_the_cause(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (project / "corslint.toml").write_text('ignore = ["socketio-without-cors"]\n', encoding="utf-8")
    assert explain(MISSING, str(project)) == 0
    assert "\n  socketio-without-cors: " in capsys.readouterr().out.partition("Found in this project")[2]


# --- texts that mean no good -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        MISSING.replace("api", "api\x1b]0;owned\x07"),
        MISSING.replace("'https://app", "'https://\u202eapp"),
        MISSING.replace("socket.js", "x") + "\n::error file=a.js::owned\n##vso[task.complete]",
        "connect_error: xhr poll error; response \x1b[2J\x9b31m\x00\x08",
    ],
)
@pytest.mark.parametrize("output_format", ["text", "json"])
def test_the_terminal_gets_text_alone(text: str, output_format: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert explain("--output-format", output_format, text) == 0
    out = capsys.readouterr().out
    assert all(character.isprintable() or character == "\n" for character in out)
    assert not any(line.startswith("::") for line in out.splitlines())
    assert "##vso[" not in out


def test_a_command_to_copy_holds_no_command_of_strangers(capsys: pytest.CaptureFixture[str]) -> None:
    for bad in ("https://api.example.com/$(rm)", "https://api.example.com/`rm`", "https://api.example.com/'"):
        assert (
            explain(f"XMLHttpRequest cannot load {bad} due to access control checks.\n{MISSING.partition(': ')[2]}")
            == 0
        )
        assert "ORIGIN-OF-THE-PAGE' URL`" in capsys.readouterr().out
    assert explain(MISSING.replace(POLLED, "https://api.example.com/?a=1;rm&b=2")) == 0
    assert "'https://api.example.com/?a=1;rm&b=2'`" in capsys.readouterr().out


PIECES = (
    "Access to fetch at '", "Access to x at 'u' from origin 'o", " is not an accepted origin", "{code: 1, ", "timeout ",
    "'Access-Control-Allow-Origin' header contains multiple values '", "> GET / HTTP/1.1\n", "< HTTP/1.1 200 OK\n",
    "net::ERR_FAILED ", "\x1b[", "WebSocket connection to 'a' failed: ", "\n", "'" * 8, ": " * 4, "a",
    "Method PUT is not allowed by Access-Control-Allow-Methods\n", "> A: b\n", "redirection URL ",
    "Redirect location '",
)  # fmt: skip


@pytest.mark.parametrize("piece", PIECES)
def test_a_megabyte_takes_seconds(
    piece: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    begun = time.process_time()
    stdin(monkeypatch, (piece * (1_200_000 // len(piece))).encode() + MISSING.encode())
    assert explain("-") in (0, 3)
    assert time.process_time() - begun < 10
    assert len(capsys.readouterr().out) < 100_000


def test_more_than_is_looked_at_is_said(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    stdin(monkeypatch, MISSING.encode() + b" x" * LONGEST_TEXT)
    assert explain("-") == 0
    assert capsys.readouterr().out.startswith("(Only the beginning of this text was looked at.)\n")


_EXPRESS = "const express = require('express');\nconst cors = require('cors');\nconst app = express();\n"
_ROUTE = "app.get('/{}', (req, res) => res.json([]));"
_USE = "app.use(cors({{ origin: 'https://app.example.com{}' }}));"
_WRONG = "\n".join([_EXPRESS, _USE.format("/"), _ROUTE.format("shop"), "app.listen(4000);\n"])
_LATE = "\n".join([_EXPRESS, _ROUTE.format("desk"), _USE.format(""), "app.listen(5000);\n"])


@pytest.mark.parametrize(
    ("url", "first"),
    [
        ("http://localhost:4000/shop", "malformed-origin"),
        ("http://localhost:5000/desk", "cors-after-routes"),
        ("https://api.example.com/shop", "malformed-origin"),
        ("https://api.example.com/desk", "cors-after-routes"),
        ("https://elsewhere.example.org/other", "malformed-origin"),
    ],
)
def test_the_server_that_was_asked_goes_first(
    url: str, first: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, code in (("shop", _WRONG), ("desk", _LATE)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "package.json").write_text('{"dependencies": {"express": "4.21.2", "cors": "2.8.5"}}')
        (tmp_path / name / "server.js").write_text(code)
    (tmp_path / "nginx.conf").write_text(
        "server {\n    listen 80;\n    server_name api.example.com;\n"
        "    location /shop { proxy_pass http://127.0.0.1:4000; }\n"
        "    location /desk { proxy_pass http://127.0.0.1:5000; }\n}\n"
    )
    said = f"Access to fetch at '{url}' from origin 'https://app.example.com' has been blocked by CORS policy: "
    assert explain(f"{said}No 'Access-Control-Allow-Origin' header is present on the requested resource.") == 0
    lines = capsys.readouterr().out.splitlines()
    at = lines.index("Found in this project, the likeliest cause first:")
    assert lines[at + 1].startswith(f"  {first}: ")


def test_the_location_that_was_asked_goes_first(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    allow = "add_header Access-Control-Allow-Origin"
    (tmp_path / "nginx.conf").write_text(
        "server {\n    listen 80;\n    server_name api.example.com;\n    root /srv/files;\n"
        f"    location /one/ {{ {allow} https://app.example.com/ always; }}\n"
        f"    location /two/ {{ {allow} 'https://a.example.com https://app.example.com' always; }}\n}}\n"
    )
    for path, first in (("one/a", "malformed-origin"), ("two/a", "origin-list-in-string")):
        url = f"https://api.example.com/{path}"
        assert explain(MISSING.replace(POLLED, url).replace("XMLHttpRequest", "fetch")) == 0
        lines = capsys.readouterr().out.splitlines()
        at = lines.index("Found in this project, the likeliest cause first:")
        assert lines[at + 1].startswith(f"  {first}: ")
