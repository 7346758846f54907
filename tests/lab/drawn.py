"""The emulator on options that were never recorded: they are drawn, the libraries asked, and all answers compared.

    python -m tests.lab.drawn SEED [--cases COUNT] [NAME ...]

A line for each library; exit status 0: everything agrees, 1: not, 2: a library is missing.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from corslint import lint
from tests import emulation
from tests.lab.installation import ROOT


class Compared(NamedTuple):
    """What came of one recording."""

    answers: int
    differences: tuple[str, ...]
    """Each with the options, the question, what the library answered and what the emulator says."""


def drawn(seed: int, cases: int, names: Sequence[str]) -> dict[str, dict[str, Any]]:
    """What the libraries answer to drawn options, by name of the recording; those without a descriptor are left out.

    Raises:
        subprocess.CalledProcessError: a library is missing, or cannot be asked.
    """
    wanted = list(names) or sorted(emulation.recordings().keys() - emulation.WAITING.keys())
    with tempfile.TemporaryDirectory(prefix="corslint-lab-") as folder:
        output = Path(folder) / "drawn.json"
        command = [sys.executable, "scripts/record_oracle.py", "--fresh", str(seed), "--cases", str(cases)]
        subprocess.run([*command, "--output", str(output), *wanted], cwd=ROOT, check=True)
        found: dict[str, dict[str, Any]] = json.loads(output.read_text(encoding="utf-8"))
        return found


def compare(recording: dict[str, Any], known: lint.Knowledge) -> Compared:
    """The emulator beside what one library answered."""
    cases = [case for case in recording["cases"] if not case.startswith(emulation.BARE)]
    differences = tuple(
        f"{recording['cases'][case].get('options', case)!r}, {row['request']}: answered {answered}, emulated {emulated}"
        for case in cases
        for row, answered, emulated in emulation.disagreements(recording, case, known)
    )
    return Compared(sum(row["case"] in cases for row in recording["rows"]), differences)


def main(arguments: Sequence[str] | None = None) -> int:
    """Draw, ask and compare. The exit status."""
    parser = argparse.ArgumentParser(prog="python -m tests.lab.drawn", description="The emulator on drawn options.")
    parser.add_argument("seed", type=int)
    parser.add_argument("names", nargs="*", metavar="NAME", help="a recording; default all that have a descriptor")
    parser.add_argument("--cases", type=int, default=5, metavar="COUNT", help="drawn option sets a library (default 5)")
    given = parser.parse_intermixed_args(arguments)
    try:
        recordings = drawn(given.seed, given.cases, given.names)
    except subprocess.CalledProcessError as error:
        return int(error.returncode)
    known = lint.knowledge()
    found = {name: compare(recording, known) for name, recording in recordings.items()}
    for name, compared in found.items():
        print(f"{name}: {len(compared.differences)} of {compared.answers} answers differ")
        for difference in compared.differences[:3]:
            print(f"  {difference}")
    answers = sum(one.answers for one in found.values())
    agreeing = answers - sum(len(one.differences) for one in found.values())
    print(f"{agreeing} of {answers} answers of {len(found)} libraries agree")
    return 0 if answers and agreeing == answers else 1


if __name__ == "__main__":
    sys.exit(main())
