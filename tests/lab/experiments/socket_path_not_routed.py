"""nginx serves the files of the front end for the socket's path."""

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

KITCHEN = "http://kitchen.example.com:8080"

EXPERIMENT = Experiment(
    rule="socket-path-not-routed",
    project="socket-path-not-routed",
    claim="Requests for the socket get the front end's index.html, which is no answer of Socket.IO",
    parts=(
        Process(("node", "server.js"), listens=3000),
        Nginx("nginx/kitchen.conf", listens=8080, roots={"/srv/web": "web"}),
    ),
    hosts={"kitchen.example.com:8080": 8080},
    steps=(
        Step(
            "the application is reached on both sides",
            Get(f"{KITCHEN}/api/orders"),
            bad=Answered(status=200, body="soup"),
            good=Answered(status=200, body="soup"),
        ),
        Step(
            "long polling",
            Get(f"{KITCHEN}/socket.io/?EIO=4&transport=polling"),
            bad=Answered(status=200, body="<title>Kitchen</title>"),
            good=Answered(status=200, body='"sid"'),
        ),
        Step(
            "the handshake of a WebSocket",
            Upgrade(f"{KITCHEN}/socket.io/?EIO=4&transport=websocket", KITCHEN),
            bad=Refused(200),
            good=Answered(status=101),
        ),
        Step(
            "the page connects",
            ClientFile(KITCHEN, "web/client.js"),
            bad=NotConnected("server error"),
            good=Connected("websocket"),
        ),
    ),
)
