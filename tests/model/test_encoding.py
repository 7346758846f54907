"""Encoded readings: what goes in comes out, and bytes that are no encoded reading are refused, whatever they are."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest

from corslint.model import encoding
from corslint.model.reading import Binding, CodeReading, Export, ManifestReading, Reading, Scope
from corslint.model.values import Guard, Literal, Name, Sequence, Unknown, Value
from corslint.parsers import kind_of, parse
from corslint.source import SourceFile, Span

ROOT = Path(__file__).parent.parent.parent
PROJECTS = ROOT / "fixtures" / "projects"


def readings() -> list[Reading]:
    """The readings of all files of the projects."""
    found = []
    for path in sorted(PROJECTS.rglob("*")):
        if path.is_file() and kind_of(path.as_posix()) is not None:
            reading = parse(SourceFile(path.relative_to(ROOT).as_posix(), path.read_bytes()))
            if reading is not None:
                found.append(reading)
    return found


def of_values(*exported: Value) -> CodeReading:
    scope = Scope(-1, "module", Span("a.js", 0, 9), {"x": (Binding(exported[0], Span("a.js", 1, 2), ()),)})
    return CodeReading(
        "a.js", "javascript", (scope,), (), (), (), tuple(Export("default", value) for value in exported), ()
    )


def test_readings_of_projects_come_out_as_they_went_in() -> None:
    found = readings()
    assert len({type(reading) for reading in found}) == 4  # of every kind
    for reading in found:
        again = encoding.decode(encoding.encode(reading), reading.path)
        assert again == reading
        assert repr(again) == repr(reading)  # `1 == True`, and records equal tuples


@pytest.mark.parametrize(
    "value",
    [
        "", "text", "\ud800", "\ud83d\ude00 two halves", "\U0001f600 one whole", "\x00", True, False, 1, 0, 1.0, 0.0,
        -0.0, float("inf"), 1 << 80, -1,
    ],
)  # fmt: skip
def test_literals_come_out_as_they_went_in(value: str | bool | int | float) -> None:
    one = of_values(*(Literal(each, Span("a.js", 3, 4)) for each in (value, 1, True, 1.0, 0, False)))
    again = encoding.decode(encoding.encode(one), "a.js")
    assert again == one
    assert repr(again) == repr(one)


def test_what_stands_in_several_places_is_one_value() -> None:
    guard = Guard(Name("x", 0, Span("a.js", 5, 6)), True)
    shared = Sequence((Unknown("x", Span("a.js", 7, 8)),) * 2, Span("a.js", 5, 9))
    one = of_values(shared, shared)._replace(
        scopes=(Scope(-1, "module", Span("a.js", 0, 9), {"x": (Binding(shared, shared.span, (guard, guard)),)}),)
    )
    again = encoding.decode(encoding.encode(one), "a.js")
    assert isinstance(again, CodeReading)
    assert again.exports[0].value is again.exports[1].value
    assert again.scopes[0].bindings["x"][0].guards[0] is again.scopes[0].bindings["x"][0].guards[1]


def test_spans_of_other_files_and_far_places() -> None:
    one = of_values(Unknown("x", Span("other.js", 70_000, 1 << 31)), Unknown("y", Span("a.js", 70_000, 1 << 31)))
    assert encoding.decode(encoding.encode(one), "a.js") == one


def test_what_is_nested_too_deeply_is_refused() -> None:
    value: Value = Unknown("x", Span("a.js", 0, 1))
    for _ in range(20_000):
        value = Sequence((value,), Span("a.js", 0, 1))
    with pytest.raises(encoding.EncodingError, match="recursion"):
        encoding.encode(of_values(value))


def test_what_no_reading_holds_is_refused() -> None:
    with pytest.raises(encoding.EncodingError, match="object"):
        encoding.encode(of_values(Literal(object(), Span("a.js", 0, 1))))  # type: ignore[arg-type]


def test_the_reading_of_another_file_is_refused() -> None:
    data = encoding.encode(of_values(Unknown("x", Span("a.js", 0, 1))))
    with pytest.raises(encoding.EncodingError):
        encoding.decode(data, "b.js")


@pytest.mark.parametrize(
    "head",
    [
        "", "[]", "null", "{", '["H",0,[],[],[]]', '["H",0,[[0,3,1]],[],[]]', '["H",0,[[-1,0,99999999999]],[],[]]',
        '["H",0,[[-9,0,1]],[],[]]', '["H",0,[[999,0,1]],[],[]]', '["H",0,[[-1,0,-1]],[],["a"]]', '["H",0,[],[],["a"]]',
        '["x",0,[],[],[1]]', '["H",-5,[],[],[1]]', '["H","1",[],[],[1]]', '["H",0,[],[0],[["a"]]]',
        '["H",0,[],[7],["a"]]', '["H",0,[[1,-1,1]],[],["a"]]', "[" * 100_000,
    ],
)  # fmt: skip
def test_bytes_that_are_no_reading_are_refused(head: str) -> None:
    data = len(head).to_bytes(4, "little") + head.encode() + b"\x00\x01" * 4
    with pytest.raises(encoding.EncodingError):
        encoding.decode(data, "a.js")


def test_damaged_bytes_are_refused_or_make_a_reading() -> None:
    chance = random.Random(20)
    whole = [(reading.path, encoding.encode(reading)) for reading in readings()[:40]]
    for _ in range(3000):
        path, data = chance.choice(whole)
        damaged = bytearray(data)
        for _ in range(chance.randint(1, 4)):
            match chance.randrange(3):
                case 0:
                    damaged[chance.randrange(len(damaged))] = chance.randrange(256)
                case 1:
                    del damaged[chance.randrange(len(damaged)) :]
                    damaged += b"\x00"
                case _:
                    at = chance.randrange(len(damaged))
                    damaged[at:at] = bytes(chance.randrange(256) for _ in range(chance.randint(1, 9)))
        try:
            found = encoding.decode(bytes(damaged), path)
        except encoding.EncodingError:
            continue
        assert found.path == path


def test_only_records_of_readings_are_made() -> None:
    one = ManifestReading("package.json", "package.json", (), (), ())
    data = encoding.encode(one)
    head = json.loads(data[4 : 4 + int.from_bytes(data[:4], "little")])
    assert [code for code, _, _ in head[2] if code >= 0] == [encoding._CODES[ManifestReading]]
    assert {type(made).__name__ for made in encoding._CLASSES} == {"type"}
    assert all(made.__module__ in ("corslint.source", "corslint.model.values", "corslint.model.reading")
               for made in encoding._CLASSES)  # fmt: skip
