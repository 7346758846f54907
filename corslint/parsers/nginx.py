"""nginx configuration: bytes -> NginxReading.

crossplane's lexer finds the words; everything around it is ours: masks of the same length in front of it (so that every
offset holds), the tree, and the recovery after a missing `;` or `}`. Some of the lexer's habits are fenced off because
they hit CORS files in silence: `${X} always` becomes one word, a byte order mark becomes part of the first name, the
last word of a file without a final newline is lost, and an open quote ends the file without a word. `ngxparse`, a fork,
installs the same module; both work.

What nginx itself refuses becomes `Damage`, worded with nginx's own message where it has one (read off nginx 1.22.1).
"""

from __future__ import annotations

import importlib
import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from functools import cache
from itertools import pairwise
from operator import length_hint
from typing import Any, NamedTuple

from corslint.model.reading import Damage, Directive, NginxReading, Word
from corslint.source import SourceFile, Span

MAX_BYTES = 8_000_000
"""Larger files are not read: crossplane's lexer needs about a second for 3 MB, and real ones are below 1 MB."""

MAX_DEPTH = 64
"""Blocks nested deeper than this are not read; nobody writes them, and later steps walk the tree by recursion."""

MAX_DAMAGE = 20
"""At most this many places are reported for one file: one slip often makes more."""

_BUFFER = 4096
"""nginx reads through a buffer of this size (NGX_CONF_BUFFER); a word or comment must fit into it."""

_RESTARTS = 100
"""How often the lexer is started again behind a quote that is never closed."""

_BOM = b"\xef\xbb\xbf"

# nginx takes only these four bytes for white space; Python's str.isspace(), which the lexer asks, knows more.
_PRINTABLE = bytes(byte if byte in b" \t\r\n" or 0x21 <= byte < 0x7F else ord("x") for byte in range(256))

_BLANK = re.compile(rb"[ \t\r\n]*")


# ---------------------------------------------------------------------------------------------------------------- masks

_LUA = re.compile(rb"(?:^|(?<=[;{}]))[ \t]*[\"']?[a-z_]*_by_lua_block\b[^{};#\n]*\n?[ \t\r]*\{", re.MULTILINE)
_LUA_PIECE = re.compile(rb"(?:--)?\[(=*)\[|--|\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])*'|[{}]", re.DOTALL)

# Each of these stops at another opener of its own kind, which keeps a scan over hostile input linear.
_TEMPLATE_COMMENT = re.compile(rb"\{#(?:(?!#\}|\{#).){0,20000}#\}", re.DOTALL)
_STATEMENT = re.compile(
    rb"\{%(?:(?!%\}|\{%).){0,4000}%\}"  # Jinja
    rb"|<%(?!=)(?:(?!%>|<%).){0,4000}%>"  # ERB, EPP
    rb"|%\{~?\s*(?:if|else|endif|for|endfor)\b[^{}\n]{0,400}\}",  # Terraform
    re.DOTALL,
)
_EXPRESSION = re.compile(rb"\{\{\{?(?:(?!\{\{|\}\}).){0,2000}\}\}\}?|<%=(?:(?!%>|<%=).){0,2000}%>", re.DOTALL)
_CONTROL = re.compile(  # Go templates and Handlebars: `{{ if .X }}`, `{{#each x}}`, `{{/each}}`
    rb"[-~]?\s*(?:(?:if|else|end|range|with|define|block|template|break|continue)\b(?![\w.(])|[#/^!>]|\$\w+\s*:?=)"
)
_BRACED = re.compile(rb"\$\{[^{}\s;\"'\\$]*\}|\$\{\w+:?[-=?+][^{}\n;\"'$]*\}")
_UPPER = re.compile(rb"\$\{?([A-Z][A-Z0-9_]{2,})\b")
_OWN_VARIABLE = re.compile(rb"\b(?:set\w*|auth_request_set|js_set|perl_set|geo|map\s+\S+)\s+\$([A-Z]\w*)")
_REPETITION = re.compile(rb"(?<=[^\s;{}$])\{\d+(?:,\d*)?\}")
_INNER_CLOSE = re.compile(rb"(?<=[^\s;{}\"'])\}(?=[^\s{};#])")

