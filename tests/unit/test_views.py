"""Multi-crop views: strengths, determinism, colour."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from tests.oracle.test_views import SmallModel, canvas, neutral
from videoclusternet.embed.views import (
    GLOBAL_AREA,
    LOCAL_AREA,
    ViewPlan,
    clean_inputs,
    make_views,
    plan_views,
    temperature_gains,
)


def still(area: float, x: float = 0.5, y: float = 0.5, flip: bool = False) -> ViewPlan:
    """A plan of one view without chance."""
    one = np.ones((1, 1))
    return ViewPlan(one * area, one * x, one * y, one * 0, one * flip > 0, one * 6500)


def test_strengths_stay_in_their_ranges() -> None:
    plan = plan_views(2000, 2, 4, seed=0)
    assert plan.area.shape == (2000, 6)
    for views, (low, high) in ((slice(2), GLOBAL_AREA), (slice(2, 6), LOCAL_AREA)):
        area = plan.area[:, views]
        assert low <= area.min() < low + 0.01 and high - 0.01 < area.max() <= high
    assert np.abs(plan.angle).max() <= np.radians(15)
    assert (plan.angle == 0).mean() == pytest.approx(0.5, abs=0.02)
    assert plan.flip.mean() == pytest.approx(0.5, abs=0.02)
    assert (plan.kelvin == 6500).mean() == pytest.approx(0.2, abs=0.02)
    assert plan.kelvin.min() >= 3500 and plan.kelvin.max() <= 9500


def test_same_seed_same_views_other_seed_others() -> None:
    a, b, c = plan_views(5, 2, 4, 1), plan_views(5, 2, 4, 1), plan_views(5, 2, 4, 2)
    assert np.array_equal(a.area, b.area) and np.array_equal(a.kelvin, b.kelvin)
    assert not np.array_equal(a.area, c.area)


def test_batches_do_not_change_the_views() -> None:
    model = SmallModel(16)
    plan = plan_views(5, 1, 2, seed=0)
    pixels = torch.from_numpy(np.stack([canvas(i) for i in range(5)]))
    whole = make_views(pixels, plan, model)
    parts = [make_views(pixels[s], plan[s], model) for s in (slice(0, 2), slice(2, 5))]
    torch.testing.assert_close(whole, torch.cat(parts))


def test_no_local_views_is_possible() -> None:
    assert make_views(
        torch.from_numpy(canvas(0)[None]), plan_views(1, 3, 0, 0), SmallModel(16)
    ).shape == (1, 3, 3, 16, 16)


def test_a_view_of_everything_is_the_clean_input() -> None:
    model = SmallModel(32)
    pixels = torch.from_numpy(canvas(4)[None])
    view = make_views(pixels, still(1.0), model)[0, 0]
    torch.testing.assert_close(view, clean_inputs(pixels, model)[0], atol=1e-3, rtol=0)


def test_a_flipped_view_is_the_mirror_image() -> None:
    model = SmallModel(32)
    pixels = torch.from_numpy(canvas(4)[None])
    plain = make_views(pixels, still(0.5), model)
    mirrored = make_views(pixels, still(0.5, flip=True), model)
    torch.testing.assert_close(plain.flip(-1), mirrored, atol=1e-3, rtol=0)


def test_place_moves_the_window_right_and_down() -> None:
    model = SmallModel(32)
    ramp = np.zeros((1, 144, 144, 3), np.float32)
    ramp[..., 0], ramp[..., 1] = np.arange(144), np.arange(144)[:, None]
    pixels = torch.from_numpy(ramp)
    means = [
        make_views(pixels, still(0.25, x, y), model)[0, 0].mean((1, 2))
        for x, y in ((0, 0), (1, 0), (0, 1))
    ]
    # Half the side is free: 56 of the 112 canvas px.
    assert (means[1] - means[0])[:2].tolist() == pytest.approx([56, 0], abs=0.01)
    assert (means[2] - means[0])[:2].tolist() == pytest.approx([0, 56], abs=0.01)


def test_bytes_and_floats_give_the_same() -> None:
    model = SmallModel(16)
    pixels = canvas(1).round()[None]
    plan = neutral(plan_views(1, 2, 2, 0))
    torch.testing.assert_close(
        make_views(torch.from_numpy(pixels.astype(np.uint8)), plan, model),
        make_views(torch.from_numpy(pixels), plan, model),
    )


def test_temperature_is_neutral_at_6500_red_below_blue_above() -> None:
    gains = temperature_gains(np.array([3500.0, 6500.0, 9500.0]))
    np.testing.assert_allclose(gains[1], 1)
    assert gains[0, 0] >= 1 > gains[0, 1] > gains[0, 2]
    assert gains[2, 0] < gains[2, 1] < 1 <= gains[2, 2]
    # 3500 K after the published fit: 255, 192, 137 against 255, 254, 250 at 6500 K.
    np.testing.assert_allclose(gains[0], [1, 192.55 / 254.15, 140.5 / 250.1], atol=0.03)


def test_colours_never_leave_the_range() -> None:
    plan = plan_views(1, 2, 4, seed=5)
    white = torch.full((1, 144, 144, 3), 255.0)
    views = make_views(white, plan, SmallModel(8))
    assert views.max() <= 255 and views.min() > 100
    gains = temperature_gains(plan.kelvin.ravel()).clip(max=1)
    np.testing.assert_allclose(views[0].mean((2, 3)).numpy(), 255 * gains, rtol=1e-5)


def test_a_canvas_of_another_size_is_refused() -> None:
    with pytest.raises(ValueError, match="144 px wide, not 112"):
        clean_inputs(torch.zeros(1, 112, 112, 3), SmallModel(8))
