"""Closed-form adaptation against textbook formulas."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from scipy.linalg import sqrtm

from videoclusternet.clustering.whitening import (
    Space,
    centre,
    matched_scatter,
    whiten,
    whitener,
    within_scatter,
)


def space() -> Space:
    rng = np.random.default_rng(0)
    track = np.repeat([0, 1, 2], [1, 3, 2]).astype("i4")
    clean = rng.normal(size=(6, 5)).astype("f4") + 3
    return Space.plain("raw", clean, rng.normal(size=(6, 4, 5)).astype("f4") + 1, track, 3, 2)


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
    s = replace(s, links=np.array([[1, 0], [0, 2], [1, 2]]))
    np.testing.assert_allclose(matched_scatter(s), want / np.trace(want), atol=1e-6)


def test_no_match_no_matched_scatter() -> None:
    assert not matched_scatter(space()).any()


def test_whitener_is_the_inverse_root() -> None:
    scatter = within_scatter(space())
    want = np.linalg.inv(sqrtm(scatter + 2.0 / 5 * np.eye(5)))
    np.testing.assert_allclose(whitener(scatter, 2.0), want, atol=1e-5)


def test_whitened_rows_are_units() -> None:
    c = centre(space())
    w = whiten(c, 1.0, within_scatter(c), "w")
    np.testing.assert_allclose(np.linalg.norm(w.views, axis=-1), 1, atol=1e-5)
    np.testing.assert_allclose(np.linalg.norm(w.clean, axis=-1), 1, atol=1e-5)


def test_centring_without_local_views_and_with_a_track_without_a_crop() -> None:
    s = space()
    # Track 3 has no crop: it must not spoil the mean.
    s = Space.plain("raw", s.clean, s.views[:, :2], s.track, 4, 2)
    c = centre(s)
    assert c.views.shape == s.views.shape and np.isfinite(c.views).all()
    mean = np.mean([s.views[s.track == t].mean((0, 1)) for t in range(3)], axis=0)
    np.testing.assert_allclose(c.views, s.views - mean, atol=1e-5)


def test_whitening_shrinks_the_directions_in_which_views_scatter() -> None:
    rng = np.random.default_rng(1)
    track = np.repeat(np.arange(20), 3).astype("i4")
    clean = rng.normal(size=(20, 5))[track]
    light = np.zeros(5)
    light[0] = 4.0
    views = clean[:, None] + rng.normal(size=(60, 4, 1)) * light + rng.normal(size=(60, 4, 5)) * 0.1
    c = centre(Space.plain("raw", clean.astype("f4"), views.astype("f4"), track, 20, 2))
    w = whiten(c, 1.0, within_scatter(c), "w")

    def share(x: np.ndarray) -> float:
        """Scatter inside tracks along the light, as a share of all scatter."""
        inner = x - np.stack([x[track == t].mean((0, 1)) for t in range(20)])[track][:, None]
        return float((inner[..., 0] ** 2).sum() / ((x - x.mean((0, 1))) ** 2).sum())

    def unit(x: np.ndarray) -> np.ndarray:
        return np.asarray(x / np.linalg.norm(x, axis=-1, keepdims=True))

    assert share(w.views) < 0.7 * share(unit(c.views))
    assert w.name == "w" and w.global_views == 2 and w.tracks == 20
