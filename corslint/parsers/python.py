"""Python source to a `CodeReading`, through tree-sitter-python.

The tree is walked once, by nodes and not by queries (queries go quadratic on deep trees). Everything is bounded: chains
that lean left (`a + b + c`, `a.b().c()`) are unrolled in loops, and what nests deeper than `DEEPEST` levels is Unknown.

Where Python needs a reading of its own:

* A class is bound to `This(class scope)`: `Config.ORIGINS`, `Config().ORIGINS` and `self.ORIGINS` are then one look-up.
  Each base class is a binding named `*` in the class scope, as a star import is one in the module scope.
* The first parameter of a method is `This`, also under another name and in functions inside the method, until the name
  is bound again. A property is bound to the call of its function, since reading the member runs it.
* Bytes are read as text (`b"access-control-allow-origin"` is the Literal without its `b`), as ASGI headers are bytes.
* A generator function's result is Unknown; a `with` target is the context manager itself (true of clients and files).
* `*args` and `**kwargs` have the parameter name "" and an Unknown value.
* `sys.exit()`, `os._exit()`, `exit()` and `quit()` as a statement end a branch as `raise` does; `assert t` is a test
  that holds for what follows.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from typing import TYPE_CHECKING

from corslint.model.reading import Binding, CallSite, CodeReading, Damage, Decoration, Scope, Write
from corslint.model.values import (
    Argument,
    Call,
    Choice,
    Concat,
    Entry,
    Fallback,
    Function,
    Guard,
    Index,
    Literal,
    Mapping,
    Member,
    Name,
    Null,
    Operation,
    Parameter,
    Reference,
    Return,
    Sequence,
    Spread,
    This,
    Undefined,
    Unknown,
    Value,
)
from corslint.parsers.grammars import deadline, grammar, parsed
from corslint.records import NamedTuple
from corslint.regexes import regex
from corslint.source import SourceFile, Span

if TYPE_CHECKING:
    from typing import Literal as OneOf

    from tree_sitter import Language, Node

    _Kind = OneOf["module", "function", "class", "block"]
    _ValueHandler = Callable[["_Reader", Node, int], Value]
    _StatementHandler = Callable[["_Reader", Node, int], bool]

DEEPEST = 200
"""How many levels of nesting are read; three frames a level stay far below the interpreter's limit of 1000."""

MOST_GUARDS = 100
"""How many tests are kept for one place: each is copied for every early exit, which must not become quadratic."""

MOST_DAMAGE = 20
"""How many damaged regions of a file are told apart."""

MOST_RETRIES = 8
"""How often a file is parsed again without a broken statement that swallowed what follows."""

RETRIED_BYTES = 1_000_000
"""How much of a file is parsed again at most, over all retries: parsing broken text is much slower than sound text."""

_TOO_DEEP = "nested too deeply"
_BROKEN = "syntax error"
_BIGGEST_NUMBER = 2**63

_BOM = b"\xef\xbb\xbf"
_UTF_16_OR_32 = (b"\xff\xfe", b"\xfe\xff", b"\x00\x00\xfe\xff")

# A line that begins a statement of the module.
_FRESH_LINE = regex(rb"^(?:@|[A-Za-z_]\w*(?:[ \t]*[=.(\[:]|[ \t]+[\w.]))", re.MULTILINE)

_LONGEST_NAME = 1000

# PEP 263: in a comment on line 1 or 2.
_CODING = regex(rb"\A(?:[ \t\f]*(?:#[^\r\n]*)?\r?\n)?[ \t\f]*#.*?coding[:=][ \t]*([-\w.]+)")

# https://docs.python.org/3/reference/lexical_analysis.html#escape-sequences
_ESCAPE = regex(
    r"\\(?:\r\n|\r|\n|([0-7]{1,3})|x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|N\{([^}]*)\}|([\\'\"abfnrtv]))"
)
_BYTES_ESCAPE = regex(r"\\(?:\r\n|\r|\n|([0-7]{1,3})|x([0-9a-fA-F]{2})|(?!)()()()|([\\'\"abfnrtv]))")
_SIMPLE_ESCAPES = {
    "\\": "\\", "'": "'", '"': '"', "a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v",
}  # fmt: skip

_COMPARISONS = {
    "==": "==", "!=": "!=", "<>": "!=", "<": "<", "<=": "<=", ">": ">", ">=": ">=",
    "in": "in", "not in": "not in", "is": "==", "is not": "!=",
}  # fmt: skip

_EXITS = frozenset({"exit", "quit", "sys.exit", "os._exit"})
_PROPERTIES = frozenset({"property", "cached_property", "abstractproperty"})
_ACCESSORS = frozenset({"setter", "deleter", "getter"})


class _Grammar(NamedTuple):
    """The language, and what to do with a node by the number of its kind."""

    language: Language
    values: dict[int, _ValueHandler]
    statements: dict[int, _StatementHandler]
    function: int
    object: int
    arguments: int
    attribute: int
    left: int
    right: int
    operator: int
    name: int
    value: int
    type: int


class _Scope:
    """A scope that is being filled."""

    __slots__ = (
        "bindings", "comprehension", "elsewhere", "generator", "kind", "parent", "returns", "span", "this",
        "throws",
    )  # fmt: skip

    def __init__(self, parent: int, kind: _Kind, span: Span, this: tuple[str, int] | None = None) -> None:
        self.parent = parent
        self.kind: _Kind = kind
        self.span = span
        self.this = this
        self.bindings: dict[str, list[Binding]] = {}
        self.elsewhere: dict[str, int] = {}
        self.returns: list[Return] = []
        self.throws: list[Return] = []
        self.comprehension = False
        self.generator = False


