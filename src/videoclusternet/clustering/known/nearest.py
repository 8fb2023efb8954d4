"""Narrow a large library to the people who lie near some track of a film."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from videoclusternet.clustering.distance import normalise
from videoclusternet.clustering.known.gallery import Gallery
from videoclusternet.engine.processes import one_thread
from videoclusternet.engine.threads import spread
from videoclusternet.types.arrays import Bools, Float32, Int64

NEAR = 5
"""People who lie nearest to a track, by their nearest exemplar, and are asked about."""
FEW = 1000
"""Exemplars up to which everybody is asked about: the more people, the better is seen how far
apart people are."""
MOST = 2000
"""Exemplars that take part beside a film at most: of the people who lie nearest to any track."""
BLOCK = 16384
"""Exemplars that are compared at a time, or few more."""


def nearest_people(gallery: Gallery, mean: Float32) -> Gallery:
    """Return the exemplars of people who lie near some track.

    Everybody, where the library is small; else the ``NEAR`` people nearest to each track, with all
    their exemplars; of too many those who are nearest.

    Parameters
    ----------
    gallery : Gallery
        E exemplars of P people.
    mean : float32, shape (T, d)
        Mean of each track.

    Returns
    -------
    Gallery
        In the same order, of those people alone.
    """
    if len(gallery) <= FEW:
        return gallery
    best, whom = _near(gallery, normalise(mean).astype(np.float32))
    order = np.argsort(-best, axis=None, kind="stable")
    people, first = np.unique(whom.ravel()[order], return_index=True)
    near = people[np.argsort(first)]  # the nearest first
    count = np.bincount(gallery.person, minlength=len(gallery.people))[near]
    kept = near[: max(1, int((np.cumsum(count) <= MOST).sum()))]
    return some_of(gallery, np.isin(gallery.person, kept))


def _near(gallery: Gallery, unit: Float32) -> tuple[Float32, Int64]:
    """Return the people nearest to each track, and how near, both (T, at most NEAR)."""
    of, begins = np.unique(gallery.person, return_index=True)
    ends = np.append(begins, len(gallery))
    # Blocks end where somebody's exemplars do: everybody is in one of them alone.
    edges = np.unique(ends[np.searchsorted(ends, range(0, len(gallery), BLOCK))])

    def near(span: tuple[int, int]) -> tuple[Float32, Int64]:
        mean = gallery.mean[slice(*span)].astype(np.float32)
        mean /= np.sqrt(np.maximum(np.einsum("nd,nd->n", mean, mean), 1e-24))[:, None]
        here = slice(*np.searchsorted(begins, span).tolist())
        best = np.maximum.reduceat(unit @ mean.T, begins[here] - span[0], axis=1)
        return _best(best, np.broadcast_to(of[here].astype(np.int64), best.shape))

    with one_thread():  # the blocks are spread over the cores
        each = spread(near, pairwise([*edges.tolist(), len(gallery)]))
        best, whom = (np.concatenate(side, axis=1) for side in zip(*each, strict=True))
    return _best(best, whom)


def _best(value: Float32, whom: Int64) -> tuple[Float32, Int64]:
    """Return the ``NEAR`` highest values of each row, in any order, and whose they are."""
    if value.shape[1] <= NEAR:
        return value, whom
    kept = np.argpartition(-value, NEAR - 1, axis=1)[:, :NEAR]
    return np.take_along_axis(value, kept, 1), np.take_along_axis(whom, kept, 1)


def some_of(gallery: Gallery, rows: Bools) -> Gallery:
    """Return some exemplars; people of whom none is left are not among it."""
    people, number = np.unique(gallery.person[rows], return_inverse=True)
    kept = people.tolist()
    return Gallery(
        person=number.astype(np.int32),
        look=gallery.look[rows],
        mean=gallery.mean[rows],
        length=gallery.length[rows],
        threshold=gallery.threshold[rows],
        people=tuple(gallery.people[p] for p in kept),
        names=tuple(gallery.names[p] for p in kept),
        films=tuple(gallery.films[p] for p in kept),
        weights=gallery.weights,
    )
