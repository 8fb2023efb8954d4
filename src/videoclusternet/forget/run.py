"""``vcn forget``: one person taken out of a run folder, wholly or not at all."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from videoclusternet.clustering.known.suggested import Suggested
from videoclusternet.edits.base import Base, Origin
from videoclusternet.edits.edit import Edit
from videoclusternet.errors import ConfigError, ConflictError
from videoclusternet.forget.log import Whom, log_without
from videoclusternet.forget.tables import (
    FilmTables,
    cast_without,
    copy_zip,
    links_without,
    manifest_without,
    merges_without,
    read,
    suggested_without,
)
from videoclusternet.result.described import Film
from videoclusternet.result.edit_log import EDITS, EditLog
from videoclusternet.result.edits import AUTHOR, user_name
from videoclusternet.result.result import Result, open_run
from videoclusternet.runfolder import beside, pending
from videoclusternet.runfolder.crop_zip import CROP_ZIP
from videoclusternet.runfolder.files import writing
from videoclusternet.runfolder.folder import Store
from videoclusternet.runfolder.manifest import FORGOTTEN, MANIFEST, manifest_text
from videoclusternet.runfolder.table_files import table_path, write_table
from videoclusternet.show.cast_page import PAGE, write_page
from videoclusternet.types import Cast, Embeddings, Links, Table, Tracks, Views
from videoclusternet.types.arrays import Bools

OWN = (MANIFEST, EDITS, "lock", "edits.lock", CROP_ZIP, pending.FILMS, PAGE)
"""Files of a run folder that are no tables and stay."""


@dataclass(frozen=True)
class Forgotten:
    """What a run folder held of somebody, and what is beyond it.

    Attributes
    ----------
    label : str
        Name, or ``Character 3``.
    number : int
        As shown, from 1.
    tracks, pictures, embeddings, views : int
        How many go; of tracks boxes and times stay.
    removed : tuple of str
        Files and folders of the run that are deleted: they may show anybody.
    others : tuple of str
        Files in the folder that are none of the run's, and are left alone.
    films : tuple of str
        Where the films lie, which keep the face.
    """

    label: str
    number: int
    tracks: int
    pictures: int
    embeddings: int
    views: int
    removed: tuple[str, ...]
    others: tuple[str, ...]
    films: tuple[str, ...]

    @property
    def learnt(self) -> bool:
        """Whether models go that had learnt this face among others."""
        return pending.LEARNT in self.removed


def looked_up(result: Result, who: int | str) -> Forgotten:
    """Return what goes when somebody is forgotten; nothing is written.

    Parameters
    ----------
    result : Result
    who : int or str
        Number or name of a character.

    Raises
    ------
    ConfigError
        When there is nobody of this name, or it is the Unknown.
    """
    index = _index(result, who)
    gone, views = tracks_of(result, index), result.views
    seen = gone[result.embeddings.track]
    removed = [p for home in _homes(result) for p in _removed(home)]
    return Forgotten(
        label=result.called(index),
        number=index + 1,
        tracks=int(gone.sum()),
        pictures=int(gone[result.crop_track].sum()) if result.has_pictures else 0,
        embeddings=int(seen.sum()),
        views=int(seen[views.row].sum()) * views.base.shape[1],
        removed=tuple(sorted(p.relative_to(result.folder).as_posix() for p in removed)),
        others=tuple(_others(result)),
        films=tuple(film.video.path for film in result.films if film.video is not None),
    )


def tracks_of(result: Result, index: int) -> Bools:
    """Return the tracks that go with a character, bool (T,): those that probably show it too."""
    return np.asarray((result.cast.character == index) | (result.cast.probable == index))


def forget(
    folder: Path | str, who: int | str, author: str = "", expected: Forgotten | None = None
) -> Forgotten:
    """Take a person out of a run folder: embeddings, pictures, name, and what learnt from them.

    Of the tracks boxes and times stay, Unknown for the reason ``FORGOTTEN``.  What was decided
    about others holds, and cannot be taken back any more.  An ended process leaves the folder as
    it was, or what is left to be done is done when it is next opened.

    Parameters
    ----------
    folder : path
        A finished run.
    who : int or str
        Number or name of a character.
    author : str
        Who says so; empty for the user's name.
    expected : Forgotten, optional
        What was looked at before; refused where it is otherwise by now.

    Raises
    ------
    ConfigError
        When there is nobody of this name.
    ConflictError
        When the run has changed since it was looked at.
    StoreError
        When the run is damaged, unfinished, in use, or cannot be written.
    """
    folder = Path(folder)
    open_run(folder)  # what is no run is said before a lock is left in it
    with EditLog(folder).locked():
        result = open_run(folder)
        found = looked_up(result, who)
        if expected is not None and replace(expected, others=found.others) != found:
            raise ConflictError(f"{folder} has changed meanwhile", "look at it again")
        beside.drop(folder)
        with pending.changing(folder) as new:
            by = author or os.environ.get(AUTHOR, "") or user_name()
            _Without(result, _index(result, who), new, by).write()
        pending.finish(folder)
    result = open_run(folder)
    if result.has_pictures:
        write_page(result)
    return found


def _index(result: Result, who: int | str) -> int:
    index = result.index_of(who)
    if index < 0:
        raise ConfigError("the Unknown are nobody in particular", "name a character")
    return index


@dataclass
class _Without:
    """A run and whom it is to forget.

    Attributes
    ----------
    result : Result
    index : int
        Character, as ``cast.character`` has it.
    new : Path
        Folder for the new files, as they lie in the run folder.
    author : str
        Who says so.
    """

    result: Result
    index: int
    new: Path
    author: str

    def __post_init__(self) -> None:
        self.gone = tracks_of(self.result, self.index)
        self.time = datetime.now(UTC).isoformat(timespec="seconds")
        self.names = tuple(self._names())

    @cached_property
    def films(self) -> list[FilmTables]:
        """The tables of each film."""
        own = [self.gone[self.result.tracks.film == n] for n in range(len(self.result.films))]
        stores = [Store(film.folder) for film in self.result.films]
        return [FilmTables.of(store, gone) for store, gone in zip(stores, own, strict=True)]

    def write(self) -> None:
        """Write all files that change."""
        result, pooled = self.result, self._pooled()
        cast, others = self._cast(pooled)
        digests, zips = {result.folder: pooled}, dict[Path, str]()
        for tables, film in self._both():
            home = self.new / film.folder.relative_to(result.folder)
            with writing(home):
                home.mkdir(parents=True, exist_ok=True)
            own = digests.setdefault(film.folder, {})  # films of one content have equal tables
            for kind, table in tables.after.items():
                write_table(table_path(home, kind), table)
                own[tables.before[kind].digest] = table.digest
            if (film.folder / CROP_ZIP).exists():
                zipped = copy_zip(film.folder / CROP_ZIP, tables.crops, home / CROP_ZIP)
                zips[film.folder] = zipped
        for table in (cast, *others):
            write_table(table_path(self.new, type(table)), table)
        for home in _homes(result):
            said = manifest_without(Store(home).manifest, digests[home], zips.get(home, ""))
            if home == result.folder:
                said = self._described(said)
            where = self.new / home.relative_to(result.folder) / MANIFEST
            self._write(where, manifest_text(said).encode())
        self._write(self.new / EDITS, self._log(cast))

    def _pooled(self) -> dict[str, str]:
        """Return new content hashes by those before, of the tables of all films end to end."""
        films, after = self.films, [film.told(film.after) for film in self.films]
        tracks = Tracks.of_films([film.judged(film.after) for film in films])
        embeddings = Embeddings.of_films(after, [len(film.crops) for film in films])
        pairs: list[tuple[Table, Table]] = [
            (self.result.tracks, tracks),
            (self.result.embeddings, embeddings),
        ]
        views = [film.get(film.after, Views) for film in films]
        if all(view is not None for view in views):
            every = Views.of_films([v for v in views if v is not None], [len(one) for one in after])
            pairs.append((self.result.views, every))
        return {one.digest: other.digest for one, other in pairs}

    def _both(self) -> Iterator[tuple[FilmTables, Film]]:
        yield from zip(self.films, self.result.films, strict=True)

    def _cast(self, digests: dict[str, str]) -> tuple[Cast, list[Table]]:
        """Return the tables of the cast, as it is shown, without the person."""
        result, store = self.result, Store(self.result.folder)
        cast = cast_without(result.cast, result.candidates, self.gone, self.index)
        digests[result.clustering.digest] = cast.digest
        merges = merges_without(result.merges, self.gone)
        digests[result.clustering_merges.digest] = merges.digest
        more: list[Table] = [merges]
        if (links := read(store, Links)) is not None:
            more.append(links_without(links, self.gone))
            digests[links.digest] = more[-1].digest
        if (suggested := read(store, Suggested)) is not None:
            more.append(suggested_without(suggested, cast))
            digests[suggested.digest] = more[-1].digest
        return cast, more

    def _names(self) -> Iterator[tuple[str, ...]]:
        """Names of the tracks of each film; those of the person may be its own."""
        for number, film in enumerate(self.result.films):
            gone = self.gone[self.result.tracks.film == number]
            names = list(film.track_names)
            for track in np.flatnonzero(gone[: len(names)]).tolist():
                names[track] = f"forgotten-{track}"
            yield tuple(names)

    def _described(self, manifest: dict[str, Any]) -> dict[str, Any]:
        """Return run.json with other names of tracks, and that somebody was forgotten."""
        films = [
            {**film, "tracks": list(names)} if names else film
            for film, names in zip(manifest["films"], self.names, strict=True)
        ]
        said = {"time": self.time, "by": self.author, "tracks": int(self.gone.sum())}
        return {**manifest, "films": films, FORGOTTEN: [*manifest.get(FORGOTTEN, []), said]}

    def _log(self, cast: Cast) -> bytes:
        result, state = self.result, self.result.edits.state
        origins = [
            Origin(of.content, film.judged(film.after), of.faces, names)
            for (film, of), names in zip(self._both(), self.names, strict=True)
        ]
        row = state.key(result.people[self.index].key)
        whom = Whom(row, self.gone, result.people[self.index].name)
        lines = EditLog(result.folder).news()
        done: list[Edit] = result.edits.done
        base = Base.of(origins, cast.character)
        return log_without(lines, state, done, whom, base, self.time, self.author)

    def _write(self, path: Path, data: bytes) -> None:
        with writing(path):
            path.write_bytes(data)


def _homes(result: Result) -> list[Path]:
    return list(dict.fromkeys([result.folder, *(film.folder for film in result.films)]))


def _removed(home: Path) -> Iterator[Path]:
    named = (home / name for name in pending.REMOVED if name != PAGE)
    for path in (*named, *home.glob(pending.PREVIEWS)):
        if path.is_file() or (path.is_dir() and any(path.iterdir())):
            yield path


def _others(result: Result) -> Iterator[str]:
    """Yield files that no step writes."""
    kinds = _kinds(Table)
    known = {*OWN, *pending.REMOVED, *(table_path(Path(), kind).name for kind in kinds)}
    for home in _homes(result):
        previews = set(home.glob(pending.PREVIEWS))
        for path in sorted(home.iterdir()):
            if path.name not in known and path not in previews:
                yield path.relative_to(result.folder).as_posix()


def _kinds(kind: type[Table]) -> set[type[Table]]:
    inner = kind.__subclasses__()
    return {*inner, *(more for one in inner for more in _kinds(one))}
