"""`corslint probe` asks the real libraries, and sees what the recordings of `fixtures/oracle/` say they answer.

Of each cases file some programs run again. What a probe gets from them has to be the recorded answer, and its verdict
the one that the browser model comes to over the recording.

`python -m tests.lab.test_probe --update` puts the present output into docs/probe.md.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import re
import shlex
import shutil
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from corslint import cli, commands
from corslint.behaviour.browser import PageRequest, fetch
from corslint.model.exchange import NO_ANSWER, Missing, Request, Response, response
from corslint.model.tri import Tri
from corslint.probe import Finding, Question, preflight, request, websocket
from corslint.probe import report as probe_report
from corslint.probe import run as probe_run
from corslint.probe.client import HttpClient
from tests.lab.experiments.socketio_credentials_mismatch import EXPERIMENT
from tests.lab.installation import require
from tests.lab.run import Running
from tests.test_oracle import NAMES, RECORDER, cases_file, recording

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "probe.md"
CASES = 3
"""So many programs of each cases file; `CORSLINT_PROBE_CASES` asks for more."""

PROBES_OWN = {"accept", "user-agent"}
"""Request headers that a probe sends and the recorder does not: some servers answer with the names of what they got."""

SENT = ("https://app.example.com", "https://evil.example", "null")


def chosen(name: str) -> list[dict[str, Any]]:
    """Some cases of a file, spread over it, that start and whose answers stay the same."""
    known = recording(name)["cases"]
    asked = {row["case"] for row in recording(name)["rows"]}
    usable = [
        case
        for case in cases_file(name)["cases"]
        if case["id"] in asked and "crashes" not in known[case["id"]] and case.get("times", 1) == 1
    ]
    count = int(os.environ.get("CORSLINT_PROBE_CASES", CASES))
    step = max(1, len(usable) // count)
    return usable[::step][:count]


def questions(name: str, case: str) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """What a probe can ask of the recorded questions, and the recorded answers."""
    for row in recording(name)["rows"]:
        asked = row["request"]
        usual = asked["kind"] != "preflight" or (asked["method"], asked["headers"]) == ("POST", "content-type")
        if row["case"] == case and asked["origin"] in SENT and usual:
            yield asked, row["answer"]


def recorded(answer: Mapping[str, Any], own: str) -> Response:
    lines = {name: answer[short] for short, name in RECORDER.HEADERS.items() if answer[short] is not None}
    status = NO_ANSWER if answer["status"] is None else answer["status"]
    return response(status, *((name, text.replace("self", own)) for name, text in lines.items()))


def asked_of(server: Any, asked: Mapping[str, Any], path: str, *, credentials: bool) -> Finding:
    client = HttpClient(3.0)
    where = asked.get("path", path)
    if asked["kind"] == "upgrade":
        where = where.replace("transport=polling", "transport=websocket")
    question = Question(
        f"http://127.0.0.1:{server.port}{where}", asked["origin"], credentials, cookie=asked.get("cookie")
    )
    way = {"get": request, "preflight": preflight, "upgrade": websocket}[asked["kind"]]
    return way(question, client)


def expected_of(answer: Response, asked: Mapping[str, Any], url: str, *, credentials: bool) -> Tri:
    """The verdict of the browser model over a recorded answer."""
    if asked["kind"] == "upgrade":
        return Tri.YES if answer.status == 101 else Tri.NO
    simple = asked["kind"] == "get"

    def respond(sent: Request) -> Response:
        return answer if simple or sent.kind == "preflight" else Response(complete=Tri.UNKNOWN)

    headers = () if simple else (("Content-Type", "application/json"),)
    mode = "include" if credentials else "same-origin"
    page = PageRequest(url, asked["origin"], mode, "GET" if simple else "POST", headers)  # type: ignore[arg-type]
    allowed = fetch(page, respond).allowed
    return allowed if simple or allowed is Tri.NO else Tri.YES


def without_own(value: str | Missing) -> str | Missing:
    """A list of request headers without those that only a probe sends."""
    if isinstance(value, Missing):
        return value
    return ", ".join(word for word in value.split(", ") if word not in PROBES_OWN)


def difference(found: Finding, wanted: Response, verdict: Tri) -> str | None:
    """What a probe saw or said otherwise than the recording."""
    first = found.exchanges[0].response
    if first.status != wanted.status:
        return f"status {first.status}, recorded {wanted.status}"
    for name in RECORDER.HEADERS.values():
        seen, known = first.header(name), wanted.header(name)
        if name == "access-control-allow-headers":
            seen, known = without_own(seen), without_own(known)
        if seen != known:
            return f"{name}: {seen}, recorded {known}"
    redirects = first.header("Location") is not Missing.ABSENT  # where to, no recording says
    if not redirects and found.allowed is not verdict:
        return f"{found.verdict}, by the recording {verdict}"
    return None


@pytest.mark.parametrize("name", NAMES)
def test_a_probe_agrees_with_the_recorded_answers(name: str) -> None:
    spec = cases_file(name)
    require("node", "node_modules") if spec["ecosystem"] == "npm" else require("venv_old" if "venv" in spec else "venv")
    libraries = RECORDER.Libraries(RECORDER.LIBRARIES)
    differences = []
    compared = 0
    for case in chosen(name):
        with RECORDER.running(spec, case, libraries) as server:
            for asked, answer in questions(name, case["id"]):
                assert server.up()
                own = f"http://127.0.0.1:{server.port}"
                wanted = recorded(answer, own)
                for credentials in (True,) if "cookie" in asked else (False, True):
                    found = asked_of(server, asked, spec["path"], credentials=credentials)
                    verdict = expected_of(wanted, asked, f"{own}{spec['path']}", credentials=credentials)
                    compared += 1
                    said = difference(found, wanted, verdict)
                    if said is not None:
                        differences.append(f"{case['id']}: {asked}, credentials {credentials}: {said}")
    assert differences == []
    assert compared >= len(chosen(name)) * len(SENT)


# --- what the page shows ---------------------------------------------------------------------------------------------


_EXAMPLE = re.compile(r"^```console\n\$ corslint (probe [^\n]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def no_browser() -> Any:
    raise AssertionError("a probe needs no browser")


def shown(command: str) -> str:
    """What a command of the page writes. Its server is `bad` of the experiment about credentials, on port 4000."""
    out, err = io.StringIO(), io.StringIO()
    with Running(EXPERIMENT, "bad", require("node", "node_modules"), no_browser) as running:
        port = running.ports.real(4000)
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            status = cli.run(_placed(shlex.split(command.replace(":4000", f":{port}")), running, port))
    assert (status in (0, 1), err.getvalue()) == (True, "")
    return out.getvalue().replace(f":{port}", ":4000")


def _placed(words: list[str], running: Running, port: object) -> list[str]:
    """The words of a command, with a copy of the project that says the port of this run in the place of the project."""
    project = f"fixtures/projects/{EXPERIMENT.project}/bad"
    if project not in words:
        return words
    program = running.project / "server" / "index.js"
    program.write_text(program.read_text(encoding="utf-8").replace("4000", str(port)), encoding="utf-8")
    return [str(running.project) if word == project else word for word in words]


def with_present_output(text: str) -> str:
    return _EXAMPLE.sub(lambda found: f"```console\n$ corslint {found[1]}\n{shown(found[1])}```", text)


def test_the_page_shows_what_comes_out() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert len(_EXAMPLE.findall(text)) >= 3
    assert with_present_output(text) == text


def test_the_page_speaks_of_every_option() -> None:
    options = {name for option in commands.probe.params for name in option.opts if name.startswith("--")}
    named = set(re.findall(r"^\| `(--[\w-]+)", PAGE.read_text(encoding="utf-8"), re.MULTILINE))
    sources = {"--config", "--isolated", "--no-config", "--exclude", "--force-exclude", "--no-cache", "--cache-dir"}
    assert named == options - sources


def test_a_socketio_server_is_seen_as_a_client_sees_it() -> None:
    """`good` connects where `bad` does not: what Chromium was seen to do with the two in the experiment."""
    tools = require("node", "node_modules")
    verdicts = {}
    for side in ("bad", "good"):
        with Running(EXPERIMENT, side, tools, no_browser) as running:
            url = f"http://127.0.0.1:{running.ports.real(4000)}/socket.io/"
            for credentials in (False, True):
                asked = Question(url, "https://www.example.com", credentials)
                found = probe_run.probe(asked, HttpClient(5.0), socket=True, ws=False, attack=False)
                verdicts[side, credentials] = json.loads(probe_report.as_json(found))["questions"][0]["verdict"]
    assert verdicts == {
        ("bad", False): "allowed",
        ("bad", True): "blocked",
        ("good", False): "allowed",
        ("good", True): "allowed",
    }


def test_a_server_is_as_its_own_files_foretell_and_not_as_others_do() -> None:
    """`bad` runs: beside its own files nothing differs, beside those of `good` the header that they differ in."""
    with Running(EXPERIMENT, "bad", require("node", "node_modules"), no_browser) as running:
        port = running.ports.real(4000)
        found = {}
        for side in ("bad", "good"):
            folder = running.project.parent / f"as-{side}"
            shutil.copytree(ROOT / "fixtures" / "projects" / EXPERIMENT.project / side, folder)
            program = folder / "server" / "index.js"
            program.write_text(program.read_text(encoding="utf-8").replace("4000", str(port)), encoding="utf-8")
            out = io.StringIO()
            origin = ("--origin", "https://www.example.com", "--credentials", "--socketio", "--output-format", "json")
            with contextlib.redirect_stdout(out):
                status = cli.run(["probe", f"http://127.0.0.1:{port}", str(folder), *origin])
            (question,) = json.loads(out.getvalue())["questions"]
            found[side] = status, question["foretold"], [one["what"] for one in question["differences"]]
    assert found == {
        "bad": (0, "blocked", []),
        "good": (
            1,
            "allowed",
            ["verdict", "Access-Control-Allow-Credentials of GET /socket.io/?EIO=4&transport=polling"],
        ),
    }


if __name__ == "__main__":
    if sys.argv[1:] != ["--update"]:
        sys.exit("python -m tests.lab.test_probe --update: puts the present output into docs/probe.md")
    PAGE.write_text(with_present_output(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