_OPENS = re.compile(
    r"#?\s*(?:if|ifdef|unless|for|foreach|each|range|with|define|block|macro|call|filter|while|case|autoescape)\b"
    r"|[^|]*(?:\bdo|\{)(?:\s*\|[^|]*\|)?$"
)
_CLOSES = re.compile(r"end\w*\b|\}(?!\s*els)|/\s*\w")
_HARMLESS = re.compile(
    r"(?:set|import|from|raw|verbatim|extends|else\w*|elif|elsif|when|break|continue)\b|\}\s*els|\$?\w+\s*:?=[^=]|[#!@^]|/\*"
)


class _Masked(NamedTuple):
    """What the lexer gets to see, and what was found while masking."""

    text: bytes
    template: bool
    logic: tuple[Span, ...]
    repetitions: tuple[tuple[int, int], ...]
    damage: tuple[Damage, ...]


def _fill(buffer: bytearray, start: int, end: int, fill: bytes) -> None:
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
        _fill(buffer, at, end, b" ")
        at = end + 1
    # crossplane's own Lua lexer must not run: it stumbles over long brackets and `set_by_lua_block $x {`.
    buffer[:] = buffer.replace(b"_by_lua_block", b"_by_lua_xlock")


def _statement_text(raw: bytes) -> str:
    inner = raw[2:-1] if raw.startswith(b"%{") else raw[2:-2]
    return inner.strip(b"-~+= \t\r\n").decode("utf-8", "replace")


def _logic(path: str, marks: list[tuple[int, int, str]], size: int) -> tuple[Span, ...]:
    """Pairs `if ... end` and the like; gives the outermost regions, and every lone insertion outside them."""
    regions: list[Span] = []
    open_at: list[int] = []
    for start, end, text in sorted(marks):
        if _CLOSES.match(text):
            if open_at:
                begun = open_at.pop()
                if not open_at:
                    regions.append(Span(path, begun, end))
        elif _OPENS.match(text):
            open_at.append(start)
        elif not open_at and not _HARMLESS.match(text):
            regions.append(Span(path, start, end))
    if open_at:
        regions.append(Span(path, open_at[0], size))
    return tuple(regions)


def _alone(buffer: bytearray, start: int, end: int) -> bool:
    """Whether a piece stands alone on its lines."""
    before = buffer.rfind(b"\n", 0, start) + 1
    if buffer[max(before, start - 200) : start].strip():
        return False
    after = buffer.find(b"\n", end, end + 200)
    return not buffer[end : after if after != -1 else end + 200].strip()


def _mask(source: SourceFile) -> _Masked:
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
    marks: list[tuple[int, int, str]] = []
    template = False
    if b"{#" in data and b"#}" in data:
        jinja = b"{%" in data or b"{{" in data
        for found in list(_TEMPLATE_COMMENT.finditer(buffer)):
            # `location / {# why` followed by a commented-out `#}` is plain nginx.
            if jinja or b"\n" not in found.group():
                _fill(buffer, *found.span(), b" ")
                template = True
    if b"{%" in data or b"<%" in data or b"%{" in data:
        for found in list(_STATEMENT.finditer(buffer)):
            marks.append((*found.span(), _statement_text(found.group())))
            _fill(buffer, *found.span(), b" ")
            template = True
    if b"{{" in data or b"<%=" in data:
        for found in list(_EXPRESSION.finditer(buffer)):
            start, end = found.span()
            raw = found.group()
            inner = raw.strip(b"{}") if raw.startswith(b"{") else raw[3:-2]
            if (raw.startswith(b"{") and _CONTROL.match(inner)) or _alone(buffer, start, end):
                marks.append((start, end, inner.strip(b"-~ \t\r\n").decode("utf-8", "replace")))
                _fill(buffer, start, end, b" ")
            else:
                _fill(buffer, start, end, b"x")
            template = True
    if b"${" in data:
        for _ in range(2):  # twice: `${A:-${B}}`
            for found in list(_BRACED.finditer(buffer)):
                _fill(buffer, *found.span(), b"x")
        buffer[:] = buffer.replace(b"${", b"$x")  # as nginx: `${` never opens a block
    if not template and (upper := set(_UPPER.findall(data))):
        template = not upper <= set(_OWN_VARIABLE.findall(data))
    repetitions = tuple(found.span() for found in _REPETITION.finditer(buffer))
    for start, end in repetitions:
        buffer[start:end] = b"x" * (end - start)
    for found in list(_INNER_CLOSE.finditer(buffer)):  # nginx: `}` inside a word is an ordinary character
        buffer[found.start()] = ord("x")
    shown = bytes(buffer).translate(_PRINTABLE)
    return _Masked(shown, template, _logic(path, marks, len(data)), repetitions, tuple(damage))


