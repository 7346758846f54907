"""Measures corslint beside other tools and writes docs/benchmarks.md.

    python -m benchmark [--runs 7] [--tree PATH ...] [--quick] [--only PART ...]

Trees are made in a temporary folder. Peers are looked for on the PATH, or named: --semgrep PATH, --modules FOLDER (a
`node_modules` with ESLint and oxlint). Exits with 1 where a bound does not hold.
"""

from __future__ import annotations

import argparse
import sys
import sysconfig
import tempfile
from collections.abc import Callable
from pathlib import Path

from benchmark import fleet, nginx, page, peers, trees
from benchmark.measure import Series, Tool, interleaved, ratio
from benchmark.page import Growth, Line, Memory, Part

_PAGE = Path(__file__).parent.parent.parent / "docs" / "benchmarks.md"
_CORSLINT = str(Path(sysconfig.get_path("scripts")) / "corslint")
_IMPORT_CLICK = Tool("import click", (sys.executable, "-c", "import click"))
_QUIET = ("--output-format", "concise")

_JAVASCRIPT = """const express = require('express');
const { Server } = require('socket.io');
const app = express();
const server = require('http').createServer(app);
const io = new Server(server, { cors: { origin: '*', credentials: true } });
server.listen(3000);
"""
_PYTHON = """from fastapi import FastAPI
from fastapi.middleware.cors import CORSMiddleware

app = FastAPI()
app.add_middleware(CORSMiddleware, allow_origins=["*"], allow_credentials=True)
"""


class Bench:
    """What all parts share: where trees are made, how often things run, and which peers there are."""

    def __init__(self, folder: Path, runs: int, found: peers.Peers, given: list[Path], *, quick: bool) -> None:
        self.folder = folder
        self.runs = runs
        self.peers = found
        self.given = given
        self.shrink = 10 if quick else 1
        self._made = 0

    def place(self, name: str) -> Path:
        """A new folder."""
        self._made += 1
        made = self.folder / f"{self._made}-{name}"
        made.mkdir()
        return made

    def series(self, *tools: Tool, runs: int | None = None) -> dict[str, Series]:
        """These tools in turn."""
        return interleaved(tools, runs or self.runs)


def _check(name: str, folder: Path, *arguments: str, before: Callable[[], object] = lambda: None) -> Tool:
    return Tool(name, (_CORSLINT, "check", *_QUIET, *(arguments or (".",))), folder, before)


def start(bench: Bench) -> Part:
    """What a hook costs that looks at one file."""
    files = {"one JavaScript file": ("server.js", _JAVASCRIPT), "one Python file": ("app.py", _PYTHON)}
    tools = []
    for name, (file, content) in files.items():
        folder = bench.place("one")
        (folder / file).write_text(content)
        tools.append(_check(name, folder, "--no-cache", "."))
    tools.append(_check("nothing to do", bench.place("empty"), "--no-cache", "."))
    found = bench.series(*tools, _IMPORT_CLICK, runs=3 * bench.runs)
    bounds = {"nothing to do": 1.2}
    lines = [
        Line(
            tool.name,
            _IMPORT_CLICK.name,
            ratio(found, tool.name, _IMPORT_CLICK.name, of),
            of,
            bounds.get(tool.name, 2.0),
        )
        for tool in tools
        for of in ("wall", "cpu")
    ]
    return Part("Start", "One file alone in its folder, beside `python -c 'import click'`: no cache, no daemon.", lines)


