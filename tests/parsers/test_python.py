"""Python source to readings: tables of source text and what is expected, written compactly by `show`."""

from __future__ import annotations

import sys
import time

import pytest

from corslint.model.reading import Binding, CodeReading
from corslint.model.values import (
    Call,
    Choice,
    Concat,
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
from corslint.parsers import python
from corslint.source import SourceFile


def show(value: Value) -> str:
    """A value on one line: `name@scope`, `<module:name>`, `(first || then)`, `?reason`, `fn(a)@scope{returns}`."""
    match value:
        case Literal(value=literal):
            return repr(literal)
        case Null():
            return "None"
        case Undefined():
            return "undefined"
        case Spread():
            return f"*{show(value.value)}"
        case Sequence():
            return f"[{', '.join(map(show, value.items))}]"
        case Mapping():
            entries = [
                show(item) if isinstance(item, Spread) else f"{item.key or '?'}: {show(item.value)}"
                for item in value.items
            ]
            return f"{{{', '.join(entries)}}}"
        case Fallback():
            return f"({show(value.first)} {'??' if value.on == 'missing' else '||'} {show(value.then)})"
        case Choice():
            return f"({show(value.test)} ? {show(value.yes)} : {show(value.no)})"
        case Concat():
            return f"cat({', '.join(map(show, value.parts))})"
        case Operation():
            return f"{value.operator}({', '.join(map(show, value.operands))})"
        case Function():
            returns = "; ".join(map(show_return, value.returns))
            return f"fn {value.name}({', '.join(value.parameters)})@{value.scope}{{{returns}}}"
        case Parameter():
            return f"parameter {value.position} {value.name}"
        case Call():
            arguments = [f"{a.keyword}={show(a.value)}" if a.keyword else show(a.value) for a in value.arguments]
            return f"{'new ' if value.construct else ''}{show(value.callee)}({', '.join(arguments)})"
        case Name():
            return f"{value.name}@{value.scope}"
        case This():
            return f"this@{value.scope}"
        case Reference():
            return f"<{value.module}:{value.name}>"
        case Member():
            return f"{show(value.base)}.{value.key}"
        case Index():
            return f"{show(value.base)}[{show(value.key)}]"
        case Unknown():
            return f"?{value.reason}"
    raise AssertionError(value)


def show_guards(guards: tuple[Guard, ...]) -> str:
    return "".join(f" {'if' if guard.holds else 'unless'} {show(guard.test)}" for guard in guards)


def show_return(item: Return) -> str:
    return show(item.value) + show_guards(item.guards)


def show_binding(item: Binding) -> str:
    return show(item.value) + show_guards(item.guards)


def read(text: str | bytes) -> CodeReading:
    return python.read(SourceFile("app.py", text.encode() if isinstance(text, str) else text))


def bindings(reading: CodeReading, scope: int = 0) -> dict[str, list[str]]:
    return {name: list(map(show_binding, found)) for name, found in reading.scopes[scope].bindings.items()}


def calls(reading: CodeReading) -> list[str]:
    return [f"{show(site.call)}{show_guards(site.guards)}" for site in reading.calls]


def writes(reading: CodeReading) -> list[str]:
    signs = {"set": "=", "append": "+="}
    return [
        f"{show(write.target)} {signs[write.operation]} {show(write.value)}{show_guards(write.guards)}"
        for write in reading.writes
    ]


def text_of(source: str, span: object) -> str:
    return SourceFile("app.py", source.encode()).text(span)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        # literals
        ("1", "1"),
        ("-1", "-1"),
        ("+1", "1"),
        ("- -1", "1"),
        ("0x10", "16"),
        ("1_000", "1000"),
        ("0o17", "15"),
        ("0777", "511"),
        ("10L", "10"),
        ("1.5e3", "1500.0"),
        ("1e999", "?number"),
        ("1j", "?number"),
        ("9" * 5000, "?number"),
        ("True", "True"),
        ("False", "False"),
        ("None", "None"),
        ("...", "?ellipsis"),
        # arithmetic on written numbers
        ("60 * 60 * 24", "86400"),
        ("1 + 2", "3"),
        ("7 // 2", "3"),
        ("7 % 4", "3"),
        ("1 / 0", "other(1, 0)"),
        ("2 ** 9999999", "other(2, 9999999)"),
        ("x * 2", "other(x@0, 2)"),
        ("x + 1", "other(x@0, 1)"),
        ("a - b", "other(a@0, b@0)"),
        ("~a", "other(a@0)"),
        # strings
        ("'a'", "'a'"),
        ('"a"', "'a'"),
        ("''", "''"),
        ('"""a\nb"""', r"'a\nb'"),
        ('"""a\r\nb"""', r"'a\nb'"),
        ("'''it's'''", '"it\'s"'),
        ("'é'", "'é'"),
        (r"'\n\t\\\'\"'", repr("\n\t\\'\"")),
        (r"'\x41\101\u00e9\U0001F600\N{BULLET}'", repr("AA\u00e9\U0001f600\u2022")),
        (r"'\d\.'", repr("\\d\\.")),
        (r"'\N{NO SUCH NAME}'", repr("\\N{NO SUCH NAME}")),
        (r"'\ud800'", repr("\ufffd")),
        ("'a\\\nb'", "'ab'"),
        ("'a\\\r\nb'", "'ab'"),
        (r"r'\d\n'", repr("\\d\\n")),
        (r"R'\''", repr("\\'")),
        ("u'a'", "'a'"),
        ("b'access-control'", "'access-control'"),
        (r"b'\x41\u0041'", repr("A\\u0041")),
        (r"rb'\x41'", repr("\\x41")),
        ("'a' 'b'", "'ab'"),
        ("('a'  # why\n 'b')", "'ab'"),
        ("'a' f'{x}' r'\\d'", r"cat('a', x@0, '\\d')"),
        # f-strings
        ("f'a'", "'a'"),
        ("f''", "''"),
        ("f'https://{host}:{port}/'", "cat('https://', host@0, ':', port@0, '/')"),
        ("f'{x}'", "cat(x@0)"),
        ("f'{{{x}}}'", "cat('{', x@0, '}')"),
        ("f'{{}}'", "'{}'"),
        (r"f'\t{x}\n'", r"cat('\t', x@0, '\n')"),
        (r"fr'\d{x}'", r"cat('\\d', x@0)"),
        ("f'{x!s}'", "cat(x@0)"),
        ("f'{x!r}'", "cat(?formatted)"),
        ("f'{x:>3}'", "cat(?formatted)"),
        ("f'{x=}'", "cat(?formatted)"),
        ("f'{a + b}'", "cat(cat(a@0, b@0))"),
        ("f\"{d['k']}\"", "cat(d@0.k)"),
        # strings put together
        ("'a' + b + 'c'", "cat('a', b@0, 'c')"),
        ("a + [1]", "cat(a@0, [1])"),
        ("a + b * c + d", "cat(a@0, other(b@0, c@0), d@0)"),
        ("a + b - c + d", "cat(other(cat(a@0, b@0), c@0), d@0)"),
        ("'%s' % x", "?% formatting"),
        ("'{}'.format(x)", "?str.format"),
        ("log.format(x)", "log@0.format(x@0)"),
        # displays
        ("[]", "[]"),
        ("[1, 'a', *r]", "[1, 'a', *r@0]"),
        ("(1, 2)", "[1, 2]"),
        ("(1,)", "[1]"),
        ("()", "[]"),
        ("(1)", "1"),
        ("1, 2", "[1, 2]"),
        ("{1, 2}", "[1, 2]"),
        ("[  # why\n 1,  # and\n 2]", "[1, 2]"),
        ("{}", "{}"),
        ("{'a': 1, b: 2, **c}", "{a: 1, ?: 2, *c@0}"),
        ("{'a' 'b': 1, 3: 2, True: 3, None: 4}", "{ab: 1, 3: 2, ?: 3, ?: 4}"),
        ("{'a': {'b': []}}", "{a: {b: []}}"),
        ("{'a': 1} | x", "{*{a: 1}, *x@0}"),
        ("a | b", "other(a@0, b@0)"),
        # calls stay calls
        ("dict(a=1)", "dict@0(a=1)"),
        ("list(x)", "list@0(x@0)"),
        ("set()", "set@0()"),
        ("re.compile(r'\\.x$')", r"re@0.compile('\\.x$')"),
        ("f(1, *a, k=2, **kw)", "f@0(1, *a@0, k=2, *kw@0)"),
        ("f(x)(y)", "f@0(x@0)(y@0)"),
        ("a.b.c", "a@0.b.c"),
        ("a().b().c", "a@0().b().c"),
        ("os.environ.get('X', 'd')", "os@0.environ.get('X', 'd')"),
        ("os.getenv('X')", "os@0.getenv('X')"),
        ("os.environ['X']", "os@0.environ.X"),
        ("os.environ['X'].split(',')", "os@0.environ.X.split(',')"),
        ("a[0]", "a@0.0"),
        ("a[-1]", "a@0[-1]"),
        ("a[k]", "a@0[k@0]"),
        ("a[True]", "a@0[True]"),
        ("a[1:2]", "a@0[?slice]"),
        ("a[1, 'x']", "a@0[[1, 'x']]"),
        ("f(  # why\n x,  # and\n k=1)", "f@0(x@0, k=1)"),
        # looked through
        ("await f(x)", "f@0(x@0)"),
        ("((a))", "a@0"),
        ("(a  # why\n)", "a@0"),
        # operators
        ("a or b", "(a@0 || b@0)"),
        ("a or b or 'c'", "((a@0 || b@0) || 'c')"),
        ("a and b and c", "and(a@0, b@0, c@0)"),
        ("a and b or c", "(and(a@0, b@0) || c@0)"),
        ("a or b and c", "(a@0 || and(b@0, c@0))"),
        ("not a", "not(a@0)"),
        ("not a == b", "not(==(a@0, b@0))"),
        ("a == b", "==(a@0, b@0)"),
        ("a != b", "!=(a@0, b@0)"),
        ("a is None", "==(a@0, None)"),
        ("a is not None", "!=(a@0, None)"),
        ("a in b", "in(a@0, b@0)"),
        ("a not in b", "not in(a@0, b@0)"),
        ("a < b <= c", "and(<(a@0, b@0), <=(b@0, c@0))"),
        ("a > b", ">(a@0, b@0)"),
        ("a >= b", ">=(a@0, b@0)"),
        ("1 if t else 2", "(t@0 ? 1 : 2)"),
        ("1 if t else 2 if u else 3", "(t@0 ? 1 : (u@0 ? 2 : 3))"),
        ("(n := 3)", "3"),
        # functions
        ("lambda: 1", "fn ()@1{1}"),
        ("lambda a, *b, c=1, **d: a", "fn (a, , c, )@1{a@1}"),
        ("lambda origin: origin.endswith('.x')", "fn (origin)@1{origin@1.endswith('.x')}"),
        ("[o.strip() for o in xs]", "xs@0.map(fn (o)@1{o@1.strip()})"),
        ("{o for o in xs}", "xs@0.map(fn (o)@1{o@1})"),
        ("(o for o in xs)", "xs@0.map(fn (o)@1{o@1})"),
        ("any(o == x for o in xs)", "any@0(xs@0.map(fn (o)@1{==(o@1, x@1)}))"),
        ("[k for k, v in xs]", "xs@0.map(fn ()@1{k@1})"),
        ("[o for o in xs if o]", "?list comprehension"),
        ("[a for a in b for c in a]", "?list comprehension"),
        ("{k: v for k, v in d}", "?dictionary comprehension"),
        ("[o async for o in xs]", "?list comprehension"),
    ],
)
def test_value(source: str, expected: str) -> None:
    reading = read(f"x = {source}\n")
    assert reading.damage == ()
    assert bindings(reading)["x"] == [expected]


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("import os", {"os": ["<os:*>"]}),
        ("import a.b", {"a": ["<a:*>"]}),
        ("import a.b as c, d", {"c": ["<a.b:*>"], "d": ["<d:*>"]}),
        ("from m import x", {"x": ["<m:x>"]}),
        ("from m.n import (x as y, z)", {"y": ["<m.n:x>"], "z": ["<m.n:z>"]}),
        ("from . import a", {"a": ["<.:a>"]}),
        ("from .a import b", {"b": ["<.a:b>"]}),
        ("from ..a.b import c as d", {"d": ["<..a.b:c>"]}),
        ("from .. import *", {"*": ["<..:*>"]}),
        ("from m import *", {"*": ["<m:*>"]}),
        ("from __future__ import annotations", {}),
        ("try:\n import a\nexcept ImportError:\n import b as a", {"a": ["<a:*>", "<b:*> if ?exception"]}),
    ],
)
def test_imports(source: str, expected: dict[str, list[str]]) -> None:
    assert bindings(read(source)) == expected


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("a = b = 1", {"a": ["1"], "b": ["1"]}),
        ("a: list[str] = ['x']", {"a": ["['x']"]}),
        ("a: int", {}),
        ("a, b = c", {"a": ["c@0.0"], "b": ["c@0.1"]}),
        ("(a, [b, c]) = d", {"a": ["d@0.0"], "b": ["d@0.1.0"], "c": ["d@0.1.1"]}),
        (
            "a, *b, c = d",
            {"a": ["d@0.0"], "b": ["?unpacking with a star"], "c": ["?unpacking with a star"]},
        ),
        ("a = 1\na = 2", {"a": ["1", "2"]}),
        ("a = [1]\na += [2]", {"a": ["[1]", "cat(a@0, [2])"]}),
        ("a = 1\na += 1", {"a": ["1", "other(a@0, 1)"]}),
        ("a = {}\na |= {'k': 1}", {"a": ["{}", "{*a@0, *{k: 1}}"]}),
        ("a = 1\na -= b", {"a": ["1", "other(a@0, b@0)"]}),
        ("a = 1\ndel a", {"a": ["1", "?deleted"]}),
        ("del (a, b)", {"a": ["?deleted"], "b": ["?deleted"]}),
        ("for a in b: pass", {"a": ["b@0[?loop]"]}),
        ("for a, (b, *c) in d: pass", {"a": ["?loop.0"], "b": ["?loop.1.0"], "c": ["?unpacking with a star"]}),
        ("with open(p) as f, g() as (h, i): pass", {"f": ["open@0(p@0)"], "h": ["g@0().0"], "i": ["g@0().1"]}),
        ("with (open(p) as f, g): pass", {"f": ["open@0(p@0)"]}),
        ("try: pass\nexcept (A, B) as e: x = 1", {"e": ["?exception if ?exception"], "x": ["1 if ?exception"]}),
        ("try: pass\nexcept* A as e: x = 1", {"e": ["?exception if ?exception"], "x": ["1 if ?exception"]}),
        ("try: a = 1\nexcept A: b = 1\nelse: c = 1\nfinally: d = 1", {
            "a": ["1"], "b": ["1 if ?exception"], "c": ["1"], "d": ["1"],
        }),
        ("if (n := f()): a = n", {"n": ["f@0()"], "a": ["n@0 if f@0()"]}),
        ("x = [m := o for o in xs]", {"m": ["o@1"], "x": ["xs@0.map(fn (o)@1{o@1})"]}),
        ("def f(): pass", {"f": ["fn f()@1{}"]}),
        ("async def f(): return await g()", {"f": ["fn f()@1{g@1()}"]}),
        ("class A: pass", {"A": ["this@1"]}),
        # guards
        ("if TYPE_CHECKING:\n a = 1", {"a": ["1 if TYPE_CHECKING@0"]}),
        ("if __name__ == '__main__':\n a = 1", {"a": ["1 if ==(__name__@0, '__main__')"]}),
        ("if a: x = 1\nelif b: x = 2\nelse: x = 3", {
            "x": ["1 if a@0", "2 unless a@0 if b@0", "3 unless a@0 unless b@0"],
        }),
        ("if not E: raise V\nx = 1", {"x": ["1 unless not(E@0)"]}),
        ("if a: pass\nelse: raise V\nx = 1", {"x": ["1 if a@0"]}),
        ("if a: raise V\nelif b: raise W\nx = 1", {"x": ["1 unless a@0 unless b@0"]}),
        ("if a: raise V\nelif b: pass\nx = 1", {"x": ["1 unless a@0"]}),
        ("if a: pass\nelif b: raise V\nx = 1", {"x": ["1 unless and(not(a@0), b@0)"]}),
        ("if a: pass\nelif b: pass\nelse: raise V\nx = 1", {"x": ["1 unless and(not(a@0), not(b@0))"]}),
        ("if a:\n if b: raise V\n else: raise W\nx = 1", {"x": ["1 unless a@0"]}),
        ("if a: pass\nx = 1", {"x": ["1"]}),
        ("import sys\nif not E: sys.exit('E is missing')\nx = 1", {"sys": ["<sys:*>"], "x": ["1 unless not(E@0)"]}),
        ("if not E: exit()\nx = 1", {"x": ["1 unless not(E@0)"]}),
        ("assert a, 'why'\nx = 1", {"x": ["1 if a@0"]}),
        ("raise V\nx = 1", {"x": ["1 if ?unreachable"]}),
        ("while t: x = 1", {"x": ["1 if t@0"]}),
        ("x = 0\nwhile t: x = 1", {"x": ["0", "1 if t@0 if ?loop"]}),
        ("x = 0\nfor i in y:\n x = 1\n z = 1\n z = 2", {
            "x": ["0", "1 if ?loop"], "i": ["y@0[?loop]"], "z": ["1", "2"],
        }),
        ("for i in y:\n if i: continue\n z = 1\nw = 1", {"i": ["y@0[?loop]"], "z": ["1 unless i@0"], "w": ["1"]}),
        ("for i in y: pass\nelse: x = 1", {"i": ["y@0[?loop]"], "x": ["1 if ?loop"]}),
        ("with a:\n if not b: raise V\nx = 1", {"x": ["1 unless not(b@0)"]}),
        ("try:\n if not b: raise V\nexcept V: raise\nx = 1", {"x": ["1 unless not(b@0)"]}),
        ("try:\n if not b: raise V\nexcept V: pass\nx = 1", {"x": ["1"]}),
        # match
        ("match v:\n case 'a': x = 1\n case 'b' | 'c': x = 2\n case _: x = 3", {
            "x": [
                "1 if ==(v@0, 'a')",
                "2 unless ==(v@0, 'a') if in(v@0, ['b', 'c'])",
                "3 unless ==(v@0, 'a') unless in(v@0, ['b', 'c'])",
            ],
        }),
        ("match v:\n case A.B: x = 1\n case None: x = 2\n case -1: x = 3\n case w: x = w", {
            "x": [
                "1 if ==(v@0, A@0.B)",
                "2 unless ==(v@0, A@0.B) if ==(v@0, None)",
                "3 unless ==(v@0, A@0.B) unless ==(v@0, None) if ==(v@0, -1)",
                "w@0 unless ==(v@0, A@0.B) unless ==(v@0, None) unless ==(v@0, -1)",
            ],
            "w": ["v@0 unless ==(v@0, A@0.B) unless ==(v@0, None) unless ==(v@0, -1)"],
        }),
        ("match v:\n case {'k': k, **r} if t: x = 1", {
            "k": ["?pattern"], "r": ["?pattern"], "x": ["1 if and(?pattern, t@0)"],
        }),
        ("match v:\n case P(q=a) as b: pass\n case [c, *d]: pass", {
            "a": ["?pattern"], "b": ["?pattern"], "c": ["?pattern unless ?pattern"], "d": ["?pattern unless ?pattern"],
        }),
        ("match v:\n case 1: raise V\nx = 1", {"x": ["1 unless ==(v@0, 1)"]}),
    ],
)  # fmt: skip
def test_module_bindings(source: str, expected: dict[str, list[str]]) -> None:
    reading = read(source + "\n")
    assert reading.damage == ()
    assert bindings(reading) == expected


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("return", "fn f(a)@1{None}"),
        ("return 1, 2", "fn f(a)@1{[1, 2]}"),
        ("pass", "fn f(a)@1{}"),
        ("if a: return 1\n return 2", "fn f(a)@1{1 if a@1; 2 unless a@1}"),
        ("if a: return 1\n elif b: return 2\n else: return 3",
            "fn f(a)@1{1 if a@1; 2 unless a@1 if b@1; 3 unless a@1 unless b@1}"),
        ("if not a: raise V\n return 2", "fn f(a)@1{2 unless not(a@1)}"),
        ("for o in a:\n  if o: return 1\n return 2", "fn f(a)@1{1 if o@1 if ?loop; 2}"),
        ("while a: return 1", "fn f(a)@1{1 if a@1 if ?loop}"),
        ("try: return 1\n except E: return 2", "fn f(a)@1{1; 2 if ?exception}"),
        ("yield a\n return 1", "fn f(a)@1{?generator}"),
        ("def g(): return 1\n return g", "fn f(a)@1{g@1}"),
        ("return (x for x in a)", "fn f(a)@1{a@1.map(fn (x)@2{x@2})}"),
    ],
)  # fmt: skip
def test_returns(body: str, expected: str) -> None:
    reading = read(f"def f(a):\n {body}\n")
    assert reading.damage == ()
    assert bindings(reading)["f"] == [expected]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("raise E", ["raise E"]),
        ("if a: raise E\n return 1", ["raise E if a@1"]),
        ("for o in a:\n  if o: raise E", ["raise E if o@1 if ?loop"]),
        ("try: raise E\n except E: return 1", []),
        ("try: raise E\n except E: raise F", ["raise F if ?exception"]),
        ("try: raise E\n finally: g()", ["raise E"]),
        ("raise E\n yield a", []),
        ("return 1", []),
    ],
)
def test_throws(body: str, expected: list[str]) -> None:
    source = SourceFile("a.py", f"def f(a):\n {body}\n".encode())
    function = python.read(source).scopes[0].bindings["f"][0].value
    assert isinstance(function, Function)
    ways = [(source.text(way.value.span), way) for way in function.throws]
    assert [text + show_return(way).removeprefix("?thrown") for text, way in ways] == expected


