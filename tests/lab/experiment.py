"""What an experiment is: parts to start, steps to take, and what each step shows on either side of a project.

An experiment is a module of `tests/lab/experiments/` with one constant, `EXPERIMENT`. It proves one rule: the project's
`bad` fails as the rule claims and has the finding, its `good` works and lints clean. `run.py` carries it out.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

SIDES: tuple[Side, ...] = ("bad", "good")
Side = Literal["bad", "good"]


# The parts: what is started. Ports are those written in the project; the harness puts free ones in their place.


@dataclass(frozen=True)
class Process:
    """A program of the project: `node`, `python` or a console script of the lab's environment, and its arguments."""

    command: tuple[str, ...]
    listens: int | tuple[int, ...]
    folder: str = "."
    """Where it is started, seen from the project's side."""
    env: Mapping[str, str] = field(default_factory=dict)
    old: bool = False
    """Whether it runs in the environment of old majors (`.lab/venv-old`)."""


@dataclass(frozen=True)
class Nginx:
    """A configuration file of the project: a whole one, or what stands inside of somebody's `http` block."""

    config: str
    listens: int | tuple[int, ...]
    roots: Mapping[str, str] = field(default_factory=dict)
    """Folders of the configuration (`root`, `alias`) to those of the project's side that hold their files."""


Part = Process | Nginx


def written_ports(part: Part) -> tuple[int, ...]:
    """The ports that the project gives a part."""
    return part.listens if isinstance(part.listens, tuple) else (part.listens,)


# The probes of plain HTTP: one request, its answer as it comes, redirects not followed.


@dataclass(frozen=True)
class Get:
    """A request such as a browser sends it, or curl where there is no origin."""

    url: str
    origin: str | None = None
    cookie: str | None = None
    method: str = "GET"
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Preflight:
    """The question that a browser asks before a request that is not simple."""

    url: str
    origin: str
    method: str = "PUT"
    headers: str = "content-type"
    """The names of the request headers asked for; empty: none is asked for."""


@dataclass(frozen=True)
class Upgrade:
    """The handshake of a WebSocket, with the origin that a browser would send."""

    url: str
    origin: str | None
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Silence:
    """A new long polling session of Engine.IO 4 that waits for its next packet, which is the server's first ping."""

    url: str
    """Address of its requests, without a query."""
    origin: str


# The probes of the browser. An origin is that of a page which the harness serves; `null` is a sandboxed frame.


@dataclass(frozen=True)
class Fetch:
    """`fetch()` in a page of that origin."""

    origin: str
    url: str
    credentials: bool = False
    method: str = "GET"
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Socket:
    """A Socket.IO client of that major in an empty page of that origin."""

    origin: str
    url: str
    client: int = 4
    options: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True)
class ClientFile:
    """A client module of the project, in a page of that origin which the harness serves together with the project."""

    origin: str
    path: str
    client: int | None = None
    """Major of socket.io-client; None: that of the nearest package.json."""


@dataclass(frozen=True)
class Page:
    """A page of the project, served by one of its parts."""

    url: str


@dataclass(frozen=True)
class ConfigTest:
    """`nginx -t` on a configuration of the project, whole or a fragment. Nothing is started for it."""

    config: str


PlainProbe = Get | Preflight | Upgrade | Silence
BrowserProbe = Fetch | Socket | ClientFile | Page
Probe = PlainProbe | BrowserProbe | ConfigTest


# The expectations. What is not given is not compared.


@dataclass(frozen=True)
class Answered:
    """The answer of a plain request. Several header lines of one name count as one, joined with a comma."""

    status: int | None = None
    acao: str | None = None
    acac: str | None = None
    acam: str | None = None
    acah: str | None = None
    vary: str | None = None
    """Names which Vary has, among others."""
    headers: Mapping[str, str] = field(default_factory=dict)
    absent: tuple[str, ...] = ()
    """Names of headers that are not sent."""
    body: str | None = None
    """A text that the body contains."""


@dataclass(frozen=True)
class Refused:
    """The server itself says no, with this status."""

    status: int


@dataclass(frozen=True)
class Readable:
    """The page can read the answer."""

    status: int | None = None
    body: str | None = None


@dataclass(frozen=True)
class Blocked:
    """The browser keeps the answer from the page, and says this on its console."""

    console: str


@dataclass(frozen=True)
class Connected:
    """The socket connects and stays; `transport` is what it uses once an upgrade has settled."""

    transport: Literal["polling", "websocket"] | None = None


@dataclass(frozen=True)
class NotConnected:
    """The socket does not connect: `event` is part of its connect_error, `console` part of a line of the console."""

    event: str | None = None
    console: str | None = None


@dataclass(frozen=True)
class Passes:
    """nginx accepts the configuration."""


@dataclass(frozen=True)
class Fails:
    """nginx refuses the configuration, and `says` is part of its words."""

    says: str


Expectation = Answered | Refused | Readable | Blocked | Connected | NotConnected | Passes | Fails


@dataclass(frozen=True)
class Step:
    """One probe and what it shows on each side; a side without an expectation is passed over.

    `mended` is what it shows on the bad side after `check --fix --unsafe-fixes`, where that is not as on the good one:
    a fix changes as little as it can, and a good project may be better than that.
    """

    name: str
    probe: Probe
    bad: Expectation | None = None
    good: Expectation | None = None
    mended: Expectation | None = None

    def expectation(self, side: Side) -> Expectation | None:
        """What is expected on that side."""
        return self.bad if side == "bad" else self.good


@dataclass(frozen=True)
class Experiment:
    """The proof of one rule."""

    rule: str
    project: str
    """Folder under `fixtures/projects`."""
    claim: str
    parts: tuple[Part, ...]
    steps: tuple[Step, ...]
    hosts: Mapping[str, int] = field(default_factory=dict)
    """`host:port` to the written port of the part that is reached there, for browser, nginx and programs."""
    pedantic: bool = False
    """Whether the linter must be asked for notes to show the finding."""
    silent_in_browser: str | None = None
    """Why none of the rule's symptoms is to be seen in the broken side."""


def load() -> tuple[Experiment, ...]:
    """All experiments, by rule and project. A rule may have several.

    Raises:
        TypeError: a module has no EXPERIMENT.
        ValueError: two modules use the same project, or a step expects nothing.
    """
    from tests.lab import experiments

    found: dict[str, Experiment] = {}
    for module in pkgutil.iter_modules(experiments.__path__):
        experiment = getattr(importlib.import_module(f"{experiments.__name__}.{module.name}"), "EXPERIMENT", None)
        if not isinstance(experiment, Experiment):
            raise TypeError(f"tests/lab/experiments/{module.name}.py has no EXPERIMENT")
        if experiment.project in found:
            raise ValueError(f"two experiments use the project {experiment.project}")
        _check(experiment)
        found[experiment.project] = experiment
    return tuple(sorted(found.values(), key=lambda experiment: (experiment.rule, experiment.project)))


def _check(experiment: Experiment) -> None:
    for side in SIDES:
        if not any(step.expectation(side) for step in experiment.steps):
            raise ValueError(f"{experiment.rule}: no step expects anything of {side}")
    for step in experiment.steps:
        if not (step.bad or step.good):
            raise ValueError(f"{experiment.rule}: {step.name!r} expects nothing")
