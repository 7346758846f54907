"""Text for people, in the manner of rustc: the source with every place underlined, also across files."""

from __future__ import annotations

import unicodedata
from bisect import bisect_left
from collections.abc import Iterator, Sequence

from corslint.model.finding import Finding
from corslint.records import NamedTuple
from corslint.report import LOG_COMMAND, PLAIN, Reported, Run, closing_line, neutral, shown_path
from corslint.source import SourceFile, Span

FOR_PEOPLE = True
CLOSES = True

_TAB = 4
_LEAST_WIDTH = 40
_CONTEXT = 12
"""Columns shown beside a place in a line that is too long to be shown whole."""

_HOW = {"safe": "--fix", "unsafe": "--unsafe-fixes", "placeholder": "by hand: fill in what stands in <>"}
"""How a fix is made, by its applicability."""

_COLOURS = {"error": "1;31", "warning": "1;33", "note": "1;36", "gutter": "1;34", "help": "1;36", "bold": "1"}


class _Mark(NamedTuple):
    """One underlined piece of one line: byte offsets, and what stands beside it."""

    start: int
    end: int
    label: str
    primary: bool


class _Style:
    def __init__(self, colour: bool) -> None:
        self._colour = colour

    def __call__(self, name: str, text: str) -> str:
        return f"\033[{_COLOURS[name]}m{text}\033[0m" if self._colour and text else text


def render(report: Reported, run: Run = PLAIN) -> Iterator[str]:
    """All findings with their source, and the closing line."""
    style = _Style(run.colour)
    for finding in report.findings:
        yield _finding(finding, report, style, run)
    yield closing_line(report) + "\n"


def _finding(finding: Finding, report: Reported, style: _Style, run: Run) -> str:
    width = max(run.width, _LEAST_WIDTH)
    by_path: dict[str, list[tuple[Span, str, bool]]] = {finding.primary.path: [(finding.primary, "", True)]}
    for place in finding.related:
        by_path.setdefault(place.span.path, []).append((place.span, place.message, False))
    files = [(report.sources(path), places) for path, places in by_path.items()]
    marked = [(source, _lines(source, places)) for source, places in files]
    gutter = max((len(str(line)) for _, lines in marked for line in lines), default=1)
    margin = " " * gutter
    bar = style("gutter", f"{margin} |")

    head = style(finding.severity, f"{finding.severity}[{_linked_rule(finding.rule, run)}]")
    out = [f"{head}{style('bold', ': ' + neutral(finding.message))}"]
    for number, (source, places) in enumerate(files):
        line, column = source.position(places[0][0].start)
        arrow = style("gutter", f"{margin}{'-->' if number == 0 else ':::'}")
        if number:
            out.append(bar)
        shown = f"{shown_path(source.path)}:{line}:{column}"
        out.append(f"{arrow} {_linked(shown, run.link(source.path)) if run.link else shown}")
        lines = marked[number][1]
        if not lines:
            out.extend(f"{style('gutter', f'{margin} =')} {neutral(label)}" for _, label, _ in places if label)
            continue
        out.append(bar)
        last = 0
        for at in sorted(lines):
            if last and at == last + 2:
                out.append(_source_line(source, last + 1, gutter, style, width))
            elif last and at > last + 2:
                out.append(style("gutter", "..."))
            out.extend(_marked_line(source, at, lines[at], gutter, finding.severity, style, width))
            last = at
    out.append(bar)
    if finding.help:
        out.append(f"{style('gutter', f'{margin} =')} {style('help', 'help')}: {neutral(finding.help)}")
    if finding.fix is not None:
        how = _HOW[finding.fix.applicability]
        out.append(f"{style('gutter', f'{margin} =')} {style('help', 'fix')}: {neutral(finding.fix.title)} ({how})")
    return "\n".join(out) + "\n\n"