def test_parameters() -> None:
    reading = read("def f(a, b: int = d, /, *rest, c: str = 'x', **kw) -> T: pass\n")
    assert bindings(reading)["f"] == ["fn f(a, b, , c, )@1{}"]
    assert bindings(reading, 1) == {
        "a": ["parameter 0 a"],
        "b": ["(parameter 1 b ?? d@0)"],
        "rest": ["?rest parameter"],
        "c": ["(parameter 3 c ?? 'x')"],
        "kw": ["?rest parameter"],
    }
    function = reading.scopes[0].bindings["f"][0].value
    parameter = reading.scopes[1].bindings["a"][0].value
    assert isinstance(function, Function)
    assert isinstance(parameter, Parameter)
    assert parameter.function == function.span == reading.scopes[1].span


def test_star_alone_and_slash_take_no_position() -> None:
    assert bindings(read("def f(a, /, *, b): pass\n"))["f"] == ["fn f(a, b)@1{}"]


def test_scopes_are_function_class_and_comprehension_only() -> None:
    reading = read("def f():\n for i in x:\n  if i:\n   y = 1\n class A:\n  z = [q for q in i]\n  def m(self): pass\n")
    assert [(scope.parent, scope.kind) for scope in reading.scopes] == [
        (-1, "module"),
        (0, "function"),
        (1, "class"),
        (2, "function"),
        (2, "function"),
    ]
    assert set(reading.scopes[1].bindings) == {"i", "y", "A"}


