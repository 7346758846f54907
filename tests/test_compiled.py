"""The compiled rules and descriptors are what the YAML files say, on every run and whatever happened to the copy."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from corslint import compiled, resources, ruleset
from corslint.frameworks import catalog
from corslint.ruleset import RuleError


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A package's folder with one rule and one descriptor, in place of the real one."""
    folder = tmp_path / "corslint"
    (folder / "frameworks").mkdir(parents=True)
    (folder / "rules").mkdir()
    for source, to in (
        (resources.rules_folder() / "stateful-origin-regex.yaml", "rules"),
        (resources.frameworks_folder() / "koa.yaml", "frameworks"),
    ):
        (folder / to / source.name).write_bytes(source.read_bytes())
    monkeypatch.setattr(resources, "PACKAGE", str(folder))
    monkeypatch.setattr(resources, "RULES", str(folder / "rules"))
    monkeypatch.setattr(resources, "FRAMEWORKS", str(folder / "frameworks"))
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    return folder


def _kept(package: Path) -> Path:
    (file,) = package.rglob("__pycache__/knowledge.json")
    return file


def _reads(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """The rule files that are read as YAML from now on."""
    read: list[Path] = []
    real = ruleset.load_file

    def noted(path: Path, *, examples: bool = True) -> ruleset.Rule:
        read.append(path)
        return real(path, examples=examples)

    monkeypatch.setattr(ruleset, "load_file", noted)
    return read


def test_it_is_what_the_files_say() -> None:
    rules, described = compiled.load()
    folder = resources.rules_folder()
    fresh = ruleset.load([folder], [folder])
    assert dict(rules.rules) == dict(fresh.rules)
    assert list(described.descriptors) == list(catalog.load(resources.frameworks_folder(), examples=False).descriptors)


def test_the_second_run_reads_no_yaml(package: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read = _reads(monkeypatch)
    first = compiled.load()[0]
    assert [path.name for path in read] == ["stateful-origin-regex.yaml"]
    read.clear()
    assert dict(compiled.load()[0].rules) == dict(first.rules)
    assert read == []
    assert first["stateful-origin-regex"].path == str(package / "rules" / "stateful-origin-regex.yaml")


@pytest.mark.parametrize("change", ["rewritten", "added", "removed", "code"])
def test_every_change_is_seen(package: Path, change: str) -> None:
    compiled.load()
    rule = package / "rules" / "stateful-origin-regex.yaml"
    if change == "rewritten":  # to the same size
        stat = rule.stat()
        rule.write_bytes(rule.read_bytes().replace(b"severity: error", b"severity: notes"[:15]))
        os.utime(rule, ns=(stat.st_atime_ns, stat.st_mtime_ns + 1))
        with pytest.raises(RuleError, match="notes"):
            compiled.load()
    elif change == "added":
        text = rule.read_text(encoding="utf-8").replace("id: stateful-origin-regex", "id: another")
        (package / "rules" / "another.yaml").write_text(text, encoding="utf-8")
        assert set(compiled.load()[0].rules) == {"another", "stateful-origin-regex"}
    elif change == "removed":
        rule.unlink()
        assert set(compiled.load()[0].rules) == set()
    else:
        before = _kept(package).read_bytes()
        (package / "frameworks" / "catalog.py").write_text("# other code\n")
        compiled.load()
        assert _kept(package).read_bytes() != before


@pytest.mark.parametrize("damage", ["cut", "empty", "binary", "one byte", "folder"])
def test_a_damaged_copy_is_made_again(package: Path, damage: str) -> None:
    rules = compiled.load()[0]
    file = _kept(package)
    whole = file.read_bytes()
    other = whole[:-9] + bytes([whole[-9] ^ 1]) + whole[-8:]
    file.unlink()
    if damage == "folder":
        file.mkdir()
    else:
        file.write_bytes({"cut": whole[:-9], "empty": b"", "binary": b"\xff\xfe" + whole, "one byte": other}[damage])
    assert dict(compiled.load()[0].rules) == dict(rules.rules)
    if damage != "folder":
        assert file.read_bytes() == whole
    assert [path.name for path in file.parent.iterdir()] == ["knowledge.json"]


def test_where_python_writes_no_byte_code_nothing_is_kept(package: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    compiled.load()
    assert list(package.rglob("knowledge.json*")) == []


def test_what_a_wheel_brings_counts_as_long_as_the_files_are_the_same(
    package: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (package / compiled.SHIPPED).write_text(compiled.compiled(), encoding="utf-8")
    read = _reads(monkeypatch)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    assert set(compiled.load()[0].rules) == {"stateful-origin-regex"}
    assert read == []
    rule = package / "rules" / "stateful-origin-regex.yaml"
    rule.write_bytes(rule.read_bytes() + b"\n")
    assert set(compiled.load()[0].rules) == {"stateful-origin-regex"}
    assert read == [rule]


def test_a_run_with_the_copy_loads_no_yaml_library(tmp_path: Path) -> None:
    (tmp_path / "app.js").write_text("require('express')().use(require('cors')({ credentials: true }));\n")
    program = (
        "import sys; sys.argv = ['corslint', 'check', '--isolated', 'app.js']\n"
        "import os; end = os._exit\n"
        "heavy = {'yaml', 'tomllib', 'libcst', 'crossplane', 'subprocess', 'importlib.resources', 'jsonschema'}\n"
        "os._exit = lambda code: (print(sorted(heavy & set(sys.modules)), flush=True), end(code))\n"
        "from corslint.cli import main\n"
        "main()"
    )
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    environment["PYTHONPYCACHEPREFIX"] = str(tmp_path / "cache")
    for expected in ("yaml", None):
        done = subprocess.run(
            [sys.executable, "-c", program], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 1, done.stderr
        assert done.stdout.splitlines()[-1] == repr([expected] if expected else [])
