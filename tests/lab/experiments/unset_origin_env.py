"""@koa/cors lets everybody in where the variable is not set, hono/cors answers every request with an error."""

from tests.lab.experiment import Answered, Blocked, Experiment, Fetch, Get, Process, Readable, Step

STRANGER = "https://attacker.test"
FRONT_END = "http://localhost:5173"
ACCOUNT = "http://localhost:4000/"
SEARCH = "http://localhost:5000/search?q=lamp"

EXPERIMENT = Experiment(
    rule="unset-origin-env",
    project="unset-origin-env",
    claim="where the variable is missing, @koa/cors allows every origin with credentials, and hono/cors fails (500)",
    parts=(
        Process(("node", "index.js"), listens=4000, folder="account"),
        Process(("node", "index.js"), listens=5000, folder="search"),
    ),
    steps=(
        Step(
            "@koa/cors sends a stranger's origin back",
            Get(ACCOUNT, origin=STRANGER),
            bad=Answered(status=200, acao=STRANGER, acac="true"),
            good=Answered(status=200, acao=FRONT_END, acac="true"),
        ),
        Step(
            "a stranger reads with the user's cookies",
            Fetch(STRANGER, ACCOUNT, credentials=True),
            bad=Readable(200),
            good=Blocked(f"has a value '{FRONT_END}' that is not equal to the supplied origin."),
        ),
        Step(
            "hono/cors fails where no page asks, too",
            Get(SEARCH),
            bad=Answered(status=500, absent=("access-control-allow-origin",)),
            good=Answered(status=200),
        ),
        Step(
            "the development front end searches",
            Fetch(FRONT_END, SEARCH),
            bad=Blocked("No 'Access-Control-Allow-Origin' header is present on the requested resource."),
            good=Readable(200),
        ),
    ),
)
