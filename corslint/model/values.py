"""Symbolic values: what an expression says, before anyone knows what it will be at run time.

Parsers make them without looking at any other file. `project/link.py` resolves names, imports, members and calls.
Every value carries the span of the expression that wrote it. Compare values by type and fields, never with `==`
across types: these are tuples.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias, Union
from typing import Literal as OneOf

from corslint.records import NamedTuple
from corslint.source import Span

if TYPE_CHECKING:
    from typing import Self, dataclass_transform

    @dataclass_transform(frozen_default=True)
    class Node:
        """What type checkers are told: a class of its own, not a tuple.

        Narrowing a union of two dozen tuples that contain each other takes mypy minutes.
        """

        def _replace(self, **changes: Any) -> Self: ...

else:
    Node = NamedTuple


class Literal(Node):
    """A string, number or boolean written in the source."""

    value: str | bool | int | float
    span: Span


class Null(Node):
    """JavaScript `null`, Python `None`."""

    span: Span


class Undefined(Node):
    """JavaScript `undefined` (also `void 0`). An argument or key that is not there has no value at all."""

    span: Span


class Spread(Node):
    """`...value` in an array, object or call; `*value` and `**value` in Python."""

    value: Value
    span: Span


class Sequence(Node):
    """An array, list, tuple or set display, in order. `immutable`: a tuple, which never equals a list (`() != []`)."""

    items: tuple[Value, ...]
    span: Span
    immutable: bool = False


class Entry(Node):
    """One key of an object or dictionary. `key` is None when the key is computed and not a literal.

    `computed` is then the expression, or a `Spread` of what holds all the keys that have this value.
    """

    key: str | None
    value: Value
    key_span: Span
    span: Span
    computed: Value | None = None


class Mapping(Node):
    """An object or dictionary display; later items win over earlier ones."""

    items: tuple[Entry | Spread, ...]
    span: Span


class Regex(Node):
    """A regular expression. `dialect` decides how it is matched: `ecmascript`, `python` or `pcre`."""

    source: str
    flags: str
    dialect: str
    span: Span


class EnvVar(Node):
    """An environment variable. `required`: the read itself fails when it is missing (`os.environ["X"]`)."""

    name: str
    required: bool
    span: Span


class Fallback(Node):
    """`first`, or `then` where `first` is missing (`??`, a default) or falsy (`||`, Python's `or`)."""

    first: Value
    then: Value
    on: OneOf["missing", "falsy"]
    span: Span


class Choice(Node):
    """`yes` where `test` is truthy, else `no`."""

    test: Value
    yes: Value
    no: Value
    span: Span


class Concat(Node):
    """Strings put together: `+`, template literals, f-strings."""

    parts: tuple[Value, ...]
    span: Span


class Split(Node):
    """`value` cut at `separator`; `trimmed`: white space around each piece is removed."""

    value: Value
    separator: str
    trimmed: bool
    span: Span


class Operation(Node):
    """A boolean or arithmetic operator on its operands.

    `operator` is one of `not`, `and`, `==`, `!=`, `in`, `not in`, `<`, `<=`, `>`, `>=`, `typeof`, or `other`.
    JavaScript's `===` and Python's `is` are `==`. `a || b` and Python's `a or b` are `Fallback(on="falsy")`.
    """

    operator: str
    operands: tuple[Value, ...]
    span: Span


class Return(Node):
    """One way out of a function: the value, and the tests that lead there, outermost first."""

    value: Value
    guards: tuple[Guard, ...]


class Function(Node):
    """A function, arrow function, lambda or method. `scope` is its own scope's index in the file's Reading.

    `parameters` are the names in order; a destructured or rest parameter has the name "". `returns` are in text order;
    a body that can run off its end adds nothing. `span` is the whole function. `asynchronous`: JavaScript's `async`, so
    that whoever calls it gets a promise. `throws` are the ways out by an exception that it raises itself and does not
    catch; their value says nothing but where.
    """

    name: str
    parameters: tuple[str, ...]
    scope: int
    returns: tuple[Return, ...]
    span: Span
    asynchronous: bool = False
    throws: tuple[Return, ...] = ()


class Parameter(Node):
    """The value of a function's parameter: the function's span, and the parameter's position."""

    function: Span
    position: int
    name: str
    span: Span


class Argument(Node):
    """One argument of a call; `keyword` is None for a positional one. A spread argument's value is a `Spread`."""

    value: Value
    keyword: str | None
    span: Span


class Call(Node):
    """The result of a call, and its identity: two values with the same call span are the same instance.

    `construct` is true for JavaScript's `new`. Python classes are called like functions.
    """

    callee: Value
    arguments: tuple[Argument, ...]
    construct: bool
    span: Span


class Name(Node):
    """A name, to be looked up from the scope with index `scope` outwards in the Reading of `span.path`."""

    name: str
    scope: int
    span: Span


class This(Node):
    """`this` or `self` inside a class: the scope index of that class."""

    scope: int
    span: Span


class Reference(Node):
    """Something imported. `name` is the exported name, `default`, or `*` for the module object itself.

    CommonJS `require("m")` and Python's `import m` are `Reference("m", "*")`. `module` is as written (`./config`,
    `..settings`, `socket.io`).
    """

    module: str
    name: str
    span: Span


class Member(Node):
    """`base.key` or `base["key"]`; `key_span` is the key alone."""

    base: Value
    key: str
    key_span: Span
    span: Span


class Index(Node):
    """`base[key]` with a key that is not a literal string."""

    base: Value
    key: Value
    span: Span


class Unknown(Node):
    """A value that cannot be determined; `reason` is for people (`corslint facts`)."""

    reason: str
    span: Span


LOOP_ITEMS = frozenset({"loop", "each item of a loop"})
"""Reasons of the `Unknown` that stands for which turn of a loop it is.

The variable of a loop over `xs` is `Index(xs, Unknown("each item of a loop"))`, the key's span being the variable's.
"""


class Guard(Node):
    """A test on the way to a statement, and whether it held."""

    test: Value
    holds: bool


Value: TypeAlias = Union[
    Literal, Null, Undefined, Spread, Sequence, Mapping, Regex, EnvVar, Fallback, Choice, Concat, Split, Operation,
    Function, Parameter, Call, Name, This, Reference, Member, Index, Unknown,
]  # fmt: skip
