"""The comments of a file, apart from its code: where they stand, and what is left without them.

Only real comments: what looks like one inside a string, a template literal or a heredoc that is none is code.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from corslint.parsers import kind_by_content, kind_of
from corslint.records import NamedTuple
from corslint.regexes import regex
from corslint.source import SourceFile, Span

if TYPE_CHECKING:
    from tree_sitter import Node

    from corslint.parsers.javascript import Part

_COMMENTS = frozenset({"comment", "html_comment"})
# What may run over a line end, where no comment can stand: whole for its lines, though code may stand inside of it.
_TEXTS = frozenset({"string", "template_string", "line_continuation"})
_MARKUP = regex(
    rb"<!--|<[A-Za-z/](?:[^<>\"']|\"[^\"]*+\"|'[^']*+')*+>"
    rb"|\{\{(?:[^{}\"'`]|\"[^\"\n]*+\"|'[^'\n]*+'|`[^`]*+`)*+\}\}"
)
_OWN_LINE = regex(rb"^[ \t]*(#[^\r\n]*)", re.MULTILINE)
_HEADER = regex(rb"\A(?:\xef\xbb\xbf)?(?:[ \t]*(?:#[^\r\n]*)?\r?\n)*(?:[ \t]*#[^\r\n]*)?")
_YAML_COMMENT = regex(r"(?:^|(?<=\s))#[^\r\n]*", re.MULTILINE)
_BEHIND_SPACE = regex(rb"(?:^|(?<=\s))#[^\r\n]*", re.MULTILINE)


class Comment(NamedTuple):
    """A comment. `span` is all of it with its marks, in JSX with the braces around; `text` is what it says."""

    span: Span
    text: Span


class Remarks(NamedTuple):
    """The comments of a file in text order.

    `joined` are pieces of code that run over line ends between which no comment can stand. `code` is everything else,
    piece by piece: equal for two files that differ in comments and white space alone.
    """

    comments: tuple[Comment, ...]
    joined: tuple[Span, ...]
    code: tuple[bytes, ...]


_LARGE = 1 << 16
"""Bytes. The comments of such a file are asked for again and again when it is mended, and take a second to find."""
_recent: deque[tuple[SourceFile, Remarks]] = deque(maxlen=2)
"""What was found in large files just now."""


def read(source: SourceFile) -> Remarks:
    """The comments of a file of any kind that corslint reads; JSON and TOML are taken to have none."""
    if len(source.data) < _LARGE:
        return _read(source)
    for known, remarks in tuple(_recent):
        if known.path == source.path and known.data == source.data:
            return remarks
    found = _read(source)
    _recent.append((source, found))
    return found


def _read(source: SourceFile) -> Remarks:
    kind = kind_by_content(source.path, source.data) or kind_of(source.path)
    data = source.data
    if kind == "python":
        from corslint.parsers import python

        root = python.root(data)
        return _of_trees(source, [root] if root is not None else [])
    if kind in ("javascript", "typescript", "tsx"):
        from corslint.parsers import javascript

        return _of_trees(source, javascript.roots(source, data, [javascript.Part(0, len(data), kind)]))
    if kind == "html":
        return _of_page(source)
    if kind == "component":
        return _of_component(source)
    if kind == "nginx":
        from corslint.parsers import nginx

        return _of_configurations(source, [(0, len(data), *nginx.lexed(data, "file"))], ())
    if kind in ("shell", "dockerfile", "markdown"):
        return _of_host(source, markdown=kind == "markdown", dockerfile=kind == "dockerfile")
    if kind in ("compose", "kubernetes"):
        return _of_yaml(source)
    if kind in ("procfile", "environment"):
        return _made(source, [found.span(1) for found in _OWN_LINE.finditer(data)], (), data)
    if source.path.endswith(".txt"):
        return _made(source, [found.span() for found in _BEHIND_SPACE.finditer(data)], (), data)
    return Remarks((), (), (data,))


# --- code ------------------------------------------------------------------------------------------------------------


def _of_trees(source: SourceFile, roots: Iterable[Node]) -> Remarks:
    comments: list[Comment] = []
    joined: list[Span] = []
    code: list[bytes] = []
    for root in roots:
        _collect(source, root, comments, joined, code)
    return Remarks(tuple(sorted(comments)), tuple(joined), tuple(code))


def _collect(source: SourceFile, root: Node, comments: list[Comment], joined: list[Span], code: list[bytes]) -> None:
    """Sorts one tree. White space between its leaves is no code; anything else is."""
    data = source.data
    at = root.start_byte
    for node, inside in _nodes(root):
        if node.type in _TEXTS and node.start_point[0] != node.end_point[0]:
            joined.append(Span(source.path, node.start_byte, node.end_byte))
        if inside:
            continue
        _note(code, data[at : node.start_byte])
        at = max(at, node.end_byte)
        if node.type in _COMMENTS or _is_remark(node):
            comment = node if node.type in _COMMENTS else node.named_children[0]
            outer = Span(source.path, node.start_byte, node.end_byte)
            comments.append(Comment(outer, _said(source, comment.start_byte, comment.end_byte)))
        elif node.type == "jsx_text":
            _note(code, b"\n".join(filter(None, map(bytes.strip, data[node.start_byte : at].splitlines()))))
        elif node.type != "line_continuation":
            _note(code, data[node.start_byte : at])
    _note(code, data[at : root.end_byte])


def _note(code: list[bytes], piece: bytes) -> None:
    if piece.strip():
        code.append(piece.strip())


def _nodes(root: Node) -> Iterator[tuple[Node, bool]]:
    """The nodes of a tree in text order, and whether more are inside of them."""
    cursor = root.walk()
    while True:
        node = cursor.node
        if node is None:
            return
        leaf = node.type in _COMMENTS or _is_remark(node) or not cursor.goto_first_child()
        yield node, not leaf
        if not leaf:
            continue
        while not cursor.goto_next_sibling():
            if not cursor.goto_parent():
                return


def _is_remark(node: Node) -> bool:
    """Whether it is the JSX expression `{/* ... */}`, which stands for nothing."""
    return (
        node.type == "jsx_expression"
        and node.named_child_count == 1
        and node.child_count == 3
        and node.named_children[0].type == "comment"
        and node.named_children[0].start_point[0] == node.start_point[0]
    )


def _said(source: SourceFile, start: int, end: int) -> Span:
    """A comment without its marks."""
    data = source.data
    for opening, closing in ((b"/*", b"*/"), (b"<!--", b"-->"), (b"//", b""), (b"#", b"")):
        if data.startswith(opening, start):
            stop = end - len(closing) if closing and data.endswith(closing, start + len(opening), end) else end
            return Span(source.path, start + len(opening), stop)
    return Span(source.path, start, end)


def _of_page(source: SourceFile) -> Remarks:
    from corslint.parsers import html

    markup, masked, parts = html.prepared(source)
    return _of_markup(source, markup, masked, parts)


def _of_component(source: SourceFile) -> Remarks:
    from corslint.parsers import components

    return _of_markup(source, source.data, source.data, components.parts(source))


def _of_markup(source: SourceFile, markup: bytes, masked: bytes, parts: list[Part]) -> Remarks:
    from corslint.parsers import javascript

    inside = _of_trees(SourceFile(source.path, masked), javascript.roots(source, masked, parts))
    scripts = [(part.start, part.end) for part in parts]
    marked = [span for span in _in_markup(markup) if not _meets(span, scripts)]
    outside = _made(source, marked, scripts, source.data)
    comments = tuple(sorted((*inside.comments, *outside.comments)))
    return Remarks(comments, inside.joined, (*inside.code, *outside.code))


def _in_markup(data: bytes) -> list[tuple[int, int]]:
    """Comments of HTML, which stand neither in tags nor in the code of a component's template."""
    spans = []
    at = 0
    while found := _MARKUP.search(data, at):
        at = found.end()
        if found.group() == b"<!--":
            end = data.find(b"-->", at - 2)  # `<!-->` is a comment of its own
            if end < 0:
                break
            at = end + 3
            spans.append((found.start(), at))
    return spans


