"""NumPy's files from elsewhere: plain arrays only, no larger in memory than their file allows.

NumPy itself believes the head of a file: it makes room for what a few bytes claim to be, and
unpacks whatever a small zip file grows to.
"""

from __future__ import annotations

import io
import math
import tokenize
import warnings
from pathlib import Path

import numpy as np

from videoclusternet.errors import DataError
from videoclusternet.outside.files import read_bytes, said
from videoclusternet.runfolder.crop_zip import ZIP_ERRORS, open_zip, read_entry
from videoclusternet.types.arrays import Array

ADVICE = "see docs/formats.md for the arrays that it must hold"
LEAST_ROOM = 256 << 20
"""Bytes that any file may take in memory."""
GROWTH = 20
"""How many times its size a larger file may take: features hardly shrink when they are packed."""
HEADS = {
    (1, 0): np.lib.format.read_array_header_1_0,
    (2, 0): np.lib.format.read_array_header_2_0,
}
"""Readers of the head by version; version 3 is for names of columns, which plain arrays lack."""


class _Objects(ValueError):
    """An array of Python objects, which is a pickle."""


def room_for(path: Path) -> int:
    """Return how many bytes the content of a file may take in memory.

    Raises
    ------
    OSError
        When it is missing.
    """
    return max(LEAST_ROOM, GROWTH * path.stat().st_size)


def read_npz(path: Path) -> dict[str, Array]:
    """Read the arrays of an npz file by name.

    Raises
    ------
    DataError
        When it cannot be read, is larger than it looks, or holds Python objects: those are never
        built.
    """
    try:
        with open_zip(path) as archive:
            found: dict[str, Array] = {}
            room = room_for(path)
            for name in archive.namelist():
                data = read_entry(archive, name, room)
                found[name.removesuffix(".npy")] = _array(data)
                room -= len(data)
            return found
    except _Objects:
        raise DataError(
            f"{path} holds Python objects (a pickle), which are never loaded",
            "save it again as plain arrays: np.savez(NAME, features=..., track=...)",
        ) from None
    except OSError as error:
        raise DataError(f"cannot read {path}: {said(error)}", "check the path") from error
    except ZIP_ERRORS as error:
        raise DataError(f"{path} is no npz file: {error}", ADVICE) from error


def read_npy(path: Path) -> Array:
    """Read one array.

    Raises
    ------
    DataError
        When it cannot be read, or holds Python objects.
    """
    data = read_bytes(path, DataError)
    try:
        return _array(data)
    except ValueError as error:
        raise DataError(f"{path} is no plain npy file: {error}", ADVICE) from error


def _array(data: bytes) -> Array:
    """Return the array of an npy file.

    Raises
    ------
    ValueError
        When it is none, holds Python objects, or less than its head says.
    """
    stream = io.BytesIO(data)
    version = np.lib.format.read_magic(stream)
    if version not in HEADS:
        raise ValueError(f"npy files of version {version[0]} are not read")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of files as old as Python 2
            shape, by_columns, dtype = HEADS[version](stream)
    except (
        SyntaxError,
        tokenize.TokenError,
        TypeError,
        RecursionError,
        MemoryError,
        OverflowError,
    ) as error:  # the head is read as a piece of Python
        raise ValueError("its head is damaged") from error
    if dtype.hasobject:
        raise _Objects("it holds Python objects (a pickle)")
    at, count = stream.tell(), math.prod(shape)
    if (
        not all(type(side) is int and side >= 0 for side in shape)
        or not 0 <= count * dtype.itemsize <= len(data) - at
    ):
        raise ValueError(f"it holds less than its head says, {dtype} of shape {shape}")
    if not dtype.itemsize or not count:
        return np.empty(0, dtype)  # whatever its sides are: there is nothing in it
    flat = np.frombuffer(data, dtype, count, at)
    return flat.reshape(shape, order="F" if by_columns else "C")
