"""Which single faces are good enough to judge a person by (section 3.2).

Size, shape and sharpness of one detection.  A track most of whose faces fail is
Unknown, with the reason.
"""

from __future__ import annotations

import cv2
import numpy as np

from videoclusternet.config import QualityConfig
from videoclusternet.types import Faces, Reason
from videoclusternet.types.arrays import Floats, UInt8

SIDE = 112
LEADING = 10


def sharpness(picture: UInt8, box: Floats) -> float:
    """Measure how much of a face lies beyond its ten strongest singular values.

    One minus the SVD blur degree (Su, Lu and Tan, 2011): a blurred picture is summed
    up by a few singular values.

    Parameters
    ----------
    picture : uint8, shape (H, W, 3)
        RGB.
    box : float, shape (4,)
        ``x1 y1 x2 y2`` in px of ``picture``; parts outside are cut off.

    Returns
    -------
    float
        0 (flat) to 1; 0 for a box outside the picture.
    """
    height, width = picture.shape[:2]
    x1, y1 = np.clip(np.floor(box[:2]).astype(int), 0, (width, height))
    x2, y2 = np.clip(np.ceil(box[2:]).astype(int), 0, (width, height))
    if x2 <= x1 or y2 <= y1:
        return 0.0
    grey = cv2.cvtColor(np.ascontiguousarray(picture[y1:y2, x1:x2]), cv2.COLOR_RGB2GRAY)
    values = np.linalg.svd(cv2.resize(grey, (SIDE, SIDE)).astype(np.float32), compute_uv=False)
    total = float(values.sum())
    return 1 - float(values[:LEADING].sum()) / total if total > 0 else 0.0


def flaws(faces: Faces, config: QualityConfig) -> UInt8:
    """Judge every face.

    Returns
    -------
    uint8, shape (N,)
        ``Reason.OK``, ``SMALL`` (too small, or cut off at the edge so that its shape is
        no longer that of a face) or ``BLURRED``.
    """
    width, height = (faces.box[:, 2:] - faces.box[:, :2]).T
    aspect = width / np.maximum(height, 1e-6)
    small = (
        (np.minimum(width, height) < config.min_size)
        | (aspect < config.min_aspect)
        | (aspect > config.max_aspect)
    )
    blurred = faces.sharpness < config.min_sharpness
    flaw = np.where(small, Reason.SMALL, np.where(blurred, Reason.BLURRED, Reason.OK))
    return flaw.astype(np.uint8)


def track_flaw(flaw: UInt8) -> int:
    """Judge a track by its faces: the commonest reason when more than half fail [P].

    Parameters
    ----------
    flaw : uint8, shape (n,)
        :class:`Reason` of each face of the track.
    """
    bad = flaw[flaw != Reason.OK]
    if 2 * len(bad) <= len(flaw):
        return int(Reason.OK)
    return int(np.bincount(bad).argmax())
