"""A Secure session cookie of a server that speaks plain HTTP behind nginx, and does not believe it."""

from __future__ import annotations

from tests.lab.experiment import Answered, ClientFile, Experiment, Get, Nginx, Process, Readable, Step

PAGE = "https://www.example.com"
API = "https://api.example.com"

EXPERIMENT = Experiment(
    rule="secure-cookie-behind-proxy",
    project="secure-cookie-behind-proxy",
    claim="express-session leaves the cookie out unless the proxy says https and the application believes it",
    parts=(
        Process(("node", "server.js"), listens=8787, folder="server"),
        Nginx("nginx/site.conf", listens=8080),
    ),
    hosts={"api.example.com:443": 8080},
    steps=(
        Step(
            "the page signs in and asks who it is",
            ClientFile(PAGE, "web/main.js", client=4),
            bad=Readable(200, body='{"user":"nobody"}'),
            good=Readable(200, body='{"user":"Ada"}'),
        ),
        Step(
            "nginx says that it was https",
            Get(f"{API}/login", origin=PAGE),
            bad=Answered(status=200, absent=("Set-Cookie",)),
            good=Answered(status=200),
        ),
        Step(
            "nobody says that it was https",
            Get("http://localhost:8787/login", origin=PAGE),
            bad=Answered(status=200, absent=("Set-Cookie",)),
            good=Answered(status=200, absent=("Set-Cookie",)),
        ),
    ),
    silent_in_browser="there is no cookie, and nothing to say about it",
)
