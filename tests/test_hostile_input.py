"""What would take for ever, fill the memory or end the process: each ends soon, and says what it did not look at."""

from __future__ import annotations

import contextlib
import faulthandler
import json
import os
import re
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from corslint import cli, discovery, lint, parsers, report, risk, workers
from corslint.extract import MOST_HEADERS, MOST_POLICIES
from corslint.parsers import grammars
from corslint.source import SourceFile
from tests import hostile
from tests.fix_storm import PROJECTS
from tests.test_hostile_files import BAD, BAD_NGINX, BAD_PYTHON, CORS, checked, put

Capture = pytest.CaptureFixture[str]

SECONDS = 20.0
"""Of processor time; a run of these takes one or two. Machines differ, and what is caught here takes minutes."""


@pytest.fixture(autouse=True)
def in_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("CORSLINT_OUTPUT_FORMAT", raising=False)
    monkeypatch.setenv("CORSLINT_DEBUG", "1")  # an exception is raised, not told


@pytest.fixture(autouse=True)
def in_time() -> Iterator[None]:
    began = time.process_time()
    yield
    assert time.process_time() - began < SECONDS


# --- nesting, chains, lists ------------------------------------------------------------------------------------------

N = 8_000
_OPTIONS = "from fastapi import FastAPI\nfrom fastapi.middleware.cors import CORSMiddleware\napp = FastAPI()\n"


def _js(origin: str) -> str:
    return f"{CORS}app.use(cors({{ origin: {origin} }}));\n"


def _py(origins: str) -> str:
    return f"{_OPTIONS}app.add_middleware(CORSMiddleware, allow_origins={origins})\n"


_ALIASES = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{chr(98 + n)}: &{chr(98 + n)} [{', '.join(['*' + chr(97 + n)] * 9)}]\n" for n in range(12)
)


def _each_of_the_two_before(line: str, first: str, second: str, origin: str) -> str:
    """Variables of which each mentions two: `{0}` is the number of this one, `{1}` and `{2}` of those before."""
    lines = (line.format(n, n - 1, n - 2) for n in range(2, 50))
    return "\n".join([f"const x0 = {first}, x1 = {second};", *lines, _js(origin)])


