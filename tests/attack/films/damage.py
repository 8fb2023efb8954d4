"""Bytes of films that are cut, turned over, zeroed, lost, moved, or lie in their headers."""

from __future__ import annotations

import random
import re
import struct
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from tests.attack.case import Case, Place
from tests.attack.films.films import FORMS, Clean, clean
from tests.attack.films.judge import judge
from tests.attack.material import Material

Spoil = Callable[[bytearray, random.Random], bytes | bytearray]
HEAD = 600
"""Bytes at the beginning that count as a header."""
MARKS = re.compile(
    rb"ftyp|moov|mdat|moof|trak|stbl|stsz|stts|stco|idx1|movi|strl|hdrl|OggS|FLV|"
    rb"\x1f\x43\xb6\x75|\x1c\x53\xbb\x6b|\x16\x54\xae\x6b|\x15\x49\xa9\x66|"
    rb"\x00\x00\x01\xba|\x00\x00\x01\xb3|\x00\x00\x01[\x05\x65\x67\x68]|FRAME|\xff\xd8\xff|\x06\x0e\x2b\x34"
)
"""Where boxes, clusters, chunks, pages and pictures begin."""


def _stretch(data: bytearray, rng: random.Random, most: float = 0.15) -> tuple[int, int]:
    """Draw a stretch behind the header."""
    start = rng.randrange(min(HEAD, len(data) // 2), len(data))
    return start, min(len(data), start + rng.randint(1, max(2, int(most * len(data)))))


def _borders(data: bytearray) -> list[int]:
    """Where parts begin: marks, or packets of a transport stream."""
    if data[:1] == b"G" and data[188:189] == b"G":
        return list(range(188, len(data), 188))
    return [m.start() for m in MARKS.finditer(data) if m.start()] or [len(data) // 2]


def cut_anywhere(data: bytearray, rng: random.Random) -> bytearray:
    """Cut the end off."""
    return data[: rng.randrange(1, len(data))]


def cut_at_a_border(data: bytearray, rng: random.Random) -> bytearray:
    """Cut off where a part begins, or a few bytes behind."""
    return data[: rng.choice(_borders(data)) + rng.choice((0, 0, 4, 8))]


def cut_late(data: bytearray, rng: random.Random) -> bytearray:
    """Cut a little off."""
    return data[: -rng.randint(1, max(2, len(data) // 50))]


def cut_at_the_start(data: bytearray, rng: random.Random) -> bytearray:
    """Lose the beginning."""
    return data[rng.randint(1, len(data) // 3) :]


def flip_one(data: bytearray, rng: random.Random) -> bytearray:
    """Turn over one bit."""
    data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
    return data


def flip_some(data: bytearray, rng: random.Random) -> bytearray:
    """Turn over a bit in some bytes behind the header."""
    for _ in range(rng.randint(2, 30)):
        data[rng.randrange(min(HEAD, len(data) // 2), len(data))] ^= 1 << rng.randrange(8)
    return data


def flip_header(data: bytearray, rng: random.Random) -> bytearray:
    """Change a few bytes of the header."""
    for _ in range(rng.randint(1, 4)):
        data[rng.randrange(min(HEAD, len(data)))] = rng.choice((0, 1, 0x7F, 0x80, 0xFF))
    return data


def zero_a_stretch(data: bytearray, rng: random.Random) -> bytearray:
    """Fill a stretch with zeros."""
    start, stop = _stretch(data, rng)
    data[start:stop] = bytes(stop - start)
    return data


def noise_in_a_stretch(data: bytearray, rng: random.Random) -> bytearray:
    """Fill a stretch with random bytes."""
    start, stop = _stretch(data, rng)
    data[start:stop] = rng.randbytes(stop - start)
    return data


def lose_a_stretch(data: bytearray, rng: random.Random) -> bytearray:
    """Take a stretch out."""
    start, stop = _stretch(data, rng)
    del data[start:stop]
    return data


def lose_parts(data: bytearray, rng: random.Random) -> bytearray:
    """Take whole parts out, as a disk or a network that loses blocks does."""
    borders = [*_borders(data), len(data)]
    first = rng.randrange(len(borders))
    last = min(len(borders) - 1, first + rng.randint(1, max(1, len(borders) // 8)))
    del data[borders[first] : borders[last]]
    return data


def swap_blocks(data: bytearray, rng: random.Random) -> bytearray:
    """Exchange two blocks."""
    size = max(1, len(data) // 20)
    a = rng.randrange(min(HEAD, len(data) // 3), len(data) // 2)
    b = rng.randrange(len(data) // 2, max(len(data) // 2 + 1, len(data) - size))
    data[a : a + size], data[b : b + size] = data[b : b + size], data[a : a + size]
    return data


def repeat_a_block(data: bytearray, rng: random.Random) -> bytearray:
    """Have a block twice."""
    start, stop = _stretch(data, rng, 0.1)
    return data[:stop] + data[start:]


def twice(data: bytearray, rng: random.Random) -> bytearray:
    """Join the film to itself."""
    return data + data


def with_a_tail(data: bytearray, rng: random.Random) -> bytearray:
    """Append something else."""
    return data + rng.choice((bytes(5000), rng.randbytes(5000), b"<html>" * 500))


SPOILS: tuple[Spoil, ...] = (
    cut_anywhere,
    cut_at_a_border,
    cut_late,
    cut_at_the_start,
    flip_one,
    flip_some,
    flip_header,
    zero_a_stretch,
    noise_in_a_stretch,
    lose_a_stretch,
    lose_parts,
    swap_blocks,
    repeat_a_block,
    twice,
    with_a_tail,
)
MIXES = (swap_blocks, repeat_a_block, twice)
"""What is there lies elsewhere afterwards: moments are not those of the whole film."""


def damage(material: Material, rng: random.Random) -> Iterator[Case]:
    """Every form of the film, spoiled in every way."""
    for name in FORMS:
        whole = clean(material, name)
        for spoil in SPOILS:
            yield Case(f"{name}, {spoil.__name__}", partial(_spoiled, whole, spoil))


def _spoiled(whole: Clean, spoil: Spoil, place: Place) -> None:
    film = place.folder / f"film{whole.form.suffix}"
    film.write_bytes(spoil(bytearray(whole.film.read_bytes()), place.rng))
    judge(place, film, whole, times=spoil not in MIXES)


VALUES = (0, 1, 2, 0x7FFF, 1 << 16, (1 << 31) - 1, 1 << 31, (1 << 32) - 1)
"""In place of a number of a header."""
FIELDS: dict[str, dict[str, tuple[bytes, int]]] = {
    "mp4": {
        "mvhd time base": (b"mvhd", 16),
        "mvhd length": (b"mvhd", 20),
        "tkhd length": (b"tkhd", 24),
        "tkhd width": (b"tkhd", 80),
        "mdhd time base": (b"mdhd", 16),
        "mdhd length": (b"mdhd", 20),
        "stsd number": (b"stsd", 8),
        "stts number": (b"stts", 8),
        "stts frames": (b"stts", 12),
        "stts step": (b"stts", 16),
        "ctts number": (b"ctts", 8),
        "ctts shift": (b"ctts", 16),
        "stss number": (b"stss", 8),
        "stsc number": (b"stsc", 8),
        "stsc frames": (b"stsc", 16),
        "stsz size": (b"stsz", 8),
        "stsz number": (b"stsz", 12),
        "stsz first": (b"stsz", 16),
        "stco number": (b"stco", 8),
        "stco first": (b"stco", 12),
        "elst number": (b"elst", 8),
        "elst length": (b"elst", 12),
        "elst begin": (b"elst", 16),
        "mdat size": (b"mdat", -4),
        "moov size": (b"moov", -4),
    },
    "avi": {
        "frame time": (b"avih", 8),
        "frames": (b"avih", 24),
        "streams": (b"avih", 32),
        "width": (b"avih", 40),
        "scale": (b"strh", 28),
        "rate": (b"strh", 32),
        "start": (b"strh", 36),
        "length": (b"strh", 40),
        "bitmap width": (b"strf", 12),
        "bitmap height": (b"strf", 16),
        "size of movi": (b"LIST", 4),
        "size of the index": (b"idx1", 4),
    },
    "mkv": {
        "time base": (b"\x2a\xd7\xb1", 4),
        "length": (b"\x44\x89", 3),
        "frame time": (b"\x23\xe3\x83", 4),
        "width": (b"\xb0\x82", 1),
        "height": (b"\xba\x82", 1),
        "track": (b"\xd7\x81", 1),
        "cluster": (b"\x1f\x43\xb6\x75", 4),
    },
    "flv": {
        "duration": (b"duration\0", 9),
        "framerate": (b"framerate\0", 10),
        "width": (b"width\0", 6),
    },
    "gif": {"size": (b"GIF89a", 6), "delay": (b"\x21\xf9\x04", 4)},
    "wmv": {"length": (b"\xa1\xdc\xab\x8c", 64), "packets": (b"\xa1\xdc\xab\x8c", 56)},
    "ogg": {"granule": (b"OggS", 6)},
}
"""Numbers of headers: what stands before them, and how far from its beginning they lie."""
RATES = (
    "F0:1",
    "F1:0",
    "F-24:1",
    "F999999999:1",
    "F1:999999999",
    "W0",
    "W-1",
    "W99999",
    "H0",
    "H1",
)


def lies(material: Material, rng: random.Random) -> Iterator[Case]:
    """Headers with other numbers: none, one, the largest; rates of 0 and of billions."""
    for form, fields in FIELDS.items():
        whole = clean(material, form)
        for field, (mark, shift) in fields.items():
            for value in rng.sample(VALUES, 3):
                attack = partial(_lying, whole, mark, shift, value)
                yield Case(f"{form}, {field} = {value}", attack)
    whole = clean(material, "y4m")
    for rate in RATES:
        yield Case(f"y4m, {rate}", partial(_other_text, whole, rate))


def _lying(whole: Clean, mark: bytes, shift: int, value: int, place: Place) -> None:
    data = bytearray(whole.film.read_bytes())
    at = data.index(mark) + shift
    order = "<I" if whole.form.suffix in (".avi", ".wmv", ".gif") else ">I"
    data[at : at + 4] = struct.pack(order, value)
    film: Path = place.folder / f"film{whole.form.suffix}"
    film.write_bytes(data)
    judge(place, film, whole, times=False)


def _other_text(whole: Clean, text: str, place: Place) -> None:
    head, _, rest = whole.film.read_bytes().partition(b"\n")
    words = [text.encode() if word[:1] == text[:1].encode() else word for word in head.split(b" ")]
    film: Path = place.folder / "film.y4m"
    film.write_bytes(b" ".join(words) + b"\n" + rest)
    judge(place, film, whole, times=False)
