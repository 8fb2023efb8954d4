"""What TSiam, SSiam and JFAC share: a small network, a loss on pairs, a tree cut at K.

All three learn on the frozen embeddings of one film from pairs of crops that are taken for
one person or for two, and read the result with Ward's linkage.  All draws come from a seed;
the random states of NumPy and of torch are left as they were.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from scipy.cluster.hierarchy import fcluster, linkage
from torch import Tensor, nn
from torch.nn import functional as F

from videoclusternet.clustering.distance import group_mean, normalise
from videoclusternet.types.arrays import Array, Bools, Float32, Floats, Ints
from videoclusternet_bench.methods.base import Clusterer, Given, Told

MARGIN = 1.0
"""Distance at which two people are far enough apart."""


@dataclass(frozen=True)
class Descent:
    """Gradient descent with momentum; all but the rate are MatConvNet's defaults.

    Attributes
    ----------
    rate : float
        Learning rate, constant.
    momentum : float
    decay : float
        Of the weights.
    """

    rate: float = 1e-3
    momentum: float = 0.9
    decay: float = 5e-4


class Pairs(NamedTuple):
    """Pairs of crops to learn from.

    Attributes
    ----------
    first, second : int, shape (B,)
        Rows of the crops.
    same : bool, shape (B,)
        Whether they are taken for one person.
    """

    first: Ints
    second: Ints
    same: Bools


def both(alike: tuple[Array, Array], unlike: tuple[Array, Array]) -> Pairs:
    """Put the pairs of one person and those of two, each (first, second), end to end."""
    first, second = (np.concatenate(parts) for parts in zip(alike, unlike, strict=True))
    return Pairs(first, second, np.arange(len(first)) < len(alike[0]))


class Siamese(nn.Module):
    """Two linear layers with a rectifier between them: d - hidden - out.

    The loss reads the few outputs, clustering reads the wide first layer before its
    rectifier, as the authors of SSiam do.

    Parameters
    ----------
    width : int
        Width d of the embedding.
    hidden, out : int
    """

    def __init__(self, width: int, hidden: int = 512, out: int = 2) -> None:
        super().__init__()
        self.first = nn.Linear(width, hidden)
        self.second = nn.Linear(hidden, out)
        for layer in (self.first, self.second):
            nn.init.kaiming_normal_(layer.weight)
            nn.init.zeros_(layer.bias)

    def hidden(self, x: Tensor) -> Tensor:
        """Map embeddings (B, d) to what is clustered, (B, hidden)."""
        return torch.as_tensor(self.first(x))

    def forward(self, x: Tensor) -> Tensor:
        """Map embeddings (B, d) to what the loss reads, (B, out)."""
        return torch.as_tensor(self.second(F.relu(self.hidden(x))))


@contextmanager
def drawn_from(seed: int) -> Iterator[None]:
    """Let torch draw from a seed on the CPU, and put its state back at the end."""
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)
        yield


def widened(crops: Array) -> Tensor:
    """Scale unit embeddings to components of about 1: float32 (C, d).

    The papers' features are not of unit length, and their rates and first weights go with
    that: on unit vectors next to nothing would be learnt.
    """
    return torch.from_numpy(crops * np.float32(crops.shape[1] ** 0.5))


def contrastive(first: Tensor, second: Tensor, same: Tensor, margin: float = MARGIN) -> Tensor:
    r"""Contrastive loss (Hadsell et al., 2006) of pairs, a scalar.

    The mean of :math:`d^2` over pairs of one person and of :math:`\max(m - d, 0)^2` over
    pairs of two, in one mean.

    Parameters
    ----------
    first, second : float32, shape (B, k)
    same : bool, shape (B,)
    margin : float
        The m.
    """
    square = (first - second).square().sum(1)
    # The root of 0 has no gradient; a pair that is there already needs none to part it.
    distance = square.clamp_min(1e-12).sqrt()
    return torch.where(same, square, F.relu(margin - distance).square()).mean()


def descend(net: nn.Module, x: Tensor, batches: Iterable[Pairs], descent: Descent) -> None:
    """Train a network on pairs, in place.

    Parameters
    ----------
    net : Module
        From (B, d) to (B, k).
    x : float32, shape (C, d)
    batches : iterable of Pairs
        One step each; empty ones are passed over.
    descent : Descent
    """
    optimizer = torch.optim.SGD(
        net.parameters(), descent.rate, descent.momentum, weight_decay=descent.decay
    )
    for pairs in batches:
        if len(pairs.first) == 0:
            continue
        first, second, same = (torch.from_numpy(part) for part in pairs)
        out_first, out_second = net(x[torch.cat((first, second))]).chunk(2)
        optimizer.zero_grad()
        contrastive(out_first, out_second, same).backward()  # type: ignore[no-untyped-call]
        optimizer.step()


def learnt(embed: Callable[[Tensor], Tensor], x: Tensor) -> Float32:
    """Return what a trained network makes of crops (C, d): float32 (C, k)."""
    with torch.no_grad():
        return np.asarray(embed(x).numpy())


def by_track(crops: Array, given: Given) -> Float32:
    """Return the tracks' means of their crops (C, k), of unit length: float32 (T, k)."""
    return normalise(group_mean(crops, given.track, given.tracks))


