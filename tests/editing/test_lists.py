"""Lists in random layouts: whatever stands between the items, an edit changes one item and spoils nothing."""

from __future__ import annotations

import ast
import random
import re

import pytest

from corslint.editing import Order, apply_changes, javascript, python
from corslint.source import SourceFile, Span

_ROUNDS = 250


class Layout:
    """A list with random white space, comments and commas, and where its items stand."""

    def __init__(self, chance: random.Random, language: str) -> None:
        self.chance = chance
        self.language = language
        self.ending = chance.choice(["\n", "\r\n"])
        self.step = chance.choice(["  ", "    ", "\t"])
        self.count = chance.randrange(1, 6)
        self.notes = 0
        self.own_line_notes: list[str] = []
        mapping = chance.random() < 0.5
        self.brackets = "{}" if mapping else "[]"
        prefix = chance.choice(["x = ", "# é 🔑\nx = " if language == "python" else "// é 🔑\nx = "])
        self.text = prefix.replace("\n", self.ending) + self.brackets[0]
        self.spans: list[tuple[int, int]] = []
        self.spread = chance.random() < 0.6
        for number in range(self.count):
            self._gap(before=True)
            start = len(self.text.encode())
            self.text += f"'ké{number}': {number}" if mapping else f"{number}"
            self.spans.append((start, len(self.text.encode())))
            if number < self.count - 1 or chance.random() < 0.4:
                if chance.random() < 0.15 and language == "javascript":
                    self.text += f" /* {self._note()} */ "
                self.text += ","
        self._gap(before=False)
        self.text += self.brackets[1]
        self.start = len((prefix.replace("\n", self.ending)).encode())
        self.end = len(self.text.encode())
        self.text += self.ending

    def _note(self) -> str:
        self.notes += 1
        return f"note{self.notes}."

    def _gap(self, *, before: bool) -> None:
        chance = self.chance
        mark = "#" if self.language == "python" else "//"
        if not self.spread or chance.random() < 0.3:
            self.text += chance.choice(["", " ", "  "])
            return
        if self.spans and chance.random() < 0.3:
            self.text += f"  {mark} {self._note()}"
        self.text += self.ending
        while chance.random() < 0.25:
            note = self._note()
            self.own_line_notes.append(note)
            self.text += f"{self.step}{mark} {note}{self.ending}"
        self.text += self.step if before else ""


def values(text: str) -> list[int]:
    """The numbers of the list, in order; the text must be a list that Python takes, comments aside."""
    plain = re.sub(r"//[^\r\n]*|/\*.*?\*/|#[^\r\n]*", "", text).strip()
    found = ast.literal_eval(plain.partition("=")[2].strip().replace("\r\n", "\n"))
    return list(found.values()) if isinstance(found, dict) else list(found)


def notes(text: str) -> list[str]:
    return re.findall(r"note\d+\.", text)


def carried_out(layout: Layout, order: Order) -> str:
    path = order.span.path
    data = layout.text.encode()
    change = python.edit if layout.language == "python" else javascript.edit
    changes = change(SourceFile(path, data), order)
    assert changes is not None, layout.text
    # Lines that no change reaches are byte for byte the same.
    touched = {data.count(b"\n", 0, offset) for one in changes for offset in range(one.start, one.end + 1)}
    after = apply_changes(data, changes)
    kept = [line for number, line in enumerate(data.split(b"\n")) if number not in touched]
    left = after.split(b"\n")
    for line in kept:
        assert line in left
    assert b"\r" not in after.replace(b"\r\n", b"")
    if layout.ending == "\r\n":
        assert after.count(b"\n") == after.count(b"\r\n")
    return after.decode()


@pytest.mark.parametrize("language", ["javascript", "python"])
def test_delete_one(language: str) -> None:
    chance = random.Random(language)
    for _ in range(_ROUNDS):
        layout = Layout(chance, language)
        index = chance.randrange(layout.count)
        order = Order("delete", Span("a.py" if language == "python" else "a.js", *layout.spans[index]))
        after = carried_out(layout, order)
        expected = [number for number in range(layout.count) if number != index]
        assert values(after) == expected, layout.text
        assert set(layout.own_line_notes) <= set(notes(after)), layout.text
        assert len(notes(layout.text)) - len(notes(after)) <= 2, layout.text
        assert not re.search(r"[ \t]\r?\n", after), layout.text


@pytest.mark.parametrize("language", ["javascript", "python"])
def test_add_one(language: str) -> None:
    chance = random.Random(language)
    added = 0
    for _ in range(_ROUNDS):
        layout = Layout(chance, language)
        if layout.brackets != "{}":
            continue
        span = Span("a.py" if language == "python" else "a.js", layout.start, layout.end)
        after = carried_out(layout, Order("set_option", span, 99, key=("new",)))
        quoted = re.sub(r"\bnew: 99", "'new': 99", after)
        assert values(quoted) == [*range(layout.count), 99], layout.text
        assert notes(after) == notes(layout.text), layout.text
        added += 1
    assert added > _ROUNDS / 4


@pytest.mark.parametrize("language", ["javascript", "python"])
def test_delete_all_one_after_the_other(language: str) -> None:
    chance = random.Random(language)
    path = "a.py" if language == "python" else "a.js"
    for _ in range(40):
        layout = Layout(chance, language)
        text = layout.text
        change = python.edit if language == "python" else javascript.edit
        for number in chance.sample(range(layout.count), layout.count):
            plain = text.encode()
            pattern = rf"'k\u00e9{number}': {number}" if layout.brackets == "{}" else rf"(?<![\w.']){number}(?![\w.':])"
            match = re.search(pattern, text)
            assert match is not None
            start = len(text[: match.start()].encode())
            end = len(text[: match.end()].encode())
            changes = change(SourceFile(path, plain), Order("delete", Span(path, start, end)))
            assert changes is not None, text
            text = apply_changes(plain, changes).decode()
        assert values(text) == [], text
