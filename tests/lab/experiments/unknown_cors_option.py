"""Express 4 with cors: `origins`, which it does not read, in a configuration of its own."""

from tests.lab.experiment import Answered, Blocked, Experiment, Fetch, Preflight, Process, Readable, Step

APP = "https://app.example.com"
STRANGER = "https://attacker.test"
API = "http://localhost:4000"

EXPERIMENT = Experiment(
    rule="unknown-cors-option",
    project="unknown-cors-option",
    claim="Express cors ignores `origins` and answers `*`: blocked with cookies, open to every website without them",
    parts=(Process(("node", "server.js"), listens=4000),),
    steps=(
        Step(
            "a preflight from the front end",
            Preflight(f"{API}/invoices/7", APP),
            bad=Answered(status=204, acao="*", acac="true"),
            good=Answered(status=204, acao=APP, acac="true"),
        ),
        Step(
            "the front end reads with its cookies",
            Fetch(APP, f"{API}/invoices/7", credentials=True),
            bad=Blocked("must not be the wildcard '*' when the request's credentials mode is 'include'."),
            good=Readable(200),
        ),
        Step(
            "a stranger reads without cookies",
            Fetch(STRANGER, f"{API}/invoices/7"),
            bad=Readable(200),
            good=Blocked("No 'Access-Control-Allow-Origin' header is present on the requested resource."),
        ),
    ),
)
