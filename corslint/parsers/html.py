"""The scripts of HTML pages and templates to a `CodeReading`.

Only script elements are looked for; a page need not be well-formed. All inline scripts are read as one file with one
global scope, each parsed by itself, so that a broken one does not spoil the others. Offsets are those of the page.

What a template language puts into a script (`{{ x }}`, `{{{ x }}}`, `<%= x %>`, `<?= x ?>`) stands for a value that
nobody knows, also inside of a string. Its statements and comments (`{% if %}`, `{{#if}}`, `<% if %>`, `{# #}`) are
white space: both branches of an `if` are read, each behind an Unknown test. A script with placeholders that does not
parse is not reported.
"""

from __future__ import annotations

import re
from typing import TypeAlias

from corslint.model.reading import CodeReading, Damage, Scope, ScriptTag
from corslint.parsers import javascript
from corslint.records import NamedTuple
from corslint.regexes import regex
from corslint.source import SourceFile, Span

Attributes: TypeAlias = dict[str, tuple[str, Span]]
"""The attributes of a tag by name, in lower case; the first of a name counts. The span is that of the value."""

UTF_16_OR_32 = (b"\xff\xfe", b"\xfe\xff", b"\x00\x00\xfe\xff")

_START = regex(rb"<!--|<script(?=[\s/>])", re.IGNORECASE)
_END = regex(rb"</script(?=[\s/>])", re.IGNORECASE)
_ATTRIBUTE = regex(rb"""[\s/]*+([^\s/>=]+)(?:\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'>][^\s>]*)))?""")
_TAG_END = regex(rb"[\s/]*+>")
_SPACE = regex(rb"[\s/]*")

# Legacy wrappings: `<!--` begins a comment up to the line's end in scripts (ECMA-262, annex B.1.1), and `-->` does so
# at a line's start; `<![CDATA[` is XHTML's and never part of a script.
_WRAPPING = regex(rb"\A\s*<!--[^\n]*|^[ \t]*-->[^\n]*|\A\s*<!\[CDATA\[|\]\]>\s*\Z", re.MULTILINE)
_LINE_END = regex(rb"[^\r\n]")

_OPENER = regex(rb"\{\{\{|\{\{|\{%|\{#|<%|<\?")
_CLOSERS = {b"{{{": b"}}}", b"{{": b"}}", b"{%": b"%}", b"{#": b"#}", b"<%": b"%>", b"<?": b"?>"}
_LONGEST_PLACEHOLDER = 2000
_CONDITIONS = frozenset(
    {b"if", b"for", b"unless", b"ifequal", b"ifnotequal", b"ifchanged", b"switch", b"foreach", b"while"}
)

# https://mimesniff.spec.whatwg.org/#javascript-mime-type, and what compilers in the browser read.
JAVASCRIPT_TYPES = frozenset(
    {
        "", "module", "jsx", "babel", "text/babel", "text/jsx", "application/javascript", "application/ecmascript",
        "application/x-ecmascript", "application/x-javascript", "text/ecmascript", "text/javascript",
        "text/javascript1.0", "text/javascript1.1", "text/javascript1.2", "text/javascript1.3", "text/javascript1.4",
        "text/javascript1.5", "text/jscript", "text/livescript", "text/x-ecmascript", "text/x-javascript",
    }
)  # fmt: skip
TYPESCRIPT_TYPES = frozenset({"ts", "typescript", "text/typescript", "application/typescript", "text/ts"})
_JSX_TYPES = frozenset({"jsx", "babel", "text/babel", "text/jsx", "tsx"})


class _Placeholder(NamedTuple):
    """Something that a template language replaces.

    `filled`: it puts a value there; else it is a statement or comment. `opens`: how many conditions or loops of the
    template language begin with it; negative where some end.
    """

    start: int
    end: int
    filled: bool
    opens: int


class _Tag(NamedTuple):
    """A script element: its attributes (the first of a name counts), and what stands between its tags."""

    attributes: Attributes
    start: int
    end: int


def read(source: SourceFile) -> CodeReading:
    """Read a page, or a template of one. Never raises on any content."""
    data = source.data
    if data.startswith(UTF_16_OR_32):
        whole = Span(source.path, 0, len(data))
        damage = Damage(whole, "the file is UTF-16 or UTF-32; pages are read as UTF-8", True)
        scope = Scope(-1, "module", whole, {})
        return CodeReading(source.path, "javascript", (scope,), (), (), (), (), (damage,), page=True)
    page = _prepared(source)
    return javascript.read_parts(source, page.masked, page.parts, page.holes, page.conditional, page.scripts, page=True)


