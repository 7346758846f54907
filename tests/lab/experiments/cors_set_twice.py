"""Two Access-Control-Allow-Origin headers on one response: Express, Flask, and Socket.IO mounted in FastAPI."""

from __future__ import annotations

from tests.lab.experiment import Answered, Blocked, Connected, Experiment, Fetch, Get, Process, Readable, Socket, Step

PAGE = "https://app.example.com"
MAPS = "http://localhost:4000/api/maps"
TIDES = "http://localhost:5000/api/tides"
SHIPS = "http://localhost:8000"
TWICE = f"header contains multiple values '{PAGE}, {PAGE}', but only one is allowed."

EXPERIMENT = Experiment(
    rule="cors-set-twice",
    project="cors-set-twice",
    claim=(
        "a header that is appended stands beside the one of the library, and Starlette's CORSMiddleware does not "
        "replace the one of a mounted Socket.IO: browsers refuse a response with two"
    ),
    parts=(
        Process(("node", "server.js"), listens=4000, folder="maps"),
        Process(("python", "app.py"), listens=5000, folder="tides"),
        Process(("uvicorn", "main:app", "--port", "8000"), listens=8000, folder="ships"),
    ),
    steps=(
        Step(
            "Express sends both",
            Get(MAPS, origin=PAGE),
            bad=Answered(status=200, acao=f"{PAGE}, {PAGE}"),
            good=Answered(status=200, acao=PAGE),
        ),
        Step("a page reads from Express", Fetch(PAGE, MAPS), bad=Blocked(TWICE), good=Readable(200, body="harbour")),
        Step("a page reads from Flask", Fetch(PAGE, TIDES), bad=Blocked(TWICE), good=Readable(200, body="Hull")),
        Step(
            "a page connects to Socket.IO",
            Socket(PAGE, SHIPS),
            bad=Blocked(TWICE),
            good=Connected("websocket"),
            mended=Blocked(TWICE),  # which of the two applications is mounted in the other is left to the owner
        ),
        Step(
            "the routes of FastAPI are read on either side",
            Fetch(PAGE, f"{SHIPS}/ships"),
            bad=Readable(200),
            good=Readable(200),
        ),
    ),
)
