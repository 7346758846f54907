"""Two gateways of Nest on one server, of which the second one says whom Socket.IO lets in."""

from __future__ import annotations

from tests.lab.experiment import Answered, Blocked, Connected, Experiment, Get, Process, Socket, Step

PAGE = "https://www.example.com"
API = "https://api.example.com"

EXPERIMENT = Experiment(
    rule="gateway-cors-ignored",
    project="gateway-cors-ignored",
    claim="the options of the gateway that comes first are the server's, and those of the second count for nothing",
    parts=(Process(("node", "--import", "tsx", "src/main.ts"), listens=3000),),
    hosts={"api.example.com:443": 3000},
    steps=(
        Step(
            "polling",
            Get(f"{API}/socket.io/?EIO=4&transport=polling", origin=PAGE),
            bad=Answered(status=200, absent=("access-control-allow-origin",)),
            good=Answered(status=200, acao=PAGE),
        ),
        Step(
            "a page joins the namespace of the second gateway",
            Socket(PAGE, f"{API}/news"),
            bad=Blocked("No 'Access-Control-Allow-Origin' header is present on the requested resource."),
            good=Connected("websocket"),
        ),
    ),
)
