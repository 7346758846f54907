"""Four workers of uvicorn at one port: which of them accepts a connection is chance."""

from __future__ import annotations

from tests.lab.experiment import Answered, Experiment, Get, Process, Step

EXPERIMENT = Experiment(
    rule="no-sticky-sessions",
    project="no-sticky-sessions-uvicorn",
    claim="The second request of a polling session may reach another worker, which answers 400: Invalid session",
    parts=(
        Process(("python", "main.py"), listens=8000),
        Process(("python", "sessions.py"), listens=9200),
    ),
    steps=(
        Step(
            "eighty sessions, eight at a time",
            Get("http://localhost:9200/"),
            bad=Answered(status=200, body="some were lost"),
            good=Answered(status=200, body="all lived"),
        ),
    ),
)
