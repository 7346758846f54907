"""Edits in JavaScript, TypeScript and the scripts of HTML pages, placed by tree-sitter.

Every edit is parsed again: it is given up where the tree outside the edited list changed, or where anything that parsed
before no longer does.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

from corslint.editing import (
    C_GAP,
    Change,
    Code,
    Data,
    Items,
    Order,
    append_item,
    apply_changes,
    indent_unit,
    move_lines,
    piece_of,
    quote_style,
    remove_item,
    remove_lines,
)
from corslint.parsers import components, kind_of
from corslint.parsers.grammars import deadline, grammar, parsed
from corslint.regexes import regex
from corslint.source import SourceFile

if TYPE_CHECKING:
    from tree_sitter import Node, Tree

_WRAPPERS = frozenset(
    {"parenthesized_expression", "as_expression", "satisfies_expression", "non_null_expression", "type_assertion"}
)
_LISTS = frozenset({"object", "array", "arguments"})
_BLOCKS = frozenset({"program", "statement_block"})
_EXPRESSIONS = frozenset(
    {
        "identifier", "undefined", "this", "string", "template_string", "number", "true", "false", "null", "regex",
        "object", "array", "member_expression", "subscript_expression", "call_expression", "new_expression",
        "arrow_function", "function_expression", "binary_expression", "ternary_expression", "unary_expression",
        "await_expression", *_WRAPPERS,
    }
)  # fmt: skip
"""What `replace` may put another expression in the place of."""

_BASES = frozenset(
    {
        ("member_expression", "object"),
        ("subscript_expression", "object"),
        ("call_expression", "function"),
        ("new_expression", "constructor"),
    }
)
"""Places (node type and field) that take a name, or names with dots between them."""

_SLOTS = frozenset({("pair", "value"), ("variable_declarator", "value"), ("assignment_expression", "right")})
_WHOLE = frozenset({"return_statement", "parenthesized_expression", "spread_element", "template_substitution"})
_OPERATIONS = frozenset(
    {"binary_expression", "ternary_expression", "unary_expression", "as_expression", "satisfies_expression"}
)
_PRIMARIES = frozenset({"call_expression", "member_expression", "regex", "array", "string", "parenthesized_expression"})
_TEXT = regex(rb"[^\r\n]")
# Bounded: where no tag ends, each of thousands would be looked for up to the end of the file.
_TAG = regex(rb"<script\b([^>]{0,2000})>(.*?)(?:</script|\Z)", re.IGNORECASE | re.DOTALL)
_TYPESCRIPT = regex(rb"\blang\s*=\s*[\"']?(tsx?)\b")
_IDENTIFIER = regex(r"[A-Za-z_$][\w$]*\Z")
_ESCAPE = regex(
    r"\\(?:u\{([0-9a-fA-F]{1,6})\}|u([0-9a-fA-F]{4})|x([0-9a-fA-F]{2})|(\r\n|[\s\S]))",
)
_NAMED_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", "b": "\b", "f": "\f", "v": "\v", "0": "\0"}


def edit(source: SourceFile, order: Order) -> tuple[Change, ...] | None:
    """The changes that carry out an order: none where the file already is as ordered, None where it can't be done.

    Raises TimeoutError where it takes too long to parse.
    """
    script = _script(source, order.span.start)
    if script is None:
        return None
    text, dialect = script
    tree = _parse(text, dialect)
    verbs = {"delete": _delete, "replace": _replace, "rename_key": _rename_key, "set_option": _set_option}
    verbs["move"] = _move
    verb = verbs.get(order.verb)
    node = _node_at(tree, order.span.start, order.span.end)
    if verb is None or node is None or not node.is_named or node.type == "comment":
        return None
    planned = verb(source.data, node, order)
    if planned is None:
        return None
    hole, changes = planned
    if order.verb == "move":
        return tuple(changes) if _moved_soundly(tree, text, dialect, hole, changes) else None
    if kind_of(source.path) in ("html", "component") and any(re.search(rb"</|<!--", change.text) for change in changes):
        return None  # it would end the script
    if changes and not _sound(tree, text, dialect, hole, changes):
        return None
    return tuple(changes)


_Plan = tuple["Node", list[Change]]
"""The smallest node that holds all changes, and the changes."""


def _script(source: SourceFile, at: int) -> tuple[bytes, str] | None:
    """The program text around an offset (all else blanked, offsets unchanged), and its dialect."""
    data, kind = source.data, kind_of(source.path)
    if kind == "component":
        for script in components.scripts(source):
            if script.start <= at <= script.end and script.dialect is not None:
                return _alone(data, script.start, script.end), script.dialect
    if kind == "html":
        for tag in _TAG.finditer(data):
            if tag.start(2) <= at <= tag.end(2):
                lang = _TYPESCRIPT.search(tag.group(1))
                dialect = {None: "javascript", b"ts": "typescript", b"tsx": "tsx"}[lang.group(1) if lang else None]
                return _alone(data, *tag.span(2)), dialect
    return (data, kind) if kind in ("javascript", "typescript", "tsx") else None


def _alone(data: bytes, start: int, end: int) -> bytes:
    """A file with everything blanked but one part of it."""
    return _TEXT.sub(b" ", data[:start]) + data[start:end] + _TEXT.sub(b" ", data[end:])


@lru_cache(maxsize=4)
def _parse(text: bytes, dialect: str) -> Tree:
    """The tree of a program, which does not know its text."""
    tree = parsed(text, grammar(dialect), deadline(text))
    if tree is None:
        raise TimeoutError("takes too long to parse")
    return tree


def _node_at(tree: Tree, start: int, end: int) -> Node | None:
    """The outermost expression node with exactly this span, or the string literal that the span lies in."""
    node = tree.root_node.descendant_for_byte_range(start, end)
    if node is None:
        return None
    if (node.start_byte, node.end_byte) == (start, end) and node.type not in ("string_fragment", "escape_sequence"):
        while True:
            parent = node.parent
            if (
                parent is None
                or (parent.start_byte, parent.end_byte) != (start, end)
                or parent.type
                in (
                    "program",
                    "expression_statement",
                )
            ):
                return node
            node = parent
    if node.type in ("string_fragment", "escape_sequence") and node.parent is not None:
        node = node.parent
    return node if node.type in ("string", "template_string") else None


def _field(node: Node) -> str | None:
    """The grammar field under which a node stands in its parent."""
    parent = node.parent
    if parent is None:
        return None
    for index, child in enumerate(parent.children):
        if child.id == node.id:
            return parent.field_name_for_child(index)
    return None


def _unwrapped(node: Node) -> Node:
    """The expression inside parentheses and type assertions."""
    while node.type in _WRAPPERS:
        inner = [child for child in node.named_children if child.type != "comment"]
        if not inner:
            return node
        node = inner[-1] if node.type == "type_assertion" else inner[0]
    return node


def _wrapped(node: Node) -> Node:
    """The outermost wrapper of an expression that adds nothing to its value."""
    while (
        node.parent is not None and node.parent.type in _WRAPPERS and _unwrapped(node.parent).id == _unwrapped(node).id
    ):
        node = node.parent
    return node


def _items(node: Node) -> Items:
    """The items of an object, array or argument list."""
    spans = tuple((child.start_byte, child.end_byte) for child in node.named_children if child.type != "comment")
    return Items(node.children[0].end_byte, node.children[-1].start_byte, spans)


def _closed(node: Node) -> bool:
    """Whether a list was read whole: nothing in it is damaged, and its brackets are both there."""
    return (
        node.child_count >= 2
        and not node.children[-1].is_missing
        and node.children[-1].type in ("}", "]", ")")
        and not any(child.is_error or child.is_missing for child in node.children)
    )


# --- delete ---


def _delete(data: bytes, node: Node, order: Order) -> _Plan | None:
    if (node.start_byte, node.end_byte) != (order.span.start, order.span.end):
        return None
    item = _wrapped(node)
    parent = item.parent
    if parent is not None and parent.type == "computed_property_name":
        item, parent = parent, parent.parent
    if parent is not None and parent.type in ("pair", "method_definition") and _field(item) in ("key", "value", "name"):
        item, parent = parent, parent.parent
    if parent is not None and parent.type in _LISTS:
        index = [child.id for child in parent.named_children if child.type != "comment"].index(item.id)
        if not _closed(parent):
            return None
        changes = remove_item(data, _items(parent), index, C_GAP)
        return None if changes is None else (parent, changes)
    return _delete_statement(data, item)


def _delete_statement(data: bytes, node: Node) -> _Plan | None:
    """Delete the statement that is nothing but this call, or an assignment to this member."""
    parent = node.parent
    if node.type in ("property_identifier", "string") and parent is not None and _field(node) in ("property", "index"):
        node, parent = parent, parent.parent
    if parent is not None and parent.type == "assignment_expression":
        left = parent.child_by_field_name("left")
        if left is None or left.type not in ("member_expression", "subscript_expression"):
            return None
        node, parent = parent, parent.parent
    elif node.type not in ("call_expression", "assignment_expression", "expression_statement", "await_expression"):
        return None
    while parent is not None and parent.type in ("await_expression", *_WRAPPERS):
        node, parent = parent, parent.parent
    statement = node if node.type == "expression_statement" else parent
    if statement is None or statement.type != "expression_statement":
        return None
    block = statement.parent
    if block is None or block.type not in _BLOCKS:
        return None  # the only body of an `if` or a loop, or a `case`
    return block, [remove_lines(data, statement.start_byte, statement.end_byte, b"//")]


# --- replace ---


def _replace(data: bytes, node: Node, order: Order) -> _Plan | None:
    literal = _unwrapped(node)
    if isinstance(order.new, str) and _is_text(literal):
        return _replace_text(data, literal, order, order.new)
    if (node.start_byte, node.end_byte) != (order.span.start, order.span.end):
        return None
    parent = node.parent
    if parent is None or parent.type == "jsx_attribute":
        return None
    holder: Node = parent
    new = Code(order.new) if isinstance(order.new, str) else order.new
    text = spelled(new, quote_style(data, holder.start_byte, holder.end_byte, "'"))
    if text is None:
        return None
    if node.type == "shorthand_property_identifier":
        text = f"{data[node.start_byte : node.end_byte].decode()}: {text}"
    elif not _replaceable(node, new):
        return None
    return node, _changed(data, node, text.encode())


def _is_text(node: Node) -> bool:
    """Whether a node is a string literal, or a template literal without substitutions or a tag."""
    if node.type == "string":
        return node.parent is None or node.parent.type != "jsx_attribute"
    return (
        node.type == "template_string"
        and all(child.type != "template_substitution" for child in node.children)
        and (node.parent is None or node.parent.type != "call_expression")
    )


def _replace_text(data: bytes, node: Node, order: Order, new: str) -> _Plan | None:
    start, end = node.start_byte + 1, node.end_byte - 1
    raw = data[start:end].decode("utf-8", "surrogateescape")
    quote = data[node.start_byte : start].decode()
    if (order.span.start, order.span.end) != (node.start_byte, node.end_byte) and order.span.start > node.start_byte:
        if not (start <= order.span.start and order.span.end <= end):
            return None
        begin, finish = order.span.start, order.span.end
    else:
        value = unescaped(raw)
        part = piece_of(value, order.was)
        if part is None:
            return None
        if part == (0, len(value)):
            begin, finish = start, end
        elif value != raw:
            return None  # an escape somewhere: the piece's place in the source isn't known
        else:
            begin = start + len(raw[: part[0]].encode("utf-8", "surrogateescape"))
            finish = start + len(raw[: part[1]].encode("utf-8", "surrogateescape"))
    text = escaped(new, quote).encode()
    return node, [] if data[begin:finish] == text else [Change(begin, finish, text)]


def _replaceable(node: Node, new: Data | Code) -> bool:
    """Whether a new expression may stand where a node stands, without parentheses of its own."""
    parent, field = node.parent, _field(node)
    if parent is None or node.type not in _EXPRESSIONS:
        return False
    dotted = isinstance(new, Code) and re.fullmatch(r"[A-Za-z_$][\w$]*(\.[A-Za-z_$][\w$]*)*", new.text) is not None
    if (parent.type, field) in _BASES or parent.type in ("expression_statement", "await_expression"):
        return dotted
    if parent.type in _LISTS or (parent.type, field) in _SLOTS or parent.type in _WHOLE:
        return True
    closed = dotted or not isinstance(new, Code) or _is_primary(new.text)
    return closed and (parent.type in _OPERATIONS or (parent.type, field) == ("arrow_function", "body"))


def _is_primary(text: str) -> bool:
    """Whether an expression holds together beside any operator."""
    root = _parse(f"({text})".encode(), "javascript").root_node
    statement = root.named_children[0] if root.named_child_count == 1 and not root.has_error else None
    inner = statement.named_children[0] if statement is not None and statement.named_child_count == 1 else None
    # The parentheses are ours: what is in them has to be one expression, and that one of these.
    if inner is None or inner.type != "parenthesized_expression" or inner.named_child_count != 1:
        return False
    return inner.named_children[0].type in _PRIMARIES


def _changed(data: bytes, node: Node, text: bytes) -> list[Change]:
    if data[node.start_byte : node.end_byte] == text:
        return []
    return [Change(node.start_byte, node.end_byte, text)]


# --- rename_key ---


def _rename_key(data: bytes, node: Node, order: Order) -> _Plan | None:
    if (node.start_byte, node.end_byte) != (order.span.start, order.span.end) or not order.name:
        return None
    if node.type in ("pair", "method_definition"):
        key = node.child_by_field_name("key" if node.type == "pair" else "name")
        if key is None:
            return None
        node = key
    if node.parent is not None and node.parent.type == "computed_property_name" and node.type == "string":
        node = node.parent
    parent = node.parent
    if parent is None:
        return None
    if parent.type in ("member_expression", "subscript_expression"):
        return _rename_member(data, node, parent, order.name)
    shorthand = node.type == "shorthand_property_identifier"
    if shorthand:
        holder: Node | None = parent
    elif (_field(node), parent.type) in (("key", "pair"), ("name", "method_definition")):
        holder = parent.parent
    else:
        return None
    if holder is None or holder.type != "object" or not _closed(holder):
        return None
    if any(key == order.name for key, _ in _entries(data, holder)):
        return None
    if node.type == "string":
        quote = data[node.start_byte : node.start_byte + 1].decode()
        text = quote + escaped(order.name, quote) + quote
    elif node.type == "computed_property_name":
        inner = _literal_key(data, node)
        if inner is None:
            return None
        text = _key_text(order.name, quote_style(data, holder.start_byte, holder.end_byte, "'"))
    else:
        text = _key_text(order.name, quote_style(data, holder.start_byte, holder.end_byte, "'"))
    if shorthand:
        text = f"{text}: {data[node.start_byte : node.end_byte].decode()}"
    return holder, _changed(data, node, text.encode())


def _rename_member(data: bytes, node: Node, member: Node, name: str) -> _Plan | None:
    """Rename the member that an assignment or a call names: `options.origins = x`, `io.origins(x)`."""
    above = member.parent
    if above is None or (above.type, _field(member)) not in (
        ("assignment_expression", "left"),
        ("call_expression", "function"),
    ):
        return None
    if _field(node) == "property" and node.type == "property_identifier":
        if not _IDENTIFIER.match(name):
            return None
        return member, _changed(data, node, name.encode())
    if _field(node) == "index" and node.type == "string":
        quote = data[node.start_byte : node.start_byte + 1].decode()
        return member, _changed(data, node, (quote + escaped(name, quote) + quote).encode())
    return None


def _literal_key(data: bytes, node: Node) -> str | None:
    """The name that a key node gives, None where it is computed."""
    if node.type == "computed_property_name":
        inner = [child for child in node.named_children if child.type != "comment"]
        return _literal_key(data, inner[0]) if len(inner) == 1 and _is_text(inner[0]) else None
    text = data[node.start_byte : node.end_byte].decode("utf-8", "replace")
    if node.type in ("string", "template_string"):
        return unescaped(text[1:-1])
    return text


def _entries(data: bytes, node: Node) -> Iterator[tuple[str | None, Node]]:
    """The entries of an object: the key (None for a spread or a computed one) and the entry's node."""
    for child in node.named_children:
        if child.type == "comment":
            continue
        key = child.child_by_field_name("key" if child.type == "pair" else "name")
        if child.type == "shorthand_property_identifier":
            yield data[child.start_byte : child.end_byte].decode("utf-8", "replace"), child
        else:
            yield (None if key is None else _literal_key(data, key)), child


