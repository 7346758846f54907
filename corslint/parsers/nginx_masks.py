"""Masks for nginx's lexer: everything that confuses it is replaced by as many harmless bytes, so that offsets hold.

That is templates (envsubst, Jinja, ERB, Go, Terraform, Handlebars), what a shell replaces in a heredoc, Lua blocks, a
byte order mark, and braces inside words.
"""

from __future__ import annotations

import re
from typing import Literal as OneOf
from typing import TypeAlias

from corslint.model.reading import Damage
from corslint.records import NamedTuple
from corslint.regexes import regex
from corslint.source import SourceFile, Span

_BOM = b"\xef\xbb\xbf"

# nginx takes only these four bytes for white space; Python's str.isspace(), which the lexer asks, knows more.
_PRINTABLE = bytes(byte if byte in b" \t\r\n" or 0x21 <= byte < 0x7F else ord("x") for byte in range(256))

_LUA = regex(rb"(?:^|(?<=[;{}]))[ \t]*[\"']?[a-z_]*_by_lua_block\b[^{};#\n]*\n?[ \t\r]*\{", re.MULTILINE)
_LUA_PIECE = regex(rb"(?:--)?\[(=*)\[|--|\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])*'|[{}]", re.DOTALL)

# Each of these stops at another opener of its own kind, which keeps a scan over hostile input linear.
_TEMPLATE_COMMENT = regex(rb"\{#(?:(?!#\}|\{#).){0,20000}#\}", re.DOTALL)
_STATEMENT = regex(
    rb"\{%(?:(?!%\}|\{%).){0,4000}%\}"  # Jinja
    rb"|<%(?!=)(?:(?!%>|<%).){0,4000}%>"  # ERB, EPP
    rb"|%\{~?\s*(?:if|else|endif|for|endfor)\b[^{}\n]{0,400}\}",  # Terraform
    re.DOTALL,
)
_EXPRESSION = regex(rb"\{\{\{?(?:(?!\{\{|\}\}).){0,2000}\}\}\}?|<%=(?:(?!%>|<%=).){0,2000}%>", re.DOTALL)
_CONTROL = regex(  # Go templates and Handlebars: `{{ if .X }}`, `{{#each x}}`, `{{/each}}`
    rb"[-~]?\s*(?:(?:if|else|end|range|with|define|block|template|break|continue)\b(?![\w.(])|[#/^!>]|\$\w+\s*:?=)"
)
_BRACED = regex(rb"\$\{[^{}\s;\"'\\$]*\}|\$\{\w+:?[-=?+][^{}\n;\"'$]*\}")
_UPPER = regex(rb"\$\{?([A-Z][A-Z0-9_]{2,})\b")
_OWN_VARIABLE = regex(rb"\b(?:set\w*|auth_request_set|js_set|perl_set|geo|map\s+\S+)\s+\$([A-Z]\w*)")

# They begin with the brace, and look back behind it: a search for one byte is quick.
_REPETITION = regex(rb"\{(?<=[^\s;{}$]\{)\d+(?:,\d*)?\}")
_INNER_CLOSE = regex(rb"\}(?<=[^\s;{}\"']\})(?=[^\s{}#]|[ \t]+[^\s{}#;])")

_OPENS = regex(
    r"#?\s*(?:if|ifdef|unless|for|foreach|each|range|with|define|block|macro|call|filter|while|case|autoescape)\b"
    r"|[^|]*(?:\bdo|\{)(?:\s*\|[^|]*\|)?$"
)
_ELSE = regex(r"(?:else|elif|elsif|when)\b|\}\s*els")
_CLOSES = regex(r"end\w*\b|\}(?!\s*els)|/\s*\w")
_HARMLESS = regex(
    r"(?:set|import|from|raw|verbatim|extends|else\w*|elif|elsif|when|break|continue)\b|\}\s*els|\$?\w+\s*:?=[^=]|[#!@^]|/\*"
)


