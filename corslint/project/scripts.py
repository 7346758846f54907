"""Which library a script tag of a page (or an import from a URL) stands for, and in which version."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Sequence

from corslint.model.reading import CodeReading, ScriptTag
from corslint.project.packages import Packages, VersionInForce
from corslint.records import NamedTuple
from corslint.regexes import regex
from corslint.source import Span

_GLOBAL = regex(r"global#(?:(?:window|self|globalThis)\.)?(?P<name>\w+)(?P<rest>.*)", re.DOTALL)
_URL_IMPORT = regex(r"(?P<url>(?:https?:)?//[^#]+|/[^#]+|\.\.?/[^#]+)#(?P<rest>.+)", re.DOTALL)
_SCRIPT_FILE = regex(r"(?<![\w.-])[\w.-]+\.[cm]?js\b")
_EXACT = regex(r"\d+\.\d+\.\d+")


class ScriptSource(NamedTuple):
    """An address a library is loaded from. A group `version` of the pattern is its version; without one it is that of
    the package `version_of` (ecosystem, name) which serves the script, or not known."""

    url: re.Pattern[str]
    version_of: tuple[str, str] | None


class ScriptLibrary(NamedTuple):
    """A library that binds the global `name`; `stands_for` is the API that this is (`package#export`)."""

    name: str
    stands_for: str
    sources: tuple[ScriptSource, ...]


class Loaded(NamedTuple):
    """An API that a page's script gave a name to, its version where that is known, and the tag or import."""

    name: str
    version: VersionInForce | None
    span: Span


class _Tag(NamedTuple):
    page: str
    tag: ScriptTag
    version: VersionInForce | None


class Scripts:
    """The script tags of one project's pages."""

    def __init__(self, readings: Iterable[CodeReading], libraries: Sequence[ScriptLibrary], packages: Packages) -> None:
        self._libraries = libraries
        self._packages = packages
        self._tags: dict[str, list[_Tag]] = {library.name: [] for library in libraries}
        self._pages_of: dict[str, set[str]] = {}
        for reading in readings if libraries else ():
            for tag in reading.scripts:
                self._pages_of.setdefault(_file_name(tag.url), set()).add(reading.path)
                for library in libraries:
                    source = _source(library, tag.url)
                    if source is not None:
                        version = self._version(source, tag.url, tag.span, reading.path)
                        self._tags[library.name].append(_Tag(reading.path, tag, version))

    def api(self, name: str, path: str, span: Span) -> Loaded | None:
        """The API behind a canonical name: a global that a script of a page binds, or an import from a URL."""
        found = _GLOBAL.fullmatch(name) if name.startswith("global#") else None
        if found is not None and found["name"] in self._tags:
            tags = self._in_force(found["name"], path)
            if not tags:
                return None
            library = next(library for library in self._libraries if library.name == found["name"])
            versions = {(tag.version.exact, tag.version.majors) if tag.version else None for tag in tags}
            version = tags[0].version if len(versions) == 1 else None
            return Loaded(library.stands_for + found["rest"], version, tags[0].tag.span)
        imported = _URL_IMPORT.fullmatch(name) if name.startswith(("/", ".", "http:", "https:")) else None
        if imported is not None:
            for library in self._libraries:
                source = _source(library, imported["url"])
                if source is not None:
                    package = library.stands_for.partition("#")[0]
                    version = self._version(source, imported["url"], span, path)
                    return Loaded(f"{package}#{imported['rest']}", version, span)
        return None

    def may_bind(self, name: str) -> bool:
        """Whether a script tag may bind a global of this name."""
        return name in self._tags

    def may_name(self, name: str) -> bool:
        """Whether a canonical name may stand for another API, now or where further pages are read."""
        found = _GLOBAL.fullmatch(name)
        return (found is not None and found["name"] in self._tags) or _URL_IMPORT.fullmatch(name) is not None

    def _in_force(self, name: str, path: str) -> list[_Tag]:
        """The tags that bind a global for a file: its own; those of pages that load it; those of its package."""
        tags = self._tags[name]
        pages = self._pages_of.get(posixpath.basename(path), set())
        for chosen in (
            [tag for tag in tags if tag.page == path],
            [tag for tag in tags if tag.page in pages],
            [tag for tag in tags if self._packages.root_of(tag.page) == self._packages.root_of(path)],
        ):
            if chosen:
                return chosen
        return tags

    def _version(self, source: ScriptSource, url: str, span: Span, path: str) -> VersionInForce | None:
        found = source.url.search(url)
        text = found.groupdict().get("version") if found is not None else None
        if text:
            exact = text if _EXACT.fullmatch(text) else None
            return VersionInForce(exact, text, frozenset({int(text.partition(".")[0])}), span, "high")
        if source.version_of is None:
            return None
        ecosystem, package = source.version_of
        return self._packages.version(ecosystem, package, path)


def _source(library: ScriptLibrary, url: str) -> ScriptSource | None:
    return next((source for source in library.sources if source.url.search(url)), None)


def _file_name(url: str) -> str:
    """The name of the script's file. A template's expression may stand around it: `{{ url_for(..., 'chat.js') }}`."""
    names: list[str] = _SCRIPT_FILE.findall(url)
    return names[-1] if names else ""
