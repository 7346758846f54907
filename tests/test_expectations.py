"""Expectations in the settings, and the settings that `corslint init` proposes."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from corslint import cli, lint, settings
from corslint.discovery import contexts
from corslint.settings import Expectation, UsageError

EXPECT = '[[expect]]\nfrom = "https://app.example.com"\nto = "https://api.example.com/items"\nverdict = "allow"\n'
NO_ORIGIN = "`expect` needs as `from` the origin of a page, like `https://app.example.com`"
NO_ADDRESS = "`expect` needs as `to` an address, like `https://api.example.com/items`"
SERVER = (
    "const app = require('express')();\napp.use(require('cors')({ origin: '%s' }));\n"
    "app.get('/items', (req, res) => res.json([]));\napp.listen(3000);\n"
)
MANIFEST = '{"dependencies": {"express": "4.22.3", "cors": "2.8.6"}}'


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "package.json").write_text(MANIFEST, encoding="utf-8")
    (tmp_path / "server.js").write_text(SERVER % "https://other.example.com", encoding="utf-8")
    return tmp_path


def said(capsys: pytest.CaptureFixture[str], *arguments: str) -> list[str]:
    cli.run(["check", "--output-format", "concise", *arguments])
    return [line.partition(": error")[0] for line in capsys.readouterr().out.splitlines()]


# --- reading ---------------------------------------------------------------------------------------------------------


def test_where_an_expectation_stands(here: Path) -> None:
    second = "  [[ expect ]] # the second\nfrom = 'null'\nto = 'wss://a.example/s'\nverdict = 'block'\n"
    text = f"pedantic = true\n\n{EXPECT}\n{second}"
    (here / "corslint.toml").write_bytes(b"\xef\xbb\xbf" + text.encode())
    one, other = settings.load(".", str(here)).expect
    data = (here / "corslint.toml").read_bytes()
    assert (data[one.start : one.end], data[other.start : other.end]) == (b"[[expect]]", b"[[ expect ]]")
    assert one == Expectation(
        "https://app.example.com", "https://api.example.com/items", "allow", source="corslint.toml",
        start=one.start, end=one.end,
    )  # fmt: skip
    assert other[:3] == ("null", "wss://a.example/s", "block")


def test_as_a_list_of_tables_it_stands_in_one_line(here: Path) -> None:
    text = 'pedantic = true\nexpect = [{ from = "https://a.example", to = "https://b.example", verdict = "block" }]\n'
    (here / "corslint.toml").write_text(text, encoding="utf-8")
    (one,) = settings.load(".", str(here)).expect
    assert text[one.start : one.end] == text.splitlines()[1]


def test_in_pyproject(here: Path) -> None:
    text = "[tool.corslint]\n\n" + EXPECT.replace("[[expect]]", "[[tool.corslint.expect]]") + 'method = "PUT"\n'
    (here / "pyproject.toml").write_text(text, encoding="utf-8")
    (one,) = settings.load(".", str(here)).expect
    assert (text[one.start : one.end], one.method) == ("[[tool.corslint.expect]]", "PUT")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("expect = 1\n", "`expect` must be tables, like `[[expect]]` with `from`, `to` and `verdict` below it"),
        ('[[expect]]\nfrom = "https://a.example"\n', "`expect` lacks `to`: each has `from`, `to` and `verdict`"),
        (EXPECT + "credential = true\n", "`expect` has an unknown key `credential`; did you mean `credentials`?"),
        (
            EXPECT.replace("https://app.example.com", "https://app.example.com/"),
            f"{NO_ORIGIN}; this is none: https://app.example.com/",
        ),
        (
            EXPECT.replace("https://api", "api"),
            f"{NO_ADDRESS}; this is none: api.example.com/items",
        ),
        (EXPECT.replace("allow", "deny"), "`expect` needs as `verdict` one of allow, block"),
        (EXPECT + "method = 7\n", "`expect` needs as `method` the name of one"),
        (
            EXPECT + 'headers = "x"\n',
            "`expect` has a value that is not right: `credentials` or `headers` must be a list of strings",
        ),
    ],
)
def test_mistakes_have_their_line(here: Path, text: str, message: str) -> None:
    (here / "corslint.toml").write_text("pedantic = true\n" + text, encoding="utf-8")
    with pytest.raises(UsageError) as error:
        settings.load(".", str(here))
    assert str(error.value) == f"corslint.toml:2: {message}"


def test_those_of_an_extended_file_count_too(here: Path) -> None:
    (here / "base.toml").write_text(EXPECT, encoding="utf-8")
    (here / "corslint.toml").write_text('extend = "base.toml"\n' + EXPECT.replace("allow", "block"), encoding="utf-8")
    found = settings.load(".", str(here)).expect
    assert [(one.verdict, one.source) for one in found] == [("allow", "base.toml"), ("block", "corslint.toml")]


# --- on every run ----------------------------------------------------------------------------------------------------


def test_what_does_not_hold_is_found(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (here / "corslint.toml").write_text(f"pedantic = false\n{EXPECT}", encoding="utf-8")
    assert said(capsys) == ["corslint.toml:2:1"]
    (here / "server.js").write_text(SERVER % "https://app.example.com", encoding="utf-8")
    assert said(capsys) == []


def test_it_is_found_in_a_file_that_takes_part(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (here / ".git").mkdir()
    (here / "corslint.toml").write_text(EXPECT, encoding="utf-8")
    (here / "other.js").write_text("console.log(1);\n", encoding="utf-8")
    assert said(capsys, "server.js") == ["corslint.toml:1:1"]
    assert said(capsys, "other.js") == []


def test_it_can_be_left_out(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (here / "corslint.toml").write_text(f'ignore = ["expectation-failed"]\n{EXPECT}', encoding="utf-8")
    assert said(capsys) == []


def test_settings_of_folders_are_gathered(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (here / "sub").mkdir()
    (here / "sub" / "corslint.toml").write_text(EXPECT, encoding="utf-8")
    (here / "sub" / "index.js").write_text("require('cors');\n", encoding="utf-8")
    assert said(capsys) == ["sub/corslint.toml:1:1"]


# --- init ------------------------------------------------------------------------------------------------------------

CLIENT = "import { io } from 'socket.io-client';\nio('http://localhost:3000');\n"
PROJECT = {
    "server/package.json": '{"dependencies": {"socket.io": "4.8.1"}}',
    "server/server.js": (
        "const { Server } = require('socket.io');\n"
        "new Server(3000, { cors: { origin: ['https://app.example.com', 'http://localhost:5173'] } });\n"
    ),
    "web/package.json": '{"dependencies": {"socket.io-client": "4.8.1"}}',
    "web/client.js": CLIENT,
}


def made(folder: Path) -> Path:
    for path, text in PROJECT.items():
        (folder / path).parent.mkdir(exist_ok=True)
        (folder / path).write_text(text, encoding="utf-8")
    return folder


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return made(tmp_path)


PROPOSED = """\
# Proposed by `corslint init`. Every key is explained in docs/settings.md.

