"""Imports point one way: a module imports only from its own layer and from those below."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "corslint"

LAYERS = (
    "corslint.records",
    "corslint.later",
    "corslint.numbers",
    "corslint.regexes",
    "corslint.paths",
    "corslint.source",
    "corslint.model",
    "corslint.resources",
    "corslint.settings",
    "corslint.yamlfile",
    "corslint.parsers",
    "corslint.git",
    "corslint.cache",
    "corslint.discovery",
    "corslint.risk",
    "corslint.workers",
    "corslint.sifting",
    "corslint.changes",
    "corslint.result",
    "corslint.project",
    "corslint.frameworks",
    "corslint.extract",
    "corslint.project.topology",
    "corslint.behaviour",
    "corslint.relations",
    "corslint.crossings",
    "corslint.mixed",
    "corslint.own_pages",
    "corslint.network",
    "corslint.trace",
    "corslint.diagram",
    "corslint.expectations",
    "corslint.suppression",
    "corslint.editing",
    "corslint.fixes",
    "corslint.ruleset",
    "corslint.rulefiles",
    "corslint.snapshot",
    "corslint.compiled",
    "corslint.engine",
    "corslint.triage",
    "corslint.lint",
    "corslint.examples",
    "corslint.baseline",
    "corslint.report",
    "corslint.progress",
    "corslint.outputs",
    "corslint.rulepages",
    "corslint.statistics",
    "corslint.explain",
    "corslint.tracing",
    "corslint.proposal",
    "corslint.command_line",
    "corslint.watching",
    "corslint.probe",
    "corslint.language_server",
    "corslint.fleet",
    "corslint.commands",
    "corslint.cli",
    "corslint.__main__",
)
"""From the lowest to the highest. An entry is a module, or a package with all its modules that are not named."""


_UNDER_REPORTS = ("corslint.model", "corslint.source", "corslint.report", "corslint.records", "corslint.regexes")


def modules() -> dict[str, Path]:
    found = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    del found["corslint"]  # the version, which any module may ask for
    return found


def layer(module: str) -> int | None:
    """The layer of a module: the longest entry that it is, or lies in."""
    around = [name for name in LAYERS if module == name or module.startswith(f"{name}.")]
    return LAYERS.index(max(around, key=len)) if around else None


def imports(source: str, known: set[str]) -> set[tuple[int, str]]:
    """Line and name of every module of ours that is imported, wherever in the file."""
    found: set[tuple[int, str]] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found.update((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module is not None:
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                found.add((node.lineno, inner if inner in known else node.module))
    return {(line, name) for line, name in found if name.startswith("corslint.")}


def wrong_imports(module: str, source: str, known: set[str]) -> list[str]:
    own = layer(module)
    assert own is not None, f"{module} has no place in LAYERS"
    wrong = []
    for line, name in sorted(imports(source, known)):
        other = layer(name)
        assert other is not None, f"{name} has no place in LAYERS"
        if other > own:
            wrong.append(f"{module}:{line} imports {name}")
    return wrong


@pytest.mark.parametrize("module", modules())
def test_imports_point_down(module: str) -> None:
    known = modules()
    assert wrong_imports(module, known[module].read_text(encoding="utf-8"), set(known)) == []


@pytest.mark.parametrize("module", [name for name in modules() if layer(name) == layer("corslint.report")])
def test_reports_know_nothing_but_the_model(module: str) -> None:
    known = modules()
    below = {name for _, name in imports(known[module].read_text(encoding="utf-8"), set(known))}
    assert {name for name in below if not name.startswith(_UNDER_REPORTS)} == set()


@pytest.mark.parametrize(
    ("module", "source", "wrong"),
    [
        ("corslint.source", "from corslint.model import tri", ["corslint.source:1 imports corslint.model.tri"]),
        ("corslint.model.facts", "from corslint import source", []),
        ("corslint.model.facts", "from corslint import lint", ["corslint.model.facts:1 imports corslint.lint"]),
        ("corslint.extract", "import corslint.behaviour", ["corslint.extract:1 imports corslint.behaviour"]),
        (
            "corslint.project.link",
            "import corslint.project.topology",
            ["corslint.project.link:1 imports corslint.project.topology"],
        ),
        ("corslint.project.topology", "from corslint.project import link", []),
        ("corslint.engine", "def f():\n    from corslint import cli", ["corslint.engine:2 imports corslint.cli"]),
        ("corslint.engine", "import os, yaml\nfrom corslint import __version__", []),
    ],
)
def test_the_test_itself(module: str, source: str, wrong: list[str]) -> None:
    assert wrong_imports(module, source, {*modules(), "corslint.source", "corslint.lint", "corslint.cli"}) == wrong


def test_every_layer_exists() -> None:
    known = modules()
    assert [name for name in LAYERS if name not in known] == []
