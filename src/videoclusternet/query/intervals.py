"""Sets of frames of one film, as sorted intervals without a frame in common."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np

from videoclusternet.types.arrays import Array, Bools, Int64, Ints


@dataclass(frozen=True, eq=False)
class Intervals:
    """Frames of a film.

    Attributes
    ----------
    first, end : int64, shape (n,)
        First frame of each interval, and the one after its last.  They ascend; between two
        intervals there is at least one frame that is in neither.
    """

    first: Int64
    end: Int64

    @classmethod
    def of(cls, first: Ints, end: Ints) -> Self:
        """Take the frames of any intervals: in any order, overlapping, touching.

        Parameters
        ----------
        first, end : int, shape (n,)
            Half-open; those that hold nothing count for nothing.
        """
        some = end > first
        return cls(*_held(first[some].astype(np.int64), end[some].astype(np.int64), 1))

    @classmethod
    def where(cls, frames: Bools) -> Self:
        """Take the frames that are marked, bool (F,)."""
        flips = np.flatnonzero(np.diff(frames.astype(np.int8), prepend=0, append=0))
        return cls(flips[::2], flips[1::2])

    def __len__(self) -> int:
        return len(self.first)

    def __iter__(self) -> Iterator[tuple[int, int]]:
        return zip(self.first.tolist(), self.end.tolist(), strict=True)

    def outside(self, frames: int) -> Intervals:
        """Return all other frames of a film that has so many."""
        return Intervals.of(np.append(0, self.end), np.append(self.first, frames))

    def later(self, ticks: Int64, reach: int) -> Intervals:
        """Add the frames that come up to so much later than one of these.

        Parameters
        ----------
        ticks : int64, shape (F,)
            When each frame of the film is shown; rising.
        reach : int
            In the same unit.
        """
        last = ticks[self.end - 1] + reach
        return Intervals.of(self.first, np.searchsorted(ticks, last, side="right"))

    def sooner(self, ticks: Int64, reach: int) -> Intervals:
        """Add the frames that come up to so much sooner; see :meth:`later`."""
        return Intervals.of(np.searchsorted(ticks, ticks[self.first] - reach), self.end)


def union(sets: Sequence[Intervals]) -> Intervals:
    """Return the frames that are in some of the sets."""
    return _in_at_least(sets, 1)


def intersection(sets: Sequence[Intervals]) -> Intervals:
    """Return the frames that are in all sets, of which there is at least one."""
    return _in_at_least(sets, len(sets))


def _in_at_least(sets: Sequence[Intervals], least: int) -> Intervals:
    if len(sets) == 1:
        return sets[0]
    none = [np.empty(0, np.int64)]
    first = np.concatenate(none + [one.first for one in sets])
    return Intervals(*_held(first, np.concatenate(none + [one.end for one in sets]), least))


def _held(first: Int64, end: Int64, least: int) -> tuple[Array, Array]:
    """Return the intervals of frames that at least so many intervals hold."""
    places, where = np.unique(np.concatenate([first, end]), return_inverse=True)
    step = np.repeat([1, -1], len(first))
    depth = np.cumsum(np.bincount(where, step, minlength=len(places)))
    flips = places[np.flatnonzero(np.diff(depth >= least, prepend=False))]
    return flips[::2], flips[1::2]
