"""A finished run, read back: what the page, the table, the scores and your code look at."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from videoclusternet.errors import StoreError
from videoclusternet.result.described import Described, Film, strangers
from videoclusternet.result.fits import check_cast, check_film
from videoclusternet.result.found import Found
from videoclusternet.runfolder.folder import Store, film_folder, film_names
from videoclusternet.runfolder.manifest import MANIFEST
from videoclusternet.types import (
    Candidates,
    Cast,
    Crops,
    CropWeights,
    Faces,
    Judgement,
    Merges,
    Shots,
    Tracks,
    VideoInfo,
)
from videoclusternet.types.clock import Tags


class Result(Found):
    """A finished run, as your code reads it; its attributes are those of :class:`Found`."""


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
    result = Result(found.folder, found.films, found.tracks, cast, merges, candidates)
    _ = result.edits  # a damaged log is said here, not at the first look at the cast
    return result


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
        _film(store if single else Store(home), name, film)
        for home, name, film in zip(homes, shown, described, strict=True)
    )
    for number, film in enumerate(films):
        check_film(film, number)
    return Described(store.folder, films, Tracks.concatenate([film.tracks for film in films]))


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


def _film(store: Store, name: str, said: Mapping[str, Any]) -> Film:
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
            raise strangers(store.folder)
        tracks = found["judgement"].of(tracks)
    found["tracks"] = tracks
    (found["crops"],) = store.load("crops", (Crops,))
    return Film(
        folder=store.folder,
        name=name,
        track_names=tuple(said.get("tracks", ())),
        content=str(said["content"]),
        tags=Tags(**{key: said[key] for key in Tags.__annotations__ if key in said}),
        notes=_notes(store, "video", "scan", "crops"),
        unread=store.unread,
        broken=_notes(store, "video"),
        **found,
    )


def _notes(store: Store, *names: str) -> tuple[str, ...]:
    """Return what was noted in some steps, each sentence once."""
    steps = (store.manifest["steps"].get(name, {}) for name in names)
    return tuple(dict.fromkeys(str(note) for step in steps for note in step.get("notes", ())))
