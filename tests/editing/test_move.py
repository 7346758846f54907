"""Statements that move behind others of their block, and items that become the first of their list."""

from __future__ import annotations

import pytest

from corslint.editing import Order, apply_changes
from corslint.fixes import editor
from corslint.source import SourceFile, Span


def moved(path: str, text: str) -> str | None:
    """The text with the statement between ⟦⟧ behind that of ⟪⟫; where there is none, the item first in its list."""
    data = text.encode()
    places: dict[str, tuple[int, int]] = {}
    for marks in sorted(("⟦⟧", "⟪⟫"), key=lambda marks: text.find(marks[0]), reverse=True):
        if marks[0] in text:
            head, rest = data.split(marks[0].encode(), 1)
            inner, tail = rest.split(marks[1].encode(), 1)
            places[marks] = (len(head), len(head) + len(inner))
            data = head + inner + tail
    first = min(places, key=lambda marks: places[marks])
    for marks in places:
        if marks != first:  # the marks of the other one stood before it
            start, end = places[marks]
            places[marks] = (start - 6, end - 6)
    change = editor(path)
    assert change is not None
    other = Span(path, *places["⟪⟫"]) if "⟪⟫" in places else None
    changes = change(SourceFile(path, data), Order("move", Span(path, *places["⟦⟧"]), other=other))
    return None if changes is None else apply_changes(data, changes).decode()


JAVASCRIPT = {
    "behind the application": (
        "const app = ⟪express()⟫;\napp.get('/', f);\n⟦app.use(cors())⟧;\napp.listen(1);\n",
        "const app = express();\napp.use(cors());\napp.get('/', f);\napp.listen(1);\n",
    ),
    "with its lines and the comment behind it": (
        "const app = ⟪express()⟫;\napp.get('/', f);\n⟦app.use(\n  cors(),\n)⟧; // why\n",
        "const app = express();\napp.use(\n  cors(),\n); // why\napp.get('/', f);\n",
    ),
    "behind what it needs": (
        "const app = ⟪express()⟫;\napp.get('/', f);\nconst options = {};\napp.all('/');\n⟦app.use(cors(options))⟧;\n",
        "const app = express();\napp.get('/', f);\nconst options = {};\napp.use(cors(options));\napp.all('/');\n",
    ),
    "behind what sets a name of its own": (
        "const app = ⟪express()⟫;\nlet a;\napp.get('/', f);\na = 1;\napp.put('/', f);\n⟦app.use(cors(a))⟧;\n",
        "const app = express();\nlet a;\napp.get('/', f);\na = 1;\napp.use(cors(a));\napp.put('/', f);\n",
    ),
    "functions are there from the beginning": (
        "const app = ⟪express()⟫;\napp.get('/', f);\nfunction make() {}\n⟦app.use(make())⟧;\n",
        "const app = express();\napp.use(make());\napp.get('/', f);\nfunction make() {}\n",
    ),
    "the last line has no ending": (
        "const app = ⟪express()⟫;\napp.get('/', f);\n⟦app.use(cors())⟧",
        "const app = express();\napp.use(cors())\napp.get('/', f);",
    ),
    "carriage returns": (
        "const app = ⟪express()⟫;\r\napp.get('/', f);\r\n⟦app.use(cors())⟧;\r\n",
        "const app = express();\r\napp.use(cors());\r\napp.get('/', f);\r\n",
    ),
    "in a function": (
        "function main() {\n  const app = ⟪express()⟫;\n  app.get('/', f);\n  ⟦app.use(cors())⟧;\n}\n",
        "function main() {\n  const app = express();\n  app.use(cors());\n  app.get('/', f);\n}\n",
    ),
    "in another block": ("const app = ⟪express()⟫;\napp.get('/', f);\nif (a) {\n  ⟦app.use(cors())⟧;\n}\n", None),
    "nothing between them": ("const app = ⟪express()⟫;\n⟦app.use(cors())⟧;\napp.get('/', f);\n", None),
    "part of a longer statement": ("const app = ⟪express()⟫;\napp.get('/', f);\nconst a = ⟦app.use(cors())⟧;\n", None),
    "others on its line": ("const app = ⟪express()⟫;\napp.get('/', f);\na(); ⟦app.use(cors())⟧;\n", None),
    "others on the line above": ("const app = ⟪express()⟫; a();\napp.get('/', f);\n⟦app.use(cors())⟧;\n", None),
    "brackets that would join": ("const app = ⟪express()⟫\n;[1].map(f)\n⟦app.use(cors())⟧;\n", None),
}


