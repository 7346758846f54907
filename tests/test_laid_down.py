"""New rules and descriptors: what is laid down can be loaded, and is refused until everything in it is filled in."""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
from pathlib import Path
from types import ModuleType

import pytest

from corslint import lint, resources, rulefiles
from corslint.frameworks import descriptors
from tests import descriptor_examples, examples

ROOT = Path(__file__).resolve().parent.parent


def _script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("lay_down", ROOT / "scripts" / "lay_down.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


lay_down = _script()
_FILES = sorted([*Path(resources.rules_folder()).glob("*.yaml"), *Path(resources.frameworks_folder()).glob("*.yaml")])


@pytest.mark.parametrize("path", _FILES, ids=lambda path: path.name)
def test_nothing_is_left_to_fill_in(path: Path) -> None:
    left = lay_down.left(path.read_text(encoding="utf-8"))
    if left:
        pytest.fail("\n".join(f"{path.name}:{line}: still to fill in: {what}" for line, what in left), pytrace=False)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """An empty repository."""
    (tmp_path / lay_down.RULES).mkdir()
    (tmp_path / lay_down.LIBRARIES).mkdir(parents=True)
    return tmp_path


def known(root: Path) -> lint.Knowledge:
    """What corslint knows with the files that were laid down there."""
    rules = rulefiles.load([root / lay_down.RULES])
    libraries = descriptors.load(root / lay_down.LIBRARIES)
    built_in = lint.knowledge()
    return lint.Knowledge(rules, libraries if libraries.descriptors else built_in.catalog)


def test_a_rule(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert lay_down.main(["rule", "star-for-all", "--root", str(root)]) == 0
    file = root / "rules" / "star-for-all.yaml"
    text = file.read_text(encoding="utf-8")
    left = lay_down.left(text)
    assert capsys.readouterr().out == (
        f"rules/star-for-all.yaml: {len(left)} lines say FILL IN; tests/test_laid_down.py fails until none does\n"
    )
    assert left[0] == (3, "the fault in a few words, as `corslint rule` lists it")
    assert {line for line, _ in left} == {
        number for number, line in enumerate(text.splitlines(), 1) if "FILL IN" in line
    }
    with pytest.raises(
        pytest.fail.Exception, match=r"star-for-all\.yaml:3: still to fill in: the fault in a few words"
    ):
        test_nothing_is_left_to_fill_in(file)
    [laid] = known(root).rules.rules.values()
    assert [each.clean for each in laid.examples] == [False, True]
    assert examples.trouble(laid.id, laid.examples[0], known(root)) is not None


def test_a_rule_that_was_filled_in(root: Path) -> None:
    lay_down.rule("star-for-all", root)
    file = root / "rules" / "star-for-all.yaml"
    text = file.read_text(encoding="utf-8")
    text = text.replace("cors(⟦⟧)", "⟦cors()⟧").replace("at: policy.origin", "at: policy")
    lines = [
        line if line.lstrip().startswith(("#", "//")) is False else ""
        for line in text.replace("FILL IN: ", "").splitlines()
    ]
    file.write_text("\n".join(line.partition(" # ")[0] for line in lines) + "\n", encoding="utf-8")
    test_nothing_is_left_to_fill_in(file)
    [filled] = known(root).rules.rules.values()
    assert [examples.trouble(filled.id, each, known(root)) for each in filled.examples] == [None, None]


@pytest.mark.parametrize(
    ("arguments", "package", "callee"),
    [
        (["no-such-cors"], ("npm", "no-such-cors"), "no-such-cors#default"),
        (["no-such.cors", "--package", "@no-such/cors"], ("npm", "@no-such/cors"), "@no-such/cors#default"),
        (["no-such-cors", "--language", "python"], ("pypi", "no-such-cors"), "no_such_cors#CORS"),
        (
            ["no-such-cors", "--language", "python", "--package", "No.Such-Cors"],
            ("pypi", "No.Such-Cors"),
            "no_such_cors#CORS",
        ),
    ],
)
def test_a_library(root: Path, arguments: list[str], package: tuple[str, str], callee: str) -> None:
    assert lay_down.main(["library", *arguments, "--root", str(root)]) == 0
    file = root / lay_down.LIBRARIES / f"{arguments[0]}.yaml"
    left = lay_down.left(file.read_text(encoding="utf-8"))
    assert left[0] == (3, "how messages call the library")
    with pytest.raises(pytest.fail.Exception, match=rf"{arguments[0]}\.yaml:3: still to fill in: how messages call"):
        test_nothing_is_left_to_fill_in(file)
    [laid] = known(root).catalog.descriptors
    assert laid.words == (callee.partition("#")[0].encode(),)
    assert ((laid.ecosystem, laid.package), laid.calls[0].callee) == (package, (callee,))
    # What it says so far holds together: nothing but the words is missing.
    assert [descriptor_examples.trouble(laid, each, known(root)) for each in laid.examples] == [None, None]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["rule", ""], "'' is no name for a rule: words in lower case with hyphens, like `origin-glob`"),
        (["rule", "Origin-Glob"], "'Origin-Glob' is no name for a rule"),
        (["rule", "origin_glob"], "'origin_glob' is no name for a rule"),
        (["rule", "origin glob"], "'origin glob' is no name for a rule"),
        (["rule", "origin-"], "'origin-' is no name for a rule"),
        (["rule", "4-origins"], "'4-origins' is no name for a rule"),
        (["rule", "origin.glob"], "'origin.glob' is no name for a rule"),
        (["rule", "../origin"], "'../origin' is no name for a rule"),
        (["library", ""], "'' is no name for a library: lower case with hyphens or dots, like `koa-cors`"),
        (["library", "Koa"], "'Koa' is no name for a library"),
        (["library", "@koa/cors"], "'@koa/cors' is no name for a library"),
        (["library", "../koa"], "'../koa' is no name for a library"),
        (["library", "koa..cors"], "'koa..cors' is no name for a library"),
        (["library", "koa", "--package", "a b"], "'a b' is no name of a package"),
        (["library", "koa", "--package", "../x"], "'../x' is no name of a package"),
    ],
)
def test_names_that_are_refused(
    root: Path, arguments: list[str], says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert lay_down.main([*arguments, "--root", str(root)]) == 2
    assert capsys.readouterr().err.startswith(f"lay_down: {says}")
    assert [path for path in root.rglob("*") if path.is_file()] == []


@pytest.mark.parametrize("kind", ["rule", "library"])
def test_nothing_is_overwritten(root: Path, kind: str, capsys: pytest.CaptureFixture[str]) -> None:
    folder = lay_down.RULES if kind == "rule" else lay_down.LIBRARIES
    (root / folder / "mine.yaml").write_text("id: mine\n", encoding="utf-8")
    assert lay_down.main([kind, "mine", "--root", str(root)]) == 2
    assert (
        capsys.readouterr().err
        == f"lay_down: {(folder / 'mine.yaml').as_posix()} is there already; nothing was written\n"
    )
    assert (root / folder / "mine.yaml").read_text(encoding="utf-8") == "id: mine\n"


@pytest.mark.skipif(shutil.which("make") is None, reason="needs make")
def test_the_targets_of_make(root: Path) -> None:
    """They need no installation, and hand their variables on as they are."""
    (root / "scripts").mkdir()
    shutil.copy(lay_down.ROOT / "Makefile", root)
    shutil.copy(lay_down.ROOT / "scripts" / "lay_down.py", root / "scripts")

    def make(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(["make", "-s", *arguments], cwd=root, capture_output=True, text=True, check=False)

    assert make("new-rule", "NAME=star-for-all").stdout.startswith("rules/star-for-all.yaml: ")
    made = make("new-library", "NAME=no-such", "LANGUAGE=python", "PACKAGE=No_Such")
    assert made.stdout.startswith("corslint/frameworks/no-such.yaml: ")
    assert 'name: "No_Such"' in (root / lay_down.LIBRARIES / "no-such.yaml").read_text(encoding="utf-8")
    for target in ("new-rule", "new-library"):
        refused = make(target)
        assert refused.returncode != 0
        assert "lay_down: '' is no name for a " in refused.stderr
        assert make(target, "NAME=a b; touch hit").returncode != 0
    assert not (root / "hit").exists()
