"""Two Socket.IO servers that both take the upgrades of one http server."""

from __future__ import annotations

from tests.lab.experiment import Answered, Connected, Experiment, Get, NotConnected, Process, Socket, Step

PAGE = "https://desk.example.com"
SERVER = "http://localhost:4000"

EXPERIMENT = Experiment(
    rule="socketio-attached-twice",
    project="socketio-attached-twice",
    claim="one server refuses the upgrades of the other's sessions, and a WebSocket without a session ends the program",
    parts=(Process(("node", "index.js"), listens=4000),),
    steps=(
        Step(
            "polling is answered on both sides",
            Get(f"{SERVER}/socket.io/?EIO=4&transport=polling", origin=PAGE),
            bad=Answered(status=200, acao=PAGE),
            good=Answered(status=200, acao=PAGE),
        ),
        Step(
            "a page with the defaults stays on polling",
            Socket(PAGE, SERVER),
            bad=Connected("polling"),
            good=Connected("websocket"),
        ),
        Step(
            "a page that uses WebSocket alone",
            Socket(PAGE, SERVER, options={"transports": ["websocket"], "reconnection": False}),
            bad=NotConnected(),
            good=Connected("websocket"),
        ),
        Step(
            "a page that comes after it",
            Socket(PAGE, SERVER),
            bad=NotConnected(event="xhr poll error"),
            good=Connected("websocket"),
        ),
    ),
)
