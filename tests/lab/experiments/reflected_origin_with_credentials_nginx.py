"""`$http_origin` is sent back to everybody."""

from __future__ import annotations

from tests.lab.experiment import Blocked, Experiment, Fetch, Nginx, Readable, Step

PAGE = "https://app.example.com"
TILE = "https://maps.example.com/tiles/harbour.json"
STRANGER = "https://evil.example.org"

EXPERIMENT = Experiment(
    rule="reflected-origin-with-credentials",
    project="reflected-origin-with-credentials-nginx",
    claim="nginx sends back whatever origin asks, and any page reads the answer with cookies",
    parts=(Nginx("nginx/maps.conf", listens=80, roots={"/var/www/maps": "maps"}),),
    hosts={"maps.example.com:443": 80},
    steps=(
        Step("the page itself", Fetch(PAGE, TILE, credentials=True), bad=Readable(200), good=Readable(200)),
        Step(
            "the other page, with the user's cookies",
            Fetch(STRANGER, TILE, credentials=True),
            bad=Readable(200, body="Harbour"),
            good=Blocked("No 'Access-Control-Allow-Origin' header is present on the requested resource."),
            mended=Blocked(f"The 'Access-Control-Allow-Origin' header has a value '{PAGE}' that is not equal"),
        ),
    ),
)
