"""@fastify/cors with a test of the domain alone: a page of any host below it reads the answers with cookies."""

from __future__ import annotations

from tests.lab.experiment import Answered, Blocked, Experiment, Fetch, Get, Process, Readable, Step

OWN = "https://app.example.com"
FORGOTTEN = "https://attacker.example.com"
INVOICES = "https://api.example.com/invoices"

EXPERIMENT = Experiment(
    rule="any-subdomain-allowed",
    project="any-subdomain-allowed",
    claim="a check of the domain lets a host below it in that nobody wrote down, with credentials",
    pedantic=True,
    parts=(Process(("node", "server.js"), listens=3400),),
    hosts={"api.example.com:443": 3400},
    steps=(
        Step(
            "a page of a forgotten host reads the invoices",
            Fetch(FORGOTTEN, INVOICES, credentials=True),
            bad=Readable(200, body="invoices"),
            good=Blocked("No 'Access-Control-Allow-Origin' header is present on the requested resource."),
        ),
        Step("the own page reads them", Fetch(OWN, INVOICES, credentials=True), bad=Readable(200), good=Readable(200)),
        Step(
            "the answer to a request with the visitor's cookie is opened to the forgotten host",
            Get("http://localhost:3400/invoices", origin=FORGOTTEN, cookie="session=ada"),
            bad=Answered(status=200, acao=FORGOTTEN, acac="true", body="session=ada"),
            good=Answered(status=200, absent=("access-control-allow-origin",)),
        ),
    ),
)
