"""What clustering knows of tracks: representatives and own thresholds (section 3.7).

A track is represented by the weighted mean of its clean crops; its threshold is the mean
distance between views of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from videoclusternet.clustering.distance import (
    Metric,
    Terms,
    concatenate,
    mean_within,
    normalise,
    weighted_mean,
)
from videoclusternet.clustering.whitening import BLOCK, Space
from videoclusternet.engine.threads import spread
from videoclusternet.types.arrays import Array, Float32

SAMPLE = 1000
"""Tracks that tell how far apart two tracks are where nothing else does."""


@dataclass(frozen=True)
class TrackPoints:
    """What clustering knows of each track.

    Attributes
    ----------
    mean : float32, shape (T, d)
        Representative embedding.
    threshold : float32, shape (T,)
        Mean distance inside the track: its own threshold.
    pairs : Terms or None
        Mean terms over clean crops, for crop-pair potentials.
    """

    mean: Float32
    threshold: Float32
    pairs: Terms | None = None


def own_thresholds(space: Space, metric: Metric) -> Float32 | None:
    """Mean distance over the distinct pairs of views of each track (METHOD 6.1).

    Views are taken a block at a time: they are the bulk of a film.

    Parameters
    ----------
    space : Space
        T tracks.
    metric : Metric

    Returns
    -------
    float32, shape (T,), or None
        Of a track without views what is given, else the median of the others; None where there
        are no views.
    """
    if not space.has_views:
        return None
    if metric not in space.within:
        space.within[metric] = _within(space, metric)
    within = space.within[metric]
    middle = np.float32(np.nanmedian(within) if np.isfinite(within).any() else 1.0)
    else_ = middle if space.given is None else middle * np.nan_to_num(space.given, nan=1.0)
    return np.where(np.isnan(within), else_, within)


def _within(space: Space, metric: Metric) -> Float32:
    """Mean distance between the views of each track, NaN where there are none."""
    each = space.views.shape[1]

    def summed(start: int) -> tuple[Terms, Array]:
        block = space.views[start : start + BLOCK]
        terms = metric.terms(block.reshape(-1, block.shape[-1]))
        mean = terms.grouped(np.repeat(np.arange(len(block)), each), len(block))
        return mean, terms.own().reshape(-1, each).sum(axis=1)

    means, own = zip(*spread(summed, range(0, len(space.views), BLOCK)), strict=True)
    return mean_within(
        concatenate(means), space.view_track, space.tracks, np.concatenate(own), each
    )


def _median_between(tracks: Terms) -> float:
    """Median of the mean distances between the pictures of two tracks; of a sample, of many."""
    n = len(tracks.alpha)
    some = tracks[np.unique(np.linspace(0, n - 1, min(n, SAMPLE)).astype(int))]
    pairs = some.distances(some)[np.triu_indices(len(some.alpha), 1)]
    return float(np.median(pairs)) if len(pairs) else 1.0


def space_points(
    space: Space, metric: Metric, threshold_from: Literal["views", "crops"] = "views"
) -> TrackPoints:
    """Sum up the tracks of a space: representatives and thresholds (METHOD 6.1, 6.2).

    Parameters
    ----------
    space : Space
        T tracks; without views all have one threshold, the median distance between two tracks.
    metric : Metric
    threshold_from : {"views", "crops"}
        ``crops`` is the paper's reading: distinct pairs of clean crops; a track of one
        crop has none and falls back on its views.

    Returns
    -------
    TrackPoints
        With crop-pair potentials where thresholds come from crops.
    """
    asked = metric, threshold_from
    if asked not in space.points:
        space.points[asked] = _points(space, metric, threshold_from)
    found: TrackPoints = space.points[asked]
    return found


def _points(space: Space, metric: Metric, threshold_from: str) -> TrackPoints:
    """Sum up the tracks of a space."""
    picture = normalise(space.clean) if metric.name == "cosine" else space.clean
    mean = weighted_mean(picture, space.weight, space.track, space.tracks)
    threshold = own_thresholds(space, metric)
    if threshold is not None and threshold_from == "views":
        return TrackPoints(mean, threshold)
    terms = metric.terms(space.clean)
    pairs = terms.grouped(space.track, space.tracks)
    if threshold is None:
        between = _median_between(pairs)
        return TrackPoints(mean, np.full(space.tracks, between, dtype=np.float32))
    of_crops = mean_within(terms, space.track, space.tracks)
    return TrackPoints(mean, np.where(np.isnan(of_crops), threshold, of_crops), pairs)
