"""Reports in files and on streams: which format goes where, whole files or none, colours, readers that leave."""

from __future__ import annotations

import json
import ntpath
import os
import re
import socket
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

import corslint
from corslint import cli, outputs
from corslint.outputs import Output
from corslint.report import FORMATS, Merged
from corslint.settings import UsageError

Capture = pytest.CaptureFixture[str]

BAD = "require('express')().use(require('cors')({ origin: '*', credentials: true }));\n"
ONE_LINE = (
    "a.js:1:52: error: Express cors answers with `Access-Control-Allow-Origin: *` and allows credentials: browsers"
    " refuse that pair for every request with cookies [wildcard-origin-with-credentials]\n"
)
FOUND = "corslint: found 1 error in 1 file\n"
MENDABLE = "corslint: found 1 error in 1 file; 1 can be fixed with --unsafe-fixes\n"


@pytest.fixture(autouse=True)
def in_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (
        "NO_COLOR",
        "FORCE_COLOR",
        "CLICOLOR_FORCE",
        "FORCE_HYPERLINK",
        "CORSLINT_OUTPUT_FORMAT",
        "CORSLINT_DEBUG",
    ):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.js").write_text(BAD)


def check(*arguments: str) -> int:
    return cli.run(["check", *arguments, "a.js"])


# --- pairs -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("formats", "files", "expected"),
    [
        ([], [], [("text", "-")]),
        (["json"], [], [("json", "-")]),
        ([], ["x"], [("text", "x")]),
        (["json"], ["x"], [("json", "x")]),
        (["json"], ["-"], [("json", "-")]),
        (["json", "text", "sarif"], ["x", "-", "y"], [("json", "x"), ("text", "-"), ("sarif", "y")]),
        (["json", "json"], ["x", "y"], [("json", "x"), ("json", "y")]),
    ],
)
def test_pairs(formats: list[str], files: list[str], expected: list[tuple[str, str]]) -> None:
    assert outputs.paired(formats, files) == tuple(Output(*pair) for pair in expected)


AMBIGUOUS = (
    ": with several reports, each --output-format needs its own --output-file, in the same order; "
    "`-` is standard output"
)


@pytest.mark.parametrize(
    ("formats", "files", "message"),
    [
        (["json", "sarif"], [], f"2 formats and 0 files{AMBIGUOUS}"),
        (["json", "sarif"], ["x"], f"2 formats and 1 file{AMBIGUOUS}"),
        (["json"], ["x", "y"], f"1 format and 2 files{AMBIGUOUS}"),
        ([], ["x", "y"], f"1 format and 2 files{AMBIGUOUS}"),
        (["json", "sarif"], ["-", "-"], "--output-file: two reports would go to standard output"),
        (["json", "sarif"], ["x", "./x"], "--output-file: two reports would go to ./x"),
        (["json"], [""], "--output-file: its value is empty"),
        (["json"], ["."], "--output-file: . is a folder"),
        (["json"], ["no/x"], "--output-file: no/x: there is no such folder"),
        (["json"], ["a.js/x"], "--output-file: a.js/x: there is no such folder"),
    ],
)
def test_what_does_not_belong_together(formats: list[str], files: list[str], message: str, capsys: Capture) -> None:
    with pytest.raises(UsageError) as caught:
        outputs.paired(formats, files)
    assert str(caught.value) == message
    arguments = [f"--output-format={name}" for name in formats] + [f"--output-file={file}" for file in files]
    assert check(*arguments) == 2
    assert capsys.readouterr() == ("", f"corslint: error: {message}\n")
    assert sorted(os.listdir()) == ["a.js"]


def test_a_file_is_not_written_over_under_two_names() -> None:
    os.symlink("x", "y")
    with pytest.raises(UsageError, match="two reports would go to y"):
        outputs.paired(["json", "sarif"], ["x", "y"])


# --- what is written -------------------------------------------------------------------------------------------------