# --- set_option ---


def _set_option(data: bytes, node: Node, order: Order) -> _Plan | None:
    if (node.start_byte, node.end_byte) != (order.span.start, order.span.end) or not order.key:
        return None
    target = _unwrapped(node)
    if target.type in ("call_expression", "new_expression", "await_expression"):
        return _set_in_call(data, target, order)
    if target.type != "object":
        return None
    changes = _set_in_object(data, target, order.key, order.new)
    return None if changes is None else (target, changes)


def _set_in_call(data: bytes, node: Node, order: Order) -> _Plan | None:
    """Set a key of the options object that a call takes, or give the call one."""
    if node.type == "await_expression":
        node = _unwrapped(node.named_children[-1])
    arguments = node.child_by_field_name("arguments")
    if arguments is None:
        if node.type == "new_expression" and order.argument in (None, 0):
            text = _nested(order.key, order.new, quote_style(data, 0, 0, "'"), True)
            return None if text is None else (node, [Change(node.end_byte, node.end_byte, f"({text})".encode())])
        return None
    if arguments.type != "arguments" or not _closed(arguments):
        return None
    given = [child for child in arguments.named_children if child.type != "comment"]
    if any(child.type == "spread_element" for child in given):
        return None
    position = order.argument
    if position is None:
        position = len(given) - 1 if given and _unwrapped(given[-1]).type == "object" else 0
        if given and _unwrapped(given[-1]).type != "object":
            return None  # nothing says whether the last argument holds the options
    if position < len(given):
        options = _unwrapped(given[position])
        if options.type != "object":
            return None
        changes = _set_in_object(data, options, order.key, order.new)
        return None if changes is None else (options, changes)
    if position > len(given):
        return None
    spaced = _spaced(data)
    text = _nested(order.key, order.new, quote_style(data, node.start_byte, node.end_byte, "'"), spaced)
    if text is None:
        return None
    changes = append_item(data, _items(arguments), text.encode(), C_GAP, padding=b"", unit=indent_unit(data, b"  "))
    return None if changes is None else (arguments, changes)


