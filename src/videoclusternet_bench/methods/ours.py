"""The three profiles of this package, on the tracks of a run that is there already."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from videoclusternet.clustering.find_cast import find_cast
from videoclusternet.config import PROFILES, Config
from videoclusternet.pipeline import adapt_run
from videoclusternet.result.result import open_run
from videoclusternet.types.arrays import Array
from videoclusternet_bench.methods.base import Clusterer, Given, Method, Told
from videoclusternet_bench.runner import copy_run


def _instant(given: Given, told: Told, seed: int) -> Array:
    """Find the cast of the model as it is; nothing on disk is read again or written."""
    result, config = open_run(given.folder), config_of("instant")
    described = result.embeddings, result.views, result.weights
    cast, *_ = find_cast(result.tracks, *described, config.cluster, config.track_quality, seed)
    return np.asarray(cast.character[given.rows])


def profile_of(name: str) -> str | None:
    """Return the profile of ours that a method's name means, as ``paper`` of ``paper=head``."""
    profile = name.partition("=")[0]
    return profile if profile in PROFILES else None


def config_of(name: str, seed: int = 0) -> Config:
    """Return the settings of a profile, trained at another depth where the name says it.

    Parameters
    ----------
    name : str
        ``paper``, or with a value of ``adapt.trainable``: ``paper=head``.
    seed : int

    Raises
    ------
    ConfigError
        For a depth that does not exist.
    """
    profile, _, depth = name.partition("=")
    deep = [f"adapt.trainable={depth}"] if depth else []
    # Methods are compared on all tracks: none is set aside because it is hard.
    return Config.load(profile, settings=[f"seed={seed}", "cluster.unsure=false", *deep])


def folder_of(run: Path, name: str) -> Path:
    """Return where a profile that trains has its copy of a run folder."""
    return run.with_name(f"{run.name}-{name.replace('=', '-')}")


def adapted(name: str) -> Clusterer:
    """Return the method of a profile that trains: ``vcn adapt RUN --profile PROFILE``.

    The views are those of the run, so that all methods see the same.  It trains in a copy
    of the run folder, whose page shows what it found, and which a stopped bench takes up
    again; other methods may be reading the run itself.
    """

    def partition(given: Given, told: Told, seed: int) -> Array:
        folder = folder_of(given.folder, name)
        if not folder.exists():
            copy_run(given.folder, folder)
        found = adapt_run(folder, config_of(name, seed))
        return np.asarray(found.cast.character[given.rows])

    return partition


INSTANT = Method("instant", "ours, instant", "nothing", _instant)
VCN = Method("vcn", "ours, vcn", "nothing", adapted("vcn"), trains=True, sees="pictures")
PAPER_METHOD = Method(
    "paper",
    "VideoClusterNet to the letter",
    "nothing",
    adapted("paper"),
    trains=True,
    source="VideoClusterNet",
    sees="pictures",
)
