"""A server that takes WebSockets alone, and a client that begins with polling."""

from __future__ import annotations

from tests.lab.experiment import (
    Answered,
    ClientFile,
    Connected,
    Experiment,
    Get,
    NotConnected,
    Process,
    Refused,
    Socket,
    Step,
    Upgrade,
)

PAGE = "https://www.example.com"
LIVE = "https://live.example.com"

EXPERIMENT = Experiment(
    rule="socketio-transport-mismatch",
    project="socketio-transport-mismatch",
    claim="The server answers polling with 400, and the client does not go on with its next transport",
    parts=(Process(("node", "index.js"), listens=4000, folder="server"),),
    hosts={"live.example.com:443": 4000},
    steps=(
        Step(
            "polling is refused on both sides",
            Get(f"{LIVE}/socket.io/?EIO=4&transport=polling", origin=PAGE),
            bad=Refused(400),
            good=Refused(400),
        ),
        Step(
            "WebSocket is taken on both sides",
            Upgrade(f"{LIVE}/socket.io/?EIO=4&transport=websocket", origin=PAGE),
            bad=Answered(status=101),
            good=Answered(status=101),
        ),
        Step(
            "the page connects",
            ClientFile(PAGE, "client/prices.js"),
            bad=NotConnected(event="xhr poll error", console="the server responded with a status of 400 (Bad Request)"),
            good=Connected("websocket"),
        ),
        Step(
            "WebSocket behind polling is no help",
            Socket(PAGE, LIVE, options={"transports": ["polling", "websocket"]}),
            bad=NotConnected(event="xhr poll error"),
        ),
        Step(
            "with tryAllTransports it is",
            Socket(PAGE, LIVE, options={"transports": ["polling", "websocket"], "tryAllTransports": True}),
            good=Connected("websocket"),
        ),
    ),
)
