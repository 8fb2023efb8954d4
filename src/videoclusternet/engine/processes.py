"""Several processes on one machine, each with its share of the cores."""

from __future__ import annotations

import multiprocessing
import os
import pickle
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor
from concurrent.futures import wait as wait_for
from concurrent.futures.process import BrokenProcessPool
from contextlib import AbstractContextManager, contextmanager
from functools import lru_cache
from multiprocessing.connection import Connection, wait
from multiprocessing.queues import SimpleQueue
from pathlib import Path
from types import ModuleType
from typing import Any, Protocol, Self

from threadpoolctl import ThreadpoolController, threadpool_limits

from videoclusternet.engine.memory import keep_memory
from videoclusternet.engine.work import Item, Make, Result, Serial
from videoclusternet.errors import MemoryShortage

GIB = 2**30
THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENCV_FOR_THREADS_NUM")
"""What torch and OpenCV read as they are imported."""
EVERY = 0.1
"""Seconds between two looks at what the processes say."""
_said: Voice | None = None
"""Of a process of a pool: where it says how far it is."""


def cores() -> int:
    """Return how many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def usable() -> int:
    """Return how many processes the machine holds: one for each core that has a GiB of memory."""
    if is_one_of_several():
        return 1
    return max(1, min(cores(), _available() // GIB))


def is_one_of_several() -> bool:
    """Whether this process is one of an engine's, with its share of the cores."""
    return _said is not None


def _available() -> int:
    """Return the memory that is free or could be, bytes; without bound where nothing says it."""
    try:
        lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
        said = dict(line.split(":", 1) for line in lines)
        return int(said["MemAvailable"].split()[0]) * 1024
    except (OSError, KeyError, ValueError):  # another system: cores alone count
        return cores() * GIB


@lru_cache(maxsize=1)
def _threading(modules: int) -> ThreadpoolController:
    """Return the libraries of this process that work in threads, while it has so many modules.

    Looking for them takes milliseconds; there are new ones only where something was imported.
    """
    return ThreadpoolController()


def one_thread() -> AbstractContextManager[Any]:
    """Keep linear algebra to one thread, in the ``with`` block.

    Threads of BLAS meet after every few rows.  In many small problems they wait for each other
    longer than they work, and for hundreds of times as long where other work keeps a core busy.
    """
    found = _threading(len(sys.modules))
    return found.limit(limits=1, user_api="blas")  # type: ignore[no-any-return]


def beside_a_thread() -> AbstractContextManager[Any]:
    """Leave a core to another thread of this process that works all the time, in the block.

    As :func:`one_thread`, and the threads of OpenMP, in which torch works, are one fewer: else
    all of them would wait for the one that shares its core.
    """
    found = _threading(len(sys.modules))
    now = [one["num_threads"] for one in found.info() if one["user_api"] == "openmp"]
    fewer = max(1, min(now, default=cores()) - 1)
    return found.limit(limits={"blas": 1, "openmp": fewer})  # type: ignore[no-any-return]


