"""Whatever place and verb is asked for: no crash, no new damage, and the rest of the file as it was."""

from __future__ import annotations

import ast
import random
from typing import Any

import pytest
import tree_sitter
import tree_sitter_javascript
import tree_sitter_python

from corslint.editing import Code, Order, apply_changes
from corslint.fixes import editor
from corslint.parsers.nginx import read
from corslint.source import SourceFile, Span

JAVASCRIPT = """\
// é 🔑
const {Server} = require('socket.io'), http = require("http");
const allowed = ['http://a.example', "http://b.example", `http://c.example`,]; // three
const io = new Server(http.createServer(app), {
  path: '/s', /* the path */ transports: ["websocket"],
  cors: { origin(o, cb) { cb(null, allowed.includes(o)) }, methods: [ 'GET' ], credentials: true, ...more },
  // last
  pingInterval
});
if (a) io.origins('*:*'); else { io.set("origins", x) }
app.use(cors({ origin: process.env.ORIGIN || '*' }), (req, res) => { res.header('Access-Control-Allow-Origin', '*'); });
opts.cors.origin = true
"""

PYTHON = """\
# é 🔑
import os
ALLOWED = ['http://a.example', "http://b.example",]  # two
CORS(app, origins=ALLOWED,
     resources={r"/api/*": {"origins": "*", 'methods': ('GET',)}}, **more)
app.add_middleware(
    CORSMiddleware,  # the middleware
    allow_origins=os.environ.get("ORIGINS", "*").split(","),
    # last
    allow_credentials=not DEBUG)

class A(B):
    name: str = f"{x}y"

    @route('/x', methods=["GET"])
    async def f(self, *args, k=1):
        if self: return await self.g(*args, k=k); self.x = 1
        self.headers["Access-Control-Allow-Origin"] = '*'
"""

NGINX = """\
# é 🔑
map $http_upgrade $connection_upgrade { default upgrade; '' close; }
server {
    listen 80; server_name a.example "b.example";
    location ~ ^/s\\.io(/|$) { proxy_pass http://up; # here
        add_header 'X' "a; b" always;
        if ($request_method = OPTIONS) { return 204; }
    }
    # last
}
"""


def javascript_damage(data: bytes) -> int:
    pending = [tree_sitter.Parser(tree_sitter.Language(tree_sitter_javascript.language())).parse(data).root_node]
    damage = 0
    while pending:
        node = pending.pop()
        damage += node.is_error or node.is_missing
        pending += node.children
    return damage


def python_damage(data: bytes) -> int:
    try:
        ast.parse(data)
    except SyntaxError:
        return 1
    return 0


def nginx_damage(data: bytes) -> int:
    return len(read(SourceFile("nginx.conf", data)).damage)


LANGUAGES = {
    "a.js": (JAVASCRIPT, javascript_damage),
    "a.py": (PYTHON, python_damage),
    "nginx.conf": (NGINX, nginx_damage),
}

NEW: list[Any] = [
    True,
    None,
    7,
    "x",
    "it's \"\\ ${a} # ;\n",
    ["a", "b"],
    {"a": {"b": 1}},
    Code("f(a)"),
    Code("a, b"),
    Code("a +"),
    "",
]
NAMES = ["origin", "x-y", "", "a b;", "add_header Y 1;", "a { b 1; }", "class"]


def named(data: bytes, language: object) -> list[tuple[int, int]]:
    """The spans of everything in a program that has a name in its grammar."""
    pending = [tree_sitter.Parser(tree_sitter.Language(language)).parse(data).root_node]
    spans = []
    while pending:
        node = pending.pop()
        if node.is_named:
            spans.append((node.start_byte, node.end_byte))
        pending += node.children
    return spans


def spans_of(path: str, data: bytes) -> list[tuple[int, int]]:
    """Places that a rule could name."""
    if path == "a.js":
        return named(data, tree_sitter_javascript.language())
    if path == "a.py":
        return named(data, tree_sitter_python.language())
    spans = []
    pending = list(read(SourceFile(path, data)).directives)
    while pending:
        one = pending.pop()
        spans += [(place.start, place.end) for place in (one.span, one.body, *(word.span for word in one.arguments))]
        pending += one.block or ()
    return spans


def boundaries(text: str) -> list[int]:
    """Byte offsets where words, strings and punctuation begin or end."""
    places = {0}
    offset = 0
    before = ""
    for character in text:
        if not (character.isalnum() and before.isalnum()):
            places.add(offset)
        offset += len(character.encode())
        before = character
    return sorted(places)


@pytest.mark.parametrize("path", LANGUAGES)
@pytest.mark.parametrize("ending", ["\n", "\r\n"])
def test_any_place(path: str, ending: str) -> None:
    text, damage = LANGUAGES[path]
    data = text.replace("\n", ending).encode()
    assert damage(data) == 0
    change = editor(path)
    assert change is not None
    chance = random.Random(path + ending)
    places, spans = boundaries(data.decode()), spans_of(path, data)
    made = 0
    for _ in range(800):
        start = chance.choice(places)
        end = chance.choice([place for place in places if start < place <= start + 60] or [start])
        if chance.random() < 0.8:
            start, end = chance.choice(spans)
        order = Order(
            chance.choice(["delete", "replace", "rename_key", "set_option", "insert_directive"]),
            Span(path, start, end),
            chance.choice(NEW),
            chance.choice(NAMES),
            chance.choice([("a",), ("cors", "origin"), ("x-y", "z")]),
            chance.choice([None, 0, 1]),
        )
        changes = change(SourceFile(path, data), order)
        if not changes:
            continue
        made += 1
        after = apply_changes(data, changes)
        assert damage(after) == 0, (order, after)
        for one in changes:
            old = data[one.start : one.end]
            assert old != one.text
            assert not (old and one.text and old in (b'"', b"'")), order
        if ending == "\r\n":
            assert after.count(b"\n") == after.count(b"\r\n"), order
    assert made > 40
