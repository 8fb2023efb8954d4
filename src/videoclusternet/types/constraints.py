"""What is known of pairs of tracks before any face is compared: two people, or one."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property
from typing import Self

import numpy as np

from videoclusternet.errors import ContradictionError
from videoclusternet.types.arrays import Array, Int32, Int64, Ints
from videoclusternet.types.film import Tracks


@dataclass(frozen=True, eq=False)
class Constraints:
    """Pairs of tracks that must not, and that must, meet in one cluster.

    Checked and read-only as tables are; worked out anew from overlaps and from what people
    say, so never a file of a run.

    Attributes
    ----------
    apart : int32, shape (P, 2)
        Cannot-link: surely two people.
    together : int32, shape (Q, 2)
        Must-link: surely one person; a and c as well where a and b, b and c are.
    tracks : int
        Number of tracks that they are about.
    """

    apart: Int32
    together: Int32
    tracks: int

    def __post_init__(self) -> None:
        """Check that pairs are of tracks that there are, and none is apart and together.

        Raises
        ------
        ContradictionError
            Names the two.
        """
        for name in ("apart", "together"):
            pairs = np.array(getattr(self, name), dtype=np.int32).reshape(-1, 2)
            pairs.setflags(write=False)
            object.__setattr__(self, name, pairs)
            if len(pairs) and not 0 <= pairs.min() <= pairs.max() < self.tracks:
                raise ValueError("Constraints: a track is out of range")
        one, other = self.group[self.apart].T
        both = np.flatnonzero(one == other)
        if len(both):
            a, b = self.apart[both[0]].tolist()
            raise ContradictionError(
                f"tracks {a} and {b} are said to be one person and two", "take one of the two back"
            )

    @classmethod
    def none(cls, tracks: int) -> Self:
        """Nothing is known."""
        nothing = np.empty((0, 2), dtype=np.int32)
        return cls(nothing, nothing, tracks)

    @classmethod
    def of_overlaps(cls, tracks: Tracks) -> Self:
        """Two faces in one picture are two people."""
        nothing = np.empty((0, 2), dtype=np.int32)
        return cls(tracks.overlapping(), nothing, len(tracks))

    @property
    def digest(self) -> str:
        """Content hash: sha256, hexadecimal."""
        said = f"{self.tracks} {self.apart.tolist()} {self.together.tolist()}"
        return hashlib.sha256(said.encode()).hexdigest()

    @cached_property
    def group(self) -> Int64:
        """Group of each track, (T,): those together share one, from 0 by their lowest track."""
        if not len(self.together):
            return np.arange(self.tracks)
        root = list(range(self.tracks))

        def find(x: int) -> int:
            while root[x] != x:
                root[x] = root[root[x]]
                x = root[x]
            return x

        for a, b in self.together.tolist():
            low, high = sorted((find(a), find(b)))
            root[high] = low
        lowest = np.array([find(x) for x in range(self.tracks)], dtype=np.int64)
        return np.asarray(np.unique(lowest, return_inverse=True)[1], dtype=np.int64)

    def and_those(self, other: Constraints) -> Constraints:
        """Return what both say of the same tracks.

        Raises
        ------
        ContradictionError
            When they contradict each other.
        ValueError
            When they are about other numbers of tracks.
        """
        if other.tracks != self.tracks:
            raise ValueError(f"Constraints: of {self.tracks} and of {other.tracks} tracks")
        apart = np.concatenate([self.apart, other.apart])
        together = np.concatenate([self.together, other.together])
        return Constraints(apart, together, self.tracks)

    def inside(self, keep: Ints) -> Constraints:
        """Restrict them to some tracks and renumber these.

        What follows over tracks that are left out still holds: a and c are together where a
        and b, b and c were.

        Parameters
        ----------
        keep : int, shape (K,), ascending
        """
        if not len(self.together):
            return Constraints(inside(self.apart, keep), self.together, len(keep))
        group = self.group[keep]
        _, first = np.unique(group, return_index=True)
        stands_for = np.full(int(self.group.max(initial=-1)) + 1, -1)
        stands_for[group[first]] = first  # the lowest kept track of each group
        others = np.setdiff1d(np.arange(len(keep)), first)
        together = np.stack([stands_for[group[others]], others], axis=1)
        apart = stands_for[self.group[self.apart]]
        apart = distinct(apart[(apart >= 0).all(axis=1)])
        return Constraints(apart.astype(np.int32), together.astype(np.int32), len(keep))


def distinct(pairs: Array) -> Int64:
    """Return each of some pairs (P, 2) of numbers from 0 on once, ascending and in order."""
    low, high = pairs.min(axis=1), pairs.max(axis=1)
    base = int(high.max(initial=0)) + 1
    # As one number each: NumPy compares rows far more slowly.
    return np.stack(np.divmod(np.unique(low.astype(np.int64) * base + high), base), axis=1)


def inside(pairs: Array, keep: Array) -> Int32:
    """Restrict pairs (P, 2) of tracks to the tracks ``keep`` (ascending) and renumber them."""
    place = np.full(1 + max(pairs.max(initial=-1), keep.max(initial=-1)), -1, dtype=np.int32)
    place[keep] = np.arange(len(keep))
    kept, (one, other) = place >= 0, pairs.reshape(-1, 2).T
    some = np.flatnonzero(kept[one])
    return place[pairs[some[kept[other[some]]]]]
