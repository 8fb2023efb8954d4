"""Faces and tracks out of boxes that were given: whose boxes they are is told, not found."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np

from videoclusternet.config import QualityConfig
from videoclusternet.film.crops import choose_faces
from videoclusternet.film.quality import flaws
from videoclusternet.types import Faces, Reason, Shots, Tracks
from videoclusternet.types.arrays import Float64, Int32, Int64


@dataclass(frozen=True, eq=False)
class GivenBoxes:
    """Face tracks of one film as boxes, without a word on who they are.

    Attributes
    ----------
    names : tuple of str, length T
        Of the tracks.
    track : int32, shape (n,)
        Row of ``names`` of each box, ascending.
    frame : int32, shape (n,)
        From 0, rising strictly inside a track.
    box : float64, shape (n, 4)
        ``x y w h`` in px of the display frame, origin at its top left.
    """

    names: tuple[str, ...]
    track: Int32
    frame: Int32
    box: Float64

    @property
    def digest(self) -> str:
        """Content hash: sha256, hexadecimal."""
        digest = hashlib.sha256(repr(self.names).encode())
        for array in (self.track, self.frame, self.box):
            digest.update(np.ascontiguousarray(array).tobytes())
        return digest.hexdigest()

    @property
    def first(self) -> Int64:
        """Row of the first box of each track, and their number at the end: int64 (T+1,)."""
        return np.searchsorted(self.track, np.arange(len(self.names) + 1))

    def ordered(self) -> GivenBoxes:
        """Return them with tracks by first frame and from left to right, as found ones are."""
        first = self.first[:-1]
        order = np.lexsort((self.box[first, 0], self.frame[first]))
        rank = np.argsort(order)
        rows = np.argsort(rank[self.track], kind="stable")
        return GivenBoxes(
            tuple(self.names[t] for t in order),
            rank[self.track][rows].astype(np.int32),
            self.frame[rows],
            self.box[rows],
        )


def given_shots(boxes: GivenBoxes, frames: int) -> Shots:
    """Cut the film where no track goes on: tracks of one shot may meet, others never do.

    Parameters
    ----------
    boxes : GivenBoxes
        Ordered.
    frames : int
        Length of the film.

    Returns
    -------
    Shots
        Stretches of the film that given tracks hold together: cuts between tracks, but
        not those inside a stretch nobody crosses.
    """
    start = boxes.first
    first, last = boxes.frame[start[:-1]], boxes.frame[start[1:] - 1]
    reach = np.maximum.accumulate(last)
    edges = np.concatenate([[0], first[1:][first[1:] > reach[:-1]], [frames]])
    return Shots(edges[:-1].astype(np.int32), edges[1:].astype(np.int32))


def given_tracks(boxes: GivenBoxes, shots: Shots, film: int = 0) -> Tracks:
    """Take the tracks as they are: none is set aside as too small or blurred.

    Parameters
    ----------
    boxes : GivenBoxes
        Ordered.
    shots : Shots
        Of :func:`given_shots`.
    film : int
        Film number that the tracks carry.
    """
    start = boxes.first
    first = boxes.frame[start[:-1]]
    face = np.argsort(np.lexsort((boxes.track, boxes.frame)))
    return Tracks(
        film=np.full(len(first), film, dtype=np.int32),
        shot=shots.at(first),
        first=first,
        last=boxes.frame[start[1:] - 1],
        start=start.astype(np.int64),
        face=face.astype(np.int32),
        flaw=np.zeros(len(first), dtype=np.uint8),
    )


def given_faces(boxes: GivenBoxes) -> Faces:
    """Return a face for every box, by frame and track; the detector has seen none yet."""
    order = np.lexsort((boxes.track, boxes.frame))
    corner, size = boxes.box[order, :2], boxes.box[order, 2:]
    unknown = np.full(len(order), np.nan, dtype=np.float32)
    return Faces(
        frame=boxes.frame[order],
        box=np.hstack([corner, corner + size]).astype(np.float32),
        landmarks=np.full((len(order), 5, 2), np.nan, dtype=np.float32),
        score=unknown,
        sharpness=unknown,
    )


def choose_boxes(
    faces: Faces, tracks: Tracks, quality: QualityConfig, times: Float64, every: float
) -> list[tuple[int, int]]:
    """Choose the faces to cut out, one for every ``every`` seconds of a track.

    One too small or cut off gives way to a better one of its half second, as in a film; but
    a track of nothing else is described by all of them: given tracks are never set aside.

    Parameters
    ----------
    faces : Faces
        Of :func:`given_faces`.
    tracks : Tracks
    quality : QualityConfig
    times : float64, shape (F,)
        Seconds of every frame.
    every : float
        Seconds.

    Returns
    -------
    list of (int, int)
        Track and face.
    """
    flaw = flaws(faces, quality)
    for t in range(len(tracks)):
        rows = tracks.faces_of(t)
        if not (flaw[rows] == Reason.OK).any():
            flaw[rows] = Reason.OK
    return choose_faces(faces, tracks, flaw, times, every)
