"""Edits in Python, made by libcst and turned into text edits.

libcst is given only the top-level statement around the place, and only after `ast` has read it and its nesting and
length were found harmless: it crashes the process on deep nesting and is slow on long operator chains (measured with
1.9.0: a segmentation fault at 3,000 brackets, more than a minute for 20,000 operators).

libcst makes the edit on its tree; the text edit is kept only if Python reads both results as the same program.
"""

from __future__ import annotations

import ast
import keyword
import re
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Union

from corslint.editing import (
    HASH_GAP,
    Change,
    Code,
    Data,
    Items,
    Order,
    append_item,
    apply_changes,
    indent_unit,
    move_lines,
    newline,
    piece_of,
    quote_style,
    remove_item,
    remove_lines,
)
from corslint.records import NamedTuple
from corslint.regexes import regex
from corslint.source import SourceFile, Span

if TYPE_CHECKING:
    import libcst

_DEEPEST = 200
_LONGEST = 400_000
"""Bytes of one top-level statement that libcst is given at most (it reads some 0.14 MB a second)."""

_BOM = b"\xef\xbb\xbf"
_LINE = regex(rb"\r\n|\r|\n")
_COOKIE = regex(rb"^[ \t\f]*#.*?coding[:=][ \t]*([-\w.]+)")
_STRING = regex(r"(?s)([A-Za-z]*)('''|\"\"\"|'|\")(.*)\2\Z")


def edit(source: SourceFile, order: Order) -> tuple[Change, ...] | None:
    """The changes that carry out an order: none where the file already is as ordered, None where it can't be done."""
    verbs = {"delete": _delete, "replace": _replace, "rename_key": _rename_key, "set_option": _set_option}
    if order.verb == "move" and order.other is not None:
        return _move_statement(source.data, order, order.other)
    verbs["move"] = _move_to_front
    verb = verbs.get(order.verb)
    if verb is None:
        return None
    try:
        tree = _tree(source.data, order.span.start, order.span.end)
        if tree is None:
            return None
        planned = verb(tree, order)
        if planned is None:
            return None
        if planned.changes and not _same_program(tree, planned):
            return None
    except (SyntaxError, RecursionError, MemoryError):
        return None  # SyntaxError: libcst checks a changed node, too
    return tuple(Change(tree.offset + start, tree.offset + end, text) for start, end, text in planned.changes)


# --- reading ---


class _Planned(NamedTuple):
    changes: list[Change]
    expected: str
    """The statement as libcst writes it after its own edit."""


class _Tree:
    """One top-level statement as libcst sees it, with byte offsets relative to the statement's first line."""

    def __init__(self, data: bytes, offset: int, text: bytes) -> None:
        from libcst import parse_module
        from libcst.metadata import ByteSpanPositionProvider, MetadataWrapper, ParentNodeProvider

        self.data = data
        self.offset = offset
        self.text = text
        module = parse_module(text)
        if module.code.encode() != text:
            raise ValueError("libcst does not give back what it read")
        wrapper = MetadataWrapper(module, unsafe_skip_copy=True)
        self.module = wrapper.module
        self._positions = wrapper.resolve(ByteSpanPositionProvider)
        self._parents = wrapper.resolve(ParentNodeProvider)

    def span(self, node: libcst.CSTNode) -> tuple[int, int]:
        """The node's byte offsets in the statement."""
        position = self._positions[node]
        return position.start, position.start + position.length

    def parent(self, node: libcst.CSTNode) -> libcst.CSTNode | None:
        """The node that holds this one."""
        return self._parents.get(node)

    def at(self, start: int, end: int) -> list[libcst.CSTNode]:
        """The nodes with exactly this span of the file, outermost first; parentheses around it count for nothing."""
        start, end = start - self.offset, end - self.offset
        while True:
            found = [
                node
                for node, place in self._positions.items()
                if (place.start, place.start + place.length) == (start, end)
            ]
            if found or self.text[start : start + 1] != b"(" or self.text[end - 1 : end] != b")":
                return sorted(found, key=self._depth)
            inner = self.text[start + 1 : end - 1]
            start, end = end - 1 - len(inner.lstrip()), start + 1 + len(inner.rstrip())

    def _depth(self, node: libcst.CSTNode) -> int:
        depth = 0
        parent = self.parent(node)
        while parent is not None:
            depth += 1
            parent = self.parent(parent)
        return depth

    def without(self, node: libcst.CSTNode) -> str:
        """The statement without a node."""
        return _code(self.module.deep_remove(node))

    def having(self, old: libcst.CSTNode, new: libcst.CSTNode) -> str:
        """The statement with a node replaced."""
        return _code(self.module.deep_replace(old, new))


