"""Projects of fixtures, mutated as somebody would who wants the linter to fall over: it has to end, and to say so.

    python -m tests.hostile [--cases COUNT] [--seed SEED] [--case NUMBER] [--jobs COUNT] [--keep FOLDER]

Each case takes a project, changes some of its files, their names and what they are (links, pipes, folders), and runs
one command on it, mostly `corslint check` with some output format. It has to end with a status that the command has, in
`SECONDS` of processor time and `MEGABYTES` of memory, without a traceback, and what it prints has to be valid and may
hold no control characters. Exit status 0: nothing fell over; 1: something did; 2: wrong use.
"""

from __future__ import annotations

import argparse
import contextlib
import faulthandler
import io
import json
import multiprocessing
import os
import random
import re
import resource
import shutil
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from multiprocessing.connection import Connection, wait
from pathlib import Path
from types import FrameType
from typing import NamedTuple, NoReturn
from xml.etree import ElementTree

from corslint import cli, lint, report
from tests.examples import unmarked
from tests.fix_storm import EDITS, PROJECTS, ROOT, Edit

SECONDS = 10.0
"""Of processor time that one case may take."""
HUNG = 300.0
"""Seconds by the clock, after which a process that does not even take signals is given up."""
MEGABYTES = 4096
"""Of address space that a process may have; a check needs some hundred."""

SIDES = sorted(path for side in ("bad", "good") for path in PROJECTS.glob(f"*/{side}") if path.is_dir())
SETTINGS = frozenset({"corslint.toml", ".corslint.toml", "pyproject.toml"})
"""What is left whole: a broken settings file ends a run before it has read anything, with status 2."""

Files = dict[str, bytes]
TreeEdit = Callable[[Files, random.Random], None]


class TooLongError(BaseException):
    """A case took too long; no `except Exception` may swallow that."""


class Case(NamedTuple):
    """What is run: the files as they are laid down, links by their targets, and the arguments of the command."""

    about: str
    files: Files
    links: dict[str, str]
    pipes: tuple[str, ...]
    arguments: tuple[str, ...]


class Outcome(NamedTuple):
    """What one case came to; `harm` is empty where all went well."""

    case: int
    about: str
    harm: str
    seconds: float
    peak: int


# --- edits of one file -----------------------------------------------------------------------------------------------

