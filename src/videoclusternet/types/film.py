"""What is found in a film: frames, shots, faces, tracks, crops."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import ClassVar, Self

import numpy as np

from videoclusternet.types.arrays import Array, Bools, Float32, Float64, Int32, Int64, UInt8, UInt32
from videoclusternet.types.table import Table


@dataclass(frozen=True, eq=False)
class VideoInfo(Table):
    """What is known of a film without its pictures: F frames in display order.

    Attributes
    ----------
    path : str
        Path as given by the user; of a film, a folder or a numbered pattern of pictures.
    content : str
        sha256 over the file's size, three blocks of 1 MiB of it and a checksum of all pictures
        as they are stored.
    width, height : int
        Display frame in square pixels.
    rate : str
        Nominal frames per second as an exact fraction, e.g. ``"24000/1001"``.
    base : str
        Seconds per tick of ``pts`` as an exact fraction.
    end : int
        When the last frame ends, in ticks.
    timed : bool
        Whether the times are the file's own; else frames come at ``rate``, given or guessed.
    stream : int
        Number of the stream in the file.
    marked : str
        What ``mark`` is made of: ``"pos"`` or ``"shared pos"`` (place in the file), ``"pts"``,
        ``"dts"``, or ``"count"`` from the file's start.
    pts : int64, shape (F,)
        Presentation time of every frame in ticks; players show 0 at the film's start, where
        sound may come before the first picture.
    packet : int32, shape (F,)
        Place of the frame's packet in the order of decoding.
    key : bool, shape (F,)
        Whether decoding can begin at the frame.
    seek : int64, shape (F,)
        Time stamp as the file has it, to seek by; -1 where it has none.
    mark : int64, shape (F,)
        Tells the frame's packet from all others.
    """

    FILE: ClassVar = "video"
    COLUMNS: ClassVar = {
        "pts": ("i8", ("F",)),
        "packet": ("i4", ("F",)),
        "key": ("?", ("F",)),
        "seek": ("i8", ("F",)),
        "mark": ("i8", ("F",)),
    }
    path: str
    content: str
    width: int
    height: int
    rate: str
    base: str
    end: int
    timed: bool
    stream: int
    marked: str
    pts: Int64
    packet: Int32
    key: Bools
    seek: Int64
    mark: Int64

    def check(self) -> None:
        """Time stamps rise strictly, and the last frame ends after it begins."""
        if np.any(np.diff(self.pts) <= 0):
            raise ValueError("VideoInfo.pts must rise strictly")
        if len(self.pts) and self.end <= self.pts[-1]:
            raise ValueError("VideoInfo.end must come after the last frame")

    @property
    def digest(self) -> str:
        """Content hash of the film and its times: its path plays no part."""
        digest = hashlib.sha256((self.content + self.rate + self.base).encode())
        digest.update(self.pts.tobytes())
        return digest.hexdigest()

    @property
    def frames(self) -> int:
        """Number of frames."""
        return len(self.pts)

    @property
    def fps(self) -> Fraction:
        """Nominal frames per second."""
        return Fraction(self.rate)

    @property
    def times(self) -> Float64:
        """Presentation time of every frame, float64 (F,), s from the start of the film."""
        return np.asarray(self.pts * float(Fraction(self.base)))

    def seconds(self, frame: int) -> float:
        """Presentation time of a frame in seconds from the start of the film.

        Parameters
        ----------
        frame : int
            Frame number; ``frames`` itself gives the end of the last frame.
        """
        ticks = self.end if frame >= self.frames else int(self.pts[frame])
        return float(ticks * Fraction(self.base))

    def entry(self, frame: int) -> int:
        """Frame at which decoding has to begin so that ``frame`` comes out whole; -1: the file.

        A frame shown before a key frame but stored after it needs the key frame before.
        """
        keys = np.flatnonzero(self.key[: frame + 1])
        return int(keys[-1]) if len(keys) else -1


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
    start: Int32
    stop: Int32

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
        1 - SVD blur degree, 0 to 1; see :mod:`videoclusternet.film.quality`.
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
    frame: Int32
    box: Float32
    landmarks: Float32
    score: Float32
    sharpness: Float32
    stride: int = 1

    def check(self) -> None:
        """Frames ascend."""
        if np.any(np.diff(self.frame) < 0):
            raise ValueError("Faces must be sorted by frame")

    def __len__(self) -> int:
        return len(self.frame)

    @property
    def shorter(self) -> Float32:
        """Shorter side of every box, float32 (N,), px."""
        return np.asarray((self.box[:, 2:] - self.box[:, :2]).min(axis=1))


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
    film: Int32
    shot: Int32
    first: Int32
    last: Int32
    start: Int64
    face: Int32
    flaw: UInt8

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

    @classmethod
    def of_films(cls, films: Sequence[Self]) -> Self:
        """Put the tracks of several films end to end; each film counts by its place."""
        return cls.concatenate([film.in_film(number) for number, film in enumerate(films)])

    def in_film(self, number: int) -> Self:
        """Return the same tracks in a film of this number."""
        if (self.film == number).all():
            return self
        return replace(self, film=np.full(len(self), number))

    def faces_of(self, track: int) -> Array:
        """Return the face rows of a track."""
        return self.face[self.start[track] : self.start[track + 1]]

    def overlapping(self) -> Int32:
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
    :class:`videoclusternet.runfolder.crop_zip.CropPictures`: a film never has to fit into memory.

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
    track: Int32
    frame: Int32
    face: Int32
    checksum: UInt32
    tracks: int

    def check(self) -> None:
        """Crops are sorted by track."""
        if np.any(np.diff(self.track) < 0):
            raise ValueError("Crops must be sorted by track")
        if len(self.track) and not 0 <= self.track[0] <= self.track[-1] < self.tracks:
            raise ValueError("Crops.track is out of range")

    def __len__(self) -> int:
        return len(self.track)
