"""git is asked the same whichever way it is started, and ahead of time only where it is going to be asked anyway."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from corslint import discovery, git
from corslint.git import TRACKED, UNTRACKED, Answer

PROGRAM = """
import os, sys
for _ in range(200):
    os.write(2, b"e" * 10_000)
    os.write(1, b"o" * 10_000)
os.write(1, os.read(0, 10) + b"|" + os.environb.get(b"SAID", b""))
sys.exit(3)
"""


@pytest.fixture(autouse=True)
def nothing_ahead() -> Iterator[None]:
    yield
    for begun in git._ahead.values():
        begun.answer()
    git._ahead.clear()


def put(path: Path, content: bytes = b"") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def repository(folder: Path, files: int = 1) -> Path:
    for number in range(files):
        put(folder / f"{number:04}-{'x' * 60}.js")
    for arguments in (("init", "-q"), ("add", ".")):
        subprocess.run(["git", *arguments], cwd=folder, check=True)
    put(folder / "new.js")
    return folder


@pytest.mark.skipif(not hasattr(os, "posix_spawnp"), reason="this platform starts programs otherwise")
def test_both_ways_to_start_a_program_give_all_that_it_says(tmp_path: Path) -> None:
    command, environment = (sys.executable, "-S", "-c", PROGRAM), {**os.environ, "SAID": "this"}
    spawned = git._spawned(command, environment)
    assert spawned is not None
    expected = Answer(3, b"o" * 2_000_000 + b"|this", b"e" * 2_000_000)
    assert spawned.answer() == expected
    assert git._Process(command, str(tmp_path), environment).answer() == expected


@pytest.mark.skipif(not hasattr(os, "posix_spawnp"), reason="this platform starts programs otherwise")
def test_a_program_that_is_spawned_leaves_nothing_open(tmp_path: Path) -> None:
    root = repository(tmp_path)
    before = len(os.listdir("/dev/fd"))
    for _ in range(3):
        assert git.git(str(root), "status") is not None
    with pytest.raises(FileNotFoundError):
        git._spawned(("no-such-program-anywhere",), {})
    assert len(os.listdir("/dev/fd")) == before


@pytest.mark.skipif(sys.platform != "linux", reason="where a process's signals stand is Linux's")
def test_a_program_that_is_spawned_ends_where_nobody_listens() -> None:
    spawned = git._spawned(("grep", "SigIgn", "/proc/self/status"), os.environ)
    assert spawned is not None
    ignored = int(spawned.answer().stdout.split()[1], 16)
    assert not ignored & (1 << signal.SIGPIPE - 1 | 1 << signal.SIGXFSZ - 1)


def test_where_there_is_no_git(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert git.git(str(tmp_path), "status") is None
    monkeypatch.delattr(os, "posix_spawnp", raising=False)
    assert git.git(str(tmp_path), "status") is None


def test_without_a_standard_stream_a_program_is_started_the_other_way(tmp_path: Path) -> None:
    root = repository(tmp_path)
    program = (
        f"import os, sys; sys.path.insert(0, {str(Path(git.__file__).parent.parent)!r}); os.close(0); os.close(1)\n"
        f"from corslint import git; answer = git.git({str(root)!r}, 'ls-files', '-o')\n"
        "os.write(2, repr(answer).encode())"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stderr == repr(Answer(0, b"new.js\n", b""))


@pytest.mark.parametrize("spawns", [True, False])
def test_a_folder_that_cannot_be_entered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, spawns: bool) -> None:
    if not spawns:
        monkeypatch.delattr(os, "posix_spawnp", raising=False)
    answer = git.git(str(tmp_path / "nowhere"), "status")
    assert answer is None or answer.returncode != 0


def test_a_folder_whose_name_is_an_option(tmp_path: Path) -> None:
    (tmp_path / "--version").mkdir()
    answer = git.git(str(repository(tmp_path / "--version")), *UNTRACKED)
    assert answer == Answer(0, b"new.js\0", b"")


@pytest.mark.parametrize(
    "arguments",
    [
        ["check"],
        ["check", "."],
        ["check", "--no-cache", "."],
        ["check", "--output-format", "json"],
        ["check", "--select", "new.js", "."],
    ],
)
def test_what_a_check_of_the_folder_asks_is_asked_ahead(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str]
) -> None:
    root = repository(tmp_path, 700)
    monkeypatch.chdir(root)
    git.begin_ahead(arguments)
    assert git._ahead.keys() == {(str(root), TRACKED), (str(root), UNTRACKED)}
    monkeypatch.setattr(git, "_begun", lambda *_: pytest.fail("git is asked twice"))
    (found,) = discovery.contexts(["."], str(root))
    assert (len(found.files), found.files[-1]) == (701, "new.js")
    assert not git._ahead


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["rules"],
        ["--help"],
        ["check", "--help"],
        ["check", "-h", "."],
        ["check", "--watch"],
        ["check", "-", "--stdin-filename", "x.js"],
        ["check", "--changed"],
        ["check", "new.js"],
        ["check", "--no-cache", "new.js"],
        ["facts", "."],
    ],
)
def test_nothing_else_is_asked_ahead(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str]) -> None:
    monkeypatch.chdir(repository(tmp_path, 700))
    git.begin_ahead(arguments)
    assert not git._ahead


def test_nothing_is_asked_ahead_where_there_is_little(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    git.begin_ahead(["check"])
    repository(tmp_path, 3)
    git.begin_ahead(["check"])
    assert not git._ahead


def test_what_was_asked_ahead_is_the_answer_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = repository(tmp_path, 700)
    monkeypatch.chdir(root)
    git.begin_ahead(["check"])
    first = git.git(str(root), *UNTRACKED)
    put(root / "newer.js")
    assert first == Answer(0, b"new.js\0", b"")
    assert git.git(str(root), *UNTRACKED) == Answer(0, b"new.js\0newer.js\0", b"")


def test_nothing_is_asked_ahead_in_a_folder_that_was_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    git.begin_ahead(["check"])
    assert not git._ahead


IGNORES_ITS_CHILDREN = """
import os, signal, sys
signal.signal(signal.SIGCHLD, signal.SIG_IGN)
os.execv(sys.executable, [sys.executable, "-m", "corslint", *sys.argv[1:]])
"""


@pytest.mark.skipif(not hasattr(signal, "SIGCHLD"), reason="this platform has no such signal")
def test_whoever_starts_corslint_may_ignore_the_end_of_processes(tmp_path: Path) -> None:
    root = repository(tmp_path, 700)
    command = (sys.executable, "-c", IGNORES_ITS_CHILDREN, "check", "--no-cache", "-j2")
    ended = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stdout) == (0, "corslint: no findings in 701 files\n")
