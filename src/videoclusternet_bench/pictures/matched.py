"""Found clusters matched to people, one to one, and the tracks that are wrong by it.

The match is Hungarian: of all ways to give each person at most one cluster and each cluster
at most one person, the one under which most tracks are right.  A track is *right* in the
cluster of its person.  Else it is

    mixed     in a cluster of somebody else
    split     in a cluster of its own person that is not the matched one
    unknown   in no cluster

A cluster that is matched to nobody counts as one of the person who has most tracks in it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy.optimize import linear_sum_assignment

from videoclusternet.types.arrays import Array, Bools, Ints

Verdict = Literal["right", "mixed", "split", "unknown", "unlabelled"]
"""What became of a track; ``unlabelled``: the truth does not know it."""


@dataclass(frozen=True)
class Matched:
    """People and clusters, matched.

    Attributes
    ----------
    people : tuple of str
        Most tracks first.
    clusters : int, shape (K,)
        Numbers of the found clusters: matched ones in the order of their people, then the
        others, largest first.
    table : int, shape (P, K)
        Tracks of each person in each cluster.
    unknown : int, shape (P,)
        Tracks of each person in no cluster.
    size : int, shape (K,)
        Tracks of each cluster, also those that the truth does not know.
    match : int, shape (K,)
        Person of each cluster, -1 for none.
    owner : int, shape (K,)
        The same, but for a cluster without a match the person with most tracks in it; -1 if
        it holds nobody that the truth knows.
    person, column : int, shape (T,)
        Place of each track's person and cluster in the above, -1 for none.
    """

    people: tuple[str, ...]
    clusters: Ints
    table: Ints
    unknown: Ints
    size: Ints
    match: Ints
    owner: Ints
    person: Ints
    column: Ints

    @property
    def kind(self) -> list[Verdict]:
        """What became of each track."""
        return [self._kind(p, k) for p, k in zip(self.person, self.column, strict=True)]

    @property
    def wrong(self) -> Bools:
        """Whether each track is wrong, bool (T,)."""
        return np.array([kind not in ("right", "unlabelled") for kind in self.kind], dtype=bool)

    def main(self, person: int) -> int:
        """Return the cluster, as a column, that is matched to a person; -1 if none is."""
        return int(np.flatnonzero(self.match == person)[0]) if person in self.match else -1

    def _kind(self, person: int, column: int) -> Verdict:
        if person < 0:
            return "unlabelled"
        if column < 0:
            return "unknown"
        if self.match[column] == person:
            return "right"
        return "split" if self.owner[column] == person else "mixed"


def matched(person: Sequence[str | None], cluster: Ints) -> Matched:
    """Match found clusters to people.

    Parameters
    ----------
    person : sequence of (str or None), length T
        None where the truth does not know a track.
    cluster : int, shape (T,)
        -1 for Unknown.

    Returns
    -------
    Matched
        Without people or clusters where there are none.
    """
    cluster = np.asarray(cluster, dtype=np.int64)
    count = Counter(name for name in person if name is not None)
    people = tuple(sorted(count, key=lambda name: (-count[name], name)))
    place = {name: i for i, name in enumerate(people)}
    row = np.array([-1 if n is None else place[n] for n in person], dtype=np.int64)
    numbers, column = np.unique(cluster[cluster >= 0], return_inverse=True)
    every = np.full(len(cluster), -1)
    every[cluster >= 0] = column
    table = np.zeros((len(people), len(numbers)), dtype=np.int64)
    both = (row >= 0) & (every >= 0)
    np.add.at(table, (row[both], every[both]), 1)
    size = np.bincount(column, minlength=len(numbers))
    match = np.full(len(numbers), -1)
    for p, k in zip(*linear_sum_assignment(table, maximize=True), strict=True):
        if table[p, k]:  # sharing no track is no match
            match[k] = p
    owner = np.where(match >= 0, match, _most(table))
    rank = np.where(match >= 0, match, len(people))
    order = np.lexsort((numbers, np.where(match >= 0, 0, -size), rank))
    back = np.append(np.argsort(order), -1)
    return Matched(
        people,
        numbers[order],
        table[:, order],
        np.bincount(row[(row >= 0) & (every < 0)], minlength=len(people)),
        size[order],
        match[order],
        owner[order],
        row,
        back[every],
    )


def _most(table: Array) -> Array:
    """Person with most tracks in each cluster, -1 where it holds nobody known."""
    if not table.size:
        return np.full(table.shape[1], -1)
    return np.where(table.any(axis=0), table.argmax(axis=0), -1)
