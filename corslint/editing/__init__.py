"""Text edits for one file: what an edit order is, and the list surgery that every syntax shares.

One module per syntax (`javascript`, `python`, `nginx`) turns an `Order` into byte edits. Nothing is ever re-printed:
an edit touches only the bytes that change, so line endings, a byte order mark, indentation and quotes stay as they are.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TypeAlias, Union

from corslint.records import NamedTuple
from corslint.regexes import regex
from corslint.source import Span

Data: TypeAlias = Union[str, int, float, bool, Sequence["Data"], Mapping[str, "Data"], None]
"""A value as a rule's YAML gives it."""


class Code(NamedTuple):
    """Source text, to be put in as it is."""

    text: str


class Order(NamedTuple):
    """One edit that a rule asks for, on one place.

    `new` is the new value (`replace`, `set_option`); `name` the new key (`rename_key`) or the directives to insert
    (`insert_directive`); `key` the path of the option to set; `argument` the position of the call argument that holds
    the options; `was` is the text the rule found at the place, where it is text; `other` is the place that a statement
    is moved behind, None where an item becomes the first of its list (`move`).
    """

    verb: str
    span: Span
    new: Data | Code = None
    name: str = ""
    key: tuple[str, ...] = ()
    argument: int | None = None
    was: str | None = None
    other: Span | None = None


class Change(NamedTuple):
    """Replace the bytes from `start` to `end` (exclusive) with `text`."""

    start: int
    end: int
    text: bytes


class Items(NamedTuple):
    """A bracketed, comma-separated list: the offsets just inside its brackets, and its items in text order."""

    open: int
    close: int
    spans: tuple[tuple[int, int], ...]


class _Token(NamedTuple):
    kind: str
    start: int
    end: int


C_GAP = regex(
    rb"(?P<comma>,)|(?P<newline>\r\n|\n|\r)|(?P<line>//[^\r\n]*)|(?P<block>/\*.*?\*/)"
    rb"|(?P<space>(?:[ \t\f\v]|\xc2\xa0)+)",
    re.DOTALL,
)
"""What may stand between two items in JavaScript."""

HASH_GAP = regex(rb"(?P<comma>,)|(?P<newline>\r\n|\n|\r)|(?P<line>#[^\r\n]*)|(?P<space>[ \t\f]+)")
"""What may stand between two items in Python, inside brackets."""

_COMMENTS = ("line", "block")


def apply_changes(data: bytes, changes: Sequence[Change]) -> bytes:
    """The bytes with all changes made; the changes must not overlap."""
    pieces = []
    at = 0
    for change in sorted(changes):
        pieces += [data[at : change.start], change.text]
        at = change.end
    pieces.append(data[at:])
    return b"".join(pieces)


def newline(data: bytes, at: int) -> bytes:
    """The line ending in use at `at`: that of its own line, of the line before, or of the file's first line."""
    for ending in (data.find(b"\n", at), data.rfind(b"\n", 0, at), data.find(b"\n")):
        if ending != -1:
            return b"\r\n" if data[ending - 1 : ending] == b"\r" else b"\n"
    return b"\n"


def line_start(data: bytes, at: int) -> int:
    """Where the line of `at` starts (behind a byte order mark)."""
    start = data.rfind(b"\n", 0, at) + 1
    return start + 3 if start == 0 and data.startswith(b"\xef\xbb\xbf") and at >= 3 else start


def line_end(data: bytes, at: int) -> int:
    """Where the line of `at` ends, without its line ending."""
    end = data.find(b"\n", at)
    if end == -1:
        return len(data)
    return end - 1 if end > at and data[end - 1 : end] == b"\r" else end


def next_line(data: bytes, at: int) -> int:
    """Where the line after that of `at` starts."""
    end = data.find(b"\n", at)
    return len(data) if end == -1 else end + 1


def indentation(data: bytes, at: int) -> bytes:
    """The white space that the line of `at` starts with."""
    start = line_start(data, at)
    end = start
    while end < len(data) and data[end : end + 1] in (b" ", b"\t"):
        end += 1
    return data[start:end]


_INDENTED = regex(rb"\n(\t+|  +)(?=[^\s*])")


def indent_unit(data: bytes, default: bytes) -> bytes:
    """One step of indentation as this file has it: a tab, or its narrowest run of spaces."""
    found = {match.group(1) for match in _INDENTED.finditer(data, 0, 100_000)}
    if not found:
        return default
    narrowest = min(found, key=len)
    return b"\t" if narrowest.startswith(b"\t") else narrowest


