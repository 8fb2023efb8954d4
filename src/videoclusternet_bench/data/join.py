"""``vcn dataset join``: the public track labels, and what somebody has for these tracks.

The label files of the series (:mod:`videoclusternet_bench.data.ids`) hold no pictures.
Whoever has crops, features or boxes of the same tracks, by their numbers, gets a set that the
bench takes.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from videoclusternet.annotations.box_forms import find_form, holds_boxes, read_boxes
from videoclusternet.annotations.boxes import LabelledBoxes, read_tracks_csv
from videoclusternet.errors import ConfigError, DataError, StoreError
from videoclusternet.outside.files import exists, is_folder
from videoclusternet.runfolder.crop_zip import CropZip
from videoclusternet.runfolder.files import replacing, writing
from videoclusternet.sources.crops import JPEG, list_crops
from videoclusternet.sources.features import Features, features_tracks, write_features
from videoclusternet.sources.track_list import list_beside, read_list, tracks_table
from videoclusternet.types import Tracks
from videoclusternet_bench.data.crop_zips import Listing, entry_name, write_listing
from videoclusternet_bench.data.export import write_boxes
from videoclusternet_bench.data.feature_files import FEATURES, read_any, track_files
from videoclusternet_bench.data.ids import Protocol, is_named, read_ids

NUMBER = re.compile(r"(?:.*\D)?(\d{1,9})")
"""Names of tracks such as 7, 0007 and track_7."""
SHOWN = 5
"""Most tracks that a message lists."""


@dataclass(frozen=True)
class Joined:
    """What became of labels and tracks.

    Attributes
    ----------
    what : str
        ``crops``, ``features`` or ``boxes``.
    tracks, people : int
        With both.
    nameless : int
        Tracks of people without a name, where only named ones count.
    unlabelled, absent : tuple of int
        Tracks without a label, and labels without a track.
    """

    what: str
    tracks: int
    people: int
    nameless: int
    unlabelled: tuple[int, ...]
    absent: tuple[int, ...]


class _Data(NamedTuple):
    """Tracks by number, and what writes those with a label: labels, folder, name."""

    what: str
    numbers: frozenset[int]
    write: Callable[[Mapping[int, str], Path, str], None]


def join(
    path: Path,
    data: Path,
    folder: Path,
    protocol: Protocol = "named",
    aliases: Mapping[str, str] | None = None,
    strict: bool = False,
    model: str | None = None,
) -> Joined:
    """Join a label file with crops, features or boxes of its tracks, and write the set.

    Parameters
    ----------
    path : Path
        Label file, ``NAME.ids``.
    data : Path
        Zip file or folder of crops ``<track>/<frame>.jpg``; features (``.npz``, ``.mat``, or
        a folder of ``<track>.npy``); or tracks of boxes in any form, labelled or not.
    folder : Path
        Where ``NAME.zip`` or ``NAME.npz`` and ``NAME_tracks.csv`` are written, beside those
        of other episodes; for boxes a new or empty folder.
    protocol : {'named', 'all'}
        ``named`` leaves out the tracks of ``unknown_*``.
    aliases : mapping, optional
        Label to the label it is taken for.
    strict : bool
        Refuse tracks without a label and labels without a track.
    model : str, optional
        What made the features, where they do not say it.

    Raises
    ------
    DataError
        When a file is malformed, nothing fits together, or ``strict`` forbids what is left.
    ConfigError
        When an alias names a label that the file does not have.
    StoreError
        When the set is there already, or cannot be written.
    """
    every = read_ids(path, "all", aliases)
    absent = set(aliases or {}) - set(read_ids(path, "all").labels)
    if absent:
        raise ConfigError(f"alias of {min(absent)}: {path} does not have this label")
    labels = dict(zip(every.ids.tolist(), every.labels, strict=True))
    wanted = {n: label for n, label in labels.items() if protocol == "all" or is_named(label)}
    found = _data(data, model)
    both = {number: label for number, label in wanted.items() if number in found.numbers}
    result = _counted(found, labels, wanted, both)
    if strict and (result.unlabelled or result.absent):
        raise DataError(_said(path, data, result), "join without --strict to leave them out")
    if not both:
        raise DataError(
            f"{path} and {data} have no track in common",
            "their numbers must be those of the label file",
        )
    found.write(both, folder, path.stem)
    return result


def _counted(
    found: _Data, labels: Mapping[int, str], wanted: Mapping[int, str], both: Mapping[int, str]
) -> Joined:
    """Count what fits together, and list what does not."""
    return Joined(
        found.what,
        len(both),
        len(set(both.values())),
        sum(number in found.numbers for number in labels.keys() - wanted.keys()),
        tuple(sorted(found.numbers - labels.keys())),
        tuple(sorted(wanted.keys() - found.numbers)),
    )


def _said(path: Path, data: Path, found: Joined) -> str:
    parts = []
    if found.unlabelled:
        parts.append(f"{path} has no label for track {listed(found.unlabelled)}")
    if found.absent:
        parts.append(f"{data} has no track {listed(found.absent)}")
    return "; ".join(parts)


def listed(numbers: Iterable[int]) -> str:
    """Write the first few numbers, and how many more there are."""
    first = list(numbers)
    more = f" and {len(first) - SHOWN} more" if len(first) > SHOWN else ""
    return ", ".join(map(str, first[:SHOWN])) + more


def _data(path: Path, model: str | None) -> _Data:
    if not exists(path):
        raise DataError(f"no such file or folder: {path}", "check the path")
    if path.suffix.lower() in FEATURES or track_files(path):
        return _features(path, model)
    crops = path.suffix.lower() == ".zip" or (is_folder(path) and any(path.glob("*/*.*")))
    if crops and not (holds_boxes(path) and find_form(path).form != "csv"):
        return _crops(path)  # frames of a film beside gt/gt.txt are no crops
    return _boxes(path)


def _numbered(names: Iterable[str], where: Path) -> dict[int, str]:
    """Return the names of tracks by their numbers."""
    found: dict[int, str] = {}
    for name in names:
        number = NUMBER.fullmatch(name)
        if number is None:
            raise DataError(f"{where}: track {name!r} has no number", "name it by its number")
        other = found.setdefault(int(number[1]), name)
        if other != name:
            raise DataError(f"{where}: {other!r} and {name!r} are the same track")
    return found


def _crops(path: Path) -> _Data:
    files = list_crops(path)
    names = _numbered(dict.fromkeys(track for track, _, _ in files), path)

    def write(labels: Mapping[int, str], folder: Path, stem: str) -> None:
        number = {name: n for n, name in names.items()}
        places = _places(path, names, files)
        count = dict.fromkeys(labels, 0)
        with _new_set(folder, stem, ".zip") as target, CropZip(target) as archive:
            for track, frame, read in files:
                if (n := number[track]) in labels:
                    data = read()
                    suffix = ".jpg" if data.startswith(JPEG) else ".png"
                    archive.add(entry_name(str(n), frame, suffix), data)
                    count[n] += 1
        listings = (Listing(str(n), labels[n], count[n], places.get(n)) for n in sorted(labels))
        write_listing(folder / f"{stem}_tracks.csv", listings)

    return _Data("crops", frozenset(names), write)


def _places(
    path: Path, names: Mapping[int, str], files: Iterable[tuple[str, int, Any]]
) -> dict[int, tuple[int, int, int]]:
    """Return shot, first and last frame of each track, where a list beside the crops says it."""
    known = read_list(list_beside(path))
    if not known:
        return {}
    frames: dict[str, list[int]] = {}
    for track, frame, _ in files:
        frames.setdefault(track, []).append(frame)
    first, last = (np.array([end(frames[n]) for n in names.values()]) for end in (min, max))
    return _where(list(names), tracks_table(list(names.values()), first, last, known))


def _where(numbers: Iterable[int], tracks: Tracks) -> dict[int, tuple[int, int, int]]:
    columns = (column.tolist() for column in (tracks.shot, tracks.first, tracks.last))
    return dict(zip(numbers, zip(*columns, strict=True), strict=True))


def _features(path: Path, model: str | None) -> _Data:
    every = read_any(path, model)
    numbers = [int(name) for name in every.names]

    def write(labels: Mapping[int, str], folder: Path, stem: str) -> None:
        known = read_list(list_beside(path))
        places = _where(numbers, features_tracks(every, 0, known)) if known else {}
        kept = np.isin(every.track, list(labels))
        frame = None if every.frame is None else every.frame[kept]
        mine = Features(every.features[kept], every.track[kept], frame, every.model)
        with _new_set(folder, stem, ".npz") as target:
            write_features(target, mine)
        count = dict(zip(*np.unique(mine.track, return_counts=True), strict=True))
        listings = (Listing(str(n), labels[n], count[n], places.get(n)) for n in sorted(labels))
        write_listing(folder / f"{stem}_tracks.csv", listings)

    return _Data("features", frozenset(numbers), write)


def _boxes(path: Path) -> _Data:
    form, file = find_form(path)
    boxes = read_tracks_csv(file, labelled=False) if form == "csv" else read_boxes(path)
    names = _numbered(boxes.tracks, path)

    def write(labels: Mapping[int, str], folder: Path, stem: str) -> None:
        write_boxes(relabelled(boxes, {names[n]: label for n, label in labels.items()}), folder)

    return _Data("boxes", frozenset(names), write)


def relabelled(boxes: LabelledBoxes, labels: Mapping[str, str]) -> LabelledBoxes:
    """Return the tracks that have a label, with that label.

    Parameters
    ----------
    boxes : LabelledBoxes
    labels : mapping
        Label by the name of the track; one or more of ``boxes``.
    """
    kept = [i for i, track in enumerate(boxes.tracks) if track in labels]
    rank = np.full(len(boxes.tracks), -1, dtype=np.int32)
    rank[kept] = np.arange(len(kept))
    rows = rank[boxes.track] >= 0
    tracks = tuple(boxes.tracks[i] for i in kept)
    return replace(
        boxes,
        tracks=tracks,
        labels=tuple(labels[track] for track in tracks),
        track=rank[boxes.track[rows]],
        frame=boxes.frame[rows],
        box=boxes.box[rows],
    )


@contextmanager
def _new_set(folder: Path, stem: str, suffix: str) -> Iterator[Path]:
    """Give the file of a set to write, all or nothing; there must be no set of this name yet."""
    listing = folder / f"{stem}_tracks.csv"
    if exists(listing):
        raise StoreError(f"{listing} is there already", "choose another folder")
    with writing(folder):
        folder.mkdir(parents=True, exist_ok=True)
    with replacing(folder / f"{stem}{suffix}") as temporary:
        yield temporary
