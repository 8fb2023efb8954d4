"""Known people, as clustering compares tracks with them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from videoclusternet.types.arrays import Float16, Float32, Int32
from videoclusternet.types.table import Table


@dataclass(frozen=True, eq=False)
class Gallery(Table):
    """Exemplars of known people, as one un-adapted face model sees them.

    An exemplar is a track of an earlier film, or a photograph: what clustering knows of a track,
    see :class:`videoclusternet.clustering.track_points.TrackPoints`.

    Attributes
    ----------
    person : int32, shape (E,)
        Whom it shows: row of ``people``, ascending.
    look : int32, shape (E,)
        Which look of that person, from 0.
    mean : float16, shape (E, d)
        Weighted mean of the unit-length embeddings of its crops.  In half the width, as a million
        of 512 values take 1 GB so; take some rows and widen these.
    length : float32, shape (E,)
        Mean length of these embeddings as the model gave them.
    threshold : float32, shape (E,)
        Own threshold: mean cosine distance between views of it; NaN where it has none.
    people : tuple of str
        Key of each of P people, which stays whatever they are called.
    names : tuple of str
        Their names.
    films : tuple of int
        Films that exemplars of each of these people are of; 0 for one known by photographs alone.
    weights : str
        What made these embeddings: digest of the un-adapted face model.
    """

    FILE: ClassVar = "gallery"
    SUFFIX: ClassVar = "safetensors"
    COLUMNS: ClassVar = {
        "person": ("i4", ("E",)),
        "look": ("i4", ("E",)),
        "mean": ("f2", ("E", "d")),
        "length": ("f4", ("E",)),
        "threshold": ("f4", ("E",)),
    }
    person: Int32
    look: Int32
    mean: Float16
    length: Float32
    threshold: Float32
    people: tuple[str, ...]
    names: tuple[str, ...]
    films: tuple[int, ...]
    weights: str

    def check(self) -> None:
        """Exemplars are of people that there are, person after person."""
        object.__setattr__(self, "people", tuple(self.people))
        object.__setattr__(self, "names", tuple(self.names))
        object.__setattr__(self, "films", tuple(self.films))
        if not len(self.names) == len(self.films) == len(self.people):
            raise ValueError("Gallery.names and films must be as many as its people")
        if (np.diff(self.person) < 0).any():
            raise ValueError("Gallery.person must not fall")
        if len(self) and not 0 <= self.person[0] <= self.person[-1] < len(self.people):
            raise ValueError("Gallery.person must be below the number of people")

    def __len__(self) -> int:
        return len(self.person)
