"""A sample of the storm (`make fix-storm` is all of it), and its own eyes: they see harm where there is some."""

from __future__ import annotations

import random
import shutil

import pytest

from tests import fix_storm
from tests.fix_storm import BOM, Node, damage

CASES = 200
SEED = 7


def test_edits_and_fixes_do_no_harm(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CORSLINT_OUTPUT_FORMAT", raising=False)
    outcomes = fix_storm.storm(SEED, range(CASES))
    assert [f"case {one.case}: {one.about}: {harm}" for one in outcomes for harm in one.harm] == []
    assert sum(one.mended for one in outcomes) > CASES // 3


def test_a_case_is_the_same_whenever_it_is_drawn() -> None:
    assert fix_storm.draw(1, 5) == fix_storm.draw(1, 5) != fix_storm.draw(2, 5)


@pytest.mark.parametrize("edit", fix_storm.EDITS, ids=lambda edit: edit.__name__)
def test_every_edit_changes_something(edit: fix_storm.Edit) -> None:
    data = (
        b"const cors = require('cors');\nconst app = make(one, two, three, four);\n\napp.use(cors({ origin: '*' }));\n"
    )
    assert any(edit(data, random.Random(seed)) != data for seed in range(20))


@pytest.mark.skipif(shutil.which("node") is None, reason="needs Node.js")
def test_node_tells_programs_from_others() -> None:
    node = Node()
    try:
        good = [b"import a from 'b';\nawait a();", b"return 1;", BOM + b"const a = 1;", b"with (a) b = 010;"]
        assert [node.accepts(text) for text in good] == [True] * 4
        assert not node.accepts(b"const a = ;")
    finally:
        node.close()


@pytest.mark.parametrize(
    ("path", "sound", "broken"),
    [
        ("a.py", b"a = 1\n", b"a = \n"),
        ("a.json", b"{}", b"{,}"),
        ("a.ts", b"const a: number = 1;", b"const a: = ;"),
        ("nginx.conf", b"events {}\n", b"events {\n"),
    ],
)
def test_damage_is_seen(path: str, sound: bytes, broken: bytes) -> None:
    assert damage(path, sound, None) == 0
    assert damage(path, broken, None) > 0


WAS = b"one;\r\ntwo;\r\n"


@pytest.mark.parametrize(
    ("now", "harm"),
    [
        (WAS, []),
        (b"one;\ntwo;\r\n", ["a bare line feed among carriage returns"]),
        (BOM + WAS, ["the byte order mark came or went"]),
        (b"one;\r\ntwo;", ["the last line ending went"]),
        (b"one;\r\ntwo = ;\r\n", ["its parser accepted it before and does not now"]),
    ],
)
def test_harm_is_seen(now: bytes, harm: list[str]) -> None:
    assert list(fix_storm.harm_to("a.js", {"a.js": WAS}, {"a.js": now}, None)) == harm


def test_a_file_that_goes_is_harm() -> None:
    assert list(fix_storm.harm_to("a.js", {"a.js": WAS}, {}, None)) == ["it came or went"]
