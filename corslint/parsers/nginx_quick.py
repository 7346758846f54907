"""The quick way through an ordinary nginx file: one match for each directive instead of one for each token.

Nearly every file is ordinary: each directive ends with its `;` or `{`, its words stand on one line, and no brace is
missing. What is not, is left to the builder in `nginx.py`, which knows what nginx says about it and how to go on. The
two give the same tree wherever this one gives any: a test compares them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection

from corslint.model.reading import Directive, Word
from corslint.regexes import regex
from corslint.source import SourceFile, Span

_LONGEST = 4000
"""Longer directives and comments are left to the builder: nginx has a limit for words."""

_WORD = rb"""(?:[^ \t\r\n;{}"'\#\\]|\\[^\r\n]) [^ \t\r\n;{}\\]*+ (?:\\[^\r\n][^ \t\r\n;{}\\]*+)*+"""
_QUOTED = rb"""(?:"[^"\\\r\n]*+(?:\\[^\r\n][^"\\\r\n]*+)*+"|'[^'\\\r\n]*+(?:\\[^\r\n][^'\\\r\n]*+)*+')"""

_DIRECTIVE = regex(
    rb"(?:[ \t\r\n]++|\#[^\n]{0,4000}+(?=\n|\Z))*+"
    rb"(?: (?P<words> (?:" + _WORD + rb"|" + _QUOTED + rb")"
    # A further line begins with a quote, or a `;` could be missing. `if ($a = "b")` has its bracket behind a quote.
    rb"(?:(?:[ \t]++|[ \t\r\n]++(?=[\"'])) (?:" + _WORD + rb"|" + _QUOTED + rb"\)?+))*+ )"
    rb"[ \t\r\n]*+ (?P<end>[;{]) | (?P<close>\}) | (?P<rest>\Z) )",
    re.VERBOSE,
)
_PIECE = regex(rb"[ \t\r\n]*+(" + _QUOTED + rb"|" + _WORD + rb")", re.VERBOSE)
_SPECIAL = regex(rb"[\"'\\\t\r\n]|  ")

_new = tuple.__new__


class _Block:
    """A block that is being read."""

    __slots__ = ("arguments", "body", "children", "data", "name")

    def __init__(self, name: Word, arguments: tuple[Word, ...], body: int, *, data: bool) -> None:
        self.name = name
        self.arguments = arguments
        self.body = body
        self.data = data
        self.children: list[Directive] = []


class Grammar:
    """What is known of directives: the blocks of data, what always and what never has a block, and how words read."""

    def __init__(
        self,
        data_blocks: Collection[str],
        only_blocks: Collection[str],
        takes_block: Callable[[str], bool | None],
        text_of: Callable[[bytes], str],
        max_depth: int,
    ) -> None:
        self.data_blocks = data_blocks
        self.only_blocks = only_blocks
        self.takes_block = takes_block
        self.text_of = text_of
        self.max_depth = max_depth


def build(source: SourceFile, mask: bytes, grammar: Grammar) -> tuple[Directive, ...] | None:
    """The tree of an ordinary file; None where anything in it is out of the ordinary."""
    return _Quick(source, mask, grammar).build()


class _Quick:
    def __init__(self, source: SourceFile, mask: bytes, grammar: Grammar) -> None:
        self.path = source.path
        self.data = source.data
        self.mask = mask
        self.grammar = grammar
        self.nowhere = Span(source.path, 0, 0)
        self.texts: dict[bytes, str] = {}
        self.top: list[Directive] = []
        self.blocks: list[_Block] = []

    def build(self) -> tuple[Directive, ...] | None:
        following = _DIRECTIVE.scanner(self.mask).match  # type: ignore[attr-defined]  # CPython's, and fast
        while found := following():
            kind = found.lastgroup
            if kind == "end":
                start, end = found.span("words")
                if end - start > _LONGEST or not self._directive(start, end, found.end()):
                    return None
            elif kind == "close":
                if not self.blocks:
                    return None
                self._close(found.end())
            else:
                return None if self.blocks else tuple(self.top)
        return None

    def _directive(self, start: int, end: int, stop: int) -> bool:
        """Reads one directive up to its `;` or `{`; False where it is out of the ordinary."""
        words = self._words(start, end)
        name = words[0]
        data = bool(self.blocks) and self.blocks[-1].data
        if data and b"\n" in self.mask[start:end]:
            return False
        block = self.mask[stop - 1] == _OPENS
        key = name.text
        if not block:
            if not data and key in self.grammar.only_blocks:
                return False
            siblings = self.blocks[-1].children if self.blocks else self.top
            siblings.append(_new(Directive, (name, tuple(words[1:]), None, self.nowhere, stop - start)))
            return True
        arguments: list[Word] | None = words[1:]
        if not data:
            if self.grammar.takes_block(key) is False or len(self.blocks) >= self.grammar.max_depth:
                return False
            if key == "if":
                arguments = self._condition(words[1:])
        if arguments is None:
            return False
        self.blocks.append(_Block(name, tuple(arguments), stop, data=key in self.grammar.data_blocks))
        return True

    def _close(self, end: int) -> None:
        block = self.blocks.pop()
        body = Span(self.path, block.body, end - 1)
        siblings = self.blocks[-1].children if self.blocks else self.top
        siblings.append(Directive(block.name, block.arguments, tuple(block.children), body, end - block.name.start))

    def _words(self, start: int, end: int) -> list[Word]:
        mask = self.mask
        if _SPECIAL.search(mask, start, end):
            return [self._word(*found.span(1)) for found in _PIECE.finditer(mask, start, end)]
        path, data, texts = self.path, self.data, self.texts
        words: list[Word] = []
        for piece in mask[start:end].split(b" "):  # one blank each: the quickest way
            length = len(piece)
            raw = data[start : start + length]
            text = texts.get(raw)
            if text is None:
                text = texts[raw] = self.grammar.text_of(raw)
            words.append(_new(Word, (text, "", path, start, length)))
            start += length + 1
        return words

    def _word(self, start: int, end: int) -> Word:
        first = self.mask[start]
        quote = chr(first) if first in b"\"'" else ""
        raw = self.data[start + 1 : end - 1] if quote else self.data[start:end]
        text = self.texts.get(raw)
        if text is None:
            text = self.texts[raw] = self.grammar.text_of(raw)
        return Word(text, quote, self.path, start, end - start)

    def _condition(self, words: list[Word]) -> list[Word] | None:
        """The words of an `if` without their brackets; None where it has none."""
        mask = self.mask
        bounds = [[word.start, word.start + word.length] for word in words]
        if not words or mask[bounds[0][0]] != _BRACKET or mask[bounds[-1][1] - 1] != _CLOSING:
            return None
        bounds[0][0] += 1
        bounds[-1][1] -= 1
        if any(word.quote for word in (words[0], words[-1])):
            return None
        return [
            word if (word.start, word.length) == (start, end - start) else self._word(start, end)
            for word, (start, end) in zip(words, bounds, strict=True)
            if start < end
        ]


_OPENS = ord("{")
_BRACKET = ord("(")
_CLOSING = ord(")")
