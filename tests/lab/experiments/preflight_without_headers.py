"""One `add_header` in the `if` that answers OPTIONS, and the preflight has no CORS headers."""

from __future__ import annotations

from tests.lab.experiment import Answered, Blocked, Experiment, Fetch, Nginx, Preflight, Process, Readable, Step

PAGE = "https://app.example.com"
TASK = "https://api.example.com/tasks/1"

EXPERIMENT = Experiment(
    rule="preflight-without-headers",
    project="preflight-without-headers",
    claim="the answer to OPTIONS inherits no add_header once it has one, and the browser does not send the PUT",
    parts=(Process(("node", "server.js"), listens=3000), Nginx("nginx/api.conf", listens=80)),
    hosts={"api.example.com:443": 80},
    steps=(
        Step("a simple request", Fetch(PAGE, TASK), bad=Readable(200), good=Readable(200)),
        Step(
            "the preflight",
            Preflight(TASK, PAGE, headers=""),
            bad=Answered(status=204, absent=("access-control-allow-origin", "access-control-allow-methods")),
            good=Answered(status=204, acao=PAGE, acam="GET, PUT"),
        ),
        Step(
            "the page saves a task",
            Fetch(PAGE, TASK, method="PUT"),
            bad=Blocked(
                "Response to preflight request doesn't pass access control check: "
                "No 'Access-Control-Allow-Origin' header is present on the requested resource."
            ),
            good=Readable(200, body="saved"),
        ),
    ),
)
