"""Pictures at many sizes against OpenCV, which makes one after the other."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
import skimage.data

from videoclusternet.models.detectors.pyramid import Pyramid


@pytest.mark.parametrize(
    ("height", "width", "sizes"),
    [
        (360, 640, [(135, 240), (96, 171), (68, 121), (18, 31), (13, 22)]),
        (301, 97, [(300, 90), (151, 49), (43, 13)]),
        (64, 128, [(32, 64), (16, 32)]),  # OpenCV does whole steps otherwise
    ],
)
def test_each_size_equals_opencv_but_for_rounding(
    height: int, width: int, sizes: list[tuple[int, int]]
) -> None:
    first = np.asarray(cv2.resize(skimage.data.astronaut(), (width, height)))
    noise = np.random.default_rng(0).integers(0, 256, first.shape).astype(np.uint8)
    pictures = [first, noise, np.full_like(first, 255)]
    levels = Pyramid(height, width, sizes)(pictures)
    for level, (rows, columns) in zip(levels, sizes, strict=True):
        assert level.shape == (3, rows, columns, 3) and level.dtype == np.uint8
        for found, picture in zip(level, pictures, strict=True):
            want = cv2.resize(picture, (columns, rows), interpolation=cv2.INTER_AREA)
            difference = np.abs(found.astype(int) - want)
            # Halves may be rounded to either side.
            assert difference.max() <= 1
            halves = 0.2 if height % rows == 0 else 1e-3
            assert np.mean(difference > 0) < halves


def test_without_sizes_there_is_nothing_to_do() -> None:
    assert Pyramid(8, 8, [])([np.zeros((8, 8, 3), np.uint8)]) == []