def _code(module: object) -> str:
    import libcst

    if not isinstance(module, libcst.Module):
        raise TypeError("an edit inside a module gives a module")
    return module.code


@lru_cache(maxsize=8)
def _tree(data: bytes, start: int, end: int) -> _Tree | None:
    """The statement around a span, or None where it is not safe or not possible to read it."""
    from libcst import ParserSyntaxError

    bounds = _statement(data, start, end)
    if bounds is None:
        return None
    text = data[bounds[0] : bounds[1]]
    if len(text) > _LONGEST:
        return None
    try:
        return _Tree(data, bounds[0], text)
    except (ParserSyntaxError, ValueError, UnicodeDecodeError):
        return None


def _statement(data: bytes, start: int, end: int) -> tuple[int, int] | None:
    """The byte offsets of the whole lines of the top-level statements that a span lies in."""
    body = _module(data)
    if body is None:
        return None
    shift = len(_BOM) if data.startswith(_BOM) else 0
    lines = [shift, *(match.end() for match in _LINE.finditer(data))]
    lines.append(len(data) + 1)
    begin, finish = None, 0
    for statement in body.body:
        decorators = getattr(statement, "decorator_list", [])
        first = min([statement.lineno, *(decorator.lineno for decorator in decorators)])
        low, high = lines[first - 1], min(lines[min(statement.end_lineno or first, len(lines) - 1)], len(data))
        if low < end and start < high:
            begin = low if begin is None else min(begin, low)
            finish = max(finish, high)
    if begin is None or not (begin <= start and end <= finish):
        return None
    return begin, finish


@lru_cache(maxsize=4)
def _module(data: bytes) -> ast.Module | None:
    """The file as `ast` reads it; None where it doesn't parse, isn't UTF-8, or is nested too deeply for libcst."""
    text = data.removeprefix(_BOM)
    for line in text.split(b"\n", 2)[:2]:
        cookie = _COOKIE.match(line)
        if cookie and cookie.group(1).lower().replace(b"_", b"-") not in (b"utf-8", b"utf8", b"ascii", b"us-ascii"):
            return None
    depth = deepest = 0
    for bracket in re.finditer(rb"[(\[{]|[)\]}]", text):
        depth = depth + 1 if bracket.group() in b"([{" else max(depth - 1, 0)
        deepest = max(deepest, depth)
    if deepest > _DEEPEST:
        return None
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    pending: list[tuple[ast.AST, int]] = [(tree, 0)]
    while pending:
        node, level = pending.pop()
        if level > _DEEPEST:
            return None
        # `a or b or c` is one node here, and one inside of the other for libcst.
        deeper = len(node.values) if isinstance(node, ast.BoolOp) else 1
        pending += [(child, level + deeper) for child in ast.iter_child_nodes(node)]
    return tree


def _same_program(tree: _Tree, planned: _Planned) -> bool:
    """Whether the text edits give the program that libcst gives, and the file still parses as a whole."""
    text = apply_changes(tree.text, planned.changes)
    whole = tree.data[: tree.offset] + text + tree.data[tree.offset + len(tree.text) :]
    try:
        same = ast.dump(ast.parse(text)) == ast.dump(ast.parse(planned.expected))
        ast.parse(whole.removeprefix(_BOM))
    except (SyntaxError, ValueError):
        return False
    return same


