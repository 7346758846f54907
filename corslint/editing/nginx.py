"""Edits in nginx configurations, placed by the directive tree.

Every edit is read again: it is given up where any other directive came out differently, or where nginx would find more
to complain about than before.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from functools import lru_cache

from corslint.editing import (
    Change,
    Code,
    Data,
    Order,
    apply_changes,
    indent_unit,
    indentation,
    line_end,
    newline,
    piece_of,
    remove_lines,
)
from corslint.model.reading import Directive, NginxReading
from corslint.regexes import regex
from corslint.source import SourceFile, Span

_BY_FIRST_ARGUMENT = frozenset(
    {"add_header", "add_trailer", "proxy_set_header", "proxy_hide_header", "proxy_pass_header", "grpc_set_header",
     "fastcgi_param", "uwsgi_param", "scgi_param", "more_set_headers", "set", "map", "geo", "split_clients", "upstream"}
)  # fmt: skip
"""Directives that may repeat on one level, each time for another first argument."""

_REPEATABLE = frozenset(
    {"include", "server", "location", "if", "listen", "rewrite", "return", "allow", "deny", "limit_except", "types",
     "error_page", "access_log", "error_log", "proxy_cookie_path", "proxy_cookie_domain", "proxy_cache_valid",
     "load_module"}
)  # fmt: skip
"""Directives that may repeat on one level with any arguments."""

_BEFORE_OTHERS = frozenset({"ip_hash", "hash", "least_conn", "least_time", "random"})
"""Balancing methods: nginx wants them before `keepalive` (ngx_http_upstream_module), so they go to the top."""

_PLAIN = regex(r"(?:\$\{\w+\}|[^\s;{}\"'#\\]|(?<=.)#)+\Z")
_ESCAPING = regex(r"\\(?=[\"'\\trn]|\Z)")


def edit(source: SourceFile, order: Order) -> tuple[Change, ...] | None:
    """The changes that carry out an order: none where the file already is as ordered, None where it can't be done."""
    verbs = {"delete": _delete, "replace": _replace, "rename_key": _replace, "insert_directive": _insert}
    verb = verbs.get(order.verb)
    if verb is None or source.data.startswith(b"#!"):  # a script that writes a configuration is no configuration
        return None
    reading = _read(source.path, source.data)
    changes = verb(source, reading, order)
    if changes and not _sound(source, reading, changes):
        return None
    return None if changes is None else tuple(changes)


@lru_cache(maxsize=4)
def _read(path: str, data: bytes) -> NginxReading:
    from corslint.parsers.nginx import read

    return read(SourceFile(path, data))


def _all(directives: Sequence[Directive]) -> Iterator[Directive]:
    pending = list(reversed(directives))
    while pending:
        directive = pending.pop()
        yield directive
        pending += reversed(directive.block or ())


def _holding(reading: NginxReading, span: Span) -> Directive | None:
    """The innermost directive that a span lies in: in its words, or equal to all of it."""
    found: Directive | None = None
    for directive in _all(reading.directives):
        if directive.span.start <= span.start and span.end <= directive.span.end:
            found = directive
    if found is None or found.block is None or (span.start, span.end) == (found.span.start, found.span.end):
        return found
    return found if span.end <= found.body.start else None


# --- delete ---


def _delete(source: SourceFile, reading: NginxReading, order: Order) -> list[Change] | None:
    directive = _holding(reading, order.span)
    if directive is None or (directive.block is not None and order.span.start != directive.span.start):
        return None  # a block goes only where all of it or its head is meant, not for one of its arguments
    return [remove_lines(source.data, directive.span.start, directive.span.end, b"#")]


# --- replace ---


def _replace(source: SourceFile, reading: NginxReading, order: Order) -> list[Change] | None:
    new: Data | Code = order.name if order.verb == "rename_key" else order.new
    directive = _holding(reading, order.span)
    if directive is None:
        return None
    start, end = order.span.start, order.span.end
    if isinstance(new, Code):
        return _changed(source.data, start, end, new.text.encode()) if new.text else None
    text = _plain_text(new)
    if text is None:
        return None
    word = next((word for word in (directive.name, *directive.arguments) if word.span.covers(order.span)), None)
    if word is None:
        return None
    if (word.span.start, word.span.end) == (start, end):
        part = piece_of(word.text, order.was)
        if part is None:
            return None
        whole = word.text[: part[0]] + text + word.text[part[1] :]
    else:
        offset = start - word.span.start - len(word.quote)
        raw = word.text.encode()
        if offset < 0 or raw[offset : offset + end - start] != source.data[start:end]:
            return None  # an escape before it: what the bytes mean isn't known
        whole = (raw[:offset] + text.encode() + raw[offset + end - start :]).decode("utf-8", "replace")
    if whole == word.text:
        return []
    return _changed(source.data, word.span.start, word.span.end, quoted(whole, word.quote).encode())


