"""A page that saves with PUT: @fastify/cors 11 lists only GET, HEAD and POST unless it is told more."""

from __future__ import annotations

from tests.lab.experiment import Answered, Blocked, ClientFile, Experiment, Fetch, Preflight, Process, Readable, Step

PAGE = "https://www.example.com"
NOTE = "https://api.example.com/notes/1"
REFUSED = "Method {method} is not allowed by Access-Control-Allow-Methods in preflight response."

EXPERIMENT = Experiment(
    rule="method-not-allowed",
    project="method-not-allowed",
    claim="the answer to the preflight does not list PUT, so that the browser does not send it",
    parts=(Process(("node", "server.js"), listens=8787, folder="server"),),
    hosts={"api.example.com:443": 8787},
    steps=(
        Step(
            "the page saves its note",
            ClientFile(PAGE, "web/note.js", client=4),
            bad=Blocked(REFUSED.format(method="PUT")),
            good=Readable(200, body="milk, bread"),
        ),
        Step("the server is fine with reading", Fetch(PAGE, NOTE), bad=Readable(200), good=Readable(200)),
        Step(
            "a name in lower case is another method",
            Fetch(PAGE, NOTE, method="patch"),
            bad=Blocked(REFUSED.format(method="patch")),
            good=Blocked(REFUSED.format(method="patch")),
        ),
        Step(
            "what it answers to the question",
            Preflight(NOTE, PAGE),
            bad=Answered(status=204, acao=PAGE, acam="GET,HEAD,POST"),
            good=Answered(status=204, acao=PAGE, acam="GET, HEAD, POST, PUT"),
        ),
    ),
)
