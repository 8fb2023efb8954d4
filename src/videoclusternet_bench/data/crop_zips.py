"""Write the crops form of a data set: ``NAME.zip`` and ``NAME_tracks.csv``."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from videoclusternet.result.described import Film
from videoclusternet.runfolder.crop_zip import CROP_ZIP, CropPictures, CropZip
from videoclusternet.runfolder.files import replacing

UNSAFE = re.compile(r'[\x00-\x1f\x7f-\x9f\ud800-\udfff%/\\:*?"<>|]')
"""What no name of a folder may hold on some system; and the sign that stands for it."""
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


def entry_name(track: str, frame: int, suffix: str = ".jpg") -> str:
    """Return the name of a crop inside the zip file of a set; :func:`safe` tracks only."""
    return f"{track}/{frame:07d}{suffix}"


def safe(track: str) -> str:
    """Return a name of a track that is a folder's, and that folder's alone.

    ``../x`` and ``/x`` would lead whoever unpacks the set to other places.  What cannot stand in
    the name of a folder becomes ``%2F`` and the like, as in web addresses: names that differ
    stay different.
    """
    coded = UNSAFE.sub(lambda one: _percent(one[0]), track)
    return _percent(coded) if coded.strip(".") == "" else coded


def _percent(text: str) -> str:
    return "".join(f"%{byte:02X}" for byte in text.encode("utf-8", "surrogatepass"))


def write_listing(path: Path, tracks: Iterable[Listing]) -> None:
    """Write ``NAME_tracks.csv``: where each track lies, and who it shows.

    Columns of places are there only if the place of every track is known.
    """
    rows = list(tracks)
    placed = all(row.where is not None for row in rows)
    with (
        replacing(path) as temporary,
        temporary.open("w", newline="", encoding="utf-8") as stream,
    ):
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
            name = safe(film.track_names[t] if film.track_names else str(start + t))
            for row in own:
                archive.add(entry_name(name, int(film.crops.frame[row])), pictures.jpeg(row))
            track = film.tracks
            where = (int(track.shot[t]), int(track.first[t]), int(track.last[t]))
            listed.append(Listing(name, label, len(own), where))
    write_listing(folder / f"{stem}_tracks.csv", listed)
    return sum(one.crops for one in listed), blind
