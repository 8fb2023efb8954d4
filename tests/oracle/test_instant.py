"""Closed-form adaptation against textbook formulas."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.linalg import sqrtm

from videoclusternet.clustering.distance import normalise
from videoclusternet.clustering.whitening import (
    Space,
    centre,
    ridge_of,
    track_scatter,
    whiten,
    whitener,
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


def test_scatter_of_tracks_by_loops() -> None:
    s = replace(space(), weight=np.array([1, 2, 0.5, 1, 3, 1], dtype="f4"))
    unit = s.clean / np.linalg.norm(s.clean, axis=1, keepdims=True)
    want = np.zeros((5, 5))
    for t in range(3):
        mine = np.flatnonzero(s.track == t)
        mean = np.average(unit[mine], axis=0, weights=s.weight[mine])
        for row in mine:
            want += s.weight[row] * np.outer(unit[row] - mean, unit[row] - mean)
    np.testing.assert_allclose(track_scatter(s), want / np.trace(want), atol=1e-6)


def test_tracks_of_one_crop_have_no_scatter_and_change_no_angle() -> None:
    s = space()
    lone = replace(s, clean=s.clean[:3], track=np.arange(3), weight=s.weight[:3])
    assert not track_scatter(lone).any()
    c = centre(lone)
    w = whiten(c, ridge_of(c), track_scatter(c), "w")
    np.testing.assert_allclose(w.clean, normalise(c.clean), atol=1e-6)


def test_fewer_crops_are_believed_less() -> None:
    s = space()  # 6 crops of 3 tracks in 5 dimensions
    assert ridge_of(s) == pytest.approx(1 + 2 * 5 / 3)


def test_whitener_is_the_inverse_root() -> None:
    scatter = track_scatter(space())
    want = np.linalg.inv(sqrtm(scatter + 2.0 / 5 * np.eye(5)))
    np.testing.assert_allclose(whitener(scatter, 2.0), want, atol=1e-5)


def test_whitened_rows_are_units() -> None:
    c = centre(space())
    w = whiten(c, 1.0, track_scatter(c), "w")
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


def test_whitening_shrinks_the_directions_in_which_tracks_scatter() -> None:
    rng = np.random.default_rng(1)
    track = np.repeat(np.arange(20), 6).astype("i4")
    light = np.zeros(5)
    light[0] = 4.0
    person = rng.normal(size=(20, 5))[track]
    clean = person + rng.normal(size=(120, 1)) * light + rng.normal(size=(120, 5)) * 0.1
    views = clean[:, None] + rng.normal(size=(120, 4, 5)) * 0.1
    c = centre(Space.plain("raw", clean.astype("f4"), views.astype("f4"), track, 20, 2))
    w = whiten(c, 1.0, track_scatter(c), "w")

    def share(x: np.ndarray) -> float:
        """Scatter inside tracks along the light, as a share of all scatter."""
        inner = x - np.stack([x[track == t].mean(0) for t in range(20)])[track]
        return float((inner[:, 0] ** 2).sum() / ((x - x.mean(0)) ** 2).sum())

    assert share(w.clean) < 0.7 * share(normalise(c.clean))
    assert w.name == "w" and w.global_views == 2 and w.tracks == 20