def test_several_reports_in_one_run(capsys: Capture) -> None:
    status = check(
        *("--output-format", "sarif", "--output-file", "r.sarif"),
        *("--output-format", "concise", "--output-file", "-"),
        *("--output-format", "junit", "-o", "r.xml"),
    )
    assert status == 1
    assert capsys.readouterr() == (ONE_LINE, FOUND)
    sarif = json.loads(Path("r.sarif").read_bytes())
    assert [result["ruleId"] for result in sarif["runs"][0]["results"]] == ["wildcard-origin-with-credentials"]
    assert len(list(ElementTree.parse("r.xml").iter("failure"))) == 1
    assert sorted(os.listdir()) == ["a.js", "r.sarif", "r.xml"]


@pytest.mark.parametrize("name", FORMATS)
def test_a_file_holds_what_standard_output_would(name: str, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    assert check("--output-format", name) == 1
    shown = capfdbinary.readouterr()
    assert check("--output-format", name, "--output-file", "out") == 1
    there = capfdbinary.readouterr()
    assert Path("out").read_bytes() == shown.out
    assert there.out == b""
    assert shown.err == (b"" if name == "text" else there.err)
    assert there.err == FOUND.encode()


@pytest.mark.parametrize(("name", "closing"), [("sarif", MENDABLE), ("rdjson", MENDABLE), ("concise", FOUND)])
def test_formats_that_show_fixes_count_them(name: str, closing: str, capsys: Capture) -> None:
    check("--output-format", name, "--config", 'frontends = ["https://app.example.com"]')
    assert capsys.readouterr().err == closing


@pytest.mark.parametrize(
    ("threshold", "status"), [("error", 1), ("warning", 1), ("note", 1), ("never", 0)], ids=lambda value: str(value)
)
@pytest.mark.parametrize("name", FORMATS)
def test_the_format_does_not_change_the_status(name: str, threshold: str, status: int) -> None:
    assert check("--output-format", name, "-o", "out", "--fail-on", threshold) == status


def test_the_text_in_a_file_is_closed_and_so_is_the_terminal(capsys: Capture) -> None:
    check("-o", "out")
    assert Path("out").read_text().endswith(FOUND)
    assert capsys.readouterr() == ("", FOUND)


def test_files_are_utf8_whatever_the_locale(tmp_path: Path) -> None:
    (tmp_path / "é").mkdir()
    (tmp_path / "é" / "b.js").write_text(BAD)
    environment = {
        **os.environ,
        "PYTHONPATH": str(Path(corslint.__file__).parent.parent),
        "PYTHONIOENCODING": "latin-1",
    }
    for name in ("json", "checkstyle", "github"):
        command = [sys.executable, "-m", "corslint", "check", "--output-format", name, "é"]
        done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, check=False)
        assert "é/b.js" in done.stdout.decode("utf-8"), name
        with_file = [*command, "--output-file", "out"]
        subprocess.run(with_file, cwd=tmp_path, env=environment, capture_output=True, check=False)
        assert (tmp_path / "out").read_bytes() == done.stdout


def test_services_read_paths_from_the_top_of_the_repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".git").mkdir()
    (tmp_path / "apps" / "web").mkdir(parents=True)
    (tmp_path / "apps" / "web" / "b.js").write_text(BAD)
    monkeypatch.chdir(tmp_path / "apps" / "web")
    paths = {}
    for name in ("sarif", "gitlab", "github", "json", "concise", "rdjson", "checkstyle", "junit"):
        cli.run(["check", "b.js", "--output-format", name, "-o", "out"])
        output = Path("out").read_text()
        paths[name] = "apps/web/b.js" in output
        assert "b.js" in output
        assert str(tmp_path) not in output
    assert [name for name, whole in paths.items() if whole] == ["sarif", "gitlab", "github"]


def test_a_path_above_the_working_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".git").mkdir()
    (tmp_path / "web").mkdir()
    monkeypatch.chdir(tmp_path / "web")
    cli.run(["check", "../a.js", "--output-format", "gitlab", "-o", "out"])
    assert [issue["location"]["path"] for issue in json.loads(Path("out").read_text())] == ["a.js"]


