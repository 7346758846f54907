"""python-socketio behind an nginx that does not pass the browser's `Host` on, or passes it without its port."""

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

NONE = "http://localhost:8080"
WITHOUT_PORT = "http://localhost:8081"
POLLING = "/socket.io/?EIO=4&transport=polling"

EXPERIMENT = Experiment(
    rule="forwarded-headers-missing",
    project="forwarded-headers-missing",
    claim="The server takes the origin of its own pages for a foreign one: polling gets 400 and a WebSocket 403",
    parts=(
        Process(("python", "app.py"), listens=8000),
        Nginx("nginx/seats.conf", listens=(8080, 8081)),
    ),
    steps=(
        Step(
            "no Host: long polling",
            Get(NONE + POLLING, origin=NONE),
            bad=Answered(status=400, body="is not an accepted origin."),
            good=Answered(status=200, acao=NONE),
        ),
        Step(
            "no Host: the handshake of a WebSocket",
            Upgrade(f"{NONE}/socket.io/?EIO=4&transport=websocket", NONE),
            bad=Refused(403),
            good=Answered(status=101),
        ),
        Step(
            "no Host: the page connects",
            ClientFile(NONE, "web/client.js"),
            bad=NotConnected("is not an accepted origin."),
            good=Connected("websocket"),
        ),
        Step(
            "Host without the port: long polling",
            Get(WITHOUT_PORT + POLLING, origin=WITHOUT_PORT),
            bad=Answered(status=400, body="is not an accepted origin."),
            good=Answered(status=200, acao=WITHOUT_PORT),
        ),
        Step(
            "https, which only `X-Forwarded-Proto` tells",
            Get(NONE + POLLING, origin="https://localhost:8080"),
            bad=Answered(status=400, body="is not an accepted origin."),
            good=Answered(status=400, body="is not an accepted origin."),
        ),
        Step(
            "https, and told",
            Get(NONE + POLLING, origin="https://localhost:8080", headers={"X-Forwarded-Proto": "https"}),
            bad=Answered(status=400, body="is not an accepted origin."),
            good=Answered(status=200, acao="https://localhost:8080"),
        ),
    ),
)
