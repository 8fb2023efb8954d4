"""Camera motion between the frames that the detector saw (for BoT-SORT, section 3.2).

Measured while the film is decoded for detection, so that tracking needs no pictures; as
BoT-SORT's own does it in ``trackers``, which takes a second to import in each process.
"""

from __future__ import annotations

import cv2
import numpy as np

from videoclusternet.types.arrays import Array, Float32, UInt8

WIDTH = 320
"""Width at which the background is followed, px."""
CORNERS, QUALITY, APART = 300, 0.01, 1
"""Of the points that are followed: most of them, least strength beside the strongest, px apart."""
LEAST = 5
"""Points that must be found again."""


def motion_size(width: int, height: int) -> tuple[int, int]:
    """Size (width, height) in px at which camera motion is measured."""
    scale = min(1.0, WIDTH / width)
    return max(1, round(width * scale)), max(1, round(height * scale))


class MotionMeter:
    """Estimates an affine map from each picture to the next by sparse optical flow.

    Parameters
    ----------
    display : (int, int)
        Width and height of the display frame in px.
    """

    def __init__(self, display: tuple[int, int]) -> None:
        self._display = display
        self._last: tuple[UInt8, Array | None] | None = None

    def measure(self, picture: UInt8) -> Float32:
        """Return the map from the picture before to this one.

        Parameters
        ----------
        picture : uint8, shape (h, w, 3)
            RGB, reduced.

        Returns
        -------
        float32, shape (2, 3)
            In display px; the identity for the first picture and where too little of
            the background could be followed.
        """
        grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
        corners = cv2.goodFeaturesToTrack(grey, CORNERS, QUALITY, APART)
        last, self._last = self._last, (grey, corners)
        matrix = np.eye(2, 3, dtype=np.float32)
        if last is not None and last[1] is not None and corners is not None:
            found = _affine(last[0], grey, last[1])
            matrix = matrix if found is None else found
        matrix[:, 2] *= (
            self._display[0] / picture.shape[1],
            self._display[1] / picture.shape[0],
        )
        return matrix


def _affine(before: UInt8, after: UInt8, corners: Array) -> Float32 | None:
    """Follow corners from one grey picture to the next; shift, turn and scale of most of them."""
    moved, status, _ = cv2.calcOpticalFlowPyrLK(before, after, corners, None)
    followed = status.ravel() != 0
    if followed.sum() < LEAST:
        return None
    found, _ = cv2.estimateAffinePartial2D(corners[followed], moved[followed], method=cv2.RANSAC)
    return None if found is None else np.asarray(found, dtype=np.float32)
