"""A page that came over https, and an API that would let it in but is asked without TLS."""

from __future__ import annotations

from tests.lab.experiment import (
    Answered,
    Blocked,
    ClientFile,
    Connected,
    Experiment,
    Get,
    NotConnected,
    Process,
    Readable,
    Step,
)

BOARD = "https://board.example.com"
REQUESTED = "was loaded over HTTPS, but requested an insecure"

EXPERIMENT = Experiment(
    rule="mixed-content",
    project="mixed-content",
    claim="The browser blocks what is not encrypted before anything is sent, though the server would let the page in",
    parts=(Process(("node", "server.js"), listens=3000, folder="server"),),
    hosts={"api.example.com:80": 3000, "api.example.com:443": 3000},
    steps=(
        Step(
            "the server lets the page in, without TLS as well",
            Get("http://api.example.com/notes", BOARD),
            bad=Answered(status=200, acao=BOARD),
            good=Answered(status=200, acao=BOARD),
        ),
        Step(
            "the page asks for its notes",
            ClientFile(BOARD, "web/notes.js", client=4),
            bad=Blocked(f"{REQUESTED} resource 'http://api.example.com/notes'"),
            good=Readable(200, body="buy milk"),
        ),
        Step(
            "a socket that polls first",
            ClientFile(BOARD, "web/live.js"),
            bad=NotConnected(
                "xhr poll error", f"{REQUESTED} XMLHttpRequest endpoint 'http://api.example.com/socket.io/"
            ),
            good=Connected("websocket"),
        ),
        Step(
            "a socket of WebSocket alone",
            ClientFile(BOARD, "web/stream.js"),
            bad=NotConnected(
                console="was loaded over HTTPS, but attempted to connect to the insecure WebSocket endpoint 'ws://api."
            ),
            good=Connected("websocket"),
        ),
    ),
)