CLASS = """\
class A(Base, metaclass=M):
    origins = ["*"]
    alias = origins

    def __init__(self, app, io=None):
        self.io = io
        self.app, x = app
        helper = lambda: self.io

    @staticmethod
    def s(self): return self

    @classmethod
    def c(cls): return cls.origins

    @property
    def p(this): return this.origins

    @p.setter
    def p(self, v): self.v = v

    def inner(self):
        def deep(): return self.io
        def shadow(self): return self
        return origins

    def again(self):
        self = other()
        return self
"""


def test_classes() -> None:
    reading = read(CLASS)
    assert reading.damage == ()
    assert bindings(reading) == {"A": ["this@1"]}
    assert bindings(reading, 1) == {
        "*": ["Base@0"],
        "origins": ["['*']"],
        "alias": ["origins@1"],
        "__init__": ["fn __init__(self, app, io)@2{}"],
        "s": ["fn s(self)@4{self@4}"],
        "c": ["fn c(cls)@5{this@1.origins}"],
        "p": ["fn p(this)@6{this@1.origins}()"],
        "inner": ["fn inner(self)@8{origins@8}"],
        "again": ["fn again(self)@11{self@11}"],
    }
    assert bindings(reading, 2) == {
        "self": ["this@1"],
        "app": ["parameter 1 app"],
        "io": ["(parameter 2 io ?? None)"],
        "x": ["app@2.1"],
        "helper": ["fn ()@3{this@1.io}"],
    }
    assert bindings(reading, 8) == {
        "self": ["this@1"],
        "deep": ["fn deep()@9{this@1.io}"],
        "shadow": ["fn shadow(self)@10{self@10}"],
    }
    assert writes(reading) == ["this@1.io = io@2", "this@1.app = app@2.0", "this@1.v = v@7"]


