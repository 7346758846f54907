"""Which files are worth parsing, and that several processes find what one finds."""

from __future__ import annotations

import os
import random
import re
import shutil
import signal
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from corslint import cache, cli, lint, sifting, suppression, workers
from corslint.model import encoding
from corslint.parsers import parse
from corslint.sifting import Choice, Sifted
from corslint.source import SourceFile

ROOT = Path(__file__).parent.parent
CATALOG = lint.knowledge(examples=False).catalog
CHOICE = Choice(CATALOG.words, CATALOG.reads, suppression.MARK)


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Projects with findings, and files that say nothing."""
    projects = sorted(path for path in (ROOT / "fixtures" / "projects").iterdir() if (path / "bad").is_dir())
    for path in projects[:30]:
        shutil.copytree(path / "bad", tmp_path / path.name)
    for number in range(100):
        (tmp_path / f"plain{number}.js").write_text(f"export const a{number} = {number};\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_several_processes_say_what_one_says(tree: Path, capsys: pytest.CaptureFixture[str]) -> None:
    said = []
    for jobs in (1, 2, sifting.WORTH_HANDING_OVER):
        for kept in (["--no-cache"], ["--cache-dir", f"../cache{jobs}"]):
            status = cli.run(["check", ".", *kept, "-j", str(jobs), "--output-format", "json"])
            said.append((status, *capsys.readouterr()))
    assert said == said[:1] * len(said)
    assert said[0][1].count('"rule"') > 30


@pytest.mark.skipif(not workers.can_fork(), reason="this platform cannot fork")
@pytest.mark.parametrize("trouble", ["crashes", "fails"])
def test_a_file_that_ends_its_reader_is_unreadable(
    tree: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, trouble: str
) -> None:
    (tree / "bad.js").write_text("cors\n", encoding="utf-8")

    def risky(source: SourceFile) -> object:
        if source.path == "bad.js":
            if trouble == "crashes":
                os.kill(os.getpid(), signal.SIGKILL)
            raise ZeroDivisionError("nothing to divide by")
        return parse(source)

    cli.run(["check", ".", "--no-cache", "-j1", "--output-format", "concise"])
    before = capsys.readouterr().out
    monkeypatch.setattr("corslint.sifting.parse", risky)
    assert cli.run(["check", ".", "--cache-dir", "../cache", "-j2", "--output-format", "concise"]) == 1
    out = capsys.readouterr().out
    more = [line for line in out.splitlines() if line not in before.splitlines() and line.startswith("bad.js")]
    reason = {"crashes": "the parser crashed (SIGKILL)", "fails": "ZeroDivisionError: nothing to divide by"}[trouble]
    assert len(more) == 1
    assert "[unreadable-file]" in more[0]
    assert reason in more[0]
    assert [line for line in out.splitlines() if line not in more][:-1] == before.splitlines()[:-1]


def test_what_workers_find_is_what_is_there(tree: Path) -> None:
    paths = sorted(str(path.relative_to(tree)) for path in tree.rglob("*") if path.is_file())
    paths.append("gone.js")
    found = list(sifting.by_workers(paths, CHOICE, lambda path: Path(path).read_bytes(), 2, keeps=True))
    assert [one.path for one in found] == paths
    assert found[-1] == Sifted("gone.js", cache.NOTHING, trouble="No such file or directory")
    assert {one.what for one in found} == {cache.PLAIN, cache.INERT, cache.READ, cache.NOTHING}
    for one in found[:-1]:
        data = Path(one.path).read_bytes()
        if one.encoded is not None:
            assert one.digest == cache.digest(data)
            assert encoding.decode(one.encoded, one.path) == parse(SourceFile(one.path, data))
        elif one.what == cache.NOTHING:
            assert parse(SourceFile(one.path, data)) is None


@pytest.mark.parametrize(
    ("jobs", "keeps", "parsed"), [(2, False, False), (sifting.WORTH_HANDING_OVER, False, True), (2, True, True)]
)
def test_workers_parse_only_where_it_pays(jobs: int, keeps: bool, parsed: bool) -> None:
    contents = {f"plain{number}.js": b"export const a = 1;" for number in range(60)}
    contents |= {"a.js": b"app.use(cors());", "b.py": b"import socketio", "package.json": b"{}", "a.sh": b"echo"}
    found = list(sifting.by_workers(list(contents), CHOICE, contents.__getitem__, jobs, keeps=keeps))
    assert [one.path for one in found] == list(contents)
    assert {one.path for one in found if one.what == cache.PLAIN} == {path for path in contents if "plain" in path}
    left = {one.path for one in found if one.what == sifting.WORTH}
    assert left == (set() if parsed else {"a.js", "b.py", "package.json"})
    assert all(one.encoded is None for one in found if one.path in left)


def test_a_file_that_is_gone_before_it_is_parsed_is_unreadable(
    tree: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tree / "gone.js").write_text("app.use(cors());\n", encoding="utf-8")
    take = lint.Project._take

    def taken(project: lint.Project, found: Iterable[Sifted], *rest: Any) -> None:
        every = list(found)
        assert Sifted("gone.js", sifting.WORTH) in every
        (tree / "gone.js").unlink()
        take(project, every, *rest)

    monkeypatch.setattr(lint.Project, "_take", taken)
    assert cli.run(["check", ".", "--no-cache", "-j2", "--output-format", "concise"]) == 1
    out = capsys.readouterr().out
    (line,) = [line for line in out.splitlines() if line.startswith("gone.js")]
    assert "[unreadable-file]" in line


@pytest.mark.parametrize(
    ("path", "text", "what"),
    [
        ("a.js", "export const cors = { origin: '*' };", cache.INERT),
        ("a.ts", "export interface Cors { origin: string }", cache.INERT),
        ("a.js", "app.use(cors());", cache.READ),
        ("a.js", "module.exports.cors = 1;", cache.INERT),
        ("a.js", "res.headers.origin = '*';", cache.READ),
        ("a.js", "export const cors = {", cache.READ),
        ("a.js", "// corslint: ignore[wildcard-origin]\nexport const cors = 1;", cache.READ),
        ("a.js", "export class Cors { origin = '*' }", cache.READ),
        ("vite.config.js", "export default { server: { cors: true } };", cache.READ),
        ("a.html", "<script>const cors = 1;</script>", cache.READ),
        ("a.py", "CORS_ALLOW_ALL_ORIGINS = True", cache.READ),
        ("a.sh", "echo hello", cache.INERT),
        ("Dockerfile", "FROM nginx", cache.READ),
        ("nginx.conf", "", cache.READ),
    ],
)
def test_what_says_nothing_alone(path: str, text: str, what: str) -> None:
    data = text.encode()
    found = parse(SourceFile(path, data))
    assert found is not None
    assert CHOICE.what(path, found, data) == what
    assert not (what == cache.READ and CHOICE.is_only_data(path, data))


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("a.js", 'export default {"title": "CORS (and fetch())"}'),
        ("a.mjs", 'export const routes = [\n  {"path": "/cors", "size": -1.5e3, "next": null}\n];\n'),
        ("a.ts", '// generated\n/* cors */ export const dates: Dates = {"cors.mdx": "2024-01-01T00:00:00Z"}'),
        ("a.tsx", 'const all: string[] = ["origin"];'),
        ("a.cjs", 'module.exports = {"cors": {"origin": "*"}}'),
    ],
)
def test_data_is_known_without_parsing(path: str, text: str) -> None:
    data = text.encode()
    assert CHOICE.worth([(path, data)]) == {path}
    assert CHOICE.is_only_data(path, data)
    found = parse(SourceFile(path, data))
    assert found is not None
    assert CHOICE.what(path, found, data) == cache.INERT


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("a.js", 'export default {"cors": cors()}'),
        ("a.js", 'export default {"cors": "*"}; app.use(cors())'),
        ("a.js", 'export default {"cors": "*"'),
        ("a.js", 'export default {"cors": `${cors()}`}'),
        ("a.js", 'import "./cors"\nexport default {"cors": 1}'),
        ("a.js", 'exports.cors = {"cors": 1}'),
        ("a.js", 'export default {"cors": "corslint: ignore-file"}'),
        ("a.js", "export default " + "[" * 100_000),
        ("a.js", 'export default {"cors": "\udc80"}'),
        ("vite.config.js", 'export default {"server": {"cors": true}}'),
        ("a.py", 'cors = {"origin": "*"}'),
        ("a.js", "/*" * 50_000),
        ("a.js", "// // " * 50_000),
        ("a.js", " " * 50_000 + "x"),
        ("a.js", "export const a" + " " * 50_000 + "x"),
    ],
)
def test_what_is_more_than_data_is_parsed(path: str, text: str) -> None:
    assert not CHOICE.is_only_data(path, text.encode("utf-8", "surrogateescape"))


def test_data_counts_where_a_file_leads_to_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "options.js").write_text('module.exports = {"origin": "*", "credentials": true}', encoding="utf-8")
    (tmp_path / "app.js").write_text(
        "const app = require('express')();\napp.use(require('cors')(require('./options')));\napp.listen(3000);\n",
        encoding="utf-8",
    )
    monkeypatch.chdir(tmp_path)
    for jobs in ("1", "2"):
        assert cli.run(["check", ".", "--no-cache", "-j", jobs, "--output-format", "concise"]) == 1
        assert "[wildcard-origin-with-credentials]" in capsys.readouterr().out


def test_inert_files_count_once_another_leads_to_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "options.js").write_text(
        "export const corsOptions = { origin: '*', credentials: true };\n", encoding="utf-8"
    )
    (tmp_path / "app.js").write_text(
        "import express from 'express';\nimport cors from 'cors';\nimport { corsOptions } from './options.js';\n"
        "express().use(cors(corsOptions));\n",
        encoding="utf-8",
    )
    monkeypatch.chdir(tmp_path)
    assert cli.run(["check", ".", "--output-format", "concise"]) == 1
    assert "options.js:1:" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("contents", "worth"),
    [
        ([b"original", b"the Origin", b"x"], [1]),
        ([b"origin_country", b"originates", b"aboriginal", b"origins"], [3]),
        ([b"allowedOrigins = []", b"ALLOWED_ORIGINS", b"req.headers['origin']", b"isOriginAllowed()"], [0, 1, 2, 3]),
        ([b"CORS", b"cOrS", b"Access-Control-X", b"Acess-Control-Allow-Methods"], [0, 1, 2, 3]),
        ([b"\xff\xfeo\x00", b"", b"websocket"], [0, 2]),
        ([b"ori", b"gin"], []),
    ],
)
def test_words_are_looked_for_in_all_files_at_once(contents: list[bytes], worth: list[int]) -> None:
    from corslint.parsers import worth_parsing, worth_parsing_of

    assert worth_parsing_of(contents) == worth
    assert [place for place, data in enumerate(contents) if worth_parsing("a.js", data)] == worth


@pytest.mark.parametrize("seed", range(40))
def test_what_looks_through_much_at_once_finds_what_looking_one_by_one_does(seed: int) -> None:
    from corslint.parsers import worth_parsing, worth_parsing_of

    chance = random.Random(seed)
    words = CATALOG.words["javascript"]
    known = [*words, b"cors", b"socket", b"access-control", b"control-allow-", b"origin", b"ORIGIN_URL", b"origins"]

    def content() -> bytes:
        filling = bytes(chance.choice(b"abcorsigne.io( -'\n\x00\xff") for _ in range(chance.randrange(3000)))
        at = chance.randrange(len(filling) + 1)
        word = chance.choice(known)
        cut = chance.choice(
            (word, word.upper(), word.title(), word[1:], word[:-1], b"", b"original", b"origin_x", b"o")
        )
        return filling[:at] + cut + filling[at:]

    contents = [content() for _ in range(100)]
    assert len(b"".join(contents)) > 1 << 16
    one_by_one = [place for place, data in enumerate(contents) if worth_parsing("a.js", data, words)]
    assert worth_parsing_of(contents, words) == one_by_one
    naive = [
        place
        for place, data in enumerate(contents)
        if any(word in data.lower() for word in known[:-3])
        or re.search(rb"[oO]rigins?(?![a-z0-9_])|ORIGINS?(?![A-Z0-9])", data)
    ]
    assert one_by_one == naive
    assert 0 < len(naive) < len(contents)


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("a.js", "const socket = io();"),
        ("a.js", "const s = io (url, { transports: ['websocket'] });"),
        ("a.js", "var s = io.connect('/chat');"),
        ("a.js", "const io = require('socket.io')(server);"),
        ("a.js", "import { Server as SocketServer } from 'socket.io'; new SocketServer(80);"),
        ("a.js", "io.origins('*:*');"),
        ("a.js", "opts.cors = { origin };"),
        ("a.js", "app.enableCors();"),
        ("a.ts", "@WebSocketGateway({ namespace: 'chat' })"),
        ("a.ts", "@WebSocketGateway()"),
        ("a.js", "app.use(cors());"),
        ("a.js", "res.header('Access-Control-Allow-Origin', req.headers.origin);"),
        ("a.js", "for (const name in headers) res.setHeader(name, headers[name]); // ACCESS-CONTROL-ALLOW-METHODS"),
        ("a.js", "if (!allowed.includes(req.get('Origin'))) return next();"),
        ("a.js", "const server = http.createServer(app);"),
        ("a.js", "app.listen(3000);"),
        ("a.js", "const r = await fetch('http://localhost:4000/api');"),
        ("a.js", "axios.get(url, { withCredentials: true });"),
        ("a.js", "const x = new XMLHttpRequest();"),
        ("a.html", "<script src='/socket.io/socket.io.js'></script><script>var s = io();</script>"),
        ("a.hbs", "<script>const socket = io({ path: '/x' })</script>"),
        ("a.vue", "<script>import { io } from 'socket.io-client'</script>"),
        ("a.py", "import socketio\nsio = socketio.AsyncServer()"),
        ("a.py", "socketio = SocketIO(app, cors_allowed_origins='*')"),
        ("a.py", "app.add_middleware(CORSMiddleware)"),
        ("a.py", "from flask_cors import CORS"),
        ("a.py", "CORS_ORIGIN_ALLOW_ALL = True"),
        ("a.py", "CSRF_TRUSTED_ORIGINS = ['https://a.example']"),
        ("a.py", "application = AllowedHostsOriginValidator(router)"),
        ("a.py", "def check_origin(self, origin): return True"),
        ("a.py", "response.headers['Access-Control-Allow-Origin'] = '*'"),
        ("a.py", "app = FastAPI()"),
    ],
)
def test_no_spelling_seen_in_real_projects_is_missed(path: str, text: str) -> None:
    assert CHOICE.worth([(path, text.encode())]) == {path}


@pytest.mark.parametrize(
    "text",
    [
        "export const originalTotal = 1;",
        "select original_total, origin_country from item",
        "const portfolio = studio;",
        "export type Price = { amount: number };",
    ],
)
def test_files_that_say_nothing_are_not_parsed(text: str) -> None:
    assert CHOICE.worth([("a.js", text.encode())]) == set()
