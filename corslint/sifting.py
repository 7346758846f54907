"""Which files of a project are worth parsing, found out by looking at their bytes, and those parsed.

What reading many files costs is looking at those that hold nothing; so that is done many files at a time, and where
there are enough of them by several processes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from corslint import cache
from corslint.model.reading import CodeReading, DeploymentReading, Reading
from corslint.parsers import kind_of, language_of, parse, worth_parsing_of
from corslint.records import NamedTuple
from corslint.regexes import regex
from corslint.source import SourceFile

BATCH = 64
"""So many files are sifted at once: to look for a word in many small files takes longer than in all of them at once."""

WORTH_WORKERS = 1000
"""Files. With fewer, to begin processes takes longer than they save (measured)."""

WORTH_HANDING_OVER = 4
"""Processes. To hand over a reading, which is to write it down, takes longer than to make it: fewer only sift, unless
what is read is written down anyway, and whoever asked them parses meanwhile (measured)."""

WORTH = "w"
"""Said of a file besides the words of `cache`: it is worth parsing, and was not parsed."""

_SCRIPTS = frozenset(("javascript", "typescript", "tsx"))
_EXPORTS_DATA = regex(
    rb"(?:\s|//[^\n]*+|/\*(?s:.*?)\*/)*+"
    rb"(?:export\s+default|(?:export\s+)?(?:const|let|var)\s+[\w$]+\s*(?::\s*[\w$.\[\]]+\s*)?=|module\.exports\s*=)"
    rb"(?=\s*[\[{])"
)
"""The beginning of a script that makes one object or list, behind comments."""


class Choice(NamedTuple):
    """What makes a file worth parsing: words, by language, and names of files that always are.

    With `mark` begin comments that are meant for corslint; one of the usual words stands in it.
    """

    words: Mapping[str, Sequence[bytes]]
    always: Callable[[str], bool]
    mark: bytes

    def worth(self, files: Sequence[tuple[str, bytes]]) -> set[str]:
        """Those of the files that can hold facts of their own, with their contents."""
        found: set[str] = set()
        by_language: dict[str | None, list[tuple[str, bytes]]] = {}
        for path, data in files:
            by_language.setdefault(language_of(path), []).append((path, data))
        for language, every in by_language.items():
            if language is None:
                found.update(path for path, _ in every)
                continue
            worth = worth_parsing_of([data for _, data in every], self.words.get(language, ()))
            found.update([every[place][0] for place in worth])
            found.update([path for path, _ in every if self.always(path[path.rfind("/") + 1 :])])
        return found

    def is_only_data(self, path: str, data: bytes) -> bool:
        """Whether a script is nothing but JSON under a name, which says nothing alone: to parse it takes ten times as
        long as to see that. Generated ones are among the largest files of projects, and all words stand in them."""
        if kind_of(path) not in _SCRIPTS or self.mark in data or self.always(path.rpartition("/")[2]):
            return False
        begin = _EXPORTS_DATA.match(data)
        if begin is None:
            return False
        import json

        try:
            json.loads(data[begin.end() :].decode().strip().removesuffix(";"))
        except (ValueError, RecursionError, MemoryError):
            return False
        return True

    def what(self, path: str, found: Reading, data: bytes) -> str:
        """Whether a file says anything alone: it calls, writes or starts something, or could not be read whole."""
        if found.damage or self.mark in data:
            return cache.READ
        if isinstance(found, DeploymentReading):
            return cache.READ if any(found[2:]) else cache.INERT  # anything but its path and kind
        if not isinstance(found, CodeReading) or found.language != "javascript" or found.page or found.scripts:
            return cache.READ
        does = found.calls or found.writes or found.decorations or self.always(path.rpartition("/")[2])
        return cache.READ if does or any(scope.kind == "class" for scope in found.scopes) else cache.INERT


class Sifted(NamedTuple):
    """What a worker found of a file: `WORTH` or one of the words of `cache`; with the encoded reading, where there is
    one, the digest of what it was read from. `trouble` says why nothing could be found."""

    path: str
    what: str
    digest: str = ""
    encoded: bytes | None = None
    trouble: str | None = None


def batches(paths: Iterable[str]) -> Iterator[list[str]]:
    """The paths, so many at a time as are sifted at once."""
    batch: list[str] = []
    for path in paths:
        batch.append(path)
        if len(batch) == BATCH:
            yield batch
            batch = []
    if batch:
        yield batch


def by_workers(
    paths: Sequence[str], choice: Choice, read: Callable[[str], bytes], jobs: int, *, keeps: bool
) -> Iterator[Sifted]:
    """What is found of these files, in their order. A file that makes its worker crash or hang costs only itself.

    `keeps`: what is read is written down for the next run.
    """
    from corslint import workers

    every_batch = list(batches(paths))
    tasks = ["\0".join(batch) for batch in every_batch]
    parses = keeps or jobs >= WORTH_HANDING_OVER

    def work(task: str) -> bytes:
        return _packed(_sifted(task.split("\0"), choice, read, parses=parses))

    for every, done in zip(every_batch, workers.spread(tasks, work, jobs), strict=True):
        if isinstance(done, bytes):
            yield from _unpacked(every, done)
            continue
        for path, alone in zip(every, workers.spread(every, work, jobs), strict=True):  # which of them was it?
            if isinstance(alone, bytes):
                yield from _unpacked([path], alone)
            else:
                yield Sifted(path, cache.NOTHING, trouble=alone.reason if alone is not None else "")


def _sifted(paths: Sequence[str], choice: Choice, read: Callable[[str], bytes], *, parses: bool) -> Iterator[Sifted]:
    """What is found of these files. Those that may say much are parsed, or it is only said that they are worth it."""
    files, troubles = [], {}
    for path in paths:
        try:
            files.append((path, read(path)))
        except OSError as error:
            troubles[path] = error.strerror or str(error)
    worth = choice.worth(files)
    contents = dict(files)
    leaves = frozenset[str]() if parses else {path for path in worth if _may_say_much(path)}
    for path in paths:
        if path in troubles:
            yield Sifted(path, cache.NOTHING, trouble=troubles[path])
        elif path not in worth:
            yield Sifted(path, cache.PLAIN)
        elif choice.is_only_data(path, contents[path]):
            yield Sifted(path, cache.INERT)
        elif path in leaves:
            yield Sifted(path, WORTH)
        else:
            data = contents[path]
            found = parse(SourceFile(path, data))
            what = cache.NOTHING if found is None else choice.what(path, found, data)
            if found is None or what == cache.INERT:  # most are never asked for
                yield Sifted(path, what)
            else:
                yield Sifted(path, what, cache.digest(data), _encoded(found))


def _may_say_much(path: str) -> bool:
    """Whether what is read of a file is mostly asked for later. Of scripts and documents little is."""
    return language_of(path) is not None or kind_of(path) in ("manifest", "nginx")


def _encoded(found: Reading) -> bytes:
    """Empty for one that is too deep to be handed over."""
    from corslint.model import encoding

    try:
        return encoding.encode(found)
    except encoding.EncodingError:
        return b""


def decoded(one: Sifted) -> Reading | None:
    """The reading that a worker hands over, if any."""
    if one.encoded is None:
        return None
    from corslint.model import encoding

    return encoding.decode(one.encoded, one.path)


def _packed(every: Iterable[Sifted]) -> bytes:
    parts = []
    for one in every:
        said = one.encoded if one.trouble is None else one.trouble.encode("utf-8", "replace")
        kind = one.what if one.trouble is None else "x"
        parts += [kind.encode(), one.digest.encode().ljust(32), len(said or b"").to_bytes(4, "little"), said or b""]
    return b"".join(parts)


def _unpacked(paths: Iterable[str], data: bytes) -> Iterator[Sifted]:
    at = 0
    for path in paths:
        what, content = data[at : at + 1].decode(), data[at + 1 : at + 33].decode().rstrip()
        size = int.from_bytes(data[at + 33 : at + 37], "little")
        said = data[at + 37 : at + 37 + size]
        at += 37 + size
        if what == "x":
            yield Sifted(path, cache.NOTHING, trouble=said.decode("utf-8", "replace"))
        else:
            yield Sifted(path, what, content, said if content else None)