BOMBS: dict[str, tuple[str, str]] = {
    **{f"js {opens}": ("a.js", _js(opens * N + "1" + closes * N)) for opens, closes in (
        ("(", ")"), ("[", "]"), ("{a:", "}"), ("`${", "}`"), ("f(", ")"), ("a ? ", " : 0"), ("!", ""), ("() => ", ""),
        ("function () {", "}"), ("class A { static {", "}}"), ("new ", ""), ("a = ", ""), ("<a>", "</a>"), ("...", ""),
        ("await ", ""), ("[...", "]"),
    )},
    **{f"tsx {opens}": ("a.tsx", _js(opens * N + "1" + closes * N)) for opens, closes in (
        ("(", ")"), ("<a>", "</a>"), ("`${", "}`"), ("(a as A<", ">)"),
    )},
    **{f"js chain {link}": ("a.js", _js(link * N + "a")) for link in (
        "a + ", "a.b.", "a || ", "a ?? ", "a()", "a[0]", "a?.", "a = ", "a ? b : ", "a`b`", "'a' + ", "x => ", "[], ",
    )},
    "js else if": ("a.js", f"{CORS}{'if (a) {} else ' * N}app.use(cors());"),
    "js arguments": ("a.js", f"{CORS}cors({'a, ' * 100_000})"),
    "js spread arguments": ("a.js", f"{CORS}cors({'...a, ' * 100_000})"),
    "js options": ("a.js", f"{CORS}cors({{{'a: 1, ' * N}}})"),
    "js integer": ("a.js", f"{CORS}cors({{ maxAge: {'9' * N} }})"),
    "js hexadecimal": ("a.js", f"{CORS}cors({{ maxAge: 0x{'f' * N} }})"),
    "js repeat": ("a.js", _js("'a'.repeat(2 ** 30) + Array(2 ** 31).fill('a')")),
    "js expression": ("a.js", _js(f"/^{'(a|' * 200}{')' * 200}$/")),
    "js expressions": ("a.js", _js(f"[{'/(a+)+$/, ' * 2000}]")),
    **{f"js expression {loops}": ("a.js", _js(f"/^{loops}.example$/")) for loops in (
        "((a*)*)*", "(([a-z]*)*)*", "((a*)?)*", "((a|b?)*c?)*", "((a+)+)+", "((a?){9}){9}",
    )},
    "js optional letters": ("a.js", _js(f"/{'a?' * 1500}{'a' * 1500}/")),
    "js base classes": ("a.js", "".join(f"class A{n} extends A{(n + 1) % 300} {{}}\n" for n in range(300))
                        + _js("new A0().origin")),
    "js functions": ("a.js", "".join(f"function f{n}(o) {{ return f{(n + 1) % 50}(o) || f{(n + 2) % 50}(o); }}\n"
                                     for n in range(50)) + _js("f0('a')")),
    **{f"js functions {does}": ("a.js", "".join(
        f"function f{n}(o) {{ {does.format((n + 1) % 50, (n + 2) % 50)} }}\n" for n in range(50)) + _js("f0('a')"))
       for does in (
        "return o ? f{0}(o) : f{1}(o);", "if (f{0}(o)) return 'a'; if (f{1}(o)) return 'b'; return 'c';",
        "return f{0}(o) && f{1}(o);", "return f{0}(o)[f{1}(o)];", "return f{0}(f{1}(o));", "return f{0}(o) + f{1}(o);",
        "return {{ ...f{0}(o), ...f{1}(o) }};", "return [f{0}, f{1}].map(f => f(o));",
        "if (f{0}(o) === f{1}(o)) return 'a'; return 'b';", "return f{0}(o).concat(f{1}(o));",
        "return f{0}(o).split(f{1}(o));",
       )},
    **{f"js doubles {line} {origin}": ("a.js", _each_of_the_two_before(line, f"{opens}process.env.A{closes}",
                                                               f"{opens}process.env.B{closes}", origin))
       for line, opens, closes, origin in (
        ("const x{0} = x{1} || x{2};", "", "", "x49"), ("const x{0} = x{1} && x{2};", "", "", "x49 ? 'a' : '*'"),
        ("const x{0} = !x{1} && !x{2};", "", "", "x49 ? 'a' : '*'"), ("const x{0} = x{1} + x{2};", "", "", "x49"),
        ("const x{0} = a{0} ? x{1} : x{2};", "", "", "x49"), ("const x{0} = [...x{1}, ...x{2}];", "[", "]", "x49"),
        ("const x{0} = {{...x{1}, ...x{2}}};", "{a: ", "}", "'a', ...x49"),
        ("const x{0} = {{...x{1}, ...x{2}}};", "{a: ", "}", "x49.b"),
        ("const x{0} = a{0} ? x{1} : x{2};", "{a: ", "}", "x49.a"),
        ("let x{0} = x{1}; if (b{0}) x{0} = x{2};", "", "", "x49"),
       )},
    "js class doubles": ("a.js", "".join(
        f"class A{n} extends A{n + 1} {{ constructor() {{ this.x{n} = this.x{n + 1} || this.x{n + 2}; }} }}\n"
        for n in range(50)) + _js("new A0().x0")),
    "py list doubles": ("a.py", "x0 = x1 = ['https://a.example']\n"
                        + "".join(f"x{n} = x{n - 1} + x{n - 2}\n" for n in range(2, 50)) + _py("x49")),
    "js reassigned": ("a.js", CORS + "let o;\n" + "".join(f"o = o ? 'a{n}' : o;\n" for n in range(2000))
                      + "app.use(cors({ origin: o }));"),
    "js routes": ("a.js", CORS + "app.use(cors());\n"
                  + "".join(f"app.get('/{n}', (q, res) => res.json(1));\n" for n in range(3000))),
    "js requests": ("a.js", "const cors = 1;\n" + "".join(f"fetch('https://a.example/{n}');\n" for n in range(3000))),
    "js sockets": ("a.js", "import { io } from 'socket.io-client';\n"
                   + "".join(f"io('https://a{n}.example');\n" for n in range(2000))),
    **{f"py {opens}": ("a.py", _py(opens * N + "1" + closes * N)) for opens, closes in (
        ("(", ")"), ("[", "]"), ("{1: ", "}"), ("f(", ")"), ("lambda: ", ""), ("not ", ""), ("-", ""), ("await ", ""),
        ("[x for x in ", "]"), ("f'{", "}'"), ("*", ""), ("x if y else ", ""), ("a[", "]"),
    )},
    **{f"py chain {link}": ("a.py", _py(link * N + "a")) for link in (
        "a + ", "a.", "a or ", "a, ", "a()", "a[0]", "a < ", "'a' ", "a | ",
    )},
    "py elif": ("a.py", f"{_OPTIONS}if x: pass\n" + "elif y: pass\n" * 3000),
    "py decorators": ("a.py", _OPTIONS + "@a\n" * 3000 + "def f(): pass\n"),
    "py deep blocks": ("a.py", _OPTIONS + "".join(f"{' ' * n}if x:\n" for n in range(1000))),
    "py integer": ("a.py", _py(f"[], max_age={'9' * N}")),
    "py power": ("a.py", _py("['a'] * 10 ** 10, max_age=9 ** 9 ** 9 ** 9")),
    **{f"nginx {opens}": ("nginx.conf", f"{opens * N}{closes * N}\n{BAD_NGINX}") for opens, closes in (
        ("server {", "}"), ("location / {", "}"), ("if ($a) {", "}"), ("{", "}"), ('"', ""), ("${", "}"), ("\\", ""),
        ("{{ ", "}}"), ("{% if a %}", ""), ("#", "\n"), ("include nginx.conf;", ""), ("add_header A ", ""),
    )},
    "nginx arguments": ("nginx.conf", f"server {{ server_name {'a ' * 100_000}; add_header A {'$a' * N}; }}"),
    "nginx expressions": ("nginx.conf", "server {" + "location ~ ^/((a+)+)+$ { proxy_pass http://a; }\n" * 300 + "}"),
    "nginx variables": ("nginx.conf", "".join(f"map $a{n} $a{n + 1} {{ default $a{n}$a{n}; }}\n" for n in range(500))
                        + "server { location / { add_header Access-Control-Allow-Origin $a500; } }"),
    "nginx rewrites": ("nginx.conf", "server {" + "".join(f"rewrite ^/a{n} /a{n + 1} last;\n" for n in range(1000))
                       + "location / { rewrite ^ / last; proxy_pass http://a; } }"),
    **{f"json {opens} in {name}": (name, opens * N + "1" + closes * N) for opens, closes in (("[", "]"), ('{"a":', "}"))
       for name in ("package.json", "package-lock.json", "Pipfile.lock")},
    "json integer": ("package.json", f'{{"dependencies": {{"cors": {"9" * N}}}}}'),
    "json range": ("package.json", f'{{"dependencies": {{"cors": "{">=1 <2 || " * N}1"}}}}'),
    "json spaces": ("package.json", f'{{"dependencies": {{"cors": "{" " * 50 * N}x"}}}}'),
    "requirements spaces": ("pyproject.toml", f'[tool.poetry.dependencies]\nflask = "{" " * 50 * N}x"'),
    "json version": ("package.json", f'{{"dependencies": {{"cors": "^{"9" * N}.0.0"}}}}'),
    **{f"toml {part[:6]}": ("pyproject.toml", f"[project]\nname = 'x'\n{part}") for part in (
        "a = " + "[" * N + "]" * N, "a = " + "{a = " * N, f"[a{'.a' * N}]", f"a = {'9' * N}",
    )},
    **{f"requirements {part[:12]}": ("requirements.txt", part) for part in (
        "flask>=1," * N, f"flask; {'(' * N}python_version > '3'{')' * N}", f"flask=={'1.' * N}", "flask \\\n" * N,
        "-r requirements.txt\n" * N, f"flask{' ' * N}x",
    )},
    **{f"yaml {what} in {name}": (name, text) for name in ("docker-compose.yml", "k8s/deployment.yaml",
    "pnpm-lock.yaml")
       for what, text in (
        ("aliases", f"{_ALIASES}services: *m\nspec: *m\ndependencies: *m\n"),
        ("alias of itself", "services: &a\n  web: *a\nspec: &b [*b, *b]\ndependencies: &c {cors: *c}\n"),
        ("merged", "services: &a\n  <<: *a\n  web:\n    <<: [*a, *a]\n    image: nginx\n"),
        ("[", "services: " + "[" * N), ("- ", "- " * N), ("{a: ", "{a: " * N),
        ("blocks", "".join(f"{' ' * n}a:\n" for n in range(1000))), ("documents", "---\nkind: Deployment\n" * N),
        ("integer", f"services: {{web: {{image: nginx, ports: [{'9' * N}, 1:2{':60' * N}, 2001-99-99, .inf]}}}}\n"),
        ("tag", "services: !!python/object/apply:os.system ['touch made-by-a-tag']\n"),
    )},
    "yarn": ("yarn.lock", f"# yarn lockfile v1\n{'cors@^1, ' * N}:\n  version 1\n"),
    **{f"{name} {opens}": (name, opens * N + "<script>socket.io</script>") for name in ("a.html", "a.vue", "a.svelte")
       for opens in ("<div>", "<script>", "<script ", "<!--", "<", "{{", "<style>", "<template>", "<a b='")},
    **{f"html of its own address {part}": ("a.html", f"<script>socket.io</script>canonical{part * 5 * N}")
       for part in (
        "<!--", "<link ", "<link a", "<meta http-equiv=",
    )},
    **{f"markdown {part[:9]!r}": ("README.md", part * N) for part in ("```\n", "> ", "- ", "<!--", "```nginx\n",
    "~~~\n")},
    **{f"shell {part!r}": ("a.sh", part * N) for part in ("cat <<E\n", "<<", "$(", "`", "'", "cat <<A <<B\n", "\\\n")},
    **{f"docker {part!r}": ("Dockerfile", f"FROM nginx\nRUN {part * N}") for part in ("cat <<E\n", "<<", "a \\\n",
    "[")},
    **{f"lines {name}": (name, line * N) for name, line in (
        ("Procfile", "web: a\n"), (".env", "A=b\n"), ("Dockerfile", "FROM a AS b\n"), (".env", "export "),
    )},
    "comments": ("a.js", CORS + "// corslint: ignore[a]\n" * 2000),
    **{f"comments of {name}": (name, f"{begin}# corslint: ignore[a]\n# a\n" * 2000) for name, begin in (
        ("nginx.conf", ""), ("a.sh", ""), ("Dockerfile", "RUN a\n"), ("docker-compose.yml", "- a\n"), (".env", ""),
        ("requirements.txt", "flask\n"), ("README.md", "```nginx\n"), ("k8s/a.yaml", "---\n"), ("Procfile", "a: b\n"),
        ("a.html", "<script>//"), ("a.py", "a = 1\n"), ("a.vue", "<!--"),
    )},
    "comments open": ("a.py", "# corslint: disable[a]\n" * 2000 + BAD_PYTHON),
    "comment of other rules": ("a.js", f"// corslint: ignore[{', '.join(f'no-{n}' for n in range(N))}]\n{CORS}"),
    "js proxies that repeat": ("a.js", "const { createProxyMiddleware: p } = require('http-proxy-middleware');\n"
        + "const live = p({ pathFilter: '/socket.io', target: 'http://localhost:4000' });\n" * 4000),
    "js list that grows": ("a.js", f"{CORS}const l = [];\n{'l.push(a);' * 4000}\n" + _js("l")),
    "js object that changes": ("a.js", f"{CORS}const o = {{}};\n" + "app.put('/', (q) => Object.assign(o, q.body));\n"
        * 4000 + _js("o.a")),
    "js configurations": ("vite.config.js", "export default {};\n" * 20_000),
    "js name that is bound again": ("a.js", "const app = express(); app.use(cors);\n" * 6000),
    "py list of a pair that doubles": ("a.py", "import socketio\nx0 = 'asgi'\n"
        + "".join(f"x{n} = [x{n - 1}, x{n - 1}]\n" for n in range(1, 50))
        + "io = socketio.AsyncServer(cors_allowed_origins='*', async_mode=x49)\napp = socketio.ASGIApp(io)\n"),
    "nginx ifs": ("nginx.conf", "events {}\nhttp { server { location / {\n" + "".join(
        f"if ($arg_a{n}) {{ set $b{n} 1; add_header Access-Control-Allow-Origin $b{n}; }}\n" for n in range(8000))
        + "proxy_pass http://127.0.0.1:3000; } } }\n"),
    "jsx errors": ("a.jsx", f"{CORS}const x = " + "<a b='?a=1&b=2'>x & y > z" * 20_000),
    "js errors in one another": ("a.js", CORS + "[1 2 " * 20_000),
    "comment of rules": ("a.js", f"// corslint: ignore[{'a, ' * N}]\n{CORS}"),
}  # fmt: skip


