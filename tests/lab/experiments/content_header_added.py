"""`add_header Content-Length 0` on a file."""

from __future__ import annotations

from tests.lab.experiment import Blocked, Experiment, Fetch, Nginx, Readable, Step

PAGE = "https://app.example.com"
TILE = "https://maps.example.com/tiles/harbour.json"

EXPERIMENT = Experiment(
    rule="content-header-added",
    project="content-header-added",
    claim="the response has two lengths that differ, and the browser drops it",
    parts=(Nginx("nginx/maps.conf", listens=80, roots={"/var/www/maps": "maps"}),),
    hosts={"maps.example.com:443": 80},
    steps=(
        Step(
            "the page reads a tile",
            Fetch(PAGE, TILE),
            bad=Blocked("net::ERR_RESPONSE_HEADERS_MULTIPLE_CONTENT_LENGTH"),
            good=Readable(200, body="Harbour"),
        ),
    ),
)
