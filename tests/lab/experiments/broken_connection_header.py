"""`Upgrade` and `Connection` that are sent, with values that no server takes for a handshake, or for nothing else."""

from __future__ import annotations

from tests.lab.experiment import (
    Answered,
    ConfigTest,
    Connected,
    Experiment,
    Fails,
    Get,
    Nginx,
    NotConnected,
    Passes,
    Process,
    Refused,
    Socket,
    Step,
    Upgrade,
)

PAGE = "https://boards.example.com"
KEEPALIVE = "http://keepalive.example.com:8080"
ALWAYS = "http://always.example.com:8081"
HEREDOC = "http://heredoc.example.com:8082"
WEBSOCKET = "/socket.io/?EIO=4&transport=websocket"
POLLING = "/socket.io/?EIO=4&transport=polling"

EXPERIMENT = Experiment(
    rule="broken-connection-header",
    project="broken-connection-header",
    claim="The backend answers handshakes with 400, long polling with 400 where Upgrade always comes, or nginx is down",
    parts=(
        Process(("node", "server.js"), listens=3000),
        Nginx("nginx/boards.conf", listens=(8080, 8081, 8082)),
    ),
    hosts={"keepalive.example.com:8080": 8080, "always.example.com:8081": 8081, "heredoc.example.com:8082": 8082},
    steps=(
        Step(
            "an empty Connection: the handshake",
            Upgrade(KEEPALIVE + WEBSOCKET, PAGE),
            bad=Refused(400),
            good=Answered(status=101),
        ),
        Step(
            "an empty Connection: a client that uses WebSocket alone",
            Socket(KEEPALIVE, KEEPALIVE, options={"transports": ["websocket"]}),
            bad=NotConnected("websocket error", "Error during WebSocket handshake: Unexpected response code: 400"),
            good=Connected("websocket"),
        ),
        Step(
            "a fixed Upgrade: long polling",
            Get(ALWAYS + POLLING, origin=PAGE),
            bad=Answered(status=400, body="Missing or invalid Sec-WebSocket-Key header"),
            good=Answered(status=200, acao=PAGE),
        ),
        Step(
            "a fixed Upgrade: the handshake is not affected",
            Upgrade(ALWAYS + WEBSOCKET, PAGE),
            bad=Answered(status=101),
            good=Answered(status=101),
        ),
        Step(
            "a fixed Upgrade: the default client",
            Socket(ALWAYS, ALWAYS),
            bad=NotConnected("xhr poll error"),
            good=Connected("websocket"),
        ),
        Step(
            "a backslash: the handshake",
            Upgrade(HEREDOC + WEBSOCKET, PAGE),
            bad=Refused(400),
            good=Answered(status=101),
        ),
        Step(
            "a backslash: long polling",
            Get(HEREDOC + POLLING, origin=PAGE),
            bad=Answered(status=400),
            good=Answered(status=200, acao=PAGE),
        ),
        Step(
            "a variable that nothing defines",
            ConfigTest("standalone/nginx.conf"),
            bad=Fails('unknown "connection_upgrade" variable'),
            good=Passes(),
        ),
    ),
)
