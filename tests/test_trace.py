"""`corslint trace`: requests followed through small projects, and the command around it."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping
from pathlib import Path

import pytest

from corslint import cli, lint
from corslint.model.traces import Question, Trace
from corslint.settings import Settings
from corslint.trace import Tracer, question_of
from tests.examples import context_of

APP = "https://app.example.com"
API = "https://api.example.com"
MANIFEST = '{"dependencies": {"express": "4.22.3", "cors": "2.8.6", "socket.io": "4.8.1"}}'


def tracer(files: Mapping[str, str], settings: Settings = Settings(), status: int | None = None) -> Tracer:  # noqa: B008
    """A tracer of a project in memory."""
    project = {path: text.encode() for path, text in files.items()}
    known = lint.knowledge((), examples=False)
    understood = lint.understand(context_of(project), settings, project, known.catalog)
    return lint.tracer(understood, settings, known.catalog, status)


def traced(files: Mapping[str, str], origin: str, url: str, **asked: object) -> Trace:
    """The trace of one request."""
    one = tracer(files)
    return one.trace(question_of(one, origin, url, **asked))  # type: ignore[arg-type]


def express(body: str, port: int = 3000) -> dict[str, str]:
    """An Express application."""
    head = "const express = require('express');\nconst cors = require('cors');\nconst app = express();\n"
    return {"package.json": MANIFEST, "server.js": f"{head}{body}\napp.listen({port});\n"}


def verdict(trace: Trace) -> tuple[str, str | None]:
    """The verdict, and the reason at the end of the browser's words."""
    words = trace.messages[0].rpartition("blocked by CORS policy: ")[2] if trace.messages else None
    return trace.verdict, words


MISSING = "No 'Access-Control-Allow-Origin' header is present on the requested resource."
PREFLIGHT = "Response to preflight request doesn't pass access control check: "
TWICE = "The 'Access-Control-Allow-Origin' header contains multiple values '*, *', but only one is allowed."
BY_HAND = "app.get('/items', (req, res) => { res.append('Access-Control-Allow-Origin', '*'); res.end(); });"
ROUTE = "app.get('/items', (req, res) => res.json([]));\napp.put('/items', (req, res) => res.json([]));"


@pytest.mark.parametrize(
    ("body", "asked", "expected"),
    [
        pytest.param(f"app.use(cors());\n{ROUTE}", {}, ("allowed", None), id="for everyone"),
        pytest.param(f"{ROUTE}\napp.use(cors());", {}, ("blocked", MISSING), id="after the routes"),
        pytest.param(f"app.use('/other', cors());\n{ROUTE}", {}, ("blocked", MISSING), id="below another path"),
        pytest.param(f"app.use('/items', cors());\n{ROUTE}", {}, ("allowed", None), id="below this path"),
        pytest.param(ROUTE, {"method": "PUT"}, ("blocked", PREFLIGHT + MISSING), id="a preflight that nobody answers"),
        pytest.param(
            f"app.use(cors({{ methods: ['GET'] }}));\n{ROUTE}",
            {"method": "PUT"},
            ("blocked", "Method PUT is not allowed by Access-Control-Allow-Methods in preflight response."),
            id="a method that is not listed",
        ),
        pytest.param(
            f"app.use(cors({{ allowedHeaders: ['x-a'] }}));\n{ROUTE}",
            {"headers": ["X-Token"]},
            (
                "blocked",
                "Request header field x-token is not allowed by Access-Control-Allow-Headers in preflight response.",
            ),
            id="a header that is not listed",
        ),
        pytest.param(
            f"app.use((req, res, next) => {{ res.set('Access-Control-Allow-Origin', '*'); next(); }});\n{ROUTE}",
            {},
            ("allowed", None),
            id="written by hand in a layer",
        ),
        pytest.param(
            f"{BY_HAND}\napp.use(cors());",
            {},
            ("allowed", None),
            id="written by hand in the route",
        ),
        pytest.param(
            f"app.use(cors());\n{BY_HAND}",
            {},
            (
                "blocked",
                f"{TWICE} Have the server send the header with a valid value.",
            ),
            id="and by a library, too",
        ),
        pytest.param(
            "const api = express.Router();\napi.use(cors());\napi.get('/', (req, res) => res.json([]));\n"
            "app.use('/items', api);",
            {},
            ("allowed", None),
            id="a router of its own",
        ),
        pytest.param(
            "app.use(cors({ origin: process.env.ORIGIN }));\n" + ROUTE, {}, ("unknown", MISSING), id="who knows"
        ),
    ],
)
def test_an_application(body: str, asked: dict[str, object], expected: tuple[str, str | None]) -> None:
    trace = traced(express(body), APP, f"{API}/items", **asked)
    verdict_, words = verdict(trace)
    assert verdict_ == expected[0]
    if expected[0] != "unknown":
        assert words == expected[1]


