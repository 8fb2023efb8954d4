"""Malicious zip files: given as crops, as the pictures of a run, and what sets are written as."""

from __future__ import annotations

import bz2
import csv
import lzma
import random
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from functools import cache, partial
from pathlib import Path

from tests.attack.campaign import Family
from tests.attack.case import Case, Place
from tests.attack.material import QUICK, Material, copied, differences

GIB = 1 << 30
ENTRY = "0/0000000.jpg"
"""A crop of the clean set, and the one that is spoiled."""
STORED, DEFLATED, BZIP2, LZMA = 0, 8, 12, 14


@cache
def zeros(gibibytes: int, gzip_head: bool = False) -> bytes:
    """Return some GiB of zeros as a deflate stream of some MB."""
    head = zlib.compressobj(9, zlib.DEFLATED, 15 if gzip_head else -15)
    first = head.compress(bytes(64 << 20)) + head.flush(zlib.Z_FULL_FLUSH)
    again = zlib.compressobj(9, zlib.DEFLATED, -15)
    block = again.compress(bytes(64 << 20)) + again.flush(zlib.Z_FULL_FLUSH)
    return first + block * (16 * gibibytes - 1) + zlib.compressobj(9, zlib.DEFLATED, -15).flush()


def local(name: bytes, data: bytes, size: int, crc: int, method: int, flags: int = 0) -> bytes:
    """Return the head of an entry and its bytes; size and checksum as claimed."""
    fields = (20, flags, method, 0, 33, crc, len(data), min(size, 2**32 - 2), len(name), 0)
    return struct.pack("<4s5H3L2H", b"PK\3\4", *fields) + name + data


def central(
    name: bytes, data: int, size: int, crc: int, method: int, at: int, flags: int = 0
) -> bytes:
    """Return a line of the list of a zip file."""
    fields = (
        20,
        20,
        flags,
        method,
        0,
        33,
        crc,
        data,
        min(size, 2**32 - 2),
        len(name),
        0,
        0,
        0,
        0,
        0,
    )
    return struct.pack("<4s6H3L5H2L", b"PK\1\2", *fields, at) + name


def end(count: int, size: int, at: int) -> bytes:
    """Return the end of a zip file."""
    few = min(count, 0xFFFF)
    return struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, few, few, size, at, 0)


def bomb(data: bytes, size: int, method: int = DEFLATED, name: str = ENTRY) -> bytes:
    """Return a zip file of one entry that claims ``size`` bytes."""
    body = local(name.encode(), data, size, 0, method)
    line = central(name.encode(), len(data), size, 0, method, 0)
    return body + line + end(1, len(line), len(body))


def plain(entries: Sequence[tuple[bytes, bytes, int]]) -> bytes:
    """Return a zip file of names, bytes and flags as they are."""
    body, lines = b"", b""
    for name, data, flags in entries:
        crc, size = zlib.crc32(data), len(data)
        lines += central(name, size, size, crc, STORED, len(body), flags)
        body += local(name, data, size, crc, STORED, flags)
    return body + lines + end(len(entries), len(lines), len(body))


def overlapping(data: bytes, count: int) -> bytes:
    """Return a zip file whose entries are all the same bytes."""
    body = local(b"0/0000000.jpg", data, len(data), zlib.crc32(data), STORED)
    names = (f"{n // 9}/{n % 9:07d}.jpg".encode() for n in range(count))
    lines = b"".join(
        central(name, len(data), len(data), zlib.crc32(data), STORED, 0) for name in names
    )
    return body + lines + end(count, len(lines), len(body))


def long_list(lines: int) -> bytes:
    """Return a zip file that is nothing but a list."""
    text = b"".join(central(f"{n}/1.jpg".encode(), 0, 0, 0, STORED, 0) for n in range(1000))
    text *= lines // 1000
    return text + end(lines, len(text), 0)


