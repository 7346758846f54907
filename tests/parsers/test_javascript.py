"""JavaScript, TypeScript, JSX and TSX to readings."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest

from corslint.model.reading import CodeReading
from corslint.model.values import Call, Function, Member, Name
from corslint.parsers import grammars
from corslint.parsers.javascript import MOST_DAMAGE, read
from corslint.source import SourceFile
from tests.parsers.rendering import show, show_bindings, show_calls, show_exports, show_guards, show_writes


def reading(text: str | bytes, dialect: str = "javascript") -> CodeReading:
    data = text if isinstance(text, bytes) else text.encode("utf-8", "surrogatepass")
    return read(SourceFile("a.js", data), dialect)


def bound(text: str, name: str, dialect: str = "javascript") -> list[str]:
    found = reading(text, dialect)
    assert found.damage == ()
    return show_bindings(found, name)


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        # literals
        ("'a'", "'a'"),
        ('"a\\"b"', "'a\"b'"),
        ("'\\x41\\u0042\\u{43}\\u{1F600}'", "'ABC😀'"),
        ("'\\ud83d\\ude00'", "'😀'"),
        ("'\\ud83d!'", "'\ufffd!'"),
        ("'\\0\\101\\t\\n\\v\\q'", "'\\x00A\\t\\n\\x0bq'"),
        ("'a\\\nb\\\r\nc'", "'abc'"),
        ("'\\u{110000}'", "'\ufffd'"),
        ("''", "''"),
        ("'ä€'", "'ä€'"),
        ("1", "1"),
        ("1.50", "1.5"),
        (".5e1", "5.0"),
        ("0x1F", "31"),
        ("0b101", "5"),
        ("0o17", "15"),
        ("017", "15"),
        ("089", "89"),
        ("1_000", "1000"),
        ("10n", "10"),
        ("-3", "-3"),
        ("+3", "3"),
        ("9" * 401, "?(number)"),
        ("1e999", "?(number)"),
        ("true", "true"),
        ("false", "false"),
        ("null", "null"),
        ("undefined", "undefined"),
        ("void 0", "undefined"),
        ("NaN", "NaN"),
        ("/^a[/]b$/gi", "/^a[/]b$/gi:ecmascript"),
        ("/a/", "/a/:ecmascript"),
        ("new RegExp('a', 'i')", "new RegExp('a', 'i')"),
        ("RegExp('a')", "RegExp('a')"),
        # template literals
        ("``", "''"),
        ("`a\\n${'b'}`", "concat('a\\n', 'b')"),
        ("`plain`", "'plain'"),
        ("`${a}`", "concat(a)"),
        ("`http://${host}:${port}/x`", "concat('http://', host, ':', port, '/x')"),
        ("`a${`b${c}`}`", "concat('a', concat('b', c))"),
        ("tag`a${f()}`", "tag(?(tagged template))"),
        # objects and arrays
        ("[]", "[]"),
        ("[1, ...b, , f(),]", "[1, ...b, undefined, f()]"),
        ("[a, /* c */ b]", "[a, b]"),
        ("{}", "{}"),
        ("{a: 1, 'b': 2, [c]: 3, ['d']: 4, [`e`]: 5, 6: 7, 0x10: 8, ...g, h}",
         "{a: 1, b: 2, [?]: 3, d: 4, e: 5, 6: 7, 16: 8, ...g, h: h}"),
        ("{a() { return 1 }, async b(y) {}, *c() {}}", "{a: fn a@1(){1}, b: fn b@2(y){}, c: fn c@3(){?(generator)}}"),
        ("{get a() { return b }, set a(v) {}}", "{a: fn a@1(){b@1}()}"),
        ("{get() { return 1 }, set: 2, async: 3}", "{get: fn get@1(){1}, set: 2, async: 3}"),
        ("{a: {b: {c: 1}}}", "{a: {b: {c: 1}}}"),
        ("{origin: ok ? '*' : false}", "{origin: (ok ? '*' : false)}"),
        # names, members, calls
        ("process.env.X", "process.env.X"),
        ("process.env['X']", "process.env.X"),
        ("a[0]", "a.0"),
        ("a[true]", "a[true]"),
        ("a[b].c", "a[b].c"),
        ("a?.b?.[c]?.(d)", "a.b[c](d)"),
        ("f(a, ...b)", "f(a, ...b)"),
        ("f(/* nothing */)", "f()"),
        ("f()(1)(2)", "f()(1)(2)"),
        ("new A", "new A()"),
        ("new a.B(c)", "new a.B(c)"),
        ("new (f())(1)", "new f()(1)"),
        ("new A().b(c)", "new A().b(c)"),
        ("import.meta.env.PROD", "import.meta.env.PROD"),
        ("import.meta?.env", "import.meta.env"),
        ("this.a", "?(this).a"),
        # imports
        ("require('m')", "<m.*>"),
        ("require(`m`)", "<m.*>"),
        ("require('m').a", "<m.*>.a"),
        ("require('m').default", "<m.*>.default"),
        ("require('m')(http, {a: 1})", "<m.*>(http, {a: 1})"),
        ("require('m')({a: 1}).b()", "<m.*>({a: 1}).b()"),
        ("new (require('m').Server)(h)", "new <m.*>.Server(h)"),
        ("new (require('m'))(h)", "new <m.*>(h)"),
        ("new require('m')(h)", "<m.*>(h)"),
        ("require(name)", "require(name)"),
        ("require()", "require()"),
        ("require.resolve('m')", "require.resolve('m')"),
        ("await import('m')", "<m.*>"),
        ("(await import('m')).default", "<m.*>.default"),
        ("import('m').then(f)", "<m.*>.then(f)"),
        ("import(name)", "import(name)"),
        ("import('m', {with: {type: 'json'}})", "<m.*>"),
        # operators
        ("a || b || 'c'", "((a || b) || 'c')"),
        ("a ?? b", "(a ?? b)"),
        ("a && b && c", "op[and](a, b, c)"),
        ("a && b || c", "(op[and](a, b) || c)"),
        ("(a || b) && c", "op[and]((a || b), c)"),
        ("a ? b : c ? d : e", "(a ? b : (c ? d : e))"),
        ("a ? b : (c ? d : e)", "(a ? b : (c ? d : e))"),
        ("a + '/b' + c", "concat(a, '/b', c)"),
        ("a + (b + c)", "concat(a, concat(b, c))"),
        ("1 + 2 + 'a'", "concat(op[other](1, 2), 'a')"),
        ("1 + 2", "op[other](1, 2)"),
        ("'a' + 1 + 2", "concat('a', 1, 2)"),
        ("a - b * c", "op[other](a, op[other](b, c))"),
        ("a - b - c", "op[other](a, b, c)"),
        ("a === b", "op[==](a, b)"),
        ("a == b", "op[==](a, b)"),
        ("a !== b", "op[!=](a, b)"),
        ("a != b", "op[!=](a, b)"),
        ("a < b", "op[<](a, b)"),
        ("a <= b", "op[<=](a, b)"),
        ("a > b", "op[>](a, b)"),
        ("a >= b", "op[>=](a, b)"),
        ("a in b", "op[in](a, b)"),
        ("a instanceof b", "op[other](a, b)"),
        ("a.indexOf(b) !== -1", "op[!=](a.indexOf(b), -1)"),
        ("!a", "op[not](a)"),
        ("!origin || SET.has(origin)", "(op[not](origin) || SET.has(origin))"),
        ("typeof a === 'string'", "op[==](op[typeof](a), 'string')"),
        ("delete a.b", "op[other](a.b)"),
        ("~a", "op[other](a)"),
        ("+a", "op[other](a)"),
        ("(a, b, c)", "c"),
        ("((a))", "a"),
        ("await a", "a"),
        ("y = 1", "1"),
        ("y = z = f()", "f()"),
        ("y ||= 1", "(y || 1)"),
        ("y ??= 1", "(y ?? 1)"),
        ("y &&= 1", "op[and](y, 1)"),
        ("y += 1", "concat(y, 1)"),
        ("y -= 1", "op[other](y, 1)"),
        # functions and classes
        ("() => 1", "fn @1(){1}"),
        ("a => ({b: a})", "fn @1(a){{b: a@1}}"),
        ("async (a, {b}, [c], ...d) => a", "fn @1(a,,,){a@1}"),
        ("(a = 1) => a", "fn @1(a){a@1}"),
        ("function () {}", "fn @1(){}"),
        ("function f(a) { return f }", "fn f@1(a){f@1}"),
        ("function () { return }", "fn @1(){undefined}"),
        ("function* () { yield 1; return 2 }", "fn @1(){?(generator)}"),
        ("class {}", "this@1"),
        ("(() => { return 1 })()", "fn @1(){1}()"),
        ("(function () { return 1 }).call(this)", "fn @1(){1}.call(?(this))"),
        # JSX is walked for calls only
        ("<a b={f(1)}>{g()}</a>", "?(jsx element)"),
        ("<A b='c' />", "?(jsx self closing element)"),
        ("<></>", "?(jsx element)"),
    ],
)  # fmt: skip
def test_expressions(expression: str, expected: str) -> None:
    found = reading(f"const x = {expression};")
    assert found.damage == ()
    assert show_bindings(found, "x") == [expected]


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("a!", "a"),
        ("a!.b!", "a.b"),
        ("!a!.b(c)", "op[not](a.b(c))"),
        ("typeof a![b].c === 'd'", "op[==](op[typeof](a[b].c), 'd')"),
        ("!a!", "op[not](a)"),
        ("(!a)!.b", "op[not](a).b"),
        ("a as T", "a"),
        ("a as unknown as T", "a"),
        ("[1] as const", "[1]"),
        ("<T>a", "a"),
        ("<T>(<any>a).b", "a.b"),
        ("a satisfies T", "a"),
        ("(a as any).b", "a.b"),
        ("f<T>(a)", "f(a)"),
        ("f<T>", "f"),
        ("new Server<A, B>(h, {cors: {origin: '*'}})", "new Server(h, {cors: {origin: '*'}})"),
        ("(a: string, b?: number): boolean => true", "fn @1(a,b){true}"),
        ("(this: Foo, a: T) => a", "fn @1(a){a@1}"),
        ("(a as T) || (b as T)", "(a || b)"),
    ],
)
def test_typescript_expressions(expression: str, expected: str) -> None:
    assert bound(f"const x = {expression};", "x", "typescript") == [expected]


@pytest.mark.parametrize(
    ("text", "name", "expected"),
    [
        # imports
        ("import a from 'm'", "a", ["<m.default>"]),
        ("import {a} from 'm'", "a", ["<m.a>"]),
        ("import {a as b} from 'm'", "b", ["<m.a>"]),
        ("import {a as b} from 'm'", "a", []),
        ("import {default as b} from 'm'", "b", ["<m.default>"]),
        ("import {'a-b' as c} from 'm'", "c", ["<m.a-b>"]),
        ("import * as n from 'm'", "n", ["<m.*>"]),
        ("import a, * as n from 'm'", "n", ["<m.*>"]),
        ("import a, {b} from 'm'", "b", ["<m.b>"]),
        ("import './m'", "", ["<./m.*>"]),
        ("require('./m')", "", ["<./m.*>"]),
        ("import a from './a.json' with {type: 'json'}", "a", ["<./a.json.default>"]),
        ("const {Server} = require('m')", "Server", ["<m.*>.Server"]),
        ("const {Server: S} = require('m')", "S", ["<m.*>.Server"]),
        ("const S = require('m').Server", "S", ["<m.*>.Server"]),
        ("var a = require('a'), b = a(1)", "b", ["a(1)"]),
        ("function f(require) { var a = require('m') }", "a", ["require@1('m')"]),
        ("const require = createRequire(import.meta.url); const a = require('m')", "a", ["<m.*>"]),
        ("const require = module.createRequire(u); const a = require('m')", "a", ["<m.*>"]),
        ("const require = other(); const a = require('m')", "a", ["require('m')"]),
        ("const {io} = await import('m')", "io", ["<m.*>.io"]),
        # destructuring
        ("const {a = 1} = o", "a", ["(o.a ?? 1)"]),
        ("const {a: {b, c: {d}}} = o", "d", ["o.a.c.d"]),
        ("const {a: {b} = {}} = o", "b", ["(o.a ?? {}).b"]),
        ("const {['a']: b} = o", "b", ["o.a"]),
        ("const {[k]: b} = o", "b", ["o[k]"]),
        ("const {'a-b': b} = o", "b", ["o.a-b"]),
        ("const {a, ...r} = o", "r", ["?(what is left over)"]),
        ("const [a, , b = 1] = o", "b", ["(o.2 ?? 1)"]),
        ("const [[a]] = o", "a", ["o.0.0"]),
        ("const [a, ...r] = o", "r", ["?(what is left over)"]),
        ("({a, b: {c}} = o)", "c", ["o.b.c"]),
        ("[a, b] = o", "b", ["o.1"]),
        ("var {PORT} = process.env", "PORT", ["process.env.PORT"]),
        # declarations
        ("let a", "a", ["undefined"]),
        ("var a = 1; var a;", "a", ["1"]),
        ("var a = 1; var a = 2", "a", ["1", "2"]),
        ("let a; a = 1", "a", ["undefined", "1"]),
        ("a = 1", "a", ["1"]),
        ("a = b = c = f()", "b", ["f()"]),
        ("const app = module.exports = express()", "app", ["express()"]),
        ("let a; a ||= 2; a ??= 3; a += 'x'; a++", "a",
         ["undefined", "(a || 2)", "(a ?? 3)", "concat(a, 'x')", "op[other](a)"]),
        ("if (t) { var a = 1 } else { a = 2 }", "a", ["t -> 1", "!t -> 2"]),
        ("if (t) { let a = 1 }", "a", ["1"]),
        ("let a; if (t) a = 1; else if (u) a = 2; else a = 3", "a",
         ["undefined", "t -> 1", "!t -> u -> 2", "!t -> !u -> 3"]),
        ("let a; t && (a = 1)", "a", ["undefined", "t -> 1"]),
        ("let a; t ? (a = 1) : (a = 2)", "a", ["undefined", "t -> 1", "!t -> 2"]),
        ("let a; function f() { if (t) a = 1 }", "a", ["undefined", "?(assigned in another function) -> t@1 -> 1"]),
        ("let a; { a = 1 }", "a", ["undefined", "1"]),
        ("a = 1; let a", "a", ["1", "undefined"]),
        ("function f() { a = 1 } var a = 2", "a", ["?(assigned in another function) -> 1", "2"]),
        ("function f() { var a = 1; { let a = 2; a = 3 } a = 4 }", "a", ["1", "4", "2", "3"]),
        ("let a; for (const b of c) { a = b; let d = 1; d = 2 }", "a", ["undefined", "?(loop) -> b@2"]),
        ("for (const b of c) { let d = 1; d = 2 }", "d", ["1", "2"]),
        ("let a; while (t) a = 1", "a", ["undefined", "t -> ?(loop) -> 1"]),
        ("var a = 0; for (;;) { var a = 1 }", "a", ["0", "?(loop) -> 1"]),
        ("for (const [k, v] of e) ;", "v", ["e[?(each item of a loop)].1"]),
        ("for (const a of b) ;", "a", ["b[?(each item of a loop)]"]),
        ("for (let i = 0; i < n; i++) a[i];", "i", ["?(each item of a loop)"]),
        ("for (let i = 1; i < n; i++) a[i];", "i", ["1", "op[other](i@1)"]),
        ("for (let i = 0; i < n; i--) a[i];", "i", ["0", "op[other](i@1)"]),
        ("for (let i = 0, n = 9; i < n; i++) a[i];", "i", ["0", "op[other](i@1)"]),
        ("for (let i = 0; i < n; j++) a[i];", "i", ["0"]),
        ("for (i in o) ;", "i", ["?(each item of a loop)"]),
        ("try {} catch (e) { x = 1 }", "x", ["?(exception) -> 1"]),
        ("try {} catch ({message}) {}", "message", ["?(exception).message"]),
        ("const a = 1, b = a", "b", ["a"]),
        ("using a = f(); await using b = g(a)", "b", ["g(a)"]),
        # functions
        ("f(1); function f(a) { return a }", "f", ["fn f@1(a){a@1}"]),
        ("if (t) return; function f() {}", "f", ["fn f@1(){}"]),
        ("async function f() { return await g() }", "f", ["fn f@1(){g@1()}"]),
        ("function f(a = 1, {b, c: [d] = []} = {}, ...e) {}", "a", ["(p0:a ?? 1)"]),
        ("function f(a = 1, {b, c: [d] = []} = {}, ...e) {}", "d", ["((p1: ?? {}).c ?? []).0"]),
        ("function f(a = 1, {b, c: [d] = []} = {}, ...e) {}", "e", ["?(all further arguments)"]),
        ("const f = function g() { return g }", "g", ["fn g@1(){g@1}"]),
        ("const f = function g(g) {}", "g", ["p0:g"]),
        # classes
        ("class A extends B { x = f(); static y = 1; #z = 2; m(a) { return this.x } }", "A", ["this@1"]),
        ("class A extends B { x = f() }", "*", ["B"]),
        ("class A extends m(B) {}", "*", ["m(B)"]),
        ("class A { x = f(); static y = 1; #z = 2 }", "x", ["f()"]),
        ("class A { x = f(); static y = 1; #z = 2 }", "y", ["1"]),
        ("class A { x = f(); static y = 1; #z = 2 }", "#z", ["2"]),
        ("class A { x = x; }", "x", ["x"]),
        ("class A { m(a) { return this.x } }", "m", ["fn m@2(a){this@1.x}"]),
        ("class A { static m() { return this.x } }", "m", ["fn m@2(){this@1.x}"]),
        ("class A { get m() { return this.x } }", "m", ["fn m@2(){this@1.x}()"]),
        ("class A { set m(v) { } }", "m", []),
        ("class A { x = () => this.y }", "x", ["fn @2(){this@1.y}"]),
        ("class A { m() { return () => this.y } }", "m", ["fn m@2(){fn @3(){this@1.y}}"]),
        ("class A { m() { return function () { return this.y } } }", "m", ["fn m@2(){fn @3(){?(this).y}}"]),
        ("class A { m() { return {n() { return this.y }} } }", "m", ["fn m@2(){{n: fn n@3(){?(this).y}}}"]),
        ("class A { constructor(a) { this.a = a } }", "constructor", ["fn constructor@2(a){}"]),
        ("class A { ['m']() {} }", "m", ["fn m@2(){}"]),
        ("class A { 'm n'() {} }", "m n", ["fn m n@2(){}"]),
        ("const B = class C { m() { return C } }", "C", ["this@2"]),
    ],
)  # fmt: skip
def test_bindings(text: str, name: str, expected: list[str]) -> None:
    assert bound(text, name) == expected


@pytest.mark.parametrize(
    ("text", "name", "expected"),
    [
        ("import x = require('m')", "x", ["<m.*>"]),
        ("import x = a.b.c", "x", ["a.b.c"]),
        ("import type {A} from 'm'", "A", []),
        ("import type A from 'm'", "A", []),
        ("import {type A, B} from 'm'", "A", []),
        ("import {type A, B} from 'm'", "B", ["<m.B>"]),
        ("class A { private io: Server = f() }", "io", ["f()"]),
        ("class A { private io: Server; }", "io", []),
        ("class A { declare io: Server; abstract m(): void; [k: string]: any }", "m", []),
        ("class A { constructor(private readonly a: B, b: C, public c = 1) {} }", "a", ["p0:a", "p0:a"]),
        ("class A { constructor(private readonly a: B, b: C, public c = 1) {} }", "b", ["p1:b"]),
        ("class A { constructor(private readonly a: B, b: C, public c = 1) {} }", "c", ["(p2:c ?? 1)", "(p2:c ?? 1)"]),
        ("abstract class A<T> extends B<T> implements C {}", "*", ["B"]),
        ("enum E { A = 'x', B = 'y' }", "E", ["{A: 'x', B: 'y'}"]),
        ("enum E { A, B = 5, C, D = f(), E }", "E", ["{A: 0, B: 5, C: 6, D: f(), E: ?(enum member)}"]),
        ("namespace N { const p = 1; export const x = p; export function f() {} }", "N", ["{x: x@1, f: f@1}"]),
        ("namespace N { export const x = 1 }", "x", ["1"]),
        ("declare const a: string", "a", []),
        ("declare module 'x' { export const b: string }", "b", []),
        ("function f(a: string): void; function f(a: any) {}", "f", ["fn f@1(a){}"]),
        ("type A = {f: typeof import('m')}; interface B { g(): void }", "A", []),
        ("let a: typeof f = g", "a", ["g"]),
        ("a! += 1", "a", ["concat(a, 1)"]),
        ("(a as any) = 1", "a", ["1"]),
    ],
)
def test_typescript_bindings(text: str, name: str, expected: list[str]) -> None:
    assert bound(text, name, "typescript") == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("f(g(1), {a: h()})", ["g(1)", "h()", "f(g(1), {a: h()})"]),
        ("a.b(1).c(2)", ["a.b(1)", "a.b(1).c(2)"]),
        ("function f(a = g()) {}", ["?(only a default) -> g@1()"]),
        ("const {a = g()} = h()", ["h()", "?(only a default) -> g()"]),
        ("o = {[f()]: 1, get a() { return g() }, set b(v) { h() }}", ["f()", "g@1()", "h@2()"]),
        ("`${f()}`; tag`${g()}`", ["f()", "g()", "tag(?(tagged template))"]),
        ("class A extends f() { [g()] = h(); static { i() } }", ["f()", "g()", "h()", "i@2()"]),
        ("a[f()] = g()", ["g()", "f()"]),
        ("<A x={f()} {...g()}>{h()}{xs.map(x => <b>{i(x)}</b>)}</A>",
         ["f()", "g()", "h()", "i@1(x@1)", "xs.map(fn @1(x){?(jsx element)})"]),
        ("delete f().a; typeof g(); void h(); [...i()]; f++", ["f()", "g()", "h()", "i()"]),
        ("throw new Error(f())", ["f()", "new Error(f())"]),
        ("for (let i = f(); g(); h()) i()", ["f@1()", "g@1()", "h@1()", "i@1()"]),
        ("for (const a of f()) g()", ["f()", "g@1()"]),
        ("do f(); while (g())", ["f()", "g()"]),
        ("label: f()", ["f()"]),
        ("with (f()) g()", ["f()", "g()"]),
        ("async () => { for await (const x of f()) await g(x) }", ["f@1()", "g@2(x@2)"]),
        ("(function () { f() })()", ["f@1()", "fn @1(){}()"]),
        ("!function () { f() }()", ["f@1()", "fn @1(){}()"]),
        ("require('m')", []),
        ("import('m')", []),
        ("import(f())", ["f()", "import(f())"]),
        ("yields = function* () { yield f() }", ["f@1()"]),
        ("export default f(); export const a = g()", ["f()", "g()"]),
        # guards
        ("if (t) f(); else g()", ["t -> f()", "!t -> g()"]),
        ("if (t) { f() } else if (u) { g() } else { h() }", ["t -> f()", "!t -> u -> g()", "!t -> !u -> h()"]),
        ("if (t()) f()", ["t()", "t() -> f()"]),
        ("t ? f() : u ? g() : h()", ["t -> f()", "!t -> u -> g()", "!t -> !u -> h()"]),
        ("a && b && f()", ["a -> b -> f()"]),
        ("a || b || f()", ["!a -> !b -> f()"]),
        ("a || f() || g()", ["!a -> f()", "!a -> !f() -> g()"]),
        ("a && b || f()", ["!op[and](a, b) -> f()"]),
        ("a || b && f()", ["!a -> b -> f()"]),
        ("a ?? f()", ["?(only where it is missing) -> f()"]),
        ("a ||= f()", ["!a -> f()"]),
        ("a ??= f()", ["?(only where it is missing) -> f()"]),
        ("while (t) f(); g()", ["t -> f()", "g()"]),
        ("if (t) function f() { g() }", ["g@1()"]),
        ("if (t) h(() => g())", ["g@1()", "t -> h(fn @1(){g@1()})"]),
        # early exits
        ("function f() { if (t) return; g() }", ["!t@1 -> g@1()"]),
        ("function f() { if (!t) { throw e } g() }", ["!op[not](t@1) -> g@1()"]),
        ("function f() { if (t) g(); else return; h() }", ["t@1 -> g@1()", "t@1 -> h@1()"]),
        ("function f() { if (t) return a(); else return b(); h() }",
         ["t@1 -> a@1()", "!t@1 -> b@1()", "false -> h@1()"]),
        ("function f() { return; g() }", ["false -> g@1()"]),
        ("function f() { if (t) { if (u) return } g() }", ["!op[and](t@1, u@1) -> g@1()"]),
        ("function f() { if (t) {} else { if (u) return } g() }", ["!op[and](op[not](t@1), u@1) -> g@1()"]),
        ("function f() { if (t) return; else if (u) return; g() }", ["!t@1 -> !u@1 -> g@1()"]),
        ("function f() { if (t) a(); else if (u) return; g() }",
         ["t@1 -> a@1()", "!op[and](op[not](t@1), u@1) -> g@1()"]),
        ("function f() { { if (t) return } g() }", ["!t@1 -> g@1()"]),
        ("if (!p.e) { process.exit(1) } g()", ["op[not](p.e) -> process.exit(1)", "!op[not](p.e) -> g()"]),
        ("for (const a of b) { if (t) continue; f() } g()", ["!t@1 -> f@1()", "g()"]),
        ("for (;;) { if (t) break; f() } g()", ["!t -> f()", "g()"]),
        ("function f() { for (const a of b) if (a === c) return true; g() }",
         ["!op[and](?(loop), op[==](a@2, c@2)) -> g@1()"]),
        ("function f() { for (;;) { return } g() }", ["!?(loop) -> g@1()"]),
        ("x: for (;;) { for (;;) { if (t) break x; f() } g() } h()",
         ["!t -> f()", "!op[and](?(loop), t) -> g()", "h()"]),
        ("function f() { while (t) { if (u) return } g() }", ["!op[and](?(loop), u@1) -> g@1()"]),
        # try
        ("try { f() } catch (e) { g() } finally { h() } i()", ["f()", "?(exception) -> g@1()", "h()", "i()"]),
        ("function f() { try { g() } catch { return } h() }", ["g@1()", "!?(exception) -> h@1()"]),
        ("function f() { try { return g() } catch { } h() }", ["g@1()", "?(exception) -> h@1()"]),
        ("function f() { try { return 1 } catch { return 2 } h() }", ["false -> h@1()"]),
        ("function f() { try { throw 1 } catch { } h() }", ["h@1()"]),
        ("function f() { try { } finally { return } h() }", ["false -> h@1()"]),
        # switch
        ("switch (a) { case 1: f(); break; case 2: case 3: g(); break; default: h() }",
         ["op[==](a, 1) -> f()", "op[in](a, [2, 3]) -> g()", "!op[in](a, [1, 2, 3]) -> h()"]),
        ("switch (a) { case 1: f(); case 2: g() }", ["op[==](a, 1) -> f()", "op[in](a, [1, 2]) -> g()"]),
        ("switch (a) { case 1: f(); break; case 2: default: g() }", ["op[==](a, 1) -> f()", "!op[==](a, 1) -> g()"]),
        ("switch (a) { default: g() }", ["true -> g()"]),
        ("function f() { switch (a) { case 1: return; case 2: if (t) return; break } g() }",
         ["!op[==](a@1, 1) -> !op[and](op[==](a@1, 2), t@1) -> g@1()"]),
        ("switch (f()) { case g(): const a = 1; h(a) }", ["f()", "g@1()", "op[==](f(), g@1()) -> h@1(a@1)"]),
        # callbacks, the reason for all of this
        ("cors({origin: (o, cb) => { if (!o || ok.has(o)) cb(null, true); else cb(new Error('x')) }})",
         ["!op[not](o@1) -> ok@1.has(o@1)",
          "(op[not](o@1) || ok@1.has(o@1)) -> cb@1(null, true)",
          "!(op[not](o@1) || ok@1.has(o@1)) -> new Error@1('x')",
          "!(op[not](o@1) || ok@1.has(o@1)) -> cb@1(new Error@1('x'))",
          "cors({origin: fn @1(o,cb){}})"]),
    ],
)  # fmt: skip
def test_calls_and_guards(text: str, expected: list[str]) -> None:
    found = reading(text)
    assert found.damage == ()
    assert show_calls(found) == expected


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("return 1", ["1"]),
        ("if (t) return 1; return 2", ["t@1 -> 1", "!t@1 -> 2"]),
        ("if (t) { return 1 } else { return 2 }", ["t@1 -> 1", "!t@1 -> 2"]),
        ("return t ? 1 : 2", ["(t@1 ? 1 : 2)"]),
        ("try { return 1 } catch (e) { return 2 }", ["1", "?(exception) -> 2"]),
        ("switch (a) { case 'x': return 1; default: return 2 }", ["op[==](a@1, 'x') -> 1", "!op[==](a@1, 'x') -> 2"]),
        ("for (const o of os) { if (o === x) return true } return false",
         ["op[==](o@2, x@2) -> true", "!op[and](?(loop), op[==](o@2, x@2)) -> false"]),
        ("g(function () { return 1 }); return 2", ["2"]),
        ("", []),
    ],
)  # fmt: skip
def test_returns(body: str, expected: list[str]) -> None:
    found = reading(f"function f() {{ {body} }}")
    (binding,) = found.scopes[0].bindings["f"]
    assert isinstance(binding.value, Function)
    assert [f"{show_guards(each.guards)}{show(each.value)}" for each in binding.value.returns] == expected


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("throw x", [((), "throw x")]),
        ("if (t) throw x; return 1", [((True,), "throw x")]),
        ("if (t) return 1; throw x", [((False,), "throw x")]),
        ("try { throw x } catch (e) { return 1 }", []),
        ("try { throw x } catch (e) { throw e }", [((True,), "throw e")]),
        ("try { throw x } finally { g() }", [((), "throw x")]),
        ("throw x; function g() { throw y }", [((), "throw x")]),
        ("return 1", []),
    ],
)
def test_throws(body: str, expected: list[tuple[tuple[bool, ...], str]]) -> None:
    source = SourceFile("a.js", f"function f() {{ {body} }}".encode())
    function = read(source, "javascript").scopes[0].bindings["f"][0].value
    assert isinstance(function, Function)
    ways = [(tuple(guard.holds for guard in way.guards), source.text(way.value.span)) for way in function.throws]
    assert [(guards, text.rstrip(";")) for guards, text in ways] == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a.b = 1", ["a.b = 1"]),
        ("a['b'] = 1", ["a.b = 1"]),
        ("a[b] = 1", ["a[b] = 1"]),
        ("a.b.c += 1", ["a.b.c += 1"]),
        ("a.b ||= c", ["a.b = (a.b || c)"]),
        ("a.b ??= c", ["a.b = (a.b ?? c)"]),
        ("a.b &&= c", ["a.b = op[and](a.b, c)"]),
        ("a.b -= 1; a.c++", ["a.b = op[other](a.b, 1)", "a.c = op[other](a.c)"]),
        ("ref.current = io('x')", ["ref.current = io('x')"]),
        ("class A { m() { this.io = new Server() } }", ["this@1.io = new Server@2()"]),
        ("class A { m() { f(() => { this.io = 1 }) } }", ["this@1.io = 1"]),
        ("function A() { this.io = 1 }", ["?(this).io = 1"]),
        ("window.a = b.c = f()", ["b.c = f()", "window.a = f()"]),
        ("({a: b.c, d: e[0]} = f())", ["b.c = f().a", "e.0 = f().d"]),
        ("if (t) a.b = 1", ["t -> a.b = 1"]),
        ("t && (a.b = 1)", ["t -> a.b = 1"]),
        ("for (a.b of c) ;", ["a.b = c[?(each item of a loop)]"]),
        ("function f(exports) { exports.a = 1 }", ["exports@1.a = 1"]),
        ("module.exports.a.b = 1", ["module.exports.a.b = 1"]),
        ("a = 1", []),
    ],
)
def test_writes(text: str, expected: list[str]) -> None:
    found = reading(text)
    assert found.damage == ()
    assert show_writes(found) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("export default f()", ["default: f()"]),
        ("export default {a: 1}", ["default: {a: 1}"]),
        ("export default a", ["default: a"]),
        ("export default function f() {}", ["default: f"]),
        ("export default function () {}", ["default: fn @1(){}"]),
        ("export default async () => 1", ["default: fn @1(){1}"]),
        ("export default class A {}", ["default: A"]),
        ("export default class {}", ["default: this@1"]),
        ("export const a = 1, {b, c: [d = 2], ...e} = f", ["a: a", "b: b", "d: d", "e: e"]),
        ("export let a; export var b = 1", ["a: a", "b: b"]),
        ("export function f() {}", ["f: f"]),
        ("export function* f() {}", ["f: f"]),
        ("export class A {}", ["A: A"]),
        ("export {a, b as c, d as default, e as 'f-g'}", ["a: a", "c: b", "default: d", "f-g: e"]),
        ("export {a, default as b, c as d} from 'm'", ["a: <m.a>", "b: <m.default>", "d: <m.c>"]),
        ("export * from 'm'", ["*: <m.*>"]),
        ("export * as n from 'm'", ["n: <m.*>"]),
        ("module.exports = a", ["=: a"]),
        ("module['exports'] = a", ["=: a"]),
        ("exports = module.exports = a", ["=: a"]),
        ("module.exports = exports = a", ["=: a"]),
        ("module.exports = {a, b: 1}", ["=: {a: a, b: 1}"]),
        ("module.exports.a = 1; exports.b = 2; exports['c'] = 3", ["a: 1", "b: 2", "c: 3"]),
        ("exports.default = a", ["default: a"]),
        ("exports.a = exports.b = void 0; exports.a = 1", ["b: undefined", "a: 1"]),
        ("(function (module) { module.exports = 1 })({})", []),
        ("if (t) module.exports = a", ["=: a"]),
        ("export = a", ["=: a"]),
    ],
)
def test_exports(text: str, expected: list[str]) -> None:
    dialect = "typescript" if text == "export = a" else "javascript"
    found = reading(text, dialect)
    assert found.damage == ()
    assert show_exports(found) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("export enum E { A }", ["E: E"]),
        ("export type {A} from 'm'; export type B = 1; export interface C {}", []),
        ("export {type A, b} from 'm'", ["b: <m.b>"]),
        ("export abstract class A {}", ["A: A"]),
        ("export default abstract class A {}", ["default: A"]),
        ("export default interface A {}", []),
        ("export declare const a: string", []),
        ("export import a = b.c", ["a: a"]),
        ("export namespace N { export const x = 1 }", ["N: N"]),
        ("export as namespace N", []),
    ],
)
def test_typescript_exports(text: str, expected: list[str]) -> None:
    found = reading(text, "typescript")
    assert found.damage == ()
    assert show_exports(found) == expected


def test_decorators() -> None:
    text = """
