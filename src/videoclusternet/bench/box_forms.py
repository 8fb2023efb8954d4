"""Labelled boxes in the forms of other tools: MOTChallenge, CVAT for video; which is which."""

from __future__ import annotations

import configparser
import csv
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Literal, NamedTuple

from videoclusternet.bench.boxes import (
    FILM,
    TRACKS,
    FilmFacts,
    LabelledBoxes,
    Row,
    collect,
    read_facts,
    read_tracks_csv,
)
from videoclusternet.bench.fields import column, number, rate, read_csv, size, whole
from videoclusternet.errors import ConfigError, DataError

Form = Literal["csv", "mot", "cvat"]
TITLES: dict[Form, str] = {
    "csv": f"CSV ({TRACKS} and {FILM})",
    "mot": "MOTChallenge (gt.txt)",
    "cvat": "CVAT for video 1.1 (XML)",
}
SEQUENCE = "seqinfo.ini"
MOT_FIELDS = 7
"""Fewest fields of a line: frame, id, x, y, w, h, and whether it counts."""
NAMING = ("name", "identity")
"""Attributes of a CVAT box that hold the person, where the label is only ``face``."""
CHUNK = 1 << 16


class Found(NamedTuple):
    """A data set: its form, and the file with its boxes."""

    form: Form
    file: Path


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
    if not path.exists():
        raise DataError(f"no such file or folder: {path}", "check the path")
    suffixes: dict[str, Form] = {".csv": "csv", ".txt": "mot", ".xml": "cvat"}
    if path.is_file():
        form = suffixes.get(path.suffix.lower())
        if form is None:
            raise DataError(f"{path} is in no form that holds boxes", "see docs/formats.md")
        return Found(form, path)
    inside = [path / TRACKS, path / "gt" / "gt.txt", path / "gt.txt", *sorted(path.glob("*.xml"))]
    found = [Found(suffixes[file.suffix], file) for file in inside if file.is_file()]
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


# --- MOTChallenge ----------------------------------------------------------------------


def read_mot(path: Path, names: Path | None = None) -> LabelledBoxes:
    """Read a ``gt.txt`` of the MOTChallenge form.

    Lines are ``frame,id,x,y,w,h,conf,class,visibility``; frames count from 1, ``conf`` 0
    marks lines that do not count, all behind it is passed over.  ``x y`` are taken as they
    stand: the form counts pixels from 1, most tools that write it from 0.

    Parameters
    ----------
    path : Path
        With ``seqinfo.ini`` (or ``dataset.json``) beside it or in the folder above.
    names : Path, optional
        CSV with the columns ``id`` and ``label``; without it each id is a person.

    Raises
    ------
    DataError
        When a file is missing or malformed, or an id has no label.
    """
    film = _sequence(path)
    known = None if names is None else _names(names)

    def rows() -> Iterator[Row]:
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
            label = str(track) if known is None else known.get(track, "")
            yield Row(place, str(track), frame - 1, (x, y, w, h), label)

    return collect(path, film, rows())


def _mot_lines(path: Path) -> Iterator[tuple[str, list[str]]]:
    try:
        with path.open(newline="", encoding="utf-8-sig") as stream:
            reader = csv.reader(stream)
            for fields in reader:
                if fields:
                    yield f"{path}, line {reader.line_num}", [field.strip() for field in fields]
    except OSError as error:
        raise DataError(f"cannot read {path}: {error.strerror}", "check the path") from error
    except (csv.Error, UnicodeDecodeError) as error:
        raise DataError(f"{path} is not a text file: {error}") from error


def _sequence(path: Path) -> FilmFacts:
    """Look for the facts of the film beside a file or in the folder above."""
    folders = [path.parent] if path.parent.name != "gt" else [path.parent, path.parent.parent]
    for name, read in ((SEQUENCE, _read_sequence), (FILM, read_facts)):
        for folder in folders:
            if (folder / name).is_file():
                return read(folder / name)
    raise DataError(f"{path} has no {SEQUENCE} beside it", "it says frameRate, imWidth, imHeight")


def _read_sequence(path: Path) -> FilmFacts:
    parser = configparser.ConfigParser(interpolation=None)
    try:
        parser.read_string(path.read_text(encoding="utf-8-sig"), str(path))
    except OSError as error:
        raise DataError(f"cannot read {path}: {error.strerror}", "check the path") from error
    except (configparser.Error, UnicodeDecodeError) as error:
        raise DataError(f"{path} is malformed: {' '.join(str(error).split())}") from error
    if not parser.has_section("Sequence"):
        raise DataError(f"{path} has no section [Sequence]")
    facts = parser["Sequence"]
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


