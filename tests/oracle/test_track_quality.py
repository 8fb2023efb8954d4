"""SER-FIQ in closed form against 10 000 sampled dropout masks (error <= .006); Eq. 4 by hand."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from skimage import data, transform

from videoclusternet.clustering.track_quality import low_quality, track_quality
from videoclusternet.embed.face_quality import face_quality
from videoclusternet.models.load import load_backbone


def face_quality_of(x: np.ndarray, weight: np.ndarray, *more: object) -> np.ndarray:
    """:func:`face_quality` of arrays."""
    given = [torch.from_numpy(v) if isinstance(v, np.ndarray) else v for v in (x, weight, *more)]
    return face_quality(*given).numpy()


def sampled(x: np.ndarray, weight: np.ndarray, bias: np.ndarray | None, dropout: float) -> float:
    """Quality from 10 000 dropout masks, as SER-FIQ defines it over pairs of passes."""
    rng = np.random.default_rng(0)
    masks = rng.random((10_000, len(x))) >= dropout
    out = (x * masks / (1 - dropout)) @ weight.T
    if bias is not None:
        out = out + bias
    out /= np.linalg.norm(out, axis=1, keepdims=True)
    distance = np.linalg.norm(out[:5000] - out[5000:], axis=1).mean()
    return float(2 / (1 + np.exp(distance)))


@pytest.mark.parametrize("strength", [0.2, 1.0, 4.0])
@pytest.mark.parametrize("dropout", [0.3, 0.5])
@pytest.mark.parametrize("with_bias", [False, True])
def test_closed_form_equals_sampling(strength: float, dropout: float, with_bias: bool) -> None:
    rng = np.random.default_rng(0)
    x = np.abs(rng.normal(size=(1, 256)))
    weight = rng.normal(size=(128, 256)) + strength * np.outer(rng.normal(size=128), np.sign(x[0]))
    bias = rng.normal(size=128) * 10 if with_bias else None
    got = face_quality_of(x, weight, bias, dropout)
    assert got[0] == pytest.approx(sampled(x[0], weight, bias, dropout), abs=0.006)


def test_closed_form_equals_sampling_in_a_real_network() -> None:
    model = load_backbone("dlib", "cpu")
    face = transform.resize(data.astronaut()[30:220, 130:320], (150, 150)) * 255
    flat = np.full_like(face, 128)
    noise = np.random.default_rng(0).uniform(0, 255, face.shape)
    pixels = torch.from_numpy(np.stack([face, flat, noise])).permute(0, 3, 1, 2).float()
    with torch.inference_mode():
        x = model.trunk(model.normalise(pixels)).numpy()
    weight = model.tail.weight.detach().numpy()
    got = face_quality_of(x, weight, None)
    for row, quality in zip(x, got, strict=True):
        assert quality == pytest.approx(sampled(row, weight, None, 0.5), abs=0.006)
    assert got.argmax() == 0


def test_rows_are_judged_one_by_one() -> None:
    rng = np.random.default_rng(1)
    x, weight = rng.normal(size=(5, 32)), rng.normal(size=(8, 32))
    alone = [face_quality_of(row[None], weight, None)[0] for row in x]
    np.testing.assert_allclose(face_quality_of(x, weight, None), alone, rtol=1e-6)


def test_scale_of_the_features_does_not_matter_and_no_feature_is_worst() -> None:
    rng = np.random.default_rng(2)
    x, weight = np.abs(rng.normal(size=(1, 32))), rng.normal(size=(8, 32))
    one = face_quality_of(x, weight, None)[0]
    assert face_quality_of(7 * x, weight, None)[0] == pytest.approx(one, rel=1e-5)
    nothing = face_quality_of(0 * x, weight, None)[0]
    assert nothing == pytest.approx(2 / (1 + np.exp(np.sqrt(2)))) and nothing < one


def test_eq4_drops_the_outlier_only() -> None:
    quality = np.array([0.70, 0.71, 0.72, 0.73, 0.74, 0.20, np.nan])
    # mean .6333, median .715, MAD .015: bound .6333 - 2.7 * .015 = .5928
    assert low_quality(quality).tolist() == [False] * 5 + [True, False]


def test_eq4_by_a_robust_standard_deviation() -> None:
    quality = np.array([0.70, 0.71, 0.72, 0.73, 0.74, 0.68, 0.66, 0.99, np.nan])
    # median .715, MAD .02: bound .715 - 2.7 * 1.4826 * .02 = .635 (raw: .7412 - .054 = .687)
    assert not low_quality(quality, spread="sigma").any()
    assert low_quality(quality, spread="mad").tolist() == [False] * 5 + [True, True, False, False]
    assert low_quality(np.append(quality, 0.5), spread="sigma").tolist() == [False] * 9 + [True]


@pytest.mark.parametrize("seed", range(3))
def test_eq4_equals_a_loop(seed: int) -> None:
    rng = np.random.default_rng(seed)
    quality = rng.normal(0.7, 0.02, 60) - 0.2 * (rng.random(60) < 0.1)
    median = sorted(quality)[29:31]
    middle = sum(median) / 2
    away = sorted(abs(q - middle) for q in quality)
    bound = sum(quality) / 60 - 2.7 * (away[29] + away[30]) / 2
    assert low_quality(quality).tolist() == [q < bound for q in quality]


def test_good_tracks_are_all_kept_by_sigma_and_not_by_mad() -> None:
    quality = np.random.default_rng(0).normal(0.7, 0.01, 5000)
    assert low_quality(quality, spread="sigma").mean() < 0.006
    assert 0.025 < low_quality(quality, spread="mad").mean() < 0.045


def test_track_quality_is_the_mean_over_crops() -> None:
    quality = track_quality(np.array([0.2, 0.4, 0.9]), np.array([0, 0, 2]), 3)
    assert quality[0] == pytest.approx(0.3) and quality[2] == pytest.approx(0.9)
    assert np.isnan(quality[1])


def test_eq4_marks_nothing_where_nothing_is_known() -> None:
    assert low_quality(np.array([np.nan, np.nan])).tolist() == [False, False]
    assert low_quality(np.empty(0)).tolist() == []
    assert low_quality(np.array([0.5, 0.5, 0.5])).tolist() == [False] * 3