@pytest.mark.parametrize(("name", "text"), BOMBS.values(), ids=BOMBS)
def test_a_bomb_does_not_go_off(capsys: Capture, name: str, text: str) -> None:
    put(name, text.encode()[: discovery.SIZE_LIMIT])
    _, _, summary = checked(capsys, "--pedantic", "--config", "markdown = true", name)  # named, or it is minified
    assert summary["files"] == 1
    assert not Path("made-by-a-tag").exists()


def test_a_picture_of_thousands_of_servers_takes_no_time(capsys: Capture) -> None:
    servers = "const http = createServer();\n" * 20_000
    put("a.js", f"const {{ createServer }} = require('http');\n{servers}new (require('socket.io').Server)(http);\n")
    assert cli.run(["check", "--output-format", "html", "."]) in (0, 1)
    assert "</html>" in capsys.readouterr().out


def test_files_that_nginx_includes_again_and_again_are_read_some_times(capsys: Capture) -> None:
    chat = PROJECTS / "chat" / "bad"
    line = "    include conf.d/*.conf;\n"
    for path in filter(Path.is_file, chat.rglob("*")):
        text = path.read_text().replace(line, line * 300)
        put(path.relative_to(chat).as_posix(), text)
    assert line * 300 in Path("nginx/nginx.conf").read_text()
    assert "lost-cors-headers" in {rule for rule, *_ in checked(capsys, ".")[1]}


