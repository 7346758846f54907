"""JavaScript, JSX, TypeScript and TSX to a `CodeReading`, through tree-sitter.

The tree is walked once, by nodes and not by queries (queries go quadratic on deep trees). Everything is bounded: what
leans left (`a + b + c`, `a.b().c()`), `else if` and `? :` chains are unrolled in loops, and what nests deeper than
`DEEPEST` levels is Unknown and not looked into.

Where JavaScript needs a reading of its own:

* A class is bound to `This(class scope)`, so that `Config.origin`, `new Config().origin` and `this.origin` are one
  look-up; its base class is a binding named `*` in the class scope. `this` outside of classes is Unknown.
* A getter is bound to the call of its function, since reading the member runs it. Setters are no values.
* `import "m"` and a bare `require("m");` bind the name "" in scope 0, so that a file's imports can be followed.
* An assignment to a name is a Binding in the scope that declares it, or in scope 0 where none does (scripts write
  `io = require("socket.io")(http)`). From another function it stands behind an Unknown test.
* A rest parameter or rest pattern is Unknown; a generator function's result is Unknown.
* `process.exit()` as a statement ends a branch as `throw` does. Code after a way out that is always taken stands
  behind a Literal false.
* `switch` cases are tests `subject == label`, or `subject in [labels]` where several share a body.
* A file that is not JavaScript, but would be TypeScript (Flow and TypeScript annotations in `.js`), is read as that.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator
from collections.abc import Sequence as SequenceOf
from functools import lru_cache
from typing import TYPE_CHECKING, TypeAlias

from corslint.model.reading import Binding, CallSite, CodeReading, Damage, Decoration, Export, Scope, ScriptTag, Write
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
    Regex,
    Return,
    Sequence,
    Spread,
    This,
    Undefined,
    Unknown,
    Value,
)
from corslint.parsers.grammars import deadline, grammar, parsed
from corslint.parsers.javascript_text import number, number_key, unescaped
from corslint.records import NamedTuple
from corslint.regexes import regex
from corslint.source import SourceFile, Span

if TYPE_CHECKING:
    from typing import Literal as OneOf

    from tree_sitter import Language, Node, Range

    _ScopeKind = OneOf["module", "function", "class", "block"]

DEEPEST = 150
"""Levels of nesting that are read. Each takes at most four of the 1000 frames of Python's stack, of which the callers
need some: a file may be read while names of another are resolved."""
MOST_GUARDS = 100
MOST_DAMAGE = 20
_MOST_PATHS = 12
_MOST_MASKED = 8
"""How often a program is parsed again with more of what the grammar does not know hidden."""
_MOST_LOOKED_AT = 10_000
"""So many nodes with errors in them are looked at for that."""

_UTF_16_OR_32 = (b"\xff\xfe", b"\xfe\xff", b"\x00\x00\xfe\xff")
_TOO_DEEP = "nested too deeply"
_BROKEN = "does not parse"

_Path: TypeAlias = tuple[str, tuple[Guard, ...]]
"""One way out of a statement: where to (`return`, `throw`, `break`, `continue`, `break:label`), and the tests on it."""
_Exits: TypeAlias = tuple[_Path, ...]

_IMPORTED_TYPE = regex(rb"""(<\s*typeof\s+)(import\(\s*(?:'[^'\n]*'|"[^"\n]*")\s*\))""")
_JSX_TEXT = regex(rb"[^{}<]+")
_UNREAD_IN_JSX_TEXT = regex(rb"[&>]")
_BESIDE_JSX_TEXT = frozenset(
    {
        "jsx_text",
        "jsx_opening_element",
        "jsx_element",
        "jsx_self_closing_element",
        "jsx_expression",
        "html_character_reference",
    }
)
# What a node is to the loops that unroll chains.
_OTHER, _COMMENT, _MEMBER, _SUBSCRIPT, _CALL, _ASIDE, _BINARY, _TERNARY, _ERROR = range(9)
_ROLES = {
    "comment": _COMMENT,
    "html_comment": _COMMENT,
    "member_expression": _MEMBER,
    "subscript_expression": _SUBSCRIPT,
    "call_expression": _CALL,
    "parenthesized_expression": _ASIDE,
    "await_expression": _ASIDE,
    "non_null_expression": _ASIDE,
    "as_expression": _ASIDE,
    "satisfies_expression": _ASIDE,
    "instantiation_expression": _ASIDE,
    "type_assertion": _ASIDE,
    "binary_expression": _BINARY,
    "ternary_expression": _TERNARY,
    "ERROR": _ERROR,
}
_DECLARES = frozenset(
    {
        "lexical_declaration",
        "using_declaration",
        "class_declaration",
        "abstract_class_declaration",
        "function_declaration",
        "generator_function_declaration",
        "enum_declaration",
    }
)
_COMPARISONS = {
    "==": "==", "===": "==", "!=": "!=", "!==": "!=", "<": "<", "<=": "<=", ">": ">", ">=": ">=", "in": "in",
}  # fmt: skip


class _Grammar(NamedTuple):
    """A language, and what to do with a node by the number of its kind."""

    language: Language
    values: tuple[Callable[[_Reader, Node], Value], ...]
    statements: tuple[Callable[[_Reader, Node], _Exits] | None, ...]
    roles: tuple[int, ...]
    object: int
    property: int
    function: int
    arguments: int
    left: int
    right: int
    key: int
    value: int
    name: int
    body: int


class _Scope:
    """A scope that is being filled. `base`: how many guards stood before it; `function`: the function it belongs to."""

    __slots__ = ("base", "bindings", "function", "kind", "parent", "span")

    def __init__(self, parent: int, kind: _ScopeKind, span: Span, base: int, function: int) -> None:
        self.parent = parent
        self.kind: _ScopeKind = kind
        self.span = span
        self.base = base
        self.function = function
        self.bindings: dict[str, list[Binding]] = {}


class _Assignment(NamedTuple):
    """An assignment to a name, until all declarations are known. `loop`: where its outermost loop begins, or -1."""

    name: str
    value: Value
    span: Span
    scope: int
    guards: tuple[Guard, ...]
    function: int
    loop: int


class Part(NamedTuple):
    """A piece of a file that is one program: a whole file, or one script of a page.

    `templated`: placeholders of a template language were masked in it, so what does not parse is no fault.
    """

    start: int
    end: int
    dialect: str
    templated: bool = False


def read(source: SourceFile, dialect: str) -> CodeReading:
    """Read a file. `dialect` is `javascript` (with JSX), `typescript` or `tsx`.

    Never raises on any content; what could not be read is in `damage`.
    """
    if source.data.startswith(_UTF_16_OR_32):
        whole = Span(source.path, 0, len(source.data))
        damage = Damage(whole, "the file is UTF-16 or UTF-32; JavaScript is read as UTF-8", True)
        return CodeReading(
            source.path, "javascript", (Scope(-1, "module", whole, {}),), (), (), (), (), (damage,)
        )  # fmt: skip
    return read_parts(source, source.data, (Part(0, len(source.data), dialect),))


def read_parts(
    source: SourceFile,
    data: bytes,
    parts: SequenceOf[Part],
    holes: SequenceOf[tuple[int, int]] = (),
    conditional: SequenceOf[tuple[int, int]] = (),
    scripts: tuple[ScriptTag, ...] = (),
    page: bool = False,
) -> CodeReading:
    """Read several pieces of a file as programs that share one global scope.

    `data` is the file's content with `holes` masked: sorted byte ranges where a template language puts something, so
    that every name, string or pattern that touches one is Unknown. `data` must be as long as the file. Statements that
    begin in one of the `conditional` ranges (sorted) stand behind an Unknown test.
    """
    whole = Span(source.path, 0, len(data))
    reader = _Reader(source.path, data, whole, holes, conditional)
    broken: list[tuple[Span, str]] = []
    for part, program in _programs(source, data, parts):
        if program is None:
            broken.append((Span(source.path, part.start, part.end), "takes too long to parse"))
            continue
        grammar, root = program
        reader.program(root, grammar)
        if root.has_error and not part.templated:
            broken += _broken(root, source.path, data)
    reader.finish()
    nothing = not (reader.calls or reader.writes or reader.exports or reader.scopes[0].bindings)
    return CodeReading(
        path=source.path,
        language="javascript",
        scopes=tuple(
            Scope(each.parent, each.kind, each.span, {name: tuple(found) for name, found in each.bindings.items()})
            for each in reader.scopes
        ),
        calls=tuple(reader.calls),
        writes=tuple(reader.writes),
        decorations=tuple(reader.decorations),
        exports=tuple(reader.exports),
        damage=tuple(Damage(span, message, nothing) for span, message in broken[:MOST_DAMAGE]),
        scripts=scripts,
        page=page,
    )


def roots(source: SourceFile, data: bytes, parts: SequenceOf[Part]) -> Iterator[Node]:
    """The trees of several pieces of a file, without those that take too long; `data` as for `read_parts`."""
    for _, program in _programs(source, data, parts):
        if program is not None:
            yield program[1]


def _programs(
    source: SourceFile, data: bytes, parts: SequenceOf[Part]
) -> Iterator[tuple[Part, tuple[_Grammar, Node] | None]]:
    """Each part with its grammar and tree, or None where it takes too long to parse."""
    from tree_sitter import Range

    until = deadline(data)
    for part in parts:
        ranges = None
        if part.start or part.end != len(data):
            ranges = [Range(_point(source, part.start), _point(source, part.end), part.start, part.end)]
        grammar = _grammar(part.dialect)
        root = _root(data, grammar, until, ranges)
        if root is None:
            yield part, None
            continue
        if root.has_error and part.dialect == "javascript":
            annotated = _grammar("tsx")
            again = _root(data, annotated, until, ranges)
            if again is not None and not again.has_error:
                grammar, root = annotated, again
        yield part, (grammar, root)


def _root(data: bytes, grammar: _Grammar, until: float, ranges: list[Range] | None) -> Node | None:
    """The tree of one program, or None where that takes too long.

    What the grammar does not know although it is legal is hidden from it, byte for byte: one such place can make it
    give up all that follows.
    """
    tree = parsed(data, grammar.language, until, ranges)
    if tree is None:
        return None
    root = tree.root_node
    for _ in range(_MOST_MASKED):
        if not root.has_error:
            break
        hidden = _masked(root, data)
        again = parsed(hidden, grammar.language, until, ranges) if hidden != data else None
        if again is None:
            break
        data, root = hidden, again.root_node
    return root


def _masked(root: Node, data: bytes) -> bytes:
    """The text of a program that has errors, without what is legal there and unknown to the grammar.

    - `&` in the text and in the attributes of JSX begins no character reference unless a name and `;` follow
      (tree-sitter-javascript 0.25.0 and tree-sitter-typescript 0.23.2 want one).
    - `>` in the text of JSX is read by Babel 7 and esbuild as what it is; TypeScript refuses it.
    - `typeof import('...')` as the type argument of a call is read as a comparison (tree-sitter-typescript 0.23.2).
    - A byte 0 in a string ends the text for tree-sitter.
    """
    hidden = bytearray(_IMPORTED_TYPE.sub(lambda found: found[1] + b"_" * len(found[2]), data).replace(b"\0", b"\1"))
    # With what lies around them: a node of tree-sitter looks for its parent from the root downwards.
    pending: list[tuple[Node, Node | None, Node | None]] = [(root, None, None)]
    for _ in range(_MOST_LOOKED_AT):
        if not pending:
            break
        node, around, further = pending.pop()
        pending += ((child, node, around) for child in node.children if child.has_error or child.is_error)
        if not node.is_error:
            continue
        if around is not None and (around.type == "jsx_element" or _is_attribute(around, further)):
            within = _JSX_TEXT.match(data, node.start_byte, node.end_byte)
            if within is not None:
                hidden[within.start() : within.end()] = _UNREAD_IN_JSX_TEXT.sub(b"_", within[0])
        before: Node | None = None
        for child in node.children:
            if child.type in ("&", "&&") and before is not None and before.type in _BESIDE_JSX_TEXT:
                hidden[child.start_byte : child.end_byte] = b"_" * (child.end_byte - child.start_byte)
            before = child
    return bytes(hidden)


def _is_attribute(node: Node, around: Node | None) -> bool:
    return node.type == "string" and around is not None and around.type == "jsx_attribute"


def _point(source: SourceFile, offset: int) -> tuple[int, int]:
    """tree-sitter's place of an offset: row and byte column, both from 0."""
    row = source.position(offset).line
    return row - 1, offset - source.line_span(row).start


@lru_cache(maxsize=3)
def _grammar(dialect: str) -> _Grammar:
    language = grammar(dialect)
    kinds = [
        (language.node_kind_for_id(kind) or "") if language.node_kind_is_named(kind) else ""
        for kind in range(language.node_kind_count)
    ]

    def field(name: str) -> int:
        found = language.field_id_for_name(name)
        assert found is not None, f"the {dialect} grammar has no field {name}"
        return found

    # The number of ERROR is 65535; it is asked for as the last entry of each table.
    return _Grammar(
        language,
        (*(_VALUES.get(kind, _Reader.nothing if _is_type(kind) else _Reader.other) for kind in kinds), _Reader.error),
        (*(_STATEMENTS.get(kind) for kind in kinds), _Reader.broken_statement),
        (*(_ROLES.get(kind, _OTHER) for kind in kinds), _ERROR),
        *(
            field(name)
            for name in (
                "object", "property", "function", "arguments", "left", "right", "key", "value", "name", "body",
            )
        ),
    )  # fmt: skip


def _is_type(kind: str) -> bool:
    """Whether a kind of node is about types only, so that it holds no calls that ever run."""
    return kind.endswith(("_type", "_type_annotation", "_signature", "_type_identifier")) or kind.startswith(
        ("type_", "asserts", "implements", "import_attribute")
    )


def _broken(root: Node, path: str, data: bytes) -> list[tuple[Span, str]]:
    """The places that tree-sitter could not fit in, in text order, neighbours put together."""
    found: list[tuple[Span, str]] = []
    pending = [root]
    while pending and len(found) < MOST_DAMAGE * 20:
        node = pending.pop()
        if node.is_missing and node.type == "!":
            # Nobody has to write `!`: the grammar makes it up to read `styled(Box)<Props>`...``, which is legal.
            continue
        if node.is_missing:
            found.append((Span(path, node.start_byte, node.end_byte), f"expected `{node.type}`"))
        elif node.is_error:
            found.append((Span(path, node.start_byte, node.end_byte), _BROKEN))
        elif node.has_error:
            pending.extend(reversed(node.children))
    merged: list[tuple[Span, str]] = []
    for span, message in found:
        if merged and not data[merged[-1][0].end : span.start].strip():
            before, earlier = merged[-1]
            merged[-1] = (Span(path, before.start, max(before.end, span.end)), earlier)
        else:
            merged.append((span, message))
    return merged


def _and(guards: tuple[Guard, ...], test: Value, holds: bool) -> tuple[Guard, ...]:
    """One more test on the way; beyond `MOST_GUARDS` one Unknown stands for all the rest."""
    if len(guards) < MOST_GUARDS:
        return (*guards, Guard(test, holds))
    if len(guards) == MOST_GUARDS:
        return (*guards, Guard(Unknown("too many tests", test.span), True))
    return guards


def _after(guards: tuple[Guard, ...], exits: _Exits, span: Span) -> tuple[Guard, ...]:
    """The tests of what follows a statement with these ways out."""
    for _, tests in exits:
        if not tests:
            guards = _and(guards, Literal(False, span), True)
        elif len(tests) == 1:
            guards = _and(guards, tests[0].test, not tests[0].holds)
        else:
            operands = tuple(_positive(each) for each in tests)
            place = Span(span.path, operands[0].span.start, operands[-1].span.end)
            guards = _and(guards, Operation("and", operands, place), False)
    return guards


def _positive(guard: Guard) -> Value:
    """A guard as a value that is true when it is passed. An `!` that nobody wrote stands before its operand."""
    return guard.test if guard.holds else Operation("not", (guard.test,), guard.test.span.before())


def _behind(tests: tuple[Guard, ...], exits: _Exits) -> _Exits:
    """Ways out of something that itself stands behind tests."""
    return tuple((where, (*tests, *own)) for where, own in exits)


def _few(exits: _Exits, span: Span) -> _Exits:
    """The same ways out, kept short: one that is always taken hides the others, and too many become Unknown."""
    if len(exits) < 2:
        return exits
    kinds = list(dict.fromkeys(where for where, _ in exits))
    if len(kinds) == 1 and any(not tests for _, tests in exits):
        return ((kinds[0], ()),)
    if len(exits) > _MOST_PATHS or any(len(tests) > _MOST_PATHS for _, tests in exits):
        return tuple((where, (Guard(Unknown("many ways out", span), True),)) for where in kinds[:_MOST_PATHS])
    return exits


def _always(exits: _Exits) -> bool:
    return any(not tests for _, tests in exits)


class _Reader:
    """One walk over the programs of one file."""

    def __init__(
        self,
        path: str,
        data: bytes,
        whole: Span,
        holes: SequenceOf[tuple[int, int]],
        conditional: SequenceOf[tuple[int, int]],
    ) -> None:
        self.path = path
        self.data = data
        self.holes = holes
        self.hole_starts = [start for start, _ in holes]
        self.conditional = conditional
        self.conditional_starts = [start for start, _ in conditional]
        self.scopes: list[_Scope] = [_Scope(-1, "module", whole, 0, 0)]
        self.calls: list[CallSite] = []
        self.writes: list[Write] = []
        self.decorations: list[Decoration] = []
        self.exports: list[Export] = []
        self.assignments: list[_Assignment] = []
        self.depth = 0
        self.guards: tuple[Guard, ...] = ()
        # The scope that new scopes and calls belong to; the one that names are looked up from (never a class); the one
        # that `var` declares in; the class that `this` is an instance of, or -1.
        self.scope = 0
        self.names = 0
        self.vars = 0
        self.this = -1
        # Where the outermost loop of the current function begins, or -1.
        self.loop = -1
        self.returns: list[Return] = []
        self.throws: list[Return] = []
        # The exported names of the TypeScript namespace that is being read.
        self.namespace: list[Entry] | None = None

    # Whole programs

    def program(self, root: Node, grammar: _Grammar) -> None:
        """Read one more program into the global scope."""
        self.grammar = grammar
        self.values = grammar.values
        self.roles = grammar.roles
        if root.is_error:
            self.broken_statement(root)
        else:
            self.statements(root.children)

    def finish(self) -> None:
        """Bind what was assigned to names, now that all declarations are known."""
        untidy: dict[int, list[Binding]] = {}
        scopes = self.scopes
        for name, value, span, start, guards, function, loop in self.assignments:
            at = start
            while at > 0 and (name not in scopes[at].bindings or scopes[at].kind == "class"):
                at = scopes[at].parent
            scope = scopes[max(at, 0)]
            if scope.function != function:
                guards = (Guard(Unknown("assigned in another function", span), True), *guards)
            else:
                guards = guards[scope.base :]
                if loop >= 0 and scope.span.start < loop:
                    guards = _and(guards, Unknown("loop", span), True)
            bindings = scope.bindings.setdefault(name, [])
            bindings.append(Binding(value, span, guards))
            untidy[id(bindings)] = bindings
        for bindings in untidy.values():
            if len(bindings) > 1:
                bindings.sort(key=_place)
        if any(type(export.value) is Undefined for export in self.exports):
            # `exports.a = exports.b = void 0`, which the TypeScript compiler puts first, declares and says nothing.
            given = {export.name for export in self.exports if type(export.value) is not Undefined}
            self.exports = [
                each for each in self.exports if type(each.value) is not Undefined or each.name not in given
            ]

    # Small things

    def span(self, node: Node) -> Span:
        return Span(self.path, node.start_byte, node.end_byte)

    def text(self, node: Node) -> str:
        return self.data[node.start_byte : node.end_byte].decode("utf-8", "replace")

    def holed(self, start: int, end: int) -> bool:
        """Whether a template language puts something into this range."""
        at = bisect_right(self.hole_starts, end - 1) - 1
        return at >= 0 and self.holes[at][1] > start

    def value(self, node: Node) -> Value:
        """The value of an expression; all calls in it are noted."""
        depth = self.depth
        if depth >= DEEPEST:
            return Unknown(_TOO_DEEP, Span(self.path, node.start_byte, node.end_byte))
        self.depth = depth + 1
        kind = node.kind_id
        found = self.values[kind if kind != 65535 else -1](self, node)
        self.depth = depth
        return found

    def field(self, node: Node, name: str) -> Value:
        """The value of a field that the grammar requires (it can be absent in a broken file)."""
        child = node.child_by_field_name(name)
        return self.value(child) if child is not None else Unknown(_BROKEN, self.span(node))

    def role(self, node: Node) -> int:
        kind = node.kind_id
        return self.roles[kind if kind != 65535 else -1]

    def kept(self, node: Node) -> list[Node]:
        """The named children that are not comments."""
        return [child for child in node.named_children if self.role(child) != _COMMENT]

    def inner(self, node: Node) -> Node | None:
        """What a pair of parentheses, `await`, `x!`, `x as T`, `x satisfies T` or `<T>x` is put around."""
        if node.type == "type_assertion":
            children = self.kept(node)
            return children[-1] if children else None
        for child in node.children:
            if child.is_named and self.role(child) != _COMMENT:
                return child
        return None

    def looked_through(self, node: Node) -> Node:
        """The expression itself, without what is only put around it."""
        while self.role(node) == _ASIDE:
            inner = self.inner(node)
            if inner is None:
                return node
            node = inner
        return node

    def is_free(self, name: str) -> bool:
        """Whether nothing so far declares a name, as seen from here."""
        return self.declared(name) is None

    def declared(self, name: str) -> list[Binding] | None:
        at = self.names
        while at >= 0:
            scope = self.scopes[at]
            if name in scope.bindings and scope.kind != "class":
                return scope.bindings[name]
            at = scope.parent
        return None

    # Scopes and bindings

    def open(self, kind: _ScopeKind, span: Span) -> int:
        function = kind == "function"
        base = 0 if function else len(self.guards)
        index = len(self.scopes)
        self.scopes.append(
            _Scope(self.scope, kind, span, base, index if function else self.scopes[self.scope].function)
        )
        return index

    def declare(self, name: str, value: Value, span: Span, scope: int, hoisted: bool = False) -> None:
        target = self.scopes[scope]
        guards = () if hoisted else self.guards[target.base :]
        earlier = target.bindings.get(name)
        if earlier is None:
            target.bindings[name] = [Binding(value, span, guards)]
        else:
            if self.loop >= 0 and earlier[0].span.start < self.loop and not hoisted:
                guards = _and(guards, Unknown("loop", span), True)
            earlier.append(Binding(value, span, guards))

    def assign(self, name: str, value: Value, span: Span) -> None:
        if name in ("exports", "module") and self.is_free(name):
            return
        function = self.scopes[self.scope].function
        self.assignments.append(_Assignment(name, value, span, self.names, self.guards, function, self.loop))

    def bind(self, target: Node, value: Value, scope: int, whole: Node) -> None:
        """Bind a pattern to a value: declare its names in `scope`, or assign to them where that is -1."""
        kind = target.type
        if kind in ("identifier", "shorthand_property_identifier_pattern"):
            if target.end_byte > target.start_byte and not (
                self.holes and self.holed(target.start_byte, target.end_byte)
            ):
                if scope >= 0:
                    self.declare(self.text(target), value, self.span(target), scope)
                else:
                    self.assign(self.text(target), value, self.span(target))
            return
        if self.depth >= DEEPEST:
            return
        self.depth += 1
        if kind in ("member_expression", "subscript_expression"):
            self.write(self.value(target), value, "set", self.span(whole))
        elif kind in ("object_pattern", "array_pattern"):
            if kind == "object_pattern":
                self.object_pattern(target, value, scope, whole)
            else:
                self.array_pattern(target, value, scope, whole)
        elif kind in ("assignment_pattern", "object_assignment_pattern"):
            self.pattern_with_default(target, value, scope, whole)
        elif self.role(target) == _ASIDE:
            inner = self.looked_through(target)
            if self.role(inner) != _ASIDE:
                self.bind(inner, value, scope, whole)
        else:
            self.value(target)
        self.depth -= 1

    def pattern_with_default(self, target: Node, value: Value, scope: int, whole: Node) -> None:
        left, right = target.child_by_field_name("left"), target.child_by_field_name("right")
        if left is None:
            return
        if right is not None:
            value = Fallback(value, self.default(right), "missing", self.span(target))
        self.bind(left, value, scope, whole)

    def default(self, node: Node) -> Value:
        """A value that is only computed where there is no other."""
        guards = self.guards
        self.guards = _and(guards, Unknown("only a default", self.span(node)), True)
        found = self.value(node)
        self.guards = guards
        return found

    def object_pattern(self, target: Node, value: Value, scope: int, whole: Node) -> None:
        for child in target.named_children:
            kind = child.type
            if kind == "shorthand_property_identifier_pattern":
                span = self.span(child)
                self.bind(child, Member(value, self.text(child), span, span), scope, whole)
            elif kind == "object_assignment_pattern":
                name = child.child_by_field_name("left")
                if name is not None:
                    span = self.span(name)
                    self.bind(child, Member(value, self.text(name), span, span), scope, whole)
            elif kind == "pair_pattern":
                key, part = child.child_by_field_name("key"), child.child_by_field_name("value")
                if key is None or part is None:
                    continue
                text, computed = self.key(key)
                here: Value
                if text is not None:
                    here = Member(value, text, self.span(key), self.span(child))
                else:
                    here = Index(value, computed, self.span(child))
                self.bind(part, here, scope, whole)
            elif kind == "rest_pattern":
                self.rest(child, scope, whole)

    def array_pattern(self, target: Node, value: Value, scope: int, whole: Node) -> None:
        position = 0
        for child in target.children:
            if not child.is_named:
                if child.type == ",":
                    position += 1
            elif child.type == "rest_pattern":
                self.rest(child, scope, whole)
            elif self.role(child) != _COMMENT:
                span = self.span(child)
                self.bind(child, Member(value, str(position), span, span), scope, whole)

    def rest(self, node: Node, scope: int, whole: Node) -> None:
        for child in self.kept(node):
            self.bind(child, Unknown("what is left over", self.span(node)), scope, whole)

    def write(self, target: Value, value: Value, operation: OneOf["set", "append"], span: Span) -> None:
        """Note an assignment to a member: an export, or a Write."""
        if type(target) is Member and operation == "set":
            base = target.base
            if type(base) is Name and base.name == "module" and target.key == "exports":
                if self.is_free("module"):
                    self.exports.append(Export("=", value))
                    return
            elif type(base) is Name and base.name == "exports":
                if self.is_free("exports"):
                    self.exports.append(Export(target.key, value))
                    return
            elif (
                type(base) is Member
                and base.key == "exports"
                and type(base.base) is Name
                and base.base.name == "module"
                and self.is_free("module")
            ):
                self.exports.append(Export(target.key, value))
                return
        self.writes.append(Write(target, value, operation, self.scope, self.guards, span))

    # Names and literals

    def nothing(self, node: Node) -> Value:
        return Unknown(node.type.replace("_", " "), self.span(node))

    def other(self, node: Node) -> Value:
        """An expression that has no value worth having: only what it calls counts."""
        for child in node.named_children:
            self.value(child)
        return Unknown(node.type.replace("_", " "), self.span(node))

    def error(self, node: Node) -> Value:
        self.broken_statement(node)
        return Unknown(_BROKEN, self.span(node))

    def identifier(self, node: Node) -> Value:
        start, end = node.start_byte, node.end_byte
        span = Span(self.path, start, end)
        if start == end:
            return Unknown(_BROKEN, span)
        if self.holes and self.holed(start, end):
            return Unknown("filled in by a template", span)
        return Name(self.data[start:end].decode("utf-8", "replace"), self.names, span)

    def this_value(self, node: Node) -> Value:
        if self.this >= 0:
            return This(self.this, self.span(node))
        return Unknown("this", self.span(node))

    def true(self, node: Node) -> Value:
        return Literal(True, self.span(node))

    def false(self, node: Node) -> Value:
        return Literal(False, self.span(node))

    def null(self, node: Node) -> Value:
        return Null(self.span(node))

    def undefined(self, node: Node) -> Value:
        return Undefined(self.span(node))

    def number(self, node: Node) -> Value:
        found = number(self.text(node))
        return Literal(found, self.span(node)) if found is not None else Unknown("number", self.span(node))

    def string(self, node: Node) -> Value:
        start, end = node.start_byte, node.end_byte
        span = Span(self.path, start, end)
        if self.holes and self.holed(start, end):
            return Unknown("filled in by a template", span)
        raw = self.data[start:end]
        text = raw[1:-1] if len(raw) > 1 and raw[-1] == raw[0] else raw[1:]
        return Literal(unescaped(text.decode("utf-8", "replace")), span)

    def string_text(self, node: Node | None) -> str | None:
        """The text of a string, or of a template literal without parts; None for anything else."""
        if node is None:
            return None
        node = self.looked_through(node)
        if node.type not in ("string", "template_string"):
            return None
        found = self.value(node)
        return found.value if type(found) is Literal and isinstance(found.value, str) else None

    def template(self, node: Node) -> Value:
        span = self.span(node)
        parts: list[Value] = []
        at = span.start + 1
        for child in node.children:
            if child.type == "template_substitution":
                self.template_text(at, child.start_byte, parts)
                at = child.end_byte
                inner = self.kept(child)
                values = [self.value(each) for each in inner]
                parts.append(values[0] if len(values) == 1 else Unknown(_BROKEN, self.span(child)))
        end = span.end - 1 if self.data[span.end - 1 : span.end] == b"`" and span.end - 1 >= at else span.end
        self.template_text(at, end, parts)
        if not parts:
            return Literal("", span)
        if len(parts) == 1:
            only = parts[0]
            if type(only) is Literal and only.span.start == span.start + 1:
                return Literal(only.value, span)
            if type(only) is Unknown:
                return Unknown(only.reason, span)
        return Concat(tuple(parts), span)

    def template_text(self, start: int, end: int, parts: list[Value]) -> None:
        if end <= start:
            return
        span = Span(self.path, start, end)
        if self.holes and self.holed(start, end):
            parts.append(Unknown("filled in by a template", span))
            return
        text = self.data[start:end].decode("utf-8", "replace").replace("\r\n", "\n")
        parts.append(Literal(unescaped(text), span))

    def regex(self, node: Node) -> Value:
        span = self.span(node)
        pattern = node.child_by_field_name("pattern")
        if pattern is None or (self.holes and self.holed(span.start, span.end)):
            return Unknown("regular expression", span)
        flags = node.child_by_field_name("flags")
        return Regex(self.text(pattern), self.text(flags) if flags is not None else "", "ecmascript", span)

    def meta(self, node: Node) -> Value:
        text = "".join(self.text(node).split())
        return Name(text, self.names, self.span(node)) if text == "import.meta" else self.nothing(node)

    # Objects and arrays

    def array(self, node: Node) -> Value:
        items: list[Value] = []
        filled = False
        for child in node.children:
            if child.is_named:
                if self.role(child) != _COMMENT:
                    items.append(self.spread_element(child) if child.type == "spread_element" else self.value(child))
                    filled = True
            elif child.type == ",":
                if not filled:
                    items.append(Undefined(self.span(child).before()))
                filled = False
        return Sequence(tuple(items), self.span(node))

    def spread_element(self, node: Node) -> Spread:
        inner = self.inner(node)
        span = self.span(node)
        return Spread(self.value(inner) if inner is not None else Unknown(_BROKEN, span), span)

    def object(self, node: Node) -> Value:
        items: list[Entry | Spread] = []
        grammar = self.grammar
        for child in node.named_children:
            kind = child.type
            if kind == "pair":
                key, part = child.child_by_field_id(grammar.key), child.child_by_field_id(grammar.value)
                if key is None:
                    continue
                text, _ = self.key(key)
                value = self.value(part) if part is not None else Unknown(_BROKEN, self.span(child))
                if child.has_error and any(each.is_error for each in child.children):
                    # More keys may stand in there, so a key that is not found may be there all the same.
                    items.append(Spread(Unknown(_BROKEN, self.span(child)), self.span(child)))
                items.append(Entry(text, value, self.span(key), self.span(child)))
            elif kind == "shorthand_property_identifier":
                value = self.identifier(child)
                known = type(value) is Name
                items.append(Entry(self.text(child) if known else None, value, value.span, value.span))
            elif kind == "spread_element":
                items.append(self.spread_element(child))
            elif kind == "method_definition":
                entry = self.object_method(child)
                if entry is not None:
                    items.append(entry)
            elif self.role(child) != _COMMENT:
                self.value(child)
                items.append(Spread(Unknown(_BROKEN, self.span(child)), self.span(child)))
        return Mapping(tuple(items), self.span(node))

    def object_method(self, node: Node) -> Entry | None:
        name = node.child_by_field_id(self.grammar.name)
        if name is None:
            return None
        text, _ = self.key(name)
        function = self.callable(node, text or "", -1)
        accessor = _accessor(node)
        if accessor == "set":
            return None
        value: Value = Call(function, (), False, function.span) if accessor == "get" else function
        return Entry(text, value, self.span(name), self.span(node))

    def key(self, node: Node) -> tuple[str | None, Value]:
        """A property key: its text where it is written, and its value."""
        kind = node.type
        if kind in (
            "property_identifier",
            "private_property_identifier",
            "identifier",
            "shorthand_property_identifier",
        ):
            span = self.span(node)
            if self.holes and self.holed(span.start, span.end):
                return None, Unknown("filled in by a template", span)
            text = self.text(node)
            return text, Literal(text, span)
        if kind == "computed_property_name":
            inner = self.inner(node)
            if inner is None:
                return None, Unknown(_BROKEN, self.span(node))
            node = inner
        value = self.value(node)
        return _key_text(value), value

    # Members and calls

    def chain(self, node: Node) -> Value:
        """`a.b[c](d).e`, from its root outwards: each link is a member, an index or a call of what stands before it."""
        grammar = self.grammar
        links: list[tuple[int, Node]] = []
        prefix: Node | None = None
        while True:
            role = self.role(node)
            if role in (_MEMBER, _SUBSCRIPT):
                before = node.child_by_field_id(grammar.object)
            elif role == _CALL:
                before = node.child_by_field_id(grammar.function)
            elif role == _ASIDE and links:
                before = self.inner(node)
            else:
                break
            if before is None:
                break
            if role != _ASIDE:
                links.append((role, node))
            elif node.type == "non_null_expression" and before.type == "unary_expression" and prefix is None:
                # The grammar takes `!a!.b` for `(!a)!.b`; to TypeScript it is `!(a!.b)`.
                prefix, before = before, before.child_by_field_name("argument") or before
            node = before
        depth = self.depth
        budget = max(DEEPEST - depth, 1)
        count = len(links)
        if not links:
            return self.other(node)
        first = links[-1]
        value: Value | None = None
        if first[0] == _CALL:
            value = self.imported(node, first[1])
            if value is not None:
                links.pop()
        if value is None:
            self.depth = depth + (count % budget if count < budget else 0)
            value = self.root(node)
        distance = len(links)
        for role, link in reversed(links):
            distance -= 1
            self.depth = depth + distance % budget
            if role == _CALL:
                value = self.call(value, self.arguments(link.child_by_field_id(grammar.arguments)), link)
            elif role == _MEMBER:
                value = self.member(value, link)
            else:
                value = self.subscript(value, link)
            if distance and distance % budget == 0:
                value = Unknown(_TOO_DEEP, value.span)
        self.depth = depth
        return value if prefix is None else self.applied(prefix, value, value.span)

    def root(self, node: Node) -> Value:
        if node.kind_id != 65535 and node.type == "import":
            return Name("import", self.names, self.span(node))
        return self.value(node)

    def member(self, base: Value, node: Node) -> Value:
        name = node.child_by_field_id(self.grammar.property)
        if name is None:
            return Unknown(_BROKEN, self.span(node))
        start, end = name.start_byte, name.end_byte
        place = Span(self.path, start, end)
        span = Span(self.path, node.start_byte, node.end_byte)
        if self.holes and self.holed(start, end):
            return Index(base, Unknown("filled in by a template", place), span)
        return Member(base, self.data[start:end].decode("utf-8", "replace"), place, span)

    def subscript(self, base: Value, node: Node) -> Value:
        index = node.child_by_field_name("index")
        span = self.span(node)
        if index is None:
            return Unknown(_BROKEN, span)
        key = self.value(index)
        text = _key_text(key)
        return Member(base, text, key.span, span) if text is not None else Index(base, key, span)

    def call(self, callee: Value, arguments: tuple[Argument, ...], node: Node) -> Value:
        found = Call(callee, arguments, False, Span(self.path, node.start_byte, node.end_byte))
        self.calls.append(CallSite(found, self.scope, self.guards, self.loop >= 0))
        return found

    def arguments(self, node: Node | None) -> tuple[Argument, ...]:
        if node is None:
            return ()
        if node.type == "template_string":
            self.value(node)
            place = self.span(node)
            return (Argument(Unknown("tagged template", place), None, place),)
        found: list[Argument] = []
        for child in node.named_children:
            role = self.role(child)
            if role == _COMMENT:
                continue
            if role == _ERROR:
                value: Value = self.error(child)
                # Whatever stood there, the positions of the others are no longer sure.
                value = Spread(value, value.span)
            elif child.type == "spread_element":
                value = self.spread_element(child)
            else:
                value = self.value(child)
            found.append(Argument(value, None, Span(self.path, child.start_byte, child.end_byte)))
        return tuple(found)

    def imported(self, function: Node, call: Node) -> Value | None:
        """`require("m")` and `import("m")`, or None if a call is something else."""
        kind = function.type
        if kind == "import":
            pass
        elif kind != "identifier" or self.text(function) != "require" or not self.may_require():
            return None
        given = call.child_by_field_id(self.grammar.arguments)
        if given is None or given.type != "arguments":
            return None
        arguments = self.kept(given)
        module = self.string_text(arguments[0]) if arguments else None
        if module is None or (kind != "import" and len(arguments) > 1):
            return None
        for extra in arguments[1:]:
            self.value(extra)
        return Reference(module, "*", self.span(call))

    def may_require(self) -> bool:
        """Whether `require` is Node's own here, or made by `createRequire`."""
        bindings = self.declared("require")
        if bindings is None:
            return True
        value = bindings[-1].value
        if type(value) is not Call:
            return False
        callee = value.callee
        if type(callee) is Member:
            return callee.key == "createRequire"
        return type(callee) is Name and callee.name == "createRequire"

    def new(self, node: Node) -> Value:
        constructor = node.child_by_field_name("constructor")
        given = node.child_by_field_id(self.grammar.arguments)
        span = self.span(node)
        if constructor is None:
            return self.other(node)
        if constructor.type == "identifier":
            # `new require("m")(x)` calls what the module is: `new` only reaches as far as the first parentheses.
            found = self.imported(constructor, node)
            if found is not None:
                return found
        callee = self.value(constructor)
        arguments = self.arguments(given)
        call = Call(callee, arguments, True, span)
        self.calls.append(CallSite(call, self.scope, self.guards, self.loop >= 0))
        return call

    # Operators

    def aside(self, node: Node) -> Value:
        inner = self.looked_through(node)
        return self.other(node) if self.role(inner) == _ASIDE else self.value(inner)

    def sequence(self, node: Node) -> Value:
        value: Value = Unknown(_BROKEN, self.span(node))
        for child in self.kept(node):
            value = self.value(child)
        return value

    def unary(self, node: Node) -> Value:
        return self.applied(node, self.field(node, "argument"), self.span(node))

    def applied(self, node: Node, operand: Value, span: Span) -> Value:
        """What the operator of a unary expression makes of its operand."""
        operator = node.child_by_field_name("operator")
        text = operator.type if operator is not None else ""
        if text == "void":
            return Undefined(span)
        if text == "!":
            return Operation("not", (operand,), span)
        if text == "typeof":
            return Operation("typeof", (operand,), span)
        if text == "delete" and type(operand) in (Member, Index):
            self.write(operand, Undefined(span), "set", span)  # as Python's `del`: the value stands for the statement
        if text in "+-" and type(operand) is Literal and type(operand.value) in (int, float):
            return Literal(-operand.value if text == "-" else operand.value, span)  # type: ignore[operator]
        return Operation("other", (operand,), span)

    def update(self, node: Node) -> Value:
        target = node.child_by_field_name("argument")
        span = self.span(node)
        if target is None:
            return self.other(node)
        target = self.looked_through(target)
        found = self.value(target)
        changed = Operation("other", (found,), span)
        if type(found) is Name:
            self.assign(found.name, changed, found.span)
        elif type(found) in (Member, Index):
            self.write(found, changed, "set", span)
        return changed

    def ternary(self, node: Node) -> Value:
        depth = self.depth
        budget = max(DEEPEST - depth, 1)
        guards = self.guards
        branches: list[tuple[Value, Value, Span]] = []
        while True:
            self.depth = depth + len(branches) % budget
            test = self.field(node, "condition")
            outer = self.guards
            self.guards = _and(outer, test, True)
            yes = self.field(node, "consequence")
            self.guards = _and(outer, test, False)
            branches.append((test, yes, self.span(node)))
            alternative = node.child_by_field_name("alternative")
            if alternative is None:
                no: Value = Unknown(_BROKEN, self.span(node))
                break
            inner = self.looked_through(alternative)
            if self.role(inner) != _TERNARY:
                no = self.value(inner)
                break
            node = inner
        self.depth = depth
        self.guards = guards
        for at in range(len(branches) - 1, -1, -1):
            test, yes, span = branches[at]
            no = Choice(test, yes, no, span)
            if at and at % budget == 0:
                no = Unknown(_TOO_DEEP, span)
        return no

    def binary(self, node: Node) -> Value:
        """`a + b + c`, from the left: runs of one operator that may be put together are one value."""
        start = node.start_byte
        runs: list[tuple[str, list[tuple[Node | None, int]]]] = []
        while self.role(node) == _BINARY:
            left = node.child_by_field_id(self.grammar.left)
            operator = node.child_by_field_name("operator")
            text = operator.type if operator is not None else ""
            step = (node.child_by_field_id(self.grammar.right), node.end_byte)
            if text not in ("+", "&&", "||", "??") and text not in _COMPARISONS:
                text = "other"
            if runs and runs[-1][0] == text and text in ("+", "&&", "other"):
                runs[-1][1].append(step)
            else:
                runs.append((text, [step]))
            if left is None:
                break
            node = left
        depth = self.depth
        budget = max(DEEPEST - depth, 1)
        guards = self.guards
        distance = len(runs)
        self.depth = depth + distance % budget if distance < budget else depth
        value = self.value(node) if self.role(node) != _BINARY else Unknown(_BROKEN, self.span(node))
        passed: tuple[Guard, ...] | None = None
        for text, steps in reversed(runs):
            distance -= 1
            self.depth = depth + distance % budget
            steps.reverse()
            if text == "||":
                # `a || b || c`: c is only looked at where neither a nor b would do.
                self.guards = _and(passed if passed is not None else guards, _last_tried(value), False)
                passed = self.guards
            else:
                passed = None
                self.guards = guards
            value = self.run(text, value, steps, start)
            if distance and distance % budget == 0:
                value = Unknown(_TOO_DEEP, value.span)
        self.depth = depth
        self.guards = guards
        return value

    def run(self, text: str, first: Value, steps: list[tuple[Node | None, int]], start: int) -> Value:
        """One run of an operator: its first operand is read already."""
        span = Span(self.path, start, steps[-1][1])
        if text == "&&":
            operands = [first]
            for node, _ in steps:
                self.guards = _and(self.guards, operands[-1], True)
                operands.append(self.operand(node, span))
            return Operation("and", tuple(operands), span)
        if text == "??":
            self.guards = _and(self.guards, Unknown("only where it is missing", first.span), True)
        values = [self.operand(node, span) for node, _ in steps]
        if text == "||":
            return Fallback(first, values[0], "falsy", span)
        if text == "??":
            return Fallback(first, values[0], "missing", span)
        if text == "+":
            return self.sum(first, values, [end for _, end in steps], start)
        return Operation(_COMPARISONS.get(text, "other"), (first, *values), span)

    def operand(self, node: Node | None, whole: Span) -> Value:
        return self.value(node) if node is not None else Unknown(_BROKEN, whole)

    def sum(self, first: Value, values: list[Value], ends: list[int], start: int) -> Value:
        """`+` from the left: numbers are added until something may be a string, from there on all is put together."""
        at = 0
        if _is_number(first):
            while at < len(values) and _is_number(values[at]):
                at += 1
            if at:
                first = Operation("other", (first, *values[:at]), Span(self.path, start, ends[at - 1]))
        if at == len(values):
            return first
        return Concat((first, *values[at:]), Span(self.path, start, ends[-1]))

    def assignment(self, node: Node) -> Value:
        """`a = b = c`: all the targets get the last value."""
        targets: list[tuple[Node, Node]] = []
        while True:
            left, right = node.child_by_field_name("left"), node.child_by_field_name("right")
            if left is None or right is None:
                return self.other(node)
            targets.append((left, node))
            node = self.looked_through(right)
            if node.type != "assignment_expression":
                break
        value = self.value(node)
        for left, whole in reversed(targets):
            using = whole.children[0].type == "using"
            self.bind(left, value, self.names if using else -1, whole)
        return value

    def augmented(self, node: Node) -> Value:
        left, right = node.child_by_field_name("left"), node.child_by_field_name("right")
        operator = node.child_by_field_name("operator")
        if left is None or right is None or operator is None:
            return self.other(node)
        text = operator.type
        target = self.value(self.looked_through(left))
        span = self.span(node)
        guards = self.guards
        if text == "||=":
            self.guards = _and(guards, target, False)
        elif text == "&&=":
            self.guards = _and(guards, target, True)
        elif text == "??=":
            self.guards = _and(guards, Unknown("only where it is missing", target.span), True)
        given = self.value(right)
        self.guards = guards
        value: Value
        if text == "||=":
            value = Fallback(target, given, "falsy", span)
        elif text == "??=":
            value = Fallback(target, given, "missing", span)
        elif text == "&&=":
            value = Operation("and", (target, given), span)
        elif text == "+=":
            value = Concat((target, given), span)
        else:
            value = Operation("other", (target, given), span)
        if type(target) is Name:
            self.assign(target.name, value, target.span)
        elif type(target) in (Member, Index):
            if text == "+=":
                self.write(target, given, "append", span)
            else:
                self.write(target, value, "set", span)
        return value

    # Functions

    def arrow(self, node: Node) -> Value:
        return self.callable(node, "", self.this)

    def function_expression(self, node: Node) -> Value:
        name = node.child_by_field_id(self.grammar.name)
        if name is None:
            return self.callable(node, "", -1)
        text = self.text(name)
        function = self.callable(node, text, -1)
        # Its own name is only known inside of it, unless something there has the same name.
        own = self.scopes[function.scope].bindings
        if text not in own:
            own[text] = [Binding(function, self.span(name), ())]
        return function

    def callable(self, node: Node, name: str, this: int, owner: int = -1) -> Function:
        """A function of any kind: its scope, parameters and ways out. `owner`: the class whose constructor it is."""
        span = self.span(node)
        scope = self.open("function", span)
        kept = self.scope, self.names, self.vars, self.this, self.loop, self.returns, self.throws, self.guards
        self.scope = self.names = self.vars = scope
        self.this, self.loop, self.guards = this, -1, ()
        returns: list[Return] = []
        throws: list[Return] = []
        self.returns, self.throws = returns, throws
        names: list[str] = []
        parameters = node.child_by_field_name("parameters")
        if parameters is not None:
            for child in parameters.named_children:
                if self.role(child) != _COMMENT:
                    self.parameter(child, span, names, owner)
        else:
            only = node.child_by_field_name("parameter")
            if only is not None:
                self.parameter(only, span, names, owner)
        body = node.child_by_field_id(self.grammar.body)
        if body is None:
            pass
        elif body.type == "statement_block":
            if self.depth < DEEPEST:
                self.depth += 1
                self.statements(body.children)
                self.depth -= 1
            else:
                returns.append(Return(Unknown(_TOO_DEEP, self.span(body)), ()))
        else:
            returns.append(Return(self.value(body), ()))
        self.scope, self.names, self.vars, self.this, self.loop, self.returns, self.throws, self.guards = kept
        if _is_generator(node):
            returns, throws = [Return(Unknown("generator", span), ())], []
        asynchronous = any(child.type == "async" for child in node.children)
        return Function(name, tuple(names), scope, tuple(returns), span, asynchronous, tuple(throws))

    def parameter(self, node: Node, function: Span, names: list[str], owner: int) -> None:
        pattern: Node | None = node
        default: Node | None = None
        kind = node.type
        if kind in ("required_parameter", "optional_parameter"):
            pattern, default = node.child_by_field_name("pattern"), node.child_by_field_name("value")
        elif kind == "assignment_pattern":
            pattern, default = node.child_by_field_name("left"), node.child_by_field_name("right")
        if pattern is None or pattern.type == "this":
            return
        place = self.span(pattern)
        position = len(names)
        if pattern.type == "rest_pattern":
            names.append("")
            for child in self.kept(pattern):
                self.bind(child, Unknown("all further arguments", place), self.scope, node)
            return
        text = self.text(pattern) if pattern.type == "identifier" else ""
        names.append(text)
        if kind in ("required_parameter", "optional_parameter"):
            self.decorators(node, text, place)
        value: Value = Parameter(function, position, text, place)
        if default is not None:
            value = Fallback(value, self.default(default), "missing", self.span(node))
        self.bind(pattern, value, self.scope, node)
        if owner >= 0 and text and _is_property(node):
            self.declare(text, value, place, owner)

    def function_declaration(self, node: Node) -> _Exits:
        name = node.child_by_field_id(self.grammar.name)
        text = self.text(name) if name is not None else ""
        function = self.callable(node, text, -1)
        if name is not None and text:
            self.declare(text, function, self.span(name), self.names, hoisted=True)
        return ()

    # Classes

    def decorators(self, node: Node, target: str, place: Span, more: Iterable[Node] = ()) -> None:
        """Note the decorators that stand in or before a class, a member or a parameter."""
        for child in (*more, *node.children):
            if child.type == "decorator":
                inner = self.inner(child)
                if inner is not None:
                    self.decorations.append(Decoration(self.value(inner), target, place, self.scope))

    def class_value(self, node: Node) -> Value:
        name = node.child_by_field_id(self.grammar.name)
        if name is None:
            return self.a_class(node, ())
        # The name of a class expression is known inside of it only.
        names = self.names
        scope = self.enter(self.span(node))
        value = self.a_class(node, ())
        self.declare(self.text(name), value, self.span(name), self.names, hoisted=True)
        self.scope, self.names = scope, names
        return value

    def class_declaration(self, node: Node) -> _Exits:
        self.declared_class(node, ())
        return ()

    def declared_class(self, node: Node, decorators: Iterable[Node]) -> str | None:
        """A class that is a statement, and its name."""
        value = self.a_class(node, decorators)
        name = node.child_by_field_id(self.grammar.name)
        if name is None:
            return None
        text = self.text(name)
        self.declare(text, value, self.span(name), self.names, hoisted=True)
        return text

    def a_class(self, node: Node, decorators: Iterable[Node]) -> This:
        span = self.span(node)
        name = node.child_by_field_id(self.grammar.name)
        self.decorators(
            node, self.text(name) if name is not None else "", self.span(name if name is not None else node), decorators
        )
        base: Value | None = None
        for child in node.children:
            if child.type == "class_heritage":
                base = self.heritage(child)
        scope = self.open("class", span)
        self.scopes[scope].base = 0
        kept = self.scope, self.this, self.guards, self.loop, self.vars
        self.scope, self.this, self.guards, self.loop = scope, scope, (), -1
        if base is not None:
            self.declare("*", base, base.span, scope)
        body = node.child_by_field_id(self.grammar.body)
        if body is not None and self.depth < DEEPEST:
            self.depth += 1
            self.class_body(body, scope)
            self.depth -= 1
        self.scope, self.this, self.guards, self.loop, self.vars = kept
        return This(scope, span)

    def heritage(self, node: Node) -> Value | None:
        for child in self.kept(node):
            if child.type == "extends_clause":
                base = child.child_by_field_name("value")
                return self.value(base) if base is not None else None
            if child.type != "implements_clause":
                return self.value(child)
        return None

    def class_body(self, body: Node, scope: int) -> None:
        decorators: list[Node] = []
        for child in body.named_children:
            kind = child.type
            if kind == "decorator":
                decorators.append(child)
                continue
            if kind == "method_definition":
                self.method(child, scope, decorators)
            elif kind in ("field_definition", "public_field_definition"):
                self.class_field(child, scope, decorators)
            elif kind == "class_static_block":
                self.static_block(child)
            elif self.role(child) == _ERROR:
                self.broken_statement(child)
            elif self.role(child) == _COMMENT:
                continue
            decorators = []

    def method(self, node: Node, scope: int, decorators: list[Node]) -> None:
        name = node.child_by_field_id(self.grammar.name)
        if name is None:
            return
        text, _ = self.key(name)
        place = self.span(name)
        self.decorators(node, text or "", place, decorators)
        function = self.callable(node, text or "", scope, scope if text == "constructor" else -1)
        accessor = _accessor(node)
        if text is not None and accessor != "set":
            value: Value = Call(function, (), False, function.span) if accessor == "get" else function
            self.declare(text, value, place, scope)

    def class_field(self, node: Node, scope: int, decorators: list[Node]) -> None:
        name = node.child_by_field_name("name") or node.child_by_field_name("property")
        if name is None:
            return
        text, _ = self.key(name)
        self.decorators(node, text or "", self.span(name), decorators)
        given = node.child_by_field_id(self.grammar.value)
        if given is not None:
            value = self.value(given)
            if text is not None:
                self.declare(text, value, self.span(name), scope)

    def static_block(self, node: Node) -> None:
        body = node.child_by_field_id(self.grammar.body)
        if body is not None:
            kept = self.names
            scope = self.enter(self.span(body))
            outer, self.vars = self.vars, self.names
            self.statements(body.children)
            self.vars = outer
            self.scope, self.names = scope, kept

    # Statements

    def enter(self, span: Span) -> int:
        """Open a block scope and go into it; the scope to go back to."""
        before = self.scope
        self.scope = self.names = self.open("block", span)
        return before

    def statement(self, node: Node) -> _Exits:
        depth = self.depth
        if depth >= DEEPEST:
            return ()
        kind = node.kind_id
        handler = self.grammar.statements[kind if kind != 65535 else -1]
        if handler is None:
            return ()
        self.depth = depth + 1
        exits = handler(self, node)
        self.depth = depth
        return exits

    def statements(self, nodes: Iterable[Node]) -> _Exits:
        """A list of statements: what may leave early puts a test before what follows."""
        if self.depth >= DEEPEST:
            return ()
        guards = self.guards
        exits: _Exits = ()
        handlers = self.grammar.statements
        self.depth += 1
        for node in nodes:
            kind = node.kind_id
            handler = handlers[kind if kind != 65535 else -1]
            if handler is None:
                continue
            if self.conditional:
                left = self.templated(handler, node)
            else:
                left = handler(self, node)
            if left:
                span = self.span(node)
                exits = _few(exits + left, span)
                self.guards = _after(self.guards, left, span)
        self.depth -= 1
        self.guards = guards
        return exits

    def templated(self, handler: Callable[[_Reader, Node], _Exits], node: Node) -> _Exits:
        """A statement that a template language may leave out."""
        at = bisect_right(self.conditional_starts, node.start_byte) - 1
        if at < 0 or self.conditional[at][1] <= node.start_byte:
            return handler(self, node)
        guards = self.guards
        test = Guard(Unknown("a template decides", self.span(node)), True)
        self.guards = _and(guards, test.test, True)
        left = handler(self, node)
        self.guards = guards
        return _behind((test,), left)

    def block(self, node: Node) -> _Exits:
        children = node.children
        if not any(child.type in _DECLARES for child in children):
            return self.statements(children)
        names = self.names
        scope = self.enter(self.span(node))
        exits = self.statements(children)
        self.scope, self.names = scope, names
        return exits

    def expression(self, node: Node) -> _Exits:
        value: Value | None = None
        for child in node.children:
            if child.is_named and self.role(child) != _COMMENT:
                value = self.value(child)
        if type(value) is Reference:
            self.declare("", value, value.span, 0)
        elif (
            type(value) is Call
            and type(value.callee) is Member
            and value.callee.key == "exit"
            and type(value.callee.base) is Name
            and value.callee.base.name == "process"
        ):
            return (("return", ()),)
        return ()

    def broken_statement(self, node: Node) -> _Exits:
        """A piece that does not parse: what can be read in it is read."""
        if self.depth >= DEEPEST:
            return ()
        self.depth += 1
        kept = self.guards
        handlers = self.grammar.statements
        for child in node.named_children:
            role = self.role(child)
            if role == _COMMENT:
                continue
            if role == _ERROR:
                self.broken_statement(child)
                continue
            handler = handlers[child.kind_id]
            if handler is not None:
                handler(self, child)
            elif child.type == "variable_declarator":
                self.declarator(child, self.names)
            elif child.type == "pair":
                key, part = child.child_by_field_name("key"), child.child_by_field_name("value")
                if key is not None and key.type == "computed_property_name":
                    self.value(key)
                if part is not None:
                    self.value(part)
            elif child.type == "arguments":
                self.arguments(child)
            elif not child.type.endswith("_pattern"):
                self.value(child)
        self.guards = kept
        self.depth -= 1
        return ()

    def lexical(self, node: Node) -> _Exits:
        for child in node.named_children:
            if child.type == "variable_declarator":
                self.declarator(child, self.names)
            elif self.role(child) == _ERROR:
                self.broken_statement(child)
        return ()

    def variable(self, node: Node) -> _Exits:
        for child in node.named_children:
            if child.type == "variable_declarator":
                self.declarator(child, self.vars)
            elif self.role(child) == _ERROR:
                self.broken_statement(child)
        return ()

    def declarator(self, node: Node, scope: int) -> None:
        target, given = node.child_by_field_id(self.grammar.name), node.child_by_field_id(self.grammar.value)
        if target is None:
            return
        if given is not None:
            value = self.value(given)
        else:
            if self.text(target) in self.scopes[scope].bindings:
                return  # `var x;` again changes nothing
            value = Undefined(self.span(target))
        self.bind(target, value, scope, node)

    def if_statement(self, node: Node) -> _Exits:
        kept = self.guards
        exits: _Exits = ()
        # The tests before the current branch that a way out must name: those of branches that did not leave.
        before: tuple[Guard, ...] = ()
        span = self.span(node)
        while True:
            condition = node.child_by_field_name("condition")
            test = self.value(condition) if condition is not None else Unknown(_BROKEN, self.span(node))
            outer = self.guards
            consequence = node.child_by_field_name("consequence")
            left: _Exits = ()
            if consequence is not None:
                self.guards = _and(outer, test, True)
                left = self.statement(consequence)
            exits = _few(exits + _behind((*before, Guard(test, True)), left), span)
            if not _always(left):
                before = (*before, Guard(test, False)) if len(before) <= _MOST_PATHS else before
            self.guards = _and(outer, test, False)
            alternative = node.child_by_field_name("alternative")
            if alternative is None:
                break
            otherwise = self.kept(alternative)
            if len(otherwise) == 1 and otherwise[0].type == "if_statement":
                node = otherwise[0]
                continue
            for each in otherwise:
                exits = _few(exits + _behind(before, self.statement(each)), span)
            break
        self.guards = kept
        return exits

    def looped(self, node: Node, body: Node | None, test: Value | None) -> _Exits:
        """The body of a loop, and what leaves the loop from inside."""
        if body is None:
            return ()
        guards = self.guards
        if test is not None:
            self.guards = _and(guards, test, True)
        left = self.statement(body)
        self.guards = guards
        unknown = (Guard(Unknown("loop", self.span(node)), True),)
        return tuple((where, (*unknown, *tests)) for where, tests in left if where not in ("break", "continue"))

    def loop_begins(self, node: Node) -> int:
        before = self.loop
        if before < 0:
            self.loop = node.start_byte
        return before

    def while_statement(self, node: Node) -> _Exits:
        before = self.loop_begins(node)
        test = self.field(node, "condition")
        exits = self.looped(node, node.child_by_field_name("body"), test)
        self.loop = before
        return exits

    def do_statement(self, node: Node) -> _Exits:
        before = self.loop_begins(node)
        exits = self.looped(node, node.child_by_field_name("body"), None)
        self.field(node, "condition")
        self.loop = before
        return exits

    def for_statement(self, node: Node) -> _Exits:
        initializer = node.child_by_field_name("initializer")
        names, scope = self.names, self.scope
        if initializer is not None and initializer.type == "lexical_declaration":
            self.enter(self.span(node))
        counter = self.counter(initializer, node.child_by_field_name("increment"))
        if counter is not None:
            self.bind(counter, Unknown("each item of a loop", self.span(counter)), self.names, node)
        elif initializer is not None:
            if self.grammar.statements[initializer.kind_id if initializer.kind_id != 65535 else -1] is not None:
                self.statement(initializer)
            else:
                self.value(initializer)
        before = self.loop_begins(node)
        for name in ("condition", "increment"):
            part = node.child_by_field_name(name)
            if part is not None and part.is_named and not (name == "increment" and counter is not None):
                if part.type in ("expression_statement", "empty_statement"):
                    self.statement(part)
                else:
                    self.value(part)
        exits = self.looped(node, node.child_by_field_name("body"), None)
        self.loop = before
        self.scope, self.names = scope, names
        return exits

    def counter(self, initializer: Node | None, increment: Node | None) -> Node | None:
        """The name that `for (let i = 0; ...; i++)` counts with; None for every other head."""
        if initializer is None or initializer.type != "lexical_declaration" or increment is None:
            return None
        declared = self.kept(initializer)
        counted = increment.child_by_field_name("argument") if increment.type == "update_expression" else None
        if len(declared) != 1 or counted is None or counted.type != "identifier":
            return None
        name, begin = (declared[0].child_by_field_name(field) for field in ("name", "value"))
        if name is None or begin is None or self.text(name) != self.text(counted) or self.text(begin) != "0":
            return None
        operator = increment.child_by_field_name("operator")
        return name if operator is not None and operator.type == "++" else None

    def for_in_statement(self, node: Node) -> _Exits:
        names, scope = self.names, self.scope
        items = self.field(node, "right")
        operator = node.child_by_field_name("operator")
        kind, left = node.child_by_field_name("kind"), node.child_by_field_name("left")
        declares = kind.type if kind is not None else ""
        if declares and declares != "var":
            self.enter(self.span(node))
        before = self.loop_begins(node)
        if left is not None:
            target = self.vars if declares == "var" else self.names if declares else -1
            turn: Value = Unknown("each item of a loop", self.span(left))
            if operator is not None and operator.type == "of":
                turn = Index(items, turn, self.span(left))
            self.bind(left, turn, target, node)
        exits = self.looped(node, node.child_by_field_name("body"), None)
        self.loop = before
        self.scope, self.names = scope, names
        return exits

    def try_statement(self, node: Node) -> _Exits:
        body, handler, finalizer = (node.child_by_field_name(name) for name in ("body", "handler", "finalizer"))
        thrown = len(self.throws)
        exits = self.statement(body) if body is not None else ()
        if handler is not None:
            del self.throws[thrown:]
            exits = self.caught(handler, exits)
        if finalizer is not None:
            last = finalizer.child_by_field_name("body")
            if last is not None:
                exits += self.statement(last)
        return _few(exits, self.span(node))

    def caught(self, handler: Node, exits: _Exits) -> _Exits:
        span = self.span(handler)
        exception = Unknown("exception", span)
        parameter, body = handler.child_by_field_name("parameter"), handler.child_by_field_name("body")
        names, scope, guards = self.names, self.scope, self.guards
        self.guards = _and(guards, exception, True)
        if parameter is not None:
            self.enter(span)
            self.bind(parameter, Unknown("exception", self.span(parameter)), self.names, handler)
        left = self.statement(body) if body is not None else ()
        self.scope, self.names, self.guards = scope, names, guards
        exits = tuple((where, tests) for where, tests in exits if where != "throw")
        if _always(exits) and not _always(left):
            # Where nothing goes wrong the body leaves; what follows is only reached after an exception.
            exits = tuple((where, tests or (Guard(exception, False),)) for where, tests in exits)
        elif _always(exits) and _always(left):
            return exits
        return exits + _behind((Guard(exception, True),), left)

    def switch_statement(self, node: Node) -> _Exits:
        subject = self.field(node, "value")
        body = node.child_by_field_name("body")
        if body is None:
            return ()
        names, scope, guards = self.names, self.scope, self.guards
        cases = [child for child in body.named_children if child.type in ("switch_case", "switch_default")]
        if any(part.type in _DECLARES for case in cases for part in case.children):
            self.enter(self.span(body))
        labels = [self.field(case, "value") if case.type == "switch_case" else None for case in cases]
        written = [label for label in labels if label is not None]
        exits: _Exits = ()
        reached: list[Value | None] = []
        for case, label in zip(cases, labels, strict=True):
            reached.append(label)
            test = self.case_test(subject, reached, written, self.span(case))
            self.guards = _and(guards, test.test, test.holds)
            parts = case.children
            if label is not None:
                parts = parts[next((at for at, part in enumerate(parts) if part.type == ":"), 0) + 1 :]
            left = self.statements(parts)
            exits = _few(
                exits + _behind((test,), tuple(each for each in left if each[0] != "break")), self.span(case)
            )  # fmt: skip
            if _always(left):
                reached = []
        self.scope, self.names, self.guards = scope, names, guards
        return exits

    def case_test(self, subject: Value, reached: list[Value | None], written: list[Value], place: Span) -> Guard:
        """The test that leads to a case. A span of its own keeps it apart from every written expression."""
        span = place.before()
        if len(reached) > MOST_GUARDS or len(written) > MOST_GUARDS * 10:
            return Guard(Unknown("switch", span), True)
        if None not in reached:
            labels = [label for label in reached if label is not None]
            holds = True
        else:
            # `default` takes what no other case names; the cases that fall into it do not count against it.
            labels = [label for label in written if not any(label is each for each in reached)]
            holds = False
            if not labels:
                return Guard(Literal(True, span), True)
        if len(labels) == 1:
            return Guard(Operation("==", (subject, labels[0]), span), holds)
        return Guard(Operation("in", (subject, Sequence(tuple(labels), span)), span), holds)

    def labeled(self, node: Node) -> _Exits:
        label, body = node.child_by_field_name("label"), node.child_by_field_name("body")
        if body is None:
            return ()
        name = self.text(label) if label is not None else ""
        return tuple(each for each in self.statement(body) if each[0] not in (f"break:{name}", f"continue:{name}"))

    def jump(self, node: Node) -> _Exits:
        label = node.child_by_field_name("label")
        where = node.type.removesuffix("_statement")
        return ((f"{where}:{self.text(label)}" if label is not None else where, ()),)

    def return_statement(self, node: Node) -> _Exits:
        children = self.kept(node)
        value: Value = self.value(children[0]) if children else Undefined(self.span(node))
        self.returns.append(Return(value, self.guards))
        return (("return", ()),)

    def throw_statement(self, node: Node) -> _Exits:
        for child in self.kept(node):
            self.value(child)
        self.throws.append(Return(Unknown("thrown", self.span(node)), self.guards))
        return (("throw", ()),)

    def with_statement(self, node: Node) -> _Exits:
        self.field(node, "object")
        body = node.child_by_field_name("body")
        return self.statement(body) if body is not None else ()

    # Modules

    def import_statement(self, node: Node) -> _Exits:
        source = self.string_text(node.child_by_field_name("source"))
        clause: Node | None = None
        for child in node.children:
            if child.type == "type" or child.type == "typeof":
                return ()  # types are gone at run time
            if child.type in ("import_clause", "import_require_clause"):
                clause = child
        if clause is None:
            if source is not None:
                self.declare("", Reference(source, "*", self.span(node)), self.span(node), 0)
            return ()
        if clause.type == "import_require_clause":
            source = self.string_text(clause.child_by_field_name("source"))
        if source is None:
            return ()
        for child in clause.named_children:
            kind = child.type
            if kind == "identifier":
                name = "*" if clause.type == "import_require_clause" else "default"
                self.declare(self.text(child), Reference(source, name, self.span(child)), self.span(child), self.names)
            elif kind == "namespace_import":
                for each in child.named_children:
                    if each.type == "identifier":
                        self.declare(
                            self.text(each), Reference(source, "*", self.span(each)), self.span(each), self.names
                        )
            elif kind == "named_imports":
                for each in child.named_children:
                    if each.type == "import_specifier":
                        self.import_specifier(each, source)
        return ()

    def import_specifier(self, node: Node, source: str) -> None:
        if any(child.type in ("type", "typeof") and not child.is_named for child in node.children):
            return
        name, alias = node.child_by_field_id(self.grammar.name), node.child_by_field_name("alias")
        if name is None:
            return
        exported = self.specifier_text(name)
        local = alias if alias is not None else name
        if exported is not None and local.type == "identifier":
            self.declare(self.text(local), Reference(source, exported, self.span(node)), self.span(local), self.names)

    def specifier_text(self, node: Node) -> str | None:
        return self.string_text(node) if node.type == "string" else self.text(node)

    def import_alias(self, node: Node) -> _Exits:
        """`import a = b.c` (TypeScript)."""
        children = self.kept(node)
        if len(children) == 2:
            self.declare(self.text(children[0]), self.entity(children[1]), self.span(children[0]), self.names)
        return ()

    def entity(self, node: Node) -> Value:
        path: list[Node] = []
        while node.type == "nested_identifier":
            first, last = node.child_by_field_name("object"), node.child_by_field_name("property")
            if first is None or last is None:
                return Unknown(_BROKEN, self.span(node))
            path.append(last)
            node = first
        if len(path) > DEEPEST:
            return Unknown(_TOO_DEEP, self.span(node))
        value = self.value(node)
        for part in reversed(path):
            value = Member(value, self.text(part), self.span(part), Span(self.path, value.span.start, part.end_byte))
        return value

    def export(self, name: str, value: Value) -> None:
        if self.namespace is None:
            self.exports.append(Export(name, value))
        else:
            self.namespace.append(Entry(name, value, value.span, value.span))

    def export_statement(self, node: Node) -> _Exits:
        source = self.string_text(node.child_by_field_name("source"))
        is_default = star = False
        clause: Node | None = None
        for child in node.children:
            kind = child.type
            if kind == "default":
                is_default = True
            elif kind == "*":
                star = True
            elif kind == "type":
                return ()
            elif kind in ("export_clause", "namespace_export"):
                clause = child
            elif kind == "=":
                for each in self.kept(node):
                    self.export("=", self.value(each))
                return ()
        declaration, value = node.child_by_field_name("declaration"), node.child_by_field_name("value")
        if declaration is not None:
            self.export_declaration(node, declaration, is_default)
        elif value is not None:
            self.export("default", self.exported_value(node, value))
        elif clause is not None and clause.type == "namespace_export":
            if source is not None:
                for each in self.kept(clause):
                    self.export(self.specifier_text(each) or "", Reference(source, "*", self.span(each)))
        elif clause is not None:
            self.export_clause(clause, source)
        elif star and source is not None:
            self.export("*", Reference(source, "*", self.span(node)))
        return ()

    def exported_value(self, node: Node, value: Node) -> Value:
        if value.type == "class":
            return self.a_class(value, [child for child in node.children if child.type == "decorator"])
        return self.value(value)

    def export_clause(self, clause: Node, source: str | None) -> None:
        for each in clause.named_children:
            if each.type != "export_specifier":
                continue
            if any(child.type == "type" and not child.is_named for child in each.children):
                continue
            name, alias = each.child_by_field_id(self.grammar.name), each.child_by_field_name("alias")
            if name is None:
                continue
            local = self.specifier_text(name)
            exported = self.specifier_text(alias) if alias is not None else local
            if local is None or exported is None:
                continue
            if source is not None:
                self.export(exported, Reference(source, local, self.span(each)))
            else:
                self.export(exported, Name(local, self.names, self.span(name)))

    def export_declaration(self, node: Node, declaration: Node, is_default: bool) -> None:
        kind = declaration.type
        if kind in ("class_declaration", "abstract_class_declaration", "class"):
            decorators = [child for child in node.children if child.type == "decorator"]
            name = self.declared_class(declaration, decorators)
            place = declaration.child_by_field_id(self.grammar.name)
            if name is not None and place is not None:
                self.export("default" if is_default else name, Name(name, self.names, self.span(place)))
            return
        self.statement(declaration)
        if kind in ("lexical_declaration", "variable_declaration"):
            for child in declaration.named_children:
                if child.type == "variable_declarator":
                    target = child.child_by_field_id(self.grammar.name)
                    for each in self.bound_names(target) if target is not None else ():
                        self.export(self.text(each), Name(self.text(each), self.names, self.span(each)))
            return
        named = declaration.child_by_field_id(self.grammar.name)
        if kind == "import_alias":
            named = next(iter(self.kept(declaration)), None)
        elif kind not in (
            "function_declaration", "generator_function_declaration", "enum_declaration", "internal_module", "module",
        ):  # fmt: skip
            return
        if named is not None and named.type == "identifier":
            text = self.text(named)
            self.export("default" if is_default else text, Name(text, self.names, self.span(named)))

    def bound_names(self, pattern: Node) -> list[Node]:
        """The names that a pattern binds, in text order."""
        found: list[Node] = []
        pending = [pattern]
        while pending:
            node = pending.pop()
            kind = node.type
            if kind in ("identifier", "shorthand_property_identifier_pattern"):
                found.append(node)
            elif kind in ("assignment_pattern", "object_assignment_pattern"):
                pending += [each for each in (node.child_by_field_name("left"),) if each is not None]
            elif kind == "pair_pattern":
                pending += [each for each in (node.child_by_field_name("value"),) if each is not None]
            elif kind in ("object_pattern", "array_pattern", "rest_pattern"):
                pending += reversed(node.named_children)
        return found

    # TypeScript

    def enum(self, node: Node) -> _Exits:
        """An enum is the object of its members; a member without a value is one more than the one before."""
        name, body = node.child_by_field_id(self.grammar.name), node.child_by_field_id(self.grammar.body)
        if name is None or body is None:
            return ()
        items: list[Entry | Spread] = []
        following: int | None = 0
        for child in self.kept(body):
            key = child.child_by_field_id(self.grammar.name) if child.type == "enum_assignment" else child
            given = child.child_by_field_id(self.grammar.value) if child.type == "enum_assignment" else None
            if key is None:
                continue
            text, _ = self.key(key)
            value: Value
            if given is not None:
                value = self.value(given)
                following = value.value + 1 if type(value) is Literal and type(value.value) is int else None
            elif following is not None:
                value = Literal(following, self.span(key))
                following += 1
            else:
                value = Unknown("enum member", self.span(key))
            items.append(Entry(text, value, self.span(key), self.span(child)))
        self.declare(self.text(name), Mapping(tuple(items), self.span(node)), self.span(name), self.names)
        return ()

    def namespace_statement(self, node: Node) -> _Exits:
        """`namespace N { export const x = 1 }` is an object of what it exports."""
        name, body = node.child_by_field_id(self.grammar.name), node.child_by_field_id(self.grammar.body)
        if body is None or name is None or name.type != "identifier" or self.depth >= DEEPEST:
            return ()
        names, kept, outer = self.names, self.namespace, self.vars
        exported: list[Entry] = []
        self.namespace = exported
        scope = self.enter(self.span(body))
        self.vars = self.names
        self.depth += 1
        self.statements(body.children)
        self.depth -= 1
        self.scope, self.names, self.namespace, self.vars = scope, names, kept, outer
        items: tuple[Entry | Spread, ...] = tuple(exported)
        self.declare(self.text(name), Mapping(items, self.span(node)), self.span(name), self.names, hoisted=True)
        return ()

    def namespace_value(self, node: Node) -> Value:
        self.namespace_statement(node)
        return Unknown("namespace", self.span(node))


def _place(binding: Binding) -> int:
    return binding.span.start


def _accessor(node: Node) -> str:
    """`get` or `set` for an accessor, else ""."""
    for child in node.children:
        if child.is_named and child.type not in ("decorator", "accessibility_modifier", "override_modifier", "comment"):
            return ""
        if child.type in ("get", "set") and not child.is_named:
            return child.type
    return ""


def _is_generator(node: Node) -> bool:
    if node.type in ("generator_function", "generator_function_declaration"):
        return True
    return node.type == "method_definition" and any(child.type == "*" for child in node.children)


def _is_property(node: Node) -> bool:
    """Whether a constructor's parameter is a field as well: `constructor(private readonly io: Server)`."""
    return any(child.type in ("accessibility_modifier", "readonly", "override_modifier") for child in node.children)


def _key_text(value: Value) -> str | None:
    """The property key that a literal is."""
    if type(value) is not Literal or isinstance(value.value, bool):
        return None
    return value.value if isinstance(value.value, str) else number_key(value.value)


def _is_number(value: Value) -> bool:
    if type(value) is Operation:
        return value.operator == "other"
    return type(value) is Literal and type(value.value) in (int, float)


def _last_tried(value: Value) -> Value:
    """What was looked at last on the way to a further `||`."""
    return value.then if type(value) is Fallback and value.on == "falsy" else value


_VALUES: dict[str, Callable[[_Reader, Node], Value]] = {
    "identifier": _Reader.identifier,
    "shorthand_property_identifier": _Reader.identifier,
    "this": _Reader.this_value,
    "true": _Reader.true,
    "false": _Reader.false,
    "null": _Reader.null,
    "undefined": _Reader.undefined,
    "number": _Reader.number,
    "string": _Reader.string,
    "template_string": _Reader.template,
    "regex": _Reader.regex,
    "meta_property": _Reader.meta,
    "array": _Reader.array,
    "object": _Reader.object,
    "member_expression": _Reader.chain,
    "subscript_expression": _Reader.chain,
    "call_expression": _Reader.chain,
    "new_expression": _Reader.new,
    "parenthesized_expression": _Reader.aside,
    "await_expression": _Reader.aside,
    "non_null_expression": _Reader.aside,
    "as_expression": _Reader.aside,
    "satisfies_expression": _Reader.aside,
    "instantiation_expression": _Reader.aside,
    "type_assertion": _Reader.aside,
    "sequence_expression": _Reader.sequence,
    "unary_expression": _Reader.unary,
    "update_expression": _Reader.update,
    "ternary_expression": _Reader.ternary,
    "binary_expression": _Reader.binary,
    "assignment_expression": _Reader.assignment,
    "augmented_assignment_expression": _Reader.augmented,
    "arrow_function": _Reader.arrow,
    "function_expression": _Reader.function_expression,
    "generator_function": _Reader.function_expression,
    "class": _Reader.class_value,
    "internal_module": _Reader.namespace_value,
    "spread_element": _Reader.spread_element,
}

_STATEMENTS: dict[str, Callable[[_Reader, Node], _Exits]] = {
    "expression_statement": _Reader.expression,
    "lexical_declaration": _Reader.lexical,
    "using_declaration": _Reader.lexical,
    "variable_declaration": _Reader.variable,
    "function_declaration": _Reader.function_declaration,
    "generator_function_declaration": _Reader.function_declaration,
    "class_declaration": _Reader.class_declaration,
    "abstract_class_declaration": _Reader.class_declaration,
    "statement_block": _Reader.block,
    "if_statement": _Reader.if_statement,
    "while_statement": _Reader.while_statement,
    "do_statement": _Reader.do_statement,
    "for_statement": _Reader.for_statement,
    "for_in_statement": _Reader.for_in_statement,
    "try_statement": _Reader.try_statement,
    "switch_statement": _Reader.switch_statement,
    "labeled_statement": _Reader.labeled,
    "break_statement": _Reader.jump,
    "continue_statement": _Reader.jump,
    "return_statement": _Reader.return_statement,
    "throw_statement": _Reader.throw_statement,
    "with_statement": _Reader.with_statement,
    "import_statement": _Reader.import_statement,
    "import_alias": _Reader.import_alias,
    "export_statement": _Reader.export_statement,
    "enum_declaration": _Reader.enum,
    "internal_module": _Reader.namespace_statement,
    "module": _Reader.namespace_statement,
}
