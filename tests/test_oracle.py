"""The recordings under fixtures/oracle belong to the cases beside them, and are whole.

That corslint predicts what they say is tested where the predictions are made; here the files themselves are checked, so
that a case without an answer, an answer without its case, or a recording of other versions cannot go unnoticed.
"""

from __future__ import annotations

import ast
import importlib.util
import json
import random
import re
import sys
from collections import defaultdict
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from corslint.parsers import javascript
from corslint.source import SourceFile
from tests.lab.installation import require

ROOT = Path(__file__).resolve().parent.parent
ORACLE = ROOT / "fixtures" / "oracle"
SEED = 20240229


def _recorder() -> ModuleType:
    spec = importlib.util.spec_from_file_location("record_oracle", ROOT / "scripts" / "record_oracle.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


RECORDER = _recorder()
NAMES: list[str] = RECORDER.known_names()
ORIGINS = {"https://app.example.com", "https://evil.example", "https://app.example.com.evil.example", "null", None}
"""Allowed, foreign, lookalike, `null`, none."""


@cache
def cases_file(name: str) -> dict[str, Any]:
    loaded: dict[str, Any] = RECORDER.cases_of(name)
    return loaded


@cache
def recording(name: str) -> dict[str, Any]:
    file = ORACLE / RECORDER.recording_file(cases_file(name))
    loaded: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return loaded


def without_library(case: str) -> bool:
    return case.startswith("bare")


def read_without_damage(file: str, code: str) -> None:
    """Fails where a program is none."""
    if file.endswith(".py"):
        ast.parse(code)
    else:
        assert javascript.read(SourceFile(file, code.encode()), "javascript").damage == (), code


# -- the recordings together ------------------------------------------------------------------------------------------


def test_every_cases_file_is_recorded_and_nothing_else() -> None:
    expected = {RECORDER.recording_file(cases_file(name)) for name in NAMES}
    assert {path.name for path in ORACLE.glob("*.json")} == expected
    assert len(expected) == len(NAMES), "two cases files have the same recording"


def test_a_recording_is_named_after_its_library_and_version() -> None:
    names = {(spec["library"], RECORDER.recording_file(spec)) for spec in map(cases_file, NAMES)}
    assert ("@fastify/cors", "fastify-cors@11.4.3.json") in names
    assert ("@koa/cors", "koa-cors@5.0.0.json") in names
    assert ("socket.io", "socket.io@2.5.1.json") in names


def test_there_are_twenty_libraries_and_two_majors_where_behaviour_changed() -> None:
    versions: dict[str, set[str]] = defaultdict(set)
    for name in NAMES:
        library = recording(name)["library"].removeprefix("@").replace("/", "-")
        versions[library].add(recording(name)["version"])
    assert len(versions) >= 20
    assert {version.split(".")[0] for version in versions["starlette"]} == {"0", "1"}
    assert {version.split(".")[0] for version in versions["socket.io"]} == {"2", "3", "4"}
    assert {version.split(".")[0] for version in versions["fastify-cors"]} == {"6", "11"}
    assert {version.split(".")[0] for version in versions["flask-cors"]} == {"3", "6"}


# -- each recording ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
def test_a_recording_has_the_programs_of_its_cases(name: str) -> None:
    spec, recorded = cases_file(name), recording(name)
    cases = RECORDER.with_bare_programs(spec)
    expected = {case["id"]: RECORDER.program_of(spec, case) for case in cases}
    assert len(expected) == len(cases), "two cases have the same id"
    assert {key: RECORDER.program_of(recorded, case) for key, case in recorded["cases"].items()} == expected
    for field in ("ecosystem", "packages", "file", "path", "files"):
        assert recorded.get(field) == spec.get(field), field


@pytest.mark.parametrize("name", NAMES)
def test_every_question_has_its_answer(name: str) -> None:
    spec, recorded = cases_file(name), recording(name)
    rows: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in recorded["rows"]:
        rows[row["case"]].append(row)
        assert set(row) == {"case", "options", "request", "answer"}
        fields = {"status", "acao", "acac", "vary", "acam", "acah"}
        assert set(row["answer"]) == (fields | {"allow"} if without_library(row["case"]) else fields)
        assert row["options"] == recorded["cases"][row["case"]].get("options")
    for case in RECORDER.with_bare_programs(spec):
        asked = [question.recorded(spec["path"]) for question in RECORDER.questions(spec, case)]
        refused = "raises" in recorded["cases"][case["id"]]
        assert [row["request"] for row in rows[case["id"]]] == ([] if refused else asked), case["id"]


@pytest.mark.parametrize("name", NAMES)
def test_enough_is_asked(name: str) -> None:
    rows = recording(name)["rows"]
    assert len(rows) >= 40
    assert len({row["options"] for row in rows if row["options"] is not None}) >= 10
    origins: dict[tuple[str, str], set[str | None]] = defaultdict(set)
    for row in rows:
        origins[row["case"], row["request"]["kind"]].add(row["request"]["origin"])
    assert all(asked >= ORIGINS for asked in origins.values())
    assert {kind for _, kind in origins} >= {"get", "preflight"}


@pytest.mark.parametrize("name", NAMES)
def test_the_application_alone_sends_nothing_about_origins(name: str) -> None:
    recorded = recording(name)
    bare = [row["answer"] for row in recorded["rows"] if without_library(row["case"])]
    assert bare
    assert all(answer["acao"] is None and answer["acac"] is None for answer in bare)
    for key, case in recorded["cases"].items():
        assert without_library(key) or case.get("bare", "bare") in recorded["cases"]


@pytest.mark.parametrize("name", NAMES)
def test_versions_are_those_that_were_asked_for(name: str) -> None:
    spec, recorded = cases_file(name), recording(name)
    assert recorded["name"] == name
    assert recorded["library"] == spec["library"]
    assert recorded["version"] == spec["packages"][spec["library"]]
    assert recorded["versions"] == {**spec["packages"], **spec.get("also", {})}


@pytest.mark.parametrize("name", NAMES)
def test_snippets_are_whole_programs(name: str) -> None:
    recorded = recording(name)
    for case in recorded["cases"].values():
        read_without_damage(case.get("file", recorded["file"]), RECORDER.program_of(recorded, case))


@pytest.mark.parametrize("name", NAMES)
def test_nothing_of_the_recording_machine_is_left(name: str) -> None:
    text = (ORACLE / RECORDER.recording_file(cases_file(name))).read_text(encoding="utf-8")
    for asked in set(re.findall(r"http://127\.0\.0\.1:\d+", json.dumps(cases_file(name)))):
        text = text.replace(asked, "")  # an origin of the questions
    assert not re.search(r"127\.0\.0\.1:\d|/tmp/|/home/|/root/|node_modules", text)


@pytest.mark.parametrize("name", NAMES)
def test_a_recording_is_written_as_it_is_read(name: str) -> None:
    text = (ORACLE / RECORDER.recording_file(cases_file(name))).read_text(encoding="utf-8")
    assert RECORDER.as_text(recording(name)) == text
    assert text.count("\n  {") == len(recording(name)["rows"]), "a row is a line"


# -- drawn options ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
def test_drawn_options_were_never_recorded(name: str) -> None:
    recorded = {
        RECORDER.same_options(case["options"]) for case in recording(name)["cases"].values() if "options" in case
    }
    drawn = [RECORDER.same_options(case["options"]) for case in RECORDER.drawn_cases(name, SEED, 12)]
    assert len(set(drawn)) == 12
    assert recorded.isdisjoint(drawn)


@pytest.mark.parametrize("name", NAMES)
def test_drawn_options_make_whole_programs(name: str) -> None:
    spec = cases_file(name)
    for case in RECORDER.drawn_cases(name, SEED, 12):
        code = RECORDER.program_of(spec, case)
        assert "⟦" not in code
        read_without_damage(spec["file"], code)


@pytest.mark.parametrize("name", NAMES)
def test_every_text_of_a_grammar_makes_a_whole_program(name: str) -> None:
    """A draw may never take a text: here each of them is put into its place."""
    spec = cases_file(name)
    grammar = spec["draw"]
    for texts in [*grammar["parts"].values(), *grammar.get("words", {}).values()]:
        assert len(set(texts)) > 1, texts
    for part, texts in grammar["parts"].items():
        for text in filter(None, texts):
            only = {**grammar["parts"], part: [text]}
            drawn = RECORDER.draw({"draw": {**grammar, "parts": only}}, random.Random(0))
            read_without_damage(spec["file"], RECORDER.program_of(spec, {"options": drawn}))


def test_the_seed_decides_what_is_drawn() -> None:
    first = RECORDER.drawn_cases("cors", SEED, 8)
    assert RECORDER.drawn_cases("cors", SEED, 8) == first
    assert RECORDER.drawn_cases("cors", SEED, 5) == first[:5]
    assert RECORDER.drawn_cases("cors", SEED + 1, 8) != first


def test_a_grammar_that_is_used_up_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    grammar = {"options": "{ ⟦parts⟧ }", "parts": {"one": ["a", "⟦word⟧"]}, "words": {"word": ["b", "c"]}}
    monkeypatch.setattr(RECORDER, "cases_of", lambda name: {"cases": [{"options": "{ b, }"}], "draw": grammar})
    drawn = RECORDER.drawn_cases("any", SEED, 10)
    assert sorted(case["options"] for case in drawn) == ["{ a }", "{ c }"]


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("{ origin: true }", "{origin: true,}", True),
        (", origins=['*'], ", ", origins=['*',]", True),
        ("{ origin: true }", "{ origin: 'true' }", False),
    ],
)
def test_options_that_differ_in_spaces_and_last_commas_are_the_same(one: str, other: str, same: bool) -> None:
    assert (RECORDER.same_options(one) == RECORDER.same_options(other)) is same


