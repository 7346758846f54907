"""Snapshots: what goes in comes out, and nothing but records of this package is made."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import pytest

from corslint import lint, snapshot
from corslint.frameworks.catalog import FieldSource
from corslint.later import Later
from corslint.model.tri import Tri
from corslint.regexes import REGEX
from corslint.ruleset import Equal


@pytest.mark.parametrize(
    "value",
    [
        None,
        "text",
        "\ud800 half of a pair",
        (True, 1, 1.0, 0, False, None, "1"),
        ((), frozenset(), [], {}, ""),
        [(), [], {}, [()], ((),)],
        frozenset({"a", "b"}),
        {"a": {"b": ["c", {"d": None}]}, 1: "one", None: "nothing"},
        b"\x00\xff bytes",
        (Tri.YES, Tri.NO, Tri.UNKNOWN),
        (Equal(1), Equal(True), Equal("1")),
        {"a": FieldSource(positions=(1, 0)), "b": FieldSource(), "c": FieldSource(keyword="x", keys=("a.b",))},
    ],
)
def test_a_value_comes_out_as_it_went_in(value: object) -> None:
    again = snapshot.read(snapshot.write(value))
    assert again == value
    assert repr(again) == repr(value)  # `1 == True`, and lists of equal tuples and records are equal


def test_mappings_that_cannot_be_changed_stay_so() -> None:
    again = snapshot.read(snapshot.write(MappingProxyType({"a": 1})))
    assert isinstance(again, MappingProxyType)
    assert again == {"a": 1}


def test_patterns_stay_patterns() -> None:
    again = snapshot.read(snapshot.write((re.compile("a(b)", re.IGNORECASE), re.compile(rb"\xff"))))
    assert again[0].search("xAB")[1] == "B"
    assert again[1].flags == re.compile(rb"").flags


def test_what_can_be_changed_is_not_shared_unless_it_was() -> None:
    one: list[int] = []
    first, second, third = snapshot.read(snapshot.write((one, one, [])))
    assert first is second
    assert first is not third


def test_what_comes_later_is_not_looked_at_before(monkeypatch: pytest.MonkeyPatch) -> None:
    first, *lines = snapshot.write({"a": Later([Equal(1)]), "b": Later(("x", "y"))}).split(b"\n")
    assert len(lines) == 2
    again = snapshot.read(b"\n".join([first, b"!" * len(lines[0]), lines[1]]))
    assert again["b"] == ("x", "y")
    assert (len(again["b"]), again["b"][1], again["b"][:1]) == (2, "y", ("x",))
    with pytest.raises(snapshot.SnapshotError):
        len(again["a"])
    whole = snapshot.read(b"\n".join([first, *lines]))
    assert list(whole["a"]) == [Equal(1)]
    monkeypatch.setattr(snapshot, "read", lambda line: pytest.fail(f"read twice: {line}"))
    assert list(whole["a"]) == [Equal(1)]


def test_what_comes_later_holds_nothing_that_does() -> None:
    with pytest.raises(snapshot.SnapshotError, match="comes later in what comes later"):
        snapshot.write(Later([Later([1])]))


def test_everything_that_is_built_in_comes_out_as_it_went_in() -> None:
    rules, catalog = lint.knowledge()
    assert snapshot.read(snapshot.write(dict(rules.rules))) == dict(rules.rules)
    assert comparable(snapshot.read(snapshot.write(catalog))) == comparable(catalog)


def comparable(value: Any) -> Any:
    """The same value with its compiled expressions written out: two of them are never equal."""
    if type(value) in REGEX:
        return value.pattern, value.flags
    if isinstance(value, Mapping):
        return {key: comparable(each) for key, each in value.items()}
    if isinstance(value, (tuple, Later)):
        return (type(value).__name__, *map(comparable, value))
    return value


def test_a_value_of_another_kind_is_refused() -> None:
    with pytest.raises(snapshot.SnapshotError, match="cannot hold set"):
        snapshot.write(({"a"},))


def _tampered(**parts: Any) -> bytes:
    return json.dumps({**json.loads(snapshot.write((Equal("x"),))), **parts}).encode()


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"[]",
        b"{",
        b"\xff",
        b'{"scalars": 1}',
        snapshot.write((1, "a"))[:-5],
        _tampered(root=99),
        _tampered(shapes=[["os", "stat_result", [0]]]),
        _tampered(shapes=[["corslint.snapshot", "write", [0]]]),
        _tampered(shapes=[["corslint.snapshot", "json.dumps", [0]]]),
        _tampered(shapes=[["corslint.nowhere", "Equal", [0]]]),
        _tampered(shapes=[["corslint.ruleset", "Equal", [7]]]),
        _tampered(groups=[["record", 0, 1, [99]]]),
        _tampered(groups=[["record", 0, 2, [[0, 99]]]]),
        _tampered(groups=[["later", 1, 1, [0]]]),
        _tampered(groups=[["object", 1, 1, [0]]]),
    ],
)
def test_data_that_is_no_snapshot_is_refused(data: bytes) -> None:
    with pytest.raises(snapshot.SnapshotError):
        snapshot.read(data)
