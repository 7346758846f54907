"""The client asks under another path than the server answers."""

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
    Refused,
    Step,
)

PAGE = "https://www.example.com"
LIVE = "https://live.example.com"

EXPERIMENT = Experiment(
    rule="socketio-path-mismatch",
    project="socketio-path-mismatch",
    claim="What the client asks for is answered with 404, and as that has no CORS headers the browser speaks of CORS",
    parts=(Process(("node", "index.js"), listens=4000, folder="server"), Nginx("nginx/live.conf", listens=80)),
    hosts={"live.example.com:443": 80},
    steps=(
        Step(
            "the path that the broken client asks for",
            Get(f"{LIVE}/ws/?EIO=4&transport=polling", origin=PAGE),
            bad=Refused(404),
            good=Refused(404),
        ),
        Step(
            "the path that the mended client asks for",
            Get(f"{LIVE}/live/socket.io/?EIO=4&transport=polling", origin=PAGE),
            bad=Answered(status=200, acao=PAGE),
            good=Answered(status=200, acao=PAGE),
        ),
        Step(
            "the page connects",
            ClientFile(PAGE, "client/prices.js"),
            bad=Blocked("No 'Access-Control-Allow-Origin' header is present on the requested resource."),
            good=Connected("websocket"),
        ),
    ),
)
