"""MATLAB files (versions 4 to 7): their tables of numbers and texts, and nothing else of them.

SciPy reads far more of them, but ends the whole program over some damaged files and believes
whatever size they claim.  Cells, structures, objects and sparse tables are passed over.
"""

from __future__ import annotations

import math
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from videoclusternet.errors import DataError
from videoclusternet.outside.files import read_bytes
from videoclusternet.sources.array_files import room_for
from videoclusternet.types.arrays import Array

HEAD = 128
"""Bytes before the first element; the last two say the order of bytes, those before the version."""
ORDERS = {b"IM": "<", b"MI": ">"}
MATRIX, PACKED = 14, 15
"""Kinds of elements: a variable, and one that is packed by zlib."""
VALUES = {
    **{1: "i1", 2: "u1", 3: "i2", 4: "u2", 5: "i4", 6: "u4", 7: "f4", 9: "f8", 12: "i8", 13: "u8"},
    **{16: "u1", 17: "u2", 18: "u4"},
}
"""Kinds of elements that hold values; the last three are letters."""
CLASSES = {
    **{6: "f8", 7: "f4", 8: "i1", 9: "u1", 10: "i2", 11: "u2", 12: "i4", 13: "u4", 14: "i8"},
    15: "u8",
}
"""Classes of variables that are numbers, and what their values become."""
TEXT = 4
"""The class of texts."""
COMPLEX = 8
"""Of the flags of a variable."""
LETTERS = {"u1": "utf-8", "u2": "utf-16", "u4": "utf-32"}
OLD = ("f8", "f4", "i4", "i2", "u2", "u1")
"""Values in files of version 4."""
ADVICE = "save it anew with -v7"


def read_mat(path: Path) -> dict[str, Array]:
    """Read the tables of numbers (float, int) and the texts (str, shape ()) of a MATLAB file.

    Raises
    ------
    DataError
        When it cannot be read, is damaged, far larger than its file, or of version 7.3.
    """
    data = read_bytes(path, DataError)
    if data[HEAD - 4 : HEAD] in (b"\0\2IM", b"\2\0MI") or data.startswith(b"\x89HDF"):
        raise DataError(f"{path} is a MATLAB file of version 7.3", "save it with -v7")
    order = ORDERS.get(data[HEAD - 2 : HEAD])
    try:
        if order is not None:
            return dict(_variables(data[HEAD:], order, room_for(path)))
        return dict(_old_variables(data))
    except (ValueError, struct.error, zlib.error, OSError) as error:
        raise DataError(f"{path} is no MATLAB file: {error}", ADVICE) from error


def _variables(data: bytes, order: str, room: int) -> Iterator[tuple[str, Array]]:
    """Yield name and content of what can be read, taking ``room`` bytes in memory at most."""
    at = 0
    while at < len(data):
        kind, size = struct.unpack_from(f"{order}2I", data, at)
        at += 8
        if size > len(data) - at:
            raise ValueError("it is cut off")
        body, at = data[at : at + size], at + size
        if kind == PACKED:
            body = zlib.decompressobj().decompress(body, room)
            kind, size = struct.unpack_from(f"{order}2I", body)
            if size > len(body) - 8:
                raise ValueError("it is damaged, or far larger than its file")
            body = body[8 : 8 + size]
            room -= len(body)
        if kind == MATRIX:
            yield from _variable(body, order)


def _variable(body: bytes, order: str) -> Iterator[tuple[str, Array]]:
    parts = _elements(body, order)
    flags = np.frombuffer(next(parts, (0, b""))[1][:4], f"{order}u4")
    kind, sides = next(parts, (0, b""))
    if not len(flags) or VALUES.get(kind) != "i4":
        return  # an object: it begins otherwise
    name = next(parts, (0, b""))[1].decode("ascii", "replace")
    klass, shape = int(flags[0]) & 0xFF, tuple(np.frombuffer(sides, f"{order}i4").tolist())
    if klass not in CLASSES and klass != TEXT:
        return
    found = list(parts)
    if int(flags[0]) >> 8 & COMPLEX or len(found) != 1:
        raise ValueError(f"{name} is complex or damaged")
    kind, values = found[0]
    if kind not in VALUES:
        raise ValueError(f"{name} holds values of an unknown kind")
    dtype = VALUES[kind]
    if klass == TEXT:
        yield name, np.array(values.decode(f"{LETTERS.get(dtype, 'utf-8')}{_ending(dtype, order)}"))
        return
    flat = np.frombuffer(values, f"{order}{dtype}").astype(CLASSES[klass])
    yield name, _shaped(flat, shape, name)


def _ending(dtype: str, order: str) -> str:
    """Return the end of the name of a coding of letters of several bytes."""
    return "" if dtype not in ("u2", "u4") else "-le" if order == "<" else "-be"


def _elements(data: bytes, order: str) -> Iterator[tuple[int, bytes]]:
    """Yield kind and bytes of the elements of a variable."""
    at = 0
    while at + 8 <= len(data):
        kind, size = struct.unpack_from(f"{order}2I", data, at)
        if kind >> 16:  # a short one: size and bytes in the same eight
            kind, size = kind & 0xFFFF, kind >> 16
            start, step = at + 4, 8
        else:
            start, step = at + 8, 8 + size + -size % 8
        if size > len(data) - start or (step == 8 and size > 4):
            raise ValueError("it is cut off")
        yield kind, data[start : start + size]
        at += step


def _shaped(flat: Array, shape: tuple[int, ...], name: str) -> Array:
    """Give values, column by column, their shape."""
    if min(shape, default=-1) < 0 or math.prod(shape) != len(flat):
        raise ValueError(f"{name} has {len(flat)} values, not those of {shape}")
    return flat.reshape(shape, order="F")


def _old_variables(data: bytes) -> Iterator[tuple[str, Array]]:
    """Yield name and content of what a file of version 4 holds."""
    at = 0
    while at < len(data):
        order = "<" if int.from_bytes(data[at : at + 4], "little") < 5000 else ">"
        kind, rows, columns, complexes, length = struct.unpack_from(f"{order}5I", data, at)
        kind %= 1000  # above it is the order of bytes
        if kind // 10 >= len(OLD) or kind % 10 > 2 or complexes > 1:
            raise ValueError("it is none, or damaged")
        dtype = np.dtype(f"{order}{OLD[kind // 10]}")
        size = rows * columns * dtype.itemsize * (1 + complexes)
        start = at + 20 + length
        if start + size > len(data) or not length:
            raise ValueError("it is cut off")
        name = data[at + 20 : start].rstrip(b"\0").decode("ascii", "replace")
        at = start + size
        if complexes or kind % 10 == 2:  # sparse
            continue
        flat = np.frombuffer(data, dtype, rows * columns, start)
        if kind % 10 == 1:
            letters = bytes(int(n) & 0x7F for n in flat[:100])
            yield name, np.array(letters.decode("ascii"))
        else:
            yield name, _shaped(flat.astype(dtype.newbyteorder("=")), (rows, columns), name)
