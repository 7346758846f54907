"""Places in the editor's units, for line ends of every kind and characters of every width."""

from __future__ import annotations

import pytest

from corslint.language_server.positions import Places, Point
from corslint.source import SourceFile, Span

TEXT = "a\r\nbé€\U0001f600c\rd\n\nlast"


def _places(encoding: str, text: str = TEXT) -> Places:
    return Places(SourceFile("f.js", text.encode()), encoding)


@pytest.mark.parametrize(
    ("encoding", "character"),
    [("utf-8", 1 + 2 + 3 + 4), ("utf-16", 1 + 1 + 1 + 2), ("utf-32", 4)],
)
def test_characters_count_in_the_units_agreed_on(encoding: str, character: int) -> None:
    at = TEXT.encode().index(b"c")
    places = _places(encoding)
    assert places.point(at) == Point(1, character)
    assert places.offset(Point(1, character)) == at


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-32"])
def test_every_place_between_characters_comes_back(encoding: str) -> None:
    places = _places(encoding)
    offsets = [len(TEXT[:count].encode()) for count in range(len(TEXT) + 1)]
    # Inside `\r\n` there is no place.
    for offset in (each for each in offsets if each != TEXT.encode().index(b"\r\n") + 1):
        assert places.offset(places.point(offset)) == offset


def test_each_line_end_is_one() -> None:
    places = _places("utf-8")
    assert [places.point(TEXT.encode().index(mark)).line for mark in (b"a", b"b", b"d", b"last")] == [0, 1, 2, 4]


def test_what_lies_outside_is_moved_in() -> None:
    places = _places("utf-16")
    size = len(TEXT.encode())
    assert places.offset(Point(0, 99)) == 1
    assert places.offset(Point(99, 0)) == size
    assert places.point(size + 5) == Point(4, 4)
    assert places.offset(Point(1, 4)) == TEXT.encode().index("\U0001f600".encode())  # in the middle of a pair


def test_editors_do_not_count_a_byte_order_mark() -> None:
    places = _places("utf-16", "\ufeffab\nc")
    assert places.point(0) == Point(0, 0)
    assert places.point(4) == Point(0, 1)
    assert places.offset(Point(0, 1)) == 4
    assert places.offset(Point(1, 0)) == 6


def test_a_span_is_begin_and_end() -> None:
    assert _places("utf-32").span(Span("f.js", 0, TEXT.encode().index(b"d"))) == (Point(0, 0), Point(2, 0))