def quote_style(data: bytes, start: int, end: int, default: str) -> str:
    """The quote that strings between `start` and `end` mostly have, else those of the whole file, else `default`."""
    for part in (data[start:end], data):
        single = len(re.findall(rb"'[^'\"`\r\n]*'", part))
        double = len(re.findall(rb"\"[^'\"`\r\n]*\"", part))
        if single != double:
            return "'" if single > double else '"'
    return default


def _tokens(data: bytes, start: int, end: int, gap: re.Pattern[bytes]) -> list[_Token] | None:
    tokens = []
    while start < end:
        match = gap.match(data, start, end)
        if match is None or match.lastgroup is None:
            return None
        tokens.append(_Token(match.lastgroup, start, match.end()))
        start = match.end()
    return tokens


def remove_item(
    data: bytes, items: Items, index: int, gap: re.Pattern[bytes], *, keep_comma: bool = False
) -> list[Change] | None:
    """Take an item out of a list with its comma, and with its whole line and that line's comment where it stands alone.

    `keep_comma` leaves the comma before the last item (a Python tuple of one needs it). None where the text between
    the items is not what was expected.
    """
    start, end = items.spans[index]
    first, last = index == 0, index == len(items.spans) - 1
    before = _tokens(data, items.open if first else items.spans[index - 1][1], start, gap)
    behind = _tokens(data, end, items.close if last else items.spans[index + 1][0], gap)
    if before is None or behind is None:
        return None
    commas_before = [token for token in before if token.kind == "comma"]
    commas = [token for token in behind if token.kind == "comma"]
    if len(commas_before) != (0 if first else 1) or len(commas) > 1 or (not last and not commas):
        return None
    if first and last and not any(token.kind in _COMMENTS for token in before + behind):
        return [Change(items.open, items.close, b"")]
    core_end = commas[0].end if commas else end
    changes = []
    if last and not first and not commas and not keep_comma:
        at = before.index(commas_before[0])
        blank = at > 0 and before[at - 1].kind == "space" and at + 1 < len(before) and before[at + 1].kind == "newline"
        changes.append(Change(before[at - 1 if blank else at].start, before[at].end, b""))

    own_line: list[_Token] = []  # what stands before the item on its line
    starts_line = False
    for token in reversed(before):
        if token.kind == "newline":
            starts_line = True
            break
        own_line.insert(0, token)
    starts_line = starts_line and all(token.kind in ("space", "block") for token in own_line)
    rest = [token for token in behind if token.start >= core_end]
    after_line = next((token for token in rest if token.kind == "newline"), None)
    beside = [token for token in rest if after_line is None or token.start < after_line.start]
    ends_line = after_line is not None and all(b"\n" not in data[token.start : token.end] for token in beside)
    if starts_line and ends_line and after_line is not None:
        line = own_line[0].start if own_line else start
        changes.append(Change(line, after_line.end, b""))
        return _merged(changes)

    trailing_space = core_end
    while trailing_space < len(data) and data[trailing_space : trailing_space + 1] in (b" ", b"\t"):
        trailing_space += 1
    solid = [token for token in before if token.kind not in ("space", "newline")]
    lead = solid[-1].end if solid else (items.open if first else items.spans[index - 1][1])
    if first and not starts_line and after_line is not None and trailing_space == after_line.start:
        changes.append(Change(lead, trailing_space, b""))
    elif first or (starts_line and not last) or (solid and solid[-1].kind == "line"):
        changes.append(Change(start, trailing_space, b""))
    else:
        changes.append(Change(lead, core_end, b""))
    return _merged(changes)


def _merged(changes: list[Change]) -> list[Change]:
    """The same deletions, with those that touch put together."""
    merged: list[Change] = []
    for change in sorted(changes):
        if merged and merged[-1].end >= change.start:
            merged[-1] = Change(merged[-1].start, max(merged[-1].end, change.end), merged[-1].text + change.text)
        else:
            merged.append(change)
    return merged