def _linked(text: str, address: str) -> str:
    """Text that a terminal shows as a link (OSC 8). What is not printable ASCII in an address is percent-encoded."""
    from urllib.parse import quote

    safe = quote(address, safe="%:/?#[]@!$&'()*+,;=~-._")
    return f"\033]8;;{safe}\033\\{text}\033]8;;\033\\"


def _linked_rule(rule: str, run: Run) -> str:
    """A rule's id, linked to the first page that it refers to."""
    if run.link is None:
        return rule
    pages = run.about(rule).references
    return _linked(rule, pages[0]) if pages else rule


def _lines(source: SourceFile, places: Sequence[tuple[Span, str, bool]]) -> dict[int, list[_Mark]]:
    """The marks of each line. A place that goes over several lines is marked on its first and its last one."""
    lines: dict[int, list[_Mark]] = {}
    if not source.data:
        return lines
    for span, label, primary in places:
        start = min(span.start, len(source.data))
        end = max(start, min(span.end, len(source.data)))
        while end > start and source.data[end - 1 : end].isspace():
            end -= 1
        first, last = source.position(start).line, source.position(end).line
        if first == last:
            lines.setdefault(first, []).append(_Mark(start, end, label, primary))
            continue
        lines.setdefault(first, []).append(_Mark(start, source.line_span(first).end, "", primary))
        below = source.line_span(last).start
        while below < end and source.data[below : below + 1].isspace():
            below += 1
        lines.setdefault(last, []).append(_Mark(below, end, label, primary))
    return lines


# --- one line --------------------------------------------------------------------------------------------------------


class _Cells:
    """A piece of a line as it is shown: what each character looks like, and the column where it begins."""

    def __init__(self, data: bytes, start: int, end: int) -> None:
        self._offsets: list[int] = []
        self._shown: list[str] = []
        self._columns: list[int] = []
        column, offset = 0, start
        text = data[start:end].decode("utf-8", "surrogateescape")
        escaped = {match.end() - 1 for match in LOG_COMMAND.finditer(text)}
        for at, character in enumerate(text):
            shown, size = ("\\x23", 4) if at in escaped else _look(character, column)
            self._offsets.append(offset)
            self._columns.append(column)
            self._shown.append(shown)
            column += size
            offset += _bytes(character)
        self.width = column

    def column(self, offset: int) -> int:
        """Where the character that begins at a byte offset, or after it, is shown."""
        at = bisect_left(self._offsets, offset)
        return self._columns[at] if at < len(self._columns) else self.width

    def text(self, first: int, last: int) -> str:
        """What is shown from column `first` up to `last`; a character cut in two becomes spaces."""
        pieces = []
        for shown, column, after in zip(self._shown, self._columns, [*self._columns, self.width][1:], strict=True):
            if column >= first and after <= last:
                pieces.append(shown)
            elif after > first and column < last:
                pieces.append(" " * (min(after, last) - max(column, first)))
        return "".join(pieces)


def _look(character: str, column: int) -> tuple[str, int]:
    """How a character is shown at a column, and how wide that is."""
    if character == "\t":
        size = _TAB - column % _TAB
        return " " * size, size
    if character.isascii() and character.isprintable():
        return character, 1
    shown = neutral(character)
    if shown != character:
        return shown, len(shown)
    if unicodedata.category(character) in ("Mn", "Me"):
        return character, 0
    return character, 2 if unicodedata.east_asian_width(character) in "WF" else 1


def _bytes(character: str) -> int:
    number = ord(character)
    if number < 0x80 or 0xDC80 <= number <= 0xDCFF:
        return 1
    return 2 if number < 0x800 else 3 if number < 0x10000 else 4


def _source_line(source: SourceFile, line: int, gutter: int, style: _Style, width: int) -> str:
    """A line without marks."""
    span = source.line_span(line)
    room = width - gutter - 3
    cells = _Cells(source.data, span.start, min(span.end, span.start + 4 * room))
    cut = cells.width > room or span.end - span.start > 4 * room
    text = cells.text(0, room - 1).rstrip() + "…" if cut else cells.text(0, cells.width).rstrip()
    return f"{style('gutter', f'{line:>{gutter}} |')} {text}".rstrip()


