"""NestJS: `enableCors` (npm cors) with a slash at the end, and a gateway (Socket.IO 4) with a path."""

from tests.lab.experiment import (
    Answered,
    Blocked,
    ClientFile,
    Connected,
    Experiment,
    Fetch,
    Get,
    Process,
    Readable,
    Step,
)

SHOP = "https://shop.example.com"
API = "https://api.example.com"

EXPERIMENT = Experiment(
    rule="malformed-origin",
    project="malformed-origin",
    claim="a browser's origin has no path and no slash at the end: allowed in that form, the shop is blocked in NestJS",
    parts=(Process(("node", "--import", "tsx", "src/main.ts"), listens=3000),),
    hosts={"api.example.com:443": 3000},
    steps=(
        Step(
            "enableCors sends the text as it is",
            Get("http://localhost:3000/orders/7", origin=SHOP),
            bad=Answered(status=200, acao=f"{SHOP}/", acac="true"),
            good=Answered(status=200, acao=SHOP, acac="true"),
        ),
        Step(
            "the shop reads an order",
            Fetch(SHOP, f"{API}/orders/7", credentials=True),
            bad=Blocked(f"has a value '{SHOP}/' that is not equal to the supplied origin."),
            good=Readable(200),
        ),
        Step(
            "the shop changes an order, after a preflight",
            Fetch(SHOP, f"{API}/orders/7", method="PUT", headers={"content-type": "application/json"}),
            bad=Blocked("Response to preflight request doesn't pass access control check"),
            good=Readable(200),
        ),
        Step(
            "the shop connects to the gateway",
            ClientFile(SHOP, "web/orders.js"),
            bad=Blocked("No 'Access-Control-Allow-Origin' header is present on the requested resource."),
            good=Connected("websocket"),
        ),
    ),
)
