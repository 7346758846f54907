"""What every output format has to hold, whatever files are called and whatever stands in them."""

from __future__ import annotations

import io
import re
import unicodedata
from pathlib import Path

import pytest

from corslint import report as reports
from corslint.report import FORMATS, Run, neutral, shown_path
from corslint.source import SourceFile, Span
from tests.report.samples import FINDING, NASTY, hostile, report, written

every_format = pytest.mark.parametrize("name", FORMATS)
machines = pytest.mark.parametrize("name", [name for name in FORMATS if name not in ("text", "concise", "html")])


def test_formats_are_the_modules_that_are_there() -> None:
    assert (
        *("checkstyle", "concise", "github", "gitlab", "html", "json", "jsonl", "junit", "rdjson", "sarif", "text"),
    ) == FORMATS


def test_a_new_module_is_a_new_format(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "brief.py").write_text(
        "CLOSES = True\n\ndef render(report, run):\n    yield f'{len(report.findings)}!'\n"
    )
    (tmp_path / "_helper.py").write_text("")
    monkeypatch.setattr(reports, "__path__", [*reports.__path__, str(tmp_path)])
    assert set(reports._formats()) == {*FORMATS, "brief"}
    made = reports.format_named("brief")
    assert made[1:] == (False, False, True, False)
    assert "".join(made.render(report(FINDING), Run())) == "1!"


@every_format
def test_formats_say_what_they_are(name: str) -> None:
    made = reports.format_named(name)
    assert made.for_people == (name in ("text", "concise"))
    assert made.closes == (name == "text")
    assert made.wants_fixes == (name in ("html", "sarif", "rdjson"))
    assert made.wants_diagram == (name == "html")


@every_format
@pytest.mark.parametrize("whole", [report(), report(FINDING), hostile()], ids=["none", "one", "hostile"])
def test_output_is_text_that_drives_no_terminal(name: str, whole: reports.Merged) -> None:
    output = written(name, whole, Run(name=lambda path: f"top/{path}"))
    assert output.encode("utf-8").decode() == output
    assert output == "" or output.endswith("\n")
    assert "\r" not in output
    bad = {
        character
        for character in output
        if character != "\n" and unicodedata.category(character) in ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")
    }
    assert bad == set()


@every_format
def test_it_comes_in_pieces_that_do_not_depend_on_how_they_are_asked_for(name: str) -> None:
    whole = hostile()
    stream = io.StringIO()
    stream.writelines(reports.format_named(name).render(whole, Run()))
    assert stream.getvalue() == written(name, whole)


@pytest.mark.parametrize("name", ["checkstyle", "concise", "github", "gitlab", "html", "jsonl", "text"])
def test_what_can_be_streamed_is(name: str) -> None:
    pieces = iter(reports.format_named(name).render(hostile(), Run()))
    assert len("".join(next(pieces) for _ in range(4))) < len(written(name, hostile())) / 2


@every_format
def test_no_line_of_a_log_is_a_command_but_our_own(name: str) -> None:
    """GitHub's runner takes `::x` at the start of a line, and `##[x]` anywhere, Azure's `##vso[`, for commands."""
    lines = written(name, hostile()).split("\n")
    ours = r"::(error|warning|notice) title=" if name == "github" else r"(?!)"
    assert [line for line in lines if line.lstrip().startswith("::") and not re.match(ours, line)] == [
        line for line in lines if name == "text" and re.match(r" *::: ", line)
    ]
    if name in ("text", "concise", "github", "checkstyle", "html", "junit"):
        assert [line for line in lines if re.search(r"##\w*\[", line)] == []


@pytest.mark.parametrize("name", ["concise", "text"])
def test_a_long_line_does_not_make_long_output(name: str) -> None:
    data = b"x" * 1_000_000 + b"'*'" + b"y" * 1_000_000
    source = SourceFile("a.js", data)
    at = data.index(b"'")
    one = FINDING._replace(primary=Span("a.js", at, at + 3), related=())
    assert len(written(name, report(one, sources=lambda path: source))) < 1000


@machines
def test_a_long_line_does_not_go_into_reports(name: str) -> None:
    data = b"x" * 1_000_000 + b"'*'" + b"y" * 1_000_000
    source = SourceFile("a.js", data)
    at = data.index(b"'")
    one = FINDING._replace(primary=Span("a.js", at, at + 3), related=())
    output = written(name, report(one, sources=lambda path: source))
    assert len(output) < 5000
    assert "1000001" in output or name == "gitlab"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain", "plain"),
        ("a##b", "a##b"),
        ("x ##[error]y", "x #\\x23[error]y"),
        ("##vso[task.x]", "#\\x23vso[task.x]"),
        ("####teamcity[x", "###\\x23teamcity[x"),
        ("\n##[group]", "\\x0a#\\x23[group]"),
    ],
)
def test_commands_for_log_readers(text: str, shown: str) -> None:
    assert neutral(text) == shown


@pytest.mark.parametrize(
    ("path", "shown"),
    [
        ("src/a.js", "src/a.js"),
        ("C:/app/s.js", "C:/app/s.js"),
        ("a b/ü.js", "a b/ü.js"),
        ("::error::x", "./::error::x"),
        (" ::error::x", "./ ::error::x"),
        ("x::y", "x::y"),
        ("a.js:1:1: error: x", "a.js:1:1:\\x20error:\\x20x"),
        ("a\udcff\x1b", "a\\xff\\x1b"),
    ],
)
def test_paths(path: str, shown: str) -> None:
    assert shown_path(path) == shown


def test_the_sample_has_what_it_promises() -> None:
    whole = hostile()
    assert len(whole.findings) == len(set(whole.findings)) == 2 * len(NASTY)
    assert {finding.primary.path for finding in whole.findings} >= {"::error file=src/main.js,line=1::injected"}
