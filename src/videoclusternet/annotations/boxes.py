"""Labelled boxes of one film: one canonical form, what is refused, and how our CSV is read.

Frames count from 0 in display order.  Boxes are ``x y w h`` in px of the display frame
(rotation applied, square pixels), ``x y`` the top left corner, origin at the top left of
the frame.  Other forms are read in :mod:`videoclusternet.annotations.box_forms`, all are
written in :mod:`videoclusternet_bench.data.export`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple

import numpy as np

from videoclusternet.annotations.fields import column, number, rate, read_csv, size, whole
from videoclusternet.errors import DataError
from videoclusternet.outside.files import is_name, read_json
from videoclusternet.types.arrays import Float64, Int32

TRACKS = "tracks.csv"
FILM = "dataset.json"
COLUMNS = ("track_id", "frame", "x", "y", "w", "h", "label")
EDGE = 1.0
"""px that a box may reach beyond the frame: rounding, and pixels counted from 1."""
DECIMALS = 6
"""Of px, where one is reckoned out of two: what was written with them is read back the same."""
SAME_RATE = 2e-4
"""Relative difference up to which two frame rates are one.  23.98, as people round it, is
1.7e-4 off 24000/1001; 24 is 1e-3 off, a second in 17 minutes."""


@dataclass(frozen=True)
class FilmFacts:
    """What a data set says of its film.

    Attributes
    ----------
    video : str
        Name of the film.
    fps : Fraction
        Frames per second, nominal.
    width, height : int
        Display frame, px.
    frames : int or None
        Length in frames; None where it is not known.
    """

    video: str
    fps: Fraction
    width: int
    height: int
    frames: int | None = None


class BoxRow(NamedTuple):
    """One labelled box as a reader found it.

    Attributes
    ----------
    place : str
        File and line or element, for messages.
    track : str
        Number or name of its track.
    frame : int
        From 0.
    box : tuple of 4 float
        ``x y w h``, px.
    label : str
        Person; empty where there is none.
    """

    place: str
    track: str
    frame: int
    box: tuple[float, float, float, float]
    label: str


@dataclass(frozen=True, eq=False)
class LabelledBoxes:
    """Labelled face tracks of one film, sorted by track and frame.

    Attributes
    ----------
    source : Path
        Where they were read from.
    film : FilmFacts
    tracks, labels : tuple of str, length T
        Name of each track, and its person.  Names that are no numbers first, then numbers
        by value.
    track : int32, shape (n,)
        Row of ``tracks`` of each box, ascending.
    frame : int32, shape (n,)
        Frame of each box from 0, rising strictly inside a track.
    box : float64, shape (n, 4)
        ``x y w h``, px of the display frame, origin at its top left.
    """

    source: Path
    film: FilmFacts
    tracks: tuple[str, ...]
    labels: tuple[str, ...]
    track: Int32
    frame: Int32
    box: Float64

    @property
    def people(self) -> int:
        """Number of different labels."""
        return len(set(self.labels))

    @property
    def seconds(self) -> Float64:
        """Length of each track from its first to its last box, float64 (T,), s."""
        start = np.searchsorted(self.track, np.arange(len(self.tracks)))
        stop = np.append(start[1:], len(self.track))
        spans = self.frame[stop - 1].astype(np.float64) - self.frame[start] + 1
        return np.asarray(spans / float(self.film.fps))

    def check_against(
        self,
        fps: Fraction | float,
        frames: int | None = None,
        width: int | None = None,
        height: int | None = None,
    ) -> None:
        """Refuse boxes that were not made on this film.

        Parameters
        ----------
        fps : Fraction or float
            Frames per second of the film.  Boxes are placed by frame number, so boxes made
            on another transfer (25 in place of 24) would run away from the picture.
        frames, width, height : int, optional
            Length in frames, and display frame in px, of the film.

        Raises
        ------
        DataError
            When the rate or the frame size differs, the film is empty, or a box lies
            behind its end; names the data set and what differs.
        """
        given = Fraction(fps)
        if given <= 0 or frames == 0:
            raise DataError(f"{self.source}: the film is empty", "name the film of these boxes")
        if not same_rate(given, self.film.fps):
            raise DataError(
                f"{self.source} is of a film of {float(self.film.fps):.6g} frames/s, "
                f"this one has {float(given):.6g}",
                "take the file that the boxes were drawn on",
            )
        own = (self.film.width, self.film.height)
        seen = (own[0] if width is None else width, own[1] if height is None else height)
        if seen != own:
            raise DataError(
                f"{self.source} is of a film of {own[0]}x{own[1]} px, "
                f"this one has {seen[0]}x{seen[1]}",
                "take the file that the boxes were drawn on",
            )
        last = int(self.frame.max())
        if frames is not None and last >= frames:
            track = self.tracks[int(self.track[int(np.argmax(self.frame))])]
            raise DataError(
                f"{self.source}, track {track}: frame {last} is outside the film of {frames} frames"
            )


def same_rate(a: Fraction, b: Fraction) -> bool:
    """Whether two frame rates are the same but for rounding."""
    return abs(a - b) <= Fraction(SAME_RATE) * max(a, b)


def collect(source: Path, film: FilmFacts, rows: Iterable[BoxRow]) -> LabelledBoxes:
    """Check boxes one by one and bring them into the canonical form.

    Parameters
    ----------
    source : Path
        Named in messages.
    film : FilmFacts
    rows : iterable of BoxRow
        In any order.

    Raises
    ------
    DataError
        When a label is missing, a track has two, or two boxes in one frame, a box is empty
        or leaves the frame, a frame is outside the film, or there is no box at all.
    """
    labels: dict[str, str] = {}
    boxes: dict[tuple[str, int], tuple[float, float, float, float]] = {}
    for row in rows:
        _check(row, film)
        if labels.setdefault(row.track, row.label) != row.label:
            raise DataError(
                f"{row.place}: track {row.track} is {row.label!r}, before {labels[row.track]!r}"
            )
        if (row.track, row.frame) in boxes:
            raise DataError(f"{row.place}: track {row.track} has two boxes in frame {row.frame}")
        boxes[row.track, row.frame] = row.box
    if not boxes:
        raise DataError(f"{source} holds no box")
    tracks = sorted(labels, key=_rank)
    number = {track: i for i, track in enumerate(tracks)}
    order = sorted(boxes, key=lambda key: (number[key[0]], key[1]))
    return LabelledBoxes(
        source=source,
        film=film,
        tracks=tuple(tracks),
        labels=tuple(labels[track] for track in tracks),
        track=np.array([number[track] for track, _ in order], dtype=np.int32),
        frame=np.array([frame for _, frame in order], dtype=np.int32),
        box=np.array([boxes[key] for key in order], dtype=np.float64),
    )


def _check(row: BoxRow, film: FilmFacts) -> None:
    x, y, w, h = row.box
    if not row.track:
        raise DataError(f"{row.place}: the box has no track")
    if not row.label:
        raise DataError(
            f"{row.place}: track {row.track} has no label", "leave out tracks without a name"
        )
    if row.frame < 0 or (film.frames is not None and row.frame >= film.frames):
        length = "" if film.frames is None else f" of {film.frames} frames"
        raise DataError(f"{row.place}: frame {row.frame} is outside the film{length}")
    if w <= 0 or h <= 0:
        raise DataError(f"{row.place}: the box is {w:g} x {h:g} px, not larger than 0")
    if min(x, y) < -EDGE or x + w > film.width + EDGE or y + h > film.height + EDGE:
        raise DataError(
            f"{row.place}: the box {x:g},{y:g} to {x + w:g},{y + h:g} leaves the frame of "
            f"{film.width}x{film.height} px",
            "cut boxes off at the frame, or correct its size",
        )


def _rank(track: str) -> tuple[bool, int, str]:
    """Names that are no numbers first, then numbers by value."""
    numeric = track.isascii() and track.isdecimal() and len(track) < 100
    return numeric, int(track) if numeric else 0, track


def read_facts(path: Path) -> FilmFacts:
    """Read ``dataset.json``.

    Raises
    ------
    DataError
        When it is missing or malformed; names the key.
    """
    facts = read_json(path, DataError)
    if not isinstance(facts, dict):
        raise DataError(f"{path} is no JSON object")
    for key in ("video", "fps", "width", "height"):
        if key not in facts:
            raise DataError(f"{path}: {key} is missing")
    video = facts["video"]
    if not isinstance(video, str) or not video.strip() or not is_name(video):
        raise DataError(f"{path}: video is {video!r}, no name")
    frames = facts.get("frames")
    return FilmFacts(
        video=video.strip(),
        fps=rate(str(facts["fps"]), str(path)),
        width=size(str(facts["width"]), str(path), "width"),
        height=size(str(facts["height"]), str(path), "height"),
        frames=None if frames is None else size(str(frames), str(path), "frames"),
    )


def read_tracks_csv(
    path: Path, film: FilmFacts | None = None, labelled: bool = True
) -> LabelledBoxes:
    """Read our CSV form.

    Parameters
    ----------
    path : Path
        ``tracks.csv`` (any name).
    film : FilmFacts, optional
        By default those of ``dataset.json`` beside it.
    labelled : bool
        Else there need be no column ``label``, and each track is a person.

    Raises
    ------
    DataError
        When a file is missing or malformed; names file, line and reason.
    """
    film = film or read_facts(path.with_name(FILM))

    def rows() -> Iterator[BoxRow]:
        for place, fields in read_csv(path):
            x, y, w, h = (number(column(fields, name, place), place, name) for name in "xywh")
            frame = whole(column(fields, "frame", place), place, "frame")
            track = column(fields, "track_id", place)
            label = column(fields, "label", place) if labelled else track
            yield BoxRow(place, track, frame, (x, y, w, h), label)

    return collect(path, film, rows())
