"""A client that sends cookies to a Socket.IO that does not allow credentials."""

from __future__ import annotations

from tests.lab.experiment import Answered, Blocked, ClientFile, Connected, Experiment, Get, Process, Socket, Step

PAGE = "https://www.example.com"
LIVE = "https://live.example.com"

EXPERIMENT = Experiment(
    rule="socketio-credentials-mismatch",
    project="socketio-credentials-mismatch",
    claim="Without Access-Control-Allow-Credentials the browser keeps the answers from a client with withCredentials",
    parts=(Process(("node", "index.js"), listens=4000, folder="server"),),
    hosts={"live.example.com:443": 4000},
    steps=(
        Step(
            "the handshake",
            Get(f"{LIVE}/socket.io/?EIO=4&transport=polling", origin=PAGE),
            bad=Answered(status=200, acao=PAGE, absent=("access-control-allow-credentials",)),
            good=Answered(status=200, acao=PAGE, acac="true"),
        ),
        Step(
            "the page connects",
            ClientFile(PAGE, "client/socket.js"),
            bad=Blocked(
                "The value of the 'Access-Control-Allow-Credentials' header in the response is '' which must be 'true' "
                "when the request's credentials mode is 'include'."
            ),
            good=Connected("websocket"),
        ),
        Step(
            "without cookies a page connects on both sides",
            Socket(PAGE, LIVE),
            bad=Connected("websocket"),
            good=Connected("websocket"),
        ),
    ),
)
