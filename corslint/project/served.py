"""Which folders of a project an application serves as files."""

from __future__ import annotations

import posixpath
from collections.abc import Collection, Iterable, Iterator

from corslint.model.facts import Fact, Field
from corslint.model.values import Call, Concat, Literal, Member, Value
from corslint.project.link import Linker
from corslint.project.packages import Packages

_JOINS = frozenset({"path#join", "path#resolve"})
_HERE = frozenset({"global#__dirname", "global#import.meta.dirname"})


def note_folders(facts: Iterable[Fact], linker: Linker, packages: Packages) -> None:
    """Fill the `folder` of layers that serve files, where it is written."""
    for fact in facts:
        if fact.kind == "middleware" and fact.field("kind").value == "static" and "handler" in fact.values:
            made = linker.resolve(fact.values["handler"])
            if isinstance(made, Call) and made.arguments:
                given = made.arguments[0].value
                folder = _folder(given, made.span.path, linker, packages)
                state = "unknown" if folder is None else "written"
                fact.fields["folder"] = Field(folder, state, given.span)  # type: ignore[arg-type]


def _folder(given: Value, path: str, linker: Linker, packages: Packages) -> str | None:
    parts = list(_parts(linker.resolve(given), linker))
    beside = bool(parts) and parts[0] == ""
    texts = parts[1:] if beside else parts
    if not texts or any(text is None for text in texts):
        return None
    base = posixpath.dirname(path) if beside else packages.root_of(path)
    joined = "/".join(text.strip("/") for text in texts if text is not None)
    folder = posixpath.normpath(posixpath.join(base, joined))
    return None if folder.startswith("..") else "" if folder == "." else folder


def _parts(value: Value, linker: Linker) -> Iterator[str | None]:
    """The pieces of a path; an empty one for the folder that the file lies in, None for what is not known."""
    if isinstance(value, Call) and linker.canonical(value.callee) in _JOINS:
        pieces: Collection[Value] = [argument.value for argument in value.arguments]
    elif isinstance(value, Concat):
        pieces = value.parts
    else:
        pieces = (value,)
    for piece in pieces:
        found = linker.resolve(piece)
        if isinstance(found, Literal) and isinstance(found.value, str):
            yield found.value
        elif linker.canonical(piece) in _HERE or (isinstance(piece, Member) and piece.key == "dirname"):
            yield ""
        else:
            yield None


_BUILT = frozenset({"build", "dist", "out"})


def holds(folder: str, path: str) -> bool:
    """Whether a file is served with that folder, as it is or built into it."""
    places = [folder]
    if posixpath.basename(folder) in _BUILT:
        places.append(posixpath.dirname(folder))
    return any(place and path.startswith(f"{place}/") for place in places)
