"""An `if` with a line of its own cancels the CORS headers of its location."""

from __future__ import annotations

from tests.lab.experiment import Answered, Blocked, Experiment, Fetch, Get, Nginx, Readable, Step

PAGE = "https://app.example.com"
TILE = "https://maps.example.com/tiles/harbour.json"
LAYER = "https://maps.example.com/layers/depth.json"

EXPERIMENT = Experiment(
    rule="if-replaces-headers",
    project="if-replaces-headers",
    claim="requests that meet the condition get the headers of the if, and not those of the location around it",
    parts=(Nginx("nginx/maps.conf", listens=80, roots={"/var/www/maps": "maps"}),),
    hosts={"maps.example.com:443": 80},
    steps=(
        Step("without the argument", Fetch(PAGE, TILE), bad=Readable(200), good=Readable(200)),
        Step(
            "the answer with it",
            Get(f"{TILE}?download=1", origin=PAGE),
            bad=Answered(
                status=200, headers={"content-disposition": "attachment"}, absent=("access-control-allow-origin",)
            ),
            good=Answered(status=200, headers={"content-disposition": "attachment"}, acao=PAGE),
        ),
        Step(
            "the page asks with it",
            Fetch(PAGE, f"{TILE}?download=1"),
            bad=Blocked("No 'Access-Control-Allow-Origin' header is present on the requested resource."),
            good=Readable(200, body="Harbour"),
        ),
        Step("a location whose headers an if adds", Fetch(PAGE, LAYER), bad=Readable(200), good=Readable(200)),
        Step(
            "and another if holds, which adds nothing",
            Fetch(PAGE, f"{LAYER}?download=1"),
            bad=Blocked("No 'Access-Control-Allow-Origin' header is present on the requested resource."),
            good=Readable(200, body="Depth"),
        ),
    ),
)
