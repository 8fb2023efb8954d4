"""Which faces and tracks are good enough."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
import skimage.data

from tests import tables
from videoclusternet.config import Config, QualityConfig
from videoclusternet.film.quality import flaws, sharpness, track_flaw
from videoclusternet.types import Reason

FACE = np.array([175.0, 58, 270, 175])
OK, SMALL, BLURRED = (int(r) for r in (Reason.OK, Reason.SMALL, Reason.BLURRED))
PAPER = Config.load("paper").quality


def test_more_blur_is_less_sharp() -> None:
    picture = np.asarray(skimage.data.astronaut())
    values = [sharpness(picture, FACE)]
    for sigma in (1, 2, 4, 8):
        values.append(sharpness(cv2.GaussianBlur(picture, (0, 0), sigma), FACE))
    assert values == sorted(values, reverse=True) and len(set(values)) == 5
    assert values[0] > 3 * PAPER.min_sharpness and values[-1] < PAPER.min_sharpness


def test_sharpness_is_one_minus_the_share_of_ten_singular_values() -> None:
    grey = np.random.default_rng(0).integers(0, 256, (112, 112)).astype(np.uint8)
    values = np.linalg.svd(grey.astype(np.float64), compute_uv=False)
    picture = np.repeat(grey[..., None], 3, axis=2)
    want = 1 - values[:10].sum() / values.sum()
    assert sharpness(picture, np.array([0.0, 0, 112, 112])) == pytest.approx(want, abs=1e-3)


@pytest.mark.parametrize(
    "box", [(-50, -50, -10, -10), (300, 10, 400, 80), (20, 20, 20, 60), (40, 40, 30, 30)]
)
def test_a_box_without_a_picture_is_not_sharp(box: tuple[float, ...]) -> None:
    picture = np.random.default_rng(0).integers(0, 256, (100, 200, 3)).astype(np.uint8)
    assert sharpness(picture, np.array(box, dtype=np.float64)) == 0


def test_flat_pictures_are_not_sharp_and_parts_outside_do_not_count() -> None:
    assert sharpness(np.zeros((50, 50, 3), np.uint8), np.array([0.0, 0, 50, 50])) == 0
    assert sharpness(np.full((50, 50, 3), 200, np.uint8), np.array([0.0, 0, 50, 50])) < 1e-5
    picture = np.random.default_rng(0).integers(0, 256, (60, 60, 3)).astype(np.uint8)
    inside = sharpness(picture, np.array([0.0, 0, 60, 60]))
    assert sharpness(picture, np.array([-30.0, -9, 99, 70])) == pytest.approx(inside)


@pytest.mark.parametrize(
    ("width", "height", "sharp", "want"),
    [
        (60, 80, 0.5, OK),
        (32, 32, 0.03, OK),
        (31.9, 60, 0.5, SMALL),
        (60, 31.9, 0.5, SMALL),
        (40, 81, 0.5, SMALL),
        (81, 40, 0.5, SMALL),
        (40, 80, 0.5, OK),
        (60, 80, 0.029, BLURRED),
        (20, 20, 0.0, SMALL),
    ],
)
def test_reasons(width: float, height: float, sharp: float, want: int) -> None:
    faces = tables.faces([(0, 10, 10, 10 + width, 10 + height)], sharpness=sharp)
    assert flaws(faces, PAPER).tolist() == [want]


def test_limits_are_settings() -> None:
    faces = tables.faces([(0, 0, 0, 60, 80)], sharpness=0.2)
    assert flaws(faces, QualityConfig(min_size=61)).tolist() == [SMALL]
    assert flaws(faces, QualityConfig(min_aspect=0.76)).tolist() == [SMALL]
    assert flaws(faces, QualityConfig(max_aspect=0.74)).tolist() == [SMALL]
    assert flaws(faces, QualityConfig(min_sharpness=0.21)).tolist() == [BLURRED]


def test_no_face_has_no_flaw() -> None:
    assert flaws(tables.faces([]), QualityConfig()).shape == (0,)


@pytest.mark.parametrize(
    ("faces", "want"),
    [
        ([OK], OK),
        ([SMALL], SMALL),
        ([OK, SMALL], OK),
        ([OK, SMALL, BLURRED], SMALL),
        ([OK, BLURRED, BLURRED], BLURRED),
        ([BLURRED, BLURRED, SMALL, OK], BLURRED),
        ([OK, OK, SMALL, SMALL], OK),
        ([OK, OK, SMALL, SMALL, BLURRED], SMALL),
    ],
)
def test_a_track_is_unknown_when_more_than_half_its_faces_fail(faces: list[int], want: int) -> None:
    assert track_flaw(np.array(faces, dtype=np.uint8)) == want
