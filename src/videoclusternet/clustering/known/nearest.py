"""Narrow a large library to the people who lie near some track of a film."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from videoclusternet.clustering.distance import normalise
from videoclusternet.clustering.known.gallery import Gallery
from videoclusternet.types.arrays import Bools, Float32, Int64

NEAR = 5
"""People who lie nearest to a track, by their nearest exemplar, and are asked about."""
FEW = 1000
"""Exemplars up to which everybody is asked about: the more people, the better is seen how far
apart people are."""
BLOCK = 16384
"""Exemplars that are compared at a time, or few more."""


def nearest_people(gallery: Gallery, mean: Float32) -> Gallery:
    """Return the exemplars of people who lie near some track.

    Everybody, where the library is small; else the ``NEAR`` people nearest to each track, all
    their exemplars.

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
    near = np.unique(_near(gallery, normalise(mean).astype(np.float32)))
    return some_of(gallery, np.isin(gallery.person, near))


def _near(gallery: Gallery, unit: Float32) -> Int64:
    """Return the people nearest to each track, int64 (T, at most NEAR)."""
    best = np.full((0, len(unit)), -np.inf, dtype=np.float32)
    whom = np.zeros((0, len(unit)), dtype=np.int64)
    of, begins = np.unique(gallery.person, return_index=True)
    ends = np.append(begins, len(gallery))
    # Blocks end where somebody's exemplars do: everybody is in one of them alone.
    edges = np.unique(ends[np.searchsorted(ends, range(0, len(gallery), BLOCK))])
    for start, stop in pairwise([*edges.tolist(), len(gallery)]):
        cosine = normalise(gallery.mean[start:stop].astype(np.float32)) @ unit.T  # (block, T)
        here = slice(*np.searchsorted(begins, [start, stop]))
        people = np.broadcast_to(of[here, None], (len(of[here]), len(unit)))
        best = np.concatenate([best, np.maximum.reduceat(cosine, begins[here] - start)])
        whom = np.concatenate([whom, people])
        if len(best) > NEAR:
            kept = np.argpartition(-best, NEAR - 1, axis=0)[:NEAR]
            best, whom = np.take_along_axis(best, kept, 0), np.take_along_axis(whom, kept, 0)
    return np.asarray(whom.T)


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
