"""A finished run, read back: what the page, the table, the scores and your code look at."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from videoclusternet.errors import StoreError
from videoclusternet.runfolder.crop_zip import CROP_ZIP, CropPictures
from videoclusternet.runfolder.folder import Store, film_folder, film_names, same_twice
from videoclusternet.runfolder.manifest import MANIFEST
from videoclusternet.types import (
    Candidates,
    Cast,
    Crops,
    CropWeights,
    Embeddings,
    Faces,
    Judgement,
    Merges,
    Reason,
    Shots,
    Tracks,
    Unread,
    VideoInfo,
    Views,
)
from videoclusternet.types.arrays import Array
from videoclusternet.types.judgement import told

NEVER = 2**31
"""Above every frame."""


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
    track_names : tuple of str
        Names that tracks were given with; empty for tracks found in a film.
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

    def seconds(self, frame: int) -> float:
        """Return the time of a frame; crops without a film count at 24 fps."""
        return self.video.seconds(frame) if self.video else frame / 24


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
    def embeddings(self) -> Embeddings:
        """Embeddings of all films, end to end."""
        found = [_embeddings(film) for film in self.films]
        return Embeddings.of_films(found, [len(f.crops) for f in self.films])

    @cached_property
    def views(self) -> Views:
        """Views of the same crops; none where embeddings were given without pictures."""
        stores = [Store(film.folder) for film in self.films]
        if any(store.fingerprint("views") is None for store in stores):
            return Views.none(self.embeddings.base.shape[1])
        found = [store.load("views", (Views,))[0] for store in stores]
        crops = [len(_embeddings(film)) for film in self.films]
        for film, views, count in zip(self.films, found, crops, strict=True):
            if not _below(views.row, count):
                raise _strangers(film.folder)
        return Views.of_films(found, crops)

    @cached_property
    def weights(self) -> CropWeights:
        """How much each of the embedded crops counts."""
        return CropWeights.concatenate([_weights(film) for film in self.films])

    @property
    def has_pictures(self) -> bool:
        """Whether there are pictures of the crops: features come without."""
        return all((film.folder / CROP_ZIP).exists() for film in self.films)

    def film_of(self, track: int) -> Film:
        """Return the film of a track."""
        return self.films[int(self.tracks.film[track])]


@dataclass(frozen=True)
class Result(Described):
    """A finished run.

    Attributes
    ----------
    folder : Path
        The run folder.
    films : tuple of Film
    tracks : Tracks
        Of all films, end to end.
    cast : Cast
        Row by row with ``tracks``.
    merges : Merges
    candidates : Candidates
    """

    cast: Cast
    merges: Merges
    candidates: Candidates


def open_run(folder: Path | str) -> Result:
    """Read a finished run.

    Raises
    ------
    StoreError
        When the folder is no run, unfinished, damaged or of a newer format.
    """
    found = open_described(folder)
    store = Store(found.folder)
    cast, merges, candidates = store.load("cast", (Cast, Merges, Candidates))
    if store.manifest["steps"]["cast"]["inputs"][:1] != [found.tracks.digest]:
        # Stopped after a changed setting: the cast is of earlier tracks.
        raise StoreError(f"{folder} is unfinished", "run `vcn cluster` again to finish")
    check_cast(found, cast)
    return Result(found.folder, found.films, found.tracks, cast, merges, candidates)


def open_described(folder: Path | str) -> Described:
    """Read the tracks and crops of a run, whether or not it has a cast.

    Raises
    ------
    StoreError
        As :func:`open_run`.
    """
    store = Store(Path(folder))
    described = store.manifest.get("films", [])
    if not described:
        raise StoreError(f"{folder} holds no film yet", "run `vcn cluster` to fill it")
    single = len(described) == 1
    names = [Path(film["path"]).stem for film in described]
    homes = [store.folder / "films" / film_folder(i, name) for i, name in enumerate(names)]
    shown = film_names([film["path"] for film in described])
    films = tuple(
        _film(store if single else Store(home), name, tuple(film.get("tracks", ())))
        for home, name, film in zip(homes, shown, described, strict=True)
    )
    for number, film in enumerate(films):
        check_film(film, number)
    return Described(store.folder, films, Tracks.concatenate([film.tracks for film in films]))


def _embeddings(film: Film) -> Embeddings:
    """Read the embeddings of a film, which must be those of its crops."""
    store = Store(film.folder)
    found: Embeddings = store.load("embeddings", (Embeddings,))[0]
    made_of = store.manifest["steps"]["embeddings"]["inputs"][:1]
    if (film.folder / CROP_ZIP).exists() and made_of != [film.crops.digest]:
        raise StoreError(f"{film.folder} is unfinished", "run `vcn cluster` again to finish")
    fits = found.tracks == len(film.tracks) and _below(found.crop, len(film.crops))
    if not (fits and _below(found.track, len(film.tracks))):
        raise _strangers(film.folder)
    return told(found, film.tracks)


def _weights(film: Film) -> CropWeights:
    """Read the weights of a film's embedded crops; given crops count alike."""
    count = len(_embeddings(film))
    if film.judgement is None:
        return CropWeights.even(count)
    kept: CropWeights = Store(film.folder).load(Judgement.FILE, (Judgement, CropWeights))[1]
    if len(kept.weight) != count:
        raise _strangers(film.folder)
    return kept


