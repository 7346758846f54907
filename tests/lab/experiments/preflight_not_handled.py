"""nginx serves files to GET, HEAD and POST, and refuses OPTIONS."""

from __future__ import annotations

from tests.lab.experiment import Answered, Blocked, Experiment, Fetch, Nginx, Preflight, Readable, Step

PAGE = "https://app.example.com"
TILE = "https://maps.example.com/tiles/harbour.json"
VERSION = {"x-map-version": "2"}

EXPERIMENT = Experiment(
    rule="preflight-not-handled",
    project="preflight-not-handled",
    claim="nginx answers the preflight for a file with 405, and the header that is announced can never be sent",
    parts=(Nginx("nginx/maps.conf", listens=80, roots={"/var/www/maps": "maps"}),),
    hosts={"maps.example.com:443": 80},
    steps=(
        Step("a simple request", Fetch(PAGE, TILE), bad=Readable(200), good=Readable(200)),
        Step(
            "the preflight",
            Preflight(TILE, PAGE, method="GET", headers="x-map-version"),
            bad=Answered(status=405, acao=PAGE, acah="X-Map-Version"),
            good=Answered(status=204, acao=PAGE, acah="X-Map-Version"),
        ),
        Step(
            "the page asks for a version",
            Fetch(PAGE, TILE, headers=VERSION),
            bad=Blocked(
                "Response to preflight request doesn't pass access control check: It does not have HTTP ok status."
            ),
            good=Readable(200, body="Harbour"),
        ),
    ),
)
