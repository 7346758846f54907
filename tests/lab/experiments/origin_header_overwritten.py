"""nginx tells the application the same Origin for all."""

from __future__ import annotations

from tests.lab.experiment import Answered, Blocked, Experiment, Fetch, Get, Nginx, Process, Readable, Step

PAGE = "https://app.example.com"
SHOP = "https://shop.example.com"
STRANGER = "https://evil.example.org"
ITEMS = "https://api.example.com/items"

EXPERIMENT = Experiment(
    rule="origin-header-overwritten",
    project="origin-header-overwritten",
    claim="the application answers every page as if it were another, so that one that is allowed is refused",
    parts=(Process(("node", "server.js"), listens=5000), Nginx("nginx/shop.conf", listens=80)),
    hosts={"api.example.com:443": 80},
    steps=(
        Step(
            "the answer for the shop",
            Get(ITEMS, origin=SHOP),
            bad=Answered(status=200, acao=PAGE),
            good=Answered(status=200, acao=SHOP),
        ),
        Step(
            "the answer for a stranger, who is not refused any more",
            Get(ITEMS, origin=STRANGER),
            bad=Answered(status=200, acao=PAGE),
            good=Answered(status=200, absent=("access-control-allow-origin",)),
        ),
        Step(
            "the shop's page reads the items",
            Fetch(SHOP, ITEMS),
            bad=Blocked(f"header has a value '{PAGE}' that is not equal to the supplied origin."),
            good=Readable(200, body="lamp"),
        ),
    ),
)