class Masked(NamedTuple):
    """What the lexer gets to see, and what was found while masking.

    `template`: there are placeholders; `language`: some of a template language, not only variables of the environment.
    `logic` as in the reading; `branches` are the second and further branches of its conditions.
    """

    text: bytes
    template: bool
    language: bool
    logic: tuple[Span, ...]
    branches: tuple[tuple[int, int], ...]
    repetitions: tuple[tuple[int, int], ...]
    damage: tuple[Damage, ...]


def fill(buffer: bytearray, start: int, end: int, fill: bytes) -> None:
    """Overwrites a piece, newlines kept."""
    buffer[start:end] = b"\n".join(fill * len(line) for line in bytes(buffer[start:end]).split(b"\n"))


def _lua_end(buffer: bytearray, at: int) -> int:
    """The place of the brace that closes a Lua block; -1 if there is none."""
    depth = 1
    missing: set[bytes] = set()  # long brackets that are known not to close any more
    while piece := _LUA_PIECE.search(buffer, at):
        mark, at = piece.group(), piece.end()
        if mark in (b"{", b"}"):
            depth += 1 if mark == b"{" else -1
            if depth == 0:
                return piece.start()
        elif piece.group(1) is not None:
            closing = b"]" + piece.group(1) + b"]"
            found = -1 if closing in missing else buffer.find(closing, at)
            if found == -1:
                missing.add(closing)
            else:
                at = found + len(closing)
        elif mark == b"--":
            found = buffer.find(b"\n", at)
            at = len(buffer) if found == -1 else found
    return -1


def _mask_lua(path: str, buffer: bytearray, damage: list[Damage]) -> None:
    """Blanks the bodies of `*_by_lua_block`, so that the lexer sees an empty block."""
    at = 0
    while found := _LUA.search(buffer, at):
        at = found.end()
        line = buffer.rfind(b"\n", 0, found.start() + 1) + 1
        if bytes(buffer[line:at]).lstrip().startswith(b"#"):
            continue
        end = _lua_end(buffer, at)
        if end == -1:
            name = found.start() + len(found.group()) - len(found.group().lstrip())
            text = 'unexpected end of file, expecting "}" (this Lua block is never closed)'
            damage.append(Damage(Span(path, name, at), text))
            break
        fill(buffer, at, end, b" ")
        at = end + 1
    # crossplane's own Lua lexer must not run: it stumbles over long brackets and `set_by_lua_block $x {`.
    buffer[:] = buffer.replace(b"_by_lua_block", b"_by_lua_xlock")


def _statement_text(raw: bytes) -> str:
    inner = raw[2:-1] if raw.startswith(b"%{") else raw[2:-2]
    return inner.strip(b"-~+= \t\r\n").decode("utf-8", "replace")


class _Mark(NamedTuple):
    """A statement of a template language, or an insertion that stands alone."""

    start: int
    end: int
    text: str


def _logic(path: str, marks: list[_Mark], size: int) -> tuple[tuple[Span, ...], tuple[tuple[int, int], ...]]:
    """Pairs `if ... end` and the like.

    Gives the outermost regions, with every lone insertion outside them, and all that stands between an `else` and the
    end of its block.
    """
    regions: list[Span] = []
    branches: list[tuple[int, int]] = []
    open_at: list[int] = []
    other: list[int | None] = []  # for each open block, where its second branch begins
    for mark in sorted(marks):
        if _CLOSES.match(mark.text):
            if open_at:
                begun, second = open_at.pop(), other.pop()
                if second is not None:
                    branches.append((second, mark.start))
                if not open_at:
                    regions.append(Span(path, begun, mark.end))
        elif open_at and _ELSE.match(mark.text):
            other[-1] = mark.end if other[-1] is None else other[-1]
        elif _OPENS.match(mark.text):
            open_at.append(mark.start)
            other.append(None)
        elif not open_at and not _HARMLESS.match(mark.text):
            regions.append(Span(path, mark.start, mark.end))
    if open_at:
        regions.append(Span(path, open_at[0], size))
    return tuple(regions), tuple(branches)


