"""JSON Lines: the objects of `json`, one a line."""

from __future__ import annotations

import gc
import json

import pytest

from corslint.report import _json
from corslint.source import Position
from tests.report.samples import FINDING, hostile, report, written


@pytest.mark.parametrize("whole", [report(), report(FINDING), hostile()], ids=["none", "one", "hostile"])
def test_the_lines_are_the_findings_of_the_json_report(whole: object) -> None:
    lines = written("jsonl", whole).splitlines()  # type: ignore[arg-type]
    findings = json.loads(written("json", whole))["findings"]  # type: ignore[arg-type]
    assert [json.loads(line) for line in lines] == findings


def test_nothing_found_is_nothing_written() -> None:
    assert written("jsonl", report()) == ""


def test_a_line_is_short_and_readable() -> None:
    line = written("jsonl", report(FINDING))
    assert line.startswith('{"rule":"a-rule","severity":"error",')
    assert "日本" in line


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("é日本 ~", '"é日本 ~"'),
        ("\x1b[2J\n\t", '"\\u001b[2J\\n\\t"'),
        ("\x7f\x9b\u2028\u202e\u200b", '"\\u007f\\u009b\\u2028\\u202e\\u200b"'),
        ("\U0001f600\U000e0041\uffff", '"😀\\udb40\\udc41\\uffff"'),
        ("a\udcff", '"a?"'),
        ('"\\', '"\\"\\\\"'),
    ],
)
def test_characters_keep_their_meaning_and_lose_their_power(value: str, text: str) -> None:
    assert _json.dumps(value) == text
    assert json.loads(text) == value.replace("\udcff", "?")


def test_whatever_is_written_is_read_again() -> None:
    value = {"".join(map(chr, range(first, first + 256))): first for first in range(0, 0xD800, 256)}
    for indent in (False, True):
        assert json.loads(_json.dumps(value, indent=indent)) == value


DOCUMENTS = (
    {"a": [], "b": {}, "c": [{}, [[]], ["x"]], "d": {"e": {"f": [1, -2, 2.5, True, False, None]}}},
    [("a", 1), {"": ""}, Position(3, 4), 10**30, 1e300, "\n\u00e9\\"],
    "text",
    7,
    None,
)


@pytest.mark.parametrize("document", DOCUMENTS, ids=repr)
def test_it_is_written_as_the_standard_library_does(document: object) -> None:
    assert _json.dumps(document) == json.dumps(document, indent=2, ensure_ascii=False)


@pytest.mark.parametrize("document", DOCUMENTS, ids=repr)
def test_what_is_written_already_stands_where_it_belongs(document: object) -> None:
    made = _json.written(document)
    around = {"one": made, "more": [{"deep": made}, made]}
    assert _json.dumps(around) == _json.dumps({"one": document, "more": [{"deep": document}, document]})


def test_reports_leave_nothing_to_collect() -> None:
    """Processes that check thousands of repositories look for reference cycles only now and then."""
    gc.collect()
    gc.disable()
    try:
        for format_ in ("json", "sarif", "jsonl"):
            written(format_, report(FINDING))
        assert gc.collect() == 0
    finally:
        gc.enable()