@pytest.mark.parametrize(("text", "after"), JAVASCRIPT.values(), ids=JAVASCRIPT)
def test_javascript(text: str, after: str | None) -> None:
    assert moved("a.js", text) == after


PYTHON = {
    "behind the last": (
        "app = A()\n⟦app.add(C, a=[\n    1,\n])⟧  # why\n⟪app.add(D)⟫\n\n\nx = 1\n",
        "app = A()\napp.add(D)\napp.add(C, a=[\n    1,\n])  # why\n\n\nx = 1\n",
    ),
    "behind a decorated function": (
        "app = A()\n⟦app.add(C)⟧\n\n@⟪app.middleware('http')⟫\nasync def check(request):\n    return None\n\n\nx = 1\n",
        "app = A()\n\n@app.middleware('http')\nasync def check(request):\n    return None\napp.add(C)\n\n\nx = 1\n",
    ),
    "in a function": (
        "def make():\n    app = A()\n    ⟦app.add(C)⟧\n    ⟪app.add(D)⟫\n    return app\n",
        "def make():\n    app = A()\n    app.add(D)\n    app.add(C)\n    return app\n",
    ),
    "the last line has no ending": ("⟦app.add(C)⟧\n⟪app.add(D)⟫", "app.add(D)\napp.add(C)"),
    "with a byte order mark": ("\ufeff⟦app.add(C)⟧\n⟪app.add(D)⟫\n", "\ufeffapp.add(D)\napp.add(C)\n"),
    "a name of its own is set between": ("⟦app.add(C, a)⟧\na = 2\n⟪app.add(D)⟫\n", None),
    "a name of its own is imported between": ("⟦app.add(C, a)⟧\nfrom b import a\n⟪app.add(D)⟫\n", None),
    "upwards": ("⟪app.add(D)⟫\nx = 1\n⟦app.add(C)⟧\n", None),
    "no call": ("⟦app⟧\n⟪app.add(D)⟫\n", None),
    "in another block": ("if a:\n    ⟦app.add(C)⟧\n⟪app.add(D)⟫\n", None),
    "several on a line": ("⟦app.add(C)⟧; x = 1\n⟪app.add(D)⟫\n", None),
    "an item on a line of its own": (
        "M = [\n    'a',  # one\n    'b',\n    ⟦'c'⟧,\n    'd',\n]\n",
        "M = [\n    'c',\n    'a',  # one\n    'b',\n    'd',\n]\n",
    ),
    "an item among others": ("M = ['a', ⟦'b'⟧]\n", "M = ['b', 'a']\n"),
    "an item of a tuple": ("M = ('a', ⟦'b'⟧, 'c')\n", "M = ('b', 'a', 'c')\n"),
    "a call in a list": ("A(m=[B(x=1), ⟦C(y=2)⟧])\n", "A(m=[C(y=2), B(x=1)])\n"),
    "the first already": ("M = [⟦'a'⟧, 'b']\n", None),
    "a list that is put together": ("M = [*others, ⟦'a'⟧]\n", None),
}


@pytest.mark.parametrize(("text", "after"), PYTHON.values(), ids=PYTHON)
def test_python(text: str, after: str | None) -> None:
    assert moved("a.py", text) == after
