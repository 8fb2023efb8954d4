r"""Coarse track matching (section 3.5, Eq. 3): which tracks surely show one person.

Each track j is a Gaussian over its own embeddings.  Its threshold is the mean of the
lowest quarter of its own densities.  Track i matches j when the density of its mean
reaches that threshold.  All in logarithms: with Sigma fixed inside a track, constants
cancel and only squared Mahalanobis distances are compared (METHOD 3).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from videoclusternet.clustering.distance import group_mean, normalise
from videoclusternet.clustering.spaces import raw_space
from videoclusternet.clustering.whitening import centre
from videoclusternet.config import MatchConfig
from videoclusternet.types import Embeddings, Links, Views
from videoclusternet.types.arrays import Array, Float32, Float64, Int32, Ints

BLOCK = 2048
"""Tracks whose distances to all others are held at a time."""


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
    seen = space.views[:, : space.global_views]
    mean = group_mean(normalise(space.clean), space.track, space.tracks)
    found = match_tracks(mean, seen, space.view_track, config)
    return Links(keep[found.a].astype(np.int32), keep[found.b].astype(np.int32), found.margin)


def match_tracks(mean: Float32, views: Float32, track: Int32, config: MatchConfig) -> Links:
    """Find coarse matches between tracks.

    Parameters
    ----------
    mean : float32, shape (T, d)
        Means of the unit embeddings of clean crops stand for the tracks; those of a track
        without a crop are NaN, and it matches nothing.
    views : float32, shape (N, V, d)
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
    cloud = normalise(views).reshape(-1, views.shape[-1])
    cloud_track = np.repeat(track, views.shape[1])
    find = _in_rings if config.covariance == "isotropic" else _in_gaussians
    found = [_NOTHING, *find(mean, cloud, cloud_track, config.quantile)]
    a, b, margin = (np.concatenate(column) for column in zip(*found, strict=True))
    return Links(a=a, b=b, margin=margin)


_Matches = tuple[Array, Array, Array]
_NOTHING: _Matches = (np.empty(0, np.int32), np.empty(0, np.int32), np.empty(0, np.float32))


def _in_rings(mean: Array, cloud: Array, track: Array, quantile: float) -> Iterator[_Matches]:
    """Match under one variance for all directions, a block of tracks at a time."""
    tracks, dim = mean.shape
    centre = group_mean(cloud, track, tracks)
    own = ((cloud - centre[track]) ** 2).sum(1)
    edge = np.searchsorted(track, np.arange(tracks + 1))
    several = np.flatnonzero(np.diff(edge) > 1)
    ring = np.array([_lowest(own[edge[j] : edge[j + 1]], quantile) for j in several])
    variance = np.array([max(own[edge[j] : edge[j + 1]].mean() / dim, 1e-12) for j in several])
    known = np.flatnonzero(np.isfinite(mean[:, 0]))
    length = (mean[known] ** 2).sum(1)
    for start in range(0, len(several), BLOCK):
        part = slice(start, start + BLOCK)
        j = several[part]
        distance = (centre[j] ** 2).sum(1)[:, None] + length - 2 * centre[j] @ mean[known].T
        margin = (ring[part, None] - distance) / (2 * variance[part, None])
        margin[j[:, None] == known] = -1
        row, column = np.nonzero(margin >= 0)
        yield known[column], j[row], margin[row, column]


def _in_gaussians(mean: Array, cloud: Array, track: Array, quantile: float) -> Iterator[_Matches]:
    """Match under full covariances [P], a track at a time."""
    edge = np.searchsorted(track, np.arange(len(mean) + 1))
    known = np.flatnonzero(np.isfinite(mean[:, 0]))
    for j in np.flatnonzero(np.diff(edge) > 1):
        points = cloud[edge[j] : edge[j + 1]]
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
