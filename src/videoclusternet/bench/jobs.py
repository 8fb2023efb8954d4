"""What studies and comparisons share: runs of labelled sets, and jobs in many processes."""

from __future__ import annotations

import multiprocessing
import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path
from typing import Any, TypeVar

from videoclusternet.config import Config
from videoclusternet.datasets.box_sets import cluster_boxes
from videoclusternet.datasets.crop_sets import cluster_tracks
from videoclusternet.datasets.feature_sets import enter_features
from videoclusternet.datasets.sets import LabelledSet
from videoclusternet.pipeline import cluster_film

Rows = list[dict[str, Any]]
J = TypeVar("J")
FINISHED = "cast.html"
"""What a run writes last."""
Run = Callable[[J, Path], Iterator[Rows]]


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
        Processes; each takes its share of the cores.  With one, parts come one by one.
    """
    if jobs == 1:
        for job in todo:
            yield from run(job, folder)
        return
    # Fresh processes: a forked one would share the threads of the numerics.
    context = multiprocessing.get_context("spawn")
    threads = max(1, (os.cpu_count() or 1) // jobs)
    with ProcessPoolExecutor(jobs, context, _limit_threads, (threads,)) as pool:
        futures = [pool.submit(_whole, run, job, folder) for job in todo]
        for future in as_completed(futures):
            yield from future.result()


def _limit_threads(threads: int) -> None:
    import torch

    torch.set_num_threads(threads)


def _whole(run: Run[J], job: J, folder: Path) -> list[Rows]:
    return list(run(job, folder))
