"""What fuzzing found (`make fuzz`), once and for all, and a little of it each time."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from tests import fuzz

FOUND = sorted(path for path in fuzz.FOUND.rglob("*") if path.is_file())


@pytest.mark.parametrize("path", FOUND, ids=lambda path: f"{path.parent.name}-{path.name}")
def test_what_was_found_stays_mended(path: Path) -> None:
    fuzz.feed(fuzz.HARNESSES[path.parent.name], path.read_bytes())


@pytest.mark.parametrize("name", fuzz.HARNESSES)
def test_a_little_fuzzing(name: str) -> None:
    chance = random.Random(f"{name} 3")
    begin = fuzz.inputs(fuzz.HARNESSES[name])
    assert begin
    for _ in range(12):
        data = chance.choice(begin)
        for _ in range(chance.choice((0, 1, 2))):
            data = fuzz.changed(data, chance, 4096)
        fuzz.feed(fuzz.HARNESSES[name], data)
    fuzz.feed(fuzz.HARNESSES[name], b"")


def test_a_failure_is_kept_and_told_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fails(_name: str, data: bytes) -> None:
        raise KeyError(data)

    monkeypatch.setattr(fuzz, "ROOT", tmp_path)
    monkeypatch.setattr(fuzz, "FOUND", tmp_path / "fuzz")
    monkeypatch.setitem(fuzz.HARNESSES, "fails", fuzz.Harness(fails, ("a.js",), lambda: [("a.js", b"x")]))
    watched = fuzz._Watched("fails", float("inf"))
    for data in (b"\0one", b"\0two"):
        watched(data)
    assert watched.count == 2
    assert [path.read_bytes() for path in (tmp_path / "fuzz" / "fails").iterdir()] == [b"\0one"]
    assert "fails: KeyError: fuzz/fails/" in capsys.readouterr().out
