"""A page that puts Access-Control-Allow-Origin on its request: the server does not allow that header."""

from __future__ import annotations

from tests.lab.experiment import Answered, Blocked, ClientFile, Experiment, Fetch, Preflight, Process, Readable, Step

PAGE = "https://www.example.com"
ITEMS = "https://api.example.com/items"

EXPERIMENT = Experiment(
    rule="cors-header-on-request",
    project="cors-header-on-request",
    claim="the header on the request makes the browser ask with a preflight, and the server does not allow it",
    parts=(Process(("node", "server.js"), listens=8787, folder="server"),),
    hosts={"api.example.com:443": 8787},
    steps=(
        Step(
            "the page loads its items",
            ClientFile(PAGE, "web/items.js", client=4),
            bad=Blocked(
                "Request header field access-control-allow-origin is not allowed by "
                "Access-Control-Allow-Headers in preflight response."
            ),
            good=Readable(200, body="lamp"),
        ),
        Step("the server is fine with the request alone", Fetch(PAGE, ITEMS), bad=Readable(200), good=Readable(200)),
        Step(
            "what it answers to the question",
            Preflight(ITEMS, PAGE, method="GET", headers="access-control-allow-origin"),
            bad=Answered(status=204, acao=PAGE, acah="Content-Type,Authorization"),
            good=Answered(status=204, acao=PAGE, acah="Content-Type,Authorization"),
        ),
    ),
)
