"""Vite's proxy without `ws: true` before Socket.IO."""

from __future__ import annotations

from tests.lab.experiment import Answered, Connected, Experiment, Get, NotConnected, Process, Socket, Step

PAGE = "http://localhost:5173"

EXPERIMENT = Experiment(
    rule="dev-proxy-without-ws",
    project="dev-proxy-without-ws",
    claim="polling passes through the proxy and WebSockets do not: a client that uses WebSocket alone never connects",
    parts=(
        Process(("node", "index.js"), listens=4000, folder="server"),
        Process(("node", "node_modules/vite/bin/vite.js"), listens=5173),
    ),
    steps=(
        Step(
            "polling goes through on both sides",
            Get(f"{PAGE}/socket.io/?EIO=4&transport=polling"),
            bad=Answered(status=200),
            good=Answered(status=200),
        ),
        Step(
            "a client with its defaults stays on polling",
            Socket(PAGE, PAGE),
            bad=Connected("polling"),
            good=Connected("websocket"),
        ),
        Step(
            "a client that uses WebSocket alone",
            Socket(PAGE, PAGE, options={"transports": ["websocket"]}),
            bad=NotConnected(),
            good=Connected("websocket"),
        ),
    ),
    silent_in_browser="the upgrade is never answered, and the client waits",
)
