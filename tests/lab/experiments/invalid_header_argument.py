"""A colon behind the name is sent beside nginx's own; a list without quotes is refused."""

from __future__ import annotations

from tests.lab.experiment import (
    Answered,
    Blocked,
    ConfigTest,
    Experiment,
    Fails,
    Fetch,
    Get,
    Nginx,
    Passes,
    Readable,
    Step,
)

PAGE = "https://app.example.com"
TILE = "https://maps.example.com/tiles/harbour.json"

EXPERIMENT = Experiment(
    rule="invalid-header-argument",
    project="invalid-header-argument",
    claim="nginx sends two colons, so that the value begins with one, and does not start with a list without quotes",
    parts=(Nginx("conf/maps.conf", listens=80, roots={"/var/www/maps": "maps"}),),
    hosts={"maps.example.com:443": 80},
    steps=(
        Step(
            "the answer",
            Get(TILE, origin=PAGE),
            bad=Answered(status=200, acao=f": {PAGE}"),
            good=Answered(status=200, acao=PAGE),
        ),
        Step(
            "the page reads a tile",
            Fetch(PAGE, TILE),
            bad=Blocked(f"header contains multiple values ': {PAGE}', but only one is allowed."),
            good=Readable(200, body="Harbour"),
        ),
        Step(
            "a list without quotes",
            ConfigTest("editor/site.conf"),
            bad=Fails('invalid number of arguments in "add_header" directive'),
            good=Passes(),
        ),
    ),
)