# --- lists ---


_Holder = Union["libcst.Call", "libcst.Dict", "libcst.List", "libcst.Set", "libcst.Tuple"]


def _items(tree: _Tree, holder: _Holder) -> tuple[Items, Sequence[libcst.CSTNode]]:
    """The offsets and nodes of a bracketed list's items."""
    import libcst

    nodes: Sequence[libcst.CSTNode]
    if isinstance(holder, libcst.Call):
        nodes = holder.args
        start = tree.span(holder.func)[1]
        for paren in holder.func.rpar:
            start = max(start, tree.span(paren)[1])
        start = tree.text.index(b"(", start) + 1
        close = tree.span(holder)[1] - 1
    else:
        nodes = holder.elements
        start, close = tree.span(holder)
        if not isinstance(holder, libcst.Tuple):
            start, close = start + 1, close - 1
        elif holder.lpar:
            start, close = tree.span(holder.lpar[-1])[1], tree.span(holder.rpar[0])[0]
    return Items(start, close, tuple(tree.span(node) for node in nodes)), nodes


def _append(tree: _Tree, holder: _Holder, text: str) -> list[Change] | None:
    unit = indent_unit(tree.data, b"    ")
    return append_item(tree.text, _items(tree, holder)[0], text.encode(), HASH_GAP, padding=b"", unit=unit)


def _quote(tree: _Tree, node: libcst.CSTNode) -> str:
    start, end = tree.span(node)
    return quote_style(tree.data, tree.offset + start, tree.offset + end, '"')


# --- delete ---


def _delete(tree: _Tree, order: Order) -> _Planned | None:
    import libcst

    for node in tree.at(order.span.start, order.span.end):
        item: libcst.CSTNode = node
        parent = tree.parent(item)
        if isinstance(parent, (libcst.Arg, libcst.DictElement, libcst.Element, libcst.StarredDictElement)):
            item, parent = parent, tree.parent(parent)
        if isinstance(item, (libcst.Arg, libcst.BaseDictElement, libcst.BaseElement)):
            if not isinstance(parent, (libcst.Call, libcst.Dict, libcst.List, libcst.Set, libcst.Tuple)):
                return None
            items, nodes = _items(tree, parent)
            index = [id(other) for other in nodes].index(id(item))
            keep = isinstance(parent, libcst.Tuple) and len(nodes) == 2
            changes = remove_item(tree.text, items, index, HASH_GAP, keep_comma=keep)
            return None if changes is None else _Planned(changes, tree.without(item))
        statement = _own_statement(tree, item)
        if statement is not None:
            start, end = tree.span(statement)
            return _Planned([remove_lines(tree.text, start, end, b"#")], tree.without(statement))
    return None


def _own_statement(tree: _Tree, node: libcst.CSTNode) -> libcst.SimpleStatementLine | None:
    """The line that is nothing but this call, or the assignment of this value, where it may go."""
    import libcst

    small: libcst.CSTNode | None = node
    if isinstance(node, libcst.SimpleStatementLine):
        small = node.body[0]
    while isinstance(small, (libcst.BaseExpression, libcst.AssignTarget)):
        above = tree.parent(small)
        if isinstance(above, (libcst.AssignTarget, libcst.Await, libcst.Assign, libcst.AnnAssign, libcst.Expr)):
            small = above
        else:
            return None
    if isinstance(small, libcst.Assign):
        if len(small.targets) != 1 or not _droppable(tree, small.targets[0].target):
            return None
    elif isinstance(small, libcst.AnnAssign):
        if not _droppable(tree, small.target):
            return None
    elif not (isinstance(small, libcst.Expr) and isinstance(small.value, (libcst.Call, libcst.Await))):
        return None
    line = tree.parent(small)
    if not isinstance(line, libcst.SimpleStatementLine) or len(line.body) != 1:
        return None
    block = tree.parent(line)
    if isinstance(block, libcst.Module):
        return line
    return line if isinstance(block, libcst.IndentedBlock) and len(block.body) > 1 else None


