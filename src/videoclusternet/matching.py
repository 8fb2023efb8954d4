r"""Coarse track matching (section 3.5, Eq. 3): which tracks surely show one person.

Each track j is a Gaussian over its own embeddings.  Its threshold is the mean of the
lowest quarter of its own densities.  Track i matches j when the density of its mean
reaches that threshold.  All in logarithms: with Sigma fixed inside a track, constants
cancel and only squared Mahalanobis distances are compared (METHOD 3).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from videoclusternet.config import MatchConfig
from videoclusternet.similarity import group_mean, normalise
from videoclusternet.types import Table

Array = NDArray[Any]


@dataclass(frozen=True, eq=False)
class Links(Table):
    """Directed coarse matches.

    Attributes
    ----------
    a, b : int32, shape (L,)
        Track ``a`` falls inside the Gaussian of track ``b``.
    margin : float32, shape (L,)
        Log-density of the mean of ``a`` above the threshold of ``b``.
    """

    FILE: ClassVar = "links"
    COLUMNS: ClassVar = {"a": ("i4", ("L",)), "b": ("i4", ("L",)), "margin": ("f4", ("L",))}
    a: Array
    b: Array
    margin: Array

    def check(self) -> None:
        """No track matches itself."""
        if np.any(self.a == self.b):
            raise ValueError("Links: a track cannot match itself")

    def __len__(self) -> int:
        return len(self.a)


def match_tracks(
    clean: Array, views: Array, track: Array, tracks: int, config: MatchConfig
) -> Links:
    """Find coarse matches between tracks.

    Parameters
    ----------
    clean : float32, shape (C, d)
        Embeddings of clean crops; their unit mean stands for a track.
    views : float32, shape (C, V, d)
        Embeddings of the *global* views: they span the Gaussian of a track.
    track : int32, shape (C,)
        Track of each crop, ascending.
    tracks : int
        Number of tracks; those without a crop match nothing.
    config : MatchConfig
        ``covariance`` isotropic (ours) or full [P], ``quantile`` [P] .25.

    Returns
    -------
    Links
        Sorted by (b, a).
    """
    mean = group_mean(normalise(clean), track, tracks)
    cloud = normalise(views).reshape(-1, views.shape[-1])
    cloud_track = np.repeat(track, views.shape[1])
    offsets = np.searchsorted(cloud_track, np.arange(tracks + 1))
    known = np.flatnonzero(np.isfinite(mean[:, 0]))
    found: list[tuple[Array, Array, Array]] = []
    for j in known:
        points = cloud[offsets[j] : offsets[j + 1]]
        if len(points) < 2:
            continue
        margin = _margins(points, mean[known], config)
        hits = known[margin >= 0]
        keep = hits != j
        found.append((hits[keep], np.full(keep.sum(), j), margin[margin >= 0][keep]))
    if not found:
        return Links(a=np.empty(0), b=np.empty(0), margin=np.empty(0))
    a, b, margin = (np.concatenate(column) for column in zip(*found, strict=True))
    return Links(a=a, b=b, margin=margin)


def _margins(points: Array, means: Array, config: MatchConfig) -> Array:
    """Log-density of each mean above the track's threshold (Eq. 3), up to a factor."""
    centre = points.mean(0)
    if config.covariance == "isotropic":
        own = ((points - centre) ** 2).sum(1)
        other = ((means - centre) ** 2).sum(1)
        scale = max(float(own.mean()) / points.shape[1], 1e-12)
        own, other = own / scale, other / scale
    else:
        gaussian = LowRankGaussian.fit(points)
        own, other = gaussian.squared_mahalanobis(points), gaussian.squared_mahalanobis(means)
    lowest = int(np.ceil(config.quantile * len(own)))
    # The lowest densities are the largest distances.
    threshold = np.sort(own)[-lowest:].mean()
    return np.asarray((threshold - other) / 2)


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

    mean: Array
    directions: Array
    variances: Array
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
