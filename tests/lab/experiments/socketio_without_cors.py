"""Socket.IO 4 on a plain HTTP server, without `cors`, and a client that another server delivers."""

from __future__ import annotations

from tests.lab.experiment import (
    Answered,
    Blocked,
    ClientFile,
    Connected,
    Experiment,
    Get,
    Preflight,
    Process,
    Refused,
    Socket,
    Step,
    Upgrade,
)

PAGE = "http://localhost:5173"
POLLING = "http://localhost:4000/socket.io/?EIO=4&transport=polling"

EXPERIMENT = Experiment(
    rule="socketio-without-cors",
    project="socketio-without-cors",
    claim="Without `cors` Socket.IO 4 sends no CORS header: long polling of another origin is blocked, WebSockets open",
    parts=(Process(("node", "index.js"), listens=4000, folder="server"),),
    steps=(
        Step(
            "long polling is answered, with or without CORS headers",
            Get(POLLING, origin=PAGE),
            bad=Answered(status=200, absent=("access-control-allow-origin",)),
            good=Answered(status=200, acao=PAGE),
        ),
        Step(
            "a preflight request",
            Preflight(POLLING, PAGE, method="POST"),
            bad=Refused(400),
            good=Answered(status=204, acao=PAGE),
        ),
        Step(
            "a WebSocket handshake of any origin",
            Upgrade("ws://localhost:4000/socket.io/?EIO=4&transport=websocket", "https://attackerexample.com"),
            bad=Answered(status=101),
            good=Answered(status=101),
        ),
        Step(
            "the client of the other origin connects",
            ClientFile(PAGE, "web/src/cursors.js"),
            bad=Blocked("No 'Access-Control-Allow-Origin' header is present on the requested resource."),
            good=Connected("websocket"),
        ),
        Step(
            "a client of the other origin that begins with a WebSocket connects",
            Socket(PAGE, "http://localhost:4000", options={"transports": ["websocket"]}),
            bad=Connected("websocket"),
            good=Connected("websocket"),
        ),
        Step(
            "a page of the server's own origin connects",
            Socket("http://localhost:4000", "http://localhost:4000"),
            bad=Connected("websocket"),
            good=Connected("websocket"),
        ),
    ),
)
