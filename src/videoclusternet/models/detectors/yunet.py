"""YuNet face detector (Wu, Peng and Yu, 2023): what OpenCV's ``FaceDetectorYN`` finds.

ONNX Runtime runs the network; what comes out is read as OpenCV reads it, with its own
suppression.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import cv2
import numpy as np

from videoclusternet.errors import ModelError
from videoclusternet.models.detectors.detector import Detections
from videoclusternet.models.runtime import Network
from videoclusternet.types.arrays import Array, Float32

SCORE, OVERLAP, MOST = 0.1, 0.45, 5000
STRIDES = (8, 16, 32)
MULTIPLE = STRIDES[-1]
"""Sides of the input are padded to this multiple, px."""
HEADS = ("cls", "obj", "bbox", "kps")


class YuNet:
    """The detector; runs on the CPU.

    Parameters
    ----------
    path : Path
        ONNX file, already checked by hash.

    Raises
    ------
    ModelError
        When it holds no YuNet.
    """

    name = "yunet"

    def __init__(self, path: Path) -> None:
        self._net = Network(path)
        if not {f"{head}_{stride}" for head in HEADS for stride in STRIDES} <= set(self._net.gives):
            raise ModelError(f"{path} does not hold YuNet", "see `vcn models`")
        self._size = (0, 0)
        self._input = np.empty((1, 3, 0, 0), dtype=np.float32)

    def detect(self, pictures: Sequence[Array]) -> list[Detections]:
        """Find the faces of some pictures of one size; see ``FaceDetector``."""
        return [self._detect(picture) for picture in pictures]

    def _detect(self, picture: Array) -> Detections:
        height, width = picture.shape[:2]
        if self._size != (height, width):
            padded = (1, 3, height + -height % MULTIPLE, width + -width % MULTIPLE)
            self._size, self._input = (height, width), np.zeros(padded, dtype=np.float32)
        # BGR, 0 to 255; always into the same memory, since fresh pages cost as much as a layer.
        self._input[0, :, :height, :width] = picture.transpose(2, 0, 1)[::-1]
        box, points, score = read_heads(self._net(self._input), self._input.shape[3])
        # OpenCV compares corner and size in whole px, as integers are cut off.
        whole = np.concatenate([box[:, :2], box[:, 2:] - box[:, :2]], axis=1).astype(np.int32)
        kept = cv2.dnn.NMSBoxes(whole.tolist(), score.tolist(), SCORE, OVERLAP, 1.0, MOST)
        rows = np.asarray(kept, dtype=np.int64).reshape(-1)
        rows = rows[np.argsort(box[rows, 0], kind="stable")]
        return Detections(box[rows], left_first(points[rows]), score[rows])


def read_heads(out: Mapping[str, Array], width: int) -> tuple[Float32, Float32, Float32]:
    """Turn the maps of the three levels into candidates.

    Parameters
    ----------
    out : mapping of str to float32 array
        ``cls_8``, ``obj_8``, ``bbox_8``, ``kps_8`` and so on: (1, cells, 1, 1, 4 or 10), the
        cells of a level row by row.
    width : int
        Of the padded picture, px.

    Returns
    -------
    float32, shapes (n, 4), (n, 5, 2) and (n,)
        Boxes ``x1 y1 x2 y2`` and landmarks in px, in the order of the file, and scores.
    """
    boxes, points, scores = [], [], []
    for stride in STRIDES:
        face, there, place, marks = (out[f"{head}_{stride}"][0] for head in HEADS)
        score = np.sqrt(np.clip(face[:, 0], 0, 1) * np.clip(there[:, 0], 0, 1))
        cell = np.flatnonzero(score > SCORE)
        corner = np.stack([cell % (width // stride), cell // (width // stride)], axis=1)
        corner = corner.astype(np.float32)
        centre = (corner + place[cell, :2]) * stride
        low = centre - np.exp(place[cell, 2:]) * stride / 2
        boxes.append(np.concatenate([low, low + np.exp(place[cell, 2:]) * stride], axis=1))
        points.append((marks[cell].reshape(-1, 5, 2) + corner[:, None]) * stride)
        scores.append(score[cell])
    return np.concatenate(boxes), np.concatenate(points), np.concatenate(scores)


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
