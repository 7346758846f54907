"""What a policy sends, by library: the measured rows, read from real source through the shipped descriptors."""

from __future__ import annotations

from pathlib import Path

import pytest

from corslint import lint
from corslint.behaviour.origins import ListedText
from corslint.behaviour.policy import entry_defect
from corslint.discovery import contexts
from corslint.model.facts import Fact
from corslint.model.semantics import OriginSemantics
from corslint.settings import Settings
from corslint.source import Span

UNKNOWN = "?"


class Found:
    """The facts of a folder, and the texts that they point at."""

    def __init__(self, folder: Path, files: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
        for name, text in files.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        monkeypatch.chdir(folder)
        (context,) = contexts(["."], str(folder))
        self.facts, self.source = lint.facts(context, Settings())

    def policy(self) -> Fact:
        (policy,) = [fact for fact in self.facts if fact.kind == "cors_policy"]
        return policy

    def value(self, name: str) -> object:
        field = self.policy().field(name)
        return UNKNOWN if field.state == "unknown" else field.value

    def place(self, name: str, fact: Fact | None = None) -> str:
        span = (fact or self.policy()).field(name).span
        assert span is not None
        return self.source(span.path).text(span)

    def entries(self) -> list[Fact]:
        return [fact for fact in self.facts if fact.kind == "origin_entry"]


class Folder:
    def __init__(self, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.path = path
        self.monkeypatch = monkeypatch

    def read(self, files: dict[str, str]) -> Found:
        return Found(self.path, files, self.monkeypatch)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Folder:
    return Folder(tmp_path, monkeypatch)


def express(options: str) -> dict[str, str]:
    return {"server.js": f"const cors = require('cors');\nmodule.exports = cors({options});\n"}


def socketio(options: str, version: str = "4.8.4") -> dict[str, str]:
    make = "new Server" if version[0] != "2" else "Server"
    load = "const { Server }" if version[0] != "2" else "const Server"
    return {
        "package.json": f'{{"dependencies": {{"socket.io": "{version}"}}}}',
        "server.js": f"{load} = require('socket.io');\nmodule.exports = {make}(3000{options});\n",
    }


def fastapi(options: str) -> dict[str, str]:
    return {
        "main.py": "import os\nfrom fastapi import FastAPI\nfrom fastapi.middleware.cors import CORSMiddleware\n"
        f"app = FastAPI()\napp.add_middleware(CORSMiddleware{options})\n"
    }


def flask(options: str) -> dict[str, str]:
    return {
        "app.py": f"from flask import Flask\nfrom flask_cors import CORS\napp = Flask(__name__)\nCORS(app{options})\n"
    }


def python_socketio(options: str) -> dict[str, str]:
    return {"app.py": f"import socketio\nsio = socketio.AsyncServer({options})\n"}


def flask_socketio(options: str) -> dict[str, str]:
    return {"app.py": f"from flask_socketio import SocketIO\nsocketio = SocketIO(app{options})\n"}


def django(text: str) -> dict[str, str]:
    return {"project/settings.py": text + "\n"}


def node(body: str) -> dict[str, str]:
    return {"server.js": f"function handler(req, res) {{ {body} }}\nmodule.exports = handler;\n"}


ACAO, ACAC = "'Access-Control-Allow-Origin'", "'Access-Control-Allow-Credentials'"

# files, what a stranger gets, Allow-Credentials: true, whether `null` is accepted
MEASURED: list[tuple[str, dict[str, str], str, str, str]] = [
    # ground-truth.md 1a: Socket.IO 4
    ("sio none", socketio(""), "nothing", "no", "no"),
    ("sio cors false", socketio(", { cors: false }"), "nothing", "no", "no"),
    ("sio origin false", socketio(", { cors: { origin: false } }"), "nothing", "no", "no"),
    ("sio origin undefined", socketio(", { cors: { origin: undefined } }"), "nothing", "no", "no"),
    ("sio legacy names", socketio(", { origins: '*:*' }"), "nothing", "no", "no"),
    ("sio empty cors", socketio(", { cors: {} }"), "star", "no", "yes"),
    ("sio cors true", socketio(", { cors: true }"), "star", "no", "yes"),
    ("sio star", socketio(", { cors: { origin: '*' } }"), "star", "no", "yes"),
    ("sio star+credentials", socketio(", { cors: { origin: '*', credentials: true } }"), "star", "yes", "yes"),
    ("sio star in list", socketio(", { cors: { origin: ['*'] } }"), "nothing", "no", "no"),
    ("sio true", socketio(", { cors: { origin: true } }"), "echo", "no", "yes"),
    ("sio true+credentials", socketio(", { cors: { origin: true, credentials: true } }"), "echo", "yes", "yes"),
    ("sio text", socketio(", { cors: { origin: 'http://localhost:3000' } }"), "fixed", "no", "no"),
    (
        "sio list",
        socketio(", { cors: { origin: ['http://localhost:3000'], credentials: true } }"),
        "nothing",
        "yes",
        "no",
    ),
    ("sio regex", socketio(", { cors: { origin: /^http:..localhost:3000$/ } }"), "nothing", "no", "no"),
    ("sio true function", socketio(", { cors: { origin: (o, cb) => cb(null, true) } }"), "echo", "no", "yes"),
    ("sio false function", socketio(", { cors: { origin: (o, cb) => cb(null, false) } }"), "nothing", "no", "no"),
    ("sio error", socketio(", { cors: { origin: (o, cb) => cb(new Error('x')) } }"), "refused", "no", "no"),
    # Socket.IO 2
    ("sio2 default", socketio("", "2.5.1"), "echo", "yes", "yes"),
    ("sio2 all", socketio(", { origins: '*:*' }", "2.5.1"), "echo", "yes", "yes"),
    ("sio2 cors is ignored", socketio(", { cors: { origin: false } }", "2.5.1"), "echo", "yes", "yes"),
    ("sio2 list", socketio(", { origins: ['https://app.example.com:443'] }", "2.5.1"), "refused", "yes", "no"),
    # 1d: Express cors
    ("cors()", express(""), "star", "no", "yes"),
    ("cors credentials", express("{ credentials: true }"), "star", "yes", "yes"),
    ("cors star+credentials", express("{ origin: '*', credentials: true }"), "star", "yes", "yes"),
    ("cors true+credentials", express("{ origin: true, credentials: true }"), "echo", "yes", "yes"),
    ("cors credentials as text", express("{ origin: true, credentials: 'true' }"), "echo", "no", "yes"),
    ("cors typo", express("{ origins: ['https://a.example.com'] }"), "star", "no", "yes"),
    ("cors undefined", express("{ origin: undefined, credentials: true }"), "nothing", "no", "no"),
    ("cors list", express("{ origin: ['https://a.example.com'], credentials: true }"), "nothing", "yes", "no"),
    ("cors text", express("{ origin: 'https://a.example.com', credentials: true }"), "fixed", "yes", "no"),
    ("cors null text", express("{ origin: 'null' }"), "fixed", "no", "yes"),
    ("cors null in list", express("{ origin: ['null'] }"), "nothing", "no", "yes"),
    ("cors Set", express("{ origin: new Set(['https://a.example.com']), credentials: true }"), "echo", "yes", "yes"),
    ("cors error", express("{ origin: (o, cb) => cb(new Error('x')) }"), "refused", "no", "no"),
    ("cors env", express("{ origin: process.env.X, credentials: true }"), UNKNOWN, "yes", UNKNOWN),
    ("cors unknown credentials", express("{ origin: '*', credentials: load() }"), "star", UNKNOWN, "yes"),
    ("raw star", node(f"res.setHeader({ACAO}, '*'); res.setHeader({ACAC}, 'true');"), "star", "yes", "yes"),
    (
        "raw echo",
        node(f"res.setHeader({ACAO}, req.headers.origin); res.setHeader({ACAC}, 'true');"),
        "echo",
        "yes",
        "yes",
    ),
    ("raw True", node(f"res.setHeader({ACAO}, '*'); res.setHeader({ACAC}, 'True');"), "star", "no", "yes"),
    ("raw null", node(f"res.setHeader({ACAO}, 'null');"), "fixed", "no", "yes"),
    (
        "raw list",
        node(f"const o = req.headers.origin; if (['https://a.example.com'].includes(o)) res.setHeader({ACAO}, o);"),
        "nothing",
        "no",
        "no",
    ),
    # 1e: Python
    ("flask", flask(""), "echo", "no", "yes"),
    ("flask credentials", flask(", supports_credentials=True"), "echo", "yes", "yes"),
    ("flask star+credentials", flask(", origins='*', supports_credentials=True"), "echo", "yes", "yes"),
    ("flask send_wildcard", flask(", send_wildcard=True"), "star", "no", "yes"),
    ("flask raises", flask(", supports_credentials=True, send_wildcard=True"), "raises", "no", "no"),
    ("flask list", flask(", origins=['https://a.example.com'], supports_credentials=True"), "nothing", "yes", "no"),
    ("flask wrong name", flask(", origin='https://a.example.com'"), "echo", "no", "yes"),
    ("flask none", flask(", origins=None"), "nothing", "no", "no"),
    ("fastapi star+credentials", fastapi(", allow_origins=['*'], allow_credentials=True"), "echo", "yes", "yes"),
    (
        "fastapi x,*",
        fastapi(", allow_origins=['https://x.example', '*'], allow_credentials=True"),
        "echo",
        "yes",
        "yes",
    ),
    ("fastapi star", fastapi(", allow_origins=['*']"), "star", "no", "yes"),
    ("fastapi text", fastapi(", allow_origins='http://localhost:3000'"), "nothing", "no", "no"),
    ("fastapi glob", fastapi(", allow_origins=['https://*.example.com']"), "nothing", "no", "no"),
    ("fastapi nothing", fastapi(""), "nothing", "no", "no"),
    ("fastapi regex .*", fastapi(", allow_origin_regex='.*', allow_credentials=True"), "echo", "yes", "yes"),
    ("fastapi unknown credentials", fastapi(", allow_origins=['*'], allow_credentials=flag"), UNKNOWN, UNKNOWN, "yes"),
    ("python-socketio", python_socketio(""), "refused", "yes", "no"),
    ("python-socketio none", python_socketio("cors_allowed_origins=None"), "refused", "yes", "no"),
    ("python-socketio star", python_socketio("cors_allowed_origins='*'"), "echo", "yes", "yes"),
    ("python-socketio [star]", python_socketio("cors_allowed_origins=['*']"), "echo", "yes", "yes"),
    ("python-socketio true", python_socketio("cors_allowed_origins=lambda o, e: True"), "echo", "yes", "yes"),
    (
        "python-socketio no credentials",
        python_socketio("cors_allowed_origins='*', cors_credentials=False"),
        "echo",
        "no",
        "yes",
    ),
    ("python-socketio []", python_socketio("cors_allowed_origins=[]"), "nothing", "no", "no"),
    ("python-socketio list", python_socketio("cors_allowed_origins=['https://a.example.com']"), "refused", "yes", "no"),
    ("flask-socketio", flask_socketio(""), "refused", "yes", "no"),
    ("flask-socketio star", flask_socketio(", cors_allowed_origins='*'"), "echo", "yes", "yes"),
    ("flask-socketio wrong name", flask_socketio(", cors_allow_origins='*'"), "refused", "yes", "no"),
    ("django all", django("CORS_ALLOW_ALL_ORIGINS = True"), "star", "no", "yes"),
    (
        "django all+credentials",
        django("CORS_ALLOW_ALL_ORIGINS = True\nCORS_ALLOW_CREDENTIALS = True"),
        "echo",
        "yes",
        "yes",
    ),
    ("django old name", django("CORS_ORIGIN_ALLOW_ALL = True\nCORS_ALLOW_CREDENTIALS = True"), "echo", "yes", "yes"),
    ("django list", django("CORS_ALLOWED_ORIGINS = ['https://a.example.com']"), "nothing", "no", "no"),
    ("django off", django("CORS_ALLOW_ALL_ORIGINS = False\nCORS_ALLOWED_ORIGINS = []"), "nothing", "no", "no"),
]


@pytest.mark.parametrize(
    ("files", "stranger", "credentials", "null"), [row[1:] for row in MEASURED], ids=[row[0] for row in MEASURED]
)
def test_measured(folder: Folder, files: dict[str, str], stranger: str, credentials: str, null: str) -> None:
    found = folder.read(files)
    effect = [found.value(f"effect.{name}") for name in ("to_stranger", "credentials", "accepts_null")]
    # Where credentials decide between `*` and an echo, `null` gets one or the other.
    assert effect[:2] == [stranger, credentials]
    assert effect[2] in (null, UNKNOWN if UNKNOWN in (stranger, credentials) else null)
    assert found.value("effect.raises") == (UNKNOWN if stranger == UNKNOWN else "yes" if stranger == "raises" else "no")


WITNESSES: list[tuple[str, dict[str, str], str, str]] = [
    ("cors regex", express(r"{ origin: /example\.com$/ }"), "https://attackerexample.com", r"/example\.com$/"),
    (
        "cors regex in list",
        express(r"{ origin: ['https://a.b', /^http:\/\/localhost/] }"),
        "http://localhost.attacker.test",
        r"/^http:\/\/localhost/",
    ),
    (
        "fastapi text",
        fastapi(", allow_origins='https://app.example.com'"),
        "https://app.example.co",
        "'https://app.example.com'",
    ),
    (
        "fastapi text, local",
        fastapi(", allow_origins='http://localhost:3000'"),
        "http://localhost:300",
        "'http://localhost:3000'",
    ),
    (
        "fastapi regex",
        fastapi(", allow_origin_regex='https://app.example.com'"),
        "https://appxexample.com",
        "'https://app.example.com'",
    ),
    (
        "flask regex",
        flask(r", origins=r'https://.*\.example\.com'"),
        "https://app.example.com.attacker.test",
        r"r'https://.*\.example\.com'",
    ),
    (
        "flask regex, start",
        flask(r", origins=[r'.*example\.com$']"),
        "https://attackerexample.com",
        r"r'.*example\.com$'",
    ),
    (
        "django regex",
        django(r"CORS_ALLOWED_ORIGIN_REGEXES = [r'^https://\w+\.example\.com']"),
        "https://a.example.com.attacker.test",
        r"r'^https://\w+\.example\.com'",
    ),
    (
        "raw",
        node(f"const origin = req.headers.origin; if (/example/.test(origin)) res.setHeader({ACAO}, origin);"),
        "https://example.attacker.test",
        "/example/",
    ),
]


@pytest.mark.parametrize(
    ("files", "origin", "place"), [row[1:] for row in WITNESSES], ids=[row[0] for row in WITNESSES]
)
def test_witness(folder: Folder, files: dict[str, str], origin: str, place: str) -> None:
    found = folder.read(files)
    assert (found.value("witness.origin"), found.place("witness.test")) == (origin, place)


@pytest.mark.parametrize(
    "files",
    [
        flask(", origins=['https://app.example.com']"),
        flask(r", origins=r'^https://([a-z0-9-]+\.)?example\.com$'"),
        fastapi(r", allow_origin_regex=r'https://.*\.example\.com'"),
        fastapi(", allow_origins=['https://app.example.com']"),
        django(r"CORS_ALLOWED_ORIGIN_REGEXES = [r'^https://\w+\.example\.com$']"),
        express("{ origin: /^http:..localhost:[0-9]+$/ }"),
        express("{ origin: 'https://app.example.com' }"),
        express("{ origin: true }"),
    ],
)
def test_no_witness(folder: Folder, files: dict[str, str]) -> None:
    assert folder.read(files).policy().field("witness.origin").state == "absent"


ENVIRONMENTS: list[tuple[str, dict[str, str], object, object, object, object, object]] = [
    # files, variable, plain, fails fast, a stranger's answer from the fallback, a stranger's answer when unset
    ("plain", express("{ origin: process.env.X }"), "X", "yes", "no", None, "nothing"),
    ("or star", express("{ origin: process.env.X || '*' }"), "X", "no", "no", "star", None),
    ("or origin", express("{ origin: process.env.X || 'https://a.b' }"), "X", "no", "no", "fixed", None),
    ("or true", express("{ origin: process.env.X ?? true }"), "X", "no", "no", "echo", None),
    ("else star", express("{ origin: process.env.X ? process.env.X : '*' }"), "X", "no", "no", "star", None),
    ("cut, or star", express("{ origin: (process.env.X || '*').split(',') }"), "X", "no", UNKNOWN, "nothing", None),
    ("socket.io", socketio(", { cors: { origin: process.env.X } }"), "X", "yes", "no", None, "nothing"),
    ("required", python_socketio("cors_allowed_origins=__import__('os').environ['X']"), None, None, None, None, None),
    (
        "fastapi",
        fastapi(", allow_origins=os.getenv('X', '*').split(','), allow_credentials=True"),
        "X",
        "no",
        UNKNOWN,
        "echo",
        None,
    ),
    ("fastapi required", fastapi(", allow_origins=os.environ['X'].split(',')"), "X", "no", "yes", None, None),
    ("no variable", express("{ origin: 'https://a.b' }"), None, None, None, None, None),
]


@pytest.mark.parametrize(
    ("files", "name", "plain", "fast", "fallback", "unset"),
    [row[1:] for row in ENVIRONMENTS],
    ids=[row[0] for row in ENVIRONMENTS],
)
def test_environment(
    folder: Folder, files: dict[str, str], name: object, plain: object, fast: object, fallback: object, unset: object
) -> None:
    found = folder.read(files)
    fields = ("origin.env", "origin.plain_env", "origin.fails_fast", "origin.env_fallback", "effect.if_unset")
    assert [found.value(field) for field in fields] == [name, plain, fast, fallback, unset]


@pytest.mark.parametrize(
    "check",
    [
        "if (!process.env.X) throw new Error('X');",
        "if (!process.env.X || !process.env.Y) { throw new Error('X'); }",
        "if (process.env.X === undefined) throw new Error('X');",
    ],
)
def test_a_check_before_makes_it_fail_fast(folder: Folder, check: str) -> None:
    code = f"const cors = require('cors');\n{check}\nmodule.exports = cors({{ origin: process.env.X }});\n"
    assert folder.read({"server.js": code}).value("origin.fails_fast") == "yes"


PLACES: list[tuple[dict[str, str], str, str]] = [
    (express("{ origin: '*' }"), "literal", "'*'"),
    (express(""), "default", "cors()"),
    (express("{ origin: ['https://a.b'] }"), "list", "['https://a.b']"),
    (express("{ origin: /a/ }"), "regex", "/a/"),
    (express("{ origin: true }"), "boolean", "true"),
    (express("{ origin: process.env.X }"), "env", "process.env.X"),
    (express("{ origin: (o, cb) => cb(null, true) }"), "function", "(o, cb) => cb(null, true)"),
    (socketio(", { cors: true }"), "boolean", "true"),
    (django("CORS_ALLOWED_ORIGINS = ['https://a.b']\nCORS_ALLOW_ALL_ORIGINS = True"), "boolean", "True"),
    (fastapi(", allow_origin_regex='.*'"), "literal", "'.*'"),
    (node(f"res.setHeader({ACAO}, req.headers.origin);"), "other", "req.headers.origin"),
]


@pytest.mark.parametrize(("files", "form", "place"), PLACES)
def test_form_and_place(folder: Folder, files: dict[str, str], form: str, place: str) -> None:
    found = folder.read(files)
    assert (found.value("origin.form"), found.place("origin")) == (form, place)


@pytest.mark.parametrize(
    ("files", "place"),
    [
        (express("{ origin: ['https://a.b', 'null'] }"), "'null'"),
        (express("{ origin: 'null' }"), "'null'"),
        (express("{ origin: (o, cb) => cb(null, o === 'null') }"), "'null'"),
        (express("{ origin: true }"), None),
        (express("{ origin: ['https://a.b'] }"), None),
    ],
)
def test_null_entry(folder: Folder, files: dict[str, str], place: str | None) -> None:
    found = folder.read(files)
    if place is None:
        assert found.policy().field("null_entry").state == "absent"
    else:
        assert found.place("null_entry") == place


@pytest.mark.parametrize(
    ("files", "depends", "vary", "sends"),
    [
        (express("{ origin: ['https://a.b'] }"), "yes", "yes", "yes"),
        (express("{ origin: 'https://a.b' }"), "no", "yes", "yes"),
        (express("{ origin: false }"), "no", "yes", "no"),
        (express("{ origin: process.env.X }"), UNKNOWN, "yes", UNKNOWN),
        (flask(""), "yes", "yes", "yes"),
        (python_socketio("cors_allowed_origins='*'"), "yes", "no", "yes"),
        (python_socketio(""), UNKNOWN, "no", UNKNOWN),
        (socketio("", "2.5.1"), "yes", "no", "yes"),
        (socketio(""), "no", "yes", "no"),
    ],
)
def test_vary_and_header(folder: Folder, files: dict[str, str], depends: str, vary: str, sends: str) -> None:
    found = folder.read(files)
    fields = ("effect.depends_on_origin", "effect.vary_origin", "effect.sends_origin_header")
    assert [found.value(field) for field in fields] == [depends, vary, sends]


def test_entries_carry_their_policy_and_place(folder: Folder) -> None:
    found = folder.read(
        {
            "config.js": "exports.ORIGINS = ['https://a.example.com/', 'https://b.example.com'];\n",
            "server.js": "const cors = require('cors');\nconst { ORIGINS } = require('./config');\n"
            "module.exports = cors({ origin: [...ORIGINS, 'https://c.example.com'] });\n",
        }
    )
    policy = found.policy()
    shown = [
        (entry.field("text").value, entry.field("defect").value, found.place("text", entry))
        for entry in found.entries()
    ]
    assert shown == [
        ("https://a.example.com/", "trailing-slash", "'https://a.example.com/'"),
        ("https://b.example.com", "none", "'https://b.example.com'"),
        ("https://c.example.com", "none", "'https://c.example.com'"),
    ]
    first = found.entries()[0]
    assert first.field("policy").value == policy.field("instance").value
    assert first.field("corrected").value == "https://a.example.com"
    assert first.field("in_list").value == "yes"
    assert first.field("framework").value == policy.field("framework").value
    assert [span.path for span in first.field("text").trail] == ["server.js"]


# --- texts that no browser sends -------------------------------------------------------------------------------------

DEFECTS: list[tuple[str, str, str | None]] = [
    ("https://app.example.com", "none", None),
    ("http://localhost", "none", None),
    ("http://localhost:3000", "none", None),
    ("http://[::1]:3000", "none", None),
    ("https://xn--mnchen-3ya.example", "none", None),
    ("http://example.com:443", "none", None),
    ("null", "none", None),
    ("", "none", None),
    ("capacitor://localhost", "none", None),
    ("chrome-extension://abcdefgh", "none", None),
    ("app://x", "none", None),
    ("luna://com.example.app", "none", None),
    ("file://", "none", None),
    ("https://app.example.com/", "trailing-slash", "https://app.example.com"),
    ("https://app.example.com//", "trailing-slash", "https://app.example.com"),
    ("HTTPS://App.example.com:443/", "trailing-slash", "https://app.example.com"),
    ("capacitor://localhost/", "trailing-slash", "capacitor://localhost"),
    ("https://app.example.com/app", "path", "https://app.example.com"),
    ("https://app.example.com?x=1", "path", "https://app.example.com"),
    ("app.example.com", "no-scheme", None),
    ("localhost:3000", "no-scheme", None),
    ("//app.example.com", "no-scheme", None),
    ("https:/app.example.com", "no-scheme", None),
    (" https://app.example.com", "whitespace", "https://app.example.com"),
    ("https://app.example.com\n", "whitespace", "https://app.example.com"),
    ("https://app.example.com:443", "default-port", "https://app.example.com"),
    ("http://app.example.com:80", "default-port", "http://app.example.com"),
    ("https://App.example.com", "upper-case", "https://app.example.com"),
    ("HTTPS://app.example.com", "upper-case", "https://app.example.com"),
    ("https://app.example.com:*", "port-glob", None),
    ("http://localhost:*", "port-glob", None),
    ("https://*.example.com", "glob", None),
    ("*.example.com", "glob", None),
    ("https://a.example.com,https://b.example.com", "list", None),
    ("https://a.example.com, https://b.example.com", "list", None),
    ("https://a.example.com https://b.example.com", "list", None),
    ("https://a.example.com;http://localhost", "list", None),
    ("/\\.example\\.com$/", "quoted-regex", None),
    ("/example/i", "quoted-regex", None),
    ("^https://.*$", "quoted-regex", None),
]


def listed(text: str, mode: str = "exact", *, in_list: bool = True, complete: bool = True) -> ListedText:
    return ListedText(text, Span("a.js", 0, 1), in_list, mode, complete)


@pytest.mark.parametrize(("text", "defect", "corrected"), DEFECTS)
@pytest.mark.parametrize("mode", ["exact", "fixed"])
def test_defect(text: str, defect: str, corrected: str | None, mode: str) -> None:
    assert entry_defect(listed(text, mode), OriginSemantics()) == (defect, corrected)


@pytest.mark.parametrize(
    ("text", "mode", "fields", "expected"),
    [
        ("*", "exact", {}, ("star", None)),
        ("*", "exact", {"star_in_list": "wildcard"}, ("none", None)),
        ("https://App.example.com", "exact", {"fold_case": True}, ("none", None)),
        (r"https://.*\.example\.com", "regex", {}, ("none", None)),
        ("https://*.example.com", "glob", {}, ("none", None)),
        (r"https://.*\.example\.com", "prefix-regex-if-special", {}, ("none", None)),
        ("http://localhost:*", "prefix-regex-if-special", {}, ("none", None)),
        ("https://*.example.com", "prefix-regex-if-special", {}, ("glob", None)),
        ("*.example.com", "prefix-regex-if-special", {}, ("glob", None)),
        ("https://app.example.com/", "prefix-regex-if-special", {}, ("trailing-slash", "https://app.example.com")),
        ("https://app.example.com/", "substring", {}, ("none", None)),
        ("https://a.example.com,https://b.example.com", "substring", {}, ("none", None)),
        ("app.example.com", "substring", {}, ("no-scheme", None)),
        ("https://app.example.com:443", "exact-port", {}, ("none", None)),
        ("https://app.example.com", "exact-port", {}, ("missing-port", "https://app.example.com:443")),
        ("http://App.example.com", "exact-port", {}, ("missing-port", "http://app.example.com:80")),
        ("app.example.com", "exact-port", {}, ("missing-port", None)),
        ("localhost:3000", "exact-port", {}, ("none", None)),
        ("localhost:*", "exact-port", {}, ("none", None)),
        ("*:*", "exact-port", {}, ("none", None)),
        ("http://localhost:*", "exact-port", {}, ("port-glob", None)),
        ("https://*.example.com:443", "exact-port", {}, ("glob", None)),
        ("https://app.example.com:443/", "exact-port", {}, ("trailing-slash", "https://app.example.com:443")),
        ("https://App.example.com:443", "exact-port", {}, ("upper-case", "https://app.example.com:443")),
        ("https://a.b:443,https://c.d:443", "exact-port", {}, ("list", None)),
        ("http://localhost:*", "substring-port", {}, ("none", None)),
        ("http://localhost:* https://a.b:443", "substring-port", {}, ("none", None)),
        ("https://app.example.com", "substring-port", {}, ("missing-port", "https://app.example.com:443")),
    ],
)
def test_defect_by_library(text: str, mode: str, fields: dict[str, object], expected: tuple[str, str | None]) -> None:
    assert entry_defect(listed(text, mode), OriginSemantics(**fields)) == expected  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "defect"),
    [
        ("https://…/", "trailing-slash"),
        ("…/", "trailing-slash"),
        ("https://…/app", "path"),
        ("https://…", "none"),
        ("https://…:3000", "none"),
        ("https://a.example.com…", "none"),
    ],
)
def test_defect_of_a_text_that_is_not_all_known(text: str, defect: str) -> None:
    assert entry_defect(listed(text, complete=False), OriginSemantics()) == (defect, None)


