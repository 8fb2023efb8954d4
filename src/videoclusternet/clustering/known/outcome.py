"""Cluster the tracks of a film by one reading, alone or beside people who are known."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from videoclusternet.clustering.average_linkage import Relative, kept_apart, relative
from videoclusternet.clustering.choose import (
    ENOUGH_TRACKS,
    UNADAPTED,
    Choice,
    choose,
    distances,
    measure,
    partition_of,
)
from videoclusternet.clustering.confidence import confidence, unsure_tracks
from videoclusternet.clustering.distance import Metric
from videoclusternet.clustering.known.gallery import Gallery
from videoclusternet.clustering.known.groups import Groups
from videoclusternet.clustering.paper_rounds import Partition, agglomerate
from videoclusternet.clustering.reading import Reading
from videoclusternet.clustering.spaces import metric_of, spaces
from videoclusternet.clustering.stability import rule_named
from videoclusternet.clustering.track_points import TrackPoints, space_points
from videoclusternet.clustering.whitening import Space
from videoclusternet.config import ClusterConfig
from videoclusternet.events import Progress
from videoclusternet.types import Constraints
from videoclusternet.types.arrays import Bools, Float32, Int32


@dataclass(frozen=True)
class Outcome:
    """A partition, the points it was made with, and the choice behind it.

    ``sure`` is how probably each track belongs where it is; ``unsure`` are tracks that cannot be
    told from others, ``alike`` pairs of clusters that nothing but a shared picture keeps apart.
    ``whose`` says which known people clusters joined, ``shows`` how probably each track shows the
    one that it joined.
    """

    partition: Partition
    points: TrackPoints
    choice: Choice
    sure: Float32
    unsure: Bools
    alike: tuple[tuple[int, int], ...] = ()
    whose: Mapping[int, int] = field(default_factory=dict)
    shows: Float32 | None = None


def find_clusters(
    groups: Groups,
    extra: Mapping[str, Space],
    asked: Reading | None,
    config: ClusterConfig,
    metric: Metric,
    seed: int,
    progress: Progress,
) -> Outcome:
    """Cluster by the reading that is asked for, or compare all candidates."""
    raw, constraints = groups.space, groups.held
    if raw.tracks < 2:
        return _trivial(raw, metric)
    choice = None
    if asked is None:
        choice = _chosen(groups, extra, metric, config, seed, progress)
        reading = choice.names[choice.best]
    else:
        reading = asked
    here = {**spaces(raw, reading.spaces), **extra}
    if config.algorithm == "paper":
        return _paper(here[reading.space], reading, metric, constraints, config)
    if choice is None:
        scale = config.scale
        if reading.scaled and not scale:
            settings = (config.draws, seed, 0.0, progress)
            choice = measure(raw, extra, (reading,), metric, groups.film, *settings)
        else:
            choice = _unchosen(reading, raw.tracks, 0, scale or np.nan)
    scale = float(choice.scale[choice.best])
    partition, points = partition_of(here, reading, scale, metric, constraints)
    company = choice.company[choice.best]
    drawn = np.isfinite(choice.stability[choice.best])
    far, label = distances(here, reading, metric), partition.label
    stop, company_of = scale if reading.scaled else 1.0, company if drawn else None
    sure = confidence(far, label, stop, constraints.apart, company_of)
    unsure = unsure_tracks(company) & config.unsure
    met = groups.film.apart[~unsure[groups.film.apart].any(axis=1)]
    alike = _alike(far, label, scale, met) if reading.scaled else ()
    shows = groups.shown(far, label, stop, company_of)
    outcome = Outcome(partition, points, choice, sure, unsure, alike, groups.whose(label), shows)
    return _of_film(outcome, groups.tracks)


def _chosen(
    groups: Groups,
    extra: Mapping[str, Space],
    metric: Metric,
    config: ClusterConfig,
    seed: int,
    progress: Progress,
) -> Choice:
    """Compare all candidates; beside people no film of enough tracks is read more coarsely.

    Stability and company are those of the scale that was found beside the people.
    """
    settings = (config.draws, seed, config.scale, progress)
    choice = choose(groups.space, extra, metric, groups.film, *settings)
    told = groups.alone.has_views and groups.tracks >= ENOUGH_TRACKS
    if not groups.people or not told or config.scale:
        return choice
    mine = groups.film.inside(np.arange(groups.tracks))
    alone = choose(groups.alone, extra, metric, mine, *settings)
    most = alone.scale[alone.best] * np.float32(groups.unit(metric))
    return replace(choice, scale=np.minimum(choice.scale, most))


def _of_film(outcome: Outcome, tracks: int) -> Outcome:
    """Leave the people beside a film out: what is left is of its tracks, numbered without gaps."""
    whole, choice = outcome.partition, outcome.choice
    there, label = np.unique(whole.label[:tracks], return_inverse=True)
    number = {int(cluster): n for n, cluster in enumerate(there)}
    merges = [one for one in whole.merges if max(one.a, one.b) < tracks]
    characters = choice.characters.copy()
    characters[choice.best] = len(there)
    points = outcome.points
    return replace(
        outcome,
        partition=Partition(label.astype(np.int32), merges),
        points=TrackPoints(points.mean[:tracks], points.threshold[:tracks], points.pairs),
        choice=replace(choice, characters=characters),
        sure=outcome.sure[:tracks],
        unsure=outcome.unsure[:tracks],
        alike=tuple((number[a], number[b]) for a, b in outcome.alike),
        whose={number[cluster]: person for cluster, person in outcome.whose.items()},
    )


def ask_who(
    outcome: Outcome,
    raw: Space,
    constraints: Constraints,
    people: Gallery,
    config: ClusterConfig,
    seed: int,
    progress: Progress,
) -> Outcome:
    """Let characters join known people, by the embeddings as they come, each as a whole."""
    metric, label = Metric("cosine"), outcome.partition.label
    first = np.unique(label, return_index=True)[1]
    groups = Groups.of(raw, constraints, people, metric).gathered(first[label])
    plain = {"algorithm": "vcn", "thresholds": "views", "metric": "cosine", "scale": 0.0}
    found = find_clusters(groups, {}, None, config.model_copy(update=plain), metric, seed, progress)
    joined = found.partition.label
    news = [one for one in found.partition.merges if label[one.a] != label[one.b]]
    alike = {tuple(sorted(joined[first[[a, b]]].tolist())) for a, b in outcome.alike}
    return replace(
        outcome,
        partition=Partition(joined, [*outcome.partition.merges, *news]),
        alike=tuple(sorted((a, b) for a, b in alike if a != b)),
        whose=found.whose,
        shows=found.shows,
    )


def _alike(far: Relative, label: Int32, scale: float, met: Int32) -> tuple[tuple[int, int], ...]:
    """Find pairs of clusters that nothing but two tracks that met, (P, 2), keeps apart."""
    pairs = kept_apart(far, label, scale, met) if len(met) else ()
    return tuple((int(a), int(b)) for a, b in pairs)


def _trivial(raw: Space, metric: Metric) -> Outcome:
    """Nobody, or one track: nothing to compare."""
    points = space_points(raw, metric)
    partition = Partition(np.zeros(raw.tracks, dtype=np.int32), [])
    choice = _unchosen(UNADAPTED[0], raw.tracks, raw.tracks)
    # Whoever is alone in a film can be nobody else.
    sure = np.ones(raw.tracks, dtype=np.float32)
    return Outcome(partition, points, choice, sure, np.zeros(raw.tracks, bool))


def _paper(
    space: Space, reading: Reading, metric: Metric, constraints: Constraints, config: ClusterConfig
) -> Outcome:
    """Cluster by the letter of section 3.7, in the space and by the rule that is named."""
    metric = metric_of(metric, space)
    points = space_points(space, metric, config.thresholds)
    partition = agglomerate(points, metric, rule_named(reading.linkage), constraints, "paper")
    choice = _unchosen(reading, space.tracks, partition.clusters)
    sure = confidence(relative(points, metric), partition.label, 1.0, constraints.apart)
    return Outcome(partition, points, choice, sure, np.zeros(space.tracks, bool))


def _unchosen(reading: Reading, tracks: int, characters: int, scale: float = np.nan) -> Choice:
    """Record a reading that was not compared with others."""
    nothing = np.full((1, tracks), np.nan, dtype=np.float32)
    return Choice(
        (reading,),
        np.array([np.nan]),
        np.array([characters]),
        np.array([scale], dtype=np.float32),
        nothing,
        0,
    )
