"""Authentication in front of CORS: Express, Flask and FastAPI refuse preflights."""

from __future__ import annotations

from tests.lab.experiment import Answered, Blocked, Experiment, Fetch, Get, Preflight, Process, Readable, Step

DESK = "https://desk.example.com"
TICKETS = "http://localhost:4000/api/tickets"
STAFF = "http://localhost:5000/api/staff"
NOTES = "http://localhost:8000/notes"
TOKEN = {"authorization": "Bearer ada"}
MISSING = "Response to preflight request doesn't pass access control check: No 'Access-Control-Allow-Origin' header"

EXPERIMENT = Experiment(
    rule="auth-before-cors",
    project="auth-before-cors",
    claim=(
        "a preflight carries no credentials: where authentication sees it first, it is answered with 401, and the "
        "request with the right token is never sent"
    ),
    parts=(
        Process(("node", "server.js"), listens=4000, folder="tickets"),
        Process(("python", "app.py"), listens=5000, folder="staff"),
        Process(("uvicorn", "main:app", "--port", "8000"), listens=8000, folder="notes"),
    ),
    steps=(
        Step(
            "Express is asked for permission",
            Preflight(TICKETS, DESK, method="GET", headers="authorization"),
            bad=Answered(status=401, absent=("access-control-allow-origin",)),
            good=Answered(status=204, acao=DESK),
        ),
        Step(
            "a page with a token reads from Express",
            Fetch(DESK, TICKETS, headers=TOKEN),
            bad=Blocked(MISSING),
            good=Readable(200, body="flickers"),
        ),
        Step(
            "the token itself is right",
            Get(TICKETS, headers=TOKEN),
            bad=Answered(status=200),
            good=Answered(status=200),
        ),
        Step(
            "Flask is asked for permission",
            Preflight(STAFF, DESK, method="GET", headers="authorization"),
            bad=Answered(status=401, acao=DESK),
            good=Answered(status=200, acao=DESK),
            mended=Answered(status=401, acao=DESK),  # Flask needs a change of the function itself
        ),
        Step(
            "a page with a token reads from Flask",
            Fetch(DESK, STAFF, headers=TOKEN),
            bad=Blocked("It does not have HTTP ok status."),
            good=Readable(200, body="Ada"),
            mended=Blocked("It does not have HTTP ok status."),
        ),
        Step(
            "a page with a token reads from FastAPI",
            Fetch(DESK, NOTES, headers=TOKEN),
            bad=Blocked(MISSING),
            good=Readable(200, body="Monday"),
        ),
        Step(
            "who has none is still refused",
            Get(NOTES, origin=DESK),
            bad=Answered(status=401),
            good=Answered(status=401, acao=DESK),
        ),
    ),
)
