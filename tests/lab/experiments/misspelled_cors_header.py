"""Headers of Node, Flask and nginx that are nearly right: browsers pass over them."""

from __future__ import annotations

from tests.lab.experiment import Answered, Blocked, Experiment, Fetch, Get, Nginx, Process, Readable, Step

PAGE = "https://www.example.com"
NOTES = "https://notes.example.com/"
QUOTES = "https://quotes.example.com/quotes"
BASKET = "https://shop.example.com/basket"

EXPERIMENT = Experiment(
    rule="misspelled-cors-header",
    project="misspelled-cors-header",
    claim="a browser passes over a CORS header whose name is nearly right, and says that the right one is missing",
    parts=(
        Process(("node", "server.js"), listens=3000, folder="node"),
        Process(("python", "app.py"), listens=5000, folder="python"),
        Nginx("nginx/files.conf", listens=8080),
    ),
    hosts={"notes.example.com:443": 3000, "quotes.example.com:443": 5000, "shop.example.com:443": 8080},
    steps=(
        Step(
            "Access-Control-Allow-Header",
            Fetch(PAGE, NOTES, method="POST", headers={"content-type": "application/json"}),
            bad=Blocked(
                "Request header field content-type is not allowed by Access-Control-Allow-Headers in preflight"
            ),
            good=Readable(200),
        ),
        Step("the same without that header", Fetch(PAGE, NOTES), bad=Readable(200), good=Readable(200)),
        Step(
            "Access-Control-Origin",
            Fetch(PAGE, QUOTES),
            bad=Blocked("No 'Access-Control-Allow-Origin' header is present on the requested resource."),
            good=Readable(200),
        ),
        Step(
            "it is sent, for nobody",
            Get(QUOTES, origin=PAGE),
            bad=Answered(status=200, headers={"access-control-origin": PAGE}, absent=("access-control-allow-origin",)),
            good=Answered(status=200, acao=PAGE),
        ),
        Step(
            "Access-Control-AllowMethods",
            Fetch(PAGE, BASKET, method="DELETE"),
            bad=Blocked("Method DELETE is not allowed by Access-Control-Allow-Methods in preflight response."),
            good=Readable(204),
        ),
    ),
)
