"""CVAT for video 1.1: tracks whose key frames are what the detector saw."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from videoclusternet.annotations.boxes import LabelledBoxes
from videoclusternet.annotations.cvat_writing import cvat_text
from videoclusternet.export.boxes.film_boxes import FilmBoxes, away, facts, film_boxes, label
from videoclusternet.export.piece import Piece
from videoclusternet.export.plain import film_by_film
from videoclusternet.export.sheet import Sheet
from videoclusternet.types.arrays import Bools


def write_cvat(sheet: Sheet) -> Iterator[Piece]:
    """Write every track of a film by its number; where a face is away, it is outside."""
    for name, reel, _ in film_by_film(sheet):
        found = film_boxes(sheet, reel)
        gone = away(sheet, reel)
        boxes = LabelledBoxes(
            source=sheet.run.folder,
            film=facts(reel),
            tracks=tuple(map(str, found.tracks)),
            labels=tuple(label(sheet, track) for track in found.tracks),
            track=np.searchsorted(found.tracks, found.track).astype(np.int32),
            frame=found.frame.astype(np.int32),
            box=found.box,
        )
        text = cvat_text(boxes, [gone[track] for track in found.tracks], _keys(found), "auto")
        yield Piece(text, name)


def _keys(found: FilmBoxes) -> Bools:
    """Whether CVAT keeps each box: it drops all others, and draws between those that it has.

    What was seen, and the first and last box of a stretch that something else cuts off.
    """
    begins = (np.diff(found.track, prepend=-1) != 0) | (np.diff(found.frame, prepend=-1) != 1)
    ends = np.append(begins[1:], True) if len(begins) else begins
    return np.asarray(found.seen | begins | ends)