class _Page(NamedTuple):
    """A page made ready for the reader of JavaScript; `markup` is it with its placeholders masked."""

    markup: bytes
    masked: bytes
    parts: list[javascript.Part]
    holes: list[tuple[int, int]]
    conditional: list[tuple[int, int]]
    scripts: tuple[ScriptTag, ...]


def prepared(source: SourceFile) -> tuple[bytes, bytes, list[javascript.Part]]:
    """A page with its placeholders masked, its scripts with theirs masked, and where these stand."""
    page = _prepared(source)
    return page.markup, page.masked, page.parts


def _prepared(source: SourceFile) -> _Page:
    data = source.data
    placeholders = _placeholders(data)
    markup = _markup(data, placeholders)
    tags = _scripts(source, markup)
    parts: list[javascript.Part] = []
    scripts: list[ScriptTag] = []
    masked = bytearray(data)
    holes: list[tuple[int, int]] = []
    at = 0
    for tag in tags:
        dialect = _dialect(tag.attributes)
        if dialect is None:
            continue
        if "src" in tag.attributes:
            url, span = tag.attributes["src"]
            scripts.append(ScriptTag(url, span))
            continue
        if not data[tag.start : tag.end].strip():
            continue
        jsx = attribute(tag.attributes, "type") in _JSX_TYPES
        templated = False
        while at < len(placeholders) and placeholders[at].start < tag.end:
            start, end, filled, _ = placeholders[at]
            at += 1
            # `style={{ ... }}` is JSX, and no template language is used around it.
            if start < tag.start or end > tag.end or (jsx and data.startswith(b"{{", start)):
                continue
            templated = True
            holes.append((start, end))
            masked[start:end] = b"_" * (end - start) if filled else _white(masked, start, end)
        for found in _WRAPPING.finditer(bytes(masked[tag.start : tag.end])):
            start, end = tag.start + found.start(), tag.start + found.end()
            masked[start:end] = _LINE_END.sub(b" ", masked[start:end])
        parts.append(javascript.Part(tag.start, tag.end, dialect, templated))
    return _Page(markup, bytes(masked), parts, holes, _conditional(placeholders), tuple(scripts))


def _white(masked: bytearray, start: int, end: int) -> bytes:
    """White space for a statement of a template language: a line end, which may end a statement, unless in a string."""
    white = _LINE_END.sub(b" ", masked[start:end])
    line = masked[max(start - _LONGEST_PLACEHOLDER, masked.rfind(b"\n", 0, start) + 1, 0) : start]
    if line.count(b'"') % 2 or line.count(b"'") % 2:
        return white
    return b"\n" + white[1:]


def _conditional(placeholders: list[_Placeholder]) -> list[tuple[int, int]]:
    """The stretches that a template language may leave out or repeat."""
    found: list[tuple[int, int]] = []
    depth = begin = 0
    for start, end, _, opens in placeholders:
        if not depth and opens > 0:
            begin = end
        elif depth and depth + opens <= 0:
            found.append((begin, start))
        depth = max(depth + opens, 0)
    return found


def attribute(given: Attributes, name: str) -> str:
    """The value of an attribute in lower case, without parameters behind a semicolon; empty where there is none."""
    found = given.get(name)
    return found[0].partition(";")[0].strip().lower() if found is not None else ""


def _dialect(given: Attributes) -> str | None:
    """The dialect of a script, or None if it is data, or a language that is not read."""
    kind = attribute(given, "type")
    if not kind:
        language = attribute(given, "lang")
        if language == "tsx":
            return "tsx"
        if language in TYPESCRIPT_TYPES:
            return "typescript"
    if kind == "tsx":
        return "tsx"
    if kind in TYPESCRIPT_TYPES:
        return "typescript"
    if kind in JAVASCRIPT_TYPES:
        # The compilers in the browser take type annotations as well (`data-presets="typescript"`).
        return "tsx" if "typescript" in attribute(given, "data-presets") else "javascript"
    return None


def _placeholders(data: bytes) -> list[_Placeholder]:
    """What a template language replaces, in text order, none inside another."""
    found: list[_Placeholder] = []
    hopeless: set[bytes] = set()
    at = 0
    while True:
        opener = _OPENER.search(data, at)
        if opener is None:
            return found
        sign = opener.group()
        at = opener.start()
        if sign in (b"{{{", b"{{"):
            end = _braces(data, at, sign)
            if end < 0 and sign == b"{{{":
                sign = b"{{"  # an object with a placeholder in it: `{{{ x }}: 1}`, or `f({{{ x }} })`
                at += 1
                end = _braces(data, at, sign)
        elif sign in hopeless:
            end = -1
        else:
            end = data.find(_CLOSERS[sign], at + 2)
            if end < 0:
                hopeless.add(sign)
            else:
                end += 2
        if end < 0:
            at += 1
            continue
        found.append(_Placeholder(at, end, _is_filled(data, at, sign), _opens(data[at:end], sign)))
        at = end