def _set_in_object(data: bytes, node: Node, key: tuple[str, ...], new: Data | Code) -> list[Change] | None:
    while True:
        if not _closed(node):
            return None
        found: Node | None = None
        for name, entry in _entries(data, node):
            if name == key[0]:
                found = entry
            elif name is None and found is not None:
                return None  # a later spread or computed key may win
        if found is None:
            break
        value = found.child_by_field_name("value") if found.type == "pair" else None
        if len(key) == 1:
            return _set_entry(data, node, found, value, new)
        if value is None or _unwrapped(value).type != "object":
            return None
        node, key = _unwrapped(value), key[1:]
    quote = quote_style(data, node.start_byte, node.end_byte, "'")
    spaced = _spaced(data)
    inner = spelled(new, quote, spaced=spaced) if len(key) == 1 else _nested(key[1:], new, quote, spaced)
    if inner is None:
        return None
    text = f"{_key_text(key[0], quote)}: {inner}"
    padding = b" " if spaced else b""
    return append_item(data, _items(node), text.encode(), C_GAP, padding=padding, unit=indent_unit(data, b"  "))


def _set_entry(data: bytes, holder: Node, entry: Node, value: Node | None, new: Data | Code) -> list[Change] | None:
    quote = quote_style(data, holder.start_byte, holder.end_byte, "'")
    if value is not None and isinstance(new, str) and _is_text(_unwrapped(value)):
        literal = _unwrapped(value)
        mark = data[literal.start_byte : literal.start_byte + 1].decode()
        if unescaped(data[literal.start_byte + 1 : literal.end_byte - 1].decode("utf-8", "replace")) == new:
            return []
        return [Change(literal.start_byte + 1, literal.end_byte - 1, escaped(new, mark).encode())]
    text = spelled(new, quote, spaced=_spaced(data))
    if text is None:
        return None
    if value is not None:
        return _changed(data, value, text.encode())
    if entry.type == "shorthand_property_identifier":
        return [Change(entry.end_byte, entry.end_byte, f": {text}".encode())]
    return None  # a method or accessor: whether it may go is not ours to say