@WebSocketGateway(80, {cors: {origin: '*'}}) @Other
export class Gateway {
  @WebSocketServer() server: Server;
  @SubscribeMessage('m') @Use(Guard)
  handle(@MessageBody() body: string, @ConnectedSocket() client) {}
  constructor(@Inject(TOKEN) private a: A) {}
}
@Plain class B {}
const C = @D() class {}
export default @E() class {}
"""
    found = reading(text, "typescript")
    assert [(show(each.decorator), each.target, each.scope) for each in found.decorations] == [
        ("WebSocketGateway(80, {cors: {origin: '*'}})", "Gateway", 0),
        ("Other", "Gateway", 0),
        ("WebSocketServer()", "server", 1),
        ("SubscribeMessage('m')", "handle", 1),
        ("Use(Guard)", "handle", 1),
        ("MessageBody@2()", "body", 2),
        ("ConnectedSocket@2()", "client", 2),
        ("Inject@3(TOKEN@3)", "a", 3),
        ("Plain", "B", 0),
        ("D()", "", 0),
        ("E()", "", 0),
    ]
    source = SourceFile("a.js", text.encode())
    assert [source.text(each.target_span) for each in found.decorations][:3] == ["Gateway", "Gateway", "server"]
    assert "SubscribeMessage('m')" in show_calls(found)


def test_decorators_in_javascript() -> None:
    found = reading("@A(1) export class B { @C(2) m() {} @D x = 1; @E() static y }")
    assert found.damage == ()
    assert [(show(each.decorator), each.target, each.scope) for each in found.decorations] == [
        ("A(1)", "B", 0), ("C(2)", "m", 1), ("D", "x", 1), ("E()", "y", 1),
    ]  # fmt: skip


def test_spans_and_identity() -> None:
    text = "const {a} = f('ä', {k: 1});\nexport const b = a.c;"
    source = SourceFile("a.js", text.encode())
    found = read(source, "javascript")
    (site,) = found.calls
    assert source.text(site.call.span) == "f('ä', {k: 1})"
    assert [source.text(argument.span) for argument in site.call.arguments] == ["'ä'", "{k: 1}"]
    (binding,) = found.scopes[0].bindings["a"]
    assert source.text(binding.span) == "a"
    assert isinstance(binding.value, Member)
    assert binding.value.base == site.call
    (member,) = (each.value for each in found.scopes[0].bindings["b"])
    assert isinstance(member, Member)
    assert (source.text(member.span), source.text(member.key_span)) == ("a.c", "c")
    assert isinstance(member.base, Name)
    assert (member.base.name, member.base.scope) == ("a", 0)


def test_write_and_entry_spans() -> None:
    text = "o.p = {'k': v, m() {}, s}"
    source = SourceFile("a.js", text.encode())
    (write,) = read(source, "javascript").writes
    assert source.text(write.span) == text
    entries = write.value.items  # type: ignore[union-attr]
    assert [source.text(entry.span) for entry in entries] == ["'k': v", "m() {}", "s"]
    assert [source.text(entry.key_span) for entry in entries] == ["'k'", "m", "s"]  # type: ignore[union-attr]


def test_scopes() -> None:
    found = reading("let a; function f(b) { { let c; } { d } for (let i;;) {} try {} catch (e) {} } class K { m() {} }")
    assert [(scope.kind, scope.parent, sorted(scope.bindings)) for scope in found.scopes] == [
        ("module", -1, ["K", "a", "f"]),
        ("function", 0, ["b"]),
        ("block", 1, ["c"]),
        ("block", 1, ["i"]),
        ("block", 1, ["e"]),
        ("class", 0, ["m"]),
        ("function", 5, []),
    ]


def test_names_in_a_class_body_do_not_see_its_members() -> None:
    found = reading("class A { io = io(); }")
    (site,) = found.calls
    assert isinstance(site.call.callee, Name)
    assert (site.call.callee.scope, site.scope) == (0, 1)


@pytest.mark.parametrize(
    ("text", "calls", "damage"),
    [
        ("f(1; g(2);", ["f(1)", "g(2)"], [("expected `)`", 3, 3)]),
        ("f(1)); g(2)", ["f(1)", "g(2)"], [("does not parse", 4, 5)]),
        ("app.use(cors({origin: f('*')", ["f('*')"], [("does not parse", 0, 28)]),
        ("if (a {b()} c()", ["a -> b()", "c()"], [("expected `)`", 5, 5)]),
        ("let a = ; f()", ["f()"], [("does not parse", 8, 9)]),
        ("}}} f()", ["f()"], [("does not parse", 0, 3)]),
        ("", [], []),
        ("// nothing", [], []),
        ("#!/usr/bin/env node\nf()", ["f()"], []),
    ],
)
def test_broken_files(text: str, calls: list[str], damage: list[tuple[str, int, int]]) -> None:
    found = reading(text)
    assert show_calls(found) == calls
    assert [(each.message, each.span.start, each.span.end) for each in found.damage] == damage
    assert not any(each.whole for each in found.damage)


def test_keys_beside_a_broken_pair_are_unknown() -> None:
    found = reading("const o = {a: 1, b: ; c: 2};")
    assert found.damage
    (shown,) = show_bindings(found, "o")
    assert shown.startswith("{a: 1, ...?(does not parse)")


def test_nothing_readable_is_whole_damage() -> None:
    found = reading("((((")
    assert [each.whole for each in found.damage] == [True]


def test_damage_is_limited() -> None:
    found = reading("let = ; ) f();\n" * 100)
    assert len(found.damage) == MOST_DAMAGE


def test_type_annotations_in_javascript_are_no_damage() -> None:
    found = reading("// @flow\nconst a: number = f(1);\ntype T = {b: string};\nexport const x = (y: T): T => g(y);")
    assert found.damage == ()
    assert show_calls(found) == ["f(1)", "g@1(y@1)"]


def test_types_of_a_tagged_template_are_no_damage() -> None:
    found = reading("const A = styled(Box)<{ wide: boolean }>`margin: 0;`;\nf(1);", "typescript")
    assert found.damage == ()
    assert "f(1)" in show_calls(found)


@pytest.mark.parametrize("dialect", ["javascript", "tsx"])
@pytest.mark.parametrize(
    "jsx",
    [
        "<b>Lost & Found</b>",
        "<b>R&D</b>",
        "<b>a && b</b>",
        "<><i/>& {g(2)} & <i>x</i>& &lt;& y&</>",
        "<a href='/x?a=1&b=2' title=\"Q&A\">{g(2)}& &copy; & more</a>",
        "<p>\n  {h && <i>q & {g(2)} && r</i>}\n</p>",
        "<b>up => down > {g(2)} -> & >= 1</b>",
    ],
)
def test_what_the_text_of_jsx_may_hold_is_no_damage(jsx: str, dialect: str) -> None:
    found = reading(f"const a = {jsx};\nf(1);\nconst b = {{c: '&'}};", dialect)
    assert found.damage == ()
    assert [each.rpartition(" -> ")[2] for each in show_calls(found)] == ["g(2)"] * jsx.count("g(2)") + ["f(1)"]
    assert show_bindings(found, "b") == ["{c: '&'}"]


@pytest.mark.parametrize(
    ("text", "damage"),
    [
        ("const a = b & & c;", [("does not parse", 14, 15)]),
        ("const a = <p>x & y {b & & c}</p>;", [("does not parse", 24, 25)]),
        ("const a = <p>x > y {b > > c}</p>;", [("does not parse", 24, 25)]),
        ("const a = <p>x } y</p>;", [("does not parse", 15, 18)]),
    ],
)
def test_what_stands_in_code_is_damage(text: str, damage: list[tuple[str, int, int]]) -> None:
    found = reading(text)
    assert [(each.message, each.span.start, each.span.end) for each in found.damage] == damage


def test_attributes_keep_their_ampersands() -> None:
    assert bound('const a = <A b={{c: "x&y"}} d="e&f">& g</A>, h = "i&j";', "h") == ["'i&j'"]


def test_an_imported_type_as_an_argument_is_no_damage() -> None:
    found = reading("const a = { ...(await load<typeof import('x')>()), b: 1 };\nf(1);", "typescript")
    assert found.damage == ()
    assert show_calls(found) == ["load()", "f(1)"]
    assert reading("const a = typeof import('x')>();", "typescript").damage


def test_a_byte_0_in_a_string_is_no_damage() -> None:
    found = reading(b"f('a\0b'); g(1);")
    assert found.damage == ()
    assert show_calls(found) == [r"f('a\x00b')", "g(1)"]
    assert reading(b"f(1); \0").damage


@pytest.mark.parametrize("mark", [b"\xff\xfe", b"\xfe\xff"])
def test_utf_16_is_whole_damage(mark: bytes) -> None:
    found = reading(mark + "f()".encode("utf-16-le"))
    assert [each.whole for each in found.damage] == [True]
    assert len(found.scopes) == 1
    assert found.calls == ()


def test_bytes_that_are_not_utf_8() -> None:
    found = reading(b"// caf\xe9\nf('\xe9');")
    assert show_calls(found) == ["f('\ufffd')"]
    assert found.damage == ()


def test_byte_order_mark_and_nul() -> None:
    assert show_calls(reading(b"\xef\xbb\xbff()")) == ["f()"]
    assert show_calls(reading(b"f()\n\0\ng()")) == ["f()", "g()"]


def test_jsx_in_tsx() -> None:
    found = reading("const x = <A<T> b={f() as U}>{g<T>(1)}</A>;", "tsx")
    assert found.damage == ()
    assert show_calls(found) == ["f()", "g(1)"]


_HOSTILE = {
    "parentheses": "(" * 100_000,
    "closed parentheses": "(" * 100_000 + "a" + ")" * 100_000,
    "templates": "`${" * 40_000,
    "closed templates": "`${" * 40_000 + "a" + "}`" * 40_000,
    "calls": "f(" * 100_000,
    "closed calls": "f(" * 50_000 + ")" * 50_000,
    "arrays": "[" * 100_000,
    "closed arrays": "[" * 50_000 + "]" * 50_000,
    "objects": "x={a:" * 20_000,
    "sum": "a+" * 200_000 + "a",
    "fallbacks": "a||" * 50_000 + "a",
    "missing": "a??" * 50_000 + "a",
    "ands": "f()&&" * 50_000 + "a",
    "members": "a" + ".a" * 100_000,
    "call chain": "a" + ".a()" * 50_000,
    "ternaries": "a?b():" * 30_000 + "c",
    "else if": "if(a)return b();else " * 20_000 + "c()",
    "assignments": "a=" * 30_000 + "c",
    "arrows": "a=>" * 30_000 + "c",
    "negations": "!" * 50_000 + "a",
    "functions": "function f(){" * 20_000 + "}" * 20_000,
    "blocks": "{let a;" * 20_000 + "}" * 20_000,
    "ifs": "if(a){" * 20_000 + "}" * 20_000,
    "tries": "try{" * 20_000 + "}catch(e){}" * 20_000,
    "switches": "switch(a){case 1:" * 10_000 + "}" * 10_000,
    "classes": "x=class{a=" * 5_000 + "1" + "}" * 5_000,
    "patterns": "var " + "{a:" * 20_000 + "b" + "}" * 20_000 + "=c",
    "jsx": "<a b={" * 10_000 + "1" + "}/>" * 10_000,
    "loops": "while(a)" * 20_000 + ";",
    "early exits": "function f(){" + "if(a)return b();" * 2_000 + "}",
    "cases": "switch(a){" + "case 1:b();" * 20_000 + "}",
    "one name": "a=1;" * 50_000,
    "commas": "a," * 100_000 + "c",
    "tagged": "a" + "``" * 50_000,
    "nested chains": "a.b(c).d(" * 10_000 + ")" * 10_000,
}


@pytest.mark.parametrize("name", _HOSTILE)
def test_hostile_nesting(name: str) -> None:
    started = time.thread_time()
    found = reading(_HOSTILE[name])
    assert time.thread_time() - started < 10
    # Nothing in the result may be so deep that walking it recursively fails.
    limit = sys.getrecursionlimit()
    for scope in found.scopes[:50]:
        for bindings in scope.bindings.values():
            for binding in bindings[:50]:
                show(binding.value)
                assert hash(binding) is not None
    for site in (*found.calls[:50], *found.calls[-50:]):
        show(site.call)
    assert sys.getrecursionlimit() == limit


def test_what_tree_sitter_is_slow_at_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(grammars, "_PARSE_SECONDS", 0.2)
    started = time.thread_time()
    found = reading("/*a" * 30_000)
    assert time.thread_time() - started < 1
    assert [(each.message, each.whole) for each in found.damage] == [("takes too long to parse", True)]


def test_reading_works_deep_in_the_stack() -> None:
    def down(levels: int) -> CodeReading:
        return down(levels - 1) if levels else reading("f(() => { if (a) { g({b: [" * 60 + "1" + "]}) } });" * 60)

    assert down(300).calls


@pytest.mark.parametrize("dialect", ["javascript", "typescript", "tsx"])
def test_importing_is_cheap_and_only_one_grammar_is_loaded(dialect: str) -> None:
    code = f"""
