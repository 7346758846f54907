"""A key of a map with a slash at its end."""

from __future__ import annotations

from tests.lab.experiment import Blocked, Experiment, Fetch, Nginx, Readable, Step

PAGE = "https://app.example.com"
TILE = "https://maps.example.com/tiles/harbour.json"


EXPERIMENT = Experiment(
    rule="malformed-origin",
    project="malformed-origin-nginx",
    claim="the key with a slash is no origin, so that the map gives nothing and no header is sent",
    parts=(Nginx("nginx/maps.conf", listens=80, roots={"/var/www/maps": "maps"}),),
    hosts={"maps.example.com:443": 80},
    steps=(
        Step(
            "the page reads a tile",
            Fetch(PAGE, TILE),
            bad=Blocked("No 'Access-Control-Allow-Origin' header is present on the requested resource."),
            good=Readable(200, body="Harbour"),
        ),
    ),
)
