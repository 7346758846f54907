"""The compiled rules and descriptors are what the YAML files say, on every run and whatever happened to the copy."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from corslint import compiled, resources, rulefiles, ruleset
from corslint.frameworks import catalog, descriptors
from corslint.rulefiles import RuleError
from tests.test_snapshot import comparable


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
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
    compiled._state.cache_clear()
    yield folder
    compiled._state.cache_clear()


def _loaded() -> tuple[ruleset.RuleSet, catalog.Catalog]:
    """What another process would load: each looks once at which files there are."""
    compiled._state.cache_clear()
    return compiled.load()


def _kept(package: Path) -> Path:
    (file,) = package.rglob("__pycache__/knowledge.json")
    return file


def _reads(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """The rule files that are read as YAML from now on."""
    read: list[Path] = []
    real = rulefiles.load_file

    def noted(path: Path, *, examples: bool = True) -> ruleset.Rule:
        read.append(path)
        return real(path, examples=examples)

    monkeypatch.setattr(rulefiles, "load_file", noted)
    return read


def test_it_is_what_the_files_say() -> None:
    rules, described = _loaded()
    folder = resources.rules_folder()
    fresh = rulefiles.load([folder], [folder])
    assert dict(rules.rules) == dict(fresh.rules)
    assert comparable(described) == comparable(descriptors.load(resources.frameworks_folder(), examples=False))


def test_the_second_run_reads_no_yaml(package: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read = _reads(monkeypatch)
    first = _loaded()[0]
    assert [path.name for path in read] == ["stateful-origin-regex.yaml"]
    read.clear()
    assert dict(_loaded()[0].rules) == dict(first.rules)
    assert read == []
    assert first["stateful-origin-regex"].path == str(package / "rules" / "stateful-origin-regex.yaml")


@pytest.mark.parametrize("change", ["rewritten", "added", "removed", "code"])
def test_every_change_is_seen(package: Path, change: str) -> None:
    _loaded()
    rule = package / "rules" / "stateful-origin-regex.yaml"
    if change == "rewritten":  # to the same size
        stat = rule.stat()
        rule.write_bytes(rule.read_bytes().replace(b"severity: error", b"severity: notes"[:15]))
        os.utime(rule, ns=(stat.st_atime_ns, stat.st_mtime_ns + 1))
        with pytest.raises(RuleError, match="notes"):
            _loaded()
    elif change == "added":
        text = rule.read_text(encoding="utf-8").replace("id: stateful-origin-regex", "id: another")
        (package / "rules" / "another.yaml").write_text(text, encoding="utf-8")
        assert set(_loaded()[0].rules) == {"another", "stateful-origin-regex"}
    elif change == "removed":
        rule.unlink()
        assert set(_loaded()[0].rules) == set()
    else:
        before = _kept(package).read_bytes()
        (package / "frameworks" / "catalog.py").write_text("# other code\n")
        _loaded()
        assert _kept(package).read_bytes() != before


@pytest.mark.parametrize("damage", ["cut", "empty", "binary", "one byte", "folder"])
def test_a_damaged_copy_is_made_again(package: Path, damage: str) -> None:
    rules = _loaded()[0]
    file = _kept(package)
    whole = file.read_bytes()
    other = whole[:-9] + bytes([whole[-9] ^ 1]) + whole[-8:]
    file.unlink()
    if damage == "folder":
        file.mkdir()
    else:
        file.write_bytes({"cut": whole[:-9], "empty": b"", "binary": b"\xff\xfe" + whole, "one byte": other}[damage])
    assert dict(_loaded()[0].rules) == dict(rules.rules)
    if damage != "folder":
        assert file.read_bytes() == whole
    assert [path.name for path in file.parent.iterdir()] == ["knowledge.json"]


def test_where_python_writes_no_byte_code_nothing_is_kept(package: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    _loaded()
    assert list(package.rglob("knowledge.json*")) == []


OWN = """id: our-rule
severity: error
effect: policy
match:
  - {name: policy, fact: cors_policy}
report: {at: policy, message: ours, help: Remove it.}
examples:
  - name: fires
    files: {a.js: "require('express')().use(⟦require('cors')()⟧);"}
  - name: silent
    clean: true
    files: {a.js: ""}
"""


def _own(tmp_path: Path, text: str = OWN) -> str:
    folder = tmp_path / "our-rules"
    folder.mkdir(exist_ok=True)
    (folder / "our-rule.yaml").write_text(text, encoding="utf-8")
    return str(folder)


def test_rules_of_a_users_own_are_compiled_once(package: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = _own(tmp_path)
    first, _ = compiled.load_with([folder])
    read = _reads(monkeypatch)
    again, _ = compiled.load_with([folder])
    assert read == []
    assert list(again.rules) == list(first.rules) == ["our-rule", "stateful-origin-regex"]
    assert dict(again.rules) == dict(first.rules)
    assert dict(again.kinds) == dict(first.kinds)
    assert again["our-rule"].path == str(Path(folder) / "our-rule.yaml")
    assert len(again) == 2


def test_a_changed_rule_of_a_users_own_counts_at_once(package: Path, tmp_path: Path) -> None:
    folder = _own(tmp_path)
    compiled.load_with([folder])
    stat = (Path(folder) / "our-rule.yaml").stat()
    _own(tmp_path, OWN.replace("message: ours", "message: mine"))
    os.utime(Path(folder) / "our-rule.yaml", ns=(stat.st_atime_ns, stat.st_mtime_ns))  # the same size and time
    assert compiled.load_with([folder])[0]["our-rule"].cases[0].message == ("mine",)
    _own(tmp_path, OWN.replace("severity: error", "severity: grave"))
    for _ in range(2):
        with pytest.raises(RuleError, match="grave"):
            compiled.load_with([folder])
    with pytest.raises(RuleError, match="cannot be read"):
        compiled.load_with([str(tmp_path / "nowhere")])


def test_few_sets_of_own_rules_are_remembered(package: Path, tmp_path: Path) -> None:
    for number in range(compiled.OWN_KEPT + 3):
        compiled.load_with([_own(tmp_path, OWN.replace("message: ours", f"message: m{number}"))])
    assert len(list(package.rglob("own-*.json"))) == compiled.OWN_KEPT


def test_what_a_wheel_brings_counts_as_long_as_the_files_are_the_same(
    package: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (package / compiled.SHIPPED).write_bytes(compiled.compiled())
    read = _reads(monkeypatch)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    assert set(_loaded()[0].rules) == {"stateful-origin-regex"}
    assert read == []
    rule = package / "rules" / "stateful-origin-regex.yaml"
    rule.write_bytes(rule.read_bytes() + b"\n")
    assert set(_loaded()[0].rules) == {"stateful-origin-regex"}
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
