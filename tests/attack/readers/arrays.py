"""Strange arrays: npy files as no one saves them, zip bombs of them, MATLAB files that grow."""

from __future__ import annotations

import io
import pickle
import struct
import zipfile
import zlib
from typing import Any

import numpy as np

from tests.attack.runs.zips import GIB, bomb, zeros

LOADED = "VCN_ATTACK_LOADED"
"""A variable of the environment: set where a pickle was run."""


class Leaves:
    """A pickle that leaves a trace which this process can see."""

    def __reduce__(self) -> Any:
        return exec, (f"import os; os.environ[{LOADED!r}] = '1'",)


PICKLE = pickle.dumps([Leaves()])


def npy(array: Any) -> bytes:
    """Return an array as NumPy saves it, pickles too."""
    out = io.BytesIO()
    np.save(out, array, allow_pickle=True)
    return out.getvalue()


def claimed(descr: str, shape: str, body: bytes = b"", version: int = 1, more: str = "") -> bytes:
    """Return an npy file whose head says anything."""
    head = f"{{'descr': {descr}, 'fortran_order': False, 'shape': {shape}{more}, }}".encode()
    size = struct.pack("<H" if version == 1 else "<I", len(head))
    return b"\x93NUMPY" + bytes([version, 0]) + size + head + body


ARRAYS: dict[str, bytes] = {
    "objects": npy(np.array([Leaves()], dtype=object)),
    "objects that say floats": claimed("'<f4'", "(2, 2)", PICKLE),
    "objects by head": claimed("'|O'", "(1,)", PICKLE),
    "objects inside": claimed("[('a', '|O')]", "(1,)", PICKLE),
    "a pickle": PICKLE,
    "structured": npy(np.zeros(4, dtype=[("a", "f4"), ("b", "i8", (2, 2))])),
    "complex": npy(np.zeros((4, 2), dtype=complex)),
    "times": npy(np.zeros(4, dtype="<M8[s]")),
    "spans": npy(np.zeros((4, 2), dtype="<m8[ns]")),
    "texts": npy(np.array(["a", "b\0", "\u202e"])),
    "lone surrogate": claimed("'<U1'", "()", struct.pack("<I", 0xD800)),
    "no character": claimed("'<U1'", "()", struct.pack("<I", 0xFFFFFFFF)),
    "bytes": npy(np.array([b"a", b"\xff"])),
    "void": npy(np.zeros(4, dtype="V7")),
    "truth": npy(np.zeros((4, 2), dtype=bool)),
    "half": npy(np.ones((4, 2), dtype=np.float16)),
    "long": npy(np.ones((4, 2), dtype=np.longdouble)),
    "big endian": npy(np.ones((4, 2), dtype=">f4")),
    "large": npy(np.full((4, 2), 1e300)),
    "not finite": npy(np.array([[np.nan, 1], [np.inf, 1]], dtype="f4")),
    "no axis": npy(np.float32(1)),
    "no row": npy(np.zeros((0, 4), dtype="f4")),
    "no column": npy(np.zeros((4, 0), dtype="f4")),
    "no row of many": claimed("'<f4'", f"(0, {2**62})"),
    "32 axes": npy(np.zeros((1,) * 32, dtype="f4")),
    "100 axes": claimed("'<f4'", str((1,) * 100), bytes(4)),
    "by columns": npy(np.asfortranarray(np.ones((4, 2), dtype="f4"))),
    "2^64": npy(np.full(4, 2**64 - 1, dtype="u8")),
    "-2^63": npy(np.full(4, -(2**63), dtype="i8")),
    "8 GiB by head": claimed("'<f4'", "(2147483648,)", bytes(64)),
    "10^18 by head": claimed("'<f8'", f"({10**9}, {10**9})", bytes(64)),
    "10^400 by head": claimed("'<f8'", f"({10**400},)", bytes(64)),
    "less than none": claimed("'<f4'", "(-1, 4)", bytes(64)),
    "half a row": claimed("'<f4'", "(1.5,)", bytes(64)),
    "True rows": claimed("'<f4'", "(True, 4)", bytes(16)),
    "a list of shape": claimed("'<f4'", "[4]", bytes(16)),
    "no shape": claimed("'<f4'", "None", bytes(16)),
    "wide bytes": claimed("'|S2147483647'", "(4,)", bytes(64)),
    "wide of none": claimed("'|S2147483647'", "(0,)"),
    "no width": claimed("'|V0'", "(1000000000000,)"),
    "unknown type": claimed("'<q9'", "(4,)", bytes(64)),
    "a type that is none": claimed("None", "(4,)", bytes(64)),
    "comma type": claimed("'f4,' * 1", "(4,)", bytes(64)),
    "nested type": claimed("[('a', '<f4', (1000000, 1000000))]", "(1,)", bytes(64)),
    "brackets": claimed("'<f4'", "(" * 4000 + ")" * 4000),
    "signs": claimed("'<f4'", "(" + "-" * 9000 + "1,)"),
    "sums": claimed("'<f4'", "(" + "1+" * 3000 + "1j,)"),
    "a call": claimed("'<f4'", "(__import__('os').getpid(),)"),
    "another key": claimed("'<f4'", "(4,)", bytes(16), more=", 'x': 1"),
    "unhashable": claimed("'<f4'", "(4,)", bytes(16), more=", []: 1"),
    "long head": claimed("'<f4'", "(4,)", bytes(16), 2, more=" " * 200_000),
    "a NUL in the head": claimed("'<f4'", "(4,\0)", bytes(16)),
    "version 3": claimed("'<f4'", "(4,)", bytes(16), 3),
    "version 9": claimed("'<f4'", "(4,)", bytes(16), 9),
    "only magic": b"\x93NUMPY",
    "empty": b"",
    "a date without unit": claimed("'<M8'", "(4,)", bytes(32)),
    "bytes behind": npy(np.ones((4, 2), dtype="f4")) + bytes(100),
}
"""Files of one array by what is odd in them."""


