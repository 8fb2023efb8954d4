"""TSiam: a small network that learns from what tracks say (Sharma et al., FG 2019).

Two crops of a track are one person; two tracks that share a frame are two.  A Siamese
network of two layers on frozen embeddings learns this with the contrastive loss; its
hidden layer, averaged over each track, is clustered by Ward's linkage into the true
number of people.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from videoclusternet.types.arrays import Array
from videoclusternet_bench.methods.base import Clusterer, Given, Method
from videoclusternet_bench.methods.embedding_net import (
    Descent,
    Groups,
    Pairs,
    both,
    by_siamese,
    in_batches,
)


@dataclass(frozen=True)
class TSiamSettings:
    """How TSiam learns.

    Attributes
    ----------
    epochs : int
        Each takes every crop once.
    batch : int
        Pairs of a step, half of them of one person.
    hidden : int
        Width of what is clustered.
    farthest : int
        How many tracks a track that meets no other is held against.
    share : float
        These are at most this share of the film's tracks.
    descent : Descent
    """

    epochs: int = 100
    batch: int = 32
    hidden: int = 512
    farthest: int = 25
    share: float = 0.25
    descent: Descent = field(default_factory=Descent)


USUAL = TSiamSettings()


def opponents(given: Given, settings: TSiamSettings = USUAL) -> tuple[Array, Array]:
    """Tell which tracks are taken for other people.

    Those that share a frame with a track.  A track that meets no other (in a film without
    such pairs, every track) is held against the tracks whose means are farthest from its
    own, as we read the paper; with fewer than ``1 / share`` tracks there are none of these,
    and then it learns from its own crops only.

    Returns
    -------
    track, opponent : int, shape (M,)
        In any order; ``track`` may have no, one or many rows.
    """
    track, opponent = np.concatenate([given.apart, given.apart[:, ::-1]]).astype(np.int64).T
    alone = np.setdiff1d(np.arange(given.tracks), track)
    some = min(settings.farthest, int(settings.share * given.tracks))
    similarity = given.means[alone] @ given.means.T
    far = np.argsort(similarity, axis=1, kind="stable")[:, :some]
    return (
        np.concatenate([track, np.repeat(alone, some)]),
        np.concatenate([opponent, far.ravel()]),
    )


def track_pairs(given: Given, seed: int, settings: TSiamSettings = USUAL) -> Iterator[Pairs]:
    """Draw the pairs of each step.

    Each crop meets another of its track (itself, which teaches nothing, if it is the only
    one) and, where its track has opponents, a crop of one of them.
    """
    rng = np.random.default_rng(seed)
    crops = Groups.of(given.track, given.tracks)
    track, opponent = opponents(given, settings)
    against = Groups.of(track, given.tracks)
    for _ in range(settings.epochs):
        for some in in_batches(len(given.track), max(settings.batch // 2, 1), rng):
            facing = some[against.count[given.track[some]] > 0]
            other = opponent[against.member(given.track[facing], rng)]
            yield both((some, crops.another(some, rng)), (facing, crops.member(other, rng)))


def tsiam(settings: TSiamSettings = USUAL) -> Clusterer:
    """Return TSiam with these settings.

    Where it departs from the paper or fills in what is not known of it: the features are
    those of the bench, scaled to components of about 1; an epoch is one pass over the crops;
    half of a batch are pairs of one person; momentum, weight decay, rate and first weights
    are those of the authors' program for SSiam; a lone track is held against at most a
    quarter of the film, for in a short film the 25 farthest are nearly everybody.

    With no two tracks known to be apart (``Given.apart`` empty) the pairs of two people are
    guesses throughout, see :func:`opponents`.
    """
    return by_siamese(
        lambda given, seed: track_pairs(given, seed, settings),
        settings.hidden,
        settings.descent,
    )


TSIAM = Method("tsiam", "TSiam", "clusters", tsiam(), trains=True, source="Sharma et al. 2019")
