"""Write the crops form of a data set: ``NAME.zip`` and ``NAME_tracks.csv``."""

from __future__ import annotations

import csv
import zipfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Self

import numpy as np

from videoclusternet.runfolder.crop_zip import CROP_ZIP, CropPictures
from videoclusternet.runfolder.result import Film

COLUMNS = ("track_id", "shot", "first_frame", "last_frame", "n_crops", "label")


class Listing(NamedTuple):
    """A line of ``NAME_tracks.csv``.

    Attributes
    ----------
    track : str
        Its folder in the zip file.
    label : str
    crops : int
        Its pictures, or rows of features.
    where : tuple of 3 int, or None
        Shot, first and last frame (inclusive), if known.
    """

    track: str
    label: str
    crops: int
    where: tuple[int, int, int] | None = None


class CropZip:
    """A zip file of crops that is the same whenever it is written.

    Parameters
    ----------
    path : Path
    """

    def __init__(self, path: Path) -> None:
        self._archive = zipfile.ZipFile(path, "w", zipfile.ZIP_STORED)

    def add(self, track: str, frame: int, data: bytes, suffix: str = ".jpg") -> None:
        """Add the file of a crop as it is."""
        # Without a date of its own an entry has the earliest that zip files know.
        self._archive.writestr(zipfile.ZipInfo(f"{track}/{frame:07d}{suffix}"), data)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._archive.close()


def write_listing(path: Path, tracks: Iterable[Listing]) -> None:
    """Write ``NAME_tracks.csv``: where each track lies, and who it shows.

    Columns of places are there only if the place of every track is known.
    """
    rows = list(tracks)
    placed = all(row.where is not None for row in rows)
    with path.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(COLUMNS if placed else (COLUMNS[0], *COLUMNS[4:]))
        for row in rows:
            where = row.where if placed and row.where is not None else ()
            writer.writerow((row.track, *where, row.crops, row.label))


def write_crops(
    film: Film, labels: Sequence[str], folder: Path, stem: str, start: int = 0
) -> tuple[int, int]:
    """Write the crops of the labelled tracks of a film.

    Parameters
    ----------
    film : Film
    labels : sequence of str, length T
        Of each track; empty for those to leave out.
    folder : Path
    stem : str
        Name of the set.
    start : int
        Number of the first track, where tracks have no names.

    Returns
    -------
    crops, blind : int
        Crops written, and labelled tracks that have none: these are left out.
    """
    pictures = CropPictures([(film.folder / CROP_ZIP, film.crops)])
    rows = np.searchsorted(film.crops.track, np.arange(len(labels) + 1))
    listed: list[Listing] = []
    blind = 0
    with CropZip(folder / f"{stem}.zip") as archive:
        for t, label in enumerate(labels):
            own = range(rows[t], rows[t + 1])
            if not label or not own:
                blind += bool(label)
                continue
            name = film.track_names[t] if film.track_names else str(start + t)
            for row in own:
                archive.add(name, int(film.crops.frame[row]), pictures.jpeg(row))
            track = film.tracks
            where = (int(track.shot[t]), int(track.first[t]), int(track.last[t]))
            listed.append(Listing(name, label, len(own), where))
    write_listing(folder / f"{stem}_tracks.csv", listed)
    return sum(one.crops for one in listed), blind
