"""The lab itself: it fails where a claim is not so, leaves nothing running, and reaches nothing but loopback."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.lab import __main__ as lab
from tests.lab import proof
from tests.lab.addresses import Address, Addresses
from tests.lab.chromium import Chromium
from tests.lab.experiment import (
    SIDES,
    Answered,
    Blocked,
    Connected,
    Expectation,
    Experiment,
    Fetch,
    Get,
    NotConnected,
    Process,
    Readable,
    Side,
    load,
)
from tests.lab.installation import ROOT, Tools, require
from tests.lab.nginx import Configuration, Reserved
from tests.lab.observation import Observation, SocketSeen, difference
from tests.lab.packages import check_requirements, link_node_modules
from tests.lab.pages import Tab
from tests.lab.processes import RUN, LabError, Ports, Program, environment
from tests.lab.run import EXPECTED, PROJECTS, Running, run, symptom_problems

EXPERIMENTS = {experiment.project: experiment for experiment in load()}
ALL = ("chromium", "nginx", "node", "node_modules")
LIMIT = 20.0
"""Seconds within which everything of a run must have come up, or gone."""


@pytest.fixture(scope="module")
def browser() -> Iterator[Callable[[], Chromium]]:
    with Chromium.start(require("chromium").path("chromium")) as running:
        yield lambda: running


class Trace:
    """Finds what was started with a mark in its environment, and what belongs to the same process groups.

    The environment alone is not enough: Chromium's own children write their titles over it.
    """

    def __init__(self, mark: str) -> None:
        self._mark = f"{RUN}={mark}".encode()
        self._groups: set[int] = set()

    def running(self) -> dict[int, str]:
        """The processes and their command lines; not this one, nor what has ended and waits for its parent."""
        found: dict[int, str] = {}
        for folder in Path("/proc").glob("[0-9]*"):
            pid = int(folder.name)
            try:
                state, _, group = (folder / "stat").read_text(encoding="utf-8").rpartition(")")[2].split()[:3]
                marked = self._mark in (folder / "environ").read_bytes()
                command = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode()
            except OSError:
                continue
            if state == "Z" or pid == os.getpid():
                continue
            if marked:
                self._groups.add(int(group))
            if marked or int(group) in self._groups:
                found[pid] = command
        return found

    def gone(self, limit: float = LIMIT) -> bool:
        """Whether all of it ends within `limit` seconds."""
        deadline = time.monotonic() + limit
        while self.running():
            if time.monotonic() > deadline:
                return False
            time.sleep(0.05)
        return True


@pytest.fixture
def trace(monkeypatch: pytest.MonkeyPatch) -> Trace:
    """Marks everything that is started during a test."""
    if sys.platform != "linux":
        pytest.skip("processes are looked for in /proc")
    mark = uuid.uuid4().hex
    monkeypatch.setenv(RUN, mark)
    return Trace(mark)


def with_step(experiment: Experiment, number: int, side: Side, expected: Expectation) -> Experiment:
    """An experiment that expects something else of one step."""
    steps = list(experiment.steps)
    step = steps[number]
    steps[number] = replace(step, bad=expected) if side == "bad" else replace(step, good=expected)
    return replace(experiment, steps=tuple(steps))


# Three claims broken on purpose, and a finding in another place.


def test_a_wrong_console_text_fails(browser: Callable[[], Chromium]) -> None:
    found = require(*ALL)
    claimed = with_step(EXPERIMENTS["express-only-cors"], 2, "bad", Blocked("header contains multiple values"))
    verdict = run(claimed, found, browser)
    assert not verdict.proven
    (problem,) = verdict.problems
    assert problem.startswith("bad: the board's page connects: expected console has 'header contains multiple values'")
    assert "observed not connected: connect_error: xhr poll error" in problem
    assert "No 'Access-Control-Allow-Origin' header is present on the requested resource." in problem


def test_a_wrong_header_fails(browser: Callable[[], Chromium]) -> None:
    found = require(*ALL)
    claimed = with_step(EXPERIMENTS["proxy-and-app-cors"], 1, "good", Answered(status=201, acao="https://b.example"))
    verdict = run(claimed, found, browser)
    (problem,) = verdict.problems
    assert problem == (
        "good: the answer that nginx passes on: expected status 201; access-control-allow-origin: https://b.example "
        "(it is https://shop.example.com); observed 200, Allow-Origin: https://shop.example.com"
    )


def test_a_mended_side_that_is_not_mended_fails(browser: Callable[[], Chromium], tmp_path: Path) -> None:
    found = require(*ALL)
    experiment = EXPERIMENTS["wrong-listener"]
    project = PROJECTS / experiment.project
    for side in SIDES:
        shutil.copytree(project / "bad", tmp_path / side)
    shutil.copyfile(project / EXPECTED, tmp_path / EXPECTED)
    verdict = run(replace(experiment, project=str(tmp_path)), found, browser)
    handshake, page, own, lint = verdict.problems
    assert handshake.startswith("good: the handshake of Socket.IO: expected status 200; access-control-allow-origin: ")
    assert "observed 404, no CORS headers" in handshake
    assert page.startswith("good: a page connects: expected the socket connects; observed not connected: ")
    assert own.startswith("good: a page on the server's own origin: expected the socket connects; observed ")
    assert lint.startswith("good: lint: expected no finding; observed ")
    assert lint.endswith("[wrong-listener]")


def test_a_finding_in_another_place_fails(browser: Callable[[], Chromium], tmp_path: Path) -> None:
    found = require(*ALL)
    experiment = EXPERIMENTS["proxy-and-app-cors"]
    shutil.copytree(PROJECTS / experiment.project, tmp_path, dirs_exist_ok=True)
    config = tmp_path / "bad" / "nginx" / "shop.conf"
    config.write_text("# moved down\n" + config.read_text(encoding="utf-8"), encoding="utf-8")
    verdict = run(replace(experiment, project=str(tmp_path)), found, browser)
    assert verdict.problems == (
        "bad: lint: expected proxy-and-app-cors at nginx/shop.conf:8:9; observed nginx/shop.conf:9:9",
    )


def test_a_symptom_that_nobody_sees_fails() -> None:
    experiment = EXPERIMENTS["socketio-credentials-mismatch"]
    quiet = Observation("blocked", console=("Failed to load resource: net::ERR_FAILED",))
    (problem,) = symptom_problems(experiment, [quiet])
    assert "none of the rule's symptoms" in problem
    assert problem.endswith("observed Failed to load resource: net::ERR_FAILED")
    line = (
        "The value of the 'Access-Control-Allow-Credentials' header in the response is '' which must be 'true' when "
        "the request's credentials mode is 'include'."
    )
    loud = replace(quiet, console=(line,))
    assert symptom_problems(experiment, [loud]) == []
    silent = replace(experiment, silent_in_browser="never said")
    assert symptom_problems(silent, [quiet]) == []
    assert symptom_problems(silent, [loud]) != []
    assert symptom_problems(plain(experiment), [quiet]) == []  # no step looks for what a user sees


@pytest.mark.parametrize(
    ("expected", "seen"),
    [
        (Readable(), Observation("blocked", console=("No header",))),
        (Readable(200), Observation("readable", status=404)),
        (Blocked("No header"), Observation("readable", status=200, console=("No header",))),
        (Blocked("No header"), Observation("blocked")),
        (Blocked("404"), Observation("nothing", console=("status of 404",), made=False)),
        (Connected(), Observation("nothing")),
        (Connected("websocket"), Observation("connected", sockets=(SocketSeen(True, "polling", ()),))),
        (NotConnected(), Observation("nothing")),
        (NotConnected("timeout"), Observation("not connected", sockets=(SocketSeen(False, "", ("websocket error",)),))),
        (Answered(vary="Origin"), Observation("200", status=200, headers=(("vary", "Accept"),))),
        (Answered(absent=("Vary",)), Observation("200", status=200, headers=(("vary", "Accept"),))),
        (Answered(), Observation("no answer")),
    ],
)
def test_what_is_not_as_expected_is_told(expected: Expectation, seen: Observation) -> None:
    told = difference(expected, seen)
    assert told is not None
    assert told.startswith("expected ")
    assert f"observed {seen.summary}" in told


# Nothing is left running.


def started_run(trace: Trace) -> subprocess.Popen[str]:
    """`python -m tests.lab` on an experiment with two programs, nginx and the browser, all of them running."""
    command = [sys.executable, "-m", "tests.lab", "no-sticky-sessions", "--no-write"]
    started = subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True
    )
    deadline = time.monotonic() + LIMIT
    while True:
        commands = " ".join(trace.running().values())
        if all(program in commands for program in ("warden.py", "server.js", "nginx", "--remote-debugging-pipe")):
            return started
        assert started.poll() is None, started.communicate()[0]
        assert time.monotonic() < deadline, commands
        time.sleep(0.01)


def test_nothing_is_left_after_a_run(trace: Trace) -> None:
    require(*ALL)
    started = started_run(trace)
    said, _ = started.communicate(timeout=120)
    assert started.returncode == 0, said
    assert re.search(r"^(\d+) of \1 proven", said, re.MULTILINE), said
    assert trace.gone(1), trace.running()


@pytest.mark.parametrize("whole_group", [True, False], ids=["as a terminal does", "the lab alone"])
def test_nothing_is_left_after_ctrl_c(trace: Trace, whole_group: bool) -> None:
    require(*ALL)
    started = started_run(trace)
    (os.killpg if whole_group else os.kill)(started.pid, signal.SIGINT)
    said, _ = started.communicate(timeout=60)
    assert started.returncode == 130, said
    assert "interrupted" in said
    assert "Traceback" not in said
    assert trace.gone(2), trace.running()


def test_nothing_is_left_where_the_lab_is_killed(trace: Trace) -> None:
    require(*ALL)
    started = started_run(trace)
    started.kill()
    assert trace.gone(), trace.running()
    started.communicate()


def test_nothing_is_left_after_a_failure_in_the_middle(trace: Trace, browser: Callable[[], Chromium]) -> None:
    found = require(*ALL)
    experiment = EXPERIMENTS["wrong-listener"]
    broken = replace(experiment, parts=(*experiment.parts, Process(("node", "-e", "process.exit(7)"), listens=1)))
    with pytest.raises(LabError, match=r"ended \(7\) before it listened on 1"), Running(broken, "bad", found, browser):
        pass
    assert trace.running() == {}

    def fail() -> None:
        assert trace.running() != {}
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError), Running(experiment, "bad", found, browser):
        fail()
    assert trace.running() == {}


def test_a_program_takes_all_that_it_started_with_it(trace: Trace, tmp_path: Path) -> None:
    script = "import os, time; os.fork() or os.setsid(); time.sleep(100)"
    command = [sys.executable, "-c", f"import subprocess, sys; subprocess.run([sys.executable, '-c', {script!r}])"]
    ports = Ports(tmp_path / "ports", {})
    program = Program.start("a tree", command, tmp_path, environment(ports, tmp_path, {}), tmp_path / "log")
    program.wait_until(lambda: len(trace.running()) >= 4, "its children ran")
    program.stop()
    assert trace.running() == {}


# The command.

PLAIN = ("node", "node_modules", "nginx")


def plain(experiment: Experiment) -> Experiment:
    """An experiment without its steps in the browser."""
    return replace(experiment, steps=tuple(step for step in experiment.steps if isinstance(step.probe, Get)))


@pytest.fixture
def page(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A complete run of one quick experiment and of two models, and where it writes its page."""
    path = tmp_path / "proof.md"
    experiment = plain(EXPERIMENTS["proxy-and-app-cors"])
    monkeypatch.setattr(lab, "load", lambda: (experiment,))
    monkeypatch.setattr(lab, "_command", lambda suite, seed: [sys.executable, "-c", f"print('{suite.title} {seed}')"])
    monkeypatch.setattr(proof, "write", lambda text: path.write_text(text, encoding="utf-8"))
    return path


