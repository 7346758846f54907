"""Random edits to the files of fixtures/projects, then `corslint check --fix`: no file may come to harm.

    python -m tests.fix_storm [--cases COUNT] [--seed SEED] [--case NUMBER] [--jobs COUNT]

Each case takes a project, edits some of its files as a hurried developer or a broken tool would, and runs the command
with safe fixes and then with unsafe ones. A file that its own parser accepted before has to be accepted after, byte
order mark and line endings stay, and a second run changes nothing. Exit status 0: no harm; 1: some; 2: wrong use.
"""

from __future__ import annotations

import argparse
import ast
import base64
import contextlib
import io
import json
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import cache
from pathlib import Path
from typing import NamedTuple

from corslint import cli, lint
from corslint.model.reading import CodeReading, NginxReading
from corslint.parsers import kind_of, parse
from corslint.source import SourceFile
from tests.examples import unmarked

ROOT = Path(__file__).resolve().parent.parent
PROJECTS = ROOT / "fixtures" / "projects"
BAD, GOOD = (sorted(path for path in PROJECTS.glob(f"*/{side}") if path.is_dir()) for side in ("bad", "good"))
BOM = b"\xef\xbb\xbf"
FRONTENDS = (
    'frontends = ["https://app.example.com"]',
    'frontends = ["https://app.example.com", "http://localhost:5173"]',
)


Edit = Callable[[bytes, random.Random], bytes]


class Outcome(NamedTuple):
    """What one case came to. `harm` is empty where all went well; `mended` counts the files that fixes changed."""

    case: int
    about: str
    mended: int
    harm: tuple[str, ...]


# --- edits -----------------------------------------------------------------------------------------------------------

_WORD = re.compile(rb"[A-Za-z_$][\w$-]*")
_PIECES = (
    b"{", b"}", b"(", b")", b"[", b"]", b",", b";", b":", b"'", b'"', b"`", b"\\", b"//", b"/*", b"*/", b"#", b"<!--",
    b" ", b"\t", b"\n", b"\r\n", b"\r", b"\0", b"\xff", "é".encode(), "\u2028".encode(), "😀".encode(), b"...", b"=>",
    b"async ", b"await ", b"true", b"null", b"'*'", b"origin: true,", b"/* note */", b"# note\n", b"// note\n",
    b"add_header X-A b;\n", b"proxy_set_header A b;\n", b"${X}", b"f'{x}'", b"\\\n",
)  # fmt: skip


def _lines(data: bytes) -> list[bytes]:
    return data.splitlines(keepends=True)


def _drop_line(data: bytes, chance: random.Random) -> bytes:
    lines = _lines(data)
    del lines[chance.randrange(len(lines))]
    return b"".join(lines)


def _repeat_line(data: bytes, chance: random.Random) -> bytes:
    lines = _lines(data)
    at = chance.randrange(len(lines))
    lines.insert(chance.randrange(len(lines) + 1), lines[at])
    return b"".join(lines)


def _swap_lines(data: bytes, chance: random.Random) -> bytes:
    lines = _lines(data)
    one, other = chance.randrange(len(lines)), chance.randrange(len(lines))
    lines[one], lines[other] = lines[other], lines[one]
    return b"".join(lines)


def _join_lines(data: bytes, chance: random.Random) -> bytes:
    lines = _lines(data)
    at = chance.randrange(len(lines))
    lines[at] = lines[at].rstrip(b"\r\n") + chance.choice((b" ", b""))
    return b"".join(lines)


def _insert(data: bytes, chance: random.Random) -> bytes:
    at = chance.randrange(len(data) + 1)
    return data[:at] + chance.choice(_PIECES) + data[at:]


def _cut(data: bytes, chance: random.Random) -> bytes:
    at = chance.randrange(len(data))
    return data[:at] + data[at + chance.randint(1, 12) :]


def _rename(data: bytes, chance: random.Random) -> bytes:
    words = list(_WORD.finditer(data))
    if len(words) < 2:
        return data
    one, other = chance.choice(words), chance.choice(words)
    return data[: one.start()] + other.group() + data[one.end() :]


def _copy_piece(data: bytes, chance: random.Random) -> bytes:
    start, at = chance.randrange(len(data)), chance.randrange(len(data) + 1)
    return data[:at] + data[start : start + chance.randint(1, 60)] + data[at:]


def _comment_behind(data: bytes, chance: random.Random) -> bytes:
    mark = chance.choice((b" // why", b" # why", b" /* why */"))
    lines = _lines(data)
    at = chance.randrange(len(lines))
    body = lines[at].rstrip(b"\r\n")
    lines[at] = body + mark + lines[at][len(body) :]
    return b"".join(lines)