def append_item(
    data: bytes, items: Items, text: bytes, gap: re.Pattern[bytes], *, padding: bytes, unit: bytes
) -> list[Change] | None:
    """Put an item at the end of a list, laid out like the last one.

    `padding` goes inside the brackets of a list that was empty; `unit` is one step of indentation.
    """
    if not items.spans:
        tokens = _tokens(data, items.open, items.close, gap)
        if tokens is None or any(token.kind == "comma" for token in tokens):
            return None
        outer = indentation(data, items.open)
        ending = newline(data, items.open)
        comments = [token for token in tokens if token.kind in _COMMENTS]
        if comments:
            at = comments[-1].end
            if any(token.kind == "newline" for token in tokens):
                lead = ending + (
                    indentation(data, comments[-1].start) if _begins_line(data, comments[-1].start) else outer + unit
                )
                return [Change(at, at, lead + text)]
            return [Change(at, at, b" " + text)]
        if any(token.kind == "newline" for token in tokens):
            return [Change(items.open, items.close, ending + outer + unit + text + ending + outer)]
        return [Change(items.open, items.close, padding + text + padding)]
    start, end = items.spans[-1]
    before = _tokens(data, items.open if len(items.spans) == 1 else items.spans[-2][1], start, gap)
    tail = _tokens(data, end, items.close, gap)
    if before is None or tail is None:
        return None
    commas = [token for token in tail if token.kind == "comma"]
    if len(commas) > 1:
        return None
    on_line = []
    own_line = False
    for token in reversed(before):
        if token.kind == "newline":
            own_line = True
            break
        on_line.append(token)
    if own_line and any(token.kind == "comma" for token in on_line) and not commas:
        # Commas that lead their lines: keep that style.
        return [Change(end, end, newline(data, end) + indentation(data, start) + b", " + text)]
    if not own_line:
        at = commas[0].end if commas else end
        return [Change(at, at, b" " + text + b"," if commas else b", " + text)]
    solid = [token for token in tail if token.kind not in ("space", "newline")]
    at = solid[-1].end if solid else end
    line = newline(data, at) + indentation(data, start) + text
    if commas:
        return [Change(at, at, line + b",")]
    return [Change(end, end, b"," + line)] if at == end else [Change(end, end, b","), Change(at, at, line)]


def _begins_line(data: bytes, at: int) -> bool:
    return not data[line_start(data, at) : at].strip()


def remove_lines(data: bytes, start: int, end: int, comment: bytes) -> Change:
    """Delete a statement or directive: its lines and the comment behind it where it stands alone, else only its text.

    `comment` is what starts a comment that runs to the end of the line. Beside others on the line, one of the runs of
    white space around the text goes too.
    """
    begin, finish = line_start(data, start), line_end(data, end)
    rest = data[end:finish].strip()
    if not data[begin:start].strip() and (not rest or rest.startswith(comment)):
        return Change(begin, next_line(data, end), b"")
    stop = end
    while stop < finish and data[stop : stop + 1] in (b" ", b"\t"):
        stop += 1
    if stop == finish or rest.startswith(comment):
        while start > begin and data[start - 1 : start] in (b" ", b"\t"):
            start -= 1
        stop = end
    return Change(start, stop, b"")


def move_lines(data: bytes, start: int, end: int, behind: int) -> list[Change] | None:
    """Put whole lines, those of `start` to `end`, behind the line of `behind`; None where others share these lines."""
    begin, finish = line_start(data, start), next_line(data, end)
    if data[begin:start].strip() or not _rest_is_blank(data, end) or not _rest_is_blank(data, behind):
        return None
    at = next_line(data, behind)
    text = data[begin:finish]
    if at == len(data) and not data.endswith(b"\n"):
        ending = newline(data, behind)
        return [Change(begin, finish, b""), Change(at, at, ending + text.rstrip(b"\r\n"))]
    if not text.endswith(b"\n"):  # it was the file's last line, which had no ending and is to have none
        ending = newline(data, behind)
        return [Change(at, at, text + ending), Change(begin - len(ending), finish, b"")]
    return [Change(begin, finish, b""), Change(at, at, text)]


def _rest_is_blank(data: bytes, at: int) -> bool:
    rest = data[at : line_end(data, at)].strip().removeprefix(b";").strip()
    return not rest or rest.startswith((b"//", b"#"))


def piece_of(text: str, was: str | None) -> tuple[int, int] | None:
    """Which part of a literal's text the rule meant, as (start, end) in characters; None when that isn't clear.

    A string may hold several values (`"https://a.example,https://b.example"`): then only the one that the rule found is
    replaced.
    """
    if was is None or text == was or text.casefold() == was.casefold() or not re.search(r"[\s,;|]", text):
        return 0, len(text)
    if not was:
        return None
    found = list(re.finditer(rf"(?:^|(?<=[\s,;|])){re.escape(was)}(?=$|[\s,;|])", text))
    return found[0].span() if len(found) == 1 else None
