"""express-session with SameSite=None and without Secure: the browser throws the cookie away."""

from __future__ import annotations

from tests.lab.experiment import Answered, ClientFile, Experiment, Get, Nginx, Process, Readable, Step

PAGE = "https://www.example.com"
API = "https://api.example.com"

EXPERIMENT = Experiment(
    rule="samesite-none-without-secure",
    project="samesite-none-without-secure",
    claim="a browser does not keep a cookie that is SameSite=None and not Secure",
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
            "the server is content",
            Get(f"{API}/login", origin=PAGE),
            bad=Answered(status=200, acao=PAGE, acac="true"),
            good=Answered(status=200, acao=PAGE, acac="true"),
        ),
    ),
    silent_in_browser="Chromium says so in its issues, not on the console",
)
