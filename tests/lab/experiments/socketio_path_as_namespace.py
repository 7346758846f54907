"""The path of nginx's location in the address of the client, where it names a namespace."""

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
API = "https://api.example.com"

EXPERIMENT = Experiment(
    rule="socketio-path-as-namespace",
    project="socketio-path-as-namespace",
    claim="The client asks for /socket.io/ whatever the path in its address is, and nginx has no such path: a 404",
    parts=(Process(("node", "index.js"), listens=4000, folder="server"), Nginx("nginx/api.conf", listens=80)),
    hosts={"api.example.com:443": 80},
    steps=(
        Step(
            "the path that the broken client asks for",
            Get(f"{API}/socket.io/?EIO=4&transport=polling", origin=PAGE),
            bad=Refused(404),
            good=Refused(404),
        ),
        Step(
            "the path that it was meant to ask for",
            Get(f"{API}/news/socket.io/?EIO=4&transport=polling", origin=PAGE),
            bad=Answered(status=200, acao=PAGE),
            good=Answered(status=200, acao=PAGE),
        ),
        Step(
            "the page connects",
            ClientFile(PAGE, "client/news.js"),
            bad=Blocked("No 'Access-Control-Allow-Origin' header is present on the requested resource."),
            good=Connected("websocket"),
        ),
    ),
)
