"""Boxes that overlap, how much, and which of them to drop; boxes between two that are known."""

from __future__ import annotations

import numpy as np

from videoclusternet.types.arrays import Array, Float64, Floats, Ints


def suppress(
    image: Ints, box: Floats, score: Floats, overlap: float, of_smaller: bool = False
) -> Ints:
    """Greedy non-maximum suppression inside each picture.

    Parameters
    ----------
    image : int, shape (n,)
        Picture of each box.
    box : float, shape (n, 4)
    score : float, shape (n,)
    overlap : float
        Boxes that overlap a better one by more are dropped.
    of_smaller : bool
        Measure the overlap by the smaller box instead of the union.

    Returns
    -------
    int, shape (m,)
        Rows kept, best first.
    """
    if len(box) == 0:
        return np.empty(0, dtype=np.int64)
    # Pictures are set apart by a shift wider than any box reaches: one pass for all.
    apart = image[:, None] * (np.abs(box).max() * 2 + 2)
    moved = box + apart
    area = np.prod(box[:, 2:] - box[:, :2], axis=1)
    order = np.argsort(-score, kind="stable")
    keep = []
    while len(order):
        best, rest = order[0], order[1:]
        keep.append(best)
        low = np.maximum(moved[best, :2], moved[rest, :2])
        high = np.minimum(moved[best, 2:], moved[rest, 2:])
        inner = np.prod(np.maximum(high - low, 0), axis=1)
        whole = (
            np.minimum(area[best], area[rest]) if of_smaller else area[best] + area[rest] - inner
        )
        order = rest[inner <= overlap * whole]
    return np.array(keep)


def overlaps(a: Floats, b: Floats) -> Float64:
    """Intersection over union of every box of one set with every box of another.

    Parameters
    ----------
    a, b : float, shapes (m, 4) and (n, 4)
        ``x1 y1 x2 y2`` in px.

    Returns
    -------
    float64, shape (m, n)
        0 to 1; 0 where both are empty.
    """
    a, b = a[:, None].astype(np.float64), b[None].astype(np.float64)
    sides = np.minimum(a[..., 2:], b[..., 2:]) - np.maximum(a[..., :2], b[..., :2])
    inner = np.prod(np.maximum(sides, 0), axis=-1)
    areas = [np.prod(box[..., 2:] - box[..., :2], axis=-1) for box in (a, b)]
    union = areas[0] + areas[1] - inner
    return np.asarray(inner / np.where(union > 0, union, 1))


def between(at: Ints | int, frame: Array, box: Array) -> Float64:
    """Return where a box is in some frames: on a line between those known, else at the nearest.

    Parameters
    ----------
    at : int or int, shape (k,)
        Frames.
    frame : int, shape (n,)
        Frames in which it is known, ascending.
    box : float, shape (n, 4)

    Returns
    -------
    float64, shape (4,) or (k, 4)
    """
    return np.stack([np.interp(at, frame, side) for side in np.asarray(box).T], axis=-1)
