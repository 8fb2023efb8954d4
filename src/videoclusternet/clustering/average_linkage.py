"""Average linkage in units of the tracks' own thresholds: the default reading.

Two tracks are as far apart as their distance, divided by the geometric mean of their own
thresholds (each first drawn towards the film's median, see :func:`relative`).  Clusters
are as far apart as their tracks are on average.  At which relative distance joining stops
is one number for the film, its *scale*: 1 takes the thresholds as they are;
:mod:`videoclusternet.clustering.choose` finds it without labels.

Dividing keeps the potential bilinear (METHOD 6): with weights ``w = t ** -1/2``,
``w_i w_j (alpha_i + beta_j - p_i q_j)`` is again a product of two vectors, so the mean
over all pairs of two clusters is a product of two means, and no loop over pairs is needed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.cluster.hierarchy import linkage
from scipy.spatial.distance import squareform

from videoclusternet.clustering.distance import Metric, group_sum
from videoclusternet.clustering.paper_rounds import BLOCK, Merge, Partition, begun, renumber
from videoclusternet.clustering.track_points import TrackPoints
from videoclusternet.engine.threads import spread
from videoclusternet.types import Constraints
from videoclusternet.types.arrays import Array, Float32, Float64, Floats, Int64, Ints
from videoclusternet.types.constraints import distinct

APART = 1e9
"""Relative distance of two tracks that must not meet: it outweighs any average."""
TOGETHER = -1.0
"""Relative distance of two tracks that must meet: below any that is measured."""


@dataclass(frozen=True)
class Relative:
    """Relative distances ``a_i . b_j`` in factored form.

    Attributes
    ----------
    a, b : float32, shape (n, k)
        Sums over the tracks of each cluster.
    size : float32, shape (n,)
        Tracks of each cluster.
    """

    a: Float32
    b: Float32
    size: Float32

    def __len__(self) -> int:
        return len(self.size)

    def __getitem__(self, rows: slice | Ints) -> Relative:
        return Relative(self.a[rows], self.b[rows], self.size[rows])

    def block(self, rows: slice | Ints) -> Float32:
        """Return the mean distances of some clusters to all, float32 (m, n)."""
        return self[rows].to(self)

    def to(self, others: Relative) -> Float32:
        """Return the mean distances to other clusters, float32 (n, m)."""
        product = self.a @ others.b.T
        product /= self.size[:, None]
        product /= others.size
        return np.asarray(product)

    def merged(self, label: Array) -> Relative:
        """Return the sums over clusters; ``label`` (n,) counts from 0 without gaps."""
        n = int(label.max()) + 1
        sums = (group_sum(x, label, n).astype(np.float32) for x in (self.a, self.b, self.size))
        return Relative(*sums)


def relative(points: TrackPoints, metric: Metric) -> Relative:
    """Measure tracks in units of their own thresholds.

    Thresholds are shrunk half way, in logarithms, towards their median in the film: those
    of short tracks are estimates from few pictures.

    Parameters
    ----------
    points : TrackPoints
        T tracks.
    metric : Metric

    Returns
    -------
    Relative
        One row per track.
    """
    terms = metric.terms(points.mean)
    own = np.maximum(points.threshold, 1e-6)
    weight = (own * np.median(own)) ** np.float32(-0.25)
    offset = (terms.alpha + terms.beta) / 2 * weight
    p, q = terms.p * weight[:, None], terms.q * weight[:, None]
    one, edge = weight[:, None], offset[:, None]
    if terms.p is terms.q:
        a, b = np.hstack([edge, one, -p]), np.hstack([one, edge, p])
    else:
        a, b = np.hstack([edge, one, -p / 2, -q / 2]), np.hstack([one, edge, q, p])
    return Relative(a, b, np.ones(len(weight), dtype=np.float32))


def together(parts: Sequence[Relative]) -> Relative:
    """Average the relative distances of the same tracks in several spaces: rows stay factored."""
    share = np.float32(1 / len(parts))
    a, b = (np.hstack([getattr(part, side) for part in parts]) for side in "ab")
    return Relative(a * share, b, parts[0].size)


def kept_apart(tracks: Relative, label: Ints, scale: float, apart: Array) -> Int64:
    """Find clusters that only a known pair of tracks keeps apart: they are near enough to join.

    Parameters
    ----------
    tracks : Relative
        T tracks.
    label : int, shape (T,)
        Their clusters.
    scale : float
        Mean relative distance up to which clusters join.
    apart : int, shape (P, 2)
        Pairs of tracks that must not meet.

    Returns
    -------
    int64, shape (n, 2)
        Pairs of clusters, each ascending.
    """
    pairs = distinct(label[apart])
    merged = tracks.merged(label)
    one, other = pairs.T
    total = np.einsum("ij,ij->i", merged.a[one], merged.b[other])
    return np.asarray(pairs[total <= scale * merged.size[one] * merged.size[other]])


def tree(far: Float32, constraints: Constraints) -> Array:
    """Build the whole dendrogram, for few thousand tracks; see SciPy's ``linkage``.

    Parameters
    ----------
    far : float32, shape (n, n)
        Relative distances of n >= 2 tracks.
    constraints : Constraints
        Tracks that must not meet below ``APART``, and that meet at ``TOGETHER``.
    """
    distance = np.maximum(far, 0).astype(np.float64)
    one, other = constraints.apart.T
    distance[one, other] = distance[other, one] = APART
    if len(constraints.together):
        # They join before all others, so average linkage goes on with their groups as leaves.
        group = constraints.group
        distance[group[:, None] == group] = TOGETHER
    np.fill_diagonal(distance, 0)
    return np.asarray(linkage(squareform((distance + distance.T) / 2, checks=False), "average"))


def cut(dendrogram: Float64, scales: Floats) -> Ints:
    """Cut a dendrogram at many heights at once.

    SciPy's ``fcluster`` looks the whole dendrogram over at each call.  Here every node
    points to the one that it joins below the height, and pointers are doubled to the root.

    Parameters
    ----------
    dendrogram : float64, shape (n - 1, 4)
        Of :func:`tree`.
    scales : float, shape (S,)

    Returns
    -------
    int, shape (S, n)
        Clusters that join at a mean relative distance <= each scale, from 0 without gaps.
    """
    n = len(dendrogram) + 1
    own = np.arange(2 * n - 1)
    parent = own.copy()
    parent[dendrogram[:, :2].astype(np.int64)] = own[n:, None]
    joined = n + np.searchsorted(dendrogram[:, 2], scales, side="right")
    root = np.where(parent < joined[:, None], parent, own)
    for _ in range(int(n).bit_length()):
        root = np.take_along_axis(root, root, axis=1)
    # Nodes that are not made yet come last, so that they leave no gaps.
    number = np.cumsum(root == own, axis=1) - 1
    return np.asarray(np.take_along_axis(number, root[:, :n], axis=1))


def join(tracks: Relative, scale: float, constraints: Constraints) -> Partition:
    """Join tracks whose mean relative distance is at most ``scale``, for any number.

    Rounds in which all pairs that are nearest to each other join at once.  Average linkage
    is reducible: joining two nearest neighbours never brings a third cluster nearer, so the
    order does not matter and the result is the cut of the whole dendrogram, in blocks of
    memory and without ever building it.

    Parameters
    ----------
    tracks : Relative
        n tracks.
    scale : float
    constraints : Constraints
        Tracks that must not meet in one cluster, and that begin in one.

    Returns
    -------
    Partition
        With the merge log: mean relative distance, and the scale as threshold.
    """
    label = constraints.group
    now = tracks.merged(label) if len(constraints.together) else tracks
    merges = begun(constraints, lambda a, b: float(tracks.a[a] @ tracks.b[b]))
    lowest = np.unique(label, return_index=True)[1]
    nearest: Ints = np.zeros(len(now), np.int64)
    distance: Float32 = np.zeros(len(now), np.float32)
    todo: Ints = np.arange(len(now))
    for number in range(1, len(tracks) + 1):
        if len(now) < 2:
            break
        apart = distinct(label[constraints.apart])
        near = np.flatnonzero(distance <= scale)
        if len(now) <= BLOCK:
            todo = near = np.arange(len(now))
        nearest[todo], distance[todo] = _nearest(now, apart, todo, near)
        a = _mutual(nearest, distance, scale)
        if len(a) == 0:
            break
        b = nearest[a]
        for i in np.argsort(distance[a], kind="stable"):
            one, two = int(lowest[a[i]]), int(lowest[b[i]])
            merges.append(Merge(number, min(one, two), max(one, two), float(distance[a[i]]), scale))
        root = np.arange(len(now))
        root[b] = a
        new = renumber(root)
        now = now.merged(new)
        label = new[label]
        nearest, distance, todo = _after(new, a, b, nearest, distance, scale)
        lowest = np.full(len(now), len(tracks))
        np.minimum.at(lowest, label, np.arange(len(tracks)))
    return Partition(renumber(label).astype(np.int32), merges)


def _mutual(nearest: Ints, distance: Float32, scale: float) -> Ints:
    """Return the clusters that join the one nearest to them, the lower one of each two."""
    index = np.arange(len(nearest))
    a = np.flatnonzero((nearest[nearest] == index) & (index < nearest) & (distance <= scale))
    if len(a) == 0:
        # Among equal distances rounding may leave no pair mutual: take the least.
        a = np.array([distance.argmin()])
    return a[distance[a] <= scale]


def _after(
    new: Ints, a: Ints, b: Ints, nearest: Ints, distance: Float32, scale: float
) -> tuple[Ints, Float32, Ints]:
    """Say what is still known of clusters once ``a`` and ``b`` have joined, and of whom nothing.

    Who was not near enough to anybody never will be: joining brings nobody nearer.  And who was
    nearest stays it, unless it is one of those that joined.
    """
    moved = np.zeros(len(new), dtype=bool)
    moved[a] = moved[b] = True
    lost = moved[nearest] & ~moved
    far = lost & (distance > scale)
    clusters = int(new.max()) + 1
    still, least = np.empty(clusters, np.int64), np.empty(clusters, np.float32)
    still[new], least[new] = new[nearest], np.where(moved | (lost & ~far), 0, distance)
    return still, least, np.unique(new[moved | (lost & ~far)])


def _nearest(clusters: Relative, apart: Array, rows: Ints, near: Ints) -> tuple[Array, Array]:
    """Return for some clusters the nearest of ``near`` that they may join, and the distance."""
    others, place = clusters[near], np.full(len(clusters), -1)
    place[near] = np.arange(len(near))
    both = np.concatenate([apart, apart[:, ::-1]])
    line = np.full(len(clusters), -1)
    line[rows] = np.arange(len(rows))
    both = np.stack([line[both[:, 0]], place[both[:, 1]]], axis=1)
    both = both[(both >= 0).all(axis=1)]

    def found(start: int) -> tuple[Array, Array]:
        some = rows[start : start + BLOCK]
        distance = clusters[some].to(others)
        here = np.arange(len(some))
        distance[here, place[some]] = np.inf
        inside = both[(both[:, 0] >= start) & (both[:, 0] < start + BLOCK)]
        distance[inside[:, 0] - start, inside[:, 1]] = np.inf
        column = distance.argmin(1)
        return near[column], distance[here, column]

    nearest, least = zip(*spread(found, range(0, len(rows), BLOCK)), strict=True)
    return np.concatenate(nearest), np.concatenate(least)
