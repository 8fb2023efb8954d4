"""What clustering knows of crops and tracks: representatives and own thresholds (section 3.7).

A track is represented by the mean of its clean crops; its threshold is the mean distance
inside it.  Everything is a sum over crops, so a subset of the crops costs next to nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from videoclusternet.clustering.distance import (
    Metric,
    Terms,
    concatenate,
    group_mean,
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
    """What clustering knows of each crop, its views summed up.

    Attributes
    ----------
    picture : float32, shape (C, d)
        Clean embedding, as it enters the mean of a track.
    clean : Terms
        C terms of the clean embeddings.
    views : Terms
        C mean terms over V views; without views those of the clean embeddings.
    own : float32, shape (C,)
        Sum of D(x, x) over the V views.
    each : int
        V.
    """

    picture: Float32
    clean: Terms
    views: Terms
    own: Float32
    each: int

    def __getitem__(self, rows: Array) -> CropPoints:
        return CropPoints(
            self.picture[rows], self.clean[rows], self.views[rows], self.own[rows], self.each
        )


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
    """Sum up the views of each crop, a block of crops at a time: views are the bulk of a film."""
    crops, each, d = space.views.shape
    picture = normalise(space.clean) if metric.name == "cosine" else space.clean
    clean = metric.terms(space.clean)
    if not each:
        return CropPoints(picture, clean, clean, np.zeros(crops, dtype=np.float32), 0)
    means: list[Terms] = []
    own = [np.empty(0, dtype=np.float32)]
    for start in range(0, max(crops, 1), BLOCK):
        block = space.views[start : start + BLOCK].reshape(-1, d)
        terms = metric.terms(block)
        crop = np.repeat(np.arange(len(block) // each), each)
        means.append(terms.grouped(crop, len(block) // each))
        own.append(terms.own().reshape(-1, each).sum(axis=1))
    return CropPoints(picture, clean, concatenate(means), np.concatenate(own), each)


def track_points(
    crops: CropPoints,
    track: Ints,
    tracks: int,
    threshold_from: Literal["views", "crops"] = "views",
) -> TrackPoints:
    """Sum up each track: representative and threshold (METHOD 6.1, 6.2).

    Without views all have one threshold, the median distance between two tracks.

    Parameters
    ----------
    crops : CropPoints
    track : int, shape (C,)
        Track of each crop; every track has one.
    tracks : int
    threshold_from : {"views", "crops"}
        ``crops`` is the paper's reading: distinct pairs of clean crops; a track of one
        crop has none and falls back on its views.

    Returns
    -------
    TrackPoints
        With crop-pair potentials where thresholds come from crops.
    """
    mean = group_mean(crops.picture, track, tracks)
    if not crops.each:
        between = _median_between(crops.clean.grouped(track, tracks))
        return TrackPoints(mean, np.full(tracks, between, dtype=np.float32))
    of_views = mean_within(crops.views, track, tracks, crops.own, crops.each)
    if threshold_from == "views":
        return TrackPoints(mean, of_views)
    of_crops = mean_within(crops.clean, track, tracks)
    threshold = np.where(np.isnan(of_crops), of_views, of_crops)
    return TrackPoints(mean, threshold, crops.clean.grouped(track, tracks))


def _median_between(tracks: Terms) -> float:
    """Median of the mean distances between the pictures of two tracks; of a sample, of many."""
    n = len(tracks.alpha)
    some = tracks[np.unique(np.linspace(0, n - 1, min(n, SAMPLE)).astype(int))]
    pairs = some.distances(some)[np.triu_indices(len(some.alpha), 1)]
    return float(np.median(pairs)) if len(pairs) else 1.0


def space_points(
    space: Space, metric: Metric, threshold_from: Literal["views", "crops"] = "views"
) -> TrackPoints:
    """Sum up the tracks of a space; see :func:`track_points`."""
    crops = crop_points(space, metric)
    return track_points(crops, space.track, space.tracks, threshold_from)
