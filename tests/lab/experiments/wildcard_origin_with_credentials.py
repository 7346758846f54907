"""@fastify/cors with a wildcard and credentials: the browser refuses the pair as soon as cookies are asked for."""

from __future__ import annotations

from tests.lab.experiment import Answered, Blocked, Experiment, Fetch, Get, Process, Readable, Step

OWN = "http://localhost:5173"
PROFILE = "http://localhost:3000/profile"
WILDCARD = (
    "The value of the 'Access-Control-Allow-Origin' header in the response must not be the wildcard '*' "
    "when the request's credentials mode is 'include'."
)

EXPERIMENT = Experiment(
    rule="wildcard-origin-with-credentials",
    project="wildcard-origin-with-credentials",
    claim=(
        "@fastify/cors sends Access-Control-Allow-Origin: * together with Access-Control-Allow-Credentials: true: "
        "the browser refuses that for requests with cookies, and lets those without pass"
    ),
    parts=(Process(("node", "server.js"), listens=3000),),
    steps=(
        Step(
            "the page reads the profile with cookies",
            Fetch(OWN, PROFILE, credentials=True),
            bad=Blocked(WILDCARD),
            good=Readable(200),
        ),
        Step(
            "the page changes the profile, which takes a preflight",
            Fetch(OWN, PROFILE, credentials=True, method="PUT"),
            bad=Blocked("Response to preflight request doesn't pass access control check: " + WILDCARD),
            good=Readable(200),
        ),
        Step("without cookies the fault is hidden", Fetch(OWN, PROFILE), bad=Readable(200), good=Readable(200)),
        Step(
            "the headers contradict each other",
            Get(PROFILE, origin=OWN),
            bad=Answered(status=200, acao="*", acac="true"),
            good=Answered(status=200, acao=OWN, acac="true", vary="Origin"),
            mended=Answered(status=200, acao=OWN, acac="true"),
        ),
    ),
)