def test_nothing_is_corrected_where_the_place_is_not_the_entry_alone(folder: Folder) -> None:
    code = "{ origin: 'https://a\\u002eexample.com/,https://b.example.com'.split(',') }"
    first = folder.read(express(code)).entries()[0]
    assert (first.field("defect").value, first.field("corrected").value) == ("trailing-slash", None)


# --- what fixes and rules need besides -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("files", "pair"),
    [
        (express("{ origin: '*', credentials: true }"), "sent"),
        (express("{ origin: '*' }"), None),
        (express("{ origin: true, credentials: true }"), None),
        (express("{ origin: '*', credentials: shared }"), UNKNOWN),
        (express("{ origin: shared, credentials: true }"), UNKNOWN),
        (flask(", origins='*', send_wildcard=True, supports_credentials=True"), "raises"),
        (flask(", origins='*', send_wildcard=True"), None),
        (fastapi(", allow_origins=['*'], allow_credentials=True"), None),
    ],
)
def test_the_pair_that_browsers_refuse(folder: Folder, files: dict[str, str], pair: str | None) -> None:
    assert folder.read(files).value("effect.wildcard_pair") == pair


@pytest.mark.parametrize(
    ("files", "portable", "entries"),
    [
        (express("{ origin: 'https://a.example.com' }"), "yes", 1),
        (express("{ origin: ['https://a.example.com', 'https://b.example.com'] }"), "yes", 2),
        (express("{ origin: ['https://a.example.com', /b/] }"), "no", 1),
        (express("{ origin: /a/ }"), "no", 0),
        (express("{ origin: process.env.O || 'https://a.example.com' }"), "no", 1),
        (express("{}"), None, 0),
    ],
)
def test_what_can_be_repeated_elsewhere(
    folder: Folder, files: dict[str, str], portable: str | None, entries: int
) -> None:
    found = folder.read(files)
    assert (found.value("origin.portable"), found.value("origin.entries")) == (portable, entries)


