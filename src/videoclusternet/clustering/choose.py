"""Label-free choice among candidate readings by the stability of the partition (METHOD 8).

The comparison of :mod:`videoclusternet.clustering.stability` also finds the scale of the own
thresholds in ``own`` readings (:mod:`videoclusternet.clustering.average_linkage`): one number
for the film, from a fixed grid.  A film has structure on several levels.  People make one, and
so do men and women, or day and night: few large groups are even more stable than people.  So the
most stable level is not asked for, but the *finest* one that is stable enough, and likewise the
simplest reading that is stable enough (:func:`simplest`).  A round of adaptation must do more:
it was trained towards its own partition, which makes it stable by itself (:func:`adapted`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from videoclusternet.clustering.average_linkage import join, relative
from videoclusternet.clustering.distance import Metric
from videoclusternet.clustering.paper_rounds import RULES, Partition, agglomerate
from videoclusternet.clustering.reading import OWN, Reading
from videoclusternet.clustering.spaces import SPACES, Spaces, metric_of, spaces
from videoclusternet.clustering.stability import (
    ENOUGH,
    LARGEST,
    MEANINGFUL,
    level,
    levels_of,
    rule_named,
    stability,
)
from videoclusternet.clustering.track_points import TrackPoints, space_points
from videoclusternet.clustering.whitening import Space
from videoclusternet.events import Progress, no_progress
from videoclusternet.types import Constraints
from videoclusternet.types.arrays import Float32, Int32

UNADAPTED = tuple(Reading(space, linkage) for linkage in (OWN, *RULES) for space in SPACES)
"""Candidates without adaptation, simplest first: one linkage before many rules, frozen
before whitened.  A row more or less is a candidate more or less."""
CALMER = 0.5
"""Share of the instability of the best other reading that a round must stay below."""


@dataclass(frozen=True)
class Choice:
    """Outcome of the choice.

    Attributes
    ----------
    names : tuple of Reading
        Every candidate, simplest first.
    stability : float32, shape (K,)
        Mean agreement of each, at its best scale.
    characters : int32, shape (K,)
        Clusters each finds; on a film of more than ``LARGEST`` tracks, in a subset.
    scale : float32, shape (K,)
        Scale of the own thresholds, NaN for readings without one.
    best : int
    """

    names: tuple[Reading, ...]
    stability: Float32
    characters: Int32
    scale: Float32
    best: int


def partition_of(
    space: Space, linkage: str, scale: float, metric: Metric, constraints: Constraints
) -> tuple[Partition, TrackPoints]:
    """Cluster all tracks by one candidate.

    Parameters
    ----------
    space : Space
    linkage : str
        ``own`` or one of ``RULES``.
    scale : float
        For ``own``.
    metric : Metric
    constraints : Constraints
    """
    metric = metric_of(metric, space)
    points = space_points(space, metric)
    if linkage == OWN:
        partition = join(relative(points, metric), scale, constraints)
        if not space.has_views:  # what was found is the one threshold of all tracks
            points = replace(points, threshold=points.threshold * np.float32(scale))
        return partition, points
    return agglomerate(points, metric, rule_named(linkage), constraints), points


def candidates(spaces: Spaces) -> tuple[Reading, ...]:
    """Return all candidates, the rounds of adaptation last."""
    return (*UNADAPTED, *(Reading(name, OWN) for name in spaces if name not in SPACES))


def simplest(stability: Mapping[Reading, float]) -> Reading:
    """Return the first candidate that reaches ``ENOUGH`` of the highest agreement.

    Without structure to go by, the first of all.

    Parameters
    ----------
    stability : mapping of Reading to float
        Mean agreement, simplest candidate first.
    """
    best = max(stability.values())
    enough = ENOUGH * best if best >= MEANINGFUL else -np.inf
    return next(name for name, value in stability.items() if value >= enough)


def adapted(stability: Mapping[Reading, float], best: Reading) -> Reading:
    """Return the most stable round of adaptation if it is much calmer than ``best``.

    Parameters
    ----------
    stability : mapping of Reading to float
        Of all candidates.
    best : Reading
        The choice among those without adaptation.
    """
    rounds = [name for name in stability if name not in UNADAPTED]
    if not rounds:
        return best
    calmest = max(rounds, key=lambda name: stability[name])
    calm = 1 - stability[calmest] < CALMER * (1 - stability[best])
    return calmest if calm and stability[calmest] >= MEANINGFUL else best


def measure(
    spaces: Spaces,
    names: Sequence[Reading],
    metric: Metric,
    constraints: Constraints,
    draws: int,
    seed: int,
    scale: float = 0.0,
    progress: Progress = no_progress,
) -> Choice:
    """Measure some candidates and pick the first.

    Parameters
    ----------
    spaces : mapping of str to Space
        Of the same crops; T >= 2 tracks.
    names : sequence of Reading
        Candidates.
    scale : float
        Scale of ``own`` readings; 0 finds it.

    Others as in :func:`videoclusternet.clustering.stability.stability`.
    """
    some = next(iter(spaces.values()))
    levels = levels_of(some)
    values, count = stability(spaces, names, metric, constraints, draws, seed, progress)
    column = {name: level(v, min(some.tracks, LARGEST), levels) for name, v in values.items()}
    if scale:
        fixed = int(np.abs(np.log(levels.values / scale)).argmin())
        column |= {name: fixed for name in names if name.scaled}
    scales = [(scale or levels.values[column[n]]) if n.scaled else np.nan for n in names]
    return Choice(
        tuple(names),
        np.array([values[n][:, column[n]].mean() for n in names], dtype=np.float32),
        np.array([count[n][column[n]] for n in names], dtype=np.int32),
        np.array(scales, dtype=np.float32),
        0,
    )


def choose(
    raw: Space,
    rounds: Spaces,
    metric: Metric,
    constraints: Constraints,
    draws: int,
    seed: int,
    scale: float = 0.0,
    progress: Progress = no_progress,
) -> Choice:
    """Compare candidates and pick one.

    The first candidate is taken when it reaches ``ENOUGH`` of the highest agreement, and no
    agreement exceeds 1: where it reaches ``ENOUGH`` itself, as in most films, the others
    without adaptation cannot change the choice, and are not looked at.  Without views, which
    they need, there are no others.

    Parameters
    ----------
    raw : Space
        The embeddings as they come; T >= 2 tracks.
    rounds : mapping of str to Space
        Rounds of adaptation, of the same crops.

    Others as in :func:`measure`.
    """
    few: Spaces = {SPACES[0]: raw, **rounds}
    names = (UNADAPTED[0], *candidates(few)[len(UNADAPTED) :])
    choice = measure(few, names, metric, constraints, draws, seed, scale, progress)
    if choice.stability[0] < ENOUGH and raw.has_views:
        every: Spaces = {**spaces(raw), **rounds}
        choice = measure(
            every, candidates(every), metric, constraints, draws, seed, scale, progress
        )
    found = dict(zip(choice.names, choice.stability.tolist(), strict=True))
    best = simplest({name: value for name, value in found.items() if name in UNADAPTED})
    return replace(choice, best=choice.names.index(adapted(found, best)))
