"""Baselines: findings that a project has already, so that only new ones are reported.

A baseline is a JSON file that belongs into version control, one finding a line. Findings are known again by their
fingerprints (`corslint/model/fingerprint.py`), which outlive moved lines. Paths count from the folder that the baseline
lies in, so it does not matter where corslint is started. A file with another name is another file: its findings are
new.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import tempfile
from collections.abc import Callable, Iterable, Sequence

from corslint.model import fingerprint
from corslint.model.finding import Finding
from corslint.paths import relative
from corslint.records import NamedTuple
from corslint.settings import UsageError
from corslint.source import SourceFile

VERSION = 1

_SIZE_LIMIT = 64 << 20


class Entry(NamedTuple):
    """A finding that is known. `message` is for people who read the file."""

    path: str
    rule: str
    fingerprint: str
    message: str


class Tellable(NamedTuple):
    """What a run can tell about findings that it does not have.

    It speaks of these `paths`, and of all others in `folder`, if there is one, which then do not exist any more or are
    excluded; but not of `damaged` files. `rules` are those that would speak if they had reason to; `known` are all.
    """

    paths: frozenset[str]
    folder: str | None
    damaged: frozenset[str]
    rules: frozenset[str]
    known: frozenset[str]


class Baseline:
    """A baseline, and which of its entries were found again."""

    def __init__(self, path: str, entries: Sequence[Entry], cwd: str) -> None:
        self.path = path
        self.entries = tuple(entries)
        self._name = _namer(path, cwd)
        self._known = {entry.fingerprint for entry in entries}
        self._found: set[str] = set()

    def is_known(self, findings: Sequence[Finding], sources: Callable[[str], SourceFile]) -> dict[Finding, bool]:
        """Whether each finding stands in the baseline. All findings of a file have to be asked about at once."""
        made = fingerprint.fingerprints(findings, sources, self._name)
        self._found.update(self._known.intersection(made))
        return {finding: one in self._known for finding, one in zip(findings, made, strict=True)}

    def stale(self, tellable: Tellable) -> list[Entry]:
        """The entries that would have been found again, but were not."""
        paths = {self._name(path) for path in tellable.paths}
        damaged = {self._name(path) for path in tellable.damaged}
        folder = self._name(tellable.folder) if tellable.folder is not None else None

        def is_stale(entry: Entry) -> bool:
            if entry.fingerprint in self._found or entry.path in damaged:
                return False
            if entry.rule not in tellable.rules:
                return entry.rule not in tellable.known
            return entry.path in paths or folder == "." or (folder is not None and entry.path.startswith(f"{folder}/"))

        return [entry for entry in self.entries if is_stale(entry)]


def read(path: str, cwd: str) -> Baseline:
    """A baseline from its file. Raises `UsageError` with file and line, and says what to do."""
    anew = f"write it anew with --write-baseline {path}"
    try:
        with open(os.path.join(cwd, path), "rb") as stream:
            data = stream.read(_SIZE_LIMIT + 1)
    except OSError as error:
        hint = f"; --write-baseline {path} makes one" if isinstance(error, FileNotFoundError) else ""
        raise UsageError(f"{path}: the baseline cannot be read: {error.strerror}{hint}") from None
    if len(data) > _SIZE_LIMIT:
        raise UsageError(f"{path}: a baseline of more than {_SIZE_LIMIT >> 20} MB is refused")
    try:
        text = data.decode("utf-8-sig")
        document = json.loads(text)
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise UsageError(f"{path}:{line}: the baseline is not UTF-8; {anew}") from None
    except json.JSONDecodeError as error:
        place, reason = f"{path}:{error.lineno}:{error.colno}", f"{error.msg[:1].lower()}{error.msg[1:]}"
        raise UsageError(f"{place}: the baseline is not valid JSON ({reason}); {anew}") from None
    except RecursionError:
        raise UsageError(f"{path}:1: the baseline is nested too deeply; {anew}") from None
    except ValueError:
        raise UsageError(f"{path}:1: the baseline holds a number that is too long; {anew}") from None
    if not isinstance(document, dict) or not isinstance(document.get("findings"), list):
        raise UsageError(f"{path}:1: this is no baseline of corslint; {anew}")
    for key, ours in (("version", VERSION), ("fingerprints", fingerprint.VERSION)):
        theirs = document.get(key)
        if theirs != ours or isinstance(theirs, bool):
            line = _line(text, f'"{key}"')
            raise UsageError(f"{path}:{line}: `{key}` is {json.dumps(theirs)}, and this corslint reads {ours}; {anew}")
    return Baseline(path, [_entry(path, text, *one) for one in enumerate(document["findings"])], cwd)


def _entry(path: str, text: str, number: int, raw: object) -> Entry:
    keys = Entry._fields
    if isinstance(raw, dict) and raw.keys() == set(keys) and all(isinstance(raw[key], str) for key in keys):
        return Entry(*(raw[key] for key in keys))
    what = f"an entry of a baseline has the keys {', '.join(keys)}, each with a text"
    anew = f"remove this one, or write the baseline anew with --write-baseline {path}"
    raise UsageError(f"{path}:{_entry_line(text, number)}: {what}; {anew}")


def _line(text: str, what: str) -> int:
    """Where a text stands: 1-based, 1 if it is written otherwise."""
    at = text.find(what)
    return text.count("\n", 0, at) + 1 if at >= 0 else 1


def _entry_line(text: str, number: int) -> int:
    """The 1-based line where an entry begins."""
    begin = re.search(r'"findings"\s*:\s*\[', text)
    decoder = json.JSONDecoder()
    start = at = begin.end() if begin is not None else 0
    for _ in range(number + 1):
        while text[at : at + 1] in (" ", "\t", "\r", "\n", ","):
            at += 1
        start = at
        _, at = decoder.raw_decode(text, at)
    return text.count("\n", 0, start) + 1


def make(
    path: str,
    findings: Sequence[Finding],
    among: Sequence[Finding],
    sources: Callable[[str], SourceFile],
    cwd: str,
) -> list[Entry]:
    """The entries that make `findings` known. `among` are all that would be asked about together with them."""
    name = _namer(path, cwd)
    every = [*among, *(finding for finding in findings if finding not in set(among))]
    prints = dict(zip(every, fingerprint.fingerprints(every, sources, name), strict=True))
    return [Entry(name(one.primary.path), one.rule, prints[one], one.message) for one in findings]


def write(path: str, entries: Iterable[Entry], cwd: str) -> None:
    """Write a baseline in one step, its mode kept. Raises `UsageError`."""
    lines = [
        "    " + json.dumps(entry._asdict(), ensure_ascii=False).encode("utf-8", "replace").decode()
        for entry in sorted(set(entries))
    ]
    body = "[\n" + ",\n".join(lines) + "\n  ]" if lines else "[]"
    text = f'{{\n  "version": {VERSION},\n  "fingerprints": {fingerprint.VERSION},\n  "findings": {body}\n}}\n'
    target = os.path.realpath(os.path.join(cwd, path))
    staged = ""
    try:
        mode = os.stat(target).st_mode & 0o777 if os.path.exists(target) else 0o666 & ~_umask()
        handle, staged = tempfile.mkstemp(prefix=".corslint-", dir=os.path.dirname(target))
        with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as stream:
            stream.write(text)
        os.chmod(staged, mode)
        os.replace(staged, target)
    except OSError as error:
        if staged:
            with contextlib.suppress(OSError):
                os.unlink(staged)
        raise UsageError(f"{path}: the baseline cannot be written: {error.strerror}") from None


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def _namer(path: str, cwd: str) -> Callable[[str], str]:
    """How paths are written in a baseline: relative to its folder, with `/`."""
    folder = os.path.dirname(os.path.normpath(os.path.join(cwd, path)))

    def name(path: str) -> str:
        return relative(os.path.join(cwd, path), folder)

    return name
