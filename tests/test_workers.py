"""Worker processes: the same readings, in order, and whatever happens to one task happens to it alone."""

from __future__ import annotations

import faulthandler
import mmap
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from corslint import workers
from corslint.parsers import parse
from corslint.source import SourceFile
from corslint.workers import MEMORY, Failure

pytestmark = pytest.mark.skipif(not workers.can_fork(), reason="this platform cannot fork")


def _children() -> set[int]:
    found = set()
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                fields = Path(f"/proc/{name}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2]
            except OSError:
                continue
            if int(fields.split()[1]) == os.getpid():
                found.add(int(name))
    return found


@pytest.mark.parametrize("jobs", [1, 2, 3])
def test_readings_come_in_order_and_are_those_of_this_process(tmp_path: Path, jobs: int) -> None:
    texts = {
        "a.js": "const io = new Server(3000, { cors: { origin: '*' } });\n",
        "b.py": "app = Flask(__name__)\nCORS(app)\n",
        "c.unknown": "nothing\n",
        "nginx.conf": "http { server { add_header Access-Control-Allow-Origin *; } }\n",
        "package.json": '{"dependencies": {"cors": "^2.8.5"}}',
        "gone.js": None,
    }
    for name, text in texts.items():
        if text is not None:
            (tmp_path / name).write_text(text, encoding="utf-8")
    paths = [str(tmp_path / name) for name in texts]
    found = list(workers.read_all(paths, jobs))
    expected = [
        (path, parse(SourceFile(path, Path(path).read_bytes())) if Path(path).exists() else None) for path in paths
    ]
    expected[-1] = (paths[-1], Failure("No such file or directory"))  # type: ignore[assignment]
    assert found == expected
    assert repr(found) == repr(expected)


def _crash(_: str) -> bytes:
    faulthandler.disable()  # pytest's, which would print where it happened
    os.kill(os.getpid(), signal.SIGSEGV)
    return b""


def _turn(_: str) -> bytes:
    while True:
        pass


def _leave(_: str) -> bytes:
    os._exit(3)


def _recurse(task: str) -> bytes:
    return _recurse(task)


def _swell(_: str) -> bytes:
    return bytes(MEMORY + (64 << 20))


def _read_nothing(_: str) -> bytes:
    time.sleep(600)
    return b""


@pytest.mark.parametrize("jobs", [1, 2])
@pytest.mark.parametrize(
    ("trouble", "reason"),
    [
        (_crash, "the parser crashed (SIGSEGV)"),
        (_turn, "reading it takes more than 0.1 s"),
        (_read_nothing, "reading it takes more than 0.1 s"),
        (_leave, "the parser ended with status 3"),
        (_swell, "reading it takes more memory than a file may"),
        (_recurse, "the parser failed: RecursionError: maximum recursion depth exceeded"),
    ],
)
def test_what_befalls_one_task_befalls_no_other(trouble: Callable[[str], bytes], reason: str, jobs: int) -> None:
    tasks = ["a", "bad", "b", "c", "bad", "bad", "d"]

    def work(task: str) -> bytes:
        return trouble(task) if task == "bad" else task.encode() * 100_000

    before = _children()
    found = list(workers.spread(tasks, work, jobs, seconds=0.1))
    assert [one.reason if isinstance(one, Failure) else one for one in found] == [
        reason if task == "bad" else task.encode() * 100_000 for task in tasks
    ]
    assert _children() == before


@pytest.mark.skipif(sys.platform != "linux", reason="needs /proc")
def test_what_this_process_has_reserved_is_no_memory_of_a_reader() -> None:
    private = mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS
    with mmap.mmap(-1, MEMORY + (1 << 30), flags=private):
        (found,) = workers.spread(["a"], lambda task: bytes(MEMORY // 3)[:1] + task.encode(), 1)
    assert found == b"\0a"


@pytest.mark.skipif(sys.platform != "linux", reason="needs RLIMIT_AS")
def test_a_limit_that_is_lower_already_stays() -> None:
    program = (
        "import resource; from corslint import workers; low = 1 << 30;"
        "resource.setrlimit(resource.RLIMIT_AS, (low, resource.RLIM_INFINITY));"
        "workers._hold_to(workers.MEMORY); assert resource.getrlimit(resource.RLIMIT_AS)[0] == low"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


def test_nobody_is_left_where_the_answers_are_not_wanted() -> None:
    before = _children()
    answers = workers.spread(["a", "b"], lambda task: _turn(task) if task == "b" else b"a", 2)
    assert next(answers) == b"a"
    answers.close()
    assert _children() == before


def test_without_tasks_nothing_is_done() -> None:
    assert list(workers.spread([], _crash, 2)) == []


def test_whoever_starts_this_process_may_ignore_the_end_of_others() -> None:
    known = signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    try:
        found = list(workers.spread(["a", "b"], lambda task: os._exit(3) if task == "a" else task.encode(), 2))
    finally:
        signal.signal(signal.SIGCHLD, known)
    assert found == [Failure("the parser ended with status 3"), b"b"]
