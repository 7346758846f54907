from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from corslint.editing import Code
from corslint.editing.javascript import escaped, spelled, unescaped

Edited = Callable[..., "str | None"]

DELETE = {
    "only property": ("cors({ ⟦origin: '*'⟧ })", "cors({})"),
    "by its value": ("cors({ origin: ⟦'*'⟧ })", "cors({})"),
    "by its name": ("cors({ ⟦origin⟧: '*', a: 1 })", "cors({ a: 1 })"),
    "by its quoted name": ("cors({ ⟦'origin'⟧: '*', a: 1 })", "cors({ a: 1 })"),
    "by its computed name": ("cors({ [⟦'origin'⟧]: '*', a: 1 })", "cors({ a: 1 })"),
    "first": ("x = {⟦a: 1⟧, b: 2, c: 3}", "x = {b: 2, c: 3}"),
    "middle": ("x = { a: 1, ⟦b: 2⟧, c: 3 }", "x = { a: 1, c: 3 }"),
    "last": ("x = { a: 1, ⟦b: 2⟧ }", "x = { a: 1 }"),
    "last with trailing comma": ("x = [1, ⟦2⟧,]", "x = [1,]"),
    "shorthand": ("x = { a, ⟦origins⟧, b }", "x = { a, b }"),
    "method": ("x = {\n  ⟦origin⟧(o, cb) { cb(null, true) },\n  b\n}", "x = {\n  b\n}"),
    "spread": ("x = { ⟦...defaults⟧, b }", "x = { b }"),
    "own line": ("x = {\n  a: 1,\n  ⟦b: 2⟧,\n  c: 3,\n};\n", "x = {\n  a: 1,\n  c: 3,\n};\n"),
    "own line with its comment": (
        "x = {\n  a: 1, // one\n  ⟦b: 2⟧, // two\n  // three\n  c: 3,\n};\n",
        "x = {\n  a: 1, // one\n  // three\n  c: 3,\n};\n",
    ),
    "own line, comment before its comma": (
        "x = {\n  a: 1,\n  ⟦b: 2⟧ /* two */,\n  c: 3,\n};\n",
        "x = {\n  a: 1,\n  c: 3,\n};\n",
    ),
    "own line, comment in front": ("x = {\n  /* one */ ⟦a: 1⟧,\n  b: 2\n}", "x = {\n  b: 2\n}"),
    "comment above stays": ("x = {\n  // one\n  ⟦a: 1⟧,\n  b: 2\n}", "x = {\n  // one\n  b: 2\n}"),
    "last line, no trailing comma": ("x = {\n  a: 1,\n  ⟦b: 2⟧\n}", "x = {\n  a: 1\n}"),
    "last line, comment on the line before": (
        "x = {\n  a: 1, // one\n  ⟦b: 2⟧ // two\n}",
        "x = {\n  a: 1 // one\n}",
    ),
    "last line, brace on it": ("x = {\n  a: 1,\n  ⟦b: 2⟧ }", "x = {\n  a: 1 }"),
    "last line, brace on it, line comment before": (
        "x = {\n  a: 1, // one\n  ⟦b: 2⟧ }",
        "x = {\n  a: 1 // one\n  }",
    ),
    "first on the brace's line": ("x = { ⟦a: 1⟧,\n  b: 2 }", "x = {\n  b: 2 }"),
    "two on a line, first": ("x = {\n  ⟦a: 1⟧, b: 2,\n  c: 3\n}", "x = {\n  b: 2,\n  c: 3\n}"),
    "two on a line, second": ("x = {\n  a: 1, ⟦b: 2⟧,\n  c: 3\n}", "x = {\n  a: 1,\n  c: 3\n}"),
    "leading commas": ("x = {\n    a: 1\n  , ⟦b: 2⟧\n  , c: 3\n}", "x = {\n    a: 1\n  , c: 3\n}"),
    "only one on several lines": ("x = {\n  ⟦a: 1⟧,\n}", "x = {}"),
    "only one, a comment stays": ("x = {\n  // why\n  ⟦a: 1⟧,\n}", "x = {\n  // why\n}"),
    "multi-line value": ("x = {\n  ⟦a⟧: {\n    b: 1,\n  },\n  c: 2,\n}", "x = {\n  c: 2,\n}"),
    "nested": ("io({ cors: { ⟦origin⟧: '*', methods: ['GET'] } })", "io({ cors: { methods: ['GET'] } })"),
    "array element": ("x = ['http://a', ⟦'null'⟧, 'http://b']", "x = ['http://a', 'http://b']"),
    "array element after a call": ("x = [f(1, 2), ⟦'null'⟧]", "x = [f(1, 2)]"),
    "argument": ("app.use(⟦cors()⟧, auth)", "app.use(auth)"),
    "only argument": ("app.use(⟦cors()⟧)", "app.use()"),
    "object argument": ("new Server(http, ⟦{ cors: true }⟧);", "new Server(http);"),
    "in parentheses": ("x = { a: (⟦1⟧), b: 2 }", "x = { b: 2 }"),
    "CRLF": ("x = {\r\n  a: 1,\r\n  ⟦b: 2⟧\r\n}\r\n", "x = {\r\n  a: 1\r\n}\r\n"),
    "tabs": ("x = {\n\t\ta: 1,\n\t\t⟦b: 2⟧,\n}", "x = {\n\t\ta: 1,\n}"),
    "non-ASCII before": ("/* ключ 🔑 */ x = { é: 'ü', ⟦b: 2⟧, c: 3 }", "/* ключ 🔑 */ x = { é: 'ü', c: 3 }"),
    "byte order mark": ("\ufeffx = { a: 1, ⟦b: 2⟧ }", "\ufeffx = { a: 1 }"),
    "statement": ("a();\n⟦io.origins('*:*')⟧;\nb();\n", "a();\nb();\n"),
    "statement with its comment": ("a();\n  ⟦b()⟧; // why\nc();\n", "a();\nc();\n"),
    "statement beside another": ("a(); ⟦b()⟧; c();\n", "a(); c();\n"),
    "last statement beside another": ("a(); ⟦b()⟧;\nc();\n", "a();\nc();\n"),
    "statement without semicolon": ("a()\n⟦b()⟧\nc()\n", "a()\nc()\n"),
    "awaited statement": (
        "async function f() {\n  await ⟦app.register(cors)⟧;\n  a();\n}",
        "async function f() {\n  a();\n}",
    ),
    "member assignment": ("a();\nopts.origin = ⟦'*'⟧;\nb();\n", "a();\nb();\n"),
    "member assignment by its name": ("a();\nopts.⟦origin⟧ = '*';\nb();\n", "a();\nb();\n"),
    "item assignment by its name": ("a();\nopts[⟦'origin'⟧] = '*';\nb();\n", "a();\nb();\n"),
    "last line of a file without line ending": ("a();\n⟦b()⟧;", "a();\n"),
}