# Origins of the pages that talk to this project.
frontends = [
    "https://app.example.com",  # server/server.js:2
]

# What browsers have to make of requests, checked on every run.
[[expect]]  # asked at web/client.js:2
from = "https://app.example.com"
to = "http://localhost:3000/socket.io/"
verdict = "allow"

[[expect]]  # a page that nobody listed
from = "https://stranger.example"
to = "http://localhost:3000/socket.io/"
verdict = "block"
"""


def test_settings_are_proposed(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["init"]) == 0
    assert capsys.readouterr().out == PROPOSED
    assert not (project / "corslint.toml").exists()


def test_what_is_written_holds(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["init", "--write"]) == 0
    assert (project / "corslint.toml").read_text(encoding="utf-8") == PROPOSED
    assert capsys.readouterr().err == "corslint: wrote corslint.toml\n"
    (context,) = contexts(["."], str(project))
    report = lint.lint(context, settings.load(".", str(project)))
    assert [finding.rule for finding in report.findings if finding.rule == "expectation-failed"] == []


@pytest.mark.parametrize(
    ("name", "text"),
    [("corslint.toml", ""), (".corslint.toml", "x"), ("pyproject.toml", "[tool.corslint]\n")],
)
def test_nothing_is_overwritten(project: Path, capsys: pytest.CaptureFixture[str], name: str, text: str) -> None:
    (project / name).write_text(text, encoding="utf-8")
    assert cli.run(["init", "--write"]) == 2
    assert (project / name).read_text(encoding="utf-8") == text
    assert capsys.readouterr().err == f"corslint: error: {name} is there already: nothing was written\n"


def test_another_pyproject_does_not_matter(project: Path) -> None:
    (project / "pyproject.toml").write_text("[project]\n", encoding="utf-8")
    assert cli.run(["init", "--write"]) == 0


def test_where_nothing_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert cli.run(["init"]) == 0
    text = capsys.readouterr().out
    assert tomllib.loads(text) == {}
    assert tomllib.loads(text.replace("\n# ", "\n").split("none was found.\n")[1].split("What browsers")[0]) == {
        "frontends": ["https://app.example.com"]
    }


def test_a_folder_that_is_not_there(here: Path) -> None:
    assert cli.run(["init", "nowhere"]) == 2
