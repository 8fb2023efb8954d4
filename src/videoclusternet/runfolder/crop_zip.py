"""``crops.zip``: the cut faces of a film as JPEG files, read back in batches."""

from __future__ import annotations

import base64
import hashlib
import io
import lzma
import struct
import warnings
import zipfile
import zlib
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np

from videoclusternet.errors import StoreError
from videoclusternet.runfolder.files import plain_file
from videoclusternet.types import Crops
from videoclusternet.types.arrays import Array, UInt8
from videoclusternet.types.canvas import CANVAS

CROP_ZIP = "crops.zip"
"""File of the cut faces in a run folder."""
ZIP_ERRORS = (
    OSError,
    EOFError,
    KeyError,
    ValueError,
    RuntimeError,
    struct.error,
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
)
"""What reading a damaged, encrypted or exotic zip file may raise."""


FORMATS = ("JPEG", "PNG", "BMP", "WEBP")
LARGEST = (1 << 31, 1 << 31)
"""Width and height of a picture that is too large to say."""
MOST_CROP = 1 << 20
"""Bytes of a crop in a run folder at most: a canvas as a JPEG file is far smaller."""
MOST_DIRECTORY = 64 << 20
"""Bytes of the list of a zip file: a million files; each takes ten times as much in memory."""


class CropZip:
    """A zip file of crops that is the same whenever it is written.

    Parameters
    ----------
    path : Path
    """

    def __init__(self, path: Path) -> None:
        self._archive = zipfile.ZipFile(path, "w", zipfile.ZIP_STORED)

    def add(self, name: str, data: bytes) -> None:
        """Add the file of a crop as it is."""
        # Without a date of its own an entry has the earliest that zip files know.
        self._archive.writestr(zipfile.ZipInfo(name), data)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._archive.close()


class _Bounded(io.FileIO):
    """A zip file whose list is not read when it would fill the memory."""

    def read(self, size: int | None = -1, /) -> bytes:
        if size is not None and size > MOST_DIRECTORY:
            raise zipfile.BadZipFile("the list of its files is too long")
        return super().read(size)


