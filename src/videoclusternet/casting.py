"""From embeddings to the cast: quality filter, choice among readings, confidence.

The last step of the pipeline (sections 3.6 and 3.7).  Tracks that cannot be judged are
Unknown with a reason; the others become characters, numbered by screen time.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from videoclusternet.choose import NAMES, OWN, Choice, choose, inside, partition_of, space_of
from videoclusternet.cluster import RULES, Partition, TrackPoints, agglomerate, space_points
from videoclusternet.config import ClusterConfig, MatchConfig, QualityFilterConfig
from videoclusternet.errors import ConfigError
from videoclusternet.events import Progress, no_progress
from videoclusternet.instant import Space, centre
from videoclusternet.matching import match_tracks
from videoclusternet.similarity import Metric
from videoclusternet.track_quality import low_quality, track_quality
from videoclusternet.types import Candidates, Cast, Embeddings, Links, Merges, Reason, Tracks

Array = NDArray[Any]


@dataclass(frozen=True)
class _Outcome:
    """A partition, the points it was made from, and the choice behind it."""

    partition: Partition
    points: TrackPoints
    choice: Choice


def check_choice(config: ClusterConfig) -> None:
    """Refuse settings that would only fail at the last step, after hours of looking.

    Raises
    ------
    ConfigError
        When no candidate has the given name, or the paper's algorithm has no rule.
    """
    if config.choose != "stability" and config.choose not in NAMES:
        raise ConfigError(
            f"no candidate {config.choose!r} for cluster.choose",
            f"choose stability or one of {', '.join(NAMES)}",
        )
    if config.algorithm == "paper" and config.choose.rpartition("/")[2] not in RULES:
        raise ConfigError(
            "cluster.algorithm=paper needs a named rule", "set cluster.choose=frozen/or"
        )


def find_links(embeddings: Embeddings, config: MatchConfig) -> Links:
    """Match tracks that surely show one person (Eq. 3), on centred embeddings.

    Without its mean a weak backbone finds everybody alike, and everybody matches.
    """
    raw = _raw_space(embeddings, np.arange(embeddings.tracks), np.empty((0, 2), dtype=np.int32))
    if len(raw.clean) == 0:
        return Links(a=np.empty(0), b=np.empty(0), margin=np.empty(0))
    centred = centre(raw)
    seen = centred.views[:, : centred.global_views]
    return match_tracks(centred.clean, seen, centred.track, centred.tracks, config)


def find_cast(
    tracks: Tracks,
    embeddings: Embeddings,
    links: Links,
    config: ClusterConfig,
    quality_config: QualityFilterConfig,
    seed: int = 0,
    progress: Progress = no_progress,
) -> tuple[Cast, Merges, Candidates]:
    """Group tracks into characters.

    Parameters
    ----------
    tracks : Tracks
        T tracks of one film or of several.
    embeddings : Embeddings
        Of the crops of these tracks.
    links : Links
        Coarse matches between them.
    config : ClusterConfig
    quality_config : QualityFilterConfig
        Eq. 4.
    seed : int
        Seed of the perturbations behind the choice.
    progress : callable

    Returns
    -------
    Cast
        Empty for a film without faces.
    Merges
    Candidates

    Raises
    ------
    ConfigError
        See :func:`check_choice`.
    """
    check_choice(config)
    quality = track_quality(embeddings.quality, embeddings.track, len(tracks))
    reason = tracks.flaw.copy()
    without_crop = np.bincount(embeddings.track, minlength=len(tracks)) == 0
    reason[without_crop & (reason == Reason.OK)] = Reason.LOW_QUALITY
    if quality_config.enabled:
        judged = np.where(reason == Reason.OK, quality, np.nan)
        poor = low_quality(judged, quality_config.deviations, quality_config.spread)
        reason[poor] = Reason.LOW_QUALITY
    keep = np.flatnonzero(reason == Reason.OK)
    raw = _raw_space(embeddings, keep, np.stack([links.a, links.b], axis=1))
    apart = tracks.overlapping() if config.cannot_link else np.empty((0, 2), dtype=int)
    conflicts = inside(apart, keep)
    outcome = _cluster(raw, config, conflicts, seed, progress)
    return (
        _cast(tracks, keep, reason, quality, outcome, _metric(config)),
        _merges(keep, outcome.partition),
        _candidates(outcome.choice),
    )


def _metric(config: ClusterConfig) -> Metric:
    return Metric(config.metric, config.teacher_temperature, config.student_temperature)


def _raw_space(embeddings: Embeddings, keep: Array, links: Array) -> Space:
    """Take the embeddings of some tracks as they come."""
    rows = np.flatnonzero(np.isin(embeddings.track, keep))
    return Space(
        "frozen",
        embeddings.base[rows],
        embeddings.views[rows],
        np.searchsorted(keep, embeddings.track[rows]).astype(np.int32),
        len(keep),
        embeddings.global_views,
        inside(links, keep),
    )


def _cluster(
    raw: Space, config: ClusterConfig, conflicts: Array, seed: int, progress: Progress
) -> _Outcome:
    metric = _metric(config)
    fixed = config.choose != "stability"
    if raw.tracks < 2:
        return _trivial(raw, metric)
    if config.algorithm == "paper":
        return _paper(raw, config, metric, conflicts)
    needs_draws = not fixed or (config.choose.endswith(OWN) and not config.scale)
    if needs_draws:
        choice = choose(raw, metric, conflicts, config.draws, seed, config.scale, progress)
    else:
        scale = np.array([config.scale or np.nan], dtype=np.float32)
        choice = _unchosen(config.choose, 0, scale)
    best = choice.names.index(config.choose) if fixed else choice.best
    name = choice.names[best]
    partition, points = partition_of(raw, name, float(choice.scale[best]), metric, conflicts)
    characters = choice.characters.copy()
    characters[best] = partition.clusters
    return _Outcome(partition, points, replace(choice, best=best, characters=characters))


def _trivial(raw: Space, metric: Metric) -> _Outcome:
    """Nobody, or one track: nothing to compare."""
    points = space_points(raw, metric)
    partition = Partition(np.zeros(raw.tracks, dtype=np.int32), [])
    return _Outcome(partition, points, _unchosen(NAMES[0], raw.tracks, np.array([np.nan])))


def _paper(raw: Space, config: ClusterConfig, metric: Metric, conflicts: Array) -> _Outcome:
    """Cluster by the letter of section 3.7, in the space and by the rule that is named."""
    name, _, rule_name = config.choose.partition("/")
    rule = next(rule for rule in RULES if rule == rule_name)
    points = space_points(space_of(raw, name), metric, "crops")
    partition = agglomerate(points, metric, rule, conflicts, "paper")
    choice = _unchosen(config.choose, partition.clusters, np.array([np.nan]))
    return _Outcome(partition, points, choice)


def _unchosen(name: str, characters: int, scale: Array) -> Choice:
    """Record a reading that was not compared with others."""
    return Choice((name,), np.array([np.nan]), np.array([characters]), scale, 0)


def _cast(
    tracks: Tracks,
    keep: Array,
    reason: Array,
    quality: Array,
    outcome: _Outcome,
    metric: Metric,
) -> Cast:
    label = outcome.partition.label
    seconds = (tracks.last - tracks.first + 1)[keep]
    time = np.bincount(label, weights=seconds, minlength=outcome.partition.clusters)
    # Longest on screen first; equal times keep the order of their lowest track.
    rank = np.empty(len(time), dtype=np.int32)
    rank[np.argsort(-time, kind="stable")] = np.arange(len(time))
    character = np.full(len(tracks), -1, dtype=np.int32)
    character[keep] = rank[label]
    threshold = np.full(len(tracks), np.nan, dtype=np.float32)
    threshold[keep] = outcome.points.threshold
    sure = np.zeros(len(tracks), dtype=np.float32)
    sure[keep] = confidence(outcome.points, label, metric)
    chosen = outcome.choice.names[outcome.choice.best]
    return Cast(character, reason, quality, threshold, sure, chosen)


def _candidates(choice: Choice) -> Candidates:
    return Candidates(choice.stability, choice.characters, choice.scale, choice.names)


def _merges(keep: Array, partition: Partition) -> Merges:
    log = partition.merges
    return Merges(
        round=np.array([m.round for m in log], dtype=np.int32),
        a=keep[np.array([m.a for m in log], dtype=np.int64)],
        b=keep[np.array([m.b for m in log], dtype=np.int64)],
        distance=np.array([m.distance for m in log], dtype=np.float32),
        threshold=np.array([m.threshold for m in log], dtype=np.float32),
    )


def confidence(points: TrackPoints, label: Array, metric: Metric) -> Array:
    """How surely each track belongs where it is, 0 to 1.

    ``other / (own + other)``, where ``own`` is the distance of a track to the rest of
    its character (to its own views when it stands alone) and ``other`` the distance to
    the nearest other character: .5 on the border, 1 far inside.  One character alone
    has no neighbour: its tracks are judged against the widest distance among them.

    Parameters
    ----------
    points : TrackPoints
        T tracks.
    label : int, shape (T,)
        Cluster of each track.
    metric : Metric

    Returns
    -------
    float32, shape (T,)
    """
    clusters = int(label.max(initial=-1)) + 1
    if clusters == 0:
        return np.empty(0, dtype=np.float32)
    size = np.bincount(label, minlength=clusters).astype(np.float32)
    total = np.zeros((clusters, points.mean.shape[1]), dtype=np.float32)
    np.add.at(total, label, points.mean)
    single = metric.terms(points.mean)
    distance = single.distances(metric.terms(total / size[:, None]))
    alone = size[label] == 1
    rest = (total[label] - points.mean) / np.maximum(size[label] - 1, 1)[:, None]
    rest_terms = metric.terms(np.where(alone[:, None], points.mean, rest))
    own = _paired(single, rest_terms)
    own = np.where(alone, points.threshold, own)
    rows = np.arange(len(label))
    distance[rows, label] = np.inf
    other = distance.min(1) if clusters > 1 else np.full(len(label), own.max())
    own, other = np.maximum(own, 0), np.maximum(other, 0)
    return np.asarray(other / np.maximum(own + other, 1e-12), dtype=np.float32)


def _paired(a: Any, b: Any) -> Array:
    """Symmetrised distance of row i of ``a`` to row i of ``b``."""
    forward = a.alpha + b.beta - np.einsum("nd,nd->n", a.p, b.q)
    backward = a.beta + b.alpha - np.einsum("nd,nd->n", a.q, b.p)
    return np.asarray((forward + backward) / 2)
