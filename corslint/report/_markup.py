"""HTML and SVG that is built, not pasted together: what is no `Markup` yet is escaped when it is put in."""

from __future__ import annotations

import html
from collections.abc import Iterable

from corslint.report import neutral


class Markup(str):
    """Text that is HTML already. Every other text is escaped by `element`."""

    __slots__ = ()


_VOID = frozenset({"meta", "link", "br", "hr", "input", "rect", "path", "circle", "polygon", "line", "use"})


def escaped(text: str) -> Markup:
    """Text from anywhere: what browsers, terminals and readers of text could be driven by is shown as it is written."""
    return Markup(html.escape(neutral(text)))


def element(name: str, /, *inner: str | Iterable[str | None] | None, **attributes: object) -> Markup:
    """`<name key="value">inner</name>`.

    Texts are escaped, `Markup` is not, None is nothing, an iterable stands for its items. Of attributes, None and False
    are left out and True is written without a value; a trailing `_` goes, and every other `_` becomes `-`.
    """
    given = "".join(_attribute(key, value) for key, value in attributes.items())
    if name in _VOID:
        return Markup(f"<{name}{given}>" if name in ("meta", "link", "br", "hr", "input") else f"<{name}{given}/>")
    return Markup(f"<{name}{given}>{joined(inner)}</{name}>")


def joined(inner: Iterable[str | Iterable[str | None] | None]) -> Markup:
    """Pieces side by side, each as `element` takes it."""
    out: list[str] = []
    for one in inner:
        if isinstance(one, Markup):
            out.append(one)
        elif isinstance(one, str):
            out.append(escaped(one))
        elif one is not None:
            out.append(joined(one))
    return Markup("".join(out))


def prose(text: str) -> Markup:
    """A sentence, in which what stands in backticks is code."""
    pieces = text.split("`")
    if len(pieces) % 2 == 0:
        return escaped(text)
    return joined(element("code", piece) if at % 2 else piece for at, piece in enumerate(pieces) if piece)


def breaking(path: str) -> Markup:
    """A path that may be broken after each slash."""
    return Markup(escaped(path).replace("/", "/<wbr>"))


def _attribute(key: str, value: object) -> str:
    if value is None or value is False:
        return ""
    name = key.rstrip("_").replace("_", "-") if key != "viewBox" else key
    return f" {name}" if value is True else f' {name}="{escaped(str(value))}"'
