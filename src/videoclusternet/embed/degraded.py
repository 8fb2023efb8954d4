"""Degraded looks of aligned faces: what darkness, blur, distance or a hand make of them (ours).

A film shows most people well somewhere.  What the face model makes of a good picture and of the
same picture spoilt tells which parts of an embedding are light and blur, and which the person.
"""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np

from videoclusternet.types.arrays import Array, Float32, UInt8
from videoclusternet.types.canvas import CANVAS, MARGIN

MOST = 3
"""Ways in which one look is degraded, at most."""
GREY = np.array([0.299, 0.587, 0.114], dtype=np.float32)
"""Weights of R, G, B (ITU-R BT.601)."""
SIDE = CANVAS - 2 * MARGIN
"""Px of a canvas that a face takes."""

Draw = np.random.Generator


def degrade(canvas: UInt8, seed: tuple[int, ...]) -> UInt8:
    """Degrade a picture in one to three of eight ways, in the order of light, lens and file.

    Parameters
    ----------
    canvas : uint8, shape (144, 144, 3)
        RGB.
    seed : tuple of int
        The same seed gives the same look.

    Returns
    -------
    uint8, shape (144, 144, 3)
    """
    rng = np.random.default_rng(seed)
    picture = canvas.astype(np.float32)
    for way in np.sort(rng.choice(len(WAYS), int(rng.integers(1, MOST + 1)), replace=False)):
        picture = WAYS[way](picture, rng)
    return np.clip(np.rint(picture), 0, 255).astype(np.uint8)


def _covered(picture: Float32, rng: Draw) -> Float32:
    """Put glasses, a mask or something else before a part of the face, in one colour."""
    picture = picture.copy()
    kind = rng.integers(3)
    if kind == 0:
        top, height = int(rng.integers(54, 62)), int(rng.integers(16, 26))
        left, right = int(rng.integers(24, 40)), int(rng.integers(104, 120))
        picture[top : top + height, left:right] = rng.uniform(0, 60)
    elif kind == 1:
        middle = (CANVAS // 2, int(rng.integers(128, 140)))
        colour = rng.uniform(20, 235, 3).tolist()
        cv2.ellipse(picture, middle, (int(rng.integers(44, 60)), 44), 0, 0, 360, colour, -1)
    else:
        width, height = (int(n) for n in rng.integers(36, 72, 2))
        left, top = (int(rng.integers(MARGIN, CANVAS - MARGIN - n // 2)) for n in (width, height))
        picture[top : top + height, left : left + width] = rng.uniform(10, 220, 3)
    return picture


def _lit_from_a_side(picture: Float32, rng: Draw) -> Float32:
    """Let a light fall off across the face."""
    angle, fall, least = rng.uniform(0, 2 * np.pi), rng.uniform(3, 8), rng.uniform(0.1, 0.45)
    y, x = np.mgrid[0:CANVAS, 0:CANVAS] / (CANVAS - 1) - 0.5
    gain = least + (1 - least) / (1 + np.exp(-fall * (np.cos(angle) * x + np.sin(angle) * y)))
    return np.asarray(picture * gain[..., None], dtype=np.float32)


def _tinted(picture: Float32, rng: Draw) -> Float32:
    """Cast a colour over it, or fade its colours to grey."""
    if rng.random() < 0.5:
        share = np.float32(rng.uniform(0.5, 1))
        return np.asarray((1 - share) * picture + share * (picture @ GREY)[..., None])
    return np.asarray(picture * np.exp(rng.normal(0, 0.2, 3)), dtype=np.float32)


def _dark(picture: Float32, rng: Draw) -> Float32:
    """Take light away: noise grows with the root of what is left, perhaps brightened again."""
    gain = float(np.exp(rng.uniform(np.log(0.12), np.log(0.6))))
    light = np.clip(picture, 0, 255) * gain
    spread = np.sqrt(rng.uniform(0.2, 2) * light + rng.uniform(1, 40))
    light = light + rng.standard_normal(picture.shape, dtype=np.float32) * spread
    again = rng.uniform(1, min(3, 0.7 / gain)) if rng.random() < 0.5 else 1.0
    return np.asarray(np.clip(light * again, 0, 255), dtype=np.float32)


def _out_of_focus(picture: Float32, rng: Draw) -> Float32:
    """Blur it evenly."""
    return np.asarray(cv2.GaussianBlur(picture, (0, 0), float(rng.uniform(1.2, 4))))


def _moving(picture: Float32, rng: Draw) -> Float32:
    """Smear it along a line of 7 to 21 px."""
    length, angle = int(rng.integers(7, 22)), rng.uniform(0, np.pi)
    middle = (length - 1) / 2
    reach = middle * np.array([np.cos(angle), np.sin(angle)])
    ends = [tuple(round(v) for v in middle + sign * reach) for sign in (-1, 1)]
    kernel = np.zeros((length, length), dtype=np.float32)
    cv2.line(kernel, ends[0], ends[1], 1.0, 1)
    return np.asarray(
        cv2.filter2D(picture, -1, kernel / kernel.sum(), borderType=cv2.BORDER_REPLICATE)
    )


def _far_away(picture: Float32, rng: Draw) -> Float32:
    """Enlarge what a face of 26 to 72 px shows."""
    side = round(CANVAS * rng.uniform(26, 72) / SIDE)
    small = cv2.resize(picture, (side, side), interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.resize(small, (CANVAS, CANVAS), interpolation=cv2.INTER_LINEAR))


def _compressed(picture: Float32, rng: Draw) -> Float32:
    """Compress it as JPEG of quality 8 to 34."""
    quality = [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(8, 35))]
    done, data = cv2.imencode(".jpg", np.clip(picture, 0, 255).astype(np.uint8), quality)
    if not done:
        raise ValueError("OpenCV could not encode a picture")
    return np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR), dtype=np.float32)


WAYS: tuple[Callable[[Float32, Draw], Float32], ...] = (
    _covered,
    _lit_from_a_side,
    _tinted,
    _dark,
    _out_of_focus,
    _moving,
    _far_away,
    _compressed,
)


def degraded(canvases: UInt8, rows: Array, count: int, seed: int) -> UInt8:
    """Make some looks of each of n pictures.

    Parameters
    ----------
    canvases : uint8, shape (n, 144, 144, 3)
    rows : int, shape (n,)
        Numbers of the pictures: a look depends on nothing else but ``seed``.
    count : int
        Looks of each.
    seed : int

    Returns
    -------
    uint8, shape (n, count, 144, 144, 3)
    """
    made = np.empty((len(canvases), count, *canvases.shape[1:]), dtype=np.uint8)
    for number, (canvas, row) in enumerate(zip(canvases, rows.tolist(), strict=True)):
        for look in range(count):
            made[number, look] = degrade(canvas, (seed, row, look))
    return made
