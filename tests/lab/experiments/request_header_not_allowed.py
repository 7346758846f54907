"""Pages that send a token, and a socket with a further header: the server's lists know neither."""

from __future__ import annotations

from tests.lab.experiment import (
    Answered,
    Blocked,
    ClientFile,
    Connected,
    Experiment,
    Fetch,
    NotConnected,
    Preflight,
    Process,
    Readable,
    Step,
)

PAGE = "http://localhost:5173"
ROOMS = "http://localhost:4000/rooms"
REFUSED = "Request header field {name} is not allowed by Access-Control-Allow-Headers in preflight response."

EXPERIMENT = Experiment(
    rule="request-header-not-allowed",
    project="request-header-not-allowed",
    claim="the answer to the preflight does not list the header, so that the browser does not send the request",
    parts=(Process(("node", "index.js"), listens=4000, folder="server"),),
    steps=(
        Step(
            "the page loads its rooms",
            ClientFile(PAGE, "web/rooms.js", client=4),
            bad=Blocked(REFUSED.format(name="authorization")),
            good=Readable(200, body="kitchen"),
        ),
        Step(
            "the socket polls",
            ClientFile(PAGE, "web/chat.js"),
            bad=NotConnected(event="xhr poll error", console=REFUSED.format(name="x-room")),
            good=Connected(),
        ),
        Step(
            "the server is fine with a request that needs no leave",
            Fetch(PAGE, ROOMS, headers={"Accept": "application/json"}),
            bad=Readable(200),
            good=Readable(200),
        ),
        Step(
            "names count in any case",
            Preflight(ROOMS, PAGE, method="GET", headers="authorization"),
            bad=Answered(status=204, acao=PAGE, acah="Content-Type"),
            good=Answered(status=204, acao=PAGE, acah="Content-Type,Authorization,X-Room"),
            mended=Answered(status=204, acao=PAGE, acah="Content-Type,Authorization"),
        ),
    ),
)
