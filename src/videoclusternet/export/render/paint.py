"""Draw on pictures: boxes, labels, and faces that nobody is to recognise."""

from __future__ import annotations

import cv2
import numpy as np

from videoclusternet.export.render.picture import Picture
from videoclusternet.types.arrays import Float64, UInt8

Ink = tuple[int, int, int]
GROWN = 1.5
"""Sides of the ellipse that is blurred, by those of the box: it holds the box, corners too."""
CELLS = 6
"""Patches that are left of what is blurred, along its longer side."""


def blur(picture: Picture, box: Float64) -> None:
    """Leave a few patches of even colour of a face, and let them run into each other.

    Parameters
    ----------
    picture : Picture
    box : float64, shape (4,)
        ``x1 y1 x2 y2`` of the face, px.
    """
    middle, half = (box[:2] + box[2:]) / 2, GROWN * (box[2:] - box[:2]) / 2
    low = np.maximum(np.floor((middle - half) / 2), 0).astype(int) * 2
    high = np.minimum(np.ceil((middle + half) / 2) * 2, (picture.width, picture.height)).astype(int)
    if (high <= low).any():
        return
    cell = 2 * float(half.max()) / CELLS
    cells = [max(1, round(float(side) / cell)) for side in high - low]
    for plane, step in zip(picture.planes, (1, 2, 2), strict=True):
        (x1, y1), (x2, y2) = low // step, high // step
        part = plane[y1:y2, x1:x2]
        few = cv2.resize(part, cells, interpolation=cv2.INTER_AREA)
        soft = cv2.resize(few, part.shape[::-1], interpolation=cv2.INTER_LINEAR)
        x = (step * (np.arange(x1, x2) + 0.5) - middle[0]) / half[0]
        y = (step * (np.arange(y1, y2) + 0.5) - middle[1]) / half[1]
        inside = x**2 + y[:, None] ** 2 <= 1
        part[inside] = soft[inside]


def outline(picture: Picture, box: Float64, ink: Ink, edge: Ink, width: int) -> None:
    """Draw a box with a dark edge round it, so that it is seen on light and on dark.

    Parameters
    ----------
    picture : Picture
    box : float64, shape (4,)
        px; what lies outside the picture is left out.
    ink, edge : tuple of int
        Levels of both.
    width : int
        Of the line, px, even.
    """
    x1, y1, x2, y2 = (2 * round(float(side) / 2) for side in box)
    for more, colour in ((2, edge), (0, ink)):
        left, top, right, bottom, wide = x1 - more, y1 - more, x2 + more, y2 + more, width + more
        _fill(picture, left, top, right, top + wide, colour)
        _fill(picture, left, bottom - wide, right, bottom, colour)
        _fill(picture, left, top, left + wide, bottom, colour)
        _fill(picture, right - wide, top, right, bottom, colour)


def _fill(picture: Picture, left: int, top: int, right: int, bottom: int, ink: Ink) -> None:
    left, right = (min(max(side, 0), picture.width) for side in (left, right))
    top, bottom = (min(max(side, 0), picture.height) for side in (top, bottom))
    for plane, step, level in zip(picture.planes, (1, 2, 2), ink, strict=True):
        plane[top // step : bottom // step, left // step : right // step] = level


def put(picture: Picture, label: UInt8, box: Float64) -> None:
    """Put a label on a box: over it, else under it, else into it; never outside the picture.

    Parameters
    ----------
    picture : Picture
    label : uint8, shape (h, w, 3)
        Levels of its pixels; both sides even.
    box : float64, shape (4,)
        px.
    """
    label = label[: picture.height, : picture.width]
    height, width = label.shape[:2]
    over, under = box[1] - height, box[3]
    top = over if over >= 0 else under if under + height <= picture.height else box[1]
    x = _even(box[0], picture.width - width)
    y = _even(float(top), picture.height - height)
    for number, (plane, step) in enumerate(zip(picture.planes, (1, 2, 2), strict=True)):
        place = plane[y // step : (y + height) // step, x // step : (x + width) // step]
        place[:] = label[::step, ::step, number]


def _even(at: float, most: int) -> int:
    return 2 * round(min(max(at, 0), most) / 2)
