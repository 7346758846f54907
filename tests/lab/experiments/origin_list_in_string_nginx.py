"""Two origins in one value."""

from __future__ import annotations

from tests.lab.experiment import Blocked, Experiment, Fetch, Nginx, Readable, Step

PAGE = "https://app.example.com"
TILE = "https://maps.example.com/tiles/harbour.json"


EXPERIMENT = Experiment(
    rule="origin-list-in-string",
    project="origin-list-in-string-nginx",
    claim="the two origins arrive as one value, which the browser takes for several",
    parts=(Nginx("nginx/maps.conf", listens=80, roots={"/var/www/maps": "maps"}),),
    hosts={"maps.example.com:443": 80},
    steps=(
        Step(
            "the page reads a tile",
            Fetch(PAGE, TILE),
            bad=Blocked(
                "header contains multiple values 'https://app.example.com, "
                "https://shop.example.com', but only one is allowed."
            ),
            good=Readable(200, body="Harbour"),
        ),
    ),
)
