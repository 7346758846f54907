"""requirements/ fits pyproject.toml, and `make` installs what stands there and nothing else."""

from __future__ import annotations

import importlib
import importlib.metadata
import re
import subprocess
import sys
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parent.parent
SCRIPTS = ROOT / "scripts"


@pytest.fixture(autouse=True)
def scripts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(SCRIPTS))


def lock() -> Any:
    return importlib.import_module("lock")


def project() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def texts() -> dict[str, str]:
    return {path.stem: path.read_text(encoding="utf-8") for path in (ROOT / "requirements").glob("*.txt")}


def wrong(given: Mapping[str, Any], files: Mapping[str, str]) -> list[str]:
    return list(dict.fromkeys(lock().check(given, files)))


def test_the_locks_fit_the_project() -> None:
    assert wrong(project(), texts()) == []
    done = subprocess.run(
        [sys.executable, "scripts/lock.py", "check"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_there_is_one_file_for_each_lock() -> None:
    assert sorted(texts()) == sorted(lock().LOCKS)


def test_no_file_names_an_index_or_a_folder() -> None:
    allowed = re.compile(
        r"#.*|    --hash=sha256:[0-9a-f]{64}(?: \\)?"
        r"|[a-z0-9-]+==[A-Za-z0-9.+]+(?: ; (?:\w+ (?:==|!=|<|>=) '[\w.*]+'(?: and | or |(?= )))+)? \\"
    )
    unknown = [line for text in texts().values() for line in text.splitlines() if not allowed.fullmatch(line)]
    assert unknown == []


def test_nothing_that_is_locked_needs_what_is_not() -> None:
    """As far as it is installed here at the locked version."""
    _, environment = next(iter(lock().environments()))
    locked = {one.name: one for one in lock().packages(texts()["development"])}
    seen = 0
    for name, one in locked.items():
        try:
            there = importlib.metadata.distribution(name)
        except importlib.metadata.PackageNotFoundError:
            continue
        if there.version != one.version:
            continue
        seen += 1
        needs = [Requirement(text) for text in there.requires or ()]
        for need in needs:
            if need.marker is None or need.marker.evaluate(environment):
                version = locked[canonicalize_name(need.name)].version
                assert need.specifier.contains(version, prereleases=True), (name, str(need), version)
    assert seen > 50


def changed(name: str, pattern: str, becomes: str) -> list[str]:
    """What is wrong after that change of a file; versions, which `make lock` raises, as `V`."""
    files = texts()
    files[name] = re.sub(pattern, becomes, files[name], count=1, flags=re.MULTILINE)
    return [re.sub(r"(?<=[=>]=)\d[\w.]*", "V", line) for line in wrong(project(), files)]


def test_a_version_out_of_range_is_noticed() -> None:
    assert changed("runtime", "^click==[0-9.]+", "click==9.0.0") == [
        "requirements/runtime.txt: click 9.0.0 is not in <9,>=V",
        "requirements/runtime.txt: click==V is otherwise in development.txt",
    ]


def test_a_package_that_some_python_lacks_is_noticed() -> None:
    assert changed("runtime", r"^regex==(\S+)", r"regex==\1 ; python_version < '3.14'") == [
        "requirements/runtime.txt: regex is missing for Python 3.14 on Linux",
        "requirements/runtime.txt: regex is missing for Python 3.14 on macOS",
        "requirements/runtime.txt: regex is missing for Python 3.14 on Windows",
        'requirements/runtime.txt: regex==V; python_version < "3.14" is otherwise in development.txt',
    ]


def test_a_range_is_no_lock() -> None:
    assert changed("build", "^editables==", "editables>=") == [
        r"requirements/build.txt: `editables>=V \` is no package at one version with hashes of its files",
        *(
            f"requirements/build.txt: editables is missing for Python {python} on {system}"
            for system in ("Linux", "macOS", "Windows")
            for python in ("3.11", "3.12", "3.13", "3.14")
        ),
    ]


@pytest.mark.parametrize("line", ["--index-url https://example.com/simple", "./editables.whl", "editables"])
def test_anything_else_is_no_lock(line: str) -> None:
    assert changed("build", r"\Z", f"{line}\n") == [
        f"requirements/build.txt: `{line}` is no package at one version with hashes of its files"
    ]


def test_other_files_of_a_package_are_noticed() -> None:
    assert changed("build", "sha256:[0-9a-f]{4}", "sha256:0000") == [
        "requirements/build.txt: editables==V is otherwise in development.txt"
    ]


def test_a_file_that_is_missing_is_noticed() -> None:
    assert changed("documentation", "(?s).+", "")[0] == "requirements/documentation.txt is missing"


def test_a_dependency_that_was_added_is_noticed() -> None:
    given = project()
    given["project"]["dependencies"].append("example>=1; sys_platform == 'win32'")
    given["build-system"]["requires"].append("example>=1")
    assert wrong(given, texts()) == [
        "pyproject.toml: the group `build` lacks something that `build-system` requires",
        *(
            f"requirements/{name}.txt: example is missing for Python {python} on Windows"
            for name in ("development", "documentation", "runtime")
            for python in ("3.11", "3.12", "3.13", "3.14")
        ),
    ]


def test_make_installs_what_is_locked_and_the_checkout_without_asking_for_more() -> None:
    lines = (ROOT / "Makefile").read_text(encoding="utf-8").splitlines()
    installing = [
        line.strip() for line in lines if re.match(r"\t.*(?:\$\(PIP\)|\$\(LOCKED\)|\$\(CHECKOUT\)|pip install)", line)
    ]
    files = [f"$(LOCKED) {' '.join(f'--requirement requirements/{one}.txt' for one in some)}" for some in (
        ("runtime", "build"), ("development",), ("documentation", "build"),
    )]  # fmt: skip
    assert installing == [
        *(line for file in files for line in (file, "$(CHECKOUT)")),
        "-$(PIP) 'atheris>=3,<4'",  # not everywhere to be had, and for `make fuzz` alone
    ]
    assert "LOCKED := $(PIP) --require-hashes" in lines
    assert "CHECKOUT := $(PIP) --no-deps --no-build-isolation --editable ." in lines


def test_the_pythons_are_those_that_the_project_names() -> None:
    given = project()["project"]
    named = [one.rpartition(" :: ")[2] for one in given["classifiers"] if re.search(r":: 3\.\d+$", one)]
    assert tuple(named) == lock().PYTHONS
    assert given["requires-python"] == f">={lock().PYTHONS[0]}"
