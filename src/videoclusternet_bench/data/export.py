"""Write labelled boxes: our CSV form, MOTChallenge, CVAT for video.  All read back the same."""

from __future__ import annotations

import csv
import json
import re
import xml.etree.ElementTree as ET
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from videoclusternet.annotations.box_forms import TITLES, Form
from videoclusternet.annotations.boxes import (
    COLUMNS,
    DECIMALS,
    FILM,
    TRACKS,
    FilmFacts,
    LabelledBoxes,
)
from videoclusternet.annotations.mot import NAMES, SEQUENCE
from videoclusternet.errors import ConfigError, DataError
from videoclusternet_bench.data.new_set import new_set

FACE = "face"
"""Label of all tracks in a CVAT file; the person is an attribute."""
CVAT = "annotations.xml"
NOT_XML = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")


def check_form(text: str) -> Form:
    """Read the name of a form; anything else is a ConfigError."""
    for form in TITLES:
        if text == form:
            return form
    raise ConfigError(f"no form {text!r}", f"write {', '.join(TITLES)} or crops")


def write_boxes(boxes: LabelledBoxes, folder: Path, form: Form = "csv") -> None:
    """Write labelled boxes in one of the forms; they read back the same.

    Parameters
    ----------
    boxes : LabelledBoxes
        Coordinates are kept to a millionth of a px, in CSV exactly.
    folder : Path
        New or empty.
    form : {'csv', 'mot', 'cvat'}

    Raises
    ------
    StoreError
        When the folder holds something, or cannot be written.
    DataError
        When a name holds a character that XML cannot.
    """
    write = {"csv": _write_csv, "mot": _write_mot, "cvat": _write_cvat}[form]
    with new_set(folder) as new:
        write(boxes, new)
        text = json.dumps(_facts(boxes.film), indent=2, ensure_ascii=False) + "\n"
        (new / FILM).write_text(text, encoding="utf-8")


def _facts(film: FilmFacts) -> dict[str, Any]:
    facts: dict[str, Any] = {
        "video": film.video,
        "fps": _plain_rate(film.fps),
        "width": film.width,
        "height": film.height,
    }
    return facts if film.frames is None else {**facts, "frames": film.frames}


def _plain_rate(fps: Fraction) -> int | float | str:
    """Frame rate for JSON: a number where it is exact, else a fraction as text."""
    if fps.denominator == 1:
        return int(fps)
    return float(fps) if Fraction(str(float(fps))) == fps else str(fps)


def _write_csv(boxes: LabelledBoxes, folder: Path) -> None:
    with (folder / TRACKS).open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(COLUMNS)
        for track, frame, box in zip(boxes.track, boxes.frame, boxes.box.tolist(), strict=True):
            values = (repr(value).removesuffix(".0") for value in box)
            writer.writerow([boxes.tracks[track], int(frame), *values, boxes.labels[track]])


def _write_mot(boxes: LabelledBoxes, folder: Path) -> None:
    """Frames, ids and pixels count from 1; ``seqinfo.ini`` says so of the pixels."""
    film, order = boxes.film, np.lexsort((boxes.track, boxes.frame))
    (folder / "gt").mkdir()
    with (folder / "gt" / "gt.txt").open("w", newline="", encoding="utf-8") as stream:
        for i in order:
            x, y, w, h = boxes.box[i].tolist()
            values = ",".join(map(_px, (x + 1, y + 1, w, h)))
            print(f"{boxes.frame[i] + 1},{boxes.track[i] + 1},{values},1,1,1", file=stream)
    with (folder / NAMES).open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(("id", "label", "track_id"))
        for i, (label, track) in enumerate(zip(boxes.labels, boxes.tracks, strict=True), 1):
            writer.writerow((i, label, track))
    length = int(boxes.frame.max()) + 1 if film.frames is None else film.frames
    rate = _plain_rate(film.fps)
    facts = {
        "name": " ".join(film.video.split()),
        "imDir": "img1",
        # Other tools expect a number here; dataset.json has the exact rate.
        "frameRate": f"{float(film.fps):.6g}" if isinstance(rate, str) else rate,
        "seqLength": length,
        "imWidth": film.width,
        "imHeight": film.height,
        "imExt": ".jpg",
        "firstPixel": 1,
    }
    lines = ["[Sequence]", *(f"{key}={value}" for key, value in facts.items())]
    (folder / SEQUENCE).write_text("\n".join(lines) + "\n", encoding="utf-8")


