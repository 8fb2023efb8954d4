"""Enter at aligned crops: a zip file or folder ``<track>/<frame>.jpg`` (section 3.3 on).

For face tracks that another program made.  A ``tracks.csv`` beside the crops may name
the shot of each track (for cannot-link pairs); its labels are never read.
"""

from __future__ import annotations

import hashlib
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from videoclusternet.clustering.find_cast import check_choice
from videoclusternet.config import Config
from videoclusternet.errors import DataError
from videoclusternet.events import Hook, silent
from videoclusternet.film.crops import crops_table, encode
from videoclusternet.models.load import load_backbone, pick_device
from videoclusternet.pipeline import default_output, find_characters, listed
from videoclusternet.runfolder.crop_zip import CROPS, ZIP_ERRORS, crop_name
from videoclusternet.runfolder.result import Result
from videoclusternet.runfolder.steps import Run, Work, check_films
from videoclusternet.sources.track_list import (
    Listed,
    is_number,
    list_beside,
    read_list,
    tracks_table,
)
from videoclusternet.types import Crops, Tracks
from videoclusternet.types.canvas import CANVAS, MARGIN

Array = NDArray[Any]
PICTURES = (".jpg", ".jpeg", ".png")
TEMPLATE = CANVAS - 2 * MARGIN
JPEG = b"\xff\xd8\xff"
"""How JPEG files begin."""


def cluster_tracks(
    crops: Sequence[Path | str] | Path | str,
    output: Path | str | None = None,
    config: Config | None = None,
    hook: Hook = silent,
    shots: Path | str | None = None,
) -> Result:
    """Group given face tracks into characters.

    Parameters
    ----------
    crops : path or sequence of paths
        Zip file or folder with ``<track>/<frame>.jpg``: crops of 112 x 112 px aligned to
        the ArcFace template, or of 144 x 144 px with its margin.  Several have a shared
        cast, as several films have.
    output : path, optional
        Run folder; by default the name of ``crops`` with ``.vcn``.
    config : Config, optional
    hook : Hook
    shots : path, optional
        CSV file with the columns ``track_id`` and ``shot``: tracks of one shot that
        overlap in time are two people.  By default ``<name>_tracks.csv`` or
        ``tracks.csv`` beside the crops, where there is one.

    Raises
    ------
    DataError
        When the crops or the CSV file are malformed.
    """
    config = config or Config()
    check_choice(config.cluster)
    sources = listed(crops)
    sets = [_read_set(source, Path(shots) if shots else None) for source in sources]
    with Run.open(default_output(sources, output), config, hook) as run:
        check_films(run.store, [one.content for one in sets])
        run.describe(
            films=[
                {"path": str(source), "content": one.content, "tracks": one.names}
                for source, one in zip(sources, sets, strict=True)
            ]
        )
        runs = run.films(sources)
        found = [_find(film, i, one) for i, (film, one) in enumerate(zip(runs, sets, strict=True))]
        backbone = cache(lambda: load_backbone(config.embed.backbone, pick_device(config.device)))
        return find_characters(run, runs, found, backbone)


_File = tuple[str, int, Callable[[], bytes]]
"""Track, frame, and what reads the picture."""


@dataclass(frozen=True)
class _Set:
    """Crops by track and frame, names of the tracks in row order, where some of them lie."""

    files: list[_File]
    names: list[str]
    known: dict[str, Listed]
    content: str


def _read_set(source: Path, shots: Path | None) -> _Set:
    files = list_crops(source)
    names = sorted({track for track, _, _ in files}, key=lambda n: (_rank(n), n))
    known = read_list(shots or list_beside(source), asked=shots is not None)
    return _Set(files, names, known, _content(files, known))


def _find(run: Run, number: int, given: _Set) -> tuple[Tracks, Crops]:
    """Bring the tracks and crops of one set into a run folder."""
    index = {name: i for i, name in enumerate(given.names)}

    def copy(work: Work) -> tuple[Crops]:
        with run.writes("crops", CROPS) as path:
            return (_copy(given.files, index, path, work.progress),)

    # The first set has the fingerprint that runs over one set have had from the beginning.
    place = [str(number)] if number else []
    (tracks,) = run.step(
        "tracks", (Tracks,), lambda work: (_tracks(given, index, number),), [given.content, *place]
    )
    (crops,) = run.step("crops", (Crops,), copy, [given.content], unit="faces", file=CROPS)
    return tracks, crops


