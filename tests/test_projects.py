"""Whole small repositories: what is found in `bad` is exactly what `expected.txt` says, and nothing in `good`.

`python -m tests.test_projects --update` writes what is found now into the `expected.txt` files. Read the difference
before it is kept: the files say what is right, not what the program happens to do.
"""

from __future__ import annotations

import argparse
import contextlib
import difflib
import io
import os
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from corslint import cli, resources, rulefiles

ROOT = Path(__file__).resolve().parent.parent
PROJECTS = ROOT / "fixtures" / "projects"
CASES = sorted(folder.name for folder in PROJECTS.iterdir() if folder.is_dir())
EXPECTED = "expected.txt"
RULES = rulefiles.load([resources.rules_folder()]).rules
# Rules that never say more than a note: a case with such a name is about what only --pedantic shows.
NOTES = frozenset(name for name, rule in RULES.items() if rule.severities == ("note",))


def found(folder: Path) -> tuple[int, list[str]]:
    """Exit status, and the findings in the concise format, paths as seen from the repository.

    Warnings and above count; in a case that is named after a rule of `NOTES`, notes do too (`--fail-on note`).
    """
    options = ["--fail-on", "note"] if folder.parent.name in NOTES else []
    out = io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(io.StringIO()):
        status = cli.run(["check", "--output-format", "concise", *options, folder.relative_to(ROOT).as_posix()])
    return status, out.getvalue().splitlines()


@pytest.fixture(autouse=True)
def at_the_top(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    monkeypatch.delenv("CORSLINT_OUTPUT_FORMAT", raising=False)


def test_every_case_has_both_sides() -> None:
    assert "chat" in CASES
    for case in CASES:
        assert {path.name for path in (PROJECTS / case).iterdir()} == {"bad", "good", EXPECTED}


@pytest.mark.parametrize("case", CASES)
def test_the_broken_one_has_the_expected_findings(case: str) -> None:
    expected = (PROJECTS / case / EXPECTED).read_text(encoding="utf-8").splitlines()
    assert expected
    assert found(PROJECTS / case / "bad") == (1, expected)


@pytest.mark.parametrize("case", CASES)
def test_the_mended_one_is_clean(case: str) -> None:
    assert found(PROJECTS / case / "good") == (0, [])


def test_the_broken_chat_application_shows_at_least_ten_rules() -> None:
    lines = (PROJECTS / "chat" / EXPECTED).read_text(encoding="utf-8").splitlines()
    assert len({line.rpartition("[")[2] for line in lines}) >= 10


def main(arguments: Sequence[str]) -> int:
    """Compare, or rewrite `expected.txt`."""
    parser = argparse.ArgumentParser(description="what is found in fixtures/projects, against expected.txt")
    parser.add_argument("--update", action="store_true", help="write what is found into expected.txt")
    update = parser.parse_args(arguments).update
    differs = False
    for case in CASES:
        file = PROJECTS / case / EXPECTED
        before = file.read_text(encoding="utf-8").splitlines() if file.exists() else []
        _, now = found(PROJECTS / case / "bad")
        name = str(file.relative_to(ROOT))
        for line in difflib.unified_diff(before, now, name, name, n=0, lineterm=""):
            differs = True
            print(line)
        if update:
            file.write_text("".join(f"{line}\n" for line in now), encoding="utf-8")
    return 1 if differs and not update else 0


if __name__ == "__main__":
    os.chdir(ROOT)
    sys.exit(main(sys.argv[1:]))