def _alone(buffer: bytearray, start: int, end: int) -> bool:
    """Whether a piece stands alone on its lines."""
    before = buffer.rfind(b"\n", 0, start) + 1
    if buffer[max(before, start - 200) : start].strip():
        return False
    after = buffer.find(b"\n", end, end + 200)
    return not buffer[end : after if after != -1 else end + 200].strip()


def _mask_expression(buffer: bytearray, found: re.Match[bytes], marks: list[_Mark], *, control: bool) -> None:
    """Blanks `{{ if ... }}` and the like (`control`), and insertions that stand alone; fills other insertions."""
    start, end = found.span()
    raw = found.group()
    inner = raw.strip(b"{}") if raw.startswith(b"{") else raw[3:-2]
    if control is not (raw.startswith(b"{") and _CONTROL.match(inner) is not None):
        return
    if control or _alone(buffer, start, end):
        marks.append(_Mark(start, end, inner.strip(b"-~ \t\r\n").decode("utf-8", "replace")))
        fill(buffer, start, end, b" ")
    else:
        fill(buffer, start, end, b"x")


_INSERTION = regex(
    rb"^[ \t]*(?P<name>\$\{\w+(?::?[-=?+][^{}\n]*)?\}|\$[A-Z][A-Z0-9_]{2,})[ \t\r]*(?:#.*)?$",
    re.MULTILINE,
)


def _mask_insertions(buffer: bytearray, marks: list[_Mark], insertion: re.Pattern[bytes]) -> bool:
    """Blanks variables that stand alone where a directive begins: they hold whole directives, or nothing."""
    blanked = False
    for found in list(insertion.finditer(buffer)):
        if _begins_a_statement(buffer, found.start()):
            marks.append(_Mark(*found.span("name"), found["name"].decode("utf-8", "replace")))
            fill(buffer, *found.span("name"), b" ")
            blanked = True
    return blanked


def _begins_a_statement(buffer: bytearray, at: int) -> bool:
    """Whether what stands before a line, comments aside, ends in `;`, `{` or `}`."""
    for _ in range(50):
        end = at
        at = buffer.rfind(b"\n", 0, max(end - 1, 0)) + 1
        line = bytes(buffer[at:end]).split(b"#")[0].strip()
        if line or not at:
            return not line or line.endswith((b";", b"{", b"}"))
    return False


Flavour: TypeAlias = OneOf["file", "shell", "excerpt"]
"""What a configuration stands in: a file of its own (also a quoted heredoc); an unquoted heredoc, in which the shell
expands variables; a text that quotes it and may leave out pieces."""

_EXPANSION = (
    rb"\$\{[^{}\n]{1,200}\}|\$\((?:[^()\n]|\((?:[^()\n]|\([^()\n]{0,200}\)){0,200}\)){0,400}\)"
    rb"|`[^`\n]{0,400}`|\$(?:[A-Za-z_]\w*|[0-9@*#?!$-])"
)
_SHELL = regex(rb"\\[$`\\]|\\\r?\n|(?P<expansion>" + _EXPANSION + rb")")
_SHELL_TEXT = regex(r"\\([$`\\])|\\\r?\n|(?P<expansion>" + _EXPANSION.decode("ascii") + r")", re.ASCII)
_ELISION = regex("^[ \t]*(?P<name>\\.\\.\\.|\u2026|\\[\\.\\.\\.\\]|<[\\w ]+>)[ \t\r]*$".encode(), re.MULTILINE)


