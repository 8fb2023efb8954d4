"""A finished run, read back: what the page, the table, the scores and your code look at."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from videoclusternet.errors import StoreError
from videoclusternet.runfolder.crop_zip import CROP_ZIP, CropPictures
from videoclusternet.runfolder.folder import Store, film_folder, film_names
from videoclusternet.runfolder.manifest import MANIFEST
from videoclusternet.types import (
    Candidates,
    Cast,
    Crops,
    Embeddings,
    Faces,
    Merges,
    Shots,
    Tracks,
    VideoInfo,
    Views,
)
from videoclusternet.types.arrays import Array


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
    crops : Crops
    notes : tuple of str
        What could not be read in it, and what is strange about it.
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

    def seconds(self, frame: int) -> float:
        """Return the time of a frame; crops without a film count at 24 fps."""
        return self.video.seconds(frame) if self.video else frame / 24


@dataclass(frozen=True)
class Result:
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

    folder: Path
    films: tuple[Film, ...]
    tracks: Tracks
    cast: Cast
    merges: Merges
    candidates: Candidates

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
        found = [Store(f.folder).load("embeddings", (Embeddings,))[0] for f in self.films]
        return Embeddings.of_films(found, [len(f.crops) for f in self.films])

    @cached_property
    def views(self) -> Views:
        """Views of the same crops; none where embeddings were given without pictures."""
        stores = [Store(film.folder) for film in self.films]
        if any(store.fingerprint("views") is None for store in stores):
            count, d = self.embeddings.base.shape
            return Views(np.empty((count, 0, d), dtype=np.float32), 0)
        return Views.concatenate([store.load("views", (Views,))[0] for store in stores])

    @property
    def has_pictures(self) -> bool:
        """Whether there are pictures of the crops: features come without."""
        return all((film.folder / CROP_ZIP).exists() for film in self.films)

    def film_of(self, track: int) -> Film:
        """Return the film of a track."""
        return self.films[int(self.tracks.film[track])]


def open_run(folder: Path | str) -> Result:
    """Read a finished run.

    Raises
    ------
    StoreError
        When the folder is no run, unfinished, damaged or of a newer format.
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
    cast, merges, candidates = store.load("cast", (Cast, Merges, Candidates))
    tracks = Tracks.concatenate([film.tracks for film in films])
    if store.manifest["steps"]["cast"]["inputs"][:1] != [tracks.digest]:
        # Stopped after a changed setting: the cast is of earlier tracks.
        raise StoreError(f"{folder} is unfinished", "run `vcn cluster` again to finish")
    return Result(store.folder, films, tracks, cast, merges, candidates)


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
    (found["tracks"],) = store.load("tracks", (Tracks,))
    (found["crops"],) = store.load("crops", (Crops,))
    steps = (store.manifest["steps"].get(name, {}) for name in ("video", "scan", "crops"))
    notes = tuple(dict.fromkeys(str(note) for step in steps for note in step.get("notes", ())))
    return Film(folder=store.folder, name=name, track_names=track_names, notes=notes, **found)