_STRING = re.compile(rb"'[^'\n]*'|\"[^\"\n]*\"|`[^`]*`")
_NUMBER = re.compile(rb"\b\d+\b")
_OPENERS = (
    (b"(", b")"), (b"[", b"]"), (b"{", b"}"), (b"`${", b"}`"), (b"f(", b")"), (b"a?", b":0"), (b"<a>", b"</a>"),
    (b"!", b""), (b"-", b""), (b"not ", b""), (b"async ()=>", b""), (b"function(){", b"}"), (b"lambda: ", b""),
    (b"server {", b"}"), (b"location / {", b"}"), (b"if (1) {", b"}"), (b"if x:\n ", b""), (b"- ", b""), (b"a: ", b""),
    (b"a.", b""), (b"x + ", b""), (b"x || ", b""), (b"...", b""), (b"{a:", b"}"), (b"[{", b"}]"), (b"new ", b""),
    (b"await ", b""), (b"yield ", b""), (b"typeof ", b""), (b"class A{static{", b"}}"), (b"$(", b")"),
    (b"<<E\n", b"\nE\n"), (b"> ", b""), (b"else if(a){}", b""), (b"elif a: b\n", b""), (b"{{", b"}}"), (b"{%if a%}",
    b""),
    (b"/*", b"*/"), (b"<!--", b"-->"), (b"<script>", b"</script>"), (b"&a [*a,", b"]"), (b"*", b""), (b"@a\n", b""),
    (b"a = ", b""), (b"A<", b">"), (b"(?:", b")*"), (b"'", b"'"), (b'f"{', b'}"'), (b"<div><", b"/>"), (b"```\n", b""),
)  # fmt: skip
_STRINGS = (
    b"'\\ud800'", b"'\\u{110000}'", b"'\\N{nothing}'", b"'\\x'", b"'(a+)+$'", b"'(a|a)*$'",
    b"'https://\\u202e.example'",
    b"'\x1b[2J'", b"'http://[::1'", b"'http://a:99999999'", b"'http://%00'", b"'https://' ", b"'://'", b"'*'", b"''",
    b"'http://" + b"a." * 5000 + b"'", b"'" + b"9" * 5000 + b"'",
    "'ｈttps://例え。テスト'".encode(), b"'/(/'", b"'$1$2'",
    b"'${" * 50 + b"}" * 50 + b"'", b"process.env.A", b"'$http_origin'", b"'~^(.*)$'", b"'https://xn--a'", b"'//'",
    "'https://\u0130.example'".encode(), b"'http://[v1.x]'", b"'http://[fe80::1%25eth0]/'", b"'http://a:b'", b"'null'",
    b"'https://a b'", b"'>=1 <'", b"'^99999999999999999999.1'", b"'workspace:*'", b"'git+ssh://[x'", b"'1.x.x.x'",
    b"'@scope'", b"/(a+)+$/", b"/[/", b"/(?<a>b)\\k<a>/", b"/a{99999}{99999}/", b"/\\p{L}/u", b"/(?=(a+))b*?/gy",
    b"/" + b"(" * 200 + b")" * 200 + b"/", b"re.compile('(a+)+$')", b"1e999", b"0x", b"-0", b"1n", b"NaN",
)  # fmt: skip
_NUMBERS = (
    b"9" * 400, b"9" * 5000, b"-1", b"0", b"1e400", b"65536", b"99999999999", b"0x" + b"f" * 400, b"1_0",
    b"4294967296", b"NaN",
    "٣".encode(), "²".encode(), b"1e-400", b"1" + b"0" * 20, b"0b2", b"08", b"1.2.3.4.5",
)  # fmt: skip
_RUBBISH = (
    b"\0", b"\xff\xfe", b"\xc3", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", "\u2028".encode(), "\u202e".encode(),
    b"\x1b[31m",
    b"\r", b"\x0b", b"\x0c", b"\x85", "\u0085".encode(), b"\xef\xbb\xbf", b"\n::error::x\n", b"##vso[task.x]",
    b"%0A::x::",
    b"// corslint: ignore\n", b"# corslint: ignore[\n", b"/* corslint: disable */\n", b"<!-- corslint: ignore-file -->",
    b"# corslint: ignore[*] \xff\n", b"// corslint: enable[x,,y]\n", b"]]>", b"&x;", b"<![CDATA[", b"\\", b"\\u{",
    b"\\x",
    b"%00", b"%", b"%s%n", b"{{", b"}}", b"${", b"$", b"*", b"&a", b"<<: *a", b"!!python/object:a", b"---\n",
    b"...\n", b"@",
    b"=cmd", b"../" * 50, b"include *;\n", b"include /dev/zero;\n", b"include nginx.conf;\n", b"import './main.js';\n",
    b"export * from '.';\n", b"from . import *\n", b"from __future__ import x\n", b"require('.');\n",
    b"require(require);",
    b"a = a\n", b"b = lambda: b()\n", b"function f(){return f()} f();", b"const q = {...q};", b"class Q extends Q {}",
    b"class Q(Q): pass\n", b"x = [*x]\n", b"let w = w || [w, ...w];", b"map $a $a { default $a; }\n",
    b"set $a $a$a$a$a$a$a$a$a;\n", b"rewrite ^ /a last;\n", b"rewrite (.*) $1$1$1$1 last;\n", b"error_page 404 = @x;\n",
    b"try_files $uri $uri/ @x =404;\n", b"upstream u { server u; }\n", b"proxy_pass http://$a$a;\n",
    b"return 999999 $x;\n",
    b"listen 99999999;\n", b"listen [::]:0 ssl;\n", b"server_name ~^(a+)+$;\n", b"location ~ (a+)+$ { }\n",
    b"location ~ [ { }\n", b"if ($http_origin ~ '(a|a)*$') { return 204; }\n", b"geo $x { ranges; 1-2 3; }\n",
    b"map $http_origin $o { ~(x+x+)+y $1; hostnames; *.*.a b; }\n", b"add_header A $a$b$c$1$2;\n",
)  # fmt: skip