def read(source: SourceFile) -> CodeReading:
    """Read a Python file. Never raises on any content; what could not be read is in `damage`."""
    data = source.data
    whole = Span(source.path, 0, len(data))
    if data.startswith(_UTF_16_OR_32):
        return _nothing(source.path, whole, "the file is UTF-16 or UTF-32; Python source is read as UTF-8")
    damage: list[Damage] = []
    encoding = "utf-8"
    try:
        text = data
        data.decode("utf-8")
    except UnicodeDecodeError as error:
        # Same length, so that offsets stay: every byte that is not UTF-8 is shown to the parser as a question mark.
        text = re.sub("[\udc80-\udcff]", "?", data.decode("utf-8", "surrogateescape")).encode()
        declared = _declared_encoding(data)
        if declared is None:
            place = Span(source.path, error.start, error.start + 1)
            damage.append(
                Damage(place, f"byte 0x{data[error.start]:02X} is not UTF-8, and no other encoding is declared")
            )
        else:
            encoding = declared
    grammar = _grammar()
    until = deadline(data)
    tree = parsed(text, grammar.language, until)
    if tree is None:
        return _nothing(source.path, whole, "takes too long to parse")
    root = tree.root_node
    regions: list[tuple[int, int, str]] = []
    for _ in range(min(MOST_RETRIES, RETRIED_BYTES // max(len(text), 1))):
        swallowed = _swallowed(root, text, grammar) if root.has_error else None
        if swallowed is None:
            break
        start, end = swallowed
        broken = text[start:end]
        regions.append((start, start + len(broken.rstrip()), ""))
        text = text[:start] + re.sub(rb"[^\r\n]", b" ", broken) + text[end:]
        tree = parsed(text, grammar.language, until)
        if tree is None:
            return _nothing(source.path, whole, "takes too long to parse")
        root = tree.root_node
    reader = _Reader(source.path, data, encoding, grammar)
    reader.module(root)
    if root.has_error or regions:
        found = reader.damage(root, regions)
        damage += [Damage(span, message, not reader.anything_read) for span, message in found]
        damage.sort(key=lambda each: each.span)
    return CodeReading(
        path=source.path,
        language="python",
        scopes=tuple(
            Scope(each.parent, each.kind, each.span, {name: tuple(found) for name, found in each.bindings.items()})
            for each in reader.scopes
        ),
        calls=tuple(reader.calls),
        writes=tuple(reader.writes),
        decorations=tuple(reader.decorations),
        exports=(),
        damage=tuple(damage[:MOST_DAMAGE]),
    )


def root(data: bytes) -> Node | None:
    """The tree of a file as it stands, damaged or not; bytes that are not UTF-8 are question marks.

    None where parsing takes too long.
    """
    text = re.sub("[\udc80-\udcff]", "?", data.decode("utf-8", "surrogateescape")).encode()
    tree = parsed(text, _grammar().language, deadline(data))
    return tree.root_node if tree is not None else None


def _nothing(path: str, whole: Span, message: str) -> CodeReading:
    scope = Scope(-1, "module", whole, {})
    return CodeReading(path, "python", (scope,), (), (), (), (), (Damage(whole, message, True),))


def _swallowed(root: Node, text: bytes, grammar: _Grammar) -> tuple[int, int] | None:
    """A broken statement of the module that took the statements after it into its error: its first and last byte.

    That is what an unclosed bracket does. The statement ends where the next line with code in the first column begins.
    """
    for node in [root] if root.is_error else root.children:
        if not node.is_error:
            continue
        start = node.start_byte
        for child in node.children:
            start = child.start_byte
            if child.kind_id not in grammar.statements or child.has_error:
                break
        start = text.rfind(b"\n", 0, start) + 1
        line_end = text.find(b"\n", start)
        # No further than the error reaches: there may be thousands, and no such line behind them.
        fresh = _FRESH_LINE.search(text, line_end, node.end_byte + _LONGEST_NAME) if line_end >= 0 else None
        if fresh is None or fresh.start() >= node.end_byte:
            continue
        broken = text[start : fresh.start()]
        # Inside a long string every line may begin in the first column.
        if broken.strip() and broken.count(b'"""') % 2 == 0 and broken.count(b"'''") % 2 == 0:
            return start, fresh.start()
    return None


def _declared_encoding(data: bytes) -> str | None:
    found = _CODING.match(data[:2000])
    if found is None:
        return None
    import codecs

    try:
        name = codecs.lookup(found[1].decode("ascii", "replace")).name
        "a".encode(name)
    except (LookupError, ValueError):
        return None
    return None if name == "utf-8" else name


@lru_cache(maxsize=1)
def _grammar() -> _Grammar:
    language = grammar("python")
    # ERROR nodes have a number outside this range; several numbers can have one name.
    kinds = {
        number: language.node_kind_for_id(number) or ""
        for number in range(language.node_kind_count)
        if language.node_kind_is_named(number)
    }

    def field(name: str) -> int:
        number = language.field_id_for_name(name)
        assert number is not None, f"tree-sitter-python has no field {name}"
        return number

    return _Grammar(
        language,
        {number: _VALUES[kind] for number, kind in kinds.items() if kind in _VALUES},
        {number: _STATEMENTS[kind] for number, kind in kinds.items() if kind in _STATEMENTS},
        *(
            field(name)
            for name in (
                "function", "object", "arguments", "attribute", "left", "right", "operator", "name", "value", "type",
            )
        ),
    )  # fmt: skip


def _and(guards: tuple[Guard, ...], test: Value, holds: bool) -> tuple[Guard, ...]:
    """One more test on the way; beyond `MOST_GUARDS` one Unknown stands for all the rest."""
    if len(guards) < MOST_GUARDS:
        return (*guards, Guard(test, holds))
    if len(guards) == MOST_GUARDS:
        return (*guards, Guard(Unknown("too many tests", test.span), True))
    return guards


def _number(value: Value) -> int | float | None:
    """The number that a Literal holds; booleans are not numbers here."""
    if type(value) is Literal and type(value.value) in (int, float):
        return value.value  # type: ignore[return-value]
    return None


def _kept(node: Node) -> list[Node]:
    """The named children that are not comments or line continuations."""
    return [child for child in node.named_children if not child.is_extra or child.is_error]


class _Reader:
    """One walk over one tree."""

    def __init__(self, path: str, data: bytes, encoding: str, grammar: _Grammar) -> None:
        self.path = path
        self.source = data
        self.encoding = encoding
        self.grammar = grammar
        self.scopes: list[_Scope] = []
        self.calls: list[CallSite] = []
        self.writes: list[Write] = []
        self.decorations: list[Decoration] = []
        self.anything_read = False
        self.guards: tuple[Guard, ...] = ()
        # Where the outermost loop of the current function begins, -1 outside loops.
        self.loop = -1
        self.scope = 0

    # Small things

    def span(self, node: Node) -> Span:
        return Span(self.path, node.start_byte, node.end_byte)

    def text(self, node: Node) -> str:
        return self.source[node.start_byte : node.end_byte].decode(self.encoding, "replace")

    def missing(self, parent: Node) -> Unknown:
        return Unknown(_BROKEN, self.span(parent))

    def field(self, node: Node, name: str, depth: int) -> Value:
        """The value of a field that the grammar requires (it can be absent in a broken file)."""
        child = node.child_by_field_name(name)
        return self.value(child, depth) if child is not None else self.missing(node)

    # Scopes and bindings

    def open(self, kind: _Kind, span: Span, this: tuple[str, int] | None = None) -> int:
        self.scopes.append(_Scope(self.scope, kind, span, this))
        return len(self.scopes) - 1

    def bind(self, name: str, value: Value, span: Span, scope: int | None = None) -> None:
        """Bind a name in the scope that is being read, or in the one that `global`/`nonlocal` named."""
        if not name:
            return  # the parser put a missing name there
        if scope is None:
            scope = self.scope
        target = self.scopes[scope]
        guards = self.guards
        moved = target.elsewhere.get(name) if target.elsewhere else None
        if moved is not None:
            target = self.scopes[moved]
        elif target.this is not None and target.this[0] == name:
            target.this = None
        earlier = target.bindings.get(name)
        if self.loop >= 0 and (moved is not None or (earlier is not None and earlier[0].span.start < self.loop)):
            guards = _and(guards, Unknown("loop", span), True)
        binding = Binding(value, span, guards)
        if earlier is None:
            target.bindings[name] = [binding]
        elif earlier[-1].span.start <= span.start:
            earlier.append(binding)
        else:
            # A function that binds a global is read before its own name is bound.
            at = len(earlier)
            while at and earlier[at - 1].span.start > span.start:
                at -= 1
            earlier.insert(at, binding)

    def named(self, name: str, span: Span) -> Value:
        """The use of a name."""
        here = self.scopes[self.scope]
        this = here.this
        if this is not None and this[0] == name:
            return This(this[1], span)
        if here.elsewhere and name in here.elsewhere:
            return Name(name, here.elsewhere[name], span)
        return Name(name, self.scope, span)

    def assign(self, target: Node, value: Value, whole: Node, depth: int) -> None:
        """Bind or write one assignment target."""
        kind = target.type
        if kind == "identifier":
            if target.end_byte > target.start_byte:
                self.bind(self.text(target), value, self.span(target))
        elif kind in ("attribute", "subscript"):
            place = self.value(target, depth)
            self.writes.append(Write(place, value, "set", self.scope, self.guards, self.span(whole)))
        elif depth > DEEPEST:
            return
        elif kind in ("pattern_list", "tuple_pattern", "list_pattern", "expression_list", "tuple", "list"):
            position: int | None = 0
            for child in _kept(target):
                if child.type in ("list_splat_pattern", "list_splat"):
                    position = None
                if position is None:
                    # What follows a star depends on how many values there are.
                    part: Value = Unknown("unpacking with a star", self.span(child))
                else:
                    place_span = self.span(child)
                    part = Member(value, str(position), place_span, place_span)
                    position += 1
                self.assign(child, part, whole, depth + 1)
        elif kind in ("parenthesized_expression", "list_splat_pattern", "list_splat", "as_pattern_target"):
            for child in _kept(target):
                self.assign(child, value, whole, depth + 1)
        else:
            self.value(target, depth + 1)

    # Statements. Each handler answers whether control never runs past the statement.

    def module(self, root: Node) -> None:
        self.scope = -1
        self.scope = self.open("module", Span(self.path, 0, len(self.source)))
        self.block(root, 0)

    def block(self, node: Node, depth: int) -> bool:
        """The statements of a module, block or ERROR node, in order. Early exits stay in `self.guards`."""
        if depth > DEEPEST:
            return False
        statements = self.grammar.statements
        values = self.grammar.values
        ends = False
        for child in node.children:
            handler = statements.get(child.kind_id)
            if handler is not None:
                self.anything_read = True
                if handler(self, child, depth + 1) and not ends:
                    ends = True
                    self.guards = _and(self.guards, Unknown("unreachable", self.span(child)), True)
            elif child.is_error:
                self.block(child, depth + 1)
            elif child.kind_id in values:
                # A bare expression stands here only inside an ERROR.
                self.anything_read = True
                self.value(child, depth + 1)
        return ends

    def body(self, node: Node, name: str, depth: int) -> bool:
        child = node.child_by_field_name(name)
        return child is not None and self.block(child, depth)

    def expression_statement(self, node: Node, depth: int) -> bool:
        children = node.named_children
        if len(children) == 1:
            child = children[0]
            kind = child.type
            if kind == "assignment":
                self.assignment(child, depth)
                return False
            if kind == "augmented_assignment":
                self.augmented_assignment(child, depth)
                return False
            if kind == "string" and not any(part.type == "interpolation" for part in child.named_children):
                return False  # a docstring
            value = self.value(child, depth)
            if type(value) is Call and kind == "call":
                callee = child.child_by_field_id(self.grammar.function)
                return callee is not None and self.text(callee) in _EXITS
            return False
        for child in children:
            self.value(child, depth)
        return False

    def assignment(self, node: Node, depth: int) -> Value:
        """`a = b = value`, `x: T = value`; also met as an expression inside broken code."""
        grammar = self.grammar
        targets: list[tuple[Node, Node]] = []
        whole = node
        while True:
            target = whole.child_by_field_id(grammar.left)
            annotation = whole.child_by_field_id(grammar.type)
            if annotation is not None:
                self.annotation(annotation, depth + 1)
            right = whole.child_by_field_id(grammar.right)
            if target is not None:
                targets.append((target, whole))
            if right is None:
                # `x: int` declares and binds nothing.
                return self.missing(node)
            if right.type != "assignment":
                break
            whole = right
        value = self.value(right, depth + 1)
        for target, whole in targets:
            self.assign(target, value, whole, depth + 1)
        return value

    def augmented_assignment(self, node: Node, depth: int) -> Value:
        grammar = self.grammar
        target = node.child_by_field_id(grammar.left)
        operator = node.child_by_field_id(grammar.operator)
        right = node.child_by_field_id(grammar.right)
        if target is None or operator is None or right is None:
            return self.other(node, depth)
        value = self.value(right, depth + 1)
        old = self.value(target, depth + 1)
        adds = operator.type == "+="
        span = self.span(node)
        if target.type == "identifier":
            new: Value
            if adds:
                new = self.sum(old, value, span)
            elif operator.type == "|=" and type(value) is Mapping:
                new = _merged(old, value, span)
            else:
                new = Operation("other", (old, value), span)
            self.bind(self.text(target), new, self.span(target))
        elif type(old) in (Member, Index):
            if not adds:
                value = Operation("other", (old, value), span)
            self.writes.append(Write(old, value, "append" if adds else "set", self.scope, self.guards, span))
        return value

    def annotation(self, node: Node, depth: int) -> None:
        """Annotations matter only for the calls in them (`Annotated[str, Depends(f)]`)."""
        if self.source.find(b"(", node.start_byte, node.end_byte) >= 0:
            self.value(node, depth)

    def import_statement(self, node: Node, _depth: int) -> bool:
        for child in node.children_by_field_name("name"):
            span = self.span(child)
            if child.type == "aliased_import":
                module, alias = child.child_by_field_name("name"), child.child_by_field_name("alias")
                if module is not None and alias is not None:
                    self.bind(self.text(alias), Reference(self.dotted(module), "*", span), self.span(alias))
            elif child.end_byte > child.start_byte:
                first = child.named_child(0)
                top = self.text(first if first is not None else child)
                self.bind(top, Reference(top, "*", span), self.span(first if first is not None else child))
        return False

    def import_from_statement(self, node: Node, _depth: int) -> bool:
        source = node.child_by_field_name("module_name")
        module = self.dotted(source) if source is not None else ""
        for child in node.children_by_field_name("name"):
            span = self.span(child)
            name, alias = child, child
            if child.type == "aliased_import":
                name = child.child_by_field_name("name") or child
                alias = child.child_by_field_name("alias") or child
            if alias.end_byte > alias.start_byte:
                self.bind(self.text(alias), Reference(module, self.dotted(name), span), self.span(alias))
        for child in node.named_children:
            if child.type == "wildcard_import":
                span = self.span(child)
                self.bind("*", Reference(module, "*", span), span, 0)
        return False

    def dotted(self, node: Node) -> str:
        """A dotted name without the white space that Python allows around its dots."""
        return "".join(self.text(node).split())

    def nothing(self, _node: Node, _depth: int) -> bool:
        return False

    def leave(self, node: Node, depth: int) -> bool:
        """`raise`, `break`, `continue`."""
        for child in node.named_children:
            self.value(child, depth)
        if node.type == "raise_statement":
            self.scopes[self.scope].throws.append(self.way_out(Unknown("thrown", self.span(node)), node))
        return True

    def return_statement(self, node: Node, depth: int) -> bool:
        children = _kept(node)
        value = self.value(children[0], depth) if children else Null(self.span(node))
        self.scopes[self.scope].returns.append(self.way_out(value, node))
        return True

    def way_out(self, value: Value, node: Node) -> Return:
        """A way out of a function with the tests that lead there."""
        guards = self.guards
        if self.loop >= 0:
            guards = _and(guards, Unknown("loop", self.span(node)), True)
        return Return(value, guards)

    def evaluate(self, node: Node, depth: int) -> bool:
        """A statement that matters only for the calls in it (`print x`, `exec x`, `type X = ...`)."""
        for child in node.named_children:
            self.value(child, depth)
        return False

    def assert_statement(self, node: Node, depth: int) -> bool:
        children = _kept(node)
        before = self.guards
        for position, child in enumerate(children):
            value = self.value(child, depth)
            if position == 0:
                test = value
                self.guards = _and(before, test, False)
        if children:
            self.guards = _and(before, test, True)
        return False

    def delete_statement(self, node: Node, depth: int) -> bool:
        pending = _kept(node)[::-1]
        span = self.span(node)
        while pending:
            child = pending.pop()
            kind = child.type
            if kind == "identifier":
                self.bind(self.text(child), Unknown("deleted", span), self.span(child))
            elif kind in ("attribute", "subscript"):
                place = self.value(child, depth)
                self.writes.append(Write(place, Undefined(span), "set", self.scope, self.guards, span))
            else:
                pending.extend(child.named_children[::-1])
        return False

    def scope_statement(self, node: Node, _depth: int) -> bool:
        """`global x`, `nonlocal x`."""
        here = self.scopes[self.scope]
        for child in node.named_children:
            if child.type != "identifier":
                continue
            name = self.text(child)
            scope = 0
            if node.type == "nonlocal_statement":
                scope = here.parent
                while scope > 0 and (self.scopes[scope].kind == "class" or name not in self.scopes[scope].bindings):
                    scope = self.scopes[scope].elsewhere.get(name, self.scopes[scope].parent)
            if scope >= 0 and scope != self.scope:
                here.elsewhere[name] = scope
        return False

    def if_statement(self, node: Node, depth: int) -> bool:
        before = self.guards
        refused = before  # every test so far was false
        tests: list[tuple[Value, Span]] = []
        ends: list[bool] = []
        after: list[tuple[Guard, ...]] = []
        otherwise = False
        for part in (node, *node.children_by_field_name("alternative")):
            self.guards = refused
            if part.type == "else_clause":
                otherwise = True
                ends.append(self.body(part, "body", depth))
                after.append(self.guards)
                break
            test = self.field(part, "condition", depth)
            tests.append((test, self.span(part)))
            self.guards = _and(refused, test, True)
            ends.append(self.body(part, "consequence", depth))
            after.append(self.guards)
            refused = _and(refused, test, False)
        for child in node.children:
            if child.is_error:
                self.guards = _and(before, self.missing(child), True)
                self.block(child, depth + 1)
        if not otherwise:
            ends.append(False)
            after.append(refused)
        survivors = [position for position, ended in enumerate(ends) if not ended]
        if not survivors:
            self.guards = before
            return True
        if len(survivors) == 1:
            self.guards = after[survivors[0]]
        else:
            self.guards = self.ruled_out(before, tests, ends)
        return False

    def ruled_out(
        self, before: tuple[Guard, ...], tests: list[tuple[Value, Span]], ends: list[bool]
    ) -> tuple[Guard, ...]:
        """What holds after a chain of tests of which some branches were left, and several not.

        Values are told apart by type and span, so each value made here has a span that no written operation has.
        """
        guards = before
        if not any(ends):
            return guards
        if len(tests) > MOST_GUARDS:
            return _and(guards, Unknown("too many tests", tests[0][1]), True)
        passed: list[Value] = []  # negated tests that are not known to hold
        for position, ended in enumerate(ends):
            last = position == len(tests)  # the `else`
            if ended:
                reached: list[Value] = [*passed] if last else [*passed, tests[position][0]]
                if len(reached) == 1:
                    guards = _and(guards, reached[0], False)
                else:
                    end = tests[-1][0].span.end if last else tests[position][1].end
                    span = Span(self.path, tests[0][0].span.start, end)
                    guards = _and(guards, Operation("and", tuple(reached), span), False)
            elif not last:
                test, clause = tests[position]
                passed.append(Operation("not", (test,), clause))
        return guards

    def loop_statement(self, node: Node, depth: int) -> bool:
        """`for` and `while`, with their `else`."""
        before, outer = self.guards, self.loop
        if node.type == "for_statement":
            items = self.field(node, "right", depth)
            if outer < 0:
                self.loop = node.start_byte
            target = node.child_by_field_name("left")
            if target is not None:
                turn: Value = Unknown("loop", self.span(target))
                if target.type == "identifier" and not any(child.type == "async" for child in node.children):
                    turn = Index(items, turn, turn.span)
                self.assign(target, turn, node, depth)
        else:
            if outer < 0:
                self.loop = node.start_byte
            test = self.field(node, "condition", depth)
            self.guards = _and(before, test, True)
        self.body(node, "body", depth)
        self.loop = outer
        for part in node.children_by_field_name("alternative"):
            # It does not run after a `break`.
            self.guards = _and(before, Unknown("loop", self.span(part)), True)
            self.body(part, "body", depth)
        self.guards = before
        return False

    def with_statement(self, node: Node, depth: int) -> bool:
        for clause in node.named_children:
            if clause.type == "with_clause":
                for item in clause.named_children:
                    if item.type == "with_item":
                        self.field(item, "value", depth)
        return self.body(node, "body", depth)

    def try_statement(self, node: Node, depth: int) -> bool:
        before, thrown = self.guards, len(self.scopes[self.scope].throws)
        ends = self.body(node, "body", depth)
        if any(part.type in ("except_clause", "except_group_clause") for part in node.named_children):
            del self.scopes[self.scope].throws[thrown:]
        after = self.guards
        handlers_end = True
        finally_ends = False
        for part in node.named_children:
            kind = part.type
            if kind in ("except_clause", "except_group_clause"):
                self.guards = _and(before, Unknown("exception", self.span(part)), True)
                handlers_end = self.handler(part, depth) and handlers_end
            elif kind == "else_clause":
                self.guards = after
                ends = self.body(part, "body", depth) or ends
                after = self.guards
            elif kind == "finally_clause":
                self.guards = before
                for child in part.named_children:
                    if child.type == "block":
                        finally_ends = self.block(child, depth)
            elif part.is_error:
                self.guards = _and(before, self.missing(part), True)
                self.block(part, depth + 1)
        # Only when every handler leaves is it sure that the body ran to its end.
        self.guards = after if handlers_end and not ends else before
        return finally_ends or (ends and handlers_end)

    def handler(self, node: Node, depth: int) -> bool:
        """An `except` clause."""
        ends = False
        for child in node.named_children:
            if child.type == "block":
                ends = self.block(child, depth)
            elif child.type == "as_pattern":
                for part in child.named_children:
                    if part.type == "as_pattern_target":
                        self.assign(part, Unknown("exception", self.span(part)), node, depth)
                    else:
                        self.value(part, depth)
            else:
                self.value(child, depth)
        return ends

    def match_statement(self, node: Node, depth: int) -> bool:
        before = self.guards
        subjects = [self.value(child, depth) for child in node.children_by_field_name("subject")]
        span = Span(self.path, subjects[0].span.start, subjects[-1].span.end) if subjects else self.span(node)
        subject = subjects[0] if len(subjects) == 1 else Sequence(tuple(subjects), span)
        refused = before
        all_end = True
        certain = False
        survivors = 0
        after = before
        body = node.child_by_field_name("body")
        for case in body.children_by_field_name("alternative") if body is not None else ():
            self.guards = refused
            tests: list[Value] = []
            for pattern in case.named_children:
                if pattern.type == "case_pattern":
                    test = self.pattern(pattern, subject, depth)
                    if test is not None:
                        tests.append(test)
                elif pattern.type == "if_clause":
                    tests += [self.value(child, depth) for child in _kept(pattern)]
            test = None
            if tests:
                test = tests[0] if len(tests) == 1 else Operation("and", tuple(tests), self.span(case))
                self.guards = _and(refused, test, True)
            ends = self.body(case, "consequence", depth)
            if not ends:
                all_end = False
                survivors += 1
                after = self.guards
            if test is None:
                certain = True
                break
            refused = _and(refused, test, False)
        if not certain:
            survivors += 1
            after = refused
        self.guards = after if survivors == 1 else before
        return certain and all_end

    def pattern(self, node: Node, subject: Value, depth: int) -> Value | None:
        """The test that a `case` pattern makes, None when it always matches; binds what it captures."""
        span = self.span(node)
        parts = _kept(node)
        if not parts:
            return None if self.text(node) == "_" else Unknown("pattern", span)
        first = parts[0]
        if len(parts) == 1:
            if first.type == "dotted_name" and first.named_child_count == 1:
                self.bind(self.text(first), subject, self.span(first))
                return None
            if first.type == "union_pattern":
                items = [self.constant(child, depth) for child in _kept(first)]
                if all(item is not None for item in items) and items:
                    choices = tuple(item for item in items if item is not None)
                    return Operation("in", (subject, Sequence(choices, self.span(first))), span)
            else:
                constant = self.constant(node if self.source[node.start_byte] == 45 else first, depth)
                if constant is not None:
                    return Operation("==", (subject, constant), span)
        self.captures(node)
        return Unknown("pattern", span)

    def constant(self, node: Node, depth: int) -> Value | None:
        """A pattern that stands for one value: a literal, a negative number or a dotted name."""
        kind = node.type
        if kind in ("string", "concatenated_string", "integer", "float", "true", "false", "none"):
            return self.value(node, depth)
        if kind == "case_pattern":
            parts = _kept(node)
            if len(parts) != 1:
                return None
            if self.source[node.start_byte] == 45:  # a minus
                number = _number(self.value(parts[0], depth))
                return Literal(-number, self.span(node)) if number is not None else None
            return self.constant(parts[0], depth)
        if kind == "dotted_name" and node.named_child_count > 1:
            names = node.named_children
            value: Value = self.named(self.text(names[0]), self.span(names[0]))
            for part in names[1 : DEEPEST - depth]:
                value = Member(value, self.text(part), self.span(part), Span(self.path, node.start_byte, part.end_byte))
            return value
        return None

    def captures(self, node: Node) -> None:
        """Bind the names inside a pattern that is not understood further."""
        pending = [node]
        while pending:
            part = pending.pop()
            kind = part.type
            if kind in ("class_pattern", "keyword_pattern"):
                pending.extend(part.named_children[1:])
            elif kind == "dotted_name":
                if part.named_child_count == 1:
                    self.bind(self.text(part), Unknown("pattern", self.span(part)), self.span(part))
            elif kind == "identifier":
                self.bind(self.text(part), Unknown("pattern", self.span(part)), self.span(part))
            else:
                pending.extend(part.named_children[::-1])

    def decorated_definition(self, node: Node, depth: int) -> bool:
        definition = node.child_by_field_name("definition")
        name = definition.child_by_field_name("name") if definition is not None else None
        roles: set[str] = set()
        for child in node.named_children:
            if child.type != "decorator":
                continue
            for part in _kept(child):
                value = self.value(part, depth)
                if type(value) is Name:
                    roles.add(value.name)
                elif type(value) is Member:
                    roles.add(value.key)
                if name is not None:
                    self.decorations.append(
                        Decoration(value, self.text(name), self.span(name), self.scope, self.guards, self.loop >= 0)
                    )
        if definition is None:
            return False
        if definition.type == "class_definition":
            return self.class_definition(definition, depth)
        return self.function_definition(definition, depth, frozenset(roles))

    def class_definition(self, node: Node, depth: int) -> bool:
        span = self.span(node)
        bases: list[Argument] = []
        superclasses = node.child_by_field_name("superclasses")
        if superclasses is not None:
            bases = [each for each in self.arguments(superclasses, depth) if each.keyword is None]
        outer = self.scope
        scope = self.open("class", span, self.scopes[outer].this)
        name = node.child_by_field_name("name")
        kept = self.guards, self.loop
        self.scope, self.guards, self.loop = scope, (), -1
        for base in bases:
            self.bind("*", base.value, base.span)
        self.body(node, "body", depth)
        self.scope = outer
        self.guards, self.loop = kept
        if name is not None:
            self.bind(self.text(name), This(scope, span), self.span(name))
        return False

    def function_definition(self, node: Node, depth: int, roles: frozenset[str] = frozenset()) -> bool:
        name = node.child_by_field_name("name")
        text = self.text(name) if name is not None else ""
        parameters = node.child_by_field_name("parameters")
        return_type = node.child_by_field_name("return_type")
        if return_type is not None:
            self.annotation(return_type, depth)
        outer = self.scope
        method = self.scopes[outer].kind == "class" and "staticmethod" not in roles
        function = self.callable(node, text, parameters, node.child_by_field_name("body"), method, depth)
        if name is not None and not (roles & _ACCESSORS and method):
            value: Value = function
            if method and roles & _PROPERTIES:
                value = Call(function, (), False, function.span)
            self.bind(text, value, self.span(name))
        return False

    def callable(
        self, node: Node, name: str, parameters: Node | None, body: Node | None, method: bool, depth: int
    ) -> Function:
        """A function or lambda: its scope, parameters and ways out."""
        span = self.span(node)
        outer = self.scope
        this = self.scopes[outer].this
        scope = self.open("function", span, this)
        here = self.scopes[scope]
        names: list[str] = []
        bound: list[tuple[str, Value, Span]] = []
        for child in parameters.named_children if parameters is not None else ():
            self.parameter(child, span, names, bound, depth)
        kept = self.guards, self.loop
        self.scope, self.guards, self.loop = scope, (), -1
        for position, (parameter, value, place) in enumerate(bound):
            if method and position == 0 and type(value) is not Unknown:
                value = This(outer, place)
            self.bind(parameter, value, place)
            if method and position == 0 and type(value) is This:
                here.this = (parameter, outer)
        if body is None:
            pass
        elif node.type == "lambda":
            here.returns.append(Return(self.value(body, depth + 1), ()))
        else:
            self.block(body, depth)
        self.scope = outer
        self.guards, self.loop = kept
        returns, throws = tuple(here.returns), tuple(here.throws)
        if here.generator:
            returns, throws = (Return(Unknown("generator", span), ()),), ()
        return Function(name, tuple(names), scope, returns, span, False, throws)

    def parameter(
        self, node: Node, function: Span, names: list[str], bound: list[tuple[str, Value, Span]], depth: int
    ) -> None:
        """One parameter; its default is read in the scope around the function."""
        kind = node.type
        target: Node | None = node
        default: Node | None = None
        if kind in ("default_parameter", "typed_default_parameter"):
            target = node.child_by_field_name("name")
            default = node.child_by_field_name("value")
        elif kind == "typed_parameter":
            target = node.named_child(0)
        annotation = node.child_by_field_name("type") if kind.startswith("typed_") else None
        if annotation is not None:
            self.annotation(annotation, depth + 1)
        if target is None:
            return
        kind = target.type
        if kind == "identifier":
            text, place = self.text(target), self.span(target)
            value: Value = Parameter(function, len(names), text, place)
            if default is not None:
                value = Fallback(value, self.value(default, depth + 1), "missing", self.span(node))
            names.append(text)
            bound.append((text, value, place))
        elif kind in ("list_splat_pattern", "dictionary_splat_pattern"):
            names.append("")
            for child in target.named_children:
                if child.type == "identifier":
                    place = self.span(child)
                    bound.append((self.text(child), Unknown("rest parameter", place), place))
        elif kind == "tuple_pattern":  # Python 2
            names.append("")
            pending = [target]
            while pending:
                part = pending.pop()
                if part.type == "identifier":
                    place = self.span(part)
                    bound.append((self.text(part), Unknown("tuple parameter", place), place))
                else:
                    pending.extend(part.named_children[::-1])
        elif node.is_error:
            self.block(node, depth + 1)

    # Values

    def value(self, node: Node, depth: int) -> Value:
        """What an expression says; records the calls in it."""
        if depth > DEEPEST:
            return Unknown(_TOO_DEEP, self.span(node))
        return self.grammar.values.get(node.kind_id, _Reader.other)(self, node, depth)

    def other(self, node: Node, depth: int) -> Value:
        """An expression that is not read further: only its calls are."""
        for child in node.named_children:
            self.value(child, depth + 1)
        return Unknown(_BROKEN if node.is_error else node.type.replace("_", " "), self.span(node))

    def extra(self, node: Node, _depth: int) -> Value:
        return Unknown("comment", self.span(node))

    def identifier(self, node: Node, _depth: int) -> Value:
        start, end = node.start_byte, node.end_byte
        span = Span(self.path, start, end)
        if start == end:
            return Unknown(_BROKEN, span)
        return self.named(self.source[start:end].decode(self.encoding, "replace"), span)

    def inner(self, node: Node, depth: int) -> Value:
        """Parentheses, `await`, a type: looked through."""
        children = _kept(node)
        if len(children) == 1:
            return self.value(children[0], depth + 1)
        return self.other(node, depth)

    def primary(self, node: Node, depth: int) -> Value:
        """`a.b`, `a[b]`, `a(b)`: a chain that leans left and can be long."""
        grammar = self.grammar
        links: list[Node] = []
        below: Node | None = node
        while below is not None:
            kind = below.type
            if kind == "attribute":
                field = grammar.object
            elif kind == "call":
                field = grammar.function
            elif kind == "subscript":
                field = grammar.value
            else:
                break
            links.append(below)
            below = below.child_by_field_id(field)
            if depth + len(links) > DEEPEST:
                break
        level = depth + len(links)
        value = self.value(below, level) if below is not None else self.missing(links[-1])
        path, source, start = self.path, self.source, node.start_byte
        for link in reversed(links):
            level -= 1
            span = Span(path, start, link.end_byte)
            kind = link.type
            if kind == "attribute":
                key = link.child_by_field_id(grammar.attribute)
                if key is None:
                    value = Unknown(_BROKEN, span)
                    continue
                at, end = key.start_byte, key.end_byte
                text = source[at:end].decode(self.encoding, "replace")
                value = Member(value, text, Span(path, at, end), span)
            elif kind == "call":
                listed = link.child_by_field_id(grammar.arguments)
                arguments = self.arguments(listed, level) if listed is not None else ()
                call = Call(value, arguments, False, span)
                self.calls.append(CallSite(call, self.scope, self.guards, self.loop >= 0))
                value = call
                callee = call.callee
                if type(callee) is Member and callee.key == "format" and type(callee.base) in (Literal, Concat):
                    value = Unknown("str.format", span)
            else:
                value = self.subscript(link, value, span, level)
        return value

    def subscript(self, node: Node, base: Value, span: Span, depth: int) -> Value:
        keys = node.children_by_field_name("subscript")
        if len(keys) != 1:
            items = tuple(self.value(key, depth + 1) for key in keys)
            place = Span(self.path, items[0].span.start, items[-1].span.end) if items else span
            return Index(base, Sequence(items, place), span)
        key = self.value(keys[0], depth + 1)
        text = _key(key)
        return Index(base, key, span) if text is None else Member(base, text, key.span, span)

    def arguments(self, node: Node, depth: int) -> tuple[Argument, ...]:
        """The arguments of a call, or the bases of a class."""
        if node.type == "generator_expression":
            value = self.value(node, depth + 1)
            return (Argument(value, None, value.span),)
        found: list[Argument] = []
        path = self.path
        for child in node.named_children:
            span = Span(path, child.start_byte, child.end_byte)
            if child.type == "keyword_argument":
                name = child.child_by_field_id(self.grammar.name)
                given = child.child_by_field_id(self.grammar.value)
                if name is not None and given is not None:
                    found.append(Argument(self.value(given, depth + 1), self.text(name), span))
                    continue
                self.other(child, depth)
            elif child.is_error:
                # Something stands here that could not be read: it may be any argument.
                self.other(child, depth)
            elif child.is_extra:
                continue
            else:
                found.append(Argument(self.value(child, depth + 1), None, span))
                continue
            found.append(Argument(Spread(Unknown(_BROKEN, span), span), None, span))
        return tuple(found)

    def spread(self, node: Node, depth: int) -> Value:
        children = _kept(node)
        value = self.value(children[0], depth + 1) if children else self.missing(node)
        return Spread(value, self.span(node))

    def sequence(self, node: Node, depth: int) -> Value:
        items: list[Value] = []
        for child in node.named_children:
            if child.is_error:
                self.other(child, depth)
                items.append(Spread(Unknown(_BROKEN, self.span(child)), self.span(child)))
            elif not child.is_extra:
                items.append(self.value(child, depth + 1))
        return Sequence(tuple(items), self.span(node), node.type == "tuple")

    def dictionary(self, node: Node, depth: int) -> Value:
        items: list[Entry | Spread] = []
        for child in node.named_children:
            span = self.span(child)
            kind = child.type
            if kind == "pair":
                key = self.field(child, "key", depth + 1)
                value = self.field(child, "value", depth + 1)
                text = _key(key)
                items.append(Entry(text, value, key.span, span, key if text is None else None))
            elif kind == "dictionary_splat":
                children = _kept(child)
                items.append(Spread(self.value(children[0], depth + 1) if children else self.missing(child), span))
            elif child.is_error or not child.is_extra:
                self.other(child, depth)
                items.append(Spread(Unknown(_BROKEN, span), span))
        return Mapping(tuple(items), self.span(node))

    def constant_value(self, node: Node, _depth: int) -> Value:
        return Literal(node.type == "true", self.span(node))

    def none(self, node: Node, _depth: int) -> Value:
        return Null(self.span(node))

    def integer(self, node: Node, _depth: int) -> Value:
        span = self.span(node)
        text = self.text(node).rstrip("lL")
        try:
            # Python 2 wrote octal numbers with a bare zero.
            return Literal(int(text, 8) if re.fullmatch(r"0[0-7]+", text) else int(text, 0), span)
        except ValueError:
            return Unknown("number", span)

    def real(self, node: Node, _depth: int) -> Value:
        span = self.span(node)
        try:
            number = float(self.text(node))
        except ValueError:  # `1j`
            return Unknown("number", span)
        return Literal(number, span) if abs(number) != float("inf") else Unknown("number", span)

    def string(self, node: Node, depth: int) -> Value:
        parts = self.string_parts(node, depth)
        return self.joined(parts, self.span(node))

    def concatenated_string(self, node: Node, depth: int) -> Value:
        parts: list[Value] = []
        for child in node.named_children:
            if child.type == "string":
                parts += self.string_parts(child, depth)
            elif child.is_error:
                self.other(child, depth)
                parts.append(self.missing(child))
        return self.joined(parts, self.span(node))

    def joined(self, parts: list[Value], span: Span) -> Value:
        """The pieces of a string as one value: a Literal if they are all text."""
        merged: list[Value] = []
        texts: list[str] = []
        at: Span | None = None
        for part in parts:
            if type(part) is Literal:
                texts.append(str(part.value))
                at = part.span if at is None else Span(at.path, at.start, part.span.end)
                continue
            if at is not None:
                merged.append(Literal("".join(texts), at))
                texts, at = [], None
            merged.append(part)
        if not merged:
            return Literal("".join(texts), span)
        if at is not None:
            merged.append(Literal("".join(texts), at))
        return Concat(tuple(merged), span)

    def string_parts(self, node: Node, depth: int) -> list[Value]:
        """The pieces of one string token."""
        children = node.children
        opening = children[0] if children else node
        start = opening.end_byte
        head = self.source[opening.start_byte : start].rstrip(b"'\"").lower()
        end = node.end_byte
        if len(children) > 1 and children[-1].type == "string_end":
            # Not the token's start: the grammar counts an escaped quote in a raw string as part of the end.
            end -= start - opening.start_byte - len(head)
        if len(children) <= 3 and (b"f" not in head and b"t" not in head):
            return [Literal(self.decoded(start, end, head), Span(self.path, node.start_byte, node.end_byte))]
        parts: list[Value] = []
        at = start
        for child in children[1:]:
            if child.type == "interpolation":
                if child.start_byte > at:
                    place = Span(self.path, at, child.start_byte)
                    parts.append(Literal(self.decoded(at, child.start_byte, head), place))
                parts.append(self.interpolation(child, depth))
                at = child.end_byte
        if end > at:
            parts.append(Literal(self.decoded(at, end, head), Span(self.path, at, end)))
        if b"t" in head:
            return [Unknown("template string", self.span(node))]
        return parts or [Literal("", self.span(node))]

    def interpolation(self, node: Node, depth: int) -> Value:
        plain = True
        value: Value | None = None
        for child in node.named_children:
            kind = child.type
            if kind == "format_specifier":
                self.other(child, depth)
                plain = False
            elif kind == "type_conversion":
                plain = plain and self.text(child) == "!s"
            elif not child.is_extra:
                value = self.value(child, depth + 1)
        if value is None:
            return self.missing(node)
        if any(child.type == "=" for child in node.children):
            plain = False
        return value if plain else Unknown("formatted", self.span(node))

    def decoded(self, start: int, end: int, prefix: bytes) -> str:
        """The text between two offsets of a string token, as Python reads it."""
        text = self.source[start:end].decode(self.encoding, "replace")
        if "\r" in text:
            text = text.replace("\r\n", "\n").replace("\r", "\n")
        if prefix:
            if b"f" in prefix and ("{{" in text or "}}" in text):
                text = text.replace("{{", "{").replace("}}", "}")
            if b"r" in prefix:
                return text
            if b"b" in prefix:
                return _BYTES_ESCAPE.sub(_unescaped, text) if "\\" in text else text
        return _ESCAPE.sub(_unescaped, text) if "\\" in text else text

    def binary(self, node: Node, depth: int) -> Value:
        """Arithmetic, unrolled along the left operand."""
        grammar = self.grammar
        links: list[tuple[Node, Node | None, str]] = []
        below: Node | None = node
        while below is not None and below.type == "binary_operator":
            sign = below.child_by_field_id(grammar.operator)
            links.append((below, below.child_by_field_id(grammar.right), sign.type if sign is not None else ""))
            below = below.child_by_field_id(grammar.left)
        result = self.value(below, depth + 1) if below is not None else self.missing(node)
        start = node.start_byte
        level = 1
        parts: list[Value] | None = None  # of the Concat that `result` will be
        end = start
        for link, right_node, operator in reversed(links):
            right = self.value(right_node, depth + 1) if right_node is not None else self.missing(link)
            if parts is not None:
                if operator == "+":
                    parts.append(right)
                    end = link.end_byte
                    continue
                result = Concat(tuple(parts), Span(self.path, start, end))
                parts = None
            span = Span(self.path, start, link.end_byte)
            left_number, right_number = _number(result), _number(right)
            if left_number is not None and right_number is not None:
                result = _calculated(operator, left_number, right_number, result, right, span)
            elif operator == "+" and left_number is None and right_number is None:
                parts, end = [result, right], link.end_byte
                level += 1
            elif operator == "%" and left_number is None:
                result = Unknown("% formatting", span)
            elif operator == "|" and (type(result) is Mapping or type(right) is Mapping):
                result = _merged(result, right, span)
                level += 1
            else:
                result = Operation("other", (result, right), span)
                level += 1
            if depth + level > DEEPEST:
                result, parts, level = Unknown(_TOO_DEEP, span), None, 1
        if parts is not None:
            return Concat(tuple(parts), Span(self.path, start, end))
        return result

    def sum(self, left: Value, right: Value, span: Span) -> Value:
        """What `left += right` leaves in `left`."""
        if _number(left) is not None or _number(right) is not None:
            return Operation("other", (left, right), span)
        return Concat((left, right), span)

    def unary(self, node: Node, depth: int) -> Value:
        value = self.field(node, "argument", depth + 1)
        operator = node.child_by_field_id(self.grammar.operator)
        number = _number(value)
        span = self.span(node)
        if number is not None and operator is not None and operator.type in "+-":
            return Literal(-number if operator.type == "-" else number, span)
        return Operation("other", (value,), span)

    def negation(self, node: Node, depth: int) -> Value:
        return Operation("not", (self.field(node, "argument", depth + 1),), self.span(node))

    def boolean(self, node: Node, depth: int) -> Value:
        """`a and b and c`, `a or b or c`, unrolled along the left operand."""
        grammar = self.grammar
        sign = node.child_by_field_id(grammar.operator)
        operator = sign.type if sign is not None else ""
        operands: list[Node] = []
        below: Node | None = node
        while below is not None and below.type == "boolean_operator":
            sign = below.child_by_field_id(grammar.operator)
            if sign is None or sign.type != operator:
                break
            right = below.child_by_field_id(grammar.right)
            if right is not None:
                operands.append(right)
            below = below.child_by_field_id(grammar.left)
        if below is not None:
            operands.append(below)
        operands.reverse()
        before = self.guards
        # Fallbacks nest to the left, so each operand but the last stands as deep as it is far from the end.
        level = depth + (len(operands) if operator == "or" and len(operands) <= DEEPEST - depth else 1)
        values: list[Value] = []
        for operand in operands:
            value = self.value(operand, level)
            values.append(value)
            self.guards = _and(self.guards, value, operator == "and")
        self.guards = before
        span = self.span(node)
        if operator == "and":
            return Operation("and", tuple(values), span)
        if not values or len(values) > DEEPEST - depth:
            return Unknown(_TOO_DEEP, span)
        result = values[0]
        for value in values[1:]:
            result = Fallback(result, value, "falsy", Span(self.path, span.start, value.span.end))
        return result._replace(span=span)

    def comparison(self, node: Node, depth: int) -> Value:
        operands: list[Value] = []
        operators: list[str] = []
        for child in node.children:
            if child.is_named and (child.is_error or not child.is_extra):
                operands.append(self.value(child, depth + 2))
            elif not child.is_named and child.type in _COMPARISONS:
                operators.append(_COMPARISONS[child.type])
        span = self.span(node)
        if len(operands) != len(operators) + 1 or not operators:
            return self.missing(node)
        pairs = [
            Operation(operator, (left, right), Span(self.path, left.span.start, right.span.end))
            for operator, left, right in zip(operators, operands, operands[1:], strict=False)
        ]
        return pairs[0]._replace(span=span) if len(pairs) == 1 else Operation("and", tuple(pairs), span)

    def conditional(self, node: Node, depth: int) -> Value:
        parts = _kept(node)
        if len(parts) != 3:
            return self.other(node, depth)
        before = self.guards
        test = self.value(parts[1], depth + 1)
        self.guards = _and(before, test, True)
        yes = self.value(parts[0], depth + 1)
        self.guards = _and(before, test, False)
        no = self.value(parts[2], depth + 1)
        self.guards = before
        return Choice(test, yes, no, self.span(node))

    def walrus(self, node: Node, depth: int) -> Value:
        value = self.field(node, "value", depth + 1)
        name = node.child_by_field_id(self.grammar.name)
        if name is not None:
            # PEP 572: inside a comprehension it binds in the scope around.
            scope = self.scope
            while self.scopes[scope].comprehension:
                scope = self.scopes[scope].parent
            self.bind(self.text(name), value, self.span(name), scope)
        return value

    def as_pattern(self, node: Node, depth: int) -> Value:
        """`value as target` in a `with`."""
        children = _kept(node)
        value = self.value(children[0], depth + 1) if children else self.missing(node)
        for child in children[1:]:
            self.assign(child, value, node, depth + 1)
        return value

    def lambda_(self, node: Node, depth: int) -> Value:
        parameters = node.child_by_field_name("parameters")
        return self.callable(node, "", parameters, node.child_by_field_name("body"), False, depth)

    def yield_(self, node: Node, depth: int) -> Value:
        for child in node.named_children:
            self.value(child, depth + 1)
        self.scopes[self.scope].generator = True
        return Unknown("yield", self.span(node))

    def comprehension(self, node: Node, depth: int) -> Value:
        """`[f(o) for o in xs]` is `xs.map(o => f(o))`; with conditions or several loops it is Unknown."""
        span = self.span(node)
        clauses = [child for child in node.named_children if child.type in ("for_in_clause", "if_clause")]
        body = node.child_by_field_name("body")
        if body is None or not clauses or clauses[0].type != "for_in_clause":
            return self.other(node, depth)
        simple = len(clauses) == 1 and node.type != "dictionary_comprehension"
        simple = simple and not any(child.type == "async" for child in clauses[0].children)
        # The first iterable belongs to the scope around.
        base = self.field(clauses[0], "right", depth + 2)
        outer, kept = self.scope, (self.guards, self.loop)
        scope = self.open("function", span, self.scopes[outer].this)
        here = self.scopes[scope]
        here.comprehension = True
        self.scope, self.guards, self.loop = scope, (), -1
        names: list[str] = []
        for position, clause in enumerate(clauses):
            if clause.type == "if_clause":
                for child in _kept(clause):
                    self.guards = _and(self.guards, self.value(child, depth + 1), True)
                continue
            if position:
                self.field(clause, "right", depth + 2)
            target = clause.child_by_field_name("left")
            if target is None:
                continue
            name = self.text(target) if target.type == "identifier" else ""
            names.append(name)
            item: Value = Unknown("loop", self.span(target))
            if simple:
                item = Parameter(span, 0, name, self.span(target))
            self.assign(target, item, clause, depth + 1)
        if body.type == "pair":
            key = self.field(body, "key", depth + 2)
            value = self.field(body, "value", depth + 2)
            result: Value = Unknown("dictionary comprehension", span)
            if len(clauses) == 1 and type(key) is Name and names == [key.name]:
                result = Mapping((Entry(None, value, key.span, span, Spread(base, base.span)),), span)
        else:
            result = self.value(body, depth + 2)
        self.scope = outer
        self.guards, self.loop = kept
        if type(result) is Mapping and body.type == "pair":
            return result
        if not simple:
            return Unknown(node.type.replace("_", " "), span)
        function = Function("", tuple(names), scope, (Return(result, ()),), span)
        place = self.span(clauses[0])
        return Call(Member(base, "map", place, place), (Argument(function, None, span),), False, span)

    # Damage

    def damage(self, root: Node, known: list[tuple[int, int, str]]) -> list[tuple[Span, str]]:
        """The regions that could not be read, in text order; neighbours are one."""
        regions = list(known)
        statements = self.grammar.statements
        pending = [root]
        while pending:
            node = pending.pop()
            if node.is_missing:
                what = node.type if node.is_named else f"`{node.type}`"
                regions.append((node.start_byte, node.end_byte, f"{what} is missing"))
            elif node.is_error:
                # The whole statements inside an ERROR were read; the rest was not.
                children = node.children
                if not children or not any(child.kind_id in statements for child in children):
                    regions.append((node.start_byte, node.end_byte, ""))
                    continue
                for child in children:
                    if child.kind_id not in statements:
                        if not child.is_extra or child.is_error:
                            regions.append((child.start_byte, child.end_byte, ""))
                    elif child.has_error:
                        pending.append(child)
            elif node.has_error:
                pending.extend(node.children)
        regions.sort()
        merged: list[tuple[int, int, str]] = []
        for start, end, message in regions:
            if merged and not self.source[merged[-1][1] : start].strip(b" \t\r\n"):
                first, last, text = merged[-1]
                merged[-1] = (first, max(last, end), text if message else "")
            elif len(merged) < MOST_DAMAGE:
                merged.append((start, end, message))
            else:
                break
        return [(Span(self.path, start, end), message or "this is not valid Python") for start, end, message in merged]


def _key(value: Value) -> str | None:
    """A literal key as text: a string, or a whole number that is not negative."""
    if type(value) is Literal:
        key = value.value
        if type(key) is str:
            return key
        if type(key) is int and 0 <= key < _BIGGEST_NUMBER:
            return str(key)
    return None


def _merged(left: Value, right: Value, span: Span) -> Value:
    """`left | right` where one is a dictionary."""
    return Mapping((Spread(left, left.span), Spread(right, right.span)), span)


def _calculated(
    operator: str, left: int | float, right: int | float, left_value: Value, right_value: Value, span: Span
) -> Value:
    """Arithmetic on two written numbers (`60 * 60`), within bounds."""
    result: int | float | None = None
    if operator == "+":
        result = left + right
    elif operator == "-":
        result = left - right
    elif operator == "*":
        result = left * right
    elif operator == "/" and right:
        result = left / right if abs(left) < _BIGGEST_NUMBER and abs(right) < _BIGGEST_NUMBER else None
    elif operator == "//" and right:
        result = left // right
    elif operator == "%" and right:
        result = left % right
    if result is None or not abs(result) < _BIGGEST_NUMBER:
        return Operation("other", (left_value, right_value), span)
    return Literal(result, span)


def _unescaped(found: re.Match[str]) -> str:
    octal, two, four, eight, name, simple = found.groups()
    if simple:
        return _SIMPLE_ESCAPES[simple]
    if octal:
        return chr(int(octal, 8))
    if two:
        return chr(int(two, 16))
    if four or eight:
        code = int(four or eight, 16)
        if code > 0x10FFFF:
            return found[0]
        # A lone surrogate cannot be written out again.
        return "\ufffd" if 0xD800 <= code <= 0xDFFF else chr(code)
    if name:
        import unicodedata

        try:
            return unicodedata.lookup(name)
        except KeyError:
            return found[0]
    return "" if found[0][1:] in ("\n", "\r", "\r\n") else found[0]


_VALUES: dict[str, _ValueHandler] = {
    "identifier": _Reader.identifier,
    "attribute": _Reader.primary,
    "call": _Reader.primary,
    "subscript": _Reader.primary,
    "string": _Reader.string,
    "concatenated_string": _Reader.concatenated_string,
    "integer": _Reader.integer,
    "float": _Reader.real,
    "true": _Reader.constant_value,
    "false": _Reader.constant_value,
    "none": _Reader.none,
    "list": _Reader.sequence,
    "tuple": _Reader.sequence,
    "set": _Reader.sequence,
    "expression_list": _Reader.sequence,
    "pattern_list": _Reader.sequence,
    "dictionary": _Reader.dictionary,
    "list_splat": _Reader.spread,
    "list_splat_pattern": _Reader.spread,
    "dictionary_splat": _Reader.spread,
    "parenthesized_list_splat": _Reader.inner,
    "parenthesized_expression": _Reader.inner,
    "await": _Reader.inner,
    "type": _Reader.inner,
    "binary_operator": _Reader.binary,
    "unary_operator": _Reader.unary,
    "not_operator": _Reader.negation,
    "boolean_operator": _Reader.boolean,
    "comparison_operator": _Reader.comparison,
    "conditional_expression": _Reader.conditional,
    "named_expression": _Reader.walrus,
    "as_pattern": _Reader.as_pattern,
    "lambda": _Reader.lambda_,
    "yield": _Reader.yield_,
    "list_comprehension": _Reader.comprehension,
    "set_comprehension": _Reader.comprehension,
    "dictionary_comprehension": _Reader.comprehension,
    "generator_expression": _Reader.comprehension,
    "assignment": _Reader.assignment,
    "augmented_assignment": _Reader.augmented_assignment,
    "comment": _Reader.extra,
    "line_continuation": _Reader.extra,
}

_STATEMENTS: dict[str, _StatementHandler] = {
    "expression_statement": _Reader.expression_statement,
    "import_statement": _Reader.import_statement,
    "import_from_statement": _Reader.import_from_statement,
    "future_import_statement": _Reader.nothing,
    "pass_statement": _Reader.nothing,
    "comment": _Reader.nothing,
    "return_statement": _Reader.return_statement,
    "raise_statement": _Reader.leave,
    "break_statement": _Reader.leave,
    "continue_statement": _Reader.leave,
    "assert_statement": _Reader.assert_statement,
    "print_statement": _Reader.evaluate,
    "exec_statement": _Reader.evaluate,
    "type_alias_statement": _Reader.evaluate,
    "delete_statement": _Reader.delete_statement,
    "global_statement": _Reader.scope_statement,
    "nonlocal_statement": _Reader.scope_statement,
    "if_statement": _Reader.if_statement,
    "for_statement": _Reader.loop_statement,
    "while_statement": _Reader.loop_statement,
    "with_statement": _Reader.with_statement,
    "try_statement": _Reader.try_statement,
    "match_statement": _Reader.match_statement,
    "decorated_definition": _Reader.decorated_definition,
    "class_definition": _Reader.class_definition,
    "function_definition": _Reader.function_definition,
}
