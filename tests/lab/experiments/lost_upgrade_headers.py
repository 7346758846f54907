"""`proxy_set_header` in a location, in an included file even, cancels those of the server around it."""

from __future__ import annotations

from tests.lab.experiment import (
    Answered,
    Connected,
    Experiment,
    Nginx,
    NotConnected,
    Process,
    Refused,
    Socket,
    Step,
    Upgrade,
)

DRAW = "http://draw.example.com"

EXPERIMENT = Experiment(
    rule="lost-upgrade-headers",
    project="lost-upgrade-headers",
    claim="The handshake loses its Upgrade and is answered with 400: the default client stays on long polling",
    parts=(Process(("node", "server.js"), listens=3000), Nginx("nginx/draw.conf", listens=80)),
    hosts={"draw.example.com:80": 80},
    steps=(
        Step(
            "the handshake of a WebSocket",
            Upgrade(f"{DRAW}/socket.io/?EIO=4&transport=websocket", DRAW),
            bad=Refused(400),
            good=Answered(status=101),
        ),
        Step("the default client", Socket(DRAW, DRAW), bad=Connected("polling"), good=Connected("websocket")),
        Step(
            "a client that uses WebSocket alone",
            Socket(DRAW, DRAW, options={"transports": ["websocket"]}),
            bad=NotConnected("websocket error", "Error during WebSocket handshake: Unexpected response code: 400"),
            good=Connected("websocket"),
        ),
    ),
)
