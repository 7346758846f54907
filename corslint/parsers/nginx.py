"""nginx configuration: bytes -> NginxReading.

The words are those that crossplane's lexer finds, found faster: a test compares the two. In front of them stand masks
of the same length (so that every offset holds), behind them the tree and the recovery after a missing `;` or `}`. A
file without such faults takes the quick way (`nginx_quick.py`). crossplane's tables of directives are used; `ngxparse`,
a fork, installs the same module, and both work.

What nginx itself refuses becomes `Damage`, worded with nginx's own message where it has one (read off nginx 1.22.1).
"""

from __future__ import annotations

import importlib
import re
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from functools import cache
from itertools import pairwise
from typing import Any
from typing import Literal as OneOf

from corslint.model.reading import Damage, Directive, NginxReading, Word
from corslint.parsers import nginx_quick
from corslint.parsers.nginx_masks import Flavour, Masked, expanded, fill, mask
from corslint.records import NamedTuple
from corslint.regexes import regex
from corslint.source import SourceFile, Span

MAX_BYTES = 8_000_000
"""Larger files are not read: real ones are below 1 MB."""

MAX_DEPTH = 64
"""Blocks nested deeper than this are not read; nobody writes them, and later steps walk the tree by recursion."""

MAX_DAMAGE = 20
"""At most this many places are reported for one file: one slip often makes more."""

_BUFFER = 4096
"""nginx reads through a buffer of this size (NGX_CONF_BUFFER); a word or comment must fit into it."""

_RESTARTS = 100
"""How often the lexer is started again behind a quote that is never closed."""


_BLANK = regex(rb"[ \t\r\n]*")
_COMMENT = ord("#")


# --------------------------------------------------------------------------------------------------------------- tokens


class _Token(NamedTuple):
    """A word (`quote` is `"`, `'` or empty), or one of `{`, `}`, `;` (`quote` is the character itself).

    `start` and `end` include quotes. `indent` is the width of the blanks before the first token of a line, else -1.
    """

    start: int
    end: int
    quote: str
    indent: int


_PIECE = regex(
    rb"""[ \t\r\n]*+
    ( [;{}]
    | "[^"\\]*+(?:\\.[^"\\]*+)*+"
    | '[^'\\]*+(?:\\.[^'\\]*+)*+'
    | \#[^\n]*+
    | (?:[^ \t\r\n;{}"'\#\\]|\\.) [^ \t\r\n;{}\\]*+ (?:\\.[^ \t\r\n;{}\\]*+)*+
    )""",
    re.DOTALL | re.VERBOSE,
)
"""One token or comment, and the blanks before it. A quote inside a word is an ordinary character."""

_AFTER_QUOTE = frozenset(b" \t\r\n;{)}")
"""What may stand behind a closing quote, as nginx has it, except that `}` is left to the tree's builder."""


