"""Readings of the embeddings: as they come, whitened, or after a round of adaptation.

Every candidate of the final choice clusters one of these spaces.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

import numpy as np

from videoclusternet.clustering.distance import Metric
from videoclusternet.clustering.whitening import (
    Seen,
    Space,
    centre,
    ridge_of,
    track_scatter,
    whiten,
)
from videoclusternet.types import Embeddings, Views
from videoclusternet.types.arrays import Array, Float32, Ints

SPACES = ("frozen", "tracks")
"""Spaces made from the un-adapted embeddings: as they come, and whitened by the scatter of the
film's own tracks."""

Spaces = Mapping[str, Space]
"""Spaces of the same crops, by name."""


def raw_space(
    embeddings: Embeddings,
    views: Views,
    keep: Ints,
    name: str = SPACES[0],
    weight: Float32 | None = None,
) -> Space:
    """Take the embeddings of some tracks as they come.

    Parameters
    ----------
    embeddings : Embeddings
    views : Views
        Of some of these crops.
    keep : int, shape (T,), ascending
        Tracks, renumbered from 0.
    name : str
    weight : float32, shape (C,), optional
        How much each crop counts in the mean of its track; by default all alike.
    """
    kept = np.isin(embeddings.track, keep)
    rows, seen = np.flatnonzero(kept), kept[views.row]
    track = np.searchsorted(keep, embeddings.track).astype(np.int32)
    return Space(
        name=name,
        clean=embeddings.base if kept.all() else embeddings.base[rows],
        track=track[rows],
        weight=np.ones(len(rows), np.float32) if weight is None else weight[rows],
        views=Seen(views.base, None if seen.all() else np.flatnonzero(seen)),
        view_track=track[views.row[seen]],
        tracks=len(keep),
        global_views=views.globals,
    )


@dataclass(frozen=True)
class Adapted:
    """Embeddings after a round of adaptation.

    Attributes
    ----------
    embeddings : Embeddings
        By the teacher (C, d), or by teacher and student end to end (C, 2d) where ``paired``.
    views : Views
        Likewise.
    centre : float32, shape (d,)
        What Eq. 2 takes off the teacher's output.
    paired : bool
    """

    embeddings: Embeddings
    views: Views
    centre: Float32
    paired: bool


def adapted_space(
    round: Adapted,
    name: str,
    keep: Array,
    metric: Metric,
    weight: Float32 | None = None,
) -> Space:
    """Return the space that a metric reads: the teacher's output, or both outputs.

    Parameters
    ----------
    round : Adapted
    name : str
    keep : int, ascending
        Tracks, renumbered from 0.
    metric : Metric
        ``loss`` and ``kl`` compare teacher and student (Eq. 2), others the teacher alone.
    weight : float32, shape (C,), optional
        How much each crop counts in the mean of its track; by default all alike.
    """
    space = raw_space(round.embeddings, round.views, keep, name, weight)
    if not round.paired:
        return space
    d = len(round.centre)
    if metric.name not in ("loss", "kl"):
        return replace(space, clean=space.clean[:, :d], views=Seen(space.views[..., :d]))
    centre = np.concatenate([round.centre, np.zeros(d, dtype=np.float32)])
    views = Seen(space.views.array() - centre)
    return replace(space, clean=space.clean - centre, views=views, paired=True)


def metric_of(metric: Metric, space: Space) -> Metric:
    """Return the metric as it reads the embeddings of a space."""
    return replace(metric, paired=space.paired)


def spaces(raw: Space, names: Collection[str] = SPACES) -> dict[str, Space]:
    """Return the spaces of these names, fitted on all crops of ``raw``."""
    found = {SPACES[0]: raw}
    if SPACES[1] in names:
        centred = centre(raw)
        found[SPACES[1]] = whiten(centred, ridge_of(centred), track_scatter(centred), SPACES[1])
    return {name: found[name] for name in names if name in found}


def subset(raw: Space, keep: Array, rows: Array) -> Space:
    """Restrict a space to the tracks ``keep`` (ascending) and of these to the crops ``rows``."""
    seen = np.isin(raw.view_track, keep)
    few = replace(
        raw,
        clean=raw.clean[rows],
        track=np.searchsorted(keep, raw.track[rows]).astype(np.int32),
        weight=raw.weight[rows],
        views=raw.views.some(seen),
        view_track=np.searchsorted(keep, raw.view_track[seen]).astype(np.int32),
        tracks=len(keep),
        given=None if raw.given is None else raw.given[keep],
    )
    few.within.update({metric: within[keep] for metric, within in raw.within.items()})
    return few
