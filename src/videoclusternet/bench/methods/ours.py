"""The three profiles of this package, on the tracks of a run that is there already."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from videoclusternet.bench.jobs import copy_run
from videoclusternet.bench.methods.base import Given, Method, Partition, Told
from videoclusternet.casting import find_cast
from videoclusternet.config import Config
from videoclusternet.matching import find_links
from videoclusternet.pipeline import adapt_run
from videoclusternet.results import open_run

Array = NDArray[Any]


def _instant(given: Given, told: Told, seed: int) -> Array:
    """Find the cast of the model as it is; nothing on disk is read again or written."""
    result, config = open_run(given.folder), Config.load("instant")
    embeddings = result.embeddings
    links = find_links(embeddings, np.arange(embeddings.tracks), config.matching)
    cast, *_ = find_cast(
        result.tracks, embeddings, links, config.cluster, config.track_quality, seed
    )
    return np.asarray(cast.character[given.rows])


def _adapted(profile: Literal["vcn", "paper"]) -> Partition:
    """Return the method of a profile that trains: ``vcn adapt RUN --profile PROFILE``.

    The views are those of the run, so that all methods see the same.  It trains in a copy
    of the run folder, whose page shows what it found, and which a stopped bench takes up
    again; other methods may be reading the run itself.
    """

    def partition(given: Given, told: Told, seed: int) -> Array:
        config = Config.load(profile, settings=[f"seed={seed}"])
        folder = given.folder.with_name(f"{given.folder.name}-{profile}")
        if not folder.exists():
            copy_run(given.folder, folder)
        return np.asarray(adapt_run(folder, config).cast.character[given.rows])

    return partition


INSTANT = Method("instant", "ours, instant", "nothing", _instant, sees="views")
VCN = Method("vcn", "ours, vcn", "nothing", _adapted("vcn"), trains=True, sees="pictures")
PAPER = Method(
    "paper",
    "VideoClusterNet to the letter",
    "nothing",
    _adapted("paper"),
    trains=True,
    source="VideoClusterNet",
    sees="pictures",
)