def test_each_step_has_its_place() -> None:
    files = express(f"app.use(cors({{ origin: '{APP}' }}));\n{ROUTE}")
    files["nginx.conf"] = (
        "server {\n    listen 80;\n    server_name api.example.com;\n    location / {\n"
        "        proxy_pass http://127.0.0.1:3000;\n"
        f"        add_header Access-Control-Allow-Origin {APP} always;\n    }}\n}}\n"
    )
    one = tracer(files)
    trace = one.trace(question_of(one, APP, f"{API}/items"))
    (leg,) = trace.legs

    def line(span: object) -> str:
        path, start = span.path, span.start  # type: ignore[attr-defined]
        return f"{path}:{one.sources(path).position(start).line}"

    assert [(line(step.span), step.text) for step in leg.steps] == [
        ("nginx.conf:1", "this nginx server takes the request: it has this name"),
        ("nginx.conf:4", "this location takes it"),
        ("nginx.conf:5", "passes the request on"),
        ("server.js:7", "this application answers: it listens on port 3000"),
        ("server.js:5", "the route that answers"),
        ("server.js:4", "Express cors adds CORS headers"),
    ]
    assert [(name, line(span)) for name, span in leg.sources if name != "Vary"] == [
        ("Access-Control-Allow-Origin", "nginx.conf:6"),
        ("Access-Control-Allow-Origin", "server.js:4"),
    ]
    assert trace.verdict == "blocked"


SOCKET = {
    "package.json": MANIFEST,
    "server.js": (
        "const http = require('http').createServer();\n"
        "const io = require('socket.io')(http, { cors: { origin: 'https://app.example.com' } });\nhttp.listen(3000);\n"
    ),
}


def test_a_handshake_is_polling_and_then_the_upgrade() -> None:
    trace = traced(SOCKET, APP, "http://localhost:3000/socket.io/")
    assert [(leg.request.kind, leg.request.method, leg.response.status) for leg in trace.legs] == [
        ("actual", "GET", 200),
        ("actual", "POST", 200),
        ("actual", "GET", 200),
        ("upgrade", "GET", 101),
    ]
    assert (trace.verdict, trace.transport, trace.question.kind) == ("allowed", "websocket", "socket.io")


def test_a_handshake_that_is_blocked_has_the_words_of_an_xmlhttprequest() -> None:
    trace = traced(SOCKET, "https://stranger.example", "http://localhost:3000/socket.io/")
    assert trace.messages[0].startswith(
        "Access to XMLHttpRequest at 'http://localhost:3000/socket.io/?EIO=4&transport=polling'"
    )
    assert (trace.verdict, trace.event) == ("blocked", "xhr poll error")


def test_a_proxy_without_upgrade_leaves_a_socket_with_polling() -> None:
    files = {
        **SOCKET,
        "nginx.conf": (
            "server { listen 80; server_name api.example.com; location / { proxy_pass http://127.0.0.1:3000; } }"
        ),
    }
    trace = traced(files, APP, f"{API}/socket.io/")
    assert (trace.verdict, trace.transport) == ("allowed", "polling")
    assert "Unexpected response code: 400" in trace.messages[0]


def test_what_is_no_socket_server_is_a_fault_of_the_server() -> None:
    files = {
        **SOCKET,
        "nginx.conf": (
            "server { listen 80; server_name api.example.com; location /socket.io/ "
            f"{{ add_header Access-Control-Allow-Origin {APP}; return 200 'x'; }} }}"
        ),
    }
    trace = traced(files, APP, f"{API}/socket.io/")
    assert (trace.verdict, trace.event) == ("blocked", "server error")


# --- which server ----------------------------------------------------------------------------------------------------


def shop(name: str, port: int) -> dict[str, str]:
    """One application of a monorepo, with a client of its own."""
    return {
        f"{name}/package.json": MANIFEST.replace('{"dep', f'{{"name": "{name}", "dep', 1),
        f"{name}/server.js": (
            "const app = require('express')();\n"
            f"app.use(require('cors')({{ origin: 'https://{name}.example.com' }}));\n"
            f"const server = app.listen({port});\n"
            f"require('socket.io')(server, {{ cors: {{ origin: 'https://{name}.example.com' }} }});\n"
        ),
        f"{name}/web/package.json": '{"dependencies": {"socket.io-client": "4.8.1", "vite": "8.0.0"}}',
        f"{name}/web/client.js": (
            f"import {{ io }} from 'socket.io-client';\nio('http://localhost:{port}', {{ withCredentials: true }});\n"
        ),
    }


