"""Orders to an executor, and what comes back: whatever happens to a worker, every order gets its answer.

A task is a batch of orders. Where a task fails, or the workers die, nobody knows yet which order is to blame: those of
all tasks that were given out are in doubt. Each is tried again at the end, one at a time, so that what fails then is to
blame, and nothing else suffers; one that ends its worker then, once more.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, Future, wait
from contextlib import suppress
from time import monotonic

from corslint import report
from corslint.fleet.checking import Failure, Options, Order, Outcome, check
from corslint.fleet.executors import Crew, Hire
from corslint.settings import UsageError

_BATCH = 8
"""Orders of a task, at most: to hand over one alone takes as long as to check something small (measured)."""
_MOST_DEATHS = 10
"""Orders one after the other that end their workers, or for which these fail. It is not the repositories, then."""
_LOOK = 1.0
"""Seconds after which it is asked whether anybody still works."""
_MISSED = 10.0
"""Seconds without any worker, after which that is said."""
_MOST_MISSED = 600.0
"""Seconds without any worker, after which the run ends. A cluster may have to start machines for some first."""

Answer = tuple[Order, Outcome | Failure]
_Task = Future[list[Outcome | Failure]]


Say = Callable[[str], object]
"""Tells whoever started the run what holds it up."""


def answers(orders: Sequence[Order], hire: Hire, options: Options, say: Say = lambda _: None) -> Iterator[Answer]:
    """Each order with what came of it, in the order in which they are done. `say` is told where nobody works.

    Raises:
        UsageError: workers end whatever they are given, take nothing, or are gone.

    """
    if not orders:
        return
    with _Shift(hire, options, _Absence(say)) as shift:
        yield from shift.work(orders)


_GOES_ON = "a new run goes on where this one was"


class _Absence:
    """Workers that are all away: they may come back, or others. It is said that they are missed, and for how long."""

    def __init__(self, say: Say) -> None:
        self._say = say
        self._since: float | None = None
        self._is_said = False

    def note(self, anybody: bool) -> None:
        """Whether there are workers now. Raises `UsageError` where there have been none for too long."""
        if anybody:
            self._since, self._is_said = None, False
            return
        now = monotonic()
        self._since = now if self._since is None else self._since
        if now - self._since >= _MOST_MISSED:
            raise UsageError(f"--executor: no workers for {_minutes(_MOST_MISSED)}; {_GOES_ON}")
        if now - self._since >= _MISSED and not self._is_said:
            self._is_said = True
            self._say(f"no workers are left: the run waits {_minutes(_MOST_MISSED)} for others; if it ends, {_GOES_ON}")


def _minutes(seconds: float) -> str:
    return report.counted(round(seconds / 60), "minute")


class _Shift:
    """Some work, and the executors that it takes."""

    def __init__(self, hire: Hire, options: Options, absence: _Absence) -> None:
        self._hire = hire
        self._options = options
        self._absence = absence
        self._crew: Crew = hire()
        self._pending: dict[_Task, list[Order]] = {}
        self._doubtful: dict[Order, None] = {}
        """Orders that were not answered, in the order in which that was noticed."""

    def __enter__(self) -> _Shift:
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        if not self._crew.is_gone():
            for future in self._pending:
                future.cancel()
        if kind is None:
            self._crew.executor.shutdown()
        else:  # nobody waits for what is still going on, nor hears of a second error
            self._dismiss()

    def work(self, orders: Sequence[Order]) -> Iterator[Answer]:
        yield from self._together(_batches(orders, self._crew.width))
        yield from self._alone()

    def _together(self, batches: Iterable[list[Order]]) -> Iterator[Answer]:
        """All batches, as many at a time as the crew takes; what fails becomes doubtful."""
        waiting = deque(batches)
        pending = self._pending
        breaks = 0
        while waiting or pending:
            broken = None
            while waiting and len(pending) < self._crew.width:
                try:
                    future = self._submitted(waiting[0])
                except BrokenExecutor as error:  # and so are all that are pending
                    broken = error
                    break
                pending[future] = waiting.popleft()
            if not pending:  # it broke while it was idle
                breaks = _counted(breaks, broken)
                self._replace()
                continue
            breaks = 0
            done = self._first_done(pending)
            is_broken = any(isinstance(_error(future), BrokenExecutor) for future in done)
            if is_broken:
                done = wait(pending).done  # all of them end now
            for future in done:
                yield from self._answered(pending.pop(future), future)
            if is_broken:
                self._replace()

    def _answered(self, batch: Sequence[Order], future: _Task) -> Iterator[Answer]:
        """The answers of a task that is done; its orders are doubtful where it, or one of them, failed."""
        error = _error(future)
        if error is not None:
            self._doubtful.update(dict.fromkeys(batch))
            return
        for order, outcome in zip(batch, future.result(), strict=True):
            if isinstance(outcome, Failure):
                self._doubtful[order] = None
            else:
                yield order, outcome

    def _alone(self) -> Iterator[Answer]:
        """What is doubtful, one at a time."""
        deaths = 0
        for order in self._doubtful:
            outcome, error = self._tried(order)
            if isinstance(error, BrokenExecutor):  # killed from outside, it may be, and only now
                outcome, error = self._tried(order)
            if outcome is not None:
                deaths = 0
                yield order, outcome
                continue
            deaths = _counted(deaths, error)
            yield order, Failure(_reason(error))

    def _tried(self, order: Order) -> tuple[Outcome | Failure | None, BaseException | None]:
        """What came of one order, which had the crew for itself, or why nothing did."""
        try:
            (future,) = self._first_done([self._submitted([order])])
            error = _error(future)
        except BrokenExecutor as broken:
            error = broken
        else:
            if error is None:
                return future.result()[0], None
        if isinstance(error, BrokenExecutor):
            self._replace()
        return None, error

    def _submitted(self, orders: list[Order]) -> _Task:
        """A task, given to the crew. Raises `BrokenExecutor` where that is to be replaced."""
        try:
            return self._crew.executor.submit(check, orders, self._options)
        except BrokenExecutor:
            raise
        except Exception as error:  # somebody else's executor: it is shut down, or takes nothing at all
            raise UsageError(f"--executor takes no work: {type(error).__name__}: {error}") from None

    def _first_done(self, tasks: Iterable[_Task]) -> set[_Task]:
        """Those of some tasks that are done, when the first of them is."""
        tasks = list(tasks)
        while not (done := wait(tasks, _LOOK, FIRST_COMPLETED).done):
            if self._crew.is_gone():
                raise UsageError(f"--executor: nobody does the work any more; {_GOES_ON}")
            self._absence.note(self._crew.has_workers())
        self._absence.note(True)
        return done

    def _replace(self) -> None:
        """Another crew for one that is broken."""
        self._dismiss()
        self._crew = self._hire()

    def _dismiss(self) -> None:
        """Let a crew end on its own, in whatever state it is."""
        with suppress(Exception):  # somebody else's, which has lost its scheduler, cannot even be shut down
            self._crew.executor.shutdown(wait=False)


def _batches(orders: Sequence[Order], width: int) -> Iterator[list[Order]]:
    """The orders in batches that are small enough for all workers to have some until the end."""
    size = max(1, min(_BATCH, len(orders) // (4 * width)))
    return (list(orders[at : at + size]) for at in range(0, len(orders), size))


def _counted(times: int, error: BaseException | None) -> int:
    """How often workers have failed on end, now once more. Raises `UsageError` where that is too often."""
    if times + 1 == _MOST_DEATHS:
        raise UsageError(f"workers end or fail whatever they are given, {times + 1} times on end: {_reason(error)}")
    return times + 1


def _error(future: _Task) -> BaseException | None:
    """Why a task that is done came to nothing; None where it came to something."""
    try:
        return future.exception()
    except BaseException as error:
        if isinstance(error, KeyboardInterrupt):
            raise
        return error  # it was cancelled, as when a scheduler goes away


def _reason(error: BaseException | None) -> str:
    if isinstance(error, BrokenExecutor):
        return "the worker that checked it ended (out of memory, or killed)"
    said = str(error).strip().partition("\n")[0]
    return f"the worker that checked it failed: {type(error).__name__}: {said}"