class _Zip(zipfile.ZipFile):
    """A zip file from elsewhere."""

    _file: _Bounded | None = None

    def __init__(self, path: Path) -> None:
        self._file = _Bounded(plain_file(path))
        try:
            super().__init__(self._file)
            if sum(info.compress_size for info in self.infolist()) > path.stat().st_size:
                # A small one would hold more than any disk.
                raise zipfile.BadZipFile("its files lie in each other")
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Close the file too."""
        super().close()
        if self._file is not None:
            self._file.close()


def open_zip(path: Path) -> zipfile.ZipFile:
    """Open a zip file from elsewhere.

    Raises
    ------
    OSError, zipfile.BadZipFile, ...
        One of :data:`ZIP_ERRORS`: when it is no plain file, its list is too long, or its files
        lie in each other.
    """
    return _Zip(path)


def read_entry(archive: zipfile.ZipFile, name: str, most: int) -> bytes:
    """Return a file of a zip file that has ``most`` bytes, whatever the list says of it.

    Raises
    ------
    KeyError, OSError, zipfile.BadZipFile, ...
        One of :data:`ZIP_ERRORS`.
    """
    info = archive.getinfo(name)
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        # The others put out as much as they like at once.
        raise zipfile.BadZipFile("packed neither plainly nor by deflate")
    if info.file_size > most:
        raise zipfile.BadZipFile(f"{info.file_size} bytes, more than {most}")
    with archive.open(info) as stream:
        data = stream.read(most + 1)
    if len(data) > most:
        raise zipfile.BadZipFile(f"more than {most} bytes")
    return data


def picture_size(data: bytes) -> tuple[int, int] | None:
    """Return width and height of a JPEG, PNG, BMP or WebP file, None where it is none.

    Only its head is read: a small file may claim any size, and decoding it takes that much.
    """
    from PIL import Image  # who only reads a result never looks at a picture

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of large sizes: the caller judges them
            with Image.open(io.BytesIO(data), formats=FORMATS) as picture:
                return picture.size
    except Image.DecompressionBombError:
        return LARGEST
    except (OSError, ValueError, SyntaxError, struct.error, EOFError, OverflowError):
        return None


def smaller(data: bytes, side: int, quality: int) -> bytes:
    """Return a crop as a JPEG file of fewer bytes; as it is where it is no crop.

    Parameters
    ----------
    data : bytes
        JPEG file of a crop.
    side : int
        Width and height of the new one, px.
    quality : int
        Of the JPEG, up to 95.
    """
    from PIL import Image

    if picture_size(data) != (CANVAS, CANVAS):
        return data
    made = io.BytesIO()
    try:
        with Image.open(io.BytesIO(data), formats=FORMATS) as picture:
            shrunk = picture.convert("RGB").resize((side, side), Image.Resampling.LANCZOS)
        shrunk.save(made, "JPEG", quality=quality, optimize=True)
    except (OSError, ValueError, SyntaxError):
        return data
    return min(data, made.getvalue(), key=len)


def decoded(data: bytes) -> UInt8 | None:
    """Return the pixels of a crop, RGB, uint8 (144, 144, 3); None where it is none."""
    import cv2  # who only reads a result never decodes a picture

    if picture_size(data) != (CANVAS, CANVAS):
        return None
    picture = cv2.imdecode(np.frombuffer(data, dtype=np.uint8), cv2.IMREAD_COLOR)
    if picture is None or picture.shape != (CANVAS, CANVAS, 3):
        return None
    return np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGR2RGB), dtype=np.uint8)


def address(jpeg: bytes) -> str:
    """Return a JPEG file as an address that holds it, for a page."""
    return f"data:image/jpeg;base64,{base64.b64encode(jpeg).decode()}"


def crop_name(track: int, frame: int) -> str:
    """Return the name of a crop inside the zip file."""
    return f"{track:05d}/{frame:07d}.jpg"


class CropPictures:
    """Reads crops back from their zip files, as many films as there are.

    Parameters
    ----------
    sources : sequence of (Path, Crops)
        Zip file and table of each film; rows count on from film to film.
    """

    def __init__(self, sources: Sequence[tuple[Path, Crops]]) -> None:
        self._sources = list(sources)
        self._start = np.cumsum([0, *(len(crops) for _, crops in sources)])
        self._open: dict[Path, zipfile.ZipFile] = {}

    def __len__(self) -> int:
        return int(self._start[-1])

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_open": {}}  # another process opens the files itself

    @property
    def digest(self) -> str:
        """Content hash: that of the tables, which hold a checksum of every picture."""
        digests = "".join(crops.digest for _, crops in self._sources)
        return hashlib.sha256(digests.encode()).hexdigest()

    def _film(self, row: int) -> tuple[int, int]:
        """Return the film of a crop, and its row there."""
        film = int(np.searchsorted(self._start, row, side="right")) - 1
        return film, row - int(self._start[film])

    def _where(self, row: int) -> tuple[Path, str]:
        """Return the zip file that holds a crop, and its name there."""
        film, at = self._film(row)
        path, crops = self._sources[film]
        return path, crop_name(int(crops.track[at]), int(crops.frame[at]))

    def jpeg(self, row: int) -> bytes:
        """Return the JPEG file of a crop.

        Raises
        ------
        StoreError
            When the zip file lacks it, is damaged, or holds another picture there than the
            run wrote.
        """
        path, name = self._where(row)
        try:
            if path not in self._open:
                self._open[path] = open_zip(path)
            data = read_entry(self._open[path], name, MOST_CROP)
        except ZIP_ERRORS as error:
            raise self._damaged(row, f"cannot read {name}") from error
        film, at = self._film(row)
        if zlib.crc32(data) != int(self._sources[film][1].checksum[at]):
            raise self._damaged(row, f"{name} is not the picture that the run wrote")
        return data

    def pixels(self, rows: Sequence[int] | Array) -> UInt8:
        """Return canvases, uint8 (n, 144, 144, 3), RGB.

        Raises
        ------
        StoreError
            As :meth:`jpeg`, and when a file is no crop.
        """
        out = np.empty((len(rows), CANVAS, CANVAS, 3), dtype=np.uint8)
        for i, row in enumerate(rows):
            canvas = decoded(self.jpeg(int(row)))
            if canvas is None:
                raise self._damaged(int(row), f"{self._where(int(row))[1]} is no crop")
            out[i] = canvas
        return out

    def _damaged(self, row: int, said: str) -> StoreError:
        path, _ = self._where(row)
        return StoreError(f"{path} is damaged: {said}", "restore it, or start a new run folder")
