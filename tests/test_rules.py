"""Every example of every rule, places compared exactly."""

from __future__ import annotations

import pytest

from corslint import lint
from corslint.ruleset import Example
from tests.examples import trouble

_KNOWN = lint.knowledge()
_CASES = [
    pytest.param(rule.id, example, id=f"{rule.id}-{number}")
    for rule in _KNOWN.rules.rules.values()
    for number, example in enumerate(rule.examples)
]


@pytest.mark.parametrize(("rule", "example"), _CASES)
def test_example(rule: str, example: Example) -> None:
    assert trouble(rule, example, _KNOWN) is None, example.name
