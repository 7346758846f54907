"""Where in the picture of a project a finding belongs: on a line of a node, on a node, or between two."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

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
    for number, finding in findings:
        way = _on_the_way(diagram, finding) or _between(diagram, finding)
        places = (finding.primary, *(one.span for one in finding.related))
        node = next((node for span in places if (node := _node_at(diagram, span)) is not None), None)
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


def _on_the_way(diagram: Diagram, finding: Finding) -> Connection | None:
    """The connection to which the very place of a finding belongs."""
    return next((one for one in diagram.connections if any(_meet(finding.primary, at) for at in one.spans)), None)


def _between(diagram: Diagram, finding: Finding) -> Connection | None:
    """The connection whose two ends a finding is about; over several nodes the first of them."""
    own = _node_at(diagram, finding.primary)
    others = [node for place in finding.related if (node := _node_at(diagram, place.span)) is not None]
    for other in others:
        if own is not None and other.id != own.id:
            way = _way(diagram, own.id, other.id) or _way(diagram, other.id, own.id)
            if way is not None:
                return way
    return None


def _way(diagram: Diagram, source: str, target: str) -> Connection | None:
    """The connection by which a way from one node to another begins, if it leads to it over two at most."""
    onward = [one for one in diagram.connections if one.source == source]
    direct = next((one for one in onward if one.target == target), None)
    reaching = {one.source for one in diagram.connections if one.target == target}
    return direct or next((one for one in onward if one.target in reaching), None)


def _node_at(diagram: Diagram, span: Span) -> Node | None:
    """The node that a place belongs to: by its lines, its part of a file, or its files."""
    for node in diagram.nodes:
        if any(_meet(span, at) for line in node.lines for at in line.spans):
            return node
    inside = [node for node in diagram.nodes if node.extent is not None and node.extent.covers(span)]
    whole = [node for node in diagram.nodes if span.path in node.files]
    return next(iter([*inside, *whole]), None)


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
