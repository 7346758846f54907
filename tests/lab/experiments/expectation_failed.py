"""What the settings expect of browsers, against what a browser does."""

from __future__ import annotations

from tests.lab.experiment import Blocked, Experiment, Fetch, Nginx, Process, Readable, Step

ORDERS = "https://api.example.com/orders"

EXPERIMENT = Experiment(
    rule="expectation-failed",
    project="expectation-failed",
    claim="a page that is expected to be let in is blocked, and one that is expected to be blocked reads the answer",
    parts=(Process(("node", "server.js"), listens=3000), Nginx("nginx/api.conf", listens=80)),
    hosts={"api.example.com:443": 80},
    steps=(
        Step(
            "the shop reads its orders",
            Fetch("https://shop.example.com", ORDERS, credentials=True),
            bad=Blocked("No 'Access-Control-Allow-Origin' header is present on the requested resource."),
            good=Readable(200, body='"id":7'),
        ),
        Step(
            "a partner's page reads them",
            Fetch("https://partner.example.org", ORDERS, credentials=True),
            bad=Readable(200, body='"id":7'),
            good=Blocked("No 'Access-Control-Allow-Origin' header is present on the requested resource."),
        ),
    ),
)
