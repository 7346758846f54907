"""nginx redirects the socket's path to the one with a slash at its end."""

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
    project="socket-path-redirected",
    claim="nginx redirects requests for the socket to the path with a slash: no WebSocket opens, and no POST arrives",
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
            Get(f"{KITCHEN}/orders?EIO=4&transport=polling"),
            bad=Answered(status=301),
            good=Answered(status=200, body='"sid"'),
        ),
        Step(
            "the handshake of a WebSocket",
            Upgrade(f"{KITCHEN}/orders?EIO=4&transport=websocket", KITCHEN),
            bad=Refused(301),
            good=Answered(status=101),
        ),
        Step(
            "a packet that is posted",
            Get(f"{KITCHEN}/orders?EIO=4&transport=polling&sid=none", method="POST"),
            bad=Answered(status=301),
            good=Answered(status=400, body="Session ID unknown"),
        ),
        Step(
            "the page connects",
            ClientFile(KITCHEN, "web/client.js"),
            bad=NotConnected(console="Error during WebSocket handshake: Unexpected response code: 301"),
            good=Connected("websocket"),
        ),
    ),
)
