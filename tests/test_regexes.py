"""Regular expressions of our own on text that was written to keep them busy: time grows with the text, not its square.

Python's engine tries again from every place, and cannot be stopped. So an expression that reads what strangers wrote
may not begin at each of many places and run on to the end from each of them.
"""

from __future__ import annotations

import ast
import importlib
import pkgutil
import re
import signal
import time
from collections.abc import Collection, Iterator
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import pytest

import corslint
from corslint import lint
from corslint.regexes import REGEX

LENGTH = 20_000
"""Characters. To look at each from each takes more than ten times as long as is allowed."""

SECONDS = 0.3
"""Of processor time for one text. Usual ones take a thousandth of it."""

SHORT = {
    "corslint.model.narrowing": "it reads an expression, and those are short",
    "corslint.parsers._KUBERNETES": "it reads a path",
    "corslint.parsers.nginx_quick._DIRECTIVE": "it is tried once, where the last directive ended",
    "corslint.project.placement._IMAGES": "it reads the name of an image",
    "rules and descriptors": "they are tried on names, paths and values",
}
"""Where expressions are that take longer on texts of that length, and why they get none."""

_PIECES = (
    "a", "A", "0", " ", "\t", "\n", " \n", "(", "[", "{", "<", "</", "<!--", "/*", "//", "#", "-", "_", ".", "a.",
    "a-", "a:", "a=",
    "a =", "'", '"', "`", "\\", "\\a", "$", "${", "{{", "{%", "%", "@", "*", ",", ":", "/", "a/", "a,", "a, ", "a b",
    "<script ",
    "<script>", "<a b=", "'a", '"a', "a{", "a }", "https://", "http://a.", "corslint: ", "origin ", "> ", "```",
    "a: b\n", "  a:\n",
    "1.", "é",
)  # fmt: skip


class _TooLongError(Exception):
    pass


def _sources(value: object, seen: set[int], depth: int = 0) -> Iterator[tuple[str | bytes, int]]:
    """The expressions inside of a value."""
    if isinstance(value, REGEX):
        written: Any = getattr(value, "_written", None)
        yield written if written is not None else (value.pattern, value.flags)  # type: ignore[attr-defined]
    elif depth < 20 and id(value) not in seen and not isinstance(value, (str, bytes, int, type)):
        seen.add(id(value))
        parts = list(value.values() if isinstance(value, dict) else value if isinstance(value, Collection) else ())
        if type(value).__module__.startswith("corslint."):
            parts += getattr(value, "__dict__", {}).values()
        for part in parts:
            yield from _sources(part, seen, depth + 1)


class Used(NamedTuple):
    """Where an expression is, and whether it is only tried where a text begins (`match`, `fullmatch`)."""

    where: str
    at_begin: bool


@cache
def expressions() -> dict[tuple[str | bytes, int], Used]:
    """All expressions of the modules, and those of rules and descriptors, with where each of them is."""
    found: dict[tuple[str | bytes, int], Used] = {}
    seen: set[int] = set()
    for one in pkgutil.walk_packages(corslint.__path__, "corslint."):
        if one.name == "corslint.__main__":
            continue
        module = importlib.import_module(one.name)
        text = Path(str(module.__file__)).read_text(encoding="utf-8")
        for name, value in vars(module).items():
            for source, flags in _sources(value, seen):
                methods = set(re.findall(rf"\b{re.escape(name)}\.([a-z]+)\b", text))
                anchored = bool(methods) and methods <= {"match", "fullmatch"}
                found.setdefault((source, int(flags)), Used(f"{one.name}.{name}", anchored))
        for source, flags, method in _in_place(text):
            found.setdefault((source, flags), Used(one.name, method in ("match", "fullmatch")))
    for source, flags in _sources(lint.knowledge(examples=False), seen):
        found.setdefault((source, int(flags)), Used("rules and descriptors", False))
    return found


def _in_place(text: str) -> Iterator[tuple[str | bytes, int, str]]:
    """Expressions that are written where they are used: `re.search(r"...", text)`."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.args:
            source = node.args[0]
            if isinstance(node.func.value, ast.Name) and node.func.value.id == "re" and node.func.attr != "escape":
                if isinstance(source, ast.Constant) and isinstance(source.value, (str, bytes)):
                    flags = [
                        one.attr for one in ast.walk(node) if isinstance(one, ast.Attribute) and one.attr.isupper()
                    ]
                    known = sum(int(getattr(re, flag)) for flag in set(flags) if hasattr(re, flag))
                    yield source.value, known, node.func.attr


def _texts(source: str | bytes) -> Iterator[str]:
    """One piece over and over, after nothing or after what the expression begins with."""
    written = source.decode("latin-1") if isinstance(source, bytes) else source
    words = re.findall(r"[A-Za-z<>#$@:/ -]{1,12}", re.sub(r"\\[A-Za-z]|\(\?[A-Za-z<=!:]+(\w+>)?", "", written))[:6]
    for piece in (*_PIECES, *words):
        for begin in ("", *words[:2]):
            yield (begin + piece * (LENGTH // len(piece)))[:LENGTH] + "\0"


def _slowest(source: str | bytes, flags: int, used: Used) -> tuple[float, str]:
    expression = re.compile(source, flags)
    worst = (0.0, "")
    for text in dict.fromkeys(_texts(source)):
        subject: Any = text.encode() if isinstance(source, bytes) else text
        began = time.process_time()
        signal.setitimer(signal.ITIMER_PROF, SECONDS)
        try:
            expression.fullmatch(subject)
            expression.match(subject)
            for _ in () if used.at_begin else expression.finditer(subject):
                pass
        except _TooLongError:
            pass
        finally:
            signal.setitimer(signal.ITIMER_PROF, 0)
        worst = max(worst, (time.process_time() - began, text[:30]))
        if worst[0] > SECONDS * 0.8:
            break
    return worst


@pytest.fixture(autouse=True)
def give_up() -> Iterator[None]:
    def stop(_signal: int, _frame: object) -> None:
        raise _TooLongError

    before = signal.signal(signal.SIGPROF, stop)
    yield
    signal.signal(signal.SIGPROF, before)


def test_there_are_expressions() -> None:
    assert len(expressions()) > 300


def test_what_takes_too_long_is_seen() -> None:
    used = Used("here", at_begin=False)
    assert _slowest("<!--.*?-->", int(re.DOTALL), used)[0] > SECONDS * 0.8
    assert _slowest(r"<!--.*?(?:-->|\Z)", int(re.DOTALL), used)[0] < SECONDS / 2


@pytest.mark.parametrize("share", range(8))
def test_expressions_end_soon_on_texts_that_keep_them_busy(share: int) -> None:
    slow = {}
    for number, ((source, flags), used) in enumerate(expressions().items()):
        if number % 8 == share and used.where not in SHORT:
            seconds, text = _slowest(source, flags, used)
            if seconds > SECONDS * 0.8:
                slow[used.where] = source, text
    assert slow == {}
