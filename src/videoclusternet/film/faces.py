"""Faces with five landmarks in every n-th frame (section 3.2)."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

import numpy as np

from videoclusternet.film.quality import sharpness
from videoclusternet.models.detectors.detector import FaceDetector
from videoclusternet.types import Faces
from videoclusternet.types.arrays import Array

PER_SECOND = 4
"""Detections per second, about: between them a face moves less than its own width, and the crop
grid of half a second stays on them.  More cost time, and helped nobody else (decision 17)."""
USUAL_SIDE = 960
"""Longer side of the picture that the detector sees, px, where nothing was chosen (decision 25)."""


def choose_stride(fps: Fraction, frames: int, wanted: int = 0) -> int:
    """Choose how many frames to go from one detection to the next.

    Parameters
    ----------
    fps : Fraction
        Nominal frames per second.
    frames : int
        Of the film: of a very short one, ``PER_SECOND`` are seen where it has so many.
    wanted : int
        A stride the user asked for; 0 chooses the largest divisor of half a second
        that still looks about ``PER_SECOND`` times a second, so that crops fall on seen frames.
    """
    if wanted:
        return wanted
    half = max(1, round(fps / 2))
    longest = min(float(fps) / PER_SECOND + 0.5, (frames - 1) // (PER_SECOND - 1))
    return max(d for d in range(1, half + 1) if half % d == 0 and d <= max(1, longest))


def detection_size(width: int, height: int, max_side: int) -> tuple[int, int]:
    """Size (width, height) in px at which the detector sees a picture; never enlarged.

    Parameters
    ----------
    width, height : int
        Of the picture, px.
    max_side : int
        Longer side at most, px; 0: ``USUAL_SIDE``.
    """
    scale = min(1.0, (max_side or USUAL_SIDE) / max(width, height))
    return max(1, round(width * scale)), max(1, round(height * scale))


def frames_at_once(size: tuple[int, int], batch: int) -> int:
    """Return how many pictures of a size (width, height) the detector is given at once.

    ``batch``, but fewer of pictures larger than the usual ones: memory stays what it is.
    """
    return max(1, min(batch, batch * USUAL_SIDE**2 // max(size) ** 2))


def detect_faces(
    detector: FaceDetector,
    numbers: Sequence[int],
    pictures: Sequence[Array],
    display: tuple[int, int],
    min_score: float,
    stride: int,
) -> Faces:
    """Find and measure the faces of a batch of frames.

    Parameters
    ----------
    detector : FaceDetector
    numbers : sequence of int
        Frame numbers, ascending.
    pictures : sequence of uint8 arrays, shape (H, W, 3)
        RGB, all of one size.
    display : (int, int)
        Width and height of the display frame in px: boxes and landmarks are scaled to it.
    min_score : float
    stride : int

    Returns
    -------
    Faces
        In order of frame and ``x1``.
    """
    frame: list[int] = []
    box, landmarks, score, sharp = [], [], [], []
    for number, picture, found in zip(numbers, pictures, detector.detect(pictures), strict=True):
        height, width = picture.shape[:2]
        scale = np.array([display[0] / width, display[1] / height], dtype=np.float32)
        for row in np.flatnonzero(found.score >= min_score):
            frame.append(number)
            box.append(found.box[row] * np.tile(scale, 2))
            landmarks.append(found.landmarks[row] * scale)
            score.append(found.score[row])
            sharp.append(sharpness(picture, found.box[row]))
    return Faces(
        frame=np.array(frame, dtype=np.int32),
        box=np.array(box, dtype=np.float32).reshape(-1, 4),
        landmarks=np.array(landmarks, dtype=np.float32).reshape(-1, 5, 2),
        score=np.array(score, dtype=np.float32),
        sharpness=np.array(sharp, dtype=np.float32),
        stride=stride,
    )
