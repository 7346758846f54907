"""Source for web pages: excerpts with the exact characters marked, and fixes as differences.

Everything is bounded: a line has `LONGEST_LINE` characters at most, an excerpt and a difference so many lines.
"""

from __future__ import annotations

import difflib
import itertools
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence

from corslint.model.finding import Edit, Finding
from corslint.records import NamedTuple
from corslint.report import shown_path
from corslint.report._markup import Markup, element, escaped, joined
from corslint.source import SourceFile, Span

LONGEST_LINE = 240
_TAB = 4
_AROUND = 1
"""Lines that are shown before and after a marked one."""
_MARKED_LINES = 8
"""Lines of one place that are shown; of a longer one its beginning and its end."""
_MOST_FILES = 8
_DIFFERENCE = 60
"""Lines of one difference."""

Sources = Callable[[str], SourceFile]


class _Mark(NamedTuple):
    """A piece of a line: byte offsets, what stands below it, and whether it is the finding's own place."""

    start: int
    end: int
    label: str
    primary: bool


def excerpt(finding: Finding, sources: Sources) -> Markup:
    """The source of all places of a finding, file by file."""
    by_path: dict[str, list[tuple[Span, str, bool]]] = {finding.primary.path: [(finding.primary, "", True)]}
    for place in finding.related:
        by_path.setdefault(place.span.path, []).append((place.span, place.message, False))
    shown = [_file(sources(path), places) for path, places in list(by_path.items())[:_MOST_FILES]]
    left = len(by_path) - len(shown)
    more = element("p", f"… and {left} more files", class_="cut") if left > 0 else None
    return joined([*shown, more])


def way(places: Sequence[tuple[Span, str]], sources: Sources) -> Markup:
    """The source of places that something passes, file by file, with what happens at each below its line."""
    by_path: dict[str, list[tuple[Span, str, bool]]] = {}
    for span, label in places:
        by_path.setdefault(span.path, []).append((span, label, False))
    return joined(_file(sources(path), some) for path, some in list(by_path.items())[:_MOST_FILES])


def place(source: SourceFile, span: Span) -> str:
    """`path:line:column`."""
    line, column = source.position(span.start)
    return f"{shown_path(source.path)}:{line}:{column}"


def _file(source: SourceFile, places: Sequence[tuple[Span, str, bool]]) -> Markup:
    head = element("figcaption", element("code", place(source, places[0][0])))
    if not source.data:
        labels = [element("p", label, class_="why") for _, label, _ in places if label]
        return element("figure", head, labels, class_="src")
    marks = _by_line(source, places)
    rows: list[Markup] = []
    last = 0
    for number in sorted(_with_context(marks, source)):
        if last and number > last + 1:
            rows.append(element("div", "⋯", class_="gap", aria_hidden="true"))
        rows.extend(_rows(source, number, marks.get(number, [])))
        last = number
    return element("figure", head, element("div", rows, class_="code"), class_="src")


def _with_context(marks: Collection[int], source: SourceFile) -> set[int]:
    near = {number + step for number in marks for step in range(-_AROUND, _AROUND + 1)}
    return {
        number for number in near if number in marks or (1 <= number <= source.line_count and _says(source, number))
    }


def _says(source: SourceFile, number: int) -> bool:
    """Whether a line holds more than space."""
    span = source.line_span(number)
    return not source.data[span.start : min(span.end, span.start + LONGEST_LINE)].isspace() and span.end > span.start


def _by_line(source: SourceFile, places: Sequence[tuple[Span, str, bool]]) -> dict[int, list[_Mark]]:
    lines: dict[int, list[_Mark]] = {}
    for span, label, primary in places:
        start = min(span.start, len(source.data))
        end = max(start, min(span.end, len(source.data)))
        while end > start and source.data[end - 1 : end].isspace():
            end -= 1
        first, last = source.position(start).line, source.position(end).line
        numbers = list(range(first, last + 1)) if last - first < 1000 else [first, last]
        if len(numbers) > _MARKED_LINES:
            numbers = [*numbers[: _MARKED_LINES - 2], *numbers[-2:]]
        for number in numbers:
            line = source.line_span(number)
            low, high = max(start, line.start), min(end, line.end)
            while number != first and low < high and source.data[low : low + 1].isspace():
                low += 1
            lines.setdefault(number, []).append(_Mark(low, high, label if number == last else "", primary))
    return lines


def _rows(source: SourceFile, number: int, marks: Sequence[_Mark]) -> Iterator[Markup]:
    """A line, and below it what its marks mean."""
    line = source.line_span(number)
    low, high = _window(source, line, marks)
    code: list[Markup] = [escaped("…")] if low > line.start else []
    column = 0
    for start, end, mark in _pieces(low, high, marks):
        text, column = _flat(_decoded(source.data[start:end]), column)
        if mark is None:
            code.append(escaped(text))
        else:
            code.append(element("mark", text or " ", class_="own" if mark.primary else "other"))
    if high < line.end:
        code.append(escaped("…"))
    kind = "l hit" if any(mark.primary for mark in marks) else "l"
    yield element("div", element("span", str(number), class_="n"), element("code", code), class_=kind)
    for label in dict.fromkeys(mark.label for mark in marks if mark.label):
        yield element("div", element("span", class_="n"), element("span", label, class_="why"), class_="l")