def npz(**members: bytes) -> bytes:
    """Return a zip file of npy files."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, data in members.items():
            archive.writestr(zipfile.ZipInfo(f"{name}.npy"), data)
    return out.getvalue()


def strange_npz(**clean: bytes) -> dict[str, bytes]:
    """Return npz files with each strange array in place of each of theirs, and bombs."""
    found = {
        f"{key} {name}": npz(**{**clean, key: data})
        for key in clean
        for name, data in ARRAYS.items()
    }
    for key in clean:
        found[f"{key} 3 GiB"] = bomb(zeros(3), 3 * GIB, name=f"{key}.npy")
    head = claimed("'<f4'", f"({3 * GIB // 4096}, 1024)")
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    grown = packer.compress(head) + packer.flush(zlib.Z_FULL_FLUSH) + zeros(3)
    found["3 GiB of a right head"] = bomb(grown, 3 * GIB + len(head), name="features.npy")
    found["3 GiB that say 9,000"] = bomb(grown, 9000, name="features.npy")
    found["not an npz"] = next(iter(clean.values()))
    return found


def element(kind: int, data: bytes) -> bytes:
    """Return an element of a MATLAB file of version 5."""
    return struct.pack("<2I", kind, len(data)) + data + bytes(-len(data) % 8)


def matrix(name: bytes, klass: int, dims: tuple[int, ...], body: bytes, flags: int = 0) -> bytes:
    """Return a matrix of a MATLAB file: its class, sides and elements as they are."""
    head = element(6, struct.pack("<2I", klass | flags << 8, 0))
    sides = element(5, struct.pack(f"<{len(dims)}i", *dims))
    return element(14, head + sides + element(1, name) + body)


def mat(*elements: bytes, version: bytes = b"\0\1IM") -> bytes:
    """Return a MATLAB file of version 5."""
    return b"MATLAB 5.0".ljust(124) + version + b"".join(elements)


def packed(data: bytes) -> bytes:
    """Return an element as it is compressed; without filling, as MATLAB writes it."""
    body = zlib.compress(data)
    return struct.pack("<2I", 15, len(body)) + body


def _grown() -> bytes:
    body = b"\x78\x9c" + zeros(3)
    return struct.pack("<2I", 15, len(body)) + body


def _grown_matrix() -> bytes:
    rows = 3 * GIB // 8192
    head = element(6, struct.pack("<2I", 6, 0)) + element(5, struct.pack("<2i", rows, 1024))
    start = head + element(1, b"features") + struct.pack("<2I", 9, 3 * GIB)
    packer = zlib.compressobj(9)
    body = packer.compress(struct.pack("<2I", 14, 3 * GIB + len(start)) + start)
    body += packer.flush(zlib.Z_FULL_FLUSH) + zeros(3)
    return struct.pack("<2I", 15, len(body)) + body


def strange_mat() -> dict[str, bytes]:
    """Return MATLAB files that hold or claim something odd."""
    ones = element(9, struct.pack("<4d", 1, 1, 1, 1))
    nested = element(1, b"")
    for _ in range(20_000):
        nested = struct.pack("<2I", 14, len(nested)) + nested
    deep = matrix(b"x", 6, (2, 2), ones)
    for _ in range(2_000):
        deep = matrix(b"features", 1, (1, 1), deep)
    return {
        "3 GiB": mat(_grown()),
        "3 GiB of a right head": mat(_grown_matrix()),
        "cells of 10^9": mat(matrix(b"features", 1, (10**9, 1), b"")),
        "cells of 2^62": mat(matrix(b"features", 1, (2**31 - 1, 2**31 - 1), b"")),
        "cells in cells": mat(deep),
        "elements in elements": mat(nested),
        "structure of 10^9": mat(
            matrix(b"features", 2, (10**9, 1), element(5, struct.pack("<i", 8)) + element(1, b"a"))
        ),
        "structure of long names": mat(
            matrix(b"features", 2, (1, 1), element(5, struct.pack("<i", 2**31 - 1)))
        ),
        "sides less than none": mat(matrix(b"features", 6, (-2, 2), ones)),
        "sides too large": mat(matrix(b"features", 6, (2**31 - 1, 2**31 - 1), ones)),
        "text of 10^9": mat(matrix(b"features", 4, (10**9, 1), element(4, b"ab"))),
        "text": mat(matrix(b"features", 4, (1, 2), element(4, b"a\0\0\xd8"))),
        "model of a lone surrogate": mat(matrix(b"model", 4, (1, 1), element(4, b"\0\xd8"))),
        "model of floats": mat(matrix(b"model", 6, (2, 2), ones)),
        "sparse": mat(
            matrix(b"features", 5, (2, 2), element(5, bytes(8)) + element(5, bytes(12)) + ones)
        ),
        "sparse of 10^9": mat(matrix(b"features", 5, (10**9, 10**9), element(5, bytes(8)) * 2)),
        "complex": mat(matrix(b"features", 6, (2, 2), ones + ones, 8)),
        "a function": mat(matrix(b"features", 16, (1, 1), deep[:200])),
        "opaque": mat(matrix(b"features", 17, (1, 1), element(1, b"MCOS") * 3)),
        "an object": mat(matrix(b"features", 3, (1, 1), element(1, b"a") * 3)),
        "unknown class": mat(matrix(b"features", 99, (2, 2), ones)),
        "unknown values": mat(matrix(b"features", 6, (2, 2), element(99, bytes(32)))),
        "32 axes": mat(matrix(b"features", 6, (1,) * 33, ones)),
        "no element": mat(),
        "longer than the file": mat(struct.pack("<2I", 14, 2**32 - 1)),
        "compressed longer than the file": mat(struct.pack("<2I", 15, 2**32 - 1)),
        "compressed noise": mat(struct.pack("<2I", 15, 8) + b"\xff" * 8),
        "compressed nothing": mat(packed(b"")),
        "version 7.3": mat(version=b"\0\2IM"),
        "version 9": mat(version=b"\0\x09IM"),
        "version 4": struct.pack("<5I", 0, 2**31 - 1, 2**31 - 1, 0, 9) + b"features\0",
        "version 4, text": struct.pack("<5I", 51, 1, 2**31 - 1, 0, 6) + b"model\0",
        "version 4, sparse": struct.pack("<5I", 2, 3, 3, 0, 2) + b"x\0" + bytes(72),
        "of no version": bytes(128),
        "a pickle": PICKLE,
        "empty": b"",
    }
