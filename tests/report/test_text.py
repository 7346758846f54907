from __future__ import annotations

import re
from collections.abc import Sequence

import pytest

from corslint.model.finding import Finding, Fix, Place
from corslint.report import Merged, Run, neutral, text
from corslint.source import SourceFile, Span


def span(source: SourceFile, piece: str, occurrence: int = 1) -> Span:
    data = piece.encode()
    at = -1
    for _ in range(occurrence):
        at = source.data.index(data, at + 1)
    return Span(source.path, at, at + len(data))


def finding(primary: Span, related: Sequence[Place] = (), **changes: object) -> Finding:
    made = Finding("a-rule", "error", "broken", "high", "it breaks", "mend it", primary, tuple(related))
    return made._replace(**changes)  # type: ignore[arg-type]


def rendered(one: Finding, *sources: SourceFile, colour: bool = False, width: int = 120) -> str:
    by_path = {source.path: source for source in sources}
    return "".join(text.render(Merged((one,), 1, 0, 0, {}, by_path.__getitem__), Run(colour, width)))


def body(output: str) -> list[str]:
    """The lines of source and marks alone."""
    return [line for line in output.split("\n") if re.match(r"( *\d+)? *\| .", line)]


def test_places_in_several_files_and_labels_on_one_line() -> None:
    server = SourceFile("server.js", b"const x = '*'\n\napp.use(cors({ origin: x, credentials: true }))\n")
    proxy = SourceFile("nginx/app.conf", b"a;\nadd_header Vary Origin;\n")
    one = finding(
        span(server, "origin: x"),
        [
            Place(span(server, "'*'"), "comes from here"),
            Place(span(server, "credentials"), "with credentials"),
            Place(span(server, "true"), "switched on"),
            Place(span(proxy, "add_header"), "added again"),
        ],
        fix=Fix("Take it out", "unsafe", ()),
    )
    assert rendered(one, server, proxy) == (
        "error[a-rule]: it breaks\n"
        " --> server.js:3:16\n"
        "  |\n"
        "1 | const x = '*'\n"
        "  |           --- comes from here\n"
        "2 |\n"
        "3 | app.use(cors({ origin: x, credentials: true }))\n"
        "  |                ^^^^^^^^^  -----------  ---- switched on\n"
        "  |                           |\n"
        "  |                           with credentials\n"
        "  |\n"
        " ::: nginx/app.conf:2:1\n"
        "  |\n"
        "2 | add_header Vary Origin;\n"
        "  | ---------- added again\n"
        "  |\n"
        "  = help: mend it\n"
        "  = fix: Take it out (--unsafe-fixes)\n"
        "\n"
        "corslint: found 1 error in 1 file; 1 can be fixed with --unsafe-fixes\n"
    )


def test_lines_far_apart_are_joined_by_dots_and_the_gutter_fits_the_largest_number() -> None:
    source = SourceFile("a.js", b"first\n" + b"\n" * 98 + b"second\n")
    one = finding(span(source, "second"), [Place(span(source, "first"), "see")])
    assert rendered(one, source).split("\n")[1:8] == [
        "   --> a.js:100:1",
        "    |",
        "  1 | first",
        "    | ----- see",
        "...",
        "100 | second",
        "    | ^^^^^^",
    ]


def test_a_place_over_several_lines_is_marked_where_it_begins_and_ends() -> None:
    source = SourceFile("a.js", b"x = f({\n  a,\n  b,\n  c,\n})\n")
    assert body(rendered(finding(span(source, "f({\n  a,\n  b,\n  c,\n})\n")), source)) == [
        "1 | x = f({",
        "  |     ^^^",
        "5 | })",
        "  | ^^",
    ]


@pytest.mark.parametrize(
    ("line", "marked", "shown", "underline"),
    [
        ("\ta = '*'", "'*'", "    a = '*'", "        ^^^"),
        ("ab\tc = '*'", "'*'", "ab  c = '*'", "        ^^^"),
        ("'日本' + '*'", "'*'", "'日本' + '*'", "         ^^^"),
        ("e\u0301 + '*'", "'*'", "e\u0301 + '*'", "    ^^^"),
        ("x\x1b[31m + '*'", "'*'", "x\\x1b[31m + '*'", "            ^^^"),
        ("\u202e'*'", "'*'", "\\u202e'*'", "      ^^^"),
        ("\ufeffa = '*'", "'*'", "a = '*'", "    ^^^"),
        ("a\u00a0= '*'", "'*'", "a\u00a0= '*'", "    ^^^"),
    ],
)
def test_marks_stand_under_what_they_mark(line: str, marked: str, shown: str, underline: str) -> None:
    source = SourceFile("a.js", f"{line}\n".encode())
    assert body(rendered(finding(span(source, marked)), source)) == [f"1 | {shown}", f"  | {underline}"]


