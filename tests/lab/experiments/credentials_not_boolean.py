"""Express cors with a text, Flask with Python's `True` and nginx with `True`: credentials are not allowed."""

from __future__ import annotations

from tests.lab.experiment import Answered, Blocked, Experiment, Fetch, Get, Nginx, Process, Readable, Step

PAGE = "https://www.example.com"
ACCOUNT = "https://api.example.com/account"
REPORTS = "https://reports.example.com/reports"
TERMS = "https://files.example.com/terms.txt"


def refused(value: str) -> Blocked:
    """What Chromium says of another value than `true`."""
    return Blocked(
        f"The value of the 'Access-Control-Allow-Credentials' header in the response is '{value}' "
        "which must be 'true' when the request's credentials mode is 'include'."
    )


EXPERIMENT = Experiment(
    rule="credentials-not-boolean",
    project="credentials-not-boolean",
    claim="npm cors passes over the text 'true', and Python's True and nginx's True are sent as they are: none counts",
    parts=(
        Process(("node", "server.js"), listens=8787, folder="api"),
        Process(("python", "app.py"), listens=5000, folder="reports"),
        Nginx("nginx/files.conf", listens=8080, roots={"/srv/files": "files"}),
    ),
    hosts={"api.example.com:443": 8787, "reports.example.com:443": 5000, "files.example.com:443": 8080},
    steps=(
        Step(
            "Express cors sends no header for a text",
            Get(ACCOUNT, origin=PAGE),
            bad=Answered(acao=PAGE, absent=("access-control-allow-credentials",)),
            good=Answered(acao=PAGE, acac="true"),
        ),
        Step("the account", Fetch(PAGE, ACCOUNT, credentials=True), bad=refused(""), good=Readable(200)),
        Step("without cookies", Fetch(PAGE, ACCOUNT), bad=Readable(200), good=Readable(200)),
        Step("the reports", Fetch(PAGE, REPORTS, credentials=True), bad=refused("True"), good=Readable(200)),
        Step("the terms", Fetch(PAGE, TERMS, credentials=True), bad=refused("True"), good=Readable(200)),
    ),
)