def _flip_bytes(data: bytes, chance: random.Random) -> bytes:
    changed = bytearray(data)
    for _ in range(chance.randint(1, 20)):
        changed[chance.randrange(len(changed))] = chance.randrange(256)
    return bytes(changed)


def _rubbish(data: bytes, chance: random.Random) -> bytes:
    for _ in range(chance.randint(1, 4)):
        at = chance.choice((0, len(data), chance.randrange(len(data) + 1), data.rfind(b"\n") + 1))
        data = data[:at] + chance.choice(_RUBBISH) + data[at:]
    return data


def _truncate(data: bytes, chance: random.Random) -> bytes:
    return data[: chance.randrange(len(data))]


def _nest(data: bytes, chance: random.Random) -> bytes:
    opens, closes = chance.choice(_OPENERS)
    times = chance.choice((2, 10, 60, 199, 1000, 5000, 20_000))
    start = chance.randrange(len(data) + 1)
    end = min(len(data), start + chance.choice((0, 0, 5, 200)))
    after = closes * (times if chance.random() < 0.7 else 0)
    return data[:start] + opens * times + data[start:end] + after + data[end:]


def _nest_value(data: bytes, chance: random.Random) -> bytes:
    """A string of the file goes deep inside something: what is built of it is looked at, not only parsed."""
    found = list(_STRING.finditer(data))
    if not found:
        return _nest(data, chance)
    at = chance.choice(found)
    opens, closes = chance.choice(_OPENERS)
    times = chance.choice((1, 3, 30, 149, 150, 151, 1000, 20_000))
    return data[: at.start()] + opens * times + at.group() + closes * times + data[at.end() :]


def _other_string(data: bytes, chance: random.Random) -> bytes:
    found = list(_STRING.finditer(data))
    if not found:
        return _rubbish(data, chance)
    at = chance.choice(found)
    return data[: at.start()] + chance.choice(_STRINGS) + data[at.end() :]


def _other_number(data: bytes, chance: random.Random) -> bytes:
    found = list(_NUMBER.finditer(data))
    if not found:
        return _rubbish(data, chance)
    at = chance.choice(found)
    return data[: at.start()] + chance.choice(_NUMBERS) + data[at.end() :]


