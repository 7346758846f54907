"""nginx configurations inside other files: heredocs of shell scripts, fences of Markdown."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING
from typing import Literal as OneOf

from corslint.model.reading import DeploymentReading, NginxReading
from corslint.parsers import nginx_content
from corslint.records import NamedTuple
from corslint.regexes import regex
from corslint.source import SourceFile

if TYPE_CHECKING:
    from corslint.parsers.nginx_masks import Flavour

_MAX_PARTS = 200
"""No more heredocs or fences of one file are read."""

_DEPTH = 3
"""Heredocs inside heredocs (`ssh host <<'END'`) are followed so deep."""

_HEREDOC = regex(
    rb"(?<![<\w])<<(?P<tabs>-?)[ \t]*(?:(?P<mark>['\"])(?P<quoted>[\w.-]+)(?P=mark)"
    rb"|\\(?P<escaped>[\w.-]+)|(?P<plain>[A-Za-z_][\w.-]*))"
)
_FENCE = regex(rb"^(?P<indent>[ \t>]*)(?P<fence>`{3,}|~{3,})[ \t]*(?:\{\.?)?(?P<name>[\w.+-]*)[^`\n]*$", re.MULTILINE)
_NGINX_FENCES = frozenset((b"nginx", b"nginxconf", b"nginx.conf"))
_SHELL_FENCES = frozenset((b"bash", b"console", b"sh", b"shell", b"shell-session", b"zsh"))
_PERHAPS_FENCES = frozenset((b"conf", b"config", b""))


class Heredoc(NamedTuple):
    """The body of a heredoc. `expands`: its delimiter is not quoted, so that the shell replaces variables in it."""

    start: int
    end: int
    expands: bool


def heredocs(data: bytes, start: int = 0, end: int | None = None) -> Iterator[Heredoc]:
    """The heredocs between two offsets, in text order. One that is never closed ends the search."""
    stop = len(data) if end is None else end
    at = start
    while at < stop and (found := _HEREDOC.search(data, at, stop)):
        line = data.rfind(b"\n", start, found.start()) + 1
        next_line = data.find(b"\n", found.end(), stop)
        if next_line == -1:
            return
        if data[max(line, start) : found.start()].lstrip().startswith(b"#"):
            at = next_line
            continue
        body = next_line + 1
        for one in _HEREDOC.finditer(data, found.start(), next_line):  # several on one line stand one after another
            name = one["quoted"] or one["escaped"] or one["plain"]
            tabs = rb"\t*" if one["tabs"] else b""
            closing = re.compile(rb"^" + tabs + re.escape(name) + rb"[ \t]*\r?$", re.MULTILINE).search(data, body, stop)
            if closing is None:
                return
            yield Heredoc(body, closing.start(), one["plain"] is not None)
            body = closing.end()
        at = body


def configurations(source: SourceFile) -> tuple[NginxReading, ...]:
    """The nginx configurations that a script writes from heredocs."""
    data = source.data
    if b"<<" not in data:
        return ()
    from corslint.parsers import nginx

    return tuple(
        nginx.read_part(source, one.start, one.end, _flavour(one)) for one in _written(data, 0, len(data), _DEPTH)
    )


def _written(data: bytes, start: int, end: int, depth: int) -> Iterator[Heredoc]:
    for count, one in enumerate(heredocs(data, start, end)):
        if count >= _MAX_PARTS:
            return
        body = data[one.start : one.end]
        if b"<<" in body and _HEREDOC.search(body):
            # The body is a script of its own. Where the outer shell expands it first, nobody can tell what it becomes.
            if depth > 1 and not one.expands:
                yield from _written(data, one.start, one.end, depth - 1)
        elif nginx_content.is_nginx_throughout(body):
            yield one


def shell(source: SourceFile) -> DeploymentReading:
    """Reads a shell script for the nginx configurations that it writes."""
    return _read(source, "shell", configurations(source))


def markdown(source: SourceFile) -> DeploymentReading:
    """Reads the fences of a Markdown file that hold nginx, by their name or, without one, by what they hold.

    In fences of shell commands, that is the heredocs.
    """
    from corslint.parsers import nginx

    return _read(source, "markdown", tuple(nginx.read_part(source, *one) for one in _fenced(source.data)))


def places(data: bytes, *, markdown: bool) -> list[tuple[int, int, Flavour]]:
    """Where configurations stand in a Markdown file, or in a shell script or Dockerfile, and of which flavour."""
    if markdown:
        return _fenced(data)
    return [(one.start, one.end, _flavour(one)) for one in _written(data, 0, len(data), _DEPTH)]


def _fenced(data: bytes) -> list[tuple[int, int, Flavour]]:
    found: list[tuple[int, int, Flavour]] = []
    for name, start, end in _fences(data):
        if name in _SHELL_FENCES:
            found += [(one.start, one.end, _flavour(one)) for one in _written(data, start, end, _DEPTH)]
        elif name in _NGINX_FENCES or (name in _PERHAPS_FENCES and nginx_content.is_nginx_throughout(data[start:end])):
            found.append((start, end, "excerpt"))
        if len(found) >= _MAX_PARTS:
            break
    return found


def _flavour(heredoc: Heredoc) -> Flavour:
    return "shell" if heredoc.expands else "file"


def _read(source: SourceFile, kind: OneOf["shell", "markdown"], parts: tuple[NginxReading, ...]) -> DeploymentReading:
    return DeploymentReading(source.path, kind, parts, damage=tuple(one for part in parts for one in part.damage))


def _fences(data: bytes) -> Iterator[tuple[bytes, int, int]]:
    """Fences with their name in lower case, and where their body begins and ends."""
    at = 0
    while found := _FENCE.search(data, at):
        at = found.end()
        fence = re.escape(found["fence"][:1]) + b"{" + str(len(found["fence"])).encode() + b",}"
        closing = re.compile(rb"^[ \t>]*" + fence + rb"[ \t]*\r?$", re.MULTILINE).search(data, at)
        start, end = min(at + 1, len(data)), len(data) if closing is None else closing.start()
        at = end if closing is None else closing.end()
        if b">" not in found["indent"]:  # a quotation has a `>` on every line
            yield found["name"].lower(), start, end
