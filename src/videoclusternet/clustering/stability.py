"""Does a partition come out again from half of the pictures (METHOD 8).

Perturb: draw two random subsets of the tracks; in the first keep a random half of each
track's crops, in the second the other half.  Cluster each subset from its own means,
thresholds and null model.  A reading is stable when both find the same company for each
track: see :func:`agreement`.  No label is ever seen.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from videoclusternet.clustering.average_linkage import cut, relative, together, tree
from videoclusternet.clustering.distance import Metric
from videoclusternet.clustering.paper_rounds import RULES, Rule, agglomerate
from videoclusternet.clustering.reading import Reading
from videoclusternet.clustering.spaces import Spaces, metric_of, spaces, subset
from videoclusternet.clustering.track_points import own_thresholds, space_points
from videoclusternet.clustering.whitening import Space
from videoclusternet.engine.threads import spread
from videoclusternet.events import Progress, no_progress
from videoclusternet.types import Constraints
from videoclusternet.types.arrays import Array, Float64, Ints

Found = dict[Reading, Array]
"""One array for each candidate."""
SCALES = np.geomspace(0.5, 2.0, 49)
"""Scales that are tried, 3 % apart; the middle one is 1, thresholds as they are."""
SHARES = np.geomspace(0.03, 1.25, 127)
"""Scales that are tried, 3 % apart, where the threshold of all tracks is the median distance
between two of them."""
SHARE = 0.9
"""Share of the tracks in a subset."""
LARGEST = 1000
"""Tracks in a subset at most: keeps the choice affordable on long films."""
PRIOR = 20.0
"""Tracks that weigh as much as the expectation that thresholds are right as they are."""


@dataclass(frozen=True)
class Levels:
    """Levels of a dendrogram at which joining may stop, finest first.

    Attributes
    ----------
    values : float64, shape (S,)
        Scales of the thresholds.
    prior : float
        Tracks that weigh as much as the expectation that the scale is 1; 0 for none.
    default : int
        Which is taken where there is no structure to go by.
    """

    values: Float64
    prior: float
    default: int


SCALED = Levels(SCALES, PRIOR, len(SCALES) // 2)
PLAIN = Levels(SHARES, 0.0, 0)
"""Where there are no views to expect anything from: without structure next to nothing is joined."""


def levels_of(space: Space) -> Levels:
    """Return the levels that are tried in a space."""
    return SCALED if space.has_views else PLAIN


@dataclass(frozen=True)
class Stability:
    """How candidates agree with themselves under perturbation.

    Attributes
    ----------
    agreement : dict of Reading to float64 arrays, shape (draws, scales)
        Of each candidate in each draw.
    characters : dict of Reading to int arrays, shape (scales,)
        Clusters each finds in the whole film, or in a sample of a long one.
    tracks : dict of Reading to float64 arrays, shape (scales, T)
        Mean over draws of what each track agrees; NaN for one that was always alone, or never
        drawn.
    """

    agreement: Found
    characters: Found
    tracks: Found


def common_company(a: Ints, b: Ints) -> Float64:
    """How far two partitions give each item the same company, corrected for chance.

    The Dice coefficient of its companions in ``a`` and in ``b`` (itself not counted), minus what
    random companions would give, scaled so that equal company is 1.

    Parameters
    ----------
    a, b : int, shape (n,)
        Cluster of each item, a small number from 0 on.

    Returns
    -------
    float64, shape (n,)
        NaN for an item that is alone in both, or with all in both.
    """
    n = len(a)
    size_a, size_b = np.bincount(a)[a] - 1.0, np.bincount(b)[b] - 1.0
    pair = a.astype(np.int64) * (b.max(initial=0) + 1) + b
    _, cell, joint = np.unique(pair, return_inverse=True, return_counts=True)
    chance = size_a * size_b / max(n - 1, 1)
    above = 2 * (joint[cell] - 1.0 - chance)
    most = size_a + size_b - 2 * chance
    alone = np.full(n, np.nan)
    return np.asarray(np.divide(above, most, out=alone, where=most > 1e-9))


def agreement(a: Ints, b: Ints) -> float:
    """Mean of :func:`common_company` over items; all alone or all together scores 0.

    Every item counts the same: a pair-counting index such as Rand's is ruled by the largest
    clusters, and adjusted mutual information without a norm prefers few clusters when tracks
    are few.

    Parameters
    ----------
    a, b : int, shape (n,)
        Cluster of each item.
    """
    return float(np.nan_to_num(common_company(a, b)).mean()) if len(a) else 0.0


def stability(
    raw: Space,
    rounds: Spaces,
    names: Sequence[Reading],
    metric: Metric,
    known: Constraints,
    draws: int,
    seed: int,
    progress: Progress = no_progress,
) -> Stability:
    """Agreement of every candidate with itself under perturbation.

    Parameters
    ----------
    raw : Space
        The embeddings as they come; every track has a crop.  Other spaces are fitted anew to
        each subset: one that was fitted to both halves of a track would draw them together.
    rounds : mapping of str to Space
        Rounds of adaptation, of the same crops.
    names : sequence of Reading
        Candidates.
    metric : Metric
    known : Constraints
        What is known of the tracks.
    draws : int
        Number of pairs of subsets.
    seed : int
    progress : callable
    """
    drawn = list(_draws(raw, draws, seed))
    for space in (raw, *rounds.values()):  # halves are of all views of their tracks
        own_thresholds(space, metric_of(metric, space))
    film = raw, rounds, known
    labels = readings(*_restricted(film, *drawn[0].sample), names, metric)
    tally = _Tally(labels, raw.tracks)
    for draw, found in enumerate(spread(lambda one: _twice(film, one, names, metric), drawn)):
        tally.add(found.pairs, found.both)
        progress(draw + 1, draws)
    return tally.stability({name: found.max(axis=1) + 1 for name, found in labels.items()})


class _Tally:
    """What draws agreed on so far, by candidate."""

    def __init__(self, whole: Found, tracks: int) -> None:
        """Begin with nothing; candidates have as many scales as in the labels of a whole film."""
        self.seen: dict[Reading, list[list[float]]] = {name: [] for name in whole}
        self.total = {name: np.zeros((len(found), tracks)) for name, found in whole.items()}
        self.count = {name: np.zeros_like(total) for name, total in self.total.items()}

    def add(self, pairs: Mapping[Reading, tuple[Array, Array]], both: Ints) -> None:
        """Add the labels that two halves gave to the tracks that are in both."""
        for name, (one, other) in pairs.items():
            # Many scales that follow each other give the same clusters.
            begun = np.ones(len(one), dtype=bool)
            begun[1:] = np.diff(np.hstack([one, other]), axis=0).any(axis=1)
            differ = np.array([common_company(one[i], other[i]) for i in np.flatnonzero(begun)])
            same = differ[np.cumsum(begun) - 1]
            self.seen[name].append(np.nan_to_num(same).mean(axis=1).tolist())
            self.total[name][:, both] += np.nan_to_num(same)
            self.count[name][:, both] += np.isfinite(same)

    def stability(self, characters: Found) -> Stability:
        """Return what came of it."""
        agreement = {name: np.array(values) for name, values in self.seen.items()}
        with np.errstate(invalid="ignore"):
            tracks = {
                name: total / np.where(self.count[name], self.count[name], np.nan)
                for name, total in self.total.items()
            }
        return Stability(agreement, characters, tracks)


_Film = tuple[Space, Spaces, Constraints]
_Part = tuple[Array, Array]
"""Tracks, ascending, and rows of crops."""


class _Draw(NamedTuple):
    """A sample of a film, and two halves of the sample."""

    sample: _Part
    halves: list[_Part]


def _draws(raw: Space, draws: int, seed: int) -> Iterator[_Draw]:
    """Draw samples and their halves; of a long film others each time, so that all is looked at."""
    rng = np.random.default_rng(seed)
    keep, rows = np.arange(raw.tracks), np.arange(len(raw.track))
    for _ in range(draws):
        if raw.tracks > LARGEST:
            keep = _some(raw.tracks, LARGEST, np.unique(raw.view_track), rng)
            rows = np.flatnonzero(np.isin(raw.track, keep))
        track = np.searchsorted(keep, raw.track[rows])
        seen = np.flatnonzero(np.isin(keep, raw.view_track))
        yield _Draw((keep, rows), halves(track, len(keep), rng, seen))


class _Halves(NamedTuple):
    """Labels of both halves by candidate, and which tracks these are."""

    pairs: dict[Reading, tuple[Array, Array]]
    both: Ints


def _twice(film: _Film, draw: _Draw, names: Sequence[Reading], metric: Metric) -> _Halves:
    """Cluster two halves."""
    few = _restricted(film, *draw.sample)
    found = [readings(*_restricted(few, *half), names, metric) for half in draw.halves]
    (one, _), (other, _) = draw.halves
    both, i, j = np.intersect1d(one, other, return_indices=True)
    pairs = {name: (found[0][name][:, i], found[1][name][:, j]) for name in names}
    return _Halves(pairs, draw.sample[0][both])


def _restricted(film: _Film, keep: Array, rows: Array) -> _Film:
    """Restrict a film to some tracks and of these to some crops."""
    raw, rounds, known = film
    if len(keep) == raw.tracks and len(rows) == len(raw.track):
        return film
    few = {name: subset(space, keep, rows) for name, space in rounds.items()}
    return subset(raw, keep, rows), few, known.inside(keep)


def _some(tracks: int, take: int, seen: Ints, rng: np.random.Generator) -> Array:
    """Draw some tracks, ascending; where any have views, ``seen``, one of these at least."""
    keep = rng.choice(tracks, take, replace=False)
    if len(seen) and not np.isin(seen, keep).any():
        keep[0] = rng.choice(seen)
    return np.sort(keep)


def halves(track: Ints, tracks: int, rng: np.random.Generator, seen: Ints) -> list[_Part]:
    """Draw two subsets of tracks, each with complementary halves of their crops.

    Parameters
    ----------
    track : int, shape (C,)
        Track of each crop, ascending.
    tracks : int
    rng : numpy.random.Generator
    seen : int, ascending
        Tracks that have views: those without are measured in units of theirs.

    Returns
    -------
    two pairs of int arrays
        Tracks, ascending, and rows of crops.  A lone crop is in both halves.
    """
    take = max(2, round(SHARE * tracks))
    count = np.bincount(track, minlength=tracks)
    order = np.lexsort((rng.random(len(track)), track))
    rank = np.empty(len(order), dtype=np.int64)
    start = np.concatenate([[0], np.cumsum(count)[:-1]])
    rank[order] = np.arange(len(order)) - start[track[order]]
    half = rank < (count[track] + 1) // 2
    lone = count[track] == 1
    subsets = []
    for in_half in (half, ~half):
        keep = _some(tracks, take, seen, rng)
        subsets.append((keep, np.flatnonzero(np.isin(track, keep) & (in_half | lone))))
    return subsets


def readings(
    raw: Space,
    rounds: Spaces,
    known: Constraints,
    names: Sequence[Reading],
    metric: Metric,
) -> Found:
    """Cluster by every candidate: int (scales, T), one row for rules without a scale.

    Parameters
    ----------
    raw : Space
    rounds : mapping of str to Space
        Of the same crops.
    known : Constraints
    names : sequence of Reading
        Candidates.
    metric : Metric
    """
    wanted = {space for name in names for space in name.spaces}
    here = {**spaces(raw, wanted), **{name: rounds[name] for name in rounds if name in wanted}}
    metrics = {name: metric_of(metric, space) for name, space in here.items()}
    points = {name: space_points(space, metrics[name]) for name, space in here.items()}
    far = {name: relative(points[name], metrics[name]) for name in here}
    levels = levels_of(raw).values
    found: Found = {}
    for name in names:
        if name.scaled:
            mean = together([far[space] for space in name.spaces]).block(slice(None))
            found[name] = cut(tree(mean, known), levels)
        else:
            rule, space = rule_named(name.linkage), name.space
            found[name] = agglomerate(points[space], metrics[space], rule, known).label[None]
    return found


def rule_named(name: str) -> Rule:
    """Return a rule by its name; there must be one."""
    every: tuple[Rule, ...] = (*RULES, "and")
    return next(rule for rule in every if rule == name)