def _braces(data: bytes, start: int, sign: bytes) -> int:
    """Where `{{ ... }}` ends, or -1 if it is code: two braces around statements, or an object in a block."""
    at = start + len(sign)
    limit = min(len(data), at + _LONGEST_PLACEHOLDER)
    closer = _CLOSERS[sign]
    comment = data[at : at + 1] == b"!"
    while at < limit:
        byte = data[at]
        if data.startswith(closer, at):
            return at + len(closer)
        if not comment and byte in b"\"'":
            end = data.find(data[at : at + 1], at + 1, limit)
            if end < 0:
                return -1
            at = end
        elif not comment and (byte == 59 or data.startswith(b"{{", at)):  # a semicolon ends a statement
            return -1
        at += 1
    return -1


def _is_filled(data: bytes, start: int, sign: bytes) -> bool:
    if sign in (b"{{", b"{{{"):
        inner = data[start + len(sign) : start + len(sign) + 8].lstrip(b"~ -")
        return not inner.startswith((b"#", b"/", b"!", b"else", b"^"))
    if sign == b"<%":
        return data[start + 2 : start + 3] in (b"=", b"-", b":", b"@")
    if sign == b"<?":
        code = data[start + 2 : start + 16].split(None, 2)
        return data[start + 2 : start + 3] == b"=" or code[1:2] in ([b"echo"], [b"print"])
    return False


def _opens(text: bytes, sign: bytes) -> int:
    inner = text[len(sign) : -len(sign)].strip(b"-~ \t\r\n")
    if sign == b"{%":
        word = inner.split(None, 1)[0] if inner else b""
        return 1 if word in _CONDITIONS else -1 if word.removeprefix(b"end") in _CONDITIONS else 0
    if sign == b"{{":
        return 1 if inner.startswith(b"#") or (inner.startswith(b"^") and len(inner) > 1) else -inner.startswith(b"/")
    if sign in (b"<%", b"<?"):
        braces = inner.count(b"{") - inner.count(b"}")
        words = inner.removeprefix(b"php").split()
        if braces or not words:
            return braces
        if words[0].rstrip(b";") in (b"end", b"endif", b"endforeach", b"endfor", b"endwhile"):
            return -1
        return 1 if words[-1] == b"do" or (words[0] in _CONDITIONS and not inner.endswith(b"}")) else 0
    return 0


def _markup(data: bytes, placeholders: list[_Placeholder]) -> bytes:
    """The page with its placeholders masked, so that their quotes and brackets don't count as the page's own."""
    if not placeholders:
        return data
    pieces: list[bytes] = []
    at = 0
    for start, end, _, _ in placeholders:
        pieces += (data[at:start], b"_" * (end - start))
        at = end
    pieces.append(data[at:])
    return b"".join(pieces)


def _scripts(source: SourceFile, markup: bytes) -> list[_Tag]:
    """The script elements outside of comments, in text order."""
    found: list[_Tag] = []
    at = 0
    while True:
        start = _START.search(markup, at)
        if start is None:
            return found
        if start.group() == b"<!--":
            end = markup.find(b"-->", start.end() - 2)  # `<!-->` is a comment of its own
            if end < 0:
                return found
            at = end + 3
            continue
        given, begin = attributes(source, markup, start.end())
        if begin < 0:
            return found
        if "src" in given and markup[begin - 2 : begin - 1] == b"/":
            found.append(_Tag(given, begin, begin))  # XHTML closes it so
            at = begin
            continue
        end_tag = _END.search(markup, begin)
        end = end_tag.start() if end_tag is not None else len(markup)
        found.append(_Tag(given, begin, end))
        if end_tag is None:
            return found
        at = end_tag.end()


def attributes(source: SourceFile, markup: bytes, at: int) -> tuple[Attributes, int]:
    """The attributes of a start tag, and where it ends (-1: it does not)."""
    found: Attributes = {}
    while True:
        end = _TAG_END.match(markup, at)
        if end is not None:
            return found, end.end()
        attribute = _ATTRIBUTE.match(markup, at)
        if attribute is None or attribute.end() == at:
            at = _skipped(markup, at)
            if at >= len(markup):
                return found, -1
            continue
        at = attribute.end()
        name = attribute[1].decode("utf-8", "replace").lower()
        group = next((each for each in (2, 3, 4) if attribute[each] is not None), 1)
        span = Span(source.path, *attribute.span(group))
        if name not in found:
            found[name] = (source.text(span).strip() if group != 1 else "", span)


def _skipped(markup: bytes, at: int) -> int:
    """Behind white space, slashes and one stray character in a tag."""
    space = _SPACE.match(markup, at)
    return (space.end() if space is not None else at) + 1
