"""nginx in front of Socket.IO without `Upgrade` and `Connection`."""

from __future__ import annotations

from tests.lab.experiment import (
    Answered,
    ClientFile,
    Connected,
    Experiment,
    Get,
    Nginx,
    NotConnected,
    Process,
    Refused,
    Step,
    Upgrade,
)

PAGE = "https://www.example.com"
TICKER = "https://ticker.example.com/socket.io/?EIO=4"

EXPERIMENT = Experiment(
    rule="missing-upgrade-headers",
    project="missing-upgrade-headers",
    claim="Socket.IO answers the handshake of a WebSocket with 400, and a client that uses WebSocket alone fails",
    parts=(Process(("node", "server.js"), listens=3000), Nginx("nginx/ticker.conf", listens=80)),
    hosts={"ticker.example.com:443": 80},
    steps=(
        Step(
            "the handshake of a WebSocket",
            Upgrade(f"{TICKER}&transport=websocket", PAGE),
            bad=Refused(400),
            good=Answered(status=101),
        ),
        Step(
            "long polling passes on both sides",
            Get(f"{TICKER}&transport=polling", origin=PAGE),
            bad=Answered(status=200, acao=PAGE),
            good=Answered(status=200, acao=PAGE),
        ),
        Step(
            "the page connects",
            ClientFile(PAGE, "client.js"),
            bad=NotConnected("websocket error", "Error during WebSocket handshake: Unexpected response code: 400"),
            good=Connected("websocket"),
        ),
    ),
)
