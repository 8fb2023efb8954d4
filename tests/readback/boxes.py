"""Boxes: MOTChallenge and CVAT by our own readers of labelled sets, COCO by pycocotools.

All give rows of film, track (or id), name, frame, ``x y w h``.
"""

from __future__ import annotations

import contextlib
import io
import xml.etree.ElementTree as ET
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

from pycocotools.coco import COCO

from videoclusternet.annotations.box_forms import read_boxes
from videoclusternet.annotations.boxes import LabelledBoxes

Row = tuple[int, int, str, int, tuple[float, ...]]


def read_mot(paths: list[Path]) -> list[Row]:
    """The folder of a film, or one with a folder a film."""
    (folder,) = paths
    homes = [folder] if (folder / "gt").exists() else sorted(folder.glob("*/"))
    return [row for film, home in enumerate(homes) for row in _rows(film, read_boxes(home))]


def read_cvat(paths: list[Path], fps: Fraction = Fraction(24)) -> list[Row]:
    """Boxes that are there; each of them."""
    return [row for film, path in enumerate(paths) for row in _rows(film, read_boxes(path, fps))]


def read_coco(paths: list[Path]) -> list[Row]:
    (path,) = paths
    with contextlib.redirect_stdout(io.StringIO()):
        coco = COCO(str(path))
    found = []
    for one in coco.loadAnns(coco.getAnnIds()):
        (image,), (category,) = coco.loadImgs(one["image_id"]), coco.loadCats(one["category_id"])
        assert one["area"] == round(one["bbox"][2] * one["bbox"][3], 6) and not one["iscrowd"]
        film, box = image["video_id"] - 1, tuple(one["bbox"])
        found.append((film, one["track_id"], category["name"], image["frame_id"], box))
    return found


def _rows(film: int, boxes: LabelledBoxes) -> list[Row]:
    return [
        (film, int(boxes.tracks[track]), boxes.labels[track], frame, tuple(box))
        for track, frame, box in zip(
            boxes.track.tolist(), boxes.frame.tolist(), boxes.box.tolist(), strict=True
        )
    ]


def drawn_by_cvat(path: Path, frames: int) -> dict[tuple[int, int], tuple[float, ...]]:
    """What CVAT shows of a file: between key frames straight lines, until a box is outside."""
    shown: dict[tuple[int, int], tuple[float, ...]] = {}
    for track in ET.parse(path).iter("track"):
        keys = [
            (int(box.attrib["frame"]), box.attrib["outside"] == "1", _corners(box))
            for box in track
            if box.attrib["keyframe"] == "1"
        ]
        keys.append((frames, True, keys[-1][2]))
        for (first, outside, one), (then, gone, other) in pairwise(keys):
            for frame in range(first, then):
                share = 0.0 if gone else (frame - first) / (then - first)
                if not outside:
                    shown[int(track.attrib["id"]), frame] = tuple(
                        a + share * (b - a) for a, b in zip(one, other, strict=True)
                    )
    return shown


def _corners(box: ET.Element) -> tuple[float, ...]:
    return tuple(float(box.attrib[key]) for key in ("xtl", "ytl", "xbr", "ybr"))