def _repeat(data: bytes, chance: random.Random) -> bytes:
    """A piece, or a line, a thousand times and more."""
    if chance.random() < 0.5:
        start = chance.randrange(len(data))
        end = start + chance.randint(1, 80)
    else:
        start = data.rfind(b"\n", 0, chance.randrange(len(data) + 1)) + 1
        end = data.find(b"\n", start) + 1 or len(data)
    piece = data[start:end]
    times = min(chance.choice((20, 300, 3000, 30_000)), 400_000 // max(1, len(piece)))
    return data[:end] + piece * times + data[end:]


def _long_list(data: bytes, chance: random.Random) -> bytes:
    found = list(_STRING.finditer(data))
    at = chance.choice(found) if found else None
    start, end = (at.start(), at.end()) if at else (0, 0)
    each = chance.choice(
        (b"'https://%d.example.com'", b"a%d", b"%d", b"...a%d", b"{a%d: 1}", b"...b", b"'*'", b"/a%d+/")
    )
    count = chance.choice((100, 3000, 20_000))
    items = b", ".join(each % number if b"%d" in each else each for number in range(count))
    opens, closes = chance.choice(((b"[", b"]"), (b"", b""), (b"f(", b")"), (b"{", b"}")))
    return data[:start] + opens + items + closes + data[end:]


def _doubled(data: bytes, chance: random.Random) -> bytes:
    """Names that stand for twice what the one before stands for, up to where a string of the file was."""
    found = list(_STRING.finditer(data))
    if not found:
        return _rubbish(data, chance)
    at = chance.choice(found)
    steps = chance.choice((8, 30, 200))
    form = chance.choice(
        (b"[...a%d, ...a%d]", b"[*a%d, *a%d]", b"a%d + a%d", b"`${a%d}${a%d}`", b"c ? a%d : a%d", b"a%d if c else a%d",
         b"a%d || a%d", b"a%d or a%d", b"{x: a%d, ...a%d}", b"f(a%d, a%d)", b"(() => a%d || a%d)()", b"a%d.concat(a%d)")
    )  # fmt: skip
    word = chance.choice((b"const ", b"", b"var "))
    lines = [word + b"a0 = " + at.group()]
    lines += [word + b"a%d = " % number + form % (number - 1, number - 1) for number in range(1, steps)]
    start = data.rfind(b"\n", 0, at.start()) + 1
    made = b";\n".join(lines) if chance.random() < 0.6 else b"\n".join(lines)
    return data[:start] + made + b"\n" + data[start : at.start()] + b"a%d" % (steps - 1) + data[at.end() :]


def _utf16(data: bytes, chance: random.Random) -> bytes:
    return data.decode("utf-8", "replace").encode(
        chance.choice(("utf-16", "utf-16-le", "utf-32", "utf-7", "latin-1")), "replace"
    )


WILD: tuple[Edit, ...] = (
    _flip_bytes, _rubbish, _rubbish, _rubbish, _truncate, _nest, _nest, _nest_value, _nest_value, _other_string,
    _other_string, _other_number, _repeat, _long_list, _doubled, _utf16,
)  # fmt: skip

# --- edits of the tree -----------------------------------------------------------------------------------------------

_NAMES = (
    "\x1b]0;x\x07.js", "a\nb.js", "::error::x.js", "a: b.js", "%0A.py", "\u202egnp.js", "a'\"`$(x).js", "-rf.js",
    " .js",
    "nginx.conf\r", "\udcff.js", "<x>&amp;.py", "]]>.conf", "a" * 240 + ".js", "sites-enabled/x\ty", "##[error].ts",
    "a\u2028b.vue", "package.json ", "con.js", "a\\b.py", "[a](b).html", "*.js", "!x.js", "#x.js", "~.js", "é.js",
    "e\u0301.js",
)  # fmt: skip
_KINDS = (
    "a.js", "b.ts", "c.tsx", "d.py", "e.html", "f.vue", "g.svelte", "nginx.conf", "sites-enabled/h", "Dockerfile",
    "docker-compose.yml", "i.sh", "README.md", "Procfile", "k8s/deployment.yaml", ".env", "package.json", "deploy/j",
    "requirements.txt", "package-lock.json", "pnpm-lock.yaml", "yarn.lock", "poetry.lock", "uv.lock", "Pipfile.lock",
    "k.ejs",
    "bin/www", "vite.config.js", "angular.json", "l.conf.j2", "next.config.mjs", "serverless.yml", "settings.py",
)  # fmt: skip


def _any(files: Files, chance: random.Random) -> str:
    """The name of a file that may be changed."""
    return chance.choice([name for name in sorted(files) if name.rpartition("/")[2] not in SETTINGS] or sorted(files))


def _drop_file(files: Files, chance: random.Random) -> None:
    if len(files) > 1:
        files.pop(_any(files, chance))


def _rename_file(files: Files, chance: random.Random) -> None:
    name = _any(files, chance)
    data = files.pop(name)
    folder = name.rpartition("/")[0]
    new = chance.choice(_NAMES)
    files[f"{folder}/{new}" if folder and chance.random() < 0.5 else new] = data


def _other_kind(files: Files, chance: random.Random) -> None:
    """A file's content under a name that says it is something else."""
    files[chance.choice(_KINDS)] = files[_any(files, chance)]


def _swap_contents(files: Files, chance: random.Random) -> None:
    one, other = _any(files, chance), _any(files, chance)
    files[one], files[other] = files[other], files[one]


def _foreign_file(files: Files, chance: random.Random) -> None:
    _, more = chance.choice(sources())
    name = chance.choice(sorted(more))
    files[name] = more[name]


def _copies(files: Files, chance: random.Random) -> None:
    name = _any(files, chance)
    for number in range(chance.choice((3, 40))):
        files[f"copy{number}/{name}"] = files[name]


def _spliced(files: Files, chance: random.Random) -> None:
    """Half of one file, half of another."""
    one, other = _any(files, chance), _any(files, chance)
    first, second = files[one], files[other]
    files[one] = first[: chance.randrange(len(first) + 1)] + second[chance.randrange(len(second) + 1) :]


TREES: tuple[TreeEdit, ...] = (
    _drop_file, _rename_file, _rename_file, _other_kind, _other_kind, _swap_contents, _foreign_file, _copies, _spliced,
)  # fmt: skip
_TARGETS = ("/etc/passwd", "/dev/zero", ".", "..", "gone", "/", "/proc/self/mem", "/dev/stdin")

# --- one case --------------------------------------------------------------------------------------------------------


@cache
def sources() -> tuple[tuple[str, Files], ...]:
    """The projects that cases begin with: of fixtures, and the examples of rules."""
    found = [
        (
            side.relative_to(ROOT).as_posix(),
            {
                path.relative_to(side).as_posix(): path.read_bytes()
                for path in sorted(side.rglob("*"))
                if path.is_file()
            },
        )
        for side in [*SIDES, *sorted((ROOT / "fixtures/traces").glob("*"))]
        if side.is_dir()
    ]
    for rule in lint.knowledge().rules:
        for example in rule.examples:
            files = {path: unmarked(path, text)[0] for path, text in example.files.items()}
            found.append((f"{rule.id}: {example.name}", files))
    return tuple((name, files) for name, files in found if any(files.values()))


_CHECKS = tuple(("check", "--pedantic", "--output-format", name) for name in report.FORMATS)
_COMMANDS: tuple[tuple[str, ...], ...] = (
    *_CHECKS, *_CHECKS, ("check", "--include-tests", "--color", "always", "--links", "always"), ("check",
    "--statistics"),
    ("check", "--fix"), ("check", "--fix", "--unsafe-fixes"), ("check", "--diff", "--unsafe-fixes"),
    ("check", "--add-ignores"), ("check", "--show-files"), ("facts",), ("trace",), ("init",),
    ("trace", "--output-format", "json", "--from", "https://app.example.com", "--to",
    "http://localhost:3000/socket.io/"),
    ("trace", "--output-format", "html"),
    ("trace", "--credentials", "--from", "https://app.example.com", "--to", "https://api.example.com/api/x"),
    ("explain", "blocked by CORS policy: No 'Access-Control-Allow-Origin' header is present"),
)  # fmt: skip
_STATUSES = {"check": (0, 1), "facts": (0,), "trace": (0, 1, 3), "init": (0,), "explain": (0, 3)}


def draw(seed: int, case: int) -> Case:
    """What a case is about, and all that it lays down."""
    chance = random.Random(f"{seed}:{case}")
    name, found = chance.choice(sources())
    files = dict(found)
    edits: list[str] = []
    if chance.random() < 0.4:
        for change in chance.choices(TREES, k=chance.choice((1, 1, 2))):
            change(files, chance)
            edits.append(change.__name__)
    for _ in range(chance.choice((1, 1, 2, 3, 6))):
        changeable = sorted(name for name, data in files.items() if data and name.rpartition("/")[2] not in SETTINGS)
        if not changeable:
            break
        path = chance.choice(changeable)
        edit = chance.choice(WILD if chance.random() < 0.8 else EDITS)
        files[path] = edit(files[path], chance)[:3_000_000]
        edits.append(f"{path!r}{edit.__name__}")
    links: dict[str, str] = {}
    pipes: tuple[str, ...] = ()
    if chance.random() < 0.1:
        links[chance.choice(("link.js", "sites-enabled/link", "lib/link.py", "link"))] = chance.choice(_TARGETS)
    if chance.random() < 0.04:
        pipes = (chance.choice(("pipe.js", "nginx.conf", "package.json", ".env", "pipe")),)
    command = chance.choice(_COMMANDS)
    paths = ("--", *sorted(files)[:20]) if chance.random() < 0.1 and command[0] in ("check", "facts") else (".",)
    return Case(f"{name} {' '.join(edits)}", files, links, pipes, (*command, *paths))


def lay_down(case: Case, folder: Path) -> None:
    """Write the files of a case; names that the system does not take are left out."""
    for name, data in case.files.items():
        path = folder / name
        with contextlib.suppress(OSError, UnicodeEncodeError):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
    for name, target in case.links.items():
        with contextlib.suppress(OSError):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).symlink_to(target)
    for name in case.pipes:
        with contextlib.suppress(OSError):
            os.mkfifo(folder / name)