# --------------------------------------------------------------------------------------------------------------- tokens


class _Token(NamedTuple):
    """A word (`quote` is `"`, `'` or empty), or one of `{`, `}`, `;` (`quote` is the character itself).

    `start` and `end` include quotes. `indent` is the width of the blanks before the first token of a line, else -1.
    """

    start: int
    end: int
    quote: str
    indent: int


def _lexer() -> Any:
    """crossplane's token generator: private, but lazy, so that it shows where each token ends. A test watches it."""
    lexer = importlib.import_module("crossplane.lexer")
    try:
        return lexer._lex_file_object
    except AttributeError:
        raise RuntimeError("this crossplane has no lexer._lex_file_object, so nginx files cannot be read") from None


def _run(text: str, offset: int) -> Iterator[tuple[str, int, bool]]:
    """Tokens of `text` as (token, offset just behind what was consumed, quoted).

    Ends in silence where the lexer gives up, which it does only inside an open quote at the end of the file: crossplane
    just stops there, ngxparse raises.
    """
    characters = iter(text)
    tokens = _lexer()([characters])
    total = offset + len(text)
    while True:
        try:
            token, _, quoted = next(tokens)
        except StopIteration:
            return
        except Exception as problem:
            if type(problem).__name__ != "NgxParserSyntaxError":
                raise
            return
        yield token, total - length_hint(characters), quoted