def _spaced(data: bytes) -> bool:
    """Whether object literals in this file have spaces inside their braces."""
    return len(re.findall(rb"\{ +[\w'\"]", data)) >= len(re.findall(rb"[:(=,] ?\{[\w'\"]", data))


# --- move ---


def _move(data: bytes, node: Node, order: Order) -> _Plan | None:
    """Put the statement that is nothing but this call behind another one of its block, further up.

    It stays behind everything that declares or sets a name which it uses.
    """
    if order.other is None:
        return None
    statement = _wrapped(node).parent
    if statement is None or statement.type != "expression_statement":
        return None
    block = statement.parent
    if block is None or block.type not in _BLOCKS:
        return None
    above = [
        child for child in block.named_children if child.type != "comment" and child.end_byte <= statement.start_byte
    ]
    at = next((number for number, child in enumerate(above) if _holds(child, order.other.start, order.other.end)), None)
    if at is None:
        return None
    used = _names(data, statement)
    last = max([at, *(number for number, child in enumerate(above) if used & _given(data, child))])
    if last == len(above) - 1:
        return None
    changes = move_lines(data, statement.start_byte, statement.end_byte, above[last].end_byte)
    return None if changes is None else (block, changes)


def _holds(node: Node, start: int, end: int) -> bool:
    return node.start_byte <= start and end <= node.end_byte


