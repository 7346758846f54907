"""Flask-SocketIO with a list that leaves out the origin of the pages that it hands out itself."""

from __future__ import annotations

from tests.lab.experiment import Answered, Connected, Experiment, Get, NotConnected, Page, Process, Step

POLLS = "http://localhost:5000"
POLLING = f"{POLLS}/socket.io/?EIO=4&transport=polling"

EXPERIMENT = Experiment(
    rule="same-origin-blocked",
    project="same-origin-blocked",
    claim="A list takes the place of the own origin; browsers send Origin with every POST, which is refused",
    parts=(Process(("python", "app.py"), listens=5000),),
    steps=(
        Step(
            "a page's first request has no Origin, and is answered",
            Get(POLLING),
            bad=Answered(status=200),
            good=Answered(status=200),
        ),
        Step(
            "one with the server's own origin",
            Get(POLLING, POLLS),
            bad=Answered(status=400, body="Not an accepted origin."),
            good=Answered(status=200, acao=POLLS),
        ),
        Step(
            "the page",
            Page(f"{POLLS}/"),
            bad=NotConnected("Not an accepted origin.", "the server responded with a status of 400"),
            good=Connected("websocket"),
        ),
    ),
)