class _Lexed:
    """The tokens of a masked file, and what nginx would say about single ones."""

    def __init__(self, source: SourceFile, masked: Masked, *, shell: bool) -> None:
        self.path = source.path
        self.data = source.data
        self.shell = shell
        self.mask = masked.text
        self.tokens: list[_Token] = []
        self.comments: list[tuple[int, int]] = []
        self.damage: list[Damage] = list(masked.damage)
        self.repetitions = masked.repetitions
        self._collect()

    def complain(self, start: int, end: int, message: str, kind: OneOf["syntax", "swallowed"] = "syntax") -> None:
        """Notes damage. Two complaints about one place are one fault: the first one stands."""
        span = Span(self.path, start, end)
        if len(self.damage) < 50 * MAX_DAMAGE and not (self.damage and self.damage[-1].span == span):
            self.damage.append(Damage(span, message, kind=kind))

    def _collect(self) -> None:
        if self.mask.endswith(b"\\"):  # what it would escape is not there
            self.mask = self.mask[:-1] + b"x"
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
        """One run from `at`: where it got to, and the open quote to start again from, if any."""
        mask = self.mask
        size = len(mask)
        following = _PIECE.scanner(mask, at).match  # type: ignore[attr-defined]  # known to CPython alone, and fast
        while found := following():
            start, end = found.span(1)
            first = mask[start]
            if first in b";{}":
                self._add(at, start, end, chr(first))
            elif first in b"\"'":
                if end < size and mask[end] not in _AFTER_QUOTE and self._glued(start, end):
                    return end, start
                self._add(at, start, end, chr(first))
            elif first != _COMMENT:
                self._add(at, start, end, "")
            else:
                self.comments.append((start, end))
                if end - start >= _BUFFER:
                    self.complain(start, start + 40, self._too_long(start) + " (a comment of over 4,096 bytes)")
            at = end
        rest = self._skip(at)
        if mask[rest : rest + 1] not in (b'"', b"'"):
            return at, None
        quote = mask[rest : rest + 1].decode("ascii")
        if size - rest > _BUFFER:
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
        tokens = self.tokens
        indent = -1
        if start > last + 1 or not tokens or self.mask[last:start] == b"\n":
            newline = self.mask.rfind(b"\n", last, start)
            if newline != -1 or not tokens:
                blanks = self.mask[newline + 1 : start] if newline != -1 else b""
                indent = start - newline - 1 + 7 * blanks.count(b"\t") if newline != -1 else 0
        tokens.append(_Token(start, end, quote, indent))

    def _glued(self, start: int, end: int) -> bool:
        """Complains about text right behind a closing quote; whether the opening quote is the one to blame."""
        shown = self.data[end : end + 4].decode("utf-8", "replace")[:1]
        if b"\n" in self.mask[start:end]:
            quote = self.mask[start : start + 1].decode("ascii")
            message = f'unexpected "{shown}" further down (missing closing {quote} on this line)'
            self.complain(start, self._line_end(start), message)
            return True
        message = f'unexpected "{shown}" (text right behind a closing quote)'
        self.complain(end, end + len(shown.encode()), message)
        return False


_ESCAPE = regex(r"\\([\"'\\trn])")
_ESCAPED = {"t": "\t", "r": "\r", "n": "\n"}


def _word(lexed: _Lexed, start: int, end: int, quote: str) -> Word:
    """A word as nginx sees it."""
    raw = lexed.data[start + 1 : end - 1] if quote else lexed.data[start:end]
    text = _text_of(raw, shell=True) if lexed.shell else _text_of(raw)
    return Word(text, quote, lexed.path, start, end - start)


def _text_of(raw: bytes, *, shell: bool = False) -> str:
    """A word's text: escapes are resolved in every word, quoted or not (ngx_conf_read_token)."""
    text = raw.decode("utf-8", "replace")
    if shell:
        text = expanded(text)
    if "\\" in text:
        text = _ESCAPE.sub(lambda found: _ESCAPED.get(found[1], found[1]), text)
    if "${DOLLAR}" in text:
        text = text.replace("${DOLLAR}", "$")  # the usual way to write a `$` that envsubst leaves alone
    return text


# ----------------------------------------------------------------------------------------------------------------- tree

# Directives newer than crossplane's tables, or from modules that it does not know.
_MORE_DIRECTIVES = frozenset((
    "add_header_inherit", "add_trailer_inherit", "http2", "http3", "more_clear_headers", "more_clear_input_headers",
    "more_set_headers", "more_set_input_headers", "quic_retry", "ssl_reject_handshake",
))  # fmt: skip

# Blocks whose entries are data: a line may begin with any word.
_DATA_BLOCKS = frozenset(("charset_map", "geo", "geoip2", "map", "match", "split_clients", "types"))

_TIME = regex(r"(?:\d++(?:ms|[yMwdhms])?)+")

# Directives whose further arguments nginx knows by name.
_NAMED_PARAMETERS = frozenset((
    "fastcgi_cache_path", "limit_req", "limit_req_zone", "listen", "proxy_cache_path", "scgi_cache_path",
    "uwsgi_cache_path",
))  # fmt: skip

# Directives with a list of arguments that nginx looks up in a table of its own.
_LISTED_VALUES = frozenset((
    "fastcgi_ignore_headers", "fastcgi_next_upstream", "grpc_next_upstream", "proxy_cache_methods",
    "proxy_cache_use_stale", "proxy_ignore_headers", "proxy_next_upstream", "proxy_ssl_protocols", "ssl_protocols",
    "uwsgi_next_upstream",
))  # fmt: skip

