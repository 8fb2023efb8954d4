"""``vcn bench``: every method on identical tracks, several seeds, resumable, in parallel.

FOLDER/runs/SET-BACKBONE-SEED/   run folder whose tracks and embeddings all methods get
            SET-BACKBONE-SEED-METHOD/   a copy for each of our profiles that trains
       results/KEY.json          one file for each finished method, with its partition
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from videoclusternet.config import Config
from videoclusternet.errors import ModelError
from videoclusternet.events import Event, Hook, silent
from videoclusternet.models.load import check as check_model
from videoclusternet.outside.files import opened
from videoclusternet.result.result import Result, open_run
from videoclusternet.runfolder.folder import Store
from videoclusternet.types.arrays import Array, Ints
from videoclusternet.types.constraints import inside
from videoclusternet_bench.data.sets import LabelledSet
from videoclusternet_bench.data.truth import read_truth
from videoclusternet_bench.methods.base import Given, Method, Told, usual_threshold
from videoclusternet_bench.methods.ours import config_of, profile_of
from videoclusternet_bench.metrics.intervals import over_tracks
from videoclusternet_bench.metrics.measure import measured
from videoclusternet_bench.metrics.scores import bcubed_by_track, score
from videoclusternet_bench.plan import Job, plan
from videoclusternet_bench.runner import (
    Rows,
    copy_run,
    first_run,
    kept,
    kept_of,
    key_of,
    run_all,
    run_of,
)

VERSION = 2
"""Raised when results of earlier versions no longer compare."""


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
        Of :func:`videoclusternet_bench.methods.registry.chosen_methods`.
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
        See :func:`videoclusternet_bench.plan.plan`.
    """
    todo, notes = plan(sets, methods, backbones, seeds)
    for note in notes:
        hook(Event("note", "bench", message=note))
    if any(one.form != "features" for one in sets):
        for backbone in backbones:  # a missing file shows now, not after an hour
            check_model(backbone, "backbone")
    if jobs > 1:  # the longest first: at the end no process waits for another
        todo.sort(key=lambda job: job.labelled.bytes, reverse=True)
    run_all(_prepare, todo, folder, jobs, hook, "prepare", "runs", seeds * len(todo))
    total = seeds * sum(len(job.methods) for job in todo)
    rows = run_all(_each, todo, folder, jobs, hook, "bench", "results", total)
    names = [one.name for one in sets]
    order = {method.name: i for i, method in enumerate(methods)}
    return sorted(
        rows,
        key=lambda r: (names.index(r["set"]), r["backbone"], order[r["method"]], r["seed"]),
    )


def home_of(folder: Path, labelled: LabelledSet, backbone: str, seed: int) -> Path:
    """Return the run folder that all methods are given."""
    return run_of(folder, labelled.name, backbone, seed)


def _prepare(job: Job, folder: Path) -> Iterator[Rows]:
    first = home_of(folder, job.labelled, job.backbone, 0)
    for seed in range(job.seeds):
        home = home_of(folder, job.labelled, job.backbone, seed)
        if seed and not home.exists():  # what does not depend on the seed is there already
            copy_run(first, home)
            Store(home).forget("cast")
        config = Config.load("instant", flags={"embed.backbone": job.backbone, "seed": seed})
        first_run(job.labelled, config, home)
        yield []


def _each(job: Job, folder: Path) -> Iterator[Rows]:
    for seed in range(job.seeds):
        # Read once for all methods; each gets a `Given` of its own, nothing worked out in it.
        home = home_of(folder, job.labelled, job.backbone, seed)
        run = cache(lambda home=home: open_run(home))
        for method in job.chosen:
            yield [_row(job, seed, method, folder, run)]


def _row(
    job: Job, seed: int, method: Method, folder: Path, run: Callable[[], Result]
) -> dict[str, Any]:
    """Run one method, or read what it gave."""
    others = [s for s in job.sets if s != job.labelled] if method.needs == "other films" else []
    key = _key(job, seed, method, others, run)
    return without_partition(
        kept(kept_of(folder, key), lambda: _made(job, seed, method, others, folder, run(), key))
    )


def _made(
    job: Job, seed: int, method: Method, others: Sequence[LabelledSet], folder: Path,
    result: Result, key: str,
) -> dict[str, Any]:  # fmt: skip
    """Run one method: its row, and its partition."""
    given, people = given_tracks(result, job.labelled.truths)
    labels = numbered(people)
    learnt = []
    for one in others:
        film, names = given_tracks(open_run(home_of(folder, one, job.backbone, seed)), one.truths)
        learnt.append((film, numbered(names)))
    more = told(method, given, labels, learnt)
    found, seconds, peak = measured(lambda: method.partition(given, more, seed))
    return {
        "set": job.labelled.name,
        "backbone": job.backbone.partition("=")[0],
        "method": method.name,
        "needs": method.needs,
        "threshold": more.threshold,
        "seed": seed,
        **judged(labels, found),
        "seconds": seconds,
        "peak_mib": peak,
        "key": key,
        "partition": {
            "track": given.rows.tolist(),
            "person": people,
            "cluster": found.tolist(),
        },
    }


def without_partition(kept: dict[str, Any]) -> dict[str, Any]:
    """Return the row of the table of results that a file holds."""
    return {name: value for name, value in kept.items() if name != "partition"}


def _key(
    job: Job, seed: int, method: Method, others: Sequence[LabelledSet], run: Callable[[], Result]
) -> str:
    """Name a result by all that it depends on, each as the method gets it."""
    threshold = method.threshold
    if method.needs == "threshold" and threshold is None:
        threshold = usual_threshold(run().embeddings.model)
    file = None
    if method.file is not None:
        with opened(method.file, ModelError) as stream:
            file = hashlib.file_digest(stream, "sha256").hexdigest()
    contents = [one.content() for one in (job.labelled, *others)]
    profile = config_of(method.name).model_dump() if profile_of(method.name) else None
    return key_of(VERSION, contents, job.backbone, seed, method.name, threshold, file, profile)


def given_tracks(result: Result, truth: Sequence[Path]) -> tuple[Given, list[str | None]]:
    """Return what all methods get of a run, and apart from it the labels.

    Returns
    -------
    Given
        The tracks that have a crop.
    people : list of (str or None), length T
        Person of each, None where the truth does not know the track.
    """
    every = result.embeddings
    rows = np.flatnonzero(np.bincount(every.track, minlength=every.tracks))
    embeddings = replace(
        every, track=np.searchsorted(rows, every.track).astype(np.int32), tracks=len(rows)
    )
    names = read_truth(truth, result).label
    apart = inside(result.tracks.overlapping(), rows)
    return Given(embeddings, apart, rows, result.folder), [names[row] for row in rows]


def numbered(people: Sequence[str | None]) -> Ints:
    """Give people numbers from 0 in the order of their names, int (T,); -1 for None."""
    number = {name: i for i, name in enumerate(sorted({n for n in people if n is not None}))}
    return np.array([-1 if n is None else number[n] for n in people], dtype=np.int64)


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