@pytest.mark.parametrize(("before", "after"), DELETE.values(), ids=DELETE)
def test_delete(edited: Edited, before: str, after: str) -> None:
    assert edited("a.js", before, "delete") == after


DELETE_REFUSED = {
    "a variable's value": "const x = ⟦'*'⟧; f(x)",
    "the only statement of an if": "if (a) ⟦b()⟧;",
    "a returned value": "function f() { return ⟦1⟧ }",
    "a part of an expression": "x = { a: ⟦'b'⟧ + c }",
    "beside a hole": "x = [1,, ⟦2⟧]",
    "a piece of a string": "x = ['⟦a⟧,b']",
    "in a damaged object": "x = { a: 1 b ⟦c: 2⟧ ",
    "joins the statements around it": "a = b\n⟦c()⟧;\n(d)();\n",
    "not a node": "x = { a⟦: 1, b⟧: 2 }",
}


@pytest.mark.parametrize("before", DELETE_REFUSED.values(), ids=DELETE_REFUSED)
def test_delete_refused(edited: Edited, before: str) -> None:
    assert edited("a.js", before, "delete") is None


REPLACE: dict[str, tuple[str, Any, str]] = {
    "single quotes": ("x = ⟦'http://a/'⟧", "http://a", "x = 'http://a'"),
    "double quotes": ('x = ⟦"http://a/"⟧', "http://a", 'x = "http://a"'),
    "template": ("x = ⟦`http://a/`⟧", "http://a", "x = `http://a`"),
    "quote inside": ("x = ⟦'a'⟧", "it's \\", "x = 'it\\'s \\\\'"),
    "template syntax inside": ("x = ⟦`a`⟧", "`${b}", "x = `\\`\\${b}`"),
    "line feed": ("x = ⟦'a'⟧", "b\nc", "x = 'b\\nc'"),
    "non-ASCII before": ("/* ключ 🔑 */ x = ⟦'é'⟧", "ü", "/* ключ 🔑 */ x = 'ü'"),
    "wrapped": ("x = (⟦'a'⟧)", "b", "x = ('b')"),
    "a boolean": ("x = { a: ⟦true⟧ }", False, "x = { a: false }"),
    "a list for a string": ("x = { a: ⟦'a, b'⟧ }", ["a", "b"], "x = { a: ['a', 'b'] }"),
    "a list in the file's quotes": ('x = { a: ⟦"a, b"⟧ }', ["a", "b"], 'x = { a: ["a", "b"] }'),
    "code for a string": ("x = { a: ⟦'*'⟧ }", Code("process.env.ORIGIN"), "x = { a: process.env.ORIGIN }"),
    "text for an expression": ("⟦app⟧.listen(80)", "server", "server.listen(80)"),
    "shorthand": ("x = { ⟦a⟧ }", False, "x = { a: false }"),
    "an arrow function": ("x = { a: ⟦(o, cb) => cb(null, true)⟧ }", ["http://a"], "x = { a: ['http://a'] }"),
    "nothing to do": ("x = ⟦'a'⟧", "a", "x = 'a'"),
    "a part of a string": ("x = 'http://a⟦/⟧,http://b'", "", "x = 'http://a,http://b'"),
    "a part after non-ASCII": ("x = 'http://é⟦/⟧'", "", "x = 'http://é'"),
    "null": ("x = { a: ⟦undefined⟧ }", None, "x = { a: null }"),
}