def _meets(span: tuple[int, int], others: Iterable[tuple[int, int]]) -> bool:
    return any(start < span[1] and span[0] < end for start, end in others)


# --- configurations --------------------------------------------------------------------------------------------------


_Lexed = tuple[int, int, "list[tuple[int, int]]", "list[tuple[int, int]]"]
"""A configuration: where it stands, and where in it its words and its comments do."""


def _of_configurations(source: SourceFile, parts: Iterable[_Lexed], more: Iterable[tuple[int, int]]) -> Remarks:
    """`more` are comments outside of the configurations."""
    spans = list(more)
    joined: list[Span] = []
    code: list[bytes] = []
    places: list[tuple[int, int]] = []
    for start, end, words, comments in parts:
        places.append((start, end))
        spans += [(start + one, start + other) for one, other in comments]
        for one, other in words:
            word = source.data[start + one : start + other]
            code.append(word)
            if b"\n" in word:
                joined.append(Span(source.path, start + one, start + other))
    made = _made(source, spans, (), source.data)
    rest = _made(source, list(more), places, source.data)
    return Remarks(made.comments, tuple(joined), (*code, *rest.code))


def _of_host(source: SourceFile, *, markdown: bool, dockerfile: bool) -> Remarks:
    """Configurations in another file: their comments, and those of the file that are surely some."""
    from corslint.parsers import embedded, nginx

    data = source.data
    places = embedded.places(data, markdown=markdown)
    parts = [(start, end, *nginx.lexed(data[start:end], flavour)) for start, end, flavour in places]
    inside = [(start, end) for start, end, _ in places]
    if markdown:
        own = _in_markup(data)
    else:
        header = _HEADER.match(data)
        bodies = [(one.start, one.end) for one in embedded.heredocs(data)] if dockerfile else []
        until = len(data) if dockerfile else header.end() if header is not None else 0
        own = [found.span(1) for found in _OWN_LINE.finditer(data, 0, until)]
        own = [span for span in own if not _meets(span, bodies) and not data.startswith(b"#!", span[0])]
    return _of_configurations(source, parts, [span for span in own if not _meets(span, inside)])