def _names(path: Path) -> dict[int, str]:
    """Labels by id."""
    names: dict[int, str] = {}
    for place, fields in read_csv(path):
        track = whole(column(fields, "id", place), place, "id")
        label = column(fields, "label", place)
        if not label:
            raise DataError(f"{place}: id {track} has no label")
        if track in names:
            raise DataError(f"{place}: id {track} appears twice")
        names[track] = label
    if not names:
        raise DataError(f"{path} holds no row")
    return names


# --- CVAT for video --------------------------------------------------------------------


class _NoDoctype(ET.TreeBuilder):
    """A tree builder that refuses declarations: entities could grow without end."""

    def doctype(self, name: str, public: str | None, system: str | None) -> None:
        """Refuse before anything declared in it is used."""
        raise DataError("it has a DOCTYPE", "annotation tools write none: export it again")


def read_cvat(path: Path, fps: Fraction | None = None) -> LabelledBoxes:
    """Read the XML file of CVAT's export "CVAT for video 1.1".

    The person of a track is the attribute ``name`` or ``identity`` of its boxes, where any
    box of the file has one; else the label of the track.  Boxes with ``outside="1"`` are
    not there.  Frames are those of the film, from 0.

    Parameters
    ----------
    path : Path
    fps : Fraction, optional
        Frames per second; the file does not say it.  Not needed with ``dataset.json``
        beside it, which then also says name, size and length of the film.

    Raises
    ------
    DataError
        When it is malformed; names the track and the frame.
    """
    root = _parse(path)
    if root.tag != "annotations":
        raise DataError(f"{path} is no CVAT file: its root is {root.tag!r}")
    if root.find("image") is not None:
        raise DataError(f"{path} is of images", "export it as CVAT for video 1.1")
    film = _cvat_film(path, root, fps)
    named = any(
        attribute.get("name") in NAMING for attribute in root.iterfind("track/box/attribute")
    )
    return collect(path, film, _cvat_rows(path, root, named))


def _parse(path: Path) -> ET.Element:
    parser = ET.XMLParser(target=_NoDoctype())
    try:
        with path.open("rb") as stream:
            while chunk := stream.read(CHUNK):
                parser.feed(chunk)
        root: ET.Element = parser.close()
    except OSError as error:
        raise DataError(f"cannot read {path}: {error.strerror}", "check the path") from error
    except DataError as error:
        raise DataError(f"{path} is refused: {error.message}", error.advice) from error
    except (ET.ParseError, ValueError, LookupError) as error:
        raise DataError(f"{path} is no XML: {error}") from error
    return root


def _cvat_film(path: Path, root: ET.Element, fps: Fraction | None) -> FilmFacts:
    """Facts of the film from ``dataset.json`` beside the file, else from its own head."""
    if path.with_name(FILM).is_file():
        return read_facts(path.with_name(FILM))
    sizes = root.findall("meta//original_size")
    if len(sizes) != 1:
        raise DataError(f"{path}: {len(sizes)} films are described in it", "export one task")
    if fps is None:
        raise DataError(f"{path} does not say the frame rate", f"give --fps, or {FILM} beside it")
    source = (root.findtext("meta//source") or root.findtext("meta//name") or "").strip()
    return FilmFacts(
        video=source or path.stem,
        fps=fps,
        width=size(sizes[0].findtext("width"), f"{path}, original_size", "width"),
        height=size(sizes[0].findtext("height"), f"{path}, original_size", "height"),
    )


def _cvat_rows(path: Path, root: ET.Element, named: bool) -> Iterator[Row]:
    seen: set[str] = set()
    for i, element in enumerate(root.iterfind("track")):
        track = element.get("id", "").strip()
        place = f"{path}, track {track or f'number {i + 1}'}"
        if not track:
            raise DataError(f"{place}: id is missing")
        if track in seen:
            raise DataError(f"{place}: this track appears twice")
        seen.add(track)
        for shape in element:
            if shape.tag != "box":
                raise DataError(f"{place}: a {shape.tag}, where only boxes are read")
            where = f"{place}, frame {shape.get('frame', '(missing)')}"
            if shape.get("outside", "0").strip() != "0":
                continue
            if number(shape.get("rotation", "0"), where, "rotation"):
                raise DataError(f"{where}: the box is rotated", "draw it upright")
            left, top, right, bottom = (
                number(shape.get(key), where, key) for key in ("xtl", "ytl", "xbr", "ybr")
            )
            frame = whole(shape.get("frame"), where, "frame")
            label = _person(shape, where) if named else element.get("label", "").strip()
            yield Row(where, track, frame, (left, top, right - left, bottom - top), label)


def _person(shape: ET.Element, where: str) -> str:
    texts = [(a.text or "").strip() for a in shape.iterfind("attribute") if a.get("name") in NAMING]
    people = {text for text in texts if text}
    if len(people) > 1:
        raise DataError(f"{where}: the box is {' and '.join(map(repr, sorted(people)))}")
    return people.pop() if people else ""
