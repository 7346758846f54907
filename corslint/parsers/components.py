"""The scripts of Vue and Svelte components to a `CodeReading`.

A component is a module and no page. All of its scripts (`<script>` and `<script setup>`, `<script module>`) are read as
one file with one scope, each parsed by itself; offsets are those of the component. Which elements are its scripts is
found as the components' own compilers find it, and compared with what they say (`fixtures/components.json`): parsers of
HTML know neither that the blocks of a Vue component, other than its template, are plain text, nor where the code in
`{{ ... }}` or `{...}` of a template ends.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

from corslint.model.reading import CodeReading, Damage, Scope, ScriptTag
from corslint.parsers import javascript
from corslint.parsers.html import JAVASCRIPT_TYPES, TYPESCRIPT_TYPES, UTF_16_OR_32, Attributes, attribute, attributes
from corslint.records import NamedTuple
from corslint.regexes import regex
from corslint.source import SourceFile, Span

_MOST_OPEN = 3
"""So many braces that are never closed, and no further ones of a component are taken for code."""

_ROOT = regex(rb"<!--|<[!?/]|<(?=[A-Za-z])")
_MARKUP = regex(rb"<!--|<[!?/]|<(?=[A-Za-z])|\{\{")
_SVELTE = regex(rb"<!--|<[!?/]|<(?=[A-Za-z])|\{")
_NAME = regex(rb"[^\s/>]{0,200}")
# A quote begins a value only behind `=`.
_TAG_REST = regex(rb"""(?:[^>=]|=\s*+(?:"[^"]*+"|'[^']*+')?+)*+>""")
_IN_TAG = regex(rb"""[>{]|=\s*+["']""")
_IN_VALUE = {b'"': re.compile(rb'["{]'), b"'": re.compile(rb"['{]")}

_CODE = regex(rb"""[{}`]|'(?:[^'\\\n]|\\.)*+'|"(?:[^"\\\n]|\\.)*+"|//[^\n]*|/\*|/""", re.DOTALL)
_TEMPLATE = regex(rb"\\.|`|\$\{", re.DOTALL)
_PATTERN = regex(rb"/(?:[^/\\\[\n]|\\.|\[(?:[^\]\\\n]|\\.){0,200}+\]){1,200}+/")
_BEFORE_PATTERN = b"(,=:[!&|?{};+-*%<>~^"

_TEXT_ELEMENTS = frozenset({b"script", b"style", b"textarea", b"title"})
_VOID_ELEMENTS = frozenset(
    {
        b"area", b"base", b"br", b"col", b"command", b"embed", b"hr", b"img", b"input", b"keygen", b"link", b"meta",
        b"param", b"source", b"track", b"wbr",
    }
)  # fmt: skip

_DIALECTS = {
    **dict.fromkeys(("", "js", "jsx", "javascript", "babel"), "javascript"),
    **dict.fromkeys(TYPESCRIPT_TYPES, "typescript"),
    "tsx": "tsx",
}


class Script(NamedTuple):
    """A script of a component: what stands between its tags. `dialect` is None for a language that is not read."""

    attributes: Attributes
    start: int
    end: int
    dialect: str | None


def read(source: SourceFile) -> CodeReading:
    """Read a component. Never raises on any content."""
    data = source.data
    if data.startswith(UTF_16_OR_32):
        whole = Span(source.path, 0, len(data))
        damage = Damage(whole, "the file is UTF-16 or UTF-32; components are read as UTF-8", True)
        return CodeReading(
            source.path, "javascript", (Scope(-1, "module", whole, {}),), (), (), (), (), (damage,)
        )  # fmt: skip
    tags = tuple(
        ScriptTag(*script.attributes["src"])
        for script in scripts(source)
        if script.dialect is not None and "src" in script.attributes
    )
    return javascript.read_parts(source, data, parts(source), scripts=tags)


def parts(source: SourceFile) -> list[javascript.Part]:
    """The scripts that stand in the component itself, in text order."""
    return [
        javascript.Part(script.start, script.end, script.dialect)
        for script in scripts(source)
        if script.dialect is not None
        and "src" not in script.attributes
        and source.data[script.start : script.end].strip()
    ]


def scripts(source: SourceFile) -> Iterator[Script]:
    """The scripts of a component in text order, also such as lie elsewhere (`src`).

    In a Svelte component those are among them that its markup loads; what stands in that markup itself is not.
    """
    if b"<script" not in source.data:
        return
    if source.path.lower().endswith(".svelte"):
        yield from _Svelte(source).scripts()
    else:
        yield from _vue_scripts(source)


def _script(found: Attributes, start: int, end: int) -> Script:
    kind = attribute(found, "type")
    language = attribute(found, "lang") or ("ts" if kind in TYPESCRIPT_TYPES else "")
    read_as = _DIALECTS.get(language)
    if kind not in JAVASCRIPT_TYPES and kind not in TYPESCRIPT_TYPES:
        read_as = None  # data, such as `application/ld+json`
    return Script(found, start, end, read_as)


def _behind(data: bytes, mark: bytes, at: int) -> int:
    end = data.find(mark, at)
    return len(data) if end < 0 else end + len(mark)


def _aside(data: bytes, opening: re.Match[bytes]) -> int:
    """Where a comment, a declaration or an end tag is over."""
    if opening.group() == b"<!--":
        return _behind(data, b"-->", opening.end() - 2)  # `<!-->` is a comment of its own
    return _behind(data, b">", opening.end())


def _is_closed(data: bytes, end: int) -> bool:
    """Whether a tag that ends here closes itself."""
    return data[end - 2 : end - 1] == b"/"


# Vue


