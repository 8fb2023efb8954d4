"""How many bytes a film must have by its own container: of one that is cut off there are fewer.

Demuxers read up to where a file ends and call that its end.  Many containers say in their first
bytes, or in the sizes of their boxes, where it should be.
"""

from __future__ import annotations

import os
import struct
from pathlib import Path
from typing import BinaryIO

from videoclusternet.errors import VideoError
from videoclusternet.outside.files import opened

HEAD = 1 << 13
"""Bytes in which all headers but those of MP4 say their size."""
ASF = bytes.fromhex("3026b2758e66cf11a6d900aa0062ce6c")
ASF_FILE = bytes.fromhex("a1dcab8c47a9cf118ee400c00c205365")
EBML, SEGMENT = b"\x1a\x45\xdf\xa3", b"\x18\x53\x80\x67"
BOXES = frozenset((b"ftyp", b"moov", b"mdat", b"moof", b"free", b"skip", b"wide", b"sidx", b"styp"))
"""Of MP4 and MOV, at the top."""
MOST = 1 << 50
"""Bytes of a file: a larger number is none."""
ODD = 16
"""Bytes that writers of RIFF miscount: their own header, or an even end."""


def promised_bytes(path: Path) -> int:
    """Return the bytes that a file should have at least; 0 where it does not say.

    Parameters
    ----------
    path : Path
        MP4 and its kin, Matroska, WebM, AVI, FLV, WMV; others do not say.

    Raises
    ------
    VideoError
        When it cannot be read.
    """
    with opened(path, VideoError) as stream:
        head = stream.read(HEAD)
        if head[:4] == b"RIFF":
            size = int.from_bytes(head[4:8], "little")
            return max(size + 8 - ODD, 0) if size not in (0, 0xFFFFFFFF) else 0
        if head[4:8] in BOXES:
            return _boxes(stream, os.fstat(stream.fileno()).st_size)[0]
        return _said(head)


def films_inside(path: Path) -> int:
    """Return how many whole films follow each other in a file, as far as they say their length.

    Parameters
    ----------
    path : Path
        MP4 and its kin, Matroska, WebM, FLV, WMV.  Of others 1: their readers go on.

    Raises
    ------
    VideoError
        When it cannot be read.
    """
    with opened(path, VideoError) as stream:
        head = stream.read(HEAD)
        if head[4:8] in BOXES:
            return _boxes(stream, os.fstat(stream.fileno()).st_size)[1]
        films, at = 1, 0
        magic = next((m for m in (b"FLV", ASF, EBML) if head.startswith(m)), b"")
        while magic and (length := _said(head)):
            at += length
            stream.seek(at)
            head = stream.read(HEAD)
            if not head.startswith(magic):
                break
            films += 1
    return films


def _said(head: bytes) -> int:
    """Return the length that the first bytes of a file say, 0 where they do not."""
    if head.startswith(b"FLV"):
        return _flv(head)
    if head.startswith(ASF):
        return _asf(head)
    return _matroska(head) if head.startswith(EBML) else 0


def _flv(head: bytes) -> int:
    """Return ``filesize`` of the metadata, if the writer left it there."""
    at = head.find(b"filesize\0")
    found = head[at + 9 : at + 17]
    size = struct.unpack(">d", found)[0] if at >= 0 and len(found) == 8 else 0.0
    return int(size) if 0 < size < MOST else 0


def _asf(head: bytes) -> int:
    """Size in the object of file properties, unless it was broadcast."""
    at = head.find(ASF_FILE)
    if at < 0 or len(head) < at + 92 or head[at + 88] & 1:
        return 0
    return int.from_bytes(head[at + 40 : at + 48], "little")


def _matroska(head: bytes) -> int:
    """End of the segment, where its size is known."""
    at = head.find(SEGMENT)
    if at < 0 or len(head) < at + 12 or not head[at + 4]:
        return 0
    width = 9 - head[at + 4].bit_length()  # bytes of the number, by its leading zeros
    bits = 7 * width
    size = int.from_bytes(head[at + 4 : at + 4 + width], "big") & ((1 << bits) - 1)
    return 0 if size == (1 << bits) - 1 else at + 4 + width + size


def _boxes(stream: BinaryIO, there: int) -> tuple[int, int]:
    """End of the last box that begins in the file, and how many films the boxes are of."""
    at, films = 0, 0
    while at + 8 <= there:
        stream.seek(at)
        head = stream.read(16)
        if head[4:8] not in BOXES:
            break  # anything may follow what was the film
        films += head[4:8] == b"moov"
        size = int.from_bytes(head[:4], "big")
        if size == 1:
            size = int.from_bytes(head[8:16], "big")
        if size < 8:
            break  # it goes on to the end
        at += size
    return at, max(films, 1)
