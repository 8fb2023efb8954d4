"""What becomes of the crops: embeddings, matches, the cast and how it came about."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar, Self

import numpy as np

from videoclusternet.types.arrays import Float32, Float64, Int32, UInt8
from videoclusternet.types.table import Reason, Table


@dataclass(frozen=True, eq=False)
class Embeddings(Table):
    """Raw outputs of the face-ID model for clean crops.

    Attributes
    ----------
    track : int32, shape (C,)
        Track of each crop, ascending.
    crop : int32, shape (C,)
        Row of :class:`Crops`.
    base : float32, shape (C, d)
        Embedding of the clean crop, not normalised.
    quality : float32, shape (C,)
        SER-FIQ face quality, 0 to 1.
    tracks : int
        Number of tracks, also those without a crop.
    model : str
        Name of the model.
    """

    FILE: ClassVar = "embeddings"
    SUFFIX: ClassVar = "safetensors"
    COLUMNS: ClassVar = {
        "track": ("i4", ("C",)),
        "crop": ("i4", ("C",)),
        "base": ("f4", ("C", "d")),
        "quality": ("f4", ("C",)),
    }
    track: Int32
    crop: Int32
    base: Float32
    quality: Float32
    tracks: int
    model: str

    def check(self) -> None:
        """Crops are of tracks that there are, track after track."""
        if (np.diff(self.track) < 0).any():
            raise ValueError("Embeddings.track must not fall")
        if len(self.track) and not (self.track.min() >= 0 and self.track.max() < self.tracks):
            raise ValueError("Embeddings.track must be below the number of tracks")
        if (self.crop < 0).any():
            raise ValueError("Embeddings.crop must not be negative")

    def __len__(self) -> int:
        return len(self.track)

    @classmethod
    def of_films(cls, films: Sequence[Self], crops: Sequence[int]) -> Self:
        """Put the embeddings of several films end to end; track and crop numbers count on.

        Parameters
        ----------
        films : sequence of Embeddings
            By one model.
        crops : sequence of int
            Number of crops of each film.
        """
        if len(films) == 1:
            return films[0]
        tracks = np.cumsum([0, *(film.tracks for film in films)], dtype=np.int32)
        before = np.cumsum([0, *crops], dtype=np.int32)
        moved = [
            replace(film, track=film.track + t, crop=film.crop + c, tracks=int(tracks[-1]))
            for film, t, c in zip(films, tracks, before, strict=False)
        ]
        return cls.concatenate(moved)


@dataclass(frozen=True, eq=False)
class Views(Table):
    """Raw outputs of the face-ID model for augmented views of some crops.

    Attributes
    ----------
    base : float32, shape (N, V, d)
        Embeddings of V = globals + locals views of each of these crops.
    row : int32, shape (N,)
        Their rows of :class:`Embeddings`, ascending; none for given features.
    globals : int
        The first ``globals`` views are global, the others local.
    """

    FILE: ClassVar = "views"
    SUFFIX: ClassVar = "safetensors"
    COLUMNS: ClassVar = {"base": ("f4", ("N", "V", "d")), "row": ("i4", ("N",))}
    base: Float32
    row: Int32
    globals: int

    def check(self) -> None:
        """Rows rise."""
        if (self.row < 0).any() or (np.diff(self.row) <= 0).any():
            raise ValueError("Views.row must rise strictly from 0")

    def __len__(self) -> int:
        return len(self.base)

    @classmethod
    def of_films(cls, films: Sequence[Self], crops: Sequence[int]) -> Self:
        """Put the views of several films end to end; rows count on.

        Parameters
        ----------
        films : sequence of Views
        crops : sequence of int
            Number of embeddings of each film.
        """
        if len(films) == 1:
            return films[0]
        before = np.cumsum([0, *crops], dtype=np.int32)
        moved = [
            replace(film, row=film.row + shift) for film, shift in zip(films, before, strict=False)
        ]
        return cls.concatenate(moved)

    @classmethod
    def none(cls, width: int) -> Self:
        """No views, of embeddings of ``width`` values that came without pictures."""
        return cls(np.empty((0, 0, width), np.float32), np.empty(0, np.int32), 0)


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
    a: Int32
    b: Int32
    margin: Float32

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
        -1 Unknown, else 0.. by screen time, longest first.  Once people have corrected it,
        numbers stay as they were: one whose tracks went elsewhere is missing.
    reason : uint8, shape (T,)
        :class:`Reason`.
    quality : float32, shape (T,)
        Track quality (mean SER-FIQ), NaN without a crop.
    threshold : float32, shape (T,)
        The track's own threshold (distance), NaN where Unknown.
    confidence : float32, shape (T,)
        Probability that the track belongs to its character, 0 where Unknown; see
        :func:`videoclusternet.clustering.confidence.confidence`.
    probable : int32, shape (T,)
        Character that an Unknown track probably shows; -1 where nothing is said, and for tracks
        that have a character.
    chosen : str
        The candidate reading that made this cast.
    alike : tuple of (int, int)
        Pairs of characters whom the face model does not tell apart: that some picture shows
        both is all that keeps them two.
    """

    FILE: ClassVar = "cast"
    COLUMNS: ClassVar = {
        "character": ("i4", ("T",)),
        "reason": ("u1", ("T",)),
        "quality": ("f4", ("T",)),
        "threshold": ("f4", ("T",)),
        "confidence": ("f4", ("T",)),
        "probable": ("i4", ("T",)),
    }
    character: Int32
    reason: UInt8
    quality: Float32
    threshold: Float32
    confidence: Float32
    probable: Int32
    chosen: str
    alike: tuple[tuple[int, int], ...] = ()

    def check(self) -> None:
        """Check that a track is Unknown exactly when it has a reason to be."""
        object.__setattr__(self, "alike", tuple((int(a), int(b)) for a, b in self.alike))
        last = int(self.character.max(initial=-1))
        if any(not 0 <= a < b <= last for a, b in self.alike):
            raise ValueError("Cast.alike are pairs of characters, the lower number first")
        if np.any((self.character < 0) != (self.reason != Reason.OK)):
            raise ValueError("Cast: character -1 and a reason must go together")
        if np.any((self.probable >= 0) & (self.character >= 0)):
            raise ValueError("Cast.probable is for tracks without a character")
        if self.probable.max(initial=-1) > max(last, 0):
            raise ValueError("Cast.probable must be a character")

    def __len__(self) -> int:
        return len(self.character)

    @property
    def characters(self) -> int:
        """Number of characters, Unknown not counted."""
        return len(np.unique(self.character[self.character >= 0]))

    @property
    def expected_wrong(self) -> Float64:
        """Expected number of tracks of each character that do not belong to it, (characters,)."""
        known = self.character >= 0
        doubt = 1 - self.confidence[known].astype(np.float64)
        total = np.bincount(self.character[known], doubt, self.characters)
        return np.asarray(total, dtype=np.float64)


@dataclass(frozen=True, eq=False)
class Merges(Table):
    """The merge log: which pair joined which clusters, in order.

    Attributes
    ----------
    round : int32, shape (M,)
        Round of each merge, from 1; 0 for tracks that had to meet.
    a, b : int32, shape (M,)
        The joined clusters, each named by its lowest track.
    distance, threshold : float32, shape (M,)
        Potential of the pair and the threshold it passed, infinite in round 0; their
        difference is the margin.
    """

    FILE: ClassVar = "merges"
    COLUMNS: ClassVar = {
        "round": ("i4", ("M",)),
        "a": ("i4", ("M",)),
        "b": ("i4", ("M",)),
        "distance": ("f4", ("M",)),
        "threshold": ("f4", ("M",)),
    }
    round: Int32
    a: Int32
    b: Int32
    distance: Float32
    threshold: Float32

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
    stability: Float32
    characters: Int32
    scale: Float32
    names: tuple[str, ...]

    def check(self) -> None:
        """Check that every candidate has a name."""
        object.__setattr__(self, "names", tuple(self.names))
        if len(self.names) != len(self.stability):
            raise ValueError("Candidates: every candidate needs a name")
