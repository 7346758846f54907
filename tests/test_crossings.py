"""What pages ask, held against what servers list, whom they let in, and what the pages' own policies allow."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from corslint import crossings, lint
from corslint.model.facts import Fact
from corslint.relations import World
from corslint.settings import Settings
from tests.examples import context_of

API = "http://localhost:4000"
SERVER = '{"dependencies": {"express": "4.21.2", "cors": "2.8.5", "socket.io": "4.8.1", "helmet": "8.0.0"}}'
WEB = '{"devDependencies": {"vite": "8.0.0"}, "dependencies": {"socket.io-client": "4.8.1"}}'


def express(options: str, routes: str = "app.put('/items', save);", port: int = 4000) -> dict[str, str]:
    """An Express application with cors, and these routes."""
    head = "const express = require('express');\nconst cors = require('cors');\nconst app = express();\n"
    body = f"app.use(cors({options}));\n{routes}\napp.listen({port});\n"
    return {"api/package.json": SERVER, "api/server.js": head + body}


def page(code: str, config: str = "export default {};\n") -> dict[str, str]:
    """A front end with a server for development."""
    return {"web/package.json": WEB, "web/vite.config.js": config, "web/src/main.js": f"{code}\n"}


def found(kind: str, files: Mapping[str, str], frontends: tuple[str, ...] = ()) -> list[Fact]:
    """The facts of a kind in a project."""
    project = {path: text.encode() for path, text in files.items()}
    settings = Settings()._replace(frontends=frontends)
    understood = lint.understand(context_of(project), settings, project, lint.knowledge((), examples=False).catalog)
    return [fact for fact in understood.facts if fact.kind == kind]


def told(facts: list[Fact], *names: str) -> list[tuple[object, ...]]:
    return [tuple(fact.field(name).value for name in names) for fact in facts]


# --- methods and headers that no list has ----------------------------------------------------------------------------

LISTED = "{ origin: 'http://localhost:5173', methods: ['GET', 'POST'], allowedHeaders: ['Content-Type'] }"


def put(headers: str = "", address: str = f"{API}/items", method: str = "PUT") -> dict[str, str]:
    return page(f"fetch('{address}', {{ method: '{method}', headers: {{{headers}}} }});")


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        pytest.param(express(LISTED), [("method", "PUT", "route")], id="a route whose method is missing"),
        pytest.param(express(LISTED, "app.post('/items', save);"), [], id="a method that browsers do not ask for"),
        pytest.param(express("{ origin: 'http://localhost:5173' }"), [], id="the library's own list has it"),
        pytest.param(express("{ methods: ['GET', '*'] }"), [], id="the star stands for all"),
        pytest.param(express("{ methods: listed() }"), [], id="a list that is not known"),
        pytest.param(
            {**express(LISTED, "app.all('/items', save);"), **put()}, [("method", "PUT", "request")], id="a request"
        ),
        pytest.param({**express(LISTED, ""), **put(address="http://localhost:4001/items")}, [], id="another port"),
        pytest.param({**express(LISTED, ""), **put(method="get")}, [], id="a method in lower case that is made upper"),
        pytest.param(
            {**express(LISTED, ""), **put(method="patch")},
            [("method", "patch", "request")],
            id="one that stays in lower case",
        ),
        pytest.param(
            {**express(LISTED, ""), **put("'X-Token': '1'", method="POST")},
            [("request-header", "X-Token", "request")],
            id="a header",
        ),
        pytest.param(
            {**express(LISTED, ""), **put("'CONTENT-TYPE': 'application/json'", method="POST")}, [], id="in any case"
        ),
        pytest.param(
            {**express(LISTED, ""), **put("'Accept': 'text/html'", method="POST")},
            [],
            id="a header that needs no leave",
        ),
        pytest.param(
            {
                **express("{ origin: '*' }", ""),
                **page(f"const one = await fetch('{API}/items');\none.headers.get('X-Total');"),
            },
            [("response-header", "X-Total", "request")],
            id="a response header that is read",
        ),
        pytest.param(
            {
                **express("{ origin: '*', exposedHeaders: ['x-total'] }", ""),
                **page(f"const one = await fetch('{API}/items');\none.headers.get('X-Total');"),
            },
            [],
            id="one that is exposed",
        ),
        pytest.param(
            {
                **express(LISTED, "const api = express.Router();\napi.use(cors());\napp.use('/items', api);"),
                **put("'X-Token': '1'", method="POST"),
            },
            [],
            id="two policies may answer",
        ),
    ],
)
def test_what_no_list_has(files: Mapping[str, str], expected: list[tuple[str, ...]]) -> None:
    assert told(found("unlisted", files), "what", "missing", "by") == expected


def test_a_list_is_written_again_with_what_is_missing() -> None:
    (fact,) = found("unlisted", express(LISTED))
    assert told([fact], "listed", "written", "instead") == [(("GET", "POST"), "yes", "['GET', 'POST', 'PUT']")]
    (fact,) = found("unlisted", express(LISTED.replace("['GET', 'POST']", "'GET,POST'")))
    assert told([fact], "instead") == [("'GET,POST,PUT'",)]


def test_headers_of_a_socket_are_those_of_its_polling() -> None:
    server = (
        "const server = require('http').createServer();\nconst { Server } = require('socket.io');\n"
        "new Server(server, { cors: { origin: 'http://localhost:5173', allowedHeaders: ['x-token'] } });\n"
        "server.listen(4000);\n"
    )
    files = {"api/package.json": SERVER, "api/server.js": server}
    headers = "{ extraHeaders: { 'X-Room': '1' } }"
    code = f"import {{ io }} from 'socket.io-client';\nio('{API}', {headers});"
    assert told(found("unlisted", {**files, **page(code)}), "what", "missing", "by") == [
        ("request-header", "X-Room", "socket")
    ]
    alone = code.replace("{ extra", "{ transports: ['websocket'], extra")
    assert found("unlisted", {**files, **page(alone)}) == []


# --- front ends that are turned away ---------------------------------------------------------------------------------

ASKS = f"fetch('{API}/items');"


@pytest.mark.parametrize(
    ("origin", "config", "expected"),
    [
        ("http://localhost:5173", "", []),
        ("http://localhost:3000", "", [("http://localhost:5173", "dev-server", "port", "http://localhost:3000")]),
        ("http://127.0.0.1:5173", "", [("http://localhost:5173", "dev-server", "machine", "http://127.0.0.1:5173")]),
        ("https://localhost:5173", "", [("http://localhost:5173", "dev-server", "scheme", "https://localhost:5173")]),
        ("https://app.example.com", "", [("http://localhost:5173", "dev-server", "none", None)]),
        ("http://localhost:3000", "server: { port: 3000 }", []),
        ("http://localhost:3000", "server: { port: port() }", []),
    ],
)
def test_pages_of_a_development_server(origin: str, config: str, expected: list[tuple[object, ...]]) -> None:
    files = {**express(f"{{ origin: ['{origin}'] }}", ""), **page(ASKS, f"export default {{ {config} }};\n")}
    assert told(found("turned_away", files), "origin", "by", "slip", "nearest") == expected


def test_a_development_server_that_is_started_at_another_port() -> None:
    files = {**express("{ origin: ['http://localhost:3000'] }", ""), **page(ASKS)}
    files["web/package.json"] = WEB.replace("{", '{"scripts": {"dev": "vite --port 3000"}, ', 1)
    assert found("turned_away", files) == []


def test_pages_that_do_not_ask_this_server() -> None:
    files = {**express("{ origin: ['http://localhost:3000'] }", ""), **page("fetch('http://localhost:4001/items');")}
    assert found("turned_away", files) == []


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ("{ origin: ['https://app.example.com'] }", []),
        ("{ origin: ['https://www.example.com'] }", [("https://app.example.com", "settings", "none")]),
        ("{ origin: ['http://app.example.com'] }", [("https://app.example.com", "settings", "scheme")]),
        ("{ origin: process.env.ORIGIN }", []),
        ("{ origin: false }", []),
        ("", []),
    ],
)
def test_front_ends_that_the_settings_declare(options: str, expected: list[tuple[object, ...]]) -> None:
    facts = found("turned_away", express(options, ""), ("https://app.example.com",))
    assert told(facts, "origin", "by", "slip") == expected


# --- what a page's own policy blocks ---------------------------------------------------------------------------------


def document(policy: str, script: str) -> dict[str, str]:
    return {
        "web/index.html": (
            f'<!doctype html>\n<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
            f"<script>\n{script}\n</script>\n"
        )
    }


FAR = "fetch('https://api.example.com/items');"


@pytest.mark.parametrize(
    ("policy", "script", "expected"),
    [
        ("connect-src https://www.example.com", FAR, [("connect-src", "request", "https://api.example.com")]),
        ("default-src 'none'", FAR, [("default-src", "request", "https://api.example.com")]),
        ("connect-src https://api.example.com", FAR, []),
        ("connect-src https://*.example.com", FAR, []),
        ("img-src 'self'", FAR, []),
        ("connect-src 'self'", FAR, []),  # whose pages these are is not known
        ("connect-src {{ hosts }}", FAR, []),
        ("connect-src https://www.example.com", "fetch('/items');", []),
        ("connect-src https://www.example.com", "fetch(address);", []),
    ],
)
def test_what_a_pages_own_policy_blocks(policy: str, script: str, expected: list[tuple[object, ...]]) -> None:
    assert told(found("blocked_connection", document(policy, script)), "directive", "what", "origin") == expected


def test_whose_pages_these_are_the_settings_say() -> None:
    files = document("connect-src 'self'", FAR)
    assert len(found("blocked_connection", files, ("https://www.example.com",))) == 1
    assert found("blocked_connection", files, ("https://api.example.com",)) == []


SENT = (
    "const app = require('express')();\nconst helmet = require('helmet');\napp.use(helmet({}));\n"
    "app.use(require('express').static('public'));\napp.listen(3000);\n"
)


def test_a_policy_that_a_library_sends_with_pages_that_lie_in_its_folder() -> None:
    files = {"package.json": SERVER, "server.js": SENT, "public/main.js": "fetch('http://localhost:4000/items');\n"}
    facts = found("blocked_connection", files)
    assert told(facts, "by", "directive", "what", "written") == [("option", "default-src", "request", "no")]
    elsewhere = {**files, "other/main.js": files["public/main.js"]}
    del elsewhere["public/main.js"]
    assert found("blocked_connection", elsewhere) == []
    reports = {**files, "server.js": SENT.replace("{}", "{ contentSecurityPolicy: { reportOnly: true } }")}
    assert found("blocked_connection", reports) == []


def test_what_is_said_to_a_client() -> None:
    """Policies that are in force, and belong to the pages that the client runs in."""
    project = {
        path: text.encode()
        for path, text in {
            **document("connect-src 'self'", FAR),
            "other/index.html": document("connect-src 'none'", "")["web/index.html"],
        }.items()
    }
    understood = lint.understand(context_of(project), Settings(), project, lint.knowledge((), examples=False).catalog)
    world = World(understood.facts, understood.topology, understood.project.source)
    (request,) = world.of_kind("http_request")
    assert [(one.directive, one.sources) for one in crossings.said_to(world, request)] == [("connect-src", ("'self'",))]


CRA = '{"name": "web", "dependencies": {"react-scripts": "5.0.1"}}'


@pytest.mark.parametrize(
    ("origin", "others", "expected"),
    [
        ("http://localhost:5173", {}, ["http://localhost:3000"]),
        ("http://localhost:3000", {}, []),
        ("http://localhost:5173", {"web/.env": "PORT=5173\n"}, []),
        ("http://localhost:5173", {"web/.env": "HTTPS=true\n"}, []),
        ("http://localhost:5173", {"api/.env": "PORT=4000\n"}, ["http://localhost:3000"]),
        ("http://localhost:5173", {"web/.env": "REACT_APP_PORT=4000\n"}, ["http://localhost:3000"]),
        ("http://localhost:5173", {"web/craco.config.js": "module.exports = { devServer: { port: 5173 } };\n"}, []),
    ],
)
def test_pages_of_create_react_app(origin: str, others: dict[str, str], expected: list[str]) -> None:
    files = {
        **express(f"{{ origin: ['{origin}'] }}", ""),
        "web/package.json": CRA,
        "web/src/App.jsx": f"{ASKS}\n",
        **others,
    }
    assert [fact.field("origin").value for fact in found("turned_away", files)] == expected


def test_variables_are_heeded_only_by_tools_that_read_them() -> None:
    files = {**express("{ origin: ['http://localhost:3000'] }", ""), **page(ASKS), "web/.env": "PORT=3000\n"}
    assert [fact.field("origin").value for fact in found("turned_away", files)] == ["http://localhost:5173"]
