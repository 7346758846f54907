"""Express 5 with cors, and nginx: several origins in one text, and a text that is cut and not trimmed."""

from tests.lab.experiment import (
    Answered,
    Blocked,
    Experiment,
    Fetch,
    Get,
    Nginx,
    Preflight,
    Process,
    Readable,
    Step,
)

SHOP = "https://shop.example.com"
ADMIN = "https://admin.example.com"
FINANCE = "https://finance.example.com"
API = "http://localhost:8080"

EXPERIMENT = Experiment(
    rule="origin-list-in-string",
    project="origin-list-in-string",
    claim="several origins in one text are sent as one, which browsers refuse; cut but not trimmed, the second fails",
    parts=(Process(("node", "server.js"), listens=3000), Nginx("nginx/catalogue.conf", listens=8080)),
    steps=(
        Step(
            "Express cors answers a preflight with the whole text",
            Preflight(f"{API}/products/1", SHOP),
            bad=Answered(status=204, acao=f"{SHOP}, {ADMIN}"),
            good=Answered(status=204, acao=SHOP),
        ),
        Step(
            "the first origin of the text",
            Fetch(SHOP, f"{API}/products", credentials=True),
            bad=Blocked(f"contains multiple values '{SHOP}, {ADMIN}', but only one is allowed."),
            good=Readable(200),
        ),
        Step(
            "the second origin of the text",
            Fetch(ADMIN, f"{API}/products/1", method="PUT", headers={"content-type": "application/json"}),
            bad=Blocked(f"contains multiple values '{SHOP}, {ADMIN}', but only one is allowed."),
            good=Readable(200),
        ),
        Step(
            "the header of nginx",
            Fetch(ADMIN, f"{API}/features.json"),
            bad=Blocked(f"contains multiple values '{SHOP} {ADMIN}', but only one is allowed."),
            good=Readable(200),
            # Here nginx needs a `map`, which is left to the owner.
            mended=Blocked(f"contains multiple values '{SHOP} {ADMIN}', but only one is allowed."),
        ),
        Step(
            "cut and not trimmed: the first part",
            Get(f"{API}/reports/may", origin=ADMIN),
            bad=Answered(status=200, acao=ADMIN),
            good=Answered(status=200, acao=ADMIN),
        ),
        Step(
            "cut and not trimmed: the second part",
            Fetch(FINANCE, f"{API}/reports/may", credentials=True),
            bad=Blocked("No 'Access-Control-Allow-Origin' header is present on the requested resource."),
            good=Readable(200),
        ),
    ),
)
