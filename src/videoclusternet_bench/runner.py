"""What studies and comparisons share: runs of labelled sets, and jobs in many processes."""

from __future__ import annotations

import multiprocessing
import os
import shutil
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor
from concurrent.futures import wait as wait_for
from concurrent.futures.process import BrokenProcessPool
from multiprocessing.connection import Connection, wait
from multiprocessing.queues import SimpleQueue
from pathlib import Path
from typing import Any, TypeVar

from threadpoolctl import threadpool_limits

from videoclusternet.config import Config
from videoclusternet.errors import ConfigError
from videoclusternet.pipeline import cluster_film
from videoclusternet.sources.boxes import cluster_boxes
from videoclusternet.sources.crops import cluster_tracks
from videoclusternet.sources.features import enter_features
from videoclusternet_bench.data.sets import LabelledSet

Rows = list[dict[str, Any]]
J = TypeVar("J")
FINISHED = "cast.html"
"""What a run writes last."""
Run = Callable[[J, Path], Iterator[Rows]]
_parts: SimpleQueue[Rows] | None = None
"""Of a process of a bench: where it puts what it has done."""


def first_run(labelled: LabelledSet, config: Config, home: Path) -> None:
    """Cluster a labelled set without training, unless that was done.

    Parameters
    ----------
    labelled : LabelledSet
    config : Config
        Of a profile that does not train.
    home : Path
        Run folder.
    """
    if (home / FINISHED).exists():
        return
    match labelled.form:
        case "film":
            cluster_film(labelled.sources, home, config)
        case "crops":
            cluster_tracks(labelled.sources, home, config)
        case "boxes":
            cluster_boxes(labelled.sources, labelled.truths, home, config)
        case "features":
            enter_features(labelled.sources, home, config)


def copy_run(run: Path, to: Path) -> None:
    """Copy a run folder: all of it, or nothing."""
    temporary = to.with_name(f".{to.name}.tmp")
    shutil.rmtree(temporary, ignore_errors=True)
    shutil.copytree(run, temporary)
    temporary.rename(to)


def finished(run: Run[J], todo: Sequence[J], folder: Path, jobs: int) -> Iterator[Rows]:
    """Run jobs and yield their parts as they end.

    Parameters
    ----------
    run : callable
        At the top of a module.  Yields the rows of each part of a job.
    todo : sequence
    folder : Path
        Handed to ``run``.
    jobs : int
        Processes; each takes its share of the cores.

    Raises
    ------
    VcnError
        When a job failed; with several processes after all others have ended.
    ConfigError
        When a process was killed.
    """
    if jobs == 1:
        for job in todo:
            yield from run(job, folder)
        return
    # Fresh processes: a forked one would share the threads of the numerics.
    context = multiprocessing.get_context("spawn")
    threads = max(1, (os.cpu_count() or 1) // jobs)
    alive, parent = context.Pipe(duplex=False)
    parts: SimpleQueue[Rows] = context.SimpleQueue()
    begin = (threads, alive, parts)
    with alive, parent, ProcessPoolExecutor(jobs, context, _begin, begin) as pool:
        futures = [pool.submit(_work, run, job, folder) for job in todo]
        left = set(futures)
        try:
            while left:
                _, left = wait_for(left, timeout=0.2, return_when=FIRST_COMPLETED)
                while not parts.empty():
                    yield parts.get()
        except BaseException:
            parent.close()  # left early: no process goes on alone
            raise
        try:
            for future in futures:
                future.result()
        except BrokenProcessPool:
            raise ConfigError(
                "a process was killed, perhaps for its memory", "run it again with fewer --jobs"
            ) from None


def _begin(threads: int, alive: Connection, parts: SimpleQueue[Rows]) -> None:
    """Set a process up, and let it end when the one that began it does."""
    import torch

    global _parts
    _parts = parts
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the first process ends the others
    torch.set_num_threads(threads)
    threadpool_limits(threads)
    threading.Thread(target=_watch, args=(alive,), daemon=True).start()


def _watch(alive: Connection) -> None:
    wait([alive])
    os._exit(1)


def _work(run: Run[J], job: J, folder: Path) -> None:
    assert _parts is not None
    for rows in run(job, folder):
        _parts.put(rows)