def test_three_apps_of_a_monorepo_stay_apart() -> None:
    files = {**shop("one", 3001), **shop("two", 3002), **shop("three", 3003)}
    names = ("one", "two", "three")
    for number, name in enumerate(names, 1):
        for other in names:
            trace = traced(files, f"https://{other}.example.com", f"http://localhost:300{number}/socket.io/")
            assert trace.verdict == ("allowed" if other == name else "blocked")
            assert {step.span.path for leg in trace.legs for step in leg.steps} == {f"{name}/server.js"}


def test_three_apps_that_share_no_edges_have_no_findings_about_each_other() -> None:
    files = {**shop("one", 3001), **shop("two", 3002), **shop("three", 3003)}
    # Only the second client asks for what its own server refuses; asked of the others, all of them would.
    files["two/server.js"] = files["two/server.js"].replace(
        "cors: { origin: 'https://two.example.com' }", "cors: { origin: '*' }"
    )
    for name in ("one", "three"):
        files[f"{name}/web/client.js"] = files[f"{name}/web/client.js"].replace(", { withCredentials: true }", "")
    project = {path: text.encode() for path, text in files.items()}
    report = lint.lint(context_of(project), Settings(), project)
    for finding in report.findings:
        places = [finding.primary, *(place.span for place in finding.related)]
        assert len({span.path.partition("/")[0] for span in places}) == 1, finding
    assert {(finding.rule, finding.primary.path) for finding in report.findings} == {
        ("socketio-credentials-mismatch", "two/server.js")
    }


def test_a_repository_with_only_a_client_is_not_judged() -> None:
    files = {
        "package.json": '{"dependencies": {"socket.io-client": "4.8.1"}}',
        "client.js": (
            "import { io } from 'socket.io-client';\nio('https://api.example.com', { withCredentials: true });\n"
        ),
    }
    trace = traced(files, APP, f"{API}/socket.io/")
    assert (trace.verdict, trace.reason) == (
        "unknown",
        "nothing in the project is known to answer at https://api.example.com",
    )
    project = {path: text.encode() for path, text in files.items()}
    assert lint.lint(context_of(project), Settings(), project).findings == ()


def test_a_repository_with_only_a_proxy_is_judged_as_far_as_the_proxy_decides() -> None:
    proxy = (
        "server {\n    listen 443 ssl;\n    server_name api.example.com;\n    location /open/ {\n"
        "        if ($request_method = OPTIONS) {\n            return 405;\n        }\n"
        "        proxy_pass http://backend:3000;\n    }\n    location /closed/ { return 403; }\n}\n"
    )
    assert traced({"nginx.conf": proxy}, APP, f"{API}/open/items").verdict == "unknown"
    assert verdict(traced({"nginx.conf": proxy}, APP, f"{API}/open/items", method="PUT")) == (
        "blocked",
        PREFLIGHT + MISSING,
    )
    assert verdict(traced({"nginx.conf": proxy}, APP, f"{API}/closed/items")) == ("blocked", MISSING)


def test_a_repository_with_only_a_server_is_judged_at_any_name() -> None:
    files = express(f"app.use(cors({{ origin: '{APP}' }}));\n{ROUTE}")
    assert traced(files, APP, f"{API}/items").verdict == "allowed"
    assert traced(files, APP, "http://localhost:3000/items").verdict == "allowed"
    assert traced(files, APP, "http://localhost:4000/items").verdict == "unknown"


def test_of_several_servers_the_one_that_has_the_route() -> None:
    files = {
        "one/package.json": MANIFEST,
        "one/server.js": (
            "const app = require('express')();\napp.get('/one', (q, s) => s.end());\napp.listen(process.env.PORT);\n"
        ),
        "two/package.json": MANIFEST,
        "two/server.js": (
            "const app = require('express')();\napp.use(require('cors')());\napp.get('/two', (q, s) => s.end());\n"
            "app.listen(process.env.PORT);\n"
        ),
    }
    assert traced(files, APP, f"{API}/two").verdict == "allowed"
    assert verdict(traced(files, APP, f"{API}/one")) == ("blocked", MISSING)


# --- large and hostile -----------------------------------------------------------------------------------------------


def test_hundreds_of_routes() -> None:
    routes = "\n".join(f"app.get('/r{number}', (q, s) => s.end());" for number in range(600))
    assert traced(express(f"app.use(cors());\n{routes}"), APP, f"{API}/r599").verdict == "allowed"


def test_hundreds_of_layers_are_too_many() -> None:
    layers = "\n".join(f"app.use((req, res, next) => {{ if (f{number}(req)) next(); }});" for number in range(600))
    assert traced(express(f"{layers}\n{ROUTE}"), APP, f"{API}/items").verdict == "unknown"


def test_layers_that_may_end_a_request() -> None:
    layers = "\n".join(f"app.use((req, res, next) => {{ if (f{number}(req)) next(); }});" for number in range(40))
    trace = traced(express(f"app.use(cors());\n{layers}\n{ROUTE}"), APP, f"{API}/items")
    assert trace.verdict == "allowed"  # whoever answers


