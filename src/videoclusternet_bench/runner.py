"""What studies and comparisons share: runs of labelled sets, results that are kept, processes.

FOLDER/runs/SET-BACKBONE-SEED/   run folder that all variants or methods of a job share
       results/KEY.json          one file for each finished one: a stopped study goes on
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

from videoclusternet.config import Config
from videoclusternet.engine.processes import Processes
from videoclusternet.engine.work import Tell
from videoclusternet.errors import DataError, StoreError
from videoclusternet.events import Event, Hook
from videoclusternet.outside.files import exists, read_json
from videoclusternet.result.result import is_finished
from videoclusternet.runfolder.files import replacing
from videoclusternet_bench.data.sets import LabelledSet

Row = dict[str, Any]
"""A result by the names of its columns."""
Rows = list[Row]
J = TypeVar("J")
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
    # Heavy: what only reads, keeps or spreads results goes without.
    from videoclusternet.doors import cluster_boxes, cluster_film, cluster_tracks
    from videoclusternet.pipeline import cluster
    from videoclusternet.sources.features import FeatureSource

    try:
        if is_finished(home):
            return
    except StoreError as error:
        raise StoreError(error.message, "choose another folder with -o") from error
    match labelled.form:
        case "film":
            cluster_film(labelled.sources, home, config)
        case "crops":
            cluster_tracks(labelled.sources, home, config)
        case "boxes":
            cluster_boxes(labelled.sources, labelled.truths, home, config)
        case "features":
            cluster([FeatureSource.open(path) for path in labelled.sources], home, config)


def copy_run(run: Path, to: Path) -> None:
    """Copy a run folder: all of it, or nothing."""
    temporary = to.with_name(f".{to.name}.tmp")
    shutil.rmtree(temporary, ignore_errors=True)
    shutil.copytree(run, temporary)
    temporary.rename(to)


def run_of(folder: Path, name: str, backbone: str, seed: int, more: str = "") -> Path:
    """Return the run folder of a set, a backbone as after ``--backbone``, and a seed."""
    return folder / "runs" / f"{name}-{backbone.partition('=')[0]}-{seed}{more}"


def key_of(*parts: Any) -> str:
    """Name a result by all that it depends on, JSON-able values."""
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:20]


def kept_of(folder: Path, key: str) -> Path:
    """Return the file in which a result is kept."""
    return folder / "results" / f"{key}.json"


def kept(path: Path, make: Callable[[], Any]) -> Any:
    """Read a result, a row or a list of rows, or make and keep it.

    Raises
    ------
    DataError
        When the kept file is damaged.
    """
    if exists(path):
        found = read_json(path, DataError)
        rows = found if isinstance(found, list) else [found]
        if not rows or not all(isinstance(row, dict) for row in rows):
            raise DataError(f"{path} is damaged", "delete it and run the same command again")
        return found
    made = make()
    with replacing(path) as temporary:
        temporary.write_text(json.dumps(made) + "\n", encoding="utf-8")
    return made


def run_all(
    run: Run[J], todo: Sequence[J], folder: Path, jobs: int, hook: Hook, step: str, unit: str,
    total: int,
) -> Rows:  # fmt: skip
    """Run jobs, tell of each of their parts, and return the rows of all.

    Parameters
    ----------
    run : callable
        At the top of a module.  Yields the rows of each part of a job.
    todo : sequence
    folder : Path
        Handed to ``run``; results are kept in it.
    jobs : int
        Processes; each takes its share of the cores.
    hook : Hook
    step, unit : str
        What the parts are called.
    total : int
        How many there are.

    Raises
    ------
    VcnError
        When a job failed; with several processes after all others have ended.
    """
    (folder / "results").mkdir(parents=True, exist_ok=True)
    rows: Rows = []
    done = 0

    def tell(found: Rows) -> None:
        nonlocal done
        rows.extend(found)
        done += 1
        hook(Event("progress", step, done, total, unit))

    hook(Event("start", step, unit=unit))
    run_jobs(run, todo, folder, jobs, tell)
    hook(Event("done", step, unit=unit))
    return rows


def run_jobs(
    run: Run[J], todo: Sequence[J], folder: Path, jobs: int, tell: Callable[[Rows], None]
) -> None:
    """Run jobs, and tell the rows of each part as it ends; see :func:`run_all`."""
    with Processes(jobs) as engine:
        # None is short: also a single job goes to a process of its own where several are asked for.
        for _ in engine.map(_Each(run, folder), todo, lambda _, rows: tell(rows), patient=True):
            pass


@dataclass(frozen=True)
class _Each(Generic[J]):
    """Runs one job and tells its parts."""

    run: Run[J]
    folder: Path

    def __call__(self, job: J, tell: Tell) -> None:
        """Run a job."""
        for rows in self.run(job, self.folder):
            tell(rows)
