r"""Coarse track matching (section 3.5, Eq. 3): which tracks surely show one person.

Each track j is a Gaussian over its own embeddings.  Its threshold is the mean of the
lowest quarter of its own densities.  Track i matches j when the density of its mean
reaches that threshold.  All in logarithms: with Sigma fixed inside a track, constants
cancel and only squared Mahalanobis distances are compared (METHOD 3).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from videoclusternet.clustering.distance import group_mean, normalise
from videoclusternet.clustering.spaces import raw_space
from videoclusternet.clustering.whitening import Seen, centre
from videoclusternet.config import MatchConfig
from videoclusternet.engine.processes import one_thread
from videoclusternet.engine.threads import spread
from videoclusternet.types import Embeddings, Links, Views
from videoclusternet.types.arrays import Array, Float32, Float64, Floats, Int32, Ints

BLOCK = 2048
"""Tracks whose distances to all others are held at a time."""
PART = 512
"""Tracks whose views are."""


def find_links(
    embeddings: Embeddings, views: Views, config: MatchConfig, keep: Ints | None = None
) -> Links:
    """Match some tracks of a film (Eq. 3).

    Parameters
    ----------
    embeddings : Embeddings
    views : Views
    config : MatchConfig
        ``centred``: without its mean a weak backbone finds everybody alike, and everybody
        matches.
    keep : int, shape (K,), ascending, optional
        Tracks that may match; by default all.

    Returns
    -------
    Links
        None where there are no views: they span the Gaussians.
    """
    keep = np.arange(embeddings.tracks) if keep is None else keep
    space = raw_space(embeddings, views, keep)
    if space.views.size == 0:
        return Links.empty()
    if config.centred:
        space = centre(space)
    seen = replace(space.views, first=space.global_views)
    mean = group_mean(normalise(space.clean), space.track, space.tracks)
    with one_thread():
        found = match_tracks(mean, seen, space.view_track, config)
    return Links(keep[found.a].astype(np.int32), keep[found.b].astype(np.int32), found.margin)


def match_tracks(mean: Float32, views: Float32 | Seen, track: Int32, config: MatchConfig) -> Links:
    """Find coarse matches between tracks.

    Parameters
    ----------
    mean : float32, shape (T, d)
        Means of the unit embeddings of clean crops stand for the tracks; those of a track
        without a crop are NaN, and it matches nothing.
    views : float32 or Seen, shape (N, V, d)
        Embeddings of the *global* views: they span the Gaussian of a track.
    track : int32, shape (N,)
        Track of each, ascending.
    config : MatchConfig
        ``covariance`` isotropic (ours) or full [P], ``quantile`` [P] .25.

    Returns
    -------
    Links
        Sorted by (b, a).
    """
    find = _in_rings if config.covariance == "isotropic" else _in_gaussians
    found = [_NOTHING, *find(mean, views, track, config.quantile)]
    a, b, margin = (np.concatenate(column) for column in zip(*found, strict=True))
    return Links(a=a, b=b, margin=margin)


_Matches = tuple[Array, Array, Array]
_NOTHING: _Matches = (np.empty(0, np.int32), np.empty(0, np.int32), np.empty(0, np.float32))


class _Rings(NamedTuple):
    """Some tracks as balls: middle (n, d), squared radius and variance (n,) of each."""

    track: Ints
    centre: Float32
    ring: Floats
    variance: Floats


def _clouds(views: Float32 | Seen, track: Int32, first: int, end: int) -> tuple[Array, Array]:
    """Return the unit views of tracks ``first`` to ``end``, itself not among them, and whose."""
    here = slice(*np.searchsorted(track, [first, end]).tolist())
    some = views[here]
    return normalise(some).reshape(-1, some.shape[-1]), np.repeat(track[here], some.shape[1])


def _rings(views: Float32 | Seen, track: Int32, first: int, end: int, quantile: float) -> _Rings:
    """Sum up the views of tracks ``first`` to ``end`` that have several."""
    cloud, of = _clouds(views, track, first, end)
    centre = group_mean(cloud, of - first, end - first)
    own = ((cloud - centre[of - first]) ** 2).sum(1)
    edge = np.searchsorted(of, np.arange(first, end + 1))
    several = np.flatnonzero(np.diff(edge) > 1)
    each = [own[edge[j] : edge[j + 1]] for j in several]
    ring = np.array([_lowest(one, quantile) for one in each])
    variance = np.array([max(one.mean() / cloud.shape[1], 1e-12) for one in each])
    return _Rings(first + several, centre[several], ring, variance)


def _in_rings(
    mean: Array, views: Float32 | Seen, track: Int32, quantile: float
) -> Iterator[_Matches]:
    """Match under one variance for all directions, a block of tracks at a time."""
    spans = [(start, min(start + PART, len(mean))) for start in range(0, len(mean), PART)]
    each = spread(lambda span: _rings(views, track, *span, quantile), spans)
    several, centre, ring, variance = (np.concatenate(one) for one in zip(*each, strict=True))
    known = np.flatnonzero(np.isfinite(mean[:, 0]))
    length = (mean[known] ** 2).sum(1)
    others = mean[known]

    def matched(start: int) -> _Matches:
        part = slice(start, start + BLOCK)
        j = several[part]
        distance = (centre[part] ** 2).sum(1)[:, None] + length - 2 * centre[part] @ others.T
        row, column = np.nonzero(distance <= ring[part, None])
        row, column = (one[j[row] != known[column]] for one in (row, column))
        margin = (ring[part][row] - distance[row, column]) / (2 * variance[part][row])
        return known[column], j[row], margin

    yield from spread(matched, range(0, len(several), BLOCK))


def _in_gaussians(
    mean: Array, views: Float32 | Seen, track: Int32, quantile: float
) -> Iterator[_Matches]:
    """Match under full covariances [P], a track at a time."""
    known = np.flatnonzero(np.isfinite(mean[:, 0]))
    for j in np.unique(track).tolist():
        points, _ = _clouds(views, track, j, j + 1)
        if len(points) < 2:
            continue
        gaussian = LowRankGaussian.fit(points)
        threshold = _lowest(gaussian.squared_mahalanobis(points), quantile)
        margin = (threshold - gaussian.squared_mahalanobis(mean[known])) / 2
        hits = (margin >= 0) & (known != j)
        yield known[hits], np.full(hits.sum(), j), margin[hits]


def _lowest(squared: Array, quantile: float) -> float:
    """Threshold of a track: the lowest densities are the largest distances (Eq. 3)."""
    return float(np.sort(squared)[-int(np.ceil(quantile * len(squared))) :].mean())


@dataclass(frozen=True)
class LowRankGaussian:
    """Gaussian whose covariance is sample covariance + s I, kept as its low-rank factor.

    Attributes
    ----------
    mean : float64, shape (d,)
    directions : float64, shape (r, d)
        Orthonormal eigenvectors of the sample covariance.
    variances : float64, shape (r,)
    noise : float
        The s of ``s I``.
    """

    mean: Float64
    directions: Float64
    variances: Float64
    noise: float

    @classmethod
    def fit(cls, points: Array, jitter: float = 1e-3) -> LowRankGaussian:
        """Fit to points (n, d) through the n x n Gram matrix: never d x d.

        ``jitter`` times the mean variance, floored, regularises the covariance.
        """
        x = np.asarray(points, dtype=np.float64)
        mean = x.mean(0)
        x = x - mean
        noise = max(jitter * float((x**2).sum()) / x.size, 1e-9)
        values, vectors = np.linalg.eigh(x @ x.T / (len(x) - 1))
        keep = values > 1e-10 * max(values[-1], 1e-30)
        directions = (x.T @ vectors[:, keep] / np.sqrt((len(x) - 1) * values[keep])).T
        return cls(mean, directions, values[keep], noise)

    def squared_mahalanobis(self, z: Array) -> Array:
        """Squared Mahalanobis distances (m,) of z (m, d) by the Woodbury identity."""
        delta = np.asarray(z, dtype=np.float64) - self.mean
        shrink = 1 / self.noise - 1 / (self.variances + self.noise)
        along = (delta @ self.directions.T) ** 2
        return np.asarray((delta**2).sum(1) / self.noise - along @ shrink)

    def log_density(self, z: Array) -> Array:
        """Log-densities (m,) of z (m, d)."""
        d = len(self.mean)
        logdet = float(np.log(self.variances + self.noise).sum())
        logdet += (d - len(self.variances)) * np.log(self.noise)
        return np.asarray(-0.5 * (self.squared_mahalanobis(z) + logdet + d * np.log(2 * np.pi)))
