"""A session that Socket.IO takes from the cookie of a handshake, whichever page opens it."""

from __future__ import annotations

from tests.lab.experiment import (
    Answered,
    ClientFile,
    Connected,
    Experiment,
    NotConnected,
    Process,
    Refused,
    Step,
    Upgrade,
)

API = "https://api.example.com"
HANDSHAKE = f"{API}/socket.io/?EIO=4&transport=websocket"

EXPERIMENT = Experiment(
    rule="websocket-origin-unchecked",
    project="websocket-origin-unchecked",
    claim="a page of another host opens the socket, and the server takes the user from the cookie that goes along",
    parts=(Process(("node", "index.js"), listens=4000, folder="server"),),
    hosts={"api.example.com:443": 4000},
    steps=(
        Step(
            "the handshake of a stranger's page",
            Upgrade(HANDSHAKE, origin="https://attacker.test"),
            bad=Answered(status=101),
            good=Refused(400),
        ),
        Step(
            "the handshake of the application's page",
            Upgrade(HANDSHAKE, origin="https://app.example.com"),
            bad=Answered(status=101),
            good=Answered(status=101),
        ),
        Step(
            "a page of another host connects, signed in by the cookie",
            ClientFile("https://attacker.example.com", "web/balance.js"),
            bad=Connected("websocket"),
            good=NotConnected(event="websocket error", console="Unexpected response code: 400"),
        ),
        Step(
            "the application's page connects",
            ClientFile("https://app.example.com", "web/balance.js"),
            bad=Connected("websocket"),
            good=Connected("websocket"),
        ),
    ),
    silent_in_browser="the broken side works for everybody",
)
