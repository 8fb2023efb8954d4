"""Label-free choice among candidate readings by the stability of the partition (METHOD 8).

The comparison of :mod:`videoclusternet.clustering.stability` also finds the scale of the own
thresholds in ``own`` readings (:mod:`videoclusternet.clustering.average_linkage`): one number
for the film, from a fixed grid.  A film has structure on several levels.  People make one, and
so do men and women, or day and night: few large groups are even more stable than people.  So the
most stable level is not asked for, but the *finest* one that is stable enough.  Embeddings as they
come are kept where they are stable; where they are not, the film is hard, and its own tracks say
how to read it: by the scatter of crops inside them, and, where the face model has learnt from
them, by what it has learnt besides (:func:`calm`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.ndimage import uniform_filter1d

from videoclusternet.clustering.average_linkage import Relative, join, relative, together
from videoclusternet.clustering.distance import Metric
from videoclusternet.clustering.paper_rounds import Partition, agglomerate
from videoclusternet.clustering.reading import OWN, Reading
from videoclusternet.clustering.spaces import SPACES, Spaces, metric_of
from videoclusternet.clustering.stability import (
    LARGEST,
    SCALED,
    Levels,
    levels_of,
    rule_named,
    stability,
)
from videoclusternet.clustering.track_points import TrackPoints, space_points
from videoclusternet.clustering.whitening import Space
from videoclusternet.events import Progress, no_progress
from videoclusternet.types import Constraints
from videoclusternet.types.arrays import Float32, Float64, Int32

UNADAPTED = (Reading(SPACES[0], OWN), Reading("+".join(SPACES), OWN))
"""Candidates without adaptation: for films that the face model reads well, and for others.  A
row more or less is a candidate more or less; each round of adaptation joins the last one."""
NEIGHBOURS = 2
"""Scales on either side over which agreement is averaged: peaks of chance are narrow."""
MEANINGFUL = 0.5
"""Below this agreement there is no structure to go by, and thresholds stay as they are."""
ENOUGH = 0.85
"""Share of the highest agreement from which a level is stable enough, and the agreement from which
a reading is."""
ENOUGH_TRACKS = 30
"""Tracks that tell how a film has to be read; fewer say too little of their own scatter."""


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
    first = spaces[reading.spaces[0]]
    points = space_points(first, metric_of(metric, first))
    if reading.linkage != OWN:
        rule = rule_named(reading.linkage)
        return agglomerate(points, metric_of(metric, first), rule, constraints), points
    partition = join(distances(spaces, reading, metric), scale, constraints)
    if not first.has_views:  # what was found is the one threshold of all tracks
        points = replace(points, threshold=points.threshold * np.float32(scale))
    return partition, points


def distances(spaces: Spaces, reading: Reading, metric: Metric) -> Relative:
    """Return the relative distances of tracks, averaged over the spaces of a reading."""
    each = [(spaces[name], metric_of(metric, spaces[name])) for name in reading.spaces]
    return together([relative(space_points(*both), both[1]) for both in each])


def level(values: Float64, tracks: int, levels: Levels = SCALED) -> int:
    """Return the column of the finest level that is stable enough.

    Going from the finest scale upwards, the first peak that reaches ``ENOUGH`` of the
    highest.  Agreement is averaged over draws and over ``NEIGHBOURS`` scales on either
    side, and the squared logarithm of the scale is taken off, ``prior / tracks`` times: few
    tracks say little, then the scale stays near 1.

    Parameters
    ----------
    values : float64, shape (draws, scales)
        A single column has nothing to choose.
    tracks : int
        Tracks behind the values.
    levels : Levels
    """
    if values.shape[1] == 1:
        return 0
    mean = uniform_filter1d(values.mean(axis=0), 2 * NEIGHBOURS + 1, mode="nearest")
    mean -= levels.prior / tracks * np.log(levels.values) ** 2
    if mean.max() < MEANINGFUL:
        return levels.default
    peak = int(np.argmax(mean >= ENOUGH * mean.max()))
    while peak + 1 < len(mean) and mean[peak + 1] >= mean[peak]:
        peak += 1
    return peak


def calm(stability: Mapping[Reading, float]) -> Reading:
    """Return the embeddings as they come where they are stable, else the calmest other reading.

    None of them ever saw a partition, so their stability may be compared.

    Parameters
    ----------
    stability : mapping of Reading to float
        Mean agreement of the candidates in their order; of equal ones the last is taken.
    """
    first, *others = stability
    if stability[first] >= ENOUGH or not others:
        return first
    return max(reversed(others), key=lambda name: stability[name])


def measure(
    raw: Space,
    rounds: Spaces,
    names: Sequence[Reading],
    metric: Metric,
    known: Constraints,
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
        Rounds of adaptation that never saw a partition, of the same crops.
    names : sequence of Reading
        Candidates.
    scale : float
        Scale of ``own`` readings; 0 finds it.

    Others as in :func:`videoclusternet.clustering.stability.stability`.
    """
    levels, tracks = levels_of(raw), min(raw.tracks, LARGEST)
    found = stability(raw, rounds, names, metric, known, draws, seed, progress)
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
    known: Constraints,
    draws: int,
    seed: int,
    scale: float = 0.0,
    progress: Progress = no_progress,
) -> Choice:
    """Compare candidates and pick one.

    Where the embeddings as they come are stable, as in most films, nothing else is looked at;
    neither is it where there are few tracks to go by, or no views (features may be one to a
    track).

    Parameters are those of :func:`measure`.
    """
    settings = (draws, seed, scale, progress)
    choice = measure(raw, {}, UNADAPTED[:1], metric, known, *settings)
    told = raw.has_views and raw.tracks >= ENOUGH_TRACKS
    if told and choice.stability[0] < ENOUGH:
        last = UNADAPTED[-1].space
        names = (*UNADAPTED, *(Reading(f"{last}+{name}", OWN) for name in rounds))
        choice = measure(raw, rounds, names, metric, known, *settings)
    found = dict(zip(choice.names, choice.stability.tolist(), strict=True))
    return replace(choice, best=choice.names.index(calm(found)))
