"""Fingerprints: what they survive, and what they tell apart."""

from __future__ import annotations

import random
import re
from collections.abc import Callable

import pytest

from corslint.model.finding import Finding, Place
from corslint.model.fingerprint import fingerprints
from corslint.source import SourceFile, Span


def finding(source: SourceFile, text: str, rule: str = "a-rule", occurrence: int = 0) -> Finding:
    """A finding on the n-th place where a text stands."""
    at = -1
    for _ in range(occurrence + 1):
        at = source.data.index(text.encode("utf-8", "surrogateescape"), at + 1)
    size = len(text.encode("utf-8", "surrogateescape"))
    return Finding(rule, "error", "broken", "high", "a message", "", Span(source.path, at, at + size))


def of(code: str, text: str, path: str = "a.js", rule: str = "a-rule", occurrence: int = 0) -> str:
    source = SourceFile(path, code.encode("utf-8", "surrogateescape"))
    (made,) = fingerprints([finding(source, text, rule, occurrence)], lambda _: source)
    return made


CODE = "const cors = require('cors')\napp.use(cors({ origin: '*', credentials: true }))\n"
MARK = "origin: '*'"


def test_it_is_a_short_hash_that_never_changes() -> None:
    # Baselines and services keep fingerprints: a different value here makes every one of them stale. Raise VERSION.
    assert of(CODE, MARK) == "3093fc46d98678c4aa5d70249da0d37b"


@pytest.mark.parametrize(
    ("code", "text"),
    [
        ("\n\n// more\n" + CODE, MARK),
        (CODE.replace("app.use", "\t  app.use"), MARK),
        (CODE.replace("\n", "\r\n"), MARK),
        ("\ufeff" + CODE, MARK),
        (CODE.replace("{ ", "{").replace(" }", "}"), MARK),
        (CODE.replace("'", '"'), MARK.replace("'", '"')),
        (CODE.replace("true }))", "true }));"), MARK),
        (CODE.replace("require('cors')", "require('other')"), MARK),
        (CODE, "cors({ origin"),
        (CODE, "app.use(cors({ origin: '*', credentials: true }))\n"),
        (CODE[:-1], MARK),
    ],
    ids=["moved", "indented", "crlf", "bom", "spaced", "quotes", "semicolon", "other line", "column", "end", "last"],
)
def test_it_survives(code: str, text: str) -> None:
    assert of(code, text) == of(CODE, MARK)


@pytest.mark.parametrize(
    "other",
    [
        of(CODE.replace("'*'", "'x'"), "origin: 'x'"),
        of(CODE, MARK, path="b.js"),
        of(CODE, MARK, rule="b-rule"),
        of(CODE, "require"),
        of(CODE.replace("true", "false"), MARK),
    ],
    ids=["value", "path", "rule", "line", "rest of the line"],
)
def test_it_tells_apart(other: str) -> None:
    assert other != of(CODE, MARK)


def test_equal_lines_are_numbered_from_the_top_in_whatever_order_they_come() -> None:
    source = SourceFile("a.js", (CODE * 3).encode())
    ones = [finding(source, MARK, occurrence=number) for number in range(3)]
    forward = fingerprints(ones, lambda _: source)
    assert len(set(forward)) == 3
    assert forward[0] == of(CODE, MARK)
    assert fingerprints(ones[::-1], lambda _: source) == forward[::-1]


def test_findings_of_other_rules_and_files_do_not_count() -> None:
    sources = {path: SourceFile(path, CODE.encode()) for path in ("a.js", "b.js")}
    one = finding(sources["a.js"], MARK)
    others = [finding(sources["a.js"], MARK, "b-rule"), finding(sources["b.js"], MARK)]
    made = fingerprints([*others, one], sources.__getitem__)
    assert made[2] == of(CODE, MARK)
    assert len(set(made)) == 3