def test_global_and_nonlocal() -> None:
    reading = read(
        "io = None\n"
        "def init(app):\n"
        "    global io, late\n"
        "    io = SocketIO(app)\n"
        "    late = 1\n"
        "    x = 1\n"
        "    def g():\n"
        "        nonlocal x\n"
        "        x = 2\n"
        "        return io\n"
        "    return io\n"
        "io = 3\n"
    )
    assert bindings(reading) == {
        "io": ["None", "SocketIO@1(app@1)", "3"],
        "init": ["fn init(app)@1{io@0}"],
        "late": ["1"],
    }
    assert bindings(reading, 1)["x"] == ["1", "2"]
    starts = [binding.span.start for binding in reading.scopes[0].bindings["io"]]
    assert starts == sorted(starts)


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        (
            'response.headers["Access-Control-Allow-Origin"] = "*"',
            ["response@0.headers.Access-Control-Allow-Origin = '*'"],
        ),
        ("a.b = c.d = 1", ["a@0.b = 1", "c@0.d = 1"]),
        ("a.b: int = 1", ["a@0.b = 1"]),
        ("a[k] = 1", ["a@0[k@0] = 1"]),
        ("a.b += [1]", ["a@0.b += [1]"]),
        ("a['k'] += 'x'", ["a@0.k += 'x'"]),
        ("a.b *= 2", ["a@0.b = other(a@0.b, 2)"]),
        ("del a.b, c['k']", ["a@0.b = undefined", "c@0.k = undefined"]),
        ("if t: a.b = 1", ["a@0.b = 1 if t@0"]),
        ("f().x = 1", ["f@0().x = 1"]),
        ("a.b, c = 1, 2", ["a@0.b = [1, 2].0"]),
    ],
)
def test_writes(source: str, expected: list[str]) -> None:
    reading = read(source + "\n")
    assert writes(reading) == expected
    assert all(text_of(source, write.span) in source for write in reading.writes)


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("a(b(c()))", ["c", "b", "a"]),
        ("x = a() or b()", ["a", "b unless a@0()"]),
        ("x = a() and b()", ["a", "b if a@0()"]),
        ("x = a() if t() else b()", ["t", "a if t@0()", "b unless t@0()"]),
        ("if a(): b()\nelif c(): d()\nelse: e()", [
            "a", "b if a@0()", "c unless a@0()", "d unless a@0() if c@0()", "e unless a@0() unless c@0()",
        ]),
        ("while a(): b()", ["a", "b if a@0()"]),
        ("for i in a(): b()", ["a", "b"]),
        ("def f(x=a()):\n b()", ["a", "b"]),
        ("def f(x: An[str, a()] = 1) -> b(): pass", ["b", "a"]),
        ("x: An[a()] = b()", ["a", "b"]),
        ("[a(o) for o in b() if c(o)]", ["b", "c", "a if c@1(o@1)"]),
        ("{a(): b() for x in c()}", ["c", "a", "b"]),
        ("lambda: a()", ["a"]),
        ("lambda x=a(): 1", ["a"]),
        ("f'{a():{b()}}'", ["b", "a"]),
        ("f'{a()}'", ["a"]),
        ("raise a() from b()", ["a", "b"]),
        ("assert a(), b()", ["a", "b unless a@0()"]),
        ("with a() as x, b(): c()", ["a", "b", "c"]),
        ("print a()", ["a"]),
        ("x[a():b()]", ["a", "b"]),
        ("x[a()] = b()", ["b", "a"]),
        ("yield a()", ["a"]),
        ("@a()\n@b.c()\ndef f(): d()", ["a", "b@0.c", "d"]),
        ("@a()\nclass A(b()):\n c()", ["a", "b", "c"]),
        ("class A(metaclass=a()): pass", ["a"]),
        ("'{}'.format(a())", ["a", "'{}'.format"]),
        ("match a():\n case 1 if b(): c()", ["a", "b", "c if and(==(a@0(), 1), b@0())"]),
        ("type X = a()", ["a"]),
        ("try: a()\nexcept b(): c()\nelse: d()\nfinally: e()", ["a", "b if ?exception", "c if ?exception", "d", "e"]),
        ("a(); b()", ["a", "b"]),
        ("a(), b()", ["a", "b"]),
        ("global a\nnonlocal b\npass", []),
    ],
)  # fmt: skip
def test_calls_anywhere(source: str, expected: list[str]) -> None:
    """Every call in any place, with the tests that lead to it; only the callee is shown, bare when it is a name."""
    reading = read(source + "\n")
    assert reading.damage == ()
    found = []
    for site in reading.calls:
        callee = site.call.callee
        name = callee.name if isinstance(callee, Name) else show(callee)
        found.append(name + show_guards(site.guards))
    assert sorted(found) == sorted(expected)


