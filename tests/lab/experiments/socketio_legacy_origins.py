"""Socket.IO 4 is given `origins`, the option of version 2, and version 2 `cors`, that of version 4."""

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
    Socket,
    Step,
    Upgrade,
)

PAGE = "http://localhost:5173"
STRANGER = "http://attackerexample.com"

EXPERIMENT = Experiment(
    rule="socketio-legacy-origins",
    project="socketio-legacy-origins",
    claim="Socket.IO 4 ignores `origins`: no CORS headers, and the listed page is blocked; version 2 ignores `cors`",
    parts=(
        Process(("node", "index.js"), listens=3000, folder="server"),
        Process(("node", "index.js"), listens=3001, folder="archive"),
    ),
    steps=(
        Step(
            "long polling from a listed origin",
            Get("http://localhost:3000/socket.io/?EIO=4&transport=polling", origin=PAGE),
            bad=Answered(status=200, absent=("access-control-allow-origin", "vary")),
            good=Answered(status=200, acao=PAGE, vary="Origin"),
        ),
        Step(
            "a WebSocket from an origin that is not listed opens either way",
            Upgrade("ws://localhost:3000/socket.io/?EIO=4&transport=websocket", STRANGER),
            bad=Answered(status=101),
            good=Answered(status=101),
        ),
        Step(
            "the listed page connects",
            ClientFile(PAGE, "web/scores.js"),
            bad=Blocked("No 'Access-Control-Allow-Origin' header is present on the requested resource."),
            good=Connected("websocket"),
        ),
        Step(
            "version 2 answers a stranger, with credentials",
            Get("http://localhost:3001/archive/?EIO=3&transport=polling", origin=STRANGER),
            bad=Answered(status=200, acao=STRANGER, acac="true"),
            good=Answered(status=403, absent=("access-control-allow-origin",)),
        ),
        Step(
            "any website connects to version 2",
            Socket(STRANGER, "http://localhost:3001", client=2, options={"path": "/archive"}),
            bad=Connected("websocket"),
            good=NotConnected(console="No 'Access-Control-Allow-Origin' header is present on the requested resource."),
        ),
        Step(
            "the listed page connects to version 2",
            Socket(PAGE, "http://localhost:3001", client=2, options={"path": "/archive"}),
            good=Connected("websocket"),
        ),
    ),
)
