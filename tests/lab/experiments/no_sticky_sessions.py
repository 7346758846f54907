"""Two processes of Socket.IO behind an nginx that spreads the requests of one session over both."""

from __future__ import annotations

from tests.lab.experiment import Connected, Experiment, Nginx, NotConnected, Process, Socket, Step

AUCTION = "http://auction.example.com"

EXPERIMENT = Experiment(
    rule="no-sticky-sessions",
    project="no-sticky-sessions",
    claim="The second request of a polling session reaches the other process, which answers 400: Session ID unknown",
    parts=(
        Process(("node", "server.js"), listens=3001, env={"PORT": "3001"}),
        Process(("node", "server.js"), listens=3002, env={"PORT": "3002"}),
        Nginx("nginx/auction.conf", listens=80),
    ),
    hosts={"auction.example.com:80": 80, "10.0.1.11:3000": 3001, "10.0.1.12:3000": 3002},
    steps=(
        Step(
            "the default client",
            Socket(AUCTION, AUCTION),
            bad=NotConnected("Session ID unknown", "the server responded with a status of 400"),
            good=Connected("websocket"),
        ),
        Step(
            "long polling alone",
            Socket(AUCTION, AUCTION, options={"transports": ["polling"]}),
            bad=NotConnected("Session ID unknown"),
            good=Connected("polling"),
        ),
        Step(
            "WebSocket alone has one request and is not affected",
            Socket(AUCTION, AUCTION, options={"transports": ["websocket"]}),
            bad=Connected("websocket"),
            good=Connected("websocket"),
        ),
    ),
)