@pytest.mark.parametrize(
    ("files", "defect", "as_list"),
    [
        (
            express("{ origin: 'https://a.example.com, https://b.example.com' }"),
            "list",
            "['https://a.example.com', 'https://b.example.com']",
        ),
        (
            flask(", origins='https://a.example.com https://b.example.com'"),
            "list",
            '["https://a.example.com", "https://b.example.com"]',
        ),
        (express("{ origin: 'https://a.example.com, b.example.com' }"), "list", None),
        (express("{ origin: ['https://a.example.com, https://b.example.com'] }"), "list", None),
        (express("{ origin: process.env.O || 'https://a.example.com,https://b.example.com' }"), "list", None),
        (node(f"res.setHeader({ACAO}, 'https://a.example.com, https://b.example.com')"), "list", None),
        (express("{ origin: [' https://a.example.com'] }"), "whitespace", None),
        (express("{ origin: ' https://a.example.com'.split(',') }"), "untrimmed", None),
    ],
)  # fmt: skip
def test_several_in_one_text(folder: Folder, files: dict[str, str], defect: str, as_list: str | None) -> None:
    (entry,) = (fact for fact in folder.read(files).facts if fact.kind == "origin_entry")
    assert (entry.field("defect").value, entry.field("as_list").value) == (defect, as_list)


