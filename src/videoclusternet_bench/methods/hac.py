"""Hierarchical clustering of track means, the baseline of the paper's Table 3.

Three methods by what they are told: a threshold set beforehand, the true number of people,
or the labels (the best threshold in hindsight: a yardstick).
"""

from __future__ import annotations

import numpy as np
from scipy.cluster.hierarchy import fcluster, linkage

from videoclusternet.clustering.distance import group_mean, normalise
from videoclusternet.types.arrays import Array, Float32, Floats, Ints
from videoclusternet_bench.methods.base import Given, Method, Told
from videoclusternet_bench.metrics.scores import bcubed, contingency, f_measure

GRID = np.arange(0.02, 1.2, 0.005)
"""Cosine distances that hindsight may choose from."""


def hac(embeddings: Float32, track: Ints, tracks: int, thresholds: Floats) -> list[Array]:
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
    tree = _tree(group_mean(normalise(embeddings), track, tracks))
    return [fcluster(tree, t, "distance") - 1 for t in thresholds]


def oracle_hac(
    embeddings: Array, track: Array, truth: Array, thresholds: Array | None = None
) -> tuple[float, Array]:
    """Return the best threshold in hindsight and its partition: needs the labels.

    An upper bound for one threshold, not a method.
    """
    grid = GRID if thresholds is None else thresholds
    cuts = hac(embeddings, track, len(truth), grid)
    best = int(np.argmax([_bcubed_f(truth, cut) for cut in cuts]))
    return float(grid[best]), cuts[best]


def cut_at(means: Array, clusters: int) -> Ints:
    """Cut the tree of means (T, d) into at most so many clusters: int (T,)."""
    if len(means) < 2:
        return np.zeros(len(means), dtype=np.int64)
    return np.asarray(fcluster(_tree(means), clusters, "maxclust") - 1)


def _tree(means: Array) -> Array:
    return np.asarray(linkage(means.astype(np.float64), "average", metric="cosine"))


def _at_threshold(given: Given, told: Told, seed: int) -> Array:
    assert told.threshold is not None
    (label,) = hac(given.crops, given.track, given.tracks, np.array([told.threshold]))
    return label


def _at_count(given: Given, told: Told, seed: int) -> Array:
    assert told.clusters is not None
    return cut_at(given.means, told.clusters)


def _in_hindsight(given: Given, told: Told, seed: int) -> Array:
    assert told.labels is not None
    known, labels = told.labels >= 0, told.labels
    cuts = hac(given.crops, given.track, given.tracks, GRID)
    return max(cuts, key=lambda cut: _bcubed_f(labels[known], cut[known]))


def _bcubed_f(truth: Array, cut: Array) -> float:
    """Return the one score that hindsight looks at, of hundreds of cuts."""
    return f_measure(*bcubed(contingency(truth, cut)))


HAC = Method("hac", "HAC, fixed threshold", "threshold", _at_threshold)
HAC_COUNT = Method("hac-count", "HAC, true count", "clusters", _at_count)
HAC_ORACLE = Method("hac-oracle", "HAC, best threshold in hindsight", "labels", _in_hindsight)