class _Lexed:
    """The tokens of a masked file, and what nginx would say about single ones."""

    def __init__(self, source: SourceFile, masked: _Masked) -> None:
        self.path = source.path
        self.data = source.data
        self.mask = masked.text
        self.tokens: list[_Token] = []
        self.damage: list[Damage] = list(masked.damage)
        self._collect()
        self._judge_repetitions(masked.repetitions)

    def complain(self, start: int, end: int, message: str) -> None:
        """Notes damage. Two complaints about one place are one fault: the first one stands."""
        span = Span(self.path, start, end)
        if len(self.damage) < 50 * MAX_DAMAGE and not (self.damage and self.damage[-1].span == span):
            self.damage.append(Damage(span, message))

    def _collect(self) -> None:
        mask = self.mask
        at = 0
        effort = 3 * len(mask) + 100_000  # every open quote makes the lexer start again
        for attempt in range(_RESTARTS + 1):
            if attempt:  # an open quote is taken for an ordinary character: the word then ends on its own line
                self.mask = mask = mask[:at] + b"x" + mask[at + 1 :]
            begun = at
            at, again = self._pass(at)
            if again is None:
                return
            effort -= (len(mask) if again == at else at) - begun
            at = again
            if effort < 0:
                break
        self.complain(at, at + 1, "too many quotes that are never closed: the rest was not read")

    def _pass(self, at: int) -> tuple[int, int | None]:
        """One run of the lexer from `at`: where it got to, and the open quote to start again from, if any."""
        mask = self.mask
        for token, consumed, quoted in _run(mask[at:].decode("ascii") + "\n", at):
            start = self._skip(at)
            if quoted:
                end = consumed
                if self._glued(start, end):
                    return end, start
                self._add(at, start, end, mask[start : start + 1].decode("ascii"))
            elif token.startswith("#"):
                end = mask.find(b"\n", start)
                end = len(mask) if end == -1 else end
                if end - start >= _BUFFER:
                    self.complain(start, start + 40, self._too_long(start) + " (a comment of over 4,096 bytes)")
            else:
                end = consumed if token in ("{", "}", ";") else consumed - 1
                self._add(at, start, end, token if token in ("{", "}", ";") else "")
            at = end
        rest = self._skip(at)
        if mask[rest : rest + 1] not in (b'"', b"'"):
            return at, None
        quote = mask[rest : rest + 1].decode("ascii")
        if len(mask) - rest > _BUFFER:
            message = f'too long parameter, probably missing terminating "{quote}" character'
        else:
            message = f'unexpected end of file, expecting ";" or "}}" (missing closing {quote})'
        self.complain(rest, self._line_end(rest), message)
        return rest, rest

    def _skip(self, at: int) -> int:
        found = _BLANK.match(self.mask, at)
        return found.end() if found else at

    def _line_end(self, at: int) -> int:
        end = self.data.find(b"\n", at)
        return len(self.data) if end == -1 else end - (self.data[end - 1 : end] == b"\r")

    def _too_long(self, start: int) -> str:
        return f'too long parameter "{self.data[start : start + 10].decode("utf-8", "replace")}..." started'

    def _add(self, last: int, start: int, end: int, quote: str) -> None:
        if end - start >= _BUFFER + (quote != ""):
            message = self._too_long(start + len(quote)) + " (a word of over 4,096 bytes)"
            self.complain(start, min(end, start + 40), message)
        newline = self.mask.rfind(b"\n", last, start)
        indent = -1
        if newline != -1 or not self.tokens:
            blanks = self.mask[newline + 1 : start] if newline != -1 else b""
            indent = len(blanks) + 7 * blanks.count(b"\t")
        self.tokens.append(_Token(start, end, quote, indent))

    def _glued(self, start: int, end: int) -> bool:
        """Complains about text right behind a closing quote; whether the opening quote is the one to blame."""
        following = self.mask[end : end + 1]
        if following in (b"", b" ", b"\t", b"\r", b"\n", b";", b"{", b")", b"}"):
            return False  # as nginx, except that `}` is left to the tree's builder
        shown = self.data[end : end + 4].decode("utf-8", "replace")[:1]
        if b"\n" in self.mask[start:end]:
            quote = self.mask[start : start + 1].decode("ascii")
            message = f'unexpected "{shown}" further down (missing closing {quote} on this line)'
            self.complain(start, self._line_end(start), message)
            return True
        message = f'unexpected "{shown}" (text right behind a closing quote)'
        self.complain(end, end + len(shown.encode()), message)
        return False

    def _judge_repetitions(self, repetitions: Sequence[tuple[int, int]]) -> None:
        starts = [token.start for token in self.tokens] if repetitions else []
        for start, end in repetitions:
            found = bisect_right(starts, start) - 1
            if found < 0 or self.tokens[found].quote or self.tokens[found].end < end:
                continue  # in quotes or in a comment
            shown = self.data[start:end].decode("ascii")
            message = f'unexpected "{{": nginx takes the brace of an unquoted {shown} for the start of a block'
            self.complain(start, end, message)


_ESCAPE = re.compile(r"\\([\"'\\trn])")
_ESCAPED = {"t": "\t", "r": "\r", "n": "\n"}


def _word(lexed: _Lexed, start: int, end: int, quote: str) -> Word:
    """A word as nginx sees it: escapes resolved in every word, quoted or not (ngx_conf_read_token)."""
    raw = lexed.data[start + 1 : end - 1] if quote else lexed.data[start:end]
    text = raw.decode("utf-8", "replace")
    if "\\" in text:
        text = _ESCAPE.sub(lambda found: _ESCAPED.get(found[1], found[1]), text)
    if "${DOLLAR}" in text:
        text = text.replace("${DOLLAR}", "$")  # the usual way to write a `$` that envsubst leaves alone
    return Word(text, quote, Span(lexed.path, start, end))


# ----------------------------------------------------------------------------------------------------------------- tree

# Directives newer than crossplane's tables, or from modules that it does not know.
_MORE_DIRECTIVES = frozenset((
    "add_header_inherit", "add_trailer_inherit", "http2", "http3", "more_clear_headers", "more_clear_input_headers",
    "more_set_headers", "more_set_input_headers", "quic_retry", "ssl_reject_handshake",
))  # fmt: skip

# Blocks whose entries are data: a line may begin with any word.
_DATA_BLOCKS = frozenset(("charset_map", "geo", "geoip2", "map", "match", "split_clients", "types"))

_MAIN_BLOCKS = frozenset(("events", "http", "mail", "stream"))
_HTTP_BLOCKS = frozenset(("geo", "map", "server", "split_clients", "types", "upstream"))