def test_a_complete_run_writes_the_page(page: Path, capsys: pytest.CaptureFixture[str]) -> None:
    require(*PLAIN)
    assert lab.main(["--seed", "5"]) == 0
    assert "5 of 5 proven" in capsys.readouterr().out
    text = page.read_text(encoding="utf-8")
    experiment = EXPERIMENTS["proxy-and-app-cors"]
    assert proof.rows(text) == [(experiment.rule, proof.cell(experiment.claim), "proven")]
    assert "| browser model |" in text
    assert text.count("| no difference | proven |") == 4
    assert "seed" not in text  # a run that proves the same leaves the page as it is
    assert "| `express-only-cors` | No experiment yet. |" in text
    assert "| npm cors | 2." in text


def test_a_run_that_proves_less_fails(
    page: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    require(*PLAIN)
    fails = [sys.executable, "-c", "import sys; print('40 differences'); sys.exit(1)"]
    monkeypatch.setattr(lab, "_command", lambda suite, seed: fails)
    assert lab.main([]) == 1
    said = capsys.readouterr().out
    assert "FAILED  emulator\n    40 differences" in said
    assert "1 of 5 proven" in said
    assert "| 40 differences | FAILED |" in page.read_text(encoding="utf-8")
    page.unlink()
    broken = with_step(plain(EXPERIMENTS["proxy-and-app-cors"]), 0, "bad", Answered(status=500))
    monkeypatch.setattr(lab, "load", lambda: (broken,))
    assert lab.main(["proxy-and-app-cors"]) == 1
    assert not page.exists()  # a part of the experiments is no proof of all
    said = " ".join(capsys.readouterr().out.split())
    assert "bad: the application alone is in order: expected status 500; observed 200, Allow-Origin: " in said


def test_a_silent_model_proves_nothing(page: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    require(*PLAIN)
    monkeypatch.setattr(lab, "_command", lambda suite, seed: [sys.executable, "-c", ""])
    assert lab.main([]) == 1


def test_what_cannot_be_run_is_no_verdict(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert lab.main(["no-such-rule"]) == 2
    assert "no experiment for no-such-rule" in capsys.readouterr().err
    monkeypatch.setattr(lab, "tools", lambda: Tools(None, None, None, None, None, None, None))
    assert lab.main(["proxy-and-app-cors"]) == 2
    assert "missing: Chromium, nginx, Node.js" in capsys.readouterr().err


def test_cells_keep_their_table_whole() -> None:
    assert proof.cell("a | b\n<c> * `x*|`") == "a \\| b \\<c\\> \\* `x*\\|`"


# Experiments do not depend on each other, nor on the world.


def test_the_order_does_not_matter(browser: Callable[[], Chromium]) -> None:
    found = require(*ALL)
    pair = [EXPERIMENTS["wrong-listener"], EXPERIMENTS["wildcard-env-fallback"]]  # both listen on port 4000
    forth = [run(experiment, found, browser) for experiment in pair]
    back = [run(experiment, found, browser) for experiment in reversed(pair)]
    assert [one.problems for one in forth] == [(), ()]
    assert [one.observed for one in forth] == [one.observed for one in reversed(back)]


def descendants(pid: int) -> set[int]:
    """The processes below one."""
    found: set[int] = set()
    for children in Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            below = {int(child) for child in children.read_text(encoding="ascii").split()}
        except OSError:
            continue
        found |= below.union(*(descendants(child) for child in below))
    return found


def remote_addresses(pids: set[int]) -> set[str]:
    """Where the TCP sockets of these processes lead, as the kernel writes it."""
    inodes = set()
    for pid in pids:
        for link in Path(f"/proc/{pid}/fd").glob("*"):
            try:
                inodes.add(os.readlink(link).removeprefix("socket:[").removesuffix("]"))
            except OSError:
                continue
    remotes = set()
    for table in ("tcp", "tcp6"):
        rows = [line.split() for line in Path(f"/proc/net/{table}").read_text(encoding="ascii").splitlines()[1:]]
        remotes |= {row[2].partition(":")[0] for row in rows if row[9] in inodes and int(row[2].rpartition(":")[2], 16)}
    return remotes


LOOPBACK = {"0100007F", "0" * 24 + "01000000"}


def test_the_browser_reaches_nothing_but_loopback(browser: Callable[[], Chromium]) -> None:
    found = require(*ALL)
    with Running(EXPERIMENTS["express-only-cors"], "good", found, browser) as running:
        gateway, chromium = running.gateway, browser()
        tab = Tab(chromium, gateway.port, running.site)
        outside = tab.observe(Fetch("https://anywhere.test", "https://example.org/secret"), Readable())
        assert outside.status is None
        assert gateway.nowhere == ["example.org:443/secret"]
        assert gateway.dialled == set()
        inside = tab.observe(Fetch("https://board.example.com", "https://api.example.com/boards/7"), Readable(200))
        assert inside.status == 200
        assert gateway.dialled == {("127.0.0.1", running.ports.real(4000))}
        with chromium.page(gateway.port) as page:
            page.goto("http://anywhere.test/__lab__/empty")
            page.evaluate("() => { new WebSocket('ws://api.example.com:443/socket.io/?EIO=4&transport=websocket') }")
            page.wait(0.3)
            seen = remote_addresses(descendants(os.getpid()))
        assert seen
        assert seen <= LOOPBACK


# The parts of the harness.


@pytest.fixture
def ports(tmp_path: Path) -> Ports:
    return Ports(tmp_path / "ports", {"api.example.com:443": 4000, "10.0.0.7:3000": 3000})


def test_names_lead_to_the_parts_and_nowhere_else(ports: Ports) -> None:
    addresses = Addresses(ports)
    assert addresses.part(Address("localhost", 4000)) is None
    ports.tell(4000, 50_001)
    for at in (Address("localhost", 4000), Address("::1", 4000), Address("api.example.com", 443)):
        assert addresses.part(at) == 50_001
    assert addresses.part(Address("api.example.com", 50_001)) == 50_001  # a redirect of nginx
    for at in (Address("api.example.com", 80), Address("other.example.com", 4000), Address("localhost", 443)):
        assert addresses.part(at) is None


_NODE = """
const net = require('net');
net.createServer((socket) => socket.end('hello')).listen(4000, () => {
  for (const [host, port] of [['localhost', 4000], ['api.example.com', 443]]) {
    net.connect(port, host).on('data', (data) => console.log(host, String(data)));
  }
});
"""
_PYTHON = """
import socket
server = socket.create_server(("0.0.0.0", 4000))
for host, port in (("localhost", 4000), ("api.example.com", 443)):
    client = socket.create_connection((host, port))
    server.accept()[0].sendall(b"hello")
    print(host, client.recv(5).decode())
import time; time.sleep(100)
"""


@pytest.mark.parametrize(("name", "option", "script"), [("node", "-e", _NODE), ("venv", "-c", _PYTHON)])
def test_written_ports_are_names(ports: Ports, tmp_path: Path, name: str, option: str, script: str) -> None:
    tool = require(name).path(name)
    binary = tool if name == "node" else tool / "bin" / "python"
    env = environment(ports, tmp_path, {})
    program = Program.start(name, [str(binary), option, script], tmp_path, env, tmp_path / "log")
    try:
        program.wait_until(lambda: {"localhost hello", "api.example.com hello"} <= set(program.printed.split("\n")), "")
        real = ports.real(4000)
        assert real not in (None, 4000)
        with socket.create_connection(("127.0.0.1", real)):
            pass
    finally:
        program.stop()


def test_a_program_that_fails_says_why(ports: Ports, tmp_path: Path) -> None:
    command = [sys.executable, "-c", "import sys; sys.exit('no database')"]
    program = Program.start("shop", command, tmp_path, environment(ports, tmp_path, {}), tmp_path / "log")
    with pytest.raises(LabError, match=r"shop ended \(1\) before it listened on 1; it printed:\nno database"):
        program.wait_until(lambda: False, "it listened on 1")
    sleeper = [sys.executable, "-c", "import time; time.sleep(100)"]
    program = Program.start("shop", sleeper, tmp_path, environment(ports, tmp_path, {}), tmp_path / "log")
    with pytest.raises(LabError, match=r"shop: not within 0 s: it listened on 1"):
        program.wait_until(lambda: False, "it listened on 1", 0.2)
    program.stop()


def test_nginx_is_rewritten_only_in_its_addresses(tmp_path: Path) -> None:
    text = """upstream app {
    server 10.0.0.7:3000 weight=2; # server 10.0.0.7:3000;
}
server {
    listen 80 default_server;
    listen [::]:80;
    server_name api.example.com;
    root /srv/www/public;
    location /a { proxy_pass http://app; }
    location /b { proxy_pass http://10.0.0.7:3000/b/; add_header X "listen 80;"; }
}
"""
    config = tmp_path / "nginx" / "app.conf"
    config.parent.mkdir()
    config.write_text(text, encoding="utf-8")
    reserved = Reserved()
    asked: list[Address] = []

    def upstream(at: Address) -> int:
        asked.append(at)
        return 55_555

    configuration = Configuration(config, reserved, upstream, {"/srv/www": tmp_path / "www"})
    main = configuration.rewrite()
    v6 = reserved.sockets[1].getsockname()[1]
    reserved.release()
    expected = (
        text.replace("server 10.0.0.7:3000 w", "server 127.0.0.1:55555 w")
        .replace("listen 80 d", f"listen 127.0.0.1:{configuration.listening[80]} d")
        .replace("[::]:80", f"[::1]:{v6}")
        .replace("/srv/www/public", f"{tmp_path}/www/public")
        .replace("http://10.0.0.7:3000/", "http://127.0.0.1:55555/")
    )
    assert config.read_text(encoding="utf-8") == expected
    assert asked == [Address("10.0.0.7", 3000)] * 2
    assert f"include {config};" in main.read_text(encoding="utf-8")


def test_nginx_may_not_dial_the_world(browser: Callable[[], Chromium]) -> None:
    found = require(*ALL)
    lost = replace(EXPERIMENTS["no-sticky-sessions"], hosts={"10.0.1.11:3000": 3001})
    with (
        pytest.raises(LabError, match=r"would dial 10\.0\.1\.12:3000, which is no part"),
        Running(lost, "bad", found, browser),
    ):
        pass


def test_versions_must_fit_the_project(tmp_path: Path) -> None:
    found = require("node_modules", "venv")
    manifest = tmp_path / "package.json"
    manifest.write_text(json.dumps({"dependencies": {"express": "^4.18.0", "socket.io": "^2.4.0"}}), encoding="utf-8")
    versions = link_node_modules(tmp_path, found.path("node_modules"), tmp_path)
    assert {name: version.split(".")[0] for name, version in versions.items()} == {
        "npm:express": "4",
        "npm:socket.io": "2",
    }
    assert (tmp_path / "node_modules" / "socket.io" / "package.json").exists()
    manifest.write_text(json.dumps({"dependencies": {"express": "^99.0.0"}}), encoding="utf-8")
    with pytest.raises(LabError, match=r"express \^99\.0\.0: the lab has 4\.\d+\.\d+, 5\."):
        link_node_modules(tmp_path, found.path("node_modules"), tmp_path)
    manifest.write_text(json.dumps({"dependencies": {"left-pad": "*"}}), encoding="utf-8")
    with pytest.raises(LabError, match="needs left-pad"):
        link_node_modules(tmp_path, found.path("node_modules"), tmp_path)
    assert link_node_modules(tmp_path, found.path("node_modules")) == {}
    requirements = tmp_path / "requirements.txt"
    requirements.write_text("flask>=3,<4\n", encoding="utf-8")
    assert check_requirements(tmp_path, tmp_path, found.path("venv")).keys() == {"pip:flask"}
    requirements.write_text("flask<1\n", encoding="utf-8")
    with pytest.raises(LabError, match=r"needs flask<1: venv has 3\."):
        check_requirements(tmp_path, tmp_path, found.path("venv"))


def test_a_project_that_cannot_be_read_fails_alone(browser: Callable[[], Chromium], tmp_path: Path) -> None:
    found = require(*PLAIN)
    experiment = plain(EXPERIMENTS["proxy-and-app-cors"])
    shutil.copytree(PROJECTS / experiment.project, tmp_path, dirs_exist_ok=True)
    for manifest in (tmp_path / "bad").rglob("package.json"):
        manifest.write_text("{", encoding="utf-8")
    verdict = run(replace(experiment, project=str(tmp_path)), found, browser)
    assert any(problem.startswith("bad: JSONDecodeError: ") for problem in verdict.problems)
    assert not any(problem.startswith("good: J") for problem in verdict.problems)


@pytest.mark.parametrize("count", ["0", "-1"])
def test_nobody_at_work_is_a_usage_error(count: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as exit_:
        lab.main(["--jobs", count])
    assert exit_.value.code == 2
    assert f"{count} is not 1 or more" in capsys.readouterr().err


def test_a_rule_that_needs_no_experiment_is_told_so(capsys: pytest.CaptureFixture[str]) -> None:
    assert lab.main(["syntax-error"]) == 2
    assert "syntax-error (It says what corslint could not read" in capsys.readouterr().err
