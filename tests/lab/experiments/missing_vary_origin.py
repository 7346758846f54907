"""A cache in front of a server that names the origin and sends no Vary: one page gets the answer of another."""

from __future__ import annotations

from tests.lab.experiment import Answered, Blocked, Experiment, Fetch, Get, Nginx, Readable, Step

APP = "https://app.example.com"
SHOP = "https://shop.example.org"
PRICES = "https://cdn.example.com/prices.json"

EXPERIMENT = Experiment(
    rule="missing-vary-origin",
    project="missing-vary-origin",
    claim="without Vary: Origin a cache hands the answer for one origin to another, which the browser blocks",
    parts=(
        Nginx("origin/site.conf", listens=8081, roots={"/srv/files": "origin/files"}),
        Nginx("cdn/site.conf", listens=8080),
    ),
    hosts={"cdn.example.com:443": 8080},
    steps=(
        Step(
            "the server answers each origin as it should",
            Get("http://localhost:8081/prices.json", origin=SHOP),
            bad=Answered(status=200, acao=SHOP, absent=("vary",)),
            good=Answered(status=200, acao=SHOP, vary="Origin"),
        ),
        Step("the first page", Fetch(APP, PRICES), bad=Readable(200), good=Readable(200)),
        Step(
            "the second page gets what the cache keeps for the first",
            Fetch(SHOP, PRICES),
            bad=Blocked(f"header has a value '{APP}' that is not equal to the supplied origin."),
            good=Readable(200, body="tea"),
        ),
    ),
)