class _Tables:
    """crossplane's directive tables: which directives there are, their number of arguments, and their end."""

    def __init__(self) -> None:
        self._analyzer: Any = importlib.import_module("crossplane.analyzer")
        self._masks: dict[str, list[int]] = self._analyzer.DIRECTIVES

    def knows(self, name: str) -> bool:
        return name in self._masks or name in _MORE_DIRECTIVES

    def fits(self, name: str, arguments: int, block: bool) -> bool | None:
        """Whether the directive takes so many arguments and such an end; None when it is not in the tables."""
        masks = self._masks.get(name)
        if masks is None:
            return None
        table = self._analyzer
        return any(
            bool(mask & table.NGX_CONF_BLOCK) == block
            and bool(
                (arguments <= 7 and mask >> arguments & 1)
                or (mask & table.NGX_CONF_FLAG and arguments == 1)
                or mask & table.NGX_CONF_ANY
                or (mask & table.NGX_CONF_1MORE and arguments >= 1)
                or (mask & table.NGX_CONF_2MORE and arguments >= 2)
            )
            for mask in masks
        )


@cache
def is_directive(name: str) -> bool:
    """Whether nginx, or a module that comes with it, has a directive of this name."""
    return _Tables().knows(name)


class _Frame:
    """A block that is being read. `name` is None for the file itself and for a block without a name."""

    __slots__ = ("arguments", "body", "children", "indent", "indented", "key", "name", "start")

    def __init__(self, name: Word | None, arguments: tuple[Word, ...], start: int, body: int, indent: int) -> None:
        self.name = name
        self.key = name.text if name else ""
        self.arguments = arguments
        self.start = start
        self.body = body
        self.indent = indent
        self.indented = False  # whether an own child stands further right: only then does indentation mean anything
        self.children: list[Directive] = []


