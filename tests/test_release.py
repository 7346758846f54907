"""What has to hold before something is released, and how builds are compared."""

from __future__ import annotations

import hashlib
import importlib
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parent.parent

HOOK = """
import os
import time
from pathlib import Path
from hatchling.builders.hooks.plugin.interface import BuildHookInterface
class Hook(BuildHookInterface):
    def initialize(self, version, build_data):
        made = {}
        for name, text in made.items():
            Path(self.root, "corslint", name).write_text(str(text))
            build_data["artifacts"].append(f"corslint/{{name}}")
"""
PROJECT = """
[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"
[project]
name = "corslint"
version = "1.0"
requires-python = ">=3.11"
[tool.hatch.build.targets.wheel.hooks.custom]
path = "hook.py"
"""


@pytest.fixture
def release(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.syspath_prepend(str(ROOT / "scripts"))
    return importlib.import_module("release")


# --- tag, version and changelog --------------------------------------------------------------------------------------

CHANGELOG = "# Changelog\n\n## 1.2.0 - 2026-03-01\n\n### Added\n\n- Something.\n\n## 1.1.0 - 2026-01-01\n"


@pytest.mark.parametrize("changelog", [CHANGELOG, CHANGELOG.replace("## 1.2.0", "## Unreleased\n\n## 1.2.0")])
def test_a_release_agrees(release: Any, changelog: str) -> None:
    assert list(release.disagreements("v1.2.0", "1.2.0", changelog)) == []


@pytest.mark.parametrize(
    ("tag", "changelog", "expected"),
    [
        ("1.2.0", CHANGELOG, "the tag is 1.2.0, but corslint/__init__.py says 1.2.0: v1.2.0 is expected"),
        ("v1.2.1", CHANGELOG, "the tag is v1.2.1, but corslint/__init__.py says 1.2.0: v1.2.0 is expected"),
        (
            "v1.2.0",
            CHANGELOG.replace("## 1.2.0", "## Unreleased\n\n- More.\n\n## 1.2.0"),
            "CHANGELOG.md: what stands under `## Unreleased` belongs under `## 1.2.0 - YYYY-MM-DD`",
        ),
        (
            "v1.2.0",
            CHANGELOG.replace("1.2.0", "1.2.0rc1"),
            "CHANGELOG.md: the newest section is `1.2.0rc1 - 2026-03-01`: `1.2.0 - YYYY-MM-DD` is expected",
        ),
        (
            "v1.2.0",
            CHANGELOG.replace(" - 2026-03-01", ""),
            "CHANGELOG.md: the newest section is `1.2.0`: `1.2.0 - YYYY-MM-DD` is expected",
        ),
        ("v1.2.0", "", "CHANGELOG.md: the newest section is ``: `1.2.0 - YYYY-MM-DD` is expected"),
    ],
)
def test_what_does_not_agree_is_said(release: Any, tag: str, changelog: str, expected: str) -> None:
    assert list(release.disagreements(tag, "1.2.0", changelog)) == [expected]


def test_a_tag_that_is_no_release_is_refused(release: Any, capsys: pytest.CaptureFixture[str]) -> None:
    assert release.main(["agrees", "v0.0.0"]) == 1
    version = release.version_of(ROOT)
    said = f"release: the tag is v0.0.0, but corslint/__init__.py says {version}: v{version} is expected\n"
    assert capsys.readouterr().err.startswith(said)


def test_a_wrong_argument_is_said(release: Any, capsys: pytest.CaptureFixture[str]) -> None:
    assert release.main(["agrees"]) == 2
    assert "agrees TAG" in capsys.readouterr().err


# --- builds ----------------------------------------------------------------------------------------------------------


def project(at: Path, **made: str) -> Path:
    """A package whose build hook makes files of these names, of what the expressions give there."""
    (at / "corslint").mkdir(parents=True)
    (at / "corslint" / "__init__.py").write_text("", encoding="utf-8")
    (at / "pyproject.toml").write_text(PROJECT, encoding="utf-8")
    given = ", ".join(f"{name!r}: {expression}" for name, expression in made.items())
    (at / "hook.py").write_text(HOOK.replace("made = {}", f"made = {{{given}}}").replace("{{name}}", "{name}"))
    return at


def test_a_build_that_depends_on_its_surroundings_is_refused(release: Any, tmp_path: Path) -> None:
    source = project(
        tmp_path / "source",
        clock="time.time_ns()",
        folder="self.root",
        locale="os.environ['LC_ALL']",
        mask="os.umask(0)",
        nothing="'always'",
        seed="hash('x')",
        zone="time.tzname",
    )
    with pytest.raises(release.ReleaseError) as raised:
        release.build_twice(source, tmp_path / "dist")
    names = ", ".join(f"corslint/{name}" for name in ("clock", "folder", "locale", "mask", "seed", "zone"))
    assert str(raised.value) == (
        f"two builds of corslint-1.0-py3-none-any.whl differ: corslint-1.0.dist-info/RECORD, {names}"
    )
    assert not (tmp_path / "dist").exists(), "what cannot be built again is not released"


def test_a_build_that_does_not_is_kept(release: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = project(tmp_path / "source", nothing="'always'")
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1000000000")
    first = release.build_twice(source, tmp_path / "first")
    monkeypatch.delenv("SOURCE_DATE_EPOCH")
    second = release.build_twice(source, tmp_path / "second")
    assert [path.name for path in first] == ["corslint-1.0-py3-none-any.whl", "corslint-1.0.tar.gz"]
    assert [path.read_bytes() for path in first] == [path.read_bytes() for path in second]
    sums = [f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n" for path in second]
    assert release.checksums(first) == "".join(sums)


def test_a_build_that_fails_is_said(release: Any, tmp_path: Path) -> None:
    with pytest.raises(release.ReleaseError, match=r"(?s)^the build failed:\n.*ZeroDivisionError"):
        release.build_twice(project(tmp_path / "source", nothing="1 / 0"), tmp_path / "dist")
