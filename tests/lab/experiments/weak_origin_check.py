"""hono/cors with a test of how the origin ends: the origin that the finding names reads the answers."""

from __future__ import annotations

import re
from pathlib import Path

from tests.lab.experiment import Answered, Blocked, Experiment, Fetch, Get, Process, Readable, Step

EXPECTED = Path(__file__).resolve().parents[3] / "fixtures" / "projects" / "weak-origin-check" / "expected.txt"


def witness() -> str:
    """The origin of which the finding says that it passes.

    ValueError if it names none.
    """
    named = re.search(r"also lets `([^`]+)` in", EXPECTED.read_text(encoding="utf-8"))
    if named is None:
        raise ValueError(f"no origin is named in {EXPECTED.name}")
    return named[1]


OWN = "https://www.example.com"
ATTACKER = witness()
NOTE = "https://api.example.com/notes/7"
MISSING = "No 'Access-Control-Allow-Origin' header is present on the requested resource."

EXPERIMENT = Experiment(
    rule="weak-origin-check",
    project="weak-origin-check",
    claim=(
        "a check of how the origin ends accepts the host name of a stranger too: "
        "the very origin that the finding names reads the answers, with credentials"
    ),
    parts=(Process(("node", "server.js"), listens=8787),),
    hosts={"api.example.com:443": 8787},
    steps=(
        Step(
            "the page at the origin that the finding names reads the note",
            Fetch(ATTACKER, NOTE, credentials=True),
            bad=Readable(200, body='"id":"7"'),
            good=Blocked(MISSING),
        ),
        Step("the own page reads the note", Fetch(OWN, NOTE, credentials=True), bad=Readable(200), good=Readable(200)),
        Step(
            "an origin with another end is refused on both sides",
            Fetch("https://attacker.test", NOTE, credentials=True),
            bad=Blocked(MISSING),
            good=Blocked(MISSING),
        ),
        Step(
            "the answer to a request with the visitor's cookie is opened to the attacker",
            Get("http://localhost:8787/notes/7", origin=ATTACKER, cookie="session=ada"),
            bad=Answered(status=200, acao=ATTACKER, acac="true", body='"owner":"ada"'),
            good=Answered(status=200, absent=("access-control-allow-origin",)),
        ),
    ),
)
