"""Express cors in front of a Socket.IO that has no CORS of its own."""

from __future__ import annotations

from tests.lab.experiment import Answered, Blocked, ClientFile, Connected, Experiment, Get, Process, Step

BOARD = "https://board.example.com"
API = "https://api.example.com"

EXPERIMENT = Experiment(
    rule="express-only-cors",
    project="express-only-cors",
    claim="Express cors does not reach Socket.IO: without Access-Control-Allow-Origin the browser blocks its answers",
    parts=(Process(("node", "index.js"), listens=4000, folder="server"),),
    hosts={"api.example.com:443": 4000},
    steps=(
        Step(
            "the routes of Express have the header on both sides",
            Get(f"{API}/boards/7", origin=BOARD),
            bad=Answered(status=200, acao=BOARD, acac="true"),
            good=Answered(status=200, acao=BOARD, acac="true"),
        ),
        Step(
            "the handshake of Socket.IO",
            Get(f"{API}/socket.io/?EIO=4&transport=polling", origin=BOARD),
            bad=Answered(status=200, absent=("access-control-allow-origin",)),
            good=Answered(status=200, acao=BOARD, acac="true"),
        ),
        Step(
            "the board's page connects",
            ClientFile(BOARD, "client/board.js"),
            bad=Blocked("No 'Access-Control-Allow-Origin' header is present on the requested resource."),
            good=Connected("websocket"),
        ),
    ),
)
