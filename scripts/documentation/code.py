"""Code as HTML: coloured like the other blocks of the site, with the places that a rule reports marked in it."""

from __future__ import annotations

import html
from collections.abc import Iterator

from pygments.lexers import get_lexer_by_name
from pygments.token import STANDARD_TYPES
from pygments.util import ClassNotFound

from corslint.rulepages import language
from corslint.ruleset import PRIMARY_MARKS, RELATED_MARKS

_OPENING = {PRIMARY_MARKS[0]: '<mark class="primary">', RELATED_MARKS[0]: '<mark class="related">'}
_CLOSING = {PRIMARY_MARKS[1]: "</mark>", RELATED_MARKS[1]: "</mark>"}
_FALLBACK = {"svelte": "html", "vue": "html", "mts": "ts", "cts": "ts"}


def shown(path: str, marked: str) -> str:
    """A file with its name above it; what stands in marks is marked."""
    text, marks = _unmarked(marked.rstrip())
    lines = "".join(_pieces(path, text, marks))
    lines = lines.replace("`", "&#96;")  # which Markdown would take for a fence
    return (
        f'<div class="highlight"><span class="filename">{html.escape(path)}</span>'
        f"<pre><code>{lines}\n</code></pre></div>"
    )


def _unmarked(marked: str) -> tuple[str, dict[int, str]]:
    """The text without marks, and the tags by the offset at which they stand."""
    text: list[str] = []
    marks: dict[int, str] = {}
    for character in marked:
        tag = _OPENING.get(character) or _CLOSING.get(character)
        if tag is None:
            text.append(character)
        else:
            # Nothing between two marks: the place itself is the finding, and has to be seen.
            before = marks.get(len(text), "")
            empty = tag == "</mark>" and before.endswith('">')
            marks[len(text)] = before + ("&#8203;" if empty else "") + tag
    return "".join(text), marks


def _pieces(path: str, text: str, marks: dict[int, str]) -> Iterator[str]:
    for start, kind, piece in _tokens(path, text):
        at = start
        for cut in [*sorted(place for place in marks if start < place < start + len(piece)), start + len(piece)]:
            yield marks.get(at, "")
            escaped = html.escape(text[at:cut], quote=False)
            yield f'<span class="{kind}">{escaped}</span>' if kind and escaped.strip() else escaped
            at = cut
    yield marks.get(len(text), "")


def _tokens(path: str, text: str) -> Iterator[tuple[int, str, str]]:
    name = language(path)
    try:
        lexer = get_lexer_by_name(_FALLBACK.get(name, name))
    except ClassNotFound:
        yield 0, "", text
        return
    end = 0
    for start, kind, piece in lexer.get_tokens_unprocessed(text):
        if piece and start >= end:
            yield start, STANDARD_TYPES.get(kind, ""), piece
            end = start + len(piece)
