"""The nginx model against a real nginx: random configurations, real requests, every difference shown.

python -m tests.behaviour.nginx_differential --configurations 2000 --requests 10 --seed 1
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from corslint.behaviour.nginx_levels import units
from corslint.behaviour.nginx_machine import Configuration, answer
from corslint.behaviour.nginx_request import Answer, FileKind, Surroundings, UpstreamRequest
from corslint.model.exchange import NO_ANSWER, Header, Response
from corslint.model.tri import Tri
from corslint.parsers.nginx import read
from corslint.source import SourceFile
from tests.behaviour.nginx_generator import Ask, Generator, Modules, Written
from tests.behaviour.nginx_lab import (
    Got,
    Lines,
    PortTakenError,
    Seen,
    Upstreams,
    ask,
    free_ports,
    headers_more,
    nginx,
    running,
    version,
)

BATCH = 10
"""Configurations per nginx process."""

_EVERY_RESPONSE = frozenset((
    "accept-ranges", "allow", "connection", "content-length", "content-type", "date", "etag", "keep-alive",
    "last-modified", "location", "server", "set-cookie", "transfer-encoding", "upgrade", "www-authenticate",
))  # fmt: skip
"""Lines that nginx writes by itself; they are not compared."""

CRASHED = "nginx crashed"
_STICKY = ("ip_hash", "hash $remote_addr", "sticky")


def upstream_reply(seen: Seen) -> tuple[int, Lines]:
    """What an upstream answers: what the request asks for, 101 to a handshake that arrives whole."""
    names = {name.lower(): value for name, value in seen.headers}
    given = [tuple(part.split("=", 1)) for part in names.get("x-give", "").split("|") if part]
    lines = [(name, value) for name, value in given]
    if names.get("upgrade", "").lower() == "websocket" and "upgrade" in names.get("connection", "").lower():
        return 101, [("Upgrade", "websocket"), ("Connection", "upgrade"), *lines]
    return int(names.get("x-ask", "200")), lines


def _model_reply(request: UpstreamRequest) -> Response:
    headers = [(one.name, one.value or "") for one in request.headers if one.sent is Tri.YES]
    status, lines = upstream_reply(Seen(0, "", "", "", headers))
    return Response(status, tuple(Header(name, value) for name, value in lines))


def _files(prefix: Path) -> dict[str, FileKind]:
    (prefix / "www" / "folder").mkdir(parents=True)
    (prefix / "www" / "empty").mkdir()
    (prefix / "www" / "a").mkdir()
    for name in ("index.html", "note.txt", "folder/index.html", "a/note.txt", "start.html", "start1.html"):
        (prefix / "www" / name).write_text("text", encoding="utf-8")
    (prefix / "users").write_text("user:x\n", encoding="utf-8")
    return {}


def _kind(prefix: Path, path: str) -> FileKind:
    """What is at a path, for nginx: it follows no path through a file."""
    try:
        where = prefix / path
        return "directory" if where.is_dir() else "file" if where.is_file() and not path.endswith("/") else "none"
    except (OSError, ValueError):
        return "none"


class Difference(NamedTuple):
    """One request to which nginx and the model do not say the same."""

    what: str
    seed: str
    request: Ask
    configuration: str

    def __str__(self) -> str:
        lines = "\n".join(f"    {name}: {value}" for name, value in self.request.headers)
        return (
            f"{self.what}\n  {self.seed}\n  {self.request.method} {self.request.target}\n{lines}\n{self.configuration}"
        )


class Batch(NamedTuple):
    """Configurations that one nginx serves."""

    text: str
    written: list[Written]
    shared: frozenset[str]
    left_out: frozenset[str]
    ready: int
    files: dict[str, str]


def modules() -> Modules:
    """What the binary at hand can do."""
    return Modules(headers_more() is not None, version())


def write_batch(seed: str, size: int, requests: int, backends: list[int], prefix: Path) -> Batch:
    """Writes the configurations of one batch, with an http level that they share."""
    dice = random.Random(seed)
    ports = free_ports(size + 1)
    root = str(prefix / "www")
    can = modules()
    shared = Generator(dice, 0, ports[-1], backends, root, can)
    outer = [*shared.headers("http"), *([] if dice.random() < 0.7 else shared.settings("http"))]
    outer = [line for line in outer if "@" not in line]
    generators = [Generator(dice, number + 1, ports[number], backends, root, can) for number in range(size)]
    written = [generator.write(requests) for generator in generators]
    left_out = frozenset(name for one in [shared, *generators] for name in one.left_out)
    temporary = [f"{name}_temp_path temp_{name};" for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")]
    defined = f'server {{ listen 127.0.0.1:{ports[-1]}; server_name "~^(?<seg>none)$"; set $v0 ""; set $v1 ""; }}'
    module = headers_more()
    text = "\n".join([
        *([f"load_module {module};"] if module else []),
        "daemon off; master_process off; pid nginx.pid; error_log error.log crit;",
        "events { worker_connections 1024; }",
        "http {",
        "access_log off; variables_hash_max_size 8192; server_names_hash_bucket_size 128;", *temporary, *outer,
        defined, *(block for one in written for block in one.blocks), "}", "",
    ])  # fmt: skip
    files = {name: part for one in written for name, part in one.files.items()}
    return Batch(text, written, frozenset(shared.features), left_out, ports[-1], files)


def _configuration_of(text: str, files: dict[str, str]) -> Configuration | None:
    sources = {"nginx.conf": text, **files}
    readings = {name: read(SourceFile(name, part.encode())) for name, part in sources.items()}
    built = [unit for unit in units(readings) if unit.path == "nginx.conf"]
    damaged = any(reading.damage for reading in readings.values())
    return None if damaged or len(built) != 1 else Configuration(built[0])


class Run:
    """A comparison: its figures, and the differences that it found."""

    def __init__(self, shrink: int = 0) -> None:
        self.shrink = shrink
        """How many differences to show with the smallest configuration that has them."""
        self.configurations = 0
        self.requests = 0
        self.proxied = 0
        self.features: Counter[str] = Counter()
        self.left_out: Counter[str] = Counter()
        self.statuses: Counter[int] = Counter()
        self.differences: list[Difference] = []

    def batches(self, seed: int, configurations: int, requests: int, *, stop_after: int = 20) -> None:
        """Compares that many configurations."""
        with Upstreams(upstream_reply, 2) as upstreams:
            for number, start in enumerate(range(0, configurations, BATCH)):
                size = min(BATCH, configurations - start)
                for attempt in range(5):
                    try:
                        self._batch(f"{seed}:{number}", size, requests, upstreams)
                        break
                    except PortTakenError:
                        if attempt == 4:
                            raise
                if len(self.differences) >= stop_after:
                    return

    def _batch(self, seed: str, size: int, requests: int, upstreams: Upstreams) -> None:
        with tempfile.TemporaryDirectory(prefix="corslint-nginx-") as folder:
            prefix = Path(folder)
            _files(prefix)
            batch = write_batch(seed, size, requests, upstreams.ports, prefix)
            configuration = _configuration_of(batch.text, batch.files)
            assert configuration is not None, batch.text
            for name, part in batch.files.items():
                (prefix / name).write_text(part, encoding="utf-8")
            around = Surroundings(_model_reply, lambda path: _kind(prefix, path), version())
            before = len(self.differences)
            with running(prefix, batch.text, batch.ready):
                upstreams.seen.clear()
                for one in batch.written:
                    if self.differences[before:] and self.differences[-1].what == CRASHED:
                        break
                    self.configurations += 1
                    self.features.update(one.features | batch.shared)
                    self.left_out.update(batch.left_out)
                    self._configuration(one, configuration, around, upstreams, seed, batch.text)
            for place in range(before, len(self.differences)):
                if self.shrink > 0 and "sticky" not in self.differences[place].what:
                    self.shrink -= 1
                    small = shrunk(batch, self.differences[place], around, upstreams, prefix)
                    self.differences[place] = self.differences[place]._replace(configuration=small)

    def _configuration(
        self,
        one: Written,
        configuration: Configuration,
        around: Surroundings,
        upstreams: Upstreams,
        seed: str,
        text: str,
    ) -> None:
        reached: dict[str, set[int]] = {}
        for request in one.requests:
            got = ask(request.port, request.method, request.target, request.headers)
            expected = answer(configuration, request.incoming(), around)
            key = next(value for name, value in request.headers if name == "X-Id")
            seen = upstreams.seen.get(key, [])
            self.requests += 1
            self.statuses[got.status] += 1
            self.proxied += expected.passed is Tri.YES
            for what in compare(expected, got, seen):
                shown = _shown(text, one)
                self.differences.append(Difference(what, f"seed {seed}, port {one.port}", request, shown))
                if what == CRASHED:
                    return
            if expected.upstream is not None and seen and expected.upstream.target in one.upstreams:
                reached.setdefault(expected.upstream.target, set()).add(seen[-1].port)
        for name, ports in reached.items():
            if one.upstreams[name].startswith(_STICKY[:2]) and len(ports) > 1:
                request = one.requests[0]
                self.differences.append(Difference(f"{name} is not sticky", seed, request, _shown(text, one)))

    def report(self) -> str:
        """The figures."""
        lines = [
            f"nginx {'.'.join(map(str, version()))} ({nginx()}), headers-more: {'yes' if headers_more() else 'no'}",
            f"{self.configurations} configurations, {self.requests} requests ({self.proxied} answered by an upstream)",
            f"{len(self.differences)} differences",
            "statuses: " + ", ".join(f"{status} {count}" for status, count in sorted(self.statuses.items())),
            "features, in % of the configurations:",
        ]
        for name, count in sorted(self.features.items()):
            lines.append(f"  {100 * count / max(self.configurations, 1):5.1f} {name}")
        if self.left_out:
            lines.append("left out, since this nginx does not have it: " + ", ".join(sorted(self.left_out)))
        return "\n".join(lines)

    def rare(self, percent: float) -> list[str]:
        """Features in fewer configurations than that."""
        return [name for name, count in self.features.items() if 100 * count < percent * self.configurations]


def _shown(text: str, one: Written) -> str:
    head = text.partition("defined")[0].partition("server {")[0]
    included = [f"# {name}\n{part}" for name, part in one.files.items()]
    return head + "\n".join([*one.blocks, *included])


def compare(expected: Answer, got: Got, seen: list[Seen]) -> Iterator[str]:
    """What differs between the model's answer and nginx's."""
    if got.status == -1:
        yield CRASHED
        return
    if (expected.response.status or 0) != got.status:
        yield f"status: model {expected.response.status}, nginx {got.status}"
        return
    if expected.response.status == NO_ANSWER:
        return
    unknown = [line for line in expected.response.headers if line.value is None or line.sent is not Tri.YES]
    if unknown or expected.response.complete is not Tri.YES:
        yield f"the model does not know {unknown}, though everything is known"
    ours = [(line.name, line.value) for line in expected.response.headers if line.name.lower() not in _EVERY_RESPONSE]
    theirs = [(name, value) for name, value in got.headers if name.lower() not in _EVERY_RESPONSE]
    if ours != theirs:
        yield f"headers: model {ours}, nginx {theirs}"
    if expected.passed is Tri.NO:
        location = [line.value for line in expected.response.headers if line.name == "Location"]
        real = [value for name, value in got.headers if name.lower() == "location"]
        if location != [value for value in real if value]:
            yield f"Location: model {location}, nginx {real}"
    elif not seen and (expected.upstream is None or expected.upstream.header("X-Id")):
        yield "the model passes the request on, nginx does not"
    elif expected.upstream is not None and expected.upstream.header("X-Id") and seen:
        yield from _compare_upstream(expected.upstream, seen[-1])


def _compare_upstream(expected: UpstreamRequest, seen: Seen) -> Iterator[str]:
    if (expected.method, expected.path, expected.version) != (seen.method, seen.path, seen.version):
        ours = f"{expected.method} {expected.path} {expected.version}"
        yield f"upstream: model {ours}, nginx {seen.method} {seen.path} {seen.version}"
    if expected.complete is not Tri.YES or any(line.value is None for line in expected.headers):
        yield f"the model does not know the upstream's headers: {expected.headers}"
    ours_by: dict[str, list[str]] = {}
    for line in expected.headers:
        ours_by.setdefault(line.name.lower(), []).append(line.value or "")
    theirs_by: dict[str, list[str]] = {}
    for name, value in seen.headers:
        theirs_by.setdefault(name.lower(), []).append(value)
    ours_by.pop("content-length", None)
    theirs_by.pop("content-length", None)
    if ours_by != theirs_by:
        names = [name for name in ours_by | theirs_by if ours_by.get(name) != theirs_by.get(name)]
        shown = [f"{name}: model {ours_by.get(name)}, nginx {theirs_by.get(name)}" for name in names]
        yield f"upstream headers: {'; '.join(shown)}"


def shrunk(batch: Batch, found: Difference, around: Surroundings, upstreams: Upstreams, prefix: Path) -> str:
    """The configuration without everything that the difference does not need."""

    def differs(text: str) -> bool:
        configuration = _configuration_of(text, batch.files)
        if configuration is None:
            return False
        expected = answer(configuration, found.request.incoming(), around)
        try:
            with running(prefix, text, batch.ready):
                upstreams.seen.clear()
                got = ask(found.request.port, found.request.method, found.request.target, found.request.headers)
        except (AssertionError, PortTakenError, OSError):
            return False
        key = next(value for name, value in found.request.headers if name == "X-Id")
        whats = list(compare(expected, got, upstreams.seen.get(key, [])))
        return any(what.partition(":")[0] == found.what.partition(":")[0] for what in whats)

    text, at = batch.text, 0
    while True:
        places = _removable(text)
        if at >= len(places):
            return text
        start, end = places[at]
        tried = text[:start] + text[end:]
        if differs(tried):
            text = "\n".join(line for line in tried.split("\n") if line.strip())
        else:
            at += 1


def _removable(text: str) -> list[tuple[int, int]]:
    """The places of all directives but the outermost frame, outer ones first."""
    pending = list(read(SourceFile("nginx.conf", text.encode())).directives)
    found = []
    while pending:
        one = pending.pop(0)
        if one.key not in ("events", "http", "daemon", "master_process", "pid"):
            found.append((one.span.start, one.span.end))
        pending += one.block or ()
    return found


def main() -> int:
    """Runs the comparison and prints its figures; 1 where there is a difference or a feature is too rare."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--configurations", type=int, default=2000)
    parser.add_argument("--requests", type=int, default=10)
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--show", type=int, default=5)
    parser.add_argument("--shrink", type=int, default=0, help="differences to show with the smallest configuration")
    options = parser.parse_args()
    seed = options.seed if options.seed is not None else random.SystemRandom().randrange(1_000_000)
    print(f"seed {seed}", flush=True)
    begun = time.monotonic()
    run = Run(options.shrink)
    run.batches(seed, options.configurations, options.requests)
    for difference in run.differences[: options.show]:
        print(difference, "\n")
    print(run.report())
    rare = run.rare(3)
    if rare:
        print("in fewer than 3 %:", ", ".join(sorted(rare)))
    print(f"{time.monotonic() - begun:.0f} s")
    return 1 if run.differences or rare else 0


if __name__ == "__main__":
    sys.exit(main())
