"""`nginx -t` on configurations that corslint says nginx refuses, against the words that its findings have."""

from __future__ import annotations

import re

from tests.lab.experiment import ConfigTest, Experiment, Fails, Passes, Step
from tests.lab.run import EXPECTED, PROJECTS

PROJECT = "nginx-syntax"
_FINDING = re.compile(
    r".*/bad/(?P<config>[^:]+):\d+:\d+: error: nginx does not start with this: "
    r"(?P<said>.+?)(?: \([^()]*\)|: nginx takes .*)? \[nginx-syntax\]"
)
"""What is said is followed here and there by an explanation of ours."""


def _step(finding: str) -> Step:
    found = _FINDING.fullmatch(finding)
    if found is None:
        raise ValueError(f"not a finding of {PROJECT}: {finding}")
    return Step(found["said"], ConfigTest(found["config"]), bad=Fails(found["said"]), good=Passes())


EXPERIMENT = Experiment(
    rule="nginx-syntax",
    project=PROJECT,
    claim="nginx refuses the whole configuration, in the words that the finding has",
    parts=(),
    steps=tuple(map(_step, (PROJECTS / PROJECT / EXPECTED).read_text(encoding="utf-8").splitlines())),
)
