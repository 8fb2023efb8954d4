"""Tracks that were given from outside: where each lies, and who cannot be whom.

Beside crops or features may lie a CSV file with the shot of each track, and how far it
reaches.  Its labels are never read here.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from videoclusternet.errors import DataError
from videoclusternet.outside.files import is_file, is_folder, opened_text
from videoclusternet.types import Tracks
from videoclusternet.types.arrays import Ints

DIGITS = 9
"""Longest number of a track or frame; int32 holds it."""
EVERY = 12
"""Frames that a crop stands for: half a second at 24 fps [P]."""


def list_beside(source: Path) -> Path | None:
    """Return the list of tracks beside crops or features, where there is one."""
    name = f"{source.resolve().name if is_folder(source) else source.stem}_tracks.csv"
    folder = source if is_folder(source) else source.parent
    places = [folder / name, folder / "tracks.csv"]
    if is_folder(source):
        places.append(source.resolve().with_name(name))
    return next((place for place in places if is_file(place)), None)


class Listed(NamedTuple):
    """What a list says of a track: its shot, and its first and last frame where it says so."""

    shot: int
    reach: tuple[int, int] | None = None


def read_list(path: Path | None, asked: bool = False) -> dict[str, Listed]:
    """Read where each track lies; the column of labels is not looked at.

    Parameters
    ----------
    path : Path or None
        CSV file with the columns ``track_id`` and ``shot``, and ``first_frame`` and
        ``last_frame`` (inclusive) if both are known.
    asked : bool
        Whether a file without these columns is an error, or says nothing.

    Returns
    -------
    dict
        By the name of the track, numbers without leading zeros.

    Raises
    ------
    DataError
        When the file is malformed.
    """
    if path is None:
        return {}
    try:
        with opened_text(path, DataError) as stream:
            reader = csv.DictReader(stream)
            columns = set(reader.fieldnames or ())
            if not {"track_id", "shot"} <= columns:
                if asked:
                    raise ValueError("it lacks the columns track_id and shot")
                return {}
            reaches = {"first_frame", "last_frame"} <= columns
            found: dict[str, Listed] = {}
            for row in reader:
                name = plain(row["track_id"])
                if name in found:
                    raise ValueError(f"track {name} appears twice")
                found[name] = _listed(row, reaches)
            return found
    except (OSError, ValueError, TypeError, AttributeError, csv.Error) as error:
        raise DataError(f"{path} is not a list of tracks and shots: {error}") from error


def _listed(row: dict[str, str], reaches: bool) -> Listed:
    shot = _whole(row["shot"], "shot")
    if not reaches:
        return Listed(shot)
    first, last = (_whole(row[name], "frame") for name in ("first_frame", "last_frame"))
    if last < first:
        raise ValueError(f"track {row['track_id']} ends in frame {last}, before {first}")
    return Listed(shot, (first, last))


def _whole(text: str, what: str) -> int:
    if not is_number(text.strip()):
        raise ValueError(f"{text!r} is no {what} number")
    return int(text)


def plain(name: str) -> str:
    """Track names compare as numbers where they are numbers: 0007 is 7."""
    return str(int(name)) if is_number(name) else name


def is_number(text: str) -> bool:
    """Whether a name is a number that int32 holds."""
    return text.isdecimal() and len(text) <= DIGITS


def tracks_table(
    names: Sequence[str],
    first: Ints,
    last: Ints,
    listed: Mapping[str, Listed],
    each: int = EVERY,
) -> Tracks:
    """Make the table of tracks that were given from outside.

    Parameters
    ----------
    names : sequence of str, length T
    first, last : int, shape (T,)
        Frames of the first and the last crop of each track.
    listed : mapping
        Of :func:`read_list`; what it says of a track counts more.
    each : int
        Frames that a crop stands for.

    Raises
    ------
    DataError
        When a track has a crop outside the frames it is said to have.
    """
    known = [listed.get(plain(name)) for name in names]
    reach = [
        (low, high + each - 1) if one is None or one.reach is None else one.reach
        for low, high, one in zip(first.tolist(), last.tolist(), known, strict=True)
    ]
    for name, low, high, (start, stop) in zip(names, first, last, reach, strict=True):
        if not start <= low <= high <= stop:
            raise DataError(f"track {name} has a crop outside its frames {start} to {stop}")
    # Without a list of shots every track is a shot of its own: no pair is excluded.
    alone = max((one.shot for one in listed.values()), default=-1) + 1
    shot = [alone + i if one is None else one.shot for i, one in enumerate(known)]
    return Tracks(
        film=np.zeros(len(names), dtype=np.int32),
        shot=np.array(shot, dtype=np.int32),
        first=np.array([start for start, _ in reach], dtype=np.int32),
        last=np.array([stop for _, stop in reach], dtype=np.int32),
        start=np.zeros(len(names) + 1, dtype=np.int64),
        face=np.empty(0, dtype=np.int32),
        flaw=np.zeros(len(names), dtype=np.uint8),
    )