def test_a_call_is_the_same_value_in_its_binding() -> None:
    reading = read("io = SocketIO(app, cors_allowed_origins='*')\n")
    assert reading.scopes[0].bindings["io"][0].value == reading.calls[0].call


def test_guards_belong_to_the_nearest_function() -> None:
    reading = read("if a:\n def f():\n  if b: g()\n h = lambda: i()\n")
    assert calls(reading) == ["g@1() if b@1", "i@2()"]
    assert [site.scope for site in reading.calls] == [1, 2]


def test_decorations() -> None:
    source = (
        "@sio.event\n@on('x', namespace='/c')\nasync def connect(sid): pass\n"
        "@app.get\nclass A:\n @p\n def m(self): pass\n"
    )
    reading = read(source)
    assert [(show(d.decorator), d.target, text_of(source, d.target_span), d.scope) for d in reading.decorations] == [
        ("sio@0.event", "connect", "connect", 0),
        ("on@0('x', namespace='/c')", "connect", "connect", 0),
        ("app@0.get", "A", "A", 0),
        ("p@2", "m", "m", 2),
    ]
    assert [show(site.call) for site in reading.calls] == ["on@0('x', namespace='/c')"]


def test_spans_are_bytes_of_the_expression() -> None:
    source = 'é = 1\nx = CORS(app, origins=["a", "é"], r["k"].m)\n'
    reading = read(source)
    call = reading.calls[0].call
    assert text_of(source, call.span) == 'CORS(app, origins=["a", "é"], r["k"].m)'
    assert [text_of(source, argument.span) for argument in call.arguments] == [
        "app",
        'origins=["a", "é"]',
        'r["k"].m',
    ]
    listed = call.arguments[1].value
    assert isinstance(listed, Sequence)
    assert [text_of(source, item.span) for item in listed.items] == ['"a"', '"é"']
    member = call.arguments[2].value
    assert isinstance(member, Member)
    assert text_of(source, member.key_span) == "m"
    assert isinstance(member.base, Member)
    assert text_of(source, member.base.key_span) == '"k"'
    assert text_of(source, reading.scopes[0].bindings["x"][0].span) == "x"