def suffer(case: int, drawn: Case, folder: Path) -> Outcome:
    """Carry out one case in an empty folder."""
    lay_down(drawn, folder)
    arguments = tuple(
        one for one in drawn.arguments if one in (".", "--") or one not in drawn.files or os.path.lexists(folder / one)
    )
    before = os.getcwd()
    os.chdir(folder)
    began = time.process_time()
    try:
        with _limited(SECONDS):
            harm = run(arguments)
    except TooLongError as error:
        harm = f"longer than {SECONDS:.0f} s: {error}"
    finally:
        os.chdir(before)
    about = f"{' '.join(arguments[:8])}: {drawn.about}"
    return Outcome(case, about, harm, time.process_time() - began, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)


def run(arguments: Sequence[str]) -> str:
    """Run a command in this process. What is wrong with how it ended, or empty."""
    out, err = (io.TextIOWrapper(io.BytesIO(), "utf-8", write_through=True) for _ in range(2))
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            status = cli.run(arguments)
    except Exception:
        return "raised: " + traceback.format_exc(limit=-6)
    said, complained = (stream.buffer.getvalue() for stream in (out, err))
    if status not in _STATUSES[arguments[0]]:
        return f"exit status {status}: {complained.decode(errors='replace').strip()[-500:]}"
    if b"Traceback" in complained:
        return complained.decode(errors="replace")
    return "; ".join(wrong_with(arguments, said, complained))


