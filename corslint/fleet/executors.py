"""What carries out the work: any `concurrent.futures.Executor`.

`processes` are worker processes on this machine. `dask:ADDRESS` are the workers of a Dask scheduler, `mpi` those of an
MPI job (`mpiexec -n N python -m mpi4py.futures -m corslint fleet ...`), and `MODULE:ATTRIBUTE` is anything that makes
an Executor when it is called. Workers elsewhere need the same corslint, and the repositories under the same paths.
"""

from __future__ import annotations

import importlib
import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Executor
from contextlib import contextmanager, suppress
from typing import Any

from corslint import risk
from corslint.records import NamedTuple
from corslint.settings import UsageError

PROCESSES = "processes"
FORMS = f"{PROCESSES}|dask:ADDRESS|mpi|MODULE:ATTRIBUTE"
"""How an executor may be named."""

_AHEAD = 2
"""So many tasks for each worker are given out at a time: none waits for orders, and few are in doubt when one dies."""
_UNKNOWN = 64
"""Workers of an executor that does not say how many it has."""
_PATIENCE = "10s"
"""So long may a scheduler take to answer."""


def _never() -> bool:
    return False


def _always() -> bool:
    return True


class Crew(NamedTuple):
    """An executor at work, and how many tasks are given to it at a time.

    `is_gone`: whether what it was given will never be answered, and it does not say so. `has_workers`: whether there is
    anybody now who does the work; others may come.
    """

    executor: Executor
    width: int
    is_gone: Callable[[], bool] = _never
    has_workers: Callable[[], bool] = _always


Hire = Callable[[], Crew]
"""Makes an executor; again where the last one broke."""


@contextmanager
def named(name: str, jobs: int | None) -> Iterator[Hire]:
    """What makes executors of that name; what they share ends with the context.

    `jobs`: how many processes, or for other executors how many workers are taken to be there; None for all there are.

    Raises:
        UsageError: there is none of that name, what it needs is not installed, or nobody answers.

    """
    if name == PROCESSES:
        yield _processes(jobs or risk.fitting(sys.maxsize))
    elif name.startswith("dask:"):
        with _dask(name.removeprefix("dask:"), jobs) as hire:
            yield hire
    else:
        yield _made("mpi4py.futures:MPIPoolExecutor" if name == "mpi" else name, name, jobs)


# --- processes -------------------------------------------------------------------------------------------------------


def _processes(jobs: int) -> Hire:
    from concurrent.futures import ProcessPoolExecutor

    # Forked workers share what is loaded already. Elsewhere than on Linux the system's own libraries may not bear it.
    method = "fork" if sys.platform == "linux" else None
    context = multiprocessing.get_context(method)
    if method == "fork":
        _load()

    def hire() -> Crew:
        return Crew(ProcessPoolExecutor(jobs, context, _begin), jobs * _AHEAD)

    return hire


def _load() -> None:
    """Load what every repository needs."""
    from corslint import lint, parsers
    from corslint.fleet import checking

    parsers.expect_many()
    lint.knowledge(examples=False)
    checking.load()


def _begin() -> None:
    """What a worker process does first."""
    import gc

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # whoever gave the orders is interrupted, and then it ends
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_end_with, args=(parent.sentinel,), daemon=True).start()
    _load()
    gc.disable()  # as on the command line; it is asked to collect after each task
    gc.freeze()


def _end_with(sentinel: int) -> None:
    """End this process when the one that started it has ended, however it did: else it would wait for ever."""
    from multiprocessing.connection import wait

    with suppress(OSError):
        wait([sentinel])
    os._exit(1)


# --- others ----------------------------------------------------------------------------------------------------------


@contextmanager
def _dask(address: str, jobs: int | None) -> Iterator[Hire]:
    try:
        import distributed
    except ImportError as error:
        if (error.name or "").partition(".")[0] not in ("distributed", "dask"):
            raise
        raise UsageError("--executor dask needs distributed: pip install 'corslint[fleet]'") from None
    connected: Any = distributed.Client  # it has no types
    try:
        client = connected(address, timeout=_PATIENCE, set_as_default=False)
    except (OSError, ValueError) as error:  # ValueError: no address
        raise UsageError(f"--executor: no Dask scheduler answers at {address}: {error}") from None
    with client:
        count = jobs or sum(client.nthreads().values())
        if not count:
            raise UsageError(f"--executor: the Dask scheduler at {address} has no workers")

        def is_gone() -> bool:  # without its scheduler a client ends after a while, and takes work still
            return bool(client.status == "closed")

        def has_workers() -> bool:
            try:
                return bool(client.nthreads())
            except Exception:  # of the connection: the client finds out whether it is lost
                return True

        yield lambda: Crew(client.get_executor(pure=False), count * _AHEAD, is_gone, has_workers)


def _made(name: str, shown: str, jobs: int | None) -> Hire:
    module, colon, attribute = name.partition(":")
    if not colon or not module or not attribute:
        raise UsageError(f"--executor takes {FORMS}, not {shown!r}")
    try:
        make = importlib.import_module(module)
        for part in attribute.split("."):
            make = getattr(make, part)
    except (ImportError, AttributeError, ValueError) as error:
        hint = " (pip install mpi4py)" if shown == "mpi" else ""
        raise UsageError(f"--executor {shown}: {error}{hint}") from None
    except Exception as error:  # the module's own
        raise UsageError(f"--executor {shown}: {type(error).__name__}: {error}") from None

    def hire() -> Crew:
        try:
            executor = make()  # type: ignore[operator]
        except Exception as error:
            raise UsageError(f"--executor {shown}: {type(error).__name__}: {error}") from None
        if not isinstance(executor, Executor):
            kind = type(executor).__name__
            raise UsageError(f"--executor {shown}: makes a {kind}, which is no concurrent.futures.Executor")
        count = jobs or getattr(executor, "num_workers", None) or _UNKNOWN  # num_workers: as mpi4py's says it
        return Crew(executor, count * _AHEAD)

    return hire
