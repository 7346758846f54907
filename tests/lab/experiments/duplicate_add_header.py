"""The same header by an included file and by a line of the location."""

from __future__ import annotations

from tests.lab.experiment import Answered, Blocked, Experiment, Fetch, Get, Nginx, Readable, Step

PAGE = "https://www.example.com"
CLOCK = "https://cdn.example.com/widgets/clock.json"

EXPERIMENT = Experiment(
    rule="duplicate-add-header",
    project="duplicate-add-header",
    claim="nginx sends Access-Control-Allow-Origin twice, and the browser refuses more than one",
    parts=(Nginx("nginx/nginx.conf", listens=80, roots={"/var/www/cdn": "cdn"}),),
    hosts={"cdn.example.com:443": 80},
    steps=(
        Step(
            "the widget's data",
            Get(CLOCK, origin=PAGE),
            bad=Answered(status=200, acao=f"{PAGE}, *"),
            good=Answered(status=200, acao=PAGE),
        ),
        Step(
            "a page reads it",
            Fetch(PAGE, CLOCK),
            bad=Blocked(
                f"'Access-Control-Allow-Origin' header contains multiple values '{PAGE}, *', but only one is allowed."
            ),
            good=Readable(200, body="UTC"),
        ),
    ),
)