def _plain_text(new: Data) -> str | None:
    if isinstance(new, bool):
        return "on" if new else "off"
    if isinstance(new, (str, int, float)):
        return str(new)
    return None


def _changed(data: bytes, start: int, end: int, text: bytes) -> list[Change]:
    """The replacement, without the quotes that stay."""
    old = data[start:end]
    if old == text:
        return []
    quote = old[:1]
    if quote in (b'"', b"'") and len(old) > 1 and len(text) > 1 and old[-1:] == text[:1] == text[-1:] == quote:
        return [Change(start + 1, end - 1, text[1:-1])]
    return [Change(start, end, text)]


def quoted(text: str, quote: str) -> str:
    """One word as nginx reads it back: with `quote` around it where given, else with `"` where it needs quotes."""
    if not quote and _PLAIN.match(text):
        return text
    quote = quote or '"'
    # nginx drops a backslash only before a quote, a backslash, or `t`, `r`, `n` (ngx_conf_read_token).
    text = _ESCAPING.sub(r"\\\\", text).replace("\n", "\\n").replace("\r", "\\r")
    return quote + text.replace(quote, "\\" + quote) + quote


# --- insert_directive ---


def _insert(source: SourceFile, reading: NginxReading, order: Order) -> list[Change] | None:
    level = _level(source, reading, order.span)
    wanted = _wanted(order.name)
    if level is None or wanted is None:
        return None
    siblings, body, outer = level
    fresh: list[tuple[Directive, str]] = []
    for directive, text in wanted:
        twin = next((sibling for sibling in siblings if _rivals(directive, sibling)), None)
        if twin is None:
            fresh.append((directive, text))
        elif _shape([twin]) != _shape([directive]):
            return None  # nginx would refuse the second, or send both
    if not fresh:
        return []
    data = source.data
    if fresh[0][0].key in _BEFORE_OTHERS and siblings:
        return _in_front(data, siblings[0], [text for _, text in fresh])
    named = [sibling for sibling in siblings if sibling.key == fresh[0][0].key and sibling.block is None]
    simple = [sibling for sibling in siblings if sibling.block is None]
    neighbour = (named or simple)[-1] if simple else None
    texts = [text for _, text in fresh]
    if neighbour is None:
        return _into(data, body, outer, siblings, texts)
    at = neighbour.span.end
    stop = line_end(data, at)
    rest = data[at : min(stop, body.end)].strip()
    closes = body.end <= stop and body.end < len(data)  # the block's brace stands on this line
    if closes or (rest and not rest.startswith(b"#")):
        return [
            Change(
                at, at, b"".join(b" " + " ".join(line.strip() for line in text.split("\n")).encode() for text in texts)
            )
        ]
    starts_line = not data[: neighbour.span.start].rpartition(b"\n")[2].strip(b" \t\xef\xbb\xbf")
    indent = indentation(data, neighbour.span.start) if starts_line else outer + indent_unit(data, b"    ")
    return [Change(stop, stop, _lines(data, at, indent, texts))]


def _in_front(data: bytes, first: Directive, texts: Sequence[str]) -> list[Change]:
    """Insert before everything else on a level."""
    at = first.span.start
    before = data[:at].rpartition(b"\n")[2]
    if before.strip():
        return [Change(at, at, b"".join(text.encode() + b" " for text in texts))]
    lines = _lines(data, at, before, texts)
    ending = newline(data, at)
    return [Change(at, at, lines.removeprefix(ending + before) + ending + before)]


def _lines(data: bytes, at: int, indent: bytes, texts: Sequence[str]) -> bytes:
    """The directives on lines of their own, each line with its line ending in front."""
    ending = newline(data, at)
    unit = indent_unit(data, b"    ")
    pieces = []
    for text in texts:
        for line in text.split("\n"):
            inner = line.lstrip(" ")
            steps = (len(line) - len(inner)) // 4
            pieces.append(ending + indent + unit * steps + inner.encode() if inner else ending)
    return b"".join(pieces)


