"""Processes that read files: several at a time, and one that makes its reader hang or crash costs only itself.

A parser written in C that crashes takes its process along, and none can be told to stop. So workers are processes,
forked (threads would wait for each other: parsers hold the interpreter's lock), and each sets an alarm before a task:
the system ends it where it takes too long, even when nobody is left to wait for it.

Where the platform cannot fork, tasks are done in this process, one after the other.
"""

from __future__ import annotations

import os
import select
import signal
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

from corslint.discovery import read_file
from corslint.git import hear_of_ends
from corslint.model import encoding
from corslint.parsers import parse
from corslint.records import NamedTuple
from corslint.source import SourceFile

if TYPE_CHECKING:
    from typing import NoReturn

    from corslint.model.reading import Reading

SECONDS = 5.0
"""Of processor time. So long may one task take."""

MEMORY = 3 << 30
"""Bytes of address space that reading may take, where the system can hold a process to that: a file of 4 MiB takes
0.9 GiB (measured). What this process has reserved already is beside that: threads alone reserve gigabytes."""

_PATIENCE = 4
"""So many times that may pass on the clock: others use the processors, too."""

_AHEAD = 2
"""So many tasks has a worker before it: it need not wait until it is told the next."""

_DONE, _FAILED, _NOTHING = b"d", b"f", b"n"


class Failure(NamedTuple):
    """A task that came to nothing, and why."""

    reason: str


def can_fork() -> bool:
    """Whether this platform has processes that begin as a copy of this one."""
    return hasattr(os, "fork") and hasattr(signal, "setitimer")


def read_apart(path: str, data: bytes) -> Reading | Failure | None:
    """The reading of one file by a process of its own, which has longer for a larger one; None where no parser does."""
    ((_, found),) = read_all([path], 1, lambda _: data, SECONDS * (1 + len(data) / 2_000_000))
    return found


def read_all(
    paths: Sequence[str],
    jobs: int,
    read: Callable[[str], bytes] = read_file,
    seconds: float = SECONDS,
) -> Iterator[tuple[str, Reading | Failure | None]]:
    """The readings of these files, each with its path, in the order of `paths`; None where no parser reads a file.

    At most `jobs` processes work on them, and at least one. `read` gives the content of a file.
    """
    for path, done in zip(paths, spread(paths, lambda path: _encoded(path, read), jobs, seconds), strict=True):
        if isinstance(done, bytes):
            try:
                yield path, encoding.decode(done, path)
            except encoding.EncodingError:  # too deep to be handed over, which is no reason not to read it
                yield path, parse(SourceFile(path, read(path)))
        else:
            yield path, done


def _encoded(path: str, read: Callable[[str], bytes]) -> bytes | None:
    found = parse(SourceFile(path, read(path)))
    if found is None:
        return None
    try:
        return encoding.encode(found)
    except encoding.EncodingError:
        return b""


def spread(
    tasks: Sequence[str], work: Callable[[str], bytes | None], jobs: int, seconds: float = SECONDS
) -> Generator[bytes | Failure | None, None, None]:
    """What `work` makes of each task, in their order, done by at most `jobs` processes."""
    if not can_fork():
        for task in tasks:
            yield _tried(work, task)
        return
    crew = _Crew(tasks, work, seconds)
    try:
        yield from crew.results(max(1, min(jobs, len(tasks))))
    finally:
        crew.dismiss()


def _tried(work: Callable[[str], bytes | None], task: str) -> bytes | Failure | None:
    """What `work` makes of a task, or why it does not."""
    try:
        return work(task)
    except OSError as error:
        return Failure(error.strerror or str(error))
    except MemoryError:
        return Failure("reading it takes more memory than a file may")
    except Exception as error:
        return Failure(f"the parser failed: {type(error).__name__}: {error}")


class _Worker:
    """One process, and the tasks that it was given and has not answered, the one it works on first."""

    def __init__(self, pid: int, orders: int, answers: int) -> None:
        self.pid = pid
        self.orders = orders
        self.answers = answers
        self.given: list[int] = []
        self.buffer = bytearray()


