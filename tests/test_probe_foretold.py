"""`corslint probe URL PATHS`: a server beside what its files foretell; `tests/lab/test_probe.py` has real ones."""

from __future__ import annotations

from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest

from corslint import cli, command_line
from corslint.model.exchange import response
from corslint.probe import Answer, Question, foretold, run
from tests.test_probe import APP, Said, Server, probe, server

NO_OPTIONS = {"config": (), "isolated": False, "exclude": (), "force_exclude": False}

Capture = pytest.CaptureFixture[str]

__all__ = ["server"]  # the fixture

EXPRESS = """\
const express = require('express');
const cors = require('cors');

const app = express();
app.use(cors({ origin: '%s', credentials: true }));
app.get('/api/messages', (req, res) => res.json([]));

app.listen(%s);
"""


@pytest.fixture
def project(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The files of the server, as it should be."""
    monkeypatch.chdir(tmp_path)
    packages = '{"dependencies": {"express": "4.22.3", "cors": "2.8.6"}}\n'
    Path("package.json").write_text(packages)
    Path("server.js").write_text(EXPRESS % (APP, server.url.rpartition(":")[2]))
    return tmp_path


def as_written(asked: BaseHTTPRequestHandler) -> Said:
    """What Express answers with these files, as far as it is compared (fixtures/oracle/cors@2.8.6.json)."""
    lines = [
        ("Access-Control-Allow-Origin", APP),
        ("Vary", "Origin"),
        ("Access-Control-Allow-Credentials", "true"),
    ]
    if asked.command != "OPTIONS":
        return 200, lines
    methods = ("Access-Control-Allow-Methods", "GET,HEAD,PUT,PATCH,POST,DELETE")
    return 204, [*lines, methods, ("Access-Control-Allow-Headers", asked.headers["Access-Control-Request-Headers"])]


def compared(capsys: Capture, server: Server, *arguments: str) -> tuple[int, list[Any]]:
    status, found = probe(capsys, f"{server.url}/api/messages", "--origin", APP, "--credentials", *arguments)
    return status, [(one["kind"], one["verdict"], one["foretold"], one["differences"]) for one in found["questions"]]


def test_a_server_that_is_as_its_files_say(server: Server, project: Path, capsys: Capture) -> None:
    server.says = as_written
    assert compared(capsys, server, ".") == (
        0,
        [("request", "allowed", "allowed", []), ("preflight", "allowed", "allowed", [])],
    )
    assert cli.run(["probe", f"{server.url}/api/messages", ".", "--origin", APP]) == 0
    out = capsys.readouterr().out
    assert "\n  as the files say: allowed\n" in out
    assert out.endswith("; nothing differs from what the files say\n")


def test_what_is_blocked_as_foretold_is_as_foretold(server: Server, project: Path, capsys: Capture) -> None:
    server.says = as_written
    other = "https://other.example.com"
    assert cli.run(["probe", f"{server.url}/api/messages", ".", "--origin", other]) == 0
    assert "\n  as the files say: blocked\n" in capsys.readouterr().out
    assert cli.run(["probe", f"{server.url}/api/messages", "--origin", other]) == 1, "without files there is no excuse"


def test_a_server_that_is_not_as_its_files_say(server: Server, project: Path, capsys: Capture) -> None:
    def says(asked: BaseHTTPRequestHandler) -> Said:
        status, lines = as_written(asked)[:2]
        return status, [(name, "*" if name == "Access-Control-Allow-Origin" else value) for name, value in lines]

    server.says = says
    status, found = compared(capsys, server, ".")
    assert status == 1
    origin = {"files": APP, "server": "*", "place": "server.js:5:24"}
    assert found[0] == (
        "request",
        "blocked",
        "allowed",
        [
            {"what": "verdict", "files": "allowed", "server": "blocked", "place": None},
            {"what": "Access-Control-Allow-Origin of GET /api/messages", **origin},
        ],
    )
    assert found[1][3][1] == {"what": "Access-Control-Allow-Origin of OPTIONS /api/messages", **origin}
    assert cli.run(["probe", f"{server.url}/api/messages", ".", "--origin", APP, "--credentials"]) == 1
    out = capsys.readouterr().out
    assert f"  differs: Access-Control-Allow-Origin of GET /api/messages: *, by the files {APP}\n" in out
    assert "    --> server.js:5:24\n" in out
    assert out.endswith("with credentials; 4 differences from what the files say\n")


def test_an_old_version_that_still_runs(server: Server, project: Path, capsys: Capture) -> None:
    """The preflight has another status and lacks its headers: the file was mended, and nobody started it again."""
    server.says = lambda asked: (404, []) if asked.command == "OPTIONS" else as_written(asked)
    status, found = compared(capsys, server, ".")
    assert status == 1
    assert found[0] == ("request", "allowed", "allowed", [])
    assert [(one["what"], one["files"], one["server"]) for one in found[1][3]] == [
        ("verdict", "allowed", "blocked"),
        ("status of OPTIONS /api/messages", "204", "404"),
        ("Access-Control-Allow-Origin of OPTIONS /api/messages", APP, "not sent"),
        ("Access-Control-Allow-Credentials of OPTIONS /api/messages", "true", "not sent"),
        ("Access-Control-Allow-Methods of OPTIONS /api/messages", "GET,HEAD,PUT,PATCH,POST,DELETE", "not sent"),
        ("Access-Control-Allow-Headers of OPTIONS /api/messages", "content-type", "not sent"),
    ]


def test_files_that_say_nothing_differ_from_nothing(server: Server, tmp_path: Path, capsys: Capture) -> None:
    server.says = as_written
    status, found = compared(capsys, server, str(tmp_path))
    assert (status, [one[2:] for one in found]) == (0, [("unknown", []), ("unknown", [])])
    cli.run(["probe", f"{server.url}/api/messages", str(tmp_path), "--origin", APP])
    assert "\n  the files do not say how this ends" in capsys.readouterr().out


def test_an_attacker_that_gets_in_is_no_less_bad_for_being_foretold(
    server: Server, project: Path, capsys: Capture
) -> None:
    Path("server.js").write_text(Path("server.js").read_text().replace(f"'{APP}'", "true"))

    def says(asked: BaseHTTPRequestHandler) -> Said:
        status, lines = as_written(asked)[:2]
        return status, [
            (name, asked.headers["Origin"] if name == "Access-Control-Allow-Origin" else value) for name, value in lines
        ]

    server.says = says
    assert compared(capsys, server, ".")[0] == 0
    assert compared(capsys, server, ".", "--attack-origins")[0] == 1


def test_mixed_content_is_foretold_alike(tmp_path: Path) -> None:
    question = Question("http://api.example.com/", APP)
    found = run.probe(question, lambda _: Answer(response(200)), socket=False, ws=False, attack=False)
    contexts = command_line.contexts((str(tmp_path),), str(tmp_path), NO_OPTIONS)
    assert [(one.foretold, one.differences) for one in foretold.compare(question, found.findings, contexts)] == [
        ("blocked", ()),
        ("blocked", ()),
    ]
