"""SSiam: a small network that learns from its own sure guesses (Sharma et al., FG 2019).

Of a random draw of crops, each one's nearest neighbour is taken for the same person and
its farthest for another, whatever track they are of.  What teaches most are the nearest
that are not near and the farthest that are not far: the pairs with the largest distance
among the former and the smallest among the latter.  A Siamese network of two layers on
frozen embeddings learns them with the contrastive loss; its hidden layer, averaged over
each track, is clustered by Ward's linkage into the true number of people.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from videoclusternet.types.arrays import Array, Float32
from videoclusternet_bench.methods.base import Clusterer, Method
from videoclusternet_bench.methods.embedding_net import Descent, Pairs, both, by_siamese


@dataclass(frozen=True)
class SSiamSettings:
    """How SSiam learns.

    Attributes
    ----------
    epochs : int
        Each has as many steps as the film has batches of crops.
    batch : int
        Pairs of a step, half of them of one person.
    draw : int
        Crops that a step looks at.
    share : float
        They are at most this share of the film's crops.
    hidden : int
        Width of what is clustered.
    descent : Descent
    """

    epochs: int = 15
    batch: int = 128
    draw: int = 3000
    share: float = 0.5
    hidden: int = 512
    descent: Descent = field(default_factory=Descent)


USUAL = SSiamSettings()


def ranked_pairs(crops: Float32, half: int) -> Pairs:
    """Choose the pairs of one step.

    Parameters
    ----------
    crops : float32, shape (n, d)
        Unit embeddings.
    half : int
        Pairs of each kind, at most n.

    Returns
    -------
    Pairs
        Rows of ``crops``: (i, nearest of i) of the largest distances, largest first, then
        (i, farthest of i) of the smallest, smallest first.
    """
    if len(crops) < 2:
        none = np.zeros(0, dtype=np.int64)
        return Pairs(none, none, np.zeros(0, dtype=bool))
    rows = np.arange(len(crops))
    similarity = crops @ crops.T
    farthest = similarity.argmin(1)
    far = similarity[rows, farthest]
    similarity[rows, rows] = -np.inf
    nearest = similarity.argmax(1)
    near = similarity[rows, nearest]
    # On unit vectors the order of distances is that of the cosines, turned round.
    alike = np.argsort(near, kind="stable")[:half]
    unlike = np.argsort(-far, kind="stable")[:half]
    return both((alike, nearest[alike]), (unlike, farthest[unlike]))


def sure_pairs(crops: Array, seed: int, settings: SSiamSettings = USUAL) -> Iterator[Pairs]:
    """Draw the pairs of each step from unit embeddings (C, d) of the film's crops."""
    rng = np.random.default_rng(seed)
    draw = min(settings.draw, max(int(settings.share * len(crops)), 2), len(crops))
    # Of few crops a draw would otherwise give all, the wrong among them, to each step.
    half = min(settings.batch // 2, max(draw // 2, 1))
    for _ in range(settings.epochs * -(-len(crops) // settings.batch)):
        some = rng.choice(len(crops), draw, replace=False)
        first, second, same = ranked_pairs(crops[some], half)
        yield Pairs(some[first], some[second], same)


def ssiam(settings: SSiamSettings = USUAL) -> Clusterer:
    """Return SSiam with these settings.

    Follows the authors' public program: sizes, loss, momentum, weight decay, rate, first
    weights, pairs by the frozen features throughout, and the number of steps.  It departs
    where a bench of sampled crops is not an episode of a hundred thousand frames: a step
    looks at no more than half of the crops, drawn without repetition, for else every step
    would find the same pairs; at least half of those it looks at are left out of each kind of
    pair; and the features are those of the bench, of unit length when pairs are chosen and
    scaled to components of about 1 when they are learnt.
    """
    return by_siamese(
        lambda given, seed: sure_pairs(given.crops, seed, settings),
        settings.hidden,
        settings.descent,
    )


SSIAM = Method("ssiam", "SSiam", "clusters", ssiam(), trains=True, source="Sharma et al. 2019")
