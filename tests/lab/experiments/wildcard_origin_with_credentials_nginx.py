"""`*` and credentials."""

from __future__ import annotations

from tests.lab.experiment import Blocked, Experiment, Fetch, Nginx, Readable, Step

PAGE = "https://app.example.com"
TILE = "https://maps.example.com/tiles/harbour.json"


EXPERIMENT = Experiment(
    rule="wildcard-origin-with-credentials",
    project="wildcard-origin-with-credentials-nginx",
    claim="the browser refuses the pair of a star and credentials",
    parts=(Nginx("nginx/maps.conf", listens=80, roots={"/var/www/maps": "maps"}),),
    hosts={"maps.example.com:443": 80},
    steps=(
        Step("without cookies", Fetch(PAGE, TILE), bad=Readable(200), good=Readable(200)),
        Step(
            "with cookies",
            Fetch(PAGE, TILE, credentials=True),
            bad=Blocked("must not be the wildcard '*' when the request's credentials mode is 'include'."),
            good=Readable(200),
        ),
    ),
)