def obvious(tracks: int, clusters: int) -> Ints | None:
    """Return the partition where the number of people leaves no choice, int (T,), or None."""
    if tracks < 2 or clusters < 2:
        return np.zeros(tracks, dtype=np.int64)
    return np.arange(tracks) if tracks <= clusters else None


def ward(points: Floats, clusters: int) -> Ints:
    """Cut the tree of Ward's linkage into so many clusters; fewer where points are equal.

    Parameters
    ----------
    points : float, shape (n, k)
    clusters : int

    Returns
    -------
    int, shape (n,)
        From 0.
    """
    known = obvious(len(points), clusters)
    if known is not None:
        return known
    tree = linkage(points.astype(np.float64), "ward")
    return np.asarray(fcluster(tree, clusters, "maxclust") - 1, dtype=np.int64)


def by_siamese(
    pairs: Callable[[Given, int], Iterable[Pairs]], hidden: int, descent: Descent
) -> Clusterer:
    """Return a method: a Siamese network learns pairs, Ward's linkage cuts its hidden layer.

    Parameters
    ----------
    pairs : callable
        From tracks and a seed to the pairs of each step.
    hidden : int
        Width of what is clustered, as the mean over each track.
    descent : Descent
    """

    def partition(given: Given, told: Told, seed: int) -> Array:
        assert told.clusters is not None
        known = obvious(given.tracks, told.clusters)
        if known is not None:
            return known
        x = widened(given.crops)
        with drawn_from(seed):
            net = Siamese(x.shape[1], hidden)
        descend(net, x, pairs(given, seed), descent)
        return ward(by_track(learnt(net.hidden, x), given), told.clusters)

    return partition


@dataclass(frozen=True)
class Groups:
    """Items 0 to n - 1 in groups, to draw from.

    Attributes
    ----------
    group : int, shape (n,)
        Group of each item.
    order : int, shape (n,)
        The items, group by group.
    place : int, shape (n,)
        Where each item stands among those of its group.
    start, count : int, shape (groups,)
        Where each group begins in ``order``, and its number of items.
    """

    group: Ints
    order: Ints
    place: Ints
    start: Ints
    count: Ints

    @classmethod
    def of(cls, group: Array, groups: int) -> Groups:
        """Sort items by their group (n,), below ``groups``."""
        order = np.argsort(group, kind="stable")
        count = np.bincount(group, minlength=groups)
        start = np.cumsum(count) - count
        place = np.empty(len(group), dtype=np.int64)
        place[order] = np.arange(len(group)) - start[group[order]]
        return cls(group, order, place, start, count)

    def member(self, groups: Array, rng: np.random.Generator) -> Ints:
        """Draw an item of each of these groups (m,), none of them empty: int (m,)."""
        return self._at(groups, rng.random(len(groups)) * self.count[groups])

    def another(self, items: Array, rng: np.random.Generator) -> Array:
        """Draw for each item (m,) another of its group; itself if it is alone."""
        group = self.group[items]
        count = self.count[group]
        step = 1 + (rng.random(len(items)) * (count - 1)).astype(np.int64)
        return self._at(group, (self.place[items] + step) % count)

    def outside(self, items: Array, rng: np.random.Generator) -> Array:
        """Draw for each item (m,) one of another group; there must be one."""
        group = self.group[items]
        step = rng.random(len(items)) * (len(self.order) - self.count[group])
        # The other groups' items follow one's own, seen as a ring.
        return self._at(group, self.count[group] + step.astype(np.int64))

    def _at(self, group: Array, place: Array) -> Array:
        at = self.start[group] + place.astype(np.int64)
        return np.asarray(self.order[at % len(self.order)])


def in_batches(items: int, size: int, rng: np.random.Generator) -> Iterator[Array]:
    """Go through items 0 to n - 1 once, in random order: int (at most ``size``,) each."""
    order = rng.permutation(items)
    for start in range(0, items, size):
        yield order[start : start + size]