def _droppable(tree: _Tree, target: libcst.CSTNode) -> bool:
    """Whether an assignment's target may go: a member, an item, or a name that nothing else in this file mentions."""
    import libcst

    if not isinstance(target, libcst.Name):
        return isinstance(target, (libcst.Attribute, libcst.Subscript))
    return _uses(tree.data, target.value) == 1


def _uses(data: bytes, name: str) -> int:
    """How often a file names a variable (also in `global` statements and as text, as `__all__` does)."""
    module = _module(data)
    if module is None:
        return -1
    count = 0
    for node in ast.walk(module):
        if isinstance(node, ast.Name):
            count += node.id == name
        elif isinstance(node, (ast.Global, ast.Nonlocal)):
            count += node.names.count(name)
        elif isinstance(node, ast.Constant):
            count += node.value == name
    return count


# --- move ---


def _move_to_front(tree: _Tree, order: Order) -> _Planned | None:
    """Make an item the first of its list."""
    import libcst

    for node in tree.at(order.span.start, order.span.end):
        item = tree.parent(node)
        holder = tree.parent(item) if isinstance(item, libcst.Element) else None
        if item is None or not isinstance(holder, (libcst.List, libcst.Tuple)):
            continue
        items, nodes = _items(tree, holder)
        index = [id(other) for other in nodes].index(id(item))
        if index == 0 or any(not isinstance(other, libcst.Element) for other in holder.elements):
            return None
        removed = remove_item(tree.text, items, index, HASH_GAP)
        if removed is None:
            return None
        first, (start, end) = items.spans[0][0], items.spans[index]
        before = tree.text[: items.spans[0][0]].rpartition(b"\n")[2]
        gap = b" " if before.strip() else newline(tree.text, first) + before
        moved = [holder.elements[index], *holder.elements[:index], *holder.elements[index + 1 :]]
        commas = [element.with_changes(comma=libcst.MaybeSentinel.DEFAULT) for element in moved]
        changes = [Change(first, first, tree.text[start:end] + b"," + gap), *removed]
        return _Planned(changes, tree.having(holder, holder.with_changes(elements=commas)))
    return None


def _move_statement(data: bytes, order: Order, other: Span) -> tuple[Change, ...] | None:
    """Put the statement that is nothing but this call behind another one of its block, further down.

    Whole lines move, so `ast` is all that this takes. None where a statement between them sets a name that it uses.
    """
    module = _module(data)
    if module is None:
        return None
    lines = _line_offsets(data)
    for block in _blocks(module):
        spans = [_lines_of(statement, lines, len(data)) for statement in block]
        at, behind = (
            next((number for number, (low, high) in enumerate(spans) if low <= span.start and span.end <= high), None)
            for span in (order.span, other)
        )
        if at is None or behind is None or at == behind:
            continue
        moved = block[at]
        if behind < at or not isinstance(moved, ast.Expr) or not isinstance(moved.value, ast.Call):
            return None
        if any(low < high_before for (low, _), (_, high_before) in zip(spans[1:], spans, strict=False)):
            return None  # several on one line
        used = {node.id for node in ast.walk(moved) if isinstance(node, ast.Name)}
        if any(used & _set_by(statement) for statement in block[at + 1 : behind + 1]):
            return None
        end = lines[(block[behind].end_lineno or 1) - 1] + (block[behind].end_col_offset or 0)
        stop = lines[(moved.end_lineno or 1) - 1] + (moved.end_col_offset or 0)
        changes = move_lines(data, lines[moved.lineno - 1] + moved.col_offset, stop, end)
        block.insert(behind, block.pop(at))
        expected = ast.dump(module)
        _module.cache_clear()  # its tree was changed
        if changes is None:
            return None
        try:
            same = ast.dump(ast.parse(apply_changes(data, changes).removeprefix(_BOM))) == expected
        except (SyntaxError, ValueError):
            return None
        return tuple(changes) if same else None
    return None


