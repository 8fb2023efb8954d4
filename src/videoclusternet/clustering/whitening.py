"""Closed-form adaptation to one film: centring and within-track whitening (METHOD 5, 13).

A *space* is one reading of the same embeddings.  ``frozen`` takes them as they come,
``centred`` removes the film's own mean per kind of view, ``tracks`` also shrinks the
directions in which the crops of one track scatter: those carry light, pose and focus, not
identity.  Milliseconds on a CPU, no labels, no training.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Self

import numpy as np

from videoclusternet.clustering.distance import group_mean, normalise, weighted_mean
from videoclusternet.types.arrays import Array, Float32, Floats, Int32, Ints

RIDGE = 1.0
"""Share of the identity in the scatter that is taken off: 1 shrinks half way to it."""
SHRINK = 2.0
"""How much more for each direction that a crop has to tell of."""


@dataclass(frozen=True)
class Space:
    """Embeddings in one reading.

    Attributes
    ----------
    name : str
    clean : float32, shape (C, d)
    track : int32, shape (C,)
        Track of each crop, ascending.
    weight : float32, shape (C,)
        How much each crop counts in the mean of its track; positive.
    views : float32, shape (N, V, d)
        Of some crops.
    view_track : int32, shape (N,)
        Their tracks, ascending.
    tracks : int
        Number of tracks.
    global_views : int
        The first ``global_views`` of the V views are global.
    paired : bool
        Whether embeddings hold the teacher's output and then the student's, see
        :class:`videoclusternet.clustering.distance.Metric`.
    """

    name: str
    clean: Float32
    track: Int32
    weight: Float32
    views: Float32
    view_track: Int32
    tracks: int
    global_views: int
    paired: bool = False

    @property
    def has_views(self) -> bool:
        """Whether there are views: sets of given features have none."""
        return bool(self.views.size)

    @classmethod
    def plain(
        cls, name: str, clean: Float32, views: Float32, track: Int32, tracks: int, globals: int
    ) -> Self:
        """Take crops that count alike, each with its views, float32 (C, V, d)."""
        weight = np.ones(len(track), dtype=np.float32)
        return cls(name, clean, track, weight, views, track, tracks, globals)


def centre(space: Space, name: str = "centred") -> Space:
    """Subtract from each kind of view (clean, global, local) its own mean of track means.

    A backbone that is not invariant to cropping shifts all local views the same way;
    one mean per kind removes that shift.  Means of track means, so that a long track
    does not outweigh the others.
    """
    g = space.global_views

    def middle(x: Array, track: Ints) -> Array:
        return np.asarray(np.nanmean(group_mean(x, track, space.tracks), axis=0))

    kinds = [part for part in (space.views[:, :g], space.views[:, g:]) if part.size]
    parts = [part - middle(part.mean(1), space.view_track) for part in kinds]
    views = np.concatenate(parts, axis=1) if parts else space.views
    clean = space.clean - middle(space.clean, space.track)
    return replace(space, name=name, clean=clean, views=views)


def track_scatter(space: Space) -> Array:
    """Scatter (d, d) of crops round the weighted mean of their track, scaled to trace 1.

    Crops of one track show one person: what differs is light, pose and focus.
    """
    unit = normalise(space.clean)
    mean = weighted_mean(unit, space.weight, space.track, space.tracks)
    delta = (unit - mean[space.track]) * np.sqrt(space.weight)[:, None]
    scatter = delta.T @ delta
    return np.asarray(scatter / max(float(np.trace(scatter)), 1e-12))


def ridge_of(space: Space) -> float:
    """How far the scatter of tracks is to be mistrusted: more, the fewer crops tell of it.

    ``RIDGE + SHRINK d / n``, where n crops less one for each track span the d directions.
    """
    crops, d = space.clean.shape
    return float(RIDGE + SHRINK * d / max(crops - space.tracks, 1))


def whitener(scatter: Floats, ridge: float) -> Float32:
    """Return the symmetric inverse root of ``scatter + ridge/d I``, float32 (d, d).

    Parameters
    ----------
    scatter : float, shape (d, d)
        Trace 1.
    ridge : float
        lambda of METHOD 5: 1 shrinks half way to the identity, 3 three quarters.
    """
    d = len(scatter)
    values, vectors = np.linalg.eigh(np.asarray(scatter, dtype=np.float64))
    root = 1 / np.sqrt(np.maximum(values, 0) + ridge / d)
    return np.asarray((vectors * root) @ vectors.T, dtype=np.float32)


def whiten(centred: Space, ridge: float, scatter: Array, name: str) -> Space:
    """Map a centred space through the whitener and scale to unit length."""
    w = whitener(scatter, ridge)
    clean, views = normalise(centred.clean @ w), normalise(centred.views @ w)
    return replace(centred, name=name, clean=clean, views=views)