def wrong_with(arguments: Sequence[str], said: bytes, complained: bytes) -> Iterator[str]:
    """What of the output is not valid, or could drive a terminal."""
    if "--diff" in arguments:
        return  # holds the very bytes of the files; to a terminal it is made harmless
    try:
        text = said.decode()
        whole = text + complained.decode()
    except UnicodeDecodeError as error:
        yield f"the output is no UTF-8: {error}"
        return
    if "--links" in arguments:
        whole = re.sub(r"\x1b\[[\d;]*m|\x1b\]8;;[\x21-\x7e]*\x1b\\", "", whole)
    bad = next((one for one in whole if one != "\n" and (not one.isprintable() and one not in report._SPACES)), None)
    if bad is not None:
        at = whole.index(bad)
        yield f"the output holds {bad!r}: {whole[max(0, at - 60) : at + 20]!r}"
    form = arguments[arguments.index("--output-format") + 1] if "--output-format" in arguments else "text"
    try:
        if form in ("json", "sarif", "gitlab", "rdjson") or arguments[0] == "facts":
            json.loads(text)
        elif form == "jsonl":
            for line in text.split("\n"):
                json.loads(line or "{}")
        elif form in ("junit", "checkstyle"):
            ElementTree.fromstring(text)
    except (ValueError, ElementTree.ParseError) as error:
        yield f"the output is not valid: {error}"
    if form != "github" and re.search(r"^\s*::[A-Za-z]|##(vso)?\[", text + complained.decode(), re.MULTILINE):
        yield "the output holds a command of a workflow"


@contextlib.contextmanager
def _limited(seconds: float) -> Iterator[None]:
    def give_up(_signal: int, frame: FrameType | None) -> NoReturn:
        raise TooLongError("".join(traceback.format_stack(frame, 8)))

    signal.signal(signal.SIGPROF, give_up)
    signal.setitimer(signal.ITIMER_PROF, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)