def _line_offsets(data: bytes) -> list[int]:
    shift = len(_BOM) if data.startswith(_BOM) else 0
    return [shift, *(match.end() for match in _LINE.finditer(data))]


def _blocks(module: ast.Module) -> Iterator[list[ast.stmt]]:
    """The lists of statements in a file, the inner ones first."""
    found = [module.body]
    for node in ast.walk(module):
        for name in ("body", "orelse", "finalbody"):
            block = getattr(node, name, None)
            if isinstance(block, list) and node is not module and block:
                found.append(block)
    return reversed(found)


def _lines_of(statement: ast.stmt, lines: list[int], size: int) -> tuple[int, int]:
    """The offsets of a statement's whole lines, with its decorators."""
    first = min([statement.lineno, *(one.lineno for one in getattr(statement, "decorator_list", []))])
    last = statement.end_lineno or first
    return lines[first - 1], lines[last] if last < len(lines) else size


def _set_by(statement: ast.stmt) -> set[str]:
    """The names that a statement may set, as far as they are written in it."""
    found = {node.id for node in ast.walk(statement) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
    found |= {node.id for node in ast.walk(statement) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Del)}
    named = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    found |= {node.name for node in ast.walk(statement) if isinstance(node, named)}
    return found | {
        alias.asname or alias.name
        for node in ast.walk(statement)
        if isinstance(node, (ast.Import, ast.ImportFrom))
        for alias in node.names
    }


# --- replace ---


def _replace(tree: _Tree, order: Order) -> _Planned | None:
    import libcst

    found = [node for node in tree.at(order.span.start, order.span.end) if isinstance(node, libcst.BaseExpression)]
    if not found:
        return _replace_inside(tree, order)
    node = found[0]
    if isinstance(node, libcst.SimpleString) and isinstance(order.new, str):
        text = _new_string(node.value, order.new, order.was)
        if text is None:
            return None
        return _replaced(tree, node, text)
    if isinstance(node, (libcst.ConcatenatedString, libcst.FormattedString)) and order.was is not None:
        return None
    new = Code(order.new) if isinstance(order.new, str) else order.new
    text = spelled(new, _quote(tree, tree.parent(node) or node))
    if text is None:
        return None
    return _replaced(tree, node, text) if _replaceable(tree, node, new) else None


def _replaceable(tree: _Tree, node: libcst.BaseExpression, new: Data | Code) -> bool:
    """Whether a new expression may stand where a node stands, without parentheses of its own."""
    import libcst

    parent = tree.parent(node)
    dotted = isinstance(new, Code) and all(_is_name(part) for part in new.text.split("."))
    if isinstance(parent, (libcst.Attribute, libcst.Subscript)):
        return dotted and parent.value is node
    if isinstance(parent, libcst.Call):
        return dotted and parent.func is node
    if isinstance(parent, (libcst.Expr, libcst.Await)):
        return dotted
    slots = (libcst.Arg, libcst.DictElement, libcst.Element, libcst.Assign, libcst.AnnAssign, libcst.Return)
    if isinstance(parent, slots):
        # An argument's keyword, a dictionary's key and an annotation are no values.
        return isinstance(parent, libcst.Return) or parent.value is node
    if isinstance(parent, (libcst.BinaryOperation, libcst.BooleanOperation, libcst.Comparison, libcst.UnaryOperation)):
        return dotted or bool(node.lpar) or not isinstance(new, Code) or _is_primary(new.text)
    if isinstance(parent, (libcst.IfExp, libcst.ComparisonTarget)):
        return dotted or bool(node.lpar) or not isinstance(new, Code)
    return False


