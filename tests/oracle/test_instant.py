"""Closed-form adaptation against textbook formulas."""

from __future__ import annotations

import numpy as np
from scipy.linalg import sqrtm

from videoclusternet.instant import Space, centre, matched_scatter, whiten, whitener, within_scatter


def space() -> Space:
    rng = np.random.default_rng(0)
    track = np.repeat([0, 1, 2], [1, 3, 2]).astype("i4")
    clean = rng.normal(size=(6, 5)).astype("f4") + 3
    return Space("raw", clean, rng.normal(size=(6, 4, 5)).astype("f4") + 1, track, 3, 2)


def test_centring_is_per_kind_over_track_means() -> None:
    s = space()
    c = centre(s)
    for before, after in (
        (s.clean[:, None], c.clean[:, None]),
        (s.views[:, :2], c.views[:, :2]),
        (s.views[:, 2:], c.views[:, 2:]),
    ):
        mean = np.mean([before[s.track == t].mean((0, 1)) for t in range(3)], axis=0)
        np.testing.assert_allclose(after, before - mean, atol=1e-5)


def test_within_scatter_by_loops() -> None:
    s = space()
    want = np.zeros((5, 5))
    for t in range(3):
        v = s.views[s.track == t].reshape(-1, 5)
        for row in v:
            want += np.outer(row - v.mean(0), row - v.mean(0))
    np.testing.assert_allclose(within_scatter(s), want / np.trace(want), atol=1e-6)


def test_matched_scatter_by_loops() -> None:
    s = space()
    mean = np.stack([s.clean[s.track == t].mean(0) for t in range(3)])
    want = np.zeros((5, 5))
    for members in ([0, 1], [2, 0, 1]):
        m = mean[members]
        want += (m - m.mean(0)).T @ (m - m.mean(0))
    got = matched_scatter(s, np.array([1, 0, 1]), np.array([0, 2, 2]))
    np.testing.assert_allclose(got, want / np.trace(want), atol=1e-6)


def test_whitener_is_the_inverse_root() -> None:
    scatter = within_scatter(space())
    want = np.linalg.inv(sqrtm(scatter + 2.0 / 5 * np.eye(5)))
    np.testing.assert_allclose(whitener(scatter, 2.0), want, atol=1e-5)


def test_whitened_rows_are_units() -> None:
    c = centre(space())
    w = whiten(c, 1.0, within_scatter(c), "w")
    np.testing.assert_allclose(np.linalg.norm(w.views, axis=-1), 1, atol=1e-5)
    np.testing.assert_allclose(np.linalg.norm(w.clean, axis=-1), 1, atol=1e-5)
