"""Views in one resampling against slow versions: a loop over pixels, and OpenCV's warp."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
import torch
from torch import Tensor, nn

from videoclusternet.embed.views import ViewPlan, clean_inputs, make_views, plan_views
from videoclusternet.models.backbones.face_model import FaceModel
from videoclusternet.types.canvas import ARCFACE_112, CANVAS


class SmallModel(FaceModel):
    """A face-ID model without a network: only its input matters here."""

    name = "small"
    dim = 2

    def __init__(self, size: int) -> None:
        super().__init__()
        self.size = size
        self.template = ARCFACE_112 * size / 112
        self.fc = nn.Linear(3, 2)

    @property
    def tail(self) -> nn.Linear:
        return self.fc

    def normalise(self, pixels: Tensor) -> Tensor:
        return pixels / 255

    def early(self, x: Tensor) -> Tensor:
        return x

    def late(self, maps: Tensor) -> Tensor:
        return maps.mean((2, 3))

    def last_stage(self) -> tuple[nn.Module, ...]:
        return ()


def canvas(seed: int) -> np.ndarray:
    """A smooth colour picture, float32 (144, 144, 3)."""
    rng = np.random.default_rng(seed)
    rough = rng.uniform(0, 255, (9, 9, 3)).astype(np.float32)
    return np.asarray(cv2.resize(rough, (CANVAS, CANVAS), interpolation=cv2.INTER_CUBIC)).clip(
        0, 255
    )


def bilinear(picture: np.ndarray, x: float, y: float) -> np.ndarray:
    """One sample; beyond the edge the edge is repeated."""
    x, y = np.clip(x, 0, CANVAS - 1), np.clip(y, 0, CANVAS - 1)
    left, top = min(int(x), CANVAS - 2), min(int(y), CANVAS - 2)
    u, v = x - left, y - top
    upper = (1 - u) * picture[top, left] + u * picture[top, left + 1]
    lower = (1 - u) * picture[top + 1, left] + u * picture[top + 1, left + 1]
    return np.asarray((1 - v) * upper + v * lower)


def slow_view(picture: np.ndarray, plan: ViewPlan, i: int, v: int, model: FaceModel) -> np.ndarray:
    """Go from each output pixel back to the canvas: mirror, turn, shrink, shift, template."""
    size = model.size
    side = np.sqrt(plan.area[i, v])
    angle = plan.angle[i, v]
    # Free room of the window inside the input, whose pixels reach from -.5 to size - .5.
    left = plan.x[i, v] * (1 - side) * size - 0.5
    top = plan.y[i, v] * (1 - side) * size - 0.5
    to_input = model.canvas_to_input()
    out = np.empty((size, size, 3))
    for row in range(size):
        for column in range(size):
            dx, dy = column - (size - 1) / 2, row - (size - 1) / 2
            if plan.flip[i, v]:
                dx = -dx
            x = np.cos(angle) * dx - np.sin(angle) * dy
            y = np.sin(angle) * dx + np.cos(angle) * dy
            place = np.array([left, top]) + side * size / 2 + side * np.array([x, y])
            out[row, column] = bilinear(
                picture, *np.linalg.solve(to_input[:, :2], place - to_input[:, 2])
            )
    return out


def neutral(plan: ViewPlan) -> ViewPlan:
    """The same plan without a change of colour."""
    return ViewPlan(
        plan.area, plan.x, plan.y, plan.angle, plan.flip, np.full_like(plan.kelvin, 6500.0)
    )


def test_views_equal_a_loop_over_pixels() -> None:
    model = SmallModel(24)
    plan = neutral(plan_views(2, 2, 4, seed=1))
    assert plan.flip.any() and not plan.flip.all() and (plan.angle != 0).any()
    pictures = np.stack([canvas(0), canvas(1)])
    views = make_views(torch.from_numpy(pictures), plan, model)
    assert views.shape == (2, 6, 3, 24, 24) and views.dtype == torch.float32
    for i in range(2):
        for v in range(6):
            want = slow_view(pictures[i], plan, i, v, model)
            got = views[i, v].permute(1, 2, 0).numpy()
            np.testing.assert_allclose(got, want, atol=0.02)


@pytest.mark.parametrize("size", [112, 150])
def test_clean_input_equals_opencv(size: int) -> None:
    model = SmallModel(size)
    picture = canvas(2)
    want = cv2.warpAffine(
        picture,
        model.canvas_to_input(),
        (size, size),
        flags=cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REPLICATE,
    )
    got = clean_inputs(torch.from_numpy(picture[None]), model)[0].permute(1, 2, 0).numpy()
    # OpenCV counts in 1/32 px: a steep slope of 20 levels a pixel may differ by .6.
    np.testing.assert_allclose(got, want, atol=1.0)
    assert np.abs(got - want).mean() < 0.1


def test_views_equal_separate_steps_in_opencv() -> None:
    """Warp to the input, turn and mirror round the window, cut it out and enlarge it."""
    model = SmallModel(112)
    plan = neutral(plan_views(1, 2, 4, seed=3))
    picture = canvas(3)
    views = make_views(torch.from_numpy(picture[None]), plan, model)[0]
    fine = 4
    # Everything at four times the size, so that three resamplings blur but little.
    big = cv2.resize(picture, None, fx=fine, fy=fine, interpolation=cv2.INTER_LINEAR)
    shift = model.canvas_to_input()
    # Pixel centres: fine px f lies at (f + .5) / fine - .5.
    half = (fine - 1) / 2
    shift[:, 2] = shift[:, 2] * fine + half - shift[:, :2] @ [half, half]
    area = 112 * fine
    clean = cv2.warpAffine(
        big, shift, (area, area), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    for v in range(6):
        side = np.sqrt(plan.area[0, v])
        x = (plan.x[0, v] * (1 - side) + side / 2) * area - 0.5
        y = (plan.y[0, v] * (1 - side) + side / 2) * area - 0.5
        # A positive angle turns what is seen counter-clockwise, in OpenCV and here.
        turn = cv2.getRotationMatrix2D((x, y), float(np.degrees(plan.angle[0, v])), 1)
        turned = cv2.warpAffine(
            clean, turn, (area, area), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
        )
        window = cv2.getRectSubPix(turned, (round(side * area), round(side * area)), (x, y))
        small = cv2.resize(window, (112, 112), interpolation=cv2.INTER_LINEAR)
        want = small[:, ::-1] if plan.flip[0, v] else small
        got = views[v].permute(1, 2, 0).numpy()
        inner = slice(20, 92)
        difference = np.abs(got - want)[inner, inner]
        assert difference.mean() < 1.0 and difference.max() < 6.0