@pytest.mark.parametrize(
    ("cwd", "path", "expected"),
    [
        (".", "a.js", "a.js"),
        ("web/src", "a.js", "web/src/a.js"),
        ("web/src", "../a.js", "web/a.js"),
        ("web", "../../other/a.js", "../other/a.js"),
        ("web", "D:/other/a.js", "D:/other/a.js"),
    ],
)
def test_paths_from_the_top(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cwd: str, path: str, expected: str
) -> None:
    (tmp_path / ".git").mkdir()
    (tmp_path / "web" / "src").mkdir(parents=True)
    name = outputs._from_the_top(str(tmp_path / cwd).removesuffix("/."))
    monkeypatch.setattr(os.path, "isabs", ntpath.isabs)  # a drive is known on Windows alone
    assert name(path) == expected


def fingerprints_in(folder: Path, path: str, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    monkeypatch.chdir(folder)
    cli.run(["check", path, "--output-format", "json", "-o", "out.json"])
    found = json.loads(Path("out.json").read_text())["findings"]
    return [one["fingerprint"] for one in found]


def test_fingerprints_do_not_depend_on_the_working_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".git").mkdir()
    (tmp_path / "web").mkdir()
    (tmp_path / "web" / "b.js").write_text(BAD)
    above = fingerprints_in(tmp_path, "web/b.js", monkeypatch)
    assert above == fingerprints_in(tmp_path / "web", "b.js", monkeypatch)
    assert len(above) == 1


# --- the environment -------------------------------------------------------------------------------------------------