_ONLY_BLOCKS = frozenset((
    "charset_map", "events", "geo", "http", "if", "limit_except", "location", "mail", "map", "split_clients", "stream",
    "types", "upstream",
))  # fmt: skip

_MAIN_BLOCKS = frozenset(("events", "http", "mail", "stream"))
_HTTP_BLOCKS = frozenset(("geo", "map", "server", "split_clients", "types", "upstream"))


class _Tables:
    """crossplane's directive tables: which directives there are, their number of arguments, and their end."""

    def __init__(self) -> None:
        self._analyzer: Any = importlib.import_module("crossplane.analyzer")
        self._masks: dict[str, list[int]] = self._analyzer.DIRECTIVES

    def knows(self, name: str) -> bool:
        return name in self._masks or name in _MORE_DIRECTIVES

    def takes_block(self, name: str) -> bool | None:
        """Whether the directive can, or None where it is not in the tables."""
        masks = self._masks.get(name)
        return None if masks is None else any(mask & self._analyzer.NGX_CONF_BLOCK for mask in masks)

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
def _grammar() -> nginx_quick.Grammar:
    return nginx_quick.Grammar(_DATA_BLOCKS, _ONLY_BLOCKS, _Tables().takes_block, _text_of, MAX_DEPTH)


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
        if self.lexed.repetitions:
            self._judge_repetitions(words, block=True)
        first = words[0]
        name = _word(self.lexed, first.start, first.end, first.quote)
        if self.missing:
            self._close_by_name(name.text, first.start)
        if self.tables.takes_block(name.text) is False and self.stack[-1].key not in _DATA_BLOCKS:
            self.lexed.complain(first.start, words[-1].end, f'directive "{name.text}" is not terminated by ";"')
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
        length = max(frame.body, end) - frame.start
        parent.children.append(Directive(frame.name, frame.arguments, tuple(frame.children), body, length))

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
        after = [self._plain(word) for piece in pieces[1:] for word in piece]
        at = 0
        for piece, following in pairwise(pieces):
            self._unterminated(piece, after, at, block)
            self._simple(piece, piece[-1].end)
            at += len(following)
        if not block:
            self._simple(pieces[-1], end)
        return pieces[-1]

    def _unterminated(self, words: Sequence[_Token], after: Sequence[str], at: int, block: bool) -> None:
        """Complains about a directive without its `;`: to nginx, the words `after` from `at` on are its arguments, too.

        Where no directive has its `;`, these are all that follow for each, and are no more than looked at in place.
        """
        name, last = self._plain(words[0]), words[-1]
        own = [self._plain(word) for word in words[1:]]
        message = self._refusal(name, own, after, at, block)
        if message is None:
            shown = f'nginx takes the next line as arguments of "{name}", so that "{after[at]}" has no effect'
            self.lexed.complain(last.start, last.end, f'{shown} (missing ";")', "swallowed")
        else:
            self.lexed.complain(last.start, last.end, message)

    def _refusal(self, name: str, own: list[str], after: Sequence[str], at: int, block: bool) -> str | None:
        """What nginx says where it refuses a directive with swallowed arguments; None where it takes them."""
        key, first = self.stack[-1].key, after[at]
        if key in _DATA_BLOCKS:
            refused = key in ("map", "geo")
            return f'invalid number of the {key} parameters (missing ";")' if refused else None
        if block:
            return f'directive "{name}" is not terminated by ";"'
        if self.tables.fits(name, len(own) + len(after) - at, block=False) is False:
            return f'invalid number of arguments in "{name}" directive (missing ";")'
        missing = f'(missing ";" after "{name}")'
        if name in _NAMED_PARAMETERS or (name == "server" and key == "upstream"):
            return f'invalid parameter "{first}" {missing}'
        if name == "access_log":  # path, format, parameters
            plain = len(own) == 1 and own[0] != "off"
            return f'{"unknown log format" if plain else "invalid parameter"} "{first}" {missing}'
        if name == "error_log":
            return f'invalid log level "{first}" {missing}'
        if name == "error_page":
            wrong = next((code for code in _codes(own, after, at) if not code.isdecimal()), None)
            return None if wrong is None else f'invalid value "{wrong}" {missing}'
        if name == "resolver":
            return f'host not found in resolver "{first}" {missing}'
        if name == "proxy_cache_valid" and not _TIME.fullmatch(after[-1]):
            return f'invalid time value "{after[-1]}" {missing}'
        if name in _LISTED_VALUES:
            return f'invalid value "{first}" {missing}'
        return None

    def _plain(self, word: _Token) -> str:
        """A word without its quotes."""
        return _word(self.lexed, word.start, word.end, word.quote).text

    def _judge_repetitions(self, words: Sequence[_Token], block: bool) -> None:
        """Complains about the first unquoted `{2}` of a directive: nginx takes the brace for the start of a block."""
        for word in words:
            if word.quote:
                continue
            place = bisect_left(self.lexed.repetitions, (word.start, 0))
            found = self.lexed.repetitions[place : place + 1]
            if found and found[0][1] <= word.end:
                self._repetition(found[0], word, self._plain(words[0]), block)
                return

    def _repetition(self, brace: tuple[int, int], word: _Token, name: str, block: bool) -> None:
        start, end = brace
        data = self.lexed.data
        shown = data[start:end].decode("ascii")
        why = f"nginx takes the brace of an unquoted {shown} for the start of a block"
        before = data[word.start : start].decode("utf-8", "replace")
        if self.stack[-1].key in _DATA_BLOCKS:
            message = f'unexpected "{{": {why}'
        elif not block:
            message = f'directive "{name}" is not terminated by ";": {why}'
        elif name != "if":
            inside = re.match(rb"[^\s;{]*", data[start + 1 : word.end])
            directive = inside.group().decode("utf-8", "replace") if inside else ""
            message = f'unknown directive "{directive}": {why}'
        elif before.endswith(")"):  # it then ends in the middle of the expression, which is PCRE's to refuse
            message = f"the condition ends early: {why}"
        else:
            message = f'invalid condition "{before.removeprefix("(")}": {why}'
        self.lexed.complain(start, end, message)

    def _simple(self, words: Sequence[_Token], end: int) -> None:
        if self.lexed.repetitions:
            self._judge_repetitions(words, block=False)
        first = words[0]
        name = _word(self.lexed, first.start, first.end, first.quote)
        self._note_child(first.indent)
        if name.text in _ONLY_BLOCKS and self.stack[-1].key not in _DATA_BLOCKS:
            self.lexed.complain(first.start, words[-1].end, f'directive "{name.text}" has no opening "{{"')
        arguments = self._arguments(name, words, block=False)
        nowhere = Span(self.path, 0, 0)
        self.stack[-1].children.append(Directive(name, arguments, None, nowhere, end - first.start))

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
            if key == "types" and not block:  # a media type begins an entry
                return _cut(words, [place for place in self._line_starts(words) if "/" in self._text(words[place])])
            if len(words) <= 2 or block or key not in ("map", "geo", "split_clients"):
                return [words]
            pieces = _cut(words, self._line_starts(words))
            return pieces if all(len(piece) <= 2 for piece in pieces) else [words]
        pieces = [words]
        for _ in range(64):  # each cut is one forgotten semicolon
            rest = pieces[-1]
            place = self._cut_place(rest, block)
            if place is None:
                return pieces
            pieces[-1:] = [rest[:place], rest[place:]]
        return pieces

    @staticmethod
    def _line_starts(words: list[_Token]) -> list[int]:
        return [place for place, word in enumerate(words) if place and word.indent >= 0]

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

