"""Enter at aligned crops: a zip file or folder ``<track>/<frame>.jpg`` (section 3.3 on).

For face tracks that another program made.  A ``tracks.csv`` beside the crops may name
the shot of each track (for cannot-link pairs); its labels are never read.
"""

from __future__ import annotations

import csv
import hashlib
import zipfile
import zlib
from collections.abc import Callable, Iterator
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from videoclusternet.casting import check_choice
from videoclusternet.config import Config
from videoclusternet.crops import ZIP_ERRORS, CropPictures, crop_name, crops_table, encode
from videoclusternet.errors import DataError
from videoclusternet.events import Hook, silent
from videoclusternet.learning import write_learning
from videoclusternet.models.face_model import CANVAS, MARGIN
from videoclusternet.models.load import load_backbone, pick_device
from videoclusternet.pipeline import describe_tracks, name_cast
from videoclusternet.report import write_report
from videoclusternet.results import CROPS, Result, open_run
from videoclusternet.run import Run, Work, check_films
from videoclusternet.types import Crops, Tracks

Array = NDArray[Any]
PICTURES = (".jpg", ".jpeg", ".png")
TEMPLATE = CANVAS - 2 * MARGIN
DIGITS = 9
"""Longest number of a track or frame; int32 holds it."""
EVERY = 12
"""Frames that a crop stands for: half a second at 24 fps [P]."""