def test_applications_that_mount_each_other() -> None:
    body = "const other = express();\napp.use('/a', other);\nother.use('/a', app);\n" + ROUTE
    assert traced(express(body), APP, f"{API}/a/a/a/a/items").verdict in ("blocked", "unknown")


def test_proxies_that_pass_to_each_other() -> None:
    proxy = "server { listen %d; location / { proxy_pass http://127.0.0.1:%d; } }\n"
    conf = (proxy % (8080, 8081)) + (proxy % (8081, 8080))
    assert traced({"nginx.conf": conf}, APP, "http://localhost:8080/").verdict == "unknown"


# --- the command -----------------------------------------------------------------------------------------------------


def project(folder: Path, files: Mapping[str, str]) -> Path:
    """A project on the disk."""
    for path, text in files.items():
        file = folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    return folder


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


OPEN = express(f"app.use(cors());\n{ROUTE}")
TO = ["--from", APP, "--to", f"{API}/items"]


@pytest.mark.parametrize(
    ("arguments", "status"),
    [
        (TO, 0),
        ([*TO, "--credentials"], 1),
        ([*TO, "--method", "put", "--header", "X-Token: 7"], 0),
        (["--from", APP, "--to", "http://localhost:9/items"], 3),
        (["--from", APP], 2),
        (["--from", "app.example.com", "--to", f"{API}/items"], 2),
        (["--from", APP, "--to", "ftp://api.example.com/"], 2),
        ([*TO, "--method", "TRACE"], 2),
        ([*TO, "--header", "a b"], 2),
        ([*TO, "--env-file", "nowhere.env"], 2),
    ],
)
def test_the_exit_status(here: Path, arguments: list[str], status: int) -> None:
    project(here, OPEN)
    assert cli.run(["trace", *arguments]) == status


