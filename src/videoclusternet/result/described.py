"""What a run knows before its cast: films, tracks, crops and their descriptions, read back."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property
from pathlib import Path

import numpy as np

from videoclusternet.errors import ConfigError, StoreError
from videoclusternet.runfolder.crop_zip import CROP_ZIP, CropPictures
from videoclusternet.runfolder.folder import Store, same_twice
from videoclusternet.types import (
    Crops,
    CropWeights,
    Embeddings,
    Faces,
    Judgement,
    Shots,
    Tracks,
    Unread,
    VideoInfo,
    Views,
)
from videoclusternet.types.arrays import Array, Int64
from videoclusternet.types.clock import Clock, Tags
from videoclusternet.types.judgement import told
from videoclusternet.types.span import Span

NOMINAL = 24
"""Frames a second of crops without a film."""


@dataclass(frozen=True)
class Film:
    """What a run knows of one film.

    Attributes
    ----------
    folder : Path
        Where its tables lie.
    name : str
    video : VideoInfo or None
        None for a run that began with aligned crops.
    shots, faces : Shots, Faces or None
        None likewise.
    tracks : Tracks
        As they are judged.
    crops : Crops
    judgement : Judgement or None
        None where tracks were given.
    notes : tuple of str
        What is strange about it.
    unread : Unread
        Frames that could not be read or are missing.
    broken : tuple of str
        Those of ``notes`` that its file gave cause for: it breaks off, its times are odd.
    content : str
        Hash of what the film or the given set of tracks holds.
    track_names : tuple of str
        Names that tracks were given with; empty for tracks found in a film.
    tags : Tags
        What its file says of itself.
    """

    folder: Path
    name: str
    video: VideoInfo | None
    shots: Shots | None
    faces: Faces | None
    tracks: Tracks
    crops: Crops
    track_names: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    unread: Unread = field(default_factory=Unread)
    broken: tuple[str, ...] = ()
    judgement: Judgement | None = None
    content: str = ""
    tags: Tags = field(default_factory=Tags)

    def seconds(self, frame: int) -> float:
        """Return the time of a frame; crops without a film count at 24 fps."""
        return self.video.seconds(frame) if self.video else frame / NOMINAL

    @property
    def frames(self) -> int:
        """Number of frames, up to the last track where there is no film."""
        return self.video.frames if self.video else int(self.tracks.last.max(initial=-1)) + 1

    @property
    def duration(self) -> float:
        """Length in seconds, up to the last track where there is no film."""
        return self.seconds(self.frames)

    def span(self, number: int, first: int, end: int) -> Span:
        """Return frames ``first`` to ``end``, itself not among them, with their times.

        Parameters
        ----------
        number : int
            Of the film in its run.
        first, end : int
        """
        return Span(number, first, end, self.seconds(first), self.seconds(end))

    @cached_property
    def clock(self) -> Clock:
        """Timecode of its frames, from the start that its file names."""
        if self.video is None:
            return Clock(Fraction(NOMINAL))
        return Clock.of(self.video, self.tags.timecode if self.is_timed else "")

    @cached_property
    def is_timed(self) -> bool:
        """Whether its file names a timecode to begin with; a file may say anything."""
        if self.video is None or not self.tags.timecode:
            return False
        try:
            Clock.of(self.video, self.tags.timecode)
        except ConfigError:
            return False
        return True

    def where(self, beside: Path) -> Path | None:
        """Return where its file lies now: where it was, or in the folder ``beside``; else None."""
        if self.video is None:
            return None
        said = Path(self.video.path)
        return next((path for path in (said, beside / said.name) if path.exists()), None)


@dataclass(frozen=True)
class Described:
    """A run whose faces are described: all that a cast is found from.

    Attributes
    ----------
    folder : Path
        The run folder.
    films : tuple of Film
    tracks : Tracks
        Of all films, end to end.
    """

    folder: Path
    films: tuple[Film, ...]
    tracks: Tracks

    @property
    def twice(self) -> list[str]:
        """Say which films are one; see :func:`same_twice`."""
        videos = [film.video for film in self.films if film.video]
        return same_twice([(video.path, video.content) for video in videos])

    @cached_property
    def pictures(self) -> CropPictures:
        """The cut faces of all films, end to end."""
        return CropPictures([(film.folder / CROP_ZIP, film.crops) for film in self.films])

    @cached_property
    def crop_track(self) -> Array:
        """Track of every crop of all films, int64."""
        shift = np.cumsum([0, *(len(film.tracks) for film in self.films[:-1])])
        return np.concatenate([f.crops.track + s for f, s in zip(self.films, shift, strict=True)])

    @cached_property
    def crop_frame(self) -> Array:
        """Frame that every crop of all films was cut from, int64."""
        return np.concatenate([film.crops.frame for film in self.films]).astype(np.int64)

    @cached_property
    def ends(self) -> Int64:
        """First frame after every track, int64 (T,); the detector's stride is bridged."""
        ends = self.tracks.last.astype(np.int64)
        for number, film in enumerate(self.films):
            own = self.tracks.film == number
            ends[own] += film.faces.stride if film.faces else 1
            if film.shots is not None:
                ends[own] = np.minimum(ends[own], film.shots.stop[self.tracks.shot[own]])
            if film.video is not None:
                ends[own] = np.minimum(ends[own], film.video.frames)
        return ends

    @cached_property
    def embeddings(self) -> Embeddings:
        """Embeddings of all films, end to end."""
        found = [_embeddings(film) for film in self.films]
        self.__dict__["_counts"] = [len(one) for one in found]
        return Embeddings.of_films(found, [len(f.crops) for f in self.films])

    @cached_property
    def _counts(self) -> list[int]:
        """How many embeddings each film has."""
        return [len(_embeddings(film)) for film in self.films]

    @cached_property
    def views(self) -> Views:
        """Views of the same crops; none where embeddings were given without pictures."""
        stores = [Store(film.folder) for film in self.films]
        if any(store.fingerprint("views") is None for store in stores):
            return Views.none(self.embeddings.base.shape[1])
        found = [store.load("views", (Views,))[0] for store in stores]
        for film, views, count in zip(self.films, found, self._counts, strict=True):
            if not below(views.row, count):
                raise strangers(film.folder)
        return Views.of_films(found, self._counts)

    @cached_property
    def weights(self) -> CropWeights:
        """How much each of the embedded crops counts."""
        pairs = zip(self.films, self._counts, strict=True)
        return CropWeights.concatenate([_weights(film, count) for film, count in pairs])

    @property
    def has_pictures(self) -> bool:
        """Whether there are pictures of the crops: features come without."""
        return all((film.folder / CROP_ZIP).exists() for film in self.films)

    def clip(self, film: int) -> str:
        """Return the name of a film's clip: its file's, or what tells it from the run's others."""
        of = self.films[film]
        return Path(of.video.path).name if of.video and len(self.films) == 1 else of.name

    def film_of(self, track: int) -> Film:
        """Return the film of a track."""
        return self.films[int(self.tracks.film[track])]


