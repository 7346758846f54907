"""JSON Lines: one finding a line, each the object that `json` has in its `findings`."""

from __future__ import annotations

from collections.abc import Iterator

from corslint.report import PLAIN, Reported, Run
from corslint.report._json import dumps
from corslint.report.json import objects


def render(report: Reported, run: Run = PLAIN) -> Iterator[str]:
    """One line per finding; nothing where there is none."""
    for one in objects(report, run):
        yield dumps(one, indent=False) + "\n"
