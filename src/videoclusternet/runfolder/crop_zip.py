"""``crops.zip``: the cut faces of a film as JPEG files, read back in batches."""

from __future__ import annotations

import hashlib
import lzma
import struct
import zipfile
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from videoclusternet.errors import StoreError
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

    def _where(self, row: int) -> tuple[Path, str]:
        """Return the zip file that holds a crop, and its name there."""
        film = int(np.searchsorted(self._start, row, side="right")) - 1
        path, crops = self._sources[film]
        at = row - int(self._start[film])
        return path, crop_name(int(crops.track[at]), int(crops.frame[at]))

    def jpeg(self, row: int) -> bytes:
        """Return the JPEG file of a crop.

        Raises
        ------
        StoreError
            When the zip file lacks it or is damaged.
        """
        path, name = self._where(row)
        try:
            if path not in self._open:
                self._open[path] = zipfile.ZipFile(path)
            return self._open[path].read(name)
        except ZIP_ERRORS as error:
            raise StoreError(
                f"{path} is damaged: cannot read {name}", "restore it, or start a new run folder"
            ) from error

    def pixels(self, rows: Sequence[int] | Array) -> UInt8:
        """Return canvases, uint8 (n, 144, 144, 3), RGB."""
        import cv2  # who only reads a result never decodes a picture

        out = np.empty((len(rows), CANVAS, CANVAS, 3), dtype=np.uint8)
        for i, row in enumerate(rows):
            data = np.frombuffer(self.jpeg(int(row)), dtype=np.uint8)
            picture = cv2.imdecode(data, cv2.IMREAD_COLOR) if len(data) else None
            if picture is None or picture.shape != out.shape[1:]:
                path, name = self._where(int(row))
                raise StoreError(
                    f"{path} is damaged: {name} is no crop",
                    "restore it, or start a new run folder",
                )
            out[i] = cv2.cvtColor(picture, cv2.COLOR_BGR2RGB)
        return out
