"""A page that reads how many items there are off a header which the server does not expose."""

from __future__ import annotations

from tests.lab.experiment import Answered, ClientFile, Experiment, Get, Process, Readable, Step

PAGE = "http://localhost:5173"

EXPERIMENT = Experiment(
    rule="response-header-not-exposed",
    project="response-header-not-exposed",
    claim="the header is sent, but the page reads `null` instead",
    parts=(Process(("node", "index.js"), listens=4000, folder="server"),),
    pedantic=True,
    silent_in_browser="a header that is hidden is `null` to the page, and nothing is said",
    steps=(
        Step(
            "the page asks for as many pages as it read",
            ClientFile(PAGE, "web/items.js", client=4),
            bad=Readable(200, body="pages for null items"),
            good=Readable(200, body="pages for 57 items"),
        ),
        Step(
            "what the server sends",
            Get("http://localhost:4000/items", PAGE),
            bad=Answered(
                status=200, acao=PAGE, headers={"X-Total-Count": "57"}, absent=("Access-Control-Expose-Headers",)
            ),
            good=Answered(status=200, acao=PAGE, headers={"Access-Control-Expose-Headers": "X-Total-Count"}),
        ),
    ),
)
