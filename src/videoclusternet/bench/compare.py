"""``vcn bench``: every method on identical tracks, several seeds, resumable, in parallel.

FOLDER/runs/SET-BACKBONE-SEED/   run folder whose tracks and embeddings all methods get
            SET-BACKBONE-SEED-METHOD/   a copy for each of our profiles that trains
       results/KEY.json          one file per finished method: a stopped bench goes on
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from videoclusternet.bench.intervals import over_tracks
from videoclusternet.bench.jobs import FINISHED, Rows, copy_run, finished, first_run
from videoclusternet.bench.measure import measured
from videoclusternet.bench.methods.base import Given, Method, Told
from videoclusternet.bench.methods.registry import chosen_methods
from videoclusternet.bench.metrics import bcubed_by_track, score
from videoclusternet.bench.sets import LabelledSet
from videoclusternet.bench.truth import read_truth
from videoclusternet.config import PROFILES, Config
from videoclusternet.errors import DataError
from videoclusternet.events import Event, Hook, silent
from videoclusternet.models.load import check as check_model
from videoclusternet.results import Result, open_run
from videoclusternet.spaces import inside
from videoclusternet.store import replacing

Array = NDArray[Any]
VERSION = 1
"""Raised when results of earlier versions no longer compare."""


@dataclass(frozen=True)
class Job:
    """All methods on one set with one backbone; ``sets`` are all of the bench."""

    labelled: LabelledSet
    sets: tuple[LabelledSet, ...]
    backbone: str
    methods: tuple[str, ...]
    seeds: int

    @property
    def chosen(self) -> tuple[Method, ...]:
        """The methods, by name: functions do not travel between processes."""
        return chosen_methods(",".join(self.methods))


def compare(
    sets: Sequence[LabelledSet],
    methods: Sequence[Method],
    backbones: Sequence[str],
    seeds: int,
    folder: Path,
    jobs: int = 1,
    hook: Hook = silent,
) -> Rows:
    """Run methods on labelled sets and return a row per set, backbone, seed and method.

    Parameters
    ----------
    sets : sequence of LabelledSet
    methods : sequence of Method
        Of :func:`videoclusternet.bench.methods.registry.chosen_methods`.
    backbones : sequence of str
        As after ``--backbone``.
    seeds : int
        Seeds 0 to ``seeds - 1``.
    folder : Path
        What an earlier call finished there is read.
    jobs : int
        Processes; each takes its share of the cores.
    hook : Hook

    Raises
    ------
    DataError
        When two sets share a name, or a method needs other films and there are none.
    """
    _check(sets, methods)
    for backbone in backbones:  # a missing file shows now, not after an hour
        check_model(backbone, "backbone")
    named = tuple(method.name for method in methods)
    todo = [Job(one, tuple(sets), b, named, seeds) for one in sets for b in backbones]
    (folder / "results").mkdir(parents=True, exist_ok=True)
    rows: Rows = []
    for run, step, unit, each in (
        (_prepare, "prepare", "runs", seeds),
        (_each, "bench", "results", seeds * len(methods)),
    ):
        hook(Event("start", step, unit=unit))
        for done, found in enumerate(finished(run, todo, folder, jobs), 1):
            rows += found
            hook(Event("progress", step, done, len(todo) * each, unit))
        hook(Event("done", step, unit=unit))
    names = [one.name for one in sets]
    order = {method.name: i for i, method in enumerate(methods)}
    return sorted(
        rows,
        key=lambda r: (names.index(r["set"]), r["backbone"], order[r["method"]], r["seed"]),
    )


def _check(sets: Sequence[LabelledSet], methods: Sequence[Method]) -> None:
    names = [one.name for one in sets]
    twice = [name for name in names if names.count(name) > 1]
    if twice:
        raise DataError(f"two data sets are called {twice[0]!r}", "rename one")
    if len(sets) < 2 and any(method.needs == "other films" for method in methods):
        raise DataError(
            "bcl learns from the labels of other films",
            "give a second data set, or name the methods without it",
        )


def home_of(folder: Path, labelled: LabelledSet, backbone: str, seed: int) -> Path:
    """Return the run folder that all methods are given."""
    return folder / "runs" / f"{labelled.name}-{backbone.partition('=')[0]}-{seed}"


def _prepare(job: Job, folder: Path) -> Iterator[Rows]:
    first = home_of(folder, job.labelled, job.backbone, 0)
    for seed in range(job.seeds):
        home = home_of(folder, job.labelled, job.backbone, seed)
        if seed and not home.exists():  # what does not depend on the seed is there already
            copy_run(first, home)
            (home / FINISHED).unlink(missing_ok=True)
        config = Config.load(
            "instant", settings=[f"embed.backbone={json.dumps(job.backbone)}", f"seed={seed}"]
        )
        first_run(job.labelled, config, home)
        yield []


def _each(job: Job, folder: Path) -> Iterator[Rows]:
    for seed in range(job.seeds):
        for method in job.chosen:
            yield [_row(job, seed, method, folder)]


def _row(job: Job, seed: int, method: Method, folder: Path) -> dict[str, Any]:
    """Run one method, or read what it gave."""
    others = [s for s in job.sets if s != job.labelled] if method.needs == "other films" else []
    contents = [one.content() for one in (job.labelled, *others)]
    profile = Config.load(method.name).model_dump() if method.name in PROFILES else None
    key = [VERSION, contents, job.backbone, seed, method.name, method.threshold, profile]
    name = hashlib.sha256(json.dumps(key).encode()).hexdigest()[:20]
    path = folder / "results" / f"{name}.json"
    if path.exists():
        kept: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        return kept
    given, labels = given_tracks(*_run(job, job.labelled, seed, folder))
    learnt = [given_tracks(*_run(job, one, seed, folder)) for one in others]
    more = told(method, given, labels, learnt)
    found, seconds, peak = measured(lambda: method.partition(given, more, seed))
    row = {
        "set": job.labelled.name,
        "backbone": job.backbone.partition("=")[0],
        "method": method.name,
        "needs": method.needs,
        "threshold": more.threshold,
        "seed": seed,
        **judged(labels, found),
        "seconds": seconds,
        "peak_mib": peak,
    }
    with replacing(path) as temporary:
        temporary.write_text(json.dumps(row, indent=1) + "\n", encoding="utf-8")
    return row


def _run(job: Job, labelled: LabelledSet, seed: int, folder: Path) -> tuple[Result, Path]:
    return open_run(home_of(folder, labelled, job.backbone, seed)), labelled.truth


def given_tracks(result: Result, truth: Path) -> tuple[Given, Array]:
    """Return what all methods get of a run, and apart from it the labels.

    Returns
    -------
    Given
        The tracks that have a crop.
    labels : int, shape (T,)
        Person of each, -1 where the truth does not know the track.
    """
    every = result.embeddings
    rows = np.flatnonzero(np.bincount(every.track, minlength=every.tracks))
    embeddings = replace(every, track=np.searchsorted(rows, every.track), tracks=len(rows))
    names = read_truth(truth, result).label
    number = {name: i for i, name in enumerate(sorted({n for n in names if n is not None}))}
    labels = np.array([-1 if n is None else number[n] for n in names], dtype=np.int64)[rows]
    apart = inside(result.tracks.overlapping(), rows)
    return Given(embeddings, apart, rows, result.folder), labels


def told(
    method: Method, given: Given, labels: Array, others: Sequence[tuple[Given, Array]]
) -> Told:
    """Return what a method declares to need, and nothing else."""
    if method.needs == "threshold":
        return Told(threshold=given.usual if method.threshold is None else method.threshold)
    if method.needs == "clusters":
        return Told(clusters=len(set(labels[labels >= 0].tolist())))
    if method.needs == "labels":
        return Told(labels=labels)
    return Told(others=tuple(others)) if method.needs == "other films" else Told()


def judged(labels: Array, found: Array) -> dict[str, Any]:
    """Score a partition on the tracks that the truth knows, with its bootstrap interval."""
    known = labels >= 0
    low, high = over_tracks(bcubed_by_track(labels[known], found[known]))
    return {**asdict(score(labels[known], found[known])), "f_low": low, "f_high": high}
