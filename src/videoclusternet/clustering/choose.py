"""Label-free choice among candidate readings by the stability of the partition (METHOD 8).

The comparison of :mod:`videoclusternet.clustering.stability` also finds the scale of the own
thresholds in ``own`` readings (:mod:`videoclusternet.clustering.average_linkage`): one number
for the film, from a fixed grid.  A film has structure on several levels.  People make one, and
so do men and women, or day and night: few large groups are even more stable than people.  So the
most stable level is not asked for, but the *finest* one that is stable enough.  Embeddings as they
come are kept where they are stable; where they are not, the film is hard, and its own tracks say
how to read it (:func:`calm`).  A round of adaptation must do more: it was trained towards its own
partition, which makes it stable by itself (:func:`adapted`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from videoclusternet.clustering.average_linkage import join, relative, together
from videoclusternet.clustering.distance import Metric
from videoclusternet.clustering.paper_rounds import Partition, agglomerate
from videoclusternet.clustering.reading import OWN, Reading
from videoclusternet.clustering.spaces import SPACES, Spaces, metric_of
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

UNADAPTED = (Reading(SPACES[0], OWN), Reading("+".join(SPACES), OWN))
"""Candidates without adaptation: for films that the face model reads well, and for others.  A
row more or less is a candidate more or less."""
ENOUGH_TRACKS = 30
"""Tracks that tell how a film has to be read; fewer say too little of their own scatter."""
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
    company : float32, shape (K, T)
        How far each track finds the same company again, see
        :func:`videoclusternet.clustering.stability.common_company`; NaN where that was not asked.
    best : int
    """

    names: tuple[Reading, ...]
    stability: Float32
    characters: Int32
    scale: Float32
    company: Float32
    best: int


def partition_of(
    spaces: Spaces, reading: Reading, scale: float, metric: Metric, constraints: Constraints
) -> tuple[Partition, TrackPoints]:
    """Cluster all tracks by one candidate.

    Parameters
    ----------
    spaces : mapping of str to Space
        Those of the reading.
    reading : Reading
    scale : float
        For ``own``.
    metric : Metric
    constraints : Constraints

    Returns
    -------
    Partition
    TrackPoints
        Of the reading's first space.
    """
    here = [spaces[name] for name in reading.spaces]
    metrics = [metric_of(metric, space) for space in here]
    points = [space_points(*both) for both in zip(here, metrics, strict=True)]
    if reading.linkage != OWN:
        rule = rule_named(reading.linkage)
        return agglomerate(points[0], metrics[0], rule, constraints), points[0]
    far = together([relative(*both) for both in zip(points, metrics, strict=True)])
    partition, first = join(far, scale, constraints), points[0]
    if not here[0].has_views:  # what was found is the one threshold of all tracks
        first = replace(first, threshold=first.threshold * np.float32(scale))
    return partition, first


def calm(stability: Mapping[Reading, float]) -> Reading:
    """Return the embeddings as they come where they are stable, else the reading beside them.

    Parameters
    ----------
    stability : mapping of Reading to float
        Mean agreement of the candidates without adaptation, in their order.
    """
    first, *others = stability
    return first if stability[first] >= ENOUGH or not others else others[0]


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
    raw: Space,
    rounds: Spaces,
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
    raw : Space
        The embeddings as they come; T >= 2 tracks.
    rounds : mapping of str to Space
        Rounds of adaptation, of the same crops.
    names : sequence of Reading
        Candidates.
    scale : float
        Scale of ``own`` readings; 0 finds it.

    Others as in :func:`videoclusternet.clustering.stability.stability`.
    """
    levels = levels_of(raw)
    found = stability(raw, rounds, names, metric, constraints, draws, seed, progress)
    tracks = min(raw.tracks, LARGEST)
    column = {name: level(v, tracks, levels) for name, v in found.agreement.items()}
    if scale:
        fixed = int(np.abs(np.log(levels.values / scale)).argmin())
        column |= {name: fixed for name in names if name.scaled}
    scales = [(scale or levels.values[column[n]]) if n.scaled else np.nan for n in names]
    return Choice(
        tuple(names),
        np.array([found.agreement[n][:, column[n]].mean() for n in names], dtype=np.float32),
        np.array([found.characters[n][column[n]] for n in names], dtype=np.int32),
        np.array(scales, dtype=np.float32),
        np.array([found.tracks[n][column[n]] for n in names], dtype=np.float32),
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

    Where the embeddings as they come are stable, as in most films, nothing else without
    adaptation is looked at; neither is it where there are few tracks to go by, or no views
    (features may be one to a track).

    Parameters are those of :func:`measure`.
    """
    adapted_names = tuple(Reading(name, OWN) for name in rounds)
    settings = (metric, constraints, draws, seed, scale, progress)
    choice = measure(raw, rounds, (UNADAPTED[0], *adapted_names), *settings)
    told = raw.has_views and raw.tracks >= ENOUGH_TRACKS
    if choice.stability[0] < ENOUGH and told:
        choice = measure(raw, rounds, (*UNADAPTED, *adapted_names), *settings)
    found = dict(zip(choice.names, choice.stability.tolist(), strict=True))
    best = calm({name: value for name, value in found.items() if name in UNADAPTED})
    return replace(choice, best=choice.names.index(adapted(found, best)))