def _names(data: bytes, node: Node) -> set[bytes]:
    """The names that a piece of code mentions."""
    found: set[bytes] = set()
    pending = [node]
    while pending:
        part = pending.pop()
        if part.type in ("identifier", "shorthand_property_identifier", "shorthand_property_identifier_pattern"):
            found.add(data[part.start_byte : part.end_byte])
        pending += part.named_children
    return found


def _given(data: bytes, statement: Node) -> set[bytes]:
    """The names that a statement may declare or set. Functions and imports are there from the beginning."""
    if statement.type in ("function_declaration", "generator_function_declaration", "import_statement"):
        return set()
    if statement.type != "expression_statement":
        return _names(data, statement)
    inner = statement.named_children[0] if statement.named_children else None
    # A call on a name may change what stands behind it, but the application itself is what routes are put into.
    return _names(data, inner) if inner is not None and inner.type != "call_expression" else set()


def _moved_soundly(tree: Tree, text: bytes, dialect: str, block: Node, changes: Sequence[Change]) -> bool:
    """Whether the block has the same statements as before, only in another order."""
    changed = apply_changes(text, changes)
    after = _parse(changed, dialect)
    if _damage(after) > _damage(tree):
        return False
    other = after.root_node
    if block.type != "program":
        found = other.descendant_for_byte_range(block.start_byte, block.end_byte)
        if found is None or found.type != block.type:
            return False
        other = found
    was, now = _statements(text, block), _statements(changed, other)
    return was != now and sorted(was, key=str) == sorted(now, key=str)


