"""Django with django-cors-headers, and FastAPI: the origin of any page is echoed, with credentials."""

from __future__ import annotations

from tests.lab.experiment import Answered, Blocked, Experiment, Fetch, Get, Process, Readable, Refused, Step, Upgrade

OWN = "https://www.example.com"
ATTACKER = "https://attacker.test"
BASKET = "https://shop.example.com/api/basket/"
REPORT = "https://reports.example.com/reports/monthly"
COOKIE = "account=ada"
MISSING = "No 'Access-Control-Allow-Origin' header is present on the requested resource."

EXPERIMENT = Experiment(
    rule="reflected-origin-with-credentials",
    project="reflected-origin-with-credentials",
    claim=(
        "django-cors-headers and Starlette echo every origin together with Access-Control-Allow-Credentials: true: "
        "the page of an attacker reads answers that were given to the visitor's cookies"
    ),
    parts=(
        Process(("daphne", "--port", "8000", "shop.asgi:application"), listens=8000, folder="shop"),
        Process(("uvicorn", "main:app", "--port", "8001"), listens=8001, folder="reports"),
    ),
    hosts={"shop.example.com:443": 8000, "reports.example.com:443": 8001},
    steps=(
        Step(
            "the attacker's page reads the basket",
            Fetch(ATTACKER, BASKET, credentials=True),
            bad=Readable(200, body="items"),
            good=Blocked(MISSING),
            mended=Readable(200),  # Django lists origins in another setting: that is left to its owner
        ),
        Step(
            "the attacker's page reads the report",
            Fetch(ATTACKER, REPORT, credentials=True),
            bad=Readable(200, body="turnover"),
            good=Blocked(MISSING),
        ),
        Step(
            "the shop's own page reads the basket",
            Fetch(OWN, BASKET, credentials=True),
            bad=Readable(200),
            good=Readable(200),
        ),
        Step(
            "the shop's own page reads the report",
            Fetch(OWN, REPORT, credentials=True),
            bad=Readable(200),
            good=Readable(200),
        ),
        Step(
            "the answer to a request with the visitor's cookie is opened to the attacker",
            Get("http://localhost:8001/reports/monthly", origin=ATTACKER, cookie=COOKIE),
            bad=Answered(status=200, acao=ATTACKER, acac="true", body='"account":"ada"'),
            good=Answered(status=200, absent=("access-control-allow-origin",)),
        ),
        Step(
            "the WebSocket of the same project has a check of its own",
            Upgrade("ws://localhost:8000/ws/stock/", ATTACKER),
            bad=Refused(403),
            good=Refused(403),
        ),
        Step(
            "the WebSocket accepts the shop's own page",
            Upgrade("ws://localhost:8000/ws/stock/", OWN),
            bad=Answered(status=101),
            good=Answered(status=101),
        ),
    ),
)