class _Tree:
    """Builds the tree from the tokens, as nginx would, and goes on where nginx would give up."""

    def __init__(self, lexed: _Lexed) -> None:
        self.lexed = lexed
        self.path = lexed.path
        self.tables = _Tables()
        self.stack = [_Frame(None, (), 0, 0, -1)]
        self.missing = self._never_closed()
        self.words: list[_Token] = []
        self.skipping = 0
        self.end = 0

    def build(self) -> tuple[Directive, ...]:
        for token in self.lexed.tokens:
            if self.skipping:
                self.skipping += (token.quote == "{") - (token.quote == "}")
            elif token.quote == ";":
                self._semicolon(token)
            elif token.quote == "{":
                self._open(token)
            elif token.quote == "}":
                self._close(token)
            else:
                if not self.words and self.missing and token.indent >= 0:
                    self._close_by_indent(token)
                self.words.append(token)
            self.end = token.end
        if self.words:
            last = self.words[-1]
            self.lexed.complain(last.start, last.end, 'unexpected end of file, expecting ";" or "}" (missing ";")')
            self._statements(block=False, end=last.end)
        while len(self.stack) > 1:
            self._close_unclosed(self.end)
        return tuple(self.stack[0].children)

    def _never_closed(self) -> int:
        depth = 0
        for token in self.lexed.tokens:
            depth = depth + 1 if token.quote == "{" else max(depth - 1, 0) if token.quote == "}" else depth
        return depth

    # -- the four kinds of token

    def _semicolon(self, token: _Token) -> None:
        if self.words:
            self._statements(block=False, end=token.end)
        else:
            self.lexed.complain(token.start, token.end, 'unexpected ";"')

    def _open(self, token: _Token) -> None:
        if not self.words:
            self.lexed.complain(token.start, token.end, 'unexpected "{"')
            self._push(_Frame(None, (), token.start, token.end, token.indent))
            return
        words = self._statements(block=True, end=token.end)
        first = words[0]
        name = _word(self.lexed, first.start, first.end, first.quote)
        if self.missing:
            self._close_by_name(name.text, first.start)
        arguments = self._arguments(name, words, block=True)
        self._push(_Frame(name, arguments, first.start, token.end, first.indent))

    def _push(self, frame: _Frame) -> None:
        self._note_child(frame.indent)
        if len(self.stack) > MAX_DEPTH:
            end = frame.name.span.end if frame.name else frame.body
            message = f"blocks nested more than {MAX_DEPTH} deep: the inner ones were not read"
            self.lexed.complain(frame.start, end, message)
            self.skipping = 1
            return
        self.stack.append(frame)

    def _close(self, token: _Token) -> None:
        if self.words:
            last = self.words[-1]
            self.lexed.complain(last.start, last.end, 'unexpected "}" (missing ";")')
            self._statements(block=False, end=last.end)
        while self.missing and self._belongs_further_out(token):
            self._close_unclosed(token.start)
        if len(self.stack) == 1:
            self.lexed.complain(token.start, token.end, 'unexpected "}"')
            return
        self._finish(token.start, token.end)

    # -- blocks

    def _finish(self, body_end: int, end: int) -> None:
        frame = self.stack.pop()
        parent = self.stack[-1]
        if frame.name is None:
            parent.children.extend(frame.children)
            return
        body = Span(self.path, frame.body, max(frame.body, body_end))
        span = Span(self.path, frame.start, max(frame.body, end))
        parent.children.append(Directive(frame.name, frame.arguments, tuple(frame.children), body, span))

    def _close_unclosed(self, at: int) -> None:
        frame = self.stack[-1]
        name = frame.name.span if frame.name else Span(self.path, frame.start, frame.body)
        shown = f'"{frame.key}"' if frame.key else "block"
        message = f'unexpected end of file, expecting "}}" (this {shown} is never closed)'
        self.lexed.complain(name.start, name.end, message)
        self.missing = max(self.missing - 1, 0)
        end = frame.children[-1].span.end if frame.children else frame.body
        self._finish(min(end, at), min(end, at))

    def _close_by_indent(self, token: _Token) -> None:
        """A statement that stands no further right than the block it would lie in does not lie in it."""
        while self.missing and len(self.stack) > 1:
            frame = self.stack[-1]
            if frame.indent < 0 or not frame.indented or token.indent > frame.indent:
                return
            self._close_unclosed(token.start)

    def _belongs_further_out(self, token: _Token) -> bool:
        """Whether a `}` stands exactly below an outer block's name and left of the innermost one's."""
        frame = self.stack[-1]
        if token.indent < 0 or len(self.stack) < 3 or token.indent >= frame.indent:
            return False
        return any(outer.indent == token.indent for outer in self.stack[1:-1])

    def _close_by_name(self, key: str, at: int) -> None:
        """`http` stands only at the top, `server { }` only directly in `http` (or `stream`, `mail`)."""
        if key in _MAIN_BLOCKS:
            allowed = frozenset[str]()
        elif key in _HTTP_BLOCKS:
            allowed = _MAIN_BLOCKS
        else:
            return
        while self.missing and len(self.stack) > 1 and self.stack[-1].key not in allowed:
            self._close_unclosed(at)

    def _note_child(self, indent: int) -> None:
        frame = self.stack[-1]
        if indent > frame.indent >= 0:
            frame.indented = True

    # -- statements

    def _statements(self, *, block: bool, end: int) -> list[_Token]:
        """Turns the words so far into directives. With `block`, the last one is left to the caller."""
        pieces = self._split(self.words, block)
        self.words = []
        for piece in pieces[:-1]:
            last = piece[-1]
            name = _word(self.lexed, piece[0].start, piece[0].end, piece[0].quote)
            message = f'invalid number of arguments in "{name.text}" directive (missing ";")'
            self.lexed.complain(last.start, last.end, message)
            self._simple(piece, last.end)
        if not block:
            self._simple(pieces[-1], end)
        return pieces[-1]

    def _simple(self, words: Sequence[_Token], end: int) -> None:
        first = words[0]
        name = _word(self.lexed, first.start, first.end, first.quote)
        self._note_child(first.indent)
        after = Span(self.path, end, end)
        span = Span(self.path, first.start, end)
        self.stack[-1].children.append(Directive(name, self._arguments(name, words, block=False), None, after, span))

    def _arguments(self, name: Word, words: Sequence[_Token], *, block: bool) -> tuple[Word, ...]:
        lexed = self.lexed
        if not (block and name.text == "if") or self.stack[-1].key in _DATA_BLOCKS:
            return tuple(_word(lexed, word.start, word.end, word.quote) for word in words[1:])
        bounds = [[word.start, word.end] for word in words[1:]]
        opened = bool(bounds) and lexed.mask[bounds[0][0] : bounds[0][0] + 1] == b"("
        closed = bool(bounds) and lexed.mask[bounds[-1][1] - 1 : bounds[-1][1]] == b")"
        if not (opened and closed):
            at = bounds[0] if bounds else [words[0].start, words[0].end]
            text = lexed.data[at[0] : at[1]].decode("utf-8", "replace")
            lexed.complain(at[0], at[1], f'invalid condition "{text}" (it must stand in parentheses)')
        if opened:
            bounds[0][0] += 1
        if closed:
            bounds[-1][1] -= 1
        quotes = [word.quote for word in words[1:]]
        return tuple(
            _word(lexed, start, end, quote) for (start, end), quote in zip(bounds, quotes, strict=True) if start < end
        )

    def _split(self, words: list[_Token], block: bool) -> list[list[_Token]]:
        """Cuts words at a directive's name that begins a line: the `;` before it is missing."""
        key = self.stack[-1].key
        if key in _DATA_BLOCKS:
            if len(words) <= 2 or block or key not in ("map", "geo", "split_clients"):
                return [words]
            cuts = [place for place, word in enumerate(words) if place and word.indent >= 0]
            pieces = _cut(words, cuts)
            return pieces if all(len(piece) <= 2 for piece in pieces) else [words]
        pieces = [words]
        for _ in range(64):  # each cut is one forgotten semicolon
            rest = pieces[-1]
            place = self._cut_place(rest, block)
            if place is None:
                return pieces
            pieces[-1:] = [rest[:place], rest[place:]]
        return pieces

    def _cut_place(self, words: list[_Token], block: bool) -> int | None:
        starts = [place for place, word in enumerate(words) if place and word.indent >= 0 and not word.quote]
        if not starts:
            return None
        name = self._text(words[0])
        whole = self.tables.fits(name, len(words) - 1, block)
        for number, place in enumerate(starts[:64]):
            word = words[place]
            candidate = self._text(word)
            known = self.tables.knows(candidate)
            last = number + 1 == len(starts)
            fits = self.tables.fits(candidate, len(words) - 1 - place, block)
            left = self.tables.fits(name, place - 1, False)
            further_right = words[0].indent < 0 or word.indent > words[0].indent
            if known and (fits or not last) and not (further_right and whole):
                if fits is False and self.tables.fits(candidate, starts[number + 1] - place - 1, False) is False:
                    continue
                return place
            # A directive nobody knows: only where the known one before it would else be wrong.
            if not known and whole is False and left and not further_right and re.fullmatch(r"[a-z]\w*_\w+", candidate):
                return place
            if known and fits is None and not further_right:
                return place
        return None

    def _text(self, word: _Token) -> str:
        return self.lexed.data[word.start : word.end].decode("utf-8", "replace")


