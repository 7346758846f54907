"""Carries out an experiment: both sides of its project are started, probed and linted, and a verdict is given."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from tests.lab import nginx, probes
from tests.lab.addresses import Addresses, Gateway
from tests.lab.chromium import Chromium
from tests.lab.experiment import (
    SIDES,
    ClientFile,
    ConfigTest,
    Expectation,
    Experiment,
    Fetch,
    Get,
    Nginx,
    Page,
    Preflight,
    Probe,
    Process,
    Side,
    Silence,
    Socket,
    Step,
    Upgrade,
    written_ports,
)
from tests.lab.installation import ROOT, Tools
from tests.lab.observation import Observation, difference
from tests.lab.packages import check_requirements, link_node_modules
from tests.lab.pages import Site, Tab
from tests.lab.processes import LabError, Ports, Program, check_interrupted, environment
from tests.lab.recordings import Said, said

PROJECTS = ROOT / "fixtures" / "projects"
RULES = ROOT / "rules"
EXPECTED = "expected.txt"
_PLACE = re.compile(r"(?P<place>.+?:\d+:\d+): \w+: .*\[(?P<rule>[\w-]+)\]")


@dataclass(frozen=True)
class Verdict:
    """What came of an experiment."""

    experiment: Experiment
    observed: str
    """What the bad side showed and what the good one, in short."""
    problems: tuple[str, ...]
    """What was not as claimed; each names side and step, what was expected and what was observed."""
    versions: Mapping[str, str] = field(default_factory=dict)
    """Of the libraries that took part, such as `{"npm:cors": "2.8.6"}`."""
    seconds: float = 0.0
    said: tuple[Said, ...] = ()
    """What the bad side showed a user, step by step."""

    @property
    def proven(self) -> bool:
        """Whether everything was as claimed."""
        return not self.problems


def needs(experiment: Experiment) -> tuple[str, ...]:
    """The names of the tools (fields of `Tools`) that an experiment takes."""
    found: set[str] = set()
    for part in experiment.parts:
        if isinstance(part, Nginx):
            found.add("nginx")
        elif part.command[0] == "node":
            found |= {"node", "node_modules"}
        else:
            found.add("venv_old" if part.old else "venv")
    for step in experiment.steps:
        if isinstance(step.probe, ConfigTest):
            found.add("nginx")
        elif isinstance(step.probe, Fetch | Socket | ClientFile | Page):
            found |= {"chromium", "node_modules"}
    return tuple(sorted(found))


def run(experiment: Experiment, tools: Tools, browser: Callable[[], Chromium]) -> Verdict:
    """Carry out an experiment. `browser` starts the browser, or gives the one that runs; it is asked only if needed."""
    begun = time.monotonic()
    problems: list[str] = []
    observed: list[str] = []
    versions: dict[str, str] = {}
    seen: dict[Side, list[Observation]] = {side: [] for side in SIDES}
    heard: list[Said] = []
    for side in SIDES:
        try:
            with Running(experiment, side, tools, browser) as running:
                for name, expected, observation in running.observations():
                    seen[side].append(observation)
                    if side == "bad":
                        heard.append(said(name, observation))
                    if wrong := difference(expected, observation):
                        problems.append(f"{side}: {name}: {wrong}")
                versions |= running.versions
        except LabError as error:
            problems.append(f"{side}: {error}")
        except Exception as error:  # whatever goes wrong in one experiment, the others have their table
            problems.append(f"{side}: {type(error).__name__}: {str(error).strip() or 'no message'}")
        observed.append(f"{side}: {_short(experiment, side, seen[side])}")
        problems += [f"{side}: {problem}" for problem in lint_problems(experiment, side)]
    if not any(problem.startswith("bad:") for problem in problems):
        problems += symptom_problems(experiment, seen["bad"])
    seconds = time.monotonic() - begun
    return Verdict(experiment, "; ".join(observed), tuple(problems), versions, seconds, tuple(heard))


def _short(experiment: Experiment, side: Side, seen: list[Observation]) -> str:
    """What was seen in the steps that tell the sides apart, or else in all."""
    steps = [step for step in experiment.steps if step.expectation(side) is not None]
    telling = [observation for step, observation in zip(steps, seen, strict=False) if step.bad != step.good]
    return " / ".join(dict.fromkeys(observation.summary for observation in telling or seen)) or "nothing"


class Running:
    """One side of a project, started. A context manager: everything that it started ends with it."""

    def __init__(
        self,
        experiment: Experiment,
        side: Side,
        tools: Tools,
        browser: Callable[[], Chromium],
        folder: Path | None = None,
    ) -> None:
        """`folder`: where the project lies, if that is not a side of one under `fixtures/projects`."""
        self.experiment = experiment
        self.side = side
        self._folder = folder or PROJECTS / experiment.project / side
        self.versions: dict[str, str] = {}
        self._tools = tools
        self._browser = browser
        self._ending = ExitStack()

    def __enter__(self) -> Running:
        with ExitStack() as ending:
            self._home = Path(ending.enter_context(tempfile.TemporaryDirectory(prefix="corslint-lab-")))
            self.project = self._home / self.side
            shutil.copytree(self._folder, self.project)
            self.ports = Ports(self._home / "ports", self.experiment.hosts)
            self.addresses = Addresses(self.ports)
            self._start(ending)
            self._ending = ending.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._ending.close()

    def observations(self) -> Iterator[tuple[str, Expectation, Observation]]:
        """Take the steps that expect something of this side.

        Raises:
            LabError: a step cannot be taken, which is no observation.
        """
        for step in self.experiment.steps:
            yield from self.observed(step, step.expectation(self.side))

    def observed(self, step: Step, expected: Expectation | None) -> Iterator[tuple[str, Expectation, Observation]]:
        """Take one step, if anything is expected of it.

        Raises:
            LabError: it cannot be taken, which is no observation.
        """
        if expected is not None:
            check_interrupted()
            yield step.name, expected, self.observe(step.probe, expected)

    def observe(self, probe: Probe, expected: Expectation) -> Observation:
        """What one probe shows; what is expected says only what to wait for."""
        if isinstance(probe, Get | Preflight | Upgrade | Silence):
            return probes.send(probe, self.addresses)
        if isinstance(probe, ConfigTest):
            with tempfile.TemporaryDirectory(prefix="corslint-lab-") as folder:
                copy = Path(folder).resolve() / "nginx"
                shutil.copytree(self.project, copy)
                return nginx.tested(self._tools.path("nginx"), copy / probe.config)
        if isinstance(probe, Socket | ClientFile) and self._tools.node_modules and probe.client:
            bundle = self._tools.node_modules / f"socket.io-client-{probe.client}" / "package.json"
            version = json.loads(bundle.read_text(encoding="utf-8"))["version"]
            self.versions[f"npm:socket.io-client, client {probe.client} of a page"] = version
        return Tab(self._browser(), self.gateway.port, self.site).observe(probe, expected)

    def _start(self, ending: ExitStack) -> None:
        if self._tools.node_modules:
            parts = [part for part in self.experiment.parts if isinstance(part, Process) and part.command[0] == "node"]
            folders: list[Path | None] = [_started(self.project, part) for part in parts]
            for folder in folders or [None]:
                self.versions |= link_node_modules(self.project, self._tools.node_modules, folder)
            self.site = Site(self.project, self._tools.node_modules)
            self.gateway = ending.enter_context(Gateway(self.addresses, self.site))
        programs = [(part, self._program(part, ending)) for part in self.experiment.parts if isinstance(part, Process)]
        for part, program in programs:
            for port in written_ports(part):
                program.wait_until(lambda port=port: self.ports.real(port) is not None, f"it listened on {port}")  # type: ignore[misc]
        reserved = nginx.Reserved()
        ending.callback(reserved.release)
        for configuration in self.experiment.parts:
            if isinstance(configuration, Nginx):
                self._nginx(configuration, reserved, ending)

    def _program(self, part: Process, ending: ExitStack) -> Program:
        folder = self.project / part.folder
        if part.command[0] == "node":
            command, path = [str(self._tools.path("node")), *part.command[1:]], None
        else:
            venv = self._tools.path("venv_old" if part.old else "venv")
            command, path = [str(venv / "bin" / part.command[0]), *part.command[1:]], venv / "bin"
            self.versions |= check_requirements(self.project, _started(self.project, part), venv)
        env = environment(self.ports, self._home, part.env)
        if path is not None:
            env["PATH"] = f"{path}:{env['PATH']}"
        log = self._home / f"{written_ports(part)[0]}.log"
        program = Program.start(" ".join(part.command), command, folder, env, log)
        ending.callback(program.stop)
        return program

    def _nginx(self, part: Nginx, reserved: nginx.Reserved, ending: ExitStack) -> None:
        program = nginx.start(self._tools.path("nginx"), part, self.project, self.ports, reserved, self._home)
        ending.callback(program.stop)
        for port in written_ports(part):
            if self.ports.real(port) is None:
                raise LabError(f"{part.config} does not listen on {port}")


def _started(project: Path, part: Process) -> Path:
    """The folder of the file that a program is started with, or else that in which it is started."""
    folder = (project / part.folder).resolve()
    files = [folder / word for word in part.command[1:] if (folder / word).is_file()]
    return files[0].parent if files else folder


# The linter's side.


def lint_problems(experiment: Experiment, side: Side) -> list[str]:
    """What the linter says of a side, against what it has to say."""
    project = PROJECTS / experiment.project
    status, lines = linted(project / side, pedantic=experiment.pedantic)
    if status not in (0, 1):
        return [f"corslint check: exit status {status}: {' '.join(lines)}"]
    found = _places(lines, experiment.rule, side)
    if side == "bad":
        expected = _places((project / EXPECTED).read_text(encoding="utf-8").splitlines(), experiment.rule, side)
        if not expected:
            return [f"lint: expected.txt has no finding of {experiment.rule}"]
        if found != expected:
            return [f"lint: expected {experiment.rule} at {_listed(expected)}; observed {_listed(found)}"]
        return []
    if experiment.pedantic:
        lines = [f"{place}: {experiment.rule}" for place in sorted(found)] + linted(project / side)[1]
    return [f"lint: expected no finding; observed {' | '.join(lines)}"] if lines else []


def linted(folder: Path, *, pedantic: bool = False) -> tuple[int, list[str]]:
    """`corslint check` on a folder: exit status, and the findings, one a line."""
    command = [
        sys.executable,
        "-m",
        "corslint",
        "check",
        "--output-format",
        "concise",
        *(["--pedantic"] if pedantic else []),
    ]
    try:
        ran = subprocess.run(
            [*command, str(folder)], cwd=ROOT, capture_output=True, text=True, timeout=120, check=False
        )
    except subprocess.TimeoutExpired:
        return 2, ["no answer within 120 s"]
    return ran.returncode, ran.stdout.splitlines() if ran.returncode in (0, 1) else ran.stderr.splitlines()


def _places(lines: list[str], rule: str, side: Side) -> set[str]:
    """`file:line:column` of the findings of a rule, seen from the side's folder."""
    found = [_PLACE.fullmatch(line) for line in lines]
    return {place["place"].rpartition(f"/{side}/")[2] for place in found if place and place["rule"] == rule}


