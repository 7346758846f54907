"""Express cors with `*` for methods and headers beside credentials: both are taken as names."""

from __future__ import annotations

from tests.lab.experiment import Answered, Blocked, Experiment, Fetch, Preflight, Process, Readable, Step

PAGE = "https://www.example.com"
API = "https://api.example.com"
JSON = {"content-type": "application/json"}

EXPERIMENT = Experiment(
    rule="wildcard-header-list-with-credentials",
    project="wildcard-header-list-with-credentials",
    claim="beside credentials `*` in the lists of methods and headers is the name of a method, or of a header",
    parts=(Process(("node", "server.js"), listens=8787),),
    hosts={"api.example.com:443": 8787},
    steps=(
        Step(
            "the preflight",
            Preflight(f"{API}/settings", PAGE),
            bad=Answered(status=204, acao=PAGE, acac="true", acam="*", acah="*"),
            good=Answered(status=204, acao=PAGE, acac="true", acah="content-type"),
        ),
        Step(
            "PUT",
            Fetch(PAGE, f"{API}/settings", credentials=True, method="PUT"),
            bad=Blocked("Method PUT is not allowed by Access-Control-Allow-Methods in preflight response."),
            good=Readable(200),
        ),
        Step(
            "a header that needs leave",
            Fetch(PAGE, f"{API}/settings/reset", credentials=True, method="POST", headers=JSON),
            bad=Blocked(
                "Request header field content-type is not allowed by Access-Control-Allow-Headers in preflight"
            ),
            good=Readable(200),
        ),
        Step(
            "the same without credentials",
            Fetch(PAGE, f"{API}/settings/reset", method="POST", headers=JSON),
            bad=Readable(200),
            good=Readable(200),
        ),
        Step(
            "a request that asks nobody",
            Fetch(PAGE, f"{API}/settings", credentials=True),
            bad=Readable(200),
            good=Readable(200),
        ),
    ),
)
