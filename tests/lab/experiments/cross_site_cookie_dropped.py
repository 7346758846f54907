"""A page of 127.0.0.1 and a server of localhost: two sites, between which a cookie that is `Lax` does not go."""

from __future__ import annotations

from tests.lab.experiment import ClientFile, Connected, Experiment, NotConnected, Process, Step

EXPERIMENT = Experiment(
    rule="cross-site-cookie-dropped",
    project="cross-site-cookie-dropped",
    claim="between two sites the browser neither keeps nor sends a cookie that is `Lax`, so that nobody is signed in",
    parts=(Process(("node", "index.js"), listens=4000, folder="server"),),
    steps=(
        Step(
            "the page that is let in signs in and connects",
            ClientFile("http://127.0.0.1:5173", "web/chat.js"),
            bad=NotConnected(event="please sign in"),
        ),
        Step(
            "the page of the same site signs in and connects",
            ClientFile("http://localhost:5173", "web/chat.js"),
            good=Connected(),
        ),
    ),
)
