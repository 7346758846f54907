"""That an edit of a script changed nothing but its place is told from how far the other statements reach.

A whole look at both trees has to agree with that, whatever is put wherever.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import pytest
from tree_sitter import Node

from corslint.editing import Change, Code, Order, apply_changes, javascript
from corslint.source import SourceFile, Span

FOLDER = Path(__file__).parent.parent.parent / "fixtures" / "projects"
DIALECTS = {".js": "javascript", ".ts": "typescript", ".tsx": "tsx"}
PROGRAMS = [
    (path.read_bytes(), DIALECTS[path.suffix])
    for path in sorted(FOLDER.rglob("*.*"))
    if path.suffix in DIALECTS and path.stat().st_size < 6_000
]
TEXTS = (
    b"", b"x", b"true", b"'a'", b"a, b", b"a; b", b"}", b"{", b")", b"(", b"[", b"`", b"'", b"/*", b"//", b"/", b"\n",
    b"\n(a)", b"a b", b"a => b", b"{ a: 1 }", b"[a, 'b']", b"f(a)", b"() => { return 1 }", b"...a", b"a = b", b"async",
    b"*", b"<a>", b"a ? b : c", b"\xff", b"\\u0061", b"/a/", b"a\n/b/g", b"}) ({", b"}\n{", b"]: [", b"'; a('",
    b"await a", b"yield", b"function () {}", b"class {}", b"@a", b"a as b", b"of", b"else", b"await", b"<T>(a) => b",
    b"a < b", b"a > (b)", b"let", b"async function f() {}", b"a\n", b"\n[a]", b"\n`a`", b"\n++a", b"type", b"get",
)  # fmt: skip


def nodes(root: Node) -> list[Node]:
    pending, found = [root], []
    while pending:
        node = pending.pop()
        found.append(node)
        pending += node.children
    return found


def edits(seed: int) -> Iterator[tuple[bytes, str, Node, list[Change]]]:
    """Programs with some changes in a node of theirs."""
    chance = random.Random(seed)
    for _ in range(60):
        text, dialect = chance.choice(PROGRAMS)
        every = [one for one in nodes(javascript._parse(text, dialect).root_node) if one.parent is not None]
        for _ in range(20):
            hole = chance.choice(every)
            inside = nodes(hole)
            spans = sorted({(one.start_byte, one.end_byte) for one in chance.sample(inside, min(2, len(inside)))})
            changes = [Change(*span, chance.choice(TEXTS)) for span in spans]
            if len(changes) < 2 or changes[0].end <= changes[1].start:
                yield text, dialect, hole, changes


@pytest.mark.parametrize("seed", range(4))
def test_statements_that_reach_as_far_as_before_are_the_same(seed: int) -> None:
    same = different = 0
    for text, dialect, hole, changes in edits(seed):
        changed = apply_changes(text, changes)
        before, after = javascript._parse(text, dialect), javascript._parse(changed, dialect)
        if before.root_node.has_error or after.root_node.has_error:
            continue
        start, end = hole.start_byte, hole.end_byte
        beyond = end + len(changed) - len(text)
        near, whole = (
            javascript._outline(before, text, start, end, near=near)
            == javascript._outline(after, changed, start, beyond, near=near)
            for near in (True, False)
        )
        assert whole or not near, (text, changes)
        same += near
        different += not whole
    assert same > 60
    assert different > 30


@pytest.mark.parametrize(
    ("text", "new", "made"),
    [
        ("g(1)\nf(⟦a⟧)\nh(2)\n", "b(c)", True),
        ("g(1)\nf(⟦a⟧)\nh(2)\n", "b, c", False),
        ("g(1)\nf(⟦a⟧)\n", "b) + h(c", False),
        ("f(⟦a⟧)\ng(1)\nh(2)\n", "b)\n(c", False),
        ("f(⟦a⟧)\n", "b; c", False),
        ("f(⟦a⟧) // }\n", "/* b", False),
        ("x = ⟦a⟧\n(b)\n", "c", True),
        ("{ f(⟦a⟧) }\n{ g(1) }\n", "b) } { h(c", False),
    ],
)
def test_an_edit_is_given_up_where_anything_else_is_another_program(text: str, new: str, made: bool) -> None:
    start, end = text.index("⟦"), text.index("⟧") - 1
    source = SourceFile("a.js", text.replace("⟦", "").replace("⟧", "").encode())
    found = javascript.edit(source, Order("replace", Span("a.js", start, end), Code(new)))
    assert found == ((Change(start, end, new.encode()),) if made else None)


def test_only_what_is_around_an_edit_is_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []
    whole = javascript._outline

    def outline(*given: object, near: bool = False) -> object:
        asked.append(near)
        return whole(*given, near=near)  # type: ignore[arg-type]

    monkeypatch.setattr(javascript, "_outline", outline)
    source = SourceFile("a.js", b"g(1)\nf(a)\n" * 9)
    assert javascript.edit(source, Order("replace", Span("a.js", 7, 8), Code("b"))) == (Change(7, 8, b"b"),)
    assert asked == [True, True]
