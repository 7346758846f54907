"""A preflight carries no password, and `auth_basic` refuses it."""

from __future__ import annotations

from tests.lab.experiment import Answered, Blocked, Experiment, Fetch, Get, Nginx, Preflight, Process, Readable, Step

PAGE = "https://app.example.com"
TASK = "https://api.example.com/tasks/1"
PASSWORD = {"authorization": "Basic ZWRpdG9yOnBsYW50cw=="}

EXPERIMENT = Experiment(
    rule="preflight-needs-auth",
    project="preflight-needs-auth",
    claim="auth_basic answers the preflight with 401, so that the browser never sends the request with the password",
    parts=(Process(("node", "server.js"), listens=3000), Nginx("nginx/api.conf", listens=80)),
    hosts={"api.example.com:443": 80},
    steps=(
        Step(
            "the request alone, with the password",
            Get(TASK, origin=PAGE, headers=PASSWORD),
            bad=Answered(status=200, acao=PAGE),
            good=Answered(status=200, acao=PAGE),
        ),
        Step(
            "the preflight",
            Preflight(TASK, PAGE, method="GET", headers="authorization"),
            bad=Answered(status=401, acao=PAGE),
            good=Answered(status=204, acao=PAGE, acah="Authorization"),
        ),
        Step(
            "the page asks with the password",
            Fetch(PAGE, TASK, headers=PASSWORD),
            bad=Blocked(
                "Response to preflight request doesn't pass access control check: It does not have HTTP ok status."
            ),
            good=Readable(200, body="plants"),
        ),
    ),
)
