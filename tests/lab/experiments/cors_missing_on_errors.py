"""FastAPI: the handler of every exception answers in front of CORSMiddleware."""

from __future__ import annotations

from tests.lab.experiment import Answered, Blocked, Experiment, Fetch, Get, Process, Readable, Step

PAGE = "https://www.example.com"
API = "https://api.example.com"

EXPERIMENT = Experiment(
    rule="cors-missing-on-errors",
    project="cors-missing-on-errors",
    claim="what a handler of `Exception` answers never passes a CORSMiddleware that was added, and is blocked",
    parts=(Process(("uvicorn", "main:app", "--host", "127.0.0.1", "--port", "8787"), listens=8787),),
    hosts={"api.example.com:443": 8787},
    steps=(
        Step("an answer", Fetch(PAGE, f"{API}/ratio/1/2"), bad=Readable(200), good=Readable(200)),
        Step(
            "an error that nobody caught",
            Fetch(PAGE, f"{API}/ratio/1/0"),
            bad=Blocked("No 'Access-Control-Allow-Origin' header is present on the requested resource."),
            good=Readable(500, body="ZeroDivisionError: please try again"),
        ),
        Step(
            "its headers",
            Get(f"{API}/ratio/1/0", origin=PAGE),
            bad=Answered(status=500, absent=("access-control-allow-origin",), body="please try again"),
            good=Answered(status=500, acao=PAGE, body="please try again"),
        ),
        Step("an error that is handled", Fetch(PAGE, f"{API}/ratio/1/a"), bad=Readable(422), good=Readable(422)),
    ),
)