def is_finished(folder: Path) -> bool:
    """Whether a folder holds a run that can be read to its end.

    Raises
    ------
    StoreError
        When the folder is damaged or of another format.
    """
    if not (folder / MANIFEST).exists():
        return False
    Store(folder)  # one that cannot be read at all is no unfinished one
    try:
        open_run(folder)
    except StoreError:
        return False
    return True


def _film(store: Store, name: str, track_names: tuple[str, ...]) -> Film:
    found: dict[str, Any] = {"video": None, "shots": None, "faces": None}
    if "video" in store.manifest["steps"]:
        (found["video"],) = store.load("video", (VideoInfo,))
        (found["shots"],) = store.load("shots", (Shots,))
        (found["faces"],) = store.load("scan", (Faces,))
    (tracks,) = store.load("tracks", (Tracks,))
    if Judgement.FILE in store.manifest["steps"]:
        found["judgement"], _ = store.load(Judgement.FILE, (Judgement, CropWeights))
        if store.manifest["steps"][Judgement.FILE]["inputs"][:1] != [tracks.digest]:
            raise StoreError(f"{store.folder} is unfinished", "run `vcn cluster` again to finish")
        if len(found["judgement"]) != len(tracks):
            raise _strangers(store.folder)
        tracks = found["judgement"].of(tracks)
    found["tracks"] = tracks
    (found["crops"],) = store.load("crops", (Crops,))
    return Film(
        folder=store.folder,
        name=name,
        track_names=track_names,
        notes=_notes(store, "video", "scan", "crops"),
        unread=store.unread,
        broken=_notes(store, "video"),
        **found,
    )


def _notes(store: Store, *names: str) -> tuple[str, ...]:
    """Return what was noted in some steps, each sentence once."""
    steps = (store.manifest["steps"].get(name, {}) for name in names)
    return tuple(dict.fromkeys(str(note) for step in steps for note in step.get("notes", ())))


def check_film(film: Film, number: int) -> None:
    """Check that the tables of a film speak of each other's rows.

    Raises
    ------
    StoreError
        When one of them is of another run: its hash in run.json may be right all the same.
    """
    tracks, crops = film.tracks, film.crops
    fits = [
        (tracks.film == number).all(),
        len(film.track_names) in (0, len(tracks)),
        crops.tracks == len(tracks),
        _below(tracks.first, NEVER),
        _below(crops.frame, NEVER),
    ]
    if film.video is not None and film.shots is not None and film.faces is not None:
        frames = film.video.frames
        fits += [
            _below(tracks.last, frames),
            _below(film.shots.stop, frames + 1),
            _below(tracks.shot, len(film.shots)),
            _below(film.faces.frame, frames),
            _below(tracks.face, len(film.faces)),
            _below(crops.face, len(film.faces)),
        ]
    if not all(fits):
        raise _strangers(film.folder)


def check_cast(found: Described, cast: Cast) -> None:
    """Check that a cast is one of the tracks of a run; else as :func:`check_film`."""
    numbers = np.unique(cast.character[cast.character >= 0])
    whole = np.array_equal(numbers, np.arange(len(numbers)))
    if len(cast) != len(found.tracks) or not whole or not _below(cast.reason, len(Reason)):
        raise _strangers(found.folder)


def _below(rows: Array, count: int) -> bool:
    return bool(((rows >= 0) & (rows < count)).all())


def _strangers(folder: Path) -> StoreError:
    return StoreError(
        f"{folder} is damaged: its tables do not belong together",
        "restore it, or start a new run folder",
    )