class Processes:
    """An engine of ``count`` processes that begin when first needed and end with the engine.

    Use as a context manager.

    Parameters
    ----------
    count : int
        Of one, all is done in this process.
    """

    def __init__(self, count: int) -> None:
        self.count = count
        self._pool: ProcessPoolExecutor | None = None
        self._ends: tuple[Connection, Connection] | None = None
        self._heard: SimpleQueue[tuple[int, Any]] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def close(self) -> None:
        """End all processes, at once even if they work."""
        if self._ends:
            for end in self._ends:
                end.close()  # whoever watches it ends
        if self._pool:
            self._pool.shutdown(cancel_futures=True)
        self._pool = self._ends = self._heard = None

    def map(
        self,
        make: Make[Item, Result],
        items: Sequence[Item],
        tell: Callable[[Item, Any], None],
        patient: bool = False,
    ) -> Iterator[tuple[Item, Result]]:
        """Yield items with what was made of them, as they end; see ``Engine``.

        Raises
        ------
        MemoryShortage
            When a process was killed.
        Exception
            What ``make`` raised; one that cannot go from process to process is told by its name
            and its message, in a ``RuntimeError``.
        """
        if self.count < 2 or (len(items) < 2 and not patient):
            yield from Serial().map(make, items, tell)
            return
        pool, heard = self._started()
        try:
            with _without_script():
                futures = {pool.submit(work, make, i, item): item for i, item in enumerate(items)}
            yield from self._results(futures, items, heard, tell, patient)
        except BrokenProcessPool:
            self.close()
            raise MemoryShortage(
                "a process was killed, perhaps for its memory",
                "run it again with fewer: --jobs of a bench, --set processes=1 else",
            ) from None
        except BaseException:
            self.close()  # left early: no process goes on alone
            raise

    def _started(self) -> tuple[ProcessPoolExecutor, SimpleQueue[tuple[int, Any]]]:
        if self._pool is None or self._heard is None:
            # Fresh processes: a forked one would share the threads of the numerics.
            context = multiprocessing.get_context("spawn")
            threads = max(1, cores() // self.count)
            self._ends = context.Pipe(duplex=False)
            self._heard = context.SimpleQueue()
            begin = (threads, self._ends[0], self._heard)
            self._pool = ProcessPoolExecutor(self.count, context, _begin, begin)
        return self._pool, self._heard

    def _results(
        self,
        futures: dict[Future[Any], Item],
        items: Sequence[Item],
        heard: SimpleQueue[tuple[int, Any]],
        tell: Callable[[Item, Any], None],
        patient: bool,
    ) -> Iterator[tuple[Item, Any]]:
        left = set(futures)
        failed: list[BaseException] = []
        while left:
            done, left = wait_for(left, timeout=EVERY, return_when=FIRST_COMPLETED)
            while not heard.empty():
                number, said = heard.get()
                tell(items[number], said)
            for future in done:
                if error := future.exception():
                    failed.append(error)
                else:
                    yield futures[future], future.result()
            if failed and not patient:
                break
        if failed:
            raise failed[0]


@contextmanager
def _without_script() -> Iterator[None]:
    """Let processes begin without running the user's script again.

    A fresh process imports the main module first.  A script that calls this package without
    ``if __name__ == "__main__"`` would begin anew in it, and one from standard input cannot.
    """
    script = sys.modules["__main__"]
    sys.modules["__main__"] = ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = script


class Voice(Protocol):
    """Where one of several processes says how far it is."""

    def put(self, said: tuple[int, Any], /) -> None:
        """Say something of an item, by its number."""
        ...


def begin_one_of_several(threads: int, said: Voice) -> None:
    """Let this process be one of an engine's, with so many threads."""
    global _said
    _said = said
    keep_memory()
    os.environ.update(dict.fromkeys(THREADS, str(threads)))  # for what is imported from now on
    threadpool_limits(threads)  # and for what is there


def _begin(threads: int, alive: Connection, said: SimpleQueue[tuple[int, Any]]) -> None:
    """Set a process up, and let it end when the one that began it does."""
    begin_one_of_several(threads, said)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the first process ends the others
    threading.Thread(target=_watch, args=(alive,), daemon=True).start()


def _watch(alive: Connection) -> None:
    wait([alive])
    os._exit(1)


def work(make: Make[Any, Any], number: int, item: Any) -> Any:
    """Make an item in one of several processes; errors that cannot travel are told by name."""
    said = _said
    assert said is not None
    try:
        return make(item, lambda message: said.put((number, message)))
    except Exception as error:
        if _travels(error):
            raise
        raise RuntimeError(f"{type(error).__name__}: {error}") from error


def _travels(error: Exception) -> bool:
    """Whether an error reaches the first process whole.

    Many libraries raise errors whose class wants other arguments than it hands on.  One that
    cannot be put together again breaks the pool, which then looks like a killed process.
    """
    try:
        pickle.loads(pickle.dumps(error))  # what was made right here
    except Exception:  # whatever a foreign class raises
        return False
    return True
