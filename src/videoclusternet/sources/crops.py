"""Enter at aligned crops: a zip file or folder ``<track>/<frame>.jpg`` (section 3.3 on).

For face tracks that another program made.  A ``tracks.csv`` beside the crops may name
the shot of each track (for cannot-link pairs); its labels are never read.
"""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np

from videoclusternet.engine.work import Work
from videoclusternet.errors import DataError
from videoclusternet.film.crops import crops_table, encode
from videoclusternet.models.load import LazyDetector
from videoclusternet.outside.files import exists, is_folder
from videoclusternet.runfolder.crop_zip import (
    CROP_ZIP,
    MOST_CROP,
    ZIP_ERRORS,
    CropZip,
    crop_name,
    open_zip,
    picture_size,
    read_entry,
)
from videoclusternet.runfolder.files import plain_file
from videoclusternet.runfolder.steps import Run, Step
from videoclusternet.sources.source import Brought, ModelKind
from videoclusternet.sources.track_list import (
    Listed,
    is_number,
    list_beside,
    read_list,
    tracks_table,
)
from videoclusternet.types import Crops, Tracks
from videoclusternet.types.arrays import Array
from videoclusternet.types.canvas import CANVAS, MARGIN
from videoclusternet.types.clock import Tags

PICTURES = (".jpg", ".jpeg", ".png")
TEMPLATE = CANVAS - 2 * MARGIN
MOST_SIDE = 4096
"""Width and height of a given crop at most, px: a face fills it."""
MOST_BYTES = 64 << 20
"""Size of its file at most."""
JPEG = b"\xff\xd8\xff"
"""How JPEG files begin."""
_File = tuple[str, int, Callable[[], bytes]]
"""Track, frame, and what reads the picture."""


@dataclass(frozen=True)
class CropSource:
    """Aligned crops by track and frame, and where some of the tracks lie.

    Attributes
    ----------
    path : str
    files : tuple
        Track, frame, and what reads the picture, in that order.
    listed : mapping
        Of :func:`videoclusternet.sources.track_list.read_list`.
    content : str
        Hash of all pictures and the list.
    """

    path: str
    files: tuple[_File, ...]
    listed: Mapping[str, Listed]
    content: str
    needs: tuple[ModelKind, ...] = ("backbone",)
    tags: Tags = field(default_factory=Tags)

    @classmethod
    def open(cls, source: Path, shots: Path | None = None) -> CropSource:
        """List crops, and read the list of tracks.

        Parameters
        ----------
        source : Path
            Zip file or folder with ``<track>/<frame>.jpg``.
        shots : Path, optional
            CSV file with ``track_id`` and ``shot``; by default the one beside the crops.

        Raises
        ------
        DataError
            When the crops or the CSV file are malformed.
        """
        files = list_crops(source)
        known = read_list(shots or list_beside(source), asked=shots is not None)
        return cls(str(source), tuple(files), known, _content(files, known))

    @property
    def digest(self) -> str:
        """Its content."""
        return self.content

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Names of the tracks, numbers by their value."""
        return tuple(sorted({track for track, _, _ in self.files}, key=lambda n: (_rank(n), n)))

    def bring(self, run: Run, number: int, detector: LazyDetector) -> Brought:
        """Bring the tracks and crops into a run folder."""
        tracks = run.do(TRACKS, self, number)
        return Brought(tracks, run.do(CROPS, self))


def _tracks(given: CropSource, number: int) -> Tracks:
    index = {name: i for i, name in enumerate(given.names)}
    first = np.full(len(index), np.iinfo(np.int32).max, dtype=np.int32)
    last = np.zeros(len(index), dtype=np.int32)
    for track, frame, _ in given.files:
        i = index[track]
        first[i], last[i] = min(first[i], frame), max(last[i], frame)
    tracks = tracks_table(given.names, first, last, given.listed)
    return replace(tracks, film=np.full(len(index), number, dtype=np.int32))


def _copy(given: CropSource, work: Work) -> Crops:
    """Copy the pictures into the zip file of the run, each as a canvas."""
    assert work.file is not None
    index = {name: i for i, name in enumerate(given.names)}
    rows = []
    with CropZip(work.file) as archive:
        for done, (track, frame, read) in enumerate(given.files, 1):
            data = _canvas_file(_read(read, track, frame), f"{track}/{frame}")
            archive.add(crop_name(index[track], frame), data)
            rows.append((index[track], frame, -1, zlib.crc32(data)))
            work.progress(done, len(given.files))
    return crops_table(rows, len(index))


TRACKS = Step("tracks", _tracks, (Tracks,))
CROPS = Step("crops", _copy, (Crops,), unit="faces", file=CROP_ZIP)


def list_crops(source: Path) -> list[_File]:
    """List the crops of a zip file or folder in order of track and frame.

    Raises
    ------
    DataError
        When there is none, or one is misplaced or there twice.
    """
    if not exists(source):
        raise DataError(f"no such file or folder: {source}", "check the path")
    found = list(_in_folder(source) if is_folder(source) else _in_zip(source))
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
            yield path.parent.name, _frame(path.stem, path), partial(_of_file, path)


def _of_file(path: Path) -> bytes:
    return plain_file(path, MOST_BYTES).read_bytes()


def _in_zip(source: Path) -> Iterator[_File]:
    try:
        archive = open_zip(source)
    except ZIP_ERRORS as error:
        said = f"{source} is not a readable zip file: {error}"
        raise DataError(said, "give a zip or a folder") from error
    for name in archive.namelist():
        path = Path(name)
        if _is_picture(path):
            if len(path.parts) < 2:
                raise DataError(
                    f"{source}: {name} lies in no track", "expected <track>/<frame>.jpg"
                )
            yield (
                path.parts[-2],
                _frame(path.stem, path),
                partial(read_entry, archive, name, MOST_BYTES),
            )


def _is_picture(path: Path) -> bool:
    # Macs add hidden companions such as ._0001.jpg.
    return path.suffix.lower() in PICTURES and not path.name.startswith(".")


def _frame(stem: str, path: Path) -> int:
    if not is_number(stem):
        raise DataError(f"{path}: {stem!r} is no frame number", "expected <track>/<frame>.jpg")
    return int(stem)


def _rank(name: str) -> int:
    return int(name) if is_number(name) else -1


def _content(files: Sequence[_File], known: Mapping[str, Listed]) -> str:
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


def _canvas_file(data: bytes, name: str) -> bytes:
    """Return a crop as a JPEG file of the canvas; one that is so already stays as it is."""
    size = picture_size(data)
    if size is not None and max(size) > MOST_SIDE:
        width, height = size
        raise DataError(f"crop {name} is {width}x{height} px", f"give at most {MOST_SIDE} a side")
    coded = np.frombuffer(data, dtype=np.uint8)
    picture = None if size is None else cv2.imdecode(coded, cv2.IMREAD_COLOR)
    if picture is None:
        raise DataError(f"crop {name} is not a picture", "give JPEG or PNG files")
    fits = len(data) <= MOST_CROP and picture.shape[:2] == (CANVAS, CANVAS)
    if fits and data.startswith(JPEG):
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