@pytest.mark.parametrize("opens", ["(", "[", "f(", "a + ", "a or ", "a and ", "not ", "lambda: "])
def test_what_is_mended_by_another_parser_does_not_reach_it_nested(capsys: Capture, opens: str) -> None:
    """libcst ends the process at some thousand levels."""
    closes = {"(": ")", "[": "]", "f(": ")"}.get(opens, "")
    put("f.py", f"x = {opens * 5000}1{closes * 5000}\n{BAD_PYTHON}")
    put("g.py", BAD_PYTHON)
    assert cli.run(
        ["check", "--fix", "--unsafe-fixes", "--config", 'frontends = ["https://app.example.com"]', "."]
    ) in (0, 1)
    assert "app.example.com" in Path("g.py").read_text()


def test_a_text_that_doubles_at_every_line_does_not_fill_the_memory(capsys: Capture) -> None:
    lines = ["const a0 = 'https://a.example.com';", *(f"const a{n} = a{n - 1} + a{n - 1};" for n in range(1, 60))]
    put("a.js", "\n".join([*lines, _js("a59")]))
    lines = ["a0 = 'https://a.example.com'", *(f"a{n} = f'{{a{n - 1}}}{{a{n - 1}}}'" for n in range(1, 60))]
    put("f.py", "\n".join([*lines, _py("[a59]")]))
    assert checked(capsys, ".")[:2] == (0, [])