def test_as_text(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    project(here, OPEN)
    assert cli.run(["trace", *TO, "--credentials"]) == 1
    said = capsys.readouterr().out.splitlines()
    assert said[0] == f"{APP} -> {API}/items  with credentials"
    assert said[-1] == (
        f"blocked: Access to fetch at '{API}/items' from origin '{APP}' has been blocked by CORS policy: The value of"
        " the 'Access-Control-Allow-Origin' header in the response must not be the wildcard '*' when the request's"
        " credentials mode is 'include'."
    )
    assert "  server.js:4:9: Express cors adds CORS headers" in said
    assert "    | app.use(cors());" in said
    assert "  Access-Control-Allow-Origin: *" in said


def test_as_json(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    project(here, OPEN)
    assert cli.run(["trace", *TO, "--method", "PUT", "--output-format", "json"]) == 0
    (trace,) = json.loads(capsys.readouterr().out)["traces"]
    assert (trace["from"], trace["to"], trace["verdict"], trace["method"]) == (APP, f"{API}/items", "allowed", "PUT")
    assert [(one["kind"], one["method"], one["status"]) for one in trace["requests"]] == [
        ("preflight", "OPTIONS", 204),
        ("actual", "PUT", 200),
    ]
    assert {"path": "server.js", "line": 4, "column": 9, "text": "Express cors answers with status 204"} in trace[
        "requests"
    ][0]["steps"]


def test_without_arguments_every_client_is_traced(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    project(here, {**shop("one", 3001), **shop("two", 3002)})
    (here / "corslint.toml").write_text('frontends = ["https://one.example.com"]\n', encoding="utf-8")
    assert cli.run(["trace", "--output-format", "json"]) == 1
    traces = json.loads(capsys.readouterr().out)["traces"]
    assert [(one["client"]["path"], one["to"], one["verdict"]) for one in traces] == [
        ("one/web/client.js", "http://localhost:3001/socket.io/", "blocked"),
        ("two/web/client.js", "http://localhost:3002/socket.io/", "blocked"),
    ]
    assert "Access-Control-Allow-Credentials" in traces[0]["messages"][0]


def test_a_client_whose_page_is_not_known(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    project(here, shop("one", 3001))
    assert cli.run(["trace"]) == 3
    assert "name its origin under `frontends` in the settings" in capsys.readouterr().out


def test_a_project_without_clients(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    project(here, OPEN)
    assert cli.run(["trace"]) == 3
    assert capsys.readouterr().out == "no client in the project says what it talks to: ask with --from and --to\n"


def test_variables_that_are_set(here: Path) -> None:
    project(here, express(f"app.use(cors({{ origin: process.env.ORIGIN || '{API}' }}));\n{ROUTE}"))
    (here / "real.env").write_text(f"# production\nexport ORIGIN='{APP}'\n", encoding="utf-8")
    (here / "empty.env").write_text("", encoding="utf-8")
    assert cli.run(["trace", *TO]) == 3
    assert cli.run(["trace", *TO, "--env-file", "real.env"]) == 0
    assert cli.run(["trace", *TO, "--env-file", "empty.env"]) == 1


def test_a_file_of_variables_that_is_none(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    project(here, OPEN)
    (here / "bad.env").write_text("A=1\nwhat is this\n", encoding="utf-8")
    assert cli.run(["trace", *TO, "--env-file", "bad.env"]) == 2
    assert "bad.env:2: this is not NAME=VALUE" in capsys.readouterr().err


def test_the_status_that_the_application_answers_with() -> None:
    files = express(ROUTE)
    files["nginx.conf"] = (
        "server { listen 80; server_name api.example.com; location / { proxy_pass http://127.0.0.1:3000; "
        f"add_header Access-Control-Allow-Origin {APP}; }} }}"
    )
    question = Question(APP, f"{API}/items")
    assert tracer(files).trace(question).verdict == "allowed"
    assert tracer(files, status=404).trace(question).verdict == "blocked"


# --- without arguments, and what `init` proposes ---------------------------------------------------------------------

CLIENT_ALONE = {
    "package.json": '{"dependencies": {"socket.io-client": "4.8.1"}}',
    "client.js": "import { io } from 'socket.io-client';\nio('https://api.example.com', { withCredentials: true });\n",
}
PROXY_ALONE = {
    "nginx.conf": (
        "server {\n    listen 80;\n    server_name api.example.com;\n    location / {\n"
        "        proxy_pass http://backend:3000;\n    }\n}\n"
    )
}


@pytest.mark.parametrize(
    ("files", "status", "said"),
    [
        pytest.param(
            CLIENT_ALONE,
            3,
            "unknown: which page runs this client is not known: name its origin under `frontends` in the settings",
            id="a client alone",
        ),
        pytest.param(
            PROXY_ALONE,
            3,
            "no client in the project says what it talks to: ask with --from and --to",
            id="a proxy alone",
        ),
        pytest.param(
            OPEN, 3, "no client in the project says what it talks to: ask with --from and --to", id="a server alone"
        ),
    ],
)
def test_one_part_alone_is_unknown_without_arguments(
    here: Path, capsys: pytest.CaptureFixture[str], files: dict[str, str], status: int, said: str
) -> None:
    project(here, files)
    assert cli.run(["trace"]) == status
    assert capsys.readouterr().out.splitlines()[-1] == said


def test_with_its_page_named_a_client_alone_still_has_no_server(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    project(here, CLIENT_ALONE)
    (here / "corslint.toml").write_text(f'frontends = ["{APP}"]\n', encoding="utf-8")
    assert cli.run(["trace"]) == 3
    assert capsys.readouterr().out.splitlines()[-1] == (f"unknown: nothing in the project is known to answer at {API}")


@pytest.mark.parametrize(
    ("files", "frontends"),
    [
        pytest.param(CLIENT_ALONE, None, id="a client alone"),
        pytest.param(PROXY_ALONE, None, id="a proxy alone"),
        pytest.param(express(f"app.use(cors({{ origin: '{APP}' }}));\n{ROUTE}"), [APP], id="a server alone"),
    ],
)
def test_of_one_part_alone_init_proposes_no_expectation(
    here: Path, capsys: pytest.CaptureFixture[str], files: dict[str, str], frontends: list[str] | None
) -> None:
    project(here, files)
    assert cli.run(["init"]) == 0
    settings = tomllib.loads(capsys.readouterr().out)
    assert settings == ({} if frontends is None else {"frontends": frontends})


def test_of_three_apps_init_proposes_that_each_has_its_own_page(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    names = ("one", "two", "three")
    for number, name in enumerate(names, 1):
        files = shop(name, 3000 + number)
        files[f"{name}/web/client.js"] = files[f"{name}/web/client.js"].replace(", { withCredentials: true }", "")
        project(here, files)
    assert cli.run(["init"]) == 0
    said = capsys.readouterr().out
    expected = {
        (origin, f"http://localhost:{3000 + number}/socket.io/", verdict)
        for number, name in enumerate(names, 1)
        for origin, verdict in ((f"https://{name}.example.com", "allow"), ("https://stranger.example", "block"))
    }
    assert {(one["from"], one["to"], one["verdict"]) for one in tomllib.loads(said)["expect"]} == expected
    assert "is blocked today" not in said
    (here / "corslint.toml").write_text(said.partition("# What browsers")[2].partition("\n")[2], encoding="utf-8")
    assert cli.run(["check"]) == 0


# --- what goes beyond one request ------------------------------------------------------------------------------------


def socket_of(body: str, client: str = "", **others: str) -> dict[str, str]:
    """A Socket.IO server on port 3000, and a client's file."""
    server = (
        "const server = require('http').createServer();\nconst { Server } = require('socket.io');\n"
        f"{body}\nserver.listen(3000);\n"
    )
    files = {"api/package.json": MANIFEST, "api/server.js": server, **others}
    if client:
        files["web/package.json"] = '{"dependencies": {"socket.io-client": "4.8.1"}}'
        files["web/client.js"] = f"import {{ io }} from 'socket.io-client';\n{client}\n"
    return files


def asked_by_clients(files: Mapping[str, str], page: str = APP) -> list[Trace]:
    """What the project's own clients ask, for a page of that origin."""
    one = tracer(files, Settings()._replace(frontends=(page,)))
    return [one.trace(question) for question in one.questions()]


LET_IN = f"cors: {{ origin: '{APP}' }}"
AT = "http://localhost:3000"


@pytest.mark.parametrize(
    ("joins", "has", "expected"),
    [
        ("/rooms", "io.of('/rooms');", ("allowed", None)),
        ("/room", "io.of('/rooms');", ("blocked", "Invalid namespace")),
        ("/rooms/", "io.of('/rooms');", ("blocked", "Invalid namespace")),
        ("/rooms", "", ("blocked", "Invalid namespace")),
        ("/", "io.of('/rooms');", ("allowed", None)),
        ("/room", "for (const name of names) io.of(name);", ("allowed", None)),
    ],
)
def test_a_namespace_that_the_server_does_not_have(joins: str, has: str, expected: tuple[str, str | None]) -> None:
    (trace,) = asked_by_clients(
        socket_of(f"const io = new Server(server, {{ {LET_IN} }});\n{has}", f"io('{AT}{joins}');")
    )
    assert (trace.verdict, trace.event) == expected
    assert ["the server has no namespace " in step.text for step in trace.legs[-1].steps][-1] is (
        expected[0] == "blocked"
    )


def test_that_a_namespace_is_there_is_taken_for_granted_where_its_name_is_not_known() -> None:
    body = f"const io = new Server(server, {{ {LET_IN} }});\nfor (const name of names) io.of(name);"
    (trace,) = asked_by_clients(socket_of(body, f"io('{AT}/room');"))
    assert trace.legs[-1].assumptions[-1].text == "the server has the namespace /room"


def test_two_servers_take_each_upgrade() -> None:
    two = f"new Server(server, {{ {LET_IN} }});\nnew Server(server, {{ {LET_IN} }});"
    (polls, opens) = asked_by_clients(socket_of(two, f"io('{AT}');\nio('{AT}', {{ transports: ['websocket'] }});"))
    assert (polls.verdict, polls.transport, polls.legs[-1].response.status) == ("allowed", "polling", 400)
    assert (opens.verdict, opens.event, opens.messages) == ("blocked", "transport close", ())
    apart = two.replace("origin: 'https://app", "origin: 'https://two", 1)
    assert asked_by_clients(socket_of(apart, f"io('{AT}');"))[0].verdict == "unknown"


CHECK = "allowRequest: (request, done) => done(null, request.headers.origin === 'https://app.example.com')"


@pytest.mark.parametrize(
    ("check", "page", "transports", "expected"),
    [
        (CHECK, APP, "", ("allowed", None)),
        (CHECK, "https://else.example", "", ("blocked", "xhr poll error")),
        (CHECK, "https://else.example", ", { transports: ['websocket'] }", ("blocked", "websocket error")),
        ("allowRequest: decide", APP, "", ("unknown", None)),
    ],
)
def test_the_applications_own_check_of_requests(
    check: str, page: str, transports: str, expected: tuple[str, str | None]
) -> None:
    files = socket_of(f"new Server(server, {{ cors: {{ origin: '*' }}, {check} }});", f"io('{AT}'{transports});")
    (trace,) = asked_by_clients(files, page)
    assert (trace.verdict, trace.event) == expected
    refused = [leg.response.status for leg in trace.legs]
    if expected[1] is not None:
        assert refused == [403 if not transports else 400]


def test_whoever_has_a_session_is_not_checked_again() -> None:
    files = socket_of(f"new Server(server, {{ {LET_IN}, {CHECK} }});", f"io('{AT}');")
    (trace,) = asked_by_clients(files)
    decides = [any(step.text == "the application's own check decides" for step in leg.steps) for leg in trace.legs]
    assert (trace.transport, decides) == ("websocket", [False] * 4)


def test_headers_of_a_client_are_asked_for() -> None:
    body = f"new Server(server, {{ cors: {{ origin: '{APP}', allowedHeaders: ['x-token'] }} }});"
    for headers, expected in (("{ 'X-Token': '1' }", "allowed"), ("{ 'X-Room': '1' }", "blocked")):
        for options in (f"extraHeaders: {headers}", f"transportOptions: {{ polling: {{ extraHeaders: {headers} }} }}"):
            (trace,) = asked_by_clients(socket_of(body, f"io('{AT}', {{ {options} }});"))
            assert trace.verdict == expected, options


@pytest.mark.parametrize(("options", "expected"), [("", "blocked"), (", { tryAllTransports: true }", "allowed")])
def test_the_next_transport_where_one_fails(options: str, expected: str) -> None:
    files = socket_of(f"new Server(server, {{ {LET_IN}, transports: ['websocket'] }});", f"io('{AT}'{options});")
    assert [trace.verdict for trace in asked_by_clients(files)] == [expected]


def test_a_post_that_is_redirected_is_lost() -> None:
    proxy = (
        "server {\n    listen 80;\n    server_name app.example.com;\n    location /live/ {\n"
        "        proxy_pass http://127.0.0.1:3000;\n        proxy_http_version 1.1;\n"
        "        proxy_set_header Upgrade $http_upgrade;\n        proxy_set_header Connection upgrade;\n    }\n}\n"
    )
    body = "new Server(server, { path: '/live', addTrailingSlash: false });"
    files = socket_of(body, "io({ path: '/live', addTrailingSlash: false });", **{"nginx.conf": proxy})
    (trace,) = asked_by_clients(files, "http://app.example.com")
    assert [(leg.request.method, leg.request.path.partition("?")[0], leg.response.status) for leg in trace.legs] == [
        ("GET", "/live", 301),
        ("GET", "/live/", 200),
        ("POST", "/live", 301),
        ("GET", "/live/", 200),
        ("GET", "/live", 301),
    ]
    assert (trace.verdict, trace.event) == ("blocked", None)
    assert trace.messages[0].endswith("Unexpected response code: 301")


@pytest.mark.parametrize("also", ["", "    location / {\n        return 301 https://$host$request_uri;\n    }\n"])
def test_what_redirects_to_the_address_itself_stands_there_for_another(also: str) -> None:
    proxy = (
        "server {\n    listen 80;\n    server_name api.example.com;\n    return 301 https://$host$request_uri;\n}\n"
        "server {\n    listen 8443;\n    server_name api.example.com;\n"
        f"    location /items {{\n        return 204;\n    }}\n{also}}}\n"
    )
    assert [leg.response.status for leg in traced({"nginx.conf": proxy}, API, f"{API}/items").legs] == [204]


def page(policy: str, script: str) -> dict[str, str]:
    """A page with a policy of its own."""
    return {
        "web/index.html": (
            f'<!doctype html>\n<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
            f'<script src="https://cdn.socket.io/4.8.1/socket.io.min.js"></script>\n<script>\n{script}\n</script>\n'
        )
    }


BY_PAGE = (
    "Connecting to '{}' violates the following Content Security Policy directive: \"{}\".{} "
    "The action has been blocked."
)
FALLBACK = " Note that 'connect-src' was not explicitly set, so 'default-src' is used as a fallback."


@pytest.mark.parametrize(
    ("policy", "options", "expected"),
    [
        ("connect-src *", "", ("allowed", "websocket", None, [])),
        ("img-src 'self'", "", ("allowed", "websocket", None, [])),
        (
            "connect-src 'self'",
            "",
            (
                "blocked",
                None,
                "xhr poll error",
                [BY_PAGE.format(f"{AT}/socket.io/?EIO=4&transport=polling", "connect-src 'self'", "")],
            ),
        ),
        (
            "default-src 'self'",
            ", { transports: ['websocket'] }",
            (
                "blocked",
                None,
                "websocket error",
                [
                    BY_PAGE.format(
                        "ws://localhost:3000/socket.io/?EIO=4&transport=websocket", "default-src 'self'", FALLBACK
                    )
                ],
            ),
        ),
        (
            f"connect-src {AT}",
            "",
            (
                "allowed",
                "polling",
                None,
                [
                    BY_PAGE.format(
                        "ws://localhost:3000/socket.io/?EIO=4&transport=websocket&sid=sid", f"connect-src {AT}", ""
                    )
                ],
            ),
        ),
    ],
)
def test_a_pages_own_policy(policy: str, options: str, expected: tuple[str, str | None, str | None, list[str]]) -> None:
    files = {**socket_of(f"new Server(server, {{ {LET_IN} }});"), **page(policy, f"io('{AT}'{options});")}
    (trace,) = asked_by_clients(files)
    assert (trace.verdict, trace.transport, trace.event, list(trace.messages)) == expected
    assert [step.text for step in trace.places] == (
        ["the page's own Content-Security-Policy"] if trace.messages else []
    )


@pytest.mark.parametrize(
    ("policy", "origin", "expected"),
    [
        ("connect-src 'self'", "http://localhost:3000", "allowed"),
        ("connect-src 'self'", "http://localhost:3001", "blocked"),
        ("connect-src 'self'", "null", "blocked"),
        ("connect-src {{ hosts }}", "http://localhost:3001", "unknown"),
    ],
)
def test_a_policy_of_a_page_whose_origin_is_known(policy: str, origin: str, expected: str) -> None:
    files = {**express(f"app.use(cors());\n{ROUTE}"), **page(policy, f"fetch('{AT}/items');")}
    assert [trace.verdict for trace in asked_by_clients(files, origin)] == [expected]


def test_requests_without_cors_and_those_of_programs_are_none_of_a_page() -> None:
    files = {
        **express(f"app.use(cors());\n{ROUTE}\nfetch('http://localhost:9/other');"),
        "web/page.html": f"<script>fetch('{AT}/items', {{ mode: 'no-cors' }});\nfetch('{AT}/items');</script>",
    }
    assert [trace.question.url for trace in asked_by_clients(files)] == [f"{AT}/items"]


@pytest.mark.parametrize(
    ("ws", "expected"), [("true", ("allowed", None)), ("false", ("blocked", "timeout")), ("flag", ("unknown", None))]
)
def test_a_handshake_that_a_development_server_does_not_pass_on(ws: str, expected: tuple[str, str | None]) -> None:
    files = socket_of("new Server(server);", "io({ transports: ['websocket'] });")
    files["web/package.json"] = '{"devDependencies": {"vite": "8.0.0"}, "dependencies": {"socket.io-client": "4.8.1"}}'
    files["web/vite.config.js"] = (
        f"export default {{ server: {{ port: 5173, proxy: {{ '/socket.io': {{ target: '{AT}', ws: {ws} }} }} }} }};\n"
    )
    (trace,) = asked_by_clients(files, "http://localhost:5173")
    assert (trace.verdict, trace.event) == expected
    assert trace.messages == () or expected[0] == "unknown"


@pytest.mark.parametrize(
    ("variables", "expected"),
    [("", "http://localhost:3000"), ("PORT=3005\n", "")],
)
def test_pages_of_create_react_app(variables: str, expected: str) -> None:
    files = {
        **express(f"app.use(cors({{ origin: 'http://localhost:3000' }}));\n{ROUTE}", 4000),
        "web/package.json": '{"name": "web", "dependencies": {"react-scripts": "5.0.1"}}',
        "web/src/App.jsx": "fetch('http://localhost:4000/items');\n",
        **({"web/.env": variables} if variables else {}),
    }
    one = tracer(files)
    assert [(question.origin, one.trace(question).verdict) for question in one.questions()] == [
        (expected, "allowed" if expected else "unknown")
    ]


def test_what_create_react_app_passes_on() -> None:
    files = {
        **express(ROUTE, 4000),
        "web/package.json": '{"proxy": "http://localhost:4000", "dependencies": {"react-scripts": "5.0.1"}}',
        "web/src/App.jsx": "fetch('/items');\n",
    }
    one = tracer(files)
    (question,) = one.questions()
    trace = one.trace(question)
    assert (question.origin, question.url, trace.verdict) == (AT, f"{AT}/items", "allowed")
    assert [step.span.path for step in trace.legs[0].steps] == [
        "web/package.json",
        "web/package.json",
        "server.js",
        "server.js",
    ]


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        (
            "axios.get('/items');\naxios.defaults.baseURL = 'http://localhost:4000/api';",
            ["http://localhost:4000/api/items"],
        ),
        ("axios.defaults.baseURL = '/api';\naxios.get('items');", ["https://app.example.com/api/items"]),
        ("axios.create({ baseURL: 'http://localhost:4000/api/' }).get('/items');", ["http://localhost:4000/api/items"]),
        ("axios.create({ baseURL: '/api' }).put('/items', data);", ["https://app.example.com/api/items"]),
        ("axios.create({ baseURL: address() }).get('/items');", []),
        ("axios.defaults.baseURL = address();\naxios.get('/items');", []),
        ("axios.get(`http://localhost:4000/items/${id}`);", []),
        ("axios.get('/items');", ["https://app.example.com/items"]),
        ("axios.get('items');", ["https://app.example.com/items"]),
    ],
)
def test_requests_go_below_their_base(code: str, expected: list[str]) -> None:
    files = {
        "web/package.json": '{"dependencies": {"axios": "1.7.0"}}',
        "web/main.js": f"import axios from 'axios';\n{code}\n",
    }
    assert [trace.question.url for trace in asked_by_clients(files)] == expected


def test_a_base_that_another_package_sets_is_not_known() -> None:
    files = {
        "one/package.json": '{"dependencies": {"axios": "1.7.0"}}',
        "one/main.js": "import axios from 'axios';\naxios.defaults.baseURL = 'http://localhost:4000';\naxios.get('/one');\n",
        "two/package.json": '{"dependencies": {"axios": "1.7.0"}}',
        "two/main.js": "import axios from 'axios';\naxios.get('/two');\n",
    }
    assert [trace.question.url for trace in asked_by_clients(files)] == ["http://localhost:4000/one"]