import sys
from corslint.parsers import javascript
from corslint.source import SourceFile
assert not any(name.startswith("tree_sitter") for name in sys.modules)
javascript.read(SourceFile("a", b"f()"), {dialect!r})
print(sorted(name for name in sys.modules if name.startswith("tree_sitter_")))
"""
    root = Path(__file__).parents[2]
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=root, check=True)
    expected = "tree_sitter_javascript" if dialect == "javascript" else "tree_sitter_typescript"
    assert done.stdout.strip() == f"['{expected}._binding']"


def test_a_module_in_one_piece() -> None:
    text = """
const express = require('express');
const { createServer } = require('http');
const { Server } = require('socket.io');
const allowed = (process.env.ORIGINS || 'http://localhost:3000').split(',').map((o) => o.trim());
const app = express();
const server = createServer(app);
const options = { cors: { origin: allowed } };
if (process.env.NODE_ENV !== 'production') options.cors.origin = '*';
const io = new Server(server, { ...options, path: '/ws' });
io.on('connection', (socket) => { socket.emit('hi') });
server.listen(process.env.PORT ?? 3000, () => console.log('up'));
module.exports = { app, io };
"""
    found = reading(text)
    assert found.damage == ()
    assert show_bindings(found, "allowed") == [
        "(process.env.ORIGINS || 'http://localhost:3000').split(',').map(fn @1(o){o@1.trim()})"
    ]
    assert show_bindings(found, "io") == ["new Server(server, {...options, path: '/ws'})"]
    assert show_writes(found) == ["op[!=](process.env.NODE_ENV, 'production') -> options.cors.origin = '*'"]
    assert show_exports(found) == ["=: {app: app, io: io}"]
    (io,) = (binding.value for binding in found.scopes[0].bindings["io"])
    assert isinstance(io, Call)
    assert io in [site.call for site in found.calls]