def _is_primary(text: str) -> bool:
    """Whether an expression holds together beside any operator: a call, or what stands in brackets."""
    import libcst

    new = _expression(text)
    return isinstance(new, (libcst.Call, libcst.List, libcst.Attribute)) or bool(new is not None and new.lpar)


def _replaced(tree: _Tree, node: libcst.BaseExpression, text: str) -> _Planned | None:
    new = _expression(text)
    if new is None:
        return None
    start, end = tree.span(node)
    if tree.text[start:end] == text.encode():
        return _Planned([], "")
    if node.lpar:
        new = new.with_changes(lpar=[*node.lpar, *new.lpar], rpar=[*new.rpar, *node.rpar])
    return _Planned([_trimmed(tree.text, Change(start, end, text.encode()))], tree.having(node, new))


def _expression(text: str) -> libcst.BaseExpression | None:
    """The one expression that a text is, if it keeps together beside commas."""
    import libcst

    try:
        parsed = libcst.parse_expression(text)
    except libcst.ParserSyntaxError:
        return None
    loose = isinstance(parsed, (libcst.Tuple, libcst.Yield, libcst.NamedExpr)) and not parsed.lpar
    return None if loose else parsed


def _trimmed(data: bytes, change: Change) -> Change:
    """The same change without the quotes or other text that it has in common with what it replaces."""
    old, new = data[change.start : change.end], change.text
    opening = re.match(rb"[A-Za-z]*('''|\"\"\"|'|\")", old)
    if opening is None or not new.startswith(opening.group()) or not new.endswith(opening.group(1)):
        return change
    head, tail = len(opening.group()), len(opening.group(1))
    if len(old) < head + tail or len(new) < head + tail:
        return change
    return Change(change.start + head, change.end - tail, new[head : len(new) - tail])


def _replace_inside(tree: _Tree, order: Order) -> _Planned | None:
    """Replace a part of a string literal."""
    import libcst

    if not isinstance(order.new, str):
        return None
    start, end = order.span.start - tree.offset, order.span.end - tree.offset
    for node, place in tree._positions.items():
        if isinstance(node, libcst.SimpleString) and place.start < start and end < place.start + place.length:
            match = _STRING.match(node.value)
            new = None if match is None else escaped(order.new, match.group(1), match.group(2))
            if match is None or new is None:
                return None
            head = len((match.group(1) + match.group(2)).encode())
            raw = match.group(3).encode()
            low, high = start - place.start - head, end - place.start - head
            if low < 0 or high > len(raw):
                return None
            text = (raw[:low] + new.encode() + raw[high:]).decode("utf-8", "replace")
            value = match.group(1) + match.group(2) + text + match.group(2)
            changes = [] if raw[low:high] == new.encode() else [Change(start, end, new.encode())]
            return _Planned(changes, tree.having(node, node.with_changes(value=value)))
    return None


def _new_string(literal: str, new: str, was: str | None) -> str | None:
    """A string literal with new text and its old prefix and quotes."""
    match = _STRING.match(literal)
    if match is None:
        return None
    prefix, quote, raw = match.groups()
    if "b" in prefix.lower():
        return None
    try:
        value = ast.literal_eval(literal)
    except (SyntaxError, ValueError):
        return None
    part = piece_of(value, was)
    if part is None:
        return None
    if part != (0, len(value)):
        if value != raw:
            return None
        text = escaped(new, prefix, quote)
        return None if text is None else f"{prefix}{quote}{raw[: part[0]]}{text}{raw[part[1] :]}{quote}"
    text = escaped(new, prefix, quote)
    if text is None:
        return None
    return literal if value == new else f"{prefix}{quote}{text}{quote}"


# --- rename_key ---


