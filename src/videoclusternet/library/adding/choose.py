"""Which of a person's tracks stand for it: some of every look, as unlike each other as they come.

A look is a group of tracks that average linkage joins in units of their own thresholds, as films
are clustered.  Of each look the best seen track comes first, then always the one that is farthest
from those already chosen.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from videoclusternet.clustering.average_linkage import cut, relative, tree
from videoclusternet.clustering.distance import Metric, normalise
from videoclusternet.clustering.track_points import TrackPoints
from videoclusternet.types import Constraints
from videoclusternet.types.arrays import Bools, Floats, Int32, Int64

LOOKS = 4
"""Looks of a person, at most."""
EXEMPLARS = 10
"""Exemplars of a look, at most; photographs that were given are all kept."""
SCALE = 1.0
"""Mean relative distance up to which tracks are one look."""
MOST = 1000
"""Tracks of a person that are compared all with all: of more, evenly spaced ones."""


@dataclass(frozen=True)
class Pool:
    """Tracks that may stand for one person.

    Attributes
    ----------
    mean : float, shape (n, d)
    threshold : float, shape (n,)
        NaN where a track has none.
    worth : float, shape (n,)
        How well each is seen and how sure it is of the person.
    fixed : bool, shape (n,)
        Those that stay whatever the others are.
    """

    mean: Floats
    threshold: Floats
    worth: Floats
    fixed: Bools


def choose(pool: Pool) -> Int32:
    """Choose those that stand for a person.

    Returns
    -------
    int32, shape (n,)
        Look of each that is chosen, from 0, the one with most tracks first; -1 of others.
    """
    n = len(pool.mean)
    chosen = np.full(n, -1, dtype=np.int32)
    rows = _few(pool.fixed)
    unit = normalise(pool.mean[rows].astype(np.float32))
    label = looks(unit, pool.threshold[rows])
    for look in range(int(label.max(initial=-1)) + 1):
        here = np.flatnonzero(label == look)
        own = rows[here]
        best = spread(unit[here], pool.worth[own], pool.fixed[own], EXEMPLARS)
        chosen[own[best]] = look
    return chosen


def _few(fixed: Bools) -> Int64:
    """Return rows to look at, int64 ascending: all, or the fixed and evenly spaced others."""
    if len(fixed) <= MOST:
        return np.arange(len(fixed))
    others = np.flatnonzero(~fixed)
    spaced = np.unique(np.linspace(0, len(others) - 1, MOST).round().astype(np.int64))
    return np.sort(np.concatenate([np.flatnonzero(fixed), others[spaced]]))


def looks(unit: Floats, threshold: Floats) -> Int32:
    """Group the tracks of a person into looks.

    Parameters
    ----------
    unit : float32, shape (n, d)
        Of unit length.
    threshold : float, shape (n,)
        NaN where a track has none: the median of the others; where none has one, all are one look.

    Returns
    -------
    int32, shape (n,)
        From 0, the look of most tracks first; ``LOOKS`` at most.
    """
    n, told = len(unit), np.isfinite(threshold)
    if n < 2 or not told.any():
        return np.zeros(n, dtype=np.int32)
    own = np.where(told, threshold, np.median(threshold[told])).astype(np.float32)
    none = np.empty((0, 2), dtype=np.int32)
    far = relative(TrackPoints(unit, own), Metric()).block(slice(None))
    joined = tree(far, Constraints(none, none, n))
    scale = max(SCALE, joined[-LOOKS, 2]) if n > LOOKS else SCALE
    label = cut(joined, np.array([scale]))[0]
    order = np.argsort(-np.bincount(label), kind="stable")
    return np.asarray(np.argsort(order)[label], dtype=np.int32)


def spread(unit: Floats, worth: Floats, fixed: Bools, most: int) -> Int64:
    """Choose tracks that cover a look.

    Parameters
    ----------
    unit : float, shape (n, d)
        Of unit length.
    worth : float, shape (n,)
        The best comes first.
    fixed : bool, shape (n,)
        Chosen before all others, also beyond ``most``.
    most : int

    Returns
    -------
    int64, shape (m,), in the order of the choice
    """
    begun = np.flatnonzero(fixed) if fixed.any() else np.array([worth.argmax()])
    chosen = [int(row) for row in begun]
    far = (1 - unit @ unit[chosen].T).min(axis=1)
    far[chosen] = -np.inf
    while len(chosen) < min(most, len(unit)):
        row = int(far.argmax())
        chosen.append(row)
        far = np.minimum(far, 1 - unit @ unit[row])
        far[chosen] = -np.inf
    return np.array(chosen, dtype=np.int64)
