"""Vite with `cors: true` and `allowedHosts: true`: any website reads the sources of the machine it is opened on."""

from __future__ import annotations

from tests.lab.experiment import Answered, Blocked, Experiment, Fetch, Get, Process, Readable, Refused, Step

STRANGER = "https://attacker.test"
SOURCE = "http://localhost:5173/src/main.js"
DRAFT = "what is not published yet"

EXPERIMENT = Experiment(
    rule="open-dev-server",
    project="open-dev-server",
    claim="a website that the developer opens reads the sources off the development server, or points a name at it",
    parts=(Process(("node", "node_modules/vite/bin/vite.js"), listens=5173),),
    hosts={"rebound.attacker.test:80": 5173},
    steps=(
        Step(
            "a stranger's page reads a source file",
            Fetch(STRANGER, SOURCE),
            bad=Readable(200, body=DRAFT),
            good=Blocked("No 'Access-Control-Allow-Origin' header is present on the requested resource."),
        ),
        Step(
            "a page of the same machine reads it",
            Fetch("http://localhost:3000", SOURCE),
            bad=Readable(200, body=DRAFT),
            good=Readable(200, body=DRAFT),
        ),
        Step(
            "under a name of the stranger's",
            Get("http://rebound.attacker.test/src/main.js"),
            bad=Answered(status=200, body=DRAFT),
            good=Refused(403),
        ),
    ),
)
