"""Spoiled bytes of a sample: seeded, by the form of the file."""

from __future__ import annotations

import codecs
import copy
import io
import json
import random
import re
import zipfile
from collections.abc import Callable, Sequence
from typing import Any

from tests.attack.readers.arrays import ARRAYS
from tests.attack.runs.folders import VALUES, places_of, replaced

Change = Callable[[bytes, random.Random], bytes]
DEEP = 100_000
TOKEN = re.compile(rb"-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?|[A-Za-z_][\w.]*")
NUMBER = re.compile(rb"-?\d+(?:\.\d+)?")
GAP = re.compile(rb"[,\t ;=]")
HOSTILE: tuple[bytes, ...] = (
    b"nan",
    b"inf",
    b"-Infinity",
    b"1e999",
    b"-1",
    b"0",
    b"-0",
    b"1.5",
    b"1e-400",
    b"2147483647",
    b"2147483648",
    b"9223372036854775808",
    b"1" + b"0" * 400,
    b"9" * 5000,
    b"0x10",
    b"1_000",
    b"1/0",
    b"",
    b" ",
    "٣".encode(),
    "²".encode(),
    "\uff11\uff12".encode(),
    "½".encode(),
    b"\0",
    b"\xed\xa0\x80",
    b"\xff\xfe",
    "\u202e".encode(),
    "\u2028".encode(),
    b"\x1b[2J",
    b"true",
    b"null",
    b"[]",
    b"{}",
    b'"',
    b"'",
    b"\\",
    b"&lt;&#0;",
    b"\\ud800",
    b"../../x",
    b"=1+1",
    b"\r\n",
    b"\r",
    b"x" * 200_000,
    b"[" * DEEP,
    b'{"a":' * (DEEP // 2),
)
"""In place of a number, a word or a field."""


def flip(data: bytes, rng: random.Random) -> bytes:
    """Turn over some bits."""
    out = bytearray(data or b"\0")
    for _ in range(rng.choice((1, 1, 2, 8))):
        out[rng.randrange(len(out))] ^= 1 << rng.randrange(8)
    return bytes(out)


def cut(data: bytes, rng: random.Random) -> bytes:
    """Cut the end off."""
    return data[: rng.randrange(len(data) + 1)]


def insert(data: bytes, rng: random.Random) -> bytes:
    """Put random bytes in between."""
    at = rng.randrange(len(data) + 1)
    return data[:at] + rng.randbytes(rng.randint(1, 64)) + data[at:]


def remove(data: bytes, rng: random.Random) -> bytes:
    """Take a stretch out."""
    at = rng.randrange(len(data) + 1)
    return data[:at] + data[at + rng.randint(1, 64) :]


def repeat(data: bytes, rng: random.Random) -> bytes:
    """Write a stretch twice."""
    at = rng.randrange(len(data) + 1)
    end = at + rng.randint(1, 256)
    return data[:end] + data[at:]


def fill(data: bytes, rng: random.Random) -> bytes:
    """Fill a stretch with one byte."""
    at, length = rng.randrange(len(data) + 1), rng.choice((1, 2, 4, 8, 64))
    return data[:at] + rng.choice((b"\0", b"\xff", b"\x80", b"\x7f")) * length + data[at + length :]


def exchange(data: bytes, rng: random.Random) -> bytes:
    """Exchange two stretches."""
    a, b = sorted(rng.randrange(len(data) + 1) for _ in range(2))
    size = min(rng.randint(1, 64), b - a)
    return (
        data[:a] + data[b : b + size] + data[a + size : b] + data[a : a + size] + data[b + size :]
    )


def line(data: bytes, rng: random.Random) -> bytes:
    """Remove, repeat or exchange lines, or put an odd one in."""
    lines = data.split(b"\n")
    a, b = rng.randrange(len(lines)), rng.randrange(len(lines))
    how = rng.randrange(5)
    if how == 0:
        del lines[a]
    elif how == 1:
        lines.insert(b, lines[a])
    elif how == 2:
        lines[a], lines[b] = lines[b], lines[a]
    elif how == 3:
        lines.insert(a, rng.choice(HOSTILE))
    else:
        lines[a] = lines[a][: len(lines[a]) // 2]
    return b"\n".join(lines)


def field(data: bytes, rng: random.Random) -> bytes:
    """Remove, repeat or replace a field of a line."""
    lines = data.split(b"\n")
    at = rng.randrange(len(lines))
    gap = GAP.search(lines[at])
    if gap is None:
        return line(data, rng)
    fields = lines[at].split(gap[0])
    i, how = rng.randrange(len(fields)), rng.randrange(3)
    if how == 0:
        del fields[i]
    elif how == 1:
        fields.insert(i, fields[i])
    else:
        fields[i] = rng.choice(HOSTILE)
    lines[at] = gap[0].join(fields)
    return b"\n".join(lines)


def token(data: bytes, rng: random.Random) -> bytes:
    """Put something else in place of a number or a word."""
    found = list((NUMBER if rng.random() < 0.6 else TOKEN).finditer(data))
    if not found:
        return insert(data, rng)
    one = rng.choice(found)
    return data[: one.start()] + rng.choice(HOSTILE) + data[one.end() :]


def coding(data: bytes, rng: random.Random) -> bytes:
    """Write the text in another coding, or with other ends of lines."""
    text = data.decode("utf-8", "replace")
    how: tuple[Callable[[], bytes], ...] = (
        lambda: codecs.BOM_UTF8 + data,
        lambda: codecs.BOM_UTF8 * 2 + data,
        lambda: text.encode("utf-16"),
        lambda: text.encode("utf-32-be"),
        lambda: text.replace("e", "é").encode("latin-1", "replace"),
        lambda: text.replace("e", "\u00e9").encode(),
        lambda: data.replace(b"\n", b"\r\n"),
        lambda: data.replace(b"\n", b"\r"),
        lambda: data.replace(b"\n", "\u2028".encode()),
        lambda: data.replace(b"\n", b"\0\n"),
        lambda: data.replace(b",", b";"),
        lambda: data + b"\0" * 1000,
        lambda: data.replace(b"1", "\u0661".encode()),
        lambda: data + b"\xed\xa0\x80",
        lambda: data.upper(),
        lambda: data.strip(),
        lambda: data * 2,
    )
    return rng.choice(how)()


def value(data: bytes, rng: random.Random) -> bytes:
    """Put another value in a place of a JSON text, or name a key twice."""
    try:
        found: Any = json.loads(data)
    except (ValueError, RecursionError):
        return token(data, rng)
    places = list(places_of(found))
    if rng.random() < 0.15 and isinstance(found, dict) and found:
        key = rng.choice(sorted(found))
        twice = f"{{{json.dumps(key)}: {json.dumps(rng.choice(VALUES))}, "
        return twice.encode() + data.lstrip()[1:]
    changed = replaced(copy.deepcopy(found), rng.choice(places), rng.choice(VALUES))
    return json.dumps(changed).encode()


def member(data: bytes, rng: random.Random) -> bytes:
    """Put a strange array in place of one of an npz file, or rename or drop one."""
    out = io.BytesIO()
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(out, "w") as new:
            names = old.namelist()
            chosen, how = rng.choice(names), rng.randrange(6)
            for name in names:
                body = old.read(name)
                if name == chosen and how == 0:
                    continue
                if name == chosen and how == 1:
                    name = rng.choice(
                        ("1.npy", "features.npy", "a\0.npy", "²", "../x.npy", "-1.npy")
                    )
                elif name == chosen and how == 2:
                    body = rng.choice((flip, cut, fill))(body, rng)
                elif name == chosen:
                    body = rng.choice(list(ARRAYS.values()))
                packed = rng.choice((0, 0, 8, 12, 14))
                new.writestr(zipfile.ZipInfo(name), body, packed)
    except Exception:  # spoiled before: it raises almost anything
        return flip(data, rng)
    return out.getvalue()


def header(data: bytes, rng: random.Random) -> bytes:
    """Put something else in the readable part at the start of a file."""
    length = min(len(data), 256)
    return token(data[:length], rng) + data[length:]


BYTES: tuple[Change, ...] = (flip, flip, cut, insert, remove, repeat, fill, exchange)
TEXT: tuple[Change, ...] = (flip, cut, insert, repeat, line, field, field, token, token, coding)
CHANGES: dict[str, Sequence[Change]] = {
    "text": TEXT,
    "json": (*TEXT, value, value, value),
    "bytes": BYTES,
    "npy": (*BYTES, header),
    "npz": (*BYTES, member, member, member),
}
"""By the form of a file."""


def spoiled(form: str, data: bytes, rng: random.Random) -> tuple[str, bytes]:
    """Return what was done, and the spoiled bytes: one change, sometimes two or three."""
    names = []
    for _ in range(rng.choice((1, 1, 1, 2, 3))):
        change = rng.choice(CHANGES[form])
        names.append(change.__name__)
        data = change(data, rng)
    return "+".join(names), data[: 4 << 20]
