"""`app.options('*', cors())` on Express 5: the route cannot be added, and all behind it are missing."""

from __future__ import annotations

from tests.lab.experiment import Answered, Experiment, Fetch, Get, Process, Readable, Step

PAGE = "https://www.example.com"
BOOK = "https://api.example.com/books/7"

EXPERIMENT = Experiment(
    rule="express5-wildcard-route",
    project="express5-wildcard-route",
    claim="Express 5 throws where a wildcard of a path has no name, so that nothing after it is set up",
    parts=(Process(("node", "server.js"), listens=8787),),
    hosts={"api.example.com:443": 8787},
    steps=(
        Step(
            "what the program says of its parts",
            Get("http://localhost:8787/health"),
            bad=Answered(status=200, body="Missing parameter name at index 1: *"),
            good=Answered(status=200, body='{"failures":[]}'),
        ),
        Step(
            "a page reads a book",
            Fetch(PAGE, BOOK),
            bad=Readable(404),
            good=Readable(200, body="Emma"),
        ),
        Step(
            "a page saves a book",
            Fetch(PAGE, BOOK, method="PUT"),
            bad=Readable(404),
            good=Readable(200),
        ),
    ),
)
