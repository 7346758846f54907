"""Flask-SocketIO and python-socketio with lists that leave out the origin of their own pages."""

from __future__ import annotations

from tests.lab.experiment import (
    Answered,
    Connected,
    Experiment,
    Get,
    Nginx,
    NotConnected,
    Page,
    Process,
    Refused,
    Step,
    Upgrade,
)

POLLS = "http://localhost:5000"
DESK = "https://desk.example.com"
POLLING = "/socket.io/?EIO=4&transport=polling"
WEBSOCKET = "/socket.io/?EIO=4&transport=websocket"

EXPERIMENT = Experiment(
    rule="same-origin-blocked",
    project="same-origin-blocked",
    claim="A list takes the place of the own origin; browsers send Origin with POST and upgrades, and are refused",
    parts=(
        Process(("python", "app.py"), listens=5000, folder="polls"),
        Process(("python", "main.py"), listens=8000, folder="desk"),
        Nginx("desk/nginx/desk.conf", listens=8080),
    ),
    hosts={"desk.example.com:443": 8080},
    steps=(
        Step(
            "a page's first request has no Origin, and is answered",
            Get(f"{POLLS}{POLLING}"),
            bad=Answered(status=200),
            good=Answered(status=200),
        ),
        Step(
            "one with the server's own origin",
            Get(f"{POLLS}{POLLING}", POLLS),
            bad=Answered(status=400, body="Not an accepted origin."),
            good=Answered(status=200, acao=POLLS),
        ),
        Step(
            "the page of Flask",
            Page(f"{POLLS}/"),
            bad=NotConnected("Not an accepted origin.", "the server responded with a status of 400"),
            good=Connected("websocket"),
        ),
        Step(
            "the handshake of a page behind nginx",
            Upgrade(f"{DESK}{WEBSOCKET}", DESK),
            bad=Refused(403),
            good=Answered(status=101),
        ),
        Step(
            "the page behind nginx",
            Page(f"{DESK}/"),
            bad=NotConnected(console="Error during WebSocket handshake: Unexpected response code: 403"),
            good=Connected("websocket"),
        ),
    ),
)
