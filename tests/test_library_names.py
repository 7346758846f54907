"""Code knows no library: what it knows of one stands in the library's descriptor.

Names of libraries are looked for in names and string literals. Comments and docstrings may say where a fact comes from.
"""

from __future__ import annotations

import io
import re
import tokenize
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

import pytest

from corslint import resources
from corslint.frameworks import descriptors

PACKAGE = Path(__file__).parent.parent / "corslint"
MODULES = {path.relative_to(PACKAGE).as_posix(): path for path in sorted(PACKAGE.rglob("*.py"))}

ALLOWED = {
    ("cors", "*"): "what all of corslint is about, and also the name of a package",
    ("next", "*"): "a function of Python, and also the name of a package",
    ("connect", "*"): "what clients do, and also the name of a package",
    ("ws", "*"): "the scheme of addresses of WebSockets, and also the name of a package",
    ("socket.io", "model/kinds.py"): "the protocol: the common model tells Socket.IO from bare WebSockets",
    **{
        ("h3", module): "an element of HTML, and also the name of a package"
        for module in ("fleet/page.py", "report/html.py", "report/_trace_page.py")
    },
    ("express", "model/kinds.py"): "an example of a title, for the reference",
    **{
        ("socket.io", module): "the protocol, whose handshake is walked or made"
        for module in (
            "commands.py",
            "trace.py",
            "report/trace.py",
            "report/_trace_page.py",
            "model/traces.py",
            "probe/__init__.py",
            "probe/foretold.py",
            "probe/report.py",
        )
    },
    **{("socketio", module): "the option that asks for the protocol" for module in ("commands.py", "probe/usage.py")},
}
"""A name and the file where it may stand, with the reason; `*`: anywhere."""

_NAMES = (tokenize.NAME, tokenize.STRING, getattr(tokenize, "FSTRING_MIDDLE", tokenize.STRING))
_AROUND = (tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENCODING)
_BLANK = (tokenize.NL, tokenize.COMMENT)


@lru_cache(maxsize=1)
def library_names() -> frozenset[str]:
    """Ids of the descriptors, without the versions in them, their packages, and the modules that these consist of."""
    found = set()
    for descriptor in descriptors.load(resources.frameworks_folder()).descriptors:
        if descriptor.package is None:
            continue  # a language, or what belongs to it
        found.add(re.sub(r"-\d+$", "", descriptor.id))
        found.add(descriptor.package)
        found |= {name.split("#")[0] for call in descriptor.calls for name in call.callee if "#" in name}
    return frozenset(name.lower() for name in found if name != "global")


def pattern(names: frozenset[str]) -> re.Pattern[str]:
    """Any of the names as a word of its own, `_` and `-` being alike; the longest where one begins with another."""
    spelled = (re.sub(r"[-_]", "[-_]", re.escape(name).replace(r"\-", "-")) for name in names)
    return re.compile(rf"(?<![a-z0-9])(?:{'|'.join(sorted(spelled, key=len, reverse=True))})(?![a-z0-9])")


def words(source: str) -> Iterator[tuple[int, str]]:
    """Line and text of every name and string literal that is no docstring."""
    tokens = [one for one in tokenize.generate_tokens(io.StringIO(source).readline) if one.type not in _BLANK]
    before = tokenize.ENCODING
    for token, after in zip(tokens, [*tokens[1:], tokens[-1]], strict=True):
        alone = token.type == tokenize.STRING and before in _AROUND and after.type == tokenize.NEWLINE
        if token.type in _NAMES and not alone:
            yield token.start[0], token.string
        before = token.type


def named(source: str, names: frozenset[str]) -> list[tuple[int, str]]:
    """Line and name of every library that the code names."""
    wanted = pattern(names)
    return [(line, found[0]) for line, text in words(source) for found in wanted.finditer(text.lower())]


@pytest.mark.parametrize("module", MODULES)
def test_code_names_no_library(module: str) -> None:
    found = named(MODULES[module].read_text(encoding="utf-8"), library_names())
    wrong = [(line, name) for line, name in found if (name, "*") not in ALLOWED and (name, module) not in ALLOWED]
    assert wrong == [], "move it to the library's descriptor"


def test_everything_that_is_allowed_is_there() -> None:
    found = {
        (name, module)
        for module, path in MODULES.items()
        for _, name in named(path.read_text(encoding="utf-8"), library_names())
    }
    there = {*found, *((name, "*") for name, _ in found)}
    assert [entry for entry in ALLOWED if entry not in there] == []


def test_the_names() -> None:
    expected = {"cors", "express", "socket.io", "socket.io-client", "@nestjs/common", "flask", "flask-cors", "fastapi"}
    assert expected <= library_names()
    assert not {"socket.io-2", "http", "python", "javascript", "global"} & library_names()


@pytest.mark.parametrize(
    ("source", "lines"),
    [
        ('WORDS = (b"flask(", "x")', [1]),
        ('x = "app.Flask"', [1]),
        ("def is_flask(x): return x", [1]),
        ("def is_flask_app(x): return x", [1]),
        ("x = flask_cors", [1]),
        ('x = "flask-cors"', [1]),
        ('x = f"{y} in flask {z}"', [1]),
        ('x = ("a"\n     "socket.io")', [2]),
        ('f("socketio", kind)', []),
        ('x = "socket_io"', []),
        ('x = "flaskette" + hipflask', []),
        ("x = 1  # as flask does", []),
        ('"""About flask."""\n\nx = 1\n"""And flask."""', []),
        ('def f():\n    """As flask."""\n    return "flask"', [3]),
        ('class A:\n    # why\n    "flask"\n    x = 1', []),
    ],
)
def test_the_test_itself(source: str, lines: list[int]) -> None:
    found = named(source + "\n", frozenset({"flask", "flask-cors", "socket.io"}))
    assert [line for line, _ in found] == lines
