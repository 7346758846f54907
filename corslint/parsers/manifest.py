"""Package manifests to a `ManifestReading`. Lock files are read in `lockfiles.py`.

Values are read by the standard readers of JSON and TOML and by `packaging`; these know nothing of positions, so the
spans come from small scanners of the same text. Spans of JSON and TOML strings include their quotes, as the spans of
Literals do; a line of a requirements file is spanned from the package's name to the end of its specifier or marker.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from corslint.model.reading import Damage, ManifestReading, Requirement
from corslint.model.values import Literal
from corslint.parsers.json_places import BOM, BrokenError, json_object, json_strings
from corslint.records import NamedTuple
from corslint.regexes import regex
from corslint.source import SourceFile, Span

# In order of what counts where a package is named twice.
_NPM_SECTIONS = ("dependencies", "optionalDependencies", "devDependencies", "peerDependencies")

_NPM_EXACT = regex(r"\s*+(?:=\s*+)?v?(\d+\.\d+\.\d+(?:-[0-9A-Za-z.-]+)?)(?:\+[0-9A-Za-z.-]+)?\s*\Z")
_NPM_ALIAS = regex(r"\s*npm:(?:@[^@/]+/)?[^@/]+@(.*)\Z", re.DOTALL)

_TOML_TOKEN = regex(
    rb"(?P<space>[ \t\r]+|#[^\n]*)|(?P<newline>\n)"
    rb'|(?P<string>"""(?:[^"\\]|\\.|"(?!""))*+"{3,5}|\'\'\'(?:[^\']|\'(?!\'\'))*+\'{3,5}|"(?:[^"\\\n]|\\.)*+"|\'[^\'\n]*+\')'
    rb"|(?P<mark>[\[\]{}=,.])|(?P<bare>[^\s\[\]{}=,.#\"']+)",
    re.DOTALL,
)
_TOML_PLACE = regex(r"\(at line (\d+), column (\d+)\)")

_DEVELOPMENT = regex(r"(?:^|[^a-z])(?:dev|develop|development|tests?|testing|lint|linting|docs?|ci|typing)(?:[^a-z]|$)")

# Options that follow a requirement on its line (`--hash=...`), and the comment behind it.
_LINE_OPTION = regex(r"[ \t]--?[A-Za-z]")
_LINE_COMMENT = regex(r"(?:^|[ \t])#")
_LONGEST_LINE = 4000
_EGG = regex(r"[#&]egg=([A-Za-z0-9._-]+)")
_EDITABLE = regex(r"(?:-e|--editable)(?:[ \t]+|=)")


def read(source: SourceFile) -> ManifestReading:
    """Read a manifest by its name. Never raises; a file that is broken gives one Damage with its place."""
    name = source.path.rpartition("/")[2].lower()
    if name == "package.json":
        return _package_json(source)
    if name.endswith(".toml"):
        return _pyproject(source)
    return _requirements(source)


def broken(source: SourceFile, kind: str, message: str, offset: int) -> ManifestReading:
    """The reading of a file that is of no use: its one Damage, at a byte offset."""
    start = min(offset, len(source.data))
    place = Span(source.path, start, min(start + 1, len(source.data)))
    return ManifestReading(source.path, kind, (), (), (Damage(place, message, True),))


# npm


def pinned(specifier: str) -> str | None:
    """The one version that an npm range means, or None."""
    alias = _NPM_ALIAS.match(specifier)
    exact = _NPM_EXACT.match(alias[1] if alias is not None else specifier)
    return exact[1] if exact is not None else None


def _package_json(source: SourceFile) -> ManifestReading:
    kind = "package.json"
    try:
        content = json_object(source)
    except BrokenError as error:
        return broken(source, kind, error.message, error.offset)
    places = json_strings(source.data, 2)
    found: list[Requirement] = []
    for section in _NPM_SECTIONS:
        packages = content.get(section)
        if not isinstance(packages, dict):
            continue
        for name, specifier in packages.items():
            place = places.get((section, name))
            if not isinstance(specifier, str) or place is None:
                continue
            found.append(
                Requirement(
                    "npm",
                    name,
                    specifier,
                    pinned(specifier),
                    section == "devDependencies",
                    Span(source.path, *place),
                )
            )
    workspaces = content.get("workspaces")
    if isinstance(workspaces, dict):  # yarn: {"packages": [...], "nohoist": [...]}
        workspaces = workspaces.get("packages")
    patterns = tuple(item for item in workspaces if isinstance(item, str)) if isinstance(workspaces, list) else ()
    texts = tuple(
        (keys[0], Literal(str(content[keys[0]]), Span(source.path, *place)))
        for keys, place in places.items()
        if len(keys) == 1 and isinstance(content.get(keys[0]), str)
    )
    return ManifestReading(source.path, kind, tuple(found), patterns, (), texts)


# Python


class _Parsed(NamedTuple):
    name: str
    specifier: str
    version: str | None


def _parsed(text: str) -> _Parsed | None:
    """A requirement by PEP 508, or None where it is something else (a path, a URL, a template)."""
    from packaging.requirements import InvalidRequirement, Requirement

    try:
        found = Requirement(text)
    except (InvalidRequirement, RecursionError):
        return None
    if found.url:
        return _Parsed(found.name, f"@ {found.url}", None)
    specifiers = list(found.specifier)
    version = None
    if len(specifiers) == 1 and specifiers[0].operator in ("==", "===") and "*" not in specifiers[0].version:
        version = specifiers[0].version
    return _Parsed(found.name, str(found.specifier), version)


def _requirements(source: SourceFile) -> ManifestReading:
    """A pip requirements file: https://pip.pypa.io/en/stable/reference/requirements-file-format/."""
    development = _DEVELOPMENT.search(source.path.rpartition("/")[2].lower()) is not None
    found: list[Requirement] = []
    for text, start in _logical_lines(source.data):
        requirement, lead = text, 0
        editable = _EDITABLE.match(text)
        if editable is not None:
            lead = editable.end()
            requirement = text[lead:]
        elif text.startswith("-"):
            continue  # -r, -c, --index-url and so on
        parsed = _parsed(requirement)
        if parsed is None:
            egg = _EGG.search(requirement)
            if egg is None:
                continue
            parsed = _Parsed(egg[1], f"@ {requirement}", None)
        start += len(text[:lead].encode())
        place = Span(source.path, start, start + len(requirement.encode()))
        found.append(Requirement("pypi", parsed.name, parsed.specifier, parsed.version, development, place))
    return ManifestReading(source.path, "requirements.txt", tuple(found), (), ())


def _logical_lines(data: bytes) -> Iterator[tuple[str, int]]:
    """The lines of a requirements file without comments, options behind a requirement and white space at the ends.

    Each with its byte offset. Of a line that is continued only the first part is kept: what follows are hashes.
    """
    at = len(BOM) if data.startswith(BOM) else 0
    continued = False
    for line in data[at:].split(b"\n"):
        start = at
        at += len(line) + 1
        skip, continued = continued, line.rstrip().endswith(b"\\")
        if skip or len(line) > _LONGEST_LINE:
            continue
        text = _text(line)
        lead = len(text) - len(text.lstrip())
        text = text[lead:]
        end = _LINE_COMMENT.search(text)
        text = text[: end.start()] if end is not None else text
        end = _LINE_OPTION.search(text) if not text.startswith("-") else None
        text = text[: end.start()] if end is not None else text
        text = text.rstrip("\\ \t\r\f\v")
        if text:
            yield text, start + lead


def _text(line: bytes) -> str:
    """A line as text of the same length in bytes: what is not UTF-8 becomes a question mark."""
    try:
        return line.decode("utf-8")
    except UnicodeDecodeError:
        return re.sub("[\udc80-\udcff]", "?", line.decode("utf-8", "surrogateescape"))


def _pyproject(source: SourceFile) -> ManifestReading:
    """`[project]`, `[dependency-groups]` and the tables of Poetry and uv."""
    import tomllib

    kind = "pyproject.toml"
    data = source.data
    skipped = len(BOM) if data.startswith(BOM) else 0
    try:
        content = tomllib.loads(data[skipped:].decode("utf-8"))
    except UnicodeDecodeError as error:
        return broken(source, kind, "the file is not UTF-8", skipped + error.start)
    except tomllib.TOMLDecodeError as error:
        message = str(error)
        place = _TOML_PLACE.search(message)
        text = _TOML_PLACE.sub("", message).replace("(at end of document)", "").strip()
        if place is None:
            return broken(source, kind, f"not valid TOML: {text}", len(data))
        return broken(source, kind, f"not valid TOML: {text}", _offset(source, int(place[1]), int(place[2])))
    except (ValueError, RecursionError):
        return broken(source, kind, "TOML that is nested too deeply, or holds a number that is too long", skipped)
    places = _toml_strings(data, skipped)
    found: list[Requirement] = []

    def table(value: object, *path: str) -> dict[str, object]:
        for key in path:
            value = value.get(key) if isinstance(value, dict) else None
        return value if isinstance(value, dict) else {}

    def listed(value: object, path: tuple[str | int, ...], development: bool) -> None:
        for position, item in enumerate(value if isinstance(value, list) else ()):
            parsed = _parsed(item) if isinstance(item, str) else None
            place = places.get((*path, position))
            if parsed is not None and place is not None:
                span = Span(source.path, *place)
                found.append(Requirement("pypi", parsed.name, parsed.specifier, parsed.version, development, span))

    def poetry(packages: dict[str, object], path: tuple[str, ...], development: bool) -> None:
        for name, value in packages.items():
            if name.lower() == "python":
                continue
            for position, item in enumerate(value) if isinstance(value, list) else [(None, value)]:
                at: tuple[str | int, ...] = (*path, name) if position is None else (*path, name, position)
                specifier = item
                if isinstance(item, dict):
                    specifier = item.get("version", "")
                    at = (*at, "version")
                    if "version" not in item:
                        at = next((place for place in places if place[: len(path) + 1] == (*path, name)), at)
                place = places.get(at)
                if isinstance(specifier, str) and place is not None:
                    span = Span(source.path, *place)
                    version = _poetry_pinned(specifier)
                    found.append(Requirement("pypi", name, specifier, version, development, span))

    project = table(content, "project")
    listed(project.get("dependencies"), ("project", "dependencies"), False)
    for extra, value in table(project, "optional-dependencies").items():
        listed(value, ("project", "optional-dependencies", extra), _DEVELOPMENT.search(extra.lower()) is not None)
    for group, value in table(content, "dependency-groups").items():
        listed(value, ("dependency-groups", group), True)
    listed(table(content, "tool", "uv").get("dev-dependencies"), ("tool", "uv", "dev-dependencies"), True)
    base = ("tool", "poetry")
    poetry(table(content, *base, "dependencies"), (*base, "dependencies"), False)
    poetry(table(content, *base, "dev-dependencies"), (*base, "dev-dependencies"), True)
    for group in table(content, *base, "group"):
        path = (*base, "group", group, "dependencies")
        poetry(table(content, *path), path, group != "main")
    return ManifestReading(source.path, kind, tuple(found), (), ())


def _poetry_pinned(specifier: str) -> str | None:
    """Poetry reads a bare version as that version alone."""
    found = re.fullmatch(r"\s*+(?:={2,3}\s*+)?(\d[\w.+!-]*)\s*", specifier)
    return found[1] if found is not None and "*" not in specifier else None


def _offset(source: SourceFile, line: int, column: int) -> int:
    """The byte offset of a 1-based line and column (in characters)."""
    span = source.line_span(min(line, source.line_count))
    return span.start + len(source.text(span)[: column - 1].encode())


def _toml_strings(data: bytes, start: int) -> dict[tuple[str | int, ...], tuple[int, int]]:
    """Where the string values of (valid) TOML stand, by the keys and positions that lead to them."""
    tokens = [
        (found.lastgroup or "", found.start(), found.end())
        for found in _TOML_TOKEN.finditer(data, start)
        if found.lastgroup != "space"
    ]
    places: dict[tuple[str | int, ...], tuple[int, int]] = {}
    tables: dict[tuple[str | int, ...], int] = {}
    table: tuple[str | int, ...] = ()
    at = 0

    def mark(offset: int = 0) -> bytes:
        if at + offset >= len(tokens):
            return b""
        kind, first, last = tokens[at + offset]
        return data[first:last] if kind in ("mark", "newline") else b""

    def keys() -> tuple[str | int, ...]:
        """A dotted key; stops before `=` or `]`."""
        nonlocal at
        path: list[str | int] = []
        while at < len(tokens):
            kind, first, last = tokens[at]
            if kind == "string":
                path.append(_toml_key(data[first:last]))
            elif kind == "bare":
                path.append(data[first:last].decode("utf-8", "replace"))
            elif data[first:last] != b".":
                break
            at += 1
        return tuple(path)

    def value(path: tuple[str | int, ...]) -> None:
        """The value behind a key; brackets are followed with a stack of their own, not by recursion."""
        nonlocal at
        stack: list[tuple[bytes, tuple[str | int, ...], int]] = []
        while at < len(tokens):
            kind, first, last = tokens[at]
            sign = mark()
            if kind == "string":
                places[path] = (first, last)
            elif sign == b"[":
                stack.append((b"[", path, 0))
                path = (*path, 0)
            elif sign == b"{":
                stack.append((b"{", path, 0))
                at += 1
                path = (*path, *keys())
                if mark() != b"=":
                    continue
            elif sign in (b"]", b"}") and stack:
                path = stack.pop()[1]
            elif sign == b"," and stack:
                opening, base, position = stack[-1]
                if opening == b"[":
                    stack[-1] = (opening, base, position + 1)
                    path = (*base, position + 1)
                else:
                    at += 1
                    path = (*base, *keys())
                    if mark() != b"=":
                        continue
            elif sign == b"\n" and not stack:
                return
            at += 1

    while at < len(tokens):
        if mark() == b"[":
            array = mark(1) == b"["
            at += 2 if array else 1
            table = keys()
            if array:
                tables[table] = tables.get(table, -1) + 1
                table = (*table, tables[table])
            at += 2 if array else 1
        elif mark() == b"\n":
            at += 1
        else:
            path = (*table, *keys())
            if mark() != b"=":
                at += 1
                continue
            at += 1
            value(path)
    return places


def _toml_key(token: bytes) -> str:
    """A quoted key; in double quotes TOML's escapes are those of JSON but for the long Unicode one."""
    text = token.decode("utf-8", "replace")
    if text.startswith('"') and "\\" in text:
        try:
            return str(json.loads(text))
        except ValueError:
            return text[1:-1]
    return text[1:-1]