@pytest.mark.parametrize(("before", "new", "after"), REPLACE.values(), ids=REPLACE)
def test_replace(edited: Edited, before: str, new: Any, after: str) -> None:
    assert edited("a.js", before, "replace", new) == after


def test_replace_one_of_several_values_in_a_string(edited: Edited) -> None:
    before = "x = ⟦'http://a/, http://b'⟧.split(',')"
    assert edited("a.js", before, "replace", "http://a", was="http://a/") == "x = 'http://a, http://b'.split(',')"
    assert edited("a.js", before, "replace", "http://a", was="http://c/") is None
    assert edited("a.js", "x = ⟦'*, *'⟧", "replace", "http://a", was="*") is None


def test_replace_where_the_rule_saw_other_letters(edited: Edited) -> None:
    before = "res.set(⟦'Access-Control-Allow-Header'⟧, x)"
    after = "res.set('Access-Control-Allow-Headers', x)"
    assert edited("a.js", before, "replace", after[9:-5], was="access-control-allow-header") == after


REPLACE_REFUSED = {
    "several nodes": ("x = { ⟦a: 1, b: 2⟧ }", False),
    "not one expression": ("x = f(⟦a⟧)", Code("b, c")),
    "code that needs parentheses": ("x = !⟦a⟧", Code("b || c")),
    "broken code": ("x = f(⟦a⟧)", Code("b +")),
    "an attribute": ("x = <A url=⟦'a'⟧ />", ["b"]),
    "no code": ("x = f(⟦a⟧)", Code("")),
    "a statement": ("⟦if (a) b();⟧", Code("c")),
    "an object where a statement begins": ("⟦f()⟧;", {"a": 1}),
    "a value called": ("⟦f⟧()", None),
    "a value with a member": ("⟦a⟧.b()", ["c"]),
    "a member's name": ("a.⟦b⟧ = 1", Code("c")),
    "a parameter": ("(⟦a⟧) => a", Code("b")),
    "a declared name": ("const ⟦a⟧ = 1", Code("b")),
    "a property": ("x = { ⟦a: 1⟧ }", Code("b")),
}


