"""@koa/cors with `null` in the list that a function asks: a sandboxed frame of any page reads the answers."""

from __future__ import annotations

from tests.lab.experiment import Answered, Blocked, Experiment, Fetch, Get, Process, Readable, Step

OWN = "https://mail.example.com"
INBOX = "https://api.example.com/inbox"
MISSING = "No 'Access-Control-Allow-Origin' header is present on the requested resource."

EXPERIMENT = Experiment(
    rule="null-origin-allowed",
    project="null-origin-allowed",
    claim="a sandboxed frame, which any page can open, has the origin null: where that is allowed it reads the answers",
    parts=(Process(("node", "server.js"), listens=3000),),
    hosts={"api.example.com:443": 3000},
    steps=(
        Step(
            "a sandboxed frame reads the inbox",
            Fetch("null", INBOX, credentials=True),
            bad=Readable(200, body="Your new password"),
            good=Blocked(MISSING),
        ),
        Step(
            "the own page reads the inbox", Fetch(OWN, INBOX, credentials=True), bad=Readable(200), good=Readable(200)
        ),
        Step(
            "the attacker's page needs the frame",
            Fetch("https://attacker.test", INBOX, credentials=True),
            bad=Blocked(MISSING),
            good=Blocked(MISSING),
        ),
        Step(
            "the answer to a request with the visitor's cookie is opened to null",
            Get("http://localhost:3000/inbox", origin="null", cookie="session=ada"),
            bad=Answered(status=200, acao="null", acac="true", body='"reader":"ada"'),
            good=Answered(status=200, absent=("access-control-allow-origin",)),
        ),
    ),
)
