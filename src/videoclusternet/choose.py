"""Label-free choice among candidate readings by the stability of the partition (METHOD 8).

Perturb: draw two random subsets of the tracks; in the first keep a random half of each
track's crops, in the second the other half.  Cluster each subset from its own centring,
whitening, thresholds and null model.  The stability of a candidate is the mean adjusted
Rand index of the two partitions on the common tracks.  The most stable candidate wins;
trivial partitions score 0; ties go to the simpler one.  No label is ever seen.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from videoclusternet.cluster import RULES, Partition, agglomerate, track_points
from videoclusternet.events import Progress, no_progress
from videoclusternet.instant import Space, centre, whiten, within_scatter
from videoclusternet.similarity import Metric

Array = NDArray[Any]
RIDGES = (3.0, 1.0)
SHARE = 0.75
"""Share of the tracks in a subset."""
LARGEST = 1500
"""Tracks in a subset at most: keeps the choice affordable on long films."""


@dataclass(frozen=True)
class Choice:
    """Outcome of the choice.

    Attributes
    ----------
    names : tuple of str
        ``space/rule`` of every candidate, simplest first.
    stability : float32, shape (K,)
    characters : int32, shape (K,)
    best : int
    """

    names: tuple[str, ...]
    stability: Array
    characters: Array
    best: int


def spaces(raw: Space) -> dict[str, Space]:
    """Return the candidate spaces of a film, simplest first."""
    centred = centre(raw)
    scatter = within_scatter(centred)
    found = {"frozen": raw, "centred": centred}
    for ridge in RIDGES:
        name = f"whitened-{ridge:g}"
        found[name] = whiten(centred, ridge, scatter, name)
    return found


def partitions(raw: Space, metric: Metric, conflicts: Array) -> Iterator[tuple[str, Partition]]:
    """Yield every candidate ``space/rule`` with its partition of the tracks."""
    for name, space in spaces(raw).items():
        points = track_points(space, metric)
        for rule in RULES:
            yield f"{name}/{rule}", agglomerate(points, metric, rule, conflicts)


def stability(
    raw: Space,
    metric: Metric,
    conflicts: Array,
    draws: int,
    seed: int,
    progress: Progress = no_progress,
) -> dict[str, float]:
    """Mean agreement (ARI, 0..1) of every candidate with itself under perturbation.

    Parameters
    ----------
    raw : Space
        Embeddings as they come; every track has a crop.
    metric : Metric
    conflicts : int, shape (P, 2)
        Cannot-link pairs of tracks.
    draws : int
        Number of pairs of subsets.
    seed : int
    progress : callable
    """
    rng = np.random.default_rng(seed)
    total: dict[str, float] = {}
    for draw in range(draws):
        halves = _halves(raw, rng)
        results = [dict(partitions(s, metric, _inside(conflicts, keep))) for s, keep in halves]
        (_, first), (_, second) = halves
        _, i, j = np.intersect1d(first, second, return_indices=True)
        for name, one in results[0].items():
            two = results[1][name]
            trivial = min(_nontrivial(one), _nontrivial(two)) == 0
            agreement = 0.0 if trivial else adjusted_rand(one.label[i], two.label[j])
            total[name] = total.get(name, 0.0) + agreement / draws
        progress(draw + 1, draws)
    return total


def _nontrivial(partition: Partition) -> int:
    return int(1 < partition.clusters <= 0.9 * len(partition.label))


def _halves(raw: Space, rng: np.random.Generator) -> list[tuple[Space, Array]]:
    """Two random subsets of tracks, each with complementary halves of their crops."""
    take = min(max(2, round(SHARE * raw.tracks)), LARGEST, raw.tracks)
    pool = rng.permutation(raw.tracks)[: int(np.ceil(take / SHARE))]
    count = np.bincount(raw.track, minlength=raw.tracks)
    order = np.lexsort((rng.random(len(raw.track)), raw.track))
    rank = np.empty(len(order), dtype=np.int64)
    start = np.concatenate([[0], np.cumsum(count)[:-1]])
    rank[order] = np.arange(len(order)) - start[raw.track[order]]
    half = rank < (count[raw.track] + 1) // 2
    lone = count[raw.track] == 1
    subsets = []
    for in_half in (half, ~half):
        keep = np.sort(rng.choice(pool, min(take, len(pool)), replace=False))
        rows = np.flatnonzero(np.isin(raw.track, keep) & (in_half | lone))
        subsets.append((subset(raw, keep, rows), keep))
    return subsets


def subset(raw: Space, keep: Array, rows: Array) -> Space:
    """Restrict a space to the tracks ``keep`` (ascending) and the crops ``rows``."""
    return Space(
        raw.name,
        raw.clean[rows],
        raw.views[rows],
        np.searchsorted(keep, raw.track[rows]).astype(np.int32),
        len(keep),
        raw.global_views,
    )


def _inside(conflicts: Array, keep: Array) -> Array:
    """Restrict conflicts to the tracks ``keep`` and renumber them."""
    both = np.isin(conflicts, keep).all(axis=1)
    return np.searchsorted(keep, conflicts[both]).reshape(-1, 2)


def adjusted_rand(a: Array, b: Array) -> float:
    """Return the adjusted Rand index of two labelings (n,) of the same items; 1 when equal."""
    n = len(a)
    if n < 2:
        return 1.0
    _, a = np.unique(a, return_inverse=True)
    _, b = np.unique(b, return_inverse=True)
    _, joint = np.unique(a.astype(np.int64) * (b.max() + 1) + b, return_counts=True)

    def pairs(counts: Array) -> float:
        return float((counts * (counts - 1.0)).sum() / 2)

    both, in_a, in_b = pairs(joint), pairs(np.bincount(a)), pairs(np.bincount(b))
    expected = in_a * in_b / (n * (n - 1) / 2)
    largest = (in_a + in_b) / 2
    return 1.0 if largest == expected else (both - expected) / (largest - expected)


def choose(
    raw: Space,
    metric: Metric,
    conflicts: Array,
    draws: int,
    seed: int,
    progress: Progress = no_progress,
) -> tuple[Choice, dict[str, Partition]]:
    """Cluster by every candidate and pick the most stable one.

    Returns
    -------
    Choice
    dict of str to Partition
        The partition of every candidate on all tracks.
    """
    full = dict(partitions(raw, metric, conflicts))
    stable = stability(raw, metric, conflicts, draws, seed, progress)
    names = tuple(full)
    score = np.array([stable[name] * _nontrivial(full[name]) for name in names], dtype=np.float32)
    characters = np.array([full[name].clusters for name in names], dtype=np.int32)
    return Choice(names, score, characters, int(score.argmax())), full
