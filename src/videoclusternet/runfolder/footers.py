"""The footer of a Parquet file, which says all of its columns, guarded by a hash before it.

Arrow ends the whole program over some damaged footers: no exception can be caught then.  What
lies between the last page and the footer is passed over by every reader, so a hash has its place
there.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

MARK = b"vcn:sha256:"
SIZE = len(MARK) + hashlib.sha256().digest_size
END = 8
"""Bytes behind the footer: its length, and ``PAR1``."""


def guard(path: Path) -> None:
    """Put the hash of its footer into a file that was just written.

    Raises
    ------
    OSError
        When it cannot be written.
    """
    with path.open("r+b") as stream:
        start = stream.seek(-END, 2)
        length = int.from_bytes(stream.read(4), "little")
        start = stream.seek(start - length)
        rest = stream.read()
        stream.seek(start)
        stream.write(MARK + _hash(rest) + rest)


def check(path: Path) -> None:
    """Refuse a file whose footer is not the one that was written; one without a hash passes.

    Raises
    ------
    ValueError
        When the footer is damaged.
    OSError
        When the file cannot be read.
    """
    with path.open("rb") as stream:
        whole = stream.seek(0, 2)
        stream.seek(max(0, whole - END))
        length = int.from_bytes(stream.read(4), "little")
        start = whole - END - length
        if start < SIZE:
            return  # none of ours: Arrow says what is wrong with it
        stream.seek(start - SIZE)
        found = stream.read(SIZE)
        rest = stream.read()
    if found.startswith(MARK) and found != MARK + _hash(rest):
        raise ValueError("its footer is damaged")


def _hash(rest: bytes) -> bytes:
    return hashlib.sha256(rest).digest()
