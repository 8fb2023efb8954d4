"""Labelled boxes written as "CVAT for video 1.1", as :mod:`.cvat` reads them back."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import Sequence

import numpy as np

from videoclusternet.annotations.boxes import LabelledBoxes
from videoclusternet.annotations.mot_writing import length_of, px
from videoclusternet.errors import DataError
from videoclusternet.types.arrays import Bools

FACE = "face"
"""Label of all tracks; the person is an attribute."""
_NOT_XML = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")


def cvat_text(
    boxes: LabelledBoxes,
    away: Sequence[Sequence[int]] | None = None,
    key: Bools | None = None,
    source: str = "manual",
) -> str:
    """Return the XML: the label ``face``, the person as the attribute ``name`` of each box.

    Parameters
    ----------
    boxes : LabelledBoxes
        Coordinates are kept to a millionth of a px.
    away : sequence of sequences of int, optional
        Frames from which the face of each track is away: CVAT draws on until it is told.  By
        default the one after each box that none follows at the usual distance.
    key : bool, shape (n,), optional
        Which boxes are key frames, between which CVAT draws the others; by default all.
    source : str
        ``manual`` or ``auto``.

    Raises
    ------
    DataError
        When a name holds a character that XML cannot.
    """
    for name in (*boxes.tracks, *boxes.labels, boxes.film.video):
        if _NOT_XML.search(name):
            raise DataError(f"{name!r} holds a character that XML cannot", "rename it")
    root = ET.Element("annotations")
    _text(root, "version", "1.1")
    _describe(ET.SubElement(root, "meta"), boxes)
    away = _ends(boxes) if away is None else away
    frames, corners = boxes.frame.tolist(), boxes.box.tolist()
    keys = ["1"] * len(frames) if key is None else np.where(key, "1", "0").tolist()
    edges = np.searchsorted(boxes.track, np.arange(len(boxes.tracks) + 1)).tolist()
    for track, (name, label) in enumerate(zip(boxes.tracks, boxes.labels, strict=True)):
        element = ET.SubElement(root, "track", id=name, label=FACE, source=source)
        rows = range(edges[track], edges[track + 1])
        shown = [(frames[row], "0", keys[row], corners[row]) for row in rows]
        gone = [(frame, "1", "1", box) for frame in away[track] if (box := _last(shown, frame))]
        for frame, outside, is_key, box in sorted([*shown, *gone]):
            _box(element, frame, box, label, outside, is_key)
    ET.indent(root)
    return f"{_HEAD}{ET.tostring(root, encoding='unicode')}\n"


_HEAD = '<?xml version="1.0" encoding="utf-8"?>\n'
Shown = tuple[int, str, str, list[float]]


def _last(shown: list[Shown], before: int) -> list[float] | None:
    """Return the last box before a frame."""
    return next((box for frame, _, _, box in reversed(shown) if frame < before), None)


def _ends(boxes: LabelledBoxes) -> list[list[int]]:
    """Return the frames after boxes that no other follows at the usual distance."""
    gaps = np.diff(boxes.frame)[np.diff(boxes.track) == 0]
    step = int(gaps.min(initial=np.iinfo(np.int32).max)) if len(gaps) else 1
    away: list[list[int]] = [[] for _ in boxes.tracks]
    ends = (np.diff(boxes.track, append=-1) != 0) | (np.diff(boxes.frame, append=0) > step)
    for row in np.flatnonzero(ends):
        after = int(boxes.frame[row]) + 1
        if boxes.film.frames is None or after < boxes.film.frames:
            away[boxes.track[row]].append(after)
    return away


def _describe(meta: ET.Element, boxes: LabelledBoxes) -> None:
    """Say what the task is: CVAT wants to know the labels and their attributes."""
    task, film = ET.SubElement(meta, "task"), boxes.film
    _text(task, "name", film.video)
    _text(task, "size", str(length_of(boxes)))
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


def _box(
    parent: ET.Element, frame: int, box: list[float], label: str, outside: str, key: str
) -> None:
    x, y, w, h = box
    corners = dict(zip(("xtl", "ytl", "xbr", "ybr"), map(px, (x, y, x + w, y + h)), strict=True))
    more = {"outside": outside, "occluded": "0", "keyframe": key, "z_order": "0"}
    element = ET.SubElement(parent, "box", {"frame": str(frame), **more, **corners})
    attribute = ET.SubElement(element, "attribute", name="name")
    attribute.text = label