def list_crops(source: Path) -> list[_File]:
    """List the crops of a zip file or folder in order of track and frame.

    Raises
    ------
    DataError
        When there is none, or one is misplaced or there twice.
    """
    if not source.exists():
        raise DataError(f"no such file or folder: {source}", "check the path")
    found = list(_in_folder(source) if source.is_dir() else _in_zip(source))
    if not found:
        raise DataError(f"{source} holds no crop", "expected <track>/<frame>.jpg")
    found.sort(key=lambda item: (_rank(item[0]), item[0], item[1]))
    for (track, frame, _), (*after, _) in pairwise(found):
        if [track, frame] == after:
            raise DataError(f"{source}: crop {track}/{frame} is there twice", "keep one of them")
    return found


def _in_folder(source: Path) -> Iterator[_File]:
    for path in sorted(source.glob("*/*")):
        if _is_picture(path):
            yield path.parent.name, _frame(path.stem, path), path.read_bytes


def _in_zip(source: Path) -> Iterator[_File]:
    try:
        archive = zipfile.ZipFile(source)
    except ZIP_ERRORS as error:
        raise DataError(f"{source} is not a readable zip file", "give a zip or a folder") from error

    def reader(name: str) -> Callable[[], bytes]:
        return lambda: archive.read(name)

    for name in archive.namelist():
        path = Path(name)
        if _is_picture(path):
            if len(path.parts) < 2:
                raise DataError(
                    f"{source}: {name} lies in no track", "expected <track>/<frame>.jpg"
                )
            yield path.parts[-2], _frame(path.stem, path), reader(name)


def _is_picture(path: Path) -> bool:
    # Macs add hidden companions such as ._0001.jpg.
    return path.suffix.lower() in PICTURES and not path.name.startswith(".")


def _frame(stem: str, path: Path) -> int:
    if not is_number(stem):
        raise DataError(f"{path}: {stem!r} is no frame number", "expected <track>/<frame>.jpg")
    return int(stem)


def _rank(name: str) -> int:
    return int(name) if is_number(name) else -1


def _content(files: list[_File], known: dict[str, Listed]) -> str:
    # A list that says no more than shots hashes as it always did: finished runs stay valid.
    shots = [(name, one if one.reach else one.shot) for name, one in sorted(known.items())]
    digest = hashlib.sha256(repr(shots).encode())
    for track, frame, read in files:
        digest.update(f"{track}/{frame}/".encode())
        digest.update(hashlib.sha256(_read(read, track, frame)).digest())
    return digest.hexdigest()


def _read(read: Callable[[], bytes], track: str, frame: int) -> bytes:
    try:
        return read()
    except ZIP_ERRORS as error:
        raise DataError(f"crop {track}/{frame} cannot be read: {error}") from error


def _tracks(given: _Set, index: dict[str, int], number: int) -> Tracks:
    first = np.full(len(index), np.iinfo(np.int32).max, dtype=np.int32)
    last = np.zeros(len(index), dtype=np.int32)
    for track, frame, _ in given.files:
        i = index[track]
        first[i], last[i] = min(first[i], frame), max(last[i], frame)
    tracks = tracks_table(given.names, first, last, given.known)
    return replace(tracks, film=np.full(len(index), number, dtype=np.int32))


def _copy(
    files: list[_File],
    index: dict[str, int],
    path: Path,
    progress: Callable[[int, int], None],
) -> Crops:
    rows = []
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        for done, (track, frame, read) in enumerate(files, 1):
            data = _canvas_file(_read(read, track, frame), f"{track}/{frame}")
            archive.writestr(crop_name(index[track], frame), data)
            rows.append((index[track], frame, -1, zlib.crc32(data)))
            progress(done, len(files))
    return crops_table(rows, len(index))


def _canvas_file(data: bytes, name: str) -> bytes:
    """Return a crop as a JPEG file of the canvas; one that is so already stays as it is."""
    coded = np.frombuffer(data, dtype=np.uint8)
    picture = cv2.imdecode(coded, cv2.IMREAD_COLOR) if len(data) else None
    if picture is None:
        raise DataError(f"crop {name} is not a picture")
    if picture.shape[:2] == (CANVAS, CANVAS) and data.startswith(JPEG):
        return data  # coding it once more would change its pixels
    return encode(_canvas(cv2.cvtColor(picture, cv2.COLOR_BGR2RGB), name))


def _canvas(picture: Array, name: str) -> Array:
    """Bring a picture to the canvas; a bare template gets a repeated border."""
    if picture.shape[:2] == (CANVAS, CANVAS):
        return picture
    if picture.shape[0] != picture.shape[1]:
        height, width = picture.shape[:2]
        raise DataError(f"crop {name} is {width}x{height} px", "aligned crops are square")
    if picture.shape[0] != TEMPLATE:
        picture = cv2.resize(picture, (TEMPLATE, TEMPLATE), interpolation=cv2.INTER_AREA)
    border = (MARGIN,) * 4
    return np.asarray(cv2.copyMakeBorder(picture, *border, cv2.BORDER_REPLICATE))