# -- running ----------------------------------------------------------------------------------------------------------


def test_environment_variables_that_a_snippet_names_are_found() -> None:
    code = """process.env.ONE; os.environ["TWO"]; os.environ.get('THREE', ''); os.getenv("FOUR")"""
    found = {name for match in RECORDER.ENV_READ.finditer(code) for name in match.groups() if name}
    assert found == {"ONE", "TWO", "THREE", "FOUR"}


def test_missing_libraries_are_named(tmp_path: Path) -> None:
    libraries = RECORDER.Libraries(tmp_path)
    with pytest.raises(RECORDER.MissingError, match=re.escape("cors 2.8.6 (there is none), express 4.22.3 (there is")):
        libraries.check(cases_file("cors"))
    with pytest.raises(RECORDER.MissingError, match=re.escape("flask-cors 3.0.10 (there is none)")):
        libraries.check(cases_file("flask-cors-3"))


def test_another_version_counts_as_missing(tmp_path: Path) -> None:
    manifest = tmp_path / "node_modules" / "cors-2" / "package.json"
    manifest.parent.mkdir(parents=True)
    manifest.write_text('{"version": "2.8.5"}', encoding="utf-8")
    libraries = RECORDER.Libraries(tmp_path)
    assert libraries.check({"ecosystem": "npm", "packages": {"cors": "2.8.5"}}) == {"cors": "2.8.5"}
    with pytest.raises(RECORDER.MissingError, match=re.escape("cors 2.8.6 (there is 2.8.5)")):
        libraries.check({"ecosystem": "npm", "packages": {"cors": "2.8.6"}})


def test_a_drawn_recording_is_what_the_library_answers() -> None:
    """The whole way, with the one library that needs the least."""
    require("venv")
    fresh = RECORDER.fresh_recordings(SEED, ["tornado"], 1)["tornado"]
    assert list(fresh["cases"]) == ["bare", f"fresh-{SEED}-1"]
    assert {row["answer"]["status"] for row in fresh["rows"]} == {200, 204}