@pytest.mark.parametrize(("before", "new"), REPLACE_REFUSED.values(), ids=REPLACE_REFUSED)
def test_replace_refused(edited: Edited, before: str, new: Any) -> None:
    assert edited("a.jsx", before, "replace", new) is None


RENAME = {
    "name": ("cors({ ⟦origins⟧: '*' })", "origin", "cors({ origin: '*' })"),
    "whole property": ("cors({ ⟦origins: '*'⟧ })", "origin", "cors({ origin: '*' })"),
    "quoted": ("cors({ ⟦'origins'⟧: '*' })", "origin", "cors({ 'origin': '*' })"),
    "computed": ("cors({ [⟦'origins'⟧]: '*' })", "origin", "cors({ origin: '*' })"),
    "shorthand": ("cors({ ⟦origins⟧ })", "origin", "cors({ origin: origins })"),
    "method": ("cors({ ⟦origins⟧(o, cb) {} })", "origin", "cors({ origin(o, cb) {} })"),
    "needs quotes": ("f({ ⟦a⟧: 1 })", "x-a", "f({ 'x-a': 1 })"),
    "member": ("opts.⟦origins⟧ = '*'", "origin", "opts.origin = '*'"),
    "called member": ("io.⟦origins⟧('*')", "origin", "io.origin('*')"),
    "item": ('opts[⟦"origins"⟧] = 1', "origin", 'opts["origin"] = 1'),
}


@pytest.mark.parametrize(("before", "name", "after"), RENAME.values(), ids=RENAME)
def test_rename_key(edited: Edited, before: str, name: str, after: str) -> None:
    assert edited("a.ts", before, "rename_key", name=name) == after


RENAME_REFUSED = {
    "taken": ("cors({ ⟦origins⟧: '*', origin: 1 })", "origin"),
    "taken by a shorthand": ("cors({ ⟦origins⟧: '*', origin })", "origin"),
    "a pattern": ("const { ⟦origins⟧ } = x", "origin"),
    "a value": ("cors({ origins: ⟦x⟧ })", "origin"),
    "a member that is no name": ("a.⟦b⟧ = 1", "x-b"),
    "no name": ("cors({ ⟦origins⟧: 1 })", ""),
    "a member that is only read": ("x = process.⟦env⟧.A", "b"),
}


@pytest.mark.parametrize(("before", "name"), RENAME_REFUSED.values(), ids=RENAME_REFUSED)
def test_rename_key_refused(edited: Edited, before: str, name: str) -> None:
    assert edited("a.js", before, "rename_key", name=name) is None


