"""A map of the faces: tracks as dots, those that look alike near each other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from sklearn.manifold import TSNE
from threadpoolctl import threadpool_limits

from videoclusternet.report.members import Member
from videoclusternet.types.arrays import Array, Float64, Floats

WIDTH = 50
"""Directions of greatest variance that are kept: more are noise, and time."""
PERPLEXITY = 30.0
"""Neighbours that count, about."""
FEW = 1500
"""Up to so many tracks take :data:`LONG` iterations, more of them :data:`SHORT`."""
LONG, SHORT = 1000, 500
ROUGH = 0.7
"""Angle from which far tracks count as one where they are many (Barnes-Hut)."""

SIZE = (1000, 760)
"""Width and height of the map."""
MARGIN = 30
"""Around it."""
LETTER = 17
"""Height of a name on it."""


def places(means: Floats) -> Floats:
    """Lay tracks out in the plane, by t-SNE on their principal components.

    Parameters
    ----------
    means : float, shape (n, d)
        Mean embeddings; their length plays no part.

    Returns
    -------
    float64, shape (n, 2)
        The same for the same means, on any number of cores.
    """
    n = len(means)
    if n < 4:  # too few for neighbours: side by side
        return np.column_stack([np.arange(n), np.zeros(n)]).astype(float)
    with threadpool_limits(1):  # sums of several threads differ from time to time
        points = _components(means)
        many = n > FEW
        tsne = TSNE(
            perplexity=min(PERPLEXITY, (n - 1) / 3),
            init=_start(points),
            angle=ROUGH if many else 0.5,
            max_iter=SHORT if many else LONG,
            random_state=0,
        )
        return np.asarray(tsne.fit_transform(points), dtype=np.float64)


def _components(means: Floats) -> Float64:
    """Return the principal components of unit vectors, float64 (n, up to WIDTH)."""
    x = np.asarray(means, dtype=np.float64)
    x = x / np.maximum(np.linalg.norm(x, axis=1, keepdims=True), 1e-12)
    x = x - x.mean(axis=0)
    _, axes = np.linalg.eigh(x.T @ x)
    axes = axes[:, ::-1][:, :WIDTH]
    # An axis has no sign of its own: its largest entry is positive.
    largest = np.abs(axes).argmax(axis=0)
    sign = np.sign(axes[largest, np.arange(axes.shape[1])])
    return np.asarray(x @ (axes * np.where(sign == 0, 1, sign)))


def _start(points: Array) -> Array:
    """Return where the dots begin, float32 (n, 2): small, and no two at one place."""
    begin = np.zeros((len(points), 2))
    begin[:, : points.shape[1]] = points[:, :2]
    spread = begin[:, 0].std()
    if spread > 0:
        begin *= 1e-4 / spread
    begin += np.random.default_rng(0).normal(scale=1e-6, size=begin.shape)
    return begin.astype(np.float32)


@dataclass(frozen=True)
class Label:
    """A name on the map."""

    place: int
    x: float
    y: float
    text: str


def map_places(means: Floats) -> Float64:
    """Lay tracks out on the map, float64 (n, 2): as large as it allows, in its own units."""
    found = places(means)
    low, high = found.min(axis=0), found.max(axis=0)
    room = np.array(SIZE) - 2 * MARGIN
    scale = float((room / np.maximum(high - low, 1e-9)).min())
    return np.asarray((found - (low + high) / 2) * scale + np.array(SIZE) / 2)


def labels(cast: Sequence[Member], where: Float64, who: Sequence[int]) -> list[Label]:
    """Write names at the middle of their dots, the longest on screen first, where there is room.

    Parameters
    ----------
    cast : sequence of Member
    where : float64, shape (n, 2)
        Of dots.
    who : sequence of int, length n
        Place of each one's member, -1 for the Unknown.
    """
    owner = np.asarray(who, dtype=int)
    taken: list[tuple[float, float, float, float]] = []
    found = []
    for one in cast:
        mine = where[owner == one.place]
        if len(mine) == 0:
            continue
        middle = np.median(mine, axis=0)
        x, y = mine[np.abs(mine - middle).sum(axis=1).argmin()]  # there a dot is surely
        half = 0.29 * LETTER * len(one.short) + 3
        x = float(np.clip(x, half, SIZE[0] - half))
        y = float(np.clip(y - 10, LETTER, SIZE[1]))
        box = (x - half, y - LETTER, x + half, y + 4)
        if not any(_overlap(box, other) for other in taken):
            taken.append(box)
            found.append(Label(one.place, x, y, one.short))
    return found


def _overlap(one: tuple[float, ...], other: tuple[float, ...]) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]
