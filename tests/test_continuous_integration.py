"""What docs/continuous-integration.md and its files promise: the steps of the action run, the examples are valid."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

import corslint
from corslint.report import FORMATS
from tests.lab.installation import required
from tests.test_hooks import INSTALLED

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "continuous-integration.md"
ACTION = ROOT / "action.yml"
WORKFLOWS = {path.stem: path for path in sorted((ROOT / ".github" / "workflows").iterdir())}
WILDCARD = "require('express')().use(require('cors')({ origin: '*', credentials: true }));\n"

pytestmark = pytest.mark.xdist_group("pre-commit")  # pip has the same packages to install


def document(path: Path) -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return loaded


@cache
def examples() -> dict[str, str]:
    """The YAML blocks of the page, by the heading above them; of several the last."""
    text = PAGE.read_text(encoding="utf-8")
    found = {}
    for heading, section in re.findall(r"^## (.+)\n((?:(?!^## ).*\n)*)", text, re.MULTILINE):
        for block in re.findall(r"^```yaml\n(.*?)^```$", section, re.MULTILINE | re.DOTALL):
            found[heading] = block
    return found


def schema(name: str) -> dict[str, Any]:
    """A schema of SchemaStore, as check-jsonschema ships it."""
    found = importlib.util.find_spec("check_jsonschema")
    assert found is not None
    assert found.origin is not None
    folder = Path(found.origin).parent / "builtin_schemas" / "vendor"
    loaded: dict[str, Any] = json.loads((folder / f"{name}.json").read_text(encoding="utf-8"))
    return loaded


def complaints(text: str, name: str) -> list[str]:
    validator = jsonschema.validators.validator_for(schema(name))(schema(name))
    # YAML 1.1, which Python reads, takes the key `on` for true.
    instance = {("on" if key is True else key): value for key, value in yaml.safe_load(text).items()}
    return [error.message for error in validator.iter_errors(instance)]


# --- valid by the consumers' own schemas -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("github-actions", ACTION.read_text(encoding="utf-8")),
        ("github-workflows", examples()["GitHub"]),
        *(("github-workflows", path.read_text(encoding="utf-8")) for path in WORKFLOWS.values()),
        ("dependabot", (ROOT / ".github" / "dependabot.yml").read_text(encoding="utf-8")),
        ("gitlab-ci", examples()["GitLab"]),
    ],
)
def test_the_schema_holds(name: str, text: str) -> None:
    assert complaints(text, name) == []


@pytest.mark.parametrize(
    ("name", "text", "change"),
    [
        ("github-actions", ACTION.read_text(encoding="utf-8"), ("shell: bash", "shall: bash")),
        ("github-workflows", examples()["GitHub"], ("runs-on", "run-on")),
        ("gitlab-ci", examples()["GitLab"], ("when: always", "when: ever")),
    ],
)
def test_the_schema_notices(name: str, text: str, change: tuple[str, str]) -> None:
    assert complaints(text.replace(*change), name)


def test_zizmor_finds_nothing_in_the_action_and_the_workflow(tmp_path: Path) -> None:
    (tmp_path / ".github" / "workflows").mkdir(parents=True)
    workflow = tmp_path / ".github" / "workflows" / "corslint.yml"
    workflow.write_text(examples()["GitHub"], encoding="utf-8")
    shutil.copy(ACTION, tmp_path / "action.yml")
    program = Path(sys.executable).with_name("zizmor")
    command = [str(program), "--offline", "--no-progress", "--format", "json", "."]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    # Which commits the tags are cannot be known here; the page says to pin them.
    assert {one["ident"] for one in json.loads(done.stdout)} <= {"unpinned-uses"}, done.stdout
    action = (tmp_path / "action.yml").read_text(encoding="utf-8")
    (tmp_path / "action.yml").write_text(action.replace('"$CORSLINT_ACTION_PATH/', '"${{ inputs.args }}/'))
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert {one["ident"] for one in json.loads(done.stdout)} - {"unpinned-uses"} == {"template-injection"}


def test_zizmor_finds_nothing_in_the_projects_own_workflows(tmp_path: Path) -> None:
    shutil.copytree(ROOT / ".github", tmp_path / ".github")
    program = Path(sys.executable).with_name("zizmor")
    command = [str(program), "--offline", "--no-progress", "--strict-collection", "--format", "json", "."]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert json.loads(done.stdout) == []
    for path in WORKFLOWS.values():
        copy = tmp_path / ".github" / "workflows" / path.name
        copy.write_text(re.sub(r"@[0-9a-f]{40} # ", "@", path.read_text(encoding="utf-8"), count=1), encoding="utf-8")
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert [one["ident"] for one in json.loads(done.stdout)] == ["unpinned-uses"] * len(WORKFLOWS)


def test_an_action_is_the_same_commit_in_every_workflow() -> None:
    text = "".join(path.read_text(encoding="utf-8") for path in WORKFLOWS.values())
    used = set(re.findall(r"uses: (\S+)@([0-9a-f]{40} # v\d+\.\d+\.\d+)$", text, re.MULTILINE))
    assert len(used) == len({name for name, _ in used})
    assert text.count("uses: ") == text.count("uses: $/") + sum(text.count(f"{name}@{commit}") for name, commit in used)


def test_the_workflow_of_the_documentation_builds_with_make() -> None:
    steps = document(WORKFLOWS["documentation"])["jobs"]["build"]["steps"]
    (ran,) = [step["run"] for step in steps if "run" in step]
    assert ran == "make docs"
    assert ran.removeprefix("make ") in targets()
    (uploaded,) = [step["with"]["path"] for step in steps if "upload" in step.get("uses", "")]
    assert uploaded == "site"


def targets() -> set[str]:
    """What `make` makes."""
    return set(
        re.findall(
            r"^([a-z-]+|\$\(VENV\)/installed-dev): ", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE
        )
    )


def test_every_job_may_do_what_it_needs_and_no_more() -> None:
    allowed = {
        name: {job: about["permissions"] for job, about in document(path)["jobs"].items()}
        for name, path in WORKFLOWS.items()
    }
    reads = {"contents": "read"}
    assert allowed == {
        "ci": dict.fromkeys(("everything", "audit", "pythons", "systems"), reads),
        "documentation": {"build": reads, "publish": {"pages": "write", "id-token": "write"}},
        "release": {
            "test": reads,
            "build": reads,
            "attest": {"id-token": "write", "attestations": "write"},
            "publish": {"id-token": "write"},
            "announce": {"contents": "write"},
        },
    }
    assert [document(path)["permissions"] for path in WORKFLOWS.values()] == [{}] * len(WORKFLOWS)
    assert [name for name, path in WORKFLOWS.items() if "secrets" in path.read_text(encoding="utf-8")] == []


def test_a_release_is_published_after_all_that_has_to_hold() -> None:
    jobs = document(WORKFLOWS["release"])["jobs"]
    assert {name: job.get("needs") for name, job in jobs.items()} == {
        "test": None,
        "build": None,
        "attest": ["test", "build"],
        "publish": "attest",
        "announce": "publish",
    }
    assert jobs["test"]["uses"] == "$/.github/workflows/ci.yml"
    assert "workflow_call" in WORKFLOWS["ci"].read_text(encoding="utf-8")
    ran = [step["run"] for step in jobs["build"]["steps"] if "run" in step]
    assert ran == ['python scripts/release.py agrees "$GITHUB_REF_NAME"', "make audit", "make sbom"]
    assert {"audit", "dist", "sbom", "lock"} <= targets()


def test_the_pythons_of_the_workflow_are_those_of_the_project() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    named = [found[1] for one in project["classifiers"] if (found := re.search(r":: (3\.\d+)$", one))]
    jobs = document(WORKFLOWS["ci"])["jobs"]
    assert jobs["pythons"]["strategy"]["matrix"]["python"] == named
    assert jobs["systems"]["strategy"]["matrix"]["python"] == [named[0], named[-1]]


def test_the_files_that_the_workflow_tests_are_there() -> None:
    (command,) = [
        step["run"] for step in document(WORKFLOWS["ci"])["jobs"]["systems"]["steps"] if "pytest" in step.get("run", "")
    ]
    named = [word for word in command.split() if word.startswith("tests/")]
    assert named
    assert [name for name in named if not (ROOT / name).exists()] == []


# --- the action ------------------------------------------------------------------------------------------------------


class Action:
    """Carries out the steps of `action.yml` as a runner of GitHub does: in bash, with the inputs in their places."""

    def __init__(self, folder: Path) -> None:
        self.workspace = folder / "workspace"
        self.workspace.mkdir()
        self._outputs = folder / "outputs"
        self._temp = folder / "temp"
        self._temp.mkdir()
        self._steps: list[dict[str, Any]] = document(ACTION)["runs"]["steps"]

    def step(self, number: int, action_path: Path, **inputs: str) -> tuple[int, str]:
        """The exit status and the output of one step."""
        step = self._steps[number]
        given = {name: str(about["default"]) for name, about in document(ACTION)["inputs"].items()}
        given |= {name.replace("_", "-"): value for name, value in inputs.items()}
        values = {f"inputs.{name}": value for name, value in given.items()} | {"github.action_path": str(action_path)}
        kept = {name: value for name, value in os.environ.items() if not name.startswith("CORSLINT_")}
        more = {name: filled(text, values) for name, text in step["env"].items()}
        runner = {"RUNNER_TEMP": str(self._temp), "RUNNER_OS": "Linux", "GITHUB_OUTPUT": str(self._outputs)}
        self._outputs.write_text("")
        script = self._temp / "step.sh"
        script.write_text(filled(step["run"], values))
        done = subprocess.run(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", script],
            cwd=self.workspace,
            env={**kept, **runner, **more},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        return done.returncode, done.stdout

    def outputs(self) -> dict[str, str]:
        found: dict[str, str] = {}
        lines = iter(self._outputs.read_text(encoding="utf-8").splitlines())
        for line in lines:
            name, heredoc, mark = line.partition("<<")
            if not heredoc:
                name, _, found[name] = line.partition("=")
                continue
            found[name] = "\n".join(iter(lambda: next(lines), mark))
        return found

    def installed(self) -> Path:
        return self._temp / "corslint" / "bin"


def filled(text: str, values: Mapping[str, str]) -> str:
    return re.sub(r"\$\{\{ ([\w.-]+) \}\}", lambda match: values[match[1]], text)


@pytest.fixture
def action(tmp_path: Path) -> Action:
    """An action that need not be installed: the corslint of this environment stands in its place."""
    made = Action(tmp_path)
    made.installed().mkdir(parents=True)
    program = made.installed() / "corslint"
    folder = Path(corslint.__file__).parent.parent
    program.write_text(f'#!/bin/sh\nPYTHONPATH="{folder}" exec "{sys.executable}" -m corslint "$@"\n')
    program.chmod(0o755)
    return made


def test_the_action_installs_itself_and_checks(tmp_path: Path) -> None:
    made = Action(tmp_path)
    source = tmp_path / "action"
    source.mkdir()
    for name in (*INSTALLED, "requirements"):
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        copy(ROOT / name, source / name)
    status, out = made.step(0, source, python=sys.executable)
    if status != 0 and not required():
        pytest.skip(f"pip cannot install corslint: {out.strip()[-300:]}")
    assert status == 0, out
    frozen = subprocess.run(
        [made.installed() / "python", "-m", "pip", "freeze"], capture_output=True, text=True, check=True
    )
    versions = {one.partition("==")[0].lower().replace("_", "-"): one for one in frozen.stdout.splitlines()}
    locked = re.findall(r"^([a-z-]+)==([^ ]+)", (ROOT / "requirements" / "runtime.txt").read_text(), re.MULTILINE)
    there = {name: version for name, version in locked if name in versions}
    assert {name: versions[name].partition("==")[2] for name in there} == there
    assert len(there) >= len(locked) - 1, "one is for Windows alone"
    (made.workspace / "my app.js").write_text(WILDCARD)
    status, out = made.step(1, source)
    assert status == 1
    assert "::error " in out
    assert ",file=my app.js,line=1," in out
    assert made.outputs() == {"status": "1"}


def test_the_report_for_code_scanning(action: Action) -> None:
    (action.workspace / "server").mkdir()
    (action.workspace / "server" / "app.js").write_text(WILDCARD)
    status, out = action.step(
        1, ROOT, working_directory="server", sarif_file="out.sarif", annotations="false", args="--fail-on=never\n\n"
    )
    assert status == 0, out
    assert "error[wildcard-origin-with-credentials]" in out
    assert action.outputs() == {"status": "0", "sarif-file": "server/out.sarif"}
    (run,) = json.loads((action.workspace / "server" / "out.sarif").read_text())["runs"]
    assert [one["ruleId"] for one in run["results"]] == ["wildcard-origin-with-credentials"]


def test_several_paths_and_arguments(action: Action) -> None:
    for name in ("a b", "c", "d"):
        (action.workspace / name).mkdir()
        (action.workspace / name / "app.js").write_text(WILDCARD)
    status, out = action.step(
        1, ROOT, paths="a b\n  \nc\r\n", args="--severity\nwildcard-origin-with-credentials=warning"
    )
    assert status == 1, out
    assert re.findall(r"^::(\w+) .*file=([^,]+),", out, re.MULTILINE) == [
        ("warning", "a b/app.js"),
        ("warning", "c/app.js"),
    ]


INJECTED = ("$(touch pwned) `touch pwned` \"; touch pwned; \"'; touch pwned; '${IFS} *", "x\ntouch pwned\n")


@pytest.mark.parametrize("text", INJECTED)
@pytest.mark.parametrize("name", ["paths", "args", "working_directory", "sarif_file", "annotations"])
def test_no_input_is_run(action: Action, name: str, text: str) -> None:
    (action.workspace / "app.js").write_text(WILDCARD)
    action.step(1, ROOT, **{name: text})
    assert not list(action.workspace.parent.rglob("pwned"))


@pytest.mark.parametrize("text", [*INJECTED, "--index-url=http://127.0.0.1/", "1.0 --pre", "1.0\n--pre"])
def test_a_version_is_nothing_else(action: Action, text: str) -> None:
    status, out = action.step(0, ROOT, python=sys.executable, version=text)
    assert (status, out) == (2, "::error title=corslint::`version` is not a version of corslint\n")


@pytest.mark.parametrize("program", ["no-such-python", "false"])
def test_a_python_that_does_not_suit(action: Action, program: str) -> None:
    status, out = action.step(0, ROOT, python=program)
    assert status == 2
    assert "::error title=corslint::needs Python 3.11 or newer" in out


def test_wrong_use_is_not_taken_for_findings(action: Action) -> None:
    status, out = action.step(1, ROOT, args="--no-such-option")
    assert status == 2, out
    assert action.outputs() == {"status": "2"}
    assert action.step(1, ROOT, working_directory="nowhere")[0] == 2


def test_every_input_is_in_the_table_and_used() -> None:
    inputs = set(document(ACTION)["inputs"])
    section = PAGE.read_text(encoding="utf-8").partition("## GitHub\n")[2].partition("\n## ")[0]
    assert set(re.findall(r"^\| `([\w-]+)` \|", section, re.MULTILINE)) == inputs
    text = ACTION.read_text(encoding="utf-8")
    assert set(re.findall(r"\$\{\{ inputs\.([\w-]+) \}\}", text)) == inputs
    assert not re.search(r"run:.*\$\{\{", text)
    used = set(yaml.safe_load(examples()["GitHub"])["jobs"]["corslint"]["steps"][1]["with"])
    assert used <= inputs


# --- GitLab, Docker --------------------------------------------------------------------------------------------------


def test_the_job_for_gitlab_writes_its_report(tmp_path: Path) -> None:
    job = yaml.safe_load(examples()["GitLab"])["corslint"]
    (command,) = job["script"]
    (tmp_path / "app.js").write_text(WILDCARD)
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    line = command.replace("corslint check", f"'{sys.executable}' -m corslint check", 1)
    done = subprocess.run(
        ["sh", "-c", line], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1, done.stderr
    assert "error[wildcard-origin-with-credentials]" in done.stdout
    (entry,) = json.loads((tmp_path / job["artifacts"]["reports"]["codequality"]).read_text())
    assert (entry["check_name"], entry["location"]["path"]) == ("wildcard-origin-with-credentials", "app.js")
    assert "gitlab" in FORMATS


def test_the_image_gets_what_the_installation_needs() -> None:
    """No image can be built here; `tests/test_hooks.py` installs from these files and no others."""
    text = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    copied = {name for line in re.findall(r"^COPY (?!--from)(.+) \S+$", text, re.MULTILINE) for name in line.split()}
    assert copied == {*INSTALLED, "requirements"} - {".pre-commit-hooks.yaml"}
    assert set(re.findall(r"requirements/(\w+)\.txt", text)) == {"runtime", "build"}
    assert "**It is unbuilt:**" in PAGE.read_text(encoding="utf-8")


# --- pre-commit ------------------------------------------------------------------------------------------------------


def test_the_hooks_in_the_table_are_those_there_are() -> None:
    hooks = [hook["id"] for hook in yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8"))]
    text = PAGE.read_text(encoding="utf-8").partition("## pre-commit\n")[2].partition("\n## ")[0]
    assert re.findall(r"^\| `([\w-]+)` \|", text, re.MULTILINE) == hooks


def test_the_example_is_a_configuration(tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    path.write_text(examples()["pre-commit"].replace("REVISION", 40 * "a"), encoding="utf-8")
    command = [sys.executable, "-m", "pre_commit", "validate-config", str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout + done.stderr) == (0, "")
