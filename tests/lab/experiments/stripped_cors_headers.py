"""`proxy_hide_header` takes away what Express cors sends."""

from __future__ import annotations

from tests.lab.experiment import Answered, Blocked, Experiment, Fetch, Get, Nginx, Process, Readable, Step

PAGE = "https://app.example.com"
ITEMS = "https://api.example.com/items"

EXPERIMENT = Experiment(
    rule="stripped-cors-headers",
    project="stripped-cors-headers",
    claim="the application sends Access-Control-Allow-Origin, nginx removes it and sends none",
    parts=(Process(("node", "server.js"), listens=5000), Nginx("nginx/shop.conf", listens=80)),
    hosts={"api.example.com:443": 80},
    steps=(
        Step(
            "the application alone",
            Get("http://localhost:5000/items", origin=PAGE),
            bad=Answered(status=200, acao=PAGE),
            good=Answered(status=200, acao=PAGE),
        ),
        Step(
            "what nginx passes on",
            Get(ITEMS, origin=PAGE),
            bad=Answered(status=200, absent=("access-control-allow-origin",), vary="Origin"),
            good=Answered(status=200, acao=PAGE),
        ),
        Step(
            "the page reads the items",
            Fetch(PAGE, ITEMS),
            bad=Blocked("No 'Access-Control-Allow-Origin' header is present on the requested resource."),
            good=Readable(200, body="lamp"),
        ),
    ),
)
