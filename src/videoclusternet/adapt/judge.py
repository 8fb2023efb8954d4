"""What embeddings say without labels: matches, a partition, and how stable it is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from videoclusternet.adapt.loop import Judged
from videoclusternet.choose import partition_of
from videoclusternet.config import MatchConfig
from videoclusternet.matching import find_links
from videoclusternet.similarity import Metric
from videoclusternet.spaces import SPACES, inside, raw_space
from videoclusternet.stability import LARGEST, OWN, SCALES, level, stability
from videoclusternet.types import Embeddings

Array = NDArray[Any]
READING = f"{SPACES[0]}/{OWN}"
DRAWS = 8
"""Perturbations behind the partition of a round."""


def judge(
    conflicts: Array, config: MatchConfig, seed: int
) -> Callable[[Embeddings, Array], Judged]:
    """Return the judge of a film's rounds.

    Parameters
    ----------
    conflicts : int, shape (P, 2)
        Pairs of tracks that are two people.
    config : MatchConfig
    seed : int

    Returns
    -------
    callable
        From embeddings and the kept tracks, bool (T,), to :class:`Judged`.  The partition
        is that of average linkage in units of own thresholds at its most telling scale,
        whatever the final clustering will be.
    """
    metric = Metric("cosine")

    def judged(embeddings: Embeddings, kept: Array) -> Judged:
        keep = np.flatnonzero(kept)
        links = find_links(embeddings, keep, config)
        label = np.full(len(kept), -1, dtype=np.int32)
        if len(keep) < 2:
            label[keep] = np.arange(len(keep))
            return Judged(links, label, float("nan"))
        space, apart = raw_space(embeddings, keep), inside(conflicts, keep)
        values, _ = stability({space.name: space}, (READING,), metric, apart, DRAWS, seed)
        column = level(values[READING], min(len(keep), LARGEST))
        partition, _ = partition_of(space, OWN, float(SCALES[column]), metric, apart)
        label[keep] = partition.label
        return Judged(links, label, float(values[READING][:, column].mean()))

    return judged
