"""`proxy_pass` with a slash at its end, which takes the socket's path away."""

from __future__ import annotations

from tests.lab.experiment import (
    Answered,
    Blocked,
    ClientFile,
    Connected,
    Experiment,
    Get,
    Nginx,
    Process,
    Step,
    Upgrade,
)

PAGE = "https://www.example.com"
DESK = "https://desk.example.com/socket.io/?EIO=4"

EXPERIMENT = Experiment(
    rule="socket-path-stripped",
    project="socket-path-stripped",
    claim="The application's page answers instead of Socket.IO, without CORS headers, and no client connects",
    parts=(Process(("node", "server.js"), listens=3000), Nginx("nginx/desk.conf", listens=80)),
    hosts={"desk.example.com:443": 80},
    steps=(
        Step(
            "long polling gets the page of the application",
            Get(f"{DESK}&transport=polling", origin=PAGE),
            bad=Answered(status=200, body="<h1>Support desk</h1>", absent=("access-control-allow-origin",)),
            good=Answered(status=200, acao=PAGE, body='"sid"'),
        ),
        Step(
            "the handshake of a WebSocket",
            Upgrade(f"{DESK}&transport=websocket", PAGE),
            bad=Answered(status=502),
            good=Answered(status=101),
        ),
        Step(
            "the page connects",
            ClientFile(PAGE, "client.js"),
            bad=Blocked("No 'Access-Control-Allow-Origin' header is present on the requested resource."),
            good=Connected("websocket"),
        ),
    ),
)
