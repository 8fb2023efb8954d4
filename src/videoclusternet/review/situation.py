"""A finished run as the queue sees it: who is near whom, and what is settled."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

import numpy as np

from videoclusternet.clustering.average_linkage import Relative
from videoclusternet.clustering.choose import distances
from videoclusternet.clustering.distance import Metric
from videoclusternet.clustering.reading import OWN, Reading
from videoclusternet.clustering.spaces import SPACES, adapted_space, raw_space, spaces
from videoclusternet.config import Config
from videoclusternet.edits.state import State
from videoclusternet.result.result import Result
from videoclusternet.review.queue import MET, Group, Situation, likeness
from videoclusternet.review.recluster import good_rounds
from videoclusternet.review.splits import sides
from videoclusternet.runfolder.steps import recorded_settings
from videoclusternet.types import Merges, Reason
from videoclusternet.types.arrays import Bools, Float32, Float64, Int32, Ints

EITHER = 0.5
"""Confidence of a track that is nearest to one that was taken out of its character."""


@dataclass(frozen=True)
class Nearness:
    """How far the tracks of a run are from each other, whoever they are.

    Attributes
    ----------
    relative : Relative or None
        Of the tracks that can be compared; None where there are fewer than two.
    rows : int, shape (n,)
        Their numbers.
    scale : float
        Mean relative distance at which clustering stopped to join.
    met : int32, shape (P, 2)
        Pairs of tracks in one picture.
    """

    relative: Relative | None
    rows: Ints
    scale: float
    met: Int32

    @classmethod
    def of(cls, result: Result) -> Nearness:
        """Measure the tracks of a run in the spaces that its cast was chosen in.

        A cast by a rule without a scale is measured in own thresholds as they are.

        Raises
        ------
        StoreError
            When the run is damaged.
        """
        met = result.tracks.overlapping()
        crops = np.bincount(result.embeddings.track, minlength=len(result.tracks))
        keep = np.flatnonzero((crops > 0) & (result.tracks.flaw == Reason.OK))
        if len(keep) < 2:
            return cls(None, keep, 1.0, met)
        reading, scale = _reading(result)
        config = recorded_settings(result.folder, Config)
        metric = Metric(config.cluster.metric)
        weight = result.weights.weight
        raw = raw_space(result.embeddings, result.views, keep, weight=weight)
        own = [name for name in reading.spaces if name in SPACES]
        here = dict(spaces(raw, own))
        if len(own) < len(reading.spaces):
            rounds = good_rounds(result)
            assert rounds is not None, "a cast is of the spaces that it was chosen among"
            for name in set(reading.spaces) - set(own):
                here[name] = adapted_space(rounds[name](), name, keep, metric, weight)
        return cls(distances(here, reading, metric), keep, scale, met)

    def between(self, character: Ints) -> tuple[Ints, Float64]:
        """Return how far characters are from each other, 1 where joining stopped.

        Parameters
        ----------
        character : int, shape (T,)
            -1 Unknown.

        Returns
        -------
        int, shape (C,)
            Those that can be compared, ascending.
        float64, shape (C, C)
        """
        who = character[self.rows]
        part = np.flatnonzero(who >= 0)
        if self.relative is None or len(part) == 0:
            return np.empty(0, np.int64), np.empty((0, 0))
        numbers, label = np.unique(who[part], return_inverse=True)
        some = Relative(*(x[part] for x in (self.relative.a, self.relative.b, self.relative.size)))
        return numbers, some.merged(label).block(slice(None)).astype(np.float64) / self.scale


def _reading(result: Result) -> tuple[Reading, float]:
    """Return the reading of the latest clustering, and its scale."""
    chosen, found = result.cast.chosen, result.candidates
    reading = Reading.parse(chosen)
    scale = float(found.scale[found.names.index(chosen)]) if chosen in found.names else np.nan
    if not reading.scaled:
        return Reading(reading.space, OWN), 1.0
    return reading, scale if scale > 0 else 1.0


def situation(result: Result, near: Nearness) -> Situation:
    """Return what questions of a run depend on, with all that was decided."""
    cast, state = result.cast, result.edits.state
    closed = [n for n, person in result.people.items() if person.locked or person.hidden]
    settled = (state.hand > 0) | np.isin(cast.character, closed) | np.isin(cast.probable, closed)
    probable = cast.probable.copy()
    for claim in state.claims():
        if claim.kind in ("is not", "left"):
            denied = _number(state, claim.people[0])
            rows = np.array(sorted(claim.tracks))
            probable[rows[probable[rows] == denied]] = -1
    return Situation(
        character=cast.character,
        confidence=_doubted(result, near),
        reason=cast.reason,
        probable=probable,
        settled=settled,
        same=_same(result, near, closed),
        groups=groups_of(result.merges, cast.character, settled),
    )


def groups_of(merges: Merges, character: Ints, settled: Bools) -> list[Group]:
    """Return what was joined as a group to the rest of a character, and is there still.

    Parameters
    ----------
    merges : Merges
    character : int, shape (T,)
        -1 Unknown.
    settled : bool, shape (T,)
    """
    found = []
    size = np.bincount(character[character >= 0])
    for side in sides(merges, len(character)):
        known = [int(character[track]) for track in side.small if character[track] >= 0]
        if not known:
            continue
        most = int(np.bincount(known).argmax())
        asked = [t for t in side.small if character[t] == most and not settled[t]]
        if len(asked) > 1 and known.count(most) < size[most]:
            found.append(Group(most, tuple(sorted(asked)), side.strain, len(side.small)))
    return found


def _doubted(result: Result, near: Nearness) -> Float32:
    """Return the confidence of tracks, with what was denied of others of their character.

    A track that is nearer to one that was taken out than to all that are left may as well
    belong to that one.
    """
    sure, state = result.cast.confidence.copy(), result.edits.state
    place = {int(track): row for row, track in enumerate(near.rows)}
    gone: dict[int, set[int]] = defaultdict(set)
    for claim in state.claims():
        if claim.kind in ("is not", "left"):
            gone[_number(state, claim.people[0])].update(t for t in claim.tracks if t in place)
    for character, tracks in gone.items():
        rows = [
            place[int(t)] for t in np.flatnonzero(result.cast.character == character) if t in place
        ]
        if near.relative is None or not tracks or len(rows) < 2:
            continue
        to_gone = near.relative.a[rows] @ near.relative.b[[place[t] for t in tracks]].T
        to_rest = near.relative.a[rows] @ near.relative.b[rows].T
        np.fill_diagonal(to_rest, np.inf)
        doubtful = near.rows[rows][to_gone.min(axis=1) < to_rest.min(axis=1)]
        sure[doubtful] = np.minimum(sure[doubtful], EITHER)
    return sure


def _same(result: Result, near: Nearness, closed: list[int]) -> dict[int, tuple[int, float]]:
    """Return of each character the likeliest larger one that it may be, and P(same)."""
    character = result.cast.character
    numbers, far = near.between(character)
    if len(numbers) == 0:
        return {}
    size = np.bincount(character[character >= 0])[numbers]
    likely = likeness(far, np.minimum(size[:, None], size))
    one, other = _places(numbers, character[near.met])
    likely[one, other] *= MET
    order = np.lexsort((numbers, -size)).argsort()  # the largest first
    likely[order[:, None] <= order] = 0
    likely[_places(numbers, np.array(sorted(_said_two(result)), np.int64).reshape(-1, 2))] = 0
    shut = np.isin(numbers, closed)
    likely[shut], likely[:, shut] = 0, 0
    best = likely.argmax(axis=1)
    return {
        int(numbers[row]): (int(numbers[column]), float(likely[row, column]))
        for row, column in enumerate(best.tolist())
        if likely[row, column] > 0
    }


def _places(numbers: Ints, pairs: Ints) -> tuple[Ints, Ints]:
    """Return where pairs of characters stand in a table of those of ``numbers``, both ways."""
    pairs = np.unique(pairs[np.isin(pairs, numbers).all(axis=1)], axis=0)
    pairs = np.unique(np.concatenate([pairs, pairs[:, ::-1]]), axis=0)
    return np.searchsorted(numbers, pairs[:, 0]), np.searchsorted(numbers, pairs[:, 1])


def _said_two(result: Result) -> set[tuple[int, int]]:
    """Return pairs of characters of which people have said that they are two."""
    state = result.edits.state
    found: set[tuple[int, int]] = set()
    for claim in state.claims():
        if claim.kind == "two":
            one, other = (_number(state, person) for person in claim.people)
            found.add((min(one, other), max(one, other)))
        elif claim.kind in ("is not", "left"):
            denied = _number(state, claim.people[0])
            for track in claim.tracks:
                other = int(result.cast.character[track])
                found.add((min(denied, other), max(denied, other)))
    named = sorted(n for n, person in result.people.items() if person.name)
    found |= {(a, b) for a in named for b in named if a < b}
    return found


def _number(state: State, person: int) -> int:
    return state.people[state.now(person)].number - 1