def _listed(places: set[str]) -> str:
    return ", ".join(sorted(places)) or "none"


@cache
def rule_file(rule: str) -> Mapping[str, Any]:
    """The YAML of a rule."""
    content: dict[str, Any] = yaml.safe_load((RULES / f"{rule}.yaml").read_text(encoding="utf-8"))
    return content


def symptom_problems(experiment: Experiment, bad: list[Observation]) -> list[str]:
    """Whether a symptom that the rule names was to be seen, where a step looks for what a user sees."""
    if not any(isinstance(step.probe, Fetch | Socket | ClientFile | Page | ConfigTest) for step in experiment.steps):
        return []
    symptoms = [one if isinstance(one, str) else one["says"] for one in rule_file(experiment.rule).get("symptoms", [])]
    said = list(dict.fromkeys(words for seen in bad for words in seen.words() if words))
    shown = [symptom for symptom in symptoms if any(_wording(symptom).search(words) for words in said)]
    if experiment.silent_in_browser is not None:
        return [f"bad: silent_in_browser is given, but {shown[0]!r} was seen"] if shown else []
    if symptoms and not shown:
        observed = " | ".join(said) or "nothing"
        return [f"bad: none of the rule's symptoms ({'; '.join(symptoms)}) was seen; observed {observed}"]
    return []


def _wording(symptom: str) -> re.Pattern[str]:
    """A symptom as a pattern: `{v}` stands for any text."""
    return re.compile(".*?".join(re.escape(part) for part in re.split(r"\{\w+\}", symptom)), re.DOTALL)
