"""MOTChallenge: a folder a film, with ``gt/gt.txt``, ``seqinfo.ini``, ``names.csv``."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from videoclusternet.annotations.boxes import FILM, LabelledBoxes
from videoclusternet.annotations.mot_writing import facts_text, mot_files
from videoclusternet.export.boxes.film_boxes import FilmBoxes, facts, film_boxes, label
from videoclusternet.export.piece import Piece
from videoclusternet.export.sheet import Sheet
from videoclusternet.export.write import safe_name


def write_mot(sheet: Sheet) -> Iterator[Piece]:
    """Write boxes whose id is the number of their character.

    Of two tracks of one character in one frame the box with the higher score is written: an id
    stands once in a frame.  Each Unknown track has an id of its own, after the characters'.
    """
    character = sheet.run.cast.character
    after = 1 + max(sheet.run.people, default=-1)

    def number(track: int) -> int:
        index = int(character[track])
        return index + 1 if index >= 0 else after + track + 1

    return _write(sheet, number)


def write_mot_tracks(sheet: Sheet) -> Iterator[Piece]:
    """Write boxes whose id is the number of their track, counted from 1."""
    return _write(sheet, lambda track: track + 1)


def _write(sheet: Sheet, number: Callable[[int], int]) -> Iterator[Piece]:
    for reel in sheet.reels:
        found = _once(film_boxes(sheet, reel), number)
        numbers = {track: number(track) for track in found.tracks}
        ids = sorted(set(numbers.values()))
        names = {numbers[track]: label(sheet, track) for track in found.tracks}
        of = np.array([numbers[track] for track in found.track.tolist()], dtype=np.int64)
        order = np.lexsort((found.frame, of))
        boxes = LabelledBoxes(
            source=sheet.run.folder,
            film=facts(reel),
            tracks=tuple(map(str, ids)),
            labels=tuple(names[one] for one in ids),
            track=np.searchsorted(ids, of[order]).astype(np.int32),
            frame=found.frame[order].astype(np.int32),
            box=found.box[order],
        )
        home = f"{reel.number:03d}-{safe_name(reel.name)}/" if len(sheet.reels) > 1 else ""
        for name, text in {**mot_files(boxes, ids), FILM: facts_text(boxes.film)}.items():
            yield Piece(text, home + name)


def _once(boxes: FilmBoxes, number: Callable[[int], int]) -> FilmBoxes:
    """Keep of all boxes that share frame and id the one with the highest score."""
    of = np.array([number(track) for track in boxes.track.tolist()], dtype=np.int64)
    order = np.lexsort((boxes.track, -np.nan_to_num(boxes.score), of, boxes.frame))
    sorted_of, sorted_frame = of[order], boxes.frame[order]
    first = (np.diff(sorted_of, prepend=-1) != 0) | (np.diff(sorted_frame, prepend=-1) != 0)
    return boxes.take(np.sort(order[first]).astype(np.int64))
