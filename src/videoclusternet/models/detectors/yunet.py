"""YuNet face detector through OpenCV's own implementation (Wu, Peng and Yu, 2023)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from videoclusternet.errors import ModelError
from videoclusternet.models.detectors.detector import Detections
from videoclusternet.types.arrays import Array

SCORE, OVERLAP, MOST = 0.1, 0.45, 5000
MULTIPLE = 32
"""Sides of the input are padded to this multiple, px."""


class YuNet:
    """The detector; runs on the CPU.

    Parameters
    ----------
    path : Path
        ONNX file, already checked by hash.
    """

    name = "yunet"

    def __init__(self, path: Path) -> None:
        # OpenCV warns that its new engine knows no targets; we choose none.
        level = cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_ERROR)
        try:
            self._net = cv2.FaceDetectorYN.create(str(path), "", (320, 320), SCORE, OVERLAP, MOST)
        except cv2.error as error:
            raise ModelError(f"{path} is no YuNet model OpenCV can read") from error
        finally:
            cv2.utils.logging.setLogLevel(level)
        self._size = (0, 0)

    def detect(self, pictures: Sequence[Array]) -> list[Detections]:
        """Find the faces of some pictures of one size; see ``FaceDetector``."""
        return [self._detect(picture) for picture in pictures]

    def _detect(self, picture: Array) -> Detections:
        height, width = picture.shape[:2]
        down, right = -height % MULTIPLE, -width % MULTIPLE
        bgr = cv2.cvtColor(picture, cv2.COLOR_RGB2BGR)
        padded = cv2.copyMakeBorder(bgr, 0, down, 0, right, cv2.BORDER_CONSTANT)
        size = (width + right, height + down)
        if size != self._size:
            self._net.setInputSize(size)
            self._size = size
        _, found = self._net.detect(padded)
        # Columns: x y w h, five points in the order of the template, score.
        rows = np.empty((0, 15), np.float32) if found is None else np.asarray(found)
        rows = rows[np.argsort(rows[:, 0], kind="stable")]
        box = np.concatenate([rows[:, :2], rows[:, :2] + rows[:, 2:4]], axis=1)
        return Detections(
            box.astype(np.float32),
            left_first(rows[:, 4:14].reshape(-1, 5, 2).astype(np.float32)),
            np.clip(rows[:, 14], 0, 1).astype(np.float32),
        )


def left_first(points: Array) -> Array:
    """Order landmarks left first as seen in the picture, whatever the file's order is.

    Eyes and mouth corners are swapped together when, measured along the face's own
    horizontal (its mean eye-to-mouth direction turned by a quarter), the first eye
    lies to the right: a face that lies on its side keeps its identity.
    """
    eyes, mouth = points[:, :2].mean(1), points[:, 3:].mean(1)
    down = mouth - eyes
    across = np.stack([down[:, 1], -down[:, 0]], axis=1)
    swapped = np.einsum("nd,nd->n", points[:, 1] - points[:, 0], across) < 0
    out = points.copy()
    out[swapped] = points[swapped][:, [1, 0, 2, 4, 3]]
    return out
