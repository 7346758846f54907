"""Pages behind helmet, whose own Content-Security-Policy keeps them from an API that would let them in."""

from __future__ import annotations

from tests.lab.experiment import Answered, Blocked, Experiment, Fetch, Get, Page, Process, Readable, Step

PAGE = "http://localhost:3000"
ROOMS = "http://localhost:4000/rooms"
DIRECTIVE = "violates the following Content Security Policy directive: \"default-src 'self'\""

EXPERIMENT = Experiment(
    rule="csp-blocks-connection",
    project="csp-blocks-connection",
    claim="the browser blocks the connection by the page's own policy, and the server never hears of it",
    parts=(
        Process(("node", "server.js"), listens=3000, folder="pages"),
        Process(("node", "index.js"), listens=4000, folder="api"),
    ),
    steps=(
        Step(
            "the page loads its rooms",
            Page(f"{PAGE}/rooms.html"),
            bad=Blocked(DIRECTIVE),
            good=Readable(200, body="kitchen"),
        ),
        Step("the server lets the page in", Fetch(PAGE, ROOMS), bad=Readable(200), good=Readable(200)),
        Step(
            "what helmet sends",
            Get(f"{PAGE}/rooms.html"),
            bad=Answered(
                status=200,
                headers={
                    "Content-Security-Policy": "default-src 'self';base-uri 'self';font-src 'self' https: data:;"
                    "form-action 'self';frame-ancestors 'self';img-src 'self' data:;object-src 'none';"
                    "script-src 'self';script-src-attr 'none';style-src 'self' https: 'unsafe-inline';"
                    "upgrade-insecure-requests"
                },
            ),
            good=Answered(status=200),
        ),
    ),
)
