"""A star inside of an origin."""

from __future__ import annotations

from tests.lab.experiment import Blocked, Experiment, Fetch, Nginx, Readable, Step

PAGE = "https://app.example.com"
TILE = "https://maps.example.com/tiles/harbour.json"


EXPERIMENT = Experiment(
    rule="origin-glob",
    project="origin-glob-nginx",
    claim="the star in the value is a character like any other, and the value is nobody's origin",
    parts=(Nginx("nginx/maps.conf", listens=80, roots={"/var/www/maps": "maps"}),),
    hosts={"maps.example.com:443": 80},
    steps=(
        Step(
            "the page reads a tile",
            Fetch(PAGE, TILE),
            bad=Blocked("header has a value 'https://*.example.com' that is not equal to the supplied origin."),
            good=Readable(200, body="Harbour"),
        ),
    ),
)
