"""Baselines: what is known again, what is new, what is gone, and files that are no baselines."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from corslint import baseline, cli, lint
from corslint.model import fingerprint
from corslint.result import Report
from corslint.settings import Settings, UsageError
from corslint.source import SourceFile
from tests.examples import context_of

Capture = pytest.CaptureFixture[str]

CALL = "require('express')().use(require('cors')({ origin: '*', credentials: true }));\n"
NULL = "require('express')().use(require('cors')({ origin: 'null' }));\n"
STAR = "wildcard-origin-with-credentials"


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / ".git").mkdir()
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("CORSLINT_OUTPUT_FORMAT", raising=False)
    return tmp_path


def check(capsys: Capture, *arguments: str) -> tuple[int, list[str], list[str]]:
    """The exit status, `path:line rule` of each finding, and what standard error says before the closing line."""
    status = cli.run(["check", "--output-format", "concise", *arguments])
    out, err = capsys.readouterr()
    found = [f"{line.split(':')[0]}:{line.split(':')[1]} {line.rpartition('[')[2][:-1]}" for line in out.splitlines()]
    return status, found, err.splitlines()[:-1]


def test_what_is_in_the_baseline_is_not_shown_and_what_is_new_is(capsys: Capture) -> None:
    Path("a.js").write_text(CALL)
    Path("b.js").write_text(NULL)
    assert cli.run(["check", "--write-baseline", "known.json"]) == 0
    assert capsys.readouterr() == ("", "corslint: wrote 2 findings to known.json\n")
    assert check(capsys, "--baseline", "known.json") == (0, [], [])
    Path("a.js").write_text("start();\n\n  " + CALL + NULL)
    assert check(capsys, "--baseline", "known.json") == (1, ["a.js:4 null-origin-allowed"], [])
    cli.run(["check", "--baseline", "known.json"])
    assert capsys.readouterr().out.endswith("corslint: found 1 warning in 2 files; 2 in the baseline\n")


def test_it_does_not_matter_where_corslint_is_started(
    here: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    (here / "web").mkdir()
    (here / "ci").mkdir()
    Path("web/a.js").write_text(CALL)
    cli.run(["check", "--write-baseline", "ci/known.json"])
    assert json.loads(Path("ci/known.json").read_text())["findings"][0]["path"] == "../web/a.js"
    capsys.readouterr()
    assert check(capsys, "web", "--baseline", "ci/known.json") == (0, [], [])
    monkeypatch.chdir(here / "web")
    assert check(capsys, "--baseline", "../ci/known.json") == (0, [], [])
    assert check(capsys, "a.js", "--baseline", "../ci/known.json") == (0, [], [])


def test_a_baseline_is_readable_and_the_same_every_time(capsys: Capture) -> None:
    Path("b.js").write_text(NULL + CALL)
    Path("a.js").write_text(CALL)
    cli.run(["check", "--write-baseline", "known.json"])
    first = Path("known.json").read_text()
    lines = first.splitlines()
    assert lines[:4] == ["{", '  "version": 1,', f'  "fingerprints": {fingerprint.VERSION},', '  "findings": [']
    assert [json.loads(line.rstrip(","))["path"] for line in lines[4:7]] == ["a.js", "b.js", "b.js"]
    Path("known.json").chmod(0o640)
    cli.run(["check", "--write-baseline", "known.json"])
    assert Path("known.json").read_text() == first
    assert Path("known.json").stat().st_mode & 0o777 == 0o640
    assert sorted(path.name for path in Path().iterdir()) == [".git", "a.js", "b.js", "known.json"]


def test_without_findings(capsys: Capture) -> None:
    assert cli.run(["check", "--write-baseline", "known.json"]) == 0
    assert json.loads(Path("known.json").read_text())["findings"] == []
    assert check(capsys, "--baseline", "known.json")[0] == 0


# --- stale -----------------------------------------------------------------------------------------------------------


def test_what_is_gone_is_reported_and_dropped_when_asked_for(capsys: Capture) -> None:
    Path("a.js").write_text(CALL + NULL)
    cli.run(["check", "--write-baseline", "known.json"])
    capsys.readouterr()
    Path("a.js").write_text(CALL)
    gone = ["corslint: known.json: gone: a.js: null-origin-allowed"]
    gone.append("corslint: known.json: 1 finding gone (--prune-baseline drops what is gone)")
    assert check(capsys, "--baseline", "known.json") == (0, [], gone)
    assert check(capsys, "--baseline", "known.json", "--fail-on-stale") == (1, [], gone)
    dropped = ["corslint: dropped 1 finding from known.json"]
    assert check(capsys, "--baseline", "known.json", "--prune-baseline", "--fail-on-stale") == (0, [], dropped)
    assert check(capsys, "--baseline", "known.json", "--fail-on-stale") == (0, [], [])
    Path("a.js").write_text(CALL + NULL)
    assert check(capsys, "--baseline", "known.json") == (1, ["a.js:2 null-origin-allowed"], [])


@pytest.mark.parametrize(
    ("arguments", "count"),
    [
        (["--ignore", STAR], 0),
        (["--select", "syntax-error"], 0),
        (["--min-confidence", "high"], 0),
        (["--per-file-ignores", f"*.js:{STAR}"], 0),
        (["--exclude", "a.js"], 1),
        (["b.js"], 0),
        (["sub"], 0),
    ],
)
def test_gone_is_only_what_a_run_can_tell(capsys: Capture, arguments: list[str], count: int) -> None:
    Path("a.js").write_text(CALL)
    Path("b.js").write_text("start();\n")
    Path("sub").mkdir()
    cli.run(["check", "--write-baseline", "known.json"])
    capsys.readouterr()
    _, _, said = check(capsys, "--baseline", "known.json", *arguments)
    assert len([line for line in said if ": gone: " in line]) == count


def test_what_a_broken_file_had_is_not_called_gone(capsys: Capture) -> None:
    Path("a.js").write_text(CALL)
    cli.run(["check", "--write-baseline", "known.json"])
    Path("a.js").write_text("cors({ origin: ;\n")
    capsys.readouterr()
    assert check(capsys, "--baseline", "known.json") == (1, ["a.js:1 syntax-error"], [])


def test_what_a_rule_that_joins_had_is_not_called_gone_in_a_part_of_a_repository(here: Path, capsys: Capture) -> None:
    Path("web").mkdir()
    Path("web/client.js").write_text("import { io } from 'socket.io-client';\nio({ path: '/a' });\n")
    Path("server.js").write_text("const { Server } = require('socket.io');\nnew Server(80, { path: '/b' });\n")
    cli.run(["check", "--write-baseline", "known.json"])
    capsys.readouterr()
    assert check(capsys, "web", "--baseline", "known.json")[2] == []
    assert check(capsys, "--baseline", "known.json") == (0, [], [])
    Path("server.js").write_text("const { Server } = require('socket.io');\nnew Server(80, { path: '/a' });\n")
    assert check(capsys, "web", "--baseline", "known.json")[2] == []
    assert len(check(capsys, "--baseline", "known.json")[2]) == 2


def test_files_and_rules_that_do_not_exist_any_more(capsys: Capture) -> None:
    Path("a.js").write_text(CALL)
    Path("b.js").write_text("start();\n")
    cli.run(["check", "--write-baseline", "known.json"])
    text = Path("known.json").read_text()
    Path("a.js").rename("c.js")
    capsys.readouterr()
    status, found, said = check(capsys, "--baseline", "known.json")
    assert (status, found, said[0]) == (1, [f"c.js:1 {STAR}"], f"corslint: known.json: gone: a.js: {STAR}")
    Path("known.json").write_text(text.replace(STAR, "a-former-rule").replace("a.js", "elsewhere/a.js"))
    assert check(capsys, "b.js", "--baseline", "known.json")[2][0].endswith("gone: elsewhere/a.js: a-former-rule")


def test_only_some_of_what_is_gone_is_listed(capsys: Capture) -> None:
    Path("a.js").write_text(CALL * 12)
    cli.run(["check", "--write-baseline", "known.json"])
    Path("a.js").write_text("start();\n")
    capsys.readouterr()
    assert len(check(capsys, "--baseline", "known.json")[2]) == 11


# --- together with other options -------------------------------------------------------------------------------------


def test_what_is_known_is_not_fixed(capsys: Capture) -> None:
    old = "location /socket.io/ {\n    proxy_pass http://127.0.0.1:3000;\n    proxy_http_version 1.0;\n"
    old += '    proxy_set_header Upgrade $http_upgrade;\n    proxy_set_header Connection "upgrade";\n}\n'
    Path("a.conf").write_text(f"server {{\n{old}}}\n")
    cli.run(["check", "--write-baseline", "known.json"])
    assert json.loads(Path("known.json").read_text())["findings"] != []
    Path("b.conf").write_text(f"server {{\n{old}}}\n")
    cli.run(["check", "--baseline", "known.json", "--fix"])
    assert Path("a.conf").read_text() == f"server {{\n{old}}}\n"
    assert "proxy_http_version 1.1;" in Path("b.conf").read_text()


def test_what_a_comment_takes_back_is_gone(capsys: Capture) -> None:
    Path("a.js").write_text(CALL)
    cli.run(["check", "--write-baseline", "known.json"])
    Path("a.js").write_text(f"// corslint: ignore[{STAR}]\n{CALL}")
    capsys.readouterr()
    status, found, said = check(capsys, "--baseline", "known.json")
    assert (status, found, said[0]) == (0, [], f"corslint: known.json: gone: a.js: {STAR}")


@pytest.mark.parametrize(
    "arguments",
    [["--prune-baseline"], ["--fail-on-stale"], ["--baseline", "a.json", "--write-baseline", "b.json"]],
)
def test_options_that_do_not_go_together(capsys: Capture, arguments: list[str]) -> None:
    assert cli.run(["check", *arguments]) == 2
    assert "--baseline" in capsys.readouterr().err


# --- files that are no baselines -------------------------------------------------------------------------------------

HEAD = f'{{"version": 1, "fingerprints": {fingerprint.VERSION}, "findings": '


@pytest.mark.parametrize(
    ("text", "place", "message"),
    [
        ("", ":1:1", "the baseline is not valid JSON (expecting value)"),
        (
            "{\n<<<<<<< HEAD\n",
            ":2:1",
            "the baseline is not valid JSON (expecting property name enclosed in double quotes)",
        ),
        ("[]", ":1", "this is no baseline of corslint"),
        ('{"version": 1}', ":1", "this is no baseline of corslint"),
        ('{\n"version": 2, "findings": []}', ":2", "`version` is 2, and this corslint reads 1"),
        (
            '{"version": 1,\n"fingerprints": "x", "findings": []}',
            ":2",
            '`fingerprints` is "x", and this corslint reads 1',
        ),
        (HEAD + '[\n{"a": 1}]}', ":2", "an entry of a baseline has the keys path, rule, fingerprint, message"),
        (
            HEAD + json.dumps(baseline.Entry("", "", "", "")._asdict()).join(["[\n", ",\n\n1]}"]),
            ":4",
            "an entry of a baseline has the keys",
        ),
        ("[" * 100_000, ":1", "the baseline is nested too deeply"),
        (b'{\n"\xff"}', ":2", "the baseline is not UTF-8"),
    ],
)
def test_a_file_that_is_none_is_refused_with_its_place_and_a_way_out(
    here: Path, text: str | bytes, place: str, message: str
) -> None:
    Path("known.json").write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(UsageError) as caught:
        baseline.read("known.json", str(here))
    assert str(caught.value).startswith(f"known.json{place}: {message}")
    assert "--write-baseline known.json" in str(caught.value)


def test_a_baseline_that_is_not_there(here: Path, capsys: Capture) -> None:
    assert cli.run(["check", "--baseline", "no.json"]) == 2
    expected = "no.json: the baseline cannot be read: No such file or directory; --write-baseline no.json makes one"
    assert capsys.readouterr().err == f"corslint: error: {expected}\n"
    assert cli.run(["check", "--write-baseline", "no/known.json"]) == 2
    expected = "no/known.json: the baseline cannot be written: No such file or directory"
    assert capsys.readouterr().err == f"corslint: error: {expected}\n"


# --- for any file ----------------------------------------------------------------------------------------------------

KNOWN = lint.knowledge()
FILLER = ["", "start();", "// a remark", "const a = 1;"]
FAULTS = [CALL.strip(), NULL.strip()]


def report(files: dict[str, str]) -> Report:
    data = {path: text.encode() for path, text in files.items()}
    return lint.lint(context_of(data), Settings(), data, KNOWN)


def known_of(found: Report) -> baseline.Baseline:
    entries = baseline.make("known.json", found.findings, found.live, found.sources, "/project")
    return baseline.Baseline("known.json", entries, "/project")


def new(known: baseline.Baseline, found: Report) -> list[str]:
    is_known = known.is_known(found.live, found.sources)
    return [found.sources(one.primary.path).text(one.primary) for one in found.findings if not is_known[one]]


lines = st.lists(st.sampled_from([*FILLER, *FAULTS]), max_size=12)


@settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
@given(lines, st.data())
def test_only_what_was_added_is_new(text: list[str], data: st.DataObject) -> None:
    before = report({"a.js": "\n".join(text)})
    known = known_of(before)
    assert new(known, before) == []
    after = list(text)
    added = 0
    for line in data.draw(lines):
        after.insert(data.draw(st.integers(0, len(after))), " " * data.draw(st.integers(0, 4)) + line)
        added += line in FAULTS
    found = report({"a.js": "\r\n".join(after)})
    assert len(new(known, found)) == added == len(found.findings) - len(before.findings)
    whole = baseline.Tellable(frozenset({"a.js"}), ".", frozenset(), frozenset(KNOWN.rules.rules), frozenset())
    assert known.stale(whole) == []


@settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
@given(lines, st.data())
def test_what_was_removed_is_gone_and_nothing_else(text: list[str], data: st.DataObject) -> None:
    before = report({"a.js": "\n".join(text)})
    known = known_of(before)
    kept = [line for line in text if data.draw(st.booleans())]
    found = report({"a.js": "\n".join(kept)})
    assert new(known, found) == []
    whole = baseline.Tellable(frozenset({"a.js"}), ".", frozenset(), frozenset(KNOWN.rules.rules), frozenset())
    assert len(known.stale(whole)) == len(before.findings) - len(found.findings)


@settings(max_examples=20, deadline=None, derandomize=True)
@given(lines)
def test_a_file_with_another_name_has_new_findings(text: list[str]) -> None:
    before = report({"a.js": "\n".join(text)})
    found = report({"b.js": "\n".join(text)})
    assert len(new(known_of(before), found)) == len(found.findings) == len(before.findings)


def test_sources_are_those_of_the_report() -> None:
    found = report({"a.js": CALL})
    assert isinstance(found.sources("a.js"), SourceFile)
    assert [entry.rule for entry in known_of(found).entries] == [STAR]
