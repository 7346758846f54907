"""Bytes that nobody meant well by, fed to each part of corslint that reads what strangers wrote.

    python -m tests.fuzz [HARNESS ...] [--seconds SECONDS] [--seed SEED] [--corpus FOLDER]

A harness takes any bytes and may raise only what its callers handle. Each begins with what lies in fixtures and in the
examples of rules, and gets its share of the time, in a process of its own. With atheris (`pip install atheris`) what
is tried next is led by what code was reached; without it edits are drawn at random. Half of the edits are those of
`tests/hostile.py`, which know what the languages look like.

Whatever fails is written to fixtures/fuzz/HARNESS, where tests/test_fuzz.py tries it from then on. Exit status 0:
nothing failed; 1: something did; 2: wrong use.
"""

from __future__ import annotations

import argparse
import contextlib
import faulthandler
import hashlib
import importlib.util
import json
import os
import random
import shutil
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple, NoReturn

ROOT = Path(__file__).resolve().parent.parent
FOUND = ROOT / "fixtures" / "fuzz"
LONGEST = 1 << 14
"""Bytes of an input; that a file may be large, `tests/hostile.py` tries."""
SECONDS = 10.0
"""Of processor time that one input may take. Code that is watched runs several times slower than usual."""
MEGABYTES = 3072


class Harness(NamedTuple):
    """What is fed. `names` are what a file may be called, of which the first byte of the input chooses one."""

    feed: Callable[[str, bytes], object]
    names: tuple[str, ...]
    corpus: Callable[[], Iterable[tuple[str, bytes]]]


# --- what is fed -----------------------------------------------------------------------------------------------------


def _parse(name: str, data: bytes) -> None:
    from corslint.parsers import parse
    from corslint.source import SourceFile

    reading = parse(SourceFile(name, data))
    for damage in reading.damage if reading is not None else ():
        assert 0 <= damage.span.start <= damage.span.end <= len(data), damage


def _lint(name: str, data: bytes) -> None:
    from corslint import examples, lint
    from corslint.settings import Settings

    files = {name: data}
    found = lint.lint(examples.context_of(files), Settings(pedantic=True), files, with_fixes=len(data) % 2 == 0)
    for finding in found.findings:
        assert 0 <= finding.primary.start <= finding.primary.end <= len(data) or finding.primary.path != name, finding


def _trace(name: str, data: bytes) -> None:
    """The nginx model: what it answers to requests."""
    from corslint import examples, lint
    from corslint.model.traces import Question
    from corslint.settings import Settings

    files = {name: data, "client.js": b"fetch('http://localhost/api/a?b', { credentials: 'include' });"}
    known = lint.knowledge(examples=False).catalog
    settings = Settings()
    understood = lint.understand(examples.context_of(files), settings, files, known)
    tracer = lint.tracer(understood, settings, known)
    for path in ("/", "/socket.io/?EIO=4", "/api/%2e%2e/a//b"):
        for method in ("GET", "PUT"):
            url = f"http://localhost{path}"
            tracer.trace(Question("https://app.example", url, tracer.kind_of(url, method), True, method))


