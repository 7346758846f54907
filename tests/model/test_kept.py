"""Readings that are kept: no more is made of them than what is asked for, and it is what went in."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

from corslint.model import encoding, kept
from corslint.model.reading import CodeReading
from corslint.model.surface import GLOBAL, Surface, changed_at, surface
from corslint.parsers import kind_of, parse
from corslint.source import SourceFile

PROJECTS = Path(__file__).parent.parent.parent / "fixtures" / "projects"

PROGRAM = """\
import express from 'express';
export * from './more';
const app = express();
app.use(one, 1);
app.use(two, 2);
class Chat { constructor() { this.held = 1; } say() { this.tell('x'); } }
function inner(given) { const list = []; list.push(given); return other(given); }
module.exports.x = require('./far');
"""


def parsed(text: str, path: str = "a.js") -> CodeReading:
    found = parse(SourceFile(path, dedent(text).encode()))
    assert isinstance(found, CodeReading)
    return found


def again(found: CodeReading) -> CodeReading:
    back = encoding.decode(encoding.encode(found), found.path)
    assert isinstance(back, CodeReading)
    return back


def told(one: Surface) -> list[Any]:
    return [one.shapes, one.others, one.changes, one.bound, one.further, one.fields, one.bare]


def codes() -> list[CodeReading]:
    found = []
    for path in sorted(PROJECTS.rglob("*")):
        if path.is_file() and kind_of(path.as_posix()) is not None:
            reading = parse(SourceFile(path.as_posix(), path.read_bytes()))
            if isinstance(reading, CodeReading):
                found.append(reading)
    return found


def test_the_surface_is_kept() -> None:
    for found in codes():
        back = kept.surface_of(again(found))
        assert back is not None
        assert told(back) == told(surface(found))
        assert kept.surface_of(found) is None


def test_only_what_is_asked_for_is_made() -> None:
    back = again(parsed(PROGRAM))
    calls: Any = back.calls
    values = calls._values
    made = sum(values.is_made)
    assert made == 1  # what is small
    assert kept.callee(back, 0) == parsed(PROGRAM).calls[0].call.callee
    assert sum(values.is_made) == 2  # what the calls call
    before = sum(values.is_made)
    scope = back.scopes[0]
    assert "app" in scope.bindings
    assert "strange" not in scope.bindings
    assert scope.bindings.get("strange") is None
    assert sum(values.is_made) == before
    assert scope.bindings["app"] == parsed(PROGRAM).scopes[0].bindings["app"]
    assert sum(values.is_made) == before + 1
    assert back.calls[2].call.callee is kept.callee(back, 2)  # it is one object
    assert sum(values.is_made) == before + 2


def test_what_is_made_is_one_object() -> None:
    back = again(parsed(PROGRAM))
    assert back.calls[0] is back.calls[0]
    assert back.scopes[0].bindings["app"][0].value is back.calls[0].call


def test_parts_are_like_tuples() -> None:
    new, back = parsed(PROGRAM), again(parsed(PROGRAM))
    for name in ("calls", "writes", "decorations", "exports"):
        one, other = getattr(new, name), getattr(back, name)
        assert (len(one), list(one), one[:2], one) == (len(other), list(other), other[:2], other)
        assert bool(one) == bool(other)
        assert hash(other) == hash(one)
    assert back != new._replace(calls=new.calls[1:])


def test_bindings_are_like_dictionaries() -> None:
    new = parsed(PROGRAM).scopes[0].bindings

    def fresh() -> Any:
        return again(parsed(PROGRAM)).scopes[0].bindings

    assert fresh() == new
    assert {**fresh()} == new
    assert dict(fresh()) == new
    assert list(fresh()) == list(new)
    assert list(fresh().items()) == list(new.items())
    assert list(fresh().values()) == list(new.values())
    assert fresh() != {**new, "one_more": ()}
    assert repr(fresh()) == repr(new)


def test_the_whole_of_a_kept_reading_is_what_was_parsed() -> None:
    new = parsed(PROGRAM)
    assert kept.whole(new) is new
    whole = kept.whole(again(new))
    assert repr(whole) == repr(new)
    assert type(whole.calls) is tuple
    assert encoding.encode(again(new)) == encoding.encode(new)


def test_which_texts_may_be_spelled() -> None:
    back = again(parsed(PROGRAM))
    assert kept.may_spell(back, {"nothing", "held"})
    assert not kept.may_spell(back, {"nothing"})
    assert kept.may_spell(parsed(PROGRAM), {"nothing"})  # nobody knows


# --- the surface -----------------------------------------------------------------------------------------------------


def shapes(text: str, path: str = "a.js") -> dict[tuple[Any, ...], list[int]]:
    return surface(parsed(text, path)).shapes


def test_calls_of_one_thing_have_one_shape() -> None:
    found = surface(parsed(PROGRAM))
    assert found.shapes[0, "app", "use"] == [1, 2]
    assert found.names["use"] == [1, 2]
    assert found.bound == ["express", "./far"]
    assert found.further == ["./more", "./far"]
    assert [changed_at(parsed(PROGRAM), place).scope for place in found.changes[4, "list"]] == [4]
    assert list(found.fields.values()) == [[0]]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("f(); f();", [(GLOBAL, "f")], id="a global"),
        pytest.param("const f = g; { f(); } f();", [(0, "f")], id="from two scopes"),
        pytest.param("function h(f) { f(); } f();", [(1, "f"), (GLOBAL, "f")], id="two names alike"),
        pytest.param("let f = g; f(); f = h; f();", [], id="bound twice"),
        pytest.param("const o = {}; o.f(); o.f = g; o.f();", [], id="changed in between"),
        pytest.param("const f = g(() => f());", [(GLOBAL, "g")], id="in its own definition"),
        pytest.param("f()(); f().g(); x[y]();", [(GLOBAL, "f")], id="no names"),
        pytest.param("class A { x() { this.y(); } z() { this.y(); } }", [(1, "", "y")], id="of this"),
    ],
)
def test_what_may_differ_from_place_to_place_has_no_shape(text: str, expected: list[tuple[Any, ...]]) -> None:
    assert list(shapes(text)) == expected
