"""Where the variable is not set, the origin is `*`, and credentials are allowed."""

from __future__ import annotations

from tests.lab.experiment import Answered, Blocked, Connected, Experiment, Get, Process, Socket, Step

PAGE = "http://localhost:5173"
SERVER = "http://localhost:4000"

EXPERIMENT = Experiment(
    rule="wildcard-env-fallback",
    project="wildcard-env-fallback",
    claim="Without the variable `*` is sent together with credentials, and the browser refuses that pair",
    parts=(Process(("node", "src/server.js"), listens=4000),),
    steps=(
        Step(
            "Express cors",
            Get(f"{SERVER}/", origin=PAGE),
            bad=Answered(acao="*", acac="true"),
            good=Answered(acao=PAGE, acac="true", vary="Origin"),
        ),
        Step(
            "Socket.IO",
            Get(f"{SERVER}/socket.io/?EIO=4&transport=polling", origin=PAGE),
            bad=Answered(status=200, acao="*", acac="true"),
            good=Answered(status=200, acao=PAGE, acac="true"),
        ),
        Step(
            "a page connects with cookies",
            Socket(PAGE, SERVER, options={"withCredentials": True}),
            bad=Blocked(
                "The value of the 'Access-Control-Allow-Origin' header in the response must not be the wildcard '*' "
                "when the request's credentials mode is 'include'."
            ),
            good=Connected("websocket"),
        ),
        Step(
            "without cookies the fault is hidden",
            Socket(PAGE, SERVER),
            bad=Connected("websocket"),
            good=Connected("websocket"),
        ),
    ),
)
