"""Litestar with a wildcard: any page reads the answers, without credentials."""

from __future__ import annotations

from tests.lab.experiment import Answered, Blocked, Experiment, Fetch, Get, Process, Readable, Step

OWN = "https://intranet.example.com"
ATTACKER = "https://attacker.test"
PRINTERS = "https://printers.example.com/printers"

EXPERIMENT = Experiment(
    rule="wildcard-origin",
    project="wildcard-origin",
    claim="Access-Control-Allow-Origin: * lets the page of any website read the answers, though not with cookies",
    pedantic=True,
    parts=(Process(("uvicorn", "main:app", "--port", "8000"), listens=8000),),
    hosts={"printers.example.com:443": 8000},
    steps=(
        Step(
            "the attacker's page reads what is printed",
            Fetch(ATTACKER, PRINTERS),
            bad=Readable(200, body="salaries.pdf"),
            good=Blocked("No 'Access-Control-Allow-Origin' header is present on the requested resource."),
        ),
        Step(
            "the attacker's page asks with cookies",
            Fetch(ATTACKER, PRINTERS, credentials=True),
            bad=Blocked("must not be the wildcard '*' when the request's credentials mode is 'include'."),
            good=Blocked("No 'Access-Control-Allow-Origin' header is present on the requested resource."),
        ),
        Step("the intranet's page reads it", Fetch(OWN, PRINTERS), bad=Readable(200), good=Readable(200)),
        Step(
            "the header is a star",
            Get("http://localhost:8000/printers", origin=ATTACKER),
            bad=Answered(status=200, acao="*", absent=("access-control-allow-credentials",)),
            good=Answered(status=200, absent=("access-control-allow-origin",)),
        ),
    ),
)
