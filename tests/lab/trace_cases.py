"""What is traced and then done in the browser: the steps of the experiments, and projects made for traces alone.

A project of `fixtures/traces` is started like an experiment's. Its steps say what a page does, and nothing of what
comes of it: that the browser says, and `corslint trace` has to foretell it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tests.lab.experiment import (
    SIDES,
    ClientFile,
    Experiment,
    Fetch,
    Nginx,
    Page,
    Part,
    Process,
    Readable,
    Side,
    Socket,
    Step,
    load,
)
from tests.lab.installation import ROOT
from tests.lab.run import PROJECTS

TRACES = ROOT / "fixtures" / "traces"

_BEFORE = "the answer depends on the requests before it"

BEYOND: Mapping[tuple[str, str], str] = {
    ("cached-cors-response", "the second page"): "a cache holds the answer to somebody else's request",
    ("missing-vary-origin", "the second page gets what the cache keeps for the first"): (
        "a cache holds the answer to somebody else's request"
    ),
    ("stateful-origin-regex", "third request, by the page"): _BEFORE,
    ("stateful-origin-regex", "fourth request, by the page"): _BEFORE,
    ("stateful-origin-regex", "fifth request, by the page"): _BEFORE,
    ("socketio-attached-twice", "a page that comes after it"): "the page before it has ended the program",
    ("cross-site-cookie-dropped", "the page that is let in signs in and connects"): (
        "the application's own code asks who signed in before"
    ),
}
"""Steps that no single request can be traced for: what came before decides."""

STATUSES: Mapping[tuple[str, str], int] = {
    ("cors-header-not-always", "the page asks for it"): 404,
    ("cors-missing-on-errors", "an error that nobody caught"): 500,
    ("cors-missing-on-errors", "an error that is handled"): 422,
}
"""Steps that are about what the application answers with, which the option `--status` says."""

Probe = Fetch | Socket | ClientFile | Page


@dataclass(frozen=True)
class Asked:
    """One step: what a page does."""

    name: str
    probe: Probe
    status: int | None = None


@dataclass(frozen=True)
class Case:
    """One side of an experiment's project, or a project of its own."""

    name: str
    experiment: Experiment
    side: Side
    folder: Path
    asked: tuple[Asked, ...]

    @property
    def environment(self) -> dict[str, str]:
        """The variables that its programs are started with."""
        found: dict[str, str] = {}
        for part in self.experiment.parts:
            if isinstance(part, Process):
                found |= dict(part.env)
        return found

    @property
    def has_nginx(self) -> bool:
        """Whether nginx takes part."""
        return any(isinstance(part, Nginx) for part in self.experiment.parts)

    @property
    def has_node(self) -> bool:
        """Whether a server of Node.js takes part."""
        return any(isinstance(part, Process) and part.command[0] == "node" for part in self.experiment.parts)

    @property
    def has_python(self) -> bool:
        """Whether a server in Python takes part."""
        return any(isinstance(part, Process) and part.command[0] != "node" for part in self.experiment.parts)


@dataclass(frozen=True)
class Project:
    """A project of `fixtures/traces`."""

    name: str
    parts: tuple[Part, ...]
    probes: tuple[Probe, ...]
    hosts: Mapping[str, int] = field(default_factory=dict)

    def case(self) -> Case:
        """It as a case."""
        steps = tuple(Step(f"step {number}", probe, bad=Readable()) for number, probe in enumerate(self.probes, 1))
        experiment = Experiment("", self.name, "", self.parts, steps, self.hosts)
        return Case(
            self.name,
            experiment,
            "bad",
            TRACES / self.name,
            tuple(Asked(step.name, probe) for step, probe in zip(steps, self.probes, strict=True)),
        )


def cases() -> list[Case]:
    """All of them, by name."""
    from tests.lab.trace_projects import PROJECTS as OWN

    found = [case for experiment in load() for side in SIDES if (case := _of(experiment, side)).asked]
    return sorted([*found, *(project.case() for project in OWN)], key=lambda case: case.name)


def _of(experiment: Experiment, side: Side) -> Case:
    asked = tuple(
        Asked(step.name, step.probe, STATUSES.get((experiment.project, step.name)))
        for step in experiment.steps
        if step.expectation(side) is not None
        and isinstance(step.probe, Fetch | Socket | ClientFile | Page)
        and (experiment.project, step.name) not in BEYOND
    )
    return Case(f"{experiment.project}/{side}", experiment, side, PROJECTS / experiment.project / side, asked)