def _window(source: SourceFile, line: Span, marks: Sequence[_Mark]) -> tuple[int, int]:
    """The bytes of a line that are shown: all, or what is around its first mark."""
    if line.end - line.start <= LONGEST_LINE:
        return line.start, line.end
    first = min((mark.start for mark in marks), default=line.start)
    low = max(line.start, first - LONGEST_LINE // 4)
    high = min(line.end, low + LONGEST_LINE)
    while low > line.start and source.data[low] & 0xC0 == 0x80:
        low -= 1
    while high < line.end and source.data[high] & 0xC0 == 0x80:
        high += 1
    return low, high


def _pieces(low: int, high: int, marks: Sequence[_Mark]) -> Iterator[tuple[int, int, _Mark | None]]:
    """A line cut where marks begin and end; the finding's own lies over the others, a shorter over a longer."""
    cuts = {low, high} | {min(max(at, low), high) for mark in marks for at in (mark.start, mark.end)}
    ordered = sorted(marks, key=lambda mark: (not mark.primary, mark.end - mark.start))
    edges = sorted(cuts)
    for start, end in itertools.pairwise(edges):
        yield start, end, next((mark for mark in ordered if mark.start <= start and end <= mark.end), None)
    for mark in marks:
        if mark.start == mark.end and mark.start >= high:  # a place behind the last character
            yield high, high, mark
            break


def _flat(text: str, column: int) -> tuple[str, int]:
    """Text without tabs, which have a width of their own."""
    out = []
    for character in text:
        size = _TAB - column % _TAB if character == "\t" else 1
        out.append(" " * size if character == "\t" else character)
        column += size
    return "".join(out), column


# --- fixes -----------------------------------------------------------------------------------------------------------


def difference(edits: Iterable[Edit], sources: Sources) -> Markup:
    """What a fix changes, file by file."""
    by_path: dict[str, list[Edit]] = {}
    for edit in edits:
        by_path.setdefault(edit.span.path, []).append(edit)
    return joined(_changed(sources(path), sorted(by_path[path])) for path in sorted(by_path))


def _changed(source: SourceFile, edits: Sequence[Edit]) -> Markup:
    rows: list[Markup] = []
    for group in _near(source, edits):
        rows += [*([element("div", "⋯", class_="gap", aria_hidden="true")] if rows else []), *_hunk(source, group)]
    if len(rows) > _DIFFERENCE:
        rows = [*rows[:_DIFFERENCE], element("div", f"… {len(rows) - _DIFFERENCE} more lines", class_="gap")]
    head = element("figcaption", element("code", shown_path(source.path)))
    return element("figure", head, element("div", rows, class_="code diff"), class_="src")


def _near(source: SourceFile, edits: Sequence[Edit]) -> Iterator[list[Edit]]:
    """Edits in groups that are few lines apart."""
    group: list[Edit] = []
    for edit in edits:
        last = source.position(group[-1].span.end).line if group else 0
        if group and source.position(edit.span.start).line > last + 2 * _AROUND + 1:
            yield group
            group = []
        group.append(edit)
    if group:
        yield group


def _hunk(source: SourceFile, edits: Sequence[Edit]) -> Iterator[Markup]:
    first = max(1, source.position(edits[0].span.start).line - _AROUND)
    last = min(source.line_count, source.position(edits[-1].span.end).line + _AROUND)
    start, end = source.line_span(first).start, source.line_span(last).end
    new, at = "", start
    for edit in edits:
        new += _decoded(source.data[at : edit.span.start]) + edit.text
        at = max(at, edit.span.end)
    new += _decoded(source.data[at:end])
    before, after = _decoded(source.data[start:end]).split("\n"), new.split("\n")
    for tag, low, high, new_low, new_high in difflib.SequenceMatcher(None, before, after, False).get_opcodes():
        if tag == "equal":
            for step, line in enumerate(before[low:high]):
                yield _diff_row("same", str(first + low + step), " ", line)
            continue
        for step, line in enumerate(before[low:high]):
            yield _diff_row("gone", str(first + low + step), "−", line)
        for line in after[new_low:new_high]:
            yield _diff_row("new", "", "+", line)


def _decoded(data: bytes) -> str:
    return data.decode("utf-8", "surrogateescape")


def _diff_row(kind: str, number: str, sign: str, line: str) -> Markup:
    text, _ = _flat(line.removesuffix("\r")[: 4 * LONGEST_LINE], 0)
    if len(text) > LONGEST_LINE:
        text = text[:LONGEST_LINE] + "…"
    spoken = {"gone": "removed: ", "new": "added: "}.get(kind)
    return element(
        "div",
        element("span", number, class_="n"),
        element("span", sign, class_="sign", aria_hidden="true"),
        element("code", element("span", spoken, class_="aside") if spoken else None, text),
        class_=f"l {kind}",
    )
