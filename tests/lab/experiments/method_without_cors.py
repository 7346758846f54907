"""The snippet with one `if` for each of OPTIONS, GET and POST, and PUT among what is announced."""

from __future__ import annotations

from tests.lab.experiment import Answered, Blocked, Experiment, Fetch, Get, Nginx, Preflight, Process, Readable, Step

PAGE = "https://app.example.com"
TASK = "https://api.example.com/tasks/1"

EXPERIMENT = Experiment(
    rule="method-without-cors",
    project="method-without-cors",
    claim="PUT passes the preflight and is carried out, and the page cannot read the answer",
    parts=(Process(("node", "server.js"), listens=3000), Nginx("nginx/api.conf", listens=80)),
    hosts={"api.example.com:443": 80},
    steps=(
        Step("the page reads a task", Fetch(PAGE, TASK), bad=Readable(200), good=Readable(200)),
        Step(
            "the preflight",
            Preflight(TASK, PAGE, method="PUT", headers=""),
            bad=Answered(status=204, acao=PAGE, acam="GET, POST, PUT, OPTIONS"),
            good=Answered(status=204, acao=PAGE, acam="GET, POST, PUT, OPTIONS"),
        ),
        Step(
            "the page saves it",
            Fetch(PAGE, TASK, method="PUT"),
            bad=Blocked("No 'Access-Control-Allow-Origin' header is present on the requested resource."),
            good=Readable(200, body="saved"),
        ),
        Step(
            "it was carried out all the same",
            Get(TASK, origin=PAGE),
            bad=Answered(status=200, body="Feed the cat"),
            good=Answered(status=200, body="Feed the cat"),
        ),
    ),
)