def _marked_line(
    source: SourceFile, line: int, marks: Sequence[_Mark], gutter: int, severity: str, style: _Style, width: int
) -> Iterator[str]:
    """A line, its marks and their labels; more than once where the marks are too far apart for one window."""
    span = source.line_span(line)
    room = width - gutter - 3
    pending = sorted(marks, key=lambda mark: (mark.start, mark.end))
    while pending:
        if span.end - span.start <= 4 * room:
            start, end = span.start, span.end
        else:  # a line may have megabytes: look only at the part around the first mark
            start = max(span.start, pending[0].start - 4 * _CONTEXT)
            end = min(span.end, start + 8 * room)
            while start < end and source.data[start] & 0xC0 == 0x80:
                start += 1
        cells = _Cells(source.data, start, end)
        first, last = 0, cells.width
        if start > span.start or end < span.end or cells.width > room:
            first = max(0, cells.column(pending[0].start) - _CONTEXT)
            if first <= _CONTEXT and start == span.start:
                first = 0
            last = min(cells.width, first + room - 2)
        chosen = [mark for mark in pending if cells.column(mark.end) <= last and mark.end <= end] or pending[:1]
        pending = [mark for mark in pending if mark not in chosen]
        before = "…" if first > 0 or start > span.start else ""
        after = "…" if last < cells.width or end < span.end else ""
        shift = len(before) - first
        text = before + cells.text(first, last).rstrip() + after
        yield f"{style('gutter', f'{line:>{gutter}} |')} {text}".rstrip()
        drawn = []
        for mark in chosen:
            left = cells.column(mark.start)
            right = max(left + 1, min(cells.column(mark.end), last))
            drawn.append((left + shift, right + shift, mark))
        for row in _underlines(drawn, severity, style):
            yield f"{style('gutter', ' ' * gutter + ' |')} {row}"


def _underlines(drawn: Sequence[tuple[int, int, _Mark]], severity: str, style: _Style) -> Iterator[str]:
    """`^^^^^` and `-----`, with the last label beside them and the others hung below."""
    width = max(right for _, right, _ in drawn)
    row: list[tuple[str, str]] = [(" ", "")] * width
    # The shorter mark is drawn over the longer one, the primary over all.
    for left, right, mark in sorted(drawn, key=lambda item: (item[2].primary, item[0] - item[1])):
        look = ("^", severity) if mark.primary else ("-", "gutter")
        row[left:right] = [look] * (right - left)
    labelled = sorted((item for item in drawn if item[2].label), key=lambda item: (item[0], item[1]))
    beside = ""
    if labelled and labelled[-1][1] == width and all(item[0] < labelled[-1][0] for item in labelled[:-1]):
        beside = " " + style("gutter", neutral(labelled.pop()[2].label))
    yield _paint(row, style) + beside
    hung = labelled
    if hung:
        yield _stems(hung, style)
    while hung:
        *hung, (left, _, mark) = hung
        stems = _stems([item for item in hung if item[0] < left], style, left)
        yield stems + style("gutter", neutral(mark.label))


def _stems(hung: Sequence[tuple[int, int, _Mark]], style: _Style, width: int = 0) -> str:
    columns = {left for left, _, _ in hung}
    size = max(width, max(columns, default=-1) + 1)
    return _paint([("|", "gutter") if at in columns else (" ", "") for at in range(size)], style)


def _paint(row: Sequence[tuple[str, str]], style: _Style) -> str:
    """Put together neighbours of one colour."""
    out: list[str] = []
    at = 0
    while at < len(row):
        until = at
        while until < len(row) and row[until][1] == row[at][1]:
            until += 1
        text = "".join(character for character, _ in row[at:until])
        out.append(style(row[at][1], text) if row[at][1] else text)
        at = until
    return "".join(out)
