"""What becomes of the crops: embeddings, matches, the cast and how it came about."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from videoclusternet.types.table import Reason, Table

Array = NDArray[Any]


@dataclass(frozen=True, eq=False)
class Embeddings(Table):
    """Raw outputs of the face-ID model for crops and their views.

    Attributes
    ----------
    track : int32, shape (C,)
        Track of each crop, ascending.
    crop : int32, shape (C,)
        Row of :class:`Crops`.
    base : float32, shape (C, d)
        Embedding of the clean crop, not normalised.
    views : float32, shape (C, V, d)
        Embeddings of V = globals + locals augmented views.
    quality : float32, shape (C,)
        SER-FIQ face quality, 0 to 1.
    global_views : int
        The first ``global_views`` views are global, the others local.
    tracks : int
        Number of tracks, also those without a crop.
    model : str
        Name of the model.
    """

    FILE: ClassVar = "embeddings"
    COLUMNS: ClassVar = {
        "track": ("i4", ("C",)),
        "crop": ("i4", ("C",)),
        "base": ("f4", ("C", "d")),
        "views": ("f4", ("C", "V", "d")),
        "quality": ("f4", ("C",)),
    }
    track: Array
    crop: Array
    base: Array
    views: Array
    quality: Array
    global_views: int
    tracks: int
    model: str

    def __len__(self) -> int:
        return len(self.track)


@dataclass(frozen=True, eq=False)
class Links(Table):
    """Directed coarse matches between tracks (section 3.5).

    Attributes
    ----------
    a, b : int32, shape (L,)
        Track ``a`` falls inside the Gaussian of track ``b``.
    margin : float32, shape (L,)
        Log-density of the mean of ``a`` above the threshold of ``b``.
    """

    FILE: ClassVar = "links"
    COLUMNS: ClassVar = {"a": ("i4", ("L",)), "b": ("i4", ("L",)), "margin": ("f4", ("L",))}
    a: Array
    b: Array
    margin: Array

    def check(self) -> None:
        """No track matches itself."""
        if np.any(self.a == self.b):
            raise ValueError("Links: a track cannot match itself")

    def __len__(self) -> int:
        return len(self.a)


@dataclass(frozen=True, eq=False)
class Cast(Table):
    """The answer: a character for every track.

    Attributes
    ----------
    character : int32, shape (T,)
        -1 Unknown, else 0.. by screen time, longest first.
    reason : uint8, shape (T,)
        :class:`Reason`.
    quality : float32, shape (T,)
        Track quality (mean SER-FIQ), NaN without a crop.
    threshold : float32, shape (T,)
        The track's own threshold (distance), NaN where Unknown.
    confidence : float32, shape (T,)
        0 to 1; see :func:`videoclusternet.clustering.find_cast.confidence`.
    chosen : str
        The candidate reading that made this cast.
    """

    FILE: ClassVar = "cast"
    COLUMNS: ClassVar = {
        "character": ("i4", ("T",)),
        "reason": ("u1", ("T",)),
        "quality": ("f4", ("T",)),
        "threshold": ("f4", ("T",)),
        "confidence": ("f4", ("T",)),
    }
    character: Array
    reason: Array
    quality: Array
    threshold: Array
    confidence: Array
    chosen: str

    def check(self) -> None:
        """Check that a track is Unknown exactly when it has a reason to be."""
        if np.any((self.character < 0) != (self.reason != Reason.OK)):
            raise ValueError("Cast: character -1 and a reason must go together")

    def __len__(self) -> int:
        return len(self.character)

    @property
    def characters(self) -> int:
        """Number of characters found, Unknown not counted."""
        return int(self.character.max(initial=-1)) + 1


@dataclass(frozen=True, eq=False)
class Merges(Table):
    """The merge log: which pair joined which clusters, in order.

    Attributes
    ----------
    round : int32, shape (M,)
        Round of each merge, from 1.
    a, b : int32, shape (M,)
        The joined clusters, each named by its lowest track.
    distance, threshold : float32, shape (M,)
        Potential of the pair and the threshold it passed; their difference is the margin.
    """

    FILE: ClassVar = "merges"
    COLUMNS: ClassVar = {
        "round": ("i4", ("M",)),
        "a": ("i4", ("M",)),
        "b": ("i4", ("M",)),
        "distance": ("f4", ("M",)),
        "threshold": ("f4", ("M",)),
    }
    round: Array
    a: Array
    b: Array
    distance: Array
    threshold: Array

    def __len__(self) -> int:
        return len(self.round)


@dataclass(frozen=True, eq=False)
class Candidates(Table):
    """The candidate readings that were compared, simplest first (METHOD 8).

    Attributes
    ----------
    stability : float32, shape (K,)
        What two halves of the film agree on; NaN where nothing was compared.
    characters : int32, shape (K,)
        Number of characters each candidate finds.
    scale : float32, shape (K,)
        Scale of the own thresholds; NaN for readings without one.
    names : tuple of str
    """

    FILE: ClassVar = "candidates"
    COLUMNS: ClassVar = {
        "stability": ("f4", ("K",)),
        "characters": ("i4", ("K",)),
        "scale": ("f4", ("K",)),
    }
    stability: Array
    characters: Array
    scale: Array
    names: tuple[str, ...]

    def check(self) -> None:
        """Check that every candidate has a name."""
        object.__setattr__(self, "names", tuple(self.names))
        if len(self.names) != len(self.stability):
            raise ValueError("Candidates: every candidate needs a name")