def _ignores(name: str, data: bytes) -> None:
    from corslint.editing import ignores
    from corslint.model.finding import Finding
    from corslint.source import SourceFile, Span
    from corslint.suppression import Marked

    source = SourceFile(name, data)
    marked = Marked(source)
    place = Span(name, len(data) // 2, len(data) // 2)
    finding = Finding("wildcard-origin", "error", "exploitable", "high", "m", "h", place)
    marked.suppresses(finding)
    added = ignores.add(source, [finding])
    assert added.taken_back == 0 or Marked(SourceFile(name, added.data)).directives


def _settings(name: str, data: bytes) -> None:
    from corslint import settings

    with tempfile.TemporaryDirectory(prefix="corslint-fuzz-") as folder, contextlib.suppress(settings.UsageError):
        Path(folder, name).write_bytes(data)
        settings.load_tree(folder, folder, (f"{folder}/a/b.js",), folder)


def _rules(name: str, data: bytes) -> None:
    from corslint import rulefiles, yamlfile

    with contextlib.suppress(yamlfile.YamlError):
        rulefiles.read(data, Path(name))


def _descriptors(name: str, data: bytes) -> None:
    from corslint import yamlfile
    from corslint.frameworks import descriptors

    with contextlib.suppress(yamlfile.YamlError):
        descriptors.read(data, Path(name))


def _baseline(name: str, data: bytes) -> None:
    from corslint import baseline, settings

    with tempfile.TemporaryDirectory(prefix="corslint-fuzz-") as folder, contextlib.suppress(settings.UsageError):
        Path(folder, name).write_bytes(data)
        baseline.read(f"{folder}/{name}", folder)


def _messages(_name: str, data: bytes) -> None:
    from corslint import lint
    from corslint.explain import explanation, render
    from corslint.source import SourceFile

    explained = explanation.explain(data.decode("utf-8", "replace"), lint.knowledge(examples=False).rules, ())
    shown = "".join(render.text(explained, lambda path: SourceFile(path, b""), files=0))
    assert shown.replace("\n", "").isprintable(), repr(shown)
    json.loads(render.as_json(explained, lambda path: SourceFile(path, b"")))


def _patterns(name: str, data: bytes) -> None:
    """Regular expressions that the code checks origins with."""
    from corslint.model import patterns

    source, _, text = data.decode("utf-8", "replace").partition("\n")
    for dialect in ("ecmascript", "python", "pcre"):
        for mode in ("search", "match", "full"):
            pattern = patterns.Pattern(source, "iu"[: len(text) % 3], dialect, mode)
            patterns.matches(pattern, text[:200] or name)
            patterns.valid(pattern)
        patterns.samples(patterns.Pattern(source, "", dialect, "search"))


# --- what they begin with --------------------------------------------------------------------------------------------


@cache
def _all_files() -> tuple[tuple[str, bytes], ...]:
    """Small files of fixtures and of the examples of rules, each once."""
    from tests import hostile

    found: dict[bytes, str] = {}
    for _, files in hostile.sources():
        for name, data in files.items():
            if len(data) < LONGEST:
                found.setdefault(data, name)
    return tuple((name, data) for data, name in found.items())


def _of_kinds(*kinds: str) -> Callable[[], Iterator[tuple[str, bytes]]]:
    def files() -> Iterator[tuple[str, bytes]]:
        from corslint.parsers import kind_of

        for name, data in _all_files():
            if kind_of(name) in kinds:
                yield name.rpartition("/")[2], data

    return files


def _settings_files() -> Iterator[tuple[str, bytes]]:
    for name, data in _all_files():
        if name.endswith("corslint.toml") or b"[tool.corslint" in data:
            yield name.rpartition("/")[2], data
    for block in (ROOT / "docs" / "settings.md").read_text(encoding="utf-8").split("```toml\n")[1:]:
        yield "corslint.toml", block.partition("```")[0].encode()


def _yaml_of(folder: str) -> Callable[[], Iterator[tuple[str, bytes]]]:
    def files() -> Iterator[tuple[str, bytes]]:
        for path in sorted((ROOT / folder).glob("*.yaml")):
            data = path.read_bytes()
            yield path.name, data if len(data) < LONGEST else data[: data.rfind(b"\n", 0, LONGEST)]

    return files


def _said() -> Iterator[tuple[str, bytes]]:
    console = json.loads((ROOT / "fixtures" / "console.json").read_text(encoding="utf-8"))
    for one in console.values():
        for lines in one["steps"].values():
            yield "console", "\n".join(lines).encode()


def _expressions() -> Iterator[tuple[str, bytes]]:
    for source in (
        r"^https://([a-z0-9-]+\.)?example\.com$", r"(a+)+$", r"^(?:a|b|ab)*c", r"[\w.-]+\.example\.com",
        r"(?i)^x{2,5}?\b",
        r"\u{1F600}[^\]\-a]", r"(?=a)(?!b)(?<n>c)\k<n>", r"^[[:alpha:]]++$", r"(?x) a # b", r"\p{L}+",
        r"(?P<a>x)(?P=a)",
    ):  # fmt: skip
        yield "https://app.example.com", f"{source}\nhttps://app.example.com".encode()


def _baselines() -> Iterator[tuple[str, bytes]]:
    entry = {"rule": "wildcard-origin", "path": "a.js", "fingerprint": "0123456789abcdef"}
    yield "baseline.json", json.dumps({"version": 1, "findings": [entry]}, indent=2).encode()


_CODE = ("javascript", "typescript", "tsx", "python", "html", "component")

HARNESSES: dict[str, Harness] = {
    "javascript": Harness(_parse, ("a.js",), _of_kinds("javascript")),
    "typescript": Harness(_parse, ("a.ts", "a.tsx"), _of_kinds("typescript", "tsx", "javascript")),
    "python": Harness(_parse, ("a.py",), _of_kinds("python")),
    "pages": Harness(_parse, ("a.html", "a.vue", "a.svelte", "a.ejs"), _of_kinds("html", "component")),
    "nginx": Harness(_parse, ("nginx.conf", "nginx.conf.j2", "a.erb"), _of_kinds("nginx")),
    "deployments": Harness(
        _parse,
        ("a.sh", "README.md", "Dockerfile", "docker-compose.yml", "Procfile", "k8s/deployment.yaml", ".env"),
        _of_kinds("shell", "markdown", "dockerfile", "compose", "procfile", "kubernetes", "environment"),
    ),
    "manifests": Harness(
        _parse,
        ("package.json", "pyproject.toml", "requirements.txt", "package-lock.json", "pnpm-lock.yaml", "yarn.lock",
         "poetry.lock", "uv.lock", "Pipfile.lock"),
        _of_kinds("manifest"),
    ),
    "extractor": Harness(_lint, ("a.js", "a.ts", "a.py", "a.html", "a.vue"), _of_kinds(*_CODE)),
    "nginx-model": Harness(_trace, ("nginx.conf", "sites-enabled/a"), _of_kinds("nginx")),
    "findings": Harness(
        _lint,
        ("nginx.conf", "a.sh", "Dockerfile", "docker-compose.yml", "README.md"),
        _of_kinds("nginx", "shell", "markdown", "dockerfile", "compose"),
    ),
    "ignore-comments": Harness(
        _ignores,
        ("a.js", "a.py", "nginx.conf", "a.vue", "a.html", "a.sh", "docker-compose.yml", "Dockerfile", "README.md",
        "a.tsx"),
        _of_kinds(*_CODE, "nginx", "shell", "compose", "dockerfile", "markdown"),
    ),
    "settings": Harness(_settings, ("corslint.toml", "pyproject.toml"), _settings_files),
    "rules": Harness(_rules, ("a.yaml",), _yaml_of("rules")),
    "descriptors": Harness(_descriptors, ("a.yaml",), _yaml_of("corslint/frameworks")),
    "baselines": Harness(_baseline, ("baseline.json",), _baselines),
    "messages": Harness(_messages, ("console",), _said),
    "patterns": Harness(_patterns, ("https://app.example.com", "null", "a" * 60), _expressions),
}  # fmt: skip


def inputs(harness: Harness) -> list[bytes]:
    """What a harness begins with: a byte that chooses the name, and the content."""
    found = []
    for name, data in harness.corpus():
        same = [
            number for number, one in enumerate(harness.names) if one == name or Path(one).suffix == Path(name).suffix
        ]
        found.append(bytes([same[0] if same else len(data) % len(harness.names)]) + data)
    return found


def feed(harness: Harness, data: bytes) -> None:
    """Feed one input. Raises what the code under it lets through."""
    name = harness.names[data[0] % len(harness.names)] if data else harness.names[0]
    harness.feed(name, data[1:])


def changed(data: bytes, chance: random.Random, longest: int = LONGEST) -> bytes:
    """An input after one of the edits of the storm."""
    from tests.fix_storm import EDITS
    from tests.hostile import WILD

    edit = chance.choice(WILD if chance.random() < 0.6 else EDITS)
    return (data[:1] + (edit(data[1:], chance) if len(data) > 1 else bytes(chance.choices(range(256), k=9))))[:longest]


# --- engines ---------------------------------------------------------------------------------------------------------


class _Watched:
    """Feeds a harness and writes down what fails, each kind of failure once; atheris would end at the first one."""

    def __init__(self, name: str, until: float) -> None:
        self._harness, self._name, self._until = HARNESSES[name], name, until
        self._kinds: set[tuple[str, ...]] = set()
        self.count = 0

    def __call__(self, data: bytes) -> None:
        if time.monotonic() > self._until:
            self.end()
        self.count += 1
        began = time.process_time()
        try:
            feed(self._harness, data)
        except Exception as error:
            places = traceback.extract_tb(error.__traceback__)
            own = [f"{one.filename.rpartition('/')[2]}:{one.lineno}" for one in places if "corslint" in one.filename]
            self._failed((type(error).__name__, *own[-1:]), data, "".join(traceback.format_exception(error)[-9:]))
        took = time.process_time() - began
        if took > SECONDS:
            self._failed(("too long",), data, f"it took {took:.1f} s")

    def _failed(self, kind: tuple[str, ...], data: bytes, told: str) -> None:
        if kind not in self._kinds:
            self._kinds.add(kind)
            print(f"{self._name}: {' '.join(kind)}: {_keep(self._name, data)}\n{told}", flush=True)

    def end(self) -> NoReturn:
        """End this process: there is no other way out of atheris."""
        print(f"{self._name}: {self.count} inputs, {len(self._kinds)} kinds of failure", flush=True)
        os._exit(1 if self._kinds else 0)


def _keep(name: str, data: bytes) -> str:
    path = FOUND / name / hashlib.sha256(data).hexdigest()[:12]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path.relative_to(ROOT).as_posix()


def fuzz(name: str, seconds: float, seed: int, corpus: Path) -> None:
    """Feed one harness for so long. Does not return: exit status 0 where nothing failed, else 1."""
    watched = _Watched(name, time.monotonic() + seconds)
    begin = inputs(HARNESSES[name])
    if importlib.util.find_spec("atheris") is None:
        _at_random(watched, begin, seed)
    _with_atheris(watched, begin, seed, corpus)


def _at_random(watched: _Watched, begin: Sequence[bytes], seed: int) -> NoReturn:
    chance = random.Random(seed)
    pool = list(begin)
    while True:
        data = chance.choice(pool)
        for _ in range(chance.choice((1, 1, 2, 4))):
            data = changed(data, chance)
        faulthandler.dump_traceback_later(6 * SECONDS, exit=True)
        watched(data)
        faulthandler.cancel_dump_traceback_later()
        pool[chance.randrange(len(pool))] = data if chance.random() < 0.1 else chance.choice(begin)


def _with_atheris(watched: _Watched, begin: Sequence[bytes], seed: int, corpus: Path) -> None:
    atheris: Any = importlib.import_module("atheris")
    corpus.mkdir(parents=True, exist_ok=True)
    for data in begin:
        (corpus / hashlib.sha256(data).hexdigest()[:16]).write_bytes(data)

    def mutator(data: bytes, longest: int, number: int) -> bytes:
        chance = random.Random(number)
        return changed(data, chance, longest) if chance.random() < 0.5 else atheris.Mutate(data, longest)

    options = [
        f"-seed={seed}", f"-max_len={LONGEST}", f"-timeout={int(6 * SECONDS)}", f"-rss_limit_mb={MEGABYTES}",
        f"-artifact_prefix={corpus}/../died-", "-verbosity=0", "-print_final_stats=0",
    ]  # fmt: skip
    atheris.Setup([sys.argv[0], *options, str(corpus)], watched, custom_mutator=mutator)
    atheris.Fuzz()
    watched.end()


def _instrumented() -> None:
    """Watch the code of corslint, which has to be loaded now."""
    if importlib.util.find_spec("atheris") is not None:
        atheris: Any = importlib.import_module("atheris")
        # What corslint loads late is loaded here, while imports are watched.
        with atheris.instrument_imports(include=["corslint"], enable_loader_override=False):
            import pkgutil

            import corslint

            for module in pkgutil.walk_packages(corslint.__path__, "corslint."):
                if module.name != "corslint.__main__":
                    with contextlib.suppress(ImportError):
                        importlib.import_module(module.name)


def main(arguments: Sequence[str] | None = None) -> int:
    """Feed all harnesses, one after the other. The exit status."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description="feed hostile bytes to all that reads")
    parser.add_argument(
        "harnesses", nargs="*", metavar="HARNESS", help=f"of {', '.join(HARNESSES)}; all, if none is named"
    )
    parser.add_argument("--seconds", type=float, default=3600, help="for all of them together")
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--corpus", type=Path, help="where inputs that reached something new are kept for the next run")
    given = parser.parse_args(arguments)
    names = given.harnesses or list(HARNESSES)
    unknown = [name for name in names if name not in HARNESSES]
    if unknown:
        parser.error(f"there is no harness {unknown[0]!r}")
    seed = given.seed if given.seed is not None else random.randrange(1 << 31)
    made = None if given.corpus else tempfile.mkdtemp(prefix="corslint-corpus-")
    folder = given.corpus or Path(str(made))
    print(f"seed {seed}", flush=True)
    _instrumented()
    failed = False
    begun = time.monotonic()
    for number, name in enumerate(names):
        left = given.seconds - (time.monotonic() - begun)
        share = max(1.0, left / (len(names) - number))
        (folder / name).mkdir(parents=True, exist_ok=True)
        process = os.fork()
        if process == 0:
            fuzz(name, share, seed, folder / name / "reached")
        status = os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])
        for died in sorted((folder / name).glob("died-*")):  # it took the process with it
            print(f"{name}: {died.name}: {_keep(name, died.read_bytes())}", flush=True)
            died.unlink()
        if status:
            failed = True
            print(f"{name}: exit status {status}", flush=True)
    if made:
        shutil.rmtree(made)
    ended_well = "something failed" if failed else "nothing failed"
    print(f"{len(names)} harnesses, {time.monotonic() - begun:.0f} s: {ended_well}")
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
