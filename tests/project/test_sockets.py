"""Where Socket.IO servers answer and what clients ask for."""

from __future__ import annotations

import pytest

from corslint import lint
from corslint.model.facts import Fact
from corslint.settings import Settings
from tests.examples import context_of, findings_of


def _facts(**files: str) -> list[Fact]:
    given = {name.replace("__", "."): text.encode() for name, text in files.items()}
    return lint.understand(context_of(given), Settings(), given).facts


@pytest.mark.parametrize(
    ("options", "path"),
    [
        ("", "/socket.io/"),
        (", { path: '/ws' }", "/ws/"),
        (", { path: '/ws/' }", "/ws/"),
        (", { path: '/' }", "/"),
        (", { path: '' }", "/socket.io/"),
        (", { path: 'ws' }", "ws/"),
        (", { path: '/ws', addTrailingSlash: false }", "/ws"),
        (", { path: '/ws', addTrailingSlash: true }", "/ws/"),
        (", { path: process.env.SOCKET_PATH }", None),
        (", { path: '/ws', addTrailingSlash: slash }", None),
    ],
)
def test_request_paths(options: str, path: str | None) -> None:
    facts = _facts(
        package__json='{"dependencies": {"socket.io": "4.8.1", "socket.io-client": "4.8.1"}}',
        server__js=f"const {{ Server }} = require('socket.io');\nnew Server(3000{options});\n",
        client__js=f"import {{ io }} from 'socket.io-client';\nio('http://localhost:3000'{options});\n",
    )
    (server,) = (fact for fact in facts if fact.kind == "socket_server")
    (client,) = (fact for fact in facts if fact.kind == "socket_client")
    assert server.field("answers_under").value == path
    assert client.field("asks_for").value == path
    assert (server.field("answers_under").state == "unknown") is (path is None)


@pytest.mark.parametrize("path", ["'ws'", "'/ws'", "'/ws/'"])
def test_python_paths_need_no_slash(path: str) -> None:
    facts = _facts(app__py=f"from flask_socketio import SocketIO\nSocketIO(path={path})\n")
    (server,) = (fact for fact in facts if fact.kind == "socket_server")
    assert server.field("answers_under").value == "/ws/"


FOREIGN = {
    "a fallback": "process.env.FEED || 'https://feed.example.org'",
    "both ways": "process.env.PROD ? 'https://feed.example.org' : 'https://sandbox.example.org'",
    "no scheme": "'feed.example.org'",
    "the page's scheme": "'//feed.example.org'",
    "put together": "`https://${'feed.example.org'}`",
}


@pytest.mark.parametrize("address", FOREIGN.values(), ids=FOREIGN)
def test_somebody_elses_server_is_not_compared_with_our_own(address: str) -> None:
    files = {
        "package.json": b'{"dependencies": {"socket.io": "4.8.1", "socket.io-client": "4.8.1"}}',
        "server.js": b"const { Server } = require('socket.io');\n"
        b"new Server(3000, { path: '/rt', cors: { origin: 'https://a.example.com' } });\n",
        "client.js": f"const {{ io }} = require('socket.io-client');\nio({address});\n".encode(),
    }
    found = findings_of(files, Settings(), lint.knowledge())
    assert [finding.rule for finding in found if finding.severity != "note"] == []