def _into(data: bytes, body: Span, outer: bytes, siblings: Sequence[Directive], texts: Sequence[str]) -> list[Change]:
    """Insert at the start of a body that has no simple directive."""
    inner = data[body.start : body.end]
    top = body.end == len(data)
    indent = b"" if top else outer + indent_unit(data, b"    ")
    if siblings and not top and data[: siblings[0].span.start].rpartition(b"\n")[2].strip() == b"":
        indent = indentation(data, siblings[0].span.start)
    lines = _lines(data, body.start, indent, texts)
    ending = newline(data, body.start)
    if top and not siblings:
        lead = b"" if not inner or inner.endswith(b"\n") else ending
        return [Change(body.end, body.end, lead + lines.removeprefix(ending) + ending)]
    if top:
        at = siblings[0].span.start
        return [Change(at, at, lines.removeprefix(ending) + ending)]
    if siblings:
        if line_end(data, body.start) >= siblings[0].span.start:
            return [Change(body.start, body.start, b"".join(b" " + text.encode() for text in texts))]
        stop = line_end(data, body.start)
        return [Change(stop, stop, lines)]
    if b"\n" not in inner:
        return [Change(body.start, body.end, lines + ending + outer)]
    kept = inner.rstrip(b" \t\r\n")  # comments
    at = body.start + len(kept)
    return [Change(at, at, lines)]


def _level(source: SourceFile, reading: NginxReading, span: Span) -> tuple[Sequence[Directive], Span, bytes] | None:
    """What stands on a level, the level's body, and the indentation of the line that opens it."""
    data = source.data
    if span.start <= 3 and span.end == len(data):
        return reading.directives, Span(span.path, span.start, span.end), b""
    for directive in _all(reading.directives):
        if directive.block is None:
            continue
        body, whole = directive.body, directive.span
        if (span.start, span.end) in ((body.start, body.end), (whole.start, whole.end)):
            if data[body.end : body.end + 1] != b"}":
                return None  # never closed
            return directive.block, body, indentation(data, whole.start)
    return None


def _wanted(text: str) -> list[tuple[Directive, str]] | None:
    """The directives of a text, each with its own part of it."""
    text = textwrap.dedent(text.expandtabs(4)).strip()
    data = (text + "\n").encode()
    reading = _read("inserted.conf", data)
    if reading.damage or not reading.directives:
        return None
    return [(one, data[one.span.start : one.span.end].decode()) for one in reading.directives]


def _rivals(new: Directive, old: Directive) -> bool:
    """Whether two directives say something about the same thing, so that one level can't hold both."""
    if new.key != old.key:
        return False
    if new.key in _REPEATABLE:
        return _shape([new]) == _shape([old])
    if new.key not in _BY_FIRST_ARGUMENT:
        return True
    first, other = (one.arguments[0].text if one.arguments else "" for one in (new, old))
    return first.lower() == other.lower()


# --- the check afterwards ---


def _shape(directives: Sequence[Directive]) -> list[tuple[str, tuple[str, ...], int]]:
    """What directives say, without where they stand."""
    return [
        (one.key, tuple(word.text for word in one.arguments), -1 if one.block is None else len(list(_all(one.block))))
        for one in _all(directives)
    ]


def _sound(source: SourceFile, reading: NginxReading, changes: Sequence[Change]) -> bool:
    """Whether every directive that the changes leave alone reads as before, and no damage came in."""
    after = _read(source.path, apply_changes(source.data, changes))
    if len(after.damage) > len(reading.damage):
        return False
    grown: list[Change] = []
    shift = 0
    for change in sorted(changes):
        start = change.start + shift
        grown.append(Change(start, start + len(change.text), b""))
        shift += len(change.text) - (change.end - change.start)
    return [_head(one) for one in _all(reading.directives) if not _touched(one, changes)] == [
        _head(one) for one in _all(after.directives) if not _touched(one, grown)
    ]


def _touched(directive: Directive, changes: Sequence[Change]) -> bool:
    """Whether a change reaches into a directive's words."""
    start = directive.name.span.start
    end = directive.arguments[-1].span.end if directive.arguments else directive.name.span.end
    return any(change.start < end and start < change.end for change in changes)


def _head(directive: Directive) -> tuple[str, tuple[str, ...]]:
    return directive.key, tuple(word.text for word in directive.arguments)
