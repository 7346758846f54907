"""CORS middleware behind what answers: Express' routes, Django's redirect, FastAPI's outermost middleware."""

from __future__ import annotations

from tests.lab.experiment import Answered, Blocked, Experiment, Fetch, Get, Preflight, Process, Readable, Step

PAGE = "https://www.example.com"
ORDERS = "http://localhost:4000/api/orders"
PRICES = "http://localhost:8000/api/prices"
FILES = "http://localhost:8001/files/plan"
MISSING = "No 'Access-Control-Allow-Origin' header is present on the requested resource."

EXPERIMENT = Experiment(
    rule="cors-after-routes",
    project="cors-after-routes",
    claim=(
        "what answers before the CORS middleware sends no CORS headers: routes of Express, the redirect to the path "
        "with a slash of Django's CommonMiddleware, and what is added later in FastAPI"
    ),
    parts=(
        Process(("node", "server.js"), listens=4000, folder="orders"),
        Process(("daphne", "--port", "8000", "shop.asgi:application"), listens=8000, folder="shop"),
        Process(("uvicorn", "main:app", "--port", "8001"), listens=8001, folder="files"),
    ),
    steps=(
        Step(
            "a page reads from Express",
            Fetch(PAGE, ORDERS),
            bad=Blocked(MISSING),
            good=Readable(200, body="packed"),
        ),
        Step(
            "preflights are answered on either side",
            Preflight(f"{ORDERS}/1", PAGE),
            bad=Answered(status=204, acao=PAGE),
            good=Answered(status=204, acao=PAGE),
        ),
        Step(
            "what comes after the preflight is not",
            Get(f"{ORDERS}/1", origin=PAGE, method="PUT", headers={"content-type": "application/json"}),
            bad=Answered(absent=("access-control-allow-origin",)),
            good=Answered(acao=PAGE),
        ),
        Step(
            "Django redirects to the path with a slash",
            Get(PRICES, origin=PAGE),
            bad=Answered(status=301, absent=("access-control-allow-origin",)),
            good=Answered(status=301, acao=PAGE),
        ),
        Step(
            "a page follows that redirect",
            Fetch(PAGE, PRICES),
            bad=Blocked(MISSING),
            good=Readable(200, body="lamp"),
        ),
        Step(
            "FastAPI redirects the preflight, too",
            Preflight(FILES, PAGE),
            bad=Answered(status=307, absent=("access-control-allow-origin",)),
            good=Answered(status=200, acao=PAGE),
        ),
        Step(
            "a page stores a file",
            Fetch(PAGE, FILES, method="PUT"),
            bad=Blocked("Redirect is not allowed for a preflight request."),
        ),
    ),
)