def _of_yaml(source: SourceFile) -> Remarks:
    import yaml

    data = source.data
    text = data.decode("utf-8", "surrogateescape")
    covered: list[tuple[int, int]] = []
    try:
        for token in yaml.scan(text, Loader=yaml.SafeLoader):
            if isinstance(token, yaml.ScalarToken):
                covered.append((token.start_mark.index, token.end_mark.index))  # noqa: PERF401  (up to an error)
    except (yaml.YAMLError, UnicodeError):
        return Remarks((), (), (data,))
    spans = []
    at = known = offset = 0
    waiting = deque(covered)
    while found := _YAML_COMMENT.search(text, at):
        while waiting and waiting[0][1] <= found.start():
            waiting.popleft()
        if waiting and waiting[0][0] <= found.start():
            at = waiting[0][1]
            continue
        at = found.end()
        offset += len(text[known : found.start()].encode("utf-8", "surrogateescape"))
        size = len(found.group().encode("utf-8", "surrogateescape"))
        spans.append((offset, offset + size))
        known, offset = at, offset + size
    return _made(source, spans, (), data)


def _made(
    source: SourceFile, spans: Iterable[tuple[int, int]], without: Iterable[tuple[int, int]], data: bytes
) -> Remarks:
    """Comments at `spans`; the code is what stands neither there nor in `without`, line by line."""
    ordered = sorted(set(spans))
    code: list[bytes] = []
    at = 0
    for start, end in sorted((*ordered, *without)):
        for line in data[at:start].splitlines():
            _note(code, line)
        at = max(at, end)
    for line in data[at:].splitlines():
        _note(code, line)
    comments = tuple(Comment(Span(source.path, *span), _said(source, *span)) for span in ordered)
    return Remarks(comments, (), tuple(code))
