"""The tables that cross the borders between steps: checked, read-only, hashable.

Each table is a frozen struct of arrays.  A row number is an identity.  Shapes and
dtypes are checked on construction, arrays are made read-only, and ``digest`` is a
content hash, so that a step is run again exactly when its input changed.

Conventions: pixels of the *display frame* (rotation and sample aspect ratio
applied), origin at the top left, boxes ``x1 y1 x2 y2`` as float32.  Frames count
from 0 in display order.  "Absent" is -1.  Landmarks are left eye, right eye, nose,
left and right mouth corner, left first *as seen in the picture*.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, fields
from enum import IntEnum
from fractions import Fraction
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


class Reason(IntEnum):
    """Why a track is Unknown; ``OK`` tracks belong to a character."""

    OK = 0
    SMALL = 1
    BLURRED = 2
    LOW_QUALITY = 3


@dataclass(frozen=True, eq=False)
class Table:
    """Base of all tables: checks columns against ``COLUMNS`` and hashes content.

    ``COLUMNS`` maps each array attribute to ``(dtype, shape)`` where a shape entry
    is an int, a letter (equal letters must have equal length) or ``"X+1"``.
    Attributes that are not arrays are metadata and must be JSON-able.
    """

    FILE: ClassVar[str] = ""
    """Name of the table's file in a run folder, without suffix."""
    COLUMNS: ClassVar[Mapping[str, tuple[str, tuple[int | str, ...]]]] = {}
    RAGGED: ClassVar[Mapping[str, str]] = {}
    """Columns that hold one list per row, and the column with the offsets of these lists."""

    def __post_init__(self) -> None:
        sizes: dict[str, int] = {}
        for name, (dtype, shape) in self.COLUMNS.items():
            given = getattr(self, name)
            array = np.ascontiguousarray(given, dtype=dtype)
            if array.ndim != len(shape):
                raise ValueError(f"{type(self).__name__}.{name}: {array.ndim} axes, not {shape}")
            for have, want in zip(array.shape, shape, strict=True):
                _check_size(f"{type(self).__name__}.{name}", have, want, sizes)
            if array.flags.writeable and np.may_share_memory(array, given):
                array = array.copy()
            array.setflags(write=False)
            object.__setattr__(self, name, array)
        self.check()

    def check(self) -> None:
        """Raise ``ValueError`` when an invariant of this table is broken."""

    def arrays(self) -> dict[str, Array]:
        """Return the array columns by name."""
        return {name: getattr(self, name) for name in self.COLUMNS}

    def meta(self) -> dict[str, Any]:
        """Return the attributes that are not arrays, as JSON-able values."""
        return {f.name: getattr(self, f.name) for f in fields(self) if f.name not in self.COLUMNS}

    @classmethod
    def build(cls, arrays: Mapping[str, Array], meta: Mapping[str, Any]) -> Self:
        """Make a table from what ``arrays`` and ``meta`` returned."""
        return cls(**arrays, **meta)

    @property
    def digest(self) -> str:
        """Content hash (sha256, hexadecimal) over columns and metadata."""
        h = hashlib.sha256(type(self).__name__.encode())
        h.update(json.dumps(self.meta(), sort_keys=True).encode())
        for name, array in self.arrays().items():
            h.update(f"{name}{array.dtype.str}{array.shape}".encode())
            h.update(array.data if array.size else b"")
        return h.hexdigest()


def _check_size(where: str, have: int, want: int | str, sizes: dict[str, int]) -> None:
    if isinstance(want, str):
        letter, plus, extra = want.partition("+")
        base = have - (int(extra) if plus else 0)
        want_size = sizes.setdefault(letter, base)
        if base != want_size:
            raise ValueError(f"{where}: axis {letter} is {base}, elsewhere {want_size}")
    elif have != want:
        raise ValueError(f"{where}: axis of length {have}, not {want}")


