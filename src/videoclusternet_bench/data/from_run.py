"""``vcn dataset from-run``: a run, corrected by a person, becomes a labelled data set.

OUT/labels.csv                  who each track shows: the file to correct
    NAME.zip, NAME_tracks.csv   the crops form
    tracks.csv, dataset.json    the boxes form, of a run over a film

With several films each has a folder of its own in OUT.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from videoclusternet.annotations.boxes import (
    FILM,
    TRACKS,
    BoxRow,
    FilmFacts,
    LabelledBoxes,
    collect,
)
from videoclusternet.annotations.fields import column, read_csv, whole
from videoclusternet.errors import DataError
from videoclusternet.result.characters import characters, track_span
from videoclusternet.result.described import Film
from videoclusternet.result.result import Result
from videoclusternet.runfolder.folder import film_folder
from videoclusternet.show.words import timecode
from videoclusternet_bench.data.crop_zips import safe, write_crops
from videoclusternet_bench.data.export import write_boxes
from videoclusternet_bench.data.new_set import new_set, renewed_set

LABELS = "labels.csv"
PLACES = 2
"""Decimals of px that boxes keep."""


@dataclass(frozen=True)
class Written:
    """What became of the tracks of a run.

    Attributes
    ----------
    tracks, people, crops, boxes : int
        Written: ``tracks`` with a label, their labels, pictures and boxes.
    unlabelled : int
        Tracks left out: nobody knows whom they show.
    blind : int
        Tracks with a label, but without a picture: in the boxes form only.
    """

    tracks: int
    people: int
    crops: int
    boxes: int
    unlabelled: int
    blind: int


def write_run(result: Result, folder: Path, labels: Path | None = None) -> Written:
    """Write a run as a labelled data set.

    Parameters
    ----------
    result : Result
    folder : Path
        New or empty; or one that an earlier call wrote, if ``labels`` is its own
        ``labels.csv``.
    labels : Path, optional
        CSV file with the columns ``track_id`` and ``label``, which counts more than the cast
        of the run; an empty label leaves the track out.

    Raises
    ------
    DataError
        When the labels are malformed, or none is left.
    StoreError
        When the folder holds something else, or cannot be written.
    """
    names = cast_labels(result)
    if labels is not None:
        names = corrected(names, labels)
    if not any(names):
        raise DataError(f"{result.folder} has no track with a label", "give --labels")
    crops = boxes = blind = start = 0
    with _place(result, folder, labels) as new:
        for film, home in zip(result.films, _homes(result), strict=True):
            here = names[start : start + len(film.tracks)]
            if not any(here):
                start += len(here)
                continue
            found = labelled_boxes(film, here, start)
            (new / home).mkdir(exist_ok=True)
            if found is not None:
                write_boxes(found, new / home)
                boxes += len(found.box)
            pictures, without = write_crops(film, here, new / home, _stem(result, film), start)
            crops, blind, start = crops + pictures, blind + without, start + len(here)
        _write_labels(result, names, new / LABELS)
    known = [name for name in names if name]
    return Written(
        len(known), len(set(known)), crops, boxes, unlabelled=len(names) - len(known), blind=blind
    )


def cast_labels(result: Result) -> list[str]:
    """Return the character of each track by its name for people; Unknown is empty."""
    names = [""] * len(result.tracks)
    for character in characters(result):
        for track in character.tracks if character.index >= 0 else ():
            names[int(track)] = character.name
    return names


def corrected(names: Sequence[str], path: Path) -> list[str]:
    """Return labels of tracks, with those of a CSV file in place of what they are.

    Raises
    ------
    DataError
        When the file is malformed, or names a track twice or one that is not there.
    """
    known: dict[int, str] = {}
    for place, fields in read_csv(path):
        track = whole(column(fields, "track_id", place), place, "track_id")
        if not 0 <= track < len(names):
            raise DataError(f"{place}: the run has tracks 0 to {len(names) - 1}, not {track}")
        if track in known:
            raise DataError(f"{place}: track {track} appears twice")
        known[track] = column(fields, "label", place)
    return [known.get(i, name) for i, name in enumerate(names)]


def labelled_boxes(film: Film, names: Sequence[str], start: int = 0) -> LabelledBoxes | None:
    """Return the boxes of the labelled tracks of a film, cut off at its frame.

    Parameters
    ----------
    film : Film
    names : sequence of str, length T
        Label of each track; empty for those to leave out.
    start : int
        Number of the first track.

    Returns
    -------
    LabelledBoxes or None
        None where there is no film, or nobody in it.
    """
    if film.video is None or film.faces is None or not any(names):
        return None
    video, faces = film.video, film.faces
    facts = FilmFacts(Path(video.path).name, video.fps, video.width, video.height, video.frames)
    size = np.array([video.width, video.height], dtype=np.float64)

    def rows() -> Iterator[BoxRow]:
        for t, label in enumerate(names):
            for face in film.tracks.faces_of(t) if label else ():
                corners = faces.box[face].astype(np.float64).reshape(2, 2)
                low, high = np.clip(corners, 0, size).round(PLACES)
                if (high > low).all():
                    box = (*low.tolist(), *(high - low).round(PLACES).tolist())
                    place = f"{film.folder}, track {t}"
                    name = film.track_names[t] if film.track_names else str(start + t)
                    yield BoxRow(place, name, int(faces.frame[face]), box, label)

    return collect(film.folder, facts, rows())


def _write_labels(result: Result, names: Sequence[str], path: Path) -> None:
    """Write the file that a person corrects; what stands behind the label is for the eye."""
    with path.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(("track_id", "label", "film", "start", "stop"))
        for track, label in enumerate(names):
            span = track_span(result, track)
            film = result.film_of(track).name
            writer.writerow((track, label, film, timecode(span.start), timecode(span.stop)))


def _stem(result: Result, film: Film) -> str:
    """Name of a data set: that of the run, or of the film where there are several."""
    return film.name if len(result.films) > 1 else result.folder.name.removesuffix(".vcn")


def _homes(result: Result) -> list[Path]:
    """Folder of each film, relative."""
    if len(result.films) == 1:
        return [Path()]
    names = [film.name for film in result.films]
    if len(set(names)) < len(names):
        names = [film_folder(i, name) for i, name in enumerate(names)]
    return [Path(safe(name)) for name in names]


@contextmanager
def _place(result: Result, folder: Path, labels: Path | None) -> Iterator[Path]:
    """Give a folder to write in: of a new set, or of one whose own labels are given."""
    if labels is None or labels.resolve().parent != folder.resolve():
        advice = f"choose another folder, or correct its {LABELS} and give that with --labels"
        with new_set(folder, advice) as new:
            yield new
        return
    stems = [_stem(result, film) for film in result.films]
    stale = [
        home / name
        for home, stem in zip(_homes(result), stems, strict=True)
        for name in (f"{stem}_tracks.csv", FILM, TRACKS, f"{stem}.zip")
    ]
    with renewed_set(folder, stale) as new:
        yield new
