"""A client that joins a namespace with a slip in its name."""

from __future__ import annotations

from tests.lab.experiment import ClientFile, Connected, Experiment, NotConnected, Process, Socket, Step

PAGE = "https://www.example.com"
LIVE = "https://live.example.com"

EXPERIMENT = Experiment(
    rule="socketio-unknown-namespace",
    project="socketio-unknown-namespace",
    claim="The server lets clients into the namespaces that it has alone: others get Invalid namespace",
    parts=(Process(("node", "index.js"), listens=4000, folder="server"),),
    hosts={"live.example.com:443": 4000},
    steps=(
        Step(
            "the page joins the namespace",
            ClientFile(PAGE, "client/rooms.js"),
            bad=NotConnected(event="Invalid namespace"),
            good=Connected(),
        ),
        Step(
            "a slash at the end makes another one",
            Socket(PAGE, f"{LIVE}/rooms/"),
            bad=NotConnected(event="Invalid namespace"),
            good=NotConnected(event="Invalid namespace"),
        ),
        Step(
            "the main namespace is always there",
            Socket(PAGE, f"{LIVE}/"),
            bad=Connected(),
            good=Connected(),
        ),
    ),
)
