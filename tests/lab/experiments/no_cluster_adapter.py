"""Two instances of Socket.IO without an adapter: who is on the other one hears nothing."""

from __future__ import annotations

from tests.lab.experiment import Answered, Experiment, Get, Nginx, Process, Step, Upgrade

STAND = "http://localhost:8080"

EXPERIMENT = Experiment(
    rule="no-cluster-adapter",
    project="no-cluster-adapter",
    claim="what one visitor says does not reach another one whose WebSocket is at the other instance",
    parts=(
        Process(("node", "server.js"), listens=3001, env={"PORT": "3001"}),
        Process(("node", "server.js"), listens=3002, env={"PORT": "3002"}),
        Nginx("nginx/stand.conf", listens=8080),
        Process(("node", "visitors.js"), listens=4010),
    ),
    hosts={"10.0.1.11:3000": 3001, "10.0.1.12:3000": 3002},
    steps=(
        Step(
            "a WebSocket opens on both sides",
            Upgrade(f"{STAND}/socket.io/?EIO=4&transport=websocket", origin=STAND),
            bad=Answered(status=101),
            good=Answered(status=101),
        ),
        Step(
            "what the second visitor heard",
            Get("http://localhost:4010/"),
            bad=Answered(status=200, body="heard nothing"),
            good=Answered(status=200, body="heard hello"),
        ),
    ),
    silent_in_browser="messages that do not come leave no trace",
)