def _cut(words: list[_Token], places: list[int]) -> list[list[_Token]]:
    bounds = [0, *places, len(words)]
    return [words[start:end] for start, end in pairwise(bounds)]


# -------------------------------------------------------------------------------------------------------------- context

_MAIN_NAMES = frozenset(("events", "http", "load_module", "mail", "pid", "stream", "user", "worker_processes"))
_HTTP_NAMES = frozenset((
    "geo", "limit_conn_zone", "limit_req_zone", "log_format", "map", "map_hash_bucket_size", "proxy_cache_path",
    "split_clients", "types", "upstream", "server_names_hash_bucket_size",
))  # fmt: skip
_SERVER_NAMES = frozenset(("listen", "location", "server_name"))
_LOCATION_NAMES = frozenset(
    ("alias", "fastcgi_pass", "grpc_pass", "internal", "limit_except", "proxy_pass", "uwsgi_pass")
)


def _context(directives: Sequence[Directive]) -> str:
    """The context that top-level directives stand in, as far as their names tell (knowledge: nginx.md 1.5)."""
    keys = {directive.key for directive in directives}
    servers = {directive.block is not None for directive in directives if directive.key == "server"}
    if keys & _MAIN_NAMES:
        return "main"
    if True in servers or keys & _HTTP_NAMES:
        return "http"
    if False in servers:
        return "upstream"
    if keys & _SERVER_NAMES:
        return "server"
    if keys & _LOCATION_NAMES:
        return "location"
    return "unknown"


