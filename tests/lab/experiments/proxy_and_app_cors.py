"""nginx adds the header that Express cors sends already."""

from __future__ import annotations

from tests.lab.experiment import Answered, Blocked, Experiment, Fetch, Get, Nginx, Process, Readable, Step

SHOP = "https://shop.example.com"
ITEMS = "https://api.example.com/api/items"

EXPERIMENT = Experiment(
    rule="proxy-and-app-cors",
    project="proxy-and-app-cors",
    claim="Access-Control-Allow-Origin arrives twice, from Express cors and from nginx, and the browser refuses that",
    parts=(Process(("node", "server.js"), listens=5000), Nginx("nginx/shop.conf", listens=80)),
    hosts={"api.example.com:443": 80},
    steps=(
        Step(
            "the application alone is in order",
            Get("http://localhost:5000/api/items", origin=SHOP),
            bad=Answered(status=200, acao=SHOP),
            good=Answered(status=200, acao=SHOP),
        ),
        Step(
            "the answer that nginx passes on",
            Get(ITEMS, origin=SHOP),
            bad=Answered(status=200, acao=f"{SHOP}, {SHOP}"),
            good=Answered(status=200, acao=SHOP),
        ),
        Step(
            "the shop's page reads the items",
            Fetch(SHOP, ITEMS),
            bad=Blocked(f"header contains multiple values '{SHOP}, {SHOP}', but only one is allowed."),
            good=Readable(200),
        ),
    ),
)
