"""Hierarchical clustering of track means, the baseline of the paper's Table 3."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.cluster.hierarchy import fcluster, linkage

from videoclusternet.bench.metrics import score
from videoclusternet.similarity import group_mean, normalise

Array = NDArray[Any]


def hac(embeddings: Array, track: Array, tracks: int, thresholds: Array) -> list[Array]:
    """Cluster by average linkage on cosine distance of track means.

    Parameters
    ----------
    embeddings : float32, shape (C, d)
    track : int, shape (C,)
        Ascending.
    tracks : int
    thresholds : float, shape (n,)
        Cosine distances at which the tree is cut.

    Returns
    -------
    list of int arrays, shape (T,)
        One partition per threshold.
    """
    if tracks < 2:
        return [np.zeros(tracks, dtype=np.int64) for _ in thresholds]
    mean = group_mean(normalise(embeddings), track, tracks)
    tree = linkage(mean.astype(np.float64), "average", metric="cosine")
    return [fcluster(tree, t, "distance") - 1 for t in thresholds]


def oracle_hac(
    embeddings: Array, track: Array, truth: Array, thresholds: Array | None = None
) -> tuple[float, Array]:
    """Return the best threshold in hindsight and its partition: needs the labels.

    An upper bound for one threshold, not a method.
    """
    grid = np.arange(0.02, 1.2, 0.005) if thresholds is None else thresholds
    cuts = hac(embeddings, track, len(truth), grid)
    best = int(np.argmax([score(truth, cut).bcubed_f for cut in cuts]))
    return float(grid[best]), cuts[best]