def test_mapping_spans() -> None:
    source = "x = {'k': 1, **r}\n"
    mapping = read(source).scopes[0].bindings["x"][0].value
    assert isinstance(mapping, Mapping)
    entry, spread = mapping.items
    assert not isinstance(entry, Spread)
    assert (text_of(source, entry.key_span), text_of(source, entry.span)) == ("'k'", "'k': 1")
    assert text_of(source, spread.span) == "**r"


def test_settings_module() -> None:
    reading = read(
        "from .base import *\n"
        "CORS_ALLOWED_ORIGINS = ['https://a.test'] + EXTRA\n"
        "CORS_ALLOW_CREDENTIALS = True\n"
        "MIDDLEWARE += ['x.Y']\n"
    )
    assert bindings(reading) == {
        "*": ["<.base:*>"],
        "CORS_ALLOWED_ORIGINS": ["cat(['https://a.test'], EXTRA@0)"],
        "CORS_ALLOW_CREDENTIALS": ["True"],
        "MIDDLEWARE": ["cat(MIDDLEWARE@0, ['x.Y'])"],
    }


# Broken files


@pytest.mark.parametrize(
    ("source", "places", "seen"),
    [
        ("CORS(app, origins='*'\nx = f(1)\n", ["CORS(app, origins='*'"], ["f@0(1)"]),
        ("a()\nCORS(app,\n  origins='*'\n\ndef g():\n  f(1)\n", ["CORS(app,\n  origins='*'"], ["a@0()", "f@1(1)"]),
        ("x = f(a, b\ny = g(1)\nz = h(\nif y:\n  i()\n", ["x = f(a, b", "("], ["g@0(1)", "i@0() if y@0"]),
        ("class A:\n  def f(self):\n    a(\n  def g(self):\n    b()\nc()\n", None, ["c@0()"]),
        ('x = f(\n"""\nCORS(app)\n"""\ny = 1\n', None, None),
        ("a()\nx = = 1\nb()\n", None, ["a@0()", "b@0()"]),
        ("def f(:\n    a()\nb()\n", None, ["a@1()", "b@0()"]),
        ("a()\n)\nb()\n", [")"], ["a@0()", "b@0()"]),
        ("a(1 2)\n", None, None),
    ],
)
def test_broken(source: str, places: list[str] | None, seen: list[str] | None) -> None:
    reading = read(source)
    assert reading.damage
    assert not any(damage.whole for damage in reading.damage)
    if places is not None:
        assert [text_of(source, damage.span) for damage in reading.damage] == places
    if seen is not None:
        assert set(seen) <= set(calls(reading))


