"""Checkstyle and JUnit: XML that parsers and known readers take, whatever text is to stand in it."""

from __future__ import annotations

from typing import NamedTuple
from xml.etree import ElementTree

import junitparser
import pytest

from corslint.model.finding import Finding
from corslint.report import Merged, _xml, neutral
from corslint.source import SourceFile, Span
from tests.report.samples import FINDING, NASTY, hostile, report, written


class Shape(NamedTuple):
    """What an element may hold: attributes that it must have, others, and elements."""

    needed: frozenset[str]
    more: frozenset[str]
    inside: frozenset[str]


def shape(needed: str, more: str, inside: str) -> Shape:
    return Shape(*(frozenset(words.split()) for words in (needed, more, inside)))


# After junit-10.xsd of Jenkins' xUnit plugin, against which the output was checked (lxml) when this was written.
JUNIT = {
    "testsuites": shape("", "name time tests failures errors", "testsuite"),
    "testsuite": shape("name tests failures errors", "skipped time timestamp file", "testcase properties"),
    "testcase": shape("name", "time classname group", "skipped error failure system-out system-err"),
    "failure": shape("", "type message", ""),
    "system-out": shape("", "", ""),
}
CHECKSTYLE = {
    "checkstyle": shape("version", "", "file"),
    "file": shape("name", "", "error"),
    "error": shape("line severity message source", "column", ""),
}


def tree(name: str, whole: Merged) -> ElementTree.Element:
    """The document, parsed from its bytes, of the shape that its readers know."""
    output = written(name, whole)
    assert output.startswith('<?xml version="1.0" encoding="UTF-8"?>\n')
    root = ElementTree.fromstring(output.encode())
    shapes = JUNIT if name == "junit" else CHECKSTYLE
    assert root.tag == next(iter(shapes))
    for element in root.iter():
        known = shapes[element.tag]
        assert known.needed <= set(element.attrib) <= known.needed | known.more, element.tag
        assert {child.tag for child in element} <= known.inside, element.tag
    return root


def two_files() -> Merged:
    warning = FINDING._replace(severity="warning", rule="b-rule")
    note = FINDING._replace(severity="note", primary=Span("b.conf", 2, 12), related=(), help="")
    return report(note, FINDING, warning)


# --- checkstyle ------------------------------------------------------------------------------------------------------


def test_checkstyle() -> None:
    assert written("checkstyle", two_files()) == (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<checkstyle version="4.3">\n'
        '  <file name="b.conf">\n'
        '    <error line="3" column="1" severity="info" message="`日本` is\\x0ano origin" source="corslint.a-rule"/>\n'
        "  </file>\n"
        '  <file name="src/a.js">\n'
        '    <error line="2" column="10" severity="error" message="`日本` is\\x0ano origin. write one"'
        ' source="corslint.a-rule"/>\n'
        '    <error line="2" column="10" severity="warning" message="`日本` is\\x0ano origin. write one"'
        ' source="corslint.b-rule"/>\n'
        "  </file>\n"
        "</checkstyle>\n"
    )


def test_checkstyle_without_findings() -> None:
    assert len(tree("checkstyle", report())) == 0


def test_checkstyle_of_hostile_files() -> None:
    whole = hostile()
    root = tree("checkstyle", whole)
    found = [(file.attrib["name"], error.attrib["message"]) for file in root for error in file]
    assert found == [
        (neutral(one.primary.path), neutral(f"{one.message.rstrip('.')}. {one.help}")) for one in whole.findings
    ]


# --- JUnit -----------------------------------------------------------------------------------------------------------


def test_junit() -> None:
    assert written("junit", two_files()) == (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<testsuites name="corslint" tests="3" failures="2" errors="0">\n'
        '  <testsuite name="b.conf" tests="1" failures="0" errors="0">\n'
        '    <testcase name="a-rule at 3:1" classname="b.conf">\n'
        "      <system-out>b.conf:3:1: note: `日本` is\\x0ano origin [a-rule]</system-out>\n"
        "    </testcase>\n"
        "  </testsuite>\n"
        '  <testsuite name="src/a.js" tests="2" failures="2" errors="0">\n'
        '    <testcase name="a-rule at 2:10" classname="src/a.js">\n'
        '      <failure type="error" message="`日本` is\\x0ano origin">'
        "src/a.js:2:10: error: `日本` is\\x0ano origin [a-rule]\nb.conf:3:1: added here\nhelp: write one</failure>\n"
        "    </testcase>\n"
        '    <testcase name="b-rule at 2:10" classname="src/a.js">\n'
        '      <failure type="warning" message="`日本` is\\x0ano origin">'
        "src/a.js:2:10: warning: `日本` is\\x0ano origin [b-rule]\nb.conf:3:1: added here\nhelp: write one</failure>\n"
        "    </testcase>\n"
        "  </testsuite>\n"
        "</testsuites>\n"
    )


@pytest.mark.parametrize("whole", [report(), two_files(), hostile()], ids=["none", "two files", "hostile"])
def test_a_reader_of_junit_counts_the_same(whole: Merged) -> None:
    tree("junit", whole)
    read = junitparser.JUnitXml.fromstring(written("junit", whole).encode())
    suites = list(read)
    failed = [one for one in whole.findings if one.severity != "note"]
    assert (read.tests, read.failures, read.errors) == (len(whole.findings) or 1, len(failed), 0)
    assert sum(suite.tests for suite in suites) == read.tests
    cases = [case for suite in suites for case in suite]
    assert len(cases) == read.tests
    assert sum(bool(case.result) for case in cases) == len(failed)
    for suite in suites:
        declared = (suite.tests, suite.failures)
        assert declared == (len(list(suite)), sum(bool(case.result) for case in suite))


def test_a_clean_run_is_a_test_that_passed() -> None:
    (suite,) = tree("junit", report())
    (case,) = suite
    assert case.attrib == {"name": "no findings in 3 files", "classname": "corslint"}
    assert list(case) == []


def test_tests_of_a_file_have_names_of_their_own() -> None:
    source = SourceFile("a.js", b"x\nx\n")
    ones: list[Finding] = [FINDING._replace(primary=Span("a.js", at, at + 1), related=()) for at in (0, 2)]
    root = tree("junit", report(*ones, sources=lambda path: source))
    assert [case.attrib["name"] for case in root.iter("testcase")] == ["a-rule at 1:1", "a-rule at 2:1"]


# --- XML itself ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", [*NASTY, "".join(map(chr, range(0x300)))], ids=range(len(NASTY) + 1))
def test_any_text_is_read_back_as_it_is_shown(text: str) -> None:
    written_ = f"<a{_xml.attributes(b=text)}>{_xml.text(text, 'second')}</a>"
    element = ElementTree.fromstring(written_.encode())
    assert element.attrib == {"b": neutral(text)}
    assert element.text == f"{neutral(text)}\nsecond"
