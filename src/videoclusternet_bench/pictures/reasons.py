"""Why a track is wrong: from the merge log where there is one, else from distances."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from videoclusternet.clustering.average_linkage import Relative
from videoclusternet.clustering.choose import distances
from videoclusternet.clustering.distance import Metric
from videoclusternet.clustering.reading import Reading
from videoclusternet.clustering.spaces import adapted_space, raw_space, spaces
from videoclusternet.config import Config
from videoclusternet.runfolder.steps import recorded_settings
from videoclusternet.show.words import REASONS
from videoclusternet.types import Merges, Reason
from videoclusternet.types.arrays import Array
from videoclusternet_bench.adapted_runs import rounds_of
from videoclusternet_bench.pictures.shown import Shown


@dataclass(frozen=True)
class WrongMerge:
    """The merge that first brought a track together with somebody else.

    Attributes
    ----------
    row : int
        Of the merge log.
    mine, other : frozenset of int
        Tracks on its side before, and on the other.
    """

    row: int
    mine: frozenset[int]
    other: frozenset[int]


def wrong_merges(merges: Merges, person: Sequence[str | None]) -> dict[int, WrongMerge]:
    """Find for each track the merge that first brought it together with somebody else.

    Parameters
    ----------
    merges : Merges
    person : sequence of (str or None)
        Of every track of the run; None where it is not known: nobody else.

    Returns
    -------
    dict
        By track; none of those that are with nobody else, or not known.
    """
    group = {t: frozenset((t,)) for t in range(len(person))}
    found: dict[int, WrongMerge] = {}
    for i, (a, b) in enumerate(zip(merges.a.tolist(), merges.b.tolist(), strict=True)):
        one, two = group[a], group[b]
        both = one | two
        if len({person[t] for t in both} - {None}) > 1 and one is not two:
            for mine, other in ((one, two), (two, one)):
                for t in mine:
                    if person[t] is not None:
                        found.setdefault(t, WrongMerge(i, mine, other))
        for t in both:
            group[t] = both
    return found


class Explainer:
    """Tells for each wrong track of a partition why it is wrong.

    Parameters
    ----------
    shown : Shown
    """

    def __init__(self, shown: Shown) -> None:
        self.shown = shown
        self._person: list[str | None] = [None] * len(shown.result.tracks)
        for track, name in zip(shown.track.tolist(), shown.person, strict=True):
            self._person[track] = name

    def why(self, i: int) -> str:
        """Return the reason, a line for people, for the track in place ``i``."""
        kind = self.shown.matched.kind[i]
        if kind == "unknown":
            return self._unknown(i)
        if not self.shown.logged:
            return self._by_distance(i)
        if kind == "split":
            return self._split(i)
        return self._mixed(i)

    def _unknown(self, i: int) -> str:
        if not self.shown.logged:
            return "the method left it out"
        cast, track = self.shown.result.cast, int(self.shown.track[i])
        said = REASONS[Reason(int(cast.reason[track]))]
        value = float(cast.quality[track])
        return f"set aside: {said}" + (f", quality {value:.3f}" if np.isfinite(value) else "")

    @cached_property
    def _merges(self) -> dict[int, WrongMerge]:
        return wrong_merges(self.shown.result.merges, self._person)

    def _mixed(self, i: int) -> str:
        track = int(self.shown.track[i])
        merges, found = self.shown.result.merges, self._merges.get(track)
        if found is None:
            return self._by_distance(i)
        a, b = int(merges.a[found.row]), int(merges.b[found.row])
        mine, other = (a, b) if a in found.mine else (b, a)
        whom = f"track {other}" if len(found.other) == 1 else f"the group of track {other}"
        who = "" if mine == track else f" as one group with track {mine}"
        distance, limit = float(merges.distance[found.row]), float(merges.threshold[found.row])
        return (
            f"joined in round {int(merges.round[found.row])} with {whom} "
            f"({self._names(found.other)}){who}: "
            f"{self._measure} {distance:.3f}, under {self._limit} {limit:.3f}"
        )

    def _names(self, tracks: frozenset[int], most: int = 3) -> str:
        """Name the people of a group, those with most tracks first."""
        count = Counter(self._person[t] or "not labelled" for t in tracks)
        names = sorted(count, key=lambda name: (-count[name], name))
        return ", ".join([*names[:most], *(["…"] if len(names) > most else [])])

    @property
    def _own(self) -> bool:
        return Reading.parse(self.shown.result.cast.chosen).scaled

    @property
    def _measure(self) -> str:
        return "mean distance in own thresholds" if self._own else "distance"

    @property
    def _limit(self) -> str:
        return "the film's scale" if self._own else "the threshold"

    def _split(self, i: int) -> str:
        m, shown = self.shown.matched, self.shown
        here, main = int(m.column[i]), m.main(int(m.person[i]))
        if main < 0:
            return self._by_distance(i)
        name = shown.name_of(main)
        together = self._meeting(here, main)
        if together is not None:
            return f"never joined with {name}: tracks {together[0]} and {together[1]} share a frame"
        if self._relative is not None:
            apart, scale = self._between(here, main), self._scale
            over = (
                "over the film's scale" if apart > scale else "and yet each was nearer to others:"
            )
            return f"never joined with {name}: {self._measure} {apart:.3f}, {over} {scale:.3f}"
        return f"no pair passed between its cluster and {name}; " + self._by_distance(i)

    def _meeting(self, here: int, main: int) -> tuple[int, int] | None:
        """First two tracks of two clusters that share a frame, where that keeps them apart."""
        if not recorded_settings(self.shown.result.folder, Config).cluster.cannot_link:
            return None
        m = self.shown.matched
        column = np.full(len(self._person), -1)
        column[self.shown.track] = m.column
        for a, b in self.shown.result.tracks.overlapping().tolist():
            if {int(column[a]), int(column[b])} == {here, main}:
                return (a, b) if column[a] == here else (b, a)
        return None

    @property
    def _scale(self) -> float:
        found = self.shown.result.candidates
        return float(found.scale[found.names.index(self.shown.result.cast.chosen)])

    @cached_property
    def _relative(self) -> Relative | None:
        """Distances that the rule ``own`` joined by; None for another rule."""
        result = self.shown.result
        reading = Reading.parse(result.cast.chosen)
        if not self._own:
            return None
        keep = np.flatnonzero(result.cast.character >= 0)
        metric = Metric(recorded_settings(result.folder, Config).cluster.metric)
        weight = result.weights.weight
        raw = raw_space(result.embeddings, result.views, keep, weight=weight)
        here = spaces(raw, reading.spaces)
        for name in set(reading.spaces) - set(here):
            here[name] = adapted_space(rounds_of(result)[name](), name, keep, metric, weight)
        return distances(here, reading, metric)

    def _between(self, here: int, main: int) -> float:
        """Mean relative distance between the tracks of two clusters."""
        assert self._relative is not None
        character = self.shown.result.cast.character
        keep = np.flatnonzero(character >= 0)
        m = self.shown.matched
        label = np.full(len(keep), 2)
        label[character[keep] == m.clusters[here]] = 0
        label[character[keep] == m.clusters[main]] = 1
        _, label = np.unique(label, return_inverse=True)
        return float(self._relative.merged(label).block(slice(0, 1))[0, 1])

    def _by_distance(self, i: int) -> str:
        """Say how far it is from its cluster and from its person, itself left out of both."""
        m, shown = self.shown.matched, self.shown
        others = np.arange(len(m.column)) != i
        cluster = self._cosine(i, others & (m.column == m.column[i]))
        person = self._cosine(i, others & (m.person == m.person[i]))
        here = f"{shown.name_of(int(m.column[i]))}"
        first = f"alone in {here}" if np.isnan(cluster) else f"{cluster:.3f} from {here}"
        name = m.people[int(m.person[i])]
        second = (
            f"the only track of {name}"
            if np.isnan(person)
            else f"{person:.3f} from the others of {name}"
        )
        return f"cosine distance: {first}, {second}"

    def _cosine(self, i: int, rows: Array) -> float:
        """Distance of a track to the centre of some, NaN where there is none."""
        means = self.shown.means
        rows = rows & np.isfinite(means).all(axis=1)
        if not rows.any():
            return float("nan")
        centre = means[rows].mean(axis=0)
        return float(1 - means[i] @ centre / np.linalg.norm(centre))
