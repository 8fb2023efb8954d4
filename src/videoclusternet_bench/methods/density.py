"""DBSCAN and HDBSCAN of scikit-learn on track means.

What they call noise becomes clusters of one track: to leave the hard tracks out would
flatter them beside methods that place every track.
"""

from __future__ import annotations

import numpy as np
from sklearn.cluster import DBSCAN as SklearnDBSCAN
from sklearn.cluster import HDBSCAN as SklearnHDBSCAN

from videoclusternet.types.arrays import Array
from videoclusternet_bench.methods.base import Given, Method, Told

LEAST = 2
"""Tracks that make a cluster: a character seen twice is one."""


def alone(label: Array) -> Array:
    """Make a cluster of its own of every item that is labelled -1."""
    label = np.array(label, dtype=np.int64)
    noise = label < 0
    label[noise] = label.max(initial=-1) + 1 + np.arange(noise.sum())
    return label


def _dbscan(given: Given, told: Told, seed: int) -> Array:
    assert told.threshold is not None
    model = SklearnDBSCAN(eps=told.threshold, min_samples=LEAST, metric="cosine")
    return alone(model.fit_predict(given.means))


def _hdbscan(given: Given, told: Told, seed: int) -> Array:
    if given.tracks <= LEAST:
        return np.arange(given.tracks)
    # On unit vectors the Euclidean distance orders as the cosine distance does.
    return alone(SklearnHDBSCAN(min_cluster_size=LEAST, copy=True).fit_predict(given.means))


DBSCAN = Method("dbscan", "DBSCAN", "threshold", _dbscan, source="Ester et al. 1996")
HDBSCAN = Method("hdbscan", "HDBSCAN", "nothing", _hdbscan, source="Campello et al. 2013")