def _indent(data: bytes, chance: random.Random) -> bytes:
    lines = _lines(data)
    at = chance.randrange(len(lines))
    lines[at] = chance.choice((b"\t", b"  ", b" ")) + lines[at]
    return b"".join(lines)


def _crlf(data: bytes, _chance: random.Random) -> bytes:
    return data.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")


def _mixed(data: bytes, chance: random.Random) -> bytes:
    return b"".join(
        line.rstrip(b"\r\n") + chance.choice((b"\n", b"\r\n")) if line.endswith(b"\n") else line
        for line in _lines(data)
    )


def _marked(data: bytes, _chance: random.Random) -> bytes:
    return data if data.startswith(BOM) else BOM + data


def _unended(data: bytes, _chance: random.Random) -> bytes:
    return data.rstrip(b"\r\n")


def _spread_lists(data: bytes, chance: random.Random) -> bytes:
    """Break the line behind some commas."""
    return b"".join(
        piece + (b"\n" if piece.endswith(b",") and chance.random() < 0.3 else b"")
        for piece in re.split(rb"(?<=,)", data)
    )


EDITS: tuple[Edit, ...] = (
    _drop_line, _repeat_line, _swap_lines, _join_lines, _insert, _cut, _rename, _copy_piece, _comment_behind, _indent,
    _crlf, _mixed, _marked, _unended, _spread_lists,
)  # fmt: skip


# --- parsers ---------------------------------------------------------------------------------------------------------

_NODE = r"""
const vm = require('node:vm'), readline = require('node:readline');
const parses = (make) => { try { make(); return true; } catch (error) { return false; } };
readline.createInterface({ input: process.stdin }).on('line', (line) => {
  const text = Buffer.from(line, 'base64').toString('utf8').replace(/^\uFEFF/, '');
  const good = parses(() => new vm.SourceTextModule(text)) || parses(() => new vm.Script(`(() => {${text}\n})`));
  process.stdout.write(`${good}\n`);
});
"""