def test_bytes_that_are_not_utf8_are_shown_as_escapes() -> None:
    source = SourceFile("a.js", b"/* \xff\xfe */ x\n")
    assert body(rendered(finding(span(source, "x")), source)) == ["1 | /* \\xff\\xfe */ x", "  |                ^"]


def test_an_empty_place_still_has_a_mark_also_at_the_end_of_a_line() -> None:
    source = SourceFile("a.js", b"ab\ncd\n")
    assert body(rendered(finding(Span("a.js", 2, 2)), source)) == ["1 | ab", "  |   ^"]


def test_an_empty_file_has_a_place_and_no_source() -> None:
    assert rendered(finding(Span("a.js", 0, 0)), SourceFile("a.js", b"")) == (
        "error[a-rule]: it breaks\n --> a.js:1:1\n  |\n  = help: mend it\n\ncorslint: found 1 error in 1 file\n"
    )


@pytest.mark.parametrize("width", [40, 80, 120])
@pytest.mark.parametrize("before", [0, 5, 100, 3_000_000])
def test_a_long_line_is_shown_around_its_mark(width: int, before: int) -> None:
    source = SourceFile("a.js", b"a" * before + b"HERE" + b"b" * 100_000)
    line, mark = body(rendered(finding(span(source, "HERE")), source, width=width))
    assert len(line) <= width
    at = line.index("HERE")
    assert mark == "  |".ljust(at) + "^^^^"
    assert line.endswith("…")
    assert ("| …" in line) == (before >= 100)


def test_marks_too_far_apart_on_a_long_line_are_shown_in_turn() -> None:
    source = SourceFile("a.js", "é".encode() * 500 + b"FIRST" + b"x" * 5000 + b"SECOND" + b"y" * 5000)
    one = finding(span(source, "SECOND"), [Place(span(source, "FIRST"), "one")])
    shown = body(rendered(one, source))
    assert len(shown) == 4
    assert shown[1] == "  |".ljust(shown[0].index("FIRST")) + "----- one"
    assert shown[3] == "  |".ljust(shown[2].index("SECOND")) + "^^^^^^"


def test_a_mark_longer_than_the_window_is_cut() -> None:
    source = SourceFile("a.js", b"x" * 10_000)
    line, mark = body(rendered(finding(Span("a.js", 0, 10_000)), source, width=60))
    assert len(line) <= 60
    assert set(mark[4:]) == {"^"}
    assert len(mark) <= 60


def test_the_primary_mark_is_drawn_over_a_related_one() -> None:
    source = SourceFile("a.js", b"cors({ origin: '*' })\n")
    one = finding(span(source, "'*'"), [Place(span(source, "cors({ origin: '*' })"), "used here")])
    assert body(rendered(one, source)) == [
        "1 | cors({ origin: '*' })",
        "  | ---------------^^^--- used here",
    ]


def test_colour_changes_nothing_but_colour() -> None:
    source = SourceFile("a.js", b"const a = '*'\nb(a)\n")
    one = finding(span(source, "b(a)"), [Place(span(source, "'*'"), "from here")], severity="warning")
    coloured = rendered(one, source, colour=True)
    assert "\033[1;33mwarning[a-rule]\033[0m" in coloured
    assert re.sub(r"\033\[[0-9;]*m", "", coloured) == rendered(one, source)
    assert "\033" not in rendered(one, source)


def test_a_stranger_cannot_drive_the_terminal_from_anywhere() -> None:
    source = SourceFile("\x1b]0;x\x07.js", b"a\x1b[2Jb\r\x9b5mc\n")
    one = finding(
        Span(source.path, 0, 1), [Place(Span(source.path, 5, 6), "l\x1b[1m")], message="m\n\x1b[2J", help="h\x07"
    )
    output = rendered(one, source, colour=True)
    assert re.sub(r"\033\[[0-9;]*m", "", output).replace("\n", "").isprintable()
    assert "\033[2J" not in output
    assert "m\\x0a\\x1b[2J" in output


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        ("plain äöü 日本 😀", "plain äöü 日本 😀"),
        ("\x00\x1b\x7f\x9b\n\t", "\\x00\\x1b\\x7f\\x9b\\x0a\\x09"),
        ("\u202a\u2066\u200b\u2028\ufeff", "\\u202a\\u2066\\u200b\\u2028\\ufeff"),
        ("\U000e0041", "\\U000e0041"),
        ("\udcff", "\\xff"),
        ("\ud800", "\\ud800"),
        ("\u3000", "\u3000"),
    ],
)
def test_neutral(raw: str, shown: str) -> None:
    assert neutral(raw) == shown


def test_what_a_log_reader_would_obey_is_escaped_and_the_marks_stay_in_place() -> None:
    source = SourceFile("a.js", b"x('##[error]a', '##', bad)\n")
    assert body(rendered(finding(span(source, "bad")), source)) == [
        "1 | x('#\\x23[error]a', '##', bad)",
        "  |                          ^^^",
    ]