def test_findings_on_one_place_are_told_apart_and_what_they_say_does_not_matter() -> None:
    source = SourceFile("a.js", CODE.encode())
    one = finding(source, MARK)
    other = one._replace(message="another", help="help", severity="note", related=(Place(Span("b.js", 0, 1), "there"),))
    first, second = fingerprints([one, other], lambda _: source)
    assert first == of(CODE, MARK)
    assert second != first
    assert fingerprints([other], lambda _: source) == (first,)


NEST = "(\n" * 5


def test_a_bracket_alone_says_nothing() -> None:
    code = "use(\n  {\n    origin: '*',\n  },\n  {\n    origin: 'x',\n  },\n)\n"
    one = of(code, "{\n    origin: '*',\n  }")
    assert one == of("use({},\n" + code[4:], "{\n    origin: '*',\n  }")
    assert one != of(code, "{\n    origin: 'x',\n  }")
    # It is not looked for without end.
    assert of(f"{NEST}a", f"{NEST}a") == of(f"{NEST}b", f"{NEST}b") != of(f"{NEST[2:]}b", f"{NEST[2:]}b")
    assert of("a\n{\n}\n", "{\n}") != of("a\n{", "{") != of("a\n", "a")


def test_of_a_long_line_only_the_place_counts() -> None:
    bundle = "x" * 3000 + MARK + "y" * 3000
    assert of(bundle, MARK) == of("z" * 2000 + MARK + ";" + "q" * 2000, MARK)
    assert of(bundle, MARK) != of(bundle.replace("'*'", "'x'"), "origin: 'x'")


def test_a_finding_about_a_whole_file_does_not_depend_on_its_first_line() -> None:
    def whole(data: bytes) -> str:
        source = SourceFile("a.js", data)
        one = Finding("a-rule", "error", "tool", "high", "", "", Span("a.js", 0, 0))
        return fingerprints([one], lambda _: source)[0]

    assert whole(b"") == whole(b"a line\n") == whole(b"another")
    assert whole(b"a line\n") != of("a line\n", "a line")


def test_places_at_and_beyond_the_end_of_the_file() -> None:
    source = SourceFile("a.js", b"a\n")
    ends = [Finding("a-rule", "error", "tool", "high", "", "", Span("a.js", at, at + 1)) for at in (2, 9)]
    assert len(set(fingerprints(ends, lambda _: source))) == 2


def test_bytes_that_are_not_utf8() -> None:
    def made(byte: bytes) -> str:
        source = SourceFile("a\udcff.js", b"x = '" + byte + b"'\n")
        one = Finding("a-rule", "error", "tool", "high", "", "", Span(source.path, 0, 1))
        return fingerprints([one], lambda _: source)[0]

    assert made(b"\xff") != made(b"\xfe")


def test_the_path_is_written_as_asked_for() -> None:
    source = SourceFile("../web/a.js", CODE.encode())

    def made(name: Callable[[str], str]) -> str:
        return fingerprints([finding(source, MARK)], lambda _: source, name)[0]

    assert made(lambda path: path.removeprefix("../web/")) == of(CODE, MARK)
    assert made(str) == of(CODE, MARK, path="../web/a.js")


def test_edits_elsewhere_in_a_file_change_nothing() -> None:
    draw = random.Random(6)
    lines = [f"use(cors({{origin: 'https://{number}.example.com'}}))" for number in range(8)]
    wanted = {line: of(f"{line}\n", line) for line in lines}
    for _ in range(200):
        text = [*lines, *("// filler" * draw.randrange(3) for _ in range(draw.randrange(20)))]
        draw.shuffle(text)
        text = [" " * draw.randrange(9) + line for line in text]
        source = SourceFile("a.js", "\n".join(text).encode())
        found = [finding(source, line) for line in draw.sample(lines, 5)]
        made = fingerprints(found, lambda _, source=source: source)  # type: ignore[misc]
        assert made == tuple(wanted[source.text(one.primary)] for one in found)
        assert all(re.fullmatch("[0-9a-f]{32}", one) for one in made)
