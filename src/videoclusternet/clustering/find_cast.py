"""From embeddings to the cast: quality filter, choice among readings, confidence.

The last step of the pipeline (sections 3.6 and 3.7).  Tracks that cannot be judged are
Unknown with a reason; the others become characters, numbered by screen time.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np

from videoclusternet.clustering.average_linkage import Relative, kept_apart, relative
from videoclusternet.clustering.choose import (
    UNADAPTED,
    Choice,
    choose,
    distances,
    measure,
    partition_of,
)
from videoclusternet.clustering.confidence import confidence, unsure_tracks
from videoclusternet.clustering.distance import Metric
from videoclusternet.clustering.paper_rounds import RULES, Partition, agglomerate
from videoclusternet.clustering.reading import ADAPTED, OWN, Reading, round_number
from videoclusternet.clustering.spaces import (
    SPACES,
    Adapted,
    adapted_space,
    metric_of,
    raw_space,
    spaces,
)
from videoclusternet.clustering.stability import rule_named
from videoclusternet.clustering.track_points import TrackPoints, space_points
from videoclusternet.clustering.track_quality import low_quality, track_quality
from videoclusternet.clustering.whitening import Space
from videoclusternet.config import ClusterConfig, QualityFilterConfig
from videoclusternet.engine.processes import one_thread
from videoclusternet.engine.work import ALONE, Work
from videoclusternet.errors import ConfigError
from videoclusternet.events import Progress
from videoclusternet.outside.text import shown
from videoclusternet.types import (
    Candidates,
    Cast,
    Constraints,
    CropWeights,
    Embeddings,
    Merges,
    Reason,
    Tracks,
    Views,
)
from videoclusternet.types.arrays import Array, Bools, Float32, Int32

STABILITY = "stability"
"""The choice that compares all candidates."""
GoodRounds = Mapping[str, Callable[[], Adapted]]
"""Good rounds of adaptation by name, ``round-1`` and so on, read when needed."""


@dataclass(frozen=True)
class _Outcome:
    """A partition, the points it was made with, and the choice behind it.

    ``sure`` is how probably each track belongs where it is; ``unsure`` are tracks that cannot be
    told from others, ``alike`` pairs of clusters that nothing but a shared picture keeps apart.
    """

    partition: Partition
    points: TrackPoints
    choice: Choice
    sure: Float32
    unsure: Bools
    alike: tuple[tuple[int, int], ...] = ()


def check_choice(config: ClusterConfig) -> None:
    """Refuse settings that would only fail at the last step, after hours of looking.

    Raises
    ------
    ConfigError
        When no candidate has the given name, or the paper's algorithm has no rule.
    """
    asked = Reading.parse(config.choose)
    rules = (OWN, *RULES, "and")
    known = (*SPACES, ADAPTED)
    there = all(one in known or round_number(one) is not None for one in asked.spaces)
    several = len(asked.spaces) > 1
    fits = asked.linkage in rules[: 1 if several else None] and (several or asked.space)
    if config.choose != STABILITY and not (there and fits):
        raise ConfigError(
            f"no candidate {shown(config.choose)} for cluster.choose",
            f"choose stability or SPACE/RULE: a space of {', '.join(known)}, round-1 and so on; "
            f"a rule of {', '.join(rules)}; several spaces with + between them go with {OWN}",
        )
    if config.algorithm == "vcn" and config.thresholds != "views":
        raise ConfigError(
            "cluster.thresholds=crops is for cluster.algorithm=paper",
            "every reading of algorithm vcn measures thresholds on views",
        )
    if config.algorithm == "paper" and asked.linkage not in rules[1:]:
        raise ConfigError(
            "cluster.algorithm=paper needs a named rule", "set cluster.choose=frozen/or"
        )


def find_cast(
    tracks: Tracks,
    embeddings: Embeddings,
    views: Views,
    weights: CropWeights,
    config: ClusterConfig,
    quality_config: QualityFilterConfig,
    seed: int = 0,
    rounds: GoodRounds | None = None,
    known: Constraints | None = None,
    work: Work = ALONE,
) -> tuple[Cast, Merges, Candidates]:
    """Group tracks into characters; without faces there are none.

    Parameters
    ----------
    tracks : Tracks
        T tracks of one film or of several.
    embeddings, views : Embeddings, Views
        Of the crops of these tracks.
    weights : CropWeights
        How much each of these crops counts in the mean of its track.
    config, quality_config : settings
    seed : int
        Of the perturbations behind the choice.
    rounds : mapping, optional
        Good rounds of adaptation, in order.
    known : Constraints, optional
        What is known of these tracks besides that two faces of one picture are two people.
    work : Work
        Told in comparisons.

    Returns
    -------
    Cast, Merges, Candidates

    Raises
    ------
    ConfigError
        See :func:`check_choice`; without a round of the given name; on a contradiction.
    """
    check_choice(config)
    rounds = rounds or {}
    asked = None if config.choose == STABILITY else _asked(config.choose, rounds)
    named = [one for one in asked.spaces if one in rounds] if asked else []
    # Where the cast is to come from a round, its own quality decides who takes part.
    judge = rounds[named[-1]]().embeddings if named else embeddings
    reason, quality = _set_aside(tracks, judge, quality_config)
    keep = np.flatnonzero(reason == Reason.OK)
    constraints = _known(tracks, known, config.cannot_link).inside(keep)
    metric = Metric(config.metric, config.teacher_temperature, config.student_temperature)
    raw = raw_space(embeddings, views, keep, weight=weights.weight)
    seen = named or ([*rounds] if not asked and config.algorithm == "vcn" else [])
    like = (keep, metric, weights.weight)
    extra = {name: adapted_space(rounds[name](), name, *like) for name in seen}
    with one_thread():  # the numbers are spread over the cores in parts
        outcome = _cluster(raw, extra, asked, config, metric, constraints, seed, work.progress)
    cast = _cast(tracks, keep, reason, quality, outcome)
    return cast, _merges(keep, outcome.partition), _candidates(outcome.choice)


def _known(tracks: Tracks, known: Constraints | None, cannot_link: bool) -> Constraints:
    """Put together what pictures say of pairs of tracks, and what is known besides.

    What is known outweighs pictures: a mirror shows one person twice.
    """
    met = Constraints.of_overlaps(tracks) if cannot_link else Constraints.none(len(tracks))
    if known is None:
        return met
    one, other = known.group[met.apart].T
    return replace(met, apart=met.apart[one != other]).and_those(known)


def _asked(choice: str, rounds: GoodRounds) -> Reading:
    """Read the name of a reading; ``adapted`` is the last good round, without one the frozen."""
    asked = Reading.parse(choice)
    last = next(reversed(list(rounds)), SPACES[0])
    spaces = [last if one == ADAPTED else one for one in asked.spaces]
    for one in spaces:
        if round_number(one) is not None and one not in rounds:
            known = ", ".join(rounds) or "none"
            raise ConfigError(
                f"there is no good {one} for cluster.choose",
                f"good rounds: {known}; see adapt.rounds",
            )
    return Reading("+".join(dict.fromkeys(spaces)), asked.linkage)


def _set_aside(
    tracks: Tracks, embeddings: Embeddings, config: QualityFilterConfig
) -> tuple[Array, Array]:
    """Return the reason, uint8 (T,), and the quality, float32 (T,), of every track."""
    quality = track_quality(embeddings.quality, embeddings.track, len(tracks))
    reason = tracks.flaw.copy()
    without_crop = np.bincount(embeddings.track, minlength=len(tracks)) == 0
    reason[without_crop & (reason == Reason.OK)] = Reason.NO_PICTURE
    if config.enabled:
        judged = np.where(reason == Reason.OK, quality, np.nan)
        poor = low_quality(judged, config.deviations, config.spread)
        reason[poor] = Reason.LOW_QUALITY
    return reason, quality


def _cluster(
    raw: Space,
    extra: Mapping[str, Space],
    asked: Reading | None,
    config: ClusterConfig,
    metric: Metric,
    constraints: Constraints,
    seed: int,
    progress: Progress,
) -> _Outcome:
    """Cluster by the reading that is asked for, or compare all candidates."""
    if raw.tracks < 2:
        return _trivial(raw, metric)
    choice = None
    if asked is None:
        choice = choose(raw, extra, metric, constraints, config.draws, seed, config.scale, progress)
        reading = choice.names[choice.best]
    else:
        reading = asked
    here = {**spaces(raw, reading.spaces), **extra}
    if config.algorithm == "paper":
        return _paper(here[reading.space], reading, metric, constraints, config)
    if choice is None:
        scale = config.scale
        if reading.scaled and not scale:
            choice = measure(
                raw, extra, (reading,), metric, constraints, config.draws, seed, 0.0, progress
            )
        else:
            choice = _unchosen(reading, raw.tracks, 0, scale or np.nan)
    scale = float(choice.scale[choice.best])
    partition, points = partition_of(here, reading, scale, metric, constraints)
    characters = choice.characters.copy()
    characters[choice.best] = partition.clusters
    choice = replace(choice, characters=characters)
    company = choice.company[choice.best]
    drawn = np.isfinite(choice.stability[choice.best])
    far, label = distances(here, reading, metric), partition.label
    stop = scale if reading.scaled else 1.0
    sure = confidence(far, label, stop, constraints.apart, company if drawn else None)
    unsure = unsure_tracks(company) & config.unsure
    met = constraints.apart[~unsure[constraints.apart].any(axis=1)]
    alike = _alike(far, label, scale, met) if reading.scaled else ()
    return _Outcome(partition, points, choice, sure, unsure, alike)


def _alike(far: Relative, label: Int32, scale: float, met: Int32) -> tuple[tuple[int, int], ...]:
    """Find pairs of clusters that nothing but two tracks that met, (P, 2), keeps apart."""
    pairs = kept_apart(far, label, scale, met) if len(met) else ()
    return tuple((int(a), int(b)) for a, b in pairs)


def _trivial(raw: Space, metric: Metric) -> _Outcome:
    """Nobody, or one track: nothing to compare."""
    points = space_points(raw, metric)
    partition = Partition(np.zeros(raw.tracks, dtype=np.int32), [])
    choice = _unchosen(UNADAPTED[0], raw.tracks, raw.tracks)
    # Whoever is alone in a film can be nobody else.
    sure = np.ones(raw.tracks, dtype=np.float32)
    return _Outcome(partition, points, choice, sure, np.zeros(raw.tracks, bool))


def _paper(
    space: Space, reading: Reading, metric: Metric, constraints: Constraints, config: ClusterConfig
) -> _Outcome:
    """Cluster by the letter of section 3.7, in the space and by the rule that is named."""
    metric = metric_of(metric, space)
    points = space_points(space, metric, config.thresholds)
    partition = agglomerate(points, metric, rule_named(reading.linkage), constraints, "paper")
    choice = _unchosen(reading, space.tracks, partition.clusters)
    sure = confidence(relative(points, metric), partition.label, 1.0, constraints.apart)
    return _Outcome(partition, points, choice, sure, np.zeros(space.tracks, bool))


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


def _cast(
    tracks: Tracks,
    keep: Array,
    reason: Array,
    quality: Array,
    outcome: _Outcome,
) -> Cast:
    label, clusters = outcome.partition.label, outcome.partition.clusters
    unsure = outcome.unsure
    seconds = (tracks.last - tracks.first + 1)[keep] * ~unsure
    time = np.bincount(label, weights=seconds, minlength=clusters)
    # Longest on screen first; equal times keep the order of their lowest track.  Clusters of
    # nobody but unsure tracks come last, and are no characters.
    rank = np.empty(clusters, dtype=np.int32)
    rank[np.argsort(-time, kind="stable")] = np.arange(clusters)
    found = rank[label]
    character, probable = np.full((2, len(tracks)), -1, dtype=np.int32)
    character[keep] = np.where(unsure, -1, found)
    probable[keep] = np.where(unsure & (found <= character.max(initial=-1)), found, -1)
    reason[keep[unsure]] = Reason.UNSURE
    threshold = np.full(len(tracks), np.nan, dtype=np.float32)
    threshold[keep] = np.where(unsure, np.nan, outcome.points.threshold)
    sure = np.zeros(len(tracks), dtype=np.float32)
    sure[keep] = outcome.sure * ~unsure
    chosen = str(outcome.choice.names[outcome.choice.best])
    numbers = [sorted(rank[list(pair)].tolist()) for pair in outcome.alike]
    alike = tuple(sorted((a, b) for a, b in numbers if b <= character.max(initial=-1)))
    return Cast(character, reason, quality, threshold, sure, probable, chosen, alike)


def _candidates(choice: Choice) -> Candidates:
    names = tuple(str(reading) for reading in choice.names)
    return Candidates(choice.stability, choice.characters, choice.scale, names)


def _merges(keep: Array, partition: Partition) -> Merges:
    log = partition.merges
    return Merges(
        round=np.array([m.round for m in log], dtype=np.int32),
        a=keep[np.array([m.a for m in log], dtype=np.int64)],
        b=keep[np.array([m.b for m in log], dtype=np.int64)],
        distance=np.array([m.distance for m in log], dtype=np.float32),
        threshold=np.array([m.threshold for m in log], dtype=np.float32),
    )
