"""Labelled boxes written in the form of MOTChallenge, as :mod:`.mot` reads them back."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from fractions import Fraction

import numpy as np

from videoclusternet.annotations.boxes import DECIMALS, FilmFacts, LabelledBoxes
from videoclusternet.annotations.mot import NAMES, SEQUENCE

TRUTH = "gt/gt.txt"


def mot_files(boxes: LabelledBoxes, ids: Sequence[int] | None = None) -> dict[str, str]:
    """Return the files of a sequence by their path in its folder.

    Frames, ids and pixels count from 1; ``seqinfo.ini`` says so of the pixels.

    Parameters
    ----------
    boxes : LabelledBoxes
        Coordinates are kept to a millionth of a px.
    ids : sequence of int, optional
        Number of each track; by default they are counted.
    """
    numbers = range(1, len(boxes.tracks) + 1) if ids is None else ids
    return {
        TRUTH: _truth(boxes, numbers),
        NAMES: _names(boxes, numbers),
        SEQUENCE: _sequence(boxes),
    }


def _truth(boxes: LabelledBoxes, numbers: Sequence[int]) -> str:
    order = np.lexsort((np.asarray(numbers)[boxes.track], boxes.frame))
    columns = boxes.frame[order] + 1, boxes.track[order], boxes.box[order] + (1, 1, 0, 0)
    rows = zip(*(column.tolist() for column in columns), strict=True)
    return "".join(
        f"{frame},{numbers[track]},{','.join(map(px, box))},1,1,1\n" for frame, track, box in rows
    )


def _names(boxes: LabelledBoxes, numbers: Sequence[int]) -> str:
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(("id", "label", "track_id"))
    writer.writerows(zip(numbers, boxes.labels, boxes.tracks, strict=True))
    return stream.getvalue()


def _sequence(boxes: LabelledBoxes) -> str:
    film = boxes.film
    rate = plain_rate(film.fps)
    facts = {
        "name": " ".join(film.video.split()),
        "imDir": "img1",
        # Other tools expect a number here; dataset.json has the exact rate.
        "frameRate": f"{float(film.fps):.6g}" if isinstance(rate, str) else rate,
        "seqLength": length_of(boxes),
        "imWidth": film.width,
        "imHeight": film.height,
        "imExt": ".jpg",
        "firstPixel": 1,
    }
    return "\n".join(["[Sequence]", *(f"{key}={value}" for key, value in facts.items())]) + "\n"


def facts_text(film: FilmFacts) -> str:
    """Return ``dataset.json``, which has the exact rate of a film."""
    facts: dict[str, int | float | str] = {
        "video": film.video,
        "fps": plain_rate(film.fps),
        "width": film.width,
        "height": film.height,
    }
    if film.frames is not None:
        facts["frames"] = film.frames
    return json.dumps(facts, indent=2, ensure_ascii=False) + "\n"


def plain_rate(fps: Fraction) -> int | float | str:
    """Frame rate for JSON: a number where it is exact, else a fraction as text."""
    if fps.denominator == 1:
        return int(fps)
    return float(fps) if Fraction(str(float(fps))) == fps else str(fps)


def length_of(boxes: LabelledBoxes) -> int:
    """Return the frames of the film; up to the last box where nobody says."""
    return int(boxes.frame.max()) + 1 if boxes.film.frames is None else boxes.film.frames


def px(value: float) -> str:
    """Write a number with as many decimals as the readers keep."""
    return f"{value:.{DECIMALS}f}".rstrip("0").rstrip(".")
