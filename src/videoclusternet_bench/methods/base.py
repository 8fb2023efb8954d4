"""What every method is given, what it may be told besides, and what it returns.

The bench hands all methods the same arrays.  Anything else a method needs (a threshold,
the number of people, labels) it has to declare: the table of results shows it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Literal

import numpy as np

from videoclusternet.clustering.distance import group_mean, normalise
from videoclusternet.types import Embeddings
from videoclusternet.types.arrays import Array, Float32, Ints

USUAL = {"dlib": 0.085}
"""Cosine distance below which two faces usually count as one person, where it is not
``USUAL_ELSE``: dlib's authors say .6 in Euclidean distance, at a length of about 1.45."""
USUAL_ELSE = 0.6
"""Of models with an angular margin, as ArcFace; a cosine of .4."""


def usual_threshold(model: str) -> float:
    """Threshold on cosine distance that users of a face model would set."""
    return USUAL.get(model, USUAL_ELSE)


Needs = Literal["nothing", "threshold", "clusters", "labels", "other films", "labels of its file"]
"""What a method must be told: nothing; a threshold set beforehand; the true number of people;
the labels of this very film (an oracle, a yardstick and no method); labels of other films of the
bench; or those that its file of weights was trained on."""

Sees = Literal["embeddings", "pictures"]
"""What a method looks at: embeddings, or the pictures themselves, which sets of features lack."""


@dataclass(frozen=True)
class Given:
    """Tracks of one film, the same for all methods; no labels.

    Attributes
    ----------
    embeddings : Embeddings
        Of C crops of T tracks by the un-adapted model; every track has a crop.
    apart : int, shape (P, 2)
        Pairs of tracks that share a frame: surely two people.
    rows : int, shape (T,)
        Number of each track in the run.
    folder : Path
        Run folder, for methods that adapt the face model itself.
    """

    embeddings: Embeddings
    apart: Ints
    rows: Ints
    folder: Path

    @property
    def tracks(self) -> int:
        """Number of tracks T."""
        return self.embeddings.tracks

    @property
    def track(self) -> Ints:
        """Track of each crop, int (C,), ascending."""
        return self.embeddings.track

    @property
    def usual(self) -> float:
        """Threshold on cosine distance that users of this face model would set."""
        return usual_threshold(self.embeddings.model)

    @cached_property
    def crops(self) -> Float32:
        """Unit embeddings of the clean crops, float32 (C, d)."""
        return np.asarray(normalise(self.embeddings.base), dtype=np.float32)

    @cached_property
    def means(self) -> Float32:
        """Unit means of the tracks' unit embeddings, float32 (T, d)."""
        return np.asarray(
            normalise(group_mean(self.crops, self.track, self.tracks)), dtype=np.float32
        )


@dataclass(frozen=True)
class Told:
    """What a method is told besides, only where it declares to need it.

    Attributes
    ----------
    threshold : float or None
        Cosine distance.
    clusters : int or None
        True number of people.
    labels : int, shape (T,), or None
        Person of each track.
    others : tuple of (Given, int array of shape (T,))
        Other films with their labels.
    """

    threshold: float | None = None
    clusters: int | None = None
    labels: Ints | None = None
    others: tuple[tuple[Given, Array], ...] = ()


Clusterer = Callable[[Given, Told, int], Array]
"""From tracks, what it is told and a seed to the cluster of each track, int (T,), -1 for
Unknown."""


@dataclass(frozen=True)
class Method:
    """A method of the bench.

    Attributes
    ----------
    name : str
        As after ``--methods``.
    title : str
    needs : str
        See :data:`Needs`.
    partition : callable
        See :data:`Clusterer`.
    trains : bool
        Whether it learns by gradient descent: minutes, not seconds.
    threshold : float or None
        Cosine distance, where one is given as ``name=value``; else that usual for the model.
    source : str
        Paper, and year.
    file : Path or None
        Of weights, where it takes some.
    sees : str
        See :data:`Sees`.
    """

    name: str
    title: str
    needs: Needs
    partition: Clusterer
    trains: bool = False
    threshold: float | None = None
    source: str = ""
    file: Path | None = None
    sees: Sees = "embeddings"
