"""Where in the picture of a project a finding belongs: on a line of a node, on a node, or between two."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from itertools import accumulate, chain

from corslint.model.diagram import Connection, Diagram, Node
from corslint.model.finding import Finding
from corslint.records import NamedTuple
from corslint.source import Span


class Placed(NamedTuple):
    """The numbers of findings by where they are shown; `nowhere` are those of files that the picture does not have.

    Keys are a node's id, its id and the number of a line, and the ends of a connection.
    """

    on_nodes: Mapping[str, Sequence[int]]
    on_lines: Mapping[tuple[str, int], Sequence[int]]
    between: Mapping[tuple[str, str], Sequence[int]]
    nowhere: Sequence[int]


def placed(diagram: Diagram, findings: Iterable[tuple[int, Finding]]) -> Placed:
    """Put numbered findings into the picture."""
    on_nodes: dict[str, list[int]] = {}
    on_lines: dict[tuple[str, int], list[int]] = {}
    between: dict[tuple[str, str], list[int]] = {}
    nowhere: list[int] = []
    picture = _Picture(diagram)
    for number, finding in findings:
        way = picture.on_the_way(finding) or picture.between(finding)
        places = (finding.primary, *(one.span for one in finding.related))
        node = next((node for span in places if (node := picture.node_at(span)) is not None), None)
        if way is not None:
            between.setdefault((way.source, way.target), []).append(number)
        elif node is None:
            nowhere.append(number)
        else:
            line = _line_at(node, finding)
            if line is None:
                on_nodes.setdefault(node.id, []).append(number)
            else:
                on_lines.setdefault((node.id, line), []).append(number)
    return Placed(on_nodes, on_lines, between, nowhere)


def cut(diagram: Diagram, where: Placed, most: int) -> Diagram:
    """The picture with at most so many nodes: those of the first findings, then their neighbours, then others."""
    if len(diagram.nodes) <= most:
        return diagram
    first: dict[str, int] = {}
    about = [((node,), numbers) for node, numbers in where.on_nodes.items()]
    about += [((node,), numbers) for (node, _), numbers in where.on_lines.items()]
    for ends, numbers in (*about, *where.between.items()):
        for node in ends:
            first[node] = min(first.get(node, numbers[0]), *numbers)
    never = 1 + max(first.values(), default=0)
    near: dict[str, int] = {}
    for one in diagram.connections:
        for end, other in ((one.source, one.target), (one.target, one.source)):
            near[end] = min(near.get(end, never), first.get(other, never))
    order = sorted(diagram.nodes, key=lambda node: (first.get(node.id, never), near.get(node.id, never)))
    kept = {node.id for node in order[:most]}
    return diagram._replace(
        nodes=tuple(node for node in diagram.nodes if node.id in kept),
        connections=tuple(one for one in diagram.connections if one.source in kept and one.target in kept),
    )


class Places:
    """Which of many numbered places a span meets: a project may have thousands of both."""

    def __init__(self, places: Iterable[tuple[int, Span]]) -> None:
        self._of: dict[str, list[tuple[int, int, int]]] = {}
        """By path, in the order of where they begin: where each begins and ends, and its number."""
        for number, span in places:
            self._of.setdefault(span.path, []).append((span.start, span.end, number))
        self._furthest: dict[str, list[int]] = {}
        """Where the longest of those up to each one ends: further back than that nothing has to be looked for."""
        for path, found in self._of.items():
            found.sort()
            self._furthest[path] = list(accumulate((end for _, end, _ in found), max))

    def first(self, span: Span) -> int | None:
        """The least number of those that meet a span."""
        found, furthest = self._of.get(span.path, []), self._furthest.get(span.path, [])
        met = []
        at = bisect_left(found, (span.end,)) - 1
        while at >= 0 and furthest[at] > span.start:
            if found[at][1] > span.start:
                met.append(found[at][2])
            at -= 1
        return min(met, default=None)


class _Picture:
    """The nodes and connections of a picture, by the places that they are about."""

    def __init__(self, diagram: Diagram) -> None:
        self._diagram = diagram
        self._nodes = {node.id: node for node in diagram.nodes}
        self._lines = Places(
            (number, span) for number, node in enumerate(diagram.nodes) for line in node.lines for span in line.spans
        )
        self._ways = Places((number, span) for number, one in enumerate(diagram.connections) for span in one.spans)
        self._in_file: dict[str, list[Node]] = {}
        for node in diagram.nodes:
            for path in node.files if node.extent is None else {*node.files, node.extent.path}:
                self._in_file.setdefault(path, []).append(node)
        self._onward: dict[str, dict[str, Connection]] = {}
        for one in diagram.connections:
            self._onward.setdefault(one.source, {}).setdefault(one.target, one)

    def on_the_way(self, finding: Finding) -> Connection | None:
        """The connection to which the very place of a finding belongs."""
        number = self._ways.first(finding.primary)
        return None if number is None else self._diagram.connections[number]

    def between(self, finding: Finding) -> Connection | None:
        """The connection whose two ends a finding is about; over several nodes the first of them."""
        own = self.node_at(finding.primary)
        others = [node for place in finding.related if (node := self.node_at(place.span)) is not None]
        for other in others:
            if own is not None and other.id != own.id:
                way = self._way(own.id, other.id) or self._way(other.id, own.id)
                if way is not None:
                    return way
        return None

    def _way(self, source: str, target: str) -> Connection | None:
        """The connection by which a way from one node to another begins, if it leads to it over two at most."""
        onward = self._onward.get(source, {})
        return onward.get(target) or next(
            (one for over, one in onward.items() if target in self._onward.get(over, {})), None
        )

    def node_at(self, span: Span) -> Node | None:
        """The node that a place belongs to: by its lines, its part of a file, or its files."""
        number = self._lines.first(span)
        if number is not None:
            return self._diagram.nodes[number]
        near = self._in_file.get(span.path, [])
        inside = (node for node in near if node.extent is not None and node.extent.covers(span))
        whole = (node for node in near if span.path in node.files)
        return next(chain(inside, whole), None)


def _line_at(node: Node, finding: Finding) -> int | None:
    """The line of a node that a finding is about: the smallest around its place, or else around a related one."""
    for place, span in enumerate((finding.primary, *(one.span for one in finding.related))):
        # A line that is lost somewhere is written somewhere else, where it may well be in force.
        found = [
            (at.end - at.start, (line.kind == "drops") == (place == 0), number)
            for number, line in enumerate(node.lines)
            for at in line.spans
            if _meet(span, at)
        ]
        if found:
            return min(found)[-1]
    return None


def _meet(one: Span, other: Span) -> bool:
    return one.path == other.path and one.start < other.end and other.start < one.end
