"""What embeddings say without labels: matches, a partition, and how stable it is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from videoclusternet.clustering.choose import level, partition_of
from videoclusternet.clustering.coarse_matching import find_links
from videoclusternet.clustering.distance import Metric
from videoclusternet.clustering.reading import OWN, Reading
from videoclusternet.clustering.spaces import SPACES, raw_space
from videoclusternet.clustering.stability import LARGEST, SCALES, agreement, stability
from videoclusternet.config import MatchConfig
from videoclusternet.types import Constraints, Embeddings, Links, Views
from videoclusternet.types.arrays import Array, Float32, Ints

READING = Reading(SPACES[0], OWN)
DRAWS = 8
"""Perturbations behind the partition of a round."""


@dataclass(frozen=True)
class Judged:
    """What the present embeddings say, without labels.

    Attributes
    ----------
    links : Links
        Coarse matches between kept tracks.
    label : int, shape (T,)
        Present clusters, -1 for tracks that are set aside.
    stability : float
        Agreement of that partition with itself under perturbation.
    """

    links: Links
    label: Ints
    stability: float


def judge(
    constraints: Constraints, config: MatchConfig, seed: int, weight: Float32 | None = None
) -> Callable[[Embeddings, Views, Array], Judged]:
    """Return the judge of a film's rounds.

    Parameters
    ----------
    constraints : Constraints
    config : MatchConfig
    seed : int
    weight : float32, shape (C,), optional
        How much each crop counts in the mean of its track; by default all alike.

    Returns
    -------
    callable
        From embeddings, views and the kept tracks, bool (T,), to :class:`Judged`.  The partition
        is that of average linkage in units of own thresholds at its most telling scale,
        whatever the final clustering will be.
    """
    metric = Metric("cosine")

    def judged(embeddings: Embeddings, views: Views, kept: Array) -> Judged:
        keep = np.flatnonzero(kept)
        links = find_links(embeddings, views, config, keep)
        label = np.full(len(kept), -1, dtype=np.int32)
        if len(keep) < 2:
            label[keep] = np.arange(len(keep))
            return Judged(links, label, float("nan"))
        space, known = raw_space(embeddings, views, keep, weight=weight), constraints.inside(keep)
        found = stability(space, {}, (READING,), metric, known, DRAWS, seed)
        values = found.agreement[READING]
        column = level(values, min(len(keep), LARGEST))
        scale = float(SCALES[column])
        partition, _ = partition_of({space.name: space}, READING, scale, metric, known)
        label[keep] = partition.label
        return Judged(links, label, float(values[:, column].mean()))

    return judged


def compared(
    number: int, now: Judged, before: Judged, constraints: Constraints
) -> dict[str, float]:
    """Describe a round, and how far it went from the one before, for ``rounds.parquet``.

    Parameters
    ----------
    number : int
    now, before : Judged
    constraints : Constraints
    """
    both = np.stack([now.links.a, now.links.b], axis=1)
    apart = {tuple(sorted(pair)) for pair in constraints.apart.tolist()}
    wrong = sum(tuple(sorted(pair)) in apart for pair in both.tolist())
    known = (now.label >= 0) & (before.label >= 0)
    return {
        "round": number,
        "matches": len(now.links),
        "agreement": agreement(before.label[known], now.label[known]),
        "stability": now.stability,
        "characters": int(now.label.max(initial=-1)) + 1,
        "together": wrong / len(both) if len(both) else 0.0,
    }


def line(judged: Mapping[str, float]) -> str:
    """Say in a line what a round gave."""
    return (
        f"round {judged['round']}: {judged['matches']:.0f} matches, "
        f"{judged['characters']:.0f} characters, stability {judged['stability']:.2f}"
    )
