"""The cache of nginx hands one page the answer that another got."""

from __future__ import annotations

from tests.lab.experiment import Answered, Blocked, Experiment, Fetch, Get, Nginx, Process, Readable, Step

PAGE = "https://app.example.com"
SHOP = "https://shop.example.com"
ITEMS = "https://api.example.com/items"

EXPERIMENT = Experiment(
    rule="cached-cors-response",
    project="cached-cors-response",
    claim="without Vary: Origin nginx keeps one answer for all origins, and the second page is refused",
    parts=(Process(("node", "server.js"), listens=5000), Nginx("nginx/shop.conf", listens=80)),
    hosts={"api.example.com:443": 80},
    steps=(
        Step(
            "the application alone answers each as it should",
            Get("http://localhost:5000/items", origin=SHOP),
            bad=Answered(status=200, acao=SHOP, absent=("vary",)),
            good=Answered(status=200, acao=SHOP, vary="Origin"),
        ),
        Step("the first page", Fetch(PAGE, ITEMS), bad=Readable(200), good=Readable(200)),
        Step(
            "what the second gets",
            Get(ITEMS, origin=SHOP),
            bad=Answered(status=200, acao=PAGE),
            good=Answered(status=200, acao=SHOP),
        ),
        Step(
            "the second page",
            Fetch(SHOP, ITEMS),
            bad=Blocked(f"header has a value '{PAGE}' that is not equal to the supplied origin."),
            good=Readable(200, body="lamp"),
        ),
    ),
)
