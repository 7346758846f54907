"""A pattern that takes `http` as well as `https`."""

from __future__ import annotations

from tests.lab.experiment import Blocked, Experiment, Fetch, Nginx, Readable, Step

PAGE = "https://app.example.com"
TILE = "https://maps.example.com/tiles/harbour.json"
PLAIN = "http://app.example.com"

EXPERIMENT = Experiment(
    rule="insecure-origin-allowed",
    project="insecure-origin-allowed-nginx",
    claim="a page that came without TLS, so that anyone on the way may have changed it, reads the answer with cookies",
    parts=(Nginx("nginx/maps.conf", listens=80, roots={"/var/www/maps": "maps"}),),
    hosts={"maps.example.com:443": 80},
    steps=(
        Step("the page itself", Fetch(PAGE, TILE, credentials=True), bad=Readable(200), good=Readable(200)),
        Step(
            "the other page, with the user's cookies",
            Fetch(PLAIN, TILE, credentials=True),
            bad=Readable(200, body="Harbour"),
            good=Blocked("No 'Access-Control-Allow-Origin' header is present on the requested resource."),
        ),
    ),
)
