"""How surely a track belongs where it is, and which cannot be told from others."""

from __future__ import annotations

from typing import Any

import numpy as np

from videoclusternet.clustering.distance import Metric
from videoclusternet.clustering.track_points import TrackPoints
from videoclusternet.types.arrays import Array, Bools, Float32, Ints

UNSURE = 0.1
"""Share of its company, above chance, that a track must find again.  Below, next to nothing of
it comes back from other pictures of the same tracks."""


def unsure_tracks(company: Float32) -> Bools:
    """Mark tracks that find other company each time: hard to tell from other people.

    Parameters
    ----------
    company : float32, shape (T,)
        Of the chosen reading, see
        :func:`videoclusternet.clustering.stability.common_company`; a track that is always alone
        has none (NaN) and is told.

    Returns
    -------
    bool, shape (T,)
    """
    return np.asarray(company < UNSURE)


def confidence(points: TrackPoints, label: Ints, metric: Metric) -> Float32:
    """How surely each track belongs where it is, 0 to 1.

    ``other / (own + other)``, where ``own`` is the distance of a track to the rest of
    its character (to its own views when it stands alone) and ``other`` the distance to
    the nearest other character: .5 on the border, 1 far inside.  One character alone
    has no neighbour: its tracks are judged against the widest distance among them.

    Parameters
    ----------
    points : TrackPoints
        T tracks.
    label : int, shape (T,)
        Cluster of each track.
    metric : Metric

    Returns
    -------
    float32, shape (T,)
    """
    clusters = int(label.max(initial=-1)) + 1
    if clusters == 0:
        return np.empty(0, dtype=np.float32)
    size = np.bincount(label, minlength=clusters).astype(np.float32)
    total = np.zeros((clusters, points.mean.shape[1]), dtype=np.float32)
    np.add.at(total, label, points.mean)
    single = metric.terms(points.mean)
    distance = single.distances(metric.terms(total / size[:, None]))
    alone = size[label] == 1
    rest = (total[label] - points.mean) / np.maximum(size[label] - 1, 1)[:, None]
    rest_terms = metric.terms(np.where(alone[:, None], points.mean, rest))
    own = _paired(single, rest_terms)
    own = np.where(alone, points.threshold, own)
    rows = np.arange(len(label))
    distance[rows, label] = np.inf
    other = distance.min(1) if clusters > 1 else np.full(len(label), own.max())
    own, other = np.maximum(own, 0), np.maximum(other, 0)
    return np.asarray(other / np.maximum(own + other, 1e-12), dtype=np.float32)


def _paired(a: Any, b: Any) -> Array:
    """Symmetrised distance of row i of ``a`` to row i of ``b``."""
    forward = a.alpha + b.beta - np.einsum("nd,nd->n", a.p, b.q)
    backward = a.beta + b.alpha - np.einsum("nd,nd->n", a.q, b.p)
    return np.asarray((forward + backward) / 2)
