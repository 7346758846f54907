"""A `proxy_read_timeout` that ends before the server's next ping, here both a few seconds long."""

from __future__ import annotations

from tests.lab.experiment import Answered, Connected, Experiment, Nginx, Process, Silence, Socket, Step

WARD = "https://ward.example.com"
PAGER = "http://pager.example.com"

EXPERIMENT = Experiment(
    rule="short-websocket-timeout",
    project="short-websocket-timeout",
    claim="nginx gives up a session in which nobody speaks, and answers 504, before the server has sent its ping",
    parts=(Process(("node", "server.js"), listens=3000), Nginx("nginx/pager.conf", listens=80)),
    silent_in_browser="the page that connects is left before the time is up; what nginx answers then, plain HTTP shows",
    hosts={"pager.example.com:80": 80},
    steps=(
        Step(
            "a session in which nobody speaks",
            Silence(f"{PAGER}/socket.io/", WARD),
            bad=Answered(status=504, absent=("access-control-allow-origin",)),
            good=Answered(status=200, acao=WARD, body="2"),
        ),
        Step(
            "the client connects at first on both sides",
            Socket(PAGER, PAGER),
            bad=Connected("websocket"),
            good=Connected("websocket"),
        ),
    ),
)
