"""Without `always` an error of the application carries no CORS headers."""

from __future__ import annotations

from tests.lab.experiment import Answered, Blocked, Experiment, Fetch, Get, Nginx, Process, Readable, Step

PAGE = "https://app.example.com"
TASKS = "https://api.example.com/tasks"

EXPERIMENT = Experiment(
    rule="cors-header-not-always",
    project="cors-header-not-always",
    claim="what nginx adds without always is missing on the 404 of the application, and the page cannot read why",
    parts=(Process(("node", "server.js"), listens=3000), Nginx("nginx/api.conf", listens=80)),
    hosts={"api.example.com:443": 80},
    steps=(
        Step(
            "a task that is there", Fetch(PAGE, f"{TASKS}/1", credentials=True), bad=Readable(200), good=Readable(200)
        ),
        Step(
            "the answer for one that is not",
            Get(f"{TASKS}/9", origin=PAGE),
            bad=Answered(status=404, absent=("access-control-allow-origin", "access-control-allow-credentials")),
            good=Answered(status=404, acao=PAGE, acac="true"),
        ),
        Step(
            "the page asks for it",
            Fetch(PAGE, f"{TASKS}/9", credentials=True),
            bad=Blocked("No 'Access-Control-Allow-Origin' header is present on the requested resource."),
            good=Readable(404, body="there is no such task"),
        ),
    ),
)
