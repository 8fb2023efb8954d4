"""What clustering knows of crops and tracks: representatives and own thresholds (section 3.7).

A track is represented by the weighted mean of its clean crops; its threshold is the mean
distance between views of it.  Means are sums over crops, so a subset of the crops costs next to
nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from videoclusternet.clustering.distance import (
    Metric,
    Terms,
    concatenate,
    group_sum,
    mean_within,
    normalise,
)
from videoclusternet.clustering.whitening import Space
from videoclusternet.types.arrays import Array, Float32, Ints

BLOCK = 2048
"""Crops whose views are summed up at a time: views are the bulk of a film."""
SAMPLE = 1000
"""Tracks that tell how far apart two tracks are where nothing else does."""


@dataclass(frozen=True)
class CropPoints:
    """What clustering knows of each crop.

    Attributes
    ----------
    picture : float32, shape (C, d)
        Clean embedding, as it enters the mean of a track.
    weight : float32, shape (C,)
        How much it counts there.
    clean : Terms
        C terms of the clean embeddings.
    """

    picture: Float32
    weight: Float32
    clean: Terms

    def __getitem__(self, rows: Array) -> CropPoints:
        return CropPoints(self.picture[rows], self.weight[rows], self.clean[rows])


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


def crop_points(space: Space, metric: Metric) -> CropPoints:
    """Return what clustering knows of the crops of a space."""
    picture = normalise(space.clean) if metric.name == "cosine" else space.clean
    return CropPoints(picture, space.weight, metric.terms(space.clean))


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
        Of a track without views the median of the others; None where there are no views.
    """
    if not space.has_views:
        return None
    crops, each, d = space.views.shape
    means: list[Terms] = []
    own: list[Array] = []
    for start in range(0, crops, BLOCK):
        block = space.views[start : start + BLOCK].reshape(-1, d)
        terms = metric.terms(block)
        means.append(terms.grouped(np.arange(len(block)) // each, len(block) // each))
        own.append(terms.own().reshape(-1, each).sum(axis=1))
    within = mean_within(
        concatenate(means), space.view_track, space.tracks, np.concatenate(own), each
    )
    middle = np.nanmedian(within) if np.isfinite(within).any() else 1.0
    return np.where(np.isnan(within), np.float32(middle), within)


def track_points(
    crops: CropPoints, track: Ints, tracks: int, threshold: Float32 | None
) -> TrackPoints:
    """Sum up each track: representative and threshold (METHOD 6.1, 6.2).

    Parameters
    ----------
    crops : CropPoints
    track : int, shape (C,)
        Track of each crop; every track has one.
    tracks : int
    threshold : float32, shape (T,), or None
        Of each track, see :func:`own_thresholds`; None: all have one, the median distance
        between two tracks.
    """
    total = group_sum(crops.picture * crops.weight[:, None], track, tracks)
    mean = (total.T / group_sum(crops.weight, track, tracks)).T.astype(np.float32)
    if threshold is None:
        between = _median_between(crops.clean.grouped(track, tracks))
        threshold = np.full(tracks, between, dtype=np.float32)
    return TrackPoints(mean, threshold)


def _median_between(tracks: Terms) -> float:
    """Median of the mean distances between the pictures of two tracks; of a sample, of many."""
    n = len(tracks.alpha)
    some = tracks[np.unique(np.linspace(0, n - 1, min(n, SAMPLE)).astype(int))]
    pairs = some.distances(some)[np.triu_indices(len(some.alpha), 1)]
    return float(np.median(pairs)) if len(pairs) else 1.0


def space_points(
    space: Space, metric: Metric, threshold_from: Literal["views", "crops"] = "views"
) -> TrackPoints:
    """Sum up the tracks of a space; see :func:`track_points`.

    Parameters
    ----------
    space : Space
    metric : Metric
    threshold_from : {"views", "crops"}
        ``crops`` is the paper's reading: distinct pairs of clean crops; a track of one
        crop has none and falls back on its views.

    Returns
    -------
    TrackPoints
        With crop-pair potentials where thresholds come from crops.
    """
    crops = crop_points(space, metric)
    points = track_points(crops, space.track, space.tracks, own_thresholds(space, metric))
    if threshold_from == "views" or not space.has_views:
        return points
    of_crops = mean_within(crops.clean, space.track, space.tracks)
    threshold = np.where(np.isnan(of_crops), points.threshold, of_crops)
    return TrackPoints(points.mean, threshold, crops.clean.grouped(space.track, space.tracks))