# --- too much of everything ------------------------------------------------------------------------------------------

_CROWD = "it sets up CORS, sockets or headers more often than people do, and from here on that was not looked at"


@pytest.mark.parametrize(
    ("name", "text", "line"),
    [
        ("a.js", CORS + "app.use(cors());\n" * (MOST_POLICIES + 300), 3 + MOST_POLICIES),
        ("f.py", _OPTIONS + "app.add_middleware(CORSMiddleware)\n" * (MOST_POLICIES + 300), 4 + MOST_POLICIES),
        ("a.js", "h.setHeader('Access-Control-Allow-Methods', 'GET');\n" * (MOST_HEADERS + 5), 1 + MOST_HEADERS),
    ],
    ids=["layers", "python", "headers"],
)
def test_more_than_people_write_is_not_looked_at_and_that_is_said(
    capsys: Capture, name: str, text: str, line: int
) -> None:
    put(name, text)
    _, found, _ = checked(capsys, "--select", "unreadable-file", ".")
    assert [(rule, path, at) for rule, path, at, _ in found] == [("unreadable-file", name, line)]
    cli.run(["check", "--select", "unreadable-file", "."])
    assert f"warning[unreadable-file]: not all of this file was checked: {_CROWD}" in capsys.readouterr().out


def test_rules_that_would_take_too_long_are_counted(capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    from corslint import engine

    put("a.js", BAD)
    put("nginx.conf", BAD_NGINX)
    monkeypatch.setattr(engine, "MOST_TRIED", 0)
    _, found, summary = checked(capsys, ".")
    assert found == []  # none whose conditions were not all looked at
    assert summary["passed_over"] == {"unfinished rules": summary["passed_over"]["unfinished rules"]}
    cli.run(["check", "."])
    assert re.search(r"; passed over \d+ rules that took too long\n", capsys.readouterr().out)


# --- one file's parser -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("error", [RecursionError, MemoryError, ValueError, AssertionError])
def test_a_parser_that_fails_takes_down_one_file(
    capsys: Capture, monkeypatch: pytest.MonkeyPatch, error: type[Exception]
) -> None:
    monkeypatch.delenv("CORSLINT_DEBUG")
    put("a.js", BAD)
    put("b.js", BAD)
    parse = parsers.parse

    def fails(source: SourceFile) -> Any:
        if source.path == "a.js":
            raise error("deep inside")
        return parse(source)

    monkeypatch.setattr(lint, "parse", fails)
    _, found, _ = checked(capsys, ".")
    assert [one[:2] for one in found] == [
        ("unreadable-file", "a.js"),
        ("wildcard-origin-with-credentials", "b.js"),
    ]
    cli.run(["check", "."])
    assert f"its parser failed ({error.__name__}); please report it" in capsys.readouterr().out


@pytest.mark.parametrize("name", ["a.js", "a.ts", "f.py", "a.vue"])
def test_a_file_that_takes_too_long_to_parse_is_reported(
    capsys: Capture, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setattr(grammars, "_PARSE_SECONDS", -1.0)
    put(name, f"<script>{BAD * 50}</script>" if name == "a.vue" else (BAD_PYTHON if name == "f.py" else BAD) * 50)
    cli.run(["check", "--pedantic", "--output-format", "concise", "."])
    out = capsys.readouterr().out
    assert "takes too long to parse [syntax-error]" in out
    assert "wildcard" not in out


_RISKY = {
    "large": ("a.js", BAD + "// a\n" * 50_000),
    "deep": ("a.js", f"{BAD}x = {'[' * 600}{']' * 600};\n"),
    "a page": ("a.html", f"<script>{BAD}x = {'(' * 600}1{')' * 600};</script>\n"),
    "python": ("a.py", f"{BAD_PYTHON}x = {'[' * 600}{']' * 600}\n"),
}


def _crash(_source: SourceFile) -> Any:
    faulthandler.disable()  # pytest's, which would print where it happened
    os.kill(os.getpid(), signal.SIGSEGV)


def _hang(_source: SourceFile) -> Any:
    while True:
        pass


@pytest.mark.skipif(not workers.can_fork(), reason="this platform cannot fork")
@pytest.mark.parametrize("risky", _RISKY)
@pytest.mark.parametrize(
    ("parse", "reason"),
    [(_crash, r"the parser crashed \(SIGSEGV\)"), (_hang, r"reading it takes more than [\d.]+ s")],
    ids=["crashes", "hangs"],
)
def test_a_parser_that_crashes_or_hangs_takes_down_one_file(
    capsys: Capture, monkeypatch: pytest.MonkeyPatch, risky: str, parse: Callable[[SourceFile], Any], reason: str
) -> None:
    name, text = _RISKY[risky]
    put(name, f"{text}# corslint: ignore[a]\n" if name == "a.py" else f"{text}<!-- // corslint: ignore[a] -->\n")
    put("b.js", BAD)
    put("f.py", BAD_PYTHON)
    monkeypatch.setattr(workers, "SECONDS", 0.2)
    monkeypatch.setattr(workers, "parse", parse)
    status, found, summary = checked(capsys, ".")
    assert status == 1
    assert [one[:2] for one in found] == [
        ("unreadable-file", name),
        ("wildcard-origin-with-credentials", "b.js"),
        ("reflected-origin-with-credentials", "f.py"),
    ]
    assert summary["files"] == 3
    cli.run(["check", "--output-format", "concise", "."])
    assert re.search(f"{name}:1:1: .*{reason}", capsys.readouterr().out)


@pytest.mark.skipif(not workers.can_fork(), reason="this platform cannot fork")
@pytest.mark.parametrize("risky", _RISKY)
def test_a_file_that_is_read_by_another_process_is_read_alike(
    capsys: Capture, monkeypatch: pytest.MonkeyPatch, risky: str
) -> None:
    name, text = _RISKY[risky]
    put(name, text)
    apart = checked(capsys, "--no-cache", ".")
    assert apart[1]
    monkeypatch.setattr(risk, "is_risky", lambda *_: False)
    assert checked(capsys, "--no-cache", ".") == apart


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.js", BAD * 50),
        ("a.js", "f(a[{b: (c)}]);\n" * 5_000),
        ("nginx.conf", "{" * 5_000),
        ("package-lock.json", "[" * 300_000),
    ],
    ids=["usual", "many brackets", "nginx", "manifest"],
)
def test_what_harms_nobody_is_read_by_this_process(name: str, text: str) -> None:
    assert not risk.is_risky(name, text.encode())