# --- all of them -----------------------------------------------------------------------------------------------------


def _work(seed: int, cases: Sequence[int], link: Connection) -> None:
    """Carry out cases in this process, one after the other: one that dies does so of the first that was not told of."""
    os.environ["CORSLINT_DEBUG"] = "1"
    os.environ.pop("CORSLINT_OUTPUT_FORMAT", None)
    resource.setrlimit(resource.RLIMIT_AS, (MEGABYTES << 20, resource.RLIM_INFINITY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    lint.knowledge(examples=False)
    for case in cases:
        faulthandler.dump_traceback_later(HUNG, exit=True)
        with tempfile.TemporaryDirectory(prefix="corslint-hostile-") as folder:
            outcome = suffer(case, draw(seed, case), Path(folder))
        faulthandler.cancel_dump_traceback_later()
        link.send(outcome)


def outcomes(seed: int, cases: Sequence[int], jobs: int) -> Iterator[Outcome]:
    """What cases come to, as they end, carried out by so many processes. One that dies is replaced."""
    sources()  # before the processes are forked, which then have it
    context = multiprocessing.get_context("fork")
    shares = [list(cases[number::jobs]) for number in range(jobs)]
    working: dict[Connection, tuple[multiprocessing.context.ForkProcess, list[int]]] = {}

    def begin(left: list[int]) -> None:
        if left:
            ours, theirs = context.Pipe(duplex=False)
            process = context.Process(target=_work, args=(seed, left, theirs), daemon=True)
            process.start()
            theirs.close()
            working[ours] = process, left

    for share in shares:
        begin(share)
    while working:
        for link in wait(list(working)):
            assert isinstance(link, Connection)
            process, left = working[link]
            try:
                told = link.recv()
            except EOFError:
                del working[link]
                process.join()
                if left:
                    about = draw(seed, left[0]).about
                    yield Outcome(left[0], about, f"the process ended with {process.exitcode}", 0, 0)
                    begin(left[1:])
                continue
            if isinstance(told, Outcome):
                left.remove(told.case)
                yield told


def main(arguments: Sequence[str] | None = None) -> int:
    """Carry out the cases and print what fell over. The exit status."""
    parser = argparse.ArgumentParser(prog="python -m tests.hostile", description="mutated projects, linted")
    parser.add_argument("--cases", type=int, default=5000, metavar="COUNT")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--case", type=int, default=None, metavar="NUMBER", help="only this one")
    parser.add_argument("--jobs", type=int, default=2, metavar="COUNT")
    parser.add_argument("--keep", metavar="FOLDER", help="with --case: lay its project down there and run nothing")
    given = parser.parse_args(arguments)
    if given.keep:
        drawn = draw(given.seed, given.case or 0)
        shutil.rmtree(given.keep, ignore_errors=True)
        Path(given.keep).mkdir(parents=True)
        lay_down(drawn, Path(given.keep))
        print(*(repr(one) for one in drawn.arguments))
        return 0
    print(f"seed {given.seed}", flush=True)
    begun = time.monotonic()
    numbers = list(range(given.cases)) if given.case is None else [given.case]
    ended: list[Outcome] = []
    for one in outcomes(given.seed, numbers, given.jobs):
        ended.append(one)
        if one.harm:
            print(f"case {one.case}: {one.about[:400]}: {one.harm}", flush=True)
        if len(ended) % 100 == 0:
            print(f"{len(ended)} cases", flush=True)
    fallen = [one for one in ended if one.harm]
    slowest = max(ended, key=lambda one: one.seconds)
    peak = max(one.peak for one in ended) >> 10
    print(
        f"{len(ended)} cases, seed {given.seed}: {len(fallen)} fell over; the longest took {slowest.seconds:.1f} s "
        f"(case {slowest.case}); {peak} MB at most; {time.monotonic() - begun:.0f} s"
    )
    return 1 if fallen else 0


if __name__ == "__main__":
    sys.exit(main())
