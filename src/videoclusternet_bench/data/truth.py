"""Who is who: labels for the tracks of a run, from the files that people make.

Three forms: *stitched* (a folder with ``shots.csv`` and ``truth.csv``: identity by shot
and horizontal range), *boxes* (of any form of :mod:`videoclusternet.annotations.box_forms`) and
*tracks* (``track_id,...,label``, for runs whose tracks were given).
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path

import numpy as np

from videoclusternet.annotations.box_forms import find_form, holds_boxes, read_boxes, read_boxes_of
from videoclusternet.annotations.boxes import LabelledBoxes
from videoclusternet.annotations.fields import column, number, read_csv
from videoclusternet.errors import DataError
from videoclusternet.outside.files import exists, is_folder
from videoclusternet.result.described import Film
from videoclusternet.result.result import Result
from videoclusternet.types.arrays import Ints
from videoclusternet.types.boxes import overlaps

Lines = list[tuple[str, dict[str, str]]]
"""File and line, and its fields by column."""
STITCHED_WIDTH = 640.0
"""Frame width in px to which the ranges of the stitched form refer."""
VISIBLE = "visible.csv"
"""Lists who is visible in which shot, beside labelled boxes of a film."""
SAME_BOX = 0.5
"""Intersection over union from which two boxes are the same face."""


@dataclass(frozen=True)
class Labels:
    """Labels of the tracks of a run.

    Attributes
    ----------
    label : tuple of (str or None), length T
        None: a false face, or a track the truth does not know.
    lines : tuple of tuples of int
        Tracks of the run that show each line of the truth: a person in a shot, or a true track.
    """

    label: tuple[str | None, ...]
    lines: tuple[tuple[int, ...], ...]

    @property
    def visible(self) -> int:
        """Lines of the truth."""
        return len(self.lines)

    @property
    def found(self) -> int:
        """How many of them have a track."""
        return sum(bool(line) for line in self.lines)

    def usable(self, character: Ints) -> int:
        """Count the lines that have a track with a character: Unknown ones are of no use.

        Parameters
        ----------
        character : int, shape (T,)
            -1 for Unknown.
        """
        return sum(any(character[t] >= 0 for t in line) for line in self.lines)


def read_truth(path: Path | Sequence[Path], result: Result) -> Labels:
    """Label the tracks of a run.

    Parameters
    ----------
    path : Path or sequence of Path
        Folder of the stitched form, CSV file of any form, or labelled boxes; one for each
        film of the run.  The same label in two of them is the same person.
    result : Result

    Raises
    ------
    DataError
        When a file is missing or malformed; names the file and the line.
    """
    paths = [path] if isinstance(path, Path) else path
    if len(paths) != len(result.films):
        raise DataError(
            f"the run is over {len(result.films)} films, not {len(paths)}",
            "give the truth of each film, in their order",
        )
    parts = [_labels(one, film) for one, film in zip(paths, result.films, strict=True)]
    before = accumulate((len(part.label) for part in parts), initial=0)
    return Labels(
        tuple(label for part in parts for label in part.label),
        tuple(
            tuple(t + shift for t in line)
            for part, shift in zip(parts, before, strict=False)
            for line in part.lines
        ),
    )


def _labels(path: Path, film: Film) -> Labels:
    """Label the tracks of one film."""
    if is_folder(path):
        path = _inside(path)
    if path.suffix.lower() == ".csv":
        rows = _read(path)
        columns = set(rows[0][1])
        if {"shot", "identity", "x_min", "x_max"} <= columns:
            return _stitched(path, rows, film)
        if not {"track_id", "frame", "x", "y", "w", "h"} <= columns:
            if {"track_id", "label"} <= columns:
                return _by_name(path, _named(rows), film)
            listed = ", ".join(rows[0][1])
            raise DataError(f"{path}: unknown columns {listed}", "see docs/formats.md")
    boxes = read_boxes(path) if film.video is None else read_boxes_of(path, film.video)
    if film.track_names or film.faces is None:
        found = _by_name(path, dict(zip(boxes.tracks, boxes.labels, strict=True)), film)
    else:
        found = _by_boxes(boxes, film)
    people = path.with_name(VISIBLE)
    return _in_shots(people, found, film) if film.video and exists(people) else found


def _inside(folder: Path) -> Path:
    """Return the truth that a folder holds: also the list beside crops or features."""
    truth, lists = folder / "truth.csv", sorted(folder.glob("*_tracks.csv"))
    if exists(truth):
        return truth
    return lists[0] if len(lists) == 1 and not holds_boxes(folder) else find_form(folder).file


def _read(path: Path) -> Lines:
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


def _starts(path: Path) -> tuple[list[int], list[float]]:
    """Numbers of the shots in order, and their first frames."""
    shots = _read(path)
    missing = {"shot", "start_frame"} - set(shots[0][1])
    if missing:
        raise DataError(f"{path} has no column {min(missing)!r}")
    starts = {
        int(_number(place, row, "shot")): _number(place, row, "start_frame") for place, row in shots
    }
    numbers = sorted(starts, key=lambda number: starts[number])
    return numbers, [starts[number] for number in numbers]


def _stitched(path: Path, rows: Lines, film: Film) -> Labels:
    """Apply the scoring rule of the stitched form: middle frame, median centre."""
    if film.faces is None or film.video is None:
        raise DataError(f"{path} is for a film, this run is over crops", "label them by track")
    numbers, start = _starts(path.with_name("shots.csv"))
    ranges: dict[int, list[tuple[float, float, str, int]]] = defaultdict(list)
    for i, (place, row) in enumerate(rows):
        low, high = (_number(place, row, name) for name in ("x_min", "x_max"))
        ranges[int(_number(place, row, "shot"))].append(
            (low, high, _name(place, row, "identity"), i)
        )
    scale = STITCHED_WIDTH / film.video.width
    labels: list[str | None] = []
    lines: list[list[int]] = [[] for _ in rows]
    for t, middle in enumerate(_middles(film)):
        at = int(np.searchsorted(start, middle, side="right")) - 1
        shot = numbers[at] if at >= 0 else -1
        box = film.faces.box[film.tracks.faces_of(t)]
        x = float(np.median((box[:, 0] + box[:, 2]) / 2)) * scale
        hits = [(name, i) for low, high, name, i in ranges[shot] if low <= x <= high]
        labels.append(hits[0][0] if hits else None)
        for _, i in hits:
            lines[i].append(t)
    return Labels(tuple(labels), tuple(map(tuple, lines)))


def _middles(film: Film) -> list[int]:
    """Middle frame of each track: it tells the shot."""
    return [int(m) for m in (film.tracks.first.astype(np.int64) + film.tracks.last) // 2]


def _in_shots(path: Path, labels: Labels, film: Film) -> Labels:
    """Count people in shots, as a list beside the boxes has them, in place of true tracks."""
    middles = _middles(film)
    lines = []
    for place, row in _read(path):
        start, stop = (_number(place, row, name) for name in ("start", "stop"))
        name = _name(place, row, "name")
        lines.append(
            tuple(
                t
                for t, (label, middle) in enumerate(zip(labels.label, middles, strict=True))
                if label == name and start <= middle < stop
            )
        )
    return Labels(labels.label, tuple(lines))


def _by_boxes(boxes: LabelledBoxes, film: Film) -> Labels:
    """Give a track the label of the true track that shares most of its boxes."""
    assert film.faces is not None
    order = np.argsort(boxes.frame, kind="stable")
    frame, track = boxes.frame[order], boxes.track[order]
    corners = np.hstack([boxes.box[:, :2], boxes.box[:, :2] + boxes.box[:, 2:]])[order]
    labels: list[str | None] = []
    lines: list[list[int]] = [[] for _ in boxes.tracks]
    for t in range(len(film.tracks)):
        votes: Counter[int] = Counter()
        for face in film.tracks.faces_of(t):
            low, high = np.searchsorted(frame, film.faces.frame[face] + np.array([0, 1]))
            shared = overlaps(film.faces.box[[face]], corners[low:high])[0] >= SAME_BOX
            votes.update(track[low:high][shared].tolist())
        best = max(votes, key=lambda k: (votes[k], boxes.tracks[k])) if votes else None
        labels.append(None if best is None else boxes.labels[best])
        for k in votes:
            lines[k].append(t)
    return Labels(tuple(labels), tuple(map(tuple, lines)))


def _named(rows: Lines) -> dict[str, str]:
    known: dict[str, str] = {}
    for place, row in rows:
        name = _plain(row["track_id"].strip())
        if name in known:
            raise DataError(f"{place}: track {name} appears twice")
        known[name] = _name(place, row, "label")
    return known


def _by_name(path: Path, known: Mapping[str, str], film: Film) -> Labels:
    """Look labels up by the names that the tracks were given with."""
    if len(film.track_names) != len(film.tracks):
        raise DataError(f"{path} names tracks, but this run found its own", "give boxes instead")
    plain = {_plain(name): label for name, label in known.items()}
    labels = tuple(known.get(name, plain.get(_plain(name))) for name in film.track_names)
    if all(label is None for label in labels):
        raise DataError(
            f"{path} knows none of the tracks of this run", "check that they belong together"
        )
    of_name: dict[str, tuple[int, ...]] = {}
    for t, name in enumerate(film.track_names):
        of_name[_plain(name)] = (*of_name.get(_plain(name), ()), t)
    return Labels(labels, tuple(of_name.get(_plain(name), ()) for name in known))


def _plain(name: str) -> str:
    """Track names compare as numbers where they are numbers: 0007 is 7."""
    return str(int(name)) if name.isascii() and name.isdecimal() and len(name) < 100 else name
