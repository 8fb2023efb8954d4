"""Camera motion between the frames that the detector saw (for BoT-SORT, section 3.2).

Measured while the film is decoded for detection, so that tracking needs no pictures.
"""

from __future__ import annotations

import logging

import cv2
import numpy as np
from trackers.utils.cmc import CMC, CMCConfig

from videoclusternet.types.arrays import Float32, UInt8

# A flat picture (a title, a fade) has nothing to follow: the identity is the right answer.
logging.getLogger("trackers.cmc").setLevel(logging.ERROR)
WIDTH = 320
"""Width at which the background is followed, px."""


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
        self._flow = CMC(CMCConfig(method="sparseOptFlow", downscale=1, sof_max_corners=300))

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
        bgr = cv2.cvtColor(picture, cv2.COLOR_RGB2BGR)
        matrix = np.array(self._flow.estimate(bgr), dtype=np.float32)
        matrix[:, 2] *= (
            self._display[0] / picture.shape[1],
            self._display[1] / picture.shape[0],
        )
        return matrix
