"""Tornado and hypercorn behind an nginx that is not told to speak HTTP/1.1 (before 1.29.7 it speaks 1.0 then)."""

from __future__ import annotations

from tests.lab.experiment import (
    Answered,
    ClientFile,
    Connected,
    Experiment,
    Get,
    Nginx,
    NotConnected,
    Process,
    Refused,
    Step,
    Upgrade,
)

EXPERIMENT = Experiment(
    rule="proxy-http-version",
    project="proxy-http-version",
    claim="Over HTTP/1.0 Tornado answers a handshake with 101 and the WebSocket carries nothing; hypercorn answers 400",
    parts=(
        Process(("python", "app.py"), listens=8888, folder="rooms"),
        Process(("hypercorn", "--bind", "127.0.0.1:8000", "app:app"), listens=8000, folder="feed"),
        Nginx("nginx/site.conf", listens=8080),
    ),
    steps=(
        Step(
            "Tornado answers the handshake with 101 on both sides",
            Upgrade("ws://localhost:8080/socket.io/?EIO=4&transport=websocket", "http://localhost:8080"),
            bad=Answered(status=101),
            good=Answered(status=101),
        ),
        Step(
            "its long polling is not affected",
            Get("http://localhost:8080/socket.io/?EIO=4&transport=polling", origin="http://localhost:8080"),
            bad=Answered(status=200),
            good=Answered(status=200),
        ),
        Step(
            "hypercorn refuses the handshake",
            Upgrade("ws://localhost:8080/feed", "http://localhost:8080"),
            bad=Refused(400),
            good=Answered(status=101),
        ),
        Step(
            "the client, which uses WebSocket alone",
            ClientFile("http://localhost:8080", "web/rooms.js"),
            bad=NotConnected(),
            good=Connected("websocket"),
        ),
    ),
)