# --------------------------------------------------------------------------------------------------------------- public


def read(source: SourceFile) -> NginxReading:
    """Reads one nginx file, whole or a snippet. Never raises on content; what cannot be read is in `damage`."""
    if len(source.data) > MAX_BYTES:
        message = f"larger than {MAX_BYTES // 1_000_000} MB: not read"
        whole = Damage(Span(source.path, 0, 0), message, whole=True)
        return NginxReading(source.path, (), "unknown", (whole,))
    masked = _mask(source)
    lexed = _Lexed(source, masked)
    directives = _Tree(lexed).build()
    places: dict[Span, Damage] = {}
    for one in lexed.damage:
        places.setdefault(one.span, one)
    damage = sorted(places.values(), key=lambda one: (one.span.start, one.span.end))[:MAX_DAMAGE]
    return NginxReading(source.path, directives, _context(directives), tuple(damage), masked.template, masked.logic)


_SNIFFED = 65_536
_COMMENT = re.compile(rb"(?m)^[ \t]*#.*$")
_PLACEHOLDER = re.compile(rb"\{\{[^{}\n]{0,200}\}\}|\$\{[^{}\n]{0,200}\}|<%=[^%\n]{0,200}%>")
_STRONG = re.compile(  # names that no other configuration language ends with `;` or `{`
    rb"(?m)(?:^|[;{}])[ \t]*(?:"
    rb"(?:proxy|fastcgi|uwsgi|grpc|ssl|gzip|brotli|limit|more|add|client|worker|real|auth|resolver|sub|http2|map)_\w+"
    rb"|server_name|server_tokens|try_files|error_page|access_log|error_log|log_format|rewrite|set[ \t]+\$"
    rb"|open_file_cache|resolver|valid_referers|default_type)[ \t]+(?![=:])[^{};\n]{0,1000};"
    rb"|(?:^|[;{}])[ \t]*(?:(?:add|proxy_set)_header|more_\w+_headers|log_format|gzip_types)\s[^{};]{0,4000};"
    rb"|(?:^|[;{}])[ \t]*location[ \t]+(?:[~=^*]+[ \t]*)?[/@^\"'.\\(]\S*[ \t\r\n]*\{"
    rb"|(?:^|[;{}])[ \t]*map[ \t]+\"?\$\S+[ \t]+\$\w+[ \t\r\n]*\{"
    rb"|(?:^|[;{}])[ \t]*if[ \t]*\([ \t]*\$\w+[^\n{}]*\)[ \t\r\n]*\{"
)
_ONLY_INCLUDES = re.compile(rb"(?:\s*include[ \t]+[\w.*/$-]+[ \t]*;)+\s*")
_WEAK_BLOCK = re.compile(rb"(?m)(?:^|[;{}])[ \t]*(?:server|http|events|upstream[ \t]+[\w.-]+|types)[ \t\r\n]*\{")
_WEAK_LINE = re.compile(
    rb"(?m)(?:^|[;{}])[ \t]*(?:listen[ \t]+[\w.:\[\]*$]|return[ \t]+[1-5]\d\d|server[ \t]+[\w.-]+(?::\d+)?"
    rb"|root[ \t]+[/\w$]|include[ \t]+[\w./*-]+|worker_processes|text/\w+|expires[ \t]|ip_hash|least_conn|index[ \t])"
    rb"[^{}=\n]*;?[ \t\r]*(?:#.*)?$"
)


def looks_like_nginx(data: bytes) -> bool:
    """Whether a file called `*.conf` or the like is nginx: HOCON, Apache, systemd and the rest are not.

    Looks at the first 64 KiB only, and needs no parser. A template or a broken file still counts.
    """
    head = data[:_SNIFFED]
    if head.count(b"\0") > len(head) // 20:
        return False
    if len(data) > _SNIFFED:
        head = head[: head.rfind(b"\n") + 1] or head
    head = _PLACEHOLDER.sub(b"x", _COMMENT.sub(b"", head.removeprefix(_BOM)))
    if _STRONG.search(head) or _ONLY_INCLUDES.fullmatch(head):
        return True
    block = _WEAK_BLOCK.search(head)
    return block is not None and _WEAK_LINE.search(head, block.end()) is not None
