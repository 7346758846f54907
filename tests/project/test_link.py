"""What an expression turns out to be, across scopes, files, members, writes, calls and parameters."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent

import pytest

from corslint import resources
from corslint.frameworks import descriptors
from corslint.model.reading import CodeReading
from corslint.model.tri import Tri
from corslint.model.values import Name, Value
from corslint.parsers import parse
from corslint.project import link
from corslint.project.link import Linker
from corslint.project.modules import Modules
from corslint.source import SourceFile, Span
from tests.parsers.rendering import show

_CATALOG = descriptors.load(Path(resources.frameworks_folder()))


def linked(files: dict[str, str]) -> tuple[Linker, dict[str, CodeReading]]:
    """A linker over files in memory, with callers of functions known."""
    readings: dict[str, CodeReading] = {}
    for path, text in files.items():
        reading = parse(SourceFile(path, dedent(text).encode()))
        assert isinstance(reading, CodeReading), path
        assert not reading.damage, (path, reading.damage)
        readings[path] = reading
    linker = Linker(readings.get, Modules(".", frozenset(files)), _CATALOG.assumptions)
    linker.look_for_callers(readings.values)
    return linker, readings


def probed(files: dict[str, str]) -> tuple[Linker, Value]:
    """The argument of the one call of `probe` in these files."""
    linker, readings = linked(files)
    calls = [
        site.call
        for reading in readings.values()
        for site in reading.calls
        if getattr(site.call.callee, "name", None) == "probe"
    ]
    assert len(calls) == 1
    return linker, calls[0].arguments[0].value


def test_what_is_changed_too_often_is_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(link, "_MOST_CHANGES", 10)
    linker, value = probed({"a.js": "const l = ['x'];" + "l.push('y');" * 10 + "probe(l);"})
    assert show(linker.resolve(value)).count("'y'") == 10
    linker, value = probed({"a.js": "const l = ['x'];" + "l.push('y');" * 11 + "probe(l);"})
    assert show(linker.resolve(value)) == "?(changed too often)"


JAVASCRIPT = {
    "constant": ("const a = 'x'; probe(a);", "'x'"),
    "laid on what a call made": ("const a = f(); a.b = 'x'; probe(a.b);", "'x'"),
    "laid on it in a branch": ("const a = f(); if (t) a.b = 'x'; probe(a.b);", "f().b"),
    "laid on it twice": ("const a = f(); a.b = 'x'; a.b = 'y'; probe(a.b);", "f().b"),
    "laid on what is laid on it": ("const a = f(); a.c.b = 'x'; a.c = 'y'; probe(a.b);", "f().b"),
    "laid on another": ("const a = f(), c = f(); a.b = 'x'; probe(c.b);", "f().b"),
    "laid on it by its own name": ("const a = f(); a.b = probe(a.b);", "f().b"),
    "laid on it in a function": ("const a = f(); function lay() { a.b = 'x'; } lay(); probe(a.b);", "'x'"),
    "alias of an alias": ("const a = 'x'; const b = a; probe(b);", "'x'"),
    "inner scope shadows": ("const a = 'x'; function f() { const a = 'y'; probe(a); }", "'y'"),
    "outer scope seen from a function": ("const a = 'x'; function f() { probe(a); }", "'x'"),
    "assigned again before the use": ("let a = 'x'; a = 'y'; probe(a);", "'y'"),
    "assigned again after the use": ("let a = 'x'; probe(a); a = 'y';", "'x'"),
    "assigned twice, used in a function": (
        "let a = 'x'; a = 'y'; function f() { probe(a); }",
        "?(assigned in more than one place)",
    ),
    "declared empty, filled later": ("let a; function init() { a = 'x'; } function f() { probe(a); }", "'x'"),
    "null, filled later": ("let a = null; a = 'x'; probe(a);", "'x'"),
    "filled under a condition": ("let a = 'x'; if (q) a = 'y'; probe(a);", "(q ? 'y' : 'x')"),
    "both branches": ("let a; if (q) { a = 'x'; } else { a = 'y'; } probe(a);", "(q ? 'x' : 'y')"),
    "member of an object": ("const o = { a: { b: 'x' } }; probe(o.a.b);", "'x'"),
    "member that is not there": ("const o = { a: 1 }; probe(o.b);", "undefined"),
    "later spread wins": ("const o = { a: 'x', ...{ a: 'y' } }; probe(o.a);", "'y'"),
    "unknown spread": ("const o = { a: 'x', ...other }; probe(o.a);", "?(in an object that could not be read)"),
    "key after an unknown spread": ("const o = { ...other, a: 'x' }; probe(o.a);", "'x'"),
    "computed key": ("const o = { a: 'x', [k]: 'y' }; probe(o.a);", "?(beside a computed key)"),
    "written later": ("const o = {}; o.a = 'x'; probe(o.a);", "'x'"),
    "written later, deeper": ("const o = { a: { b: 'x' } }; o.a.b = 'y'; probe(o.a.b);", "'y'"),
    "written under a condition": ("const o = { a: 'x' }; if (q) o.a = 'y'; probe(o.a);", "(q ? 'y' : 'x')"),
    "index with a constant": ("const k = 'a'; const o = { a: 'x' }; probe(o[k]);", "'x'"),
    "index chosen at run time": ("const o = { a: 'x' }; probe(o[k]);", "?(chosen at run time)"),
    "array element": ("const l = ['x', 'y']; probe(l[1]);", "'y'"),
    "grown list": ("const l = ['x']; l.push('y'); probe(l);", "['x', 'y']"),
    "merged into": ("const o = { a: 'x' }; Object.assign(o, { a: 'y' }); probe(o.a);", "'y'"),
    "merged into afterwards": ("const o = { a: 'x' }; probe(o.a); Object.assign(o, { a: 'y' });", "'x'"),
    "merged under a condition": (
        "const o = { a: 'x' }; if (q) Object.assign(o, { a: 'y' }); probe(o.a);",
        "?(in an object that could not be read)",
    ),
    "written through another name": ("const o = { a: 'x' }; const p = o; p.a = 'y'; probe(o.a);", "'y'"),
    "written with a computed key": ("const o = { a: 'x' }; o[k] = 'y'; probe(o.a);", "?(beside a computed key)"),
    "deleted": ("const o = { a: 'x', b: 'y' }; delete o.a; probe(o.a ?? o.b);", "'y'"),
    "deleted under a condition": (
        "const o = { a: 'x' }; if (q) delete o.a; probe(o.a);",
        "?(deleted under a condition)",
    ),
    "another key deleted": ("const o = { a: 'x', b: 'y' }; delete o.b; probe(o.a);", "'x'"),
    "element written": ("const l = ['x']; l[0] = 'y'; probe(l);", "?(changed in part)"),
    "emptied": ("const l = ['x']; l.length = 0; probe(l);", "?(changed in part)"),
    "shortened": ("const l = ['x', 'y']; l.pop(); probe(l);", "?(changed by a method)"),
    "grown after nobody knows what": ("const l = ['x']; l.splice(0); l.push('y'); probe(l);", "?(changed by a method)"),
    "object written to after nobody knows what": (
        "const o = { a: 'x' }; o.clear(); o.a = 'y'; probe(o);",
        "?(changed by a method)",
    ),
    "grown after the use": ("const l = ['x']; probe(l); l.push('y');", "['x']"),
    "grown under a condition": (
        "const l = ['x']; if (q) l.push('y'); probe(l);",
        "['x', ...?(added under a condition)]",
    ),
    "destructured": ("const { a: { b } } = { a: { b: 'x' } }; probe(b);", "'x'"),
    "destructured with a default": ("const { a = 'y' } = { b: 'x' }; probe(a);", "'y'"),
    "environment": ("probe(process.env.ORIGIN);", "$ORIGIN"),
    "environment by index": ("probe(process.env['ORIGIN']);", "$ORIGIN"),
    "environment destructured": ("const { ORIGIN } = process.env; probe(ORIGIN);", "$ORIGIN"),
    "environment through a name": ("const env = process.env; probe(env.ORIGIN);", "$ORIGIN"),
    "import.meta.env": ("probe(import.meta.env.VITE_URL);", "$VITE_URL"),
    "or a literal": ("probe(process.env.ORIGIN || 'x');", "($ORIGIN || 'x')"),
    "known first": ("const a = 'x'; probe(a || 'y');", "'x'"),
    "known empty first": ("const a = ''; probe(a || 'y');", "'y'"),
    "known empty first, ??": ("const a = ''; probe(a ?? 'y');", "''"),
    "concatenation": ("const h = 'example.com'; probe(`https://${h}`);", "'https://example.com'"),
    "concatenation with a number": ("const p = 3000; probe('http://localhost:' + p);", "'http://localhost:3000'"),
    "split": ("probe('a,b'.split(','));", "['a', 'b']"),
    "split and trimmed": ("probe('a, b'.split(',').map((s) => s.trim()));", "['a', 'b']"),
    "split, filtered": ("probe('a,b'.split(',').filter(Boolean));", "['a', 'b']"),
    "split environment": ("probe(process.env.O.split(','));", "split($O, ',', False)"),
    "frozen": ("probe(Object.freeze(['x']));", "['x']"),
    "merged": ("const o = Object.assign({ a: 'x' }, { b: 'y' }); probe(o.a + o.b);", "'xy'"),
    "returned": ("function f() { return 'x'; } probe(f());", "'x'"),
    "returned by an arrow": ("const f = () => 'x'; probe(f());", "'x'"),
    "returned in two ways": (
        "function f(q) { if (q) return 'x'; return 'y'; } probe(f());",
        "(q@1 ? 'x' : 'y')",
    ),
    "returned where it does not hold": (
        "function f(q) { if (!q) { return 'x'; } else { return 'y'; } } probe(f());",
        "(op[not](q@1) ? 'x' : 'y')",
    ),
    "returned behind two tests": (
        "function f(q, r) { if (q) { if (r) return 'x'; } return 'y'; } probe(f());",
        "?(returned by a function in more than one way)",
    ),
    "returned behind another test": (
        "function f(q, r) { if (q) return 'x'; if (r) return 'y'; } probe(f());",
        "?(returned by a function in more than one way)",
    ),
    "returned in three ways": (
        "function f(q, r) { if (q) return 'x'; if (r) return 'y'; return 'z'; } probe(f());",
        "?(returned by a function in more than one way)",
    ),
    "parameter of an only caller": ("function f(a) { probe(a); } f('x');", "'x'"),
    "parameter of two callers": ("function f(a) { probe(a); } f('x'); f('y');", "p0:a"),
    "production branch": ("probe(process.env.NODE_ENV === 'production' ? 'x' : '*');", "'x'"),
    "development branch": ("const dev = process.env.NODE_ENV !== 'production'; probe(dev ? '*' : 'x');", "'x'"),
    "field of a class": ("class A { o = 'x'; f() { probe(this.o); } }", "'x'"),
    "field set by a method": ("class A { constructor() { this.o = 'x'; } f() { probe(this.o); } }", "'x'"),
    "field of an instance": ("class A { o = 'x'; } const a = new A(); probe(a.o);", "'x'"),
    "defined by itself": ("const a = b; const b = a; probe(a);", "?(defined by itself)"),
    "falls back to itself": (
        "var a = a || { b: 'x' }; probe(a.b);",
        "(?(assigned in more than one place) || {b: 'x'}).b",
    ),
}


@pytest.mark.parametrize(("code", "expected"), JAVASCRIPT.values(), ids=JAVASCRIPT)
def test_javascript(code: str, expected: str) -> None:
    linker, value = probed({"a.js": code})
    assert show(linker.resolve(value)) == expected


PYTHON = {
    "constant": ("A = 'x'\nprobe(A)", "'x'"),
    "environment": ("import os\nprobe(os.environ.get('O'))", "$O"),
    "environment with a default": ("import os\nprobe(os.environ.get('O', 'x'))", "($O ?? 'x')"),
    "environment with a default by keyword": ("import os\nprobe(os.getenv('O', default='x'))", "($O ?? 'x')"),
    "environment that has to be there": ("import os\nprobe(os.environ['O'])", "$O!"),
    "environment imported by name": ("from os import environ as e\nprobe(e.get('O'))", "$O"),
    "getenv imported by name": ("from os import getenv\nprobe(getenv('O'))", "$O"),
    "split and trimmed": ("probe([o.strip() for o in 'a, b'.split(',')])", "['a', 'b']"),
    "list of a split": ("probe(list('a,b'.split(',')))", "['a', 'b']"),
    "lists put together": ("A = ['x']\nprobe(A + ['y'])", "['x', 'y']"),
    "grown list": ("A = ['x']\nA += ['y']\nprobe(A)", "['x', 'y']"),
    "updated dictionary": ("D = {'a': 'x'}\nD.update({'a': 'y'})\nprobe(D['a'])", "'y'"),
    "deleted key": ("D = {'a': 'x'}\ndel D['a']\nprobe(D)", "{}"),
    "removed element": ("L = ['x', 'y']\nL.remove('x')\nprobe(L)", "?(changed by a method)"),
    "dictionary": ("D = dict(a='x')\nprobe(D['a'])", "'x'"),
    "f-string": ("H = 'example.com'\nprobe(f'https://{H}')", "'https://example.com'"),
    "debug is off": ("DEBUG = True\nprobe('*' if DEBUG else 'x')", "'x'"),
    "guarded by debug": ("A = 'x'\nif DEBUG:\n    A = '*'\nprobe(A)", "'x'"),
    "field of an instance": ("class A:\n    o = 'x'\na = A()\nprobe(a.o)", "'x'"),
    "field of a settings class": (
        "from pydantic_settings import BaseSettings\nclass A(BaseSettings):\n    o: str = '*'\na = A()\nprobe(a.o)",
        "?(a field of a class whose base is not known)",
    ),
    "method parameter": ("class A:\n    def f(self, o):\n        probe(o)\nA().f('x')", "'x'"),
    "keyword parameter": ("def f(o=None):\n    probe(o)\nf(o='x')", "'x'"),
}


@pytest.mark.parametrize(("code", "expected"), PYTHON.values(), ids=PYTHON)
def test_python(code: str, expected: str) -> None:
    linker, value = probed({"a.py": code})
    assert show(linker.resolve(value)) == expected


FILES = {
    "es named": ({"a.js": "import { x } from './b'; probe(x);", "b.js": "export const x = 'y';"}, "'y'"),
    "es default": ({"a.js": "import x from './b.js'; probe(x);", "b.js": "export default 'y';"}, "'y'"),
    "es namespace": ({"a.js": "import * as b from './b'; probe(b.x);", "b.js": "export const x = 'y';"}, "'y'"),
    "es renamed": ({"a.js": "import { z } from './b'; probe(z);", "b.js": "const x = 'y'; export { x as z };"}, "'y'"),
    "es re-exported": (
        {
            "a.js": "import { x } from './b'; probe(x);",
            "b.js": "export { x } from './c';",
            "c.js": "export const x = 'y';",
        },
        "'y'",
    ),
    "typescript names the compiled file": (
        {"a.ts": "import { x } from './b.js'; probe(x);", "b.ts": "export const x = 'y';"},
        "'y'",
    ),
    "folder index": ({"a.js": "probe(require('./c').x);", "c/index.js": "exports.x = 'y';"}, "'y'"),
    "commonjs destructured": (
        {"a.js": "const { x } = require('./b'); probe(x);", "b.js": "module.exports = { x: 'y' };"},
        "'y'",
    ),
    "commonjs default of an es module": (
        {"a.js": "probe(require('./b').default);", "b.js": "export default 'y';"},
        "'y'",
    ),
    "es default of a commonjs module": (
        {"a.js": "import b from './b'; probe(b.x);", "b.js": "module.exports = { x: 'y' };"},
        "'y'",
    ),
    "alias of the source folder": (
        {"src/a.ts": "import { x } from '@/b'; probe(x);", "src/b.ts": "export const x = 'y';"},
        "'y'",
    ),
    "not exported": (
        {"a.js": "import { x } from './b'; probe(x);", "b.js": "export const z = 1;"},
        "?(not exported by the imported file)",
    ),
    "a file that is not there": ({"a.js": "import { x } from './config'; probe(x);"}, "<./config.x>"),
    "python relative": ({"p/a.py": "from .b import x\nprobe(x)", "p/b.py": "x = 'y'"}, "'y'"),
    "python parent": ({"p/q/a.py": "from ..b import x\nprobe(x)", "p/b.py": "x = 'y'"}, "'y'"),
    "python absolute": ({"src/p/a.py": "from p.b import x\nprobe(x)", "src/p/b.py": "x = 'y'"}, "'y'"),
    "python module": ({"a.py": "import b\nprobe(b.x)", "b.py": "x = 'y'"}, "'y'"),
    "python submodule": ({"a.py": "from p import b\nprobe(b.x)", "p/__init__.py": "", "p/b.py": "x = 'y'"}, "'y'"),
    "python star": ({"a.py": "from b import *\nprobe(x)", "b.py": "x = 'y'"}, "'y'"),
    "imports in a circle": (
        {
            "a.js": "import { x } from './b'; export const y = x; probe(y);",
            "b.js": "import { y } from './a'; export const x = y;",
        },
        "?(defined by itself)",
    ),
}


@pytest.mark.parametrize(("files", "expected"), FILES.values(), ids=FILES)
def test_files(files: dict[str, str], expected: str) -> None:
    linker, value = probed(files)
    assert show(linker.resolve(value)) == expected


def test_names_from_one_star_import_stay_apart() -> None:
    files = {"a.py": "from b import *\nprobe(y)\nother(x)", "b.py": "x = 'first'\ny = 'second'\nz = 'third'"}
    linker, value = probed(files)
    assert show(linker.resolve(value)) == "'second'"
    end = Span("a.py", len(files["a.py"]), len(files["a.py"]))
    found = [show(linker.resolve(Name(name, 0, end))) for name in "xyz"]  # as settings are looked up
    assert found == ["'first'", "'second'", "'third'"]


def test_the_trail_names_the_places_on_the_way() -> None:
    linker, value = probed(
        {
            "a.js": "import { x } from './b'; probe(x);",
            "b.js": "import { z } from './c'; export const x = z;",
            "c.js": "export const z = 'y';",
        }
    )
    found = linker.resolved(value)
    assert show(found.value) == "'y'"
    assert found.value.span.path == "c.js"
    assert found.trail[0].path == "a.js"
    assert "b.js" in [span.path for span in found.trail]


def test_a_chain_through_too_many_files_is_unknown() -> None:
    files = {f"m{n}.js": f"import {{ x }} from './m{n + 1}'; export {{ x }};" for n in range(20)}
    files["m20.js"] = "export const x = 'y';"
    files["a.js"] = "import { x } from './m0'; probe(x);"
    linker, value = probed(files)
    assert show(linker.resolve(value)) in ("?(passed through too many files)", "?(defined by itself)")


TESTS = {
    "NODE_ENV is production": ("process.env.NODE_ENV === 'production'", Tri.YES),
    "NODE_ENV is not production": ("process.env.NODE_ENV !== 'production'", Tri.NO),
    "NODE_ENV is development": ("process.env.NODE_ENV === 'development'", Tri.NO),
    "not and and": ("!(process.env.NODE_ENV === 'production') && q", Tri.NO),
    "unknown": ("q", Tri.UNKNOWN),
    "another variable": ("process.env.OPEN === '1'", Tri.UNKNOWN),
    "dev flag of vite": ("import.meta.env.DEV", Tri.NO),
    "literal": ("'x'", Tri.YES),
    "empty text": ("''", Tri.NO),
}


@pytest.mark.parametrize(("code", "expected"), TESTS.values(), ids=TESTS)
def test_conditions_as_they_are_in_production(code: str, expected: Tri) -> None:
    linker, value = probed({"a.js": f"probe({code});"})
    assert linker.test(value) is expected


NAMES = {
    "required": ("probe(require('express'));", "express#default"),
    "default import": ("import e from 'express'; probe(e);", "express#default"),
    "named import": ("import { Server } from 'socket.io'; probe(Server);", "socket.io#Server"),
    "renamed": ("const { Server: S } = require('socket.io'); probe(S);", "socket.io#Server"),
    "member of a default import": ("import S from 'socket.io'; probe(S.Server);", "socket.io#Server"),
    "default of a required module": ("probe(require('cors').default);", "cors#default"),
    "node: prefix": ("import { createServer } from 'node:http'; probe(createServer);", "http#createServer"),
    "method of an instance": ("const a = require('express')(); probe(a.use);", "express#default()/use"),
    "member of a member of an instance": (
        "const { Server } = require('socket.io'); const io = new Server(); probe(io.engine.use);",
        "socket.io#Server()/engine.use",
    ),
    "global": ("probe(io);", "global#io"),
    "unknown receiver": ("function f(a) { probe(a.use); }", "?/use"),
    "local function": ("function f() {} probe(f);", None),
}


@pytest.mark.parametrize(("code", "expected"), NAMES.values(), ids=NAMES)
def test_canonical_names(code: str, expected: str | None) -> None:
    linker, value = probed({"a.js": code})
    assert linker.canonical(value) == expected


def test_what_a_parameter_is_changes_with_the_calls_that_are_known() -> None:
    files = {
        "serve.js": "module.exports = function serve(origin) { probe({ origin, fixed: 'https://a.example' }); };\n",
        "first.js": "const serve = require('./serve');\nserve('https://shop.example');\n",
        "second.js": "const serve = require('./serve');\nserve('https://other.example');\n",
    }
    readings = {path: parse(SourceFile(path, text.encode())) for path, text in files.items()}
    code = {path: found for path, found in readings.items() if isinstance(found, CodeReading)}
    linker = Linker(code.get, Modules(".", frozenset(code)), _CATALOG.assumptions)
    (site,) = (each for each in code["serve.js"].calls if each.call.arguments)
    given = site.call.arguments[0].value

    def seen(*paths: str) -> list[str]:
        linker.look_for_callers(lambda: [code[path] for path in ("serve.js", *paths)])
        found = (linker.lookup(given, key) for key in ("origin", "fixed"))
        return [type(linker.resolve(value)).__name__ for value in found if value is not None]

    assert seen() == ["Parameter", "Literal"]
    assert seen("first.js") == ["Literal", "Literal"]
    assert seen("first.js", "second.js") == ["Parameter", "Literal"]