@pytest.mark.parametrize(
    ("files", "carried", "about"),
    [
        (socketio(", { origins: 'https://a.example.com:443' }"), "'https://a.example.com'", True),
        (socketio(", { origins: ['http://a.example.com:80', 'http://b.example.com:8080'] }"),
         "['http://a.example.com', 'http://b.example.com:8080']", True),
        (socketio(", { origins: '*:*' }"), None, True),
        (socketio(", { origins: ['https://a.example.com', shared] }"), None, True),
        (socketio(", { methods: ['GET'] }"), None, False),
        (socketio(", { cors: { origins: ['https://a.example.com'] } }"), "['https://a.example.com']", True),
        (socketio(", { cors: { origin: true, allowMethods: ['GET'] } }"), None, False),
        (flask(", origin='https://a.example.com'"), '"https://a.example.com"', True),
    ],
)  # fmt: skip
def test_options_that_are_not_read(folder: Folder, files: dict[str, str], carried: str | None, about: bool) -> None:
    (option,) = (fact for fact in folder.read(files).facts if fact.kind == "policy_option")
    assert option.field("carried").value == carried
    assert (option.field("decides_origin").state == "written") is about


@pytest.mark.parametrize(
    ("files", "place"),
    [
        (socketio(", { cors: { origin: 'https://a.example.com' } }"), "{ origin: 'https://a.example.com' }"),
        (express("{ origin: true }"), "cors({ origin: true })"),
    ],
)
def test_the_place_of_what_is_missing_is_the_object_that_lacks_it(
    folder: Folder, files: dict[str, str], place: str
) -> None:
    found = folder.read(files)
    span = found.policy().field("credentials").span
    assert span is not None
    assert found.source(span.path).text(span) == place