_STRUCTURAL = regex(
    r"unexpected \"[{}]\"(?! \(missing)|unexpected end of file, expecting \"}\""
    r"|.*missing closing|blocks nested|too many"
)


def read(source: SourceFile) -> NginxReading:
    """Reads one nginx file, whole or a snippet. Never raises on content; what cannot be read is in `damage`."""
    return _read(source, "file")


def read_part(source: SourceFile, start: int, end: int, flavour: Flavour) -> NginxReading:
    """Reads the configuration that stands between two offsets of another file. Spans are those of the file."""
    return _moved(_read(SourceFile(source.path, source.data[start:end]), flavour), start)


def lexed(data: bytes, flavour: Flavour) -> tuple[list[tuple[int, int]], list[tuple[int, int]]]:
    """Where a configuration's words and marks stand, and where its comments do; nothing of one that is too large."""
    if len(data) > MAX_BYTES:
        return [], []
    source = SourceFile("", data)
    found = _Lexed(source, mask(source, flavour), shell=flavour == "shell")
    return [(token.start, token.end) for token in found.tokens], found.comments


def _read(source: SourceFile, flavour: Flavour) -> NginxReading:
    if len(source.data) > MAX_BYTES:
        message = f"larger than {MAX_BYTES // 1_000_000} MB: not read"
        whole = Damage(Span(source.path, 0, 0), message, whole=True)
        return NginxReading(source.path, (), "unknown", (whole,))
    masked = mask(source, flavour)
    directives, damage = _built(source, masked, flavour)
    if damage and masked.language:
        return _template(source, masked, directives, damage, flavour)
    return NginxReading(source.path, directives, _context(directives), damage, masked.template, masked.logic)


