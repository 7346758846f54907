"""Express cors with an `http://` origin in its list: a page that anybody on the way can change reads the answers."""

from __future__ import annotations

from tests.lab.experiment import Answered, Blocked, Experiment, Fetch, Get, Process, Readable, Step

SECURE = "https://shop.example.com"
INSECURE = "http://shop.example.com"
ORDERS = "https://api.example.com/orders"

EXPERIMENT = Experiment(
    rule="insecure-origin-allowed",
    project="insecure-origin-allowed",
    claim="a page that came without TLS reads the answers of the server with the user's cookies",
    parts=(Process(("node", "server.js"), listens=8787),),
    hosts={"api.example.com:443": 8787},
    steps=(
        Step(
            "the page without TLS",
            Fetch(INSECURE, ORDERS, credentials=True),
            bad=Readable(200, body="tea"),
            good=Blocked("No 'Access-Control-Allow-Origin' header is present on the requested resource."),
        ),
        Step(
            "the page with TLS",
            Fetch(SECURE, ORDERS, credentials=True),
            bad=Readable(200, body="tea"),
            good=Readable(200, body="tea"),
        ),
        Step(
            "what is sent with the user's cookie",
            Get(ORDERS, origin=INSECURE, cookie="session=ada"),
            bad=Answered(status=200, acao=INSECURE, acac="true"),
            good=Answered(status=200, absent=("access-control-allow-origin",)),
        ),
    ),
)
