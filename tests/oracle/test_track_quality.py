"""SER-FIQ in closed form against 10 000 sampled dropout masks (error <= .006); Eq. 4 by hand."""

from __future__ import annotations

import numpy as np
import pytest

from videoclusternet.track_quality import face_quality, low_quality, track_quality


@pytest.mark.parametrize("strength", [0.2, 1.0, 4.0])
def test_closed_form_equals_sampling(strength: float) -> None:
    rng = np.random.default_rng(0)
    x = np.abs(rng.normal(size=(1, 256)))
    weight = rng.normal(size=(128, 256)) + strength * np.outer(rng.normal(size=128), np.sign(x[0]))
    masks = rng.random((10_000, 256)) < 0.5
    out = (x * masks / 0.5) @ weight.T
    out /= np.linalg.norm(out, axis=1, keepdims=True)
    # Mean over random pairs of passes, as SER-FIQ defines the distance.
    distance = np.linalg.norm(out[:5000] - out[5000:], axis=1).mean()
    assert face_quality(x, weight, None)[0] == pytest.approx(2 / (1 + np.exp(distance)), abs=0.006)


def test_eq4_drops_the_outlier_only() -> None:
    quality = np.array([0.70, 0.71, 0.72, 0.73, 0.74, 0.20, np.nan])
    # mean .6333, median .715, MAD .015: bound .6333 - 2.7 * .015 = .5928
    assert low_quality(quality).tolist() == [False] * 5 + [True, False]


def test_track_quality_is_the_mean_over_crops() -> None:
    quality = track_quality(np.array([0.2, 0.4, 0.9]), np.array([0, 0, 2]), 3)
    assert quality[0] == pytest.approx(0.3) and quality[2] == pytest.approx(0.9)
    assert np.isnan(quality[1])
