"""Whether probabilities are what they say: of tracks at .9, nine in ten are right."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from videoclusternet.types.arrays import Array, Bools, Floats, Ints

BINS = 15
"""Bins of equally many tracks."""


class Bin(NamedTuple):
    """Tracks of about the same probability: how many, what was said and what was so."""

    tracks: int
    said: float
    right: float


def right_tracks(labels: Sequence[str | None], character: Ints) -> Bools:
    """Tell which tracks are where they belong.

    A track is right where its label is the one that most tracks of its character have; of
    equally many the one that comes first.  A lone track is right where its person has no other
    character with more tracks: it says that here is a person of its own.

    Parameters
    ----------
    labels : sequence of str or None, length T
        None where the truth says nothing: such tracks count for nothing.
    character : int, shape (T,)
        -1 for Unknown.

    Returns
    -------
    bool, shape (T,)
        False without a label or a character.
    """
    place = [(int(c), name) for c, name in zip(character, labels, strict=True)]
    seen = Counter((c, name) for c, name in place if c >= 0 and name is not None)
    main: dict[int, str | None] = {}
    for (c, name), _ in seen.most_common():
        main.setdefault(c, name)
    most = Counter[str | None]()
    for (_, name), count in seen.items():
        most[name] = max(most[name], count)
    size = Counter(c for c, _ in place)
    return np.array(
        [
            c >= 0 and name is not None and (most[name] == 1 if size[c] == 1 else main[c] == name)
            for c, name in place
        ],
        dtype=bool,
    )


def reliability(probability: Floats, right: Bools, bins: int = BINS) -> list[Bin]:
    """Compare what was said with what was so, in bins of equally many tracks, doubtful first.

    Parameters
    ----------
    probability, right : float and bool, shape (n,)
    bins : int
        At most; none is empty.
    """
    order = np.argsort(probability, kind="stable")
    parts: list[Array] = [part for part in np.array_split(order, bins) if len(part)]
    return [Bin(len(p), float(probability[p].mean()), float(right[p].mean())) for p in parts]


def calibration_error(probability: Floats, right: Bools, bins: int = BINS) -> float:
    """Mean distance of said and so over the bins of :func:`reliability`, weighted by tracks.

    The expected calibration error (ECE) with bins of equal mass.
    """
    rows = reliability(probability, right, bins)
    return sum(b.tracks * abs(b.said - b.right) for b in rows) / max(len(probability), 1)
