"""Pages of Vite's port, and a server that still lets in the port of another tool."""

from __future__ import annotations

from tests.lab.experiment import (
    Blocked,
    ClientFile,
    Connected,
    Experiment,
    Fetch,
    NotConnected,
    Process,
    Readable,
    Step,
)

PAGE = "http://localhost:5173"
ROOMS = "http://localhost:4000/rooms"
OTHER = "The 'Access-Control-Allow-Origin' header has a value 'http://localhost:{port}' that is not equal to"

EXPERIMENT = Experiment(
    rule="origin-mismatch",
    project="origin-mismatch",
    claim="pages of another port are pages of another origin, and so are those of another name of the machine",
    parts=(Process(("node", "index.js"), listens=4000, folder="server"),),
    steps=(
        Step(
            "the page that Vite serves loads its rooms",
            ClientFile(PAGE, "web/rooms.js", client=4),
            bad=Blocked(OTHER.format(port=3000)),
            good=Readable(200, body="kitchen"),
        ),
        Step(
            "its socket polls",
            ClientFile(PAGE, "web/chat.js"),
            bad=NotConnected(console="No 'Access-Control-Allow-Origin' header is present on the requested resource."),
            good=Connected(),
        ),
        Step(
            "the port that is let in",
            Fetch("http://localhost:3000", ROOMS),
            bad=Readable(200),
            good=Blocked(OTHER.format(port=5173)),
        ),
        Step(
            "the same machine by its number",
            Fetch("http://127.0.0.1:5173", ROOMS),
            bad=Blocked(OTHER.format(port=3000)),
            good=Blocked(OTHER.format(port=5173)),
        ),
    ),
)
