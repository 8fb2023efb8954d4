"""One face in a photograph: found, and cut out as faces of a film are."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from videoclusternet.config import FaceConfig
from videoclusternet.errors import DataError
from videoclusternet.film.crops import align, encode
from videoclusternet.film.faces import detection_size
from videoclusternet.models.detectors.detector import FaceDetector
from videoclusternet.outside.files import read_bytes
from videoclusternet.runfolder.crop_zip import LARGEST as BEYOND
from videoclusternet.runfolder.crop_zip import picture_size
from videoclusternet.types.arrays import UInt8

ENDINGS = (".jpg", ".jpeg", ".png", ".bmp", ".webp")
OTHERS = (".gif", ".tif", ".tiff", ".heic", ".heif", ".avif")
"""Of pictures that cannot be read."""
LARGEST = 256 << 20
"""Bytes of a photograph, at most."""
MOST_SIDE = 20_000
"""Px of a side, at most."""


def cut_photo(path: Path, detector: FaceDetector, sure: float, config: FaceConfig) -> bytes:
    """Cut the only face out of a photograph.

    Parameters
    ----------
    path : Path
    detector : FaceDetector
    sure : float
        Score from which something is a face.
    config : FaceConfig
        ``max_side`` of what the detector sees.

    Returns
    -------
    bytes
        JPEG file of the canvas.

    Raises
    ------
    DataError
        When it is no picture, or shows no face or several.
    """
    picture = read_photo(path)
    height, width = picture.shape[:2]
    size = detection_size(width, height, config.max_side)
    seen = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
    (found,) = detector.detect([np.asarray(seen)])
    faces = np.flatnonzero(found.score >= sure)
    if len(faces) != 1:
        said = "no face" if len(faces) == 0 else f"{len(faces)} faces"
        raise DataError(f"{path} shows {said}", "give a photograph of one face, well seen")
    scale = np.array([width / size[0], height / size[1]])
    return encode(align(picture, found.landmarks[faces[0]] * scale))


def read_photo(path: Path) -> UInt8:
    """Read a picture upright, RGB, uint8 (H, W, 3).

    Raises
    ------
    DataError
        When it is missing, no picture, or too large.
    """
    data = read_bytes(path, DataError, LARGEST)
    size = picture_size(data)
    if size is not None and max(size) > MOST_SIDE:
        said = "has too many pixels" if size == BEYOND else f"is {size[0]}x{size[1]} px"
        raise DataError(f"{path} {said}", f"give at most {MOST_SIDE} px a side, 150 million in all")
    coded = np.frombuffer(data, dtype=np.uint8)
    picture = None if size is None else cv2.imdecode(coded, cv2.IMREAD_COLOR)
    if picture is None:
        raise DataError(f"{path} is not a picture", "give JPEG, PNG, BMP or WebP files")
    return np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGR2RGB), dtype=np.uint8)