def test_the_format_from_the_environment(monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    monkeypatch.setenv("CORSLINT_OUTPUT_FORMAT", "concise")
    assert check() == 1
    assert capsys.readouterr().out == ONE_LINE
    check("-o", "out")
    assert Path("out").read_text() == ONE_LINE
    check("--output-format", "gitlab")
    assert json.loads(capsys.readouterr().out)[0]["severity"] == "major"


def test_a_wrong_format_in_the_environment(monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    monkeypatch.setenv("CORSLINT_OUTPUT_FORMAT", "yaml")
    assert check() == 2
    assert "'yaml' is not one of" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("color", "terminal", "environment", "expected"),
    [
        ("auto", True, {}, True),
        ("auto", False, {}, False),
        ("auto", True, {"TERM": "dumb"}, False),
        ("auto", True, {"NO_COLOR": "1"}, False),
        ("auto", True, {"NO_COLOR": ""}, True),
        ("auto", False, {"FORCE_COLOR": "1"}, True),
        ("auto", False, {"FORCE_COLOR": "0"}, False),
        ("auto", False, {"CLICOLOR_FORCE": "1"}, True),
        ("auto", False, {"CLICOLOR_FORCE": ""}, False),
        ("auto", False, {"NO_COLOR": "1", "FORCE_COLOR": "1"}, False),
        ("auto", False, {"FORCE_COLOR": "1", "TERM": "dumb"}, True),
        ("always", False, {"NO_COLOR": "1", "TERM": "dumb"}, True),
        ("never", True, {"FORCE_COLOR": "1"}, False),
    ],
)
def test_colours(color: str, terminal: bool, environment: Mapping[str, str], expected: bool) -> None:
    assert outputs.coloured(color, terminal, environment) is expected


@pytest.mark.parametrize(("options", "coloured"), [((), False), (("--color", "always"), True)])
def test_a_file_is_coloured_only_if_asked_for(
    options: tuple[str, ...], coloured: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    check("-o", "out", *options)
    assert (b"\x1b[" in Path("out").read_bytes()) is coloured


def test_a_terminal_is_asked_for_its_width_and_colours(monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    monkeypatch.setenv("COLUMNS", "50")
    monkeypatch.setenv("TERM", "xterm")
    Path("a.js").write_text(f"/* {'x' * 100} */ {BAD}")
    check()
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("\x1b[1;31merror[")
    assert len([line for line in lines if "…" in line and len(line) < 80]) == 1


# --- files -----------------------------------------------------------------------------------------------------------


def test_a_file_keeps_its_mode_and_a_link_stays_one() -> None:
    Path("there").write_text("old")
    os.chmod("there", 0o640)
    os.symlink("there", "link")
    check("--output-format", "concise", "-o", "link")
    assert Path("there").read_text() == ONE_LINE
    assert (stat.S_IMODE(os.stat("there").st_mode), os.path.islink("link")) == (0o640, True)


def test_a_new_file_has_the_usual_mode() -> None:
    before = os.umask(0o027)
    try:
        check("-o", "out")
    finally:
        os.umask(before)
    assert stat.S_IMODE(os.stat("out").st_mode) == 0o640


def test_a_report_that_fails_half_way_leaves_the_file_as_it_was(
    monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    from corslint.report import concise

    def render(_report: Merged, _run: object) -> Iterator[str]:
        yield "half"
        raise OSError(28, "No space left on device")

    Path("out").write_text("old")
    monkeypatch.setattr(concise, "render", render)
    assert check("--output-format", "concise", "-o", "out") == 2
    assert capsys.readouterr().err == "corslint: error: --output-file: out cannot be written: No space left on device\n"
    assert Path("out").read_text() == "old"
    assert sorted(os.listdir()) == ["a.js", "out"]


def test_a_file_that_cannot_be_written(monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "replace", refuse)
    assert check("-o", "out") == 2
    assert capsys.readouterr().err == "corslint: error: --output-file: out cannot be written: Permission denied\n"
    assert os.listdir() == ["a.js"]


def test_a_failure_before_the_report_touches_no_file(capsys: Capture) -> None:
    Path("out").write_text("old")
    assert check("-o", "out", "--select", "no-such-rule") == 2
    assert Path("out").read_text() == "old"


def test_devices_and_pipes_are_written_to() -> None:
    assert check("-o", os.devnull) == 1
    assert stat.S_ISCHR(os.stat(os.devnull).st_mode)
    os.mkfifo("pipe")
    read: list[str] = []
    reader = threading.Thread(target=lambda: read.append(Path("pipe").read_text()))
    reader.start()
    check("--output-format", "concise", "-o", "pipe")
    reader.join(10)
    assert read == [ONE_LINE]
    assert stat.S_ISFIFO(os.stat("pipe").st_mode)


def process(*arguments: str, **more: Any) -> subprocess.CompletedProcess[bytes]:
    environment = {**os.environ, "PYTHONPATH": str(Path(corslint.__file__).parent.parent)}
    command = [sys.executable, "-m", "corslint", "check", "a.js", *arguments]
    return subprocess.run(command, env=environment, stderr=subprocess.PIPE, check=False, **more)


def test_dev_stdout_is_no_file_to_be_replaced() -> None:
    with open("out", "wb") as stream:
        stream.write(b"before\n")
        stream.flush()
        done = process("--output-format", "concise", "-o", "/dev/stdout", stdout=stream)
        assert os.fstat(stream.fileno()).st_nlink == 1
    assert (done.returncode, done.stderr.decode()) == (1, FOUND)
    assert Path("out").read_text() == "before\n" + ONE_LINE


def test_diff_writes_no_report(capsys: Capture) -> None:
    assert check("--diff", "-o", "out") == 2
    assert "corslint: error: --diff writes a patch and no report" in capsys.readouterr().err


# --- readers that leave ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", FORMATS)
def test_a_reader_that_goes_away_is_no_error(name: str) -> None:
    read, write = os.pipe()
    os.close(read)
    try:
        done = process("--output-format", name, stdout=write)
    finally:
        os.close(write)
    assert done.returncode == 1
    assert done.stderr.decode() == ("" if name == "text" else FOUND)


def test_a_reader_that_goes_away_half_way_is_no_error() -> None:
    Path("a.js").write_text(BAD * 3000)
    environment = {**os.environ, "PYTHONPATH": str(Path(corslint.__file__).parent.parent)}
    command = f"{sys.executable} -m corslint check a.js --output-format jsonl | head -n 1"
    done = subprocess.run(["sh", "-c", command], env=environment, capture_output=True, check=False)
    assert json.loads(done.stdout)["line"] == 1
    assert done.stderr.decode().startswith("corslint: found ")
    assert done.stderr.count(b"\n") == 1


FULL = Path("/dev/full")
full_device = pytest.mark.skipif(not FULL.exists(), reason="no device that is always full")


@full_device
@pytest.mark.parametrize("name", ["text", "sarif"])
def test_no_room_on_standard_output_is_a_failure_that_says_so(name: str) -> None:
    with FULL.open("wb") as full:
        done = process("--output-format", name, stdout=full)
    message = "corslint: error: standard output cannot be written: No space left on device\n"
    assert (done.returncode, done.stderr.decode()) == (2, message)


@full_device
def test_no_room_for_the_closing_line_is_no_failure() -> None:
    environment = {**os.environ, "PYTHONPATH": str(Path(corslint.__file__).parent.parent)}
    command = [sys.executable, "-m", "corslint", "check", "a.js", "--output-format", "concise"]
    with FULL.open("wb") as full:
        done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, stderr=full, check=False)
    assert (done.returncode, done.stdout.decode()) == (1, ONE_LINE)


def test_a_closed_standard_output_takes_nothing() -> None:
    environment = {**os.environ, "PYTHONPATH": str(Path(corslint.__file__).parent.parent)}
    command = f"{sys.executable} -m corslint check a.js --output-format json >&-"
    done = subprocess.run(["sh", "-c", command], env=environment, stderr=subprocess.PIPE, check=False)
    assert (done.returncode, done.stderr.decode()) == (1, FOUND)


# --- links -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("links", "terminal", "environment", "expected"),
    [
        ("always", False, {}, True),
        ("never", True, {"FORCE_HYPERLINK": "1", "TERM_PROGRAM": "vscode"}, False),
        ("auto", True, {}, False),
        ("auto", True, {"TERM": "xterm-256color"}, False),
        ("auto", True, {"TERM_PROGRAM": "vscode"}, True),
        ("auto", True, {"TERM_PROGRAM": "Apple_Terminal"}, False),
        ("auto", True, {"TERM_PROGRAM": "vscode", "TERM": "dumb"}, False),
        ("auto", False, {"TERM_PROGRAM": "vscode"}, False),
        ("auto", True, {"TERM": "xterm-kitty"}, True),
        ("auto", True, {"WT_SESSION": "1"}, True),
        ("auto", True, {"VTE_VERSION": "7200"}, True),
        ("auto", True, {"VTE_VERSION": "4600"}, False),
        ("auto", True, {"VTE_VERSION": "new"}, False),
        ("auto", False, {"FORCE_HYPERLINK": "1"}, True),
        ("auto", True, {"FORCE_HYPERLINK": "0", "TERM_PROGRAM": "vscode"}, False),
    ],
)
def test_links(links: str, terminal: bool, environment: Mapping[str, str], expected: bool) -> None:
    assert outputs.linked(links, terminal, environment) is expected


_LINKED = re.compile(r"\x1b\]8;;([^\x1b]+)\x1b\\(.*?)\x1b\]8;;\x1b\\")


def test_places_and_rules_are_linked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    (tmp_path / "é b").mkdir()
    monkeypatch.chdir(tmp_path / "é b")
    Path("a #1.js").write_text("require('express')().use(require('cors')({ origin: '*', credentials: true }));\n")
    assert cli.run(["check", "--links", "always", "."]) == 1
    out = capsys.readouterr().out
    rule, place = _LINKED.findall(out)
    assert rule[1] == "wildcard-origin-with-credentials"
    assert rule[0].startswith("https://")
    assert place[1] == "a #1.js:1:52"
    assert place[0] == f"file://{socket.gethostname()}{tmp_path.as_uri()[7:]}/%C3%A9%20b/a%20%231.js"
    assert cli.run(["check", "."]) == 1
    assert _LINKED.sub(r"\2", out) == capsys.readouterr().out


def test_a_file_is_linked_only_if_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORCE_HYPERLINK", "1")
    Path("a.js").write_text("require('express')().use(require('cors')({ origin: '*', credentials: true }));\n")
    cli.run(["check", "-o", "one.txt", "."])
    cli.run(["check", "-o", "two.txt", "--links", "always", "."])
    assert "\x1b]8;;" not in Path("one.txt").read_text()
    assert "\x1b]8;;" in Path("two.txt").read_text()
