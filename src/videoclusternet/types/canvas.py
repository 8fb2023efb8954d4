"""The canvas of aligned faces, and the maps that put a face on it (METHOD 1.6).

Crops live on a 144 px *canvas* that holds the 112 px ArcFace template shifted by 16 px.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

CANVAS = 144
MARGIN = 16
ARCFACE_112 = np.array(
    [
        [38.2946, 51.6963],
        [73.5318, 51.5014],
        [56.0252, 71.7366],
        [41.5493, 92.3655],
        [70.7299, 92.2041],
    ],
    dtype=np.float64,
)
"""Five landmarks on the 112 px ArcFace template, px (METHOD 1.6)."""

CANVAS_TEMPLATE = ARCFACE_112 + MARGIN
"""Five landmarks on the canvas, px."""


def similarity_transform(
    source: NDArray[np.float64], target: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Least-squares similarity (rotation, uniform scale, shift) of point sets.

    Umeyama, 1991, without reflection.

    Parameters
    ----------
    source, target : float64, shape (n, 2)
        Matching points, px.

    Returns
    -------
    float64, shape (2, 3)
        ``target ~ source @ M[:, :2].T + M[:, 2]``.
    """
    s_mean, t_mean = source.mean(0), target.mean(0)
    s, t = source - s_mean, target - t_mean
    u, d, vt = np.linalg.svd(t.T @ s / len(s))
    sign = np.array([1.0, np.sign(np.linalg.det(u) * np.linalg.det(vt))])
    scale = float((d * sign).sum() / max(s.var(0).sum(), 1e-12))
    rotation = scale * (u * sign) @ vt
    return np.hstack([rotation, (t_mean - rotation @ s_mean)[:, None]])