def _vue_scripts(source: SourceFile) -> Iterator[Script]:
    """The first `<script>` and the first `<script setup>` among the blocks of a component."""
    data = source.data
    seen: set[bool] = set()
    at = 0
    while opening := _ROOT.search(data, at):
        if opening.group() != b"<":
            at = _aside(data, opening)
            continue
        name = _name(data, opening.end())
        found, start = attributes(source, data, opening.end() + len(name))
        if start < 0:
            return
        end = at = start
        if not _is_closed(data, start):
            if name == b"template" and attribute(found, "lang") in ("", "html"):
                at = _behind_template(data, start)
            else:
                end, at = _text_of(data, name, start)
        if name == b"script" and ("setup" in found) not in seen:
            seen.add("setup" in found)
            yield _script(found, start, end)


def _name(data: bytes, at: int) -> bytes:
    found = _NAME.match(data, at)
    return found.group() if found is not None else b""


def _text_of(data: bytes, name: bytes, start: int) -> tuple[int, int]:
    """Where the text of an element ends that holds nothing else, and where its end tag does."""
    # Vue looks for the lower-case name only; a block `<Docs>` goes on to the end of the file.
    closing = re.compile(rb"</" + re.escape(name) + rb"(?=[\s/>])", re.IGNORECASE if name.islower() else 0)
    found = closing.search(data, start) if name == name.lower() else None
    if found is None:
        return len(data), len(data)
    return found.start(), _behind(data, b">", found.end())


def _behind_template(data: bytes, at: int) -> int:
    """Where the template that begins here is over: templates nest, and in `{{ ... }}` nothing is a tag."""
    depth = 1
    last = data.rfind(b"}}")
    while opening := _MARKUP.search(data, at):
        sign = opening.group()
        name = _name(data, opening.end())
        if sign == b"{{":
            at = opening.end() if opening.end() > last else _behind(data, b"}}", opening.end())
        elif sign != b"<":
            at = _aside(data, opening)
            if sign == b"</" and name == b"template":
                depth -= 1
                if not depth:
                    return at
        else:
            rest = _TAG_REST.match(data, opening.end() + len(name))
            if rest is None:
                break
            at = rest.end()
            if _is_closed(data, at):
                continue
            if name in _TEXT_ELEMENTS:
                at = _text_of(data, name, at)[1]
            elif name == b"template":
                depth += 1
    return len(data)


# Svelte


class _Svelte:
    """One walk over the markup of a component."""

    def __init__(self, source: SourceFile) -> None:
        self.source = source
        self.data = source.data
        self.open: list[bytes] = []
        self.count: Counter[bytes] = Counter()
        self.hopeless = 0

    def scripts(self) -> Iterator[Script]:
        data = self.data
        at = 0
        while opening := _SVELTE.search(data, at):
            sign = opening.group()
            name = _name(data, opening.end())
            if sign == b"{":
                if name.startswith(b"#"):  # `{#if}` ... `{/if}` stands around what is in it
                    self.begin(b"{")
                end = self.behind_code(opening.end())
                if data.startswith(b"/", opening.end()) and not data.startswith((b"//", b"/*"), opening.end()):
                    self.close(b"{")
                    end = _behind(data, b"}", opening.end())
                at = opening.end() if end < 0 else end
            elif sign != b"<":
                at = _aside(data, opening)
                if sign == b"</":
                    self.close(name)
            elif name == b"script":
                found, start = attributes(self.source, data, opening.end() + len(name))
                if start < 0:
                    return
                end, at = (start, start) if _is_closed(data, start) else _text_of(data, name, start)
                if not self.open or "src" in found:
                    yield _script(found, start, end)
            else:
                at = self.behind_tag(opening.end() + len(name))
                if _is_closed(data, at) or name in _VOID_ELEMENTS:
                    continue
                if name in _TEXT_ELEMENTS - {b"title"}:
                    at = _text_of(data, name, at)[1]
                else:
                    self.begin(name)

    def begin(self, name: bytes) -> None:
        self.open.append(name)
        self.count[name] += 1

    def close(self, name: bytes) -> None:
        """What stands open in an element that ends was closed without a word; an end of nothing changes nothing."""
        while self.count[name]:
            inner = self.open.pop()
            self.count[inner] -= 1
            if inner == name:
                return

    def behind_tag(self, at: int) -> int:
        """Where a start tag is over: in its values and beside them code may stand in braces."""
        data = self.data
        while found := _IN_TAG.search(data, at):
            at = found.end()
            sign = found.group()
            if sign == b">":
                return at
            if sign == b"{":
                at = max(at, self.behind_code(at))
                continue
            quote = sign[-1:]
            while inner := _IN_VALUE[quote].search(data, at):
                at = inner.end()
                if inner.group() == quote:
                    break
                at = max(at, self.behind_code(at))
        return len(data)

    def behind_code(self, at: int) -> int:
        """Where the code is over that begins behind a brace; -1 where it never is."""
        if self.hopeless >= _MOST_OPEN:
            return -1
        end = _behind_code(self.data, at)
        self.hopeless += end < 0
        return end


def _behind_code(data: bytes, at: int) -> int:
    nested = [b"{"]
    while found := (_TEMPLATE if nested[-1] == b"`" else _CODE).search(data, at):
        sign = found.group()
        at = found.end()
        if nested[-1] == b"`":
            if sign == b"`":
                nested.pop()
            elif sign == b"${":
                nested.append(b"{")
        elif sign in (b"{", b"`"):
            nested.append(sign)
        elif sign == b"}":
            nested.pop()
            if not nested:
                return at
        elif sign == b"/*":
            at = _behind(data, b"*/", at)
        elif sign == b"/":
            before = data[max(0, at - 100) : at - 1].rstrip()[-1:]
            pattern = _PATTERN.match(data, at - 1) if before in _BEFORE_PATTERN else None
            at = pattern.end() if pattern is not None else at
    return -1
