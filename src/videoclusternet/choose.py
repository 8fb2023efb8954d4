"""Label-free choice among candidate readings by the stability of the partition (METHOD 8).

Perturb: draw two random subsets of the tracks; in the first keep a random half of each
track's crops, in the second the other half.  Cluster each subset from its own means,
thresholds and null model.  A reading is stable when both find the same company for each
track: see :func:`agreement`.  No label is ever seen.

The same comparison finds the scale of the own thresholds in ``own`` readings
(:mod:`videoclusternet.linkage`): one number for the film, from a fixed grid.  A film has
structure on several levels.  People make one, and so do men and women, or day and night:
few large groups are even more stable than people.  So the most stable level is not asked
for, but the *finest* one that is stable enough (:func:`level`), and likewise the simplest
reading that is stable enough (:func:`simplest`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import uniform_filter1d

from videoclusternet.cluster import (
    RULES,
    Partition,
    Rule,
    TrackPoints,
    agglomerate,
    crop_points,
    space_points,
    track_points,
)
from videoclusternet.events import Progress, no_progress
from videoclusternet.instant import (
    Space,
    centre,
    matched_scatter,
    whiten,
    within_scatter,
)
from videoclusternet.linkage import cut, join, relative, tree
from videoclusternet.similarity import Metric

Array = NDArray[Any]
Found = dict[str, Array]
"""One array for each candidate."""
RIDGES = (3.0, 1.0)
MATCHED = 0.3
"""Share of the scatter between matched tracks (a of METHOD 5) in the ``matched`` space."""
SPACES = ("frozen", *(f"whitened-{ridge:g}" for ridge in RIDGES), "matched-1")
SCALES = np.geomspace(0.5, 2.0, 49)
"""Scales that are tried, 3 % apart; the middle one is 1, thresholds as they are."""
NEIGHBOURS = 2
"""Scales on either side over which agreement is averaged: peaks of chance are narrow."""
OWN = "own"
NAMES = tuple(f"{space}/{rule}" for rule in (OWN, *RULES) for space in SPACES)
"""All candidates, simplest first: one linkage before many rules, frozen before whitened."""
SHARE = 0.9
"""Share of the tracks in a subset."""
LARGEST = 1000
"""Tracks in a subset at most: keeps the choice affordable on long films."""
MEANINGFUL = 0.5
"""Below this agreement there is no structure to go by, and thresholds stay as they are."""
ENOUGH = 0.85
"""Share of the highest agreement from which a level, or a reading, is stable enough."""
PRIOR = 15.0
"""Tracks that weigh as much as the expectation that thresholds are right as they are."""


@dataclass(frozen=True)
class Choice:
    """Outcome of the choice.

    Attributes
    ----------
    names : tuple of str
        ``space/rule`` of every candidate, simplest first.
    stability : float32, shape (K,)
        Mean agreement of each, at its best scale.
    characters : int32, shape (K,)
        Clusters each finds; on a film of more than ``LARGEST`` tracks, in a subset.
    scale : float32, shape (K,)
        Scale of the own thresholds, NaN for readings without one.
    best : int
    """

    names: tuple[str, ...]
    stability: Array
    characters: Array
    scale: Array
    best: int


def space_of(raw: Space, name: str) -> Space:
    """Return one reading of the embeddings by its name in ``SPACES``."""
    return spaces(raw, (name,))[name]


def spaces(raw: Space, names: tuple[str, ...] = SPACES) -> dict[str, Space]:
    """Return candidate spaces of a film, simplest first, fitted on all its crops."""
    found = {SPACES[0]: raw}
    if names != SPACES[:1]:
        centred = centre(raw)
        scatter = within_scatter(centred)
        both = (1 - MATCHED) * scatter + MATCHED * matched_scatter(centred)
        recipes = [*((ridge, scatter) for ridge in RIDGES), (1.0, both)]
        for name, (ridge, shape) in zip(SPACES[1:], recipes, strict=True):
            if name in names:
                found[name] = whiten(centred, ridge, shape, name)
    return {name: found[name] for name in names}


def partition_of(
    raw: Space, name: str, scale: float, metric: Metric, conflicts: Array
) -> tuple[Partition, TrackPoints]:
    """Cluster all tracks by one candidate.

    Parameters
    ----------
    raw : Space
    name : str
        One of ``NAMES``.
    scale : float
        For ``own`` readings.
    metric : Metric
    conflicts : int, shape (P, 2)
    """
    space, _, rule = name.partition("/")
    points = space_points(space_of(raw, space), metric)
    if rule == OWN:
        return join(relative(points, metric), scale, conflicts), points
    return agglomerate(points, metric, _rule(rule), conflicts), points


def _rule(name: str) -> Rule:
    return next(rule for rule in RULES if rule == name)


def readings(points: Mapping[str, TrackPoints], metric: Metric, conflicts: Array) -> Found:
    """Cluster by every candidate: int (scales, T), one row for rules without a scale.

    Parameters
    ----------
    points : mapping of str to TrackPoints
        The same tracks in each space.
    metric : Metric
    conflicts : int, shape (P, 2)
    """
    found: Found = {}
    for name, tracks in points.items():
        dendrogram = tree(relative(tracks, metric), conflicts)
        found[f"{name}/{OWN}"] = np.stack([cut(dendrogram, scale) for scale in SCALES])
        for rule in RULES:
            label = agglomerate(tracks, metric, rule, conflicts).label
            found[f"{name}/{rule}"] = label[None]
    return {name: found[name] for name in NAMES}


def agreement(a: Array, b: Array) -> float:
    """How far two partitions give each item the same company, corrected for chance.

    For each item the Dice coefficient of its companions in ``a`` and in ``b`` (itself not
    counted), minus what random companions would give, scaled so that equal company is 1;
    then the mean over items.  All alone or all together scores 0.  Every item counts the
    same: a pair-counting index such as Rand's is ruled by the largest clusters, and
    adjusted mutual information without a norm prefers few clusters when tracks are few.

    Parameters
    ----------
    a, b : int, shape (n,)
        Cluster of each item.
    """
    n = len(a)
    if n < 2:
        return 0.0
    _, a = np.unique(a, return_inverse=True)
    _, b = np.unique(b, return_inverse=True)
    size_a, size_b = np.bincount(a)[a] - 1.0, np.bincount(b)[b] - 1.0
    _, cell, joint = np.unique(a.astype(np.int64) * n + b, return_inverse=True, return_counts=True)
    chance = size_a * size_b / (n - 1)
    above = 2 * (joint[cell] - 1.0 - chance)
    most = size_a + size_b - 2 * chance
    return float(np.divide(above, most, out=np.zeros(n), where=most > 1e-9).mean())


def stability(
    raw: Space,
    metric: Metric,
    conflicts: Array,
    draws: int,
    seed: int,
    progress: Progress = no_progress,
) -> tuple[Found, Found]:
    """Agreement of every candidate with itself under perturbation.

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

    Returns
    -------
    dict of str to float64 arrays, shape (draws, scales)
        Agreement of each candidate in each draw.
    dict of str to int arrays, shape (scales,)
        Clusters each finds in the whole film, or in a sample of a long one.
    """
    rng = np.random.default_rng(seed)
    raw, conflicts = _sample(raw, conflicts, rng)
    crops = {name: crop_points(space, metric) for name, space in spaces(raw).items()}
    seen: dict[str, list[list[float]]] = {name: [] for name in NAMES}
    whole = {name: track_points(c, raw.track, raw.tracks) for name, c in crops.items()}
    labels = readings(whole, metric, conflicts)
    for draw in range(draws):
        found, kept = [], []
        for keep, rows in halves(raw.track, raw.tracks, rng):
            track = np.searchsorted(keep, raw.track[rows])
            points = {name: track_points(c[rows], track, len(keep)) for name, c in crops.items()}
            found.append(readings(points, metric, inside(conflicts, keep)))
            kept.append(keep)
        _, i, j = np.intersect1d(kept[0], kept[1], return_indices=True)
        for name in NAMES:
            pairs = zip(found[0][name], found[1][name], strict=True)
            seen[name].append([agreement(a[i], b[j]) for a, b in pairs])
        progress(draw + 1, draws)
    return (
        {name: np.array(values) for name, values in seen.items()},
        {name: label.max(axis=1) + 1 for name, label in labels.items()},
    )


def _sample(raw: Space, conflicts: Array, rng: np.random.Generator) -> tuple[Space, Array]:
    """Restrict a long film to a random ``LARGEST`` tracks."""
    if raw.tracks <= LARGEST:
        return raw, conflicts
    keep = np.sort(rng.choice(raw.tracks, LARGEST, replace=False))
    rows = np.flatnonzero(np.isin(raw.track, keep))
    return subset(raw, keep, rows), inside(conflicts, keep)


def halves(track: Array, tracks: int, rng: np.random.Generator) -> list[tuple[Array, Array]]:
    """Draw two subsets of tracks, each with complementary halves of their crops.

    Parameters
    ----------
    track : int, shape (C,)
        Track of each crop, ascending.
    tracks : int
    rng : numpy.random.Generator

    Returns
    -------
    two pairs of int arrays
        Tracks, ascending, and rows of crops.  A lone crop is in both halves.
    """
    take = max(2, round(SHARE * tracks))
    count = np.bincount(track, minlength=tracks)
    order = np.lexsort((rng.random(len(track)), track))
    rank = np.empty(len(order), dtype=np.int64)
    start = np.concatenate([[0], np.cumsum(count)[:-1]])
    rank[order] = np.arange(len(order)) - start[track[order]]
    half = rank < (count[track] + 1) // 2
    lone = count[track] == 1
    subsets = []
    for in_half in (half, ~half):
        keep = np.sort(rng.choice(tracks, take, replace=False))
        subsets.append((keep, np.flatnonzero(np.isin(track, keep) & (in_half | lone))))
    return subsets


def subset(raw: Space, keep: Array, rows: Array) -> Space:
    """Restrict a space to the tracks ``keep`` (ascending) and the crops ``rows``."""
    return replace(
        raw,
        clean=raw.clean[rows],
        views=raw.views[rows],
        track=np.searchsorted(keep, raw.track[rows]).astype(np.int32),
        tracks=len(keep),
        links=inside(raw.links, keep),
    )


def inside(pairs: Array, keep: Array) -> Array:
    """Restrict pairs (P, 2) of tracks to the tracks ``keep`` and renumber them."""
    both = np.isin(pairs, keep).all(axis=1)
    return np.searchsorted(keep, pairs[both]).reshape(-1, 2)


def level(values: Array, tracks: int) -> int:
    """Return the column of the finest level that is stable enough.

    Going from the finest scale upwards, the first peak that reaches ``ENOUGH`` of the
    highest.  Agreement is averaged over draws and over ``NEIGHBOURS`` scales on either
    side, and the squared logarithm of the scale is taken off, ``PRIOR / tracks`` times: few
    tracks say little, then the scale stays near 1.

    Parameters
    ----------
    values : float64, shape (draws, scales)
        A single column has nothing to choose.
    tracks : int
        Tracks behind the values.
    """
    if values.shape[1] == 1:
        return 0
    mean = uniform_filter1d(values.mean(axis=0), 2 * NEIGHBOURS + 1, mode="nearest")
    mean -= PRIOR / tracks * np.log(SCALES) ** 2
    if mean.max() < MEANINGFUL:
        return len(SCALES) // 2
    peak = int(np.argmax(mean >= ENOUGH * mean.max()))
    while peak + 1 < len(mean) and mean[peak + 1] >= mean[peak]:
        peak += 1
    return peak


def simplest(stability: Mapping[str, float]) -> str:
    """Return the first candidate that reaches ``ENOUGH`` of the highest agreement.

    Without structure to go by, the first of all.

    Parameters
    ----------
    stability : mapping of str to float
        Mean agreement, simplest candidate first.
    """
    best = max(stability.values())
    enough = ENOUGH * best if best >= MEANINGFUL else -np.inf
    return next(name for name, value in stability.items() if value >= enough)


def choose(
    raw: Space,
    metric: Metric,
    conflicts: Array,
    draws: int,
    seed: int,
    scale: float = 0.0,
    progress: Progress = no_progress,
) -> Choice:
    """Compare all candidates and pick one.

    Parameters
    ----------
    raw : Space
        T >= 2 tracks.
    scale : float
        Scale of ``own`` readings; 0 finds it.

    Others as in :func:`stability`.
    """
    values, count = stability(raw, metric, conflicts, draws, seed, progress)
    column = {name: level(v, min(raw.tracks, LARGEST)) for name, v in values.items()}
    if scale:
        fixed = int(np.abs(np.log(SCALES / scale)).argmin())
        column |= {name: fixed for name in NAMES if name.endswith(OWN)}
    mean = {name: float(values[name][:, column[name]].mean()) for name in NAMES}
    scales = np.array(
        [(scale or SCALES[column[n]]) if n.endswith(OWN) else np.nan for n in NAMES],
        dtype=np.float32,
    )
    found = [count[name][column[name]] for name in NAMES]
    return Choice(
        NAMES,
        np.array(list(mean.values()), dtype=np.float32),
        np.array(found, dtype=np.int32),
        scales,
        NAMES.index(simplest(mean)),
    )