def _embeddings(film: Film) -> Embeddings:
    """Read the embeddings of a film, which must be those of its crops."""
    store = Store(film.folder)
    found: Embeddings = store.load("embeddings", (Embeddings,))[0]
    made_of = store.manifest["steps"]["embeddings"]["inputs"][:1]
    if (film.folder / CROP_ZIP).exists() and made_of != [film.crops.digest]:
        raise StoreError(f"{film.folder} is unfinished", "run `vcn cluster` again to finish")
    fits = found.tracks == len(film.tracks) and below(found.crop, len(film.crops))
    if not (fits and below(found.track, len(film.tracks))):
        raise strangers(film.folder)
    return told(found, film.tracks)


def _weights(film: Film, count: int) -> CropWeights:
    """Read the weights of a film's embedded crops; given crops count alike."""
    if film.judgement is None:
        return CropWeights.even(count)
    kept: CropWeights = Store(film.folder).load(Judgement.FILE, (Judgement, CropWeights))[1]
    if len(kept.weight) != count:
        raise strangers(film.folder)
    return kept


def below(rows: Array, count: int) -> bool:
    """Whether all are row numbers of a table of so many rows."""
    return bool(((rows >= 0) & (rows < count)).all())


def strangers(folder: Path) -> StoreError:
    """Return the error for a folder whose tables are of different runs."""
    return StoreError(
        f"{folder} is damaged: its tables do not belong together",
        "restore it, or start a new run folder",
    )
