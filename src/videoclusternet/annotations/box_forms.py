"""Labelled boxes of all forms: which is which, and the facts of their film."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Literal, NamedTuple

from videoclusternet.annotations.boxes import (
    FILM,
    TRACKS,
    FilmFacts,
    LabelledBoxes,
    read_tracks_csv,
)
from videoclusternet.annotations.cvat import read_cvat
from videoclusternet.annotations.mot import NAMES, SEQUENCE, homes, read_mot
from videoclusternet.errors import ConfigError, DataError
from videoclusternet.outside.files import exists, is_file
from videoclusternet.types import VideoInfo

Form = Literal["csv", "mot", "cvat"]
TITLES: dict[Form, str] = {
    "csv": f"CSV ({TRACKS} and {FILM})",
    "mot": "MOTChallenge (gt.txt)",
    "cvat": "CVAT for video 1.1 (XML)",
}


class Found(NamedTuple):
    """A data set: its form, and the file with its boxes."""

    form: Form
    file: Path


def holds_boxes(folder: Path) -> bool:
    """Whether a folder looks like a data set of boxes: then :func:`find_form` judges it."""
    return bool(_inside(folder))


def _inside(folder: Path) -> list[Path]:
    named = [folder / name for name in (TRACKS, "gt/gt.txt", "gt.txt")]
    return [file for file in (*named, *sorted(folder.glob("*.xml"))) if is_file(file)]


def companions(file: Path) -> list[Path]:
    """List a file of boxes and what is read with it: facts of the film, names."""
    beside = [folder / name for folder in homes(file) for name in (FILM, SEQUENCE, NAMES)]
    return [file, *(path for path in beside if is_file(path))]


def find_form(path: Path) -> Found:
    """Tell the form of a data set.

    Parameters
    ----------
    path : Path
        A file, or a folder with ``tracks.csv``, ``gt/gt.txt`` (or ``gt.txt``) or one XML
        file in it.

    Raises
    ------
    DataError
        When there is none, or several.
    """
    if not exists(path):
        raise DataError(f"no such file or folder: {path}", "check the path")
    suffixes: dict[str, Form] = {".csv": "csv", ".txt": "mot", ".xml": "cvat"}
    if is_file(path):
        form = suffixes.get(path.suffix.lower())
        if form is None:
            raise DataError(f"{path} is in no form that holds boxes", "see docs/formats.md")
        return Found(form, path)
    found = [Found(suffixes[file.suffix], file) for file in _inside(path)]
    if len(found) > 1:
        names = ", ".join(str(f.file.relative_to(path)) for f in found)
        raise DataError(f"{path} holds several data sets: {names}", "name one of the files")
    if not found:
        labels_only = any(path.glob("*.ids"))
        raise DataError(
            f"{path} holds no labelled boxes",
            "its label files are for vcn dataset ids" if labels_only else "see docs/formats.md",
        )
    return found[0]


def read_boxes(path: Path, fps: Fraction | None = None, names: Path | None = None) -> LabelledBoxes:
    """Read labelled boxes of any form.

    Parameters
    ----------
    path : Path
        As in :func:`find_form`.
    fps : Fraction, optional
        Frames per second, for a CVAT file without ``dataset.json`` beside it.
    names : Path, optional
        For MOTChallenge: CSV with the columns ``id`` and ``label``.

    Raises
    ------
    DataError
        When it is malformed; names file, line or element, and reason.
    ConfigError
        When names are given for a form that has its own.
    """
    form, file = find_form(path)
    if names is not None and form != "mot":
        raise ConfigError(f"{file} holds its own labels", "names are for MOTChallenge files")
    if form == "csv":
        return read_tracks_csv(file)
    return read_mot(file, names) if form == "mot" else read_cvat(file, fps)


def read_boxes_of(path: Path, video: VideoInfo, labelled: bool = True) -> LabelledBoxes:
    """Read labelled boxes of any form, and refuse those that do not fit their film.

    Parameters
    ----------
    path : Path
        As in :func:`find_form`.  Our CSV form may come without ``dataset.json``.
    video : VideoInfo
    labelled : bool
        Else our CSV form needs no labels, and each track is a person.

    Raises
    ------
    DataError
        When they are malformed, or were not made on this film.
    """
    form, file = find_form(path)
    if form == "csv":
        name = Path(video.path).name
        facts = FilmFacts(name, video.fps, video.width, video.height, video.frames)
        said = is_file(file.with_name(FILM))
        boxes = read_tracks_csv(file, None if said else facts, labelled)
    else:
        boxes = read_boxes(file, video.fps)
    boxes.check_against(video.fps, video.frames, video.width, video.height)
    return boxes