def _mask_shell(buffer: bytearray, marks: list[_Mark]) -> bool:
    """Masks what a shell replaces in an unquoted heredoc; whether there is any expansion."""
    expands = False
    for found in list(_SHELL.finditer(bytes(buffer))):
        start, end = found.span()
        expands |= found["expansion"] is not None
        if found["expansion"] is None:
            buffer[start] = ord("x") if buffer[start + 1] not in b"\r\n" else ord(" ")
        elif _alone(buffer, start, end) and _begins_a_statement(buffer, buffer.rfind(b"\n", 0, start) + 1):
            marks.append(_Mark(start, end, found.group().decode("utf-8", "replace")))
            fill(buffer, start, end, b" ")
        else:
            fill(buffer, start, end, b"x")
    return expands


def expanded(text: str) -> str:
    """What a shell makes of a piece of an unquoted heredoc; what it fills in is put in double braces."""

    def replaced(found: re.Match[str]) -> str:
        return f"{{{{{found['expansion']}}}}}" if found["expansion"] is not None else found[1] or ""

    return _SHELL_TEXT.sub(replaced, text)


def mask(source: SourceFile, flavour: Flavour) -> Masked:
    """The bytes with everything that confuses the lexer replaced by as many harmless bytes."""
    path, data = source.path, source.data
    damage: list[Damage] = []
    buffer = bytearray(data)
    if data.startswith(_BOM):
        first = re.match(rb"[^\s;{}]{0,40}", data[3:])
        word = first.group().decode("utf-8", "replace") if first else ""
        text = f'unknown directive "\\ufeff{word}" (the file begins with a byte order mark)'
        damage.append(Damage(Span(path, 0, 3), text))
        buffer[:3] = b"   "
    if b"_by_lua_block" in data:
        _mask_lua(path, buffer, damage)
    marks: list[_Mark] = []
    language = False
    if b"{#" in data and b"#}" in data:
        jinja = b"{%" in data or b"{{" in data
        for found in list(_TEMPLATE_COMMENT.finditer(buffer)):
            # `location / {# why` followed by a commented-out `#}` is plain nginx.
            if jinja or b"\n" not in found.group():
                fill(buffer, *found.span(), b" ")
                language = True
    if b"{%" in data or b"<%" in data or b"%{" in data:
        for found in list(_STATEMENT.finditer(buffer)):
            marks.append(_Mark(*found.span(), _statement_text(found.group())))
            fill(buffer, *found.span(), b" ")
            language = True
    if b"{{" in data or b"<%=" in data:
        expressions = list(_EXPRESSION.finditer(bytes(buffer)))
        language |= bool(expressions)
        for control in (True, False):  # what stands alone but for the logic around it stands alone
            for found in expressions:
                _mask_expression(buffer, found, marks, control=control)
    template = language
    if flavour == "shell":
        template |= _mask_shell(buffer, marks)
    elif b"$" in data:
        template |= _mask_insertions(buffer, marks, _INSERTION)
    if flavour == "excerpt":
        language = True  # what was left out may be anything
        template |= _mask_insertions(buffer, marks, _ELISION)
    if b"${" in data:
        for _ in range(2):  # twice: `${A:-${B}}`
            for found in list(_BRACED.finditer(buffer)):
                fill(buffer, *found.span(), b"x")
        buffer[:] = buffer.replace(b"${", b"$x")  # as nginx: `${` never opens a block
    if not template and flavour != "shell" and (upper := set(_UPPER.findall(data))):
        template = not upper <= set(_OWN_VARIABLE.findall(data))
    repetitions = tuple(found.span() for found in _REPETITION.finditer(buffer))
    for start, end in repetitions:
        buffer[start:end] = b"x" * (end - start)
    for found in list(_INNER_CLOSE.finditer(buffer)):  # nginx: `}` inside a word is an ordinary character
        buffer[found.start()] = ord("x")
    shown = bytes(buffer).translate(_PRINTABLE)
    return Masked(shown, template, language, *_logic(path, marks, len(data)), repetitions, tuple(damage))
