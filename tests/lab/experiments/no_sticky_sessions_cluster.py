"""Two workers at one port: Node.js gives them connections in turn, and nginx makes a new one for each request."""

from __future__ import annotations

from tests.lab.experiment import ClientFile, Connected, Experiment, Nginx, NotConnected, Process, Socket, Step

QUIZ = "http://quiz.example.com"

EXPERIMENT = Experiment(
    rule="no-sticky-sessions",
    project="no-sticky-sessions-cluster",
    claim="Requests of one polling session reach the other worker, which answers 400: Session ID unknown",
    parts=(Process(("node", "server.js"), listens=(3000, 9100)), Nginx("nginx/quiz.conf", listens=80)),
    hosts={"quiz.example.com:80": 80},
    steps=(
        Step(
            "the page connects",
            ClientFile(QUIZ, "web/client.js"),
            bad=NotConnected("Session ID unknown", "the server responded with a status of 400"),
            good=Connected("websocket"),
        ),
        Step(
            "a client that polls fails with both",
            Socket(QUIZ, QUIZ, options={"transports": ["polling"]}),
            bad=NotConnected("Session ID unknown"),
            good=NotConnected("Session ID unknown"),
        ),
    ),
)
