"""Who is who: labels for the tracks of a run, from the files that people make.

Three forms: *stitched* (a folder with ``shots.csv`` and ``truth.csv``: identity by shot
and horizontal range), *boxes* (``track_id,frame,x,y,w,h,label`` in px of the display
frame, one row per box) and *tracks* (``track_id,...,label``, for runs over aligned crops).
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from videoclusternet.bench.fields import column, number, read_csv
from videoclusternet.errors import DataError
from videoclusternet.results import Film, Result

Array = NDArray[Any]
Rows = list[tuple[str, dict[str, str]]]
"""File and line, and its fields by column."""
STITCHED_WIDTH = 640.0
"""Frame width in px to which the ranges of the stitched form refer."""
SAME_BOX = 0.5
"""Intersection over union from which two boxes are the same face."""


@dataclass(frozen=True)
class Labels:
    """Labels of the tracks of a run.

    Attributes
    ----------
    label : tuple of (str or None), length T
        None: a false face, or a track the truth does not know.
    visible, found : int
        Rows of the truth (people in shots, or true tracks), and how many of them have a
        track.
    """

    label: tuple[str | None, ...]
    visible: int
    found: int


def read_truth(path: Path, result: Result) -> Labels:
    """Label the tracks of a run.

    Parameters
    ----------
    path : Path
        Folder of the stitched form, or a CSV file of any form.
    result : Result

    Raises
    ------
    DataError
        When the file is missing or malformed; names the file and the line.
    """
    if path.is_dir():
        inside = path / "truth.csv"
        path = inside if inside.exists() else path / "tracks.csv"
    rows = _read(path)
    columns = set(rows[0][1])
    if {"shot", "identity", "x_min", "x_max"} <= columns:
        beside = path.with_name("shots.csv")
        shots = _read(beside)
        missing = {"shot", "start_frame"} - set(shots[0][1])
        if missing:
            raise DataError(f"{beside} has no column {min(missing)!r}")
        return _stitched(rows, shots, _only_film(result))
    if {"track_id", "frame", "x", "y", "w", "h", "label"} <= columns:
        return _boxes(path, rows, _only_film(result))
    if {"track_id", "label"} <= columns:
        return _tracks(path, rows, result)
    raise DataError(f"{path}: unknown columns {', '.join(rows[0][1])}", "see docs/formats.md")


def _read(path: Path) -> Rows:
    rows = list(read_csv(path))
    if not rows:
        raise DataError(f"{path} holds no row")
    return rows


def _number(place: str, row: dict[str, str], name: str) -> float:
    return number(column(row, name, place), place, name)


def _name(place: str, row: dict[str, str], name: str) -> str:
    found = column(row, name, place)
    if not found:
        raise DataError(f"{place}: {name} is empty", "leave out rows without a name")
    return found


def _only_film(result: Result) -> Film:
    if len(result.films) > 1 or result.films[0].faces is None:
        raise DataError("this truth is for a run over one film", "score each film by itself")
    return result.films[0]


def _stitched(rows: Rows, shots: Rows, film: Film) -> Labels:
    """Apply the scoring rule of the stitched form: middle frame, median centre."""
    assert film.faces is not None and film.video is not None
    starts = {
        int(_number(place, row, "shot")): _number(place, row, "start_frame") for place, row in shots
    }
    numbers = sorted(starts, key=lambda number: starts[number])
    start = [starts[number] for number in numbers]
    ranges: dict[int, list[tuple[float, float, str, int]]] = defaultdict(list)
    for i, (place, row) in enumerate(rows):
        low, high = (_number(place, row, name) for name in ("x_min", "x_max"))
        ranges[int(_number(place, row, "shot"))].append(
            (low, high, _name(place, row, "identity"), i)
        )
    scale = STITCHED_WIDTH / film.video.width
    labels: list[str | None] = []
    seen: set[int] = set()
    for t in range(len(film.tracks)):
        middle = (int(film.tracks.first[t]) + int(film.tracks.last[t])) // 2
        at = int(np.searchsorted(start, middle, side="right")) - 1
        shot = numbers[at] if at >= 0 else -1
        box = film.faces.box[film.tracks.faces_of(t)]
        x = float(np.median((box[:, 0] + box[:, 2]) / 2)) * scale
        hits = [(name, i) for low, high, name, i in ranges[shot] if low <= x <= high]
        labels.append(hits[0][0] if hits else None)
        seen.update(i for _, i in hits)
    return Labels(tuple(labels), len(rows), len(seen))


def _boxes(path: Path, rows: Rows, film: Film) -> Labels:
    """Give a track the label of the true track that shares most of its boxes."""
    assert film.faces is not None and film.video is not None
    by_frame: dict[int, list[tuple[tuple[float, ...], str]]] = defaultdict(list)
    names: dict[str, str] = {}
    for place, row in rows:
        frame = int(_number(place, row, "frame"))
        if not 0 <= frame < film.video.frames:
            raise DataError(f"{place}: frame {frame} is outside the film")
        x, y, w, h = (_number(place, row, name) for name in "xywh")
        track, label = row["track_id"], _name(place, row, "label")
        by_frame[frame].append(((x, y, x + w, y + h), track))
        if names.setdefault(track, label) != label:
            raise DataError(f"{place}: track {track} is {label!r}, before {names[track]!r}")
    labels: list[str | None] = []
    seen: set[str] = set()
    for t in range(len(film.tracks)):
        votes: Counter[str] = Counter()
        for face in film.tracks.faces_of(t):
            for box, track in by_frame.get(int(film.faces.frame[face]), ()):
                if _iou(film.faces.box[face], np.array(box)) >= SAME_BOX:
                    votes[track] += 1
        best = max(votes, key=lambda k: (votes[k], k)) if votes else None
        labels.append(names[best] if best is not None else None)
        seen.update(votes)
    return Labels(tuple(labels), len(names), len(seen))


def _iou(a: Array, b: Array) -> float:
    """Intersection over union of two boxes ``x1 y1 x2 y2``."""
    inner = np.prod(np.maximum(np.minimum(a[2:], b[2:]) - np.maximum(a[:2], b[:2]), 0))
    union = np.prod(a[2:] - a[:2]) + np.prod(b[2:] - b[:2]) - inner
    return float(inner / union) if union > 0 else 0.0


def _tracks(path: Path, rows: Rows, result: Result) -> Labels:
    """Look labels up by the names that the tracks were given with."""
    known: dict[str, str] = {}
    for place, row in rows:
        name = _plain(row["track_id"].strip())
        if name in known:
            raise DataError(f"{place}: track {name} appears twice")
        known[name] = _name(place, row, "label")
    names = [name for film in result.films for name in film.track_names]
    if len(names) != len(result.tracks):
        raise DataError(f"{path} names tracks, but this run found its own", "give boxes instead")
    labels = tuple(known.get(_plain(name)) for name in names)
    if all(label is None for label in labels):
        raise DataError(
            f"{path} knows none of the tracks of this run", "check that they belong together"
        )
    return Labels(labels, len(known), sum(label is not None for label in labels))


def _plain(name: str) -> str:
    """Track names compare as numbers where they are numbers: 0007 is 7."""
    return str(int(name)) if name.isdigit() else name
