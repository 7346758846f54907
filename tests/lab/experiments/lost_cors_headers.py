"""`add_header` in a location cancels those of the server around it."""

from __future__ import annotations

from tests.lab.experiment import Answered, Blocked, Experiment, Fetch, Get, Nginx, Readable, Step

PAGE = "https://www.example.com"
STATIC = "https://static.example.com"

EXPERIMENT = Experiment(
    rule="lost-cors-headers",
    project="lost-cors-headers",
    claim="One add_header of its own, and a location sends none of the CORS headers of its server",
    parts=(Nginx("nginx/static.conf", listens=80, roots={"/var/www/static": "static"}),),
    hosts={"static.example.com:443": 80},
    steps=(
        Step(
            "a location without add_header inherits them",
            Get(f"{STATIC}/fonts/missing.woff2", origin=PAGE),
            bad=Answered(status=404, acao=PAGE),
            good=Answered(status=404, acao=PAGE),
        ),
        Step(
            "the location with an add_header",
            Get(f"{STATIC}/data/", origin=PAGE),
            bad=Answered(status=200, absent=("access-control-allow-origin",), headers={"cache-control": "no-store"}),
            good=Answered(status=200, acao=PAGE, headers={"cache-control": "no-store"}),
        ),
        Step(
            "the page reads the list",
            Fetch(PAGE, f"{STATIC}/data/"),
            bad=Blocked("No 'Access-Control-Allow-Origin' header is present on the requested resource."),
            good=Readable(200, body="levels.json"),
        ),
    ),
)