def png(width: int, height: int, body: bytes | None = None, more: bytes = b"") -> bytes:
    """Return a PNG file of this size; by default black."""
    if body is None:
        row = zlib.compressobj(9)
        line = bytes(1 + (width + 7) // 8)
        body = b"".join(row.compress(line) for _ in range(height)) + row.flush()
    head = struct.pack(">2L5B", width, height, 1, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + more + chunk(b"IDAT", body) + IEND


def chunk(kind: bytes, data: bytes) -> bytes:
    """Return a chunk of a PNG file."""
    return struct.pack(">L", len(data)) + kind + data + struct.pack(">L", zlib.crc32(kind + data))


IEND = chunk(b"IEND", b"")


def jpeg_size(data: bytes, width: int, height: int) -> bytes:
    """Change what a JPEG file says of its size."""
    at = data.index(b"\xff\xc0")
    return data[: at + 5] + struct.pack(">2H", height, width) + data[at + 9 :]


def bmp(width: int, height: int) -> bytes:
    """Return the head of a BMP file."""
    head = struct.pack("<L2i2H6L", 40, width, height, 1, 24, 0, 0, 0, 0, 0, 0)
    return b"BM" + struct.pack("<L2HL", 54, 0, 0, 54) + head + bytes(64)


def bzip2() -> bytes:
    """Return a GiB of zeros as a bzip2 stream."""
    packer, block = bz2.BZ2Compressor(1), bytes(64 << 20)
    return b"".join(packer.compress(block) for _ in range(16)) + packer.flush()


def lzma1() -> bytes:
    """Return a GiB of zeros as LZMA in a zip file is."""
    filters = [{"id": lzma.FILTER_LZMA1, "preset": 0}]
    packer, block = lzma.LZMACompressor(lzma.FORMAT_RAW, filters=filters), bytes(64 << 20)
    data = b"".join(packer.compress(block) for _ in range(16)) + packer.flush()
    return b"\x09\x04" + struct.pack("<HBL", 5, 93, 1 << 18) + data


BOMBS: dict[str, Callable[[], bytes]] = {
    "6 GiB in an entry": lambda: bomb(zeros(6), 6 * GIB),
    "3 GiB that say so": lambda: bomb(zeros(3), 3 * GIB),
    "3 GiB that say 9,000": lambda: bomb(zeros(3), 9000),
    "1 GiB by bzip2 that say 9,000": lambda: bomb(bzip2(), 9000, BZIP2),
    "1 GiB by LZMA that say 9,000": lambda: bomb(lzma1(), 9000, LZMA),
    "one picture of 1 MiB 60,000 times": lambda: overlapping(bytes(1 << 20), 60_000),
    "a list of 4,000,000 files": lambda: long_list(4_000_000),
    "a list longer than the file": lambda: long_list(1000)[:-22] + end(1000, 2**31, 0),
    "a list before the file": lambda: long_list(1000)[:-22] + end(1000, 50_000, 2**32 - 2),
    "unknown packing": lambda: bomb(b"x" * 99, 99, 97),
    "nothing but an end": lambda: end(0, 0, 0),
}
"""Zip files that unpack to more than there is, or to nothing."""


def pictures(clean: bytes) -> dict[str, bytes]:
    """Return pictures that want more than they are."""
    text = chunk(b"zTXt", b"a\0\0" + zeros(1, gzip_head=True))
    profile = chunk(b"iCCP", b"a\0\0" + zeros(1, gzip_head=True))
    return {
        "PNG of 30,000 px": png(30_000, 30_000),
        "PNG of 2^31 px": png(2**31 - 1, 2**31 - 1, b""),
        "PNG of 144 x 10^9 px": png(144, 10**9, b""),
        "PNG of no px": png(0, 0, b""),
        "PNG with rows of 1 GiB more": png(144, 144, zeros(1, gzip_head=True)),
        "PNG with a text of 1 GiB": png(144, 144, more=text),
        "PNG with a profile of 1 GiB": png(144, 144, more=profile),
        "PNG without rows": png(144, 144, b""),
        "PNG cut off": png(144, 144)[:60],
        "JPEG of 65,500 px": jpeg_size(clean, 65_500, 65_500),
        "JPEG of 65,500 x 1 px": jpeg_size(clean, 65_500, 1),
        "JPEG of no px": jpeg_size(clean, 0, 0),
        "JPEG of its head": clean[:30],
        "JPEG and 80 MiB": clean + bytes(80 << 20),
        "BMP of 60,000 px": bmp(60_000, 60_000),
        "BMP of -2^31 px": bmp(-(2**31), -(2**31)),
        "HTML": b"<html>not found</html>",
        "no byte": b"",
        "a zip file": bomb(zeros(1), GIB),
    }


ENCRYPTED, UTF8 = 1, 0x800
NAMES: tuple[tuple[bytes, int], ...] = (
    (b"0/99999999999999999999.jpg", 0),
    (b"0/-1.jpg", 0),
    ("0/²³.jpg".encode(), UTF8),
    (b"0/1.jpg/2.jpg", 0),
    (b"1.jpg", 0),
    (b"/0000001.jpg", 0),
    (b"../../0000001.jpg", 0),
    (b"..\\..\\x/0000001.jpg", 0),
    (b"0/" + b"1" * 60_000 + b".jpg", 0),
    (b"x" * 60_000 + b"/1.jpg", 0),
    (b"\x1b[2J\n/0000001.jpg", 0),
    (b"\0/0000001.jpg", 0),
    (b"\xff/0000001.jpg", UTF8),
    (b"\xed\xa0\x80/0000001.jpg", UTF8),
    (ENTRY.encode(), 0),
    (b"0/0000001.jpg", ENCRYPTED),
    (b"", 0),
)
"""Of an entry more in a clean zip file, and its flags."""


def rewritten(source: Path, to: Path, change: Callable[[str, bytes], tuple[str, bytes]]) -> Path:
    """Copy a zip file, each entry changed."""
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(to, "w") as new:
        for name in old.namelist():
            changed, data = change(name, old.read(name))
            new.writestr(zipfile.ZipInfo(changed), data)
    return to


def cluster(place: Place, crops: str, codes: tuple[int, ...] = (6,)) -> bool:
    """Find the cast of crops; whether that went well."""
    again = ("cluster-tracks", crops, "-o", "out", *QUICK)
    done = place.vcn(*again, codes=codes).code == 0
    inside = {path.name for path in place.folder.iterdir()}
    place.must(inside <= {crops, "out"}, f"made files elsewhere: {inside}")
    return done


def given_bombs(material: Material, rng: random.Random) -> Iterator[Case]:
    """Zip files of crops that unpack to more than there is."""
    for name, make in BOMBS.items():

        def attack(place: Place, make: Callable[[], bytes] = make) -> None:
            (place.folder / "crops.zip").write_bytes(make())
            cluster(place, "crops.zip")

        yield Case(name, attack)


def given_pictures(material: Material, rng: random.Random) -> Iterator[Case]:
    """Zip files and folders of pictures that want more than they are."""
    with zipfile.ZipFile(material.crops) as archive:
        clean = archive.read(ENTRY)
    for name, data in pictures(clean).items():

        def attack(place: Place, data: bytes = data) -> None:
            spoiled = place.folder / "crops.zip"
            rewritten(material.crops, spoiled, lambda n, d: (n, data if n == ENTRY else d))
            cluster(place, "crops.zip", (0, 6))

        def in_folder(place: Place, data: bytes = data) -> None:
            with zipfile.ZipFile(material.crops) as archive:
                archive.extractall(place.folder / "crops")
            (place.folder / "crops" / ENTRY).write_bytes(data)
            cluster(place, "crops", (0, 6))

        yield Case(f"{name}, zip", attack)
        yield Case(f"{name}, folder", in_folder)


def given_names(material: Material, rng: random.Random) -> Iterator[Case]:
    """Names of entries that lead elsewhere or are no names."""
    with zipfile.ZipFile(material.crops) as archive:
        clean = [(name.encode(), archive.read(name), 0) for name in archive.namelist()]
    for name, flags in NAMES:

        def attack(place: Place, name: bytes = name, flags: int = flags) -> None:
            more = (name, clean[0][1], flags)
            (place.folder / "crops.zip").write_bytes(plain([*clean, more]))
            cluster(place, "crops.zip", (0, 6))

        yield Case(f"{name[:40]!r} {flags}", attack)


def crops_of_runs(material: Material, rng: random.Random) -> Iterator[Case]:
    """Pictures of a finished run that are not its own: learnt from, shown, exported."""
    clean = material.crops_run
    with zipfile.ZipFile(clean / "crops.zip") as archive:
        names = archive.namelist()
        files = {name: archive.read(name) for name in names}
    turned = dict(zip(names, names[1:] + names[:1], strict=True))

    def spoil(to: Path, how: str, data: bytes) -> None:
        if how == "permuted":
            rewritten(clean / "crops.zip", to, lambda n, d: (n, files[turned[n]]))
        elif how == "two exchanged":
            two = {names[0]: names[-1], names[-1]: names[0]}
            rewritten(clean / "crops.zip", to, lambda n, d: (n, files[two.get(n, n)]))
        elif how == "bomb":
            to.write_bytes(data)
        else:
            rewritten(clean / "crops.zip", to, lambda n, d: (n, data if n == names[0] else d))

    ways = {"permuted": b"", "two exchanged": b""}
    for how in ways:
        yield Case(how, partial(_use, material, partial(spoil, how=how, data=b"")))
    for name, data in pictures(files[names[0]]).items():
        yield Case(name, partial(_use, material, partial(spoil, how=name, data=data)))
    for name, make in BOMBS.items():

        def made(to: Path, make: Callable[[], bytes] = make) -> None:
            with zipfile.ZipFile(clean / "crops.zip") as archive:
                name = archive.namelist()[0]
            to.write_bytes(make().replace(ENTRY.encode(), name.encode()[-len(ENTRY) :]))

        yield Case(name, partial(_use, material, made))


def _use(material: Material, spoil: Callable[[Path], None], place: Place) -> None:
    clean = material.crops_run
    run = copied(clean, place.folder / "out")
    (run / "crops.zip").unlink()
    spoil(run / "crops.zip")
    made = place.vcn("cluster-tracks", material.crops, "-o", "out", *QUICK, codes=(0, 5))
    if made.code == 0:
        wrong = differences(run, clean)
        place.must(wrong == "crops.zip", f"pictures of others are shown: {wrong}")
    seed = ("--set", "seed=1")
    place.vcn("cluster-tracks", material.crops, "-o", "out", *QUICK, *seed, codes=(5,))
    place.vcn("dataset", "from-run", "out", "set", codes=(5,))
    place.must(not (place.folder / "set").exists(), "a set of wrong pictures")


TRACKS = ("../../x", "/abs/x", "..", "a\\..\\b", "C:x", "a/b", "x\ny", "%2F", " ", "con", "é", "‮")
"""Names of tracks."""


def written_names(material: Material, rng: random.Random) -> Iterator[Case]:
    """Names of tracks that lead elsewhere when their crops are exported."""
    boxes = material.crops.parent / "tracks.csv"
    with boxes.open(newline="", encoding="utf-8") as stream:
        rows = list(csv.reader(stream))
    known = list(dict.fromkeys(row[0] for row in rows[1:]))
    for one in TRACKS:

        def attack(place: Place, one: str = one) -> None:
            folder = place.folder / "in"
            copied(boxes.parent, folder)
            named = {known[0]: one, known[1]: one.replace("/", "_") + "_"}
            with (folder / "tracks.csv").open("w", newline="", encoding="utf-8") as stream:
                changed = ([named.get(row[0], row[0]), *row[1:]] for row in rows)
                csv.writer(stream).writerows(changed)
            words = ("--form", "crops", "--film", material.film)
            done = place.vcn("dataset", "export", "in/tracks.csv", "set", *words, codes=(0, 6))
            if done.code:
                return
            with zipfile.ZipFile(place.folder / "set/drawn.zip") as archive:
                names = archive.namelist()
            for name in names:
                parts = Path(name).parts
                place.must(len(parts) == 2 and "\\" not in name and ".." not in parts, name)
            tracks = {name.partition("/")[0] for name in names}
            place.must(len(tracks) == len(known), f"tracks became one: {tracks}")
            place.vcn("dataset", "check", "set/drawn.zip", codes=(0,))

        yield Case(ascii(one), attack)


FAMILY: Family = {
    "given bombs": given_bombs,
    "given pictures": given_pictures,
    "given names": given_names,
    "crops of runs": crops_of_runs,
    "written names": written_names,
}
