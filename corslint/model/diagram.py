"""What a picture of a project shows: who talks to whom, over what, and which of them adds which CORS header."""

from __future__ import annotations

from typing import Literal

from corslint.model.tri import Tri
from corslint.records import NamedTuple
from corslint.source import Span

NodeKind = Literal["browser", "proxy", "server", "elsewhere"]
LineKind = Literal["asks", "takes", "adds", "drops"]


class Line(NamedTuple):
    """One thing that a node does.

    `asks`: a request of a page. `takes`: a path that comes in, `note` says where it leads. `adds`: a CORS header, with
    its value as `note`, as far as it is known. `drops`: one that was set further out and gets lost. `scope` is the path
    or route that a header is limited to, empty for everywhere; `spans` are the places that the line is about.
    """

    kind: LineKind
    text: str
    note: str
    spans: tuple[Span, ...]
    scope: str = ""


class Node(NamedTuple):
    """A page, a proxy, a program of the project, or whatever lies elsewhere.

    `files` are those that it consists of, sorted; `extent` is its part of a file where it is no more than that. What is
    not `known` is not in the project, and stands for what must be there.
    """

    id: str
    kind: NodeKind
    title: str
    subtitle: str
    files: tuple[str, ...]
    lines: tuple[Line, ...]
    extent: Span | None = None
    known: bool = True


class Connection(NamedTuple):
    """Requests that go from one node to another: yes, or unknown. `carries` says what.

    `spans` are places that belong to the way and to neither end, such as an nginx upstream.
    """

    source: str
    target: str
    exists: Tri
    carries: tuple[str, ...]
    reason: str
    spans: tuple[Span, ...]


class Diagram(NamedTuple):
    """One context. `title` is its folder. Nodes and connections are in a fixed order."""

    title: str
    nodes: tuple[Node, ...]
    connections: tuple[Connection, ...]