@dataclass(frozen=True, eq=False)
class VideoInfo(Table):
    """What is known of a film without decoding its pictures.

    Attributes
    ----------
    path : str
        Path as given by the user.
    content : str
        sha256 over the size and three blocks of 1 MiB of the file.
    width, height : int
        Display frame in square pixels.
    rate : str
        Nominal frames per second as an exact fraction, e.g. ``"24000/1001"``.
    base : str
        Seconds per tick of ``pts`` as an exact fraction.
    pts : int64, shape (F,)
        Presentation time stamp of every frame, display order, in ticks.
    """

    FILE: ClassVar = "video"
    COLUMNS: ClassVar = {"pts": ("i8", ("F",))}
    path: str
    content: str
    width: int
    height: int
    rate: str
    base: str
    pts: Array

    def check(self) -> None:
        """Time stamps rise strictly."""
        if np.any(np.diff(self.pts) <= 0):
            raise ValueError("VideoInfo.pts must rise strictly")

    @property
    def digest(self) -> str:
        """Content hash of the film: its path plays no part."""
        return hashlib.sha256((self.content + self.rate + self.base).encode()).hexdigest()

    @property
    def frames(self) -> int:
        """Number of frames."""
        return len(self.pts)

    @property
    def fps(self) -> Fraction:
        """Nominal frames per second."""
        return Fraction(self.rate)

    @property
    def times(self) -> Array:
        """Presentation time of every frame, float64 (F,), s from the start of the film."""
        ticks = (self.pts - self.pts[:1]).astype(np.float64)
        return np.asarray(ticks * float(Fraction(self.base)))

    def seconds(self, frame: int) -> float:
        """Presentation time of a frame in seconds from the start of the film.

        Parameters
        ----------
        frame : int
            Frame number; ``frames`` itself gives the end of the last frame.
        """
        if frame >= self.frames:
            last = self.seconds(self.frames - 1) if self.frames else 0.0
            return last + float((frame - self.frames + 1) / self.fps)
        return float((int(self.pts[frame]) - int(self.pts[0])) * Fraction(self.base))


@dataclass(frozen=True, eq=False)
class Shots(Table):
    """Shots as half-open frame ranges that cover the film.

    Attributes
    ----------
    start, stop : int32, shape (S,)
        First frame and first frame after the shot.
    """

    FILE: ClassVar = "shots"
    COLUMNS: ClassVar = {"start": ("i4", ("S",)), "stop": ("i4", ("S",))}
    start: Array
    stop: Array

    def check(self) -> None:
        """Shots are sorted, disjoint and without gaps."""
        if len(self.start) and (
            self.start[0] != 0
            or np.any(self.stop <= self.start)
            or np.any(self.start[1:] != self.stop[:-1])
        ):
            raise ValueError("Shots must be sorted, disjoint and cover the film")

    def __len__(self) -> int:
        return len(self.start)

    def at(self, frame: Array) -> Array:
        """Return the shot number (int32) that holds each frame number."""
        return (np.searchsorted(self.start, frame, side="right") - 1).astype(np.int32)


@dataclass(frozen=True, eq=False)
class FrameScores(Table):
    """How much each frame differs from the one before: the raw material of shots.

    Attributes
    ----------
    score : float32, shape (F,)
        PySceneDetect's content score (mean HSV difference); 0 for the first frame and
        for frames that could not be decoded.
    """

    FILE: ClassVar = "scores"
    COLUMNS: ClassVar = {"score": ("f4", ("F",))}
    score: Array


@dataclass(frozen=True, eq=False)
class Motion(Table):
    """Motion of the camera between the frames that the detector saw.

    Attributes
    ----------
    frame : int32, shape (K,)
        Frames the detector saw, ascending.
    matrix : float32, shape (K, 2, 3)
        Affine map of display px from the seen frame before to this one; the identity
        for the first, across a cut, or where compensation is off.
    """

    FILE: ClassVar = "motion"
    COLUMNS: ClassVar = {"frame": ("i4", ("K",)), "matrix": ("f4", ("K", 2, 3))}
    frame: Array
    matrix: Array


@dataclass(frozen=True, eq=False)
class Faces(Table):
    """All detected faces of a film.

    Attributes
    ----------
    frame : int32, shape (N,)
        Frame number, ascending.
    box : float32, shape (N, 4)
        ``x1 y1 x2 y2`` in px.
    landmarks : float32, shape (N, 5, 2)
        Eyes, nose, mouth corners in px.
    score : float32, shape (N,)
        Detector confidence, 0 to 1.
    sharpness : float32, shape (N,)
        1 - SVD blur degree, 0 to 1; see :mod:`videoclusternet.quality`.
    stride : int
        The detector saw every ``stride``-th frame.
    """

    FILE: ClassVar = "faces"
    COLUMNS: ClassVar = {
        "frame": ("i4", ("N",)),
        "box": ("f4", ("N", 4)),
        "landmarks": ("f4", ("N", 5, 2)),
        "score": ("f4", ("N",)),
        "sharpness": ("f4", ("N",)),
    }
    frame: Array
    box: Array
    landmarks: Array
    score: Array
    sharpness: Array
    stride: int = 1

    def check(self) -> None:
        """Frames ascend."""
        if np.any(np.diff(self.frame) < 0):
            raise ValueError("Faces must be sorted by frame")

    def __len__(self) -> int:
        return len(self.frame)


