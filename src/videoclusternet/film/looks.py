"""A very small picture of each face and what is around it: enough to see a track break."""

from __future__ import annotations

from collections.abc import Mapping

import cv2
import numpy as np

from videoclusternet.types import Faces, Looks
from videoclusternet.types.arrays import Array, Float32, UInt8

SIDE = 16
"""Of a look, px."""
AROUND = 2.0
"""Side of the square that is looked at, in longer sides of the box: hair, clothes and what is
behind tell more of a cut than the face alone."""


def look_at(faces: Faces, pictures: Mapping[int, UInt8], display: tuple[int, int]) -> Looks:
    """Look at each face of some frames.

    Parameters
    ----------
    faces : Faces
        N faces.
    pictures : mapping of int to uint8, shape (H, W, 3)
        RGB picture of every frame that has one of them.
    display : (int, int)
        Width and height of the display frame in px: that of the boxes.

    Returns
    -------
    Looks
        N looks.
    """
    looks = [
        _look(pictures[frame], box, display)
        for frame, box in zip(faces.frame.tolist(), faces.box, strict=True)
    ]
    return Looks(np.array(looks, dtype=np.uint8).reshape(-1, SIDE, SIDE))


def _look(picture: UInt8, box: Float32, display: tuple[int, int]) -> Array:
    """Return one look, uint8 (SIDE, SIDE); beyond the border its last pixel goes on."""
    height, width = picture.shape[:2]
    x1, y1, x2, y2 = box * np.tile((width / display[0], height / display[1]), 2)
    half = max(1.0, AROUND * max(x2 - x1, y2 - y1) / 2)
    x, y = (x1 + x2) / 2, (y1 + y2) / 2
    left, right = (int(np.clip(round(v), 0, width - 1)) for v in (x - half, x + half))
    top, bottom = (int(np.clip(round(v), 0, height - 1)) for v in (y - half, y + half))
    inside = picture[top : bottom + 1, left : right + 1]
    grey = cv2.cvtColor(inside, cv2.COLOR_RGB2GRAY)
    return np.asarray(cv2.resize(grey, (SIDE, SIDE), interpolation=cv2.INTER_AREA))