class _Crew:
    def __init__(self, tasks: Sequence[str], work: Callable[[str], bytes | None], seconds: float) -> None:
        self._tasks = tasks
        self._work = work
        self._seconds = seconds
        self._workers: dict[int, _Worker] = {}
        """By the descriptor of their answers."""
        self._waiting = list(range(len(tasks) - 1, -1, -1))
        self._found: dict[int, bytes | Failure | None] = {}

    def results(self, size: int) -> Iterator[bytes | Failure | None]:
        hear_of_ends()
        for _ in range(size):
            self._hire()
        for number in range(len(self._tasks)):
            self._listen(0)  # whoever takes the results may work on each for a while, and nobody is to wait for that
            while number not in self._found:
                self._listen()
            yield self._found.pop(number)

    def dismiss(self) -> None:
        """End all workers, whatever they are doing."""
        for worker in list(self._workers.values()):
            with suppress(ProcessLookupError):
                os.kill(worker.pid, signal.SIGKILL)
            self._gone(worker)

    def _hire(self) -> None:
        orders, to_worker = os.pipe()
        from_worker, answers = os.pipe()
        pid = os.fork()
        if pid == 0:
            _serve(orders, answers, (to_worker, from_worker), self._tasks, self._work, self._seconds)
        os.close(orders)
        os.close(answers)
        worker = self._workers[from_worker] = _Worker(pid, to_worker, from_worker)
        self._give(worker)

    def _give(self, worker: _Worker) -> None:
        while self._waiting and len(worker.given) < _AHEAD:
            number = self._waiting.pop()
            worker.given.append(number)
            with suppress(BrokenPipeError):  # that it is gone is noticed where its answers are read
                os.write(worker.orders, number.to_bytes(4, "little"))

    def _listen(self, seconds: float | None = None) -> None:
        """Wait for an answer, or for the end of a worker, however long or for so many seconds."""
        for answers in select.select(list(self._workers), [], [], seconds)[0]:
            worker = self._workers[answers]
            piece = os.read(answers, 1 << 20)
            if not piece:
                self._replace(worker)
                continue
            worker.buffer += piece
            self._take(worker)
            self._give(worker)

    def _take(self, worker: _Worker) -> None:
        """The whole answers among what a worker sent."""
        buffer = worker.buffer
        while len(buffer) >= 5 and len(buffer) >= 5 + (size := int.from_bytes(buffer[1:5], "little")):
            kind, said = bytes(buffer[:1]), bytes(buffer[5 : 5 + size])
            del buffer[: 5 + size]
            number = worker.given.pop(0)
            if kind == _FAILED:
                self._found[number] = Failure(said.decode("utf-8", "replace"))
            else:
                self._found[number] = said if kind == _DONE else None

    def _replace(self, worker: _Worker) -> None:
        """A worker ended: so did the task it was at. Its other tasks are done by a new one."""
        status = self._gone(worker)
        if worker.given:
            self._found[worker.given[0]] = Failure(self._why(status))
            self._waiting += reversed(worker.given[1:])
        if self._waiting:
            self._hire()

    def _gone(self, worker: _Worker) -> int:
        del self._workers[worker.answers]
        os.close(worker.orders)
        os.close(worker.answers)
        return os.waitstatus_to_exitcode(os.waitpid(worker.pid, 0)[1])

    def _why(self, status: int) -> str:
        if -status in (signal.SIGPROF, signal.SIGALRM):
            return f"reading it takes more than {self._seconds:g} s"
        if status < 0:
            return f"the parser crashed ({signal.Signals(-status).name})"
        return f"the parser ended with status {status}"


def _serve(
    orders: int,
    answers: int,
    others: tuple[int, int],
    tasks: Sequence[str],
    work: Callable[[str], bytes | None],
    seconds: float,
) -> NoReturn:
    """What a worker does until there are no more orders."""
    try:
        for descriptor in others:
            os.close(descriptor)
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # whoever gave the orders is interrupted, and then they end
        for alarm in (signal.SIGPROF, signal.SIGALRM, signal.SIGTERM, signal.SIGPIPE):
            signal.signal(alarm, signal.SIG_DFL)
        _hold_to(MEMORY)
        while len(order := os.read(orders, 4)) == 4:
            signal.setitimer(signal.ITIMER_PROF, seconds)
            signal.setitimer(signal.ITIMER_REAL, seconds * _PATIENCE)
            said = _tried(work, tasks[int.from_bytes(order, "little")])
            signal.setitimer(signal.ITIMER_PROF, 0)
            signal.setitimer(signal.ITIMER_REAL, 0)  # that nobody wants the answer yet is not the task's fault
            _answer(answers, said)
    finally:
        os._exit(0)


def _hold_to(memory: int) -> None:
    """Let this process have so much more address space, and a parser written in C that asks for yet more ends it."""
    try:
        import resource
    except ImportError:  # pragma: no cover
        return
    with suppress(OSError, ValueError), open("/proc/self/statm", encoding="ascii") as stream:  # Linux alone has it
        memory += int(stream.read().split()[0]) * resource.getpagesize()
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    if soft == resource.RLIM_INFINITY or soft > memory:
        with suppress(ValueError, OSError):  # a system that counts otherwise
            resource.setrlimit(resource.RLIMIT_AS, (memory, hard))


def _answer(answers: int, said: bytes | Failure | None) -> None:
    kind = _NOTHING if said is None else _FAILED if isinstance(said, Failure) else _DONE
    data = b"" if said is None else said.reason.encode("utf-8", "replace") if isinstance(said, Failure) else said
    left = memoryview(kind + len(data).to_bytes(4, "little") + data)
    while left:
        left = left[os.write(answers, left) :]