# --- what is no file, or not for long --------------------------------------------------------------------------------


def test_pipes_devices_and_folders_with_names_of_files(capsys: Capture) -> None:
    put("a.js", BAD)
    os.mkfifo("pipe.js")
    os.mkfifo("nginx.conf")
    Path("zero.py").symlink_to("/dev/zero")
    Path("package.json").mkdir()
    Path("folder.js").mkdir()
    _, found, summary = checked(capsys, ".")
    assert {path for _, path, _, _ in found} == {"a.js"}
    assert summary["passed_over"] == {"link out of the tree": 1, "not a regular file": 2}
    _, found, _ = checked(capsys, "a.js", "pipe.js", "zero.py")
    assert {path for rule, path, _, _ in found if rule == "unreadable-file"} == {"pipe.js", "zero.py"}


@pytest.mark.parametrize("becomes", ["nothing", "a folder", "a pipe", "another text"])
def test_a_file_that_changes_between_listing_and_reading(
    capsys: Capture, monkeypatch: pytest.MonkeyPatch, becomes: str
) -> None:
    put("a.js", BAD)
    put("b.js", BAD)
    read = discovery.read_file

    def changed(path: str, *arguments: Any) -> bytes:
        if path == "b.js" and becomes != "another text":
            Path(path).unlink(missing_ok=True)
            if becomes == "a folder":
                Path(path).mkdir()
            elif becomes == "a pipe":
                os.mkfifo(path)
        elif path == "b.js":
            put(path, "// nothing")
        return read(path, *arguments)

    monkeypatch.setattr(lint, "read_file", changed)
    status, found, _ = checked(capsys, ".")
    assert status == 1
    expected = [("wildcard-origin-with-credentials", "a.js")]
    assert [one[:2] for one in found] == expected + [("unreadable-file", "b.js")] * (becomes != "another text")


@pytest.mark.parametrize(
    "text",
    ["COPY " + "[" * N, "CMD " + "[" * N, f"EXPOSE {'9' * N}\nCMD nginx -p {'9' * N}"],
    ids=["copy", "cmd", "expose"],
)
def test_instructions_of_a_dockerfile(capsys: Capture, text: str) -> None:
    put("Dockerfile", f"FROM nginx\n{text}\n")
    assert checked(capsys, "Dockerfile")[0] == 0


@pytest.mark.parametrize(
    "line",
    [
        "listen {};", "proxy_read_timeout {}s;", "proxy_read_timeout {}!;",
        "proxy_pass http://a:{};", "error_page 404 ={} /a;", "return {};",
        "try_files /a ={};", "rewrite ^ /a${};", "add_header Access-Control-Max-Age {};", "proxy_pass http://a/$http_{};",
        "try_files /a =²;", "server a:{};", "if ($http_origin ~ a{{{}}}) {{ return 204; }}",
    ],
)  # fmt: skip
def test_numbers_of_nginx_that_are_too_long_to_be_read(capsys: Capture, line: str) -> None:
    directive = line.format("9" * 5000)
    put(
        "nginx.conf",
        f"server {{ listen 80; location /socket.io/ {{ {directive} proxy_pass http://b; }} {directive} }}\n",
    )
    put("client.js", "fetch('http://localhost/socket.io/', { credentials: 'include' }); // cors\n")
    assert hostile.run(("check", "--pedantic", ".")) == ""
    assert hostile.run(("trace", "--from", "https://a.example", "--to", "http://localhost/socket.io/", ".")) == ""
    capsys.readouterr()