def _rename_key(tree: _Tree, order: Order) -> _Planned | None:
    import libcst

    for node in tree.at(order.span.start, order.span.end):
        parent = tree.parent(node)
        if isinstance(node, libcst.Arg):
            return _rename_keyword(tree, node, order.name)
        if isinstance(parent, libcst.Arg) and parent.keyword is node:
            return _rename_keyword(tree, parent, order.name)
        if isinstance(node, libcst.DictElement):
            return _rename_entry(tree, node, order.name)
        if isinstance(parent, libcst.DictElement) and parent.key is node:
            return _rename_entry(tree, parent, order.name)
        target = node.targets[0] if isinstance(node, libcst.Assign) and len(node.targets) == 1 else parent
        if isinstance(node, libcst.AssignTarget):
            target = node
        if isinstance(target, libcst.AssignTarget):
            return _rename_target(tree, target.target, order.name)
        if isinstance(parent, libcst.AnnAssign) and parent.target is node:
            return _rename_target(tree, node, order.name)
        if isinstance(parent, libcst.Attribute) and parent.attr is node:
            return _renamed(tree, node, order.name)
    return None


def _is_name(text: str) -> bool:
    return text.isidentifier() and not keyword.iskeyword(text)


def _renamed(tree: _Tree, name: libcst.CSTNode, new: str) -> _Planned | None:
    import libcst

    if not isinstance(name, libcst.Name) or not _is_name(new):
        return None
    start, end = tree.span(name)
    changes = [] if name.value == new else [Change(start, end, new.encode())]
    return _Planned(changes, tree.having(name, name.with_changes(value=new)))


def _rename_keyword(tree: _Tree, argument: libcst.Arg, new: str) -> _Planned | None:
    import libcst

    call = tree.parent(argument)
    if argument.keyword is None or not isinstance(call, libcst.Call):
        return None
    if any(other.keyword is not None and other.keyword.value == new for other in call.args if other is not argument):
        return None
    return _renamed(tree, argument.keyword, new)


def _rename_entry(tree: _Tree, entry: libcst.DictElement, new: str) -> _Planned | None:
    import libcst

    holder = tree.parent(entry)
    if not isinstance(holder, libcst.Dict) or not isinstance(entry.key, libcst.SimpleString) or not new:
        return None
    if any(
        _text(other.key) == new
        for other in holder.elements
        if isinstance(other, libcst.DictElement) and other is not entry
    ):
        return None
    text = _new_string(entry.key.value, new, None)
    return None if text is None else _replaced(tree, entry.key, text)


def _rename_target(tree: _Tree, target: libcst.CSTNode, new: str) -> _Planned | None:
    """Rename what an assignment sets: a module's setting that nothing else in the file reads, or a member."""
    import libcst

    if isinstance(target, libcst.Attribute):
        return _renamed(tree, target.attr, new)
    if not isinstance(target, libcst.Name) or _uses(tree.data, target.value) != 1 or _uses(tree.data, new) != 0:
        return None
    return _renamed(tree, target, new)


# --- set_option ---


def _set_option(tree: _Tree, order: Order) -> _Planned | None:
    import libcst

    for node in tree.at(order.span.start, order.span.end):
        target: libcst.CSTNode = node.value if isinstance(node, libcst.Expr) else node
        target = target.expression if isinstance(target, libcst.Await) else target
        if isinstance(target, (libcst.Call, libcst.Dict)):
            return _set_in(tree, target, order.key, order.new)
    return None


def _set_in(tree: _Tree, holder: libcst.Call | libcst.Dict, key: tuple[str, ...], new: Data | Code) -> _Planned | None:
    import libcst

    while True:
        value, blurred = _lookup(holder, key[0])
        if blurred:
            return None
        if value is None:
            break
        if len(key) == 1:
            return _set_value(tree, value, new)
        if not isinstance(value, libcst.Dict) and not _is_dict_call(value):
            return None
        holder, key = value, key[1:]  # type: ignore[assignment]
    quote = _quote(tree, holder)
    text: str | None = spelled(new, quote)
    if text is None:
        return None
    for name in reversed(key[1:]):
        text = f"{{{quote}{escaped(name, '', quote)}{quote}: {text}}}"
    added: libcst.CSTNode
    parsed = _expression(text)
    if parsed is None:
        return None
    if isinstance(holder, libcst.Call):
        if not _is_name(key[0]):
            return None
        text = f"{key[0]}={text}"
        added = holder.with_changes(args=[*holder.args, libcst.Arg(parsed, keyword=libcst.Name(key[0]))])
    else:
        label = f"{quote}{escaped(key[0], '', quote)}{quote}"
        text = f"{label}: {text}"
        added = holder.with_changes(elements=[*holder.elements, libcst.DictElement(libcst.SimpleString(label), parsed)])
    changes = _append(tree, holder, text)
    return None if changes is None else _Planned(changes, tree.having(holder, added))


