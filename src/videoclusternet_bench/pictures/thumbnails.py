"""Small pictures of faces, for figures and for pages."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import cv2
import numpy as np
from matplotlib.figure import Figure

from videoclusternet.result.result import Result
from videoclusternet.runfolder.crop_zip import CROP_ZIP, address
from videoclusternet.types.arrays import Array, UInt8

SIDE = 80
"""Pixels."""
QUALITY = 85
"""Of JPEG files."""


class Mosaic:
    """Faces of side 1 on one canvas: a figure draws one picture, not hundreds.

    Parameters
    ----------
    width, height : float
        In faces.
    top : float
        Where the canvas begins, downwards.
    """

    def __init__(self, width: float, height: float, top: float = 0.0) -> None:
        self.width, self.height, self.top = width, height, top
        shape = (round(height * SIDE), round(width * SIDE), 3)
        self._canvas = np.full(shape, 0xFF, dtype=np.uint8)

    def add(self, pixels: Array, x: float, y: float) -> None:
        """Put a face with its upper left corner at ``x``, ``y``."""
        left, up = round(x * SIDE), round((y - self.top) * SIDE)
        self._canvas[up : up + SIDE, left : left + SIDE] = pixels

    def axes(self, figure: Figure) -> Any:
        """Return axes that fill a figure, in faces, y downwards; draw the canvas at the end."""
        axes = figure.add_axes((0, 0, 1, 1))
        axes.set_xlim(0, self.width)
        axes.set_ylim(self.top + self.height, self.top)
        axes.axis("off")
        return axes

    def draw(self, axes: Any) -> None:
        """Draw the canvas behind all else."""
        extent = (0, self.width, self.top + self.height, self.top)
        axes.imshow(self._canvas, extent=extent, aspect="auto", zorder=0)


class Thumbnails:
    """The crops of a run, small; grey where a run has no pictures.

    Parameters
    ----------
    result : Result
    """

    def __init__(self, result: Result) -> None:
        self._result = result
        self.there = has_pictures(result)
        self.pixels = lru_cache(maxsize=4096)(self._pixels)
        self.link = lru_cache(maxsize=4096)(self._link)

    def _pixels(self, row: int) -> UInt8:
        """Return the crop in a row, uint8 (80, 80, 3), RGB; grey where there is none."""
        if row < 0 or not self.there:
            return np.full((SIDE, SIDE, 3), 0xDD, dtype=np.uint8)
        (large,) = self._result.pictures.pixels([row])
        small = cv2.resize(large, (SIDE, SIDE), interpolation=cv2.INTER_AREA)
        return np.asarray(small, dtype=np.uint8)

    def _link(self, row: int) -> str:
        """Return it as the address of a JPEG file that is part of the page."""
        bgr = cv2.cvtColor(self.pixels(row), cv2.COLOR_RGB2BGR)
        done, data = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, QUALITY])
        if not done:
            raise ValueError("OpenCV could not encode a picture")
        return address(data.tobytes())


def has_pictures(result: Result) -> bool:
    """Whether the crops of a run are there; sets of features have none."""
    return all((film.folder / CROP_ZIP).exists() for film in result.films)


def crop_of(result: Result, track: int) -> int:
    """Return the row of a track's best described crop, else of its middle one; -1 for none."""
    embeddings = result.embeddings
    rows = np.flatnonzero(embeddings.track == track)
    if len(rows):
        return int(embeddings.crop[rows[embeddings.quality[rows].argmax()]])
    rows = np.flatnonzero(result.crop_track == track)
    return int(rows[len(rows) // 2]) if len(rows) else -1
