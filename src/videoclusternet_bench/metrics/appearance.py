"""How pictures of faces look: lightness and blur (Figures 6 and 7)."""

from __future__ import annotations

import numpy as np
from threadpoolctl import threadpool_limits

from videoclusternet.film.quality import LEADING
from videoclusternet.types.arrays import Float32, UInt8

GREY = np.array([0.299, 0.587, 0.114], dtype=np.float32)
"""Weights of R, G, B (ITU-R BT.601), as in OpenCV."""


def lightness(pictures: UInt8) -> Float32:
    """Measure how light pictures are: mean L of HLS, half the sum of largest and least channel.

    Parameters
    ----------
    pictures : uint8, shape (n, H, W, 3)
        RGB.

    Returns
    -------
    float32, shape (n,)
        0 (black) to 1 (white).
    """
    red, green, blue = (pictures[..., i] for i in range(3))
    most = np.maximum(np.maximum(red, green), blue).mean((1, 2), dtype=np.float64)
    least = np.minimum(np.minimum(red, green), blue).mean((1, 2), dtype=np.float64)
    return np.asarray((most + least) / 510, dtype=np.float32)


def blur_degree(pictures: UInt8, leading: int = LEADING) -> Float32:
    """Measure how blurred pictures are: SVD blur degree (Su, Lu and Tan, 2011).

    The share of the strongest singular values of the grey picture in the sum of all.  It is
    one minus :func:`videoclusternet.film.quality.sharpness` of a picture of the same size.

    Parameters
    ----------
    pictures : uint8, shape (n, S, S, 3)
        RGB.
    leading : int
        How many singular values count as strongest; the paper does not say [O].

    Returns
    -------
    float32, shape (n,)
        0 to 1, higher is more blurred; 1 for a black picture.
    """
    # Whole greys up to 255 have products whose sums float32 holds exactly, and the
    # eigenvalues in float64 are squares of singular values: as exact as an SVD, and faster.
    grey = np.rint(pictures @ GREY)
    squares = (grey @ grey.transpose(0, 2, 1)).astype(np.float64)
    # One thread: these small problems take many times as long with more.
    with threadpool_limits(limits=1, user_api="blas"):
        values = np.sqrt(np.maximum(np.linalg.eigvalsh(squares), 0))
    total = values.sum(1)
    share = values[:, -leading:].sum(1) / np.where(total > 0, total, 1)
    return np.asarray(np.where(total > 0, share, 1), dtype=np.float32)
