"""How many bytes a container promises: as many as a whole file has, more than a cut one."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest

from tests.unit.test_index import film
from videoclusternet.film.video import open_video
from videoclusternet.outside.lengths import promised_bytes
from videoclusternet.types import Damage, Unread

SAYS = {".mp4": 0, ".mov": 0, ".mkv": 0, ".avi": 16, ".wmv": 0, ".flv": 0}
"""Containers that say it, and how many bytes less."""


def made(path: Path) -> Path:
    codec = {".wmv": "wmv2", ".avi": "mpeg4"}.get(path.suffix, "libx264")
    more = {"bf": "0"} if path.suffix == ".wmv" else {}
    return film(path, 120, codec=codec, **more)


@pytest.mark.parametrize("suffix", SAYS)
def test_a_whole_file_has_what_it_promises(tmp_path: Path, suffix: str) -> None:
    path = made(tmp_path / f"f{suffix}")
    size = path.stat().st_size
    assert promised_bytes(path) == size - SAYS[suffix]
    path.write_bytes(path.read_bytes() + b"no box")  # what follows is no part of it
    assert promised_bytes(path) <= size


@pytest.mark.parametrize("suffix", [".mkv", ".avi", ".wmv", ".flv"])
@pytest.mark.parametrize("left", [0.6, 0.8, 0.95])
def test_one_that_is_cut_off_says_so(tmp_path: Path, suffix: str, left: float) -> None:
    path = made(tmp_path / f"f{suffix}")
    path.write_bytes(path.read_bytes()[: int(left * path.stat().st_size)])
    assert promised_bytes(path) > path.stat().st_size
    told: list[str | Unread] = []
    open_video(path, told.append)
    said = [note for note in Damage.of(told).notes if "breaks off" in note]
    assert len(said) == 1 and said[0].startswith(f"f{suffix} breaks off: ")
    assert said[0].endswith("; using what is there")


@pytest.mark.parametrize(
    ("data", "size"),
    [
        (b"", 0),
        (b"RIFF\xff\xff\xff\xffAVI ", 0),
        (b"RIFF\0\0\0\0AVI ", 0),
        (b"RIFF\xe8\x03\0\0AVI ", 992),
        (b"\0\0\0\x10ftypisom\0\0\0\0" + b"\0\0\0\0mdat", 16),  # up to the end, whatever it is
        (b"\0\0\0\x10ftypisom\0\0\0\0" + b"\0\0\x01\0mdat", 272),
        (
            b"\0\0\0\x10ftypisom\0\0\0\0" + b"\0\0\0\1mdat\0\0\0\2\0\0\0\0",
            16 + (1 << 33),
        ),
        (b"\x1a\x45\xdf\xa3\x80\x18\x53\x80\x67\x01" + b"\xff" * 7 + b"x" * 9, 0),  # not known
        (b"\x1a\x45\xdf\xa3\x80\x18\x53\x80\x67\x40\xc8" + b"x" * 9, 11 + 200),
        (b"G" + b"x" * 187, 0),
        (b"FLV..filesize\0" + struct.pack(">d", 9000.0), 9000),
        (b"FLV..filesize\0" + struct.pack(">d", float("nan")), 0),
        (b"FLV..filesize\0" + b"\x40", 0),
        (b"FLV", 0),
    ],
)  # fmt: skip
def test_sizes(tmp_path: Path, data: bytes, size: int) -> None:
    (tmp_path / "f").write_bytes(data)
    assert promised_bytes(tmp_path / "f") == size