def test_unread_arguments_are_unknown_arguments() -> None:
    """An option in the damaged part must not count as absent."""
    reading = read("CORS(app, origins='*' supports_credentials=True)\n")
    assert reading.damage
    [site] = [site for site in reading.calls if show(site.call.callee) == "CORS@0"]
    assert any(isinstance(argument.value, Spread) for argument in site.call.arguments)


def test_missing_names_bind_nothing() -> None:
    """The parser makes empty names up where one is missing."""
    for source in ("class A:\n  def (self): pass\n", "import a as \n", "def f(, b): pass\n", "for in x: pass\n"):
        for scope in read(source).scopes:
            assert "" not in scope.bindings


def test_neighbouring_damage_is_one_and_damage_is_bounded() -> None:
    assert len(read("$ $ $\n").damage) == 1
    assert len(read("x = 1\n$\n" * 100).damage) <= python.MOST_DAMAGE


@pytest.mark.parametrize("data", [b"\x00" * 1000, "x = 1\n".encode("utf-16"), "x = 1\n".encode("utf-32"), b"((((("])
def test_nothing_could_be_read(data: bytes) -> None:
    reading = read(data)
    assert reading.damage[0].whole
    assert reading.calls == ()
    assert len(reading.scopes) == 1


def test_empty_file() -> None:
    reading = read("")
    assert (reading.damage, reading.calls, len(reading.scopes)) == ((), (), 1)


def test_bytes_that_are_not_utf8() -> None:
    reading = read(b'# caf\xe9\nx = "\xe9\xe8"\ny = f(1)\n')
    assert [(d.message, d.span.start, d.whole) for d in reading.damage] == [
        ("byte 0xE9 is not UTF-8, and no other encoding is declared", 5, False)
    ]
    assert bindings(reading) == {"x": [repr("\ufffd\ufffd")], "y": ["f@0(1)"]}


def test_declared_encoding() -> None:
    reading = read(b'#!/usr/bin/python\n# -*- coding: latin-1 -*-\nx = "\xe9"\n')
    assert reading.damage == ()
    assert bindings(reading) == {"x": [repr("é")]}


@pytest.mark.parametrize("name", ["no-such-codec", "rot13", "hex"])
def test_an_encoding_that_is_none(name: str) -> None:
    assert len(read(f"# coding: {name}\nx = '".encode() + b"\xe9'\n").damage) == 1


@pytest.mark.parametrize(
    "source",
    [
        "\ufeffx = f(1)\n",
        "x = f(1)\r\ny = 2\r\n",
        "if True:\n\tx = f(1)\n\ty = 2\n",
        "print 'a', x\nx = f(1)\n",
        "x = f(1)",
        "\fx = f(1)\n",
        "x = \\\n  f(1)\n",
    ],
)
def test_odd_but_sound_files(source: str) -> None:
    reading = read(source)
    assert reading.damage == ()
    assert [show(site.call) for site in reading.calls] == ["f@0(1)"]
    assert text_of(source, reading.calls[0].call.span) == "f(1)"


