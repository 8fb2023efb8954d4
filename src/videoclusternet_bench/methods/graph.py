"""Clustering of the graph of track means: Chinese Whispers, spectral clustering, FINCH."""

from __future__ import annotations

import importlib
import warnings

import numpy as np
from sklearn.cluster import SpectralClustering
from sklearn.neighbors import kneighbors_graph

from videoclusternet.errors import DataError
from videoclusternet.types.arrays import Array, Floats, Ints
from videoclusternet_bench.methods.base import Given, Method, Told

PASSES = 100
"""At most; it ends when a pass changes nothing."""


def chinese_whispers(weight: Floats, seed: int, passes: int = PASSES) -> Ints:
    """Cluster a graph by Chinese Whispers (Biemann, 2006).

    Nodes begin in classes of their own; in random order each joins the class that has the
    largest sum of edge weights to it.  Ties go to the lowest class, so that a seed tells all.

    Parameters
    ----------
    weight : float, shape (n, n)
        Symmetric; 0 or below where there is no edge.
    seed : int
    passes : int

    Returns
    -------
    int, shape (n,)
    """
    n = len(weight)
    label = np.arange(n)
    rng = np.random.default_rng(seed)
    for _ in range(passes):
        changed = False
        for i in rng.permutation(n):
            near = np.flatnonzero(weight[i] > 0)
            near = near[near != i]
            if len(near) == 0:
                continue
            strongest = int(np.bincount(label[near], weight[i, near]).argmax())
            changed = changed or strongest != label[i]
            label[i] = strongest
        if not changed:
            break
    return np.unique(label, return_inverse=True)[1]


def _whispers(given: Given, told: Told, seed: int) -> Array:
    assert told.threshold is not None
    similarity = given.means @ given.means.T
    return chinese_whispers(np.where(similarity >= 1 - told.threshold, similarity, 0), seed)


def _spectral(given: Given, told: Told, seed: int) -> Array:
    assert told.clusters is not None
    if told.clusters >= given.tracks:
        return np.arange(given.tracks)
    # log2(T) neighbours: the graph is connected, or nearly (von Luxburg, 2007).
    near = max(2, round(np.log2(given.tracks)))
    graph = kneighbors_graph(given.means, near, metric="cosine", include_self=True)
    model = SpectralClustering(
        told.clusters, affinity="precomputed", assign_labels="cluster_qr", random_state=seed
    )
    with warnings.catch_warnings():  # people who look like nobody else are no mistake
        warnings.filterwarnings("ignore", "Graph is not fully connected")
        return np.asarray(model.fit_predict((graph + graph.T) / 2))


def _finch(given: Given, told: Told, seed: int) -> Array:
    assert told.clusters is not None
    try:
        finch = importlib.import_module("finch")
    except ImportError as error:
        raise DataError(
            "FINCH is not installed: its licence does not let us ship it",
            "read its licence, then `pip install finch-clust`",
        ) from error
    if given.tracks < 2:
        return np.zeros(given.tracks, dtype=np.int64)
    clusters = min(told.clusters, given.tracks)
    *_, label = finch.FINCH(given.means, req_clust=clusters, distance="cosine", verbose=False)
    return np.asarray(label, dtype=np.int64)


WHISPERS = Method(
    "chinese-whispers", "Chinese Whispers", "threshold", _whispers, source="Biemann 2006"
)
SPECTRAL = Method("spectral", "Spectral clustering", "clusters", _spectral, source="Ng et al. 2001")
FINCH = Method("finch", "FINCH", "clusters", _finch, source="Sarfraz et al. 2019")
