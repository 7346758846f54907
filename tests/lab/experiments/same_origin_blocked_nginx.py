"""python-socketio behind nginx with a list that leaves out nginx's own name."""

from __future__ import annotations

from tests.lab.experiment import (
    Answered,
    Connected,
    Experiment,
    Nginx,
    NotConnected,
    Page,
    Process,
    Refused,
    Step,
    Upgrade,
)

DESK = "https://desk.example.com"

EXPERIMENT = Experiment(
    rule="same-origin-blocked",
    project="same-origin-blocked-nginx",
    claim="A list takes the place of the own origin; browsers send Origin with every handshake, which is refused",
    parts=(Process(("python", "main.py"), listens=8000), Nginx("nginx/desk.conf", listens=8080)),
    hosts={"desk.example.com:443": 8080},
    steps=(
        Step(
            "the handshake of a page of the server's own origin",
            Upgrade(f"{DESK}/socket.io/?EIO=4&transport=websocket", DESK),
            bad=Refused(403),
            good=Answered(status=101),
        ),
        Step(
            "the page",
            Page(f"{DESK}/"),
            bad=NotConnected(console="Error during WebSocket handshake: Unexpected response code: 403"),
            good=Connected("websocket"),
        ),
    ),
)