def tree(bench: Bench) -> Part:
    """A large repository: cold, warm, and after one file was changed."""
    made = trees.large(bench.place("large"), trees.SOURCES // bench.shrink, trees.OTHERS // bench.shrink)
    others = peers.tools(bench.peers, made, bench.place("rules"))
    changed = made / "src" / "part0" / "file0.ts"
    cache = bench.place("cache")
    tools = [
        _check("cold", made, "--no-cache", "."),
        _check("warm", made, "--cache-dir", str(cache), "."),
        _check(
            "one changed file",
            made,
            "--cache-dir",
            str(cache),
            str(changed.relative_to(made)),
            before=lambda: changed.write_text(changed.read_text() + "// once more\n"),
        ),
    ]
    quick = [others[name] for name in ("ripgrep", "ast-grep") if name in others]
    found = bench.series(*tools, *quick, runs=bench.runs)
    slow = [others[name] for name in ("semgrep", "ESLint") if name in others]
    slowly = bench.series(tools[0], *slow, runs=max(bench.runs // 3, 1)) if slow else {}
    bounds = {("cold", "ripgrep"): 2.0, ("cold", "ast-grep"): 1.0, ("warm", "ripgrep"): 0.7}
    bounds["one changed file", "ripgrep"] = 0.7
    least = {"semgrep": 25.0}
    lines = [
        Line(tool.name, other.name, ratio(found, tool.name, other.name), "wall", bounds.get((tool.name, other.name)))
        for tool in tools
        for other in quick
    ]
    lines += [
        Line(one.name, "corslint, cold", ratio(slowly, one.name, "cold"), "wall", least.get(one.name), at_least=True)
        for one in slow
    ]
    memory = [Memory(f"corslint, {tool.name}", found[tool.name].memory, 64) for tool in tools]
    memory += [Memory(one.name, found[one.name].memory) for one in quick]
    memory += [Memory(one.name, slowly[one.name].memory) for one in slow]
    text = (
        f"{trees.SOURCES // bench.shrink:,} TypeScript files of 3.6 kB and {trees.OTHERS // bench.shrink:,} other "
        f"files, committed; one file in {trees.SERVER_EVERY} is a server. `one changed file` names a file; the rest is "
        "read because what it means may depend on it."
    )
    return Part("A large repository", text, lines, memory)


def worst(bench: Bench) -> Part:
    """Every file has to be parsed."""
    made = trees.candidates(bench.place("candidates"), 2_000 // bench.shrink)
    others = peers.tools(bench.peers, made, bench.place("rules"))
    text = f"{2_000 // bench.shrink:,} files, and each of them is a server or a client, so that all have to be parsed."
    if "oxlint" not in others:
        return Part("The worst case", text)
    found = bench.series(_check("cold", made, "--no-cache", "."), others["oxlint"])
    lines = [Line("every file a candidate", "oxlint", ratio(found, "cold", "oxlint"), "wall", 6)]
    return Part("The worst case", text, lines, [Memory("corslint", found["cold"].memory)])


def given(bench: Bench) -> Part:
    """The trees that were named on the command line."""
    lines, memory = [], []
    for number, place in enumerate(bench.given, 1):
        others = peers.tools(bench.peers, place, bench.place("rules"))
        cache = bench.place("cache")
        mine = [
            _check("cold", place, "--no-cache", "."),
            _check("warm", place, "--cache-dir", str(cache), "."),
        ]
        quick = [others[name] for name in ("ripgrep", "ast-grep", "oxlint") if name in others]
        found = bench.series(*mine, *quick)
        name = place.name or str(number)
        lines += [
            Line(f"{name}, {one.name}", other.name, ratio(found, one.name, other.name), "wall")
            for one in mine
            for other in quick
        ]
        memory += [Memory(f"{name}, {one.name}", found[one.name].memory) for one in mine]
    return Part("Trees that were named", "Repositories that were there.", lines, memory)


def growth(bench: Bench) -> Part:
    """What cost grows with."""
    runs = max(bench.runs // 2, 1)

    def grown(of: str, sizes: tuple[int, ...], made: Callable[[int], Tool]) -> Growth:
        tools = {size: made(size) for size in (each // bench.shrink for each in sizes)}
        found = bench.series(*tools.values(), runs=runs)
        return Growth(of, {size: found[tool.name] for size, tool in tools.items()})

    def files(size: int) -> Tool:
        return _check(f"{size}", trees.large(bench.place("files"), size, 0), "--no-cache", ".")

    def servers(size: int) -> Tool:
        return _check(f"{size}", trees.findings(bench.place("findings"), size), "--no-cache", ".")

    def locations(size: int) -> Tool:
        folder = bench.place("nginx")
        (folder / "nginx.conf").write_text(nginx.configuration(size), encoding="utf-8")
        return _check(f"{size}", folder, "--no-cache", ".")

    def repositories(size: int) -> Tool:
        folder = bench.place("repositories")
        trees.repositories(folder, size)
        return _check(f"{size}", folder, "--no-cache", ".")

    return Part(
        "What time grows with",
        "Processor time, beside that of the smallest: what grows with the number itself is linear.",
        growth=[
            grown("source files", (1_000, 2_000, 4_000, 8_000), files),
            grown("findings", (100, 200, 400, 800), servers),
            grown("nginx locations", (1_000, 2_000, 4_000, 8_000), locations),
            grown("small repositories, as folders of one", (50, 100, 200, 400), repositories),
        ],
    )


def proxies(bench: Bench) -> Part:
    """A large nginx configuration, beside crossplane and gixy-ng."""
    return nginx.part(bench.place("nginx"), 10_000 // bench.shrink, bench.runs)


def repositories(bench: Bench) -> Part:
    """Many repositories, beside a process for each."""
    return fleet.part(_CORSLINT, bench.place("fleet"), bench.shrink, max(bench.runs // 3, 1))


_PARTS = {
    "start": start,
    "tree": tree,
    "worst": worst,
    "nginx": proxies,
    "fleet": repositories,
    "given": given,
    "growth": growth,
}


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--runs", type=int, default=7)
    parser.add_argument("--quick", action="store_true", help="trees of a tenth of the size; bounds are not held to it")
    parser.add_argument("--tree", type=Path, action="append", default=[], help="a tree to measure beside the made ones")
    parser.add_argument(
        "--only", nargs="+", choices=tuple(_PARTS), help="these parts; the page is printed, not written"
    )
    for name in ("ripgrep", "ast-grep", "semgrep", "eslint", "oxlint", "modules", "gixy"):
        parser.add_argument(f"--{name}", help="where it is" if name != "modules" else "a folder node_modules")
    options = parser.parse_args()
    nginx.GIXY = options.gixy
    found = peers.found(vars(options))
    with tempfile.TemporaryDirectory(prefix="corslint-benchmark-") as folder:
        trees_given = [tree.resolve() for tree in options.tree]
        bench = Bench(Path(folder), options.runs, found, trees_given, quick=options.quick)
        parts = []
        for name, part in _PARTS.items():
            if (options.only is None or name in options.only) and (name != "given" or bench.given):
                print(f"benchmark: {name}", file=sys.stderr, flush=True)
                parts.append(part(bench))
    text = page.written(parts, found.missing(), options.runs)
    if options.quick or options.only:
        print(text)
    else:
        _PAGE.write_text(text, encoding="utf-8")
    broken = [one for part in parts for one in part.broken]
    for one in broken:
        print(f"benchmark: bound does not hold: {one}", file=sys.stderr)
    return 0 if options.quick or not broken else 1


if __name__ == "__main__":
    sys.exit(main())
