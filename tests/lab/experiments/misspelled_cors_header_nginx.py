"""`Access-Control-Allow-Header`, without the last letter."""

from __future__ import annotations

from tests.lab.experiment import Blocked, Experiment, Fetch, Nginx, Readable, Step

PAGE = "https://app.example.com"
TILE = "https://maps.example.com/tiles/harbour.json"
VERSION = {"x-map-version": "2"}

EXPERIMENT = Experiment(
    rule="misspelled-cors-header",
    project="misspelled-cors-header-nginx",
    claim="the browser passes over the header, and refuses the one that the page sends",
    parts=(Nginx("nginx/maps.conf", listens=80, roots={"/var/www/maps": "maps"}),),
    hosts={"maps.example.com:443": 80},
    steps=(
        Step(
            "the page reads a tile",
            Fetch(PAGE, TILE, headers=VERSION),
            bad=Blocked(
                "Request header field x-map-version is not allowed by "
                "Access-Control-Allow-Headers in preflight response."
            ),
            good=Readable(200, body="Harbour"),
        ),
    ),
)
