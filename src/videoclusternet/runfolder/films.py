"""Which films a run folder is over, and where the tables of each lie.

A film is found again by its content: others may be put before it, after it, or be taken out.  Its
tables stay where they are, in ``films/NNN-name``, or at the top where a run began with it alone;
NNN is the number that its tracks were made with.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Literal, Protocol

from videoclusternet.errors import StoreError
from videoclusternet.outside.text import shown
from videoclusternet.runfolder.files import writing
from videoclusternet.runfolder.folder import Store, film_folder
from videoclusternet.runfolder.manifest import PLACE
from videoclusternet.types.clock import Tags

FILMS = "films"
TOP = ""
"""Where the tables of a film lie that a run began with alone."""
CAST = ("links", "adapt", "cast")
"""Steps over all films, at the top."""
Others = Literal["refuse", "keep", "drop"]
"""What becomes of films that a folder holds and that are not given."""


class Origin(Protocol):
    """What a run is over, as it is recorded: where it lay, what it holds, names of tracks."""

    @property
    def path(self) -> str: ...  # noqa: D102
    @property
    def content(self) -> str: ...  # noqa: D102
    @property
    def names(self) -> Sequence[str]: ...  # noqa: D102
    @property
    def tags(self) -> Tags: ...  # noqa: D102


def recorded(sources: Sequence[Origin]) -> list[dict[str, Any]]:
    """Return what run.json says of films, but where their tables lie."""
    films: list[dict[str, Any]] = []
    for source in sources:
        names = {"tracks": list(source.names)} if source.names else {}
        tags = {key: value for key, value in asdict(source.tags).items() if value}
        films.append({"path": source.path, "content": source.content, **names, **tags})
    return films


def places(films: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return where the tables of the films of a run lie, as run.json has them."""
    alone = len(films) == 1
    return [
        str(film.get("folder", TOP if alone else film_folder(i, Path(str(film["path"])).stem)))
        for i, film in enumerate(films)
    ]


def number_of(place: str) -> int:
    """Return the number that the tracks of a film were made with."""
    return int(place.split("-")[0]) if place else 0


def home_of(folder: Path, place: str) -> Path:
    """Return the folder of a film in a run folder."""
    return folder / FILMS / place if place else folder


def is_place(place: str) -> bool:
    """Whether run.json may say so: nothing else than a folder in ``films``."""
    return re.fullmatch(PLACE, place) is not None


def placed(
    folder: Path,
    known: Sequence[Mapping[str, Any]],
    films: Sequence[Mapping[str, Any]],
    others: Others = "refuse",
) -> list[dict[str, Any]]:
    """Return films as run.json is to have them: those that it knows where they were.

    Parameters
    ----------
    folder : Path
        For errors.
    known : sequence of mappings
        What run.json says.
    films : sequence of mappings
        ``path``, ``content`` and more of each that is given.
    others : {"refuse", "drop"}

    Raises
    ------
    StoreError
        When the folder holds films that are not given; with ``drop`` when it holds none of them.
    """
    left = list(zip(places(known), known, strict=True))
    found: list[str | None] = []
    for film in films:
        same = next((one for one in left if one[1]["content"] == film["content"]), None)
        if same is not None:
            left.remove(same)
        found.append(None if same is None else same[0])
    if known and all(place is None for place in found):
        raise StoreError(
            f"{folder} belongs to other films",
            "choose another folder with -o, or say --add to keep its films and add these",
        )
    if left and others != "drop":
        missing = Path(str(left[0][1]["path"])).name
        more = f" and {len(left) - 1} more" if len(left) > 1 else ""
        raise StoreError(
            f"{folder} belongs to other films, too: {shown(missing)}{more}",
            "name all its films, say --add to keep them, or --only to take them out",
        )
    first = 1 + max((number_of(place) for place in places(known)), default=-1)
    made: list[dict[str, Any]] = []
    for film, place in zip(films, found, strict=True):
        if place is None:
            alone = len(films) == 1
            place = TOP if alone else film_folder(first, Path(str(film["path"])).stem)
            first += 1
        made.append({**film, "folder": place})
    for film, default in zip(made, places([dict(film) for film in films]), strict=True):
        if film["folder"] == default:  # as it is where nothing was ever moved
            del film["folder"]
    return made


def sweep_films(store: Store) -> None:
    """Delete what lies in a run folder of films that it holds no more."""
    held = set(places(store.manifest.get("films", [])))
    with writing(store.folder):
        for path in (store.folder / FILMS).glob("*"):
            if path.name not in held and is_place(path.name):
                shutil.rmtree(path)
        if TOP not in held:
            for step in [name for name in store.manifest["steps"] if name not in CAST]:
                files = [f"{table}.*" for table in store.manifest["steps"][step]["tables"]]
                store.forget(step)
                for name in (*files, *(("crops.zip",) if step == "crops" else ())):
                    for path in store.folder.glob(name):
                        path.unlink()
