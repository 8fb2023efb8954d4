"""Final clustering (section 3.7): every track brings its own threshold.

``paper``: all pairs below either threshold join, transitively, potentials over crop
pairs in the first round and mean embeddings afterwards.  ``vcn``: mean embeddings
always, and in each round a cluster joins only along its best edge or that of its
partner (first-neighbour rounds).  Neither is told the number of characters.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy.special import ndtri

from videoclusternet.clustering.distance import Metric, Terms, group_mean
from videoclusternet.clustering.track_points import TrackPoints
from videoclusternet.types import Constraints
from videoclusternet.types.arrays import Array, Int32
from videoclusternet.types.constraints import distinct

Rule = Literal["or", "mean", "or+null", "null", "and"]
RULES: tuple[Rule, ...] = ("or", "mean", "or+null", "null")
"""Rules that are compared; ``and`` can be asked for by name."""
BLOCK = 2048
"""Rows of a distance block: 2048 x 20 000 float32 are 160 MB."""


@dataclass(frozen=True)
class Merge:
    """One accepted pair: clusters are named by their lowest track."""

    round: int
    a: int
    b: int
    distance: float
    threshold: float


@dataclass(frozen=True)
class Partition:
    """Result of a clustering.

    Attributes
    ----------
    label : int32, shape (T,)
        Cluster of each track, 0.. in order of their lowest track.
    merges : list of Merge
        Pair by pair, in order.
    bound : float
        Last bound of the null model, infinite where it is not used.
    """

    label: Int32
    merges: list[Merge]
    bound: float = np.inf

    @property
    def clusters(self) -> int:
        """Number of clusters."""
        return int(self.label.max(initial=-1)) + 1


def agglomerate(
    points: TrackPoints,
    metric: Metric,
    rule: Rule = "or",
    constraints: Constraints | None = None,
    algorithm: Literal["vcn", "paper"] = "vcn",
) -> Partition:
    """Merge tracks into characters, round by round, until no pair passes (METHOD 6.3).

    Parameters
    ----------
    points : TrackPoints
        T tracks.
    metric : Metric
    rule : {"or", "mean", "or+null", "null", "and"}
        Which threshold a pair must pass: the larger of its two [P], their mean, the
        larger one and the bound of the null model, that bound alone, or the smaller one.
    constraints : Constraints, optional
        Tracks that must not meet in one cluster, and that begin in one.
    algorithm : {"vcn", "paper"}

    Returns
    -------
    Partition
        Independent of the order of the tracks, up to exact ties.
    """
    tracks = len(points.mean)
    known = constraints or Constraints.none(tracks)
    label = known.group
    single = metric.terms(points.mean)
    merges = begun(known, lambda a, b: float(single[[a]].distances(single[[b]])[0, 0]))
    bound = np.inf
    for number in range(1, tracks + 1):
        clusters = int(label.max(initial=-1)) + 1
        if clusters < 2:
            break
        mean = group_mean(points.mean, label, clusters)
        threshold = group_mean(points.threshold, label, clusters)
        terms = metric.terms(mean)
        if algorithm == "paper" and number == 1 and points.pairs is not None:
            terms = points.pairs.grouped(label, clusters) if merges else points.pairs
        if "null" in rule:
            bound = null_bound(terms)
        apart = distinct(label[known.apart])
        edges = _edges(terms, threshold, rule, bound, apart, every=algorithm == "paper")
        lowest = np.full(clusters, tracks)
        np.minimum.at(lowest, label, np.arange(tracks))
        root, accepted = _join(edges, clusters, apart)
        if not accepted:
            break
        merges += [
            Merge(number, int(lowest[e.a]), int(lowest[e.b]), e.distance, e.threshold)
            for e in accepted
        ]
        label = renumber(root[label])
    return Partition(label.astype(np.int32), merges, bound)


def begun(known: Constraints, distance: Callable[[int, int], float]) -> list[Merge]:
    """Log how the tracks that are together begin in one cluster: round 0, whatever passed."""
    lowest: dict[int, int] = {}
    merges: list[Merge] = []
    for track, group in enumerate(known.group.tolist()):
        first = lowest.setdefault(group, track)
        if first != track:
            merges.append(Merge(0, first, track, distance(first, track), np.inf))
    return merges


def null_bound(terms: Terms, sample: int = BLOCK) -> float:
    """Distance below which less than one false merge is expected (METHOD 6, null model).

    Most pairs of clusters are different people.  The null is a Gaussian fitted to the
    farther half of all pairs: median m and root mean square deviation s above it.  The
    bound is m - s z(1/pairs) with z the upper Gaussian quantile.

    Parameters
    ----------
    terms : Terms
        n >= 2 cluster representatives.
    sample : int
        Above this number an evenly spaced sample of clusters gives m and s.
    """
    n = len(terms.alpha)
    pairs = n * (n - 1) // 2
    rows = np.linspace(0, n - 1, sample).astype(int) if n > sample else np.arange(n)
    part = terms[rows]
    distance = part.distances(part)[np.triu_indices(len(rows), 1)]
    middle = float(np.median(distance))
    far = distance[distance >= middle] - middle
    spread = float(np.sqrt(np.mean(far.astype(np.float64) ** 2)))
    return middle - spread * float(-ndtri(1 / pairs)) if pairs > 1 else -np.inf


def pair_threshold(a: Array, b: Array, rule: Rule, bound: float) -> Array:
    """Threshold that a pair with own thresholds ``a`` and ``b`` must pass."""
    if rule == "null":
        return np.full(np.broadcast_shapes(a.shape, b.shape), bound, dtype=np.float32)
    if rule == "mean":
        return np.asarray((a + b) / 2)
    if rule == "and":
        return np.asarray(np.minimum(a, b))
    larger = np.maximum(a, b)
    return np.asarray(np.minimum(larger, bound) if rule == "or+null" else larger)


@dataclass(frozen=True)
class _Edge:
    a: int
    b: int
    distance: float
    threshold: float


def _edges(
    terms: Terms, threshold: Array, rule: Rule, bound: float, apart: Array, every: bool
) -> list[_Edge]:
    """List passing pairs, widest margin first: all, or only the best one of each cluster."""
    n = len(threshold)
    seen: dict[tuple[int, int], tuple[float, _Edge]] = {}
    both = np.concatenate([apart, apart[:, ::-1]])
    for start in range(0, n, BLOCK):
        rows = np.arange(start, min(start + BLOCK, n))
        distance = terms[rows].distances(terms)
        limit = pair_threshold(threshold[rows][:, None], threshold[None], rule, bound)
        margin = limit - distance
        margin[np.arange(len(rows)), rows] = -np.inf
        inside = both[(both[:, 0] >= start) & (both[:, 0] < start + BLOCK)]
        margin[inside[:, 0] - start, inside[:, 1]] = -np.inf
        if every:
            i, j = np.nonzero(margin > 0)
        else:
            j = margin.argmax(1)
            i = np.arange(len(rows))
            passed = margin[i, j] > 0
            i, j = i[passed], j[passed]
        for row, b in zip(i.tolist(), j.tolist(), strict=True):
            pair = (min(rows[row], b), max(rows[row], b))
            seen[pair] = (
                float(margin[row, b]),
                _Edge(int(pair[0]), int(pair[1]), float(distance[row, b]), float(limit[row, b])),
            )
    ordered = sorted(seen.items(), key=lambda item: (-item[1][0], item[0]))
    return [edge for _, (_, edge) in ordered]


def _join(edges: list[_Edge], clusters: int, apart: Array) -> tuple[Array, list[_Edge]]:
    """Union-find over the edges; an edge that would join a pair apart is skipped."""
    root = list(range(clusters))
    strangers: dict[int, set[int]] = {}
    for a, b in apart.tolist():
        strangers.setdefault(a, set()).add(b)
        strangers.setdefault(b, set()).add(a)

    def find(x: int) -> int:
        while root[x] != x:
            root[x] = root[root[x]]
            x = root[x]
        return x

    accepted: list[_Edge] = []
    for edge in edges:
        a, b = find(edge.a), find(edge.b)
        if a == b or b in strangers.get(a, ()):
            continue
        a, b = min(a, b), max(a, b)
        root[b] = a
        for other in strangers.pop(b, set()):
            strangers[other].discard(b)
            strangers[other].add(a)
            strangers.setdefault(a, set()).add(other)
        accepted.append(edge)
    return np.array([find(x) for x in range(clusters)]), accepted


def renumber(label: Array) -> Array:
    """Renumber clusters from 0 in order of their lowest track."""
    _, first, inverse = np.unique(label, return_index=True, return_inverse=True)
    rank = np.empty(len(first), dtype=np.int64)
    rank[np.argsort(first)] = np.arange(len(first))
    return np.asarray(rank[inverse])
