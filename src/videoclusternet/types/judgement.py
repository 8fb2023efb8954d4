"""What is told of tracks before anybody is compared: which show a face that can be told."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar, Self

import numpy as np

from videoclusternet.types.arrays import Bools, Float32, UInt8
from videoclusternet.types.cast import Embeddings
from videoclusternet.types.film import Tracks
from videoclusternet.types.table import Reason, Table


@dataclass(frozen=True, eq=False)
class Judgement(Table):
    """One row for each track that was found in a film, and the signals that decided.

    Attributes
    ----------
    reason : uint8, shape (T,)
        :class:`Reason` that makes the track Unknown, or ``OK``.
    size : float32, shape (T,)
        Median of the shorter side of its boxes, px.
    score : float32, shape (T,)
        Detector score that its best tenth of faces reaches, 0 to 1.
    sure : bool, shape (T,)
        Whether it is surely a face, by its score and its length.
    company : float32, shape (T,)
        Cosine to the nearest track that is surely a face; NaN where nothing was compared.
    least_size : float
        Smallest face that can be told, px; 0 where all are larger than any that cannot.
    measured : bool
        Whether ``least_size`` was found in the film itself.
    sure_score : float
        Score from which a face is sure.
    least_company : float
        Cosine from which other tracks are believed to be faces; -1: all are.
    """

    FILE: ClassVar = "judgement"
    COLUMNS: ClassVar = {
        "reason": ("u1", ("T",)),
        "size": ("f4", ("T",)),
        "score": ("f4", ("T",)),
        "sure": ("?", ("T",)),
        "company": ("f4", ("T",)),
    }
    reason: UInt8
    size: Float32
    score: Float32
    sure: Bools
    company: Float32
    least_size: float
    measured: bool
    sure_score: float
    least_company: float

    def __len__(self) -> int:
        return len(self.reason)

    def of(self, tracks: Tracks) -> Tracks:
        """Return the tracks with this judgement for their flaw."""
        return replace(tracks, flaw=self.reason)


@dataclass(frozen=True, eq=False)
class CropWeights(Table):
    """How much each crop counts in the mean of its track.

    Attributes
    ----------
    weight : float32, shape (C,)
        0 to 1; row by row with the embeddings of tracks that can be told.
    """

    FILE: ClassVar = "crop_weights"
    COLUMNS: ClassVar = {"weight": ("f4", ("C",))}
    weight: Float32

    @classmethod
    def even(cls, crops: int) -> Self:
        """All count alike: nothing is known of how well each was seen."""
        return cls(np.ones(crops, dtype=np.float32))


def told(embeddings: Embeddings, tracks: Tracks) -> Embeddings:
    """Restrict embeddings to tracks without a flaw; the others are compared with nobody."""
    return embeddings.take(np.flatnonzero(tracks.flaw[embeddings.track] == Reason.OK))
