"""Files that imports lead to are read on the way, and all is extracted once more: what is kept from one round to the
next, and of a reading, changes nothing about what comes out."""

from __future__ import annotations

from pathlib import Path

import pytest

from corslint import lint
from corslint.examples import context_of
from corslint.extract import Extracted, Seen
from corslint.frameworks.catalog import Catalog
from corslint.model import encoding
from corslint.model.reading import Reading
from corslint.project.link import Linker
from corslint.project.modules import Modules
from corslint.project.packages import Packages
from corslint.settings import Settings
from corslint.source import SourceFile

PROJECTS = Path(__file__).parent.parent / "fixtures" / "projects"
KNOWN = lint.knowledge(examples=False)
SIDES = sorted(side for side in PROJECTS.glob("*/*") if side.is_dir())

SECOND_CALLER = {
    "package.json": '{"dependencies": {"express": "4.18.2", "cors": "2.8.5"}}',
    # The reading of the one file leads to the other, in which `open` is called once more.
    "server.js": (
        "const cors = require('cors');\nconst express = require('express');\nconst { start } = require('./start');\n"
        "const app = express();\n"
        "function open(origin) { app.use(cors({ origin })); }\nexports.open = open;\nopen('*');\nstart(app);\n"
    ),
    "start.js": (
        "const { open } = require('./server');\n"
        "exports.start = (app) => { open(process.env.X); app.listen(1); };\n"
    ),
}  # fmt: skip


def files_of(side: Path) -> dict[str, bytes]:
    return {path.relative_to(side).as_posix(): path.read_bytes() for path in side.rglob("*") if path.is_file()}


def shown(extracted: Extracted) -> list[str]:
    """All that was extracted, in an order that does not depend on what was looked at first."""
    facts = [*extracted.facts, *(fact for group in extracted.groups for made in group for fact in made)]
    told = [f"{fact.kind} {fact.span} {fact.fields} {fact.values}" for fact in facts]
    told += [f"{one.fact.span} {one.semantics} {one.guards} {one.broken}" for one in extracted.policies]
    return [*told, *map(repr, extracted.sites.items()), *map(repr, sorted(extracted.described))]


def facts_of(files: dict[str, bytes]) -> list[str]:
    facts = lint.understand(context_of(files), Settings(), files, KNOWN.catalog).facts
    return [f"{fact.kind} {fact.span} {fact.fields}" for fact in facts]


@pytest.mark.parametrize(
    "files",
    [
        *(pytest.param(files_of(side), id="/".join(side.parts[-2:])) for side in SIDES),
        pytest.param({path: text.encode() for path, text in SECOND_CALLER.items()}, id="a second caller comes later"),
    ],
)
def test_rounds_give_what_one_over_all_files_gives(files: dict[str, bytes], monkeypatch: pytest.MonkeyPatch) -> None:
    compared: list[tuple[list[str], list[str]]] = []
    in_rounds = lint._extract

    def both(project: lint.Project, descriptors: Catalog, linker: Linker, packages: Packages) -> Extracted:
        found = in_rounds(project, descriptors, linker, packages)
        modules = Modules(project.context.root, frozenset(project.context.files))
        alone = Linker(project.code, modules, descriptors.assumptions, project.leads_on, project.may_export)
        alone.look_for_callers(lambda: list(project.code_readings().values()))
        at_once = lint._extractor(project, descriptors, alone, packages, Seen())
        compared.append((shown(found), shown(at_once.extract(project.code_readings().values()))))
        return found

    monkeypatch.setattr(lint, "_extract", both)
    facts_of(files)
    ((in_steps, whole),) = compared
    assert in_steps == whole


@pytest.mark.parametrize("side", [pytest.param(side, id="/".join(side.parts[-2:])) for side in SIDES])
def test_a_kept_reading_says_what_a_new_one_says(side: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = files_of(side)
    new = facts_of(files)
    read = lint._read

    def kept(source: SourceFile) -> Reading | None:
        found = read(source)
        return encoding.decode(encoding.encode(found), source.path) if found is not None else None

    monkeypatch.setattr(lint, "_read", kept)
    assert facts_of(files) == new


def test_a_parameter_is_unknown_once_a_second_caller_was_read() -> None:
    files = {path: text.encode() for path, text in SECOND_CALLER.items()}
    facts = lint.understand(context_of(files), Settings(), files, KNOWN.catalog).facts
    assert [fact.field("effect.to_stranger").state for fact in facts if fact.kind == "cors_policy"] == ["unknown"]
    del files["start.js"]
    facts = lint.understand(context_of(files), Settings(), files, KNOWN.catalog).facts
    assert [fact.field("effect.to_stranger").value for fact in facts if fact.kind == "cors_policy"] == ["star"]