HOSTILE = {
    "parentheses": b"(" * 100_000,
    "brackets": b"[" * 100_000,
    "braces": b"{" * 100_000,
    "calls": b"f(" * 100_000,
    "closed parentheses": b"(" * 50_000 + b"a" + b")" * 50_000,
    "closed calls": b"f(" * 50_000 + b")" * 50_000,
    "plus": b"a+" * 250_000 + b"a",
    "times": b"a*" * 100_000 + b"a",
    "not": b"not " * 100_000 + b"a",
    "minus": b"-" * 100_000 + b"1",
    "members": b"a" + b".b" * 200_000,
    "call chain": b"f" + b"()" * 100_000,
    "method chain": b"f" + b".m(1)" * 50_000,
    "and": b"a and " * 50_000 + b"b",
    "or": b"a or " * 50_000 + b"b",
    "less": b"a<" * 50_000 + b"b",
    "ternaries": b"a if b else " * 50_000 + b"c",
    "lambdas": b"lambda: " * 50_000 + b"1",
    "awaits": b"await " * 50_000 + b"a",
    "assignments": b"a=" * 100_000 + b"1",
    "unpacking": b"(" * 3000 + b"a," + b")" * 3000 + b"=b",
    "deletions": b"del " + b"(" * 20_000 + b"a" + b")" * 20_000,
    "strings": b"'a' " * 50_000,
    "f-string": b'f"' + b"{a}" * 50_000 + b'"',
    "nested f-strings": b'f"{' * 20_000,
    "comprehensions": b"[" * 2000 + b"a" + b" for a in b]" * 2000,
    "walruses": b"(a:=" * 5000 + b"1" + b")" * 5000,
    "elif": b"if a: pass\n" + b"elif b: f()\n" * 10_000,
    "elif exits": b"if a: pass\n" + b"elif b: raise\n" * 10_000,
    "early exits": b"def f():\n" + b" if a: return 1\n" * 10_000,
    "asserts": b"assert a\n" * 20_000,
    "pattern": b"match a:\n case " + b"[" * 5000 + b"]" * 5000 + b": pass\n",
    "decorators": b"@a\n" * 20_000 + b"def f(): pass\n",
    "nested ifs": b"".join(b" " * i + b"if a:\n" for i in range(1000)) + b" " * 1000 + b"f()\n",
    "nested functions": b"".join(b" " * i + b"def f():\n" for i in range(400)) + b" " * 400 + b"f()\n",
    "nested classes": b"".join(b" " * i + b"class f:\n" for i in range(400)) + b" " * 400 + b"f()\n",
    "one line ifs": b"if a:" * 20_000,
    "swallowing": b"x = (\na = f(1)\ny = 2\n" * 10_000,
    "swallowing functions": b"def f(:\n  a(\ny = g(2)\n" * 10_000,
    "comment": b"#" * 20_000_000,
    "NUL": b"\x00" * 1_000_000,
    "random bytes": bytes(range(256)) * 2000,
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_files_end_soon(name: str) -> None:
    data = HOSTILE[name]
    started = time.process_time()
    reading = read(data)
    assert time.process_time() - started < 10
    for scope in reading.scopes:
        for found in scope.bindings.values():
            for binding in found:
                assert len(binding.guards) <= python.MOST_GUARDS + 2


def test_nesting_stays_far_below_the_recursion_limit() -> None:
    """Alternating every kind of nesting that costs frames; the deepest stack is measured, not the answer."""
    deepest = 0

    def profile(frame: object, event: str, argument: object) -> None:
        nonlocal deepest
        if event == "call":
            depth = 0
            while frame is not None:
                frame, depth = frame.f_back, depth + 1  # type: ignore[attr-defined]
            deepest = max(deepest, depth)

    def deep(opening: str, closing: str) -> str:
        return opening * 150 + "1" + closing * 150

    base = len(__import__("inspect").stack())
    for source in (
        deep("f(a=[{'k': (", ")}])"),
        deep("(lambda x=", ": 1)"),
        deep("[a for b in ", "]"),
        deep("(not (1 if 2 else ", "))"),
        deep("f'{", "}'").replace("'", "'''"),
        deep("(a := (b.c[", "]))"),
        "".join(" " * i + ("def f(a=[1]):\n", "class A:\n", "try:\n", "with a:\n")[i % 4] for i in range(300)),
        "".join(" " * i + ("if a:\n", "for b in c:\n", "while d:\n")[i % 3] for i in range(300)) + " " * 300 + "f()\n",
    ):
        sys.setprofile(profile)
        try:
            read(source)
        finally:
            sys.setprofile(None)
    assert deepest - base < 750


def test_depth_of_values_is_bounded() -> None:
    """What nests deeper than the limit is Unknown, also along chains and inside the arguments of chains."""
    for text in (
        "a" + ".b" * 1000,
        "f(" * 150 + "a" + ".b" * 150 + ")" * 150,
        " or ".join(["a"] * 1000),
        "[" * 300 + "]" * 300,
    ):
        value: object = read(f"x = {text}\n").scopes[0].bindings["x"][0].value
        levels, reasons = 0, []
        pending = [(value, 1)]
        while pending:
            item, level = pending.pop()
            levels = max(levels, level)
            if isinstance(item, Unknown):
                reasons.append(item.reason)
            if isinstance(item, tuple):
                pending.extend((part, level + (hasattr(item, "span"))) for part in item)
        assert levels <= 2 * python.DEEPEST + 5
        assert reasons == ["nested too deeply"]