@dataclass(frozen=True, eq=False)
class Tracks(Table):
    """Face tracks: one person, one shot, consecutive detections.

    Attributes
    ----------
    film : int32, shape (T,)
        Film number in a run over several films, else 0.
    shot : int32, shape (T,)
        Shot number inside the film.
    first, last : int32, shape (T,)
        First and last frame with this face, both inclusive.
    start : int64, shape (T+1,)
        Track t owns ``face[start[t]:start[t+1]]``.
    face : int32, shape (M,)
        Row of :class:`Faces`, ascending inside a track.
    flaw : uint8, shape (T,)
        ``Reason`` that already makes the track Unknown, or ``OK``.
    """

    FILE: ClassVar = "tracks"
    COLUMNS: ClassVar = {
        "film": ("i4", ("T",)),
        "shot": ("i4", ("T",)),
        "first": ("i4", ("T",)),
        "last": ("i4", ("T",)),
        "start": ("i8", ("T+1",)),
        "face": ("i4", ("M",)),
        "flaw": ("u1", ("T",)),
    }
    RAGGED: ClassVar = {"face": "start"}
    film: Array
    shot: Array
    first: Array
    last: Array
    start: Array
    face: Array
    flaw: Array

    def check(self) -> None:
        """Offsets are a partition of the face column; tracks have a duration."""
        if (
            self.start[0] != 0
            or self.start[-1] != len(self.face)
            or np.any(np.diff(self.start) < 0)
        ):
            raise ValueError("Tracks.start must rise from 0 to the number of faces")
        if np.any(self.last < self.first):
            raise ValueError("Tracks.last must not lie before first")

    def __len__(self) -> int:
        return len(self.shot)

    def faces_of(self, track: int) -> Array:
        """Return the face rows of a track."""
        return self.face[self.start[track] : self.start[track + 1]]

    def overlapping(self) -> Array:
        """Return pairs (a < b), int32 (P, 2), of tracks that share a frame of one shot.

        Two faces in one picture are two people: the cannot-link pairs.
        """
        pairs: list[tuple[int, int]] = []
        order = np.lexsort((self.first, self.shot, self.film))
        for i, a in enumerate(order):
            for b in order[i + 1 :]:
                same = self.film[a] == self.film[b] and self.shot[a] == self.shot[b]
                if not same or self.first[b] > self.last[a]:
                    break
                pairs.append((min(a, b), max(a, b)))
        return np.array(sorted(pairs), dtype=np.int32).reshape(-1, 2)


@dataclass(frozen=True, eq=False)
class Crops(Table):
    """Which faces were cut out, one every half second of a track (paper section 3.2).

    The pictures lie beside this table in a zip file and are read in batches, see
    :class:`videoclusternet.crops.CropPictures`: a film never has to fit into memory.

    Attributes
    ----------
    track : int32, shape (C,)
        Track of each crop, ascending.
    frame : int32, shape (C,)
        Frame number it was cut from.
    face : int32, shape (C,)
        Row of :class:`Faces`, -1 where crops were given from outside.
    checksum : uint32, shape (C,)
        CRC-32 of the JPEG file, so that the digest of this table covers the pictures.
    tracks : int
        Number of tracks, also those without a crop.
    """

    FILE: ClassVar = "crops"
    COLUMNS: ClassVar = {
        "track": ("i4", ("C",)),
        "frame": ("i4", ("C",)),
        "face": ("i4", ("C",)),
        "checksum": ("u4", ("C",)),
    }
    track: Array
    frame: Array
    face: Array
    checksum: Array
    tracks: int

    def check(self) -> None:
        """Crops are sorted by track."""
        if np.any(np.diff(self.track) < 0):
            raise ValueError("Crops must be sorted by track")
        if len(self.track) and not 0 <= self.track[0] <= self.track[-1] < self.tracks:
            raise ValueError("Crops.track is out of range")

    def __len__(self) -> int:
        return len(self.track)


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
        0 to 1; see :func:`videoclusternet.casting.confidence`.
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
