r"""JFAC: labels and representation by turns; a re-implementation from the description.

After "Joint Face Representation Adaptation and Clustering in Videos" (Zhang et al., ECCV
2016).  Who is who is a Markov random field: each person is a Gaussian, crops of a track
are of one person, tracks that share a frame are of two.  Given the representation, its
labels are found; given the labels, the representation is finetuned on pairs of crops with
equal and unequal labels by the contrastive loss; and again.

The energy of labels y of the tracks t,

.. math:: \sum_t \sum_{i \in t} -\log N(x_i; \mu_{y_t}, \Sigma_{y_t})
          + w \cdot |\{(s, t) \text{ apart}: y_s = y_t\}|,

is lowered one track at a time (iterated conditional modes).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import torch
from sklearn.decomposition import PCA
from torch import Tensor, nn
from torch.nn import functional as F

from videoclusternet.clustering.distance import group_mean, group_sum
from videoclusternet.types.arrays import Array, Float32, Float64, Floats, Ints
from videoclusternet_bench.methods.base import Clusterer, Given, Method, Told
from videoclusternet_bench.methods.embedding_net import (
    Descent,
    Groups,
    Pairs,
    both,
    by_track,
    descend,
    drawn_from,
    in_batches,
    learnt,
    obvious,
    ward,
)


@dataclass(frozen=True)
class JfacSettings:
    """How JFAC learns.

    Attributes
    ----------
    rounds : int
        Times that the representation is finetuned.
    epochs : int
        Of a round; each takes every crop once.
    batch : int
        Pairs of a step, half of them of one person.
    hidden : int
    axes : int
        Principal axes in which the Gaussians live.
    prior : float
        Crops' worth of the common variance in each person's own.
    passes : int
        At most, over the tracks; it ends when one changes nothing.
    descent : Descent
    """

    rounds: int = 4
    epochs: int = 5
    batch: int = 128
    hidden: int = 512
    axes: int = 32
    prior: float = 32
    passes: int = 20
    descent: Descent = field(default_factory=lambda: Descent(rate=3e-3))


USUAL = JfacSettings()


class Finetuned(nn.Module):
    """The frozen embedding and a correction of it, zero at first: d - hidden - d.

    A stand-in for the convolutional network that the paper finetunes: that too begins as it
    was trained, where a random network would begin by forgetting.

    Parameters
    ----------
    width : int
        Width d of the embedding.
    hidden : int
    """

    def __init__(self, width: int, hidden: int) -> None:
        super().__init__()
        self.scale = width**0.5
        self.first = nn.Linear(width, hidden)
        self.second = nn.Linear(hidden, width)
        nn.init.zeros_(self.second.weight)
        nn.init.zeros_(self.second.bias)

    def forward(self, x: Tensor) -> Tensor:
        """Map unit embeddings (B, d) to unit embeddings (B, d)."""
        return F.normalize(x + self.second(F.relu(self.first(self.scale * x))), dim=1)


def unary(crops: Floats, track: Ints, label: Ints, clusters: int, prior: float) -> Float64:
    """Return how badly each track fits each person, up to a constant.

    Each person is a Gaussian with the mean of its crops and, along each axis, their
    variance; to this is added the variance common to all, as if ``prior`` crops more had it.

    Parameters
    ----------
    crops : float, shape (C, p)
    track : int, shape (C,)
    label : int, shape (T,)
        Every person has a track.
    clusters : int
        Number of persons K.
    prior : float

    Returns
    -------
    float64, shape (T, K)
        Minus the log density, summed over the track's crops.
    """
    own = label[track]
    count = np.bincount(own, minlength=clusters)[:, None]
    mean = group_mean(crops, own, clusters)
    square = group_sum((crops - mean[own]) ** 2, own, clusters)
    common = square.sum(0) / len(crops) + 1e-6
    variance = (square + prior * common) / (count + prior)
    # (x - m)^2 / v is a product of two vectors: no array of crops by persons by axes.
    crop = crops.astype(np.float64)
    fit = crop**2 @ (1 / variance).T - 2 * crop @ (mean / variance).T
    fit += (mean**2 / variance + np.log(variance)).sum(1)
    return group_sum(fit / 2, track, len(label))


def settle(cost: Floats, apart: Ints, label: Ints, order: Ints) -> Ints:
    """Go through the tracks once, each taking the label of least energy.

    Two tracks apart that share a label cost more than any label alone can, so that they do
    only where there are too few labels.  A label's last track keeps it.

    Parameters
    ----------
    cost : float, shape (T, K)
    apart : int, shape (P, 2)
    label : int, shape (T,)
    order : int, shape (T,)
        Of the tracks.

    Returns
    -------
    int, shape (T,)
    """
    label = label.copy()
    clusters = cost.shape[1]
    size = np.bincount(label, minlength=clusters)
    weight = np.ptp(cost) + 1.0
    met: list[list[int]] = [[] for _ in label]
    for one, two in apart.tolist():
        met[one].append(two)
        met[two].append(one)
    for t in order.tolist():
        if size[label[t]] == 1:
            continue
        size[label[t]] -= 1
        label[t] = (cost[t] + weight * np.bincount(label[met[t]], minlength=clusters)).argmin()
        size[label[t]] += 1
    return label


def infer(crops: Float32, given: Given, clusters: int, seed: int, settings: JfacSettings) -> Ints:
    """Find the labels of the tracks in a representation.

    Begins with the cut of Ward's tree of the tracks' means, then estimates the Gaussians
    and takes the labels by turns.

    Parameters
    ----------
    crops : float32, shape (C, d)
    given : Given
    clusters : int
        From 2 to T - 1.
    seed : int
    settings : JfacSettings

    Returns
    -------
    int, shape (T,)
    """
    rng = np.random.default_rng(seed)
    label = ward(by_track(crops, given), clusters)
    clusters = int(label.max()) + 1  # of equal tracks there may be fewer
    if clusters == 1:
        return label
    axes = min(settings.axes, crops.shape[1], len(crops) - 1)
    inside = PCA(axes, random_state=seed).fit_transform(crops)
    for _ in range(settings.passes):
        cost = unary(inside, given.track, label, clusters, settings.prior)
        new = settle(cost, given.apart, label, rng.permutation(given.tracks))
        if np.array_equal(new, label):
            break
        label = new
    return label


def label_pairs(
    given: Given, label: Ints, rng: np.random.Generator, settings: JfacSettings = USUAL
) -> Iterator[Pairs]:
    """Draw the pairs of each step of a round.

    Each crop meets another of its person and one of another person; where its track is
    known to be apart from others, that one is of these in half of the cases.

    Parameters
    ----------
    given : Given
    label : int, shape (T,)
        At least two persons.
    rng : Generator
    settings : JfacSettings
    """
    people = Groups.of(label[given.track], int(label.max()) + 1)
    crops = Groups.of(given.track, given.tracks)
    track, other = np.concatenate([given.apart, given.apart[:, ::-1]]).astype(np.int64).T
    met = Groups.of(track, given.tracks)
    for _ in range(settings.epochs):
        for some in in_batches(len(given.track), max(settings.batch // 2, 1), rng):
            stranger = people.outside(some, rng)
            sure = (met.count[given.track[some]] > 0) & (rng.random(len(some)) < 0.5)
            beside = other[met.member(given.track[some[sure]], rng)]
            stranger[sure] = crops.member(beside, rng)
            yield both((some, people.another(some, rng)), (some, stranger))


def jfac(settings: JfacSettings = USUAL) -> Clusterer:
    """Return JFAC with these settings.

    Re-implemented from the description.  Where it departs from the paper: frozen embeddings
    and a correction of them by two layers, not a convolutional network, are finetuned; the
    Gaussians have variances along ``axes`` principal axes and no covariances, for a person
    may have few crops; links hold as firmly as the number of people allows; each round's
    labels begin with Ward's tree in the new representation; numbers of rounds, pairs and
    steps are ours.
    """

    def partition(given: Given, told: Told, seed: int) -> Array:
        assert told.clusters is not None
        known = obvious(given.tracks, told.clusters)
        if known is not None:
            return known
        rng = np.random.default_rng(seed)
        x = torch.from_numpy(given.crops.copy())
        with drawn_from(seed):
            net = Finetuned(x.shape[1], settings.hidden)
        label = infer(given.crops, given, told.clusters, seed, settings)
        for _ in range(settings.rounds):
            if label.max() == 0:
                break  # all tracks are equal: nobody to tell apart
            descend(net, x, label_pairs(given, label, rng, settings), settings.descent)
            label = infer(learnt(net, x), given, told.clusters, seed, settings)
        return label

    return partition


JFAC = Method(
    "jfac", "JFAC (our reading)", "clusters", jfac(), trains=True, source="Zhang et al. 2016"
)
