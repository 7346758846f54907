"""Express cors with the flag `g`: the same page is let in and refused in turn."""

from __future__ import annotations

from tests.lab.experiment import Answered, Blocked, Experiment, Fetch, Get, Process, Readable, Step

PAGE = "https://app.example.com"
WEATHER = "https://api.example.com/weather/oslo"
MISSING = "No 'Access-Control-Allow-Origin' header is present on the requested resource."

EXPERIMENT = Experiment(
    rule="stateful-origin-regex",
    project="stateful-origin-regex",
    claim="with the flag `g` every second request of an allowed origin is refused",
    parts=(Process(("node", "server.js"), listens=8787),),
    hosts={"api.example.com:443": 8787},
    steps=(
        Step("first request", Get(WEATHER, origin=PAGE), bad=Answered(acao=PAGE), good=Answered(acao=PAGE)),
        Step(
            "second request",
            Get(WEATHER, origin=PAGE),
            bad=Answered(status=200, absent=("access-control-allow-origin",)),
            good=Answered(status=200, acao=PAGE),
        ),
        Step("third request, by the page", Fetch(PAGE, WEATHER), bad=Readable(200), good=Readable(200)),
        Step("fourth request, by the page", Fetch(PAGE, WEATHER), bad=Blocked(MISSING), good=Readable(200)),
        Step("fifth request, by the page", Fetch(PAGE, WEATHER), bad=Readable(200), good=Readable(200)),
    ),
)
