"""Run studies: every variant on the same tracks, several seeds, resumable, in parallel.

FOLDER/runs/SET-BACKBONE-SEED/   run folder that all variants share
       results/KEY.json          one file per finished variant: a stopped study goes on
       results.csv  report.md  *.svg
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from videoclusternet.adapt.supply import Supply
from videoclusternet.config import Config
from videoclusternet.errors import ConfigError, DataError
from videoclusternet.events import Hook, silent
from videoclusternet.models.load import check as check_model
from videoclusternet.pipeline import adapt_run, check_settings
from videoclusternet.result.result import Result
from videoclusternet.runfolder.folder import Store
from videoclusternet_bench.adapted_runs import MEASURES, round_of, scored_rounds
from videoclusternet_bench.data.sets import LabelledSet
from videoclusternet_bench.data.truth import read_truth
from videoclusternet_bench.methods.hac import oracle_hac
from videoclusternet_bench.metrics.score_run import score_run
from videoclusternet_bench.metrics.scores import score
from videoclusternet_bench.runner import (
    Rows,
    first_run,
    kept,
    kept_of,
    key_of,
    run_all,
    run_of,
)
from videoclusternet_bench.studies import INSTANT, STUDIES, Study, Variant

VERSION = 1
"""Raised when results of earlier versions no longer compare."""


@dataclass(frozen=True)
class Job:
    """Everything that is run on one set with one backbone and one seed."""

    labelled: LabelledSet
    backbone: str
    seed: int
    base: tuple[str, ...]
    work: tuple[tuple[Study, Variant], ...]


def run_studies(
    sets: Sequence[LabelledSet],
    names: Sequence[str],
    backbones: Sequence[str],
    seeds: int,
    folder: Path,
    base: Sequence[str] = (),
    jobs: int = 1,
    hook: Hook = silent,
) -> list[dict[str, Any]]:
    """Run studies and return their rows; what an earlier call finished is read.

    Parameters
    ----------
    sets : sequence of LabelledSet
    names : sequence of str
        Of ``STUDIES``.
    backbones : sequence of str
        As after ``--backbone``.
    seeds : int
        Seeds 0 to ``seeds - 1``.
    folder : Path
    base : sequence of str
        Settings for all variants, as after ``--set``.
    jobs : int
        Processes; each takes its share of the cores.
    hook : Hook
        Told in variants.

    Raises
    ------
    ConfigError
        For a study or a setting that does not exist.
    ModelError
        For a backbone that is missing or wrong.
    DataError
        For a set without pictures.
    """
    _check(sets, names)
    work = tuple((STUDIES[name], variant) for name in names for variant in STUDIES[name].variants)
    todo = [
        Job(labelled, backbone, seed, tuple(base), work)
        for labelled in sets
        for backbone in backbones
        for seed in range(seeds)
    ]
    for job in todo[::seeds]:  # what is wrong shows now, before anything is written
        check_model(job.backbone, "backbone")
        for _, variant in work:
            check_settings(_config(job, variant), folder)
    total = len(todo) * len(work)
    rows = run_all(_each, todo, folder, jobs, hook, "ablate", "variants", total)
    order = {name: i for i, name in enumerate(names)}
    return sorted(rows, key=lambda r: (order[r["study"]], r["set"], r["backbone"], r["seed"]))


def _check(sets: Sequence[LabelledSet], names: Sequence[str]) -> None:
    """Refuse studies that do not exist, and sets that have no pictures."""
    unknown = [name for name in names if name not in STUDIES]
    if unknown:
        raise ConfigError(f"no study {unknown[0]!r}", f"choose from {', '.join(STUDIES)}")
    blind = [one.name for one in sets if one.form == "features"]
    if blind:
        raise DataError(
            f"{blind[0]} holds features, and variants look at pictures",
            "`vcn bench` compares the methods that need none",
        )


def _each(job: Job, folder: Path) -> Iterator[Rows]:
    """Run the variants of a job in turn; they share what the frozen part gives."""
    supplies: dict[str, Supply] = {}
    for study, variant in job.work:
        yield _variant(job, study, variant, folder, supplies)


def _variant(
    job: Job, study: Study, variant: Variant, folder: Path, supplies: dict[str, Supply]
) -> list[dict[str, Any]]:
    """Run one variant, or read what it gave."""
    config = _config(job, variant)
    key = key_of(VERSION, job.labelled.content(), config.model_dump(), study.rounds)
    found = kept(kept_of(folder, key), lambda: _made(job, study, variant, config, folder, supplies))
    about = {
        "study": study.name,
        "variant": variant.label,
        "set": job.labelled.name,
        "backbone": job.backbone.partition("=")[0],
        "seed": job.seed,
    }
    return [{**about, **row} for row in found]


def _made(
    job: Job, study: Study, variant: Variant, config: Config, folder: Path,
    supplies: dict[str, Supply],
) -> Rows:  # fmt: skip
    """Run one variant, after the un-adapted run: the same tracks for all."""
    home = _home(job, config, folder)
    first = _config(job, INSTANT).model_copy(update={"embed": config.embed})
    first_run(job.labelled, first, home)
    result = adapt_run(home, config, supplies=supplies)
    found = [measured(result, job.labelled.truths, config)]
    if study.rounds and variant.trains:
        people = read_truth(job.labelled.truths, result).label
        found += scored_rounds(result, people, config)
    return found


def _config(job: Job, variant: Variant) -> Config:
    own = {"embed.backbone": job.backbone, "seed": job.seed}
    return Config.load(variant.profile, settings=[*job.base, *variant.settings], flags=own)


def _home(job: Job, config: Config, folder: Path) -> Path:
    """Return the run folder of a job; variants that embed in another way have their own."""
    more = ""
    if config.embed != _config(job, INSTANT).embed:
        more = "-" + hashlib.sha256(config.embed.model_dump_json().encode()).hexdigest()[:6]
    return run_of(folder, job.labelled.name, job.backbone, job.seed, more)


def measured(result: Result, truth: Sequence[Path], config: Config) -> dict[str, Any]:
    """Score a run, and HAC with an oracle threshold on the embeddings it used.

    Returns
    -------
    dict
        ``MEASURES``, ``chosen``, ``round`` (0: not adapted), ``hac_f``, ``hac_wcp`` and
        seconds of each step.
    """
    scores = score_run(result, truth)
    labels = np.array(read_truth(truth, result).label, dtype=object)
    kept = (result.cast.character >= 0) & np.array([label is not None for label in labels])
    embeddings = result.embeddings
    if (adapted := round_of(result)) is not None:
        width = len(adapted.centre)
        embeddings = adapted.embeddings
        base = embeddings.base[:, :width]
    else:
        base = embeddings.base
    rows = kept[embeddings.track]
    track = np.searchsorted(np.flatnonzero(kept), embeddings.track[rows])
    _, cut = oracle_hac(base[rows], track, labels[kept])
    hac = score(labels[kept], cut)
    steps = Store(result.folder).manifest["steps"]
    names = ["scan", "tracks", "crops", "embeddings", "judgement", "views", "links", "cast"]
    names += ["adapt"] if config.adapt.rounds else []
    return {
        **{name: scores[name] for name in MEASURES},
        "chosen": result.cast.chosen,
        "round": 0,
        "hac_f": hac.bcubed_f,
        "hac_wcp": hac.wcp,
        **{f"seconds_{n}": steps[n]["seconds"] for n in names if n in steps},
    }
