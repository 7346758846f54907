"""Rules, descriptors and schemas reach whoever installs corslint: by wheel, by sdist, and in an editable way."""

from __future__ import annotations

import importlib
import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from pathlib import Path
from typing import Any

import pytest

from tests.lab.installation import required

pytestmark = pytest.mark.xdist_group("packaging")  # one build is enough

ROOT = Path(__file__).parent.parent
SHIPPED = (
    *("CHANGELOG.md", "CONTRIBUTING.md", "LICENSE", "Makefile", "README.md", "pyproject.toml"),
    *("corslint", "rules", "scripts"),
)

WHAT_IS_THERE = """
import json
from pathlib import Path
import corslint
from corslint import resources
print(json.dumps({
    "package": corslint.__file__,
    "rules": sorted(path.name for path in resources.rules_folder().glob("*.yaml")),
    "frameworks": sorted(path.name for path in resources.frameworks_folder().glob("*.yaml")),
    "schemas": sorted(path.name for path in resources.schema_file("x").parent.glob("*.json")),
}))
"""


def run(*arguments: str, cwd: Path, path: Path | None = None) -> str:
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    if path is not None:
        environment["PYTHONPATH"] = str(path)
    done = subprocess.run(
        [sys.executable, *arguments], cwd=cwd, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def expected() -> dict[str, list[str]]:
    return {
        "rules": sorted(path.name for path in (ROOT / "rules").glob("*.yaml")),
        "frameworks": sorted(path.name for path in (ROOT / "corslint" / "frameworks").glob("*.yaml")),
        "schemas": sorted(path.name for path in (ROOT / "corslint" / "schemas").glob("*.json")),
    }


def found_in(folder: Path, cwd: Path) -> tuple[Path, dict[str, list[str]]]:
    """Which package runs with `folder` on the path, and what it finds."""
    found = json.loads(run("-c", WHAT_IS_THERE, cwd=cwd, path=folder))
    return Path(found.pop("package")), found


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the repository, so that a build leaves nothing behind in it."""
    folder = tmp_path_factory.mktemp("checkout")
    for name in SHIPPED:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(ROOT / name, folder / name)
    return folder


def script(name: str) -> Any:
    """One of `scripts/`."""
    sys.path.insert(0, str(ROOT / "scripts"))
    try:
        return importlib.import_module(name)
    finally:
        sys.path.pop(0)


@pytest.fixture(scope="module")
def built(checkout: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the sdist, and the wheel made from it, as `make dist` makes them.

    They are built twice and compared, byte for byte: in other folders, by other hash seeds, umasks, locales and time
    zones, of files that lie on the disk in another order and were changed at another time.
    """
    folder = tmp_path_factory.mktemp("built")
    packages = script("release").build_twice(checkout, folder)
    version = script("release").version_of(ROOT)
    assert [path.name for path in packages] == [f"corslint-{version}-py3-none-any.whl", f"corslint-{version}.tar.gz"]
    return folder


@pytest.fixture(scope="module")
def installed(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Python of a new environment in which the wheel is installed, with the locked packages that it needs."""
    (wheel,) = built.glob("*.whl")
    release = script("release")
    try:
        python: Path = release.environment_of(wheel, tmp_path_factory.mktemp("installed") / "venv")
    except release.ReleaseError as error:
        if required():
            raise
        pytest.skip(f"pip cannot install corslint: {str(error).strip()[-300:]}")
    return python


def test_there_is_something_to_ship() -> None:
    assert all(expected().values())


def test_the_wheel_carries_everything(built: Path, tmp_path: Path) -> None:
    (wheel,) = built.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path / "site")
    package, found = found_in(tmp_path / "site", tmp_path)
    assert package.parent == tmp_path / "site" / "corslint"
    assert found == expected()
    assert {entry.name.split("-")[0] for entry in (tmp_path / "site").iterdir()} == {"corslint"}
    assert (tmp_path / "site" / "corslint" / "py.typed").is_file(), "type checkers look into no package without it"
    listed = run("-m", "corslint", "rule", cwd=tmp_path, path=tmp_path / "site").splitlines()
    assert sorted(line.split()[0] + ".yaml" for line in listed) == expected()["rules"]
    (tmp_path / "app.js").write_text("require('express')().use(require('cors')({ credentials: true }));\n")
    facts = json.loads(run("-m", "corslint", "facts", "app.js", cwd=tmp_path, path=tmp_path / "site"))
    assert "cors_policy" in {fact["kind"] for fact in facts["facts"]}


def test_the_wheel_carries_the_rules_compiled(built: Path, tmp_path: Path) -> None:
    (wheel,) = built.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path / "site")
    program = (
        "import sys; sys.dont_write_bytecode = True\n"
        "from corslint import compiled; rules, catalog = compiled.load()\n"
        "print(len(rules), len(catalog.descriptors), 'yaml' in sys.modules)"
    )
    assert run("-c", program, cwd=tmp_path, path=tmp_path / "site").split() == [
        *(str(len(expected()[name])) for name in ("rules", "frameworks")),
        "False",
    ]


def test_the_wheel_from_a_checkout_is_the_one_from_the_sdist(built: Path, checkout: Path, tmp_path: Path) -> None:
    run("-m", "build", "--no-isolation", "--wheel", "--outdir", str(tmp_path), cwd=checkout)
    (direct,), (through_sdist,) = tmp_path.glob("*.whl"), built.glob("*.whl")
    assert direct.read_bytes() == through_sdist.read_bytes()


def test_a_wheel_names_no_folder_of_the_machine_that_built_it(built: Path) -> None:
    (wheel,) = built.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        named = [name for name in archive.namelist() if re.search(rb"/tmp/|/root/|/home/\w+/work", archive.read(name))]
        made = archive.read("corslint/knowledge.json")
    assert [name for name in named if name.endswith((".json", "METADATA", "RECORD", "WHEEL"))] == []
    assert str(ROOT).encode() not in made


@pytest.mark.parametrize("side", ["bad", "good"])
def test_an_installed_wheel_finds_what_the_checkout_finds(installed: Path, tmp_path: Path, side: str) -> None:
    shutil.copytree(ROOT / "fixtures" / "projects" / "chat" / side, tmp_path / "chat")
    command = ["-m", "corslint", "check", "--no-cache", "--output-format", "json", "chat"]
    program = installed.with_name("corslint")
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    ran = subprocess.run([program, *command[2:]], cwd=tmp_path, env=environment, capture_output=True, check=False)
    here = subprocess.run(
        [sys.executable, *command],
        cwd=tmp_path,
        env={**environment, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        check=False,
    )
    assert (ran.returncode, ran.stdout, ran.stderr) == (here.returncode, here.stdout, here.stderr)
    assert ran.returncode == {"bad": 1, "good": 0}[side]
    found = [f"{one['path']}:{one['line']}" for one in json.loads(ran.stdout)["findings"]] if side == "bad" else []
    assert (len(found) > 10) is (side == "bad")


def test_the_bill_of_materials_holds_what_is_installed(installed: Path) -> None:
    locked = script("lock").packages((ROOT / "requirements" / "runtime.txt").read_text(encoding="utf-8"))
    linux = [one for one in locked if one.requirement.marker is None]
    version = script("release").version_of(ROOT)
    document = script("release").sbom(installed, version)
    expected = {f"pkg:pypi/{one.name}@{one.version}" for one in linux}
    assert {one["purl"] for one in document["components"]} == expected
    root = document["metadata"]["component"]
    assert (root["name"], root["version"], root["purl"]) == ("corslint", version, f"pkg:pypi/corslint@{version}")
    needs = {one["ref"]: one.get("dependsOn", []) for one in document["dependencies"]}
    direct = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["dependencies"]
    assert len(needs[root["bom-ref"]]) == len(direct)
    assert str(installed.parent.parent) not in json.dumps(document)


def test_a_type_checker_reads_the_installed_package(installed: Path, tmp_path: Path) -> None:
    """No library interface is promised. What is typed in the package counts for who imports it all the same."""
    (tmp_path / "user.py").write_text("import corslint\n\nversion: str = corslint.__version__\nwrong: int = version\n")
    command = ["-m", "mypy", "--strict", "--python-executable", str(installed), "--cache-dir", os.devnull, "user.py"]
    done = subprocess.run([sys.executable, *command], cwd=tmp_path, capture_output=True, text=True, check=False)
    wrong = 'Incompatible types in assignment (expression has type "str", variable has type "int")  [assignment]'
    assert done.stdout.splitlines() == [f"user.py:4: error: {wrong}", "Found 1 error in 1 file (checked 1 source file)"]


def test_the_sdist_works_as_it_is(built: Path, tmp_path: Path) -> None:
    (sdist,) = built.glob("*.tar.gz")
    with tarfile.open(sdist) as archive:
        archive.extractall(tmp_path, filter="data")
    (folder,) = tmp_path.iterdir()
    package, found = found_in(folder, tmp_path)
    assert package.parent == folder / "corslint"
    assert found == expected()
    assert (folder / "LICENSE").is_file()


def test_an_editable_install_finds_the_rules_of_the_checkout(checkout: Path, tmp_path: Path) -> None:
    (tmp_path / "wheel").mkdir()
    build = "import sys; from hatchling.build import build_editable; build_editable(sys.argv[1])"
    run("-c", build, str(tmp_path / "wheel"), cwd=checkout)
    (wheel,) = (tmp_path / "wheel").glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path / "site")
    program = f"import site; site.addsitedir({str(tmp_path / 'site')!r})\n{WHAT_IS_THERE}"
    # -S -I: neither the environment's own editable install nor the working directory may answer instead.
    found = json.loads(run("-S", "-I", "-c", program, cwd=tmp_path))
    assert Path(found.pop("package")).parent == checkout / "corslint"
    assert found == expected()
    (checkout / "rules" / "new.yaml").write_text("id: new\n")
    try:
        assert "new.yaml" in json.loads(run("-S", "-I", "-c", program, cwd=tmp_path))["rules"]
    finally:
        (checkout / "rules" / "new.yaml").unlink()


def test_the_command_is_installed() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["scripts"] == {"corslint": "corslint.__main__:main"}
    assert project["requires-python"] == ">=3.11"
