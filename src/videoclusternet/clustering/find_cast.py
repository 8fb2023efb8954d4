"""From embeddings to the cast: quality filter, choice among readings, confidence.

The last step of the pipeline (sections 3.6 and 3.7).  Tracks that cannot be judged are
Unknown with a reason; the others become characters, numbered by screen time.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np

from videoclusternet.clustering.choose import Choice
from videoclusternet.clustering.distance import Metric
from videoclusternet.clustering.known.gallery import Gallery
from videoclusternet.clustering.known.groups import Groups
from videoclusternet.clustering.known.outcome import Outcome, ask_who, find_clusters
from videoclusternet.clustering.known.suggested import Suggested
from videoclusternet.clustering.paper_rounds import Partition
from videoclusternet.clustering.reading import STABILITY, asked_reading, check_choice
from videoclusternet.clustering.spaces import Adapted, adapted_space, raw_space
from videoclusternet.clustering.track_quality import low_quality, track_quality
from videoclusternet.config import ClusterConfig, QualityFilterConfig
from videoclusternet.engine.processes import one_thread
from videoclusternet.engine.work import ALONE, Work
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
from videoclusternet.types.arrays import Array

GoodRounds = Mapping[str, Callable[[], Adapted]]
"""Good rounds of adaptation by name, ``round-1`` and so on, read when needed."""


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
    faces = (tracks, embeddings, views, weights)
    return find_known_cast(*faces, config, quality_config, seed, None, rounds, known, work)[:3]


def find_known_cast(
    tracks: Tracks,
    embeddings: Embeddings,
    views: Views,
    weights: CropWeights,
    config: ClusterConfig,
    quality_config: QualityFilterConfig,
    seed: int,
    people: Gallery | None,
    rounds: GoodRounds | None = None,
    known: Constraints | None = None,
    work: Work = ALONE,
) -> tuple[Cast, Merges, Candidates, Suggested]:
    """Group tracks into characters, some of whom may be people who are known.

    Parameters
    ----------
    people : Gallery or None
        Who is known, by the same face model.

    Others as in :func:`find_cast`.

    Returns
    -------
    Cast, Merges, Candidates, Suggested
        Stability and number of characters of candidates are of the film and those people together.
    """
    check_choice(config)
    rounds = rounds or {}
    asked = None if config.choose == STABILITY else asked_reading(config.choose, rounds)
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
    met = people if people is not None and len(people) and len(keep) else None
    # What was learnt from this film says nothing of people of others.
    apart = met is not None and bool(extra or config.algorithm == "paper")
    groups = Groups.of(raw, constraints, None if apart else met, metric)
    with one_thread():  # the numbers are spread over the cores in parts
        outcome = find_clusters(groups, extra, asked, config, metric, seed, work.progress)
        if apart and met is not None:
            outcome = ask_who(outcome, raw, constraints, met, config, seed, work.progress)
    cast = _cast(tracks, keep, reason, quality, outcome)
    suggested = _suggested(cast, keep, outcome, met)
    return cast, _merges(keep, outcome.partition), _candidates(outcome.choice), suggested


def _known(tracks: Tracks, known: Constraints | None, cannot_link: bool) -> Constraints:
    """Put together what pictures say of pairs of tracks, and what is known besides.

    What is known outweighs pictures: a mirror shows one person twice.
    """
    met = Constraints.of_overlaps(tracks) if cannot_link else Constraints.none(len(tracks))
    if known is None:
        return met
    one, other = known.group[met.apart].T
    return replace(met, apart=met.apart[one != other]).and_those(known)


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


def _cast(
    tracks: Tracks,
    keep: Array,
    reason: Array,
    quality: Array,
    outcome: Outcome,
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


def _suggested(cast: Cast, keep: Array, outcome: Outcome, people: Gallery | None) -> Suggested:
    """Say which characters joined known people; of tracks that are not sure nothing is said."""
    rows: dict[int, tuple[float, str]] = {}
    for cluster, person in outcome.whose.items():
        tracks = np.flatnonzero((outcome.partition.label == cluster) & ~outcome.unsure)
        if len(tracks) and people is not None and outcome.shows is not None:
            sure = float(outcome.shows[tracks].mean())
            rows[int(cast.character[keep[tracks[0]]])] = sure, people.people[person]
    order = sorted(rows)
    return Suggested(
        np.array(order, dtype=np.int32),
        np.array([rows[n][0] for n in order], dtype=np.float32),
        tuple(rows[n][1] for n in order),
    )


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