SET: dict[str, tuple[str, str, Any, str]] = {
    "replaces a boolean": ("cors(⟦{ credentials: false }⟧)", "credentials", True, "cors({ credentials: true })"),
    "replaces a string in its quotes": (
        'cors(⟦{ origin: "*" }⟧)',
        "origin",
        "http://a",
        'cors({ origin: "http://a" })',
    ),
    "replaces a string by a list": (
        "cors(⟦{ origin: '*' }⟧)",
        "origin",
        ["http://a"],
        "cors({ origin: ['http://a'] })",
    ),
    "gives a shorthand a value": ("cors(⟦{ origin }⟧)", "origin", False, "cors({ origin: false })"),
    "already so": ("cors(⟦{ origin: '*' }⟧)", "origin", "*", "cors({ origin: '*' })"),
    "adds to an empty object": ("cors(⟦{}⟧)", "origin", "*", "cors({ origin: '*' })"),
    "adds to an empty object in a tight file": (
        "x = {a: 1}; y = {b: 1}; cors(⟦{}⟧)",
        "origin",
        1,
        "x = {a: 1}; y = {b: 1}; cors({origin: 1})",
    ),
    "adds on the line": ("cors(⟦{ a: 1 }⟧)", "b", 2, "cors({ a: 1, b: 2 })"),
    "adds on the line, trailing comma": ("x = ⟦{ a: 1, }⟧", "b", 2, "x = { a: 1, b: 2, }"),
    "adds on the line, comment": ("x = ⟦{ a: 1 /* one */ }⟧", "b", 2, "x = { a: 1, b: 2 /* one */ }"),
    "adds a line": ("x = ⟦{\n  a: 1,\n}⟧", "b", 2, "x = {\n  a: 1,\n  b: 2,\n}"),
    "adds a line, no trailing comma": ("x = ⟦{\n  a: 1\n}⟧", "b", 2, "x = {\n  a: 1,\n  b: 2\n}"),
    "adds a line after a comment": ("x = ⟦{\n  a: 1 // one\n}⟧", "b", 2, "x = {\n  a: 1, // one\n  b: 2\n}"),
    "adds a line after comments": (
        "x = ⟦{\n  a: 1, // one\n  // end\n}⟧",
        "b",
        2,
        "x = {\n  a: 1, // one\n  // end\n  b: 2,\n}",
    ),
    "adds a line with tabs and CRLF": ("x = ⟦{\r\n\t\ta: 1,\r\n}⟧", "b", 2, "x = {\r\n\t\ta: 1,\r\n\t\tb: 2,\r\n}"),
    "adds a line, leading commas": ("x = ⟦{\n    a: 1\n  , c: 3\n}⟧", "b", 2, "x = {\n    a: 1\n  , c: 3\n  , b: 2\n}"),
    "adds to an empty object over lines": ("f(\n  ⟦{\n  }⟧)", "b", 2, "f(\n  {\n    b: 2\n  })"),
    "adds under a comment": ("x = ⟦{\n  // none yet\n}⟧", "b", 2, "x = {\n  // none yet\n  b: 2\n}"),
    "creates what is missing": (
        "io(h, ⟦{ path: '/s' }⟧)",
        "cors.origin",
        "*",
        "io(h, { path: '/s', cors: { origin: '*' } })",
    ),
    "goes down": (
        "io(h, ⟦{ cors: { origin: '*' } }⟧)",
        "cors.credentials",
        True,
        "io(h, { cors: { origin: '*', credentials: true } })",
    ),
    "goes down and replaces": (
        "io(h, ⟦{ cors: { origin: '*' } }⟧)",
        "cors.origin",
        "x",
        "io(h, { cors: { origin: 'x' } })",
    ),
    "code": ("cors(⟦{ origin: '*' }⟧)", "origin", Code("process.env.ORIGIN"), "cors({ origin: process.env.ORIGIN })"),
    "a mapping": ("io(⟦{}⟧)", "cors", {"origin": ["a"], "x-y": None}, "io({ cors: { origin: ['a'], 'x-y': null } })"),
    "after a spread": ("cors(⟦{ ...d, a: 1 }⟧)", "b", 2, "cors({ ...d, a: 1, b: 2 })"),
    "a key that needs quotes": ("f(⟦{ a: 1 }⟧)", "x-a", 1, "f({ a: 1, 'x-a': 1 })"),
    "a call's last argument": (
        "⟦io(h, { path: '/s' })⟧",
        "cors.origin",
        "*",
        "io(h, { path: '/s', cors: { origin: '*' } })",
    ),
    "a call without arguments": ("⟦cors()⟧", "origin", "a", "cors({ origin: 'a' })"),
    "a statement": ("⟦cors()⟧;", "origin", "a", "cors({ origin: 'a' });"),
    "a type assertion": ("io(h, ⟦{ a: 1 } as Options⟧)", "b", 2, "io(h, { a: 1, b: 2 } as Options)"),
    "new without parentheses": ("x = ⟦new Server⟧;", "a", 1, "x = new Server({ a: 1 });"),
    "type arguments": ("x = ⟦new Server<A, B>({ a: 1 })⟧;", "b", 2, "x = new Server<A, B>({ a: 1, b: 2 });"),
}


@pytest.mark.parametrize(("before", "key", "new", "after"), SET.values(), ids=SET)
def test_set_option(edited: Edited, before: str, key: str, new: Any, after: str) -> None:
    assert edited("a.ts", before, "set_option", new, key=tuple(key.split("."))) == after


