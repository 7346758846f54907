"""Express cors with a regular expression in quotes: the text itself is sent to everybody."""

from __future__ import annotations

from tests.lab.experiment import Answered, Blocked, Experiment, Fetch, Get, Process, Readable, Step

SHOP = "https://shop.example.com"
STOCK = "https://api.example.com/stock"

EXPERIMENT = Experiment(
    rule="origin-regex-in-string",
    project="origin-regex-in-string",
    claim="A regular expression in quotes is sent as Access-Control-Allow-Origin, and no browser's origin equals it",
    parts=(Process(("node", "server.js"), listens=8787),),
    hosts={"api.example.com:443": 8787},
    steps=(
        Step(
            "what is sent",
            Get(STOCK, origin=SHOP),
            bad=Answered(status=200, acao=r"/^https:\/\/[a-z]+\.example\.com$/"),
            good=Answered(status=200, acao=SHOP, vary="Origin"),
        ),
        Step(
            "a page whose origin the pattern describes",
            Fetch(SHOP, STOCK, credentials=True),
            bad=Blocked("The 'Access-Control-Allow-Origin' header contains the invalid value"),
            good=Readable(200, body='"tea":12'),
        ),
        Step(
            "a page that it does not describe",
            Fetch("https://attacker.test", STOCK, credentials=True),
            bad=Blocked("The 'Access-Control-Allow-Origin' header contains the invalid value"),
            good=Blocked("No 'Access-Control-Allow-Origin' header is present on the requested resource."),
        ),
    ),
)
