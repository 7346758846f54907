"""`make audit`: advisories are told, and a service that does not answer is no clean bill of health."""

from __future__ import annotations

import importlib
import json
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parent.parent
SCRIPTS = ROOT / "scripts"
ADVISORY = {
    "id": "OSV-2026-1",
    "summary": "reads too much",
    "affected": [
        {
            "package": {"name": "NAME", "ecosystem": "PyPI"},
            "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "999.1"}]}],
        }
    ],
}


@pytest.fixture(autouse=True)
def scripts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(SCRIPTS))


def module(name: str) -> Any:
    return importlib.import_module(name)


@contextmanager
def osv(answer: Callable[[str, str], tuple[int, object]]) -> Iterator[tuple[str, list[tuple[str, str]]]]:
    """A service with OSV's interface on a port of loopback: its address, and what it is asked for."""
    asked: list[tuple[str, str]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            question = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            asked.append((question["package"]["name"], question["version"]))
            status, body = answer(*asked[-1])
            data = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/v1/query", asked
        finally:
            server.shutdown()
            thread.join()


def audit(service: str) -> tuple[int, str, str]:
    command = [sys.executable, "scripts/audit.py", "--service", service]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=120)
    return done.returncode, done.stdout, done.stderr


def locked(name: str) -> list[Any]:
    return list(module("lock").packages((ROOT / "requirements" / f"{name}.txt").read_text(encoding="utf-8")))


def advisory(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(json.dumps(ADVISORY).replace("NAME", name))
    return found


def test_every_locked_package_is_asked_for() -> None:
    with osv(lambda name, version: (200, {})) as (service, asked):
        said = audit(service)
    every, runtime = locked("development"), locked("runtime")
    told = f"audit: {len(every)} packages, {len(runtime)} of them needed at run time: no known vulnerability\n"
    assert said == (0, told, "")
    assert sorted(asked) == sorted((one.name, one.version) for one in every)
    assert "colorama" in {name for name, _ in asked}, "what only Windows needs counts, too"


def test_an_advisory_is_told_with_the_version_that_mends_it() -> None:
    versions = {one.name: one.version for one in locked("development")}
    with osv(lambda name, _: (200, {"vulns": [advisory(name)]} if name in ("pytest", "click") else {})) as (service, _):
        said = audit(service)
    told = "OSV-2026-1, mended in 999.1: reads too much\n"
    lines = f"audit: runtime: click {versions['click']}: {told}audit: development: pytest {versions['pytest']}: {told}"
    assert said == (1, lines, "")


def test_a_service_that_is_not_there_is_no_answer() -> None:
    with osv(lambda name, version: (200, {})) as (service, _):
        pass
    status, printed, complained = audit(service)
    assert (status, printed) == (2, "")
    assert complained.startswith("audit: not known, since OSV could not be asked: ")
    assert complained.count("\n") == 1


def test_a_service_that_fails_for_one_package_is_no_answer() -> None:
    with osv(lambda name, _: (500 if name == "click" else 200, {})) as (service, _):
        status, printed, complained = audit(service)
    assert (status, printed) == (2, "")
    assert complained.startswith("audit: not known, since OSV could not be asked: ")


def test_what_is_left_out_is_no_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    """pip-audit says of a package that it passed it over, and ends with 0."""
    audit_module = module("audit")
    said = {"dependencies": [{"name": "click", "version": "8.5.1", "vulns": []}, {"name": "regex", "skip_reason": "x"}]}

    def run(command: list[str], **_: object) -> subprocess.CompletedProcess[str]:
        return subprocess.CompletedProcess(command, 0, json.dumps(said), "")

    monkeypatch.setattr(subprocess, "run", run)
    packages = [one for one in locked("runtime") if one.name in ("click", "regex")]
    with pytest.raises(audit_module.AuditError, match=r"^no answer for regex$"):
        audit_module.advisories(packages)


def test_an_accepted_advisory_is_silent_as_long_as_there_is_one(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    audit_module = module("audit")
    monkeypatch.setattr(audit_module, "ACCEPTED", {"OSV-2026-1": "a test"})
    with osv(lambda name, _: (200, {"vulns": [advisory(name)]} if name == "click" else {})) as (service, _):
        assert audit_module.main(["--service", service]) == 0
    assert "no known vulnerability" not in capsys.readouterr().out
    with osv(lambda name, version: (200, {})) as (service, _):
        assert audit_module.main(["--service", service]) == 1
    said = "audit: OSV-2026-1 is accepted in scripts/audit.py, but nothing has it any more\n"
    assert capsys.readouterr().out == said


def test_a_wrong_argument_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    assert module("audit").main(["--sevrice", "x"]) == 2
    assert "--service URL" in capsys.readouterr().err
