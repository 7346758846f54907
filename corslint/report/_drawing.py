"""The picture of a project as SVG: columns of boxes for a wide page, one column for a narrow one.

The text of SVG does not wrap and nobody knows the reader's fonts, so widths are estimated and what is too long is cut;
the whole text stands in the box's title, and in words below the picture. The page's style sheet has colours and fonts.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence

from corslint.model.diagram import Connection, Diagram, Line, Node
from corslint.model.tri import Tri
from corslint.records import NamedTuple
from corslint.report import neutral
from corslint.report._markup import Markup, element, joined
from corslint.report._placing import Placed

_PAD = 14
_MONO = 6.75
"""Width of a character of code, at 11 pixels."""
_SANS = 6.6
"""The same of words at 11.5 pixels, on average and a bit more."""
_BOLD = 9.3
_ROW = 18
_MOST_ROWS = 14
_MOST_PILLS = 3
_LEAST_NOTE = 8
"""Characters of a note that are worth showing."""
_PILL = 38
_PILL_HEIGHT = 16

KINDS = {"browser": "page", "proxy": "proxy", "server": "program", "elsewhere": "elsewhere"}
"""What nodes are called."""
SIGNS = {"error": "✕", "warning": "!", "note": "i"}


class Flag(NamedTuple):
    """A finding as it is shown in the picture."""

    number: int
    severity: str
    message: str


Flags = Mapping[int, Flag]


class _Row(NamedTuple):
    """One line of text in a box, and the findings at its end. `look` is a class of the style sheet.

    `note` stands behind the text as far as there is room, `whole` is what the row says in full.
    """

    text: str
    look: str
    numbers: tuple[int, ...] = ()
    whole: str = ""
    gap: int = 0
    """Empty space above it."""
    note: str = ""


class _Box(NamedTuple):
    node: Node
    title: tuple[str, ...]
    subtitle: tuple[str, ...]
    rows: tuple[_Row, ...]
    loose: tuple[int, ...]
    width: float
    height: float


class _Placed(NamedTuple):
    box: _Box
    x: float
    y: float


class _Route(NamedTuple):
    """A connection on its way: a path of SVG, the middle of what is said on it, and how wide that may be."""

    connection: Connection
    path: str
    x: float
    y: float
    room: float


# --- wide ------------------------------------------------------------------------------------------------------------

_WIDTH = 292
_GAP = 170
_BETWEEN = 22
_MARGIN = 6
"""Free space above and below what is said on a connection that skips a column."""
_TOP = 34
_SCREEN = 700
_MANY = 4
"""Connections at one side of a box that are many."""
_BEND = 64
"""How much of the gap they bend in."""


def wide(diagram: Diagram, placed: Placed, flags: Flags, name: str) -> Markup:
    """Columns from left to right: who asks, what passes on, what answers."""
    columns = _columns(diagram)
    boxes = {node.id: _box(node, placed, _WIDTH) for node in diagram.nodes}
    sizes = {key: box.height for key, box in boxes.items()}
    for one in diagram.connections:
        for stop in _stops(one, columns):
            sizes[stop] = _said_height(one, _WIDTH, placed) + 2 * _MARGIN
    stacks = _stacks(diagram, columns, sizes)
    used = [sum(sizes[key] + _BETWEEN for key in stack) - _BETWEEN for stack in stacks]
    height, width = max(used, default=0), len(stacks) * _WIDTH + (len(stacks) - 1) * _GAP
    spots: dict[str, tuple[float, float]] = {}
    for number, stack in enumerate(stacks):
        # In the middle of its neighbours, but never so far down that the first screen stays empty.
        y = _TOP + max(0, min(height, _SCREEN) - used[number]) / 2
        for key in stack:
            spots[key] = (number * (_WIDTH + _GAP), y)
            y += sizes[key] + _BETWEEN
    ways_of = _Ways(diagram, columns, sizes, spots)
    routes = [ways_of.route(one) for one in diagram.connections]
    labels = _apart(routes, placed)
    heads = [
        element("text", text, x=number * (_WIDTH + _GAP), y=12, class_="column")
        for number, text in enumerate(_headings(diagram, columns, len(stacks)))
    ]
    drawn = [_drawn(_Placed(boxes[one], *spots[one]), flags) for stack in stacks for one in stack if one in boxes]
    ways = [_line(route.path, route.connection, name) for route in routes]
    said = [_said(route, y, placed, flags) for route, y in labels]
    low = max([height + _TOP, *(y + 40 for _, y in labels)])
    return _svg(diagram, (width, low + 4), name, "wide", [*heads, *ways, *drawn, *said])


def _columns(diagram: Diagram) -> dict[str, int]:
    """The column of each node: pages first, programs last, and every connection leads to the right if it can."""
    found = {node.id: 0 if node.kind == "browser" else 1 for node in diagram.nodes}
    onward: dict[str, list[str]] = {}
    for one in diagram.connections:
        onward.setdefault(one.source, []).append(one.target)
    forward = [one for one in diagram.connections if not _leads_back(onward, one)]
    moved = True
    while moved:
        moved = False
        for one in forward:
            if found[one.target] <= found[one.source]:
                found[one.target] = found[one.source] + 1
                moved = True
    proxies = [found[node.id] for node in diagram.nodes if node.kind == "proxy"]
    last = max(proxies, default=0) + 1
    for node in diagram.nodes:
        if node.kind in ("server", "elsewhere"):
            found[node.id] = max(found[node.id], last)
    used = {column: number for number, column in enumerate(sorted(set(found.values())))}
    return {key: used[column] for key, column in found.items()}


def _leads_back(onward: Mapping[str, Sequence[str]], connection: Connection) -> bool:
    """Whether a connection closes a circle; `onward` has the targets of all connections by their sources."""
    seen, waiting = set(), [connection.target]
    while waiting:
        at = waiting.pop()
        if at == connection.source:
            return True
        if at not in seen:
            seen.add(at)
            waiting += onward.get(at, ())
    return False


def _stops(connection: Connection, columns: Mapping[str, int]) -> list[str]:
    """The places in the columns that a connection skips, from the left."""
    between = range(columns[connection.source] + 1, columns[connection.target])
    return [f"{connection.source}>{connection.target}@{column}" for column in between]


def _stacks(diagram: Diagram, columns: Mapping[str, int], sizes: Mapping[str, float]) -> list[list[str]]:
    """What stands in each column, from the top: neighbours of what it is connected to."""
    stacks: list[list[str]] = [[] for _ in range(max(columns.values(), default=-1) + 1)]
    for node in diagram.nodes:
        stacks[columns[node.id]].append(node.id)
    near: dict[str, list[str]] = {}
    for one in diagram.connections:
        chain = [one.source, *_stops(one, columns), one.target]
        for column, stop in enumerate(chain[1:-1], columns[one.source] + 1):
            stacks[column].append(stop)
        for before, after in itertools.pairwise(chain):
            near.setdefault(before, []).append(after)
            near.setdefault(after, []).append(before)
    for turn in range(4):
        for stack in stacks if turn % 2 == 0 else stacks[::-1]:
            middles = _middles(stacks, sizes)
            own = {key: middles[key] for key in stack}
            stack.sort(key=lambda key: _mean([middles[one] for one in near.get(key, [])], own[key]))
    return stacks


def _middles(stacks: Sequence[Sequence[str]], sizes: Mapping[str, float]) -> dict[str, float]:
    """How far down each one lies, as a part of its column."""
    found: dict[str, float] = {}
    for stack in stacks:
        whole = sum(sizes[one] for one in stack) or 1
        y = 0.0
        for one in stack:
            found[one] = (y + sizes[one] / 2) / whole
            y += sizes[one]
    return found


def _mean(values: Sequence[float], otherwise: float) -> float:
    return sum(values) / len(values) if values else otherwise


class _Ways:
    """The ways of all connections, from the right of one box to the left of the other.

    Where many leave one box or arrive at one, they bend at its side, so that what is said on each has a level of its
    own beside the box at the other end.
    """

    def __init__(
        self,
        diagram: Diagram,
        columns: Mapping[str, int],
        sizes: Mapping[str, float],
        spots: Mapping[str, tuple[float, float]],
    ) -> None:
        self._columns = columns
        self._sizes = sizes
        self._spots = spots
        self._leaving: dict[str, list[Connection]] = {}
        self._arriving: dict[str, list[Connection]] = {}
        for one in diagram.connections:
            self._leaving.setdefault(one.source, []).append(one)
            self._arriving.setdefault(one.target, []).append(one)
        for ways in self._leaving.values():
            ways.sort(key=lambda one: self._middle([*_stops(one, columns), one.target][0]))
        for ways in self._arriving.values():
            ways.sort(key=lambda one: self._middle([one.source, *_stops(one, columns)][-1]))

    def route(self, one: Connection) -> _Route:
        """The way of a connection."""
        leaving, arriving = self._leaving[one.source], self._arriving[one.target]
        x, y = self._spots[one.source][0] + _WIDTH, self._port(one, leaving, one.source)
        target, end = self._spots[one.target][0] - 7, self._port(one, arriving, one.target)
        begin = f"M{x:.0f} {y:.0f}"
        if self._columns[one.target] <= self._columns[one.source]:  # back, or within a column: around the right side
            out, back = x + _GAP / 3, target + 7 + _WIDTH + 7
            path = f"{begin}C{out:.0f} {y:.0f} {out:.0f} {end:.0f} {back:.0f} {end:.0f}"
            return _Route(one, path, out, (y + end) / 2, _GAP / 2)
        if _stops(one, self._columns):
            return self._over(one, begin, (x, y), (target, end))
        room = _GAP - _BEND - 20
        if max(len(leaving), len(arriving)) >= _MANY:
            if len(leaving) >= len(arriving):
                bend = x + _BEND
                return _Route(one, begin + _curve(x, y, bend, end) + f"H{target:.0f}", (bend + target) / 2, end, room)
            bend = target - _BEND
            return _Route(one, f"{begin}H{bend:.0f}" + _curve(bend, y, target, end), (x + bend) / 2, y, room)
        return _Route(one, begin + _curve(x, y, target, end), (x + target) / 2, (y + end) / 2, _GAP - 26)

    def _over(self, one: Connection, begin: str, at: tuple[float, float], to: tuple[float, float]) -> _Route:
        """A way that leads through other columns; what is said stands in the first."""
        path, (x, y) = begin, at
        stops = _stops(one, self._columns)
        for stop in stops:
            left, level = self._spots[stop][0], self._middle(stop)
            path += _curve(x, y, left, level) + f"H{left + _WIDTH:.0f}"
            x, y = left + _WIDTH, level
        left, level = self._spots[stops[0]][0], self._middle(stops[0])
        return _Route(one, path + _curve(x, y, *to), left + _WIDTH / 2, level, _WIDTH)

    def _middle(self, key: str) -> float:
        return self._spots[key][1] + self._sizes[key] / 2

    def _port(self, connection: Connection, beside: Sequence[Connection], key: str) -> float:
        """How far down a connection meets its box, among those that meet it on the same side."""
        return self._spots[key][1] + self._sizes[key] * (beside.index(connection) + 1) / (len(beside) + 1)


def _curve(x: float, y: float, to_x: float, to_y: float) -> str:
    half = (x + to_x) / 2
    return f"C{half:.0f} {y:.0f} {half:.0f} {to_y:.0f} {to_x:.0f} {to_y:.0f}"


def _apart(routes: Sequence[_Route], placed: Placed) -> list[tuple[_Route, float]]:
    """What is said on the ways, moved down where it would lie over another."""
    found: list[tuple[_Route, float]] = []
    taken: list[tuple[float, float, float]] = []
    for route in sorted(routes, key=lambda one: (one.y, one.x)):
        height = _said_height(route.connection, route.room, placed)
        top = max(route.y - height / 2, 0)
        for x, begin, end in sorted(taken, key=lambda one: one[1]):
            if abs(x - route.x) < _GAP - 10 and begin < top + height and top < end:
                top = end + 3
        taken.append((route.x, top, top + height))
        found.append((route, top))
    return found


# --- narrow ----------------------------------------------------------------------------------------------------------

_PHONE = 330
_LANE = 9
_MOST_LANES = 5


def narrow(diagram: Diagram, placed: Placed, flags: Flags, name: str) -> Markup:
    """One column from top to bottom; connections run beside it, and what arrives is said in the box."""
    columns = _columns(diagram)
    titles = {node.id: node.title for node in diagram.nodes}
    width = _PHONE - _LANE * (_MOST_LANES + 1)
    ordered = sorted(diagram.nodes, key=lambda node: columns[node.id])
    spots: dict[str, _Placed] = {}
    y, column, parts = 0.0, -1, []
    headings = _headings(diagram, columns, max(columns.values(), default=-1) + 1)
    for node in ordered:
        if columns[node.id] != column:
            column = columns[node.id]
            parts.append(element("text", headings[column], x=0, y=y + 12, class_="column"))
            y += 24
        arriving = [one for one in diagram.connections if one.target == node.id]
        box = _box(node, placed, width, [_arriving(one, titles[one.source], placed) for one in arriving])
        spots[node.id] = _Placed(box, 0, y)
        y += box.height + 16
    lanes = _lanes(diagram, spots)
    ways = [_lane(one, lanes[number], spots, width, name) for number, one in enumerate(diagram.connections)]
    drawn = [_drawn(one, flags) for one in spots.values()]
    return _svg(diagram, (_PHONE, max(y - 12, 1)), name, "narrow", [*parts, *ways, *drawn])


def _arriving(connection: Connection, source: str, placed: Placed) -> _Row:
    perhaps = "" if connection.exists is Tri.YES else "perhaps "
    carried = ", ".join(connection.carries[:1]) + (f" +{len(connection.carries) - 1}" if connection.carries[1:] else "")
    whole = f"{perhaps}from {source}" + (f": {', '.join(connection.carries)}" if connection.carries else "")
    text = f"← {perhaps}{source}" + (f": {carried}" if connection.carries else "")
    numbers = tuple(placed.between.get((connection.source, connection.target), ()))
    return _Row(text, "way" if connection.exists is Tri.YES else "way maybe", numbers, whole)


def _ends(connection: Connection, spots: Mapping[str, _Placed]) -> tuple[float, float]:
    source, target = spots[connection.source], spots[connection.target]
    return source.y + min(source.box.height - 12, 40), target.y + 22


def _lanes(diagram: Diagram, spots: Mapping[str, _Placed]) -> list[int]:
    """A lane for each connection: one for all that leave the same box; those in one do not overlap, while there are."""
    reach: dict[str, tuple[float, float]] = {}
    for one in diagram.connections:
        ends = (*reach.get(one.source, ()), *_ends(one, spots))
        reach[one.source] = min(ends), max(ends)
    taken: list[list[tuple[float, float]]] = [[] for _ in range(_MOST_LANES)]
    lanes: dict[str, int] = {}
    for source, (low, high) in reach.items():
        free = (at for at, used in enumerate(taken) if all(high < begin or end < low for begin, end in used))
        lanes[source] = next(free, _MOST_LANES - 1)
        taken[lanes[source]].append((low, high))
    return [lanes[one.source] for one in diagram.connections]


def _lane(connection: Connection, lane: int, spots: Mapping[str, _Placed], width: float, name: str) -> Markup:
    begin, end = _ends(connection, spots)
    x = width + _LANE * (lane + 1) + 4
    turn = 4 if end > begin else -4
    path = (
        f"M{width:.0f} {begin:.0f}H{x - 4:.0f}Q{x:.0f} {begin:.0f} {x:.0f} {begin + turn:.0f}V{end - turn:.0f}"
        f"Q{x:.0f} {end:.0f} {x - 4:.0f} {end:.0f}H{width + 7:.0f}"
    )
    return _line(path, connection, name)


# --- boxes -----------------------------------------------------------------------------------------------------------


def _box(node: Node, placed: Placed, width: float, arriving: Sequence[_Row] = ()) -> _Box:
    """What is written in the box of a node."""
    inner = width - 2 * _PAD
    title = tuple(_wrapped(node.title, int(inner / _BOLD), 2))
    subtitle = tuple(_wrapped(node.subtitle, int(inner / _SANS), 2)) if node.subtitle else ()
    rows = _cut([*arriving, *_rows(node, placed)])
    loose = tuple(placed.on_nodes.get(node.id, ()))
    height = 26 + 19 * len(title) + 15 * len(subtitle)
    if rows:
        height += 8 + sum(_ROW + row.gap for row in rows)
    if loose:
        height += 28
    return _Box(node, title, subtitle, tuple(rows), loose, width, height + 10)


def _rows(node: Node, placed: Placed) -> Iterator[_Row]:
    """The lines of a node: headers below who adds them and where, then what comes in."""
    lines = list(enumerate(node.lines))
    scope = None
    for number, line in lines:
        if line.kind == "adds":
            if line.scope != scope or scope is None:
                scope = line.scope
                yield _Row(f"{scope} adds" if scope else "adds", "scope", (), scope, 5)
            yield _header(node, number, line, placed, "adds")
    for number, line in lines:
        if line.kind == "drops":
            yield _Row(f"{line.scope} drops", "scope", (), line.scope, 5)
            yield _header(node, number, line, placed, "drops")
    goes = None
    for number, line in lines:
        if line.kind == "asks":
            whole = f"{line.text} {line.note}"
            host = "/".join(line.note.split("/")[:3])
            if host != goes:
                goes = host
                yield _Row(f"asks {host}", "scope", (), line.note, 5)
            numbers = tuple(placed.on_lines.get((node.id, number), ()))
            places = f"{len(line.spans)} places" if len(line.spans) > 1 else ""
            yield _Row(line.text, "takes", numbers, whole, 0, places)
    takes = [(number, line) for number, line in lines if line.kind == "takes"]
    for number, line in takes:
        note = line.note.replace("http://", "", 1)
        numbers = tuple(placed.on_lines.get((node.id, number), ()))
        yield _Row(line.text, "takes", numbers, f"{line.text} {line.note}", 6 if number == takes[0][0] else 0, note)


def _header(node: Node, number: int, line: Line, placed: Placed, look: str) -> _Row:
    short = line.text.removeprefix("Access-Control-")
    numbers = tuple(placed.on_lines.get((node.id, number), ()))
    said = f"{short}: {line.note}" if line.kind == "adds" else f"− {short}, {line.note}"
    return _Row(said, look, numbers, f"{line.text}: {line.note}")


def _cut(rows: Sequence[_Row]) -> list[_Row]:
    """The first rows, those with findings before others, and how many more there are."""
    if len(rows) <= _MOST_ROWS:
        return list(rows)
    keep = sorted(range(len(rows)), key=lambda at: (not rows[at].numbers, at))[: _MOST_ROWS - 1]
    kept = [rows[at] for at in sorted(keep)]
    return [*kept, _Row(f"and {len(rows) - len(kept)} more lines", "scope", (), "", 3)]


def _drawn(spot: _Placed, flags: Flags) -> Markup:
    """A box."""
    box, x, y = spot
    node = box.node
    found = [*box.loose, *(number for row in box.rows for number in row.numbers)]
    worst = min((flags[number].severity for number in found), key=("error", "warning", "note").index, default="")
    parts: list[Markup] = [
        element("title", f"{node.title}: {node.subtitle}" if node.subtitle else node.title),
        element("rect", x=0.5, y=0.5, width=box.width - 1, height=box.height - 1, rx=7, class_="frame"),
    ]
    at = 20.0
    parts.append(element("text", KINDS[node.kind], x=_PAD, y=at, class_="kind"))
    for piece in box.title:
        at += 19
        parts.append(element("text", piece, x=_PAD, y=at, class_="title"))
    for piece in box.subtitle:
        at += 15
        parts.append(element("text", piece, x=_PAD, y=at, class_="subtitle"))
    if box.rows:
        at += 9
        parts.append(element("line", x1=_PAD, x2=box.width - _PAD, y1=at, y2=at, class_="rule"))
    for row in box.rows:
        at += _ROW + row.gap
        parts += _row(row, box.width, at, flags)
    if box.loose:
        at += 27
        parts += _pills(box.loose, _PAD, at - 13, flags, int((box.width - 2 * _PAD) / (_PILL + 4)), left=True)
    classes = " ".join(filter(None, ("node", node.kind, "" if node.known else "ghost", worst)))
    return element("g", parts, class_=classes, transform=f"translate({x:.0f} {y:.0f})")


def _row(row: _Row, width: float, y: float, flags: Flags) -> Iterator[Markup]:
    room = width - 2 * _PAD
    count = len(row.numbers) if len(row.numbers) <= _MOST_PILLS else 1
    room -= count * (_PILL + 4) + (26 if len(row.numbers) > count else 0)
    each = _SANS if row.look in ("scope", "way", "way maybe") else _MONO
    letters = int(room / each)
    shown = _shortened(row.text, letters)
    left = letters - len(shown) - 2
    note = _shortened(row.note, left) if left > _LEAST_NOTE or 0 < len(row.note) <= left else ""
    cut = shown != neutral(row.text) or note != neutral(row.note)
    full = element("title", row.whole) if row.whole and cut else None
    behind = element("tspan", note, dx=2 * _MONO, class_="note") if note else None
    yield element("text", full, shown, behind, x=_PAD, y=y, class_=row.look)
    if row.numbers:
        yield joined(_pills(row.numbers, width - _PAD, y - 12, flags, _MOST_PILLS))


def _pills(
    numbers: Sequence[int], x: float, y: float, flags: Flags, most: int, *, left: bool = False
) -> Iterator[Markup]:
    """Links to findings in a row: from `x` to the right, or ending there; of more than `most` the rest is counted."""
    shown = numbers if len(numbers) <= most else numbers[: most - 1] if left else numbers[:1]
    more = len(numbers) - len(shown)
    begin = x if left else x - len(shown) * (_PILL + 4) + 4 - (26 if more else 0)
    for number in shown:
        yield _pill(flags[number], begin, y)
        begin += _PILL + 4
    if more:
        yield element("text", f"+{more}", x=begin, y=y + 12, class_="more")


def _pill(flag: Flag, x: float, y: float) -> Markup:
    """A link to a finding: its severity is a word to those who listen, and a sign and a shape to those who look."""
    round_ = {"error": 4, "warning": 9, "note": 9}[flag.severity]
    label = f"{flag.severity} {flag.number}: {flag.message}"
    return element(
        "a",
        element("title", label),
        element("rect", x=0.5, y=0.5, width=_PILL - 1, height=_PILL_HEIGHT - 1, rx=round_),
        element("text", f"{SIGNS[flag.severity]} {flag.number}", x=_PILL / 2, y=12),
        href=f"#f{flag.number}",
        aria_label=neutral(label),
        class_=f"pill {flag.severity}",
        transform=f"translate({x:.1f} {y:.1f})",
    )


# --- connections -----------------------------------------------------------------------------------------------------


def _line(path: str, connection: Connection, name: str) -> Markup:
    kind = "sure" if connection.exists is Tri.YES else "maybe"
    return element("path", d=path, class_=f"edge {kind}", marker_end=f"url(#{name}-{kind})")


def _said_lines(connection: Connection, room: float) -> list[tuple[str, str]]:
    """What is written on a connection: the text and its look."""
    lines = [(_shortened(text, int(room / _MONO)), "carries") for text in connection.carries[:2]]
    if len(connection.carries) > 2:
        lines.append((f"and {len(connection.carries) - 2} more", "maybe"))
    if connection.exists is not Tri.YES:
        lines.append(("perhaps", "maybe"))
    return lines


def _said_height(connection: Connection, room: float, placed: Placed) -> float:
    pills = 22 if placed.between.get((connection.source, connection.target)) else 0
    return 14 * len(_said_lines(connection, room)) + 6 + pills


def _said(route: _Route, top: float, placed: Placed, flags: Flags) -> Markup:
    """The words on a connection, and the findings."""
    one = route.connection
    lines = _said_lines(one, route.room)
    numbers = tuple(placed.between.get((one.source, one.target), ()))
    count = len(numbers) if len(numbers) <= _MOST_PILLS else 1
    wide_pills = count * (_PILL + 4) - 4 + (26 if len(numbers) > _MOST_PILLS else 0)
    width = max([len(text) * _MONO + 10 for text, _ in lines] + [wide_pills + 8 if numbers else 0], default=0)
    parts = [
        element("title", f"{', '.join(one.carries)}: {one.reason}" if one.carries else one.reason),
        element(
            "rect",
            x=f"{route.x - width / 2:.1f}",
            y=f"{top:.1f}",
            width=f"{width:.1f}",
            height=_said_height(one, route.room, placed),
            rx=4,
            class_="paper",
        ),
    ]
    y = top + 2
    for text, look in lines:
        y += 13
        parts.append(element("text", text, x=f"{route.x:.1f}", y=f"{y:.1f}", class_=f"said {look}"))
    if numbers:
        parts += _pills(numbers, route.x + wide_pills / 2, y + 5, flags, _MOST_PILLS)
    return element("g", parts, class_="way")


def _headings(diagram: Diagram, columns: Mapping[str, int], count: int) -> list[str]:
    """What stands above the columns."""
    found = []
    for column in range(count):
        kinds = {node.kind for node in diagram.nodes if columns[node.id] == column}
        if kinds == {"browser"}:
            found.append("In the browser")
        elif "proxy" in kinds:
            found.append("Passing on")
        else:
            found.append("Answering")
    return found


def _svg(diagram: Diagram, size: tuple[float, float], name: str, look: str, inner: Sequence[Markup]) -> Markup:
    """The picture; arrow heads belong to it, so that it can be copied out of the page."""
    heads = [
        element(
            "marker",
            element("path", d="M0 0L7 3.5L0 7Z", class_=f"head {kind}"),
            id=f"{name}-{kind}",
            viewBox="0 0 7 7",
            refX=1,
            refY=3.5,
            markerWidth=7,
            markerHeight=7,
            markerUnits="userSpaceOnUse",
            orient="auto",
        )
        for kind in ("sure", "maybe")
    ]
    return element(
        "svg",
        element("defs", heads),
        inner,
        viewBox=f"-2 -2 {size[0] + 4:.0f} {size[1] + 4:.0f}",
        width=f"{size[0] + 4:.0f}",
        height=f"{size[1] + 4:.0f}",
        class_=f"map {look}",
        role="group",
        aria_label="The picture of " + ("the project" if diagram.title in ("", ".") else neutral(diagram.title)),
    )


# --- text ------------------------------------------------------------------------------------------------------------


def _shortened(text: str, room: int) -> str:
    """At most `room` characters of a text; what goes is in the middle, for ends of paths tell more."""
    text = neutral(text)
    if len(text) <= room:
        return text
    if room < 8:
        return text[: max(room - 1, 1)] + "…"
    tail = room // 3
    return f"{text[: room - tail - 1]}…{text[-tail:]}"


def _wrapped(text: str, room: int, most: int) -> list[str]:
    """A text in lines of so many characters: broken at spaces and slashes, if there are any."""
    text = neutral(text)
    lines: list[str] = []
    while text and len(lines) < most:
        if len(text) <= room or len(lines) == most - 1:
            lines.append(_shortened(text, room))
            break
        at = max(text.rfind(mark, 0, room) for mark in " /.-")
        at = at + 1 if at > room // 3 else room
        lines.append(text[:at].rstrip())
        text = text[at:]
    return lines or [""]
