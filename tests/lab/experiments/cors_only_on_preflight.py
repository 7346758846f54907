"""The headers stand in the `if` for OPTIONS alone."""

from __future__ import annotations

from tests.lab.experiment import Answered, Blocked, Experiment, Fetch, Get, Nginx, Preflight, Readable, Step

PAGE = "https://app.example.com"
TILE = "https://maps.example.com/tiles/harbour.json"
VERSION = {"x-map-version": "2"}

EXPERIMENT = Experiment(
    rule="cors-only-on-preflight",
    project="cors-only-on-preflight",
    claim="the preflight passes, and the answer after it has no Access-Control-Allow-Origin",
    parts=(Nginx("nginx/maps.conf", listens=80, roots={"/var/www/maps": "maps"}),),
    hosts={"maps.example.com:443": 80},
    steps=(
        Step(
            "the preflight",
            Preflight(TILE, PAGE, method="GET", headers="x-map-version"),
            bad=Answered(status=204, acao=PAGE, acah="X-Map-Version"),
            good=Answered(status=204, acao=PAGE, acah="X-Map-Version"),
        ),
        Step(
            "the answer after it",
            Get(TILE, origin=PAGE, headers=VERSION),
            bad=Answered(status=200, absent=("access-control-allow-origin",)),
            good=Answered(status=200, acao=PAGE),
        ),
        Step(
            "the page asks for a version",
            Fetch(PAGE, TILE, headers=VERSION),
            bad=Blocked("No 'Access-Control-Allow-Origin' header is present on the requested resource."),
            good=Readable(200, body="Harbour"),
        ),
    ),
)
