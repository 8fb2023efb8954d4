"""Closed-form adaptation to one film: centring and within-track whitening (METHOD 5, 13).

A *space* is one reading of the same embeddings.  ``frozen`` takes them as they come,
``centred`` removes the film's own mean per kind of view, ``tracks`` also shrinks the
directions in which the crops of one track scatter: those carry light, pose and focus, not
identity.  Milliseconds on a CPU, no labels, no training.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any, Self

import numpy as np

from videoclusternet.clustering.distance import group_mean, normalise, weighted_mean
from videoclusternet.types.arrays import Array, Float32, Floats, Int32, Ints

BLOCK = 2048
"""Crops whose views are looked at at a time: views are the bulk of a film."""
RIDGE = 1.0
"""Share of the identity in the scatter that is taken off: 1 shrinks half way to it."""
SHRINK = 2.0
"""How much more for each direction that a crop has to tell of."""


@dataclass(frozen=True, eq=False)
class Seen:
    """Views of some crops, chosen and mapped as they are looked at: they are the bulk of a film.

    Slices, and NumPy itself, read the numbers.

    Attributes
    ----------
    base : float32, shape (M, V, d)
        As they came.
    rows : int, shape (N,), or None
        Which of them; None for all.
    shift : float32, shape (V, d), or None
        Taken off.
    matrix : float32, shape (d, d), or None
        What they are multiplied with then, before they are scaled to unit length.
    first : int or None
        How many views of each crop count, the first ones; None for all.
    """

    base: Float32
    rows: Ints | None = None
    shift: Float32 | None = None
    matrix: Float32 | None = None
    first: int | None = None

    @property
    def shape(self) -> tuple[int, int, int]:
        """N crops, V views, d values."""
        _, each, width = self.base.shape
        return len(self), min(each, self.first or each), width

    @property
    def size(self) -> int:
        """How many numbers these are."""
        return int(np.prod(self.shape))

    def __len__(self) -> int:
        return len(self.base) if self.rows is None else len(self.rows)

    def __getitem__(self, rows: Any) -> Float32:
        if isinstance(rows, tuple):
            return np.asarray(self.array()[rows])
        return self.some(rows).array()

    def some(self, rows: slice | Array) -> Seen:
        """Choose crops, without a look at their views."""
        if isinstance(rows, slice) and self.rows is None:
            return replace(self, base=self.base[rows])
        every = np.arange(len(self.base)) if self.rows is None else self.rows
        return replace(self, rows=every[rows])

    def array(self) -> Float32:
        """Return the numbers, float32 (N, V, d)."""
        found = self.base[:, : self.first]
        found = found if self.rows is None else found[self.rows]
        if self.shift is not None:
            found = found - self.shift[: self.first]
        if self.matrix is not None:
            # As one product: of three axes NumPy makes many small ones.
            mapped = found.reshape(-1, found.shape[-1]) @ self.matrix
            found = normalise(mapped.reshape(found.shape))
        return found

    def plain(self) -> Seen:
        """Return them with nothing left to do."""
        return self if self.shift is None and self.matrix is None else Seen(self.array())

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Array:
        return np.array(self.array(), dtype=dtype, copy=copy)

    def blocks(self) -> Iterator[Float32]:
        """Yield the numbers of ``BLOCK`` crops at a time."""
        for start in range(0, len(self), BLOCK):
            yield self[start : start + BLOCK]


@dataclass(frozen=True)
class Space:
    """Embeddings in one reading.

    Attributes
    ----------
    name : str
    clean : float32, shape (C, d)
    track : int32, shape (C,)
        Track of each crop, ascending.
    weight : float32, shape (C,)
        How much each crop counts in the mean of its track; positive.
    views : Seen, shape (N, V, d)
        Of some crops.
    view_track : int32, shape (N,)
        Their tracks, ascending.
    tracks : int
        Number of tracks.
    global_views : int
        The first ``global_views`` of the V views are global.
    paired : bool
        Whether embeddings hold the teacher's output and then the student's, see
        :class:`videoclusternet.clustering.distance.Metric`.
    given : float32, shape (T,), or None
        Own thresholds of tracks without views, in units of the median of the others; NaN where
        nothing is given.
    """

    name: str
    clean: Float32
    track: Int32
    weight: Float32
    views: Seen
    view_track: Int32
    tracks: int
    global_views: int
    paired: bool = False
    given: Float32 | None = None
    points: dict[Any, Any] = field(default_factory=dict, init=False, repr=False, compare=False)
    """What was summed up of its tracks, by how."""
    within: dict[Any, Float32] = field(default_factory=dict, init=False, repr=False, compare=False)
    """Mean distance between views of each track, by metric: once, as that looks at all views."""

    def __post_init__(self) -> None:
        """Take an array of views for what it is."""
        if not isinstance(self.views, Seen):
            object.__setattr__(self, "views", Seen(self.views))

    @property
    def has_views(self) -> bool:
        """Whether there are views: sets of given features have none."""
        return bool(self.views.size)

    @classmethod
    def plain(
        cls, name: str, clean: Float32, views: Float32, track: Int32, tracks: int, globals: int
    ) -> Self:
        """Take crops that count alike, each with its views, float32 (C, V, d)."""
        weight = np.ones(len(track), dtype=np.float32)
        return cls(name, clean, track, weight, Seen(views), track, tracks, globals)


def centre(space: Space, name: str = "centred") -> Space:
    """Subtract from each kind of view (clean, global, local) its own mean of track means.

    A backbone that is not invariant to cropping shifts all local views the same way;
    one mean per kind removes that shift.  Means of track means, so that a long track
    does not outweigh the others.
    """
    g = space.global_views

    def middle(x: Array, track: Ints) -> Array:
        return np.asarray(np.nanmean(group_mean(x, track, space.tracks), axis=0))

    views = space.views.plain()
    if views.size:
        each = views.shape[1]
        kinds = [kind for kind in (slice(0, g), slice(g, each)) if kind.start < kind.stop]
        means = zip(
            *([one[:, kind].mean(1) for kind in kinds] for one in views.blocks()), strict=True
        )
        shift = [middle(np.concatenate(mean), space.view_track) for mean in means]
        wide = [
            np.tile(one, (kind.stop - kind.start, 1))
            for one, kind in zip(shift, kinds, strict=True)
        ]
        views = replace(views, shift=np.concatenate(wide))
    clean = space.clean - middle(space.clean, space.track)
    return replace(space, name=name, clean=clean, views=views)


def track_scatter(space: Space) -> Array:
    """Scatter (d, d) of crops round the weighted mean of their track, scaled to trace 1.

    Crops of one track show one person: what differs is light, pose and focus.
    """
    unit = normalise(space.clean)
    mean = weighted_mean(unit, space.weight, space.track, space.tracks)
    delta = (unit - mean[space.track]) * np.sqrt(space.weight)[:, None]
    scatter = delta.T @ delta
    return np.asarray(scatter / max(float(np.trace(scatter)), 1e-12))


def ridge_of(space: Space) -> float:
    """How far the scatter of tracks is to be mistrusted: more, the fewer crops tell of it.

    ``RIDGE + SHRINK d / n``, where n crops less one for each track span the d directions.
    """
    crops, d = space.clean.shape
    return float(RIDGE + SHRINK * d / max(crops - space.tracks, 1))


def whitener(scatter: Floats, ridge: float) -> Float32:
    """Return the symmetric inverse root of ``scatter + ridge/d I``, float32 (d, d).

    Parameters
    ----------
    scatter : float, shape (d, d)
        Trace 1.
    ridge : float
        lambda of METHOD 5: 1 shrinks half way to the identity, 3 three quarters.
    """
    d = len(scatter)
    values, vectors = np.linalg.eigh(np.asarray(scatter, dtype=np.float64))
    root = 1 / np.sqrt(np.maximum(values, 0) + ridge / d)
    return np.asarray((vectors * root) @ vectors.T, dtype=np.float32)


def whiten(centred: Space, ridge: float, scatter: Array, name: str) -> Space:
    """Map a centred space through the whitener and scale to unit length."""
    w = whitener(scatter, ridge)
    views = replace(centred.views, matrix=w)
    return replace(centred, name=name, clean=normalise(centred.clean @ w), views=views)
