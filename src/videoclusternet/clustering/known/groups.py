"""Known people beside the tracks of a film: groups that these tracks may join, or not.

The exemplars of a person enter the clustering as further tracks that belong together and are
apart from those of other people.  A track of the film joins them by the rule by which it joins
other tracks; nobody sets how alike is alike enough.

How coarse the film is to be read is found before, from its tracks and the exemplars alike: more
people make it clearer how far apart people are.  Nothing is known of the exemplars there: what has
to stay together would make any reading look stable.  But beside people no film of enough tracks
is read more coarsely than alone (decision 22).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Self

import numpy as np

from videoclusternet.clustering.average_linkage import Relative
from videoclusternet.clustering.confidence import WITH_COMPANY, WITHOUT_COMPANY, evidence
from videoclusternet.clustering.distance import Metric
from videoclusternet.clustering.known.gallery import Gallery
from videoclusternet.clustering.track_points import own_thresholds, space_points
from videoclusternet.clustering.whitening import Space
from videoclusternet.types import Constraints
from videoclusternet.types.arrays import Float32, Int64, Ints


@dataclass(frozen=True)
class Groups:
    """T tracks of a film, and after them the E exemplars of P people.

    Attributes
    ----------
    alone : Space
        Of T tracks.
    space : Space
        Of T + E tracks.
    film : Constraints
        What is known of the tracks of the film.
    held : Constraints
        And who of the people is the same and who is not: for the clustering.
    stands : int64, shape (P,)
        The track that stands for each person.
    tracks : int
        T.
    """

    alone: Space
    space: Space
    film: Constraints
    held: Constraints
    stands: Int64
    tracks: int

    @classmethod
    def of(
        cls, raw: Space, constraints: Constraints, people: Gallery | None, metric: Metric
    ) -> Self:
        """Put known people beside the tracks of a film; None where nobody is known.

        Parameters
        ----------
        raw : Space
            Of T tracks, as they come.
        constraints : Constraints
        people : Gallery or None
            Of the same face model.
        metric : Metric
            Own thresholds of the film are measured by it.
        """
        if people is None:
            nobody = np.empty(0, dtype=np.int64)
            return cls(raw, raw, constraints, constraints, nobody, raw.tracks)
        n, count = raw.tracks, len(people)
        own = own_thresholds(raw, metric)
        given = None
        if own is not None and n:
            unit = max(float(np.median(own)), 1e-6)  # 0 where all views are alike
            given = np.concatenate([np.full(n, np.nan), people.threshold / unit]).astype(np.float32)
        mean = people.mean.astype(np.float32) * people.length[:, None]
        space = replace(
            raw,
            clean=np.concatenate([raw.clean, mean]),
            track=np.concatenate([raw.track, np.arange(n, n + count, dtype=np.int32)]),
            weight=np.concatenate([raw.weight, np.ones(count, dtype=np.float32)]),
            tracks=n + count,
            given=given,
        )
        stands = n + np.unique(people.person, return_index=True)[1]
        joins = np.stack([stands[people.person], np.arange(n, n + count)], axis=1)
        joins = joins[joins[:, 0] != joins[:, 1]]
        film = Constraints(constraints.apart, constraints.together, n + count)
        # Where all of a person are bound, one of them stands for the others.
        bar = stands[np.stack(np.triu_indices(len(stands), 1), axis=1)].astype(np.int32)
        held = film.and_those(Constraints(bar, joins.astype(np.int32), n + count))
        return cls(raw, space, film, held, stands.astype(np.int64), n)

    @property
    def people(self) -> int:
        """Number of people P."""
        return len(self.stands)

    def unit(self, metric: Metric) -> float:
        """Relative distances beside people, in units of those of the film alone.

        Their unit is the median threshold, see
        :func:`videoclusternet.clustering.average_linkage.relative`; there have to be views.
        """
        alone, beside = (
            max(float(np.median(space_points(space, metric).threshold)), 1e-6)
            for space in (self.alone, self.space)
        )
        return float(np.sqrt(alone / beside))

    def gathered(self, first: Ints) -> Groups:
        """Bind tracks of the film that were found to be one person.

        Parameters
        ----------
        first : int, shape (T,)
            The lowest track of the cluster of each.
        """
        joins = np.stack([first, np.arange(self.tracks)], axis=1)
        joins = joins[joins[:, 0] != joins[:, 1]]
        total = self.space.tracks
        none = np.empty((0, 2), dtype=np.int32)
        bound = Constraints(none, joins.astype(np.int32), total)
        return replace(self, held=self.held.and_those(bound))

    def whose(self, label: Ints) -> dict[int, int]:
        """Return the person by cluster, as rows of the gallery, of clusters with a film's track."""
        with_tracks = set(label[: self.tracks].tolist())
        people = enumerate(label[self.stands].tolist())
        return {cluster: person for person, cluster in people if cluster in with_tracks}

    def shown(self, far: Relative, label: Ints, scale: float, company: Float32 | None) -> Float32:
        """How probably each track shows the person whom it joined, float32 (T,); 0 for nobody.

        As :func:`videoclusternet.clustering.confidence.confidence`, with the person's exemplars
        in place of the rest of the character.

        Parameters
        ----------
        far : Relative
            Of T + E tracks.
        label : int, shape (T + E,)
        scale : float
        company : float32, shape (T + E,), or None
        """
        sure = np.zeros(self.tracks, dtype=np.float32)
        if not self.people:
            return sure
        found = evidence(far, label, scale, self.held.apart, company)
        weights = WITHOUT_COMPANY if company is None else WITH_COMPANY
        of_people = label[self.tracks :]
        for cluster in self.whose(label):
            rows = np.flatnonzero(label[: self.tracks] == cluster)
            theirs = self.tracks + np.flatnonzero(of_people == cluster)
            own = far.a[rows] @ far.b[theirs].sum(axis=0) / np.float32(len(theirs) * scale)
            some = (np.maximum(own, 0), found.other[rows], found.company[rows])
            sure[rows] = weights.probability(*some)
        return sure
