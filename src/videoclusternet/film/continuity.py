"""Where a track breaks: jumps of the picture that begin no shot, and faces that turn unlike.

Shots are for people to count, so small jumps and cuts too near each other are none.  A track must
not run over either.  Breaking a track once too often costs little, since its pieces are found to
be one person as other tracks are; going on over a cut makes one track of two people.
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction

import cv2
import numpy as np

from videoclusternet.film.shots import content_scores
from videoclusternet.types import Faces, FrameScores, Looks, Shots
from videoclusternet.types.arrays import Array, Float32, Float64, Int64, Ints, UInt8

AROUND = Fraction(1, 4)
"""Seconds before and after a jump in which the picture must be calmer; at least 3 frames."""
CALMER = 2.0
"""How many times less each frame around must change.  Motion and fades go on, flashes come back."""
LEAST = 6.0
"""Content score below which a jump is none: key frames of a compressed film pulse."""
UNLIKE = 0.85
"""Difference of two looks that breaks a track, as a share of what chance gives.  Of faces of
different shots, one pair in ten is more alike."""
ALIKE = 0.15
"""Below this difference a track goes on even if the picture jumps: a lamp, a title, a key frame."""
FLAT = 8.0
"""Least difference that chance is taken to give: of a dark look only noise would be left."""

SIDE = 16
"""Of a look, px."""
WIDE = 2.0
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
    half = max(1.0, WIDE * max(x2 - x1, y2 - y1) / 2)
    x, y = (x1 + x2) / 2, (y1 + y2) / 2
    left, right = (int(np.clip(round(v), 0, width - 1)) for v in (x - half, x + half))
    top, bottom = (int(np.clip(round(v), 0, height - 1)) for v in (y - half, y + half))
    inside = picture[top : bottom + 1, left : right + 1]
    grey = cv2.cvtColor(inside, cv2.COLOR_RGB2GRAY)
    return np.asarray(cv2.resize(grey, (SIDE, SIDE), interpolation=cv2.INTER_AREA))


def find_jumps(scores: FrameScores, shots: Shots, fps: Fraction) -> Int64:
    """Return the frames at which the picture jumps, although no shot begins, int64 (J,).

    Parameters
    ----------
    scores : FrameScores
        Of all F frames.
    shots : Shots
    fps : Fraction
        Nominal frame rate.
    """
    score = content_scores(scores)
    calm = score.copy()
    calm[shots.start] = 0  # what is a cut already does not hide one beside it
    reach = max(3, round(fps * AROUND))
    padded, around = np.pad(calm, reach), np.zeros_like(calm)
    for begin in range(2 * reach + 1):
        if begin != reach:
            around = np.maximum(around, padded[begin : begin + len(calm)])
    jump = (score >= LEAST) & (score >= CALMER * around)
    jump[shots.start] = False
    return np.flatnonzero(jump).astype(np.int64)


def unbroken(rows: Ints, faces: Faces, looks: Looks, jumps: Int64) -> list[Ints]:
    """Break a track where the picture jumps and the face with it, or the face turns unlike.

    Parameters
    ----------
    rows : int, shape (n,)
        Faces of the track, in order of time.
    faces : Faces
    looks : Looks
        Of these faces.
    jumps : int64, shape (J,)

    Returns
    -------
    list of int arrays
        Its pieces, in order.
    """
    passed = np.searchsorted(jumps, faces.frame[rows], side="right")
    unlike = _lastingly_unlike(rows, looks)
    broken = (unlike >= UNLIKE) | ((np.diff(passed) > 0) & (unlike >= ALIKE))
    return np.split(rows, np.flatnonzero(broken) + 1)


def _lastingly_unlike(rows: Ints, looks: Looks) -> Float64:
    """Compare the two faces before each gap of a track with the two after it, float64 (n - 1,).

    The pair that is most alike counts: one face in a bad box breaks nothing.
    """
    gap = np.arange(len(rows) - 1)
    before, after = (np.maximum(gap - 1, 0), gap), (gap + 1, np.minimum(gap + 2, len(rows) - 1))
    pairs = [unlikeness(looks, rows[a], rows[b]) for a in before for b in after]
    return np.asarray(np.min(pairs, axis=0))


def unlikeness(looks: Looks, first: Ints, second: Ints) -> Float64:
    """Compare looks pair by pair.

    Returns
    -------
    float64, shape (n,)
        Mean difference of their pixels, as a share of Gini's mean difference within them: near
        1 where they have nothing to do with each other.
    """
    pixels = np.prod(looks.picture.shape[1:])
    a, b = (looks.picture[r].reshape(-1, pixels).astype(np.float64) for r in (first, second))
    chance = np.maximum((_gini(a) + _gini(b)) / 2, FLAT)
    return np.asarray(np.abs(a - b).mean(axis=1) / chance)


def _gini(values: Float64) -> Float64:
    """Return the mean difference of two random values of each row, float64 (n,)."""
    count = values.shape[1]
    weight = 2 * np.arange(count) - count + 1
    return np.asarray(2 * (np.sort(values, axis=1) * weight).sum(axis=1) / count**2)