def _is_dict_call(node: libcst.BaseExpression) -> bool:
    import libcst

    return (
        isinstance(node, libcst.Call)
        and isinstance(node.func, libcst.Name)
        and node.func.value == "dict"
        and all(argument.keyword is not None or argument.star == "**" for argument in node.args)
    )


def _lookup(holder: libcst.Call | libcst.Dict, key: str) -> tuple[libcst.BaseExpression | None, bool]:
    """The value under a key, and whether something else might give the same key."""
    import libcst

    value: libcst.BaseExpression | None = None
    blurred = False
    if isinstance(holder, libcst.Call):
        for argument in holder.args:
            if argument.keyword is not None and argument.keyword.value == key:
                value = argument.value
            blurred = blurred or argument.star == "**"
        return value, blurred and value is None
    for element in holder.elements:
        if not isinstance(element, libcst.DictElement):
            blurred = value is not None
        elif _text(element.key) == key:
            value, blurred = element.value, False
        elif not isinstance(element.key, (libcst.SimpleString, libcst.Integer)):
            blurred = value is not None
    return value, blurred


def _text(node: libcst.BaseExpression) -> str | None:
    import libcst

    if not isinstance(node, libcst.SimpleString):
        return None
    try:
        value = ast.literal_eval(node.value)
    except (SyntaxError, ValueError):
        return None
    return value if isinstance(value, str) else None


def _set_value(tree: _Tree, value: libcst.BaseExpression, new: Data | Code) -> _Planned | None:
    import libcst

    if isinstance(new, str) and isinstance(value, libcst.SimpleString):
        text = _new_string(value.value, new, None)
    else:
        text = spelled(new, _quote(tree, tree.parent(value) or value))
    return None if text is None else _replaced(tree, value, text)


# --- text ---


def spelled(new: Data | Code, quote: str) -> str | None:
    """A value as Python source; None for what has no literal there."""
    if isinstance(new, Code):
        return new.text or None
    if new is None or isinstance(new, bool):
        return repr(new)
    if isinstance(new, (int, float)):
        return repr(new) if abs(new) < 1e300 else None
    if isinstance(new, str):
        text = escaped(new, "", quote)
        return None if text is None else quote + text + quote
    if isinstance(new, Mapping):
        entries = []
        for key, value in new.items():
            text, name = spelled(value, quote), spelled(str(key), quote)
            if text is None or name is None:
                return None
            entries.append(f"{name}: {text}")
        return f"{{{', '.join(entries)}}}"
    items = [spelled(value, quote) for value in new]
    return None if None in items else f"[{', '.join(item for item in items if item is not None)}]"


def escaped(text: str, prefix: str, quote: str) -> str | None:
    """Text as it stands between such quotes in Python; None where a raw string can't hold it."""
    if "r" in prefix.lower():
        return None if quote[0] in text or "\n" in text or "\r" in text or text.endswith("\\") else text
    pieces = []
    for character in text:
        if character in ("\\", quote[0]):
            pieces.append("\\" + character)
        elif character == "\n":
            pieces.append("\\n")
        elif character == "\r":
            pieces.append("\\r")
        elif character < " " and character not in "\t\n":
            pieces.append(f"\\x{ord(character):02x}")
        else:
            pieces.append(character)
    return "".join(pieces)