def _statements(text: bytes, block: Node) -> list[tuple[str, bytes]]:
    return [(child.type, text[child.start_byte : child.end_byte]) for child in block.named_children]


# --- text ---


def _key_text(key: str, quote: str) -> str:
    return key if _IDENTIFIER.match(key) else quote + escaped(key, quote) + quote


def _nested(key: tuple[str, ...], new: Data | Code, quote: str, spaced: bool) -> str | None:
    """An object literal with one entry per level of the key path."""
    text = spelled(new, quote, spaced=spaced)
    if text is None:
        return None
    pad = " " if spaced else ""
    for name in reversed(key):
        text = f"{{{pad}{_key_text(name, quote)}: {text}{pad}}}"
    return text


def spelled(new: Data | Code, quote: str, *, spaced: bool = True) -> str | None:
    """A value as JavaScript source; None for what has no literal there."""
    if isinstance(new, Code):
        return new.text or None
    if new is None:
        return "null"
    if isinstance(new, bool):
        return "true" if new else "false"
    if isinstance(new, (int, float)):
        return repr(new) if abs(new) < 1e16 else None
    if isinstance(new, str):
        return quote + escaped(new, quote) + quote
    if isinstance(new, Mapping):
        entries = []
        for key, value in new.items():
            text = spelled(value, quote, spaced=spaced)
            if text is None:
                return None
            entries.append(f"{_key_text(str(key), quote)}: {text}")
        pad = " " if spaced and entries else ""
        return f"{{{pad}{', '.join(entries)}{pad}}}"
    items = [spelled(value, quote, spaced=spaced) for value in new]
    return None if None in items else f"[{', '.join(item for item in items if item is not None)}]"


def escaped(text: str, quote: str) -> str:
    """Text as it stands between two such quotes in JavaScript."""
    pieces = []
    for character in text:
        if character in ("\\", quote) or (quote == "`" and character == "$"):
            pieces.append("\\" + character)
        elif character == "\n":
            pieces.append("\\n")
        elif character == "\r":
            pieces.append("\\r")
        elif character in "\u2028\u2029" or (character < " " and character not in "\t\n"):
            pieces.append(f"\\u{ord(character):04x}")
        else:
            pieces.append(character)
    return "".join(pieces)


