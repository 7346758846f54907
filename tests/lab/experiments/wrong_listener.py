"""`app.listen()` where Socket.IO is attached to another http server."""

from __future__ import annotations

from tests.lab.experiment import Answered, Blocked, Connected, Experiment, Get, Process, Refused, Socket, Step

POLL = "https://poll.example.com"
SERVER = "http://localhost:4000"

EXPERIMENT = Experiment(
    rule="wrong-listener",
    project="wrong-listener",
    claim="app.listen() makes a second http server, and Express answers the handshake of Socket.IO with 404",
    parts=(Process(("node", "src/main.js"), listens=4000),),
    steps=(
        Step(
            "the routes of Express answer on both sides",
            Get(f"{SERVER}/polls"),
            bad=Answered(status=200),
            good=Answered(status=200),
        ),
        Step(
            "the handshake of Socket.IO",
            Get(f"{SERVER}/socket.io/?EIO=4&transport=polling", origin=POLL),
            bad=Refused(404),
            good=Answered(status=200, acao=POLL),
        ),
        Step(
            "a page connects",
            Socket(POLL, SERVER),
            bad=Blocked("No 'Access-Control-Allow-Origin' header is present on the requested resource."),
            good=Connected("websocket"),
        ),
        Step(
            "a page on the server's own origin",
            Socket(SERVER, SERVER),
            bad=Blocked("the server responded with a status of 404"),
            good=Connected("websocket"),
        ),
    ),
)
