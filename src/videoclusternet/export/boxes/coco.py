"""COCO: one file for all films, with videos, images, categories and boxes."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from videoclusternet.annotations.boxes import DECIMALS
from videoclusternet.export.boxes.film_boxes import FilmBoxes, facts, film_boxes
from videoclusternet.export.piece import Piece
from videoclusternet.export.sheet import Reel, Sheet

Rows = list[dict[str, Any]]
_text_of = json.JSONEncoder(ensure_ascii=False, allow_nan=False).encode


def write_coco(sheet: Sheet) -> Iterator[Piece]:
    """Write a category a character, and an image for every frame that has a box."""
    unknown = 2 + max(sheet.run.people, default=-1)
    images: Rows = []
    annotations: Rows = []
    for reel in sheet.reels:
        found = film_boxes(sheet, reel)
        frames = np.unique(found.frame)
        ids = len(images) + 1 + np.searchsorted(frames, found.frame)
        categories = sheet.run.cast.character[found.track] + 1
        categories[categories == 0] = unknown
        images += _images(reel, frames.tolist(), len(images))
        annotations += _annotations(found, ids.tolist(), categories.tolist(), len(annotations))
    content = {
        "info": {"description": sheet.title},
        "videos": [_video(reel) for reel in sheet.reels],
        "images": images,
        "categories": _categories(sheet, {one["category_id"] for one in annotations}, unknown),
        "annotations": annotations,
    }
    lines = (f" {_text_of(key)}: {_listed(value)}" for key, value in content.items())
    yield Piece("{\n" + ",\n".join(lines) + "\n}\n")


def _listed(value: Any) -> str:
    """Write a list with an entry a line."""
    if not isinstance(value, list):
        return _text_of(value)
    rows = (f"  {_text_of(one)}" for one in value)
    return "[" + ",".join(f"\n{row}" for row in rows) + "\n ]"


def _video(reel: Reel) -> dict[str, Any]:
    film = facts(reel)
    size = {"width": film.width, "height": film.height}
    rate = {"fps": float(film.fps), "rate": str(film.fps)}
    return {"id": reel.number + 1, "name": reel.name, **size, "length": film.frames, **rate}


def _images(reel: Reel, frames: list[int], before: int) -> Rows:
    film = facts(reel)
    return [
        {
            "id": before + number,
            "file_name": f"{reel.film.name}/{frame:06d}.jpg",
            "width": film.width,
            "height": film.height,
            "video_id": reel.number + 1,
            "frame_id": frame,
        }
        for number, frame in enumerate(frames, 1)
    ]


def _annotations(found: FilmBoxes, images: list[int], categories: list[int], before: int) -> Rows:
    rows: Rows = []
    columns = zip(
        images,
        categories,
        found.track.tolist(),
        np.round(found.box, DECIMALS).tolist(),
        np.round(found.score, 4).tolist(),
        found.seen.tolist(),
        strict=True,
    )
    for number, (image, category, track, box, score, seen) in enumerate(columns, before + 1):
        row = {"id": number, "image_id": image, "category_id": category, "bbox": box}
        row |= {"area": round(box[2] * box[3], DECIMALS), "iscrowd": 0, "track_id": track}
        row |= {"score": None if math.isnan(score) else score, "interpolated": not seen}
        rows.append(row)
    return rows


def _categories(sheet: Sheet, used: set[int], unknown: int) -> Rows:
    return [
        {"id": one, "name": sheet.run.called(-1 if one == unknown else one - 1)}
        | {"supercategory": "face"}
        for one in sorted(used)
    ]