def _moved(reading: NginxReading, by: int) -> NginxReading:
    """A reading whose every place lies `by` bytes further on."""

    def span(one: Span) -> Span:
        return Span(one.path, one.start + by, one.end + by)

    def word(one: Word) -> Word:
        return one._replace(start=one.start + by)

    def directive(one: Directive) -> Directive:
        block = None if one.block is None else tuple(map(directive, one.block))
        return Directive(word(one.name), tuple(map(word, one.arguments)), block, span(one.body), one.length)

    return reading._replace(
        directives=tuple(map(directive, reading.directives)),
        damage=tuple(one._replace(span=span(one.span)) for one in reading.damage),
        logic=tuple(map(span, reading.logic)),
    )


def _built(source: SourceFile, masked: Masked, flavour: Flavour) -> tuple[tuple[Directive, ...], tuple[Damage, ...]]:
    """The tree, and the first of what is wrong with it."""
    if flavour != "shell" and not masked.damage and not masked.repetitions:
        quick = nginx_quick.build(source, masked.text, _grammar())
        if quick is not None:
            return quick, ()
    lexed = _Lexed(source, masked, shell=flavour == "shell")
    directives = _Tree(lexed).build()
    places: dict[Span, Damage] = {}
    for one in lexed.damage:
        places.setdefault(one.span, one)
    damage = sorted(places.values(), key=lambda one: (one.span.start, one.span.end))[:MAX_DAMAGE]
    return directives, tuple(damage)


def _template(
    source: SourceFile,
    masked: Masked,
    directives: tuple[Directive, ...],
    damage: tuple[Damage, ...],
    flavour: Flavour,
) -> NginxReading:
    """A template that is no configuration as it stands. Tried again with only the first branch of each condition.

    What is wrong then is not said to be nginx's word: only the finished file can be judged.
    """
    if masked.branches:
        buffer = bytearray(masked.text)
        for start, end in masked.branches:
            fill(buffer, start, end, b" ")
        tried, left = _built(source, masked._replace(text=bytes(buffer)), flavour)
        if not left:
            return NginxReading(source.path, tried, _context(tried), (), True, masked.logic)
    first = damage[0]
    shown = re.sub(r" \((?:missing|this|the|it) .*\)$|: nginx takes .*$", "", first.message)
    what = "this excerpt is no nginx configuration by itself"
    if flavour != "excerpt":
        what = "without its placeholders this template is no nginx configuration"
    message = f"{what} ({shown})"
    if any(_STRUCTURAL.match(one.message) for one in damage):  # what lies in what is not known
        whole = Damage(first.span, message, whole=True, kind="template")
        return NginxReading(source.path, (), "unknown", (whole,), True)
    everything = (Span(source.path, 0, len(source.data)),)
    read_as = Damage(first.span, message, kind="template")
    return NginxReading(source.path, directives, _context(directives), (read_as,), True, everything)


def _codes(own: Sequence[str], after: Sequence[str], at: int) -> Iterator[str]:
    """What an `error_page` takes for codes: all but its last word, and the last but one may be `=` with one."""

    def word(number: int) -> str:
        return own[number] if number < len(own) else after[at + number - len(own)]

    count = len(own) + len(after) - at - 1
    if word(count - 1).startswith("="):
        count -= 1
    return map(word, range(count))