@pytest.mark.parametrize("body", [b"0{" + b'"a":[' * 9000 + b"}", b'0{"sid":' + b"9" * 9000 + b"}", b"0{\xff}"])
def test_a_first_packet_of_a_socket(body: bytes) -> None:
    from corslint.probe import session_of

    assert session_of(body) == ""


# --- names and output ------------------------------------------------------------------------------------------------

_NAMES = [
    "\x1b]0;x\x07.js", "a\nb.js", "::error::x.js", "a: b.js", "%0A::error::.js", "\u202ea.js", "a'\"`$(x).js", "-rf.js",
    "##[error]x.js", "##vso[task.setvariable]x.js", "<x>&amp;]]>.js", "a\u2028b.js", os.fsdecode(b"\xff.js"), " .js",
]  # fmt: skip


@pytest.mark.parametrize(
    "arguments",
    [*(("check", "--output-format", name) for name in sorted(report.FORMATS)), ("facts",), ("check",
    "--show-files"),
     ("check", "--show-settings"), ("check", "--statistics"), ("trace",), ("init",), ("check", "--add-ignores"),
     ("explain", "blocked by CORS policy: No 'Access-Control-Allow-Origin' header is present")],
    ids=lambda arguments: " ".join(arguments)[:30],
)  # fmt: skip
def test_hostile_names_and_texts_are_harmless_wherever_they_are_written(arguments: tuple[str, ...]) -> None:
    for name in _NAMES:
        put(name, BAD.replace("app", "/* \x1b[2J\x9b\u202e */ app").replace("'*'", "'*' /* \n::error::x */"))
        put(f"d/{name}", "fetch('https://api.example.com/\\u001b[2J##[error]', { credentials: 'include' }); // cors")
    assert hostile.run((*arguments, ".")) == ""


# --- what is ours to read: settings, rules, baselines ----------------------------------------------------------------

_RULE = "id: a-rule\nseverity: error\neffect: broken\nmatch: [{name: p, fact: cors_policy}]\n"


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("corslint.toml", b"rules = " + b"[" * N),
        ("corslint.toml", b"select = [" + b"'a', " * N),
        ("corslint.toml", b"\xff\xfe\0"),
        ("corslint.toml", b"a = " + b"9" * N),
        ("corslint.toml", b"extend = 'corslint.toml'"),
        ("corslint.toml", b"extend = '/dev/zero'"),
        ("corslint.toml", b"exclude = ['" + b"(a*" * 300 + b"']"),
        ("corslint.toml", b"'\\u001b[2J' = 1"),
        ("pyproject.toml", b"[tool.corslint]\nselect = 1e999"),
        ("rules/a.yaml", b"[" * N),
        ("rules/a.yaml", b"- " * N),
        ("rules/a.yaml", b"id: \xff\0\n"),
        ("rules/a.yaml", _ALIASES.encode()),
        ("rules/a.yaml", b"a: &a\n  b: *a\n"),
        ("rules/a.yaml", b"id: " + b"9" * N),
        ("rules/a.yaml", b"id: !!python/object/apply:os.system ['touch made-by-a-tag']\n"),
        ("rules/a.yaml", f"{_RULE}report: {{at: p, message: '{'{' * N}', help: h}}\nexamples: []\n".encode()),
        ("rules/a.yaml", f"{_RULE}report: {{at: p.{'a.' * N}, message: m, help: h}}\nexamples: []\n".encode()),
        ("rules/a.yaml", f"{_RULE}\"\\e[2J\": 1\n".encode()),
        ("baseline.json", b"[" * N),
        ("baseline.json", b'{"version": ' + b"9" * N + b"}"),
        ("baseline.json", b"\xff\0"),
        ("baseline.json", b'{"version": 1, "findings": [{"rule": "\\u001b[2J\\ud800"}]}'),
    ],
    ids=range(23),
)  # fmt: skip
def test_our_own_files_are_refused_in_one_clear_line(capsys: Capture, name: str, text: bytes) -> None:
    put("a.js", BAD)
    put(name, text)
    if name.startswith("rules/"):
        put("corslint.toml", "rules = ['rules']\n")
    baseline = ("--baseline", "baseline.json") if name == "baseline.json" else ()
    status = cli.run(["check", *baseline, "."])
    out, err = capsys.readouterr()
    assert (status, out) == (2, "")
    assert err.startswith("corslint: error: ")
    assert err.count("\n") == 1
    assert err.rstrip("\n").isprintable()
    assert len(err) < 3000
    assert not Path("made-by-a-tag").exists()


