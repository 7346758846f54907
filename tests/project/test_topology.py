"""The name of the server that carries Socket.IO, where the application listens by itself."""

from __future__ import annotations

import pytest

from corslint import lint
from corslint.settings import Settings
from tests.examples import context_of

_APP = "const app = require('express')();\n"
_SERVER = "const server = require('http').createServer(app);\n"
_SOCKETS = "const io = require('socket.io')(server, {});\n"
_SHARED = _APP + _SERVER + _SOCKETS + "module.exports = { app, server };\n"


@pytest.mark.parametrize(
    ("main", "name"),
    [
        (_APP + _SERVER + _SOCKETS + "app.listen(3000);\n", "server"),
        (_APP + _SERVER + _SOCKETS + "function start() { app.listen(3000); }\n", "server"),
        ("const { app, server: http } = require('./shared');\napp.listen(3000);\n", "http"),
        ("const { app } = require('./shared');\napp.listen(3000);\n", None),
        (_APP + "app.listen(3000);\n" + _SERVER + _SOCKETS, None),
        (_APP + _SERVER + _SOCKETS + "function start(server) { app.listen(3000); }\n", None),
        (_APP + _SERVER + "app.listen(3000);\n", None),
        (_APP + _SERVER + _SOCKETS + _SERVER.replace("server", "second") + "app.listen(3000);\n", "server"),
        (_APP + _SERVER + _SOCKETS + (_SERVER + _SOCKETS).replace("server", "b") + "app.listen(3000);\n", None),
    ],
)
def test_the_name_of_the_server(main: str, name: str | None) -> None:
    files = {"main.js": main.encode(), "shared.js": _SHARED.encode()}
    facts = lint.understand(context_of(files), Settings(), files).facts
    (listener,) = (fact for fact in facts if fact.kind == "listener")
    assert listener.field("instead").value == name


@pytest.mark.parametrize(
    ("end", "runner"),
    [
        ("uvicorn.run(app)\n", "uvicorn"),
        ("uvicorn.run(app, port=8000)\nuvicorn.run(app, port=9000)\n", "uvicorn"),
        ("uvicorn.run(other)\n", None),
        ("web.run_app(web.Application())\n", None),
        ("uvicorn.run(app)\nweb.run_app(app)\n", None),
        ("", None),
    ],
)
def test_what_runs_a_socket_server(end: str, runner: str | None) -> None:
    """It is named where everything that listens for the server says the same."""
    text = "import socketio, uvicorn\nfrom aiohttp import web\nfrom fastapi import FastAPI\nother = FastAPI()\n"
    text += "app = socketio.ASGIApp(socketio.AsyncServer())\n"
    files = {"main.py": (text + end).encode()}
    facts = lint.understand(context_of(files), Settings(), files).facts
    (server,) = (fact for fact in facts if fact.kind == "socket_server")
    assert server.field("runner").value == runner
