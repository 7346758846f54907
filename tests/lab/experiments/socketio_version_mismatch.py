"""A client of Socket.IO 2 and a server of Socket.IO 4."""

from __future__ import annotations

from tests.lab.experiment import Answered, ClientFile, Connected, Experiment, Get, NotConnected, Process, Step

PLAY = "https://play.example.com"
GAME = "https://game.example.com"

EXPERIMENT = Experiment(
    rule="socketio-version-mismatch",
    project="socketio-version-mismatch",
    claim="The server answers a client of version 2 with 400: Unsupported protocol version",
    parts=(Process(("node", "index.js"), listens=4000, folder="server"),),
    hosts={"game.example.com:443": 4000},
    steps=(
        Step(
            "the protocol of version 2",
            Get(f"{GAME}/socket.io/?EIO=3&transport=polling", origin=PLAY),
            bad=Answered(status=400, acao=PLAY, body="Unsupported protocol version"),
            good=Answered(status=400, acao=PLAY, body="Unsupported protocol version"),
        ),
        Step(
            "the page connects",
            ClientFile(PLAY, "client/game.js"),
            bad=NotConnected("xhr poll error", "the server responded with a status of 400 (Bad Request)"),
            good=Connected("websocket"),
        ),
    ),
)
