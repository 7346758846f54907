"""Socket.IO 2 without `origins`, beside Express 4 and express-session."""

from __future__ import annotations

from tests.lab.experiment import (
    Answered,
    Connected,
    Experiment,
    Get,
    NotConnected,
    Page,
    Process,
    Refused,
    Socket,
    Step,
    Upgrade,
)

STRANGER = "http://attackerexample.com"
POLLING = "http://localhost:3000/socket.io/?EIO=3&transport=polling"

EXPERIMENT = Experiment(
    rule="socketio-open-by-default",
    project="socketio-open-by-default",
    claim="Socket.IO 2 sends any origin back as allowed, with credentials, and opens WebSockets for every website",
    parts=(Process(("node", "server.js"), listens=3000),),
    steps=(
        Step(
            "a stranger asks for a session",
            Get(POLLING, origin=STRANGER),
            bad=Answered(status=200, acao=STRANGER, acac="true"),
            good=Answered(status=403, absent=("access-control-allow-origin",)),
        ),
        Step(
            "so does a page without an origin of its own",
            Get(POLLING, origin="null"),
            bad=Answered(status=200, acao="null", acac="true"),
            good=Answered(status=403, absent=("access-control-allow-origin",)),
        ),
        Step(
            "a stranger's WebSocket handshake",
            Upgrade("ws://localhost:3000/socket.io/?EIO=3&transport=websocket", STRANGER),
            bad=Answered(status=101),
            good=Refused(400),
        ),
        Step(
            "any website connects, with credentials",
            Socket(STRANGER, "http://localhost:3000", client=2),
            bad=Connected("websocket"),
            good=NotConnected(console="No 'Access-Control-Allow-Origin' header is present on the requested resource."),
        ),
        Step(
            "the help desk's own page connects",
            Page("http://localhost:3000/"),
            bad=Connected("websocket"),
            good=Connected("websocket"),
        ),
    ),
)
