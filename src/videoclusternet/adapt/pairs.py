"""Which crops are shown together: partners of an anchor (section 3.5, appendix C)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from videoclusternet.types import Constraints
from videoclusternet.types.arrays import Array, Bools, Int32, Int64, Ints


@dataclass(frozen=True)
class Partners:
    """Tracks that show the person of a track, itself not included.

    Attributes
    ----------
    start : int64, shape (T+1,)
        Where the partners of each track begin in ``other``.
    other : int32, shape (P,)
    """

    start: Int64
    other: Int32

    def __len__(self) -> int:
        return len(self.start) - 1

    def of(self, track: int) -> Array:
        """Return the partners of a track."""
        return self.other[self.start[track] : self.start[track + 1]]


def no_partners(tracks: int) -> Partners:
    """Every track stands for itself: the first round [P]."""
    return Partners(np.zeros(tracks + 1, dtype=np.int64), np.empty(0, dtype=np.int32))


def linked(a: Ints, b: Ints, tracks: int) -> Partners:
    """Partners by coarse match, in either direction.

    Parameters
    ----------
    a, b : int, shape (L,)
        See :class:`videoclusternet.types.Links`.
    tracks : int
    """
    pairs = np.unique(np.stack([np.append(a, b), np.append(b, a)], axis=1), axis=0)
    pairs = pairs.reshape(-1, 2)
    start = np.searchsorted(pairs[:, 0], np.arange(tracks + 1))
    return Partners(start, pairs[:, 1].astype(np.int32))


def pairs_together(known: Constraints, keep: Ints) -> tuple[Ints, Ints]:
    """Pairs of kept tracks that are surely one person, over tracks that are left out too.

    Parameters
    ----------
    known : Constraints
    keep : int, shape (K,), ascending
        Tracks that take part.

    Returns
    -------
    a, b : int, shape (P,)
    """
    if not len(known.together):
        return keep[:0], keep[:0]
    group = known.group[keep]
    one, other = np.nonzero(np.triu(group[:, None] == group, 1))
    return keep[one], keep[other]


def grouped(label: Ints) -> Partners:
    """Partners by present cluster; label -1 has none.

    Parameters
    ----------
    label : int, shape (T,)
    """
    order = np.argsort(label, kind="stable")
    members = {int(k): order[label[order] == k] for k in np.unique(label) if k >= 0}
    others = [
        members[k][members[k] != t] if k >= 0 else order[:0] for t, k in enumerate(label.tolist())
    ]
    start = np.concatenate([[0], np.cumsum([len(o) for o in others])]).astype(np.int64)
    return Partners(start, np.concatenate([order[:0], *others]).astype(np.int32))


def jaccard(before: Partners, after: Partners) -> float:
    """Share of the pairs of either that both have, 1 where neither has any."""
    one, two = (
        set(
            zip(
                np.repeat(np.arange(len(p)), np.diff(p.start)).tolist(),
                p.other.tolist(),
                strict=True,
            )
        )
        for p in (before, after)
    )
    return len(one & two) / len(one | two) if one | two else 1.0


def draw_epoch(
    track: Ints,
    partners: Partners,
    kept: Bools,
    anchors: int,
    own_share: float,
    rng: np.random.Generator,
) -> tuple[Array, Array]:
    """Draw the pairs of an epoch: each kept crop once as an anchor, in random order.

    An anchor's partner track is drawn uniformly from those of its track, its own track
    where there is none, then a crop of it: another one where it can be.  A lone crop is
    paired with itself: two sets of views of one picture.

    Parameters
    ----------
    track : int, shape (C,)
        Track of each crop, ascending.
    partners : Partners
    kept : bool, shape (T,)
        Tracks that take part.
    anchors : int
        Anchors of a track at most; 0: all its crops.
    own_share : float
        Share of the anchors with partners that draw from their own track all the same.
    rng : numpy.random.Generator

    Returns
    -------
    anchor, partner : int64, shape (n,)
        Rows of crops.
    """
    edge = np.searchsorted(track, np.arange(len(kept) + 1))
    order = rng.permutation(len(track))
    taken = np.zeros(len(kept), dtype=np.int64)
    anchor, partner = [], []
    for row in order.tolist():
        t = int(track[row])
        if not kept[t] or (anchors and taken[t] >= anchors):
            continue
        taken[t] += 1
        known = partners.of(t)
        other = t
        if len(known) and rng.random() >= own_share:
            other = int(known[rng.integers(len(known))])
        first, stop = int(edge[other]), int(edge[other + 1])
        if other == t and stop - first > 1:
            drawn = int(rng.integers(first, stop - 1))
            drawn += drawn >= row
        else:
            drawn = int(rng.integers(first, stop))
        anchor.append(row)
        partner.append(drawn)
    return np.array(anchor, dtype=np.int64), np.array(partner, dtype=np.int64)
