"""The benchmark: pairs are compared with pairs, trees are the same for everybody, and a bound that fails is said."""

from __future__ import annotations

import hashlib
import importlib
import sys
import sysconfig
from pathlib import Path
from types import ModuleType

import pytest
import yaml

from corslint import lint

SCRIPTS = Path(__file__).parent.parent / "scripts"


@pytest.fixture(autouse=True)
def scripts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(SCRIPTS))


def _module(name: str) -> ModuleType:
    return importlib.import_module(f"benchmark.{name}")


def test_runs_are_compared_pair_by_pair() -> None:
    measure = _module("measure")
    slow = measure.Series(tuple(measure.Run(wall, 1.0, 10.0) for wall in (2.0, 40.0, 6.0)))
    fast = measure.Series(tuple(measure.Run(wall, 1.0, 20.0) for wall in (1.0, 10.0, 2.0)))
    found = measure.ratio({"slow": slow, "fast": fast}, "slow", "fast")
    assert (found.median, found.least, found.most) == (3.0, 2.0, 4.0)
    assert str(found) == "3.00 (2.00 to 4.00)"
    assert (slow.wall, fast.memory) == (6.0, 20.0)


def test_tools_run_in_turn_and_a_failure_is_no_figure(tmp_path: Path) -> None:
    measure = _module("measure")
    log = tmp_path / "log"
    script = "import sys; open(sys.argv[1], 'a').write(sys.argv[2])"
    tools = [measure.Tool(name, (sys.executable, "-c", script, str(log), name)) for name in "ab"]
    found = measure.interleaved(tools, 2)
    assert log.read_text() == "ababab"  # with the round that does not count
    assert [len(found[name].runs) for name in "ab"] == [2, 2]
    assert all(run.wall > 0 and run.memory > 1 for run in found["a"].runs)
    with pytest.raises(RuntimeError, match="c ended with 3: went wrong"):
        measure.measured(measure.Tool("c", (sys.executable, "-c", "print('went wrong'); raise SystemExit(3)")))


def test_semgrep_is_asked_what_corslint_asks() -> None:
    asked = yaml.safe_load(_module("peers").SEMGREP_RULES.read_text(encoding="utf-8"))["rules"]
    names = [rule["id"].removeprefix("python-") for rule in asked]
    known = {rule.id for rule in lint.knowledge().rules}
    assert [name for name in names if name not in known] == []
    assert len(names) >= 30
    assert {language for rule in asked for language in rule["languages"]} == {"javascript", "typescript", "python"}


def test_a_bound_that_does_not_hold_is_said() -> None:
    page, measure = _module("page"), _module("measure")
    ratio = measure.Ratio(2.0, 1.0, 3.0)
    lines = [
        page.Line("cold", "ripgrep", ratio, "wall", 2.0),
        page.Line("warm", "ripgrep", ratio, "cpu", 0.7),
        page.Line("semgrep", "cold", ratio, "wall", 25, at_least=True),
        page.Line("cold", "ESLint", ratio, "wall"),
    ]
    part = page.Part("A tree", "Many files.", lines, [page.Memory("cold", 65, 64), page.Memory("ripgrep", 900)])
    assert part.broken == [
        "warm beside ripgrep: 2.00 (1.00 to 3.00)",
        "semgrep beside cold: 2.00 (1.00 to 3.00)",
        "cold: 65 MiB",
    ]
    text = page.written([part], ["semgrep"], 7)
    assert "| warm | ripgrep (processor time) | 2.00 (1.00 to 3.00) | at most 0.7 |" in text
    assert "| semgrep | cold | 2.00 (1.00 to 3.00) | at least 25 |" in text
    assert "left out: semgrep." in text


def test_growth_is_told_beside_the_smallest() -> None:
    page, measure = _module("page"), _module("measure")
    series = {size: measure.Series((measure.Run(1.0, size / 100, 50.0),)) for size in (100, 400)}
    text = page.written([page.Part("Growth", "By files.", growth=[page.Growth("files", series)])], [], 1)
    assert "| 100 | 1.0 | 1.0 | 50 |" in text
    assert "| 400 | 4.0 | 4.0 | 50 |" in text


def _digest(folder: Path) -> str:
    whole = hashlib.sha256()
    for path in sorted(path for path in folder.rglob("*") if path.is_file() and ".git" not in path.parts):
        whole.update(f"{path.relative_to(folder)} ".encode())
        whole.update(path.read_bytes())
    return whole.hexdigest()


def test_trees_are_the_same_whenever_they_are_made(tmp_path: Path) -> None:
    trees = _module("trees")
    one, other = (trees.large(tmp_path / name, 40, 3) for name in ("one", "other"))
    assert _digest(one) == _digest(other)
    assert len(list((one / "src").rglob("*.ts"))) == 40
    assert _digest(trees.large(tmp_path / "third", 40, 3, seed=5)) != _digest(one)


def test_the_trees_hold_what_they_are_for(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from corslint import cli

    trees = _module("trees")
    made = trees.findings(tmp_path / "findings", 3)
    assert cli.run(["check", "--output-format", "concise", str(made)]) == 1
    assert capsys.readouterr().out.count("[reflected-origin-with-credentials]") == 3
    for repository in trees.repositories(tmp_path, 2):
        assert cli.run(["check", "--output-format", "concise", str(repository)]) in (0, 1)
    capsys.readouterr()


def test_a_fleet_is_measured_beside_a_process_each(tmp_path: Path) -> None:
    corslint = Path(sysconfig.get_path("scripts")) / "corslint"
    if not corslint.exists():
        pytest.skip("corslint is not installed")
    found = _module("fleet").part(str(corslint), tmp_path, 1000, 1)
    assert [line.beside for line in found.lines][:2] == ["`corslint fleet` with 10 repositories", "the first run"]
    assert all(line.ratio.median > 0 for line in found.lines)
    assert sorted(path.name for path in (tmp_path / "all").iterdir()) == [f"repository{number}" for number in range(10)]
    assert found.memory[0].most > 1