def test_set_option_at_an_argument(edited: Edited) -> None:
    def at(before: str, argument: int | None) -> str | None:
        return edited("a.js", before, "set_option", True, key=("a",), argument=argument)

    assert at("⟦new Server(http)⟧", 1) == "new Server(http, { a: true })"
    assert at("⟦new Server(http)⟧", None) is None
    assert at("⟦new Server(options)⟧", 0) is None
    assert at("⟦new Server()⟧", 1) is None
    assert at("⟦new Server(...args)⟧", 1) is None
    assert at("⟦f({ b: 1 }, g)⟧", 0) == "f({ b: 1, a: true }, g)"
    assert at("⟦f(\n  http, // the server\n)⟧", 1) == "f(\n  http, // the server\n  { a: true },\n)"


SET_REFUSED = {
    "an unknown nested value": ("io(⟦{ cors: options }⟧)", "cors.origin"),
    "a spread that may win": ("cors(⟦{ origin: 1, ...d }⟧)", "origin"),
    "a computed key that may win": ("cors(⟦{ origin: 1, [k]: 2 }⟧)", "origin"),
    "a method": ("cors(⟦{ origin(o) {} }⟧)", "origin"),
    "not an object": ("cors(⟦options⟧)", "origin"),
    "a damaged object": ("cors(⟦{ a: 1 b }⟧)", "origin"),
    "a list": ("cors(⟦[1]⟧)", "origin"),
}


@pytest.mark.parametrize(("before", "key"), SET_REFUSED.values(), ids=SET_REFUSED)
def test_set_option_refused(edited: Edited, before: str, key: str) -> None:
    assert edited("a.js", before, "set_option", False, key=tuple(key.split("."))) is None


def test_html(edited: Edited) -> None:
    page = "<p>é</p>\r\n<script>a = { b: '</p' }</script><script>\r\n  io({ ⟦path: '/x'⟧, c: 1 });\r\n</script><p>it's"
    assert edited("a.html", page, "delete") == page.replace("⟦path: '/x'⟧, ", "")
    assert edited("a.html", "<p>⟦a⟧</p><script>b</script>", "delete") is None
    assert edited("a.html", "<script>x = ⟦'a'⟧</script>", "replace", "</script>") is None
    vue = '<script setup lang="ts">\nconst s = io(⟦{ a: 1 }⟧ as Options)\n</script>'
    assert edited("a.vue", vue, "set_option", 2, key=("b",)) == vue.replace("⟦{ a: 1 }⟧", "{ a: 1, b: 2 }")
    svelte = "<p>{'<script>'}</p><script lang='ts'>const s = io(⟦{ a: 1 }⟧ as Options)</script>"
    assert edited("a.svelte", svelte, "set_option", 2, key=("b",)) == svelte.replace("⟦{ a: 1 }⟧", "{ a: 1, b: 2 }")


def test_other_damage_in_the_file_does_not_matter(edited: Edited) -> None:
    assert edited("a.js", "x = { a: 1, ⟦b: 2⟧ };\nfunction (", "delete") == "x = { a: 1 };\nfunction ("


def test_insert_directive_is_not_for_javascript(edited: Edited) -> None:
    assert edited("a.js", "⟦a⟧", "insert_directive", name="b;") is None


@pytest.mark.parametrize("quote", ["'", '"', "`"])
@pytest.mark.parametrize("text", ["", "a", "'\"`", "\\", "\\n", "${x}", "\n\r\t\0\x1b", "\u2028", "é🔑"])
def test_escaping_round_trip(text: str, quote: str) -> None:
    inner = escaped(text, quote)
    assert unescaped(inner) == text
    assert quote not in inner.replace("\\" + quote, "").replace("\\\\", "")


@pytest.mark.parametrize(
    ("raw", "value"),
    [("\\x41\\u0042\\u{43}", "ABC"), ("a\\\nb", "ab"), ("\\n\\t\\0", "\n\t\0"), ("\\q", "q")],
)
def test_unescaped(raw: str, value: str) -> None:
    assert unescaped(raw) == value


def test_spelled() -> None:
    assert spelled({"a": [1, 2.5, None, True], "b c": "d'"}, "'") == "{ a: [1, 2.5, null, true], 'b c': 'd\\'' }"
    assert spelled({}, "'") == "{}"
    assert spelled({"a": Code("x()")}, '"', spaced=False) == "{a: x()}"
    assert spelled(float("inf"), "'") is None