def _px(value: float) -> str:
    """Write a number with as many decimals as the readers keep."""
    return f"{value:.{DECIMALS}f}".rstrip("0").rstrip(".")


def _write_cvat(boxes: LabelledBoxes, folder: Path) -> None:
    """Label ``face`` for all tracks, the person as the attribute ``name`` of each box."""
    for name in (*boxes.tracks, *boxes.labels, boxes.film.video):
        if NOT_XML.search(name):
            raise DataError(f"{name!r} holds a character that XML cannot", "rename it")
    root = ET.Element("annotations")
    _text(root, "version", "1.1")
    _describe(ET.SubElement(root, "meta"), boxes)
    # A wider gap than this, and CVAT must be told that the face is away: it draws on.
    gaps = np.diff(boxes.frame)[np.diff(boxes.track) == 0]
    step = int(gaps.min(initial=np.iinfo(np.int32).max)) if len(gaps) else 1
    for track, (name, label) in enumerate(zip(boxes.tracks, boxes.labels, strict=True)):
        element = ET.SubElement(root, "track", id=name, label=FACE, source="manual")
        rows = [int(i) for i in np.flatnonzero(boxes.track == track)]
        for row, after in pairwise([*rows, None]):
            assert row is not None
            frame, box = int(boxes.frame[row]), boxes.box[row].tolist()
            _box(element, frame, box, label)
            ends = after is None or int(boxes.frame[after]) - frame > step
            if ends and (boxes.film.frames is None or frame + 1 < boxes.film.frames):
                _box(element, frame + 1, box, label, outside="1")
    ET.indent(root)
    ET.ElementTree(root).write(folder / CVAT, encoding="utf-8", xml_declaration=True)


def _describe(meta: ET.Element, boxes: LabelledBoxes) -> None:
    """Say what the task is: CVAT wants to know the labels and their attributes."""
    task, film = ET.SubElement(meta, "task"), boxes.film
    _text(task, "name", film.video)
    _text(task, "size", str(int(boxes.frame.max()) + 1 if film.frames is None else film.frames))
    _text(task, "mode", "interpolation")
    label = ET.SubElement(ET.SubElement(task, "labels"), "label")
    _text(label, "name", FACE)
    attribute = ET.SubElement(ET.SubElement(label, "attributes"), "attribute")
    for key, value in (
        ("name", "name"),
        ("mutable", "False"),
        ("input_type", "text"),
        ("default_value", ""),
        ("values", ""),
    ):
        _text(attribute, key, value)
    size = ET.SubElement(task, "original_size")
    _text(size, "width", str(film.width))
    _text(size, "height", str(film.height))
    _text(meta, "source", film.video)


def _text(parent: ET.Element, tag: str, text: str) -> None:
    ET.SubElement(parent, tag).text = text


def _box(parent: ET.Element, frame: int, box: list[float], label: str, outside: str = "0") -> None:
    x, y, w, h = box
    corners = dict(zip(("xtl", "ytl", "xbr", "ybr"), map(_px, (x, y, x + w, y + h)), strict=True))
    more = {"outside": outside, "occluded": "0", "keyframe": "1", "z_order": "0"}
    element = ET.SubElement(parent, "box", {"frame": str(frame), **more, **corners})
    attribute = ET.SubElement(element, "attribute", name="name")
    attribute.text = label
