"""nginx redirects what browsers do not follow: the answer to a preflight, and a WebSocket's handshake."""

from __future__ import annotations

from tests.lab.experiment import (
    Answered,
    Blocked,
    ClientFile,
    Connected,
    Experiment,
    Fetch,
    Nginx,
    NotConnected,
    Preflight,
    Process,
    Readable,
    Refused,
    Step,
    Upgrade,
)

PAGE = "http://app.example.com"
NOTES = "http://api.example.com/notes"
LIVE = "live.example.com/socket.io/?EIO=4&transport=websocket"

EXPERIMENT = Experiment(
    rule="preflight-redirect",
    project="preflight-redirect",
    claim="nginx answers the preflight and the handshake with 301, and the browser gives up instead of following",
    parts=(Process(("node", "server.js"), listens=3000), Nginx("nginx/garden.conf", listens=(80, 8443))),
    hosts={"api.example.com:80": 80, "live.example.com:80": 80, "live.example.com:443": 8443},
    steps=(
        Step(
            "the preflight, without a slash",
            Preflight(NOTES, PAGE),
            bad=Answered(status=301, absent=("access-control-allow-origin",)),
        ),
        Step("the preflight, with the slash", Preflight(f"{NOTES}/", PAGE), good=Answered(status=204, acao=PAGE)),
        Step(
            "a simple request is not let through the redirect either",
            Fetch(PAGE, NOTES),
            bad=Blocked("No 'Access-Control-Allow-Origin' header is present on the requested resource."),
        ),
        Step(
            "the page saves a note",
            Fetch(PAGE, NOTES, method="PUT"),
            bad=Blocked("Redirect is not allowed for a preflight request."),
        ),
        Step(
            "the page saves a note, with the slash",
            Fetch(PAGE, f"{NOTES}/", method="PUT"),
            good=Readable(200, body="beans"),
        ),
        Step("the handshake, without TLS", Upgrade(f"http://{LIVE}", PAGE), bad=Refused(301)),
        Step("the handshake, with TLS", Upgrade(f"https://{LIVE}", PAGE), good=Answered(status=101)),
        Step(
            "the socket",
            ClientFile(PAGE, "web/client.js"),
            bad=NotConnected(
                "websocket error", console="Error during WebSocket handshake: Unexpected response code: 301"
            ),
            good=Connected("websocket"),
        ),
    ),
)
