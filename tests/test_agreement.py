"""The emulator gives the answer that was recorded, for every recorded row of every library that has a descriptor.

`tests/emulation.py` says how the two are put side by side. `python scripts/record_oracle.py --fresh SEED` does the same
with option sets that are not recorded, against the libraries themselves.
"""

from __future__ import annotations

from collections import Counter

import pytest

from corslint import lint
from tests import emulation

RECORDINGS = emulation.recordings()
DESCRIBED = sorted(set(RECORDINGS) - set(emulation.WAITING))


@pytest.mark.parametrize("name", DESCRIBED)
def test_every_row_agrees(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    recording = RECORDINGS[name]
    rows = Counter(row["case"] for row in recording["rows"])
    compared = 0
    wrong: list[str] = []
    for case in recording["cases"]:
        if case.startswith(emulation.BARE) or (name, case) in emulation.ELSEWHERE:
            continue
        compared += rows[case]
        for row, recorded, claimed in emulation.disagreements(recording, case, lint.knowledge()):
            differing = ", ".join(
                f"{field} is {recorded[field]!r}, not {claimed[field]!r}"
                for field in emulation.FIELDS
                if recorded[field] != claimed[field]
            )
            wrong.append(f"{case}, {row['request']}: {differing}\n{emulation.program(recording, case)}")
    with capsys.disabled():
        print(f"\n{recording['library']} {recording['version']}: {compared - len(wrong)} of {compared} rows agree")
    assert not wrong, "\n\n".join(wrong[:5])
    assert compared >= 40


def test_cases_left_out_are_few_and_there() -> None:
    left_out = 0
    for name, case in emulation.ELSEWHERE:
        assert case in RECORDINGS[name]["cases"]
        left_out += sum(row["case"] == case for row in RECORDINGS[name]["rows"])
    total = sum(len(RECORDINGS[name]["rows"]) for name in DESCRIBED)
    assert left_out < total * 0.05


@pytest.mark.parametrize(("name", "case"), sorted(emulation.ELSEWHERE))
def test_what_is_left_out_has_to_be(name: str, case: str) -> None:
    assert next(emulation.disagreements(RECORDINGS[name], case, lint.knowledge()), None) is not None


def test_libraries_that_wait_have_no_descriptor_of_their_own() -> None:
    described = {descriptor.id for descriptor in lint.knowledge().catalog.descriptors}
    assert not {emulation.LIBRARIES.get(name, name) for name in emulation.WAITING} & described
    assert {emulation.LIBRARIES.get(name, name) for name in DESCRIBED} <= described
    assert set(emulation.WAITING) <= set(RECORDINGS)


def test_a_wrong_answer_is_noticed() -> None:
    """The comparison can fail: each field of a claimed answer, changed, is a disagreement."""
    recorded = {"status": 204, "acao": "*", "acac": None, "vary": "Origin, A", "acam": "GET,PUT", "acah": "x-token"}
    assert emulation.same(recorded, dict(recorded))
    assert emulation.same(recorded, {**recorded, "vary": "A, Origin"})
    changes = {"status": 200, "acao": None, "acac": "true", "vary": "Origin", "acam": "GET, PUT", "acah": "?"}
    for field, value in changes.items():
        assert not emulation.same(recorded, {**recorded, field: value})
