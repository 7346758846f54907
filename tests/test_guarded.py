"""Guarded allow-lists, the commonest false alarm of linters for CORS, stay silent; and that is no blindness.

Each case of fixtures/guarded is a whole small program that checks origins before it lets them in. Nothing is found in
it. Its `twin` is the same program with one place changed, the check taken out or weakened, and there the fault is
found: so the silence comes from understanding the check. What a twin does that is not followed by design says so
(`unknown`), and stays silent. Handshakes of WebSockets are judged by what is known of them (`upgrade`).
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import NamedTuple

import pytest

from corslint import lint, yamlfile
from corslint.model.facts import Fact
from corslint.model.finding import Finding
from corslint.settings import Settings
from tests.examples import context_of, findings_of

FOLDER = Path(__file__).resolve().parent.parent / "fixtures" / "guarded"
LANGUAGES = {".js": "javascript", ".ts": "typescript", ".py": "python"}
MOST_UNKNOWN = 5
KNOWN = lint.knowledge()


class Twin(NamedTuple):
    """The change that takes the guard away, and what comes of it: a rule's finding, an open upgrade, or nothing."""

    file: str
    replace: str
    put: str
    finds: str | None
    upgrade: str | None
    unknown: str | None


class Case(NamedTuple):
    """One guarded program."""

    form: str
    library: str
    language: str
    files: dict[str, bytes]
    twin: Twin

    def changed(self) -> dict[str, bytes]:
        """The files with the twin's change."""
        old, new = self.twin.replace.encode(), self.twin.put.encode()
        return {**self.files, self.twin.file: self.files[self.twin.file].replace(old, new)}


def cases() -> list[Case]:
    """All cases, in the order of their files. Raises `YamlError` for what is not one."""
    found = []
    for path in sorted(FOLDER.glob("*.yaml")):
        check = yamlfile.Checker(path.name, path.read_bytes())
        content = check.keys(yamlfile.load(path), (), ("library", "cases"), ("library", "cases"))
        for number, part in enumerate(check.items(content["cases"], ("cases",))):
            at: yamlfile.KeyPath = ("cases", number)
            names = ("form", "language", "files", "twin")
            case = check.keys(part, at, names, names)
            files = {name: text.encode() for name, text in case["files"].items()}
            twin = check.keys(
                case["twin"],
                (*at, "twin"),
                ("in", "replace", "with", "finds", "upgrade", "unknown"),
                ("replace", "with"),
            )
            file = twin.get("in") or _only_file(files, twin["replace"])
            found.append(
                Case(
                    check.text(case["form"], (*at, "form")),
                    check.text(content["library"], ("library",)),
                    check.one_of(case["language"], (*at, "language"), tuple(LANGUAGES.values())),
                    files,
                    Twin(
                        file,
                        twin["replace"],
                        twin["with"],
                        twin.get("finds"),
                        twin.get("upgrade"),
                        twin.get("unknown"),
                    ),
                )
            )
    return found


def _only_file(files: dict[str, bytes], text: str) -> str:
    return next(name for name, data in files.items() if text.encode() in data)


CASES = cases()
NAMES = [f"{case.library}-{case.form}-{case.language}" for case in CASES]


def found(files: dict[str, bytes]) -> list[Finding]:
    """What is found at warning and above, and every note that speaks of a hole."""
    every = findings_of(files, Settings(), KNOWN)
    return [one for one in every if one.severity != "note" or one.effect == "exploitable"]


def upgrades(files: dict[str, bytes]) -> list[object]:
    """What handshakes from foreign origins come to, at each socket server."""
    servers: list[Fact] = lint.understand(context_of(files), Settings(), files, KNOWN.catalog).facts
    return [fact.field("upgrade.to_stranger").value for fact in servers if fact.kind == "socket_server"]


def test_no_two_cases_are_alike() -> None:
    assert [
        triple for triple, count in Counter((c.form, c.library, c.language) for c in CASES).items() if count > 1
    ] == []
    assert len(CASES) >= 60
    assert {case.language for case in CASES} == set(LANGUAGES.values())
    assert len({case.form for case in CASES}) >= 60
    assert len({case.library for case in CASES}) >= 30


def test_the_files_are_of_the_language_that_a_case_names() -> None:
    for case in CASES:
        code = {LANGUAGES[ending] for name in case.files if (ending := Path(name).suffix) in LANGUAGES}
        assert code == {case.language}, (case.library, case.form)


def test_few_twins_are_not_followed() -> None:
    assert sum(case.twin.unknown is not None for case in CASES) <= MOST_UNKNOWN
    for case in CASES:
        expected = (case.twin.finds, case.twin.upgrade, case.twin.unknown)
        assert sum(each is not None for each in expected) == 1, (case.library, case.form)


@pytest.mark.parametrize("case", CASES, ids=NAMES)
def test_a_guarded_program_is_silent(case: Case) -> None:
    assert [f"{one.rule}: {one.message}" for one in found(case.files)] == []
    if case.twin.upgrade is not None:
        assert upgrades(case.files) == ["refused"]


@pytest.mark.parametrize("case", CASES, ids=NAMES)
def test_its_twin_is_found(case: Case) -> None:
    twin = case.twin
    assert case.files[twin.file].count(twin.replace.encode()) == 1
    worst = [one for one in found(case.changed()) if one.severity != "note"]
    if twin.upgrade is not None:
        assert upgrades(case.changed()) == [twin.upgrade]
    else:
        assert [one.rule for one in worst] == ([twin.finds] if twin.finds is not None else [])
