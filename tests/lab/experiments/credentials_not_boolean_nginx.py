"""`True` instead of `true`."""

from __future__ import annotations

from tests.lab.experiment import Blocked, Experiment, Fetch, Nginx, Readable, Step

PAGE = "https://app.example.com"
TILE = "https://maps.example.com/tiles/harbour.json"


EXPERIMENT = Experiment(
    rule="credentials-not-boolean",
    project="credentials-not-boolean-nginx",
    claim="the browser compares the value with true, letter by letter",
    parts=(Nginx("nginx/maps.conf", listens=80, roots={"/var/www/maps": "maps"}),),
    hosts={"maps.example.com:443": 80},
    steps=(
        Step(
            "the page reads a tile",
            Fetch(PAGE, TILE, credentials=True),
            bad=Blocked(
                "header in the response is 'True' which must be 'true' when the "
                "request's credentials mode is 'include'."
            ),
            good=Readable(200, body="Harbour"),
        ),
    ),
)
