"""The recordings under fixtures/oracle belong to the cases beside them, and are whole.

That corslint predicts what they say is tested where the predictions are made; here the files themselves are checked, so
that a case without an answer, an answer without its case, or a recording of other versions cannot go unnoticed.
"""

from __future__ import annotations

import ast
import importlib.util
import json
import re
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from corslint.parsers import javascript
from corslint.source import SourceFile

ROOT = Path(__file__).resolve().parent.parent
ORACLE = ROOT / "fixtures" / "oracle"
NAMES = sorted(path.name.removesuffix(".cases.yaml") for path in ORACLE.glob("*.cases.yaml"))


def _recorder() -> ModuleType:
    spec = importlib.util.spec_from_file_location("record_oracle", ROOT / "scripts" / "record_oracle.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


RECORDER = _recorder()


def recording(name: str) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((ORACLE / f"{name}.json").read_text(encoding="utf-8"))
    return loaded


def test_every_cases_file_is_recorded_and_nothing_else() -> None:
    assert sorted(path.name.removesuffix(".json") for path in ORACLE.glob("*.json")) == NAMES
    assert NAMES == [
        "aiohttp-cors",
        "cors",
        "django-cors-headers",
        "falcon",
        "fastify-cors",
        "fastify-cors-6",
        "flask-cors",
        "flask-socketio",
        "h3-cors",
        "h3-cors-1",
        "hono-cors",
        "koa-cors",
        "koa-cors-3",
        "koa-cors-4",
        "koa2-cors",
        "litestar",
        "python-socketio",
        "quart-cors",
        "sanic-ext",
        "socket.io-2",
        "socket.io-3",
        "socket.io-4",
        "starlette",
        "tornado",
    ]


@pytest.mark.parametrize("name", NAMES)
def test_a_recording_has_the_code_of_its_cases(name: str) -> None:
    spec = RECORDER.cases_of(name)
    expected = [
        (case["id"], case.get("code") or spec["template"].replace("⟦options⟧", case["options"]))
        for case in spec["cases"]
    ]
    assert [(case["id"], case["code"]) for case in recording(name)["cases"]] == expected
    assert len(dict(expected)) == len(expected) >= 25


@pytest.mark.parametrize("name", NAMES)
def test_every_question_has_its_answer(name: str) -> None:
    spec = RECORDER.cases_of(name)
    for case, recorded in zip(spec["cases"], recording(name)["cases"], strict=True):
        asked = [
            (kind, origin)
            for kind in case.get("kinds", spec["kinds"])
            for origin in (*RECORDER.ORIGINS, *case.get("origins", ()))
            for _ in range(case.get("times", 1))
        ]
        got = [(answer["kind"], answer["origin"]) for answer in recorded["answers"]]
        assert got == ([] if recorded["raises"] else asked), case["id"]


@pytest.mark.parametrize("name", NAMES)
def test_versions_are_those_that_were_asked_for(name: str) -> None:
    spec = RECORDER.cases_of(name)
    recorded = recording(name)
    assert recorded["packages"] == spec["packages"]
    assert recorded["versions"] == {**spec["packages"], **spec.get("also", {})}


@pytest.mark.parametrize("name", NAMES)
def test_snippets_are_whole_programs(name: str) -> None:
    for case in recording(name)["cases"]:
        if case["file"].endswith(".py"):
            ast.parse(case["code"])
        else:
            read = javascript.read(SourceFile(case["file"], case["code"].encode()), "javascript")
            assert read.damage == (), case["id"]


@pytest.mark.parametrize("name", NAMES)
def test_nothing_of_the_recording_machine_is_left(name: str) -> None:
    text = (ORACLE / f"{name}.json").read_text(encoding="utf-8")
    assert not re.search(r"127\.0\.0\.1:\d|/tmp/|/home/|/root/|node_modules", text)


def test_environment_variables_that_a_snippet_names_are_found() -> None:
    code = """process.env.ONE; os.environ["TWO"]; os.environ.get('THREE', ''); os.getenv("FOUR")"""
    found = {name for match in RECORDER.ENV_READ.finditer(code) for name in match.groups() if name}
    assert found == {"ONE", "TWO", "THREE", "FOUR"}


def test_missing_libraries_are_named_with_the_commands_that_install_them(tmp_path: Path) -> None:
    libraries = RECORDER.Libraries(tmp_path)
    missing = []
    for ecosystem, packages in (
        ("npm", {"socket.io": "2.5.1"}),
        ("npm", {"cors": "2.8.6"}),
        ("pypi", {"flask-cors": "6.0.5"}),
    ):
        with pytest.raises(RECORDER.MissingError) as raised:
            libraries.check(ecosystem, packages)
        missing.append(raised.value)
    assert libraries.installation(missing) == [
        f"npm install --prefix {tmp_path} cors-2@npm:cors@2.8.6 socket.io-2@npm:socket.io@2.5.1",
        f"python3 -m venv {tmp_path}/venv",
        f"{tmp_path}/venv/bin/python -m pip install flask-cors==6.0.5",
    ]


def test_another_version_counts_as_missing(tmp_path: Path) -> None:
    manifest = tmp_path / "node_modules" / "cors-2" / "package.json"
    manifest.parent.mkdir(parents=True)
    manifest.write_text('{"version": "2.8.5"}', encoding="utf-8")
    libraries = RECORDER.Libraries(tmp_path)
    assert libraries.check("npm", {"cors": "2.8.5"}) == {"cors": "2.8.5"}
    with pytest.raises(RECORDER.MissingError, match=re.escape("cors-2@npm:cors@2.8.6")):
        libraries.check("npm", {"cors": "2.8.6"})