def cluster_tracks(
    crops: Path | str,
    output: Path | str | None = None,
    config: Config | None = None,
    hook: Hook = silent,
    shots: Path | str | None = None,
) -> Result:
    """Group given face tracks into characters.

    Parameters
    ----------
    crops : path
        Zip file or folder with ``<track>/<frame>.jpg``: crops of 112 x 112 px aligned to
        the ArcFace template, or of 144 x 144 px with its margin.
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
    source = Path(crops)
    files = _files(source)
    names = sorted({track for track, _, _ in files}, key=lambda n: (_rank(n), n))
    index = {name: i for i, name in enumerate(names)}
    shot_of = _shots(Path(shots) if shots else _beside(source), asked=bool(shots))
    content = _content(files, shot_of)
    folder = Path(output) if output is not None else Path(f"{source.stem}.vcn")
    with Run.open(folder, config, hook) as run:
        check_films(run.store, [content])
        run.describe(films=[{"path": str(source), "content": content, "tracks": names}])

        def tracks_of(work: Work) -> tuple[Tracks]:
            return (_tracks(files, index, names, shot_of),)

        def copy(work: Work) -> tuple[Crops]:
            with run.writes("crops", CROPS) as path:
                return (_copy(files, index, path, work.progress),)

        (tracks,) = run.step("tracks", (Tracks,), tracks_of, [content])
        (table,) = run.step("crops", (Crops,), copy, [content], unit="faces", file=CROPS)
        backbone = cache(lambda: load_backbone(config.embed.backbone, pick_device(config.device)))
        embeddings = describe_tracks(run, tracks, table, backbone)
        pictures = CropPictures([(run.folder / CROPS, table)])
        name_cast(run, tracks, embeddings, pictures, backbone)
        write_learning(run.folder)
        result = open_run(run.folder)
        write_report(result)
    return result


_File = tuple[str, int, Callable[[], bytes]]


def _files(source: Path) -> list[_File]:
    """List (track, frame, reader) in order of track and frame."""
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


def _is_number(text: str) -> bool:
    return text.isdecimal() and len(text) <= DIGITS


def _frame(stem: str, path: Path) -> int:
    if not _is_number(stem):
        raise DataError(f"{path}: {stem!r} is no frame number", "expected <track>/<frame>.jpg")
    return int(stem)


def _rank(name: str) -> int:
    return int(name) if _is_number(name) else -1


def _beside(source: Path) -> Path | None:
    folder = source if source.is_dir() else source.parent
    for name in (f"{source.stem}_tracks.csv", "tracks.csv"):
        if (folder / name).is_file():
            return folder / name
    return None


def _shots(path: Path | None, asked: bool) -> dict[str, int]:
    """Read the shot of each track; the label column is not looked at."""
    if path is None:
        return {}
    try:
        with path.open(newline="", encoding="utf-8-sig") as stream:
            reader = csv.DictReader(stream)
            if not {"track_id", "shot"} <= set(reader.fieldnames or ()):
                if asked:
                    raise ValueError("it lacks the columns track_id and shot")
                return {}
            return {_plain(row["track_id"]): _shot(row["shot"]) for row in reader}
    except (OSError, ValueError, TypeError, AttributeError, csv.Error) as error:
        raise DataError(f"{path} is not a list of tracks and shots: {error}") from error


def _shot(text: str) -> int:
    if not _is_number(text.strip()):
        raise ValueError(f"{text!r} is no shot number")
    return int(text)


def _plain(name: str) -> str:
    return str(int(name)) if _is_number(name) else name


def _content(files: list[_File], shot_of: dict[str, int]) -> str:
    digest = hashlib.sha256(repr(sorted(shot_of.items())).encode())
    for track, frame, read in files:
        digest.update(f"{track}/{frame}/".encode())
        digest.update(hashlib.sha256(_read(read, track, frame)).digest())
    return digest.hexdigest()


def _read(read: Callable[[], bytes], track: str, frame: int) -> bytes:
    try:
        return read()
    except ZIP_ERRORS as error:
        raise DataError(f"crop {track}/{frame} cannot be read: {error}") from error


def _tracks(
    files: list[_File], index: dict[str, int], names: list[str], shot_of: dict[str, int]
) -> Tracks:
    first = np.full(len(names), np.iinfo(np.int32).max, dtype=np.int32)
    last = np.zeros(len(names), dtype=np.int32)
    for track, frame, _ in files:
        i = index[track]
        first[i], last[i] = min(first[i], frame), max(last[i], frame + EVERY - 1)
    # Without a list of shots every track is a shot of its own: no pair is excluded.
    alone = max(shot_of.values(), default=-1) + 1
    shot = [shot_of.get(_plain(name), alone + i) for i, name in enumerate(names)]
    return Tracks(
        film=np.zeros(len(names), dtype=np.int32),
        shot=np.array(shot, dtype=np.int32),
        first=first,
        last=last,
        start=np.zeros(len(names) + 1, dtype=np.int64),
        face=np.empty(0, dtype=np.int32),
        flaw=np.zeros(len(names), dtype=np.uint8),
    )


def _copy(
    files: list[_File],
    index: dict[str, int],
    path: Path,
    progress: Callable[[int, int], None],
) -> Crops:
    rows = []
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        for done, (track, frame, read) in enumerate(files, 1):
            data = encode(_canvas(_read(read, track, frame), f"{track}/{frame}"))
            archive.writestr(crop_name(index[track], frame), data)
            rows.append((index[track], frame, -1, zlib.crc32(data)))
            progress(done, len(files))
    return crops_table(rows, len(index))


def _canvas(data: bytes, name: str) -> Array:
    """Decode a crop and bring it to the canvas; a bare template gets a repeated border."""
    coded = np.frombuffer(data, dtype=np.uint8)
    picture = cv2.imdecode(coded, cv2.IMREAD_COLOR) if len(data) else None
    if picture is None:
        raise DataError(f"crop {name} is not a picture")
    picture = cv2.cvtColor(picture, cv2.COLOR_BGR2RGB)
    if picture.shape[:2] == (CANVAS, CANVAS):
        return np.asarray(picture)
    if picture.shape[0] != picture.shape[1]:
        height, width = picture.shape[:2]
        raise DataError(f"crop {name} is {width}x{height} px", "aligned crops are square")
    if picture.shape[0] != TEMPLATE:
        picture = cv2.resize(picture, (TEMPLATE, TEMPLATE), interpolation=cv2.INTER_AREA)
    border = (MARGIN,) * 4
    return np.asarray(cv2.copyMakeBorder(picture, *border, cv2.BORDER_REPLICATE))