# --- explain and probe -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    ["a" * 10_000_000, "blocked by CORS policy " * 400_000, "\x1b[2J" * 2_000_000, "'" * 5_000_000, "{url}" * 1_000_000,
     "Access to fetch at 'http://" * 300_000, "> GET / HTTP/1.1\n< HTTP/1.1 200\n" * 200_000, "\n" * 5_000_000 + "x"],
    ids=range(8),
)  # fmt: skip
@pytest.mark.parametrize("output_format", ["text", "json"])
def test_ten_megabytes_that_somebody_pasted(capsys: Capture, text: str, output_format: str) -> None:
    put("a.js", BAD)
    assert cli.run(["explain", "--output-format", output_format, text, "."]) in (0, 3)
    out, err = capsys.readouterr()
    assert (out + err).replace("\n", "").isprintable()
    assert len(out) < 1_000_000
    if output_format == "json" and out:
        json.loads(out)


def _forever(piece: bytes, pause: float = 0.0) -> Callable[[socket.socket], None]:
    def says(connection: socket.socket) -> None:
        while True:
            connection.sendall(piece)
            time.sleep(pause)

    return says


_HEAD = b"HTTP/1.1 200 OK\r\nAccess-Control-Allow-Origin: *\r\n"


def _after(head: bytes, then: Callable[[socket.socket], None]) -> Callable[[socket.socket], None]:
    def says(connection: socket.socket) -> None:
        connection.sendall(head)
        then(connection)

    return says


@pytest.mark.parametrize(
    "says",
    [
        _after(_HEAD, _forever(b"X-A: b\r\n")),
        _after(_HEAD, _forever(b"a" * 1000)),
        _after(_HEAD, _forever(b"a", 0.05)),
        _forever(b"H", 0.05),
        _after(_HEAD + b"\r\n", _forever(b"a" * 100_000)),
        _after(_HEAD + b"\r\n", _forever(b"a", 0.05)),
        _after(_HEAD + b"Transfer-Encoding: chunked\r\n\r\n", _forever(b"1\r\na\r\n", 0.05)),
        _after(_HEAD + b"Content-Length: 99999999999999999999999\r\n\r\n", _forever(b"a", 0.05)),
        _after(_HEAD + b"Content-Encoding: gzip\r\n\r\n", _forever(b"\x1f\x8b\x08\0\0\0\0\0", 0.05)),
        _forever(b"HTTP/1.1 100 Continue\r\n\r\n", 0.05),
        _after(b"HTTP/1.1 302 Found\r\nLocation: /\r\nContent-Length: 0\r\n\r\n", lambda _: None),
        _after(_HEAD + b"X-\x1b[2J: \x1b]0;x\x07\r\nVary: \xff\x9b::error::x ##[error]\r\n\r\n", lambda _: None),
        _after(b"\0\xff\n" * 1000, lambda _: None),
    ],
    ids=["headers", "a header", "a header drips", "the status drips", "a body", "a body drips", "chunks drip", "length",
         "packed", "continue", "redirects", "escapes", "rubbish"],
)  # fmt: skip
def test_a_server_cannot_hold_up_a_probe(capsys: Capture, says: Callable[[socket.socket], None]) -> None:
    def serve(listener: socket.socket) -> None:
        def answer(connection: socket.socket) -> None:
            with contextlib.suppress(OSError), connection:
                connection.recv(4096)
                says(connection)

        with contextlib.suppress(OSError):
            while True:
                threading.Thread(target=answer, args=(listener.accept()[0],), daemon=True).start()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=serve, args=(listener,), daemon=True).start()
        url = f"http://127.0.0.1:{listener.getsockname()[1]}/"
        began = time.monotonic()
        status = cli.run(["probe", url, "--origin", "https://app.example.com", "--timeout", "0.5"])
        assert time.monotonic() - began < 20
    out, err = capsys.readouterr()
    assert status in (0, 1, 2)
    assert (out + err).replace("\n", "").isprintable()
    assert "##[" not in out + err


# --- expressions of our own ------------------------------------------------------------------------------------------


def test_bytes_are_fed_to_all_that_reads() -> None:
    """A few of the cases of `make hostile`."""
    assert [(one.case, one.harm) for one in hostile.outcomes(5, range(40), 1) if one.harm] == []


def test_a_case_is_the_same_whenever_it_is_drawn() -> None:
    assert hostile.draw(1, 5) == hostile.draw(1, 5) != hostile.draw(2, 5)


def test_what_falls_over_is_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def raises(_source: SourceFile) -> None:
        raise RecursionError("deep inside")

    assert hostile.run(("check", "gone.js")).startswith("exit status 2: corslint: error: gone.js: no such file")
    put("a.js", BAD)
    monkeypatch.setattr(lint, "parse", raises)
    assert "RecursionError: deep inside" in hostile.run(("check", "."))
    for output, harm in (
        (b"\x1b[2J", "the output holds '\\x1b'"), (b"{", "the output is not valid"), (b"\xff",
        "the output is no UTF-8"),
        (b'"##[error]"', "the output holds a command of a workflow"),
    ):  # fmt: skip
        found = "; ".join(hostile.wrong_with(("check", "--output-format", "json"), output, b""))
        assert found.startswith(harm)