class Node:
    """A running Node.js that says whether it can parse a program, as a module or as CommonJS."""

    def __init__(self) -> None:
        command = ["node", "--no-warnings", "--experimental-vm-modules", "-e", _NODE]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def accepts(self, data: bytes) -> bool:
        """Whether it parses."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(base64.b64encode(data) + b"\n")
        self._process.stdin.flush()
        return self._process.stdout.readline() == b"true\n"

    def close(self) -> None:
        """End it."""
        self._process.communicate()


def damage(path: str, data: bytes, node: Node | None) -> int:
    """How much of a file its own parser cannot read; of those that only say yes or no, 1 is no."""
    kind = kind_of(path)
    if kind == "python":
        return int(not _accepted(lambda: ast.parse(data)))
    if path.endswith(".json"):
        return int(not _accepted(lambda: json.loads(data)))
    own = parse(SourceFile(path, data)) if kind is not None else None
    found = len(own.damage) if isinstance(own, CodeReading | NginxReading) else 0
    if kind == "javascript" and not path.endswith(".jsx") and node is not None:
        found += 1000 * (not node.accepts(data))
    return found


def _accepted(read: Callable[[], object]) -> bool:
    try:
        read()
    except (SyntaxError, ValueError, RecursionError):
        return False
    return True


# --- one case --------------------------------------------------------------------------------------------------------


@cache
def examples() -> tuple[tuple[str, dict[str, bytes]], ...]:
    """The examples of rules whose fix is made: their names and files."""
    return tuple(
        (f"{rule.id}: {example.name}", {path: unmarked(path, text)[0] for path, text in example.files.items()})
        for rule in lint.knowledge().rules
        for example in rule.examples
        if example.fixed
    )


def _project(chance: random.Random) -> tuple[str, dict[str, bytes]]:
    """A project's name and files: mostly a broken one, sometimes a rule's example or a mended one."""
    kind = chance.random()
    if kind < 0.3:
        name, files = chance.choice(examples())
        return name, dict(files)
    side = chance.choice(BAD if kind < 0.9 else GOOD)
    found = sorted(path for path in side.rglob("*") if path.is_file())
    return side.relative_to(PROJECTS).as_posix(), {
        path.relative_to(side).as_posix(): path.read_bytes() for path in found
    }


def draw(seed: int, case: int) -> tuple[str, dict[str, bytes], tuple[str, ...]]:
    """What a case is about, the files of its project after some edits, and the further options of the command."""
    chance = random.Random(f"{seed}:{case}")
    project, files = _project(chance)
    edited = []
    for _ in range(chance.choice((1, 1, 2, 3, 5))):
        # A settings file that is broken ends the run before anything is read.
        name = chance.choice(sorted(name for name, data in files.items() if data and name != "corslint.toml"))
        change = chance.choice(EDITS)
        files[name] = change(files[name], chance) or b"\n"
        edited.append(f"{name}{change.__name__}")
    options = ("--config", chance.choice(FRONTENDS)) if chance.random() < 0.5 else ()
    return f"{project} {' '.join(edited)}", files, options


def weather(seed: int, case: int, node: Node | None) -> Outcome:
    """Carry out one case in a folder of its own."""
    about, files, options = draw(seed, case)
    harm: list[str] = []
    mended: set[str] = set()
    before = os.getcwd()
    with tempfile.TemporaryDirectory(prefix="corslint-storm-") as folder:
        for name, data in files.items():
            path = Path(folder) / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
        os.chdir(folder)
        try:
            for more in ((), ("--unsafe-fixes",)):
                was = _contents(folder)
                harm += [f"{more}: {problem}" for problem in _run((*options, *more))]
                now = _contents(folder)
                changed = sorted(name for name in {*was, *now} if was.get(name) != now.get(name))
                mended.update(changed)
                for name in changed:
                    harm += [f"{more}: {name}: {problem}" for problem in harm_to(name, was, now, node)]
                if changed:
                    harm += [f"{more}: again: {problem}" for problem in _run((*options, *more))]
                    if _contents(folder) != now:
                        harm.append(f"{more}: a second run changes more")
        finally:
            os.chdir(before)
    return Outcome(case, about, len(mended), tuple(harm))


def _contents(folder: str) -> dict[str, bytes]:
    top = Path(folder)
    return {path.relative_to(top).as_posix(): path.read_bytes() for path in top.rglob("*") if path.is_file()}


def _run(options: Sequence[str]) -> Iterator[str]:
    out, error = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(error):
        status = cli.run(["check", "--fix", "--output-format", "concise", *options, "."])
    if status not in (0, 1):
        yield f"exit status {status}: {error.getvalue().strip()}"


def harm_to(name: str, was: dict[str, bytes], now: dict[str, bytes], node: Node | None) -> Iterator[str]:
    """What came to harm in a file, given all files before and after."""
    if name not in was or name not in now:
        yield "it came or went"
        return
    old, new = was[name], now[name]
    if damage(name, new, node) > damage(name, old, node):
        yield "its parser accepted it before and does not now"
    if old.startswith(BOM) != new.startswith(BOM):
        yield "the byte order mark came or went"
    if b"\n" in old and not re.search(rb"(?<!\r)\n", old) and re.search(rb"(?<!\r)\n", new):
        yield "a bare line feed among carriage returns"
    if b"\r" not in old and b"\r" in new:
        yield "a carriage return came in"
    if old.endswith(b"\n") and not new.endswith(b"\n"):
        yield "the last line ending went"


# --- all of them -----------------------------------------------------------------------------------------------------


def storm(seed: int, cases: Sequence[int]) -> list[Outcome]:
    """Carry out cases one after the other."""
    node = Node() if shutil.which("node") else None
    try:
        return [weather(seed, case, node) for case in cases]
    finally:
        if node is not None:
            node.close()


def main(arguments: Sequence[str] | None = None) -> int:
    """Carry out the cases and print what came to harm. The exit status."""
    parser = argparse.ArgumentParser(prog="python -m tests.fix_storm", description="random edits, then --fix")
    parser.add_argument("--cases", type=int, default=2000, metavar="COUNT")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--case", type=int, default=None, metavar="NUMBER", help="only this one")
    parser.add_argument("--jobs", type=int, default=2, metavar="COUNT")
    given = parser.parse_args(arguments)
    begun = time.monotonic()
    os.environ.pop("CORSLINT_OUTPUT_FORMAT", None)
    numbers = list(range(given.cases)) if given.case is None else [given.case]
    shares = [numbers[at : at + 25] for at in range(0, len(numbers), 25)]
    outcomes: list[Outcome] = []
    with ProcessPoolExecutor(given.jobs) as pool:
        for share in pool.map(storm, [given.seed] * len(shares), shares):
            outcomes += share
            for one in share:
                for problem in one.harm:
                    print(f"case {one.case}: {one.about}: {problem}", flush=True)
    hurt = [one for one in outcomes if one.harm]
    kinds = Counter(one.mended for one in outcomes)
    print(
        f"{len(outcomes)} cases, seed {given.seed}: {sum(one.mended for one in outcomes)} files mended in "
        f"{len(outcomes) - kinds[0]} cases, {len(hurt)} came to harm, {time.monotonic() - begun:.0f} s"
    )
    return 1 if hurt else 0


if __name__ == "__main__":
    sys.exit(main())
