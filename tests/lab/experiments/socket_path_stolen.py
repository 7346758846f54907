"""A location for static files takes the script that the Socket.IO server serves."""

from __future__ import annotations

from tests.lab.experiment import Connected, Experiment, Fetch, Nginx, Page, Process, Readable, Socket, Step

SCORE = "http://score.example.com:8080"

EXPERIMENT = Experiment(
    rule="socket-path-stolen",
    project="socket-path-stolen",
    claim="nginx looks for a file and answers 404: the page has no `io`, although the socket itself is reached",
    parts=(
        Process(("node", "server.js"), listens=3000),
        Nginx("nginx/scoreboard.conf", listens=8080, roots={"/srv/web": "web"}),
    ),
    hosts={"score.example.com:8080": 8080},
    steps=(
        Step(
            "the client's script",
            Fetch(SCORE, f"{SCORE}/socket.io/socket.io.js"),
            bad=Readable(404),
            good=Readable(200, body="Socket.IO"),
        ),
        Step(
            "the page that loads it",
            Page(f"{SCORE}/"),
            good=Connected("websocket"),
        ),
        Step(
            "a client that the page brings along",
            Socket(SCORE, SCORE),
            bad=Connected("websocket"),
            good=Connected("websocket"),
        ),
    ),
)
