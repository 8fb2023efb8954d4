"""Pictures at many sizes: each pixel the mean of an area, as by OpenCV's ``INTER_AREA``.

OpenCV goes through all pixels of the picture again for every size, one after the other.  Here the
rows of all sizes come out of one product with a sparse matrix, and OpenCV narrows what is left.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from scipy.sparse import csr_array

from videoclusternet.types.arrays import Array, Float32, UInt8

LEAST = 1e-3
"""Rows of which less is covered are left out, as OpenCV does."""


class Pyramid:
    """Shrinks pictures of one size.

    Parameters
    ----------
    height, width : int
        Of the pictures, px.
    sizes : sequence of (int, int)
        Heights and widths to shrink to, none larger than the picture.
    """

    def __init__(self, height: int, width: int, sizes: Sequence[tuple[int, int]]) -> None:
        self._sizes = list(sizes)
        shares = [_shares(height, rows) for rows, _ in sizes]
        self._rows = csr_array(np.concatenate([np.empty((0, height), np.float32), *shares]))
        self._picture = np.empty((height, width * 3), dtype=np.float32)

    def __call__(self, pictures: Sequence[Array]) -> list[UInt8]:
        """Shrink some pictures.

        Parameters
        ----------
        pictures : sequence of uint8, shape (H, W, 3)

        Returns
        -------
        list of uint8 arrays, shapes (B, h, w, 3)
            One for each size.
        """
        levels = [np.empty((len(pictures), *size, 3), dtype=np.uint8) for size in self._sizes]
        for number, picture in enumerate(pictures):
            self._picture[:] = picture.reshape(self._picture.shape)
            low, start = self._rows @ self._picture, 0
            for level, (height, width) in zip(levels, self._sizes, strict=True):
                rows = low[start : start + height].reshape(height, -1, 3)
                start += height
                small = cv2.resize(rows, (width, height), interpolation=cv2.INTER_AREA)
                level[number] = np.rint(small)
        return levels


def _shares(many: int, few: int) -> Float32:
    """Return how much of each of ``many`` rows each of ``few`` equal areas takes, (few, many)."""
    step = many / few
    low, row = np.arange(few)[:, None] * step, np.arange(many)
    covered = np.minimum(low + step, row + 1) - np.maximum(low, row)
    covered[covered <= LEAST] = 0
    return np.asarray(covered / np.minimum(step, many - low), dtype=np.float32)
