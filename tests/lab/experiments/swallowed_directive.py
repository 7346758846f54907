"""An nginx that starts although a `;` is missing, and does less than it is told."""

from __future__ import annotations

from tests.lab.experiment import Answered, Blocked, ConfigTest, Experiment, Fetch, Get, Nginx, Passes, Readable, Step

EXPERIMENT = Experiment(
    rule="swallowed-directive",
    project="swallowed-directive",
    claim="Without the semicolon nginx starts, takes the next line as more names of the server, and sends no header",
    parts=(Nginx("nginx/site.conf", listens=8080),),
    hosts={"api.example.com:80": 8080},
    steps=(
        Step("nginx accepts it", ConfigTest("nginx/site.conf"), bad=Passes(), good=Passes()),
        Step(
            "an answer",
            Get("http://api.example.com/", origin="http://app.example.com"),
            bad=Answered(status=200, absent=("access-control-allow-origin",)),
            good=Answered(status=200, acao="http://app.example.com"),
        ),
        Step(
            "the page reads it",
            Fetch("http://app.example.com", "http://api.example.com/"),
            bad=Blocked("No 'Access-Control-Allow-Origin' header is present"),
            good=Readable(200),
        ),
    ),
)
