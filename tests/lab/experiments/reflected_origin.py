"""Flask-CORS by default: the origin of any page is echoed, without credentials."""

from __future__ import annotations

from tests.lab.experiment import Answered, Blocked, Experiment, Fetch, Get, Process, Readable, Step

OWN = "http://localhost:5173"
ATTACKER = "https://attacker.test"
METERS = "https://meters.example.com/api/meters"

EXPERIMENT = Experiment(
    rule="reflected-origin",
    project="reflected-origin",
    claim="Flask-CORS echoes every origin when none is given: any page reads the answers, though not with cookies",
    pedantic=True,
    parts=(Process(("python", "app.py"), listens=5000),),
    hosts={"meters.example.com:443": 5000},
    steps=(
        Step(
            "the attacker's page reads the meters",
            Fetch(ATTACKER, METERS),
            bad=Readable(200, body="kitchen"),
            good=Blocked("No 'Access-Control-Allow-Origin' header is present on the requested resource."),
        ),
        Step(
            "the attacker's page asks with cookies",
            Fetch(ATTACKER, METERS, credentials=True),
            bad=Blocked(
                "The value of the 'Access-Control-Allow-Credentials' header in the response is '' which must be 'true' "
                "when the request's credentials mode is 'include'."
            ),
            good=Blocked("No 'Access-Control-Allow-Origin' header is present on the requested resource."),
        ),
        Step("the own page reads the meters", Fetch(OWN, METERS), bad=Readable(200), good=Readable(200)),
        Step(
            "the origin is copied from the request",
            Get("http://localhost:5000/api/meters", origin=ATTACKER),
            bad=Answered(status=200, acao=ATTACKER, vary="Origin", absent=("access-control-allow-credentials",)),
            good=Answered(status=200, absent=("access-control-allow-origin",)),
        ),
    ),
)
