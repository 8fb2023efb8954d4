"""How probable it is that a track belongs where it is, and which cannot be told from others.

Three things tell, each in the units of the film: how near a track is to its own character, how near
to the nearest other one, and how much of its company it finds again from other pictures.  What
they are worth was fitted to labelled development sets, whose films were held out in turn
(``bench/confidence.py``, decision 18).  No label of the film at hand is seen.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy.special import expit

from videoclusternet.clustering.average_linkage import Relative
from videoclusternet.clustering.paper_rounds import BLOCK
from videoclusternet.engine.threads import spread
from videoclusternet.types.arrays import Bools, Float32, Floats, Ints

UNSURE = 0.1
"""Share of its company, above chance, that a track must find again.  Below, next to nothing of
it comes back from other pictures of the same tracks."""
FAR = 1.5
"""Distance of the nearest other character, in units of the scale, from which farther is no surer:
few were seen beyond."""


class Weights(NamedTuple):
    """Logistic regression of "belongs where it is" on the evidence.

    Nearer to its own character, farther from others and more company found again never make a
    track less probable.
    """

    constant: float
    own: float
    other: float
    company: float

    def probability(self, own: Floats, other: Floats, company: Floats) -> Float32:
        """Weigh the evidence of tracks, float32 (T,)."""
        odds = self.constant + self.own * own + self.other * other + self.company * company
        return np.asarray(expit(odds), dtype=np.float32)


WITH_COMPANY = Weights(5.14, -8.44, 2.43, 2.38)
WITHOUT_COMPANY = Weights(6.63, -11.56, 4.97, 0.0)
"""Where nothing was drawn: the paper's algorithm, and readings asked for with a scale or a rule."""


class Evidence(NamedTuple):
    """Where tracks lie among the characters, in units of the scale at which joining stopped.

    Attributes
    ----------
    own : float32, shape (T,)
        Mean distance to the other tracks of the same character; 1 for a lone track: nearer ones
        would have joined it.
    other : float32, shape (T,)
        Mean distance to the tracks of the nearest other character that it may belong to, at most
        ``FAR``.
    company : float32, shape (T,)
        Share of its company that it finds again, of -1 to 1; of a lone track 1 where it is
        always alone and 0 where it is not.
    settled : bool, shape (T,)
        Lone tracks that can belong to no other character.
    """

    own: Float32
    other: Float32
    company: Float32
    settled: Bools


def unsure_tracks(company: Float32) -> Bools:
    """Mark tracks that find other company each time: hard to tell from other people.

    Parameters
    ----------
    company : float32, shape (T,)
        Of the chosen reading, see
        :func:`videoclusternet.clustering.stability.common_company`; a track that is always alone
        has none (NaN) and is told.

    Returns
    -------
    bool, shape (T,)
    """
    return np.asarray(company < UNSURE)


def confidence(
    tracks: Relative, label: Ints, scale: float, apart: Ints, company: Float32 | None = None
) -> Float32:
    """Probability that each track belongs where it is.

    That is, that its character, as clustered, shows mostly the person whom the track shows; of a
    lone track that its person has no character with more tracks.

    Parameters
    ----------
    tracks, label, scale, apart, company
        See :func:`evidence`.

    Returns
    -------
    float32, shape (T,)
        1 for a lone track that can belong to nobody else.
    """
    found = evidence(tracks, label, scale, apart, company)
    weights = WITHOUT_COMPANY if company is None else WITH_COMPANY
    return np.where(found.settled, np.float32(1), weights.probability(*found[:3]))


def evidence(
    tracks: Relative, label: Ints, scale: float, apart: Ints, company: Float32 | None = None
) -> Evidence:
    """Measure what tells whether tracks belong where they are.

    Parameters
    ----------
    tracks : Relative
        T tracks.
    label : int, shape (T,)
        Cluster of each track, from 0 without gaps.
    scale : float
        Mean relative distance up to which clusters joined.
    apart : int, shape (P, 2)
        Pairs of tracks that are two people: neither may belong to the other's character.
    company : float32, shape (T,), optional
        See :func:`unsure_tracks`; None where it was not asked.

    Returns
    -------
    Evidence
    """
    n = len(label)
    size = np.bincount(label)
    alone = size[label] == 1
    own, other = np.ones((2, n), dtype=np.float32)
    merged = tracks.merged(label) if n else tracks
    one, two = np.concatenate([apart, apart[:, ::-1]]).T

    def near(start: int) -> tuple[Floats, Floats]:
        rows = np.arange(start, min(start + BLOCK, n))
        total = tracks.a[rows] @ merged.b.T  # sums over the tracks of each cluster
        here = np.arange(len(rows)), label[rows]
        itself = np.einsum("nk,nk->n", tracks.a[rows], tracks.b[rows])
        inner = (total[here] - itself) / np.maximum(size[label[rows]] - 1, 1)
        mean = total / merged.size
        mean[here] = np.inf
        inside = (one >= start) & (one < start + BLOCK)
        mean[one[inside] - start, label[two[inside]]] = np.inf
        return inner, mean.min(axis=1)

    starts = range(0, n, BLOCK)
    for start, (inner, outer) in zip(starts, spread(near, starts), strict=True):
        own[start : start + BLOCK], other[start : start + BLOCK] = inner, outer
    own = np.where(alone, np.float32(1), np.maximum(own, 0) / np.float32(scale))
    found = np.zeros(n) if company is None else np.where(alone, np.isnan(company), company)
    return Evidence(
        own,
        np.clip(other / np.float32(scale), 0, FAR),
        np.nan_to_num(found, nan=1.0).astype(np.float32),
        alone & np.isinf(other),
    )
