"""What the broken sides of the experiments said: `fixtures/console.json`, for `corslint explain` to be tried on.

A run of the lab keeps it up to date for the experiments that it carried out. What differs from run to run (session
ids, stamps against caches, ports that the system chose) is written the same way each time, so that a run that hears the
same leaves the file as it is.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.lab.installation import ROOT
from tests.lab.observation import Observation

FILE = ROOT / "fixtures" / "console.json"

_LONGEST = 1000
"""Characters of one line that are kept: an event may quote a whole page."""
_CHANCES = (
    (re.compile(r"\b(t|sid)=[\w.-]+"), r"\1=AbCdEfG"),
    (re.compile(r"/tmp/corslint-lab-[^\s:\"']*?/nginx/"), "nginx/"),
)


@dataclass(frozen=True)
class Said:
    """What one step of a broken side showed a user: lines of the console, events of the client, words of nginx."""

    step: str
    lines: tuple[str, ...]


def said(step: str, seen: Observation) -> Said:
    """What a step showed, without what is chance. The bodies of answers that worked are no message."""
    events = [event for socket in seen.sockets for event in socket.events]
    refused = seen.body.splitlines() if seen.accepted is False else []
    lines = dict.fromkeys(_steady(line) for line in (*seen.console, *events, *refused) if line.strip())
    return Said(step, tuple(lines))


def _steady(line: str) -> str:
    for chance, text in _CHANCES:
        line = chance.sub(text, line)
    return line[:_LONGEST].strip()


@dataclass(frozen=True)
class Recording:
    """What the broken side of a project said, step by step, and the rule that names the true cause."""

    rule: str
    steps: tuple[Said, ...]


def load(path: Path = FILE) -> dict[str, Recording]:
    """The recordings by project."""
    if not path.exists():
        return {}
    found = json.loads(path.read_text(encoding="utf-8"))
    return {
        project: Recording(one["rule"], tuple(Said(step, tuple(lines)) for step, lines in one["steps"].items()))
        for project, one in found.items()
    }


def keep(heard: Mapping[str, Recording], path: Path = FILE) -> None:
    """Put recordings in the place of those of the same projects; projects that are gone go."""
    known = {**load(path), **heard}
    found = {name: known[name] for name in sorted(known) if (ROOT / "fixtures" / "projects" / name).is_dir()}
    path.write_text(_written(found), encoding="utf-8")


def _written(found: Mapping[str, Recording]) -> str:
    content = {
        project: {"rule": one.rule, "steps": {step.step: list(step.lines) for step in one.steps if step.lines}}
        for project, one in found.items()
    }
    return json.dumps(content, indent=1, ensure_ascii=False) + "\n"


def recording(rule: str, steps: Iterable[Said]) -> Recording:
    """A recording without the steps that said nothing."""
    return Recording(rule, tuple(step for step in steps if step.lines))