def unescaped(raw: str) -> str:
    """The value of what stands between the quotes of a JavaScript string."""
    if "\\" not in raw:
        return raw

    def value(match: re.Match[str]) -> str:
        number = match.group(1) or match.group(2) or match.group(3)
        if number:
            return chr(min(int(number, 16), 0x10FFFF))
        plain = match.group(4)
        return "" if plain in ("\n", "\r\n", "\r") else _NAMED_ESCAPES.get(plain, plain)

    return _ESCAPE.sub(value, raw)


# --- the check afterwards ---


def _sound(tree: Tree, text: bytes, dialect: str, hole: Node, changes: Sequence[Change]) -> bool:
    """Whether nothing but the hole changed shape, and no new damage came in."""
    start, end = hole.start_byte, hole.end_byte
    if any(change.start < start or change.end > end for change in changes) and hole.type != "program":
        # A statement's whole line may reach over the braces' inner edge only as white space; lists never do.
        return False
    changed = apply_changes(text, changes)
    after = _parse(changed, dialect)
    if _damage(after) > _damage(tree):
        return False
    if hole.type in ("statement_block", "program"):
        return _statement_gone(hole, text, after, changed, changes)
    beyond = end + len(changed) - len(text)
    # Statements that reach as far as before are the same where nothing is damaged (not one of 100,000 random edits was
    # otherwise), and to look at all of them takes longer than to parse.
    if not tree.root_node.has_error and not after.root_node.has_error:
        outlines = (_outline(tree, text, start, end, near=True), _outline(after, changed, start, beyond, near=True))
        if outlines[0] == outlines[1]:
            return True
    return _outline(tree, text, start, end) == _outline(after, changed, start, beyond)


def _nodes(tree: Tree) -> Iterator[Node]:
    """All nodes in text order."""
    cursor = tree.walk()
    while True:
        node = cursor.node
        if node is None:
            return
        yield node
        if cursor.goto_first_child():
            continue
        while not cursor.goto_next_sibling():
            if not cursor.goto_parent():
                return


_AT_ONCE = 4_000
"""Bytes. tree-sitter writes down the shape of a node by recursion: of one that is nested deeply it could not."""


def _outline(
    tree: Tree, text: bytes, start: int, end: int, *, near: bool = False
) -> list[tuple[str, bytes] | tuple[int, int, int]]:
    """The shape and the text of a program, with one piece of it left out.

    With `near`, of statements that have nothing to do with that piece there is only how far they reach.
    """
    outline: list[tuple[str, bytes] | tuple[int, int, int]] = []
    cursor = tree.walk()
    while True:
        node = cursor.node
        if node is None:
            return outline
        at, beyond = node.start_byte, node.end_byte
        is_beside = beyond <= start or at >= end
        if (at, beyond) == (start, end):
            outline.append(("hole", b""))
        elif is_beside and near and cursor.depth == 1:
            base = 0 if beyond <= start else end
            outline.append((node.kind_id, at - base, beyond - base))
        elif is_beside and beyond - at <= _AT_ONCE:
            # Its tokens need not be looked at one by one: of equal text and shape they are equal.
            outline.append((str(node), text[at:beyond]))
        elif node.child_count == 0:
            outline.append((node.type, text[at:beyond]))
        else:
            outline.append((node.type, b""))
            if cursor.goto_first_child():
                continue
        while not cursor.goto_next_sibling():
            if not cursor.goto_parent():
                return outline


def _damage(tree: Tree) -> int:
    if not tree.root_node.has_error:
        return 0
    return sum(node.is_error or node.is_missing for node in _nodes(tree))


def _statement_gone(hole: Node, text: bytes, after: Tree, changed: bytes, changes: Sequence[Change]) -> bool:
    """Whether exactly one statement of a block went, and every other is as it was (a missing `;` could join two)."""
    kept = [
        (child.type, text[child.start_byte : child.end_byte])
        for child in hole.named_children
        if not any(change.start <= child.start_byte and child.end_byte <= change.end for change in changes)
    ]
    if hole.type == "program":
        block: Node | None = after.root_node
    else:
        block = after.root_node.descendant_for_byte_range(hole.start_byte, hole.end_byte + len(changed) - len(text))
    if block is None or block.type != hole.type:
        return False
    return kept == _statements(changed, block)
