"""A page that deletes: FastAPI's CORSMiddleware allows only GET unless it is told more, and refuses the preflight."""

from __future__ import annotations

from tests.lab.experiment import Answered, Blocked, ClientFile, Experiment, Fetch, Preflight, Process, Readable, Step

PAGE = "http://127.0.0.1:5173"
NOTE = "http://localhost:8000/notes/1"
REFUSED = "Response to preflight request doesn't pass access control check: It does not have HTTP ok status."

EXPERIMENT = Experiment(
    rule="method-not-allowed",
    project="method-not-allowed-python",
    claim="the middleware refuses the preflight for a method that it does not list, with status 400",
    parts=(Process(("python", "main.py"), listens=8000, folder="server"),),
    steps=(
        Step(
            "the page removes its note",
            ClientFile(PAGE, "web/note.js", client=4),
            bad=Blocked(
                "Response to preflight request doesn't pass access control check: It does not have HTTP ok status."
            ),
            good=Readable(200, body="removed"),
        ),
        Step("the server is fine with reading", Fetch(PAGE, NOTE), bad=Readable(200), good=Readable(200)),
        Step(
            "what it answers to the question",
            Preflight(NOTE, PAGE, method="DELETE", headers=""),
            bad=Answered(status=400, acao=PAGE, acam="GET", body="Disallowed CORS method"),
            good=Answered(status=200, acao=PAGE, acam="GET, DELETE"),
        ),
    ),
)
