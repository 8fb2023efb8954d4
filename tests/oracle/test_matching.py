"""Coarse matching against scipy's Gaussian and a loop over tracks."""

from __future__ import annotations

import numpy as np
from scipy.stats import multivariate_normal

from videoclusternet.config import MatchConfig
from videoclusternet.matching import LowRankGaussian, match_tracks


def test_low_rank_gaussian_equals_scipy() -> None:
    rng = np.random.default_rng(0)
    points = rng.normal(size=(9, 12))
    gaussian = LowRankGaussian.fit(points, jitter=0.1)
    covariance = np.cov(points.T) + gaussian.noise * np.eye(12)
    z = rng.normal(size=(5, 12))
    want = multivariate_normal(points.mean(0), covariance).logpdf(z)
    np.testing.assert_allclose(gaussian.log_density(z), want, rtol=1e-9)


def test_isotropic_match_is_a_ring() -> None:
    rng = np.random.default_rng(1)
    people = rng.normal(size=(3, 8))
    track = np.repeat(np.arange(9), 4).astype("i4")
    person = np.arange(9) % 3
    clean = people[person[track]] + rng.normal(size=(36, 8)) * 0.05
    views = clean[:, None] + rng.normal(size=(36, 2, 8)) * 0.15
    links = match_tracks(clean.astype("f4"), views.astype("f4"), track, 9, MatchConfig())

    def unit(x: np.ndarray) -> np.ndarray:
        return x / np.linalg.norm(x, axis=-1, keepdims=True)

    want = set()
    for j in range(9):
        cloud = unit(views[track == j]).reshape(-1, 8)
        own = np.sort(((cloud - cloud.mean(0)) ** 2).sum(1))
        ring = own[-int(np.ceil(0.25 * len(own))) :].mean()
        for i in range(9):
            mean = unit(clean[track == i]).mean(0)
            if i != j and ((mean - cloud.mean(0)) ** 2).sum() <= ring:
                want.add((i, j))
    got = set(zip(links.a.tolist(), links.b.tolist(), strict=True))
    assert got == want and len(got) > 3
    assert all(person[a] == person[b] for a, b in got)


def test_no_match_among_strangers() -> None:
    clean = np.eye(4, dtype="f4")[np.repeat(np.arange(4), 2)]
    links = match_tracks(clean, clean[:, None], np.repeat(np.arange(4), 2), 4, MatchConfig())
    assert len(links) == 0
