"""Where a character would come apart: at the weakest of the merges that made it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from videoclusternet.types import Merges
from videoclusternet.types.arrays import Float64, Ints

MOST = 8
"""Places that are proposed."""


@dataclass(frozen=True)
class Split:
    """A merge taken back.

    Attributes
    ----------
    stay, leave : list of int
        Tracks of the character on either side, ascending; the larger side stays.
    pair : (int, int)
        Tracks that the merge log names for the two sides.
    distance, threshold : float
        How far apart they were, and how far they might have been.
    """

    stay: list[int]
    leave: list[int]
    pair: tuple[int, int]
    distance: float
    threshold: float


def splits(merges: Merges, tracks: Ints, count: int) -> list[Split]:
    """Return the merges between tracks of a character, the weakest first.

    Weak is what only just passed: a distance that is large for its threshold.  What joined it
    to tracks that people have taken out since is passed over; what people put in was never
    merged, and stays.

    Parameters
    ----------
    merges : Merges
    tracks : int, shape (n,)
        Of the character.
    count : int
        Tracks of the run.
    """
    found = sorted(_sides(merges, tracks, count), key=lambda side: (-side.strain, -side.row))
    return [_split(merges, tracks, side) for side in found[:MOST] if side.strain > 0]


@dataclass(frozen=True)
class Side:
    """A merge of two groups.

    Attributes
    ----------
    row : int
        Of the merge log.
    small : list of int
        Tracks of the smaller.
    grown, before : list of int, int
        The larger, as later merges made it, and how many tracks it had.
    pair : (int, int)
        Tracks that the log names for the larger and the smaller.
    strain : float
        Share of its threshold that the merge took: 1 only just passed.
    """

    row: int
    small: list[int]
    grown: list[int]
    before: int
    pair: tuple[int, int]
    strain: float

    @property
    def large(self) -> list[int]:
        """Tracks of the larger."""
        return self.grown[: self.before]


def sides(merges: Merges, count: int) -> list[Side]:
    """Return all merges of two groups of two tracks and more, in the order of the log.

    Parameters
    ----------
    merges : Merges
    count : int
        Tracks of the run.
    """
    every = _sides(merges, np.arange(count), count)
    return [side for side in every if len(side.small) > 1]


def _sides(merges: Merges, tracks: Ints, count: int) -> Iterator[Side]:
    """Yield the merges between some tracks, in the order of the log."""
    strain = _strain(merges).tolist()
    group: list[list[int]] = [[] for _ in range(count)]
    root = np.arange(count)
    for track in tracks.tolist():
        group[track] = [track]
    for row, (a, b) in enumerate(zip(merges.a.tolist(), merges.b.tolist(), strict=True)):
        one, two = _root(root, a), _root(root, b)
        if one == two:
            continue
        small, large = sorted((two, one), key=lambda at: len(group[at]))
        if group[small]:
            pair = (a, b) if large == one else (b, a)
            # Neither is copied: in a chain of merges that would take the square of its length.
            grown = group[large]
            yield Side(row, group[small], grown, len(grown), pair, strain[row])
        group[large] += group[small]
        group[small] = []
        root[small] = large


def _strain(merges: Merges) -> Float64:
    """How much of its threshold each merge took; 0 for tracks that had to meet."""
    threshold = merges.threshold.astype(np.float64)
    return np.asarray(np.maximum(merges.distance, 0) / np.maximum(threshold, 1e-9))


def _root(root: Ints, at: int) -> int:
    while root[at] != at:
        root[at] = root[root[at]]
        at = int(root[at])
    return at


def _split(merges: Merges, tracks: Ints, side: Side) -> Split:
    leave, pair = side.small, side.pair
    stay = np.setdiff1d(tracks, leave)
    if len(stay) < len(leave):  # others of the character joined it elsewhere
        stay, leave, pair = np.array(leave), stay.tolist(), pair[::-1]
    distance, threshold = (float(of[side.row]) for of in (merges.distance, merges.threshold))
    return Split(sorted(stay.tolist()), sorted(leave), pair, distance, threshold)
