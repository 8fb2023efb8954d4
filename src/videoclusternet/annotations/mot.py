"""Labelled boxes in the form of MOTChallenge: ``gt.txt``, ``seqinfo.ini``."""

from __future__ import annotations

import configparser
import csv
from collections.abc import Iterator
from pathlib import Path

from videoclusternet.annotations.boxes import (
    DECIMALS,
    FILM,
    BoxRow,
    FilmFacts,
    LabelledBoxes,
    collect,
    read_facts,
)
from videoclusternet.annotations.fields import column, number, rate, read_csv, size, whole
from videoclusternet.errors import DataError
from videoclusternet.outside.files import is_file, opened_text, read_text, said

SEQUENCE = "seqinfo.ini"
NAMES = "names.csv"
MOT_FIELDS = 7
"""Fewest fields of a line: frame, id, x, y, w, h, and whether it counts."""


def homes(file: Path) -> list[Path]:
    """Folders that may say more of a file: its own, and the one above ``gt``."""
    return [file.parent] if file.parent.name != "gt" else [file.parent, file.parent.parent]


def read_mot(path: Path, names: Path | None = None) -> LabelledBoxes:
    """Read a ``gt.txt`` of the MOTChallenge form.

    Lines are ``frame,id,x,y,w,h,conf,class,visibility``; frames count from 1, ``conf`` 0
    marks lines that do not count, all behind it is passed over.  ``x y`` are taken as they
    stand, unless ``seqinfo.ini`` says ``firstPixel=1``: the form counts pixels from 1, most
    tools that write it from 0.

    Parameters
    ----------
    path : Path
        With ``seqinfo.ini`` (or ``dataset.json``) beside it or in the folder above.
    names : Path, optional
        CSV with the columns ``id`` and ``label``, and ``track_id`` where tracks have names;
        by default ``names.csv`` in the same places.  Without it each id is a person.

    Raises
    ------
    DataError
        When a file is missing or malformed, or an id has no label.
    """
    film = _sequence(path)
    names = names or _beside(path, NAMES)
    known = None if names is None else _names(names)
    first = _first_pixel(path)

    def rows() -> Iterator[BoxRow]:
        for place, fields in _mot_lines(path):
            if len(fields) < MOT_FIELDS:
                raise DataError(f"{place}: wrong number of fields, at least {MOT_FIELDS} expected")
            frame, track = whole(fields[0], place, "frame"), whole(fields[1], place, "id")
            if track < 0:
                raise DataError(f"{place}: id is {track}", "detections are no truth: give tracks")
            if number(fields[6], place, "conf") == 0:
                continue
            if frame < 1:
                raise DataError(f"{place}: frame is {frame}; they count from 1")
            x, y, w, h = (
                number(text, place, what) for text, what in zip(fields[2:6], "xywh", strict=True)
            )
            name, label = (str(track),) * 2 if known is None else known.get(track, (str(track), ""))
            corner = round(x - first, DECIMALS), round(y - first, DECIMALS)
            yield BoxRow(place, name, frame - 1, (*(corner if first else (x, y)), w, h), label)

    return collect(path, film, rows())


def _mot_lines(path: Path) -> Iterator[tuple[str, list[str]]]:
    try:
        with opened_text(path, DataError) as stream:
            reader = csv.reader(stream)
            for fields in reader:
                if fields:
                    yield f"{path}, line {reader.line_num}", [field.strip() for field in fields]
    except OSError as error:
        raise DataError(f"cannot read {path}: {said(error)}", "check the disk") from error
    except (csv.Error, UnicodeDecodeError) as error:
        raise DataError(f"{path} is not a text file: {error}") from error


def _sequence(path: Path) -> FilmFacts:
    """Look for the facts of the film beside a file or in the folder above."""
    # Ours first: it has rates such as 24000/1001, and may leave the length open.
    for name, read in ((FILM, read_facts), (SEQUENCE, _read_sequence)):
        found = _beside(path, name)
        if found is not None:
            return read(found)
    raise DataError(f"{path} has no {SEQUENCE} beside it", "it says frameRate, imWidth, imHeight")


def _beside(path: Path, name: str) -> Path | None:
    return next((home / name for home in homes(path) if is_file(home / name)), None)


def _first_pixel(path: Path) -> int:
    """Return the number of the first pixel: 0, unless ``seqinfo.ini`` says otherwise."""
    facts = _beside(path, SEQUENCE)
    if facts is None:
        return 0
    return whole(_ini(facts).get("firstPixel", "0"), str(facts), "firstPixel")


def _ini(path: Path) -> configparser.SectionProxy:
    parser = configparser.ConfigParser(interpolation=None)
    try:
        parser.read_string(read_text(path, DataError), str(path))
    except configparser.Error as error:
        raise DataError(f"{path} is malformed: {' '.join(str(error).split())}") from error
    if not parser.has_section("Sequence"):
        raise DataError(f"{path} has no section [Sequence]")
    return parser["Sequence"]


def _read_sequence(path: Path) -> FilmFacts:
    facts = _ini(path)
    for key in ("name", "frameRate", "seqLength", "imWidth", "imHeight"):
        if not facts.get(key, "").strip():
            raise DataError(f"{path}: {key} is missing")
    place = str(path)
    return FilmFacts(
        video=facts["name"].strip(),
        fps=rate(facts["frameRate"], place, "frameRate"),
        width=size(facts["imWidth"], place, "imWidth"),
        height=size(facts["imHeight"], place, "imHeight"),
        frames=size(facts["seqLength"], place, "seqLength"),
    )


def _names(path: Path) -> dict[int, tuple[str, str]]:
    """Name of the track, and label, by id."""
    names: dict[int, tuple[str, str]] = {}
    for place, fields in read_csv(path):
        track = whole(column(fields, "id", place), place, "id")
        label = column(fields, "label", place)
        if not label:
            raise DataError(f"{place}: id {track} has no label")
        if track in names:
            raise DataError(f"{place}: id {track} appears twice")
        names[track] = fields.get("track_id", "").strip() or str(track), label
    if not names:
        raise DataError(f"{path} holds no row")
    return names
